//! Responsible for: `hubmill plan` as a process: what it writes where, its exit codes, and that secrets stay where they are.
//! Not for: what becomes of which line; see the crate `hubmill-registry`.

mod support;

use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt as _;
use support::{Folder, assert_answer, command, hubmill, json_lines, run, script};

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// A device as an export has it.
fn device(id: &str) -> String {
    format!(
        r#"{{"id":"{id}","eTag":"MQ==","status":"enabled","authentication":{{"symmetricKey":{{"primaryKey":"{KEY}","secondaryKey":"{KEY}"}},"x509Thumbprint":{{"primaryThumbprint":null,"secondaryThumbprint":null}},"type":"sas"}},"twinETag":"AAAAAAAAAAE=","tags":{{"site":"lyon"}}}}"#
    ) + "\n"
}

fn line(id: &str, mode: &str) -> String {
    format!("{{\"id\":\"{id}\",\"status\":\"enabled\",\"importMode\":\"{mode}\"}}\n")
}

/// The summary as JSON.
fn summary(args: &[&str], import: &str) -> (i32, Value) {
    let answer = hubmill(&[&["plan", "--format", "json", "-q"], args].concat(), import.as_bytes());
    (answer.code, serde_json::from_slice(&answer.stdout).unwrap_or_else(|_| panic!("{}", answer.stderr_text())))
}

#[test]
fn the_summary_comes_first_and_then_what_changes() {
    let folder = Folder::new();
    let export = folder.write("export", device("a") + &device("b") + &device("c"));
    let moved = device("b")
        .replace("lyon", "graz")
        .replace(r#""eTag":"MQ==","#, "")
        .replace(r#""twinETag":"AAAAAAAAAAE=","#, "");
    let import = line("a", "delete") + &moved + &line("c", "create") + &line("d", "create") + "broken\n";
    let answer = hubmill(&["plan", "--details", "-q", "--registry", &export], import.as_bytes());
    assert_eq!((answer.code, answer.stderr_text().as_str()), (1, ""));
    let text = answer.stdout_text();
    let (table, details) = text.split_once("risks\n").expect("risks");
    for row in [
        "created                                              1\n",
        "  400012 DeserializationError                        1\n",
        "devices after                                        3  now 3\n",
    ] {
        assert!(table.contains(row), "{table}");
    }
    let details: Vec<&str> = details.lines().filter(|line| line.contains(" line ")).collect();
    assert_eq!(
        details,
        [
            "deleted    line 1, a",
            "twin       line 2, b: tags.site (assumed)",
            "fails      line 3, c: 409001 DeviceAlreadyExists",
            "created    line 4, d",
            "fails      line 5, no id: 400012 DeserializationError: expected a value, found 'b'",
        ]
    );
}

#[test]
fn the_details_mark_every_line_that_is_counted_as_assumed() {
    let folder = Folder::new();
    let export = folder.write("export", device("a") + &device("b"));
    let module = line("n", "create").replace("\"status\"", "\"moduleId\":\"m\",\"status\"");
    let same = device("b").replace(r#""eTag":"MQ==","#, "").replace(r#""twinETag":"AAAAAAAAAAE=","#, "");
    let (once, odd) = (line("\\\"assumed\\\":false", "create"), line("x", "update"));
    let import = [module, line("n", "create"), same.clone(), same, line("a", "delete"), once, odd].concat();
    let args = ["plan", "--details", "-q", "--registry", &export];
    let text = hubmill(&args, import.as_bytes()).stdout_text();
    let marked: Vec<&str> = text.lines().filter(|line| line.contains(" line ") || line.contains("resting")).collect();
    assert_eq!(
        marked,
        [
            "resting on an assumption                             3  that lines apply in file order, and that a section of a twin replaces the hub's",
            "fails      line 1, n module m: 404001 DeviceNotFound (assumed)",
            "created    line 2, n",
            "deleted    line 5, a",
            "fails      line 6, \"assumed\":false: number not known refused by the hub's rules: device id \"\\\"assumed\\\":false\" has a character that the hub refuses: '\"' at 0",
            "fails      line 7, x: 404001 DeviceNotFound",
        ]
    );
    let lines = json_lines(&hubmill(&[&args[..], &["--format", "json"]].concat(), import.as_bytes()).stdout);
    let marked: Vec<bool> = lines[1..].iter().map(|line| line["assumed"] == json!(true)).collect();
    assert_eq!((&lines[0]["assumed"], marked), (&json!(3), vec![true, false, true, true, false, false, false]));
    // More than is read at once, and the first line of each is marked at its end only.
    let import: String = (0..4_000).map(|number| line(&format!("d{number}"), "create")).collect::<String>().repeat(2);
    let answer = hubmill(&[&args[..], &["-j", "3"]].concat(), import.as_bytes());
    let marked = answer.stdout_text().lines().filter(|line| line.ends_with(" (assumed)")).count();
    assert_eq!(marked, 8_000);
}

#[test]
fn no_more_is_said_to_fit_than_the_quota_takes() {
    let folder = Folder::new();
    let export = folder.write("export", device("a") + &device("b"));
    // Whether each of them is made is not known.
    let odd = |id: &str| line(id, "create").replace("}\n", ",\"eTag\":\"MQ==\"}\n");
    let import = ["n", "o", "p"].map(odd).concat();
    for (quota, more) in [("5", 3), ("4", 2), ("3", 1), ("2", 0), ("1", 0), ("0", 0)] {
        let (_, plan) = summary(&["--registry", &export, "--quota", quota], &import);
        assert_eq!(plan["uncertain"], json!({"more": more, "fewer": 0}), "{quota}");
    }
    for (quota, used) in [("4", "50.0 %"), ("1", "200.0 %"), ("0", "2")] {
        let text = hubmill(&["plan", "-q", "--registry", &export, "--quota", quota], b"").stdout_text();
        assert!(text.contains(&format!("  {used} used after\n")), "{text}");
    }
}

#[test]
fn what_has_no_findings_does_not_offer_to_write_them() {
    let folder = Folder::new();
    let export = folder.write("export", device("a"));
    assert_answer(&hubmill(&["plan", "--registry", &export, "--diagnostics", "-"], b""), 2, "");
    assert!(!hubmill(&["plan", "--help"], b"").stdout_text().contains("--diagnostics"));
}

#[test]
fn everything_is_there_for_machines() {
    let folder = Folder::new();
    let export = folder.write("export", device("a") + &device("b") + "\n" + &device("b"));
    let import = line("a", "update") + &line("x", "update") + &line("b", "deleteIfMatchETag");
    let report = folder.arg("report");
    let (code, plan) = summary(&["--registry", &export, "--quota", "10", "--report", &report], &import);
    assert_eq!(code, 1);
    assert_eq!(plan["updated"], json!({"devices": 1, "modules": 0}));
    let codes = json!([
        {"code": null, "name": "the ETag that the mode compares is missing", "lines": 1},
        {"code": 404_001, "name": "DeviceNotFound", "lines": 1},
    ]);
    assert_eq!(plan["failing"], json!({"lines": 2, "maybeWritten": 0, "byCode": codes}));
    assert_eq!((&plan["risks"]["keysByHub"], &plan["quota"]), (&json!(1), &json!(10)));
    assert_eq!((&plan["registry"]["repeated"], &plan["registry"]["blank"]), (&json!(1), &json!(1)));
    assert_eq!(plan["devices"], json!({"before": 2, "after": 2}));
    let report = folder.report("report");
    assert_eq!((&report.0["plan"], &report.0["command"], report.number("lines")), (&plan, &json!("plan"), 3));
    assert!(report.is_complete());
    let answer = hubmill(&["plan", "--format", "json", "--details", "-q", "--registry", &export], import.as_bytes());
    let lines = json_lines(&answer.stdout);
    assert_eq!(lines.len(), 4);
    assert_eq!(
        (&lines[1]["outcome"], &lines[1]["id"], &lines[2]["errorCode"]),
        (&json!("updated"), &json!("a"), &json!(404_001))
    );
}

#[test]
fn the_log_is_always_written_and_the_result_can_be_planned_with() {
    let folder = Folder::new();
    let export = folder.write("export", device("a") + &device("b"));
    let (errors, result) = (folder.arg("errors"), folder.arg("result"));
    let args = ["plan", "-q", "--registry", &export, "--errors", &errors, "--result", &result];
    assert_eq!(hubmill(&args, line("n", "create").as_bytes()).code, 0);
    assert_eq!(folder.text("errors"), "", "nothing fails");
    assert!(folder.text("result").starts_with(&(device("a") + &device("b") + "{\"id\":\"n\",")));
    assert!(folder.text("result").contains(r#""primaryKey":null"#));
    for name in ["errors", "result"] {
        let mode = std::fs::metadata(folder.path(name)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name} may hold keys");
    }
    let answer = hubmill(&args, (line("n", "update") + "{\"id\":\"a\"}\n").as_bytes());
    assert_eq!(answer.code, 1);
    let logged = json_lines(&folder.read("errors"));
    assert_eq!(
        logged[0],
        json!({"deviceId": "n", "errorCode": 404_001, "errorStatus": "A device with Id 'n' is not registered."})
    );
    assert_eq!((logged[1].get("deviceId"), &logged[1]["errorCode"]), (None, &json!(400_012)));
    // What came out goes in again.
    assert_eq!(hubmill(&["plan", "-q", "--registry", &result], line("b", "delete").as_bytes()).code, 0);
}

#[test]
fn too_many_deletes_stop_the_run() {
    let folder = Folder::new();
    let export = folder.write("export", ["a", "b", "c", "d"].map(device).concat());
    let import = folder.write("import", line("a", "delete") + &line("b", "delete") + &line("x", "delete"));
    let (result, output, errors, report) =
        (folder.arg("result"), folder.arg("output"), folder.arg("errors"), folder.arg("report"));
    for (max, code) in [("2", 1), ("1", 4), ("50%", 1), ("49.9%", 4), ("0%", 4)] {
        for name in ["result", "output", "errors", "report"] {
            let _ = std::fs::remove_file(folder.path(name));
        }
        let args = [
            "plan",
            "--registry",
            &export,
            &import,
            "--max-delete",
            max,
            "--result",
            &result,
            "-o",
            &output,
            "--errors",
            &errors,
            "--report",
            &report,
        ];
        let answer = hubmill(&args, b"");
        assert_eq!(answer.code, code, "{max} {}", answer.stderr_text());
        assert_eq!((folder.has("result"), folder.has("output")), (code == 1, code == 1), "{max}");
        assert!(folder.has("errors") && folder.report("report").is_complete() == (code == 1));
        if code == 4 {
            assert!(
                answer.stderr_text().contains("2 of 4 devices would be deleted, more than --max-delete"),
                "{}",
                answer.stderr_text()
            );
        }
    }
}

#[test]
fn no_delete_gets_past_the_limit_for_what_is_wrong_beside_it() {
    let folder = Folder::new();
    let export = folder.write("export", device("a"));
    let delete = |more: &str| line("a", "delete").replace("}\n", &format!("{more}}}\n"));
    let short_key = r#","authentication":{"symmetricKey":{"primaryKey":"123","secondaryKey":"123"}}"#;
    for (more, maybe) in [(r#","tags":{"x y":1}"#, ""), (short_key, ""), (r#","tags":[]"#, " (1 of them maybe)")] {
        let answer = hubmill(&["plan", "-q", "--registry", &export, "--max-delete", "0"], delete(more).as_bytes());
        let want = format!("1 of 1 devices would be deleted{maybe}, more than --max-delete 0 allows");
        assert_eq!((answer.code, answer.stderr_text().contains(&want)), (4, true), "{more} {}", answer.stderr_text());
    }
}

#[test]
fn wrong_calls_touch_nothing() {
    let folder = Folder::new();
    let export = folder.write("export", device("a"));
    let fifo = folder.fifo("fifo");
    for (args, want) in [
        (vec!["plan"], "--registry"),
        (vec!["plan", "--registry", &export, &export], "--registry and the import are the same file"),
        (vec!["plan", "--registry", &export, "-", "--result", &export], "--registry and --result are the same file"),
        (vec!["plan", "--registry", "-", "-"], "can't both be standard input"),
        (vec!["plan", "--registry", "-"], "can't both be standard input"),
        (vec!["plan", "--registry", &export, "--result", "-"], "--output and --result can't both be standard output"),
        (vec!["plan", "--registry", &export, "--max-delete", "much"], "--max-delete"),
        (vec!["plan", "--registry", &export, "--diagnostics", "-"], "--details"),
        (vec!["plan", "--registry", &fifo, &fifo, "-j", "0"], "--threads"),
    ] {
        let answer = hubmill(&args, line("a", "delete").as_bytes());
        assert_eq!(answer.code, 2, "{args:?}");
        assert!(answer.stderr_text().contains(want), "{args:?} {}", answer.stderr_text());
    }
    assert_eq!(folder.text("export"), device("a"));
    assert_eq!(hubmill(&["plan", "--registry", "/no/such/file"], b"").code, 3);
}

#[test]
fn pipes_are_kept_and_read_again() {
    let folder = Folder::new();
    let export = folder.write("export", device("a") + &device("b"));
    let import = folder.write("import", line("a", "delete"));
    let result = folder.arg("result");
    let piped = script("cat \"$1\" | \"$0\" plan -q --registry - \"$2\" --result \"$3\"", &[&export, &import, &result]);
    assert_eq!(run(piped, b"").code, 0);
    assert_eq!(folder.text("result"), device("b"));
    let piped = script("cat \"$2\" | \"$0\" plan -q --registry \"$1\" --result \"$3\"", &[&export, &import, &result]);
    assert_eq!(run(piped, b"").code, 0);
    assert_eq!(folder.text("result"), device("b"));
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let folder = Folder::new();
    let export = folder.write("export", (0..2000).map(|number| device(&format!("d{number}"))).collect::<String>());
    let import =
        folder.write("import", (0..90_000).map(|number| line(&format!("d{number}"), "delete")).collect::<String>());
    let closed =
        script("{ \"$0\" plan --details -q --registry \"$1\" \"$2\"; echo $? >&2; } | head -1", &[&export, &import]);
    let answer = run(closed, b"");
    assert_eq!((answer.stdout_text().lines().count(), answer.stderr_text().as_str()), (1, "0\n"));
}

#[test]
fn empty_and_odd_files_are_told_of() {
    let folder = Folder::new();
    let export = folder.write("export", device("a"));
    let empty = folder.write("empty", "");
    let answer = hubmill(&["plan", "-q", "--registry", &export], b"");
    assert_eq!((answer.code, answer.stderr_text().contains("the import is empty")), (0, true));
    let answer = hubmill(&["plan", "-q", "--registry", &empty], line("a", "update").as_bytes());
    assert_eq!(answer.code, 1);
    let answer = hubmill(
        &["plan", "-q", "--registry", &export],
        format!("\u{feff}a notice\n\n{}", line("a", "update")).as_bytes(),
    );
    for want in ["probably refused as a whole (400009): a notice", "a byte order mark", "1 blank line"] {
        assert!(answer.stderr_text().contains(want), "{}", answer.stderr_text());
    }
    let odd = folder.write(
        "odd",
        "{\"id\":\"a\"}\nnot a device\n{\"id\":\"a\",\"importMode\":\"create\"}\n{\"id\":\"x\",\"moduleId\":\"m\"}\n",
    );
    let answer = hubmill(&["plan", "-q", "--registry", &odd], line("a", "update").as_bytes());
    for want in [
        "1 line of the export is no device and left out; the first is line 2",
        "ids of an earlier line",
        "whose device is not in it",
        "is it an import?",
    ] {
        assert!(answer.stderr_text().contains(want), "{}", answer.stderr_text());
    }
}

#[test]
fn an_export_with_lines_that_are_no_device_ends_in_findings() {
    let folder = Folder::new();
    let export = folder.write("export", device("a") + "{bad\n" + &device("b"));
    let report = folder.arg("report");
    let args = ["plan", "-q", "--registry", &export, "--report", &report];
    let answer = hubmill(&args, line("a", "update").as_bytes());
    assert_eq!(answer.code, 1);
    let want = "error[not-a-device]: 1 line of the export is no device and left out; the first is line 2 (byte ";
    assert!(answer.stderr_text().starts_with(want), "{}", answer.stderr_text());
    assert_eq!((folder.report("report").code("not-a-device"), folder.report("report").is_complete()), (1, true));
    let stopped = hubmill(&[&args[..], &["--max-delete", "0"]].concat(), line("a", "delete").as_bytes());
    assert_eq!(stopped.code, 4);
    assert!(stopped.stderr_text().contains("error[not-a-device]"), "{}", stopped.stderr_text());
}

#[test]
fn the_notice_of_an_export_is_shown_once_and_counted() {
    let folder = Folder::new();
    let export = folder.write("export", "Keys were left out\u{7}\n".to_owned() + &device("a") + "\n");
    let report = folder.arg("report");
    for threads in ["1", "3"] {
        let args = ["plan", "-q", "-j", threads, "--registry", &export, "--report", &report];
        let answer = hubmill(&args, line("a", "update").as_bytes());
        assert_eq!(
            (answer.code, answer.stderr_text().as_str()),
            (
                0,
                "notice: the first line of the export is no device (§1.6) and was left out: Keys were left out\\u{7}\n"
            )
        );
        let told = folder.report("report");
        assert_eq!((told.number("notices"), told.number("blank"), told.code("notice")), (1, 1, 1));
        assert_eq!((&told.0["plan"]["notices"], &told.0["plan"]["registry"]["notices"]), (&json!(0), &json!(1)));
    }
}

#[test]
fn the_same_whatever_the_threads_and_the_way_of_reading() {
    let folder = Folder::new();
    let kind = hubmill_testkit::generate::Kind::Twin;
    let text = String::from_utf8(hubmill_testkit::generate::file(kind, 1000, 5)).expect("text");
    let export = folder.write("export", &text);
    // Every mode, ids twice, lines that can't be read.
    let modes =
        ["create", "update", "delete", "updateTwin", "deleteIfMatchETag", "createOrUpdate", "updateIfMatchETag"];
    let set = |(number, line): (usize, &str)| match number % 11 {
        9 => "garbage\n".to_owned(),
        10 => line.replace("enabled", "disabled") + "\n",
        _ => format!("{},\"importMode\":\"{}\"}}\n", &line[..line.len() - 1], modes[number % modes.len()]),
    };
    let lines: Vec<String> = text.lines().enumerate().map(set).collect();
    let import = folder.write("import", lines.concat() + &lines[..300].concat());
    let mut first: Option<[Vec<u8>; 3]> = None;
    for (threads, mmap) in [("1", "never"), ("2", "always"), ("5", "never"), ("3", "auto")] {
        let (errors, result, output) = (folder.arg("errors"), folder.arg("result"), folder.arg("output"));
        let args = [
            "plan",
            "-q",
            "--details",
            "-j",
            threads,
            "--mmap",
            mmap,
            "--registry",
            &export,
            &import,
            "--errors",
            &errors,
            "--result",
            &result,
            "-o",
            &output,
        ];
        let answer = hubmill(&args, b"");
        assert_eq!((answer.code, answer.stderr_text().as_str()), (1, ""));
        let all = ["errors", "result", "output"].map(|name| folder.read(name));
        assert!(all.iter().all(|bytes| bytes.len() > 5_000));
        assert!(first.get_or_insert_with(|| all.clone()) == &all, "{threads} {mmap}");
    }
}

#[test]
fn garbage_ends_well() {
    let folder = Folder::new();
    let mut rng = hubmill_testkit::rng::Rng::for_line(3, 1, 9);
    let bytes: Vec<u8> = (0..200_000).map(|_| rng.below(256) as u8).collect();
    let export = folder.write("export", &bytes);
    let answer =
        hubmill(&["plan", "-q", "--details", "--registry", &export, "--errors", &folder.arg("errors")], &bytes[7..]);
    assert_eq!(answer.code, 1);
    json_lines(&folder.read("errors"));
}

#[test]
fn ids_twice_by_the_hundred_thousand() {
    let folder = Folder::new();
    let export = folder.write("export", device("a").repeat(100_000));
    let import = (line("a", "delete") + &line("a", "create")).repeat(50_000);
    let (code, plan) = summary(&["--registry", &export], &import);
    assert_eq!((code, &plan["created"]["devices"], &plan["deleted"]["devices"]), (0, &json!(50_000), &json!(50_000)));
    assert_eq!((&plan["repeated"], &plan["registry"]["repeated"]), (&json!(99_999), &json!(99_999)));
}

#[test]
fn secrets_are_never_shown() {
    let folder = Folder::new();
    let other = KEY.replace('A', "B");
    let export = folder.write("export", device("a") + &device("b"));
    let cut = device("b").trim_end().trim_end_matches('}').to_owned();
    let sas = "SharedAccessSignature sr=x&sig=c2VjcmV0c2VjcmV0";
    let import = device("a").replace(KEY, &other)
        + &cut
        + "\n"
        + &device("b").replace("\"status\":\"enabled\",", "")
        + &device("b").replace("lyon", sas).replace(r#""twinETag":"AAAAAAAAAAE=","#, "")
        + &line(sas, "create")
        + &format!("{{\"id\":\"x\",\"status\":\"{KEY}\"}}\n");
    for format in ["text", "json"] {
        let args = [
            "plan",
            "--details",
            "--format",
            format,
            "--registry",
            &export,
            "--errors",
            &folder.arg("errors"),
            "--report",
            &folder.arg("report"),
        ];
        let answer = hubmill(&args, import.as_bytes());
        assert_eq!(answer.code, 1);
        let shown = [answer.stdout_text(), answer.stderr_text(), folder.text("errors"), folder.text("report")].concat();
        for secret in [KEY, &other, &KEY[..20], "c2VjcmV0"] {
            assert!(!shown.contains(secret), "{secret} in {shown}");
        }
        assert!(shown.contains("authentication.symmetricKey.primaryKey"));
    }
}

#[test]
fn an_export_that_becomes_shorter_is_noticed() {
    let folder = Folder::new();
    let export = folder.write("export", device("a").repeat(10));
    let mut child =
        command(&["plan", "-q", "--mmap", "always", "--registry", &export, "--result", &folder.arg("result")])
            .spawn()
            .expect("it starts");
    // The index is built before the import is there.
    std::thread::sleep(std::time::Duration::from_millis(300));
    std::fs::OpenOptions::new()
        .write(true)
        .open(folder.path("export"))
        .and_then(|file| file.set_len(0))
        .expect("it is cut");
    let answer = support::finish(&mut child, line("a", "delete").as_bytes(), |_| {});
    assert_eq!((answer.code, folder.has("result")), (3, false), "{}", answer.stderr_text());
    assert_answer(&hubmill(&["plan", "--registry", &export, "/no/such"], b""), 3, "");
}
