//! What happens in a run, told as it happens. The runner tells; reporters draw, print or write.

use crate::study::{StudyOutcome, StudySpec};
use crate::trial::Trial;

/// One thing that happened. Events of one trial come in order; those of different trials interleave.
#[derive(Clone, Debug)]
pub enum Event<'a> {
    /// `stored` are the finished trials that the store held already; `n_trials` is how many there will be, where that is known.
    StudyStarted {
        study: &'a StudySpec,
        stored: &'a [Trial],
        n_trials: Option<u64>,
    },
    /// The first fold of a trial begins.
    TrialStarted {
        number: u64,
        params: &'a crate::space::Params,
    },
    FoldStarted {
        number: u64,
        fold: usize,
    },
    /// `score` is none when the fold failed, was pruned or was interrupted, and the best stage's where all stages were scored.
    FoldFinished {
        number: u64,
        fold: usize,
        score: Option<f64>,
        seconds: f64,
    },
    /// Only after the store has committed the trial. Not told of those that were stored before the run.
    TrialFinished {
        trial: &'a Trial,
    },
    StudyFinished {
        outcome: &'a StudyOutcome,
    },
}

/// Reads events. Called from several threads at once, and never under a lock of the runner.
pub trait Reporter: Send + Sync {
    fn report(&self, event: &Event);
}

/// Tells nobody.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Reporter for Silent {
    fn report(&self, _event: &Event) {}
}
