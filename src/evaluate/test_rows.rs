//! The test rows, predicted by a trial's model: fitted once more on all rows, or one model a fold.

use medalist_search::{Params, Seed};
use ndarray::Array2;
use rayon::prelude::*;

use super::{Evaluation, Point, Watch};
use crate::error::{Error, Result};
use crate::model::AnyPredictor;
use crate::prepare::Prepared;
use crate::registry::ModelEntry;
use crate::saved::{SavedModel, SavedTarget};
use crate::table::Table;

/// What is kept of a model that has predicted.
type Keep<T> = fn(&Point, &Prepared, &dyn AnyPredictor) -> Result<T>;
/// One matrix per target, and what is kept.
type Kept<T> = (Vec<Array2<f64>>, T);

impl Evaluation<'_> {
    /// Predictions for the test rows, one matrix per target, by the model fitted on all training rows.
    ///
    /// # Errors
    /// When there is no test set, or the fit fails.
    pub fn refit(&self, params: &Params, seed: Seed) -> Result<Vec<Array2<f64>>> {
        Ok(self.refit_and(params, seed, |_, _, _| Ok(()))?.0)
    }

    /// Predictions for the test rows: the mean of those of the fold models.
    ///
    /// # Errors
    /// When there is no test set, or a fit fails.
    pub fn average(&self, params: &Params, seed: Seed) -> Result<Vec<Array2<f64>>> {
        Ok(self.average_and(params, seed, |_, _, _| Ok(()))?.0)
    }

    /// As [`Evaluation::refit`], and the model.
    ///
    /// # Errors
    /// The same, and when the model or a transform cannot be saved.
    pub fn refit_saved(&self, params: &Params, seed: Seed) -> Result<(Vec<Array2<f64>>, SavedModel)> {
        let (outputs, part) = self.refit_and(params, seed, saved)?;
        Ok((outputs, self.saved_model(params, vec![part])?))
    }

    /// As [`Evaluation::average`], and the models of all folds as one.
    ///
    /// # Errors
    /// The same, and when the model or a transform cannot be saved.
    pub fn average_saved(&self, params: &Params, seed: Seed) -> Result<(Vec<Array2<f64>>, SavedModel)> {
        let (outputs, parts) = self.average_and(params, seed, saved)?;
        Ok((outputs, self.saved_model(params, parts)?))
    }

    fn saved_model(&self, params: &Params, parts: Vec<Vec<SavedTarget>>) -> Result<SavedModel> {
        if !self.competition.config.features.is_empty() {
            let error = Error::usage("a model of columns that `[features]` makes cannot be saved");
            return Err(error.help("without `--save` the submission is written all the same"));
        }
        Ok(SavedModel::new(self.competition, params.text("model")?, self.output_scale(), parts))
    }

    fn refit_and<T>(&self, params: &Params, seed: Seed, keep: Keep<T>) -> Result<Kept<Vec<T>>> {
        let test = self.test()?;
        let all: Vec<u32> = (0..self.competition.features.n_rows() as u32).collect();
        let prepared = |target: usize, prep: &Params, entry: &ModelEntry| {
            let features = &self.competition.features;
            self.prepare(entry, prep, features, target, &all, test, self.seed.child("prepare all", 0))
        };
        self.predict_with(params, &all, seed.child("refit", 0), prepared, keep)
    }

    /// What is kept comes by fold, then by target.
    fn average_and<T: Send>(&self, params: &Params, seed: Seed, keep: Keep<T>) -> Result<Kept<Vec<Vec<T>>>> {
        let test = self.test()?;
        let per_fold: Vec<Result<Kept<Vec<T>>>> = (0..self.folds.len())
            .into_par_iter()
            .map(|number| {
                let fold = &self.folds[number];
                let train = self.competition.features.take(&fold.train);
                let prepared = |target: usize, prep: &Params, entry: &ModelEntry| {
                    self.prepare(entry, prep, &train, target, &fold.train, test, self.preparation_seed(number))
                };
                self.predict_with(params, &fold.train, seed.child("fold", number as u64), prepared, keep)
            })
            .collect();
        let (mut outputs, mut kept) = (Vec::new(), Vec::new());
        for fold in per_fold {
            let (output, part) = fold?;
            outputs.push(output);
            kept.push(part);
        }
        let means = crate::saved::mean(outputs).ok_or_else(|| Error::config("there are no folds"))?;
        Ok((means, kept))
    }

    fn test(&self) -> Result<&Table> {
        let test = self.competition.test.as_ref().map(|test| &test.features);
        test.ok_or_else(|| {
            Error::config(format!("competition `{}` has no test file to predict", self.competition.slug))
        })
    }

    fn predict_with<T>(
        &self,
        params: &Params,
        rows: &[u32],
        seed: Seed,
        prepared: impl Fn(usize, &Params, &ModelEntry) -> Result<Prepared>,
        keep: Keep<T>,
    ) -> Result<Kept<Vec<T>>> {
        let point = self.point(&[params])?;
        let model = point.build()?;
        let weights = self.weights(rows);
        let watch = Watch { cancel: &self.deadline, steps: None };
        let (mut outputs, mut kept) = (Vec::new(), Vec::new());
        for target in 0..self.competition.targets.len() {
            let prepared = prepared(target, &point.prep, point.entry)?;
            let y = self.target(target, point.entry)?.take(rows);
            let predictor = self.fit(model.as_ref(), &prepared, &y, weights.as_deref(), seed, target, watch)?;
            let mut raw = point.predict(predictor.as_ref(), &prepared)?;
            let raw = raw.pop().ok_or_else(|| Error::model("the model returned no prediction"))?;
            outputs.push(self.unscale(raw));
            kept.push(keep(&point, &prepared, predictor.as_ref())?);
        }
        Ok((outputs, kept))
    }
}

fn saved(point: &Point, prepared: &Prepared, predictor: &dyn AnyPredictor) -> Result<SavedTarget> {
    SavedTarget::new(&point.entry.name, &prepared.steps, predictor)
}
