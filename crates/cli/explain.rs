//! `hubmill explain`: what a code means, why, and how well that is known. docs/CODES.md is this, for all codes.

use std::fmt::Write as _;

use hubmill_device::{About, Code, Evidence, Severity};

use crate::about::print;
use crate::exit::{Exit, Failure};
use crate::flags::ExplainArguments;

/// Where lines of running text are broken, in characters.
const WIDTH: usize = 100;

/// Runs the command.
pub(crate) fn run(arguments: &ExplainArguments) -> Result<Exit, Failure> {
    if arguments.markdown {
        return print(document().as_bytes());
    }
    match arguments.code.as_deref() {
        None => print(list().as_bytes()),
        Some(name) => match Code::from_name(name) {
            Some(code) => print(explanation(code.about()).as_bytes()),
            None => Err(Failure::usage(unknown(name))),
        },
    }
}

fn unknown(name: &str) -> String {
    let first = name.split('-').next().unwrap_or_default();
    let alike: Vec<&str> = Code::ALL
        .iter()
        .map(|code| code.as_str())
        .filter(|code| !first.is_empty() && (code.contains(name) || code.starts_with(first)))
        .collect();
    let hint = if alike.is_empty() { String::new() } else { format!("; there are {}", alike.join(", ")) };
    format!("no code {name}{hint}; `hubmill explain` lists all")
}

/// How bad the code is: in a full check, and in a transform where that differs.
fn severities(code: Code) -> String {
    let (checked, own) = (code.checked_severity(), code.severity());
    if checked == own {
        return checked.as_str().to_owned();
    }
    let own = if own == Severity::Count { "a count" } else { own.as_str() };
    format!("{}; {own} in `transform` by itself", checked.as_str())
}

fn list() -> String {
    let mut text = String::new();
    for code in Code::ALL {
        let about = code.about();
        let _ = writeln!(text, "{:<8}{:<24}{}", code.checked_severity().as_str(), code.as_str(), about.what);
    }
    text
}

fn explanation(about: &About) -> String {
    let mut text = format!("{}: {}\n\n", about.code.as_str(), severities(about.code));
    for part in [about.what, about.why] {
        text.push_str(&wrapped(&part.replace('`', "")));
        text.push('\n');
    }
    text.push_str(&wrapped(&format!("Right: {}", about.instead.replace('`', ""))));
    let _ = write!(text, "\nSource: {}\nStatus: {}\n", about.source, status(about.evidence));
    let _ = write!(
        text,
        "\n`hubmill {}` finds it in\n\n{}\n\nand not in\n\n{}\n",
        about.command,
        indented(about.triggers),
        indented(about.passes)
    );
    if [about.triggers, about.passes].iter().any(|example| example.contains('⟨')) {
        text.push_str(
            "\n⟨9 × x⟩ stands for nine times x, ⟨2 lines of m#⟩ for the lines m1 and m2, ⟨byte ff⟩ for a byte.\n",
        );
    }
    text
}

fn status(evidence: Evidence) -> String {
    format!("{} ({})", evidence.as_str(), evidence.meaning())
}

fn indented(example: &str) -> String {
    let lines: Vec<String> = example.lines().map(|line| format!("    {line}")).collect();
    lines.join("\n")
}

/// Running text in lines that can be read.
fn wrapped(text: &str) -> String {
    let mut out = String::new();
    let mut width = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        if width > 0 && width + 1 + length > WIDTH {
            out.push('\n');
            width = 0;
        } else if width > 0 {
            out.push(' ');
            width += 1;
        }
        out.push_str(word);
        width += length;
    }
    out.push('\n');
    out
}

/// docs/CODES.md.
fn document() -> String {
    let mut text = String::from(
        "# Codes\n\n\
         Every finding has a code. Codes are stable: more may come, none is renamed. This file is `hubmill explain --markdown`; \
         `hubmill explain CODE` prints one of them.\n\n\
         An **error** makes a line unfit (`validate` exits with 1, `transform --check full` rejects the line); a **warning** does not; \
         a **count** is in the report only. `§` points into the project's collection of facts about the format. The status says how well it is \
         known that the hub minds:\n\n",
    );
    for evidence in [Evidence::Confirmed, Evidence::ThirdParty, Evidence::Inferred, Evidence::Unknown, Evidence::Own] {
        let _ = writeln!(text, "- {}: {}", evidence.as_str(), evidence.meaning());
    }
    text.push_str(
        "\nIn the examples `⟨9 × x⟩` stands for nine times `x`, `⟨2 lines of m#⟩` for the lines `m1` and `m2`, `⟨byte ff⟩` for a byte.\n\n\
         | code | severity | status | what |\n|---|---|---|---|\n",
    );
    for code in Code::ALL {
        let (name, about) = (code.as_str(), code.about());
        let severity = code.checked_severity().as_str();
        let _ = writeln!(text, "| [{name}](#{name}) | {severity} | {} | {} |", about.evidence.as_str(), about.what);
    }
    for code in Code::ALL {
        let about = code.about();
        let _ = write!(
            text,
            "\n## {}\n\n{} {}\n\nRight: {}\n\nSeverity: {}. Source: {}. Status: {}.\n\n`hubmill {}` finds it in\n\n```\n{}\n```\n\nand not in\n\n```\n{}\n```\n",
            code.as_str(),
            about.what,
            about.why,
            about.instead,
            severities(*code),
            about.source,
            about.evidence.as_str(),
            about.command,
            about.triggers,
            about.passes
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{unknown, wrapped};

    #[test]
    fn text_is_broken_between_words() {
        let text = wrapped(&"word ".repeat(60));
        assert!(text.lines().all(|line| (90..=100).contains(&line.len()) || line == text.lines().last().unwrap()));
        assert_eq!(text.split_whitespace().count(), 60);
    }

    #[test]
    fn a_code_that_is_none_gets_those_that_are_alike() {
        assert!(unknown("key-size").contains("key-base64, key-length, key-half"));
        assert!(unknown("charset").contains("id-charset, module-id-charset, twin-key-charset"));
        assert_eq!(unknown("zzz"), "no code zzz; `hubmill explain` lists all");
    }
}
