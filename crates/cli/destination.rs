//! Where the parts of a run's output go, and that no two of the paths named are one file.

use std::fs::{self, File, Metadata};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use crate::exit::Failure;

/// A named place for output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// `-`
    Standard,
    /// A path.
    Path(PathBuf),
}

impl Destination {
    /// What a flag's value means.
    pub(crate) fn from_flag(path: &Path) -> Self {
        if path.as_os_str() == "-" { Self::Standard } else { Self::Path(path.to_owned()) }
    }
}

/// Which file a path is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Identity {
    There { device: u64, inode: u64 },
    NotYet(PathBuf),
}

impl Identity {
    /// `None` for what many may share: devices and terminals.
    fn of_metadata(metadata: &Metadata) -> Option<Self> {
        let kind = metadata.file_type();
        (kind.is_file() || kind.is_fifo()).then(|| Self::There { device: metadata.dev(), inode: metadata.ino() })
    }

    fn of_path(path: &Path) -> Option<Self> {
        match fs::metadata(path) {
            Ok(metadata) => Self::of_metadata(&metadata),
            // What can't be found out here fails with its own message when it is opened.
            Err(_) => hubmill_writer::resolve(path).ok().map(Self::NotYet),
        }
    }
}

/// The paths of a run, each with what it is for.
#[derive(Debug, Default)]
pub(crate) struct Paths {
    known: Vec<(String, Identity)>,
}

impl Paths {
    /// Adds a path.
    pub(crate) fn add(&mut self, name: &str, path: &Path) -> Result<(), Failure> {
        self.add_identity(name.to_owned(), Identity::of_path(path))
    }

    /// Adds an opened file.
    pub(crate) fn add_file(&mut self, name: &str, file: &File) -> Result<(), Failure> {
        let identity = file.metadata().ok().and_then(|metadata| Identity::of_metadata(&metadata));
        self.add_identity(name.to_owned(), identity)
    }

    /// Adds standard output.
    pub(crate) fn add_stdout(&mut self) -> Result<(), Failure> {
        match io::stdout().as_fd().try_clone_to_owned() {
            Ok(descriptor) => self.add_file("standard output", &File::from(descriptor)),
            Err(_) => Ok(()),
        }
    }

    fn add_identity(&mut self, name: String, identity: Option<Identity>) -> Result<(), Failure> {
        let Some(identity) = identity else {
            return Ok(());
        };
        if let Some((other, _)) = self.known.iter().find(|(_, known)| *known == identity) {
            let advice = if name == "standard output" {
                "; a shell empties a file that it redirects to before the command starts: write with -o to another file"
            } else {
                ""
            };
            return Err(Failure::usage(format!("{other} and {name} are the same file{advice}")));
        }
        self.known.push((name, identity));
        Ok(())
    }
}
