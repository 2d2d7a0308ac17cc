//! The covariance of two rows by their scaled squared distance.

use crate::sampler::lanes::exp;

/// Matern's kernel of functions with two derivatives, `(1 + √5 r + 5/3 r²) exp(-√5 r)`, and minus twice its derivative by the squared distance; Rasmussen and Williams, *Gaussian Processes for Machine Learning*, 2006, section 4.2.
#[inline(always)]
pub(super) fn matern52(squared: f64) -> (f64, f64) {
    let scaled = (5.0 * squared).sqrt();
    let tail = exp(-scaled);
    ((1.0 + scaled + scaled * scaled * (1.0 / 3.0)) * tail, 5.0 / 3.0 * (1.0 + scaled) * tail)
}
