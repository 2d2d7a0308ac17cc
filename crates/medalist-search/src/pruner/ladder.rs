//! The rungs of successive halving: after r, r * factor, r * factor^2, ... of the budget the best one in `factor` trials goes on.
//!
//! Jamieson and Talwalkar, *Non-stochastic Best Arm Identification and Hyperparameter Optimization*, AISTATS 2016.

use super::{Budget, Curve, Past};

/// On folds no trial is decided on more often: at each rung it waits for its past.
const MOST_FOLD_RUNGS: usize = 2;

#[derive(Clone, Copy, Debug)]
pub struct Ladder {
    first: u64,
    factor: u64,
    max: Option<u64>,
    /// The most rungs.
    n_most: usize,
}

impl Ladder {
    /// `first` is the first rung; where it is none, the least that the budget says is worth a decision.
    pub fn new(first: Option<u64>, factor: u64, budget: &Budget) -> Ladder {
        let n_most = if budget.resource.is_folds() { MOST_FOLD_RUNGS } else { usize::MAX };
        Ladder { first: first.unwrap_or(budget.min).max(1), factor: factor.max(2), max: budget.max, n_most }
    }

    /// Ascending, each below the whole budget.
    pub fn rungs(&self) -> impl Iterator<Item = u64> + use<> {
        let Ladder { first, factor, max, n_most } = *self;
        let all = std::iter::successors(Some(first), move |rung| rung.checked_mul(factor));
        all.take_while(move |rung| max.is_none_or(|max| *rung < max)).take(n_most)
    }

    /// The rung that a trial has come to with its last value, from the one numbered `lowest` on; the highest of several.
    pub fn reached(&self, lowest: usize, trial: &Curve) -> Option<u64> {
        let before = trial.points.len().checked_sub(2).map_or(0, |place| trial.points[place].0);
        let reached = self.rungs().skip(lowest).take_while(|rung| *rung <= trial.spent()).last()?;
        (reached > before).then_some(reached)
    }

    pub fn factor(&self) -> usize {
        usize::try_from(self.factor).unwrap_or(usize::MAX)
    }
}

/// Whether a trial on a rung is among the best one in `factor` of those that came to it, itself one of them; of fewer than `factor`, whether it is the best.
pub fn is_promoted(past: &Past, value: f64, mut rivals: Vec<f64>, factor: usize) -> bool {
    rivals.push(value);
    past.sort(&mut rivals);
    let n_promoted = (rivals.len() / factor).max(1);
    !past.direction.better(rivals[n_promoted - 1], value)
}
