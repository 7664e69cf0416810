//! The names of the query language, and what they are in a line.

use hubmill_device::{AuthenticationType, ImportMode, Member, Place, Status, meant};

use crate::path::{Name, TextFault};
use crate::query::place_inside;

/// A path in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LinePath {
    /// Decoded.
    pub(crate) names: Vec<Vec<u8>>,
    /// What the first name is.
    pub(crate) member: Option<Member>,
    /// The value is one of a few words.
    pub(crate) words: Option<Words>,
}

/// Values that the hub reads in any case and as numbers (§1.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    Status,
    ImportMode,
    AuthenticationType,
}

impl Words {
    /// The canonical spelling of a value.
    #[inline]
    pub(crate) fn canonical(self, text: &[u8]) -> Option<&'static str> {
        match self {
            Self::Status => Status::from_text(text).map(Status::as_str),
            Self::ImportMode => ImportMode::from_text(text).map(ImportMode::as_str),
            Self::AuthenticationType => AuthenticationType::from_text(text).map(AuthenticationType::as_str),
        }
    }

    /// All of them, for messages.
    pub(crate) fn list(self) -> &'static str {
        match self {
            Self::Status => "'enabled' or 'disabled'",
            Self::ImportMode => "one of the nine import modes, 'create' or 'delete' for instance",
            Self::AuthenticationType => "'sas', 'selfSigned', 'certificateAuthority' or 'none'",
        }
    }
}

/// Names of the language, in lower case, that are called otherwise in a line.
const MAPPED: [(&str, &[&str]); 5] = [
    ("deviceid", &["id"]),
    ("etag", &["eTag"]),
    ("deviceetag", &["eTag"]),
    ("authenticationtype", &["authentication", "type"]),
    ("x509thumbprint", &["authentication", "x509Thumbprint"]),
];

/// Names that the hub's own twins have and no export holds (§1.4).
const NOT_EXPORTED: [&str; 12] = [
    "connectionState",
    "connectionStateUpdatedTime",
    "lastActivityTime",
    "statusUpdateTime",
    "statusUpdatedTime",
    "cloudToDeviceMessageCount",
    "generationId",
    "version",
    "modelId",
    "configurations",
    "jobs",
    "deviceCollections",
];

/// What the first name of a path is in a line; `None` for a name that the language does not know.
fn first_names(name: &Name) -> Result<Option<Vec<Vec<u8>>>, TextFault> {
    let lower = name.text.to_ascii_lowercase();
    if let Some((_, line)) = MAPPED.iter().find(|(mapped, _)| mapped.as_bytes() == lower) {
        return Ok(Some(line.iter().map(|name| name.as_bytes().to_vec()).collect()));
    }
    let is_name = |known: &&&str| known.as_bytes().eq_ignore_ascii_case(&name.text);
    if let Some(known) = Member::NAMES.iter().find(is_name) {
        return Ok(Some(vec![known.as_bytes().to_vec()]));
    }
    if let Some(known) = NOT_EXPORTED.iter().find(is_name) {
        return Err(TextFault::new(
            name.at.clone(),
            format!("no export holds {known} (§1.4): it is known to the hub alone, so no line can be asked for it"),
        ));
    }
    Ok(None)
}

/// The path in a line that a path of the language stands for. Names of the language itself are read in any case, as its
/// documentation writes them.
///
/// # Errors
/// For a name that no export holds; and, where `strict`, for one that the hub does not know.
pub(crate) fn line_path_of(names: &[Name], strict: bool) -> Result<LinePath, TextFault> {
    let mut all: Vec<Vec<u8>> = Vec::with_capacity(names.len() + 1);
    if let Some((first, rest)) = names.split_first() {
        match if first.bracketed { None } else { first_names(first)? } {
            Some(line) => all.extend(line),
            None if strict && !first.bracketed => return Err(unknown(first, Place::Line)),
            None => all.push(first.text.clone()),
        }
        let mut place = Some(Place::Line);
        for name in &all {
            place = place.and_then(|place| place_inside(place, name));
        }
        for name in rest {
            if let Some(known) = place.filter(|_| strict && !name.bracketed)
                && !known.names().iter().any(|known| known.as_bytes() == name.text)
            {
                return Err(unknown(name, known));
            }
            all.push(name.text.clone());
            place = place.and_then(|place| place_inside(place, &name.text));
        }
    }
    let bracketed = names.first().is_some_and(|first| first.bracketed);
    let words = match all.as_slice() {
        _ if bracketed => None,
        [name] if name == b"status" => Some(Words::Status),
        [name] if name == b"importMode" => Some(Words::ImportMode),
        [first, second] if first == b"authentication" && second == b"type" => Some(Words::AuthenticationType),
        _ => None,
    };
    let member = all.first().and_then(|first| Member::from_name(first));
    Ok(LinePath { names: all, member, words })
}

/// What was probably meant by a name: as for members of a line, and the singulars that paths invite to.
pub(crate) fn probably_meant(place: Place, name: &[u8]) -> Option<&'static str> {
    match (place, name) {
        (Place::Line, b"tag") => Some("tags"),
        (Place::Line, b"property") => Some("properties"),
        _ => meant(place, name),
    }
}

fn unknown(name: &Name, place: Place) -> TextFault {
    let text = String::from_utf8_lossy(&name.text);
    let (holds, known) = match place {
        Place::Line => ("a line", "tags, properties, status, deviceId and so on".to_owned()),
        place => (place.path(), place.names().join(", ")),
    };
    let meant = match probably_meant(place, &name.text) {
        Some(meant) => format!("{meant} was probably meant; "),
        None => String::new(),
    };
    TextFault::new(name.at.clone(), format!("{holds} has no member {text}: it has {known}"))
        .hint(format!("{meant}[[{text}]] asks for a member of just this name"))
}

#[cfg(test)]
mod tests {
    use super::line_path_of;
    use crate::path::whole_path;

    fn path(text: &str) -> Result<String, String> {
        let path = line_path_of(&whole_path(text).unwrap(), true).map_err(|fault| fault.message)?;
        let names: Vec<_> = path.names.iter().map(|name| String::from_utf8_lossy(name).into_owned()).collect();
        Ok(names.join("/"))
    }

    #[test]
    fn names_of_the_language_are_those_of_a_line() {
        for (asked, line) in [
            ("deviceId", "id"),
            ("DeviceID", "id"),
            ("id", "id"),
            ("etag", "eTag"),
            ("deviceEtag", "eTag"),
            ("twinETag", "twinETag"),
            ("Status", "status"),
            ("authenticationType", "authentication/type"),
            ("x509Thumbprint.primaryThumbprint", "authentication/x509Thumbprint/primaryThumbprint"),
            ("authentication.symmetricKey.primaryKey", "authentication/symmetricKey/primaryKey"),
            ("tags.Anything.[[at all]]", "tags/Anything/at all"),
            ("properties.reported.x", "properties/reported/x"),
            ("properties.[[other]]", "properties/other"),
            ("[[deviceId]]", "deviceId"),
        ] {
            assert_eq!(path(asked).as_deref(), Ok(line), "{asked}");
        }
    }

    #[test]
    fn other_names_are_refused_with_the_reason() {
        for (asked, reason) in [
            ("connectionState", "no export holds connectionState"),
            ("LASTACTIVITYTIME", "no export holds lastActivityTime"),
            ("configurations.[[x]].status", "no export holds configurations"),
            ("tag.site", "a line has no member tag"),
            ("properties.tags", "properties has no member tags"),
            ("capabilities.iotedge", "capabilities has no member iotedge"),
        ] {
            let message = path(asked).unwrap_err();
            assert!(message.contains(reason), "{asked}: {message}");
        }
    }
}
