//! The ends of what can be asked: many rows, few rows, columns of nothing, numbers as large as they get.

use std::sync::Arc;

use medalist_boost::bins::MISSING_CATEGORY;
use medalist_boost::tree::Decision;
use medalist_boost::{
    BinSettings, Bins, Boosting, Column, Custom, Growth, Model, Objective, Params, Result, Trainer, Training,
};

use crate::data::{Draws, Table, pick};

fn fine() -> BinSettings {
    BinSettings { min_data_in_bin: 1, ..BinSettings::default() }
}

fn fit(params: &Params, bins: &Bins, labels: &[f64], n_trees: usize) -> Result<Model> {
    let mut trainer = Trainer::new(params, bins, &Training { labels, ..Training::default() })?;
    for _ in 0..n_trees {
        trainer.step()?;
    }
    Ok(trainer.into_model())
}

/// Squared loss, a whole step at a time, leaves of any size.
fn exact() -> Params {
    Params::new(Objective::Squared).learning_rate(1.0).min_child_samples(1)
}

#[test]
fn ten_million_rows_of_equal_derivatives_add_up() {
    let n_rows = 10_000_000;
    let bits: Vec<f32> = (0..n_rows).map(|row| (row % 2) as f32).collect();
    let bins = Bins::new(&[Column::F32(&bits)], &BinSettings::default()).unwrap();
    drop(bits);
    let labels = vec![0.0; n_rows];
    // One leaf, and two of them where the gradients' sign is the column's.
    for (gradient, hessian, by_column) in [(1.0, 1.0, false), (-3e-7, 0.25, false), (0.5, 0.2, true)] {
        let derive = move |_: &[f64], _: &[f64], out: &mut [[f32; 2]]| {
            for (row, out) in out.iter_mut().enumerate() {
                let sign = if by_column && row % 2 == 1 { -1.0 } else { 1.0 };
                *out = [sign * gradient, hessian];
            }
        };
        let params = Params::new(Objective::Custom(Custom(Arc::new(derive)))).learning_rate(1.0).num_leaves(2);
        let model = fit(&params, &bins, &labels, 1).unwrap();
        let leaves = &model.trees()[0].leaves;
        assert_eq!(leaves.len(), if by_column { 2 } else { 1 });
        for leaf in leaves {
            let right = f64::from(gradient) / f64::from(hessian);
            let off = (leaf.value[0].abs() / right.abs() - 1.0).abs();
            let off_weight = (leaf.weight / (f64::from(hessian) * leaf.count as f64) - 1.0).abs();
            println!("{gradient} {hessian}: {off:e} {off_weight:e}");
            assert!(off < 1e-6 && off_weight < 1e-6, "{gradient} / {hessian}: {off:e}, {off_weight:e}");
        }
    }
}

#[test]
fn one_row() {
    let bins = Bins::new(&[Column::F64(&[2.0]), Column::Categories(&[7])], &fine()).unwrap();
    for (objective, label, prediction) in [
        (Objective::Squared, 3.5, 3.5),
        (Objective::Absolute, 3.5, 3.5),
        (Objective::Gamma, 3.5, 3.5),
        (Objective::Logistic, 1.0, 1.0),
    ] {
        for growth in [Growth::Leaf, Growth::Depth, Growth::Symmetric] {
            let params = Params::new(objective.clone()).growth(growth).max_depth(3).min_child_samples(0);
            let model = fit(&params, &bins, &[label], 3).unwrap();
            let predicted = model.predict(&[Column::F64(&[9.0]), Column::Categories(&[8])], None).unwrap();
            assert!((predicted[0] - prediction).abs() < 1e-9, "{objective:?} {growth:?}: {predicted:?}");
        }
    }
}

#[test]
fn one_class() {
    let table = Table::new(300, 3, 1, 1);
    let bins = table.bins();
    for (label, end) in [(0.0, 0.0), (1.0, 1.0)] {
        let model = fit(&Params::new(Objective::Logistic), &bins, &vec![label; 300], 5).unwrap();
        let predicted = model.predict(&table.columns(), None).unwrap();
        assert!(predicted.iter().all(|p| (p - end).abs() < 1e-9), "{:?}", predicted.first());
    }
    // Of three classes two never occur.
    for objective in [Objective::Softmax { n_classes: 3 }, Objective::OneVsAll { n_classes: 3 }] {
        let model = fit(&Params::new(objective), &bins, &vec![1.0; 300], 5).unwrap();
        let predicted = model.predict(&table.columns(), None).unwrap();
        for row in predicted.chunks_exact(3) {
            assert!((row[1] - 1.0).abs() < 1e-6 && (row.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{row:?}");
        }
    }
}

#[test]
fn columns_that_say_nothing_are_never_split() {
    let table = Table::new(400, 2, 0, 2);
    let n = table.n_rows();
    let (constant, missing, only) = (vec![4.0; n], vec![f64::NAN; n], vec![3; n]);
    let unknown = vec![MISSING_CATEGORY; n];
    let columns = [
        Column::F64(&constant),
        Column::F64(&table.numbers[0]),
        Column::F64(&missing),
        Column::Categories(&only),
        Column::Categories(&unknown),
        Column::F64(&table.numbers[1]),
        // A copy: the first of equal splits is taken.
        Column::F64(&table.numbers[0]),
    ];
    let bins = Bins::new(&columns, &BinSettings::default()).unwrap();
    for params in [exact(), exact().growth(Growth::Symmetric).max_depth(4), exact().extra_trees(true)] {
        let random = params.extra_trees;
        let model = fit(&params, &bins, &table.signal, 3).unwrap();
        let used: Vec<usize> = model.trees().iter().flat_map(|tree| &tree.nodes).map(|node| node.feature).collect();
        assert!(!used.is_empty());
        assert!(used.iter().all(|&feature| [1, 5].contains(&feature) || feature == 6 && random), "{used:?}");
    }
}

#[test]
fn where_nothing_varies_a_tree_is_one_leaf() {
    let (constant, missing) = (vec![4.0; 60], vec![f64::NAN; 60]);
    let labels: Vec<f64> = (0..60).map(f64::from).collect();
    for columns in [vec![Column::F64(&constant)], vec![Column::F64(&missing)], vec![Column::F64(&constant); 9]] {
        let bins = Bins::new(&columns, &BinSettings::default()).unwrap();
        for growth in [Growth::Leaf, Growth::Symmetric] {
            let params = exact().growth(growth).max_depth(2).boost_from_average(false);
            for params in [params.clone(), params.clone().parallel(true), params.feature_fraction_bynode(0.3)] {
                let model = fit(&params, &bins, &labels, 2).unwrap();
                assert!(model.trees().iter().all(|tree| tree.nodes.is_empty()));
                let rows: Vec<u32> = (0..60).collect();
                let (raw, on_bins) =
                    (model.predict(&columns, None).unwrap(), model.predict_staged_on_bins(&bins, &rows, &[2]).unwrap());
                assert!(raw == on_bins[0] && raw.iter().all(|p| (p - 29.5).abs() < 1e-6), "{:?}", raw.first());
            }
        }
    }
}

#[test]
fn infinities_are_the_largest_and_smallest_values() {
    let values = [f64::NEG_INFINITY, f64::MIN, -1.0, 0.0, 1.0, f64::MAX, f64::INFINITY, f64::NAN];
    let labels: Vec<f64> = (0..80).map(|row| [9.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, -7.0][row % 8]).collect();
    let column: Vec<f64> = (0..80).map(|row| values[row % 8]).collect();
    let columns = [Column::F64(&column)];
    let bins = Bins::new(&columns, &fine()).unwrap();
    let rows: Vec<u32> = (0..80).collect();
    // All values against the missing ones is a split, too; no other model tells infinities from the largest numbers.
    for n_leaves in 2..10 {
        let model = fit(&exact().num_leaves(n_leaves), &bins, &labels, 3).unwrap();
        let raw = model.predict(&columns, None).unwrap();
        let on_bins = model.predict_staged_on_bins(&bins, &rows, &[3]).unwrap();
        assert_eq!(raw, on_bins[0], "{n_leaves} leaves");
        let again = Model::from_json(&model.to_json().unwrap()).unwrap();
        assert_eq!(again.predict(&columns, None).unwrap(), raw);
        for (row, tree) in model.leaves(&columns).unwrap().chunks_exact(3).zip(raw.iter()) {
            let sum: f64 = row.iter().zip(model.trees()).map(|(&leaf, tree)| tree.leaves[leaf as usize].value[0]).sum();
            assert!((sum + 23.0 / 8.0 - tree).abs() < 1e-9);
        }
    }
}

#[test]
fn rows_without_weight_do_not_count() {
    let table = Table::new(900, 6, 2, 3);
    let bins = table.bins();
    let rows: Vec<u32> = (0..900).filter(|row| row % 3 != 1).collect();
    // What the others say would turn everything round.
    let labels: Vec<f64> = (0..900).map(|row| table.signal[row] * if row % 3 == 1 { -50.0 } else { 1.0 }).collect();
    let weights: Vec<f64> = (0..900).map(|row| if row % 3 == 1 { 0.0 } else { 1.0 + (row % 2) as f64 }).collect();
    for objective in [Objective::Squared, Objective::Absolute, Objective::Huber { alpha: 1.0 }] {
        let params = Params::new(objective).num_leaves(20).min_child_samples(30);
        for params in [params.clone(), params.clone().boosting(Boosting::Rf), params.growth(Growth::Depth)] {
            let all = Training { labels: &labels, weights: Some(&weights), ..Training::default() };
            let (own_labels, own_weights) = (pick(&labels, &rows), pick(&weights, &rows));
            let some =
                Training { rows: Some(&rows), labels: &own_labels, weights: Some(&own_weights), ..Training::default() };
            let mut all = Trainer::new(&params, &bins, &all).unwrap();
            let mut some = Trainer::new(&params, &bins, &some).unwrap();
            for _ in 0..3 {
                all.step().unwrap();
                some.step().unwrap();
            }
            let scores: Vec<f64> = (0..900).map(|row| all.score(row, 0)).collect();
            let model = all.into_model();
            assert!(model == some.into_model(), "{params:?}");
            // They have scores all the same.
            let raw = model.predict(&table.columns(), None).unwrap();
            assert_eq!(scores, raw);
        }
    }
}

#[test]
fn more_categories_than_bins() {
    let mut draws = Draws::new(4);
    let mut codes: Vec<u32> = (0..12_000).map(|_| (draws.share().sqrt() * 300.0) as u32 * 11).collect();
    codes[5] = MISSING_CATEGORY;
    let labels: Vec<f64> = codes.iter().map(|&code| f64::from(code / 11 % 13)).collect();
    let columns = [Column::Categories(&codes)];
    let bins = Bins::new(&columns, &BinSettings::default()).unwrap();
    assert_eq!(bins.features()[0].n_bins(), 255);
    let params = Params::new(Objective::Squared).num_leaves(8).cat_smooth(1.0).min_data_per_group(10);
    let model = fit(&params, &bins, &labels, 3).unwrap();
    assert!(model.trees().iter().all(|tree| tree.leaves.len() > 2));
    let rows: Vec<u32> = (0..12_000).collect();
    let raw = model.predict(&columns, None).unwrap();
    assert_eq!(raw, model.predict_staged_on_bins(&bins, &rows, &[3]).unwrap()[0]);
    // What was never seen, what has no bin, and what is no code at all go the way of missing values.
    let rare = codes.iter().find(|&&code| bins.features()[0].bin(f64::from(code)) == 255).copied().unwrap();
    let unseen = [MISSING_CATEGORY, rare, 5, 3_300, u32::MAX - 1];
    let predicted = model.predict(&[Column::Categories(&unseen)], None).unwrap();
    assert!(predicted.iter().all(|p| *p == predicted[0]), "{predicted:?}");
    let numbers = [f64::NAN, f64::from(rare), 0.5, -11.0, 1e300, f64::INFINITY];
    let by_number = model.predict(&[Column::F64(&numbers)], None).unwrap();
    assert!(by_number.iter().all(|p| *p == predicted[0]), "{by_number:?}");
    for (column, n) in [(Column::Categories(&unseen), 5), (Column::F64(&numbers), 6)] {
        let like = bins.like(&[column]).unwrap();
        assert!((0..n).all(|row| like.bin(row, 0) == 255));
    }
}

#[test]
fn category_codes_may_be_any_number() {
    let levels = [u32::MAX - 1, 4_000_000_000, 7, 0, 1 << 31];
    let codes: Vec<u32> = (0..500).map(|row| levels[row * row % 5]).collect();
    let labels: Vec<f64> = codes.iter().map(|&code| f64::from(code == u32::MAX - 1)).collect();
    let columns = [Column::Categories(&codes)];
    let start = std::time::Instant::now();
    let bins = Bins::new(&columns, &fine()).unwrap();
    let like = bins.like(&columns).unwrap();
    // Tables by code would be 4 GB each.
    assert!(start.elapsed().as_secs_f64() < 0.5);
    let rows: Vec<u32> = (0..500).collect();
    for max_cat_to_onehot in [1, 10] {
        let params = exact().max_cat_to_onehot(max_cat_to_onehot).cat_l2(0.0).cat_smooth(1.0).min_data_per_group(1);
        let model = fit(&params, &bins, &labels, 1).unwrap();
        let raw = model.predict(&columns, None).unwrap();
        assert!(raw.iter().zip(&labels).all(|(p, y)| (p - y).abs() < 1e-6));
        assert_eq!(raw, model.predict_staged_on_bins(&like, &rows, &[1]).unwrap()[0]);
        let numbers: Vec<f64> = codes.iter().map(|&code| f64::from(code)).collect();
        assert_eq!(raw, model.predict(&[Column::F64(&numbers)], None).unwrap());
    }
}

#[test]
fn derivatives_that_are_not_finite_are_an_error() {
    let bins = Bins::new(&[Column::F64(&[1.0, 2.0, 3.0])], &fine()).unwrap();
    let error = fit(&exact().boost_from_average(false), &bins, &[1.0, 1e300, 2.0], 1).unwrap_err();
    assert!(error.to_string().starts_with("row 1: the objective's derivatives are "), "{error}");
    let error = fit(&Params::new(Objective::Poisson), &bins, &[1.0, 1e300, 2.0], 1).unwrap_err();
    assert!(error.to_string().starts_with("row "), "{error}");
}

#[test]
fn errors_name_the_row() {
    let bins = Bins::new(&[Column::F64(&[1.0, 2.0, 3.0])], &fine()).unwrap();
    let error = |objective: Objective, training: &Training| {
        Trainer::new(&Params::new(objective), &bins, training).map(|_| ()).unwrap_err().to_string()
    };
    let on = |objective: Objective, labels: &[f64]| error(objective, &Training { labels, ..Training::default() });
    assert_eq!(on(Objective::Squared, &[1.0, f64::NAN, 2.0]), "row 1: the label is NaN");
    assert_eq!(on(Objective::Squared, &[1.0, 2.0, f64::INFINITY]), "row 2: the label is inf");
    assert_eq!(on(Objective::Logistic, &[1.0, 0.0, 2.0]), "row 2: the label is 2, but must be 0 to 1");
    assert_eq!(on(Objective::Gamma, &[0.0, 1.0, 1.0]), "row 0: the label is 0, but must be above 0");
    assert_eq!(on(Objective::Poisson, &[0.0, -1.0, 1.0]), "row 1: the label is -1, but must be 0 or more");
    let softmax = Objective::Softmax { n_classes: 3 };
    assert_eq!(on(softmax, &[0.0, 1.5, 1.0]), "row 1: the label is 1.5, but must be a whole number from 0 to 2");
    assert_eq!(on(Objective::Squared, &[0.0, 1.0]), "labels has 2 entries, but must have 3");
    let labels = &[0.0, 1.0, 2.0];
    let with = |training: Training| error(Objective::Squared, &training);
    let base = Training { labels, ..Training::default() };
    assert_eq!(
        with(Training { weights: Some(&[1.0, 1.0, -1.0]), ..base }),
        "row 2: the weight is -1, but must be 0 or more"
    );
    assert_eq!(with(Training { weights: Some(&[0.0; 3]), ..base }), "all weights are 0");
    assert_eq!(with(Training { init_score: Some(&[0.0, f64::NAN, 0.0]), ..base }), "row 1: the initial score is NaN");
    assert_eq!(
        with(Training { rows: Some(&[0, 2, 1]), ..base }),
        "rows must be ascending and below the 3 rows of the bins"
    );
    assert_eq!(
        with(Training { followed: &[3], ..base }),
        "followed must be ascending and below the 3 rows of the bins"
    );
    assert_eq!(with(Training { followed: &[1], ..base }), "row 1: it is followed, but trained on as well");
    assert_eq!(with(Training { rows: Some(&[]), labels: &[], ..base }), "there are no training rows");
    let rank = Objective::LambdaRank { truncation_level: 3 };
    assert_eq!(
        error(rank, &Training { groups: Some(&[2]), ..base }),
        "the groups' sizes must add up to the 3 training rows"
    );
}

#[test]
fn errors_name_the_parameter() {
    let with = |params: Params| params.check(2).unwrap_err().to_string();
    let base = Params::default;
    assert_eq!(with(base().learning_rate(0.0)), "learning_rate is 0, but must be above 0");
    assert_eq!(with(base().learning_rate(f64::NAN)), "learning_rate is NaN, but must be above 0");
    assert_eq!(with(base().num_leaves(1)), "num_leaves is 1, but must be 2 to 1048576");
    assert_eq!(with(base().bagging_fraction(1.5)), "bagging_fraction is 1.5, but must be above 0 and at most 1");
    assert_eq!(with(base().lambda_l1(-1.0)), "lambda_l1 is -1, but must be 0 or more");
    assert_eq!(with(base().drop_rate(f64::NAN)), "drop_rate is NaN, but must be 0 to 1");
    assert_eq!(with(base().growth(Growth::Symmetric)), "max_depth is 0, but must be 1 to 16 where growth is symmetric");
    assert_eq!(
        with(base().monotone_constraints(vec![1])),
        "monotone_constraints is 1 long, but must be one a feature: there are 2"
    );
    assert_eq!(with(base().monotone_constraints(vec![1, 2])), "monotone_constraints is 2, but must be -1, 0 or 1");
    assert_eq!(
        with(base().interaction_constraints(vec![vec![0], vec![2]])),
        "interaction_constraints is 2, but must be below 2"
    );
    assert_eq!(with(Params::new(Objective::Quantile { alpha: 1.0 })), "alpha is 1, but must be between 0 and 1");
    assert_eq!(with(Params::new(Objective::Softmax { n_classes: 1 })), "n_classes is 1, but must be 2 or more");
}

#[test]
fn a_model_that_is_none_is_not_read() {
    let bins = Bins::new(&[Column::F64(&[1.0, 2.0, 3.0, 4.0])], &fine()).unwrap();
    let model = fit(&exact(), &bins, &[0.0, 0.0, 1.0, 1.0], 1).unwrap();
    let text = model.to_json().unwrap();
    assert!(matches!(model.trees()[0].nodes[0].decision, Decision::Threshold { value, .. } if value == 2.5));
    for (from, to) in [
        ("\"version\":1", "\"version\":2"),
        ("\"feature\":0", "\"feature\":1"),
        ("\"left\":-1", "\"left\":-9"),
        ("\"left\":-1", "\"left\":0"),
        ("\"output\":0", "\"output\":1"),
        ("\"n_features\":1", "\"n_features\":\"one\""),
        ("{", "["),
    ] {
        assert!(text.contains(from), "{text}");
        assert!(Model::from_json(&text.replacen(from, to, 1)).is_err(), "{from} -> {to}");
    }
}
