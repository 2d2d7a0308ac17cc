//! Samplers: their contracts, any sampler on any space, the order of a grid, the evenness of Sobol' points.

use medalist_search::testing::{check_cold_and_warm, check_sampler};
use medalist_search::*;
use proptest::prelude::*;

use crate::support::{domains, trial};

const NO_HISTORY: History = History::new(&[], Direction::Minimize);

fn point(sampler: &dyn Sampler, space: &SearchSpace, number: u64) -> Option<Params> {
    sampler.sample(space, &NO_HISTORY, &[], number, Seed::new(0)).unwrap()
}

/// All that need no settings, and a grid.
fn all_samplers() -> Vec<SamplerSpec> {
    let named = SamplerSpec::NAMES.iter().map(|name| SamplerSpec::from_name(name).unwrap());
    named.chain([SamplerSpec::Grid { levels: 0, named: Vec::new() }]).collect()
}

#[test]
fn a_sampler_has_one_name_on_the_command_line_in_the_store_and_in_reports() {
    for name in SamplerSpec::NAMES {
        let spec = SamplerSpec::from_name(name).unwrap();
        assert_eq!(spec.build().name(), name);
        assert_eq!(serde_json::to_value(&spec).unwrap(), serde_json::json!({ "name": name }));
    }
}

#[test]
fn samplers_keep_their_contracts() {
    for spec in all_samplers() {
        check_sampler(&*spec.build()).unwrap();
    }
}

#[test]
fn what_samplers_remember_changes_no_answer() {
    for spec in all_samplers() {
        check_cold_and_warm(|| spec.build()).unwrap();
    }
}

/// Up to seven parameters of any domain; some depend on earlier ones, which may depend on others.
fn spaces() -> impl Strategy<Value = SearchSpace> {
    let parameter = (domains(), any::<[u8; 4]>());
    proptest::collection::vec(parameter, 1..8).prop_map(|parameters| {
        let mut space = SearchSpace::new();
        for (i, (domain, [depends, parent, at, width])) in parameters.into_iter().enumerate() {
            let mut parameter = Parameter::of(format!("p{i}"), domain);
            parameter.levels = parameter.domain.spread(2);
            if i > 0 && depends % 2 == 0 {
                let parent = &space.parameters()[usize::from(parent) % i];
                let values: Vec<Value> = (0..=width % 3)
                    .map(|k| parent.domain.from_unit(f64::from(at.wrapping_add(80 * k)) / 255.0))
                    .collect();
                parameter = parameter.when(parent.name.clone(), values);
            }
            space = space.with(parameter);
        }
        space
    })
}

/// Scores such as a history may hold: usual, equal, none, infinite and as large as numbers go.
fn scores() -> impl Strategy<Value = f64> {
    prop_oneof![6 => -10.0..10.0f64, 2 => Just(1.0), 1 => prop_oneof![
        Just(f64::NAN),
        Just(f64::INFINITY),
        Just(f64::NEG_INFINITY),
        Just(f64::MAX),
        Just(-1e300)
    ]]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_sampler_proposes_points_of_any_space_alike(
        space in spaces(),
        past in proptest::collection::vec((scores(), 0..6u8), 0..30),
        n_pending in 0..6u64,
        seed in any::<u64>(),
    ) {
        prop_assert_eq!(space.validate(), Ok(()));
        let random = |number| point(&Random, &space, number).unwrap();
        let told = |(number, (score, fate)): (u64, (f64, u8))| {
            let state = match fate {
                0 => TrialState::Failed { reason: "diverged".into() },
                1 => TrialState::Pruned,
                _ => TrialState::Complete,
            };
            trial(number, random(number), state, score)
        };
        let trials: Vec<Trial> = (0..).zip(past).map(told).collect();
        let number = trials.len() as u64 + n_pending;
        let pending: Vec<Params> = (trials.len() as u64..number).map(random).collect();
        for direction in [Direction::Minimize, Direction::Maximize] {
            let history = History::new(&trials, direction);
            for spec in all_samplers() {
                let ask = |sampler: &dyn Sampler| {
                    let point = sampler.sample(&space, &history, &pending, number, Seed::new(seed)).unwrap();
                    (point, sampler.best(&space, &history))
                };
                let sampler = spec.build();
                let (point, best) = ask(&*sampler);
                let is_over = sampler.len(&space).unwrap().is_some_and(|n| number >= n);
                prop_assert_eq!(point.is_none(), is_over, "{}", sampler.name());
                if let Some(point) = &point {
                    prop_assert_eq!(space.check(point), Ok(()), "{}: {}", sampler.name(), point);
                }
                let is_complete = |number: u64| trials[number as usize].state == TrialState::Complete;
                prop_assert!(best.is_none_or(is_complete), "{}: {:?}", sampler.name(), best);
                prop_assert_eq!(ask(&*sampler), (point.clone(), best), "{} once more", sampler.name());
                prop_assert_eq!(ask(&*spec.build()), (point, best), "{} anew", sampler.name());
            }
        }
    }
}

#[track_caller]
fn check_grid(space: &SearchSpace, levels: usize, named: &[&str], expected: &[&str]) {
    let grid = Grid::new(levels, named.iter().map(|name| name.to_string()).collect());
    assert_eq!(grid.len(space), Ok(Some(expected.len() as u64)));
    let found: Vec<String> = (0..).map_while(|n| point(&grid, space, n)).map(|params| params.to_string()).collect();
    assert_eq!(found, expected);
}

fn models() -> SearchSpace {
    let ridge = SearchSpace::new().with(Parameter::float("alpha", 0.01, 100.0).log().levels([0.1, 10.0]));
    let boost = SearchSpace::new()
        .with(Parameter::int("trees", 1, 100).levels([10, 20]).default(10).staged())
        .with(Parameter::int("depth", 1, 9).levels([2, 4]).default(2))
        .with(Parameter::choice("loss", ["l2", "l1"]));
    let nothing = SearchSpace::new();
    let branches = [("ridge", ridge), ("boost", boost), ("mean", nothing)];
    SearchSpace::branches("model", branches.map(|(name, space)| (name.to_string(), space)).into())
}

#[test]
fn a_grid_goes_branch_by_branch_with_stages_innermost() {
    check_grid(
        &models(),
        0,
        &[],
        &[
            "model=ridge ridge.alpha=0.1",
            "model=ridge ridge.alpha=10",
            "boost.depth=2 boost.loss=l2 boost.trees=10 model=boost",
            "boost.depth=2 boost.loss=l2 boost.trees=20 model=boost",
            "boost.depth=4 boost.loss=l2 boost.trees=10 model=boost",
            "boost.depth=4 boost.loss=l2 boost.trees=20 model=boost",
            "model=mean",
        ],
    );
}

#[test]
fn a_grid_leaves_out_what_a_constraint_does() {
    let space = models().constrain("`boost.depth` > 3 or ridge.alpha < 1".parse().unwrap());
    // Neither part has a value in the other's branch, so that the whole holds everywhere.
    assert_eq!(Grid::new(0, Vec::new()).len(&space), Ok(Some(7)));
    let space = space.constrain("boost.depth > 3".parse().unwrap()).constrain("ridge.alpha < 1".parse().unwrap());
    let left = [
        "model=ridge ridge.alpha=0.1",
        "boost.depth=4 boost.loss=l2 boost.trees=10 model=boost",
        "boost.depth=4 boost.loss=l2 boost.trees=20 model=boost",
        "model=mean",
    ];
    check_grid(&space, 0, &[], &left);
    let huge = (0..30).fold(SearchSpace::new(), |space, i| space.with(Parameter::float(format!("x{i}"), 0.0, 1.0)));
    let named = (0..30).map(|i| format!("x{i}")).collect();
    let error = Grid::new(10, named).len(&huge.constrain("x0 < x1".parse().unwrap())).unwrap_err().to_string();
    assert!(error.contains("take fewer levels"), "{error}");
}

#[test]
fn named_parameters_of_one_branch_do_not_multiply_another() {
    check_grid(
        &models(),
        3,
        &["ridge.alpha", "boost.loss"],
        &[
            "model=ridge ridge.alpha=0.01",
            "model=ridge ridge.alpha=1",
            "model=ridge ridge.alpha=100",
            "boost.depth=2 boost.loss=l2 boost.trees=10 model=boost",
            "boost.depth=2 boost.loss=l1 boost.trees=10 model=boost",
            "model=mean",
        ],
    );
}

#[test]
fn listed_values_and_restricted_models_are_the_grid() {
    let mut space = models();
    for (name, text) in [("ridge.alpha", "=5,1"), ("model", "ridge,mean")] {
        let restriction = Restriction::parse(space.get(name).unwrap(), text).unwrap();
        space.restrict(name, restriction).unwrap();
    }
    let expected = ["model=ridge ridge.alpha=1", "model=ridge ridge.alpha=5", "model=mean"];
    check_grid(&space, 10, &["ridge.alpha"], &expected);
}

#[test]
fn a_huge_grid_is_counted_and_not_listed() {
    let space = (0..12).fold(SearchSpace::new(), |space, i| space.with(Parameter::float(format!("x{i:02}"), 0.0, 1.0)));
    let named = (0..12).map(|i| format!("x{i:02}")).collect();
    let grid = Grid::new(11, named);
    assert_eq!(grid.len(&space), Ok(Some(11u64.pow(12))));
    let last = point(&grid, &space, 11u64.pow(12) - 1).unwrap();
    assert!(last.iter().all(|(_, value)| *value == Value::Float(1.0)));
    assert_eq!(point(&grid, &space, 11u64.pow(12)), None);
}

#[test]
fn a_grid_over_a_stranger_says_which_name_was_meant() {
    let error = Grid::new(3, vec!["ridge.alhpa".into()]).len(&models()).unwrap_err();
    assert_eq!(error.to_string(), "unknown parameter `ridge.alhpa`; did you mean `ridge.alpha`?");
}

/// The L2 star discrepancy by Warnock's formula (Matousek, *On the L2-Discrepancy for Anchored Boxes*, 1998).
fn discrepancy(points: &[Vec<f64>]) -> f64 {
    let (n, d) = (points.len() as f64, points[0].len() as i32);
    let one: f64 = points.iter().map(|x| x.iter().map(|x| (1.0 - x * x) / 2.0).product::<f64>()).sum();
    let pair = |x: &[f64], y: &[f64]| x.iter().zip(y).map(|(x, y)| 1.0 - x.max(*y)).product::<f64>();
    let two: f64 = points.iter().map(|x| points.iter().map(|y| pair(x, y)).sum::<f64>()).sum();
    (3f64.powi(-d) - 2.0 / n * one + two / (n * n)).sqrt()
}

#[test]
fn sobol_points_are_more_even_than_random_ones() {
    let space = (0..5).fold(SearchSpace::new(), |space, i| space.with(Parameter::float(format!("x{i}"), 0.0, 1.0)));
    for seed in 0..5 {
        let points = |sampler: &dyn Sampler, first: u64| -> Vec<Vec<f64>> {
            let point = |n| sampler.sample(&space, &NO_HISTORY, &[], n, Seed::new(seed)).unwrap().unwrap();
            (first..first + 256).map(|n| point(n).iter().map(|(_, x)| x.as_f64().unwrap()).collect()).collect()
        };
        let random = discrepancy(&points(&Random, 0));
        for first in [0, 1 << 16] {
            let sobol = discrepancy(&points(&Sobol, first));
            assert!(sobol < random, "sobol {sobol}, random {random}");
        }
    }
}

/// The first two dimensions of Sobol's sequence are a (0, 2)-sequence in base 2 (Sobol', *On the Distribution of Points in a Cube*, 1967), and scrambling keeps that (Owen, *Randomly Permuted (t,m,s)-Nets and (t,s)-Sequences*, 1995): of each block of 2^m points, one lies in each box of 2^-k by 2^(k - m). Each dimension alone is a (0, 1)-sequence.
#[test]
fn sobol_points_are_the_nets_that_they_must_be() {
    let space = (0..9).fold(SearchSpace::new(), |space, i| space.with(Parameter::float(format!("x{i}"), 0.0, 1.0)));
    for (seed, first) in [(0, 0), (1, 0), (2, 192), (3, (1 << 16) + 64)] {
        let point = |n| Sobol.sample(&space, &NO_HISTORY, &[], n, Seed::new(seed)).unwrap().unwrap();
        let points: Vec<Vec<f64>> =
            (first..first + 64).map(|n| point(n).iter().map(|(_, x)| x.as_f64().unwrap()).collect()).collect();
        let is_net = |cells: &dyn Fn(&[f64]) -> usize| {
            let mut counts = [0; 64];
            points.iter().for_each(|point| counts[cells(point)] += 1);
            counts == [1; 64]
        };
        for k in 0..=6 {
            let (across, down) = (1 << k, 1 << (6 - k));
            let cell = |point: &[f64]| (point[0] * across as f64) as usize * down + (point[1] * down as f64) as usize;
            assert!(is_net(&cell), "seed {seed}, {across} by {down}");
        }
        for dimension in 0..9 {
            assert!(is_net(&|point| (point[dimension] * 64.0) as usize), "seed {seed}, dimension {dimension}");
        }
    }
}

#[test]
fn random_integers_have_equal_shares() {
    let space = SearchSpace::new().with(Parameter::int("k", 1, 5)).with(Parameter::choice("c", ["a", "b", "c"]));
    let mut counts = [0; 6];
    for number in 0..5000 {
        counts[point(&Random, &space, number).unwrap().int("k").unwrap() as usize] += 1;
    }
    // Binomial(5000, 1/5): four standard deviations are 113.
    assert!(counts[1..].iter().all(|count| (887..=1113).contains(count)), "{counts:?}");
}
