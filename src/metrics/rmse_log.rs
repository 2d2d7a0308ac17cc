//! Root mean squared error of natural logarithms, as in House Prices.
//!
//! Of ln(y), not of ln(1 + y): that is `rmsle`.

use super::rmse::{VALUE_TASKS, finite, value_rows, weighted_mean};
use crate::error::{Error, Result};
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, TargetScale, Truth};
use crate::target::Task;

/// sqrt(sum w (ln p - ln y)^2 / sum w); lower is better, 0 is perfect.
///
/// `y_true`, `y_pred`: (n_rows,), above 0.
pub struct RmseLog;

impl Metric for RmseLog {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("rmse_log", &[])?;
        Ok(RmseLog)
    }

    fn about() -> About {
        About {
            formula: "sqrt(sum w (ln p - ln y)^2 / sum w)",
            undefined: "a y or p is not above 0",
            aliases: &["root_mean_squared_error_of_logs"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "rmse_log"
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
        TargetScale::Log
    }

    /// The smallest number above 0 with full precision is the lower end: 0 has no logarithm.
    fn range(&self) -> (f64, f64) {
        (f64::MIN_POSITIVE, f64::INFINITY)
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        let rows = value_rows(truth, prediction, self.range())?;
        if let Some(row) = rows.iter().position(|row| row.truth <= 0.0) {
            let message = format!("rmse_log is undefined: the true value {:?} is not above 0", rows[row].truth);
            return Err(Error::data(message).row(row + 1));
        }
        finite(weighted_mean(&rows, |row| (row.predicted.ln() - row.truth.ln()).powi(2)).sqrt())
    }
}
