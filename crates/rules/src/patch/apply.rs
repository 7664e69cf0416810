//! The edits of one record.

use hubmill_device::{Code, Member, Place, same_name};
use hubmill_parser::{MemberSpan, Record};
use hubmill_writer::Edit;

use super::{Action, Entry, Otherwise, Patch};
use crate::authentication::object_or_null;
use crate::edit::{Remover, TextRange, insert, replace};
use crate::finding::{Detail, Finding};
use crate::names::{case_variant, twice, unique};
use crate::query::place_inside;
use crate::rules::Rules;
use crate::scratch::Scratch;

/// Kept from record to record.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    /// What is to be done inside of members, in any order.
    pub(super) edits: Vec<Edit>,
    /// The members of the objects that are being walked, the innermost last.
    members: Vec<MemberSpan>,
    /// For each entry of the patches that are being applied, the innermost last: which member it is about.
    found: Vec<usize>,
}

impl Buffers {
    fn clear(&mut self) {
        self.edits.clear();
        self.members.clear();
        self.found.clear();
    }
}

const ABSENT: usize = usize::MAX;

/// Where a value stands in a line, for findings.
#[derive(Clone, Copy)]
struct Way {
    /// The member of the line.
    path: &'static str,
    /// Where its value starts.
    start: u32,
}

impl Way {
    /// A finding at a place deep inside.
    fn within(self, mut finding: Finding) -> Finding {
        if finding.at != self.start {
            finding = finding.within(self.start);
        }
        Finding { path: self.path, name: None, ..finding }
    }
}

impl Rules {
    /// Notes the edits of `--merge-twin`, `--set`, `--unset`; whether the record has authentication afterwards.
    pub(crate) fn apply_patch(
        &self,
        scratch: &mut Scratch,
        record: &Record<'_>,
        authenticates: bool,
    ) -> Result<bool, Finding> {
        if self.trims_metadata_by_patch
            && let Some(properties) = scratch.layouts.names().get(record, Member::Properties)
        {
            object_or_null(record, &properties, Member::Properties.name())?;
        }
        scratch.patching.clear();
        for entry in &self.patch.entries {
            self.apply_to_line(entry, scratch, record)?;
        }
        let Scratch { patching, changes, .. } = scratch;
        changes.inside.extend_from_slice(&patching.edits);
        Ok(match self.patch.fixed(Member::Authentication) {
            Some(value) => value.is_some_and(|value| value != "null"),
            None => authenticates || self.patch.makes(Member::Authentication),
        })
    }

    /// One member of the line itself.
    fn apply_to_line(&self, entry: &Entry, scratch: &mut Scratch, record: &Record<'_>) -> Result<(), Finding> {
        let known = Member::from_name(&entry.name.text);
        let number = match known {
            Some(member) => scratch.layouts.names().number(member),
            None => record.members().iter().position(|member| same_name(&record.name(member), &entry.name.text)),
        };
        let Some((number, member)) = number.and_then(|number| Some((number, record.member(number)?))) else {
            if let Some((_, added)) = entry.texts {
                scratch.changes.appended.push(added);
            }
            return Ok(());
        };
        let way = Way { path: known.map_or("", Member::name), start: member.value.start };
        let place = self.patch.place_of(&entry.name.text);
        let Scratch { patching, changes, texts, .. } = scratch;
        if apply_action(&entry.action, entry.texts, record, &member, (place, way), texts, patching)? {
            match known {
                Some(member) => changes.removed.insert(member),
                None => changes.removed_numbers.push(number),
            }
            changes.appended.extend(entry.added_afresh());
        }
        Ok(())
    }
}

impl Entry {
    /// The member as it is added after all others, where it was removed and set again.
    fn added_afresh(&self) -> Option<TextRange> {
        let afresh = matches!(self.action, Action::Put { afresh: true, .. });
        self.texts.filter(|_| afresh).map(|(_, added)| added)
    }
}

impl Action {
    /// Whether the member goes from where it stands.
    fn goes(&self) -> bool {
        matches!(self, Self::Remove { .. } | Self::Put { afresh: true, .. })
    }

    /// Whether it goes and nothing else is asked of it: all members of the name go then, where it stands twice.
    fn takes_all(&self) -> bool {
        matches!(self, Self::Remove { before: None } | Self::Put { afresh: true, before: None, .. })
    }
}

/// Makes the edits of one member that is there; whether it goes.
fn apply_action(
    action: &Action,
    given: Option<(TextRange, TextRange)>,
    record: &Record<'_>,
    member: &MemberSpan,
    (place, way): (Option<Place>, Way),
    texts: &[u8],
    buffers: &mut Buffers,
) -> Result<bool, Finding> {
    match action {
        Action::Remove { before } | Action::Put { afresh: true, before, .. } => {
            look_at(before.as_deref(), record, member, (place, way), texts, buffers)?;
            Ok(true)
        }
        Action::Put { before, .. } => {
            look_at(before.as_deref(), record, member, (place, way), texts, buffers)?;
            if let Some((value, _)) = given
                && record.bytes(member.value) != value.of(texts)
            {
                buffers.edits.push(replace(member.value, value));
            }
            Ok(false)
        }
        Action::Inside { patch, otherwise } => {
            let value = record.bytes(member.value);
            if value.starts_with(b"{") {
                apply_members(patch, record, member, (place, way), texts, buffers)?;
            } else if *otherwise == Otherwise::Refuse && value != b"null" {
                let detail = Detail::Type("an object or null, for something to be set inside of it");
                return Err(way.within(Finding::new(Code::MemberType, member.value.start, way.path, detail)));
            } else if let Some((value, _)) = given {
                buffers.edits.push(replace(member.value, value));
            }
            Ok(false)
        }
    }
}

/// Makes an edit that a later one takes back, only to see whether it can be made.
fn look_at(
    before: Option<&Action>,
    record: &Record<'_>,
    member: &MemberSpan,
    place: (Option<Place>, Way),
    texts: &[u8],
    buffers: &mut Buffers,
) -> Result<(), Finding> {
    let Some(before) = before else {
        return Ok(());
    };
    let edits = buffers.edits.len();
    apply_action(before, None, record, member, place, texts, buffers)?;
    buffers.edits.truncate(edits);
    Ok(())
}

/// The edits inside of a member that is an object.
pub(super) fn apply_inside(
    patch: &Patch,
    record: &Record<'_>,
    member: &MemberSpan,
    path: &'static str,
    texts: &[u8],
    buffers: &mut Buffers,
) -> Result<(), Finding> {
    let way = Way { path, start: member.value.start };
    apply_members(patch, record, member, (None, way), texts, buffers)
}

fn apply_members(
    patch: &Patch,
    record: &Record<'_>,
    object: &MemberSpan,
    (place, way): (Option<Place>, Way),
    texts: &[u8],
    buffers: &mut Buffers,
) -> Result<(), Finding> {
    let Some(members) = record.object(object) else {
        return Ok(());
    };
    let walk = Walk { first: buffers.members.len(), first_found: buffers.found.len(), patch, place, way };
    buffers.members.extend(members);
    walk.find(record, buffers)?;
    walk.change(record, texts, buffers)?;
    walk.remove_and_add(record, object, buffers);
    buffers.members.truncate(walk.first);
    buffers.found.truncate(walk.first_found);
    Ok(())
}

/// One object that is walked: its members and what was found among them are the last ones in the buffers.
struct Walk<'p> {
    first: usize,
    first_found: usize,
    patch: &'p Patch,
    place: Option<Place>,
    way: Way,
}

impl Walk<'_> {
    /// Finds the member of each entry. None may be there twice, but those of which all go.
    fn find(&self, record: &Record<'_>, buffers: &mut Buffers) -> Result<(), Finding> {
        let members = &buffers.members[self.first..];
        if let Some(place) = self.place {
            check_names(self.patch, record, members, place)?;
        }
        for entry in &self.patch.entries {
            let named = |(_, member): &(usize, &MemberSpan)| same_name(&record.name(member), &entry.name.text);
            let mut all = members.iter().enumerate().filter(named);
            let found = all.next().map_or(ABSENT, |(number, _)| number);
            if let Some((_, again)) = all.next().filter(|_| !entry.action.takes_all()) {
                return Err(self.way.within(twice(again, "")));
            }
            buffers.found.push(found);
        }
        Ok(())
    }

    /// Changes those that are there.
    fn change(&self, record: &Record<'_>, texts: &[u8], buffers: &mut Buffers) -> Result<(), Finding> {
        for (number, entry) in self.patch.entries.iter().enumerate() {
            let found = buffers.found[self.first_found + number];
            if found != ABSENT {
                let member = buffers.members[self.first + found];
                let place = self.place.and_then(|place| place_inside(place, &entry.name.text));
                apply_action(&entry.action, entry.texts, record, &member, (place, self.way), texts, buffers)?;
            }
        }
        Ok(())
    }

    /// Takes out those that go, and adds those that are not there, after the last one.
    fn remove_and_add(&self, record: &Record<'_>, object: &MemberSpan, buffers: &mut Buffers) {
        let Buffers { edits, members, found } = buffers;
        let (members, found) = (&members[self.first..], &found[self.first_found..]);
        let goes = |number: usize, member: &MemberSpan| {
            self.patch.entries.iter().zip(found).any(|(entry, found)| {
                let again = || entry.action.takes_all() && same_name(&record.name(member), &entry.name.text);
                entry.action.goes() && (*found == number || again())
            })
        };
        let mut kept = members.iter().enumerate().any(|(number, member)| !goes(number, member));
        // Where none stays, what is added stands first: before what is left of the white space.
        let end = members.last().filter(|_| kept).map_or(object.value.start + 1, |last| last.value.end);
        for (entry, found) in self.patch.entries.iter().zip(found) {
            let added = if *found == ABSENT { entry.texts.map(|(_, added)| added) } else { entry.added_afresh() };
            if let Some(added) = added {
                edits.push(insert(end, TextRange { start: added.start + u32::from(!kept), end: added.end }));
                kept = true;
            }
        }
        let mut remover = Remover::default();
        for (number, member) in members.iter().enumerate() {
            edits.extend(remover.next(member, members.get(number + 1), goes(number, member)));
        }
    }
}

/// In an object whose names the hub knows no name may stand twice, and none that is edited in another case.
fn check_names(patch: &Patch, record: &Record<'_>, members: &[MemberSpan], place: Place) -> Result<(), Finding> {
    unique(record, members.iter(), place.path())?;
    for member in members {
        let name = record.name(member);
        let variant = place.names().iter().find(|known| {
            name.eq_ignore_ascii_case(known.as_bytes())
                && name.as_ref() != known.as_bytes()
                && patch.entry(known.as_bytes()).is_some()
        });
        if let Some(exact) = variant {
            return Err(case_variant(member, place.path(), exact));
        }
    }
    Ok(())
}
