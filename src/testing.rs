//! Contract kits: whether a model, metric or transform keeps what the harness relies on, in words that say what was probably forgotten.
//!
//! `medalist check` prints their problems; `build.rs` makes a test of each dropped-in file.

pub mod metric;
pub mod model;
pub mod transform;

use std::panic::{AssertUnwindSafe, catch_unwind};

pub use metric::check_metric;
pub use model::check_model;
pub use transform::check_transform;

use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::model::Model;
use crate::registry::Registry;
use crate::transform::Transform;

/// What a contract check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The check's name: one word or two, the same for all who fail it.
    pub check: &'static str,
    /// What happened, on which data, and what was probably forgotten.
    pub message: String,
}

impl Problem {
    pub fn new(check: &'static str, message: impl Into<String>) -> Problem {
        Problem { check, message: message.into() }
    }
}

/// # Panics
/// When the model breaks its contract: with all the problems that were found.
#[track_caller]
pub fn assert_model<M: Model>(name: &str) {
    let registry = Registry::default().with::<M>(name);
    assert_none(name, registry.models.iter().flat_map(check_model).collect());
}

/// # Panics
/// When the transform breaks its contract: with all the problems that were found.
#[track_caller]
pub fn assert_transform<T: Transform>(name: &str) {
    let registry = Registry::default().with_transform::<T>(name);
    assert_none(name, registry.transforms.iter().flat_map(check_transform).collect());
}

/// # Panics
/// When the metric breaks its contract: with all the problems that were found.
#[track_caller]
pub fn assert_metric<M: Metric + 'static>(name: &str) {
    let registry = Registry::default().with_metric::<M>(name);
    assert_none(name, registry.metrics.iter().flat_map(check_metric).collect());
}

#[track_caller]
fn assert_none(name: &str, problems: Vec<Problem>) {
    let lines: Vec<String> =
        problems.iter().map(|problem| format!("  {}: {}", problem.check, problem.message)).collect();
    assert!(problems.is_empty(), "`{name}` breaks its contract:\n{}", lines.join("\n"));
}

/// A panic as an error, so that one check's does not hide the others.
fn caught<T>(run: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let message = panic.downcast_ref::<&str>().map(|text| text.to_string());
        let message = message.or_else(|| panic.downcast_ref::<String>().cloned());
        Err(Error::unexpected(format!("panicked: {}", message.unwrap_or_else(|| "no message".to_string()))))
    })
}

/// Whether an error is a panic that [`caught`] caught.
fn is_panic(error: &Error) -> bool {
    error.message.starts_with("panicked: ")
}
