//! A line of an import, put together from values as they are spelt elsewhere.

use hubmill_device::{ImportMode, Member};
use hubmill_registry::{DeviceLine, Section};

/// What a line says where the file that it is made of says nothing (§1.2: a job file needs a status on every line).
const STATUS_DEFAULT: &[u8] = b"\"enabled\"";

/// An ETag as it is spelt; `None` for an empty one, which no hub compares.
pub(crate) fn etag_of<'a>(line: &DeviceLine<'a>, member: Member) -> Option<&'a [u8]> {
    line.etag(member).and(line.value(member))
}

/// The part of a line that an update replaces as a whole (§2). Values are JSON.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Identity<'a> {
    pub(crate) status_reason: Option<&'a [u8]>,
    pub(crate) authentication: Option<&'a [u8]>,
    pub(crate) capabilities: Option<&'a [u8]>,
    pub(crate) device_scope: Option<&'a [u8]>,
    pub(crate) parent_scopes: Option<&'a [u8]>,
}

/// A line to be written. Values are JSON, as they stand between colon and comma.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NewLine<'a> {
    pub(crate) mode: ImportMode,
    pub(crate) id: &'a [u8],
    pub(crate) module_id: Option<&'a [u8]>,
    pub(crate) etag: Option<&'a [u8]>,
    pub(crate) twin_etag: Option<&'a [u8]>,
    pub(crate) status: Option<&'a [u8]>,
    pub(crate) identity: Identity<'a>,
    /// By [`Section`].
    pub(crate) sections: [Option<&'a [u8]>; 3],
}

impl<'a> NewLine<'a> {
    /// With the ids and the status of a line, and nothing else. A status that no hub reads is left out: only lines that use none are
    /// made of such a line.
    pub(crate) fn about(line: &DeviceLine<'a>, mode: ImportMode) -> Self {
        Self {
            mode,
            id: line.raw(Member::Id).unwrap_or(b"\"\""),
            module_id: line.value(Member::ModuleId),
            etag: None,
            twin_etag: None,
            status: line.raw(Member::Status).filter(|_| line.status().is_some()),
            identity: Identity::default(),
            sections: [None; 3],
        }
    }

    /// Writes it, with its line end, in the order of the hub's own class (§1.2).
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"id\":");
        out.extend_from_slice(self.id);
        let mut member = |name: Member, value: Option<&[u8]>| {
            if let Some(value) = value {
                out.extend_from_slice(b",\"");
                out.extend_from_slice(name.name().as_bytes());
                out.extend_from_slice(b"\":");
                out.extend_from_slice(value);
            }
        };
        member(Member::ModuleId, self.module_id);
        member(Member::ETag, self.etag);
        let mode = self.mode.as_str();
        let quoted = [b"\"".as_slice(), mode.as_bytes(), b"\""].concat();
        member(Member::ImportMode, Some(&quoted));
        member(Member::Status, Some(self.status.unwrap_or(STATUS_DEFAULT)));
        member(Member::StatusReason, self.identity.status_reason);
        member(Member::Authentication, self.identity.authentication);
        member(Member::TwinETag, self.twin_etag);
        member(Member::Tags, self.sections[Section::Tags as usize]);
        let [desired, reported] = [Section::Desired, Section::Reported].map(|section| self.sections[section as usize]);
        if desired.is_some() || reported.is_some() {
            out.extend_from_slice(b",\"properties\":{");
            let mut comma: &[u8] = b"";
            for (name, value) in [(b"\"desired\":".as_slice(), desired), (b"\"reported\":", reported)] {
                if let Some(value) = value {
                    [comma, name, value].iter().for_each(|piece| out.extend_from_slice(piece));
                    comma = b",";
                }
            }
            out.push(b'}');
        }
        let mut member = |name: Member, value: Option<&[u8]>| {
            if let Some(value) = value {
                out.extend_from_slice(b",\"");
                out.extend_from_slice(name.name().as_bytes());
                out.extend_from_slice(b"\":");
                out.extend_from_slice(value);
            }
        };
        member(Member::Capabilities, self.identity.capabilities);
        member(Member::DeviceScope, self.identity.device_scope);
        member(Member::ParentScopes, self.identity.parent_scopes);
        out.extend_from_slice(b"}\n");
    }
}
