//! Responsible for: the longest, deepest, emptiest and strangest inputs, and the memory that they take.
//! Not for: what is invalid and why; see `invalid`.

mod support;

use hubmill_testkit::generate::{Kind, file};
use hubmill_testkit::hostile::huge_line;
use hubmill_testkit::lines;
use hubmill_testkit::process::anonymous_memory;
use hubmill_testkit::rng::Rng;
use support::{Folder, assert_answer, command, device, devices, json_lines, run_watched, transform, transform_command};

const MIB: u64 = 1 << 20;

/// A valid line of so many bytes, without `\n`.
fn line_of(bytes: usize) -> String {
    let mut short = Vec::new();
    huge_line(bytes.min(4096), 0, &mut short);
    let line = String::from_utf8(short).expect("a text");
    let (start, end) = line.split_at(line.len() - 24);
    let line = format!("{start}{}{end}", ".".repeat(bytes - line.len()));
    assert_eq!(line.len(), bytes);
    line
}

/// All ways to hand in an input.
fn everywhere(folder: &Folder, args: &[&str], input: &[u8]) -> Vec<hubmill_testkit::process::Answer> {
    let path = folder.write("in", input);
    let mut answers = vec![transform(args, input)];
    for mmap in ["never", "always"] {
        answers.push(transform(&[args, &["--mmap", mmap, &path]].concat(), b""));
    }
    answers
}

#[test]
fn line_length_at_the_limit_and_one_past() {
    let folder = Folder::new();
    let rejects = folder.arg("rejects");
    // Below a chunk, around one, and above the longest that is cut at first.
    for limit in [300usize, 65_535, 70_000, 524_288] {
        let limit_text = limit.to_string();
        let args = ["--max-line-bytes", &limit_text, "--rejects", &rejects];
        let (short, at, past) = (line_of(250), line_of(limit), line_of(limit + 1));
        for end in ["\n", ""] {
            for before in ["", "\u{feff}", &format!("{short}\n")] {
                let kept_before = before.trim_start_matches('\u{feff}');
                let input = format!("{before}{at}{end}");
                for answer in everywhere(&folder, &args, input.as_bytes()) {
                    assert_answer(&answer, 0, format!("{kept_before}{at}\n"));
                    assert!(folder.read("rejects").is_empty());
                }
                let input = format!("{before}{past}{end}");
                for answer in everywhere(&folder, &args, input.as_bytes()) {
                    assert_answer(&answer, 1, kept_before);
                    assert!(folder.text("rejects") == format!("{past}\n"), "{limit} {before:.10}");
                }
            }
        }
        // The `\r` of the line end counts, the `\n` does not.
        let with_return = format!("{}\r\n{short}\r\n", line_of(limit - 1));
        for answer in everywhere(&folder, &args, with_return.as_bytes()) {
            assert_answer(&answer, 0, with_return.replace('\r', ""));
        }
        let input = format!("{at}\r\n{short}\n{at}\r");
        for answer in everywhere(&folder, &args, input.as_bytes()) {
            assert_answer(&answer, 1, format!("{short}\n"));
            assert!(folder.text("rejects") == format!("{at}\r\n{at}\r\n"), "{limit}");
        }
    }
}

#[test]
fn a_long_line_is_named_and_placed_once() {
    let folder = Folder::new();
    let findings = folder.arg("findings");
    let args = ["--max-line-bytes", "100000", "--diagnostics", &findings, "--status", "enabled"];
    let input = format!("\u{feff}{}{}\r\n{}{{\n{}", devices(3), line_of(700_000), devices(2), line_of(100_001));
    let start = 3 + devices(3).len();
    let second = start + 700_002 + devices(2).len() + 2;
    for answer in everywhere(&folder, &args, input.as_bytes()) {
        assert_answer(&answer, 1, format!("{}{}", devices(3), devices(2)));
        let found = json_lines(&folder.read("findings"));
        let places: Vec<_> =
            found.iter().map(|it| (it["code"].as_str(), it["line"].as_u64(), it["byte"].as_u64())).collect();
        assert_eq!(
            places,
            [
                (Some("line-too-long"), Some(4), Some(start as u64)),
                (Some("json-syntax"), Some(7), Some(second as u64 - 1)),
                (Some("line-too-long"), Some(8), Some(second as u64)),
            ]
        );
    }
}

#[test]
fn long_lines_can_be_kept() {
    let folder = Folder::new();
    let input = format!("{}{}\r\n{}{}", device("a"), line_of(700_000), device("b"), line_of(50_001));
    let args = ["--max-line-bytes", "50000", "--on-invalid", "keep"];
    for answer in everywhere(&folder, &args, input.as_bytes()) {
        assert_answer(&answer, 1, format!("{input}\n"));
    }
}

#[test]
fn blank_lines_and_notices_have_no_right_to_be_longer() {
    let folder = Folder::new();
    let rejects = folder.arg("rejects");
    let args = ["--max-line-bytes", "50", "--rejects", &rejects];
    for long in [" ".repeat(51), "x".repeat(51), "x".repeat(200_000), "{".repeat(51)] {
        let input = format!("{long}\n{}", "{\"id\":\"a\",\"status\":\"enabled\",\"x\":1}\n");
        for answer in everywhere(&folder, &args, input.as_bytes()) {
            assert_eq!((answer.code, answer.stdout.len()), (1, 36), "{}", answer.stderr_text());
            assert_eq!(folder.text("rejects"), format!("{long}\n"));
        }
    }
}

/// A device nested so deep, the outer object counted.
fn nested(depth: usize, objects: bool) -> String {
    let inner = depth - 1;
    let value = if objects {
        format!("{}1{}", "{\"a\":".repeat(inner), "}".repeat(inner))
    } else {
        format!("{}{}", "[".repeat(inner), "]".repeat(inner))
    };
    format!("{{\"id\":\"a\",\"status\":\"enabled\",\"authentication\":{{}},\"x\":{value}}}\n")
}

#[test]
fn depth_at_the_limit_and_one_past() {
    for objects in [true, false] {
        for limit in [2usize, 3, 64, 65, 127, 128, 129, 1000, 10_000] {
            let (at, past) = (nested(limit, objects), nested(limit + 1, objects));
            let flag = limit.to_string();
            let args = if limit == 128 { vec![] } else { vec!["--max-depth", &flag] };
            let folder = Folder::new();
            let findings = folder.arg("findings");
            let args = [args.as_slice(), &["--diagnostics", &findings]].concat();
            let answer = transform(&args, format!("{at}{past}{at}").as_bytes());
            assert_answer(&answer, 1, at.repeat(2));
            let found = json_lines(&folder.read("findings"));
            assert_eq!(found.len(), 1, "{found:?}");
            assert_eq!((found[0]["code"].as_str(), found[0]["line"].as_u64()), (Some("json-depth"), Some(2)));
            // The bracket that goes too deep: the outer object is the first.
            let value = past.find("\"x\":").expect("the nested member") + 4;
            let too_deep = value + (limit - 1) * if objects { 5 } else { 1 };
            assert_eq!(found[0]["byte"].as_u64(), Some((at.len() + too_deep) as u64), "limit {limit}");
        }
    }
    let flat = "{\"id\":\"a\",\"status\":\"enabled\"}\n";
    assert_answer(&transform(&["--max-depth", "1"], format!("{flat}{}", device("a")).as_bytes()), 1, flat);
}

#[test]
fn a_bottomless_line_is_refused_without_harm() {
    for open in ["[", "{\"a\":", "[[{\"x\":["] {
        let input = format!("{{\"id\":\"a\",\"x\":{}\n{}", open.repeat(300_000), device("b"));
        for depth in ["128", "10000"] {
            let answer = transform(&["--max-depth", depth], input.as_bytes());
            assert_answer(&answer, 1, device("b"));
            assert!(answer.stderr_text().contains("error[json-depth]: line 1 "), "{}", answer.stderr_text());
        }
    }
}

/// Transforms and returns the answer and the most anonymous memory seen.
fn with_peak(args: &[&str], input: &[u8]) -> (hubmill_testkit::process::Answer, u64) {
    peak_of(transform_command(args), input)
}

/// Runs and returns the answer and the most anonymous memory seen.
fn peak_of(command: std::process::Command, input: &[u8]) -> (hubmill_testkit::process::Answer, u64) {
    let mut peak = 0;
    let answer = run_watched(command, input, |process| {
        peak = peak.max(anonymous_memory(process).unwrap_or(0));
    });
    assert!(!cfg!(target_os = "linux") || peak > 0, "memory can be seen");
    (answer, peak)
}

#[test]
fn a_line_over_the_limit_is_never_held() {
    let line = line_of(64 << 20);
    let input = format!("{}{line}\r\n{}", device("a"), device("b"));
    for mmap in ["pipe", "never", "always"] {
        let folder = Folder::new();
        let rejects = folder.arg("rejects");
        let mut args = vec!["-j", "4", "--no-sync", "--rejects", &rejects];
        let path = folder.arg("in");
        let mut stdin = input.as_bytes();
        if mmap != "pipe" {
            folder.write("in", &input);
            args.extend(["--mmap", mmap, &path]);
            stdin = b"";
        }
        let (answer, peak) = with_peak(&args, stdin);
        assert_answer(&answer, 1, format!("{}{}", device("a"), device("b")));
        assert!(folder.read("rejects") == format!("{line}\r\n").as_bytes(), "{mmap}");
        assert!(peak < 64 * MIB, "{mmap}: {peak} bytes");
    }
}

#[test]
fn the_longest_line_that_is_allowed_passes_in_bounded_memory() {
    let input = format!("{}{}\n{}", devices(10_000), line_of(16 << 20), devices(10_000));
    for (threads, args) in [("4", [].as_slice()), ("1", &["--status", "enabled"])] {
        let (answer, peak) = with_peak(&[&["-j", threads], args].concat(), input.as_bytes());
        assert_answer(&answer, 0, &input);
        assert!(peak < (64 + 4 * 16) * MIB, "-j {threads} {args:?}: {peak} bytes");
    }
    // And with something to change in every line.
    let (answer, peak) = with_peak(&["-j", "4", "--status", "disabled", "-q"], input.as_bytes());
    assert_answer(&answer, 0, input.replace("\"enabled\"", "\"disabled\""));
    assert!(peak < (64 + 4 * 16) * MIB, "{peak} bytes");
    // And shown as it was and as it would leave.
    let (answer, peak) = with_peak(&["-j", "4", "--status", "disabled", "--dry-run"], line_of(16 << 20).as_bytes());
    assert_eq!((answer.code, answer.stdout_text().lines().count()), (0, 3));
    assert!(peak < (64 + 4 * 16) * MIB, "{peak} bytes");
}

#[test]
fn a_line_of_nothing_but_short_names_passes_in_bounded_memory() {
    let digits = b"0123456789abcdefghijklmnopqrstuvwxyz";
    let names = (0..1_600_000usize).map(|number| {
        let digit = |place: u32| char::from(digits[number / digits.len().pow(place) % digits.len()]);
        format!(",\"{}{}{}{}\":0", digit(0), digit(1), digit(2), digit(3))
    });
    let line = format!("{{\"id\":\"a\",\"status\":\"enabled\"{}}}\n", names.collect::<String>());
    for (input, code) in [(line.clone(), 0), (line.replacen(",\"1000\":0", ",\"0000\":0", 1), 1)] {
        let (answer, peak) = with_peak(&["-j", "4", "--strip-keys", "-q"], input.as_bytes());
        assert_eq!((answer.code, answer.stdout.len()), (code, if code == 0 { input.len() } else { 0 }));
        assert!(peak < (64 + 4 * 16) * MIB, "{peak} bytes");
    }
}

#[test]
fn many_long_lines_take_no_more_memory_than_few() {
    let line = format!("{}\n", line_of(4 << 20));
    let (answer, peak) = with_peak(&["-j", "4", "--status", "disabled", "-q"], line.repeat(8).as_bytes());
    assert_eq!((answer.code, answer.stdout.len()), (0, (line.len() + 1) * 8));
    assert!(peak < (64 + 4 * 4) * MIB, "{peak} bytes");
}

#[test]
fn memory_does_not_grow_with_the_input() {
    let input = devices(120_000);
    for args in [["-j", "4"].as_slice(), &["-j", "4", "--regenerate-keys", "-q"], &["-j", "4", "--strip-etags", "-q"]] {
        let (answer, peak) = with_peak(args, input.as_bytes());
        assert_eq!((answer.code, answer.stdout_text().lines().count()), (0, 120_000));
        assert!(peak < 64 * MIB, "{args:?}: {peak} bytes");
    }
}

#[test]
fn what_is_kept_of_many_kinds_of_large_lines_is_bounded() {
    // Of each line there are some 4,000 tokens to be kept.
    let large = vec!["{}"; 1_300].join(",");
    let line = |model: usize| {
        format!(
            "{{\"id\":\"{model}\",\"status\":\"enabled\",\"tags\":{{\"a\":[{large}],\"n\":{model},\"model {model}\":1}}}}\n"
        )
    };
    let input: String = (0..1_050).map(line).collect::<String>().repeat(14);
    let (answer, peak) = with_peak(&["-j", "4", "-q"], input.as_bytes());
    assert_answer(&answer, 0, &input);
    assert!(peak < 64 * MIB, "{peak} bytes");
}

#[test]
fn inputs_without_any_device() {
    let folder = Folder::new();
    let report = folder.arg("report");
    for (input, notices, blank) in [
        ("", 0, 0),
        ("\u{feff}", 0, 0),
        ("\n", 0, 1),
        ("\n\n\n", 0, 3),
        (" \t\r\n\r\n \n\t", 0, 4),
        ("\r", 0, 1),
        ("\u{feff}\r\n", 0, 1),
        ("A notice.\n", 1, 0),
        ("A notice without an end", 1, 0),
        ("\u{feff}A notice.\r\n\r\n", 1, 1),
        ("null", 1, 0),
    ] {
        for answer in everywhere(&folder, &["--report", &report], input.as_bytes()) {
            assert_answer(&answer, 0, "");
            assert!(answer.stderr_text().contains("warning[empty-output]"), "{input:?}: {}", answer.stderr_text());
            let report = folder.report("report");
            report.assert_adds_up();
            let counts = ["notices", "blank", "written"].map(|name| report.number(name));
            assert_eq!((counts, report.number("bytes_in")), ([notices, blank, 0], input.len() as u64), "{input:?}");
        }
        let output = folder.arg("out");
        assert_answer(&transform(&["-o", &output], input.as_bytes()), 0, "");
        assert!(folder.read("out").is_empty(), "{input:?}");
    }
}

#[test]
fn many_blank_lines() {
    let input = "\r\n \t\n\n".repeat(300_000);
    let folder = Folder::new();
    let report = folder.arg("report");
    for answer in everywhere(&folder, &["--report", &report], input.as_bytes()) {
        assert_answer(&answer, 0, "");
        assert_eq!(folder.report("report").number("blank"), 900_000);
    }
}

#[test]
fn a_million_equal_lines() {
    let input = "{\"id\":\"x\"}\n".repeat(1_000_000);
    let folder = Folder::new();
    let report = folder.arg("report");
    let answer = transform(&["-j", "2", "--report", &report], input.as_bytes());
    assert!(answer.stdout == input.as_bytes() && answer.code == 0);
    let stderr = answer.stderr_text();
    assert!(stderr.contains("… and 999,990 more status-missing"), "{stderr}");
    assert!(stderr.len() < 4000, "{} bytes to read", stderr.len());
    let report = folder.report("report");
    assert_eq!(
        (report.number("written"), report.code("status-missing"), report.code("keys-rotate")),
        (1_000_000, 1_000_000, 1_000_000)
    );
}

#[test]
fn equal_lines_cost_64_bytes_each_at_most() {
    const LINES: u64 = 400_000;
    let input = "{\"id\":\"x\",\"status\":\"enabled\",\"importMode\":\"delete\"}\n".repeat(LINES as usize);
    let folder = Folder::new();
    let path = folder.write("in", &input);
    for (source, stdin, format) in [("-", input.as_bytes(), "json"), (&path, b"", "text")] {
        let validate = command(&["validate", "-j", "2", "--format", format, source]);
        let (answer, peak) = peak_of(validate, stdin);
        let shown = if format == "json" { LINES as usize - 1 } else { 11 };
        assert_eq!((answer.code, answer.stdout_text().lines().count()), (0, shown));
        assert!(answer.stderr_text().contains("duplicate-line                 399,999"), "{}", answer.stderr_text());
        assert!(peak < 64 * LINES + 8 * MIB, "{source} {format}: {peak} bytes");
    }
}

#[test]
fn a_line_that_is_invalid_over_and_over() {
    let input = "{\"id\":\"x y\"}\r\n".repeat(60_000);
    let folder = Folder::new();
    let (rejects, findings) = (folder.arg("rejects"), folder.arg("findings"));
    let args = ["-j", "4", "--rejects", &rejects, "--diagnostics", &findings, "--no-sync"];
    let (answer, peak) = with_peak(&args, input.as_bytes());
    assert_answer(&answer, 1, "");
    assert!(folder.read("rejects") == input.as_bytes());
    let findings = folder.text("findings");
    assert_eq!(findings.lines().count(), 60_001, "one for each line, and empty-output");
    assert!(peak < 64 * MIB, "{peak} bytes");
}

#[test]
fn nul_bytes() {
    let folder = Folder::new();
    let rejects = folder.arg("rejects");
    let lines = [
        "\0\0{",
        "{\"id\":\"a\0\"}",
        "{\"id\":\"a\"}\0",
        "{\"id\":\0\"a\"}",
        "\0[",
        "{\"id\":\"a\",\"status\":\"enabled\"}\r\0\r",
    ];
    let input = format!("{}{}{}", device("a"), lines.map(|line| format!("{line}\n")).concat(), device("b"));
    for answer in everywhere(&folder, &["--rejects", &rejects], input.as_bytes()) {
        assert_answer(&answer, 1, format!("{}{}", device("a"), device("b")));
        assert_eq!(folder.text("rejects"), lines.map(|line| format!("{line}\n")).concat());
    }
    let zeros = vec![0; 3 << 20];
    let answer = transform(&["--rejects", &rejects], &[device("a").as_bytes(), &zeros].concat());
    assert_answer(&answer, 1, device("a"));
    assert!(folder.read("rejects") == [zeros.as_slice(), b"\n"].concat());
}

#[test]
fn garbage_is_rejected_byte_for_byte() {
    let folder = Folder::new();
    let (rejects, report) = (folder.arg("rejects"), folder.arg("report"));
    let mut rng = Rng::new(77);
    let mut garbage = b"{\n".to_vec();
    while garbage.len() < 3 << 20 {
        garbage.extend(rng.next_u64().to_le_bytes());
    }
    garbage.extend_from_slice(b"\n{\n");
    let bad = |line: &lines::RawLine<'_>| !line.is_blank();
    let all = lines::split(&garbage);
    let wanted: Vec<u8> = all.iter().filter(|line| bad(line)).flat_map(|line| [line.read, b"\n"].concat()).collect();
    for answer in everywhere(&folder, &["--rejects", &rejects, "--report", &report, "-q"], &garbage) {
        assert_answer(&answer, 1, "");
        assert!(folder.read("rejects") == wanted);
        let report = folder.report("report");
        report.assert_adds_up();
        assert_eq!((report.number("lines"), report.number("written")), (all.len() as u64, 0));
    }
    let invalid = file(Kind::AllInvalid, 3000, 4);
    assert_answer(&transform(&["--rejects", &rejects, "-q"], &invalid), 1, "");
    assert!(folder.read("rejects") == invalid);
}

#[test]
fn carriage_returns_and_missing_ends() {
    let line = device("a");
    let bare = line.trim_end();
    let folder = Folder::new();
    for (input, wanted) in [
        (bare.to_owned(), line.clone()),
        (format!("{bare}\r"), line.clone()),
        (format!("{bare}\r\r\r\n"), line.clone()),
        (format!("{bare}\r\n{bare}\r"), line.repeat(2)),
        (format!("\r{bare}\n"), format!("\r{line}")),
        (format!("\r\r\n{bare}\n\r"), line.clone()),
        (format!("{}\n", bare.replace(",\"", ",\r\"")), line.replace(",\"", ",\r\"")),
        (format!("\n\n{bare}\n\n\n{bare}"), line.repeat(2)),
    ] {
        for answer in everywhere(&folder, &[], input.as_bytes()) {
            assert_answer(&answer, 0, &wanted);
        }
    }
    // A lone `\r` ends no line.
    for answer in everywhere(&folder, &[], format!("{bare}\r{bare}\n").as_bytes()) {
        assert_answer(&answer, 1, "");
    }
}

#[test]
fn more_threads_than_work() {
    for threads in ["1", "3", "64"] {
        assert_answer(&transform(&["-j", threads], device("a").as_bytes()), 0, device("a"));
        assert_answer(&transform(&["-j", threads], b""), 0, "");
    }
}
