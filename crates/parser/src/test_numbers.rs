//! Numbers in no order for tests: the same in every run.

/// Gives a number below what it is asked for.
pub(crate) fn numbers(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut seed = seed;
    move |below| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    }
}
