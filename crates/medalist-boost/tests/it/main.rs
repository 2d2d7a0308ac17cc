//! The crate's tests from outside.

mod brute;
mod data;
mod limits;
mod same;
