//! Area under the receiver operating characteristic curve, by counting pairs; also what all metrics of scores share: the rows, checked.

use super::accuracy::{check_length, weights};
use super::order::ascending;
use crate::error::{Error, Result};
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
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

    fn about() -> About {
        About {
            formula: "P(score of a positive > score of a negative) + P(equal) / 2",
            undefined: "only one class is present; of several targets, the column is named",
            aliases: &["roc_auc_score", "auc", "mean_column_auc", "mean_columnwise_auc"],
            ..About::default()
        }
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
        let (scores, weights) = score_rows(truth, prediction)?;
        let positive = positives(truth)?;
        area(&ascending(scores.iter().copied()), &positive, &weights)
            .map_err(|only| Error::data(format!("roc_auc is undefined: there is no {only} row")))
    }
}

/// The scores and weights of a metric that ranks rows.
///
/// # Errors
/// When there are no rows, lengths differ, a score is not finite (naming the row), or all weights are 0.
pub fn score_rows<'a>(truth: &Truth, prediction: &Prediction<'a>) -> Result<(&'a [f64], Vec<f64>)> {
    let Prediction::Scores(scores) = prediction else {
        return Err(Error::model("this metric ranks rows by a score, and was given something else"));
    };
    check_length(truth.target.n_rows(), scores.len())?;
    if let Some(row) = scores.iter().position(|score| !score.is_finite()) {
        return Err(Error::model(format!("the prediction is {}", scores[row])).row(row + 1));
    }
    Ok((*scores, weights(truth, scores.len())?))
}

/// Whether each row is of the positive class.
///
/// # Errors
/// When the target holds values.
pub fn positives(truth: &Truth) -> Result<Vec<bool>> {
    let Target::Classes { codes, .. } = truth.target else {
        return Err(Error::model("this metric tells a positive class from others, and the target holds values"));
    };
    Ok(codes.iter().map(|&code| code == truth.positive).collect())
}

/// The area under the curve of rows in ascending order of their scores.
///
/// # Errors
/// When there is no row, or no weight, of one kind: its name.
pub fn area(order: &[(u64, u32)], is_positive: &[bool], weights: &[f64]) -> std::result::Result<f64, &'static str> {
    let (mut negatives, mut positives, mut pairs) = (0.0, 0.0, 0.0);
    for tied in order.chunk_by(|a, b| a.0 == b.0) {
        let (mut tied_negatives, mut tied_positives) = (0.0, 0.0);
        for &(_, row) in tied {
            match is_positive[row as usize] {
                true => tied_positives += weights[row as usize],
                false => tied_negatives += weights[row as usize],
            }
        }
        pairs += tied_positives * (negatives + tied_negatives / 2.0);
        negatives += tied_negatives;
        positives += tied_positives;
    }
    if positives == 0.0 {
        return Err("positive");
    }
    if negatives == 0.0 {
        return Err("negative");
    }
    Ok(pairs / (negatives * positives))
}
