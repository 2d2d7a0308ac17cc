//! Warped inputs: where along a parameter the scores change fastest is learned too.
//!
//! Snoek, Swersky, Zemel and Adams, *Input Warping for Bayesian Optimization of Non-Stationary Functions*, ICML 2014, with the distribution function of Kumaraswamy in place of the beta distribution's, which has no closed form.

use crate::sampler::lanes::{exp, ln};

/// `x -> 1 - (1 - x^a)^b`: the identity where both are 1.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Warp {
    pub a: f64,
    pub b: f64,
}

/// Nearer to an end than this there is no derivative to speak of.
const EDGE: f64 = 1e-6;

impl Warp {
    #[inline(always)]
    pub fn at(self, x: f64) -> f64 {
        let (_, log_rest) = self.logs(x);
        1.0 - exp(self.b * log_rest)
    }

    /// The derivatives by the logarithms of `a` and `b`.
    #[inline(always)]
    pub fn by_logs(self, x: f64) -> (f64, f64) {
        let (log_power, log_rest) = self.logs(x);
        let left = exp(self.b * log_rest);
        (self.b * left * exp(log_power - log_rest) * log_power, -left * self.b * log_rest)
    }

    /// The derivative by `x`.
    pub fn by_x(self, x: f64) -> f64 {
        let (log_power, log_rest) = self.logs(x);
        self.a * self.b * exp((self.b - 1.0) * log_rest + log_power) / x.clamp(EDGE, 1.0 - EDGE)
    }

    /// The logarithms of `x^a` and of `1 - x^a`.
    #[inline(always)]
    fn logs(self, x: f64) -> (f64, f64) {
        let log_power = self.a * ln(x.clamp(EDGE, 1.0 - EDGE));
        (log_power, ln(1.0 - exp(log_power)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_are_those_of_differences_and_one_and_one_change_nothing() {
        for (a, b) in [(1.0, 1.0), (0.4, 1.7), (3.0, 0.5)] {
            for x in [0.02, 0.3, 0.77, 0.95] {
                let same = Warp { a, b };
                assert!((same.at(x) - (1.0 - (1.0 - f64::powf(x, a)).powf(b))).abs() < 1e-14);
                let difference = |one: Warp, other: Warp, x: f64, y: f64| (one.at(x) - other.at(y)) / 2e-6;
                let (up, down) = (1e-6f64.exp(), (-1e-6f64).exp());
                let by_x = difference(same, same, x + 1e-6, x - 1e-6);
                let by_log_a = difference(Warp { a: a * up, b }, Warp { a: a * down, b }, x, x);
                let by_log_b = difference(Warp { a, b: b * up }, Warp { a, b: b * down }, x, x);
                let (found_a, found_b) = same.by_logs(x);
                for (found, expected) in [(same.by_x(x), by_x), (found_a, by_log_a), (found_b, by_log_b)] {
                    assert!((found - expected).abs() < 1e-7 * (1.0 + expected.abs()), "{found} {expected}");
                }
            }
        }
        assert!((Warp { a: 1.0, b: 1.0 }.at(0.37) - 0.37).abs() < 1e-15);
    }
}
