//! Pinball loss: what a quantile should minimise.

use super::rmse::{VALUE_TASKS, finite, value_rows, weighted_mean};
use crate::error::Result;
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// sum w max(alpha (y - p), (alpha - 1) (y - p)) / sum w, in the target's unit; lower is better, 0 is perfect.
///
/// `y_true`, `y_pred`: (n_rows,). As scikit-learn's `mean_pinball_loss`.
///
/// Settings: `alpha`, the quantile, above 0 and below 1, default 0.5 (half the mean absolute error).
pub struct Pinball {
    alpha: f64,
}

impl Metric for Pinball {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("pinball", &["alpha"])?;
        let alpha =
            settings.number("pinball", "alpha", 0.5, |alpha| alpha > 0.0 && alpha < 1.0, "above 0 and below 1")?;
        Ok(Pinball { alpha })
    }

    fn about() -> About {
        About {
            formula: "sum w max(alpha (y - p), (alpha - 1) (y - p)) / sum w",
            settings: &[("alpha", "the quantile that p should be, above 0 and below 1; 0.5 by default")],
            aliases: &["pinball_{alpha}", "mean_pinball_loss", "quantile_loss"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "pinball"
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
        finite(weighted_mean(&rows, |row| {
            let above = row.truth - row.predicted;
            (self.alpha * above).max((self.alpha - 1.0) * above)
        }))
    }
}
