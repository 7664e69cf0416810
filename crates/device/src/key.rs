//! Limits of symmetric keys (§3.3, §4).

/// The shortest key that the hub takes, decoded (§3.3).
pub const KEY_BYTES_MIN: usize = 16;
/// The longest key that the hub takes, decoded (§3.3).
pub const KEY_BYTES_MAX: usize = 64;
/// The length of the keys that the hub itself makes, decoded (§3.3).
pub const KEY_BYTES_DEFAULT: usize = 32;
