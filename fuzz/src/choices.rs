//! Small choices out of the first bytes of an input, so that a fuzzer can change them one by one.

/// The bytes of an input that choices are taken from. Where they are used up, every choice is the first one.
#[derive(Clone, Debug)]
pub struct Choices<'a> {
    rest: &'a [u8],
}

impl<'a> Choices<'a> {
    /// Splits an input into `header_bytes` of choices and the content after them.
    pub fn split(data: &'a [u8], header_bytes: usize) -> (Self, &'a [u8]) {
        let (header, content) = data.split_at(header_bytes.min(data.len()));
        (Self { rest: header }, content)
    }

    /// The next byte.
    pub fn byte(&mut self) -> u8 {
        match self.rest {
            [first, rest @ ..] => {
                self.rest = rest;
                *first
            }
            [] => 0,
        }
    }

    /// A number from 0 up to, not including, `bound`, which is at least 1.
    pub fn below(&mut self, bound: usize) -> usize {
        let first = usize::from(self.byte());
        let number = if bound > 256 { first << 8 | usize::from(self.byte()) } else { first };
        number % bound
    }

    /// True some `percent` times in a hundred, if the bytes are random.
    pub fn chance(&mut self, percent: usize) -> bool {
        // The high bytes mean yes, so that without bytes the answer is no.
        usize::from(self.byte()) * 100 >= (100 - percent) * 256
    }

    /// One of the choices.
    pub fn pick<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Repeatable random numbers that follow from the next byte.
    pub fn rng(&mut self) -> hubmill_testkit::rng::Rng {
        hubmill_testkit::rng::Rng::new(u64::from(self.byte()))
    }
}
