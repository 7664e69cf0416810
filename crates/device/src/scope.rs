//! `deviceScope` (§3.7).

/// The id of the edge device that a scope belongs to, as in `ms-azure-iot-edge://<id>-<digits>`.
///
/// Ids may hold `-`, so the text is split at the last one. `None` where the text has another form.
pub fn scope_parent(scope: &[u8]) -> Option<&[u8]> {
    let rest = scope.strip_prefix(b"ms-azure-iot-edge://")?;
    let dash = memchr::memrchr(b'-', rest)?;
    let (parent, suffix) = (&rest[..dash], &rest[dash + 1..]);
    (!parent.is_empty() && !suffix.is_empty() && suffix.iter().all(u8::is_ascii_digit)).then_some(parent)
}

#[cfg(test)]
mod tests {
    use super::scope_parent;

    #[test]
    fn splits_at_the_last_dash() {
        for (scope, want) in [
            ("ms-azure-iot-edge://gate-7-637131779299315265", Some("gate-7")),
            ("ms-azure-iot-edge://gate-1", Some("gate")),
            ("ms-azure-iot-edge://gate", None),
            ("ms-azure-iot-edge://-12", None),
            ("ms-azure-iot-edge://gate-", None),
            ("ms-azure-iot-edge://gate-12x", None),
            ("https://gate-12", None),
            ("", None),
        ] {
            assert_eq!(scope_parent(scope.as_bytes()), want.map(str::as_bytes), "{scope}");
        }
    }
}
