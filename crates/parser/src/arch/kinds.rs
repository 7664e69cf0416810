//! Which tokens are of what kind, for [`Structure`].

#[cfg(all(target_arch = "aarch64", target_endian = "little"))]
use super::aarch64::kind_masks as kind_masks_neon;
use super::{Inner, Level};
use crate::record::MemberSpan;
use crate::structure::Structure;
#[cfg(any(target_arch = "x86_64", test))]
use crate::structure::{BLOCK, KindMasks};

impl Level {
    /// [`Structure::look_at`] at this level; `false` without SIMD.
    #[inline]
    pub(crate) fn read_structure(
        self,
        structure: &mut Structure,
        bytes: &[u8],
        places: &[u32],
        kinds: &[u8],
        members: &mut Vec<MemberSpan>,
    ) -> bool {
        match self.0 {
            // SAFETY: a value of these levels exists only where the CPU was found to have the features.
            #[cfg(target_arch = "x86_64")]
            Inner::Avx2 | Inner::Avx512 => unsafe { x86_64::look_at(structure, bytes, places, kinds, members) },
            // SAFETY: likewise.
            #[cfg(all(target_arch = "aarch64", target_endian = "little"))]
            Inner::Neon => structure.look_at(|kinds| unsafe { kind_masks_neon(kinds) }, bytes, places, kinds, members),
            // A walk takes 0.9 of the time.
            Inner::Scalar => false,
        }
    }
}

#[cfg(target_arch = "x86_64")]
mod x86_64 {
    use std::arch::x86_64::{__m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_movemask_epi8, _mm256_set1_epi8};

    use super::{BLOCK, KindMasks, MemberSpan, Structure};

    /// # Safety
    /// The CPU must have AVX2 and what [`has_avx2`](super::super::x86_64::has_avx2) asks for beside it.
    #[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,popcnt")]
    pub(super) unsafe fn look_at(
        structure: &mut Structure,
        bytes: &[u8],
        places: &[u32],
        kinds: &[u8],
        members: &mut Vec<MemberSpan>,
    ) -> bool {
        // SAFETY: this function is compiled for the features, and its caller has checked them.
        structure.look_at(|kinds| unsafe { kind_masks(kinds) }, bytes, places, kinds, members)
    }

    /// # Safety
    /// The CPU must have AVX2.
    #[inline]
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn kind_masks(kinds: &[u8; BLOCK]) -> KindMasks {
        let halves = kinds.as_ptr().cast::<__m256i>();
        // SAFETY: 64 bytes are there, and loads need no alignment.
        let (low, high) = unsafe { (_mm256_loadu_si256(halves), _mm256_loadu_si256(halves.add(1))) };
        let mask = |kind: u8| {
            let is = |half| _mm256_movemask_epi8(_mm256_cmpeq_epi8(half, _mm256_set1_epi8(kind as i8))) as u32;
            u64::from(is(low)) | u64::from(is(high)) << 32
        };
        KindMasks::of(mask)
    }
}

#[cfg(test)]
mod tests {
    use super::super::aarch64;
    use super::*;
    use crate::test_numbers::numbers;

    #[test]
    fn masks_of_all_kernels_are_those_of_a_loop() {
        let mut next = numbers(17);
        for _ in 0..2_000 {
            let kinds: [u8; BLOCK] = std::array::from_fn(|_| b"{}[]:,\"s"[next(8) as usize]);
            let mask = |kind| (0..BLOCK).filter(|at| kinds[*at] == kind).fold(0, |mask, at| mask | 1 << at);
            let want = KindMasks::of(mask);
            // SAFETY: on ARM every CPU that runs tests has NEON; elsewhere the kernel runs on plain functions.
            assert_eq!(unsafe { aarch64::kind_masks(&kinds) }, want);
            #[cfg(target_arch = "x86_64")]
            if Level::from_name("avx2").is_some() {
                // SAFETY: the CPU has AVX2, as just found.
                assert_eq!(unsafe { x86_64::kind_masks(&kinds) }, want);
            }
        }
    }
}
