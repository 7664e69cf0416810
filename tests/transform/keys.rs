//! Responsible for: rules that make and move keys, and the list of the keys made.

use crate::support::{Folder, assert_answer, json_lines, transform};
use crate::{becomes, q, rejects};
use serde_json::Value;
use std::collections::HashSet;

/// A device with this `authentication`.
fn device(id: &str, authentication: &str) -> String {
    q(&format!("{{'id':'{id}','status':'enabled','authentication':{authentication}}}"))
}

const KEYS: &str = "{'symmetricKey':{'primaryKey':'MQ==','secondaryKey':'Mg=='},'type':'sas'}";

/// One line through, and its parsed output.
#[track_caller]
fn one(args: &[&str], line: &str) -> Value {
    let answer = transform(args, format!("{line}\n").as_bytes());
    assert_eq!(answer.code, 0, "{line}: {}", answer.stderr_text());
    serde_json::from_slice(&answer.stdout).expect("a line")
}

/// Whether a value is a fresh key of so many bytes.
#[track_caller]
fn assert_key(value: &Value, bytes: usize) {
    let text = value.as_str().unwrap_or_else(|| panic!("a key, not {value}"));
    let key = decode(text);
    assert_eq!(key.len(), bytes, "{text}");
    assert!(!key.contains(&0), "a key has no zero byte");
}

/// Base64 with padding, by the book.
fn decode(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    assert_eq!(text.len() % 4, 0, "{text} is padded");
    let letters = text.trim_end_matches('=');
    assert!(text.len() - letters.len() < 3);
    let mut bits = Vec::new();
    for letter in letters.bytes() {
        let value = ALPHABET.iter().position(|known| *known == letter).expect("the base64 alphabet");
        bits.extend((0..6).rev().map(|bit| value >> bit & 1));
    }
    bits.chunks_exact(8).map(|byte| byte.iter().fold(0, |sum, bit| sum << 1 | *bit as u8)).collect()
}

#[test]
fn both_keys_are_made_anew_and_nothing_else_changes() {
    for flag in ["--regenerate-keys", "--regenerate-keys=both"] {
        let line = " { \"id\":\"a\" , \"status\":\"enabled\", \"authentication\" : {\"symmetricKey\":{ \"secondaryKey\":\"Mg==\",\"x\":1.0, \"primaryKey\" :\"MQ==\" },\"type\":\"SAS\"}}\r\n";
        let answer = transform(&[flag], line.as_bytes());
        assert_eq!(answer.code, 0, "{}", answer.stderr_text());
        let output = answer.stdout_text();
        let value: Value = serde_json::from_str(&output).expect("a line");
        let pair = &value["authentication"]["symmetricKey"];
        assert_key(&pair["primaryKey"], 32);
        assert_key(&pair["secondaryKey"], 32);
        assert_ne!(pair["primaryKey"], pair["secondaryKey"]);
        let put_back = output
            .replace(pair["primaryKey"].as_str().expect("a key"), "MQ==")
            .replace(pair["secondaryKey"].as_str().expect("a key"), "Mg==");
        assert_eq!(put_back, line.replace("\r\n", "\n"));
    }
}

#[test]
fn one_key_is_made_anew() {
    let pair = one(&["--regenerate-keys=primary"], &device("a", KEYS))["authentication"]["symmetricKey"].take();
    assert_key(&pair["primaryKey"], 32);
    assert_eq!(pair["secondaryKey"], "Mg==");
    let pair = one(&["--regenerate-keys=secondary"], &device("a", KEYS))["authentication"]["symmetricKey"].take();
    assert_key(&pair["secondaryKey"], 32);
    assert_eq!(pair["primaryKey"], "MQ==");
}

#[test]
fn keys_are_as_long_as_asked_for() {
    for bytes in [16, 17, 18, 32, 63, 64] {
        let args = ["--regenerate-keys", "--key-bytes", &bytes.to_string()];
        let pair = one(&args, &device("a", KEYS))["authentication"]["symmetricKey"].take();
        assert_key(&pair["primaryKey"], bytes);
        assert_key(&pair["secondaryKey"], bytes);
    }
    for wrong in ["15", "65", "0", "-1", "x", ""] {
        let answer = transform(&["--regenerate-keys", "--key-bytes", wrong], device("a", KEYS).as_bytes());
        assert_answer(&answer, 2, "");
    }
}

#[test]
fn keys_are_put_where_there_were_none() {
    for (authentication, wanted) in [
        ("{'type':'sas'}", "{'symmetricKey':{'primaryKey':'K','secondaryKey':'K'},'type':'sas'}"),
        ("{ 'type':'sas'}", "{ 'symmetricKey':{'primaryKey':'K','secondaryKey':'K'},'type':'sas'}"),
        ("{'symmetricKey':null,'type':0}", "{'symmetricKey':{'primaryKey':'K','secondaryKey':'K'},'type':0}"),
        ("{'type':'0','symmetricKey':{}}", "{'type':'0','symmetricKey':{'primaryKey':'K','secondaryKey':'K'}}"),
        (
            "{'symmetricKey':{'x':1 }, 'type':'sas'}",
            "{'symmetricKey':{'x':1,'primaryKey':'K','secondaryKey':'K' }, 'type':'sas'}",
        ),
        ("{'symmetricKey':{'secondaryKey':null}}", "{'symmetricKey':{'secondaryKey':'K','primaryKey':'K'}}"),
        (
            "{'symmetricKey':{'primaryKey':''},'type':null}",
            "{'symmetricKey':{'primaryKey':'K','secondaryKey':'K'},'type':null}",
        ),
        (
            "{'symmetricKey':{'primaryKey':'MQ=='},'x509Thumbprint':{'primaryThumbprint':null,'secondaryThumbprint':''}}",
            "{'symmetricKey':{'primaryKey':'K','secondaryKey':'K'},'x509Thumbprint':{'primaryThumbprint':null,'secondaryThumbprint':''}}",
        ),
    ] {
        let answer = transform(&["--regenerate-keys"], format!("{}\n", device("a", authentication)).as_bytes());
        assert_eq!(answer.code, 0, "{authentication}: {}", answer.stderr_text());
        let mut output = answer.stdout_text();
        let value: Value = serde_json::from_str(&output).expect("a line");
        for slot in ["primaryKey", "secondaryKey"] {
            let key = &value["authentication"]["symmetricKey"][slot];
            assert_key(key, 32);
            output = output.replace(key.as_str().expect("a key"), "K");
        }
        assert_eq!(output, format!("{}\n", device("a", wanted)), "{authentication}");
    }
}

/// Lines that no key rule touches, and the count that each of them is in.
const LEFT_ALONE: [(&str, &str); 15] = [
    ("{'type':'selfSigned'}", "left-x509"),
    ("{'type':1,'symmetricKey':{'primaryKey':'MQ==','secondaryKey':'Mg=='}}", "left-x509"),
    ("{'type':'sas','symmetricKey':{'primaryKey':null},'x509Thumbprint':{'primaryThumbprint':'AB'}}", "left-x509"),
    ("{'x509Thumbprint':{'secondaryThumbprint':'AB'}}", "left-x509"),
    ("{'type':'CertificateAuthority'}", "left-ca"),
    ("{'type':'2'}", "left-ca"),
    ("{'type':'NONE','symmetricKey':{'primaryKey':'MQ==','secondaryKey':'Mg=='}}", "left-none"),
    ("{'type':3}", "left-none"),
    ("null", "keyless"),
    ("{}", "keyless"),
    ("{'symmetricKey':null}", "keyless"),
    ("{'symmetricKey':{}}", "keyless"),
    ("{'type':null,'x509Thumbprint':null}", "keyless"),
    ("{'x509Thumbprint':{'primaryThumbprint':'','secondaryThumbprint':null}}", "keyless"),
    ("{'symmetricKey':{'other':1}}", "keyless"),
];

#[test]
fn what_does_not_authenticate_by_key_is_left_alone_and_counted() {
    let folder = Folder::new();
    let report = folder.arg("report");
    for rule in ["--regenerate-keys", "--regenerate-keys=primary", "--promote-secondary", "--swap-keys"] {
        for (authentication, code) in LEFT_ALONE {
            let line = format!("{}\n", device("a", authentication));
            let answer = transform(&[rule, "--report", &report], line.as_bytes());
            assert_answer(&answer, 0, &line);
            let report = folder.report("report");
            assert_eq!((report.code(code), report.number("edited")), (1, 0), "{rule} {authentication}: {report:?}");
            let is_finding = answer.stderr_text().contains(&format!("warning[{code}]: line 1 (byte 0"));
            assert!(!is_finding || code == "keyless", "{}", answer.stderr_text());
        }
        let keyed = device("a", KEYS);
        for (member, code) in [
            ("'importMode':'delete'", "left-mode"),
            ("'importMode':'DeleteIfMatchETag'", "left-mode"),
            ("'importMode':'updateTwin'", "left-mode"),
            ("'importMode':8", "left-mode"),
            ("'moduleId':'$edgeHub'", "left-system-module"),
            ("'moduleId':'\\u0024edgeHub','importMode':'create'", "left-system-module"),
        ] {
            let line = format!("{},{}}}\n", &keyed[..keyed.len() - 1], q(member));
            let answer = transform(&[rule, "--report", &report], line.as_bytes());
            assert_answer(&answer, 0, &line);
            assert_eq!(folder.report("report").code(code), 1, "{rule} {member}");
        }
    }
}

#[test]
fn keyless_lines_get_keys_only_when_asked() {
    for (line, wanted) in [
        (
            "{'id':'a','authentication':null,'status':'enabled'}",
            "{'id':'a','authentication':{'symmetricKey':{'primaryKey':'K','secondaryKey':'K'},'x509Thumbprint':{'primaryThumbprint':null,'secondaryThumbprint':null},'type':'sas'},'status':'enabled'}",
        ),
        (
            "{'id':'a','status':'enabled' }",
            "{'id':'a','status':'enabled','authentication':{'symmetricKey':{'primaryKey':'K','secondaryKey':'K'},'x509Thumbprint':{'primaryThumbprint':null,'secondaryThumbprint':null},'type':'sas'} }",
        ),
    ] {
        let line = format!("{}\n", q(line));
        for args in [["--regenerate-keys"].as_slice(), &["--regenerate-keys", "--keyless", "skip"]] {
            assert_answer(&transform(args, line.as_bytes()), 0, &line);
        }
        let answer = transform(&["--regenerate-keys", "--keyless", "sas", "--key-bytes", "16"], line.as_bytes());
        let mut output = answer.stdout_text();
        let value: Value = serde_json::from_str(&output).expect("a line");
        for slot in ["primaryKey", "secondaryKey"] {
            let key = &value["authentication"]["symmetricKey"][slot];
            assert_key(key, 16);
            output = output.replace(key.as_str().expect("a key"), "K");
        }
        assert_eq!(output, format!("{}\n", q(wanted)));
    }
    // Modes and modules that are left alone stay so.
    for member in ["'importMode':'delete'", "'moduleId':'$edgeAgent'"] {
        let line = format!("{}\n", q(&format!("{{'id':'a','status':'enabled',{member}}}")));
        assert_answer(&transform(&["--regenerate-keys", "--keyless", "sas"], line.as_bytes()), 0, &line);
    }
}

#[test]
fn keys_change_places() {
    becomes(
        &["--swap-keys"],
        &[
            (
                &device("a", KEYS),
                &device("a", "{'symmetricKey':{'primaryKey':'Mg==','secondaryKey':'MQ=='},'type':'sas'}"),
            ),
            (
                &device("a", "{'symmetricKey':{'secondaryKey' : 'a\\u002f' , 'primaryKey':'b\\/'}}"),
                &device("a", "{'symmetricKey':{'secondaryKey' : 'b\\/' , 'primaryKey':'a\\u002f'}}"),
            ),
        ],
    );
}

#[test]
fn the_secondary_is_promoted() {
    let pair = one(&["--promote-secondary"], &device("a", KEYS))["authentication"]["symmetricKey"].take();
    assert_eq!(pair["primaryKey"], "Mg==");
    assert_key(&pair["secondaryKey"], 32);
    let line = device("a", "{'symmetricKey':{'secondaryKey':'Mg=='},'type':'sas'}");
    let pair = one(&["--promote-secondary", "--key-bytes", "64"], &line)["authentication"]["symmetricKey"].take();
    assert_eq!(pair["primaryKey"], "Mg==");
    assert_key(&pair["secondaryKey"], 64);
}

#[test]
fn a_key_that_is_needed_and_not_there_is_said() {
    let folder = Folder::new();
    let report = folder.arg("report");
    let no_primary = "{'symmetricKey':{'primaryKey':null,'secondaryKey':'Mg=='},'type':'sas'}";
    let no_secondary = "{'symmetricKey':{'primaryKey':'MQ==','secondaryKey':''},'type':'sas'}";
    let none = "{'symmetricKey':null,'type':'sas'}";
    for (rule, lines) in [
        ("--regenerate-keys=primary", [no_secondary, none].as_slice()),
        ("--regenerate-keys=secondary", &[no_primary, none]),
        ("--promote-secondary", &[no_secondary, none]),
        ("--swap-keys", &[no_primary, no_secondary, none]),
    ] {
        for authentication in lines {
            let line = format!("{}\n", device("a", authentication));
            let answer = transform(&[rule, "--report", &report], line.as_bytes());
            assert_answer(&answer, 0, &line);
            assert!(answer.stderr_text().contains("warning[keys-missing]: line 1"), "{rule} {authentication}");
            assert_eq!(folder.report("report").code("keys-missing"), 1);
        }
    }
    // The key that goes need not be there.
    let pair = one(&["--regenerate-keys=primary"], &device("a", no_primary))["authentication"]["symmetricKey"].take();
    assert_key(&pair["primaryKey"], 32);
}

#[test]
fn an_empty_type_is_as_none_is_given() {
    for kind in ["null", "''"] {
        let line =
            device("a", &format!("{{'symmetricKey':{{'primaryKey':'MQ==','secondaryKey':'Mg=='}},'type':{kind}}}"));
        let pair = one(&["--swap-keys"], &line)["authentication"]["symmetricKey"].take();
        assert_eq!((&pair["primaryKey"], &pair["secondaryKey"]), (&"Mg==".into(), &"MQ==".into()), "{kind}");
        let line = format!("{}\n", device("a", &format!("{{'type':{kind}}}")));
        let answer = transform(&["--regenerate-keys"], line.as_bytes());
        assert_answer(&answer, 0, &line);
        assert!(answer.stderr_text().contains("warning[keyless]: line 1"), "{kind}: {}", answer.stderr_text());
    }
}

#[test]
fn a_line_that_a_key_rule_can_not_read_is_invalid() {
    for rule in ["--regenerate-keys", "--promote-secondary", "--swap-keys"] {
        let reject = |code: &str, authentication: &str| rejects(&[rule], code, &[&device("a", authentication)]);
        reject("member-type", "'x'");
        reject("member-type", "{'symmetricKey':[],'type':'sas'}");
        reject("member-type", "{'symmetricKey':{'primaryKey':1,'secondaryKey':'Mg=='}}");
        reject("member-type", "{'x509Thumbprint':{'primaryThumbprint':{}}}");
        reject("authentication-type", "{'type':'key'}");
        reject("authentication-type", "{'type':4}");
        reject("authentication-type", "{'type':true}");
        reject("duplicate-member", "{'type':'sas','type':'none'}");
        reject("duplicate-member", "{'x509Thumbprint':{'primaryThumbprint':null,'primaryThumbprint':'AB'}}");
        reject("member-case", "{'Type':'none'}");
        reject("member-case", "{'x509Thumbprint':{'PrimaryThumbprint':'AB'}}");
        rejects(&[rule], "import-mode-value", &["{\"id\":\"a\",\"status\":\"enabled\",\"importMode\":\"remove\"}"]);
    }
}

#[test]
fn the_list_of_keys_is_what_is_in_the_output() {
    let folder = Folder::new();
    let keys = folder.arg("keys");
    let escaped = "{\"id\":\"\\u0061\\u0027\",\"moduleId\":\"m\\u002f\",\"status\":\"enabled\",\"authentication\":{\"type\":\"sas\"}}";
    let rejected = device("a b", KEYS);
    let filtered = q("{'id':'gone','moduleId':'$edgeHub','status':'enabled','authentication':{'type':'sas'}}");
    let left = device("left", "{'type':'selfSigned'}");
    let mut lines = vec![escaped.to_owned(), rejected, filtered, left];
    lines.extend((0..2000).map(|index| device(&format!("d-{index}"), KEYS)));
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    for (rule, slots) in [
        ("--regenerate-keys", ["primary", "secondary"].as_slice()),
        ("--regenerate-keys=primary", &["primary"]),
        ("--regenerate-keys=secondary", &["secondary"]),
        ("--promote-secondary", &["secondary"]),
    ] {
        let args = [rule, "--drop-system-modules", "--keys-out", &keys];
        let answer = transform(&args, input.as_bytes());
        assert_eq!(answer.code, 1, "one line is rejected");
        let mut wanted = Vec::new();
        for line in json_lines(&answer.stdout) {
            for slot in slots {
                let key = &line["authentication"]["symmetricKey"][format!("{slot}Key")];
                if line["id"] == "left" || key.is_null() || rule != "--regenerate-keys" && line["id"] == "a'" {
                    continue;
                }
                assert_key(key, 32);
                let id = if line["id"] == "a'" { "\\u0061\\u0027" } else { line["id"].as_str().expect("an id") };
                let module = if line["id"] == "a'" { "\"m\\u002f\"" } else { "null" };
                let key = key.as_str().expect("a key");
                wanted
                    .push(format!("{{\"id\":\"{id}\",\"moduleId\":{module},\"slot\":\"{slot}\",\"key\":\"{key}\"}}\n"));
            }
        }
        assert!(wanted.len() >= 2000 * slots.len());
        assert_eq!(folder.text("keys"), wanted.concat(), "{rule}");
        let different: HashSet<String> =
            wanted.into_iter().map(|line| line[line.find("\"key\"").unwrap_or(0)..].to_owned()).collect();
        assert!(different.len() >= 2000 * slots.len(), "no key is made twice");
        std::fs::remove_file(folder.path("keys")).expect("it was there");
    }
}

#[test]
fn a_list_of_keys_where_no_key_is_made() {
    let folder = Folder::new();
    let keys = folder.arg("keys");
    let line = format!("{}\n", device("a", "{'type':'none'}"));
    assert_answer(&transform(&["--regenerate-keys", "--keys-out", &keys], line.as_bytes()), 0, &line);
    assert_eq!(folder.text("keys"), "");
}
