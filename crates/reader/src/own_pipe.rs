//! A pipe of our own, into which what waits in another one is moved before it is read.

use std::fs::File;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::io::Errno;
use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};

/// How large a pipe is asked for, in bytes; what an unprivileged user may have.
pub(crate) const PIPE_BYTES: usize = 1 << 20;

/// A pipe of our own behind another one.
///
/// A pipe that is read from is locked until all bytes are copied, and whoever writes to it has to wait. Here its pages are moved on
/// without being copied, which takes a moment, and copied out of a pipe that nobody else waits for; meanwhile the other one
/// can be filled again.
#[derive(Debug)]
pub(crate) struct OwnPipe {
    reader: File,
    writer: OwnedFd,
    /// How many bytes it holds. One thread at a time reads.
    held: AtomicUsize,
}

impl OwnPipe {
    /// An empty one; `None` where the system grants none that is large enough.
    pub(crate) fn new() -> Option<Self> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC).ok()?;
        fcntl_setpipe_size(&writer, PIPE_BYTES).ok()?;
        Some(Self { reader: File::from(reader), writer, held: AtomicUsize::new(0) })
    }

    /// Whether there is nothing to be read without the other pipe.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.load(Ordering::Relaxed) == 0
    }

    /// Reads what is here or, if that is nothing, what comes out of the pipe `from`; 0 at its end.
    pub(crate) fn read(&self, from: &File, room: &mut [u8]) -> io::Result<usize> {
        let mut held = self.held.load(Ordering::Relaxed);
        if held == 0 {
            held = match splice(from, None, &self.writer, None, PIPE_BYTES, SpliceFlags::empty()) {
                Ok(moved) => moved,
                Err(error @ (Errno::INTR | Errno::AGAIN)) => return Err(error.into()),
                // Where pages can't be moved they can be read all the same.
                Err(_) => return (&*from).read(room),
            };
        }
        let most = room.len().min(held);
        let count = if most == 0 { 0 } else { (&self.reader).read(&mut room[..most])? };
        self.held.store(held - count, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write as _;
    use std::os::fd::OwnedFd;

    use super::{OwnPipe, PIPE_BYTES};

    fn pipe() -> (File, File) {
        let (reader, writer) = std::io::pipe().unwrap();
        (OwnedFd::from(reader).into(), OwnedFd::from(writer).into())
    }

    #[test]
    fn all_bytes_come_in_order_whatever_the_room() {
        for room in [1000, 4096, 100_000, PIPE_BYTES, 3 * PIPE_BYTES] {
            let (from, mut to) = pipe();
            let text: Vec<u8> = (0..1_000_000u32).flat_map(u32::to_le_bytes).collect();
            let want = text.clone();
            let feeder = std::thread::spawn(move || text.chunks(77_777).for_each(|part| to.write_all(part).unwrap()));
            let (own, mut found, mut buffer) = (OwnPipe::new().unwrap(), Vec::new(), vec![0; room]);
            loop {
                let count = own.read(&from, &mut buffer).unwrap();
                found.extend_from_slice(&buffer[..count]);
                if count == 0 {
                    break;
                }
            }
            feeder.join().unwrap();
            assert!(own.is_empty() && found == want, "{room}");
        }
    }

    #[test]
    fn what_waits_is_read_without_the_other_pipe() {
        let (from, mut to) = pipe();
        let own = OwnPipe::new().unwrap();
        to.write_all(b"abcde").unwrap();
        let mut room = [0; 3];
        assert_eq!((own.read(&from, &mut room).unwrap(), &room), (3, b"abc"));
        assert!(!own.is_empty());
        // The other one has nothing, and would be waited for.
        assert_eq!((own.read(&from, &mut room).unwrap(), &room[..2]), (2, b"de".as_slice()));
        assert!(own.is_empty());
        drop(to);
        assert_eq!(own.read(&from, &mut room).unwrap(), 0);
    }

    #[test]
    fn what_can_not_be_moved_is_read() {
        let own = OwnPipe::new().unwrap();
        // Nothing can be moved from a pipe to itself.
        File::from(own.writer.try_clone().unwrap()).write_all(b"abc").unwrap();
        let mut room = [0; 8];
        assert_eq!(own.read(&own.reader, &mut room).unwrap(), 3);
        assert_eq!(&room[..3], b"abc");
        assert!(own.is_empty());
    }
}
