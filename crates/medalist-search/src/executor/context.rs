//! What an objective may ask while it evaluates a fold: whether to stop, and whether what it has shown so far is worth going on.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::cancel::Cancel;

/// Decides from the steps of a fold whether its trial stops.
type Judgement<'a> = &'a (dyn Fn(&[(u64, f64)]) -> bool + Sync);

/// One fold of one point, or of several that share its fit.
pub struct FoldContext<'a> {
    cancel: &'a Cancel,
    judgement: Option<Judgement<'a>>,
    reports: Mutex<Reports>,
}

/// What was reported in a fold, and what came of it.
#[derive(Clone, PartialEq, Debug, Default)]
pub(crate) struct Reports {
    /// (step, value), rising in the step.
    pub steps: Vec<(u64, f64)>,
    pub pruned: bool,
    /// Why the trial fails for what it reported.
    pub fault: Option<String>,
}

/// What to do after a report.
#[must_use = "a trial that is pruned should stop with `TrialError::Pruned`"]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    Continue,
    /// Return [`crate::TrialError::Pruned`]: nothing that the fold could still give will be used.
    Prune,
}

impl<'a> FoldContext<'a> {
    /// To evaluate outside of a run: nothing is pruned.
    pub fn new(cancel: &'a Cancel) -> Self {
        FoldContext { cancel, judgement: None, reports: Mutex::default() }
    }

    pub(crate) fn judged(cancel: &'a Cancel, judgement: Judgement<'a>) -> Self {
        FoldContext { judgement: Some(judgement), ..FoldContext::new(cancel) }
    }

    pub fn cancel(&self) -> &'a Cancel {
        self.cancel
    }

    /// Whether the fold was asked to stop; then return [`crate::TrialError::Cancelled`].
    pub fn is_cancelled(&self) -> bool {
        self.cancel.is_cancelled()
    }

    /// Shows an intermediate value on the study's scale, stored with the trial, and asks whether to go on. Steps are whatever the objective counts: epochs, trees, lines; they rise.
    ///
    /// ```
    /// use medalist_search::*;
    ///
    /// fn train(x: f64, ctx: &FoldContext) -> Result<FoldOutcome, TrialError> {
    ///     let mut loss = 1.0;
    ///     for epoch in 1..=20 {
    ///         loss *= x;
    ///         if ctx.report(epoch, loss) == Verdict::Prune {
    ///             return Err(TrialError::Pruned);
    ///         }
    ///     }
    ///     Ok(FoldOutcome::score(loss))
    /// }
    /// assert!(train(0.5, &FoldContext::new(&Cancel::new())).is_ok());
    /// ```
    ///
    /// A value that is not finite, or a step that does not rise, fails the trial. Must depend on nothing but the points, their seed and the fold, as the outcome itself.
    pub fn report(&self, step: u64, value: f64) -> Verdict {
        let mut reports = self.lock();
        if reports.pruned || reports.fault.is_some() {
            return Verdict::Prune;
        }
        reports.fault = match reports.steps.last() {
            _ if !value.is_finite() => Some(format!("the value at step {step} is {value}")),
            _ if i64::try_from(step).is_err() => Some(format!("step {step} is beyond {}", i64::MAX)),
            Some((last, _)) if *last >= step => {
                Some(format!("step {step} was reported after step {last}: steps must rise"))
            }
            _ => None,
        };
        if reports.fault.is_some() {
            return Verdict::Prune;
        }
        reports.steps.push((step, value));
        reports.pruned = self.judgement.is_some_and(|stops| stops(&reports.steps));
        if reports.pruned { Verdict::Prune } else { Verdict::Continue }
    }

    pub(crate) fn into_reports(self) -> Reports {
        self.reports.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, Reports> {
        // A pruner that panics leaves the steps as they were with the last one added.
        self.reports.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for FoldContext<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FoldContext")
            .field("cancel", self.cancel)
            .field("reports", &*self.lock())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_step_stops_the_trial_with_a_reason() {
        let cancel = Cancel::new();
        for (step, value, part) in [
            (3, 1.0, "step 3 was reported after step 3"),
            (2, 1.0, "step 2 was reported after step 3"),
            (4, f64::NAN, "the value at step 4 is NaN"),
            (u64::MAX, 1.0, "is beyond"),
        ] {
            let ctx = FoldContext::new(&cancel);
            assert_eq!(ctx.report(0, 1.0), Verdict::Continue);
            assert_eq!(ctx.report(3, 1.0), Verdict::Continue);
            assert_eq!(ctx.report(step, value), Verdict::Prune);
            assert_eq!(ctx.report(5, 1.0), Verdict::Prune, "nothing is taken after a fault");
            let reports = ctx.into_reports();
            assert!(reports.fault.unwrap().contains(part) && reports.steps.len() == 2 && !reports.pruned);
        }
    }

    #[test]
    fn a_pruned_fold_keeps_the_steps_up_to_its_end() {
        let cancel = Cancel::new();
        let stops = |steps: &[(u64, f64)]| steps.len() == 2;
        let ctx = FoldContext::judged(&cancel, &stops);
        assert_eq!(ctx.report(1, 0.1), Verdict::Continue);
        assert_eq!(ctx.report(2, 0.2), Verdict::Prune);
        assert_eq!(ctx.report(3, 0.3), Verdict::Prune);
        assert_eq!(ctx.into_reports().steps, [(1, 0.1), (2, 0.2)]);
    }
}
