//! The score of all folds together, where labels are cut by thresholds: each fold is cut by those that the others teach.

use ndarray::Array2;

use super::Evaluation;
use super::objective::FoldPredictions;
use crate::error::{Error, Result};
use crate::thresholds::{self, Thresholds};

impl Evaluation<'_> {
    /// The mean over the folds of their scores, each with the thresholds that are best on the rows which that fold does not score. None where no thresholds are learned, or there is nothing to learn them from.
    ///
    /// With repeats, a row of the fold is left out of the other folds too: its label must not be seen there either.
    pub(super) fn cross_fitted(&self, folds: &[&FoldPredictions]) -> Result<Option<f64>> {
        if !thresholds::are_learned(self.competition, self.metric.as_ref()) || folds.len() < 2 {
            return Ok(None);
        }
        let mut sum = 0.0;
        for (number, fold) in folds.iter().enumerate() {
            let learned = self.learned_beside(folds, number)?;
            sum += self.score(&fold.rows, &fold.outputs, &learned)?;
        }
        Ok(Some(sum / folds.len() as f64))
    }

    /// Each target's thresholds from the folds beside one.
    fn learned_beside(&self, folds: &[&FoldPredictions], left_out: usize) -> Result<Vec<Thresholds>> {
        let mut is_left_out = vec![false; self.competition.features.n_rows()];
        folds[left_out].rows.iter().for_each(|&row| is_left_out[row as usize] = true);
        let others = || folds.iter().enumerate().filter(|(number, _)| *number != left_out).map(|(_, fold)| fold);
        let learn = |target: usize| {
            let (mut rows, mut outputs, mut n_outputs) = (Vec::new(), Vec::new(), 0);
            for fold in others() {
                n_outputs = fold.outputs[target].ncols();
                let kept = fold.rows.iter().zip(fold.outputs[target].rows());
                for (&row, output) in kept.filter(|(row, _)| !is_left_out[**row as usize]) {
                    rows.push(row);
                    outputs.extend(output);
                }
            }
            if rows.is_empty() {
                return Ok(None);
            }
            let outputs = Array2::from_shape_vec((rows.len(), n_outputs), outputs);
            let outputs = outputs.map_err(|error| Error::unexpected(error.to_string()))?;
            thresholds::learn(self.competition, self.metric.as_ref(), target, &rows, outputs.view())
        };
        (0..self.competition.targets.len()).map(learn).collect()
    }
}
