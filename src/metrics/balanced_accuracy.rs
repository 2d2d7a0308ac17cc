//! Mean recall over the classes that occur in the truth.
//!
//! A class that is only predicted does not count: it has no recall.

use super::accuracy::label_rows;
use crate::error::Result;
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// Mean over the classes present in `y_true` of the weighted share of their rows that is right, 0 to 1; higher is better.
///
/// `y_true`, `y_pred`: (n_rows,), class numbers. As scikit-learn's `balanced_accuracy_score`.
pub struct BalancedAccuracy;

impl Metric for BalancedAccuracy {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("balanced_accuracy", &[])?;
        Ok(BalancedAccuracy)
    }

    fn about() -> About {
        About {
            formula: "the mean over the classes in y of the share of their rows that is right",
            aliases: &["balanced_accuracy_score"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "balanced_accuracy"
    }

    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn needs(&self) -> Needs {
        Needs::Labels
    }

    fn tasks(&self) -> &[Task] {
        &[Task::Binary, Task::Multiclass, Task::Ordinal]
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        let rows = label_rows(truth, prediction)?;
        let n_classes = rows.iter().map(|row| row.truth as usize + 1).max().unwrap_or(0);
        let (mut right, mut total) = (vec![0.0; n_classes], vec![0.0; n_classes]);
        for row in &rows {
            total[row.truth as usize] += row.weight;
            if row.truth == row.predicted {
                right[row.truth as usize] += row.weight;
            }
        }
        let recalls: Vec<f64> =
            right.iter().zip(&total).filter(|(_, total)| **total > 0.0).map(|(right, total)| right / total).collect();
        Ok(recalls.iter().sum::<f64>() / recalls.len() as f64)
    }
}
