//! Responsible for: the rules of `hubmill transform` that the oracle knows, as plain data, and the flags that say the
//! same. Not for: what the rules do; see [`oracle`](mod@crate::oracle).

use crate::deep::Deep;
use crate::query::Query;
use std::io;
use std::path::Path;

/// The import modes in their canonical spelling; the index is the numeric form (§1.2).
pub const IMPORT_MODES: [&str; 9] = [
    "createOrUpdate",
    "create",
    "update",
    "updateIfMatchETag",
    "createOrUpdateIfMatchETag",
    "delete",
    "deleteIfMatchETag",
    "updateTwin",
    "updateTwinIfMatchETag",
];

/// The authentication types in their canonical spelling; the index is the numeric form (§1.2).
pub const AUTHENTICATION_TYPES: [&str; 4] = ["sas", "selfSigned", "certificateAuthority", "none"];

/// Which keys `--regenerate-keys` makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Slot {
    /// `both`
    Both,
    /// `primary`
    Primary,
    /// `secondary`
    Secondary,
}

/// A preset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preset {
    /// `migrate`
    Migrate,
    /// `delete`
    Delete,
    /// `share`
    Share,
}

/// What `--check` asks for; the oracle does not know `full`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Check {
    /// `id`
    #[default]
    Id,
    /// `none`
    None,
}

/// What happens to invalid lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnInvalid {
    /// `reject`
    #[default]
    Reject,
    /// `keep`
    Keep,
}

/// The rules of one run. The default is no rule and `--check id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rules {
    /// `--where`
    pub condition: Option<Query>,
    /// `--ids`: the ids of the file.
    pub ids: Option<Vec<String>>,
    /// `--ids-not`: the ids of the file.
    pub ids_not: Option<Vec<String>>,
    /// `--devices-only`
    pub devices_only: bool,
    /// `--modules-only`
    pub modules_only: bool,
    /// `--drop-system-modules`
    pub drop_system_modules: bool,
    /// `--import-mode`: an index into [`IMPORT_MODES`].
    pub import_mode: Option<usize>,
    /// `--status`: `enabled` (false) or `disabled` (true).
    pub disabled: Option<bool>,
    /// `--status-reason`
    pub status_reason: Option<String>,
    /// `--strip-keys`
    pub strip_keys: bool,
    /// `--strip-authentication`
    pub strip_authentication: bool,
    /// `--regenerate-keys`
    pub regenerate_keys: Option<Slot>,
    /// `--keyless sas`
    pub keyless_sas: bool,
    /// `--key-bytes`
    pub key_bytes: usize,
    /// `--promote-secondary`
    pub promote_secondary: bool,
    /// `--swap-keys`
    pub swap_keys: bool,
    /// `--minimal`
    pub minimal: bool,
    /// `--strip-etags`
    pub strip_etags: bool,
    /// `--strip-twin`
    pub strip_twin: bool,
    /// `--strip-metadata`
    pub strip_metadata: bool,
    /// `--merge-twin`, `--set`, `--set-text`, `--unset`, in the order of the flags.
    pub deep: Vec<Deep>,
    /// `--preset`
    pub preset: Option<Preset>,
    /// `--scope-map`: the other hub's export.
    pub scope_map: Option<String>,
    /// `--allow`, each of these codes.
    pub allow: Vec<String>,
    /// `--check`
    pub check: Check,
    /// `--on-invalid`
    pub on_invalid: OnInvalid,
    /// `--max-depth`
    pub max_depth: usize,
    /// `--max-line-bytes`
    pub max_line_bytes: usize,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            condition: None,
            deep: Vec::new(),
            ids: None,
            ids_not: None,
            devices_only: false,
            modules_only: false,
            drop_system_modules: false,
            import_mode: None,
            disabled: None,
            status_reason: None,
            strip_keys: false,
            strip_authentication: false,
            regenerate_keys: None,
            keyless_sas: false,
            key_bytes: 32,
            promote_secondary: false,
            swap_keys: false,
            minimal: false,
            strip_etags: false,
            strip_twin: false,
            strip_metadata: false,
            preset: None,
            scope_map: None,
            allow: Vec::new(),
            check: Check::Id,
            on_invalid: OnInvalid::Reject,
            max_depth: 128,
            max_line_bytes: 16 << 20,
        }
    }
}

impl Rules {
    /// The flags of `hubmill transform` that say these rules. Those that need a file (`--ids`, `--ids-not`,
    /// `--scope-map`) are left out; see [`args_in`](Self::args_in).
    #[must_use]
    pub fn args(&self) -> Vec<String> {
        let standard = Self::default();
        let mut args = Vec::new();
        let mut flag = |wanted: bool, flag: &str| {
            if wanted {
                args.push(flag.to_owned());
            }
        };
        flag(self.devices_only, "--devices-only");
        flag(self.modules_only, "--modules-only");
        flag(self.drop_system_modules, "--drop-system-modules");
        flag(self.strip_keys, "--strip-keys");
        flag(self.strip_authentication, "--strip-authentication");
        flag(self.promote_secondary, "--promote-secondary");
        flag(self.swap_keys, "--swap-keys");
        flag(self.minimal, "--minimal");
        flag(self.strip_etags, "--strip-etags");
        flag(self.strip_twin, "--strip-twin");
        flag(self.strip_metadata, "--strip-metadata");
        let mut option = |name: &str, value: String| args.extend([name.to_owned(), value]);
        if let Some(mode) = self.import_mode {
            option("--import-mode", IMPORT_MODES[mode].to_owned());
        }
        if let Some(disabled) = self.disabled {
            option("--status", if disabled { "disabled" } else { "enabled" }.to_owned());
        }
        if let Some(reason) = &self.status_reason {
            option("--status-reason", reason.clone());
        }
        if self.keyless_sas {
            option("--keyless", "sas".to_owned());
        }
        if self.key_bytes != standard.key_bytes {
            option("--key-bytes", self.key_bytes.to_string());
        }
        if let Some(preset) = self.preset {
            option("--preset", format!("{preset:?}").to_ascii_lowercase());
        }
        for code in &self.allow {
            option("--allow", code.clone());
        }
        if self.check == Check::None {
            option("--check", "none".to_owned());
        }
        if self.on_invalid == OnInvalid::Keep {
            option("--on-invalid", "keep".to_owned());
        }
        if self.max_depth != standard.max_depth {
            option("--max-depth", self.max_depth.to_string());
        }
        if self.max_line_bytes != standard.max_line_bytes {
            option("--max-line-bytes", self.max_line_bytes.to_string());
        }
        if let Some(condition) = &self.condition {
            option("--where", condition.text());
        }
        for edit in &self.deep {
            args.extend(edit.args());
        }
        if let Some(slot) = self.regenerate_keys {
            args.push(format!("--regenerate-keys={}", format!("{slot:?}").to_ascii_lowercase()));
        }
        args
    }

    /// All flags; the files that they name are written into `directory`.
    ///
    /// # Errors
    /// If a file can't be written.
    pub fn args_in(&self, directory: &Path) -> io::Result<Vec<String>> {
        let mut args = self.args();
        let lists = [("--ids", &self.ids), ("--ids-not", &self.ids_not)];
        let lists = lists.into_iter().filter_map(|(flag, ids)| Some((flag, ids.as_ref()?.join("\n"))));
        for (flag, text) in lists.chain(self.scope_map.clone().map(|export| ("--scope-map", export))) {
            let path = directory.join(format!("{}.txt", flag.trim_start_matches('-')));
            std::fs::write(&path, text)?;
            args.extend([flag.to_owned(), path.display().to_string()]);
        }
        Ok(args)
    }

    /// Whether a preset is this one.
    pub(crate) fn is_preset(&self, preset: Preset) -> bool {
        self.preset == Some(preset)
    }

    /// The rules with the preset's rules written out; an explicit mode beats the preset's.
    #[must_use]
    pub fn expanded(&self) -> Self {
        let mut rules = self.clone();
        match self.preset {
            None => {}
            Some(Preset::Migrate) => {
                rules.import_mode = self.import_mode.or(Some(1));
                rules.strip_etags = true;
                rules.drop_system_modules = true;
            }
            Some(Preset::Delete) => {
                rules.devices_only = true;
                rules.import_mode = self.import_mode.or(Some(5));
                rules.minimal = true;
            }
            Some(Preset::Share) => {
                rules.strip_authentication = true;
                rules.strip_twin = true;
                rules.drop_system_modules = true;
            }
        }
        rules
    }

    /// Whether a rule makes or moves keys.
    #[must_use]
    pub fn moves_keys(&self) -> bool {
        self.regenerate_keys.is_some() || self.promote_secondary || self.swap_keys
    }

    /// Whether a rule reads or edits lines, so that the members at the top must be told apart.
    #[must_use]
    pub fn any(&self) -> bool {
        let limits = Self {
            key_bytes: self.key_bytes,
            keyless_sas: self.keyless_sas,
            scope_map: self.scope_map.clone(),
            allow: self.allow.clone(),
            check: self.check,
            on_invalid: self.on_invalid,
            max_depth: self.max_depth,
            max_line_bytes: self.max_line_bytes,
            // Merges of nothing ask for nothing.
            deep: self.deep.iter().filter(|edit| **edit == Deep::Merge("{}".to_owned())).cloned().collect(),
            ..Self::default()
        };
        *self != limits
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_rule_is_no_flag() {
        assert!(Rules::default().args().is_empty());
        assert!(!Rules::default().any());
        assert!(!Rules { check: Check::None, max_depth: 3, ..Rules::default() }.any());
        assert!(Rules { strip_twin: true, ..Rules::default() }.any());
        let merge = |json: &str| Rules { deep: vec![Deep::Merge(json.to_owned())], ..Rules::default() };
        assert!(!merge("{}").any() && merge("{\"tags\":{}}").any());
    }

    #[test]
    fn flags_say_the_rules() {
        let rules = Rules {
            devices_only: true,
            import_mode: Some(6),
            disabled: Some(true),
            status_reason: Some(String::new()),
            regenerate_keys: Some(Slot::Primary),
            check: Check::None,
            allow: vec!["keys-by-hub".to_owned()],
            ids: Some(vec!["a".to_owned(), "b".to_owned()]),
            ..Rules::default()
        };
        let args = rules.args().join(" ");
        assert_eq!(
            args,
            "--devices-only --import-mode deleteIfMatchETag --status disabled --status-reason  --allow keys-by-hub \
             --check none --regenerate-keys=primary"
        );
        let directory = tempfile::tempdir().expect("a directory");
        let all = rules.args_in(directory.path()).expect("written");
        assert_eq!(all[all.len() - 2], "--ids");
        assert_eq!(std::fs::read_to_string(&all[all.len() - 1]).expect("read"), "a\nb");
    }

    #[test]
    fn presets_are_their_rules() {
        let migrate = Rules { preset: Some(Preset::Migrate), import_mode: Some(0), ..Rules::default() }.expanded();
        assert_eq!((migrate.import_mode, migrate.strip_etags, migrate.drop_system_modules), (Some(0), true, true));
        let delete = Rules { preset: Some(Preset::Delete), ..Rules::default() }.expanded();
        assert_eq!((delete.import_mode, delete.devices_only, delete.minimal), (Some(5), true, true));
        let share = Rules { preset: Some(Preset::Share), ..Rules::default() }.expanded();
        assert!(share.strip_authentication && share.strip_twin && share.drop_system_modules && !share.minimal);
    }
}
