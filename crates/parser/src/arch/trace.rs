//! Whether a line fits a stencil: its pieces compared, its values' ends found, 32 bytes at a time or eight.

use super::{Inner, Level};
use crate::index::Flags;
use crate::scalar::short_literal;
use crate::stencil::{Hole, NONE, Node, Traced, Tree};
use crate::text::escape_end;
use crate::walk::scalar;

impl Level {
    /// Goes down the tree along the line that starts at `start`; `None` where it fits no stencil or is too near to the end
    /// of `bytes` to tell. The grammar is that of the stencil, and escapes are valid; UTF-8 is still to be checked where
    /// the flags say that there is any. `starts` gets the places of the pieces.
    #[inline]
    pub(crate) fn trace(self, tree: &Tree, bytes: &[u8], start: usize, starts: &mut [u32]) -> Option<Traced> {
        if tree.root == NONE {
            return None;
        }
        match self.0 {
            // SAFETY: a value of these levels exists only where the CPU was found to have the features.
            #[cfg(target_arch = "x86_64")]
            Inner::Avx2 | Inner::Avx512 => unsafe { x86_64::trace_avx2(tree, bytes, start, starts) },
            #[allow(unreachable_patterns, reason = "other levels on other architectures")]
            // SAFETY: plain code needs nothing of the CPU.
            _ => unsafe { trace::<Words>(tree, bytes, start, starts) },
        }
    }
}

/// Bytes that must follow a place for anything to be looked at there.
const REACH: usize = 64;

/// How bytes are looked at. The functions are unsafe to call where the CPU lacks what they are made for.
trait Look {
    /// Whether the piece of `node` stands at `at`.
    ///
    /// # Safety
    /// The CPU must have what the way of looking is made for, `text` must be the text of its tree, and [`REACH`] bytes must follow both
    /// `at` and the end of the piece there.
    unsafe fn fits(text: &[u8], node: &Node, bytes: &[u8], at: usize) -> bool;

    /// The first quote, backslash or control character from `at` on; `high` is set where a byte of 0x80 or above stands
    /// before it. `None` where fewer than [`REACH`] bytes are left.
    ///
    /// # Safety
    /// The CPU must have what the way of looking is made for.
    unsafe fn special(bytes: &[u8], at: usize, high: &mut bool) -> Option<usize>;

    /// The length of the short number at `at`, or 0.
    ///
    /// # Safety
    /// The CPU must have what the way of looking is made for.
    unsafe fn short_number(bytes: &[u8], at: usize) -> usize;
}

/// # Safety
/// The CPU must have what `L` is made for.
#[inline(always)]
unsafe fn trace<L: Look>(tree: &Tree, bytes: &[u8], start: usize, starts: &mut [u32]) -> Option<Traced> {
    // The last place that anything is looked at.
    let limit = bytes.len().checked_sub(REACH)?;
    let mut at = start;
    let mut flags = Flags::NONE;
    let mut high = false;
    // The first piece that may stand at `at`, and the one that is looked at.
    let mut first = tree.root;
    let mut number = first;
    let mut hole = Hole::End;
    let mut piece = 0;
    loop {
        let Some(node) = tree.nodes.get(number as usize) else {
            // None fits. A string may go on after an escape.
            if hole == Hole::Text && bytes.get(at) == Some(&b'\\') {
                flags |= Flags::BACKSLASH;
                // SAFETY: passed on from the caller.
                at = unsafe { L::special(bytes, escape_end(bytes, at)?, &mut high) }?;
                number = first;
                continue;
            }
            return None;
        };
        number = node.next;
        let after = at + node.length as usize;
        // SAFETY: `after` is no smaller than `at`; the rest is passed on from the caller.
        if after > limit || !unsafe { L::fits(&tree.text, node, bytes, at) } {
            continue;
        }
        let end = match node.hole {
            // SAFETY: passed on from the caller.
            Hole::Text => unsafe { L::special(bytes, after, &mut high) }?,
            Hole::Literal | Hole::Number => {
                // SAFETY: passed on from the caller.
                let Some(end) = (unsafe { scalar_end::<L>(bytes, after, node.hole) }) else {
                    continue;
                };
                end
            }
            Hole::End => {
                *starts.get_mut(piece)? = at as u32;
                let end_with_newline = match bytes[after..] {
                    [b'\n', ..] => after + 1,
                    [b'\r', b'\n', ..] => after + 2,
                    _ => return None,
                };
                if high {
                    flags |= Flags::NON_ASCII;
                }
                return Some(Traced { stencil: node.child, end: after, end_with_newline, flags });
            }
        };
        *starts.get_mut(piece)? = at as u32;
        piece += 1;
        at = end;
        hole = node.hole;
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
    let length = match hole {
        Hole::Literal => short_literal(bytes, at),
        // SAFETY: passed on from the caller.
        _ => unsafe { L::short_number(bytes, at) },
    };
    if length > 0 { Some(at + length) } else { scalar(bytes, at).ok() }
}

/// Eight bytes at a time, on every CPU.
struct Words;

impl Look for Words {
    #[inline(always)]
    unsafe fn fits(text: &[u8], node: &Node, bytes: &[u8], at: usize) -> bool {
        let length = node.length as usize;
        bytes[at..at + length] == text[node.text as usize..][..length]
    }

    #[inline(always)]
    unsafe fn special(bytes: &[u8], at: usize, high: &mut bool) -> Option<usize> {
        const ONES: u64 = u64::from_ne_bytes([1; 8]);
        const TOPS: u64 = ONES * 0x80;
        let mut rest = bytes.get(at..)?;
        let mut seen = 0;
        while rest.len() >= REACH {
            let (word, following) = rest.split_first_chunk::<8>()?;
            let word = u64::from_le_bytes(*word);
            let is = |byte: u8| {
                let other = word ^ (ONES * u64::from(byte));
                other.wrapping_sub(ONES) & !other
            };
            // Each marks its lowest true byte with bit 7, and nothing below it.
            let found = (is(b'"') | is(b'\\') | (word.wrapping_sub(ONES * 0x20) & !word)) & TOPS;
            if found != 0 {
                let before = (found & found.wrapping_neg()) - 1;
                *high |= (seen | word & before) & TOPS != 0;
                return Some(bytes.len() - rest.len() + found.trailing_zeros() as usize / 8);
            }
            seen |= word;
            rest = following;
        }
        None
    }

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
    use crate::arch::numbers;
    use crate::stencil::{Node, Traced, Tree};

    const LANES: usize = 32;
    /// How far ahead bytes are asked for: the CPU's own look-ahead ends at every page.
    const PREFETCH_BYTES: usize = 1024;

    /// # Safety
    /// The CPU must have AVX2 and what comes with it in practice.
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) unsafe fn trace_avx2(tree: &Tree, bytes: &[u8], start: usize, starts: &mut [u32]) -> Option<Traced> {
        // SAFETY: this function is compiled for the features, and its caller has checked them.
        unsafe { trace::<Avx2>(tree, bytes, start, starts) }
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

    /// Which bytes end a run of plain text, and which are 0x80 or above, a bit each.
    ///
    /// # Safety
    /// As for [`load`].
    #[inline(always)]
    unsafe fn classes(bytes: &[u8], at: usize) -> (u32, u32) {
        // SAFETY: passed on from the caller.
        unsafe {
            let lanes = load(bytes, at);
            let quote = _mm256_cmpeq_epi8(lanes, _mm256_set1_epi8(b'"' as i8));
            let backslash = _mm256_cmpeq_epi8(lanes, _mm256_set1_epi8(b'\\' as i8));
            let control = _mm256_cmpeq_epi8(_mm256_min_epu8(lanes, _mm256_set1_epi8(0x1f)), lanes);
            let special = _mm256_or_si256(_mm256_or_si256(quote, backslash), control);
            (_mm256_movemask_epi8(special) as u32, _mm256_movemask_epi8(lanes) as u32)
        }
    }

    impl Look for Avx2 {
        #[inline(always)]
        unsafe fn fits(text: &[u8], node: &Node, bytes: &[u8], at: usize) -> bool {
            let place = node.text as usize;
            // SAFETY: the caller promises AVX2, and bytes after the piece; so does the tree for its own text.
            let same = |offset: usize| unsafe {
                let pair = _mm256_cmpeq_epi8(load(text, place + offset), load(bytes, at + offset));
                _mm256_movemask_epi8(pair) as u32
            };
            let ahead = bytes.as_ptr().wrapping_add(at + PREFETCH_BYTES);
            // SAFETY: a prefetch reads nothing and never faults, wherever it points; every x86-64 CPU has it.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(ahead.cast()) };
            if !same(0) & node.mask != 0 {
                return false;
            }
            let length = node.length as usize;
            let mut offset = LANES;
            while offset < length {
                // The last bytes, some of them a second time.
                if same(offset.min(length - LANES)) != u32::MAX {
                    return false;
                }
                offset += LANES;
            }
            true
        }

        #[inline(always)]
        unsafe fn special(bytes: &[u8], at: usize, high: &mut bool) -> Option<usize> {
            let mut at = at;
            while at + REACH <= bytes.len() {
                // Twice 32, as most values are no longer, and nobody can foretell which are longer than 32.
                // SAFETY: the caller promises AVX2, and 64 bytes are there.
                let ((special, tops), (special_2, tops_2)) =
                    unsafe { (classes(bytes, at), classes(bytes, at + LANES)) };
                let special = u64::from(special) | u64::from(special_2) << LANES;
                let tops = u64::from(tops) | u64::from(tops_2) << LANES;
                // All ones where nothing was found.
                let before = special.wrapping_sub(1) & !special;
                *high |= tops & before != 0;
                if special != 0 {
                    return Some(at + special.trailing_zeros() as usize);
                }
                at += REACH;
            }
            None
        }

        #[inline(always)]
        unsafe fn short_number(bytes: &[u8], at: usize) -> usize {
            // SAFETY: the caller promises AVX2.
            unsafe { numbers::x86_64::short_number(bytes, at) }
        }
    }
}
