//! Where the members of a line stand: found on each line, or once for all lines of a form.

use std::ops::ControlFlow;

use hubmill_device::{Member, WORDS, same_name};
use hubmill_parser::{AnchoredSpan, ByForm, Content, FixedText, Form, Level, Limits, Parser, Record, Span};

use crate::line::{Ambiguity, DeviceLine, Section};

/// Where the members of a line stand that mean something to the hub (§1.1), from the start of the chunk that the line is in.
/// Of a name that stands twice the last one counts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Places {
    /// By [`Member`]: the value; empty where the member is not there.
    pub(crate) members: [Span; Member::COUNT],
    pub(crate) desired: Span,
    pub(crate) reported: Span,
    /// A name of which it is not known what the hub makes of it.
    pub(crate) ambiguity: Option<Ambiguity>,
    /// The names inside of `authentication` and `capabilities` were looked at for that, too.
    pub(crate) ambiguity_is_whole: bool,
}

impl Places {
    /// Of a record.
    #[inline]
    pub fn of(record: &Record<'_>) -> Self {
        let mut places = Self::default();
        for member in record.members() {
            let Some((known, is_exact)) = Member::from_any_case(&record.name(member)) else { continue };
            if !is_exact {
                places.ambiguity = Some(Ambiguity::Case(known.name()));
                continue;
            }
            let place = &mut places.members[known as usize];
            if place.end > 0 {
                places.ambiguity = Some(Ambiguity::Twice(known.name()));
            }
            *place = member.value;
            if known != Member::Properties {
                continue;
            }
            (places.desired, places.reported) = (Span::default(), Span::default());
            for section in record.object(member).into_iter().flatten() {
                let name = record.name(&section);
                let (place, path) = if name.eq_ignore_ascii_case(b"desired") {
                    (&mut places.desired, Section::Desired.path())
                } else if name.eq_ignore_ascii_case(b"reported") {
                    (&mut places.reported, Section::Reported.path())
                } else {
                    continue;
                };
                if !same_name(&name, b"desired") && !same_name(&name, b"reported") {
                    places.ambiguity = Some(Ambiguity::Case(path));
                    continue;
                }
                if place.end > 0 {
                    places.ambiguity = Some(Ambiguity::Twice(path));
                }
                *place = section.value;
            }
        }
        places
    }
}

/// Where the members stand in the lines that were met, form by form.
#[derive(Debug, Default)]
pub(crate) struct PlacesByForm(ByForm<Option<Box<FormPlaces>>>);

/// Where members stand in each line of a form. Names are the same in all of them, so that what is ambiguous is, too.
#[derive(Debug)]
struct FormPlaces {
    members: [Option<AnchoredSpan>; Member::COUNT],
    desired: Option<AnchoredSpan>,
    reported: Option<AnchoredSpan>,
    ambiguity: Option<Ambiguity>,
}

impl PlacesByForm {
    /// The same as [`Places::of`], and what is ambiguous inside of members.
    #[inline]
    pub(crate) fn places(&mut self, record: &Record<'_>) -> Places {
        let Some(text) = record.fixed_text() else { return Places::of(record) };
        match self.0.get(text.form()) {
            Some(Some(known)) => known.places(&text),
            _ => self.learn(record, text.form()),
        }
    }

    #[cold]
    fn learn(&mut self, record: &Record<'_>, form: Form) -> Places {
        let places = Places::of(record);
        if let Some(known) = FormPlaces::new(record, &places) {
            self.0.put(form, Some(Box::new(known)));
        }
        places
    }
}

impl FormPlaces {
    fn new(record: &Record<'_>, places: &Places) -> Option<Self> {
        let anchored = |span: Span| match span.end {
            0 => Some(None),
            _ => record.anchored(span).map(Some),
        };
        let mut members = [None; Member::COUNT];
        for (known, span) in members.iter_mut().zip(places.members) {
            *known = anchored(span)?;
        }
        let (desired, reported) = (anchored(places.desired)?, anchored(places.reported)?);
        let ambiguity = DeviceLine::new(record.chunk(), *places).ambiguity();
        Some(Self { members, desired, reported, ambiguity })
    }

    #[inline]
    fn places(&self, text: &FixedText<'_>) -> Places {
        let span = |known: Option<AnchoredSpan>| known.map_or(Span::default(), |known| text.span(known));
        Places {
            members: self.members.map(span),
            desired: span(self.desired),
            reported: span(self.reported),
            ambiguity: self.ambiguity,
            ambiguity_is_whole: true,
        }
    }
}

/// Reads single lines. Keeps its buffers: one for each thread.
#[derive(Debug)]
pub struct LineReader {
    parser: Parser,
    forms: PlacesByForm,
}

impl LineReader {
    /// A reader of lines that are as `limits` allow.
    pub fn new(level: Level, limits: Limits) -> Self {
        Self { parser: Parser::new(level, limits).with_words(&WORDS), forms: PlacesByForm::default() }
    }

    /// Where the members of a record stand that another parser has found.
    #[inline]
    pub(crate) fn places(&mut self, record: &Record<'_>) -> Places {
        self.forms.places(record)
    }

    /// What a line says; `None` where it is not one JSON object.
    pub fn read<'a>(&mut self, line: &'a [u8]) -> Option<DeviceLine<'a>> {
        let Self { parser, forms } = self;
        let mut places = None;
        parser.parse(line, 0, |parsed| {
            if let Content::Record(record) = &parsed.content {
                places = Some(forms.places(record));
            }
            ControlFlow::Break(())
        });
        Some(DeviceLine::new(line, places?))
    }
}

#[cfg(test)]
mod tests {
    use super::{LineReader, Places};
    use crate::line::DeviceLine;
    use hubmill_device::Member;
    use hubmill_parser::{Level, Limits};

    #[test]
    fn what_is_known_of_a_form_is_what_each_line_says() {
        let lines = [
            r#"{"id":"ID","eTag":"ID","status":"enabled","authentication":{"symmetricKey":{"primaryKey":"ID","secondaryKey":null},"type":"sas"},"capabilities":{"iotEdge":true}}"#,
            r#"{"moduleId":"ID","id":"ID","properties":{"desired":{"a":"ID"},"reported":null,"desired":{"b":"ID"}}}"#,
            r#"{"id":"ID","properties":{"Desired":{"a":"ID"}}}"#,
            r#"{"id":"ID","Tags":{"a":"ID"},"tags":{"b":2}}"#,
            r#"{"id":"ID","tags":{"a":1},"tags":{"b":"ID"},"other":"ID"}"#,
            r#"{"id":"ID","authentication":{"type":"sas","Type":"ID"}}"#,
            r#"{"id":"ID","authentication":{"symmetricKey":{"primaryKey":"ID","primaryKey":"ID"}}}"#,
            r#"{"id":"ID","authentication":{"x509Thumbprint":{"PrimaryThumbprint":null}}}"#,
            r#"{"id":"ID","capabilities":{"iotedge":true},"\u0073tatus":"ID"}"#,
            r#"{"id":"ID","authentication":"ID","capabilities":null,"properties":"ID"}"#,
        ];
        for level in Level::available() {
            let mut reader = LineReader::new(level, Limits::default());
            for round in 0..8 {
                for line in lines {
                    let line = line.replace("ID", &format!("d-{round}\\n"));
                    let mut fresh = LineReader::new(level, Limits::default());
                    let want = fresh.read(line.as_bytes()).expect("a line");
                    let found = reader.read(line.as_bytes()).expect("a line");
                    assert_eq!(found.ambiguity(), want.ambiguity(), "{line}");
                    for member in Member::ALL {
                        assert_eq!(found.raw(member), want.raw(member), "{line}");
                    }
                    for section in crate::Section::ALL {
                        assert_eq!(found.section(section), want.section(section), "{line}");
                    }
                }
            }
            assert_eq!(reader.forms.0.iter().count(), lines.len(), "each has a form of its own");
        }
        assert_eq!(DeviceLine::new(b"", Places::default()).raw(Member::Id), None);
    }
}
