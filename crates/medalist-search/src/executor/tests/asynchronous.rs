//! Asynchronous studies: what was seen is stored, and the store repeats it.

use super::super::judge::Judge;
use super::*;
use crate::store::SqliteStore;

fn asynchronous(pruner: PrunerSpec) -> StudySpec {
    StudySpec { asynchronous: true, ..study(8, pruner) }
}

/// Proposes all stored trials once more from what each had seen; a run would end with an error at the first that differs by a bit.
#[track_caller]
fn check_replays(study: &StudySpec, store: &dyn Store) {
    let before = essence(store);
    let outcome = go_on(study, store, 3, None);
    assert_eq!((outcome.n_counted, outcome.n_finished), (N_TRIALS, N_TRIALS));
    assert_eq!(essence(store), before);
}

#[test]
fn the_store_repeats_the_proposals() {
    for pruner in [PrunerSpec::None, median()] {
        let study = asynchronous(pruner);
        for n_threads in [1, 3, 8, 64] {
            let store = MemoryStore::new();
            go_on(&study, &store, n_threads, None);
            check_replays(&study, &store);
            for trial in store.trials("s").unwrap() {
                let seen = &trial.seen[0];
                assert_eq!(seen.end, if trial.number < 2 { 0 } else { trial.number });
                // Folds fill the threads, so few trials are under way; those that wait for a decision do not wait.
                assert!(seen.except.len() <= 2 * n_threads + 4, "{trial:?}");
                assert!(seen.except.is_sorted() && seen.except.iter().all(|number| *number < trial.number));
            }
        }
    }
}

#[test]
fn interruptions_do_not_change_what_was_proposed() {
    for (pruner, n_folds) in [(PrunerSpec::None, 17), (median(), 40), (median(), 90)] {
        let study = asynchronous(pruner);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.db");
        let mut known: Vec<Trial> = Vec::new();
        let mut n_runs = 0;
        loop {
            let store = SqliteStore::open(&path).unwrap();
            let interrupted = go_on(&study, &store, 1 + n_runs * 5 % 8, Some(n_folds)).interrupted;
            let trials = store.trials("s").unwrap();
            for (before, after) in known.iter().zip(&trials) {
                assert_eq!(before.params, after.params, "trial {}", before.number);
                assert_eq!(before.seen[0], after.seen[0], "trial {}", before.number);
            }
            known = trials;
            if !interrupted {
                break;
            }
            n_runs += 1;
            assert!(n_runs < 100, "no progress");
        }
        assert!(n_runs > 0, "never interrupted");
        check_replays(&study, &SqliteStore::open(&path).unwrap());
    }
}

/// What is in the store after a crash at any commit is enough to repeat what is in it.
#[test]
fn every_commit_leaves_a_store_that_repeats_itself() {
    let study = asynchronous(median());
    let store = Snapshots { store: MemoryStore::new(), all: Mutex::default() };
    go_on(&study, &store, 8, None);
    for trials in store.all.into_inner().unwrap().iter().step_by(7) {
        let store = MemoryStore::new();
        store.put_study(&study).unwrap();
        store.put_trials("s", &trials.iter().map(|trial| (trial.clone(), Vec::new())).collect::<Vec<_>>()).unwrap();
        assert_eq!(go_on(&study, &store, 3, None).n_counted, N_TRIALS);
    }
}

struct Snapshots {
    store: MemoryStore,
    all: Mutex<Vec<Vec<Trial>>>,
}

impl Store for Snapshots {
    fn put_study_attachment(&self, study: &str, attachment: &Attachment) -> Result<()> {
        self.store.put_study_attachment(study, attachment)
    }

    fn study_attachment(&self, study: &str, name: &str) -> Result<Option<Vec<u8>>> {
        self.store.study_attachment(study, name)
    }

    fn put_study(&self, study: &StudySpec) -> Result<()> {
        self.store.put_study(study)
    }

    fn studies(&self) -> Result<Vec<StudySpec>> {
        self.store.studies()
    }

    fn put_trials(&self, study: &str, trials: &[(Trial, Vec<Attachment>)]) -> Result<()> {
        self.store.put_trials(study, trials)?;
        self.all.lock().unwrap().push(self.store.trials(study)?);
        Ok(())
    }

    fn trials(&self, study: &str) -> Result<Vec<Trial>> {
        self.store.trials(study)
    }

    fn put_attachment(&self, study: &str, number: u64, attachment: &Attachment) -> Result<()> {
        self.store.put_attachment(study, number, attachment)
    }

    fn attachment(&self, study: &str, number: u64, name: &str) -> Result<Option<Vec<u8>>> {
        self.store.attachment(study, number, name)
    }
}

#[test]
fn decisions_say_what_they_saw() {
    let study = asynchronous(median());
    let store = MemoryStore::new();
    go_on(&study, &store, 8, None);
    let trials = store.trials("s").unwrap();
    let (judge, rungs) = (Judge::new(&study), study.pruner.rungs(study.n_folds));
    let mut n_pruned = 0;
    for trial in &trials {
        let n_folds = trial.folds.len();
        let is_failed = matches!(trial.state, TrialState::Failed { .. });
        for (seen, rung) in trial.seen[1..].iter().zip(&rungs) {
            let is_seen = |other: &&Trial| other.number < seen.end && !seen.except.contains(&other.number);
            let past: Vec<_> = trials.iter().filter(is_seen).map(|trial| judge.curve(trial)).collect();
            let mut first = trial.clone();
            first.folds.truncate(*rung);
            let prunes = judge.prunes(&past, &first);
            assert_eq!(prunes, trial.state == TrialState::Pruned && n_folds == *rung, "{trial:?}");
            n_pruned += u64::from(prunes);
        }
        let n_decided = rungs.iter().filter(|rung| **rung <= n_folds).count();
        assert!(is_failed || trial.seen.len() == 1 + n_decided, "{trial:?}");
    }
    assert!(n_pruned > 5, "{n_pruned}");
}

#[test]
fn a_trial_that_saw_other_results_than_the_store_has_is_named() {
    let study = asynchronous(PrunerSpec::None);
    let store = MemoryStore::new();
    go_on(&study, &store, 1, None);
    // One thread takes one trial after the other: this one has seen the first.
    let mut trial = store.trials("s").unwrap()[9].clone();
    trial.seen[0].except.insert(0, 0);
    store.put_trials("s", &[(trial, Vec::new())]).unwrap();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
    let limits = Limits { n_trials: Some(N_TRIALS), ..Limits::new(Arc::new(pool)) };
    let sampler = Box::new(Reader { window: None });
    let error = run_with(&study, sampler, &store, &Jittery::default(), &limits, &Silent).unwrap_err();
    assert!(matches!(error, Error::ResultsMissing { number: 9, .. }), "{error}");
}
