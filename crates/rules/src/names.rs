//! Which members of a record are which.

use std::hash::BuildHasher as _;

use foldhash::quality::RandomState;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use hubmill_device::{Code, Member, MemberSet};
use hubmill_parser::{MemberSpan, Record, Span};

use crate::finding::{Detail, Finding};

const ABSENT: u32 = u32::MAX;

/// How many unknown names are compared pair by pair; more are hashed.
pub(crate) const PAIRWISE_MAX: usize = 8;

/// Where the known members of a record stand. Reused from record to record.
#[derive(Debug)]
pub(crate) struct Names {
    /// By [`Member`]: its number among the record's members. Where it stands twice, the last one.
    known: [u32; Member::COUNT],
    /// By number: which known member it is.
    kinds: Vec<Option<Member>>,
    /// The numbers of the members whose names are none of the known ones.
    unknown: Vec<u32>,
    /// Members that are there in another case.
    variants: MemberSet,
}

impl Default for Names {
    fn default() -> Self {
        Self { known: [ABSENT; Member::COUNT], kinds: Vec::new(), unknown: Vec::new(), variants: MemberSet::EMPTY }
    }
}

/// What is asked of the names of a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strictness {
    /// No name may stand twice.
    pub(crate) unique: bool,
    /// Members that a selection reads: they must not be there in another case.
    pub(crate) exact: MemberSet,
    /// The same for members that edits read or change; asked once a record is selected.
    pub(crate) exact_for_edits: MemberSet,
}

impl Names {
    /// Looks at all names; the first fault that `strictness` forbids.
    #[inline]
    pub(crate) fn read(&mut self, record: &Record<'_>, strictness: Strictness) -> Result<(), Finding> {
        self.known = [ABSENT; Member::COUNT];
        self.kinds.clear();
        self.unknown.clear();
        self.variants = MemberSet::EMPTY;
        for (number, member) in record.members().iter().enumerate() {
            let name = record.name(member);
            let nearest = Member::from_any_case(&name);
            let Some((known, true)) = nearest else {
                self.kinds.push(None);
                self.unknown.push(number as u32);
                if let Some((variant, _)) = nearest {
                    self.variants = self.variants | MemberSet::of(&[variant]);
                }
                continue;
            };
            self.kinds.push(Some(known));
            let place = &mut self.known[known as usize];
            if *place != ABSENT && strictness.unique {
                return Err(twice(member, ""));
            }
            *place = number as u32;
        }
        if self.unknown.is_empty() { Ok(()) } else { self.check_unknown(record, strictness) }
    }

    #[cold]
    fn check_unknown(&mut self, record: &Record<'_>, strictness: Strictness) -> Result<(), Finding> {
        self.check_exact(record, strictness.exact)?;
        if strictness.unique { unique(record, self.unknown(record), "") } else { Ok(()) }
    }

    /// The members whose names are none of the known ones.
    fn unknown<'r>(&self, record: &Record<'r>) -> impl ExactSizeIterator<Item = &'r MemberSpan> + Clone {
        let members = record.members();
        self.unknown.iter().map(move |number| &members[*number as usize])
    }

    /// Refuses a member that is one of these in another case.
    #[inline]
    pub(crate) fn check_exact(&self, record: &Record<'_>, exact: MemberSet) -> Result<(), Finding> {
        if (self.variants & exact).is_empty() { Ok(()) } else { Err(self.first_variant(record, exact)) }
    }

    #[cold]
    fn first_variant(&self, record: &Record<'_>, exact: MemberSet) -> Finding {
        let variant = |member| {
            let known = Member::from_case_variant(&record.name(member)).filter(|known| exact.contains(*known))?;
            Some(case_variant(member, "", known.name()))
        };
        self.unknown(record).find_map(variant).expect("one of the members is a case variant of one of these")
    }

    /// Its number among the record's members, where it is there.
    pub(crate) fn number(&self, member: Member) -> Option<usize> {
        Some(self.known[member as usize]).filter(|number| *number != ABSENT).map(|number| number as usize)
    }

    /// The member, where it is there.
    #[inline]
    pub(crate) fn get(&self, record: &Record<'_>, member: Member) -> Option<MemberSpan> {
        record.member(self.known[member as usize] as usize)
    }

    /// The value of the member, where it is there.
    #[inline(always)]
    pub(crate) fn value(&self, record: &Record<'_>, member: Member) -> Option<Span> {
        record.value(self.known[member as usize] as usize)
    }

    /// Which known member the one with this number among the record's is.
    #[inline]
    pub(crate) fn kind(&self, number: usize) -> Option<Member> {
        self.kinds[number]
    }
}

/// Checks that no two of the members have the same decoded name.
pub(crate) fn unique<'a>(
    record: &Record<'_>,
    members: impl Iterator<Item = &'a MemberSpan> + Clone,
    path: &'static str,
) -> Result<(), Finding> {
    if members.clone().nth(PAIRWISE_MAX).is_none() {
        let mut ends = [0; PAIRWISE_MAX];
        for (number, member) in members.clone().enumerate() {
            let name = record.name(member);
            let these = ends_of(&name);
            // All are compared, so that no branch goes by how many there are.
            let same = ends.iter().rev().fold(0u32, |same, other| same << 1 | u32::from(*other == these));
            if same & ((1 << number) - 1) != 0
                && members.clone().take(number).any(|earlier| record.name(earlier) == name)
            {
                return Err(twice(member, path));
            }
            ends[number] = these;
        }
        return Ok(());
    }
    // By a keyed hash, so that no input can choose names that take long.
    let keyed = RandomState::default();
    let hash = |member: &MemberSpan| keyed.hash_one(&*record.name(member));
    let mut seen: HashTable<&MemberSpan> = HashTable::with_capacity(members.size_hint().1.unwrap_or(0));
    for member in members {
        let name = record.name(member);
        match seen.entry(keyed.hash_one(&*name), |earlier| record.name(earlier) == name, |earlier| hash(earlier)) {
            Entry::Occupied(_) => return Err(twice(member, path)),
            Entry::Vacant(place) => drop(place.insert(member)),
        }
    }
    Ok(())
}

/// The first and the last four bytes of a name, as far as there are any: where these differ, so do names.
#[inline]
fn ends_of(name: &[u8]) -> u64 {
    match (name.first_chunk::<4>(), name.last_chunk::<4>()) {
        (Some(first), Some(last)) => u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last)),
        _ => name.iter().fold(name.len() as u64, |ends, byte| ends << 8 | u64::from(*byte)),
    }
}

#[cold]
pub(crate) fn twice(member: &MemberSpan, path: &'static str) -> Finding {
    Finding::new(Code::DuplicateMember, member.start(), path, Detail::Twice).named(member.name)
}

#[cold]
pub(crate) fn case_variant(member: &MemberSpan, path: &'static str, exact: &'static str) -> Finding {
    Finding::new(Code::MemberCase, member.start(), path, Detail::CaseOf(exact)).named(member.name)
}
