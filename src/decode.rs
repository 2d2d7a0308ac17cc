//! From a model's raw output to what a metric compares: labels, probabilities, values or scores.
//!
//! Used alike for folds and for submissions, so that what is written is what was scored.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};

use crate::error::{Error, Result};
use crate::metric::{Needs, Prediction};
use crate::target::{TargetColumn, Task};

/// Predictions in the form that a metric asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded {
    /// (n_rows,), class numbers.
    Labels(Vec<u32>),
    /// (n_rows, n_classes), rows summing to 1.
    Probabilities(Array2<f64>),
    /// (n_rows,), within the metric's range.
    Values(Vec<f64>),
    /// (n_rows,).
    Scores(Vec<f64>),
    /// (n_rows,), as a submission spells them.
    Texts(Vec<String>),
    /// (n_rows,) each.
    Spread { values: Vec<f64>, sigmas: Vec<f64> },
}

impl Decoded {
    pub fn as_prediction(&self) -> Prediction<'_> {
        match self {
            Decoded::Labels(labels) => Prediction::Labels(labels),
            Decoded::Probabilities(probabilities) => Prediction::Probabilities(probabilities.view()),
            Decoded::Values(values) => Prediction::Values(values),
            Decoded::Scores(scores) => Prediction::Scores(scores),
            Decoded::Texts(texts) => Prediction::Texts(texts),
            Decoded::Spread { values, sigmas } => Prediction::Spread { values, sigmas },
        }
    }

    pub fn n_rows(&self) -> usize {
        match self {
            Decoded::Labels(labels) => labels.len(),
            Decoded::Probabilities(probabilities) => probabilities.nrows(),
            Decoded::Values(values) | Decoded::Scores(values) | Decoded::Spread { values, .. } => values.len(),
            Decoded::Texts(texts) => texts.len(),
        }
    }

    /// The same for the rows named, in their order.
    pub fn take(&self, rows: &[u32]) -> Decoded {
        fn gather<T: Clone>(values: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|&row| values[row as usize].clone()).collect()
        }
        match self {
            Decoded::Labels(labels) => Decoded::Labels(gather(labels, rows)),
            Decoded::Values(values) => Decoded::Values(gather(values, rows)),
            Decoded::Scores(scores) => Decoded::Scores(gather(scores, rows)),
            Decoded::Texts(texts) => Decoded::Texts(gather(texts, rows)),
            Decoded::Spread { values, sigmas } => {
                Decoded::Spread { values: gather(values, rows), sigmas: gather(sigmas, rows) }
            }
            Decoded::Probabilities(probabilities) => {
                let rows: Vec<usize> = rows.iter().map(|&row| row as usize).collect();
                Decoded::Probabilities(probabilities.select(Axis(0), &rows))
            }
        }
    }
}

/// Turns `raw` into what a metric with these needs compares.
///
/// `raw`: (n_rows, n_classes) probabilities in the order of the column's labels, or (n_rows, 1) values on the target's own scale. `range`: the metric's; values are clipped to it.
///
/// * Labels: the most probable class, the first on ties; binary: the positive class from a probability of 0.5; ordinal: the label nearest to the value or to the expected value, the lower on ties.
/// * Probabilities: rows divided by their sum.
/// * Values: the value, or the expected value of labels that are numbers.
/// * Scores: the probability of the positive class, or the value.
/// * Ranking: the labels of the most probable classes, best first, the first class on ties.
///
/// # Errors
/// When a prediction is not finite, a probability is negative or a row sums to 0 (naming the row); when the shape is another; when values would have to become probabilities, or labels that are not numbers values.
pub fn decode(
    needs: Needs,
    task: Task,
    raw: ArrayView2<f64>,
    column: &TargetColumn,
    positive: u32,
    range: (f64, f64),
) -> Result<Decoded> {
    if let Some(row) = raw.rows().into_iter().position(|row| row.iter().any(|value| !value.is_finite())) {
        let value = raw.row(row).iter().copied().find(|value| !value.is_finite()).unwrap_or(f64::NAN);
        return Err(Error::model(format!("the prediction is {value}")).column(&column.name).row(row + 1));
    }
    match raw_kind(task, raw, column)? {
        Raw::Values(values) => from_values(needs, task, values, column, range),
        Raw::Probabilities(probabilities) => {
            let probabilities = normalised(probabilities, column)?;
            from_probabilities(needs, task, probabilities, column, positive, range)
        }
    }
}

enum Raw<'a> {
    /// (n_rows,)
    Values(ArrayView1<'a, f64>),
    /// (n_rows, n_classes)
    Probabilities(ArrayView2<'a, f64>),
}

fn raw_kind<'a>(task: Task, raw: ArrayView2<'a, f64>, column: &TargetColumn) -> Result<Raw<'a>> {
    let n_classes = column.labels.len();
    match (task, raw.ncols()) {
        (Task::Regression | Task::Ordinal, 1) => Ok(Raw::Values(raw.index_axis_move(Axis(1), 0))),
        (Task::Binary | Task::Multiclass | Task::Ordinal, n) if n == n_classes => Ok(Raw::Probabilities(raw)),
        (_, n) => {
            let wanted = if task == Task::Regression { 1 } else { n_classes };
            let message =
                format!("the model returned {n} columns for a {} target, where {wanted} are wanted", task.name());
            Err(Error::model(message).column(&column.name))
        }
    }
}

fn from_values(
    needs: Needs,
    task: Task,
    values: ArrayView1<f64>,
    column: &TargetColumn,
    (low, high): (f64, f64),
) -> Result<Decoded> {
    match needs {
        Needs::Values => Ok(Decoded::Values(values.iter().map(|value| value.clamp(low, high)).collect())),
        Needs::Scores => Ok(Decoded::Scores(values.to_vec())),
        Needs::Labels if task == Task::Ordinal => {
            let scale = LabelScale::new(column)?;
            Ok(Decoded::Labels(values.iter().map(|&value| scale.nearest(value)).collect()))
        }
        Needs::Labels | Needs::Probabilities | Needs::Ranking(_) | Needs::Texts | Needs::Spread => {
            let message = format!("the metric compares {}, and the model predicts values", needs.name());
            Err(Error::model(message).column(&column.name))
        }
    }
}

/// `probabilities`: (n_rows, n_classes), rows summing to 1.
fn from_probabilities(
    needs: Needs,
    task: Task,
    probabilities: Array2<f64>,
    column: &TargetColumn,
    positive: u32,
    (low, high): (f64, f64),
) -> Result<Decoded> {
    let positive = positive as usize;
    match needs {
        Needs::Probabilities => Ok(Decoded::Probabilities(probabilities)),
        Needs::Scores if positive < probabilities.ncols() => {
            Ok(Decoded::Scores(probabilities.column(positive).to_vec()))
        }
        Needs::Scores => Err(Error::model("there is no positive class").column(&column.name)),
        Needs::Values => {
            let scale = LabelScale::new(column)?;
            let expected = probabilities.rows().into_iter().map(|row| scale.expected(row).clamp(low, high));
            Ok(Decoded::Values(expected.collect()))
        }
        Needs::Labels if task == Task::Ordinal => {
            let scale = LabelScale::new(column)?;
            Ok(Decoded::Labels(
                probabilities.rows().into_iter().map(|row| scale.nearest(scale.expected(row))).collect(),
            ))
        }
        Needs::Labels if task == Task::Binary && probabilities.ncols() == 2 && positive < 2 => {
            let label = |row: ArrayView1<f64>| if row[positive] >= 0.5 { positive as u32 } else { 1 - positive as u32 };
            Ok(Decoded::Labels(probabilities.rows().into_iter().map(label).collect()))
        }
        Needs::Labels => Ok(Decoded::Labels(probabilities.rows().into_iter().map(most_probable).collect())),
        Needs::Ranking(n) => rankings(probabilities.view(), n, column).map(Decoded::Texts),
        Needs::Texts | Needs::Spread => {
            let message = format!("the metric compares {}, and the model predicts probabilities", needs.name());
            Err(Error::model(message).column(&column.name))
        }
    }
}

/// The labels of the `n` most probable classes of each row, blanks between.
fn rankings(probabilities: ArrayView2<f64>, n: usize, column: &TargetColumn) -> Result<Vec<String>> {
    if let Some(label) = column.labels.iter().find(|label| label.is_empty() || label.contains(char::is_whitespace)) {
        let message = format!("the label `{label}` cannot stand in a list of labels with blanks between");
        return Err(Error::config(message).column(&column.name));
    }
    let ranking = |row: ArrayView1<f64>| {
        let mut classes: Vec<usize> = (0..row.len()).collect();
        // A stable sort: the first class on ties.
        classes.sort_by(|&a, &b| row[b].total_cmp(&row[a]));
        let labels: Vec<&str> = classes.iter().take(n).map(|&class| column.labels[class].as_str()).collect();
        labels.join(" ")
    };
    Ok(probabilities.rows().into_iter().map(ranking).collect())
}

/// Smaller negative numbers are what rounding leaves of 0.
const ROUNDING: f64 = 1e-9;

fn normalised(raw: ArrayView2<f64>, column: &TargetColumn) -> Result<Array2<f64>> {
    let mut probabilities = raw.to_owned();
    for (row, mut values) in probabilities.rows_mut().into_iter().enumerate() {
        let fault = |message: String| Error::model(message).column(&column.name).row(row + 1);
        if let Some(value) = values.iter().find(|value| **value < -ROUNDING) {
            return Err(fault(format!("the probability {value} is negative")));
        }
        values.mapv_inplace(|value| value.max(0.0));
        let sum: f64 = values.iter().sum();
        if sum <= 0.0 || !sum.is_finite() {
            return Err(fault(format!("the probabilities sum to {sum}")));
        }
        values /= sum;
    }
    Ok(probabilities)
}

/// The class of the largest probability, the first on ties.
fn most_probable(row: ArrayView1<f64>) -> u32 {
    let mut best = 0;
    for (class, &probability) in row.iter().enumerate() {
        if probability > row[best] {
            best = class;
        }
    }
    best as u32
}

/// Labels that are numbers, in ascending order.
struct LabelScale {
    /// Per class number.
    values: Vec<f64>,
    /// (value, class number).
    sorted: Vec<(f64, u32)>,
}

impl LabelScale {
    fn new(column: &TargetColumn) -> Result<LabelScale> {
        let values = column.label_values().filter(|values| values.iter().all(|value| value.is_finite()));
        let values = values.ok_or_else(|| {
            Error::config("the labels are not numbers, so that their mean is not defined").column(&column.name)
        })?;
        let mut sorted: Vec<(f64, u32)> = values.iter().zip(0..).map(|(&value, class)| (value, class)).collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
        Ok(LabelScale { values, sorted })
    }

    fn expected(&self, probabilities: ArrayView1<f64>) -> f64 {
        probabilities.iter().zip(&self.values).map(|(probability, value)| probability * value).sum()
    }

    fn nearest(&self, value: f64) -> u32 {
        let above = self.sorted.partition_point(|(label, _)| *label < value);
        match (above.checked_sub(1).map(|below| self.sorted[below]), self.sorted.get(above)) {
            (Some((below, class)), Some(&(above, _))) if value - below <= above - value => class,
            (_, Some(&(_, class))) => class,
            (Some((_, class)), None) => class,
            (None, None) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use ndarray::array;

    use super::*;
    use crate::target::Target;

    const ANY: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

    fn column(labels: &[&str]) -> TargetColumn {
        let labels: Vec<String> = labels.iter().map(|label| label.to_string()).collect();
        let target = Target::Classes { codes: vec![0], n_classes: labels.len() };
        TargetColumn { name: "y".into(), target, labels: Arc::new(labels) }
    }

    #[track_caller]
    fn check(needs: Needs, task: Task, labels: &[&str], positive: u32, raw: Array2<f64>, expected: Decoded) {
        assert_eq!(decode(needs, task, raw.view(), &column(labels), positive, ANY).unwrap(), expected);
    }

    #[track_caller]
    fn check_error(needs: Needs, task: Task, labels: &[&str], raw: Array2<f64>, row: Option<u64>, words: &str) {
        let error = decode(needs, task, raw.view(), &column(labels), 1, ANY).unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(error.row, row);
    }

    #[test]
    fn a_binary_label_is_the_positive_class_from_one_half() {
        let raw = array![[0.5, 0.5], [0.51, 0.49], [0.2, 0.8]];
        check(Needs::Labels, Task::Binary, &["no", "yes"], 1, raw.clone(), Decoded::Labels(vec![1, 0, 1]));
        check(Needs::Labels, Task::Binary, &["no", "yes"], 0, raw, Decoded::Labels(vec![0, 0, 1]));
    }

    #[test]
    fn a_label_is_the_first_of_the_most_probable_classes() {
        let raw = array![[0.4, 0.4, 0.2], [0.1, 0.2, 0.7]];
        check(Needs::Labels, Task::Multiclass, &["a", "b", "c"], 0, raw, Decoded::Labels(vec![0, 2]));
    }

    #[test]
    fn an_ordinal_value_becomes_the_nearest_label_that_exists() {
        let raw = array![[-7.0], [3.4], [5.5], [6.6], [99.0], [4.0]];
        check(Needs::Labels, Task::Ordinal, &["3", "5", "8"], 0, raw, Decoded::Labels(vec![0, 0, 1, 2, 2, 0]));
    }

    #[test]
    fn ordinal_probabilities_become_the_label_nearest_to_the_mean() {
        let raw = array![[0.4, 0.2, 0.4]];
        check(Needs::Labels, Task::Ordinal, &["1", "2", "3"], 0, raw.clone(), Decoded::Labels(vec![1]));
        check(Needs::Values, Task::Ordinal, &["1", "2", "3"], 0, raw, Decoded::Values(vec![2.0]));
    }

    #[test]
    fn probabilities_are_divided_by_their_sum() {
        let raw = array![[1.0, 3.0], [-1e-17, 2.0]];
        let expected = Decoded::Probabilities(array![[0.25, 0.75], [0.0, 1.0]]);
        check(Needs::Probabilities, Task::Binary, &["0", "1"], 1, raw.clone(), expected);
        check(Needs::Scores, Task::Binary, &["0", "1"], 1, raw, Decoded::Scores(vec![0.75, 1.0]));
    }

    #[test]
    fn values_are_clipped_to_the_range() {
        let raw = array![[-1.0], [2.0]];
        let decoded = decode(Needs::Values, Task::Regression, raw.view(), &column(&[]), 0, (0.0, 1.5)).unwrap();
        assert_eq!(decoded, Decoded::Values(vec![0.0, 1.5]));
    }

    #[test]
    fn what_is_not_a_prediction_is_an_error_that_names_the_row() {
        check_error(Needs::Values, Task::Regression, &[], array![[1.0], [f64::NAN]], Some(2), "the prediction is NaN");
        let infinite = array![[f64::INFINITY, 0.0]];
        check_error(Needs::Labels, Task::Binary, &["0", "1"], infinite, Some(1), "the prediction is inf");
        check_error(Needs::Scores, Task::Binary, &["0", "1"], array![[0.0, 0.0]], Some(1), "sum to 0");
        check_error(Needs::Scores, Task::Binary, &["0", "1"], array![[-0.5, 1.5]], Some(1), "negative");
        check_error(Needs::Scores, Task::Binary, &["0", "1"], array![[1.0]], None, "1 columns");
        check_error(Needs::Probabilities, Task::Ordinal, &["1", "2"], array![[1.0]], None, "predicts values");
        check_error(Needs::Values, Task::Multiclass, &["a", "b"], array![[1.0, 0.0]], None, "not numbers");
    }
}
