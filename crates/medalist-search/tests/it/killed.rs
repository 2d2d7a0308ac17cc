//! `kill -9`: a process of its own runs a study, is killed at random moments, and is started again.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use medalist_search::*;

use super::support::*;

const N_TRIALS: u64 = 40;

/// A sampler that reads results, with and without a prior, pruning and interleaved points; and an asynchronous study.
fn study(name: &str) -> StudySpec {
    let gp = StudySpec { name: name.to_string(), sampler: SamplerSpec::Gp, ..plain_study(PrunerSpec::None) };
    match name {
        "gp" => gp,
        "pruned" => StudySpec { pruner: median(), window: 4, interleave: 4, ..gp },
        "asynchronous" => StudySpec { pruner: median(), asynchronous: true, ..gp },
        other => panic!("no study {other}"),
    }
}

const STORE: &str = "MEDALIST_SEARCH_TEST_STORE";
const STUDY: &str = "MEDALIST_SEARCH_TEST_STUDY";

/// The process that is killed; as a test it does nothing.
#[test]
fn victim() {
    let (Ok(path), Ok(name)) = (std::env::var(STORE), std::env::var(STUDY)) else { return };
    let store = SqliteStore::open(path).unwrap();
    let bowl = Bowl { jitter: true, mishaps: true, ..Bowl::default() };
    run(&study(&name), &store, &bowl, &limits(3, N_TRIALS), &Silent).unwrap();
}

fn start(path: &Path, name: &str) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "killed::victim"]).env(STORE, path).env(STUDY, name);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// The number of kills that it took.
fn run_through_kills(path: &Path, name: &str, seed: u64) -> u64 {
    for n_kills in 0..12 {
        let mut child = start(path, name);
        let delay = 10 + Seed::new(seed).child("kill", n_kills).to_u64() % 400;
        std::thread::sleep(Duration::from_millis(delay));
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success());
            return n_kills;
        }
        // SIGKILL: nothing of the process's own can run any more.
        child.kill().unwrap();
        child.wait().unwrap();
    }
    assert!(start(path, name).wait().unwrap().success());
    12
}

#[test]
fn killed_at_random_moments_and_resumed_it_gives_the_same() {
    for name in ["gp", "pruned"] {
        let study = study(name);
        let whole = MemoryStore::new();
        run(&study, &whole, &Bowl { mishaps: true, ..Bowl::default() }, &limits(1, N_TRIALS), &Silent).unwrap();
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("store.db");
        let n_kills = run_through_kills(&path, name, 1);
        let store = SqliteStore::open(&path).unwrap();
        assert_eq!(essence(&store, &study), essence(&whole, &study), "{name} after {n_kills} kills");
    }
}

#[test]
fn an_asynchronous_study_repeats_itself_after_kills() {
    let study = study("asynchronous");
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.db");
    run_through_kills(&path, "asynchronous", 2);
    let store = SqliteStore::open(&path).unwrap();
    let before = essence(&store, &study);
    // A run proposes all of it again, and refuses to go on at the first point that is another.
    let bowl = Bowl::default();
    let outcome = run(&study, &store, &bowl, &limits(2, N_TRIALS), &Silent).unwrap();
    assert_eq!((outcome.n_counted, bowl.n_evaluated.into_inner()), (N_TRIALS, 0));
    assert_eq!(essence(&store, &study), before);
}
