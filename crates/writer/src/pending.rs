//! Files that are not finished, so that ending a run early leaves none behind.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The temporary files of a run. Clones are the same set.
///
/// A thread that waits for signals calls [`Pending::abandon`] and ends the process; the run calls [`crate::commit_all`]. Whichever
/// comes first wins: after that the files are all gone, or all in place.
#[derive(Clone, Debug, Default)]
pub struct Pending(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    files: Vec<PathBuf>,
    abandoned: bool,
    committed: bool,
}

/// The set, locked: no file appears or goes meanwhile.
pub(crate) struct Locked<'a>(MutexGuard<'a, State>);

impl Pending {
    /// Removes all temporary files, and lets no new ones be made. `false` where the run has put them in place already.
    pub fn abandon(&self) -> bool {
        let mut locked = self.lock();
        if locked.0.committed {
            return false;
        }
        locked.0.abandoned = true;
        for file in std::mem::take(&mut locked.0.files) {
            // There is nobody left to tell, and the others should still go.
            let _ = std::fs::remove_file(file);
        }
        true
    }

    pub(crate) fn lock(&self) -> Locked<'_> {
        Locked(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Locked<'_> {
    pub(crate) fn is_abandoned(&self) -> bool {
        self.0.abandoned
    }

    pub(crate) fn add(&mut self, file: &Path) {
        self.0.files.push(file.to_owned());
    }

    pub(crate) fn remove(&mut self, file: &Path) {
        self.0.files.retain(|known| known != file);
    }

    pub(crate) fn set_committed(&mut self) {
        self.0.committed = true;
    }
}
