//! The work of reading a log: from a piece of it to what failed.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use hubmill_device::Member;
use hubmill_parser::{Content, Fault, FaultKind, Level, Limits, Parser};
use hubmill_pipeline::{Piece, Work};
use hubmill_reader::Part;

use crate::failures::Hasher;
use crate::log_line::{self, LogLine};
use crate::quoted::{ends, object_end, quoted_from};

/// Bytes of ids and codes that make a batch full.
const FULL_BYTES: usize = 1 << 20;
/// Lines that could not be read that make a batch full.
const FAULTS_MAX: usize = 2048;

/// What an entry is about.
#[derive(Debug)]
pub(crate) enum About {
    Named {
        device: Range<usize>,
        module: Option<Range<usize>>,
    },
    /// `status`: the hash of the whole text. `id`: of the quoted line, empty where it could not be read.
    Quoted {
        status: [u64; 2],
        ends: Range<usize>,
        id: Range<usize>,
    },
}

/// An entry of the log.
#[derive(Debug)]
pub(crate) struct Item {
    pub(crate) about: About,
    pub(crate) code: Range<usize>,
    /// From the first line of the batch, which is 1.
    pub(crate) line: u64,
}

/// A line of the log that could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogFault {
    /// From the first line of the batch, which is 1.
    pub line: u64,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// What comes out of one piece of the log.
#[derive(Debug, Default)]
pub struct LogBatch {
    pub(crate) items: Vec<Item>,
    pub(crate) bytes: Vec<u8>,
    /// Where quoted lines may end, with the hash of the text up to there.
    pub(crate) ends: Vec<(u32, [u64; 2])>,
    /// All lines.
    pub lines: u64,
    /// Blank ones.
    pub blank: u64,
    /// Lines that could not be read.
    pub faults: Vec<LogFault>,
}

impl LogBatch {
    fn keep(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        start..self.bytes.len()
    }

    fn fault(&mut self, reason: &'static str) {
        self.faults.push(LogFault { line: self.lines, reason });
    }
}

/// Reads a log.
#[derive(Debug)]
pub struct ReadLog {
    limits: Limits,
    level: Level,
    pub(crate) hasher: Arc<Hasher>,
}

impl ReadLog {
    /// Work that reads lines within these limits.
    pub fn new(limits: Limits, level: Level) -> Self {
        Self { limits, level, hasher: Arc::new(Hasher::default()) }
    }

    fn take(&self, parser: &mut Parser, line: &LogLine<'_>, batch: &mut LogBatch) {
        let about = match (&line.device, line.status.as_deref()) {
            (Some(device), _) => {
                let device = batch.keep(device);
                About::Named { device, module: line.module.as_deref().map(|module| batch.keep(module)) }
            }
            (None, status) => {
                let status = status.unwrap_or_default();
                let first = batch.ends.len();
                let mut id = 0..0;
                if let Some(text) = quoted_from(status) {
                    batch.ends.extend(ends(text).into_iter().map(|end| (end as u32, self.hasher.hash(&text[..end]))));
                    if let Some(found) = object_end(text).and_then(|end| id_of(parser, &text[..end])) {
                        id = batch.keep(&found);
                    }
                }
                About::Quoted { status: self.hasher.hash(status), ends: first..batch.ends.len(), id }
            }
        };
        let code = batch.keep(&line.code);
        batch.items.push(Item { about, code, line: batch.lines });
    }
}

/// The id of a quoted line.
fn id_of(parser: &mut Parser, line: &[u8]) -> Option<Vec<u8>> {
    let mut id = None;
    parser.parse(line, 0, |line| {
        if let Content::Record(record) = &line.content {
            let mut members = record.members().iter();
            id = members
                .find(|member| *record.name(member) == *Member::Id.name().as_bytes())
                .and_then(|member| record.text(member.value))
                .map(|id| id.into_owned());
        }
        ControlFlow::Break(())
    });
    id
}

impl Work for ReadLog {
    type Scratch = [Parser; 2];
    type Batch = LogBatch;

    fn scratch(&self) -> [Parser; 2] {
        [Parser::new(self.level, self.limits), Parser::new(self.level, self.limits)]
    }

    fn batch(&self) -> LogBatch {
        LogBatch::default()
    }

    fn clear(&self, batch: &mut LogBatch) {
        let LogBatch { items, bytes, ends, lines, blank, faults } = batch;
        items.clear();
        bytes.clear();
        bytes.shrink_to(2 * FULL_BYTES);
        ends.clear();
        faults.clear();
        (*lines, *blank) = (0, 0);
    }

    fn work(&self, scratch: &mut [Parser; 2], piece: Piece<'_>, from: usize, _: u64, batch: &mut LogBatch) -> usize {
        if let Part::LongLine { first, .. } = piece.part {
            if first {
                batch.lines += 1;
                batch.fault("the line is too long");
            }
            return piece.bytes.len();
        }
        let from = piece.after_mark(from);
        let [parser, inner] = scratch;
        parser.parse(piece.bytes, from, |line| {
            batch.lines += 1;
            match &line.content {
                Content::Blank => batch.blank += 1,
                Content::Invalid(Fault { kind: FaultKind::NotAnObject, .. }) => {
                    batch.fault("the line is JSON, but not an object");
                }
                Content::Invalid(_) => batch.fault("the line is not JSON, or is cut off"),
                Content::Record(record) => match log_line::read(record) {
                    Ok(entry) => self.take(inner, &entry, batch),
                    Err(reason) => batch.fault(reason),
                },
            }
            let full = batch.bytes.len() >= FULL_BYTES || batch.faults.len() >= FAULTS_MAX;
            if full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    }
}
