//! `--diagnostics`: all findings, as NDJSON.

use hubmill_pipeline::Diagnostic;
use hubmill_writer::{Error, Sink};
use serde::Serialize;

/// A finding as one line of JSON. Names and order are fixed.
#[derive(Serialize)]
struct Line<'a> {
    severity: &'a str,
    code: &'a str,
    line: u64,
    byte: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a str>,
    path: &'a str,
    message: &'a str,
}

/// Bytes collected before they are written.
const WRITE_BYTES: usize = 64 * 1024;

/// The file of findings.
#[derive(Debug)]
pub(crate) struct DiagnosticsFile {
    sink: Sink,
    buffer: Vec<u8>,
}

impl DiagnosticsFile {
    pub(crate) fn new(sink: Sink) -> Self {
        Self { sink, buffer: Vec::new() }
    }

    /// Adds a finding.
    pub(crate) fn add(&mut self, diagnostic: &Diagnostic) -> Result<(), Error> {
        let line = Line {
            severity: diagnostic.severity.as_str(),
            code: diagnostic.code.as_str(),
            line: diagnostic.line,
            byte: diagnostic.byte,
            id: diagnostic.id.as_deref(),
            path: &diagnostic.path,
            message: &diagnostic.message,
        };
        serde_json::to_writer(&mut self.buffer, &line).expect("plain text and numbers are always JSON");
        self.buffer.push(b'\n');
        if self.buffer.len() >= WRITE_BYTES { self.flush() } else { Ok(()) }
    }

    /// Writes what was added.
    pub(crate) fn flush(&mut self) -> Result<(), Error> {
        self.sink.write(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    /// Where findings go.
    pub(crate) fn sink(&mut self) -> &mut Sink {
        &mut self.sink
    }

    /// The sink, without what was not written yet.
    pub(crate) fn into_sink(self) -> Sink {
        self.sink
    }

    /// Writes what is left; the sink, to be committed.
    pub(crate) fn finish(mut self) -> Result<Sink, Error> {
        self.flush()?;
        Ok(self.sink)
    }
}
