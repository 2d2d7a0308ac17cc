//! Asynchronous successive halving: a trial on a rung must be among the best one in `reduction_factor` of all that came to it before.
//!
//! Li et al., *A System for Massively Parallel Hyperparameter Tuning*, MLSys 2020, in the form that stops trials rather than pausing them, as Optuna's `SuccessiveHalvingPruner` does: of fewer than `reduction_factor` trials on a rung the best one goes on.

use serde::{Deserialize, Serialize};

use super::ladder::{Ladder, is_promoted};
use super::{Curve, Past, Pruner};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Asha {
    /// Folds or steps to the first rung; where it is none, a fifth of the folds, or the lower end of the fidelity, or one step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_resource: Option<u64>,
    /// One in so many goes on; at least 2.
    pub reduction_factor: u64,
    /// How many of the lowest rungs are left out.
    pub min_early_stopping_rate: usize,
}

impl Default for Asha {
    /// One in four from the first rung on, as in Optuna and in the paper.
    fn default() -> Self {
        Asha { min_resource: None, reduction_factor: 4, min_early_stopping_rate: 0 }
    }
}

impl Asha {
    pub(super) fn ladder(&self, budget: &super::Budget) -> Ladder {
        Ladder::new(self.min_resource, self.reduction_factor, budget)
    }
}

impl Pruner for Asha {
    fn name(&self) -> &str {
        "asha"
    }

    fn depends_on_history(&self) -> bool {
        true
    }

    fn should_prune(&self, past: &Past, trial: &Curve) -> bool {
        let ladder = self.ladder(&past.budget);
        let Some(rung) = ladder.reached(self.min_early_stopping_rate, trial) else { return false };
        let Some(value) = trial.from(rung) else { return false };
        let rivals = past.curves.iter().filter_map(|curve| curve.from(rung)).collect();
        !is_promoted(past, value, rivals, ladder.factor())
    }
}
