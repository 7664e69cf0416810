//! What people see on stderr: findings, hints, failures, the summary.

use std::io::{self, IsTerminal as _, Write as _};

use anstyle::{AnsiColor, Style};
use hubmill_device::{Code, Printable, Severity, TextKind, redacted};
use hubmill_pipeline::{DIAGNOSTICS_SHOWN_MAX, Diagnostic, Tally};

use crate::exit::Failure;
use crate::human;
use crate::run_flags::When;

const ERROR: Style = AnsiColor::Red.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::Cyan.on_default();

/// Writes for people. A failure to do so is nobody's problem.
#[derive(Debug)]
pub(crate) struct Console {
    color: bool,
    quiet: bool,
    /// Findings of each code that are shown at most.
    shown_max: u32,
    shown: [u32; Code::COUNT],
}

impl Console {
    /// With colours as asked for; `NO_COLOR` and terminals that can't are honoured.
    pub(crate) fn new(color: When, quiet: bool) -> Self {
        Self::for_stream(color, quiet, io::stderr().is_terminal())
    }

    /// As [`Console::new`], for text that goes elsewhere.
    pub(crate) fn for_stream(color: When, quiet: bool, is_terminal: bool) -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        let color = match color {
            When::Always => true,
            When::Never => false,
            When::Auto => is_terminal && !set("NO_COLOR") && !dumb,
        };
        Self { color, quiet, shown_max: DIAGNOSTICS_SHOWN_MAX, shown: [0; Code::COUNT] }
    }

    /// Shows all findings, and not the first few of each code.
    pub(crate) fn show_all(mut self) -> Self {
        self.shown_max = u32::MAX;
        self
    }

    /// With colours where that is usual.
    pub(crate) fn plain() -> Self {
        Self::new(When::Auto, false)
    }

    fn painted(&self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }

    /// One line.
    pub(crate) fn say(&self, text: &str) {
        let _ = writeln!(io::stderr().lock(), "{text}");
    }

    /// `hint: …`, unless hints are not wanted.
    pub(crate) fn say_hint(&self, text: &str) {
        if self.quiet {
            return;
        }
        self.say(&format!("{} {text}", self.painted(HINT, "hint:")));
    }

    /// `warning: …`
    pub(crate) fn say_warning(&self, text: &str) {
        self.say(&format!("{} {text}", self.painted(WARNING, "warning:")));
    }

    /// `error: …`
    pub(crate) fn say_failure(&self, failure: &Failure) {
        // A path may be the address of a blob with its signature.
        let reason = redacted(&format!("{:#}", failure.reason), TextKind::Path);
        self.say(&format!("{} {}", self.painted(ERROR, "error:"), Printable(&reason)));
        failure.excerpt.iter().for_each(|line| self.say(line));
        if let Some(hint) = &failure.hint {
            let hint = redacted(hint, TextKind::Path);
            self.say(&format!("{} {}", self.painted(HINT, "hint:"), Printable(&hint)));
        }
    }

    /// What clap has to say of a wrong call, which repeats what was typed.
    pub(crate) fn say_wrong_call(&self, error: &clap::Error) {
        let text = error.render();
        let text = if self.color { text.ansi().to_string() } else { text.to_string() };
        let _ = write!(io::stderr().lock(), "{}", redacted(&text, TextKind::Path));
    }

    /// Whether a finding is still to be shown: the first few of each code are.
    pub(crate) fn shows(&self, diagnostic: &Diagnostic) -> bool {
        self.shown[diagnostic.code as usize] < self.shown_max
    }

    /// A finding.
    pub(crate) fn say_diagnostic(&mut self, diagnostic: &Diagnostic) {
        if let Some(text) = self.diagnostic_text(diagnostic) {
            self.say(&text);
        }
    }

    /// A finding as text, with a hint at the first of its code; `None` where enough of them were shown.
    pub(crate) fn diagnostic_text(&mut self, diagnostic: &Diagnostic) -> Option<String> {
        if !self.shows(diagnostic) {
            return None;
        }
        self.shown[diagnostic.code as usize] += 1;
        let style = if diagnostic.severity == Severity::Error { ERROR } else { WARNING };
        let head = format!("{}[{}]:", diagnostic.severity.as_str(), diagnostic.code.as_str());
        let place = match diagnostic.line {
            0 => String::new(),
            line => format!(" line {line} (byte {}):", diagnostic.byte),
        };
        let mut text = format!("{}{place} {}", self.painted(style, &head), Printable(&diagnostic.message));
        if let Some(hint) = diagnostic.hint
            && self.shown[diagnostic.code as usize] == 1
            && !self.quiet
        {
            text.push_str(&format!("\n{} {hint}", self.painted(HINT, "hint:")));
        }
        Some(text)
    }

    /// How many findings were not shown, by code.
    pub(crate) fn say_rest(&self, tally: &Tally) {
        self.rest(tally).iter().for_each(|line| self.say(line));
    }

    /// Lines that say how many findings were not shown, by code.
    pub(crate) fn rest(&self, tally: &Tally) -> Vec<String> {
        let more = |(code, count): (Code, u64)| {
            let shown = u64::from(self.shown[code as usize]);
            (shown > 0 && count > shown)
                .then(|| format!("… and {} more {}", human::count(count - shown), code.as_str()))
        };
        tally.codes().filter_map(more).collect()
    }

    /// A word in the colour of a severity.
    pub(crate) fn severity_word(&self, severity: Severity) -> String {
        let style = if severity == Severity::Error { ERROR } else { WARNING };
        self.painted(style, severity.as_str())
    }
}
