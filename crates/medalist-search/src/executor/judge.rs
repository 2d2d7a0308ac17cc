//! Whether trials are pruned, from the part of the past that the study allows.

use std::sync::Arc;

use crate::pruner::{Budget, Curve, Past, Pruner};
use crate::study::StudySpec;
use crate::trial::{Direction, Trial};

pub struct Judge {
    pruner: Box<dyn Pruner>,
    direction: Direction,
    budget: Budget,
}

impl Judge {
    pub fn new(study: &StudySpec) -> Judge {
        Judge { pruner: study.pruner.build(), direction: study.direction, budget: Budget::folds(study.n_folds) }
    }

    pub fn depends_on_history(&self) -> bool {
        self.pruner.depends_on_history()
    }

    /// What decisions on later trials read of a finished one.
    pub fn curve(&self, trial: &Trial) -> Arc<Curve> {
        Arc::new(Curve::of_folds(trial))
    }

    /// Whether a trial stops after the folds it has.
    pub fn prunes(&self, past: &[Arc<Curve>], trial: &Trial) -> bool {
        self.decides(past, &Curve::of_folds(trial))
    }

    fn decides(&self, past: &[Arc<Curve>], curve: &Curve) -> bool {
        let past = Past { curves: past, direction: self.direction, budget: self.budget };
        self.pruner.should_prune(&past, curve)
    }
}
