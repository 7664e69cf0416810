//! Ids, status, import mode, ETags and scopes of a line (§1.7, §2, §3.1, §3.2, §3.7).

use hubmill_device::{
    Code, ID_CHARACTERS, ID_CHARACTERS_MAX, IdFault, ImportMode, Member, Place, STATUS_REASON_CHARACTERS_MAX, Severity,
    Status, check_id, is_system_module, scope_parent,
};
use hubmill_parser::{ByteSet, MemberSpan, Record, Span};

use super::text::character_count;
use super::{CheckScratch, Checker, Facts, ID_SET};
use crate::finding::{Detail, Finding};
use crate::options::Check;

/// An enum value as it stands in a line.
enum EnumValue<T> {
    Known(T),
    /// A text or a number that is none of the values.
    Unknown,
    /// Neither a text nor a number.
    WrongType,
}

/// The characters of an id of which nothing is to be said: all that are legal but those that are discouraged.
pub(super) static PLAIN: ByteSet = ByteSet::new(ID_CHARACTERS).without(DISCOURAGED);
const DISCOURAGED: &[u8] = b":;";

impl Checker {
    /// `id` and `moduleId`.
    #[inline]
    pub(super) fn check_ids(&self, scratch: &mut CheckScratch, record: &Record<'_>, facts: &mut Facts) {
        let id = scratch.get(record, Member::Id);
        match id.and_then(|member| Some((member, record.text(member.value)?))) {
            Some((member, id)) => {
                facts.id = Some(member.value);
                self.check_one_id(scratch, record, &member, &id, "id");
            }
            None => self.no_id(scratch, record, id),
        }
        let Some(member) = scratch.get(record, Member::ModuleId) else {
            return;
        };
        match record.text(member.value) {
            Some(module_id) => {
                facts.module_id = Some(member.value);
                if self.check == Check::Full {
                    self.check_one_id(scratch, record, &member, &module_id, "moduleId");
                }
            }
            None if record.bytes(member.value) == b"null" || self.check != Check::Full => {}
            None => self.wrong_type(scratch, member.value.start, "moduleId", "a string or null"),
        }
    }

    #[inline]
    fn check_one_id(
        &self,
        scratch: &mut CheckScratch,
        record: &Record<'_>,
        member: &MemberSpan,
        id: &[u8],
        path: &'static str,
    ) {
        let is_short = (1..=ID_CHARACTERS_MAX).contains(&id.len());
        if is_short && record.text_within(member.value, &PLAIN).is_some() {
            return;
        }
        let is_legal = is_short && record.text_within(member.value, &ID_SET).is_some();
        let faults = if is_legal { [None, None] } else { check_id(id) };
        if faults != [None, None] {
            self.id_faults(scratch, member, faults, path);
        }
        if self.check == Check::Full && (is_legal || id.iter().any(|byte| DISCOURAGED.contains(byte))) {
            let message =
                "':' and ';' in an id are taken by Microsoft's SDK, but newer documentation leaves them out (§3.1)";
            self.say(scratch, Code::IdDiscouraged, member.value.start, path, Detail::Text(message));
        }
    }

    #[cold]
    fn id_faults(
        &self,
        scratch: &mut CheckScratch,
        member: &MemberSpan,
        faults: [Option<IdFault>; 2],
        path: &'static str,
    ) {
        let of_device = path == "id";
        for fault in faults.into_iter().flatten() {
            let (code, detail) = match (fault, of_device) {
                (IdFault::Character { character, at }, true) => {
                    (Code::IdCharset, Detail::IdCharacter { character, at })
                }
                (IdFault::Character { character, at }, false) => {
                    (Code::ModuleIdCharset, Detail::ModuleIdCharacter { character, at })
                }
                (IdFault::Length { characters }, true) => (Code::IdLength, Detail::IdLength(characters)),
                (IdFault::Length { characters }, false) => (Code::ModuleIdLength, Detail::ModuleIdLength(characters)),
            };
            self.say(scratch, code, member.value.start, path, detail);
        }
    }

    #[cold]
    fn no_id(&self, scratch: &mut CheckScratch, record: &Record<'_>, id: Option<MemberSpan>) {
        let (code, at, detail) = match id {
            Some(member) if record.bytes(member.value) != b"null" => {
                (Code::MemberType, member.value.start, Detail::Type("a string"))
            }
            Some(member) => {
                (Code::IdMissing, member.value.start, Detail::Text("the id is null; every line needs one (§1.5)"))
            }
            None => {
                let mut members = record.members().iter();
                match members.find(|member| record.name(member).eq_ignore_ascii_case(b"id")) {
                    Some(member) => (
                        Code::IdMissing,
                        member.start(),
                        Detail::Text("there is no id, only the name in another case; it must be \"id\""),
                    ),
                    None => {
                        (Code::IdMissing, record.open(), Detail::Text("there is no id; every line needs one (§1.5)"))
                    }
                }
            }
        };
        self.say(scratch, code, at, "id", detail);
    }

    /// `importMode`; `None` where it can't be told.
    #[inline]
    pub(super) fn read_mode(&self, scratch: &mut CheckScratch, record: &Record<'_>) -> Option<ImportMode> {
        let Some(member) = scratch.get(record, Member::ImportMode) else {
            // The hub probably goes by a name in another case (§1.5).
            return (!scratch.variants.contains(Member::ImportMode)).then_some(ImportMode::default());
        };
        let expected = "one of the nine import modes (§2), create or delete for instance";
        let code = Code::ImportModeValue;
        self.enum_value(
            scratch,
            record,
            &member,
            ("importMode", code, expected),
            ImportMode::from_text,
            ImportMode::as_str,
        )
    }

    /// `status`.
    #[inline]
    pub(super) fn check_status(&self, scratch: &mut CheckScratch, record: &Record<'_>) -> Option<Status> {
        let member = scratch.get(record, Member::Status);
        match member.map(|member| (member, record.bytes(member.value))) {
            Some((_, b"\"enabled\"")) => Some(Status::Enabled),
            Some((_, b"\"disabled\"")) => Some(Status::Disabled),
            None if scratch.variants.contains(Member::Status) && self.check == Check::Full => None,
            None | Some((_, b"null")) => {
                let at = member.map_or(record.open(), |member| member.value.start);
                let message = "no status: an import job needs it on every line (§1.5), enabled or disabled";
                self.say(scratch, Code::StatusMissing, at, "status", Detail::Text(message));
                None
            }
            Some((member, _)) => {
                let of = ("status", Code::StatusValue, "enabled or disabled (§1.2)");
                self.enum_value(scratch, record, &member, of, Status::from_text, Status::as_str)
            }
        }
    }

    /// Reads an enum value as the hub does (§1.5), and says where it is not written as the hub writes it.
    #[inline]
    pub(super) fn enum_value<T: Copy>(
        &self,
        scratch: &mut CheckScratch,
        record: &Record<'_>,
        member: &MemberSpan,
        (path, code, expected): (&'static str, Code, &'static str),
        from_text: fn(&[u8]) -> Option<T>,
        as_str: fn(T) -> &'static str,
    ) -> Option<T> {
        let raw = record.bytes(member.value);
        let text = record.text(member.value);
        let value = match (&text, raw[0]) {
            (Some(text), _) => from_text(text).map_or(EnumValue::Unknown, EnumValue::Known),
            (None, b'-' | b'0'..=b'9') => from_text(raw).map_or(EnumValue::Unknown, EnumValue::Known),
            (None, b'n') => EnumValue::Unknown,
            (None, _) => EnumValue::WrongType,
        };
        match value {
            EnumValue::Known(value) => {
                let canonical = as_str(value);
                if self.check == Check::Full && text.as_deref() != Some(canonical.as_bytes()) {
                    let as_number = text.as_deref().unwrap_or(raw)[0].is_ascii_digit();
                    let code = if as_number { Code::EnumNumber } else { Code::EnumCase };
                    self.say(scratch, code, member.value.start, path, Detail::Enum(canonical));
                }
                Some(value)
            }
            // A short check asks only whether there is a status.
            _ if self.check != Check::Full => None,
            EnumValue::Unknown => {
                self.say(scratch, code, member.value.start, path, Detail::Type(expected));
                None
            }
            EnumValue::WrongType => {
                self.wrong_type(scratch, member.value.start, path, "a string");
                None
            }
        }
    }

    /// Modules that are the hub's own (§1.7).
    #[inline]
    pub(super) fn check_reserved(&self, scratch: &mut CheckScratch, record: &Record<'_>, facts: &Facts) {
        if let Some(module_id) = facts.module_id
            && record.text(module_id).is_some_and(|module_id| is_system_module(&module_id))
        {
            self.reserved_module(scratch, module_id, facts.mode);
        }
    }

    /// `statusReason`
    #[inline]
    pub(super) fn check_status_reason(&self, scratch: &mut CheckScratch, record: &Record<'_>) {
        if let Some(member) = scratch.get(record, Member::StatusReason)
            && let Some(reason) = self.text_or_null(scratch, record, &member, "statusReason")
            && reason.len() > STATUS_REASON_CHARACTERS_MAX
        {
            let (count, max) = (character_count(&reason), STATUS_REASON_CHARACTERS_MAX);
            if count > max {
                let detail = Detail::Long { unit: "characters", count, max };
                self.say(scratch, Code::StatusReasonLength, member.value.start, "statusReason", detail);
            }
        }
    }

    #[cold]
    fn reserved_module(&self, scratch: &mut CheckScratch, module_id: Span, mode: Option<ImportMode>) {
        let (severity, message) = if mode.is_some_and(ImportMode::is_update_twin) {
            let message = "a module of the hub itself; whether a job updates its twin is not known (§1.7)";
            (Severity::Warning, message)
        } else {
            let message = "a module of the hub itself ('$'), which an import can't write (§1.7); --drop-system-modules leaves it out";
            (Severity::Error, message)
        };
        let finding = Finding::new(Code::ModuleIdReserved, module_id.start, "moduleId", Detail::Text(message));
        self.add(scratch, Finding { severity, ..finding });
    }

    /// `eTag` and `twinETag`, and what the mode makes of them (§2).
    #[inline]
    pub(super) fn check_etags(&self, scratch: &mut CheckScratch, record: &Record<'_>, mode: Option<ImportMode>) {
        let etag = scratch.get(record, Member::ETag);
        let twin_etag = scratch.get(record, Member::TwinETag);
        let etag = etag.filter(|etag| self.is_etag(scratch, record, etag, "eTag"));
        let twin_etag = twin_etag.filter(|etag| self.is_etag(scratch, record, etag, "twinETag"));
        let Some(mode) = mode else {
            return;
        };
        if mode == ImportMode::Create {
            if let Some(etag) = etag {
                let message = "an eTag under create: what does not exist has none (§2); --strip-etags takes it away";
                self.say(scratch, Code::EtagStale, etag.value.start, "eTag", Detail::Text(message));
            }
            if let Some(etag) = twin_etag {
                let message = "a twinETag under create: it is compared by itself, and nothing is there to match (§2); --strip-etags takes it away";
                self.say(scratch, Code::TwinEtagStale, etag.value.start, "twinETag", Detail::Text(message));
            }
        } else if mode.is_if_match() {
            let (there, member, code) = if mode.is_update_twin() {
                (twin_etag, Member::TwinETag, Code::TwinEtagMissing)
            } else {
                (etag, Member::ETag, Code::EtagMissing)
            };
            if there.is_none() && !scratch.variants.contains(member) {
                let message = if mode.is_update_twin() {
                    "the mode compares the twin's ETag, and the line has no twinETag (§2)"
                } else {
                    "the mode compares ETags, and the line has no eTag (§2)"
                };
                let at = scratch.get(record, Member::ImportMode).map_or(record.open(), |member| member.value.start);
                self.say(scratch, code, at, member.name(), Detail::Text(message));
            }
        }
    }

    /// Whether there is an ETag: a text that is not empty.
    #[inline]
    fn is_etag(
        &self,
        scratch: &mut CheckScratch,
        record: &Record<'_>,
        member: &MemberSpan,
        path: &'static str,
    ) -> bool {
        match record.bytes(member.value) {
            b"\"\"" | b"null" => false,
            [b'"', ..] => true,
            _ => {
                self.wrong_type(scratch, member.value.start, path, "a string or null");
                false
            }
        }
    }

    /// `capabilities`, `deviceScope` and `parentScopes`.
    #[inline]
    pub(super) fn check_scopes(&self, scratch: &mut CheckScratch, record: &Record<'_>, facts: &mut Facts) {
        let capabilities = scratch.get(record, Member::Capabilities);
        facts.is_edge = capabilities.is_some_and(|member| self.is_edge(scratch, record, &member));
        if let Some(member) = scratch.get(record, Member::DeviceScope) {
            facts.has_scope = !matches!(record.bytes(member.value), b"null" | b"\"\"");
            self.check_scope(scratch, record, &member, facts);
        }
        if let Some(member) = scratch.get(record, Member::ParentScopes) {
            self.check_parent_scopes(scratch, record, &member);
        }
    }

    #[inline]
    fn is_edge(&self, scratch: &mut CheckScratch, record: &Record<'_>, member: &MemberSpan) -> bool {
        match record.bytes(member.value) {
            // As the hub writes it.
            br#"{"iotEdge":false}"# => return false,
            br#"{"iotEdge":true}"# => return true,
            _ => {}
        }
        let found = self.pick::<1>(scratch, record, member, Place::Capabilities, Severity::Warning);
        let Some([Some(edge)]) = found else {
            return false;
        };
        match record.bytes(edge.value) {
            b"true" => true,
            b"false" | b"null" => false,
            _ => {
                self.wrong_type(scratch, edge.value.start, "capabilities.iotEdge", "true or false");
                false
            }
        }
    }

    fn check_scope(&self, scratch: &mut CheckScratch, record: &Record<'_>, member: &MemberSpan, facts: &Facts) {
        let Some(scope) = self.text_or_null(scratch, record, member, "deviceScope") else {
            return;
        };
        let writes_identity = facts.mode.is_some_and(ImportMode::writes_identity);
        if scope.is_empty() || !writes_identity || facts.module_id.is_some() {
            return;
        }
        let at = member.value.start;
        if !facts.is_edge {
            let message = "a child's scope is right only in the hub that its edge device is in (§3.7)";
            self.say(scratch, Code::DeviceScope, at, "deviceScope", Detail::Text(message));
        } else if facts.mode == Some(ImportMode::Create) {
            let message = "the hub makes the scope of an edge device that is created, and passes over this one (§3.7)";
            self.say(scratch, Code::DeviceScopeSet, at, "deviceScope", Detail::Text(message));
        } else if scope_parent(&scope) != facts.id.and_then(|id| record.text(id)).as_deref() {
            let message = "an edge device has its own scope, which the hub made and which never changes (§3.7); this is not its own";
            self.say(scratch, Code::DeviceScopeSet, at, "deviceScope", Detail::Text(message));
        }
    }

    #[cold]
    fn check_parent_scopes(&self, scratch: &mut CheckScratch, record: &Record<'_>, member: &MemberSpan) {
        let raw = record.bytes(member.value);
        match raw {
            b"null" => {}
            [b'[', inner @ .., b']'] if inner.iter().all(u8::is_ascii_whitespace) => {}
            [b'[', ..] => {
                let message = "whether an import heeds parentScopes is not known (§1.3); exports leave it out";
                self.say(scratch, Code::ParentScopes, member.value.start, "parentScopes", Detail::Text(message));
            }
            _ => self.wrong_type(scratch, member.value.start, "parentScopes", "an array of strings, or null"),
        }
    }
}
