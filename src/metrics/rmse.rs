//! Root mean squared error; also what all value metrics share: the rows, checked.

use super::accuracy::{check_length, weights};
use crate::error::{Error, Result};
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::{Target, Task};

/// sqrt(sum w (y - p)^2 / sum w), in the target's unit; lower is better, 0 is perfect.
///
/// `y_true`, `y_pred`: (n_rows,). As scikit-learn's `root_mean_squared_error`.
pub struct Rmse;

impl Metric for Rmse {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("rmse", &[])?;
        Ok(Rmse)
    }

    fn about() -> About {
        About {
            formula: "sqrt(sum w (y - p)^2 / sum w)",
            aliases: &["root_mean_squared_error", "mcrmse", "mean_columnwise_rmse"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "rmse"
    }

    fn direction(&self) -> Direction {
        Direction::Minimize
    }

    fn needs(&self) -> Needs {
        Needs::Values
    }

    fn tasks(&self) -> &[Task] {
        VALUE_TASKS
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        let rows = value_rows(truth, prediction, self.range())?;
        finite(weighted_mean(&rows, |row| (row.truth - row.predicted).powi(2)).sqrt())
    }
}

/// The tasks whose targets have values.
pub const VALUE_TASKS: &[Task] = &[Task::Regression, Task::Ordinal];

/// One row of a metric that compares values.
pub struct ValueRow {
    /// Finite.
    pub truth: f64,
    /// Finite and in the metric's range.
    pub predicted: f64,
    /// Not negative; their sum is above 0.
    pub weight: f64,
}

/// The rows of a metric that compares values; classes whose labels are numbers (ordinal targets) count as these numbers.
///
/// # Errors
/// When there are no rows, lengths differ, a value is not finite or a prediction is outside `range` (naming the row), or all weights are 0.
pub fn value_rows(truth: &Truth, prediction: &Prediction, range: (f64, f64)) -> Result<Vec<ValueRow>> {
    let Prediction::Values(predicted) = prediction else {
        return Err(Error::model("this metric compares values, and was given something else"));
    };
    let truths = true_values(truth)?;
    check_length(truths.len(), predicted.len())?;
    let weights = weights(truth, truths.len())?;
    let mut rows = Vec::with_capacity(truths.len());
    for (row, ((truth, &predicted), weight)) in truths.into_iter().zip(*predicted).zip(weights).enumerate() {
        if !truth.is_finite() {
            return Err(Error::data(format!("the true value is {truth}")).row(row + 1));
        }
        check_prediction(predicted, range, row)?;
        rows.push(ValueRow { truth, predicted, weight });
    }
    Ok(rows)
}

/// The true values; of classes whose labels are numbers, these.
///
/// # Errors
/// When the labels are not numbers, or a class has none (naming the row).
pub fn true_values(truth: &Truth) -> Result<Vec<f64>> {
    let codes = match truth.target {
        Target::Values(values) => return Ok(values.clone()),
        Target::Classes { codes, .. } => codes,
    };
    let values: Option<Vec<f64>> = truth.labels.iter().map(|label| label.trim().parse().ok()).collect();
    let values =
        values.ok_or_else(|| Error::config("this metric compares values, and the target's labels are not numbers"))?;
    let of_row = |(row, &code): (usize, &u32)| {
        let value = values.get(code as usize).copied();
        value.ok_or_else(|| Error::model(format!("class number {code} has no label")).row(row + 1))
    };
    codes.iter().enumerate().map(of_row).collect()
}

/// `row` counts from 0.
///
/// # Errors
/// When the prediction is not finite or outside the closed `range`.
pub fn check_prediction(predicted: f64, (low, high): (f64, f64), row: usize) -> Result<()> {
    if !predicted.is_finite() {
        return Err(Error::model(format!("the prediction is {predicted}")).row(row + 1));
    }
    if predicted < low || predicted > high {
        return Err(Error::model(format!("the prediction {predicted:?} is outside [{low:?}, {high:?}]")).row(row + 1));
    }
    Ok(())
}

/// sum w f / sum w, summed in row order.
pub fn weighted_mean(rows: &[ValueRow], of_row: impl Fn(&ValueRow) -> f64) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for row in rows {
        sum += row.weight * of_row(row);
        total += row.weight;
    }
    sum / total
}

/// # Errors
/// When the score is too large for a number.
pub fn finite(score: f64) -> Result<f64> {
    if score.is_finite() { Ok(score) } else { Err(Error::model("the score is too large for a number")) }
}
