//! What follows from the names of a line, worked out once for all lines of a form.

use hubmill_parser::{ByForm, Form, MemberTokens, Record};

use crate::authentication::{Depth, Inside};
use crate::finding::Finding;
use crate::names::{Names, Strictness};
use crate::recipe::Recipes;

/// What is known of a line before its values are read.
#[derive(Debug, Default)]
struct Layout {
    names: Names,
    /// What is inside of `authentication`, where that was asked for.
    authentication: Option<(Depth, Inside<MemberTokens>)>,
    recipes: Recipes,
}

/// The layouts of the lines that were met. Reused from record to record.
#[derive(Debug, Default)]
pub(crate) struct Layouts {
    /// Of forms in whose names there is no fault.
    by_form: ByForm<Option<Box<Layout>>>,
    /// The names of a record of another form, or of none.
    names: Names,
    /// The form of the record that was read last, if it is one of those.
    current: Option<Form>,
}

impl Layouts {
    /// Looks at the names of a record; the first fault that `strictness` forbids. From one call to the next `strictness`
    /// has to stay the same.
    #[inline]
    pub(crate) fn read(&mut self, record: &Record<'_>, strictness: Strictness) -> Result<(), Finding> {
        self.current = record.form().filter(|form| self.of(*form).is_some());
        if self.current.is_some() { Ok(()) } else { self.read_anew(record, strictness) }
    }

    fn read_anew(&mut self, record: &Record<'_>, strictness: Strictness) -> Result<(), Finding> {
        self.names.read(record, strictness)?;
        if let Some(form) = record.form() {
            let names = std::mem::take(&mut self.names);
            self.by_form.put(form, Some(Box::new(Layout { names, ..Layout::default() })));
            self.current = Some(form);
        }
        Ok(())
    }

    #[inline]
    fn of(&self, form: Form) -> Option<&Layout> {
        self.by_form.get(form)?.as_deref()
    }

    #[inline]
    fn current(&self) -> Option<&Layout> {
        self.of(self.current?)
    }

    #[inline]
    fn current_mut(&mut self) -> Option<&mut Layout> {
        self.by_form.get_mut(self.current?)?.as_deref_mut()
    }

    /// The names of the record that was read last.
    #[inline]
    pub(crate) fn names(&self) -> &Names {
        self.current().map_or(&self.names, |layout| &layout.names)
    }

    /// The recipes for lines of this form; `None` where none was read yet, or its names have a fault.
    #[inline]
    pub(crate) fn recipes(&self, form: Form) -> Option<&Recipes> {
        self.of(form).map(|layout| &layout.recipes)
    }

    /// Those for the form of the record that was read last, to add to; `None` where it has none.
    pub(crate) fn recipes_mut(&mut self) -> Option<&mut Recipes> {
        self.current_mut().map(|layout| &mut layout.recipes)
    }

    /// What was kept of the inside of `authentication`, as far as `depth`.
    #[inline]
    pub(crate) fn authentication(&self, depth: Depth) -> Option<&Inside<MemberTokens>> {
        let (kept, inside) = self.current()?.authentication.as_ref()?;
        (*kept == depth).then_some(inside)
    }

    /// Keeps what is inside of `authentication` for the lines of the same form.
    pub(crate) fn keep_authentication(&mut self, depth: Depth, inside: Inside<MemberTokens>) {
        if let Some(layout) = self.current_mut() {
            layout.authentication = Some((depth, inside));
        }
    }
}
