//! Paired racing: prunes a trial that is worse than the best one before it on the same folds, by a test that treats folds as correlated.
//!
//! The corrected resampled t-test of Nadeau and Bengio, *Inference for the Generalization Error*, Machine Learning 52, 2003: the training sets of folds overlap, so the variance of the mean difference is (1/J + n_test/n_train) s^2 rather than s^2/J. Two or three differences say little about their own spread, and by chance nothing: so s^2 is moderated by that of earlier trials, after Smyth, *Linear Models and Empirical Bayes Methods*, 2004.

use serde::{Deserialize, Serialize};

use super::{Curve, Past, Pruner};
use crate::trial::Direction;

/// The best trial before is the complete one with the best score over all of its folds: that choice does not favour the folds compared.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Racing {
    /// How sure it must be that a trial is worse, in (0.5, 1): one-sided.
    pub confidence: f64,
    /// Prunes nothing before so many complete trials.
    pub n_startup_trials: usize,
}

impl Default for Racing {
    /// 0.95, as in irace, and five trials as the other pruners.
    fn default() -> Self {
        Racing { confidence: 0.95, n_startup_trials: 5 }
    }
}

/// What the spread of earlier trials weighs: that of one comparison over five folds.
const PRIOR_FREEDOM: usize = 4;

impl Pruner for Racing {
    fn name(&self) -> &str {
        "racing"
    }

    fn depends_on_history(&self) -> bool {
        true
    }

    fn should_prune(&self, past: &Past, trial: &Curve) -> bool {
        let (Some(best), Some(n_folds)) = (past.incumbent(), past.budget.max) else { return false };
        let others = past.curves.iter().filter(|curve| curve.score.is_some() && curve.number != best.number);
        let mut spreads: Vec<f64> = others.filter_map(|curve| spread(&worse(past, curve, best))).collect();
        if spreads.is_empty() || spreads.len() + 1 < self.n_startup_trials {
            return false;
        }
        spreads.sort_by(f64::total_cmp);
        let prior = spreads[spreads.len() / 2];
        // Of k folds one is tested on, the others are trained on.
        let ratio = 1.0 / (n_folds.max(2) - 1) as f64;
        p_not_worse(&worse(past, trial, best), ratio, prior).is_some_and(|p| p < 1.0 - self.confidence)
    }
}

/// By how much a trial is worse than the best one, fold by fold.
fn worse(past: &Past, trial: &Curve, best: &Curve) -> Vec<f64> {
    let pairs = trial.folds.iter().zip(&best.folds);
    match past.direction {
        Direction::Minimize => pairs.map(|(score, best)| score - best).collect(),
        Direction::Maximize => pairs.map(|(score, best)| best - score).collect(),
    }
}

/// The unbiased variance; none of fewer than two values.
fn spread(values: &[f64]) -> Option<f64> {
    let n = values.len();
    let mean = values.iter().sum::<f64>() / n as f64;
    let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
    (n > 1).then(|| squares / (n - 1) as f64)
}

/// The one-sided p-value of "not worse"; none of fewer than two differences. `ratio` is n_test / n_train, `prior` the variance to expect.
fn p_not_worse(worse: &[f64], ratio: f64, prior: f64) -> Option<f64> {
    let variance = spread(worse)?;
    let n = worse.len();
    let mean = worse.iter().sum::<f64>() / n as f64;
    if mean.is_nan() || mean <= 0.0 {
        return Some(1.0);
    }
    let freedom = n - 1 + PRIOR_FREEDOM;
    let moderated = ((n - 1) as f64 * variance + PRIOR_FREEDOM as f64 * prior) / freedom as f64;
    let error = ((1.0 / n as f64 + ratio) * moderated).sqrt();
    Some(student_upper_tail(mean / error, freedom))
}

/// The probability that Student's t with `n` degrees of freedom, at least 1, exceeds `t`, at least 0.
///
/// Abramowitz and Stegun, 26.7.3 and 26.7.4: finite sums, exact for whole degrees of freedom.
pub fn student_upper_tail(t: f64, n: usize) -> f64 {
    let angle = (t / (n as f64).sqrt()).atan();
    let (sin, cos) = (angle.sin(), angle.cos());
    // The products 1/2, 1/2 3/4, ... of even n and 2/3, 2/3 4/5, ... of odd n, times powers of the cosine.
    let (mut term, mut sum) = (if n.is_multiple_of(2) { 1.0 } else { cos }, 0.0);
    let first = if n.is_multiple_of(2) { 2 } else { 3 };
    for k in (first..=n).step_by(2) {
        sum += term;
        term *= (k - 1) as f64 / k as f64 * cos * cos;
    }
    let within = if n.is_multiple_of(2) { sin * sum } else { (angle + sin * sum) * std::f64::consts::FRAC_2_PI };
    ((1.0 - within) / 2.0).clamp(0.0, 0.5)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::pruner::Budget;

    #[test]
    fn the_tail_is_students() {
        // scipy.stats.t.sf, scipy 1.17.
        for (t, n, expected) in [
            (0.0, 1, 0.5),
            (1.0, 1, 0.25),
            (6.313751514675044, 1, 0.05),
            (2.0, 2, 0.09175170953613698),
            (2.353363434801824, 3, 0.05),
            (1.5, 4, 0.104),
            (3.0, 5, 0.015049623948731293),
            (2.0, 8, 0.04025811897863131),
            (4.0, 9, 0.0015552141551929272),
        ] {
            assert!((student_upper_tail(t, n) - expected).abs() < 1e-14, "{t}, {n}: {}", student_upper_tail(t, n));
        }
    }

    #[test]
    fn the_test_is_nadeau_and_bengios_with_a_moderated_variance() {
        // In numpy: v = (2 * var([.02, .05, .03], ddof=1) + 4 * .0004) / 6; t.sf(mean / sqrt((1/3 + 1/4) * v), 6).
        let p = p_not_worse(&[0.02, 0.05, 0.03], 0.25, 0.0004).unwrap();
        assert!((p - 0.028467467794824206).abs() < 1e-14, "{p}");
        assert_eq!(p_not_worse(&[-0.02, -0.05], 0.25, 0.0004), Some(1.0));
        assert_eq!(p_not_worse(&[0.02], 0.25, 0.0004), None);
        assert_eq!(p_not_worse(&[0.02, 0.02], 0.25, 0.0), Some(0.0));
    }

    #[test]
    fn two_folds_alike_by_chance_prove_nothing() {
        let curve = |number, folds: [f64; 5]| Curve {
            number,
            score: Some(folds.iter().sum::<f64>() / 5.0),
            points: Vec::new(),
            folds: folds.to_vec(),
        };
        let noisy = |number: u64| curve(number, [0.80, 0.83, 0.79, 0.84, 0.81].map(|s| s - 0.01 * (number % 3) as f64));
        let mut curves: Vec<Arc<Curve>> = (1..6).map(|number| Arc::new(noisy(number))).collect();
        curves.push(Arc::new(curve(0, [0.86, 0.82, 0.87, 0.83, 0.86])));
        let past = Past { curves: &curves, direction: Direction::Maximize, budget: Budget::folds(5) };
        let trial = |folds: &[f64]| Curve { number: 9, folds: folds.to_vec(), ..Curve::default() };
        // One row of a hundred less in both folds has no spread at all.
        assert!(!Racing::default().should_prune(&past, &trial(&[0.85, 0.81])));
        assert!(Racing::default().should_prune(&past, &trial(&[0.70, 0.66])));
        let few = Racing { n_startup_trials: 7, ..Racing::default() };
        assert!(!few.should_prune(&past, &trial(&[0.70, 0.66])));
    }
}
