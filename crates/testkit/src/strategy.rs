//! Responsible for: proptest strategies for device lines, whole files and rules. Most lines are valid; every member has
//! its rare wrong forms, too. Not for: bytes that are not JSON beyond what a file needs of them; see
//! [`mutate`].

use crate::deep::{self, Deep};
use crate::mutate;
use crate::query::Query;
use crate::rng::Rng;
use crate::rules::{Check, IMPORT_MODES, OnInvalid, Preset, Rules, Slot};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::string::string_regex;

/// A member's name and value as they are spelled.
type Spelled = (String, String);

/// White space within a line; mostly none.
pub fn white_space() -> BoxedStrategy<&'static str> {
    prop_oneof![12 => Just(""), 3 => Just(" "), 1 => select(vec!["\t", "  ", "\r", " \t ", "\r\r"])].boxed()
}

/// Texts of a regular expression, which is read once; a bare `&str` would be read again for every value.
fn pattern(expression: &str) -> BoxedStrategy<String> {
    string_regex(expression).expect("a regular expression").boxed()
}

/// The body of a string as it is spelled: any text, any escape, lone surrogates, too.
pub fn string_body() -> BoxedStrategy<String> {
    let piece = prop_oneof![
        6 => pattern("[a-zA-Z0-9 .:,{}\\[\\]-]{0,12}"),
        2 => select(vec!["\\\"", "\\\\", "\\/", "\\b", "\\f", "\\n", "\\r", "\\t", "\\u0041", "\\u0000", "\\u00E9"]).prop_map(str::to_owned),
        1 => select(vec!["\\ud800", "\\udc00", "\\ud83d\\ude00", "\\uD83D\\u0041", "\\udfff\\ud800"]).prop_map(str::to_owned),
        2 => select(vec!["é", "中", "🚀", "\u{7f}", "\u{80}", "\u{2028}", "\u{feff}", "\u{ffff}", "\u{10ffff}"]).prop_map(str::to_owned),
        1 => pattern("[x\\\\]{0,1}").prop_map(|text| text.replace('\\', "\\\\").repeat(40)),
    ];
    vec(piece, 0..5).prop_map(|pieces| pieces.concat()).boxed()
}

/// A number as it is spelled.
pub fn number() -> BoxedStrategy<String> {
    prop_oneof![
        any::<i32>().prop_map(|number| number.to_string()),
        pattern("-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?"),
        select(vec!["0", "-0", "75.10", "1.0", "1e400", "18446744073709551616", "1E+2", "-0.0"])
            .prop_map(str::to_owned),
    ]
    .boxed()
}

/// Any JSON value as it is spelled, white space in it.
pub fn value() -> BoxedStrategy<String> {
    let leaf = prop_oneof![
        select(vec!["null", "true", "false", "{}", "[]", "\"\"", "[ ]", "{\t}"]).prop_map(str::to_owned),
        number(),
        string_body().prop_map(|body| format!("\"{body}\"")),
    ];
    // Made once: the closure below runs for every value.
    let (spaces, names) = (white_space(), string_body());
    leaf.prop_recursive(4, 12, 4, move |inner| {
        let item = (spaces.clone(), inner.clone(), spaces.clone())
            .prop_map(|(before, value, after)| format!("{before}{value}{after}"));
        let member = (names.clone(), inner).prop_map(|(name, value)| (name, value));
        prop_oneof![vec(item, 1..5).prop_map(|items| format!("[{}]", items.join(","))), object(vec(member, 1..5)),]
    })
    .boxed()
}

/// An object of these members, in half of the cases with white space between them.
fn object(members: impl Strategy<Value = Vec<Spelled>> + 'static) -> BoxedStrategy<String> {
    let spaces = prop_oneof![Just(None), any::<u64>().prop_map(Some)];
    (members, spaces)
        .prop_map(|(members, spaces)| {
            let mut rng = spaces.map(Rng::new);
            let mut gap =
                || rng.as_mut().map_or("", |rng| rng.pick(&["", "", "", "", " ", " ", "\t", "  ", "\r", " \t "]));
            let mut text = "{".to_owned();
            for (index, (name, value)) in members.iter().enumerate() {
                text.push_str(if index > 0 { "," } else { "" });
                text += &format!("{}\"{name}\"{}:{}{value}{}", gap(), gap(), gap(), gap());
            }
            text.push_str(if members.is_empty() { gap() } else { "" });
            text + "}"
        })
        .boxed()
}

/// Ways to spell a member's name: mostly as it is, sometimes with an escape, rarely in another case.
fn name(name: &'static str) -> BoxedStrategy<String> {
    let at = 0..name.len();
    prop_oneof![
        30 => Just(name.to_owned()),
        2 => at.prop_map(move |at| format!("{}\\u{:04x}{}", &name[..at], name.as_bytes()[at], &name[at + 1..])),
        1 => select(vec![name.to_ascii_uppercase(), name.to_ascii_lowercase(), name[..1].to_ascii_uppercase() + &name[1..]]),
    ].boxed()
}

fn quoted(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| format!("\"{text}\"")).collect()
}

/// A value that is of the wrong type more often than not.
fn odd_value() -> BoxedStrategy<String> {
    prop_oneof![
        select(vec!["null", "true", "0", "7", "[]", "{}", "\"\"", "\"x\"", "\"5\"", "1e0"]).prop_map(str::to_owned),
        value(),
    ]
    .boxed()
}

fn id() -> BoxedStrategy<String> {
    prop_oneof![
        6 => pattern("[a-e]").prop_map(|id| format!("\"{id}\"")),
        6 => pattern("[A-Za-z0-9:.+%_#*?!(),=@;$'-]{1,20}").prop_map(|id| format!("\"{id}\"")),
        1 => select(quoted(&["\\u0061", "\\u0061\\u002d", "a b", "gerät", "a\\/b", "", "\\ud800", "~", "a\\u0000"])),
        1 => (126usize..131).prop_map(|length| format!("\"{}\"", "i".repeat(length))),
        1 => odd_value(),
    ]
    .boxed()
}

/// A mode in the forms of §1.5, and some that are none.
pub fn import_mode() -> BoxedStrategy<String> {
    let canonical = || select(quoted(&IMPORT_MODES));
    prop_oneof![
        8 => canonical(),
        3 => canonical().prop_map(|mode| mode.to_ascii_uppercase()),
        2 => canonical().prop_map(|mode| mode.to_ascii_lowercase()),
        2 => (0..10u8).prop_map(|mode| mode.to_string()),
        2 => (0..10u8).prop_map(|mode| format!("\"{mode}\"")),
        1 => Just("\"d\\u0065lete\"".to_owned()),
        1 => odd_value(),
    ]
    .boxed()
}

/// A base64 key of 32 or 16 bytes, or what stands for none.
fn key() -> BoxedStrategy<String> {
    let made = (any::<u64>(), select(vec![16usize, 32]))
        .prop_map(|(seed, bytes)| crate::generate::key(&mut Rng::new(seed), bytes));
    prop_oneof![
        8 => made.prop_map(|key| format!("\"{key}\"")),
        1 => Just("\"\\/\\/8A\\u0041A==\"".to_owned()),
        3 => Just("null".to_owned()),
        1 => Just("\"\"".to_owned()),
        1 => odd_value(),
    ]
    .boxed()
}

fn thumbprint() -> BoxedStrategy<String> {
    prop_oneof![
        6 => Just("null".to_owned()),
        2 => pattern("\"[0-9A-F]{40}\""),
        1 => Just("\"\"".to_owned()),
        1 => odd_value(),
    ]
    .boxed()
}

/// An object of two optional members.
fn pair(first: &'static str, second: &'static str, value: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let members =
        (option::weighted(0.9, (name(first), value.clone())), option::weighted(0.9, (name(second), value)), rarely());
    let members =
        members.prop_map(|(first, second, extra)| first.into_iter().chain(second).chain(extra).collect::<Vec<_>>());
    prop_oneof![8 => object(members.prop_shuffle()), 1 => Just("null".to_owned()), 1 => odd_value()].boxed()
}

/// Rarely a member that nobody knows, with an empty name or one that is already there.
fn rarely() -> BoxedStrategy<Option<Spelled>> {
    let name = select(vec!["x", "", "type", "primaryKey", "desired", "\\u0078", "symmetricKey"]);
    option::weighted(0.1, (name.prop_map(str::to_owned), value())).boxed()
}

/// An authentication in every form: whole, partial, empty, null, of the wrong type.
pub fn authentication() -> BoxedStrategy<String> {
    let kind = prop_oneof![
        5 => Just("\"sas\"".to_owned()),
        5 => select(quoted(&["SAS", "selfSigned", "SelfSigned", "certificateAuthority", "none", "0", "1", "2", "3", "s\\u0061s"])),
        2 => select(vec!["0", "1", "2", "3", "4", "null"]).prop_map(str::to_owned),
        1 => odd_value(),
    ];
    let members = (
        option::weighted(0.85, (name("symmetricKey"), pair("primaryKey", "secondaryKey", key().boxed()))),
        option::weighted(
            0.6,
            (name("x509Thumbprint"), pair("primaryThumbprint", "secondaryThumbprint", thumbprint().boxed())),
        ),
        option::weighted(0.8, (name("type"), kind)),
        rarely(),
    );
    let members = members.prop_map(|(keys, thumbprints, kind, extra)| {
        keys.into_iter().chain(thumbprints).chain(kind).chain(extra).collect::<Vec<_>>()
    });
    prop_oneof![10 => object(members.prop_shuffle()), 3 => Just("null".to_owned()), 1 => odd_value()].boxed()
}

/// `properties` with `$metadata` and `$version` in its sections, or not.
fn properties() -> BoxedStrategy<String> {
    let section_name =
        || select(vec!["$metadata", "$version", "a", "b", "interval", "\\u0024version"]).prop_map(str::to_owned);
    let section = || prop_oneof![8 => object(vec((section_name(), value()), 0..5)), 1 => odd_value()];
    let members = (
        option::weighted(0.8, (name("desired"), section())),
        option::weighted(0.8, (name("reported"), section())),
        rarely(),
    );
    let members = members
        .prop_map(|(desired, reported, extra)| desired.into_iter().chain(reported).chain(extra).collect::<Vec<_>>());
    prop_oneof![10 => object(members.prop_shuffle()), 1 => odd_value()].boxed()
}

fn member(spelled: &'static str, often: f64, value: BoxedStrategy<String>) -> BoxedStrategy<Option<Spelled>> {
    option::weighted(often, (name(spelled), value)).boxed()
}

fn texts(choices: &[&str]) -> BoxedStrategy<String> {
    prop_oneof![12 => select(quoted(choices)), 1 => odd_value()].boxed()
}

/// A device line, without `\n`: members in any order, unknown ones among them, white space anywhere.
pub fn line() -> BoxedStrategy<Vec<u8>> {
    let scope = ["ms-azure-iot-edge://a-123", "ms-azure-iot-edge://edge-1-637131779299315265", "", "x"];
    let capabilities =
        select(vec!["{\"iotEdge\":true}", "{\"iotEdge\":false}", "{ }", "null", "{\"iotEdge\" : true , \"x\":1}"]);
    let capabilities = prop_oneof![
        12 => capabilities.prop_map(str::to_owned),
        1 => pair("iotEdge", "x", odd_value()),
        1 => odd_value(),
    ];
    let members = vec![
        member("id", 0.97, id().boxed()),
        member("moduleId", 0.2, texts(&["m", "$edgeAgent", "\\u0024edgeHub", "filter"])),
        member("eTag", 0.5, texts(&["MA==", "MTIz"])),
        member("importMode", 0.5, import_mode().boxed()),
        member("status", 0.9, texts(&["enabled", "disabled", "Enabled"])),
        member("statusReason", 0.4, string_body().prop_map(|body| format!("\"{body}\"")).boxed()),
        member("authentication", 0.85, authentication().boxed()),
        member("twinETag", 0.4, texts(&["AAAAAAAAAAE="])),
        member("tags", 0.4, value().boxed()),
        member("properties", 0.4, properties().boxed()),
        member("capabilities", 0.5, capabilities.boxed()),
        member("deviceScope", 0.3, texts(&scope)),
        member("parentScopes", 0.05, value().boxed()),
    ];
    let unknown_name = prop_oneof![6 => pattern("[a-z]{3,9}"), 1 => string_body(), 1 => select(vec!["thumbprint".to_owned(), "etag".to_owned()])];
    let unknown = vec((unknown_name, value()), 0..3);
    let again = option::weighted(0.03, name("id").prop_flat_map(|name| (Just(name), id())));
    let all = (members, unknown, again)
        .prop_map(|(known, unknown, again)| known.into_iter().flatten().chain(unknown).chain(again).collect::<Vec<_>>())
        .boxed();
    let shuffled = prop_oneof![2 => all.clone(), 3 => all.prop_shuffle()];
    (white_space(), object(shuffled), white_space())
        .prop_map(|(before, object, after)| format!("{before}{object}{after}").into_bytes())
        .boxed()
}

/// A line that may be anything: a device, mostly, a broken one, a blank one, a notice.
pub fn any_line() -> BoxedStrategy<Vec<u8>> {
    let broken = (line(), any::<u64>()).prop_map(|(line, seed)| mutate::mutate(&mut Rng::new(seed), &line));
    let odd =
        select(vec!["", " \t", "\r", "[]", "null", "5", "\"x\"", "{}", "{ }", "{", "}", "not a device", "\u{feff}{}"]);
    let bytes = vec(any::<u8>().prop_map(|byte| if byte == b'\n' { 0 } else { byte }), 0..30);
    prop_oneof![
        16 => line(),
        4 => broken,
        2 => odd.prop_map(|text| text.as_bytes().to_vec()),
        1 => bytes,
    ]
    .boxed()
}

/// A whole file: mixed line ends, blank lines, at times a byte order mark, a notice, no newline at the end.
pub fn file() -> BoxedStrategy<Vec<u8>> {
    let start = select(vec![
        "",
        "",
        "",
        "",
        "\u{feff}",
        "Keys were left out of this export.\r\n",
        "\u{feff}notice\n",
        "\n",
        " \r\n",
        "\u{feff}\u{feff}",
    ]);
    let end = prop_oneof![8 => Just("\n"), 3 => Just("\r\n"), 1 => select(vec!["\r\r\n", "\n\n", "\n \t\r\n", " \n"])];
    let last = select(vec!["", "", "\n", "\r", " ", "\u{feff}"]);
    (start, vec((any_line(), end), 0..12), last, any::<bool>())
        .prop_map(|(start, lines, last, whole)| {
            let mut file = start.as_bytes().to_vec();
            let count = lines.len();
            for (index, (line, end)) in lines.into_iter().enumerate() {
                file.extend_from_slice(&line);
                if whole || index + 1 < count {
                    file.extend_from_slice(end.as_bytes());
                }
            }
            file.extend_from_slice(last.as_bytes());
            file
        })
        .boxed()
}

/// A file of nothing but device lines, for tests that want most lines to pass.
pub fn device_file() -> BoxedStrategy<Vec<u8>> {
    vec(line(), 0..12)
        .prop_map(|lines| lines.into_iter().flat_map(|line| line.into_iter().chain([b'\n'])).collect())
        .boxed()
}

/// Rules that do not contradict each other (see [`is_allowed`]).
pub fn rules() -> BoxedStrategy<Rules> {
    (selection(), simple_edits(), key_rules(), frame(), any::<u64>())
        .prop_map(|(selection, edits, keys, frame, seed)| {
            let mut rules = Rules { ids: selection.0, ids_not: selection.1, ..frame };
            (rules.devices_only, rules.modules_only, rules.drop_system_modules) =
                (selection.2 == 1, selection.2 == 2, selection.3);
            (rules.import_mode, rules.disabled, rules.status_reason) = edits.0;
            (rules.minimal, rules.strip_etags, rules.strip_twin, rules.strip_metadata) = edits.1;
            match keys.0 {
                0 => rules.strip_keys = true,
                1 => rules.strip_authentication = true,
                2 | 3 => {
                    rules.regenerate_keys = Some(keys.1);
                    rules.keyless_sas = keys.2;
                    rules.key_bytes = keys.3;
                }
                4 => rules.promote_secondary = true,
                5 => rules.swap_keys = true,
                _ => {}
            }
            // Whether values fit into a lower depth is another question.
            if rules.max_depth == Rules::default().max_depth {
                let mut rng = Rng::new(seed);
                rules.condition = rng.chance(20).then(|| Query::random(&mut |bound| rng.below(bound), 2));
                let count = if rng.chance(25) { 1 + rng.below(4) } else { 0 };
                rules.deep = (0..count).map(|_| Deep::random(&mut |bound| rng.below(bound))).collect();
            }
            if !are_deep_edits_allowed(&rules.expanded()) {
                rules.deep.clear();
            }
            while !is_allowed(&rules) {
                // Whichever flag contradicts a preset goes with the preset.
                if rules.preset.take().is_none() {
                    (rules.strip_etags, rules.modules_only) = (false, false);
                }
            }
            if rules.preset != Some(Preset::Migrate) {
                (rules.scope_map, rules.allow) = (None, Vec::new());
            }
            rules
        })
        .boxed()
}

/// Whether a rule and a deep edit want to say what becomes of one member, or a deep edit can't be made in any line.
fn are_deep_edits_allowed(rules: &Rules) -> bool {
    let edited: Vec<&str> = rules.deep.iter().flat_map(Deep::members).collect();
    // The random edits that touch no known member touch `z`, or are a merge of nothing.
    let only_kept =
        rules.deep.iter().all(|edit| edit.members().iter().any(|member| ["id", "moduleId", "status"].contains(member)));
    let keys: &[&str] = &["authentication", "importMode", "id", "moduleId"];
    let claims: [(bool, &[&str]); 8] = [
        (rules.import_mode.is_some(), &["importMode"]),
        (rules.disabled.is_some(), &["status"]),
        (rules.status_reason.is_some(), &["statusReason"]),
        (rules.strip_keys || rules.strip_authentication, &["authentication"]),
        (rules.moves_keys(), keys),
        (rules.strip_etags, &["eTag", "twinETag"]),
        (rules.strip_twin, &["twinETag", "tags", "properties"]),
        (rules.is_preset(Preset::Migrate), &["deviceScope", "capabilities"]),
    ];
    let claimed = |member: &&str| claims.iter().any(|(asked, members)| *asked && members.contains(member));
    let merges = rules.deep.iter().any(|edit| matches!(edit, Deep::Merge(_)));
    let is_merged_in_vain = rules.strip_twin && merges;
    (!rules.minimal || only_kept) && !is_merged_in_vain && !edited.iter().any(claimed) && deep::agree(&rules.deep)
}

/// Whether the contract allows these rules together.
#[must_use]
pub fn is_allowed(rules: &Rules) -> bool {
    let rules = rules.expanded();
    let if_match = rules.import_mode.is_some_and(|mode| IMPORT_MODES[mode].ends_with("IfMatchETag"));
    let key_rules = [
        rules.regenerate_keys.is_some(),
        rules.promote_secondary,
        rules.swap_keys,
        rules.strip_keys,
        rules.strip_authentication,
    ];
    let together = key_rules.iter().filter(|rule| **rule).count();
    together <= 1
        && !(rules.strip_etags && if_match)
        && !(rules.devices_only && rules.modules_only)
        && are_deep_edits_allowed(&rules)
}

type Selection = (Option<Vec<String>>, Option<Vec<String>>, u8, bool);

fn selection() -> BoxedStrategy<Selection> {
    let ids = || option::weighted(0.15, vec(pattern("[a-f]"), 1..4));
    (ids(), ids(), prop_oneof![6 => Just(0u8), 1 => Just(1), 1 => Just(2)], proptest::bool::weighted(0.2)).boxed()
}

type SimpleEdits = ((Option<usize>, Option<bool>, Option<String>), (bool, bool, bool, bool));

fn simple_edits() -> BoxedStrategy<SimpleEdits> {
    let reason = option::weighted(0.25, select(vec!["", "moved", "gestört \"x\" \\ /", "🚚"]).prop_map(str::to_owned));
    let sometimes = || proptest::bool::weighted(0.25);
    let values = (option::weighted(0.5, 0..IMPORT_MODES.len()), option::weighted(0.25, any::<bool>()), reason);
    (values, (sometimes(), sometimes(), sometimes(), sometimes())).boxed()
}

fn key_rules() -> BoxedStrategy<(u8, Slot, bool, usize)> {
    let slot = select(vec![Slot::Both, Slot::Both, Slot::Primary, Slot::Secondary]);
    (0..12u8, slot, any::<bool>(), prop_oneof![2 => Just(32usize), 1 => 16..=64usize]).boxed()
}

/// What is not a rule of its own: presets, checks, limits.
fn frame() -> BoxedStrategy<Rules> {
    let preset = option::weighted(0.25, select(vec![Preset::Migrate, Preset::Delete, Preset::Share]));
    let scope_map = option::weighted(0.5, Just(
        "notice\n{\"id\":\"a\",\"capabilities\":{\"iotEdge\":true},\"deviceScope\":\"ms-azure-iot-edge://a-999\"}\n".to_owned(),
    ));
    let allow = proptest::sample::subsequence(vec!["device-scope".to_owned(), "keys-by-hub".to_owned()], 0..=2);
    let check = prop_oneof![4 => Just(Check::Id), 1 => Just(Check::None)];
    let on_invalid = prop_oneof![3 => Just(OnInvalid::Reject), 1 => Just(OnInvalid::Keep)];
    let max_depth = prop_oneof![8 => Just(128usize), 1 => 1..6usize];
    let max_line_bytes = prop_oneof![8 => Just(16usize << 20), 1 => 40..400usize];
    (preset, scope_map, allow, check, on_invalid, max_depth, max_line_bytes)
        .prop_map(|(preset, scope_map, allow, check, on_invalid, max_depth, max_line_bytes)| Rules {
            preset,
            scope_map,
            allow,
            check,
            on_invalid,
            max_depth,
            max_line_bytes,
            ..Rules::default()
        })
        .boxed()
}

#[cfg(test)]
#[path = "strategy_tests.rs"]
mod tests;
