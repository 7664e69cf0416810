//! What is to be made: as it was asked for, and checked and ready.

use hubmill_device::{AuthenticationType, ImportMode, Status, TWIN_DEPTH_MAX};
use hubmill_parser::DEPTH_MAX_DEFAULT;
use serde_json::value::RawValue;

use crate::columns::{Columns, Field, Sections};
use crate::csv_file::{Csv, Header};
use crate::error::{Error, Problem};
use crate::rows::Place;
use crate::template::IdTemplate;
use crate::tree::Node;

/// The template of ids where none is given.
const ID_DEFAULT: &str = "Device{index:08}";

/// The most devices of a run: ids of that many digits are still ids.
pub(crate) const COUNT_MAX: u64 = u64::MAX >> 1;

/// The most objects and arrays in one another with which a value of a flag is read: those of a line, without two that are around the
/// desired properties.
const LEVELS_MAX: usize = DEPTH_MAX_DEFAULT - 2;

/// What a user asks for.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// How many devices; without one: as many as the CSV file has rows.
    pub count: Option<u64>,
    /// The template of the ids.
    pub id: Option<String>,
    /// How the devices authenticate; without one: by thumbprint where there is one, else by symmetric key.
    pub authentication: Option<AuthenticationType>,
    /// The import mode, none by default.
    pub import_mode: Option<ImportMode>,
    /// The status, enabled by default.
    pub status: Option<Status>,
    /// They are edge devices.
    pub edge: bool,
    /// Tags that all have, a JSON object.
    pub tags: Option<String>,
    /// Desired properties that all have, a JSON object.
    pub desired: Option<String>,
    /// Columns that are text whatever they look like.
    pub csv_text: Vec<String>,
    /// The length of a key in bytes; a number of bytes that the hub takes.
    pub key_bytes: usize,
    /// Whether the length of keys was asked for.
    pub names_key_bytes: bool,
    /// Keys that are made are collected.
    pub collect_keys: bool,
}

/// A request that can be met.
#[derive(Debug)]
pub struct Plan {
    pub(crate) template: IdTemplate,
    pub(crate) authentication: Option<AuthenticationType>,
    pub(crate) import_mode: Option<ImportMode>,
    pub(crate) status: Status,
    pub(crate) edge: bool,
    pub(crate) key_bytes: usize,
    pub(crate) collect_keys: bool,
    pub(crate) sections: Sections,
    pub(crate) columns: Columns,
    pub(crate) csv: Option<Csv>,
    /// Where the rows of the file start.
    pub(crate) rows_start: Place,
    /// How many devices, where that is said.
    pub(crate) count: Option<u64>,
}

/// Why there is no plan.
#[derive(Debug)]
pub(crate) enum NoPlan {
    Problem(Problem),
    Failed(Error),
}

/// Reads how devices authenticate: by the words of the command line, or by Azure's.
pub fn authentication_from_word(word: &str) -> Option<AuthenticationType> {
    let words = [
        (["sas", "shared_private_key", "sas"], AuthenticationType::Sas),
        (["self-signed", "x509_thumbprint", "selfSigned"], AuthenticationType::SelfSigned),
        (["ca", "x509_ca", "certificateAuthority"], AuthenticationType::CertificateAuthority),
    ];
    let is = |names: &[&str; 3]| names.iter().any(|name| name.eq_ignore_ascii_case(word));
    words.iter().find(|(names, _)| is(names)).map(|(_, kind)| *kind)
}

impl Plan {
    /// Checks a request.
    ///
    /// # Errors
    /// The outer one where the CSV file can't be read, the inner one where the request can't be met.
    pub fn new(request: Request, csv: Option<Csv>) -> Result<Result<Self, Problem>, Error> {
        match Self::make(request, csv) {
            Ok(plan) => Ok(Ok(plan)),
            Err(NoPlan::Problem(problem)) => Ok(Err(problem)),
            Err(NoPlan::Failed(error)) => Err(error),
        }
    }

    fn make(request: Request, csv: Option<Csv>) -> Result<Self, NoPlan> {
        look_for_contradictions(&request).map_err(NoPlan::Problem)?;
        let mut sections = Sections {
            tags: section("--tags", request.tags.as_deref()).map_err(NoPlan::Problem)?,
            desired: section("--desired", request.desired.as_deref()).map_err(NoPlan::Problem)?,
            reported: None,
        };
        let (columns, rows_start) = match &csv {
            None => (Columns::default(), Place::default()),
            Some(csv) => {
                let Header { cells: header, wrong_quote, rows_start } = csv.header().map_err(NoPlan::Failed)?;
                let in_file = |problem: Problem| {
                    NoPlan::Problem(Problem { message: format!("{}: {}", csv.name(), problem.message), ..problem })
                };
                if header.is_empty() {
                    return Err(in_file(Problem::new("there is no header")));
                }
                if let Some((Place { line, byte }, wrong)) = wrong_quote {
                    let column = wrong.column + 1;
                    let message =
                        format!("line {line} (byte {byte}): column {column} of the header: {}", wrong.message(line));
                    return Err(in_file(Problem::with_hint(message, wrong.hint())));
                }
                (Columns::read(&header, &request.csv_text, &mut sections).map_err(in_file)?, rows_start)
            }
        };
        let plan = Self {
            template: IdTemplate::parse(request.id.as_deref().unwrap_or(ID_DEFAULT)).map_err(NoPlan::Problem)?,
            authentication: request.authentication,
            import_mode: request.import_mode,
            status: request.status.unwrap_or(Status::Enabled),
            edge: request.edge,
            key_bytes: request.key_bytes,
            collect_keys: request.collect_keys,
            sections,
            columns,
            csv,
            rows_start,
            count: request.count,
        };
        plan.look_at_ids(&request).map_err(NoPlan::Problem)?;
        Ok(plan)
    }

    fn look_at_ids(&self, request: &Request) -> Result<(), Problem> {
        if self.columns.of(Field::Id).is_some() {
            return match request.id {
                Some(_) => Err(Problem::new("--id and a column id of --from-csv can't be given together")),
                None => Ok(()),
            };
        }
        let most = self.count.unwrap_or(COUNT_MAX);
        if most > 1 && !self.template.is_unique() {
            return Err(Problem::with_hint(
                "--id makes the same id for every device",
                "put {index}, {index:08} or {uuid} in it",
            ));
        }
        // Without a count the rows are not counted yet; the check of the lines finds an id that became too long.
        self.template.check(self.count.unwrap_or(1))
    }

    /// How many devices there will be, where that is said.
    pub fn count(&self) -> Option<u64> {
        self.count
    }

    /// The CSV file.
    pub fn csv(&self) -> Option<&Csv> {
        self.csv.as_ref()
    }

    /// Whether the lines hold symmetric keys, made or given.
    pub fn holds_keys(&self) -> bool {
        let given = [Field::PrimaryKey, Field::SecondaryKey, Field::AuthenticationType];
        given.into_iter().any(|field| self.columns.of(field).is_some())
            || matches!(self.authentication, None | Some(AuthenticationType::Sas))
    }
}

/// A part of the twin that all devices have.
fn section(flag: &str, json: Option<&str>) -> Result<Option<Node>, Problem> {
    let Some(json) = json else { return Ok(None) };
    if let Some((line, character)) = too_deep(json) {
        let level = LEVELS_MAX + 1;
        return Err(Problem::with_hint(
            format!("{flag} is nested too deeply: at character {character} of line {line} it opens level {level}"),
            format!("the hub takes {TWIN_DEPTH_MAX} levels inside of the outer object (§3.6)"),
        ));
    }
    // An escape of half a character is in the grammar, but in no text: what is in a value is not read here.
    match serde_json::from_str::<&RawValue>(json) {
        Ok(value) if value.get().starts_with('{') => Ok(Some(Node::from_json(json))),
        Ok(_) => Err(Problem::new(format!("{flag} must be a JSON object"))),
        Err(error) => Err(Problem::with_hint(
            format!("{flag} is not JSON: at character {} of line {}", error.column(), error.line()),
            format!("{flag} '{{\"site\":\"oslo\"}}', quoted for the shell"),
        )),
    }
}

/// Where a text opens more objects and arrays in one another than are read: the line, and the character in it, from 1.
fn too_deep(json: &str) -> Option<(usize, usize)> {
    let (mut level, mut in_string, mut is_escaped) = (0usize, false, false);
    for (at, byte) in json.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if in_string => is_escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' if level == LEVELS_MAX => {
                let before = &json[..at];
                let line = before.rsplit('\n').next().unwrap_or_default();
                return Some((before.matches('\n').count() + 1, line.chars().count() + 1));
            }
            b'{' | b'[' => level += 1,
            b'}' | b']' => level = level.saturating_sub(1),
            _ => {}
        }
    }
    None
}

fn look_for_contradictions(request: &Request) -> Result<(), Problem> {
    let mode = request.import_mode.unwrap_or_default();
    let name = mode.as_str();
    let refuse = |flag: &str, why: &str| Err(Problem::new(format!("{flag} and --import-mode {name}: {why}")));
    if request.count == Some(0) {
        return Err(Problem::new("--count 0: there is nothing to make"));
    }
    if request.count.is_some_and(|count| count > COUNT_MAX) {
        return Err(Problem::new(format!("--count is more than {COUNT_MAX}")));
    }
    if !mode.writes_identity() {
        let why = "that mode writes no authentication";
        if request.authentication.is_some() {
            return refuse("--auth", why);
        }
        if request.collect_keys {
            return refuse("--keys-out", why);
        }
        if request.names_key_bytes {
            return refuse("--key-bytes", why);
        }
        if request.edge {
            return refuse("--edge", "that mode writes no capabilities");
        }
    }
    if mode.is_delete() && request.tags.is_some() {
        return refuse("--tags", "a delete has no twin");
    }
    if mode.is_delete() && request.desired.is_some() {
        return refuse("--desired", "a delete has no twin");
    }
    let authentication = request.authentication.unwrap_or(AuthenticationType::Sas);
    if request.collect_keys && authentication != AuthenticationType::Sas {
        return Err(Problem::new(format!(
            "--keys-out and --auth: keys are made for sas only, not for {}",
            authentication.as_str()
        )));
    }
    if request.names_key_bytes && authentication != AuthenticationType::Sas {
        return Err(Problem::new(format!(
            "--key-bytes and --auth: keys are made for sas only, not for {}",
            authentication.as_str()
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use hubmill_device::{AuthenticationType, ImportMode};

    use super::{Plan, Request, authentication_from_word};

    fn problem(request: Request) -> String {
        let request = Request { key_bytes: 32, ..request };
        Plan::new(request, None).unwrap().map(|_| String::new()).unwrap_or_else(|problem| problem.message)
    }

    #[test]
    fn words_of_the_command_line_and_of_azure() {
        for (word, want) in [
            ("sas", Some(AuthenticationType::Sas)),
            ("shared_private_key", Some(AuthenticationType::Sas)),
            ("SAS", Some(AuthenticationType::Sas)),
            ("self-signed", Some(AuthenticationType::SelfSigned)),
            ("x509_thumbprint", Some(AuthenticationType::SelfSigned)),
            ("selfSigned", Some(AuthenticationType::SelfSigned)),
            ("ca", Some(AuthenticationType::CertificateAuthority)),
            ("x509_ca", Some(AuthenticationType::CertificateAuthority)),
            ("none", None),
            ("", None),
        ] {
            assert_eq!(authentication_from_word(word), want, "{word}");
        }
    }

    #[test]
    fn contradictions_name_both_flags() {
        let delete = || Request { import_mode: Some(ImportMode::Delete), count: Some(2), ..Request::default() };
        let twin = || Request { import_mode: Some(ImportMode::UpdateTwin), ..delete() };
        let json = || Some("{}".to_owned());
        for (request, flags) in [
            (Request { authentication: Some(AuthenticationType::Sas), ..delete() }, ["--auth", "--import-mode"]),
            (Request { collect_keys: true, ..twin() }, ["--keys-out", "--import-mode"]),
            (Request { names_key_bytes: true, ..twin() }, ["--key-bytes", "--import-mode"]),
            (Request { edge: true, ..twin() }, ["--edge", "--import-mode"]),
            (Request { tags: json(), ..delete() }, ["--tags", "--import-mode"]),
            (Request { desired: json(), ..delete() }, ["--desired", "--import-mode"]),
            (
                Request {
                    authentication: Some(AuthenticationType::CertificateAuthority),
                    collect_keys: true,
                    ..Request::default()
                },
                ["--keys-out", "--auth"],
            ),
        ] {
            let message = problem(request);
            assert!(flags.iter().all(|flag| message.contains(flag)), "{message}");
        }
        assert_eq!(problem(Request { tags: json(), desired: json(), ..twin() }), "");
    }

    #[test]
    fn sections_are_objects() {
        let with = |json: &str| problem(Request { count: Some(1), tags: Some(json.to_owned()), ..Request::default() });
        assert_eq!(with(r#"{"a":1}"#), "");
        assert!(with("[1]").contains("--tags must be a JSON object"));
        assert!(with("{a:1}").contains("--tags is not JSON: at character 2"));
        assert!(with("").contains("--tags is not JSON"));
        let nested = |levels: usize| "{\"a\":".repeat(levels) + "1" + &"}".repeat(levels);
        assert_eq!(with(&nested(super::LEVELS_MAX)), "", "no reader refuses it");
        let deep = with(&nested(super::LEVELS_MAX + 1));
        assert_eq!(deep, "--tags is nested too deeply: at character 631 of line 1 it opens level 127");
    }

    #[test]
    fn one_id_is_enough_for_one_device_only() {
        let with = |count| problem(Request { count: Some(count), id: Some("only".to_owned()), ..Request::default() });
        assert_eq!(with(1), "");
        assert!(with(2).contains("--id makes the same id"));
        assert!(with(0).contains("--count 0"));
    }
}
