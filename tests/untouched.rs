//! Responsible for: that what no rule touches leaves as it came, to the byte.
//! Not for: what rules do; see `transform`.

mod support;

use hubmill_testkit::generate::{Kind, file};
use hubmill_testkit::lines;
use hubmill_testkit::process::fixture_files;
use std::fs;
use support::{Folder, assert_answer, transform};

/// The input less byte order mark, notice, blank lines and `\r` at line ends; every line ends in `\n`.
fn copied(input: &[u8]) -> Vec<u8> {
    let lines = lines::split(input);
    let kept = lines.iter().filter(|line| !line.is_blank() && !line.is_notice());
    kept.flat_map(|line| line.text().iter().copied().chain([b'\n'])).collect()
}

#[test]
fn fixtures_pass_untouched() {
    let mut count = 0;
    for folder in ["export", "import", "valid"] {
        for path in fixture_files(folder).expect("a folder") {
            let name = path.to_str().expect("a plain name");
            let input = fs::read(&path).expect("a fixture");
            let wanted = copied(&input);
            for args in
                [["--mmap", "never", name].as_slice(), &["--mmap", "always", name], &["-"], &["--check", "none"]]
            {
                let stdin: &[u8] = if args.contains(&name) { b"" } else { &input };
                let answer = transform(args, stdin);
                assert_eq!(answer.stderr_text().matches("error").count(), 0, "{name}: {}", answer.stderr_text());
                assert!(answer.stdout == wanted, "{name} {args:?}: {:?}", answer.stdout_text());
                assert_eq!(answer.code, 0, "{name} {args:?}");
            }
            count += 1;
        }
    }
    assert!(count >= 90, "only {count} fixtures were found");
}

#[test]
fn all_fixtures_in_one_file_pass_untouched() {
    let mut all = Vec::new();
    for path in ["export", "import", "valid"].into_iter().flat_map(|folder| fixture_files(folder).expect("a folder")) {
        let input = fs::read(path).expect("a fixture");
        // A byte order mark or a notice is none but at the start.
        all.extend(copied(&input));
    }
    let answer = transform(&["-j", "2"], &all);
    assert_answer(&answer, 0, &all);
}

#[test]
fn generated_lines_pass_untouched() {
    for (kind, count) in [
        (Kind::Identity, 300),
        (Kind::Twin, 100),
        (Kind::EveryLineAnother, 1000),
        (Kind::Deep, 100),
        (Kind::Escapes, 100),
        (Kind::NonAscii, 100),
        (Kind::TenBytes, 1000),
    ] {
        let input = file(kind, count, 11);
        assert_answer(&transform::<&str>(&[], &input), 0, &input);
    }
}

/// Values whose spelling a parser that reads into numbers, strings and maps would change.
const SPELLINGS: [&str; 44] = [
    "0",
    "-0",
    "0.0",
    "-0.0",
    "1.0",
    "1.50",
    "75.10",
    "1e5",
    "1E5",
    "1e+5",
    "1E-5",
    "1e05",
    "1e400",
    "-1e400",
    "1e-400",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775809",
    "9007199254740993",
    "0.1000000000000000055511151231257827",
    "123456789012345678901234567890",
    "\"\"",
    "\"\\/\"",
    "\"/\"",
    "\"\\u0041\"",
    "\"\\u00e9\"",
    "\"\\u00E9\"",
    "\"é\"",
    "\"e\\u0301\"",
    "\"\\ud83d\\ude80\"",
    "\"🚀\"",
    "\"\\ud800\"",
    "\"\\u0000\"",
    "\"\\b\\f\\n\\r\\t\"",
    "\"\\u000a\"",
    "\"\u{7f}\u{80}\u{2028}\u{feff}\"",
    "[]",
    "[ ]",
    "{}",
    "{ }",
    "{\"b\":1,\"a\":2}",
    "{\"a\":1,\"a\":2}",
    "[1,2 , 3]",
    "{\"\":{\"\":[[],{}]}}",
];

#[test]
fn spellings_stay_beside_an_edit() {
    let mut input = String::new();
    let mut wanted = String::new();
    for value in SPELLINGS {
        for (before, after) in [("", ""), (" ", "\t"), ("\r", "  ")] {
            let line = |edited: &str| {
                format!(
                    "{{{before}\"x\"{before}:{value}{after},\"id\":\"\\u0061\"{edited},\"y\"{after}:{before}{value}}}\n"
                )
            };
            input += &line(",\"eTag\":\"t\",\"status\":1");
            wanted += &line(",\"status\":\"disabled\"");
        }
    }
    let answer = transform(&["--strip-etags", "--status", "disabled"], input.as_bytes());
    assert_answer(&answer, 0, wanted);
}

#[test]
fn an_edit_changes_nothing_else_in_generated_lines() {
    for (kind, count) in [(Kind::Identity, 400), (Kind::Twin, 100), (Kind::Escapes, 50), (Kind::NonAscii, 50)] {
        let input = file(kind, count, 12);
        let text = String::from_utf8(input.clone()).expect("valid UTF-8");
        let wanted: String =
            text.lines().map(|line| format!("{},\"importMode\":\"update\"}}\n", &line[..line.len() - 1])).collect();
        assert_answer(&transform(&["--import-mode", "update"], &input), 0, &wanted);
        // And taking it out again gives the line as it was.
        let back = wanted.replace(",\"importMode\":\"update\"}\n", "}\n");
        assert_eq!(back.as_bytes(), input);
    }
}

#[test]
fn forty_members_keep_their_order() {
    let members: Vec<String> = (0..40).map(|number| format!("\"m{}\":{number}", number * 7 % 40)).collect();
    let line = format!("{{{},\"id\":\"a\",\"status\":\"enabled\"}}\n", members.join(","));
    assert_answer(&transform::<&str>(&[], line.as_bytes()), 0, &line);
    let twice = line.replace("\"m7\"", "\"m0\"");
    assert_answer(&transform(&["--check", "none"], twice.as_bytes()), 0, &twice);
    assert_answer(&transform::<&str>(&[], twice.as_bytes()), 1, "");
}

#[test]
fn a_copy_is_the_same_file() {
    let folder = Folder::new();
    let input = file(Kind::Twin, 500, 13);
    let (from, to) = (folder.write("in", &input), folder.arg("out"));
    for mmap in ["never", "always"] {
        assert_answer(&transform(&[&from, "-o", &to, "--mmap", mmap], b""), 0, "");
        assert!(folder.read("out") == input, "{mmap}");
    }
}
