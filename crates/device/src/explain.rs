//! What each code means, why it is one, and how well that is known: the one source of `hubmill explain` and docs/CODES.md.
//!
//! The facts are those of the project's collection (`§`); where that calls something unknown, nothing is claimed here.

use crate::Code;

/// How well it is known that the hub minds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// Read in Microsoft's source or documentation, or in a file that the service made or took; or a matter of RFC 8259.
    Confirmed,
    /// A third party states to have seen it at a real hub.
    ThirdParty,
    /// Follows from confirmed facts; not seen itself.
    Inferred,
    /// It is not known what the hub does.
    Unknown,
    /// A limit or a notice of hubmill itself: the hub has no part in it.
    Own,
}

impl Evidence {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Confirmed => "confirmed",
            Self::ThirdParty => "third-party",
            Self::Inferred => "inferred",
            Self::Unknown => "unknown",
            Self::Own => "own",
        }
    }

    /// What the word means.
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Confirmed => "read in Microsoft's source or documentation, in a file of the service, or in RFC 8259",
            Self::ThirdParty => "a third party states to have seen it at a real hub",
            Self::Inferred => "follows from confirmed facts, but was not seen itself",
            Self::Unknown => "what the hub does is not known",
            Self::Own => "hubmill's own; the hub has no part in it",
        }
    }
}

/// What there is to say about a code.
#[derive(Clone, Copy, Debug)]
pub struct About {
    /// The code.
    pub code: Code,
    /// What is wrong, a sentence.
    pub what: &'static str,
    /// Why it matters.
    pub why: &'static str,
    /// What would be right.
    pub instead: &'static str,
    /// Where it is known from: a place in the collection of facts, or a standard.
    pub source: &'static str,
    /// How well it is known.
    pub evidence: Evidence,
    /// The command that finds it, without `hubmill`. Beside it are a file `ids.txt` with the line `dev1`, and the files
    /// [`EXAMPLE_HUB`] and [`EXAMPLE_KEYLESS_HUB`]: exports of `dev1`, with keys and without; [`EXAMPLE_LOG`]: the log of an import.
    pub command: &'static str,
    /// Input that triggers it, see [`expand_example`].
    pub triggers: &'static str,
    /// Input that does not.
    pub passes: &'static str,
}

/// An export for examples: `hub.txt`.
pub const EXAMPLE_HUB: &str =
    r#"{"id":"dev1","eTag":"MQ==","status":"enabled","authentication":{"type":"certificateAuthority"}}"#;
/// The same without keys: `keyless.txt`.
pub const EXAMPLE_KEYLESS_HUB: &str = r#"{"id":"dev1","eTag":"MQ==","status":"enabled","authentication":null}"#;

/// A log that names it: `log.txt`.
pub const EXAMPLE_LOG: &str = r#"{"deviceId":"dev1","errorCode":412001,"errorStatus":"dev1"}"#;

/// An example in full: `⟨9 × x⟩` stands for nine times `x`, `⟨2 lines of m#⟩` for the lines `m1` and `m2`, `⟨byte ff⟩` for a
/// byte; lines end in `\n`.
pub fn expand_example(example: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = example;
    while let Some((before, after)) = rest.split_once('⟨') {
        out.extend_from_slice(before.as_bytes());
        let (inner, after) = after.split_once('⟩').unwrap_or((after, ""));
        if let Some((count, text)) = inner.split_once(" × ") {
            out.extend_from_slice(text.repeat(count.parse().unwrap_or(0)).as_bytes());
        } else if let Some((count, line)) = inner.split_once(" lines of ") {
            let numbers = 1..=count.parse::<u32>().unwrap_or(0);
            let lines: Vec<String> = numbers.map(|number| line.replace('#', &number.to_string())).collect();
            out.extend_from_slice(lines.join("\n").as_bytes());
        } else if let Some(byte) = inner.strip_prefix("byte ") {
            out.extend(u8::from_str_radix(byte, 16).ok());
        }
        rest = after;
    }
    out.extend_from_slice(rest.as_bytes());
    out.push(b'\n');
    out
}

impl Code {
    /// What there is to say about it.
    pub fn about(self) -> &'static About {
        &ABOUT[self as usize]
    }
}

const VALIDATE: &str = "validate";

macro_rules! about {
    ($($code:ident: $evidence:ident, $source:literal, $(by $command:expr,)?
        $what:literal, $why:literal, $instead:literal, $triggers:literal, $passes:literal;)+) => {
        const ABOUT: &[About] = &[$(About {
            code: Code::$code,
            what: $what,
            why: $why,
            instead: $instead,
            source: $source,
            evidence: Evidence::$evidence,
            command: command!($($command)?),
            triggers: $triggers,
            passes: $passes,
        },)+];
    };
}

macro_rules! command {
    () => {
        VALIDATE
    };
    ($command:expr) => {
        $command
    };
}

about! {
JsonSyntax: Confirmed, "RFC 8259; §1.5",
    "The line is not JSON.",
    "The hub reads each line by itself as one JSON object. Its reader (Newtonsoft.Json) probably lets some faults pass, comments \
     and single quotes for instance, but no other reader of the file does, and what it makes of them is not known for sure.",
    "One JSON object on one line. A JSON array, or an object over many lines, becomes that by `jq -c '.[]'` or `jq -c .`.",
    r#"{"id":"dev1","status":"enabled",}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"delete"}"#;
JsonUtf8: Confirmed, "RFC 8259, section 8.1",
    "The line is not valid UTF-8.",
    "JSON that systems exchange is UTF-8. A file in another encoding (Latin-1, UTF-16) is read as something else, or not at all.",
    "The file in UTF-8: `iconv -f LATIN1 -t UTF-8`, for instance.",
    r#"{"id":"dev1","status":"enabled","importMode":"delete","statusReason":"caf⟨byte e9⟩"}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"delete","statusReason":"café"}"#;
JsonDepth: Own, "§1.5", by "validate --max-depth 3",
    "The line nests deeper than `--max-depth`.",
    "The limit keeps hostile input in bounds. The hub has one, too: twins are at most ten levels deep, and its reader's own limit is \
     64 in newer versions; which version the service runs is not known.",
    "Fewer levels, or a larger `--max-depth` where the line is meant so.",
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","tags":{"a":{"b":{}}}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","tags":{"a":{}}}"#;
LineTooLong: Own, "§1.5", by "validate --max-line-bytes 60",
    "The line is longer than `--max-line-bytes`.",
    "The limit keeps memory in bounds. Whether the hub has one is not published; twins within their limits stay far below the default.",
    "A shorter line, or a larger `--max-line-bytes` where the line is meant so.",
    r#"{"id":"dev1","status":"enabled","importMode":"delete","statusReason":"scrapped"}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"delete"}"#;
NotAnObject: Confirmed, "§1.1, §1.5",
    "The line is JSON, but not an object.",
    "Every line is one device or one module, and that is an object with members.",
    "One object on each line. `jq -c '.[]'` makes lines of an array.",
    r#"[{"id":"dev1","status":"enabled","importMode":"delete"}]"#,
    r#"{"id":"dev1","status":"enabled","importMode":"delete"}"#;
DuplicateMember: Inferred, "§1.5; RFC 8259, section 4",
    "A member stands twice in one object.",
    "Readers differ in which of the two counts. The hub's reader probably takes the last one. At the top of a line, in \
     `authentication` and in `properties` that decides what becomes of a device, and it is an error; deeper it is a warning.",
    "Each name once.",
    r#"{"id":"dev1","status":"enabled","status":"disabled","importMode":"delete"}"#,
    r#"{"id":"dev1","status":"disabled","importMode":"delete"}"#;
MemberType: Confirmed, "§1.1",
    "A member that the hub knows has a value of another JSON type than it takes.",
    "The service reads the line into a class with typed members; a value that does not fit fails the line, or is not what was meant.",
    "The type of the table in §1.1: texts for `id` and the ETags, objects for `authentication`, `tags` and `properties`, and so on.",
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","tags":"floor 2"}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","tags":{"floor":2}}"#;
IdMissing: Confirmed, "§1.1, §1.5",
    "The line has no `id`.",
    "Every line needs one; a module's line has the id of its device and its own `moduleId`. The hub refuses the line.",
    "`id` in exactly this spelling, with the device's id.",
    r#"{"deviceId":"dev1","status":"enabled","importMode":"delete"}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"delete"}"#;
IdCharset: Confirmed, "§3.1",
    "The device id has a character that the hub refuses.",
    "Ids are made of ASCII letters, digits and `- : . + % _ # * ? ! ( ) , = @ ; $ '`. Space, slash, quotes, `&`, `<`, `>`, `~` and all that \
     is not ASCII are refused.",
    "An id of these characters. Upper and lower case make different devices.",
    r#"{"id":"dev 1","status":"enabled","importMode":"delete"}"#,
    r#"{"id":"dev-1","status":"enabled","importMode":"delete"}"#;
IdLength: Confirmed, "§3.1",
    "The device id is empty or has more than 128 characters.",
    "The hub takes 1 to 128.",
    "A shorter id, or one at all.",
    r#"{"id":"⟨129 × d⟩","status":"enabled","importMode":"delete"}"#,
    r#"{"id":"⟨128 × d⟩","status":"enabled","importMode":"delete"}"#;
ModuleIdCharset: Confirmed, "§3.1",
    "The module id has a character that the hub refuses.",
    "Module ids are made of the same characters as device ids.",
    "A module id of ASCII letters, digits and `- : . + % _ # * ? ! ( ) , = @ ; $ '`.",
    r#"{"id":"dev1","moduleId":"my module","status":"enabled","importMode":"delete"}"#,
    r#"{"id":"dev1","moduleId":"my-module","status":"enabled","importMode":"delete"}"#;
ModuleIdLength: Confirmed, "§3.1",
    "The module id is empty or has more than 128 characters.",
    "The hub takes 1 to 128.",
    "A shorter module id; on a device's own line none at all.",
    r#"{"id":"dev1","moduleId":"","status":"enabled","importMode":"delete"}"#,
    r#"{"id":"dev1","moduleId":"m","status":"enabled","importMode":"delete"}"#;
ModuleIdReserved: Confirmed, "§1.7",
    "The module belongs to the hub itself: its id begins with `$`.",
    "Such modules (`$edgeAgent`, `$edgeHub`) can't be written by an import: error 401100. The hub makes them for an edge device. \
     Whether a twin update of one works in a job is not known; it is a warning there.",
    "A file without these lines: `hubmill transform --drop-system-modules`.",
    r#"{"id":"dev1","moduleId":"$edgeAgent","status":"enabled","importMode":"create"}"#,
    r#"{"id":"dev1","moduleId":"agent","status":"enabled","importMode":"create"}"#;
StatusMissing: ThirdParty, "§1.5, §2",
    "The line has no `status`.",
    "An import job needs it on every line, deletes and twin updates included. Microsoft's class demands it, and a third party saw the \
     service demand it.",
    "`\"status\":\"enabled\"` or `\"status\":\"disabled\"`; `hubmill transform --status enabled` sets it.",
    r#"{"id":"dev1","importMode":"delete"}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"delete"}"#;
StatusValue: Confirmed, "§1.2, §1.5",
    "`status` is neither `enabled` nor `disabled`.",
    "The hub can't read the line then: an enum value that it does not know fails the line (400012, seen for another member).",
    "`enabled` or `disabled`.",
    r#"{"id":"dev1","status":"active","importMode":"delete"}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"delete"}"#;
StatusReasonLength: Confirmed, "§3.2",
    "`statusReason` has more than 128 characters.",
    "The documentation says 128 characters. Whether the hub counts characters or bytes outside of ASCII is not known; hubmill counts \
     characters.",
    "A shorter reason.",
    r#"{"id":"dev1","status":"disabled","statusReason":"⟨129 × r⟩","importMode":"delete"}"#,
    r#"{"id":"dev1","status":"disabled","statusReason":"⟨128 × r⟩","importMode":"delete"}"#;
ImportModeValue: Confirmed, "§1.2, §2",
    "`importMode` is none of the nine.",
    "The hub can't read the line then: an enum value that it does not know fails the line (400012, seen for another member).",
    "`createOrUpdate`, `create`, `update`, `updateIfMatchETag`, `createOrUpdateIfMatchETag`, `delete`, `deleteIfMatchETag`, `updateTwin` or \
     `updateTwinIfMatchETag`. Without the member it is `createOrUpdate`.",
    r#"{"id":"dev1","status":"enabled","importMode":"remove"}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"delete"}"#;
EtagMissing: Confirmed, "§2",
    "The mode compares ETags, and the line has no `eTag`.",
    "`updateIfMatchETag`, `createOrUpdateIfMatchETag` and `deleteIfMatchETag` act only where the device's ETag is the one in the line; \
     Microsoft's SDK refuses such a line without one.",
    "The `eTag` of a fresh export, or a mode that does not compare.",
    r#"{"id":"dev1","status":"enabled","importMode":"deleteIfMatchETag"}"#,
    r#"{"id":"dev1","eTag":"MA==","status":"enabled","importMode":"deleteIfMatchETag"}"#;
TwinEtagMissing: Inferred, "§2",
    "The mode compares the twin's ETag, and the line has no `twinETag`.",
    "`updateTwinIfMatchETag` acts only where the twin's ETag is the one in the line.",
    "The `twinETag` of a fresh export, or `updateTwin`.",
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwinIfMatchETag","tags":{}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwinIfMatchETag","twinETag":"AAAAAAAAAAE=","tags":{}}"#;
AuthenticationType: Confirmed, "§1.5",
    "`authentication.type` is none of the four.",
    "The service was seen to refuse such a line: 400012, error converting value \"SELF_SIGNED\". An empty text is a warning: its reader probably \
     takes that for null, and a device without a type for `sas`.",
    "`sas`, `selfSigned`, `certificateAuthority` or `none`.",
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"type":"SELF_SIGNED"}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"type":"certificateAuthority"}}"#;
KeyBase64: Confirmed, "§3.3",
    "A symmetric key is not base64.",
    "Keys are bytes in standard base64 with padding. White space inside of a key is taken for a fault here.",
    "A key as the hub shows it, or none for the hub to make one; `hubmill transform --regenerate-keys` makes fresh ones.",
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"symmetricKey":{"primaryKey":"123","secondaryKey":"456"},"type":"sas"}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"symmetricKey":{"primaryKey":"AAECAwQFBgcICQoLDA0ODw==","secondaryKey":"EBESExQVFhcYGRobHB0eHw=="},"type":"sas"}}"#;
KeyLength: Confirmed, "§3.3",
    "A symmetric key is shorter than 16 or longer than 64 bytes.",
    "The hub takes 16 to 64 bytes, counted after base64 is taken off. Its own keys have 32, which are 44 characters.",
    "A key of 32 bytes, say.",
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"symmetricKey":{"primaryKey":"AAEC","secondaryKey":"AAEC"},"type":"sas"}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"symmetricKey":{"primaryKey":"AAECAwQFBgcICQoLDA0ODw==","secondaryKey":"AAECAwQFBgcICQoLDA0ODw=="},"type":"sas"}}"#;
KeyHalf: Confirmed, "§3.3",
    "One of the two symmetric keys is there, the other is not.",
    "Either both keys are given or neither, in which case the hub makes both.",
    "Both keys; they may be the same.",
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"symmetricKey":{"primaryKey":"AAECAwQFBgcICQoLDA0ODw==","secondaryKey":null},"type":"sas"}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"symmetricKey":{"primaryKey":"AAECAwQFBgcICQoLDA0ODw==","secondaryKey":"AAECAwQFBgcICQoLDA0ODw=="},"type":"sas"}}"#;
ThumbprintFormat: Confirmed, "§3.4",
    "A thumbprint is not 40 or 64 hexadecimal digits.",
    "It is a SHA-1 or a SHA-256 digest in hexadecimal digits of either case, without separators.",
    "The digits alone: no colons, no spaces.",
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"x509Thumbprint":{"primaryThumbprint":"DE:AD:BE:EF"},"type":"selfSigned"}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"x509Thumbprint":{"primaryThumbprint":"⟨10 × 0A1b⟩"},"type":"selfSigned"}}"#;
ThumbprintMismatch: Confirmed, "§3.4",
    "One thumbprint is SHA-1 and the other SHA-256.",
    "The two must be of the same kind.",
    "Two of 40 digits or two of 64; the second may be null.",
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"x509Thumbprint":{"primaryThumbprint":"⟨40 × a⟩","secondaryThumbprint":"⟨64 × b⟩"},"type":"selfSigned"}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"x509Thumbprint":{"primaryThumbprint":"⟨40 × a⟩","secondaryThumbprint":"⟨40 × b⟩"},"type":"selfSigned"}}"#;
AuthenticationConflict: Confirmed, "§3.5",
    "Symmetric keys, thumbprints and `type` do not go together.",
    "A device can't have both symmetric keys and thumbprints. Keys or thumbprints under a type that does not use them are a warning: \
     Microsoft's SDK changes the type to fit them; what the service does with such a line is not known.",
    "Keys with `sas`, thumbprints with `selfSigned`, neither with `certificateAuthority`.",
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"symmetricKey":{"primaryKey":"AAECAwQFBgcICQoLDA0ODw==","secondaryKey":"AAECAwQFBgcICQoLDA0ODw=="},"x509Thumbprint":{"primaryThumbprint":"⟨40 × a⟩"},"type":"sas"}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null},"x509Thumbprint":{"primaryThumbprint":"⟨40 × a⟩"},"type":"selfSigned"}}"#;
TagsSize: Confirmed, "§3.6",
    "The tags are larger than 8 KB.",
    "The hub counts the characters of names and texts without control characters, 8 for a number, 4 for a boolean; arrays count as the \
     sum of what is in them (inferred). Whether it counts characters or UTF-8 bytes is not known: over in characters is an error, over only in \
     bytes a warning.",
    "At most 8192.",
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","tags":{"a":"⟨4095 × a⟩","b":"⟨4096 × b⟩"}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","tags":{"a":"⟨4095 × a⟩","b":"⟨4095 × b⟩"}}"#;
DesiredSize: Confirmed, "§3.6",
    "The desired properties are larger than 32 KB.",
    "Counted as the tags are; `$metadata` and `$version` do not count.",
    "At most 32768.",
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","properties":{"desired":{"a":[⟨4096 × 1,⟩1]}}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","properties":{"desired":{"a":[⟨4094 × 1,⟩1]}}}"#;
ReportedSize: Confirmed, "§3.6",
    "The reported properties are larger than 32 KB.",
    "Counted as the tags are; `$metadata` and `$version` do not count.",
    "At most 32768.",
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","properties":{"reported":{"a":[⟨4096 × 1,⟩1]}}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","properties":{"reported":{"a":[⟨4094 × 1,⟩1]}}}"#;
TwinKeyCharset: Confirmed, "§3.6",
    "A name in tags, desired or reported has a character that the hub refuses.",
    "Names must not hold control characters, `.`, `$` or space; this is documented. `#` is in no document, but Microsoft's IoT Edge code \
     refuses it, and a third party saw the hub do so.",
    "A name without them. `$metadata` and `$version` at the top of a section are the hub's own and fine.",
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","tags":{"floor.no":2}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","tags":{"floor_no":2}}"#;
TwinKeyLength: Confirmed, "§3.6",
    "A name in tags, desired or reported is longer than 1 KB.",
    "The limit is 1024 bytes of UTF-8.",
    "A shorter name.",
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","tags":{"⟨1025 × n⟩":2}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","tags":{"⟨1024 × n⟩":2}}"#;
TwinStringLength: Confirmed, "§3.6",
    "A text in tags, desired or reported is longer than 4 KB.",
    "The limit is 4096. Over in characters is an error; over only in UTF-8 bytes a warning, since it is not known which of the two count.",
    "A shorter text, or several.",
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","tags":{"note":"⟨4097 × n⟩"}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","tags":{"note":"⟨4096 × n⟩"}}"#;
TwinDepth: Confirmed, "§3.6",
    "Tags, desired or reported nest deeper than ten levels.",
    "The objects and arrays inside of a section count, the section itself does not; a plain value inside of the tenth is fine.",
    "Fewer levels.",
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","tags":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{}}}}}}}}}}}}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","tags":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":{"a":1}}}}}}}}}}}}"#;
TwinIntegerRange: Confirmed, "§3.6",
    "An integer in tags, desired or reported is out of range.",
    "The hub takes -4503599627370496 to 4503599627370495. Numbers with a fraction or an exponent are not integers.",
    "A number in range, or a text.",
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","tags":{"serial":4503599627370496}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","tags":{"serial":4503599627370495}}"#;
KeysRotate: Inferred, "§2, §4",
    "No authentication under a mode that can touch a device that is there already.",
    "`authentication` is null or missing, as in an export without keys, and the mode is `createOrUpdate`, `createOrUpdateIfMatchETag`, \
     `update`, `updateIfMatchETag`, or none. The hub then makes new keys: the device that is there can no longer connect, and an X.509 device \
     becomes a symmetric key one.",
    "The authentication of an export with keys; `create` where the devices are new; `--allow keys-rotate` where new keys are meant.",
    r#"{"id":"dev1","status":"enabled","authentication":null}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":null}"#;
DuplicateId: Unknown, "§2, §10",
    "Two lines that differ are about the same device or module.",
    "Each is probably applied, but the order is not promised: which of the two holds in the end is not known. (The REST call for a \
     hundred devices refuses it, 400011.) Ids are compared in their exact case. Each later line is compared with the first.",
    "One line for each device and each module; two import jobs, one after the other, where two steps are meant; or `--allow duplicate-id`.",
    "{\"id\":\"dev1\",\"status\":\"enabled\",\"importMode\":\"delete\"}\n{\"id\":\"dev1\",\"status\":\"disabled\",\"importMode\":\"delete\"}",
    "{\"id\":\"dev1\",\"status\":\"enabled\",\"importMode\":\"delete\"}\n{\"id\":\"DEV1\",\"status\":\"disabled\",\"importMode\":\"delete\"}";
DeviceScope: Inferred, "§3.7",
    "A child device names its edge device by a scope.",
    "The scope ends in a number that the hub made with the edge device. In the hub that the file comes from it is right; in another hub, or after the \
     edge device was made anew, it matches nothing. `transform --preset migrate` refuses such a line. `diff` and `undo` say it, too, where they update \
     an edge device whose own scope is in no file: it can't be blanked.",
    "For another hub: edge devices first, then `hubmill transform --preset migrate --scope-map EXPORT`.",
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"type":"certificateAuthority"},"deviceScope":"ms-azure-iot-edge://gate-637131779299315265"}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"type":"certificateAuthority"},"deviceScope":null}"#;
KeysByHub: Confirmed, "§4",
    "A device is created without authentication.",
    "The hub makes both keys, and this file does not know them: the devices have to be given them from the hub. An X.509 device of an export \
     without keys becomes a symmetric key one. `transform --preset migrate` refuses such a line, under every mode that writes the identity.",
    "`authentication` in the line; `hubmill transform --regenerate-keys --keyless sas --keys-out FILE` makes keys that are known.",
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":null}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"type":"certificateAuthority"}}"#;
MemberCase: Inferred, "§1.5",
    "A name that the hub knows stands in another case.",
    "The hub's reader probably takes both spellings for the same member; other readers do not. What the value holds is not checked. \
     `diff` and `undo` write nothing for a device or module with such a line.",
    "The exact name, `eTag` and `twinETag` for instance.",
    r#"{"id":"dev1","status":"enabled","importMode":"delete","etag":"MA=="}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"delete","eTag":"MA=="}"#;
UnknownMember: Confirmed, "§1.5",
    "The line has a member that the hub does not know.",
    "The hub passes over such members without a word: what they say is lost. Most are slips, `thumbprint` or `desiredProperties` for instance.",
    "The name that was meant, or none.",
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","desiredProperties":{"a":1}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","properties":{"desired":{"a":1}}}"#;
EnumCase: Confirmed, "§1.5",
    "An enum value stands in another case than the hub writes it.",
    "The hub takes any case (`Enabled`, `SAS` and `CreateOrUpdate` were seen to pass). Other tools may not.",
    "The spelling of the hub: `enabled`, `sas`, `createOrUpdate`.",
    r#"{"id":"dev1","status":"Enabled","importMode":"delete"}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"delete"}"#;
EnumNumber: Inferred, "§1.2, §1.5",
    "An enum value stands as a number.",
    "The hub's reader probably takes it for the value with this number.",
    "The name of the value.",
    r#"{"id":"dev1","status":0,"importMode":"delete"}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"delete"}"#;
IdDiscouraged: Confirmed, "§3.1",
    "The id has a `:` or a `;`.",
    "Microsoft's SDK and older documentation allow both; documentation since 2018 leaves them out.",
    "Another character, where the id is still free to choose.",
    r#"{"id":"plant:dev1","status":"enabled","importMode":"delete"}"#,
    r#"{"id":"plant-dev1","status":"enabled","importMode":"delete"}"#;
EtagStale: Confirmed, "§2",
    "A line that creates a device has an `eTag`.",
    "What does not exist has no ETag; Microsoft's SDK refuses it: \"The ETag should not be set while registering the device.\" It is left over \
     from an export.",
    "No `eTag`: `hubmill transform --strip-etags`.",
    r#"{"id":"dev1","eTag":"MA==","status":"enabled","importMode":"create","authentication":{"type":"certificateAuthority"}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"type":"certificateAuthority"}}"#;
TwinEtagStale: Confirmed, "§2",
    "A line that creates a device has a `twinETag`.",
    "The twin's ETag is compared by itself, whatever the mode says of the device's: where it does not match, an error is written to the log.",
    "No `twinETag`: `hubmill transform --strip-etags`.",
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"type":"certificateAuthority"},"twinETag":"AAAAAAAAAAE=","tags":{}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"type":"certificateAuthority"},"tags":{}}"#;
DuplicateLine: Unknown, "§2, §10",
    "A line stands in the file twice.",
    "Both are probably applied one after the other; the second may fail (a second `create`, a second `delete`).",
    "Each line once.",
    "{\"id\":\"dev1\",\"status\":\"enabled\",\"importMode\":\"delete\"}\n{\"id\":\"dev1\",\"status\":\"enabled\",\"importMode\":\"delete\"}",
    "{\"id\":\"dev1\",\"status\":\"enabled\",\"importMode\":\"delete\"}\n{\"id\":\"dev2\",\"status\":\"enabled\",\"importMode\":\"delete\"}";
ThumbprintMissing: ThirdParty, "§3.5",
    "The type is `selfSigned`, and there is no thumbprint.",
    "The hub takes such a device, but no certificate can ever match it.",
    "At least `primaryThumbprint`.",
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"type":"selfSigned"}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"x509Thumbprint":{"primaryThumbprint":"⟨40 × a⟩"},"type":"selfSigned"}}"#;
AuthenticationNone: ThirdParty, "§3.5",
    "The type of authentication is `none`.",
    "The hub was seen to refuse it for devices, and to make it `sas` for modules. Its own modules of edge devices have it.",
    "`sas`, `selfSigned` or `certificateAuthority`.",
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"type":"none"}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"type":"certificateAuthority"}}"#;
TypeBeforeThumbprint: Unknown, "§1.2",
    "`type` stands before `x509Thumbprint`.",
    "Microsoft's SDK ends with the type `selfSigned` then, whatever `type` says, since it reads members in order. What the service does is not \
     known.",
    "`type` as the last member of `authentication`.",
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"type":"certificateAuthority","x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null}}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"x509Thumbprint":{"primaryThumbprint":null,"secondaryThumbprint":null},"type":"certificateAuthority"}}"#;
ModuleBeforeDevice: Unknown, "§1.7",
    "A module's line stands before its device's.",
    "A device must be there before its modules. Whether a job goes through the file in order is not known.",
    "The device's line first; safest are two jobs, devices and then modules.",
    "{\"id\":\"dev1\",\"moduleId\":\"m\",\"status\":\"enabled\",\"importMode\":\"create\",\"authentication\":{\"type\":\"certificateAuthority\"}}\n\
     {\"id\":\"dev1\",\"status\":\"enabled\",\"importMode\":\"create\",\"authentication\":{\"type\":\"certificateAuthority\"}}",
    "{\"id\":\"dev1\",\"status\":\"enabled\",\"importMode\":\"create\",\"authentication\":{\"type\":\"certificateAuthority\"}}\n\
     {\"id\":\"dev1\",\"moduleId\":\"m\",\"status\":\"enabled\",\"importMode\":\"create\",\"authentication\":{\"type\":\"certificateAuthority\"}}";
ParentScopes: Unknown, "§1.3",
    "The line has `parentScopes`.",
    "It is in the REST description, for edge devices below others; exports did not have it when this was last looked at, and whether an import job \
     heeds it is not known.",
    "The parents set afterwards, device by device.",
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"type":"certificateAuthority"},"capabilities":{"iotEdge":true},"parentScopes":["ms-azure-iot-edge://gate-637131779299315265"]}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"type":"certificateAuthority"},"capabilities":{"iotEdge":true}}"#;
TooManyModules: Confirmed, "§3.1",
    "A device has more than 50 modules in the file.",
    "The documentation says at most 50 on a device; there is an error for it, 413003. Modules that the hub has already come on top.",
    "Fewer modules.",
    r##"⟨51 lines of {"id":"dev1","moduleId":"m#","status":"enabled","importMode":"create","authentication":{"type":"certificateAuthority"}}⟩"##,
    r##"⟨50 lines of {"id":"dev1","moduleId":"m#","status":"enabled","importMode":"create","authentication":{"type":"certificateAuthority"}}⟩"##;
DeviceScopeSet: ThirdParty, "§3.7",
    "An edge device's own scope is set by hand.",
    "The hub makes it, and it never changes. A scope in a line that creates the device was seen to be passed over; one that is not the device's own \
     can't be right.",
    "No `deviceScope` on an edge device that is created. Its parent, if it has one, belongs into `parentScopes`.",
    r#"{"id":"gate","status":"enabled","importMode":"create","authentication":{"type":"certificateAuthority"},"capabilities":{"iotEdge":true},"deviceScope":"ms-azure-iot-edge://gate-637131779299315265"}"#,
    r#"{"id":"gate","status":"enabled","importMode":"create","authentication":{"type":"certificateAuthority"},"capabilities":{"iotEdge":true}}"#;
KeysMissing: Confirmed, "§4",
    "Symmetric keys are needed and not there.",
    "In a full check: the line authenticates by symmetric key, and both keys are null or missing; the hub makes them, and this file does not know \
     them. In a transform: a rule makes or moves one key and needs the other; the line was left alone.",
    "Both keys; `hubmill transform --regenerate-keys --keys-out FILE` makes keys that are known.",
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null},"type":"sas"}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"create","authentication":{"symmetricKey":{"primaryKey":"AAECAwQFBgcICQoLDA0ODw==","secondaryKey":"AAECAwQFBgcICQoLDA0ODw=="},"type":"sas"}}"#;
Keyless: Inferred, "§4", by "transform --regenerate-keys",
    "A rule for keys met a line without authentication, and left it alone.",
    "In an export without keys an X.509 device can't be told from a symmetric key one: new keys could take its certificate away.",
    "An export with keys; or `--keyless sas` where all such devices authenticate by symmetric key.",
    r#"{"id":"dev1","status":"enabled","authentication":null}"#,
    r#"{"id":"dev1","status":"enabled","authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null},"type":"sas"}}"#;
TwinNull: Unknown, "§3.6, §10",
    "There is a null in tags, desired or reported.",
    "In a patch null takes a member away; in a line of an import file it is not known what it does. A null in an array was seen to be refused.",
    "No such member.",
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","tags":{"floor":null}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"updateTwin","tags":{}}"#;
LoneSurrogate: Confirmed, "RFC 8259, section 8.2",
    "A text has an escape of half a character, `\\ud800` for instance.",
    "The grammar allows it, but it stands for no character: readers refuse it, or put another in its place.",
    "The character itself, or both halves.",
    r#"{"id":"dev1","status":"enabled","importMode":"delete","statusReason":"\ud83d"}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"delete","statusReason":"\ud83d\ude00"}"#;
Notice: Inferred, "§1.6",
    "The first line is a message of the hub, and no device.",
    "An export without keys begins with one. An import of a file that still has it is probably refused (400009).",
    "A file without it; every `hubmill transform` leaves it out.",
    "The keys were left out.\n{\"id\":\"dev1\",\"status\":\"enabled\",\"importMode\":\"delete\"}",
    "{\"id\":\"dev1\",\"status\":\"enabled\",\"importMode\":\"delete\"}";
Bom: Unknown, "§1.5, §10",
    "The file begins with a byte order mark.",
    "What the hub makes of it is not known; Microsoft's samples write none.",
    "A file without it; every `hubmill transform` leaves it out.",
    "⟨byte ef⟩⟨byte bb⟩⟨byte bf⟩{\"id\":\"dev1\",\"status\":\"enabled\",\"importMode\":\"delete\"}",
    "{\"id\":\"dev1\",\"status\":\"enabled\",\"importMode\":\"delete\"}";
BlankLine: Unknown, "§1.5, §10",
    "A line is blank.",
    "What the hub makes of it is not known.",
    "A file without it; every `hubmill transform` leaves it out.",
    "{\"id\":\"dev1\",\"status\":\"enabled\",\"importMode\":\"delete\"}\n\n{\"id\":\"dev2\",\"status\":\"enabled\",\"importMode\":\"delete\"}",
    "{\"id\":\"dev1\",\"status\":\"enabled\",\"importMode\":\"delete\"}\n{\"id\":\"dev2\",\"status\":\"enabled\",\"importMode\":\"delete\"}";
EmptyOutput: Confirmed, "§5.4",
    "There is not one line of a device.",
    "An import job with an empty blob was seen to be refused (400008).",
    "At least one line; no job where there is nothing to do.",
    " ",
    r#"{"id":"dev1","status":"enabled","importMode":"delete"}"#;
IdsNotFound: Own, "cli", by "transform --ids ids.txt",
    "Ids of `--ids` or `--ids-not` are in no line.",
    "A slip in the list, or the wrong file: fewer devices are selected than was thought.",
    "Ids in their exact case.",
    r#"{"id":"dev2","status":"enabled"}"#,
    r#"{"id":"dev1","status":"enabled"}"#;
CsvRow: Own, "cli", by "generate --from-csv -",
    "A row of a CSV file has more or fewer cells than the header, a quote where RFC 4180 has none, or a cell that would go into a value of `--tags` or `--desired` that is no object.",
    "Which text belongs to which column is not known then, or which of two values was meant. It is most often a comma in a cell that is not quoted, or a quote that is not closed: all rows up to the next quote would be in its cell.",
    "As many cells as columns; a cell with a comma, a quote or a line end in double quotes as a whole, each quote in it written twice.",
    "id,tags.site\ndev1,oslo,north",
    "id,tags.site\ndev1,\"oslo,north\"";
LogSyntax: Own, "§5.5", by "retry --errors - ids.txt",
    "A line of the log of an import can't be read.",
    "It may name a line that failed, which is then in no output. A log that was cut off while it was copied ends so.",
    "The whole log, as the job wrote it: one JSON object a line, with `errorCode`.",
    r#"{"deviceId":"dev1","errorCode":429001,"errorStatus":"dev"#,
    r#"{"deviceId":"dev1","errorCode":429001,"errorStatus":"dev1"}"#;
LogUnmatched: Own, "§5.5", by "retry --errors - ids.txt",
    "The log of an import names a device or quotes a line that the import file does not hold.",
    "The log is of another import, or the file was changed since: a line that failed is then in no output.",
    "The file as it was imported, and the log of that job.",
    r#"{"errorCode":400012,"errorStatus":"Invalid device format in line: dev2. Unexpected character."}"#,
    r#"{"errorCode":400012,"errorStatus":"Invalid device format in line: dev1. Unexpected character."}"#;
LogCodeUnknown: Unknown, "§5.6", by "retry --errors - ids.txt",
    "The log of an import has an error code that is in no list.",
    "What it means, and whether another import helps, is not known. Its lines are written all the same, so that none is lost.",
    "A look at what the hub holds of these devices, or a question to Microsoft's support.",
    r#"{"errorCode":499123,"errorStatus":"Invalid device format in line: dev1. Unexpected character."}"#,
    r#"{"errorCode":400012,"errorStatus":"Invalid device format in line: dev1. Unexpected character."}"#;
LeftOut: Inferred, "§5.3, §5.6", by "retry --errors - ids.txt",
    "A failed line is left out, since another import can't mend it.",
    "A device that was there already can't be created (409001); near its quota a hub refuses a job where there is still room (403002); \
     a module of the hub itself can't be written (401100).",
    "`--individually PATH` writes such lines to be dealt with one by one; `--code` and `--all` select them all the same.",
    r#"{"errorCode":403002,"errorStatus":"Invalid device format in line: dev1. Unexpected character."}"#,
    r#"{"errorCode":429001,"errorStatus":"Invalid device format in line: dev1. Unexpected character."}"#;
NotADevice: Own, "§1", by "diff hub.txt -",
    "An export that is compared or rehearsed on has lines that are no device and no module.",
    "What they stand for is not known, so it is as if these devices were not there.",
    "A whole export, as the hub wrote it. `hubmill validate` names each such line.",
    r#"{"id":"dev1","status":"enabled""#,
    r#"{"id":"dev1","status":"enabled","authentication":{"type":"certificateAuthority"}}"#;
NotWritten: Inferred, "§1.7, §2, §3.7, §4", by "diff keyless.txt -",
    "Something differs between two exports, or was changed by an import, and no line of an import can safely set it right.",
    "Where no export says how a device authenticates, an update of its identity would give it new keys; the hub's own modules can't be \
     created; a line that is to match an ETag needs one; a module needs its device; whether an edge device can become one that is none, with \
     its immutable scope, is not known.",
    "Exports with their keys; what is left is to be done by hand.",
    r#"{"id":"dev1","status":"disabled","authentication":null}"#,
    r#"{"id":"dev1","status":"enabled","authentication":null}"#;
NotRestored: Inferred, "§2, §3.7, §4", by "undo --registry hub.txt -",
    "Something of a device that an import deleted or changed can't be brought back.",
    "The hub makes the generation id, an edge device's scope and its own modules; messages that were queued are gone; keys are in no export \
     that was made without them.",
    "A look at what is named: children are to be given their parent again, devices their keys.",
    r#"{"id":"dev1","status":"enabled","importMode":"delete"}"#,
    r#"{"id":"dev1","status":"disabled","importMode":"update","authentication":{"type":"certificateAuthority"}}"#;
FailedPartly: Unknown, "§2, §5.6", by "undo --registry hub.txt --errors log.txt -",
    "A line of an import failed for an ETag, and has a `twinETag`.",
    "A twin's ETag is checked by itself. Whether the identity was written although the twin was refused is not known, so `undo` writes the backup's.",
    "An export from after the import, with keys, for `--after`: it shows what was written.",
    r#"{"id":"dev1","status":"disabled","authentication":{"type":"certificateAuthority"},"twinETag":"AAAAAAAAAAI="}"#,
    r#"{"id":"dev1","status":"disabled","authentication":{"type":"certificateAuthority"}}"#;
ChangedSince: Own, "cli", by "undo --registry hub.txt --after - keyless.txt",
    "A device or module is in the hub, but not as the import that is to be taken back left it.",
    "Someone has changed it since: to take the import back would take that back, too. It is left as it is.",
    "A decision by hand; `undo` without `--after` does not ask.",
    r#"{"id":"dev1","eTag":"Mg==","status":"disabled","authentication":{"type":"sas"}}"#,
    r#"{"id":"dev1","eTag":"Mg==","status":"enabled","authentication":{"type":"sas"}}"#;
AuthenticationUnknown: Confirmed, "§4", by "diff hub.txt -",
    "A device or module has no authentication in one of two exports, or in both.",
    "An export without keys has null for all of them, whatever they are in the hub. So it can't be told whether they differ; they are left \
     as they are, but where something else differs: an update without any would make new keys, so it has that of the other export. `undo --after` writes the \
     backup's, since the import's may be there.",
    "Exports with their keys, where keys are to be compared.",
    r#"{"id":"dev1","status":"enabled","authentication":null}"#,
    r#"{"id":"dev1","status":"enabled","authentication":{"type":"certificateAuthority"}}"#;
TwinRollback: Inferred, "§2", by "transform --status disabled",
    "A changed line would set the twin back to the time of the export.",
    "A mode that overwrites takes tags and desired properties from the line, too. What was changed in the hub since the export is lost.",
    "`--strip-twin` (`--identity-only`), which leaves the twin in the hub as it is.",
    r#"{"id":"dev1","status":"enabled","authentication":{"type":"certificateAuthority"},"tags":{"floor":2}}"#,
    r#"{"id":"dev1","status":"enabled","authentication":{"type":"certificateAuthority"}}"#;
LeftX509: Own, "§3.5", by "transform --regenerate-keys",
    "A rule for keys left an X.509 device alone.",
    "It authenticates by a certificate; symmetric keys would take that away.",
    "Nothing; the count says how many.",
    r#"{"id":"dev1","status":"enabled","authentication":{"x509Thumbprint":{"primaryThumbprint":"⟨40 × a⟩"},"type":"selfSigned"}}"#,
    r#"{"id":"dev1","status":"enabled","authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null},"type":"sas"}}"#;
LeftCa: Own, "§3.5", by "transform --regenerate-keys",
    "A rule for keys left a device alone whose certificate an authority signs.",
    "It authenticates by a certificate; symmetric keys would take that away.",
    "Nothing; the count says how many.",
    r#"{"id":"dev1","status":"enabled","authentication":{"type":"certificateAuthority"}}"#,
    r#"{"id":"dev1","status":"enabled","authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null},"type":"sas"}}"#;
LeftNone: Own, "§3.5", by "transform --regenerate-keys",
    "A rule for keys left a line alone whose type is `none`.",
    "It does not authenticate by symmetric key.",
    "Nothing; the count says how many.",
    r#"{"id":"dev1","status":"enabled","authentication":{"type":"none"}}"#,
    r#"{"id":"dev1","status":"enabled","authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null},"type":"sas"}}"#;
LeftSystemModule: Own, "§1.7", by "transform --regenerate-keys",
    "A rule for keys left a module of the hub itself alone.",
    "Modules whose id begins with `$` can't be written by an import.",
    "Nothing; the count says how many. `--drop-system-modules` leaves the lines out.",
    r#"{"id":"dev1","moduleId":"$edgeHub","status":"enabled","authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null},"type":"sas"}}"#,
    r#"{"id":"dev1","moduleId":"hub","status":"enabled","authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null},"type":"sas"}}"#;
LeftMode: Own, "§2", by "transform --regenerate-keys",
    "A rule for keys left a line alone whose mode writes no keys.",
    "`delete*` and `updateTwin*` do not touch them.",
    "Nothing; the count says how many.",
    r#"{"id":"dev1","status":"enabled","importMode":"delete","authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null},"type":"sas"}}"#,
    r#"{"id":"dev1","status":"enabled","importMode":"update","authentication":{"symmetricKey":{"primaryKey":null,"secondaryKey":null},"type":"sas"}}"#;
}

#[cfg(test)]
mod tests {
    use super::{ABOUT, expand_example};
    use crate::Code;

    #[test]
    fn every_code_is_explained_in_the_order_of_the_codes() {
        let codes: Vec<Code> = ABOUT.iter().map(|about| about.code).collect();
        assert_eq!(codes, Code::ALL);
        for about in ABOUT {
            for text in [about.what, about.why, about.instead, about.source, about.command] {
                assert!(!text.trim().is_empty() && !text.contains("  "), "{:?}: {text}", about.code);
            }
            assert!(about.what.ends_with('.') && about.why.ends_with('.'), "{:?}", about.code);
        }
    }

    #[test]
    fn examples_expand() {
        assert_eq!(expand_example("a⟨3 × xy⟩b⟨byte ff⟩"), b"axyxyxyb\xff\n");
        assert_eq!(expand_example("plain"), b"plain\n");
        assert_eq!(expand_example("⟨2 lines of m#⟩"), b"m1\nm2\n");
    }
}
