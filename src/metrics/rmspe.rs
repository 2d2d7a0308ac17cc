//! Root mean squared percentage error, as a fraction (Rossmann).
//!
//! Rows with a true value of 0 are left out: they have no percentage.

use super::rmse::{VALUE_TASKS, ValueRow, finite, value_rows, weighted_mean};
use crate::error::{Error, Result};
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// sqrt(sum w ((y - p) / y)^2 / sum w) over the rows with y other than 0: a fraction; lower is better, 0 is perfect.
///
/// `y_true`, `y_pred`: (n_rows,).
///
/// # Errors
/// When every true value is 0.
pub struct Rmspe;

impl Metric for Rmspe {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("rmspe", &[])?;
        Ok(Rmspe)
    }

    fn about() -> About {
        About {
            formula: "sqrt(sum w ((y - p) / y)^2 / sum w), over the rows with y other than 0",
            undefined: "every y is 0",
            aliases: &["root_mean_squared_percentage_error"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "rmspe"
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
        let mut rows = value_rows(truth, prediction, self.range())?;
        rows.retain(|row: &ValueRow| row.truth != 0.0);
        if rows.iter().all(|row| row.weight == 0.0) {
            return Err(Error::data("rmspe is undefined: no row with a weight has a true value other than 0"));
        }
        finite(weighted_mean(&rows, |row| ((row.truth - row.predicted) / row.truth).powi(2)).sqrt())
    }
}
