//! A warm start: what an earlier study has found, in the words of a new one.

use super::StudySpec;
use crate::space::{Params, SearchSpace};
use crate::trial::{Trial, TrialState};

impl StudySpec {
    /// Takes the finished trials of an `earlier` study as the prior of this one, those whose points lie in this space; returns how many do.
    ///
    /// Values are converted to the types of this space. A parameter that only one of the two spaces has must be at its default: the trial is left out where it is not. Scores are turned where the studies differ in direction; their scale is left to the sampler. What was measured or is about the earlier study alone (times, stages, numbers) is not taken, so that the same results are the same prior.
    pub fn set_prior(&mut self, earlier: &StudySpec, trials: &[Trial]) -> usize {
        let sign = if earlier.direction == self.direction { 1.0 } else { -1.0 };
        let finished = trials.iter().filter(|trial| trial.state.is_finished());
        let points = finished.filter_map(|trial| Some((trial, converted(&earlier.space, &self.space, trial)?)));
        let convert = |(number, (trial, params)): (u64, (&Trial, Params))| {
            let mut prior =
                Trial { number, params, stages: None, seconds: 0.0, created: String::new(), ..trial.clone() };
            prior.score = prior.score.map(|score| sign * score);
            for fold in &mut prior.folds {
                fold.score *= sign;
                fold.seconds = 0.0;
            }
            prior.others.clear();
            prior.steps.iter_mut().for_each(|step| step.value *= sign);
            if let TrialState::Failed { reason } = &mut prior.state {
                reason.clear();
            }
            prior
        };
        self.prior = (0..).zip(points).map(convert).collect();
        self.prior.len()
    }
}

/// The point of a trial in another space; none where it does not lie there.
fn converted(from: &SearchSpace, to: &SearchSpace, trial: &Trial) -> Option<Params> {
    let mut params = trial.params.clone();
    if let Some(stages) = &trial.stages {
        params.remove(&stages.parameter);
    }
    let gone: Vec<String> =
        params.iter().map(|(name, _)| name.to_string()).filter(|name| to.get(name).is_none()).collect();
    for name in gone {
        let value = params.remove(&name)?;
        if from.get(&name)?.default != value {
            return None;
        }
    }
    let params = to.complete(&params).ok()?;
    // What was added must be new: a parameter that was known and absent had no effect in that trial, and would have one here.
    let is_new = |name: &str| trial.params.get(name).is_some() || from.get(name).is_none();
    let is_sound = params.iter().all(|(name, _)| is_new(name));
    is_sound.then_some(params)
}
