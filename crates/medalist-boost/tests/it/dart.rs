//! Dropped trees, against a plain account of them.

use medalist_boost::tree::Tree;
use medalist_boost::{Boosting, Model, MultiStrategy, Objective, Params, Trainer, Training};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::data::{Table, pick};

fn dart(objective: Objective) -> Params {
    Params::new(objective).boosting(Boosting::Dart).num_leaves(9).learning_rate(0.3).skip_drop(0.25).drop_rate(0.4)
}

/// The stream of an iteration that tells which trees are dropped.
fn stream(seed: u64, iteration: u64) -> ChaCha8Rng {
    let mut key = [0u8; 32];
    for (at, part) in [seed, u64::from_le_bytes(*b"dropping"), iteration, 0].into_iter().enumerate() {
        key[8 * at..8 * at + 8].copy_from_slice(&part.to_le_bytes());
    }
    ChaCha8Rng::from_seed(key)
}

/// Grows one tree after the other from scores that are summed anew each time.
fn slowly(table: &Table, params: &Params, n: u64) -> (Vec<Tree>, Vec<usize>) {
    let (bins, n_rows) = (table.bins(), table.n_rows());
    let columns: Vec<Vec<f64>> = table.numbers.clone();
    let row_values = |row: usize| columns.iter().map(|column| column[row]).collect::<Vec<f64>>();
    let mean = table.signal.iter().sum::<f64>() / n_rows as f64;
    let mut trees: Vec<Tree> = Vec::new();
    let mut counts = Vec::new();
    for iteration in 0..n {
        let mut rng = stream(params.seed, iteration);
        let skip = rng.random::<f64>() < params.skip_drop;
        let dropped: Vec<usize> =
            (0..trees.len()).filter(|_| !skip && rng.random::<f64>() < params.drop_rate).collect();
        let k = dropped.len() as f64;
        for &tree in &dropped {
            let leaves = trees[tree].leaves.iter_mut().flat_map(|leaf| &mut leaf.value);
            leaves.for_each(|value| *value *= k / (k + 1.0));
            let nodes = trees[tree].nodes.iter_mut().flat_map(|node| &mut node.value);
            nodes.for_each(|value| *value *= k / (k + 1.0));
        }
        let scores: Vec<f64> = (0..n_rows)
            .map(|row| {
                let values = row_values(row);
                let value = |tree: &Tree| tree.leaves[tree.leaf_of(&values)].value[0];
                let whole = trees.iter().fold(mean, |score, tree| score + value(tree));
                whole - dropped.iter().fold(0.0, |gone, &tree| gone + value(&trees[tree]))
            })
            .collect();
        let plain = params.clone().boosting(Boosting::Gbdt).learning_rate(params.learning_rate / (k + 1.0));
        let training = Training { labels: &table.signal, init_score: Some(&scores), ..Training::default() };
        let mut trainer = Trainer::new(&plain, &bins, &training).unwrap();
        trainer.step().unwrap();
        trees.push(trainer.into_model().trees()[0].clone());
        counts.push(dropped.len());
    }
    (trees, counts)
}

fn run(trainer: &mut Trainer, n: usize) {
    (0..n).for_each(|_| trainer.step().unwrap());
}

#[test]
fn trees_are_those_of_a_plain_account() {
    let table = Table::new(400, 4, 0, 81);
    let bins = table.bins();
    for (objective, seed) in [(Objective::Squared, 1), (Objective::Squared, 2), (Objective::Huber { alpha: 0.7 }, 3)] {
        let params = dart(objective).seed(seed);
        let training = Training { labels: &table.signal, ..Training::default() };
        let mut trainer = Trainer::new(&params, &bins, &training).unwrap();
        run(&mut trainer, 12);
        let scores: Vec<f64> = (0..400).map(|row| trainer.score(row, 0)).collect();
        let model = trainer.into_model();
        let (trees, counts) = slowly(&table, &params, 12);
        assert!(counts.contains(&0) && counts.iter().any(|&n| n > 2), "{counts:?}");
        assert!(model.trees() == trees, "{params:?}");
        assert_eq!(model.raw(&table.columns(), None).unwrap(), scores);
    }
}

#[test]
fn scores_are_what_the_model_predicts_and_pieces_are_the_whole() {
    let table = Table::new(600, 5, 2, 82);
    let bins = table.bins();
    let rows: Vec<u32> = (0..600).filter(|row| row % 3 != 0).collect();
    let followed: Vec<u32> = (0..600).filter(|row| row % 3 == 0).collect();
    let softmax = || dart(Objective::Softmax { n_classes: 3 }).num_leaves(5);
    let fits = [
        dart(Objective::Squared).bagging_fraction(0.5).bagging_freq(2),
        dart(Objective::Absolute),
        softmax(),
        softmax().multi_strategy(MultiStrategy::LeafVectors),
        dart(Objective::Squared).parallel(true).feature_fraction(0.5).max_drop(2),
    ];
    for params in fits {
        let n_scores = params.objective.n_scores();
        let labels: Vec<f64> = match n_scores {
            1 => pick(&table.signal, &rows),
            _ => rows.iter().map(|&row| (table.signal[row as usize] + 1.0).floor().clamp(0.0, 2.0)).collect(),
        };
        let init: Vec<f64> = (0..rows.len() * n_scores).map(|at| (at % 5) as f64 * 0.1).collect();
        for init_score in [None, Some(&init[..])] {
            let training =
                Training { rows: Some(&rows), labels: &labels, init_score, followed: &followed, ..Training::default() };
            let mut whole = Trainer::new(&params, &bins, &training).unwrap();
            run(&mut whole, 9);
            let model = whole.model();
            let raw = model.raw(&table.columns(), None).unwrap();
            // Initial scores are no part of a model; followed rows have none.
            let seen: &[u32] = if init_score.is_some() { &followed } else { &rows };
            for &row in seen.iter().chain(&followed) {
                for output in 0..n_scores {
                    let predicted = raw[row as usize * n_scores + output];
                    assert_eq!(whole.score(row, output).to_bits(), predicted.to_bits(), "row {row}: {params:?}");
                }
            }
            for k in [1, 5] {
                let mut first = Trainer::new(&params, &bins, &training).unwrap();
                run(&mut first, k);
                let first = Model::from_json(&first.into_model().to_json().unwrap()).unwrap();
                let mut second = Trainer::resume(&first, &params, &bins, &training).unwrap();
                run(&mut second, 9 - k);
                assert!(second.into_model() == model, "{k} iterations first: {params:?}");
            }
        }
    }
}

#[test]
fn what_is_dropped_is_as_asked() {
    let table = Table::new(200, 3, 0, 83);
    let bins = table.bins();
    let training = Training { labels: &table.signal, ..Training::default() };
    let fit = |params: &Params| {
        let mut trainer = Trainer::new(params, &bins, &training).unwrap();
        run(&mut trainer, 6);
        trainer.into_model()
    };
    let base = dart(Objective::Squared);
    // None dropped: plain boosting.
    let plain = fit(&base.clone().boosting(Boosting::Gbdt));
    assert!(fit(&base.clone().skip_drop(1.0)) == plain);
    assert!(fit(&base.clone().drop_rate(0.0)) == plain);
    assert!(fit(&base.clone().seed(1)) != fit(&base.clone().seed(2)));
    // All dropped each time: every tree sees the start alone and ends with an equal share.
    let all = fit(&base.clone().skip_drop(0.0).drop_rate(1.0).max_drop(0).learning_rate(0.6));
    let values = |tree: &Tree| tree.leaves.iter().map(|leaf| leaf.value[0]).collect::<Vec<_>>();
    let alone = values(&plain.trees()[0]);
    for tree in all.trees() {
        let close = |(a, b): (&f64, &f64)| (a - b * 2.0 / 6.0).abs() < 1e-9 * (1.0 + b.abs());
        assert!(values(tree).iter().zip(&alone).all(close), "{:?} {alone:?}", values(tree));
    }
    // One at most: half of it stays, and the new tree is half of a step.
    let one = fit(&base.skip_drop(0.0).drop_rate(1.0).max_drop(1));
    assert!(one != all);
}

#[test]
fn an_iteration_that_fails_leaves_the_fit_as_it_was() {
    let table = Table::new(300, 4, 0, 84);
    let bins = table.bins();
    let labels: Vec<f64> = table.signal.iter().map(|s| (s + 1.0).floor().clamp(0.0, 2.0)).collect();
    let params = dart(Objective::Softmax { n_classes: 3 }).skip_drop(0.0).drop_rate(1.0);
    let training = Training { labels: &labels, ..Training::default() };
    let mut trainer = Trainer::new(&params, &bins, &training).unwrap();
    run(&mut trainer, 3);
    let scores = |trainer: &Trainer| (0..300).map(|row| trainer.score(row, 1).to_bits()).collect::<Vec<_>>();
    let before = (trainer.model(), scores(&trainer));
    let mut asked = 0;
    let mut stop = || {
        asked += 1;
        asked > 2
    };
    trainer.step_unless(&mut stop).unwrap_err();
    assert!(before == (trainer.model(), scores(&trainer)));
    trainer.step().unwrap();
    assert_eq!(trainer.n_iterations(), 4);
}
