//! Numbers as they are spelt, compared exactly.

use std::cmp::Ordering;
use std::io::Write as _;

/// A number.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number<'a> {
    /// As JSON spells it.
    Spelt(&'a [u8]),
    /// Whole.
    Whole(i128),
    /// What came out of arithmetic.
    Float(f64),
}

/// Room for any `i128` and any float as text.
const DIGITS_MAX: usize = 40;

impl Number<'_> {
    /// Compares two numbers exactly.
    pub(super) fn compare(self, other: Self) -> Ordering {
        if let (Self::Spelt(one), Self::Spelt(other)) = (self, other) {
            return if one == other { Ordering::Equal } else { compare_spelt(one, other) };
        }
        if let (Some(one), Some(other)) = (self.whole(), other.whole()) {
            return one.cmp(&other);
        }
        let (mut room, mut other_room) = ([0; DIGITS_MAX], [0; DIGITS_MAX]);
        compare_spelt(self.spelt(&mut room), other.spelt(&mut other_room))
    }

    /// The number, where it is spelt as a whole one.
    fn whole(self) -> Option<i128> {
        match self {
            Self::Whole(number) => Some(number),
            Self::Spelt(text) => std::str::from_utf8(text).ok()?.parse().ok(),
            Self::Float(_) => None,
        }
    }

    fn float(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Spelt(text) => std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN),
            Self::Float(number) => number,
        }
    }

    fn spelt<'b>(&'b self, room: &'b mut [u8; DIGITS_MAX]) -> &'b [u8] {
        let mut rest = room.as_mut_slice();
        // There is room for every number.
        let _ = match self {
            Self::Spelt(text) => return text,
            Self::Whole(number) => write!(rest, "{number}"),
            Self::Float(number) => write!(rest, "{number:e}"),
        };
        let left = rest.len();
        &room[..DIGITS_MAX - left]
    }

    /// `None` where there is no such number: a division by zero, or past what a float can hold.
    pub(super) fn calculate(self, operator: Arithmetic, other: Self) -> Option<Number<'static>> {
        if let (Some(one), Some(other)) = (self.whole(), other.whole()) {
            let whole = match operator {
                Arithmetic::Add => one.checked_add(other),
                Arithmetic::Subtract => one.checked_sub(other),
                Arithmetic::Multiply => one.checked_mul(other),
                Arithmetic::Divide if other != 0 && one.checked_rem(other) == Some(0) => one.checked_div(other),
                Arithmetic::Divide => None,
                Arithmetic::Remainder => one.checked_rem(other),
            };
            if let Some(whole) = whole {
                return Some(Number::Whole(whole));
            }
        }
        let (one, other) = (self.float(), other.float());
        let number = match operator {
            Arithmetic::Add => one + other,
            Arithmetic::Subtract => one - other,
            Arithmetic::Multiply => one * other,
            Arithmetic::Divide => one / other,
            Arithmetic::Remainder => one % other,
        };
        number.is_finite().then_some(Number::Float(number))
    }
}

/// `+`, `-`, `*`, `/`, `%`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arithmetic {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

/// A number as its digits and where its point is.
struct Decimal<'a> {
    negative: bool,
    /// From the first that is not zero on; the two parts follow each other.
    digits: [&'a [u8]; 2],
    /// How many digits stand before the point.
    point: i128,
}

impl<'a> Decimal<'a> {
    fn read(text: &'a [u8]) -> Self {
        let (negative, text) = match text {
            [b'-', rest @ ..] => (true, rest),
            _ => (false, text),
        };
        let mark = text.iter().position(|byte| matches!(byte, b'e' | b'E'));
        let (mantissa, exponent) = mark.map_or((text, b"".as_slice()), |mark| (&text[..mark], &text[mark + 1..]));
        let dot = mantissa.iter().position(|byte| *byte == b'.');
        let (whole, fraction) = dot.map_or((mantissa, b"".as_slice()), |dot| (&mantissa[..dot], &mantissa[dot + 1..]));
        let zeros = |digits: &[u8]| digits.iter().take_while(|digit| **digit == b'0').count();
        let whole = &whole[zeros(whole)..];
        let skipped = if whole.is_empty() { zeros(fraction) } else { 0 };
        let point = whole.len() as i128 - skipped as i128 + read_exponent(exponent);
        Self { negative, digits: [whole, &fraction[skipped..]], point }
    }

    fn is_zero(&self) -> bool {
        self.digits.iter().all(|digits| digits.is_empty())
    }

    fn digit(&self, at: usize) -> u8 {
        let [whole, fraction] = self.digits;
        whole.get(at).or_else(|| fraction.get(at - whole.len())).copied().unwrap_or(b'0')
    }

    fn length(&self) -> usize {
        self.digits[0].len() + self.digits[1].len()
    }

    fn compare_size(&self, other: &Self) -> Ordering {
        let by_digits = || {
            let digits = 0..self.length().max(other.length());
            digits.map(|at| self.digit(at).cmp(&other.digit(at))).find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
        };
        self.point.cmp(&other.point).then_with(by_digits)
    }
}

/// An exponent; past what anybody writes it stays where it is.
fn read_exponent(text: &[u8]) -> i128 {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let size = digits.iter().fold(0i128, |sum, digit| (sum * 10 + i128::from(digit - b'0')).min(1 << 100));
    if negative { -size } else { size }
}

fn compare_spelt(one: &[u8], other: &[u8]) -> Ordering {
    let (one, other) = (Decimal::read(one), Decimal::read(other));
    match (one.is_zero(), other.is_zero()) {
        (true, true) => return Ordering::Equal,
        (true, false) => return if other.negative { Ordering::Greater } else { Ordering::Less },
        (false, true) => return if one.negative { Ordering::Less } else { Ordering::Greater },
        (false, false) => {}
    }
    match (one.negative, other.negative) {
        (true, false) => Ordering::Less,
        (false, true) => Ordering::Greater,
        (false, false) => one.compare_size(&other),
        (true, true) => other.compare_size(&one),
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Ordering;

    use super::{Arithmetic, Number};

    #[test]
    fn spelt_numbers_compare_exactly() {
        for (one, other, order) in [
            ("1", "1.0", Ordering::Equal),
            ("1", "10e-1", Ordering::Equal),
            ("0", "-0.0e9", Ordering::Equal),
            ("0.1", "0.10000000000000000001", Ordering::Less),
            ("9007199254740993", "9007199254740992", Ordering::Greater),
            ("9007199254740993", "9007199254740993.0", Ordering::Equal),
            ("1e400", "1e399", Ordering::Greater),
            ("-1e400", "1", Ordering::Less),
            ("-2", "-3", Ordering::Greater),
            ("100", "1E+2", Ordering::Equal),
            ("0.001", "1e-3", Ordering::Equal),
            (
                "123456789012345678901234567890123456789012345",
                "123456789012345678901234567890123456789012346",
                Ordering::Less,
            ),
            ("1e99999999999999999999999999999999999999999", "2", Ordering::Greater),
        ] {
            let (left, right) = (Number::Spelt(one.as_bytes()), Number::Spelt(other.as_bytes()));
            assert_eq!(left.compare(right), order, "{one} {other}");
            assert_eq!(right.compare(left), order.reverse(), "{other} {one}");
        }
        assert_eq!(Number::Whole(255).compare(Number::Spelt(b"255.0")), Ordering::Equal);
        assert_eq!(Number::Whole(-7).compare(Number::Spelt(b"-7e0")), Ordering::Equal);
        assert_eq!(Number::Float(0.5).compare(Number::Spelt(b"0.5")), Ordering::Equal);
    }

    #[test]
    fn arithmetic_is_whole_as_long_as_it_can_be() {
        let calculate = |one: &'static str, operator, other: &'static str| {
            Number::Spelt(one.as_bytes()).calculate(operator, Number::Spelt(other.as_bytes()))
        };
        for (one, operator, other, want) in [
            ("9007199254740993", Arithmetic::Add, "1", "9007199254740994"),
            ("7", Arithmetic::Divide, "2", "3.5"),
            ("6", Arithmetic::Divide, "-2", "-3"),
            ("-7", Arithmetic::Remainder, "3", "-1"),
            ("0.5", Arithmetic::Multiply, "4", "2"),
            ("1", Arithmetic::Subtract, "1.5", "-0.5"),
        ] {
            let found = calculate(one, operator, other).expect("a number");
            assert_eq!(found.compare(Number::Spelt(want.as_bytes())), Ordering::Equal, "{one} {operator:?} {other}");
        }
        assert!(calculate("1", Arithmetic::Divide, "0").is_none());
        assert!(calculate("1", Arithmetic::Remainder, "0").is_none());
        assert!(calculate("1e308", Arithmetic::Multiply, "10").is_none());
    }
}
