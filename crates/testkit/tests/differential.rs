//! Responsible for: that the reference parser agrees with serde_json and simd-json about what is JSON, on generated,
//! broken and fixed lines, but for the differences written down here.
//!
//! The differences, each on purpose and each tested:
//! - Both refuse an escape of a lone surrogate when they decode a string; it is in the grammar (RFC 8259 §7, §8.2).
//! - simd-json refuses numbers that no `u64`, `i64` or `f64` holds (`1e400`, 2^64 and past it, more digits than it reads).
//! - serde_json refuses anything deeper than 127; the reference takes its own limit.
//! - simd-json takes any depth.

use hubmill_testkit::generate::{Kind, file, line};
use hubmill_testkit::json::{Document, Json, check_json, parse};
use hubmill_testkit::mutate::{mutate, splice};
use hubmill_testkit::rng::Rng;
use hubmill_testkit::strategy;
use proptest::prelude::*;
use std::path::Path;

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

/// Checks one line; returns whether it is JSON.
fn agree(line: &[u8]) -> Result<bool, String> {
    let text = String::from_utf8_lossy(line);
    let ours = parse(line, 200);
    let theirs = serde_json::from_slice::<serde_json::Value>(line);
    let simd = simd_json::to_borrowed_value(&mut line.to_vec()).map(drop);
    match &ours {
        Err(fault) => {
            if fault.code == "json-depth" {
                return Ok(false);
            }
            if theirs.is_ok() || simd.is_ok() {
                return Err(format!("only the reference refuses {text:?}: {fault:?}"));
            }
            Ok(false)
        }
        Ok(document) => {
            if document.to_line().as_bytes() != line {
                return Err(format!("{text:?} comes back as {:?}", document.to_line()));
            }
            let surrogate = has_lone_surrogate(document);
            if let Err(error) = theirs
                && !surrogate
                && depth(&document.root) <= 127
            {
                return Err(format!("serde_json refuses {text:?}: {error}"));
            }
            if let Err(error) = simd
                && !surrogate
                && !has_hard_number(document)
            {
                return Err(format!("simd-json refuses {text:?}: {error}"));
            }
            Ok(true)
        }
    }
}

#[test]
fn generated_lines() {
    for kind in Kind::ALL.into_iter().filter(|kind| *kind != Kind::Huge) {
        for index in 0..400 {
            let mut out = Vec::new();
            line(kind, 3, index, &mut out);
            let valid = agree(&out).unwrap_or_else(|why| panic!("{kind:?} {index}: {why}"));
            assert_eq!(valid, kind != Kind::AllInvalid, "{kind:?} {index}");
        }
    }
}

#[test]
fn broken_lines() {
    let kinds = [Kind::Identity, Kind::EveryLineAnother, Kind::Escapes, Kind::NonAscii, Kind::TenBytes];
    let [mut valid, mut invalid] = [0, 0];
    for seed in 0..30_000 {
        let mut rng = Rng::new(seed);
        let (mut first, mut second) = (Vec::new(), Vec::new());
        line(kinds[rng.below(kinds.len())], seed, seed % 64, &mut first);
        line(kinds[rng.below(kinds.len())], seed, seed % 32, &mut second);
        let broken = if rng.chance(10) { splice(&mut rng, &first, &second) } else { mutate(&mut rng, &first) };
        match agree(&broken).unwrap_or_else(|why| panic!("seed {seed}: {why}")) {
            true => valid += 1,
            false => invalid += 1,
        }
    }
    assert!(valid > 5000 && invalid > 10_000, "{valid} valid, {invalid} invalid");
}

#[test]
fn fixtures() {
    for folder in ["export", "import", "valid", "invalid"] {
        for path in hubmill_testkit::process::fixture_files(folder).expect("a folder") {
            let input = std::fs::read(Path::new(&path)).expect("read");
            for line in hubmill_testkit::lines::split(&input) {
                agree(line.text()).unwrap_or_else(|why| panic!("{}: {why}", path.display()));
            }
        }
    }
}

#[test]
fn cuts_of_a_line_are_not_json() {
    let mut whole = file(Kind::Twin, 1, 8);
    whole.pop();
    for end in 0..whole.len() {
        assert_eq!(agree(&whole[..end]), Ok(false), "{end}");
    }
    assert_eq!(agree(&whole), Ok(true));
}

#[test]
fn the_differences_are_still_there() {
    let theirs = |text: &str| serde_json::from_str::<serde_json::Value>(text).is_ok();
    let simd = |text: &str| simd_json::to_borrowed_value(&mut text.as_bytes().to_vec()).is_ok();
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for (text, serde_json_takes, simd_json_takes) in [
        ("\"\\ud800\"".to_owned(), false, false),
        ("1e400".to_owned(), true, false),
        ("18446744073709551616".to_owned(), true, false),
        (nested(128), false, true),
    ] {
        assert!(check_json(text.as_bytes(), 128).is_ok(), "{text}");
        assert_eq!((theirs(&text), simd(&text)), (serde_json_takes, simd_json_takes), "{text}");
    }
    assert!(simd(&nested(129)) && check_json(nested(129).as_bytes(), 128).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_values(value in strategy::value()) {
        prop_assert_eq!(agree(value.as_bytes()), Ok(true));
    }

    #[test]
    fn arbitrary_lines(line in strategy::any_line()) {
        let result = agree(&line);
        prop_assert!(result.is_ok(), "{result:?}");
    }

    #[test]
    fn arbitrary_letters_of_json(line in "[\\[\\]{}:,\"\\\\ 0-9aeu.+tn-]{0,12}") {
        let result = agree(line.as_bytes());
        prop_assert!(result.is_ok(), "{result:?}");
    }
}
