//! Responsible for: a slow, naive hub: what it holds, what an import does to it by the table of §2, and whether two of them hold the
//! same. Lines apply in the order of the file; a section of a twin in a line replaces the hub's.
//! Not for: what is not known of a hub (§10), and not for speed.

use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// A device's id, and a module's where it is one.
pub type Ids = (String, Option<String>);

/// What a hub holds, by ids.
#[derive(Debug, Clone, Default)]
pub struct Hub {
    things: BTreeMap<Ids, Map<String, Value>>,
    made: u64,
}

/// The ids of a line.
#[must_use]
pub fn ids_of(line: &Value) -> Ids {
    let text = |name: &str| line[name].as_str().map(str::to_owned);
    (text("id").expect("an id"), text("moduleId"))
}

impl Hub {
    /// Of the lines of an export.
    ///
    /// # Panics
    /// Where a line is no device.
    #[must_use]
    pub fn of(export: &str) -> Self {
        let mut hub = Self::default();
        for line in export.lines() {
            let line: Value = serde_json::from_str(line).expect("a line of JSON");
            let Value::Object(members) = line.clone() else { panic!("an object: {line}") };
            hub.things.entry(ids_of(&line)).or_insert(members);
        }
        hub
    }

    /// Whether it has this device or module.
    #[must_use]
    pub fn has(&self, ids: &Ids) -> bool {
        self.things.contains_key(ids)
    }

    /// The ids of all that it has.
    pub fn ids(&self) -> impl Iterator<Item = &Ids> {
        self.things.keys()
    }

    /// It as an export.
    #[must_use]
    pub fn export(&self) -> String {
        self.things.values().map(|members| format!("{}\n", Value::Object(members.clone()))).collect()
    }

    /// Applies all lines of an import; the log: ids and codes of those that failed.
    ///
    /// # Panics
    /// Where a line is no device.
    pub fn import(&mut self, import: &str) -> Vec<(Ids, u32)> {
        let lines = import.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of JSON"));
        lines.filter_map(|line| self.apply(&line).err().map(|code| (ids_of(&line), code))).collect()
    }

    fn apply(&mut self, line: &Value) -> Result<(), u32> {
        let ids = ids_of(line);
        let mode = line["importMode"].as_str().unwrap_or("createOrUpdate");
        let (is_module, is_there) = (ids.1.is_some(), self.has(&ids));
        if is_module && !self.has(&(ids.0.clone(), None)) {
            return Err(404_001);
        }
        if ids.1.as_deref().is_some_and(|module| module.starts_with('$')) {
            return Err(401_100);
        }
        let missing = if is_module { 404_010 } else { 404_001 };
        let there = |hub: &Self, tag: &str| hub.things[&ids].get(tag).cloned().unwrap_or_default();
        match mode {
            "create" if is_there => return Err(if is_module { 409_301 } else { 409_001 }),
            "create" | "createOrUpdate" => {}
            "createOrUpdateIfMatchETag" if !is_there => {}
            _ if !is_there => return Err(missing),
            "updateTwinIfMatchETag" if there(self, "twinETag") != line["twinETag"] => return Err(412_001),
            "createOrUpdateIfMatchETag" | "updateIfMatchETag" | "deleteIfMatchETag"
                if there(self, "eTag") != line["eTag"] =>
            {
                return Err(412_001);
            }
            _ => {}
        }
        if mode.starts_with("delete") {
            self.things.retain(|(id, module), _| *id != ids.0 || (is_module && *module != ids.1));
            return Ok(());
        }
        self.made += 1;
        let made = self.made;
        let old = self.things.remove(&ids).unwrap_or_default();
        let mut new = if mode.starts_with("updateTwin") { old.clone() } else { identity(line, &old, made) };
        for (name, value) in [("tags", &line["tags"]), ("properties", &line["properties"])] {
            let kept = old.get(name).filter(|_| is_there).cloned();
            let value = match (name, kept) {
                (_, None) => value.clone(),
                ("tags", Some(kept)) => {
                    if value.is_object() {
                        value.clone()
                    } else {
                        kept
                    }
                }
                (_, Some(mut kept)) => {
                    for section in ["desired", "reported"] {
                        if value[section].is_object() {
                            kept[section] = value[section].clone();
                        }
                    }
                    kept
                }
            };
            if value.is_object() {
                new.insert(name.to_owned(), value);
            }
        }
        new.insert("eTag".to_owned(), json!(format!("made-{made}")));
        new.insert("twinETag".to_owned(), json!(format!("twin-{made}")));
        self.things.insert(ids, new);
        Ok(())
    }

    /// What it holds, spelled one way: what only a hub makes, and what is a default, is left out. Modules of the hub itself are not in
    /// it.
    #[must_use]
    pub fn canonical(&self) -> BTreeMap<Ids, Value> {
        let own = |ids: &&Ids| !ids.1.as_deref().is_some_and(|module| module.starts_with('$'));
        let things = self.things.iter().filter(|(ids, _)| own(ids));
        things.map(|(ids, members)| (ids.clone(), canonical(members))).collect()
    }
}

/// The identity that a line makes; an edge device keeps its scope, or gets a new one, and without authentication the hub makes keys.
fn identity(line: &Value, old: &Map<String, Value>, made: u64) -> Map<String, Value> {
    let mut new = Map::new();
    for name in ["id", "moduleId", "status", "statusReason", "authentication", "capabilities", "deviceScope"] {
        if let Some(value) = line.get(name) {
            new.insert(name.to_owned(), value.clone());
        }
    }
    let is_edge = |line: &Value| line["capabilities"]["iotEdge"] == true;
    if is_edge(line) {
        let was_edge = is_edge(&Value::Object(old.clone()));
        let scope = old.get("deviceScope").filter(|_| was_edge).cloned();
        let id = line["id"].as_str().unwrap_or_default();
        new.insert(
            "deviceScope".to_owned(),
            scope.unwrap_or_else(|| json!(format!("ms-azure-iot-edge://{id}-{made}"))),
        );
    }
    if canonical_authentication(&line["authentication"]) == json!(["sas", null, null, null, null])
        || line["authentication"].is_null()
    {
        let keys = json!({"primaryKey": format!("hub-{made}"), "secondaryKey": format!("hub-{made}")});
        new.insert("authentication".to_owned(), json!({"symmetricKey": keys, "type": "sas"}));
    }
    new
}

fn canonical(members: &Map<String, Value>) -> Value {
    let line = Value::Object(members.clone());
    let is_edge = line["capabilities"]["iotEdge"] == true;
    let scope = line["deviceScope"].as_str().filter(|_| !is_edge).unwrap_or_default();
    let parent = scope.rsplit_once('-').map_or(scope, |(parent, _)| parent);
    let section = |value: &Value| {
        let mut value = if value.is_object() { value.clone() } else { json!({}) };
        if let Value::Object(members) = &mut value {
            members.remove("$metadata");
            members.remove("$version");
        }
        sorted(&value)
    };
    json!({
        "status": line["status"].as_str().unwrap_or("enabled"),
        "statusReason": line["statusReason"].as_str().unwrap_or_default(),
        "authentication": canonical_authentication(&line["authentication"]),
        "iotEdge": is_edge,
        "parent": parent,
        "tags": section(&line["tags"]),
        "desired": section(&line["properties"]["desired"]),
        "reported": section(&line["properties"]["reported"]),
    })
}

fn canonical_authentication(value: &Value) -> Value {
    if value.is_null() {
        return Value::Null;
    }
    let text = |value: &Value| match value.as_str() {
        None | Some("") => Value::Null,
        Some(text) => json!(text),
    };
    let (keys, prints) = (&value["symmetricKey"], &value["x509Thumbprint"]);
    json!([
        value["type"].as_str().filter(|kind| !kind.is_empty()).unwrap_or("sas"),
        text(&keys["primaryKey"]),
        text(&keys["secondaryKey"]),
        text(&prints["primaryThumbprint"]),
        text(&prints["secondaryThumbprint"])
    ])
}

/// With members in the order of their names, and small numbers spelled one way.
fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let sorted_members: BTreeMap<&String, Value> =
                members.iter().map(|(name, value)| (name, sorted(value))).collect();
            json!(sorted_members)
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Number(number) => json!(number.as_f64().map(|number| format!("number {number}"))),
        other => other.clone(),
    }
}
