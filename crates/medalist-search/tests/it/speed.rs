//! What the engine itself costs, with a trivial objective. The bounds are generous: this is to catch a mistake of an order of magnitude.

use std::time::Instant;

use medalist_search::*;

use super::support::{limits, plain_study};

struct Trivial;

impl Objective for Trivial {
    fn evaluate(&self, trials: &[TrialPoint], _fold: usize, _: &FoldContext) -> Vec<Result<FoldOutcome, TrialError>> {
        trials.iter().map(|point| Ok(FoldOutcome::score(point.number as f64))).collect()
    }
}

#[track_caller]
fn check(store: &dyn Store, pruner: PrunerSpec, n_trials: u64, most_ms_per_trial: f64) {
    let study = plain_study(pruner);
    let begun = Instant::now();
    let outcome = run(&study, store, &Trivial, &limits(2, n_trials), &Silent).unwrap();
    let ms = begun.elapsed().as_secs_f64() * 1e3 / n_trials as f64;
    println!("{ms:.4} ms a trial");
    assert_eq!(outcome.n_counted, n_trials);
    assert!(ms < most_ms_per_trial, "{ms} ms a trial");
}

#[test]
fn five_thousand_trials_in_memory() {
    check(&MemoryStore::new(), PrunerSpec::None, 5000, 2.0);
}

#[test]
fn two_thousand_trials_with_pruning() {
    check(&MemoryStore::new(), PrunerSpec::Median(Median::default()), 2000, 4.0);
}

#[test]
fn two_thousand_trials_in_sqlite() {
    let dir = tempfile::tempdir().unwrap();
    check(&SqliteStore::open(dir.path().join("store.db")).unwrap(), PrunerSpec::None, 2000, 10.0);
}

#[test]
fn a_grid_point_in_twenty_branches() {
    let branch = || {
        (0..8).fold(SearchSpace::new().with(Parameter::choice("kind", ["a", "b"]).levels(["a", "b"])), |space, i| {
            let parameter = Parameter::float(format!("x{i}"), 0.0, 1.0).levels([0.1, 0.5]);
            space.with(if i < 2 { parameter.when("kind", ["a"]) } else { parameter })
        })
    };
    let space = SearchSpace::branches("model", (0..20).map(|i| (format!("model_{i}"), branch())).collect());
    let grid = Grid::new(0, Vec::new());
    let history = History { trials: &[], direction: Direction::Minimize };
    let n_points = grid.len(&space).unwrap().unwrap();
    let begun = Instant::now();
    for number in (0..n_points).step_by(20) {
        grid.sample(&space, &history, &[], number, Seed::new(0)).unwrap().unwrap();
    }
    let ms = begun.elapsed().as_secs_f64() * 1e3 / (n_points / 20) as f64;
    println!("{ms:.4} ms a point of {n_points}");
    assert!(ms < 10.0, "{ms} ms a point");
}
