//! The kernel for AVX2, two registers of 32 bytes a step.

use std::arch::x86_64::{
    __m256i, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_set_epi64x, _mm_set1_epi8, _mm256_cmpeq_epi8,
    _mm256_loadu_si256, _mm256_max_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8, _mm256_setr_epi8,
    _mm256_shuffle_epi8,
};

use super::{Kernel, index_steps};
use crate::index::{Carry, Index, Masks, STEP_BYTES};

/// Whether this CPU has AVX2 and what comes with it in practice.
pub(super) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("pclmulqdq")
        && is_x86_feature_detected!("popcnt")
}

/// Stage 1 with AVX2.
///
/// # Safety
/// [`has_avx2`] must have said yes.
#[target_feature(enable = "avx2,bmi1,bmi2,lzcnt,pclmulqdq,popcnt")]
pub(super) unsafe fn index_avx2(bytes: &[u8], base: u32, carry: &mut Carry, index: &mut Index) {
    // SAFETY: this function is compiled for the features that the kernel needs, and its caller has checked them.
    unsafe { index_steps::<Avx2>(bytes, base, carry, index) }
}

struct Avx2;

#[inline]
#[target_feature(enable = "avx2")]
fn mask(low: __m256i, high: __m256i) -> u64 {
    u64::from(_mm256_movemask_epi8(low) as u32) | u64::from(_mm256_movemask_epi8(high) as u32) << 32
}

#[inline]
#[target_feature(enable = "avx2")]
fn classify(low: __m256i, high: __m256i) -> Masks {
    let equal = |byte: u8| {
        let want = _mm256_set1_epi8(byte as i8);
        mask(_mm256_cmpeq_epi8(low, want), _mm256_cmpeq_epi8(high, want))
    };
    // A byte is looked up by its low four bits and compared with what it would have to be. Bytes of 0x80 and above look
    // up 0, which none of them equals, and no byte looks up itself by way of -1. `{` and `[`, `}` and `]` differ in bit 5 only, which is set before comparing.
    let spaces = _mm256_setr_epi8(
        32, -1, -1, -1, -1, -1, -1, -1, -1, 9, 10, -1, -1, 13, -1, -1, //
        32, -1, -1, -1, -1, -1, -1, -1, -1, 9, 10, -1, -1, 13, -1, -1,
    );
    let operators = _mm256_setr_epi8(
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 58, 123, 44, 125, 0, 0, //
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 58, 123, 44, 125, 0, 0,
    );
    let bit_5 = _mm256_set1_epi8(0x20);
    let last_control = _mm256_set1_epi8(0x1f);
    let space_in = |bytes| _mm256_cmpeq_epi8(bytes, _mm256_shuffle_epi8(spaces, bytes));
    let operator_in = |bytes| _mm256_cmpeq_epi8(_mm256_or_si256(bytes, bit_5), _mm256_shuffle_epi8(operators, bytes));
    let control_in = |bytes| _mm256_cmpeq_epi8(_mm256_max_epu8(bytes, last_control), last_control);
    let control = mask(control_in(low), control_in(high));
    Masks {
        backslash: equal(b'\\'),
        quote: equal(b'"'),
        control,
        non_ascii: mask(low, high),
        // 0x0c and 0x1a become `,` and `:` with bit 5 set.
        operator: mask(operator_in(low), operator_in(high)) & !control,
        space: mask(space_in(low), space_in(high)),
        newline: equal(b'\n'),
    }
}

#[inline]
#[target_feature(enable = "pclmulqdq")]
fn carry_less_by_ones(bits: u64) -> u64 {
    let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1));
    _mm_cvtsi128_si64(product) as u64
}

impl Kernel for Avx2 {
    #[inline(always)]
    unsafe fn masks(bytes: &[u8; STEP_BYTES]) -> Masks {
        let at = bytes.as_ptr().cast::<__m256i>();
        // SAFETY: 64 bytes are there, loads need no alignment, and the caller vouches for the CPU.
        unsafe { classify(_mm256_loadu_si256(at), _mm256_loadu_si256(at.add(1))) }
    }

    #[inline(always)]
    unsafe fn prefix_xor(bits: u64) -> u64 {
        // SAFETY: the caller vouches for the CPU.
        unsafe { carry_less_by_ones(bits) }
    }
}
