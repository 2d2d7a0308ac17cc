//! Which share of what is positive is found: of the positive class, or averaged over classes.

use super::counts::{self, Average, Counts};
use crate::error::Result;
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// TP / (TP + FN), 0 where nothing is positive, 0 to 1; higher is better.
///
/// `y_true`, `y_pred`: (n_rows,), class numbers. As scikit-learn's `recall_score` with `zero_division = 0`.
///
/// Settings: `average`: "binary" (default: the positive class alone), "macro" (mean over the union of the labels in truth and prediction), "micro" (pooled counts: the accuracy) or "weighted" (mean by the classes' weight in the truth); `positive`: the positive class's label, where it is not the competition's.
pub struct Recall {
    average: Average,
}

impl Metric for Recall {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("recall", &["average", "positive"])?;
        Ok(Recall { average: Average::from_settings("recall", settings)? })
    }

    fn about() -> About {
        About {
            formula: "TP / (TP + FN), 0 / 0 being 0",
            settings: &counts::SETTINGS,
            aliases: &["recall_score", "sensitivity"],
            presets: &[
                ("recall_macro", &[("average", "\"macro\"")]),
                ("recall_micro", &[("average", "\"micro\"")]),
                ("recall_weighted", &[("average", "\"weighted\"")]),
            ],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "recall"
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
        self.average.score("recall", truth, prediction, Counts::recall)
    }
}
