//! Mapping a file, and outliving it when the file becomes shorter.
//!
//! Whoever touches a mapped page that its file has lost gets `SIGBUS`. The handler here puts a page of zeros in that place
//! and notes that the map is lost; readers ask for that before they hand on anything that came out of the map.

use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::ops::{Deref, Range};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use memmap2::{Advice, Mmap, UncheckedAdvice};

/// Maps that can be there at once.
const MAPS_MAX: usize = 16;

/// A map that the handler knows.
struct Guard {
    taken: AtomicBool,
    /// Its first address; 0 where there is none.
    start: AtomicUsize,
    end: AtomicUsize,
    lost: AtomicBool,
}

static GUARDS: [Guard; MAPS_MAX] = [const {
    Guard {
        taken: AtomicBool::new(false),
        start: AtomicUsize::new(0),
        end: AtomicUsize::new(0),
        lost: AtomicBool::new(false),
    }
}; MAPS_MAX];

/// The bytes of a page; a power of two.
static PAGE_BYTES: AtomicUsize = AtomicUsize::new(0);

/// What was done about `SIGBUS` before.
static BEFORE: OnceLock<libc::sigaction> = OnceLock::new();

/// A file mapped for reading from front to back.
#[derive(Debug)]
pub(crate) struct Map {
    map: Mmap,
    guard: usize,
}

impl Map {
    /// Maps a whole file.
    ///
    /// Whoever calls this takes on what comes with a mapped file: where another process changes the file, bytes change
    /// under our hands. Everything here reads the map as plain bytes and relies on no earlier look at them.
    pub(crate) fn new(file: &File) -> io::Result<Self> {
        install_handler()?;
        let free = |guard: &Guard| !guard.taken.swap(true, Ordering::SeqCst);
        let guard = GUARDS.iter().position(free).ok_or(io::ErrorKind::ResourceBusy)?;
        // SAFETY: the map is only ever read as `&[u8]`. That another process may change the bytes meanwhile can't be ruled
        // out; no code relies on having validated a mapped byte before (no unchecked UTF-8, no unchecked index).
        let map = match unsafe { Mmap::map(file) } {
            Ok(map) => map,
            Err(error) => {
                GUARDS[guard].taken.store(false, Ordering::SeqCst);
                return Err(error);
            }
        };
        // Only advice: without it the map works as well.
        let _ = map.advise(Advice::Sequential);
        let start = map.as_ptr() as usize;
        GUARDS[guard].lost.store(false, Ordering::SeqCst);
        GUARDS[guard].end.store(start + map.len(), Ordering::SeqCst);
        GUARDS[guard].start.store(start, Ordering::SeqCst);
        Ok(Self { map, guard })
    }

    /// Gives back the memory of whole pages in `range`; who looks at them again gets them again.
    pub(crate) fn give_back(&self, range: Range<usize>) {
        let page_bytes = PAGE_BYTES.load(Ordering::SeqCst);
        let (start, end) = (range.start.next_multiple_of(page_bytes), range.end & !(page_bytes - 1));
        if start < end && end <= self.map.len() {
            // SAFETY: the map is shared with its file and only ever read, so that pages that are let go hold what they held
            // when they are had again. Only advice: without it the map works as well.
            let _ = unsafe { self.map.unchecked_advise_range(UncheckedAdvice::DontNeed, start, end - start) };
        }
    }

    /// Whether bytes that were touched were gone, and zeros were read in their place.
    pub(crate) fn is_lost(&self) -> bool {
        GUARDS[self.guard].lost.load(Ordering::SeqCst)
    }
}

impl Deref for Map {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.map
    }
}

impl Drop for Map {
    fn drop(&mut self) {
        let guard = &GUARDS[self.guard];
        guard.start.store(0, Ordering::SeqCst);
        guard.taken.store(false, Ordering::SeqCst);
    }
}

/// Installs the handler, once.
fn install_handler() -> io::Result<()> {
    static INSTALLED: OnceLock<Option<i32>> = OnceLock::new();
    let failure = INSTALLED.get_or_init(|| {
        // SAFETY: asking for a setting of the system.
        let page_bytes = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
        PAGE_BYTES.store(usize::try_from(page_bytes).unwrap_or(4096), Ordering::SeqCst);
        let mut before = MaybeUninit::<libc::sigaction>::zeroed();
        let mut action = MaybeUninit::<libc::sigaction>::zeroed();
        // SAFETY: all zeros is a valid `sigaction`, and the fields that matter are set before it is used. The handler has the
        // signature that SA_SIGINFO asks for and does only what a handler may. `before` is written by the first call.
        let set = unsafe {
            let handler: extern "C" fn(libc::c_int, *mut libc::siginfo_t, *mut libc::c_void) = on_bus_error;
            (*action.as_mut_ptr()).sa_sigaction = handler as usize;
            (*action.as_mut_ptr()).sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
            libc::sigemptyset(&mut (*action.as_mut_ptr()).sa_mask);
            if libc::sigaction(libc::SIGBUS, ptr::null(), before.as_mut_ptr()) == 0 {
                // Before the handler can run.
                let _ = BEFORE.set(before.assume_init());
            }
            libc::sigaction(libc::SIGBUS, action.as_ptr(), ptr::null_mut())
        };
        if set == 0 { None } else { Some(io::Error::last_os_error().raw_os_error().unwrap_or(libc::EINVAL)) }
    });
    failure.map_or(Ok(()), |code| Err(io::Error::from_raw_os_error(code)))
}

/// Puts zeros in place of a lost page of a map. Any other fault goes where it went before.
extern "C" fn on_bus_error(signal: libc::c_int, info: *mut libc::siginfo_t, _context: *mut libc::c_void) {
    // SAFETY: the kernel hands a valid `siginfo_t` to a handler with SA_SIGINFO, and for this signal it has an address.
    let address = unsafe { (*info).si_addr() } as usize;
    let page_bytes = PAGE_BYTES.load(Ordering::SeqCst);
    let page = address & !(page_bytes - 1);
    for guard in &GUARDS {
        let (start, end) = (guard.start.load(Ordering::SeqCst), guard.end.load(Ordering::SeqCst));
        if start == 0 || !(start..end).contains(&address) {
            continue;
        }
        // First the note, then the zeros: who reads them can know.
        guard.lost.store(true, Ordering::SeqCst);
        // SAFETY: the page belongs to a map of ours, which is only read, so that replacing it takes nothing from anybody else.
        // mmap is a plain system call here and safe in a handler.
        let placed = unsafe {
            libc::mmap(
                page as *mut libc::c_void,
                page_bytes,
                libc::PROT_READ,
                libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED,
                -1,
                0,
            )
        };
        if placed != libc::MAP_FAILED {
            return;
        }
    }
    // SAFETY: the action from before is put back and the fault, on return, happens again.
    unsafe {
        match BEFORE.get() {
            Some(before) => libc::sigaction(signal, before, ptr::null_mut()),
            None => libc::signal(signal, libc::SIG_DFL) as libc::c_int,
        };
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{MAPS_MAX, Map};

    #[test]
    fn a_page_that_the_file_has_lost_reads_as_zeros_and_is_noted() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&[b'x'; 1 << 20]).unwrap();
        let map = Map::new(&file).unwrap();
        assert_eq!((map[0], map[(1 << 20) - 1]), (b'x', b'x'));
        file.set_len(10_000).unwrap();
        assert!(!map.is_lost());
        assert_eq!(map[9_999], b'x');
        assert!(!map.is_lost());
        assert!(map[500_000..].iter().all(|byte| *byte == 0));
        assert!(map.is_lost());
        drop(map);
        file.set_len(1 << 20).unwrap();
        assert!(!Map::new(&file).unwrap().is_lost(), "the next one starts anew");
    }

    #[test]
    fn memory_that_was_given_back_holds_what_it_held() {
        let mut file = tempfile::tempfile().unwrap();
        let content: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
        file.write_all(&content).unwrap();
        let map = Map::new(&file).unwrap();
        for range in [0..400_000, 1..399_999, 5_000..5_001, 5_000..9_000, 0..0, 399_000..500_000] {
            assert_eq!(*map, *content);
            map.give_back(range);
        }
        assert_eq!(*map, *content);
    }

    #[test]
    fn places_are_given_back() {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"x").unwrap();
        for _ in 0..4 * MAPS_MAX {
            assert_eq!(*Map::new(&file).unwrap(), *b"x");
        }
    }
}
