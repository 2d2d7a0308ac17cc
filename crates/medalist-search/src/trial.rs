//! One evaluation of a point: its fold scores, its state, and which of two scores is better.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::space::{Params, Value};

/// How far a trial has come.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum TrialState {
    Waiting,
    Running,
    Complete,
    Pruned,
    Failed { reason: String },
}

impl TrialState {
    /// Complete, pruned and failed trials are results; the others run again on resume.
    pub fn is_finished(&self) -> bool {
        matches!(self, TrialState::Complete | TrialState::Pruned | TrialState::Failed { .. })
    }

    /// The state's name in files and on the screen.
    pub fn name(&self) -> &'static str {
        match self {
            TrialState::Waiting => "waiting",
            TrialState::Running => "running",
            TrialState::Complete => "complete",
            TrialState::Pruned => "pruned",
            TrialState::Failed { .. } => "failed",
        }
    }
}

/// Where a trial's point came from.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Asked for by the user.
    Enqueued,
    /// The portfolio: points known to be good first guesses.
    Default,
    Sampler,
    /// A Sobol' point among the sampler's, which depends on no result: see [`crate::StudySpec::interleave`].
    Interleaved,
}

/// The score of one fold. A trial's own folds have objective 0; stores keep the values of the others under their place from 1.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct FoldScore {
    pub objective: u32,
    /// How often the point was evaluated before.
    pub repeat: u32,
    pub fold: u32,
    pub score: f64,
    /// Wall-clock time, measured and never read by a decision.
    pub seconds: f64,
}

/// A value that was reported inside of a fold.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct StepValue {
    pub fold: u32,
    /// Whatever the objective counts: epochs, trees, lines. Rises within a fold.
    pub step: u64,
    pub value: f64,
}

/// All stages of a staged parameter, scored on all folds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Stages {
    pub parameter: String,
    pub values: Vec<Value>,
    /// (n_values, n_folds).
    pub scores: Vec<Vec<f64>>,
}

/// One evaluation of a point.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Trial {
    pub number: u64,
    pub params: Params,
    pub origin: Origin,
    pub state: TrialState,
    /// By fold. Of a failed trial, those below the fold that failed.
    pub folds: Vec<FoldScore>,
    /// The mean over the folds, summed in their order, or what [`crate::Objective::score`] makes of them; of complete trials only.
    pub score: Option<f64>,
    /// (n_objectives - 1, n_folds): the values of the objectives beyond the score, by fold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<Vec<f64>>,
    pub stages: Option<Stages>,
    /// By fold and step. Of failed trials and of those pruned inside of a fold, up to where that fold ended.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepValue>,
    /// The sum over its folds, whatever ran beside them.
    pub seconds: f64,
    /// RFC 3339, UTC.
    pub created: String,
    /// In an asynchronous study, the results that were read: first by its proposal, then by each decision on it. Empty where there is a window.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<Seen>,
}

/// Which results of an asynchronous study were in when something was decided: those of the trials numbered below `end`, but for the ones listed.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Seen {
    pub end: u64,
    /// Ascending; as many as were under way.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<u64>,
}

impl Trial {
    /// The point that was asked for: the stage that came out best is a result.
    pub fn asked(&self) -> Params {
        let mut params = self.params.clone();
        if let Some(stages) = &self.stages {
            params.remove(&stages.parameter);
        }
        params
    }

    /// How often its point was evaluated before: see [`crate::StudySpec::looks`]. 0 where it has no fold.
    pub fn look(&self) -> u32 {
        self.folds.first().map_or(0, |fold| fold.repeat)
    }

    /// The score, and the mean over the folds of each further objective; none where the trial is not complete.
    pub fn values(&self) -> Option<Vec<f64>> {
        let others = self.others.iter().map(|values| mean(values.iter().copied()));
        Some([self.score?].into_iter().chain(others).collect())
    }

    /// The mean over the first `n_folds` folds, summed in their order; none when a fold of them is missing.
    pub fn mean_over(&self, n_folds: usize) -> Option<f64> {
        let folds = self.folds.get(..n_folds)?;
        let in_order = folds.iter().enumerate().all(|(i, fold)| fold.fold as usize == i);
        (in_order && n_folds > 0).then(|| mean(folds.iter().map(|fold| fold.score)))
    }

    /// What was reported in a fold at exactly this step.
    pub fn value_at(&self, fold: u32, step: u64) -> Option<f64> {
        let place = self.steps.binary_search_by_key(&(fold, step), |step| (step.fold, step.step)).ok()?;
        Some(self.steps[place].value)
    }
}

/// Whether low or high scores are good.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    Minimize,
    Maximize,
}

impl Direction {
    /// Whether `a` is strictly better than `b`. NaN is never better, and any number is better than NaN.
    pub fn better(self, a: f64, b: f64) -> bool {
        self.compare(a, b) == Ordering::Less
    }

    /// Best first; NaN last.
    pub fn compare(self, a: f64, b: f64) -> Ordering {
        match (a.is_nan(), b.is_nan(), self) {
            (true, true, _) => Ordering::Equal,
            (true, false, _) => Ordering::Greater,
            (false, true, _) => Ordering::Less,
            (false, false, Direction::Minimize) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            (false, false, Direction::Maximize) => b.partial_cmp(&a).unwrap_or(Ordering::Equal),
        }
    }
}

/// The complete trial with the best score, the first one on ties.
pub fn best(trials: &[Trial], direction: Direction) -> Option<&Trial> {
    let scored = trials.iter().filter(|trial| trial.state == TrialState::Complete && trial.score.is_some());
    scored.reduce(|best, trial| {
        let (seen, score) = (best.score.unwrap_or(f64::NAN), trial.score.unwrap_or(f64::NAN));
        if direction.better(score, seen) { trial } else { best }
    })
}

/// The unbroken prefix 0, 1, 2, ... of finished trials, from trials sorted by number.
pub fn counted(trials: &[Trial]) -> &[Trial] {
    let is_next = |(i, trial): &(usize, &Trial)| trial.number == *i as u64 && trial.state.is_finished();
    &trials[..trials.iter().enumerate().take_while(is_next).count()]
}

/// The arithmetic mean, summed in order.
pub(crate) fn mean(scores: impl ExactSizeIterator<Item = f64>) -> f64 {
    let n = scores.len();
    scores.fold(0.0, |sum, score| sum + score) / n as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_is_never_better() {
        for direction in [Direction::Minimize, Direction::Maximize] {
            assert!(!direction.better(f64::NAN, 1.0));
            assert!(direction.better(1.0, f64::NAN));
            assert!(!direction.better(1.0, 1.0));
        }
        assert!(Direction::Minimize.better(1.0, 2.0) && Direction::Maximize.better(2.0, 1.0));
    }
}
