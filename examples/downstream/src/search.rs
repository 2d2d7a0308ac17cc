//! A search without the command line: a competition's folds, a study in memory, and the test rows predicted by what it found.

use std::sync::Arc;

use medalist::Registry;
use medalist::competition::Competition;
use medalist::error::{Error, Result};
use medalist::evaluate::{self, Evaluation};
use medalist::plan::{Earlier, Plan};
use medalist::search::{Limits, MemoryStore, Params, Seed, Silent, Store, StudySpec, run};
use medalist::split::Fold;
use ndarray::Array2;

/// Bytes for prepared folds.
const MEMORY: u64 = 1 << 30;

/// The trial that a study chose.
pub struct Found {
    pub params: Params,
    /// The mean over the folds.
    pub score: f64,
    spec: StudySpec,
    folds: Vec<Fold>,
    seed: Seed,
}

/// The best of `n_trials` points of some models, found on `jobs` threads: as `medalist sweep SLUG --models .. --trials ..`.
///
/// # Errors
/// When a model is unknown or does not fit the competition, or no trial has a score.
pub fn best(
    competition: &Competition,
    registry: &Registry,
    models: &[&str],
    n_trials: u64,
    jobs: usize,
) -> Result<Found> {
    let metric = competition.metric(registry)?;
    let folds = competition.folds(None)?;
    let models = models.iter().map(|model| model.to_string()).collect();
    let plan = Plan { models: Some(models), trials: Some(n_trials), ..Plan::default() };
    let spec = plan.study(competition, registry, metric.as_ref(), &folds, &Earlier::Nothing)?;
    let objective = Evaluation::new(competition, registry, folds.clone(), &spec, MEMORY, evaluate::deadline(None))?;
    let pool = rayon::ThreadPoolBuilder::new().num_threads(jobs).build();
    let pool = pool.map_err(|error| Error::unexpected(error.to_string()))?;
    let limits = Limits { n_trials: Some(n_trials), ..Limits::new(Arc::new(pool)) };
    let store = MemoryStore::default();
    let outcome = run(&spec, &store, &objective, &limits, &Silent)?;
    let trials = store.trials(&spec.name)?;
    let chosen = outcome.best.and_then(|best| trials.into_iter().find(|trial| trial.number == best));
    let chosen = chosen.and_then(|trial| Some((trial.score?, trial)));
    let (score, trial) = chosen.ok_or_else(|| Error::model("no trial has a score"))?;
    let seed = spec.point_seed(&trial.params);
    Ok(Found { params: trial.params, score, spec, folds, seed })
}

/// The labels of the first target's classes, and a row of their probabilities for each test row, by the model fitted on all training rows.
///
/// # Errors
/// When there is no test file, or the fit fails.
pub fn predict(competition: &Competition, registry: &Registry, found: &Found) -> Result<(Vec<String>, Array2<f64>)> {
    let folds = found.folds.clone();
    let evaluation = Evaluation::new(competition, registry, folds, &found.spec, MEMORY, evaluate::deadline(None))?;
    let mut predicted = evaluation.refit(&found.params, found.seed)?;
    Ok((competition.targets[0].labels.to_vec(), predicted.swap_remove(0)))
}
