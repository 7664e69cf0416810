//! What a rehearsal comes to, in numbers.

use std::collections::BTreeMap;

use crate::outcome::{Doubt, Failure, Outcome};

/// Devices and modules of an outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pair {
    /// Devices' lines.
    pub devices: u64,
    /// Modules' lines.
    pub modules: u64,
}

impl Pair {
    /// Both.
    pub fn sum(self) -> u64 {
        self.devices + self.modules
    }

    pub(crate) fn count(&mut self, is_module: bool) {
        *if is_module { &mut self.modules } else { &mut self.devices } += 1;
    }
}

/// What people lose sleep over. Each counts devices and modules that are in the hub now, once each, unless it says something
/// else, and goes by what the export has of them, whatever earlier lines made of that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Risks {
    /// They would get new keys that only the hub knows (§2, §4).
    pub keys_by_hub: u64,
    /// They would get other keys, and neither of the old ones would work any more.
    pub keys_replaced: u64,
    /// They authenticate by a certificate, and would by symmetric keys.
    pub turn_sas: u64,
    /// How they authenticate is not in the export (§4), and an import replaces it: what that changes is not known.
    pub keyless: u64,
    /// They may connect, and could not any more.
    pub disabled: u64,
    /// A section of their twin would be replaced by the file's, which says something else, or be gone with a device that is made
    /// anew.
    pub twins_replaced: u64,
    /// Edge devices that would go.
    pub edge_deleted: u64,
    /// Devices that would stay and whose edge device would go.
    pub orphaned_children: u64,
    /// Modules that would go with their device, without a line of their own.
    pub modules_with_device: u64,
    /// New devices and modules whose keys only the hub knows.
    pub new_keys_by_hub: u64,
    /// Devices whose line may delete them: whether it does is not known. Lines of which not even the device is known count as well.
    pub maybe_deleted: u64,
}

/// What an import would come to.
///
/// Every line is in exactly one of `created`, `updated`, `twin_updated`, `deleted`, `unchanged`, `failing`, `not_known`,
/// `blank` and `notices`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Lines of the import.
    pub lines: u64,
    /// Blank lines.
    pub blank: u64,
    /// The hub's plain-text line (§1.6).
    pub notices: u64,
    /// The import starts with a byte order mark.
    pub bom: bool,
    /// Bytes of the import.
    pub bytes: u64,
    /// Made.
    pub created: Pair,
    /// Identity written, and something of it changes.
    pub updated: Pair,
    /// Only the twin changes.
    pub twin_updated: Pair,
    /// Gone.
    pub deleted: Pair,
    /// Written, and nothing changes but ETags.
    pub unchanged: Pair,
    /// Failing lines, by the number that the hub logs and what it is called.
    pub failing: BTreeMap<(Option<u32>, &'static str), u64>,
    /// Lines of which it is not known what becomes of them, by why.
    pub not_known: BTreeMap<Doubt, u64>,
    /// Lines among all of these whose outcome rests on the order of lines, or on sections of a twin being replaced and not
    /// merged (§2).
    pub assumed: u64,
    /// Those of the failing lines whose identity may be written all the same (§2).
    pub failing_partly: u64,
    /// Lines whose ids stand in an earlier line of the import. Lines that fail whatever is there are left out on either side.
    pub repeated: u64,
    /// What people lose sleep over.
    pub risks: Risks,
    /// Devices in the hub before and, as far as it is known, after.
    pub devices: (u64, u64),
    /// Modules, the same way.
    pub modules: (u64, u64),
    /// How many devices and modules more and fewer there may be after, since it is not known what becomes of some lines.
    pub uncertain: (u64, u64),
}

impl Summary {
    /// Lines that fail.
    pub fn failing_lines(&self) -> u64 {
        self.failing.values().sum()
    }

    /// Lines of which it is not known what becomes of them.
    pub fn not_known_lines(&self) -> u64 {
        self.not_known.values().sum()
    }

    pub(crate) fn count(&mut self, outcome: Outcome, is_module: bool) {
        match outcome {
            Outcome::Created => self.created.count(is_module),
            Outcome::Updated => self.updated.count(is_module),
            Outcome::TwinUpdated => self.twin_updated.count(is_module),
            Outcome::Deleted => self.deleted.count(is_module),
            Outcome::Unchanged => self.unchanged.count(is_module),
            Outcome::Fails(failure) => self.count_failure(failure),
            Outcome::NotKnown(doubt) => *self.not_known.entry(doubt).or_default() += 1,
        }
    }

    fn count_failure(&mut self, failure: Failure) {
        *self.failing.entry((failure.code(), failure.name())).or_default() += 1;
    }
}
