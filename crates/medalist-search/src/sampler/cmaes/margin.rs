//! Numbers that come in steps: the margin keeps the neighbours of the mean's value within reach.
//!
//! Hamano, Saito, Nomura and Shirakawa, *CMA-ES with Margin*, GECCO 2022. A step is drawn from the normal distribution as ever, and stretched about the mean by a factor of the coordinate's own before it is rounded. After each generation, mean and factor are corrected so that the values on either side keep at least a given probability.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

use super::gaussian::Gaussian;

/// Numbers of one coordinate that round to the same value lie between two neighbouring thresholds; a continuous coordinate has none.
pub(super) type Thresholds = Vec<f64>;

/// Probabilities that are turned into distances are kept this far from 0 and 1/2.
const LEAST_PROBABILITY: f64 = 1e-10;

/// Corrects the mean and the stretch of a coordinate with these thresholds: either side keeps a probability of at least half of `margin`, and at the end of the range the side within keeps `margin`.
pub(super) fn correct(gaussian: &mut Gaussian, stretch: &mut f64, i: usize, thresholds: &[f64], margin: f64) {
    let [.., last] = thresholds else { return };
    let mean = gaussian.mean[i];
    let above = thresholds.partition_point(|threshold| *threshold < mean);
    let low = thresholds[above.saturating_sub(1)];
    let high = *thresholds.get(above).unwrap_or(last);
    let deviation = gaussian.deviation(i) * *stretch;
    let p_low = below((low - mean) / deviation);
    let p_high = 1.0 - below((high - mean) / deviation);
    if p_low.max(p_high) > 0.5 {
        if p_low.min(p_high) < margin {
            let away = if mean < high { -1.0 } else { 1.0 };
            gaussian.mean[i] = high + away * deviation * upper_quantile(margin);
        }
        return;
    }
    let p_middle = 1.0 - p_low - p_high;
    let (p_low, p_high) = (p_low.max(margin / 2.0), p_high.max(margin / 2.0));
    // What was added to one side is taken from what the others have beyond the margin.
    let excess = 1.0 - p_low - p_high - p_middle;
    let spare = p_low + p_middle + p_high - 1.5 * margin;
    let share = |p: f64| (p + excess * (p - margin / 2.0) / spare).clamp(LEAST_PROBABILITY, 0.5 - LEAST_PROBABILITY);
    let (to_low, to_high) = (upper_quantile(share(p_low)), upper_quantile(share(p_high)));
    *stretch = (high - low) / ((to_low + to_high) * gaussian.deviation(i));
    gaussian.mean[i] = (low * to_high + high * to_low) / (to_low + to_high);
}

/// The probability that a standard normal number is at most `z`.
pub(super) fn below(z: f64) -> f64 {
    0.5 * libm::erfc(-z * FRAC_1_SQRT_2)
}

/// The number that a standard normal one exceeds with probability `p`, in (0, 1).
///
/// Abramowitz and Stegun, *Handbook of Mathematical Functions*, 26.2.23, is within 4.5e-4; two steps of Halley's method make it exact.
pub(super) fn upper_quantile(p: f64) -> f64 {
    if p > 0.5 {
        return -upper_quantile(1.0 - p);
    }
    let t = (-2.0 * p.ln()).sqrt();
    let mut z = t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    for _ in 0..2 {
        let off = (below(-z) - p) * (2.0 * PI).sqrt() * (z * z / 2.0).exp();
        z += off / (1.0 - z * off / 2.0);
    }
    z
}
