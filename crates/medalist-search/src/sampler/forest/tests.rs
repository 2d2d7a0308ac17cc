use super::*;
use crate::space::Parameter;
use crate::testing::{check_sampler, scored};
use crate::trial::Direction;

#[test]
fn keeps_the_contract() {
    assert_eq!(check_sampler(&Forest), Ok(()));
}

/// Ten models of eight parameters each, of which half matter.
fn wide() -> SearchSpace {
    let branch = || (0..8).fold(SearchSpace::new(), |space, i| space.with(Parameter::float(format!("p{i}"), 0.0, 1.0)));
    SearchSpace::branches("model", (0..10).map(|model| (format!("m{model}"), branch())).collect())
}

fn score(params: &Params) -> f64 {
    let model = params.text("model").unwrap();
    let number: f64 = model[1..].parse().unwrap();
    let away = |i: usize| params.float(&format!("{model}.p{i}")).unwrap() - 0.2 - 0.1 * i as f64;
    0.1 * (number - 6.0).abs() + (0..4).map(|i| away(i).powi(2)).sum::<f64>()
}

/// The best score of each of some searches, averaged.
fn reached(sampler: &dyn Sampler, n_trials: u64) -> f64 {
    let space = wide();
    let run = |seed: u64| {
        let mut trials = Vec::new();
        for number in 0..n_trials {
            let history = History::new(&trials, Direction::Minimize);
            let params = sampler.sample(&space, &history, &[], number, Seed::new(seed)).unwrap().unwrap();
            trials.push(scored(number, params, score));
        }
        trials.iter().filter_map(|trial| trial.score).fold(f64::INFINITY, f64::min)
    };
    (0..4).map(run).sum::<f64>() / 4.0
}

#[test]
fn finds_its_way_in_a_wide_conditional_space() {
    let (forest, random) = (reached(&Forest, 80), reached(&Random, 80));
    assert!(forest < 0.75 * random, "{forest} {random}");
}

#[test]
fn points_that_wait_are_not_proposed_again() {
    let space = SearchSpace::new().with(Parameter::int("k", 0, 11));
    let point = |k: i64| Params::from([("k", crate::space::Value::Int(k))]);
    let trials: Vec<_> = (0..6).map(|k| scored(k as u64, point(k), |_| -(k as f64))).collect();
    let history = History::new(&trials, Direction::Minimize);
    let pending: Vec<Params> = (6..9).map(point).collect();
    for number in (8..30).filter(|number| (number + 1) % RANDOM_EVERY != 0) {
        let params = Forest.sample(&space, &history, &pending, number, Seed::new(0)).unwrap().unwrap();
        assert!(params.int("k").unwrap() > 8, "{params}");
    }
}
