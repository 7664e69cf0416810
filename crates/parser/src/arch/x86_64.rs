//! The kernels for x86-64: AVX2, two registers of 32 bytes a step, and AVX-512, one of 64.

use std::arch::x86_64::*;

use super::{BATCH_STEPS, Kernel, Step, index_steps};
use crate::index::{Carry, Index, Masks, SCALAR, STEP_BYTES};

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
        && is_x86_feature_detected!("avx512vbmi")
        && is_x86_feature_detected!("avx512vbmi2")
        && is_x86_feature_detected!("gfni")
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
#[target_feature(
    enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,gfni,bmi1,bmi2,lzcnt,pclmulqdq,popcnt"
)]
pub(super) unsafe fn index_avx512(bytes: &[u8], base: u32, carry: &mut Carry, index: &mut Index) {
    // SAFETY: this function is compiled for the features that the kernel needs, and its caller has checked them.
    unsafe { index_steps::<Avx512>(bytes, base, carry, index) }
}

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

// For AVX2 a byte is looked up by its low four bits and compared with what it would have to be. Bytes of 0x80 and above
// look up 0, which none of them equals, and no byte looks up itself by way of -1. `{` and `[`, `}` and `]` differ in bit 5
// only, which is set before comparing; so 0x0c and 0x1a, which become `,` and `:` then, have to be taken out again.
const SPACES: [i8; 16] = [32, -1, -1, -1, -1, -1, -1, -1, -1, 9, 10, -1, -1, 13, -1, -1];
const OPERATORS: [i8; 16] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 58, 123, 44, 125, 0, 0];

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

/// What a half of a step holds: all ones in the bytes of each class.
#[derive(Clone, Copy)]
struct Classes {
    quote: __m256i,
    operator: __m256i,
    space: __m256i,
    newline: __m256i,
    backslash: __m256i,
    /// Below 0x20 as signed numbers: control characters, and bytes of 0x80 and above.
    below_space: __m256i,
}

#[inline]
#[target_feature(enable = "avx2")]
fn classify_half(bytes: __m256i) -> Classes {
    let equal = |byte: u8| _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(byte as i8));
    let bit_5 = _mm256_set1_epi8(0x20);
    let below_space = _mm256_cmpgt_epi8(bit_5, bytes);
    let folded = _mm256_cmpeq_epi8(_mm256_or_si256(bytes, bit_5), _mm256_shuffle_epi8(both_lanes(OPERATORS), bytes));
    Classes {
        quote: equal(b'"'),
        operator: _mm256_andnot_si256(below_space, folded),
        space: _mm256_cmpeq_epi8(bytes, _mm256_shuffle_epi8(both_lanes(SPACES), bytes)),
        newline: equal(b'\n'),
        backslash: equal(b'\\'),
        below_space,
    }
}

/// The kinds that tokens in these bytes would be of: their own bytes, or [`SCALAR`].
#[inline]
#[target_feature(enable = "avx2")]
fn kinds_avx2(bytes: __m256i, classes: Classes) -> __m256i {
    let own_name = _mm256_or_si256(classes.quote, classes.operator);
    _mm256_blendv_epi8(_mm256_set1_epi8(SCALAR as i8), bytes, own_name)
}

#[inline]
#[target_feature(enable = "avx2")]
fn step_avx2(bytes: &[u8; STEP_BYTES], masks: &mut Masks, kinds: &mut [u8; STEP_BYTES]) {
    let halves = bytes.as_ptr().cast::<__m256i>();
    // SAFETY: 64 bytes are there, and loads need no alignment.
    let bytes = unsafe { (_mm256_loadu_si256(halves), _mm256_loadu_si256(halves.add(1))) };
    let (low, high) = (classify_half(bytes.0), classify_half(bytes.1));
    let (newline, non_ascii) = (mask(low.newline, high.newline), mask(bytes.0, bytes.1));
    let (backslash, below_space) = (mask(low.backslash, high.backslash), mask(low.below_space, high.below_space));
    *masks = Masks {
        quote: mask(low.quote, high.quote),
        operator: mask(low.operator, high.operator),
        space: mask(low.space, high.space),
        newline,
        backslash,
        control: below_space & !(newline | non_ascii),
        non_ascii,
        of_line: below_space | backslash,
    };
    let halves = kinds.as_mut_ptr().cast::<__m256i>();
    // SAFETY: 64 bytes are there, and stores need no alignment.
    unsafe {
        _mm256_storeu_si256(halves, kinds_avx2(bytes.0, low));
        _mm256_storeu_si256(halves.add(1), kinds_avx2(bytes.1, high));
    }
}

/// By eight bits: the numbers of those that are set, in order, and then 7s.
const SET_BITS: [[u8; 8]; 256] = {
    let mut rows = [[7; 8]; 256];
    let mut bits = 0;
    while bits < 256 {
        let (mut bit, mut count) = (0, 0);
        while bit < 8 {
            if bits >> bit & 1 == 1 {
                rows[bits][count] = bit;
                count += 1;
            }
            bit += 1;
        }
        bits += 1;
    }
    rows
};

/// The same for the eight bits after these.
const NEXT_SET_BITS: [[u8; 8]; 256] = {
    let mut rows = SET_BITS;
    let mut bits = 0;
    while bits < 256 {
        let mut at = 0;
        while at < 8 {
            rows[bits][at] += 8;
            at += 1;
        }
        bits += 1;
    }
    rows
};

/// By how many bits are set in the lower eight of sixteen: which of the bytes of their two rows of [`SET_BITS`] to take.
const JOIN: [[u8; 16]; 9] = {
    let mut rows = [[0; 16]; 9];
    let mut low_count = 0;
    while low_count <= 8 {
        let mut at = 0;
        while at < 16 {
            let from = if at < low_count { at } else { 8 + at - low_count };
            rows[low_count][at] = if from < 16 { from as u8 } else { 15 };
            at += 1;
        }
        low_count += 1;
    }
    rows
};

/// Writes the tokens of one step, 16 bytes at a time.
///
/// # Safety
/// `places` and `kinds` must be valid for writes of 64 elements.
#[inline]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn write_by_table(
    step_kinds: &[u8; STEP_BYTES],
    tokens: u64,
    at: u32,
    mut places: *mut u32,
    mut kinds: *mut u8,
) {
    let mut base = _mm256_set1_epi32(at as i32);
    let mut bits = tokens;
    for quarter in step_kinds.as_chunks::<16>().0 {
        let (low, high) = (bits as u8, (bits >> 8) as u8);
        let rows = _mm_set_epi64x(
            i64::from_le_bytes(NEXT_SET_BITS[usize::from(high)]),
            i64::from_le_bytes(SET_BITS[usize::from(low)]),
        );
        let count = (bits as u16).count_ones() as usize;
        // SAFETY: what is loaded is 16 bytes long. Before the quarter n, counted from 0, there are at most 16 n tokens, so
        // that 16 more fit in 64.
        unsafe {
            let join = _mm_loadu_si128(JOIN[low.count_ones() as usize].as_ptr().cast());
            let found = _mm_shuffle_epi8(rows, join);
            let quarter = _mm_loadu_si128(quarter.as_ptr().cast());
            _mm_storeu_si128(kinds.cast(), _mm_shuffle_epi8(quarter, found));
            _mm256_storeu_si256(places.cast(), _mm256_add_epi32(_mm256_cvtepu8_epi32(found), base));
            if count > 8 {
                let rest = _mm256_cvtepu8_epi32(_mm_unpackhi_epi64(found, found));
                _mm256_storeu_si256(places.add(8).cast(), _mm256_add_epi32(rest, base));
            }
            kinds = kinds.add(count);
            places = places.add(count);
        }
        base = _mm256_add_epi32(base, _mm256_set1_epi32(16));
        bits >>= 16;
    }
}

#[inline(never)]
#[target_feature(enable = "avx2")]
fn classify_avx2_batch(bytes: &[[u8; STEP_BYTES]], steps: &mut [Step; BATCH_STEPS]) {
    for (bytes, step) in bytes.iter().zip(steps) {
        prefetch(bytes);
        step_avx2(bytes, &mut step.masks, &mut step.kinds);
    }
}

/// # Safety
/// As for [`Kernel::write`].
#[inline(never)]
#[target_feature(enable = "avx2,popcnt")]
unsafe fn write_avx2_batch(steps: &[Step], base: u32, places: *mut u32, kinds: *mut u8) {
    let mut at = base;
    for step in steps {
        // SAFETY: passed on from the caller.
        unsafe {
            let before = step.found.tokens_before;
            write_by_table(&step.kinds, step.found.tokens, at, places.add(before), kinds.add(before));
        }
        at = at.wrapping_add(STEP_BYTES as u32);
    }
}

impl Kernel for Avx2 {
    #[inline(always)]
    unsafe fn classify(bytes: &[[u8; STEP_BYTES]], steps: &mut [Step; BATCH_STEPS]) {
        // SAFETY: the caller vouches for the CPU.
        unsafe { classify_avx2_batch(bytes, steps) }
    }

    #[inline(always)]
    unsafe fn prefix_xor(bits: u64) -> u64 {
        // SAFETY: the caller vouches for the CPU.
        unsafe { carry_less_by_ones(bits) }
    }

    #[inline(always)]
    unsafe fn write(steps: &[Step], base: u32, places: *mut u32, kinds: *mut u8) {
        // SAFETY: passed on from the caller.
        unsafe { write_avx2_batch(steps, base, places, kinds) }
    }
}

// For AVX-512 a table by byte gives the classes, a bit each, in the order of the members of `Masks`.
const QUOTE: u8 = 1 << 0;
const OPERATOR: u8 = 1 << 1;
const SPACE: u8 = 1 << 2;
const NEWLINE: u8 = 1 << 3;
const BACKSLASH: u8 = 1 << 4;
const CONTROL: u8 = 1 << 5;
const NON_ASCII: u8 = 1 << 6;
const OF_LINE: u8 = 1 << 7;

/// By byte of ASCII: its classes.
const CLASSES: [u8; 128] = {
    let mut table = [0; 128];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = match byte as u8 {
            b'"' => QUOTE,
            b'{' | b'}' | b'[' | b']' | b':' | b',' => OPERATOR,
            b' ' => SPACE,
            b'\t' | b'\r' => SPACE | CONTROL | OF_LINE,
            b'\n' => SPACE | NEWLINE | OF_LINE,
            b'\\' => BACKSLASH | OF_LINE,
            0..0x20 => CONTROL | OF_LINE,
            _ => 0,
        };
        byte += 1;
    }
    table
};

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

/// For an 8 by 8 matrix of bytes: each byte's place after rows and columns are exchanged.
const EXCHANGED: [u8; STEP_BYTES] = {
    let mut places = [0; STEP_BYTES];
    let mut at = 0;
    while at < STEP_BYTES {
        places[at] = (at % 8 * 8 + at / 8) as u8;
        at += 1;
    }
    places
};

#[inline]
#[target_feature(enable = "avx512f")]
fn load(bytes: &[u8; STEP_BYTES]) -> __m512i {
    // SAFETY: 64 bytes are there, and loads need no alignment.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

struct Avx512;

/// One bit per row of an 8 by 8 matrix of bits.
const DIAGONAL: i64 = 0x8040_2010_0804_0201u64 as i64;

#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
fn step_avx512(bytes: &[u8; STEP_BYTES], masks: &mut Masks, kinds: &mut [u8; STEP_BYTES]) {
    let bytes = load(bytes);
    let (table, _) = CLASSES.as_chunks::<STEP_BYTES>();
    let looked_up = _mm512_permutex2var_epi8(load(&table[0]), bytes, load(&table[1]));
    let non_ascii = _mm512_movepi8_mask(bytes);
    let classes = _mm512_mask_blend_epi8(non_ascii, looked_up, _mm512_set1_epi8((NON_ASCII | OF_LINE) as i8));
    // A bit per class in each byte becomes a byte per class in each eight bytes: these are taken for a matrix that the
    // diagonal is multiplied by. It takes its first byte for the highest bit; the second product turns that round.
    let diagonal = _mm512_set1_epi64(DIAGONAL);
    let rows = _mm512_gf2p8affine_epi64_epi8::<0>(diagonal, classes);
    let rows = _mm512_gf2p8affine_epi64_epi8::<0>(rows, diagonal);
    let all = _mm512_permutexvar_epi8(load(&EXCHANGED), rows);
    let own = _mm512_test_epi8_mask(classes, _mm512_set1_epi8((QUOTE | OPERATOR) as i8));
    let named = _mm512_mask_blend_epi8(own, _mm512_set1_epi8(SCALAR as i8), bytes);
    // SAFETY: `Masks` is eight words in a known order, and `kinds` is 64 bytes long; stores need no alignment.
    unsafe {
        _mm512_storeu_si512(std::ptr::from_mut(masks).cast(), all);
        _mm512_storeu_si512(kinds.as_mut_ptr().cast(), named);
    }
}

/// Writes the tokens of one step, whose first byte is at the place that all of `base` holds.
///
/// # Safety
/// `places` and `kinds` must be valid for writes of 64 elements.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,popcnt")]
unsafe fn compress(step_kinds: &[u8; STEP_BYTES], tokens: u64, base: __m512i, places: *mut u32, kinds: *mut u8) {
    let names = load(step_kinds);
    let found = _mm512_maskz_compress_epi8(tokens, load(&PLACES));
    let quarter = |places: __m128i| _mm512_add_epi32(_mm512_cvtepu8_epi32(places), base);
    // Two steps in three have up to 16 tokens, nearly none more than 32: only the latter is a branch that can be foretold.
    // SAFETY: each store writes 16 of the 64 elements that there is room for, or all 64 bytes.
    unsafe {
        _mm512_storeu_si512(kinds.cast(), _mm512_permutexvar_epi8(found, names));
        _mm512_storeu_si512(places.cast(), quarter(_mm512_castsi512_si128(found)));
        _mm512_storeu_si512(places.add(16).cast(), quarter(_mm512_extracti32x4_epi32::<1>(found)));
        if tokens.count_ones() > 32 {
            _mm512_storeu_si512(places.add(32).cast(), quarter(_mm512_extracti32x4_epi32::<2>(found)));
            _mm512_storeu_si512(places.add(48).cast(), quarter(_mm512_extracti32x4_epi32::<3>(found)));
        }
    }
}

#[inline(never)]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
fn classify_avx512_batch(bytes: &[[u8; STEP_BYTES]], steps: &mut [Step; BATCH_STEPS]) {
    for (bytes, step) in bytes.iter().zip(steps) {
        prefetch(bytes);
        step_avx512(bytes, &mut step.masks, &mut step.kinds);
    }
}

/// # Safety
/// As for [`Kernel::write`].
#[inline(never)]
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,avx512vbmi2,popcnt")]
unsafe fn write_avx512_batch(steps: &[Step], base: u32, places: *mut u32, kinds: *mut u8) {
    let mut at = _mm512_set1_epi32(base as i32);
    for step in steps {
        // SAFETY: passed on from the caller.
        unsafe {
            let before = step.found.tokens_before;
            compress(&step.kinds, step.found.tokens, at, places.add(before), kinds.add(before));
        }
        at = _mm512_add_epi32(at, _mm512_set1_epi32(STEP_BYTES as i32));
    }
}

impl Kernel for Avx512 {
    #[inline(always)]
    unsafe fn classify(bytes: &[[u8; STEP_BYTES]], steps: &mut [Step; BATCH_STEPS]) {
        // SAFETY: the caller vouches for the CPU.
        unsafe { classify_avx512_batch(bytes, steps) }
    }

    #[inline(always)]
    unsafe fn prefix_xor(bits: u64) -> u64 {
        // SAFETY: the caller vouches for the CPU.
        unsafe { carry_less_by_ones(bits) }
    }

    #[inline(always)]
    unsafe fn write(steps: &[Step], base: u32, places: *mut u32, kinds: *mut u8) {
        // SAFETY: passed on from the caller.
        unsafe { write_avx512_batch(steps, base, places, kinds) }
    }
}
