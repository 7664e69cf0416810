//! Copies a line with some of its spans replaced.

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
/// A short copy is one of 32 bytes that may run past the end, inside of `source` and of the spare room of `out`, or two of them.
///
/// # Panics
/// Where the range is not inside of `source`.
#[inline]
pub fn append(out: &mut Vec<u8>, source: &[u8], start: usize, end: usize) {
    assert!(start <= end && end <= source.len(), "range inside of the source");
    out.reserve(end - start + WIDE);
    // SAFETY: the room was just made.
    unsafe { append_reserved(out, source, start, end) };
}

/// Appends `source[start..end]` to `out` with the edits made, which must be in order and must not overlap.
///
/// # Panics
/// Where an edit is not inside of the range or not in order.
#[inline]
pub fn splice(out: &mut Vec<u8>, source: &[u8], start: usize, end: usize, edits: &[Edit], texts: &[u8]) {
    assert!(start <= end && end <= source.len(), "range inside of the source");
    let text_bytes: usize = edits.iter().map(|edit| edit.text_end.saturating_sub(edit.text_start) as usize).sum();
    // Room for all of it is made at once.
    out.reserve(end - start + text_bytes + WIDE);
    let mut from = start;
    for edit in edits {
        assert!(edit.start <= edit.end && edit.end as usize <= end, "an edit inside of the range");
        // SAFETY: what is copied from the source are ranges between `start` and `end` that follow each other, so no more
        // than `end - start` bytes in all, and what is copied from the texts was counted above: so there is room for each,
        // and for `WIDE` bytes after it.
        unsafe {
            append_reserved(out, source, from, edit.start as usize);
            append_reserved(out, texts, edit.text_start as usize, edit.text_end as usize);
        }
        from = edit.end as usize;
    }
    // SAFETY: likewise.
    unsafe { append_reserved(out, source, from, end) };
}

/// As [`append`], where there is room.
///
/// # Panics
/// Where the range is not inside of `source`.
///
/// # Safety
/// `out` must have spare room for the range and [`WIDE`] bytes more.
#[inline(always)]
unsafe fn append_reserved(out: &mut Vec<u8>, source: &[u8], start: usize, end: usize) {
    assert!(start <= end && end <= source.len(), "range inside of the source");
    let length = end - start;
    let filled = out.len();
    // SAFETY: the range is inside of the source; the caller promises the room; a shared slice and a vector's own buffer do not
    // overlap. A short range is copied with what follows it, where that much follows; of a longer one some bytes are copied twice.
    unsafe {
        let (from, to) = (source.as_ptr().add(start), out.as_mut_ptr().add(filled));
        if length <= WIDE && source.len() - start >= WIDE {
            std::ptr::copy_nonoverlapping(from, to, WIDE);
        } else if length > WIDE && length <= 2 * WIDE {
            std::ptr::copy_nonoverlapping(from, to, WIDE);
            std::ptr::copy_nonoverlapping(from.add(length - WIDE), to.add(length - WIDE), WIDE);
        } else {
            std::ptr::copy_nonoverlapping(from, to, length);
        }
        out.set_len(filled + length);
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
        splice(&mut out, source, 1, 14, &edits, texts);
        assert_eq!(String::from_utf8(out).unwrap(), "1XYZ67--89abcdX");
    }

    #[test]
    #[should_panic(expected = "range inside of the source")]
    fn overlapping_edits_are_refused() {
        let edit = |start, end| Edit { start, end, text_start: 0, text_end: 0 };
        splice(&mut Vec::new(), b"0123456789", 0, 10, &[edit(2, 6), edit(4, 7)], b"");
    }
}
