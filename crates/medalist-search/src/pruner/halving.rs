//! Successive halving without a barrier: a trial on a rung must be among the best one in `reduction_factor` of the last trials that came to it.
//!
//! Jamieson and Talwalkar, *Non-stochastic Best Arm Identification and Hyperparameter Optimization*, AISTATS 2016, halve a cohort that is known from the start and waits for its slowest member. Here each trial has a cohort of its own, the last before its window: where the search improves, so does what it asks of a trial.

use serde::{Deserialize, Serialize};

use super::ladder::{Ladder, is_promoted};
use super::{Curve, Past, Pruner};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Halving {
    /// Folds or steps to the first rung; where it is none, a fifth of the folds, or the lower end of the fidelity, or one step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_resource: Option<u64>,
    /// One in so many goes on; at least 2.
    pub reduction_factor: u64,
    /// How many trials a cohort has; at least `reduction_factor`.
    pub cohort: usize,
}

impl Default for Halving {
    /// One in three, scikit-learn's `factor`, of 27.
    fn default() -> Self {
        Halving { min_resource: None, reduction_factor: 3, cohort: 27 }
    }
}

impl Halving {
    pub(super) fn ladder(&self, budget: &super::Budget) -> Ladder {
        Ladder::new(self.min_resource, self.reduction_factor, budget)
    }
}

impl Pruner for Halving {
    fn name(&self) -> &str {
        "halving"
    }

    fn depends_on_history(&self) -> bool {
        true
    }

    fn should_prune(&self, past: &Past, trial: &Curve) -> bool {
        let ladder = self.ladder(&past.budget);
        let Some(rung) = ladder.reached(0, trial) else { return false };
        let Some(value) = trial.from(rung) else { return false };
        let n_rivals = self.cohort.saturating_sub(1);
        let rivals = past.curves.iter().rev().filter_map(|curve| curve.from(rung)).take(n_rivals).collect();
        !is_promoted(past, value, rivals, ladder.factor())
    }
}
