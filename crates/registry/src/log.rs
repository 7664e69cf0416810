//! The log of an import job, as the hub writes it (§5.5).

use hubmill_device::{TextKind, redacted};

use crate::outcome::{Failure, Outcome};
use crate::witness::Event;

/// How much of a line is quoted, in bytes.
const QUOTED_BYTES_MAX: usize = 4096;

/// Appends text as a JSON string with its quotes. Bytes that are no UTF-8 become U+FFFD.
pub fn push_json_string(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    for character in String::from_utf8_lossy(text).chars() {
        match character {
            '"' => out.extend_from_slice(b"\\\""),
            '\\' => out.extend_from_slice(b"\\\\"),
            '\n' => out.extend_from_slice(b"\\n"),
            '\r' => out.extend_from_slice(b"\\r"),
            '\t' => out.extend_from_slice(b"\\t"),
            control if control < ' ' => out.extend_from_slice(format!("\\u{:04x}", u32::from(control)).as_bytes()),
            other => out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.push(b'"');
}

/// The line that the hub would log for a line that fails, with its `\n`: `deviceId`, where the line could be read,
/// `errorCode`, null where the number is not known, and `errorStatus`. `None` where nothing fails.
///
/// The hub quotes a line that it can't read whole, with its keys. Here it is quoted without what looks like a secret, and
/// cut after 4 KiB.
pub fn log_line(event: &Event<'_>) -> Option<Vec<u8>> {
    let Outcome::Fails(failure) = event.outcome else {
        return None;
    };
    let mut out = b"{".to_vec();
    let is_readable = !matches!(failure, Failure::Unreadable(_));
    if let Some((id, _)) = event.ids.filter(|_| is_readable) {
        out.extend_from_slice(b"\"deviceId\":");
        push_json_string(redacted(&String::from_utf8_lossy(id), TextKind::Name).as_bytes(), &mut out);
        out.push(b',');
    }
    let code = failure.code().map_or("null".to_owned(), |code| code.to_string());
    out.extend_from_slice(format!("\"errorCode\":{code},\"errorStatus\":").as_bytes());
    push_json_string(status(event, failure).as_bytes(), &mut out);
    out.extend_from_slice(b"}\n");
    Some(out)
}

fn status(event: &Event<'_>, failure: Failure) -> String {
    let (id, module_id) = event.ids.unwrap_or_default();
    let id = redacted(&String::from_utf8_lossy(id), TextKind::Name);
    let module = module_id.map(|module_id| redacted(&String::from_utf8_lossy(module_id), TextKind::Name));
    let module = module.unwrap_or_default();
    match failure {
        Failure::Unreadable(_) => format!("Invalid device format in line: {}. {}", quoted(event), event.reason),
        Failure::Refused(code) => format!("{} ({})", event.reason, code.as_str()),
        Failure::SystemModule => format!("Unauthorized to modify reserved module '{module}' of device '{id}'."),
        Failure::DeviceExists => format!("A device with Id '{id}' is already registered."),
        Failure::ModuleExists => format!("A module with Id '{module}' is already registered on device '{id}'."),
        Failure::DeviceMissing => format!("A device with Id '{id}' is not registered."),
        Failure::ModuleMissing => format!("A module with Id '{module}' is not registered on device '{id}'."),
        Failure::ETag => format!("ETag mismatch for device Id '{id}'"),
        Failure::TwinETag => format!("ETag mismatch for the twin of device Id '{id}'"),
        Failure::ETagMissing => format!("The import mode compares ETags, and there is none for device Id '{id}'"),
        Failure::Quota => "Total number of devices on IotHub exceeded the allocated quota.".to_owned(),
        Failure::TooManyModules => format!("Device '{id}' has as many modules as it may."),
    }
}

/// The line without secrets, cut where it is long.
fn quoted(event: &Event<'_>) -> String {
    let mut cut = &event.bytes[..event.bytes.len().min(QUOTED_BYTES_MAX)];
    if cut.len() < event.bytes.len() {
        // What is cut in two may be a secret that is not known any more for what it is.
        let whole = cut.iter().rposition(|byte| matches!(byte, b' ' | b',' | b'{')).unwrap_or(0);
        cut = &cut[..whole];
    }
    // A line that can be read has names before its secrets; any other may hold anything.
    let kind = if event.ids.is_some() { TextKind::Name } else { TextKind::Free };
    let more = if cut.len() < event.bytes.len() { "…" } else { "" };
    format!("{}{more}", redacted(&String::from_utf8_lossy(cut), kind))
}

#[cfg(test)]
mod tests {
    use hubmill_device::Code;

    use super::{log_line, push_json_string};
    use crate::outcome::{Failure, Outcome};
    use crate::witness::Event;

    fn line(failure: Failure, ids: Option<(&[u8], Option<&[u8]>)>, bytes: &[u8]) -> String {
        let outcome = Outcome::Fails(failure);
        let event = Event { line: 1, ids, outcome, assumed: false, modules: 0, reason: "why", changes: &[], bytes };
        String::from_utf8(log_line(&event).expect("a line")).expect("text")
    }

    #[test]
    fn lines_are_as_the_hub_writes_them() {
        let ids = Some((b"d\"1".as_slice(), None));
        assert_eq!(
            line(Failure::DeviceExists, ids, b""),
            "{\"deviceId\":\"d\\\"1\",\"errorCode\":409001,\"errorStatus\":\"A device with Id 'd\\\"1' is already registered.\"}\n"
        );
        let unreadable = line(Failure::Unreadable(Code::StatusMissing), ids, b"{\"id\":\"a\"}");
        assert_eq!(
            unreadable,
            "{\"errorCode\":400012,\"errorStatus\":\"Invalid device format in line: {\\\"id\\\":\\\"a\\\"}. why\"}\n"
        );
        assert!(line(Failure::ETag, ids, b"").contains("\"errorCode\":null"), "which number is not known");
    }

    #[test]
    fn keys_are_not_quoted() {
        let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let text = format!("{{\"id\":\"a\",\"authentication\":{{\"symmetricKey\":{{\"primaryKey\":\"{key}\"}}}}}}");
        for ids in [None, Some((b"a".as_slice(), None))] {
            for cut in [text.len(), text.len() - 20] {
                let long = format!("{}{}", "x ".repeat(2_000), &text[..cut]);
                for bytes in [&text[..cut], long.as_str()] {
                    let line = line(Failure::Unreadable(Code::JsonSyntax), ids, bytes.as_bytes());
                    assert!(!line.contains(&key[..12]), "{line}");
                }
            }
        }
    }

    #[test]
    fn strings_are_json() {
        for text in ["", "a\"\\\u{0}\u{1f}\n\r\t é😀", "\u{7f}"] {
            let mut out = Vec::new();
            push_json_string(text.as_bytes(), &mut out);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
