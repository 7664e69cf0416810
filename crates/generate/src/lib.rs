//! New devices: ids by a template, fresh keys, members from a CSV file.
//!
//! [`Request`] is what a user asks for; [`Plan`] is that, checked and made ready. [`Devices`] and [`Make`] are the source and the work of
//! a run of the pipeline that makes the lines. [`Check`] looks at every line, by the same checks as a file that is validated: in the
//! same run, where what was made can still be given up, or in one before it. [`Csv`] is the file of a list.
//!
//! Nothing is written here, and nothing is said to people. `§` points into the project's collection of facts about the format.
#![forbid(unsafe_code)]

mod cells;
mod check;
mod columns;
mod compose;
mod csv_file;
mod cut;
mod devices;
mod error;
mod known;
mod line_template;
mod make;
mod plan;
mod quotes;
mod random;
mod row_reader;
mod rows;
mod template;
mod tree;

pub use check::{Check, Checked, Findings};
pub use csv_file::Csv;
pub use devices::{Devices, PIECE_BYTES};
pub use error::{Error, Problem};
pub use make::{Made, Make};
pub use plan::{Plan, Request, authentication_from_word};
pub use rows::Rows;
