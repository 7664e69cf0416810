//! Responsible for: a slow reference parser for one line of JSON, written to be read, and the lossless tree that it
//! builds: the spelling of strings and numbers, member order, members that stand twice, and white space are all kept.
//! Not for: anything that knows devices, and not for speed.

/// Why a line is not JSON, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// `json-syntax`, `json-utf8` or `json-depth`.
    pub code: &'static str,
    /// The 0-based offset in the line of the first byte that no valid line can have there (`json-utf8`: of the first
    /// byte of the bad sequence; `json-depth`: of the bracket that goes too deep). The line's length, if it ends early.
    pub at: usize,
}

/// A string as it is spelled between its quotes: valid UTF-8, escapes as they stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// The spelling.
    pub raw: String,
}

/// A JSON value. Equality is of the spelling and counts white space; [`same`](Json::same) leaves white space out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number as it is spelled.
    Number(String),
    /// A string.
    String(Text),
    /// An array.
    Array(Array),
    /// An object.
    Object(Object),
    /// Never parsed: stands in an expected value for a key that the tool made at random.
    Fresh,
}

/// An array.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Array {
    /// The values in their order.
    pub items: Vec<Item>,
    /// The white space of an array without values.
    pub inner: String,
}

/// One value of an array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// White space before the value.
    pub before: String,
    /// The value.
    pub value: Json,
    /// White space after the value.
    pub after: String,
}

/// An object.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Object {
    /// The members in their order; a name may stand twice.
    pub members: Vec<Member>,
    /// The white space of an object without members.
    pub inner: String,
}

/// One member of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// White space before the name.
    pub before: String,
    /// The name.
    pub name: Text,
    /// The colon and the white space around it.
    pub colon: String,
    /// The value.
    pub value: Json,
    /// White space after the value.
    pub after: String,
    /// It was added to what was read.
    pub added: bool,
}

/// A whole line: a value and the white space around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// White space before the value.
    pub before: String,
    /// The value.
    pub root: Json,
    /// White space after the value.
    pub after: String,
}

/// Checks that a line is one JSON value by RFC 8259, no deeper than `max_depth` (the outermost array or object is 1).
///
/// # Errors
/// The first fault in byte order.
pub fn check_json(line: &[u8], max_depth: usize) -> Result<(), Fault> {
    parse(line, max_depth).map(drop)
}

/// Parses a line that is one JSON value with white space around it.
///
/// # Errors
/// The first fault in byte order.
pub fn parse(line: &[u8], max_depth: usize) -> Result<Document, Fault> {
    let utf8_until = match std::str::from_utf8(line) {
        Ok(_) => line.len(),
        Err(error) => error.valid_up_to(),
    };
    let mut parser = Parser { line, at: 0, utf8_until, max_depth };
    let before = parser.white_space();
    let root = parser.value(0)?;
    let after = parser.white_space();
    if parser.at < line.len() {
        return Err(parser.fault());
    }
    Ok(Document { before, root, after })
}

/// The codes that a line which is not JSON may be given: a checker may look at the encoding before the syntax, or at the
/// syntax before the depth. Empty if the line is JSON.
#[must_use]
pub fn fault_codes(line: &[u8], max_depth: usize) -> Vec<&'static str> {
    let Err(fault) = check_json(line, max_depth) else { return Vec::new() };
    let mut codes = vec![fault.code];
    if std::str::from_utf8(line).is_err() {
        codes.push("json-utf8");
    }
    // What else is wrong: every bad byte made an ordinary letter, and as much depth as the stack of a test allows.
    let mended = String::from_utf8_lossy(line);
    if let Err(other) = check_json(mended.as_bytes(), max_depth) {
        codes.push(other.code);
    }
    if codes.contains(&"json-depth") {
        match check_json(mended.as_bytes(), max_depth.max(500)) {
            Ok(()) => {}
            Err(_) => codes.push("json-syntax"),
        }
    }
    codes.sort_unstable();
    codes.dedup();
    codes
}

struct Parser<'a> {
    line: &'a [u8],
    at: usize,
    /// The line is UTF-8 up to here.
    utf8_until: usize,
    max_depth: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    /// The fault at the current position.
    fn fault(&self) -> Fault {
        let bad_utf8 = self.at < self.line.len() && self.at >= self.utf8_until;
        Fault { code: if bad_utf8 { "json-utf8" } else { "json-syntax" }, at: self.at }
    }

    /// The bytes from `start` to the current position; the parser has passed only over good UTF-8.
    fn text_from(&self, start: usize) -> String {
        String::from_utf8_lossy(&self.line[start..self.at]).into_owned()
    }

    fn expect(&mut self, byte: u8) -> Result<(), Fault> {
        if self.peek() != Some(byte) {
            return Err(self.fault());
        }
        self.at += 1;
        Ok(())
    }

    fn white_space(&mut self) -> String {
        let start = self.at;
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        self.text_from(start)
    }

    fn value(&mut self, depth: usize) -> Result<Json, Fault> {
        match self.peek() {
            Some(b'{') => self.object(depth + 1).map(Json::Object),
            Some(b'[') => self.array(depth + 1).map(Json::Array),
            Some(b'"') => self.string().map(Json::String),
            Some(b'-' | b'0'..=b'9') => self.number().map(Json::Number),
            Some(b'n') => self.literal("null", Json::Null),
            Some(b't') => self.literal("true", Json::Bool(true)),
            Some(b'f') => self.literal("false", Json::Bool(false)),
            _ => Err(self.fault()),
        }
    }

    fn literal(&mut self, spelling: &str, value: Json) -> Result<Json, Fault> {
        for byte in spelling.bytes() {
            self.expect(byte)?;
        }
        Ok(value)
    }

    fn enter(&mut self, depth: usize) -> Result<(), Fault> {
        if depth > self.max_depth {
            return Err(Fault { code: "json-depth", at: self.at });
        }
        self.at += 1;
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<Object, Fault> {
        self.enter(depth)?;
        let mut object = Object::default();
        let mut before = self.white_space();
        if self.peek() == Some(b'}') {
            self.at += 1;
            object.inner = before;
            return Ok(object);
        }
        loop {
            let name = self.string()?;
            let colon = self.at;
            self.white_space();
            self.expect(b':')?;
            self.white_space();
            let colon = self.text_from(colon);
            let value = self.value(depth)?;
            let after = self.white_space();
            object.members.push(Member { before, name, colon, value, after, added: false });
            if self.peek() == Some(b'}') {
                self.at += 1;
                return Ok(object);
            }
            self.expect(b',')?;
            before = self.white_space();
        }
    }

    fn array(&mut self, depth: usize) -> Result<Array, Fault> {
        self.enter(depth)?;
        let mut array = Array::default();
        let mut before = self.white_space();
        if self.peek() == Some(b']') {
            self.at += 1;
            array.inner = before;
            return Ok(array);
        }
        loop {
            let value = self.value(depth)?;
            let after = self.white_space();
            array.items.push(Item { before, value, after });
            if self.peek() == Some(b']') {
                self.at += 1;
                return Ok(array);
            }
            self.expect(b',')?;
            before = self.white_space();
        }
    }

    fn string(&mut self) -> Result<Text, Fault> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            match self.peek() {
                Some(b'"') => {
                    let raw = self.text_from(start);
                    self.at += 1;
                    return Ok(Text { raw });
                }
                Some(b'\\') => self.escape()?,
                Some(byte) if byte >= 0x20 && self.at < self.utf8_until => self.at += 1,
                _ => return Err(self.fault()),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Fault> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return Err(self.fault());
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.fault()),
        }
        Ok(())
    }

    fn number(&mut self) -> Result<String, Fault> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(self.text_from(start))
    }

    /// One digit or more.
    fn digits(&mut self) -> Result<(), Fault> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.fault());
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
