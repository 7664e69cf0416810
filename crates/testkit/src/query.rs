//! Responsible for: conditions of `--where` as trees that are made at random, written as text and asked of a line slowly,
//! from docs/QUERY.md. Not for: reading their text; that is what is tested.

use crate::json::{Json, Object};
use crate::oracle::read_enum;
use crate::rules::{AUTHENTICATION_TYPES, IMPORT_MODES};
use std::cmp::Ordering;

/// A choice of a number below a bound.
pub type Pick<'p> = &'p mut dyn FnMut(usize) -> usize;

/// An expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Query {
    /// The text of a constant, and its value.
    Constant(String, Value),
    /// The text of a path, and its names in a line.
    Path(String, Vec<String>),
    /// NOT
    Not(Box<Query>),
    /// AND
    And(Vec<Query>),
    /// OR
    Or(Vec<Query>),
    /// `=`, `!=`, `<>`, `<`, `<=`, `>`, `>=`
    Compare(&'static str, Box<Query>, Box<Query>),
    /// IN, or NIN
    In(Box<Query>, Vec<Query>, bool),
    /// `+`, `-`, `*`, `/`, `%`
    Calculate(&'static str, Box<Query>, Box<Query>),
    /// A function of one or two arguments.
    Call(&'static str, Vec<Query>),
}

/// What an expression is for a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// undefined
    Undefined,
    /// null
    Null,
    /// true, false
    Bool(bool),
    /// A number as it is spelt.
    Number(String),
    /// The code points of a text; half a character is one, too.
    Text(Vec<u32>),
    /// Some array.
    Array,
    /// Some object.
    Object,
}

const PATHS: [(&str, &[&str]); 20] = [
    ("tags.a", &["tags", "a"]),
    ("tags.b", &["tags", "b"]),
    ("tags.a.b", &["tags", "a", "b"]),
    ("tags.[[a.b]]", &["tags", "a.b"]),
    ("tags['a.b'].c", &["tags", "a.b", "c"]),
    ("TAGS.$c", &["tags", "$c"]),
    ("properties.desired.a", &["properties", "desired", "a"]),
    ("properties.reported.[[a]].b", &["properties", "reported", "a", "b"]),
    ("deviceId", &["id"]),
    ("moduleId", &["moduleId"]),
    ("status", &["status"]),
    ("importMode", &["importMode"]),
    ("authenticationType", &["authentication", "type"]),
    ("authentication.symmetricKey.primaryKey", &["authentication", "symmetricKey", "primaryKey"]),
    ("x509Thumbprint", &["authentication", "x509Thumbprint"]),
    ("capabilities.iotEdge", &["capabilities", "iotEdge"]),
    ("etag", &["eTag"]),
    ("[[z]]", &["z"]),
    ("[[z]].a", &["z", "a"]),
    ("tags", &["tags"]),
];
const NUMBERS: [&str; 12] =
    ["0", "1", "2", "-1", "1.0", "1e0", "0.5", "9007199254740993", "9007199254740992", "1e400", "10", "-0.0"];
const TEXTS: [(&str, &str); 9] = [
    ("''", ""),
    ("'a'", "a"),
    ("\"b\"", "b"),
    ("'ab'", "ab"),
    ("'\\u0061'", "a"),
    ("'\\''", "'"),
    ("'é'", "é"),
    ("\"\\\\\"", "\\"),
    ("'🚀'", "🚀"),
];
const TESTS: [&str; 8] =
    ["is_defined", "is_null", "IS_BOOL", "is_number", "is_string", "Is_Object", "is_array", "is_primitive"];
const SEARCHES: [&str; 5] = ["startswith", "ENDSWITH", "contains", "starts_with", "ends_with"];

fn one_of<T: Copy>(pick: Pick<'_>, all: &[T]) -> T {
    all[pick(all.len())]
}

impl Query {
    /// A condition made at random, at most so many levels deep.
    pub fn random(pick: Pick<'_>, depth: usize) -> Self {
        let kind = if depth == 0 { 4 + pick(6) } else { pick(10) };
        match kind {
            0 => Self::Not(Box::new(Self::random(pick, depth - 1))),
            1 => Self::And((0..2 + pick(2)).map(|_| Self::random(pick, depth - 1)).collect()),
            2 => Self::Or((0..2 + pick(2)).map(|_| Self::random(pick, depth - 1)).collect()),
            3 => {
                let inner = Self::random(pick, depth - 1);
                Self::Compare("=", Box::new(inner), Box::new(Self::Constant("true".to_owned(), Value::Bool(true))))
            }
            4 => Self::Call(one_of(pick, &TESTS), vec![Self::operand(pick, 1)]),
            5 => Self::Call(one_of(pick, &SEARCHES), vec![Self::operand(pick, 1), Self::operand(pick, 0)]),
            6 => {
                let count = if pick(4) == 0 { 9 + pick(3) } else { 1 + pick(3) };
                let only_texts = pick(2) == 0;
                let left = Self::path(pick);
                let items =
                    (0..count).map(|_| if only_texts { Self::text_constant(pick) } else { Self::constant(pick) });
                Self::allowed_in(left, items.collect(), pick(2) == 0)
            }
            _ => {
                let operator = one_of(pick, &["=", "=", "!=", "<>", "<", "<=", ">", ">="]);
                let (left, right) = (Self::operand(pick, 1), Self::operand(pick, 1));
                Self::allowed_comparison(operator, left, right)
            }
        }
    }

    /// Words that can never be in such a member are refused, and so are some comparisons with null: others in their place.
    fn allowed_comparison(operator: &'static str, left: Self, right: Self) -> Self {
        let wordy =
            |query: &Self| matches!(query, Self::Path(text, _) if query.words().is_some() && !text.starts_with('['));
        let refused = |one: &Self, other: &Self| match one {
            Self::Constant(_, Value::Null) => operator != "=",
            Self::Constant(..) => wordy(other),
            _ => false,
        };
        if refused(&left, &right) || refused(&right, &left) {
            let word = |query: &Self| query.words().map(|(text, words)| (text, words[words.len() - 1]));
            return match word(&left).or(word(&right)) {
                Some((path, word)) => Self::Compare(
                    "!=",
                    Box::new(path),
                    Box::new(Self::Constant(format!("'{}'", word.to_uppercase()), Value::of_text(word))),
                ),
                None => Self::Compare("=", Box::new(left), Box::new(right)),
            };
        }
        Self::Compare(operator, Box::new(left), Box::new(right))
    }

    fn allowed_in(left: Self, items: Vec<Self>, negated: bool) -> Self {
        match left.words() {
            Some((_, words)) => {
                let items = words.iter().take(2).map(|word| Self::Constant(format!("'{word}'"), Value::of_text(word)));
                let items = items.collect();
                Self::In(Box::new(left), items, negated)
            }
            None => Self::In(Box::new(left), items, negated),
        }
    }

    /// The path and the words that may stand there, where it is one of a member that holds a few.
    fn words(&self) -> Option<(Self, &'static [&'static str])> {
        let Self::Path(text, names) = self else { return None };
        if text.starts_with('[') {
            return None;
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let words: &[&str] = match names.as_slice() {
            ["status"] => &["enabled", "disabled"],
            ["importMode"] => &IMPORT_MODES,
            ["authentication", "type"] => &AUTHENTICATION_TYPES,
            _ => return None,
        };
        Some((self.clone(), words))
    }

    fn operand(pick: Pick<'_>, depth: usize) -> Self {
        match pick(if depth == 0 { 6 } else { 8 }) {
            0..3 => Self::path(pick),
            3..6 => Self::constant(pick),
            _ => {
                let operator = one_of(pick, &["+", "-", "*", "/", "%"]);
                let (left, right) = (Self::operand(pick, 0), Self::operand(pick, 0));
                Self::Calculate(operator, Box::new(left), Box::new(right))
            }
        }
    }

    fn path(pick: Pick<'_>) -> Self {
        let (text, names) = one_of(pick, &PATHS);
        Self::Path(text.to_owned(), names.iter().map(|name| (*name).to_owned()).collect())
    }

    fn text_constant(pick: Pick<'_>) -> Self {
        let (text, value) = one_of(pick, &TEXTS);
        Self::Constant(text.to_owned(), Value::of_text(value))
    }

    fn constant(pick: Pick<'_>) -> Self {
        match pick(8) {
            0 => Self::Constant("null".to_owned(), Value::Null),
            1 => Self::Constant("True".to_owned(), Value::Bool(true)),
            2 => Self::Constant("false".to_owned(), Value::Bool(false)),
            3 => Self::Constant("0x0A".to_owned(), Value::Number("10".to_owned())),
            4 | 5 => {
                let number = one_of(pick, &NUMBERS);
                Self::Constant(number.to_owned(), Value::Number(number.to_owned()))
            }
            _ => Self::text_constant(pick),
        }
    }

    /// The text: parentheses only where they are needed.
    #[must_use]
    pub fn text(&self) -> String {
        self.text_within(0)
    }

    /// How strongly it binds.
    fn strength(&self) -> u8 {
        match self {
            Self::Or(_) => 1,
            Self::And(_) => 2,
            Self::Not(_) => 3,
            Self::Compare(..) | Self::In(..) => 4,
            Self::Calculate("+" | "-", ..) => 5,
            Self::Calculate(..) => 6,
            Self::Constant(text, _) if text.starts_with('-') => 7,
            Self::Constant(..) | Self::Path(..) | Self::Call(..) => 8,
        }
    }

    fn text_within(&self, least: u8) -> String {
        let join = |all: &[Self], word: &str, least| {
            all.iter().map(|one| one.text_within(least)).collect::<Vec<_>>().join(word)
        };
        let text = match self {
            Self::Constant(text, _) | Self::Path(text, _) => text.clone(),
            Self::Not(inner) => format!("NOT {}", inner.text_within(3)),
            Self::And(all) => join(all, " and ", 3),
            Self::Or(all) => join(all, "\tOR ", 2),
            Self::Compare(operator, left, right) => {
                format!("{}{operator} {}", left.text_within(5), right.text_within(5))
            }
            Self::In(value, items, negated) => {
                let word = if *negated { "NIN" } else { "in" };
                format!("{} {word}[{}]", value.text_within(5), join(items, ", ", 5))
            }
            Self::Calculate(operator, left, right) => {
                let own = self.strength();
                format!("{} {operator} {}", left.text_within(own), right.text_within(own + 1))
            }
            Self::Call(name, arguments) => format!("{name}( {})", join(arguments, ",", 0)),
        };
        if self.strength() < least { format!("({text})") } else { text }
    }

    /// The members at the top of a line that it reads.
    #[must_use]
    pub fn members(&self) -> Vec<&str> {
        match self {
            Self::Constant(..) => Vec::new(),
            Self::Path(_, names) => vec![names[0].as_str()],
            Self::Not(inner) => inner.members(),
            Self::And(all) | Self::Or(all) | Self::Call(_, all) => all.iter().flat_map(Self::members).collect(),
            Self::Compare(_, left, right) | Self::Calculate(_, left, right) => {
                left.members().into_iter().chain(right.members()).collect()
            }
            Self::In(value, items, _) => {
                value.members().into_iter().chain(items.iter().flat_map(Self::members)).collect()
            }
        }
    }

    /// What it is for a line.
    ///
    /// # Errors
    /// The code of a line that can't be asked.
    pub fn value(&self, line: &Object) -> Result<Value, Faults> {
        match self {
            Self::Constant(_, value) => Ok(value.clone()),
            Self::Path(text, names) => value_at(line, names, self.words().is_some() && !text.starts_with('[')),
            Self::Not(inner) => Ok(Value::of_truth(inner.value(line)?.truth().map(|truth| !truth))),
            Self::And(all) => together(all, line, false),
            Self::Or(all) => together(all, line, true),
            Self::Compare(operator, left, right) => {
                let (left, right) = (left.value(line)?, right.value(line)?);
                Ok(Value::of_truth(compare(operator, &left, &right)))
            }
            Self::In(value, items, negated) => {
                let value = value.value(line)?;
                let mut found = Some(false);
                for item in items {
                    match compare("=", &value, &item.value(line)?) {
                        Some(true) => {
                            found = Some(true);
                            break;
                        }
                        Some(false) => {}
                        None => found = None,
                    }
                }
                Ok(Value::of_truth(found.map(|found| found != *negated)))
            }
            Self::Calculate(operator, left, right) => Ok(match (left.value(line)?, right.value(line)?) {
                (Value::Number(left), Value::Number(right)) => calculate(operator, &left, &right),
                _ => Value::Undefined,
            }),
            Self::Call(name, arguments) => {
                let values = arguments.iter().map(|argument| argument.value(line)).collect::<Result<Vec<_>, _>>()?;
                Ok(call(&name.to_ascii_lowercase(), &values))
            }
        }
    }

    /// Whether it holds for a line.
    ///
    /// # Errors
    /// The code of a line that can't be asked.
    pub fn holds(&self, line: &Object) -> Result<bool, Faults> {
        Ok(self.value(line)? == Value::Bool(true))
    }
}

/// AND (false decides) and OR (true decides), from left to right.
fn together(all: &[Query], line: &Object, decisive: bool) -> Result<Value, Faults> {
    let mut undefined = false;
    for one in all {
        match one.value(line)?.truth() {
            Some(truth) if truth == decisive => return Ok(Value::Bool(decisive)),
            Some(_) => {}
            None => undefined = true,
        }
    }
    Ok(if undefined { Value::Undefined } else { Value::Bool(!decisive) })
}

impl Value {
    fn of_text(text: &str) -> Self {
        Self::Text(text.chars().map(u32::from).collect())
    }

    fn of_truth(truth: Option<bool>) -> Self {
        truth.map_or(Self::Undefined, Self::Bool)
    }

    fn truth(&self) -> Option<bool> {
        if let Self::Bool(truth) = self { Some(*truth) } else { None }
    }

    fn of(json: &Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(*value),
            Json::Number(spelling) => Self::Number(spelling.clone()),
            Json::String(text) => {
                let decoded = char::decode_utf16(text.units());
                Self::Text(
                    decoded
                        .map(|unit| unit.map_or_else(|half| u32::from(half.unpaired_surrogate()), u32::from))
                        .collect(),
                )
            }
            Json::Array(_) => Self::Array,
            Json::Object(_) | Json::Fresh => Self::Object,
        }
    }
}

/// Why a line can't be asked: the codes of which one is said.
pub type Faults = &'static [&'static str];

/// The names that the hub knows in an object of a line.
pub(crate) fn known_names(path: &[String]) -> Option<&'static [&'static str]> {
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match path.as_slice() {
        ["authentication"] => Some(&["symmetricKey", "x509Thumbprint", "type"]),
        ["authentication", "symmetricKey"] => Some(&["primaryKey", "secondaryKey"]),
        ["authentication", "x509Thumbprint"] => Some(&["primaryThumbprint", "secondaryThumbprint"]),
        ["properties"] => Some(&["desired", "reported"]),
        ["capabilities"] => Some(&["iotEdge"]),
        _ => None,
    }
}

fn value_at(line: &Object, names: &[String], is_word: bool) -> Result<Value, Faults> {
    let mut object = line;
    for (depth, name) in names.iter().enumerate() {
        if let Some(known) = known_names(&names[..depth]) {
            let is_variant = known.contains(&name.as_str()) && object.has_case_variant(&[name]);
            match (object.has_duplicates(), is_variant) {
                (true, true) => return Err(&["duplicate-member", "member-case"]),
                (true, false) => return Err(&["duplicate-member"]),
                (false, true) => return Err(&["member-case"]),
                (false, false) => {}
            }
        }
        match object.get(name) {
            Some(value) if depth + 1 == names.len() => {
                return Ok(if is_word { word(names, value) } else { Value::of(value) });
            }
            Some(Json::Object(inner)) => object = inner,
            _ => return Ok(Value::Undefined),
        }
    }
    Ok(Value::Undefined)
}

/// A word of the hub as it is meant.
fn word(names: &[String], value: &Json) -> Value {
    let words: &[&str] = match names[0].as_str() {
        "status" => &["enabled", "disabled"],
        "importMode" => &IMPORT_MODES,
        _ => &AUTHENTICATION_TYPES,
    };
    read_enum(Some(value), words, 0).map_or_else(|| Value::of(value), |index| Value::of_text(words[index]))
}

/// Sign, digits without zeros around them, and where the point is before the first of them.
fn normal(spelling: &str) -> (bool, String, i128) {
    let (mantissa, exponent) = spelling.split_once(['e', 'E']).unwrap_or((spelling, "0"));
    let negative = mantissa.starts_with('-');
    let (whole, fraction) =
        mantissa.trim_start_matches('-').split_once('.').unwrap_or((mantissa.trim_start_matches('-'), ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0');
    let zeros = (digits.len() - significant.len()) as i128;
    let significant = significant.trim_end_matches('0');
    let exponent: i128 = exponent.trim_start_matches('+').parse().unwrap_or(0);
    if significant.is_empty() {
        return (false, String::new(), 0);
    }
    (negative, significant.to_owned(), whole.len() as i128 - zeros + exponent)
}

fn compare_numbers(one: &str, other: &str) -> Ordering {
    let (one, other) = (normal(one), normal(other));
    let size = |left: &(bool, String, i128), right: &(bool, String, i128)| match (left.1.is_empty(), right.1.is_empty())
    {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => left.2.cmp(&right.2).then_with(|| left.1.cmp(&right.1)),
    };
    match (one.0, other.0) {
        (false, false) => size(&one, &other),
        (true, true) => size(&other, &one),
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
    }
}

fn compare(operator: &str, left: &Value, right: &Value) -> Option<bool> {
    let order = match (left, right) {
        (Value::Null, Value::Null) => Ordering::Equal,
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Number(left), Value::Number(right)) => compare_numbers(left, right),
        (Value::Text(left), Value::Text(right)) => left.cmp(right),
        _ => return None,
    };
    Some(match operator {
        "=" => order == Ordering::Equal,
        "!=" | "<>" => order != Ordering::Equal,
        "<" => order == Ordering::Less,
        "<=" => order != Ordering::Greater,
        ">" => order == Ordering::Greater,
        _ => order != Ordering::Less,
    })
}

/// Whole numbers stay whole as long as they can; all others are floats.
fn calculate(operator: &str, left: &str, right: &str) -> Value {
    if let (Ok(left), Ok(right)) = (left.parse::<i128>(), right.parse::<i128>()) {
        let whole = match operator {
            "+" => left.checked_add(right),
            "-" => left.checked_sub(right),
            "*" => left.checked_mul(right),
            "/" => left.checked_div(right).filter(|quotient| quotient * right == left),
            _ => left.checked_rem(right),
        };
        if let Some(whole) = whole {
            return Value::Number(whole.to_string());
        }
    }
    let (left, right) = (left.parse().unwrap_or(f64::NAN), right.parse().unwrap_or(f64::NAN));
    let result: f64 = match operator {
        "+" => left + right,
        "-" => left - right,
        "*" => left * right,
        "/" => left / right,
        _ => left % right,
    };
    if result.is_finite() { Value::Number(format!("{result:e}")) } else { Value::Undefined }
}

fn call(name: &str, values: &[Value]) -> Value {
    let first = &values[0];
    let is = match name {
        "is_defined" => *first != Value::Undefined,
        "is_null" => *first == Value::Null,
        "is_bool" => matches!(first, Value::Bool(_)),
        "is_number" => matches!(first, Value::Number(_)),
        "is_string" => matches!(first, Value::Text(_)),
        "is_object" => *first == Value::Object,
        "is_array" => *first == Value::Array,
        "is_primitive" => !matches!(first, Value::Undefined | Value::Array | Value::Object),
        _ => {
            let (Value::Text(text), Value::Text(part)) = (first, &values[1]) else { return Value::Undefined };
            match name.replace('_', "").as_str() {
                "startswith" => text.starts_with(part),
                "endswith" => text.ends_with(part),
                _ => part.is_empty() || text.windows(part.len()).any(|window| window == part.as_slice()),
            }
        }
    };
    Value::Bool(is)
}
