//! Forms: shapes of which the names are known, too.
//!
//! Whatever follows from the structure of a line and from its names alone is the same for all lines of a form. Callers
//! work it out once per form and keep it. The names that count are those of the outer object, and those inside of
//! the members that the caller asked for.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::shape::MemberTokens;

/// Forms kept of one shape; one more takes the place of the oldest.
const FORMS_MAX: usize = 4;
/// A line with more names that count has no form.
const NAMES_MAX: usize = 64;
/// Bytes of a name, quotes included, that are compared in one go.
const HEAD_BYTES: usize = 16;

/// The structure of a line together with its names: equal for two lines only where both are.
///
/// Every form that any parser ever meets has a number of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form(u64);

impl Form {
    /// The number. Numbers are given out in order, from 1 on.
    #[inline]
    pub fn number(self) -> u64 {
        self.0
    }

    fn next() -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self(LAST.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// Names of members of the outer object inside of which, too, names belong to the form.
pub(crate) type DeepNames = &'static [&'static str];

/// A name that a line of the form has.
#[derive(Clone, Copy, Debug)]
struct Name {
    /// The number of the token of its opening quote.
    token: u16,
    /// Its length, quotes included.
    length: u16,
    /// Its first bytes, quotes included, zeros after it.
    head: u128,
    /// Ones where the head has bytes of it.
    mask: u128,
    /// Where the bytes after the head start among the texts.
    rest: u32,
}

#[derive(Debug)]
struct Names {
    form: Form,
    names: Vec<Name>,
    texts: Vec<u8>,
}

/// The forms of one shape.
#[derive(Debug, Default)]
pub(crate) struct Forms {
    all: Vec<Names>,
    /// The one that was met last.
    recent: usize,
    /// How many were made.
    made: usize,
}

/// Ones where a head has bytes of a text of this length.
fn head_mask(length: usize) -> u128 {
    if length >= HEAD_BYTES { u128::MAX } else { (1 << (8 * length)) - 1 }
}

/// The bytes at `at`, zeros after their end.
#[inline]
fn head(bytes: &[u8], at: usize) -> u128 {
    match bytes.get(at..at + HEAD_BYTES).and_then(<[u8]>::first_chunk) {
        Some(head) => u128::from_le_bytes(*head),
        None => short_head(&bytes[at..]),
    }
}

#[cold]
fn short_head(bytes: &[u8]) -> u128 {
    let mut head = [0; HEAD_BYTES];
    head[..bytes.len()].copy_from_slice(bytes);
    u128::from_le_bytes(head)
}

impl Names {
    #[inline]
    fn are_in(&self, bytes: &[u8], places: &[u32]) -> bool {
        self.names.iter().all(|name| {
            let at = places[usize::from(name.token)] as usize;
            (head(bytes, at) ^ name.head) & name.mask == 0
                && (usize::from(name.length) <= HEAD_BYTES || self.rest_is_in(name, &bytes[at + HEAD_BYTES..]))
        })
    }

    #[cold]
    fn rest_is_in(&self, name: &Name, bytes: &[u8]) -> bool {
        bytes.starts_with(&self.texts[name.rest as usize..][..usize::from(name.length) - HEAD_BYTES])
    }
}

impl Forms {
    pub(crate) fn clear(&mut self) {
        self.all.clear();
        self.recent = 0;
    }

    /// The form of a line of this shape, where it is known.
    #[inline]
    pub(crate) fn recognise(&mut self, bytes: &[u8], places: &[u32]) -> Option<Form> {
        let recent = self.all.get(self.recent)?;
        if recent.are_in(bytes, places) {
            return Some(recent.form);
        }
        self.recent = self.all.iter().position(|names| names.are_in(bytes, places))?;
        Some(self.all[self.recent].form)
    }

    /// Makes a form of a valid line of this shape; `None` for a line with an escape in a name that counts, which then may
    /// be spelt in many ways, and for one with too many or too long names.
    #[cold]
    pub(crate) fn learn(
        &mut self,
        bytes: &[u8],
        places: &[u32],
        kinds: &[u8],
        members: &[MemberTokens],
        deep: DeepNames,
    ) -> Option<Form> {
        let text = |token: usize| &bytes[places[token] as usize..=places[token + 1] as usize];
        let tokens = || {
            members.iter().flat_map(|member| {
                let token = usize::from(member.name);
                let name = text(token);
                let is_deep = deep.iter().any(|deep| deep.as_bytes() == &name[1..name.len() - 1]);
                let inside = if is_deep { member.value()..member.last() } else { 0..0 };
                // A string is two tokens, and only a name has a colon after it.
                std::iter::once(token).chain(inside.filter(|token| kinds[*token..].starts_with(b"\"\":")))
            })
        };
        if tokens().take(NAMES_MAX + 1).count() > NAMES_MAX
            || tokens().any(|token| text(token).contains(&b'\\') || text(token).len() > usize::from(u16::MAX))
        {
            return None;
        }
        let form = Form::next();
        self.recent = if self.all.len() < FORMS_MAX { self.all.len() } else { self.made % FORMS_MAX };
        self.made += 1;
        if self.recent == self.all.len() {
            self.all.push(Names { form, names: Vec::new(), texts: Vec::new() });
        }
        let known = &mut self.all[self.recent];
        known.form = form;
        known.names.clear();
        known.texts.clear();
        for token in tokens() {
            let text = text(token);
            let mask = head_mask(text.len());
            let head = head(bytes, places[token] as usize) & mask;
            let rest = known.texts.len() as u32;
            known.names.push(Name { token: token as u16, length: text.len() as u16, head, mask, rest });
            known.texts.extend_from_slice(text.get(HEAD_BYTES..).unwrap_or_default());
        }
        Some(form)
    }
}
