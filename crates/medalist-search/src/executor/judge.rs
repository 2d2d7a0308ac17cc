//! Whether trials are pruned, from the part of the past that the study allows.

use std::sync::Arc;

use crate::pruner::{Budget, Curve, Past, Pruner, Resource};
use crate::study::StudySpec;
use crate::trial::{Direction, Trial};

pub struct Judge {
    pruner: Box<dyn Pruner>,
    direction: Direction,
    budget: Budget,
}

impl Judge {
    pub fn new(study: &StudySpec) -> Judge {
        Judge { pruner: study.pruner.build(), direction: study.direction, budget: study.budget() }
    }

    pub fn depends_on_history(&self) -> bool {
        self.pruner.depends_on_history()
    }

    /// What decisions on later trials read of a finished one.
    ///
    /// Of a further look nothing: it has folds of its own.
    pub fn curve(&self, trial: &Trial) -> Arc<Curve> {
        Arc::new(match self.budget.resource {
            _ if trial.look() > 0 => Curve { number: trial.number, ..Curve::default() },
            Resource::Folds => Curve::of_folds(trial),
            Resource::Steps => Curve::of_steps(trial),
        })
    }

    /// Whether a trial stops after the folds it has.
    pub fn prunes(&self, past: &[Arc<Curve>], trial: &Trial) -> bool {
        self.budget.resource == Resource::Folds && trial.look() == 0 && self.decides(past, &Curve::of_folds(trial))
    }

    /// Whether trial `number` stops inside of a fold, at the last of these steps. Trials are compared by their first folds alone: what a trial comes to in a later one says how far it came before, not how good it is.
    pub fn stops(&self, past: &[Arc<Curve>], number: u64, look: u32, fold: usize, steps: &[(u64, f64)]) -> bool {
        // A further look has no earlier one on its folds to compare with.
        if look > 0 {
            return false;
        }
        if self.budget.resource == Resource::Folds || (fold > 0 && self.depends_on_history()) {
            return false;
        }
        self.decides(past, &Curve { number, points: steps.to_vec(), ..Curve::default() })
    }

    fn decides(&self, past: &[Arc<Curve>], curve: &Curve) -> bool {
        let past = Past { curves: past, direction: self.direction, budget: self.budget };
        self.pruner.should_prune(&past, curve)
    }
}
