//! Responsible for: what two other parsers, serde_json and simd-json, say of a line, compared with the reference
//! parser. Both must take what it takes and refuse what it refuses, but for the differences written down here.
//! Not for: the product.
//!
//! The differences, each on purpose and each tested in `tests/differential.rs`:
//! - Both refuse an escape of a lone surrogate when they decode a string; it is in the grammar (RFC 8259 §7, §8.2).
//! - simd-json refuses numbers that no `u64`, `i64` or `f64` holds (`1e400`, 2^64 and past it, more digits than it reads).
//! - serde_json refuses anything deeper than 127; the reference takes its own limit.
//! - simd-json takes any depth.

use crate::json::{Document, Fault, Json};

/// Whether a value holds, anywhere, a string for which this is true, or a number.
fn holds(value: &Json, wanted: &dyn Fn(&Json) -> bool) -> bool {
    wanted(value)
        || match value {
            Json::Array(array) => array.items.iter().any(|item| holds(&item.value, wanted)),
            Json::Object(object) => object
                .members
                .iter()
                .any(|member| wanted(&Json::String(member.name.clone())) || holds(&member.value, wanted)),
            _ => false,
        }
}

fn has_lone_surrogate(document: &Document) -> bool {
    holds(&document.root, &|value| matches!(value, Json::String(text) if text.decoded().is_none()))
}

/// A number that a `u64`, an `i64` or an `f64` may not hold: out of range, or of more than 15 digits.
fn has_hard_number(document: &Document) -> bool {
    holds(&document.root, &|value| match value {
        Json::Number(spelling) => {
            let digits = spelling.bytes().take_while(|byte| !b"eE".contains(byte)).filter(u8::is_ascii_digit).count();
            let magnitude = spelling.parse::<f64>().unwrap_or(f64::INFINITY).abs();
            digits > 15 || spelling.contains(['e', 'E']) && !(1e-290..=1e290).contains(&magnitude)
        }
        _ => false,
    })
}

fn depth(value: &Json) -> usize {
    match value {
        Json::Array(array) => 1 + array.items.iter().map(|item| depth(&item.value)).max().unwrap_or(0),
        Json::Object(object) => 1 + object.members.iter().map(|member| depth(&member.value)).max().unwrap_or(0),
        _ => 0,
    }
}

/// Compares what the reference parser said of a line with what the others say; returns whether it is JSON.
///
/// # Errors
/// Who disagrees.
pub fn agree(line: &[u8], ours: &Result<Document, Fault>) -> Result<bool, String> {
    let text = || String::from_utf8_lossy(line);
    let theirs = serde_json::from_slice::<serde_json::Value>(line);
    let simd = simd_json::to_borrowed_value(&mut line.to_vec()).map(drop);
    match ours {
        Err(fault) => {
            if fault.code == "json-depth" {
                return Ok(false);
            }
            if theirs.is_ok() || simd.is_ok() {
                return Err(format!("only the reference refuses {:?}: {fault:?}", text()));
            }
            Ok(false)
        }
        Ok(document) => {
            if document.to_line().as_bytes() != line {
                return Err(format!("{:?} comes back as {:?}", text(), document.to_line()));
            }
            let surrogate = has_lone_surrogate(document);
            if let Err(error) = theirs
                && !surrogate
                && depth(&document.root) <= 127
            {
                return Err(format!("serde_json refuses {:?}: {error}", text()));
            }
            if let Err(error) = simd
                && !surrogate
                && !has_hard_number(document)
            {
                return Err(format!("simd-json refuses {:?}: {error}", text()));
            }
            Ok(true)
        }
    }
}
