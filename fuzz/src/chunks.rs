//! `chunks`: whatever the sizes and the source, chunks are whole lines in order and make up the input; a line past the
//! limit comes in parts, with one first and one last; no chunk is larger than the limits allow; lines that a pipe holds
//! are given out without waiting for more.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::path::PathBuf;

use hubmill_reader::{Chunk, Cut, Input, MmapChoice, Part, Watch};
use rustix::fs::MemfdFlags;

use crate::choices::Choices;
use crate::inputs::{Maker, Mix};

const HEADER_BYTES: usize = 16;
/// What a pipe is sure to take without a reader, in bytes.
const PIPE_BYTES: usize = 60_000;

/// Makes an input.
pub fn make(maker: &mut Maker) -> Vec<u8> {
    let mut data = maker.header(HEADER_BYTES);
    match maker.rng.below(3) {
        0 => data.extend(maker.file(4, Mix::Broken)),
        _ => {
            for _ in 0..maker.rng.below(12) {
                data.extend(std::iter::repeat_n(b'x', maker.rng.below(24)));
                data.push(b'\n');
            }
            if maker.rng.chance(40) {
                data.extend(std::iter::repeat_n(b'y', maker.rng.below(60)));
            }
        }
    }
    data
}

#[derive(Default)]
struct Never {
    growths: usize,
}

impl Watch for Never {
    fn stopped(&self) -> bool {
        false
    }

    fn before_growth(&mut self) {
        self.growths += 1;
    }
}

/// Runs the target.
pub fn run(data: &[u8]) {
    let (mut choices, content) = Choices::split(data, HEADER_BYTES);
    let cut = Cut {
        first_chunk_bytes: choices.below(200),
        chunk_bytes: 1 + choices.below(400),
        line_bytes_max: choices.pick(&[0, 1, 20, 300, 1 << 20]) + choices.below(20),
    };
    let file = memory_file(content);
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    for choice in [MmapChoice::Always, MmapChoice::Never] {
        let input = Input::open(&path, choice).expect("opened");
        assert_eq!(input.bytes(), if content.is_empty() { None } else { Some(content.len() as u64) });
        let mut chunks = input.chunks(cut);
        let mut buffer = vec![b'?'; choices.below(100)];
        let mut check = Check::new(content, cut);
        while let Some(chunk) = chunks.next(&mut buffer, &mut Never::default()).expect("read") {
            check.take(&chunk, chunk.bytes(&buffer));
        }
        check.end();
    }
    if content.len() <= PIPE_BYTES {
        check_pipe(&mut choices, content, cut);
    }
}

fn memory_file(content: &[u8]) -> File {
    let mut file = File::from(rustix::fs::memfd_create("content", MemfdFlags::CLOEXEC).expect("made"));
    file.write_all(content).expect("written");
    file
}

/// Writes into a pipe bit by bit, and takes what there is whenever there is a whole line.
fn check_pipe(choices: &mut Choices<'_>, content: &[u8], cut: Cut) {
    let (reading, writing) = rustix::pipe::pipe().expect("a pipe");
    let path = PathBuf::from(format!("/proc/self/fd/{}", reading.as_raw_fd()));
    let input = Input::open(&path, MmapChoice::Auto).expect("opened");
    drop(reading);
    let mut writing = File::from(writing);
    let mut chunks = input.chunks(cut);
    let mut buffer = Vec::new();
    let mut check = Check::new(content, cut);
    let mut written = 0;
    let step = 1 + choices.below(100);
    while written < content.len() {
        let next = content.len().min(written + step);
        writing.write_all(&content[written..next]).expect("written");
        written = next;
        if content[check.taken..written].contains(&b'\n') {
            let chunk = chunks.next(&mut buffer, &mut Never::default()).expect("read").expect("more to come");
            check.take(&chunk, chunk.bytes(&buffer));
        }
    }
    drop(writing);
    while let Some(chunk) = chunks.next(&mut buffer, &mut Never::default()).expect("read") {
        check.take(&chunk, chunk.bytes(&buffer));
    }
    check.end();
}

/// Looks at chunks as they come.
struct Check<'a> {
    content: &'a [u8],
    cut: Cut,
    taken: usize,
    /// Where the line started that comes in parts.
    long_line: Option<usize>,
}

impl<'a> Check<'a> {
    fn new(content: &'a [u8], cut: Cut) -> Self {
        Self { content, cut, taken: 0, long_line: None }
    }

    fn take(&mut self, chunk: &Chunk<'_>, bytes: &[u8]) {
        let start = self.taken;
        self.taken += bytes.len();
        assert_eq!((chunk.offset, chunk.len()), (start as u64, bytes.len()));
        assert_eq!(Some(bytes), self.content.get(start..self.taken));
        // The first line may have a byte order mark before it.
        let mark = if start == 0 { 3 } else { 0 };
        let bound = self.cut.chunk_bytes.max(self.cut.line_bytes_max + mark + 1);
        assert!(bytes.len() <= bound, "{} bytes in a chunk of at most {bound}", bytes.len());
        let at_end = self.taken == self.content.len();
        let newlines = bytes.iter().filter(|byte| **byte == b'\n').count();
        match chunk.part {
            Part::Lines => {
                assert_eq!(self.long_line, None, "a long line has no end");
                assert!(!bytes.is_empty() && (bytes.ends_with(b"\n") || at_end), "a line is cut");
            }
            Part::LongLine { first, last } => {
                assert_eq!(first, self.long_line.is_none());
                assert!(!first || start == 0 || self.content[start - 1] == b'\n', "a part from within a line");
                assert!(!bytes.is_empty() || last, "an empty part");
                let line = *self.long_line.get_or_insert(start);
                assert_eq!(newlines, usize::from(bytes.ends_with(b"\n")), "more than the line");
                assert_eq!(last, newlines == 1 || (last && at_end), "a line goes on after its end");
                if last {
                    let length = self.taken - line - newlines;
                    assert!(length > self.cut.line_bytes_max, "{length} is not past the limit");
                    self.long_line = None;
                }
            }
        }
    }

    fn end(&self) {
        assert_eq!(self.taken, self.content.len(), "bytes are missing");
        assert_eq!(self.long_line, None, "a long line has no last part");
    }
}
