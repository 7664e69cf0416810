//! Which lines rest on the order in which a hub takes them.

use hubmill_testkit::registry as model;
use hubmill_testkit::rng::Rng;
use serde_json::{Value, json};

use super::model::{random_export, random_line};
use super::{KEY, device, rehearse_text, run, sas, text, with};

#[test]
fn ids_twice_are_applied_in_turn_and_both_rest_on_the_order() {
    let line = |status: &str| json!({"id": "a", "status": status, "authentication": sas(KEY)});
    let delete = json!({"id": "a", "status": "enabled", "importMode": "delete"});
    let create = with(line("enabled"), json!({"importMode": "create"}));
    let rehearsed = run(&[device("a")], &[line("disabled"), line("disabled"), delete, create]);
    assert_eq!(rehearsed.log.outcomes, ["updated", "unchanged", "deleted", "created"]);
    assert_eq!((rehearsed.summary.repeated, rehearsed.summary.assumed), (3, 4));
    let after = &rehearsed.result[0];
    assert!(after.get("tags").is_none() && after["status"] == json!("enabled"), "a new device has no old twin");
}

#[test]
fn each_line_that_rests_on_the_order_is_marked() {
    let line = |id: &str, mode: &str| json!({"id": id, "status": "enabled", "importMode": mode});
    let module = |id: &str, mode: &str| with(line(id, mode), json!({"moduleId": "m"}));
    let export = [device("a"), with(module("a", "x"), json!({"importMode": null}))];
    let odd = with(line("a", "deleteIfMatchETag"), json!({"eTag": "*"}));
    for (import, assumed, repeated) in [
        (vec![module("n", "create"), line("n", "create")], vec![1], 0),
        (vec![module("n", "create"), line("n", "create"), module("n", "create")], vec![1, 3], 1),
        (vec![line("n", "create"), module("n", "create"), module("n", "update")], vec![2, 3], 1),
        (vec![line("n", "create"), module("n", "update"), module("n", "create")], vec![2, 3], 1),
        (vec![line("n", "update"), line("n", "update")], vec![], 1),
        (vec![line("n", "update"), line("n", "update"), line("n", "create")], vec![1, 2, 3], 2),
        (vec![line("a", "update"), line("n", "create"), line("a", "create")], vec![1, 3], 1),
        (vec![module("a", "update"), line("a", "delete")], vec![1], 0),
        (vec![odd.clone()], vec![], 0),
        (vec![odd.clone(), odd.clone()], vec![], 1),
        (vec![line("a", "update"), odd.clone()], vec![1], 1),
        (vec![with(line("n", "create"), json!({"eTag": "MQ=="}))], vec![], 0),
        (vec![with(line("a", "update"), json!({"parentScopes": ["x"]})), line("a", "update")], vec![2], 1),
    ] {
        let rehearsed = run(&export, &import);
        let shown = text(&import);
        assert_eq!((rehearsed.log.assumed, rehearsed.summary.repeated), (assumed, repeated), "{shown}");
    }
    let edge = with(device("e"), json!({"capabilities": {"iotEdge": true}, "deviceScope": "ms-azure-iot-edge://e-1"}));
    let blank = with(line("e", "update"), json!({"capabilities": {"iotEdge": true}}));
    assert_eq!(run(&[edge], &[blank]).summary.repeated, 0);
}

#[test]
fn room_that_a_delete_made_rests_on_the_order() {
    let line = |id: &str, mode: &str| json!({"id": id, "status": "enabled", "importMode": mode});
    let assumed = |import: &[Value], quota: u64| {
        rehearse_text(&text(&[device("a")]), &text(import), Some(quota), 1, 1 << 20).log.assumed
    };
    let (delete, n, o) = (line("a", "delete"), line("n", "create"), line("o", "create"));
    assert_eq!(assumed(&[delete.clone(), n.clone()], 1), [2]);
    assert_eq!(assumed(&[n.clone(), delete.clone()], 1), [1]);
    assert_eq!(assumed(&[delete.clone(), n.clone()], 2), [0; 0]);
    assert_eq!(assumed(&[delete.clone(), n.clone(), o.clone()], 2), [2, 3]);
    assert_eq!(assumed(&[n.clone(), o.clone()], 2), [1, 2], "who comes first has the room");
    assert_eq!(assumed(&[n.clone(), delete.clone(), o.clone()], 2), [1, 3], "who comes first has the room");
    // A line that fails here would take room in another order.
    let module_of = |id: &str| with(line(id, "create"), json!({"moduleId": "m"}));
    assert_eq!(assumed(&[delete.clone(), module_of("a"), n.clone()], 2), [2, 3]);
    assert_eq!(assumed(&[n.clone(), delete.clone(), module_of("a")], 2), [1, 3]);
    assert_eq!(assumed(&[n.clone(), delete, module_of("a")], 3), [3]);
    assert_eq!(assumed(&[o.clone(), module_of("n"), n.clone()], 3), [1, 2, 3]);
    assert_eq!(assumed(&[o.clone(), module_of("n"), n.clone()], 4), [2]);
    assert_eq!(assumed(&[o.clone(), module_of("n")], 2), [0; 0], "its device comes in no line");
    // What follows from a line that found no room rests on the order, too.
    assert_eq!(assumed(&[n.clone(), module_of("n"), line("n", "update")], 1), [1, 2, 3]);
    assert_eq!(assumed(&[module_of("n"), n, o], 1), [1, 2, 3]);
    let module = |number: usize| json!({"id": "d", "moduleId": format!("m{number}"), "status": "enabled"});
    let mut export = vec![device("d")];
    export.extend((0..49).map(module));
    let gone = with(module(3), json!({"importMode": "delete"}));
    let assumed = |import: &[Value]| run(&export, import).log.assumed;
    assert_eq!(assumed(&[gone.clone(), module(49), module(50)]), [2, 3]);
    assert_eq!(assumed(&[module(49), gone, module(50)]), [1, 3]);
    assert_eq!(assumed(&[module(49), module(50), module(51)]), [1, 2, 3]);
    let update = with(module(50), json!({"importMode": "update"}));
    assert_eq!(assumed(&[module(49), module(50), update]), [1, 2, 3]);
}

/// What becomes of lines that are not assumed is the same in whatever order they come, as far as it is known at all.
#[test]
fn what_is_not_assumed_does_not_rest_on_the_order() {
    let mut compared = 0;
    for seed in 0..500 {
        let rng = &mut Rng::for_line(12, seed, 7);
        let export = random_export(rng);
        let import: Vec<Value> = (0..1 + rng.below(6)).map(|_| random_line(rng, true)).collect();
        let quota = rng.chance(50).then(|| rng.below(7));
        let rehearsed = rehearse_text(&text(&export), &text(&import), quota.map(|quota| quota as u64), 1, 1 << 20);
        let outcomes = || rehearsed.log.outcomes.iter().zip(1..);
        if outcomes().any(|(outcome, _)| outcome.starts_with("not known")) {
            continue;
        }
        for _ in 0..8 {
            let mut order: Vec<usize> = (0..import.len()).collect();
            (1..order.len()).rev().for_each(|last| order.swap(last, rng.below(last + 1)));
            let mut model = model::Registry::of_export(&export);
            model.quota = quota;
            for number in order.clone() {
                let outcome = model.apply(&import[number]);
                if rehearsed.log.assumed.contains(&(number as u64 + 1)) || outcome.starts_with("not known") {
                    continue;
                }
                // A number may be another one, but a failure is a failure.
                let kind = |outcome: &str| outcome.split(' ').next().map(str::to_owned);
                let first = &rehearsed.log.outcomes[number];
                let show =
                    || format!("seed {seed} {order:?} line {}\n{}---\n{}", number + 1, text(&export), text(&import));
                assert_eq!(kind(&outcome), kind(first), "{}", show());
                compared += 1;
            }
        }
    }
    assert!(compared > 1_000, "{compared} are too few");
}
