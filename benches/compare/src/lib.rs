//! hubmill beside its peers: the same work on the same file, timed in one run, with outputs that are compared.
//!
//! [`peer`] is what all peers share, so that the programs `peer-*` differ in nothing but how they use their library; the
//! rest is for the driver, `compare`.

pub mod device;
pub mod equality;
pub mod machine;
pub mod measure;
pub mod members;
pub mod peer;
pub mod programs;
pub mod record;
pub mod splice;
pub mod table;
pub mod task;
