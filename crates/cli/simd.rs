//! `HUBMILL_SIMD`: which SIMD level the parser runs on, for tests.

use hubmill_parser::Level;

use crate::exit::Failure;

const VARIABLE: &str = "HUBMILL_SIMD";

/// The level that the environment asks for, else the fastest that this CPU has.
pub(crate) fn level() -> Result<Level, Failure> {
    let Some(name) = std::env::var_os(VARIABLE).filter(|name| !name.is_empty()) else {
        return Ok(Level::detect());
    };
    let name = name.to_string_lossy();
    Level::from_name(&name).ok_or_else(|| {
        let available: Vec<&str> = Level::available().into_iter().map(Level::name).collect();
        Failure::usage(format!("{VARIABLE}={name} is not available here; this CPU has {}", available.join(", ")))
    })
}
