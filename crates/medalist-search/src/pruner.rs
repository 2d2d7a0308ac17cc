//! Pruners: whether a trial is worth its remaining folds or steps, decided from the same bounded past as a proposal.
//!
//! On folds it is decided once or twice a trial, at its rungs, since the trial waits there for its past. On steps the past is complete before the trial starts, so that any step may be decided on and no thread waits.

mod curve;
mod spec;
mod median;
mod percentile;
mod ladder;
mod halving;
mod asha;
mod hyperband;
mod threshold;
mod patience;
mod racing;
#[cfg(test)]
mod tests;

pub use asha::Asha;
pub use curve::{Budget, Curve, Past, Resource};
pub use halving::Halving;
pub use hyperband::Hyperband;
pub use median::Median;
pub use patience::Patience;
pub use percentile::Percentile;
pub use racing::{Racing, student_upper_tail};
pub use spec::PrunerSpec;
pub use threshold::Threshold;

/// Decides whether a trial stops here. Implementations must answer the same question with the same answer, always.
pub trait Pruner: Send + Sync {
    fn name(&self) -> &str;

    /// False when `should_prune` ignores the earlier trials: then no decision waits for another trial.
    fn depends_on_history(&self) -> bool;

    /// `trial` has come to its last point just now. `past` holds the finished trials numbered at most n - window: failed ones have no points, pruned ones their first points only.
    fn should_prune(&self, past: &Past, trial: &Curve) -> bool;
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

    fn should_prune(&self, _past: &Past, _trial: &Curve) -> bool {
        false
    }
}
