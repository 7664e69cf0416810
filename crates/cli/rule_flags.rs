//! The flags that are rules, and what they ask for.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use clap::{ArgMatches, Args, ValueEnum};
use hubmill_device::{Code, ImportMode, STATUS_REASON_CHARACTERS_MAX, Status};
use hubmill_reader::{Cut, Data, Input, MmapChoice, Part, Watch};
use hubmill_rules::{
    Check, Condition, DeepEdits, EditFault, IdList, KeySlots, Keyless, Preset, RuleSet, ScopeMap, StatusReason,
};

use crate::exit::Failure;
use crate::flags::code_parser;
use crate::{rules_file, select};

/// What to do with each line.
#[derive(Debug, Args)]
#[command(next_help_heading = "Rules: select")]
pub(crate) struct RuleFlags {
    /// Keep lines for which EXPR holds: what stands after WHERE in the hub's query language, for instance
    /// "tags.site = 'oslo' AND status = 'disabled'"; repeated, all must hold
    #[arg(id = "where", long = "where", value_name = "EXPR", allow_hyphen_values = true)]
    pub(crate) condition: Vec<String>,
    /// Keep lines whose id is in FILE (one id a line); modules go with their device
    #[arg(long, value_name = "FILE")]
    pub(crate) ids: Option<PathBuf>,
    /// Leave out lines whose id is in FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) ids_not: Option<PathBuf>,
    /// Leave out modules
    #[arg(long)]
    pub(crate) devices_only: bool,
    /// Leave out devices
    #[arg(long)]
    pub(crate) modules_only: bool,
    /// Leave out modules of the hub itself: those that begin with `$`
    #[arg(long)]
    pub(crate) drop_system_modules: bool,
    /// Write the lines that selection leaves out there, byte for byte
    #[arg(long, value_name = "PATH")]
    pub(crate) filtered: Option<PathBuf>,

    /// Set importMode
    #[arg(long, value_name = "MODE", ignore_case = true, help_heading = "Rules: edit",
        value_parser = PossibleValuesParser::new(ImportMode::ALL.map(ImportMode::as_str))
            .try_map(|name| ImportMode::from_text(name.as_bytes()).ok_or("no import mode")))]
    pub(crate) import_mode: Option<ImportMode>,
    /// Set status
    #[arg(long, value_name = "STATUS", help_heading = "Rules: edit")]
    pub(crate) status: Option<StatusChoice>,
    /// Set statusReason; an empty TEXT removes it
    #[arg(long, value_name = "TEXT", help_heading = "Rules: edit")]
    pub(crate) status_reason: Option<String>,
    /// Symmetric keys become null; thumbprints and type stay
    #[arg(long, help_heading = "Rules: edit")]
    pub(crate) strip_keys: bool,
    /// authentication becomes null, as in the hub's own keyless export
    #[arg(long, help_heading = "Rules: edit")]
    pub(crate) strip_authentication: bool,
    /// Fresh keys for lines that authenticate by symmetric key; a value only with `=`
    #[arg(long, value_name = "SLOT", num_args = 0..=1, require_equals = true, default_missing_value = "both",
        help_heading = "Rules: edit")]
    pub(crate) regenerate_keys: Option<SlotChoice>,
    /// What --regenerate-keys means for lines without authentication
    #[arg(long, value_name = "WHAT", help_heading = "Rules: edit")]
    pub(crate) keyless: Option<KeylessChoice>,
    /// The length of fresh keys in bytes, 16 to 64 [default: 32]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(16..=64), help_heading = "Rules: edit")]
    pub(crate) key_bytes: Option<u8>,
    /// The secondary key becomes the primary, and a fresh secondary is made; a device that still signs with the old primary
    /// loses access
    #[arg(long, help_heading = "Rules: edit")]
    pub(crate) promote_secondary: bool,
    /// Primary and secondary key change places
    #[arg(long, help_heading = "Rules: edit")]
    pub(crate) swap_keys: bool,
    /// Write the keys that this run makes there, as NDJSON, for nobody else to read
    #[arg(long, value_name = "PATH", help_heading = "Rules: edit")]
    pub(crate) keys_out: Option<PathBuf>,
    /// Keep only what the line's import mode needs
    #[arg(long, help_heading = "Rules: edit")]
    pub(crate) minimal: bool,
    /// Remove eTag and twinETag, which another hub does not know
    #[arg(long, help_heading = "Rules: edit")]
    pub(crate) strip_etags: bool,
    /// Remove twinETag, tags and properties
    #[arg(long, visible_alias = "identity-only", help_heading = "Rules: edit")]
    pub(crate) strip_twin: bool,
    /// Remove $metadata and $version from desired and reported properties
    #[arg(long, help_heading = "Rules: edit")]
    pub(crate) strip_metadata: bool,
    /// Merge JSON, or what is in FILE, into tags and properties (RFC 7396): {"tags":{"site":"oslo","old":null}}; repeatable
    #[arg(long, value_name = "JSON|@FILE", help_heading = "Rules: edit")]
    pub(crate) merge_twin: Vec<String>,
    /// Set any member to a JSON value, its parents made where they are missing: tags.floor=3; repeatable
    #[arg(long, value_name = "PATH=JSON", help_heading = "Rules: edit")]
    set: Vec<String>,
    /// Set any member to a text: tags.site=oslo; repeatable
    #[arg(long, value_name = "PATH=TEXT", help_heading = "Rules: edit")]
    set_text: Vec<String>,
    /// Remove any member: properties.reported; repeatable
    #[arg(long, value_name = "PATH", help_heading = "Rules: edit")]
    unset: Vec<String>,
    /// Rules that go together; others may be added
    #[arg(long, value_name = "NAME", help_heading = "Rules: edit")]
    pub(crate) preset: Option<PresetChoice>,
    /// The new hub's export after its edge devices are there: maps the scopes of child devices (with --preset migrate)
    #[arg(long, value_name = "EXPORT", help_heading = "Rules: edit")]
    pub(crate) scope_map: Option<PathBuf>,
    /// Let lines through that --preset migrate refuses (device-scope, keys-by-hub), or what --check full finds; repeatable
    #[arg(long, value_name = "CODE", help_heading = "Rules: check", value_parser = code_parser(), hide_possible_values = true)]
    pub(crate) allow: Vec<Code>,
    /// What is checked on the lines as they leave: JSON and the id, all that `validate` knows of a line, or JSON only
    /// [default: id]
    #[arg(long, value_name = "WHAT", help_heading = "Rules: check")]
    pub(crate) check: Option<CheckChoice>,
    /// Take rules from a TOML file, too: a key is a long flag's name without --; flags go before what the file says
    #[arg(long, value_name = "FILE", help_heading = "Rules: from a file")]
    pub(crate) rules: Option<PathBuf>,
    /// Write nothing; show the first changed lines before and after, without keys, and the counts
    #[arg(long, help_heading = "Rules: try them")]
    pub(crate) dry_run: bool,
    /// `--set`, `--set-text` and `--unset` in the order in which they were given.
    #[arg(skip)]
    pub(crate) deep: Vec<(DeepFlag, String)>,
}

/// A flag that edits any member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeepFlag {
    Set,
    SetText,
    Unset,
}

impl DeepFlag {
    /// Adds the edit that a value of the flag asks for.
    pub(crate) fn add(self, edits: &mut DeepEdits, text: &str) -> Result<(), Failure> {
        match self {
            Self::Set => edits.set(text),
            Self::SetText => edits.set_text(text),
            Self::Unset => edits.unset(text),
        }
        .map_err(edit_failure)
    }
}

/// Adds the edits of `--merge-twin`.
pub(crate) fn add_merge(edits: &mut DeepEdits, json: &[u8]) -> Result<(), Failure> {
    edits.merge_twin(json).map_err(edit_failure)
}

fn edit_failure(fault: EditFault) -> Failure {
    Failure::usage(&fault).hint(fault.hint)
}

impl RuleFlags {
    /// Notes in which order the flags were given that edit any member.
    pub(crate) fn note_order(&mut self, matches: &ArgMatches) {
        let of = |flag, id: &str, values: &[String]| -> Vec<(usize, DeepFlag, String)> {
            let places = matches.indices_of(id).into_iter().flatten();
            places.zip(values).map(|(place, value)| (place, flag, value.clone())).collect()
        };
        let mut all = of(DeepFlag::Set, "set", &self.set);
        all.extend(of(DeepFlag::SetText, "set_text", &self.set_text));
        all.extend(of(DeepFlag::Unset, "unset", &self.unset));
        all.sort_by_key(|(place, ..)| *place);
        self.deep = all.into_iter().map(|(_, flag, value)| (flag, value)).collect();
    }

    /// Adds what the file of `--rules` says.
    pub(crate) fn add_file(&mut self) -> Result<(), Failure> {
        match self.rules.clone() {
            Some(path) => rules_file::add(&path, self),
            None => Ok(()),
        }
    }

    /// The edits of any members.
    fn deep_edits(&self) -> Result<DeepEdits, Failure> {
        let mut edits = DeepEdits::default();
        for text in &self.merge_twin {
            match text.strip_prefix('@') {
                Some(path) => add_merge(&mut edits, &read_small(Path::new(path))?)?,
                None => add_merge(&mut edits, text.as_bytes())?,
            }
        }
        for (flag, text) in &self.deep {
            flag.add(&mut edits, text)?;
        }
        Ok(edits)
    }

    /// The condition of `--where`: all of them.
    fn condition(&self) -> Result<Option<Condition>, Failure> {
        let mut all: Option<Condition> = None;
        for text in &self.condition {
            let next = select::condition(text)?;
            all = Some(match all {
                Some(before) => before.and(next),
                None => next,
            });
        }
        Ok(all)
    }

    /// The rule set that the flags ask for; reads the files that they name. Lines may nest to `depth_max`.
    pub(crate) fn rule_set(&self, depth_max: usize) -> Result<RuleSet, Failure> {
        let ids = |path: &Option<PathBuf>| path.as_deref().map(read_ids).transpose();
        let status_reason = match self.status_reason.as_deref() {
            None => None,
            Some("") => Some(StatusReason::Remove),
            Some(text) => Some(StatusReason::Set(checked_reason(text)?)),
        };
        let mut set = RuleSet {
            condition: self.condition()?,
            deep: self.deep_edits()?,
            devices_only: self.devices_only,
            modules_only: self.modules_only,
            drop_system_modules: self.drop_system_modules,
            import_mode: self.import_mode,
            status: self.status.map(Status::from),
            status_reason,
            strip_keys: self.strip_keys,
            strip_authentication: self.strip_authentication,
            regenerate_keys: self.regenerate_keys.map(KeySlots::from),
            keyless: self.keyless.map(Keyless::from),
            key_bytes: self.key_bytes.map(usize::from),
            promote_secondary: self.promote_secondary,
            swap_keys: self.swap_keys,
            minimal: self.minimal,
            strip_etags: self.strip_etags,
            strip_twin: self.strip_twin,
            strip_metadata: self.strip_metadata,
            preset: self.preset.map(Preset::from),
            scope_map: self.scope_map.is_some().then(ScopeMap::new),
            allow: self.allow.clone(),
            check: self.check.map(Check::from).unwrap_or_default(),
            ids: None,
            ids_not: None,
        };
        // Contradictions come before any file is looked at.
        set.check_conflicts().map_err(Failure::usage)?;
        let depth = set.deep.depth().map_err(Failure::usage)?;
        if depth > depth_max {
            return Err(Failure::usage(format!(
                "the values of --set and --merge-twin make lines of {depth} levels; --max-depth is {depth_max}"
            )));
        }
        if self.keys_out.is_some() && !set.makes_keys() {
            return Err(Failure::usage("--keys-out has no meaning without --regenerate-keys or --promote-secondary"));
        }
        set.ids = ids(&self.ids)?;
        set.ids_not = ids(&self.ids_not)?;
        if let Some(path) = &self.scope_map {
            set.scope_map = Some(read_scopes(path)?);
        }
        Ok(set)
    }
}

fn checked_reason(text: &str) -> Result<String, Failure> {
    let characters = text.chars().count();
    if characters > STATUS_REASON_CHARACTERS_MAX {
        return Err(Failure::usage(format!(
            "--status-reason has {characters} characters; the hub takes at most {STATUS_REASON_CHARACTERS_MAX} (§3.2)"
        )));
    }
    Ok(text.to_owned())
}

/// The largest file that is read as one value, in bytes: what a line may hold by default.
const SMALL_BYTES_MAX: u64 = 16 << 20;

/// Reads a file that is one value.
fn read_small(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error| Failure::storage(anyhow::Error::new(error).context(format!("can't read {}", path.display())));
    let mut bytes = Vec::new();
    fs::File::open(path).and_then(|file| file.take(SMALL_BYTES_MAX + 1).read_to_end(&mut bytes)).map_err(failed)?;
    if bytes.len() as u64 > SMALL_BYTES_MAX {
        return Err(Failure::usage(format!("{} has more than {SMALL_BYTES_MAX} bytes", path.display())));
    }
    Ok(bytes)
}

fn read_ids(path: &Path) -> Result<IdList, Failure> {
    let text = fs::read(path).map_err(|error| {
        Failure::storage(anyhow::Error::new(error).context(format!("can't read {}", path.display())))
    })?;
    Ok(IdList::parse(text))
}

/// Nothing else waits for the buffer of a file that is read ahead of the run.
struct Alone;

impl Watch for Alone {
    fn stopped(&self) -> bool {
        false
    }

    fn before_growth(&mut self) {}
}

fn read_scopes(path: &Path) -> Result<ScopeMap, Failure> {
    let input = Input::open(path, MmapChoice::Never).map_err(Failure::storage)?;
    let mut chunks = input.chunks(Cut::default());
    let mut buffer = Vec::new();
    let mut map = ScopeMap::new();
    while let Some(chunk) = chunks.next(&mut buffer, &mut Alone).map_err(Failure::storage)? {
        let bytes = match chunk.data {
            Data::Mapped(bytes) => bytes,
            Data::Buffered(bytes) => &buffer[..bytes],
        };
        if chunk.part == Part::Lines {
            let start = if chunk.offset == 0 { bytes.strip_prefix(b"\xef\xbb\xbf") } else { None };
            map.read(start.unwrap_or(bytes));
        }
    }
    if map.is_empty() {
        return Err(Failure::usage(format!(
            "no edge device with a scope in {}: --scope-map takes an export of the new hub, made after its edge devices \
             were imported",
            path.display()
        )));
    }
    Ok(map)
}

/// A choice on the command line that stands for a value of the rules.
macro_rules! choice {
    ($(#[$about:meta])* $name:ident for $target:ty { $($(#[doc = $doc:literal])* $variant:ident = $value:expr,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
        pub(crate) enum $name { $($(#[doc = $doc])* $variant,)+ }

        impl From<$name> for $target {
            fn from(choice: $name) -> Self {
                match choice { $($name::$variant => $value,)+ }
            }
        }
    };
}

choice! {
    /// `--status`
    StatusChoice for Status {
        Enabled = Status::Enabled,
        Disabled = Status::Disabled,
    }
}

choice! {
    /// `--regenerate-keys`
    SlotChoice for KeySlots {
        Both = KeySlots::Both,
        Primary = KeySlots::Primary,
        Secondary = KeySlots::Secondary,
    }
}

choice! {
    /// `--keyless`
    KeylessChoice for Keyless {
        /// Leave them alone and count them
        Skip = Keyless::Skip,
        /// Give them keys, too
        Sas = Keyless::Sas,
    }
}

choice! {
    /// `--preset`
    PresetChoice for Preset {
        /// For another hub: --import-mode create --strip-etags --drop-system-modules, without the old hub's scopes
        Migrate = Preset::Migrate,
        /// --devices-only --import-mode delete --minimal
        Delete = Preset::Delete,
        /// Nothing secret: --strip-authentication --strip-twin --drop-system-modules
        Share = Preset::Share,
    }
}

choice! {
    /// `--check`
    CheckChoice for Check {
        /// JSON, the id, and a warning where status is missing
        Id = Check::Id,
        /// All that `validate` knows of a line by itself: errors reject it
        Full = Check::Full,
        /// JSON only
        None = Check::None,
    }
}
