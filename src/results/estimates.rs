//! What a study's choice, or an ensemble, is worth on rows that nobody has seen.

use medalist_search::{Store, StudySpec, Trial, TrialState, choice};
use ndarray::{Array2, Axis};
use rayon::prelude::*;

use super::{counted, study_rows};
use crate::competition::Competition;
use crate::error::{Error, Kind, Result};
use crate::estimate::{Estimate, Replay, Replayed, Units};
use crate::evaluate::OUT_OF_FOLD;
use crate::metric::Metric;
use crate::predictions::Predictions;
use crate::scoring::Scorer;
use crate::search::Seed;

/// Trials among which the choice is made again, at most: the best; what is far behind is never chosen.
const MAX_TRIALS: usize = 500;
/// The same where the metric must be worked out on the drawn rows themselves.
const MAX_SLOW_TRIALS: usize = 40;

/// Trials whose predictions are in memory at once.
const AT_ONCE: usize = 20;

/// The estimate for a study's choice: see [`crate::estimate`].
///
/// # Errors
/// When no trial succeeded, the competition's data are others, or the store cannot be read.
pub fn estimate(
    store: &dyn Store,
    spec: &StudySpec,
    competition: &Competition,
    metric: &dyn Metric,
    n_draws: usize,
    seed: u64,
) -> Result<Estimate> {
    super::check_data(spec, competition)?;
    let trials = counted(store, &spec.name)?;
    let none = || Error::new(Kind::NoTrial, format!("no trial of study `{}` succeeded", spec.name));
    // A point's looks count together, and its first one was scored on the folds that all trials share.
    let plain = study_rows(spec, &trials, choice(spec, &trials)).into_iter().find(|row| row.best).ok_or_else(none)?;
    let mut first: Vec<&Trial> =
        trials.iter().filter(|trial| trial.state == TrialState::Complete && trial.look() == 0).collect();
    // The choice first of all.
    first.sort_by(|a, b| {
        let is_chosen = |trial: &Trial| trial.number == plain.trial;
        let scores = (a.score.unwrap_or(f64::NAN), b.score.unwrap_or(f64::NAN));
        let by_score = spec.direction.compare(scores.0, scores.1).then(a.number.cmp(&b.number));
        is_chosen(b).cmp(&is_chosen(a)).then(by_score)
    });
    let chosen = first.first().filter(|trial| trial.number == plain.trial).ok_or_else(none)?;

    let scorer = Scorer { competition, metric };
    let (mut rows, mut replays) = (Vec::new(), Vec::new());
    let mut left = first.iter().take(MAX_TRIALS);
    while replays.last().is_none_or(Replay::is_fast) || replays.len() < MAX_SLOW_TRIALS {
        let mut outputs = Vec::new();
        for trial in left.by_ref().take(AT_ONCE) {
            let bytes = store.attachment(&spec.name, trial.number, OUT_OF_FOLD)?;
            outputs.extend(bytes.map(|bytes| Predictions::from_bytes(&bytes)).transpose()?.map(|kept| kept.outputs));
        }
        let Some(leading) = outputs.first() else { break };
        if replays.is_empty() {
            rows = scored_rows(competition, leading);
        }
        let places: Vec<usize> = rows.iter().map(|&row| row as usize).collect();
        let replay = |outputs: &Vec<Array2<f64>>| {
            let taken = outputs.iter().map(|output| output.select(Axis(0), &places)).collect();
            Replay::new(&scorer, &rows, taken)
        };
        let made: Vec<Result<Replay>> = outputs.par_iter().map(replay).collect();
        replays.extend(made.into_iter().collect::<Result<Vec<_>>>()?);
    }
    // The choice's own stand first: without them there is nothing to judge.
    if replays.is_empty() {
        return Err(Error::new(Kind::NoTrial, format!("study `{}` keeps no out-of-fold predictions", spec.name)));
    }
    let units = Units::of(competition);
    let replayed = Replayed {
        scorer,
        units: &units,
        rows,
        trials: replays,
        chosen: 0,
        plain: plain.score_mean,
        folds: chosen.folds.iter().map(|fold| fold.score).collect(),
        n_pruned: trials.iter().filter(|trial| trial.state == TrialState::Pruned).count(),
    };
    replayed.estimate(n_draws, Seed::new(seed).child("estimate", 0))
}

/// The rows of train that have predictions.
fn scored_rows(competition: &Competition, outputs: &[Array2<f64>]) -> Vec<u32> {
    let is_scored = |row: &u32| outputs.iter().all(|output| !output[[*row as usize, 0]].is_nan());
    (0..competition.n_train_rows() as u32).filter(is_scored).collect()
}
