//! What to do with a record: select it, edit it, check it.
//!
//! [`RuleSet`] is what a user asks for; [`Rules`] is that, checked for contradictions and made ready. [`Rules::apply`] looks
//! at one record and says what becomes of it: kept, edited (spans of the original line and the texts in their place),
//! filtered or invalid, with findings. Nothing is read or written here, and no line is changed in place.
#![forbid(unsafe_code)]

mod apply;
mod authentication;
mod check;
mod edit;
mod finding;
mod ids;
mod key_source;
mod keys;
mod layout;
mod migrate;
mod minimal;
mod names;
mod options;
mod patch;
mod path;
mod query;
mod recipe;
mod rules;
mod scratch;

pub use apply::Verdict;
pub use check::{Authenticates, CheckScratch, Checker, Facts, Known, Policy, TwinSizes, path_within};
pub use finding::{Detail, Finding, PlannedFinding};
pub use ids::IdList;
pub use key_source::KeySource;
pub use keys::MadeKey;
pub use migrate::ScopeMap;
pub use options::{Check, Conflict, KeyRule, KeySlots, Keyless, Preset, RuleSet, StatusReason};
pub use patch::{DeepEdits, EditFault};
pub use query::{Condition, Filter, FilterScratch, MemberPath, TextFault};
pub use recipe::Followed;
pub use rules::Rules;
pub use scratch::Scratch;
