//! The members of a line (§1.1).

use std::ops::{BitAnd, BitOr};

/// Whether two names are the same; for names of 4 to 32 bytes without a loop or a call.
#[inline]
pub fn same_name(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    macro_rules! ends_match {
        ($bytes:literal, $word:ty) => {
            if let (Some(first), Some(last), Some(other_first), Some(other_last)) = (
                one.first_chunk::<$bytes>(),
                one.last_chunk::<$bytes>(),
                other.first_chunk::<$bytes>(),
                other.last_chunk::<$bytes>(),
            ) {
                let word = <$word>::from_ne_bytes;
                return (word(*first) ^ word(*other_first)) | (word(*last) ^ word(*other_last)) == 0;
            }
        };
    }
    match one.len() {
        8..=16 => ends_match!(8, u64),
        17..=32 => ends_match!(16, u128),
        4..=7 => ends_match!(4, u32),
        _ => {}
    }
    one == other
}

/// The top-level members that the hub knows (§1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Member {
    /// `id`: the device, also on a module's line.
    Id,
    /// `moduleId`
    ModuleId,
    /// `eTag` of the identity.
    ETag,
    /// `importMode`
    ImportMode,
    /// `status`
    Status,
    /// `statusReason`
    StatusReason,
    /// `authentication`
    Authentication,
    /// `twinETag`
    TwinETag,
    /// `tags`
    Tags,
    /// `properties`: `desired` and `reported`.
    Properties,
    /// `capabilities`: `iotEdge`.
    Capabilities,
    /// `deviceScope`
    DeviceScope,
    /// `parentScopes`: known to the REST description, not exported (§1.3).
    ParentScopes,
}

const NAMES: [(&str, Member); 13] = [
    ("id", Member::Id),
    ("moduleId", Member::ModuleId),
    ("eTag", Member::ETag),
    ("importMode", Member::ImportMode),
    ("status", Member::Status),
    ("statusReason", Member::StatusReason),
    ("authentication", Member::Authentication),
    ("twinETag", Member::TwinETag),
    ("tags", Member::Tags),
    ("properties", Member::Properties),
    ("capabilities", Member::Capabilities),
    ("deviceScope", Member::DeviceScope),
    ("parentScopes", Member::ParentScopes),
];

impl Member {
    /// How many there are.
    pub const COUNT: usize = NAMES.len();

    /// The names of all of them, in the order of the hub's documentation.
    pub const NAMES: [&'static str; Self::COUNT] = {
        let mut names = [""; Self::COUNT];
        let mut at = 0;
        while at < Self::COUNT {
            names[at] = NAMES[at].0;
            at += 1;
        }
        names
    };

    /// All of them, in the order of the hub's documentation.
    pub const ALL: [Self; Self::COUNT] = {
        let mut all = [Self::Id; Self::COUNT];
        let mut at = 0;
        while at < Self::COUNT {
            all[at] = NAMES[at].1;
            at += 1;
        }
        all
    };

    /// The member of exactly this decoded name.
    #[inline]
    pub fn from_name(name: &[u8]) -> Option<Self> {
        let (want, member) = Self::nearest(name)?;
        same_name(name, want.as_bytes()).then_some(member)
    }

    /// The member that this decoded name is in another case; `None` for the exact name and for unknown names (§1.5).
    #[inline]
    pub fn from_case_variant(name: &[u8]) -> Option<Self> {
        Self::from_any_case(name).filter(|(_, is_exact)| !is_exact).map(|(member, _)| member)
    }

    /// The member of this decoded name in any case, and whether it is the exact name.
    #[inline]
    pub fn from_any_case(name: &[u8]) -> Option<(Self, bool)> {
        let (want, member) = Self::nearest(name)?;
        let is_exact = same_name(name, want.as_bytes());
        (is_exact || name.eq_ignore_ascii_case(want.as_bytes())).then_some((member, is_exact))
    }

    /// The one member that this decoded name can be in any case.
    #[inline]
    fn nearest(name: &[u8]) -> Option<(&'static str, Self)> {
        Some(match (name.len(), name.first()? | 0x20) {
            (2, b'i') => ("id", Self::Id),
            (4, b'e') => ("eTag", Self::ETag),
            (4, b't') => ("tags", Self::Tags),
            (6, b's') => ("status", Self::Status),
            (8, b'm') => ("moduleId", Self::ModuleId),
            (8, b't') => ("twinETag", Self::TwinETag),
            (10, b'i') => ("importMode", Self::ImportMode),
            (10, b'p') => ("properties", Self::Properties),
            (11, b'd') => ("deviceScope", Self::DeviceScope),
            (12, b's') => ("statusReason", Self::StatusReason),
            (12, b'p') => ("parentScopes", Self::ParentScopes),
            (12, b'c') => ("capabilities", Self::Capabilities),
            (14, b'a') => ("authentication", Self::Authentication),
            _ => return None,
        })
    }

    /// The name in a line.
    pub const fn name(self) -> &'static str {
        NAMES[self as usize].0
    }
}

/// A set of [`Member`]s.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MemberSet(u16);

impl MemberSet {
    /// No member.
    pub const EMPTY: Self = Self(0);
    /// Every member that the hub knows.
    pub const ALL: Self = Self((1 << Member::COUNT) - 1);

    /// The set of these members.
    pub const fn of(members: &[Member]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < members.len() {
            bits |= 1 << members[at] as u16;
            at += 1;
        }
        Self(bits)
    }

    /// Whether the member is in it.
    #[inline]
    pub const fn contains(self, member: Member) -> bool {
        self.0 & (1 << member as u16) != 0
    }

    /// Adds a member.
    #[inline]
    pub fn insert(&mut self, member: Member) {
        self.0 |= 1 << member as u16;
    }

    /// The members that are not in it.
    #[must_use]
    pub const fn complement(self) -> Self {
        Self(Self::ALL.0 & !self.0)
    }

    /// Whether no member is in it.
    #[inline]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for MemberSet {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for MemberSet {
    type Output = Self;

    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Member, MemberSet, NAMES, same_name};

    #[test]
    fn names_of_all_lengths_differ_by_any_byte() {
        for length in 0..40 {
            let name: Vec<u8> = (0..length).map(|at| b'a' + at % 26).collect();
            assert!(same_name(&name, &name.clone()));
            assert!(!same_name(&name, &[name.as_slice(), b"x"].concat()));
            for at in 0..name.len() {
                let mut other = name.clone();
                other[at] ^= 0x20;
                assert!(!same_name(&name, &other), "{length} {at}");
            }
        }
    }

    #[test]
    fn names_are_exact_and_variants_are_not_the_name() {
        for (at, (name, member)) in NAMES.into_iter().enumerate() {
            assert_eq!(member as usize, at);
            assert_eq!(member.name(), name);
            assert_eq!(Member::from_name(name.as_bytes()), Some(member));
            assert_eq!(Member::from_case_variant(name.as_bytes()), None);
            let upper = name.to_uppercase();
            assert_eq!(Member::from_name(upper.as_bytes()), None);
            assert_eq!(Member::from_case_variant(upper.as_bytes()), Some(member));
        }
        for name in ["", "thumbprint", "xtag", "ids", "deviceId"] {
            assert_eq!(Member::from_name(name.as_bytes()), None);
            assert_eq!(Member::from_case_variant(name.as_bytes()), None);
        }
    }

    #[test]
    fn sets() {
        let set = MemberSet::of(&[Member::Id, Member::ParentScopes]);
        assert!(set.contains(Member::Id) && set.contains(Member::ParentScopes) && !set.contains(Member::Tags));
        assert!(NAMES.iter().all(|(_, member)| MemberSet::ALL.contains(*member)));
    }
}
