//! `hubmill retry`: which lines it writes, and what it says of the others.

use crate::support::{Folder, assert_answer, device, devices, hubmill, json_lines};
use serde_json::{Value, json};

/// A key that no message may hold.
const KEY: &str = "pC7hQx+V2zT0rJ4/kWb9sYd3LmN8uGfAeXo1iRv5BtE=";

/// An entry of a log about a device.
fn named(id: &str, code: u32) -> String {
    format!("{}\n", json!({"deviceId": id, "errorCode": code, "errorStatus": id}))
}

/// An entry of a log that quotes a line which could not be read.
fn quoted(line: &str, message: &str) -> String {
    let status = format!("Invalid device format in line: {line}. {message}");
    format!("{}\n", json!({"errorCode": 400_012, "errorStatus": status}))
}

/// Runs `retry` on a file of this content with this log and these flags.
fn retry(
    log: impl AsRef<[u8]>,
    import: impl AsRef<[u8]>,
    flags: &[&str],
) -> (Folder, hubmill_testkit::process::Answer) {
    let folder = Folder::new();
    let (log, import) = (folder.write("importErrors.log", log), folder.write("devices.txt", import));
    let report = folder.arg("report");
    let args = [&["retry", "--errors", &log, "--report", &report, &import], flags].concat();
    let answer = hubmill(&args, b"");
    (folder, answer)
}

/// Device and module of each line of NDJSON.
fn ids(output: &[u8]) -> Vec<String> {
    let id = |line: &Value| match line["moduleId"].as_str() {
        Some(module) => format!("{}/{module}", line["id"].as_str().expect("an id")),
        None => line["id"].as_str().expect("an id").to_owned(),
    };
    json_lines(output).iter().map(id).collect()
}

fn import_of_four() -> String {
    [
        device("a"),
        device("b"),
        "{\"id\":\"b\",\"moduleId\":\"m1\",\"status\":\"enabled\"}\n".to_owned(),
        "{\"id\":\"b\",\"moduleId\":\"m2\",\"status\":\"enabled\"}\n".to_owned(),
        device("c"),
        device("d"),
    ]
    .concat()
}

#[test]
fn a_log_of_a_hundred_lines_about_five_that_could_not_be_read() {
    // The shape that was seen at a hub (§5.5): the ids in file order, twenty times over; every line quoted; the last line of
    // the import without a line end.
    let line = |number: usize| {
        format!(
            "{{\"id\":\"scooter_{number}\",\"importMode\":\"createOrUpdate\",\"status\":\"Enabled\",\"authentication\":{{\"thumbprint\":\
             {{\"primaryThumbprint\":\"{}\"}},\"type\":\"SELF_SIGNED\"}}}}",
            "0A".repeat(20)
        )
    };
    let message = "Error converting value \"SELF_SIGNED\" to type 'System.Nullable`1[Microsoft.Azure.Devices.Cloud.\
                   AuthenticationType]'. Path 'authentication.type', line 1, position 196.";
    let lines: Vec<String> = (0..5).map(line).collect();
    let log = lines.iter().map(|line| quoted(line, message)).collect::<String>().repeat(20);
    let import = [device("good"), lines.join("\n")].concat();
    let (folder, answer) = retry(&log, &import, &[]);
    assert_answer(&answer, 0, lines.join("\n") + "\n");
    let report = folder.report("report");
    report.assert_adds_up();
    assert_eq!((report.number("lines"), report.number("written"), report.number("failed")), (6, 5, 5));
    let log = &report.0["log"];
    assert_eq!((&log["lines"], &log["entries"]), (&json!(100), &json!(5)));
    assert_eq!(log["causes"][0]["code"], 400_012);
    let said = answer.stderr_text();
    assert!(said.contains("400012 DeserializationError: 5 lines, written"), "{said}");
    assert!(said.contains("hubmill validate"), "{said}");
}

#[test]
fn what_another_import_can_mend_is_written_and_the_rest_is_named() {
    let log = [named("a", 409_001), named("b", 429_001), named("c", 403_002), named("d", 500_001)].concat();
    let import = [device("d"), device("c"), device("b"), device("a"), device("e")].concat();
    let (folder, answer) = retry(&log, &import, &[]);
    assert_answer(&answer, 0, [device("d"), device("b")].concat());
    assert_eq!(folder.report("report").number("left_out"), 2);
    let said = answer.stderr_text();
    for part in [
        "warning[left-out]: line 2 (byte 62): the device \"c\" failed with 403002 IotHubQuotaExceeded",
        "warning[left-out]: line 4 (byte 186): the device \"a\" failed with 409001 DeviceAlreadyExists",
        "409001 DeviceAlreadyExists: 1 line, left out",
        "one by one, not by another job",
        "429001 ThrottlingException: 1 line, written",
        "5 lines, 310 B in ",
        ": 4 failed, 2 written, 2 left out and not saved (--individually)",
    ] {
        assert!(said.contains(part), "{part:?} in {said}");
    }

    let target = folder.arg("one-by-one");
    let (_, answer) = retry(&log, &import, &["--individually", &target]);
    assert_answer(&answer, 0, [device("d"), device("b")].concat());
    assert_eq!(folder.text("one-by-one"), [device("c"), device("a")].concat());
    assert!(!answer.stderr_text().contains("not saved"));
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&folder.path("one-by-one").metadata().expect("a file").permissions());
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn codes_and_all_select_whatever_the_default_leaves_out() {
    let log = [named("a", 409_001), named("b", 429_001), named("c", 403_002), named("d", 400_012)].concat();
    let import = [device("a"), device("b"), device("c"), device("d"), device("e")].concat();
    for (flags, want) in [
        (vec!["--all"], vec!["a", "b", "c", "d"]),
        (vec!["--code", "409001"], vec!["a"]),
        (vec!["--code", "429001", "--code", "403002"], vec!["b", "c"]),
        (vec!["--code", "400013"], vec![]),
    ] {
        let (folder, answer) = retry(&log, &import, &flags);
        assert_eq!(
            (answer.code, ids(&answer.stdout)),
            (0, want.iter().map(|id| (*id).to_owned()).collect()),
            "{flags:?}"
        );
        assert_eq!(folder.report("report").code("empty-output"), u64::from(want.is_empty()), "{flags:?}");
    }
}

#[test]
fn an_entry_without_a_module_id_stands_for_all_lines_of_its_device_and_that_is_said() {
    let (folder, answer) = retry(named("b", 429_001) + &named("c", 429_001), import_of_four(), &[]);
    assert_eq!((answer.code, ids(&answer.stdout)), (0, ["b", "b/m1", "b/m2", "c"].map(str::to_owned).to_vec()));
    assert_eq!(folder.report("report").0["log"]["without_module_id"], json!({"entries": 1, "lines": 3, "modules": 2}));
    let said = answer.stderr_text();
    assert!(said.contains("1 entry stands for all 3 lines of their devices, 2 of them modules'"), "{said}");

    // Should the hub name a module after all, that module is meant.
    let log = "{\"deviceId\":\"b\",\"moduleId\":\"m2\",\"errorCode\":429001}\n";
    let (_, answer) = retry(log, import_of_four(), &[]);
    assert_eq!((answer.code, ids(&answer.stdout)), (0, vec!["b/m2".to_owned()]));
    assert!(!answer.stderr_text().contains("stands for"));
}

#[test]
fn codes_are_numbers_or_strings_or_names_and_unknown_ones_are_said_to_be_unknown() {
    let log = "{\"deviceId\":\"a\",\"errorCode\":\"429001\"}\n{\"errorCode\":\"ThrottlingException\",\"deviceId\":\"b\"}\n\
               {\"deviceId\":\"c\",\"errorCode\":498765}\n{\"deviceId\":\"d\",\"errorCode\":\"NeverHeardOf\"}\n";
    let (folder, answer) = retry(log, import_of_four(), &[]);
    assert_eq!(ids(&answer.stdout), ["a", "b", "b/m1", "b/m2", "c", "d"]);
    assert_eq!(answer.code, 0);
    let report = folder.report("report");
    assert_eq!(report.code("log-code-unknown"), 2);
    let codes: Vec<&Value> =
        report.0["log"]["causes"].as_array().expect("causes").iter().map(|cause| &cause["code"]).collect();
    assert_eq!(codes, [&json!(429_001), &json!(498_765), &Value::Null]);
    let said = answer.stderr_text();
    assert!(said.contains("the error code 498765 is in no list (§5.6)") && said.contains("\"NeverHeardOf\""), "{said}");
}

#[test]
fn lines_are_found_by_their_bytes_wherever_the_quote_ends() {
    let broken = "{\"id\":\"x\",\"tags\":{\"note\":\"one. two. three\"},\"status\":";
    let spaced = "  {\"id\": \"y\" , \"status\":\"odd\"}\t";
    let umlaut = "{\"id\":\"zürich\",\"status\":\"größer\\u00e4\"}";
    let import = format!("{broken}\r\n{spaced}\n{umlaut}\n{}", device("good"));
    let log = [
        quoted(broken, "Unexpected end when reading JSON. Path 'status', line 1, position 58."),
        quoted(spaced.trim(), "Error converting value \"odd\". Path 'status'."),
        format!("{}\n", json!({"errorCode": 400_012, "errorStatus": format!("Zeile: {umlaut}")})),
    ];
    let (_, answer) = retry(log.concat(), &import, &[]);
    assert_answer(&answer, 0, format!("{broken}\n{spaced}\n{umlaut}\n"));

    // Bytes that are no text come back as replacement characters.
    let import = [b"{\"id\":\"caf\xe9\"}\n".as_slice(), device("good").as_bytes()].concat();
    let (_, answer) = retry(quoted("{\"id\":\"caf\u{fffd}\"}", "Error."), &import, &[]);
    assert_answer(&answer, 0, b"{\"id\":\"caf\xe9\"}\n");
}

#[test]
fn what_the_import_file_does_not_hold_is_reported() {
    let gone = format!("{{\"id\":\"gone\",\"authentication\":{{\"symmetricKey\":{{\"primaryKey\":\"{KEY}\"}}}}}}");
    let log =
        [named("a", 429_001), named("other", 404_001), quoted(&gone, "Error."), quoted("no json", "Error.")].concat();
    let (folder, answer) = retry(&log, import_of_four(), &[]);
    assert_eq!((answer.code, ids(&answer.stdout)), (1, vec!["a".to_owned()]));
    assert_eq!(folder.report("report").code("log-unmatched"), 3);
    let said = answer.stderr_text();
    for part in [
        "line 2 of the log names the device \"other\" with 404001 DeviceNotFound",
        "line 3 of the log quotes a line of the device \"gone\" with 400012 DeserializationError",
        "line 4 of the log quotes a line, or none at all, with 400012",
    ] {
        assert!(said.contains(part), "{part:?} in {said}");
    }
}

#[test]
fn all_findings_are_in_the_diagnostics() {
    let log: String = (0..300).map(|index| named(&format!("device-{index}"), 409_001)).collect();
    let log = log + &named("x", 429_001) + "{\n";
    let folder = Folder::new();
    let path = folder.arg("findings");
    let (_, answer) = retry(log, devices(400), &["--diagnostics", &path]);
    assert_eq!(answer.code, 1);
    assert_eq!(answer.stderr_text().matches("warning[left-out]").count(), 10);
    assert!(answer.stderr_text().contains("… and 290 more left-out"));
    let findings = json_lines(&folder.read("findings"));
    let of = |code: &str| findings.iter().filter(|finding| finding["code"] == code).count();
    assert_eq!(["left-out", "log-unmatched", "log-syntax", "empty-output"].map(of), [300, 1, 1, 1]);
    assert_eq!((&findings[1]["line"], &findings[1]["id"]), (&json!(1), &json!("device-0")));
}

#[test]
fn an_empty_log_means_that_nothing_failed() {
    for log in ["", "\n", "\u{feff}", "\r\n\r\n"] {
        let (folder, answer) = retry(log, import_of_four(), &[]);
        assert_answer(&answer, 0, "");
        assert!(answer.stderr_text().contains("the log is empty: no line of the import failed"), "{log:?}");
        assert_eq!(folder.report("report").number("filtered"), 6);
    }
}

#[test]
fn ids_are_bound_as_the_hub_probably_binds_them() {
    let import = "{\"ID\":\"a\",\"status\":\"enabled\"}\n{\"id\":\"x\",\"id\":\"b\"}\n{\"Id\":\"n\",\"id\":\"c\"}\n{\"id\":\"\\u0064\"}\n";
    let log = ["a", "b", "c", "d"].map(|id| named(id, 429_001)).concat();
    let (_, answer) = retry(&log, import, &[]);
    assert_answer(&answer, 0, import);
    let (_, answer) = retry(named("A", 429_001) + &named("n", 429_001), import, &[]);
    assert_answer(&answer, 1, "");
}

#[test]
fn quiet_keeps_findings_and_drops_the_rest() {
    let log = [named("a", 409_001), named("b", 429_001)].concat();
    let (_, answer) = retry(log, [device("a"), device("b")].concat(), &["-q"]);
    assert_eq!(answer.stderr_text().lines().count(), 1, "{}", answer.stderr_text());
    assert!(answer.stderr_text().starts_with("warning[left-out]"));
}
