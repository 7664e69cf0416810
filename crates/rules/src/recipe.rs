//! Recipes: what the rules made of one line, to be made of others at once.
//!
//! Two lines of one form differ in their values only. Where they agree in the values that rules go by, and these are few
//! and short (a mode, a type, whether something is null), the rules do the same to both: the same edits at the same places
//! of the fixed text, the same counts. A recipe is what was done to the first of them, with the values that it rests on.
//!
//! Which values a rule set goes by is written down in [`Rules::depends_on`]; where it goes by more than that (lists of ids,
//! free text), or where something had to be said that names a value, there is no recipe.

use hubmill_device::{Code, Member};
use hubmill_parser::{Anchor, MemberSpan, MemberTokens, Record, Span};
use hubmill_writer::Edit;

use crate::apply::Verdict;
use crate::check::is_plain_id;
use crate::edit::{TextRange, replace};
use crate::finding::{Detail, Finding};
use crate::keys::{SLOTS, append_fresh_key};
use crate::options::{Check, KeyRule};
use crate::rules::Rules;
use crate::scratch::Scratch;

/// Recipes kept for one form.
const KEPT: usize = 4;
/// A longer value is not compared.
const VALUE_BYTES_MAX: usize = 64;
/// Lines of one form without a recipe after which none is looked for.
const TRIES: u32 = 64;

/// What is known of the lines of one form.
#[derive(Debug, Default)]
pub(crate) struct Recipes {
    all: Vec<Recipe>,
    /// Lines for which there was none.
    tries: u32,
}

impl Recipes {
    pub(crate) fn clear(&mut self) {
        self.all.clear();
        self.tries = 0;
    }
}

#[derive(Debug)]
struct Recipe {
    id: Option<MemberTokens>,
    module_id: Option<MemberTokens>,
    /// Values that it rests on, as they stand in the line.
    same: Vec<(MemberTokens, Box<[u8]>)>,
    /// Strings that must not be empty.
    filled: Vec<MemberTokens>,
    /// The slots of the fresh keys, in the order that they are made.
    fresh: Vec<usize>,
    edits: Vec<PlannedEdit>,
    /// What is said, and where.
    findings: Vec<(Anchor, Finding)>,
    counts: Vec<Code>,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug)]
struct PlannedEdit {
    start: Anchor,
    end: Anchor,
    text: PlannedText,
}

#[derive(Clone, Copy, Debug)]
enum PlannedText {
    /// A text that stays from line to line.
    Kept(TextRange),
    /// The fresh key of this number.
    Fresh(usize),
}

/// How a recipe rests on a value. Whether it is a string, an object or an array is a matter of the form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rests {
    /// On all of it.
    Whole,
    /// Where it is a string, on whether that is empty; else on all of it.
    Filled,
    /// Where it is a string, on no more than that; else on all of it.
    Kind,
}

impl Rules {
    /// Does what a recipe says, where there is one for the record.
    #[inline]
    pub(crate) fn follow_recipe(&self, scratch: &mut Scratch, record: &Record<'_>) -> Option<Verdict> {
        // What made the recipes found no fault in the names, which are the same.
        let recipes = scratch.layouts.recipes();
        let recipe = recipes.all.iter().find(|recipe| recipe.fits(record))?;
        let id = recipe.id.map(|id| record.value_at(id));
        if self.check == Check::Id && !id.is_some_and(|id| is_plain_id(record, id)) {
            return None;
        }
        scratch.id = id;
        scratch.module_id = recipe.module_id.map(|module_id| record.value_at(module_id));
        for slot in &recipe.fresh {
            append_fresh_key(&mut scratch.keys, &mut scratch.texts, &mut scratch.made_keys, *slot);
        }
        for edit in &recipe.edits {
            let text = match edit.text {
                PlannedText::Kept(text) => text,
                PlannedText::Fresh(number) => scratch.made_keys[number].text,
            };
            let span = Span { start: record.place_of(edit.start), end: record.place_of(edit.end) };
            scratch.edits.push(replace(span, text));
        }
        for (at, finding) in &recipe.findings {
            scratch.findings.push(Finding { at: record.place_of(*at), ..*finding });
        }
        for code in &recipe.counts {
            scratch.counts.push(*code);
        }
        Some(recipe.verdict)
    }

    /// Keeps what was done to the record as a recipe, if it can be one.
    #[inline]
    pub(crate) fn note_recipe(&self, scratch: &mut Scratch, record: &Record<'_>, verdict: Verdict) {
        let Some(recipes) = scratch.layouts.recipes_mut() else {
            return;
        };
        if recipes.tries < TRIES && recipes.all.len() < KEPT && self.has_recipes() {
            recipes.tries += 1;
            self.make_recipe(scratch, record, verdict);
        }
    }

    #[cold]
    fn make_recipe(&self, scratch: &mut Scratch, record: &Record<'_>, verdict: Verdict) {
        if let Some(recipe) = self.recipe(scratch, record, verdict)
            && let Some(recipes) = scratch.layouts.recipes_mut()
        {
            recipes.all.push(recipe);
        }
    }

    /// Whether it can be told at all what the rules go by.
    fn has_recipes(&self) -> bool {
        // These copy keys, and leave alone what is a copy already.
        let copies_keys = matches!(self.key_rule, Some(KeyRule::Swap | KeyRule::PromoteSecondary));
        self.ids.is_none() && self.ids_not.is_none() && self.patch.is_empty() && !copies_keys
    }

    fn recipe(&self, scratch: &Scratch, record: &Record<'_>, verdict: Verdict) -> Option<Recipe> {
        // Only where the form covers all names.
        record.anchor(record.open())?;
        let finding = |finding: &Finding| {
            let is_fixed =
                matches!(finding.detail, Detail::Text(_)) && finding.name.is_none() && finding.within.is_none();
            Some((record.anchor(finding.at)?, *finding)).filter(|_| is_fixed)
        };
        let findings = scratch.findings.iter().map(finding).collect::<Option<_>>()?;
        let tokens = |member| scratch.layouts.names().get(record, member).and_then(|member| record.tokens(&member));
        let (mut same, mut filled) = (Vec::new(), Vec::new());
        for (member, rests) in self.depends_on(scratch, record)? {
            if record.is_fixed(member.value) {
                continue;
            }
            let value = record.bytes(member.value);
            let tokens = record.tokens(&member)?;
            match (value.first()?, rests) {
                (b'{' | b'[', _) | (b'"', Rests::Kind) => {}
                (b'"', Rests::Filled) if value.len() > 2 => filled.push(tokens),
                _ if value.len() > VALUE_BYTES_MAX => return None,
                _ => same.push((tokens, value.into())),
            }
        }
        let slot = |name| SLOTS.iter().position(|slot| *slot == name);
        let fresh = scratch.made_keys.iter().map(|key| slot(key.slot)).collect::<Option<_>>()?;
        let edit = |edit: &Edit| {
            let range = TextRange { start: edit.text_start, end: edit.text_end };
            let text = match scratch.made_keys.iter().position(|key| key.text == range) {
                Some(number) => PlannedText::Fresh(number),
                None if range.end as usize <= self.texts_kept() => PlannedText::Kept(range),
                None => return None,
            };
            Some(PlannedEdit { start: record.anchor(edit.start)?, end: record.anchor(edit.end)?, text })
        };
        let edits = scratch.edits.iter().map(edit).collect::<Option<_>>()?;
        let (id, module_id) = (tokens(Member::Id), tokens(Member::ModuleId));
        Some(Recipe { id, module_id, same, filled, fresh, edits, findings, counts: scratch.counts.clone(), verdict })
    }

    /// The values that the rules go by, of the record's members and of what is inside of them; `None` where they go by more
    /// than can be told.
    fn depends_on(&self, scratch: &Scratch, record: &Record<'_>) -> Option<Vec<(MemberSpan, Rests)>> {
        let names = scratch.layouts.names();
        let get = |member| names.get(record, member);
        let migrates = self.migrate.is_some();
        let whole_if = |whole: bool| if whole { Rests::Whole } else { Rests::Kind };
        let by_module_id =
            self.devices_only || self.modules_only || self.drop_system_modules || self.key_rule.is_some();
        let mut members: Vec<(MemberSpan, Rests)> = [
            (Member::ImportMode, Rests::Whole),
            (Member::Status, whole_if(self.status.is_some())),
            (Member::StatusReason, whole_if(self.status_reason.is_some())),
            (Member::ModuleId, whole_if(by_module_id)),
            (Member::Authentication, Rests::Kind),
            (Member::Properties, Rests::Kind),
            (Member::Capabilities, Rests::Kind),
        ]
        .into_iter()
        .filter_map(|(member, rests)| Some((get(member)?, rests)))
        .collect();
        if migrates
            && !scratch.changes.removed.contains(Member::DeviceScope)
            && let Some(scope) = get(Member::DeviceScope)
        {
            if record.bytes(scope.value) != b"null" {
                return None;
            }
            members.push((scope, Rests::Whole));
        }
        let by_keys = self.strip_keys || self.key_rule.is_some();
        let inside = [(Member::Authentication, by_keys), (Member::Capabilities, migrates)];
        let mut open: Vec<MemberSpan> =
            inside.into_iter().filter(|(_, goes_by)| *goes_by).filter_map(|(member, _)| get(member)).collect();
        while let Some(member) = open.pop() {
            for inner in record.object(&member).into_iter().flatten() {
                // Keys and thumbprints are there or not; what they are is nobody's business.
                let is_type = record.name(&inner).as_ref() == b"type";
                members.push((inner, if is_type { Rests::Whole } else { Rests::Filled }));
                open.push(inner);
            }
        }
        Some(members)
    }
}

impl Recipe {
    #[inline]
    fn fits(&self, record: &Record<'_>) -> bool {
        self.same.iter().all(|(member, value)| record.bytes(record.value_at(*member)) == &**value)
            && self.filled.iter().all(|member| {
                let value = record.value_at(*member);
                value.end - value.start > 2
            })
    }
}
