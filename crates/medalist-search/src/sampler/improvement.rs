//! How much a prediction promises: the logarithm of the expected improvement.
//!
//! Ament et al., *Unexpected Improvements to Expected Improvement for Bayesian Optimization*, NeurIPS 2023: the logarithm, computed without first computing what it is taken of, has a slope where the improvement itself is 0 to the last bit.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// What a model says of one row: mean and variance of the function, without noise.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Normal {
    pub mean: f64,
    pub variance: f64,
}

/// The logarithm of the expected improvement below `incumbent`.
pub(crate) fn log_improvement(normal: Normal, incumbent: f64) -> f64 {
    let deviation = normal.variance.sqrt();
    deviation.ln() + log_h((incumbent - normal.mean) / deviation).0
}

/// The logarithm of `φ(z) + z Φ(z)`, and its derivative.
pub(crate) fn log_h(z: f64) -> (f64, f64) {
    if z > -1.0 {
        let density = (-0.5 * z * z).exp() / (2.0 * PI).sqrt();
        let below = 0.5 * libm::erfc(-z * FRAC_1_SQRT_2);
        let h = density + z * below;
        return (h.ln(), below / h);
    }
    // Divided by the density, both terms stay in range however far out.
    let mills = (PI / 2.0).sqrt() * erfcx(-z * FRAC_1_SQRT_2);
    let h = if z < -1e4 { 1.0 / (z * z) } else { 1.0 + z * mills };
    (h.ln() - 0.5 * z * z - 0.5 * (2.0 * PI).ln(), mills / h)
}

/// `exp(x²) erfc(x)` for x > 0.
fn erfcx(x: f64) -> f64 {
    if x < 4.0 {
        return (x * x).exp() * libm::erfc(x);
    }
    // The continued fraction of Abramowitz and Stegun 7.1.14, from the inside.
    let mut tail = x;
    for k in (1..=40).rev() {
        tail = x + 0.5 * f64::from(k) / tail;
    }
    1.0 / (tail * PI.sqrt())
}

pub(crate) fn log_add(a: f64, b: f64) -> f64 {
    let (large, small) = if a > b { (a, b) } else { (b, a) };
    if small == f64::NEG_INFINITY { large } else { large + (small - large).exp().ln_1p() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_logarithm_of_the_improvement_holds_in_the_far_tail() {
        // φ(0) = 1/√(2π); at -40, h = φ(z)/z² (1 - 3/z² + 15/z⁴ - ...), Abramowitz and Stegun 26.2.12.
        assert!((log_h(0.0).0 - -0.918_938_533_204_672_7).abs() < 1e-12);
        let z = -40.0f64;
        let series = 1.0 - 3.0 / z.powi(2) + 15.0 / z.powi(4) - 105.0 / z.powi(6);
        let expected = -0.5 * z * z - 0.918_938_533_204_672_7 - 2.0 * 40f64.ln() + series.ln();
        assert!((log_h(z).0 - expected).abs() < 1e-7, "{} {expected}", log_h(z).0);
        assert!((log_h(-1.0 + 1e-9).0 - log_h(-1.0 - 1e-9).0).abs() < 1e-7);
    }
}
