//! `docs/rules.schema.json`: what a file of rules may hold, for editors. Made from the flags themselves, so that it can't go
//! stale.

use clap::{Arg, ArgAction, Command, CommandFactory as _};
use serde_json::{Map, Value, json};

use crate::flags::Cli;

/// Flags under a heading of rules that are none of a file.
const NOT_IN_FILES: [&str; 2] = ["rules", "dry-run"];

/// The flags of rules, each with what a file may say for it.
fn schema() -> Value {
    let mut command = Cli::command();
    command.build();
    let transform = command.find_subcommand("transform").expect("there is such a command");
    let properties: Map<String, Value> =
        rule_flags(transform).map(|flag| (flag.get_long().unwrap_or_default().to_owned(), property(flag))).collect();
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Rules of hubmill transform",
        "description": "A file for `hubmill transform --rules FILE`: a key is the long flag's name without --.",
        "type": "object",
        "additionalProperties": false,
        "properties": properties,
    })
}

fn rule_flags(transform: &Command) -> impl Iterator<Item = &Arg> {
    transform.get_arguments().filter(|flag| {
        flag.get_help_heading().is_some_and(|heading| heading.starts_with("Rules"))
            && !NOT_IN_FILES.contains(&flag.get_long().unwrap_or_default())
    })
}

fn property(flag: &Arg) -> Value {
    let words: Vec<String> = flag
        .get_possible_values()
        .iter()
        .filter(|value| !value.is_hide_set())
        .map(|value| value.get_name().to_owned())
        .collect();
    let text = json!({"type": "string"});
    let mut property = match flag.get_action() {
        ArgAction::SetTrue => json!({"type": "boolean"}),
        ArgAction::Append => json!({"oneOf": [text, {"type": "array", "items": text}]}),
        _ if flag.get_long() == Some("key-bytes") => json!({"type": "integer", "minimum": 16, "maximum": 64}),
        _ if flag.get_num_args().is_some_and(|count| count.min_values() == 0) => {
            json!({"oneOf": [{"type": "boolean"}, {"enum": words}]})
        }
        _ if words.is_empty() => text,
        _ => json!({"enum": words}),
    };
    let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
    property["description"] = help.split_whitespace().collect::<Vec<_>>().join(" ").into();
    property
}

#[test]
fn the_schema_in_docs_is_that_of_the_flags() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/rules.schema.json");
    let want = format!("{:#}\n", schema());
    if std::env::var_os("HUBMILL_UPDATE_SCHEMA").is_some() {
        std::fs::write(path, &want).expect("the file can be written");
    }
    let found = std::fs::read_to_string(path).expect("docs/rules.schema.json");
    assert!(found == want, "HUBMILL_UPDATE_SCHEMA=1 cargo test --bin hubmill writes docs/rules.schema.json anew");
}

#[test]
fn every_key_of_the_schema_is_read_and_no_other() {
    let schema = schema();
    let properties = schema["properties"].as_object().expect("an object");
    assert!(properties.len() >= 30, "{}", properties.len());
    for (key, property) in properties {
        let value = match (property["type"].as_str(), property["enum"].as_array(), property["oneOf"].as_array()) {
            (Some("boolean"), ..) => "true".to_owned(),
            (Some("integer"), ..) => "32".to_owned(),
            (_, Some(words), _) => words[0].to_string(),
            (_, _, Some(kinds)) if kinds[0]["type"] == "boolean" => kinds[1]["enum"][0].to_string(),
            _ if key == "allow" => "[\"device-scope\"]".to_owned(),
            _ => "\"x\"".to_owned(),
        };
        assert_eq!(crate::rules_file::read_keys(&format!("{key} = {value}\n")), Ok(()), "{key}");
        assert!(crate::rules_file::read_keys(&format!("{key}-x = {value}\n")).is_err());
    }
    let error = crate::rules_file::read_keys("no-such-key = 1").expect_err("no key");
    let is_key =
        |part: &&str| !part.is_empty() && part.chars().all(|letter| letter.is_ascii_lowercase() || letter == '-');
    for key in error.split('`').filter(is_key) {
        let known = properties.contains_key(key) || ["no-such-key", "identity-only"].contains(&key);
        assert!(known, "{key} is read and is not in the schema");
    }
}
