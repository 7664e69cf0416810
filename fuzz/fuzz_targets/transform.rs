//! The target `transform` for libFuzzer; see [`hubmill_fuzz::transform`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hubmill_fuzz::transform::run(data));
