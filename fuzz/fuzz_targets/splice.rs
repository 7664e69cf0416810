//! The target `splice` for libFuzzer; see [`hubmill_fuzz::splice`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hubmill_fuzz::splice::run(data));
