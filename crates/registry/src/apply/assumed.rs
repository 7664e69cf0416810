//! Lines that rest on the order of lines, as far as only later ones show that they do.

use super::Applying;
use crate::entry::Number;
use crate::state::{ByHash, Current};
use crate::step::Step;
use crate::witness::Witness;

/// Lines that failed for want of something, by the hash of what was not there: how many and, where that is asked for, which.
#[derive(Debug, Default)]
pub(super) struct Wanting {
    pub(super) counts: ByHash<u64>,
    lines: ByHash<Vec<u64>>,
}

impl Wanting {
    pub(super) fn add(&mut self, hash: u64, line: u64, is_asked_for: bool) {
        *self.counts.entry(hash).or_default() += 1;
        if is_asked_for {
            self.lines.entry(hash).or_default().push(line);
        }
    }

    pub(super) fn take(&mut self, hash: u64) -> (u64, Vec<u64>) {
        (self.counts.remove(&hash).unwrap_or_default(), self.lines.remove(&hash).unwrap_or_default())
    }
}

impl<W: Witness> Applying<'_, W> {
    /// Keeps the first line about something in mind, where it may have to be told that it rests on an assumption.
    pub(super) fn keep_first(&mut self, number: Number, line: u64) {
        if self.witness.wants_changes() {
            let count = self.firsts.len().max(number as usize + 1);
            self.firsts.resize(count, 0);
            self.firsts[number as usize] = line;
        }
    }

    /// The first line about something rests on an assumption, since another one could have come before it.
    pub(super) fn assume_first(&mut self, number: Number) {
        let current = &mut self.state.currents[number as usize];
        if current.is(Current::SEEN) && !current.is(Current::FIRST_ASSUMED) {
            current.set(Current::FIRST_ASSUMED);
            self.summary.assumed += 1;
            if let Some(line) = self.firsts.get(number as usize) {
                self.witness.assume(*line);
            }
        }
    }

    /// Lines that came before what they are about and failed would not have failed after.
    pub(super) fn assume_wanting(&mut self, step: &Step) {
        let hash = step.entry.hash;
        let own = self.wanting.take(hash);
        let of_modules = (!step.entry.is_module()).then(|| self.wanting_device.take(hash));
        // The lines that make modules of a device that is made by another rest on the order of lines by that alone.
        self.absent += self.waiting.remove(&hash).unwrap_or_default();
        for (count, lines) in [Some(own), of_modules].into_iter().flatten() {
            self.summary.assumed += count;
            lines.into_iter().for_each(|line| self.witness.assume(line));
        }
    }

    /// The lines that made modules of a device rest on the order of lines.
    pub(super) fn assume_made_of(&mut self, device: Number) {
        for module in self.state.modules_of(device) {
            if self.state.currents[module as usize].is(Current::MADE) {
                self.assume_first(module);
            }
        }
    }
}
