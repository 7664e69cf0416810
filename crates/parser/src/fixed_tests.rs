//! Lines that are visited in runs, against the same lines visited one by one.

use std::ops::ControlFlow;

use super::{Anchor, AnchoredSpan, FixedLine, FixedRun};
use crate::arch::ByteSet;
use crate::parse::RUN_LINES_MIN;
use crate::test_numbers::numbers;
use crate::{Level, Limits, Line, Parser, Visit};

/// A line: its places, and where its pieces start, if it was visited by its fixed text.
type Seen = (usize, usize, usize, Option<[u32; 3]>);

const PLAIN: ByteSet = ByteSet::new(b"abc-");
const TEXT_BYTES_MAX: usize = 40;
/// The value of `id` in the lines of [`text`].
const ID: AnchoredSpan = AnchoredSpan { start: Anchor { piece: 0, offset: 6 }, end: Anchor { piece: 1, offset: 1 } };
/// That of `n`, which is no text.
const N: AnchoredSpan = AnchoredSpan { start: Anchor { piece: 1, offset: 6 }, end: Anchor { piece: 2, offset: 0 } };

struct Visitor<'n> {
    /// How many lines of the next run are taken; `None`: no runs.
    takes: Option<&'n mut dyn FnMut(usize) -> usize>,
    all: Vec<Seen>,
    taken: usize,
}

fn seen(line: &FixedLine<'_>) -> Seen {
    let starts = [0, 1, 2].map(|piece| line.text.starts[piece]);
    (line.start, line.end, line.end_with_newline, Some(starts))
}

impl Visit for Visitor<'_> {
    fn run(&mut self, run: &FixedRun<'_>) -> usize {
        let Some(takes) = &mut self.takes else { return 0 };
        assert!(run.len() >= RUN_LINES_MIN && run.lines().count() == run.len());
        assert_eq!(run.lines().next().map(|line| line.start), Some(run.start()));
        let plain = |line: &FixedLine<'_>| {
            let id = line.text.content(line.text.span(ID));
            (1..=TEXT_BYTES_MAX).contains(&id.len()) && id.iter().all(|byte| b"abc-".contains(byte))
        };
        let lines = run.lines().take_while(plain).count();
        assert_eq!(run.texts_within(ID, &PLAIN, TEXT_BYTES_MAX), lines);
        assert_eq!(run.texts_within(N, &PLAIN, TEXT_BYTES_MAX), 0);
        for line in run.lines() {
            assert!(!line.text.may_have_escapes() && line.text.form() == run.form());
        }
        let taken = takes(run.len());
        self.all.extend(run.lines().take(taken).map(|line| seen(&line)));
        if taken > 0 {
            assert_eq!(self.all.last().map(|line| line.2), Some(run.end(taken)));
        }
        self.taken += taken;
        taken
    }

    fn fixed(&mut self, line: &FixedLine<'_>) -> Option<ControlFlow<()>> {
        self.all.push(seen(line));
        Some(ControlFlow::Continue(()))
    }

    fn line(&mut self, line: &Line<'_>) -> ControlFlow<()> {
        self.all.push((line.start, line.end, line.end_with_newline, None));
        ControlFlow::Continue(())
    }
}

/// Lines of one form in stretches, with others between them.
fn text(draw: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let mut text = String::new();
    for _ in 0..60 {
        for _ in 0..draw(80) {
            let id = match draw(200) {
                0 => "ä".to_owned(),
                1 => "a\\n".to_owned(),
                2 => "d".to_owned(),
                3 => "a".repeat(TEXT_BYTES_MAX + draw(3)),
                4 => String::new(),
                5 => format!("{}d{}", "a".repeat(draw(35)), "b".repeat(draw(4))),
                _ => "abc-"[draw(4)..].repeat(draw(12)),
            };
            let end = if draw(150) == 0 { "\r\n" } else { "\n" };
            text += &format!("{{\"id\":\"{id}\",\"n\":{}}}{end}", draw(1000));
        }
        text += ["{\"id\":\"a\"}\n", "{\"n\":1}\n", "x\n", "\n"][draw(4)];
    }
    text.pop();
    text.into_bytes()
}

#[test]
fn lines_in_runs_are_those_that_are_visited_one_by_one() {
    let mut numbers = numbers(7);
    let mut draw = |below: usize| numbers(below as u64) as usize;
    for level in Level::available() {
        for line_bytes_max in [1 << 20, 900, 60, 10] {
            let limits = Limits { line_bytes_max, ..Limits::default() };
            let text = text(&mut draw);
            let mut parser = Parser::new(level, limits);
            let mut one_by_one = Visitor { takes: None, all: Vec::new(), taken: 0 };
            parser.parse_with(&text, 0, &mut one_by_one);
            // What forms there are is known to both.
            for share in [1, 2, 3] {
                let mut again = Visitor { takes: None, all: Vec::new(), taken: 0 };
                parser.parse_with(&text, 0, &mut again);
                let takes = &mut |lines: usize| if share == 1 { lines } else { draw(share * lines).min(lines) };
                let mut in_runs = Visitor { takes: Some(takes), all: Vec::new(), taken: 0 };
                parser.parse_with(&text, 0, &mut in_runs);
                assert_eq!(in_runs.all.len(), again.all.len());
                let difference = in_runs.all.iter().zip(&again.all).find(|(found, want)| found != want);
                assert_eq!(difference, None, "{} {line_bytes_max}", level.name());
                let many = if line_bytes_max > 10_000 { 500 } else { 0 };
                assert!(in_runs.taken >= many, "{} of {}", in_runs.taken, again.all.len());
            }
        }
    }
}
