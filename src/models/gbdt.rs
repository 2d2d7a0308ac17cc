//! Gradient-boosted trees: forust's histograms and trees, in a boosting loop of our own.
//!
//! The loop is ours so that it can be stopped between trees, shares the binned columns among all trials of a fold, takes its random numbers from the trial's seed, and does softmax for three and more classes. Everything runs on one thread.

use std::sync::Arc;

use forust_ml::Matrix;
use forust_ml::binning::{BinnedData, bin_matrix};
use forust_ml::constraints::ConstraintMap;
use forust_ml::gradientbooster::GrowPolicy;
use forust_ml::sampler::SampleMethod;
use forust_ml::splitter::MissingImputerSplitter;
use forust_ml::tree::{Tree, split_bins};
use medalist_search::Value;
use ndarray::{Array1, Array2};
use rand::RngExt;
use rand::seq::index;

pub(super) mod matrix;

use self::matrix::ColumnMatrix;
use super::baseline::shared::{Constant, once, present, priors, sigmoid, softmax, total_weight, weight};
use crate::Tunable;
use crate::error::{Error, Result};
use crate::model::{Columns, FitContext, Model, Predictor};
use crate::target::{Target, Task};

/// Gradient-boosted trees, grown leaf by leaf on binned columns. Logistic loss for two classes, softmax for more, squared loss for values; row weights count. A gap goes to whichever side is better at each split; categories are split by the order of their levels. Parameters under LightGBM's names.
#[derive(Tunable)]
pub struct Gbdt {
    /// Trees (per class where there are more than two).
    #[param(1..=1000, log, staged, default = 100, levels = [25, 50, 100, 200, 300])]
    pub n_estimators: usize,
    /// What each tree's prediction is multiplied by.
    #[param(0.01..=0.3, log, default = 0.1, levels = [0.03, 0.1])]
    pub learning_rate: f64,
    /// Leaves of a tree, at most.
    #[param(2..=128, log, default = 31, levels = [7, 31])]
    pub num_leaves: usize,
    /// Splits from the root to a leaf, at most.
    #[param(1..=16, default = 8)]
    pub max_depth: usize,
    /// The sum of second derivatives in a leaf, at least: for squared loss a number of rows.
    #[param(0.001..=100.0, log, default = 3.0)]
    pub min_sum_hessian: f64,
    /// L1 penalty on a leaf's value.
    #[param(0.0..=10.0, default = 0.0)]
    pub lambda_l1: f64,
    /// L2 penalty on a leaf's value.
    #[param(0.001..=100.0, log, default = 1.0)]
    pub lambda_l2: f64,
    /// The gain that a split must bring.
    #[param(0.0..=1.0, default = 0.0)]
    pub min_gain_to_split: f64,
    /// The share of rows that each tree is grown on.
    #[param(0.4..=1.0, default = 1.0)]
    pub bagging_fraction: f64,
    /// The share of columns that each tree may split on.
    #[param(0.2..=1.0, default = 1.0)]
    pub feature_fraction: f64,
    /// Bins that a column's values are put in, at most.
    #[param(choices = [31, 63, 127, 255], ordered, default = 63)]
    pub max_bin: u16,
}

impl Model for Gbdt {
    type Input = Columns;
    const TASKS: &'static [Task] = &[Task::Binary, Task::Multiclass, Task::Regression, Task::Ordinal];
    const ABOUT: &'static str = "gradient-boosted trees (forust's, in a boosting loop of our own)";
    const TELLS_SIZE: bool = true;

    fn fit(&self, x: &Columns, y: &Target, ctx: &FitContext) -> Result<Box<dyn Predictor<Columns>>> {
        ctx.check_cancelled()?;
        let (objective, start) = match y {
            Target::Values(values) => {
                let total = total_weight(values.len(), ctx)?;
                let weighted = values.iter().enumerate().map(|(row, value)| value * (weight(ctx, row) / total));
                (Objective::Squared, vec![weighted.sum()])
            }
            Target::Classes { codes, n_classes } => {
                let priors = priors(codes, *n_classes, ctx)?;
                match present(&priors)[..] {
                    [first, second] => {
                        let log_odds = (priors[second] / priors[first]).ln();
                        (Objective::Logistic { first, second, n_classes: *n_classes }, vec![log_odds])
                    }
                    [] | [_] => return Ok(Box::new(Constant(Array1::from(priors)))),
                    ref classes => {
                        let start = classes.iter().map(|&class| priors[class].ln()).collect();
                        (Objective::Softmax { classes: classes.to_vec(), n_classes: *n_classes }, start)
                    }
                }
            }
        };
        let n_columns = x.table.columns().len();
        let trees = if n_columns == 0 { Vec::new() } else { self.grow(x, y, &objective, &start, ctx)? };
        Ok(Box::new(FittedGbdt { objective, start, trees, n_trees: self.n_estimators, n_columns }))
    }

    fn estimate_seconds(&self, n_rows: usize, n_columns: usize) -> Option<f64> {
        // Measured on one core of a common server, and doubled: a tree of 31 leaves on 63 bins takes 4 ms for 20,000 x 30, 0.3 ms for 720 x 12.
        let histograms = n_columns as f64 * self.num_leaves as f64 * f64::from(self.max_bin) * 5e-8;
        let rows = n_rows as f64 * n_columns as f64 * 1e-8;
        Some(self.n_estimators as f64 * (histograms + rows))
    }

    fn estimate_memory(&self, n_rows: usize, n_columns: usize) -> u64 {
        // Bins, the values themselves while they are binned, and a histogram of 16 bytes a bin for each open leaf.
        (n_rows * (10 * n_columns + 40) + 16 * n_columns * self.num_leaves * usize::from(self.max_bin)) as u64
    }
}

/// What is minimised, and how raw scores become predictions.
enum Objective {
    Squared,
    /// One score: the log-odds of the second of the two classes present.
    Logistic {
        first: usize,
        second: usize,
        n_classes: usize,
    },
    /// One score per class present.
    Softmax {
        classes: Vec<usize>,
        n_classes: usize,
    },
}

/// First and second derivatives of the loss by the scores: per score (n_rows,).
struct Derivatives {
    first: Vec<Vec<f32>>,
    second: Vec<Vec<f32>>,
}

/// Keeps a leaf's value finite where a probability is as good as 0 or 1.
const LEAST_HESSIAN: f64 = 1e-16;

impl Objective {
    /// `scores`: per score (n_rows,).
    fn derive(&self, y: &Target, scores: &[Vec<f64>], ctx: &FitContext, out: &mut Derivatives) {
        match (self, y) {
            (Objective::Squared, Target::Values(values)) => {
                for (row, (value, score)) in values.iter().zip(&scores[0]).enumerate() {
                    let weight = weight(ctx, row);
                    out.first[0][row] = (weight * (score - value)) as f32;
                    out.second[0][row] = weight as f32;
                }
            }
            (Objective::Logistic { second, .. }, Target::Classes { codes, .. }) => {
                for (row, (&code, &score)) in codes.iter().zip(&scores[0]).enumerate() {
                    let (weight, probability) = (weight(ctx, row), sigmoid(score));
                    out.first[0][row] = (weight * (probability - f64::from(code as usize == *second))) as f32;
                    out.second[0][row] = (weight * (probability * (1.0 - probability)).max(LEAST_HESSIAN)) as f32;
                }
            }
            (Objective::Softmax { classes, .. }, Target::Classes { codes, .. }) => {
                // Friedman's (2001) factor, as in LightGBM: the scores' shift is free.
                let factor = classes.len() as f64 / (classes.len() - 1) as f64;
                let mut probabilities = vec![0.0; classes.len()];
                for (row, &code) in codes.iter().enumerate() {
                    let weight = weight(ctx, row);
                    probabilities.iter_mut().zip(scores).for_each(|(probability, scores)| *probability = scores[row]);
                    softmax(&mut probabilities);
                    for (place, (&class, &probability)) in classes.iter().zip(&probabilities).enumerate() {
                        let hessian = (factor * probability * (1.0 - probability)).max(LEAST_HESSIAN);
                        out.first[place][row] = (weight * (probability - f64::from(code as usize == class))) as f32;
                        out.second[place][row] = (weight * hessian) as f32;
                    }
                }
            }
            // `fit` chooses the objective by the target.
            (Objective::Squared, Target::Classes { .. }) | (_, Target::Values(_)) => {}
        }
    }

    /// Scores to (n_rows, n_outputs).
    fn predict(&self, scores: &[Vec<f64>]) -> Array2<f64> {
        let n_rows = scores[0].len();
        match self {
            Objective::Squared => Array2::from_shape_fn((n_rows, 1), |(row, _)| scores[0][row]),
            Objective::Logistic { first, second, n_classes } => {
                let mut probabilities = Array2::zeros((n_rows, *n_classes));
                for (row, &score) in scores[0].iter().enumerate() {
                    probabilities[[row, *first]] = sigmoid(-score);
                    probabilities[[row, *second]] = sigmoid(score);
                }
                probabilities
            }
            Objective::Softmax { classes, n_classes } => {
                let mut probabilities = Array2::zeros((n_rows, *n_classes));
                for row in 0..n_rows {
                    let mut powers: Vec<f64> = scores.iter().map(|scores| scores[row]).collect();
                    softmax(&mut powers);
                    for (&class, power) in classes.iter().zip(powers) {
                        probabilities[[row, class]] = power;
                    }
                }
                probabilities
            }
        }
    }
}

impl Gbdt {
    /// `n_estimators` times one tree per score.
    fn grow(
        &self,
        x: &Columns,
        y: &Target,
        objective: &Objective,
        start: &[f64],
        ctx: &FitContext,
    ) -> Result<Vec<Tree>> {
        let binned = self.binned(x, ctx)?;
        let (n_rows, n_columns) = (x.table.n_rows(), x.table.columns().len());
        let bins = Matrix::new(&binned.binned_data, n_rows, n_columns);
        let splitter = MissingImputerSplitter {
            l1: self.lambda_l1 as f32,
            l2: self.lambda_l2 as f32,
            max_delta_step: 0.0,
            gamma: self.min_gain_to_split as f32,
            min_leaf_weight: self.min_sum_hessian as f32,
            learning_rate: self.learning_rate as f32,
            allow_missing_splits: true,
            constraints_map: ConstraintMap::new(),
        };
        let mut scores: Vec<Vec<f64>> = start.iter().map(|&start| vec![start; n_rows]).collect();
        let zeros = vec![vec![0.0; n_rows]; start.len()];
        let mut derivatives = Derivatives { first: zeros.clone(), second: zeros };
        let mut trees = Vec::with_capacity(self.n_estimators * start.len());
        for iteration in 0..self.n_estimators {
            objective.derive(y, &scores, ctx, &mut derivatives);
            let (rows, left_out) = self.draw_rows(n_rows, iteration, ctx);
            let sampling = if left_out.is_empty() { SampleMethod::None } else { SampleMethod::Random };
            for (place, scores) in scores.iter_mut().enumerate() {
                ctx.check_cancelled()?;
                let columns = self.draw_columns(n_columns, iteration, place, ctx);
                let mut tree = Tree::new();
                let reached = tree.fit(
                    &bins,
                    rows.clone(),
                    &columns,
                    &binned.cuts,
                    &derivatives.first[place],
                    &derivatives.second[place],
                    &splitter,
                    self.num_leaves,
                    self.max_depth,
                    false,
                    &sampling,
                    &GrowPolicy::LossGuide,
                );
                let split_bins = split_bins(&tree, &binned.cuts);
                let mut walk = |row: usize| {
                    scores[row] +=
                        tree.predict_row_from_bins(|column| *bins.get(row, column), &split_bins, 0, &f64::NAN);
                };
                match &reached {
                    None => (0..n_rows).for_each(walk),
                    Some(reached) => {
                        left_out.iter().for_each(|&row| walk(row));
                        for (rows, value) in reached.leaves(&tree) {
                            rows.iter().for_each(|&row| scores[row] += value);
                        }
                    }
                }
                trees.push(tree);
            }
        }
        Ok(trees)
    }

    /// The training rows in bins, shared by all trials of the fold.
    fn binned(&self, x: &Columns, ctx: &FitContext) -> Result<Arc<BinnedData<f64>>> {
        once(ctx, &format!("bins {}", self.max_bin), || {
            let columns = ColumnMatrix::of(x)?;
            let weights = ctx.weights.map_or_else(|| vec![1.0; columns.n_rows], <[f64]>::to_vec);
            let matrix = Matrix::new(&columns.data, columns.n_rows, columns.n_columns);
            bin_matrix(&matrix, &weights, self.max_bin, f64::NAN, false)
                .map_err(|error| Error::model(format!("gbdt: {error}")))
        })
    }

    /// The rows for one iteration's trees, and those left out; both ascending.
    fn draw_rows(&self, n_rows: usize, iteration: usize, ctx: &FitContext) -> (Vec<usize>, Vec<usize>) {
        let wanted = ((self.bagging_fraction * n_rows as f64).round() as usize).clamp(1, n_rows);
        if wanted == n_rows {
            return ((0..n_rows).collect(), Vec::new());
        }
        let mut rng = ctx.seed.child("bagging", iteration as u64).rng();
        let (mut rows, mut left_out) = (Vec::with_capacity(wanted), Vec::with_capacity(n_rows - wanted));
        for row in 0..n_rows {
            // Knuth's selection sampling: exactly as many as wanted, each set of rows equally likely.
            if rng.random_range(0..n_rows - row) < wanted - rows.len() { rows.push(row) } else { left_out.push(row) }
        }
        (rows, left_out)
    }

    /// The columns for one tree, ascending.
    fn draw_columns(&self, n_columns: usize, iteration: usize, place: usize, ctx: &FitContext) -> Vec<usize> {
        let wanted = ((self.feature_fraction * n_columns as f64).ceil() as usize).clamp(1, n_columns);
        if wanted == n_columns {
            return (0..n_columns).collect();
        }
        let mut rng = ctx.seed.child("columns", iteration as u64).child("output", place as u64).rng();
        let mut columns = index::sample(&mut rng, n_columns, wanted).into_vec();
        columns.sort_unstable();
        columns
    }
}

struct FittedGbdt {
    objective: Objective,
    /// The scores before the first tree.
    start: Vec<f64>,
    /// One per score and iteration, an iteration's together; empty where there are no columns.
    trees: Vec<Tree>,
    n_trees: usize,
    n_columns: usize,
}

impl FittedGbdt {
    /// The predictions of the first so many iterations, for each number asked for, ascending.
    fn predict_iterations(&self, x: &Columns, n_iterations: &[usize]) -> Result<Vec<Array2<f64>>> {
        let columns = ColumnMatrix::of(x)?;
        columns.check_width(self.n_columns)?;
        let matrix = Matrix::new(&columns.data, columns.n_rows, columns.n_columns);
        let mut scores: Vec<Vec<f64>> = self.start.iter().map(|&start| vec![start; columns.n_rows]).collect();
        let mut iterations = self.trees.chunks_exact(self.start.len());
        let mut done = 0;
        let mut predictions = Vec::with_capacity(n_iterations.len());
        for &wanted in n_iterations {
            for trees in iterations.by_ref().take(wanted - done) {
                for (tree, scores) in trees.iter().zip(&mut scores) {
                    let added = tree.predict(&matrix, false, &f64::NAN);
                    scores.iter_mut().zip(added).for_each(|(score, added)| *score += added);
                }
            }
            done = wanted;
            predictions.push(self.objective.predict(&scores));
        }
        Ok(predictions)
    }
}

impl Predictor<Columns> for FittedGbdt {
    fn predict(&self, x: &Columns) -> Result<Array2<f64>> {
        let mut predictions = self.predict_iterations(x, &[self.n_trees])?;
        predictions.pop().ok_or_else(|| Error::unexpected("boosting without a prediction"))
    }

    fn predict_staged(&self, x: &Columns, stages: &[Value]) -> Result<Vec<Array2<f64>>> {
        let mut iterations = Vec::with_capacity(stages.len());
        for stage in stages {
            match stage.as_f64() {
                Some(n)
                    if n >= 1.0
                        && n as usize <= self.n_trees
                        && iterations.last().is_none_or(|&last| last <= n as usize) =>
                {
                    iterations.push(n as usize);
                }
                _ => {
                    let message =
                        format!("a booster of {} trees has no stage {stage} after {iterations:?}", self.n_trees);
                    return Err(Error::unexpected(message));
                }
            }
        }
        self.predict_iterations(x, &iterations)
    }

    /// The nodes of the trees up to the stage.
    fn size(&self, stage: Option<&Value>) -> Option<u64> {
        let n_iterations = stage.and_then(Value::as_f64).map_or(self.n_trees, |n| n as usize);
        let trees = self.trees.iter().take(n_iterations * self.start.len());
        let n_bytes: usize = trees.map(|tree| size_of_val(tree.nodes.as_slice())).sum();
        Some((n_bytes + size_of_val(self.start.as_slice())) as u64)
    }
}
