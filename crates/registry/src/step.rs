//! What the workers make of an import's lines: everything about a line that does not depend on the lines before it. What it
//! is about is looked up in the export, and compared with it.

use std::ops::{ControlFlow, Range};

use hubmill_device::{Code, ImportMode, Severity, WORDS, is_system_module};
use hubmill_parser::{Content, Fault, FaultKind, Level, Limits, Line, Parser, Record};
use hubmill_pipeline::{Piece, Work, fault_finding, is_notice, notice_text, shown};
use hubmill_reader::Part;
use hubmill_rules::{Check, CheckScratch, Checker, Finding, Policy};

use crate::compare::{Comparison, Sections, View, compare, describe};
use crate::entry::{Entry, NONE, Number};
use crate::error::Error;
use crate::index::{How, Registry};
use crate::line::DeviceLine;
use crate::outcome::{Doubt, Failure};
use crate::places::LineReader;

/// What can be said of a line before it is its turn.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Asks {
    /// It asks for what its mode says.
    ForIts(ImportMode),
    /// It fails, whatever is there.
    Fails(Failure),
    /// It is not known what becomes of it, whatever is there; with its mode, where that is known.
    IsNotKnown(Doubt, Option<ImportMode>),
}

/// A line of the import.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Its place, and its ids.
    pub(crate) entry: Entry,
    /// Whether its ids are known.
    pub(crate) has_ids: bool,
    /// The line's number in its batch, from 1.
    pub(crate) line: u64,
    /// The hash of the device's id.
    pub(crate) device_hash: u64,
    /// What it is about, where that is in the export.
    pub(crate) target: Number,
    /// The device, where that is in the export.
    pub(crate) device: Number,
    pub(crate) asks: Asks,
    /// It has an `eTag`, and a `twinETag`.
    pub(crate) has_etags: [bool; 2],
    /// The hub would make keys.
    pub(crate) needs_keys: bool,
    /// The sections of the twin that it has.
    pub(crate) sections: Sections,
    /// How it compares with what the export has.
    pub(crate) comparison: Option<Comparison>,
    /// What is to be said about it, among the texts of the batch.
    pub(crate) text: Range<u32>,
}

/// Between the parts of a text that lists.
pub(crate) const SEPARATOR: &str = "\u{1f}";

/// How lines are looked at.
pub(crate) struct Stepping<'r> {
    registry: &'r Registry,
    checker: Checker,
    limits: Limits,
    level: Level,
    /// What changes is to be said in words.
    describes: bool,
    /// Why lines fail is to be said in words.
    gives_reasons: bool,
}

/// What one thread needs.
pub(crate) struct Scratch {
    parser: Parser,
    check: CheckScratch,
    reader: LineReader,
    rooms: [Vec<u8>; 2],
}

/// What comes out of a piece.
#[derive(Default)]
pub(crate) struct Steps {
    pub(crate) steps: Vec<Step>,
    /// What is to be said about them.
    pub(crate) texts: String,
    pub(crate) lines: u64,
    pub(crate) blank: u64,
    pub(crate) notice: Option<String>,
    pub(crate) bom: bool,
    /// Why a line could not be looked up.
    pub(crate) error: Option<String>,
}

/// Room that a batch keeps, in steps and in bytes.
const STEPS_KEPT: usize = 8 * 1024;
const TEXT_KEPT: usize = 1 << 20;
/// Steps and bytes of text that make a batch full.
const STEPS_MAX: usize = 32 * 1024;
const TEXT_MAX: usize = 4 << 20;

impl Work for Stepping<'_> {
    type Scratch = Scratch;
    type Batch = Steps;

    fn scratch(&self) -> Scratch {
        Scratch {
            parser: Parser::new(self.level, self.limits).with_words(&WORDS),
            check: CheckScratch::default(),
            reader: LineReader::new(self.level, self.limits),
            rooms: Default::default(),
        }
    }

    fn batch(&self) -> Steps {
        Steps::default()
    }

    fn clear(&self, batch: &mut Steps) {
        batch.steps.clear();
        batch.steps.shrink_to(STEPS_KEPT);
        batch.texts.clear();
        batch.texts.shrink_to(TEXT_KEPT);
        (batch.lines, batch.blank, batch.notice, batch.bom, batch.error) = (0, 0, None, false, None);
    }

    fn work(&self, scratch: &mut Scratch, piece: Piece<'_>, from: usize, _: u64, batch: &mut Steps) -> usize {
        let at_start = piece.is_start(from);
        let before_mark = from;
        let from = piece.after_mark(from);
        batch.bom = from > before_mark;
        if let Part::LongLine { first, .. } = piece.part {
            if first {
                batch.lines += 1;
                let start = piece.offset + from as u64;
                let line = batch.lines;
                batch.steps.push(Step::without_ids(start, 0, line, Asks::IsNotKnown(Doubt::LineTooLong, None)));
            }
            return piece.bytes.len();
        }
        let Scratch { parser, check, reader, rooms } = scratch;
        parser.parse(piece.bytes, from, |line| {
            batch.lines += 1;
            match &line.content {
                Content::Record(record) => {
                    if let Err(error) = self.look_at_record(check, reader, rooms, record, line, piece, batch) {
                        batch.error = Some(error.to_string());
                        return ControlFlow::Break(());
                    }
                }
                Content::Blank => batch.blank += 1,
                Content::Invalid(fault) if at_start && line.start == from && is_notice(piece.bytes, line, *fault) => {
                    batch.notice = Some(notice_text(&piece.bytes[line.start..line.end]));
                }
                Content::Invalid(fault) => self.look_at_invalid(*fault, line, piece, batch),
            }
            let is_full = batch.steps.len() >= STEPS_MAX || batch.texts.len() >= TEXT_MAX;
            if is_full { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
    }
}

impl Step {
    fn without_ids(start: u64, length: usize, line: u64, asks: Asks) -> Self {
        Self {
            entry: Entry::without_ids(start, length),
            has_ids: false,
            line,
            device_hash: 0,
            target: NONE,
            device: NONE,
            asks,
            has_etags: [false; 2],
            needs_keys: false,
            sections: Sections::default(),
            comparison: None,
            text: 0..0,
        }
    }
}

impl<'r> Stepping<'r> {
    pub(crate) fn new(registry: &'r Registry, how: &How, describes: bool, gives_reasons: bool) -> Self {
        // Counts and hints that have no bearing on what an import does.
        let allowed = [Code::KeysRotate, Code::KeysByHub, Code::KeysMissing, Code::UnknownMember, Code::EnumCase];
        let policy = Policy::new(&allowed, &[]).expect("codes that can be allowed");
        let checker = Checker::new(Check::Full, policy);
        Self { registry, checker, limits: how.limits, level: how.level, describes, gives_reasons }
    }

    #[cold]
    fn look_at_invalid(&self, fault: Fault, line: &Line<'_>, piece: Piece<'_>, batch: &mut Steps) {
        let finding = fault_finding(fault, &piece.bytes[..line.end], self.limits);
        let asks = match fault.kind {
            FaultKind::LineTooLong => Asks::IsNotKnown(Doubt::LineTooLong, None),
            FaultKind::Depth => Asks::IsNotKnown(Doubt::Depth, None),
            _ => Asks::Fails(Failure::Unreadable(finding.code)),
        };
        let start = piece.offset + line.start as u64;
        let mut step = Step::without_ids(start, line.end - line.start, batch.lines, asks);
        if self.gives_reasons {
            step.text = batch.say(&finding.message(None, None));
        }
        batch.steps.push(step);
    }

    #[expect(clippy::too_many_arguments, reason = "parts of one scratch, borrowed one by one")]
    #[inline]
    fn look_at_record(
        &self,
        check: &mut CheckScratch,
        reader: &mut LineReader,
        rooms: &mut [Vec<u8>; 2],
        record: &Record<'_>,
        line: &Line<'_>,
        piece: Piece<'_>,
        batch: &mut Steps,
    ) -> Result<(), Error> {
        let facts = self.checker.check(check, record);
        let start = piece.offset + line.start as u64;
        let mut step =
            Step::without_ids(start, line.end - line.start, batch.lines, Asks::ForIts(ImportMode::default()));
        step.asks = match facts.mode {
            Some(mode) => Asks::ForIts(mode),
            None => Asks::IsNotKnown(Doubt::MemberCase, None),
        };
        if let Some((asks, finding)) = judge(check.findings(), facts.mode, piece.bytes) {
            step.asks = asks;
            if self.gives_reasons {
                let id = facts.id.and_then(|id| record.text(id)).map(|id| shown(&id));
                let name = finding.path_end(piece.bytes).map(|name| shown(&name));
                step.text = batch.say(&finding.message(id.as_deref(), name.as_deref()));
            }
        }
        let Some(id) = facts.id else {
            batch.steps.push(step);
            return Ok(());
        };
        let (Some(id_text), module_text) = (record.text(id), facts.module_id.and_then(|id| record.text(id))) else {
            return Ok(());
        };
        let registry = self.registry;
        let hash = registry.keys.hash(&id_text, module_text.as_deref());
        step.device_hash = if module_text.is_some() { registry.keys.hash(&id_text, None) } else { hash };
        let is_system = module_text.as_deref().is_some_and(is_system_module);
        let flags = [
            (facts.is_edge, Entry::EDGE),
            (facts.has_scope && !facts.is_edge, Entry::CHILD),
            (is_system, Entry::SYSTEM),
        ];
        let flags = flags.into_iter().filter(|(is, _)| *is).fold(0, |flags, (_, flag)| flags | flag);
        let place = (line.start, line.end - line.start);
        step.entry = Entry::new((piece.bytes, piece.offset), place, hash, (id, facts.module_id), flags);
        step.has_ids = true;
        step.target = registry.find_hash(hash, &id_text, module_text.as_deref(), &mut rooms[0])?.unwrap_or(NONE);
        step.device = match &module_text {
            None => step.target,
            Some(_) if step.target != NONE && registry.device_of(step.target).is_some() => {
                registry.device_of(step.target).unwrap_or(NONE)
            }
            Some(_) => registry.find_hash(step.device_hash, &id_text, None, &mut rooms[0])?.unwrap_or(NONE),
        };
        if let Asks::ForIts(mode) = step.asks {
            let own = DeviceLine::new(record.chunk(), reader.places(record));
            step.has_etags =
                [hubmill_device::Member::ETag, hubmill_device::Member::TwinETag].map(|etag| own.etag(etag).is_some());
            if !mode.is_delete() {
                step.needs_keys = !mode.is_update_twin() && own.authentication().needs_keys();
                step.sections = Sections::of(&own);
            }
            let is_compared = match mode {
                ImportMode::Create => false,
                ImportMode::Delete => false,
                _ => step.target != NONE,
            };
            if is_compared {
                self.compare(reader, &mut rooms[0], record.line(), &own, mode, &mut step, batch)?;
            }
        }
        batch.steps.push(step);
        Ok(())
    }

    /// Compares a line with what the export has.
    #[inline]
    #[expect(clippy::too_many_arguments, reason = "parts of one scratch, borrowed one by one")]
    fn compare(
        &self,
        reader: &mut LineReader,
        room: &mut Vec<u8>,
        bytes: &[u8],
        own: &DeviceLine<'_>,
        mode: ImportMode,
        step: &mut Step,
        batch: &mut Steps,
    ) -> Result<(), Error> {
        let exported = self.registry.line(step.target, room)?;
        let view = match () {
            () if exported == bytes => View::of(*own),
            // A mapped file may have changed; what is read of it is asked for at the end.
            () => match reader.read(exported) {
                Some(line) => View::of(line),
                None => return Ok(()),
            },
        };
        let comparison = compare(&view, own);
        if self.describes {
            let all = describe(&view, own, &comparison, !mode.is_update_twin());
            step.text = batch.say(&all.join(SEPARATOR));
        }
        step.comparison = Some(comparison);
        Ok(())
    }
}

impl Steps {
    fn say(&mut self, text: &str) -> Range<u32> {
        let start = self.texts.len() as u32;
        self.texts.push_str(text);
        start..self.texts.len() as u32
    }

    /// What is to be said about a step.
    pub(crate) fn text(&self, step: &Step) -> &str {
        self.texts.get(step.text.start as usize..step.text.end as usize).unwrap_or_default()
    }
}

/// What findings mean for a line: the gravest one.
#[inline]
fn judge<'f>(findings: &'f [Finding], mode: Option<ImportMode>, chunk: &[u8]) -> Option<(Asks, &'f Finding)> {
    if findings.is_empty() {
        return None;
    }
    // A line that has its mode twice, or in another case, may ask for something else than what was read (§1.5).
    let is_open = |name| findings.iter().any(|finding| is_second_name(finding, name, chunk));
    let mode = mode.filter(|_| !is_open("importMode"));
    findings
        .iter()
        // An id by another name is one to the hub, probably (§1.5).
        .filter(|finding| finding.code != Code::IdMissing || !is_open("id"))
        .filter_map(|finding| meaning(finding, mode).map(|(grave, asks)| (grave, asks, finding)))
        .min_by_key(|(grave, ..)| *grave)
        .map(|(_, asks, finding)| (asks, finding))
}

/// Whether a finding is about a member of this name that stands twice, or in another case.
#[cold]
fn is_second_name(finding: &Finding, name: &str, chunk: &[u8]) -> bool {
    matches!(finding.code, Code::DuplicateMember | Code::MemberCase)
        && finding.path.is_empty()
        && finding.path_end(chunk).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
}

/// What a finding means, and how grave that is: 0 is the gravest. `mode` is `None` where it can't be told.
///
/// A delete uses the ids, the mode, and the eTag where it compares one; of the rest no source says that the hub looks at it
/// (§2, and the delete with short keys in §7). Whatever is wrong there must not hide that a line deletes.
#[cold]
fn meaning(finding: &Finding, mode: Option<ImportMode>) -> Option<(u8, Asks)> {
    let code = finding.code;
    let is_error = finding.severity == Severity::Error;
    let may_delete = mode.is_none_or(ImportMode::is_delete);
    let writes_identity = mode.is_none_or(ImportMode::writes_identity);
    let is_used = match finding.path {
        "id" | "moduleId" | "importMode" | "status" => true,
        "eTag" => mode.is_none_or(ImportMode::is_if_match),
        _ => !may_delete,
    };
    let unreadable = Some((0, Asks::Fails(Failure::Unreadable(code))));
    let refused = Some((2, Asks::Fails(Failure::Refused(code))));
    let doubt = |doubt| Some((3, Asks::IsNotKnown(doubt, mode)));
    match code {
        Code::MemberType if !is_used => Some((4, Asks::IsNotKnown(Doubt::MemberType, mode))),
        Code::IdMissing | Code::MemberType | Code::StatusMissing | Code::StatusValue | Code::ImportModeValue => {
            unreadable
        }
        Code::AuthenticationType if is_error => unreadable,
        Code::ModuleIdReserved if is_error => Some((1, Asks::Fails(Failure::SystemModule))),
        Code::ModuleIdReserved => doubt(Doubt::SystemModuleTwin),
        Code::DuplicateMember => doubt(Doubt::MemberTwice),
        Code::MemberCase => doubt(Doubt::MemberCase),
        Code::ParentScopes if writes_identity => doubt(Doubt::ParentScopes),
        Code::AuthenticationNone if writes_identity => doubt(Doubt::AuthenticationNone),
        Code::TypeBeforeThumbprint if writes_identity => doubt(Doubt::TypeBeforeThumbprint),
        Code::IdCharset | Code::IdLength | Code::ModuleIdCharset | Code::ModuleIdLength if is_error => refused,
        // What follows is about what a delete does not use.
        _ if may_delete => None,
        Code::AuthenticationConflict if is_error => refused,
        Code::AuthenticationConflict if writes_identity => doubt(Doubt::Authentication),
        Code::TwinNull => doubt(Doubt::TwinNull),
        Code::TagsSize | Code::DesiredSize | Code::ReportedSize | Code::TwinStringLength if !is_error => {
            doubt(Doubt::TwinSize)
        }
        Code::StatusReasonLength
        | Code::KeyBase64
        | Code::KeyLength
        | Code::KeyHalf
        | Code::ThumbprintFormat
        | Code::ThumbprintMismatch
        | Code::TagsSize
        | Code::DesiredSize
        | Code::ReportedSize
        | Code::TwinKeyCharset
        | Code::TwinKeyLength
        | Code::TwinStringLength
        | Code::TwinDepth
        | Code::TwinIntegerRange
            if is_error =>
        {
            refused
        }
        _ => None,
    }
}
