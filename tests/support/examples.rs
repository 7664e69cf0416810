//! Responsible for: reading and running the examples of a document, so that what is written there is what happens.
//! Not for: which documents there are; see `readme` and `manual`.
//!
//! In a ```` ```console ```` block a line that starts with `$ ` is run by `sh` in a fresh folder with the fixtures beside it, all commands
//! of a document in the same folder, in order; after a line that ends in `\` a line that starts with `> ` goes on with the command. What
//! follows is its output, and then its messages; `…` stands for any text. Words after `console` are programs that the block needs:
//! where one is not installed, the block is left out and that is said. A block of any other kind whose second word is a name is
//! written to a file of that name. Everything else is not run.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use super::{Folder, binary, skip};

/// A command and the lines that it should print.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Example {
    pub(crate) command: String,
    pub(crate) want: Vec<String>,
}

/// What a block of a document is for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Block {
    /// Commands, and the programs that they need beside the usual ones.
    Run { needs: Vec<String>, examples: Vec<Example> },
    /// A file that is there from here on.
    File { name: String, content: String },
    /// Text of this kind that is not run.
    Shown { kind: String, content: String },
}

/// The blocks of a document, in order.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some(words) = line.strip_prefix("```") else { continue };
        let words: Vec<&str> = words.split_whitespace().collect();
        let content: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let whole = || content.iter().map(|line| format!("{line}\n")).collect();
        blocks.push(match words.as_slice() {
            ["console", needs @ ..] => {
                Block::Run { needs: needs.iter().map(ToString::to_string).collect(), examples: examples(&content) }
            }
            [_, name] => Block::File { name: (*name).to_owned(), content: whole() },
            words => Block::Shown { kind: words.first().copied().unwrap_or_default().to_owned(), content: whole() },
        });
    }
    blocks
}

fn examples(lines: &[&str]) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    for line in lines {
        if let Some(command) = line.strip_prefix("$ ") {
            examples.push(Example { command: command.to_owned(), want: Vec::new() });
            continue;
        }
        let last = examples.last_mut().expect("a block starts with a command");
        match line.strip_prefix("> ") {
            Some(more) if last.want.is_empty() && last.command.ends_with('\\') => {
                last.command.push('\n');
                last.command.push_str(more);
            }
            _ => last.want.push((*line).to_owned()),
        }
    }
    examples
}

/// Whether a line is as wanted, where `…` stands for any text.
pub(crate) fn fits(want: &str, found: &str) -> bool {
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

fn is_installed(program: &str) -> bool {
    let found = Command::new("sh").args(["-c", "command -v \"$0\" >/dev/null", program]).status();
    found.is_ok_and(|status| status.success())
}

/// Runs the examples of a document; how many there were, run or left out. Panics at the first that prints something else.
#[track_caller]
pub(crate) fn run_document(path: &Path) -> usize {
    let name = path.display();
    let folder = Folder::new();
    symlink(hubmill_testkit::process::fixtures(), folder.path("fixtures")).expect("a link can be made");
    let mut count = 0;
    for block in blocks(&fs::read_to_string(path).expect("the document is there")) {
        match block {
            Block::File { name, content } => drop(folder.write(&name, content)),
            Block::Shown { .. } => {}
            Block::Run { needs, examples } => {
                count += examples.len();
                match needs.iter().find(|program| !is_installed(program)) {
                    Some(program) => skip(&format!("a block of {name}"), &format!("{program} is not installed")),
                    None => examples.iter().for_each(|example| run_example(&folder, example, path)),
                }
            }
        }
    }
    count
}

#[track_caller]
fn run_example(folder: &Folder, Example { command, want }: &Example, document: &Path) {
    let programs = binary().parent().expect("a program is in a folder").to_owned();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap_or_default());
    // Output first, then messages: the order between the two is not a promise.
    let both = format!("{{ {command}\n}} 2> .messages; cat .messages; rm .messages");
    let mut shell = Command::new("sh");
    shell.args(["-c", &both]).current_dir(folder.root()).env("PATH", &path).env_remove("HUBMILL_SIMD");
    let answer = shell.output().expect("there is a shell");
    let found = String::from_utf8(answer.stdout).expect("examples print text");
    let found: Vec<&str> = found.lines().collect();
    let same = found.len() == want.len() && want.iter().zip(&found).all(|(want, found)| fits(want, found));
    assert!(same, "{}\n$ {command}\nwanted:\n{}\nfound:\n{}", document.display(), want.join("\n"), found.join("\n"));
}
