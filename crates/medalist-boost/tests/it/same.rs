//! What must not matter does not: threads, instruction sets, how rows are told apart, and who asks.

use medalist_boost::{
    BinSettings, Bins, Boosting, Column, Growth, Level, Model, MultiStrategy, Objective, Params, Sampling, Trainer,
    Training,
};

use crate::data::{Table, pick};

const N_TREES: usize = 4;

fn leaf_vectors(n_classes: usize) -> Params {
    Params::new(Objective::Softmax { n_classes }).multi_strategy(MultiStrategy::LeafVectors)
}

/// Every kind of fit: a name, its parameters, and whether rows have weights.
fn fits() -> Vec<(&'static str, Params, bool)> {
    let logistic = || Params::new(Objective::Logistic).num_leaves(15);
    let squared = || Params::new(Objective::Squared).num_leaves(15);
    vec![
        ("logistic", logistic(), false),
        ("logistic with weights", logistic().scale_pos_weight(2.0), true),
        ("squared", squared().lambda_l1(3.0).lambda_l2(1.0), true),
        ("absolute", Params::new(Objective::Absolute).num_leaves(7), false),
        ("quantile with weights", Params::new(Objective::Quantile { alpha: 0.8 }).num_leaves(7), true),
        ("huber", Params::new(Objective::Huber { alpha: 0.5 }).num_leaves(7), false),
        ("classes", Params::new(Objective::Softmax { n_classes: 4 }).num_leaves(7), true),
        ("leaf vectors", leaf_vectors(4).num_leaves(15), true),
        ("leaf vectors of few features", leaf_vectors(4).feature_fraction_bynode(0.3).growth(Growth::Depth), false),
        ("leaf vectors in a forest", leaf_vectors(4).boosting(Boosting::Rf).bootstrap(true), false),
        ("one against all", Params::new(Objective::OneVsAll { n_classes: 4 }).num_leaves(7), false),
        ("ranking", Params::new(Objective::LambdaRank { truncation_level: 10 }).num_leaves(7), false),
        ("bagging", logistic().bagging_fraction(0.7).bagging_freq(2), false),
        ("bagging by class", logistic().pos_bagging_fraction(0.9).neg_bagging_fraction(0.6).bagging_freq(1), false),
        ("goss", logistic().data_sample_strategy(Sampling::Goss).learning_rate(1.0), false),
        ("features of a tree", logistic().feature_fraction(0.5), false),
        ("features of a node", logistic().feature_fraction_bynode(0.7).min_gain_to_split(0.5), false),
        ("few features of a node", logistic().feature_fraction_bynode(0.3), false),
        ("random thresholds", squared().extra_trees(true), false),
        ("forest", squared().boosting(Boosting::Rf).bootstrap(true).feature_fraction_bynode(0.4), true),
        (
            "forest of medians",
            Params::new(Objective::Absolute).num_leaves(7).boosting(Boosting::Rf).bootstrap(true),
            false,
        ),
        ("depth by depth", logistic().growth(Growth::Depth).max_depth(3), false),
        ("symmetric", squared().growth(Growth::Symmetric).max_depth(5).min_child_samples(1), false),
        ("symmetric at random", squared().growth(Growth::Symmetric).max_depth(4).extra_trees(true), true),
        ("linear", squared().linear_tree(true), true),
        (
            "linear with a penalty",
            logistic().linear_tree(true).linear_lambda(0.5).bagging_fraction(0.6).bagging_freq(1),
            false,
        ),
        ("linear classes", Params::new(Objective::Softmax { n_classes: 4 }).num_leaves(7).linear_tree(true), false),
        ("linear, forest", squared().linear_tree(true).boosting(Boosting::Rf).bootstrap(true), true),
        ("linear, symmetric", squared().linear_tree(true).growth(Growth::Symmetric).max_depth(4), false),
        ("linear, dart", squared().linear_tree(true).boosting(Boosting::Dart).drop_rate(0.8).skip_drop(0.0), false),
        ("linear, goss", logistic().linear_tree(true).data_sample_strategy(Sampling::Goss).learning_rate(0.9), false),
        ("monotone", squared().monotone_constraints([vec![1, -1], vec![0; 10]].concat()), false),
        ("smooth paths", logistic().path_smooth(5.0).max_delta_step(0.4), false),
        ("sets of features", logistic().interaction_constraints(vec![vec![0, 1, 9], (2..12).collect()]), false),
    ]
}

struct Learned {
    labels: Vec<f64>,
    weights: Option<Vec<f64>>,
    groups: Vec<usize>,
}

impl Learned {
    fn new(table: &Table, objective: &Objective, weighted: bool) -> Learned {
        let n_rows = table.n_rows();
        let whole = |n: f64| table.signal.iter().map(|s| (s + 1.5).floor().clamp(0.0, n - 1.0)).collect();
        let labels = match objective {
            Objective::Logistic => table.classes(),
            Objective::Softmax { .. } | Objective::OneVsAll { .. } | Objective::LambdaRank { .. } => whole(4.0),
            _ => table.signal.clone(),
        };
        let weights = weighted.then(|| (0..n_rows).map(|row| [1.0, 0.3, 2.5][row % 3]).collect());
        let mut groups = vec![10; n_rows / 10];
        groups.push(n_rows % 10);
        Learned { labels, weights, groups }
    }

    fn training(&self) -> Training<'_> {
        Training {
            labels: &self.labels,
            weights: self.weights.as_deref(),
            groups: Some(&self.groups),
            ..Training::default()
        }
    }
}

fn bits(scores: &[f64]) -> Vec<u64> {
    scores.iter().map(|score| score.to_bits()).collect()
}

#[test]
fn threads_and_instruction_sets_change_nothing() {
    // More than two leaves of 8192 rows, below which a leaf is not shared among threads.
    let table = Table::new(20_000, 9, 3, 1);
    let bins = table.bins();
    let rows: Vec<u32> = (0..20_000).filter(|row| row % 37 != 5).collect();
    let followed: Vec<u32> = (0..20_000).filter(|row| row % 37 == 5).collect();
    let sub = table.of_rows(&rows);
    let pools: Vec<rayon::ThreadPool> =
        (1..=3).map(|n| rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap()).collect();
    let levels = [Level::Base, Level::V2, Level::V3, Level::V4];
    let columns = table.columns();
    let skipped: Vec<Level> = levels.into_iter().filter(|level| !level.is_supported()).collect();
    if !skipped.is_empty() {
        println!("not on this processor, and skipped: {skipped:?}");
    }
    for (name, params, weighted) in fits() {
        let learned = Learned::new(&sub, &params.objective, weighted);
        let training =
            Training { rows: Some(&rows), followed: &followed, columns: Some(&columns), ..learned.training() };
        let run = |params: &Params, level: Level| {
            let mut trainer = Trainer::with_level(params, &bins, &training, level).unwrap();
            (0..N_TREES).for_each(|_| trainer.step().unwrap());
            let n_scores = params.objective.n_scores() as u32;
            let scores = (0..n_scores).flat_map(|at| (0..20_000).map(move |row| (row, at as usize)));
            let scores: Vec<u64> = scores.map(|(row, at)| trainer.score(row, at).to_bits()).collect();
            (trainer.into_model().to_json().unwrap(), scores)
        };
        let (json, scores) = run(&params, Level::detect());
        let check = |what: String, (other_json, other_scores): (String, Vec<u64>)| {
            assert!(other_json == json, "{name}: another model {what}");
            assert!(other_scores == scores, "{name}: other scores {what}");
        };
        for level in levels.into_iter().filter(|level| level.is_supported() && *level != Level::detect()) {
            check(format!("on {level:?}"), run(&params, level));
        }
        let shared = params.clone().parallel(true);
        for pool in &pools {
            let n = pool.current_num_threads();
            let level = [Level::detect(), Level::Base, Level::V2][n - 1];
            let level = if level.is_supported() { level } else { Level::Base };
            check(format!("on {n} threads, {level:?}"), pool.install(|| run(&shared, level)));
        }
    }
}

#[test]
fn many_rows_are_rounded_alike_on_any_number_of_threads() {
    // From 2^20 rows on derivatives are rounded at random.
    let n_rows = (1 << 20) + 12_345;
    let table = Table::new(n_rows, 2, 0, 9);
    let bins = table.bins();
    let training = Training { labels: &table.signal, ..Training::default() };
    let params = Params::new(Objective::Squared).num_leaves(4);
    let run = |params: &Params, level: Level| {
        let mut trainer = Trainer::with_level(params, &bins, &training, level).unwrap();
        trainer.step().unwrap();
        trainer.into_model().to_json().unwrap()
    };
    let alone = run(&params, Level::detect());
    let pool = rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap();
    assert!(pool.install(|| run(&params.clone().parallel(true), Level::Base)) == alone);
}

#[test]
fn bins_are_the_same_on_any_number_of_threads() {
    let table = Table::new(3_000, 20, 3, 2);
    let alone = table.bins();
    let settings = medalist_boost::BinSettings { parallel: true, ..Default::default() };
    for n in 1..=3 {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().unwrap();
        let bins = pool.install(|| medalist_boost::Bins::new(&table.columns(), &settings)).unwrap();
        assert_eq!(bins.features(), alone.features());
        assert!((0..23).all(|feature| (0..3_000).all(|row| bins.bin(row, feature) == alone.bin(row, feature))));
    }
}

#[test]
fn some_of_the_rows_train_as_they_would_alone() {
    let table = Table::new(1_500, 9, 3, 3);
    let bins = table.bins();
    let rows: Vec<u32> = (0..1_500).filter(|row| row * 7 % 10 > 2).collect();
    let sub = table.of_rows(&rows);
    let (columns, own_columns) = (table.columns(), sub.columns());
    let sub_bins = bins.like(&own_columns).unwrap();
    for (name, params, weighted) in fits() {
        let learned = Learned::new(&sub, &params.objective, weighted);
        let among = Training { rows: Some(&rows), columns: Some(&columns), ..learned.training() };
        let alone = Training { columns: Some(&own_columns), ..learned.training() };
        let mut among = Trainer::new(&params, &bins, &among).unwrap();
        let mut alone = Trainer::new(&params, &sub_bins, &alone).unwrap();
        for _ in 0..N_TREES {
            among.step().unwrap();
            alone.step().unwrap();
        }
        for (at, &row) in rows.iter().enumerate() {
            assert_eq!(among.score(row, 0).to_bits(), alone.score(at as u32, 0).to_bits(), "{name}: row {row}");
        }
        assert!(among.into_model() == alone.into_model(), "{name}");
    }
}

#[test]
fn followed_rows_score_as_predictions_do_after_every_tree() {
    let table = Table::new(1_200, 9, 3, 4);
    let bins = table.bins();
    let rows: Vec<u32> = (0..1_200).filter(|row| row % 4 != 1).collect();
    let followed: Vec<u32> = (0..1_200).filter(|row| row % 4 == 1).collect();
    let sub = table.of_rows(&rows);
    let others = table.of_rows(&followed);
    let like = bins.like(&others.columns()).unwrap();
    let columns = table.columns();
    let all_of_like: Vec<u32> = (0..like.n_rows() as u32).collect();
    for (name, params, weighted) in fits() {
        let learned = Learned::new(&sub, &params.objective, weighted);
        let training =
            Training { rows: Some(&rows), followed: &followed, columns: Some(&columns), ..learned.training() };
        let mut trainer = Trainer::new(&params, &bins, &training).unwrap();
        let n = params.objective.n_scores();
        let predict = |trainer: &Trainer, row: u32| {
            let mut out = vec![0.0; n];
            trainer.predict(row, &mut out);
            out
        };
        let all = |trainer: &Trainer| followed.iter().flat_map(|&row| predict(trainer, row)).collect::<Vec<f64>>();
        // A dart's first trees are not the model that there was after them.
        let numbers: Vec<usize> = match params.boosting {
            Boosting::Dart => vec![0, N_TREES],
            Boosting::Gbdt | Boosting::Rf => (0..=N_TREES).collect(),
        };
        let mut stages = vec![all(&trainer)];
        for _ in 0..N_TREES {
            trainer.step().unwrap();
            stages.push(all(&trainer));
        }
        let trained: Vec<f64> = rows.iter().flat_map(|&row| predict(&trainer, row)).collect();
        let model = trainer.model();
        let raw = model.predict_staged(&others.columns(), &numbers).unwrap();
        let stages: Vec<Vec<u64>> = numbers.iter().map(|&number| bits(&stages[number])).collect();
        let check = |what: &str, found: &[Vec<f64>]| {
            for ((stage, found), number) in stages.iter().zip(found).zip(&numbers) {
                assert!(bits(found) == *stage, "{name}: {what}, tree {number}");
            }
        };
        check("raw values", &raw);
        let on_bins = model.predict_staged_on_bins(&bins, &followed, &numbers);
        if params.linear_tree {
            let error = on_bins.unwrap_err().to_string();
            assert!(error.contains("has linear leaves, which need values rather than bins"), "{error}");
        } else {
            check("bins", &on_bins.unwrap());
            check("bins like them", &model.predict_staged_on_bins(&like, &all_of_like, &numbers).unwrap());
        }
        assert!(bits(&model.predict(&sub.columns(), None).unwrap()) == bits(&trained), "{name}: trained rows");
        let leaves = model.leaves(&others.columns()).unwrap();
        let counts: Vec<usize> = model.trees().iter().map(|tree| tree.leaves.len()).collect();
        assert!(leaves.chunks_exact(counts.len()).all(|row| row.iter().zip(&counts).all(|(&l, &n)| (l as usize) < n)));
    }
}

#[test]
fn a_fit_may_be_read_on_the_way() {
    let table = Table::new(800, 9, 3, 5);
    let (bins, columns) = (table.bins(), table.columns());
    for (name, params, weighted) in fits() {
        let learned = Learned::new(&table, &params.objective, weighted);
        let training = Training { columns: Some(&columns), ..learned.training() };
        let mut long = Trainer::new(&params, &bins, &training).unwrap();
        for n in 1..=N_TREES {
            long.step().unwrap();
            let mut short = Trainer::new(&params.clone().n_estimators(n), &bins, &training).unwrap();
            (0..n).for_each(|_| short.step().unwrap());
            assert!(long.model() == short.into_model(), "{name} after {n}");
        }
        assert_eq!(long.n_iterations(), N_TREES);
        let mut asked = 0;
        let mut stop = || {
            asked += 1;
            true
        };
        let error = long.step_unless(&mut stop).unwrap_err();
        assert_eq!(error.to_string(), format!("stopped after {N_TREES} iterations"));
        assert!(asked == 1 && long.n_iterations() == N_TREES, "{name}");
    }
}

#[test]
fn a_model_reads_back_as_it_was_written() {
    let table = Table::new(800, 9, 3, 6);
    let (bins, columns) = (table.bins(), table.columns());
    for (name, params, weighted) in fits() {
        let learned = Learned::new(&table, &params.objective, weighted);
        let training = Training { columns: Some(&columns), ..learned.training() };
        let mut trainer = Trainer::new(&params, &bins, &training).unwrap();
        (0..N_TREES).for_each(|_| trainer.step().unwrap());
        let model = trainer.into_model();
        let text = model.to_json().unwrap();
        let again = Model::from_json(&text).unwrap();
        assert!(again == model, "{name}");
        assert!(again.to_json().unwrap() == text, "{name}");
        let (one, two) = (model.predict(&columns, None), again.predict(&columns, None));
        assert!(bits(&one.unwrap()) == bits(&two.unwrap()), "{name}");
    }
}

#[test]
fn seeds_tell_fits_apart_and_only_where_something_is_drawn() {
    let table = Table::new(600, 9, 0, 7);
    let bins = table.bins();
    let labels = table.classes();
    let fit = |params: &Params| {
        let mut trainer = Trainer::new(params, &bins, &Training { labels: &labels, ..Training::default() }).unwrap();
        (0..N_TREES).for_each(|_| trainer.step().unwrap());
        trainer.into_model()
    };
    let plain = Params::new(Objective::Logistic).num_leaves(7);
    assert!(fit(&plain) == fit(&plain.clone().seed(1)));
    for params in [
        plain.clone().bagging_fraction(0.5).bagging_freq(1),
        plain.clone().feature_fraction(0.5),
        plain.clone().feature_fraction_bynode(0.5),
        plain.clone().extra_trees(true),
        plain.clone().bootstrap(true),
    ] {
        assert!(fit(&params) != fit(&params.clone().seed(1)), "{params:?}");
        assert!(fit(&params) == fit(&params), "{params:?}");
    }
    // The rows' own numbers do not enter the draws of a bag.
    let rows: Vec<u32> = (0..300).collect();
    let first = table.of_rows(&rows);
    let again = bins.like(&first.columns()).unwrap();
    let bagged = plain.bagging_fraction(0.5).bagging_freq(1);
    let labels = pick(&labels, &rows);
    let run = |bins: &medalist_boost::Bins, rows: Option<&[u32]>| {
        let mut trainer =
            Trainer::new(&bagged, bins, &Training { rows, labels: &labels, ..Training::default() }).unwrap();
        trainer.step().unwrap();
        trainer.into_model()
    };
    assert!(run(&bins, Some(&rows)) == run(&again, None));
}

/// Leaves of few rows are searched another way where all features are numbers. A categorical feature that can never be split turns that off.
#[test]
fn small_leaves_are_split_as_others() {
    let table = Table::new(1200, 6, 0, 31);
    let mut codes: Vec<u32> = (0..1200).map(|row| row * 7 % 10).collect();
    codes.rotate_left(3);
    for (extra_trees, lambda_l1) in [(false, 0.0), (false, 0.5), (true, 0.0)] {
        let params = Params::new(Objective::Squared)
            .num_leaves(800)
            .min_child_samples(1)
            .extra_trees(extra_trees)
            .lambda_l1(lambda_l1)
            .min_data_per_group(10_000);
        let fit = |columns: &[Column]| {
            let bins = Bins::new(columns, &BinSettings::default()).unwrap();
            let training = Training { labels: &table.signal, ..Training::default() };
            let mut trainer = Trainer::new(&params, &bins, &training).unwrap();
            (0..3).for_each(|_| trainer.step().unwrap());
            trainer.into_model().trees().to_vec()
        };
        let columns = table.columns();
        let with_codes: Vec<Column> = columns.iter().copied().chain([Column::Categories(&codes)]).collect();
        let (small, full) = (fit(&columns), fit(&with_codes));
        assert!(small[0].leaves.len() > 250);
        assert!(small == full, "{extra_trees} {lambda_l1}");
    }
}
