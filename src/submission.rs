//! Submission files: written in the sample's form, checked as Kaggle checks them, and graded against a solution.
//!
//! Rows are joined by id, never by position, and ids are compared byte for byte.

pub(crate) mod file;
mod fault;
mod reading;
mod grade;
mod write;
mod provenance;

pub use fault::{Fault, FaultKind};
pub use grade::{Grade, grade, truncate};
pub use provenance::{FileHash, Provenance, write_provenance};
pub use reading::{Checked, validate};
pub use write::{Shown, shown, write};
