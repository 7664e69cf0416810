//! What a line does to a device or module, once it is decided what it does.

use hubmill_device::{ImportMode, MODULES_MAX};
use hubmill_pipeline::Piece;

use super::room::Modules;
use super::{About, Applying, Done};
use crate::compare::Comparison;
use crate::entry::{Entry, NONE, Number};
use crate::error::Error;
use crate::line::Section;
use crate::outcome::{Doubt, Failure, Outcome};
use crate::state::{Current, Source};
use crate::step::Step;
use crate::witness::Witness;

/// Whether a mode makes what is not there (§2).
pub(super) fn makes(mode: ImportMode) -> bool {
    matches!(mode, ImportMode::CreateOrUpdate | ImportMode::Create | ImportMode::CreateOrUpdateIfMatchETag)
}

impl<W: Witness> Applying<'_, W> {
    /// Makes a device or module, where there is room.
    ///
    /// That there was room rests on the order of lines where there is none for all that would be there in some order.
    pub(super) fn create(&mut self, step: &Step, piece: Piece<'_>, about: &mut About) -> Result<Done, Error> {
        if let Some(quota) = self.quota {
            if self.present.0 >= quota {
                self.note_absent(step, about)?;
                return Ok(Done { assumed: true, ..Outcome::Fails(Failure::Quota).into() });
            }
            if self.present.1 >= quota {
                return self.leave_open(step, about, Some(ImportMode::Create), Doubt::Quota);
            }
        }
        let was_absent = u64::from(about.number.is_some());
        let mut done: Done = Outcome::Created.into();
        if let Some(device) = about.device.filter(|_| step.entry.is_module()) {
            let modules = self.count_modules(device);
            if modules.there >= MODULES_MAX {
                self.note_absent(step, about)?;
                return Ok(Done { assumed: true, ..Outcome::Fails(Failure::TooManyModules).into() });
            }
            let (there, gone) = (modules.there + 1, modules.gone.saturating_sub(was_absent));
            self.modules.insert(device, Modules { there, gone, ..modules });
            done.assumed = self.assume_made_of_if_tight(device);
        }
        self.absent = self.absent.saturating_sub(was_absent);
        let number = self.number_or_add(step, about)?;
        if let Some(made) = &mut self.made_by_quota {
            made.push(number);
        }
        let source = self.state.add_line(&step.entry)?;
        let current = &mut self.state.currents[number as usize];
        current.identity = source;
        for section in Section::ALL {
            let has = step.sections.has(section);
            current.sections[section as usize] = if has { source } else { Source::NOWHERE };
        }
        current.clear(Current::GONE | Current::UNSURE);
        current.set(Current::TOUCHED | Current::MADE | Current::MOVED);
        current.set_kind(&step.entry);
        self.present.0 += 1;
        self.present.1 += 1;
        *self.count_of(step.entry.is_module()) += 1;
        if step.target == NONE {
            self.count_risks(step, number, None, false);
        } else {
            let (comparison, loses_twin) = self.comparison_with_export(step, piece)?;
            self.count_risks(step, number, comparison.as_ref(), loses_twin);
        }
        Ok(done)
    }

    pub(super) fn number_or_add(&mut self, step: &Step, about: &mut About) -> Result<Number, Error> {
        let number = match about.number {
            Some(number) => number,
            None => self.state.add(&step.entry, about.device.unwrap_or(NONE))?,
        };
        about.number = Some(number);
        Ok(number)
    }

    fn count_of(&mut self, is_module: bool) -> &mut u64 {
        if is_module { &mut self.summary.modules.1 } else { &mut self.summary.devices.1 }
    }

    /// Replaces an identity, and the sections of the twin that the line has.
    pub(super) fn overwrite(&mut self, step: &Step, number: Number, comparison: &Comparison) -> Result<Done, Error> {
        let source = self.write_sections(step, number)?;
        let current = &mut self.state.currents[number as usize];
        current.identity = source;
        current.set_kind(&step.entry);
        let changes = !comparison.identity.is_empty() || current.is(Current::UNSURE);
        self.count_risks(step, number, step.comparison.as_ref(), false);
        let outcome = match () {
            () if changes => Outcome::Updated,
            () if !comparison.differing.is_empty() => Outcome::TwinUpdated,
            () => Outcome::Unchanged,
        };
        Ok(Done { assumed: !comparison.replacing.is_empty(), ..outcome.into() })
    }

    /// Replaces the sections of the twin that the line has.
    pub(super) fn write_sections(&mut self, step: &Step, number: Number) -> Result<Source, Error> {
        let source = self.state.add_line(&step.entry)?;
        let current = &mut self.state.currents[number as usize];
        for section in Section::ALL.into_iter().filter(|section| step.sections.has(*section)) {
            current.sections[section as usize] = source;
        }
        current.set(Current::TOUCHED);
        Ok(source)
    }

    /// Takes a device with its modules away, or a module.
    pub(super) fn delete(&mut self, number: Number) -> Done {
        let mut done: Done = Outcome::Deleted.into();
        let entry = self.state.entry(number);
        if entry.is_module() {
            let (device, is_system) = (entry.link, entry.is(Entry::SYSTEM));
            if let Some(modules) = self.modules.get_mut(&device).filter(|_| !is_system) {
                modules.there = modules.there.saturating_sub(1);
                modules.gone += 1;
            }
        } else {
            if self.state.currents[number as usize].is(Current::EDGE) {
                self.summary.risks.edge_deleted += 1;
                self.deleted_edges.push(number);
            }
            self.modules.remove(&number);
            for module in self.state.modules_of(number) {
                // A line about a module would have failed after this one.
                self.assume_first(module);
                done.modules += u64::from(self.remove(module));
            }
            self.summary.risks.modules_with_device += done.modules;
        }
        self.remove(number);
        done
    }

    /// Takes one away; whether it was there.
    fn remove(&mut self, number: Number) -> bool {
        let is_module = self.state.entry(number).is_module();
        let current = &mut self.state.currents[number as usize];
        let (was_gone, was_open) = (current.is(Current::GONE), current.is(Current::MAYBE));
        current.set(Current::GONE | Current::TOUCHED | Current::MOVED);
        current.clear(Current::MAYBE | Current::UNSURE);
        self.present.0 -= u64::from(!was_gone && !was_open);
        self.present.1 -= u64::from(!was_gone || was_open);
        self.absent += u64::from(!was_gone || was_open);
        *self.count_of(is_module) -= u64::from(!was_gone);
        !was_gone
    }

    /// Notes that it is not known what becomes of what a line is about.
    pub(super) fn leave_open(
        &mut self,
        step: &Step,
        about: &mut About,
        mode: Option<ImportMode>,
        doubt: Doubt,
    ) -> Result<Done, Error> {
        let creates = mode.is_none_or(makes);
        let deletes = mode.is_none_or(ImportMode::is_delete);
        let is_module = step.entry.is_module();
        let is_there = |current: &Current| !current.is(Current::GONE) || current.is(Current::MAYBE);
        let has_device =
            !is_module || about.device.is_some_and(|device| is_there(&self.state.currents[device as usize]));
        let current = about.number.map(|number| self.state.currents[number as usize]);
        match (about.number, current) {
            (Some(number), Some(current)) if !current.is(Current::GONE) => {
                self.state.currents[number as usize].set(Current::UNSURE);
                if deletes && !current.is(Current::MAYBE) {
                    self.summary.risks.maybe_deleted += u64::from(!is_module);
                    let with = if is_module { Vec::new() } else { self.state.modules_of(number) };
                    for number in with.into_iter().chain([number]) {
                        let current = &mut self.state.currents[number as usize];
                        if !current.is(Current::GONE | Current::MAYBE) {
                            current.set(Current::MAYBE);
                            self.present.0 -= 1;
                        }
                    }
                }
            }
            _ if creates && has_device && !current.is_some_and(|current| current.is(Current::MAYBE)) => {
                self.absent = self.absent.saturating_sub(u64::from(current.is_some()));
                let number = self.number_or_add(step, about)?;
                self.state.currents[number as usize].set(Current::MAYBE);
                self.present.1 += 1;
            }
            _ => {}
        }
        Ok(Outcome::NotKnown(doubt).into())
    }
}
