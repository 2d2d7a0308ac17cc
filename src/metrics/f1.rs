//! The harmonic mean of precision and recall: of the positive class, or averaged over classes.

use super::accuracy::{LabelIndex, label_rows};
use crate::error::{Error, Result};
use crate::metric::{Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// 2 TP / (2 TP + FP + FN), 0 where nothing is positive, 0 to 1; higher is better.
///
/// `y_true`, `y_pred`: (n_rows,), class numbers. As scikit-learn's `f1_score` with `zero_division = 0`.
///
/// Settings: `average`: "binary" (default: the positive class alone), "macro" (mean over the union of the labels in truth and prediction), "micro" (pooled counts: the accuracy) or "weighted" (mean by the classes' weight in the truth); `positive`: the positive class's label, where it is not the competition's.
pub struct F1 {
    average: Average,
    positive: Option<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Average {
    Binary,
    Macro,
    Micro,
    Weighted,
}

const AVERAGES: [(&str, Average); 4] = [
    ("binary", Average::Binary),
    ("macro", Average::Macro),
    ("micro", Average::Micro),
    ("weighted", Average::Weighted),
];

impl Metric for F1 {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("f1", &["average", "positive"])?;
        let average = match settings.0.get("average") {
            None => Average::Binary,
            Some(value) => {
                let found = AVERAGES.iter().find(|(name, _)| value.as_str() == Some(name));
                let unknown = || {
                    Error::config(format!("metric `f1` has no average {value}"))
                        .help("it has \"binary\", \"macro\", \"micro\" and \"weighted\"")
                };
                found.ok_or_else(unknown)?.1
            }
        };
        let positive = match settings.0.get("positive") {
            None => None,
            Some(serde_json::Value::String(label)) => Some(label.clone()),
            Some(value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_))) => Some(value.to_string()),
            Some(value) => {
                return Err(Error::config(format!("metric `f1`: `positive` is {value}, which is not a label"))
                    .help("write the label of the positive class"));
            }
        };
        if positive.is_some() && average != Average::Binary {
            return Err(Error::config("metric `f1`: `positive` counts only where `average` is \"binary\"")
                .help("leave one of them out"));
        }
        Ok(F1 { average, positive })
    }

    fn name(&self) -> &str {
        "f1"
    }

    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn needs(&self) -> Needs {
        Needs::Labels
    }

    fn tasks(&self) -> &[Task] {
        match (self.average, &self.positive) {
            (Average::Binary, None) => &[Task::Binary],
            _ => &[Task::Binary, Task::Multiclass, Task::Ordinal],
        }
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        let rows = label_rows(truth, prediction)?;
        let n_classes = rows.iter().map(|row| row.truth.max(row.predicted) as usize + 1).max().unwrap_or(0);
        let mut counts = vec![Counts::default(); n_classes];
        for row in &rows {
            counts[row.truth as usize].present = true;
            counts[row.predicted as usize].present = true;
            counts[row.truth as usize].support += row.weight;
            if row.truth == row.predicted {
                counts[row.truth as usize].true_positive += row.weight;
            } else {
                counts[row.predicted as usize].false_positive += row.weight;
                counts[row.truth as usize].false_negative += row.weight;
            }
        }
        let present = || counts.iter().filter(|counts| counts.present);
        match self.average {
            Average::Binary => {
                let positive = self.positive(truth)?;
                Ok(counts.get(positive as usize).map_or(0.0, Counts::f1))
            }
            Average::Macro => Ok(present().map(Counts::f1).sum::<f64>() / present().count() as f64),
            Average::Micro => Ok(present().fold(Counts::default(), Counts::plus).f1()),
            Average::Weighted => {
                let total: f64 = present().map(|counts| counts.support).sum();
                Ok(present().map(|counts| counts.support * counts.f1()).sum::<f64>() / total)
            }
        }
    }
}

impl F1 {
    fn positive(&self, truth: &Truth) -> Result<u32> {
        match &self.positive {
            None if truth.n_train_labels > 2 => {
                Err(Error::config(format!("f1 of {} classes needs to know how to average them", truth.n_train_labels))
                    .help("set `average = \"macro\"` (or \"micro\", \"weighted\"), or name the `positive` label"))
            }
            None => Ok(truth.positive),
            Some(label) => LabelIndex::new(truth.labels).find(label).ok_or_else(|| {
                Error::config(format!("metric `f1`: no class is labelled `{label}`"))
                    .help(format!("the labels are {}", truth.labels.join(", ")))
            }),
        }
    }
}

#[derive(Clone, Default)]
struct Counts {
    /// Whether the class occurs in truth or prediction.
    present: bool,
    support: f64,
    true_positive: f64,
    false_positive: f64,
    false_negative: f64,
}

impl Counts {
    fn f1(&self) -> f64 {
        let denominator = 2.0 * self.true_positive + self.false_positive + self.false_negative;
        if denominator == 0.0 { 0.0 } else { 2.0 * self.true_positive / denominator }
    }

    fn plus(self, other: &Counts) -> Counts {
        Counts {
            present: true,
            support: self.support + other.support,
            true_positive: self.true_positive + other.true_positive,
            false_positive: self.false_positive + other.false_positive,
            false_negative: self.false_negative + other.false_negative,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::target::Target;

    #[track_caller]
    fn check(settings: serde_json::Value, labels: &[&str], y: &[u32], p: &[u32], expected: Result<f64, &str>) {
        let settings = serde_json::from_value(settings).map(Settings).unwrap();
        let labels: Vec<String> = labels.iter().map(|label| label.to_string()).collect();
        let truth = Truth {
            target: &Target::Classes { codes: y.to_vec(), n_classes: labels.len() },
            labels: &labels,
            positive: 1,
            n_train_labels: labels.len(),
            weights: None,
        };
        let score = F1::from_settings(&settings).and_then(|f1| f1.score(&truth, &Prediction::Labels(p)));
        match (score, expected) {
            (Ok(score), Ok(expected)) => assert!((score - expected).abs() < 1e-12, "{score} is not {expected}"),
            (Err(error), Err(expected)) => assert!(error.to_string().contains(expected), "{error}"),
            (score, expected) => panic!("{score:?} is not {expected:?}"),
        }
    }

    #[test]
    fn the_positive_class_can_be_named_by_what_its_label_means() {
        // f1_score([0, 0, 1, 1], [0, 1, 1, 1], pos_label=0), scikit-learn: precision 1, recall 1/2.
        check(json!({ "positive": "false" }), &["0", "1"], &[0, 0, 1, 1], &[0, 1, 1, 1], Ok(2.0 / 3.0));
        check(json!({ "positive": 0 }), &["0", "1"], &[0, 0, 1, 1], &[0, 1, 1, 1], Ok(2.0 / 3.0));
        check(json!({}), &["0", "1"], &[0, 0, 1, 1], &[0, 1, 1, 1], Ok(0.8));
    }

    #[test]
    fn settings_that_cannot_be_meant_are_refused() {
        check(json!({ "average": "mean" }), &["0", "1"], &[0], &[0], Err("no average \"mean\""));
        check(json!({ "positive": "2" }), &["0", "1"], &[0], &[0], Err("no class is labelled `2`"));
        check(json!({ "positive": [1] }), &["0", "1"], &[0], &[0], Err("not a label"));
        check(json!({ "positive": 1, "average": "macro" }), &["0", "1"], &[0], &[0], Err("leave one of them out"));
        check(json!({ "avrage": "macro" }), &["0", "1"], &[0], &[0], Err("did you mean `average`"));
        check(json!({}), &["0", "1", "2"], &[0], &[0], Err("f1 of 3 classes"));
    }
}
