//! Mean F1 over rows of sets of labels (sample F1).

use super::texts::{Sets, mean};
use crate::error::Result;
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// The mean over rows of 2 |Y and P| / (|Y| + |P|), Y and P a row's sets of labels; 0 to 1, higher is better.
///
/// `y_true`, `y_pred`: (n_rows,), labels with blanks between, each counting once. As scikit-learn's `f1_score(average="samples")`, whose rows without any label count 0 (`empty = 0`).
///
/// Settings: `empty`, the score of a row where both sets are empty, default 1.
pub struct MeanF1 {
    empty: f64,
}

impl Metric for MeanF1 {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("mean_f1", &["empty"])?;
        let empty = settings.number("mean_f1", "empty", 1.0, |empty| (0.0..=1.0).contains(&empty), "from 0 to 1")?;
        Ok(MeanF1 { empty })
    }

    fn about() -> About {
        About {
            formula: "sum w 2 |Y and P| / (|Y| + |P|) / sum w, Y and P the sets of labels of a row",
            settings: &[("empty", "the score of a row where both sets are empty, 0 to 1; 1 by default")],
            aliases: &["sample_f1", "f1_samples", "mean_f_score"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "mean_f1"
    }

    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn needs(&self) -> Needs {
        Needs::Texts
    }

    fn tasks(&self) -> &[Task] {
        &[Task::Text]
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        let mut sets = Sets::default();
        mean(truth, prediction, |truth, predicted| {
            let overlap = sets.overlap(truth, predicted);
            match overlap.truth + overlap.predicted {
                0 => self.empty,
                n_labels => 2.0 * overlap.both as f64 / n_labels as f64,
            }
        })
    }
}
