//! Responsible for: what an import would do to a registry (§2), worked out slowly from the facts of the format, over values
//! and one line after the other. Not for: how a file is read, bytes, and not for speed.
//!
//! It knows lines that are JSON objects with a `status`; what is wrong with a line by itself is the [checker](crate::checker)'s.

use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The ids of a device, or of a device and a module.
pub type Key = (String, Option<String>);

/// A device or module in the registry.
#[derive(Debug, Clone, PartialEq)]
pub struct Thing {
    /// The members of its identity that an import replaces.
    pub identity: Map<String, Value>,
    /// `tags`, `desired` and `reported`; what is not there is an empty object.
    pub twin: [Value; 3],
    /// `eTag` and `twinETag`, as far as they are known.
    etags: [Option<String>; 2],
    /// It is not known whether it is there.
    pub maybe: bool,
    /// It is not known what it is like.
    pub unsure: bool,
    /// The scope that it has as an edge device: from the export, or made by the hub.
    own_scope: Value,
}

/// The registry, and what it has come to.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    /// What is there, or may be.
    pub things: BTreeMap<Key, Thing>,
    /// What may be there and was not before.
    pub maybe_new: BTreeMap<Key, ()>,
    /// How many devices and modules the hub takes.
    pub quota: Option<usize>,
    /// What the export says.
    exported: BTreeMap<Key, Thing>,
    /// What lines that write an identity put at stake of what the hub has now, by the name of the risk for machines.
    pub risks: BTreeMap<&'static str, BTreeSet<Key>>,
}

const CREATING: [&str; 3] = ["createOrUpdate", "create", "createOrUpdateIfMatchETag"];

/// The ids of a line.
#[must_use]
pub fn key(line: &Value) -> Key {
    let text = |name: &str| line[name].as_str().map(str::to_owned);
    (text("id").unwrap_or_default(), text("moduleId"))
}

fn etag(line: &Value, name: &str) -> Option<String> {
    let text = line[name].as_str()?;
    let text = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    (!text.is_empty()).then(|| text.to_owned())
}

fn section(line: &Value, number: usize) -> Option<Value> {
    let value = match number {
        0 => &line["tags"],
        1 => &line["properties"]["desired"],
        _ => &line["properties"]["reported"],
    };
    let mut value = value.as_object()?.clone();
    if number > 0 {
        value.retain(|name, _| name != "$metadata" && name != "$version");
    }
    Some(Value::Object(value))
}

/// The members of an identity, each in one form: nothing for what is empty, and keys that the hub makes as `by hub`.
fn identity(line: &Value, from_export: bool) -> Map<String, Value> {
    let mut all = Map::new();
    all.insert("status".to_owned(), json!(line["status"].as_str().unwrap_or_default().to_lowercase()));
    let reason = line["statusReason"].as_str().unwrap_or_default();
    all.insert("statusReason".to_owned(), json!(reason));
    all.insert("edge".to_owned(), json!(line["capabilities"]["iotEdge"] == json!(true)));
    all.insert("scope".to_owned(), json!(line["deviceScope"].as_str().unwrap_or_default()));
    let authentication = &line["authentication"];
    let said = if authentication.is_object() {
        let kind = authentication["type"].as_str().filter(|kind| !kind.is_empty()).unwrap_or("sas");
        let text = |object: &str, name: &str| authentication[object][name].as_str().unwrap_or_default().to_owned();
        let keys = [text("symmetricKey", "primaryKey"), text("symmetricKey", "secondaryKey")];
        let prints = [text("x509Thumbprint", "primaryThumbprint"), text("x509Thumbprint", "secondaryThumbprint")];
        if kind == "sas" && keys == ["", ""] && !from_export { json!("by hub") } else { json!([kind, keys, prints]) }
    } else if from_export {
        Value::Null
    } else {
        json!("by hub")
    };
    all.insert("authentication".to_owned(), said);
    all
}

impl Registry {
    /// Of the lines of an export; the first line of an id counts.
    #[must_use]
    pub fn of_export(lines: &[Value]) -> Self {
        let mut registry = Self::default();
        for line in lines {
            let twin = [0, 1, 2].map(|number| section(line, number).unwrap_or_else(|| json!({})));
            let etags = ["eTag", "twinETag"].map(|name| etag(line, name));
            let identity = identity(line, true);
            let is_edge = identity["edge"] == json!(true);
            let own_scope = if is_edge { identity["scope"].clone() } else { json!("by hub") };
            let thing = Thing { identity, twin, etags, maybe: false, unsure: false, own_scope };
            registry.things.entry(key(line)).or_insert(thing);
        }
        registry.exported = registry.things.clone();
        registry
    }

    fn counts(&self) -> (usize, usize) {
        let sure = self.things.values().filter(|thing| !thing.maybe).count();
        (sure, self.things.len() + self.maybe_new.len())
    }

    fn leave_open(&mut self, line: &Value, mode: &str) {
        let key = key(line);
        if let Some(thing) = self.things.get_mut(&key) {
            thing.unsure = true;
            if mode.starts_with("delete") {
                for (other, thing) in &mut self.things {
                    thing.maybe |= *other == key || (key.1.is_none() && other.0 == key.0);
                }
            }
            return;
        }
        let device = (key.0.clone(), None);
        let has_device = key.1.is_none() || self.things.contains_key(&device) || self.maybe_new.contains_key(&device);
        if CREATING.contains(&mode) && has_device {
            self.maybe_new.insert(key, ());
        }
    }

    /// Notes what a line puts at stake that writes an identity. One that makes its device anew leaves nothing of the twin.
    fn note_risks(&mut self, line: &Value, makes: bool) {
        let key = key(line);
        let new = identity(line, false);
        let makes_keys = new["authentication"] == json!("by hub");
        let mut at_stake = Vec::new();
        if let Some(old) = self.exported.get(&key) {
            let (was, is) = (&old.identity["authentication"], &new["authentication"]);
            at_stake.push(("keysByHub", makes_keys));
            at_stake.push(("keyless", was.is_null()));
            let was_x509 = was[0] == json!("selfSigned") || was[0] == json!("certificateAuthority");
            at_stake.push(("turnSas", was_x509 && (makes_keys || is[0] == json!("sas"))));
            if !makes_keys {
                let had = was[1].as_array().into_iter().flatten().filter(|key| **key != json!(""));
                let had: Vec<&Value> = had.collect();
                let works = had.iter().any(|key| is[1].as_array().is_some_and(|now| now.contains(key)));
                at_stake.push(("keysReplaced", !had.is_empty() && !works));
            }
            at_stake
                .push(("disabled", old.identity["status"] == json!("enabled") && new["status"] == json!("disabled")));
            let replaces = |number: usize| {
                let new = section(line, number).or(makes.then(|| json!({})));
                old.twin[number] != json!({}) && new.is_some_and(|new| new != old.twin[number])
            };
            at_stake.push(("twinsReplaced", (0..3).any(replaces)));
        } else {
            at_stake.push(("newKeysByHub", makes_keys));
        }
        for (risk, _) in at_stake.into_iter().filter(|(_, is_there)| *is_there) {
            self.risks.entry(risk).or_default().insert(key.clone());
        }
    }

    /// Applies a line that is good by itself: what becomes of it, as `created`, `fails 409001`, `not known …`.
    pub fn apply(&mut self, line: &Value) -> String {
        let mode = line["importMode"].as_str().unwrap_or("createOrUpdate").to_owned();
        let outcome = self.outcome(line, &mode);
        if outcome.starts_with("not known") {
            self.leave_open(line, &mode);
        }
        outcome
    }

    fn outcome(&mut self, line: &Value, mode: &str) -> String {
        let key = key(line);
        let not_known = |why: &str| format!("not known {why}");
        let is_module = key.1.is_some();
        if key.1.as_deref().is_some_and(|module| module.starts_with('$')) {
            return if mode.starts_with("updateTwin") {
                not_known("system-module-twin")
            } else {
                "fails 401100".to_owned()
            };
        }
        let device = (key.0.clone(), None);
        if is_module {
            if self.maybe_new.contains_key(&device) || self.things.get(&device).is_some_and(|device| device.maybe) {
                return not_known("earlier-line");
            }
            if !self.things.contains_key(&device) {
                return "fails 404001".to_owned();
            }
        }
        if self.maybe_new.contains_key(&key) || self.things.get(&key).is_some_and(|thing| thing.maybe) {
            return not_known("earlier-line");
        }
        let given = ["eTag", "twinETag"].map(|name| etag(line, name));
        if !self.things.contains_key(&key) {
            return self.outcome_of_missing(line, mode, &given);
        }
        self.outcome_of_there(line, mode, &given)
    }

    fn outcome_of_missing(&mut self, line: &Value, mode: &str, given: &[Option<String>; 2]) -> String {
        let key = key(line);
        if !CREATING.contains(&mode) {
            return if key.1.is_some() { "fails 404010" } else { "fails 404001" }.to_owned();
        }
        let odd = match mode {
            "create" => given[0].is_some(),
            "createOrUpdateIfMatchETag" => given[0].is_none(),
            _ => false,
        };
        if odd {
            return "not known etag-of-new".to_owned();
        }
        if given[1].is_some() {
            return "not known twin-etag-of-new".to_owned();
        }
        let (sure, at_most) = self.counts();
        if self.quota.is_some_and(|quota| sure >= quota) {
            return "fails 403002".to_owned();
        }
        if self.quota.is_some_and(|quota| at_most >= quota) {
            return "not known quota".to_owned();
        }
        let modules =
            |other: &&Key| other.0 == key.0 && other.1.as_deref().is_some_and(|module| !module.starts_with('$'));
        if key.1.is_some() && self.things.keys().filter(modules).count() >= 50 {
            return "fails 413003".to_owned();
        }
        let mut identity = identity(line, false);
        if key.1.is_none() && identity["edge"] == json!(true) {
            identity["scope"] = json!("by hub");
        }
        let twin = [0, 1, 2].map(|number| section(line, number).unwrap_or_else(|| json!({})));
        let own_scope = json!("by hub");
        let thing = Thing { identity, twin, etags: [None, None], maybe: false, unsure: false, own_scope };
        self.things.insert(key, thing);
        self.note_risks(line, true);
        "created".to_owned()
    }

    fn outcome_of_there(&mut self, line: &Value, mode: &str, given: &[Option<String>; 2]) -> String {
        let key = key(line);
        let thing = self.things.get_mut(&key).expect("it is there");
        // Equal, other, or not known; None where the line has none.
        let compared = |number: usize| {
            let given = given[number].as_ref()?;
            let known = thing.etags[number].as_ref().filter(|_| !thing.unsure && given != "*");
            Some(known.map(|known| known == given))
        };
        let (etag, twin_etag) = (compared(0), compared(1));
        let matched = match mode {
            "create" => return if key.1.is_some() { "fails 409301" } else { "fails 409001" }.to_owned(),
            "updateTwinIfMatchETag" => twin_etag,
            "createOrUpdateIfMatchETag" | "updateIfMatchETag" | "deleteIfMatchETag" => etag,
            _ => Some(Some(true)),
        };
        match matched {
            Some(Some(true)) => {}
            None | Some(Some(false)) => return "fails ?".to_owned(),
            Some(None) => return "not known etag-not-known".to_owned(),
        }
        if mode.starts_with("delete") {
            self.things.remove(&key);
            if key.1.is_none() {
                self.things.retain(|other, _| other.0 != key.0);
                self.maybe_new.retain(|other, ()| other.0 != key.0);
            }
            return "deleted".to_owned();
        }
        let mut changes = Vec::new();
        if !mode.starts_with("updateTwin") {
            match twin_etag {
                None | Some(Some(true)) => {}
                Some(None) => return "not known etag-not-known".to_owned(),
                Some(Some(false)) if mode.starts_with("createOrUpdate") => {
                    thing.unsure = true;
                    return "fails ?".to_owned();
                }
                Some(Some(false)) => return "not known twin-etag-under-update".to_owned(),
            }
            let mut new = identity(line, false);
            let was_edge = thing.identity["edge"] == json!(true);
            if was_edge && new["edge"] != json!(true) && key.1.is_none() {
                // Its scope is immutable, and a device that is no edge device has its parent's.
                return "not known edge-capability".to_owned();
            }
            if new["edge"] == json!(true) && key.1.is_none() {
                // The hub made its scope, or makes it now.
                let is_blank = new["scope"].as_str().is_some_and(|scope| scope.trim_ascii().is_empty());
                if was_edge && is_blank {
                    return "not known edge-scope".to_owned();
                }
                new["scope"] = thing.own_scope.clone();
            }
            let rotates = new["authentication"] == json!("by hub");
            if thing.identity != new || rotates || thing.unsure {
                changes.push("updated");
            }
            thing.identity = new;
        }
        for number in 0..3 {
            if let Some(new) = section(line, number) {
                if thing.twin[number] != new {
                    changes.push("twinUpdated");
                }
                thing.twin[number] = new;
            }
        }
        thing.etags = [None, None];
        if !mode.starts_with("updateTwin") {
            self.note_risks(line, false);
        }
        changes.first().copied().unwrap_or("unchanged").to_owned()
    }
}
