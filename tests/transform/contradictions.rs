//! Responsible for: that flags which contradict each other are refused by name before anything is touched.

use crate::support::{Folder, assert_answer, devices, transform};

/// Both sides of a contradiction, each as arguments; the first argument of a side is what the message must name.
const CONTRADICTIONS: [(&[&str], &[&str]); 24] = [
    (&["--strip-keys"], &["--strip-authentication"]),
    (&["--strip-keys"], &["--regenerate-keys"]),
    (&["--strip-keys"], &["--promote-secondary"]),
    (&["--strip-keys"], &["--swap-keys"]),
    (&["--strip-authentication"], &["--regenerate-keys=primary"]),
    (&["--strip-authentication"], &["--promote-secondary"]),
    (&["--strip-authentication"], &["--swap-keys"]),
    (&["--regenerate-keys"], &["--promote-secondary"]),
    (&["--regenerate-keys=secondary"], &["--swap-keys"]),
    (&["--promote-secondary"], &["--swap-keys"]),
    (&["--devices-only"], &["--modules-only"]),
    (&["--strip-etags"], &["--import-mode", "updateIfMatchETag"]),
    (&["--strip-etags"], &["--import-mode", "createOrUpdateIfMatchETag"]),
    (&["--strip-etags"], &["--import-mode", "DELETEIFMATCHETAG"]),
    (&["--strip-etags"], &["--import-mode", "updateTwinIfMatchETag"]),
    (&["--preset", "migrate"], &["--import-mode", "updateIfMatchETag"]),
    (&["--preset", "delete"], &["--modules-only"]),
    (&["--preset", "share"], &["--regenerate-keys"]),
    (&["--preset", "share"], &["--promote-secondary"]),
    (&["--preset", "share"], &["--swap-keys"]),
    (&["--preset", "share"], &["--strip-keys"]),
    (&["--scope-map", "/none/such"], &["--preset", "share"]),
    (&["--allow", "keys-by-hub"], &["--preset", "delete"]),
    (&["--strict"], &["--max-rejects", "3"]),
];

#[test]
fn contradictions_name_both_flags_and_touch_nothing() {
    for (one, other) in CONTRADICTIONS {
        for (first, second) in [(one, other), (other, one)] {
            let folder = Folder::new();
            let output = folder.write("out", "old");
            let new = ["rejects", "filtered", "report", "diagnostics"].map(|name| folder.arg(name));
            let mut args = vec!["-o", &output, "--rejects", &new[0], "--filtered", &new[1], "--report", &new[2]];
            args.extend(["--diagnostics", &new[3]]);
            let answer = transform(&[&args, first, second].concat(), devices(3).as_bytes());
            assert_answer(&answer, 2, "");
            let stderr = answer.stderr_text();
            for side in [one, other] {
                let flag = side[0].split('=').next().unwrap_or(side[0]);
                // A flag that needs a preset names that preset, not the one that was given.
                assert!(stderr.contains(flag), "{first:?} {second:?}: {flag} is not named: {stderr}");
            }
            assert_eq!(folder.names(), ["out"], "{first:?} {second:?}");
            assert_eq!(folder.text("out"), "old");
        }
    }
}

#[test]
fn flags_that_need_another_say_so() {
    let folder = Folder::new();
    let keys = folder.arg("keys");
    for (args, other) in [
        (["--keyless", "sas"].as_slice(), "--regenerate-keys"),
        (&["--keyless", "sas", "--promote-secondary"], "--regenerate-keys"),
        (&["--key-bytes", "32"], "--regenerate-keys"),
        (&["--key-bytes", "32", "--swap-keys"], "--regenerate-keys"),
        (&["--keys-out", &keys], "--regenerate-keys"),
        (&["--keys-out", &keys, "--swap-keys"], "--promote-secondary"),
        (&["--allow", "device-scope"], "--preset migrate"),
        (&["--scope-map", "/none/such"], "--preset migrate"),
    ] {
        let answer = transform(args, devices(1).as_bytes());
        assert_answer(&answer, 2, "");
        let stderr = answer.stderr_text();
        assert!(stderr.contains(args[0]) && stderr.contains(other), "{args:?}: {stderr}");
    }
    assert!(folder.names().is_empty());
}

#[test]
fn values_that_are_none_are_refused() {
    for args in [
        ["--import-mode", "remove"].as_slice(),
        &["--import-mode", ""],
        &["--import-mode", "5"],
        &["--status", "Enabled?"],
        &["--preset", "clone"],
        &["--allow", "id-charset", "--preset", "migrate"],
        &["--allow", "none-such", "--preset", "migrate"],
        &["--check", "some"],
        &["--on-invalid", "drop"],
        &["--regenerate-keys=all"],
        &["--keyless", "x509", "--regenerate-keys"],
        &["--threads", "0"],
        &["--threads", "x"],
        &["--max-depth", "0"],
        &["--max-line-bytes", "0"],
        &["--max-rejects", "-1"],
        &["--mmap", "perhaps"],
        &["--no-such-flag"],
    ] {
        let folder = Folder::new();
        let output = folder.arg("out");
        let answer = transform(&[args, &["-o", &output]].concat(), devices(1).as_bytes());
        assert_answer(&answer, 2, "");
        assert!(answer.stderr_text().contains("error:"), "{args:?}: {}", answer.stderr_text());
        assert!(folder.names().is_empty(), "{args:?}");
    }
}

#[test]
fn a_value_of_regenerate_keys_comes_only_with_an_equals_sign() {
    let folder = Folder::new();
    let input = folder.write("primary", devices(2));
    // Here `primary` is the input.
    let answer = transform(&["--regenerate-keys", &input], b"");
    assert_eq!((answer.code, answer.stdout.iter().filter(|byte| **byte == b'\n').count()), (0, 2));
}
