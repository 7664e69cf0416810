//! Recipes: what the rules made of one line, to be made of others at once.
//!
//! Two lines of one form differ in their values only. Where they agree in the values that rules go by, and these are few
//! and short (a mode, a type, whether something is null), the rules do the same to both: the same edits at the same places
//! of the fixed text, the same counts. A recipe is what was done to the first of them, with the values that it rests on.
//!
//! Which values a rule set goes by is written down in [`Rules::depends_on`]; where it goes by more than that (lists of ids,
//! free text), or where something had to be said that names a value, there is no recipe.

use hubmill_device::{Code, Member};
use hubmill_parser::{AnchoredSpan, FixedRun, FixedText, MemberSpan, Record, Span};
use hubmill_writer::Edit;

use crate::apply::Verdict;
use crate::check::{ID_SET, is_plain_id, plain_ids};
use crate::edit::{TextRange, replace};
use crate::finding::PlannedFinding;
use crate::keys::{MadeKey, SLOTS, append_fresh_key, source_of};
use crate::layout::Layouts;
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

/// What the rules do to each line of a form that has certain values.
#[derive(Debug)]
pub(crate) struct Recipe {
    id: Option<AnchoredSpan>,
    module_id: Option<AnchoredSpan>,
    /// Values that it rests on, as they stand in the line.
    same: Vec<(AnchoredSpan, Box<[u8]>)>,
    /// Strings that must not be empty.
    filled: Vec<AnchoredSpan>,
    /// The slots of the fresh keys, in the order that they are made.
    fresh: Vec<usize>,
    edits: Vec<PlannedEdit>,
    /// What is said, and where.
    findings: Vec<PlannedFinding>,
    counts: Vec<Code>,
    verdict: Verdict,
}

#[derive(Clone, Copy, Debug)]
struct PlannedEdit {
    span: AnchoredSpan,
    text: PlannedText,
}

#[derive(Clone, Copy, Debug)]
enum PlannedText {
    /// A text that stays from line to line.
    Kept(TextRange),
    /// The fresh key of this number.
    Fresh(usize),
}

impl PlannedEdit {
    /// The edit of this line, for which keys were made that have these texts.
    #[inline(always)]
    fn of(&self, line: &FixedText<'_>, key_text: impl FnOnce(usize) -> TextRange) -> Edit {
        let text = match self.text {
            PlannedText::Kept(text) => text,
            PlannedText::Fresh(number) => key_text(number),
        };
        replace(line.span(self.span), text)
    }
}

/// Keys that were made for a line, one after the other among the texts.
#[derive(Clone, Copy, Debug, Default)]
struct FreshKeys {
    /// Where the first one starts.
    start: u32,
    /// How long each is, quotes and all.
    bytes: u32,
}

impl FreshKeys {
    #[inline(always)]
    fn text(self, number: usize) -> TextRange {
        let start = self.start + number as u32 * self.bytes;
        TextRange { start, end: start + self.bytes }
    }
}

/// What becomes of a line that follows a recipe, or of some in a row.
#[derive(Clone, Copy, Debug)]
pub struct Followed<'a> {
    recipe: &'a Recipe,
    texts: &'a [u8],
    keys: FreshKeys,
}

impl<'a> Followed<'a> {
    /// What becomes of the line; never [`Verdict::Invalid`].
    #[inline(always)]
    pub fn verdict(&self) -> Verdict {
        self.recipe.verdict
    }

    /// The edits of such a line, in order; spans are from the start of the chunk.
    #[inline(always)]
    pub fn edits(&self, line: FixedText<'a>) -> impl Iterator<Item = Edit> + use<'a> {
        let Self { recipe, keys, .. } = *self;
        recipe.edits.iter().map(move |edit| edit.of(&line, |number| keys.text(number)))
    }

    /// The edits of the first lines of a run, in order, if these get no fresh keys.
    #[inline(always)]
    pub fn edits_of_run(&self, run: &FixedRun<'a>, lines: usize) -> impl Iterator<Item = Edit> + use<'a> {
        let planned = &self.recipe.edits;
        let mut lines = run.lines().take(lines);
        let mut line = lines.next();
        let mut rest = planned.iter();
        // By hand, since a `flat_map` is not inlined.
        std::iter::from_fn(move || {
            loop {
                let text = &line.as_ref()?.text;
                if let Some(edit) = rest.next() {
                    return Some(edit.of(text, |_| TextRange::default()));
                }
                line = lines.next();
                rest = planned.iter();
            }
        })
    }

    /// How many bytes the texts of the edits of a line have, if it gets no fresh keys.
    pub fn text_bytes(&self) -> usize {
        let kept = self.recipe.edits.iter().map(|edit| match edit.text {
            PlannedText::Kept(text) => (text.end - text.start) as usize,
            PlannedText::Fresh(_) => 0,
        });
        kept.sum()
    }

    /// The buffer of texts that edits and keys point into.
    #[inline(always)]
    pub fn texts(&self) -> &'a [u8] {
        self.texts
    }

    /// The keys that were made.
    #[inline]
    pub fn made_keys(&self) -> impl Iterator<Item = MadeKey> + use<'a> {
        let Self { recipe, keys, .. } = *self;
        let slots = recipe.fresh.iter().enumerate();
        slots.map(move |(number, slot)| MadeKey { slot: SLOTS[*slot], text: keys.text(number) })
    }

    /// What is found.
    #[inline(always)]
    pub fn findings(&self) -> &'a [PlannedFinding] {
        &self.recipe.findings
    }

    /// What is counted and no finding of its own.
    #[inline(always)]
    pub fn counts(&self) -> &'a [Code] {
        &self.recipe.counts
    }

    /// The value of `id`, as it stands in such a line.
    #[inline]
    pub fn id(&self, line: &FixedText<'_>) -> Option<Span> {
        self.recipe.id(line)
    }

    /// The value of `moduleId`, as it stands in such a line.
    #[inline]
    pub fn module_id(&self, line: &FixedText<'_>) -> Option<Span> {
        self.recipe.module_id(line)
    }
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
    /// What becomes of a line, where it is known ahead for lines of its form: the same as [`apply`](Self::apply) says, with
    /// less work. What the scratch says is not about this line.
    #[inline(always)]
    pub fn follow<'a>(&self, scratch: &'a mut Scratch, line: FixedText<'_>) -> Option<Followed<'a>> {
        if self.condition.is_some() {
            return None;
        }
        let Scratch { layouts, keys, texts, .. } = scratch;
        let recipe = self.find_recipe(layouts, &line)?;
        if recipe.fresh.is_empty() {
            return Some(Followed { recipe, texts, keys: FreshKeys::default() });
        }
        let source = source_of(keys);
        let start = source.take(recipe.fresh.len()) as u32;
        let keys = FreshKeys { start, bytes: source.quoted_bytes() as u32 };
        Some(Followed { recipe, texts: source.texts(), keys })
    }

    /// What becomes of the first lines of a run, and how many these are, where one recipe tells it and makes no keys: the same
    /// as [`follow`](Self::follow) says of each.
    pub fn follow_run<'a>(&self, scratch: &'a Scratch, run: &FixedRun<'_>) -> Option<(Followed<'a>, usize)> {
        if self.condition.is_some() {
            return None;
        }
        let first = run.lines().next()?.text;
        let recipe = fitting_recipe(&scratch.layouts, &first)?;
        if !recipe.fresh.is_empty() {
            return None;
        }
        let mut lines = match self.check {
            Check::Id => plain_ids(run, recipe.id?),
            _ => run.len(),
        };
        if !recipe.rests_on_nothing() {
            lines = run.lines().take(lines).take_while(|line| recipe.fits(&line.text)).count();
        }
        let followed = Followed { recipe, texts: &scratch.texts, keys: FreshKeys::default() };
        (lines > 0).then_some((followed, lines))
    }

    /// Does what a recipe says, where there is one for the record, for which the condition holds.
    #[inline]
    pub(crate) fn follow_recipe(&self, scratch: &mut Scratch, record: &Record<'_>) -> Option<Verdict> {
        let line = record.fixed_text()?;
        let Scratch { layouts, keys, texts, made_keys, edits, findings, counts, .. } = scratch;
        let recipe = self.find_recipe(layouts, &line)?;
        for slot in &recipe.fresh {
            append_fresh_key(keys, texts, made_keys, *slot);
        }
        edits.extend(recipe.edits.iter().map(|edit| edit.of(&line, |number| made_keys[number].text)));
        findings.extend(recipe.findings.iter().map(|finding| finding.of(&line)));
        counts.extend_from_slice(&recipe.counts);
        scratch.id = recipe.id(&line);
        scratch.module_id = recipe.module_id(&line);
        Some(recipe.verdict)
    }

    #[inline(always)]
    fn find_recipe<'a>(&self, layouts: &'a Layouts, line: &FixedText<'_>) -> Option<&'a Recipe> {
        let recipe = fitting_recipe(layouts, line)?;
        if self.check == Check::Id && !recipe.id.is_some_and(|id| is_plain_id(line.text_within(line.span(id), &ID_SET)))
        {
            return None;
        }
        Some(recipe)
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

    /// Whether next to nothing is done to a line: for most it is known ahead, and nothing is to be made or asked.
    pub fn are_light(&self) -> bool {
        self.has_recipes() && self.condition.is_none() && !self.makes_keys()
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
        let findings = PlannedFinding::all(record, &scratch.findings)?;
        let (mut same, mut filled) = (Vec::new(), Vec::new());
        for (member, rests) in self.depends_on(scratch, record)? {
            if record.is_fixed(member.value) {
                continue;
            }
            let value = record.bytes(member.value);
            let span = record.anchored(member.value)?;
            match (value.first()?, rests) {
                (b'{' | b'[', _) | (b'"', Rests::Kind) => {}
                (b'"', Rests::Filled) if value.len() > 2 => filled.push(span),
                _ if value.len() > VALUE_BYTES_MAX => return None,
                _ => same.push((span, value.into())),
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
            Some(PlannedEdit { span: record.anchored(Span { start: edit.start, end: edit.end })?, text })
        };
        let edits = scratch.edits.iter().map(edit).collect::<Option<_>>()?;
        let (id, module_id) = (anchored(record, scratch.id)?, anchored(record, scratch.module_id)?);
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

/// Where a value is in all lines of the form, if it is there: an id that is there must have its place.
pub(crate) fn anchored(record: &Record<'_>, value: Option<Span>) -> Option<Option<AnchoredSpan>> {
    match value {
        Some(value) => record.anchored(value).map(Some),
        None => Some(None),
    }
}

/// The recipe that fits a line, whatever its ids are.
#[inline(always)]
fn fitting_recipe<'a>(layouts: &'a Layouts, line: &FixedText<'_>) -> Option<&'a Recipe> {
    // What made the recipes found no fault in the names, which are the same.
    layouts.recipes(line.form())?.all.iter().find(|recipe| recipe.fits(line))
}

impl Recipe {
    #[inline]
    fn id(&self, line: &FixedText<'_>) -> Option<Span> {
        self.id.map(|id| line.span(id))
    }

    #[inline]
    fn module_id(&self, line: &FixedText<'_>) -> Option<Span> {
        self.module_id.map(|module_id| line.span(module_id))
    }

    #[inline]
    fn rests_on_nothing(&self) -> bool {
        self.same.is_empty() && self.filled.is_empty()
    }

    #[inline]
    fn fits(&self, line: &FixedText<'_>) -> bool {
        self.rests_on_nothing()
            || self.same.iter().all(|(span, value)| line.bytes(line.span(*span)) == &**value)
                && self.filled.iter().all(|span| {
                    let value = line.span(*span);
                    value.end - value.start > 2
                })
    }
}
