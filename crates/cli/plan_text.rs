//! A plan in words, and as JSON.

use hubmill_device::Printable;
use hubmill_pipeline::shown;
use hubmill_registry::{Counts, Event, Outcome, Pair, Summary, Written};
use serde_json::{Map, Value, json};

use crate::flags::Format;
use crate::human;

/// From this share of the quota on, in percent, a hub is near it.
const NEAR_QUOTA_PERCENT: u64 = 90;

/// What a plan has come to.
pub(crate) struct Plan<'a> {
    pub(crate) summary: &'a Summary,
    pub(crate) registry: &'a Counts,
    pub(crate) quota: Option<u64>,
    /// What was written to `--result`.
    pub(crate) written: Option<Written>,
}

/// Rows of a table.
#[derive(Default)]
struct Rows(String);

impl Rows {
    fn add(&mut self, name: &str, count: u64, more: &str) {
        let more = if more.is_empty() { String::new() } else { format!("  {more}") };
        self.0.push_str(&format!("{name:<42}{:>12}{more}\n", human::count(count)));
    }

    /// A row and, where there are modules among them, how many.
    fn add_pair(&mut self, name: &str, pair: Pair, more: &str) {
        let modules = if pair.modules > 0 {
            format!("{} among them", human::counted(pair.modules, "module"))
        } else {
            String::new()
        };
        let both = if modules.is_empty() || more.is_empty() { "" } else { "; " };
        self.add(name, pair.sum(), &format!("{modules}{both}{more}"));
    }

    /// A row where there is something to say.
    fn add_some(&mut self, name: &str, count: u64, more: &str) {
        if count > 0 {
            self.add(name, count, more);
        }
    }
}

fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

/// The summary for people.
pub(crate) fn text(plan: &Plan<'_>) -> String {
    let Plan { summary, registry, quota, written } = plan;
    let mut rows = Rows::default();
    rows.add_pair("created", summary.created, "");
    rows.add_pair("updated", summary.updated, "");
    rows.add_pair("twin updated", summary.twin_updated, "");
    let share = format!("{:.1} % of the devices", percent(summary.deleted.devices, summary.devices.0));
    rows.add_pair("deleted", summary.deleted, if summary.deleted.devices > 0 { &share } else { "" });
    rows.add_pair("unchanged", summary.unchanged, "");
    rows.add("failing", summary.failing_lines(), "");
    for ((code, name), count) in &summary.failing {
        let code = code.map_or("number not known:".to_owned(), |code| code.to_string());
        rows.add(&format!("  {code} {name}"), *count, "");
    }
    rows.add_some("  the identity may be written all the same", summary.failing_partly, "");
    rows.add("not known", summary.not_known_lines(), "");
    for (doubt, count) in &summary.not_known {
        rows.add(&format!("  {}", doubt.name()), *count, doubt.text());
    }
    let assumed = "that lines apply in file order, and that a section of a twin replaces the hub's";
    rows.add_some("resting on an assumption", summary.assumed, assumed);
    rows.add_some("ids again, in other lines", summary.repeated, "");
    rows.add_some("blank lines", summary.blank, "");
    rows.add_some("notices", summary.notices, "");
    rows.0.push('\n');
    add_after(&mut rows, summary, *quota);
    rows.add_some("ids again in the export", registry.repeated, "");
    add_risks(&mut rows, summary, *quota);
    if let Some(written) = written {
        rows.0.push('\n');
        rows.add("lines of the result", written.lines, "");
        rows.add_some("  keys that only the hub can make are null", written.keys_by_hub, "");
        rows.add_some("  scopes that only the hub can make left out", written.scopes_by_hub, "");
        rows.add_some("  not known, as they were or left out", written.not_known, "");
    }
    rows.0
}

fn add_after(rows: &mut Rows, summary: &Summary, quota: Option<u64>) {
    let now = |before: u64| format!("now {}", human::count(before));
    rows.add("devices after", summary.devices.1, &now(summary.devices.0));
    rows.add("modules after", summary.modules.1, &now(summary.modules.0));
    let (more, fewer) = summary.uncertain;
    rows.add_some("  more, for all that is known", more, "");
    rows.add_some("  fewer, for all that is known", fewer, "");
    if let Some(quota) = quota {
        let after = summary.devices.1 + summary.modules.1;
        let used = match quota {
            0 => human::count(after),
            quota => format!("{:.1} %", percent(after, quota)),
        };
        rows.add("quota", quota, &format!("{used} used after"));
    }
}

fn add_risks(rows: &mut Rows, summary: &Summary, quota: Option<u64>) {
    let risks = &summary.risks;
    let after = summary.devices.1 + summary.modules.1;
    let is_near = quota.is_some_and(|quota| after.saturating_mul(100) >= quota.saturating_mul(NEAR_QUOTA_PERCENT));
    let created = if is_near { summary.created.sum() } else { 0 };
    let all = [
        (risks.keys_by_hub, "would get new keys, which only the hub knows (§2, §4)"),
        (risks.keys_replaced, "would get other keys, and none of the old ones would work"),
        (risks.turn_sas, "authenticate by X.509 or CA and would turn SAS"),
        (risks.keyless, "have an authentication that is not in the export (§4): whether it changes is not known"),
        (risks.disabled, "may connect and would be disabled"),
        (risks.twins_replaced, "have twins that would go back to the file's state"),
        (risks.edge_deleted, "are edge devices and would be deleted"),
        (risks.orphaned_children, "are children of deleted edge devices and would stay without them (§3.7)"),
        (risks.modules_with_device, "are modules and would go with their device"),
        (risks.maybe_deleted, "may be deleted: that is not known"),
        (risks.new_keys_by_hub, "are new and would get keys that only the hub knows (§4)"),
        (created, "are created near the quota: a job may fail before it is reached (403002, §5.3)"),
    ];
    if all.iter().any(|(count, _)| *count > 0) {
        rows.0.push_str("\nrisks\n");
    }
    for (count, what) in all.into_iter().filter(|(count, _)| *count > 0) {
        rows.0.push_str(&format!("{:>10}  {what}\n", human::count(count)));
    }
}

/// A line of the details for people.
pub(crate) fn detail(event: &Event<'_>) -> String {
    let (word, mut more) = match event.outcome {
        Outcome::Fails(failure) => {
            let code = failure.code().map_or("number not known".to_owned(), |code| code.to_string());
            ("fails", format!("{code} {}", failure.name()))
        }
        Outcome::NotKnown(doubt) => ("not known", doubt.text().to_owned()),
        Outcome::Deleted if event.modules > 0 => {
            ("deleted", format!("with {}", human::counted(event.modules, "module")))
        }
        Outcome::Created => ("created", String::new()),
        Outcome::Updated => ("updated", String::new()),
        Outcome::TwinUpdated => ("twin", String::new()),
        Outcome::Deleted => ("deleted", String::new()),
        Outcome::Unchanged => ("unchanged", String::new()),
    };
    let changes = event.changes.join(", ");
    for part in [event.reason, changes.as_str()] {
        if !part.is_empty() {
            more.push_str(if more.is_empty() { "" } else { ": " });
            more.push_str(part);
        }
    }
    let more = if more.is_empty() { String::new() } else { format!(": {more}") };
    let assumed = if event.assumed { ASSUMED } else { "" };
    format!("{word:<WORD_WIDTH$}{LINE}{}, {}{}{assumed}", event.line, about(event), Printable(&more))
}

/// Where the outcome of a line is called something, in a line of the details.
const WORD_WIDTH: usize = 10;
/// Stands between that and the number of the line.
const LINE: &str = " line ";
/// What the details say at the end of a line that rests on an assumption.
const ASSUMED: &str = " (assumed)";
/// The same for machines, before and after it is known.
const NOT_ASSUMED_JSON: &[u8] = br#""assumed":false"#;
const ASSUMED_JSON: &[u8] = br#""assumed":true"#;
/// Stands before the number of the line there.
const LINE_JSON: &str = r#"{"line":"#;

/// The number of the import's line that a line of the details is about.
pub(crate) fn number_of(detail: &[u8], format: Format) -> u64 {
    let start = match format {
        Format::Text => WORD_WIDTH + LINE.len(),
        Format::Json => LINE_JSON.len(),
    };
    let digits = detail.iter().skip(start).take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0'))
}

/// A line of the details, with its line end, of which it is known now that it rests on an assumption.
pub(crate) fn mark_assumed(detail: &mut Vec<u8>, format: Format) {
    match format {
        Format::Text => {
            detail.truncate(detail.len() - usize::from(detail.ends_with(b"\n")));
            detail.extend_from_slice(ASSUMED.as_bytes());
            detail.push(b'\n');
        }
        // In a value its quotes would have a backslash before them.
        Format::Json => {
            let at = detail.windows(NOT_ASSUMED_JSON.len()).position(|text| text == NOT_ASSUMED_JSON);
            if let Some(at) = at {
                detail.splice(at..at + NOT_ASSUMED_JSON.len(), ASSUMED_JSON.iter().copied());
            }
        }
    }
}

/// What a line is about.
fn about(event: &Event<'_>) -> String {
    match event.ids {
        None => "no id".to_owned(),
        Some((id, None)) => Printable(&shown(id)).to_string(),
        Some((id, Some(module_id))) => format!("{} module {}", Printable(&shown(id)), Printable(&shown(module_id))),
    }
}

/// The same for machines.
pub(crate) fn detail_json(event: &Event<'_>) -> Value {
    let (code, name, reason) = match event.outcome {
        Outcome::Fails(failure) => (failure.code(), Some(failure.name()), None),
        Outcome::NotKnown(doubt) => (None, None, Some(doubt.name())),
        _ => (None, None, None),
    };
    let (id, module_id) = event.ids.map_or((None, None), |(id, module_id)| (Some(shown(id)), module_id.map(shown)));
    let mut all = Map::new();
    all.insert("line".to_owned(), json!(event.line));
    all.insert("id".to_owned(), json!(id));
    all.insert("moduleId".to_owned(), json!(module_id));
    all.insert("outcome".to_owned(), json!(event.outcome.name()));
    all.insert("assumed".to_owned(), json!(event.assumed));
    for (name, value) in [
        ("changes", (!event.changes.is_empty()).then(|| json!(event.changes))),
        ("modules", (event.modules > 0).then(|| json!(event.modules))),
        ("errorCode", matches!(event.outcome, Outcome::Fails(_)).then(|| json!(code))),
        ("error", name.map(|name| json!(name))),
        ("reason", reason.map(|reason| json!(reason))),
        ("message", (!event.reason.is_empty()).then(|| json!(event.reason))),
    ] {
        if let Some(value) = value {
            all.insert(name.to_owned(), value);
        }
    }
    Value::Object(all)
}

/// The summary for machines.
pub(crate) fn json(plan: &Plan<'_>) -> Value {
    let Plan { summary, registry, quota, written } = plan;
    let pair = |pair: Pair| json!({"devices": pair.devices, "modules": pair.modules});
    let by_code =
        summary.failing.iter().map(|((code, name), lines)| json!({"code": code, "name": name, "lines": lines}));
    let by_reason = summary
        .not_known
        .iter()
        .map(|(doubt, lines)| json!({"reason": doubt.name(), "message": doubt.text(), "lines": lines}));
    let risks = &summary.risks;
    json!({
        "lines": summary.lines,
        "blank": summary.blank,
        "notices": summary.notices,
        "created": pair(summary.created),
        "updated": pair(summary.updated),
        "twinUpdated": pair(summary.twin_updated),
        "deleted": pair(summary.deleted),
        "unchanged": pair(summary.unchanged),
        "failing": {
            "lines": summary.failing_lines(),
            "maybeWritten": summary.failing_partly,
            "byCode": by_code.collect::<Vec<_>>(),
        },
        "notKnown": {"lines": summary.not_known_lines(), "byReason": by_reason.collect::<Vec<_>>()},
        "assumed": summary.assumed,
        "repeated": summary.repeated,
        "risks": {
            "keysByHub": risks.keys_by_hub,
            "keysReplaced": risks.keys_replaced,
            "turnSas": risks.turn_sas,
            "keyless": risks.keyless,
            "disabled": risks.disabled,
            "twinsReplaced": risks.twins_replaced,
            "edgeDeleted": risks.edge_deleted,
            "childrenOfDeleted": risks.orphaned_children,
            "modulesWithDevice": risks.modules_with_device,
            "maybeDeleted": risks.maybe_deleted,
            "newKeysByHub": risks.new_keys_by_hub,
            "deletedPercent": (percent(summary.deleted.devices, summary.devices.0) * 1e3).round() / 1e3,
        },
        "devices": {"before": summary.devices.0, "after": summary.devices.1},
        "modules": {"before": summary.modules.0, "after": summary.modules.1},
        "uncertain": {"more": summary.uncertain.0, "fewer": summary.uncertain.1},
        "quota": quota,
        "registry": {
            "lines": registry.lines,
            "devices": registry.devices,
            "modules": registry.modules,
            "repeated": registry.repeated,
            "orphanModules": registry.orphans,
            "invalid": registry.invalid,
            "notices": registry.notices,
            "blank": registry.blank,
            "withImportMode": registry.with_mode,
        },
        "result": written.map(|written| json!({
            "lines": written.lines,
            "keysByHub": written.keys_by_hub,
            "scopesByHub": written.scopes_by_hub,
            "notKnown": written.not_known,
        })),
    })
}
