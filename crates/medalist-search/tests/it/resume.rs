//! Interruptions: whatever is cut off runs again, and the result is that of a run that was not.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use medalist_search::*;

use super::support::*;

const N_TRIALS: u64 = 40;

fn uninterrupted(study: &StudySpec) -> Vec<String> {
    let store = MemoryStore::new();
    run(study, &store, &Bowl { mishaps: true, ..Bowl::default() }, &limits(1, N_TRIALS), &Silent).unwrap();
    essence(&store, study)
}

#[test]
fn a_run_cut_off_anywhere_and_resumed_ends_as_if_it_had_not_been() {
    for pruner in pruners() {
        let study = plain_study(pruner);
        let expected = uninterrupted(&study);
        let dir = tempfile::tempdir().unwrap();
        for (case, n_folds) in [1, 4, 17, 33, 60].into_iter().enumerate() {
            let path = dir.path().join(format!("{case}.db"));
            let mut n_runs = 0;
            loop {
                n_runs += 1;
                // A new handle each time, as a new process would have.
                let store = SqliteStore::open(&path).unwrap();
                let limits = limits(1 + (n_runs + case) % 5, N_TRIALS);
                let cancel_after = Some((n_folds, limits.cancel.clone()));
                let bowl = Bowl { jitter: true, mishaps: true, cancel_after, ..Bowl::default() };
                let outcome = run(&study, &store, &bowl, &limits, &Silent).unwrap();
                if !outcome.interrupted {
                    assert_eq!(outcome.n_counted, N_TRIALS);
                    assert_eq!(essence(&store, &study), expected, "{n_folds} folds at a time");
                    break;
                }
                // Within a few folds no trial of five may end; give the next run a little more.
                if n_runs > 400 {
                    panic!("no progress in {n_runs} runs of {n_folds} folds: {outcome:?}");
                }
                if n_folds < 10 {
                    let more = Limits { n_trials: Some(outcome.n_counted + 1), ..limits_of(&limits) };
                    run(&study, &store, &Bowl { mishaps: true, ..Bowl::default() }, &more, &Silent).unwrap();
                }
            }
        }
    }
}

/// The same pool with a fresh token.
fn limits_of(limits: &Limits) -> Limits {
    Limits::new(limits.pool.clone())
}

#[test]
fn finished_trials_are_not_evaluated_again() {
    let study = plain_study(median());
    let store = MemoryStore::new();
    run(&study, &store, &Bowl::default(), &limits(2, 20), &Silent).unwrap();
    let bowl = Bowl::default();
    let outcome = run(&study, &store, &bowl, &limits(2, 20), &Silent).unwrap();
    assert_eq!((bowl.n_evaluated.load(Ordering::Relaxed), outcome.n_finished), (0, 20));
}

#[test]
fn a_deadline_stops_between_folds() {
    let mut limits = limits(2, u64::MAX);
    limits.n_trials = None;
    limits.cancel = limits.cancel.with_deadline(Instant::now() + Duration::from_millis(50));
    let study = plain_study(PrunerSpec::None);
    let outcome = run(&study, &MemoryStore::new(), &Bowl::default(), &limits, &Silent).unwrap();
    assert!(outcome.interrupted && outcome.n_counted > 0, "{outcome:?}");
}

#[test]
fn a_stored_trial_that_would_be_another_today_is_named() {
    let study = plain_study(PrunerSpec::None);
    let store = MemoryStore::new();
    run(&study, &store, &Bowl::default(), &limits(1, 5), &Silent).unwrap();
    let mut trial = store.trials("bowl").unwrap()[3].clone();
    trial.params.insert("x", 0.125);
    store.put_trials("bowl", &[(trial, Vec::new())]).unwrap();
    let error = run(&study, &store, &Bowl::default(), &limits(1, 5), &Silent).unwrap_err();
    assert!(matches!(error, Error::TrialChanged { number: 3, .. }), "{error}");
}

#[test]
fn another_plan_under_the_same_name_is_refused() {
    let store = MemoryStore::new();
    run(&plain_study(PrunerSpec::None), &store, &Bowl::default(), &limits(1, 1), &Silent).unwrap();
    let error = run(&plain_study(median()), &store, &Bowl::default(), &limits(1, 1), &Silent).unwrap_err();
    assert!(error.to_string().contains("pruner.name: \"none\" against \"median\""), "{error}");
}

/// Fails from the k-th write of trials on.
struct FullDisk {
    store: MemoryStore,
    n_left: AtomicUsize,
}

impl Store for FullDisk {
    fn put_study(&self, study: &StudySpec) -> Result<()> {
        self.store.put_study(study)
    }

    fn studies(&self) -> Result<Vec<StudySpec>> {
        self.store.studies()
    }

    fn put_trials(&self, study: &str, trials: &[(Trial, Vec<Attachment>)]) -> Result<()> {
        if self.n_left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_err() {
            return Err(Error::Store { path: "full.db".into(), message: "the disk is full".into() });
        }
        self.store.put_trials(study, trials)
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

    fn put_study_attachment(&self, study: &str, attachment: &Attachment) -> Result<()> {
        self.store.put_study_attachment(study, attachment)
    }

    fn study_attachment(&self, study: &str, name: &str) -> Result<Option<Vec<u8>>> {
        self.store.study_attachment(study, name)
    }
}

#[test]
fn what_was_announced_is_stored_when_the_disk_fills_up() {
    for n_left in [0, 1, 3] {
        let store = FullDisk { store: MemoryStore::new(), n_left: AtomicUsize::new(n_left) };
        let journal = Journal::default();
        let study = plain_study(PrunerSpec::None);
        let limits = limits(4, 2000);
        let bowl = Bowl { jitter: true, ..Bowl::default() };
        let error = run(&study, &store, &bowl, &limits, &journal).unwrap_err();
        assert_eq!(error.to_string(), "store full.db: the disk is full");
        assert!(!limits.cancel.is_cancelled(), "the caller's token is the caller's");
        let stored: Vec<u64> = store.trials("bowl").unwrap().iter().map(|trial| trial.number).collect();
        let mut announced: Vec<u64> = Vec::new();
        for line in journal.0.lock().unwrap().iter() {
            if let Some(number) = line.strip_prefix("trial ").and_then(|line| line.strip_suffix(" complete")) {
                announced.push(number.parse().unwrap());
            }
        }
        announced.sort_unstable();
        assert_eq!(announced, stored);
        assert_eq!(announced.is_empty(), n_left == 0);
    }
}
