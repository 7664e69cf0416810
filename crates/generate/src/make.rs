//! The work of a run that makes devices: from numbers or rows to lines.

use hubmill_pipeline::Work;

use crate::check::{Broken, Check, CheckScratch, CheckedRows, Making};
use crate::compose::Marks;
use crate::devices::Devices;
use crate::known::{Answer, Known};
use crate::line_template::LineTemplate;
use crate::plan::Plan;
use crate::random::{Random, UUID_BYTES};
use crate::row_reader::RowReader;
use crate::rows::{Place, Rows};
use crate::template::increment;

/// Bytes of output or keys that make a batch full.
const FULL_BYTES: usize = 2 << 20;
/// Room that buffers keep for the next piece, in bytes.
const ROOM_KEPT: usize = 2 << 20;

/// Makes the lines of a plan.
#[derive(Clone, Copy, Debug)]
pub struct Make<'p> {
    plan: &'p Plan,
    check: Option<&'p Check<'p>>,
    /// Lines and keys are given out.
    gives: bool,
}

impl<'p> Make<'p> {
    /// Makes lines that are known to be good.
    pub fn new(plan: &'p Plan) -> Self {
        Self { plan, check: None, gives: true }
    }

    /// Makes lines and checks them; `gives` says whether they are also given out.
    pub fn checked(check: &'p Check<'p>, gives: bool) -> Self {
        Self { plan: check.plan(), check: Some(check), gives }
    }
}

/// What comes out of one piece.
#[derive(Debug, Default)]
pub struct Made {
    /// Lines out.
    pub output: Vec<u8>,
    /// Keys that were made, as NDJSON, where they are collected.
    pub keys: Vec<u8>,
    /// How many lines there are in the output.
    pub devices: u64,
    /// Rows are not as they were when they were checked: the file has changed.
    pub is_broken: bool,
    /// What was found, where the lines are checked.
    pub(crate) checked: CheckedRows,
}

/// What one thread needs.
#[derive(Debug)]
pub struct MakeScratch {
    random: Random,
    marks: Marks,
    pattern: Pattern,
    rows: RowReader,
    known: Known,
    check: Option<CheckScratch>,
}

/// The line that was made last, where all lines are alike but for what is marked.
#[derive(Debug, Default)]
struct Pattern {
    line: Vec<u8>,
    marks: Marks,
    /// The number in it; none at first.
    index: Option<u64>,
}

impl Pattern {
    /// Goes to the device of this number.
    #[inline]
    fn go_to(&mut self, index: u64, plan: &Plan, random: &mut Random) {
        let follows = self.index.is_some_and(|last| last + 1 == index);
        let indexes = &self.marks.in_id.indexes;
        if !follows || !indexes.iter().all(|digits| increment(&mut self.line[digits.clone()])) {
            self.line.clear();
            plan.compose(index, None, random, &mut self.marks, &mut self.line);
        }
        self.index = Some(index);
    }
}

impl<'p> Work<Devices<'p>> for Make<'p> {
    type Scratch = MakeScratch;
    type Batch = Made;

    fn scratch(&self) -> MakeScratch {
        MakeScratch {
            random: Random::new(self.plan.key_bytes),
            marks: Marks::default(),
            pattern: Pattern::default(),
            rows: RowReader::new(),
            known: Known::new(self.plan),
            check: self.check.map(Check::scratch),
        }
    }

    fn batch(&self) -> Made {
        Made::default()
    }

    fn clear(&self, made: &mut Made) {
        for buffer in [&mut made.output, &mut made.keys] {
            buffer.clear();
            buffer.shrink_to(ROOM_KEPT);
        }
        made.devices = 0;
        made.is_broken = false;
        if let Some(check) = self.check {
            check.clear(&mut made.checked);
        }
    }

    fn work(&self, scratch: &mut MakeScratch, rows: &Rows, from: usize, _: u64, made: &mut Made) -> usize {
        if self.plan.csv.is_none() {
            return self.make_alike(scratch, rows, from, made);
        }
        let next = self.make_of_rows(scratch, rows, from, made);
        scratch.rows.shrink(ROOM_KEPT);
        next
    }
}

impl Make<'_> {
    /// Makes lines that differ in their ids and keys only.
    fn make_alike(&self, scratch: &mut MakeScratch, rows: &Rows, from: usize, made: &mut Made) -> usize {
        let MakeScratch { random, pattern, .. } = scratch;
        for number in from..rows.count {
            let start = made.output.len();
            pattern.go_to(rows.first + number as u64, self.plan, random);
            made.output.extend_from_slice(&pattern.line);
            fill_in(&mut made.output[start..], &pattern.marks, random);
            self.plan.note_keys(&made.output[start..], &pattern.marks, &mut made.keys);
            made.devices += 1;
            if made.output.len() >= FULL_BYTES || made.keys.len() >= FULL_BYTES {
                return number + 1;
            }
        }
        rows.count
    }

    /// Makes a line of each row.
    fn make_of_rows(&self, scratch: &mut MakeScratch, rows: &Rows, from: usize, made: &mut Made) -> usize {
        let MakeScratch { random, marks, rows: reader, known, check, .. } = scratch;
        let columns = self.plan.columns.names().len();
        let Made { output, keys, checked, .. } = made;
        let mut check = self.check.zip(check.as_mut());
        let mut reading = reader.read(&rows.text, rows.place.line);
        let mut next = from;
        for number in 0..rows.count {
            let Some(place) = reading.next() else {
                made.is_broken = true;
                return rows.count;
            };
            if number < from {
                continue;
            }
            let (row, start) = (reading.row(), output.len());
            let place = Place { byte: rows.place.byte + place.byte, ..place };
            let mut goes_on = true;
            // What is not checked now was checked before.
            let broken = match check.as_ref().and_then(|_| reading.wrong_quote()) {
                Some(wrong) => Some(Broken::Quote(place.after(wrong.lines, wrong.at), wrong)),
                None if row.len() != columns => Some(Broken::Cells(row.len())),
                None => self.plan.columns.barred_in(&row).map(Broken::Barred),
            };
            if let Some(broken) = broken {
                if check.is_none() {
                    made.is_broken = true;
                    return rows.count;
                }
                // A line that has nothing to check keeps the count.
                output.push(b'\n');
                checked.add_broken(number, broken);
                checked.add_row(Making { rows, from, lines: output, keys_bytes: keys.len() }, place);
            } else {
                let index = rows.first + number as u64;
                let answer = known.ask(&row);
                if let Answer::Good(kind) = answer {
                    known.template(kind).append(self.plan, index, &row, random, marks, output);
                } else {
                    self.plan.compose(index, Some(&row), random, marks, output);
                    marks.move_back(start);
                }
                let line = &output[start..];
                if answer == Answer::New {
                    // What is not checked now was checked before.
                    let is_good =
                        check.as_mut().map_or(!marks.id.is_empty(), |(check, scratch)| check.is_good(scratch, line));
                    known.learn(is_good.then(|| LineTemplate::new(self.plan, line, marks)));
                }
                self.plan.note_keys(line, marks, keys);
                if let Some((check, scratch)) = &mut check {
                    let making = Making { rows, from, lines: output, keys_bytes: keys.len() };
                    goes_on = match answer {
                        Answer::Good(_) => check.add_good(scratch, checked, making, place, (start, marks)),
                        _ => {
                            checked.add_row(making, place);
                            true
                        }
                    };
                }
            }
            next += 1;
            if !goes_on || output.len() >= FULL_BYTES || keys.len() >= FULL_BYTES {
                break;
            }
        }
        if let Some((check, scratch)) = check {
            let kept = check.finish(scratch, checked, Making { rows, from, lines: output, keys_bytes: keys.len() });
            output.truncate(kept.lines_bytes);
            keys.truncate(kept.keys_bytes);
            next = from + kept.rows;
        }
        made.devices = (next - from) as u64;
        if !self.gives {
            made.output.clear();
            made.keys.clear();
            made.devices = 0;
        }
        next
    }
}

/// Puts what is random in its places.
#[inline]
fn fill_in(line: &mut [u8], marks: &Marks, random: &mut Random) {
    for at in &marks.in_id.uuids {
        random.uuid_over(&mut line[*at..][..UUID_BYTES]);
    }
    if let Some(keys) = marks.keys {
        let key_bytes = random.key_text_bytes();
        for at in keys {
            random.key_over(&mut line[at..][..key_bytes]);
        }
    }
}

impl Plan {
    /// Appends the keys of a line to those that are collected.
    #[inline]
    fn note_keys(&self, line: &[u8], marks: &Marks, out: &mut Vec<u8>) {
        let Some(keys) = marks.keys.filter(|_| self.collect_keys) else { return };
        let key_bytes = self.key_text_bytes();
        for (slot, at) in ["primary", "secondary"].into_iter().zip(keys) {
            out.extend_from_slice(b"{\"id\":");
            out.extend_from_slice(&line[marks.id.clone()]);
            out.extend_from_slice(b",\"moduleId\":");
            match &line[marks.module_id.clone()] {
                b"" => out.extend_from_slice(b"null"),
                module_id => out.extend_from_slice(module_id),
            }
            out.extend_from_slice(b",\"slot\":\"");
            out.extend_from_slice(slot.as_bytes());
            out.extend_from_slice(b"\",\"key\":\"");
            out.extend_from_slice(&line[at..][..key_bytes]);
            out.extend_from_slice(b"\"}\n");
        }
    }

    /// The length of a key as text.
    pub(crate) fn key_text_bytes(&self) -> usize {
        self.key_bytes.div_ceil(3) * 4
    }

    /// How long the line of the first device is, in bytes, without what comes from a CSV file.
    pub(crate) fn line_bytes(&self) -> usize {
        let mut line = Vec::new();
        self.compose(1, None, &mut Random::new(self.key_bytes), &mut Marks::default(), &mut line);
        line.len()
    }

    /// How many bytes all lines have, where that is known before they are made.
    pub fn bytes(&self) -> Option<u64> {
        let count = self.count.filter(|_| self.csv.is_none())?;
        let mut random = Random::new(self.key_bytes);
        let (mut marks, mut line) = (Marks::default(), Vec::new());
        let (mut sum, mut first, mut next) = (0u64, 1, 10u64);
        // Ids of one number of digits are of one length.
        while first <= count {
            line.clear();
            self.compose(first, None, &mut random, &mut marks, &mut line);
            let last = count.min(next - 1);
            sum = sum.saturating_add((last - first + 1).saturating_mul(line.len() as u64));
            first = next;
            next = next.saturating_mul(10);
            if first == next {
                break;
            }
        }
        Some(sum)
    }
}

#[cfg(test)]
mod tests {
    use hubmill_device::AuthenticationType;
    use hubmill_pipeline::Work as _;

    use super::{Made, Make};
    use crate::plan::{Plan, Request};
    use crate::rows::Rows;

    fn plan(request: Request) -> Plan {
        Plan::new(Request { key_bytes: 32, ..request }, None).unwrap().unwrap()
    }

    /// The lines of these numbers, made in pieces of `at_once`.
    fn lines(plan: &Plan, numbers: std::ops::Range<u64>, at_once: usize) -> String {
        let work = Make::new(plan);
        let (mut scratch, mut made, mut text) = (work.scratch(), Made::default(), String::new());
        for first in numbers.clone().step_by(at_once) {
            let count = ((numbers.end - first) as usize).min(at_once);
            let rows = Rows::of_numbers(first, count);
            work.clear(&mut made);
            assert_eq!(work.work(&mut scratch, &rows, 0, u64::MAX, &mut made), count);
            assert_eq!(made.devices, count as u64);
            text.push_str(std::str::from_utf8(&made.output).unwrap());
        }
        text
    }

    #[test]
    fn numbers_go_on_past_every_power_of_ten_and_after_gaps() {
        let request = Request {
            count: Some(2000),
            id: Some("d{index}-{index:03}".to_owned()),
            authentication: Some(AuthenticationType::CertificateAuthority),
            ..Request::default()
        };
        let plan = plan(request);
        let text = lines(&plan, 1..2001, 7);
        for (number, line) in (1..=2000).zip(text.lines()) {
            assert!(line.starts_with(&format!("{{\"id\":\"d{number}-{number:03}\",\"status\"")), "{line}");
        }
        assert_eq!(text, lines(&plan, 1..2001, 2000));
        assert_eq!(plan.bytes(), Some(text.len() as u64));
        assert!(lines(&plan, 998..1002, 1).starts_with("{\"id\":\"d998-998\""));
    }

    #[test]
    fn the_shape_is_the_documented_one() {
        let request = Request {
            count: Some(1),
            import_mode: Some(hubmill_device::ImportMode::Create),
            edge: true,
            tags: Some(r#"{"site": "oslo"}"#.to_owned()),
            desired: Some(r#"{"n":1.50}"#.to_owned()),
            ..Request::default()
        };
        let line = lines(&plan(request), 1..2, 1);
        let keys: Vec<&str> = line.split('"').filter(|part| part.len() == 44).collect();
        assert_eq!(keys.len(), 2);
        let want = "{\"id\":\"Device00000001\",\"importMode\":\"create\",\"status\":\"enabled\",\"authentication\":\
            {\"symmetricKey\":{\"primaryKey\":\"K0\",\"secondaryKey\":\"K1\"},\
            \"x509Thumbprint\":{\"primaryThumbprint\":null,\"secondaryThumbprint\":null},\"type\":\"sas\"},\
            \"tags\":{\"site\": \"oslo\"},\"properties\":{\"desired\":{\"n\":1.50}},\"capabilities\":{\"iotEdge\":true}}\n";
        assert_eq!(line.replace(keys[0], "K0").replace(keys[1], "K1"), want);
    }

    #[test]
    fn a_batch_is_full_before_memory_is() {
        let desired = format!("{{\"a\":\"{}\"}}", "x".repeat(4000));
        let plan = plan(Request { count: Some(2000), desired: Some(desired), ..Request::default() });
        let work = Make::new(&plan);
        let (mut scratch, mut made) = (work.scratch(), Made::default());
        let rows = Rows::of_numbers(1, 2000);
        let (mut from, mut devices) = (0, 0);
        while from < 2000 {
            work.clear(&mut made);
            from = work.work(&mut scratch, &rows, from, u64::MAX, &mut made);
            assert!(made.output.len() < super::FULL_BYTES + 8192);
            devices += made.devices;
        }
        assert_eq!(devices, 2000);
    }
}
