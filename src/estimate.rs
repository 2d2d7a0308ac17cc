//! What scores are worth.

mod corrected;
mod replay;

use medalist_search::student_upper_tail;

pub use corrected::{Estimate, Replayed, Units};
pub use replay::Replay;

/// Standard deviation with n - 1 in the denominator; None for fewer than two scores.
pub fn sample_std(scores: &[f64]) -> Option<f64> {
    if scores.len() < 2 {
        return None;
    }
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    let squares: f64 = scores.iter().map(|score| (score - mean).powi(2)).sum();
    Some((squares / (scores.len() - 1) as f64).sqrt())
}

/// The standard error of the mean of scores, or of differences, by fold: each fold scores 1 / n of the rows, and any two share training rows, so that the plain one is too small (Nadeau and Bengio 2003). None for fewer than two.
pub fn corrected_standard_error(scores: &[f64]) -> Option<f64> {
    let n = scores.len() as f64;
    // A fold's share of the rows over that of its training rows.
    let overlap = 1.0 / (n - 1.0);
    sample_std(scores).map(|std| std * (1.0 / n + overlap).sqrt())
}

/// What folds say of a mean difference, by the Bayesian correlated t-test (Benavoli, Corani, Demšar and Zaffalon, *Time for a change*, JMLR 18, 2017): Student's t around the mean, its scale the corrected standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Posterior {
    pub mean: f64,
    pub scale: f64,
    /// Degrees of freedom: one fewer than folds.
    pub freedom: usize,
}

impl Posterior {
    /// None for fewer than two differences.
    pub fn of(differences: &[f64]) -> Option<Posterior> {
        let scale = corrected_standard_error(differences)?;
        let mean = differences.iter().sum::<f64>() / differences.len() as f64;
        Some(Posterior { mean, scale, freedom: differences.len() - 1 })
    }

    /// The probability that the true difference is above this value.
    pub fn chance_above(&self, value: f64) -> f64 {
        let distance = self.mean - value;
        if distance == 0.0 {
            return 0.5;
        }
        let tail = if self.scale > 0.0 { student_upper_tail(distance.abs() / self.scale, self.freedom) } else { 0.0 };
        if distance > 0.0 { 1.0 - tail } else { tail }
    }

    /// The central interval that holds the true difference with this probability, in 0..1.
    pub fn interval(&self, share: f64) -> (f64, f64) {
        // The tail falls as t grows: halve where it lies.
        let (mut low, mut high) = (0.0, 1.0);
        let beyond = |t: f64| student_upper_tail(t, self.freedom) > (1.0 - share) / 2.0;
        while beyond(high) && high < 1e12 {
            high *= 2.0;
        }
        for _ in 0..200 {
            let middle = (low + high) / 2.0;
            if beyond(middle) { low = middle } else { high = middle }
        }
        (self.mean - high * self.scale, self.mean + high * self.scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_fold_has_no_spread() {
        assert_eq!(sample_std(&[0.5]), None);
        // statistics.stdev([1, 2, 4]), Python.
        let std = sample_std(&[1.0, 2.0, 4.0]).unwrap();
        assert!((std - 1.527_525_231_651_946_7).abs() < 1e-15, "{std}");
    }

    /// 0.1, 0.3, 0.2: standard deviation 0.1, so that it is 0.1 sqrt(1/3 + 1/2).
    #[test]
    fn the_standard_error_knows_that_folds_share_rows() {
        assert_eq!(corrected_standard_error(&[0.5]), None);
        let error = corrected_standard_error(&[0.1, 0.3, 0.2]).unwrap();
        assert!((error - 0.091_287_092_917_5).abs() < 1e-12, "{error}");
    }

    /// scipy 1.17: t.cdf(0.2 / (0.1 * sqrt(1/3 + 1/2)), 2) and t.interval(0.9, 2, loc=0.2, scale=0.1 * sqrt(5/6)).
    #[test]
    fn the_posterior_is_students() {
        let posterior = Posterior::of(&[0.1, 0.3, 0.2]).unwrap();
        assert!((posterior.chance_above(0.0) - 0.920_084_025_208_4).abs() < 1e-12, "{}", posterior.chance_above(0.0));
        let (low, high) = posterior.interval(0.9);
        assert!((low + 0.066_556_994_991_6).abs() < 1e-9 && (high - 0.466_556_994_991_6).abs() < 1e-9, "{low} {high}");
        assert_eq!(posterior.chance_above(posterior.mean), 0.5);
        assert_eq!(Posterior::of(&[0.1, 0.1]).unwrap().chance_above(0.0), 1.0);
        assert_eq!(Posterior::of(&[0.1]), None);
    }
}
