//! The data that the benches run on, and how its speed is counted: bytes of input.

use criterion::Throughput;
use hubmill_testkit::generate::{Kind, file};

/// One kind of input.
pub(crate) struct Data {
    /// `identity` (no twins, mixed shapes) or `twin`.
    pub(crate) name: &'static str,
    /// Whole lines.
    pub(crate) bytes: Vec<u8>,
    /// How many there are.
    pub(crate) lines: usize,
}

impl Data {
    /// Bytes of input.
    pub(crate) fn throughput(&self) -> Throughput {
        Throughput::Bytes(self.bytes.len() as u64)
    }
}

/// Both kinds, about 7 MB each: past the second-level cache, quick to go through.
pub(crate) fn all() -> [Data; 2] {
    [("identity", Kind::Identity, 20_000), ("twin", Kind::Twin, 2_000)].map(|(name, kind, lines)| Data {
        name,
        bytes: file(kind, lines as u64, 1),
        lines,
    })
}
