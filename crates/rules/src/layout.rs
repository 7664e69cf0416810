//! What follows from the names of a line, worked out once for all lines of a form.

use hubmill_parser::{Form, MemberTokens, Record};

use crate::authentication::{Depth, Inside};
use crate::finding::Finding;
use crate::names::{Names, Strictness};
use crate::recipe::Recipes;

/// Layouts kept; one more takes the place of another.
const KEPT: usize = 1024;

/// What is known of a line before its values are read.
#[derive(Debug, Default)]
struct Layout {
    /// The number of its form; 0 where it is good for one line only.
    form: u64,
    names: Names,
    /// What is inside of `authentication`, where that was asked for.
    authentication: Option<(Depth, Inside<MemberTokens>)>,
    recipes: Recipes,
}

/// The layouts of the lines that were met. Reused from record to record.
#[derive(Debug)]
pub(crate) struct Layouts {
    /// The first is for lines without a form. There is none where no line has asked for it yet.
    all: Vec<Option<Box<Layout>>>,
    current: usize,
}

/// Where the layout of a form of this number is kept.
#[inline]
fn place_of(form: u64) -> usize {
    1 + form as usize % KEPT
}

impl Default for Layouts {
    fn default() -> Self {
        Self { all: (0..=KEPT).map(|_| None).collect(), current: 0 }
    }
}

impl Layouts {
    /// Looks at the names of a record; the first fault that `strictness` forbids. From one call to the next `strictness`
    /// has to stay the same.
    #[inline]
    pub(crate) fn read(&mut self, record: &Record<'_>, strictness: Strictness) -> Result<(), Finding> {
        let form = record.form().map_or(0, |form| form.number());
        self.current = if form == 0 { 0 } else { place_of(form) };
        if form != 0 && self.all[self.current].as_ref().is_some_and(|layout| layout.form == form) {
            return Ok(());
        }
        self.read_anew(record, strictness, form)
    }

    fn read_anew(&mut self, record: &Record<'_>, strictness: Strictness, form: u64) -> Result<(), Finding> {
        let layout = self.all[self.current].get_or_insert_default();
        // Until all is well, it is good for this line only.
        layout.form = 0;
        layout.authentication = None;
        layout.recipes.clear();
        layout.names.read(record, strictness)?;
        layout.form = form;
        Ok(())
    }

    /// The layout of the record that was read last.
    #[inline]
    fn current(&self) -> &Layout {
        self.all[self.current].as_ref().expect("a record was read")
    }

    /// The names of the record that was read last.
    #[inline]
    pub(crate) fn names(&self) -> &Names {
        &self.current().names
    }

    /// The recipes for lines of this form; `None` where none was read yet, or its names have a fault.
    #[inline]
    pub(crate) fn recipes(&self, form: Form) -> Option<&Recipes> {
        let layout = self.all[place_of(form.number())].as_ref()?;
        (layout.form == form.number()).then_some(&layout.recipes)
    }

    /// Those for the form of the record that was read last, to add to; `None` where it has none.
    pub(crate) fn recipes_mut(&mut self) -> Option<&mut Recipes> {
        let layout = self.all[self.current].as_mut()?;
        (layout.form != 0).then_some(&mut layout.recipes)
    }

    /// What was kept of the inside of `authentication`, as far as `depth`.
    #[inline]
    pub(crate) fn authentication(&self, depth: Depth) -> Option<&Inside<MemberTokens>> {
        let layout = self.current();
        layout.authentication.as_ref().filter(|(kept, _)| layout.form != 0 && *kept == depth).map(|(_, inside)| inside)
    }

    /// Keeps what is inside of `authentication` for the lines of the same form.
    pub(crate) fn keep_authentication(&mut self, depth: Depth, inside: Inside<MemberTokens>) {
        if let Some(layout) = &mut self.all[self.current] {
            layout.authentication = Some((depth, inside));
        }
    }
}
