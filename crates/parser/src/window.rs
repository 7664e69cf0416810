//! Tokens of one very long line, found piece by piece, so that a long line costs no index of its own length.

use crate::arch::Level;
use crate::index::{Carry, Index};
use crate::walk::{Token, Tokens};

/// Bytes indexed at first, a multiple of a step: who asks for the members of a small object pays for little more than that.
const WINDOW_BYTES_MIN: usize = 1024;
/// Bytes indexed at once in the end; each window is four times as long as the one before until then.
const WINDOW_BYTES_MAX: usize = 64 * 1024;

/// The tokens of the bytes from some place outside of a string on.
#[derive(Debug)]
pub(crate) struct WindowTokens<'a> {
    level: Level,
    bytes: &'a [u8],
    /// The first byte that is not indexed yet.
    next_byte: usize,
    window_bytes: usize,
    carry: Carry,
    index: Index,
    next: usize,
}

impl<'a> WindowTokens<'a> {
    pub(crate) fn new(level: Level, bytes: &'a [u8], start: usize) -> Self {
        Self {
            level,
            bytes,
            next_byte: start,
            window_bytes: WINDOW_BYTES_MIN,
            carry: Carry::default(),
            index: Index::default(),
            next: 0,
        }
    }

    #[cold]
    fn refill(&mut self) -> Option<()> {
        self.next = 0;
        self.index.clear();
        while self.index.token_count == 0 {
            if self.next_byte == self.bytes.len() {
                return None;
            }
            let end = self.bytes.len().min(self.next_byte + self.window_bytes);
            let piece = &self.bytes[self.next_byte..end];
            self.level.index(piece, self.next_byte as u32, &mut self.carry, &mut self.index);
            self.next_byte = end;
            self.window_bytes = WINDOW_BYTES_MAX.min(4 * self.window_bytes);
        }
        Some(())
    }
}

impl Tokens for WindowTokens<'_> {
    fn next(&mut self) -> Option<Token> {
        if self.next == self.index.token_count {
            self.refill()?;
        }
        let token = Token { place: self.index.tokens[self.next] as usize, kind: self.index.kinds[self.next] };
        self.next += 1;
        Some(token)
    }

    /// Pieces are not counted through: the members of a long line are found again by their places.
    fn number(&self) -> u32 {
        0
    }
}
