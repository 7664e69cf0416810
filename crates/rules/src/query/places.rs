//! Where the values are that a condition reads.
//!
//! In all lines of a form the same tokens are the members of the same objects, so these are walked once for a form. Their
//! names are compared on each line: names inside of a twin differ from device to device, and are no part of a form.

use hubmill_device::{Place, same_name};
use hubmill_parser::{ByForm, MemberSpan, MemberTokens, Record, Span};

use super::names::LinePath;
use super::place_inside;
use crate::authentication::pick;
use crate::finding::Finding;
use crate::names::Names;

/// Members that are remembered of a form; in lines with more the objects are walked again.
const MEMBERS_MAX: usize = 256;

/// What is known of the value of a member.
#[derive(Clone, Copy, Debug)]
enum Inner {
    NotLookedAt,
    /// It is no object, or not there.
    NoObject,
    /// The number of its object.
    Object(u32),
}

/// A member of an object in the lines of a form.
#[derive(Clone, Copy, Debug)]
struct Known {
    tokens: MemberTokens,
    inner: Inner,
}

/// What was found out about a form.
#[derive(Debug, Default)]
struct OfForm {
    /// By path: its first member.
    first: Vec<Inner>,
    /// By object: the range of its members.
    objects: Vec<(u32, u32)>,
    members: Vec<Known>,
}

/// What was found out about the forms that were met. Reused from record to record.
#[derive(Debug, Default)]
pub(crate) struct Places(ByForm<OfForm>);

impl Places {
    /// The value that a path leads to; `None` where there is none.
    #[inline]
    pub(super) fn value(
        &mut self,
        number: usize,
        path: &LinePath,
        names: &Names,
        record: &Record<'_>,
    ) -> Result<Option<Span>, Finding> {
        match path.member {
            Some(member) if path.names.len() == 1 => Ok(names.value(record, member)),
            _ => self.inner_value(number, path, names, record),
        }
    }

    fn inner_value(
        &mut self,
        number: usize,
        path: &LinePath,
        names: &Names,
        record: &Record<'_>,
    ) -> Result<Option<Span>, Finding> {
        let first = || match path.member {
            Some(member) => names.get(record, member),
            None => last_named(record.members().iter().copied(), &path.names[0], record),
        };
        if path.names.len() == 1 {
            return Ok(first().map(|member| member.value));
        }
        let Some(form) = record.form() else {
            return walked(path, record, first());
        };
        let kept = self.0.get_or_default(form);
        if kept.first.len() <= number {
            kept.first.resize(number + 1, Inner::NotLookedAt);
        }
        if let Inner::NotLookedAt = kept.first[number] {
            let Some(inner) = kept.look_into(record, first()) else {
                return walked(path, record, first());
            };
            kept.first[number] = inner;
        }
        let mut inner = kept.first[number];
        let mut place = Some(Place::Line);
        for (depth, pair) in path.names.windows(2).enumerate() {
            let Inner::Object(object) = inner else {
                return Ok(None);
            };
            place = place.and_then(|place| place_inside(place, &pair[0]));
            let Some(member) = kept.find(object, &pair[1], place, record)? else {
                return Ok(None);
            };
            let tokens = kept.members[member].tokens;
            if depth + 2 == path.names.len() {
                return Ok(Some(record.value_at(tokens)));
            }
            if let Inner::NotLookedAt = kept.members[member].inner {
                let Some(found) = kept.look_into(record, Some(record.at(tokens))) else {
                    return walked(path, record, first());
                };
                kept.members[member].inner = found;
            }
            inner = kept.members[member].inner;
        }
        Ok(None)
    }
}

impl OfForm {
    /// Remembers the members of a value; `None` where there are too many.
    #[cold]
    fn look_into(&mut self, record: &Record<'_>, member: Option<MemberSpan>) -> Option<Inner> {
        let Some(members) = member.and_then(|member| record.object(&member)) else {
            return Some(Inner::NoObject);
        };
        let start = self.members.len();
        for member in members {
            match record.tokens(&member).filter(|_| self.members.len() < MEMBERS_MAX) {
                Some(tokens) => self.members.push(Known { tokens, inner: Inner::NotLookedAt }),
                None => {
                    self.members.truncate(start);
                    return None;
                }
            }
        }
        self.objects.push((start as u32, self.members.len() as u32));
        Some(Inner::Object(self.objects.len() as u32 - 1))
    }

    /// The member of this name in an object; see [`check`].
    #[inline]
    fn find(
        &self,
        object: u32,
        name: &[u8],
        place: Option<Place>,
        record: &Record<'_>,
    ) -> Result<Option<usize>, Finding> {
        let (start, end) = self.objects[object as usize];
        let members = &self.members[start as usize..end as usize];
        if let Some(place) = place {
            check(record, members.iter().map(|known| record.at(known.tokens)), name, place)?;
        }
        let found = members.iter().rposition(|known| same_name(&record.name(&record.at(known.tokens)), name));
        Ok(found.map(|number| start as usize + number))
    }
}

/// The value that a path leads to, from its first member on, in a line of no known form.
fn walked(path: &LinePath, record: &Record<'_>, first: Option<MemberSpan>) -> Result<Option<Span>, Finding> {
    let mut member = first;
    let mut place = Some(Place::Line);
    for pair in path.names.windows(2) {
        let Some(outer) = member else { break };
        let Some(members) = record.object(&outer) else {
            return Ok(None);
        };
        place = place.and_then(|place| place_inside(place, &pair[0]));
        if let Some(place) = place {
            check(record, members, &pair[1], place)?;
        }
        member = record.object(&outer).and_then(|members| last_named(members, &pair[1], record));
    }
    Ok(member.map(|member| member.value))
}

/// The last of the members with this name: the one that counts (§1.5).
fn last_named(members: impl Iterator<Item = MemberSpan>, name: &[u8], record: &Record<'_>) -> Option<MemberSpan> {
    members.filter(|member| same_name(&record.name(member), name)).last()
}

/// In an object whose names the hub knows no name may stand twice, and the wanted one not in another case.
fn check(
    record: &Record<'_>,
    members: impl Iterator<Item = MemberSpan>,
    name: &[u8],
    place: Place,
) -> Result<(), Finding> {
    let wanted: Option<&'static str> = place.names().iter().copied().find(|known| known.as_bytes() == name);
    let mut found = [None; 1];
    let wanted = wanted.as_slice();
    pick(record, members, wanted, place.path(), &mut found[..wanted.len()]).map(drop)
}
