//! Responsible for: `--rules FILE`, and `--dry-run`.

use crate::support::{Folder, assert_answer, transform};

const DEVICE: &str = "{\"id\":\"a\",\"status\":\"enabled\",\"authentication\":{\"symmetricKey\":{\"primaryKey\":\"b25lb25lb25lb25lb25lbw==\",\"secondaryKey\":\"dHdvdHdvdHdvdHdvdHdvdA==\"}},\"tags\":{\"site\":\"oslo\"}}\n";
const OTHER: &str = "{\"id\":\"b\",\"status\":\"enabled\",\"authentication\":{},\"tags\":{\"site\":\"bergen\"}}\n";

#[test]
fn a_file_says_what_flags_say() {
    let folder = Folder::new();
    folder.write("ids.txt", "a\nb\n");
    folder.write("patch.json", "{\"tags\":{\"old\":null,\"n\":1}}");
    let file = folder.write(
        "rules.toml",
        "# Kept in version control.\nwhere = \"tags.site = 'oslo'\"\nids = 'ids.txt'\nimport-mode = 'UPDATE'\nstatus = 'disabled'\n\
         status-reason = 'moved'\nstrip-keys = true\nmerge-twin = '@patch.json'\nset = ['tags.a=1', 'tags.b=[]']\nset-text = 'tags.c=x'\n\
         unset = ['tags.b']\nallow = ['twin-null']\ncheck = 'full'\ndevices-only = true\n",
    );
    let answer = transform(&["--rules", &file], format!("{DEVICE}{OTHER}").as_bytes());
    let wanted = "{\"id\":\"a\",\"status\":\"disabled\",\"authentication\":{\"symmetricKey\":{\"primaryKey\":null,\"secondaryKey\":null}},\
                  \"tags\":{\"site\":\"oslo\",\"n\":1,\"a\":1,\"c\":\"x\"},\"importMode\":\"update\",\"statusReason\":\"moved\"}\n";
    assert_answer(&answer, 0, wanted);
}

#[test]
fn flags_add_to_a_file_and_go_before_it() {
    let folder = Folder::new();
    let file = folder.write(
        "rules.toml",
        "status = 'disabled'\nset = 'tags.a=1'\nwhere = \"is_defined(tags.site)\"\nregenerate-keys = false\n",
    );
    let args = ["--rules", &file, "--status", "enabled", "--set", "tags.a=2", "--where", "deviceId = 'b'"];
    let answer = transform(&args, format!("{DEVICE}{OTHER}").as_bytes());
    assert_answer(&answer, 0, OTHER.replace("\"bergen\"", "\"bergen\",\"a\":2"));
    let none = folder.write("empty.toml", "");
    assert_answer(&transform(&["--rules", &none], OTHER.as_bytes()), 0, OTHER);
    let keys = folder.write("keys.toml", "regenerate-keys = 'primary'\nkey-bytes = 16\n");
    assert_eq!(transform(&["--rules", &keys], DEVICE.as_bytes()).code, 0);
    // What contradicts is said by the names of the flags, wherever it comes from.
    let answer = transform(&["--rules", &keys, "--swap-keys"], b"");
    assert!(
        answer.code == 2
            && answer.stderr_text().contains("--regenerate-keys")
            && answer.stderr_text().contains("--swap-keys")
    );
}

#[test]
fn what_is_wrong_with_a_file_is_pointed_at() {
    let folder = Folder::new();
    for (text, line, says, shown) in [
        ("strip-keys = true\nstrip-key = true\n", 2, "unknown field `strip-key`", "  strip-key = true"),
        ("output = 'x'\n", 1, "unknown field `output`", "  output = 'x'"),
        ("\n\nimport-mode = 'remove'\n", 3, "found \"remove\", expected createOrUpdate", "  import-mode = 'remove'"),
        ("check = 'some'", 1, "expected \"id\", \"full\", \"none\"", "  check = 'some'"),
        ("key-bytes = 15", 1, "expected 16 to 64", "  key-bytes = 15"),
        ("regenerate-keys = 'all'", 1, "\"primary\"", "  regenerate-keys = 'all'"),
        ("strip-keys = 'yes'", 1, "expected a boolean", "  strip-keys = 'yes'"),
        ("set = [1]", 1, "expected a string", "  set = [1]"),
        ("allow = ['none-such']", 1, "the code of a finding", "  allow = ['none-such']"),
        ("status = \n", 1, "", ""),
        ("status = 'enabled'\nstatus = 'disabled'\n", 2, "duplicate key", "  status = 'disabled'"),
        ("\nwhere = 'status = '\n", 2, "--where: expected a value", "  status = \n           ^"),
        (
            "unset = 'tags.a'\nset = [\n  'tags.b=1',\n  'tags.c=oslo',\n]\n",
            4,
            "--set tags.c: oslo is not JSON",
            "--set-text",
        ),
        ("\n\nset = 'tags.c=oslo'\n", 3, "--set tags.c: oslo is not JSON", "--set-text"),
        ("unset = ['tags.a', 'tags..b']", 1, "--unset: expected the name", "tags.[[odd name]]"),
        ("\nmerge-twin = ['{}', '{\"tags\":1']", 2, "--merge-twin: not JSON", ""),
    ] {
        let file = folder.write("rules.toml", text);
        let answer = transform(&["--rules", &file], b"");
        assert_answer(&answer, 2, "");
        let stderr = answer.stderr_text();
        assert!(stderr.contains(&format!("rules.toml line {line}: ")) && stderr.contains(says), "{text}: {stderr}");
        assert!(stderr.contains(shown), "{text}: {stderr}");
    }
    let file = folder.write("rules.toml", b"set-text = '\xff'");
    assert_eq!(transform(&["--rules", &file], b"").code, 2);
    assert_eq!(transform(&["--rules", &folder.arg("none")], b"").code, 3);
    let file = folder.write("rules.toml", "set-text = ['authentication.symmetricKey.primaryKey=c2VjcmV0'\n");
    assert!(!transform(&["--rules", &file], b"").stderr_text().contains("c2Vj"));
}

#[test]
fn a_dry_run_shows_and_writes_nothing() {
    let folder = Folder::new();
    let output = folder.write("out", "as it was");
    let paths = ["filtered", "rejects", "keys"].map(|name| folder.arg(name));
    let args = [
        "--dry-run",
        "--regenerate-keys",
        "--where",
        "tags.site = 'oslo'",
        "-o",
        &output,
        "--filtered",
        &paths[0],
        "--rejects",
        &paths[1],
        "--keys-out",
        &paths[2],
    ];
    let answer = transform(&args, format!("{OTHER}{DEVICE}broken\n{DEVICE}").as_bytes());
    assert_eq!(answer.code, 1);
    assert_eq!(folder.names(), ["out"]);
    assert_eq!(folder.text("out"), "as it was");
    let shown = answer.stdout_text();
    let part =
        |one: usize, other: usize| format!("\"primaryKey\":\"REDACTED {one}\",\"secondaryKey\":\"REDACTED {other}\"");
    assert!(shown.starts_with(&format!("line 2 (byte {}):\n- {{\"id\":\"a\"", OTHER.len())), "{shown}");
    assert!(shown.contains(&part(1, 2)) && shown.contains(&part(3, 4)) && shown.contains("\nline 4 (byte "), "{shown}");
    assert!(!shown.contains("b25l") && !shown.contains("dHdv"), "{shown}");
    let stderr = answer.stderr_text();
    assert!(
        stderr.contains("4 lines, ")
            && stderr.contains("2 written, 2 edited, 1 rejected, 1 filtered; DRY RUN: nothing was written"),
        "{stderr}"
    );
}

#[test]
fn a_dry_run_shows_the_first_ten_whatever_the_threads() {
    let input: String = (0..20_000).map(|number| OTHER.replace("\"b\"", &format!("\"b{number}\""))).collect();
    let run = |threads: &str| transform(&["--dry-run", "-q", "--unset", "tags.site", "-j", threads], input.as_bytes());
    let one = run("1");
    assert_eq!((one.code, one.stdout_text().matches("\n- ").count()), (0, 10));
    assert!(one.stdout_text().contains("line 10 (byte ") && !one.stdout_text().contains("line 11 "));
    assert_eq!(run("3").stdout_text(), one.stdout_text());
    // A line that no rule changes is not shown.
    assert_answer(&transform(&["--dry-run", "-q"], input.as_bytes()), 0, "");
}

#[test]
fn a_dry_run_has_no_report_in_a_file() {
    let folder = Folder::new();
    for flag in ["--report", "--diagnostics"] {
        let answer = transform(&["--dry-run", flag, &folder.arg("x")], OTHER.as_bytes());
        assert!(answer.code == 2 && answer.stderr_text().contains("--dry-run") && answer.stderr_text().contains(flag));
        assert_eq!(transform(&["--dry-run", flag, "-"], OTHER.as_bytes()).code, 0);
    }
    assert!(folder.names().is_empty());
}

#[test]
fn a_file_may_have_several_conditions() {
    let folder = Folder::new();
    let path = folder.write("rules.toml", "where = [\"tags.site = 'bergen'\", \"status = 'enabled'\"]\n");
    let line = |id: &str, site: &str, status: &str| {
        format!("{{\"id\":\"{id}\",\"status\":\"{status}\",\"tags\":{{\"site\":\"{site}\"}}}}\n")
    };
    let kept = line("a", "bergen", "enabled");
    let input = format!("{}{kept}{}", line("b", "oslo", "enabled"), line("c", "bergen", "disabled"));
    assert_answer(&transform(&["--rules", &path, "-q"], input.as_bytes()), 0, kept);
    let path = folder.write("rules.toml", "where = [\n  \"tags.site = 'bergen'\",\n  \"status = 'lost'\",\n]\n");
    let answer = transform(&["--rules", &path], input.as_bytes());
    assert_answer(&answer, 2, "");
    assert!(answer.stderr_text().contains("rules.toml line 3: "), "{}", answer.stderr_text());
}
