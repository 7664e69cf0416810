//! A place that bytes are written to.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::fd::AsFd as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::atomic::{AtomicFile, sync_folder};
use crate::error::{Error, ErrorKind};
use crate::outlet::Outlet;
use crate::pending::Pending;

/// Who may read a new file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Whoever the process's umask lets.
    Ordinary,
    /// The owner alone: it holds keys.
    Private,
}

/// Has all of them go on without the reader of standard output, if any is a file: that is to be whole, whatever becomes of the
/// rest.
pub fn outlive_reader<'s>(sinks: impl IntoIterator<Item = &'s mut Sink>) {
    let mut sinks: Vec<&mut Sink> = sinks.into_iter().collect();
    if sinks.iter().any(|sink| sink.is_atomic()) {
        sinks.iter_mut().for_each(|sink| sink.outlive_reader());
    }
}

/// Whether finished files are made to last before the run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// Files and their folders are synced to disk.
    ToDisk,
    /// Left to the system.
    BySystem,
}

#[derive(Debug)]
enum Inner {
    Stdout(Outlet),
    /// A device, a pipe, a terminal.
    Direct(Outlet),
    Atomic(Box<AtomicFile>),
    Nowhere,
    /// Standard output, whose reader went away.
    Gone,
}

/// A place that bytes are written to, unbuffered: callers write in big pieces.
#[derive(Debug)]
pub struct Sink {
    inner: Inner,
    place: String,
    bytes: u64,
    /// What can't be written to standard output any more is let go.
    outlives_reader: bool,
}

impl Sink {
    /// Standard output.
    pub fn stdout() -> io::Result<Self> {
        let outlet = Outlet::new(io::stdout().as_fd().try_clone_to_owned()?.into());
        Ok(Self { inner: Inner::Stdout(outlet), place: "standard output".to_owned(), bytes: 0, outlives_reader: false })
    }

    /// Standard error, for what is not data.
    pub fn stderr() -> io::Result<Self> {
        let outlet = Outlet::new(io::stderr().as_fd().try_clone_to_owned()?.into());
        Ok(Self { inner: Inner::Direct(outlet), place: "standard error".to_owned(), bytes: 0, outlives_reader: false })
    }

    /// No place at all: bytes are counted and forgotten.
    pub fn nowhere() -> Self {
        Self { inner: Inner::Nowhere, place: "nowhere".to_owned(), bytes: 0, outlives_reader: false }
    }

    /// A file, which appears at `path` when it is committed; or, where `path` is no regular file, that device or pipe.
    pub fn create(path: &Path, access: Access, pending: &Pending) -> Result<Self, Error> {
        let metadata = fs::metadata(path).ok();
        if path.as_os_str().as_bytes().ends_with(b"/") || metadata.as_ref().is_some_and(fs::Metadata::is_dir) {
            return Err(Error::io("write to", path, io::Error::from(io::ErrorKind::IsADirectory)));
        }
        let opened = |error| Error::io("open", path, error);
        let inner = match descriptor(path) {
            // What is open already is not replaced: it is written on where it stands.
            Some(1) => return Self::stdout().map_err(opened),
            Some(2) => return Self::stderr().map_err(opened),
            Some(_) => Inner::Direct(Outlet::new(OpenOptions::new().append(true).open(path).map_err(opened)?)),
            None if metadata.is_some_and(|metadata| !metadata.is_file()) => {
                Inner::Direct(Outlet::new(OpenOptions::new().write(true).open(path).map_err(opened)?))
            }
            None => {
                let target = resolve(path).map_err(|error| Error::io("find the folder of", path, error))?;
                Inner::Atomic(Box::new(AtomicFile::create(target, access, pending)?))
            }
        };
        Ok(Self { inner, place: path.display().to_string(), bytes: 0, outlives_reader: false })
    }

    /// Whether it is a file that appears when committed.
    pub fn is_atomic(&self) -> bool {
        matches!(self.inner, Inner::Atomic(_))
    }

    /// Whether it is standard output.
    pub fn is_stdout(&self) -> bool {
        matches!(self.inner, Inner::Stdout(_))
    }

    /// Whether it is a pipe.
    pub fn is_pipe(&self) -> bool {
        matches!(&self.inner, Inner::Stdout(outlet) | Inner::Direct(outlet) if outlet.is_pipe())
    }

    /// From now on it is no error that the reader of standard output goes away: what else is written is to be whole all the
    /// same.
    pub fn outlive_reader(&mut self) {
        self.outlives_reader = true;
    }

    /// Whether it is standard output, and its reader went away.
    pub fn is_gone(&self) -> bool {
        matches!(self.inner, Inner::Gone)
    }

    /// How many bytes were written.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Writes all of `bytes`.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let written = match &mut self.inner {
            Inner::Stdout(outlet) | Inner::Direct(outlet) => outlet.write_all(bytes),
            Inner::Atomic(atomic) => atomic.file.write_all(bytes),
            Inner::Nowhere => Ok(()),
            Inner::Gone => return Ok(()),
        };
        if let Err(error) = written {
            let closed = matches!(self.inner, Inner::Stdout(_)) && error.kind() == io::ErrorKind::BrokenPipe;
            if closed && self.outlives_reader {
                self.inner = Inner::Gone;
                return Ok(());
            }
            let kind = if closed { ErrorKind::StdoutClosed } else { ErrorKind::Io };
            return Err(Error::new(kind, "write to", &self.place, error));
        }
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    /// Gives up a file; what went to standard output or to a device stays there.
    pub fn discard(self) {
        if let Inner::Atomic(atomic) = self.inner {
            atomic.discard();
        }
    }
}

/// Puts all files in place, in this order: the most important last, so that where it is, the others are.
///
/// Everything that can fail for want of room is done before the first is renamed.
pub fn commit_all(sinks: Vec<Sink>, sync: Sync, pending: &Pending) -> Result<(), Error> {
    let files: Vec<Box<AtomicFile>> = sinks
        .into_iter()
        .filter_map(|sink| match sink.inner {
            Inner::Atomic(atomic) => Some(atomic),
            Inner::Stdout(_) | Inner::Direct(_) | Inner::Nowhere | Inner::Gone => None,
        })
        .collect();
    for file in &files {
        file.prepare(sync == Sync::ToDisk).map_err(|error| Error::io("finish", file.target(), error))?;
    }
    let targets: Vec<PathBuf> = files.iter().map(|file| file.target().to_owned()).collect();
    let mut locked = pending.lock();
    for file in files {
        if locked.is_abandoned() {
            return Err(Error::interrupted(file.target()));
        }
        file.rename(&mut locked)?;
    }
    locked.set_committed();
    drop(locked);
    if sync == Sync::ToDisk {
        for target in targets {
            sync_folder(&target).map_err(|error| Error::io("sync the folder of", &target, error))?;
        }
    }
    Ok(())
}

/// The number of the open file that a path like `/dev/stdout` or `/dev/fd/3` stands for.
fn descriptor(path: &Path) -> Option<u32> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        let folder = fs::canonicalize(path.parent()?).ok()?;
        let number = path.file_name()?.to_str().and_then(|name| name.parse().ok());
        if folder.starts_with("/proc") && folder.ends_with("fd") && number.is_some() {
            return number;
        }
        path = folder.join(fs::read_link(&path).ok()?);
    }
    None
}

/// How many symbolic links are followed.
const LINKS_MAX: usize = 40;

/// The file that `path` stands for: symbolic links followed, also where the file is not there yet.
pub fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        match fs::canonicalize(&path) {
            Ok(real) => return Ok(real),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Err(_) => {}
        }
        let folder = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => fs::canonicalize(parent)?,
            _ => fs::canonicalize(".")?,
        };
        let Some(name) = path.file_name() else {
            return Err(io::Error::from(io::ErrorKind::InvalidInput));
        };
        let here = folder.join(name);
        match fs::read_link(&here) {
            Ok(link) => path = folder.join(link),
            Err(_) => return Ok(here),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::Path;

    use super::{Access, Sink, Sync, commit_all};
    use crate::{ErrorKind, Pending};

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_not_there_until_it_is_committed() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.txt");
        let pending = Pending::default();
        let mut sink = Sink::create(&target, Access::Ordinary, &pending).unwrap();
        sink.write(b"one\n").unwrap();
        assert!(!target.exists());
        assert!(names(folder.path())[0].starts_with(".hubmill-"));
        commit_all(vec![sink], Sync::ToDisk, &pending).unwrap();
        assert_eq!(fs::read(&target).unwrap(), b"one\n");
        assert_eq!(names(folder.path()), ["out.txt"]);
        assert!(!pending.abandon(), "too late");
        assert!(target.exists());
    }

    #[test]
    fn discarding_and_dropping_leave_nothing_and_the_old_file() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("out.txt");
        fs::write(&target, "old").unwrap();
        let pending = Pending::default();
        for discard in [true, false] {
            let mut sink = Sink::create(&target, Access::Ordinary, &pending).unwrap();
            sink.write(b"new").unwrap();
            if discard {
                sink.discard()
            } else {
                drop(sink)
            }
            assert_eq!(names(folder.path()), ["out.txt"]);
            assert_eq!(fs::read(&target).unwrap(), b"old");
        }
    }

    #[test]
    fn abandoning_removes_what_is_pending_and_refuses_more() {
        let folder = tempfile::tempdir().unwrap();
        let pending = Pending::default();
        let sink = Sink::create(&folder.path().join("a"), Access::Ordinary, &pending).unwrap();
        assert!(pending.abandon());
        assert!(names(folder.path()).is_empty());
        assert_eq!(commit_all(vec![sink], Sync::BySystem, &pending).unwrap_err().kind(), ErrorKind::Interrupted);
        let late = Sink::create(&folder.path().join("b"), Access::Ordinary, &pending);
        assert_eq!(late.unwrap_err().kind(), ErrorKind::Interrupted);
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn modes_are_kept_or_private_or_by_umask() {
        let folder = tempfile::tempdir().unwrap();
        let pending = Pending::default();
        let old = folder.path().join("old");
        fs::write(&old, "").unwrap();
        fs::set_permissions(&old, fs::Permissions::from_mode(0o640)).unwrap();
        for (name, access, want) in
            [("old", Access::Ordinary, 0o640), ("old", Access::Private, 0o600), ("private", Access::Private, 0o600)]
        {
            let path = folder.path().join(name);
            commit_all(vec![Sink::create(&path, access, &pending).unwrap()], Sync::BySystem, &pending).unwrap();
            assert_eq!(mode(&path), want, "{name}");
        }
        let ordinary = folder.path().join("ordinary");
        commit_all(vec![Sink::create(&ordinary, Access::Ordinary, &pending).unwrap()], Sync::BySystem, &pending)
            .unwrap();
        let reference = folder.path().join("reference");
        fs::write(&reference, "").unwrap();
        assert_eq!(mode(&ordinary), mode(&reference));
    }

    #[test]
    fn links_are_followed_and_stay() {
        let folder = tempfile::tempdir().unwrap();
        let pending = Pending::default();
        let real = folder.path().join("real");
        let link = folder.path().join("link");
        symlink("real", &link).unwrap();
        for content in ["first", "second"] {
            let mut sink = Sink::create(&link, Access::Ordinary, &pending).unwrap();
            sink.write(content.as_bytes()).unwrap();
            commit_all(vec![sink], Sync::BySystem, &pending).unwrap();
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
            assert_eq!(fs::read_to_string(&real).unwrap(), content);
        }
    }

    #[test]
    fn devices_are_written_directly_and_full_ones_fail() {
        let pending = Pending::default();
        let mut null = Sink::create(Path::new("/dev/null"), Access::Private, &pending).unwrap();
        assert!(!null.is_atomic());
        null.write(b"x").unwrap();
        let mut full = Sink::create(Path::new("/dev/full"), Access::Private, &pending).unwrap();
        let error = full.write(b"x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.to_string().contains("/dev/full"), "{error}");
    }
}
