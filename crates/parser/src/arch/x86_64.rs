//! The kernels for x86-64: AVX2, two registers of 32 bytes a step, and AVX-512, one of 64.

use std::arch::x86_64::{
    __m128i, __m256i, __m512i, _MM_HINT_T0, _mm_clmulepi64_si128, _mm_cvtsi128_si64, _mm_prefetch, _mm_set_epi64x,
    _mm_set1_epi8, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_max_epu8, _mm256_movemask_epi8, _mm256_or_si256,
    _mm256_set1_epi8, _mm256_setr_epi8, _mm256_shuffle_epi8, _mm512_add_epi32, _mm512_broadcast_i32x4,
    _mm512_castsi512_si128, _mm512_cmpeq_epi8_mask, _mm512_cmplt_epu8_mask, _mm512_cvtepu8_epi32,
    _mm512_extracti32x4_epi32, _mm512_loadu_si512, _mm512_mask_blend_epi8, _mm512_maskz_compress_epi8,
    _mm512_movepi8_mask, _mm512_or_si512, _mm512_set1_epi8, _mm512_set1_epi32, _mm512_shuffle_epi8,
    _mm512_storeu_si512,
};

use super::{Kernel, index_steps};
use crate::index::{Carry, Found, Index, Masks, SCALAR, STEP_BYTES};

/// Whether this CPU has AVX2 and what comes with it in practice.
pub(super) fn has_avx2() -> bool {
    is_x86_feature_detected!("avx2")
        && is_x86_feature_detected!("bmi1")
        && is_x86_feature_detected!("bmi2")
        && is_x86_feature_detected!("lzcnt")
        && is_x86_feature_detected!("pclmulqdq")
        && is_x86_feature_detected!("popcnt")
}

/// Whether this CPU has AVX2 and the parts of AVX-512 that move and compress bytes.
pub(super) fn has_avx512() -> bool {
    has_avx2()
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vbmi2")
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

/// Stage 1 with AVX-512.
///
/// # Safety
/// [`has_avx512`] must have said yes.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi2,bmi1,bmi2,lzcnt,pclmulqdq,popcnt")]
pub(super) unsafe fn index_avx512(bytes: &[u8], base: u32, carry: &mut Carry, index: &mut Index) {
    // SAFETY: this function is compiled for the features that the kernel needs, and its caller has checked them.
    unsafe { index_steps::<Avx512>(bytes, base, carry, index) }
}

// A byte is looked up by its low four bits and compared with what it would have to be. Bytes of 0x80 and above look up 0,
// which none of them equals, and no byte looks up itself by way of -1. `{` and `[`, `}` and `]` differ in bit 5 only,
// which is set before comparing; so 0x0c and 0x1a, which become `,` and `:` then, have to be taken out again.
const SPACES: [i8; 16] = [32, -1, -1, -1, -1, -1, -1, -1, -1, 9, 10, -1, -1, 13, -1, -1];
const OPERATORS: [i8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 58, 123, 44, 125, 0, 0];

/// How far ahead bytes are asked for: the CPU's own look-ahead ends at every page.
const PREFETCH_BYTES: usize = 1024;

/// Asks for the bytes that a later step will read, if there are any.
#[inline(always)]
fn prefetch(bytes: &[u8; STEP_BYTES]) {
    let ahead = bytes.as_ptr().wrapping_add(PREFETCH_BYTES);
    // SAFETY: a prefetch reads nothing and never faults, wherever it points; every x86-64 CPU has it.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(ahead.cast()) };
}

#[inline]
#[target_feature(enable = "pclmulqdq")]
fn carry_less_by_ones(bits: u64) -> u64 {
    let product = _mm_clmulepi64_si128::<0>(_mm_set_epi64x(0, bits as i64), _mm_set1_epi8(-1));
    _mm_cvtsi128_si64(product) as u64
}

struct Avx2;

#[inline]
#[target_feature(enable = "avx2")]
fn both_lanes(table: [i8; 16]) -> __m256i {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = table;
    _mm256_setr_epi8(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
}

#[inline]
#[target_feature(enable = "avx2")]
fn mask(low: __m256i, high: __m256i) -> u64 {
    u64::from(_mm256_movemask_epi8(low) as u32) | u64::from(_mm256_movemask_epi8(high) as u32) << 32
}

#[inline]
#[target_feature(enable = "avx2")]
fn classify_avx2(low: __m256i, high: __m256i) -> Masks {
    let equal = |byte: u8| {
        let want = _mm256_set1_epi8(byte as i8);
        mask(_mm256_cmpeq_epi8(low, want), _mm256_cmpeq_epi8(high, want))
    };
    let spaces = both_lanes(SPACES);
    let operators = both_lanes(OPERATORS);
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
        operator: mask(operator_in(low), operator_in(high)) & !control,
        space: mask(space_in(low), space_in(high)),
        newline: equal(b'\n'),
    }
}

impl Kernel for Avx2 {
    #[inline(always)]
    unsafe fn masks(bytes: &[u8; STEP_BYTES]) -> Masks {
        prefetch(bytes);
        let at = bytes.as_ptr().cast::<__m256i>();
        // SAFETY: 64 bytes are there, loads need no alignment, and the caller vouches for the CPU.
        unsafe { classify_avx2(_mm256_loadu_si256(at), _mm256_loadu_si256(at.add(1))) }
    }

    #[inline(always)]
    unsafe fn prefix_xor(bits: u64) -> u64 {
        // SAFETY: the caller vouches for the CPU.
        unsafe { carry_less_by_ones(bits) }
    }
}

struct Avx512;

#[inline]
#[target_feature(enable = "avx512f")]
fn all_lanes(table: [i8; 16]) -> __m512i {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = table;
    _mm512_broadcast_i32x4(std::arch::x86_64::_mm_setr_epi8(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn classify_avx512(bytes: __m512i) -> Masks {
    let equal = |byte: u8| _mm512_cmpeq_epi8_mask(bytes, _mm512_set1_epi8(byte as i8));
    let control = _mm512_cmplt_epu8_mask(bytes, _mm512_set1_epi8(0x20));
    let folded = _mm512_or_si512(bytes, _mm512_set1_epi8(0x20));
    Masks {
        backslash: equal(b'\\'),
        quote: equal(b'"'),
        control,
        non_ascii: _mm512_movepi8_mask(bytes),
        operator: _mm512_cmpeq_epi8_mask(folded, _mm512_shuffle_epi8(all_lanes(OPERATORS), bytes)) & !control,
        space: _mm512_cmpeq_epi8_mask(bytes, _mm512_shuffle_epi8(all_lanes(SPACES), bytes)),
        newline: equal(b'\n'),
    }
}

/// The numbers 0 to 63.
const PLACES: [u8; STEP_BYTES] = {
    let mut places = [0; STEP_BYTES];
    let mut at = 0;
    while at < STEP_BYTES {
        places[at] = at as u8;
        at += 1;
    }
    places
};

/// # Safety
/// `tokens` and `kinds` must be valid for writes of 64 elements.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi2")]
unsafe fn compress(bytes: &[u8; STEP_BYTES], found: Found, at: u32, tokens: *mut u32, kinds: *mut u8) {
    // SAFETY: both arrays are 64 bytes long, and loads need no alignment.
    let (bytes, places) =
        unsafe { (_mm512_loadu_si512(bytes.as_ptr().cast()), _mm512_loadu_si512(PLACES.as_ptr().cast())) };
    let named = _mm512_mask_blend_epi8(found.scalars, bytes, _mm512_set1_epi8(SCALAR as i8));
    // SAFETY: 64 bytes of room are promised.
    unsafe { _mm512_storeu_si512(kinds.cast(), _mm512_maskz_compress_epi8(found.tokens, named)) };
    let places = _mm512_maskz_compress_epi8(found.tokens, places);
    let base = _mm512_set1_epi32(at as i32);
    let quarter = |places: __m128i| _mm512_add_epi32(_mm512_cvtepu8_epi32(places), base);
    let count = found.tokens.count_ones();
    // SAFETY: each store writes 16 of the 64 elements that there is room for.
    unsafe {
        _mm512_storeu_si512(tokens.cast(), quarter(_mm512_castsi512_si128(places)));
        if count > 16 {
            _mm512_storeu_si512(tokens.add(16).cast(), quarter(_mm512_extracti32x4_epi32::<1>(places)));
            if count > 32 {
                _mm512_storeu_si512(tokens.add(32).cast(), quarter(_mm512_extracti32x4_epi32::<2>(places)));
                _mm512_storeu_si512(tokens.add(48).cast(), quarter(_mm512_extracti32x4_epi32::<3>(places)));
            }
        }
    }
}

impl Kernel for Avx512 {
    #[inline(always)]
    unsafe fn masks(bytes: &[u8; STEP_BYTES]) -> Masks {
        prefetch(bytes);
        // SAFETY: 64 bytes are there, loads need no alignment, and the caller vouches for the CPU.
        unsafe { classify_avx512(_mm512_loadu_si512(bytes.as_ptr().cast())) }
    }

    #[inline(always)]
    unsafe fn prefix_xor(bits: u64) -> u64 {
        // SAFETY: the caller vouches for the CPU.
        unsafe { carry_less_by_ones(bits) }
    }

    #[inline(always)]
    unsafe fn write(bytes: &[u8; STEP_BYTES], found: Found, at: u32, tokens: *mut u32, kinds: *mut u8) {
        // SAFETY: passed on from the caller.
        unsafe { compress(bytes, found, at, tokens, kinds) }
    }
}
