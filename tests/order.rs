//! Responsible for: that the same input and rules give the same bytes, whatever the threads, the source and the SIMD
//! level; and that these bytes are the oracle's.
//! Not for: single rules; see `transform`.

mod support;

use hubmill_testkit::generate::{self, Kind};
use hubmill_testkit::oracle::{self, Outcome};
use hubmill_testkit::process::Answer;
use hubmill_testkit::rng::Rng;
use hubmill_testkit::rules::{Check, Preset, Rules};
use hubmill_testkit::{hostile, mutate, strategy};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use serde_json::Value;
use std::fs::File;
use support::{Folder, assert_answer, json_lines, run, transform, transform_command};

/// A file of identities, twins, odd and broken lines, blank ones among them, with all kinds of line ends.
fn mixed_file(lines: u64, seed: u64) -> Vec<u8> {
    let mut input = b"\xef\xbb\xbfA notice.\r\n".to_vec();
    for index in 0..lines {
        let mut rng = Rng::for_line(seed, index, 77);
        let mut line = Vec::new();
        match rng.below(20) {
            0 => generate::line(Kind::EveryLineAnother, seed, index, &mut line),
            1 => generate::line(Kind::AllInvalid, seed, index, &mut line),
            2 => generate::line(Kind::NonAscii, seed, index, &mut line),
            3 => generate::line(Kind::Escapes, seed, index, &mut line),
            4 => generate::line(Kind::Deep, seed, index, &mut line),
            5 => generate::line(Kind::TenBytes, seed, index, &mut line),
            6 => line.extend_from_slice(rng.pick(&["", " ", "\t \r", "null", "[]", "{}"]).as_bytes()),
            7..=9 => {
                let mut whole = Vec::new();
                generate::line(Kind::Identity, seed, index, &mut whole);
                line = mutate::mutate(&mut rng, &whole);
            }
            10..=14 => generate::line(Kind::Identity, seed, index, &mut line),
            _ => generate::line(Kind::Twin, seed, index, &mut line),
        }
        input.extend(line);
        input.extend_from_slice(rng.pick(&["\n", "\n", "\n", "\r\n", "\r\r\n", "\n\n"]).as_bytes());
    }
    // No newline at the end.
    generate::line(Kind::Identity, seed, lines, &mut input);
    input
}

/// What comes out of a run.
#[derive(PartialEq)]
struct Outcomes {
    code: i32,
    parts: Vec<(&'static str, Vec<u8>)>,
    counts: Value,
}

impl Outcomes {
    fn of(answer: Answer, folder: &Folder) -> Self {
        let mut report = folder.report("report").0;
        let report = report.as_object_mut().expect("an object");
        for name in ["seconds", "threads", "source", "chunks", "chunk_bytes", "simd"] {
            report.remove(name);
        }
        let counts = Value::Object(report.clone());
        // The summary has the time in it.
        let stderr = answer.stderr_text();
        let stderr = stderr.lines().filter(|line| !line.contains(" in ")).collect::<Vec<_>>().join("\n").into_bytes();
        let files = ["rejects", "filtered", "findings"].map(|name| (name, folder.read(name)));
        let parts = [("stdout", answer.stdout), ("stderr", stderr)].into_iter().chain(files).collect();
        Self { code: answer.code, parts, counts }
    }

    #[track_caller]
    fn assert_same(&self, other: &Self, what: &str) {
        assert_eq!(self.counts, other.counts, "{what}");
        for ((name, one), (_, another)) in self.parts.iter().zip(&other.parts) {
            let differs = one.iter().zip(another).position(|(one, another)| one != another);
            assert!(one == another, "{what}: {name}: {} and {} bytes, {differs:?}", one.len(), another.len());
        }
        assert_eq!(self.code, other.code, "{what}");
    }
}

/// Runs with all threads, sources and levels and compares.
fn same_everywhere(input: &[u8], rules: &[&str]) -> Outcomes {
    let folder = Folder::new();
    let path = folder.write("in", input);
    let files = ["rejects", "filtered", "findings", "report"].map(|name| folder.arg(name));
    let mut args = rules.to_vec();
    for (flag, path) in ["--rejects", "--filtered", "--diagnostics", "--report"].into_iter().zip(&files) {
        args.extend([flag, path]);
    }
    args.push("--no-sync");
    let mut first: Option<Outcomes> = None;
    for level in [Some("scalar"), None] {
        for threads in ["1", "2", "8"] {
            for source in ["never", "always", "redirect", "pipe"] {
                let mut command = transform_command(&args);
                command.args(["-j", threads]);
                if let Some(level) = level {
                    command.env("HUBMILL_SIMD", level);
                }
                let mut stdin = b"".as_slice();
                match source {
                    "pipe" => stdin = input,
                    "redirect" => drop(command.stdin(File::open(&path).expect("the input"))),
                    mmap => drop(command.args(["--mmap", mmap, &path])),
                }
                let outcomes = Outcomes::of(run(command, stdin), &folder);
                match &first {
                    None => first = Some(outcomes),
                    Some(first) => first.assert_same(&outcomes, &format!("{level:?} -j {threads} {source} {rules:?}")),
                }
            }
        }
    }
    first.expect("there were runs")
}

#[test]
fn a_mixed_file_is_the_same_everywhere() {
    let input = mixed_file(2400, 5);
    assert!(input.len() > 5 * (512 << 10), "{} bytes are more than five chunks", input.len());
    let rules = Rules {
        drop_system_modules: true,
        import_mode: Some(2),
        disabled: Some(true),
        strip_etags: true,
        strip_metadata: true,
        ..Rules::default()
    };
    let args = rules.args();
    let outcomes = same_everywhere(&input, &args.iter().map(String::as_str).collect::<Vec<_>>());
    let expected = oracle::transform(&rules, &input);
    expected.compare(&outcomes.parts[0].1, rules.key_bytes).unwrap_or_else(|why| panic!("{why}"));
    assert!(outcomes.parts[2] == ("rejects", expected.rejects()));
    assert!(outcomes.parts[3] == ("filtered", expected.filtered()));
    let counts = expected.counts();
    assert!(counts.rejected > 100 && counts.filtered > 50 && counts.edited > 500 && counts.blank > 100, "{counts:?}");
}

#[test]
fn a_plain_copy_is_the_same_everywhere() {
    let input = [generate::file(Kind::Identity, 3000, 6), generate::file(Kind::Twin, 300, 7)].concat();
    let outcomes = same_everywhere(&input, &[]);
    assert_eq!(outcomes.code, 0);
    assert!(outcomes.parts[0].1 == input);
    let kept = mixed_file(250, 8);
    same_everywhere(&kept, &["--on-invalid", "keep", "--check", "none"]);
}

#[test]
fn long_lines_are_the_same_everywhere() {
    let mut input = Vec::new();
    for index in 0..24 {
        // From 300 bytes to 400 KiB, at the limit and past it, among short ones.
        match index % 6 {
            0 => hostile::huge_line(200_000, index, &mut input),
            1 => hostile::huge_line(200_001, index, &mut input),
            2 => hostile::huge_line(300 + 17_000 * index as usize, index, &mut input),
            _ => generate::line(Kind::Twin, 3, index, &mut input),
        }
        input.extend_from_slice(if index % 4 == 0 { b"\r\n" } else { b"\n" });
    }
    same_everywhere(&input, &["--max-line-bytes", "200000", "--status", "enabled"]);
}

#[test]
fn every_simd_level_gives_the_same() {
    let input = mixed_file(300, 9);
    let args = ["--status", "disabled", "-q"];
    let wanted = transform(&args, &input);
    let mut available = Vec::new();
    for level in ["scalar", "avx2", "avx512", "neon"] {
        let mut command = transform_command(&args);
        command.env("HUBMILL_SIMD", level);
        let answer = run(command, &input);
        if answer.code == 2 {
            assert!(answer.stderr_text().contains(level), "{}", answer.stderr_text());
            continue;
        }
        assert!(answer == wanted, "{level}");
        available.push(level);
    }
    assert!(available.contains(&"scalar"));
    #[cfg(target_arch = "x86_64")]
    assert_eq!(available.contains(&"avx2"), std::arch::is_x86_feature_detected!("avx2"));
}

#[test]
fn an_unknown_simd_level_is_refused() {
    let folder = Folder::new();
    let output = folder.arg("out");
    for level in ["sse9", "AVX", "scalar,avx2", " scalar"] {
        let mut command = transform_command(&["-o", &output]);
        command.env("HUBMILL_SIMD", level);
        let answer = run(command, support::devices(1).as_bytes());
        assert_answer(&answer, 2, "");
        assert!(answer.stderr_text().contains("HUBMILL_SIMD"), "{}", answer.stderr_text());
        assert!(folder.names().is_empty());
    }
}

/// Runs the binary through pipes and compares everything with the oracle.
fn agrees_with_the_oracle(rules: &Rules, input: &[u8], threads: usize) -> Result<(), String> {
    let folder = Folder::new();
    let mut args = rules.args_in(folder.root()).expect("a folder to write in");
    for name in ["rejects", "filtered", "diagnostics", "report"] {
        args.extend([format!("--{name}"), folder.arg(name)]);
    }
    args.extend(["--no-sync".to_owned(), "-j".to_owned(), threads.to_string()]);
    let answer = transform(&args, input);
    let stderr = answer.stderr_text();
    let expected = oracle::transform(rules, input);
    let told = |what: &str| format!("{what}: {args:?} on {:?}: {stderr}", String::from_utf8_lossy(input));
    if answer.code != expected.exit_code() {
        return Err(told(&format!("exit {} and not {}", answer.code, expected.exit_code())));
    }
    expected.compare(&answer.stdout, rules.key_bytes).map_err(|why| told(&why))?;
    if folder.read("rejects") != expected.rejects() || folder.read("filtered") != expected.filtered() {
        return Err(told("rejects or filtered"));
    }
    let report = folder.report("report");
    report.assert_adds_up();
    let counts = expected.counts();
    for (name, wanted) in [
        ("lines", counts.lines),
        ("written", counts.written),
        ("rejected", counts.rejected),
        ("filtered", counts.filtered),
        ("invalid_kept", counts.invalid_kept),
        ("notices", counts.notices),
        ("blank", counts.blank),
        ("edited", counts.edited),
    ] {
        if report.number(name) != wanted {
            return Err(told(&format!("{name} is {} and not {wanted}", report.number(name))));
        }
    }
    for (code, wanted) in &expected.codes {
        if report.code(code) != *wanted {
            return Err(told(&format!("{code} is counted {} times and not {wanted}", report.code(code))));
        }
    }
    let findings = json_lines(&folder.read("diagnostics"));
    for line in &expected.lines {
        let of_line = findings.iter().filter(|finding| finding["line"] == line.number);
        let errors: Vec<&str> = of_line
            .filter(|finding| finding["severity"] == "error")
            .map(|finding| finding["code"].as_str().expect("a code"))
            .collect();
        let right = match &line.outcome {
            Outcome::Rejected { codes } | Outcome::Kept { codes } => {
                !errors.is_empty() && errors.iter().all(|code| codes.contains(code))
            }
            _ => errors.is_empty(),
        };
        if !right {
            return Err(told(&format!("line {}: {errors:?}, wanted {:?}", line.number, line.outcome)));
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(20_240_817),
        max_shrink_iters: 300,
        ..ProptestConfig::default()
    })]

    #[test]
    fn random_rules_on_random_files(rules in strategy::rules(), input in strategy::file(), threads in 1usize..4) {
        let result = agrees_with_the_oracle(&rules, &input, threads);
        prop_assert!(result.is_ok(), "{}", result.unwrap_err());
    }

    #[test]
    fn random_rules_on_random_devices(rules in strategy::rules(), input in strategy::device_file()) {
        let result = agrees_with_the_oracle(&rules, &input, 2);
        prop_assert!(result.is_ok(), "{}", result.unwrap_err());
    }
}

#[test]
fn presets_on_a_larger_file_agree_with_the_oracle() {
    let input = mixed_file(200, 10);
    for preset in [Preset::Migrate, Preset::Delete, Preset::Share] {
        for check in [Check::Id, Check::None] {
            let rules = Rules { preset: Some(preset), check, ..Rules::default() };
            agrees_with_the_oracle(&rules, &input, 2).unwrap_or_else(|why| panic!("{why}"));
        }
    }
}
