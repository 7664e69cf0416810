//! The target `validate` for libFuzzer; see [`hubmill_fuzz::validate`].
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| hubmill_fuzz::validate::run(data));
