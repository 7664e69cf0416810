//! Numbers as people read them.

/// `1234567` as `1,234,567`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A count with its noun: `1 line`, `2 lines`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(number), if number == 1 { "" } else { "s" })
}

/// Bytes in units of 1000, as `334.6 MB`.
pub(crate) fn bytes(number: u64) -> String {
    scaled(number as f64, &["B", "kB", "MB", "GB", "TB"])
}

fn scaled(mut number: f64, units: &[&str]) -> String {
    let mut unit = 0;
    while number >= 999.95 && unit + 1 < units.len() {
        number /= 1000.0;
        unit += 1;
    }
    if unit == 0 { format!("{number:.0} {}", units[0]) } else { format!("{number:.1} {}", units[unit]) }
}

/// Bytes a second, as `1.59 GB/s`.
pub(crate) fn rate(number: u64, seconds: f64) -> String {
    let per_second = number as f64 / seconds.max(1e-6);
    if per_second >= 1e9 { format!("{:.2} GB/s", per_second / 1e9) } else { format!("{}/s", bytes(per_second as u64)) }
}

#[cfg(test)]
mod tests {
    use super::{bytes, count, counted, rate};

    #[test]
    fn numbers_read_well() {
        assert_eq!([0, 999, 1000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!((counted(1, "line"), counted(0, "line")), ("1 line".to_owned(), "0 lines".to_owned()));
        assert_eq!([0, 999, 1000, 334_600_000, 999_960].map(bytes), ["0 B", "999 B", "1.0 kB", "334.6 MB", "1.0 MB"]);
        assert_eq!(rate(334_600_000, 0.21), "1.59 GB/s");
        assert_eq!(rate(500, 1.0), "500 B/s");
    }
}
