//! The Gaussian process given the data, for one choice of hyperparameters.

use faer::linalg::matmul::matmul;
use faer::linalg::solvers::Llt;
use faer::linalg::triangular_inverse::invert_lower_triangular;
use faer::{Accum, Mat, Par, Side};

use super::design::Design;
use super::kernel::matern52;
use super::likelihood::{JITTER, dot, inner_dot};
use super::prior::Theta;
use super::scaled::{LANES, Scaled, Scales};
use crate::sampler::improvement::Normal;
use crate::sampler::lanes::widely;
use crate::sampler::normals::Normals;

pub(super) struct Posterior {
    pub theta: Theta,
    pub noise: f64,
    signal: f64,
    nugget: f64,
    scales: Scales,
    rows: Scaled,
    mean: f64,
    alpha: Vec<f64>,
    /// What it expects of each of the data's rows, noise apart.
    pub fitted: Vec<f64>,
    /// The inverse of the lower factor of the data's covariances: products with it take less time than solving.
    whitener: Mat<f64>,
}

impl Posterior {
    /// None where the data's covariances have no factor.
    pub fn new(design: &Design, values: &[f64], theta: &[f64]) -> Option<Posterior> {
        let scales = Scales::new(&design.dimensions, theta);
        let rows = design.placed(&scales);
        let n = rows.n_rows;
        let [signal, noise, nugget] = scales.variances;
        let mut matrix = Mat::<f64>::zeros(n, n);
        let mut column = vec![0.0; rows.stride];
        for j in 0..n {
            let first = j - j % LANES;
            covariances_with(&rows, &scales, &rows, j, first, &mut column[first..]);
            matrix.col_as_slice_mut(j)[j + 1..].copy_from_slice(&column[j + 1..n]);
            matrix[(j, j)] = signal * (1.0 + JITTER) + noise + nugget;
        }
        let factor = matrix.llt(Side::Lower).ok()?;
        let mut whitener = Mat::<f64>::zeros(n, n);
        invert_lower_triangular(whitener.as_mut(), factor.L(), Par::Seq);
        let whiten = |values: &[f64]| {
            let mut white = vec![0.0; n];
            widely(
                #[inline(always)]
                || add_products(&whitener, values, &mut white),
            );
            white
        };
        let (ones, white) = (whiten(&vec![1.0; n]), whiten(values));
        let total = dot(&ones, &ones);
        let mean = if total > 0.0 { dot(&ones, &white) / total } else { 0.0 };
        let left: Vec<f64> = white.iter().zip(&ones).map(|(white, one)| white - mean * one).collect();
        let alpha: Vec<f64> = (0..n).map(|j| dot(&whitener.col_as_slice(j)[j..], &left[j..])).collect();
        // The covariances times alpha give the values back, their diagonal holding what is no covariance.
        let own = JITTER * signal + noise;
        let fitted = values.iter().zip(&alpha).map(|(value, alpha)| value - own * alpha).collect();
        alpha.iter().all(|alpha| alpha.is_finite()).then_some(Posterior {
            theta: theta.to_vec(),
            noise,
            signal,
            nugget,
            scales,
            rows,
            mean,
            alpha,
            fitted,
            whitener,
        })
    }

    /// Rows given by their features, as all that follows wants them.
    pub fn place(&self, rows: &[Vec<f64>]) -> Scaled {
        self.scales.place_rows(rows)
    }

    /// The covariance of two rows before anything was seen.
    pub fn prior(&self, rows: &Scaled, row: usize, others: &Scaled, other: usize) -> f64 {
        let squared = rows.squared(row, others, other);
        self.signal * matern52(squared).0 + if squared == 0.0 { self.nugget } else { 0.0 }
    }

    /// What is not known of a row far from all others.
    fn largest(&self) -> f64 {
        self.signal + self.nugget
    }

    /// What it says of rows given by their features.
    pub fn predict(&self, rows: &[Vec<f64>]) -> Vec<Normal> {
        self.whitened(&self.place(rows)).0
    }

    /// The same of placed rows, with (n_known, n_rows) their covariances with the data, whitened: the product of two columns is what the data take from the covariance of their rows.
    pub fn whitened(&self, rows: &Scaled) -> (Vec<Normal>, Mat<f64>) {
        let n = self.rows.n_rows;
        let mut shared = Mat::<f64>::zeros(n, rows.n_rows);
        let mut column = vec![0.0; self.rows.stride];
        let mean = |j: usize| {
            covariances_with(&self.rows, &self.scales, rows, j, 0, &mut column);
            shared.col_as_slice_mut(j).copy_from_slice(&column[..n]);
            self.mean + dot(&column[..n], &self.alpha)
        };
        let means: Vec<f64> = (0..rows.n_rows).map(mean).collect();
        let mut white = Mat::<f64>::zeros(n, rows.n_rows);
        matmul(white.as_mut(), Accum::Replace, self.whitener.as_ref(), shared.as_ref(), 1.0, Par::Seq);
        let normal = |(j, mean)| {
            let column = white.col_as_slice(j);
            Normal { mean, variance: (self.largest() - dot(column, column)).max(1e-12 * self.signal) }
        };
        (means.into_iter().enumerate().map(normal).collect(), white)
    }

    /// One draw of what looks at these rows will show, noise and all, from their joint distribution.
    pub fn draw(&self, rows: &[Vec<f64>], normals: &mut Normals) -> Option<Vec<f64>> {
        let placed = self.place(rows);
        let (means, whitened) = self.whitened(&placed);
        let covariance = |i: usize, j: usize| {
            let known = dot(whitened.col_as_slice(i), whitened.col_as_slice(j));
            let shared = self.prior(&placed, i, &placed, j) - known;
            if i == j { shared.max(0.0) + self.noise + JITTER * self.signal } else { shared }
        };
        let matrix = Mat::from_fn(rows.len(), rows.len(), covariance);
        let factor = matrix.llt(Side::Lower).ok()?;
        let z: Vec<f64> = rows.iter().map(|_| normals.normal()).collect();
        let lower = factor.L();
        let surprise = |i: usize| (0..=i).map(|j| lower[(i, j)] * z[j]).sum::<f64>();
        Some(means.iter().enumerate().map(|(i, normal)| normal.mean + surprise(i)).collect())
    }

    /// What it says of one row, and the gradients of mean and variance by its features; 0 for categories.
    pub fn slopes(&self, features: &[f64]) -> (Normal, Vec<f64>, Vec<f64>) {
        let n = self.rows.n_rows;
        let row = self.scales.place(1, |dimension, out| out[0] = features[dimension]);
        let (mut shared, mut by_squared) = (vec![0.0; self.rows.stride], vec![0.0; self.rows.stride]);
        let (mut white, mut solved) = (vec![0.0; n], vec![0.0; n]);
        let (mean, known) = widely(
            #[inline(always)]
            || {
                self.rows.squared_to(&row, 0, 0, &mut shared);
                let (signal, nugget) = (self.signal, self.nugget);
                for (shared, by_squared) in shared.iter_mut().zip(&mut by_squared) {
                    let equal = if *shared == 0.0 { nugget } else { 0.0 };
                    let (value, slope) = matern52(*shared);
                    (*shared, *by_squared) = (signal * value + equal, signal * slope);
                }
                add_products(&self.whitener, &shared[..n], &mut white);
                for (j, solved) in solved.iter_mut().enumerate() {
                    *solved = inner_dot(&self.whitener.col_as_slice(j)[j..], &white[j..]);
                }
                let mean = self.mean + inner_dot(&shared[..n], &self.alpha);
                // From here on each row's pull on the mean and on the variance.
                for ((by, alpha), solved) in by_squared.iter_mut().zip(&self.alpha).zip(&mut solved) {
                    (*solved, *by) = (*solved * *by, alpha * *by);
                }
                (mean, inner_dot(&white, &white))
            },
        );
        let variance = (self.largest() - known).max(1e-12 * self.signal);
        let (by_mean, by_variance) = (&by_squared[..n], solved);
        let sums = (by_mean.iter().sum::<f64>(), by_variance.iter().sum::<f64>());
        let mut gradients = (vec![0.0; features.len()], vec![0.0; features.len()]);
        for ((number, others), at) in self.scales.numbers.iter().zip(self.rows.numbers()).zip(row.numbers()) {
            let by_x = number.warp.map_or(1.0, |warp| warp.by_x(features[number.dimension]));
            let mean = sums.0 * at[0] - dot(by_mean, &others[..n]);
            let variance = sums.1 * at[0] - dot(&by_variance, &others[..n]);
            gradients.0[number.dimension] = -number.scale * by_x * mean;
            gradients.1[number.dimension] = 2.0 * number.scale * by_x * variance;
        }
        (Normal { mean, variance }, gradients.0, gradients.1)
    }
}

/// The covariances of the rows from `first` on with one of others.
fn covariances_with(rows: &Scaled, scales: &Scales, others: &Scaled, other: usize, first: usize, out: &mut [f64]) {
    widely(
        #[inline(always)]
        || {
            // Read here, so that the loop need not read them again: `out` might be where they are.
            let [signal, _, nugget] = scales.variances;
            rows.squared_to(others, other, first, out);
            for entry in out {
                let equal = if *entry == 0.0 { nugget } else { 0.0 };
                *entry = signal * matern52(*entry).0 + equal;
            }
        },
    );
}

/// Adds a lower triangular matrix times a vector.
#[inline(always)]
fn add_products(lower: &Mat<f64>, values: &[f64], out: &mut [f64]) {
    for (j, value) in values.iter().enumerate() {
        for (out, entry) in out[j..].iter_mut().zip(&lower.col_as_slice(j)[j..]) {
            *out += entry * value;
        }
    }
}

/// Solves `L x = b` for each column.
pub(super) fn lower(factor: &Llt<f64>, columns: &mut Mat<f64>) {
    faer::linalg::triangular_solve::solve_lower_triangular_in_place(factor.L(), columns.as_mut(), Par::Seq);
}
