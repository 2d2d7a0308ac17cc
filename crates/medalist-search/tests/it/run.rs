//! Runs: the same on any number of threads, failures that stay with their trial, stages, memory, events.

use std::sync::atomic::{AtomicU64, Ordering};

use medalist_search::*;

use super::support::*;

fn run_on(n_threads: usize, n_trials: u64, study: &StudySpec, bowl: &Bowl) -> (StudyOutcome, Vec<String>) {
    let store = MemoryStore::new();
    let outcome = run(study, &store, bowl, &limits(n_threads, n_trials), &Silent).unwrap();
    (outcome, essence(&store, study))
}

#[track_caller]
fn check_same_on_any_number_of_threads(study: &StudySpec, n_trials: u64) -> StudyOutcome {
    let bowl = || Bowl { jitter: true, mishaps: true, ..Bowl::default() };
    let expected = run_on(1, n_trials, study, &bowl());
    for n_threads in [2, 3, 8, 64] {
        let found = run_on(n_threads, n_trials, study, &bowl());
        assert_eq!(found, expected, "{n_threads} threads");
    }
    expected.0
}

#[test]
fn results_are_the_same_on_any_number_of_threads() {
    let outcome = check_same_on_any_number_of_threads(&plain_study(PrunerSpec::None), 60);
    assert_eq!((outcome.n_counted, outcome.n_finished, outcome.n_pruned), (60, 60, 0));
    assert!(outcome.n_failed > 10 && outcome.best.is_some() && !outcome.interrupted && !outcome.exhausted);
}

#[test]
fn prunings_are_the_same_on_any_number_of_threads() {
    for pruner in pruners().into_iter().filter(|pruner| *pruner != PrunerSpec::None) {
        for window in [1, 8, 16] {
            let study = StudySpec { window, ..plain_study(pruner.clone()) };
            let outcome = check_same_on_any_number_of_threads(&study, 60);
            assert!(outcome.n_pruned > 10, "{pruner:?}: {outcome:?}");
        }
    }
}

#[test]
fn a_failure_is_that_of_the_lowest_fold_and_stays_with_its_trial() {
    let study = plain_study(PrunerSpec::None);
    let store = MemoryStore::new();
    run(&study, &store, &Bowl { mishaps: true, ..Bowl::default() }, &limits(4, 12), &Silent).unwrap();
    let trials = store.trials("bowl").unwrap();
    for (number, reason, n_folds) in [
        (3, "fold 1 would not converge", 1),
        (5, "panicked: index out of bounds in trial 5", 2),
        (7, "score of fold 3 is NaN", 3),
    ] {
        let trial = &trials[number];
        assert_eq!(trial.state, TrialState::Failed { reason: reason.to_string() });
        assert_eq!((trial.folds.len(), trial.score), (n_folds, None));
    }
    assert_eq!(trials.iter().filter(|trial| trial.state == TrialState::Complete).count(), 9);
}

fn staged_space() -> SearchSpace {
    SearchSpace::new()
        .with(Parameter::int("n_estimators", 1, 100).levels([10, 20, 30]).staged())
        .with(Parameter::float("x", 0.0, 1.0).levels([0.1, 0.3]))
}

#[test]
fn the_best_stage_becomes_the_trial() {
    for pruner in [PrunerSpec::None, median()] {
        let study = StudySpec { space: staged_space(), enqueued: Vec::new(), ..plain_study(pruner) };
        check_same_on_any_number_of_threads(&study, 40);
        let store = MemoryStore::new();
        run(&study, &store, &Bowl::default(), &limits(2, 3), &Silent).unwrap();
        for trial in store.trials("bowl").unwrap() {
            let stages = trial.stages.as_ref().unwrap();
            assert_eq!(trial.params.get("n_estimators"), Some(&Value::Int(20)));
            assert_eq!((stages.parameter.as_str(), stages.values.len()), ("n_estimators", 3));
            assert_eq!(stages.scores[1], trial.folds.iter().map(|fold| fold.score).collect::<Vec<_>>());
            let oof = store.attachment("bowl", trial.number, "oof").unwrap();
            assert_eq!(oof, Some(vec![0, 20, 1, 20, 2, 20, 3, 20, 4, 20]));
        }
    }
}

#[test]
fn a_grid_over_stages_shares_fits_and_ends() {
    for pruner in [PrunerSpec::None, PrunerSpec::Median(Median { n_startup_trials: 1, ..Median::default() })] {
        let sampler = SamplerSpec::Grid { levels: 0, named: Vec::new() };
        let study =
            StudySpec { space: staged_space(), enqueued: Vec::new(), sampler, window: 2, ..plain_study(pruner) };
        let outcome = check_same_on_any_number_of_threads(&study, 100);
        assert_eq!((outcome.n_finished, outcome.exhausted), (6, true));
        let bowl = Bowl::default();
        let (_, trials) = run_on(2, 100, &study, &bowl);
        assert!(bowl.group_sizes.lock().unwrap().iter().take(2).all(|size| *size == 3));
        // Cutting the grid inside of a group changes nothing about the trials that are left.
        let (_, cut) = run_on(2, 4, &study, &Bowl::default());
        assert_eq!(cut[..], trials[..4]);
    }
}

#[test]
fn the_same_point_twice_has_the_same_scores() {
    let point = Params::from([("x", Value::Float(0.5)), ("plain", Value::Bool(true))]);
    let study = StudySpec { enqueued: vec![point.clone(), point], ..plain_study(PrunerSpec::None) };
    let store = MemoryStore::new();
    run(&study, &store, &Bowl::default(), &limits(1, 2), &Silent).unwrap();
    let trials = store.trials("bowl").unwrap();
    assert_eq!(trials[0].score, trials[1].score);
    assert_eq!(trials[0].origin, Origin::Enqueued);
}

/// Needs memory, and watches how much of it is in use.
#[derive(Default)]
struct Hungry {
    used: AtomicU64,
    most: AtomicU64,
}

impl Objective for Hungry {
    fn evaluate(&self, trials: &[TrialPoint], _fold: usize, _: &FoldContext) -> Vec<Result<FoldOutcome, TrialError>> {
        let need = self.memory(trials[0].params);
        let used = self.used.fetch_add(need, Ordering::SeqCst) + need;
        self.most.fetch_max(used, Ordering::SeqCst);
        std::thread::sleep(std::time::Duration::from_micros(200));
        self.used.fetch_sub(need, Ordering::SeqCst);
        trials.iter().map(|_| Ok(FoldOutcome::score(1.0))).collect()
    }

    fn memory(&self, params: &Params) -> u64 {
        if params.float("x").unwrap() > 0.9 { 1000 } else { 30 }
    }
}

#[test]
fn memory_stays_below_its_limit_unless_one_fold_alone_exceeds_it() {
    let hungry = Hungry::default();
    let limits = Limits { memory: Some(100), ..limits(8, 50) };
    let outcome = run(&plain_study(PrunerSpec::None), &MemoryStore::new(), &hungry, &limits, &Silent).unwrap();
    assert_eq!(outcome.n_finished, 50);
    // A fold of 1000 runs alone; beside each other there are at most three of 30.
    assert_eq!(hungry.most.load(Ordering::SeqCst), 1000);
}

#[test]
fn events_of_a_trial_come_in_order() {
    let journal = Journal::default();
    run(&plain_study(median()), &MemoryStore::new(), &Bowl::default(), &limits(3, 20), &journal).unwrap();
    let lines = journal.0.into_inner().unwrap();
    assert_eq!(lines.first().unwrap(), "study started with 0 stored");
    assert_eq!(lines.last().unwrap(), "study finished with 20");
    let place = |line: String| lines.iter().position(|other| *other == line).unwrap_or_else(|| panic!("no `{line}`"));
    for number in 0..20 {
        let finished = lines
            .iter()
            .position(|line| *line == format!("trial {number} complete") || *line == format!("trial {number} pruned"));
        let order = [
            place(format!("trial {number} started")),
            place(format!("fold {number}/0 started")),
            place(format!("fold {number}/0 finished")),
            finished.unwrap(),
        ];
        assert!(order.is_sorted(), "{order:?}");
    }
}

/// Ends the study at its third trial.
struct Broken;

impl Objective for Broken {
    fn evaluate(&self, trials: &[TrialPoint], _fold: usize, _: &FoldContext) -> Vec<Result<FoldOutcome, TrialError>> {
        let outcome = |point: &TrialPoint| match point.number {
            3 => Err(TrialError::Fatal("the data file is gone".into())),
            _ => Ok(FoldOutcome::score(0.0)),
        };
        trials.iter().map(outcome).collect()
    }
}

#[test]
fn a_fatal_error_ends_the_study_with_its_message() {
    let error = run(&plain_study(PrunerSpec::None), &MemoryStore::new(), &Broken, &limits(4, 50), &Silent);
    assert_eq!(error.unwrap_err().to_string(), "the data file is gone");
}

/// Panics at the second trial that finishes.
struct PanickingReporter;

impl Reporter for PanickingReporter {
    fn report(&self, event: &Event) {
        match event {
            Event::TrialFinished { trial } if trial.number == 2 => panic!("closed pipe"),
            Event::FoldFinished { number: 40, .. } => panic!("closed pipe"),
            _ => {}
        }
    }
}

#[test]
fn a_panic_in_a_reporter_comes_out_and_does_not_hang() {
    let study = plain_study(PrunerSpec::None);
    let panics = std::panic::catch_unwind(|| {
        run(&study, &MemoryStore::new(), &Bowl::default(), &limits(3, 200), &PanickingReporter).map(|_| ())
    });
    assert!(panics.is_err());
}

#[test]
fn a_flat_study_ends_at_the_same_trial_on_any_number_of_threads_and_after_interruptions() {
    let study = StudySpec { sampler: SamplerSpec::Random, window: 4, ..plain_study(PrunerSpec::None) };
    let until_flat = Some(UntilFlat { gain: Some(0.02), n_more: 10, patience: 2 });
    let run_on = |n_threads: usize, stops: &[u64]| {
        let store = MemoryStore::new();
        for &n_trials in stops {
            let limits = Limits { until_flat, ..limits(n_threads, n_trials) };
            run(&study, &store, &Bowl { jitter: true, ..Bowl::default() }, &limits, &Silent).unwrap();
        }
        let limits = Limits { until_flat, ..limits(n_threads, 200) };
        let bowl = Bowl { jitter: true, ..Bowl::default() };
        let outcome = run(&study, &store, &bowl, &limits, &Silent).unwrap();
        (outcome.flat, outcome.n_counted, essence(&store, &study))
    };
    let expected = run_on(1, &[]);
    let flat = expected.0.unwrap();
    assert_eq!(flat.n_trials, expected.1);
    assert!((21..200).contains(&flat.n_trials) && flat.gain <= flat.least_gain, "{flat}");
    assert_eq!(run_on(8, &[]), expected);
    assert_eq!(run_on(3, &[flat.n_trials - 1, flat.n_trials - 7, flat.n_trials]), expected);
}

/// A valley under noise that is new in each look and fold.
struct Valley;

impl Objective for Valley {
    fn evaluate(&self, trials: &[TrialPoint], fold: usize, _: &FoldContext) -> Vec<Result<FoldOutcome, TrialError>> {
        let outcome = |trial: &TrialPoint| {
            let k = trial.params.int("k").unwrap() as f64;
            let noise = trial.seed.child("fold", fold as u64).to_u64() as f64 / u64::MAX as f64;
            Ok(FoldOutcome::score((k - 4.0).abs() + 2.0 * noise + 10.0 * f64::from(trial.look)))
        };
        trials.iter().map(outcome).collect()
    }
}

#[test]
fn points_are_looked_at_again_with_looks_of_their_own_on_any_number_of_threads() {
    let space = SearchSpace::new().with(Parameter::int("k", 0, 9));
    let defaults = vec![space.default_point()];
    let base =
        StudySpec { space, defaults, sampler: SamplerSpec::Gp, looks: 3, window: 4, n_folds: 2, ..costly_study() };
    let study = StudySpec { objectives: Vec::new(), ..base };
    let store = MemoryStore::new();
    run(&study, &store, &Valley, &limits(1, 28), &Silent).unwrap();
    let trials = store.trials("c").unwrap();
    let mut looks = std::collections::BTreeMap::<i64, Vec<u32>>::new();
    for trial in &trials {
        let look = trial.look();
        assert!(trial.folds.iter().all(|fold| fold.repeat == look && fold.score >= 10.0 * f64::from(look)));
        looks.entry(trial.params.int("k").unwrap()).or_default().push(look);
    }
    // All of ten points, and some of them up to three times.
    assert!(looks.len() == 10 && looks.values().any(|looks| looks.len() == 3), "{looks:?}");
    assert!(looks.values().all(|looks| [&[0][..], &[0, 1], &[0, 1, 2]].contains(&looks.as_slice())), "{looks:?}");
    for (n_threads, stop) in [(8, 28), (3, 17)] {
        let other = MemoryStore::new();
        for n_trials in [stop, 28] {
            run(&study, &other, &Valley, &limits(n_threads, n_trials), &Silent).unwrap();
        }
        assert_eq!(essence(&other, &study), essence(&store, &study), "{n_threads} threads");
    }
}

/// A score that is best at 0.3 and a cost that is best at 0; at some points the cost is left out, or is no number.
struct Costly;

impl Objective for Costly {
    fn evaluate(&self, trials: &[TrialPoint], fold: usize, _: &FoldContext) -> Vec<Result<FoldOutcome, TrialError>> {
        let outcome = |trial: &TrialPoint| {
            let x = trial.params.float("x").unwrap();
            let others = match trial.number % 10 {
                3 if fold == 1 => Vec::new(),
                7 => vec![vec![f64::NAN]],
                _ => vec![vec![x + fold as f64]],
            };
            Ok(FoldOutcome { others, ..FoldOutcome::score((x - 0.3).powi(2)) })
        };
        trials.iter().map(outcome).collect()
    }
}

fn costly_study() -> StudySpec {
    let objectives = vec![ObjectiveSpec { name: "cost".to_string(), direction: Direction::Minimize }];
    let space = SearchSpace::new().with(Parameter::float("x", 0.0, 1.0));
    StudySpec { space, objectives, sampler: SamplerSpec::Nsga2, n_folds: 2, ..StudySpec::new("c", Direction::Minimize) }
}

#[test]
fn further_objectives_are_kept_and_searched_alike_on_any_number_of_threads() {
    let study = costly_study();
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store")).unwrap();
    run(&study, &store, &Costly, &limits(1, 150), &Silent).unwrap();
    let trials = store.trials("c").unwrap();
    let x = |trial: &Trial| trial.params.float("x").unwrap();
    for trial in trials.iter().filter(|trial| trial.state == TrialState::Complete) {
        assert_eq!(trial.others, [[x(trial), x(trial) + 1.0]]);
        assert_eq!(trial.values().unwrap()[1], (x(trial) + (x(trial) + 1.0)) / 2.0);
    }
    let reason = |number: usize| format!("{:?}", trials[number].state);
    assert!(reason(3).contains("fold 1 needs 1 values beside each score"), "{}", reason(3));
    assert!(reason(7).contains("an objective of fold 0 is NaN"), "{}", reason(7));
    let front = pareto_front(&trials, &study.directions());
    assert!(front.len() > 20 && front.iter().all(|number| x(&trials[*number as usize]) <= 0.3 + 0.02));
    for n_threads in [2, 8] {
        let other = MemoryStore::new();
        run(&study, &other, &Costly, &limits(n_threads, 150), &Silent).unwrap();
        assert_eq!(essence(&other, &study), essence(&store, &study), "{n_threads} threads");
    }
}

#[test]
fn a_plan_of_several_objectives_says_what_it_cannot_have() {
    let pruned = StudySpec { pruner: median(), ..costly_study() };
    assert!(pruned.validate().unwrap_err().to_string().contains("leave the pruner out"));
    let objectives = [costly_study().objectives, costly_study().objectives].concat();
    let twice = StudySpec { objectives, ..costly_study() };
    assert!(twice.validate().unwrap_err().to_string().contains("objective `cost` twice"));
    // A plan without them is what it was before there were any.
    let alone = StudySpec { objectives: Vec::new(), ..costly_study() };
    assert!(!serde_json::to_string(&alone).unwrap().contains("objectives"));
}
