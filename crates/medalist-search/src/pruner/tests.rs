//! Decisions against reference values: one trial after another, each seeing all before it.

use std::sync::Arc;

use super::*;
use crate::testing::check_pruner;
use crate::trial::Direction;

const N_STEPS: u64 = 16;

/// What trial `i` shows at step `s`; low is good.
fn value(i: u64, s: u64) -> f64 {
    ((i * 37 + 11) % 23) as f64 / 23.0 + 1.0 / s as f64 + ((i * s * 13) % 7) as f64 / 20.0
}

/// The step at which each of 24 trials was pruned, 0 where none. A pruned trial stays in the past as far as it came, or whole.
fn stops(pruner: &dyn Pruner, direction: Direction, stays_whole: bool) -> Vec<u64> {
    let sign = if direction == Direction::Minimize { 1.0 } else { -1.0 };
    let budget = Budget::steps(1, None);
    let mut curves: Vec<Arc<Curve>> = Vec::new();
    let mut stops = Vec::new();
    for number in 0..24 {
        let points: Vec<(u64, f64)> = (1..=N_STEPS).map(|step| (step, sign * value(number, step))).collect();
        let part = |n: u64| Curve { number, points: points[..n as usize].to_vec(), ..Curve::default() };
        let past = Past { curves: &curves, direction, budget };
        let stop = (1..=N_STEPS).find(|step| pruner.should_prune(&past, &part(*step))).unwrap_or(0);
        let n_kept = if stop == 0 || stays_whole { N_STEPS } else { stop };
        let score = (n_kept == N_STEPS).then(|| points[N_STEPS as usize - 1].1);
        curves.push(Arc::new(Curve { score, ..part(n_kept) }));
        stops.push(stop);
    }
    stops
}

#[test]
fn asha_stops_trials_where_optuna_does() {
    // SuccessiveHalvingPruner(1, reduction_factor, min_early_stopping_rate) on `value`, Optuna 5.0.
    for (reduction_factor, min_early_stopping_rate, expected) in [
        (4, 0, [0, 0, 1, 1, 1, 1, 4, 1, 1, 1, 1, 4, 1, 1, 0, 1, 1, 1, 1, 4, 1, 4, 1, 1]),
        (2, 0, [0, 0, 1, 1, 1, 1, 4, 1, 1, 1, 1, 2, 1, 2, 0, 1, 2, 1, 2, 0, 1, 4, 1, 1]),
        (3, 1, [0, 0, 3, 3, 3, 3, 0, 3, 3, 3, 3, 9, 3, 3, 0, 3, 9, 3, 3, 9, 3, 9, 3, 3]),
    ] {
        let asha = Asha { min_resource: None, reduction_factor, min_early_stopping_rate };
        assert_eq!(stops(&asha, Direction::Minimize, false), expected);
        assert_eq!(stops(&asha, Direction::Maximize, false), expected);
        // A cohort of all trials is no cohort.
        if min_early_stopping_rate == 0 {
            let halving = Halving { min_resource: None, reduction_factor, cohort: 100 };
            assert_eq!(stops(&halving, Direction::Minimize, false), expected);
        }
    }
}

#[test]
fn percentile_and_median_stop_trials_where_optuna_does() {
    // PercentilePruner(40, 5, 3) and MedianPruner() on `value`, the trials run to their end whatever it says, Optuna 5.0.
    let percentile = Percentile { percentile: 40.0, n_startup_trials: 5, n_warmup_steps: 3 };
    let expected = [0, 0, 0, 0, 0, 3, 0, 3, 3, 3, 3, 0, 3, 4, 0, 3, 0, 3, 4, 0, 3, 0, 3, 4];
    assert_eq!(stops(&percentile, Direction::Minimize, true), expected);
    let expected = [0, 0, 0, 0, 0, 1, 0, 1, 1, 1, 1, 0, 1, 4, 0, 1, 0, 1, 2, 0, 1, 0, 1, 1];
    assert_eq!(stops(&Median::default(), Direction::Maximize, true), expected);
}

#[test]
fn halving_asks_the_last_cohort_alone() {
    let curve = |number, value| Curve { number, points: vec![(1, value)], ..Curve::default() };
    let curves: Vec<Arc<Curve>> =
        [0.1, 0.2, 0.3, 5.0, 6.0].into_iter().zip(0..).map(|(v, n)| Arc::new(curve(n, v))).collect();
    let past = Past { curves: &curves, direction: Direction::Minimize, budget: Budget::steps(1, Some(9)) };
    let halving = |cohort| Halving { min_resource: None, reduction_factor: 3, cohort };
    assert!(!halving(3).should_prune(&past, &curve(5, 4.0)), "the best of 5, 6 and itself");
    assert!(halving(6).should_prune(&past, &curve(5, 4.0)), "not among the best two of six");
}

#[test]
fn hyperband_compares_trials_of_a_bracket_alone() {
    // On five folds the first bracket decides after 1 and 3, the second after 3, the third never.
    let hyperband = Hyperband::default();
    let budget = Budget::folds(5);
    let fold_curve = |number: u64, score: f64, n: usize| Curve {
        number,
        score: (n == 5).then_some(score),
        points: (1..=n as u64).map(|fold| (fold, score)).collect(),
        folds: vec![score; n],
    };
    let curves: Vec<Arc<Curve>> = (0..60).map(|number| Arc::new(fold_curve(number, 1.0 + number as f64, 5))).collect();
    let past = Past { curves: &curves, direction: Direction::Minimize, budget };
    let asked = |n: usize| (60..90).map(|number| hyperband.should_prune(&past, &fold_curve(number, 1e3, n))).collect();
    let (after_1, after_2, after_3): (Vec<bool>, Vec<bool>, Vec<bool>) = (asked(1), asked(2), asked(3));
    assert!(after_2.iter().all(|pruned| !pruned), "2 is no rung");
    let count = |pruned: &[bool]| pruned.iter().filter(|pruned| **pruned).count();
    assert!(count(&after_1) > 0 && count(&after_1) < count(&after_3) && count(&after_3) < 30);
}

#[test]
fn patience_ends_with_the_last_improvement_and_never_for_the_best() {
    let curve = |number, score, values: &[f64]| Curve {
        number,
        score,
        points: (1..).zip(values).map(|(step, value)| (step, *value)).collect(),
        ..Curve::default()
    };
    let earlier = [Arc::new(curve(0, Some(0.5), &[0.9, 0.7, 0.5]))];
    let past = Past { curves: &earlier, direction: Direction::Minimize, budget: Budget::steps(1, None) };
    let patience = |min_delta| Patience { patience: 2, min_delta };
    for (values, min_delta, expected) in [
        (&[0.9, 0.8, 0.8][..], 0.0, false),
        (&[0.9, 0.8, 0.8, 0.9], 0.0, true),
        (&[0.9, 0.8, 0.8, 0.79], 0.0, false),
        (&[0.9, 0.8, 0.8, 0.79], 0.05, true),
        (&[0.9, 0.4, 0.8, 0.9], 0.0, false),
        (&[0.9, 0.9], 0.0, false),
    ] {
        let pruned = patience(min_delta).should_prune(&past, &curve(1, None, values));
        assert_eq!(pruned, expected, "{values:?} with {min_delta}");
    }
}

#[test]
fn patience_on_folds_wants_one_of_the_last_folds_better_than_the_best_trials() {
    let curve = |number, score, folds: &[f64]| {
        let mean = |n: usize| folds[..n].iter().sum::<f64>() / n as f64;
        let points = (1..=folds.len()).map(|n| (n as u64, mean(n))).collect();
        Curve { number, score, points, folds: folds.to_vec() }
    };
    let earlier = [curve(0, Some(0.5), &[0.5, 0.4, 0.6, 0.5, 0.5]), curve(1, Some(0.9), &[0.9; 5])].map(Arc::new);
    let past = Past { curves: &earlier, direction: Direction::Minimize, budget: Budget::folds(5) };
    for (folds, expected) in [
        (&[0.6, 0.6, 0.7][..], true),
        (&[0.6, 0.6], false),
        (&[0.6, 0.3, 0.9], false),
        (&[0.45, 0.6, 0.7, 0.6], true),
        (&[0.1, 0.6, 0.7, 0.6], false),
    ] {
        assert_eq!(Patience::default().should_prune(&past, &curve(2, None, folds)), expected, "{folds:?}");
    }
}

#[test]
fn a_threshold_reads_the_last_value() {
    let threshold = Threshold { lower: Some(0.0), upper: Some(1.0), n_warmup_steps: 2 };
    let past = Past { curves: &[], direction: Direction::Minimize, budget: Budget::steps(1, None) };
    for (points, expected) in [
        (&[(1, 5.0)][..], false),
        (&[(1, 5.0), (2, 1.0)], false),
        (&[(1, 0.5), (2, 1.1)], true),
        (&[(1, 0.5), (3, -0.1)], true),
    ] {
        let curve = Curve { points: points.to_vec(), ..Curve::default() };
        assert_eq!(threshold.should_prune(&past, &curve), expected, "{points:?}");
    }
}

#[test]
fn all_keep_their_contract() {
    for name in PrunerSpec::NAMES {
        let pruner = match PrunerSpec::from_name(name).unwrap() {
            PrunerSpec::Threshold(_) => PrunerSpec::parse("threshold:lower=-10,upper=10").unwrap(),
            pruner => pruner,
        };
        check_pruner(&*pruner.build()).unwrap();
    }
}
