//! Generated exports and imports, small and dense: few ids, so that most things happen to most of them.

use hubmill_testkit::hub::{Hub, Ids, ids_of};
use hubmill_testkit::rng::Rng;
use serde_json::{Map, Value, json};

/// Ids of edge devices: the others are their children now and then.
const EDGES: [&str; 2] = ["edge-0", "edge-1"];
const DEVICES: [&str; 7] = ["edge-0", "edge-1", "d'0", "d1", "d2", "d3", "d4"];
const MODULES: [&str; 3] = ["m0", "m1", "$edgeAgent"];

/// A line of an export.
pub(crate) fn line(rng: &mut Rng, id: &str, module: Option<&str>, keyless: usize) -> Map<String, Value> {
    let is_edge = module.is_none() && EDGES.contains(&id) && rng.chance(80);
    let mut line = Map::new();
    line.insert("id".to_owned(), json!(id));
    if let Some(module) = module {
        line.insert("moduleId".to_owned(), json!(module));
    }
    line.insert("eTag".to_owned(), json!(format!("e{}", rng.below(3))));
    line.insert("status".to_owned(), json!(rng.pick(&["enabled", "enabled", "disabled"])));
    if rng.chance(40) {
        line.insert("statusReason".to_owned(), json!(rng.pick(&["", "", "why", "größer"])));
    }
    line.insert("authentication".to_owned(), authentication(rng, keyless));
    line.insert("twinETag".to_owned(), json!(format!("t{}", rng.below(3))));
    if rng.chance(80) {
        line.insert("tags".to_owned(), section(rng));
    }
    if rng.chance(80) {
        let mut properties = json!({"desired": section(rng), "reported": section(rng)});
        if rng.chance(20) {
            properties["desired"]["$version"] = json!(rng.below(9));
            properties["reported"]["$metadata"] = json!({"$lastUpdated": "2020"});
        }
        if rng.chance(10) {
            properties.as_object_mut().map(|properties| properties.remove("reported"));
        }
        line.insert("properties".to_owned(), properties);
    }
    if is_edge || rng.chance(80) {
        line.insert("capabilities".to_owned(), json!({"iotEdge": is_edge}));
    }
    if is_edge {
        line.insert("deviceScope".to_owned(), json!(format!("ms-azure-iot-edge://{id}-1{}", rng.below(3))));
    } else if module.is_none() && rng.chance(30) {
        let scope = format!("ms-azure-iot-edge://{}-1{}", rng.pick(&EDGES), rng.below(3));
        line.insert("deviceScope".to_owned(), json!(scope));
    }
    line
}

fn authentication(rng: &mut Rng, keyless: usize) -> Value {
    if rng.chance(keyless) {
        return Value::Null;
    }
    let key = |rng: &mut Rng| json!(format!("a2V5a2V5a2V5a2V5a2V5a{}==", rng.below(2)));
    match rng.below(3) {
        0 => json!({"symmetricKey": {"primaryKey": null, "secondaryKey": null}, "type": "certificateAuthority"}),
        1 => {
            json!({"x509Thumbprint": {"primaryThumbprint": "AB".repeat(20), "secondaryThumbprint": null}, "type": "selfSigned"})
        }
        _ => json!({"symmetricKey": {"primaryKey": key(rng), "secondaryKey": key(rng)},
                    "x509Thumbprint": {"primaryThumbprint": null, "secondaryThumbprint": null}, "type": "sas"}),
    }
}

fn section(rng: &mut Rng) -> Value {
    match rng.below(5) {
        0 | 1 => json!({}),
        2 => json!({"a": rng.below(2)}),
        3 => json!({"a": {"b": [1, {"c": rng.below(2)}]}, "x": rng.pick(&["", "y"])}),
        _ => json!({"path": "C:\\data", "n": 1.5, "flag": rng.chance(50)}),
    }
}

/// The ids that there may be, devices before their modules.
pub(crate) fn all_ids() -> Vec<(&'static str, Option<&'static str>)> {
    DEVICES
        .into_iter()
        .flat_map(|id| [None].into_iter().chain(MODULES.map(Some)).map(move |module| (id, module)))
        .collect()
}

/// An export.
pub(crate) fn export(rng: &mut Rng, keyless: usize) -> Vec<Map<String, Value>> {
    let mut lines: Vec<Map<String, Value>> = Vec::new();
    for (id, module) in all_ids() {
        let has_device = lines.iter().any(|line| line["id"] == id);
        let there = if module.is_none() { rng.chance(65) } else { has_device && rng.chance(35) };
        if there {
            lines.push(line(rng, id, module, keyless));
        }
    }
    if rng.chance(50) {
        lines.reverse();
    }
    lines
}

/// An export that has come from another: some devices are gone, some new, some changed, some only spelled another way.
pub(crate) fn changed(rng: &mut Rng, from: &[Map<String, Value>], keyless: usize) -> Vec<Map<String, Value>> {
    let mut lines: Vec<Map<String, Value>> = from.to_vec();
    let gone: Vec<Value> = lines.iter().filter(|_| rng.chance(12)).map(|line| line["id"].clone()).collect();
    lines.retain(|line| {
        let is_gone = line.contains_key("moduleId") && rng.chance(15);
        !is_gone && !gone.contains(&line["id"])
    });
    for old in &mut lines {
        let (id, module) = (text(old, "id"), old.get("moduleId").map(|_| text(old, "moduleId")));
        let new = line(rng, &id, module.as_deref(), keyless);
        match rng.below(4) {
            0 => *old = new,
            1 => {
                let names: Vec<&str> =
                    ["status", "statusReason", "tags", "properties", "authentication", "deviceScope"].to_vec();
                let name = names[rng.below(names.len())];
                // A scope without the edge flag that goes with it is no export's.
                let may_be_edge = new["id"].as_str().is_some_and(|id| EDGES.contains(&id));
                if name == "deviceScope" && (may_be_edge || module.is_some()) {
                    continue;
                }
                match new.get(name) {
                    Some(value) => old.insert(name.to_owned(), value.clone()),
                    None => old.remove(name),
                };
            }
            2 => *old = respelled(rng, old),
            _ => {}
        }
    }
    for (id, module) in all_ids() {
        let has = |wanted: Option<&str>| {
            lines.iter().any(|line| line["id"] == id && line.get("moduleId").and_then(Value::as_str) == wanted)
        };
        if !has(module) && (module.is_none() || has(None)) && rng.chance(15) {
            lines.push(line(rng, id, module, keyless));
        }
    }
    lines
}

fn text(line: &Map<String, Value>, name: &str) -> String {
    line[name].as_str().expect("a text").to_owned()
}

/// The same, said another way: order of members, defaults, ETags.
fn respelled(rng: &mut Rng, line: &Map<String, Value>) -> Map<String, Value> {
    let mut members: Vec<(String, Value)> = line.clone().into_iter().collect();
    for _ in 0..members.len() {
        let (one, other) = (rng.below(members.len()), rng.below(members.len()));
        members.swap(one, other);
    }
    let mut new: Map<String, Value> = members.into_iter().collect();
    new.insert("eTag".to_owned(), json!("another"));
    if new.get("tags") == Some(&json!({})) {
        new.remove("tags");
    }
    if new.get("capabilities") == Some(&json!({"iotEdge": false})) {
        new.remove("capabilities");
    }
    if new.get("statusReason").is_none() {
        new.insert("statusReason".to_owned(), json!(""));
    }
    new
}

/// Lines as a file; a number in some of them is spelled another way, and some have spaces.
pub(crate) fn file(rng: &mut Rng, lines: &[Map<String, Value>]) -> String {
    let one = |line: &Map<String, Value>| {
        let text = serde_json::to_string(line).expect("JSON");
        let text = if rng.chance(20) { text.replace(":1,", ":1.0,").replace(":1}", ":10e-1}") } else { text };
        if rng.chance(20) { format!("{}\n", text.replace("\":", "\" : ")) } else { format!("{text}\n") }
    };
    lines.iter().map(one).collect()
}

/// The edge devices of one hub that are none in another: no source says that an update can do that (§3.7).
pub(crate) fn stopped_edges(one: &Hub, other: &Hub) -> Vec<Ids> {
    let (one, other) = (one.canonical(), other.canonical());
    let stops = |ids: &Ids| other.get(ids).is_some_and(|other| other["iotEdge"] == false);
    one.iter().filter(|(ids, one)| one["iotEdge"] == true && stops(ids)).map(|(ids, _)| ids.clone()).collect()
}

/// The edge devices of a hub whose scope lines of an import would blank (§3.7).
pub(crate) fn blanked_scopes(hub: &Hub, import: &str) -> Vec<Ids> {
    let there: Vec<Value> = hub.export().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let is_edge = |line: &Value| line["capabilities"]["iotEdge"] == true && line["moduleId"].is_null();
    let mut blanked = Vec::new();
    for line in import.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON")) {
        let replaces = ["update", "updateIfMatchETag", "createOrUpdate"].iter().any(|mode| line["importMode"] == *mode);
        let is_blank = !is_edge(&line) || line["deviceScope"].is_null();
        let ids = ids_of(&line);
        if replaces && is_blank && there.iter().any(|there| ids_of(there) == ids && is_edge(there)) {
            blanked.push(ids);
        }
    }
    blanked
}

/// What of two hubs differs, where null authentication is equal to anything.
pub(crate) fn differing(one: &Hub, other: &Hub) -> Vec<Ids> {
    let (one, other) = (one.canonical(), other.canonical());
    let same = |ids: &Ids| match (one.get(ids), other.get(ids)) {
        (Some(one), Some(other)) => {
            let (mut one, mut other) = (one.clone(), other.clone());
            if one["authentication"].is_null() || other["authentication"].is_null() {
                one["authentication"] = Value::Null;
                other["authentication"] = Value::Null;
            }
            one == other
        }
        (one, other) => one.is_none() && other.is_none(),
    };
    let mut ids: Vec<Ids> = one.keys().chain(other.keys()).filter(|ids| !same(ids)).cloned().collect();
    ids.sort();
    ids.dedup();
    ids
}
