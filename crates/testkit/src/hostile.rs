//! Responsible for: repeatable lines of shapes that no hub writes but that a tool must take: deep, huge, tiny, all
//! escapes, all names, all invalid. All but the invalid ones are valid devices with an id and a status, unless said otherwise.
//! Not for: lines broken at random; see [`mutate`](crate::mutate).

use crate::generate::put;
use crate::rng::Rng;

/// Appends a line whose structure no other line shares: members in another order, unknown ones among them, each value
/// nested another way.
pub fn structure_line(seed: u64, index: u64, out: &mut Vec<u8>) {
    let mut rng = Rng::for_line(seed, index, 10);
    let mut members = vec![
        format!("\"id\":\"odd-{index}\""),
        "\"status\":\"enabled\"".to_owned(),
        "\"authentication\":{\"type\":\"sas\",\"symmetricKey\":null}".to_owned(),
    ];
    for number in 0..rng.below(12) {
        let mut value = String::new();
        any_value(&mut rng, 6, &mut value);
        members.push(format!("\"member{number}\":{value}"));
    }
    for last in (1..members.len()).rev() {
        members.swap(last, rng.below(last + 1));
    }
    let space = rng.pick(&["", "", " ", "\t", "  "]);
    put(out, format_args!("{space}{{{space}{}{space}}}{space}", members.join(&format!("{space},{space}"))));
}

fn any_value(rng: &mut Rng, deep: usize, out: &mut String) {
    let choices = if deep == 0 { 6 } else { 8 };
    match rng.below(choices) {
        0 => out.push_str("null"),
        1 => out.push_str(rng.pick(&["true", "false"])),
        2 => out.push_str(rng.pick(&["0", "-0", "1.50", "1E+400", "18446744073709551616", "-1e-7", "123456789"])),
        3 => out.push_str(rng.pick(&["\"\"", "\"{[,:]}\"", "\"\\\\\"", "\"\\\"\"", "\"\\u007B\"", "\"a\\\\\\\"b\""])),
        4 => {
            out.push('"');
            out.extend((0..rng.below(70)).map(|_| char::from(b'a' + u8::try_from(rng.below(26)).unwrap_or(0))));
            out.push('"');
        }
        5 => out.push_str(rng.pick(&["{}", "[]", "[ ]", "{ }"])),
        6 => {
            out.push('[');
            for number in 0..=rng.below(4) {
                out.push_str(if number > 0 { "," } else { "" });
                any_value(rng, deep - 1, out);
            }
            out.push(']');
        }
        _ => {
            out.push('{');
            for number in 0..=rng.below(4) {
                out.push_str(if number > 0 { ", " } else { "" });
                out.push_str(&format!("\"{number}\":"));
                any_value(rng, deep - 1, out);
            }
            out.push('}');
        }
    }
}

/// Appends a line that is exactly 128 deep, the default limit.
pub fn deep_line(seed: u64, index: u64, out: &mut Vec<u8>) {
    let mut rng = Rng::for_line(seed, index, 11);
    put(out, format_args!("{{\"id\":\"deep-{index}\",\"status\":\"enabled\",\"tags\":"));
    let mut ends = Vec::new();
    for _ in 0..127 {
        if rng.chance(50) {
            out.push(b'[');
            ends.push(b']');
        } else {
            out.extend_from_slice(b"{\"a\":");
            ends.push(b'}');
        }
    }
    out.extend_from_slice(b"\"bottom\"");
    ends.reverse();
    out.extend_from_slice(&ends);
    out.push(b'}');
}

/// Appends a line of 2 to 6 KB of nothing but escapes, so that every run of backslashes ends somewhere else.
pub fn escapes_line(seed: u64, index: u64, out: &mut Vec<u8>) {
    let mut rng = Rng::for_line(seed, index, 12);
    put(out, format_args!("{{\"\\u0069d\":\"\\u0065sc-{index}\",\"\\u0073tatus\":\"enabled\",\"statusReason\":\""));
    for _ in 0..500 + rng.below(1000) {
        out.extend_from_slice(
            rng.pick(&[
                "\\\\",
                "\\\\",
                "\\\"",
                "\\/",
                "\\b",
                "\\f",
                "\\n",
                "\\r",
                "\\t",
                "\\u0000",
                "\\u00e9",
                "\\uD83D\\uDE00",
                "\\uFFFF",
                "\\\\\\\\\\\\\\\"",
                "\\u005c\\u0022",
            ])
            .as_bytes(),
        );
    }
    out.extend_from_slice(b"\"}");
}

/// Appends a line of 2 to 5 KB in which every letter that may be is outside ASCII: two, three and four bytes long, in
/// every position against a block of 64 bytes.
pub fn non_ascii_line(seed: u64, index: u64, out: &mut Vec<u8>) {
    let mut rng = Rng::for_line(seed, index, 13);
    put(out, format_args!("{{\"id\":\"utf8-{index}\",\"status\":\"enabled\",\"tags\":{{"));
    for tag in 0..5 + rng.below(10) {
        let comma = if tag > 0 { "," } else { "" };
        let (name, value) = (non_ascii_text(&mut rng), non_ascii_text(&mut rng));
        put(out, format_args!("{comma}\"{name}\":\"{value}\""));
    }
    out.extend_from_slice(b"}}");
}

fn non_ascii_text(rng: &mut Rng) -> String {
    let letters = [
        "é",
        "ß",
        "Ω",
        "я",
        "中",
        "の",
        "€",
        "𝄞",
        "🚀",
        "\u{7ff}",
        "\u{800}",
        "\u{ffff}",
        "\u{10000}",
        "\u{10ffff}",
        "\u{2028}",
        "\u{feff}",
        "\u{a0}",
        "\u{85}",
        "\u{80}",
    ];
    (0..20 + rng.below(40)).map(|_| rng.pick(&letters)).collect()
}

/// Appends a line that is not JSON: the faults are of the grammar, of UTF-8 and of closing brackets.
pub fn invalid_line(seed: u64, index: u64, out: &mut Vec<u8>) {
    let mut rng = Rng::for_line(seed, index, 14);
    put(out, format_args!("{{\"id\":\"bad-{index}\",\"status\":\"enabled\",\"tags\":{{\"a\":"));
    let bad: &[&[u8]] = &[
        b"\"unclosed}}",
        b"01}}",
        b"1.}}",
        b"nul}}",
        b"\"\\x\"}}",
        b"\"\\u12\"}}",
        b"\"\xff\"}}",
        b"\"\xc0\xaf\"}}",
        b"\"\t\"}}",
        b"1,}}",
        b"[1}}",
        b"1}",
        b"1}}}",
        b"1}} 1",
        b"'a'}}",
        b"\"a\" \"b\"}}",
        b"}}",
        b"{\"b\"}}}",
        b"\"a\\\"}}",
        b"\"\xed\xa0\x80\"}}",
    ];
    out.extend_from_slice(rng.pick(bad));
}

/// Appends a line of 10 bytes, `{"id":"x"}`. It has no status, and the ids repeat.
pub fn ten_byte_line(_seed: u64, index: u64, out: &mut Vec<u8>) {
    let letters = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.+%_#*?!(),=@;$':";
    let letter = letters[usize::try_from(index).unwrap_or(0) % letters.len()];
    put(out, format_args!("{{\"id\":\"{}\"}}", char::from(letter)));
}

/// Appends a line with `names` members that no hub knows, no two of one name, in an order that is not theirs.
pub fn names_line(names: usize, index: u64, out: &mut Vec<u8>) {
    put(out, format_args!("{{\"id\":\"names-{index}\",\"status\":\"enabled\""));
    // A prime step goes through all of them once.
    const STEP: usize = 7_919;
    let modulus = if names.is_multiple_of(STEP) { names + 1 } else { names };
    for place in (0..modulus).map(|number| number * STEP % modulus).filter(|place| *place < names) {
        put(out, format_args!(",\"n{place}\":{index}"));
    }
    out.push(b'}');
}

/// Appends a line of exactly `bytes` bytes (at least 200): one string of text, escapes and quotes.
pub fn huge_line(bytes: usize, index: u64, out: &mut Vec<u8>) {
    let end = out.len() + bytes;
    put(out, format_args!("{{\"id\":\"huge-{index}\",\"status\":\"enabled\",\"statusReason\":\""));
    let tail = b"\",\"authentication\":null}";
    let unit = "plain text, \\\"quoted\\\" \\\\ {[]}:, \\u00e9 é ".as_bytes();
    while out.len() + unit.len() + tail.len() <= end {
        out.extend_from_slice(unit);
    }
    out.resize(end - tail.len(), b'.');
    out.extend_from_slice(tail);
}
