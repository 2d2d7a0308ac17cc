//! What would be passed over in silence is an error that names it.

use medalist_boost::{BinSettings, Bins, Boosting, Column, Growth, MultiStrategy, Objective, Params};
use medalist_boost::{Sampling, Trainer, Training};

#[test]
fn what_has_no_effect_is_named() {
    let squared = || Params::new(Objective::Squared);
    let logistic = || Params::new(Objective::Logistic);
    let absolute = || Params::new(Objective::Absolute);
    let vectors = || Params::new(Objective::Softmax { n_classes: 3 }).multi_strategy(MultiStrategy::LeafVectors);
    let goss = || squared().data_sample_strategy(Sampling::Goss);
    let cases = [
        (
            squared().bagging_fraction(0.5),
            "bagging_fraction is 0.5, but must be 1 where bagging_freq is 0: no rows are drawn",
        ),
        (
            goss().bagging_fraction(0.5).bagging_freq(1),
            "bagging_fraction is 0.5, but must be 1 where data_sample_strategy is goss",
        ),
        (goss().bootstrap(true), "bootstrap is true, but must be false where data_sample_strategy is goss"),
        (
            squared().bootstrap(true).bagging_fraction(0.5).bagging_freq(1),
            "bagging_fraction is 0.5, but must be 1 where rows are drawn by bootstrap",
        ),
        (
            logistic().bootstrap(true).neg_bagging_fraction(0.5),
            "neg_bagging_fraction is 0.5, but must be 1 where rows are drawn by bootstrap",
        ),
        (
            logistic().pos_bagging_fraction(0.5).bagging_fraction(0.7).bagging_freq(1),
            "bagging_fraction is 0.7, but must be 1 where each class has a fraction of its own",
        ),
        (
            squared().pos_bagging_fraction(0.5).bagging_freq(1),
            "pos_bagging_fraction is set, but must be 1 where the objective is not logistic",
        ),
        (squared().scale_pos_weight(2.0), "scale_pos_weight is set, but must be 1 where the objective is not logistic"),
        (absolute().max_delta_step(1.0), "max_delta_step is set, but must be 0 where the objective renews leaf values"),
        (absolute().path_smooth(1.0), "path_smooth is set, but must be 0 where the objective renews leaf values"),
        (
            absolute().monotone_constraints(vec![0, 1]),
            "monotone_constraints is set, but must be 0 where the objective renews leaf values",
        ),
        (vectors().extra_trees(true), "extra_trees is set, but must be false where multi_strategy is leaf_vectors"),
        (
            vectors().growth(Growth::Symmetric).max_depth(3),
            "growth is set, but must be leaf or depth where multi_strategy is leaf_vectors",
        ),
    ];
    for (params, wanted) in cases {
        assert_eq!(params.check(2).unwrap_err().to_string(), wanted);
    }
    let fine = [
        squared().bagging_fraction(0.5).bagging_freq(1),
        squared().bagging_freq(1),
        logistic().pos_bagging_fraction(0.5).bagging_freq(1).scale_pos_weight(2.0),
        absolute().monotone_constraints(vec![0, 0]).boosting(Boosting::Dart),
        vectors().boosting(Boosting::Dart),
        goss().boosting(Boosting::Dart),
    ];
    fine.iter().for_each(|params| params.check(2).unwrap());
}

#[test]
fn what_the_rows_make_impossible_is_named() {
    let columns = [Column::F64(&[1.0, 2.0, 3.0, 4.0]), Column::Categories(&[1, 1, 2, 2])];
    let bins = Bins::new(&columns, &BinSettings { min_data_in_bin: 1, ..BinSettings::default() }).unwrap();
    let labels = [0.0, 1.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0];
    let error = |params: Params, n_targets: usize| {
        let training = Training { labels: &labels[..4 * n_targets], n_targets: Some(n_targets), ..Training::default() };
        Trainer::new(&params, &bins, &training).map(|_| ()).unwrap_err().to_string()
    };
    let logistic = || Params::new(Objective::Logistic);
    assert_eq!(
        error(logistic().scale_pos_weight(2.0), 2),
        "scale_pos_weight is set, but must be 1 where there are 2 targets"
    );
    assert_eq!(
        error(logistic().neg_bagging_fraction(0.5).bagging_freq(1), 2),
        "neg_bagging_fraction is set, but must be 1 where there are 2 targets"
    );
    assert_eq!(
        error(logistic().monotone_constraints(vec![1, -1]), 1),
        "monotone_constraints is -1, but must be 0 for feature 1, which holds categories"
    );
}
