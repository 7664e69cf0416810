//! `--preset migrate`: what only makes sense in the hub that a line comes from (§3.7).

use std::collections::HashMap;

use hubmill_device::{Code, Member, MemberSet, scope_parent};
use hubmill_parser::{Content, Level, Limits, MemberSpan, Parser, Record};

use crate::authentication::{object_or_null, pick, wrong_type};
use crate::edit::replace;
use crate::finding::{Detail, Finding};
use crate::names::{Names, Strictness};
use crate::rules::Rules;
use crate::scratch::Scratch;

/// The scopes of edge devices, by device id.
#[derive(Debug, Default)]
pub struct ScopeMap {
    /// The value is the scope as it stands in a line, quotes and all.
    scopes: HashMap<Box<[u8]>, Box<[u8]>>,
}

impl ScopeMap {
    /// An empty map.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the edge devices out of a piece of an export, which must be whole lines. Lines that are no edge devices, or
    /// not valid, are passed over; returns how many were not valid.
    pub fn read(&mut self, lines: &[u8]) -> u64 {
        let mut invalid = 0;
        let mut names = Names::default();
        Parser::new(Level::detect(), Limits::default()).parse(lines, 0, |line| {
            match line.content {
                Content::Record(record) => {
                    if self.take(&record, &mut names).is_none() {
                        invalid += 1;
                    }
                }
                Content::Invalid(_) => invalid += 1,
                Content::Blank => {}
            }
            std::ops::ControlFlow::Continue(())
        });
        invalid
    }

    fn take(&mut self, record: &Record<'_>, names: &mut Names) -> Option<()> {
        names
            .read(record, Strictness { unique: true, exact: MemberSet::EMPTY, exact_for_edits: MemberSet::EMPTY })
            .ok()?;
        if !is_edge_device(record, names).ok()? {
            return Some(());
        }
        let id = record.text(names.get(record, Member::Id)?.value)?;
        if let Some(scope) = names.get(record, Member::DeviceScope)
            && record.text(scope.value).is_some_and(|scope| !scope.is_empty())
        {
            self.scopes.insert(id.into(), record.bytes(scope.value).into());
        }
        Some(())
    }

    /// How many edge devices there are.
    pub fn len(&self) -> usize {
        self.scopes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.scopes.is_empty()
    }
}

/// What a migration does to scopes and missing keys.
#[derive(Debug, Default)]
pub(crate) struct Migrate {
    pub(crate) scope_map: Option<ScopeMap>,
    pub(crate) allow_device_scope: bool,
    pub(crate) allow_keys_by_hub: bool,
}

impl Rules {
    /// Removes an edge device's own scope, and maps or refuses a child's.
    pub(crate) fn migrate_scope(
        &self,
        scratch: &mut Scratch,
        record: &Record<'_>,
        migrate: &Migrate,
    ) -> Result<(), Finding> {
        let Some(member) = scratch.layouts.names().get(record, Member::DeviceScope) else {
            return Ok(());
        };
        if scratch.changes.removed.contains(Member::DeviceScope) {
            return Ok(());
        }
        if is_edge_device(record, scratch.layouts.names())? {
            scratch.changes.removed.insert(Member::DeviceScope);
            return Ok(());
        }
        let Some(scope) = record.text(member.value) else {
            return if record.bytes(member.value) == b"null" {
                Ok(())
            } else {
                Err(wrong_type(member.value, Member::DeviceScope.name(), "a string or null"))
            };
        };
        if scope.is_empty() {
            return Ok(());
        }
        let mapped = match &migrate.scope_map {
            Some(map) => scope_parent(&scope).and_then(|parent| map.scopes.get(parent)),
            None => None,
        };
        if let Some(mapped) = mapped {
            let start = scratch.texts.len();
            scratch.texts.extend_from_slice(mapped);
            if record.bytes(member.value) != mapped.as_ref() {
                let text = hubmill_parser::Span::new(start, scratch.texts.len());
                scratch.changes.inside.push(replace(member.value, text));
            }
            return Ok(());
        }
        let message = if migrate.scope_map.is_some() {
            "the parent of this child device is no edge device in the export of --scope-map; \
             import the edge devices first, or pass the line with --allow device-scope"
        } else {
            "a child's scope belongs to the old hub (§3.7); map it with --scope-map EXPORT, \
             or pass the line with --allow device-scope"
        };
        let finding =
            Finding::new(Code::DeviceScope, member.value.start, Member::DeviceScope.name(), Detail::Text(message));
        if migrate.allow_device_scope {
            scratch.findings.push(finding.warning());
            return Ok(());
        }
        Err(finding)
    }

    /// Refuses a line for which the hub would make keys: one without authentication whose mode writes the identity.
    pub(crate) fn migrate_authentication(
        &self,
        scratch: &mut Scratch,
        record: &Record<'_>,
        migrate: &Migrate,
    ) -> Result<(), Finding> {
        let at = scratch
            .layouts
            .names()
            .get(record, Member::Authentication)
            .map_or(record.open(), |member| member.value.start);
        let message = "no authentication: the hub would make keys that nobody here knows (§4); give the line keys with \
                       --regenerate-keys --keyless sas, or pass it with --allow keys-by-hub";
        let finding = Finding::new(Code::KeysByHub, at, Member::Authentication.name(), Detail::Text(message));
        if migrate.allow_keys_by_hub {
            scratch.findings.push(finding.warning());
            return Ok(());
        }
        Err(finding)
    }
}

/// Whether `capabilities.iotEdge` is true on a device, not a module.
fn is_edge_device(record: &Record<'_>, names: &Names) -> Result<bool, Finding> {
    let is_string = |member: MemberSpan| record.bytes(member.value).first() == Some(&b'"');
    if names.get(record, Member::ModuleId).is_some_and(is_string) {
        return Ok(false);
    }
    let Some(member) = names.get(record, Member::Capabilities) else {
        return Ok(false);
    };
    let Some(inner) = object_or_null(record, &member, "capabilities")? else {
        return Ok(false);
    };
    let mut found = [None; 1];
    pick(record, inner, &["iotEdge"], "capabilities", &mut found)?;
    match found[0] {
        None => Ok(false),
        Some(edge) => match record.bytes(edge.value) {
            b"true" => Ok(true),
            b"false" | b"null" => Ok(false),
            _ => Err(wrong_type(edge.value, "capabilities.iotEdge", "true or false")),
        },
    }
}
