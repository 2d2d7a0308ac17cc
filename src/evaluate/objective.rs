//! A fold of an evaluation as the engine asks for it.

use std::sync::atomic::{AtomicBool, Ordering};

use medalist_search::{
    Artifact, Attachment, FoldContext, FoldOutcome, Objective, Params, Trial, TrialError, TrialPoint, Verdict,
};
use ndarray::Array2;

use super::{Evaluation, MADE_BY, MadeBy, OUT_OF_FOLD, Watch, trial_error};
use crate::error::Result;
use crate::model::Steps;
use crate::predictions::Predictions;

/// Predictions of one fold for one trial: one matrix (n_rows, n_outputs) per target.
pub struct FoldPredictions {
    pub(super) rows: Vec<u32>,
    pub(super) outputs: Vec<Array2<f64>>,
}

impl Objective for Evaluation<'_> {
    fn evaluate(&self, trials: &[TrialPoint], fold: usize, ctx: &FoldContext) -> Vec<Result<FoldOutcome, TrialError>> {
        let params: Vec<&Params> = trials.iter().map(|trial| trial.params).collect();
        let is_pruned = AtomicBool::new(false);
        let predicted = self.timed(trials[0].number, |cancel| {
            let point = self.point(&params)?;
            let look = trials[0].look;
            let rows = &self.folds_of(look)?[fold].valid;
            let steps = ScoredSteps { evaluation: self, rows, ctx, is_pruned: &is_pruned };
            // Trials that share a fit share no verdict.
            let steps = (self.judges_steps && trials.len() == 1).then_some(&steps as &dyn Steps);
            let seed = trials[0].seed.child("fold", fold as u64);
            let predicted = self.predict_fold(&point, look, fold, seed, Watch { cancel, steps })?;
            Ok((point, predicted, rows))
        });
        let (point, predicted, rows) = match predicted {
            Ok(predicted) => predicted,
            Err(_) if is_pruned.into_inner() => return trials.iter().map(|_| Err(TrialError::Pruned)).collect(),
            Err(error) => return trials.iter().map(|_| Err(trial_error(&error))).collect(),
        };
        let scored = predicted.into_iter().map(|predicted| {
            let score = self.score(rows, &predicted.outputs, &[]).map_err(|error| trial_error(&error))?;
            let others = self.measured(&predicted, &point.entry.name)?;
            let artifact: Artifact = Box::new(FoldPredictions { rows: rows.clone(), outputs: predicted.outputs });
            Ok(Scored { score, others, artifact })
        });
        // In a grid each trial has a value of the staged parameter, else the one trial has them all.
        let given = point.staged.as_ref().is_some_and(|(name, _)| trials[0].params.get(name).is_some());
        match &point.staged {
            Some(stages) if !given => {
                let scored = scored.collect::<Result<Vec<Scored>, TrialError>>();
                vec![scored.map(|scored| FoldOutcome { stages: Some(stages.clone()), ..outcome(scored) })]
            }
            _ => scored.map(|scored| scored.map(|scored| outcome(vec![scored]))).collect(),
        }
    }

    fn score(&self, _trial: &Trial, artifacts: &[Artifact]) -> Result<Option<f64>, TrialError> {
        let folds: Vec<&FoldPredictions> = artifacts.iter().filter_map(|artifact| artifact.downcast_ref()).collect();
        self.cross_fitted(&folds).map_err(|error| trial_error(&error))
    }

    fn attach(&self, _trial: &Trial, artifacts: Vec<Artifact>) -> Result<Vec<Attachment>, TrialError> {
        let folds: Vec<FoldPredictions> = artifacts
            .into_iter()
            .filter_map(|artifact| artifact.downcast::<FoldPredictions>().ok().map(|folds| *folds))
            .collect();
        let parts: Vec<(&[u32], &[Array2<f64>])> =
            folds.iter().map(|fold| (fold.rows.as_slice(), fold.outputs.as_slice())).collect();
        let predictions = Predictions::out_of_fold(self.competition.n_train_rows(), &parts);
        let bytes = predictions.to_bytes().map_err(|error| TrialError::Fatal(error.to_string()))?;
        let made_by = MadeBy::current().to_bytes();
        Ok(vec![
            Attachment { name: OUT_OF_FOLD.to_string(), bytes },
            Attachment { name: MADE_BY.to_string(), bytes: made_by },
        ])
    }

    fn memory(&self, params: &Params) -> u64 {
        let Ok(point) = self.point(&[params]) else { return 0 };
        let Ok(model) = point.build() else { return 0 };
        let (n_rows, n_columns) = (self.competition.features.n_rows(), self.competition.features.columns().len());
        self.competition.features.memory() + model.estimate_memory(n_rows, n_columns)
    }
}

/// Scores the steps of a fit, for the study's pruner.
struct ScoredSteps<'a> {
    evaluation: &'a Evaluation<'a>,
    rows: &'a [u32],
    ctx: &'a FoldContext<'a>,
    is_pruned: &'a AtomicBool,
}

impl Steps for ScoredSteps<'_> {
    fn goes_on(&self, step: u64, raw: Array2<f64>) -> Result<bool> {
        let outputs = [self.evaluation.unscale(raw)];
        let score = self.evaluation.score(self.rows, &outputs, &[])?;
        let goes_on = self.ctx.report(step, score) == Verdict::Continue;
        self.is_pruned.store(!goes_on, Ordering::Relaxed);
        Ok(goes_on)
    }
}

/// One stage of a fold.
struct Scored {
    score: f64,
    others: Vec<f64>,
    artifact: Artifact,
}

/// A fold's stages in their order, or the one that there is.
fn outcome(scored: Vec<Scored>) -> FoldOutcome {
    let mut outcome = FoldOutcome { scores: Vec::new(), others: Vec::new(), stages: None, artifacts: Vec::new() };
    for Scored { score, others, artifact } in scored {
        outcome.scores.push(score);
        outcome.artifacts.push(artifact);
        if !others.is_empty() {
            outcome.others.push(others);
        }
    }
    outcome
}
