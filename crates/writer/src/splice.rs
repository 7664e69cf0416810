//! Copies lines with some of their spans replaced.

use std::ops::Range;

/// A span of the source and the text that takes its place. Places are offsets from the start of the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The first byte that is replaced.
    pub start: u32,
    /// One past the last byte that is replaced; `start` where text is only put in.
    pub end: u32,
    /// Where the text starts in the buffer of texts.
    pub text_start: u32,
    /// One past its end there.
    pub text_end: u32,
}

/// Bytes copied in one step.
const WIDE: usize = 32;

/// Appends `source[start..end]` to `out`.
///
/// # Panics
/// Where the range is not inside of `source`.
#[inline]
pub fn append(out: &mut Vec<u8>, source: &[u8], start: usize, end: usize) {
    assert!(start <= end && end <= source.len(), "range inside of the source");
    out.reserve(end - start + WIDE);
    // SAFETY: the range is inside of the source, and the room was just made.
    unsafe {
        copy(source, start, end - start, out.as_mut_ptr().add(out.len()), source.len() - start >= WIDE);
        out.set_len(out.len() + (end - start));
    }
}

/// Appends `source[start..end]` to `out` with the edits made, which must be in order and must not overlap.
///
/// # Panics
/// Where an edit is not inside of the range or not in order.
#[inline]
pub fn splice(
    out: &mut Vec<u8>,
    source: &[u8],
    start: usize,
    end: usize,
    edits: impl IntoIterator<Item = Edit>,
    texts: &[u8],
) {
    let mut room = Room::new(out);
    room.splice(source, start..end, edits, texts);
    room.close();
}

/// As [`splice`], with a `\n` after it.
#[inline]
pub(crate) fn splice_line(
    out: &mut Vec<u8>,
    source: &[u8],
    range: Range<usize>,
    edits: impl IntoIterator<Item = Edit>,
    texts: &[u8],
) {
    let mut room = Room::new(out);
    room.splice(source, range, edits, texts);
    // SAFETY: there is room for some bytes more than what was just appended.
    unsafe { room.out.as_mut_ptr().add(room.filled).write(b'\n') };
    room.filled += 1;
    room.close();
}

/// A buffer that is appended to. Until it is closed, its length is not that of what it holds.
struct Room<'v> {
    out: &'v mut Vec<u8>,
    /// How many bytes it holds.
    filled: usize,
}

impl<'v> Room<'v> {
    #[inline(always)]
    fn new(out: &'v mut Vec<u8>) -> Self {
        let filled = out.len();
        Self { out, filled }
    }

    /// Makes room for so many bytes, and for [`WIDE`] more; how many there are then without these.
    #[inline(always)]
    fn reserve(&mut self, bytes: usize) -> usize {
        if self.out.capacity() - self.filled < bytes + WIDE {
            self.grow(bytes + WIDE);
        }
        self.out.capacity() - self.filled - WIDE
    }

    #[cold]
    fn grow(&mut self, bytes: usize) {
        // SAFETY: so many bytes were written.
        unsafe { self.out.set_len(self.filled) };
        self.out.reserve(bytes);
    }

    /// Appends a range of the source with the edits made. Leaves room for [`WIDE`] bytes more.
    #[inline(always)]
    fn splice(&mut self, source: &[u8], range: Range<usize>, edits: impl IntoIterator<Item = Edit>, texts: &[u8]) {
        let Range { start, end } = range;
        assert!(start <= end && end <= source.len(), "range inside of the source");
        let is_wide = source.len() - end >= WIDE;
        // There is always room for what is left of the source, and for `WIDE` bytes more; `spare` is what texts may take.
        let mut spare = self.reserve(end - start) - (end - start);
        let mut from = start;
        for edit in edits {
            let (edit_start, edit_end) = (edit.start as usize, edit.end as usize);
            assert!(from <= edit_start && edit_start <= edit_end && edit_end <= end, "an edit inside of the range");
            let (text_start, text_end) = (edit.text_start as usize, edit.text_end as usize);
            assert!(text_start <= text_end && text_end <= texts.len(), "a text among the texts");
            let (kept, length) = (edit_start - from, text_end - text_start);
            if spare < length {
                spare = self.reserve(end - from + length) - (end - from);
            }
            spare -= length;
            let text_is_wide = texts.len() - text_start >= WIDE;
            // SAFETY: both ranges are inside of what they are taken from. There is room for what is left of the source, of
            // which this is the first part, for the text, and for `WIDE` bytes more.
            unsafe {
                let to = self.out.as_mut_ptr().add(self.filled);
                copy(source, from, kept, to, is_wide);
                copy(texts, text_start, length, to.add(kept), text_is_wide);
            }
            self.filled += kept + length;
            from = edit_end;
        }
        // SAFETY: as above.
        unsafe { copy(source, from, end - from, self.out.as_mut_ptr().add(self.filled), is_wide) };
        self.filled += end - from;
    }

    #[inline(always)]
    fn close(self) {
        // SAFETY: so many bytes were written.
        unsafe { self.out.set_len(self.filled) };
    }
}

/// Copies `source[start..start + length]`: where that is short, as 32 bytes that may run past its end, if `is_wide` says
/// that the source has as many, or as twice 32 bytes, some of them the same.
///
/// # Safety
/// The range must be inside of `source`, which must have [`WIDE`] bytes from `start` on if `is_wide`. There must be room for
/// `length` and [`WIDE`] bytes more at `to`, which must not overlap with the source.
#[inline(always)]
unsafe fn copy(source: &[u8], start: usize, length: usize, to: *mut u8, is_wide: bool) {
    // SAFETY: all of these stay inside of what the caller promises.
    unsafe {
        let from = source.as_ptr().add(start);
        if length <= WIDE && is_wide {
            std::ptr::copy_nonoverlapping(from, to, WIDE);
        } else if length > WIDE && length <= 2 * WIDE {
            std::ptr::copy_nonoverlapping(from, to, WIDE);
            std::ptr::copy_nonoverlapping(from.add(length - WIDE), to.add(length - WIDE), WIDE);
        } else {
            std::ptr::copy_nonoverlapping(from, to, length);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Edit, append, splice};

    #[test]
    fn every_range_of_a_buffer_is_appended_exactly() {
        let source: Vec<u8> = (0..200u8).collect();
        for start in 0..=200 {
            for end in start..=200 {
                let mut out = vec![255u8];
                append(&mut out, &source, start, end);
                assert_eq!(out[0], 255);
                assert_eq!(&out[1..], &source[start..end]);
            }
        }
    }

    #[test]
    fn edits_replace_remove_and_insert() {
        let source = b"0123456789abcdef";
        let texts = b"XYZ--";
        let edit = |start, end, text_start, text_end| Edit { start, end, text_start, text_end };
        let mut out = Vec::new();
        let edits = [edit(2, 4, 0, 3), edit(4, 6, 3, 3), edit(8, 8, 3, 5), edit(14, 14, 0, 1)];
        splice(&mut out, source, 1, 14, edits, texts);
        assert_eq!(String::from_utf8(out).unwrap(), "1XYZ67--89abcdX");
    }

    #[test]
    fn texts_find_room_whatever_there_was() {
        let source: Vec<u8> = (0..120u8).collect();
        let texts: Vec<u8> = (0..200u8).rev().collect();
        let edit = |start, end, text_start, text_end| Edit { start, end, text_start, text_end };
        for length in [0, 1, 31, 32, 33, 64, 65, 150] {
            let edits = [edit(10, 12, 200 - length, 200), edit(50, 50, 0, length), edit(90, 110, 20, 20 + length)];
            let text = |from: u32| &texts[from as usize..(from + length) as usize];
            let want = [
                &source[5..10],
                text(200 - length),
                &source[12..50],
                text(0),
                &source[50..90],
                text(20),
                &source[110..],
            ]
            .concat();
            for room in 0..600 {
                let mut out = Vec::with_capacity(room);
                splice(&mut out, &source, 5, 120, edits, &texts);
                assert_eq!(out, want, "{length} {room}");
            }
        }
    }

    #[test]
    #[should_panic(expected = "an edit inside of the range")]
    fn overlapping_edits_are_refused() {
        let edit = |start, end| Edit { start, end, text_start: 0, text_end: 0 };
        splice(&mut Vec::new(), b"0123456789", 0, 10, [edit(2, 6), edit(4, 7)], b"");
    }
}
