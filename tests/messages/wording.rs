//! Responsible for: what the summary says and when, and what `-q` and `--deny-warnings` do about it.

use crate::support::{Folder, assert_answer, device, devices, hubmill, transform};

const NO_AUTHENTICATION: &str = "{\"id\":\"a\",\"status\":\"enabled\",\"authentication\":null}\n";

/// `… lines, … in … s (…/s): ` with the measured parts left out.
fn summary(stderr: &str) -> Option<String> {
    let line = stderr.lines().find(|line| line.contains(" in ") && line.contains("/s): "))?;
    let (before, after) = line.split_once(" in ")?;
    Some(format!("{before}: {}", after.split_once("/s): ")?.1))
}

#[test]
fn a_run_without_anything_unusual_is_silent() {
    for args in [[].as_slice(), &["--status", "disabled"], &["--devices-only"]] {
        let answer = transform(args, devices(3).as_bytes());
        assert_eq!((answer.code, answer.stderr_text().as_str()), (0, ""), "{args:?}");
    }
}

#[test]
fn the_summary_counts_what_became_of_the_lines() {
    let folder = Folder::new();
    let (rejects, filtered) = (folder.arg("rejects"), folder.arg("filtered"));
    let module = "{\"id\":\"a\",\"moduleId\":\"m\"}\n";
    let input = format!("A notice.\n{}\n{module}{{\n[]\n", devices(1200));
    let args = ["--devices-only", "--filtered", &filtered, "--status", "disabled"];
    let answer = transform(&[args.as_slice(), &["--rejects", &rejects]].concat(), input.as_bytes());
    assert_eq!(answer.code, 1);
    let saved = "1,205 lines, 92.6 kB: 1,200 written, 1,200 edited, 2 rejected, 1 filtered, 1 notice, 1 blank";
    let found = summary(&answer.stderr_text()).unwrap_or_else(|| panic!("{}", answer.stderr_text()));
    let (size, rest) = found.split_once(": ").expect("a size");
    assert!(size.starts_with("1,205 lines, "), "{size}");
    assert_eq!(rest, saved.split_once(": ").expect("a size").1);
    let answer = transform(&args, input.as_bytes());
    assert!(
        answer.stderr_text().trim_end().ends_with("INCOMPLETE: 2 lines left out and not saved (--rejects)"),
        "{}",
        answer.stderr_text()
    );
}

#[test]
fn what_was_left_out_and_not_saved_is_said() {
    let said = |args: &[&str], input: &str| transform(args, input.as_bytes()).stderr_text();
    let folder = Folder::new();
    let rejects = folder.arg("rejects");
    let one = said(&[], "{\n");
    assert!(one.trim_end().ends_with("INCOMPLETE: 1 line left out and not saved (--rejects)"), "{one}");
    assert!(!said(&["--rejects", &rejects], "{\n").contains("INCOMPLETE"));
    assert!(!said(&["--on-invalid", "keep"], "{\n").contains("INCOMPLETE"));
    assert!(!said(&[], &devices(1)).contains("INCOMPLETE"));
}

#[test]
fn a_run_that_was_stopped_says_by_what() {
    for (args, flag) in [(["--strict"].as_slice(), "--strict"), (&["--max-rejects", "1"], "--max-rejects")] {
        let answer = transform(args, b"{\n[\n{\n");
        assert_eq!(answer.code, 4);
        let said = summary(&answer.stderr_text()).expect("a summary");
        assert!(said.contains(flag), "{said}");
    }
}

#[test]
fn lines_that_would_rotate_keys_are_counted() {
    let said = |args: &[&str], count: usize| transform(args, NO_AUTHENTICATION.repeat(count).as_bytes()).stderr_text();
    assert_eq!(said(&[], 1), "warning: 1 line would give an existing device new keys\n");
    assert_eq!(said(&[], 12_304), "warning: 12,304 lines would give existing devices new keys\n");
    for mode in ["createOrUpdate", "createOrUpdateIfMatchETag", "update", "updateIfMatchETag"] {
        assert!(said(&["--import-mode", mode], 2).contains("2 lines would give existing devices new keys"), "{mode}");
    }
    for mode in ["create", "delete", "deleteIfMatchETag", "updateTwin", "updateTwinIfMatchETag"] {
        assert!(!said(&["--import-mode", mode], 2).contains("new keys"), "{mode}");
    }
    // By the line's own mode, with and without a check.
    let own = NO_AUTHENTICATION.replace("\"a\"", "\"a\",\"importMode\":\"Update\"");
    let missing = "{\"id\":\"a\",\"status\":\"enabled\"}\n";
    let safe = NO_AUTHENTICATION.replace("\"a\"", "\"a\",\"importMode\":1");
    let input = format!("{own}{missing}{safe}{}", device("keyed"));
    for args in [[].as_slice(), &["--check", "none"]] {
        let stderr = transform(args, input.as_bytes()).stderr_text();
        assert!(stderr.contains("2 lines would give existing devices new keys"), "{stderr}");
    }
    // And where a rule takes it away.
    let stderr = transform(&["--strip-authentication"], device("keyed").as_bytes()).stderr_text();
    assert!(stderr.contains("1 line would give an existing device new keys"), "{stderr}");
    assert!(!said(&["--regenerate-keys", "--keyless", "sas"], 1).contains("new keys"));
}

#[test]
fn twins_that_would_go_back_are_hinted_at() {
    let twin = "{\"id\":\"a\",\"status\":\"enabled\",\"authentication\":{\"type\":\"sas\",\"symmetricKey\":{\"primaryKey\":\"MQ==\",\
                \"secondaryKey\":\"Mg==\"}},\"tags\":{\"x\":1},\"properties\":{\"desired\":{}}}\n";
    let said = |args: &[&str], input: &str| transform(args, input.as_bytes()).stderr_text();
    for args in [["--status", "disabled"].as_slice(), &["--regenerate-keys"], &["--swap-keys"], &["--strip-keys"]] {
        let stderr = said(args, &twin.repeat(2));
        assert!(stderr.contains("hint: ") && stderr.contains("--strip-twin"), "{args:?}: {stderr}");
        let without = said(&[args, &["--strip-twin"]].concat(), &twin.repeat(2));
        assert!(!without.contains("hint: "), "{args:?}: {without}");
    }
    for set in ["--set=status=\"disabled\"", "--set=authentication.symmetricKey.primaryKey=\"Mw==\""] {
        assert!(said(&[set], twin).contains("--strip-twin"), "{set}");
    }
    assert!(!said(&["--set=capabilities.iotEdge=true"], twin).contains("hint: "));
    assert!(!said(&["--strip-etags"], twin).contains("hint: "));
    assert!(!said(&["--status", "disabled"], &device("no-twin")).contains("hint: "));
    // A line that was not changed sets nothing back by this run.
    assert!(!said(&["--status", "enabled"], twin).contains("hint: "));
    assert!(!said(&["--status", "disabled", "--import-mode", "delete"], twin).contains("hint: "));
}

#[test]
fn what_key_rules_left_alone_is_summed_up() {
    let line =
        |authentication: &str| format!("{{\"id\":\"a\",\"status\":\"enabled\",\"authentication\":{authentication}}}\n");
    let input =
        [line("{\"type\":\"selfSigned\"}").repeat(3), line("{\"type\":\"none\"}"), line("null").repeat(2)].concat();
    let stderr = transform(&["--regenerate-keys"], input.as_bytes()).stderr_text();
    let left = stderr.lines().find(|line| line.starts_with("keys left alone: ")).unwrap_or_else(|| panic!("{stderr}"));
    assert!(left.contains("3 X.509") && left.contains("1 type none") && left.contains("2 without"), "{left}");
    // No rule leaves alone what the check finds missing.
    let stderr = transform(&["--strip-keys", "--check", "full"], line("{\"type\":\"sas\"}").as_bytes()).stderr_text();
    assert!(stderr.contains("warning[keys-missing]") && !stderr.contains("left alone"), "{stderr}");
}

#[test]
fn ten_of_each_code_are_shown() {
    let bad = ["{\"id\":\"a b\"}\n", "[]\n", "{\n", "{\"id\":\"ok\"}\n"];
    for count in [9, 10, 11, 12_314] {
        let mut input = bad.map(|line| line.repeat(count)).concat();
        // They may also come mixed.
        if count == 11 {
            input = bad.concat().repeat(count);
        }
        let stderr = transform(&["-j", "2"], input.as_bytes()).stderr_text();
        for (head, code) in [
            ("error[id-charset]", "id-charset"),
            ("error[not-an-object]", "not-an-object"),
            ("error[json-syntax]", "json-syntax"),
            ("warning[status-missing]", "status-missing"),
        ] {
            assert_eq!(stderr.matches(head).count(), count.min(10), "{count} {code}");
            let more = match count {
                11 => format!("… and 1 more {code}\n"),
                12_314 => format!("… and 12,304 more {code}\n"),
                _ => String::new(),
            };
            assert!(stderr.contains(&more), "{count} {code}: {stderr}");
        }
        assert!(count > 10 || !stderr.contains("more"), "{stderr}");
        assert_eq!(stderr.matches("hint: allowed are").count(), 1, "a hint is given once");
    }
}

#[test]
fn quiet_drops_the_summary_and_not_the_findings() {
    let input = format!("{}{{\n{NO_AUTHENTICATION}{{\"id\":\"x y\"}}\n", devices(2));
    let stderr = transform(&["-q"], input.as_bytes()).stderr_text();
    assert!(stderr.contains("error[json-syntax]") && stderr.contains("error[id-charset]"), "{stderr}");
    assert!(summary(&stderr).is_none() && !stderr.contains("INCOMPLETE") && !stderr.contains("new keys"), "{stderr}");
    let loud = transform::<&str>(&[], input.as_bytes()).stderr_text();
    assert!(summary(&loud).is_some() && loud.contains("INCOMPLETE") && loud.contains("new keys"), "{loud}");
    assert_eq!(transform(&["--quiet"], input.as_bytes()).stderr_text(), stderr);
}

#[test]
fn warnings_change_the_exit_code_only_when_denied() {
    let folder = Folder::new();
    let (list, output) = (folder.write("ids", "device-0\ngone\n"), folder.arg("out"));
    for (args, input) in [
        ([].as_slice(), "{\"id\":\"a\",\"authentication\":{}}\n"),
        (&["--ids", &list], devices(1).as_str()),
        (&["--devices-only"], ""),
        (&["--regenerate-keys"], NO_AUTHENTICATION),
    ] {
        let plain = transform(args, input.as_bytes());
        assert!(plain.code == 0 && plain.stderr_text().contains("warning["), "{args:?}: {}", plain.stderr_text());
        let denied = transform(&[args, &["--deny-warnings"]].concat(), input.as_bytes());
        assert_answer(&denied, 1, &plain.stdout);
        // The output is there all the same.
        assert_eq!(transform(&[args, &["--deny-warnings", "-o", &output]].concat(), input.as_bytes()).code, 1);
        assert!(folder.read("out") == plain.stdout);
    }
    assert_eq!(transform(&["--deny-warnings"], devices(2).as_bytes()).code, 0);
}

#[test]
fn what_is_denied_is_never_silent() {
    let answer = transform(&["-q", "--deny-warnings"], NO_AUTHENTICATION.as_bytes());
    assert_answer(&answer, 1, NO_AUTHENTICATION);
    assert!(answer.stderr_text().contains("1 line would give an existing device new keys"), "{}", answer.stderr_text());
    assert_eq!(transform(&["-q"], NO_AUTHENTICATION.as_bytes()).stderr_text(), "");
    let args = ["--set", "foo=1", "--deny-warnings"];
    let answer = transform(&args, devices(1).as_bytes());
    assert_eq!((answer.code, answer.stderr_text().matches("warning: --set foo").count()), (1, 1));
    assert_eq!(transform(&args[..2], devices(1).as_bytes()).code, 0);
}

#[test]
fn the_notice_is_shown_once_and_dropped() {
    let notice = "Keys were left out of this export.";
    let answer = transform::<&str>(&[], format!("{notice}\r\n{}", device("a")).as_bytes());
    assert_answer(&answer, 0, device("a"));
    assert_eq!(answer.stderr_text().matches(notice).count(), 1, "{}", answer.stderr_text());
    // The same words on another line are a broken line.
    let answer = transform::<&str>(&[], format!("{}{notice}\n", device("a")).as_bytes());
    assert_answer(&answer, 1, device("a"));
}

#[test]
fn what_is_said_comes_in_the_order_of_the_lines() {
    let input = "A notice.\n{\"id\":\"a\"}\n{\n{\"id\":\"b\"}\n[]\n";
    let stderr = transform::<&str>(&[], input.as_bytes()).stderr_text();
    let said =
        ["notice: ", "status-missing]: line 2", "json-syntax]: line 3", "status-missing]: line 4", "object]: line 5"];
    let places: Vec<Option<usize>> = said.iter().map(|text| stderr.find(text)).collect();
    assert!(places.iter().all(Option::is_some) && places.is_sorted(), "{places:?}: {stderr}");
}

#[test]
fn a_failure_is_said_once() {
    let folder = Folder::new();
    let (missing, output) = (folder.arg("missing"), folder.arg("missing/out"));
    let answer = transform(&[&missing], b"");
    assert_eq!(answer.stderr_text(), format!("error: can't open {missing}: No such file or directory (os error 2)\n"));
    let answers = [transform(&["-o", &output], b""), transform(&["--ids", &missing], b"")];
    for answer in answers {
        assert_eq!(answer.stderr_text().matches("No such file").count(), 1, "{}", answer.stderr_text());
    }
}

#[test]
fn usage_errors() {
    for args in
        [vec![], vec!["none-such"], vec!["transform", "a", "b"], vec!["transform", "-o"], vec!["completions", "x"]]
    {
        let answer = hubmill(&args, b"");
        assert_answer(&answer, 2, "");
        assert!(!answer.stderr.is_empty(), "{args:?}");
    }
    let answer = hubmill(&["--version"], b"");
    assert_answer(&answer, 0, format!("hubmill {}\n", env!("CARGO_PKG_VERSION")));
    let help = hubmill(&["transform", "--help"], b"").stdout_text();
    for flag in
        ["--output", "--report", "--threads", "--mmap", "--max-line-bytes", "--max-depth", "--no-sync", "--quiet"]
    {
        assert!(help.contains(flag), "{flag}");
    }
}
