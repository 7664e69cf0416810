//! What Azure IoT Hub says that a line of `devices.txt` may hold: its members, enums, limits and codes.
//!
//! This crate holds facts and no actions: it knows the names and spellings, which texts are legal ids, which import
//! modes can touch an existing identity, and what each finding is called. It reads no files and changes no lines.
//! `§` points into the project's collection of facts about the format.
#![forbid(unsafe_code)]

mod authentication;
mod code;
mod explain;
mod hub_error;
mod id;
mod key;
mod limits;
mod meant;
mod member;
mod mode;
mod redact;
mod scope;
mod status;
mod words;

pub use authentication::AuthenticationType;
pub use code::{Code, Severity};
pub use explain::{About, EXAMPLE_HUB, EXAMPLE_KEYLESS_HUB, EXAMPLE_LOG, Evidence, expand_example};
pub use hub_error::{HubError, Remedy};
pub use id::{ID_CHARACTERS, ID_CHARACTERS_MAX, IdFault, STATUS_REASON_CHARACTERS_MAX, check_id, is_system_module};
pub use key::{KEY_BYTES_DEFAULT, KEY_BYTES_MAX, KEY_BYTES_MIN};
pub use limits::{
    BOOLEAN_SIZE, MODULES_MAX, NUMBER_SIZE, PROPERTIES_SIZE_MAX, TAGS_SIZE_MAX, TWIN_DEPTH_MAX, TWIN_KEY_BYTES_MAX,
    TWIN_STRING_MAX, is_refused_in_twin_keys, is_twin_number,
};
pub use meant::{Place, meant};
pub use member::{Member, MemberSet, same_name};
pub use mode::ImportMode;
pub use redact::{Printable, Secret, TextKind, push_redacted, redacted};
pub use scope::scope_parent;
pub use status::Status;
pub use words::WORDS;

/// Reads an enum value as the hub's JSON reader does: a name in any ASCII case, or its number as text (§1.5).
fn enum_from_text<T: Copy>(text: &[u8], values: &[(&str, T)]) -> Option<T> {
    if let [digit @ b'0'..=b'9'] = text {
        return values.get(usize::from(digit - b'0')).map(|(_, value)| *value);
    }
    values.iter().find(|(name, _)| text.eq_ignore_ascii_case(name.as_bytes())).map(|(_, value)| *value)
}
