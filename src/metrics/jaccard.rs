//! Mean Jaccard index over rows of sets: of labels, or of the words of a text.

use super::texts::{Sets, mean};
use crate::error::Result;
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// The mean over rows of |Y and P| / |Y or P|, Y and P a row's sets of labels; 0 to 1, higher is better.
///
/// `y_true`, `y_pred`: (n_rows,), labels (or words) with blanks between, each counting once. As scikit-learn's `jaccard_score(average="samples")`, whose rows without any label count 0 (`empty = 0`).
///
/// Settings: `empty`, the score of a row where both sets are empty, default 1.
pub struct Jaccard {
    empty: f64,
}

impl Metric for Jaccard {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("jaccard", &["empty"])?;
        let empty = settings.number("jaccard", "empty", 1.0, |empty| (0.0..=1.0).contains(&empty), "from 0 to 1")?;
        Ok(Jaccard { empty })
    }

    fn about() -> About {
        About {
            formula: "sum w |Y and P| / |Y or P| / sum w, Y and P the sets of labels of a row",
            settings: &[("empty", "the score of a row where both sets are empty, 0 to 1; 1 by default")],
            aliases: &["jaccard_score", "word_level_jaccard"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "jaccard"
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
            match overlap.truth + overlap.predicted - overlap.both {
                0 => self.empty,
                n_labels => overlap.both as f64 / n_labels as f64,
            }
        })
    }
}
