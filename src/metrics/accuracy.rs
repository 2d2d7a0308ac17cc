//! Share of rows whose label is right; also what all label metrics share: the rows, and labels compared as typed values.

use std::collections::HashMap;

use crate::error::{Error, Result};
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::{Target, Task};

/// Weighted share of rows with `y_pred == y_true`, 0 to 1; higher is better.
///
/// `y_true`, `y_pred`: (n_rows,), class numbers. As scikit-learn's `accuracy_score`.
pub struct Accuracy;

impl Metric for Accuracy {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("accuracy", &[])?;
        Ok(Accuracy)
    }

    fn about() -> About {
        About {
            formula: "sum w [y = p] / sum w",
            aliases: &["accuracy_score", "categorization_accuracy"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "accuracy"
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
        let (mut right, mut total) = (0.0, 0.0);
        for row in &rows {
            total += row.weight;
            if row.truth == row.predicted {
                right += row.weight;
            }
        }
        Ok(right / total)
    }
}

/// One row of a metric that compares labels.
pub struct LabelRow {
    /// Class number.
    pub truth: u32,
    /// Class number.
    pub predicted: u32,
    /// Not negative; their sum is above 0.
    pub weight: f64,
}

/// The rows of a metric that compares labels.
///
/// # Errors
/// When there are no rows, lengths differ, a class number has no label (naming the row), or all weights are 0.
pub fn label_rows(truth: &Truth, prediction: &Prediction) -> Result<Vec<LabelRow>> {
    let (Target::Classes { codes, n_classes }, Prediction::Labels(predicted)) = (truth.target, prediction) else {
        return Err(Error::model("this metric compares labels, and was given something else"));
    };
    check_length(codes.len(), predicted.len())?;
    let n_labels = truth.labels.len().max(*n_classes);
    let weights = weights(truth, codes.len())?;
    let mut rows = Vec::with_capacity(codes.len());
    for (row, ((&truth, &predicted), weight)) in codes.iter().zip(*predicted).zip(weights).enumerate() {
        for code in [truth, predicted] {
            if code as usize >= n_labels {
                let message = format!("class number {code} is not below the number of classes, {n_labels}");
                return Err(Error::model(message).row(row + 1));
            }
        }
        rows.push(LabelRow { truth, predicted, weight });
    }
    Ok(rows)
}

/// # Errors
/// When there is no row, or the lengths differ.
pub fn check_length(n_truths: usize, n_predictions: usize) -> Result<()> {
    if n_truths != n_predictions {
        return Err(Error::model(format!("{n_truths} true values, but {n_predictions} predictions")));
    }
    if n_truths == 0 {
        return Err(Error::model("the score of no rows is undefined"));
    }
    Ok(())
}

/// One weight a row: 1 where none are given.
///
/// # Errors
/// When a weight is negative or not finite (naming the row), all are 0, or their number is not `n_rows`.
pub fn weights(truth: &Truth, n_rows: usize) -> Result<Vec<f64>> {
    let Some(weights) = truth.weights else { return Ok(vec![1.0; n_rows]) };
    if weights.len() != n_rows {
        return Err(Error::model(format!("{n_rows} rows, but {} weights", weights.len())));
    }
    if let Some(row) = weights.iter().position(|weight| !weight.is_finite() || *weight < 0.0) {
        return Err(Error::data(format!("weight {} is negative or not finite", weights[row])).row(row + 1));
    }
    if weights.iter().all(|&weight| weight == 0.0) {
        return Err(Error::data("the score is undefined: all weights are 0"));
    }
    Ok(weights.to_vec())
}

/// Finds labels by what they mean: `True` is `true` is `1`, `1.0` is `1`, blanks around do not count.
///
/// A label spelled exactly as typed always wins; two labels that mean the same (`1` and `1.0` both in train) are told apart by spelling alone.
pub struct LabelIndex<'a> {
    exact: HashMap<&'a str, u32>,
    /// None where several labels mean the same.
    meanings: HashMap<Meaning, Option<u32>>,
}

#[derive(PartialEq, Eq, Hash)]
enum Meaning {
    /// The bits of a finite number, 0 without its sign.
    Number(u64),
    Text(String),
}

impl<'a> LabelIndex<'a> {
    pub fn new(labels: &'a [String]) -> LabelIndex<'a> {
        let mut index = LabelIndex { exact: HashMap::new(), meanings: HashMap::new() };
        for (code, label) in labels.iter().enumerate() {
            let code = code as u32;
            index.exact.entry(label).or_insert(code);
            index.meanings.entry(meaning(label)).and_modify(|found| *found = None).or_insert(Some(code));
        }
        index
    }

    /// The class number of the label that `text` spells or means.
    pub fn find(&self, text: &str) -> Option<u32> {
        match self.exact.get(text) {
            Some(&code) => Some(code),
            None => self.meanings.get(&meaning(text)).copied().flatten(),
        }
    }
}

fn meaning(text: &str) -> Meaning {
    let text = text.trim();
    let number = if text.eq_ignore_ascii_case("true") {
        Some(1.0)
    } else if text.eq_ignore_ascii_case("false") {
        Some(0.0)
    } else {
        text.parse::<f64>().ok().filter(|number| number.is_finite())
    };
    match number {
        // -0 + 0 is 0.
        Some(number) => Meaning::Number((number + 0.0).to_bits()),
        None => Meaning::Text(text.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(labels: &[&str], text: &str, expected: Option<u32>) {
        let labels: Vec<String> = labels.iter().map(|label| label.to_string()).collect();
        assert_eq!(LabelIndex::new(&labels).find(text), expected, "`{text}` among {labels:?}");
    }

    #[test]
    fn labels_are_found_by_what_they_mean() {
        for text in ["True", "true", "TRUE", "1", "1.0", " 1 ", "1e0"] {
            check(&["False", "True"], text, Some(1));
            check(&["0", "1"], text, Some(1));
        }
        check(&["0", "1"], "-0.0", Some(0));
        check(&["Adelie", "Gentoo"], " Gentoo", Some(1));
    }

    #[test]
    fn labels_that_mean_nothing_known_are_not_found() {
        for text in ["", "2", "nan", "inf", "adelie", "0.5"] {
            check(&["0", "1", "Adelie"], text, None);
        }
    }

    #[test]
    fn labels_that_mean_the_same_are_told_apart_by_spelling() {
        check(&["1", "1.0"], "1", Some(0));
        check(&["1", "1.0"], "1.0", Some(1));
        check(&["1", "1.0"], "1.00", None);
    }
}
