//! What a surrogate is shown in place of scores.

/// How far above the upper quartile, in ranges between the quartiles, a value is cut off: where a box plot ends.
const CUT: f64 = 1.5;

/// How strongly the power is believed to be 1, which changes nothing: the standard deviation of a normal prior.
const POWER_DEVIATION: f64 = 0.5;

/// Mean 0 and variance 1, near normal: a power transform chosen by likelihood, after which values far on the bad side are cut off. How bad a hopeless point is says nothing of where the best one lies.
pub(crate) fn standardised(values: &[f64]) -> Vec<f64> {
    let Some(scaled) = scaled(values) else { return vec![0.0; values.len()] };
    let power = power(&scaled);
    let mut transformed: Vec<f64> = scaled.iter().map(|value| yeo_johnson(*value, power)).collect();
    let mut sorted = transformed.clone();
    sorted.sort_by(f64::total_cmp);
    let (low, high) = (quantile(&sorted, 0.25), quantile(&sorted, 0.75));
    let cut = if high > low { high + CUT * (high - low) } else { f64::INFINITY };
    transformed.iter_mut().for_each(|value| *value = value.min(cut));
    let (mean, deviation) = moments(&transformed);
    if !(deviation.is_finite() && deviation > 0.0) {
        return vec![0.0; values.len()];
    }
    transformed.iter().map(|value| (value - mean) / deviation).collect()
}

/// In units of the half of them that lies in the middle, around its centre; none where all are the same.
fn scaled(values: &[f64]) -> Option<Vec<f64>> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    // Halved, so that no difference overflows.
    let (low, high) = (quantile(&sorted, 0.25) / 2.0, quantile(&sorted, 0.75) / 2.0);
    let (first, last) = (sorted.first()? / 2.0, sorted.last()? / 2.0);
    let unit = if high > low { high - low } else { last - first };
    if !(unit.is_finite() && unit > 0.0) {
        return None;
    }
    let centre = quantile(&sorted, 0.5) / 2.0;
    // Beyond a million of these units no power is meaningful.
    Some(values.iter().map(|value| ((value / 2.0 - centre) / unit).clamp(-1e6, 1e6)).collect())
}

/// The power of the transform under which the values are most nearly normal, by golden sections.
fn power(values: &[f64]) -> f64 {
    let loss = |power: f64| {
        let transformed: Vec<f64> = values.iter().map(|value| yeo_johnson(*value, power)).collect();
        let slopes: f64 = values.iter().map(|value| value.signum() * value.abs().ln_1p()).sum();
        let away = (power - 1.0) / POWER_DEVIATION;
        values.len() as f64 * moments(&transformed).1.ln() - (power - 1.0) * slopes + 0.5 * away * away
    };
    let ratio = (5f64.sqrt() - 1.0) / 2.0;
    let (mut low, mut high) = (-2.0, 4.0);
    let (mut one, mut other) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut at_one, mut at_other) = (loss(one), loss(other));
    for _ in 0..25 {
        if at_one <= at_other {
            (high, other, at_other) = (other, one, at_one);
            one = high - ratio * (high - low);
            at_one = loss(one);
        } else {
            (low, one, at_one) = (one, other, at_other);
            other = low + ratio * (high - low);
            at_other = loss(other);
        }
    }
    (low + high) / 2.0
}

/// Yeo and Johnson, *A New Family of Power Transformations to Improve Normality or Symmetry*, Biometrika 2000; ascending, and the identity at power 1.
fn yeo_johnson(value: f64, power: f64) -> f64 {
    let (size, power) = if value >= 0.0 { (value, power) } else { (-value, 2.0 - power) };
    let moved = if power.abs() < 1e-9 { size.ln_1p() } else { (power * size.ln_1p()).exp_m1() / power };
    moved.copysign(value)
}

/// Mean and standard deviation, with n in the denominator.
fn moments(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, (values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>() / n).sqrt())
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
    fn the_power_transform_is_that_of_scipy() {
        // scipy.stats.yeojohnson([-2, -0.5, 0, 0.7, 3], power), SciPy 1.16.
        for (power, expected) in [
            (0.3, [-3.2194163764257517, -0.583706976420589, 0.0, 0.5751964142418066, 1.719055221701327]),
            (2.0, [-1.0986122886681096, -0.4054651081081644, 0.0, 0.945, 7.5]),
            (0.0, [-4.0, -0.625, 0.0, 0.5306282510621704, 1.3862943611198906]),
            (1.0, [-2.0, -0.5, 0.0, 0.7, 3.0]),
        ] {
            for (value, expected) in [-2.0, -0.5, 0.0, 0.7, 3.0].into_iter().zip(expected) {
                assert!((yeo_johnson(value, power) - expected).abs() < 1e-12, "{value} at {power}");
            }
        }
    }

    #[test]
    fn skewed_values_become_even_and_keep_their_order() {
        let values: Vec<f64> = (0..40).map(|i| (f64::from(i) / 4.0).exp()).collect();
        let moved = standardised(&values);
        assert!(moved.windows(2).all(|pair| pair[0] <= pair[1]) && moved[0] < moved[5]);
        assert!(power(&scaled(&values).unwrap()) < 0.5);
        // A normal sample is left nearly as it is: quantiles of the normal distribution, scipy.stats.norm.ppf.
        let normal = [-1.38, -0.97, -0.67, -0.43, -0.21, 0.0, 0.21, 0.43, 0.67, 0.97, 1.38];
        assert!((power(&scaled(&normal).unwrap()) - 1.0).abs() < 0.05);
        let (mean, deviation) = moments(&moved);
        assert!(mean.abs() < 1e-9 && (deviation - 1.0).abs() < 1e-9);
    }

    #[test]
    fn outliers_on_the_bad_side_are_cut_off() {
        // Quartiles 1.75 and 3.25 of 1, 2, 3, 4.
        assert_eq!(quantile(&[1.0, 2.0, 3.0, 4.0], 0.25), 1.75);
        let values = standardised(&[1.0, 2.0, 3.0, 4.0, 5.0, 1e6]);
        assert!(values[5] - values[4] < 2.0 && values[4] - values[0] > 1.5, "{values:?}");
    }

    #[test]
    fn constant_and_huge_values_stay_finite() {
        assert_eq!(standardised(&[3.0; 4]), [0.0; 4]);
        assert!(standardised(&[-1e308, 1e308, 0.0]).iter().all(|value| value.is_finite()));
        assert!(standardised(&[1e-310, 2e-310, 5e-310]).iter().all(|value| value.is_finite()));
    }
}
