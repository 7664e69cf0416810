//! The columns of a CSV file: which member of a line each is.

use hubmill_device::{
    Member, Place, Printable, TWIN_KEY_BYTES_MAX, TextKind, is_refused_in_twin_keys, meant, redacted,
};

use crate::error::Problem;
use crate::rows::Row;
use crate::tree::Node;

/// Members with a type of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Field {
    Id,
    ModuleId,
    ETag,
    ImportMode,
    Status,
    StatusReason,
    PrimaryKey,
    SecondaryKey,
    PrimaryThumbprint,
    SecondaryThumbprint,
    AuthenticationType,
    TwinETag,
    IotEdge,
    DeviceScope,
    ParentScopes,
}

const FIELDS: [(&str, Field); 15] = [
    ("id", Field::Id),
    ("moduleId", Field::ModuleId),
    ("eTag", Field::ETag),
    ("importMode", Field::ImportMode),
    ("status", Field::Status),
    ("statusReason", Field::StatusReason),
    ("authentication.symmetricKey.primaryKey", Field::PrimaryKey),
    ("authentication.symmetricKey.secondaryKey", Field::SecondaryKey),
    ("authentication.x509Thumbprint.primaryThumbprint", Field::PrimaryThumbprint),
    ("authentication.x509Thumbprint.secondaryThumbprint", Field::SecondaryThumbprint),
    ("authentication.type", Field::AuthenticationType),
    ("twinETag", Field::TwinETag),
    ("capabilities.iotEdge", Field::IotEdge),
    ("deviceScope", Field::DeviceScope),
    ("parentScopes", Field::ParentScopes),
];

/// Sections of the twin.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sections {
    pub(crate) tags: Option<Node>,
    pub(crate) desired: Option<Node>,
    pub(crate) reported: Option<Node>,
}

/// The columns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Columns {
    names: Vec<String>,
    fields: [Option<usize>; FIELDS.len()],
    /// Of each column, if it is a value in the twin: whether that is text whatever it looks like.
    in_twin: Vec<Option<bool>>,
    barred: Vec<Barred>,
}

/// A column whose cells must be empty: what a flag gives to all devices is in their way.
#[derive(Clone, Debug)]
pub(crate) struct Barred {
    pub(crate) column: usize,
    pub(crate) flag: &'static str,
    /// Where that is which is in the way, fit to be shown.
    pub(crate) at: String,
}

impl Columns {
    /// Reads a header, and puts the columns under `tags` and `properties` where they belong.
    ///
    /// Those of `as_text` are text whatever they look like.
    pub(crate) fn read(header: &[Vec<u8>], as_text: &[String], sections: &mut Sections) -> Result<Self, Problem> {
        let mut columns = Self::default();
        for (number, name) in header.iter().enumerate() {
            let Ok(name) = std::str::from_utf8(name) else {
                return Err(Problem::new(format!("the name of column {} is not UTF-8", number + 1)));
            };
            if columns.names.iter().any(|known| known == name) {
                return Err(Problem::new(format!("column {} stands twice", shown(name))));
            }
            columns.add(name, as_text.iter().any(|column| column == name), sections)?;
        }
        match as_text.iter().find(|column| !columns.names.contains(column)) {
            Some(column) => Err(Problem::new(format!("--csv-text {}: there is no such column", shown(column)))),
            None => Ok(columns),
        }
    }

    fn add(&mut self, name: &str, as_text: bool, sections: &mut Sections) -> Result<(), Problem> {
        let number = self.names.len();
        self.names.push(name.to_owned());
        if let Some((_, field)) = FIELDS.iter().find(|(known, _)| *known == name) {
            if as_text {
                return Err(Problem::new(format!(
                    "--csv-text {name}: that member has a type of its own; --csv-text is for columns under tags and properties"
                )));
            }
            self.fields[*field as usize] = Some(number);
            self.in_twin.push(None);
            return Ok(());
        }
        let path: Vec<&str> = name.split('.').collect();
        let (section, inner, flag) = match path.as_slice() {
            ["tags", inner @ ..] => (&mut sections.tags, inner, "--tags"),
            ["properties", "desired", inner @ ..] => (&mut sections.desired, inner, "--desired"),
            // No flag gives reported properties.
            ["properties", "reported", inner @ ..] => (&mut sections.reported, inner, ""),
            _ => return Err(unknown(name, number)),
        };
        if let Some(bad) = inner.iter().find_map(|part| bad_name(part)) {
            return Err(Problem::new(format!("column {}: {bad}", shown(name))));
        }
        self.in_twin.push(Some(as_text));
        Node::put(section, inner, number, as_text, &shown(name))?;
        if let Some(names) = section.as_ref().and_then(|section| section.obstacle(inner)) {
            let at = shown(&path[..path.len() - inner.len() + names].join("."));
            self.barred.push(Barred { column: number, flag, at });
        }
        Ok(())
    }

    /// The names, in order.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The column of a member.
    #[inline]
    pub(crate) fn of(&self, field: Field) -> Option<usize> {
        self.fields[field as usize]
    }

    /// Whether a column that is a value in the twin is text whatever it looks like; `None` of other columns.
    pub(crate) fn in_twin(&self, column: usize) -> Option<bool> {
        self.in_twin[column]
    }

    /// The first column of which the row has a cell that can't go where it should; the row has as many cells as there are columns.
    #[inline]
    pub(crate) fn barred_in(&self, row: &Row<'_>) -> Option<usize> {
        self.barred.iter().position(|barred| !row.cell(barred.column).is_empty())
    }

    /// The barred column of this number.
    pub(crate) fn barred(&self, number: usize) -> &Barred {
        &self.barred[number]
    }

    /// The column that a finding at this path of a line is about.
    pub(crate) fn at_path(&self, path: &str) -> Option<&str> {
        let leads_to = |name: &&String| {
            path.strip_prefix(name.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        self.names.iter().filter(leads_to).max_by_key(|name| name.len()).map(String::as_str)
    }
}

/// How much of a name is shown, in characters.
const SHOWN_CHARACTERS_MAX: usize = 160;

/// A name fit to be shown. Where a file has no header, it is what a device has, and may be a key.
pub(crate) fn shown(name: &str) -> String {
    let name: String = redacted(name, TextKind::Name).chars().take(SHOWN_CHARACTERS_MAX).collect();
    Printable(&name).to_string()
}

/// Why a name can't be one in a twin (§3.6).
fn bad_name(name: &str) -> Option<String> {
    if name.is_empty() {
        return Some("there is nothing between two dots, or at the end".to_owned());
    }
    if name.len() > TWIN_KEY_BYTES_MAX {
        return Some(format!("the name has {} bytes; the hub takes at most {TWIN_KEY_BYTES_MAX} (§3.6)", name.len()));
    }
    let refused = name.chars().find(|character| is_refused_in_twin_keys(*character))?;
    Some(format!("the hub refuses the character '{}' in names (§3.6)", Printable(refused.encode_utf8(&mut [0; 4]))))
}

fn unknown(name: &str, number: usize) -> Problem {
    if name.trim().is_empty() {
        return Problem::with_hint(
            format!("column {} has no name", number + 1),
            "a comma at the end of the header makes a column, too",
        );
    }
    let message = format!("column {}: no member of a device has this path", shown(name));
    let trimmed = name.trim();
    if let Some((known, _)) = FIELDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(trimmed)) {
        return Problem::with_hint(message, format!("{known} is written so"));
    }
    if number == 0 && name.contains([';', '\t']) {
        return Problem::with_hint(message, "columns are parted by commas");
    }
    match meant(Place::Line, trimmed.as_bytes()).filter(|meant| *meant != trimmed) {
        Some(meant) => Problem::with_hint(message, format!("{meant} was probably meant")),
        None => {
            let names: Vec<&str> = FIELDS.iter().map(|(known, _)| *known).collect();
            Problem::with_hint(
                message,
                format!(
                    "paths are {}, and what is under tags, properties.desired and properties.reported",
                    names.join(", ")
                ),
            )
        }
    }
}

const _: () = assert!(Member::COUNT == 13, "a new member needs a column");

#[cfg(test)]
mod tests {
    use super::{Columns, FIELDS, Field, Sections};

    fn read(header: &[&str], as_text: &[&str]) -> Result<(Columns, Sections), (String, String)> {
        let mut sections = Sections::default();
        let header: Vec<Vec<u8>> = header.iter().map(|name| name.as_bytes().to_vec()).collect();
        let as_text: Vec<String> = as_text.iter().map(ToString::to_string).collect();
        Columns::read(&header, &as_text, &mut sections)
            .map(|columns| (columns, sections))
            .map_err(|problem| (problem.message, problem.hint.unwrap_or_default()))
    }

    #[test]
    fn fields_are_in_the_order_of_their_numbers() {
        for (at, (name, field)) in FIELDS.into_iter().enumerate() {
            assert_eq!(field as usize, at, "{name}");
        }
    }

    #[test]
    fn members_and_paths_are_found() {
        let (columns, sections) = read(&["tags.site", "id", "properties.desired.a.b"], &["tags.site"]).unwrap();
        assert_eq!((columns.of(Field::Id), columns.of(Field::Status)), (Some(1), None));
        assert!(sections.tags.is_some() && sections.desired.is_some() && sections.reported.is_none());
        assert_eq!(columns.at_path("tags.site"), Some("tags.site"));
        assert_eq!(columns.at_path("tags.site.x[3]"), Some("tags.site"));
        assert_eq!(columns.at_path("tags.sites"), None);
        assert_eq!(columns.at_path("tags"), None);
    }

    #[test]
    fn what_is_no_member_is_refused_with_what_was_meant() {
        for (header, message, hint) in [
            ("ID", "no member", "id is written so"),
            (" id", "no member", "id is written so"),
            ("deviceId", "no member", "id was probably meant"),
            ("colour", "no member", "paths are id"),
            ("id;tags.site", "no member", "parted by commas"),
            ("", "column 1 has no name", "comma at the end"),
            ("tags.", "nothing between", ""),
            ("tags.a b", "refuses the character ' '", ""),
            ("tags.a#", "refuses the character '#'", ""),
            ("properties", "no member", "paths are id"),
            ("authentication", "no member", "paths are id"),
        ] {
            let (found, said) = read(&[header], &[]).unwrap_err();
            assert!(found.contains(message) && said.contains(hint), "{header}: {found} / {said}");
        }
        assert!(read(&["tags.site", "tags"], &[]).unwrap_err().0.contains("inside of another"));
        assert!(read(&["id", "id"], &[]).unwrap_err().0.contains("twice"));
        assert!(read(&["id"], &["tags.n"]).unwrap_err().0.contains("--csv-text tags.n"));
        assert!(read(&["id"], &["id"]).unwrap_err().0.contains("type of its own"));
    }
}
