//! From findings to words, and what the first line may be: shared by all work that looks at lines.

use hubmill_device::{Code, Severity, TextKind, redacted};
use hubmill_parser::{Fault, FaultKind, Limits, Line};
use hubmill_rules::{Detail, Finding, PlannedFinding};

use crate::Piece;
use crate::batch::{Diagnostic, Tally};

/// Findings of each code that are kept from one batch: all that people are shown at most.
pub const DIAGNOSTICS_SHOWN_MAX: u32 = 10;
/// Findings that make a batch full, where all are kept.
pub(crate) const DIAGNOSTICS_MAX: usize = 2048;
/// How much of a notice is looked at, in bytes.
const NOTICE_READ_BYTES_MAX: usize = 4096;
/// How much of a notice is shown, in characters.
const NOTICE_CHARACTERS_MAX: usize = 400;
/// How much of an id or a name is shown, in characters.
const SHOWN_CHARACTERS_MAX: usize = 160;

/// From where on findings of a code need no words any more, since enough before them have some: by code, the offset of the
/// first piece that had as many as are shown.
///
/// It stays with a batch from piece to piece: a batch only ever goes on to later ones.
#[derive(Clone, Debug)]
pub(crate) struct Enough([u64; Code::COUNT]);

impl Default for Enough {
    fn default() -> Self {
        Self([u64::MAX; Code::COUNT])
    }
}

/// Where findings of a batch go.
pub(crate) struct Notes<'b> {
    pub(crate) tally: &'b mut Tally,
    pub(crate) diagnostics: &'b mut Vec<Diagnostic>,
    pub(crate) enough: &'b mut Enough,
    /// All findings are kept, not only the first of each code.
    pub(crate) all: bool,
}

impl Notes<'_> {
    /// Counts a finding about the line `line` of the batch, and keeps it where it will be shown.
    #[inline]
    pub(crate) fn add(&mut self, finding: Finding, id: Option<&[u8]>, piece: Piece<'_>, line: u64) {
        if self.count(finding.code, finding.severity, piece) {
            self.keep(finding, finding.path_end(piece.bytes).as_deref(), id, piece, line);
        }
    }

    /// As [`Notes::add`], with what ends the path: the finding may be about text that is not in the piece.
    pub(crate) fn add_with_path(
        &mut self,
        finding: Finding,
        path_end: Option<&[u8]>,
        id: Option<&[u8]>,
        piece: Piece<'_>,
        line: u64,
    ) {
        if self.count(finding.code, finding.severity, piece) {
            self.keep(finding, path_end, id, piece, line);
        }
    }

    /// As [`Notes::add`], of what is found in every line that follows a recipe; `found` tells the finding, and the id of the line,
    /// where it will be shown.
    #[inline]
    pub(crate) fn add_planned<'l>(
        &mut self,
        planned: &PlannedFinding,
        piece: Piece<'_>,
        line: u64,
        found: impl FnOnce() -> (Finding, Option<&'l [u8]>),
    ) {
        if self.count(planned.code(), planned.severity(), piece) {
            let (finding, id) = found();
            self.keep(finding, None, id, piece, line);
        }
    }

    /// Whether no more findings of these will be shown: it is enough to count them.
    pub(crate) fn are_enough(&self, planned: &[PlannedFinding], piece: Piece<'_>) -> bool {
        planned.iter().all(|planned| planned.severity() == Severity::Count || self.is_enough(planned.code(), piece))
    }

    /// Whether no more findings of this code will be shown.
    #[inline]
    fn is_enough(&self, code: Code, piece: Piece<'_>) -> bool {
        let shown = self.tally.of(code) >= u64::from(DIAGNOSTICS_SHOWN_MAX);
        !self.all && (shown || self.enough.0[code as usize] < piece.offset)
    }

    /// Counts a finding of this code; whether it will be shown.
    #[inline]
    fn count(&mut self, code: Code, severity: Severity, piece: Piece<'_>) -> bool {
        if severity == Severity::Count {
            self.tally.count(code);
            return false;
        }
        let is_enough = self.is_enough(code, piece);
        let number = self.tally.count_finding(code, severity);
        if number == u64::from(DIAGNOSTICS_SHOWN_MAX) && !is_enough {
            let enough = &mut self.enough.0[code as usize];
            *enough = piece.offset.min(*enough);
        }
        !is_enough
    }

    /// Keeps a finding in words.
    #[cold]
    fn keep(&mut self, finding: Finding, path_end: Option<&[u8]>, id: Option<&[u8]>, piece: Piece<'_>, line: u64) {
        let id = id.and_then(hubmill_parser::string_text).map(|id| shown(&id));
        let name = path_end.map(shown);
        let path = match (&name, finding.path) {
            (None, path) => path.to_owned(),
            (Some(name), "") => name.clone(),
            (Some(name), path) => format!("{path}.{name}"),
        };
        self.diagnostics.push(Diagnostic {
            severity: finding.severity,
            code: finding.code,
            line,
            byte: piece.offset + u64::from(finding.at),
            message: finding.message(id.as_deref(), name.as_deref()),
            hint: finding.detail.hint(),
            id,
            path,
        });
    }
}

/// What to say about a line that is no record.
pub fn fault_finding(fault: Fault, bytes_to_end: &[u8], limits: Limits) -> Finding {
    let rest = bytes_to_end.get(fault.at as usize..).unwrap_or_default();
    let found = rest.first().copied();
    let (code, detail) = match fault.kind {
        FaultKind::Escape => {
            // The byte that is wrong: the one after the backslash, or after `\u` the first that is no digit.
            let digits = rest.iter().skip(2).take_while(|byte| byte.is_ascii_hexdigit()).count();
            let wrong = if rest.get(1) == Some(&b'u') { 2 + digits } else { 1 };
            (Code::JsonSyntax, Detail::Json { expected: fault.expected, found: rest.get(wrong).copied() })
        }
        FaultKind::Syntax => (Code::JsonSyntax, Detail::Json { expected: fault.expected, found }),
        FaultKind::Utf8 => (Code::JsonUtf8, Detail::Json { expected: fault.expected, found }),
        FaultKind::Depth => (Code::JsonDepth, Detail::Depth(limits.depth_max)),
        FaultKind::LineTooLong => (Code::LineTooLong, Detail::LineBytes(limits.line_bytes_max)),
        FaultKind::NotAnObject if found == Some(b'[') => (Code::NotAnObject, Detail::LineArray),
        FaultKind::NotAnObject => {
            (Code::NotAnObject, Detail::Text("the line is not a JSON object; every line must be one device or module"))
        }
    };
    Finding::new(code, fault.at, "", detail)
}

/// Whether the first line of the input is the hub's plain-text notice (§1.6).
pub fn is_notice(bytes: &[u8], line: &Line<'_>, fault: Fault) -> bool {
    fault.kind != FaultKind::LineTooLong
        && !bytes[line.start..line.end].iter().any(|byte| matches!(byte, b'{' | b'}' | b'[' | b']'))
}

/// A notice, fit to be shown.
pub fn notice_text(bytes: &[u8]) -> String {
    let mut cut = &bytes[..bytes.len().min(NOTICE_READ_BYTES_MAX)];
    if cut.len() < bytes.len() {
        // A word that is cut in two may be the start of a secret.
        let whole = cut.iter().rposition(|byte| *byte == b' ').unwrap_or(0);
        cut = &cut[..whole];
    }
    let text = redacted(&String::from_utf8_lossy(cut), TextKind::Free);
    let shown: String = text.chars().take(NOTICE_CHARACTERS_MAX).collect();
    let more = if cut.len() < bytes.len() || shown.len() < text.len() { "…" } else { "" };
    format!("{shown}{more}")
}

/// Text of the input for people: short, and without what looks like a secret.
pub fn shown(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    let text = redacted(&text, TextKind::Name);
    match text.char_indices().nth(SHOWN_CHARACTERS_MAX) {
        Some((cut, _)) => format!("{}…", &text[..cut]),
        None => text,
    }
}
