//! Average precision: the area under the steps of precision over recall.

use super::order::ascending;
use super::roc_auc::{positives, score_rows};
use crate::error::{Error, Result};
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// sum (R_n - R_(n-1)) P_n over the distinct scores, best first, of recall R and precision P among the rows down to there; 0 to 1, higher is better.
///
/// `y_true`: (n_rows,), class numbers, `Truth::positive` against all others. `y_pred`: (n_rows,), any finite numbers; equal ones count as one step. As scikit-learn's `average_precision_score`.
///
/// # Errors
/// When there is no positive row.
pub struct AveragePrecision;

impl Metric for AveragePrecision {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("average_precision", &[])?;
        Ok(AveragePrecision)
    }

    fn about() -> About {
        About {
            formula: "sum (R_n - R_(n-1)) P_n over the distinct scores, best first",
            undefined: "there is no positive row",
            aliases: &["average_precision_score", "pr_auc"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "average_precision"
    }

    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn needs(&self) -> Needs {
        Needs::Scores
    }

    fn tasks(&self) -> &[Task] {
        &[Task::Binary]
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        let (scores, weights) = score_rows(truth, prediction)?;
        let is_positive = positives(truth)?;
        let (mut found, mut seen, mut sum) = (0.0, 0.0, 0.0);
        let order = ascending(scores.iter().map(|score| -score));
        for tied in order.chunk_by(|a, b| a.0 == b.0) {
            let mut tied_positives = 0.0;
            for &(_, row) in tied {
                seen += weights[row as usize];
                if is_positive[row as usize] {
                    tied_positives += weights[row as usize];
                }
            }
            found += tied_positives;
            if tied_positives > 0.0 {
                sum += tied_positives * found / seen;
            }
        }
        if found == 0.0 {
            return Err(Error::data("average_precision is undefined: there is no positive row"));
        }
        Ok(sum / found)
    }
}
