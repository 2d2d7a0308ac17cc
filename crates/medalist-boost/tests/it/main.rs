//! The crate's tests from outside.

mod brute;
mod data;
mod fuzz;
mod limits;
mod same;
