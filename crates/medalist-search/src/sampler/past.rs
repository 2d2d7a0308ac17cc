//! The past as a surrogate model wants it: one row and one value to be minimised for each finished trial.

use super::History;
use super::encoding::Encoding;
use crate::trial::{Direction, StepValue, Trial, TrialState};

pub(crate) struct Past {
    pub rows: Vec<Vec<f64>>,
    /// Low is good.
    pub values: Vec<f64>,
    /// The place of each in the history.
    pub trials: Vec<usize>,
}

impl Past {
    /// Complete trials have their score; pruned ones the mean of the folds they have, or else the last value of their steps, moved by how much the complete trials' score differs from theirs on the same folds or at that step; failed ones are as bad as the worst.
    pub fn new(encoding: &Encoding, history: &History) -> Past {
        let sign = if history.direction == Direction::Minimize { 1.0 } else { -1.0 };
        let known: Vec<Option<f64>> =
            history.trials.iter().map(|trial| value(trial, history).map(|value| sign * value)).collect();
        let worst = known.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut past = Past { rows: Vec::new(), values: Vec::new(), trials: Vec::new() };
        for (place, (trial, value)) in history.trials.iter().zip(known).enumerate() {
            let value = value.unwrap_or(worst);
            if value.is_finite() {
                past.rows.push(encoding.row(&trial.params));
                past.values.push(value);
                past.trials.push(place);
            }
        }
        past
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }
}

fn value(trial: &Trial, history: &History) -> Option<f64> {
    match trial.state {
        TrialState::Complete => trial.score.filter(|score| score.is_finite()),
        TrialState::Pruned => {
            let n_folds = trial.folds.len();
            if n_folds == 0 {
                return value_of_steps(trial, history);
            }
            let seen = trial.mean_over(n_folds)?;
            let moved = history.trials.iter().filter(|other| other.state == TrialState::Complete);
            let moved = moved.filter_map(|other| Some(other.score? - other.mean_over(n_folds)?));
            let (sum, n) = moved.fold((0.0, 0.0), |(sum, n), moved| (sum + moved, n + 1.0));
            Some(if n > 0.0 { seen + sum / n } else { seen }).filter(|value| value.is_finite())
        }
        TrialState::Failed { .. } | TrialState::Waiting | TrialState::Running => None,
    }
}

fn value_of_steps(trial: &Trial, history: &History) -> Option<f64> {
    let StepValue { fold, step, value: seen } = *trial.steps.last()?;
    let complete = history.trials.iter().filter(|other| other.state == TrialState::Complete);
    let moved = complete.filter_map(|other| Some(other.score? - other.value_at(fold, step)?));
    let (sum, n) = moved.fold((0.0, 0.0), |(sum, n), moved| (sum + moved, n + 1.0));
    Some(if n > 0.0 { seen + sum / n } else { seen }).filter(|value| value.is_finite())
}
