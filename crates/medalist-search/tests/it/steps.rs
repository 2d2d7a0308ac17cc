//! Values reported inside of a fold: pruning by them is the same on any number of threads and after interruptions, and they are kept.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use medalist_search::*;

use super::support::*;

const N_STEPS: u64 = 20;

/// Learns in steps towards a bowl, each fold and step with noise of its own.
#[derive(Default)]
struct Learner {
    jitter: bool,
    mishaps: bool,
    cancel_after: Option<(usize, Cancel)>,
    n_folds: AtomicUsize,
    n_steps: AtomicUsize,
}

impl Learner {
    fn fold(&self, point: &TrialPoint, fold: usize, ctx: &FoldContext) -> Result<FoldOutcome, TrialError> {
        let x = point.params.float("x").unwrap();
        let n_steps = point.params.get("epochs").and_then(Value::as_f64).map_or(N_STEPS, |epochs| epochs as u64);
        let noise = point.seed.child("fold", fold as u64);
        let mut value = 0.0;
        for step in 1..=n_steps {
            if ctx.is_cancelled() {
                return Err(TrialError::Cancelled);
            }
            self.n_steps.fetch_add(1, Ordering::Relaxed);
            let noise = noise.child("step", step).to_u64() as f64 / u64::MAX as f64;
            value = (x - 0.3).powi(2) + 1.0 / step as f64 + 0.05 * noise;
            let verdict = match (self.mishaps, point.number % 11) {
                (true, 3) if step == 4 && fold > 0 => ctx.report(step, f64::NAN),
                (true, 5) if step == 6 => ctx.report(2, value),
                (true, 7) if step == 8 => panic!("out of memory"),
                (true, 9) if step == 2 => return Err(TrialError::Pruned),
                // Does not listen.
                (true, 4) => {
                    let _ = ctx.report(step, value);
                    Verdict::Continue
                }
                _ => ctx.report(step, value),
            };
            if verdict == Verdict::Prune {
                return Err(TrialError::Pruned);
            }
            if self.jitter && step % 7 == 0 {
                std::thread::sleep(Duration::from_micros(noise.to_bits() % 60));
            }
        }
        Ok(FoldOutcome::score(value))
    }
}

impl Objective for Learner {
    fn evaluate(&self, trials: &[TrialPoint], fold: usize, ctx: &FoldContext) -> Vec<Result<FoldOutcome, TrialError>> {
        let n = self.n_folds.fetch_add(1, Ordering::Relaxed);
        if let Some((limit, cancel)) = &self.cancel_after
            && n >= *limit
        {
            cancel.cancel();
        }
        trials.iter().map(|point| self.fold(point, fold, ctx)).collect()
    }
}

fn study(pruner: &str, n_folds: usize) -> StudySpec {
    let pruner = PrunerSpec::parse(pruner).unwrap();
    StudySpec { prune_on: Resource::Steps, n_folds, ..plain_study(pruner) }
}

/// Each pruner that works on steps.
const PRUNERS: [&str; 8] = [
    "none",
    "median:n_warmup_steps=3",
    "percentile",
    "halving",
    "asha",
    "hyperband:min_resource=2",
    "threshold:upper=1.2",
    "patience",
];

fn run_on(n_threads: usize, study: &StudySpec, mishaps: bool) -> (StudyOutcome, Vec<String>) {
    let store = MemoryStore::new();
    let learner = Learner { jitter: true, mishaps, ..Learner::default() };
    let outcome = run(study, &store, &learner, &limits(n_threads, 50), &Silent).unwrap();
    (outcome, essence(&store, study))
}

#[test]
fn prunings_by_steps_are_the_same_on_any_number_of_threads() {
    for pruner in PRUNERS {
        for (n_folds, window) in [(1, 1), (1, 8), (3, 8)] {
            let study = StudySpec { window, ..study(pruner, n_folds) };
            let expected = run_on(1, &study, true);
            assert_eq!(expected.0.n_pruned > 5, pruner != "none", "{pruner}: {:?}", expected.0);
            for n_threads in [2, 3, 16] {
                assert_eq!(run_on(n_threads, &study, true), expected, "{pruner}, {n_folds} folds, {n_threads} threads");
            }
        }
    }
}

#[test]
fn a_run_cut_off_anywhere_decides_the_same_when_it_goes_on() {
    for pruner in PRUNERS {
        let study = study(pruner, 3);
        let expected = run_on(1, &study, true).1;
        let dir = tempfile::tempdir().unwrap();
        for n_folds in [17, 40] {
            let path = dir.path().join(format!("{n_folds}.db"));
            for n_runs in 0.. {
                assert!(n_runs < 100, "no progress");
                let store = SqliteStore::open(&path).unwrap();
                let limits = limits(1 + n_runs % 3, 50);
                let cancel_after = Some((n_folds, limits.cancel.clone()));
                let learner = Learner { mishaps: true, cancel_after, ..Learner::default() };
                if !run(&study, &store, &learner, &limits, &Silent).unwrap().interrupted {
                    assert_eq!(essence(&store, &study), expected, "{pruner}, {n_folds} folds at a time");
                    break;
                }
            }
        }
    }
}

#[test]
fn a_pruned_trial_keeps_its_steps_and_saves_the_rest() {
    let study = study("asha", 3);
    let store = MemoryStore::new();
    let learner = Learner::default();
    run(&study, &store, &learner, &limits(2, 50), &Silent).unwrap();
    let trials = store.trials("bowl").unwrap();
    let last = |trial: &Trial| trial.steps.last().map(|step| (step.fold, step.step)).unwrap();
    for trial in &trials {
        match trial.state {
            TrialState::Pruned => {
                assert!(trial.folds.is_empty() && trial.score.is_none());
                // One in four goes on from each of the rungs 1, 4 and 16.
                assert!([(0, 1), (0, 4), (0, 16)].contains(&last(trial)), "{:?}", last(trial));
            }
            _ => assert_eq!((last(trial), trial.steps.len()), ((2, N_STEPS), 3 * N_STEPS as usize)),
        }
    }
    let n_spent: usize = trials.iter().map(|trial| trial.steps.len()).sum();
    assert_eq!(n_spent, learner.n_steps.load(Ordering::Relaxed));
    assert!(n_spent < 50 * 60 / 3, "{n_spent}");
    // Only the bowl's floor is worth three folds.
    let best = best(&trials, Direction::Minimize).unwrap();
    assert!((best.params.float("x").unwrap() - 0.3).abs() < 0.15);
}

#[test]
fn what_is_reported_against_the_rules_fails_its_trial_alone() {
    let study = study("none", 3);
    let store = MemoryStore::new();
    run(&study, &store, &Learner { mishaps: true, ..Learner::default() }, &limits(3, 11), &Silent).unwrap();
    let trials = store.trials("bowl").unwrap();
    for (number, reason, n_folds, n_steps) in [
        (3, "the value at step 4 is NaN", 1, N_STEPS as usize + 3),
        (5, "step 2 was reported after step 5: steps must rise", 0, 5),
        (7, "panicked: out of memory", 0, 7),
        (9, "stopped as pruned without being told to", 0, 1),
    ] {
        let trial = &trials[number];
        assert_eq!(trial.state, TrialState::Failed { reason: reason.to_string() });
        assert_eq!((trial.folds.len(), trial.steps.len()), (n_folds, n_steps), "trial {number}");
    }
    assert_eq!(trials.iter().filter(|trial| trial.state == TrialState::Complete).count(), 7);
}

#[test]
fn a_fidelity_is_given_whole_and_bounds_the_rungs() {
    let epochs = Parameter::int("epochs", 4, 64).log().fidelity();
    let space = SearchSpace::new().with(Parameter::float("x", 0.0, 1.0)).with(epochs);
    let study = StudySpec { space, enqueued: Vec::new(), ..study("asha", 1) };
    assert_eq!(study.budget(), Budget::steps(4, Some(64)));
    let store = MemoryStore::new();
    run(&study, &store, &Learner::default(), &limits(2, 40), &Silent).unwrap();
    let trials = store.trials("bowl").unwrap();
    assert!(trials.iter().all(|trial| trial.params.get("epochs") == Some(&Value::Int(64))));
    let ends: Vec<usize> = trials.iter().map(|trial| trial.steps.len()).collect();
    assert!(ends.iter().all(|end| [4, 16, 64].contains(end)) && ends.contains(&4) && ends.contains(&64), "{ends:?}");
    // Where folds are counted it is a parameter as any other.
    let on_folds = StudySpec { prune_on: Resource::Folds, ..study };
    let store = MemoryStore::new();
    run(&on_folds, &store, &Learner::default(), &limits(2, 20), &Silent).unwrap();
    assert!(store.trials("bowl").unwrap().iter().any(|trial| trial.params.get("epochs") != Some(&Value::Int(64))));
}

#[test]
fn a_plan_that_cannot_count_steps_is_refused() {
    let error = StudySpec { prune_on: Resource::Steps, ..plain_study(PrunerSpec::from_name("racing").unwrap()) };
    assert!(error.validate().unwrap_err().to_string().contains("`racing` compares folds"));
    let staged = Parameter::int("trees", 1, 10).levels([1, 10]).staged().fidelity();
    for parameter in [Parameter::float("x", 0.0, 1.0).fidelity(), Parameter::int("x", 0, 9).fidelity(), staged] {
        let error = SearchSpace::new().with(parameter).validate().unwrap_err().to_string();
        assert!(error.contains("is a fidelity: make it a whole number from 1 on"), "{error}");
    }
}

#[test]
fn a_plan_without_steps_keeps_its_identity() {
    // Of a plan stored before steps and fidelities were known.
    let study = StudySpec { created: String::new(), ..plain_study(median()) };
    let json = serde_json::to_string(&study).unwrap();
    assert!(!json.contains("prune_on") && !json.contains("fidelity") && !json.contains("n_warmup_steps"), "{json}");
    let read: StudySpec = serde_json::from_str(&json).unwrap();
    assert_eq!(read.identity(), study.identity());
}
