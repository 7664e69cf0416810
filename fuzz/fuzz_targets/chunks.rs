//! The target `chunks` for libFuzzer; see [`hubmill_fuzz::chunks`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hubmill_fuzz::chunks::run(data));
