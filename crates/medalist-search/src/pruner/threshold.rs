//! Prunes a trial whose mean over its folds, or whose last value, is beyond a bound: a score that no sound model has.
//!
//! Optuna's `ThresholdPruner`. It reads no other trial, so that no decision waits; a bound on the good side catches what is too good to be true.

use serde::{Deserialize, Serialize};

use super::median::is_zero;
use super::{Curve, Past, Pruner};

/// Needs at least one of the bounds.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Threshold {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
    /// On steps: none before this one is decided on.
    #[serde(skip_serializing_if = "is_zero")]
    pub n_warmup_steps: u64,
}

impl Pruner for Threshold {
    fn name(&self) -> &str {
        "threshold"
    }

    fn depends_on_history(&self) -> bool {
        false
    }

    fn should_prune(&self, past: &Past, trial: &Curve) -> bool {
        let Some((spent, value)) = trial.points.last() else { return false };
        if !past.budget.resource.is_folds() && *spent < self.n_warmup_steps {
            return false;
        }
        self.lower.is_some_and(|lower| *value < lower) || self.upper.is_some_and(|upper| *value > upper)
    }
}
