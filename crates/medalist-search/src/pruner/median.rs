//! Prunes a trial that is worse than the median of the earlier trials after the same folds, or at the same step.
//!
//! The median stopping rule of Golovin et al., *Google Vizier*, KDD 2017. As in Optuna, what a trial shows on steps is its best value so far; unlike there, pruned trials count too, since a median of survivors alone would rise without end.

use serde::{Deserialize, Serialize};

use super::{Curve, Past, Pruner};

/// Prunes nothing until `n_startup_trials` earlier trials have a value to compare with.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Median {
    pub n_startup_trials: usize,
    /// On steps: none before this one is decided on.
    #[serde(skip_serializing_if = "is_zero")]
    pub n_warmup_steps: u64,
}

impl Default for Median {
    /// Five trials and no warm-up, as in Optuna.
    fn default() -> Self {
        Median { n_startup_trials: 5, n_warmup_steps: 0 }
    }
}

impl Pruner for Median {
    fn name(&self) -> &str {
        "median"
    }

    fn depends_on_history(&self) -> bool {
        true
    }

    fn should_prune(&self, past: &Past, trial: &Curve) -> bool {
        let Some((score, earlier)) = compared(past, trial, self.n_startup_trials, self.n_warmup_steps) else {
            return false;
        };
        let middle = earlier.len() / 2;
        let median = match earlier.len() % 2 {
            0 => (earlier[middle - 1] + earlier[middle]) / 2.0,
            _ => earlier[middle],
        };
        past.direction.better(median, score)
    }
}

/// What a trial shows, and the values of earlier trials at the same point, best first and at least one; none when it is too early to compare.
pub fn compared(past: &Past, trial: &Curve, n_startup_trials: usize, n_warmup_steps: u64) -> Option<(f64, Vec<f64>)> {
    let score = past.shown(trial)?;
    if !past.budget.resource.is_folds() && trial.spent() < n_warmup_steps {
        return None;
    }
    let mut earlier: Vec<f64> = past.curves.iter().filter_map(|curve| curve.at(trial.spent())).collect();
    if earlier.is_empty() || earlier.len() < n_startup_trials {
        return None;
    }
    past.sort(&mut earlier);
    Some((score, earlier))
}

pub fn is_zero(n: &u64) -> bool {
    *n == 0
}
