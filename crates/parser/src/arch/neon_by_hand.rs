//! What the NEON instructions of the kernel do, byte by byte: so its tests run on every CPU.

#![allow(non_camel_case_types, reason = "the names are those of the instructions' own functions")]

pub(super) type uint8x16_t = [u8; 16];
pub(super) type uint64x2_t = [u64; 2];

fn each(one: uint8x16_t, other: uint8x16_t, f: impl Fn(u8, u8) -> u8) -> uint8x16_t {
    std::array::from_fn(|lane| f(one[lane], other[lane]))
}

fn ones_where(is: bool) -> u8 {
    if is { 0xff } else { 0 }
}

/// # Safety
/// 16 bytes must be there.
pub(super) unsafe fn vld1q_u8(from: *const u8) -> uint8x16_t {
    // SAFETY: the caller's promise.
    unsafe { from.cast::<uint8x16_t>().read_unaligned() }
}

/// # Safety
/// There must be room for 16 bytes.
pub(super) unsafe fn vst1q_u8(to: *mut u8, bytes: uint8x16_t) {
    // SAFETY: the caller's promise.
    unsafe { to.cast::<uint8x16_t>().write_unaligned(bytes) }
}

pub(super) fn vdupq_n_u8(byte: u8) -> uint8x16_t {
    [byte; 16]
}

pub(super) fn vceqq_u8(one: uint8x16_t, other: uint8x16_t) -> uint8x16_t {
    each(one, other, |one, other| ones_where(one == other))
}

pub(super) fn vcltq_u8(one: uint8x16_t, other: uint8x16_t) -> uint8x16_t {
    each(one, other, |one, other| ones_where(one < other))
}

pub(super) fn vcgeq_u8(one: uint8x16_t, other: uint8x16_t) -> uint8x16_t {
    each(one, other, |one, other| ones_where(one >= other))
}

pub(super) fn vandq_u8(one: uint8x16_t, other: uint8x16_t) -> uint8x16_t {
    each(one, other, |one, other| one & other)
}

pub(super) fn vorrq_u8(one: uint8x16_t, other: uint8x16_t) -> uint8x16_t {
    each(one, other, |one, other| one | other)
}

pub(super) fn vbicq_u8(one: uint8x16_t, other: uint8x16_t) -> uint8x16_t {
    each(one, other, |one, other| one & !other)
}

pub(super) fn vbslq_u8(choice: uint8x16_t, one: uint8x16_t, other: uint8x16_t) -> uint8x16_t {
    std::array::from_fn(|lane| choice[lane] & one[lane] | !choice[lane] & other[lane])
}

pub(super) fn vqtbl1q_u8(table: uint8x16_t, places: uint8x16_t) -> uint8x16_t {
    places.map(|place| table.get(usize::from(place)).copied().unwrap_or(0))
}

pub(super) fn vpaddq_u8(one: uint8x16_t, other: uint8x16_t) -> uint8x16_t {
    let pair = |bytes: uint8x16_t, at: usize| bytes[2 * at].wrapping_add(bytes[2 * at + 1]);
    std::array::from_fn(|lane| if lane < 8 { pair(one, lane) } else { pair(other, lane - 8) })
}

pub(super) fn vreinterpretq_u64_u8(bytes: uint8x16_t) -> uint64x2_t {
    let (words, _) = bytes.as_chunks::<8>();
    [u64::from_le_bytes(words[0]), u64::from_le_bytes(words[1])]
}

pub(super) fn vgetq_lane_u64<const LANE: i32>(words: uint64x2_t) -> u64 {
    words[LANE as usize]
}
