//! The source of a run that makes devices: numbers, or the rows of a CSV file.

use hubmill_pipeline::{Kind, Source};
use hubmill_reader::Watch;

use crate::cut::{self, Cutter};
use crate::error::Error;
use crate::plan::Plan;
use crate::rows::Rows;

/// Bytes of output that a piece is to make, about.
pub const PIECE_BYTES: usize = 512 << 10;
/// The most devices of a piece.
const PIECE_DEVICES_MAX: usize = 4096;

/// The devices of a plan, a few at a time.
#[derive(Clone, Copy, Debug)]
pub struct Devices<'p> {
    plan: &'p Plan,
    /// Devices of a piece, at most.
    piece_devices: usize,
}

/// How far they have been given out.
pub struct Given<'p> {
    next: u64,
    rows: Option<Cutter<'p>>,
}

impl<'p> Devices<'p> {
    /// All devices of the plan.
    pub fn new(plan: &'p Plan) -> Self {
        let piece_devices = (PIECE_BYTES / plan.line_bytes().max(1)).clamp(1, PIECE_DEVICES_MAX);
        Self { plan, piece_devices }
    }

    /// How many pieces there will be, where that is known before.
    pub fn pieces(&self) -> Option<u64> {
        let count = self.plan.count.filter(|_| self.plan.csv.is_none())?;
        Some(count.div_ceil(self.piece_devices as u64))
    }
}

impl Kind for Devices<'_> {
    type Piece<'r> = &'r Rows;

    #[inline]
    fn end(piece: &Rows) -> usize {
        piece.count
    }
}

impl<'p> Source for Devices<'p> {
    type Kind = Self;
    type Place = Given<'p>;
    type Held = Rows;
    type Error = Error;

    fn start(&self) -> Given<'p> {
        Given { next: 1, rows: self.plan.csv.as_ref().map(|csv| Cutter::new(csv, self.plan.rows_start)) }
    }

    fn held(&self) -> Rows {
        Rows::default()
    }

    fn next(&self, given: &mut Given<'p>, held: &mut Rows, _: &mut impl Watch) -> Result<bool, Error> {
        held.first = given.next;
        let left = self.plan.count.map_or(u64::MAX, |count| count - (given.next - 1));
        let left = usize::try_from(left).unwrap_or(usize::MAX);
        let more = left > 0
            && match &mut given.rows {
                Some(rows) => rows.next(held, left)?,
                None => {
                    held.count = left.min(self.piece_devices);
                    true
                }
            };
        given.next += if more { held.count as u64 } else { 0 };
        Ok(more)
    }

    fn piece<'r>(&self, held: &'r Rows) -> &'r Rows {
        held
    }

    fn release(&self, held: &mut Rows) {
        if held.text.capacity() > 4 * cut::PIECE_BYTES {
            held.text = Vec::new();
        }
    }
}
