//! How far a long run is.

use std::io::{self, IsTerminal as _};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::console::Console;
use crate::human;
use crate::run_flags::When;

/// A run shorter than this shows nothing.
const PATIENCE: Duration = Duration::from_millis(500);
/// How often a line is written where there is no terminal to draw on.
const LINE_EVERY: Duration = Duration::from_secs(5);
const DRAWS_PER_SECOND: u8 = 10;

/// Where progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Show {
    Nothing,
    Bar,
    Lines,
}

/// How far a run is.
#[derive(Debug)]
pub(crate) struct Progress {
    show: Show,
    started: Instant,
    last_line: Instant,
    total: Option<u64>,
    done: u64,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// For `total` bytes, where that is known. `auto` draws on a terminal that the data does not go to.
    pub(crate) fn new(when: When, quiet: bool, data_on_terminal: bool, total: Option<u64>) -> Self {
        let terminal = io::stderr().is_terminal();
        let show = match when {
            When::Always if terminal => Show::Bar,
            When::Always => Show::Lines,
            When::Auto if terminal && !quiet && !data_on_terminal => Show::Bar,
            When::Auto | When::Never => Show::Nothing,
        };
        let now = Instant::now();
        Self { show, started: now, last_line: now, total, done: 0, bar: None }
    }

    /// So many bytes more are done.
    pub(crate) fn advance(&mut self, bytes: u64, console: &Console) {
        self.done += bytes;
        match self.show {
            Show::Nothing => {}
            Show::Lines => {
                if self.last_line.elapsed() >= LINE_EVERY {
                    self.last_line = Instant::now();
                    console.say(&self.line());
                }
            }
            Show::Bar => {
                if self.bar.is_none() && self.started.elapsed() >= PATIENCE {
                    self.bar = Some(bar(self.total, self.started.elapsed()));
                }
                if let Some(bar) = &self.bar {
                    bar.set_position(self.done);
                }
            }
        }
    }

    fn line(&self) -> String {
        let rate = human::rate(self.done, self.started.elapsed().as_secs_f64());
        match self.total {
            Some(total) if total > 0 => {
                let percent = self.done * 100 / total;
                format!("{} of {} ({percent} %), {rate}", human::bytes(self.done), human::bytes(total))
            }
            _ => format!("{}, {rate}", human::bytes(self.done)),
        }
    }

    /// Says something without tearing the bar.
    pub(crate) fn suspend(&self, say: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn bar(total: Option<u64>, elapsed: Duration) -> ProgressBar {
    let template = match total {
        Some(_) => "[{bar:30}] {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left",
        None => "{spinner} {decimal_bytes}, {decimal_bytes_per_sec}",
    };
    let style = ProgressStyle::with_template(template).expect("the template is fixed and right").progress_chars("=> ");
    let target = ProgressDrawTarget::stderr_with_hz(DRAWS_PER_SECOND);
    ProgressBar::with_draw_target(total, target).with_style(style).with_elapsed(elapsed)
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.finish();
    }
}
