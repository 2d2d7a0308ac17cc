//! Columns that share a byte a row give the same trees, bit for bit, as columns that do not.

use medalist_boost::bins::{MISSING, MISSING_CATEGORY};
use medalist_boost::{
    BinSettings, Bins, Boosting, Column, Growth, Model, MultiStrategy, Objective, Params, Trainer, Training,
};
use proptest::prelude::*;

use crate::data::{Draws, pick};

fn settings(enable_bundle: bool) -> BinSettings {
    BinSettings { enable_bundle, ..BinSettings::default() }
}

enum Values {
    Numbers(Vec<f64>),
    Codes(Vec<u32>),
}

/// Sparse columns of many kinds among some that are not, in any order.
struct Sparse {
    columns: Vec<Values>,
    signal: Vec<f64>,
}

impl Sparse {
    fn new(n_rows: usize, seed: u64) -> Sparse {
        let mut draws = Draws::new(seed);
        let mut columns = Vec::new();
        for _ in 0..3 {
            columns.extend(one_hot(n_rows, &mut draws).into_iter().map(Values::Numbers));
        }
        // Away from 0 in few rows, there with many values, some of them below 0; now and then a gap.
        for _ in 0..4 {
            let share = 0.2 * draws.share();
            let value = |draws: &mut Draws| match draws.share() {
                at if at < share => draws.normal(),
                at if at < share + 0.01 => f64::NAN,
                _ => 0.0,
            };
            columns.push(Values::Numbers((0..n_rows).map(|_| value(&mut draws)).collect()));
        }
        // Mostly missing, and mostly a value other than 0.
        for usual in [f64::NAN, 7.0] {
            let value = |draws: &mut Draws| if draws.share() < 0.05 { draws.below(3) as f64 } else { usual };
            columns.push(Values::Numbers((0..n_rows).map(|_| value(&mut draws)).collect()));
        }
        for _ in 0..2 {
            columns.push(Values::Numbers((0..n_rows).map(|_| draws.normal()).collect()));
        }
        for common in [0.0, 0.9] {
            let code = |draws: &mut Draws| match draws.share() {
                at if at < common => 5,
                at if at < common + 0.02 => MISSING_CATEGORY,
                _ => draws.below(9) as u32,
            };
            columns.push(Values::Codes((0..n_rows).map(|_| code(&mut draws)).collect()));
        }
        for at in (1..columns.len()).rev().filter(|_| seed.is_multiple_of(2)) {
            columns.swap(at, draws.below(at + 1));
        }
        let mut signal: Vec<f64> = (0..n_rows).map(|_| 0.3 * draws.normal()).collect();
        for values in &columns {
            let weight = draws.normal();
            for (row, signal) in signal.iter_mut().enumerate() {
                *signal += weight
                    * match values {
                        Values::Numbers(values) if values[row].is_nan() => 1.5,
                        Values::Numbers(values) => values[row].sin(),
                        Values::Codes(codes) => f64::from(codes[row] % 4) * 0.3,
                    };
            }
        }
        Sparse { columns, signal }
    }

    fn columns(&self) -> Vec<Column<'_>> {
        let columns = self.columns.iter().map(|values| match values {
            Values::Numbers(values) => Column::F64(values),
            Values::Codes(codes) => Column::Categories(codes),
        });
        columns.collect()
    }

    fn labels(&self, objective: &Objective) -> Vec<f64> {
        let mean = self.signal.iter().sum::<f64>() / self.signal.len() as f64;
        let label = |&signal: &f64| match objective {
            Objective::Squared => signal,
            Objective::Logistic => f64::from(signal > mean),
            _ => (signal - mean + 1.5).floor().clamp(0.0, 2.0),
        };
        self.signal.iter().map(label).collect()
    }
}

/// A category as a column a level, some of its rows with none; 1 or another value, and now and then a gap.
fn one_hot(n_rows: usize, draws: &mut Draws) -> Vec<Vec<f64>> {
    let n_levels = 2 + draws.below(8);
    let mut columns = vec![vec![0.0; n_rows]; n_levels];
    let gaps = if draws.share() < 0.5 { 0.03 } else { 0.0 };
    for row in 0..n_rows {
        let level = (draws.share() * draws.share() * 1.1 * n_levels as f64) as usize;
        if let Some(column) = columns.get_mut(level) {
            column[row] = if draws.share() < gaps { f64::NAN } else { 1.0 + (level % 3) as f64 * draws.share() };
        }
    }
    columns
}

fn params(kind: usize, draws: &mut Draws, features: &[FeatureKind]) -> Params {
    let n = features.len();
    let monotone = || {
        let direction = |kind: &FeatureKind| if matches!(kind, FeatureKind::Number) { 1 } else { 0 };
        features.iter().enumerate().map(|(at, kind)| direction(kind) * (at % 3) as i8 - direction(kind)).collect()
    };
    let plain = || Params::new([Objective::Squared, Objective::Logistic][kind % 2].clone()).min_child_samples(3);
    let classes = || Params::new(Objective::Softmax { n_classes: 3 }).min_child_samples(3).num_leaves(7);
    match kind {
        0 | 1 => plain(),
        2 => plain().feature_fraction(0.4).bagging_fraction(0.7).bagging_freq(1),
        3 => plain().feature_fraction_bynode(0.6).lambda_l1(0.5),
        4 => plain().feature_fraction_bynode(0.2),
        5 => plain().monotone_constraints(monotone()).path_smooth(1.0),
        6 => plain().interaction_constraints(vec![(0..n / 2).collect(), (n / 3..n).collect()]),
        7 => plain().growth(Growth::Depth).max_depth(4).extra_trees(true),
        8 => plain().growth(Growth::Symmetric).max_depth(4),
        9 => plain().boosting(Boosting::Dart).drop_rate(0.5).max_cat_to_onehot(20),
        10 => plain().boosting(Boosting::Rf).bootstrap(true).feature_fraction_bynode(0.4).min_child_samples(1),
        11 => plain().histogram_pool_size(1e-9).feature_fraction(0.7),
        16 => plain().linear_tree(true).linear_lambda(0.1),
        12 => classes(),
        13 => classes().multi_strategy(MultiStrategy::LeafVectors),
        14 => classes().multi_strategy(MultiStrategy::LeafVectors).feature_fraction_bynode(0.6),
        _ => classes().multi_strategy(MultiStrategy::LeafVectors).boosting(Boosting::Rf).bootstrap(true),
    }
    .num_leaves(4 + draws.below(28))
    .seed(draws.next())
}

const KINDS: usize = 17;
const N_TREES: usize = 4;

enum FeatureKind {
    Number,
    Category,
}

fn check(n_rows: usize, seed: u64, kind: usize) -> Result<(), TestCaseError> {
    let table = Sparse::new(n_rows, seed);
    let mut draws = Draws::new(seed ^ 77);
    let kinds: Vec<FeatureKind> = table
        .columns
        .iter()
        .map(|values| match values {
            Values::Numbers(_) => FeatureKind::Number,
            Values::Codes(_) => FeatureKind::Category,
        })
        .collect();
    let params = params(kind, &mut draws, &kinds);
    let columns = table.columns();
    let (bundled, plain) =
        (Bins::new(&columns, &settings(true)).unwrap(), Bins::new(&columns, &settings(false)).unwrap());
    prop_assert!(bundled.memory() <= plain.memory());
    for feature in 0..columns.len() {
        let same = |row| bundled.bin(row, feature) == plain.bin(row, feature);
        prop_assert!((0..n_rows).all(same), "feature {feature}");
    }
    let (rows, followed): (Vec<u32>, Vec<u32>) = (0..n_rows as u32).partition(|row| row * 7 % 5 != 1);
    let labels = pick(&table.labels(&params.objective), &rows);
    let weights: Option<Vec<f64>> = (draws.share() < 0.5).then(|| rows.iter().map(|_| 2.0 * draws.share()).collect());
    let training = Training {
        rows: Some(&rows),
        labels: &labels,
        weights: weights.as_deref(),
        followed: &followed,
        columns: params.linear_tree.then_some(&columns[..]),
        ..Training::default()
    };
    let n_scores = params.objective.n_scores();
    let scores = |trainer: &Trainer| -> Vec<u64> {
        let of = |row: u32| (0..n_scores).map(move |at| (row, at));
        (0..n_rows as u32).flat_map(of).map(|(row, at)| trainer.score(row, at).to_bits()).collect()
    };
    let run = |mut trainer: Trainer, n: usize| {
        (0..n).for_each(|_| trainer.step().unwrap());
        (scores(&trainer), trainer.into_model())
    };
    let (expected, model) = run(Trainer::new(&params, &plain, &training).unwrap(), N_TREES);
    let fit = |n: usize| run(Trainer::new(&params, &bundled, &training).unwrap(), n);
    let (found, again) = fit(N_TREES);
    prop_assert!(again == model, "another model");
    prop_assert!(found == expected, "other scores");
    prop_assert!(model.trees().iter().any(|tree| !tree.nodes.is_empty()));
    // Half of it, gone on from on the other table.
    if params.boosting != Boosting::Dart {
        let (_, half) = fit(N_TREES / 2);
        for bins in [&bundled, &plain] {
            let resumed = Trainer::resume(&half, &params, bins, &training).unwrap();
            prop_assert!(run(resumed, N_TREES - N_TREES / 2).1 == model, "another model after a resume");
        }
    }
    // Linear leaves do not predict on bins.
    if params.linear_tree { Ok(()) } else { predict_others(&model, &bundled, &plain, n_rows, seed) }
}

/// Rows in which columns meet that did not.
fn predict_others(model: &Model, bundled: &Bins, plain: &Bins, n_rows: usize, seed: u64) -> Result<(), TestCaseError> {
    let mut others = Sparse::new(n_rows, seed);
    for values in &mut others.columns {
        if let Values::Numbers(values) = values {
            values.iter_mut().step_by(3).for_each(|value| *value = 1.0);
            values.iter_mut().step_by(7).for_each(|value| *value = f64::NAN);
        }
    }
    let columns = others.columns();
    let all: Vec<u32> = (0..n_rows as u32).collect();
    let raw: Vec<Vec<f64>> = model.predict_staged(&columns, &[N_TREES]).unwrap();
    for bins in [bundled.like(&columns).unwrap(), plain.like(&columns).unwrap()] {
        for (feature, known) in bundled.features().iter().enumerate() {
            // A feature that never varied has no bins.
            let varied = (0..n_rows).any(|row| plain.bin(row, feature) != plain.bin(0, feature));
            let right = |row: usize| match &others.columns[feature] {
                Values::Numbers(values) => bins.bin(row, feature) == known.bin(values[row]),
                Values::Codes(codes) if codes[row] == MISSING_CATEGORY => bins.bin(row, feature) == MISSING,
                Values::Codes(codes) => bins.bin(row, feature) == known.bin(f64::from(codes[row])),
            };
            prop_assert!(!varied || (0..n_rows).all(right), "feature {feature} of other rows");
        }
        let scores = model.predict_staged_on_bins(&bins, &all, &[N_TREES]).unwrap();
        prop_assert!(scores == raw, "other predictions");
    }
    Ok(())
}

#[test]
fn bundles_change_nothing() {
    for seed in 1..3 {
        let table = Sparse::new(500, seed);
        let memory = |enable_bundle| Bins::new(&table.columns(), &settings(enable_bundle)).unwrap().memory();
        assert!(3 * memory(true) < 2 * memory(false), "there are bundles");
        for kind in 0..KINDS {
            check(500, seed, kind).unwrap_or_else(|error| panic!("kind {kind}, seed {seed}: {error}"));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn bundles_change_nothing_in_any_table(n_rows in 60..700usize, seed in any::<u64>(), kind in 0..KINDS) {
        check(n_rows, seed, kind)?;
    }
}

/// Two columns that share a byte among the first rows, and meet in the last one.
fn meeting() -> [Vec<f64>; 2] {
    let mut columns = [0, 1].map(|at| (0..100).map(|row| f64::from(row % 10 == 3 * at)).collect::<Vec<f64>>());
    columns.iter_mut().for_each(|column| column.push(1.0));
    columns
}

#[test]
fn rows_that_had_no_say_in_the_edges_part_a_bundle_where_columns_meet() {
    let columns = meeting();
    let views = |n: usize| [Column::F64(&columns[0][..n]), Column::F64(&columns[1][..n])];
    let first: Vec<u32> = (0..100).collect();
    let bins = |n: usize| {
        let settings = BinSettings { edge_rows: Some(first.clone()), ..BinSettings::default() };
        Bins::new(&views(n), &settings).unwrap()
    };
    // A byte a row in the column and eight in the word, against two and eight.
    assert_eq!((bins(100).memory(), bins(101).memory()), (9 * 100, 10 * 101));
    let like = bins(100).like(&views(101)).unwrap();
    assert_eq!(like.memory(), 10 * 101);
    assert_eq!([0, 1].map(|feature| like.bin(100, feature)), [1, 1]);
    // And the other way round.
    assert_eq!(bins(101).like(&views(100)).unwrap().memory(), 9 * 100);
}

#[test]
fn bundles_hold_on_several_threads() {
    let table = Sparse::new(20_000, 6);
    let columns = table.columns();
    let labels = table.labels(&Objective::Logistic);
    let params = Params::new(Objective::Logistic).num_leaves(15);
    let fit = |settings: &BinSettings, params: &Params| {
        let bins = Bins::new(&columns, settings).unwrap();
        let mut trainer = Trainer::new(params, &bins, &Training { labels: &labels, ..Training::default() }).unwrap();
        (0..3).for_each(|_| trainer.step().unwrap());
        trainer.into_model()
    };
    let alone = fit(&settings(false), &params);
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    let parallel = BinSettings { parallel: true, ..BinSettings::default() };
    assert!(pool.install(|| fit(&parallel, &params.clone().parallel(true))) == alone);
}

#[test]
fn leaf_vectors_sum_the_bundles_of_every_panel() {
    let n_rows = 800;
    let tables = [8, 9].map(|seed| Sparse::new(n_rows, seed));
    let mut draws = Draws::new(3);
    // More than a panel holds, with bundles before and behind them.
    let dense: Vec<Vec<f64>> = (0..40).map(|_| (0..n_rows).map(|_| draws.normal()).collect()).collect();
    let mut columns = tables[0].columns();
    columns.extend(dense.iter().map(|values| Column::F64(values)));
    columns.extend(tables[1].columns());
    let objective = Objective::Softmax { n_classes: 3 };
    let labels = tables[1].labels(&objective);
    let params = Params::new(objective).multi_strategy(MultiStrategy::LeafVectors).num_leaves(15);
    let fit = |enable_bundle, params: &Params| {
        let bins = Bins::new(&columns, &settings(enable_bundle)).unwrap();
        let mut trainer = Trainer::new(params, &bins, &Training { labels: &labels, ..Training::default() }).unwrap();
        (0..3).for_each(|_| trainer.step().unwrap());
        trainer.into_model()
    };
    for params in [params.clone(), params.feature_fraction(0.5).bagging_fraction(0.6).bagging_freq(1)] {
        let model = fit(true, &params);
        assert!(model == fit(false, &params));
        let second = 40 + tables[0].columns.len();
        assert!(model.trees().iter().flat_map(|tree| &tree.nodes).any(|node| node.feature >= second));
    }
}
