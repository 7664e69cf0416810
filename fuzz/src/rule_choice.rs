//! Rules of a run out of the first bytes of an input, in the reference's form and in the product's.

use hubmill_device::{Code, ImportMode, Status};
use hubmill_rules::{Condition, DeepEdits, IdList, KeySlots, Keyless, RuleSet, ScopeMap, StatusReason};
use hubmill_testkit::deep::Deep;
use hubmill_testkit::query::Query;
use hubmill_testkit::rules::{Check, IMPORT_MODES, OnInvalid, Preset, Rules, Slot};

use crate::choices::Choices;

const IDS: [&str; 9] = ["a", "b", "c", "d", "e", "edge-1", "x\u{0}", "gerät", "🚀"];
const REASONS: [&str; 6] =
    ["", "moved", "gestört \"x\" \\ /", "🚚", "\u{1}\u{7f}\t", "a long reason of more than thirty-two letters"];
const EXPORTS: [&str; 4] = [
    "{\"id\":\"a\",\"capabilities\":{\"iotEdge\":true},\"deviceScope\":\"ms-azure-iot-edge://a-999\"}\n",
    "notice\r\n{\"id\":\"edge-1\",\"capabilities\":{\"iotEdge\":true},\"deviceScope\":\"ms-azure-iot-edge:\\/\\/edge-1-7\"}\n\
     {\"id\":\"\\u0061\",\"capabilities\":{ \"iotEdge\" : true },\"deviceScope\":\"ms-azure-iot-edge://a-1\"}",
    "{\"id\":\"a\",\"capabilities\":{\"iotEdge\":true},\"deviceScope\":\"\"}\n\
     {\"id\":\"a\",\"moduleId\":\"m\",\"capabilities\":{\"iotEdge\":true},\"deviceScope\":\"ms-azure-iot-edge://a-2\"}\n\
     {\"id\":\"a\",\"id\":\"b\",\"capabilities\":{\"iotEdge\":true},\"deviceScope\":\"ms-azure-iot-edge://a-3\"}\n",
    "",
];

/// Takes rules from the choices; `content` may serve as another hub's export. They may contradict each other.
pub fn take(choices: &mut Choices<'_>, content: &[u8]) -> Rules {
    let often = choices.pick(&[0, 4, 9, 9, 20]);
    let check = if choices.chance(15) { Check::None } else { Check::Id };
    let on_invalid = if choices.chance(25) { OnInvalid::Keep } else { OnInvalid::Reject };
    let mut rules = Rules { check, on_invalid, ..Rules::default() };
    if choices.chance(8) {
        rules.max_line_bytes = choices.below(600);
    }
    if choices.chance(8) {
        rules.max_depth = 1 + choices.below(7);
    }
    let mut wants = |times: usize| choices.chance(often * times);
    let mut asked = [false; 19];
    // The mode and the rules of keys have the most to get wrong.
    let times = [1, 1, 1, 1, 1, 4, 2, 2, 1, 1, 2, 1, 1, 2, 2, 2, 2, 1, 2];
    for (asked, times) in asked.iter_mut().zip(times) {
        *asked = wants(times);
    }
    let ids = |choices: &mut Choices<'_>| {
        let count = 1 + choices.below(4);
        Some((0..count).map(|_| choices.pick(&IDS).to_owned()).collect())
    };
    if asked[0] {
        rules.ids = ids(choices);
    }
    if asked[1] {
        rules.ids_not = ids(choices);
    }
    [rules.devices_only, rules.modules_only, rules.drop_system_modules] = [asked[2], asked[3], asked[4]];
    if asked[5] {
        rules.import_mode = Some(choices.below(IMPORT_MODES.len()));
    }
    if asked[6] {
        rules.disabled = Some(choices.chance(50));
    }
    if asked[7] {
        rules.status_reason = Some(choices.pick(&REASONS).to_owned());
    }
    [rules.strip_keys, rules.strip_authentication] = [asked[8], asked[9]];
    if asked[10] {
        rules.regenerate_keys = Some(choices.pick(&[Slot::Both, Slot::Primary, Slot::Secondary]));
        rules.keyless_sas = choices.chance(40);
        if choices.chance(30) {
            rules.key_bytes = 16 + choices.below(49);
        }
    }
    [rules.promote_secondary, rules.swap_keys] = [asked[11], asked[12]];
    [rules.minimal, rules.strip_etags, rules.strip_twin, rules.strip_metadata] =
        [asked[13], asked[14], asked[15], asked[16]];
    if asked[17] {
        rules.preset = Some(choices.pick(&[Preset::Delete, Preset::Share]));
    }
    if asked[18] {
        rules.preset = Some(Preset::Migrate);
        rules.allow =
            ["device-scope", "keys-by-hub"].into_iter().filter(|_| choices.chance(35)).map(str::to_owned).collect();
        rules.scope_map = match choices.below(8) {
            0..3 => None,
            3 => Some(String::from_utf8_lossy(content).into_owned()),
            other => Some(EXPORTS[other % EXPORTS.len()].to_owned()),
        };
    }
    if choices.chance(often * 2) {
        rules.condition = Some(Query::random(&mut |bound| choices.below(bound), 2));
    }
    if choices.chance(often * 3) {
        let count = 1 + choices.below(4);
        rules.deep = (0..count).map(|_| Deep::random(&mut |bound| choices.below(bound))).collect();
    }
    rules
}

/// Whether the same input always gives the same output.
pub fn is_repeatable(rules: &Rules) -> bool {
    !rules.moves_keys() && rules.scope_map.is_none()
}

/// Whether the output then comes through a second run unchanged. After an edit a condition may not hold any more, and a
/// member that is removed and set again is removed and set again.
pub fn is_stable(rules: &Rules) -> bool {
    is_repeatable(rules) && rules.condition.is_none() && rules.deep.is_empty()
}

/// The same edits for the product.
fn edits(deep: &[Deep]) -> DeepEdits {
    let mut edits = DeepEdits::default();
    for edit in deep {
        let [flag, value] = edit.args();
        let made = match flag.as_str() {
            "--merge-twin" => edits.merge_twin(value.as_bytes()),
            "--set" => edits.set(&value),
            "--set-text" => edits.set_text(&value),
            _ => edits.unset(&value),
        };
        made.unwrap_or_else(|fault| panic!("{edit:?}: {fault}"));
    }
    edits
}

/// The same rules for the product.
pub fn to_product(rules: &Rules) -> RuleSet {
    let list = |ids: &Option<Vec<String>>| ids.as_ref().map(|ids| IdList::parse(ids.join("\n").into_bytes()));
    let makes_keys = rules.regenerate_keys.is_some() || rules.promote_secondary;
    RuleSet {
        condition: rules.condition.as_ref().map(|condition| {
            let text = condition.text();
            Condition::parse(&text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"))
        }),
        deep: edits(&rules.deep),
        ids: list(&rules.ids),
        ids_not: list(&rules.ids_not),
        devices_only: rules.devices_only,
        modules_only: rules.modules_only,
        drop_system_modules: rules.drop_system_modules,
        import_mode: rules.import_mode.map(|mode| ImportMode::ALL[mode]),
        status: rules.disabled.map(|disabled| if disabled { Status::Disabled } else { Status::Enabled }),
        status_reason: rules.status_reason.as_ref().map(|reason| match reason.as_str() {
            "" => StatusReason::Remove,
            text => StatusReason::Set(text.to_owned()),
        }),
        strip_keys: rules.strip_keys,
        strip_authentication: rules.strip_authentication,
        regenerate_keys: rules.regenerate_keys.map(|slot| match slot {
            Slot::Both => KeySlots::Both,
            Slot::Primary => KeySlots::Primary,
            Slot::Secondary => KeySlots::Secondary,
        }),
        keyless: rules.keyless_sas.then_some(Keyless::Sas),
        key_bytes: makes_keys.then_some(rules.key_bytes),
        promote_secondary: rules.promote_secondary,
        swap_keys: rules.swap_keys,
        minimal: rules.minimal,
        strip_etags: rules.strip_etags,
        strip_twin: rules.strip_twin,
        strip_metadata: rules.strip_metadata,
        preset: rules.preset.map(|preset| match preset {
            Preset::Migrate => hubmill_rules::Preset::Migrate,
            Preset::Delete => hubmill_rules::Preset::Delete,
            Preset::Share => hubmill_rules::Preset::Share,
        }),
        scope_map: rules.scope_map.as_ref().map(|export| {
            let mut map = ScopeMap::new();
            map.read(export.strip_prefix('\u{feff}').unwrap_or(export).as_bytes());
            map
        }),
        allow: rules.allow.iter().filter_map(|code| Code::from_name(code)).collect(),
        check: match rules.check {
            Check::Id => hubmill_rules::Check::Id,
            Check::None => hubmill_rules::Check::None,
        },
    }
}
