//! The formulas against the Python package cmaes 0.13.1, and what a run finds.

use super::categories::Categories;
use super::covariance::Covariance;
use super::gaussian::Gaussian;
use super::margin::{self, upper_quantile};
use super::strategy::{Strategy, default_population, expected_length};
use super::*;
use crate::space::{Parameter, Value};
use crate::testing::past_trial;
use crate::trial::{Direction, Origin, Trial, TrialState};

#[track_caller]
fn check(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let off = (found - expected).abs();
        assert!(off <= 1e-9 * expected.abs().max(1e-3), "number {i} is {found}, not {expected}");
    }
}

/// Ranked as they come, one column a coordinate.
fn steps(gaussian: &Gaussian, points: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let step = |point: &Vec<f64>| {
        point.iter().zip(&gaussian.mean).map(|(x, mean)| (x - mean) / gaussian.sigma).collect::<Vec<f64>>()
    };
    points.iter().map(step).collect()
}

// CMA(mean=[.5, .4, .3], sigma=.2): _weights, _c1, _cmu, _cc, _c_sigma, _d_sigma, _mu_eff, _chi_n.
#[test]
fn the_strategy_has_its_constants() {
    let strategy = Strategy::new(3, default_population(3));
    let weights = [
        0.585645106509765,
        0.2928225532548825,
        0.12153234023535245,
        0.0,
        -0.4241269418431741,
        -0.7706638857059224,
        -1.0636566969842556,
    ];
    check(&strategy.weights, &weights);
    let found = [
        strategy.c_1,
        strategy.c_mu,
        strategy.c_c,
        strategy.c_sigma,
        strategy.d_sigma,
        strategy.mu_eff,
        expected_length(3),
    ];
    let expected = [
        0.09640963257927214,
        0.05124308701358615,
        0.5588013228860189,
        0.4149090010980616,
        1.4149090010980616,
        2.2548150822016044,
        1.5968775302586076,
    ];
    check(&found, &expected);
    assert_eq!(default_population(10), 10);
}

// The same, told of x_ij = frac(.37 (i + 1) (j + 2) + .11 g) in the order of i, in generations g = 0, 1, 2.
#[test]
fn three_generations_are_those_of_the_reference() {
    let mut gaussian = Gaussian::new(vec![0.5, 0.4, 0.3], 0.2);
    let strategy = Strategy::new(3, 7);
    let point = |g: i32, i: i32| -> Vec<f64> {
        (0..3).map(|j| (0.37 * f64::from((i + 1) * (j + 2)) + 0.11 * f64::from(g)).fract()).collect()
    };
    for g in 0..3 {
        let points: Vec<Vec<f64>> = (0..7).map(|i| point(g, i)).collect();
        assert!(gaussian.update(&strategy, &steps(&gaussian, &points)));
    }
    check(&gaussian.mean, &[0.8206693192313472, 0.38894759570981446, 0.5428709786980469]);
    check(&[gaussian.sigma], &[0.21632281989774035]);
    check(&gaussian.path_sigma, &[1.1832900399907391, 0.6422937131281365, 0.8727806351048888]);
    check(&gaussian.path_covariance, &[1.0973113708574604, 0.6622420835024159, 0.63639005477211]);
    let Covariance::Full { matrix, .. } = &gaussian.covariance else { panic!("a small matrix is kept whole") };
    let lower: Vec<f64> = (0..3).flat_map(|j| (j..3).map(move |i| (i, j))).map(|at| matrix[at]).collect();
    let expected = [
        1.1277106725386465,
        0.055321929488107546,
        0.2413746661376412,
        0.6641058136521628,
        -0.40091630548948626,
        1.5120895637093956,
    ];
    check(&lower, &expected);
}

// CMAwM(mean=[.5, .46, .3], sigma=.05, bounds=[[0, 1], [.1, .9], [.25, .75]], steps=[0, .2, .5]), told of five generations: _cma._mean, _cma._sigma, _A.
#[test]
fn the_margin_is_that_of_the_reference() {
    let mut gaussian = Gaussian::new(vec![0.5, 0.46, 0.3], 0.05);
    let strategy = Strategy::new(3, 7);
    let mut stretch = [1.0; 3];
    let thresholds = [vec![], vec![0.2, 0.4, 0.6, 0.8], vec![0.5]];
    for g in 0..5 {
        let point = |i: i32| {
            let (i, g) = (f64::from(i), f64::from(g));
            let [x, y, z] = [(1.0 + i + g).sin(), (2.0 * i + g).cos(), (3.0 * i + g).sin()];
            vec![0.5 + 0.02 * x, 0.46 + 0.02 * y, 0.3 + 0.01 * z]
        };
        let points: Vec<Vec<f64>> = (0..7).map(point).collect();
        assert!(gaussian.update(&strategy, &steps(&gaussian, &points)));
        for (i, thresholds) in thresholds.iter().enumerate() {
            margin::correct(&mut gaussian, &mut stretch[i], i, thresholds, 1.0 / 21.0);
        }
    }
    check(&gaussian.mean, &[0.4887287330054814, 0.4576134673464651, 0.34081372070239446]);
    check(&[gaussian.sigma], &[0.1292148005265376]);
    check(&stretch, &[1.0, 1.4410044768509185, 1.0]);
}

// CatCMA(cat_num=[3, 4], population_size=6), whose trial ranked i in generation g has the choices (2i + g) mod 3 and (i + 2g) mod 4: _q after four generations.
#[test]
fn categories_are_those_of_the_reference() {
    let mut categories = Categories::new(&[3, 4]);
    let weights = Strategy::new(2, 6).weights;
    for g in 0..4 {
        let choices: Vec<_> = (0..6).map(|i| vec![Some((2 * i + g) % 3), Some((i + 2 * g) % 4)]).collect();
        categories.update(&weights, &choices);
    }
    check(&categories.probabilities[0], &[0.34053790264080175, 0.22613923114318624, 0.433322866216012]);
    let second = [0.4026351278196414, 0.16914417848041252, 0.30479137874366535, 0.1234293149562807];
    check(&categories.probabilities[1], &second);
}

// scipy.stats.norm.isf, scipy 1.17.
#[test]
fn quantiles_are_exact_far_into_the_tail() {
    let found = [0.4, 0.1, 1e-3, 1e-10, 0.9].map(upper_quantile);
    let expected = [0.2533471031357997, 1.2815515655446004, 3.090232306167813, 6.361340902404056, -1.2815515655446004];
    check(&found, &expected);
}

#[test]
fn a_coordinate_that_no_parent_had_stays_as_it_is() {
    let mut gaussian = Gaussian::new(vec![0.5, 0.5, 0.5], 0.2);
    let strategy = Strategy::new(3, 7);
    let active = [0, 1, 0, 1, 0, 0, 1];
    let step = |(i, known): (usize, &i32)| {
        let x = (i as f64 - 2.5) / 3.0;
        vec![x, -x, if *known == 2 { x } else { f64::NAN }]
    };
    for _ in 0..5 {
        assert!(gaussian.update(&strategy, &active.iter().enumerate().map(step).collect::<Vec<_>>()));
    }
    assert_eq!((gaussian.mean[2], gaussian.path_sigma[2], gaussian.path_covariance[2]), (0.5, 0.0, 0.0));
    assert!((gaussian.covariance.variance(2) - 1.0).abs() < 1e-12, "{}", gaussian.covariance.variance(2));
    assert!(gaussian.mean[0] != 0.5);
}

/// Trials of a study of its own with this window, on one number per point; failed where it is not finite.
fn search(space: &SearchSpace, window: u64, n_trials: u64, seed: u64, f: impl Fn(&Params) -> f64) -> Vec<Trial> {
    let sampler = Cmaes::new();
    let mut trials: Vec<Trial> = Vec::new();
    for number in 0..n_trials {
        let n_past = (number + 1).saturating_sub(window) as usize;
        let history = History::new(&trials[..n_past], Direction::Minimize);
        let params = sampler.sample(space, &history, &[], number, Seed::new(seed)).unwrap().unwrap();
        let mut trial = past_trial(0, params, 0.0, 1);
        (trial.number, trial.origin, trial.score) = (number, Origin::Sampler, Some(f(&trial.params)));
        if !trial.score.unwrap().is_finite() {
            (trial.state, trial.score) = (TrialState::Failed { reason: "odd".to_string() }, None);
        }
        trials.push(trial);
    }
    trials
}

fn best(trials: &[Trial]) -> f64 {
    crate::trial::best(trials, Direction::Minimize).and_then(|trial| trial.score).unwrap()
}

fn cube(n: usize) -> SearchSpace {
    (0..n).fold(SearchSpace::new(), |space, i| space.with(Parameter::float(format!("x{i}"), -5.0, 5.0)))
}

fn numbers(params: &Params) -> Vec<f64> {
    params.iter().filter_map(|(_, value)| value.as_f64()).collect()
}

/// A long valley across the axes.
fn valley(params: &Params) -> f64 {
    let x = numbers(params);
    let along: f64 = x.iter().sum::<f64>() - 3.0;
    100.0 * along * along + x.iter().map(|x| (x - 1.0).powi(2)).sum::<f64>()
}

#[test]
fn a_valley_across_the_axes_is_followed_to_its_end() {
    for seed in 0..3 {
        let found = best(&search(&cube(3), 1, 600, seed, valley));
        assert!(found < 1e-6, "seed {seed}: {found}");
    }
}

#[test]
fn a_window_costs_trials_and_not_the_search() {
    for seed in 0..3 {
        let found = best(&search(&cube(3), 8, 1200, seed, valley));
        assert!(found < 1e-4, "seed {seed}: {found}");
    }
}

#[test]
fn integers_categories_and_failures_are_searched_to_the_optimum() {
    let space = cube(2)
        .with(Parameter::int("k", 0, 40))
        .with(Parameter::int("l", 1, 1000).log())
        .with(Parameter::choice("c", ["a", "b", "c", "d"]));
    let f = |params: &Params| {
        let (k, l) = (params.int("k").unwrap(), params.int("l").unwrap());
        let choice = ["c", "a", "d", "b"].iter().position(|c| *c == params.text("c").unwrap()).unwrap();
        if k % 7 == 3 {
            return f64::NAN;
        }
        let x = params.float("x0").unwrap() - 2.0;
        x * x + ((k - 29) as f64 / 10.0).powi(2) + (l as f64 / 20.0).ln().powi(2) + choice as f64
    };
    for seed in 0..3 {
        let found = best(&search(&space, 1, 600, seed, f));
        assert!(found < 0.02, "seed {seed}: {found}");
    }
}

#[test]
fn a_branch_is_searched_while_others_are_not_there() {
    let branch = |n: usize| cube(n);
    let space = SearchSpace::branches("model", vec![("a".to_string(), branch(3)), ("b".to_string(), branch(2))]);
    let f = |params: &Params| {
        let is_b = params.text("model").unwrap() == "b";
        numbers(params).iter().map(|x| (x - 1.5).powi(2)).sum::<f64>() + if is_b { 0.0 } else { 2.0 }
    };
    for seed in 0..3 {
        let found = best(&search(&space, 1, 400, seed, f));
        assert!(found < 0.05, "seed {seed}: {found}");
    }
}

#[test]
fn a_flat_function_is_begun_again_with_twice_the_population() {
    let space = cube(1);
    let encoding = Encoding::new(&space);
    let coordinates = Coordinates::new(&encoding);
    let problem = Problem { space: &space, encoding: &encoding, coordinates, seed: Seed::new(0) };
    let trials = search(&space, 1, 120, 0, |_| 1.0);
    let mut run = Run::new(&problem);
    let first = run.population();
    run.advance(&problem, &Results::new(&History::new(&trials, Direction::Minimize)));
    assert_eq!(run.population(), 2 * first);
}

#[test]
fn a_cold_cache_and_a_warm_one_give_the_same_bits() {
    let space = cube(2).with(Parameter::int("k", 0, 9)).with(Parameter::choice("c", ["a", "b", "c"]));
    let f = |params: &Params| {
        let k = params.int("k").unwrap();
        if k == 3 { f64::NAN } else { valley(params) + k as f64 }
    };
    let trials = search(&space, 5, 150, 4, f);
    for trial in &trials {
        let n_past = (trial.number + 1).saturating_sub(5) as usize;
        let history = History::new(&trials[..n_past], Direction::Minimize);
        let again = Cmaes::new().sample(&space, &history, &[], trial.number, Seed::new(4)).unwrap();
        assert_eq!(again.as_ref(), Some(&trial.params), "trial {}", trial.number);
    }
    // Another history of the same length is not taken for this one.
    let warm = Cmaes::new();
    let ask = |sampler: &Cmaes, trials: &[Trial]| {
        let history = History::new(trials, Direction::Minimize);
        sampler.sample(&space, &history, &[], 150, Seed::new(4)).unwrap()
    };
    let mut other = trials.clone();
    other[3].params.insert("k", Value::Int(8));
    ask(&warm, &trials);
    assert_eq!(ask(&warm, &other), ask(&Cmaes::new(), &other));
    assert_ne!(ask(&warm, &other), ask(&warm, &trials));
}
