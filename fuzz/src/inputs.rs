//! Inputs for the driver: device lines of every shape, broken lines, odd bytes, whole files. Repeatable from a seed.
//!
//! Lines come from a pool that is renewed all the time; making one from the grammar costs more than breaking one.

use hubmill_testkit::deep;
use hubmill_testkit::generate::{self, Kind};
use hubmill_testkit::json;
use hubmill_testkit::mutate::{mutate, mutate_members, splice};
use hubmill_testkit::rng::Rng;
use hubmill_testkit::siblings;
use hubmill_testkit::strategy;
use proptest::strategy::{BoxedStrategy, Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

/// How many lines are kept to choose from.
const POOL_LINES: usize = 2000;
/// One in so many lines is longer than the window in which the parser indexes long lines.
const HUGE_ONE_IN: usize = 5000;
/// How deep values in such a line are.
const HUGE_DEPTH_MAX: usize = 100;

/// What lines are mostly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mix {
    /// Near JSON, as often broken as not.
    Broken,
    /// JSON objects that rules have something to do with.
    Devices,
}

/// Makes inputs.
#[derive(Debug)]
pub struct Maker {
    /// The source of chance.
    pub rng: Rng,
    runner: TestRunner,
    grammar: BoxedStrategy<Vec<u8>>,
    pool: Vec<Vec<u8>>,
    made: u64,
}

const ODD_LINES: &[&[u8]] = &[
    b"",
    b" ",
    b"\t \r",
    b"\r\r",
    b"\x0c",
    b"{}",
    b"[]",
    b"null",
    b"5",
    b"\"x\"",
    b"{",
    b"}",
    b"\"",
    b"\\",
    b"Keys were left out of this export.",
    b"\xef\xbb\xbf",
    b"\xef\xbb\xbf{\"id\":\"a\"}",
    b"\xff",
    b"{\"id\":\"a\"",
    b"{\"id\":\"a\"} {}",
];

/// Letters that JSON is made of, and some that look like it.
const LETTERS: &[u8] = b"{}[]:,\"\"\"\\\\ \t\r01-+.eEutrfnalsd{}\":,\x00\x0c\x1f\x7f\xc3\xa9\xff";

/// What a line may end in many of, where it is cut off.
const RUNS: &[u8] = b"0123456789azAZ\"\\ {[,:-\xc3";

const KINDS: [Kind; 8] = [
    Kind::Identity,
    Kind::Identity,
    Kind::Twin,
    Kind::EveryLineAnother,
    Kind::EveryLineAnother,
    Kind::NonAscii,
    Kind::TenBytes,
    Kind::AllInvalid,
];

impl Maker {
    /// A maker for this seed.
    pub fn new(seed: u64) -> Self {
        let mut rng = Rng::new(seed);
        let mut bytes = [0; 32];
        bytes.chunks_mut(8).for_each(|chunk| chunk.copy_from_slice(&rng.next_u64().to_le_bytes()));
        let source = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
        let runner = TestRunner::new_with_rng(Config::default(), source);
        let mut maker = Self { rng, runner, grammar: strategy::line(), pool: Vec::new(), made: 0 };
        for _ in 0..POOL_LINES {
            let line = maker.new_line();
            maker.pool.push(line);
        }
        maker
    }

    /// Random bytes to make choices from.
    pub fn header(&mut self, bytes: usize) -> Vec<u8> {
        (0..bytes).map(|_| self.rng.next_u64() as u8).collect()
    }

    /// A new line by the grammar, or of a generated file.
    fn new_line(&mut self) -> Vec<u8> {
        self.made += 1;
        if self.rng.chance(75) {
            let tree = self.grammar.new_tree(&mut self.runner).expect("the grammar refuses nothing");
            return tree.current();
        }
        if self.rng.chance(30) {
            let rng = &mut self.rng;
            return deep::line(&mut |bound| rng.below(bound)).into_bytes();
        }
        let mut line = Vec::new();
        let kind = match self.rng.below(40) {
            0 => Kind::Deep,
            1 => Kind::Escapes,
            other => KINDS[other % KINDS.len()],
        };
        generate::line(kind, self.made / 64, self.made, &mut line);
        line
    }

    fn pooled(&mut self) -> Vec<u8> {
        let place = self.rng.below(POOL_LINES);
        if self.rng.chance(8) {
            self.pool[place] = self.new_line();
        }
        self.pool[place].clone()
    }

    /// A line without `\n`.
    pub fn line(&mut self, mix: Mix) -> Vec<u8> {
        if self.rng.below(HUGE_ONE_IN) == 0 {
            return self.huge();
        }
        // How many in a hundred: as it is, changed members, broken, joined of two, moved, letters, odd; the rest is bytes.
        let shares = match mix {
            Mix::Broken => [35, 5, 40, 4, 5, 6, 3],
            Mix::Devices => [38, 40, 8, 1, 6, 1, 4],
        };
        let mut draw = self.rng.below(100);
        let shape = shares.iter().position(|share| {
            let chosen = draw < *share;
            draw = draw.saturating_sub(*share);
            chosen
        });
        match shape {
            Some(0) => self.pooled(),
            Some(1) => {
                let line = self.pooled();
                mutate_members(&mut self.rng, &line)
            }
            Some(2) => {
                let line = self.pooled();
                mutate(&mut self.rng, &line)
            }
            Some(3) => {
                let (first, second) = (self.pooled(), self.pooled());
                splice(&mut self.rng, &first, &second)
            }
            Some(4) => {
                // Every place in a step of 64 bytes.
                let mut line = vec![b' '; self.rng.below(130)];
                line.extend(self.pooled());
                line
            }
            Some(5) => (0..self.rng.below(200)).map(|_| LETTERS[self.rng.below(LETTERS.len())]).collect(),
            Some(6) => self.rng.pick(ODD_LINES).to_vec(),
            _ => {
                let bytes = self.rng.below(100);
                let mut line = self.header(bytes);
                line.retain(|byte| *byte != b'\n');
                line
            }
        }
    }

    /// A line that is longer than a window of the parser, at times broken somewhere.
    fn huge(&mut self) -> Vec<u8> {
        let bytes = 60_000 + self.rng.below(90_000);
        let mut line = b"{\"id\":\"h\",\"x\":[".to_vec();
        while line.len() < bytes {
            match self.rng.below(3) {
                0 => {
                    let value = self.pooled();
                    let good = json::check_json(&value, HUGE_DEPTH_MAX).is_ok();
                    line.extend(if good { value.as_slice() } else { b"-1.5e3" });
                }
                1 => {
                    line.push(b'"');
                    for _ in 0..self.rng.below(3000) {
                        line.extend(
                            self.rng.pick(&["\\\\", "\\\"", "\\u0041", "{", "}", ",", ":", "a", " ", "é"]).bytes(),
                        );
                    }
                    line.push(b'"');
                }
                _ => {
                    line.extend(self.rng.pick(&["12345678901234567890", "true", "null", "{\"\":[]}", " [ ] "]).bytes())
                }
            }
            line.push(b',');
        }
        line.extend(b"\"end\"],\"status\":\"enabled\"}");
        if self.rng.chance(40) {
            let at = self.rng.below(line.len());
            line[at] = LETTERS[self.rng.below(LETTERS.len())];
        }
        line
    }

    /// The line with a few letters changed: mostly its structure stays, as it does from one line of a real file to the
    /// next.
    fn sibling(&mut self, line: &[u8]) -> Vec<u8> {
        let mut line = line.to_vec();
        if line.is_empty() || self.rng.chance(25) {
            return line;
        }
        for _ in 0..1 + self.rng.below(3) {
            let at = self.rng.below(line.len());
            let letter = match line[at] {
                b'0'..=b'9' => b"0123456789.-eE"[self.rng.below(14)],
                b'a'..=b'z' | b'A'..=b'Z' if self.rng.chance(85) => b"aAzZ\\u09\xc3\"\t"[self.rng.below(10)],
                _ => LETTERS[self.rng.below(LETTERS.len())],
            };
            match self.rng.below(8) {
                0 => line.insert(at, letter),
                1 if line.len() > 1 => drop(line.remove(at)),
                // A value much longer than it was.
                2 if line[at].is_ascii_alphanumeric() => {
                    let longer = vec![line[at]; self.rng.below(150)];
                    drop(line.splice(at..at, longer));
                }
                _ => line[at] = letter,
            }
        }
        line
    }

    /// The line as it is where a file ends too early: cut off somewhere, often where a value starts, or in a long run of one byte.
    fn cut_off(&mut self, line: &[u8]) -> Vec<u8> {
        let mut line = line.to_vec();
        let mut end = self.rng.below(line.len() + 1);
        if self.rng.chance(60) {
            end += line[end..].iter().position(|byte| matches!(byte, b':' | b'[' | b',')).map_or(0, |place| place + 1);
        }
        line.truncate(end);
        let run = RUNS[self.rng.below(RUNS.len())];
        line.extend(vec![run; self.rng.below(150)]);
        line
    }

    /// A file: some lines with all kinds of ends, at times a byte order mark, at times no newline at the end.
    pub fn file(&mut self, lines_max: usize, mix: Mix) -> Vec<u8> {
        let mut file = Vec::new();
        if self.rng.chance(4) {
            file.extend(b"\xef\xbb\xbf");
        }
        let family = self.rng.chance(30).then(|| self.line(mix)).filter(|line| line.len() < 10_000);
        let lines_max = if family.is_some() { lines_max + 10 } else { lines_max };
        for _ in 0..self.rng.below(lines_max + 1) {
            file.extend(match &family {
                Some(line) if self.rng.chance(6) => {
                    let count = self.rng.below(60);
                    siblings::stretch(line, count, &mut self.rng)
                }
                Some(line) if self.rng.chance(90) => self.sibling(line),
                _ => self.line(mix),
            });
            let end: &[u8] = match self.rng.below(16) {
                0..12 => b"\n",
                12..15 => b"\r\n",
                _ => self.rng.pick(&[b"\r\r\n".as_slice(), b"\n\n", b" \n", b"\n\r"]),
            };
            file.extend(end);
        }
        if self.rng.chance(25) {
            file.extend(match &family {
                Some(line) if self.rng.chance(75) => self.cut_off(line),
                _ => self.line(mix),
            });
        }
        if self.rng.chance(5) && !file.is_empty() {
            let at = self.rng.below(file.len());
            file[at] = b'\n';
        }
        file
    }
}
