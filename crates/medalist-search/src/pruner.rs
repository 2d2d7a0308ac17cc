//! Pruners: whether a trial is worth its remaining folds, decided once from the same bounded past as a proposal.

mod median;

use serde::{Deserialize, Serialize};

pub use median::Median;

use crate::sampler::History;
use crate::trial::Trial;

/// Decides after the first folds of a trial. Implementations must answer the same question with the same answer, always.
pub trait Pruner: Send + Sync {
    fn name(&self) -> &str;

    /// False when `should_prune` ignores `history`: then no decision waits for another trial.
    fn depends_on_history(&self) -> bool;

    /// `trial` holds the folds that are done, the first ones. `history` holds finished trials numbered at most n - window; some are failed, and pruned ones have their first folds only.
    fn should_prune(&self, history: &History, trial: &Trial) -> bool;
}

/// Evaluates all folds of all trials.
#[derive(Clone, Copy, Debug)]
pub struct NoPruner;

impl Pruner for NoPruner {
    fn name(&self) -> &str {
        "none"
    }

    fn depends_on_history(&self) -> bool {
        false
    }

    fn should_prune(&self, _history: &History, _trial: &Trial) -> bool {
        false
    }
}

/// A pruner and its settings, as a study stores them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum PrunerSpec {
    None,
    Median { n_startup_trials: usize },
}

impl PrunerSpec {
    pub fn build(&self) -> Box<dyn Pruner> {
        match self {
            PrunerSpec::None => Box::new(NoPruner),
            PrunerSpec::Median { n_startup_trials } => Box::new(Median { n_startup_trials: *n_startup_trials }),
        }
    }

    /// After how many folds of a trial it is decided whether to go on: two fifths of them, rounded up; none when that leaves nothing to save.
    pub fn decides_after(&self, n_folds: usize) -> Option<usize> {
        let n_first = (2 * n_folds).div_ceil(5);
        (*self != PrunerSpec::None && n_first < n_folds).then_some(n_first)
    }
}
