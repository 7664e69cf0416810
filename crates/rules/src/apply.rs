//! What becomes of one record.

use hubmill_device::{Code, ImportMode, Member, Severity, is_system_module};
use hubmill_parser::Record;

use crate::check::read_id;
use crate::finding::{Detail, Finding};
use crate::options::Check;
use crate::rules::{Rules, SetTo};
use crate::scratch::Scratch;

/// What becomes of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It stays as it is.
    Keep,
    /// It stays, with the edits that are in the scratch.
    Edit,
    /// It is left out by a selection.
    Filter,
    /// It can't be used; the findings in the scratch say why.
    Invalid,
}

impl Rules {
    /// Applies the rules to a record: select, edit, check. What is to be said is in `scratch` until the next call.
    #[inline]
    pub fn apply(&self, scratch: &mut Scratch, record: &Record<'_>) -> Verdict {
        scratch.texts.truncate(self.texts_kept());
        scratch.changes.clear();
        scratch.edits.clear();
        scratch.made_keys.clear();
        scratch.findings.clear();
        scratch.counts.clear();
        scratch.id = None;
        scratch.module_id = None;
        match self.try_apply(scratch, record) {
            Ok(verdict) => verdict,
            Err(finding) => refuse(scratch, finding),
        }
    }

    #[inline]
    fn try_apply(&self, scratch: &mut Scratch, record: &Record<'_>) -> Result<Verdict, Finding> {
        let names = scratch.layouts.read(record, self.strictness);
        if self.condition.is_none()
            && let Some(verdict) = self.follow_recipe(scratch, record)
        {
            return Ok(verdict);
        }
        scratch.id = scratch.layouts.names().value(record, Member::Id);
        scratch.module_id = scratch.layouts.names().value(record, Member::ModuleId);
        names?;
        // A condition may rest on anything; what is done to the lines for which it holds does not.
        let mut holds = true;
        if let Some(condition) = &self.condition {
            holds = condition.holds(&scratch.layouts, &mut scratch.places, record)?;
            if holds && let Some(verdict) = self.follow_recipe(scratch, record) {
                return Ok(verdict);
            }
        }
        let verdict = self.apply_step_by_step(scratch, record, holds)?;
        if holds && verdict != Verdict::Invalid {
            self.note_recipe(scratch, record, verdict);
        }
        Ok(verdict)
    }

    #[inline]
    fn apply_step_by_step(&self, scratch: &mut Scratch, record: &Record<'_>, holds: bool) -> Result<Verdict, Finding> {
        if self.selects && !self.is_selected(scratch, record, holds)? {
            return Ok(Verdict::Filter);
        }
        let mut authenticates = scratch
            .layouts
            .names()
            .value(record, Member::Authentication)
            .is_some_and(|value| record.bytes(value) != b"null");
        if self.edits {
            scratch.layouts.names().check_exact(record, self.strictness.exact_for_edits)?;
            authenticates = self.edit(scratch, record, authenticates)?;
            scratch.changes.emit(record, scratch.layouts.names(), &mut scratch.edits);
        }
        if self.check == Check::Id && !self.check_id(scratch, record) {
            keep_errors(scratch);
            return Ok(Verdict::Invalid);
        }
        if !authenticates {
            self.look_at_missing_authentication(scratch, record)?;
        }
        if scratch.edits.is_empty() {
            return Ok(Verdict::Keep);
        }
        if self.may_roll_twins_back {
            self.look_at_twin(scratch, record);
        }
        Ok(Verdict::Edit)
    }

    /// Whether the selection keeps the record, given whether the condition `holds` for it.
    fn is_selected(&self, scratch: &mut Scratch, record: &Record<'_>, holds: bool) -> Result<bool, Finding> {
        let mut selected = holds;
        if self.ids.is_some() || self.ids_not.is_some() {
            let id = read_id(scratch, record)?;
            // Both lists are asked, so that both know which of their ids were met.
            let listed = self.ids.as_ref().is_none_or(|list| list.meets(&id));
            let unlisted = !self.ids_not.as_ref().is_some_and(|list| list.meets(&id));
            selected &= listed && unlisted;
        }
        if self.devices_only || self.modules_only || self.drop_system_modules {
            let module_id = scratch.module_id.and_then(|module_id| record.text(module_id));
            let left_out = match module_id {
                Some(module_id) => self.devices_only || (self.drop_system_modules && is_system_module(&module_id)),
                None => self.modules_only,
            };
            selected &= !left_out;
        }
        Ok(selected)
    }

    /// Notes all changes; whether the record has authentication afterwards.
    fn edit(&self, scratch: &mut Scratch, record: &Record<'_>, mut authenticates: bool) -> Result<bool, Finding> {
        let mut mode = ImportMode::default();
        if let Some((asked, text)) = self.import_mode {
            mode = asked;
            set(scratch, record, Member::ImportMode, text);
        } else if self.needs_mode {
            mode = read_mode(scratch, record)?;
        }
        if let Some(text) = self.status {
            set(scratch, record, Member::Status, text);
        }
        if let Some(text) = self.status_reason {
            set(scratch, record, Member::StatusReason, text);
        }
        if self.strip_keys {
            self.strip_keys(scratch, record)?;
        }
        if self.strip_authentication && authenticates {
            authenticates = false;
            if let Some(member) = scratch.layouts.names().get(record, Member::Authentication) {
                scratch.changes.inside.push(crate::edit::replace(member.value, self.texts.null));
            }
        }
        if let Some(rule) = self.key_rule {
            authenticates = self.apply_key_rule(scratch, record, rule, mode)?;
        }
        if self.minimal || self.strip_metadata || !self.removed.is_empty() {
            self.take_members_out(scratch, record, mode)?;
        }
        if self.strip_etags && self.import_mode.is_none() {
            warn_of_needed_etag(scratch, record);
        }
        if let Some(migrate) = &self.migrate {
            self.migrate_scope(scratch, record, migrate)?;
        }
        authenticates &= !scratch.changes.removed.contains(Member::Authentication);
        // It may take a member out and put it in afresh.
        if self.patch.is_empty() { Ok(authenticates) } else { self.apply_patch(scratch, record, authenticates) }
    }

    /// The mode that the line leaves with; `None` where it can't be read.
    fn mode_after(&self, scratch: &Scratch, record: &Record<'_>) -> Option<ImportMode> {
        match self.import_mode {
            Some((mode, _)) => Some(mode),
            None => self.patched_mode.or_else(|| read_mode(scratch, record).ok()),
        }
    }

    /// What it means that a written line has no authentication (§2, §4).
    #[cold]
    fn look_at_missing_authentication(&self, scratch: &mut Scratch, record: &Record<'_>) -> Result<(), Finding> {
        let mode = self.mode_after(scratch, record);
        if let Some(migrate) = &self.migrate
            && mode.is_some_and(ImportMode::writes_identity)
        {
            self.migrate_authentication(scratch, record, migrate)?;
        }
        if mode.is_some_and(ImportMode::overwrites_identity) {
            scratch.counts.push(Code::KeysRotate);
        }
        Ok(())
    }

    /// Counts an edited line that would set an existing twin back to the time of the export.
    fn look_at_twin(&self, scratch: &mut Scratch, record: &Record<'_>) {
        let overwrites = self.mode_after(scratch, record).is_some_and(ImportMode::overwrites_identity);
        let has_twin = [Member::Tags, Member::Properties].into_iter().any(|member| {
            let stays =
                scratch.layouts.names().value(record, member).is_some() && !scratch.changes.removed.contains(member);
            self.patch.fixed(member).map_or_else(|| stays || self.patch.makes(member), |value| value.is_some())
        });
        if overwrites && has_twin {
            scratch.counts.push(Code::TwinRollback);
        }
    }
}

/// A line that can't be used: of what was found only errors are said.
#[cold]
fn refuse(scratch: &mut Scratch, finding: Finding) -> Verdict {
    scratch.findings.push(finding);
    keep_errors(scratch);
    Verdict::Invalid
}

#[cold]
fn keep_errors(scratch: &mut Scratch) {
    scratch.findings.retain(|finding| finding.severity == Severity::Error);
    scratch.counts.clear();
}

/// Sets a member: replaced where it stands, else added at the end.
#[inline]
fn set(scratch: &mut Scratch, record: &Record<'_>, member: Member, text: SetTo) {
    match scratch.layouts.names().value(record, member) {
        Some(value) if record.bytes(value) == text.value.of(&scratch.texts) => {}
        Some(value) => scratch.changes.inside.push(crate::edit::replace(value, text.value)),
        None => scratch.changes.added.push((member, text.member)),
    }
}

/// The mode of the line: a name in any case or a number (§1.5); without the member `createOrUpdate` (§2).
fn read_mode(scratch: &Scratch, record: &Record<'_>) -> Result<ImportMode, Finding> {
    let Some(value) = scratch.layouts.names().value(record, Member::ImportMode) else {
        return Ok(ImportMode::default());
    };
    let mode = match record.text(value) {
        Some(text) => ImportMode::from_text(&text),
        None => ImportMode::from_text(record.bytes(value)),
    };
    mode.ok_or_else(|| {
        let expected = "one of the nine import modes (§2), create or delete for instance";
        Finding::new(Code::ImportModeValue, value.start, "importMode", Detail::Type(expected))
    })
}

/// Warns of a line whose own mode needs the ETag that is taken away: the hub refuses it (§2).
fn warn_of_needed_etag(scratch: &mut Scratch, record: &Record<'_>) {
    if read_mode(scratch, record).is_ok_and(ImportMode::is_if_match) {
        let at =
            scratch.layouts.names().get(record, Member::ImportMode).map_or(record.open(), |member| member.value.start);
        let message = "the line's mode needs the ETag that --strip-etags takes away; the hub will refuse it (§2)";
        scratch.findings.push(Finding::new(Code::EtagMissing, at, "importMode", Detail::Text(message)).warning());
    }
}
