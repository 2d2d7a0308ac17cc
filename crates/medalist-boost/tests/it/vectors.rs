//! Trees whose leaves hold a value for every output.

use medalist_boost::tree::Tree;
use medalist_boost::{BinSettings, Bins, Model, MultiStrategy, Objective, Params, Trainer, Training};

use crate::data::Table;

fn fit(table: &Table, params: &Params, labels: &[f64], n_targets: usize) -> Model {
    // Every value may be an edge, so that a plain search has nothing ahead.
    let settings = BinSettings { min_data_in_bin: 1, ..BinSettings::default() };
    let bins = Bins::new(&table.columns(), &settings).unwrap();
    let training = Training { labels, n_targets: Some(n_targets), ..Training::default() };
    let mut trainer = Trainer::new(params, &bins, &training).unwrap();
    (0..params.n_estimators).for_each(|_| trainer.step().unwrap());
    trainer.into_model()
}

fn shape(tree: &Tree) -> Vec<String> {
    tree.nodes.iter().map(|node| format!("{} {:?} {} {}", node.feature, node.decision, node.left, node.right)).collect()
}

#[test]
fn two_equal_targets_are_split_as_one() {
    let table = Table::new(1500, 7, 0, 5);
    let params = Params::new(Objective::Squared).num_leaves(12).n_estimators(5).lambda_l2(2.0).min_sum_hessian(30.0);
    let one = fit(&table, &params, &table.signal, 1);
    let twice: Vec<f64> = table.signal.iter().flat_map(|&label| [label, label]).collect();
    let vectors = params.multi_strategy(MultiStrategy::LeafVectors);
    let two = fit(&table, &vectors, &twice, 2);
    assert_eq!(two.trees().len(), 5);
    for (one, two) in one.trees().iter().zip(two.trees()) {
        assert_eq!(shape(one), shape(two));
        for (one, two) in one.leaves.iter().zip(&two.leaves) {
            assert!(two.value.iter().all(|value| (value - one.value[0]).abs() < 1e-6), "{one:?} {two:?}");
        }
    }
}

/// Two targets that depend on different features: the first split is the one that takes most off both squared errors.
#[test]
fn a_split_serves_all_targets() {
    a_split_of(240, 10);
}

/// Few rows are sorted, not summed into histograms.
#[test]
fn a_split_of_few_rows_serves_all_targets() {
    a_split_of(30, 3);
}

#[track_caller]
fn a_split_of(n_rows: usize, least: usize) {
    let table = Table::new(n_rows, 5, 1, 9);
    let other: Vec<f64> = table.numbers[0].iter().map(|x| 2.0 * f64::from(*x > 0.4) - 0.5).collect();
    let labels: Vec<f64> = table.signal.iter().zip(&other).flat_map(|(&a, &b)| [a, b]).collect();
    let params = Params::new(Objective::Squared)
        .multi_strategy(MultiStrategy::LeafVectors)
        .num_leaves(2)
        .n_estimators(1)
        .min_child_samples(least)
        .learning_rate(1.0);
    let model = fit(&table, &params, &labels, 2);
    let squares = |rows: &[usize]| -> f64 {
        (0..2)
            .map(|target| {
                let mean = rows.iter().map(|&row| labels[2 * row + target]).sum::<f64>() / rows.len() as f64;
                rows.iter().map(|&row| (labels[2 * row + target] - mean).powi(2)).sum::<f64>()
            })
            .sum()
    };
    let parted = |left: &dyn Fn(usize) -> bool| {
        let (left, right): (Vec<usize>, Vec<usize>) = (0..n_rows).partition(|&row| left(row));
        if left.len().min(right.len()) < least { f64::INFINITY } else { squares(&left) + squares(&right) }
    };
    let mut best = f64::INFINITY;
    for column in &table.numbers {
        for &threshold in column.iter().filter(|value| !value.is_nan()) {
            for missing_left in [false, true] {
                let left = |row: usize| if column[row].is_nan() { missing_left } else { column[row] <= threshold };
                best = best.min(parted(&left));
            }
        }
    }
    for codes in &table.codes {
        for &code in codes {
            best = best.min(parted(&|row| codes[row] == code));
        }
    }
    let leaves = model.leaves(&table.columns()).unwrap();
    let ours = parted(&|row| leaves[row] == 0);
    assert!(ours <= best * (1.0 + 1e-6), "{ours} {best}");
    assert!(ours < 0.8 * squares(&(0..n_rows).collect::<Vec<_>>()));
}

#[test]
fn what_vectors_do_not_know_is_an_error() {
    let params = Params::new(Objective::Softmax { n_classes: 3 }).multi_strategy(MultiStrategy::LeafVectors);
    let error = params.clone().lambda_l1(1.0).check(3).unwrap_err();
    assert_eq!(error.to_string(), "lambda_l1 is set, but must be 0 where multi_strategy is leaf_vectors");
    assert!(params.check(3).is_ok());
}
