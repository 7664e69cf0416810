//! `--check id` of a line whose form is known: once nothing was found in a line of the form, all that may be found in another
//! one is an id that the hub does not take.

use hubmill_device::Member;
use hubmill_parser::{AnchoredSpan, FixedText, Record};

use super::{CheckScratch, Checker, ID_SET, is_plain_id};

/// Forms that are kept; one more takes the place of another.
const KEPT: usize = 256;

/// Forms of which a line was good, each with its number and where its id is.
#[derive(Debug, Default)]
pub(super) struct GoodForms(Vec<(u64, Option<AnchoredSpan>)>);

impl Checker {
    /// Whether nothing is to be found in a line by a short check, as far as its form and its id tell; `false` is no verdict.
    #[inline(always)]
    pub fn is_good(&self, scratch: &CheckScratch, line: &FixedText<'_>) -> bool {
        let number = line.form().number();
        match scratch.good_forms.0.get(number as usize % KEPT) {
            Some((form, Some(id))) => *form == number && is_plain_id(line.text_within(line.span(*id), &ID_SET)),
            _ => false,
        }
    }

    /// Keeps the form of a record in which a short check found nothing, if that says something about others.
    #[inline]
    pub(super) fn note_good(&self, scratch: &mut CheckScratch, record: &Record<'_>) {
        if let Some(line) = record.fixed_text() {
            let number = line.form().number();
            let kept = scratch.good_forms.0.get(number as usize % KEPT);
            if kept.is_none_or(|(form, _)| *form != number) {
                let id = id_of_good(scratch, record);
                // Room for them is had when there is a first one.
                scratch.good_forms.0.resize(KEPT, (0, None));
                scratch.good_forms.0[number as usize % KEPT] = (number, id);
            }
        }
    }
}

/// Where the id is in lines of the same form; `None` where there may be no status in these, or no id.
#[cold]
fn id_of_good(scratch: &CheckScratch, record: &Record<'_>) -> Option<AnchoredSpan> {
    // What is a string in one line is one in all of them, whatever it says.
    let string = |member| {
        let value = scratch.get(record, member)?.value;
        record.anchored(value).filter(|_| record.bytes(value).starts_with(b"\""))
    };
    string(Member::Status).and(string(Member::Id))
}
