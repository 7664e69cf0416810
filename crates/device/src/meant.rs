//! What was probably meant by a name that the hub does not know (§1.5): unknown members are lost without a word.

use strsim::generic_levenshtein;

use crate::Member;

/// The object that a name stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The line itself.
    Line,
    /// `authentication`
    Authentication,
    /// `authentication.symmetricKey`
    SymmetricKey,
    /// `authentication.x509Thumbprint`
    Thumbprint,
    /// `properties`
    Properties,
    /// `capabilities`
    Capabilities,
}

impl Place {
    /// The path of the object; empty for the line.
    pub fn path(self) -> &'static str {
        match self {
            Self::Line => "",
            Self::Authentication => "authentication",
            Self::SymmetricKey => "authentication.symmetricKey",
            Self::Thumbprint => "authentication.x509Thumbprint",
            Self::Properties => "properties",
            Self::Capabilities => "capabilities",
        }
    }

    /// The names that the hub knows there.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Line => &Member::NAMES,
            Self::Authentication => &["symmetricKey", "x509Thumbprint", "type"],
            Self::SymmetricKey => &["primaryKey", "secondaryKey"],
            Self::Thumbprint => &["primaryThumbprint", "secondaryThumbprint"],
            Self::Properties => &["desired", "reported"],
            Self::Capabilities => &["iotEdge"],
        }
    }

    /// Names by which other tools and documents call a member, in lower case, and where it stands in a line.
    fn aliases(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Line => &[
                ("deviceid", "id"),
                ("device", "id"),
                ("module", "moduleId"),
                ("mode", "importMode"),
                ("deviceetag", "eTag"),
                ("state", "status"),
                ("auth", "authentication"),
                ("authenticationmechanism", "authentication"),
                ("symmetrickey", "authentication.symmetricKey"),
                ("symmetrickeys", "authentication.symmetricKey"),
                ("primarykey", "authentication.symmetricKey.primaryKey"),
                ("secondarykey", "authentication.symmetricKey.secondaryKey"),
                ("thumbprint", "authentication.x509Thumbprint"),
                ("thumbprints", "authentication.x509Thumbprint"),
                ("x509thumbprint", "authentication.x509Thumbprint"),
                ("primarythumbprint", "authentication.x509Thumbprint.primaryThumbprint"),
                ("secondarythumbprint", "authentication.x509Thumbprint.secondaryThumbprint"),
                ("authenticationtype", "authentication.type"),
                ("authtype", "authentication.type"),
                ("type", "authentication.type"),
                ("twin", "properties"),
                ("desired", "properties.desired"),
                ("desiredproperties", "properties.desired"),
                ("reported", "properties.reported"),
                ("reportedproperties", "properties.reported"),
                ("iotedge", "capabilities.iotEdge"),
                ("edge", "capabilities.iotEdge"),
                ("scope", "deviceScope"),
            ],
            Self::Authentication => &[
                ("thumbprint", "x509Thumbprint"),
                ("thumbprints", "x509Thumbprint"),
                ("x509", "x509Thumbprint"),
                ("keys", "symmetricKey"),
                ("sas", "symmetricKey"),
                ("primarykey", "symmetricKey.primaryKey"),
                ("secondarykey", "symmetricKey.secondaryKey"),
                ("primarythumbprint", "x509Thumbprint.primaryThumbprint"),
                ("secondarythumbprint", "x509Thumbprint.secondaryThumbprint"),
                ("authenticationtype", "type"),
                ("kind", "type"),
            ],
            Self::SymmetricKey => &[("primary", "primaryKey"), ("secondary", "secondaryKey")],
            Self::Thumbprint => &[("primary", "primaryThumbprint"), ("secondary", "secondaryThumbprint")],
            Self::Properties => &[("desiredproperties", "desired"), ("reportedproperties", "reported")],
            Self::Capabilities => &[("edge", "iotEdge")],
        }
    }
}

/// The longest name that is looked at, in bytes.
const NAME_BYTES_MAX: usize = 40;
/// The shortest name that slips are looked for in, in bytes.
const SLIP_BYTES_MIN: usize = 4;
/// The most slips of the pen: letters put in, left out or changed (Levenshtein).
const SLIPS_MAX: usize = 2;

/// The member that was probably meant, as a path from `place` on (from the line on, for the line's own names).
pub fn meant(place: Place, name: &[u8]) -> Option<&'static str> {
    if name.len() > NAME_BYTES_MAX {
        return None;
    }
    let letters = |name: &[u8]| -> Vec<u8> {
        name.iter().filter(|byte| !matches!(byte, b'_' | b'-' | b' ' | b'.')).map(u8::to_ascii_lowercase).collect()
    };
    let plain = letters(name);
    if let Some((_, meant)) = place.aliases().iter().find(|(alias, _)| alias.as_bytes() == plain) {
        return Some(meant);
    }
    // As many slips as the lengths differ by, at least.
    let near = place.names().iter().filter(|known| known.len().abs_diff(plain.len()) <= SLIPS_MAX);
    let slips = |known: &str| generic_levenshtein(&plain, &letters(known.as_bytes()));
    let (distance, known) = near.map(|known| (slips(known), *known)).min()?;
    let close = distance == 0 || (distance <= SLIPS_MAX && plain.len().min(known.len()) >= SLIP_BYTES_MIN);
    close.then_some(known)
}

#[cfg(test)]
mod tests {
    use super::{Place, meant};
    use crate::Member;

    #[test]
    fn slips_and_other_names_find_the_member() {
        for (place, name, want) in [
            (Place::Line, "thumbprint", Some("authentication.x509Thumbprint")),
            (Place::Authentication, "thumbprint", Some("x509Thumbprint")),
            (Place::Line, "desiredProperties", Some("properties.desired")),
            (Place::Line, "deviceId", Some("id")),
            (Place::Line, "device_id", Some("id")),
            (Place::Line, "auth", Some("authentication")),
            (Place::Line, "authentification", Some("authentication")),
            (Place::Line, "import_mode", Some("importMode")),
            (Place::Line, "satus", Some("status")),
            (Place::Line, "tag", None),
            (Place::Line, "taggs", Some("tags")),
            (Place::Line, "ids", None),
            (Place::Line, "generationId", None),
            (Place::Line, "connectionState", None),
            (Place::Line, "lastActivityTime", None),
            (Place::SymmetricKey, "primaryKeys", Some("primaryKey")),
            (Place::Thumbprint, "primary", Some("primaryThumbprint")),
            (Place::Properties, "desird", Some("desired")),
            (Place::Capabilities, "iot_edge", Some("iotEdge")),
            (Place::Line, "", None),
        ] {
            assert_eq!(meant(place, name.as_bytes()), want, "{name}");
        }
        assert_eq!(meant(Place::Line, &[b'a'; 1000]), None);
    }

    #[test]
    fn the_names_of_a_line_are_the_members() {
        assert_eq!(Place::Line.names(), Member::ALL.map(Member::name));
    }
}
