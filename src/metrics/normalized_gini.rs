//! The Gini coefficient of the truth in the order of the predictions, as a share of the best there is (Porto Seguro, Liberty Mutual).
//!
//! Of two classes it is 2 AUC - 1. Kaggle's code takes equal predictions in the order of the file; here they share their places.

use super::order::ascending;
use super::rmse::finite;
use super::roc_auc::{positives, score_rows};
use crate::error::{Error, Result};
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::{Target, Task};

/// gini(y, p) / gini(y, y), at most 1; higher is better, 0 is chance. gini(y, p) is the area between the diagonal and the share of sum w y that the rows with the largest p have, over their share of sum w.
///
/// `y_true`: (n_rows,), 0 or more; of classes, 1 for `Truth::positive`. `y_pred`: (n_rows,), any finite numbers.
///
/// # Errors
/// When the truth is constant, or a true value is negative.
pub struct NormalizedGini;

impl Metric for NormalizedGini {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("normalized_gini", &[])?;
        Ok(NormalizedGini)
    }

    fn about() -> About {
        About {
            formula: "gini(y, p) / gini(y, y), gini(y, p) the area between the diagonal and the share of sum w y in the rows of largest p",
            undefined: "y is constant or negative",
            aliases: &["gini_normalized", "gini"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "normalized_gini"
    }

    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn needs(&self) -> Needs {
        Needs::Scores
    }

    fn tasks(&self) -> &[Task] {
        &[Task::Binary, Task::Regression]
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        let (scores, weights) = score_rows(truth, prediction)?;
        let truths: Vec<f64> = match truth.target {
            Target::Values(values) => values.clone(),
            Target::Classes { .. } => positives(truth)?.into_iter().map(f64::from).collect(),
        };
        if let Some(row) = truths.iter().position(|value| !value.is_finite() || *value < 0.0) {
            let message = format!("normalized_gini is undefined: the true value {:?} is not 0 or more", truths[row]);
            return Err(Error::data(message).row(row + 1));
        }
        let best = gini(&truths, &truths, &weights);
        if best.is_nan() || best <= 0.0 {
            return Err(Error::data("normalized_gini is undefined: all true values are the same"));
        }
        finite(gini(&truths, scores, &weights) / best)
    }
}

/// The sum over rows, largest score first, of w times the truth found so far, less that of a random order. Rows of equal scores find theirs evenly.
fn gini(truths: &[f64], scores: &[f64], weights: &[f64]) -> f64 {
    let order = ascending(scores.iter().map(|score| -score));
    let (mut found, mut seen, mut area) = (0.0, 0.0, 0.0);
    for tied in order.chunk_by(|a, b| a.0 == b.0) {
        let (mut truth, mut weight) = (0.0, 0.0);
        for &(_, row) in tied {
            truth += weights[row as usize] * truths[row as usize];
            weight += weights[row as usize];
        }
        area += weight * (found + truth / 2.0);
        found += truth;
        seen += weight;
    }
    area - found * seen / 2.0
}
