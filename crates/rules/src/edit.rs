//! From what should change to edits in the order of the line.

use hubmill_device::{Member, MemberSet};
use hubmill_parser::{MemberSpan, Record, Span};
use hubmill_writer::Edit;

use crate::names::Names;

/// A range of the buffer of texts.
pub(crate) type TextRange = Span;

/// Text that takes the place of a span.
pub(crate) fn replace(span: Span, text: TextRange) -> Edit {
    Edit { start: span.start, end: span.end, text_start: text.start, text_end: text.end }
}

/// Text put in before the byte at `at`.
pub(crate) fn insert(at: u32, text: TextRange) -> Edit {
    replace(Span { start: at, end: at }, text)
}

/// A span that goes.
pub(crate) fn remove(start: u32, end: u32) -> Edit {
    replace(Span { start, end }, TextRange::default())
}

/// What should change in a record. Reused from record to record.
#[derive(Debug, Default)]
pub(crate) struct Changes {
    /// Known members that go.
    pub(crate) removed: MemberSet,
    /// Members go whose names the hub does not know.
    pub(crate) unknown_removed: bool,
    /// Edits inside of members, in any order; those of removed members do not count.
    pub(crate) inside: Vec<Edit>,
    /// Members added at the end, each as `,"name":value`; those that also go are not added.
    pub(crate) added: Vec<(Member, TextRange)>,
    /// Members that go by their number: those whose names the hub does not know.
    pub(crate) removed_numbers: Vec<usize>,
    /// Members added after these, whatever goes.
    pub(crate) appended: Vec<TextRange>,
}

impl Changes {
    pub(crate) fn clear(&mut self) {
        self.removed = MemberSet::EMPTY;
        self.unknown_removed = false;
        self.inside.clear();
        self.added.clear();
        self.removed_numbers.clear();
        self.appended.clear();
    }

    /// Appends the edits to `edits`, in the order of the line.
    pub(crate) fn emit(&mut self, record: &Record<'_>, names: &Names, edits: &mut Vec<Edit>) {
        if self.inside.len() > 1 {
            self.inside.sort_by_key(|edit| edit.start);
        }
        let mut kept = record.member_count() > 0;
        if self.removed.is_empty() && !self.unknown_removed && self.removed_numbers.is_empty() {
            // One or two, as a rule: less than a call to copy memory costs.
            self.inside.iter().for_each(|edit| edits.push(*edit));
        } else {
            let members = record.members();
            let mut remover = Remover::default();
            let mut inside = self.inside.iter().peekable();
            for (number, member) in members.iter().enumerate() {
                let goes = self.goes(names.kind(number)) || self.removed_numbers.contains(&number);
                edits.extend(remover.next(member, members.get(number + 1), goes));
                while let Some(edit) = inside.next_if(|edit| edit.start < member.value.end) {
                    if !goes {
                        edits.push(*edit);
                    }
                }
            }
            kept = remover.kept;
        }
        for (member, text) in &self.added {
            if !self.removed.contains(*member) {
                edits.push(insert(end_of_members(record), after_comma(*text, kept)));
                kept = true;
            }
        }
        if !self.appended.is_empty() {
            self.emit_appended(record, kept, edits);
        }
    }

    /// Adds what comes last; where nothing else stays, in front of what goes.
    #[cold]
    fn emit_appended(&self, record: &Record<'_>, kept: bool, edits: &mut Vec<Edit>) {
        let (first, end) = if kept { (edits.len(), end_of_members(record)) } else { (0, record.open() + 1) };
        let appended = self.appended.iter().enumerate();
        edits.splice(first..first, appended.map(|(number, text)| insert(end, after_comma(*text, kept || number > 0))));
    }

    fn goes(&self, kind: Option<Member>) -> bool {
        kind.map_or(self.unknown_removed, |known| self.removed.contains(known))
    }
}

/// A member's text, which starts with a comma: with it or without.
fn after_comma(text: TextRange, comma: bool) -> TextRange {
    TextRange { start: text.start + u32::from(!comma), end: text.end }
}

/// Where a member can be added: directly after the last member's value.
fn end_of_members(record: &Record<'_>) -> u32 {
    let last = record.member_count().checked_sub(1).and_then(|number| record.member(number));
    last.map_or_else(|| record.open() + 1, |member| member.value.end)
}

/// Removes members of an object so that what stays is an object: each with its comma and the white space around it.
#[derive(Debug, Default)]
pub(crate) struct Remover {
    /// A member before this one stays.
    pub(crate) kept: bool,
    /// Where the value of the member before this one ended.
    previous_end: u32,
}

impl Remover {
    /// Takes the members one by one, each with the one after it; the edit that removes this one, if it `goes`.
    pub(crate) fn next(&mut self, member: &MemberSpan, following: Option<&MemberSpan>, goes: bool) -> Option<Edit> {
        let previous_end = std::mem::replace(&mut self.previous_end, member.value.end);
        if !goes {
            self.kept = true;
            return None;
        }
        if self.kept {
            return Some(remove(previous_end, member.value.end));
        }
        Some(remove(member.start(), following.map_or(member.value.end, MemberSpan::start)))
    }

    /// Removes those members for which `goes` says so; whether any goes.
    pub(crate) fn all(
        members: impl Iterator<Item = MemberSpan>,
        mut goes: impl FnMut(&MemberSpan) -> bool,
        edits: &mut Vec<Edit>,
    ) -> bool {
        let before = edits.len();
        let mut remover = Self::default();
        let mut members = members.peekable();
        while let Some(member) = members.next() {
            let going = goes(&member);
            edits.extend(remover.next(&member, members.peek(), going));
        }
        edits.len() > before
    }
}
