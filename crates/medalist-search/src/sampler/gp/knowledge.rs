//! How much better the answer gets by one more look at a point: the knowledge gradient.
//!
//! Frazier, Powell and Dayanik, *The Knowledge-Gradient Policy for Correlated Normal Beliefs*, INFORMS Journal on Computing 2009. The answer is the row with the lowest mean among those that were looked at, the new one too. Without noise this is the expected improvement; with noise it also says what a second look at a known row is worth.

use faer::Mat;

use super::likelihood::dot;
use super::posterior::Posterior;
use super::scaled::Scaled;
use crate::sampler::improvement::{log_add, log_h};

/// Rows that may become the answer: the ones with the lowest means.
const N_ANSWERS: usize = 12;

pub(super) struct Knowledge<'a> {
    /// Each with the logarithm of its share.
    parts: &'a [(Posterior, f64)],
    /// Features of the rows that may become the answer.
    answers: Vec<Vec<f64>>,
    /// By part.
    beliefs: Vec<Belief>,
}

/// What a part says of the answers.
struct Belief {
    placed: Scaled,
    means: Vec<f64>,
    /// Their whitened covariances with the data.
    whitened: Mat<f64>,
}

impl<'a> Knowledge<'a> {
    /// `known`: features of the rows looked at, at which `means` are expected.
    pub fn new(parts: &'a [(Posterior, f64)], known: &[Vec<f64>], means: &[f64]) -> Knowledge<'a> {
        let mut order: Vec<usize> = (0..known.len()).collect();
        order.sort_by(|a, b| means[*a].total_cmp(&means[*b]));
        let mut answers: Vec<Vec<f64>> = Vec::new();
        for place in order {
            if answers.len() < N_ANSWERS && !answers.contains(&known[place]) {
                answers.push(known[place].clone());
            }
        }
        let belief = |(part, _): &(Posterior, f64)| {
            let placed = part.place(&answers);
            let (normals, whitened) = part.whitened(&placed);
            Belief { placed, means: normals.iter().map(|normal| normal.mean).collect(), whitened }
        };
        let beliefs = parts.iter().map(belief).collect();
        Knowledge { parts, answers, beliefs }
    }

    pub fn answers(&self) -> &[Vec<f64>] {
        &self.answers
    }

    /// The logarithm of the gain of a look at each candidate, given by its features.
    pub fn of(&self, candidates: &[Vec<f64>]) -> Vec<f64> {
        let mut totals = vec![f64::NEG_INFINITY; candidates.len()];
        for ((part, share), Belief { placed, means, whitened }) in self.parts.iter().zip(&self.beliefs) {
            let rows = part.place(candidates);
            let (normals, waiting) = part.whitened(&rows);
            let lowest = means.iter().copied().fold(f64::INFINITY, f64::min);
            for (j, (features, total)) in candidates.iter().zip(&mut totals).enumerate() {
                let seen = (normals[j].variance + part.noise).sqrt();
                // Lines in the surprise of the look, in deviations: where the means will be, negated so that high is good.
                let mut lines: Vec<(f64, f64)> = Vec::with_capacity(self.answers.len() + 1);
                let mut is_answer = false;
                for (i, answer) in self.answers.iter().enumerate() {
                    is_answer |= answer == features;
                    let shared =
                        part.prior(placed, i, &rows, j) - dot(whitened.col_as_slice(i), waiting.col_as_slice(j));
                    lines.push((-shared / seen, -means[i]));
                }
                if !is_answer {
                    lines.push((-normals[j].variance / seen, -normals[j].mean));
                }
                *total = log_add(*total, share + log_gain(&mut lines, -lowest));
            }
        }
        totals
    }
}

/// The logarithm of `E max(intercept + slope Z) - best` over lines (slope, intercept), Z standard normal.
fn log_gain(lines: &mut [(f64, f64)], best: f64) -> f64 {
    lines.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let highest = lines.iter().map(|line| line.1).fold(f64::NEG_INFINITY, f64::max);
    // The upper envelope from left to right; each line with the place where it begins.
    let mut envelope: Vec<(f64, f64, f64)> = Vec::with_capacity(lines.len());
    for &(slope, intercept) in lines.iter() {
        let mut begins = f64::NEG_INFINITY;
        while let Some(&(last_slope, last_intercept, last_begins)) = envelope.last() {
            if slope - last_slope <= 0.0 {
                // Of parallel lines the last is the highest.
                envelope.pop();
                continue;
            }
            begins = (last_intercept - intercept) / (slope - last_slope);
            if begins > last_begins {
                break;
            }
            envelope.pop();
            begins = f64::NEG_INFINITY;
        }
        envelope.push((slope, intercept, begins));
    }
    let mut total = if highest > best { (highest - best).ln() } else { f64::NEG_INFINITY };
    for pair in envelope.windows(2) {
        let (change, at) = (pair[1].0 - pair[0].0, pair[1].2);
        total = log_add(total, change.ln() + log_h(-at.abs()).0);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[(f64, f64)], best: f64) {
        // Simpson's rule over ten deviations on both sides.
        let n = 200_000;
        let width = 20.0 / f64::from(n);
        let at = |z: f64| {
            let highest = lines.iter().map(|(slope, intercept)| intercept + slope * z).fold(f64::MIN, f64::max);
            (highest - best) * (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt()
        };
        let sum: f64 = (0..=n)
            .map(|i| {
                let weight = if i == 0 || i == n {
                    1.0
                } else if i % 2 == 1 {
                    4.0
                } else {
                    2.0
                };
                weight * at(-10.0 + width * f64::from(i))
            })
            .sum();
        let expected = sum * width / 3.0;
        let found = log_gain(&mut lines.to_vec(), best).exp();
        assert!((found - expected).abs() < 1e-7 * (1.0 + expected), "{found} {expected}");
    }

    #[test]
    fn the_gain_is_that_of_an_integral() {
        check(&[(0.0, 1.0), (0.5, 0.8)], 1.0);
        check(&[(-0.3, 0.9), (0.0, 1.0), (0.2, 0.95), (0.2, 0.7), (1.0, 0.1)], 1.0);
        check(&[(0.1, 1.5), (0.1, 1.0), (-0.1, 1.2)], 1.2);
        check(&[(0.4, 0.0)], -0.5);
    }

    #[test]
    fn equal_lines_gain_nothing() {
        assert_eq!(log_gain(&mut [(0.2, 1.0), (0.2, 1.0)], 1.0), f64::NEG_INFINITY);
    }
}
