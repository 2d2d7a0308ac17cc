//! What shuffling a column costs.

use medalist_boost::{BinSettings, Bins, Column, Model, Objective, Params, Trainer, Training};

use crate::data::Draws;

fn mean_square(predictions: &[f64], labels: &[f64]) -> f64 {
    predictions.iter().zip(labels).map(|(p, y)| (p - y) * (p - y)).sum::<f64>() / labels.len() as f64
}

#[test]
fn a_strong_column_counts_and_noise_does_not() {
    let n_rows = 2_000;
    let mut draws = Draws::new(51);
    let strong: Vec<f64> = (0..n_rows).map(|_| draws.normal()).collect();
    // Columns 1 and 2 of a matrix: noise, and something weak.
    let matrix: Vec<f32> = (0..2 * n_rows).map(|_| draws.normal() as f32).collect();
    let codes: Vec<u32> = (0..n_rows).map(|_| draws.below(4) as u32).collect();
    let constant = vec![1.0f32; n_rows];
    let mut columns = vec![Column::F64(&strong)];
    columns.extend(Column::of_rows(&matrix, 2));
    columns.extend([Column::Categories(&codes), Column::F32(&constant)]);
    let label = |row: usize| 3.0 * strong[row] + 0.5 * f64::from(matrix[2 * row + 1]) + f64::from(codes[row] % 2);
    let labels: Vec<f64> = (0..n_rows).map(label).collect();
    let bins = Bins::new(&columns, &BinSettings::default()).unwrap();
    let params = Params::new(Objective::Squared);
    let mut trainer = Trainer::new(&params, &bins, &Training { labels: &labels, ..Training::default() }).unwrap();
    (0..60).for_each(|_| trainer.step().unwrap());
    let model: Model = trainer.into_model();
    let importance = model.permutation_importance(&columns, &labels, mean_square, 3, 1).unwrap();
    // Shuffled, an independent column of variance v costs 2 v of its factor squared.
    for (feature, wanted) in [(0, 18.0), (1, 0.0), (2, 0.5), (3, 0.5)] {
        let off = importance[feature] - wanted;
        assert!(off.abs() < 0.05 + 0.1 * wanted, "feature {feature}: {} rather than {wanted}", importance[feature]);
    }
    assert_eq!(importance[4], 0.0);
    assert_eq!(importance, model.permutation_importance(&columns, &labels, mean_square, 3, 1).unwrap());
    assert_ne!(importance, model.permutation_importance(&columns, &labels, mean_square, 3, 2).unwrap());
    // A score falls.
    let score = |predictions: &[f64], labels: &[f64]| -mean_square(predictions, labels);
    let of_score = model.permutation_importance(&columns, &labels, score, 3, 1).unwrap();
    assert!(of_score.iter().zip(&importance).all(|(a, b)| *a == -b));
}

#[test]
fn what_does_not_fit_is_an_error() {
    let columns = [Column::F64(&[1.0, 2.0, 3.0, 4.0])];
    let bins = Bins::new(&columns, &BinSettings::default()).unwrap();
    let labels = [1.0, 2.0, 3.0, 4.0];
    let training = Training { labels: &labels, ..Training::default() };
    let model = Trainer::new(&Params::new(Objective::Squared), &bins, &training).unwrap().into_model();
    let error = |columns: &[Column], labels: &[f64], n: usize| {
        model.permutation_importance(columns, labels, mean_square, n, 0).unwrap_err().to_string()
    };
    assert_eq!(error(&columns, &labels, 0), "n_repeats is 0, but must be 1 or more");
    assert_eq!(error(&columns, &labels[1..], 1), "there are 3 labels for 4 rows");
    assert_eq!(error(&[], &labels, 1), "there are 0 columns, but the model was fitted on 1");
}
