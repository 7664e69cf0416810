//! A file that appears whole or not at all: a temporary in the same folder, renamed when it is complete.

use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, TempPath};

use crate::error::Error;
use crate::pending::{Locked, Pending};
use crate::sink::Access;

/// How the names of temporary files begin, so that one left by a power cut is known for what it is.
const TEMPORARY_PREFIX: &str = ".hubmill-";
const TEMPORARY_SUFFIX: &str = ".partial";

#[derive(Debug)]
pub(crate) struct AtomicFile {
    pub(crate) file: File,
    /// Where the bytes are now. Removed when dropped.
    temporary: TempPath,
    target: PathBuf,
    /// Whose place it takes.
    old: Option<Metadata>,
    access: Access,
    pending: Pending,
}

impl AtomicFile {
    /// Starts a file that will stand at `target`, whose symbolic links have been followed.
    pub(crate) fn create(target: PathBuf, access: Access, pending: &Pending) -> Result<Self, Error> {
        let folder = match target.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let old = fs::metadata(&target).ok();
        // What replaces a file gets its mode at the end and is nobody else's business until then.
        let mode = match (access, &old) {
            (Access::Ordinary, None) => 0o666,
            _ => 0o600,
        };
        let mut locked = pending.lock();
        if locked.is_abandoned() {
            return Err(Error::interrupted(&target));
        }
        let temporary = tempfile::Builder::new()
            .prefix(TEMPORARY_PREFIX)
            .suffix(TEMPORARY_SUFFIX)
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(folder)
            .map_err(|error| Error::io("create a file beside", &target, error))?;
        locked.add(temporary.path());
        drop(locked);
        let (file, temporary) = NamedTempFile::into_parts(temporary);
        Ok(Self { file, temporary, target, old, access, pending: pending.clone() })
    }

    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Gets everything but the name in place.
    pub(crate) fn prepare(&self, sync: bool) -> io::Result<()> {
        if let Some(old) = &self.old {
            if (old.uid(), old.gid()) != self.file.metadata().map(|new| (new.uid(), new.gid()))? {
                // Only for those who may give files away; others keep what they wrote.
                let _ = std::os::unix::fs::fchown(&self.file, Some(old.uid()), Some(old.gid()));
            }
            // Keys are their owner's business, whoever else could read what was there.
            let kept = if self.access == Access::Private { 0o700 } else { 0o7777 };
            self.file.set_permissions(Permissions::from_mode(old.mode() & kept))?;
        }
        if sync { self.file.sync_all() } else { Ok(()) }
    }

    /// Puts the file in place. The caller holds the lock on the pending files.
    pub(crate) fn rename(self, locked: &mut Locked<'_>) -> Result<(), Error> {
        let Self { temporary, target, .. } = self;
        let path = temporary.to_path_buf();
        // Dropping the temporary path on failure removes the file; either way it is pending no more.
        locked.remove(&path);
        temporary.persist(&target).map_err(|error| Error::io("rename a finished file to", &target, error.error))
    }

    /// Gives the file up.
    pub(crate) fn discard(self) {
        self.pending.lock().remove(&self.temporary);
    }
}

/// Makes the folder's new entry last.
pub(crate) fn sync_folder(target: &Path) -> io::Result<()> {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => File::open(parent)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}
