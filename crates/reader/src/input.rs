//! An opened input.

use std::fs::File;
use std::io::{self, Seek as _};
use std::os::fd::AsFd as _;
use std::path::Path;

use crate::chunks::{Chunks, Cut};
use crate::error::{Error, ErrorKind};
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
    /// A regular file, and how many bytes it holds from where it stands.
    File { bytes: u64 },
    /// A pipe, a terminal, a device: bytes come when they come.
    Stream,
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

/// How large a pipe is asked for, in bytes; what an unprivileged user may have.
const PIPE_BYTES: usize = 1 << 20;

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
                None => Kind::File { bytes },
            }
        } else {
            // Only pipes have a size, and the default works, too.
            let _ = rustix::pipe::fcntl_setpipe_size(&file, PIPE_BYTES);
            Kind::Stream
        };
        Ok(Self { file, kind, name, stdin })
    }

    /// How the bytes come: `mmap`, `read` (a file), `stdin` or `stream` (a pipe or device that was named).
    pub fn source(&self) -> &'static str {
        match self.kind {
            Kind::Mapped { .. } => "mmap",
            _ if self.stdin => "stdin",
            Kind::File { .. } => "read",
            Kind::Stream => "stream",
        }
    }

    /// How many bytes there are, where that is known.
    pub fn bytes(&self) -> Option<u64> {
        match &self.kind {
            Kind::Mapped { map, start } => Some((map.len() - start) as u64),
            // Some files that the kernel makes up say that they are empty.
            Kind::File { bytes } => (*bytes > 0).then_some(*bytes),
            Kind::Stream => None,
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

    /// The opened file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Its bytes in pieces of whole lines.
    pub fn chunks(&self, cut: Cut) -> Chunks<'_> {
        Chunks::new(self, cut)
    }
}
