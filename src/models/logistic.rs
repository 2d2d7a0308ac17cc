//! Logistic regression with an L2 penalty, binary and softmax, by argmin's L-BFGS.
//!
//! The variables are changed to the principal axes of the fold's training rows, each scaled so that the curvature at the start is 1. That is shared by all values of `c`, and leaves L-BFGS a dozen steps where it would need hundreds.

use std::cell::{Cell, RefCell};

use argmin::core::{CostFunction, Executor, Gradient, State, TerminationReason, TerminationStatus};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use ndarray::{Array1, Array2, ArrayView2, Axis};

use super::baseline::shared::{Constant, present, priors, sigmoid, softmax, weight};
use super::ridge::spectrum::Spectrum;
use crate::Tunable;
use crate::error::{Error, Result};
use crate::model::{Dense, FitContext, Model, Predictor};
use crate::target::{Target, Task};

/// Logistic regression; the intercept is not penalised. Row weights count.
///
/// Minimises `c * sum of losses + (sum of squared coefficients) / 2`, scikit-learn's objective with `C = c`; three and more classes by softmax in the symmetric form (a coefficient vector per class). Stops when the norm of the gradient in the scaled variables is below 1e-7 times the root of the sum of row weights (a change of the log-likelihood of about 1e-14 a row), which puts probabilities within 1e-6 of the exact ones.
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

    fn fit(&self, x: &Dense, y: &Target, ctx: &FitContext) -> Result<Box<dyn Predictor<Dense>>> {
        ctx.check_cancelled()?;
        let Target::Classes { codes, n_classes } = y else {
            return Err(Error::model("logistic regression predicts classes, not values"));
        };
        let priors = priors(codes, *n_classes, ctx)?;
        let classes = present(&priors);
        if classes.len() < 2 {
            return Ok(Box::new(Constant(Array1::from(priors))));
        }
        let spectrum = Spectrum::of(x, ctx)?;
        let loss = Loss::new(&spectrum, codes, &classes, &priors, 1.0 / self.c, ctx);
        let point = loss.minimise()?;
        let (mut coefficients, mut constants) =
            (Array2::zeros((x.x.ncols(), loss.n_vectors)), Array1::zeros(loss.n_vectors));
        for (vector, (on_axes, intercept)) in loss.unscaled(&point).into_iter().enumerate() {
            let (on_features, constant) = spectrum.to_features(&on_axes);
            coefficients.column_mut(vector).assign(&on_features);
            constants[vector] = constant + intercept;
        }
        Ok(Box::new(FittedLogistic { coefficients, constants, classes, n_classes: *n_classes }))
    }

    fn estimate_memory(&self, n_rows: usize, n_columns: usize) -> u64 {
        let smaller = n_rows.min(n_columns);
        (8 * (2 * n_rows * n_columns + n_rows * smaller + 3 * smaller * smaller)) as u64
    }
}

/// The function to be minimised, of the scaled variables: per vector one per axis, then the intercept.
struct Loss<'a> {
    spectrum: &'a Spectrum,
    ctx: &'a FitContext<'a>,
    penalty: f64,
    /// 1 for two classes (that of the second), else one per class.
    n_vectors: usize,
    /// (n_rows,): the place of the row's class among those present.
    places: Vec<usize>,
    /// (n_vectors, n_axes): what a scaled variable is multiplied by to be a coefficient.
    scales: Array2<f64>,
    /// (n_vectors,): the same of the intercepts.
    intercept_scales: Vec<f64>,
    start: Vec<f64>,
    /// The point last evaluated: the line search asks for value and gradient one after the other.
    last: RefCell<Option<Evaluated>>,
    n_evaluations: Cell<usize>,
}

#[derive(Clone)]
struct Evaluated {
    point: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

impl<'a> Loss<'a> {
    fn new(
        spectrum: &'a Spectrum,
        codes: &[u32],
        classes: &[usize],
        priors: &[f64],
        penalty: f64,
        ctx: &'a FitContext<'a>,
    ) -> Self {
        let n_axes = spectrum.eigenvalues.len();
        let vectors = if classes.len() == 2 { &classes[1..] } else { classes };
        let curvature = |class: usize| priors[class] * (1.0 - priors[class]);
        let scales = Array2::from_shape_fn((vectors.len(), n_axes), |(vector, axis)| {
            1.0 / (curvature(vectors[vector]) * spectrum.eigenvalues[axis] + penalty).sqrt()
        });
        let intercept_scales: Vec<f64> =
            vectors.iter().map(|&class| 1.0 / (curvature(class) * spectrum.total).sqrt()).collect();
        // No coefficient, and the intercepts that give the classes' shares.
        let mut start = vec![0.0; vectors.len() * (n_axes + 1)];
        for (vector, &class) in vectors.iter().enumerate() {
            let log_odds =
                if vectors.len() == 1 { (priors[class] / (1.0 - priors[class])).ln() } else { priors[class].ln() };
            start[vector * (n_axes + 1) + n_axes] = log_odds / intercept_scales[vector];
        }
        let mut place_of = vec![0; priors.len()];
        classes.iter().enumerate().for_each(|(place, &class)| place_of[class] = place);
        Loss {
            spectrum,
            ctx,
            penalty,
            n_vectors: vectors.len(),
            // A row of a class that is absent has weight 0.
            places: codes.iter().map(|&code| place_of[code as usize]).collect(),
            scales,
            intercept_scales,
            start,
            last: RefCell::new(None),
            n_evaluations: Cell::new(0),
        }
    }

    fn minimise(&self) -> Result<Vec<f64>> {
        let unexpected = |error: argmin::core::Error| Error::unexpected(format!("L-BFGS: {error}"));
        let solver = LBFGS::new(MoreThuenteLineSearch::new(), MEMORY)
            .with_tolerance_grad(TOLERANCE * self.spectrum.total.sqrt())
            .and_then(|solver| solver.with_tolerance_cost(0.0))
            .map_err(unexpected)?;
        let result = Executor::new(self, solver)
            .configure(|state| state.param(self.start.clone()).max_iters(MOST_STEPS))
            .ctrlc(false)
            .run()
            .map_err(unexpected)?;
        self.ctx.check_cancelled()?;
        let state = result.state();
        // A line search that can go no lower has met rounding: the best point seen is the answer.
        let stopped = match state.get_termination_status() {
            TerminationStatus::Terminated(TerminationReason::SolverConverged) => None,
            TerminationStatus::Terminated(TerminationReason::SolverExit(_)) => None,
            status => Some(status.to_string()),
        };
        let best = state.get_best_param().or(state.get_param());
        match (best, stopped) {
            (Some(best), None) if best.iter().all(|value| value.is_finite()) => Ok(best.clone()),
            (_, stopped) => {
                let reason = stopped.unwrap_or("the coefficients are not finite".to_string());
                let error = Error::model(format!("logistic regression did not converge: {reason}"));
                Err(error.help("scale the features (prep.scale=standard) or lower logistic.c"))
            }
        }
    }

    /// Per vector the coefficients on the axes, and the intercept.
    fn unscaled(&self, point: &[f64]) -> Vec<(Array1<f64>, f64)> {
        let n_axes = self.spectrum.eigenvalues.len();
        let vectors = point.chunks_exact(n_axes + 1).zip(self.scales.outer_iter()).zip(&self.intercept_scales);
        let unscaled = vectors.map(|((variables, scales), intercept_scale)| {
            let on_axes = scales.iter().zip(variables).map(|(scale, variable)| scale * variable).collect();
            (on_axes, variables[n_axes] * intercept_scale)
        });
        unscaled.collect()
    }

    fn evaluate(&self, point: &[f64]) -> Result<Evaluated, argmin::core::Error> {
        if let Some(last) = self.last.borrow().as_ref()
            && last.point == point
        {
            return Ok(last.clone());
        }
        self.ctx.check_cancelled()?;
        self.n_evaluations.set(self.n_evaluations.get() + 1);
        if self.n_evaluations.get() > MOST_EVALUATIONS {
            return Err(Error::model("too many evaluations").into());
        }
        let coefficients = self.unscaled(point);
        let (n_rows, n_axes) = (self.places.len(), self.spectrum.eigenvalues.len());
        // (n_vectors, n_rows): first the margins, then what the loss's derivative by them is.
        let mut rows = Array2::<f64>::zeros((self.n_vectors, n_rows));
        for ((on_axes, intercept), mut margins) in coefficients.iter().zip(rows.outer_iter_mut()) {
            let (Some(on_axes), Some(margins)) = (on_axes.as_slice(), margins.as_slice_mut()) else { continue };
            margins.fill(*intercept);
            self.spectrum.add_scores(on_axes, margins);
        }
        let mut value = if self.n_vectors == 1 { self.binary(&mut rows) } else { self.softmax(&mut rows) };
        let mut gradient = Vec::with_capacity(point.len());
        for (vector, ((on_axes, _), derivatives)) in coefficients.iter().zip(rows.outer_iter()).enumerate() {
            let by_axes = self.spectrum.scores.dot(&derivatives);
            for axis in 0..n_axes {
                value += 0.5 * self.penalty * on_axes[axis] * on_axes[axis];
                gradient.push((by_axes[axis] + self.penalty * on_axes[axis]) * self.scales[[vector, axis]]);
            }
            gradient.push(derivatives.sum() * self.intercept_scales[vector]);
        }
        let evaluated = Evaluated { point: point.to_vec(), value, gradient };
        *self.last.borrow_mut() = Some(evaluated.clone());
        Ok(evaluated)
    }

    /// Margins to derivatives; returns the sum of the weighted losses.
    fn binary(&self, rows: &mut Array2<f64>) -> f64 {
        let mut sum = 0.0;
        // A sum of logarithms is the logarithm of a product, which is taken once a block: each factor is at most 2.
        let (mut product, mut n_factors) = (1.0, 0);
        for ((row, margin), &place) in rows.iter_mut().enumerate().zip(&self.places) {
            // Both from one exponential that cannot overflow.
            let tail = (-margin.abs()).exp();
            let share = 1.0 / (1.0 + tail);
            let probability = if *margin >= 0.0 { share } else { tail * share };
            let linear = margin.max(0.0) - place as f64 * *margin;
            match self.ctx.weights {
                None => {
                    sum += linear;
                    product *= 1.0 + tail;
                    n_factors += 1;
                    if n_factors == FACTORS_A_LOGARITHM {
                        sum += f64::ln(product);
                        (product, n_factors) = (1.0, 0);
                    }
                    *margin = probability - place as f64;
                }
                Some(weights) => {
                    sum += weights[row] * (linear + tail.ln_1p());
                    *margin = weights[row] * (probability - place as f64);
                }
            }
        }
        sum + f64::ln(product)
    }

    /// As [`Loss::binary`], a vector per class: class by class, since the margins of one are contiguous.
    fn softmax(&self, rows: &mut Array2<f64>) -> f64 {
        let n_rows = self.places.len();
        let own: Vec<f64> = self.places.iter().enumerate().map(|(row, &place)| rows[[place, row]]).collect();
        let mut largest = vec![f64::NEG_INFINITY; n_rows];
        for margins in rows.outer_iter() {
            largest.iter_mut().zip(margins).for_each(|(largest, margin)| *largest = largest.max(*margin));
        }
        let mut totals = vec![0.0; n_rows];
        for mut margins in rows.outer_iter_mut() {
            for ((margin, largest), total) in margins.iter_mut().zip(&largest).zip(&mut totals) {
                *margin = (*margin - largest).exp();
                *total += *margin;
            }
        }
        let mut sum = 0.0;
        for row in 0..n_rows {
            let weight = weight(self.ctx, row);
            sum += weight * (totals[row].ln() + largest[row] - own[row]);
            totals[row] = weight / totals[row];
        }
        for mut powers in rows.outer_iter_mut() {
            powers.iter_mut().zip(&totals).for_each(|(power, scale)| *power *= scale);
        }
        for (row, &place) in self.places.iter().enumerate() {
            rows[[place, row]] -= weight(self.ctx, row);
        }
        sum
    }
}

/// Factors of at most 2 whose product stays far below the largest number.
const FACTORS_A_LOGARITHM: usize = 256;

/// Steps that L-BFGS remembers: argmin's examples and scipy use 7 and 10.
const MEMORY: usize = 10;
/// In the scaled variables, per root of the sum of weights.
const TOLERANCE: f64 = 1e-7;
const MOST_STEPS: u64 = 1_000;
/// Ends a line search that wanders.
const MOST_EVALUATIONS: usize = 5_000;

impl CostFunction for &Loss<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, point: &Vec<f64>) -> Result<f64, argmin::core::Error> {
        Ok(self.evaluate(point)?.value)
    }
}

impl Gradient for &Loss<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, point: &Vec<f64>) -> Result<Vec<f64>, argmin::core::Error> {
        Ok(self.evaluate(point)?.gradient)
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

impl FittedLogistic {
    fn margins(&self, x: ArrayView2<f64>) -> Array2<f64> {
        match self.coefficients.ncols() {
            // A matrix times a vector is much faster than times a matrix of one column.
            1 => (x.dot(&self.coefficients.column(0)) + self.constants[0]).insert_axis(Axis(1)),
            _ => x.dot(&self.coefficients) + &self.constants,
        }
    }
}

impl Predictor<Dense> for FittedLogistic {
    fn predict(&self, x: &Dense) -> Result<Array2<f64>> {
        let margins = self.margins(x.x.view());
        let mut probabilities = Array2::zeros((x.x.nrows(), self.n_classes));
        for (margins, mut row) in margins.outer_iter().zip(probabilities.outer_iter_mut()) {
            if let [first, second] = self.classes[..] {
                row[first] = sigmoid(-margins[0]);
                row[second] = sigmoid(margins[0]);
                continue;
            }
            let mut powers = margins.to_vec();
            softmax(&mut powers);
            for (&class, power) in self.classes.iter().zip(powers) {
                row[class] = power;
            }
        }
        Ok(probabilities)
    }
}
