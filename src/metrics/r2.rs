//! Coefficient of determination.
//!
//! It has no lower end: a single wild prediction takes it to -1e25, which leaderboards print in e-notation.

use super::rmse::{VALUE_TASKS, finite, value_rows, weighted_mean};
use crate::error::{Error, Result};
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// 1 - sum w (y - p)^2 / sum w (y - mean y)^2; higher is better, 1 is perfect.
///
/// `y_true`, `y_pred`: (n_rows,). As scikit-learn's `r2_score`: where y is constant, 1 if all predictions are exact, else 0.
///
/// # Errors
/// With fewer than two rows.
pub struct R2;

impl Metric for R2 {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("r2", &[])?;
        Ok(R2)
    }

    fn about() -> About {
        About {
            formula: "1 - sum w (y - p)^2 / sum w (y - mean y)^2; of a constant y, 1 if all p are exact, else 0",
            undefined: "there is a single row",
            aliases: &["r2_score"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "r2"
    }

    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn needs(&self) -> Needs {
        Needs::Values
    }

    fn tasks(&self) -> &[Task] {
        VALUE_TASKS
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        let rows = value_rows(truth, prediction, self.range())?;
        if rows.len() < 2 {
            return Err(Error::data("r2 of a single row is undefined"));
        }
        let error = weighted_mean(&rows, |row| (row.truth - row.predicted).powi(2));
        // Not by a variance of 0: the mean of equal numbers need not be that number.
        let mut counted = rows.iter().filter(|row| row.weight > 0.0).map(|row| row.truth);
        let first = counted.next().unwrap_or(0.0);
        if counted.all(|value| value == first) {
            return Ok(if error == 0.0 { 1.0 } else { 0.0 });
        }
        let mean = weighted_mean(&rows, |row| row.truth);
        finite(1.0 - error / weighted_mean(&rows, |row| (row.truth - mean).powi(2)))
    }
}
