//! The window, with a sampler that reads all it may: what a model-based one would do.

mod asynchronous;
mod virtual_time;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::*;
use crate::event::Silent;
use crate::pruner::PrunerSpec;
use crate::sampler::History;
use crate::seed::Seed;
use crate::space::{Parameter, SearchSpace};
use crate::store::MemoryStore;
use crate::trial::Origin;

const N_TRIALS: u64 = 50;

/// Proposes a hash of everything that it is shown, so that one bit more or less shows.
struct Reader {
    /// None in an asynchronous study.
    window: Option<u64>,
}

impl Sampler for Reader {
    fn name(&self) -> &str {
        "reader"
    }

    fn depends_on_history(&self) -> bool {
        true
    }

    fn sample(
        &self,
        _space: &SearchSpace,
        history: &History,
        pending: &[Params],
        number: u64,
        _seed: Seed,
    ) -> Result<Option<Params>> {
        // The study begins with two enqueued points.
        let n = number + 2;
        if let Some(window) = self.window {
            assert_eq!(history.trials.len() as u64, (n + 1).saturating_sub(window), "history of trial {n}");
            assert_eq!(pending.len() as u64, n.min(window - 1), "pending points at trial {n}");
            assert!((0..).zip(history.trials).all(|(i, trial)| trial.number == i));
        }
        assert_eq!(history.prior.len(), 0);
        let mut hash = Sha256::new();
        for trial in history.trials {
            let scores: Vec<f64> = trial.folds.iter().map(|fold| fold.score).collect();
            hash.update(format!("{} {:?} {scores:?}", trial.params, trial.state));
        }
        for params in pending {
            hash.update(params.to_json());
        }
        let [a, b, c, d, ..] = <[u8; 32]>::from(hash.finalize());
        Ok(Some(Params::from([("x", f64::from(u32::from_le_bytes([a, b, c, d])) / f64::from(u32::MAX))])))
    }
}

#[derive(Default)]
struct Jittery {
    n_evaluated: AtomicU64,
    cancel_after: Option<(u64, Cancel)>,
}

impl Objective for Jittery {
    fn evaluate(&self, trials: &[TrialPoint], fold: usize, _: &FoldContext) -> Vec<Result<FoldOutcome, TrialError>> {
        let n = self.n_evaluated.fetch_add(1, Ordering::Relaxed);
        if let Some((limit, cancel)) = &self.cancel_after
            && n >= *limit
        {
            cancel.cancel();
        }
        if n.is_multiple_of(3) {
            std::thread::sleep(Duration::from_micros(100 + n * 37 % 400));
        }
        let outcome = |point: &TrialPoint| match point.number {
            n if n % 13 == 5 && fold == 1 => Err(TrialError::Failed("odd".to_string())),
            _ => {
                let noise = point.seed.child("fold", fold as u64).to_u64() as f64 / u64::MAX as f64;
                Ok(FoldOutcome::score(point.params.float("x").unwrap() + noise))
            }
        };
        trials.iter().map(outcome).collect()
    }
}

fn pruners() -> Vec<PrunerSpec> {
    let names =
        PrunerSpec::NAMES.into_iter().map(|name| if name == "threshold" { "threshold:lower=0.5" } else { name });
    names.map(|name| PrunerSpec::parse(name).unwrap()).collect()
}

fn median() -> PrunerSpec {
    PrunerSpec::from_name("median").unwrap()
}

fn study(window: u64, pruner: PrunerSpec) -> StudySpec {
    let enqueued = [0.25, 0.75].map(|x| Params::from([("x", x)])).into();
    let space = SearchSpace::new().with(Parameter::float("x", 0.0, 1.0));
    StudySpec { space, window, pruner, enqueued, n_folds: 5, ..StudySpec::new("s", Direction::Maximize) }
}

fn go_on(study: &StudySpec, store: &dyn Store, n_threads: usize, cancel_after: Option<u64>) -> StudyOutcome {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().unwrap();
    let limits = Limits { n_trials: Some(N_TRIALS), ..Limits::new(Arc::new(pool)) };
    let cancel_after = cancel_after.map(|n| (n, limits.cancel.clone()));
    let objective = Jittery { cancel_after, ..Jittery::default() };
    let sampler = Box::new(Reader { window: (!study.asynchronous).then_some(study.window) });
    run_with(study, sampler, store, &objective, &limits, &Silent).unwrap()
}

#[test]
fn interleaved_points_change_nothing_about_threads_and_interruptions() {
    for (window, interleave, pruner) in [(2, 2, PrunerSpec::None), (4, 3, median())] {
        let study = StudySpec { interleave, ..study(window, pruner) };
        let expected = MemoryStore::new();
        go_on(&study, &expected, 1, None);
        let trials = expected.trials("s").unwrap();
        for trial in &trials {
            let is_interleaved = trial.number >= window.max(2) && (trial.number + 1).is_multiple_of(interleave);
            assert_eq!(trial.origin == Origin::Interleaved, is_interleaved, "{trial:?}");
        }
        for n_threads in [2, 8, 64] {
            let store = MemoryStore::new();
            assert_eq!(go_on(&study, &store, n_threads, None).n_counted, N_TRIALS);
            assert_eq!(essence(&store), essence(&expected), "window {window}, {n_threads} threads");
        }
        let store = MemoryStore::new();
        let mut n_runs = 0;
        while go_on(&study, &store, 1 + n_runs * 3 % 8, Some(30)).interrupted {
            n_runs += 1;
            assert!(n_runs < 100, "no progress");
        }
        assert_eq!(essence(&store), essence(&expected), "window {window} after {n_runs} interruptions");
    }
}

fn essence(store: &dyn Store) -> Vec<String> {
    let scores = |trial: &Trial| trial.folds.iter().map(|fold| fold.score).collect::<Vec<_>>();
    let trials = store.trials("s").unwrap();
    trials.iter().map(|trial| format!("{} {:?} {:?}", trial.params, trial.state, scores(trial))).collect()
}

#[test]
fn a_trial_sees_exactly_its_window_on_any_number_of_threads() {
    for window in [1, 3, 8, 20] {
        for pruner in pruners() {
            let study = study(window, pruner);
            let expected = MemoryStore::new();
            go_on(&study, &expected, 1, None);
            for n_threads in [2, 3, 8, 64] {
                let store = MemoryStore::new();
                let outcome = go_on(&study, &store, n_threads, None);
                assert_eq!(outcome.n_counted, N_TRIALS);
                assert_eq!(essence(&store), essence(&expected), "window {window}, {n_threads} threads");
            }
        }
    }
}

#[test]
fn a_trial_sees_exactly_its_window_after_interruptions() {
    for (window, n_folds) in [(1, 23), (8, 40), (8, 61), (20, 110)] {
        for pruner in pruners() {
            let study = study(window, pruner);
            let expected = MemoryStore::new();
            go_on(&study, &expected, 1, None);
            let store = MemoryStore::new();
            let mut n_runs = 0;
            while go_on(&study, &store, 1 + n_runs % 4, Some(n_folds)).interrupted {
                n_runs += 1;
                assert!(n_runs < 100, "no progress");
            }
            assert!(n_runs > 0, "never interrupted");
            assert_eq!(essence(&store), essence(&expected), "window {window}, {:?}", study.pruner);
        }
    }
}
