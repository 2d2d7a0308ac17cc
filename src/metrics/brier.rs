//! Brier score: mean squared difference between probabilities and what happened.

use super::log_loss::for_each_row;
use super::rmse::finite;
use crate::error::Result;
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// Binary: mean (p - y)^2 of the positive class, 0 to 1. Three or more classes: mean over rows of the sum over classes, 0 to 2. Lower is better, 0 is perfect.
///
/// `y_true`: (n_rows,), class numbers. `y_pred`: (n_rows, n_classes); rows are divided by their sum. As scikit-learn's `brier_score_loss` with `scale_by_half = "auto"`.
pub struct Brier;

impl Metric for Brier {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("brier", &[])?;
        Ok(Brier)
    }

    fn about() -> About {
        About {
            formula: "binary: sum w (p - [y])^2 / sum w; of several classes, the sum over them",
            aliases: &["brier_score", "brier_score_loss"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "brier"
    }

    fn direction(&self) -> Direction {
        Direction::Minimize
    }

    fn needs(&self) -> Needs {
        Needs::Probabilities
    }

    fn tasks(&self) -> &[Task] {
        &[Task::Binary, Task::Multiclass, Task::Ordinal]
    }

    fn range(&self) -> (f64, f64) {
        (0.0, 1.0)
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        let (mut sum, mut total) = (0.0, 0.0);
        for_each_row(truth, prediction, |class, probabilities, weight| {
            let square = |(other, probability): (usize, &f64)| {
                let happened = if other == class { 1.0 } else { 0.0 };
                (probability - happened).powi(2)
            };
            let squares: f64 = probabilities.iter().enumerate().map(square).sum();
            // Both classes of two are off by the same: half is the positive class's share.
            sum += weight * if probabilities.len() == 2 { squares / 2.0 } else { squares };
            total += weight;
        })?;
        finite(sum / total)
    }
}
