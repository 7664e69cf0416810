//! The examples of the README are run, and say what the README says.
//!
//! In a `console` block a line that starts with `$ ` is run by `sh` in a fresh folder with the fixtures beside it; what
//! follows is its output and its messages. `…` stands for any text.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

/// A command and the lines that it should print.
struct Example {
    command: String,
    want: Vec<String>,
}

fn examples(text: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut inside = false;
    for line in text.lines() {
        match line {
            "```console" => inside = true,
            "```" => inside = false,
            _ if !inside => {}
            _ => match line.strip_prefix("$ ") {
                Some(command) => examples.push(Example { command: command.to_owned(), want: Vec::new() }),
                None => examples.last_mut().expect("a block starts with a command").want.push(line.to_owned()),
            },
        }
    }
    examples
}

/// Whether a line is as wanted, where `…` stands for any text.
fn fits(want: &str, found: &str) -> bool {
    let mut parts = want.split('…');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = found.strip_prefix(first) else {
        return false;
    };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else {
            return false;
        };
        rest = &rest[at + part.len()..];
        last = Some(part);
    }
    match last {
        None => rest.is_empty(),
        Some(part) => part.is_empty() || found.ends_with(part),
    }
}

#[test]
fn every_example_says_what_the_readme_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = tempfile::tempdir().unwrap();
    symlink(root.join("fixtures"), folder.path().join("fixtures")).unwrap();
    let programs = Path::new(env!("CARGO_BIN_EXE_hubmill")).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let examples = examples(&fs::read_to_string(root.join("README.md")).unwrap());
    assert!(examples.len() >= 12, "only {} examples were found", examples.len());
    for Example { command, want } in examples {
        // Output first, then messages: the order between the two is not a promise.
        let both = format!("{{ {command}\n}} 2> messages; cat messages");
        let answer =
            Command::new("sh").args(["-c", &both]).current_dir(folder.path()).env("PATH", &path).output().unwrap();
        let found = String::from_utf8(answer.stdout).unwrap();
        let found: Vec<&str> = found.lines().collect();
        let same = found.len() == want.len() && want.iter().zip(&found).all(|(want, found)| fits(want, found));
        assert!(same, "$ {command}\nwanted:\n{}\nfound:\n{}", want.join("\n"), found.join("\n"));
    }
}

#[test]
fn fitting_is_strict_but_for_the_ellipsis() {
    for (want, found, fit) in [
        ("abc", "abc", true),
        ("abc", "abcd", false),
        ("a…c", "abbbc", true),
        ("a…c", "abbb", false),
        ("…", "anything", true),
        ("a…b…c", "a-b-c", true),
        ("a…b…c", "a-c", false),
        ("a…", "b", false),
    ] {
        assert_eq!(fits(want, found), fit, "{want} {found}");
    }
}
