//! A density as a mixture of products: one component for each observation, with a kernel for each parameter, and the prior.
//!
//! Densities are relative to the uniform one: where nothing is known they are near 1, for intervals, cells and categories alike, so that products over many parameters stay in range.

use std::f64::consts::PI;

use super::axis::Axis;
use super::normal::{Cdf, truncated};
use crate::sampler::lanes::{exp, ln, widely};
use crate::sampler::normals::Normals;

pub(super) struct Parzen {
    /// Logarithms, by component; the prior is the last.
    log_weights: Vec<f64>,
    /// By parameter.
    kernels: Vec<Kernels>,
    /// How many of the parameters, the first ones, are given.
    n_given: usize,
}

/// One parameter's kernels.
enum Kernels {
    /// The logarithms of the density at the observed category and at the others; the prior's is 0 everywhere.
    Categories { observed: Vec<usize>, own: f64, other: f64 },
    /// By component.
    Interval(Truncated),
    /// Many components stand at the same value, and a cell's probabilities are dear: so they are by value, the prior's last.
    Cells { truncated: Truncated, value_of: Vec<usize> },
}

/// Normal distributions truncated to [0, 1].
struct Truncated {
    mu: Vec<f64>,
    sigma: Vec<f64>,
    /// The logarithm of what the kernel is divided by.
    log_norm: Vec<f64>,
}

/// The probability that an observed category's kernel spreads over all categories (Watanabe's bandwidth of categories; 0.15 and 0.5 were as good).
const CATEGORY_SPREAD: f64 = 0.3;
/// A kernel's width, in standard deviations of what was observed, before it shrinks with the number of observations. Scott's rule has 1; half of it was better wherever the objective is smooth.
const SPREAD_SHARE: f64 = 0.5;
/// No kernel is narrower, Watanabe's Δ: his magic clipping at its limit. For cells, the width of one is the least.
const LEAST_SIGMA: f64 = 0.03;

impl Parzen {
    /// `columns`: by parameter, (n_observations,). `weights`: (n_observations,), relative to the prior's, which is 1.
    pub fn new(axes: &[Axis], columns: &[Vec<f64>], weights: &[f64]) -> Self {
        let total = weights.iter().sum::<f64>() + 1.0;
        let log_weights = weights.iter().chain(&[1.0]).map(|weight| (weight / total).ln()).collect();
        let kernels = axes.iter().zip(columns).map(|(axis, column)| {
            let sigma = || bandwidth(column, weights, axes.len());
            match axis {
                Axis::Categories(n) => {
                    let observed = column.iter().map(|at| *at as usize).collect();
                    let own = (1.0 - CATEGORY_SPREAD) * *n as f64 + CATEGORY_SPREAD;
                    Kernels::Categories { observed, own: own.ln(), other: CATEGORY_SPREAD.ln() }
                }
                Axis::Cells { n, .. } => Kernels::cells(column, sigma().max(1.0 / *n as f64)),
                Axis::Interval => Kernels::Interval(Truncated::new(column, sigma(), |sigma| sigma * (2.0 * PI).sqrt())),
            }
        });
        Parzen { log_weights, kernels: kernels.collect(), n_given: 0 }
    }

    /// The density of the other parameters where the first ones have these values.
    pub fn given(mut self, axes: &[Axis], values: &[f64]) -> Self {
        for ((kernels, axis), at) in self.kernels.iter().zip(axes).zip(values) {
            kernels.add_logs(axis, *at, &mut self.log_weights);
        }
        let total = log_sum(&self.log_weights);
        self.log_weights.iter_mut().for_each(|log| *log -= total);
        self.n_given = values.len();
        self
    }

    /// A point of the parameters that are not given; not yet rounded to cells.
    pub fn draw(&self, axes: &[Axis], normals: &mut Normals) -> Vec<f64> {
        let component = self.component(normals.unit());
        let open = self.kernels.iter().zip(axes).skip(self.n_given);
        open.map(|(kernels, axis)| kernels.draw(axis, component, normals)).collect()
    }

    /// The component in whose share of [0, 1) the number lies.
    fn component(&self, unit: f64) -> usize {
        let mut upper = 0.0;
        let reaches = |log: &f64| {
            upper += log.exp();
            upper > unit
        };
        self.log_weights.iter().position(reaches).unwrap_or(self.log_weights.len() - 1)
    }

    /// At each of these points of the parameters that are not given.
    pub fn log_densities(&self, axes: &[Axis], points: &[Vec<f64>]) -> Vec<f64> {
        let mut logs = vec![self.log_weights.clone(); points.len()];
        for (i, (kernels, axis)) in self.kernels.iter().zip(axes).skip(self.n_given).enumerate() {
            // Points share cells, and a cell's kernels are dear: each is computed once.
            let mut cells: Vec<(f64, Vec<f64>)> = Vec::new();
            for (point, logs) in points.iter().zip(&mut logs) {
                let Axis::Cells { .. } = axis else {
                    kernels.add_logs(axis, point[i], logs);
                    continue;
                };
                let known = cells.iter().position(|(at, _)| *at == point[i]).unwrap_or_else(|| {
                    let mut cell = vec![0.0; logs.len()];
                    kernels.add_logs(axis, point[i], &mut cell);
                    cells.push((point[i], cell));
                    cells.len() - 1
                });
                logs.iter_mut().zip(&cells[known].1).for_each(|(log, cell)| *log += cell);
            }
        }
        logs.iter().map(|logs| log_sum(logs)).collect()
    }
}

impl Truncated {
    /// All of the width `sigma` but the prior's, which is as wide as the interval. `height`: by width, what an untruncated kernel is divided by.
    fn new(at: &[f64], sigma: f64, height: impl Fn(f64) -> f64) -> Truncated {
        let mu: Vec<f64> = at.iter().copied().chain([0.5]).collect();
        let sigma: Vec<f64> = at.iter().map(|_| sigma).chain([1.0]).collect();
        let inside = |mu: f64, sigma: f64| Cdf::get().between(-mu / sigma, (1.0 - mu) / sigma);
        let log_norm = mu.iter().zip(&sigma).map(|(mu, sigma)| (inside(*mu, *sigma) * height(*sigma)).ln());
        Truncated { log_norm: log_norm.collect(), mu, sigma }
    }

    fn kernels(&self) -> impl Iterator<Item = (f64, f64)> {
        self.mu.iter().copied().zip(self.sigma.iter().copied())
    }

    /// The logarithms of the mean densities in (from, to).
    fn logs_within(&self, (from, to): (f64, f64)) -> Vec<f64> {
        let (cdf, width) = (Cdf::get(), to - from);
        let here = |(mu, sigma): (f64, f64)| cdf.between((from - mu) / sigma, (to - mu) / sigma) / width;
        let mut logs: Vec<f64> = self.kernels().map(here).collect();
        widely(
            #[inline(always)]
            || {
                for (log, log_norm) in logs.iter_mut().zip(&self.log_norm) {
                    *log = ln(log.max(f64::MIN_POSITIVE)) - log_norm;
                }
            },
        );
        logs
    }
}

impl Kernels {
    fn cells(column: &[f64], sigma: f64) -> Kernels {
        let mut values = column.to_vec();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let place = |at: &f64| values.partition_point(|value| value < at);
        let value_of = column.iter().map(place).chain([values.len()]).collect();
        Kernels::Cells { truncated: Truncated::new(&values, sigma, |_| 1.0), value_of }
    }

    /// Adds the logarithm of each component's kernel at a value.
    fn add_logs(&self, axis: &Axis, at: f64, logs: &mut [f64]) {
        match self {
            Kernels::Categories { observed, own, other } => {
                for (log, observed) in logs.iter_mut().zip(observed) {
                    *log += if *observed == at as usize { *own } else { *other };
                }
            }
            Kernels::Interval(truncated) => widely(
                #[inline(always)]
                || {
                    for ((log, (mu, sigma)), log_norm) in
                        logs.iter_mut().zip(truncated.kernels()).zip(&truncated.log_norm)
                    {
                        let z = (at - mu) / sigma;
                        *log -= 0.5 * z * z + log_norm;
                    }
                },
            ),
            Kernels::Cells { truncated, value_of } => {
                let Axis::Cells { domain, .. } = axis else { return };
                let by_value = truncated.logs_within(domain.share(at).unwrap_or((0.0, 1.0)));
                logs.iter_mut().zip(value_of).for_each(|(log, value)| *log += by_value[*value]);
            }
        }
    }

    fn draw(&self, axis: &Axis, component: usize, normals: &mut Normals) -> f64 {
        match (self, axis) {
            (Kernels::Categories { observed, .. }, Axis::Categories(n)) => {
                let (stays, any) = (normals.unit() >= CATEGORY_SPREAD, normals.unit());
                match observed.get(component) {
                    Some(category) if stays => *category as f64,
                    _ => (any * *n as f64).floor().min(*n as f64 - 1.0),
                }
            }
            (Kernels::Categories { .. }, _) => 0.0,
            (Kernels::Interval(Truncated { mu, sigma, .. }), _) => truncated(normals, mu[component], sigma[component]),
            (Kernels::Cells { truncated: Truncated { mu, sigma, .. }, value_of }, _) => {
                let value = value_of[component];
                truncated(normals, mu[value], sigma[value])
            }
        }
    }
}

/// The width of the observations' kernels: Scott's rule (Scott, *Multivariate Density Estimation*, 1992, equation 6.42), the uniform distribution's variance counting as one observation more, so that one observation has a width too.
fn bandwidth(column: &[f64], weights: &[f64], n_dimensions: usize) -> f64 {
    let total: f64 = weights.iter().sum();
    if column.is_empty() {
        return 1.0;
    }
    let mean = column.iter().zip(weights).map(|(at, weight)| at * weight).sum::<f64>() / total;
    let squares = column.iter().zip(weights).map(|(at, weight)| weight * (at - mean).powi(2)).sum::<f64>();
    let deviation = ((squares + 1.0 / 12.0) / (total + 1.0)).sqrt();
    let shrinkage = (column.len() as f64).powf(-1.0 / (n_dimensions as f64 + 4.0));
    (SPREAD_SHARE * deviation * shrinkage).clamp(LEAST_SIGMA, 1.0)
}

/// The logarithm of the sum.
fn log_sum(logs: &[f64]) -> f64 {
    let highest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let shares: Vec<f64> = widely(
        #[inline(always)]
        || logs.iter().map(|log| exp(log - highest)).collect(),
    );
    highest + shares.iter().sum::<f64>().ln()
}
