//! Ridge regression: linear least squares with an L2 penalty.
//!
//! The eigendecomposition of the Gram matrix is computed once per fold, so that each further `alpha` costs O(features x axes).

use medalist_search::Value;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use serde_json::Value as State;

pub(super) mod spectrum;

use self::spectrum::Spectrum;
use super::baseline::shared::{Constant, once, present, priors, sigmoid, weight};
use crate::Tunable;
use crate::error::Result;
use crate::model::{Dense, FitContext, Model, Predictor};
use crate::state::{Matrix, from_state, to_state};
use crate::target::{Target, Task};

/// Linear regression with an L2 penalty; the intercept is not penalised. Row weights count.
///
/// Classes are regressed as 0 and 1, each against the rest, which ranks rows as scikit-learn's RidgeClassifier does. To probabilities these values `f` come by Bayes' rule: the leave-one-out values of the rows within and without the class (a closed form, Golub, Heath and Wahba 1979) are taken as two normal densities of one variance s^2, so that the log-odds are `ln(share / (1 - share)) + (mean1 - mean0) / s^2 * (f - (mean1 + mean0) / 2)`. They rise with `f`; of three and more classes the probabilities are divided by their sum.
#[derive(Tunable)]
pub struct Ridge {
    /// Strength of the penalty: the sum of squares of the coefficients is multiplied by it.
    #[param(1e-4..=1e4, log, default = 1.0, levels = [0.01, 0.1, 1.0, 10.0, 100.0, 1000.0])]
    pub alpha: f64,
}

impl Model for Ridge {
    type Input = Dense;
    const TASKS: &'static [Task] = &[Task::Binary, Task::Multiclass, Task::Regression, Task::Ordinal];
    const ABOUT: &'static str = "linear regression with an L2 penalty; classes by regression on 0 and 1";
    const TELLS_SIZE: bool = true;

    fn fit(&self, x: &Dense, y: &Target, ctx: &FitContext) -> Result<Box<dyn Predictor<Dense>>> {
        ctx.check_cancelled()?;
        let spectrum = Spectrum::of(x, ctx)?;
        let outputs = once(ctx, "ridge targets", || Outputs::of(y, &spectrum, ctx))?;
        let shrunk = spectrum.eigenvalues.mapv(|eigenvalue| 1.0 / (eigenvalue + self.alpha));
        let mut fitted = FittedRidge {
            coefficients: Array2::zeros((spectrum.axes.nrows(), outputs.regressions.len())),
            constants: Array1::zeros(outputs.regressions.len()),
            classes: None,
        };
        for (column, output) in outputs.regressions.iter().enumerate() {
            let (coefficients, constant) = spectrum.to_features(&(&output.projected * &shrunk));
            fitted.coefficients.column_mut(column).assign(&coefficients);
            fitted.constants[column] = constant + output.mean;
        }
        let Target::Classes { codes, n_classes } = y else { return Ok(Box::new(fitted)) };
        if outputs.regressions.is_empty() {
            return Ok(Box::new(Constant(Array1::from(priors(codes, *n_classes, ctx)?))));
        }
        let leverages = leverages(&spectrum, &shrunk, ctx);
        for (column, output) in outputs.regressions.iter().enumerate() {
            let link = Link::of(output, &spectrum, &shrunk, &leverages, ctx);
            fitted.coefficients.column_mut(column).mapv_inplace(|coefficient| coefficient * link.slope);
            fitted.constants[column] = fitted.constants[column] * link.slope + link.intercept;
        }
        let class_of = outputs.regressions.iter().map(|output| output.class).collect();
        let complement = outputs.complement;
        fitted.classes = Some(Classes { n_classes: *n_classes, class_of, complement });
        Ok(Box::new(fitted))
    }

    fn load(state: &State) -> Result<Box<dyn Predictor<Dense>>> {
        if let Some(constant) = Constant::load(state) {
            return Ok(Box::new(constant));
        }
        let Saved { coefficients, constants, classes } = from_state(state)?;
        let coefficients = coefficients.into_array()?;
        Ok(Box::new(FittedRidge { coefficients, constants: Array1::from(constants), classes }))
    }

    fn estimate_memory(&self, n_rows: usize, n_columns: usize) -> u64 {
        let smaller = n_rows.min(n_columns);
        (8 * (2 * n_rows * n_columns + n_rows * smaller + 3 * smaller * smaller)) as u64
    }
}

/// The targets in the coordinates of the axes: all that the data say, whatever `alpha` is.
struct Outputs {
    /// One for values, one for two classes, one per class for more; empty where there is but one class.
    regressions: Vec<Regression>,
    /// The class whose probability is what the one regression leaves of 1.
    complement: Option<usize>,
}

struct Regression {
    /// The class regressed as 1 (0 for values).
    class: usize,
    /// The weighted mean of the target.
    mean: f64,
    /// (n_rows,)
    target: Vec<f64>,
    /// (n_axes,): `sum over rows of weight * score * (target - mean)`.
    projected: Array1<f64>,
}

impl Outputs {
    fn of(y: &Target, spectrum: &Spectrum, ctx: &FitContext) -> Result<Outputs> {
        let regression = |class: usize, target: Vec<f64>| {
            let weighted = target.iter().enumerate().map(|(row, value)| weight(ctx, row) / spectrum.total * value);
            let mean: f64 = weighted.sum();
            let residual = target.iter().enumerate().map(|(row, value)| weight(ctx, row) * (value - mean)).collect();
            let projected = spectrum.scores.dot(&Array1::<f64>::from_vec(residual));
            Regression { class, mean, target, projected }
        };
        match y {
            Target::Values(values) => {
                Ok(Outputs { regressions: vec![regression(0, values.clone())], complement: None })
            }
            Target::Classes { codes, n_classes } => {
                let classes = present(&priors(codes, *n_classes, ctx)?);
                let against_rest = |class: usize| {
                    regression(class, codes.iter().map(|&code| f64::from(code as usize == class)).collect())
                };
                Ok(match classes.as_slice() {
                    [] | [_] => Outputs { regressions: Vec::new(), complement: None },
                    &[first, second] => Outputs { regressions: vec![against_rest(second)], complement: Some(first) },
                    classes => Outputs {
                        regressions: classes.iter().map(|&class| against_rest(class)).collect(),
                        complement: None,
                    },
                })
            }
        }
    }
}

/// How much of each training row's fitted value is its own target: (n_rows,), in 0..1.
fn leverages(spectrum: &Spectrum, shrunk: &Array1<f64>, ctx: &FitContext) -> Vec<f64> {
    let mut leverages = vec![1.0 / spectrum.total; spectrum.scores.ncols()];
    for (scores, &shrunk) in spectrum.scores.outer_iter().zip(shrunk) {
        if let Some(scores) = scores.as_slice() {
            for (leverage, score) in leverages.iter_mut().zip(scores) {
                *leverage += shrunk * score * score;
            }
        }
    }
    if let Some(weights) = ctx.weights {
        leverages.iter_mut().zip(weights).for_each(|(leverage, weight)| *leverage *= weight);
    }
    leverages
}

/// The straight line from a regressed value to log-odds.
struct Link {
    slope: f64,
    intercept: f64,
}

impl Link {
    fn of(output: &Regression, spectrum: &Spectrum, shrunk: &Array1<f64>, leverages: &[f64], ctx: &FitContext) -> Link {
        let on_axes = &output.projected * shrunk;
        let mut fitted = vec![output.mean; output.target.len()];
        spectrum.add_scores(on_axes.as_slice().unwrap_or_default(), 0, &mut fitted);
        // What the row would have got from all others (Golub, Heath and Wahba 1979).
        for ((fitted, target), leverage) in fitted.iter_mut().zip(&output.target).zip(leverages) {
            *fitted = target - (target - *fitted) / (1.0 - leverage).max(LEAST_OWN_SHARE);
        }
        let mut weights = [0.0; 2];
        let mut means = [0.0; 2];
        for (row, (value, &target)) in fitted.iter().zip(&output.target).enumerate() {
            weights[target as usize] += weight(ctx, row);
            means[target as usize] += weight(ctx, row) * value;
        }
        means[0] /= weights[0];
        means[1] /= weights[1];
        let mut squares = 0.0;
        for (row, (value, &target)) in fitted.iter().zip(&output.target).enumerate() {
            squares += weight(ctx, row) * (value - means[target as usize]).powi(2);
        }
        let variance = (squares / spectrum.total).max(LEAST_VARIANCE);
        // Where leaving a row out turns the order round, nothing is known: the shares, in the order of the values.
        let slope = ((means[1] - means[0]) / variance).max(LEAST_SLOPE);
        let intercept = (weights[1] / weights[0]).ln() - slope * (means[0] + means[1]) / 2.0;
        Link { slope, intercept }
    }
}

/// Keeps the closed form of leaving a row out finite where the row alone determines its value.
const LEAST_OWN_SHARE: f64 = 1e-9;
/// Of values that should be 0 or 1: below, the classes are apart as far as rounding can tell.
const LEAST_VARIANCE: f64 = 1e-6;
const LEAST_SLOPE: f64 = 1e-6;
const LEAST_LOG_ODDS: f64 = -700.0;

struct FittedRidge {
    /// (n_features, n_regressions), for classes those of the log-odds.
    coefficients: Array2<f64>,
    constants: Array1<f64>,
    classes: Option<Classes>,
}

/// A [`FittedRidge`] in a file.
#[derive(Serialize, Deserialize)]
struct Saved {
    coefficients: Matrix,
    constants: Vec<f64>,
    classes: Option<Classes>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Classes {
    n_classes: usize,
    /// The class of each regression.
    class_of: Vec<usize>,
    complement: Option<usize>,
}

impl Predictor<Dense> for FittedRidge {
    fn predict(&self, x: &Dense) -> Result<Array2<f64>> {
        let values = match self.coefficients.ncols() {
            // A matrix times a vector is much faster than times a matrix of one column.
            1 => {
                let column = x.x.dot(&self.coefficients.column(0)) + self.constants[0];
                column.insert_axis(ndarray::Axis(1))
            }
            _ => x.x.dot(&self.coefficients) + &self.constants,
        };
        let Some(classes) = &self.classes else { return Ok(values) };
        let mut probabilities = Array2::zeros((x.x.nrows(), classes.n_classes));
        for (values, mut row) in values.outer_iter().zip(probabilities.outer_iter_mut()) {
            for (&value, &class) in values.iter().zip(&classes.class_of) {
                // The bound keeps a row that every class rejects from having no probability at all.
                row[class] = sigmoid(value.max(LEAST_LOG_ODDS));
            }
            match classes.complement {
                Some(class) => row[class] = sigmoid(-values[0]),
                None => {
                    let sum = row.sum();
                    row.mapv_inplace(|value| value / sum);
                }
            }
        }
        Ok(probabilities)
    }

    /// The coefficients, and a constant for each output.
    fn size(&self, _stage: Option<&Value>) -> Option<u64> {
        Some(8 * (self.coefficients.len() + self.constants.len()) as u64)
    }

    fn save(&self) -> Option<State> {
        let (coefficients, constants) = (Matrix::from(&self.coefficients), self.constants.to_vec());
        to_state(&Saved { coefficients, constants, classes: self.classes.clone() })
    }
}
