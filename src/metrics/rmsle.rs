//! Root mean squared logarithmic error: of ln(1 + y).
//!
//! House Prices scores ln(y) instead: that is `rmse_log`.

use super::rmse::{VALUE_TASKS, finite, value_rows, weighted_mean};
use crate::error::{Error, Result};
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, TargetScale, Truth};
use crate::target::Task;

/// sqrt(sum w (ln(1 + p) - ln(1 + y))^2 / sum w); lower is better, 0 is perfect.
///
/// `y_true`: (n_rows,), above -1. `y_pred`: (n_rows,), 0 or more: Kaggle refuses negative predictions. As scikit-learn's `root_mean_squared_log_error`.
pub struct Rmsle;

impl Metric for Rmsle {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("rmsle", &[])?;
        Ok(Rmsle)
    }

    fn about() -> About {
        About {
            formula: "sqrt(sum w (ln(1 + p) - ln(1 + y))^2 / sum w)",
            undefined: "a y is not above -1, or a p is negative",
            aliases: &["root_mean_squared_log_error", "mean_columnwise_rmsle"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "rmsle"
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

    fn target_scale(&self) -> TargetScale {
        TargetScale::Log1p
    }

    fn range(&self) -> (f64, f64) {
        (0.0, f64::INFINITY)
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        let rows = value_rows(truth, prediction, self.range())?;
        if let Some(row) = rows.iter().position(|row| row.truth <= -1.0) {
            let message = format!("rmsle is undefined: the true value {:?} is not above -1", rows[row].truth);
            return Err(Error::data(message).row(row + 1));
        }
        finite(weighted_mean(&rows, |row| (row.predicted.ln_1p() - row.truth.ln_1p()).powi(2)).sqrt())
    }
}
