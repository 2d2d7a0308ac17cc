//! What the engine itself costs, with a trivial objective. The bounds are generous: this is to catch a mistake of an order of magnitude.

use std::time::{Duration, Instant};

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
    let history = History::new(&[], Direction::Minimize);
    let n_points = grid.len(&space).unwrap().unwrap();
    let begun = Instant::now();
    for number in (0..n_points).step_by(20) {
        grid.sample(&space, &history, &[], number, Seed::new(0)).unwrap().unwrap();
    }
    let ms = begun.elapsed().as_secs_f64() * 1e3 / (n_points / 20) as f64;
    println!("{ms:.4} ms a point of {n_points}");
    assert!(ms < 10.0, "{ms} ms a point");
}

/// Slower than the objective, so that trials are held back for it again and again.
struct SlowStore(MemoryStore);

impl Store for SlowStore {
    fn put_study_attachment(&self, study: &str, attachment: &Attachment) -> Result<()> {
        self.0.put_study_attachment(study, attachment)
    }

    fn study_attachment(&self, study: &str, name: &str) -> Result<Option<Vec<u8>>> {
        self.0.study_attachment(study, name)
    }

    fn put_study(&self, study: &StudySpec) -> Result<()> {
        self.0.put_study(study)
    }

    fn studies(&self) -> Result<Vec<StudySpec>> {
        self.0.studies()
    }

    fn put_trials(&self, study: &str, trials: &[(Trial, Vec<Attachment>)]) -> Result<()> {
        std::thread::sleep(Duration::from_millis(10));
        self.0.put_trials(study, trials)
    }

    fn trials(&self, study: &str) -> Result<Vec<Trial>> {
        self.0.trials(study)
    }

    fn put_attachment(&self, study: &str, number: u64, attachment: &Attachment) -> Result<()> {
        self.0.put_attachment(study, number, attachment)
    }

    fn attachment(&self, study: &str, number: u64, name: &str) -> Result<Option<Vec<u8>>> {
        self.0.attachment(study, number, name)
    }
}

#[test]
fn a_store_that_cannot_keep_up_slows_the_run_and_does_not_end_it() {
    let study = StudySpec { n_folds: 1, ..plain_study(PrunerSpec::None) };
    let store = SlowStore(MemoryStore::new());
    let outcome = run(&study, &store, &Trivial, &limits(2, 20_000), &Silent).unwrap();
    assert_eq!(outcome.n_counted, 20_000);
    assert_eq!(store.trials("bowl").unwrap().len(), 20_000);
}
