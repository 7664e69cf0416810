//! `splice`: edits of a line are what a naive splice makes of them, and a gather is the concatenation of what went in.

use hubmill_writer::{Edit, Gather, splice};

use crate::choices::Choices;
use crate::inputs::{Maker, Mix};

const HEADER_BYTES: usize = 64;

/// Makes an input.
pub fn make(maker: &mut Maker) -> Vec<u8> {
    let mut data = maker.header(HEADER_BYTES);
    data.extend(maker.file(2, Mix::Broken));
    data
}

/// Runs the target.
pub fn run(data: &[u8]) {
    let (mut choices, content) = Choices::split(data, HEADER_BYTES);
    check_splice(&mut choices, content);
    check_gather(&mut choices, content);
}

/// Some places in order, from `start` to `end`, both included.
fn places(choices: &mut Choices<'_>, start: usize, end: usize, count: usize) -> Vec<usize> {
    let mut places: Vec<usize> = (0..count).map(|_| start + choices.below(end - start + 1)).collect();
    places.sort_unstable();
    places
}

fn edits(choices: &mut Choices<'_>, start: usize, end: usize, texts: &[u8]) -> Vec<Edit> {
    let count = choices.below(5);
    let ends = places(choices, start, end, 2 * count);
    ends.chunks(2)
        .map(|ends| {
            let text = places(choices, 0, texts.len(), 2);
            Edit { start: ends[0] as u32, end: ends[1] as u32, text_start: text[0] as u32, text_end: text[1] as u32 }
        })
        .collect()
}

/// The bytes from `start` to `end` with the edits made, byte by byte.
fn naive(source: &[u8], start: usize, end: usize, edits: &[Edit], texts: &[u8], out: &mut Vec<u8>) {
    for at in start..=end {
        for edit in edits.iter().filter(|edit| edit.start as usize == at) {
            out.extend(&texts[edit.text_start as usize..edit.text_end as usize]);
        }
        let replaced = edits.iter().any(|edit| (edit.start as usize..edit.end as usize).contains(&at));
        if at < end && !replaced {
            out.extend(&source[at..=at]);
        }
    }
}

fn check_splice(choices: &mut Choices<'_>, content: &[u8]) {
    let (texts, source) = content.split_at(choices.below(content.len().min(200) + 1));
    let ends = places(choices, 0, source.len(), 2);
    let edits = edits(choices, ends[0], ends[1], texts);
    let mut want = b"before".to_vec();
    let mut found = want.clone();
    if choices.chance(50) {
        found.reserve_exact(choices.below(300));
    }
    naive(source, ends[0], ends[1], &edits, texts, &mut want);
    splice(&mut found, source, ends[0], ends[1], edits.iter().copied(), texts);
    assert_eq!(found, want, "{edits:?} of {ends:?}");
}

fn check_gather(choices: &mut Choices<'_>, content: &[u8]) {
    // Long enough, at times, for runs that are not copied.
    let copies = if choices.chance(3) { 70_000 / content.len().max(1) } else { 1 };
    let chunk = content.repeat(copies.clamp(1, 2000));
    let texts = &content[..content.len().min(50)];
    let mut gather = Gather::default();
    for _ in 0..=usize::from(choices.chance(20)) {
        let mut want = Vec::new();
        let mut last = 0;
        for _ in 0..choices.below(9) {
            let ends = places(choices, 0, chunk.len(), 2);
            let start = if choices.chance(60) { last.min(ends[1]) } else { ends[0] };
            let end = if choices.chance(20) { chunk.len() } else { ends[1] };
            last = end;
            if choices.chance(60) {
                gather.keep(&chunk, start, end);
                want.extend(&chunk[start..end]);
            } else {
                let end = end.min(start + 300);
                last = end;
                let edits = edits(choices, start, end, texts);
                gather.edit(&chunk, start, end, edits.iter().copied(), texts);
                naive(&chunk, start, end, &edits, texts, &mut want);
                want.push(b'\n');
            }
            assert_eq!(gather.len(), want.len());
            assert_eq!(gather.is_empty(), want.is_empty());
        }
        gather.close_run(&chunk);
        let pieces: Vec<&[u8]> = gather.pieces(&chunk).collect();
        assert!(pieces.iter().all(|piece| !piece.is_empty()));
        assert_eq!(pieces.concat(), want);
        assert_eq!(gather.len(), want.len());
        assert!(gather.buffered() <= gather.capacity().min(want.len()));
        gather.clear();
        assert!(gather.is_empty() && gather.pieces(&chunk).next().is_none());
    }
}
