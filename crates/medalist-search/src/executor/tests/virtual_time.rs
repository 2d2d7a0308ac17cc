//! Runs in virtual time: the same trials as real ones, and idle times that can be told in advance.

use super::*;

fn reader(study: &StudySpec) -> Box<Reader> {
    Box::new(Reader { window: (!study.asynchronous).then_some(study.window) })
}

fn idle(study: &StudySpec, n_workers: usize) -> f64 {
    simulate(study, reader(study), &Jittery::default(), &|_, _| 1.0, n_workers, N_TRIALS).unwrap().idle
}

#[test]
fn a_simulated_run_has_the_trials_of_a_real_one() {
    for pruner in [PrunerSpec::None, median()] {
        let study = StudySpec { interleave: 5, ..study(4, pruner) };
        let store = MemoryStore::new();
        go_on(&study, &store, 3, None);
        for n_workers in [1, 8, 64] {
            let slow = |point: &TrialPoint, fold: usize| 1.0 + (point.number * 7 + fold as u64 * 3) as f64 % 5.0;
            let run = simulate(&study, reader(&study), &Jittery::default(), &slow, n_workers, N_TRIALS).unwrap();
            let simulated = MemoryStore::new();
            simulated.put_study(&study).unwrap();
            let trials: Vec<_> = run.trials.into_iter().map(|trial| (trial, Vec::new())).collect();
            simulated.put_trials("s", &trials).unwrap();
            assert_eq!(essence(&simulated), essence(&store), "{n_workers} workers");
        }
    }
}

#[test]
fn idle_times_are_those_of_a_pencil() {
    // Five folds of equal time one trial after the other: 5 of 8 workers run, but for the two points to try first, which run at once.
    let one = idle(&study(1, PrunerSpec::None), 8);
    assert!((one - 3.0 / 8.0).abs() < 0.02, "{one}");
    assert_eq!(idle(&study(1, PrunerSpec::None), 1), 0.0);
    assert_eq!(idle(&study(1, PrunerSpec::None), 5), 0.0);
    // Four trials have 20 folds for 8 workers.
    assert!(idle(&study(4, PrunerSpec::None), 8) < 0.01);
    assert_eq!(idle(&StudySpec { asynchronous: true, ..study(1, PrunerSpec::None) }, 64), 0.0);
}

#[test]
fn interleaved_points_fill_the_gaps() {
    // Every seventh trial takes ten times as long as the others, which then wait for it.
    let slow = |point: &TrialPoint, _: usize| if point.number % 7 == 3 { 10.0 } else { 1.0 };
    let idle = |interleave: u64| {
        let study = StudySpec { interleave, ..study(4, PrunerSpec::None) };
        simulate(&study, reader(&study), &Jittery::default(), &slow, 8, N_TRIALS).unwrap().idle
    };
    let (without, with) = (idle(0), idle(3));
    assert!(with < 0.8 * without, "{with} against {without}");
}
