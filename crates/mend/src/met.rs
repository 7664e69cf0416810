//! Which entries of a file the other file has, too.

use std::sync::atomic::{AtomicU64, Ordering};

use hubmill_registry::{Number, Registry};

/// A bit for each entry. Set by many threads; asked for when they are done.
#[derive(Debug)]
pub(crate) struct Met(Vec<AtomicU64>);

impl Met {
    pub(crate) fn none_of(registry: &Registry) -> Self {
        Self((0..registry.entries().len().div_ceil(64)).map(|_| AtomicU64::new(0)).collect())
    }

    pub(crate) fn meet(&self, number: Number) {
        self.0[number as usize / 64].fetch_or(1 << (number % 64), Ordering::Relaxed);
    }

    pub(crate) fn is_met(&self, number: Number) -> bool {
        self.0[number as usize / 64].load(Ordering::Relaxed) >> (number % 64) & 1 == 1
    }
}
