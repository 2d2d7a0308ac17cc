//! Prunes a trial whose first folds are worse than the median of earlier trials on the same folds.
//!
//! The median stopping rule of Golovin et al., *Google Vizier*, KDD 2017, on folds instead of steps.

use super::Pruner;
use crate::sampler::History;
use crate::trial::{Trial, TrialState};

/// Prunes nothing until `n_startup_trials` earlier trials have scores on the same folds.
#[derive(Clone, Copy, Debug)]
pub struct Median {
    pub n_startup_trials: usize,
}

impl Default for Median {
    /// Five, as in Optuna.
    fn default() -> Self {
        Median { n_startup_trials: 5 }
    }
}

impl Pruner for Median {
    fn name(&self) -> &str {
        "median"
    }

    fn depends_on_history(&self) -> bool {
        true
    }

    fn should_prune(&self, history: &History, trial: &Trial) -> bool {
        let n_folds = trial.folds.len();
        let Some(score) = trial.mean_over(n_folds) else { return false };
        let counts = |trial: &&Trial| matches!(trial.state, TrialState::Complete | TrialState::Pruned);
        let mut earlier: Vec<f64> =
            history.trials.iter().filter(counts).filter_map(|trial| trial.mean_over(n_folds)).collect();
        if earlier.is_empty() || earlier.len() < self.n_startup_trials {
            return false;
        }
        earlier.sort_by(f64::total_cmp);
        let middle = earlier.len() / 2;
        let median = match earlier.len() % 2 {
            0 => (earlier[middle - 1] + earlier[middle]) / 2.0,
            _ => earlier[middle],
        };
        history.direction.better(median, score)
    }
}
