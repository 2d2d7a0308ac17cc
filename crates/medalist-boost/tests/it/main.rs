//! The crate's tests from outside; one program, so that it is linked once.

mod brute;
mod bundle;
mod dart;
mod data;
mod edge_rows;
mod fuzz;
mod lightgbm;
mod limits;
mod linear;
mod memory;
mod permutation;
mod resume;
mod same;
mod together;
mod vectors;
