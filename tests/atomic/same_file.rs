//! Responsible for: paths that are one file are refused, and nothing is touched.

use crate::support::{Folder, assert_answer, devices, run, script, transform};
use std::fs;
use std::os::unix::fs::symlink;

/// Refused with 2, and the folder is as it was.
#[track_caller]
fn refuses(folder: &Folder, args: &[&str], stdin: &[u8]) {
    let look = || folder.names().into_iter().map(|name| (fs::read(folder.path(&name)).ok(), name)).collect::<Vec<_>>();
    let before = look();
    let answer = transform(args, stdin);
    assert_answer(&answer, 2, "");
    assert!(answer.stderr_text().contains("same file"), "{args:?}: {}", answer.stderr_text());
    assert!(look() == before, "{args:?}: {:?}", folder.names());
}

#[test]
fn input_and_output_are_not_one_file() {
    let folder = Folder::new();
    // One that could also be a list of ids or a map of scopes.
    let edge = "{\"id\":\"e\",\"capabilities\":{\"iotEdge\":true},\"deviceScope\":\"ms-azure-iot-edge://e-1\"}\n";
    let input = folder.write("in", format!("{}{edge}", devices(3)));
    let (link, hard) = (folder.arg("link"), folder.arg("hard"));
    symlink("in", &link).expect("a link");
    fs::hard_link(&input, &hard).expect("a hard link");
    let other_way =
        format!("{}/./../{}/in", folder.root().display(), folder.root().file_name().expect("a name").display());
    for other in [&input, &link, &hard, &other_way] {
        for flag in ["-o", "--rejects", "--filtered", "--report", "--diagnostics"] {
            refuses(&folder, &[&input, flag, other], b"");
            refuses(&folder, &[other, flag, &input], b"");
            refuses(&folder, &[&input, flag, other, "--mmap", "always"], b"");
        }
        refuses(&folder, &[&input, "--regenerate-keys", "--keys-out", other], b"");
        refuses(&folder, &["--ids", &input, "-o", other], devices(1).as_bytes());
        refuses(&folder, &["--preset", "migrate", "--scope-map", &input, "-o", other], devices(1).as_bytes());
    }
}

#[test]
fn two_outputs_are_not_one_file() {
    let folder = Folder::new();
    let (old, new) = (folder.write("old", "old"), folder.arg("new"));
    let (link, hard, dangling) = (folder.arg("link"), folder.arg("hard"), folder.arg("dangling"));
    symlink("old", &link).expect("a link");
    fs::hard_link(&old, &hard).expect("a hard link");
    symlink("new", &dangling).expect("a link");
    let input = devices(2);
    for (one, other) in [(&old, &old), (&old, &link), (&link, &hard), (&hard, &old), (&new, &new), (&new, &dangling)] {
        for flags in [
            ["-o", "--rejects"],
            ["-o", "--report"],
            ["-o", "--diagnostics"],
            ["-o", "--filtered"],
            ["--rejects", "--filtered"],
            ["--report", "--diagnostics"],
            ["--filtered", "--report"],
        ] {
            refuses(&folder, &[flags[0], one, flags[1], other], input.as_bytes());
        }
        refuses(&folder, &["-o", one, "--keys-out", other, "--regenerate-keys"], input.as_bytes());
    }
    // Two names for the same new file by way of a folder.
    let other_way = format!("{}/./new", folder.root().display());
    refuses(&folder, &["-o", &new, "--rejects", &other_way], input.as_bytes());
}

#[test]
fn a_shell_redirection_to_the_input_is_seen() {
    // The shell has emptied the file by then; that it is said is all that can be done.
    for text in [
        "exec \"$0\" transform \"$1\" > \"$1\"",
        "exec \"$0\" transform < \"$1\" > \"$1\"",
        "exec \"$0\" transform \"$1\" >> \"$1\"",
        "exec \"$0\" transform < \"$1\" -o \"$1\"",
        "exec \"$0\" transform -o \"$1\" --rejects \"$1.rejects\" \"$1\"",
        "exec \"$0\" transform \"$1\" --rejects \"$1.rejects\" > \"$1.rejects\"",
    ] {
        let folder = Folder::new();
        let input = folder.write("in", devices(3));
        let answer = run(script(text, &[&input]), b"");
        assert_answer(&answer, 2, "");
        assert!(answer.stderr_text().contains("same file"), "{text}: {}", answer.stderr_text());
        let emptied = text.contains("\"$1\" > \"$1\"") || text.contains("< \"$1\" > ");
        assert_eq!(folder.text("in"), if emptied { String::new() } else { devices(3) }, "{text}");
    }
}

#[test]
fn standard_output_is_for_one() {
    let folder = Folder::new();
    for args in [
        ["--rejects", "-"].as_slice(),
        &["--filtered", "-"],
        &["--rejects", "-", "--filtered", "-", "-o", "FILE"],
        &["-o", "-", "--rejects", "-"],
    ] {
        let file = folder.arg("out");
        let args: Vec<&str> = args.iter().map(|arg| if *arg == "FILE" { file.as_str() } else { arg }).collect();
        let answer = transform(&args, devices(2).as_bytes());
        assert_answer(&answer, 2, "");
        assert!(answer.stderr_text().contains("standard output"), "{args:?}: {}", answer.stderr_text());
        assert!(folder.names().is_empty());
    }
}

#[test]
fn devices_that_many_may_share_are_no_conflict() {
    let args = ["-o", "/dev/null", "--rejects", "/dev/null", "--report", "/dev/null", "--diagnostics", "/dev/null"];
    assert_answer(&transform(&[&["/dev/null"], args.as_slice()].concat(), b""), 0, "");
}
