//! Responsible for: the examples of the README are run, and say what the README says; how examples are read.
//! Not for: the manual; see `manual`.

mod support;

use std::path::Path;

use support::examples::{Block, Example, blocks, fits, run_document};

#[test]
fn every_example_says_what_the_readme_says() {
    let count = run_document(&Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md"));
    assert!(count >= 12, "only {count} examples were found");
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

#[test]
fn blocks_are_told_apart() {
    let text = "text\n```console jq\n$ one \\\n> two\nout\n> out\n$ three\n```\n```csv a.csv\nid\nd1\n```\n```powershell\nx\n```\n";
    let example = |command: &str, want: &[&str]| Example {
        command: command.to_owned(),
        want: want.iter().map(ToString::to_string).collect(),
    };
    let want = [
        Block::Run {
            needs: vec!["jq".to_owned()],
            examples: vec![example("one \\\ntwo", &["out", "> out"]), example("three", &[])],
        },
        Block::File { name: "a.csv".to_owned(), content: "id\nd1\n".to_owned() },
        Block::Shown { kind: "powershell".to_owned(), content: "x\n".to_owned() },
    ];
    assert_eq!(blocks(text), want);
}
