//! `diff`: the import makes one hub equal to the other, with no line too many.

use hubmill_device::Code;
use hubmill_mend::DiffOptions;
use hubmill_testkit::hub::{Hub, ids_of};
use hubmill_testkit::rng::Rng;
use serde_json::Value;

use crate::diff;
use crate::hubs::{blanked_scopes, changed, differing, export, file, stopped_edges};

const ALL: DiffOptions = DiffOptions { delete: true, if_match: false, reported: true };

fn pair(seed: u64, keyless: usize) -> (String, String) {
    let mut rng = Rng::new(seed);
    let from = export(&mut rng, keyless);
    let to = if rng.chance(85) { changed(&mut rng, &from, keyless) } else { export(&mut rng, keyless) };
    (file(&mut rng, &from), file(&mut rng, &to))
}

#[test]
fn the_import_makes_the_hub_equal_with_one_line_for_each_difference() {
    let (mut lines, mut told, mut modes) = (0, 0, std::collections::BTreeSet::new());
    for seed in 0..400 {
        let (from, to) = pair(seed, 0);
        let (mut hub, wanted) = (Hub::of(&from), Hub::of(&to));
        let outcome = diff(&from, &to, ALL);
        let stopped = stopped_edges(&hub, &wanted);
        let not_written = outcome.ids_of(Code::NotWritten);
        assert!(stopped.iter().all(|ids| not_written.contains(&ids.0.as_str())), "seed {seed}:\n{from}\n{to}");
        assert_eq!(blanked_scopes(&hub, &outcome.import), [], "seed {seed}:\n{}", outcome.import);
        told += stopped.len();
        let mut different = differing(&hub, &wanted);
        different.retain(|ids| !stopped.contains(ids));
        let goes_along = |ids: &&hubmill_testkit::hub::Ids| ids.1.is_some() && !wanted.has(&(ids.0.clone(), None));
        let least = different.iter().filter(|ids| !goes_along(ids)).count();
        assert_eq!(outcome.import.lines().count(), least, "seed {seed}:\n{from}\n{to}\n{}", outcome.import);
        let log = hub.import(&outcome.import);
        assert!(log.is_empty(), "seed {seed}: {log:?}\n{from}\n{to}\n{}", outcome.import);
        assert_eq!(differing(&hub, &wanted), stopped, "seed {seed}:\n{from}\n{to}\n{}", outcome.import);
        assert_eq!(outcome.totals.lines(), least as u64);
        let again = diff(&hub.export(), &to, ALL);
        assert_eq!(again.import, "", "seed {seed}");
        lines += least;
        for line in outcome.import.lines() {
            modes.insert(serde_json::from_str::<Value>(line).expect("JSON")["importMode"].as_str().map(str::to_owned));
        }
    }
    assert!(lines > 2000 && told > 20 && modes.len() == 4, "{lines} {told} {modes:?}");
}

#[test]
fn edge_devices_come_first_then_devices_then_modules_then_deletes() {
    for seed in 0..300 {
        let (from, to) = pair(seed, 0);
        let wanted = Hub::of(&to).canonical();
        let class = |line: &str| {
            let line: Value = serde_json::from_str(line).expect("JSON");
            let ids = ids_of(&line);
            match wanted.get(&ids) {
                _ if line["importMode"] == "delete" => 3,
                _ if ids.1.is_some() => 2,
                thing => u8::from(thing.is_some_and(|thing| thing["iotEdge"] == false)),
            }
        };
        let classes: Vec<u8> = diff(&from, &to, ALL).import.lines().map(class).collect();
        assert!(classes.is_sorted(), "seed {seed}: {classes:?}");
    }
}

#[test]
fn nothing_is_deleted_and_nothing_reported_is_written_unless_asked_for() {
    for seed in 0..400 {
        let (from, to) = pair(seed, 0);
        let before = Hub::of(&from);
        let mut hub = before.clone();
        let outcome = diff(&from, &to, DiffOptions::default());
        assert!(!outcome.import.contains("\"delete\"") && !outcome.import.contains("\"reported\""), "seed {seed}");
        assert!(hub.import(&outcome.import).is_empty());
        assert!(before.ids().all(|ids| hub.has(ids)), "seed {seed}");
        // What is the other way is in the reported properties, or there too many.
        let stopped = stopped_edges(&before, &Hub::of(&to));
        let (now, wanted) = (hub.canonical(), Hub::of(&to).canonical());
        for (ids, thing) in wanted.iter().filter(|(ids, _)| !stopped.contains(ids)) {
            for member in ["status", "statusReason", "authentication", "iotEdge", "parent", "tags", "desired"] {
                assert_eq!(now[ids][member], thing[member], "seed {seed} {ids:?} {member}");
            }
        }
    }
}

#[test]
fn with_if_match_lines_apply_to_the_etags_of_the_first_export_and_to_no_others() {
    for seed in 0..400 {
        let (from, to) = pair(seed, 0);
        let outcome = diff(&from, &to, DiffOptions { if_match: true, ..ALL });
        let mut hub = Hub::of(&from);
        assert!(hub.import(&outcome.import).is_empty(), "seed {seed}:\n{}", outcome.import);
        assert_eq!(differing(&hub, &Hub::of(&to)), stopped_edges(&Hub::of(&from), &Hub::of(&to)), "seed {seed}");
        let mut other = Hub::of(
            &from
                .replace("\"e0\"", "\"x\"")
                .replace("\"e1\"", "\"y\"")
                .replace("\"e2\"", "\"z\"")
                .replace("\"t0\"", "\"u\"")
                .replace("\"t1\"", "\"v\"")
                .replace("\"t2\"", "\"w\""),
        );
        let unchanged = other.clone();
        other.import(&outcome.import);
        for ids in unchanged.ids() {
            assert!(other.has(ids), "seed {seed}: {ids:?} was deleted by another ETag");
        }
    }
}

#[test]
fn authentication_that_is_not_known_is_never_a_reason_for_an_update_and_never_lost() {
    let (mut unknown, mut left) = (0, 0);
    for seed in 0..400 {
        let (from, to) = pair(seed, 40);
        let before = Hub::of(&from);
        let mut hub = before.clone();
        let outcome = diff(&from, &to, ALL);
        assert!(hub.import(&outcome.import).is_empty());
        let left_out = outcome.ids_of(Code::NotWritten);
        for ids in differing(&hub, &Hub::of(&to)) {
            assert!(left_out.contains(&ids.0.as_str()), "seed {seed}: {ids:?} differs and is not told of");
        }
        // Keys in the hub only change to what the second export says.
        let (old, now, wanted) = (before.canonical(), hub.canonical(), Hub::of(&to).canonical());
        for (ids, thing) in &old {
            if let (Some(now), Some(wanted)) = (now.get(ids), wanted.get(ids)) {
                let changed = now["authentication"] != thing["authentication"];
                assert!(!changed || now["authentication"] == wanted["authentication"], "seed {seed}: {ids:?}");
            }
        }
        unknown += outcome.totals.authentication_unknown;
        left += left_out.len();
    }
    assert!(unknown > 500 && left > 50, "{unknown} {left}");
}
