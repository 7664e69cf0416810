//! What callers work out once for all lines of a form.

use crate::form::Form;

/// Forms of which something is kept; one more takes the place of another. There are as many as there may be stencils.
const KEPT: usize = 1024;

/// Something for each of the forms that were met, or most of them.
#[derive(Clone, Debug)]
pub struct ByForm<T>(Option<Box<[(u64, T); KEPT]>>);

impl<T> Default for ByForm<T> {
    fn default() -> Self {
        Self(None)
    }
}

#[inline]
fn place(form: Form) -> usize {
    form.number() as usize % KEPT
}

impl<T: Default> ByForm<T> {
    /// What is kept of a form.
    #[inline(always)]
    pub fn get(&self, form: Form) -> Option<&T> {
        let (number, kept) = &self.0.as_deref()?[place(form)];
        (*number == form.number()).then_some(kept)
    }

    /// The same, to be changed.
    #[inline(always)]
    pub fn get_mut(&mut self, form: Form) -> Option<&mut T> {
        let (number, kept) = &mut self.0.as_deref_mut()?[place(form)];
        (*number == form.number()).then_some(kept)
    }

    /// The same, where nothing is kept yet made anew.
    #[inline]
    pub fn get_or_default(&mut self, form: Form) -> &mut T {
        let (number, kept) = self.place_of(form);
        if *number != form.number() {
            (*number, *kept) = (form.number(), T::default());
        }
        kept
    }

    /// Keeps something of a form in place of what there was, and gives it.
    pub fn put(&mut self, form: Form, of_form: T) -> &mut T {
        let (number, kept) = self.place_of(form);
        (*number, *kept) = (form.number(), of_form);
        kept
    }

    /// Room is had when there is something to keep. No form has the number 0.
    #[inline]
    fn place_of(&mut self, form: Form) -> &mut (u64, T) {
        let all = self.0.get_or_insert_with(|| {
            let all: Box<[_]> = (0..KEPT).map(|_| (0, T::default())).collect();
            all.try_into().ok().expect("as many as are kept")
        });
        &mut all[place(form)]
    }

    /// All that is kept.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().flat_map(|all| all.iter()).filter(|(number, _)| *number != 0).map(|(_, kept)| kept)
    }
}

#[cfg(test)]
mod tests {
    use super::{ByForm, KEPT};
    use crate::form::Form;

    #[test]
    fn each_form_has_its_own_until_another_takes_its_place() {
        let mut kept = ByForm::default();
        let forms: Vec<Form> = (0..=KEPT).map(|_| Form::next()).collect();
        // Other tests take numbers, too.
        let other = forms[1..].iter().find(|form| form.number() % 1024 == forms[0].number() % 1024);
        assert_eq!((kept.get(forms[0]), kept.iter().count()), (None, 0));
        *kept.get_or_default(forms[0]) = "first";
        assert_eq!((kept.get(forms[0]), kept.get(forms[1])), (Some(&"first"), None));
        kept.put(forms[1], "second");
        *kept.get_mut(forms[0]).expect("it is kept") = "changed";
        assert_eq!((*kept.get_or_default(forms[0]), kept.iter().count()), ("changed", 2));
        if let Some(other) = other {
            assert_eq!(*kept.get_or_default(*other), "");
            assert_eq!((kept.get(forms[0]), kept.get(forms[1]), kept.iter().count()), (None, Some(&"second"), 2));
        }
    }
}
