//! Leaves that are linear models.

use medalist_boost::tree::{Leaf, Tree};
use medalist_boost::{
    BinSettings, Bins, Boosting, Column, Error, Model, MultiStrategy, Objective, Params, Result, Trainer, Training,
};

use crate::data::{Draws, Table};

fn linear() -> Params {
    Params::new(Objective::Squared).linear_tree(true).num_leaves(9)
}

fn fit(params: &Params, columns: &[Column], labels: &[f64], weights: Option<&[f64]>, n_trees: usize) -> Result<Model> {
    let bins = Bins::new(columns, &BinSettings::default())?;
    let training = Training { labels, weights, columns: Some(columns), ..Training::default() };
    let mut trainer = Trainer::new(params, &bins, &training)?;
    for _ in 0..n_trees {
        trainer.step()?;
    }
    Ok(trainer.into_model())
}

/// The features that a leaf's path splits by a threshold.
fn path(tree: &Tree, leaf: usize, n_numbers: usize) -> Vec<usize> {
    let mut features = Vec::new();
    let mut child = !(leaf as i32);
    while let Some(at) = tree.nodes.iter().position(|node| node.left == child || node.right == child) {
        features.push(tree.nodes[at].feature);
        child = at as i32;
    }
    features.retain(|&feature| feature < n_numbers);
    features.sort_unstable();
    features.dedup();
    features
}

/// A leaf's model makes the derivative of its rows' penalised loss 0, by the constant and by each coefficient.
#[test]
fn leaves_are_least_squares() {
    let table = Table::new(3_000, 6, 1, 81);
    let columns = table.columns();
    let weights: Vec<f64> = (0..3_000).map(|row| [1.0, 0.4, 2.0][row % 3]).collect();
    for linear_lambda in [0.0, 3.0] {
        let params = linear().linear_lambda(linear_lambda).learning_rate(0.5);
        let model = fit(&params, &columns, &table.signal, Some(&weights), 4).unwrap();
        let leaves = model.leaves(&columns).unwrap();
        let mut n_linear = 0;
        assert!(!model.trees()[0].is_linear());
        for (number, tree) in model.trees().iter().enumerate().skip(1) {
            let before = model.raw(&columns, Some(number)).unwrap();
            let after = model.raw(&columns, Some(number + 1)).unwrap();
            for (at, leaf) in tree.leaves.iter().enumerate() {
                let Leaf { linear: Some(linear), value, .. } = leaf else { continue };
                n_linear += 1;
                let path = path(tree, at, 6);
                assert!(linear.features.iter().all(|feature| path.contains(feature)));
                // By the constant, then by each coefficient: the sum and what it is a sum of.
                let mut slopes = vec![(0.0, 0.0); 1 + linear.features.len()];
                for row in (0..3_000).filter(|&row| leaves[row * 4 + number] as usize == at) {
                    let x = |feature: &usize| table.numbers[*feature][row];
                    let step = after[row] - before[row];
                    if linear.features.iter().any(|feature| x(feature).is_nan()) {
                        assert!((step - value[0]).abs() < 1e-12);
                    }
                    if path.iter().any(|feature| x(feature).is_nan()) {
                        continue;
                    }
                    let slope = weights[row] * (before[row] + step / 0.5 - table.signal[row]);
                    for (sum, x) in slopes.iter_mut().zip([1.0].into_iter().chain(linear.features.iter().map(x))) {
                        sum.0 += slope * x;
                        sum.1 += (slope * x).abs();
                    }
                }
                for (slope, coefficient) in slopes[1..].iter_mut().zip(&linear.coefficients) {
                    slope.0 += linear_lambda * coefficient / 0.5;
                }
                // Derivatives are single numbers.
                assert!(slopes.iter().all(|(sum, size)| sum.abs() < 1e-6 * size), "{slopes:?}");
            }
        }
        assert!(n_linear > 12, "{n_linear}");
    }
}

#[test]
fn smooth_relations_are_learned_better() {
    let mut draws = Draws::new(82);
    let columns: Vec<Vec<f64>> = (0..3).map(|_| (0..4_000).map(|_| 4.0 * draws.share()).collect()).collect();
    let [a, b, c] = &columns[..] else { unreachable!() };
    let labels: Vec<f64> = (0..4_000).map(|row| a[row] * b[row] + c[row].sin() + 0.05 * draws.normal()).collect();
    let views: Vec<Column> = columns.iter().map(|column| Column::F64(column)).collect();
    let bins = Bins::new(&views, &BinSettings::default()).unwrap();
    let (rows, followed): (Vec<u32>, Vec<u32>) = (0..4_000).partition(|row| row % 2 == 0);
    let own: Vec<f64> = rows.iter().map(|&row| labels[row as usize]).collect();
    let error = |params: Params| {
        let training = Training {
            rows: Some(&rows),
            labels: &own,
            followed: &followed,
            columns: Some(&views),
            ..Training::default()
        };
        let mut trainer = Trainer::new(&params, &bins, &training).unwrap();
        (0..50).for_each(|_| trainer.step().unwrap());
        let squares = followed.iter().map(|&row| (trainer.score(row, 0) - labels[row as usize]).powi(2));
        (squares.sum::<f64>() / followed.len() as f64).sqrt()
    };
    let (with, without) = (error(linear()), error(linear().linear_tree(false)));
    println!("{with} {without}");
    assert!(with < 0.75 * without, "{with} {without}");
}

/// What a column adds to the others or to the constant within a leaf may be nothing.
#[test]
fn redundant_columns_have_no_coefficient() {
    let mut draws = Draws::new(83);
    let x: Vec<f64> = (0..2_000).map(|_| 1e6 + draws.normal()).collect();
    let twice: Vec<f64> = x.iter().map(|x| 2.0 * x).collect();
    let labels: Vec<f64> = x.iter().map(|x| 3.0 * (x - 1e6)).collect();
    let columns = [Column::F64(&x), Column::F64(&twice)];
    let params = linear().learning_rate(1.0).feature_fraction_bynode(0.5);
    let model = fit(&params, &columns, &labels, None, 2).unwrap();
    let tree = &model.trees()[1];
    let paths: Vec<Vec<usize>> = (0..tree.leaves.len()).map(|leaf| path(tree, leaf, 2)).collect();
    assert!(paths.iter().any(|path| path.len() == 2));
    assert!(tree.leaves.iter().all(|leaf| leaf.linear.as_ref().is_some_and(|linear| linear.features.len() == 1)));
    // A column of two values is constant in each leaf that it leads to.
    let side: Vec<f64> = x.iter().map(|x| f64::from(*x > 1e6)).collect();
    let labels: Vec<f64> = side.iter().map(|side| 5.0 * side).collect();
    let model = fit(&linear().learning_rate(0.5), &[Column::F64(&side)], &labels, None, 2).unwrap();
    assert!(model.trees()[1].leaves.len() == 2 && !model.trees()[1].is_linear());
    let mean = labels.iter().sum::<f64>() / 2_000.0;
    let predicted = model.predict(&[Column::F64(&[0.0, 1.0])], None).unwrap();
    assert!((predicted[0] - mean / 4.0).abs() < 1e-6 && (predicted[1] - 5.0 - (mean - 5.0) / 4.0).abs() < 1e-6);
}

#[test]
fn what_is_no_number_gets_the_constant() {
    let x: Vec<f64> = (0..400).map(f64::from).collect();
    let labels: Vec<f64> = x.iter().map(|x| 0.5 * x).collect();
    let model = fit(&linear().num_leaves(2).learning_rate(1.0), &[Column::F64(&x)], &labels, None, 2).unwrap();
    let tree = &model.trees()[1];
    let value = |at: f64| tree.leaves[tree.leaf_of(&[at])].value[0];
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX];
    let (one, two) =
        (model.raw(&[Column::F64(&odd)], Some(1)).unwrap(), model.raw(&[Column::F64(&odd)], None).unwrap());
    for (at, odd) in odd.into_iter().enumerate().take(3) {
        assert_eq!(two[at], one[at] + value(odd), "{odd}");
    }
    assert!(two[3].is_finite());
    // Infinite values in training are left out of the fit.
    let mut with = x.clone();
    with[7] = f64::INFINITY;
    with[9] = f64::NAN;
    let forest = linear().num_leaves(2).boosting(Boosting::Rf);
    let model = fit(&forest, &[Column::F64(&with)], &labels, None, 1).unwrap();
    let predicted = model.predict(&[Column::F64(&[20.0, 380.0])], None).unwrap();
    assert!((predicted[0] - 10.0).abs() < 1e-3 && (predicted[1] - 190.0).abs() < 1e-3, "{predicted:?}");
}

#[test]
fn few_rows_keep_the_constant() {
    let x: Vec<f64> = (0..40).map(f64::from).collect();
    let labels: Vec<f64> = (0..40).map(|row| f64::from(row * row % 17)).collect();
    let params = linear().num_leaves(25).min_child_samples(1);
    let bins = BinSettings { min_data_in_bin: 1, ..BinSettings::default() };
    let columns = [Column::F64(&x)];
    let bins = Bins::new(&columns, &bins).unwrap();
    let training = Training { labels: &labels, columns: Some(&columns), ..Training::default() };
    let mut trainer = Trainer::new(&params, &bins, &training).unwrap();
    (0..2).for_each(|_| trainer.step().unwrap());
    let model = trainer.into_model();
    let leaves = &model.trees()[1].leaves;
    assert!(leaves.iter().any(|leaf| leaf.count == 1) && leaves.iter().any(|leaf| leaf.count > 1));
    assert!(leaves.iter().all(|leaf| leaf.linear.is_none() || leaf.count > 1));
    assert!(leaves.iter().any(|leaf| leaf.linear.is_some()));
}

#[test]
fn files_hold_linear_leaves() {
    let table = Table::new(800, 5, 1, 84);
    let columns = table.columns();
    let model = fit(&linear(), &columns, &table.signal, None, 3).unwrap();
    let plain = fit(&linear().linear_tree(false), &columns, &table.signal, None, 3).unwrap();
    let (text, plain) = (model.to_json().unwrap(), plain.to_json().unwrap());
    assert!(text.contains("\"version\":2") && plain.contains("\"version\":1") && !plain.contains("linear"));
    let wrong = |from: &str, to: &str| Model::from_json(&text.replacen(from, to, 1)).unwrap_err().to_string();
    assert_eq!(
        wrong("\"version\":2", "\"version\":1"),
        "the model is of version 1, but version 2 is for linear leaves, and 1 for others"
    );
    assert!(wrong("\"version\":2", "\"version\":3").ends_with("but this crate reads versions 1 and 2"));
    for (from, to) in [("\"features\":[", "\"features\":[99,"), ("\"coefficients\":[", "\"coefficients\":[1.0,")] {
        let error = wrong(from, to);
        assert!(error.starts_with("tree 1: the linear leaf "), "{error}");
    }
    // LightGBM's text says the start in the first tree.
    let again = Model::from_lightgbm(&model.to_lightgbm().unwrap()).unwrap();
    let (a, b) = (model.raw(&columns, None).unwrap(), again.raw(&columns, None).unwrap());
    assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-12));
    assert!(model.size(3) > model.size(1) + 500);
}

/// As LightGBM writes two leaves: the first is linear in a feature that no node splits, the second has none.
const TEXT: &str = "tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\nmax_feature_idx=1\n\
    objective=regression\nfeature_names=Column_0 Column_1\nfeature_infos=[0:1] [0:1]\ntree_sizes=300\n\nTree=0\n\
    num_leaves=2\nnum_cat=0\nsplit_feature=0\nsplit_gain=1\nthreshold=0.5\ndecision_type=10\nleft_child=-1\n\
    right_child=-2\nleaf_value=1 2\nleaf_weight=3 4\nleaf_count=3 4\ninternal_value=0\ninternal_weight=7\n\
    internal_count=7\nis_linear=1\nleaf_const=5 7\nnum_features=1 0\nleaf_features=1   \nleaf_coeff=-2   \n\
    shrinkage=1\n\n\nend of trees\n";

#[test]
fn the_text_format_is_read_as_lightgbm_reads_it() {
    let model = Model::from_lightgbm(TEXT).unwrap();
    let (split, used) = ([0.0, 0.0, 1.0, 1.0], [3.0, f64::NAN, 3.0, f64::NAN]);
    let columns = [Column::F64(&split), Column::F64(&used)];
    assert_eq!(model.raw(&columns, None).unwrap(), [-1.0, 1.0, 7.0, 7.0]);
    let metric = |predictions: &[f64], _: &[f64]| predictions[0] + 10.0 * predictions[1];
    let importance = model.permutation_importance(&columns, &[0.0; 4], metric, 20, 1).unwrap();
    assert!(importance.iter().all(|change| *change != 0.0), "{importance:?}");
    let error = |from: &str, to: &str| {
        assert!(TEXT.contains(from));
        Model::from_lightgbm(&TEXT.replacen(from, to, 1)).unwrap_err()
    };
    let wrong = |what: &str| Error::Format(format!("tree 0: {what}"));
    assert_eq!(error("leaf_const=5 7\n", ""), wrong("leaf_const is missing"));
    assert_eq!(error("leaf_const=5 7", "leaf_const=5 nan"), wrong("leaf_const holds NaN"));
    assert_eq!(error("num_features=1 0", "num_features=1 1"), wrong("leaf_features holds 1 numbers, but must hold 2"));
    assert_eq!(
        error("num_features=1 0", "num_features=1 -1"),
        wrong("num_features holds \"-1\", which is not such a number")
    );
    assert_eq!(error("leaf_features=1", "leaf_features=2"), wrong("leaf_features is 2, but there are 2 features"));
    assert_eq!(error("leaf_coeff=-2", "leaf_coeff=-2 3"), wrong("leaf_coeff holds 2 numbers, but must hold 1"));
}

#[test]
fn what_linear_leaves_cannot_have_is_named() {
    let with = |params: Params| params.check(2).unwrap_err().to_string();
    assert_eq!(
        with(linear().objective(Objective::Absolute)),
        "objective is set, but must be one whose leaf values are not renewed where linear_tree is true"
    );
    assert_eq!(
        with(linear().objective(Objective::Softmax { n_classes: 3 }).multi_strategy(MultiStrategy::LeafVectors)),
        "multi_strategy is set, but must be one_tree_per_output where linear_tree is true"
    );
    assert_eq!(
        with(linear().monotone_constraints(vec![0, 1])),
        "monotone_constraints is set, but must be 0 where linear_tree is true"
    );
    assert_eq!(with(linear().max_delta_step(1.0)), "max_delta_step is set, but must be 0 where linear_tree is true");
    assert_eq!(with(linear().linear_lambda(-1.0)), "linear_lambda is -1, but must be 0 or more");
    assert_eq!(
        with(Params::default().linear_lambda(1.0)),
        "linear_lambda is set, but must be 0 where linear_tree is false"
    );
    linear().monotone_constraints(vec![0, 0]).path_smooth(1.0).check(2).unwrap();
}

#[test]
fn columns_must_be_those_of_the_bins() {
    let table = Table::new(500, 3, 1, 85);
    let (columns, bins) = (table.columns(), table.bins());
    let base = Training { labels: &table.signal, ..Training::default() };
    let error = |training: &Training| Trainer::new(&linear(), &bins, training).map(|_| ()).unwrap_err().to_string();
    assert_eq!(
        error(&base),
        "linear_tree is true, but must be false where Training's columns are not given: leaves are fitted to values, not to bins"
    );
    assert_eq!(error(&Training { columns: Some(&columns[..3]), ..base }), "columns has 3 entries, but must have 4");
    let mut short = columns.clone();
    short[1] = Column::F64(&table.numbers[1][..499]);
    assert_eq!(error(&Training { columns: Some(&short), ..base }), "columns: column 1 has 499 rows, the bins have 500");
    let mut swapped = columns.clone();
    swapped.swap(0, 2);
    let found = error(&Training { columns: Some(&swapped), ..base });
    assert!(found.ends_with("columns: column 0 is not the one that the bins were made of"), "{found}");
    // A model with linear leaves goes on only with columns, and tells no contributions.
    let with = Training { columns: Some(&columns), ..base };
    let mut trainer = Trainer::new(&linear(), &bins, &with).unwrap();
    (0..2).for_each(|_| trainer.step().unwrap());
    let model = trainer.into_model();
    let constant = linear().linear_tree(false);
    let error = Trainer::resume(&model, &constant, &bins, &base).map(|_| ()).unwrap_err().to_string();
    assert!(error.starts_with("tree 1 has linear leaves, which need values rather than bins"), "{error}");
    let mut trainer = Trainer::resume(&model, &constant, &bins, &with).unwrap();
    trainer.step().unwrap();
    assert!(!trainer.model().trees()[2].is_linear());
    let error = model.contributions(&columns, None).unwrap_err().to_string();
    assert_eq!(error, "tree 1 has linear leaves: contributions are those of constant leaves only");
    assert!(model.contributions(&columns, Some(1)).is_ok());
}
