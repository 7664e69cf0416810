//! What the lines of an import did to one device or module, as far as that can be told: what `undo` starts from.
//!
//! Lines of one device are taken in the order of the file. Where it is not known whether a line did anything, it is taken to have
//! done it, except where something would be deleted for it: see [`Fate::doubt`].

use std::borrow::Cow;

use hubmill_device::{ImportMode, Member, is_system_module};
use hubmill_parser::string_text;
use hubmill_registry::{Ambiguity, DeviceLine, Section};

use crate::unusable::unreadable;

/// Whether the log says that a line failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Failed {
    /// It does not.
    No,
    /// The log names the device, and more lines than one are about it (§5.5: entries have no module ids).
    Maybe,
    /// It does, by a code for an ETag that does not match. Where it is the twin's, the identity may be written all the same (§2).
    ByETag,
    /// It does.
    Yes,
}

/// A line of the import.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImportLine<'l> {
    pub(crate) line: DeviceLine<'l>,
    pub(crate) failed: Failed,
    /// Where it starts in the file.
    pub(crate) start: u64,
}

/// Why it is not certain that the import made what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// The log leaves it open which of several lines failed.
    Log,
    /// An ETag on a line that creates: what the hub makes of it is not known (§2).
    ETag,
}

/// What became of a device or module.
#[derive(Clone, Debug)]
pub(crate) struct Fate<'l> {
    /// It is there.
    pub(crate) exists: bool,
    /// It was deleted, and where the line for that starts.
    pub(crate) deleted_at: Option<u64>,
    /// Whether it was deleted is not certain.
    pub(crate) may_not_be_deleted: bool,
    /// The line that wrote its identity last.
    pub(crate) identity: Option<DeviceLine<'l>>,
    /// Whether one of the lines that wrote it did so is not certain.
    pub(crate) may_not_be_written: bool,
    /// Those that wrote it before: that lines apply in order, and that none of them failed, is not certain.
    pub(crate) identities: Vec<DeviceLine<'l>>,
    /// What was written to its twin last, by [`Section`].
    pub(crate) sections: [Option<&'l [u8]>; 3],
    /// Whether anything that was written there is another value than the backup's.
    pub(crate) changed: [bool; 3],
    /// A name by which it is not known what a line says, and where in the file that stands: what became of it all is not known.
    pub(crate) ambiguous: Option<(u64, Ambiguity)>,
    /// Lines that failed.
    pub(crate) failed: u64,
    /// Where the ETags stand for which a twin was refused: whether these lines wrote the identity is not known (§2).
    pub(crate) failed_partly: Vec<u64>,
    /// Why it is not certain that the import made it.
    pub(crate) doubt: Option<Doubt>,
    /// It was made by a mode that would have overwritten one that was there.
    pub(crate) may_have_overwritten: bool,
}

const EMPTY: &[u8] = b"{}";

impl<'l> Fate<'l> {
    /// Before the first line.
    pub(crate) fn start(exists: bool) -> Self {
        Self {
            exists,
            deleted_at: None,
            may_not_be_deleted: false,
            identity: None,
            may_not_be_written: false,
            identities: Vec::new(),
            sections: [None; 3],
            changed: [false; 3],
            ambiguous: None,
            failed: 0,
            failed_partly: Vec::new(),
            doubt: None,
            may_have_overwritten: false,
        }
    }

    /// Whether anything was done to it.
    pub(crate) fn is_touched(&self) -> bool {
        self.ambiguous.is_some() || self.deleted_at.is_some() || self.identity.is_some() || self.sections != [None; 3]
    }

    /// After these lines. `before` is the line of the backup.
    pub(crate) fn after(mut self, lines: &[ImportLine<'l>], before: Option<&DeviceLine<'_>>) -> Self {
        for line in lines {
            self.take(line, before);
        }
        self
    }

    fn take(&mut self, import: &ImportLine<'l>, before: Option<&DeviceLine<'_>>) {
        let line = &import.line;
        let Some(mode) = mode(line) else {
            // The hub can't read it either (§1.5).
            self.failed += 1;
            return;
        };
        let writes_identity = mode.writes_identity();
        let may_be_in_part =
            import.failed == Failed::ByETag && writes_identity && line.etag(Member::TwinETag).is_some();
        let failed = matches!(import.failed, Failed::Yes | Failed::ByETag) && !may_be_in_part;
        let ambiguity = if failed { None } else { line.ambiguity() };
        if let Some(ambiguity) = ambiguity {
            self.ambiguous.get_or_insert_with(|| (import.start + line.place_of_name(ambiguity), ambiguity));
            return;
        }
        // The hub can't read it, as above.
        if failed || unreadable(line).is_some() || self.fails(mode, line, before) {
            self.failed += 1;
            return;
        }
        let twin_etag = || import.start + line.place_of_value(Member::TwinETag.name());
        self.failed_partly.extend(may_be_in_part.then(twin_etag));
        if mode.is_delete() {
            // An ETag can only be compared while nothing was written.
            self.may_not_be_deleted = import.failed == Failed::Maybe || (mode.is_if_match() && self.is_touched());
            (self.exists, self.deleted_at) = (false, Some(import.start));
            (self.identity, self.sections, self.doubt) = (None, [None; 3], None);
            self.identities.clear();
            self.changed = [false; 3];
            return;
        }
        let is_certain = import.failed == Failed::No
            && line.etag(Member::TwinETag).is_none()
            && !(mode.is_if_match() && self.exists && self.there(Member::ETag, before).is_none());
        // The twin is what was refused.
        for section in Section::ALL.into_iter().filter(|_| !may_be_in_part) {
            if let Some(value) = line.section(section) {
                self.write(section, value, before);
            }
        }
        if mode.is_update_twin() {
            return;
        }
        self.may_not_be_written |= !is_certain;
        self.identities.extend(self.identity.replace(*line));
        if !self.exists {
            self.exists = true;
            if !may_be_in_part {
                // What is new has nothing in its twin but what the line says.
                Section::ALL
                    .iter()
                    .for_each(|section| self.write(*section, line.section(*section).unwrap_or(EMPTY), before));
            }
            self.may_have_overwritten = mode != ImportMode::Create;
            let has_etag = line.etag(Member::ETag).is_some();
            let odd = line.etag(Member::TwinETag).is_some()
                || (mode == ImportMode::Create && has_etag)
                || (mode == ImportMode::CreateOrUpdateIfMatchETag && !has_etag);
            self.doubt = match import.failed {
                Failed::Maybe => Some(Doubt::Log),
                _ => odd.then_some(Doubt::ETag),
            };
        }
    }

    /// The ETag that is there, where that is known: what was written has another one.
    fn there<'b>(&self, member: Member, before: Option<&DeviceLine<'b>>) -> Option<Cow<'b, [u8]>> {
        before.filter(|_| !self.is_touched()).and_then(|before| before.etag(member))
    }

    fn write(&mut self, section: Section, value: &'l [u8], before: Option<&DeviceLine<'_>>) {
        self.sections[section as usize] = Some(value);
        let there = before.and_then(|before| before.section(section));
        self.changed[section as usize] |= !section.same(Some(value), there);
    }

    /// Whether the line certainly fails, by what is there (§2).
    fn fails(&self, mode: ImportMode, line: &DeviceLine<'_>, before: Option<&DeviceLine<'_>>) -> bool {
        if line.module_id().as_deref().is_some_and(is_system_module) && !mode.is_update_twin() {
            return true;
        }
        if !self.exists {
            return !matches!(
                mode,
                ImportMode::Create | ImportMode::CreateOrUpdate | ImportMode::CreateOrUpdateIfMatchETag
            );
        }
        let member = match mode {
            ImportMode::Create => return true,
            ImportMode::UpdateTwinIfMatchETag => Member::TwinETag,
            mode if mode.is_if_match() => Member::ETag,
            _ => return false,
        };
        let Some(wanted) = line.etag(member) else { return true };
        self.there(member, before).is_some_and(|there| there != wanted && *wanted != *b"*")
    }
}

/// The mode of a line; `None` where it can't be read.
pub(crate) fn mode(line: &DeviceLine<'_>) -> Option<ImportMode> {
    match line.raw(Member::ImportMode) {
        None => Some(ImportMode::default()),
        Some(raw) => match string_text(raw) {
            Some(text) => ImportMode::from_text(&text),
            None => ImportMode::from_text(raw),
        },
    }
}
