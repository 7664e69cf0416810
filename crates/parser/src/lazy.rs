//! Lists that are worked out when they are asked for, and keep their room from line to line.

use std::cell::{Cell, OnceCell};
use std::fmt;

/// A list of one line. Reused: [`clear`](Self::clear) starts the next line.
pub(crate) struct Lazy<T> {
    list: OnceCell<Vec<T>>,
    spare: Cell<Vec<T>>,
}

impl<T> Default for Lazy<T> {
    fn default() -> Self {
        Self { list: OnceCell::new(), spare: Cell::default() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Lazy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.list.fmt(f)
    }
}

impl<T> Lazy<T> {
    #[inline]
    pub(crate) fn clear(&mut self) {
        if let Some(list) = self.list.take() {
            self.spare.set(list);
        }
    }

    /// The list; what it is made of where this is the first time that the line is asked for it.
    #[inline]
    pub(crate) fn get_or_fill(&self, items: impl Iterator<Item = T>) -> &[T] {
        self.list.get_or_init(|| {
            let mut list = self.spare.take();
            list.clear();
            list.extend(items);
            list
        })
    }
}
