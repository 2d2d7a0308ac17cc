//! A fit in two pieces is the fit in one.

use medalist_boost::{Boosting, Growth, Model, MultiStrategy, Objective, Params, Sampling, Trainer, Training};

use crate::data::{Table, pick};

fn fits() -> Vec<(&'static str, Params)> {
    let squared = || Params::new(Objective::Squared).num_leaves(9);
    let classes = || Params::new(Objective::Softmax { n_classes: 3 }).num_leaves(5);
    vec![
        ("plain", squared()),
        ("counts", Params::new(Objective::Poisson).num_leaves(7)),
        ("medians", Params::new(Objective::Absolute).num_leaves(7)),
        ("bagging", squared().bagging_fraction(0.6).bagging_freq(3)),
        ("bagging each time", squared().bagging_fraction(0.6).bagging_freq(1)),
        ("goss", squared().data_sample_strategy(Sampling::Goss).learning_rate(0.5)),
        ("features of a tree", squared().feature_fraction(0.5)),
        ("features of a node", squared().feature_fraction_bynode(0.4).extra_trees(true)),
        ("classes", classes().bagging_fraction(0.5).bagging_freq(2)),
        ("leaf vectors", classes().multi_strategy(MultiStrategy::LeafVectors)),
        ("forest", squared().boosting(Boosting::Rf).bootstrap(true).feature_fraction(0.5)),
        ("forest of classes", classes().boosting(Boosting::Rf).bagging_fraction(0.5).bagging_freq(1)),
        ("linear", squared().linear_tree(true)),
        ("linear forest", squared().linear_tree(true).boosting(Boosting::Rf).bootstrap(true)),
        ("symmetric", squared().growth(Growth::Symmetric).max_depth(3)),
    ]
}

fn labels(table: &Table, objective: &Objective) -> Vec<f64> {
    match objective {
        Objective::Softmax { .. } => table.signal.iter().map(|s| (s + 1.0).floor().clamp(0.0, 2.0)).collect(),
        Objective::Poisson => table.signal.iter().map(|s| s.abs().floor()).collect(),
        _ => table.signal.clone(),
    }
}

#[test]
fn two_pieces_are_one_fit() {
    let table = Table::new(500, 6, 2, 61);
    let (bins, columns) = (table.bins(), table.columns());
    let rows: Vec<u32> = (0..500).filter(|row| row % 5 != 2).collect();
    let followed: Vec<u32> = (0..500).filter(|row| row % 5 == 2).collect();
    for (name, params) in fits() {
        let labels = pick(&labels(&table, &params.objective), &rows);
        let n_scores = params.objective.n_scores();
        let init = vec![0.25; rows.len() * n_scores];
        // With one row in eight of no weight.
        let weights: Vec<f64> = (0..rows.len()).map(|row| [0.0, 1.0, 1.0, 2.0, 1.0, 1.0, 0.5, 1.0][row % 8]).collect();
        for (init, weights) in [(None, None), (None, Some(&weights[..])), (Some(&init[..]), None)] {
            let training = Training {
                rows: Some(&rows),
                labels: &labels,
                weights,
                init_score: init,
                columns: Some(&columns),
                followed: &followed,
                ..Training::default()
            };
            let mut whole = Trainer::new(&params, &bins, &training).unwrap();
            (0..7).for_each(|_| whole.step().unwrap());
            for k in [0, 1, 4, 7] {
                let mut first = Trainer::new(&params, &bins, &training).unwrap();
                (0..k).for_each(|_| first.step().unwrap());
                let first = Model::from_json(&first.into_model().to_json().unwrap()).unwrap();
                let mut second = Trainer::resume(&first, &params, &bins, &training).unwrap();
                assert_eq!(second.n_iterations(), k);
                (k..7).for_each(|_| second.step().unwrap());
                for output in 0..n_scores {
                    let same = |row| whole.score(row, output).to_bits() == second.score(row, output).to_bits();
                    assert!((0..500).all(same), "{name}: scores after {k} and {} iterations", 7 - k);
                }
                assert!(whole.model() == second.into_model(), "{name}: {k} and {} iterations", 7 - k);
            }
        }
    }
}

#[test]
fn other_rows_and_rates_may_go_on() {
    let table = Table::new(400, 5, 1, 62);
    let bins = table.bins();
    let (early, late): (Vec<u32>, Vec<u32>) = (0..400).partition(|row| row % 2 == 0);
    let run = |trainer: &mut Trainer| (0..5).for_each(|_| trainer.step().unwrap());
    let params = Params::new(Objective::Squared).num_leaves(7);
    let labels = pick(&table.signal, &early);
    let training = Training { rows: Some(&early), labels: &labels, followed: &late, ..Training::default() };
    let mut first = Trainer::new(&params, &bins, &training).unwrap();
    run(&mut first);
    let first = first.into_model();
    let labels = pick(&table.signal, &late);
    let training = Training { rows: Some(&late), labels: &labels, followed: &early, ..Training::default() };
    let mut second = Trainer::resume(&first, &params.learning_rate(0.02), &bins, &training).unwrap();
    run(&mut second);
    let scores: Vec<f64> = (0..400).map(|row| second.score(row, 0)).collect();
    let model = second.into_model();
    assert_eq!(model.n_iterations(), 10);
    assert!(model.trees()[..5] == *first.trees());
    assert_eq!(model.raw(&table.columns(), None).unwrap(), scores);
}

#[test]
fn a_model_that_does_not_fit_is_an_error() {
    let table = Table::new(300, 3, 1, 63);
    let bins = table.bins();
    let training = Training { labels: &table.signal, ..Training::default() };
    let squared = Params::new(Objective::Squared);
    let mut trainer = Trainer::new(&squared, &bins, &training).unwrap();
    trainer.step().unwrap();
    let model = trainer.into_model();
    let error = |params: &Params, bins: &medalist_boost::Bins, training: &Training| {
        Trainer::resume(&model, params, bins, training).map(|_| ()).unwrap_err().to_string()
    };
    assert_eq!(
        error(&Params::new(Objective::Absolute), &bins, &training),
        "objective is Absolute, but must be Squared, which the model was fitted by"
    );
    assert_eq!(
        error(&squared.clone().boosting(Boosting::Rf), &bins, &training),
        "boosting is rf, but must be gbdt or dart: the model is no forest"
    );
    let wider = Table::new(300, 4, 1, 63);
    assert_eq!(error(&squared, &wider.bins(), &training), "the model has 4 features, but must have 5 to go on from");
    let other = Table::new(300, 3, 1, 64);
    assert!(error(&squared, &other.bins(), &training).contains("where these bins do not"));
    let twice: Vec<f64> = table.signal.iter().flat_map(|&s| [s, -s]).collect();
    let two = Training { labels: &twice, n_targets: Some(2), ..training };
    assert_eq!(error(&squared, &bins, &two), "the model has 1 scores, but must have 2 to go on from");
    let init = Training { init_score: Some(&table.signal), ..training };
    assert_eq!(error(&squared, &bins, &init), "init_score is given, but the model's own scores do not begin at 0");
}
