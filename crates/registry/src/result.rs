//! The registry after an import, as an export.

use std::io;

use hubmill_device::{AuthenticationType, Member};

use crate::compare::View;
use crate::entry::Number;
use crate::error::Error;
use crate::line::{Authentication, Section};
use crate::log::push_json_string;
use crate::places::LineReader;
use crate::rehearse::After;
use crate::state::{Current, Rooms, Source};

/// What was written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Lines.
    pub lines: u64,
    /// Those of them whose keys only the hub can make: they are null.
    pub keys_by_hub: u64,
    /// Edge devices whose scope only the hub can make: it is left out.
    pub scopes_by_hub: u64,
    /// Lines that are as they were, since it is not known what becomes of them; and devices that may be there and were left
    /// out.
    pub not_known: u64,
}

/// Devices and modules that a thread renders before they are written.
const BLOCK: usize = 4096;
/// More threads than this would wait for memory.
const THREADS_MAX: usize = 8;

/// Buffers of one thread.
struct Render {
    reader: LineReader,
    rooms: Rooms,
    room: Vec<u8>,
    out: Vec<u8>,
    written: Written,
}

impl After<'_> {
    /// Writes the registry as an export, in the order of the export, what is new after it in the order of the import.
    ///
    /// Lines that nothing was written to are as they were, to the byte. Others have no ETags, since the hub makes new ones;
    /// unknown members of an import, which the hub passes over (§1.5), are not in it. Keys that only the hub can make are null.
    ///
    /// # Errors
    /// Where a file can't be read, or `write` fails.
    pub fn write(&self, mut write: impl FnMut(&[u8]) -> io::Result<()>) -> Result<Written, Error> {
        let threads = self.how.options.threads.clamp(1, THREADS_MAX);
        let mut renders: Vec<Render> = (0..threads)
            .map(|_| Render {
                reader: LineReader::new(self.how.level, self.how.limits),
                rooms: Rooms::default(),
                room: Vec::new(),
                out: Vec::new(),
                written: Written::default(),
            })
            .collect();
        let count = self.state.currents.len();
        for first in (0..count).step_by(BLOCK * threads) {
            std::thread::scope(|scope| {
                let mut others = Vec::new();
                let mut own = None;
                for (number, render) in renders.iter_mut().enumerate() {
                    let start = (first + number * BLOCK).min(count);
                    let range = start..(start + BLOCK).min(count);
                    match number {
                        0 => own = Some((render, range)),
                        _ if range.is_empty() => render.out.clear(),
                        _ => others.push(scope.spawn(move || self.render_all(render, range))),
                    }
                }
                let own = own.map_or(Ok(()), |(render, range)| self.render_all(render, range));
                others.into_iter().fold(own, |result, thread| match thread.join() {
                    Ok(other) => result.and(other),
                    Err(panic) => std::panic::resume_unwind(panic),
                })
            })?;
            for render in &renders {
                write(&render.out).map_err(Error::Output)?;
            }
        }
        self.state.import.check()?;
        self.state.registry.input.check()?;
        let mut written = Written::default();
        for render in &renders {
            written.lines += render.written.lines;
            written.keys_by_hub += render.written.keys_by_hub;
            written.scopes_by_hub += render.written.scopes_by_hub;
            written.not_known += render.written.not_known;
        }
        Ok(written)
    }

    fn render_all(&self, render: &mut Render, range: std::ops::Range<usize>) -> Result<(), Error> {
        render.out.clear();
        range.into_iter().try_for_each(|number| self.render(render, number as Number))
    }

    fn render(&self, render: &mut Render, number: Number) -> Result<(), Error> {
        let Render { reader, rooms, room, out, written } = render;
        let current = &self.state.currents[number as usize];
        written.not_known += u64::from(current.is(Current::MAYBE | Current::UNSURE));
        if current.is(Current::GONE) {
            return Ok(());
        }
        written.lines += 1;
        if !current.is(Current::TOUCHED) {
            out.extend_from_slice(self.state.registry.line(number, room)?);
            out.push(b'\n');
            return Ok(());
        }
        let own_scope = self.state.own_scope(number, reader, room)?.map(<[u8]>::to_vec);
        let is_exported = current.identity == Source::EXPORT;
        let done = self.state.with_view(number, reader, rooms, |view| {
            write_line(view, is_exported, own_scope.as_deref(), out, written);
        })?;
        // Only a file that changes meanwhile has lines that could be read before.
        done.ok_or_else(|| {
            Error::Lookup("a line could be read before and can't be read again: the file has changed".to_owned())
        })
    }
}

/// Writes a line as an export has it (§1.4), without ETags.
fn write_line(view: &View<'_>, is_exported: bool, own_scope: Option<&[u8]>, out: &mut Vec<u8>, written: &mut Written) {
    let line = &view.identity;
    let mut separator = b'{';
    let mut member = |name: &str, value: &[u8], out: &mut Vec<u8>| {
        out.push(std::mem::replace(&mut separator, b','));
        out.extend_from_slice(format!("\"{name}\":").as_bytes());
        out.extend_from_slice(value);
    };
    member("id", line.raw(Member::Id).unwrap_or(b"\"\""), out);
    if let Some(module_id) = line.value(Member::ModuleId) {
        member("moduleId", module_id, out);
    }
    match (line.status(), line.raw(Member::Status)) {
        (Some(status), _) => member("status", format!("\"{}\"", status.as_str()).as_bytes(), out),
        (None, Some(raw)) => member("status", raw, out),
        (None, None) => {}
    }
    if let Some(reason) = line.value(Member::StatusReason) {
        member("statusReason", reason, out);
    }
    match (is_exported, line.raw(Member::Authentication)) {
        (true, raw) => member("authentication", raw.unwrap_or(b"null"), out),
        (false, _) => {
            let authentication = line.authentication();
            written.keys_by_hub += u64::from(authentication.needs_keys());
            let mut text = Vec::new();
            write_authentication(&authentication, &mut text);
            member("authentication", &text, out);
        }
    }
    let section = |section: Section| view.sections[section as usize];
    if let Some(tags) = section(Section::Tags) {
        member("tags", tags, out);
    }
    let properties: Vec<(&str, &[u8])> =
        [("desired", section(Section::Desired)), ("reported", section(Section::Reported))]
            .into_iter()
            .filter_map(|(name, value)| value.map(|value| (name, value)))
            .collect();
    if !properties.is_empty() {
        let mut text = Vec::new();
        for (number, (name, value)) in properties.iter().enumerate() {
            text.extend_from_slice(if number == 0 { b"{\"" } else { b",\"" });
            text.extend_from_slice(name.as_bytes());
            text.extend_from_slice(b"\":");
            text.extend_from_slice(value);
        }
        text.push(b'}');
        member("properties", &text, out);
    }
    let is_edge = line.is_edge();
    member("capabilities", format!("{{\"iotEdge\":{is_edge}}}").as_bytes(), out);
    let is_module = line.module_id().is_some();
    let scope = match () {
        () if is_edge && !is_module => own_scope,
        () => line.device_scope().and(line.value(Member::DeviceScope)),
    };
    match scope {
        Some(scope) => member("deviceScope", scope, out),
        None => written.scopes_by_hub += u64::from(is_edge && !is_module),
    }
    out.extend_from_slice(b"}\n");
}

/// Writes what a line says of authentication in the full shape of §1.2, type last.
fn write_authentication(authentication: &Authentication<'_>, out: &mut Vec<u8>) {
    let (none, kind) = ([None, None], AuthenticationType::Sas);
    let (keys, thumbprints, kind) = match authentication {
        Authentication::NotSaid => (&none, &none, kind),
        Authentication::Said(said) => (&said.keys, &said.thumbprints, said.kind.unwrap_or(kind)),
    };
    let text = |text: &Option<std::borrow::Cow<'_, [u8]>>, out: &mut Vec<u8>| match text {
        Some(text) => push_json_string(text, out),
        None => out.extend_from_slice(b"null"),
    };
    out.extend_from_slice(b"{\"symmetricKey\":{\"primaryKey\":");
    text(&keys[0], out);
    out.extend_from_slice(b",\"secondaryKey\":");
    text(&keys[1], out);
    out.extend_from_slice(b"},\"x509Thumbprint\":{\"primaryThumbprint\":");
    text(&thumbprints[0], out);
    out.extend_from_slice(b",\"secondaryThumbprint\":");
    text(&thumbprints[1], out);
    out.extend_from_slice(format!("}},\"type\":\"{}\"}}", kind.as_str()).as_bytes());
}
