//! The target `parse` for libFuzzer; see [`hubmill_fuzz::parse`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hubmill_fuzz::parse::run(data));
