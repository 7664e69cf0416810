//! Reading an export into its index: lines are read and hashed by the workers, noted in the order of the file, and put
//! into the table by several threads at the end.

use std::ops::ControlFlow;

use hubmill_device::{Code, Member, WORDS, is_system_module};
use hubmill_parser::{Content, FaultKind, Level, Limits, Line, Parser, Record};
use hubmill_pipeline::{Drain, Flow, Options, Piece, Work, fault_finding, is_notice, notice_text, run, shown};
use hubmill_reader::{Input, Part};
use hubmill_rules::{Check, CheckScratch, Checker, Finding, Policy};

use crate::entry::{Entry, NONE, Number};
use crate::error::Error;
use crate::index::{Counts, How, Oddity, Registry};
use crate::keys::{Keys, Table};
use crate::line::DeviceLine;
use crate::places::Places;

/// More threads than this would wait for memory.
const FILLING_THREADS_MAX: usize = 8;
/// Room that a batch keeps, in entries.
const ENTRIES_KEPT: usize = 16 * 1024;

pub(crate) fn build(input: Input, how: &How, progress: impl FnMut(u64) + Send) -> Result<Registry, Error> {
    let keys = Keys::default();
    let policy = Policy::new(&[Code::StatusMissing], &[]).expect("a code that can be allowed");
    let reading =
        Reading { checker: Checker::new(Check::Id, policy), limits: how.limits, level: how.level, keys: &keys };
    let mut noting = Noting {
        input: &input,
        entries: Vec::new(),
        counts: Counts::default(),
        first_invalid: None,
        first_ambiguous: None,
        line_counts: Vec::new(),
        progress,
    };
    run(&input, Options { once: false, ..how.options }, &reading, &mut noting)?;
    let Noting { mut entries, mut counts, first_invalid, first_ambiguous, line_counts, .. } = noting;
    entries.shrink_to_fit();
    let threads = how.options.threads.clamp(1, FILLING_THREADS_MAX);
    let table = fill(&input, &mut entries, threads)?;
    link(&input, &mut entries, &table, &keys, &mut counts, threads)?;
    input.check()?;
    Ok(Registry { input, entries, table, keys, counts, first_invalid, first_ambiguous, line_counts })
}

/// What the workers do.
struct Reading<'k> {
    checker: Checker,
    limits: Limits,
    level: Level,
    keys: &'k Keys,
}

/// What one thread needs.
struct Scratch {
    parser: Parser,
    check: CheckScratch,
}

/// What comes out of a piece.
#[derive(Default)]
struct Batch {
    entries: Vec<Entry>,
    counts: Counts,
    first_invalid: Option<Oddity>,
    first_ambiguous: Option<Oddity>,
}

impl Work for Reading<'_> {
    type Scratch = Scratch;
    type Batch = Batch;

    fn scratch(&self) -> Scratch {
        Scratch { parser: Parser::new(self.level, self.limits).with_words(&WORDS), check: CheckScratch::default() }
    }

    fn batch(&self) -> Batch {
        Batch::default()
    }

    fn clear(&self, batch: &mut Batch) {
        batch.entries.clear();
        batch.entries.shrink_to(ENTRIES_KEPT);
        batch.counts = Counts::default();
        (batch.first_invalid, batch.first_ambiguous) = (None, None);
    }

    fn work(&self, scratch: &mut Scratch, piece: Piece<'_>, from: usize, _: u64, batch: &mut Batch) -> usize {
        let at_start = piece.is_start(from);
        let from = piece.after_mark(from);
        if let Part::LongLine { first, .. } = piece.part {
            if first {
                batch.counts.lines += 1;
                let message = format!("the line is longer than {} bytes", self.limits.line_bytes_max);
                self.invalid(batch, piece, from, message, true);
            }
            return piece.bytes.len();
        }
        let Scratch { parser, check } = scratch;
        parser.parse(piece.bytes, from, |line| {
            batch.counts.lines += 1;
            match &line.content {
                Content::Record(record) => self.note(check, record, line, piece, batch),
                Content::Blank => batch.counts.blank += 1,
                Content::Invalid(fault) if at_start && line.start == from && is_notice(piece.bytes, line, *fault) => {
                    batch.counts.notices += 1;
                    batch.counts.notice = Some(notice_text(&piece.bytes[line.start..line.end]));
                }
                Content::Invalid(fault) => {
                    let finding = fault_finding(*fault, &piece.bytes[..line.end], self.limits);
                    let is_ambiguous = matches!(fault.kind, FaultKind::LineTooLong | FaultKind::Depth);
                    self.invalid_finding(batch, piece, &finding, None, is_ambiguous);
                }
            }
            ControlFlow::Continue(())
        })
    }
}

impl Reading<'_> {
    #[inline]
    fn note(
        &self,
        check: &mut CheckScratch,
        record: &Record<'_>,
        line: &Line<'_>,
        piece: Piece<'_>,
        batch: &mut Batch,
    ) {
        let facts = self.checker.check(check, record);
        let is_in_other_case = [Member::Id, Member::ModuleId].into_iter().find(|id| check.variants().contains(*id));
        let (Some(id), false, None) = (facts.id, check.has_errors(), is_in_other_case) else {
            let fault = check.findings().iter().find(|finding| finding.severity == hubmill_device::Severity::Error);
            let id = facts.id.and_then(|id| record.text(id)).map(|id| shown(&id));
            match fault {
                Some(finding) => {
                    let is_ambiguous = finding.code == Code::DuplicateMember || is_in_other_case.is_some();
                    self.invalid_finding(batch, piece, finding, id.as_deref(), is_ambiguous);
                }
                None => {
                    let message = match is_in_other_case {
                        Some(member) => format!("{0} stands in another case; it must be {0:?}", member.name()),
                        None => "the line has no id".to_owned(),
                    };
                    self.invalid(batch, piece, line.start, message, is_in_other_case.is_some());
                }
            }
            return;
        };
        let (Some(id_text), module_text) = (record.text(id), facts.module_id.and_then(|id| record.text(id))) else {
            return;
        };
        let hash = self.keys.hash(&id_text, module_text.as_deref());
        let mut flags = 0;
        if check.get(record, Member::ImportMode).is_some() {
            batch.counts.with_mode += 1;
        }
        if facts.module_id.is_none() {
            let capabilities = check.get(record, Member::Capabilities).map(|member| record.bytes(member.value));
            let scope = check.get(record, Member::DeviceScope).map(|member| record.bytes(member.value));
            let has_scope = !matches!(scope, None | Some(b"null" | b"\"\""));
            // As the hub writes it, or looked at more closely.
            let is_edge = match capabilities {
                None | Some(br#"{"iotEdge":false}"#) => false,
                Some(br#"{"iotEdge":true}"#) => true,
                Some(_) => DeviceLine::new(record.chunk(), Places::of(record)).is_edge(),
            };
            flags |= if is_edge { Entry::EDGE } else { 0 };
            flags |= if has_scope && !is_edge { Entry::CHILD } else { 0 };
        }
        if module_text.is_some_and(|module_id| is_system_module(&module_id)) {
            flags |= Entry::SYSTEM;
        }
        let place = (line.start, line.end - line.start);
        batch.entries.push(Entry::new((piece.bytes, piece.offset), place, hash, (id, facts.module_id), flags));
    }

    #[cold]
    fn invalid_finding(
        &self,
        batch: &mut Batch,
        piece: Piece<'_>,
        finding: &Finding,
        id: Option<&str>,
        is_ambiguous: bool,
    ) {
        let name = finding.path_end(piece.bytes).map(|name| shown(&name));
        self.invalid(batch, piece, finding.at as usize, finding.message(id, name.as_deref()), is_ambiguous);
    }

    /// Counts a line that is no device; `is_ambiguous` where the hub may read it all the same.
    #[cold]
    fn invalid(&self, batch: &mut Batch, piece: Piece<'_>, at: usize, message: String, is_ambiguous: bool) {
        batch.counts.invalid += 1;
        let (line, byte) = (batch.counts.lines, piece.offset + at as u64);
        if is_ambiguous {
            batch.counts.ambiguous += 1;
            batch.first_ambiguous.get_or_insert(Oddity { line, byte, message: message.clone() });
        }
        batch.first_invalid.get_or_insert(Oddity { line, byte, message });
    }
}

/// Takes what comes out of the pieces, in the order of the file.
struct Noting<'i, P> {
    input: &'i Input,
    entries: Vec<Entry>,
    counts: Counts,
    first_invalid: Option<Oddity>,
    first_ambiguous: Option<Oddity>,
    /// Of each piece: where it starts, and how many lines are before it.
    line_counts: Vec<(u64, u64)>,
    progress: P,
}

impl<P: FnMut(u64) + Send> Drain<Batch> for Noting<'_, P> {
    type Error = Error;

    fn drain(&mut self, piece: Piece<'_>, from: usize, batch: &Batch) -> Result<Flow, Error> {
        self.entries.extend_from_slice(&batch.entries);
        if self.entries.len() >= NONE as usize {
            return Err(Error::TooManyLines { input: self.input.name().to_owned(), max: u64::from(NONE) - 1 });
        }
        for (own, first) in
            [(&mut self.first_invalid, &batch.first_invalid), (&mut self.first_ambiguous, &batch.first_ambiguous)]
        {
            if let (None, Some(first)) = (&own, first) {
                *own = Some(Oddity { line: self.counts.lines + first.line, ..first.clone() });
            }
        }
        if from == 0 {
            self.line_counts.push((piece.offset, self.counts.lines));
        }
        let counts = &mut self.counts;
        for (sum, more) in [
            (&mut counts.lines, batch.counts.lines),
            (&mut counts.invalid, batch.counts.invalid),
            (&mut counts.ambiguous, batch.counts.ambiguous),
            (&mut counts.notices, batch.counts.notices),
            (&mut counts.blank, batch.counts.blank),
            (&mut counts.with_mode, batch.counts.with_mode),
        ] {
            *sum += more;
        }
        if batch.counts.notice.is_some() {
            counts.notice.clone_from(&batch.counts.notice);
        }
        if from == 0 {
            counts.bytes += piece.bytes.len() as u64;
            (self.progress)(piece.bytes.len() as u64);
        }
        Ok(Flow::Continue)
    }
}

/// Puts all entries into a table, and marks those whose ids an earlier one has.
fn fill(input: &Input, entries: &mut [Entry], threads: usize) -> Result<Table, Error> {
    let mut table = Table::for_hashes(entries.iter().map(|entry| entry.hash));
    let parts = table.parts_mut();
    let each = parts.len().div_ceil(threads);
    let all: &[Entry] = entries;
    let repeated = std::thread::scope(|scope| {
        // Each thread goes through all entries and takes those of its parts: in the order of the file.
        let fill_parts = |first: usize, parts: &mut [Vec<u32>]| -> Result<Vec<Number>, Error> {
            let mut repeated = Vec::new();
            let (mut room, mut other_room) = (Vec::new(), Vec::new());
            for (number, entry) in all.iter().enumerate() {
                let Some(part) = Table::part_of(entry.hash).checked_sub(first).and_then(|part| parts.get_mut(part))
                else {
                    continue;
                };
                let is_same = |other: Number| {
                    let other = &all[other as usize];
                    if other.hash != entry.hash {
                        return Ok(false);
                    }
                    entry.with_ids(input, &mut room, |id, module_id| {
                        other.has_ids(input, &mut other_room, id, module_id)
                    })?
                };
                if Table::insert_into(part, entry.hash, number as Number, is_same)?.is_some() {
                    repeated.push(number as Number);
                }
            }
            Ok(repeated)
        };
        let mut chunks = parts.chunks_mut(each).enumerate();
        let own = chunks.next();
        let others: Vec<_> =
            chunks.map(|(number, parts)| scope.spawn(move || fill_parts(number * each, parts))).collect();
        let mut results = vec![own.map_or(Ok(Vec::new()), |(_, parts)| fill_parts(0, parts))];
        results.extend(others.into_iter().map(|thread| match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }));
        results.into_iter().collect::<Result<Vec<_>, _>>()
    })?;
    for number in repeated.into_iter().flatten() {
        entries[number as usize].set(Entry::REPEATED);
    }
    Ok(table)
}

/// Ties modules to their devices, and counts what there is.
fn link(
    input: &Input,
    entries: &mut [Entry],
    table: &Table,
    keys: &Keys,
    counts: &mut Counts,
    threads: usize,
) -> Result<(), Error> {
    let all: &[Entry] = entries;
    let find_devices = |range: std::ops::Range<usize>| -> Result<Vec<(Number, Number)>, Error> {
        let mut found = Vec::new();
        let (mut room, mut other_room) = (Vec::new(), Vec::new());
        for number in range {
            let module = &all[number];
            if !module.is_module() || module.is_repeated() {
                continue;
            }
            let device = module.with_ids(input, &mut room, |id, _| {
                let hash = keys.hash(id, None);
                for other in table.candidates(hash) {
                    let device = &all[other as usize];
                    if device.hash == hash && device.has_ids(input, &mut other_room, id, None)? {
                        return Ok(other);
                    }
                }
                Ok::<_, Error>(NONE)
            })??;
            found.push((number as Number, device));
        }
        Ok(found)
    };
    let each = all.len().div_ceil(threads).max(1);
    let found = std::thread::scope(|scope| {
        let starts = (0..all.len()).step_by(each).skip(1);
        let ranges = starts.map(|start| start..(start + each).min(all.len()));
        let find_devices = &find_devices;
        let others: Vec<_> = ranges.map(|range| scope.spawn(move || find_devices(range))).collect();
        let mut results = vec![find_devices(0..each.min(all.len()))];
        results.extend(others.into_iter().map(|thread| match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }));
        results.into_iter().collect::<Result<Vec<_>, _>>()
    })?;
    // From the last to the first, each before the ones that follow it.
    for (module, device) in found.into_iter().flatten().rev() {
        entries[module as usize].link = device;
        match entries.get_mut(device as usize) {
            Some(device_entry) => {
                let next = std::mem::replace(&mut device_entry.link, module);
                entries[module as usize].next = next;
            }
            None => counts.orphans += 1,
        }
    }
    for entry in entries.iter() {
        let count = match () {
            () if entry.is_repeated() => &mut counts.repeated,
            () if entry.is_module() => &mut counts.modules,
            () => &mut counts.devices,
        };
        *count += 1;
        counts.edge += u64::from(entry.is_edge() && !entry.is_repeated());
    }
    Ok(())
}
