//! What is minimised.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::kernel::logistic::{exp, sigmoid};

pub(crate) mod derive;
pub(crate) mod rank;

/// A loss. Scores are what the trees add up to, predictions what [`Objective::predict`] makes of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Objective {
    /// (score - label)^2 / 2: the mean.
    Squared,
    /// |score - label|: the median; leaf values are renewed by the median of what is left.
    Absolute,
    /// Pinball loss: the quantile `alpha`, between 0 and 1; leaf values are renewed likewise.
    Quantile { alpha: f64 },
    /// Squared up to `alpha`, linear beyond.
    Huber { alpha: f64 },
    /// Counts, label >= 0; the prediction is e^score.
    Poisson,
    /// Positive amounts, label > 0; the prediction is e^score.
    Gamma,
    /// Label >= 0, variance of the mean's power `variance_power`, between 1 and 2; the prediction is e^score.
    Tweedie { variance_power: f64 },
    /// Two classes, label 0 to 1 (between: a soft label); the prediction is the probability of 1.
    Logistic,
    /// `n_classes` classes, label 0, 1, ..; one score and one probability a class.
    Softmax { n_classes: usize },
    /// As `Softmax`, by one logistic loss a class; probabilities are divided by their sum.
    OneVsAll { n_classes: usize },
    /// The order within query groups, label 0, 1, .. (better); LambdaRank with gains 2^label - 1, pairs down to rank `truncation_level` (Burges 2010).
    LambdaRank { truncation_level: usize },
    /// Derivatives by a closure.
    #[serde(skip)]
    Custom(Custom),
}

/// First and second derivatives by a closure: called with (scores, labels), both (n_rows,), to fill one pair a row; the second must not be negative.
#[derive(Clone)]
pub struct Custom(pub Arc<CustomDerivatives>);

/// See [`Custom`].
pub type CustomDerivatives = dyn Fn(&[f64], &[f64], &mut [[f32; 2]]) + Send + Sync;

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("Custom")
    }
}

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Objective {
    /// Scores a target.
    pub fn n_scores(&self) -> usize {
        match self {
            Objective::Softmax { n_classes } | Objective::OneVsAll { n_classes } => *n_classes,
            _ => 1,
        }
    }

    /// Turns a row's scores into its prediction, in place.
    pub fn predict(&self, scores: &mut [f64]) {
        match self {
            Objective::Squared
            | Objective::Absolute
            | Objective::Quantile { .. }
            | Objective::Huber { .. }
            | Objective::LambdaRank { .. }
            | Objective::Custom(_) => {}
            Objective::Poisson | Objective::Gamma | Objective::Tweedie { .. } => {
                scores.iter_mut().for_each(|score| *score = exp(*score));
            }
            Objective::Logistic => scores.iter_mut().for_each(|score| *score = sigmoid(*score)),
            Objective::Softmax { .. } => softmax(scores),
            Objective::OneVsAll { .. } => {
                scores.iter_mut().for_each(|score| *score = sigmoid(*score));
                let sum: f64 = scores.iter().sum();
                scores.iter_mut().for_each(|score| *score /= sum);
            }
        }
    }

    pub(crate) fn check(&self) -> Result<()> {
        match *self {
            Objective::Quantile { alpha } if !(alpha > 0.0 && alpha < 1.0) => {
                Err(Error::parameter("alpha", alpha, "between 0 and 1"))
            }
            Objective::Huber { alpha } if !(alpha > 0.0 && alpha.is_finite()) => {
                Err(Error::parameter("alpha", alpha, "above 0"))
            }
            Objective::Tweedie { variance_power } if !(variance_power > 1.0 && variance_power < 2.0) => {
                Err(Error::parameter("variance_power", variance_power, "between 1 and 2"))
            }
            Objective::Softmax { n_classes } | Objective::OneVsAll { n_classes } if n_classes < 2 => {
                Err(Error::parameter("n_classes", n_classes, "2 or more"))
            }
            Objective::LambdaRank { truncation_level: 0 } => Err(Error::parameter("truncation_level", 0, "1 or more")),
            _ => Ok(()),
        }
    }

    /// What is wrong with a label, if anything.
    pub(crate) fn check_label(&self, label: f64) -> Option<String> {
        if !label.is_finite() {
            return Some(format!("the label is {label}"));
        }
        let range = match self {
            Objective::Poisson | Objective::Tweedie { .. } if label < 0.0 => "0 or more".to_string(),
            Objective::Gamma if label <= 0.0 => "above 0".to_string(),
            Objective::Logistic if !(0.0..=1.0).contains(&label) => "0 to 1".to_string(),
            Objective::Softmax { n_classes } | Objective::OneVsAll { n_classes }
                if !(label >= 0.0 && label < *n_classes as f64 && label.fract() == 0.0) =>
            {
                format!("a whole number from 0 to {}", n_classes - 1)
            }
            Objective::LambdaRank { .. } if !((0.0..=30.0).contains(&label) && label.fract() == 0.0) => {
                "a whole number from 0 to 30".to_string()
            }
            _ => return None,
        };
        Some(format!("the label is {label}, but must be {range}"))
    }

    /// The part of the residuals' distribution that a leaf's value is renewed by.
    pub(crate) fn renewal(&self) -> Option<f64> {
        match self {
            Objective::Absolute => Some(0.5),
            Objective::Quantile { alpha } => Some(*alpha),
            _ => None,
        }
    }

    /// The best constant scores for one target, from its labels and weights.
    pub(crate) fn start(&self, labels: &[f64], weights: Option<&[f64]>) -> Vec<f64> {
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row]);
        let total: f64 = (0..labels.len()).map(weight).sum();
        let mean = |of: &dyn Fn(f64) -> f64| {
            labels.iter().enumerate().map(|(row, &label)| of(label) * weight(row)).sum::<f64>() / total
        };
        let log_odds = |p: f64| {
            let p = p.clamp(1e-15, 1.0 - 1e-15);
            (p / (1.0 - p)).ln()
        };
        match *self {
            Objective::Squared | Objective::Huber { .. } => vec![mean(&|label| label)],
            Objective::Absolute | Objective::Quantile { .. } => {
                let rows: Vec<(f64, f64)> =
                    labels.iter().enumerate().map(|(row, &label)| (label, weight(row))).collect();
                vec![quantile(rows, self.renewal().unwrap_or(0.5), weights.is_some())]
            }
            Objective::Poisson | Objective::Gamma | Objective::Tweedie { .. } => {
                vec![mean(&|label| label).max(1e-15).ln()]
            }
            Objective::Logistic => vec![log_odds(mean(&|label| label))],
            Objective::Softmax { n_classes } => {
                (0..n_classes).map(|class| mean(&|label| f64::from(label == class as f64)).max(1e-15).ln()).collect()
            }
            Objective::OneVsAll { n_classes } => {
                (0..n_classes).map(|class| log_odds(mean(&|label| f64::from(label == class as f64)))).collect()
            }
            Objective::LambdaRank { .. } | Objective::Custom(_) => vec![0.0],
        }
    }
}

/// Turns scores into probabilities, in place.
pub(crate) fn softmax(scores: &mut [f64]) {
    let largest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = exp(*score - largest);
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

/// The value below which a share `alpha` of the rows lies, between two neighbours where it falls between them, as in LightGBM (and numpy); with weights the first one at which their sum exceeds the share. LightGBM takes the one before where the weight is below 1, and a mean of both above: so that its answer depends on the weights' unit.
pub(crate) fn quantile(mut rows: Vec<(f64, f64)>, alpha: f64, weighted: bool) -> f64 {
    rows.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let Some(&(last, _)) = rows.last() else { return 0.0 };
    if !weighted {
        let place = alpha * (rows.len() - 1) as f64;
        let low = (place as usize).min(rows.len() - 1);
        let high = (low + 1).min(rows.len() - 1);
        return rows[low].0 + (rows[high].0 - rows[low].0) * (place - low as f64);
    }
    let threshold = alpha * rows.iter().map(|row| row.1).sum::<f64>();
    let mut sum = 0.0;
    let above = rows.iter().find(|row| {
        sum += row.1;
        sum > threshold
    });
    above.map_or(last, |row| row.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_neighbours() {
        let rows = |values: &[f64]| values.iter().map(|&value| (value, 1.0)).collect::<Vec<_>>();
        let five = rows(&[50.0, 1.0, 0.0, 10.0, 2.0]);
        assert_eq!(quantile(five.clone(), 0.5, false), 2.0);
        assert!((quantile(five.clone(), 0.3, false) - 1.2).abs() < 1e-12);
        assert_eq!(quantile(five, 0.5, true), 2.0);
        assert_eq!(quantile(rows(&[0.0, 1.0, 2.0, 10.0]), 0.5, false), 1.5);
        assert_eq!(quantile(rows(&[3.0]), 0.9, false), 3.0);
        assert_eq!(quantile(Vec::new(), 0.9, false), 0.0);
    }
}
