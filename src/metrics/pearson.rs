//! Pearson's correlation of values and predictions; also the correlation that `spearman` takes of ranks.
//!
//! A constant has no correlation: Kaggle and scipy print NaN there, here it is an error.

use super::rmse::{VALUE_TASKS, ValueRow, finite, value_rows, weighted_mean};
use crate::error::{Error, Result};
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// sum w (y - my)(p - mp) / sqrt(sum w (y - my)^2 sum w (p - mp)^2), my and mp the weighted means; -1 to 1, higher is better.
///
/// `y_true`, `y_pred`: (n_rows,). As scipy's `pearsonr`.
///
/// # Errors
/// When truth or prediction is constant.
pub struct Pearson;

impl Metric for Pearson {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("pearson", &[])?;
        Ok(Pearson)
    }

    fn about() -> About {
        About {
            formula: "sum w (y - my)(p - mp) / sqrt(sum w (y - my)^2 sum w (p - mp)^2), my and mp the means",
            undefined: "y or p is constant",
            aliases: &["pearsonr", "pearson_correlation"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "pearson"
    }

    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn needs(&self) -> Needs {
        Needs::Values
    }

    fn tasks(&self) -> &[Task] {
        VALUE_TASKS
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        correlation("pearson", &value_rows(truth, prediction, self.range())?)
    }
}

/// The weighted correlation of the rows' two values.
///
/// # Errors
/// When one of them is constant among the rows that have a weight.
pub fn correlation(metric: &str, rows: &[ValueRow]) -> Result<f64> {
    let constant = |what: &str| Err(Error::model(format!("{metric} is undefined: all {what} are the same")));
    // Not by a variance of 0: the mean of equal numbers need not be that number.
    let differ = |of: fn(&ValueRow) -> f64| {
        let mut counted = rows.iter().filter(|row| row.weight > 0.0).map(of);
        let first = counted.next();
        counted.any(|value| Some(value) != first)
    };
    if !differ(|row| row.truth) {
        return constant("true values");
    }
    if !differ(|row| row.predicted) {
        return constant("predictions");
    }
    let (truth, predicted) = (weighted_mean(rows, |row| row.truth), weighted_mean(rows, |row| row.predicted));
    let both = weighted_mean(rows, |row| (row.truth - truth) * (row.predicted - predicted));
    let squares = weighted_mean(rows, |row| (row.truth - truth).powi(2)).sqrt();
    let squares = squares * weighted_mean(rows, |row| (row.predicted - predicted).powi(2)).sqrt();
    if squares == 0.0 {
        return Err(Error::model(format!("{metric} is undefined: the values differ by less than can be squared")));
    }
    finite((both / squares).clamp(-1.0, 1.0))
}
