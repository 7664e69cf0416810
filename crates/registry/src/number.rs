//! Whether two spellings are one number: exactly, whatever their size.

use std::cmp::Ordering;

/// A number as digits without zeros at either end, times ten to a power.
struct Decimal<'a> {
    negative: bool,
    /// The digits before and after the point, with zeros still at their ends.
    digits: [&'a [u8]; 2],
    /// Which of them count: all others are zeros.
    counted: std::ops::Range<usize>,
    exponent: Exponent<'a>,
    /// What is to be added to the exponent.
    shift: i128,
}

/// A whole number as it is spelt, without leading zeros.
struct Exponent<'a> {
    negative: bool,
    digits: &'a [u8],
}

impl<'a> Decimal<'a> {
    /// Of the spelling of a number by RFC 8259.
    fn read(spelling: &'a [u8]) -> Self {
        let (negative, rest) = match spelling {
            [b'-', rest @ ..] => (true, rest),
            rest => (false, rest),
        };
        let mantissa_end = rest.iter().position(|byte| matches!(byte, b'e' | b'E')).unwrap_or(rest.len());
        let (mantissa, exponent) = rest.split_at(mantissa_end);
        let point = mantissa.iter().position(|byte| *byte == b'.').unwrap_or(mantissa.len());
        let digits = [&mantissa[..point], mantissa.get(point + 1..).unwrap_or_default()];
        let all = || digits[0].iter().chain(digits[1]);
        let count = digits[0].len() + digits[1].len();
        let first = all().position(|digit| *digit != b'0').unwrap_or(count);
        let zeros_at_end = all().rev().position(|digit| *digit != b'0').unwrap_or(0);
        let counted = first..(count - zeros_at_end).max(first);
        // The value is 0.ddd × 10^(exponent + shift), where the first digit is not zero.
        let shift = digits[0].len() as i128 - first as i128;
        Self { negative, digits, counted, exponent: Exponent::read(exponent), shift }
    }

    fn is_zero(&self) -> bool {
        self.counted.is_empty()
    }

    fn significant(&self) -> impl Iterator<Item = u8> {
        self.digits[0].iter().chain(self.digits[1]).copied().skip(self.counted.start).take(self.counted.len())
    }
}

impl<'a> Exponent<'a> {
    fn read(text: &'a [u8]) -> Self {
        let (negative, digits) = match text {
            [b'e' | b'E', b'-', digits @ ..] => (true, digits),
            [b'e' | b'E', b'+', digits @ ..] | [b'e' | b'E', digits @ ..] => (false, digits),
            _ => (false, [].as_slice()),
        };
        let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
        Self { negative, digits: &digits[zeros..] }
    }

    /// The digit that stands for ten to this power, with its sign.
    fn digit(&self, power: usize) -> i128 {
        let place = self.digits.len().checked_sub(power + 1);
        let digit = place.map_or(0, |place| i128::from(self.digits[place].wrapping_sub(b'0')));
        if self.negative { -digit } else { digit }
    }

    /// This one less the other; `None` where that is further from zero than any number of digits that fits into memory.
    fn minus(&self, other: &Self) -> Option<i128> {
        const FAR: i128 = 1 << 80;
        let mut difference = 0i128;
        for power in (0..self.digits.len().max(other.digits.len())).rev() {
            difference = difference * 10 + self.digit(power) - other.digit(power);
            // Each further digit takes at most 18 from ten times as much: it does not come back.
            if difference.abs() > FAR {
                return None;
            }
        }
        Some(difference)
    }
}

/// Whether two spellings of numbers by RFC 8259 are the same number: `1.0` and `1`, `1E+2` and `100`, `-0` and `0`. Compared
/// as decimals and exactly, so that no two numbers are taken for one.
pub fn same_number(one: &[u8], other: &[u8]) -> bool {
    if one == other {
        return true;
    }
    let (one, other) = (Decimal::read(one), Decimal::read(other));
    if one.is_zero() || other.is_zero() {
        return one.is_zero() && other.is_zero();
    }
    one.negative == other.negative
        && one.counted.len() == other.counted.len()
        && one.significant().cmp(other.significant()) == Ordering::Equal
        && one.exponent.minus(&other.exponent) == Some(other.shift - one.shift)
}

#[cfg(test)]
mod tests {
    use super::same_number;

    #[test]
    fn spellings_of_one_number() {
        for same in [
            &["1", "1.0", "1e0", "1E+0", "10e-1", "0.1e1", "100.00E-2", "1.000000000000000000000000000000"][..],
            &["0", "-0", "0.0", "-0.0e5", "0e999999999999999999999999999999999999999999"],
            &["100", "1e2", "1E+2", "10e1", "0.001e5", "1e0000000000000000000000000000000000000000000000002"],
            &["-75.10", "-75.1", "-751e-1", "-0.7510E2"],
            &["18446744073709551617", "1.8446744073709551617e19"],
            &["1e1000000000000000000000000000000000000000", "10e999999999999999999999999999999999999999"],
            &["1e-1000000000000000000000000000000000000000", "0.1e-999999999999999999999999999999999999999"],
        ] {
            for one in same {
                for other in same {
                    assert!(same_number(one.as_bytes(), other.as_bytes()), "{one} {other}");
                }
            }
        }
    }

    #[test]
    fn numbers_that_differ_by_little_or_by_much() {
        let all = [
            "0",
            "1",
            "-1",
            "10",
            "0.1",
            "1.1",
            "11",
            "101",
            "1e1000",
            "1e-1000",
            "9007199254740992",
            "9007199254740993",
            "0.1000000000000000055511151231257827",
            "1e999999999999999999999999999999999999999",
            "1e1000000000000000000000000000000000000000",
            "1e-999999999999999999999999999999999999999",
            "-1e1000",
            "2e1000000000000000000000000000000000000000",
            "12",
            "1.2",
            "120",
        ];
        for (at, one) in all.iter().enumerate() {
            for other in &all[..at] {
                assert!(!same_number(one.as_bytes(), other.as_bytes()), "{one} {other}");
                assert!(!same_number(other.as_bytes(), one.as_bytes()), "{other} {one}");
            }
        }
    }

    #[test]
    fn what_is_no_number_at_all_is_compared_without_a_panic() {
        for one in ["", "-", ".", "e", "1.2.3", "--1", "1e", "1e+", "x"] {
            for other in ["", "-", ".", "e", "1.2.3", "--1", "1e", "1e+", "x", "1"] {
                same_number(one.as_bytes(), other.as_bytes());
            }
        }
    }
}
