//! What is optimised: the engine asks for one fold of one point at a time.

use std::any::Any;

use super::context::FoldContext;
use crate::seed::Seed;
use crate::space::{Params, Value};
use crate::store::Attachment;
use crate::trial::Trial;

/// What a fold leaves behind for [`Objective::attach`]: its out-of-fold predictions, say.
pub type Artifact = Box<dyn Any + Send>;

/// A point to evaluate.
#[derive(Clone, Copy, Debug)]
pub struct TrialPoint<'a> {
    pub number: u64,
    pub params: &'a Params,
    /// How often the point was evaluated before: a further look is at other folds, or other noise. See [`crate::StudySpec::looks`].
    pub look: u32,
    /// Of the study's seed, of the point without its staged parameters and of the look, not of the number: see [`crate::StudySpec::point_seed`].
    pub seed: Seed,
}

/// What evaluating one fold gives.
pub struct FoldOutcome {
    /// One score, or one for each stage.
    pub scores: Vec<f64>,
    /// For each score, one value of each objective beyond it: see [`crate::StudySpec::objectives`]. Empty where there is none.
    pub others: Vec<Vec<f64>>,
    /// The staged parameter and its values, where all stages were scored; the same in every fold.
    pub stages: Option<(String, Vec<Value>)>,
    /// As many as there are scores, or none.
    pub artifacts: Vec<Artifact>,
}

impl FoldOutcome {
    /// A fold of an objective without stages, with nothing to keep.
    pub fn score(score: f64) -> Self {
        FoldOutcome { scores: vec![score], others: Vec::new(), stages: None, artifacts: Vec::new() }
    }
}

/// Why a fold has no score.
#[derive(Clone, PartialEq, Debug)]
pub enum TrialError {
    /// The trial fails with this reason; the study goes on.
    Failed(String),
    /// It was told to stop: the trial runs again on resume.
    Cancelled,
    /// [`FoldContext::report`] said [`crate::Verdict::Prune`]: the trial ends here.
    Pruned,
    /// The study cannot go on.
    Fatal(String),
}

/// Anything that gives a point a score for each of its folds.
pub trait Objective: Sync {
    /// One fold of one or several trials that differ only in a staged parameter. Returns one outcome for each of `trials`, in their order.
    ///
    /// Called from several threads at once. A panic fails the trials alone. The outcome must depend on nothing but the points, their seed and the fold.
    fn evaluate(&self, trials: &[TrialPoint], fold: usize, ctx: &FoldContext) -> Vec<Result<FoldOutcome, TrialError>>;

    /// The score of a complete trial, where it is more than the mean over its folds: what folds can tell of each other only together. None: the mean. `artifacts`: as for [`Objective::attach`].
    ///
    /// Fold scores stay as they are, and with them what prunes: a trial is measured beside others by the same number of folds alike.
    ///
    /// # Errors
    /// The trial fails, or the study ends, with the error.
    fn score(&self, _trial: &Trial, _artifacts: &[Artifact]) -> Result<Option<f64>, TrialError> {
        Ok(None)
    }

    /// Joins the artifacts of a complete trial, in the order of its folds, into what the store keeps. `artifacts` are those of the stage that was chosen.
    ///
    /// # Errors
    /// The trial fails, or the study ends, with the error.
    fn attach(&self, _trial: &Trial, _artifacts: Vec<Artifact>) -> Result<Vec<Attachment>, TrialError> {
        Ok(Vec::new())
    }

    /// Bytes that evaluating one fold of this point may need, from shapes and never from measured use.
    fn memory(&self, _params: &Params) -> u64 {
        0
    }
}
