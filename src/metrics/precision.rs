//! Which share of what is predicted positive is: of the positive class, or averaged over classes.

use super::counts::{self, Average, Counts};
use crate::error::Result;
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// TP / (TP + FP), 0 where nothing is predicted positive, 0 to 1; higher is better.
///
/// `y_true`, `y_pred`: (n_rows,), class numbers. As scikit-learn's `precision_score` with `zero_division = 0`.
///
/// Settings: `average`: "binary" (default: the positive class alone), "macro" (mean over the union of the labels in truth and prediction), "micro" (pooled counts: the accuracy) or "weighted" (mean by the classes' weight in the truth); `positive`: the positive class's label, where it is not the competition's.
pub struct Precision {
    average: Average,
}

impl Metric for Precision {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("precision", &["average", "positive"])?;
        Ok(Precision { average: Average::from_settings("precision", settings)? })
    }

    fn about() -> About {
        About {
            formula: "TP / (TP + FP), 0 / 0 being 0",
            settings: &counts::SETTINGS,
            aliases: &["precision_score"],
            presets: &[
                ("precision_macro", &[("average", "\"macro\"")]),
                ("precision_micro", &[("average", "\"micro\"")]),
                ("precision_weighted", &[("average", "\"weighted\"")]),
            ],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "precision"
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
        self.average.score("precision", truth, prediction, Counts::precision)
    }
}
