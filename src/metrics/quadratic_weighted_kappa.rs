//! Cohen's kappa with squared distances, for labels that are numbers.
//!
//! Kaggle weighs by the labels' values, scikit-learn by their position among the labels that happen to be present: the two differ where a label is missing from both sides.

use super::accuracy::{LabelRow, label_rows};
use crate::error::{Error, Result};
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// 1 - sum w (y - p)^2 / (the same, expected if y and p were independent), at most 1; higher is better, 0 is chance.
///
/// `y_true`, `y_pred`: (n_rows,), class numbers.
///
/// Settings: `labels`: left out, distances are those of the labels' values over train's full range; `[low, high]`: the same, and a label outside is an error; `"present"`: distances count the labels present, as scikit-learn's `cohen_kappa_score(weights="quadratic")`. Where train's labels are unknown, the labels present count.
///
/// # Errors
/// When truth and prediction hold one and the same label only: 0 / 0.
pub struct QuadraticWeightedKappa {
    labels: Labels,
}

enum Labels {
    Train,
    Range(f64, f64),
    Present,
}

impl Metric for QuadraticWeightedKappa {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("quadratic_weighted_kappa", &["labels"])?;
        let Some(value) = settings.0.get("labels") else { return Ok(QuadraticWeightedKappa { labels: Labels::Train }) };
        let ends: Option<Vec<f64>> = value.as_array().and_then(|ends| ends.iter().map(|end| end.as_f64()).collect());
        let labels = match (value.as_str(), ends.as_deref()) {
            (Some("present"), _) => Labels::Present,
            (_, Some(&[low, high])) if low < high => Labels::Range(low, high),
            _ => {
                let message = format!("metric `quadratic_weighted_kappa`: `labels` is {value}");
                return Err(
                    Error::config(message).help("write the lowest and the highest label, as [1, 5], or \"present\"")
                );
            }
        };
        Ok(QuadraticWeightedKappa { labels })
    }

    fn about() -> About {
        About {
            formula: "1 - sum w (y - p)^2 / (the same, expected of independent y and p)",
            undefined: "y and p hold one and the same label: 0 / 0",
            settings: &[(
                "labels",
                "left out: distances of the labels' values over train's full range; [low, high]: the same, and a label outside is an error; \"present\": distances count the labels present, as scikit-learn does",
            )],
            aliases: &["qwk"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "quadratic_weighted_kappa"
    }

    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn needs(&self) -> Needs {
        Needs::Labels
    }

    fn tasks(&self) -> &[Task] {
        &[Task::Ordinal, Task::Multiclass, Task::Binary]
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        let rows = label_rows(truth, prediction)?;
        let n_classes = rows.iter().map(|row| row.truth.max(row.predicted) as usize + 1).max().unwrap_or(0);
        let positions = match self.labels {
            Labels::Present => positions(truth, &rows, n_classes),
            Labels::Train if truth.n_train_labels == 0 => positions(truth, &rows, n_classes),
            Labels::Train => values(truth, n_classes)?,
            Labels::Range(low, high) => {
                let values = values(truth, n_classes)?;
                let outside = |code: u32| values[code as usize] < low || values[code as usize] > high;
                if let Some(row) = rows.iter().position(|row| outside(row.truth) || outside(row.predicted)) {
                    return Err(Error::data(format!("a label is outside [{low}, {high}]")).row(row + 1));
                }
                values
            }
        };
        let distance = |a: usize, b: usize| (positions[a] - positions[b]).powi(2);
        let (mut true_weights, mut predicted_weights) = (vec![0.0; positions.len()], vec![0.0; positions.len()]);
        let (mut observed, mut total) = (0.0, 0.0);
        for row in &rows {
            let (truth, predicted) = (row.truth as usize, row.predicted as usize);
            observed += row.weight * distance(truth, predicted);
            total += row.weight;
            true_weights[truth] += row.weight;
            predicted_weights[predicted] += row.weight;
        }
        let mut expected = 0.0;
        for (a, &true_weight) in true_weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
            for (b, &predicted_weight) in predicted_weights.iter().enumerate() {
                expected += true_weight * predicted_weight * distance(a, b);
            }
        }
        if expected == 0.0 {
            return Err(Error::data(
                "quadratic_weighted_kappa is undefined: truth and prediction hold one and the same label",
            ));
        }
        Ok(1.0 - observed * total / expected)
    }
}

/// The labels as numbers, one a class; there are at least `n_classes`.
fn values(truth: &Truth, n_classes: usize) -> Result<Vec<f64>> {
    if truth.labels.len() < n_classes {
        return Err(Error::model(format!("{n_classes} classes, but {} labels", truth.labels.len())));
    }
    let value = |label: &String| {
        let number = label.trim().parse::<f64>().ok().filter(|value| value.is_finite());
        number.ok_or_else(|| {
            Error::config(format!("quadratic_weighted_kappa: the label `{label}` is not a number"))
                .help("`labels = \"present\"` under [metric] takes labels in their order instead")
        })
    };
    truth.labels.iter().map(value).collect()
}

/// Positions among the labels present in truth or prediction, one a class, in the order of their values where all are numbers.
fn positions(truth: &Truth, rows: &[LabelRow], n_classes: usize) -> Vec<f64> {
    let mut present = vec![false; n_classes];
    for row in rows {
        present[row.truth as usize] = true;
        present[row.predicted as usize] = true;
    }
    let mut order: Vec<usize> = (0..n_classes).filter(|&class| present[class]).collect();
    if let Ok(values) = values(truth, n_classes) {
        order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    }
    let mut positions = vec![0.0; n_classes];
    for (position, &class) in order.iter().enumerate() {
        positions[class] = position as f64;
    }
    positions
}
