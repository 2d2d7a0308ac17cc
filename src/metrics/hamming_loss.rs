//! Share of labels that are wrong: of one label a row, or of sets of labels.

use super::accuracy::label_rows;
use super::texts::{Sets, mean};
use crate::error::Result;
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// Weighted share of rows with `y_pred != y_true`, or of the pairs of a row and a label that one of the two sets has alone; 0 to 1, lower is better.
///
/// `y_true`, `y_pred`: (n_rows,), class numbers; or labels with blanks between, where `n_labels` is given. As scikit-learn's `hamming_loss`.
///
/// Settings: `n_labels`: rows hold sets of labels, of which there are so many.
pub struct HammingLoss {
    n_labels: Option<usize>,
}

impl Metric for HammingLoss {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("hamming_loss", &["n_labels"])?;
        Ok(HammingLoss { n_labels: settings.count("hamming_loss", "n_labels")? })
    }

    fn about() -> About {
        About {
            formula: "sum w [y != p] / sum w; of sets of labels, sum w |Y or P, not both| / (n_labels sum w)",
            settings: &[("n_labels", "rows hold sets of labels, out of so many; left out, they hold one label each")],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "hamming_loss"
    }

    fn direction(&self) -> Direction {
        Direction::Minimize
    }

    fn needs(&self) -> Needs {
        match self.n_labels {
            Some(_) => Needs::Texts,
            None => Needs::Labels,
        }
    }

    fn tasks(&self) -> &[Task] {
        match self.n_labels {
            Some(_) => &[Task::Text],
            None => &[Task::Binary, Task::Multiclass, Task::Ordinal],
        }
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        let Some(n_labels) = self.n_labels else {
            let (mut wrong, mut total) = (0.0, 0.0);
            for row in label_rows(truth, prediction)? {
                total += row.weight;
                wrong += if row.truth == row.predicted { 0.0 } else { row.weight };
            }
            return Ok(wrong / total);
        };
        let mut sets = Sets::default();
        mean(truth, prediction, |truth, predicted| {
            let overlap = sets.overlap(truth, predicted);
            (overlap.truth + overlap.predicted - 2 * overlap.both) as f64 / n_labels as f64
        })
    }
}
