//! Asynchronous Hyperband: brackets of asynchronous successive halving that begin at higher and higher rungs, the last one pruning nothing.
//!
//! Li et al., *Hyperband*, JMLR 18, 2018, and *A System for Massively Parallel Hyperparameter Tuning*, MLSys 2020. Which bracket a trial is in follows from its number alone, so that brackets fill up evenly and any process knows them all.

use serde::{Deserialize, Serialize};

use super::ladder::{Ladder, is_promoted};
use super::{Curve, Past, Pruner};

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Hyperband {
    /// Folds or steps to the first bracket's first rung; where it is none, a fifth of the folds, or the lower end of the fidelity, or one step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_resource: Option<u64>,
    /// The whole budget; where it is none, all folds, or the upper end of the fidelity, or the last step of the first complete trial.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_resource: Option<u64>,
    /// One in so many goes on; at least 2.
    pub reduction_factor: u64,
}

impl Default for Hyperband {
    /// One in three, as in Optuna and in the paper.
    fn default() -> Self {
        Hyperband { min_resource: None, max_resource: None, reduction_factor: 3 }
    }
}

impl Hyperband {
    pub(super) fn ladder(&self, budget: &super::Budget) -> Ladder {
        let budget = super::Budget { max: self.max_resource.or(budget.max), ..*budget };
        Ladder::new(self.min_resource, self.reduction_factor, &budget)
    }

    /// As many brackets as there are rungs, and the one that prunes nothing.
    fn brackets(&self, ladder: &Ladder) -> Brackets {
        Brackets::new(ladder.rungs().count() + 1, self.reduction_factor)
    }
}

impl Pruner for Hyperband {
    fn name(&self) -> &str {
        "hyperband"
    }

    fn depends_on_history(&self) -> bool {
        true
    }

    fn should_prune(&self, past: &Past, trial: &Curve) -> bool {
        let seen = || past.curves.iter().find(|curve| curve.score.is_some()).map(|curve| curve.spent());
        let Some(max) = self.max_resource.or(past.budget.max).or_else(seen) else { return false };
        let ladder = self.ladder(&super::Budget { max: Some(max), ..past.budget });
        let brackets = self.brackets(&ladder);
        let bracket = brackets.of(trial.number);
        let Some(rung) = ladder.reached(bracket, trial) else { return false };
        let Some(value) = trial.from(rung) else { return false };
        let same = past.curves.iter().filter(|curve| brackets.of(curve.number) == bracket);
        !is_promoted(past, value, same.filter_map(|curve| curve.from(rung)).collect(), ladder.factor())
    }
}

/// The brackets of one round of trials, in the order of their numbers; round follows round.
struct Brackets(Vec<usize>);

impl Brackets {
    /// Bracket b of `n` has ceil(n factor^s / (s + 1)) trials of a round, s = n - 1 - b: Algorithm 1 of the paper.
    fn new(n: usize, factor: u64) -> Brackets {
        let size = |bracket: usize| {
            let s = n - 1 - bracket;
            let exact = n as f64 * (factor as f64).powi(s as i32) / (s + 1) as f64;
            (exact.ceil() as usize).min(MOST_IN_ROUND)
        };
        let sizes: Vec<usize> = (0..n).map(size).collect();
        let total: usize = sizes.iter().sum();
        // Each trial goes to the bracket that is furthest behind its share, the first one on ties.
        let mut filled = vec![0; n];
        let mut round = Vec::with_capacity(total);
        for place in 1..=total {
            let behind = |bracket: &usize| (sizes[*bracket] * place) as i128 - (filled[*bracket] * total) as i128;
            let next = (0..n).rev().max_by_key(behind).unwrap_or(0);
            filled[next] += 1;
            round.push(next);
        }
        Brackets(round)
    }

    fn of(&self, number: u64) -> usize {
        self.0[(number % self.0.len() as u64) as usize]
    }
}

/// Bounds what a round of absurdly many steps would take.
const MOST_IN_ROUND: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_have_the_papers_sizes_and_interleave() {
        // Table 1 of the paper, R = 81, eta = 3: 81, 34, 15, 8, 5 configurations.
        let brackets = Brackets::new(5, 3);
        let count = |bracket: usize| brackets.0.iter().filter(|other| **other == bracket).count();
        assert_eq!((0..5).map(count).collect::<Vec<_>>(), [81, 34, 15, 8, 5]);
        // Whatever part of a round is run, each bracket has its share to within one or two.
        for n in 1..brackets.0.len() {
            let part = &brackets.0[..n];
            for (bracket, size) in [81, 34, 15, 8, 5].into_iter().enumerate() {
                let found = part.iter().filter(|other| **other == bracket).count() as f64;
                let share = (size * n) as f64 / 143.0;
                assert!((found - share).abs() < 2.0, "{n}, bracket {bracket}: {found} for {share}");
            }
        }
        assert_eq!(brackets.of(0), brackets.of(143));
    }
}
