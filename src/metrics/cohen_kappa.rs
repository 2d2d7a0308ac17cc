//! Cohen's kappa: agreement beyond chance, every confusion as bad as another.

use super::accuracy::label_rows;
use crate::error::{Error, Result};
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// 1 - (share of rows that differ) / (the same, expected if y and p were independent), at most 1; higher is better, 0 is chance.
///
/// `y_true`, `y_pred`: (n_rows,), class numbers. As scikit-learn's `cohen_kappa_score`.
///
/// # Errors
/// When truth and prediction hold one and the same label only: 0 / 0.
pub struct CohenKappa;

impl Metric for CohenKappa {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("cohen_kappa", &[])?;
        Ok(CohenKappa)
    }

    fn about() -> About {
        About {
            formula: "1 - (share of rows with y other than p) / (the share expected of independent y and p)",
            undefined: "y and p hold one and the same label: 0 / 0",
            aliases: &["cohen_kappa_score", "kappa"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "cohen_kappa"
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
        let (mut wrong, mut total) = (0.0, 0.0);
        for row in &rows {
            truths[row.truth as usize] += row.weight;
            predicted[row.predicted as usize] += row.weight;
            total += row.weight;
            if row.truth != row.predicted {
                wrong += row.weight;
            }
        }
        let expected: f64 = truths.iter().zip(&predicted).map(|(truth, predicted)| truth * (total - predicted)).sum();
        if expected == 0.0 {
            return Err(Error::data("cohen_kappa is undefined: truth and prediction hold one and the same label"));
        }
        Ok(1.0 - wrong * total / expected)
    }
}
