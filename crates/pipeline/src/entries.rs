//! What is kept of a line, to be compared with all others.

/// One line: who it is about, what it is, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The hash of the device's id.
    pub device: u64,
    /// The rest of that hash, with that of the module's id where the line is about a module: with `device`, the 128 bits by
    /// which ids are told apart.
    pub key: u64,
    /// The line's number, with [`Entry::MODULE`] and the others in the highest bits.
    pub line: u64,
    /// The offset of the line's first byte.
    pub byte: u64,
}

impl Entry {
    /// It is a module's line.
    pub const MODULE: u64 = 1 << 63;
    /// The mode neither creates nor keeps: deletes and twin updates.
    pub const NOT_CREATED: u64 = 1 << 62;
    /// The line has an error already.
    pub const INVALID: u64 = 1 << 61;

    pub(crate) fn number(&self) -> u64 {
        self.line & !(Self::MODULE | Self::NOT_CREATED | Self::INVALID)
    }

    pub(crate) fn is(&self, flag: u64) -> bool {
        self.line & flag != 0
    }

    /// Whether both are about the same device, or the same module.
    pub(crate) fn is_about_the_same(&self, other: &Self) -> bool {
        (self.device, self.key) == (other.device, other.key) && self.is(Self::MODULE) == other.is(Self::MODULE)
    }

    #[inline]
    pub(crate) fn to_bytes(self) -> [[u8; 8]; ENTRY_WORDS] {
        [self.device, self.key, self.line, self.byte].map(u64::to_ne_bytes)
    }

    #[inline]
    pub(crate) fn from_bytes(bytes: &[u8; ENTRY_BYTES]) -> Self {
        let word = |number: usize| bytes.as_chunks().0.get(number).map_or(0, |word| u64::from_ne_bytes(*word));
        Self { device: word(0), key: word(1), line: word(2), byte: word(3) }
    }
}

const ENTRY_WORDS: usize = 4;
pub(crate) const ENTRY_BYTES: usize = ENTRY_WORDS * 8;

/// The hash of a line.
pub(crate) type TextHash = [u64; 2];
pub(crate) const TEXT_BYTES: usize = 16;

const _: () = assert!(ENTRY_BYTES + TEXT_BYTES <= 64, "what is promised for a line");

/// Lines of a batch, to be compared with all others. Reused.
#[derive(Debug, Default)]
pub struct Entries {
    pub(crate) entries: Vec<Entry>,
    /// The hash of each line, or nothing where lines can be looked at again.
    pub(crate) texts: Vec<TextHash>,
}

/// Room that a batch keeps, in entries.
const ENTRIES_KEPT: usize = 16 * 1024;

impl Entries {
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.entries.shrink_to(ENTRIES_KEPT);
        self.texts.clear();
        self.texts.shrink_to(ENTRIES_KEPT);
    }
}
