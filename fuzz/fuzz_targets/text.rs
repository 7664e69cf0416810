//! The target `text` for libFuzzer; see [`hubmill_fuzz::text`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hubmill_fuzz::text::run(data));
