//! Gradient boosting made for cross-validation: integer histograms that give the same trees on any number of threads, and scores of a fold's other rows after every tree.
//!
//! A fit has four steps:
//!
//! 1. Views of the features, one [`Column`] each: numbers (NaN is missing) or codes of categories.
//! 2. [`Bins`]: every value as one of at most 255 small integers. They are made once and shared by all fits on these rows, or on a part of them.
//! 3. A [`Trainer`], from [`Params`] and a [`Training`]: which of the bins' rows to learn from, their labels and weights, and which rows to follow. Each [`Trainer::step`] is one iteration; after it the scores of all these rows are at hand.
//! 4. A [`Model`]: predicts rows that were never in bins, tells importances and contributions, and is written as JSON or in LightGBM's text format.
//!
//! ```
//! use medalist_boost::{BinSettings, Bins, Column, Importance, Model, Objective, Params, Trainer, Training};
//!
//! // Two features of 300 rows: a number that is missing now and then, and a category.
//! let width: Vec<f64> = (0..300).map(|i| if i % 10 == 3 { f64::NAN } else { f64::from(i % 37) }).collect();
//! let colour: Vec<u32> = (0..300).map(|i| i % 3).collect();
//! let labels: Vec<f64> = (0..300).map(|i| f64::from(i % 37) + 10.0 * f64::from(i % 3)).collect();
//! let columns = [Column::F64(&width), Column::Categories(&colour)];
//! let bins = Bins::new(&columns, &BinSettings::default())?;
//!
//! // A fold: it learns from four rows in five, and follows the others.
//! let (others, rows): (Vec<u32>, Vec<u32>) = (0..300).partition(|row| row % 5 == 0);
//! let of = |rows: &[u32]| rows.iter().map(|&row| labels[row as usize]).collect::<Vec<f64>>();
//! let (learned, held_out) = (of(&rows), of(&others));
//! let training = Training { rows: Some(&rows), labels: &learned, followed: &others, ..Training::default() };
//! let params = Params::new(Objective::Squared).num_leaves(15).n_estimators(50);
//! let mut trainer = Trainer::new(&params, &bins, &training)?;
//! let mut errors = Vec::new();
//! for _ in 0..params.n_estimators {
//!     trainer.step()?;
//!     let squares = others.iter().zip(&held_out).map(|(&row, label)| (trainer.score(row, 0) - label).powi(2));
//!     errors.push(squares.sum::<f64>() / others.len() as f64);
//! }
//! assert!(errors[49] < 0.2 * errors[0]);
//!
//! // What is left: it predicts raw values, and is the same after a round trip through its file format.
//! let model = trainer.into_model();
//! let predictions = model.predict(&columns, None)?;
//! assert!(model.importance(Importance::Gain)[0] > 0.0);
//! let again = Model::from_json(&model.to_json()?)?;
//! assert_eq!(again.predict(&columns, None)?, predictions);
//! # Ok::<(), medalist_boost::Error>(())
//! ```
//!
//! # Modules
//!
//! - [`bins`]: features as small integers, and the columns they are made of.
//! - [`params`]: what a fit can be told, under LightGBM's names and with its meaning.
//! - [`objective`]: the losses, a closure's derivatives among them.
//! - [`train`]: the boosting loop, an iteration at a time.
//! - [`model`]: what a fit leaves behind. Predictions after any number of trees, importances, exact contributions of features, two file formats.
//! - [`tree`]: a grown tree, to be looked at.
//! - [`statistics`]: categories as ordered means of the target, for those with more levels than a split can part.
//! - [`error`]: what can go wrong, in words that name the parameter or the row.
//!
//! # The same trees everywhere
//!
//! A tree's gradients are rounded to integers once, and sums of integers do not depend on their order. So [`Params::parallel`] and the processor's instruction set ([`Level`]) change how long a fit takes, never a bit of the trees. Random draws come from streams named by [`Params::seed`], iteration and output.
//!
//! # Cross-validation
//!
//! The rows of a fold are row numbers into shared [`Bins`]: nothing is copied, and five folds cost five fits, not five tables. Followed rows go down each tree with the training rows, by the same parting of row numbers; so the scores after 1, 2, .. trees, from which the number of trees is chosen, cost no prediction. Where features are cut depends on all rows of the bins, though never on a label; where that is too much, [`BinSettings::edge_rows`] names the training rows alone.

mod aligned;
pub mod bins;
mod cholesky;
pub mod error;
mod grow;
mod kernel;
mod memory;
pub mod model;
pub mod objective;
mod pair;
pub mod params;
mod sample;
mod split;
pub mod statistics;
pub mod train;
pub mod tree;

pub use bins::{BinSettings, Bins, Column};
pub use error::{Error, Result};
pub use kernel::Level;
pub use model::{Importance, Model};
pub use objective::{Custom, Objective};
pub use params::{Boosting, Growth, MultiStrategy, Params, Sampling};
pub use statistics::TargetStatistics;
pub use train::{Trainer, Training};

/// Compiles the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
