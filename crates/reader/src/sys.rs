//! Mapping a file.

use std::fs::File;
use std::io;

use memmap2::{Advice, Mmap};

/// Maps a whole file for reading from front to back.
///
/// Whoever calls this takes on what comes with a mapped file: where another process makes the file shorter, touching the
/// lost pages ends this process by a signal; where it changes the file, bytes change under our hands. Everything
/// here reads the map as plain bytes and relies on no earlier look at them.
pub(crate) fn map(file: &File) -> io::Result<Mmap> {
    // SAFETY: the map is only ever read as `&[u8]`. That another process may change the bytes meanwhile can't be ruled
    // out; the user chose `--mmap`, and no code relies on having validated a mapped byte before (no unchecked UTF-8).
    let map = unsafe { Mmap::map(file)? };
    // Only advice: without it the map works as well.
    let _ = map.advise(Advice::Sequential);
    Ok(map)
}
