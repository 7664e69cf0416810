//! Responsible for: that every broken line is found, named, placed and saved, and leaves its neighbours alone.
//! Not for: how a finding reads; see `messages`.

mod support;

use hubmill_testkit::json;
use hubmill_testkit::lines::{self, RawLine};
use hubmill_testkit::process::fixture_files;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;
use support::{Folder, assert_answer, json_lines, run, transform, transform_command, with_bad_bytes};

/// A file of `fixtures/invalid`: a good line, bad ones, a good line.
struct Fixture {
    path: PathBuf,
    code: String,
    input: Vec<u8>,
}

impl Fixture {
    fn all() -> Vec<Self> {
        let paths = fixture_files("invalid").expect("a folder");
        assert!(paths.len() >= 250, "only {} fixtures were found", paths.len());
        paths.into_iter().map(Self::new).collect()
    }

    fn new(path: PathBuf) -> Self {
        let input = fs::read(&path).expect("a fixture");
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a plain name").to_owned();
        let (code, reason) = name.split_once("--").unwrap_or_else(|| panic!("{name} is no <code>--<reason>"));
        let bad = reason.split_once("--").map_or(1, |(count, _)| count.parse().expect("a count of lines"));
        let fixture = Self { code: code.to_owned(), path, input };
        assert_eq!(fixture.lines().len(), bad + 2, "{name}");
        fixture
    }

    fn lines(&self) -> Vec<RawLine<'_>> {
        lines::split(&self.input)
    }

    fn bad(&self) -> Vec<RawLine<'_>> {
        let mut lines = self.lines();
        lines.pop();
        lines.split_off(1)
    }

    /// The first line and the last.
    fn good(&self) -> Vec<u8> {
        let lines = self.lines();
        [lines[0].text(), b"\n", lines[lines.len() - 1].text(), b"\n"].concat()
    }

    fn bad_as_read(&self) -> Vec<u8> {
        self.bad().iter().flat_map(|line| [line.read, b"\n"].concat()).collect()
    }
}

fn text<'a>(finding: &'a Value, name: &str) -> &'a str {
    finding[name].as_str().unwrap_or_else(|| panic!("{name} in {finding}"))
}

fn number(finding: &Value, name: &str) -> usize {
    finding[name].as_u64().unwrap_or_else(|| panic!("{name} in {finding}")) as usize
}

#[test]
fn every_fixture_is_rejected_for_its_reason() {
    let folder = Folder::new();
    let (rejects, findings) = (folder.arg("rejects"), folder.arg("findings"));
    for fixture in Fixture::all() {
        let name = fixture.path.display();
        let answer = transform(&["--rejects", &rejects, "--diagnostics", &findings], &fixture.input);
        assert_eq!(answer.code, 1, "{name}: {}", answer.stderr_text());
        assert!(answer.stdout == fixture.good(), "{name}: {:?}", answer.stdout_text());
        assert!(folder.read("rejects") == fixture.bad_as_read(), "{name}: {:?}", folder.read("rejects"));
        let findings = json_lines(&folder.read("findings"));
        for line in fixture.bad() {
            let of_line: Vec<&Value> =
                findings.iter().filter(|finding| number(finding, "line") == line.number as usize).collect();
            let found = of_line.iter().find(|finding| text(finding, "code") == fixture.code);
            let found = found.unwrap_or_else(|| panic!("{name} line {}: {of_line:?}", line.number));
            assert_eq!(text(found, "severity"), "error", "{name}");
            let byte = number(found, "byte");
            assert!((line.at..=line.at + line.read.len()).contains(&byte), "{name}: byte {byte}");
            let shown = format!("error[{}]: line {} (byte {byte}): ", fixture.code, line.number);
            assert!(answer.stderr_text().contains(&shown), "{name}: {}", answer.stderr_text());
        }
        let bad: Vec<usize> = fixture.bad().iter().map(|line| line.number as usize).collect();
        assert!(findings.iter().all(|finding| bad.contains(&number(finding, "line"))), "{name}: {findings:?}");
    }
}

#[test]
fn faults_of_json_are_placed_where_no_line_can_go_on() {
    let folder = Folder::new();
    let findings = folder.arg("findings");
    for fixture in Fixture::all().iter().filter(|fixture| fixture.code.starts_with("json-")) {
        transform(&["--diagnostics", &findings], &fixture.input);
        let findings = json_lines(&folder.read("findings"));
        for line in fixture.bad() {
            let fault = json::parse(line.text(), 128).expect_err("it is in the folder of invalid lines");
            let found = findings.iter().find(|finding| number(finding, "line") == line.number as usize);
            let found = found.expect("it was found");
            let byte = number(found, "byte");
            let place = byte - line.at;
            // Of a bad escape it is the backslash, and the reference says how far the escape could be read.
            let in_escape = line.text().get(place) == Some(&b'\\') && (place + 1..=place + 5).contains(&fault.at);
            let file = fixture.path.display();
            assert_eq!(text(found, "code"), fault.code, "{file}: {found}");
            assert!(place == fault.at || in_escape, "{file}: {} and not {}: {found}", place, fault.at);
        }
    }
}

#[test]
fn every_fixture_can_be_kept() {
    let folder = Folder::new();
    let report = folder.arg("report");
    for fixture in Fixture::all() {
        let name = fixture.path.display();
        // With a rule that changes every line that it can.
        let args = ["--on-invalid", "keep", "--status", "disabled", "--report", &report];
        let answer = transform(&args, &fixture.input);
        assert_eq!(answer.code, 1, "{name}: {}", answer.stderr_text());
        let as_read = String::from_utf8(fixture.good()).expect("good lines");
        let edited = as_read.matches("\"enabled\"").count() as u64;
        let good = as_read.replace("\"enabled\"", "\"disabled\"");
        let (first, last) = good.split_once('\n').expect("two lines");
        let wanted = [first.as_bytes(), b"\n", &fixture.bad_as_read(), last.as_bytes()].concat();
        assert!(answer.stdout == wanted, "{name}: {:?}", answer.stdout_text());
        let report = folder.report("report");
        let bad = fixture.bad().len() as u64;
        let counts = ["written", "invalid_kept", "rejected", "edited"].map(|name| report.number(name));
        assert_eq!(counts, [bad + 2, bad, 0, edited], "{name}");
        assert!(edited > 0);
        report.assert_adds_up();
    }
}

#[test]
fn rejects_can_be_fed_in_again() {
    let folder = Folder::new();
    let (rejects, again) = (folder.arg("rejects"), folder.arg("again"));
    // Those that are a notice on a first line come second.
    let all: Vec<u8> = Fixture::all().iter().flat_map(|fixture| fixture.input.clone()).collect();
    assert_eq!(transform(&["--rejects", &rejects], &all).code, 1);
    let rejected = folder.read("rejects");
    let input = [support::device("first").as_bytes(), &rejected].concat();
    assert_answer(&transform(&["--rejects", &again], &input), 1, support::device("first"));
    assert!(folder.read("again") == rejected);
}

#[test]
fn strict_stops_at_the_first() {
    let folder = Folder::new();
    for (index, fixture) in Fixture::all().iter().enumerate() {
        let name = fixture.path.display();
        let paths = ["out", "report", "findings", "rejects"].map(|file| folder.arg(&format!("{index}-{file}")));
        let args = ["--strict", "-o", &paths[0], "--report", &paths[1], "--diagnostics", &paths[2]];
        let answer = transform(&[args.as_slice(), &["--no-sync"]].concat(), &fixture.input);
        assert_answer(&answer, 4, "");
        assert!(!folder.has(&format!("{index}-out")), "{name}");
        let report = folder.report(&format!("{index}-report"));
        assert!(!report.is_complete(), "{name}");
        assert_eq!(["lines", "written", "rejected"].map(|name| report.number(name)), [2, 1, 1], "{name}");
        assert!(report.code(&fixture.code) >= 1, "{name}");
        report.assert_adds_up();
        let findings = json_lines(&folder.read(&format!("{index}-findings")));
        assert!(findings.iter().any(|finding| text(finding, "code") == fixture.code), "{name}: {findings:?}");
        assert!(findings.iter().all(|finding| number(finding, "line") == 2), "{name}: {findings:?}");
    }
    assert!(folder.names().iter().all(|name| !name.starts_with('.')), "no temporary is left");
}

#[test]
fn a_line_that_looks_like_those_before_it_is_checked_all_the_same() {
    // Lines of one structure come over and over; one of them has a fault that the structure does not show.
    let line = |inner: &str, outer: &str, text: &str, id: &str| {
        format!(
            "{{\"id\":\"{id}\",\"status\":\"enabled\",\"authentication\":{{}},\"x\":[{inner},{{\"y\":\"{text}\"}}],\"z\":{outer}}}\n"
        )
    };
    let good =
        [line("1", "2", "t", "a"), line("null", "-1.5e+7", "\\u00e9\\n", "b"), line("true", "false", "é🚀", "c")];
    let mut input = good.concat().repeat(20);
    let mut wanted = input.clone();
    let mut bad = Vec::new();
    let scalars =
        ["nul", "nulll", "True", "01", "-", "1.", ".5", "1e", "+1", "0x1", "1_000", "NaN", "1\u{a0}", "'a'", "\\u0031"];
    for scalar in scalars {
        bad.extend([
            line(scalar, "2", "t", "a"),
            line("1", scalar, "t", "a"),
            line("1", "2", "\\u00e9", "a").replace(":2}", &format!(":{scalar}}}")),
        ]);
    }
    for text in ["\\x", "\\u12g4", "\\u12", "\\U0031", "a\u{1}", "a\tb", "\\'", "\u{fffd}"] {
        bad.extend([
            line("1", "2", text, "a"),
            line("1", "2", "t", text),
            line("1", "2", "t", "a").replace("\"z\"", &format!("\"{text}\"")),
        ]);
    }
    // What JSON lets pass and a device may not have.
    bad.extend([
        line("1", "2", "t", "a b"),
        line("1", "2", "t", ""),
        line("1", "2", "t", "a").replace("\"z\"", "\"x\""),
    ]);
    bad.push(line("1", "2", "t", "a").replace("\"id\"", "\"Id\""));
    for line in &bad {
        input += &[line, good[0].as_str(), &good[1]].concat();
        wanted += &[good[0].as_str(), &good[1]].concat();
    }
    let folder = Folder::new();
    let rejects = folder.arg("rejects");
    for level in ["scalar", ""] {
        for threads in ["1", "2"] {
            let mut command = transform_command(&["--rejects", &rejects, "-j", threads]);
            command.env("HUBMILL_SIMD", level);
            assert_answer(&run(command, &with_bad_bytes(&input)), 1, &wanted);
            assert!(
                folder.read("rejects") == with_bad_bytes(&bad.concat()),
                "{}",
                String::from_utf8_lossy(&folder.read("rejects"))
            );
        }
    }
}

/// So many lines, of which those numbered here (from 0) are bad.
fn with_bad_lines(count: usize, bad: &[usize]) -> (Vec<String>, Vec<u8>) {
    let line = |number: usize| match bad.iter().position(|bad| *bad == number) {
        Some(which) if which % 3 == 0 => format!("{{\"id\":\"bad {number}\"}}\r\n"),
        Some(which) if which % 3 == 1 => format!("{{\"id\":\"bad-{number}\",}}\n"),
        Some(_) => format!("[\"bad-{number}\"]\n"),
        None => support::device(&format!("good-{number}")),
    };
    let lines: Vec<String> = (0..count).map(line).collect();
    let input = lines.concat().into_bytes();
    (lines, input)
}

#[test]
fn max_rejects_at_the_limit_and_one_past() {
    let (lines, input) = with_bad_lines(40, &[3, 4, 17, 30, 39]);
    let folder = Folder::new();
    let paths = ["out", "report", "findings", "rejects"].map(|file| folder.arg(file));
    let args = ["-o", &paths[0], "--report", &paths[1], "--diagnostics", &paths[2], "--rejects", &paths[3]];
    for at in ["5", "6", "1000000"] {
        assert_answer(&transform(&[args.as_slice(), &["--max-rejects", at]].concat(), &input), 1, "");
        let good: String = lines.iter().filter(|line| !line.contains("bad")).cloned().collect();
        assert_eq!(folder.text("out"), good);
        assert!(folder.report("report").is_complete());
        fs::remove_file(&paths[0]).expect("it was there");
        fs::remove_file(&paths[3]).expect("it was there");
    }
    for (limit, stopped_at) in [(4, 39), (3, 30), (2, 17), (1, 4), (0, 3)] {
        let limit_text = limit.to_string();
        assert_answer(&transform(&[args.as_slice(), &["--max-rejects", &limit_text]].concat(), &input), 4, "");
        assert!(!folder.has("out"), "--max-rejects {limit}");
        let report = folder.report("report");
        let counts = ["lines", "written", "rejected"].map(|name| report.number(name));
        assert_eq!(counts, [stopped_at + 1, stopped_at - limit, limit + 1]);
        assert!(!report.is_complete());
        let findings = json_lines(&folder.read("findings"));
        let errors = findings.iter().filter(|finding| text(finding, "severity") == "error").count();
        assert_eq!(errors as u64, limit + 1);
    }
}

#[test]
fn an_old_output_stays_when_a_run_is_stopped() {
    let folder = Folder::new();
    let output = folder.write("out", "old");
    assert_answer(&transform(&["--strict", "-o", &output], b"{\"id\":\"a\",\"status\":\"enabled\"}\n{\n"), 4, "");
    assert_eq!((folder.text("out"), folder.names()), ("old".to_owned(), vec!["out".to_owned()]));
}

#[test]
fn what_went_out_before_a_stop_does_not_depend_on_threads_or_source() {
    let bad = [11, 9_000, 9_001, 20_000, 20_001, 20_002, 29_998];
    let (lines, input) = with_bad_lines(30_000, &bad);
    assert!(input.len() > 3 * (512 << 10), "more than three chunks");
    let folder = Folder::new();
    let (path, report, findings) = (folder.write("in", &input), folder.arg("report"), folder.arg("findings"));
    for limit in [0, 1, 3, 6] {
        let until = bad[limit];
        let wanted: String = lines[..until].iter().filter(|line| !line.contains("bad")).cloned().collect();
        let limit_text = limit.to_string();
        let mut first = None;
        for threads in ["1", "8"] {
            let args =
                ["--max-rejects", &limit_text, "-j", threads, "--report", &report, "--diagnostics", &findings, "-q"];
            let mut runs = vec![transform(&args, &input)];
            for mmap in ["never", "always"] {
                let mut command = transform_command(&args);
                command.args(["--mmap", mmap, &path]);
                runs.push(run(command, b""));
            }
            for answer in runs {
                assert_answer(&answer, 4, &wanted);
                let report = folder.report("report");
                let counts = ["lines", "written", "rejected"].map(|name| report.number(name));
                assert_eq!(counts, [until + 1, until - limit, limit + 1].map(|count| count as u64));
                let said = (answer.stderr, folder.read("findings"), report.0["codes"].clone());
                assert!(*first.get_or_insert(said.clone()) == said, "-j {threads} --max-rejects {limit}");
            }
        }
    }
}
