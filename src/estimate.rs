//! What scores over folds are worth.

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
}
