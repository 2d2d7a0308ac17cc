//! True and false positives by class, and their average over classes: what precision, recall and F share.

use super::accuracy::{LabelIndex, label_rows};
use crate::error::{Error, Result};
use crate::metric::{Prediction, Settings, Truth};
use crate::target::Task;

/// What these metrics' settings mean, for people.
pub const SETTINGS: [(&str, &str); 2] = [
    (
        "average",
        "\"binary\" (the default: the positive class alone), \"macro\" (the mean over the labels in y or p), \"micro\" (pooled counts), \"weighted\" (the mean by the classes' weight in y)",
    ),
    ("positive", "the positive class's label, where it is not the competition's"),
];

/// Which classes count, and how.
pub struct Average {
    kind: Kind,
    positive: Option<String>,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Binary,
    Macro,
    Micro,
    Weighted,
}

const KINDS: [(&str, Kind); 4] =
    [("binary", Kind::Binary), ("macro", Kind::Macro), ("micro", Kind::Micro), ("weighted", Kind::Weighted)];

/// The (weighted) rows of a class.
#[derive(Clone, Default)]
pub struct Counts {
    /// Whether the class occurs in truth or prediction.
    present: bool,
    support: f64,
    pub true_positive: f64,
    pub false_positive: f64,
    pub false_negative: f64,
}

impl Average {
    /// The settings `average` and `positive`.
    ///
    /// # Errors
    /// When they are not what they can be, or do not go together.
    pub fn from_settings(metric: &str, settings: &Settings) -> Result<Average> {
        let kind = settings.choice(metric, "average", &KINDS)?;
        let positive = match settings.0.get("positive") {
            None => None,
            Some(serde_json::Value::String(label)) => Some(label.clone()),
            Some(value @ (serde_json::Value::Number(_) | serde_json::Value::Bool(_))) => Some(value.to_string()),
            Some(value) => {
                let message = format!("metric `{metric}`: `positive` is {value}, which is not a label");
                return Err(Error::config(message).help("write the label of the positive class"));
            }
        };
        if positive.is_some() && kind != Kind::Binary {
            let message = format!("metric `{metric}`: `positive` counts only where `average` is \"binary\"");
            return Err(Error::config(message).help("leave one of them out"));
        }
        Ok(Average { kind, positive })
    }

    pub fn tasks(&self) -> &'static [Task] {
        match (self.kind, &self.positive) {
            (Kind::Binary, None) => &[Task::Binary],
            _ => &[Task::Binary, Task::Multiclass, Task::Ordinal],
        }
    }

    /// `of_counts`, of the classes that count.
    ///
    /// # Errors
    /// Those of [`label_rows`]; when no class is labelled as the positive one should be, or it is not known among several.
    pub fn score(
        &self,
        metric: &str,
        truth: &Truth,
        prediction: &Prediction,
        of_counts: impl Fn(&Counts) -> f64,
    ) -> Result<f64> {
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
        match self.kind {
            Kind::Binary => {
                let positive = self.positive(metric, truth)?;
                Ok(counts.get(positive as usize).map_or(0.0, of_counts))
            }
            Kind::Macro => Ok(present().map(of_counts).sum::<f64>() / present().count() as f64),
            Kind::Micro => Ok(of_counts(&present().fold(Counts::default(), Counts::plus))),
            Kind::Weighted => {
                let total: f64 = present().map(|counts| counts.support).sum();
                Ok(present().map(|counts| counts.support * of_counts(counts)).sum::<f64>() / total)
            }
        }
    }

    fn positive(&self, metric: &str, truth: &Truth) -> Result<u32> {
        match &self.positive {
            None if truth.n_train_labels > 2 => {
                let message = format!("{metric} of {} classes needs to know how to average them", truth.n_train_labels);
                Err(Error::config(message)
                    .help("set `average = \"macro\"` (or \"micro\", \"weighted\"), or name the `positive` label"))
            }
            None => Ok(truth.positive),
            Some(label) => LabelIndex::new(truth.labels).find(label).ok_or_else(|| {
                Error::config(format!("metric `{metric}`: no class is labelled `{label}`"))
                    .help(format!("the labels are {}", truth.labels.join(", ")))
            }),
        }
    }
}

impl Counts {
    /// (1 + beta^2) TP / ((1 + beta^2) TP + beta^2 FN + FP), 0 where nothing is positive.
    pub fn f(&self, beta: f64) -> f64 {
        let square = beta * beta;
        let hits = (1.0 + square) * self.true_positive;
        share(hits, hits + square * self.false_negative + self.false_positive)
    }

    /// TP / (TP + FP), 0 where nothing is predicted positive.
    pub fn precision(&self) -> f64 {
        share(self.true_positive, self.true_positive + self.false_positive)
    }

    /// TP / (TP + FN), 0 where nothing is positive.
    pub fn recall(&self) -> f64 {
        share(self.true_positive, self.true_positive + self.false_negative)
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

fn share(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}
