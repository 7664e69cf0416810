//! All rules against a slow model.

use hubmill_testkit::registry as model;
use hubmill_testkit::rng::Rng;
use serde_json::{Value, json};

use super::{KEY, OTHER_KEY, rehearse_text, sas, text, x509};

/// A line about one of a few devices and modules.
pub(super) fn random_line(rng: &mut Rng, of_import: bool) -> Value {
    let mut line = json!({"id": *rng.pick(&["a", "b", "e", "f"]), "status": *rng.pick(&["enabled", "disabled"])});
    if rng.chance(35) {
        line["moduleId"] = json!(*rng.pick(&["m", "n", "$edgeHub"]));
    }
    let authentication = match rng.below(6) {
        0 => Value::Null,
        1 => x509(),
        2 => sas(OTHER_KEY),
        3 => json!({"type": "sas", "symmetricKey": {"primaryKey": null, "secondaryKey": null}}),
        _ => sas(KEY),
    };
    line["authentication"] = authentication;
    let etags = ["MQ==", "Mg==", "\"MQ==\"", "*", ""];
    for name in ["eTag", "twinETag"] {
        if rng.chance(if of_import { 35 } else { 90 }) {
            line[name] = json!(*rng.pick(if of_import { &etags } else { &etags[..2] }));
        }
    }
    if rng.chance(40) {
        line["tags"] = if rng.chance(50) { json!({"site": "lyon"}) } else { json!({}) };
    }
    if rng.chance(40) {
        line["properties"] = json!({"desired": {"x": rng.below(2), "$version": rng.below(9)}});
        if rng.chance(50) {
            line["properties"]["reported"] = json!({"on": true});
        }
    }
    if rng.chance(30) {
        line["statusReason"] = json!(*rng.pick(&["", "why"]));
    }
    if rng.chance(30) {
        line["capabilities"] = json!({"iotEdge": rng.chance(60)});
    }
    if rng.chance(30) {
        line["deviceScope"] = json!(*rng.pick(&["", "ms-azure-iot-edge://e-1", "ms-azure-iot-edge://f-1"]));
    }
    if of_import && rng.chance(90) {
        let mode = hubmill_device::ImportMode::ALL[rng.below(9)];
        line["importMode"] = json!(mode.as_str());
    }
    line
}

/// Lines of an export, which has a device to each module; what becomes of any other is nobody's business.
pub(super) fn random_export(rng: &mut Rng) -> Vec<Value> {
    let mut export: Vec<Value> = (0..rng.below(9)).map(|_| random_line(rng, false)).collect();
    let devices: Vec<Value> =
        export.iter().filter(|line| line.get("moduleId").is_none()).map(|line| line["id"].clone()).collect();
    export.retain(|line| devices.contains(&line["id"]));
    export
}

#[test]
fn it_agrees_with_a_slow_model() {
    let mut met = std::collections::BTreeSet::new();
    for seed in 0..1_000 {
        let rng = &mut Rng::for_line(11, seed, 7);
        let export = random_export(rng);
        let import: Vec<Value> = (0..1 + rng.below(7)).map(|_| random_line(rng, true)).collect();
        let quota = rng.chance(30).then(|| rng.below(7));
        let mut model = model::Registry::of_export(&export);
        model.quota = quota;
        let want: Vec<String> = import.iter().map(|line| model.apply(line)).collect();
        let (threads, chunk) = if seed % 2 == 0 { (1, 1 << 20) } else { (2, 150) };
        let quota = quota.map(|quota| quota as u64);
        let rehearsed = rehearse_text(&text(&export), &text(&import), quota, threads, chunk);
        let show = || format!("seed {seed}\n{}---\n{}", text(&export), text(&import));
        assert_eq!(rehearsed.log.outcomes, want, "{}", show());
        // What is there, with what it is like where that is known.
        let result = model::Registry::of_export(&rehearsed.result);
        assert_eq!(result.things.len(), rehearsed.result.len(), "no id twice: {}", show());
        assert_eq!(result.things.keys().collect::<Vec<_>>(), model.things.keys().collect::<Vec<_>>(), "{}", show());
        for (key, want) in &model.things {
            let found = &result.things[key];
            if want.unsure {
                continue;
            }
            let mut identity = want.identity.clone();
            if identity["scope"] == json!("by hub") {
                identity["scope"] = json!("");
            }
            if identity["authentication"] == json!("by hub") {
                identity["authentication"] = json!(["sas", ["", ""], ["", ""]]);
            }
            assert_eq!((&found.identity, &found.twin), (&identity, &want.twin), "{key:?} {}", show());
        }
        // Modules of the hub itself fail whatever is there.
        let keys: Vec<model::Key> = import.iter().map(model::key).collect();
        let counts = |number: &usize| want[*number] != "fails 401100";
        let is_repeated = |number: &usize| (0..*number).filter(counts).any(|earlier| keys[earlier] == keys[*number]);
        let repeated = (0..keys.len()).filter(counts).filter(is_repeated).count();
        assert_eq!(rehearsed.summary.repeated as usize, repeated, "{}", show());
        let risks = rehearsed.summary.risks;
        for (name, count) in [
            ("keysByHub", risks.keys_by_hub),
            ("keysReplaced", risks.keys_replaced),
            ("turnSas", risks.turn_sas),
            ("keyless", risks.keyless),
            ("disabled", risks.disabled),
            ("twinsReplaced", risks.twins_replaced),
            ("newKeysByHub", risks.new_keys_by_hub),
        ] {
            let want = model.risks.get(name).map_or(0, std::collections::BTreeSet::len);
            assert_eq!(count as usize, want, "{name} {}", show());
        }
        met.extend(want);
    }
    assert!(met.len() >= 18, "the lines are not varied enough: {met:?}");
}
