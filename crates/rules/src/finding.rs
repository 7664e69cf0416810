//! What was found in a line, and how to say it.

use std::fmt;

use hubmill_device::{Code, ID_CHARACTERS_MAX, Place, Printable, Severity, meant};
use hubmill_parser::{Anchor, FixedText, Record, Span, decode};

use crate::check::path_within;

/// One finding. It points into the chunk and owns no text, so that a million of them cost little.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is about.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// The offset of the fault's first byte from the start of the chunk.
    pub at: u32,
    /// The member it is about, as a dotted path; empty for the line as a whole.
    pub path: &'static str,
    /// The raw name that ends the path, where that is not a known one.
    pub name: Option<Span>,
    /// Where the value starts that `at` is deep inside of, and that `path` leads to.
    pub within: Option<u32>,
    /// What to say.
    pub detail: Detail,
}

impl Finding {
    /// A finding with the severity that its code has by itself.
    pub fn new(code: Code, at: u32, path: &'static str, detail: Detail) -> Self {
        Self { code, severity: code.severity(), at, path, name: None, within: None, detail }
    }

    /// The same as a warning.
    #[must_use]
    pub fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    pub(crate) fn named(mut self, name: Span) -> Self {
        self.name = Some(name);
        self
    }

    pub(crate) fn within(mut self, value: u32) -> Self {
        self.within = Some(value);
        self
    }

    /// What ends the path and is no known name: decoded, and it may be anything.
    pub fn path_end(&self, chunk: &[u8]) -> Option<Vec<u8>> {
        match (self.within, self.name) {
            (Some(value), _) => Some(path_within(chunk, value, self.at).into_bytes()),
            (None, name) => name.map(|name| decode(name.of(chunk)).into_owned()),
        }
    }
}

/// What is found in every line of a form that has certain values.
#[derive(Clone, Copy, Debug)]
pub struct PlannedFinding {
    at: Anchor,
    finding: Finding,
}

impl PlannedFinding {
    /// A finding about a record, if the same can be said of others: where it is in the fixed text, and what is said names no
    /// value.
    fn new(record: &Record<'_>, finding: &Finding) -> Option<Self> {
        let is_fixed = matches!(finding.detail, Detail::Text(_)) && finding.name.is_none() && finding.within.is_none();
        Some(Self { at: record.anchor(finding.at)?, finding: *finding }).filter(|_| is_fixed)
    }

    /// All of these, if the same can be said of others.
    pub(crate) fn all(record: &Record<'_>, findings: &[Finding]) -> Option<Vec<Self>> {
        findings.iter().map(|finding| Self::new(record, finding)).collect()
    }

    /// What it is about.
    #[inline]
    pub fn code(&self) -> Code {
        self.finding.code
    }

    /// How bad it is.
    #[inline]
    pub fn severity(&self) -> Severity {
        self.finding.severity
    }

    /// The finding, about this line.
    #[inline]
    pub fn of(&self, text: &FixedText<'_>) -> Finding {
        Finding { at: text.place(self.at), ..self.finding }
    }
}

/// What to say about a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// A fixed sentence.
    Text(&'static str),
    /// JSON that is not as it should be: what was expected, and the byte that was found, if the line went on.
    Json {
        /// In words.
        expected: &'static str,
        /// The byte there.
        found: Option<u8>,
    },
    /// Deeper than this.
    Depth(usize),
    /// Longer than this many bytes.
    LineBytes(usize),
    /// A name that stands twice.
    Twice,
    /// A name in another case than this one.
    CaseOf(&'static str),
    /// A value that is not what it should be: what was expected.
    Type(&'static str),
    /// A character that an id can't have.
    IdCharacter {
        /// The character.
        character: char,
        /// Its place, counted in characters from 0.
        at: usize,
    },
    /// An id of this many characters.
    IdLength(usize),
    /// A character that a module's id can't have.
    ModuleIdCharacter {
        /// The character.
        character: char,
        /// Its place, counted in characters from 0.
        at: usize,
    },
    /// A module's id of this many characters.
    ModuleIdLength(usize),
    /// A member that the hub does not know, in this object.
    Unknown(Place),
    /// An enum value that is not as the hub writes it: this way.
    Enum(&'static str),
    /// A text or name that is too long.
    Long {
        /// What is counted: `characters`, `bytes`.
        unit: &'static str,
        /// How many there are.
        count: usize,
        /// How many the hub takes.
        max: usize,
    },
    /// A section of a twin that is too large.
    Size {
        /// In characters.
        characters: u64,
        /// In bytes of UTF-8.
        bytes: u64,
        /// What the hub takes.
        max: u64,
    },
    /// A character that a twin's name can't have.
    KeyCharacter(char),
    /// The line is a JSON array.
    LineArray,
    /// The whole input is one JSON array.
    OneArray,
    /// An object over several lines.
    SpreadObject,
}

impl Detail {
    /// What could be done, on a line of its own.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::IdCharacter { .. } => {
                Some("allowed are ASCII letters, digits and - : . + % _ # * ? ! ( ) , = @ ; $ '")
            }
            Self::Twice => Some("readers differ in which of the two counts; keep one"),
            Self::CaseOf(_) => {
                Some("the hub probably takes both spellings for the same member (§1.5); use the exact name")
            }
            Self::ModuleIdCharacter { .. } => {
                Some("allowed are ASCII letters, digits and - : . + % _ # * ? ! ( ) , = @ ; $ '")
            }
            Self::KeyCharacter(_) => {
                Some("names in a twin can't have control characters, white space, '.', '$' or '#' (§3.6)")
            }
            Self::LineArray | Self::OneArray => Some("`jq -c '.[]'` makes a line of each element"),
            Self::SpreadObject => Some("`jq -c .` makes a line of each object"),
            Self::Unknown(_) => Some("the hub passes over names that it does not know (§1.5): what they say is lost"),
            Self::Depth(_) => Some("--max-depth N accepts deeper nesting"),
            Self::LineBytes(_) => Some("--max-line-bytes N accepts longer lines"),
            _ => None,
        }
    }
}

/// A finding as a sentence, with what the line says about itself.
impl Finding {
    /// The message: lower case, no full stop. `id` and `name` are decoded and may be anything.
    pub fn message(&self, id: Option<&str>, name: Option<&str>) -> String {
        struct Path<'a>(&'static str, Option<&'a str>);
        impl fmt::Display for Path<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match (self.0, self.1) {
                    (path, None) => f.write_str(path),
                    ("", Some(name)) => write!(f, "{}", Printable(name)),
                    (path, Some(name)) => write!(f, "{path}.{}", Printable(name)),
                }
            }
        }
        let path = Path(self.path, name);
        match self.detail {
            Detail::Text(text) => text.to_owned(),
            Detail::Json { expected, found: None } => format!("expected {expected}, but the line ends"),
            Detail::Json { expected, found: Some(byte) } => match byte {
                0x20..0x7f => format!("expected {expected}, found '{}'", char::from(byte)),
                _ => format!("expected {expected}, found the byte 0x{byte:02x}"),
            },
            Detail::Depth(max) => format!("nested deeper than {max} levels"),
            Detail::LineBytes(max) => format!("longer than {max} bytes"),
            Detail::Twice => format!("the member {path} stands twice"),
            Detail::CaseOf(exact) => format!("the member {path} is not {exact}, but the hub may take it for that"),
            Detail::Type(expected) => format!("{path} must be {expected}"),
            Detail::IdCharacter { character, at } => format!(
                "device id {:?} has a character that the hub refuses: '{}' at {at}",
                id.unwrap_or_default(),
                Printable(character.encode_utf8(&mut [0; 4]))
            ),
            Detail::IdLength(0) => format!("the device id is empty; it takes 1 to {ID_CHARACTERS_MAX} characters"),
            Detail::IdLength(characters) => {
                format!("the device id has {characters} characters; the hub takes at most {ID_CHARACTERS_MAX}")
            }
            Detail::ModuleIdCharacter { character, at } => format!(
                "the module id has a character that the hub refuses: '{}' at {at}",
                Printable(character.encode_utf8(&mut [0; 4]))
            ),
            Detail::ModuleIdLength(0) => {
                format!("the module id is empty; it takes 1 to {ID_CHARACTERS_MAX} characters")
            }
            Detail::ModuleIdLength(characters) => {
                format!("the module id has {characters} characters; the hub takes at most {ID_CHARACTERS_MAX}")
            }
            Detail::Unknown(place) => match name.and_then(|name| meant(place, name.as_bytes())) {
                None => format!("the hub does not know the member {path}"),
                Some(meant) => format!("the hub does not know the member {path}; {meant} was probably meant"),
            },
            Detail::Enum(canonical) => format!("{path} should be \"{canonical}\", as the hub writes it"),
            Detail::Long { unit, count, max } => format!("{path} has {count} {unit}; the hub takes at most {max}"),
            Detail::Size { characters, bytes, max } if characters > max => {
                let bytes = if bytes == characters { String::new() } else { format!(" ({bytes} in bytes of UTF-8)") };
                format!("{path} counts {characters}{bytes}, {} over the {max} that the hub takes", characters - max)
            }
            Detail::Size { characters, bytes, max } => format!(
                "{path} counts {characters} in characters, but {bytes} in bytes of UTF-8; the hub takes {max}, and which of the two it \
                 counts is not known"
            ),
            Detail::LineArray => "the line is a JSON array; every line must be one device or module".to_owned(),
            Detail::OneArray => {
                "the file is a JSON array, and not a device or module on each line; nothing of it was checked"
                    .to_owned()
            }
            Detail::SpreadObject => {
                "an object over several lines, and not a device or module on each line; what else is not JSON by \
                                     itself is not named line by line"
                    .to_owned()
            }
            Detail::KeyCharacter(character) => format!(
                "the name {path} has a character that the hub refuses: '{}'",
                Printable(character.encode_utf8(&mut [0; 4]))
            ),
        }
    }
}
