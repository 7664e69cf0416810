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

    pub(crate) fn next() -> Self {
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
    /// Of which only the first as many as are used count: what is over keeps its room.
    all: Vec<Names>,
    used: usize,
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
    #[inline(always)]
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
        self.used = 0;
        self.recent = 0;
    }

    /// The form of a line of this shape, where it is known.
    #[inline]
    pub(crate) fn recognise(&mut self, bytes: &[u8], places: &[u32]) -> Option<Form> {
        let known = &self.all[..self.used];
        let recent = known.get(self.recent)?;
        if recent.are_in(bytes, places) {
            return Some(recent.form);
        }
        self.recent = known.iter().position(|names| names.are_in(bytes, places))?;
        Some(known[self.recent].form)
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
        self.recent = if self.used < FORMS_MAX { self.used } else { self.made % FORMS_MAX };
        self.used = self.used.max(self.recent + 1);
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

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::{FORMS_MAX, NAMES_MAX};
    use crate::{Content, Level, Limits, Parser};

    /// The number of the form of each line, and its members as text.
    fn read(parser: &mut Parser, text: &str) -> Vec<(Option<u64>, String)> {
        let mut all = Vec::new();
        parser.parse(text.as_bytes(), 0, |line| {
            let Content::Record(record) = line.content else { panic!("a record") };
            let form = record.form().map(|form| form.number());
            let text = |span| String::from_utf8_lossy(record.bytes(span)).into_owned();
            let by_number = (0..record.member_count()).filter_map(|number| record.member(number));
            let members = by_number.map(|member| format!("{}={};", text(member.name), text(member.value)));
            assert_eq!(
                record.members(),
                (0..record.member_count()).filter_map(|it| record.member(it)).collect::<Vec<_>>()
            );
            all.push((form, members.collect::<String>()));
            ControlFlow::Continue(())
        });
        all
    }

    fn parser() -> Parser {
        Parser::new(Level::detect(), Limits::default()).with_deep_names(&["deep"])
    }

    #[test]
    fn lines_have_one_form_where_structure_and_names_are_the_same() {
        let mut parser = parser();
        let lines = [
            r#"{"id":"a","deep":{"x":null,"y":{"z":1}},"other":{"q":2}}"#,
            r#"{"id":"bcdefgh","deep":{"x":true,"y":{"z":-12.5e7}},"other":{"other name":3}}"#,
            r#"{ "id" : "\u0061\"" , "deep":{"x":false,"y":{"z":17}},"other":{"":"#,
        ];
        let same = [lines[0], lines[1], &format!("{}3}}}}", lines[2])];
        let others = [
            r#"{"iD":"a","deep":{"x":null,"y":{"z":1}},"other":{"q":2}}"#,
            r#"{"id":"a","deep":{"X":null,"y":{"z":1}},"other":{"q":2}}"#,
            r#"{"id":"a","deep":{"x":null,"y":{"zz":1}},"other":{"q":2}}"#,
            r#"{"id":"a","deep":{"x":null,"y":{"z":1}},"othe":{"q":2}}"#,
        ];
        read(&mut parser, &format!("{0}\n{0}\n{0}\n", same[0]));
        let forms: Vec<_> = same.iter().map(|line| read(&mut parser, line)[0].0).collect();
        assert!(forms[0].is_some() && forms.iter().all(|form| *form == forms[0]), "{forms:?}");
        for other in others {
            let form = read(&mut parser, other)[0].0;
            assert!(form.is_some() && form != forms[0], "{other}");
            assert_eq!(read(&mut parser, other)[0].0, form, "{other}");
        }
    }

    #[test]
    fn names_are_told_apart_at_every_byte_whatever_their_length() {
        for length in [1, 2, 13, 14, 15, 16, 30, 31, 47, 100] {
            let name = "n".repeat(length);
            let line = |name: &str| format!("{{\"{name}\":1,\"b\":2}}");
            let mut parser = parser();
            read(&mut parser, &format!("{0}\n{0}\n", line(&name)));
            let form = read(&mut parser, &line(&name))[0].0;
            assert!(form.is_some());
            for at in 0..length {
                let mut other = name.clone();
                other.replace_range(at..=at, "m");
                let read = read(&mut parser, &format!("{}\n{}", line(&other), line(&name)));
                assert!(read[0].0.is_some() && read[0].0 != form, "{length} {at}");
                assert_eq!(read[0].1, format!("{other}=1;b=2;"));
            }
            for other in [format!("{name}n"), name[1..].to_owned()] {
                assert_ne!(read(&mut parser, &line(&other))[0].0, form, "{length}");
            }
        }
    }

    #[test]
    fn escaped_long_and_many_names_have_no_form_and_the_oldest_form_goes() {
        let mut parser = parser();
        let many: Vec<_> = (0..=NAMES_MAX).map(|number| format!("\"{number}\":0")).collect();
        for line in [
            r#"{"\u0061":1}"#.to_owned(),
            format!("{{\"{}\":1}}", "n".repeat(70_000)),
            format!("{{{}}}", many.join(",")),
        ] {
            let read = read(&mut parser, &format!("{line}\n{line}\n{line}\n"));
            assert!(read.iter().all(|(form, _)| form.is_none()), "{}", &line[..20]);
        }
        let line = |number: usize| format!("{{\"name {number}\":[]}}\n");
        let mut forms = Vec::new();
        for number in 0..FORMS_MAX + 2 {
            // The first two times the shape is not known yet.
            forms.push(read(&mut parser, &line(number).repeat(3))[2].0);
        }
        assert_eq!(read(&mut parser, &line(FORMS_MAX + 1))[0].0, forms[FORMS_MAX + 1]);
        assert_ne!(read(&mut parser, &line(0))[0].0, forms[0]);
    }
}
