use super::trials;
use crate::insight::importance::{Analysis, importance};
use crate::insight::regions::Measure;
use crate::sampler::History;
use crate::sampler::encoding::Encoding;
use crate::sampler::normals::Normals;
use crate::seed::Seed;
use crate::space::{Parameter, Params, SearchSpace, Value};
use crate::surrogate::forest::{Forest, Sample};
use crate::surrogate::tree::{Growth, Tree};
use crate::trial::Direction;

/// Three models, one with a kernel that has a parameter of its own; all values are cells, so that the space can be counted through.
fn small() -> SearchSpace {
    SearchSpace::new()
        .with(Parameter::choice("model", ["svm", "tree", "mean"]))
        .with(Parameter::choice("kernel", ["rbf", "poly", "linear"]).when("model", ["svm"]))
        .with(Parameter::int("gamma", 0, 3).when("kernel", ["rbf", "poly"]))
        .with(Parameter::int("depth", 1, 5).when("model", ["tree"]))
        .with(Parameter::int("scale", 0, 2))
}

/// All points with what share of the space each has.
fn all(encoding: &Encoding) -> Vec<(Vec<f64>, f64)> {
    let n_cells = [3, 3, 4, 5, 3];
    let n: usize = n_cells.iter().product();
    let row = |mut number: usize| {
        let mut units = Vec::new();
        for n_cells in n_cells {
            units.push(((number % n_cells) as f64 + 0.5) / n_cells as f64);
            number /= n_cells;
        }
        (encoding.spread_all(|i| units[i]), 1.0 / n as f64)
    };
    (0..n).map(row).collect()
}

fn grown(encoding: &Encoding) -> Tree {
    let mut normals = Normals(Seed::new(5).rng());
    let rows: Vec<Vec<f64>> = (0..60)
        .map(|_| {
            let units: Vec<f64> = (0..encoding.len()).map(|_| normals.unit()).collect();
            encoding.spread_all(|i| units[i])
        })
        .collect();
    let values: Vec<f64> = rows.iter().map(|_| normals.normal()).collect();
    let growth = Growth { least_rows: 1, n_cuts: 2, share: 0.5 };
    Forest::grow(encoding, &rows, &values, 1, Sample::All, growth, Seed::new(1)).trees.remove(0)
}

/// The variance of the mean given some parameters, where they are active, times the share of that part: counted through.
fn explained(encoding: &Encoding, tree: &Tree, positions: &[usize], active: &[usize]) -> f64 {
    let is_active = |row: &[f64]| active.iter().all(|&position| !row[position].is_nan());
    let points: Vec<(Vec<f64>, f64)> = all(encoding).into_iter().filter(|(row, _)| is_active(row)).collect();
    let mean_of = |holds: &dyn Fn(&[f64]) -> bool| {
        let (mut sum, mut shares) = (0.0, 0.0);
        for (row, share) in points.iter().filter(|(row, _)| holds(row)) {
            sum += share * tree.leaf(row).mean;
            shares += share;
        }
        sum / shares
    };
    let mean = mean_of(&|_| true);
    let of = |row: &Vec<f64>| mean_of(&|other: &[f64]| positions.iter().all(|&k| other[k] == row[k]));
    points.iter().map(|(row, share)| share * (of(row) - mean).powi(2)).sum()
}

#[test]
fn shares_of_variance_are_those_of_counting_all_points_through() {
    let space = small();
    let encoding = Encoding::new(&space);
    let tree = grown(&encoding);
    let measure = Measure::new(&encoding);
    let regions = measure.regions(&tree);
    let total: f64 = regions.iter().map(|region| measure.share_of(region)).sum();
    assert!((total - 1.0).abs() < 1e-12, "{total}");
    let analysis = Analysis::new(&measure, regions);
    let mean: f64 = all(&encoding).iter().map(|(row, share)| share * tree.leaf(row).mean).sum();
    let variance: f64 = all(&encoding).iter().map(|(row, share)| share * (tree.leaf(row).mean - mean).powi(2)).sum();
    assert!((analysis.variance() - variance).abs() < 1e-12 && variance > 0.1, "{variance}");
    for position in 0..encoding.len() {
        let expected = explained(&encoding, &tree, &[position], &[position]);
        assert!((analysis.main(position) - expected).abs() < 1e-12, "{position}: {expected}");
        for other in 0..position {
            let pair = [other, position];
            let expected = if (other, position) == (1, 3) || (other, position) == (2, 3) {
                // Never active together.
                0.0
            } else {
                explained(&encoding, &tree, &pair, &pair)
                    - explained(&encoding, &tree, &[other], &pair)
                    - explained(&encoding, &tree, &[position], &pair)
            };
            let found = analysis.pair(other, position);
            assert!((found - expected).abs() < 1e-12, "{pair:?}: {found} {expected}");
        }
    }
}

#[test]
fn a_known_function_has_its_known_shares() {
    let names = ["a", "b", "c", "d", "nothing"];
    let space = names.iter().fold(SearchSpace::new(), |space, name| space.with(Parameter::float(*name, 0.0, 1.0)));
    let score = |params: &Params| {
        let at = |name: &str| params.float(name).unwrap();
        at("a") + 2.0 * at("b") + at("c") * at("d")
    };
    let trials = trials(&space, 500, score);
    let history = History::new(&trials, Direction::Minimize);
    let found = importance(&space, &history, Seed::new(0)).unwrap();
    // Variances: 1/12, 4/12, and 7/144 of the product, of which 3/144 each alone and 1/144 together; 67/144 in all.
    let share = |name: &str| found.main.iter().find(|effect| effect.name == name).unwrap().share;
    for (name, expected) in [("a", 12.0), ("b", 48.0), ("c", 3.0), ("d", 3.0), ("nothing", 0.0)] {
        assert!((share(name) - expected / 67.0).abs() < 0.03, "{name}: {found:?}");
    }
    assert_eq!(found.main[0].name, "b");
    assert!(found.pairs.iter().all(|pair| pair.share < 0.05), "{:?}", found.pairs);
    assert_eq!(importance(&space, &history, Seed::new(0)), Some(found));
}

#[test]
fn what_only_two_parameters_together_do_is_their_interaction() {
    let names = ["a", "b", "nothing"];
    let space = names.iter().fold(SearchSpace::new(), |space, name| space.with(Parameter::float(*name, 0.0, 1.0)));
    let score = |params: &Params| {
        let high = |name: &str| params.float(name).unwrap() > 0.5;
        f64::from(u8::from(high("a") == high("b")))
    };
    let trials = trials(&space, 300, score);
    let history = History::new(&trials, Direction::Maximize);
    let found = importance(&space, &history, Seed::new(0)).unwrap();
    let first = &found.pairs[0];
    assert_eq!((first.a.as_str(), first.b.as_str()), ("a", "b"));
    assert!(first.share > 0.6, "{found:?}");
}

#[test]
fn a_parameter_counts_by_the_share_of_the_space_where_it_is_active() {
    // Between the models: 0, 0 and 3 have variance 2. Within svm, a third of the space: gamma gives 6 x, variance 3, so 1.
    let space = SearchSpace::new()
        .with(Parameter::choice("model", ["svm", "tree", "mean"]))
        .with(Parameter::float("gamma", 0.0, 1.0).when("model", ["svm"]))
        .with(Parameter::float("depth", 0.0, 1.0).when("model", ["tree"]));
    let score = |params: &Params| match params.get("model") {
        Some(Value::Text(model)) if model == "svm" => 6.0 * params.float("gamma").unwrap() - 3.0,
        Some(Value::Text(model)) if model == "mean" => 3.0,
        _ => 0.0,
    };
    let trials = trials(&space, 400, score);
    let history = History::new(&trials, Direction::Minimize);
    let found = importance(&space, &history, Seed::new(0)).unwrap();
    let share = |name: &str| found.main.iter().find(|effect| effect.name == name).unwrap().share;
    for (name, expected) in [("model", 2.0 / 3.0), ("gamma", 1.0 / 3.0), ("depth", 0.0)] {
        assert!((share(name) - expected).abs() < 0.06, "{name}: {found:?}");
    }
}

#[test]
fn too_little_and_constant_results_are_no_failure() {
    let space = small();
    let few = trials(&space, 3, |_| 1.0);
    let history = |trials| History::new(trials, Direction::Minimize);
    assert_eq!(importance(&space, &history(&few), Seed::new(0)), None);
    let same = trials(&space, 30, |_| 1.0);
    let found = importance(&space, &history(&same), Seed::new(0)).unwrap();
    assert!(found.main.iter().all(|effect| effect.share == 0.0) && found.pairs.is_empty(), "{found:?}");
    assert!(importance(&SearchSpace::new(), &history(&same), Seed::new(0)).unwrap().main.is_empty());
}
