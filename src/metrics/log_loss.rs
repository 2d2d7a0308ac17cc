//! Mean negative log-likelihood of the true classes; also what all probability metrics share: the rows, rescaled.
//!
//! The clip is a setting because it decides what a sure miss costs: 34.54 at 1e-15, and boards are known with other values.

use super::accuracy::{check_length, weights};
use super::rmse::{check_prediction, finite};
use crate::error::{Error, Result};
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::{Target, Task};

/// -sum w ln p(true class) / sum w, in nats; lower is better, 0 is perfect.
///
/// `y_true`: (n_rows,), class numbers. `y_pred`: (n_rows, n_classes), 0 or more; as Kaggle does, rows are divided by their sum and then clipped to [eps, 1 - eps].
///
/// Settings: `eps`, above 0 and below 0.5, default 1e-15.
pub struct LogLoss {
    eps: f64,
}

/// Kaggle's classic clip, and scikit-learn's until 1.2.
const EPS: f64 = 1e-15;

impl Metric for LogLoss {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("log_loss", &["eps"])?;
        Ok(LogLoss { eps: eps("log_loss", settings)? })
    }

    fn about() -> About {
        About {
            formula: "-sum w ln p(true class) / sum w; rows are divided by their sum",
            settings: &[("eps", "p is clipped to [eps, 1 - eps]; 1e-15 by default")],
            aliases: &[
                "logarithmic_loss",
                "log_loss_binary",
                "log_loss_multiclass",
                "log_loss_multiclass_rescaled",
                "multiclass_loss",
                "mean_columnwise_log_loss",
            ],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "log_loss"
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
            let clipped = probabilities[class].clamp(self.eps, 1.0 - self.eps);
            sum -= weight * clipped.ln();
            total += weight;
        })?;
        finite(sum / total)
    }
}

/// The clip of probabilities.
///
/// # Errors
/// When it is not a number above 0 and below 0.5.
pub fn eps(metric: &str, settings: &Settings) -> Result<f64> {
    settings.number(metric, "eps", EPS, |eps| eps > 0.0 && eps < 0.5, "above 0 and below 0.5")
}

/// Calls `of_row` with each row's true class, probabilities (summing to 1) and weight.
///
/// # Errors
/// When there are no rows, shapes differ, a probability is negative or not finite, a row sums to 0, a class has no probability (all naming the row), or all weights are 0.
pub fn for_each_row(truth: &Truth, prediction: &Prediction, mut of_row: impl FnMut(usize, &[f64], f64)) -> Result<()> {
    let (Target::Classes { codes, .. }, Prediction::Probabilities(predicted)) = (truth.target, prediction) else {
        return Err(Error::model("this metric compares class probabilities, and was given something else"));
    };
    check_length(codes.len(), predicted.nrows())?;
    let weights = weights(truth, codes.len())?;
    let mut probabilities = vec![0.0; predicted.ncols()];
    for (row, ((&class, values), weight)) in codes.iter().zip(predicted.rows()).zip(weights).enumerate() {
        let mut sum = 0.0;
        for (probability, &value) in probabilities.iter_mut().zip(values) {
            check_prediction(value, (0.0, f64::INFINITY), row)?;
            *probability = value;
            sum += value;
        }
        if sum <= 0.0 || !sum.is_finite() {
            return Err(Error::model(format!("the probabilities sum to {sum}")).row(row + 1));
        }
        if class as usize >= probabilities.len() {
            let label =
                truth.labels.get(class as usize).map_or_else(|| class.to_string(), |label| format!("`{label}`"));
            return Err(Error::data(format!("the true class {label} has no probability")).row(row + 1));
        }
        probabilities.iter_mut().for_each(|probability| *probability /= sum);
        of_row(class as usize, &probabilities, weight);
    }
    Ok(())
}
