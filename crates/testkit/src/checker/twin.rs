//! Responsible for: tags, desired and reported properties (§3.6).

use super::{Line, check_names, decoded, repeats};
use crate::json::{Json, Object, Text};

pub(super) fn check_twin(line: &mut Line<'_>) {
    match line.get("tags").cloned() {
        None | Some(Json::Null) => {}
        Some(Json::Object(tags)) => check_section(line, &tags, "tags-size", 8192),
        Some(_) => line.error("member-type"),
    }
    let properties = match line.get("properties").cloned() {
        None | Some(Json::Null) => return,
        Some(Json::Object(properties)) => properties,
        Some(_) => return line.error("member-type"),
    };
    check_names(line, &properties, &["desired", "reported"], true);
    // Where a section stands twice, both are looked at.
    for member in &properties.members {
        let (code, max) = match () {
            () if member.name.is("desired") => ("desired-size", 32768),
            () if member.name.is("reported") => ("reported-size", 32768),
            () => continue,
        };
        match &member.value {
            Json::Null => {}
            Json::Object(section) => check_section(line, section, code, max),
            _ => line.error("member-type"),
        }
    }
}

/// A size in characters and in bytes of UTF-8.
#[derive(Default, Clone, Copy)]
struct Size(usize, usize);

impl Size {
    fn add(&mut self, characters: impl Iterator<Item = char>) {
        for character in characters {
            self.0 += 1;
            self.1 += character.len_utf8();
        }
    }

    fn add_number(&mut self, count: usize) {
        self.0 += count;
        self.1 += count;
    }
}

fn is_control(character: &char) -> bool {
    matches!(u32::from(*character), 0..0x20 | 0x80..0xa0)
}

fn check_section(line: &mut Line<'_>, section: &Object, code: &'static str, max: usize) {
    let mut size = Size::default();
    let counted = section.members.iter().filter(|member| !member.name.is("$metadata") && !member.name.is("$version"));
    for member in counted {
        check_key(line, &member.name, &mut size);
        check_value(line, &member.value, 1, &mut size);
    }
    // The hub's own members are no business of a check, but that a section has a name twice is.
    if repeats(section) {
        line.warning("duplicate-member");
    }
    if size.0 > max {
        line.error(code);
    } else if size.1 > max {
        line.warning(code);
    }
}

fn check_key(line: &mut Line<'_>, key: &Text, size: &mut Size) {
    let characters = decoded(key);
    let refused = |character: &char| ".$#".contains(*character) || character.is_control() || character.is_whitespace();
    if characters.iter().any(refused) {
        line.error("twin-key-charset");
    }
    if characters.iter().map(|character| character.len_utf8()).sum::<usize>() > 1024 {
        line.error("twin-key-length");
    }
    size.add(characters.into_iter().filter(|character| !is_control(character)));
}

/// `depth` is the level that an object or array here has: 1 right below the section.
fn check_value(line: &mut Line<'_>, value: &Json, depth: usize, size: &mut Size) {
    match value {
        Json::Null => line.warning("twin-null"),
        Json::Bool(_) => size.add_number(4),
        Json::Number(number) => {
            size.add_number(8);
            if let Ok(integer) = number.parse::<i128>() {
                if !(-(1 << 52)..1 << 52).contains(&integer) {
                    line.error("twin-integer-range");
                }
            } else if number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
                // Larger than any integer of the machine.
                line.error("twin-integer-range");
            }
        }
        Json::String(text) => {
            let characters = decoded(text);
            if characters.len() > 4096 {
                line.error("twin-string-length");
            } else if characters.iter().map(|character| character.len_utf8()).sum::<usize>() > 4096 {
                line.warning("twin-string-length");
            }
            size.add(characters.into_iter().filter(|character| !is_control(character)));
        }
        Json::Array(array) => {
            check_depth(line, depth);
            for item in &array.items {
                check_value(line, &item.value, depth + 1, size);
            }
        }
        Json::Object(object) => {
            check_depth(line, depth);
            if repeats(object) {
                line.warning("duplicate-member");
            }
            for member in &object.members {
                check_key(line, &member.name, size);
                check_value(line, &member.value, depth + 1, size);
            }
        }
        Json::Fresh => {}
    }
}

fn check_depth(line: &mut Line<'_>, depth: usize) {
    if depth > 10 {
        line.error("twin-depth");
    }
}
