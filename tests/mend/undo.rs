//! `hubmill undo`: files, pipes, flags and what is said.

use crate::support::{Folder, assert_answer, device, devices, hubmill, json_lines};
use serde_json::{Value, json};

fn line(id: &str, mode: &str) -> String {
    format!(
        "{{\"id\":\"{id}\",\"importMode\":\"{mode}\",\"status\":\"disabled\",\"authentication\":{{\"type\":\"certificateAuthority\"}}}}\n"
    )
}

fn modes(output: &[u8]) -> Vec<(String, String)> {
    let pair = |line: &Value| {
        (line["id"].as_str().unwrap_or("?").to_owned(), line["importMode"].as_str().unwrap_or("?").to_owned())
    };
    json_lines(output).iter().map(pair).collect()
}

fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(id, mode)| ((*id).to_owned(), (*mode).to_owned())).collect()
}

#[test]
fn each_mode_has_its_way_back() {
    let folder = Folder::new();
    let keyed = |id: &str| {
        device(id).replace(
            "{\"type\":\"sas\"}",
            "{\"type\":\"selfSigned\",\"x509Thumbprint\":{\"primaryThumbprint\":\"AB\"}}",
        )
    };
    let backup: String = ["a", "b", "c", "d"].map(keyed).concat();
    let import =
        [line("a", "delete"), line("b", "update"), line("c", "create"), line("n", "create"), line("m", "update")]
            .concat();
    let (backup, import) = (folder.write("backup", backup), folder.write("import", import));
    let answer = hubmill(&["undo", "--registry", &backup, &import, "--report", &folder.arg("report")], b"");
    assert_eq!(answer.code, 0, "{}", answer.stderr_text());
    assert_eq!(modes(&answer.stdout), owned(&[("a", "create"), ("b", "update"), ("n", "delete")]));
    let undo = folder.report("report").0["undo"].clone();
    let counts = ["creates", "updates", "deletes", "failed", "recreated", "assumed"].map(|name| undo[name].as_u64());
    assert_eq!(counts, [1, 1, 1, 2, 1, 1].map(Some), "{undo}");
    let said = answer.stderr_text();
    for part in ["2 lines of the import failed", "1 device made again", "1 delete of what the backup does not have"] {
        assert!(said.contains(part), "{part} in {said}");
    }
}

#[test]
fn a_create_that_failed_since_the_device_was_there_is_never_a_delete() {
    let folder = Folder::new();
    let import: String = ["n1", "n2", "n3"].map(|id| line(id, "create")).concat();
    let module = "{\"id\":\"n3\",\"moduleId\":\"m\",\"importMode\":\"create\",\"status\":\"enabled\"}\n";
    let (backup, import) = (folder.write("backup", device("a")), folder.write("import", import + module));
    let entry = |id: &str| format!("{{\"deviceId\":\"{id}\",\"errorCode\":409001,\"errorStatus\":\"{id}\"}}\n");
    let log = folder.write("log", (entry("n1") + &entry("n3")).repeat(20));
    let answer = hubmill(&["undo", "--registry", &backup, "--errors", &log, &import], b"");
    // Two lines are about n3, and the log does not say which of them failed.
    assert_eq!((answer.code, modes(&answer.stdout)), (1, owned(&[("n2", "delete")])), "{}", answer.stderr_text());
    assert!(
        answer.stderr_text().contains("error[not-written]: the device \"n3\" is named in the log"),
        "{}",
        answer.stderr_text()
    );
    let after = [device("a"), line("n1", "x"), line("n2", "x"), line("n3", "x")]
        .concat()
        .replace(",\"importMode\":\"x\"", ",\"eTag\":\"Mg==\"");
    let after = folder.write("after", after);
    let answer = hubmill(&["undo", "--registry", &backup, "--errors", &log, "--after", &after, &import], b"");
    let want = json!({"id": "n2", "eTag": "Mg==", "importMode": "deleteIfMatchETag", "status": "disabled"});
    assert_eq!(json_lines(&answer.stdout), [want], "{}", answer.stderr_text());
}

#[test]
fn a_log_of_another_import_is_told() {
    let folder = Folder::new();
    let (backup, import) = (
        folder.write("backup", device("a")),
        folder.write("import", line("a", "update").replace("certificateAuthority", "sas")),
    );
    let log = folder.write("log", "{\"deviceId\":\"zz\",\"errorCode\":429001}\n{\"broken\n");
    let answer = hubmill(&["undo", "--registry", &backup, "--errors", &log, &import], b"");
    assert_eq!(answer.code, 1);
    let said = answer.stderr_text();
    assert!(
        said.contains("error[log-unmatched]: line 1 of the log names the device \"zz\"")
            && said.contains("error[log-syntax]"),
        "{said}"
    );
    // All of this from pipes, too.
    let answer = hubmill(
        &["undo", "--registry", &backup, "--errors", &log],
        line("a", "update").replace("certificateAuthority", "sas").as_bytes(),
    );
    assert_eq!((answer.code, modes(&answer.stdout).len()), (1, 0), "{}", answer.stderr_text());
    assert!(answer.stderr_text().contains("neither backup nor import has its keys"));
}

#[test]
fn wrong_calls_touch_nothing_and_empty_files_have_nothing_to_take_back() {
    let folder = Folder::new();
    let (backup, import, empty) =
        (folder.write("backup", device("a")), folder.write("import", line("a", "delete")), folder.write("empty", ""));
    for args in [
        vec!["undo", &import],
        vec!["undo", "--registry", "-", "-"],
        vec!["undo", "--registry", "-"],
        vec!["undo", "--registry", &backup, &backup],
        vec!["undo", "--registry", &backup, "--errors", &import, &import],
        vec!["undo", "--registry", &backup, "--after", &backup, &import],
        vec!["undo", "--registry", &backup, &import, "-o", &backup],
        vec!["undo", "--registry", &import, &empty],
    ] {
        assert_answer(&hubmill(&args, b""), 2, "");
    }
    assert_answer(&hubmill(&["undo", "--registry", &backup, &empty], b""), 0, "");
    let answer = hubmill(&["undo", "--registry", &empty, &import], b"");
    assert_answer(&answer, 0, "");
    assert!(answer.stderr_text().contains("1 line of the import failed"));
    assert_answer(&hubmill(&["undo", "--registry", "/nonexistent", &import], b""), 3, "");
    assert_eq!(folder.names(), ["backup", "empty", "import"]);
}

#[test]
fn all_findings_are_in_the_diagnostics_and_the_bytes_are_the_same_at_any_thread_count() {
    let folder = Folder::new();
    let backup = folder.write("backup", devices(3_000));
    let import =
        folder.write("import", (0..3_000).map(|index| line(&format!("device-{index}"), "delete")).collect::<String>());
    let findings = folder.arg("findings");
    let answer = hubmill(&["undo", "--registry", &backup, &import, "--diagnostics", &findings, "-j", "1"], b"");
    assert_eq!((answer.code, json_lines(&answer.stdout).len()), (0, 3_000));
    assert_eq!(answer.stderr_text().matches("warning[not-restored]").count(), 10);
    assert!(answer.stderr_text().contains("… and 2,990 more not-restored"));
    assert_eq!(json_lines(&folder.read("findings")).len(), 3_000);
    for args in [["-j", "2"], ["-j", "5"], ["--mmap", "never"], ["--mmap", "always"]] {
        let again = hubmill(&[vec!["undo", "--registry", &backup, &import], args.to_vec()].concat(), b"");
        assert_answer(&again, 0, &answer.stdout);
    }
}
