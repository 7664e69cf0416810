//! Responsible for: small, repeatable random numbers from a seed, so that generated files are the same everywhere.
//! Not for keys or anything secret, and not for statistics.

/// A splitmix64 generator: the same seed gives the same numbers on every machine.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// A generator for this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A generator for one line of a file: lines can be made in any order and come out the same.
    #[must_use]
    pub fn for_line(seed: u64, index: u64, purpose: u64) -> Self {
        let mut mixed = Self(seed ^ purpose.wrapping_mul(0xA24B_AED4_963E_E407));
        let first = mixed.next_u64();
        let mut rng = Self(first ^ index.wrapping_mul(0x9FB2_1C65_1E98_DF25));
        rng.next_u64();
        rng
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to, not including, `bound`; 0 if `bound` is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        if bound == 0 {
            return 0;
        }
        usize::try_from(self.next_u64() % bound as u64).unwrap_or(0)
    }

    /// True `percent` times in a hundred.
    pub fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of the choices.
    ///
    /// # Panics
    /// If there are none.
    pub fn pick<'a, T: ?Sized>(&mut self, choices: &[&'a T]) -> &'a T {
        choices[self.below(choices.len())]
    }

    /// A byte from 1 to 255.
    pub fn nonzero_byte(&mut self) -> u8 {
        u8::try_from(1 + self.below(255)).unwrap_or(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_seed_same_numbers() {
        let first: Vec<u64> = std::iter::repeat_with({
            let mut rng = Rng::new(7);
            move || rng.next_u64()
        })
        .take(5)
        .collect();
        let mut again = Rng::new(7);
        assert!(first.iter().all(|&number| number == again.next_u64()));
        assert_ne!(first[0], Rng::new(8).next_u64());
        // The published first number of splitmix64 for the seed 0.
        assert_eq!(Rng::new(0).next_u64(), 0xE220_A839_7B1D_CDAF);
    }

    #[test]
    fn lines_and_purposes_differ() {
        let one = Rng::for_line(1, 1, 0).next_u64();
        assert_ne!(one, Rng::for_line(1, 2, 0).next_u64());
        assert_ne!(one, Rng::for_line(2, 1, 0).next_u64());
        assert_ne!(one, Rng::for_line(1, 1, 1).next_u64());
        assert_eq!(one, Rng::for_line(1, 1, 0).next_u64());
    }

    #[test]
    fn bounds_hold() {
        let mut rng = Rng::new(3);
        assert_eq!(rng.below(0), 0);
        assert!((0..1000).all(|_| rng.below(3) < 3 && rng.nonzero_byte() > 0));
    }
}
