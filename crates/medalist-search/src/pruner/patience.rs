//! Prunes a trial that has stopped to improve and is behind: no better for some steps, or no better than the best trial on some folds in a row.
//!
//! Optuna's `PatientPruner` on its own would also stop the best trial once it is flat, and then nobody knew its score; here only a trial that is worse than the best one before it loses patience.

use serde::{Deserialize, Serialize};

use super::{Curve, Past, Pruner, Resource};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Patience {
    /// So many steps or folds without an improvement; at least 1.
    pub patience: u64,
    /// A smaller improvement is none, in the score's unit.
    pub min_delta: f64,
}

impl Default for Patience {
    /// Three, as in Keras' examples of early stopping; any improvement counts.
    fn default() -> Self {
        Patience { patience: 3, min_delta: 0.0 }
    }
}

impl Patience {
    fn improves(&self, past: &Past, value: f64, on: f64) -> bool {
        past.direction.better(value, on) && (value - on).abs() > self.min_delta
    }

    /// None of the last steps was better than the best one before them.
    fn is_flat(&self, past: &Past, trial: &Curve) -> bool {
        let n_before = trial.points.len().saturating_sub(self.patience as usize);
        let (before, last) = trial.points.split_at(n_before);
        let values = before.iter().map(|(_, value)| *value);
        let best = values.reduce(|best, value| if past.direction.better(value, best) { value } else { best });
        best.is_some_and(|best| last.iter().all(|(_, value)| !self.improves(past, *value, best)))
    }

    /// On none of the last folds was it better than the best trial.
    fn trails(&self, past: &Past, trial: &Curve, best: &Curve) -> bool {
        let n_shared = trial.folds.len().min(best.folds.len());
        let n_before = n_shared.saturating_sub(self.patience as usize);
        let mut pairs = trial.folds[n_before..n_shared].iter().zip(&best.folds[n_before..]);
        n_shared as u64 >= self.patience && pairs.all(|(value, best)| !self.improves(past, *value, *best))
    }
}

impl Pruner for Patience {
    fn name(&self) -> &str {
        "patience"
    }

    fn depends_on_history(&self) -> bool {
        true
    }

    fn should_prune(&self, past: &Past, trial: &Curve) -> bool {
        let (Some(shown), Some(best)) = (past.shown(trial), past.incumbent()) else { return false };
        let Some(best_shown) = (match past.budget.resource {
            Resource::Folds => best.at(trial.spent()),
            Resource::Steps => past.shown(best),
        }) else {
            return false;
        };
        past.direction.better(best_shown, shown)
            && match past.budget.resource {
                Resource::Folds => self.trails(past, trial, best),
                Resource::Steps => self.is_flat(past, trial),
            }
    }
}
