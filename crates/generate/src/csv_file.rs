//! The CSV file of a list of devices: opened, its header read, to be gone through more than once.

use std::fs::{File, Metadata};
use std::io::{self, Seek as _};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::Path;

use crate::cut::Cutter;
use crate::error::{Error, Kind};
use crate::quotes::WrongQuote;
use crate::row_reader::RowReader;
use crate::rows::{Place, Rows};

/// A CSV file.
#[derive(Debug)]
pub struct Csv {
    name: String,
    file: File,
    /// Where it starts in the file.
    start: u64,
    /// How large it was and when it was written to last.
    stamp: Stamp,
}

/// The header of a CSV file.
#[derive(Debug)]
pub(crate) struct Header {
    /// Its cells; none where the file is empty.
    pub(crate) cells: Vec<Vec<u8>>,
    /// A quote in it that stands where none may, and where that is.
    pub(crate) wrong_quote: Option<(Place, WrongQuote)>,
    /// Where the rows start.
    pub(crate) rows_start: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    seconds: i64,
    nanoseconds: i64,
}

impl From<Metadata> for Stamp {
    fn from(metadata: Metadata) -> Self {
        Self { bytes: metadata.len(), seconds: metadata.mtime(), nanoseconds: metadata.mtime_nsec() }
    }
}

impl Csv {
    /// Opens a file. What can be read only once, a pipe for instance, is copied to a temporary file without a name.
    ///
    /// # Errors
    /// If it can't be opened or read.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| Error::new(&name, Kind::Open(error)))?;
        Self::new(file, name)
    }

    /// Takes an open file, from where it stands.
    ///
    /// # Errors
    /// If it can't be read.
    pub fn new(mut file: File, name: String) -> Result<Self, Error> {
        let failed = |error| Error::new(&name, Kind::Read(error));
        let metadata = file.metadata().map_err(failed)?;
        if metadata.is_dir() {
            return Err(failed(io::Error::from(io::ErrorKind::IsADirectory)));
        }
        if metadata.is_file() {
            let start = file.stream_position().map_err(failed)?;
            return Ok(Self { stamp: metadata.into(), name, file, start });
        }
        let mut spool = tempfile::tempfile().map_err(failed)?;
        io::copy(&mut file, &mut spool).map_err(failed)?;
        let metadata = spool.metadata().map_err(failed)?;
        Ok(Self { stamp: metadata.into(), name, file: spool, start: 0 })
    }

    /// The file, or its copy.
    pub fn file(&self) -> &File {
        &self.file
    }

    /// How many bytes there are to be read.
    pub fn bytes(&self) -> u64 {
        self.stamp.bytes.saturating_sub(self.start)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is as it was when it was opened.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let now = self.file.metadata().map_err(|error| Error::new(&self.name, Kind::Read(error)))?;
        if Stamp::from(now) == self.stamp { Ok(()) } else { Err(Error::new(&self.name, Kind::Changed)) }
    }

    /// The header.
    pub(crate) fn header(&self) -> Result<Header, Error> {
        let start = Place { line: 1, byte: self.start + self.mark_bytes()? };
        let mut rows = Rows::default();
        if !Cutter::new(self, start).next(&mut rows, 1)? {
            return Ok(Header { cells: Vec::new(), wrong_quote: None, rows_start: start });
        }
        let mut reader = RowReader::new();
        let mut reading = reader.read(&rows.text, rows.place.line);
        let place = reading.next().expect("there is a row");
        let row = reading.row();
        let cells = (0..row.len()).map(|column| row.cell(column).to_vec()).collect();
        let in_file = |place: Place| Place { byte: rows.place.byte + place.byte, ..place };
        let wrong_quote = reading.wrong_quote().map(|wrong| (in_file(place).after(wrong.lines, wrong.at), wrong));
        Ok(Header { cells, wrong_quote, rows_start: in_file(reading.end()) })
    }

    /// The length of a byte order mark at the start.
    fn mark_bytes(&self) -> Result<u64, Error> {
        const MARK: &[u8] = "\u{feff}".as_bytes();
        let mut first = [0; MARK.len()];
        match self.file.read_exact_at(&mut first, self.start) {
            Ok(()) if first == MARK => Ok(MARK.len() as u64),
            Ok(()) => Ok(0),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
            Err(error) => Err(Error::new(&self.name, Kind::Read(error))),
        }
    }
}
