//! Continuous ranked probability score of normal distributions.

use std::f64::consts::{FRAC_1_SQRT_2, PI, TAU};

use super::laplace_log_likelihood::spread_mean;
use crate::error::Result;
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// sum w sigma (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi)) / sum w with z = (y - p) / sigma, in the target's unit; lower is better. Of a sigma towards 0, the absolute error.
///
/// `y_true`: (n_rows,). `y_pred`: (n_rows,) values and (n_rows,) sigmas above 0. Gneiting and Raftery, Strictly Proper Scoring Rules, JASA 2007, equation 21.
pub struct Crps;

impl Metric for Crps {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("crps", &[])?;
        Ok(Crps)
    }

    fn about() -> About {
        About {
            formula: "sum w sigma (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi)) / sum w, z = (y - p) / sigma",
            undefined: "a sigma is not above 0",
            aliases: &["crps_gaussian"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "crps"
    }

    fn direction(&self) -> Direction {
        Direction::Minimize
    }

    fn needs(&self) -> Needs {
        Needs::Spread
    }

    fn tasks(&self) -> &[Task] {
        &[Task::Regression]
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        spread_mean(truth, prediction, |row, sigma| {
            let z = (row.truth - row.predicted) / sigma;
            let density = (-z * z / 2.0).exp() / TAU.sqrt();
            sigma * (z * libm::erf(z * FRAC_1_SQRT_2) + 2.0 * density - 1.0 / PI.sqrt())
        })
    }
}
