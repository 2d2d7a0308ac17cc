//! Mean squared error.

use super::rmse::{VALUE_TASKS, finite, value_rows, weighted_mean};
use crate::error::Result;
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// sum w (y - p)^2 / sum w, in the square of the target's unit; lower is better, 0 is perfect.
///
/// `y_true`, `y_pred`: (n_rows,). As scikit-learn's `mean_squared_error`.
pub struct Mse;

impl Metric for Mse {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("mse", &[])?;
        Ok(Mse)
    }

    fn about() -> About {
        About { formula: "sum w (y - p)^2 / sum w", aliases: &["mean_squared_error"], ..About::default() }
    }

    fn name(&self) -> &str {
        "mse"
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
        finite(weighted_mean(&rows, |row| (row.truth - row.predicted).powi(2)))
    }
}
