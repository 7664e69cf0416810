//! New devices: ids by a template, fresh keys, members from a CSV file.
//!
//! [`Request`] is what a user asks for; [`Plan`] is that, checked and made ready. [`check`] looks at every line that would be made, by
//! the same checks as a file that is validated, and writes nothing; [`Devices`] and [`Make`] are the source and the work of a run
//! of the pipeline that makes the lines. [`Csv`] is the file of a list, which is read twice: once to be checked, once to be used.
//!
//! Nothing is written here, and nothing is said to people. `§` points into the project's collection of facts about the format.
#![forbid(unsafe_code)]

mod cells;
mod check;
mod columns;
mod compose;
mod csv_file;
mod devices;
mod error;
mod make;
mod plan;
mod random;
mod rows;
mod template;
mod tree;

pub use check::{Checked, check};
pub use csv_file::Csv;
pub use devices::{Devices, PIECE_BYTES};
pub use error::{Error, Problem};
pub use make::{Made, Make};
pub use plan::{Plan, Request, authentication_from_word};
pub use rows::Rows;
