//! Responsible for: line numbers and byte offsets, and the form of diagnostics.

use crate::support::{Folder, assert_answer, device, json_lines, run, transform, transform_command, with_bad_bytes};
use hubmill_testkit::generate::{self, Kind};
use hubmill_testkit::rng::Rng;

#[test]
fn the_example_of_the_manual() {
    // Eleven lines of which the twelfth is at byte 3456.
    let filler = device("x");
    let mut input = filler.repeat(10);
    let last = 3456 - input.len() - "{\"id\":".len();
    let pad = last - filler.len() - ",\"x\":\"\"".len();
    input += &filler.replace("\"sas\"", &format!("\"sas\",\"x\":\"{}\"", "y".repeat(pad)));
    assert_eq!(input.len() + 6, 3456);
    input += "{\"id\":\"dev 1\",\"status\":\"enabled\"}\n";
    let folder = Folder::new();
    let findings = folder.arg("findings");
    let answer = transform(&["--diagnostics", &findings, "--check", "id"], input.as_bytes());
    assert_eq!(answer.code, 1);
    let stderr = answer.stderr_text();
    let mut lines = stderr.lines();
    assert_eq!(
        lines.next(),
        Some(
            "error[id-charset]: line 12 (byte 3456): device id \"dev 1\" has a character that the hub refuses: ' ' at 3"
        )
    );
    assert_eq!(lines.next(), Some("hint: allowed are ASCII letters, digits and - : . + % _ # * ? ! ( ) , = @ ; $ '"));
    assert_eq!(
        folder.text("findings"),
        "{\"severity\":\"error\",\"code\":\"id-charset\",\"line\":12,\"byte\":3456,\"id\":\"dev 1\",\"path\":\"id\",\
         \"message\":\"device id \\\"dev 1\\\" has a character that the hub refuses: ' ' at 3\"}\n"
    );
}

#[test]
fn diagnostics_have_these_members_in_this_order() {
    let folder = Folder::new();
    let findings = folder.arg("findings");
    let input = "{\"id\":\"a\"}\n{\"id\":}\n{\"status\":1}\n{\"id\":\"b\",\"ID\":1}\n[]\n";
    assert_eq!(transform(&["--diagnostics", &findings], input.as_bytes()).code, 1);
    let with_id = ["severity", "code", "line", "byte", "id", "path", "message"];
    let found = json_lines(&folder.read("findings"));
    let codes: Vec<&str> = found.iter().filter_map(|finding| finding["code"].as_str()).collect();
    assert_eq!(codes, ["status-missing", "json-syntax", "id-missing", "member-case", "not-an-object"]);
    for finding in found {
        let names: Vec<&String> = finding.as_object().expect("an object").keys().collect();
        let wanted: Vec<&str> =
            with_id.into_iter().filter(|name| *name != "id" || finding.get("id").is_some()).collect();
        assert_eq!(names, wanted);
        let known = ["status-missing", "member-case"].contains(&finding["code"].as_str().expect("a code"));
        assert_eq!(finding.get("id").is_some(), known, "{finding}");
    }
    // Nothing was found: the file is there and empty.
    assert_answer(&transform(&["--diagnostics", &findings], device("a").as_bytes()), 0, device("a"));
    assert_eq!(folder.text("findings"), "");
}

/// A file, and for each bad line its number and the offset of its fault.
fn with_known_faults(lines: u64) -> (Vec<u8>, Vec<(u64, u64)>) {
    let mut input = b"\xef\xbb\xbf".to_vec();
    let mut faults = Vec::new();
    for index in 0..lines {
        let mut rng = Rng::for_line(3, index, 5);
        let at = input.len() as u64;
        match rng.below(12) {
            // The `}` where a value should be.
            0 => {
                faults.push((index + 1, at + 6));
                input.extend_from_slice(b"{\"id\":}");
            }
            // The raw control character.
            1 => {
                faults.push((index + 1, at + 9));
                input.extend_from_slice(b"{\"id\":\"ab\x01\"}");
            }
            // After a member of many kilobytes.
            2 if index % 5 == 0 => {
                input.extend_from_slice(b"{\"id\":\"a\",\"x\":\"");
                input.extend(std::iter::repeat_n(b'y', 3000 + 40 * index as usize));
                faults.push((index + 1, input.len() as u64 + 1));
                input.extend_from_slice(b"\"z}");
            }
            // Where the line ends.
            3 => {
                input.extend_from_slice("{\"id\":\"é🚀\",\"x\":[1,2".as_bytes());
                faults.push((index + 1, input.len() as u64));
                input.push(b'\n');
                continue;
            }
            4 => input.extend_from_slice(rng.pick(&["", " ", "\t\r"]).as_bytes()),
            5..=7 => generate::line(Kind::Twin, 1, index, &mut input),
            _ => generate::line(Kind::Identity, 1, index, &mut input),
        }
        input.extend_from_slice(rng.pick(&["\n", "\r\n", "\r\r\n"]).as_bytes());
    }
    (input, faults)
}

#[test]
fn lines_and_bytes_are_right_across_chunks() {
    let (input, faults) = with_known_faults(2500);
    assert!(input.len() > 4 * (512 << 10) && faults.len() > 300, "{} bytes, {} faults", input.len(), faults.len());
    let folder = Folder::new();
    let (path, findings) = (folder.write("in", &input), folder.arg("findings"));
    let mut runs = vec![transform(&["--diagnostics", &findings, "-j", "2"], &input)];
    let mut found = vec![folder.read("findings")];
    for mmap in ["never", "always"] {
        let mut command = transform_command(&["--diagnostics", &findings, "-j", "3", "--mmap", mmap]);
        runs.push(run(
            {
                command.arg(&path);
                command
            },
            b"",
        ));
        found.push(folder.read("findings"));
    }
    for (answer, found) in runs.iter().zip(&found) {
        assert_eq!(answer.code, 1);
        let found: Vec<(u64, u64)> = json_lines(found)
            .iter()
            .map(|finding| (finding["line"].as_u64().expect("a line"), finding["byte"].as_u64().expect("a byte")))
            .collect();
        let wrong = found.iter().zip(&faults).find(|(found, fault)| found != fault);
        assert_eq!((wrong, found.len()), (None, faults.len()), "found and known places");
        let (line, byte) = faults[0];
        assert!(answer.stderr_text().contains(&format!("error[json-syntax]: line {line} (byte {byte}): ")));
    }
}

#[test]
fn a_line_that_ends_early_ends_before_its_line_end() {
    let folder = Folder::new();
    let findings = folder.arg("findings");
    for text in [
        "{\"id\":\"a\",\"x\":[1",
        "{\"id\":\"a",
        "{\"id\":\"a\\",
        "{\"id\":",
        "{",
        "{\"id\":\"a\",\"x\":nul",
        "{\"id\":-",
    ] {
        for end in ["", "\n", "\r\n", "\r\r\n", "\r"] {
            let input = format!("{}{text}{end}", device("first"));
            assert_eq!(transform(&["--diagnostics", &findings], input.as_bytes()).code, 1);
            let found = json_lines(&folder.read("findings"));
            let in_escape = usize::from(text.ends_with('\\'));
            let place = device("first").len() + text.len() - in_escape;
            assert_eq!(
                (found.len(), found[0]["byte"].as_u64()),
                (1, Some(place as u64)),
                "{text:?} {end:?}: {found:?}"
            );
        }
    }
}

#[test]
fn every_kind_of_finding_points_into_its_line() {
    let folder = Folder::new();
    let findings = folder.arg("findings");
    let before = "\u{feff}\r\n{\"id\":\"first\",\"status\":\"enabled\",\"authentication\":{}}\r\n";
    // What the finding must point at, marked by `^` in front.
    for (args, code, line) in [
        ([].as_slice(), "id-charset", "{\"id\":^\"a b\"}"),
        (&[], "id-length", "{\"x\":1,\"id\" : ^\"\"}"),
        (&[], "member-type", "{\"id\":^[1]}"),
        (&[], "id-missing", "  ^{\"status\":1}"),
        (&[], "duplicate-member", "{\"id\":\"a\",\"x\":1, ^\"x\":2}"),
        (&[], "member-case", "{\"id\":\"a\",^\"iD\":\"b\"}"),
        (&[], "not-an-object", " ^[1]"),
        (&[], "json-utf8", "{\"id\":\"^\u{fffd}\"}"),
        (
            &["--max-line-bytes", "80"],
            "line-too-long",
            "^{\"id\":\"a\",\"x\":\"yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy\"}",
        ),
        (&["--max-depth", "2"], "json-depth", "{\"id\":\"a\",\"x\":[^[]]}"),
        (&["--minimal"], "import-mode-value", "{\"id\":\"a\",\"importMode\":^\"x\"}"),
        (&["--swap-keys"], "authentication-type", "{\"id\":\"a\",\"authentication\":{\"type\": ^9}}"),
        (&["--strip-keys"], "member-type", "{\"id\":\"a\",\"authentication\":{\"symmetricKey\":^[]}}"),
        (&["--preset", "migrate"], "device-scope", "{\"id\":\"a\",\"authentication\":{},\"deviceScope\":^\"x\"}"),
        (&["--preset", "migrate"], "keys-by-hub", "{\"id\":\"a\",\"authentication\":^null}"),
    ] {
        let place = before.len() + line.find('^').expect("a mark");
        let line = line.replace('^', "");
        let bytes = with_bad_bytes(&format!("{before}{line}\n"));
        let answer = transform(&[args, &["--diagnostics", &findings]].concat(), &bytes);
        assert_eq!(answer.code, 1, "{line}: {}", answer.stderr_text());
        let found = json_lines(&folder.read("findings"));
        let found = found.iter().find(|finding| finding["severity"] == "error").expect("an error");
        assert_eq!((found["code"].as_str(), found["line"].as_u64()), (Some(code), Some(3)), "{line}");
        // What is about the line as a whole may also point at its first byte.
        let about_all = ["id-missing", "not-an-object"].contains(&code) && found["byte"] == before.len();
        assert!(about_all || found["byte"] == place, "{code} at {place} of {line}: {found}");
    }
}
