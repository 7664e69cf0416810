//! Device and module ids (§3.1).

/// The longest id, in characters (§3.1). All legal characters are ASCII, so bytes too.
pub const ID_CHARACTERS_MAX: usize = 128;
/// The longest `statusReason`, in characters (§3.2).
pub const STATUS_REASON_CHARACTERS_MAX: usize = 128;

/// What is wrong with an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdFault {
    /// A character that the hub refuses, the first one, with its place counted in characters from 0.
    Character {
        /// The character.
        character: char,
        /// Its place, counted in characters from 0.
        at: usize,
    },
    /// Empty, or longer than [`ID_CHARACTERS_MAX`].
    Length {
        /// How long it is, in characters.
        characters: usize,
    },
}

/// The characters that a device or module id may have (§3.1).
pub const ID_CHARACTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-:.+%_#*?!(),=@;$'";

const LEGAL: [bool; 256] = {
    let mut table = [false; 256];
    let mut at = 0;
    while at < ID_CHARACTERS.len() {
        table[ID_CHARACTERS[at] as usize] = true;
        at += 1;
    }
    table
};

/// Checks a decoded id against the character set and the length that the hub accepts (§3.1).
///
/// Both faults can be there at once: the first slot is for the character, the second for the length.
pub fn check_id(id: &[u8]) -> [Option<IdFault>; 2] {
    if id.iter().all(|byte| LEGAL[usize::from(*byte)]) && (1..=ID_CHARACTERS_MAX).contains(&id.len()) {
        return [None, None];
    }
    explain_id(id)
}

#[cold]
fn explain_id(id: &[u8]) -> [Option<IdFault>; 2] {
    // A lone surrogate comes as the three bytes that UTF-8 would have for it, and is one character.
    let count = |bytes: &[u8]| bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count();
    let character = id.iter().position(|byte| !LEGAL[usize::from(*byte)]).map(|place| {
        let character = String::from_utf8_lossy(&id[place..]).chars().next().unwrap_or(char::REPLACEMENT_CHARACTER);
        IdFault::Character { character, at: count(&id[..place]) }
    });
    let characters = count(id);
    let length = (!(1..=ID_CHARACTERS_MAX).contains(&characters)).then_some(IdFault::Length { characters });
    [character, length]
}

/// A module that belongs to the hub itself, `$edgeAgent` or `$edgeHub` for instance (§1.7).
pub fn is_system_module(module_id: &[u8]) -> bool {
    module_id.first() == Some(&b'$')
}

#[cfg(test)]
mod tests {
    use super::{IdFault, check_id};

    #[test]
    fn the_character_set_is_the_documented_one() {
        let legal: String = (0u8..=255).filter(|byte| check_id(&[*byte]) == [None, None]).map(char::from).collect();
        assert_eq!(legal, "!#$%'()*+,-.0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");
    }

    #[test]
    fn a_bad_byte_is_found_wherever_it_stands() {
        for length in 1..80 {
            for place in 0..length {
                for byte in 0..=255u8 {
                    let mut id = vec![b'x'; length];
                    id[place] = byte;
                    assert_eq!(
                        check_id(&id) == [None, None],
                        super::LEGAL[usize::from(byte)],
                        "{length} {place} {byte}"
                    );
                }
            }
        }
    }

    #[test]
    fn places_are_counted_in_characters() {
        assert_eq!(check_id(b"dev 1")[0], Some(IdFault::Character { character: ' ', at: 3 }));
        assert_eq!(check_id("aé".as_bytes())[0], Some(IdFault::Character { character: 'é', at: 1 }));
    }

    #[test]
    fn lengths_at_the_limit_and_past_it() {
        assert_eq!(check_id(&[b'a'; 128]), [None, None]);
        assert_eq!(check_id(&[b'a'; 129]), [None, Some(IdFault::Length { characters: 129 })]);
        assert_eq!(check_id(b""), [None, Some(IdFault::Length { characters: 0 })]);
        let surrogate = [[b'a'; 127].as_slice(), b"\xed\xa0\x80"].concat();
        assert_eq!(
            check_id(&surrogate),
            [Some(IdFault::Character { character: char::REPLACEMENT_CHARACTER, at: 127 }), None]
        );
        let both = check_id(&[b' '; 129]);
        assert!(both[0].is_some() && both[1].is_some());
    }
}
