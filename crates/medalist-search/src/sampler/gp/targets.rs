//! What the process is shown in place of scores.

/// How far above the upper quartile, in ranges between the quartiles, a value is cut off: where a box plot ends.
const CUT: f64 = 1.5;

/// Mean 0 and variance 1, after values far on the bad side are cut off: how bad a hopeless point is says nothing of where the best one lies.
pub(super) fn standardised(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (quantile(&sorted, 0.25), quantile(&sorted, 0.75));
    let cut = high + CUT * (high - low);
    let n = values.len() as f64;
    let cut: Vec<f64> = values.iter().map(|value| value.min(cut)).collect();
    let mean = cut.iter().map(|value| value / n).sum::<f64>();
    let largest = cut.iter().map(|value| (value - mean).abs()).fold(0.0, f64::max);
    if !(largest.is_finite() && largest > 0.0) {
        return vec![0.0; values.len()];
    }
    // First by the largest, so that no square overflows or vanishes.
    let scaled: Vec<f64> = cut.iter().map(|value| (value - mean) / largest).collect();
    let deviation = (scaled.iter().map(|value| value * value).sum::<f64>() / n).sqrt();
    scaled.iter().map(|value| value / deviation).collect()
}

/// Between the two nearest of sorted values.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return 0.0 };
    let at = share * last as f64;
    let (below, between) = (at.floor() as usize, at.fract());
    sorted[below] * (1.0 - between) + sorted[(below + 1).min(last)] * between
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outliers_on_the_bad_side_are_cut_off() {
        // Quartiles 1.75 and 3.25 of 1, 2, 3, 4; of 1, 2, 3, 1000 the upper one is 252.25.
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.25), 1.75);
        let values = standardised(&[1.0, 2.0, 3.0, 4.0, 5.0, 1e6]);
        // Quartiles 2.25 and 4.75: cut at 8.5.
        let ratio = (values[5] - values[0]) / (values[1] - values[0]);
        assert!((ratio - 7.5).abs() < 1e-9, "{values:?}");
        let deviation = values.iter().map(|value| value * value).sum::<f64>() / 6.0;
        assert!((deviation - 1.0).abs() < 1e-12 && values.iter().sum::<f64>().abs() < 1e-9);
    }

    #[test]
    fn constant_and_huge_values_stay_finite() {
        assert_eq!(standardised(&[3.0; 4]), [0.0; 4]);
        assert!(standardised(&[-1e308, 1e308, 0.0]).iter().all(|value| value.is_finite()));
        assert!(standardised(&[1e-310, 2e-310, 5e-310]).iter().all(|value| value.is_finite()));
    }
}
