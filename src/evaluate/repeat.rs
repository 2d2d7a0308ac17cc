//! A trial that is done, evaluated once more.

use medalist_search::{Artifact, Cancel, FoldContext, FoldOutcome, Objective, Seed, Trial, TrialError, TrialPoint};
use rayon::prelude::*;

use super::{Evaluation, OUT_OF_FOLD};
use crate::error::{Error, Kind, Result};

/// What a trial came to this time.
pub struct Repeated {
    /// By fold.
    pub scores: Vec<f64>,
    /// Of all folds together.
    pub score: f64,
    /// The out-of-fold predictions, as the store keeps them.
    pub out_of_fold: Vec<u8>,
}

impl Evaluation<'_> {
    /// Evaluates a complete trial as its study did: the same point, look, folds and seeds. `seed`: of the point, as of [`medalist_search::StudySpec::point_seed`].
    ///
    /// # Errors
    /// When a fold fails, or the trial has a stage that its model has no more.
    pub fn repeat(&self, trial: &Trial, seed: Seed) -> Result<Repeated> {
        let look = trial.look();
        let seed = if look == 0 { seed } else { seed.child("look", u64::from(look)) };
        let params = trial.asked();
        let point = TrialPoint { number: trial.number, params: &params, look, seed };
        let cancel = Cancel::new();
        let folds: Vec<Result<(f64, Artifact)>> = (0..self.folds().len())
            .into_par_iter()
            .map(|fold| {
                let outcome = self.evaluate(std::slice::from_ref(&point), fold, &FoldContext::new(&cancel)).pop();
                let outcome = outcome.ok_or_else(|| Error::unexpected("a fold without an outcome"))?;
                at_stage_of(trial, outcome.map_err(failed)?)
            })
            .collect();
        let (mut scores, mut artifacts) = (Vec::new(), Vec::new());
        for fold in folds {
            let (score, artifact) = fold?;
            scores.push(score);
            artifacts.push(artifact);
        }
        let together = Objective::score(self, trial, &artifacts).map_err(failed)?;
        let mean = || scores.iter().fold(0.0, |sum, score| sum + score) / scores.len() as f64;
        let score = together.unwrap_or_else(mean);
        let attached = self.attach(trial, artifacts).map_err(failed)?;
        let out_of_fold = attached.into_iter().find(|attachment| attachment.name == OUT_OF_FOLD);
        let out_of_fold = out_of_fold.ok_or_else(|| Error::unexpected("a trial without predictions"))?.bytes;
        Ok(Repeated { scores, score, out_of_fold })
    }
}

/// The score and the artifact of the stage that the trial had chosen.
fn at_stage_of(trial: &Trial, outcome: FoldOutcome) -> Result<(f64, Artifact)> {
    let stage = match &outcome.stages {
        None => Some(0),
        Some((parameter, values)) => values.iter().position(|value| trial.params.get(parameter) == Some(value)),
    };
    let found = stage.and_then(|stage| {
        let score = outcome.scores.get(stage).copied()?;
        Some((score, outcome.artifacts.into_iter().nth(stage)?))
    });
    found.ok_or_else(|| Error::model("the stage that this trial chose is not among the model's any more"))
}

fn failed(error: TrialError) -> Error {
    match error {
        TrialError::Failed(reason) | TrialError::Fatal(reason) => Error::model(reason),
        TrialError::Cancelled | TrialError::Pruned => Error::new(Kind::Interrupted, "interrupted"),
    }
}
