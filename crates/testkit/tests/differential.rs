//! Responsible for: that the reference parser agrees with serde_json and simd-json about what is JSON, on generated,
//! broken and fixed lines, but for the differences written down in [`others`](hubmill_testkit::others).

use hubmill_testkit::generate::{Kind, file, line};
use hubmill_testkit::json::{check_json, parse};
use hubmill_testkit::mutate::{mutate, splice};
use hubmill_testkit::others;
use hubmill_testkit::rng::Rng;
use hubmill_testkit::strategy;
use proptest::prelude::*;
use std::path::Path;

/// Compares what all parsers say of a line; returns whether it is JSON.
fn agree(line: &[u8]) -> Result<bool, String> {
    others::agree(line, &parse(line, 200))
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
