//! `--merge-twin`, `--set`, `--set-text`, `--unset`: edits of any member, at any depth.
//!
//! What is asked for is the same for every line, so the edits are put together once, as if they were made one after the other:
//! a tree of names that says what becomes of each. A line then needs one walk of the objects that the tree names, over the
//! record's spans; everything else stays as it is.

mod apply;
mod ask;
mod compose;
mod inside;

use hubmill_device::{ImportMode, Member, Place};

use crate::edit::TextRange;
use crate::query::place_inside;
use crate::rules::Texts;

pub(crate) use apply::Buffers;
pub use ask::{DeepEdits, EditFault};

/// What becomes of the members of an object.
#[derive(Clone, Debug, Default)]
pub(crate) struct Patch {
    /// In the order in which those that are not there are added.
    entries: Vec<Entry>,
    /// What the object is, where the hub knows its names.
    place: Option<Place>,
}

/// The name of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Name {
    /// Decoded.
    text: Vec<u8>,
    /// As it is written, quotes and all.
    quoted: String,
}

/// What becomes of one member.
#[derive(Clone, Debug)]
struct Entry {
    name: Name,
    action: Action,
    /// The value that the action gives it, and the same as `,"name":value`, where it gives it one.
    texts: Option<(TextRange, TextRange)>,
}

#[derive(Clone, Debug)]
enum Action {
    /// It goes.
    Remove { before: Option<Box<Action>> },
    /// It gets this value; where it stands, or `afresh` as the last member.
    Put { value: String, afresh: bool, before: Option<Box<Action>> },
    /// Its members change.
    Inside { patch: Patch, otherwise: Otherwise },
}

/// What becomes of a value whose members should change and that is no object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Otherwise {
    /// Nothing: there is nothing to remove.
    Leave,
    /// An object is made where null or nothing is; anything else makes the line invalid.
    Refuse,
    /// An object takes its place (RFC 7396).
    Replace,
}

impl Patch {
    fn of_line() -> Self {
        Self { entries: Vec::new(), place: Some(Place::Line) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn entry(&self, name: &[u8]) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.name.text == name)
    }

    fn action(&self, member: Member) -> Option<&Action> {
        self.entry(member.name().as_bytes()).map(|entry| &entry.action)
    }

    /// Whether the member of the line is touched at all.
    pub(crate) fn touches(&self, member: Member) -> bool {
        self.action(member).is_some()
    }

    /// Whether the member gets one value for all lines: the text of it; `Some(None)` where it goes.
    pub(crate) fn fixed(&self, member: Member) -> Option<Option<&str>> {
        match self.action(member)? {
            Action::Remove { .. } => Some(None),
            Action::Put { value, .. } => Some(Some(value)),
            Action::Inside { .. } => None,
        }
    }

    /// Whether the member is an object after the edit, where it was missing or null before.
    pub(crate) fn makes(&self, member: Member) -> bool {
        matches!(self.action(member), Some(Action::Inside { otherwise: Otherwise::Refuse | Otherwise::Replace, .. }))
    }

    /// Whether every line gets an id.
    pub(crate) fn sets_id(&self) -> bool {
        self.touches(Member::Id)
    }

    /// Whether the status is there after the edit; `None` where the edit leaves it as it is.
    pub(crate) fn has_status(&self) -> Option<bool> {
        self.fixed(Member::Status).map(|value| value.is_some())
    }

    /// The mode that every line has after the edit, where it sets one.
    pub(crate) fn mode(&self) -> Option<ImportMode> {
        match self.fixed(Member::ImportMode)? {
            None => Some(ImportMode::default()),
            Some(text) => ImportMode::from_text(text.trim_matches('"').as_bytes()),
        }
    }

    /// The members of the line that are touched.
    pub(crate) fn members(&self) -> impl Iterator<Item = Member> {
        self.entries.iter().filter_map(|entry| Member::from_name(&entry.name.text))
    }

    /// Writes out all texts that lines are given.
    pub(crate) fn write_texts(&mut self, texts: &mut Texts) {
        for entry in &mut self.entries {
            let value = match &entry.action {
                Action::Remove { .. } => None,
                Action::Put { value, .. } => Some(value.clone()),
                Action::Inside { otherwise: Otherwise::Leave, .. } => None,
                Action::Inside { patch, .. } => Some(patch.made()),
            };
            entry.texts = value.map(|value| texts.add_member(&entry.name.quoted, &value));
            match &mut entry.action {
                Action::Inside { patch, .. } => patch.write_texts(texts),
                Action::Remove { .. } | Action::Put { .. } => {}
            }
        }
    }

    /// What the edit makes of an empty object.
    fn made(&self) -> String {
        let members = self.entries.iter().filter_map(|entry| {
            let value = match &entry.action {
                Action::Remove { .. } | Action::Inside { otherwise: Otherwise::Leave, .. } => return None,
                Action::Put { value, .. } => value.clone(),
                Action::Inside { patch, .. } => patch.made(),
            };
            Some(format!("{}:{value}", entry.name.quoted))
        });
        format!("{{{}}}", members.collect::<Vec<_>>().join(","))
    }

    /// How deep the values are that are put in; the object itself is 1.
    pub(crate) fn depth(&self) -> usize {
        let inner = self.entries.iter().map(|entry| match &entry.action {
            Action::Remove { .. } => 0,
            Action::Put { value, .. } => depth_of(value),
            Action::Inside { otherwise: Otherwise::Leave, .. } => 0,
            Action::Inside { patch, .. } => patch.depth(),
        });
        1 + inner.max().unwrap_or(0)
    }

    fn place_of(&self, name: &[u8]) -> Option<Place> {
        self.place.and_then(|place| place_inside(place, name))
    }
}

/// How deep a valid value nests.
fn depth_of(value: &str) -> usize {
    let (mut depth, mut most, mut in_text, mut escaped) = (0usize, 0, false, false);
    for byte in value.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => {
                depth += 1;
                most = most.max(depth);
            }
            b'}' | b']' if !in_text => depth -= 1,
            _ => {}
        }
    }
    most
}
