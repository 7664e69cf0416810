//! Room for devices and modules: what the hub takes (§5.3), and what a device takes (§3.1).

use super::Applying;
use crate::entry::{Entry, Number};
use crate::state::Current;
use crate::witness::Witness;

/// The modules of a device, without the hub's own.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Modules {
    pub(super) there: u64,
    /// They were deleted.
    pub(super) gone: u64,
    /// A module was refused for want of room.
    pub(super) is_full: bool,
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
}
