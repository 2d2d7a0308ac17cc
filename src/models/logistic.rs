//! Logistic regression with an L2 penalty, binary and softmax, by argmin's L-BFGS.
//!
//! The variables are changed to the principal axes of the fold's training rows, each scaled so that the curvature at the start is 1. That is shared by all values of `c`, and leaves L-BFGS a dozen steps where it would need hundreds; two classes start from the solution at a power of ten near `c`, which leaves a few.

use medalist_search::Value;
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut1, Axis};
use serde::{Deserialize, Serialize};
use serde_json::Value as State;

mod anchor;
pub(super) mod logistic_loss;

use self::anchor::Anchor;
use self::logistic_loss::{Classes, Loss, Scaled, TOLERANCE};
use super::baseline::shared::{Constant, once, sigmoid, softmax};
use super::ridge::spectrum::Spectrum;
use crate::Tunable;
use crate::error::{Error, Result};
use crate::model::{Dense, FitContext, Model, Predictor};
use crate::state::{Matrix, from_state, to_state};
use crate::target::{Target, Task};

/// Logistic regression; the intercept is not penalised. Row weights count.
///
/// Minimises `c * sum of losses + (sum of squared coefficients) / 2`, scikit-learn's objective with `C = c`; three and more classes by softmax in the symmetric form (a coefficient vector per class). Stops when the norm of the gradient in the scaled variables is below 4e-8 times the root of the sum of row weights (a change of the log-likelihood of about 1e-15 a row), which puts probabilities within 1e-6 of the exact ones.
#[derive(Tunable)]
pub struct Logistic {
    /// Inverse strength of the L2 penalty.
    #[param(1e-4..=1e4, log, default = 1.0, levels = [0.001, 0.01, 0.1, 1.0, 10.0, 100.0])]
    pub c: f64,
}

impl Model for Logistic {
    type Input = Dense;
    const TASKS: &'static [Task] = &[Task::Binary, Task::Multiclass];
    const ABOUT: &'static str = "logistic regression with an L2 penalty, binary and softmax";
    const TELLS_SIZE: bool = true;

    fn fit(&self, x: &Dense, y: &Target, ctx: &FitContext) -> Result<Box<dyn Predictor<Dense>>> {
        ctx.check_cancelled()?;
        let Target::Classes { codes, n_classes } = y else {
            return Err(Error::model("logistic regression predicts classes, not values"));
        };
        let classes = once(ctx, "logistic classes", || Classes::of(codes, *n_classes, ctx))?;
        if classes.present.len() < 2 {
            return Ok(Box::new(Constant(Array1::from(classes.priors.clone()))));
        }
        let spectrum = Spectrum::of(x, ctx)?;
        let penalty = 1.0 / self.c;
        let vectors = match Anchor::near(self.c, &spectrum, &classes, ctx)? {
            Some(anchor) => {
                let coordinates = anchor.coordinates(penalty);
                Loss { rows: &*spectrum, classes: &classes, penalty, coordinates, tolerance: TOLERANCE, ctx }
                    .minimise()?
            }
            None => {
                let coordinates = Scaled::new(&spectrum.eigenvalues, spectrum.total, &classes, penalty);
                Loss { rows: &*spectrum, classes: &classes, penalty, coordinates, tolerance: TOLERANCE, ctx }
                    .minimise()?
            }
        };
        let mut coefficients = Array2::zeros((x.x.ncols(), vectors.len()));
        let mut constants = Array1::zeros(vectors.len());
        for (place, vector) in vectors.iter().enumerate() {
            let (on_features, constant) = spectrum.to_features(&vector.on_axes);
            coefficients.column_mut(place).assign(&on_features);
            constants[place] = constant + vector.intercept;
        }
        let classes = classes.present.clone();
        Ok(Box::new(FittedLogistic { coefficients, constants, classes, n_classes: *n_classes }))
    }

    fn load(state: &State) -> Result<Box<dyn Predictor<Dense>>> {
        if let Some(constant) = Constant::load(state) {
            return Ok(Box::new(constant));
        }
        let Saved { coefficients, constants, classes, n_classes } = from_state(state)?;
        let (coefficients, constants) = (coefficients.into_array()?, Array1::from(constants));
        Ok(Box::new(FittedLogistic { coefficients, constants, classes, n_classes }))
    }

    fn estimate_memory(&self, n_rows: usize, n_columns: usize) -> u64 {
        let smaller = n_rows.min(n_columns);
        (8 * (2 * n_rows * n_columns + n_rows * smaller + 3 * smaller * smaller)) as u64
    }
}

struct FittedLogistic {
    /// (n_features, n_vectors)
    coefficients: Array2<f64>,
    constants: Array1<f64>,
    /// Those present in the training rows.
    classes: Vec<usize>,
    n_classes: usize,
}

/// Coefficients in a file.
#[derive(Serialize, Deserialize)]
pub(super) struct Saved {
    pub coefficients: Matrix,
    pub constants: Vec<f64>,
    pub classes: Vec<usize>,
    pub n_classes: usize,
}

impl FittedLogistic {
    fn margins(&self, x: ArrayView2<f64>) -> Array2<f64> {
        match self.coefficients.ncols() {
            // A matrix times a vector is much faster than times a matrix of one column.
            1 => (x.dot(&self.coefficients.column(0)) + self.constants[0]).insert_axis(Axis(1)),
            _ => x.dot(&self.coefficients) + &self.constants,
        }
    }
}

/// `margins`: that of the second of two classes, else one of each. `row`: of all classes, 0 where one is not among them.
pub(super) fn write_probabilities(mut margins: Vec<f64>, classes: &[usize], mut row: ArrayViewMut1<f64>) {
    if let [first, second] = classes {
        row[*first] = sigmoid(-margins[0]);
        row[*second] = sigmoid(margins[0]);
        return;
    }
    softmax(&mut margins);
    for (&class, power) in classes.iter().zip(margins) {
        row[class] = power;
    }
}

impl Predictor<Dense> for FittedLogistic {
    fn predict(&self, x: &Dense) -> Result<Array2<f64>> {
        let margins = self.margins(x.x.view());
        let mut probabilities = Array2::zeros((x.x.nrows(), self.n_classes));
        for (margins, row) in margins.outer_iter().zip(probabilities.outer_iter_mut()) {
            write_probabilities(margins.to_vec(), &self.classes, row);
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
