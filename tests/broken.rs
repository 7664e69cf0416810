//! A hundred thousand lines, one in fifty broken in every way there is: every good line is written, every bad one is in
//! the rejects, byte for byte and in order.

use std::fs;

use hubmill_testkit::generate::identity_line;
use hubmill_testkit::mutate::mutate;
use hubmill_testkit::oracle::{Outcome, transform};
use hubmill_testkit::process::run;
use hubmill_testkit::rng::Rng;
use hubmill_testkit::rules::Rules;

const LINES: u64 = 100_000;

#[test]
fn every_good_line_is_written_and_every_bad_one_is_kept_beside() {
    let (mut input, mut good, mut bad, mut blank) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut rng = Rng::new(2026);
    let mut broken = 0;
    for index in 0..LINES {
        let mut line = Vec::new();
        identity_line(3, index, &mut line);
        let mut to = &mut good;
        // Not the first line: without a bracket that would be a notice.
        if index % 50 == 7 {
            line = mutate(&mut rng, &line);
            let mut second = b"{}\n".to_vec();
            second.extend_from_slice(&line);
            second.push(b'\n');
            let expected = transform(&Rules::default(), &second);
            match &expected.lines[1].outcome {
                Outcome::Rejected { .. } => {
                    broken += 1;
                    to = &mut bad;
                }
                Outcome::Blank => to = &mut blank,
                // By chance it is still valid.
                Outcome::Written { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        line.push(b'\n');
        to.extend_from_slice(&line);
        input.extend_from_slice(&line);
        assert!(!line.ends_with(b"\r\n"), "a line end that would not be written back");
    }
    assert!(broken > LINES / 100, "only {broken} lines are broken");
    let folder = tempfile::tempdir().unwrap();
    let rejects = folder.path().join("rejects");
    let arguments = ["transform", "-q", "--rejects", rejects.to_str().unwrap()];
    let answer = run(env!("CARGO_BIN_EXE_hubmill").as_ref(), arguments, &input).unwrap();
    assert_eq!(answer.code, 1);
    assert!(answer.stdout == good, "the good lines");
    assert!(fs::read(rejects).unwrap() == bad, "the bad lines");
}
