//! Responsible for: what the tests of hubmill share. A slow, naive [oracle](mod@oracle) of `hubmill transform`, a
//! reference [checker](mod@checker) for `hubmill validate`, a reference
//! [JSON parser](json), [other parsers](others) beside it, [generators](generate) of device lines, [broken lines](mutate), [proptest
//! strategies](strategy), a naive [hub](hub::Hub) and helpers for [process tests](process).
//! Not for: the product; nothing here is fast, and nothing here shares code with what it checks.

#![forbid(unsafe_code)]

pub mod checker;
pub mod deep;
mod edits;
pub mod generate;
pub mod hostile;
pub mod hub;
pub mod json;
mod keys;
pub mod lines;
pub mod mutate;
pub mod oracle;
pub mod others;
pub mod process;
pub mod query;
pub mod registry;
pub mod rng;
pub mod rules;
pub mod siblings;
pub mod strategy;
pub mod tree;
