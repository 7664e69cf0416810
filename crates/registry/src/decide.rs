//! The table of §2: what a mode does with a line, by what is there and by the ETags.

use hubmill_device::ImportMode;

use crate::outcome::{Doubt, Failure};

/// Whether the device or module that a line is about is in the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existence {
    /// It is.
    There,
    /// It is not.
    Missing,
    /// An earlier line made that uncertain.
    NotKnown,
}

/// How an ETag of a line compares with the hub's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// The line has none.
    Absent,
    /// It is the hub's.
    Equal,
    /// It is another one.
    Differs,
    /// The hub's is not known.
    NotKnown,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    /// The identity is made, with the parts of the twin that the line has.
    Create,
    /// The whole identity is replaced, and the parts of the twin that the line has.
    Overwrite,
    /// The parts of the twin that the line has are replaced.
    WriteTwin,
    /// The identity goes.
    Delete,
    /// An error is logged, and nothing is done.
    Fail(Failure),
    /// An error is logged for the twin; whether the identity is written all the same is not known (§2).
    FailPartly(Failure),
    /// It is not known what is done.
    NotKnown(Doubt),
}

/// What a mode does. `missing` and `exists` are the failures for what is not there, and is there already.
pub fn decide(
    mode: ImportMode,
    existence: Existence,
    etag: Match,
    twin_etag: Match,
    (missing, exists): (Failure, Failure),
) -> Deed {
    match existence {
        Existence::NotKnown => Deed::NotKnown(Doubt::Earlier),
        Existence::Missing => decide_missing(mode, etag, twin_etag, missing),
        Existence::There => decide_there(mode, etag, twin_etag, exists),
    }
}

fn decide_missing(mode: ImportMode, etag: Match, twin_etag: Match, missing: Failure) -> Deed {
    let etag_is_odd = match mode {
        ImportMode::CreateOrUpdate => false,
        ImportMode::Create => etag != Match::Absent,
        ImportMode::CreateOrUpdateIfMatchETag => etag == Match::Absent,
        ImportMode::Update
        | ImportMode::UpdateIfMatchETag
        | ImportMode::Delete
        | ImportMode::DeleteIfMatchETag
        | ImportMode::UpdateTwin
        | ImportMode::UpdateTwinIfMatchETag => return Deed::Fail(missing),
    };
    match twin_etag {
        _ if etag_is_odd => Deed::NotKnown(Doubt::ETagOfNew),
        Match::Absent => Deed::Create,
        _ => Deed::NotKnown(Doubt::TwinETagOfNew),
    }
}

fn decide_there(mode: ImportMode, etag: Match, twin_etag: Match, exists: Failure) -> Deed {
    let compared = match mode {
        ImportMode::Create => return Deed::Fail(exists),
        ImportMode::UpdateTwinIfMatchETag => Some((twin_etag, Failure::TwinETag)),
        ImportMode::CreateOrUpdateIfMatchETag | ImportMode::UpdateIfMatchETag | ImportMode::DeleteIfMatchETag => {
            Some((etag, Failure::ETag))
        }
        ImportMode::CreateOrUpdate | ImportMode::Update | ImportMode::Delete | ImportMode::UpdateTwin => None,
    };
    match compared {
        None | Some((Match::Equal, _)) => {}
        Some((Match::Absent, _)) => return Deed::Fail(Failure::ETagMissing),
        Some((Match::Differs, failure)) => return Deed::Fail(failure),
        Some((Match::NotKnown, _)) => return Deed::NotKnown(Doubt::ETagNotKnown),
    }
    if mode.is_delete() {
        return Deed::Delete;
    }
    if mode.is_update_twin() {
        return Deed::WriteTwin;
    }
    let is_documented = matches!(mode, ImportMode::CreateOrUpdate | ImportMode::CreateOrUpdateIfMatchETag);
    match twin_etag {
        Match::Absent | Match::Equal => Deed::Overwrite,
        Match::NotKnown => Deed::NotKnown(Doubt::ETagNotKnown),
        Match::Differs if is_documented => Deed::FailPartly(Failure::TwinETag),
        Match::Differs => Deed::NotKnown(Doubt::TwinETagUnderUpdate),
    }
}

#[cfg(test)]
mod tests {
    use hubmill_device::ImportMode::{
        self, Create, CreateOrUpdate, CreateOrUpdateIfMatchETag, Delete, DeleteIfMatchETag, Update, UpdateIfMatchETag,
        UpdateTwin, UpdateTwinIfMatchETag,
    };

    use super::Deed::{Create as Make, Delete as Remove, Fail, FailPartly, NotKnown, Overwrite, WriteTwin};
    use super::Existence::{Missing, There};
    use super::Match::{Absent, Differs, Equal, NotKnown as Unknown};
    use super::{Deed, Existence, Match, decide};
    use crate::outcome::Doubt::{ETagNotKnown, ETagOfNew, Earlier, TwinETagOfNew, TwinETagUnderUpdate};
    use crate::outcome::Failure::{DeviceExists, DeviceMissing, ETag, ETagMissing, TwinETag};

    fn deed(mode: ImportMode, existence: Existence, etag: Match, twin_etag: Match) -> Deed {
        decide(mode, existence, etag, twin_etag, (DeviceMissing, DeviceExists))
    }

    /// A row of the table: the deeds for an eTag that is absent, equal, differs, and is not known.
    fn row(mode: ImportMode, existence: Existence, want: [Deed; 4]) {
        for (etag, want) in [Absent, Equal, Differs, Unknown].into_iter().zip(want) {
            assert_eq!(deed(mode, existence, etag, Absent), want, "{mode:?} {existence:?} {etag:?}");
        }
    }

    /// The same for the ETag of the twin, with an eTag that matches.
    fn twin_row(mode: ImportMode, existence: Existence, want: [Deed; 4]) {
        for (twin_etag, want) in [Absent, Equal, Differs, Unknown].into_iter().zip(want) {
            assert_eq!(deed(mode, existence, Equal, twin_etag), want, "{mode:?} {existence:?} twin {twin_etag:?}");
        }
    }

    #[test]
    fn create_or_update_overwrites_and_ignores_the_etag() {
        row(CreateOrUpdate, There, [Overwrite; 4]);
        row(CreateOrUpdate, Missing, [Make; 4]);
    }

    #[test]
    fn create_or_update_checks_the_twin_by_itself() {
        twin_row(CreateOrUpdate, There, [Overwrite, Overwrite, FailPartly(TwinETag), NotKnown(ETagNotKnown)]);
        let new = NotKnown(TwinETagOfNew);
        twin_row(CreateOrUpdate, Missing, [Make, new, new, new]);
    }

    #[test]
    fn create_fails_where_the_device_is_there() {
        row(Create, There, [Fail(DeviceExists); 4]);
        twin_row(Create, There, [Fail(DeviceExists); 4]);
    }

    #[test]
    fn create_makes_the_device_where_there_are_no_etags() {
        let odd = NotKnown(ETagOfNew);
        row(Create, Missing, [Make, odd, odd, odd]);
        let new = NotKnown(TwinETagOfNew);
        for (twin_etag, want) in [(Absent, Make), (Equal, new), (Differs, new), (Unknown, new)] {
            assert_eq!(deed(Create, Missing, Absent, twin_etag), want);
        }
    }

    #[test]
    fn create_or_update_if_match_overwrites_on_a_match_only() {
        row(CreateOrUpdateIfMatchETag, There, [Fail(ETagMissing), Overwrite, Fail(ETag), NotKnown(ETagNotKnown)]);
        row(CreateOrUpdateIfMatchETag, Missing, [NotKnown(ETagOfNew), Make, Make, Make]);
        twin_row(
            CreateOrUpdateIfMatchETag,
            There,
            [Overwrite, Overwrite, FailPartly(TwinETag), NotKnown(ETagNotKnown)],
        );
    }

    #[test]
    fn update_overwrites_and_ignores_the_etag() {
        row(Update, There, [Overwrite; 4]);
        twin_row(Update, There, [Overwrite, Overwrite, NotKnown(TwinETagUnderUpdate), NotKnown(ETagNotKnown)]);
    }

    #[test]
    fn update_fails_where_the_device_is_missing() {
        row(Update, Missing, [Fail(DeviceMissing); 4]);
        twin_row(Update, Missing, [Fail(DeviceMissing); 4]);
    }

    #[test]
    fn update_if_match_overwrites_on_a_match_only() {
        row(UpdateIfMatchETag, There, [Fail(ETagMissing), Overwrite, Fail(ETag), NotKnown(ETagNotKnown)]);
        row(UpdateIfMatchETag, Missing, [Fail(DeviceMissing); 4]);
        twin_row(
            UpdateIfMatchETag,
            There,
            [Overwrite, Overwrite, NotKnown(TwinETagUnderUpdate), NotKnown(ETagNotKnown)],
        );
    }

    #[test]
    fn delete_ignores_every_etag() {
        row(Delete, There, [Remove; 4]);
        twin_row(Delete, There, [Remove; 4]);
        row(Delete, Missing, [Fail(DeviceMissing); 4]);
    }

    #[test]
    fn delete_if_match_deletes_on_a_match_only() {
        row(DeleteIfMatchETag, There, [Fail(ETagMissing), Remove, Fail(ETag), NotKnown(ETagNotKnown)]);
        twin_row(DeleteIfMatchETag, There, [Remove; 4]);
        row(DeleteIfMatchETag, Missing, [Fail(DeviceMissing); 4]);
    }

    #[test]
    fn update_twin_ignores_every_etag() {
        row(UpdateTwin, There, [WriteTwin; 4]);
        twin_row(UpdateTwin, There, [WriteTwin; 4]);
        row(UpdateTwin, Missing, [Fail(DeviceMissing); 4]);
    }

    #[test]
    fn update_twin_if_match_compares_the_twin_and_not_the_identity() {
        twin_row(UpdateTwinIfMatchETag, There, [Fail(ETagMissing), WriteTwin, Fail(TwinETag), NotKnown(ETagNotKnown)]);
        for etag in [Absent, Equal, Differs, Unknown] {
            assert_eq!(deed(UpdateTwinIfMatchETag, There, etag, Equal), WriteTwin);
        }
        twin_row(UpdateTwinIfMatchETag, Missing, [Fail(DeviceMissing); 4]);
    }

    #[test]
    fn what_an_earlier_line_left_open_stays_open() {
        for mode in ImportMode::ALL {
            row(mode, Existence::NotKnown, [NotKnown(Earlier); 4]);
        }
    }
}
