//! Room for devices and modules: what the hub takes (§5.3), and what a device takes (§3.1).

use hubmill_device::MODULES_MAX;

use super::{About, Applying};
use crate::entry::{Entry, Number};
use crate::error::Error;
use crate::state::Current;
use crate::step::Step;
use crate::witness::Witness;

/// The modules of a device, without the hub's own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Modules {
    pub(super) there: u64,
    /// They are not, and would be in another order of lines.
    pub(super) gone: u64,
    /// In some order there is no room for all: the lines that made any rest on who came first.
    pub(super) is_tight: bool,
}

impl<W: Witness> Applying<'_, W> {
    /// How many modules a device has.
    pub(super) fn count_modules(&mut self, device: Number) -> Modules {
        if let Some(modules) = self.modules.get(&device) {
            return *modules;
        }
        let mut modules = Modules::default();
        for module in self.state.modules_of(device) {
            let current = &self.state.currents[module as usize];
            if !self.state.entry(module).is(Entry::SYSTEM) {
                modules.there += u64::from(!current.is(Current::GONE));
                modules.gone += u64::from(current.is(Current::GONE) && !current.is(Current::MAYBE));
            }
        }
        self.modules.insert(device, modules);
        modules
    }

    /// Whether the hub has no room for all that would be there in some order of lines.
    pub(super) fn is_tight(&self) -> bool {
        self.quota.is_some_and(|quota| self.present.1 + self.absent > quota)
    }

    /// What was made rests on who came first, where there is not room for all.
    pub(super) fn assume_made_if_tight(&mut self) {
        if self.is_tight() {
            let made = self.made_by_quota.take();
            made.into_iter().flatten().for_each(|number| self.assume_first(number));
        }
    }

    /// The same of a device's modules. Whether there is not room for all.
    pub(super) fn assume_made_of_if_tight(&mut self, device: Number) -> bool {
        let modules = self.count_modules(device);
        let is_tight = modules.there + modules.gone > MODULES_MAX;
        if is_tight && !modules.is_tight {
            self.modules.insert(device, Modules { is_tight, ..modules });
            self.assume_made_of(device);
        }
        is_tight
    }

    /// Notes that what a line is about is not there, and would be in another order of lines.
    pub(super) fn note_absent(&mut self, step: &Step, about: &mut About) -> Result<(), Error> {
        if about.number.is_some() {
            return Ok(());
        }
        let number = self.number_or_add(step, about)?;
        self.state.currents[number as usize].set(Current::MOVED);
        self.absent += 1;
        if let Some(device) = about.device.filter(|_| step.entry.is_module()) {
            if let Some(modules) = self.modules.get_mut(&device) {
                modules.gone += 1;
            }
            self.assume_made_of_if_tight(device);
        }
        Ok(())
    }
}
