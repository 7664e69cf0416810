//! What is at stake for what the hub has now.

use hubmill_pipeline::Piece;

use super::{Applying, bytes_of};
use crate::compare::{Comparison, View, compare};
use crate::entry::{NONE, Number};
use crate::error::Error;
use crate::line::Section;
use crate::step::Step;
use crate::witness::Witness;

impl<W: Witness> Applying<'_, W> {
    /// Counts what is at stake where a line writes an identity: `exported` is how it compares with what the export has.
    ///
    /// What an earlier line wrote does not count: devices out there have what the export has.
    pub(super) fn count_risks(&mut self, step: &Step, number: Number, exported: Option<&Comparison>, loses_twin: bool) {
        let (risks, current) = (&mut self.summary.risks, &mut self.state.currents[number as usize]);
        let Some(exported) = exported else {
            if step.target == NONE && step.needs_keys {
                current.count_once(0, &mut risks.new_keys_by_hub);
            }
            return;
        };
        for ((count, is_there), risk) in [
            (&mut risks.keys_by_hub, step.needs_keys),
            (&mut risks.keys_replaced, exported.loses_keys && !step.needs_keys),
            (&mut risks.turn_sas, exported.turns_sas),
            (&mut risks.keyless, exported.is_keyless),
            (&mut risks.disabled, exported.disables),
            (&mut risks.twins_replaced, !exported.replacing.is_empty() || loses_twin),
        ]
        .into_iter()
        .zip(1..)
        {
            if is_there {
                current.count_once(risk, count);
            }
        }
    }

    /// How a line compares with what the export has, and whether a section of the twin that the export has is not in the line.
    pub(super) fn comparison_with_export(
        &mut self,
        step: &Step,
        piece: Piece<'_>,
    ) -> Result<(Option<Comparison>, bool), Error> {
        let exported = self.state.registry.line(step.target, &mut self.other_room)?;
        let both = (self.reader.read(exported), self.own_reader.read(bytes_of(step, piece)));
        let (Some(exported), Some(own)) = both else {
            return Ok((None, false));
        };
        let view = View::of(exported);
        let is_lost =
            |section: &Section| !step.sections.has(*section) && !section.same(view.sections[*section as usize], None);
        Ok((Some(compare(&view, &own)), Section::ALL.iter().any(is_lost)))
    }
}
