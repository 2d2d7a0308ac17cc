//! How a competition keeps score: the metric's contract and what the harness hands it.
//!
//! A metric says what it needs (labels, probabilities, values, scores); the harness turns whatever a model predicts into that.

use std::collections::BTreeMap;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

pub use medalist_search::Direction;

use crate::error::{Error, Result};
use crate::target::{Target, Task};

/// What a metric compares with the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// One class number a row.
    Labels,
    /// One probability per class a row, rows summing to 1.
    Probabilities,
    /// One real value a row, on the target's own scale.
    Values,
    /// One real number a row, of which only the order counts (larger: more likely the positive class).
    Scores,
}

/// The scale on which the target is fitted; predictions are turned back before they are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetScale {
    #[default]
    Identity,
    /// ln(y): targets above 0.
    Log,
    /// ln(1 + y): targets above -1.
    Log1p,
}

/// The true values of the rows scored.
#[derive(Clone, Copy)]
pub struct Truth<'a> {
    /// Classes for labels, probabilities and scores; values for values.
    pub target: &'a Target,
    /// The labels of the classes as train spells them; empty for values. Positions beyond train's own labels may follow for labels that only a solution or a submission holds.
    pub labels: &'a [String],
    /// The class that counts as positive for binary metrics.
    pub positive: u32,
    /// How many of `labels` are train's: metrics that weigh by the full range of labels use these. 0 where unknown: then the labels present count.
    pub n_train_labels: usize,
    /// One non-negative weight a row.
    pub weights: Option<&'a [f64]>,
}

/// The predictions of the rows scored, in the form that [`Metric::needs`] names.
#[derive(Clone, Copy)]
pub enum Prediction<'a> {
    /// (n_rows,), class numbers.
    Labels(&'a [u32]),
    /// (n_rows, n_classes), in the order of `Truth::labels`.
    Probabilities(ArrayView2<'a, f64>),
    /// (n_rows,).
    Values(&'a [f64]),
    /// (n_rows,).
    Scores(&'a [f64]),
}

/// A competition's scoring function.
pub trait Metric: Send + Sync {
    /// Builds the metric from `[metric]` of `competition.toml`, the name left out.
    ///
    /// # Errors
    /// When a setting is unknown (naming the nearest known one) or out of range.
    fn from_settings(settings: &Settings) -> Result<Self>
    where
        Self: Sized;

    /// The name in `competition.toml`: scikit-learn's and Kaggle's.
    fn name(&self) -> &str;

    fn direction(&self) -> Direction;

    fn needs(&self) -> Needs;

    /// The tasks it can score.
    fn tasks(&self) -> &[Task];

    /// The scale on which models should fit the target, unless the competition says otherwise.
    fn target_scale(&self) -> TargetScale {
        TargetScale::Identity
    }

    /// The closed range in which predictions are defined; the harness clips to it, `validate` refuses what lies outside.
    fn range(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, f64::INFINITY)
    }

    /// # Errors
    /// When the score is undefined (one class only, all weights 0, a prediction outside the range): the message names the row (1-based) where there is one. Never NaN.
    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64>;
}

/// A metric's settings, as written in `competition.toml`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings(pub BTreeMap<String, serde_json::Value>);

impl Settings {
    /// # Errors
    /// When there is a key that is not among `known`.
    pub fn only(&self, metric: &str, known: &[&str]) -> Result<()> {
        for key in self.0.keys() {
            if !known.contains(&key.as_str()) {
                let error = Error::config(format!("metric `{metric}` has no setting `{key}`"));
                let help = match crate::nearest(key, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if known.is_empty() => "it has none".to_string(),
                    None => format!("it has {}", known.join(", ")),
                };
                return Err(error.help(help));
            }
        }
        Ok(())
    }
}
