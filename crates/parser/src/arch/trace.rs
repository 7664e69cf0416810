//! Whether a line fits a stencil: its pieces compared, its values' ends found, 32 bytes at a time or eight.

#[cfg(target_arch = "x86_64")]
use super::Inner;
use super::Level;
use crate::index::Flags;
use crate::scalar::{short_integer, short_literal};
use crate::stencil::PIECES_MAX;
use crate::text::escape_end;
use crate::traces::{Traced, Traces};
use crate::tree::{Hole, Node, Tree};
use crate::walk::scalar;

impl Level {
    /// Goes down the tree along each line from `start` on, until one fits no stencil or is too near to the end of `bytes` to
    /// tell, or `traces` has enough. The grammar of those that fit is that of their stencils, and escapes are valid; UTF-8 is
    /// still to be checked where the flags say that there is any.
    #[inline]
    pub(crate) fn trace(self, tree: &Tree, bytes: &[u8], start: usize, traces: &mut Traces) {
        match self.0 {
            // SAFETY: a value of these levels exists only where the CPU was found to have the features.
            #[cfg(target_arch = "x86_64")]
            Inner::Avx2 | Inner::Avx512 => unsafe { x86_64::trace_avx2(tree, bytes, start, traces) },
            #[allow(unreachable_patterns, reason = "other levels on other architectures")]
            _ => trace_words(tree, bytes, start, traces),
        }
    }
}

/// Bytes that must follow a place for anything to be looked at there.
pub(crate) const REACH: usize = 64;

/// How bytes are looked at. The functions are unsafe to call where the CPU lacks what they are made for.
trait Look {
    /// Bytes that were looked at, one over the other.
    type Seen: Copy;

    const NOTHING: Self::Seen;

    /// Whether the piece of `node` stands at `at`.
    ///
    /// # Safety
    /// The CPU must have what the way of looking is made for, `text` must be the text of its tree, and [`REACH`] bytes must
    /// follow both `at` and the end of the piece there.
    unsafe fn fits(text: &[u8], node: &Node, bytes: &[u8], at: usize) -> bool;

    /// The first quote, backslash or control character from `at` on. All that was looked at for it, a little more than what
    /// stands before it, is added to `seen`. `None` where fewer than [`REACH`] bytes are left. Whether it is expected to be far
    /// is a hint.
    ///
    /// # Safety
    /// The CPU must have what the way of looking is made for, and [`REACH`] bytes must follow `at`.
    unsafe fn special(bytes: &[u8], at: usize, far: bool, seen: &mut Self::Seen) -> Option<usize>;

    /// The end of a string that goes on at `at`, where no byte is escaped: its quote, or a control character. `None` where an
    /// escape before it is none, or fewer than [`REACH`] bytes are left. Tells also whether there was a byte of 0x80 or above
    /// among those that were looked at, a little more than what stands before the end.
    ///
    /// # Safety
    /// The CPU must have what the way of looking is made for.
    unsafe fn string_end(bytes: &[u8], at: usize) -> Option<(usize, bool)>;

    /// Whether there was a byte of 0x80 or above.
    ///
    /// # Safety
    /// The CPU must have what the way of looking is made for.
    unsafe fn any_high(seen: Self::Seen) -> bool;

    /// Asks for the bytes that will be looked at some time after those at `at`.
    fn look_ahead(bytes: &[u8], at: usize);

    /// The length of the short number at `at`, or 0.
    ///
    /// # Safety
    /// The CPU must have what the way of looking is made for.
    unsafe fn short_number(bytes: &[u8], at: usize) -> usize;
}

/// # Safety
/// The CPU must have what `L` is made for.
#[inline(always)]
unsafe fn trace<L: Look>(tree: &Tree, bytes: &[u8], start: usize, traces: &mut Traces) {
    traces.clear();
    // The last place that anything is looked at.
    let Some(limit) = bytes.len().checked_sub(REACH) else { return };
    let mut at = start;
    while let Some(starts) = traces.room(at - start) {
        // SAFETY: passed on from the caller.
        let Some((traced, pieces)) = (unsafe { trace_line::<L>(tree, bytes, at, limit, starts) }) else { break };
        at = traced.end_with_newline as usize;
        traces.add(traced, pieces);
    }
}

/// Traces one line, of which nothing is looked at that is after `limit` and not among the [`REACH`] bytes there. Tells also
/// how many pieces it has.
///
/// # Safety
/// The CPU must have what `L` is made for, and [`REACH`] bytes must follow `limit`.
#[inline(always)]
unsafe fn trace_line<L: Look>(
    tree: &Tree,
    bytes: &[u8],
    start: usize,
    limit: usize,
    starts: &mut [u32; PIECES_MAX],
) -> Option<(Traced, usize)> {
    let mut at = start;
    let mut flags = Flags::NONE;
    let mut seen = L::NOTHING;
    // The first piece that may stand at `at`, and the one that is looked at.
    let mut first = tree.root;
    let mut number = first;
    let mut piece = 0;
    loop {
        let Some(node) = tree.nodes.get(number as usize) else {
            if let Some(switched) = tree.switched(number, bytes, at) {
                number = switched;
                continue;
            }
            // None fits. A string may go on after an escape: no piece, but the content of a string starts with one. After a
            // number there may be nothing at all.
            if bytes.get(at) == Some(&b'\\') && piece > 0 {
                flags |= Flags::BACKSLASH;
                at = escape_end(bytes, at).filter(|end| *end <= limit)?;
                // SAFETY: 64 bytes follow `at`; the rest is passed on from the caller.
                at = unsafe { L::special(bytes, at, false, &mut seen) }?;
                if bytes[at] == b'\\' {
                    // SAFETY: passed on from the caller.
                    let (end, has_high) = unsafe { L::string_end(bytes, at) }?;
                    if has_high {
                        flags |= Flags::NON_ASCII;
                    }
                    at = end;
                }
                number = first;
                continue;
            }
            return None;
        };
        let after = at + node.length as usize;
        // SAFETY: 64 bytes follow `after`, which is no smaller than `at`; the rest is passed on from the caller.
        if after > limit || !unsafe { L::fits(&tree.text, node, bytes, at) } {
            number = node.next;
            continue;
        }
        L::look_ahead(bytes, after);
        let end = if node.is_text {
            // SAFETY: 64 bytes follow `after`; the rest is passed on from the caller.
            unsafe { L::special(bytes, after, node.long, &mut seen) }?
        } else if node.hole != Hole::End {
            // SAFETY: passed on from the caller.
            let Some(end) = (unsafe { scalar_end::<L>(bytes, after, node.hole) }) else {
                number = node.next;
                continue;
            };
            end
        } else {
            starts[piece] = at as u32;
            let end_with_newline = match bytes[after..] {
                [b'\n', ..] => after + 1,
                [b'\r', b'\n', ..] => after + 2,
                _ => return None,
            };
            // SAFETY: passed on from the caller.
            if unsafe { L::any_high(seen) } {
                flags |= Flags::NON_ASCII;
            }
            return Some((Traced::new(node.child, after, end_with_newline, flags), piece + 1));
        };
        starts[piece] = at as u32;
        piece += 1;
        at = end;
        first = node.child;
        number = first;
    }
}

/// The end of the number or literal at `at`, if one stands there: first as what it is taken for.
///
/// # Safety
/// The CPU must have what `L` is made for.
#[inline(always)]
unsafe fn scalar_end<L: Look>(bytes: &[u8], at: usize, hole: Hole) -> Option<usize> {
    let mut length = match hole {
        Hole::Integer => short_integer(bytes, at),
        Hole::Literal => short_literal(bytes, at),
        _ => 0,
    };
    if length == 0 && hole != Hole::Literal {
        // SAFETY: passed on from the caller.
        length = unsafe { L::short_number(bytes, at) };
    }
    if length > 0 { Some(at + length) } else { scalar(bytes, at).ok() }
}

/// Not a part of its caller, which would leave too few registers to both.
#[inline(never)]
fn trace_words(tree: &Tree, bytes: &[u8], start: usize, traces: &mut Traces) {
    // SAFETY: plain code needs nothing of the CPU.
    unsafe { trace::<Words>(tree, bytes, start, traces) }
}

/// Eight bytes at a time, on every CPU.
struct Words;

impl Look for Words {
    type Seen = u64;

    const NOTHING: u64 = 0;

    #[inline(always)]
    unsafe fn fits(text: &[u8], node: &Node, bytes: &[u8], at: usize) -> bool {
        let length = node.length as usize;
        bytes[at..at + length] == text[node.text as usize..][..length]
    }

    #[inline(always)]
    unsafe fn special(bytes: &[u8], at: usize, _far: bool, seen: &mut u64) -> Option<usize> {
        const ONES: u64 = u64::from_ne_bytes([1; 8]);
        const TOPS: u64 = ONES * 0x80;
        let mut rest = bytes.get(at..)?;
        while rest.len() >= REACH {
            let (word, following) = rest.split_first_chunk::<8>()?;
            let word = u64::from_le_bytes(*word);
            *seen |= word;
            let is = |byte: u8| {
                let other = word ^ (ONES * u64::from(byte));
                other.wrapping_sub(ONES) & !other
            };
            // Each marks its lowest true byte with bit 7, and nothing below it.
            let found = (is(b'"') | is(b'\\') | (word.wrapping_sub(ONES * 0x20) & !word)) & TOPS;
            if found != 0 {
                return Some(bytes.len() - rest.len() + found.trailing_zeros() as usize / 8);
            }
            rest = following;
        }
        None
    }

    unsafe fn string_end(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
        let (mut at, mut seen) = (at, Self::NOTHING);
        // SAFETY: plain code needs nothing of the CPU.
        unsafe {
            while bytes[at] == b'\\' {
                at = Self::special(bytes, escape_end(bytes, at)?, false, &mut seen)?;
            }
            Some((at, Self::any_high(seen)))
        }
    }

    #[inline(always)]
    unsafe fn any_high(seen: u64) -> bool {
        seen & u64::from_ne_bytes([0x80; 8]) != 0
    }

    #[inline(always)]
    fn look_ahead(_bytes: &[u8], _at: usize) {}

    #[inline(always)]
    unsafe fn short_number(bytes: &[u8], at: usize) -> usize {
        crate::scalar::short_number(bytes, at)
    }
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::arch::x86_64::{
        __m256i, _MM_HINT_T0, _mm_prefetch, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8,
        _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
    };

    use super::{Look, REACH, trace};
    use crate::arch::escapes::x86_64::string_end_avx2;
    use crate::arch::numbers;
    use crate::traces::Traces;
    use crate::tree::{Node, Tree};

    const LANES: usize = 32;
    /// How far ahead bytes are asked for: the CPU's own look-ahead ends at every page.
    const PREFETCH_BYTES: usize = 1024;

    /// # Safety
    /// The CPU must have AVX2 and what comes with it in practice.
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) unsafe fn trace_avx2(tree: &Tree, bytes: &[u8], start: usize, traces: &mut Traces) {
        // SAFETY: this function is compiled for the features, and its caller has checked them.
        unsafe { trace::<Avx2>(tree, bytes, start, traces) }
    }

    struct Avx2;

    /// # Safety
    /// The CPU must have AVX2, and 32 bytes must follow `at`.
    #[inline(always)]
    unsafe fn load(bytes: &[u8], at: usize) -> __m256i {
        debug_assert!(at + LANES <= bytes.len());
        // SAFETY: 32 bytes are there, says the caller, and the load needs no alignment.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().add(at).cast()) }
    }

    /// Which of the 32 bytes at `at` end a run of plain text, a bit each.
    ///
    /// # Safety
    /// As for [`load`].
    #[inline(always)]
    unsafe fn specials(bytes: &[u8], at: usize, seen: &mut __m256i) -> u32 {
        // SAFETY: passed on from the caller.
        unsafe {
            let lanes = load(bytes, at);
            *seen = _mm256_or_si256(*seen, lanes);
            let quote = _mm256_cmpeq_epi8(lanes, _mm256_set1_epi8(b'"' as i8));
            let backslash = _mm256_cmpeq_epi8(lanes, _mm256_set1_epi8(b'\\' as i8));
            let control = _mm256_cmpeq_epi8(_mm256_min_epu8(lanes, _mm256_set1_epi8(0x1f)), lanes);
            _mm256_movemask_epi8(_mm256_or_si256(_mm256_or_si256(quote, backslash), control)) as u32
        }
    }

    impl Look for Avx2 {
        type Seen = __m256i;

        // SAFETY: both are 32 bytes, of any value.
        const NOTHING: __m256i = unsafe { std::mem::transmute([0u8; LANES]) };

        #[inline(always)]
        unsafe fn fits(text: &[u8], node: &Node, bytes: &[u8], at: usize) -> bool {
            // SAFETY: the caller promises AVX2, and bytes after the piece; pieces longer than 32 bytes are whole in `text`.
            unsafe {
                let same = |want, found| _mm256_movemask_epi8(_mm256_cmpeq_epi8(want, found)) as u32;
                if !same(load(&node.head, 0), load(bytes, at)) & node.mask != 0 {
                    return false;
                }
                let length = node.length as usize;
                let is_same = |from| same(load(text, node.text as usize + from), load(bytes, at + from)) == u32::MAX;
                // The last bytes, some of them a second time, and then those between.
                length <= LANES
                    || is_same(length - LANES)
                        && (length <= 2 * LANES || (1..length / LANES).all(|number| is_same(number * LANES)))
            }
        }

        #[inline(always)]
        unsafe fn special(bytes: &[u8], at: usize, far: bool, seen: &mut __m256i) -> Option<usize> {
            let mut at = at;
            // SAFETY: the caller promises AVX2; 64 bytes are there wherever there is a look.
            unsafe {
                if !far {
                    let special = specials(bytes, at, seen);
                    if special != 0 {
                        return Some(at + special.trailing_zeros() as usize);
                    }
                    at += LANES;
                }
                while at + REACH <= bytes.len() {
                    let both = [specials(bytes, at, seen), specials(bytes, at + LANES, seen)].map(u64::from);
                    let special = both[0] | both[1] << LANES;
                    if special != 0 {
                        return Some(at + special.trailing_zeros() as usize);
                    }
                    at += REACH;
                }
            }
            None
        }

        #[inline(always)]
        unsafe fn string_end(bytes: &[u8], at: usize) -> Option<(usize, bool)> {
            // SAFETY: passed on from the caller.
            unsafe { string_end_avx2(bytes, at) }
        }

        #[inline(always)]
        unsafe fn any_high(seen: __m256i) -> bool {
            // SAFETY: the caller promises AVX2.
            unsafe { _mm256_movemask_epi8(seen) != 0 }
        }

        #[inline(always)]
        fn look_ahead(bytes: &[u8], at: usize) {
            let ahead = bytes.as_ptr().wrapping_add(at + PREFETCH_BYTES);
            // SAFETY: this reads nothing and never faults, wherever it points.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(ahead.cast()) };
        }

        #[inline(always)]
        unsafe fn short_number(bytes: &[u8], at: usize) -> usize {
            // SAFETY: the caller promises AVX2.
            unsafe { numbers::x86_64::one_short_number(bytes, at) }
        }
    }
}
