//! Where the values are that a condition reads: worked out once for all lines of a form.

use hubmill_device::{Place, same_name};
use hubmill_parser::{MemberSpan, MemberTokens, Record, Span};

use super::names::LinePath;
use super::place_inside;
use crate::authentication::pick;
use crate::finding::Finding;
use crate::names::Names;

/// Forms that are remembered; one more takes the place of another.
const KEPT: usize = 256;

/// Where a path leads in the lines of a form.
#[derive(Clone, Copy, Debug)]
enum Found {
    NotLookedFor,
    NotThere,
    At(MemberTokens),
}

#[derive(Debug, Default)]
struct OfForm {
    form: u64,
    /// By path.
    found: Vec<Found>,
}

/// What was found out about the forms that were met. Reused from record to record.
#[derive(Debug, Default)]
pub(crate) struct Places {
    all: Vec<OfForm>,
}

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
        match (path.member, path.names.len()) {
            (Some(member), 1) => Ok(names.value(record, member)),
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
        if let Some(form) = record.form() {
            match self.of_form(form.number()).found.get(number) {
                Some(Found::NotThere) => return Ok(None),
                Some(Found::At(tokens)) => return Ok(Some(record.value_at(*tokens))),
                Some(Found::NotLookedFor) | None => {}
            }
        }
        let top = match path.member {
            Some(member) => names.get(record, member),
            None => last_named(record.members().iter().copied(), &path.names[0], record),
        };
        let mut member = top;
        let mut place = Some(Place::Line);
        for pair in path.names.windows(2) {
            let Some(outer) = member else { break };
            place = place.and_then(|place| place_inside(place, &pair[0]));
            member = member_of(record, &outer, &pair[1], place)?;
        }
        self.keep(number, path, record, top, member);
        Ok(member.map(|member| member.value))
    }

    fn of_form(&mut self, form: u64) -> &mut OfForm {
        if self.all.is_empty() {
            self.all.resize_with(KEPT, OfForm::default);
        }
        let kept = &mut self.all[form as usize % KEPT];
        if kept.form != form {
            kept.form = form;
            kept.found.clear();
        }
        kept
    }

    /// Remembers what follows from the form of the line alone.
    fn keep(
        &mut self,
        number: usize,
        path: &LinePath,
        record: &Record<'_>,
        top: Option<MemberSpan>,
        member: Option<MemberSpan>,
    ) {
        let Some(form) = record.form() else { return };
        let covered = top.is_none_or(|top| path.names.len() == 1 || record.form_covers(&top));
        let found = match member {
            _ if !covered => return,
            None => Found::NotThere,
            Some(member) => match record.tokens(&member) {
                Some(tokens) => Found::At(tokens),
                None => return,
            },
        };
        let kept = &mut self.of_form(form.number()).found;
        if kept.len() <= number {
            kept.resize(number + 1, Found::NotLookedFor);
        }
        kept[number] = found;
    }
}

/// The last of the members with this name: the one that counts (§1.5).
fn last_named(members: impl Iterator<Item = MemberSpan>, name: &[u8], record: &Record<'_>) -> Option<MemberSpan> {
    members.filter(|member| same_name(&record.name(member), name)).last()
}

/// The member of this name in a value that may be an object. In an object whose names the hub knows no name may stand twice,
/// and the wanted one not in another case.
fn member_of(
    record: &Record<'_>,
    outer: &MemberSpan,
    name: &[u8],
    place: Option<Place>,
) -> Result<Option<MemberSpan>, Finding> {
    let Some(members) = record.object(outer) else {
        return Ok(None);
    };
    let Some(place) = place else {
        return Ok(last_named(members, name, record));
    };
    let wanted: Option<&'static str> = place.names().iter().copied().find(|known| known.as_bytes() == name);
    let mut found = [None; 1];
    pick(record, members, wanted.as_slice(), place.path(), &mut found[..wanted.as_slice().len()])?;
    match wanted {
        Some(_) => Ok(found[0]),
        None => Ok(record.object(outer).and_then(|members| last_named(members, name, record))),
    }
}
