//! How much a point promises: the logarithm of the expected improvement.
//!
//! Ament et al., *Unexpected Improvements to Expected Improvement for Bayesian Optimization*, NeurIPS 2023: the logarithm, computed without first computing what it is taken of, has a slope where the improvement itself is 0 to the last bit.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use super::model::{Normal, Posterior};

/// The mean over several hyperparameters of the improvement expected below each one's own incumbent.
pub(super) struct Improvement<'a> {
    /// Each with the logarithm of its share.
    pub parts: &'a [(Posterior, f64)],
    /// Per posterior the lowest mean at a row that was evaluated.
    pub incumbents: Vec<f64>,
}

impl Improvement<'_> {
    /// Of candidates given by their features.
    pub fn of(&self, candidates: &[Vec<f64>]) -> Vec<f64> {
        let mut totals = vec![f64::NEG_INFINITY; candidates.len()];
        for ((posterior, share), incumbent) in self.parts.iter().zip(&self.incumbents) {
            for (total, normal) in totals.iter_mut().zip(posterior.predict(candidates)) {
                *total = log_add(*total, share + log_improvement(normal, *incumbent));
            }
        }
        totals
    }

    /// Of one candidate, with its gradient by the features.
    pub fn with_slope(&self, features: &[f64]) -> (f64, Vec<f64>) {
        let parts: Vec<(f64, Vec<f64>)> = self
            .parts
            .iter()
            .zip(&self.incumbents)
            .map(|((posterior, share), incumbent)| {
                let (normal, by_mean, by_variance) = posterior.slopes(features);
                let deviation = normal.variance.sqrt();
                let z = (incumbent - normal.mean) / deviation;
                let (log, slope) = log_h(z);
                // log EI = log s + log h((f - m) / s)
                let gradient = by_mean.iter().zip(&by_variance).map(|(mean, variance)| {
                    let deviation_by = variance / (2.0 * deviation);
                    deviation_by / deviation + slope * (-mean - z * deviation_by) / deviation
                });
                (share + deviation.ln() + log, gradient.collect())
            })
            .collect();
        let total = parts.iter().fold(f64::NEG_INFINITY, |total, (log, _)| log_add(total, *log));
        let mut gradient = vec![0.0; features.len()];
        for (log, slopes) in &parts {
            let share = (log - total).exp();
            gradient.iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += share * slope);
        }
        (total, gradient)
    }
}

/// The logarithm of the expected improvement below `incumbent`.
pub(super) fn log_improvement(normal: Normal, incumbent: f64) -> f64 {
    let deviation = normal.variance.sqrt();
    deviation.ln() + log_h((incumbent - normal.mean) / deviation).0
}

/// The logarithm of `φ(z) + z Φ(z)`, and its derivative.
pub(super) fn log_h(z: f64) -> (f64, f64) {
    if z > -1.0 {
        let density = (-0.5 * z * z).exp() / (2.0 * PI).sqrt();
        let below = 0.5 * libm::erfc(-z * FRAC_1_SQRT_2);
        let h = density + z * below;
        return (h.ln(), below / h);
    }
    // Divided by the density, both terms stay in range however far out.
    let mills = (PI / 2.0).sqrt() * erfcx(-z * FRAC_1_SQRT_2);
    let h = if z < -1e4 { 1.0 / (z * z) } else { 1.0 + z * mills };
    (h.ln() - 0.5 * z * z - 0.5 * (2.0 * PI).ln(), mills / h)
}

/// `exp(x²) erfc(x)` for x > 0.
fn erfcx(x: f64) -> f64 {
    if x < 4.0 {
        return (x * x).exp() * libm::erfc(x);
    }
    // The continued fraction of Abramowitz and Stegun 7.1.14, from the inside.
    let mut tail = x;
    for k in (1..=40).rev() {
        tail = x + 0.5 * f64::from(k) / tail;
    }
    1.0 / (tail * PI.sqrt())
}

fn log_add(a: f64, b: f64) -> f64 {
    let (large, small) = if a > b { (a, b) } else { (b, a) };
    if small == f64::NEG_INFINITY { large } else { large + (small - large).exp().ln_1p() }
}
