//! Matthews correlation coefficient: the correlation of classes, for two or more.

use super::accuracy::label_rows;
use crate::error::Result;
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// Of two classes, (TP TN - FP FN) / sqrt((TP + FP)(TP + FN)(TN + FP)(TN + FN)); of more, Gorodkin's R_K. -1 to 1, higher is better; 0 where the denominator is.
///
/// `y_true`, `y_pred`: (n_rows,), class numbers. As scikit-learn's `matthews_corrcoef`.
pub struct Mcc;

impl Metric for Mcc {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("mcc", &[])?;
        Ok(Mcc)
    }

    fn about() -> About {
        About {
            formula: "(TP TN - FP FN) / sqrt((TP + FP)(TP + FN)(TN + FP)(TN + FN)), x / 0 being 0; of several classes, R_K",
            aliases: &["matthews_corrcoef", "matthews_correlation"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "mcc"
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
        let n_classes = rows.iter().map(|row| row.truth.max(row.predicted) as usize + 1).max().unwrap_or(0);
        let (mut truths, mut predicted) = (vec![0.0; n_classes], vec![0.0; n_classes]);
        let (mut right, mut total) = (0.0, 0.0);
        for row in &rows {
            truths[row.truth as usize] += row.weight;
            predicted[row.predicted as usize] += row.weight;
            total += row.weight;
            if row.truth == row.predicted {
                right += row.weight;
            }
        }
        // As shares of all rows, so that no square is too large for a number.
        let product = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| (a / total) * (b / total)).sum() };
        let one = |shares: &[f64]| shares.contains(&total);
        if one(&truths) || one(&predicted) {
            return Ok(0.0);
        }
        let spread = (1.0 - product(&predicted, &predicted)) * (1.0 - product(&truths, &truths));
        Ok(((right / total - product(&truths, &predicted)) / spread.sqrt()).clamp(-1.0, 1.0))
    }
}
