//! Area under the curve of each class against the others, averaged over classes.

use super::log_loss::for_each_row;
use super::order::ascending;
use super::roc_auc::area;
use crate::error::{Error, Result};
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// The mean over classes of the `roc_auc` of a class's probability against all others; 0 to 1, higher is better, 0.5 is chance.
///
/// `y_true`: (n_rows,), class numbers. `y_pred`: (n_rows, n_classes); rows are divided by their sum. As scikit-learn's `roc_auc_score(multi_class="ovr")`.
///
/// Settings: `average`: "macro" (default: each class weighs the same) or "weighted" (by the classes' weight in the truth).
///
/// # Errors
/// When a class has no row, or all of them: its label is named.
pub struct RocAucOvr {
    average: Average,
}

impl Metric for RocAucOvr {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("roc_auc_ovr", &["average"])?;
        let averages = [("macro", Average::Macro), ("weighted", Average::Weighted)];
        Ok(RocAucOvr { average: settings.choice("roc_auc_ovr", "average", &averages)? })
    }

    fn about() -> About {
        About {
            formula: "the mean over classes of roc_auc of a class's probability against all others",
            undefined: "a class has no row, or all of them: its label is named",
            settings: &[(
                "average",
                "\"macro\" (the default: each class weighs the same) or \"weighted\" (by the classes' weight in y)",
            )],
            aliases: &["roc_auc_ovr_macro"],
            presets: &[("roc_auc_ovr_weighted", &[("average", "\"weighted\"")])],
        }
    }

    fn name(&self) -> &str {
        "roc_auc_ovr"
    }

    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn needs(&self) -> Needs {
        Needs::Probabilities
    }

    fn tasks(&self) -> &[Task] {
        &[Task::Multiclass, Task::Binary, Task::Ordinal]
    }

    fn range(&self) -> (f64, f64) {
        (0.0, 1.0)
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        let n_classes = match prediction {
            Prediction::Probabilities(probabilities) => probabilities.ncols(),
            _ => 0,
        };
        let mut scores: Vec<Vec<f64>> = vec![Vec::new(); n_classes];
        let (mut classes, mut weights) = (Vec::new(), Vec::new());
        for_each_row(truth, prediction, |class, probabilities, weight| {
            scores.iter_mut().zip(probabilities).for_each(|(scores, &probability)| scores.push(probability));
            classes.push(class);
            weights.push(weight);
        })?;
        let (mut sum, mut total) = (0.0, 0.0);
        for (class, scores) in scores.into_iter().enumerate() {
            let is_positive: Vec<bool> = classes.iter().map(|&of| of == class).collect();
            let area = area(&ascending(scores.into_iter()), &is_positive, &weights).map_err(|only| {
                let label = truth.labels.get(class).map_or_else(|| class.to_string(), |label| format!("`{label}`"));
                let rows = if only == "positive" { "no row" } else { "all rows" };
                Error::data(format!("roc_auc_ovr is undefined: {rows} are of class {label}"))
            })?;
            let weight = match self.average {
                Average::Macro => 1.0,
                Average::Weighted => {
                    classes.iter().zip(&weights).filter(|(of, _)| **of == class).map(|(_, weight)| weight).sum()
                }
            };
            sum += weight * area;
            total += weight;
        }
        Ok(sum / total)
    }
}

#[derive(Clone, Copy)]
enum Average {
    Macro,
    Weighted,
}
