//! `text`: what strings, ids, enums, scopes and names say is what slow, separate readings of them say.

use hubmill_device::{AuthenticationType, ImportMode, Member, Printable, check_id, is_system_module, redacted};
use hubmill_device::{IdFault, TextKind, scope_parent};
use hubmill_parser::{decode, string_text};
use hubmill_testkit::json::{self, Json};
use hubmill_testkit::rules::{AUTHENTICATION_TYPES, IMPORT_MODES};

use crate::inputs::{Maker, Mix};

/// Made up, and with the looks of a key.
const KEY: &str = "pC7hQx+V2zT0rJ4/kWb9sYd3LmN8uGfAeXo1iRv5BtE=";

const TOKENS: &[&str] = &[
    KEY,
    "\\\"",
    "\\\\",
    "\\/",
    "\\b",
    "\\f",
    "\\n",
    "\\r",
    "\\t",
    "\\u0041",
    "\\u0000",
    "\\u00e9",
    "\\uD83D",
    "\\uDE00",
    "\\ud800",
    "\\udfff",
    "\\uffff",
    "\\u12",
    "\\x",
    "\\u00g0",
    "\\U0041",
    "é",
    "中",
    "🚀",
    "\u{7f}",
    "\u{feff}",
    "\t",
    "id",
    "delete",
    "updateTwin",
    "IfMatchETag",
    "createOrUpdate",
    "sas",
    "selfSigned",
    "certificateAuthority",
    "none",
    "0",
    "8",
    "9",
    "ms-azure-iot-edge://",
    "-",
    "-12",
    "$",
    "edgeAgent",
    "moduleId",
    "eTag",
    "importMode",
    "status",
    "statusReason",
    "authentication",
    "twinETag",
    "tags",
    "properties",
    "capabilities",
    "deviceScope",
    "parentScopes",
    "SharedAccessKey=",
    "sig=",
    "primaryKey\":\"",
    "%26sig%3D",
    " ",
    "a",
    "A",
    "x1",
    "=",
    "%",
    "\u{202e}",
    "\u{85}",
];

/// Makes an input: the content of a string, mostly.
pub fn make(maker: &mut Maker) -> Vec<u8> {
    let mut data = Vec::new();
    match maker.rng.below(10) {
        0 => {
            let bytes = maker.rng.below(60);
            data = maker.header(bytes);
        }
        1 => data = vec![*maker.rng.pick(&[&b'i', &b'-', &b' ', &b'e']); 120 + maker.rng.below(20)],
        _ => {}
    }
    for _ in 0..maker.rng.below(8) {
        let token = maker.rng.pick(TOKENS);
        match maker.rng.below(8) {
            0 => data.extend(token.to_ascii_uppercase().bytes()),
            1 => data.extend(maker.line(Mix::Broken).into_iter().take(30)),
            _ => data.extend(token.bytes()),
        }
    }
    data
}

/// Runs the target.
pub fn run(data: &[u8]) {
    check_decode(data);
    check_enums(data);
    check_scope(data);
    check_names(data);
    check_shown(data);
}

/// UTF-16 as bytes: a lone surrogate becomes the three bytes that UTF-8 would have for it.
pub fn wtf8(units: &[u16]) -> Vec<u8> {
    let mut out = Vec::new();
    for unit in char::decode_utf16(units.iter().copied()) {
        match unit {
            Ok(character) => out.extend(character.encode_utf8(&mut [0; 4]).bytes()),
            Err(lone) => {
                let unit = u32::from(lone.unpaired_surrogate());
                out.extend([0xe0 | (unit >> 12) as u8, 0x80 | (unit >> 6 & 63) as u8, 0x80 | (unit & 63) as u8]);
            }
        }
    }
    out
}

fn check_decode(content: &[u8]) {
    let value = [b"\"", content, b"\""].concat();
    let theirs = serde_json::from_slice::<String>(&value);
    let reference = json::parse(&value, 1);
    if let Ok(text) = theirs {
        assert_eq!(decode(content).as_ref(), text.as_bytes());
        assert_eq!(string_text(&value).as_deref(), Some(text.as_bytes()));
    }
    match reference {
        Ok(document) => {
            let Json::String(text) = document.root else { return };
            assert_eq!(text.raw.as_bytes(), content);
            assert_eq!(decode(content).as_ref(), wtf8(&text.units()));
            check_ids(&text.units());
        }
        // What is no string is never decoded, but decoding it must not fail.
        Err(_) => drop(decode(content)),
    }
    if !content.starts_with(b"\"") {
        assert_eq!(string_text(content), None);
    }
}

/// An id, decoded. A lone surrogate is one character, and none that an id can have.
fn check_ids(units: &[u16]) {
    let characters = || char::decode_utf16(units.iter().copied()).map(|unit| unit.unwrap_or('\u{fffd}'));
    let legal = |letter: char| letter.is_ascii_alphanumeric() || "-:.+%_#*?!(),=@;$'".contains(letter);
    let length = characters().count();
    let bad = characters().enumerate().find(|(_, letter)| !legal(*letter));
    let want = [
        bad.map(|(at, character)| IdFault::Character { character, at }),
        (length == 0 || length > 128).then_some(IdFault::Length { characters: length }),
    ];
    let id = wtf8(units);
    assert_eq!(check_id(&id), want, "{id:?}");
    assert_eq!(is_system_module(&id), characters().next() == Some('$'));
}

fn check_enums(text: &[u8]) {
    let naive = |names: &[&str]| {
        let text = std::str::from_utf8(text).ok()?;
        let by_number = (0..names.len()).find(|number| number.to_string() == text);
        by_number.or_else(|| names.iter().position(|name| name.eq_ignore_ascii_case(text)))
    };
    assert_eq!(ImportMode::from_text(text).map(|mode| mode as usize), naive(&IMPORT_MODES));
    assert_eq!(AuthenticationType::from_text(text).map(|kind| kind as usize), naive(&AUTHENTICATION_TYPES));
}

fn check_scope(scope: &[u8]) {
    let naive = || {
        let text = scope.strip_prefix(b"ms-azure-iot-edge://")?;
        let dash = (0..text.len()).rev().find(|at| text[*at] == b'-')?;
        let suffix = &text[dash + 1..];
        let digits = !suffix.is_empty() && suffix.iter().all(|byte| b"0123456789".contains(byte));
        (digits && dash > 0).then_some(&text[..dash])
    };
    assert_eq!(scope_parent(scope), naive());
}

fn check_names(name: &[u8]) {
    let exact = Member::ALL.into_iter().find(|member| member.name().as_bytes() == name);
    assert_eq!(Member::from_name(name), exact);
    let lower = name.to_ascii_lowercase();
    let folded = Member::ALL.into_iter().find(|member| member.name().to_ascii_lowercase().as_bytes() == lower);
    assert_eq!(Member::from_case_variant(name), if exact.is_some() { None } else { folded });
}

/// Whether a text in lower case has the name of a secret with a value after it.
fn tells_secret(lower: &str, kind: TextKind) -> bool {
    let names = ["sharedaccesskey", "accountkey", "primarykey", "secondarykey"];
    let signed = ["sharedaccesssignature ", "sig=", "sig%3d", "sig%253d"];
    let separators: &[char] = &['"', '\'', '=', ':', '\\'];
    let follows = |marker: &str, signs: &[&str]| {
        lower.match_indices(marker).any(|(at, _)| {
            let after = &lower[at + marker.len()..];
            let value = after.trim_start_matches(|letter: char| letter.is_whitespace() || separators.contains(&letter));
            let between = &after[..after.len() - value.len()];
            !value.is_empty() && (signs.is_empty() || signs.iter().any(|sign| between.contains(sign)))
        })
    };
    let signs: &[&str] = if kind == TextKind::Free { &[] } else { &["=", "\":", "':"] };
    signed.iter().any(|marker| follows(marker, &[])) || names.iter().any(|marker| follows(marker, signs))
}

/// What people are shown holds no secret by its usual names or looks, and nothing that a terminal would not show.
fn check_shown(text: &[u8]) {
    let text = String::from_utf8_lossy(text);
    for kind in [TextKind::Path, TextKind::Name, TextKind::Free] {
        let shown = redacted(&text, kind);
        assert!(!tells_secret(&shown.to_ascii_lowercase(), kind), "{text:?} is shown as {shown:?}");
        assert!(kind == TextKind::Path || !shown.contains(KEY), "{text:?} is shown as {shown:?}");
        // What looks like no secret is shown as it is.
        let harmless = text.chars().all(|letter| "abcdefgh .:/-".contains(letter)) && text.len() <= 20;
        assert!(!harmless || shown == text, "{text:?} is shown as {shown:?}");
    }
    let printed = Printable(&text).to_string();
    assert!(!printed.chars().any(|letter| letter.is_control() || ('\u{202a}'..='\u{202e}').contains(&letter)));
}
