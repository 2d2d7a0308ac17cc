//! How probable hyperparameters are given the data.

use faer::linalg::solvers::{DenseSolveCore, Llt};
use faer::{Mat, Side};

use super::design::Design;
use super::kernel::matern52;
use super::prior::Prior;
use super::scaled::{LANES, Scaled, Scales};
use super::warp::Warp;
use crate::sampler::lanes::widely;

/// Added to the diagonal in units of the signal's variance, so that equal rows stay factorisable.
pub(super) const JITTER: f64 = 1e-9;

/// The negative log posterior of hyperparameters, with its gradient.
pub(super) struct Likelihood<'a> {
    pub design: &'a Design,
    pub values: &'a [f64],
    pub prior: Prior,
}

/// The lower triangle of the data's covariances, and what the gradient needs of them.
struct Covariances {
    matrix: Mat<f64>,
    /// Minus twice the kernel's derivative by the squared distance, below the diagonal.
    slopes: Mat<f64>,
    /// Pairs of equal rows.
    equal: Vec<(usize, usize)>,
}

impl Likelihood<'_> {
    /// The value alone; none where the kernel's matrix has no factor.
    pub fn cost(&self, asked: &[f64]) -> Option<f64> {
        let theta = self.prior.bounded(asked);
        let scales = Scales::new(&self.design.dimensions, &theta);
        let factor = covariances(&self.design.placed(&scales), &scales).matrix.llt(Side::Lower).ok()?;
        let solve = |column: Vec<f64>| {
            let mut column = Mat::from_fn(column.len(), 1, |i, _| column[i]);
            super::posterior::lower(&factor, &mut column);
            column.col_as_slice(0).to_vec()
        };
        let (ones, values) = (solve(vec![1.0; self.values.len()]), solve(self.values.to_vec()));
        let total = dot(&ones, &ones);
        let mean = if total > 0.0 { dot(&ones, &values) / total } else { 0.0 };
        let fit: f64 = values.iter().zip(&ones).map(|(value, one)| (value - mean * one).powi(2)).sum();
        let mut value = 0.5 * (fit + log_determinant(&factor));
        self.prior.add(asked, &theta, &mut value, &mut []);
        value.is_finite().then_some(value)
    }

    /// None where the kernel's matrix has no factor.
    pub fn evaluate(&self, asked: &[f64]) -> Option<(f64, Vec<f64>)> {
        let theta = self.prior.bounded(asked);
        let scales = Scales::new(&self.design.dimensions, &theta);
        let placed = self.design.placed(&scales);
        let Covariances { matrix, mut slopes, equal } = covariances(&placed, &scales);
        let factor = matrix.llt(Side::Lower).ok()?;
        let inverse = factor.inverse();
        let (mean, alpha) = centred(&inverse, self.values);
        let fit: f64 = self.values.iter().zip(&alpha).map(|(value, alpha)| (value - mean) * alpha).sum();
        let mut value = 0.5 * (fit + log_determinant(&factor));
        // d/dt = 1/2 sum of (inverse - alpha alpha') * dK/dt; the lower triangle twice, the diagonal once.
        let n = alpha.len();
        let [signal, noise, nugget] = scales.variances;
        let outer = |i: usize, j: usize| inverse[(i, j)] - alpha[i] * alpha[j];
        let mut by_signal = 0.0;
        for j in 0..n {
            let (inverse, matrix) = (&inverse.col_as_slice(j)[j + 1..], &matrix.col_as_slice(j)[j + 1..]);
            let slopes = &mut slopes.col_as_slice_mut(j)[j + 1..];
            let entries = slopes.iter_mut().zip(inverse).zip(matrix).zip(&alpha[j + 1..]);
            for (((slope, inverse), covariance), other) in entries {
                let outer = inverse - alpha[j] * other;
                by_signal += outer * covariance;
                *slope *= outer * signal;
            }
        }
        let shared: f64 = equal.iter().map(|&(i, j)| outer(i, j)).sum::<f64>() * nugget;
        let trace: f64 = (0..n).map(|i| outer(i, i)).sum();
        let by_nugget = shared + 0.5 * trace * nugget;
        let mut gradient = self.by_distances(&scales, &placed, &mut slopes);
        let by_variances =
            [by_signal - shared + 0.5 * trace * signal * (1.0 + JITTER), 0.5 * trace * noise + by_nugget, by_nugget];
        let n_dimensions = self.design.dimensions.len();
        gradient.splice(n_dimensions..n_dimensions, by_variances);
        self.prior.add(asked, &theta, &mut value, &mut gradient);
        (value.is_finite() && gradient.iter().all(|value| value.is_finite())).then_some((value, gradient))
    }

    /// The gradient by the length scales, and then by the warps. `slopes`: per pair of rows, below the diagonal, minus twice the value's derivative by their squared distance.
    fn by_distances(&self, scales: &Scales, placed: &Scaled, slopes: &mut Mat<f64>) -> Vec<f64> {
        let n = placed.n_rows;
        for j in 0..n {
            for i in 0..j {
                slopes[(i, j)] = slopes[(j, i)];
            }
        }
        let sums: Vec<f64> = (0..n).map(|j| slopes.col_as_slice(j).iter().sum()).collect();
        let mut by_length = vec![0.0; self.design.dimensions.len()];
        let mut by_warp = Vec::new();
        for (number, at) in scales.numbers.iter().zip(placed.numbers()) {
            // Minus the derivative by each row's coordinate.
            let pull: Vec<f64> = (0..n).map(|j| sums[j] * at[j] - dot(slopes.col_as_slice(j), &at[..n])).collect();
            by_length[number.dimension] = dot(&pull, &at[..n]);
            if let Some(warp) = number.warp {
                let column = &self.design.columns[number.dimension];
                let (mut by_a, mut by_b) = (vec![0.0; n], vec![0.0; n]);
                widely(
                    #[inline(always)]
                    || {
                        let (a, b) = (warp.a, warp.b);
                        for ((by_a, by_b), x) in by_a.iter_mut().zip(by_b.iter_mut()).zip(column) {
                            (*by_a, *by_b) = Warp { a, b }.by_logs(*x);
                        }
                    },
                );
                let (by_a, by_b) = (-dot(&pull, &by_a), -dot(&pull, &by_b));
                by_warp.extend([number.scale * by_a, number.scale * by_b]);
            }
        }
        for (category, at) in scales.categories.iter().zip(placed.categories()) {
            let differing = |j: usize| -> f64 {
                let pairs = slopes.col_as_slice(j)[..j].iter().zip(at);
                pairs.map(|(slope, other)| if *other == at[j] { 0.0 } else { *slope }).sum()
            };
            by_length[category.dimension] = category.weight * (0..n).map(differing).sum::<f64>();
        }
        by_length.extend(by_warp);
        by_length
    }
}

fn covariances(placed: &Scaled, scales: &Scales) -> Covariances {
    let n = placed.n_rows;
    let [signal, noise, nugget] = scales.variances;
    let (mut matrix, mut slopes) = (Mat::<f64>::zeros(n, n), Mat::<f64>::zeros(n, n));
    let mut equal = Vec::new();
    let (mut squared, mut by) = (vec![0.0; placed.stride], vec![0.0; placed.stride]);
    for j in 0..n {
        let first = j - j % LANES;
        let (squared, by) = (&mut squared[first..], &mut by[first..]);
        widely(
            #[inline(always)]
            || placed.squared_to(placed, j, first, squared),
        );
        let below = j + 1 - first..n - first;
        equal.extend(below.clone().filter(|i| squared[*i] == 0.0).map(|i| (first + i, j)));
        widely(
            #[inline(always)]
            || {
                // Read here, so that the loop need not read it again: what is written might be where it is.
                let [signal, ..] = scales.variances;
                for (squared, by) in squared.iter_mut().zip(by.iter_mut()) {
                    let (value, slope) = matern52(*squared);
                    (*squared, *by) = (signal * value, slope);
                }
            },
        );
        matrix.col_as_slice_mut(j)[j + 1..].copy_from_slice(&squared[below.clone()]);
        slopes.col_as_slice_mut(j)[j + 1..].copy_from_slice(&by[below]);
        matrix[(j, j)] = signal * (1.0 + JITTER) + noise + nugget;
    }
    for &(i, j) in &equal {
        matrix[(i, j)] += nugget;
    }
    Covariances { matrix, slopes, equal }
}

fn log_determinant(factor: &Llt<f64>) -> f64 {
    let lower = factor.L();
    (0..lower.nrows()).map(|i| lower[(i, i)].ln()).sum::<f64>() * 2.0
}

/// The best constant under these covariances, and the weights of the rows in the posterior mean.
fn centred(inverse: &Mat<f64>, values: &[f64]) -> (f64, Vec<f64>) {
    let n = values.len();
    let mut ones = vec![0.0; n];
    let mut weighted = vec![0.0; n];
    for (j, value) in values.iter().enumerate() {
        for (i, entry) in inverse.col_as_slice(j).iter().enumerate() {
            ones[i] += entry;
            weighted[i] += entry * value;
        }
    }
    let total: f64 = ones.iter().sum();
    let sum: f64 = weighted.iter().sum();
    let mean = if total > 0.0 { sum / total } else { 0.0 };
    let alpha = weighted.iter().zip(&ones).map(|(weighted, ones)| weighted - mean * ones).collect();
    (mean, alpha)
}

/// In eight interleaved sums, which the compiler turns into wide instructions; the same order on every processor.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    widely(
        #[inline(always)]
        || inner_dot(a, b),
    )
}

/// The same, for loops that are wide already.
#[inline(always)]
pub(super) fn inner_dot(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; 8];
    let (blocks_a, blocks_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest = blocks_a.remainder().iter().zip(blocks_b.remainder());
    let rest = rest.fold(0.0, |sum, (a, b)| sum + a * b);
    for (a, b) in blocks_a.zip(blocks_b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().fold(rest, |sum, lane| sum + lane)
}
