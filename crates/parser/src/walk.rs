//! Stage 2: the grammar of one line, token by token.
//!
//! The walk is iterative and keeps one bit per level of nesting, so that depth costs no stack. It checks everything that
//! RFC 8259 asks for and notes the members of the outer object.

use crate::fault::{Fault, FaultKind};
use crate::index::Flags;
use crate::record::{MemberSpan, Span};
use crate::scalar::{literal, number};
use crate::text::check_string;

/// The places that stage 1 found in one line, in order.
pub(crate) trait Tokens {
    /// The next place.
    fn next(&mut self) -> Option<usize>;

    /// The number of the place that `next` gave last, counted from the line's first.
    fn number(&self) -> u32;
}

/// The tokens of a line that was indexed with its block.
#[derive(Clone, Debug)]
pub(crate) struct SliceTokens<'a> {
    tokens: &'a [u32],
    next: usize,
}

impl<'a> SliceTokens<'a> {
    pub(crate) fn new(tokens: &'a [u32], next: usize) -> Self {
        Self { tokens, next }
    }
}

impl Tokens for SliceTokens<'_> {
    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        let token = *self.tokens.get(self.next)?;
        self.next += 1;
        Some(token as usize)
    }

    #[inline(always)]
    fn number(&self) -> u32 {
        self.next as u32 - 1
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
        let bit = 1 << (self.depth % 64);
        *word = if object { *word | bit } else { *word & !bit };
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
    tokens: &mut impl Tokens,
    nesting: &mut Nesting,
    members: &mut Vec<MemberSpan>,
) -> Result<(), Fault> {
    members.clear();
    nesting.depth = 0;
    if flags.has(Flags::NON_ASCII) {
        check_utf8(bytes, line_start)?;
    }
    let careful = flags.has(Flags::BACKSLASH | Flags::CONTROL);

    macro_rules! next {
        ($expected:expr) => {
            match tokens.next() {
                Some(place) => place,
                None => return Err(Fault::syntax(bytes.len(), $expected)),
            }
        };
    }
    // The place of the closing quote of the string that opens at `$open`.
    macro_rules! string {
        ($open:expr) => {{
            let Some(close) = tokens.next() else {
                return Err(unclosed_string(bytes, $open));
            };
            if careful && let Err((at, expected)) = check_string(&bytes[$open + 1..close]) {
                return Err(Fault::syntax($open + 1 + at, expected));
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
            if bytes[colon] != b':' {
                return Err(Fault::syntax(colon, COLON));
            }
            let value = next!(VALUE);
            if nesting.depth == 1 {
                members.push(MemberSpan {
                    name: Span::new(open + 1, close),
                    value: Span::new(value, value),
                    token: tokens.number(),
                });
            }
            value
        }};
    }

    let mut at = next!("a JSON object");
    let root_is_object = bytes[at] == b'{';
    let mut in_object = false;
    'value: loop {
        let mut end = match bytes[at] {
            b'"' => string!(at) + 1,
            b'{' => {
                if !nesting.push(true) {
                    return Err(Fault::new(FaultKind::Depth, at, "fewer levels of nesting"));
                }
                in_object = true;
                let place = next!(NAME_OR_CLOSE);
                match bytes[place] {
                    b'"' => {
                        at = member!(place);
                        continue 'value;
                    }
                    b'}' => {
                        in_object = nesting.pop();
                        place + 1
                    }
                    _ => return Err(Fault::syntax(place, NAME_OR_CLOSE)),
                }
            }
            b'[' => {
                if !nesting.push(false) {
                    return Err(Fault::new(FaultKind::Depth, at, "fewer levels of nesting"));
                }
                let place = next!("a value, or ']'");
                if bytes[place] != b']' {
                    in_object = false;
                    at = place;
                    continue 'value;
                }
                in_object = nesting.pop();
                place + 1
            }
            b'-' | b'0'..=b'9' => number(bytes, at).map_err(|place| Fault::syntax(place, NUMBER))?,
            b't' | b'f' | b'n' => literal(bytes, at).map_err(|place| Fault::syntax(place, LITERAL))?,
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
            if in_object {
                let place = next!(COMMA_OBJECT);
                match bytes[place] {
                    b',' => {
                        let name = next!(NAME);
                        if bytes[name] != b'"' {
                            return Err(Fault::syntax(name, NAME));
                        }
                        at = member!(name);
                        continue 'value;
                    }
                    b'}' => {
                        in_object = nesting.pop();
                        end = place + 1;
                    }
                    _ => return Err(Fault::syntax(place, COMMA_OBJECT)),
                }
            } else {
                let place = next!(COMMA_ARRAY);
                match bytes[place] {
                    b',' => {
                        at = next!(VALUE);
                        continue 'value;
                    }
                    b']' => {
                        in_object = nesting.pop();
                        end = place + 1;
                    }
                    _ => return Err(Fault::syntax(place, COMMA_ARRAY)),
                }
            }
        }
    }
    if let Some(place) = tokens.next() {
        return Err(Fault::syntax(place, LINE_END));
    }
    if root_is_object { Ok(()) } else { Err(Fault::new(FaultKind::NotAnObject, line_start, "one JSON object")) }
}

#[cold]
fn check_utf8(bytes: &[u8], line_start: usize) -> Result<(), Fault> {
    let line = &bytes[line_start..];
    if simdutf8::basic::from_utf8(line).is_ok() {
        return Ok(());
    }
    match std::str::from_utf8(line) {
        Ok(_) => Ok(()),
        Err(error) => Err(Fault::new(FaultKind::Utf8, line_start + error.valid_up_to(), "valid UTF-8")),
    }
}

/// The fault of a string that its line leaves open: what is wrong inside of it, or its missing end.
#[cold]
fn unclosed_string(bytes: &[u8], open: usize) -> Fault {
    match check_string(&bytes[open + 1..]) {
        Err((at, expected)) => Fault::syntax(open + 1 + at, expected),
        Ok(()) => Fault::syntax(bytes.len(), CLOSING_QUOTE),
    }
}
