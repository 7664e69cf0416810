//! What an expression is for a record: a value, or undefined.

use std::borrow::Cow;
use std::cmp::Ordering;

use hubmill_parser::Record;

use super::expression::{Comparison, Expression, List, Literal, Search, Test};
use super::names::{LinePath, Words};
use super::number::Number;
use super::places::Places;
use crate::finding::Finding;
use crate::names::Names;

/// A value.
#[derive(Clone, Debug)]
enum Value<'v> {
    Undefined,
    Null,
    Bool(bool),
    Number(Number<'v>),
    Text(Cow<'v, [u8]>),
    Array,
    Object,
}

impl<'v> From<&'v Literal> for Value<'v> {
    #[inline]
    fn from(literal: &'v Literal) -> Self {
        match literal {
            Literal::Undefined => Self::Undefined,
            Literal::Null => Self::Null,
            Literal::Bool(value) => Self::Bool(*value),
            Literal::Number(text) => Self::Number(Number::Spelt(text)),
            Literal::Whole(number) => Self::Number(Number::Whole(*number)),
            Literal::Text(text) => Self::Text(Cow::Borrowed(text)),
        }
    }
}

impl Value<'_> {
    /// Whether it is true or false; `None` for undefined and for everything else.
    fn truth(&self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(*value),
            _ => None,
        }
    }

    fn of_truth(truth: Option<bool>) -> Self {
        truth.map_or(Self::Undefined, Self::Bool)
    }
}

/// A record that is asked.
pub(super) struct Evaluation<'v, 'p> {
    pub(super) paths: &'v [LinePath],
    pub(super) names: &'p Names,
    pub(super) places: &'p mut Places,
    pub(super) record: Record<'v>,
}

impl<'v> Evaluation<'v, '_> {
    /// Whether a condition holds: only true is true.
    #[inline]
    pub(super) fn holds(&mut self, expression: &'v Expression) -> Result<bool, Finding> {
        Ok(self.truth(expression)? == Some(true))
    }

    /// Three-valued: `None` is undefined.
    #[inline]
    fn truth(&mut self, expression: &'v Expression) -> Result<Option<bool>, Finding> {
        match expression {
            Expression::Not(inner) => Ok(self.truth(inner)?.map(|truth| !truth)),
            Expression::And(all) => self.all(all, false),
            Expression::Or(all) => self.all(all, true),
            Expression::Compare(comparison, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                Ok(compare(*comparison, &left, &right))
            }
            Expression::In { value, list, negated } => {
                let truth = self.is_in(value, list)?;
                Ok(truth.map(|truth| truth != *negated))
            }
            Expression::Test(test, inner) => Ok(Some(is(*test, &self.value(inner)?))),
            Expression::Search(search, text, part) => {
                let (text, part) = (self.value(text)?, self.value(part)?);
                Ok(match (text, part) {
                    (Value::Text(text), Value::Text(part)) => Some(has(*search, &text, &part)),
                    _ => None,
                })
            }
            Expression::Literal(_) | Expression::Path(_) | Expression::Calculate(..) => {
                Ok(self.value(expression)?.truth())
            }
        }
    }

    /// AND (`decisive` is false) or OR (true) over all: decided by one such value, else undefined if one is.
    fn all(&mut self, all: &'v [Expression], decisive: bool) -> Result<Option<bool>, Finding> {
        let mut undefined = false;
        for expression in all {
            match self.truth(expression)? {
                Some(truth) if truth == decisive => return Ok(Some(decisive)),
                Some(_) => {}
                None => undefined = true,
            }
        }
        Ok((!undefined).then_some(!decisive))
    }

    fn is_in(&mut self, value: &'v Expression, list: &'v List) -> Result<Option<bool>, Finding> {
        let value = self.value(value)?;
        match list {
            List::Texts(texts) => Ok(match value {
                Value::Text(text) => Some(texts.contains(text.as_ref())),
                _ => None,
            }),
            List::Values(values) => {
                let mut undefined = false;
                for item in values {
                    let item = self.value(item)?;
                    match compare(Comparison::Equal, &value, &item) {
                        Some(true) => return Ok(Some(true)),
                        Some(false) => {}
                        None => undefined = true,
                    }
                }
                Ok((!undefined).then_some(false))
            }
        }
    }

    #[inline]
    fn value(&mut self, expression: &'v Expression) -> Result<Value<'v>, Finding> {
        match expression {
            Expression::Literal(literal) => Ok(literal.into()),
            Expression::Path(number) => self.value_at(*number),
            Expression::Calculate(operator, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                Ok(match (left, right) {
                    (Value::Number(left), Value::Number(right)) => {
                        left.calculate(*operator, right).map_or(Value::Undefined, Value::Number)
                    }
                    _ => Value::Undefined,
                })
            }
            _ => Ok(Value::of_truth(self.truth(expression)?)),
        }
    }

    #[inline]
    fn value_at(&mut self, number: usize) -> Result<Value<'v>, Finding> {
        let path = &self.paths[number];
        let Some(span) = self.places.value(number, path, self.names, &self.record)? else {
            return Ok(Value::Undefined);
        };
        let raw = self.record.bytes(span);
        let value = match raw.first() {
            Some(b'"') => self.record.text(span).map_or(Value::Undefined, Value::Text),
            Some(b'{') => Value::Object,
            Some(b'[') => Value::Array,
            Some(b't') => Value::Bool(true),
            Some(b'f') => Value::Bool(false),
            Some(b'n') => Value::Null,
            _ => Value::Number(Number::Spelt(raw)),
        };
        Ok(match path.words {
            Some(words) => canonical(words, value),
            None => value,
        })
    }
}

/// One of the hub's words as it is meant; what is none of them stays as it is.
#[inline]
fn canonical(words: Words, value: Value<'_>) -> Value<'_> {
    let word = match &value {
        Value::Text(text) => words.canonical(text),
        Value::Number(Number::Spelt(text)) => words.canonical(text),
        _ => None,
    };
    match word {
        Some(word) => Value::Text(Cow::Borrowed(word.as_bytes())),
        None => value,
    }
}

/// `None`, undefined: with something undefined, between two types, and for arrays and objects.
#[inline]
fn compare(comparison: Comparison, left: &Value<'_>, right: &Value<'_>) -> Option<bool> {
    let order = match (left, right) {
        (Value::Text(left), Value::Text(right)) => match comparison {
            Comparison::Equal => return Some(left == right),
            Comparison::NotEqual => return Some(left != right),
            _ => left.cmp(right),
        },
        (Value::Number(left), Value::Number(right)) => left.compare(*right),
        (Value::Bool(left), Value::Bool(right)) => left.cmp(right),
        (Value::Null, Value::Null) => Ordering::Equal,
        _ => return None,
    };
    Some(match comparison {
        Comparison::Equal => order.is_eq(),
        Comparison::NotEqual => order.is_ne(),
        Comparison::Less => order.is_lt(),
        Comparison::LessOrEqual => order.is_le(),
        Comparison::Greater => order.is_gt(),
        Comparison::GreaterOrEqual => order.is_ge(),
    })
}

fn is(test: Test, value: &Value<'_>) -> bool {
    match test {
        Test::Defined => !matches!(value, Value::Undefined),
        Test::Null => matches!(value, Value::Null),
        Test::Bool => matches!(value, Value::Bool(_)),
        Test::Number => matches!(value, Value::Number(_)),
        Test::Text => matches!(value, Value::Text(_)),
        Test::Object => matches!(value, Value::Object),
        Test::Array => matches!(value, Value::Array),
        Test::Primitive => matches!(value, Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_)),
    }
}

fn has(search: Search, text: &[u8], part: &[u8]) -> bool {
    match search {
        Search::Start => text.starts_with(part),
        Search::End => text.ends_with(part),
        Search::Anywhere => memchr::memmem::find(text, part).is_some(),
    }
}
