//! Cutting an input into pieces of whole lines.

use std::io::{self, Read as _};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::error::{Error, ErrorKind};
use crate::input::{Input, Kind};

/// Sizes, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The first chunk, so that output starts early; each next one is twice as large.
    pub first_chunk_bytes: usize,
    /// The chunks after that.
    pub chunk_bytes: usize,
    /// The longest line that comes whole, without its `\n`.
    pub line_bytes_max: usize,
}

/// The first chunk unless told otherwise, in bytes.
pub const FIRST_CHUNK_BYTES: usize = 64 << 10;

impl Default for Cut {
    fn default() -> Self {
        Self { first_chunk_bytes: FIRST_CHUNK_BYTES, chunk_bytes: 512 << 10, line_bytes_max: 16 << 20 }
    }
}

/// Where the bytes of a chunk are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data<'a> {
    /// In the mapped input.
    Mapped(&'a [u8]),
    /// The first so many bytes of the buffer that was handed in.
    Buffered(usize),
}

/// What a chunk is a part of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Whole lines; the last of the input may lack its `\n`.
    Lines,
    /// A part of a line that is longer than the limit.
    LongLine {
        /// The line starts with this part.
        first: bool,
        /// The line ends with this part, which may be empty.
        last: bool,
    },
}

/// A piece of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Chunk<'a> {
    /// The offset of its first byte in the input.
    pub offset: u64,
    /// Where its bytes are.
    pub data: Data<'a>,
    /// What it is a part of.
    pub part: Part,
}

impl<'a> Chunk<'a> {
    /// The bytes; `buffer` is the one that was handed in for this chunk.
    pub fn bytes(&self, buffer: &'a [u8]) -> &'a [u8] {
        match self.data {
            Data::Mapped(bytes) => bytes,
            Data::Buffered(bytes) => &buffer[..bytes],
        }
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        match self.data {
            Data::Mapped(bytes) => bytes.len(),
            Data::Buffered(bytes) => bytes,
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What cutting may have to wait for.
pub trait Watch {
    /// Whether the run is over for another reason; asked now and then while a stream has nothing to give.
    fn stopped(&self) -> bool;

    /// Whether these bytes are enough of a stream to begin with; more is waited for, as far as the first chunk has room for it, where
    /// they are not.
    fn is_enough(&self, first: &[u8]) -> bool {
        let _ = first;
        true
    }

    /// Called before a buffer grows past the usual chunk for a long line, to make room elsewhere first.
    fn before_growth(&mut self);
}

/// How long a silent stream is waited for before asking whether the run is over.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// The pieces of an input, in order.
#[derive(Debug)]
pub struct Chunks<'a> {
    input: &'a Input,
    cut: Cut,
    offset: u64,
    /// The size of the next chunk.
    target: usize,
    /// The start of a line whose end has not been read yet.
    tail: Vec<u8>,
    in_long_line: bool,
    ended: bool,
    bytes_read: u64,
}

impl<'a> Chunks<'a> {
    pub(crate) fn new(input: &'a Input, cut: Cut) -> Self {
        let target = cut.first_chunk_bytes.min(cut.chunk_bytes).max(1);
        Self { input, cut, offset: 0, target, tail: Vec::new(), in_long_line: false, ended: false, bytes_read: 0 }
    }

    /// The next piece; `None` at the end of the input, or when the run is over.
    ///
    /// What is not mapped is read into `buffer`, whose contents before do not matter.
    pub fn next(&mut self, buffer: &mut Vec<u8>, watch: &mut impl Watch) -> Result<Option<Chunk<'a>>, Error> {
        let chunk = match &self.input.kind {
            Kind::Mapped { map, start } => self.next_mapped(&map[*start..])?,
            Kind::File { .. } | Kind::Stream(_) => self.next_read(buffer, watch)?,
        };
        self.target = (self.target * 2).min(self.cut.chunk_bytes);
        if let Some(chunk) = &chunk {
            self.offset += chunk.len() as u64;
        }
        Ok(chunk)
    }

    /// The longest line that comes whole here. The first line may have a byte order mark before it, which is no part of
    /// it and not known to this crate; whoever parses the line looks at its length again.
    fn line_bytes_max(&self) -> usize {
        const MARK_BYTES: usize = 3;
        self.cut.line_bytes_max.saturating_add(if self.offset == 0 { MARK_BYTES } else { 0 })
    }

    fn chunk(&self, data: Data<'a>, part: Part) -> Option<Chunk<'a>> {
        Some(Chunk { offset: self.offset, data, part })
    }

    fn next_mapped(&mut self, all: &'a [u8]) -> Result<Option<Chunk<'a>>, Error> {
        self.input.check()?;
        let rest = &all[self.offset as usize..];
        if rest.is_empty() {
            if !self.ended {
                self.ended = true;
                self.input.check_length()?;
            }
            return Ok(None);
        }
        let window = &rest[..rest.len().min(self.target)];
        if self.in_long_line {
            return Ok(self.long_line_part(window, window.len() == rest.len(), Data::Mapped));
        }
        let end = match memchr::memrchr(b'\n', window) {
            Some(newline) => newline + 1,
            None if window.len() == rest.len() && rest.len() <= self.line_bytes_max() => rest.len(),
            None => {
                let reach = &rest[..rest.len().min(self.line_bytes_max().saturating_add(1))];
                match memchr::memchr(b'\n', reach) {
                    Some(newline) => newline + 1,
                    None if rest.len() <= self.line_bytes_max() => rest.len(),
                    None => {
                        let last = window.len() == rest.len();
                        self.in_long_line = !last;
                        return Ok(self.chunk(Data::Mapped(window), Part::LongLine { first: true, last }));
                    }
                }
            }
        };
        Ok(self.chunk(Data::Mapped(&rest[..end]), Part::Lines))
    }

    /// The next part of a long line, which `window` starts with.
    fn long_line_part<'w>(
        &mut self,
        window: &'w [u8],
        input_ends: bool,
        data: impl FnOnce(&'w [u8]) -> Data<'a>,
    ) -> Option<Chunk<'a>> {
        let newline = memchr::memchr(b'\n', window);
        let last = newline.is_some() || input_ends;
        self.in_long_line = !last;
        let part = &window[..newline.map_or(window.len(), |newline| newline + 1)];
        self.chunk(data(part), Part::LongLine { first: false, last })
    }

    fn next_read(&mut self, buffer: &mut Vec<u8>, watch: &mut impl Watch) -> Result<Option<Chunk<'a>>, Error> {
        let mut filled = self.tail.len();
        let mut searched = 0;
        let mut room = self.target.max(filled);
        if buffer.len() < filled {
            buffer.resize(filled, 0);
        }
        buffer[..filled].copy_from_slice(&self.tail);
        self.tail.clear();
        self.tail.shrink_to(self.cut.chunk_bytes);
        loop {
            if buffer.len() < room {
                buffer.reserve_exact(room - buffer.len());
                buffer.resize(room, 0);
            }
            while filled < room && !self.ended {
                if let Kind::Stream(_) = self.input.kind {
                    let lines_wait = filled > 0
                        && (self.in_long_line || memchr::memchr(b'\n', &buffer[..filled]).is_some())
                        && (self.offset > 0 || watch.is_enough(&buffer[..filled]));
                    if !self.wait(lines_wait, watch)? {
                        if watch.stopped() {
                            return Ok(None);
                        }
                        break;
                    }
                }
                let count = read(self.input, &mut buffer[filled..room])?;
                filled += count;
                self.bytes_read += count as u64;
                if count == 0 {
                    self.ended = true;
                    if let Kind::File { bytes, .. } = self.input.kind
                        && self.bytes_read < bytes
                    {
                        let kind = ErrorKind::Truncated { expected: bytes, found: self.bytes_read };
                        return Err(Error::new(&self.input.name, kind));
                    }
                }
            }
            if filled == 0 && !self.in_long_line {
                return Ok(None);
            }
            if self.in_long_line {
                let ended = self.ended;
                let chunk = self.long_line_part(&buffer[..filled], ended, |part| Data::Buffered(part.len()));
                self.keep_tail(buffer, filled, chunk);
                return Ok(chunk);
            }
            let newline = memchr::memrchr(b'\n', &buffer[searched..filled]).map(|at| searched + at);
            searched = filled;
            if newline.is_some() || (self.ended && filled <= self.line_bytes_max()) {
                let end = newline.map_or(filled, |newline| newline + 1);
                let chunk = self.chunk(Data::Buffered(end), Part::Lines);
                self.keep_tail(buffer, filled, chunk);
                return Ok(chunk);
            }
            if filled > self.line_bytes_max() {
                self.in_long_line = true;
                return Ok(self.chunk(Data::Buffered(filled), Part::LongLine { first: true, last: false }));
            }
            if room >= self.cut.chunk_bytes {
                watch.before_growth();
            }
            room = (room * 2).min(self.line_bytes_max().saturating_add(1)).max(room + 1);
        }
    }

    /// Keeps what follows the chunk for the next one.
    fn keep_tail(&mut self, buffer: &[u8], filled: usize, chunk: Option<Chunk<'a>>) {
        let end = chunk.map_or(0, |chunk| chunk.len());
        self.tail.extend_from_slice(&buffer[end..filled]);
    }

    /// Waits until the stream has something to give; `false` where it has not, and there are lines that should go on
    /// (`lines_wait`) or the run is over.
    fn wait(&self, lines_wait: bool, watch: &impl Watch) -> Result<bool, Error> {
        if let Kind::Stream(Some(own)) = &self.input.kind
            && !own.is_empty()
        {
            return Ok(true);
        }
        let mut descriptors = [PollFd::new(&self.input.file, PollFlags::IN)];
        loop {
            let timeout = if lines_wait { Timespec { tv_sec: 0, tv_nsec: 0 } } else { PATIENCE };
            match poll(&mut descriptors, Some(&timeout)) {
                Ok(0) if lines_wait || watch.stopped() => return Ok(false),
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return Ok(true),
                Err(error) => return Err(Error::new(&self.input.name, ErrorKind::Read(error.into()))),
            }
        }
    }
}

/// Reads what there is; 0 at the end.
pub(crate) fn read(input: &Input, room: &mut [u8]) -> Result<usize, Error> {
    loop {
        let count = match &input.kind {
            Kind::Stream(Some(own)) => own.read(&input.file, room),
            _ => (&input.file).read(room),
        };
        match count {
            Ok(count) => return Ok(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // Another program has set the pipe not to wait, and others read from it, too.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let _ = poll(&mut [PollFd::new(&input.file, PollFlags::IN)], Some(&PATIENCE));
            }
            Err(error) => return Err(Error::new(&input.name, ErrorKind::Read(error))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{Cut, Part, Watch};
    use crate::{ErrorKind, Input, MmapChoice};

    #[derive(Default)]
    struct Count {
        growths: usize,
    }

    impl Watch for Count {
        fn stopped(&self) -> bool {
            false
        }
        fn before_growth(&mut self) {
            self.growths += 1;
        }
    }

    fn file(content: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(content).unwrap();
        file
    }

    /// All chunks, each with what it is a part of, checked to be in order.
    fn chunks(content: &[u8], choice: MmapChoice, cut: Cut) -> Vec<(Vec<u8>, Part)> {
        let file = file(content);
        let input = Input::open(file.path(), choice).unwrap();
        let mut chunks = input.chunks(cut);
        let mut buffer = Vec::new();
        let mut all = Vec::new();
        let mut offset = 0;
        while let Some(chunk) = chunks.next(&mut buffer, &mut Count::default()).unwrap() {
            assert_eq!(chunk.offset, offset);
            offset += chunk.len() as u64;
            all.push((chunk.bytes(&buffer).to_vec(), chunk.part));
        }
        all
    }

    #[test]
    fn chunks_are_whole_lines_and_make_up_the_input() {
        let contents: [&[u8]; 8] = [
            b"",
            b"\n",
            b"a",
            b"a\n",
            b"a\nbb\nccc",
            b"\n\n\n",
            b"aaaaaaaaaaaaaaaa\nb\n",
            b"a\nbbbbbbbbbbbbbbbbbbbbbbbbbbbb",
        ];
        for content in contents {
            for chunk_bytes in 1..12 {
                for choice in [MmapChoice::Always, MmapChoice::Never] {
                    let cut = Cut { first_chunk_bytes: 1, chunk_bytes, line_bytes_max: 100 };
                    let chunks = chunks(content, choice, cut);
                    for (at, (bytes, part)) in chunks.iter().enumerate() {
                        assert_eq!(*part, Part::Lines);
                        assert!(bytes.ends_with(b"\n") || at + 1 == chunks.len());
                    }
                    let joined: Vec<u8> = chunks.into_iter().flat_map(|(bytes, _)| bytes).collect();
                    assert_eq!(joined, content);
                }
            }
        }
    }

    #[test]
    fn a_line_at_the_limit_is_whole_and_one_past_it_comes_in_parts() {
        for end in ["\n", "\nnext\n", ""] {
            for (length, whole) in [(19, true), (20, true), (21, false), (60, false)] {
                for choice in [MmapChoice::Always, MmapChoice::Never] {
                    for chunk_bytes in [1, 7, 20, 21, 22, 40, 100] {
                        let content = format!("ok\n{}{end}", "x".repeat(length));
                        let cut = Cut { first_chunk_bytes: 4, chunk_bytes, line_bytes_max: 20 };
                        let chunks = chunks(content.as_bytes(), choice, cut);
                        let joined: Vec<u8> = chunks.iter().flat_map(|(bytes, _)| bytes.clone()).collect();
                        assert_eq!(joined, content.as_bytes());
                        let ends: Vec<_> = chunks
                            .iter()
                            .filter_map(|(_, part)| match part {
                                Part::LongLine { first, last } => Some((*first, *last)),
                                Part::Lines => None,
                            })
                            .collect();
                        // A long line may also lie inside of a larger chunk: then it is for the parser to refuse.
                        if whole {
                            assert!(ends.is_empty(), "{length} {chunk_bytes}");
                        } else if let Some((first, last)) = ends.first().zip(ends.last()) {
                            assert!(first.0 && last.1);
                            assert_eq!(ends.iter().filter(|part| part.0).count(), 1);
                            assert_eq!(ends.iter().filter(|part| part.1).count(), 1);
                        } else {
                            assert!(chunk_bytes > 20);
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn growth_is_announced() {
        let content = [b"x".repeat(100).as_slice(), b"\n"].concat();
        let file = file(&content);
        let input = Input::open(file.path(), MmapChoice::Never).unwrap();
        let mut chunks = input.chunks(Cut { first_chunk_bytes: 8, chunk_bytes: 16, line_bytes_max: 1000 });
        let mut count = Count::default();
        let chunk = chunks.next(&mut Vec::new(), &mut count).unwrap().unwrap();
        assert_eq!(chunk.len(), 101);
        assert!(count.growths > 0);
    }

    #[test]
    fn a_file_that_becomes_shorter_is_an_error() {
        for choice in [MmapChoice::Always, MmapChoice::Never] {
            let file = file(&b"line\n".repeat(100));
            let input = Input::open(file.path(), choice).unwrap();
            let mut chunks = input.chunks(Cut { first_chunk_bytes: 50, chunk_bytes: 50, line_bytes_max: 100 });
            let mut buffer = Vec::new();
            chunks.next(&mut buffer, &mut Count::default()).unwrap().unwrap();
            file.as_file().set_len(60).unwrap();
            let error = loop {
                match chunks.next(&mut buffer, &mut Count::default()) {
                    Ok(Some(_)) => {}
                    Ok(None) => panic!("the loss went unseen"),
                    Err(error) => break error,
                }
            };
            assert!(matches!(error.kind(), ErrorKind::Truncated { expected: 500, .. }), "{error}");
        }
    }

    #[test]
    fn folders_and_missing_files_are_refused_by_name() {
        for path in ["/", "/no/such/file"] {
            let error = Input::open(path.as_ref(), MmapChoice::Never).unwrap_err();
            assert!(error.to_string().contains(path), "{error}");
        }
    }
}
