//! The penalised loss of logistic regression, in variables that make it round, and its minimum by argmin's L-BFGS.

use std::cell::RefCell;

use argmin::core::{CostFunction, Executor, Gradient, State, TerminationReason, TerminationStatus};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use ndarray::{Array1, Array2};

use crate::error::{Error, Result};
use crate::model::FitContext;
use crate::models::baseline::shared::{present, priors, weight};
use crate::models::ridge::spectrum::Spectrum;

/// Steps that L-BFGS remembers: argmin's examples and scipy use 7 and 10.
const MEMORY: usize = 10;
/// What puts probabilities within 1e-6 of the exact ones.
pub(crate) const TOLERANCE: f64 = 4e-8;
const MOST_STEPS: u64 = 1_000;
/// Ends a line search that wanders.
const MOST_EVALUATIONS: usize = 5_000;
/// Rows whose scores on a few dozen axes stay in the first-level cache between the margins and the gradient.
const ROWS_AT_ONCE: usize = 128;

/// The classes of the training rows: the same for every value of `c`.
pub(crate) struct Classes {
    /// The share of each in the rows' weight.
    pub(crate) priors: Vec<f64>,
    /// Those that the rows hold, ascending.
    pub(crate) present: Vec<usize>,
    /// (n_rows,): the place of the row's class among those present. A row of a class that is absent has weight 0.
    places: Vec<usize>,
}

impl Classes {
    /// # Errors
    /// When there is no row, or all weights are 0.
    pub(crate) fn of(codes: &[u32], n_classes: usize, ctx: &FitContext) -> Result<Classes> {
        let priors = priors(codes, n_classes, ctx)?;
        let present = present(&priors);
        let mut place_of = vec![0; n_classes];
        present.iter().enumerate().for_each(|(place, &class)| place_of[class] = place);
        let places = codes.iter().map(|&code| place_of[code as usize]).collect();
        Ok(Classes { priors, present, places })
    }

    /// 1 for two classes (that of the second), else one per class.
    pub(crate) fn n_vectors(&self) -> usize {
        self.vectors().len()
    }

    /// The classes that have a vector of coefficients.
    fn vectors(&self) -> &[usize] {
        if self.present.len() == 2 { &self.present[1..] } else { &self.present }
    }
}

/// Coefficients on the spectrum's axes, and the intercept: one per class, or one for two classes.
#[derive(Clone)]
pub(crate) struct Vector {
    pub(crate) on_axes: Array1<f64>,
    pub(crate) intercept: f64,
}

/// The variables that L-BFGS sees: the same function of other coordinates, in which the curvature is near 1 in every direction.
pub(crate) trait Coordinates {
    /// The variables to start from: per vector one per axis, then the intercept's.
    fn start(&self) -> Vec<f64>;

    fn vectors(&self, point: &[f64]) -> Vec<Vector>;

    /// The gradient by the variables from those by the vectors.
    fn gradient(&self, by_vectors: &[Vector]) -> Vec<f64>;
}

/// The training rows as numbers on axes, of which a loss wants two products.
pub(crate) trait Rows {
    fn n_axes(&self) -> usize;

    /// The sum of the row weights.
    fn total(&self) -> f64;

    /// Adds to `out`, a place a row from `first_row` on, the row's numbers times the coefficients.
    fn add_scores(&self, on_axes: &[f64], first_row: usize, out: &mut [f64]);

    /// Adds to `out`, a place an axis, the sum of the axis's numbers of the rows from `first_row` on times the rows' own `numbers`.
    fn add_products(&self, first_row: usize, numbers: &[f64], out: &mut Array1<f64>);
}

impl Rows for Spectrum {
    fn n_axes(&self) -> usize {
        self.eigenvalues.len()
    }

    fn total(&self) -> f64 {
        self.total
    }

    fn add_scores(&self, on_axes: &[f64], first_row: usize, out: &mut [f64]) {
        Spectrum::add_scores(self, on_axes, first_row, out);
    }

    fn add_products(&self, first_row: usize, numbers: &[f64], out: &mut Array1<f64>) {
        Spectrum::add_products(self, first_row, numbers, out);
    }
}

/// The rows' own axes, scaled by the curvature where all coefficients are 0.
pub(crate) struct Scaled {
    /// (n_vectors, n_axes): what a variable is multiplied by to be a coefficient.
    scales: Array2<f64>,
    /// (n_vectors,): the same of the intercepts.
    intercept_scales: Vec<f64>,
    start: Vec<f64>,
}

impl Scaled {
    /// `spreads`: per axis the weighted sum of the rows' squared numbers; `total`: of the rows' weights.
    pub(crate) fn new(spreads: &Array1<f64>, total: f64, classes: &Classes, penalty: f64) -> Scaled {
        let n_axes = spreads.len();
        let (vectors, priors) = (classes.vectors(), &classes.priors);
        let curvature = |class: usize| priors[class] * (1.0 - priors[class]);
        let scales = Array2::from_shape_fn((vectors.len(), n_axes), |(vector, axis)| {
            1.0 / (curvature(vectors[vector]) * spreads[axis] + penalty).sqrt()
        });
        let intercept_scales: Vec<f64> = vectors.iter().map(|&class| 1.0 / (curvature(class) * total).sqrt()).collect();
        // No coefficient, and the intercepts that give the classes' shares.
        let mut start = vec![0.0; vectors.len() * (n_axes + 1)];
        for (vector, &class) in vectors.iter().enumerate() {
            let log_odds =
                if vectors.len() == 1 { (priors[class] / (1.0 - priors[class])).ln() } else { priors[class].ln() };
            start[vector * (n_axes + 1) + n_axes] = log_odds / intercept_scales[vector];
        }
        Scaled { scales, intercept_scales, start }
    }
}

impl Coordinates for Scaled {
    fn start(&self) -> Vec<f64> {
        self.start.clone()
    }

    fn vectors(&self, point: &[f64]) -> Vec<Vector> {
        let n_axes = self.scales.ncols();
        let parts = point.chunks_exact(n_axes + 1).zip(self.scales.outer_iter()).zip(&self.intercept_scales);
        let vectors = parts.map(|((variables, scales), intercept_scale)| Vector {
            on_axes: scales.iter().zip(variables).map(|(scale, variable)| scale * variable).collect(),
            intercept: variables[n_axes] * intercept_scale,
        });
        vectors.collect()
    }

    fn gradient(&self, by_vectors: &[Vector]) -> Vec<f64> {
        let mut gradient = Vec::with_capacity(self.start.len());
        for ((by, scales), intercept_scale) in
            by_vectors.iter().zip(self.scales.outer_iter()).zip(&self.intercept_scales)
        {
            gradient.extend(by.on_axes.iter().zip(scales).map(|(by, scale)| by * scale));
            gradient.push(by.intercept * intercept_scale);
        }
        gradient
    }
}

/// The function to be minimised: `sum of losses + penalty * (sum of squared coefficients) / 2`.
pub(crate) struct Loss<'a, R, C> {
    pub(crate) rows: &'a R,
    pub(crate) classes: &'a Classes,
    pub(crate) penalty: f64,
    pub(crate) coordinates: C,
    /// Of the norm of the gradient in the scaled variables, per root of the sum of weights.
    pub(crate) tolerance: f64,
    pub(crate) ctx: &'a FitContext<'a>,
}

impl<R: Rows, C: Coordinates> Loss<'_, R, C> {
    /// # Errors
    /// When the fit should stop, or L-BFGS does not converge.
    pub(crate) fn minimise(&self) -> Result<Vec<Vector>> {
        let unexpected = |error: argmin::core::Error| Error::unexpected(format!("L-BFGS: {error}"));
        let solver = LBFGS::new(MoreThuenteLineSearch::new(), MEMORY)
            .with_tolerance_grad(self.tolerance * self.rows.total().sqrt())
            .and_then(|solver| solver.with_tolerance_cost(0.0))
            .map_err(unexpected)?;
        let problem = Problem { loss: self, memo: RefCell::default() };
        let result = Executor::new(&problem, solver)
            .configure(|state| state.param(self.coordinates.start()).max_iters(MOST_STEPS))
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
            (Some(best), None) if best.iter().all(|value| value.is_finite()) => Ok(self.coordinates.vectors(best)),
            (_, stopped) => {
                let reason = stopped.unwrap_or("the coefficients are not finite".to_string());
                let error = Error::model(format!("logistic regression did not converge: {reason}"));
                Err(error.help("scale the features (prep.scale=standard) or lower logistic.c"))
            }
        }
    }

    /// The value, and the gradient by the vectors.
    fn evaluate(&self, vectors: &[Vector]) -> (f64, Vec<Vector>) {
        let n_axes = self.rows.n_axes();
        let mut value = 0.0;
        let mut gradient = vec![Vector { on_axes: Array1::zeros(n_axes), intercept: 0.0 }; vectors.len()];
        // A block of rows at a time, so that its scores are fetched once for the margins and the gradient.
        let mut buffer = vec![0.0; vectors.len() * ROWS_AT_ONCE];
        for first_row in (0..self.classes.places.len()).step_by(ROWS_AT_ONCE) {
            let n_rows = ROWS_AT_ONCE.min(self.classes.places.len() - first_row);
            // (n_vectors, n_rows): first the margins, then what the loss's derivative by them is.
            let block = &mut buffer[..vectors.len() * n_rows];
            for (vector, margins) in vectors.iter().zip(block.chunks_exact_mut(n_rows)) {
                margins.fill(vector.intercept);
                self.rows.add_scores(slice(&vector.on_axes), first_row, margins);
            }
            value += if vectors.len() == 1 { self.binary(first_row, block) } else { self.softmax(first_row, block) };
            for (by, derivatives) in gradient.iter_mut().zip(block.chunks_exact(n_rows)) {
                self.rows.add_products(first_row, derivatives, &mut by.on_axes);
                by.intercept += derivatives.iter().sum::<f64>();
            }
        }
        for (vector, by) in vectors.iter().zip(&mut gradient) {
            value += 0.5 * self.penalty * vector.on_axes.dot(&vector.on_axes);
            by.on_axes.scaled_add(self.penalty, &vector.on_axes);
        }
        (value, gradient)
    }

    /// Margins to derivatives; returns the sum of the weighted losses.
    fn binary(&self, first_row: usize, block: &mut [f64]) -> f64 {
        let mut sum = 0.0;
        // A sum of logarithms is the logarithm of a product, which is taken once a block: each factor is at most 2, so it cannot overflow.
        let mut product = 1.0;
        let places = &self.classes.places[first_row..];
        for (position, (margin, &place)) in block.iter_mut().zip(places).enumerate() {
            // Both from one exponential that cannot overflow.
            let tail = (-margin.abs()).exp();
            let share = 1.0 / (1.0 + tail);
            let probability = if *margin >= 0.0 { share } else { tail * share };
            let linear = margin.max(0.0) - place as f64 * *margin;
            match self.ctx.weights {
                None => {
                    sum += linear;
                    product *= 1.0 + tail;
                    *margin = probability - place as f64;
                }
                Some(weights) => {
                    let weight = weights[first_row + position];
                    sum += weight * (linear + tail.ln_1p());
                    *margin = weight * (probability - place as f64);
                }
            }
        }
        sum + f64::ln(product)
    }

    /// As [`Loss::binary`], a vector per class: class by class, since the margins of one are contiguous.
    fn softmax(&self, first_row: usize, block: &mut [f64]) -> f64 {
        let n_rows = block.len() / self.classes.n_vectors();
        let places = &self.classes.places[first_row..first_row + n_rows];
        let mut largest = [f64::NEG_INFINITY; ROWS_AT_ONCE];
        for margins in block.chunks_exact(n_rows) {
            largest.iter_mut().zip(margins).for_each(|(largest, margin)| *largest = largest.max(*margin));
        }
        let mut own = [0.0; ROWS_AT_ONCE];
        for (row, &place) in places.iter().enumerate() {
            own[row] = block[place * n_rows + row];
        }
        let mut totals = [0.0; ROWS_AT_ONCE];
        for margins in block.chunks_exact_mut(n_rows) {
            for ((margin, largest), total) in margins.iter_mut().zip(&largest).zip(&mut totals) {
                *margin = (*margin - largest).exp();
                *total += *margin;
            }
        }
        let mut sum = 0.0;
        for row in 0..n_rows {
            let weight = weight(self.ctx, first_row + row);
            sum += weight * (totals[row].ln() + largest[row] - own[row]);
            totals[row] = weight / totals[row];
        }
        for powers in block.chunks_exact_mut(n_rows) {
            powers.iter_mut().zip(&totals).for_each(|(power, scale)| *power *= scale);
        }
        for (row, &place) in places.iter().enumerate() {
            block[place * n_rows + row] -= weight(self.ctx, first_row + row);
        }
        sum
    }

    /// (n_rows,): the second derivative of each row's loss by its margin, times the row's weight; of two classes alone.
    pub(crate) fn curvatures(&self, vector: &Vector) -> Vec<f64> {
        let mut margins = vec![vector.intercept; self.classes.places.len()];
        self.rows.add_scores(slice(&vector.on_axes), 0, &mut margins);
        for (row, margin) in margins.iter_mut().enumerate() {
            let tail = (-margin.abs()).exp();
            *margin = weight(self.ctx, row) * tail / ((1.0 + tail) * (1.0 + tail));
        }
        margins
    }
}

fn slice(array: &Array1<f64>) -> &[f64] {
    array.as_slice().expect("vectors of coefficients are made contiguous")
}

/// A loss as argmin sees it. The line search asks for value and gradient one after the other, so the point last evaluated is kept.
struct Problem<'a, R, C> {
    loss: &'a Loss<'a, R, C>,
    memo: RefCell<Memo>,
}

#[derive(Default)]
struct Memo {
    point: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
    n_evaluations: usize,
}

impl<R: Rows, C: Coordinates> Problem<'_, R, C> {
    fn evaluated<T>(&self, point: &[f64], answer: impl FnOnce(&Memo) -> T) -> Result<T, argmin::core::Error> {
        let mut memo = self.memo.borrow_mut();
        if memo.point != point {
            self.loss.ctx.check_cancelled()?;
            if memo.n_evaluations == MOST_EVALUATIONS {
                return Err(Error::model("too many evaluations").into());
            }
            let (value, by_vectors) = self.loss.evaluate(&self.loss.coordinates.vectors(point));
            memo.n_evaluations += 1;
            memo.value = value;
            memo.gradient = self.loss.coordinates.gradient(&by_vectors);
            memo.point.clear();
            memo.point.extend_from_slice(point);
        }
        Ok(answer(&memo))
    }
}

impl<R: Rows, C: Coordinates> CostFunction for &Problem<'_, R, C> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, point: &Vec<f64>) -> Result<f64, argmin::core::Error> {
        self.evaluated(point, |memo| memo.value)
    }
}

impl<R: Rows, C: Coordinates> Gradient for &Problem<'_, R, C> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, point: &Vec<f64>) -> Result<Vec<f64>, argmin::core::Error> {
        self.evaluated(point, |memo| memo.gradient.clone())
    }
}
