//! Responsible for: keys, SAS tokens and connection strings are in no message, report or diagnostic, whatever the input.

use crate::support::{Folder, transform};

/// 32 bytes in base64, as a device's key is.
const KEY: &str = "pC7hQx+V2zT0rJ4/kWb9sYd3LmN8uGfAeXo1iRv5BtE=";
const SHORT_KEY: &str = "8mXq+2Vn/RzK4tYcW1bLsg==";

fn connection_string() -> String {
    format!("HostName=hub.azure-devices.example.net;DeviceId=d 1;SharedAccessKey={KEY}")
}

fn sas_token() -> String {
    let signature = KEY.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    format!("SharedAccessSignature sr=hub.azure-devices.example.net&sig={signature}&se=1700000000&skn=iothubowner")
}

fn blob_address() -> String {
    let signature = KEY.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    format!(
        "https://account.blob.core.windows.example.net/devices/devices.txt?sv=2021-08-06&sr=c&sig={signature}&sp=rl"
    )
}

fn storage_connection() -> String {
    format!("DefaultEndpointsProtocol=https;AccountName=a;AccountKey={KEY};EndpointSuffix=core.windows.example.net")
}

fn all() -> Vec<String> {
    vec![connection_string(), sas_token(), blob_address(), storage_connection()]
}

/// Fails where twelve letters of a key in a row are in the text, in any of its spellings.
#[track_caller]
fn assert_no_secret(text: &str, what: &str) {
    for key in [KEY, SHORT_KEY] {
        for spelled in [key.to_owned(), key.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")] {
            for window in spelled.as_bytes().windows(12) {
                let window = std::str::from_utf8(window).expect("ASCII");
                assert!(!text.contains(window), "{what}: {window:?} is in {text}");
            }
        }
    }
}

/// Runs the lines with these flags, each in a run of its own, and looks into all that is said.
#[track_caller]
fn says_nothing_of(args: &[&str], lines: &[String]) {
    for line in lines {
        let folder = Folder::new();
        let (report, findings) = (folder.arg("report"), folder.arg("findings"));
        let all = [args, &["--report", &report, "--diagnostics", &findings, "-j", "1"]].concat();
        let input = format!("{{\"id\":\"first\",\"status\":\"enabled\",\"authentication\":{{}}}}\n{line}\n");
        let answer = transform(&all, input.as_bytes());
        assert!(answer.code < 2, "{args:?} {line}: {}", answer.stderr_text());
        for (text, name) in [
            (answer.stderr_text(), "stderr"),
            (folder.text("report"), "the report"),
            (folder.text("findings"), "the diagnostics"),
        ] {
            assert_no_secret(&text, &format!("{name} of {args:?} on {line}"));
        }
    }
}

#[test]
fn keys_where_they_belong() {
    let pair = format!("{{\"primaryKey\":\"{KEY}\",\"secondaryKey\":\"{SHORT_KEY}\"}}");
    let lines = [
        format!("{{\"id\":\"a b\",\"authentication\":{{\"symmetricKey\":{pair},\"type\":\"sas\"}}}}"),
        format!("{{\"id\":\"a\",\"authentication\":{{\"symmetricKey\":{pair},\"type\":\"sas\"}}"),
        format!("{{\"id\":\"a\",\"authentication\":{{\"symmetricKey\":{pair},\"type\":\"odd\"}}}}"),
        format!("{{\"id\":\"a\",\"authentication\":{{\"symmetricKey\":{pair},\"symmetricKey\":{pair}}}}}"),
        format!("{{\"authentication\":{{\"symmetricKey\":{pair}}}}}"),
        format!("{{\"id\":{pair}}}"),
        pair.clone(),
        format!("[{pair}]"),
        format!("\"{KEY}\""),
    ];
    for args in [
        [].as_slice(),
        &["--strip-keys"],
        &["--regenerate-keys"],
        &["--regenerate-keys=primary"],
        &["--promote-secondary"],
        &["--swap-keys"],
        &["--preset", "migrate"],
        &["--on-invalid", "keep", "--swap-keys"],
    ] {
        says_nothing_of(args, &lines);
    }
}

#[test]
fn keys_where_something_else_belongs() {
    let lines = [
        format!("{{\"id\":\"a\",\"importMode\":\"{KEY}\"}}"),
        format!("{{\"id\":\"a\",\"authentication\":\"{KEY}\"}}"),
        format!("{{\"id\":\"a\",\"authentication\":{{\"type\":\"{KEY}\"}}}}"),
        format!("{{\"id\":\"a\",\"authentication\":{{\"symmetricKey\":\"{KEY}\"}}}}"),
        format!("{{\"id\":\"a\",\"authentication\":{{\"symmetricKey\":{{\"primaryKey\":[\"{KEY}\"]}}}}}}"),
        format!("{{\"id\":\"a\",\"authentication\":{{\"x509Thumbprint\":\"{KEY}\"}}}}"),
        format!("{{\"id\":\"a\",\"properties\":\"{KEY}\",\"importMode\":\"updateTwin\"}}"),
        format!("{{\"id\":\"a\",\"moduleId\":\"{KEY}\",\"status\":null}}"),
        format!("{{\"id\":\"a\",\"deviceScope\":\"{KEY}\",\"authentication\":{{}}}}"),
        format!("{{\"id\":\"a\",\"capabilities\":\"{KEY}\",\"deviceScope\":\"x\",\"authentication\":{{}}}}"),
    ];
    for args in [
        [].as_slice(),
        &["--strip-keys"],
        &["--regenerate-keys"],
        &["--swap-keys", "--minimal"],
        &["--minimal", "--strip-metadata"],
        &["--preset", "migrate"],
        &["--preset", "migrate", "--allow", "device-scope"],
    ] {
        says_nothing_of(args, &lines);
    }
}

#[test]
fn broken_json_around_a_secret() {
    let whole = format!("{{\"id\":\"a\",\"authentication\":{{\"symmetricKey\":{{\"primaryKey\":\"{KEY}\"}}}}}}");
    let start = whole.find(KEY).expect("it is in it");
    let mut lines: Vec<String> = (start..start + KEY.len() + 2).step_by(3).map(|end| whole[..end].to_owned()).collect();
    for secret in all() {
        lines.push(secret.clone());
        lines.push(format!("{{{secret}"));
        lines.push(format!("{{\"id\":{secret}}}"));
        lines.push(format!("{{\"id\":\"a\" \"{secret}\"}}"));
        lines.push(format!("{{\"{secret}\"}}"));
        lines.push(format!("{{\"id\":\"\\x{secret}\"}}"));
    }
    says_nothing_of(&[], &lines);
}

#[test]
fn connection_strings_and_tokens_as_ids() {
    let mut lines = Vec::new();
    for secret in all() {
        lines.push(format!("{{\"id\":\"{secret}\"}}"));
        lines.push(format!("{{\"id\":\"x {}\"}}", secret.to_ascii_uppercase().replace(&KEY.to_ascii_uppercase(), KEY)));
        lines.push(format!(
            "{{\"id\":\"{}\"}}",
            secret.replace("SharedAccess", "Shared\\u0041ccess").replace('/', "\\/")
        ));
        lines.push(format!("{{\"id\":\"{secret}\",\"authentication\":null}}"));
        lines.push(format!("{{\"id\":\"{}\"}}", secret.repeat(3)));
        lines.push(format!("{{\"id\":\"é\u{202e}{secret}\"}}"));
        lines.push(format!("{{\"id\":\"d\",\"moduleId\":\"{secret}\"}}"));
    }
    for args in [[].as_slice(), &["--preset", "migrate"], &["--regenerate-keys"], &["--on-invalid", "keep"]] {
        says_nothing_of(args, &lines);
    }
}

#[test]
fn names_of_members() {
    let mut lines = Vec::new();
    for secret in all() {
        lines.push(format!("{{\"id\":\"a\",\"{secret}\":1,\"{secret}\":2}}"));
        lines.push(format!("{{\"id\":\"a\",\"authentication\":{{\"{secret}\":1,\"{secret}\":2}}}}"));
        lines.push(format!("{{\"id\":\"a\",\"properties\":{{\"{secret}\":1,\"{secret}\":2}}}}"));
    }
    says_nothing_of(&["--regenerate-keys"], &lines);
    says_nothing_of(&["--strip-metadata"], &lines);
}

#[test]
fn notices() {
    for secret in all().into_iter().chain([KEY.to_owned(), SHORT_KEY.to_owned(), format!("the key is {KEY}.")]) {
        for before in ["", "Warning: ", &"filler ".repeat(53), &"filler ".repeat(56)] {
            let answer = transform::<&str>(&[], format!("{before}{secret}\n").as_bytes());
            assert_eq!(answer.code, 0);
            assert!(answer.stderr_text().contains("notice: "), "{}", answer.stderr_text());
            assert_no_secret(&answer.stderr_text(), "a notice");
        }
    }
}

#[test]
fn lists_of_ids() {
    let folder = Folder::new();
    for secret in all() {
        let list = folder.write("ids", format!("{secret}\nother\n"));
        for flag in ["--ids", "--ids-not"] {
            let answer = transform(&[flag, &list], crate::support::devices(1).as_bytes());
            assert!(answer.stderr_text().contains("ids-not-found"), "{}", answer.stderr_text());
            assert_no_secret(&answer.stderr_text(), flag);
        }
    }
}

#[test]
fn keys_that_are_made() {
    let folder = Folder::new();
    let paths = ["keys", "report", "findings"].map(|name| folder.arg(name));
    let args = ["--regenerate-keys", "--keys-out", &paths[0], "--report", &paths[1], "--diagnostics", &paths[2]];
    let line = "{\"id\":\"a\",\"authentication\":{\"type\":\"sas\"}}\n{\"id\":\"a\",\"authentication\":null}\n";
    let answer = transform(&args, line.as_bytes());
    let made = crate::support::json_lines(&folder.read("keys"));
    assert_eq!(made.len(), 2);
    let said = [answer.stderr_text(), folder.text("report"), folder.text("findings")].concat();
    for key in made {
        let key = key["key"].as_str().expect("a key");
        assert!(answer.stdout_text().contains(key) && !said.contains(&key[..12]), "{said}");
    }
}

#[test]
fn a_bare_key_as_an_id() {
    let lines = [
        format!("{{\"id\":\"{KEY}\"}}"),
        format!("{{\"id\":\"{SHORT_KEY}\"}}"),
        format!("{{\"id\":\"a\",\"{KEY}\":1,\"{KEY}\":1}}"),
    ];
    says_nothing_of(&[], &lines);
}

#[test]
fn a_signature_that_is_encoded_once_more() {
    let encoded = blob_address().replace('%', "%25").replace('&', "%26").replace('=', "%3D").replace('/', "%2F");
    let signature = &encoded[encoded.find("sig%3D").expect("it is in it") + 6..][..30];
    let answer = transform::<&str>(&[], format!("{{\"id\":\"x {encoded}\"}}\n").as_bytes());
    assert!(!answer.stderr_text().contains(signature), "{}", answer.stderr_text());
}

#[test]
fn arguments() {
    // An address with a token in it, pasted where a path belongs.
    for secret in all() {
        for args in [
            vec![secret.as_str()],
            vec!["-o", &secret],
            vec!["--rejects", &secret],
            vec!["--ids", &secret],
            vec!["--report", &secret],
            vec!["--preset", "migrate", "--scope-map", &secret],
        ] {
            let folder = Folder::new();
            let mut command = crate::support::transform_command(&args);
            command.current_dir(folder.root());
            let answer = crate::support::run(command, crate::support::devices(1).as_bytes());
            assert_no_secret(&answer.stderr_text(), &format!("{args:?}"));
        }
    }
}

#[test]
fn arguments_that_are_refused() {
    for secret in all() {
        for args in [
            vec!["--import-mode", secret.as_str()],
            vec!["--status", &secret],
            vec!["--allow", &secret],
            vec!["in", &secret],
            vec!["--threads", &secret],
        ] {
            let answer = transform(&args, b"");
            assert_eq!(answer.code, 2);
            assert_no_secret(&answer.stderr_text(), &format!("{args:?}"));
        }
        let answer = crate::support::hubmill(&[secret.as_str()], b"");
        assert_no_secret(&answer.stderr_text(), "a command");
    }
}
