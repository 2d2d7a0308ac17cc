//! F with recall and precision weighed apart: of the positive class, or averaged over classes.

use super::counts::{self, Average};
use crate::error::Result;
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// (1 + beta^2) P R / (beta^2 P + R) of precision P and recall R, 0 where nothing is positive, 0 to 1; higher is better.
///
/// `y_true`, `y_pred`: (n_rows,), class numbers. As scikit-learn's `fbeta_score` with `zero_division = 0`.
///
/// Settings: `beta`, above 0: how much recall weighs beside precision, default 1; `average` and `positive` as for `f1`.
pub struct Fbeta {
    beta: f64,
    average: Average,
}

impl Metric for Fbeta {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("fbeta", &["beta", "average", "positive"])?;
        let beta = settings.number("fbeta", "beta", 1.0, |beta| beta > 0.0 && beta < 1e6, "above 0 and below 1e6")?;
        Ok(Fbeta { beta, average: Average::from_settings("fbeta", settings)? })
    }

    fn about() -> About {
        About {
            formula: "(1 + beta^2) TP / ((1 + beta^2) TP + beta^2 FN + FP), 0 / 0 being 0",
            settings: &[
                ("beta", "how much recall weighs beside precision, above 0; 1 by default"),
                counts::SETTINGS[0],
                counts::SETTINGS[1],
            ],
            aliases: &["fbeta_{beta}", "f{beta}", "fbeta_score"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "fbeta"
    }

    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn needs(&self) -> Needs {
        Needs::Labels
    }

    fn tasks(&self) -> &[Task] {
        self.average.tasks()
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        self.average.score("fbeta", truth, prediction, |counts| counts.f(self.beta))
    }
}
