//! Spearman's rank correlation.

use super::order::ascending;
use super::pearson::correlation;
use super::rmse::{VALUE_TASKS, ValueRow, value_rows};
use crate::error::Result;
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// The correlation of ranks, rows of equal value sharing their mean rank; -1 to 1, higher is better.
///
/// `y_true`, `y_pred`: (n_rows,). As scipy's `spearmanr`; a row of weight 2 takes two places.
///
/// # Errors
/// When truth or prediction is constant.
pub struct Spearman;

impl Metric for Spearman {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("spearman", &[])?;
        Ok(Spearman)
    }

    fn about() -> About {
        About {
            formula: "the correlation of the ranks of y and p; equal values share their mean rank",
            undefined: "y or p is constant",
            aliases: &["spearmanr", "spearman_correlation"],
            ..About::default()
        }
    }

    fn name(&self) -> &str {
        "spearman"
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
        let mut rows = value_rows(truth, prediction, self.range())?;
        let (truths, predicted) = (ranks(&rows, |row| row.truth), ranks(&rows, |row| row.predicted));
        for ((row, truth), predicted) in rows.iter_mut().zip(truths).zip(predicted) {
            (row.truth, row.predicted) = (truth, predicted);
        }
        correlation("spearman", &rows)
    }
}

/// Ranks but for a constant, which no correlation sees: half the weight of a row's equals stands below it, half above.
fn ranks(rows: &[ValueRow], of: impl Fn(&ValueRow) -> f64) -> Vec<f64> {
    let mut ranks = vec![0.0; rows.len()];
    let mut below = 0.0;
    for equal in ascending(rows.iter().map(of)).chunk_by(|a, b| a.0 == b.0) {
        let weight: f64 = equal.iter().map(|&(_, row)| rows[row as usize].weight).sum();
        equal.iter().for_each(|&(_, row)| ranks[row as usize] = below + weight / 2.0);
        below += weight;
    }
    ranks
}
