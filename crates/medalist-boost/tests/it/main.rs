//! The crate's tests from outside; one program, so that it is linked once.

mod brute;
mod data;
mod fuzz;
mod lightgbm;
mod limits;
mod same;
mod vectors;
