//! The Gaussian process: its hyperparameters, their marginal likelihood, and the posterior they give.

use faer::linalg::solvers::{DenseSolveCore, Llt};
use faer::{Mat, Par, Side};

use super::design::Design;
use super::kernel::Kernel;
use crate::sampler::improvement::Normal;
use crate::sampler::normals::Normals;

/// Logarithms: of each dimension's length scale, then of the signal's and of the noise's variance, then of the nugget's in units of the noise's.
///
/// The nugget is what a row has of its own and no neighbour shares, the same at every look; the noise is new at every look.
pub(super) type Theta = Vec<f64>;

/// Added to the diagonal in units of the signal's variance, so that equal rows stay factorisable.
const JITTER: f64 = 1e-9;

/// What the hyperparameters are believed to be before anything is seen: normal in the logarithm.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prior {
    /// (mean, standard deviation) each.
    pub length: (f64, f64),
    pub signal: (f64, f64),
    pub noise: (f64, f64),
    pub nugget: (f64, f64),
}

impl Prior {
    /// Length scales grow with the number of dimensions (its fourth root: distances grow with the square root, and half of that is left to be learned), so that functions of many do not look like noise; after Hvarfner et al., *Vanilla Bayesian Optimization Performs Great in High Dimensions*, ICML 2024.
    pub fn new(n_dimensions: usize) -> Prior {
        let n = n_dimensions.max(1) as f64;
        Prior { length: (0.5 * n.sqrt().ln() + 0.2, 1.0), signal: (1.0, 2.0), noise: (-6.0, 3.0), nugget: (-1.0, 1.0) }
    }

    /// Where the fit begins: shorter scales and more noise than believed, from where more can be learned.
    pub fn start(&self, n_dimensions: usize) -> Theta {
        let mut theta = vec![self.length.0 - 1.0; n_dimensions];
        theta.extend([self.signal.0, -4.0, self.nugget.0]);
        theta
    }

    /// Mean and standard deviation of the hyperparameter at this place.
    pub fn of(&self, place: usize, n_dimensions: usize) -> (f64, f64) {
        match place {
            _ if place < n_dimensions => self.length,
            _ if place == n_dimensions => self.signal,
            _ if place == n_dimensions + 1 => self.noise,
            _ => self.nugget,
        }
    }

    fn bounds(place: usize, n_dimensions: usize) -> (f64, f64) {
        match place {
            _ if place < n_dimensions => (-4.5, 9.0),
            _ if place == n_dimensions => (-9.0, 14.0),
            _ if place == n_dimensions + 1 => (-22.0, 3.0),
            _ => (-7.0, 4.0),
        }
    }
}

/// The negative log posterior of hyperparameters, with its gradient.
pub(super) struct Likelihood<'a> {
    pub pairs: &'a [Vec<f64>],
    pub values: &'a [f64],
    pub kernel: Kernel,
    pub prior: Prior,
}

impl Likelihood<'_> {
    pub fn n_dimensions(&self) -> usize {
        self.pairs.len()
    }

    /// Hyperparameters moved into the bounds in which everything can be computed.
    pub fn bounded(&self, theta: &[f64]) -> Theta {
        let bound = |(place, value): (usize, &f64)| {
            let (low, high) = Prior::bounds(place, self.n_dimensions());
            value.clamp(low, high)
        };
        theta.iter().enumerate().map(bound).collect()
    }

    /// None where the kernel's matrix has no factor.
    pub fn evaluate(&self, asked: &[f64]) -> Option<(f64, Vec<f64>)> {
        let (n, n_dimensions) = (self.values.len(), self.n_dimensions());
        let theta = self.bounded(asked);
        let weights: Vec<f64> = theta[..n_dimensions].iter().map(|log| (-2.0 * log).exp()).collect();
        let (signal, noise) = (theta[n_dimensions].exp(), theta[n_dimensions + 1].exp());
        let nugget = noise * theta[n_dimensions + 2].exp();
        let n_pairs = n * n.saturating_sub(1) / 2;
        let mut squared = vec![0.0; n_pairs];
        for (distances, weight) in self.pairs.iter().zip(&weights) {
            for (sum, distance) in squared.iter_mut().zip(distances) {
                *sum += weight * distance;
            }
        }
        let mut matrix = Mat::<f64>::zeros(n, n);
        let mut slopes = vec![0.0; n_pairs];
        let mut values = vec![0.0; n_pairs];
        for ((squared, slope), value) in squared.iter().zip(&mut slopes).zip(&mut values) {
            (*value, *slope) = self.kernel.at(*squared);
        }
        let mut pair = 0;
        for i in 0..n {
            for j in 0..i {
                let shared = if squared[pair] == 0.0 { nugget } else { 0.0 };
                matrix[(i, j)] = signal * values[pair] + shared;
                pair += 1;
            }
            matrix[(i, i)] = signal * (1.0 + JITTER) + noise + nugget;
        }
        let factor = matrix.llt(Side::Lower).ok()?;
        let inverse = factor.inverse();
        let log_determinant: f64 = (0..n).map(|i| factor.L()[(i, i)].ln()).sum::<f64>() * 2.0;
        let (mean, alpha) = centred(&inverse, self.values);
        let fit: f64 = self.values.iter().zip(&alpha).map(|(value, alpha)| (value - mean) * alpha).sum();
        let mut value = 0.5 * (fit + log_determinant);
        // d/dt = 1/2 sum of (inverse - alpha alpha') * dK/dt; the lower triangle twice, the diagonal once.
        let mut gradient = vec![0.0; n_dimensions + 3];
        let (mut by_signal, mut by_nugget, mut trace) = (0.0, 0.0, 0.0);
        let mut pair = 0;
        for i in 0..n {
            for j in 0..i {
                let outer = inverse[(i, j)] - alpha[i] * alpha[j];
                by_signal += outer * signal * values[pair];
                if squared[pair] == 0.0 {
                    by_nugget += outer * nugget;
                }
                slopes[pair] *= outer * signal;
                pair += 1;
            }
            trace += inverse[(i, i)] - alpha[i] * alpha[i];
        }
        for ((gradient, distances), weight) in gradient.iter_mut().zip(self.pairs).zip(&weights) {
            *gradient = weight * dot(distances, &slopes);
        }
        gradient[n_dimensions] = by_signal + 0.5 * trace * signal * (1.0 + JITTER);
        by_nugget += 0.5 * trace * nugget;
        gradient[n_dimensions + 1] = 0.5 * trace * noise + by_nugget;
        gradient[n_dimensions + 2] = by_nugget;
        for (place, (gradient, asked)) in gradient.iter_mut().zip(asked).enumerate() {
            let (mean, deviation) = self.prior.of(place, n_dimensions);
            let away = (asked - mean) / deviation;
            value += 0.5 * away * away;
            if *asked != theta[place] {
                *gradient = 0.0;
            }
            *gradient += away / deviation;
        }
        (value.is_finite() && gradient.iter().all(|value| value.is_finite())).then_some((value, gradient))
    }
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
    let mut sums = [0.0; 8];
    let (blocks_a, blocks_b) = (a.chunks_exact(8), b.chunks_exact(8));
    let rest: f64 = blocks_a.remainder().iter().zip(blocks_b.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in blocks_a.zip(blocks_b) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum::<f64>() + rest
}

/// The process given the data, for one choice of hyperparameters.
pub(super) struct Posterior {
    pub design: Design,
    pub kernel: Kernel,
    /// Per dimension 1 / length scale squared.
    pub weights: Vec<f64>,
    pub signal: f64,
    pub noise: f64,
    nugget: f64,
    mean: f64,
    alpha: Vec<f64>,
    factor: Llt<f64>,
}

impl Posterior {
    pub fn new(design: Design, values: &[f64], theta: &[f64], kernel: Kernel) -> Option<Posterior> {
        let n_dimensions = design.dimensions.len();
        let weights: Vec<f64> = theta[..n_dimensions].iter().map(|log| (-2.0 * log).exp()).collect();
        let (signal, noise) = (theta[n_dimensions].exp(), theta[n_dimensions + 1].exp());
        let nugget = noise * theta[n_dimensions + 2].exp();
        let n = design.n_rows;
        let mut matrix = Mat::<f64>::zeros(n, n);
        let mut squared = vec![0.0; n];
        for j in 0..n {
            let features: Vec<f64> = design.columns.iter().map(|column| column[j]).collect();
            design.distances_to(&features, &weights, &mut squared);
            for (entry, squared) in matrix.col_as_slice_mut(j).iter_mut().zip(&squared) {
                *entry = signal * kernel.at(*squared).0 + if *squared == 0.0 { nugget } else { 0.0 };
            }
            matrix[(j, j)] = signal * (1.0 + JITTER) + noise + nugget;
        }
        let factor = matrix.llt(Side::Lower).ok()?;
        let solve = |values: &[f64]| {
            let mut column = Mat::from_fn(n, 1, |i, _| values[i]);
            lower(&factor, &mut column);
            upper(&factor, &mut column);
            column.col_as_slice(0).to_vec()
        };
        let ones = solve(&vec![1.0; n]);
        let weighted = solve(values);
        let total: f64 = ones.iter().sum();
        let mean = if total > 0.0 { weighted.iter().sum::<f64>() / total } else { 0.0 };
        let alpha: Vec<f64> = weighted.iter().zip(&ones).map(|(weighted, ones)| weighted - mean * ones).collect();
        alpha.iter().all(|alpha| alpha.is_finite()).then_some(Posterior {
            design,
            kernel,
            weights,
            signal,
            noise,
            nugget,
            mean,
            alpha,
            factor,
        })
    }

    pub fn theta(&self) -> Theta {
        let mut theta: Theta = self.weights.iter().map(|weight| -0.5 * weight.ln()).collect();
        theta.extend([self.signal.ln(), self.noise.ln(), (self.nugget / self.noise).ln()]);
        theta
    }

    /// (n_rows, n_candidates): the covariances of the data with candidates given by their features.
    pub fn covariances(&self, candidates: &[Vec<f64>]) -> Mat<f64> {
        let mut matrix = Mat::<f64>::zeros(self.design.n_rows, candidates.len());
        for (j, features) in candidates.iter().enumerate() {
            let column = matrix.col_as_slice_mut(j);
            self.design.distances_to(features, &self.weights, column);
            for entry in column {
                *entry = self.covariance(*entry);
            }
        }
        matrix
    }

    /// The covariance of two rows before anything was seen.
    pub fn prior(&self, one: &[f64], other: &[f64]) -> f64 {
        let dimensions = self.design.dimensions.iter().zip(one.iter().zip(other)).zip(&self.weights);
        let squared = dimensions.map(|((feature, (a, b)), weight)| weight * feature.squared_distance(*a, *b));
        self.covariance(squared.sum())
    }

    /// Of two rows at this squared distance.
    fn covariance(&self, squared: f64) -> f64 {
        self.signal * self.kernel.at(squared).0 + if squared == 0.0 { self.nugget } else { 0.0 }
    }

    /// What is not known of a row far from all others.
    fn largest(&self) -> f64 {
        self.signal + self.nugget
    }

    /// One draw of what looks at these rows will show, noise and all, from their joint distribution.
    pub fn draw(&self, rows: &[Vec<f64>], normals: &mut Normals) -> Option<Vec<f64>> {
        let (means, whitened) = self.predict_whitened(rows);
        let covariance = |i: usize, j: usize| {
            let shared = self.prior(&rows[i], &rows[j]) - dot(whitened.col_as_slice(i), whitened.col_as_slice(j));
            if i == j { shared.max(0.0) + self.noise + JITTER * self.signal } else { shared }
        };
        let matrix = Mat::from_fn(rows.len(), rows.len(), covariance);
        let factor = matrix.llt(Side::Lower).ok()?;
        let z: Vec<f64> = rows.iter().map(|_| normals.normal()).collect();
        let lower = factor.L();
        let surprise = |i: usize| (0..=i).map(|j| lower[(i, j)] * z[j]).sum::<f64>();
        Some(means.iter().enumerate().map(|(i, normal)| normal.mean + surprise(i)).collect())
    }

    /// What it says of candidates, given by their features.
    pub fn predict(&self, candidates: &[Vec<f64>]) -> Vec<Normal> {
        self.predict_whitened(candidates).0
    }

    /// The same, with (n_rows, n_candidates) the candidates' covariances with the data, whitened: the product of two columns is what the data take from the covariance of their rows.
    pub fn predict_whitened(&self, candidates: &[Vec<f64>]) -> (Vec<Normal>, Mat<f64>) {
        let mut matrix = self.covariances(candidates);
        let means: Vec<f64> =
            (0..candidates.len()).map(|j| self.mean + dot(matrix.col_as_slice(j), &self.alpha)).collect();
        lower(&self.factor, &mut matrix);
        let normal = |(j, mean)| {
            let column = matrix.col_as_slice(j);
            Normal { mean, variance: (self.largest() - dot(column, column)).max(1e-12 * self.signal) }
        };
        let normals = means.into_iter().enumerate().map(normal).collect();
        (normals, matrix)
    }

    /// What it says of one row, and the gradients of mean and variance by its features; 0 for categories.
    pub fn slopes(&self, features: &[f64]) -> (Normal, Vec<f64>, Vec<f64>) {
        let n = self.design.n_rows;
        let mut squared = vec![0.0; n];
        self.design.distances_to(features, &self.weights, &mut squared);
        let mut slopes = vec![0.0; n];
        let mut column = Mat::<f64>::zeros(n, 1);
        for ((entry, slope), squared) in column.col_as_slice_mut(0).iter_mut().zip(&mut slopes).zip(&squared) {
            let (value, by) = self.kernel.at(*squared);
            let shared = if *squared == 0.0 { self.nugget } else { 0.0 };
            (*entry, *slope) = (self.signal * value + shared, self.signal * by);
        }
        let mean = self.mean + dot(column.col_as_slice(0), &self.alpha);
        lower(&self.factor, &mut column);
        let column_known = dot(column.col_as_slice(0), column.col_as_slice(0));
        let variance = (self.largest() - column_known).max(1e-12 * self.signal);
        upper(&self.factor, &mut column);
        let solved = column.col_as_slice(0);
        let mut by_mean = vec![0.0; features.len()];
        let mut by_variance = vec![0.0; features.len()];
        for (dimension, (others, feature)) in self.design.columns.iter().zip(&self.design.dimensions).enumerate() {
            if feature.is_category {
                continue;
            }
            let (mut mean, mut variance) = (0.0, 0.0);
            for i in 0..n {
                let away = slopes[i] * (features[dimension] - others[i]);
                mean += self.alpha[i] * away;
                variance += solved[i] * away;
            }
            by_mean[dimension] = -self.weights[dimension] * mean;
            by_variance[dimension] = 2.0 * self.weights[dimension] * variance;
        }
        (Normal { mean, variance }, by_mean, by_variance)
    }
}

/// Solves `L x = b` for each column.
fn lower(factor: &Llt<f64>, columns: &mut Mat<f64>) {
    faer::linalg::triangular_solve::solve_lower_triangular_in_place(factor.L(), columns.as_mut(), Par::Seq);
}

/// Solves `L' x = b` for each column.
fn upper(factor: &Llt<f64>, columns: &mut Mat<f64>) {
    faer::linalg::triangular_solve::solve_upper_triangular_in_place(factor.L().transpose(), columns.as_mut(), Par::Seq);
}
