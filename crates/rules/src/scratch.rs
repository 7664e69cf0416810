//! What one thread needs to apply rules, and what applying them leaves behind.

use hubmill_device::Code;
use hubmill_parser::Span;
use hubmill_writer::Edit;

use crate::edit::Changes;
use crate::finding::Finding;
use crate::key_source::KeySource;
use crate::keys::MadeKey;
use crate::layout::Layouts;
use crate::patch::Buffers;
use crate::query::Places;

/// Buffers for one thread. What is in them is about the record that rules were applied to last.
#[derive(Debug)]
pub struct Scratch {
    pub(crate) layouts: Layouts,
    pub(crate) places: Places,
    pub(crate) changes: Changes,
    pub(crate) patching: Buffers,
    pub(crate) keys: Option<KeySource>,
    pub(crate) edits: Vec<Edit>,
    /// Texts that never change come first.
    pub(crate) texts: Vec<u8>,
    pub(crate) made_keys: Vec<MadeKey>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) counts: Vec<Code>,
    pub(crate) id: Option<Span>,
    pub(crate) module_id: Option<Span>,
}

impl Scratch {
    /// The edits, in order; spans are from the start of the chunk.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// The buffer of texts that edits and keys point into.
    pub fn texts(&self) -> &[u8] {
        &self.texts
    }

    /// The keys that were made.
    pub fn made_keys(&self) -> &[MadeKey] {
        &self.made_keys
    }

    /// What was found.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What is counted and no finding of its own.
    pub fn counts(&self) -> &[Code] {
        &self.counts
    }

    /// The value of `id`, as it stands in the line.
    pub fn id(&self) -> Option<Span> {
        self.id
    }

    /// The value of `moduleId`, as it stands in the line.
    pub fn module_id(&self) -> Option<Span> {
        self.module_id
    }
}
