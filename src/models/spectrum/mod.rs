//! The principal axes of a fold's training rows: what makes every further fit of a linear model cheap.
//!
//! In these coordinates the Gram matrix is diagonal, so that a ridge fit is a division per axis, and a logistic fit starts with its curvature known. Computed once per fold; of whichever of the two Gram matrices (features or rows) is smaller.

use std::sync::Arc;

use faer::{Mat, Side};
use ndarray::{Array1, Array2, ArrayView2, Axis};

use crate::error::{Error, Result};
use crate::model::{Dense, FitContext};
use crate::models::baseline::shared::{once, total_weight, weight};

/// Eigendecomposition of the weighted and centred Gram matrix of the training rows.
pub(crate) struct Spectrum {
    /// The sum of the row weights.
    pub(crate) total: f64,
    /// (n_features,), weighted.
    pub(crate) mean: Array1<f64>,
    /// (n_axes,), above 0: `sum over rows of weight * score^2`. Axes along which no row varies are left out.
    pub(crate) eigenvalues: Array1<f64>,
    /// (n_features, n_axes), orthonormal columns.
    pub(crate) axes: Array2<f64>,
    /// (n_axes, n_rows): the centred rows in the coordinates of the axes, an axis contiguous.
    pub(crate) scores: Array2<f64>,
}

impl Spectrum {
    /// That of this fold, shared by all models that ask.
    ///
    /// # Errors
    /// When the fit should stop, there is no weight, or the features are too large to be squared.
    pub(crate) fn of(x: &Dense, ctx: &FitContext) -> Result<Arc<Spectrum>> {
        once(ctx, "spectrum", || Spectrum::compute(x.x.view(), ctx))
    }

    fn compute(x: ArrayView2<f64>, ctx: &FitContext) -> Result<Spectrum> {
        let (n_rows, n_features) = x.dim();
        let total = total_weight(n_rows, ctx)?;
        let mut mean = Array1::<f64>::zeros(n_features);
        for (row, features) in x.outer_iter().enumerate() {
            mean.scaled_add(weight(ctx, row) / total, &features);
        }
        let centred = &x - &mean;
        let mut weighted = centred.clone();
        if ctx.weights.is_some() {
            for (row, mut features) in weighted.outer_iter_mut().enumerate() {
                features *= weight(ctx, row).sqrt();
            }
        }
        ctx.check_cancelled()?;
        let by_features = n_features <= n_rows;
        let gram = if by_features { weighted.t().dot(&weighted) } else { weighted.dot(&weighted.t()) };
        ctx.check_cancelled()?;
        let (eigenvalues, vectors) = eigen(&gram)?;
        // What is left of the others is rounding.
        let largest = eigenvalues.iter().copied().fold(0.0, f64::max);
        let floor = largest * f64::EPSILON * n_rows.max(n_features) as f64;
        let kept: Vec<usize> = (0..eigenvalues.len()).filter(|&axis| eigenvalues[axis] > floor).collect();
        let eigenvalues = eigenvalues.select(Axis(0), &kept);
        let vectors = vectors.select(Axis(1), &kept);
        let axes = if by_features { vectors } else { weighted.t().dot(&vectors) / &eigenvalues.mapv(f64::sqrt) };
        let scores = axes.t().dot(&centred.t()).as_standard_layout().into_owned();
        Ok(Spectrum { total, mean, eigenvalues, axes, scores })
    }

    /// (n_axes,) coefficients of scores to (n_features,) coefficients of features, and the constant to add.
    pub(crate) fn to_features(&self, on_axes: &Array1<f64>) -> (Array1<f64>, f64) {
        let coefficients = self.axes.dot(on_axes);
        let constant = -self.mean.dot(&coefficients);
        (coefficients, constant)
    }

    /// Adds to `out`, a place a row from `first_row` on, the row's scores times the coefficients.
    pub(crate) fn add_scores(&self, on_axes: &[f64], first_row: usize, out: &mut [f64]) {
        let rows = first_row..first_row + out.len();
        // An axis is contiguous, so this is a sum of vectors, which the compiler turns into wide instructions. Four axes at a time load and store each sum once; the order of the additions is that of the axes all the same.
        let blocks = on_axes.chunks_exact(4);
        let n_in_blocks = on_axes.len() - blocks.remainder().len();
        for (block, by) in blocks.enumerate() {
            let [a, b, c, d] = std::array::from_fn(|axis| &self.axis(4 * block + axis)[rows.clone()]);
            for ((((out, a), b), c), d) in out.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                *out = *out + by[0] * a + by[1] * b + by[2] * c + by[3] * d;
            }
        }
        for (axis, &coefficient) in on_axes.iter().enumerate().skip(n_in_blocks) {
            for (out, score) in out.iter_mut().zip(&self.axis(axis)[rows.clone()]) {
                *out += coefficient * score;
            }
        }
    }

    /// Adds to `out`, a place an axis, the sum of the scores of the rows from `first_row` on times the rows' numbers.
    pub(crate) fn add_products(&self, first_row: usize, numbers: &[f64], out: &mut Array1<f64>) {
        let rows = first_row..first_row + numbers.len();
        for (axis, out) in out.iter_mut().enumerate() {
            *out += dot(&self.axis(axis)[rows.clone()], numbers);
        }
    }

    /// (n_rows,)
    fn axis(&self, axis: usize) -> &[f64] {
        let n_rows = self.scores.ncols();
        let scores = self.scores.as_slice().expect("scores are made in row order");
        &scores[axis * n_rows..(axis + 1) * n_rows]
    }
}

/// The sum of products, eight sums side by side: the compiler may not reorder one.
fn dot(a: &[f64], b: &[f64]) -> f64 {
    const LANES: usize = 8;
    let mut sums = [0.0; LANES];
    let (a_blocks, b_blocks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = a_blocks.remainder().iter().zip(b_blocks.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_blocks.zip(b_blocks) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// Eigenvalues, ascending, and eigenvectors as columns.
///
/// # Errors
/// When an entry is not finite.
pub(crate) fn eigen(gram: &Array2<f64>) -> Result<(Array1<f64>, Array2<f64>)> {
    if gram.iter().any(|value| !value.is_finite()) {
        let error = Error::model("the features are too large: their squares overflow");
        return Err(error.help("scale them: prep.scale=standard"));
    }
    let size = gram.nrows();
    if size == 0 {
        return Ok((Array1::zeros(0), Array2::zeros((0, 0))));
    }
    let matrix = Mat::from_fn(size, size, |row, column| gram[[row, column]]);
    let decomposed = matrix
        .self_adjoint_eigen(Side::Lower)
        .map_err(|error| Error::model(format!("the features' eigendecomposition failed: {error:?}")))?;
    let (values, vectors) = (decomposed.S().column_vector(), decomposed.U());
    Ok((
        Array1::from_shape_fn(size, |axis| values[axis]),
        Array2::from_shape_fn((size, size), |(row, axis)| vectors[(row, axis)]),
    ))
}
