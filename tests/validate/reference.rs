//! Every line of the fixtures and of generated data is found to be what the reference checker finds it to be.

use std::fs;

use hubmill_testkit::checker::{self, Found, Limits};
use hubmill_testkit::generate::{Kind, file};
use hubmill_testkit::mutate::mutate_members;
use hubmill_testkit::process::fixture_files;
use hubmill_testkit::rng::Rng;
use hubmill_testkit::siblings;

use crate::findings_of;

const LIMITS: Limits = Limits { line_bytes: 16 << 20, depth: 128 };

fn given(args: &[&str], input: &[u8]) -> Found {
    let codes = hubmill_device::Code::ALL;
    let found = findings_of(args, input);
    found
        .iter()
        .map(|finding| {
            let code = codes.iter().find(|code| finding["code"] == code.as_str()).expect("a known code");
            (finding["line"].as_u64().expect("a line"), code.as_str(), finding["severity"] == "error")
        })
        .collect()
}

#[test]
fn of_all_fixtures() {
    for folder in ["export", "import", "valid", "findings"] {
        for path in fixture_files(folder).expect("a folder") {
            let input = fs::read(&path).expect("a file");
            assert_eq!(given(&[], &input), checker::check(&input, LIMITS), "{}", path.display());
        }
    }
}

#[test]
fn of_generated_files_and_of_broken_ones() {
    let kinds = [Kind::Identity, Kind::Twin, Kind::EveryLineAnother, Kind::NonAscii, Kind::TenBytes, Kind::AllInvalid];
    let mut rng = Rng::new(11);
    for kind in kinds {
        let whole = file(kind, 150, 3);
        let mut broken = whole[..whole.iter().position(|byte| *byte == b'\n').expect("a line") + 1].to_vec();
        for line in whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            broken.extend(mutate_members(&mut rng, line).into_iter().filter(|byte| *byte != b'\n'));
            broken.push(b'\n');
        }
        for input in [&whole, &broken] {
            let want = checker::check(input, LIMITS);
            for threads in ["1", "2"] {
                assert_eq!(given(&["-j", threads], input), want, "{kind:?}");
            }
        }
    }
}

/// Lines of a form that was met before are checked by what is remembered of it: their values are others.
#[test]
fn of_lines_whose_forms_were_met_before() {
    let mut rng = Rng::new(12);
    for kind in [Kind::Identity, Kind::Twin] {
        let models = file(kind, 32, 5);
        let mut input = models.repeat(2);
        for _ in 0..8 {
            input.extend(siblings::of(&models, &mut rng));
        }
        let mut other_text = input.clone();
        // Names that no rule knows, and white space, make other forms.
        for (from, to) in
            [("\"level\":", "\"level.\" : "), ("{\"primaryKey\"", "{ \"primaryKey\""), ("\"eTag\"", "\"etag\"")]
        {
            let text = String::from_utf8(other_text).expect("text").replacen(from, to, 200);
            other_text = text.into_bytes();
        }
        for input in [&input, &other_text] {
            assert_eq!(given(&["-j", "1"], input), checker::check(input, LIMITS), "{kind:?}");
        }
    }
}
