//! What is to be predicted: class numbers or real values, one target at a time.
//!
//! A competition may have several targets; models never see more than one, the harness fits one after the other.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The kind of question a competition asks of each of its targets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    Binary,
    Multiclass,
    Regression,
    /// Classes that are whole numbers with an order (1 to 5 stars): fitted as values where a model can, as classes where not.
    Ordinal,
    /// A text a row, or labels with blanks between: graded, but fitted by no model. Each text is held as a class of its own.
    Text,
}

impl Task {
    pub fn name(self) -> &'static str {
        match self {
            Task::Binary => "binary",
            Task::Multiclass => "multiclass",
            Task::Regression => "regression",
            Task::Ordinal => "ordinal",
            Task::Text => "text",
        }
    }
}

/// One target as a model sees it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Target {
    /// Class numbers, each below `n_classes`; a class may be absent from the rows at hand.
    Classes { codes: Vec<u32>, n_classes: usize },
    /// Finite real values.
    Values(Vec<f64>),
}

impl Target {
    pub fn n_rows(&self) -> usize {
        match self {
            Target::Classes { codes, .. } => codes.len(),
            Target::Values(values) => values.len(),
        }
    }

    /// Columns that a predictor returns: one probability per class, or one value.
    pub fn n_outputs(&self) -> usize {
        match self {
            Target::Classes { n_classes, .. } => *n_classes,
            Target::Values(_) => 1,
        }
    }

    /// The same target for the rows named, in their order.
    pub fn take(&self, rows: &[u32]) -> Target {
        match self {
            Target::Classes { codes, n_classes } => {
                Target::Classes { codes: rows.iter().map(|&row| codes[row as usize]).collect(), n_classes: *n_classes }
            }
            Target::Values(values) => Target::Values(rows.iter().map(|&row| values[row as usize]).collect()),
        }
    }
}

/// A named target of a competition, with the labels of its classes in train's spelling.
#[derive(Clone, Debug)]
pub struct TargetColumn {
    pub name: String,
    pub target: Target,
    /// One label per class number, in numeric order where all are numbers, else in byte order; empty for values.
    pub labels: Arc<Vec<String>>,
}

impl TargetColumn {
    /// The labels as numbers, where every one is (ordinal targets).
    pub fn label_values(&self) -> Option<Vec<f64>> {
        let values: Option<Vec<f64>> = self.labels.iter().map(|label| label.trim().parse().ok()).collect();
        values.filter(|values| !values.is_empty())
    }
}
