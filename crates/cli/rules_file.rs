//! `--rules FILE`: the flags of rules from a TOML file. A key is the long flag's name without `--`.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use hubmill_device::{Code, ImportMode, Printable};
use hubmill_rules::DeepEdits;
use serde::de::{self, Deserialize, Deserializer};
use toml::Spanned;

use crate::excerpt::excerpt;
use crate::exit::Failure;
use crate::rule_flags::{
    CheckChoice, DeepFlag, KeylessChoice, PresetChoice, RuleFlags, SlotChoice, StatusChoice, add_merge,
};
use crate::select;

/// The longest file that is read, in bytes.
const FILE_BYTES_MAX: u64 = 16 << 20;

/// What a file may hold: docs/rules.schema.json describes the same.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
struct RulesFile {
    #[serde(deserialize_with = "one_or_many")]
    r#where: Vec<Spanned<String>>,
    ids: Option<PathBuf>,
    ids_not: Option<PathBuf>,
    devices_only: bool,
    modules_only: bool,
    drop_system_modules: bool,
    filtered: Option<PathBuf>,
    #[serde(deserialize_with = "import_mode")]
    import_mode: Option<ImportMode>,
    #[serde(deserialize_with = "choice")]
    status: Option<StatusChoice>,
    status_reason: Option<String>,
    strip_keys: bool,
    strip_authentication: bool,
    #[serde(deserialize_with = "slots")]
    regenerate_keys: Option<SlotChoice>,
    #[serde(deserialize_with = "choice")]
    keyless: Option<KeylessChoice>,
    #[serde(deserialize_with = "key_bytes")]
    key_bytes: Option<u8>,
    promote_secondary: bool,
    swap_keys: bool,
    keys_out: Option<PathBuf>,
    minimal: bool,
    strip_etags: bool,
    #[serde(alias = "identity-only")]
    strip_twin: bool,
    strip_metadata: bool,
    #[serde(deserialize_with = "one_or_many")]
    merge_twin: Vec<Spanned<String>>,
    #[serde(deserialize_with = "one_or_many")]
    set: Vec<Spanned<String>>,
    #[serde(deserialize_with = "one_or_many")]
    set_text: Vec<Spanned<String>>,
    #[serde(deserialize_with = "one_or_many")]
    unset: Vec<Spanned<String>>,
    #[serde(deserialize_with = "choice")]
    preset: Option<PresetChoice>,
    scope_map: Option<PathBuf>,
    #[serde(deserialize_with = "codes")]
    allow: Vec<Code>,
    #[serde(deserialize_with = "choice")]
    check: Option<CheckChoice>,
}

/// Adds what the file says to the flags: they go before it where there can be only one.
pub(crate) fn add(path: &Path, flags: &mut RuleFlags) -> Result<(), Failure> {
    let text = read(path)?;
    let file: RulesFile = toml::from_str(&text).map_err(|error| {
        let at = error.span().unwrap_or_default();
        let line = line_of(&text, at.start);
        let message = error.message().lines().next().unwrap_or_default().trim_end_matches('.').to_owned();
        Failure::usage(format!("{} line {line}: {message}", path.display())).excerpt(excerpt(&text, at))
    })?;
    let edits = [(DeepFlag::Set, file.set), (DeepFlag::SetText, file.set_text), (DeepFlag::Unset, file.unset)];
    let edits: Vec<(DeepFlag, Spanned<String>)> =
        edits.into_iter().flat_map(|(flag, texts)| texts.into_iter().map(move |text| (flag, text))).collect();
    let in_line = |value: &Spanned<String>, failure: Failure| {
        let line = line_of(&text, value.span().start);
        Failure { reason: anyhow::anyhow!("{} line {line}: {}", path.display(), failure.reason), ..failure }
    };
    check_values(&file.r#where, &file.merge_twin, &edits).map_err(|(value, failure)| in_line(value, failure))?;
    // What a file names is beside it.
    let folder = path.parent().unwrap_or(Path::new(""));
    let beside =
        |named: Option<PathBuf>| named.map(|named| if named.as_os_str() == "-" { named } else { folder.join(named) });
    flags.condition.splice(0..0, file.r#where.into_iter().map(Spanned::into_inner));
    for (flag, set) in [
        (&mut flags.devices_only, file.devices_only),
        (&mut flags.modules_only, file.modules_only),
        (&mut flags.drop_system_modules, file.drop_system_modules),
        (&mut flags.strip_keys, file.strip_keys),
        (&mut flags.strip_authentication, file.strip_authentication),
        (&mut flags.promote_secondary, file.promote_secondary),
        (&mut flags.swap_keys, file.swap_keys),
        (&mut flags.minimal, file.minimal),
        (&mut flags.strip_etags, file.strip_etags),
        (&mut flags.strip_twin, file.strip_twin),
        (&mut flags.strip_metadata, file.strip_metadata),
    ] {
        *flag |= set;
    }
    for (flag, named) in [
        (&mut flags.ids, file.ids),
        (&mut flags.ids_not, file.ids_not),
        (&mut flags.filtered, file.filtered),
        (&mut flags.keys_out, file.keys_out),
        (&mut flags.scope_map, file.scope_map),
    ] {
        if flag.is_none() {
            *flag = beside(named);
        }
    }
    flags.import_mode = flags.import_mode.or(file.import_mode);
    flags.status = flags.status.or(file.status);
    flags.status_reason = flags.status_reason.take().or(file.status_reason);
    flags.regenerate_keys = flags.regenerate_keys.or(file.regenerate_keys);
    flags.keyless = flags.keyless.or(file.keyless);
    flags.key_bytes = flags.key_bytes.or(file.key_bytes);
    flags.preset = flags.preset.or(file.preset);
    flags.check = flags.check.or(file.check);
    flags.allow.splice(0..0, file.allow);
    let merges = file.merge_twin.into_iter().map(Spanned::into_inner).map(|merge| match merge.strip_prefix('@') {
        Some(named) => format!("@{}", folder.join(named).display()),
        None => merge,
    });
    flags.merge_twin.splice(0..0, merges);
    flags.deep.splice(0..0, edits.into_iter().map(|(flag, text)| (flag, text.into_inner())));
    Ok(())
}

/// Reads expressions, paths and JSON; the first value with which something is wrong, so that it can be told with its line.
fn check_values<'f>(
    conditions: &'f [Spanned<String>],
    merges: &'f [Spanned<String>],
    edits: &'f [(DeepFlag, Spanned<String>)],
) -> Result<(), (&'f Spanned<String>, Failure)> {
    for condition in conditions {
        select::condition(condition.get_ref()).map_err(|failure| (condition, failure))?;
    }
    let mut all = DeepEdits::default();
    // Files that are named are read once, later.
    for merge in merges.iter().filter(|merge| !merge.get_ref().starts_with('@')) {
        add_merge(&mut all, merge.get_ref().as_bytes()).map_err(|failure| (merge, failure))?;
    }
    for (flag, value) in edits {
        flag.add(&mut all, value.get_ref()).map_err(|failure| (value, failure))?;
    }
    Ok(())
}

/// The number of the line that a byte is in, from 1.
fn line_of(text: &str, at: usize) -> usize {
    text.get(..at).unwrap_or_default().matches('\n').count() + 1
}

fn read(path: &Path) -> Result<String, Failure> {
    let failed = |error| Failure::storage(anyhow::Error::new(error).context(format!("can't read {}", path.display())));
    let metadata = fs::metadata(path).map_err(failed)?;
    if metadata.len() > FILE_BYTES_MAX {
        return Err(Failure::usage(format!("{} is no file of rules: it has {} bytes", path.display(), metadata.len())));
    }
    let bytes = fs::read(path).map_err(failed)?;
    let text =
        String::from_utf8(bytes).map_err(|_| Failure::usage(format!("{} is not valid UTF-8", path.display())))?;
    Ok(text.strip_prefix('\u{feff}').map_or_else(|| text.clone(), str::to_owned))
}

/// A word out of a few.
fn choice<'de, D: Deserializer<'de>, T: ValueEnum>(deserializer: D) -> Result<Option<T>, D::Error> {
    let text = String::deserialize(deserializer)?;
    T::from_str(&text, false).map(Some).map_err(|_| {
        let all: Vec<String> = T::value_variants()
            .iter()
            .filter_map(|value| Some(format!("\"{}\"", value.to_possible_value()?.get_name())))
            .collect();
        unexpected(&text, &all.join(", "))
    })
}

fn unexpected<E: de::Error>(found: &str, expected: &str) -> E {
    E::custom(format_args!("found \"{}\", expected {expected}", Printable(found)))
}

fn import_mode<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ImportMode>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let mode = ImportMode::ALL.into_iter().find(|mode| mode.as_str().eq_ignore_ascii_case(&text));
    mode.map(Some).ok_or_else(|| unexpected(&text, &ImportMode::ALL.map(ImportMode::as_str).join(", ")))
}

fn key_bytes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u8>, D::Error> {
    let number = i64::deserialize(deserializer)?;
    match u8::try_from(number) {
        Ok(bytes @ 16..=64) => Ok(Some(bytes)),
        _ => Err(de::Error::custom(format_args!("found {number}, expected 16 to 64"))),
    }
}

fn codes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Code>, D::Error> {
    let read = |text: Spanned<String>| {
        let text = text.into_inner();
        Code::from_name(&text).ok_or_else(|| unexpected(&text, "the code of a finding; `hubmill explain` lists them"))
    };
    one_or_many(deserializer)?.into_iter().map(read).collect()
}

/// One text, or a list of texts.
fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Spanned<String>>, D::Error> {
    let all = Spanned::<OneOrMany>::deserialize(deserializer)?;
    let span = all.span();
    Ok(match all.into_inner() {
        OneOrMany::One(text) => vec![Spanned::new(span, text)],
        OneOrMany::Many(texts) => texts,
    })
}

enum OneOrMany {
    One(String),
    Many(Vec<Spanned<String>>),
}

impl<'de> Deserialize<'de> for OneOrMany {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor)
    }
}

struct OneOrManyVisitor;

impl<'de> de::Visitor<'de> for OneOrManyVisitor {
    type Value = OneOrMany;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(OneOrMany::One(text.to_owned()))
    }

    fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(text) = list.next_element()? {
            all.push(text);
        }
        Ok(OneOrMany::Many(all))
    }
}

/// `regenerate-keys = true`, or which.
fn slots<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SlotChoice>, D::Error> {
    struct Visitor;

    impl de::Visitor<'_> for Visitor {
        type Value = Option<SlotChoice>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("true, false, \"both\", \"primary\" or \"secondary\"")
        }

        fn visit_bool<E: de::Error>(self, wanted: bool) -> Result<Self::Value, E> {
            Ok(wanted.then_some(SlotChoice::Both))
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Self::Value, E> {
            let slot = SlotChoice::from_str(text, false);
            slot.map(Some).map_err(|_| unexpected(text, "true, false, \"both\", \"primary\" or \"secondary\""))
        }
    }

    deserializer.deserialize_any(Visitor)
}

/// What is wrong with the keys and values of a file.
#[cfg(test)]
pub(crate) fn read_keys(text: &str) -> Result<(), String> {
    toml::from_str::<RulesFile>(text).map(drop).map_err(|error| error.message().to_owned())
}
