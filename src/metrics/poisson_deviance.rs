//! Mean Poisson deviance, for counts.

use super::rmse::{VALUE_TASKS, finite, value_rows, weighted_mean};
use crate::error::{Error, Result};
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// sum w 2 (y ln(y / p) - y + p) / sum w, the logarithm's term being 0 where y is; lower is better, 0 is perfect.
///
/// `y_true`: (n_rows,), 0 or more. `y_pred`: (n_rows,), above 0. As scikit-learn's `mean_poisson_deviance`.
pub struct PoissonDeviance;

impl Metric for PoissonDeviance {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("poisson_deviance", &[])?;
        Ok(PoissonDeviance)
    }

    fn about() -> About {
        About {
            formula: "sum w 2 (y ln(y / p) - y + p) / sum w",
            undefined: "a y is negative, or a p is not above 0",
            aliases: &["mean_poisson_deviance"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "poisson_deviance"
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

    /// The smallest number above 0 with full precision is the lower end: 0 has no logarithm.
    fn range(&self) -> (f64, f64) {
        (f64::MIN_POSITIVE, f64::INFINITY)
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        let rows = value_rows(truth, prediction, self.range())?;
        if let Some(row) = rows.iter().position(|row| row.truth < 0.0) {
            let message = format!("poisson_deviance is undefined: the true value {:?} is negative", rows[row].truth);
            return Err(Error::data(message).row(row + 1));
        }
        let deviance = |y: f64, p: f64| if y == 0.0 { 2.0 * p } else { 2.0 * (y * (y / p).ln() - y + p) };
        finite(weighted_mean(&rows, |row| deviance(row.truth, row.predicted)))
    }
}
