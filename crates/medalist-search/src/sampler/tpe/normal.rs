//! The standard normal distribution: its distribution function, and draws from part of it.

use std::f64::consts::{FRAC_1_SQRT_2, PI};
use std::sync::OnceLock;

use crate::sampler::normals::Normals;

/// The distribution function, to 1e-9: interpolated between knots by cubic polynomials that have its value and slope there.
///
/// A proposal asks for thousands of values, and the error function costs several times as much.
pub(super) struct Cdf {
    /// Value, and slope times the distance between knots.
    knots: Vec<(f64, f64)>,
}

const KNOTS_PER_UNIT: f64 = 64.0;
/// Farther out the function is 0 or 1 to 17 digits.
const FARTHEST: f64 = 9.0;

impl Cdf {
    pub fn get() -> &'static Cdf {
        static CDF: OnceLock<Cdf> = OnceLock::new();
        CDF.get_or_init(|| {
            let knot = |i: usize| {
                let z = i as f64 / KNOTS_PER_UNIT - FARTHEST;
                let slope = (-0.5 * z * z).exp() / (2.0 * PI).sqrt();
                (0.5 * libm::erfc(-z * FRAC_1_SQRT_2), slope / KNOTS_PER_UNIT)
            };
            let n_knots = (2.0 * FARTHEST * KNOTS_PER_UNIT) as usize + 2;
            Cdf { knots: (0..n_knots).map(knot).collect() }
        })
    }

    #[inline]
    pub fn at(&self, z: f64) -> f64 {
        let x = (z.clamp(-FARTHEST, FARTHEST) + FARTHEST) * KNOTS_PER_UNIT;
        let knot = x as usize;
        let t = x - knot as f64;
        let ((from, leaving), (to, arriving)) = (self.knots[knot], self.knots[knot + 1]);
        let rise = to - from;
        from + t * (leaving + t * ((3.0 * rise - 2.0 * leaving - arriving) + t * (leaving + arriving - 2.0 * rise)))
    }

    /// The probability of (from, to), taken in the lower tail, where small numbers keep their digits.
    #[inline]
    pub fn between(&self, from: f64, to: f64) -> f64 {
        let (from, to) = if from > 0.0 { (-to, -from) } else { (from, to) };
        self.at(to) - self.at(from)
    }
}

/// A draw from the normal distribution with mean `mu` in [0, 1], truncated to [0, 1]: the first that lies there, which at least every third does where `sigma` is at most 1.
pub(super) fn truncated(normals: &mut Normals, mu: f64, sigma: f64) -> f64 {
    loop {
        let at = mu + sigma * normals.normal();
        if (0.0..=1.0).contains(&at) {
            return at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interpolation_is_the_error_function() {
        let cdf = Cdf::get();
        for i in -10_000..=10_000 {
            let z = f64::from(i) / 1000.0;
            let expected = 0.5 * libm::erfc(-z * FRAC_1_SQRT_2);
            assert!((cdf.at(z) - expected).abs() < 1e-9, "{z}");
        }
        // scipy.stats.norm.cdf(7) - cdf(6), by sf(6) - sf(7), scipy 1.17.1.
        assert!((cdf.between(6.0, 7.0) / 9.853_078_324_938e-10 - 1.0).abs() < 1e-3);
    }
}
