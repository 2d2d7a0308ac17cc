//! The crate's tests from outside.

mod data;
mod limits;
mod same;
