//! `--check id`: that a line has an id the hub takes (§3.1), and a status (§1.5). In the modules below: the full check.

mod authentication;
mod checker;
mod identity;
mod place;
mod plan;
mod policy;
mod quick;
mod text;
mod twin;
mod verdict;

pub use checker::{Authenticates, CheckScratch, Checker, Facts};
pub use place::path_within;
pub use policy::Policy;
pub use twin::TwinSizes;
pub use verdict::Known;

use std::borrow::Cow;

use hubmill_device::{Code, ID_CHARACTERS, ID_CHARACTERS_MAX, IdFault, Member, MemberSet, Severity, check_id};
use hubmill_parser::{AnchoredSpan, ByteSet, FixedRun, Record};

use crate::finding::{Detail, Finding};
use crate::rules::Rules;
use crate::scratch::Scratch;

impl Rules {
    /// Whether the line has one id that the hub takes, spelt without escapes.
    #[inline]
    fn has_plain_id(&self, scratch: &Scratch, record: &Record<'_>) -> bool {
        let only_one = scratch.layouts.names().check_exact(record, MemberSet::of(&[Member::Id])).is_ok();
        only_one && scratch.id.is_some_and(|id| is_plain_id(record.text_within(id, &ID_SET)))
    }

    /// Adds what is wrong; `false` where the line can't be used.
    #[inline]
    pub(crate) fn check_id(&self, scratch: &mut Scratch, record: &Record<'_>) -> bool {
        if !self.patch.sets_id() && !self.has_plain_id(scratch, record) {
            look_at_id(scratch, record);
        }
        if self.status.is_none() {
            let status = scratch.layouts.names().value(record, Member::Status);
            let is_there = || status.is_some_and(|value| record.bytes(value) != b"null");
            if !self.patch.has_status().unwrap_or_else(is_there) {
                add_missing_status(scratch, status.map_or(record.open(), |value| value.start));
            }
        }
        scratch.findings.iter().all(|finding| finding.severity != Severity::Error)
    }
}

/// Whether a value, of which this is the text if all of it is within [`ID_SET`], is an id that the hub takes, spelt without
/// escapes.
#[inline]
pub(crate) fn is_plain_id(text: Option<&[u8]>) -> bool {
    text.is_some_and(|id| (1..=ID_CHARACTERS_MAX).contains(&id.len()))
}

/// How many of the first lines of a run have such an id as the value at `id`.
#[inline]
pub(crate) fn plain_ids(run: &FixedRun<'_>, id: AnchoredSpan) -> usize {
    run.texts_within(id, &ID_SET, ID_CHARACTERS_MAX)
}

/// What an id is made of.
pub(crate) static ID_SET: ByteSet = ByteSet::new(ID_CHARACTERS);

#[cold]
fn look_at_id(scratch: &mut Scratch, record: &Record<'_>) {
    match read_id(scratch, record) {
        Ok(id) => add_id_faults(scratch, check_id(&id)),
        Err(finding) => scratch.findings.push(finding),
    }
}

#[cold]
fn add_missing_status(scratch: &mut Scratch, at: u32) {
    let message =
        "no status: an import job needs it on every line (§1.5); --status enabled or --status disabled sets it";
    scratch.findings.push(Finding::new(Code::StatusMissing, at, "status", Detail::Text(message)));
}

/// The decoded id.
#[inline]
pub(crate) fn read_id<'r>(scratch: &Scratch, record: &Record<'r>) -> Result<Cow<'r, [u8]>, Finding> {
    match scratch.id.and_then(|id| record.text(id)) {
        Some(id) => {
            // A second one in another case may be the one that the hub goes by.
            scratch.layouts.names().check_exact(record, MemberSet::of(&[Member::Id]))?;
            Ok(id)
        }
        None => Err(no_id(scratch, record)),
    }
}

#[cold]
fn no_id(scratch: &Scratch, record: &Record<'_>) -> Finding {
    match scratch.layouts.names().get(record, Member::Id) {
        Some(member) if record.bytes(member.value) != b"null" => {
            Finding::new(Code::MemberType, member.value.start, "id", Detail::Type("a string"))
        }
        Some(member) => Finding::new(
            Code::IdMissing,
            member.value.start,
            "id",
            Detail::Text("the id is null; every line needs one (§1.5)"),
        ),
        None => {
            let variant = record.members().iter().find(|member| record.name(member).eq_ignore_ascii_case(b"id"));
            let (at, message) = match variant {
                Some(member) => (member.start(), "there is no id, only the name in another case; it must be \"id\""),
                None => (record.open(), "there is no id; every line needs one (§1.5)"),
            };
            Finding::new(Code::IdMissing, at, "id", Detail::Text(message))
        }
    }
}

#[cold]
fn add_id_faults(scratch: &mut Scratch, faults: [Option<IdFault>; 2]) {
    let at = scratch.id.map_or(0, |id| id.start);
    for fault in faults.into_iter().flatten() {
        let (code, detail) = match fault {
            IdFault::Character { character, at } => (Code::IdCharset, Detail::IdCharacter { character, at }),
            IdFault::Length { characters } => (Code::IdLength, Detail::IdLength(characters)),
        };
        scratch.findings.push(Finding::new(code, at, "id", detail));
    }
}
