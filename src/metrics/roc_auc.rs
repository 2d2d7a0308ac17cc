//! Area under the receiver operating characteristic curve, by counting pairs.

use super::accuracy::{check_length, weights};
use crate::error::{Error, Result};
use crate::metric::{Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::{Target, Task};

/// P(score of a positive > score of a negative) + P(equal) / 2, 0 to 1; higher is better, 0.5 is chance.
///
/// `y_true`: (n_rows,), class numbers, `Truth::positive` against all others. `y_pred`: (n_rows,), any finite numbers. Weights count pairs by their product. As scikit-learn's `roc_auc_score`.
///
/// # Errors
/// When only one class is present.
pub struct RocAuc;

impl Metric for RocAuc {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("roc_auc", &[])?;
        Ok(RocAuc)
    }

    fn name(&self) -> &str {
        "roc_auc"
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
        let (Target::Classes { codes, .. }, Prediction::Scores(scores)) = (truth.target, prediction) else {
            return Err(Error::model("this metric ranks rows by a score, and was given something else"));
        };
        check_length(codes.len(), scores.len())?;
        if let Some(row) = scores.iter().position(|score| !score.is_finite()) {
            return Err(Error::model(format!("the prediction is {}", scores[row])).row(row + 1));
        }
        let weights = weights(truth, codes.len())?;
        let mut order: Vec<usize> = (0..scores.len()).collect();
        order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
        let (mut negatives, mut positives, mut pairs) = (0.0, 0.0, 0.0);
        for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
            let (mut tied_negatives, mut tied_positives) = (0.0, 0.0);
            for &row in tied {
                match codes[row] == truth.positive {
                    true => tied_positives += weights[row],
                    false => tied_negatives += weights[row],
                }
            }
            pairs += tied_positives * (negatives + tied_negatives / 2.0);
            negatives += tied_negatives;
            positives += tied_positives;
        }
        if negatives == 0.0 || positives == 0.0 {
            let only = if positives == 0.0 { "no positive" } else { "no negative" };
            return Err(Error::data(format!("roc_auc is undefined: there is {only} row")));
        }
        Ok(pairs / (negatives * positives))
    }
}
