//! An early stop that says why: when the next trials promise too little to be worth their time.

use super::outlook::{Outlook, outlook};
use crate::study::{Flat, StudySpec};
use crate::trial::Trial;

/// When a study counts as flat. A limit of a run, and no part of the plan; the same limit gives the same last trial on any number of threads and after any interruption.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct UntilFlat {
    /// The gain of the next trials that is not worth them, in the score's unit; none for a tenth of the noise of a trial's score, but at least a thousandth of how far the median trial is from the best.
    pub gain: Option<f64>,
    /// How many next trials are meant.
    pub n_more: u64,
    /// So many times in a row the outlook must be below; at least 1.
    pub patience: u64,
}

impl Default for UntilFlat {
    fn default() -> Self {
        UntilFlat { gain: None, n_more: 20, patience: 2 }
    }
}

/// The trials that are always made before the first decision, beside those that depend on no sampler.
const N_FIRST: u64 = 20;
/// The least number of trials between two decisions.
const LEAST_STEP: u64 = 5;
const NOISE_SHARE: f64 = 0.1;
const SPREAD_SHARE: f64 = 1e-3;

impl UntilFlat {
    /// The numbers of trials before which it is decided whether there are any more: further apart the more trials there are, so that decisions never cost more than the search.
    pub(crate) fn decisions(study: &StudySpec) -> impl Iterator<Item = u64> + use<> {
        std::iter::successors(Some(study.n_first() + N_FIRST), |number| Some(number + LEAST_STEP.max(number / 10)))
    }

    /// Whether trials like these, the results that trial `number` may read, leave too little to gain.
    pub(crate) fn is_flat(&self, study: &StudySpec, trials: &[Trial], number: u64) -> Option<Flat> {
        let outlook = outlook(study, trials, self.n_more)?;
        let least_gain = self.gain.unwrap_or_else(|| least_gain(&outlook, trials, study));
        let Outlook { gain, noise, n_more, .. } = outlook;
        (gain <= least_gain).then_some(Flat { n_trials: number, n_more, gain, noise, least_gain })
    }
}

fn least_gain(outlook: &Outlook, trials: &[Trial], study: &StudySpec) -> f64 {
    let mut scores: Vec<f64> = trials.iter().filter_map(|trial| trial.score).collect();
    scores.sort_by(|a, b| study.direction.compare(*a, *b));
    let spread = scores.first().map_or(0.0, |best| (scores[scores.len() / 2] - best).abs());
    (NOISE_SHARE * outlook.noise).max(SPREAD_SHARE * spread)
}
