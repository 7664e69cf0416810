//! Room for many entries of one size, that grows and never moves.

use memmap2::MmapMut;

/// Entries of a block, by which room is given out.
pub(crate) const BLOCK_ENTRIES: usize = 64;
/// Entries of a slab, a few huge pages. The system gives memory as it is written to.
const SLAB_ENTRIES: usize = 2048 * BLOCK_ENTRIES;

/// Entries of so many bytes, by their places.
#[derive(Debug, Default)]
pub(crate) struct Slabs<const BYTES: usize>(Vec<MmapMut>);

impl<const BYTES: usize> Slabs<BYTES> {
    /// Puts an entry in its place, which is in the last slab or one after it.
    ///
    /// # Panics
    /// Where there is no memory, or the entry is of another size.
    #[inline]
    pub(crate) fn put(&mut self, place: usize, entry: &[u8]) {
        while place / SLAB_ENTRIES >= self.0.len() {
            self.grow();
        }
        self.0[place / SLAB_ENTRIES][place % SLAB_ENTRIES * BYTES..][..BYTES].copy_from_slice(entry);
    }

    /// The entry at a place, if one was put there or near it.
    #[inline]
    pub(crate) fn get(&self, place: usize) -> Option<&[u8; BYTES]> {
        self.0.get(place / SLAB_ENTRIES)?[place % SLAB_ENTRIES * BYTES..].first_chunk()
    }

    /// The entries of the block of this number: [`BLOCK_ENTRIES`] consecutive places.
    ///
    /// # Panics
    /// Where nothing was put into it.
    pub(crate) fn block(&self, number: u32) -> &[[u8; BYTES]] {
        let place = number as usize * BLOCK_ENTRIES;
        let start = place % SLAB_ENTRIES * BYTES;
        self.0[place / SLAB_ENTRIES][start..start + BLOCK_ENTRIES * BYTES].as_chunks().0
    }

    /// Adds a slab, in huge pages where the system has them: to be given 50 MB page by page takes as long as to hash the ids of
    /// a million lines. The first one gets none: there may be little to come.
    #[cold]
    fn grow(&mut self) {
        let bytes = SLAB_ENTRIES * BYTES;
        let slab = MmapMut::map_anon(bytes).unwrap_or_else(|error| panic!("no memory for {bytes} bytes: {error}"));
        #[cfg(target_os = "linux")]
        if !self.0.is_empty() {
            // Only advice: without it the slab works as well.
            let _ = slab.advise(memmap2::Advice::HugePage);
        }
        self.0.push(slab);
    }
}
