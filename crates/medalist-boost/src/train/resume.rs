//! Fits that go on from a model.

use std::ops::Range;

use super::{Trainer, Training};
use crate::bins::Bins;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::model::flat::BinForest;
use crate::params::{Boosting, Params};

/// Rows whose scores are computed together.
const ROWS_A_BLOCK: usize = 4096;

impl<'a> Trainer<'a> {
    /// A fit that goes on from a model's iterations: its trees are kept and its scores are where training and followed rows begin. What is drawn at random goes on, too, so that some iterations and then others give what all of them in one fit give, bit for bit, where `params`, `bins` and `training` are the same.
    ///
    /// With `init_score` scores begin there, and the model's trees are added; the model must be of a fit with initial scores as well. Other parameters than those named below may differ from the model's.
    ///
    /// # Errors
    /// Those of [`Trainer::new`]; when the model has linear leaves and `training` no columns; when the model's objective is another than the parameters', or it has another number of features, scores, or trees an iteration; when one of the two is a forest and the other is not; and when a split is not at an edge of these bins.
    pub fn resume(model: &Model, params: &Params, bins: &'a Bins, training: &Training<'a>) -> Result<Trainer<'a>> {
        let mut trainer = Trainer::new(params, bins, training)?;
        let differs = |what: &str, of_model: usize, here: usize| match of_model == here {
            true => Ok(()),
            false => Err(Error::shape(format!("the model has {of_model} {what}, but must have {here} to go on from"))),
        };
        if model.objective != params.objective {
            let range = format!("{:?}, which the model was fitted by", model.objective);
            return Err(Error::parameter("objective", format!("{:?}", params.objective), range));
        }
        if model.average != (params.boosting == Boosting::Rf) {
            let range =
                if model.average { "rf: the model is a forest" } else { "gbdt or dart: the model is no forest" };
            return Err(Error::parameter("boosting", format!("{:?}", params.boosting).to_lowercase(), range));
        }
        differs("features", model.n_features, bins.n_features())?;
        differs("scores", model.start.len(), trainer.scores.len())?;
        differs("trees an iteration", model.trees_an_iteration, trainer.trees_an_iteration())?;
        if training.init_score.is_none() {
            // The model's own, as its trees were grown from there; on the same rows they are the same.
            trainer.scores.iter_mut().zip(&model.start).for_each(|(scores, &start)| scores.fill(start));
            trainer.start.clone_from(&model.start);
        } else if model.start.iter().any(|&start| start != 0.0) {
            return Err(Error::shape("init_score is given, but the model's own scores do not begin at 0".to_string()));
        }
        let forest = model.on_bins(bins, training.columns)?;
        let is_forest = params.boosting == Boosting::Rf;
        let mut scores = std::mem::take(if is_forest { &mut trainer.sums } else { &mut trainer.scores });
        trainer.add_trees(&forest, 0..model.trees.len(), &mut scores);
        *(if is_forest { &mut trainer.sums } else { &mut trainer.scores }) = scores;
        trainer.trees.clone_from(&model.trees);
        trainer.n_iterations = model.n_iterations();
        trainer.prepare()?;
        Ok(trainer)
    }

    /// Adds some trees, in their order, to scores (by score, then by row of the bins) of training and followed rows.
    pub(super) fn add_trees(&self, forest: &BinForest, range: Range<usize>, to: &mut [Vec<f64>]) {
        let n_scores = to.len();
        let rows: Vec<u32> = self.counted.iter().chain(&self.followed).copied().collect();
        for rows in rows.chunks(ROWS_A_BLOCK) {
            let mut scores: Vec<f64> = rows.iter().flat_map(|&row| to.iter().map(move |to| to[row as usize])).collect();
            forest.add(self.level, range.clone(), rows, n_scores, &mut scores);
            for (&row, scores) in rows.iter().zip(scores.chunks_exact(n_scores)) {
                to.iter_mut().zip(scores).for_each(|(to, &score)| to[row as usize] = score);
            }
        }
    }

    /// What earlier iterations would have left: a forest's derivatives, and a bag that outlasts its iteration.
    fn prepare(&mut self) -> Result<()> {
        if self.n_iterations == 0 {
            return Ok(());
        }
        if self.params.boosting == Boosting::Rf {
            self.derive()?;
        }
        let n = self.n_iterations;
        if self.params.bagging_freq > 0 {
            self.n_iterations = n - n % self.params.bagging_freq;
            self.draw_bag();
            self.n_iterations = n;
        }
        Ok(())
    }
}
