//! Where input bytes come from, cut at line ends.
//!
//! An [`Input`] is a mapped file, a file that is read, or a stream; [`Chunks`] gives its bytes out in pieces of whole
//! lines. A line longer than the limit comes in parts, so that it costs no more memory than any other. This crate knows
//! lines and nothing of what is in them.
#![deny(unsafe_code)]

mod chunks;
mod error;
mod input;
mod own_pipe;
#[allow(unsafe_code, reason = "mapping a file is unsafe by nature; the choice is the caller's")]
mod sys;

pub use chunks::{Chunk, Chunks, Cut, Data, FIRST_CHUNK_BYTES, Part, Watch};
pub use error::{Error, ErrorKind};
pub use input::{Input, MmapChoice};
