//! What a user can ask for, and what contradicts what.

use std::fmt;

use hubmill_device::{Code, ImportMode, KEY_BYTES_DEFAULT, Member, MemberSet, Status};

use crate::ids::IdList;
use crate::migrate::ScopeMap;
use crate::patch::{DeepEdits, EditFault};
use crate::query::Condition;

/// Which keys a rule makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeySlots {
    /// Primary and secondary.
    Both,
    /// The primary only; the secondary must be there.
    Primary,
    /// The secondary only; the primary must be there.
    Secondary,
}

/// What happens to symmetric keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyRule {
    /// Fresh keys.
    Regenerate(KeySlots),
    /// The secondary becomes the primary, and a fresh secondary is made.
    PromoteSecondary,
    /// Primary and secondary change places.
    Swap,
}

/// What fresh keys mean for a line whose authentication is not in the file (§4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Keyless {
    /// It is left alone and counted: an X.509 device can't be told from a SAS one.
    #[default]
    Skip,
    /// It is given keys, too.
    Sas,
}

/// What is checked on lines that are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Check {
    /// JSON only.
    None,
    /// JSON, the id (§3.1), and that there is a status.
    #[default]
    Id,
    /// All that is known of the hub's rules about one line.
    Full,
}

/// What becomes of `statusReason`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatusReason {
    /// Set to this text.
    Set(String),
    /// Removed.
    Remove,
}

/// Rules that go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Preset {
    /// For another hub: created anew, without ETags, system modules and the old hub's scopes.
    Migrate,
    /// Devices deleted, with nothing in the line that deleting does not need.
    Delete,
    /// Nothing secret.
    Share,
}

impl Preset {
    /// As on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Migrate => "migrate",
            Self::Delete => "delete",
            Self::Share => "share",
        }
    }
}

/// What a user asks for. The default is a strict copy.
#[derive(Debug, Default)]
pub struct RuleSet {
    /// Keep lines for which it holds.
    pub condition: Option<Condition>,
    /// Keep lines whose `id` is in the list.
    pub ids: Option<IdList>,
    /// Leave out lines whose `id` is in the list.
    pub ids_not: Option<IdList>,
    /// Leave out modules.
    pub devices_only: bool,
    /// Leave out devices.
    pub modules_only: bool,
    /// Leave out modules of the hub itself (§1.7).
    pub drop_system_modules: bool,
    /// Set `importMode` (§2).
    pub import_mode: Option<ImportMode>,
    /// Set `status`.
    pub status: Option<Status>,
    /// Set or remove `statusReason`.
    pub status_reason: Option<StatusReason>,
    /// Keys become null.
    pub strip_keys: bool,
    /// `authentication` becomes null.
    pub strip_authentication: bool,
    /// Fresh keys.
    pub regenerate_keys: Option<KeySlots>,
    /// What `regenerate_keys` means for keyless lines.
    pub keyless: Option<Keyless>,
    /// The length of fresh keys in bytes, 16 to 64 (§3.3).
    pub key_bytes: Option<usize>,
    /// The secondary key becomes the primary.
    pub promote_secondary: bool,
    /// The keys change places.
    pub swap_keys: bool,
    /// Only what the mode needs stays.
    pub minimal: bool,
    /// `eTag` and `twinETag` go.
    pub strip_etags: bool,
    /// `twinETag`, `tags` and `properties` go.
    pub strip_twin: bool,
    /// `$metadata` and `$version` go from `properties.desired` and `properties.reported`.
    pub strip_metadata: bool,
    /// Edits of any members.
    pub deep: DeepEdits,
    /// Rules that go together.
    pub preset: Option<Preset>,
    /// Scopes in the new hub, for [`Preset::Migrate`].
    pub scope_map: Option<ScopeMap>,
    /// Refusals that are let through, of [`Preset::Migrate`] and of a full check.
    pub allow: Vec<Code>,
    /// What is checked.
    pub check: Check,
}

/// Two wishes that can't both be had, or one that needs another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    message: String,
}

impl Conflict {
    /// Edits that contradict each other.
    pub(crate) fn of_edits(fault: &EditFault) -> Self {
        Self { message: fault.to_string() }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Conflict {}

const AGAINST: &str = "can't be combined with";
const NEEDS: &str = "has no meaning without";

impl RuleSet {
    /// Refusals of [`Preset::Migrate`] that `--allow` lets through.
    const REFUSED_BY_MIGRATE: [Code; 2] = [Code::DeviceScope, Code::KeysByHub];

    /// The length of fresh keys in bytes.
    pub fn key_bytes(&self) -> usize {
        self.key_bytes.unwrap_or(KEY_BYTES_DEFAULT)
    }

    /// Whether keys are made.
    pub fn makes_keys(&self) -> bool {
        self.regenerate_keys.is_some() || self.promote_secondary
    }

    /// The flag that asks for something, be it by way of a preset.
    fn named(&self, asked: bool, flag: &str, by: &[Preset]) -> Option<String> {
        match self.preset.filter(|preset| by.contains(preset)) {
            _ if asked => Some(flag.to_owned()),
            Some(preset) => Some(format!("--preset {}", preset.as_str())),
            None => None,
        }
    }

    /// A rule and an edit of any member that both want to say what becomes of one member.
    fn against_deep_edits(&self) -> Option<(String, &str)> {
        use Member::{
            Authentication, Capabilities, DeviceScope, ETag, Id, ImportMode, ModuleId, Properties, Tags, TwinETag,
        };
        if let Some(minimal) = self.named(self.minimal, "--minimal", &[Preset::Delete])
            && let Some(deep) = self.deep.flag_against_minimal()
        {
            return Some((minimal, deep));
        }
        if self.deep.merges_twin()
            && let Some(strip) = self.named(self.strip_twin, "--strip-twin", &[Preset::Share])
        {
            return Some((strip, "--merge-twin"));
        }
        // Rules of keys go by the mode and name the line by its ids.
        const KEY_RULE: &[Member] = &[Authentication, ImportMode, Id, ModuleId];
        let migrates = self.named(false, "", &[Preset::Migrate]);
        let claims: [(Option<String>, &[Member]); 12] = [
            (
                self.named(self.import_mode.is_some(), "--import-mode", &[Preset::Migrate, Preset::Delete]),
                &[ImportMode],
            ),
            (self.status.map(|_| "--status".to_owned()), &[Member::Status]),
            (self.status_reason.as_ref().map(|_| "--status-reason".to_owned()), &[Member::StatusReason]),
            (self.strip_keys.then(|| "--strip-keys".to_owned()), &[Authentication]),
            (self.named(self.strip_authentication, "--strip-authentication", &[Preset::Share]), &[Authentication]),
            (self.regenerate_keys.map(|_| "--regenerate-keys".to_owned()), KEY_RULE),
            (self.promote_secondary.then(|| "--promote-secondary".to_owned()), KEY_RULE),
            (self.swap_keys.then(|| "--swap-keys".to_owned()), KEY_RULE),
            (self.named(self.strip_etags, "--strip-etags", &[Preset::Migrate]), &[ETag, TwinETag]),
            (self.named(self.strip_twin, "--strip-twin", &[Preset::Share]), &[TwinETag, Tags, Properties]),
            (migrates, &[DeviceScope, Capabilities]),
            (self.named(self.strip_etags, "--strip-etags", &[]).filter(|_| self.deep.needs_etag()), &[ImportMode]),
        ];
        claims.into_iter().find_map(|(flag, members)| Some((flag?, self.deep.flag_for(MemberSet::of(members))?)))
    }

    /// Checks that the wishes agree.
    pub fn check_conflicts(&self) -> Result<(), Conflict> {
        let preset = |preset: Preset| format!("--preset {}", preset.as_str());
        let conflict =
            |one: &str, reason: &str, other: &str| Err(Conflict { message: format!("{one} {reason} {other}") });
        // The flag that asks for it, be it by way of a preset.
        let named = |asked: bool, flag: &str, by: Preset| match (asked, self.preset) {
            (true, _) => Some(flag.to_owned()),
            (false, Some(asked)) if asked == by => Some(preset(by)),
            _ => None,
        };
        let key_rules: Vec<String> = [
            self.strip_keys.then(|| "--strip-keys".to_owned()),
            named(self.strip_authentication, "--strip-authentication", Preset::Share),
            self.regenerate_keys.map(|_| "--regenerate-keys".to_owned()),
            self.promote_secondary.then(|| "--promote-secondary".to_owned()),
            self.swap_keys.then(|| "--swap-keys".to_owned()),
        ]
        .into_iter()
        .flatten()
        .collect();
        if let [one, other, ..] = key_rules.as_slice() {
            return conflict(one, AGAINST, other);
        }
        if self.modules_only
            && let Some(devices_only) = named(self.devices_only, "--devices-only", Preset::Delete)
        {
            return conflict(&devices_only, AGAINST, "--modules-only");
        }
        if let Some(mode) = self.import_mode.filter(|mode| mode.is_if_match())
            && let Some(strip) = named(self.strip_etags, "--strip-etags", Preset::Migrate)
        {
            return conflict(&strip, AGAINST, &format!("--import-mode {}", mode.as_str()));
        }
        if self.keyless.is_some() && self.regenerate_keys.is_none() {
            return conflict("--keyless", NEEDS, "--regenerate-keys");
        }
        if self.key_bytes.is_some() && !self.makes_keys() {
            return conflict("--key-bytes", NEEDS, "--regenerate-keys or --promote-secondary");
        }
        if self.scope_map.is_some() && self.preset != Some(Preset::Migrate) {
            return conflict("--scope-map", NEEDS, &preset(Preset::Migrate));
        }
        if let Some((flag, deep)) = self.against_deep_edits() {
            return conflict(&flag, AGAINST, deep);
        }
        if self.check != Check::Full {
            let by_migrate =
                |code: &&Code| self.preset == Some(Preset::Migrate) && Self::REFUSED_BY_MIGRATE.contains(code);
            if let Some(code) = self.allow.iter().find(|code| !by_migrate(code)) {
                let needed = match Self::REFUSED_BY_MIGRATE.contains(code) {
                    true => "--preset migrate or --check full",
                    false => "--check full",
                };
                return conflict(&format!("--allow {}", code.as_str()), NEEDS, needed);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use hubmill_device::{Code, ImportMode};

    use super::{KeySlots, Keyless, Preset, RuleSet};

    #[test]
    fn contradictions_name_both_flags() {
        type Ask = fn(&mut RuleSet);
        let both: [(Ask, &str, &str); 12] = [
            (|set| (set.strip_keys, set.swap_keys) = (true, true), "--strip-keys", "--swap-keys"),
            (|set| (set.strip_keys, set.strip_authentication) = (true, true), "--strip-keys", "--strip-authentication"),
            (
                |set| (set.preset, set.regenerate_keys) = (Some(Preset::Share), Some(KeySlots::Both)),
                "--preset share",
                "--regenerate-keys",
            ),
            (
                |set| (set.promote_secondary, set.regenerate_keys) = (true, Some(KeySlots::Primary)),
                "--regenerate-keys",
                "--promote-secondary",
            ),
            (|set| (set.devices_only, set.modules_only) = (true, true), "--devices-only", "--modules-only"),
            (|set| (set.preset, set.modules_only) = (Some(Preset::Delete), true), "--preset delete", "--modules-only"),
            (
                |set| (set.strip_etags, set.import_mode) = (true, Some(ImportMode::UpdateIfMatchETag)),
                "--strip-etags",
                "--import-mode updateIfMatchETag",
            ),
            (
                |set| (set.preset, set.import_mode) = (Some(Preset::Migrate), Some(ImportMode::DeleteIfMatchETag)),
                "--preset migrate",
                "--import-mode deleteIfMatchETag",
            ),
            (|set| set.keyless = Some(Keyless::Sas), "--keyless", "--regenerate-keys"),
            (|set| set.key_bytes = Some(16), "--key-bytes", "--promote-secondary"),
            (|set| set.scope_map = Some(Default::default()), "--scope-map", "--preset migrate"),
            (|set| set.allow = vec![Code::KeysByHub], "--allow keys-by-hub", "--preset migrate"),
        ];
        for (ask, one, other) in both {
            let mut set = RuleSet::default();
            ask(&mut set);
            let message = set.check_conflicts().expect_err(one).to_string();
            assert!(message.starts_with(one) && message.contains(other), "{message}");
        }
    }

    #[test]
    fn what_goes_together_is_let_be() {
        let sets = [
            RuleSet::default(),
            RuleSet { regenerate_keys: Some(KeySlots::Both), keyless: Some(Keyless::Sas), ..Default::default() },
            RuleSet { preset: Some(Preset::Migrate), allow: vec![Code::DeviceScope], ..Default::default() },
            RuleSet {
                preset: Some(Preset::Delete),
                import_mode: Some(ImportMode::DeleteIfMatchETag),
                ..Default::default()
            },
        ];
        for set in sets {
            assert_eq!(set.check_conflicts(), Ok(()));
        }
    }
}
