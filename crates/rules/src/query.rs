//! `--where`: the WHERE clause of the hub's query language, over a line.
//!
//! docs/QUERY.md says what the language is and where its documentation is silent. [`Condition::parse`] reads an expression once;
//! it is then asked of each record, over the record's spans: no tree, and nothing is allocated but for texts with escapes.

mod evaluate;
mod expression;
mod names;
mod number;
mod parse;
mod places;

use hubmill_device::{MemberSet, Place};
use hubmill_parser::Record;

use crate::finding::Finding;
use crate::layout::Layouts;
use crate::names::Strictness;
use crate::path::whole_path;

pub use crate::path::TextFault;
pub(crate) use names::probably_meant;
use names::{LinePath, line_path_of};
pub(crate) use places::Places;

use evaluate::Evaluation;
use expression::Expression;

/// A condition on lines.
#[derive(Debug)]
pub struct Condition {
    root: Expression,
    paths: Vec<LinePath>,
}

impl Condition {
    /// Reads an expression.
    ///
    /// # Errors
    /// What is wrong with it, and where.
    pub fn parse(text: &str) -> Result<Self, TextFault> {
        parse::parse(text)
    }

    /// The condition that both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let offset = self.paths.len();
        let mut root = other.root;
        root.shift_paths(offset);
        let paths = self.paths.into_iter().chain(other.paths).collect();
        Self { root: Expression::And(vec![self.root, root]), paths }
    }

    /// The known members that it reads: they must not be there in another case.
    pub(crate) fn members(&self) -> MemberSet {
        self.paths
            .iter()
            .filter_map(|path| path.member)
            .fold(MemberSet::EMPTY, |set, member| set | MemberSet::of(&[member]))
    }

    /// Whether it holds for a record whose names were read into `layouts`.
    #[inline]
    pub(crate) fn holds(&self, layouts: &Layouts, places: &mut Places, record: &Record<'_>) -> Result<bool, Finding> {
        let mut evaluation = Evaluation { paths: &self.paths, names: layouts.names(), places, record: *record };
        evaluation.holds(&self.root)
    }
}

/// A path to one member, as on the command line: `tags.site`, `deviceId`, `tags.[[odd name]]`.
#[derive(Clone, Debug)]
pub struct MemberPath(LinePath);

impl MemberPath {
    /// Reads a path. Names of the query language stand for those of a line; what the hub does not know is taken as it is.
    ///
    /// # Errors
    /// Where the text is no path, or that of something that no export holds.
    pub fn parse(text: &str) -> Result<Self, TextFault> {
        line_path_of(&whole_path(text)?, false).map(Self)
    }

    /// The names in a line, decoded.
    pub fn names(&self) -> &[Vec<u8>] {
        &self.0.names
    }
}

/// A condition for work that has no other rules.
#[derive(Debug)]
pub struct Filter {
    condition: Condition,
    strictness: Strictness,
}

/// What one thread needs to apply a [`Filter`].
#[derive(Debug, Default)]
pub struct FilterScratch {
    layouts: Layouts,
    places: Places,
}

impl Filter {
    /// Makes a condition ready.
    pub fn new(condition: Condition) -> Self {
        let strictness = Strictness { unique: true, exact: condition.members(), exact_for_edits: MemberSet::EMPTY };
        Self { condition, strictness }
    }

    /// Whether the condition holds for a record.
    ///
    /// # Errors
    /// Where the record can't be asked: a name that it reads stands twice, or in another case.
    #[inline]
    pub fn keeps(&self, scratch: &mut FilterScratch, record: &Record<'_>) -> Result<bool, Finding> {
        scratch.layouts.read(record, self.strictness)?;
        self.condition.holds(&scratch.layouts, &mut scratch.places, record)
    }
}

/// The object that a member of this name is, in an object that is known.
pub(crate) fn place_inside(place: Place, name: &[u8]) -> Option<Place> {
    match (place, name) {
        (Place::Line, b"authentication") => Some(Place::Authentication),
        (Place::Line, b"properties") => Some(Place::Properties),
        (Place::Line, b"capabilities") => Some(Place::Capabilities),
        (Place::Authentication, b"symmetricKey") => Some(Place::SymmetricKey),
        (Place::Authentication, b"x509Thumbprint") => Some(Place::Thumbprint),
        _ => None,
    }
}
