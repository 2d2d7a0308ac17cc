//! The contract of pruners.

use super::{fault, past_trial};
use crate::error::Result;
use crate::pruner::Pruner;
use crate::sampler::History;
use crate::space::Params;
use crate::trial::{Direction, Trial, TrialState};

/// Whether a pruner answers the same question alike, manages an empty past, and failed and pruned trials in it, and never prunes the best trial seen.
///
/// # Errors
/// What it did, and what was probably forgotten.
pub fn check_pruner(pruner: &dyn Pruner) -> Result<()> {
    let subject = format!("pruner `{}`", pruner.name());
    let past: Vec<Trial> = (0..60).map(|number| past_trial(number, Params::new(), 1.0, 5)).collect();
    let candidate = |offset: f64| {
        let mut trial = past_trial(60, Params::new(), 0.0, 5);
        trial.state = TrialState::Running;
        trial.folds.truncate(2);
        trial.score = None;
        for fold in &mut trial.folds {
            fold.score += offset;
        }
        trial
    };
    for (direction, best) in [(Direction::Maximize, 10.0), (Direction::Minimize, -10.0)] {
        let ask = |n_past: usize, trial: &Trial| {
            let history = History { trials: &past[..n_past], direction };
            pruner.should_prune(&history, trial)
        };
        if ask(0, &candidate(0.0)) {
            return fault(&subject, "prunes a trial when there is no other to compare it with");
        }
        for n_past in 0..=past.len() {
            if ask(n_past, &candidate(best)) {
                return fault(&subject, format!("prunes the best trial seen ({direction:?}): is the direction read?"));
            }
        }
        let answers = |trial: &Trial| -> Vec<bool> { (0..=past.len()).map(|n_past| ask(n_past, trial)).collect() };
        let bad = candidate(-best);
        if answers(&bad) != answers(&bad) {
            return fault(&subject, "answers the same question in two ways: keep no state");
        }
        if !pruner.depends_on_history() && answers(&bad).windows(2).any(|pair| pair[0] != pair[1]) {
            return fault(&subject, "depends on the history: say so in `depends_on_history`");
        }
        let mut without_folds = bad.clone();
        without_folds.folds.clear();
        if ask(past.len(), &without_folds) {
            return fault(&subject, "prunes a trial that has no fold yet");
        }
    }
    Ok(())
}
