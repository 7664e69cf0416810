//! From a chunk of whole lines to what each line is.

use std::ops::ControlFlow;

use crate::arch::{Level, REACH};
use crate::fault::{Fault, FaultKind};
use crate::fixed::{FixedLine, FixedRun, FixedText};
use crate::form::DeepNames;
use crate::index::{Carry, Flags, Index};
use crate::lazy::Lazy;
use crate::record::{Covers, MemberSource, MemberSpan, Places, Record, RecordParts};
use crate::shape::Shapes;
use crate::stencil::{StencilTokens, Stencils};
use crate::structure::Structure;
use crate::walk::{LineTokens, Nesting, SliceTokens, check_utf8, walk};
use crate::window::WindowTokens;

/// The longest accepted line unless told otherwise, in bytes.
pub const LINE_BYTES_MAX_DEFAULT: usize = 16 << 20;
/// The deepest accepted nesting unless told otherwise; the outer object is 1.
pub const DEPTH_MAX_DEFAULT: usize = 128;

/// Bytes indexed before they are walked: their tokens and they themselves stay in the second-level cache.
const BLOCK_BYTES: usize = 64 * 1024;
/// The shortest block: where all lines but one fit stencils, that one is indexed almost alone.
const BLOCK_BYTES_MIN: usize = 512;
/// The first block: few lines make a stencil.
const BLOCK_BYTES_FIRST: usize = 4 * 1024;
/// A line longer than this is indexed piece by piece while it is walked.
const INDEXED_LINE_BYTES_MAX: usize = 1 << 20;

/// A chunk's last line is copied to where there is room after it, for a look at its end, if it is no longer than this.
const LAST_LINE_BYTES_MAX: usize = 4096;

/// So many lines of one stencil in a row are worth a look at them as a run.
pub(crate) const RUN_LINES_MIN: usize = 8;

/// What is accepted as a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest line in bytes, without its `\n`, with its `\r`.
    pub line_bytes_max: usize,
    /// The deepest nesting; the outer object is 1.
    pub depth_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { line_bytes_max: LINE_BYTES_MAX_DEFAULT, depth_max: DEPTH_MAX_DEFAULT }
    }
}

/// What a line is.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// Nothing but spaces, tabs and `\r`.
    Blank,
    /// One JSON object.
    Record(Record<'a>),
    /// Anything else.
    Invalid(Fault),
}

/// One line of a chunk. All places are from the start of the chunk.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The first byte.
    pub start: usize,
    /// The end without the line's end characters: all `\r` before the `\n` belong to these.
    pub end: usize,
    /// The end with the line's end characters.
    pub end_with_newline: usize,
    /// What stands between `start` and `end`.
    pub content: Content<'a>,
}

/// Who visits the lines of a chunk, in order; breaks off after a line.
pub trait Visit {
    /// Lines in a row of which the fixed text is known and the same. How many of the first of them are done with; the others
    /// are visited one by one.
    fn run(&mut self, run: &FixedRun<'_>) -> usize {
        let _ = run;
        0
    }

    /// A line of which the fixed text is known. `None` where it is to be visited as any other.
    #[inline(always)]
    fn fixed(&mut self, line: &FixedLine<'_>) -> Option<ControlFlow<()>> {
        let _ = line;
        None
    }

    /// Any line.
    fn line(&mut self, line: &Line<'_>) -> ControlFlow<()>;
}

/// Visits all lines alike.
struct Alike<F>(F);

impl<F: FnMut(&Line<'_>) -> ControlFlow<()>> Visit for Alike<F> {
    #[inline(always)]
    fn line(&mut self, line: &Line<'_>) -> ControlFlow<()> {
        self.0(line)
    }
}

/// Finds the records of chunks. Keeps its buffers from call to call: one parser per thread.
#[derive(Debug)]
pub struct Parser {
    level: Level,
    limits: Limits,
    block_bytes: usize,
    /// How long a block the next line that fits no stencil gets: longer for each one, shorter for each line that fits.
    next_block_bytes: usize,
    indexed_line_bytes_max: usize,
    pub(crate) stencils: Stencils,
    /// A chunk's last line, with room after it.
    last_line: Box<[u8; LAST_LINE_BYTES_MAX + 1 + REACH]>,
    index: Index,
    shapes: Shapes,
    members: Vec<MemberSpan>,
    lazy: Lazy<MemberSpan>,
    listed: Lazy<u32>,
    structure: Structure,
    /// The last line of no known shape was refused: the next one is likely to be, too, and is walked to find out why.
    is_faulty: bool,
    nesting: Nesting,
}

impl Parser {
    /// A parser that runs on `level` and accepts what `limits` say.
    pub fn new(level: Level, limits: Limits) -> Self {
        Self {
            level,
            limits,
            block_bytes: BLOCK_BYTES,
            next_block_bytes: BLOCK_BYTES_FIRST,
            indexed_line_bytes_max: INDEXED_LINE_BYTES_MAX,
            stencils: Stencils::default(),
            last_line: Box::new([0; LAST_LINE_BYTES_MAX + 1 + REACH]),
            index: Index::default(),
            shapes: Shapes::new(DeepNames::Inside(&[])),
            members: Vec::new(),
            lazy: Lazy::default(),
            listed: Lazy::default(),
            structure: Structure::new(limits.depth_max),
            is_faulty: false,
            nesting: Nesting::new(limits.depth_max),
        }
    }

    /// Works in blocks of this many bytes, and walks longer lines than `line_bytes` without an index of their own. The
    /// result is the same for all sizes; tests make them tiny.
    #[must_use]
    pub fn with_block_bytes(mut self, block_bytes: usize, line_bytes: usize) -> Self {
        self.block_bytes = block_bytes.max(1);
        self.indexed_line_bytes_max = line_bytes;
        self
    }

    /// Counts the names inside of these members of the outer object, too, as a part of a line's [`Form`](crate::Form).
    #[must_use]
    pub fn with_deep_names(mut self, members: &'static [&'static str]) -> Self {
        self.shapes = Shapes::new(DeepNames::Inside(members));
        self
    }

    /// Takes note that these texts, without quotes, stand as values in many lines: where they do, they are fixed text, as
    /// names are. What a line is found to be does not depend on it.
    #[must_use]
    pub fn with_words(mut self, words: &'static [&'static str]) -> Self {
        self.stencils.set_words(words);
        self
    }

    /// Counts all names, at any depth, as a part of a line's [`Form`](crate::Form), but those inside of members of the name
    /// `but_inside`.
    #[must_use]
    pub fn with_all_names(mut self, but_inside: &'static str) -> Self {
        self.shapes = Shapes::new(DeepNames::AllBut(but_inside));
        self
    }

    /// For how many names of forms there is room.
    #[cfg(test)]
    pub(crate) fn names_kept(&self) -> usize {
        self.shapes.names_kept()
    }

    /// Visits the lines of `chunk` from the offset `from` on, which must be the start of a line, in order.
    ///
    /// Returns the offset of the first line that was not visited: the end of the chunk, unless `visit` broke off.
    pub fn parse(&mut self, chunk: &[u8], from: usize, visit: impl FnMut(&Line<'_>) -> ControlFlow<()>) -> usize {
        self.parse_with(chunk, from, &mut Alike(visit))
    }

    /// As [`parse`](Self::parse), for who can make use of it that a line's fixed text is known.
    pub fn parse_with(&mut self, chunk: &[u8], from: usize, visit: &mut impl Visit) -> usize {
        let mut start = from;
        while start < chunk.len() {
            match self.parse_known_lines(chunk, start, visit) {
                ControlFlow::Break(next) => return next,
                ControlFlow::Continue(next) => start = next,
            }
            if start == chunk.len() {
                break;
            }
            let end = block_end(chunk, start, self.block_bytes.min(self.next_block_bytes));
            self.next_block_bytes = (4 * self.next_block_bytes).min(BLOCK_BYTES);
            let flow = if end - start > self.indexed_line_bytes_max && line_end(chunk, start) + 1 >= end {
                self.parse_long_line(&chunk[..end], start, visit)
            } else {
                self.parse_block(&chunk[..end], start, visit)
            };
            if let ControlFlow::Break(next) = flow {
                return next;
            }
            start = end;
        }
        start
    }

    /// Stage 1 alone over all of `chunk`: how many tokens and line ends it finds. For benches.
    pub fn count_tokens(&mut self, chunk: &[u8]) -> (usize, usize) {
        let (mut start, mut tokens, mut lines) = (0, 0, 0);
        while start < chunk.len() {
            let end = block_end(chunk, start, self.block_bytes);
            self.index.clear();
            self.level.index(&chunk[start..end], start as u32, &mut Carry::default(), &mut self.index);
            tokens += self.index.token_count;
            lines += self.index.lines.len();
            start = end;
        }
        (tokens, lines)
    }

    /// Visits lines from `start` on as long as they fit stencils. Breaks with the offset of the first line not visited;
    /// continues with that of the line that fits none.
    #[inline(never)]
    fn parse_known_lines(&mut self, chunk: &[u8], start: usize, visit: &mut impl Visit) -> ControlFlow<usize, usize> {
        let mut start = start;
        let mut fitting = 0;
        'lines: while start < chunk.len() {
            if !self.trace_last_line(chunk, start) {
                self.stencils.trace(self.level, chunk, start);
            }
            if self.stencils.traces.lines().is_empty() {
                break;
            }
            self.stencils.note_fit();
            let done = self.visit_run(chunk, start, visit);
            if done > 0 {
                fitting += done;
                start = self.stencils.traces.lines()[done - 1].end_with_newline as usize;
            }
            let Self { stencils, lazy, listed, level, limits, .. } = self;
            for traced in &stencils.traces.lines()[done..] {
                let end = traced.end as usize;
                let end_with_newline = traced.end_with_newline as usize;
                let bytes = &chunk[..end];
                let (stencil, flags) = stencils.get(traced);
                // What is wrong is found, and said, by the walk.
                if end_with_newline - 1 - start > limits.line_bytes_max
                    || flags.has(Flags::NON_ASCII) && check_utf8(bytes, start).is_err()
                {
                    break 'lines;
                }
                // A line at the end of the chunk may have been given a line end.
                let end_with_newline = end_with_newline.min(chunk.len());
                fitting += 1;
                let starts = stencils.traces.starts(traced);
                let text = FixedText { bytes, starts, form: stencil.form, flags, level: *level };
                let flow = visit.fixed(&FixedLine { start, end, end_with_newline, text }).unwrap_or_else(|| {
                    lazy.clear();
                    listed.clear();
                    let members = MemberSource::Known {
                        members: &stencil.members,
                        form: Some(stencil.form),
                        covers: Covers::All,
                        lazy,
                    };
                    let places = Places::Stencil(StencilTokens { stencil, starts, listed });
                    let parts = RecordParts { bytes, start, flags, level: *level, members, places };
                    visit.line(&Line { start, end, end_with_newline, content: Content::Record(Record(&parts)) })
                });
                if flow.is_break() {
                    return ControlFlow::Break(end_with_newline);
                }
                start = end_with_newline;
            }
        }
        if fitting > 0 {
            self.next_block_bytes = (self.next_block_bytes >> fitting.min(16)).max(BLOCK_BYTES_MIN);
        } else {
            self.stencils.note_miss();
        }
        ControlFlow::Continue(start)
    }

    /// Visits the first of the lines that were traced from `start` on as a run, if they are one. How many are done with.
    #[inline]
    fn visit_run(&self, chunk: &[u8], start: usize, visit: &mut impl Visit) -> usize {
        let traces = &self.stencils.traces;
        let alike = traces.alike();
        if alike < RUN_LINES_MIN {
            return 0;
        }
        let lines = &traces.lines()[..alike];
        let end = lines[alike - 1].end_with_newline as usize;
        let (stencil, flags) = self.stencils.get(&lines[0]);
        // All lines together are shorter than one may be.
        if flags != Flags::NONE || end - start > self.limits.line_bytes_max {
            return 0;
        }
        visit.run(&FixedRun {
            bytes: &chunk[..end],
            start,
            lines,
            starts: traces.all_starts(),
            pieces: traces.pieces_of_first(),
            form: stencil.form,
            level: self.level,
        })
    }

    /// Tries the last line of `chunk`, which is too near to the end to be looked at where it is. A line end is added to a
    /// line without one. Tells whether this is the last line, and a short one.
    fn trace_last_line(&mut self, chunk: &[u8], start: usize) -> bool {
        let line = &chunk[start..];
        if line.len() > LAST_LINE_BYTES_MAX || self.stencils.are_none() {
            return false;
        }
        let line = match memchr::memchr(b'\n', line) {
            Some(newline) if newline + 1 < line.len() => return false,
            Some(newline) => &line[..newline],
            None => line,
        };
        self.last_line[..line.len()].copy_from_slice(line);
        self.last_line[line.len()] = b'\n';
        let room = &self.last_line[..line.len() + 1 + REACH];
        self.stencils.trace_copy(self.level, room, start);
        true
    }

    /// Visits the lines from `start` to the end of `bytes`; breaks with the offset of the first line not visited.
    fn parse_block(&mut self, bytes: &[u8], start: usize, visit: &mut impl Visit) -> ControlFlow<usize> {
        self.index.clear();
        let mut carry = Carry::default();
        self.level.index(&bytes[start..], start as u32, &mut carry, &mut self.index);
        if bytes.last() != Some(&b'\n') {
            self.index.lines.push(crate::index::LineEnd {
                end: bytes.len() as u32,
                tokens_end: self.index.token_count as u32,
                flags: carry.flags,
            });
        }
        let mut line_start = start;
        let mut tokens_start = 0;
        for line in &self.index.lines {
            let newline = line.end as usize;
            let range = tokens_start..line.tokens_end as usize;
            let tokens = LineTokens { places: &self.index.tokens[range.clone()], kinds: &self.index.kinds[range] };
            let end = trimmed_end(&bytes[..newline], line_start);
            let bytes_to_end = &bytes[..end];
            let parts;
            let content = if newline - line_start > self.limits.line_bytes_max {
                Content::Invalid(too_long(line_start))
            } else if tokens.kinds.is_empty() {
                Content::Blank
            } else {
                self.lazy.clear();
                let members = match self.shapes.recognise(bytes, line_start..end, line.flags, tokens, self.level) {
                    Ok(known) => {
                        let (shape, deep) = self.shapes.shape(known);
                        self.stencils.meet(bytes, line_start..end, tokens, &shape.members);
                        Ok(MemberSource::Known {
                            members: &shape.members,
                            form: known.form,
                            covers: Covers::These(deep),
                            lazy: &self.lazy,
                        })
                    }
                    Err(unknown) => {
                        let members = &mut self.members;
                        let line_bytes = (bytes, line_start..end, line.flags);
                        let kinds = &self.index.kinds[tokens_start..];
                        let places = tokens.places;
                        let is_valid = if !self.is_faulty
                            && self.structure.read(self.level, line_bytes, places, kinds, members)
                        {
                            Ok(())
                        } else {
                            let source = &mut SliceTokens::new(tokens, 0);
                            walk(bytes_to_end, line_start, line.flags, self.level, source, &mut self.nesting, members)
                        };
                        self.is_faulty = is_valid.is_err();
                        is_valid.map(|()| {
                            self.shapes.learn(unknown, bytes_to_end, tokens, &self.members);
                            MemberSource::Walked(&self.members)
                        })
                    }
                };
                match members {
                    Ok(members) => {
                        parts = RecordParts {
                            bytes: bytes_to_end,
                            start: line_start,
                            flags: line.flags,
                            level: self.level,
                            members,
                            places: Places::Indexed(tokens),
                        };
                        Content::Record(Record(&parts))
                    }
                    Err(fault) => Content::Invalid(fault),
                }
            };
            let end_with_newline = bytes.len().min(newline + 1);
            if visit.line(&Line { start: line_start, end, end_with_newline, content }).is_break() {
                return ControlFlow::Break(end_with_newline);
            }
            line_start = end_with_newline;
            tokens_start = line.tokens_end as usize;
        }
        ControlFlow::Continue(())
    }

    /// Visits the one line from `start` to the end of `bytes`, indexing it while it is walked.
    #[cold]
    fn parse_long_line(&mut self, bytes: &[u8], start: usize, visit: &mut impl Visit) -> ControlFlow<usize> {
        let newline = line_end(bytes, start);
        let end = trimmed_end(&bytes[..newline], start);
        let bytes_to_end = &bytes[..end];
        // What it holds is not known yet.
        let flags = Flags::BACKSLASH | Flags::NON_ASCII | Flags::CONTROL;
        let parts;
        let content = if newline - start > self.limits.line_bytes_max {
            Content::Invalid(too_long(start))
        } else if bytes_to_end[start..].iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
            Content::Blank
        } else {
            let source = &mut WindowTokens::new(self.level, bytes_to_end, start);
            match walk(bytes_to_end, start, flags, self.level, source, &mut self.nesting, &mut self.members) {
                Ok(()) => {
                    let members = MemberSource::Walked(&self.members);
                    let places = Places::Windowed;
                    parts = RecordParts { bytes: bytes_to_end, start, flags, level: self.level, members, places };
                    Content::Record(Record(&parts))
                }
                Err(fault) => Content::Invalid(fault),
            }
        };
        let flow = visit.line(&Line { start, end, end_with_newline: bytes.len(), content });
        if self.members.capacity() > 1 << 16 {
            self.members = Vec::new();
        }
        if flow.is_break() { ControlFlow::Break(bytes.len()) } else { ControlFlow::Continue(()) }
    }
}

fn too_long(at: usize) -> Fault {
    Fault::new(FaultKind::LineTooLong, at, "a shorter line")
}

/// The end of the block of whole lines that starts at `start`: at most `block_bytes` long, or one longer line.
fn block_end(chunk: &[u8], start: usize, block_bytes: usize) -> usize {
    let limit = start + block_bytes;
    if limit >= chunk.len() {
        return chunk.len();
    }
    match memchr::memrchr(b'\n', &chunk[start..limit]) {
        Some(newline) => start + newline + 1,
        None => chunk.len().min(limit + line_end(&chunk[limit..], 0) + 1),
    }
}

/// The offset of the `\n` of the line that `start` is in, or of the end.
fn line_end(bytes: &[u8], start: usize) -> usize {
    memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |length| start + length)
}

/// The end of a line without the `\r` that stand before its end.
#[inline]
fn trimmed_end(bytes: &[u8], start: usize) -> usize {
    let mut end = bytes.len();
    while end > start && bytes[end - 1] == b'\r' {
        end -= 1;
    }
    end
}
