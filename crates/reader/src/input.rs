//! An opened input.

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileExt as _, FileTypeExt as _};
use std::path::Path;

use crate::chunks::{Chunks, Cut};
use crate::error::{Error, ErrorKind};
use crate::own_pipe::{OwnPipe, PIPE_BYTES};
use crate::sys::Map;

/// How a regular file is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MmapChoice {
    /// Whichever the benches show to be right: mapped, unless it is so small that a map would not pay.
    #[default]
    Auto,
    /// Mapped where that can be done.
    Always,
    /// Never mapped.
    Never,
}

#[derive(Debug)]
pub(crate) enum Kind {
    /// The map, and where the input starts in it.
    Mapped { map: Map, start: usize },
    /// A regular file: where it stood when it was opened, and how many bytes it holds from there.
    File { start: u64, bytes: u64 },
    /// A pipe, a terminal, a device: bytes come when they come; out of a pipe by way of one of our own, if there is one.
    Stream(Option<OwnPipe>),
}

/// An opened input.
#[derive(Debug)]
pub struct Input {
    pub(crate) file: File,
    pub(crate) kind: Kind,
    pub(crate) name: String,
    stdin: bool,
}

/// A smaller file is read, unless a map is asked for.
const MAPPED_BYTES_MIN: u64 = 1 << 20;

impl Input {
    /// Opens a file.
    pub fn open(path: &Path, choice: MmapChoice) -> Result<Self, Error> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| Error::new(&name, ErrorKind::Open(error)))?;
        Self::new(file, name, choice, false)
    }

    /// Standard input. Where that is a regular file, it is read from where it stands.
    pub fn stdin(choice: MmapChoice) -> Result<Self, Error> {
        let name = "standard input".to_owned();
        let descriptor = io::stdin().as_fd().try_clone_to_owned();
        let file = File::from(descriptor.map_err(|error| Error::new(&name, ErrorKind::Open(error)))?);
        Self::new(file, name, choice, true)
    }

    fn new(mut file: File, name: String, choice: MmapChoice, stdin: bool) -> Result<Self, Error> {
        let metadata = file.metadata().map_err(|error| Error::new(&name, ErrorKind::Open(error)))?;
        if metadata.is_dir() {
            return Err(Error::new(&name, ErrorKind::Open(io::Error::from(io::ErrorKind::IsADirectory))));
        }
        let kind = if metadata.is_file() {
            let start = file.stream_position().unwrap_or(0);
            let bytes = metadata.len().saturating_sub(start);
            let wanted = match choice {
                MmapChoice::Always => bytes > 0,
                MmapChoice::Auto => bytes >= MAPPED_BYTES_MIN,
                MmapChoice::Never => false,
            };
            // An empty file can't be mapped; nor can some that the kernel makes up, which then are read.
            let map = wanted.then(|| Map::new(&file).ok()).flatten();
            match map {
                Some(map) => Kind::Mapped { start: (start as usize).min(map.len()), map },
                None => Kind::File { start, bytes },
            }
        } else {
            // Only pipes have a size, and the default works, too.
            let _ = rustix::pipe::fcntl_setpipe_size(&file, PIPE_BYTES);
            Kind::Stream(metadata.file_type().is_fifo().then(OwnPipe::new).flatten())
        };
        Ok(Self { file, kind, name, stdin })
    }

    /// How the bytes come: `mmap`, `read` (a file), `stdin` or `stream` (a pipe or device that was named).
    pub fn source(&self) -> &'static str {
        match self.kind {
            Kind::Mapped { .. } => "mmap",
            _ if self.stdin => "stdin",
            Kind::File { .. } => "read",
            Kind::Stream(_) => "stream",
        }
    }

    /// How many bytes there are, where that is known.
    pub fn bytes(&self) -> Option<u64> {
        match &self.kind {
            Kind::Mapped { map, start } => Some((map.len() - start) as u64),
            // Some files that the kernel makes up say that they are empty.
            Kind::File { bytes, .. } => (*bytes > 0).then_some(*bytes),
            Kind::Stream(_) => None,
        }
    }

    /// Whether what was handed out so far was really there. Cheap: to be asked before anything made of it goes on.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] where the mapped file became shorter and zeros were read in its place.
    pub fn check(&self) -> Result<(), Error> {
        match &self.kind {
            Kind::Mapped { map, .. } if map.is_lost() => self.check_length(),
            _ => Ok(()),
        }
    }

    /// Checks that a mapped file is still as long as it was, and was so whenever it was touched.
    ///
    /// # Errors
    /// [`ErrorKind::Truncated`] where it is not.
    pub fn check_length(&self) -> Result<(), Error> {
        let Kind::Mapped { map, .. } = &self.kind else {
            return Ok(());
        };
        let expected = map.len() as u64;
        let metadata = self.file.metadata().map_err(|error| Error::new(&self.name, ErrorKind::Read(error)))?;
        if map.is_lost() || metadata.len() < expected {
            let found = metadata.len().min(expected);
            return Err(Error::new(&self.name, ErrorKind::Truncated { expected, found }));
        }
        Ok(())
    }

    /// The same bytes in a place where they can be read again: a stream is copied to the end into a temporary file that has
    /// no name and that nobody else can open; anything else stays as it is.
    ///
    /// # Errors
    /// Where the stream can't be read, or the temporary file not be made or written.
    pub fn spooled(self, choice: MmapChoice) -> Result<Self, Error> {
        let Kind::Stream(_) = self.kind else {
            return Ok(self);
        };
        let failed = |error| Error::new(&self.name, ErrorKind::Spool(error));
        let mut copy = tempfile::tempfile().map_err(failed)?;
        let mut buffer = vec![0; PIPE_BYTES];
        loop {
            let count = crate::chunks::read(&self, &mut buffer)?;
            if count == 0 {
                break;
            }
            copy.write_all(&buffer[..count]).map_err(failed)?;
        }
        copy.rewind().map_err(failed)?;
        Self::new(copy, self.name.clone(), choice, self.stdin)
    }

    /// So many bytes from `offset` on: of the map, or read into `room`. [`check`](Self::check) says whether those of a map were
    /// really there.
    ///
    /// # Errors
    /// Where they can't be read; of a stream, always: see [`spooled`](Self::spooled).
    pub fn bytes_at<'b>(&'b self, offset: u64, length: usize, room: &'b mut Vec<u8>) -> Result<&'b [u8], Error> {
        let file_start = match &self.kind {
            Kind::Mapped { map, start } => {
                let from = start.saturating_add(usize::try_from(offset).unwrap_or(usize::MAX));
                let bytes = from.checked_add(length).and_then(|end| map.get(from..end));
                return bytes.ok_or_else(|| self.too_short(offset, length));
            }
            Kind::File { start, .. } => *start,
            Kind::Stream(_) => {
                return Err(Error::new(&self.name, ErrorKind::Read(io::Error::from(io::ErrorKind::NotSeekable))));
            }
        };
        room.resize(length, 0);
        self.file.read_exact_at(room, file_start + offset).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => self.too_short(offset, length),
            _ => Error::new(&self.name, ErrorKind::Read(error)),
        })?;
        Ok(room)
    }

    /// Whether it comes out of a pipe.
    pub fn is_pipe(&self) -> bool {
        matches!(self.kind, Kind::Stream(Some(_)))
    }

    /// Whether it is mapped, so that any of its bytes can be looked at again.
    pub fn is_mapped(&self) -> bool {
        matches!(self.kind, Kind::Mapped { .. })
    }

    /// Whether the lines that start at two offsets of a map are equal, but for their line ends. [`check`](Self::check) says whether
    /// they were really there.
    pub fn lines_are_equal(&self, one: u64, other: u64) -> bool {
        let Kind::Mapped { map, start } = &self.kind else { return false };
        let from = |offset: u64| {
            let from = start.saturating_add(usize::try_from(offset).unwrap_or(usize::MAX));
            map.get(from..).unwrap_or_default()
        };
        let line = from(one);
        let line = memchr::memchr(b'\n', line).map_or(line, |end| &line[..end]);
        let line = &line[..line.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1)];
        let Some(rest) = from(other).strip_prefix(line) else { return false };
        matches!(rest.iter().find(|byte| **byte != b'\r'), None | Some(b'\n'))
    }

    /// Gives back memory of a map between two offsets, which are not expected to be looked at again soon.
    pub fn give_back(&self, from: u64, to: u64) {
        if let Kind::Mapped { map, start } = &self.kind {
            let place = |offset| start.saturating_add(usize::try_from(offset).unwrap_or(usize::MAX));
            map.give_back(place(from)..place(to));
        }
    }

    #[cold]
    fn too_short(&self, offset: u64, length: usize) -> Error {
        let found = self.bytes().unwrap_or(0);
        Error::new(&self.name, ErrorKind::Truncated { expected: offset + length as u64, found })
    }

    /// What the input is called in messages: its path, or `standard input`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The opened file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Its bytes in pieces of whole lines.
    pub fn chunks(&self, cut: Cut) -> Chunks<'_> {
        Chunks::new(self, cut)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{Input, MmapChoice};
    use crate::ErrorKind;

    #[test]
    fn any_bytes_can_be_had_of_a_map_and_of_a_file() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"0123456789").unwrap();
        for choice in [MmapChoice::Always, MmapChoice::Never] {
            let input = Input::open(file.path(), choice).unwrap();
            let mut room = Vec::new();
            assert_eq!(input.bytes_at(3, 4, &mut room).unwrap(), b"3456");
            assert_eq!(input.bytes_at(10, 0, &mut room).unwrap(), b"");
            for (offset, length) in [(8, 3), (11, 1), (1 << 40, 1)] {
                let error = input.bytes_at(offset, length, &mut room).unwrap_err();
                assert!(matches!(error.kind(), ErrorKind::Truncated { .. }), "{choice:?} {error}");
            }
        }
    }

    #[test]
    fn lines_of_a_map_are_compared_without_their_ends() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"ab\nab\r\nab \nabc\nab").unwrap();
        let input = Input::open(file.path(), MmapChoice::Always).unwrap();
        let others =
            [(0, 0, true), (0, 3, true), (0, 7, false), (0, 11, false), (0, 15, true), (3, 15, true), (11, 15, false)];
        for (one, other, equal) in others {
            assert_eq!(input.lines_are_equal(other, one), equal, "{other} {one}");
            assert_eq!(input.lines_are_equal(one, other), equal, "{one} {other}");
        }
        assert!(!input.lines_are_equal(0, 99) && !input.lines_are_equal(99, 0));
        assert!(input.is_mapped() && !Input::open(file.path(), MmapChoice::Never).unwrap().is_mapped());
    }

    #[test]
    fn lines_that_are_gone_when_they_are_looked_at_again_are_noticed() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(&b"{\"id\":\"a\"}\n".repeat(10_000)).unwrap();
        let input = Input::open(file.path(), MmapChoice::Always).unwrap();
        assert!(input.lines_are_equal(0, 99_000) && input.check().is_ok());
        file.as_file().set_len(50_000).unwrap();
        assert!(!input.lines_are_equal(0, 99_000));
        assert!(matches!(input.check().unwrap_err().kind(), ErrorKind::Truncated { .. }));
    }

    #[test]
    fn a_stream_is_spooled_and_then_read_again() {
        let (read, mut write) = std::io::pipe().unwrap();
        let text: Vec<u8> = (0..3_000_000u32).flat_map(u32::to_le_bytes).collect();
        let want = text.clone();
        let feeder = std::thread::spawn(move || write.write_all(&text).unwrap());
        let file = std::fs::File::from(std::os::fd::OwnedFd::from(read));
        let input = Input::new(file, "a pipe".to_owned(), MmapChoice::Auto, false).unwrap();
        assert!(input.bytes_at(0, 1, &mut Vec::new()).is_err(), "of a stream nothing can be read again");
        let input = input.spooled(MmapChoice::Auto).unwrap();
        feeder.join().unwrap();
        assert_eq!((input.bytes(), input.source(), input.name()), (Some(want.len() as u64), "mmap", "a pipe"));
        assert_eq!(input.bytes_at(0, want.len(), &mut Vec::new()).unwrap(), want);
    }
}
