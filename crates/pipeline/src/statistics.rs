//! The work of `stats`: counts what is in the lines of a piece.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use hubmill_device::{AuthenticationType, ImportMode, Status, is_system_module, same_name};
use hubmill_parser::{Content, Level, Limits, MemberSpan, Parser, Record};
use hubmill_reader::Part;
use hubmill_rules::{Authenticates, CheckScratch, Checker, Facts, Filter, FilterScratch, MemberPath};

use crate::entries::Entries;
use crate::fingerprint::Fingerprints;
use crate::notes::is_notice;
use crate::validate::note_record;
use crate::{Piece, Work};

/// What is counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All lines.
    pub lines: u64,
    /// Blank lines.
    pub blank: u64,
    /// The hub's plain-text line (§1.6).
    pub notices: u64,
    /// Lines that a condition leaves out.
    pub filtered: u64,
    /// Lines that are no JSON object, or have no id.
    pub invalid: u64,
    /// Lines of devices.
    pub devices: u64,
    /// Lines of modules.
    pub modules: u64,
    /// Lines of modules of the hub itself (§1.7), among the modules.
    pub system_modules: u64,
    /// Devices that are enabled.
    pub enabled: u64,
    /// Devices that are disabled.
    pub disabled: u64,
    /// Edge devices.
    pub edge: u64,
    /// Devices and modules by the type of authentication; the last two: not said (null or missing), and not readable.
    pub authentication: [u64; 6],
    /// Lines by import mode (a line without one is a `createOrUpdate`); the last: not readable.
    pub modes: [u64; ImportMode::ALL.len() + 1],
    /// Devices that are no edge devices and have a scope: children.
    pub children: u64,
}

impl Counts {
    /// The types of authentication in the order of their counts.
    pub const AUTHENTICATION: [AuthenticationType; 4] = [
        AuthenticationType::Sas,
        AuthenticationType::SelfSigned,
        AuthenticationType::CertificateAuthority,
        AuthenticationType::None,
    ];

    fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.lines, other.lines),
            (&mut self.blank, other.blank),
            (&mut self.notices, other.notices),
            (&mut self.filtered, other.filtered),
            (&mut self.invalid, other.invalid),
            (&mut self.devices, other.devices),
            (&mut self.modules, other.modules),
            (&mut self.system_modules, other.system_modules),
            (&mut self.enabled, other.enabled),
            (&mut self.disabled, other.disabled),
            (&mut self.edge, other.edge),
            (&mut self.children, other.children),
        ] {
            *sum += more;
        }
        let sums = self.authentication.iter_mut().chain(&mut self.modes);
        for (sum, more) in sums.zip(other.authentication.iter().chain(&other.modes)) {
            *sum += more;
        }
    }

    #[inline]
    fn count(&mut self, facts: &Facts, record: &Record<'_>) {
        let module_id = facts.module_id.and_then(|module_id| record.text(module_id));
        if let Some(module_id) = &module_id {
            self.modules += 1;
            self.system_modules += u64::from(is_system_module(module_id));
        } else {
            self.devices += 1;
            self.enabled += u64::from(facts.status == Some(Status::Enabled));
            self.disabled += u64::from(facts.status == Some(Status::Disabled));
            self.edge += u64::from(facts.is_edge);
            self.children += u64::from(facts.has_scope && !facts.is_edge);
        }
        let kind = match facts.authenticates {
            Authenticates::By(kind) => kind as usize,
            Authenticates::NotSaid => 4,
            Authenticates::Unreadable => 5,
        };
        self.authentication[kind] += 1;
        self.modes[facts.mode.map_or(ImportMode::ALL.len(), |mode| mode as usize)] += 1;
    }
}

/// How often each size of a section occurs, in bytes of UTF-8 as the hub counts at most (§3.6).
#[derive(Clone, Debug, Default)]
pub struct Sizes {
    counts: BTreeMap<u64, u64>,
    /// Sizes below [`SMALL`], which are nearly all.
    small: Vec<u64>,
    count: u64,
}

const SMALL: usize = 1 << 16;

impl Sizes {
    fn add(&mut self, size: u64) {
        self.count += 1;
        if self.small.is_empty() {
            self.small = vec![0; SMALL];
        }
        match self.small.get_mut(size as usize) {
            Some(count) => *count += 1,
            None => *self.counts.entry(size).or_default() += 1,
        }
    }

    fn all(&self) -> impl Iterator<Item = (u64, u64)> {
        let small = self.small.iter().enumerate().map(|(size, count)| (size as u64, *count));
        small.chain(self.counts.iter().map(|(size, count)| (*size, *count))).filter(|(_, count)| *count > 0)
    }

    /// How many sections there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The size that so many of a hundred sections do not exceed; 0 where there are none.
    pub fn percentile(&self, percent: u64) -> u64 {
        let wanted = (self.count * percent).div_ceil(100).max(1);
        let mut seen = 0;
        self.all()
            .find(|(_, count)| {
                seen += count;
                seen >= wanted
            })
            .map_or(0, |(size, _)| size)
    }

    /// How many are larger than this.
    pub fn over(&self, max: u64) -> u64 {
        self.all().filter(|(size, _)| *size > max).map(|(_, count)| count).sum()
    }
}

/// How to count.
#[derive(Debug)]
pub struct Statistics {
    checker: Checker,
    limits: Limits,
    level: Level,
    /// The names of the path of the member that lines are counted by.
    by: Vec<Vec<u8>>,
    fingerprints: Fingerprints,
    /// Lines can be looked at again, and need no hash.
    again: bool,
    /// Only lines for which it holds are counted.
    filter: Option<Filter>,
}

/// What comes out of one piece.
#[derive(Debug, Default)]
pub struct StatisticsBatch {
    /// What was counted.
    pub counts: Counts,
    /// The sizes of each line's twin: tags, desired, reported.
    sizes: [Vec<u64>; 3],
    by: HashMap<Vec<u8>, u64>,
    /// The lines, to be compared with all others.
    pub entries: Entries,
}

impl StatisticsBatch {
    /// Adds what was counted to the whole.
    pub fn add_to(&self, counts: &mut Counts, sizes: &mut [Sizes; 3], by: &mut HashMap<Vec<u8>, u64>) {
        counts.add(&self.counts);
        for (sizes, more) in sizes.iter_mut().zip(&self.sizes) {
            more.iter().for_each(|size| sizes.add(*size));
        }
        self.by.iter().for_each(|(value, count)| add(by, value, *count));
    }
}

/// Adds to the count of a value.
fn add(by: &mut HashMap<Vec<u8>, u64>, value: &[u8], count: u64) {
    match by.get_mut(value) {
        Some(sum) => *sum += count,
        None => {
            by.insert(value.to_vec(), count);
        }
    }
}

impl Statistics {
    /// Work that counts lines, and by the member at the path `by`.
    pub fn new(limits: Limits, level: Level, by: Option<&MemberPath>) -> Self {
        Self {
            checker: Checker::of_facts(),
            limits,
            level,
            by: by.map(|path| path.names().to_vec()).unwrap_or_default(),
            fingerprints: Fingerprints::new(level),
            again: false,
            filter: None,
        }
    }

    /// Makes no hashes of lines if they can be looked at `again`, where two are about the same device.
    #[must_use]
    pub fn with_lines_again(self, again: bool) -> Self {
        Self { again, ..self }
    }

    /// Leaves out the lines for which the condition does not hold.
    #[must_use]
    pub fn with_filter(self, filter: Option<Filter>) -> Self {
        Self { filter, ..self }
    }

    /// The value of the member that lines are counted by; `None` where it is not there.
    fn value_by<'r>(&self, record: &Record<'r>) -> Option<Cow<'r, [u8]>> {
        let (first, rest) = self.by.split_first()?;
        let named = |member: &MemberSpan, name: &[u8]| same_name(&record.name(member), name);
        let mut member = *record.members().iter().find(|member| named(member, first))?;
        for name in rest {
            member = record.object(&member)?.find(|member| named(member, name))?;
        }
        Some(record.text(member.value).unwrap_or_else(|| record.bytes(member.value).into()))
    }
}

impl Work for Statistics {
    type Scratch = (Parser, CheckScratch, FilterScratch);
    type Batch = StatisticsBatch;

    fn scratch(&self) -> Self::Scratch {
        (self.checker.parser(self.level, self.limits, &[]), CheckScratch::default(), FilterScratch::default())
    }

    fn batch(&self) -> StatisticsBatch {
        StatisticsBatch::default()
    }

    fn clear(&self, batch: &mut StatisticsBatch) {
        batch.counts = Counts::default();
        batch.sizes.iter_mut().for_each(Vec::clear);
        batch.by.clear();
        batch.entries.clear();
    }

    fn work(
        &self,
        scratch: &mut Self::Scratch,
        piece: Piece<'_>,
        from: usize,
        _: u64,
        batch: &mut StatisticsBatch,
    ) -> usize {
        let at_start = piece.is_start(from);
        let from = piece.after_mark(from);
        if let Part::LongLine { first, .. } = piece.part {
            batch.counts.lines += u64::from(first);
            batch.counts.invalid += u64::from(first);
            return piece.bytes.len();
        }
        let (parser, check, filter) = scratch;
        parser.parse(piece.bytes, from, |line| {
            batch.counts.lines += 1;
            match &line.content {
                Content::Blank => batch.counts.blank += 1,
                Content::Invalid(fault) if at_start && line.start == from && is_notice(piece.bytes, line, *fault) => {
                    batch.counts.notices += 1;
                }
                Content::Invalid(_) => batch.counts.invalid += 1,
                Content::Record(record) => {
                    let keeps = self.filter.as_ref().map_or(Ok(true), |condition| condition.keeps(filter, record));
                    if keeps == Ok(false) {
                        batch.counts.filtered += 1;
                        return ControlFlow::Continue(());
                    }
                    let facts = self.checker.check(check, record);
                    if facts.id.is_none() || keeps.is_err() {
                        batch.counts.invalid += 1;
                        return ControlFlow::Continue(());
                    }
                    batch.counts.count(&facts, record);
                    for (section, sizes) in batch.sizes.iter_mut().enumerate() {
                        if facts.sizes.there[section] {
                            sizes.push(facts.sizes.bytes[section]);
                        }
                    }
                    if !self.by.is_empty() {
                        let value = self.value_by(record).unwrap_or_default();
                        add(&mut batch.by, &value, 1);
                    }
                    let place = (batch.counts.lines, piece.offset + line.start as u64);
                    note_record(&mut batch.entries, (&self.fingerprints, self.again), record, &facts, place);
                }
            }
            ControlFlow::Continue(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Sizes;

    #[test]
    fn percentiles_and_what_is_over() {
        let mut sizes = Sizes::default();
        assert_eq!((sizes.count(), sizes.percentile(50), sizes.over(0)), (0, 0, 0));
        (1..=100).for_each(|size| sizes.add(size));
        assert_eq!([50, 99, 100].map(|percent| sizes.percentile(percent)), [50, 99, 100]);
        sizes.add(1 << 40);
        assert_eq!((sizes.percentile(100), sizes.over(100), sizes.over(99)), (1 << 40, 1, 2));
    }
}
