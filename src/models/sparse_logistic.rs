//! Logistic regression on sparse rows: the words of texts, and whatever else there is.
//!
//! The loss and its minimisation are those of `logistic`. No principal axes here, they would not be sparse: each variable is scaled by its own curvature alone.

use medalist_search::Value;
use ndarray::{Array1, Array2};
use serde_json::Value as State;

use super::baseline::shared::{Constant, once, total_weight, weight};
use super::logistic::logistic_loss::{Classes, Loss, Rows, Scaled};
use super::logistic::{Saved, write_probabilities};
use crate::Tunable;
use crate::error::{Error, Result};
use crate::model::{FitContext, Model, Predictor, Sparse};
use crate::sparse::SparseMatrix;
use crate::state::{Matrix, from_state, to_state};
use crate::target::{Target, Task};

/// Logistic regression on the words of texts; the intercept is not penalised. Row weights count.
///
/// Minimises what `logistic` does, and stops when the norm of the gradient in the scaled variables is below 1e-5 times the root of the sum of row weights.
#[derive(Tunable)]
pub struct SparseLogistic {
    /// Inverse strength of the L2 penalty.
    #[param(1e-3..=1e3, log, default = 1.0, levels = [0.1, 0.3, 1.0, 3.0, 10.0])]
    pub c: f64,
}

/// Of the gradient: a tenth of what moves a prediction by 1e-3.
const TOLERANCE: f64 = 1e-5;

impl Model for SparseLogistic {
    type Input = Sparse;
    const TASKS: &'static [Task] = &[Task::Binary, Task::Multiclass];
    const ABOUT: &'static str = "logistic regression on the words of texts, by TF-IDF, beside all other columns";
    const TELLS_SIZE: bool = true;

    fn fit(&self, x: &Sparse, y: &Target, ctx: &FitContext) -> Result<Box<dyn Predictor<Sparse>>> {
        ctx.check_cancelled()?;
        let Target::Classes { codes, n_classes } = y else {
            return Err(Error::model("logistic regression predicts classes, not values"));
        };
        let classes = once(ctx, "logistic classes", || Classes::of(codes, *n_classes, ctx))?;
        if classes.present.len() < 2 {
            return Ok(Box::new(Constant(Array1::from(classes.priors.clone()))));
        }
        let rows = SparseRows { x: &x.x, total: total_weight(x.x.n_rows(), ctx)? };
        let penalty = 1.0 / self.c;
        let coordinates = Scaled::new(&rows.spreads(ctx)?, rows.total, &classes, penalty);
        let loss = Loss { rows: &rows, classes: &classes, penalty, coordinates, tolerance: TOLERANCE, ctx };
        let vectors = loss.minimise()?;
        let mut coefficients = Array2::zeros((x.x.n_columns(), vectors.len()));
        let mut constants = Array1::zeros(vectors.len());
        for (place, vector) in vectors.iter().enumerate() {
            coefficients.column_mut(place).assign(&vector.on_axes);
            constants[place] = vector.intercept;
        }
        let classes = classes.present.clone();
        Ok(Box::new(FittedSparseLogistic { coefficients, constants, classes, n_classes: *n_classes }))
    }

    fn load(state: &State) -> Result<Box<dyn Predictor<Sparse>>> {
        if let Some(constant) = Constant::load(state) {
            return Ok(Box::new(constant));
        }
        let Saved { coefficients, constants, classes, n_classes } = from_state(state)?;
        let (coefficients, constants) = (coefficients.into_array()?, Array1::from(constants));
        Ok(Box::new(FittedSparseLogistic { coefficients, constants, classes, n_classes }))
    }

    fn estimate_memory(&self, n_rows: usize, n_columns: usize) -> u64 {
        // Steps that L-BFGS remembers, of perhaps as many words as rows.
        (8 * 30 * (n_rows + n_columns)) as u64
    }
}

/// The training rows, each column an axis.
struct SparseRows<'a> {
    x: &'a SparseMatrix,
    total: f64,
}

impl SparseRows<'_> {
    /// (n_columns,): the weighted sum of squares.
    ///
    /// # Errors
    /// When one overflows.
    fn spreads(&self, ctx: &FitContext) -> Result<Array1<f64>> {
        let mut spreads = Array1::zeros(self.x.n_columns());
        for row in 0..self.x.n_rows() {
            let weight = weight(ctx, row);
            self.x.entries(row).for_each(|(column, value)| spreads[column as usize] += weight * value * value);
        }
        if spreads.iter().all(|spread: &f64| spread.is_finite()) {
            return Ok(spreads);
        }
        let error = Error::model("the features are too large: their squares overflow");
        Err(error.help("scale them: prep.scale=standard"))
    }
}

impl Rows for SparseRows<'_> {
    fn n_axes(&self) -> usize {
        self.x.n_columns()
    }

    fn total(&self) -> f64 {
        self.total
    }

    fn add_scores(&self, on_axes: &[f64], first_row: usize, out: &mut [f64]) {
        for (place, out) in out.iter_mut().enumerate() {
            *out += dot(self.x, first_row + place, |column| on_axes[column]);
        }
    }

    fn add_products(&self, first_row: usize, numbers: &[f64], out: &mut Array1<f64>) {
        for (place, number) in numbers.iter().enumerate() {
            for (column, value) in self.x.entries(first_row + place) {
                out[column as usize] += number * value;
            }
        }
    }
}

fn dot(x: &SparseMatrix, row: usize, coefficient: impl Fn(usize) -> f64) -> f64 {
    x.entries(row).map(|(column, value)| value * coefficient(column as usize)).sum()
}

struct FittedSparseLogistic {
    /// (n_features, n_vectors)
    coefficients: Array2<f64>,
    constants: Array1<f64>,
    /// Those present in the training rows.
    classes: Vec<usize>,
    n_classes: usize,
}

impl Predictor<Sparse> for FittedSparseLogistic {
    fn predict(&self, x: &Sparse) -> Result<Array2<f64>> {
        let mut probabilities = Array2::zeros((x.x.n_rows(), self.n_classes));
        for (row, out) in probabilities.outer_iter_mut().enumerate() {
            let margin =
                |vector: usize| self.constants[vector] + dot(&x.x, row, |column| self.coefficients[[column, vector]]);
            write_probabilities((0..self.constants.len()).map(margin).collect(), &self.classes, out);
        }
        Ok(probabilities)
    }

    /// The coefficients, and a constant for each output.
    fn size(&self, _stage: Option<&Value>) -> Option<u64> {
        Some(8 * (self.coefficients.len() + self.constants.len()) as u64)
    }

    fn save(&self) -> Option<State> {
        let (coefficients, constants) = (Matrix::from(&self.coefficients), self.constants.to_vec());
        to_state(&Saved { coefficients, constants, classes: self.classes.clone(), n_classes: self.n_classes })
    }
}
