//! One binary: linking is most of a test's cost.

mod space;
mod samplers;
mod lines;
mod stores;
mod support;
mod run;
mod steps;
mod resume;
mod killed;
mod prior;
mod speed;
