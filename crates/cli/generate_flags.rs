//! The flags of `hubmill generate`, and what they ask for.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use hubmill_device::{AuthenticationType, ImportMode, KEY_BYTES_DEFAULT, KEY_BYTES_MAX, KEY_BYTES_MIN, Status};
use hubmill_generate::{Request, authentication_from_word};

use crate::run_flags::RunArguments;

/// Make new devices with fresh keys, by number or from a CSV file.
///
/// Lines have the members in the order of the hub's own SDK. Everything is checked, as `validate` does it: ids, tags and desired
/// properties, every row of a CSV file, ids that stand twice. One wrong row ends the run with exit code 2, and nothing is written:
/// standard output gets no byte, and no file appears.
///
/// The header of a CSV file names members by their paths: id, moduleId, status, authentication.x509Thumbprint.primaryThumbprint,
/// tags.site, properties.desired.interval. Members that the hub knows take their own type. Under tags and properties a cell that is
/// JSON is that (12, true, {"a":1}), anything else is text; 0071 is text, since no JSON number begins with 0. An empty cell leaves the
/// member to the flags, or out. A row with a thumbprint and no word about its authentication is self-signed.
///
/// Exit codes: 0 done; 2 wrong usage or a wrong row, nothing was written; 3 input, output or storage failed; 130 and 143 ended by a
/// signal.
#[derive(Debug, Args)]
pub(crate) struct GenerateArguments {
    /// How many devices; default: the rows of --from-csv
    #[arg(long, value_name = "N", required_unless_present = "from_csv")]
    count: Option<u64>,
    /// The ids: {index} is the number of the device from 1 on, {index:08} the same with zeros, {uuid} a random UUID; default:
    /// Device{index:08}
    #[arg(long, value_name = "TEMPLATE")]
    id: Option<String>,
    /// How the devices authenticate: sas, self-signed or ca; Azure's words are taken, too (shared_private_key, x509_thumbprint,
    /// x509_ca); default: sas
    #[arg(long, value_name = "HOW", value_parser = authentication_parser())]
    auth: Option<AuthenticationType>,
    /// Set importMode; default: none, which the hub takes for createOrUpdate
    #[arg(long, value_name = "MODE", ignore_case = true, value_parser = mode_parser())]
    import_mode: Option<ImportMode>,
    /// Set status
    #[arg(long, value_name = "STATUS", default_value = "enabled", value_parser = status_parser())]
    status: Status,
    /// Make edge devices
    #[arg(long)]
    edge: bool,
    /// Tags that all devices have, a JSON object
    #[arg(long, value_name = "JSON")]
    tags: Option<String>,
    /// Desired properties that all devices have, a JSON object
    #[arg(long, value_name = "JSON")]
    desired: Option<String>,
    /// A device for each row of a CSV file, whose header names members by their paths; `-`: standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) from_csv: Option<PathBuf>,
    /// Take a column under tags or properties as text, whatever it looks like; repeatable
    #[arg(long, value_name = "COLUMN", requires = "from_csv")]
    csv_text: Vec<String>,
    /// Write the keys that were made, as NDJSON, to a file that only its owner can read
    #[arg(long, value_name = "PATH")]
    pub(crate) keys_out: Option<PathBuf>,
    /// The length of a key in bytes, 16 to 64; default: 32
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(KEY_BYTES_MIN as i64..=KEY_BYTES_MAX as i64))]
    key_bytes: Option<u8>,
    #[command(flatten)]
    pub(crate) run: RunArguments,
}

impl GenerateArguments {
    /// What the flags ask for.
    pub(crate) fn request(&self) -> Request {
        Request {
            count: self.count,
            id: self.id.clone(),
            authentication: self.auth,
            import_mode: self.import_mode,
            status: Some(self.status),
            edge: self.edge,
            tags: self.tags.clone(),
            desired: self.desired.clone(),
            csv_text: self.csv_text.clone(),
            key_bytes: self.key_bytes.map_or(KEY_BYTES_DEFAULT, usize::from),
            names_key_bytes: self.key_bytes.is_some(),
            collect_keys: self.keys_out.is_some(),
        }
    }
}

fn authentication_parser() -> impl TypedValueParser<Value = AuthenticationType> {
    let values = [("sas", "shared_private_key"), ("self-signed", "x509_thumbprint"), ("ca", "x509_ca")];
    PossibleValuesParser::new(values.map(|(word, azure)| PossibleValue::new(word).alias(azure)))
        .try_map(|word| authentication_from_word(&word).ok_or("no such way"))
}

fn mode_parser() -> impl TypedValueParser<Value = ImportMode> {
    PossibleValuesParser::new(ImportMode::ALL.map(ImportMode::as_str))
        .try_map(|name| ImportMode::from_text(name.as_bytes()).ok_or("no such mode"))
}

fn status_parser() -> impl TypedValueParser<Value = Status> {
    PossibleValuesParser::new([Status::Enabled, Status::Disabled].map(Status::as_str))
        .try_map(|name| Status::from_text(name.as_bytes()).ok_or("no such status"))
}
