//! The one integration-test binary: every further one would link polars again.

mod support;

mod loader;
mod competition;
mod recipes;
mod ensemble;
mod estimate;
mod extra_train;
mod metrics;
mod models;
mod thresholds;
mod transforms;
mod leakage;
mod submission;
mod new;
mod sweep;
mod study;
mod pressure;
mod records;
mod predictions;
mod again;
mod predict;
mod trial_time;
mod plots;
mod cli;
mod ask_tell;
#[cfg(unix)]
mod optimize;
mod mutations;
mod floors;
