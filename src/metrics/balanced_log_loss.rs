//! Log loss in which each class weighs the same (ICR).

use super::log_loss::{eps, for_each_row};
use super::rmse::finite;
use crate::error::Result;
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// The mean over the classes present in `y_true` of their rows' -sum w ln p(true class) / sum w, in nats; lower is better, 0 is perfect.
///
/// `y_true`: (n_rows,), class numbers. `y_pred`: (n_rows, n_classes), 0 or more; rows are divided by their sum and then clipped to [eps, 1 - eps].
///
/// Settings: `eps` as for `log_loss`.
pub struct BalancedLogLoss {
    eps: f64,
}

impl Metric for BalancedLogLoss {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("balanced_log_loss", &["eps"])?;
        Ok(BalancedLogLoss { eps: eps("balanced_log_loss", settings)? })
    }

    fn about() -> About {
        About {
            formula: "the mean over classes of -sum w ln p(true class) / sum w over their rows",
            settings: &[("eps", "p is clipped to [eps, 1 - eps]; 1e-15 by default")],
            aliases: &["balanced_logarithmic_loss"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "balanced_log_loss"
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
        let mut classes: Vec<(f64, f64)> = Vec::new();
        for_each_row(truth, prediction, |class, probabilities, weight| {
            classes.resize(classes.len().max(probabilities.len()), (0.0, 0.0));
            let (sum, total) = &mut classes[class];
            *sum -= weight * probabilities[class].clamp(self.eps, 1.0 - self.eps).ln();
            *total += weight;
        })?;
        classes.retain(|(_, total)| *total > 0.0);
        finite(classes.iter().map(|(sum, total)| sum / total).sum::<f64>() / classes.len() as f64)
    }
}
