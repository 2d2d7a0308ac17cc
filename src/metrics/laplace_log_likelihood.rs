//! Log likelihood of a Laplace distribution, with a floor to its spread (OSIC); also what all metrics of values with their spread share: the rows, checked.

use std::f64::consts::SQRT_2;

use super::rmse::{ValueRow, finite, value_rows};
use crate::error::{Error, Result};
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// sum w (-sqrt(2) min(|y - p|, max_error) / s - ln(sqrt(2) s)) / sum w with s = max(sigma, min_sigma); higher is better.
///
/// `y_true`: (n_rows,). `y_pred`: (n_rows,) values and (n_rows,) sigmas above 0, in the target's unit.
///
/// Settings: `min_sigma`, default 70; `max_error`, default 1000: OSIC's.
pub struct LaplaceLogLikelihood {
    min_sigma: f64,
    max_error: f64,
}

impl Metric for LaplaceLogLikelihood {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("laplace_log_likelihood", &["min_sigma", "max_error"])?;
        let above_0 =
            |key, default| settings.number("laplace_log_likelihood", key, default, |number| number > 0.0, "above 0");
        Ok(LaplaceLogLikelihood { min_sigma: above_0("min_sigma", 70.0)?, max_error: above_0("max_error", 1000.0)? })
    }

    fn about() -> About {
        About {
            formula: "sum w (-sqrt(2) min(|y - p|, max_error) / s - ln(sqrt(2) s)) / sum w, s = max(sigma, min_sigma)",
            undefined: "a sigma is not above 0",
            settings: &[
                ("min_sigma", "the floor of sigma, above 0; 70 by default"),
                ("max_error", "what an error counts at most, above 0; 1000 by default"),
            ],
            aliases: &["laplace", "osic"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "laplace_log_likelihood"
    }

    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn needs(&self) -> Needs {
        Needs::Spread
    }

    fn tasks(&self) -> &[Task] {
        &[Task::Regression]
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        spread_mean(truth, prediction, |row, sigma| {
            let (error, scale) = ((row.truth - row.predicted).abs().min(self.max_error), sigma.max(self.min_sigma));
            -SQRT_2 * error / scale - (SQRT_2 * scale).ln()
        })
    }
}

/// The weighted mean of `of_row`, of a row and its sigma.
///
/// # Errors
/// Those of [`value_rows`]; when a sigma is not above 0 or not finite: names the row.
pub fn spread_mean(truth: &Truth, prediction: &Prediction, of_row: impl Fn(&ValueRow, f64) -> f64) -> Result<f64> {
    let Prediction::Spread { values, sigmas } = prediction else {
        return Err(Error::model("this metric compares values with their spread, and was given something else"));
    };
    if sigmas.len() != values.len() {
        return Err(Error::model(format!("{} values, but {} sigmas", values.len(), sigmas.len())));
    }
    let rows = value_rows(truth, &Prediction::Values(values), (f64::NEG_INFINITY, f64::INFINITY))?;
    if let Some(row) = sigmas.iter().position(|sigma| !sigma.is_finite() || *sigma <= 0.0) {
        return Err(Error::model(format!("sigma is {:?}, and must be above 0", sigmas[row])).row(row + 1));
    }
    let (mut sum, mut total) = (0.0, 0.0);
    for (row, &sigma) in rows.iter().zip(*sigmas) {
        sum += row.weight * of_row(row, sigma);
        total += row.weight;
    }
    finite(sum / total)
}
