//! The score of predictions for any of train's rows.

use ndarray::Array2;

use crate::competition::Competition;
use crate::error::Result;
use crate::metric::{Metric, Truth, mean_over_targets};
use crate::thresholds::{Thresholds, decode_with};

/// A competition's metric on train's own rows.
#[derive(Clone, Copy)]
pub struct Scorer<'a> {
    pub competition: &'a Competition,
    pub metric: &'a dyn Metric,
}

impl Scorer<'_> {
    /// Mean of the targets' scores on the rows given; no thresholds: by the plain decoding.
    ///
    /// `outputs`: one matrix per target, its rows those named.
    ///
    /// # Errors
    /// When the score is undefined there, or a prediction cannot be what the metric compares.
    pub fn score(&self, rows: &[u32], outputs: &[Array2<f64>], thresholds: &[Thresholds]) -> Result<f64> {
        let Scorer { competition, metric } = *self;
        let weights = self.weights(rows);
        let queries = competition.queries.as_ref();
        let queries: Option<Vec<u32>> = queries.map(|queries| rows.iter().map(|&row| queries[row as usize]).collect());
        let task = competition.task;
        mean_over_targets(competition.targets.iter().map(|column| column.name.as_str()), |target| {
            let column = &competition.targets[target];
            let positive = competition.positive(target);
            let (raw, thresholds) = (outputs[target].view(), thresholds.get(target).unwrap_or(&None));
            let decoded = decode_with(thresholds, metric.needs(), task, raw, column, positive, metric.range())?;
            let truth = Truth {
                target: &column.target.take(rows),
                labels: &column.labels,
                positive,
                n_train_labels: column.labels.len(),
                weights: weights.as_deref(),
                queries: queries.as_deref(),
            };
            metric.score(&truth, &decoded.as_prediction())
        })
    }

    /// The competition's weights of these rows.
    pub fn weights(&self, rows: &[u32]) -> Option<Vec<f64>> {
        let weights = self.competition.weights.as_ref()?;
        Some(rows.iter().map(|&row| weights[row as usize]).collect())
    }
}
