use super::*;
use crate::space::{Domain, Parameter};
use crate::testing::{check_sampler, past_trial};
use crate::trial::{Direction, Trial, TrialState};

#[test]
fn keeps_the_contract() {
    assert_eq!(check_sampler(&Tpe), Ok(()));
}

#[test]
fn densities_are_those_of_scipy() {
    // Sums over components of products of scipy.stats.truncnorm's densities, or of its probabilities of a cell over the cell's width, and of smoothed frequencies, scipy 1.17.1 and numpy 2.4.6: three observations with weights 1.5, 1, 0.5 and the prior with 1.
    let (counted, scaled) = (Domain::Int { low: 0, high: 9, log: false, step: 1 }, log_int(1, 10));
    let axes = [
        Axis::Interval,
        Axis::Cells { domain: &scaled, n: 10 },
        Axis::Categories(4),
        Axis::Cells { domain: &counted, n: 10 },
    ];
    let unit = |domain: &Domain, value: i64| domain.to_unit(&value.into()).unwrap();
    let columns = [
        vec![0.2, 0.25, 0.6],
        [2, 5, 9].map(|value| unit(&scaled, value)).to_vec(),
        vec![0.0, 2.0, 2.0],
        [0, 3, 9].map(|value| unit(&counted, value)).to_vec(),
    ];
    let parzen = || Parzen::new(&axes, &columns, &[1.5, 1.0, 0.5]);
    for (at, expected, expected_given) in [
        ((0.22, 2, 0.0, 0), 4.463_416_906_174_376, 3.318_210_742_612_601),
        ((0.9, 10, 3.0, 9), -1.532_316_057_804_662, -0.110_621_491_0),
        ((0.5, 4, 2.0, 3), -0.483_012_389_416_308, 0.084_922_338_407_691),
    ] {
        let point = vec![at.0, unit(&scaled, at.1), at.2, unit(&counted, at.3)];
        let found = parzen().log_densities(&axes, std::slice::from_ref(&point))[0];
        assert!((found - expected).abs() < 1e-7, "{at:?}: {found} {expected}");
        let found = parzen().given(&axes, &point[..1]).log_densities(&axes, &[point[1..].to_vec()])[0];
        assert!((found - expected_given).abs() < 1e-7, "{at:?}: {found} {expected_given}");
    }
}

#[test]
fn a_density_is_what_its_draws_show() {
    let domain = Domain::Int { low: 0, high: 4, log: false, step: 1 };
    let axes = [Axis::Cells { domain: &domain, n: 5 }, Axis::Categories(3)];
    let parzen = Parzen::new(&axes, &[vec![0.1, 0.7], vec![2.0, 0.0]], &[1.0, 2.0]);
    let mut normals = Normals(Seed::new(5).rng());
    let mut counts = [0u32; 15];
    let n_draws = 40_000;
    for _ in 0..n_draws {
        let point = parzen.draw(&axes, &mut normals);
        counts[(point[0] * 5.0) as usize * 3 + point[1] as usize] += 1;
    }
    for (i, count) in counts.into_iter().enumerate() {
        let point = vec![((i / 3) as f64 + 0.5) / 5.0, (i % 3) as f64];
        let expected = parzen.log_densities(&axes, &[point])[0].exp() / 15.0;
        let found = f64::from(count) / f64::from(n_draws);
        assert!((found - expected).abs() < 5.0 * (expected / f64::from(n_draws)).sqrt(), "{i}: {found} {expected}");
    }
}

#[test]
fn weights_fall_with_the_rank_and_have_a_mean_of_one() {
    // By hand: ln 3.5 + 0.5, ln 1.75 + 0.5, ln(3.5 / 3) + 0.5 over their mean.
    let expected = [1.516_874, 0.917_012, 0.566_114];
    for (found, expected) in rank_weights(3).into_iter().zip(expected) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
    assert_eq!(rank_weights(1), [1.0]);
}

fn log_int(low: i64, high: i64) -> Domain {
    Domain::Int { low, high, log: true, step: 1 }
}

fn branches() -> SearchSpace {
    SearchSpace::new()
        .with(Parameter::choice("model", ["svm", "tree"]))
        .with(Parameter::float("svm.c", 0.0, 1.0).when("model", ["svm"]))
        .with(Parameter::float("tree.depth", 0.0, 1.0).when("model", ["tree"]))
}

fn told(number: u64, params: Params, score: f64) -> Trial {
    let mut trial = past_trial(number, params, 0.0, 1);
    (trial.state, trial.score) = (TrialState::Complete, Some(score));
    trial
}

/// Minimises for so many trials; the points in order.
fn minimise(space: &SearchSpace, n_trials: u64, score: impl Fn(&Params) -> f64) -> Vec<Trial> {
    let mut trials = Vec::new();
    for number in 0..n_trials {
        let history = History::new(&trials, Direction::Minimize);
        let params = Tpe.sample(space, &history, &[], number, Seed::new(3)).unwrap().unwrap();
        let score = score(&params);
        trials.push(told(number, params, score));
    }
    trials
}

#[test]
fn finds_the_good_branch_and_what_is_good_in_it() {
    let score = |params: &Params| match params.float("tree.depth") {
        Ok(depth) => (depth - 0.8).abs(),
        Err(_) => 1.0 + (params.float("svm.c").unwrap() - 0.3).abs(),
    };
    let trials = minimise(&branches(), 60, score);
    let late = || trials[30..].iter().filter_map(|trial| trial.params.float("tree.depth").ok());
    assert!(late().count() > 20, "{}", late().count());
    let near = late().filter(|depth| (depth - 0.8).abs() < 0.1).count();
    assert!(near * 2 > late().count(), "{near} of {}", late().count());
}

#[test]
fn what_a_branch_has_is_learned_from_its_own_trials_alone() {
    // The worst values of the other branch stand at the same places: none of them may move a proposal.
    let proposals = |other: f64| -> Vec<f64> {
        let point = |i: u64| match i % 2 {
            0 => Params::from([("model", "svm".into()), ("svm.c", crate::space::Value::Float(i as f64 / 40.0))]),
            _ => Params::from([("model", "tree".into()), ("tree.depth", crate::space::Value::Float(other))]),
        };
        let trials: Vec<Trial> =
            (0..40).map(|i| told(i, point(i), if i % 2 == 0 { i as f64 } else { 100.0 + i as f64 })).collect();
        let history = History::new(&trials, Direction::Minimize);
        let propose = |number| Tpe.sample(&branches(), &history, &[], number, Seed::new(0)).unwrap().unwrap();
        (40..80).filter_map(|number| propose(number).float("svm.c").ok()).collect()
    };
    assert!(proposals(0.1).len() > 20);
    assert_eq!(proposals(0.1), proposals(0.9));
}

#[test]
fn keeps_away_from_pending_points_and_from_failed_ones() {
    // Two valleys alike.
    let space = SearchSpace::new().with(Parameter::float("x", 0.0, 1.0));
    let point = |x: f64| Params::from([("x", x)]);
    let depth = |x: f64| (x - 0.25).abs().min((x - 0.75).abs());
    let known: Vec<Trial> = (0..60).map(|i| told(i, point(i as f64 / 60.0), depth(i as f64 / 60.0))).collect();
    let n_left = |trials: &[Trial], pending: &[Params]| {
        let history = History::new(trials, Direction::Minimize);
        let propose = |number| Tpe.sample(&space, &history, pending, number, Seed::new(0)).unwrap().unwrap();
        (60..160).filter(|&number| propose(number).float("x").unwrap() < 0.5).count()
    };
    let waiting: Vec<Params> = (0..30).map(|i| point(0.21 + 0.0025 * f64::from(i))).collect();
    let fail = |(number, params): (u64, &Params)| {
        let state = TrialState::Failed { reason: "diverged".to_string() };
        Trial { state, score: None, folds: Vec::new(), ..told(number, params.clone(), 0.0) }
    };
    let failing: Vec<Trial> = known.iter().cloned().chain((60..).zip(&waiting).map(fail)).collect();
    assert!(n_left(&known, &[]) > 40, "{}", n_left(&known, &[]));
    assert!(n_left(&known, &waiting) < 10, "{}", n_left(&known, &waiting));
    assert!(n_left(&failing, &[]) < 10, "{}", n_left(&failing, &[]));
}

#[test]
fn a_smooth_bowl_is_searched_better_than_at_random() {
    let space = (0..5).fold(SearchSpace::new(), |space, i| space.with(Parameter::float(format!("x{i}"), -5.0, 5.0)));
    let score = |params: &Params| params.iter().map(|(_, x)| (x.as_f64().unwrap() - 1.0).powi(2)).sum();
    let best = |trials: &[Trial]| trials.iter().filter_map(|trial| trial.score).fold(f64::INFINITY, f64::min);
    // Random points reach 9 here in the median of 100 trials.
    let found = best(&minimise(&space, 100, score));
    assert!(found < 1.0, "{found}");
}
