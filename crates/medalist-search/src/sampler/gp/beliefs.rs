//! What the process says of any rows: for a study's outlook.

use faer::Mat;

use super::design::Feature;
use super::likelihood::dot;
use super::posterior::Posterior;
use super::{Gp, Mixture};
use crate::sampler::encoding::Encoding;
use crate::sampler::improvement::Normal;
use crate::sampler::past::Past;
use crate::surrogate::joint::Joint;

/// The process under several hyperparameters, in the units of [`crate::sampler::targets::standardised`].
pub(crate) struct Beliefs(Mixture);

impl Gp {
    /// None where the process would not be asked for a proposal either.
    pub(crate) fn beliefs(&self, encoding: &Encoding, past: &Past) -> Option<Beliefs> {
        self.mixture(encoding, past).map(Beliefs)
    }
}

impl Beliefs {
    /// Of each row by itself, by the law of total variance over the hyperparameters.
    pub fn of(&self, rows: &[Vec<f64>]) -> Vec<Normal> {
        let rows = self.features(rows);
        let mut moments = vec![(0.0, 0.0); rows.len()];
        for (part, share) in &self.0.parts {
            for (moment, normal) in moments.iter_mut().zip(part.predict(&rows)) {
                moment.0 += share.exp() * normal.mean;
                moment.1 += share.exp() * (normal.variance + normal.mean * normal.mean);
            }
        }
        moments.into_iter().map(|(mean, square)| Normal { mean, variance: (square - mean * mean).max(0.0) }).collect()
    }

    /// Of all rows together, by hyperparameters with their shares.
    pub fn joint(&self, rows: &[Vec<f64>]) -> Vec<(f64, Joint)> {
        let rows = self.features(rows);
        self.0.parts.iter().map(|(part, share)| (share.exp(), part.joint(&rows))).collect()
    }

    fn features(&self, rows: &[Vec<f64>]) -> Vec<Vec<f64>> {
        rows.iter().map(|row| Feature::row(&self.0.features, row)).collect()
    }
}

impl Posterior {
    /// What it says of rows, given by their features, all together.
    fn joint(&self, rows: &[Vec<f64>]) -> Joint {
        let placed = self.place(rows);
        let (normals, whitened) = self.whitened(&placed);
        let mut covariance = Mat::<f64>::zeros(rows.len(), rows.len());
        for j in 0..rows.len() {
            for i in 0..=j {
                let known = dot(whitened.col_as_slice(i), whitened.col_as_slice(j));
                let left = self.prior(&placed, i, &placed, j) - known;
                covariance[(i, j)] = left;
                covariance[(j, i)] = left;
            }
        }
        let means = normals.iter().map(|normal| normal.mean).collect();
        Joint { means, covariance, noise: self.noise }
    }
}
