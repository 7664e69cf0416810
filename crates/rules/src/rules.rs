//! A rule set made ready: checked, texts written out, what has to be looked at worked out.

use hubmill_device::{Code, ImportMode, Member, MemberSet, Status};
use serde_json::json;

use crate::edit::{Changes, TextRange};
use crate::ids::IdList;
use crate::key_source::KeySource;
use crate::layout::Layouts;
use crate::migrate::Migrate;
use crate::names::Strictness;
use crate::options::{Check, Conflict, KeyRule, Keyless, Preset, RuleSet, StatusReason};
use crate::patch::{Buffers, Patch};
use crate::query::{Condition, Places};
use crate::scratch::Scratch;

/// A value that is set, with its text as a value and as a member at the end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SetTo {
    pub(crate) value: TextRange,
    pub(crate) member: TextRange,
}

/// Texts that are the same for every line.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    pub(crate) null: TextRange,
}

impl Texts {
    fn new() -> Self {
        let mut texts = Self::default();
        texts.null = texts.add("null");
        texts
    }

    fn add(&mut self, text: &str) -> TextRange {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(text.as_bytes());
        TextRange::new(start, self.bytes.len())
    }

    fn set(&mut self, member: Member, value: &str) -> SetTo {
        let (value, member) = self.add_member(&format!("\"{}\"", member.name()), value);
        SetTo { value, member }
    }

    /// Adds a value as a member at the end; where the value stands in it, and where all of it.
    pub(crate) fn add_member(&mut self, quoted_name: &str, value: &str) -> (TextRange, TextRange) {
        let member = self.add(&format!(",{quoted_name}:{value}"));
        (TextRange { start: member.end - value.len() as u32, end: member.end }, member)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The members of all wishes that are asked for.
fn union(wishes: &[(bool, &[Member])]) -> MemberSet {
    wishes.iter().filter(|(asked, _)| *asked).fold(MemberSet::EMPTY, |set, (_, members)| set | MemberSet::of(members))
}

/// Room after the texts that never change, so that copies of them can be wide.
const PADDING: [u8; 64] = [0; 64];

/// Rules that are ready to be applied, by any number of threads.
#[derive(Debug)]
pub struct Rules {
    pub(crate) condition: Option<Condition>,
    pub(crate) ids: Option<IdList>,
    pub(crate) ids_not: Option<IdList>,
    pub(crate) devices_only: bool,
    pub(crate) modules_only: bool,
    pub(crate) drop_system_modules: bool,
    pub(crate) import_mode: Option<(ImportMode, SetTo)>,
    pub(crate) status: Option<SetTo>,
    pub(crate) status_reason: Option<SetTo>,
    pub(crate) strip_keys: bool,
    pub(crate) strip_authentication: bool,
    pub(crate) key_rule: Option<KeyRule>,
    pub(crate) keyless: Keyless,
    pub(crate) key_bytes: usize,
    pub(crate) minimal: bool,
    pub(crate) strip_etags: bool,
    /// Members that go from every line.
    pub(crate) removed: MemberSet,
    pub(crate) strip_metadata: bool,
    pub(crate) migrate: Option<Migrate>,
    /// `--merge-twin`, `--set`, `--unset`.
    pub(crate) patch: Patch,
    /// The patch does what `--strip-metadata` asks for, too.
    pub(crate) trims_metadata_by_patch: bool,
    /// The mode that the patch sets.
    pub(crate) patched_mode: Option<ImportMode>,
    pub(crate) check: Check,
    pub(crate) strictness: Strictness,
    /// Some rule goes by the mode of the line.
    pub(crate) needs_mode: bool,
    /// Some rule leaves lines out.
    pub(crate) selects: bool,
    /// Some rule changes lines.
    pub(crate) edits: bool,
    /// Keys or status are changed, and the twin stays in the line.
    pub(crate) may_roll_twins_back: bool,
    pub(crate) texts: Texts,
}

impl Rules {
    /// Makes a rule set ready.
    ///
    /// # Errors
    /// Where two wishes contradict each other.
    pub fn new(set: RuleSet) -> Result<Self, Conflict> {
        set.check_conflicts()?;
        let migrate = set.preset == Some(Preset::Migrate);
        let delete = set.preset == Some(Preset::Delete);
        let share = set.preset == Some(Preset::Share);
        let preset_mode = if migrate { Some(ImportMode::Create) } else { delete.then_some(ImportMode::Delete) };
        let mut texts = Texts::new();
        let import_mode = set
            .import_mode
            .or(preset_mode)
            .map(|mode| (mode, texts.set(Member::ImportMode, &format!("\"{}\"", mode.as_str()))));
        let status = set.status.map(|status: Status| texts.set(Member::Status, &format!("\"{}\"", status.as_str())));
        let (status_reason, remove_reason) = match &set.status_reason {
            Some(StatusReason::Set(text)) => (Some(texts.set(Member::StatusReason, &json!(text).to_string())), false),
            Some(StatusReason::Remove) => (None, true),
            None => (None, false),
        };
        let key_rule = match set.regenerate_keys {
            Some(slots) => Some(KeyRule::Regenerate(slots)),
            None if set.promote_secondary => Some(KeyRule::PromoteSecondary),
            None => set.swap_keys.then_some(KeyRule::Swap),
        };
        let strip_etags = set.strip_etags || migrate;
        let strip_twin = set.strip_twin || share;
        let minimal = set.minimal || delete;
        let removed = union(&[
            (strip_etags, &[Member::ETag, Member::TwinETag]),
            (strip_twin, &[Member::TwinETag, Member::Tags, Member::Properties]),
            (remove_reason, &[Member::StatusReason]),
        ]);
        let strip_authentication = set.strip_authentication || share;
        let trims_metadata_by_patch = set.strip_metadata && set.deep.edits_properties();
        let mut patch = set.deep.compose(trims_metadata_by_patch).map_err(|fault| Conflict::of_edits(&fault))?;
        patch.write_texts(&mut texts);
        let devices_only = set.devices_only || delete;
        let drop_system_modules = set.drop_system_modules || migrate || share;
        let changes_keys_or_status = key_rule.is_some()
            || set.strip_keys
            || strip_authentication
            || status.is_some()
            || set.status_reason.is_some();

        let keys_and_status = MemberSet::of(&[Member::Authentication, Member::Status, Member::StatusReason]);
        let patches_keys_or_status = set.deep.flag_for(keys_and_status).is_some();

        let mut exact_for_edits = patch.members().fold(removed, |set, member| set | MemberSet::of(&[member]))
            | union(&[
                (import_mode.is_some() || key_rule.is_some(), &[Member::ImportMode]),
                (status.is_some(), &[Member::Status]),
                (status_reason.is_some(), &[Member::StatusReason]),
                (set.strip_keys || strip_authentication, &[Member::Authentication]),
                (key_rule.is_some(), &[Member::Authentication, Member::ModuleId]),
                (set.strip_metadata, &[Member::Properties]),
                (migrate, &[Member::Capabilities, Member::DeviceScope, Member::Authentication]),
            ]);
        if minimal {
            // Where the id is checked, a case variant of it is found there.
            let all_but_id = MemberSet::of(&[Member::Id]).complement();
            exact_for_edits = exact_for_edits | if set.check == Check::Id { all_but_id } else { MemberSet::ALL };
        }
        let by_kind = devices_only || set.modules_only || drop_system_modules;
        let asked = set.condition.as_ref().map_or(MemberSet::EMPTY, Condition::members);
        let exact = asked | union(&[(by_kind, &[Member::ModuleId])]);
        let edits = import_mode.is_some()
            || changes_keys_or_status
            || minimal
            || !removed.is_empty()
            || set.strip_metadata
            || migrate
            || !patch.is_empty();
        let selects = by_kind || set.ids.is_some() || set.ids_not.is_some() || set.condition.is_some();
        Ok(Self {
            key_bytes: set.key_bytes(),
            devices_only,
            modules_only: set.modules_only,
            drop_system_modules,
            import_mode,
            status,
            status_reason,
            strip_keys: set.strip_keys,
            strip_authentication,
            key_rule,
            keyless: set.keyless.unwrap_or_default(),
            minimal,
            strip_etags,
            removed,
            strip_metadata: set.strip_metadata && !trims_metadata_by_patch,
            trims_metadata_by_patch,
            patched_mode: patch.mode(),
            patch,
            condition: set.condition,
            check: set.check,
            strictness: Strictness { unique: edits || selects || set.check == Check::Id, exact, exact_for_edits },
            needs_mode: key_rule.is_some() || minimal,
            selects,
            edits,
            may_roll_twins_back: (changes_keys_or_status || patches_keys_or_status) && !strip_twin,
            migrate: migrate.then(|| Migrate {
                scope_map: set.scope_map,
                allow_device_scope: set.allow.contains(&Code::DeviceScope),
                allow_keys_by_hub: set.allow.contains(&Code::KeysByHub),
            }),
            ids: set.ids,
            ids_not: set.ids_not,
            texts,
        })
    }

    /// Whether keys are made.
    pub fn makes_keys(&self) -> bool {
        matches!(self.key_rule, Some(KeyRule::Regenerate(_) | KeyRule::PromoteSecondary))
    }

    /// Whether keys are made or moved, where a line has them.
    pub fn has_key_rule(&self) -> bool {
        self.key_rule.is_some()
    }

    /// Members of the outer object inside of which rules go by names, too: what a parser should count as a part of the form
    /// of a line, so that it is looked at once for all lines of a form.
    pub fn deep_names(&self) -> &'static [&'static str] {
        const AUTHENTICATION: &[&str] = &[Member::Authentication.name()];
        if self.strip_keys || self.key_rule.is_some() { AUTHENTICATION } else { &[] }
    }

    /// Whether status or keys are changed while twins stay in the lines.
    pub fn may_roll_twins_back(&self) -> bool {
        self.may_roll_twins_back
    }

    /// The lists of ids, each with the flag that it came by.
    pub fn id_lists(&self) -> impl Iterator<Item = (&'static str, &IdList)> {
        [("--ids", &self.ids), ("--ids-not", &self.ids_not)]
            .into_iter()
            .filter_map(|(flag, list)| list.as_ref().map(|list| (flag, list)))
    }

    /// What one thread needs.
    ///
    /// # Panics
    /// Where keys are to be made and the system has no random numbers to give.
    pub fn scratch(&self) -> Scratch {
        let mut texts = self.texts.bytes.clone();
        texts.extend_from_slice(&PADDING);
        let keys = self
            .makes_keys()
            .then(|| KeySource::after(&texts, self.key_bytes).expect("the system's random number generator works"));
        Scratch {
            layouts: Layouts::default(),
            places: Places::default(),
            patching: Buffers::default(),
            changes: Changes::default(),
            keys,
            edits: Vec::new(),
            texts,
            made_keys: Vec::new(),
            findings: Vec::new(),
            counts: Vec::new(),
            id: None,
            module_id: None,
        }
    }

    /// How many of the texts in a scratch stay from record to record.
    pub(crate) fn texts_kept(&self) -> usize {
        self.texts.bytes.len() + PADDING.len()
    }
}
