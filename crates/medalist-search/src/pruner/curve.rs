//! What trials have shown by how much was spent on them: after so many folds the mean over them, or at each step of their first fold its value.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::trial::{Direction, Trial, TrialState};

/// What a study's pruner counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Resource {
    #[default]
    Folds,
    /// What an objective reports inside of a fold: epochs, trees, lines.
    Steps,
}

impl Resource {
    pub(crate) fn is_folds(&self) -> bool {
        *self == Resource::Folds
    }
}

/// How much can be spent on a trial.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    pub resource: Resource,
    /// The least that is worth a decision.
    pub min: u64,
    /// All folds, or the last step; none where nobody said how many steps there are.
    pub max: Option<u64>,
}

impl Budget {
    /// A fifth of the folds is the least that is worth a decision.
    pub fn folds(n_folds: usize) -> Budget {
        let n_folds = n_folds as u64;
        Budget { resource: Resource::Folds, min: (n_folds / 5).max(1), max: Some(n_folds) }
    }

    pub fn steps(min: u64, max: Option<u64>) -> Budget {
        Budget { resource: Resource::Steps, min: min.max(1), max }
    }
}

/// One trial's values by what was spent.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Curve {
    pub number: u64,
    /// The score of a complete trial.
    pub score: Option<f64>,
    /// (spent, value), rising in what was spent; no point of a failed trial.
    pub points: Vec<(u64, f64)>,
    /// The scores of single folds, in order; none on steps.
    pub folds: Vec<f64>,
}

impl Curve {
    /// By folds: point k is the mean over the first k folds, summed in their order.
    pub fn of_folds(trial: &Trial) -> Curve {
        let n_folds = if matches!(trial.state, TrialState::Failed { .. }) { 0 } else { trial.folds.len() };
        let means = (1..=n_folds).map_while(|n| Some((n as u64, trial.mean_over(n)?)));
        let points: Vec<(u64, f64)> = means.collect();
        let folds = trial.folds[..points.len()].iter().map(|fold| fold.score).collect();
        Curve { number: trial.number, score: trial.score, points, folds }
    }

    /// By the steps of the first fold.
    pub fn of_steps(trial: &Trial) -> Curve {
        let has_failed = matches!(trial.state, TrialState::Failed { .. });
        let steps = trial.steps.iter().filter(|step| step.fold == 0 && !has_failed);
        let points = steps.map(|step| (step.step, step.value)).collect();
        Curve { number: trial.number, score: trial.score, points, folds: Vec::new() }
    }

    /// What was spent so far; 0 before the first value.
    pub fn spent(&self) -> u64 {
        self.points.last().map_or(0, |(spent, _)| *spent)
    }

    /// The value after spending exactly so much.
    pub fn at(&self, spent: u64) -> Option<f64> {
        let place = self.points.binary_search_by_key(&spent, |(spent, _)| *spent).ok()?;
        Some(self.points[place].1)
    }

    /// The first value after spending at least so much.
    pub fn from(&self, spent: u64) -> Option<f64> {
        let place = self.points.partition_point(|(other, _)| *other < spent);
        self.points.get(place).map(|(_, value)| *value)
    }
}

/// What a decision about trial n may read.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    /// Of the trials numbered at most n - window, by number.
    pub curves: &'a [Arc<Curve>],
    pub direction: Direction,
    pub budget: Budget,
}

impl Past<'_> {
    /// What a trial has to show: the mean over its folds, or the best value at a step so far.
    pub fn shown(&self, trial: &Curve) -> Option<f64> {
        let mut values = trial.points.iter().map(|(_, value)| *value);
        match self.budget.resource {
            Resource::Folds => values.next_back(),
            Resource::Steps => {
                values.reduce(|best, value| if self.direction.better(value, best) { value } else { best })
            }
        }
    }

    /// The complete trial with the best score, the first one on ties.
    pub fn incumbent(&self) -> Option<&Curve> {
        let scored = self.curves.iter().map(|curve| &**curve).filter(|curve| curve.score.is_some());
        scored.reduce(|best, curve| {
            let (seen, score) = (best.score.unwrap_or(f64::NAN), curve.score.unwrap_or(f64::NAN));
            if self.direction.better(score, seen) { curve } else { best }
        })
    }

    /// Best first.
    pub fn sort(&self, values: &mut [f64]) {
        values.sort_by(|a, b| self.direction.compare(*a, *b));
    }
}
