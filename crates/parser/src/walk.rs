//! Stage 2: the grammar of one line, token by token.
//!
//! The walk is iterative and keeps one bit per level of nesting, so that depth costs no stack. It checks everything that
//! RFC 8259 asks for and notes the members of the outer object.

use std::iter::Zip;
use std::ops::Range;
use std::slice;

use crate::arch::Level;
use crate::fault::{Fault, FaultKind};
use crate::index::{Flags, SCALAR};
use crate::record::{MemberSpan, Span};
use crate::scalar::{literal, number, short_integer, short_literal};
use crate::text::check_string;

/// One thing that stage 1 found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// Where it is.
    pub(crate) place: usize,
    /// The byte there, or [`SCALAR`].
    pub(crate) kind: u8,
}

/// What stage 1 found in one line, in order.
pub(crate) trait Tokens {
    /// The next token.
    fn next(&mut self) -> Option<Token>;

    /// The number of the token that `next` gave last, counted from the line's first.
    fn number(&self) -> u32;
}

/// The tokens of a line that was indexed with its block.
#[derive(Clone, Debug)]
pub(crate) struct SliceTokens<'a> {
    rest: Zip<slice::Iter<'a, u32>, slice::Iter<'a, u8>>,
    /// How many tokens the line has.
    count: usize,
}

/// The places and kinds of the tokens of one line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineTokens<'a> {
    pub(crate) places: &'a [u32],
    pub(crate) kinds: &'a [u8],
}

impl<'a> SliceTokens<'a> {
    /// From the token with the number `next` on.
    pub(crate) fn new(line: LineTokens<'a>, next: usize) -> Self {
        let LineTokens { places, kinds } = line;
        Self { rest: places[next..].iter().zip(&kinds[next..]), count: kinds.len() }
    }
}

impl Tokens for SliceTokens<'_> {
    #[inline(always)]
    fn next(&mut self) -> Option<Token> {
        self.rest.next().map(|(place, kind)| Token { place: *place as usize, kind: *kind })
    }

    #[inline(always)]
    fn number(&self) -> u32 {
        (self.count - self.rest.len()) as u32 - 1
    }
}

/// Which containers are open, a bit each: set for an object.
#[derive(Debug)]
pub(crate) struct Nesting {
    objects: Vec<u64>,
    depth: usize,
    depth_max: usize,
}

impl Nesting {
    pub(crate) fn new(depth_max: usize) -> Self {
        Self { objects: vec![0; depth_max / 64 + 1], depth: 0, depth_max }
    }

    /// Opens a container; `false` where that is one too many.
    #[inline(always)]
    fn push(&mut self, object: bool) -> bool {
        if self.depth == self.depth_max {
            return false;
        }
        self.depth += 1;
        let word = &mut self.objects[self.depth / 64];
        let place = self.depth % 64;
        *word = *word & !(1 << place) | u64::from(object) << place;
        true
    }

    /// Closes the innermost container; whether the one around it is an object.
    #[inline(always)]
    fn pop(&mut self) -> bool {
        self.depth -= 1;
        self.objects[self.depth / 64] >> (self.depth % 64) & 1 == 1
    }
}

const VALUE: &str = "a value";
const NAME: &str = "a member name in double quotes";
const VALUE_OR_CLOSE: &str = "a value, or ']'";
const NAME_OR_CLOSE: &str = "a member name in double quotes, or '}'";
const COLON: &str = "':' after the member name";
const COMMA_OBJECT: &str = "',' or '}' after the member";
const COMMA_ARRAY: &str = "',' or ']' after the element";
const CLOSING_QUOTE: &str = "a closing quote";
const LINE_END: &str = "the end of the line after the value";
const NUMBER: &str = "a number as in RFC 8259, section 6";
const LITERAL: &str = "true, false or null";

/// Walks one line. `bytes` ends where the line ends; places are from the start of the chunk.
///
/// On success the line is one JSON object and `members` holds its members.
pub(crate) fn walk(
    bytes: &[u8],
    line_start: usize,
    flags: Flags,
    level: Level,
    tokens: &mut impl Tokens,
    nesting: &mut Nesting,
    members: &mut Vec<MemberSpan>,
) -> Result<(), Fault> {
    members.clear();
    nesting.depth = 0;
    if flags.has(Flags::NON_ASCII) {
        check_utf8(bytes, line_start)?;
    }
    // Where all backslashes of a line start escapes, so do those in its strings.
    let careful =
        flags.has(Flags::CONTROL) || flags.has(Flags::BACKSLASH) && !level.escapes_are_valid(&bytes[line_start..]);

    macro_rules! next {
        ($expected:expr) => {
            match tokens.next() {
                Some(token) => token,
                None => return Err(Fault::syntax(bytes.len(), $expected)),
            }
        };
    }
    // The place of the closing quote of the string that opens at `$open`.
    macro_rules! string {
        ($open:expr) => {{
            let Some(Token { place: close, .. }) = tokens.next() else {
                return Err(unclosed_string(bytes, $open));
            };
            if careful && let Err((at, expected)) = level.check_string(&bytes[$open + 1..close]) {
                return Err(string_fault(bytes, $open + 1 + at, expected));
            }
            close
        }};
    }
    // The place of the value of the member whose name opens at `$open`.
    macro_rules! member {
        ($open:expr) => {{
            let open = $open;
            let close = string!(open);
            let colon = next!(COLON);
            if colon.kind != b':' {
                return Err(Fault::syntax(colon.place, COLON));
            }
            let value = next!(VALUE);
            if nesting.depth == 1 {
                members.push(MemberSpan {
                    name: Span::new(open + 1, close),
                    value: Span::new(value.place, value.place),
                    token: tokens.number(),
                });
            }
            value
        }};
    }

    let mut value = next!("a JSON object");
    let root_is_object = value.kind == b'{';
    let mut in_object = false;
    'value: loop {
        let at = value.place;
        let mut end = match value.kind {
            b'"' => string!(at) + 1,
            b'{' => {
                if !nesting.push(true) {
                    return Err(too_deep(at));
                }
                in_object = true;
                let token = next!(NAME_OR_CLOSE);
                match token.kind {
                    b'"' => {
                        value = member!(token.place);
                        continue 'value;
                    }
                    b'}' => {
                        in_object = nesting.pop();
                        token.place + 1
                    }
                    _ => return Err(Fault::syntax(token.place, NAME_OR_CLOSE)),
                }
            }
            b'[' => {
                if !nesting.push(false) {
                    return Err(too_deep(at));
                }
                let token = next!(VALUE_OR_CLOSE);
                if token.kind != b']' {
                    in_object = false;
                    value = token;
                    continue 'value;
                }
                in_object = nesting.pop();
                token.place + 1
            }
            // No branch goes by which of the two it is.
            SCALAR => match short_integer(bytes, at) + short_literal(bytes, at) {
                0 => scalar(bytes, at)?,
                length => at + length,
            },
            _ => return Err(Fault::syntax(at, VALUE)),
        };
        // A value has ended; what follows closes containers until a comma asks for the next value.
        loop {
            if nesting.depth <= 1 {
                if nesting.depth == 0 {
                    break 'value;
                }
                if in_object && let Some(member) = members.last_mut() {
                    member.value.end = end as u32;
                }
            }
            // Which of the two it is cannot be foretold: no branch goes by it as long as containers close.
            let (close, comma) = if in_object { (b'}', COMMA_OBJECT) } else { (b']', COMMA_ARRAY) };
            let token = next!(comma);
            if token.kind == close {
                in_object = nesting.pop();
                end = token.place + 1;
                continue;
            }
            if token.kind != b',' {
                return Err(Fault::syntax(token.place, comma));
            }
            if in_object {
                let name = next!(NAME);
                if name.kind != b'"' {
                    return Err(Fault::syntax(name.place, NAME));
                }
                value = member!(name.place);
            } else {
                value = next!(VALUE);
            }
            continue 'value;
        }
    }
    if let Some(token) = tokens.next() {
        return Err(Fault::syntax(token.place, LINE_END));
    }
    if root_is_object { Ok(()) } else { Err(Fault::new(FaultKind::NotAnObject, line_start, "one JSON object")) }
}

/// The end of the number or literal that starts at `at`.
#[inline]
pub(crate) fn scalar(bytes: &[u8], at: usize) -> Result<usize, Fault> {
    match bytes[at] {
        b'-' | b'0'..=b'9' => number(bytes, at).map_err(|place| Fault::syntax(place, NUMBER)),
        b't' | b'f' | b'n' => literal(bytes, at).map_err(|place| Fault::syntax(place, LITERAL)),
        _ => Err(Fault::syntax(at, VALUE)),
    }
}

/// Whether the strings of a line are valid: their characters, their escapes. `false` does not mean that they are not.
#[inline(always)]
pub(crate) fn texts_are_valid(bytes: &[u8], line: Range<usize>, flags: Flags, level: Level) -> bool {
    // A backslash outside of strings is part of a scalar, and found there.
    !flags.has(Flags::CONTROL)
        && (!flags.has(Flags::NON_ASCII) || check_utf8(&bytes[..line.end], line.start).is_ok())
        && (!flags.has(Flags::BACKSLASH) || level.escapes_are_valid(&bytes[line]))
}

#[cold]
pub(crate) fn check_utf8(bytes: &[u8], line_start: usize) -> Result<(), Fault> {
    let line = &bytes[line_start..];
    if simdutf8::basic::from_utf8(line).is_ok() {
        return Ok(());
    }
    match std::str::from_utf8(line) {
        Ok(_) => Ok(()),
        Err(error) => Err(Fault::new(FaultKind::Utf8, line_start + error.valid_up_to(), "valid UTF-8")),
    }
}

fn too_deep(at: usize) -> Fault {
    Fault::new(FaultKind::Depth, at, "fewer levels of nesting")
}

/// A fault inside of a string.
#[cold]
fn string_fault(bytes: &[u8], at: usize, expected: &'static str) -> Fault {
    Fault::new(if bytes[at] == b'\\' { FaultKind::Escape } else { FaultKind::Syntax }, at, expected)
}

/// The fault of a string that its line leaves open: what is wrong inside of it, or its missing end.
#[cold]
fn unclosed_string(bytes: &[u8], open: usize) -> Fault {
    match check_string(&bytes[open + 1..]) {
        Err((at, expected)) => string_fault(bytes, open + 1 + at, expected),
        Ok(()) => Fault::syntax(bytes.len(), CLOSING_QUOTE),
    }
}
