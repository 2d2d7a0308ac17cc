use super::*;
use crate::space::Parameter;
use crate::testing::check_sampler;

#[test]
fn keeps_the_contract() {
    assert_eq!(check_sampler(&Gp::new()), Ok(()));
    assert_eq!(check_sampler(&crate::sampler::Auto::new()), Ok(()));
}

fn data() -> (Design, Vec<f64>) {
    let space = SearchSpace::new()
        .with(Parameter::float("x", 0.0, 1.0))
        .with(Parameter::float("y", 0.0, 1.0))
        .with(Parameter::choice("c", ["a", "b", "d"]));
    let encoding = Encoding::new(&space);
    let features = Feature::all(&encoding);
    let mut normals = Normals(Seed::new(3).rng());
    let mut rows: Vec<Vec<f64>> = (0..20)
        .map(|_| {
            let units = [normals.unit(), normals.unit(), normals.unit()];
            encoding.spread_all(|i| units[i])
        })
        .collect();
    // Second looks, by which the nugget differs from the noise.
    rows.extend_from_within(..3);
    let values: Vec<f64> = rows.iter().map(|row| (row[0] - 0.3).powi(2) + row[1] + 0.2 * row[2]).collect();
    (Design::new(&features, rows.iter().map(Vec::as_slice)), standardised(&values))
}

/// Three length scales, three variances, and two warps.
const THETA: [f64; 10] = [-0.5, 0.2, 0.4, 0.3, -3.0, -0.7, 0.4, -0.2, -0.5, 0.3];

#[test]
fn the_gradient_of_the_likelihood_is_that_of_differences() {
    let (design, values) = data();
    let likelihood =
        Likelihood { design: &design, values: &values, prior: Prior::new(&design.dimensions, values.len()) };
    let (value, gradient) = likelihood.evaluate(&THETA).unwrap();
    assert!((value - likelihood.cost(&THETA).unwrap()).abs() < 1e-9);
    for place in 0..THETA.len() {
        let at = |step: f64| {
            let mut moved = THETA;
            moved[place] += step;
            likelihood.evaluate(&moved).unwrap().0
        };
        let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
        assert!((gradient[place] - difference).abs() < 1e-5 * (1.0 + difference.abs()), "{place}: {difference}");
    }
}

#[test]
fn the_gradient_of_the_improvement_is_that_of_differences() {
    let (design, values) = data();
    let posterior = Posterior::new(&design, &values, &THETA).unwrap();
    let improvement = Improvement { parts: &[(posterior, 0.0)], incumbents: vec![-1.0] };
    let at = vec![0.41, 0.13, 1.0];
    let (value, gradient) = improvement.with_slope(&at);
    assert!((value - improvement.of(std::slice::from_ref(&at))[0]).abs() < 1e-9);
    for place in 0..2 {
        let moved = |step: f64| {
            let mut moved = at.clone();
            moved[place] += step;
            improvement.with_slope(&moved).0
        };
        let difference = (moved(1e-6) - moved(-1e-6)) / 2e-6;
        assert!((gradient[place] - difference).abs() < 1e-4 * (1.0 + difference.abs()), "{place}: {difference}");
    }
}

#[test]
fn a_warm_cache_changes_nothing() {
    let space = SearchSpace::new().with(Parameter::float("x", 0.0, 1.0)).with(Parameter::int("k", 0, 9));
    let mut trials = Vec::new();
    let warm = Gp::new();
    for number in 0..30 {
        let ask = |sampler: &Gp, trials: &[crate::trial::Trial]| {
            let history = History::new(trials, crate::trial::Direction::Minimize);
            sampler.sample(&space, &history, &[], number, Seed::new(1)).unwrap().unwrap()
        };
        let params = ask(&warm, &trials);
        assert_eq!(params, ask(&Gp::new(), &trials), "{number}");
        let score = (params.float("x").unwrap() - 0.7).powi(2) + (params.float("k").unwrap() - 4.0).abs() / 10.0;
        let mut trial = crate::testing::past_trial(0, params, 0.0, 1);
        (trial.number, trial.score) = (number, Some(score));
        trials.push(trial);
    }
    let best = trials.iter().filter_map(|trial| trial.score).fold(f64::INFINITY, f64::min);
    assert!(best < 1e-3, "{best}");
}

#[test]
fn no_point_is_proposed_twice_however_many_there_were() {
    let space = SearchSpace::new().with(Parameter::int("a", 0, 19)).with(Parameter::int("b", 0, 19));
    let mut trials: Vec<crate::trial::Trial> = Vec::new();
    let gp = Gp::new();
    for number in 0..150 {
        let history = History::new(&trials, crate::trial::Direction::Minimize);
        let params = gp.sample(&space, &history, &[], number, Seed::new(5)).unwrap().unwrap();
        let twice = trials.iter().any(|trial| trial.params == params);
        assert!(number < N_STARTUP as u64 || !twice, "trial {number} asks for {params} again");
        let score = (params.float("a").unwrap() - 11.0).abs() + (params.float("b").unwrap() - 4.0).abs();
        let mut trial = crate::testing::past_trial(0, params, 0.0, 1);
        (trial.number, trial.score) = (number, Some(score));
        trials.push(trial);
    }
}

#[test]
fn what_an_earlier_study_found_best_is_asked_for_in_this_one() {
    let space = SearchSpace::new().with(Parameter::int("x", 0, 9));
    let trial = |(number, x): (u64, i64)| {
        let mut trial = crate::testing::past_trial(0, [("x", x)].into(), 0.0, 1);
        (trial.number, trial.score) = (number, Some((x as f64 - 7.0).abs()));
        trial
    };
    let prior: Vec<crate::trial::Trial> = (0..).zip(0..10).map(trial).collect();
    let history = History { prior: &prior, ..History::new(&[], crate::trial::Direction::Minimize) };
    let params = Gp::new().sample(&space, &history, &[], 0, Seed::new(1)).unwrap().unwrap();
    assert_eq!(params.int("x"), Ok(7));
}
