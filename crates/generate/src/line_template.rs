//! A line with places for what differs among the rows of a kind.

use std::ops::Range;

use hubmill_device::ImportMode;

use crate::columns::Field;
use crate::compose::Marks;
use crate::plan::Plan;
use crate::random::Random;
use crate::rows::Row;

/// A line without what differs, and where that goes.
#[derive(Clone, Debug)]
pub(crate) struct LineTemplate {
    text: Vec<u8>,
    /// In order, by where they are in the text.
    slots: Vec<(usize, Slot)>,
    mode: ImportMode,
}

/// What goes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Slot {
    /// The device's id: a cell, or what the template of ids makes.
    Id(Option<usize>),
    /// The module's id, a cell.
    ModuleId(usize),
    /// A cell.
    Value(usize),
    /// The key of this number.
    Key(usize),
}

impl LineTemplate {
    /// Takes a line that was put together; cells stand in it as they are in the row.
    pub(crate) fn new(plan: &Plan, line: &[u8], marks: &Marks) -> Self {
        let inner = |quoted: &Range<usize>| quoted.start + 1..quoted.end - 1;
        let mut places = vec![(inner(&marks.id), Slot::Id(plan.columns.of(Field::Id)))];
        if let (Some(column), false) = (plan.columns.of(Field::ModuleId), marks.module_id.is_empty()) {
            places.push((inner(&marks.module_id), Slot::ModuleId(column)));
        }
        places.extend(marks.values.iter().map(|(place, column)| (place.clone(), Slot::Value(*column))));
        let key_bytes = plan.key_text_bytes();
        let keys = marks.keys.into_iter().flatten().enumerate();
        places.extend(keys.map(|(number, at)| (at..at + key_bytes, Slot::Key(number))));
        places.sort_by_key(|(place, _)| place.start);
        let (mut text, mut slots, mut end) = (Vec::new(), Vec::new(), 0);
        for (place, slot) in places {
            text.extend_from_slice(&line[end..place.start]);
            slots.push((text.len(), slot));
            end = place.end;
        }
        text.extend_from_slice(&line[end..]);
        Self { text, slots, mode: marks.mode }
    }

    /// Appends the line of a row of this kind, and notes what is where in it.
    pub(crate) fn append(
        &self,
        plan: &Plan,
        index: u64,
        row: &Row<'_>,
        random: &mut Random,
        marks: &mut Marks,
        out: &mut Vec<u8>,
    ) {
        marks.clear();
        marks.mode = self.mode;
        let (line, mut before) = (out.len(), 0);
        for (at, slot) in &self.slots {
            out.extend_from_slice(&self.text[before..*at]);
            before = *at;
            let start = out.len() - line;
            match *slot {
                Slot::Id(None) => plan.template.append(index, random, &mut marks.in_id, out),
                Slot::Id(Some(column)) | Slot::ModuleId(column) | Slot::Value(column) => {
                    out.extend_from_slice(row.cell(column));
                }
                Slot::Key(_) => random.push_key(out),
            }
            let quoted = start - 1..out.len() - line + 1;
            match *slot {
                Slot::Id(_) => marks.id = quoted,
                Slot::ModuleId(_) => marks.module_id = quoted,
                Slot::Key(number) => marks.keys.get_or_insert_default()[number] = start,
                Slot::Value(_) => {}
            }
        }
        out.extend_from_slice(&self.text[before..]);
    }
}
