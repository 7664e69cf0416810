//! Responsible for: repeatable export lines that look like a hub's (§1.4, §7), and whole files of them.
//! Not for: lines that a hub would not write; those are in [`hostile`] and [`mutate`](crate::mutate).

use crate::hostile;
use crate::rng::Rng;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

/// The shapes of lines that can be generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Identities of every kind without twins, some 335 bytes each: [`identity_line`].
    Identity,
    /// Identities with twins, some 3.1 KB each: [`twin_line`].
    Twin,
    /// Every line has another structure: [`hostile::structure_line`].
    EveryLineAnother,
    /// Nested as deep as the default limit allows: [`hostile::deep_line`].
    Deep,
    /// Long strings of nothing but escapes: [`hostile::escapes_line`].
    Escapes,
    /// No ASCII letter where another will do: [`hostile::non_ascii_line`].
    NonAscii,
    /// A thousand members of unknown names in every line: [`hostile::names_line`].
    ManyNames,
    /// Not one valid line: [`hostile::invalid_line`].
    AllInvalid,
    /// The shortest valid line, 10 bytes; the ids repeat: [`hostile::ten_byte_line`].
    TenBytes,
    /// One line of exactly 16 MiB, the default limit: [`hostile::huge_line`].
    Huge,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::Identity,
        Self::Twin,
        Self::EveryLineAnother,
        Self::Deep,
        Self::Escapes,
        Self::NonAscii,
        Self::ManyNames,
        Self::AllInvalid,
        Self::TenBytes,
        Self::Huge,
    ];
}

/// Appends the line `index` of the file of this kind and seed to `out`, without `\n`.
pub fn line(kind: Kind, seed: u64, index: u64, out: &mut Vec<u8>) {
    match kind {
        Kind::Identity => identity_line(seed, index, out),
        Kind::Twin => twin_line(seed, index, out),
        Kind::EveryLineAnother => hostile::structure_line(seed, index, out),
        Kind::Deep => hostile::deep_line(seed, index, out),
        Kind::Escapes => hostile::escapes_line(seed, index, out),
        Kind::NonAscii => hostile::non_ascii_line(seed, index, out),
        Kind::ManyNames => hostile::names_line(1_000, index, out),
        Kind::AllInvalid => hostile::invalid_line(seed, index, out),
        Kind::TenBytes => hostile::ten_byte_line(seed, index, out),
        Kind::Huge => hostile::huge_line(16 << 20, index, out),
    }
}

/// The bytes of a file of so many lines, each with its `\n`.
#[must_use]
pub fn file(kind: Kind, lines: u64, seed: u64) -> Vec<u8> {
    let mut out = Vec::new();
    for index in 0..lines {
        line(kind, seed, index, &mut out);
        out.push(b'\n');
    }
    out
}

/// Writes a file of so many lines and returns its size in bytes.
///
/// # Errors
/// If the file can't be written.
pub fn write_file(kind: Kind, lines: u64, seed: u64, path: &Path) -> io::Result<u64> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    let mut bytes = 0;
    let mut buffer = Vec::new();
    for index in 0..lines {
        buffer.clear();
        line(kind, seed, index, &mut buffer);
        buffer.push(b'\n');
        file.write_all(&buffer)?;
        bytes += buffer.len() as u64;
    }
    file.flush()?;
    Ok(bytes)
}

/// Appends an export line without a twin, without `\n`. Out of 16 lines one is an edge device, two its system modules,
/// one its own module, one its child; the rest are devices of every authentication. No two lines have the same `id` and
/// `moduleId`.
pub fn identity_line(seed: u64, index: u64, out: &mut Vec<u8>) {
    let mut rng = Rng::for_line(seed, index, 1);
    let shape = Shape::of(index);
    head(&mut rng, seed, index, &shape, out);
    tail(&mut rng, seed, index, &shape, out);
}

/// Appends an export line with a twin, without `\n`: tags, desired and reported with `$metadata` and `$version` as in
/// exports before 2024 (§1.4).
pub fn twin_line(seed: u64, index: u64, out: &mut Vec<u8>) {
    let mut rng = Rng::for_line(seed, index, 2);
    let shape = Shape::of(index);
    head(&mut rng, seed, index, &shape, out);
    twin(&mut rng, out);
    tail(&mut rng, seed, index, &shape, out);
}

/// The place of a line among the 16 that repeat.
struct Shape {
    /// The line of the edge device that this one belongs to, if it belongs to one.
    edge: Option<u64>,
    module: Option<&'static str>,
    own_scope: bool,
}

impl Shape {
    fn of(index: u64) -> Self {
        let base = index - index % 16;
        let edge = base + 9;
        match index % 16 {
            9 => Self { edge: Some(edge), module: None, own_scope: true },
            10 => Self { edge: Some(edge), module: Some("$edgeAgent"), own_scope: false },
            11 => Self { edge: Some(edge), module: Some("$edgeHub"), own_scope: false },
            12 => Self { edge: Some(edge), module: Some("temperature-filter"), own_scope: false },
            13 => Self { edge: Some(edge), module: None, own_scope: false },
            _ => Self { edge: None, module: None, own_scope: false },
        }
    }
}

/// The id of a line's device: every index another, in the ways in which people name devices (§3.1).
fn device_id(seed: u64, index: u64, out: &mut Vec<u8>) {
    let mut rng = Rng::for_line(seed, index, 3);
    let random = rng.next_u64();
    let short = random & 0xFFFF;
    put(
        out,
        format_args!(
            "{}",
            match rng.below(6) {
                0 => format!("Device{index:08}"),
                1 => format!(
                    "{:08x}-{:04x}-4{:03x}-{:04x}-{index:012x}",
                    random >> 32,
                    short,
                    short >> 4,
                    0x8000 | (short >> 2)
                ),
                2 => format!("sensor-{}-{index:07}", rng.pick(&["berlin", "lyon", "osaka", "austin", "pune"])),
                3 => format!("Hub_{index:08}_{:012x}", random & 0xFFFF_FFFF_FFFF),
                4 => format!("factory{}.line-{}.press:{index}", rng.below(9) + 1, rng.below(20) + 1),
                _ => format!("{:02X}%3A{short:04X}#{index}@meter", random >> 56),
            }
        ),
    );
}

fn scope(seed: u64, edge: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(b"ms-azure-iot-edge://");
    device_id(seed, edge, out);
    let generation = 637_000_000_000_000_000 + Rng::for_line(seed, edge, 4).next_u64() % 1_000_000_000_000_000;
    put(out, format_args!("-{generation}"));
}

fn head(rng: &mut Rng, seed: u64, index: u64, shape: &Shape, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"id\":\"");
    let own_id = shape.module.is_none();
    device_id(seed, if own_id { index } else { shape.edge.unwrap_or(index) }, out);
    out.push(b'"');
    if let Some(module) = shape.module {
        put(out, format_args!(",\"moduleId\":\"{module}\""));
    }
    let etag = base64_simd::STANDARD.encode_to_string(rng.below(2_000_000_000).to_string());
    let disabled = own_id && rng.chance(8);
    put(out, format_args!(",\"eTag\":\"{etag}\",\"status\":\"{}\"", if disabled { "disabled" } else { "enabled" }));
    if disabled {
        let reason = rng.pick(&[
            "retired 2023",
            "gestört – Wartung bis März",
            "\\u00fcberpr\\u00fcft",
            "returned \\\"as is\\\", see case 4711",
            "修理中",
            "stolen 🚚",
            "batch 7\\/12\\tscrapped",
        ]);
        put(out, format_args!(",\"statusReason\":\"{reason}\""));
    } else if own_id && rng.chance(50) {
        out.extend_from_slice(b",\"statusReason\":\"\"");
    }
    out.extend_from_slice(b",\"authentication\":");
    authentication(rng, shape, out);
}

fn authentication(rng: &mut Rng, shape: &Shape, out: &mut Vec<u8>) {
    let draw = rng.below(100);
    match (shape.module, shape.edge) {
        (Some(module), _) if module.starts_with('$') => full_authentication(&NO_KEYS, "none", out),
        (None, None) if draw < 6 => out.extend_from_slice(b"null"),
        (_, None) if draw < 18 => {
            let bytes = if rng.chance(25) { 32 } else { 20 };
            let primary = Some(thumbprint(rng, bytes));
            let secondary = rng.chance(50).then(|| thumbprint(rng, bytes));
            full_authentication(&[None, None, primary, secondary], "selfSigned", out);
        }
        (_, None) if draw < 26 => full_authentication(&NO_KEYS, "certificateAuthority", out),
        _ => {
            let bytes = if draw < 32 { 16 } else { 32 };
            let keys = [Some(key(rng, bytes)), Some(key(rng, bytes)), None, None];
            full_authentication(&keys, "sas", out);
        }
    }
}

/// No keys and no thumbprints.
const NO_KEYS: [Option<String>; 4] = [const { None }; 4];

/// The full shape of §1.2: two keys, two thumbprints, the type last.
fn full_authentication(values: &[Option<String>; 4], kind: &str, out: &mut Vec<u8>) {
    let [primary_key, secondary_key, primary, secondary] = values.each_ref().map(|value| match value {
        Some(text) => format!("\"{text}\""),
        None => "null".to_owned(),
    });
    put(
        out,
        format_args!(
            "{{\"symmetricKey\":{{\"primaryKey\":{primary_key},\"secondaryKey\":{secondary_key}}},\"x509Thumbprint\":\
         {{\"primaryThumbprint\":{primary},\"secondaryThumbprint\":{secondary}}},\"type\":\"{kind}\"}}"
        ),
    );
}

/// A made-up key without a zero byte, in base64 (§4).
pub fn key(rng: &mut Rng, bytes: usize) -> String {
    let key: Vec<u8> = (0..bytes).map(|_| rng.nonzero_byte()).collect();
    base64_simd::STANDARD.encode_to_string(key)
}

/// A made-up thumbprint of so many bytes: 20 is SHA-1, 32 is SHA-256 (§3.4).
pub fn thumbprint(rng: &mut Rng, bytes: usize) -> String {
    (0..bytes).map(|_| format!("{:02X}", rng.below(256))).collect()
}

fn tail(rng: &mut Rng, seed: u64, index: u64, shape: &Shape, out: &mut Vec<u8>) {
    let edge = shape.own_scope;
    put(out, format_args!(",\"capabilities\":{{\"iotEdge\":{edge}}}"));
    match shape.edge {
        Some(edge) if shape.module.is_none() => {
            out.extend_from_slice(b",\"deviceScope\":\"");
            scope(seed, edge, out);
            out.push(b'"');
        }
        None if rng.chance(10) && index % 16 != 13 => out.extend_from_slice(b",\"deviceScope\":null"),
        _ => {}
    }
    out.push(b'}');
}

fn twin(rng: &mut Rng, out: &mut Vec<u8>) {
    let version = rng.below(4000) as u64 + 1;
    let etag = base64_simd::STANDARD.encode_to_string(version.to_be_bytes());
    put(
        out,
        format_args!(
            ",\"twinETag\":\"{etag}\",\"tags\":{{\"location\":{{\"region\":\"{}\",\"building\":\"{}\",\"floor\":{},\"geo\":[{}.{:05},{}.{:04}0]}},",
            rng.pick(&["EU-West", "Île-de-France", "関西", "US East 2"]),
            rng.pick(&["43", "Werk Süd", "B\\u00e2timent 7", "A/12"]),
            rng.below(30),
            rng.below(90),
            rng.below(100_000),
            rng.below(180),
            rng.below(10_000)
        ),
    );
    put(
        out,
        format_args!(
            "\"customer\":\"C-{:06}\",\"installed\":\"20{:02}-{:02}-{:02}T08:15:00.0000000Z\",\"site\":{{\"manager\":\"Zoë O'Neill\",\"shift\":[1,2,3],\"critical\":{}}}}},\"properties\":{{\"desired\":{{",
            rng.below(1_000_000),
            15 + rng.below(10),
            1 + rng.below(12),
            1 + rng.below(28),
            rng.chance(20)
        ),
    );
    let desired = ["telemetry", "thermostat", "firmware", "network"];
    section(rng, &desired, version, out);
    out.extend_from_slice(b"},\"reported\":{");
    let reported = ["telemetry", "thermostat", "firmware", "network", "battery"];
    section(rng, &reported, version / 2 + 1, out);
    out.extend_from_slice(b"}}");
}

/// The groups of a twin's section, then the `$metadata` that mirrors them, then `$version`.
fn section(rng: &mut Rng, groups: &[&str], version: u64, out: &mut Vec<u8>) {
    for group in groups {
        put(
            out,
            format_args!(
                "\"{group}\":{{\"interval\":\"PT{}S\",\"level\":{}.{}0,\"limit\":{},\"label\":\"{}\",\"on\":{}}},",
                rng.below(900),
                rng.below(200),
                rng.below(10),
                rng.pick(&["1E+2", "-40", "4503599627370495", "75.10", "-0.0"]),
                rng.pick(&["Größe 3", "line\\n2", "ok", "v1.4.2-rc1", "\\u2713 checked"]),
                rng.chance(50)
            ),
        );
    }
    let (month, second, fraction) = (1 + rng.below(12), rng.below(60), rng.below(10_000_000));
    let stamp = format!(
        "\"$lastUpdated\":\"2023-{month:02}-14T18:30:{second:02}.{fraction:07}Z\",\"$lastUpdatedVersion\":{version}"
    );
    put(out, format_args!("\"$metadata\":{{{stamp}"));
    for group in groups {
        put(out, format_args!(",\"{group}\":{{{stamp},\"level\":{{{stamp}}}}}"));
    }
    put(out, format_args!("}},\"$version\":{version}"));
}

/// Appends formatted text; a `Vec` can't fail to take it.
pub(crate) fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    let _always_fits = out.write_fmt(text);
}

#[cfg(test)]
#[path = "generate_tests.rs"]
mod tests;
