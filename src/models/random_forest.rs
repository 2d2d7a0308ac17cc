//! Random forests, by smartcore.
//!
//! Grown ten trees at a time: between two groups the fit can be stopped, and the first groups of a larger forest are the smaller one. (smartcore sorts all columns for each forest; one tree at a time would take twice as long.)

use medalist_search::Value;
use ndarray::{Array1, Array2};
use smartcore::ensemble::random_forest_regressor::{RandomForestRegressor, RandomForestRegressorParameters};
use smartcore::linalg::basic::matrix::DenseMatrix;

use super::baseline::shared::{Constant, once, present, priors, total_weight, weight};
use super::gbdt::matrix::ColumnMatrix;
use crate::Tunable;
use crate::error::{Error, Result};
use crate::model::{Columns, FitContext, Model, Predictor};
use crate::target::{Target, Task};

/// The mean of many trees, each grown on rows drawn with replacement (by their weights, where there are any). Classes are regressed as 0 and 1, one against the rest where there are more than two. Categories are split by the order of their levels, and a gap is below every value.
#[derive(Tunable)]
pub struct RandomForest {
    /// Trees, in tens.
    #[param(10..=500, step = 10, staged, default = 100, levels = [20, 50, 100])]
    pub n_estimators: usize,
    /// Splits from the root to a leaf, at most.
    #[param(2..=32, default = 16, levels = [4, 8, 16])]
    pub max_depth: u16,
    /// Training rows in a leaf, at least.
    #[param(1..=100, log, default = 3, levels = [1, 3, 10])]
    pub min_child_samples: usize,
    /// The share of columns that each split may choose from.
    #[param(0.05..=1.0, default = 0.4, levels = [0.2, 0.4, 0.8])]
    pub feature_fraction_bynode: f64,
}

impl Model for RandomForest {
    type Input = Columns;
    const TASKS: &'static [Task] = &[Task::Binary, Task::Multiclass, Task::Regression, Task::Ordinal];
    const ABOUT: &'static str = "the mean of trees on drawn rows and columns (smartcore)";

    fn fit(&self, x: &Columns, y: &Target, ctx: &FitContext) -> Result<Box<dyn Predictor<Columns>>> {
        ctx.check_cancelled()?;
        let n_rows = x.table.n_rows();
        let total = total_weight(n_rows, ctx)?;
        let mean = |target: &[f64]| {
            let weighted = target.iter().enumerate().map(|(row, value)| value * (weight(ctx, row) / total));
            Constant(Array1::from_elem(1, weighted.sum()))
        };
        let no_columns = x.table.columns().is_empty();
        let (targets, classes, n_classes) = match y {
            Target::Values(values) if no_columns => return Ok(Box::new(mean(values))),
            Target::Values(values) => (vec![values.clone()], None, 1),
            Target::Classes { codes, n_classes } => {
                let priors = priors(codes, *n_classes, ctx)?;
                let classes = present(&priors);
                if classes.len() < 2 || no_columns {
                    return Ok(Box::new(Constant(Array1::from(priors))));
                }
                // Of two classes the second's probability says all.
                let regressed = if classes.len() == 2 { &classes[1..] } else { &classes[..] };
                let targets = regressed
                    .iter()
                    .map(|&class| codes.iter().map(|&code| f64::from(code as usize == class)).collect());
                (targets.collect(), Some(classes), *n_classes)
            }
        };
        let filled = once(ctx, "forest", || Filled::new(x))?;
        let n_columns = filled.fillings.len();
        let per_split = ((self.feature_fraction_bynode * n_columns as f64).ceil() as usize).clamp(1, n_columns);
        let mut groups = Vec::new();
        for group in 0..self.n_estimators.div_ceil(TREES_A_GROUP) {
            let mut forests = Vec::new();
            for (output, target) in targets.iter().enumerate() {
                ctx.check_cancelled()?;
                let seed = ctx.seed.child("group", group as u64).child("output", output as u64).to_u64();
                let parameters = RandomForestRegressorParameters::default()
                    .with_n_trees(TREES_A_GROUP)
                    // smartcore counts levels of nodes, the root's included.
                    .with_max_depth(self.max_depth + 1)
                    .with_min_samples_leaf(self.min_child_samples)
                    .with_min_samples_split((2 * self.min_child_samples).max(2))
                    .with_m(per_split)
                    .with_seed(seed);
                let forest = match ctx.weights {
                    Some(weights) => {
                        RandomForestRegressor::fit_with_weights(&filled.matrix, target, weights, parameters)
                    }
                    None => RandomForestRegressor::fit(&filled.matrix, target, parameters),
                };
                forests.push(forest.map_err(failed)?);
            }
            groups.push(forests);
        }
        Ok(Box::new(FittedForest { groups, fillings: filled.fillings.clone(), classes, n_classes }))
    }

    fn estimate_memory(&self, n_rows: usize, n_columns: usize) -> u64 {
        // The matrix, its orders (a usize each) and the orders of the node at hand.
        (24 * n_rows * n_columns) as u64
    }
}

const TREES_A_GROUP: usize = 10;

type Matrix = DenseMatrix<f64>;
type Forest = RandomForestRegressor<f64, f64, Matrix, Vec<f64>>;

fn failed(error: smartcore::error::Failed) -> Error {
    Error::model(format!("random forest: {error}"))
}

/// The training rows without gaps.
struct Filled {
    matrix: Matrix,
    /// What stands for a gap in each column: a value below all of its training rows.
    fillings: Vec<f64>,
}

impl Filled {
    fn new(x: &Columns) -> Result<Filled> {
        let columns = ColumnMatrix::of(x)?;
        let fillings = (0..columns.n_columns).map(|column| {
            let present = columns.column(column).iter().copied().filter(|value| !value.is_nan());
            let (low, high) = present
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
            if low <= high { low - (high - low) - 1.0 - low.abs() * 1e-3 } else { 0.0 }
        });
        let fillings: Vec<f64> = fillings.collect();
        Ok(Filled { matrix: fill(&columns, &fillings)?, fillings })
    }
}

/// Row-major, in which smartcore is faster.
fn fill(columns: &ColumnMatrix, fillings: &[f64]) -> Result<Matrix> {
    columns.check_width(fillings.len())?;
    let mut data = vec![0.0; columns.n_rows * columns.n_columns];
    for (column, &filling) in fillings.iter().enumerate() {
        for (row, &value) in columns.column(column).iter().enumerate() {
            data[row * columns.n_columns + column] = if value.is_nan() { filling } else { value };
        }
    }
    DenseMatrix::new(columns.n_rows, columns.n_columns, data, false).map_err(failed)
}

struct FittedForest {
    /// Per group of trees one forest per regressed class, or one for values.
    groups: Vec<Vec<Forest>>,
    fillings: Vec<f64>,
    /// Those in the training rows; none for values.
    classes: Option<Vec<usize>>,
    n_classes: usize,
}

impl FittedForest {
    /// The prediction of the first `n_groups` groups, for each of those asked for, ascending.
    fn predict_groups(&self, x: &Columns, n_groups: &[usize]) -> Result<Vec<Array2<f64>>> {
        let matrix = fill(&ColumnMatrix::of(x)?, &self.fillings)?;
        let n_rows = x.table.n_rows();
        let n_regressed = self.groups.first().map_or(0, Vec::len);
        let mut sums = Array2::<f64>::zeros((n_regressed, n_rows));
        let mut predictions = Vec::with_capacity(n_groups.len());
        let mut done = 0;
        for &wanted in n_groups {
            for forests in &self.groups[done..wanted] {
                for (forest, mut sums) in forests.iter().zip(sums.outer_iter_mut()) {
                    sums += &Array1::from(forest.predict(&matrix).map_err(failed)?);
                }
            }
            done = wanted;
            predictions.push(self.finish(&sums / wanted as f64));
        }
        Ok(predictions)
    }

    /// Means of the trees (n_regressed, n_rows) to predictions (n_rows, n_outputs).
    fn finish(&self, means: Array2<f64>) -> Array2<f64> {
        let Some(classes) = &self.classes else { return means.reversed_axes().as_standard_layout().into_owned() };
        let mut probabilities = Array2::zeros((means.ncols(), self.n_classes));
        for (means, mut row) in means.columns().into_iter().zip(probabilities.outer_iter_mut()) {
            if let [first, second] = classes[..] {
                let probability = means[0].clamp(0.0, 1.0);
                row[first] = 1.0 - probability;
                row[second] = probability;
                continue;
            }
            let sum: f64 = means.iter().map(|mean| mean.clamp(0.0, 1.0)).sum();
            for (&class, mean) in classes.iter().zip(means) {
                // Where every class is refused they are equally likely.
                row[class] = if sum > 0.0 { mean.clamp(0.0, 1.0) / sum } else { 1.0 / classes.len() as f64 };
            }
        }
        probabilities
    }
}

impl Predictor<Columns> for FittedForest {
    fn predict(&self, x: &Columns) -> Result<Array2<f64>> {
        let mut predictions = self.predict_groups(x, &[self.groups.len()])?;
        predictions.pop().ok_or_else(|| Error::unexpected("a forest without trees"))
    }

    fn predict_staged(&self, x: &Columns, stages: &[Value]) -> Result<Vec<Array2<f64>>> {
        let groups = stages.iter().map(|stage| match stage.as_f64().map(|n| (n as usize).div_ceil(TREES_A_GROUP)) {
            Some(groups) if (1..=self.groups.len()).contains(&groups) => Ok(groups),
            _ => Err(Error::unexpected(format!(
                "a forest of {} trees has no stage {stage}",
                self.groups.len() * TREES_A_GROUP
            ))),
        });
        self.predict_groups(x, &groups.collect::<Result<Vec<_>>>()?)
    }
}
