//! Bytes to records.
//!
//! Two stages over blocks of whole lines. Stage 1 ([`Level`] picks the kernel) finds the places of quotes, structural
//! characters, starts of scalars and line ends, 64 bytes a step. Stage 2 walks each line's grammar completely, strict
//! RFC 8259, and keeps the byte spans of the top-level members; the members of inner objects are found on demand
//! over the same places. No tree is built and no byte is changed or copied.
//!
//! This crate does no input or output and knows nothing of the hub: names and limits of devices are elsewhere.
//! A line's verdict never depends on its neighbours: the state of stage 1 starts afresh at every line end.
#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "the SIMD kernels live here; every block says why it is sound")]
mod arch;
mod by_form;
mod fault;
mod fixed;
mod form;
mod index;
mod inner;
mod lazy;
mod parse;
mod record;
mod scalar;
mod shape;
mod stencil;
mod structure;
mod switch;
#[cfg(test)]
mod test_numbers;
mod text;
mod traces;
mod tree;
mod walk;
mod window;

pub use arch::{ByteSet, Level, NH_BYTES_MAX, NhKeys};
pub use by_form::ByForm;
pub use fault::{Fault, FaultKind};
pub use fixed::{Anchor, AnchoredSpan, FixedLine, FixedRun, FixedText};
pub use form::Form;
pub use inner::{ValueToken, VisitTokens};
pub use parse::{Content, DEPTH_MAX_DEFAULT, LINE_BYTES_MAX_DEFAULT, Limits, Line, Parser, Visit};
pub use record::{
    FixedTokens, ListedTokens, MemberSpan, Members, NumberedTokens, Record, Span, TokenMark, TokenPlaces,
};
pub use shape::MemberTokens;
pub use text::{decode, lone_surrogate, string_text};
