//! Mean log-cosh error: the squared error where it is small, the absolute error where it is large.

use std::f64::consts::LN_2;

use super::rmse::{VALUE_TASKS, finite, value_rows, weighted_mean};
use crate::error::Result;
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// sum w ln cosh(p - y) / sum w; lower is better, 0 is perfect.
///
/// `y_true`, `y_pred`: (n_rows,).
pub struct Logcosh;

impl Metric for Logcosh {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("logcosh", &[])?;
        Ok(Logcosh)
    }

    fn about() -> About {
        About { formula: "sum w ln cosh(p - y) / sum w", aliases: &["log_cosh"], ..About::default() }
    }

    fn name(&self) -> &str {
        "logcosh"
    }

    fn direction(&self) -> Direction {
        Direction::Minimize
    }

    fn needs(&self) -> Needs {
        Needs::Values
    }

    fn tasks(&self) -> &[Task] {
        VALUE_TASKS
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        let rows = value_rows(truth, prediction, self.range())?;
        // cosh itself overflows at 711.
        let ln_cosh = |x: f64| x.abs() + (-2.0 * x.abs()).exp().ln_1p() - LN_2;
        finite(weighted_mean(&rows, |row| ln_cosh(row.predicted - row.truth).max(0.0)))
    }
}
