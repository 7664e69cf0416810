//! The import that turns the state of one export into the state of another: the fewest lines, each as small as it can be.

use std::borrow::Cow;

use hubmill_device::{Code, ImportMode, Member, Severity, is_system_module, scope_parent};
use hubmill_parser::{Level, Limits};
use hubmill_registry::{DeviceLine, Error, LineReader, Number, Registry, Section};

use crate::compare::{Difference, difference, lacks_keys};
use crate::met::Met;
use crate::new_line::{Identity, NewLine, etag_of};
use crate::passes::{LinesBatch, LinesScratch, Pass, Passes, Step, Steps};
use crate::unusable::{Flaw, Unusable};

/// What is wanted of a diff.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiffOptions {
    /// Devices that only the first export has are deleted.
    pub delete: bool,
    /// Lines only apply to what still has the ETag of the first export.
    pub if_match: bool,
    /// Reported properties are compared and written, too.
    pub reported: bool,
}

/// Compares two exports.
#[derive(Debug)]
pub struct Diff<'a> {
    from: &'a Registry,
    to: &'a Registry,
    options: DiffOptions,
    /// The entries of `from` that `to` has, too.
    met: Met,
}

impl<'a> Diff<'a> {
    /// Work that turns `from` into `to`.
    pub fn new(
        from: &'a Registry,
        to: &'a Registry,
        options: DiffOptions,
        reading: (Level, Limits),
        all_diagnostics: bool,
    ) -> Steps<Self> {
        let step = Self { from, to, options, met: Met::none_of(from) };
        Steps { step, reading, all_diagnostics }
    }
}

impl<'a> Steps<Diff<'a>> {
    /// What has to be gone through first, to its end.
    pub fn first_passes(&self) -> Passes<'a> {
        Passes::new(&[Pass::Edge, Pass::Devices, Pass::Modules], self.step.to, &[self.step.from, self.step.to])
    }

    /// And what then: what only the first export has.
    pub fn last_passes(&self) -> Passes<'a> {
        Passes::new(&[Pass::Others], self.step.from, &[self.step.from, self.step.to])
    }
}

impl Step for Diff<'_> {
    fn over(&self, pass: Pass) -> &Registry {
        if pass == Pass::Others { self.from } else { self.to }
    }

    fn step(
        &self,
        scratch: &mut LinesScratch,
        pass: Pass,
        number: Number,
        batch: &mut LinesBatch,
    ) -> Result<(), Error> {
        if pass == Pass::Others {
            return if self.met.is_met(number) { Ok(()) } else { self.only_from(scratch, number, batch) };
        }
        let LinesScratch { reader, rooms, next, .. } = scratch;
        let to_line = self.to.line(number, &mut rooms.wanted)?;
        let Some(to) = reader.read(to_line) else { return Ok(()) };
        let (id, module_id) = (to.id(), to.module_id());
        let ids = (&*id, module_id.as_deref());
        let found = self.from.find_next(next, ids, &mut rooms.there)?;
        let is_system = module_id.as_deref().is_some_and(is_system_module);
        let Some(found) = found else {
            return if is_system {
                batch.totals.system_modules += 1;
                Ok(())
            } else {
                if self.note_if_unusable((self.to, "the second export"), &to, number, (ids, ONLY_THERE), batch) {
                    return Ok(());
                }
                self.create(reader, &mut rooms.parent, &mut rooms.ids, &to, ids, batch)
            };
        };
        self.met.meet(found);
        let from_line = self.from.line(found, &mut rooms.there)?;
        let mut written = None;
        let different = if from_line == to_line {
            let authentication_unknown = lacks_keys(&to);
            Difference { authentication_unknown, ..Difference::default() }
        } else {
            let Some(from) = reader.read(from_line) else { return Ok(()) };
            if self.note_if_unusable((self.to, "the second export"), &to, number, (ids, DIFFERS), batch)
                || self.note_if_unusable((self.from, "the first export"), &from, found, (ids, DIFFERS), batch)
            {
                return Ok(());
            }
            let mut different = difference(&from, &to);
            different.sections[Section::Reported as usize] &= self.options.reported;
            if !different.is_none() {
                if is_system {
                    batch.totals.system_modules += 1;
                    let what = "differs, and is a module of the hub itself: whether an import can set its twin is not known (§1.7)";
                    batch.note(Code::NotWritten, Severity::Warning, ids, what);
                } else {
                    written = self.update(reader, &mut rooms.parent, (&from, &to), ids, different, batch)?;
                }
            }
            different
        };
        batch.totals.equal += u64::from(different.is_none());
        if different.authentication_unknown && !is_system {
            batch.totals.authentication_unknown += 1;
            batch.totals.authentication_set += u64::from(written.is_some());
            let what = match written {
                None => {
                    "does not say how it authenticates in one of the exports or both (§4): not compared, and left as it is"
                }
                Some(Side::From) => {
                    "does not say how it authenticates in the second export (§4): not compared; the update of something else that differs \
                     sets the one of the first export, since without any the hub would make new keys (§2)"
                }
                Some(Side::To) => {
                    "does not say how it authenticates in the first export (§4): not compared; the update of something else that differs \
                     sets the one of the second export, since without any the hub would make new keys (§2)"
                }
            };
            batch.note(Code::AuthenticationUnknown, Severity::Warning, ids, what);
        }
        Ok(())
    }
}

impl Diff<'_> {
    /// Says that a line can't be used, where that is so.
    fn note_if_unusable(
        &self,
        (file, name): (&Registry, &'static str),
        line: &DeviceLine<'_>,
        number: Number,
        (ids, verb): ((&[u8], Option<&[u8]>), &str),
        batch: &mut LinesBatch,
    ) -> bool {
        let Some(flaw) = Flaw::of(line) else { return false };
        let byte = file.entries()[number as usize].start + flaw.place(line);
        batch.note_unusable(Unusable { name, file, byte, flaw }, ids, verb);
        true
    }

    fn create(
        &self,
        reader: &mut LineReader,
        parent_room: &mut Vec<u8>,
        ids_room: &mut Vec<u8>,
        to: &DeviceLine<'_>,
        ids: (&[u8], Option<&[u8]>),
        batch: &mut LinesBatch,
    ) -> Result<(), Error> {
        if ids.1.is_some() && self.to.find(ids.0, None, ids_room)?.is_none() {
            let what = "is a module without its device in the second export: left out";
            batch.note(Code::NotWritten, Severity::Error, ids, what);
            return Ok(());
        }
        let scope = self.scope(reader, parent_room, to, None)?;
        if !note_scope(&scope, ids, batch) {
            return Ok(());
        }
        let mut line = NewLine::about(to, ImportMode::Create);
        line.identity = Identity {
            status_reason: to.value(Member::StatusReason),
            authentication: to.raw(Member::Authentication),
            capabilities: to.value(Member::Capabilities),
            device_scope: scope.value.as_deref(),
            parent_scopes: to.value(Member::ParentScopes),
        };
        line.sections = self.sections(to, [true; 3]);
        line.sections = line.sections.map(|section| section.filter(|section| *section != EMPTY));
        if lacks_keys(to) {
            batch.totals.keys_by_hub += 1;
            let what = "has no keys in the second export: the hub makes some when it is created (§4)";
            batch.note(Code::KeysByHub, Severity::Warning, ids, what);
        }
        line.write(&mut batch.output);
        batch.totals.creates += 1;
        Ok(())
    }

    /// Writes a line that updates; the export whose authentication is in it, where there is one.
    fn update(
        &self,
        reader: &mut LineReader,
        parent_room: &mut Vec<u8>,
        (from, to): (&DeviceLine<'_>, &DeviceLine<'_>),
        ids: (&[u8], Option<&[u8]>),
        different: Difference,
        batch: &mut LinesBatch,
    ) -> Result<Option<Side>, Error> {
        let reported = different.sections[Section::Reported as usize];
        let twin_alone = !different.identity && !reported;
        let mut line = NewLine::about(to, if twin_alone { ImportMode::UpdateTwin } else { ImportMode::Update });
        line.sections = self.sections(to, different.sections);
        let scope;
        let mut side = None;
        if !twin_alone {
            let known = [(Side::To, to), (Side::From, from)].into_iter().find(|(_, line)| !lacks_keys(line));
            side = known.map(|(side, _)| side);
            let authentication = known.and_then(|(_, line)| line.value(Member::Authentication));
            if authentication.is_none() {
                let what = "differs, but no export says how it authenticates: an update would give it new keys (§2), so none is written";
                batch.note(Code::NotWritten, Severity::Error, ids, what);
                return Ok(None);
            }
            if from.is_edge() && !to.is_edge() && ids.1.is_none() {
                let what = "is an edge device in the first export and none in the second: whether an update can make it that is not known \
                            (§3.7), so none is written";
                batch.note(Code::NotWritten, Severity::Error, ids, what);
                return Ok(None);
            }
            scope = self.scope(reader, parent_room, to, Some(from))?;
            if !note_scope(&scope, ids, batch) {
                return Ok(None);
            }
            line.identity = Identity {
                status_reason: to.value(Member::StatusReason).or(from.status_reason().map(|_| b"\"\"".as_slice())),
                authentication,
                capabilities: to
                    .value(Member::Capabilities)
                    .or(from.is_edge().then_some(b"{\"iotEdge\":false}".as_slice())),
                device_scope: scope.value.as_deref(),
                parent_scopes: to.value(Member::ParentScopes),
            };
        }
        if self.options.if_match {
            line.mode = if twin_alone { ImportMode::UpdateTwinIfMatchETag } else { ImportMode::UpdateIfMatchETag };
            line.twin_etag = etag_of(from, Member::TwinETag).filter(|_| different.sections != [false; 3]);
            line.etag = etag_of(from, Member::ETag).filter(|_| !twin_alone);
            if (if twin_alone { line.twin_etag } else { line.etag }).is_none() {
                note_no_etag(ids, batch);
                return Ok(None);
            }
        }
        line.write(&mut batch.output);
        batch.totals.twin_updates += u64::from(twin_alone);
        batch.totals.updates += u64::from(!twin_alone);
        Ok(side)
    }

    /// The sections that are to be in a line; one that `line` does not have is an empty one.
    fn sections<'l>(&self, line: &DeviceLine<'l>, wanted: [bool; 3]) -> [Option<&'l [u8]>; 3] {
        Section::ALL.map(|section| {
            let wanted = wanted[section as usize] && (section != Section::Reported || self.options.reported);
            wanted.then(|| line.section(section).unwrap_or(EMPTY))
        })
    }

    /// What only the first export has.
    fn only_from(&self, scratch: &mut LinesScratch, number: Number, batch: &mut LinesBatch) -> Result<(), Error> {
        let device = self.from.device_of(number);
        let goes_along = device.is_some_and(|device| !self.met.is_met(device));
        if goes_along {
            batch.totals.with_device += u64::from(self.options.delete);
            batch.totals.only_from += u64::from(!self.options.delete);
            return Ok(());
        }
        let LinesScratch { reader, rooms, .. } = scratch;
        let Some(from) = reader.read(self.from.line(number, &mut rooms.there)?) else { return Ok(()) };
        let (id, module_id) = (from.id(), from.module_id());
        let ids = (&*id, module_id.as_deref());
        if module_id.as_deref().is_some_and(is_system_module) {
            batch.totals.system_modules += 1;
            return Ok(());
        }
        if !self.options.delete {
            batch.totals.only_from += 1;
            return Ok(());
        }
        let mut line = NewLine::about(&from, ImportMode::Delete);
        if self.options.if_match {
            line.mode = ImportMode::DeleteIfMatchETag;
            line.etag = etag_of(&from, Member::ETag);
            if line.etag.is_none() {
                note_no_etag(ids, batch);
                return Ok(());
            }
        }
        line.write(&mut batch.output);
        batch.totals.deletes += 1;
        Ok(())
    }

    /// The scope of a device that is written to the hub of the first export: an edge device keeps the one that it has there, and gets
    /// one where it is new; a child gets the one that its parent has there (§3.7).
    fn scope<'l>(
        &self,
        reader: &mut LineReader,
        room: &mut Vec<u8>,
        to: &DeviceLine<'l>,
        from: Option<&DeviceLine<'l>>,
    ) -> Result<Scope<'l>, Error> {
        let own = |value: Option<&'l [u8]>| Scope { value: value.map(Cow::Borrowed), doubt: None };
        if to.is_edge() {
            let Some(from) = from.filter(|from| from.is_edge()) else { return Ok(own(None)) };
            // Another one than its own is passed over, and none may be refused (§3.7).
            let kept = from.raw_scope().or(to.raw_scope());
            let is_unsaid = kept.is_none() && to.module_id().is_none();
            return Ok(Scope { doubt: is_unsaid.then_some(ScopeDoubt::OwnNotSaid), ..own(kept) });
        }
        let Some(wanted) = to.device_scope() else {
            let had = from.is_some_and(|from| from.device_scope().is_some());
            return Ok(own(had.then_some(b"null".as_slice())));
        };
        let as_it_is = to.value(Member::DeviceScope);
        let Some(parent) = scope_parent(&wanted) else {
            return Ok(own(as_it_is));
        };
        let doubt = match self.from.find(parent, None, room)? {
            None => None,
            Some(number) => match reader.read(self.from.line(number, room)?) {
                Some(there) if there.ambiguity().is_some() || !there.edge_is_readable() => Some(ScopeDoubt::NotRead),
                Some(there) if there.is_edge() => match there.raw_scope() {
                    Some(there) => return Ok(Scope { value: Some(Cow::Owned(there.to_vec())), doubt: None }),
                    None => Some(ScopeDoubt::NotSaid),
                },
                _ => None,
            },
        };
        let doubt = match doubt {
            Some(doubt) => doubt,
            None => match self.to.find(parent, None, room)? {
                Some(number) if self.to.entries()[number as usize].is_edge() => ScopeDoubt::ParentIsNew,
                _ => ScopeDoubt::NoParent,
            },
        };
        let is_there = matches!(doubt, ScopeDoubt::NoParent | ScopeDoubt::NotSaid)
            && from.is_some_and(|from| !from.is_edge() && from.device_scope().as_deref() == Some(&wanted));
        Ok(Scope { doubt: Some(doubt).filter(|_| !is_there), ..own(as_it_is) })
    }
}

const EMPTY: &[u8] = b"{}";

/// What a device or module does that stands in a line that can't be used.
const DIFFERS: &str = "differs, and stands in";
const ONLY_THERE: &str = "is not in the first export, and stands in";

/// One of the two exports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    From,
    To,
}

/// A scope to be written.
struct Scope<'l> {
    value: Option<Cow<'l, [u8]>>,
    /// Why it is as the second export has it, and may name nothing in the hub of the first.
    doubt: Option<ScopeDoubt>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ScopeDoubt {
    /// The hub does not have its parent yet as an edge device, and will make another one for that.
    ParentIsNew,
    /// Its parent is an edge device in neither export.
    NoParent,
    /// The first export does not say the scope of its parent.
    NotSaid,
    /// No export says the edge device's own.
    OwnNotSaid,
    /// The line of its parent can't be read for certain.
    NotRead,
}

/// Of an edge device that is there, and is updated.
pub(crate) const OWN_SCOPE_NOT_SAID: &str =
    "is an edge device whose own scope is in no file: whether the hub takes an update without it is not known (§3.7)";

/// Says what is to be said of a scope; whether it can be written.
fn note_scope(scope: &Scope<'_>, ids: (&[u8], Option<&[u8]>), batch: &mut LinesBatch) -> bool {
    let what = match scope.doubt {
        None => return true,
        Some(ScopeDoubt::NotRead) => {
            let what = "is a child of an edge device whose line in the first export can't be read for certain: its scope is not known \
                        (§1.5), so none is written";
            batch.note(Code::NotWritten, Severity::Error, ids, what);
            return false;
        }
        Some(ScopeDoubt::ParentIsNew) => {
            "is a child of an edge device that the first export does not have: the hub makes a new scope for that one (§3.7); import edge \
             devices first, then map scopes"
        }
        Some(ScopeDoubt::NoParent) => {
            "has the scope of a device that is an edge device in neither export: written as it stands, it may name nothing in the hub (§3.7)"
        }
        Some(ScopeDoubt::OwnNotSaid) => OWN_SCOPE_NOT_SAID,
        Some(ScopeDoubt::NotSaid) => {
            "is a child of an edge device whose scope the first export does not have: written as the second has it, it may name nothing in \
             the hub (§3.7)"
        }
    };
    batch.note(Code::DeviceScope, Severity::Warning, ids, what);
    true
}

fn note_no_etag(ids: (&[u8], Option<&[u8]>), batch: &mut LinesBatch) {
    batch.note(Code::NotWritten, Severity::Error, ids, "has no ETag in the first export for --if-match: left out");
}
