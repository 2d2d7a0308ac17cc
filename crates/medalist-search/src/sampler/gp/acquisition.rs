//! How much a point promises: the logarithm of the expected improvement, averaged over hyperparameters.

use super::posterior::Posterior;
use crate::sampler::improvement::{log_add, log_h, log_improvement};

/// The mean over several hyperparameters of the improvement expected below each one's own incumbent.
#[derive(Clone)]
pub(super) struct Improvement<'a> {
    /// Each with the logarithm of its share.
    pub parts: &'a [(Posterior, f64)],
    /// Per posterior the lowest mean at a row that was evaluated.
    pub incumbents: Vec<f64>,
}

/// Parts that are asked first; the first of all is the most probable one.
const N_SCREENING: usize = 3;

impl Improvement<'_> {
    /// By a few parts alone: enough to tell which candidates are worth asking all.
    pub fn screening(&self) -> Improvement<'_> {
        let n = self.parts.len().min(N_SCREENING);
        Improvement { parts: &self.parts[..n], incumbents: self.incumbents[..n].to_vec() }
    }

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
