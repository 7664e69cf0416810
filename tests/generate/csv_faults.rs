//! What is wrong with a row is told by row, line and column, and nothing is made then.

use serde_json::Value;

use super::{generate, generate_from};
use crate::support::{Folder, json_lines};

/// The findings about a CSV file, as they are in the file of findings; nothing must be made.
#[track_caller]
fn findings(args: &[&str], csv: impl AsRef<[u8]>) -> Vec<Value> {
    let folder = Folder::new();
    let (out, diagnostics, report) = (folder.write("out", "old\n"), folder.arg("diagnostics"), folder.arg("report"));
    let all = [&["--from-csv", "-", "-o", &out, "--diagnostics", &diagnostics, "--report", &report, "-j", "2"], args];
    let answer = generate_from(&all.concat(), csv);
    assert_eq!((answer.code, answer.stdout.len()), (2, 0), "{}", answer.stderr_text());
    assert_eq!(folder.text("out"), "old\n");
    let report = folder.report("report");
    report.assert_adds_up();
    assert!(!report.is_complete() && report.number("written") == 0);
    json_lines(&folder.read("diagnostics"))
}

/// The code, the line in the file, the path and the beginning of the message.
#[track_caller]
fn is(finding: &Value, code: &str, line: u64, path: &str, message: &str) {
    let found =
        (finding["code"].as_str().unwrap(), finding["line"].as_u64().unwrap(), finding["path"].as_str().unwrap());
    assert_eq!(found, (code, line, path), "{finding}");
    assert!(finding["message"].as_str().unwrap().starts_with(message), "{finding}");
}

#[test]
fn values_that_the_hub_would_refuse() {
    let csv = "id,status,importMode,capabilities.iotEdge,tags.n,authentication.type\n\
        ok,enabled,create,true,1,sas\n\
        a b,enabled,create,true,1,sas\n\
        c,on,create,true,1,sas\n\
        d,enabled,make,true,1,sas\n\
        e,enabled,create,yes,1,sas\n\
        f,enabled,create,true,4503599627370496,sas\n\
        g,enabled,create,true,1,SELF_SIGNED\n\
        ,enabled,create,true,1,sas\n";
    let found = findings(&[], csv);
    is(&found[0], "id-charset", 3, "id", "row 2, column id: device id \"a b\"");
    is(&found[1], "status-value", 4, "status", "row 3, column status: ");
    is(&found[2], "import-mode-value", 5, "importMode", "row 4, column importMode: ");
    is(&found[3], "member-type", 6, "capabilities.iotEdge", "row 5, column capabilities.iotEdge: ");
    is(&found[4], "twin-integer-range", 7, "tags.n", "row 6, column tags.n: ");
    is(&found[5], "authentication-type", 8, "authentication.type", "row 7, column authentication.type: ");
    is(&found[6], "id-missing", 9, "id", "row 8, column id: ");
    assert_eq!(found.len(), 7);
    let lines: Vec<usize> = csv.match_indices('\n').map(|(at, _)| at + 1).collect();
    assert_eq!(found[1]["byte"].as_u64().unwrap() as usize, lines[2], "the row's first byte");
}

#[test]
fn rows_that_are_no_rows_and_where_they_are() {
    let csv = "id,tags.a\nd1,x\n\n\"d2\",\"two\nlines\"\nd3\nd4,y,z\nd 5,y\n";
    let found = findings(&[], csv);
    is(&found[0], "csv-row", 6, "", "row 3: the row has 1 cells, the header has 2");
    is(&found[1], "csv-row", 7, "", "row 4: the row has 3 cells");
    is(&found[2], "id-charset", 8, "id", "row 5, column id: ");
    assert_eq!(found.len(), 3);
}

#[test]
fn findings_are_in_the_order_of_the_rows() {
    let csv = "id,tags.a\na b,x\nd2\nc d,y\n\"d4\"x,y\ne f,\nd6,y,z\n";
    let found = findings(&[], csv);
    let rows: Vec<(&str, u64)> =
        found.iter().map(|found| (found["code"].as_str().unwrap(), found["line"].as_u64().unwrap())).collect();
    let (id, row) = ("id-charset", "csv-row");
    assert_eq!(rows, [(id, 2), (row, 3), (id, 4), (row, 5), (id, 6), (row, 7)]);
}

#[test]
fn a_cell_that_is_nested_too_deeply() {
    let cell = format!("{}1{}", "[".repeat(140), "]".repeat(140));
    let answer = generate_from(&["--from-csv", "-"], format!("id,tags.a\nd1,{cell}\n"));
    assert_eq!(
        answer.stderr_text(),
        "error[json-depth]: line 2 (byte 10): row 1: nested deeper than 128 levels\n\
         hint: the hub takes ten levels inside of tags, desired and reported properties (§3.6)\n\
         error: 1 error in standard input; nothing was made\n"
    );
}

#[test]
fn quotes_that_rfc_4180_does_not_have() {
    for (rows, line, byte, path, message) in [
        ("d1,\"x\nd2,y\nd3,z\n", 2, 13, "tags.a", "row 1, column tags.a: the quote that opens here is never closed"),
        ("d1,\"x", 2, 13, "tags.a", "row 1, column tags.a: the quote that opens here is never closed"),
        ("d1,\"", 2, 13, "tags.a", "row 1, column tags.a: the quote that opens here is never closed"),
        ("d1,\"x\"\"\n", 2, 13, "tags.a", "row 1, column tags.a: the quote that opens here is never closed"),
        ("\"d\n1\",\"x\n", 3, 16, "tags.a", "row 1, column tags.a: the quote that opens here is never closed"),
        (
            "d1,\"x\"y\nd2,y\n",
            2,
            13,
            "tags.a",
            "row 1, column tags.a: the quoted cell that opens here is closed in line 2",
        ),
        (
            "d1,\"x\" \nd2,y\n",
            2,
            13,
            "tags.a",
            "row 1, column tags.a: the quoted cell that opens here is closed in line 2",
        ),
        (
            "d1,\"x\nd2,\"y\"\n",
            2,
            13,
            "tags.a",
            "row 1, column tags.a: the quoted cell that opens here is closed in line 3",
        ),
        (
            "\n\nd1,x\"y\nd2,y\n",
            4,
            16,
            "tags.a",
            "row 1, column tags.a: there is a quote in a cell that does not begin",
        ),
        (
            "d0,x\r\nd1, \"x\"\r\n",
            3,
            20,
            "tags.a",
            "row 2, column tags.a: there is a quote in a cell that does not begin",
        ),
        ("d1,x,\"y\n", 2, 15, "", "row 1: the quote that opens here is never closed"),
    ] {
        let found = findings(&[], format!("id,tags.a\n{rows}"));
        is(&found[0], "csv-row", line, path, message);
        assert_eq!((found.len(), found[0]["byte"].as_u64()), (1, Some(byte)), "{rows:?}: {found:?}");
    }
    let found = findings(&[], "id,tags.a\nd1,\"x\"y\nd 2,x\nd3,x\"y\nd4\n");
    let codes: Vec<_> = found.iter().map(|found| (found["code"].as_str().unwrap(), found["line"].as_u64())).collect();
    assert_eq!(codes, [("csv-row", Some(2)), ("id-charset", Some(3)), ("csv-row", Some(4)), ("csv-row", Some(5))]);
}

#[test]
fn quotes_in_a_header_are_those_of_rfc_4180() {
    for (csv, words) in [
        ("id,\"tags.a\nd1,x\n", "standard input: line 1 (byte 3): column 2 of the header: the quote that opens here"),
        ("\n\"id\",\"tags\".a\nd1,x\n", "line 2 (byte 6): column 2 of the header: the quoted cell that opens here"),
        ("i\"d\nd1\n", "line 1 (byte 1): column 1 of the header: there is a quote in a cell"),
    ] {
        let answer = generate_from(&["--from-csv", "-"], csv);
        assert_eq!((answer.code, answer.stdout.len()), (2, 0), "{csv}");
        assert!(answer.stderr_text().contains(words), "{csv}: {}", answer.stderr_text());
    }
}

#[test]
fn a_wrong_quote_late_in_a_list_is_told_alike_however_it_is_read() {
    let note = "a note of some length ".repeat(5);
    let quoted = |from: usize, to: usize| (from..to).map(|n| format!("d{n},\"{note}, {n}\",{n}\n")).collect::<String>();
    let plain = |from: usize, to: usize| (from..to).map(|n| format!("d{n},{note} {n},{n}\n")).collect::<String>();
    for (name, list) in [
        ("after quoted rows", format!("{}d,\"x\n{}", quoted(0, 3000), plain(3000, 3500))),
        ("after plain rows", format!("{}d,\"x\n{}", plain(0, 3000), plain(3000, 4000))),
        ("closed by the next quote", format!("{}d,\"x\n{}", plain(0, 3000), quoted(3000, 4000))),
        ("text after a quote", format!("{}d,\"x\"y,1\n{}", quoted(0, 3000), quoted(3000, 4000))),
        ("a quote in a plain cell", format!("{}d,x\"y,1\n{}", plain(0, 3000), plain(3000, 4000))),
    ] {
        let folder = Folder::new();
        let csv = format!("id,tags.a,tags.n\n{list}");
        let (path, out, told) = (folder.write("in.csv", &csv), folder.arg("out"), folder.arg("told"));
        let mut first = None;
        for threads in ["1", "2", "8"] {
            for (from, input, to) in [("-", csv.as_str(), "-"), (&path, "", "-"), (&path, "", &out)] {
                let args = ["--auth", "ca", "--from-csv", from, "-o", to, "--diagnostics", &told, "-j", threads];
                let answer = generate_from(&args, input);
                assert_eq!((answer.code, answer.stdout.len()), (2, 0), "{name}: {}", answer.stderr_text());
                assert!(!folder.path("out").exists(), "{name}");
                let told = folder.text("told");
                assert!(told.contains("\"line\":3002,") && told.contains("row 3001, column tags.a: "), "{told}");
                assert_eq!(told.lines().count(), 1, "{name}: {told}");
                assert_eq!(first.get_or_insert_with(|| told.clone()), &told, "{name}, {threads} threads");
            }
        }
    }
}

#[test]
fn cells_that_would_go_into_a_value_that_is_no_object() {
    let csv = "id,tags.a.b,properties.desired.c.d.e,tags.f\nd1,,,1\nd2,1,,\nd3,,x,1\nd4,2,2,2\n";
    let found = findings(&["--tags", r#"{"a":5}"#, "--desired", r#"{"c":{"d":[1]}}"#], csv);
    is(&found[0], "csv-row", 3, "tags.a.b", "row 2, column tags.a.b: --tags gives a value to tags.a that is no object");
    let message =
        "row 3, column properties.desired.c.d.e: --desired gives a value to properties.desired.c.d that is no object";
    is(&found[1], "csv-row", 4, "properties.desired.c.d.e", message);
    is(&found[2], "csv-row", 5, "tags.a.b", "row 4, column tags.a.b: --tags ");
    assert_eq!(found.len(), 3);
    for value in ["null", "\"text\"", "true", "[]"] {
        let found = findings(&["--tags", &format!("{{\"a\":{value}}}")], "id,tags.a.b\nd1,1\n");
        is(&found[0], "csv-row", 2, "tags.a.b", "row 1, column tags.a.b: --tags ");
    }
}

#[test]
fn ids_that_stand_twice() {
    let mut csv = "id,moduleId,tags.n\n".to_owned();
    (1..=5000).for_each(|n| csv.push_str(&format!("d{n},,{n}\n")));
    csv.push_str("d7,,8\nd8,,8\nd9,m,9\nd9,m,10\nD7,,7\n");
    let found = findings(&["--auth", "ca"], &csv);
    is(&found[0], "duplicate-id", 5002, "id", "row 5001, column id: the same id as in row 7: the order");
    is(&found[1], "duplicate-line", 5003, "id", "row 5002, column id: makes the same line as row 8");
    is(&found[2], "duplicate-id", 5005, "id", "row 5004, column id: the same id as in row 5003");
    assert_eq!(found.len(), 3);
    assert_eq!(found[1]["severity"], "error");
    // Fresh keys make lines that differ of rows that are equal, and rows that differ can make the same line.
    let found = findings(&[], "id,status\na,enabled\na,enabled\n");
    is(&found[0], "duplicate-id", 3, "id", "row 2, column id: the same id as in row 1: the order");
    let found = findings(&["--auth", "ca"], "id,status\na,enabled\na,Enabled\n");
    is(&found[0], "duplicate-line", 3, "id", "row 2, column id: makes the same line as row 1");
}

#[test]
fn text_that_is_not_utf_8() {
    let found = findings(&[], b"id,tags.a\nd1,\xff\n");
    is(&found[0], "json-utf8", 2, "tags.a", "row 1, column tags.a: ");
    let after_good_ones = b"id,tags.a,tags.b\nd1,x,y\nd2,x,y\nd3,x,\xe9\nd4,\xe9,y\nd\xe9,x,y\n";
    let found = findings(&[], after_good_ones);
    is(&found[0], "json-utf8", 4, "tags.b", "row 3, column tags.b: ");
    is(&found[1], "json-utf8", 5, "tags.a", "row 4, column tags.a: ");
    is(&found[2], "json-utf8", 6, "id", "row 5, column id: ");
    assert_eq!(found.len(), 3);
}

#[test]
fn ids_by_number_that_become_too_long() {
    let csv = format!("tags.n\n{}", "1\n".repeat(10));
    let id = format!("{}{{index}}", "a".repeat(127));
    let found = findings(&["--id", &id], &csv);
    is(&found[0], "id-length", 11, "id", "row 10: the device id has 129 characters");
}

#[test]
fn headers_that_name_no_member() {
    for (csv, words) in [
        ("id,colour\nd1,x\n", "column colour: no member"),
        ("ID\nd1\n", "hint: id is written so"),
        ("deviceId\nd1\n", "hint: id was probably meant"),
        ("id;tags.site\nd1;oslo\n", "hint: columns are parted by commas"),
        ("id,\nd1,x\n", "column 2 has no name"),
        ("", "there is no header"),
        ("id\n", "no row beside the header"),
    ] {
        let answer = generate_from(&["--from-csv", "-"], csv);
        assert_eq!((answer.code, answer.stdout.len()), (2, 0), "{csv}");
        assert!(answer.stderr_text().contains(words), "{csv}: {}", answer.stderr_text());
    }
}

#[test]
fn many_findings_are_counted_and_few_are_shown() {
    let csv = format!("id,status\n{}", (0..5000).map(|n| format!("d{n},on\n")).collect::<String>());
    let answer = generate_from(&["--from-csv", "-"], &csv);
    let text = answer.stderr_text();
    assert_eq!(text.matches("error[status-value]").count(), 10, "{text}");
    assert!(text.contains("… and 4,990 more status-value"), "{text}");
    assert!(text.contains("error: 5,000 errors in standard input; nothing was made"), "{text}");
    assert_eq!(findings(&[], &csv).len(), 5000);
}

#[test]
fn keys_are_in_no_message() {
    let key = "pC7hQx+V2zT0rJ4/kWb9sYd3LmN8uGfAeXo1iRv5BtE=";
    for csv in [
        format!("id,authentication.symmetricKey.primaryKey\nd1,{key}\n"),
        format!("id,status\nd1,{key}\n"),
        format!("id\n{key}/\n"),
        format!("d1,{key}\nd2,{key}\n"),
        format!("id,taxs.{key}\nd2,x\n"),
        format!("id,tags.a\n{key},x,y\n"),
        format!("id,tags.a\nd1,\"{key}\"{key}\n"),
        format!("id,tags.a\nd1,\"{key}\n"),
        format!("id,\"{key}\nd1,{key}\n"),
        format!(
            "id,authentication.symmetricKey.primaryKey,authentication.symmetricKey.secondaryKey\nd1,x{key},{key}x\n"
        ),
    ] {
        let answer = generate_from(&["--from-csv", "-", "--report", "-", "--diagnostics", "-"], &csv);
        assert_eq!(answer.code, 2, "{csv}: {}", answer.stderr_text());
        for window in key.as_bytes().windows(12) {
            let window = std::str::from_utf8(window).unwrap();
            assert!(!answer.stderr_text().contains(window), "{csv}: {}", answer.stderr_text());
        }
    }
}

#[test]
fn a_quote_that_nobody_closes_does_not_fill_the_memory() {
    let folder = Folder::new();
    let csv = folder.write("in.csv", format!("id,tags.a\nd1,\"{}", "x\n".repeat(10 << 20)));
    let answer = generate(&["--from-csv", &csv]);
    assert_eq!((answer.code, answer.stdout.len()), (2, 0), "the list is wrong, and not the storage");
    assert!(answer.stderr_text().contains("a quote is probably open there"), "{}", answer.stderr_text());
    assert!(answer.stderr_text().contains("line 2"), "{}", answer.stderr_text());
    let header = folder.write("header.csv", format!("id,\"tags.a{}", "x\n".repeat(10 << 20)));
    let answer = generate(&["--from-csv", &header]);
    assert!(answer.code == 2 && answer.stderr_text().contains("line 1"), "{}", answer.stderr_text());
}
