//! Forms: shapes of which the names are known, too.
//!
//! Whatever follows from the structure of a line and from its names alone is the same for all lines of a form. Callers
//! work it out once per form and keep it. The names that count are those of the outer object, and those inside of
//! the members that the caller asked for, or all of them.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::shape::last_token;

/// Forms kept of one shape; one more takes the place of the oldest.
const FORMS_MAX: usize = 8;
/// Lines of one shape whose form is not known, of which one is learnt where as many forms as are kept are known already:
/// where every line has other names, little is spent on them.
const UNKNOWN_PER_FORM: u32 = 16;
/// A line with more names that count has no form.
const NAMES_MAX: usize = 256;
/// Names of all forms of a parser, as a whole; one form more, and all are forgotten.
const ALL_NAMES_MAX: usize = 64 * 1024;
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

/// Which names belong to the form besides those of the outer object.
#[derive(Clone, Copy, Debug)]
pub(crate) enum DeepNames {
    /// Those inside of these members of the outer object.
    Inside(&'static [&'static str]),
    /// All, at any depth, but those inside of members of this name.
    AllBut(&'static str),
}

impl DeepNames {
    /// Whether all names inside of the member of the outer object with this raw name belong to the form, at every depth.
    pub(crate) fn cover(self, name: &[u8]) -> bool {
        match self {
            Self::Inside(members) => members.iter().any(|member| member.as_bytes() == name),
            // Some may be left out anywhere.
            Self::AllBut(_) => false,
        }
    }
}

/// The numbers of the tokens that the names start with which belong to a form, in order.
#[derive(Clone)]
struct NameTokens<'a> {
    bytes: &'a [u8],
    places: &'a [u32],
    kinds: &'a [u8],
    deep: DeepNames,
    next: usize,
    depth: u32,
}

impl<'a> NameTokens<'a> {
    /// What stands from the opening to the closing quote.
    fn text(&self, token: usize) -> &'a [u8] {
        &self.bytes[self.places[token] as usize..=self.places[token + 1] as usize]
    }

    /// Whether names inside of the member of this name are passed over.
    fn passes_over(&self, token: usize) -> bool {
        let text = self.text(token);
        let name = &text[1..text.len() - 1];
        match self.deep {
            DeepNames::Inside(_) => self.depth == 1 && !self.deep.cover(name),
            DeepNames::AllBut(but) => but.as_bytes() == name,
        }
    }
}

impl Iterator for NameTokens<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        loop {
            let token = self.next;
            match self.kinds.get(token)? {
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => self.depth -= 1,
                // A string is two tokens, and only a name has a colon after it.
                b'"' if self.kinds[token..].starts_with(b"\"\":") => {
                    let value = token + 3;
                    self.next = if self.passes_over(token) { last_token(self.kinds, value) + 1 } else { value };
                    return Some(token);
                }
                _ => {}
            }
            self.next += 1;
        }
    }
}

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
    /// Lines whose form was not known, since one was learnt.
    unknown: u32,
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
        self.unknown = 0;
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
    /// be spelt in many ways, for one with too many or too long names, and for some where there are more forms than are kept.
    ///
    /// `all_names` counts the names for which all forms of the parser have room.
    #[cold]
    pub(crate) fn learn(
        &mut self,
        bytes: &[u8],
        places: &[u32],
        kinds: &[u8],
        deep: DeepNames,
        all_names: &mut usize,
    ) -> Option<Form> {
        self.unknown += 1;
        if self.used == FORMS_MAX && self.unknown < UNKNOWN_PER_FORM {
            return None;
        }
        self.unknown = 0;
        let tokens = NameTokens { bytes, places, kinds, deep, next: 0, depth: 0 };
        let is_odd = |text: &[u8]| text.contains(&b'\\') || text.len() > usize::from(u16::MAX);
        if tokens.clone().nth(NAMES_MAX).is_some() || tokens.clone().any(|token| is_odd(tokens.text(token))) {
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
        let room = known.names.capacity();
        known.form = form;
        known.names.clear();
        known.texts.clear();
        for token in tokens.clone() {
            let text = tokens.text(token);
            let mask = head_mask(text.len());
            let head = head(bytes, places[token] as usize) & mask;
            let rest = known.texts.len() as u32;
            known.names.push(Name { token: token as u16, length: text.len() as u16, head, mask, rest });
            known.texts.extend_from_slice(text.get(HEAD_BYTES..).unwrap_or_default());
        }
        *all_names += known.names.capacity() - room;
        Some(form)
    }

    /// For how many names there is room.
    #[cfg(test)]
    pub(crate) fn names_kept(&self) -> usize {
        self.all.iter().map(|names| names.names.capacity()).sum()
    }

    /// Whether this is room for more names than all forms of a parser may have.
    pub(crate) fn are_too_many(all_names: usize) -> bool {
        all_names > ALL_NAMES_MAX
    }
}

#[cfg(test)]
mod tests {
    use std::ops::ControlFlow;

    use super::{ALL_NAMES_MAX, FORMS_MAX, NAMES_MAX, UNKNOWN_PER_FORM};
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
                assert_ne!(read[0].0, form, "{length} {at}");
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
        // Stencils have forms of their own.
        parser.stencils.line_bytes_max = 0;
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
            // The first two times the shape is not known yet; where all places are taken only some lines make a form.
            let read = read(&mut parser, &line(number).repeat(UNKNOWN_PER_FORM as usize));
            let first = read.iter().position(|line| line.0.is_some());
            assert_eq!(
                first,
                Some(if number == 0 {
                    2
                } else if number < FORMS_MAX {
                    0
                } else {
                    read.len() - 1
                })
            );
            forms.push(read[read.len() - 1].0);
        }
        assert_eq!(read(&mut parser, &line(FORMS_MAX + 1))[0].0, forms[FORMS_MAX + 1]);
        assert_ne!(read(&mut parser, &line(0))[0].0, forms[0]);
    }

    #[test]
    fn where_all_names_count_only_those_inside_of_the_member_left_out_do_not() {
        let line = |names: [&str; 6]| {
            let [a, b, c, d, e, f] = names;
            format!(r#"{{"{a}":1,"x":[{{"{b}":{{"{c}":"v"}}}},"s"],"$m":{{"{d}":{{"{e}":2}}}},"{f}":3}}"#)
        };
        let usual = ["a", "b", "c", "d", "e", "f"];
        for (place, counts) in [true, true, true, false, false, true].into_iter().enumerate() {
            let mut parser = Parser::new(Level::detect(), Limits::default()).with_all_names("$m");
            let form = read(&mut parser, &format!("{}\n", line(usual)).repeat(3))[2].0;
            assert!(form.is_some());
            for other in ["", "z", r"\u0061", "$m"] {
                let mut names = usual;
                names[place] = other;
                let read = read(&mut parser, &line(names))[0].0;
                assert_eq!(read == form, !counts, "{names:?}");
                assert_eq!(read.is_none(), counts && other.contains('\\'), "{names:?}");
            }
        }
    }

    /// Who remembers by form where a path leads must not do so where names on the path may be others.
    #[test]
    fn where_names_may_be_left_out_the_form_of_an_indexed_line_covers_no_member() {
        let mut parser = Parser::new(Level::detect(), Limits::default()).with_all_names("$m");
        parser.stencils.line_bytes_max = 0;
        let mut indexed = 0;
        for line in [r#"{"t":{"$m":{"a":true}}}"#, r#"{"t":{"$m":{"b":false}}}"#, r#"{"t":{"$m":{"c":null}}}"#] {
            parser.parse(line.as_bytes(), 0, |line| {
                let Content::Record(record) = line.content else { panic!("a record") };
                indexed += usize::from(record.form().is_some());
                assert!(!record.form_covers(&record.members()[0]));
                ControlFlow::Continue(())
            });
        }
        assert!(indexed > 0, "a form is known");
    }

    #[test]
    fn names_of_all_forms_are_bounded() {
        let mut parser = Parser::new(Level::detect(), Limits::default()).with_all_names("");
        let mut made = 0;
        // Every shape has another number of names, and each name is another one.
        for count in (1..NAMES_MAX).cycle().take(3 * NAMES_MAX) {
            for round in 0..FORMS_MAX {
                let names: Vec<_> = (0..count).map(|name| format!("\"{round} {name}\":[]")).collect();
                let line = format!("{{{}}}\n", names.join(","));
                made += read(&mut parser, &line.repeat(3)).iter().filter(|line| line.0.is_some()).count();
            }
        }
        assert!(made > 2 * NAMES_MAX * FORMS_MAX, "{made}");
        assert!(parser.names_kept() <= ALL_NAMES_MAX + NAMES_MAX, "{}", parser.names_kept());
    }
}
