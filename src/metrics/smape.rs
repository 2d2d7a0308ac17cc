//! Symmetric mean absolute percentage error, in percent.
//!
//! Of the several forms, Kaggle's: 0 to 200, and a row where truth and prediction are both 0 is right.

use super::rmse::{VALUE_TASKS, finite, value_rows, weighted_mean};
use crate::error::Result;
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// 100 sum w 2 |p - y| / (|y| + |p|) / sum w, 0 / 0 being 0; 0 to 200, lower is better.
///
/// `y_true`, `y_pred`: (n_rows,).
pub struct Smape;

impl Metric for Smape {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("smape", &[])?;
        Ok(Smape)
    }

    fn about() -> About {
        About {
            formula: "100 sum w 2 |p - y| / (|y| + |p|) / sum w, 0 / 0 being 0: 0 to 200",
            aliases: &["symmetric_mean_absolute_percentage_error"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "smape"
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
        let share = |y: f64, p: f64| if y == p { 0.0 } else { (p - y).abs() / (y.abs() + p.abs()) };
        finite(200.0 * weighted_mean(&rows, |row| share(row.truth, row.predicted)))
    }
}
