//! What a model believes of several rows at once.

use faer::linalg::solvers::Llt;
use faer::{Mat, Side};

use crate::sampler::improvement::{Normal, log_improvement};
use crate::sampler::normals::Normals;

/// The scores of some rows, jointly normal, low being good.
#[derive(Clone, Debug)]
pub(crate) struct Joint {
    pub means: Vec<f64>,
    /// (n_rows, n_rows), symmetric.
    pub covariance: Mat<f64>,
    /// The variance of one evaluation around the score.
    pub noise: f64,
}

/// Added to the diagonal, as a share of its mean, so that rows which are nearly the same keep a factor.
const JITTER: f64 = 1e-6;

impl Joint {
    pub fn len(&self) -> usize {
        self.means.len()
    }

    /// The factor that draws are made with; none where there is none.
    pub fn factor(&self) -> Option<Llt<f64>> {
        let n = self.len();
        let diagonal = (0..n).map(|i| self.covariance[(i, i)]).sum::<f64>() / n.max(1) as f64;
        let mut matrix = self.covariance.clone();
        for i in 0..n {
            matrix[(i, i)] += JITTER * diagonal + f64::MIN_POSITIVE;
        }
        matrix.llt(Side::Lower).ok()
    }

    /// Scores that all rows might have.
    pub fn draw(&self, factor: &Llt<f64>, normals: &mut Normals) -> Vec<f64> {
        let n = self.len();
        let draws: Vec<f64> = (0..n).map(|_| normals.normal()).collect();
        let lower = factor.L();
        let mut scores = self.means.clone();
        for (j, draw) in draws.iter().enumerate() {
            for i in j..n {
                scores[i] += lower[(i, j)] * draw;
            }
        }
        scores
    }

    /// Takes in that a row was evaluated.
    pub fn observe(&mut self, row: usize, value: f64) {
        let column = self.covariance.col_as_slice(row).to_vec();
        let variance = column[row] + self.noise + f64::MIN_POSITIVE;
        let gain = (value - self.means[row]) / variance;
        for (mean, covariance) in self.means.iter_mut().zip(&column) {
            *mean += gain * covariance;
        }
        for (j, covariance) in column.iter().enumerate() {
            let scale = covariance / variance;
            for (entry, other) in self.covariance.col_as_slice_mut(j).iter_mut().zip(&column) {
                *entry -= scale * other;
            }
        }
    }

    /// The row among these that promises most below an incumbent.
    pub fn most_promising(&self, rows: impl Iterator<Item = usize>, incumbent: f64) -> Option<usize> {
        let promise = |row: usize| {
            let variance = self.covariance[(row, row)].max(1e-12);
            (log_improvement(Normal { mean: self.means[row], variance }, incumbent), row)
        };
        rows.map(promise).reduce(|best, other| if other.0 > best.0 { other } else { best }).map(|(_, row)| row)
    }

    /// The row with the lowest mean among these.
    pub fn lowest(&self, rows: impl Iterator<Item = usize>) -> Option<usize> {
        rows.reduce(|best, other| if self.means[other] < self.means[best] { other } else { best })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seed::Seed;

    fn two() -> Joint {
        let covariance = Mat::from_fn(2, 2, |i, j| if i == j { 2.0 } else { 1.0 });
        Joint { means: vec![0.0, 1.0], covariance, noise: 0.5 }
    }

    #[test]
    fn what_is_observed_conditions_the_rest() {
        let mut joint = two();
        joint.observe(0, 1.0);
        // k = (2, 1), s = 2.5: means + k (1 - 0) / s, covariance - k k' / s.
        let close = |found: f64, expected: f64| assert!((found - expected).abs() < 1e-12, "{found} {expected}");
        close(joint.means[0], 0.8);
        close(joint.means[1], 1.4);
        close(joint.covariance[(0, 0)], 0.4);
        close(joint.covariance[(0, 1)], 0.2);
        close(joint.covariance[(1, 1)], 1.6);
    }

    #[test]
    fn draws_have_the_mean_and_the_covariance() {
        let joint = two();
        let factor = joint.factor().unwrap();
        let mut normals = Normals(Seed::new(0).rng());
        let draws: Vec<Vec<f64>> = (0..20_000).map(|_| joint.draw(&factor, &mut normals)).collect();
        let n = draws.len() as f64;
        let mean = |k: usize| draws.iter().map(|draw| draw[k]).sum::<f64>() / n;
        let shared = draws.iter().map(|draw| (draw[0] - mean(0)) * (draw[1] - mean(1))).sum::<f64>() / n;
        assert!(mean(0).abs() < 0.05 && (mean(1) - 1.0).abs() < 0.05 && (shared - 1.0).abs() < 0.08, "{shared}");
    }
}
