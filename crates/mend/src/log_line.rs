//! One line of an importErrors.log (§5.5).

use std::borrow::Cow;

use hubmill_parser::Record;

/// What an entry of the log says.
#[derive(Debug, Default)]
pub(crate) struct LogLine<'a> {
    /// `deviceId`, which is not there where the line could not be read.
    pub(crate) device: Option<Cow<'a, [u8]>>,
    /// `moduleId`: never seen, but nothing rules it out.
    pub(crate) module: Option<Cow<'a, [u8]>>,
    /// `errorCode`, as it is spelled: a number, or its digits or its name in a string.
    pub(crate) code: Cow<'a, [u8]>,
    /// `errorStatus`.
    pub(crate) status: Option<Cow<'a, [u8]>>,
}

/// Reads an entry, or says what is not as it should be. Of a name that stands twice the last one counts.
pub(crate) fn read<'a>(record: &Record<'a>) -> Result<LogLine<'a>, &'static str> {
    let mut line = LogLine::default();
    let mut code = None;
    for member in record.members() {
        let text = record.text(member.value);
        let is_null = record.bytes(member.value) == b"null";
        match (&*record.name(member), text) {
            (b"errorCode", text) => code = Some(text.unwrap_or_else(|| Cow::Borrowed(record.bytes(member.value)))),
            (b"deviceId" | b"moduleId", None) if !is_null => return Err("deviceId and moduleId must be strings"),
            (b"deviceId", text) => line.device = text,
            (b"moduleId", text) => line.module = text,
            (b"errorStatus", text) => line.status = text,
            _ => {}
        }
    }
    line.code = code.filter(|code| !code.is_empty()).ok_or("there is no errorCode")?;
    if line.code.first().is_some_and(|byte| matches!(byte, b'{' | b'[')) {
        return Err("errorCode must be a number or a string");
    }
    Ok(line)
}
