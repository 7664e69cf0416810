//! An open file that is written to, and that may be a pipe.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::OwnedFd;

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{FileType, OFlags, fcntl_setfl, fstat};
use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};

/// How large a pipe is asked for, in bytes; what an unprivileged user may have.
const PIPE_BYTES: usize = 1 << 20;
/// What is shorter, in bytes, is written straight to a pipe.
const MOVED_BYTES_MIN: usize = 32 << 10;

/// A device, a terminal or a pipe that is written to.
#[derive(Debug)]
pub(crate) struct Outlet {
    file: File,
    is_pipe: bool,
    /// Whether pages can be moved to it, as far as is known.
    moves: bool,
    /// There from the first long write on.
    own: Option<OwnPipe>,
}

impl Outlet {
    pub(crate) fn new(file: File) -> Self {
        let is_pipe = fstat(&file).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo);
        if is_pipe {
            // The size it has works, too.
            let _ = fcntl_setpipe_size(&file, PIPE_BYTES);
        }
        Self { file, is_pipe, moves: is_pipe, own: None }
    }

    pub(crate) fn is_pipe(&self) -> bool {
        self.is_pipe
    }

    /// Writes all of `bytes`, also to a pipe that another program has set not to wait.
    pub(crate) fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut rest = bytes;
        while !rest.is_empty() {
            match self.write(rest) {
                Ok(0) => return Err(io::Error::from(io::ErrorKind::WriteZero)),
                Ok(count) => rest = &rest[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => wait(&self.file)?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Writes some of `bytes`; how many.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.moves && bytes.len() >= MOVED_BYTES_MIN {
            let moved = self.move_pages(bytes);
            if moved > 0 {
                return Ok(moved);
            }
        }
        self.file.write(bytes)
    }

    /// Writes some of `bytes` by way of a pipe of our own; how many, 0 where that can't be done.
    fn move_pages(&mut self, bytes: &[u8]) -> usize {
        if self.own.is_none() {
            self.own = OwnPipe::new();
        }
        let (moved, is_empty) = self.own.as_ref().map_or((0, false), |own| own.pass(&self.file, bytes));
        if !is_empty {
            // What is left there is among the bytes that are still to be written; doing that tells what is wrong, too.
            self.own = None;
            self.moves = false;
        }
        moved
    }
}

/// Waits until a file can be written to, or a signal came.
fn wait(file: &File) -> io::Result<()> {
    match poll(&mut [PollFd::new(file, PollFlags::OUT)], None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// A pipe of our own before another one.
///
/// A pipe that is written to is locked until all bytes are copied, and whoever reads it has to wait. Here bytes are copied into a
/// pipe that nobody else waits for, and its pages moved on without being copied, which takes a moment.
#[derive(Debug)]
struct OwnPipe {
    reader: OwnedFd,
    /// Does not wait for room.
    writer: File,
}

impl OwnPipe {
    /// `None` where the system grants none that is large enough.
    fn new() -> Option<Self> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).ok()?;
        fcntl_setfl(&writer, OFlags::NONBLOCK).ok()?;
        fcntl_setpipe_size(&writer, PIPE_BYTES).ok()?;
        Some(Self { reader, writer: File::from(writer) })
    }

    /// Passes some of `bytes` on to the pipe `to`: how many, and whether that was all that is in here.
    fn pass(&self, to: &File, bytes: &[u8]) -> (usize, bool) {
        let Ok(held) = (&self.writer).write(bytes) else { return (0, true) };
        let mut moved = 0;
        while moved < held {
            match splice(&self.reader, None, to, None, held - moved, SpliceFlags::empty()) {
                Ok(0) => break,
                Ok(count) => moved += count,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) if wait(to).is_ok() => {}
                Err(_) => break,
            }
        }
        (moved, moved == held)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File, OpenOptions};
    use std::io::{ErrorKind, Read as _};
    use std::os::fd::OwnedFd;

    use super::{MOVED_BYTES_MIN, Outlet, PIPE_BYTES};

    fn pipe() -> (File, File) {
        let (reader, writer) = std::io::pipe().unwrap();
        (OwnedFd::from(reader).into(), OwnedFd::from(writer).into())
    }

    /// So many different bytes.
    fn bytes(count: usize) -> Vec<u8> {
        (0..count).map(|at| (at ^ at >> 8 ^ at >> 16) as u8).collect()
    }

    #[test]
    fn short_and_long_writes_come_in_order_whether_the_pipe_waits_or_not() {
        for waits in [true, false] {
            let (mut reader, writer) = pipe();
            rustix::io::ioctl_fionbio(&writer, !waits).unwrap();
            let mut outlet = Outlet::new(writer);
            assert!(outlet.is_pipe());
            let all = bytes(5 * PIPE_BYTES);
            let want = all.clone();
            let lengths =
                [1, MOVED_BYTES_MIN, 5, MOVED_BYTES_MIN - 1, PIPE_BYTES, PIPE_BYTES + 1, 0, 2 * PIPE_BYTES + 4095, 100];
            let written = std::thread::spawn(move || {
                let mut rest = all.as_slice();
                for length in lengths {
                    outlet.write_all(&rest[..length]).unwrap();
                    rest = &rest[length..];
                }
                outlet.write_all(rest).unwrap();
                outlet.own.is_some()
            });
            let mut found = Vec::new();
            reader.read_to_end(&mut found).unwrap();
            assert!(written.join().unwrap(), "the pipe of our own serves to the end");
            assert!(found == want, "{waits}");
        }
    }

    #[test]
    fn a_reader_that_goes_away_is_told() {
        let (mut reader, writer) = pipe();
        let mut outlet = Outlet::new(writer);
        let written = std::thread::spawn(move || outlet.write_all(&bytes(4 * PIPE_BYTES)));
        let mut start = vec![0; 100_000];
        reader.read_exact(&mut start).unwrap();
        drop(reader);
        assert!(start == bytes(100_000));
        assert_eq!(written.join().unwrap().unwrap_err().kind(), ErrorKind::BrokenPipe);
    }

    #[test]
    fn what_can_not_be_moved_is_written() {
        let file = tempfile::NamedTempFile::new().unwrap();
        // Nothing can be moved to the end of a file that is appended to.
        let appended = OpenOptions::new().append(true).open(file.path()).unwrap();
        let mut outlet = Outlet::new(appended);
        assert!(!outlet.is_pipe() && !outlet.moves);
        outlet.moves = true;
        outlet.write_all(&bytes(2 * PIPE_BYTES)).unwrap();
        assert!(outlet.own.is_none() && !outlet.moves);
        assert!(fs::read(file.path()).unwrap() == bytes(2 * PIPE_BYTES));
    }
}
