//! What was found in a line, and how to say it.

use std::fmt;

use hubmill_device::{Code, ID_CHARACTERS_MAX, Printable, Severity};
use hubmill_parser::Span;

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
    /// What to say.
    pub detail: Detail,
}

impl Finding {
    /// A finding with the severity that its code has by itself.
    pub fn new(code: Code, at: u32, path: &'static str, detail: Detail) -> Self {
        Self { code, severity: code.severity(), at, path, name: None, detail }
    }

    pub(crate) fn warning(mut self) -> Self {
        self.severity = Severity::Warning;
        self
    }

    pub(crate) fn named(mut self, name: Span) -> Self {
        self.name = Some(name);
        self
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
        }
    }
}
