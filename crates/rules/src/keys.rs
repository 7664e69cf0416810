//! Rules that make, move and strip symmetric keys (§3.3, §4).

use hubmill_device::{AuthenticationType, Code, ImportMode, Member, is_system_module};
use hubmill_parser::{Record, Span};

use crate::authentication::{self, Authentication, Key, SymmetricKey};
use crate::edit::{TextRange, insert, replace};
use crate::finding::{Detail, Finding};
use crate::key_source::KeySource;
use crate::options::{KeyRule, KeySlots, Keyless};
use crate::rules::Rules;
use crate::scratch::Scratch;

/// A key that was made, where it is among the texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MadeKey {
    /// `primary` or `secondary`.
    pub slot: &'static str,
    /// The key with its quotes.
    pub text: TextRange,
}

/// What a slot becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Becomes {
    Same,
    Fresh,
    /// The value that stands there.
    Copy(Span),
}

pub(crate) const SLOTS: [&str; 2] = ["primary", "secondary"];

impl Rules {
    /// `--strip-keys`: the keys that are there become null.
    pub(crate) fn strip_keys(&self, scratch: &mut Scratch, record: &Record<'_>) -> Result<(), Finding> {
        for value in authentication::read_keys(record, &mut scratch.layouts)?.into_iter().flatten() {
            if record.bytes(value) != b"null" {
                scratch.changes.inside.push(replace(value, self.texts.null));
            }
        }
        Ok(())
    }

    /// A rule that makes or moves keys. Whether the line has authentication afterwards.
    pub(crate) fn apply_key_rule(
        &self,
        scratch: &mut Scratch,
        record: &Record<'_>,
        rule: KeyRule,
        mode: ImportMode,
    ) -> Result<bool, Finding> {
        let present = |names: &crate::names::Names| {
            names.value(record, Member::Authentication).is_some_and(|value| record.bytes(value) != b"null")
        };
        if !mode.writes_identity() {
            scratch.counts.push(Code::LeftMode);
            return Ok(present(scratch.layouts.names()));
        }
        let module_id = scratch.module_id.and_then(|module_id| record.text(module_id));
        if module_id.is_some_and(|module_id| is_system_module(&module_id)) {
            scratch.counts.push(Code::LeftSystemModule);
            return Ok(present(scratch.layouts.names()));
        }
        match authentication::read(record, &mut scratch.layouts)? {
            Some(authentication) => {
                self.change_keys(scratch, record, rule, authentication);
                Ok(true)
            }
            None if self.keyless == Keyless::Sas => {
                self.give_authentication(scratch, record);
                Ok(true)
            }
            None => {
                let at = scratch
                    .layouts
                    .names()
                    .get(record, Member::Authentication)
                    .map_or(record.open(), |member| member.value.start);
                scratch.findings.push(keyless(at));
                Ok(false)
            }
        }
    }

    fn change_keys(&self, scratch: &mut Scratch, record: &Record<'_>, rule: KeyRule, authentication: Authentication) {
        let at = authentication.start;
        match authentication.kind {
            _ if authentication.thumbprint => return scratch.counts.push(Code::LeftX509),
            Some(AuthenticationType::SelfSigned) => return scratch.counts.push(Code::LeftX509),
            Some(AuthenticationType::CertificateAuthority) => return scratch.counts.push(Code::LeftCa),
            Some(AuthenticationType::None) => return scratch.counts.push(Code::LeftNone),
            Some(AuthenticationType::Sas) => {}
            None => match authentication.symmetric_key {
                SymmetricKey::Object { primary, secondary, .. }
                    if (primary, secondary) != (Key::Missing, Key::Missing) => {}
                _ => return scratch.findings.push(keyless(at)),
            },
        }
        let (primary, secondary) = match authentication.symmetric_key {
            SymmetricKey::Object { primary, secondary, .. } => (primary, secondary),
            SymmetricKey::Missing | SymmetricKey::Null(_) => (Key::Missing, Key::Missing),
        };
        let becomes = match (rule, primary.there(), secondary.there()) {
            (KeyRule::Regenerate(KeySlots::Both), _, _) => [Becomes::Fresh, Becomes::Fresh],
            (KeyRule::Regenerate(KeySlots::Primary), _, Some(_)) => [Becomes::Fresh, Becomes::Same],
            (KeyRule::Regenerate(KeySlots::Secondary), Some(_), _) => [Becomes::Same, Becomes::Fresh],
            (KeyRule::PromoteSecondary, _, Some(secondary)) => [Becomes::Copy(secondary), Becomes::Fresh],
            (KeyRule::Swap, Some(primary), Some(secondary)) => [Becomes::Copy(secondary), Becomes::Copy(primary)],
            _ => {
                let needed = match rule {
                    KeyRule::Swap => "swapping needs both keys; the line was left as it is",
                    KeyRule::Regenerate(KeySlots::Secondary) => {
                        "a new secondary key needs the primary to be there; the line was left as it is"
                    }
                    _ => "the secondary key is needed and not there; the line was left as it is",
                };
                let path = "authentication.symmetricKey";
                return scratch.findings.push(Finding::new(Code::KeysMissing, at, path, Detail::Text(needed)));
            }
        };
        match authentication.symmetric_key {
            SymmetricKey::Object { end, empty, .. } => {
                self.change_slots(scratch, record, becomes, [primary, secondary], end, empty);
            }
            SymmetricKey::Null(value) => {
                let start = scratch.texts.len();
                self.append_key_object(scratch);
                let text = Span::new(start, scratch.texts.len());
                scratch.changes.inside.push(replace(value, text));
            }
            SymmetricKey::Missing => {
                // First, so that `type` stays last (§1.2).
                let start = scratch.texts.len();
                scratch.texts.extend_from_slice(b"\"symmetricKey\":");
                self.append_key_object(scratch);
                if !authentication.empty {
                    scratch.texts.push(b',');
                }
                let text = Span::new(start, scratch.texts.len());
                scratch.changes.inside.push(insert(authentication.first, text));
            }
        }
    }

    fn change_slots(
        &self,
        scratch: &mut Scratch,
        record: &Record<'_>,
        becomes: [Becomes; 2],
        keys: [Key; 2],
        end: u32,
        empty: bool,
    ) {
        let mut comma = !empty;
        for slot in 0..2 {
            if becomes[slot] == Becomes::Same {
                continue;
            }
            let start = scratch.texts.len();
            let place = match keys[slot] {
                Key::There(value) | Key::Empty(value) => Some(value),
                Key::Missing => {
                    if comma {
                        scratch.texts.push(b',');
                    }
                    comma = true;
                    scratch.texts.extend_from_slice([b"\"primaryKey\":".as_slice(), b"\"secondaryKey\":"][slot]);
                    None
                }
            };
            match becomes[slot] {
                Becomes::Copy(value) => scratch.texts.extend_from_slice(record.bytes(value)),
                Becomes::Fresh | Becomes::Same => self.append_fresh_key(scratch, slot),
            }
            let text = Span::new(start, scratch.texts.len());
            match place {
                Some(value) if becomes[slot] != Becomes::Fresh && record.bytes(value) == text.of(&scratch.texts) => {}
                Some(value) => scratch.changes.inside.push(replace(value, text)),
                None => scratch.changes.inside.push(insert(end, text)),
            }
        }
    }

    /// `--keyless sas`: an `authentication` of the full shape of §1.2.
    fn give_authentication(&self, scratch: &mut Scratch, record: &Record<'_>) {
        let start = scratch.texts.len();
        scratch.texts.extend_from_slice(b",\"authentication\":");
        let value_start = scratch.texts.len();
        scratch.texts.extend_from_slice(b"{\"symmetricKey\":");
        self.append_key_object(scratch);
        scratch.texts.extend_from_slice(
            b",\"x509Thumbprint\":{\"primaryThumbprint\":null,\"secondaryThumbprint\":null},\"type\":\"sas\"}",
        );
        let end = scratch.texts.len();
        match scratch.layouts.names().get(record, Member::Authentication) {
            Some(member) => scratch.changes.inside.push(replace(member.value, Span::new(value_start, end))),
            None => scratch.changes.added.push((Member::Authentication, Span::new(start, end))),
        }
    }

    fn append_key_object(&self, scratch: &mut Scratch) {
        scratch.texts.extend_from_slice(b"{\"primaryKey\":");
        self.append_fresh_key(scratch, 0);
        scratch.texts.extend_from_slice(b",\"secondaryKey\":");
        self.append_fresh_key(scratch, 1);
        scratch.texts.push(b'}');
    }

    fn append_fresh_key(&self, scratch: &mut Scratch, slot: usize) {
        append_fresh_key(&mut scratch.keys, &mut scratch.texts, &mut scratch.made_keys, slot);
    }
}

/// The source of keys of a scratch of rules that make some.
#[inline]
pub(crate) fn source_of(source: &mut Option<KeySource>) -> &mut KeySource {
    source.as_mut().expect("a scratch of rules that make keys has a source of keys")
}

/// Makes a key for a slot and adds it to the texts, quotes and all.
pub(crate) fn append_fresh_key(
    source: &mut Option<KeySource>,
    texts: &mut Vec<u8>,
    made_keys: &mut Vec<MadeKey>,
    slot: usize,
) {
    let start = texts.len();
    source_of(source).append_quoted(texts);
    made_keys.push(MadeKey { slot: SLOTS[slot], text: Span::new(start, texts.len()) });
}

fn keyless(at: u32) -> Finding {
    let message = "how the line authenticates is not in the file (a keyless export, §4); it was left as it is";
    Finding::new(Code::Keyless, at, "authentication", Detail::Text(message))
}
