//! Prunes a trial that is not among the best per cent of the earlier trials after the same folds, or at the same step.
//!
//! Optuna's `PercentilePruner`: the median rule with another quantile, interpolated linearly between values (type 7 of Hyndman and Fan, *Sample Quantiles in Statistical Packages*, 1996, numpy's default).

use serde::{Deserialize, Serialize};

use super::median::{compared, is_zero};
use super::{Curve, Past, Pruner};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Percentile {
    /// How many per cent of the trials are good enough, in [0, 100].
    pub percentile: f64,
    pub n_startup_trials: usize,
    /// On steps: none before this one is decided on.
    #[serde(skip_serializing_if = "is_zero")]
    pub n_warmup_steps: u64,
}

impl Default for Percentile {
    /// The best quarter goes on, the value of Optuna's example; the others are its defaults.
    fn default() -> Self {
        Percentile { percentile: 25.0, n_startup_trials: 5, n_warmup_steps: 0 }
    }
}

impl Pruner for Percentile {
    fn name(&self) -> &str {
        "percentile"
    }

    fn depends_on_history(&self) -> bool {
        true
    }

    fn should_prune(&self, past: &Past, trial: &Curve) -> bool {
        let Some((score, earlier)) = compared(past, trial, self.n_startup_trials, self.n_warmup_steps) else {
            return false;
        };
        past.direction.better(quantile(&earlier, self.percentile / 100.0), score)
    }
}

/// Of sorted values, at least one; `p` in [0, 1].
fn quantile(sorted: &[f64], p: f64) -> f64 {
    let place = p.clamp(0.0, 1.0) * (sorted.len() - 1) as f64;
    let below = (place.floor() as usize).min(sorted.len() - 1);
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_numpys() {
        // numpy.percentile([1, 2, 4, 8, 16], [0, 10, 25, 60, 95, 100]), numpy 2.
        let values = [1.0, 2.0, 4.0, 8.0, 16.0];
        for (p, expected) in [(0.0, 1.0), (0.1, 1.4), (0.25, 2.0), (0.6, 5.6), (0.95, 14.4), (1.0, 16.0)] {
            assert!((quantile(&values, p) - expected).abs() < 1e-12, "{p}");
        }
        assert_eq!(quantile(&[3.0], 0.7), 3.0);
    }
}
