//! Median absolute error: half the rows are closer.

use super::rmse::{VALUE_TASKS, finite, value_rows};
use crate::error::{Error, Result};
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// The median of |y - p|, in the target's unit: of an even number of rows, the mean of the middle two; lower is better, 0 is perfect.
///
/// `y_true`, `y_pred`: (n_rows,). As scikit-learn's `median_absolute_error`; with weights, the error that half the weight is below, and where a row ends exactly there, the mean of its error and the next.
pub struct MedianAbsoluteError;

impl Metric for MedianAbsoluteError {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("median_absolute_error", &[])?;
        Ok(MedianAbsoluteError)
    }

    fn about() -> About {
        About {
            formula: "the (weighted) median of |y - p|; between two, their mean",
            aliases: &["medae"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "median_absolute_error"
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
        let weighted = rows.iter().filter(|row| row.weight > 0.0);
        let mut errors: Vec<(f64, f64)> = weighted.map(|row| ((row.truth - row.predicted).abs(), row.weight)).collect();
        if truth.weights.is_none() {
            return finite(middle(&mut errors));
        }
        errors.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let half = errors.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
        let mut below = 0.0;
        for (place, &(error, weight)) in errors.iter().enumerate() {
            below += weight;
            if below >= half {
                let next = errors.get(place + 1).map_or(error, |next| next.0);
                return finite(if below == half { error / 2.0 + next / 2.0 } else { error });
            }
        }
        Err(Error::unexpected("weights that sum to nothing were refused"))
    }
}

/// The middle error of rows that weigh the same: found without sorting them all.
fn middle(errors: &mut [(f64, f64)]) -> f64 {
    let (n, by_error) = (errors.len(), |a: &(f64, f64), b: &(f64, f64)| a.0.total_cmp(&b.0));
    let (below, &mut (upper, _), _) = errors.select_nth_unstable_by(n / 2, by_error);
    if n % 2 == 1 {
        return upper;
    }
    let lower = below.iter().map(|(error, _)| *error).fold(0.0, f64::max);
    lower / 2.0 + upper / 2.0
}
