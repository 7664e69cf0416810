//! Limits of twins and modules (§3.1, §3.6).

/// The largest tags, as the hub counts (§3.6).
pub const TAGS_SIZE_MAX: u64 = 8 * 1024;
/// The largest desired or reported properties, as the hub counts (§3.6).
pub const PROPERTIES_SIZE_MAX: u64 = 32 * 1024;
/// What a number counts (§3.6).
pub const NUMBER_SIZE: u64 = 8;
/// What a boolean counts (§3.6).
pub const BOOLEAN_SIZE: u64 = 4;
/// The longest name in a twin, in bytes of UTF-8 (§3.6).
pub const TWIN_KEY_BYTES_MAX: usize = 1024;
/// The longest text in a twin (§3.6).
pub const TWIN_STRING_MAX: usize = 4096;
/// The deepest nesting of objects and arrays inside of a section of a twin; the section itself is 0 (§3.6).
pub const TWIN_DEPTH_MAX: usize = 10;
/// The most modules on a device (§3.1).
pub const MODULES_MAX: u64 = 50;

/// Whether the spelling of a number, if it is an integer, is within -2^52 and 2^52 - 1 (§3.6).
///
/// Numbers with a fraction or an exponent are no integers.
pub fn is_twin_number(spelling: &[u8]) -> bool {
    const POWER: &[u8] = b"4503599627370496";
    let digits = spelling.strip_prefix(b"-").unwrap_or(spelling);
    if digits.len() < POWER.len() || digits.iter().any(|byte| matches!(byte, b'.' | b'e' | b'E')) {
        return true;
    }
    // JSON has no leading zeros: numbers of as many digits compare as texts do.
    let negative = digits.len() < spelling.len();
    digits.len() == POWER.len() && if negative { digits <= POWER } else { digits < POWER }
}

/// Whether a name in a twin can't have this character (§3.6): control characters, `.`, `$`, space by the documentation, `#` and
/// other white space by the code of IoT Edge.
pub fn is_refused_in_twin_keys(character: char) -> bool {
    matches!(character, '.' | '$' | '#') || character.is_control() || character.is_whitespace()
}

#[cfg(test)]
mod tests {
    use super::{is_refused_in_twin_keys, is_twin_number};

    #[test]
    fn integers_at_the_limit_and_past_it() {
        for (spelling, good) in [
            ("4503599627370495", true),
            ("4503599627370496", false),
            ("-4503599627370496", true),
            ("-4503599627370497", false),
            ("10000000000000000", false),
            ("-10000000000000000", false),
            ("4503599627370496.0", true),
            ("4503599627370496e3", true),
            ("4.503599627370496E99", true),
            ("0", true),
            ("-0", true),
            ("999999999999999", true),
        ] {
            assert_eq!(is_twin_number(spelling.as_bytes()), good, "{spelling}");
        }
    }

    #[test]
    fn characters_of_names() {
        for refused in ['.', '$', '#', ' ', '\t', '\0', '\u{7f}', '\u{85}', '\u{9f}', '\u{a0}', '\u{2028}'] {
            assert!(is_refused_in_twin_keys(refused), "{refused:?}");
        }
        for fine in ['a', 'Z', '0', '_', '-', '/', '"', '\\', 'é', '漢', '\u{200b}', '\u{10ffff}'] {
            assert!(!is_refused_in_twin_keys(fine), "{fine:?}");
        }
    }
}
