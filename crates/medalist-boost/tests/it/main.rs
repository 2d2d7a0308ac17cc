//! The crate's tests from outside.

mod data;
mod same;
