//! Responsible for: `--report`: its fields and that they are right.

use crate::support::{Folder, Report, assert_answer, devices, transform};
use hubmill_testkit::process::fixture_files;
use hubmill_testkit::{oracle, rules};
use serde_json::json;

/// The fields of the contract, in its order.
const FIELDS: [&str; 17] = [
    "tool",
    "command",
    "complete",
    "bytes_in",
    "bytes_out",
    "seconds",
    "lines",
    "written",
    "rejected",
    "filtered",
    "invalid_kept",
    "notices",
    "blank",
    "edited",
    "codes",
    "threads",
    "source",
];
/// What memory follows from, which the report says as well, and the kernel in use.
const MORE_FIELDS: [&str; 3] = ["chunks", "chunk_bytes", "simd"];

const MIXED: &str = concat!(
    "\u{feff}A notice without any brace.\r\n",
    "\n",
    "{\"id\":\"a\",\"authentication\":null}\n",
    " \t\r\n",
    "{\"id\":\"b c\",\"status\":\"enabled\"}\n",
    "{\"id\":\"d\",\"status\":\"enabled\",\"eTag\":\"x\",\"authentication\":{}}\r\n",
    "{\"id\":\"e\",\"moduleId\":\"m\"}\n",
    "{\"id\":\"f\",\n",
    "{\"id\":\"g\",\"status\":\"enabled\",\"authentication\":{}}",
);

#[test]
fn fields_are_those_of_the_contract() {
    let folder = Folder::new();
    let path = folder.arg("report");
    let args = ["--report", &path, "--devices-only", "--strip-etags", "-j", "3"];
    let answer = transform(&args, MIXED.as_bytes());
    assert_answer(
        &answer,
        1,
        concat!(
            "{\"id\":\"a\",\"authentication\":null}\n",
            "{\"id\":\"d\",\"status\":\"enabled\",\"authentication\":{}}\n",
            "{\"id\":\"g\",\"status\":\"enabled\",\"authentication\":{}}\n",
        ),
    );
    let report = folder.report("report");
    let names: Vec<&String> = report.0.as_object().expect("an object").keys().collect();
    assert_eq!(names[..FIELDS.len()], FIELDS);
    assert!(names[FIELDS.len()..].iter().all(|name| MORE_FIELDS.contains(&name.as_str())), "{names:?}");
    assert_eq!(report.0["tool"], json!({"name": "hubmill", "version": env!("CARGO_PKG_VERSION")}));
    let seconds = report.0["seconds"].as_f64().expect("a number");
    assert!(seconds > 0.0 && seconds < 120.0, "{seconds}");
    for (name, wanted) in [
        ("command", json!("transform")),
        ("complete", json!(true)),
        ("bytes_in", json!(MIXED.len())),
        ("bytes_out", json!(answer.stdout.len())),
        ("lines", json!(9)),
        ("written", json!(3)),
        ("rejected", json!(2)),
        ("filtered", json!(1)),
        ("invalid_kept", json!(0)),
        ("notices", json!(1)),
        ("blank", json!(2)),
        ("edited", json!(1)),
        ("codes", json!({"id-charset": 1, "json-syntax": 1, "keys-rotate": 1, "notice": 1, "status-missing": 1})),
        ("threads", json!(3)),
        ("source", json!("stdin")),
    ] {
        assert_eq!(report.0[name], wanted, "{name}");
    }
    report.assert_adds_up();
}

#[test]
fn kept_lines_count_as_written_and_as_kept() {
    let folder = Folder::new();
    let path = folder.arg("report");
    let answer = transform(&["--report", &path, "--on-invalid", "keep", "--devices-only"], MIXED.as_bytes());
    assert_eq!(answer.code, 1);
    let report = folder.report("report");
    let counts = ["lines", "written", "rejected", "filtered", "invalid_kept"].map(|name| report.number(name));
    assert_eq!(counts, [9, 5, 0, 1, 2]);
    assert_eq!(report.number("bytes_out"), answer.stdout.len() as u64);
    report.assert_adds_up();
}

#[test]
fn a_report_to_stderr_is_one_line_of_it() {
    let answer = transform(&["--report", "-", "-q"], devices(4).as_bytes());
    assert_answer(&answer, 0, devices(4));
    let report = Report::of(&answer.stderr);
    assert_eq!((report.number("lines"), report.number("written"), report.is_complete()), (4, 4, true));
}

#[test]
fn the_source_is_named() {
    let folder = Folder::new();
    let (input, report) = (folder.write("in", devices(2)), folder.arg("report"));
    for (args, source) in [
        (["--mmap", "never", &input].as_slice(), "read"),
        (&["--mmap", "always", &input], "mmap"),
        (&["-"], "stdin"),
        (&[], "stdin"),
    ] {
        let stdin = if source == "stdin" { devices(2) } else { String::new() };
        let answer = transform(&[args, &["--report", &report]].concat(), stdin.as_bytes());
        assert_answer(&answer, 0, devices(2));
        let report = folder.report("report");
        assert_eq!(report.0["source"], source);
        assert_eq!(report.number("bytes_in"), devices(2).len() as u64);
    }
}

#[test]
fn every_line_is_accounted_for() {
    let folder = Folder::new();
    let path = folder.arg("report");
    let rule_sets = [
        rules::Rules::default(),
        rules::Rules { preset: Some(rules::Preset::Migrate), ..rules::Rules::default() },
        rules::Rules {
            preset: Some(rules::Preset::Delete),
            on_invalid: rules::OnInvalid::Keep,
            ..rules::Rules::default()
        },
        rules::Rules { modules_only: true, check: rules::Check::None, ..rules::Rules::default() },
    ];
    let mut files = fixture_files("export").expect("a folder");
    files.extend(fixture_files("import").expect("a folder"));
    files.extend(fixture_files("valid").expect("a folder").into_iter().step_by(5));
    files.extend(fixture_files("invalid").expect("a folder").into_iter().step_by(11));
    for (number, file) in files.iter().enumerate() {
        let rules = &rule_sets[number % rule_sets.len()];
        let input = std::fs::read(file).expect("a fixture");
        let answer = transform(&[rules.args(), vec!["--report".to_owned(), path.clone()]].concat(), &input);
        let report = folder.report("report");
        report.assert_adds_up();
        let expected = oracle::transform(rules, &input);
        let counts = expected.counts();
        for (name, wanted) in [
            ("bytes_in", input.len() as u64),
            ("bytes_out", answer.stdout.len() as u64),
            ("lines", counts.lines),
            ("written", counts.written),
            ("rejected", counts.rejected),
            ("filtered", counts.filtered),
            ("invalid_kept", counts.invalid_kept),
            ("notices", counts.notices),
            ("blank", counts.blank),
            ("edited", counts.edited),
        ] {
            assert_eq!(report.number(name), wanted, "{name} of {} with {:?}", file.display(), rules.args());
        }
        for (code, count) in &expected.codes {
            assert_eq!(report.code(code), *count, "{code} of {} with {:?}", file.display(), rules.args());
        }
        assert_eq!(answer.code, expected.exit_code(), "{}", file.display());
    }
}

#[test]
fn no_more_workers_are_started_than_there_are_chunks() {
    let folder = Folder::new();
    let (path, input) = (folder.arg("report"), folder.arg("in"));
    // Chunks of 64, 128 and 256 KiB, then of 512.
    for (bytes, workers) in [(60 << 10, 1), (80 << 10, 2), (440 << 10, 3), (3 << 20, 9)] {
        let line = "{\"id\":\"a\",\"status\":\"enabled\",\"authentication\":{}}\n";
        folder.write("in", line.repeat(bytes / line.len()));
        for (asked, want) in [("1", 1), ("64", workers)] {
            transform(&["-q", "--report", &path, "-j", asked, &input], b"");
            assert_eq!(folder.report("report").0["threads"], want, "{bytes} bytes, -j {asked}");
        }
    }
}

#[test]
fn between_two_pipes_a_cpu_is_left_where_rules_are_light() {
    let folder = Folder::new();
    let (path, output) = (folder.arg("report"), folder.arg("out"));
    let text = "{\"id\":\"a\"}\n";
    let input = folder.write("in", text.repeat(1_000_000));
    let cpus = std::thread::available_parallelism().map_or(1, usize::from);
    // Not where pipes can't be made larger.
    let (pipe, _writer) = std::io::pipe().expect("a pipe");
    let one_fewer = rustix::pipe::fcntl_setpipe_size(&pipe, 1 << 20).map_or(cpus, |_| (cpus - 1).max(1));
    let (to_pipe, to_file): (&[&str], &[&str]) = (&[], &["-o", &output]);
    for (rules, place, want) in [
        (["--import-mode", "delete"].as_slice(), to_pipe, one_fewer),
        (&["--strip-twin"], to_pipe, one_fewer),
        (&[], to_pipe, one_fewer),
        (&[], to_file, cpus),
        (&["--regenerate-keys"], to_pipe, cpus),
        (&["--check", "full"], to_pipe, cpus),
        (&["--where", "id = 'a'"], to_pipe, cpus),
        (&["-j", "7"], to_pipe, 7),
        (&["--dry-run"], to_pipe, cpus),
    ] {
        let args =
            [["-q", "--report", if rules == ["--dry-run"] { "-" } else { &path }].as_slice(), rules, place].concat();
        let answer = transform(&args, text.as_bytes());
        let found = if rules == ["--dry-run"] { answer.stderr_text() } else { folder.text("report") };
        assert!(found.contains(&format!("\"threads\":{want},")), "{args:?}: {found}");
    }
    // Of a file, which makes 24 chunks, no matter where it goes.
    transform(&["-q", "--report", &path, &input], b"");
    assert_eq!(folder.report("report").0["threads"], cpus.min(24));
}
