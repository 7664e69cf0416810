//! The tree of an expression.

use std::collections::HashSet;

use super::number::Arithmetic;

/// Lists of texts that are longer than this are looked up and not gone through.
const LISTED_MIN: usize = 9;

/// An expression.
#[derive(Debug)]
pub(super) enum Expression {
    Literal(Literal),
    /// A number among the condition's paths.
    Path(usize),
    Not(Box<Expression>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
    Compare(Comparison, Box<Expression>, Box<Expression>),
    In {
        value: Box<Expression>,
        list: List,
        negated: bool,
    },
    Calculate(Arithmetic, Box<Expression>, Box<Expression>),
    Test(Test, Box<Expression>),
    Search(Search, Box<Expression>, Box<Expression>),
}

impl Expression {
    /// Counts paths from `offset` on.
    pub(super) fn shift_paths(&mut self, offset: usize) {
        match self {
            Self::Literal(_) => {}
            Self::Path(number) => *number += offset,
            Self::Not(inner) | Self::Test(_, inner) => inner.shift_paths(offset),
            Self::And(all) | Self::Or(all) => all.iter_mut().for_each(|inner| inner.shift_paths(offset)),
            Self::Compare(_, left, right) | Self::Calculate(_, left, right) | Self::Search(_, left, right) => {
                left.shift_paths(offset);
                right.shift_paths(offset);
            }
            Self::In { value, list, .. } => {
                value.shift_paths(offset);
                if let List::Values(values) = list {
                    values.iter_mut().for_each(|inner| inner.shift_paths(offset));
                }
            }
        }
    }
}

/// What stands after IN and NIN.
#[derive(Debug)]
pub(super) enum List {
    Values(Vec<Expression>),
    Texts(HashSet<Box<[u8]>>),
}

impl List {
    /// Of what stands there; many texts are looked up and not gone through.
    pub(super) fn of(list: Vec<Expression>) -> Self {
        let is_text = |item: &Expression| matches!(item, Expression::Literal(Literal::Text(_)));
        if list.len() < LISTED_MIN || !list.iter().all(is_text) {
            return Self::Values(list);
        }
        let texts = list.into_iter().filter_map(|item| match item {
            Expression::Literal(Literal::Text(text)) => Some(text),
            _ => None,
        });
        Self::Texts(texts.collect())
    }
}

/// A constant.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Literal {
    Undefined,
    Null,
    Bool(bool),
    Number(Box<[u8]>),
    Whole(i128),
    Text(Box<[u8]>),
}

/// `=`, `!=` and so on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Test {
    Defined,
    Null,
    Bool,
    Number,
    Text,
    Object,
    Array,
    Primitive,
}

/// What is in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Search {
    Start,
    End,
    Anywhere,
}
