//! The covariance of two rows by their scaled squared distance.

use crate::sampler::lanes::exp;

/// Matern's kernel of functions with two derivatives, `(1 + √5 r + 5/3 r²) exp(-√5 r)`, and minus twice its derivative by the squared distance; Rasmussen and Williams, *Gaussian Processes for Machine Learning*, 2006, section 4.2.
#[inline(always)]
pub(super) fn matern52(squared: f64) -> (f64, f64) {
    let scaled = (5.0 * squared).sqrt();
    let tail = exp(-scaled);
    ((1.0 + scaled + scaled * scaled * (1.0 / 3.0)) * tail, 5.0 / 3.0 * (1.0 + scaled) * tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    // scikit-learn 1.9.1: Matern(1.0, nu=2.5) at these distances.
    #[test]
    fn the_kernel_is_that_of_the_reference() {
        let known = [
            (0.0, 1.0),
            (0.1, 0.9917592361711776),
            (0.7, 0.7069426819040978),
            (1.0, 0.5239941088318203),
            (3.0, 0.027723421914625807),
            (10.0, 3.6956962220528686e-08),
        ];
        for (distance, expected) in known {
            let (found, _) = matern52(distance * distance);
            assert!((found - expected).abs() <= 1e-13 * expected, "{distance}: {found}, not {expected}");
        }
    }

    #[test]
    fn the_slope_is_that_of_differences() {
        for squared in [0.01, 0.5, 1.0, 4.0, 30.0] {
            let step = 1e-6 * squared;
            let differences = (matern52(squared + step).0 - matern52(squared - step).0) / (2.0 * step);
            let slope = matern52(squared).1;
            assert!((slope + 2.0 * differences).abs() < 1e-7 * slope, "{squared}: {slope}, {differences}");
        }
    }
}
