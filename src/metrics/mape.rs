//! Mean absolute percentage error, as a fraction.

use super::rmse::{VALUE_TASKS, finite, value_rows, weighted_mean};
use crate::error::{Error, Result};
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// sum w |(y - p) / y| / sum w: a fraction, 0.5 is 50 %; lower is better, 0 is perfect.
///
/// `y_true`, `y_pred`: (n_rows,). As scikit-learn's `mean_absolute_percentage_error`, but where that divides by a tiny number, a true value of 0 is an error here.
pub struct Mape;

impl Metric for Mape {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("mape", &[])?;
        Ok(Mape)
    }

    fn about() -> About {
        About {
            formula: "sum w |(y - p) / y| / sum w, a fraction",
            undefined: "a y is 0",
            aliases: &["mean_absolute_percentage_error"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "mape"
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
        if let Some(row) = rows.iter().position(|row| row.truth == 0.0) {
            return Err(Error::data("mape is undefined: the true value is 0").row(row + 1));
        }
        finite(weighted_mean(&rows, |row| ((row.truth - row.predicted) / row.truth).abs()))
    }
}
