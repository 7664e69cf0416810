//! An opened input.

use std::fs::File;
use std::io::{self, Seek as _};
use std::os::fd::AsFd as _;
use std::path::Path;

use memmap2::Mmap;

use crate::chunks::{Chunks, Cut};
use crate::error::{Error, ErrorKind};
use crate::sys;

/// How a regular file is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MmapChoice {
    /// Whichever the benches show to be right: reads, which also survive a file that becomes shorter.
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
    Mapped { map: Mmap, start: usize },
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
            // An empty file can't be mapped; nor can some that the kernel makes up, which then are read.
            let map = (choice == MmapChoice::Always && metadata.len() > start).then(|| sys::map(&file).ok()).flatten();
            match map {
                Some(map) => Kind::Mapped { start: (start as usize).min(map.len()), map },
                None => Kind::File { bytes: metadata.len().saturating_sub(start) },
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

    /// The opened file.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Its bytes in pieces of whole lines.
    pub fn chunks(&self, cut: Cut) -> Chunks<'_> {
        Chunks::new(self, cut)
    }
}
