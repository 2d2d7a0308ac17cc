//! The normal distribution of the numeric coordinates, and its update from a ranked generation.
//!
//! Hansen, *The CMA Evolution Strategy: A Tutorial*, arXiv:1604.00772, equations 39 to 47: the version with negative weights.
//!
//! A coordinate whose parameter is not active in a trial is NaN in the trial's step, and the trial then says nothing about it: it moves neither the mean nor a variance there, and the step size is judged by the coordinates that were active alone. With all coordinates active this is the update of the tutorial to the letter.

use super::covariance::Covariance;
use super::strategy::{Strategy, expected_length};

#[derive(Clone)]
pub(super) struct Gaussian {
    pub mean: Vec<f64>,
    /// The step size.
    pub sigma: f64,
    pub covariance: Covariance,
    pub path_sigma: Vec<f64>,
    pub path_covariance: Vec<f64>,
    n_updates: i32,
}

/// Coordinates lie in [0, 1]: a larger step would only be drawn again.
const MOST_SIGMA: f64 = 1.0;

/// Keeps the length of a step away from 0 where it is divided by.
const LEAST_LENGTH: f64 = 1e-8;

impl Gaussian {
    pub fn new(mean: Vec<f64>, sigma: f64) -> Self {
        let n = mean.len();
        let (path_sigma, path_covariance) = (vec![0.0; n], vec![0.0; n]);
        Gaussian { mean, sigma, covariance: Covariance::identity(n), path_sigma, path_covariance, n_updates: 0 }
    }

    pub fn deviation(&self, i: usize) -> f64 {
        self.sigma * self.covariance.variance(i).sqrt()
    }

    /// `steps`: (population, n_coordinates), best first: how far each trial was from the mean, in units of the step size, NaN where it had no such coordinate. Returns whether the distribution is still sound.
    pub fn update(&mut self, strategy: &Strategy, steps: &[Vec<f64>]) -> bool {
        let n = self.mean.len();
        self.n_updates += 1;
        let parents = || strategy.weights[..strategy.n_parents].iter().zip(steps);
        let squares: f64 = parents().map(|(weight, _)| weight * weight).sum();
        let mut moved = vec![0.0; n];
        let mut share = vec![0.0; n];
        for (weight, step) in parents() {
            for i in (0..n).filter(|i| !step[*i].is_nan()) {
                moved[i] += weight * step[i];
                share[i] += weight * weight;
            }
        }
        let touched: Vec<bool> = share.iter().map(|share| *share > 0.0).collect();
        let n_touched = touched.iter().filter(|touched| **touched).count();
        for i in 0..n {
            self.mean[i] += self.sigma * moved[i];
            // Fewer parents make a longer step by chance alone.
            if share[i] < squares && touched[i] {
                moved[i] *= (squares / share[i]).sqrt();
            }
        }
        if n_touched == 0 {
            return true;
        }
        let white = self.covariance.whitened(&moved);
        let whites: Vec<Vec<f64>> = steps.iter().map(|step| self.covariance.whitened(&known(step))).collect();
        let Strategy { c_sigma, d_sigma, c_c, c_1, c_mu, mu_eff, .. } = *strategy;
        for i in (0..n).filter(|i| touched[*i]) {
            let gain = (c_sigma * (2.0 - c_sigma) * mu_eff).sqrt();
            self.path_sigma[i] = (1.0 - c_sigma) * self.path_sigma[i] + gain * white[i];
        }
        let length = norm((0..n).filter(|i| touched[*i]).map(|i| self.path_sigma[i]));
        let expected = expected_length(n_touched);
        self.sigma = (self.sigma * (c_sigma / d_sigma * (length / expected - 1.0)).exp()).min(MOST_SIGMA);

        let settled = (1.0 - (1.0 - c_sigma).powi(2 * (self.n_updates + 1))).sqrt();
        let stalls = length / settled >= (1.4 + 2.0 / (n_touched as f64 + 1.0)) * expected;
        let (follows, delta) = if stalls { (0.0, c_c * (2.0 - c_c)) } else { (1.0, 0.0) };
        for i in (0..n).filter(|i| touched[*i]) {
            let gain = follows * (c_c * (2.0 - c_c) * mu_eff).sqrt();
            self.path_covariance[i] = (1.0 - c_c) * self.path_covariance[i] + gain * moved[i];
        }

        let scaled: Vec<f64> = strategy.weights.iter().zip(steps).zip(&whites).map(scaled_weight).collect();
        let path = &self.path_covariance;
        let is_sound = self.covariance.update(|i, j, old| {
            let (mut kept, mut learned) = (1.0, 0.0);
            if touched[i] && touched[j] {
                kept += c_1 * (delta - 1.0);
                learned += c_1 * path[i] * path[j];
            }
            for ((weight, scaled), step) in strategy.weights.iter().zip(&scaled).zip(steps) {
                let product = step[i] * step[j];
                if !product.is_nan() {
                    kept -= c_mu * weight;
                    learned += c_mu * scaled * product;
                }
            }
            kept * old + learned
        });
        is_sound && self.mean.iter().all(|mean| mean.is_finite()) && self.sigma.is_finite() && self.sigma > 0.0
    }
}

/// A negative weight is made smaller for a long step, so that the covariance stays positive (equation 46).
fn scaled_weight(((weight, step), white): ((&f64, &Vec<f64>), &Vec<f64>)) -> f64 {
    if *weight >= 0.0 {
        return *weight;
    }
    let n_active = step.iter().filter(|step| !step.is_nan()).count() as f64;
    weight * n_active / (norm(white.iter().copied()).powi(2) + LEAST_LENGTH)
}

/// A step with 0 for what it does not know.
pub(super) fn known(step: &[f64]) -> Vec<f64> {
    step.iter().map(|step| if step.is_nan() { 0.0 } else { *step }).collect()
}

pub(super) fn norm(numbers: impl Iterator<Item = f64>) -> f64 {
    numbers.fold(0.0, |sum, number| sum + number * number).sqrt()
}
