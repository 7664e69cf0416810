//! `--where` and `--by`: expressions and paths from the command line, and what is said where they are wrong.

use hubmill_rules::{Condition, Filter, MemberPath, TextFault};

use crate::excerpt::excerpt;
use crate::exit::Failure;

/// Reads the expression of `--where`.
pub(crate) fn condition(text: &str) -> Result<Condition, Failure> {
    Condition::parse(text).map_err(|fault| failure("--where", text, fault))
}

/// A filter by the expression of `--where`.
pub(crate) fn filter(text: Option<&str>) -> Result<Option<Filter>, Failure> {
    text.map(|text| condition(text).map(Filter::new)).transpose()
}

/// Reads the path of `--by`.
pub(crate) fn path(text: &str) -> Result<MemberPath, Failure> {
    MemberPath::parse(text).map_err(|fault| failure("--by", text, fault))
}

fn failure(flag: &str, text: &str, fault: TextFault) -> Failure {
    let character = text[..fault.at.start].chars().count() + 1;
    Failure::usage(format!("{flag}: {} (at character {character})", fault.message))
        .excerpt(excerpt(text, fault.at))
        .hint(fault.hint)
}
