//! Whether the steps that a fit shows are what it would predict, and whether it can be stopped at one.

use std::sync::{Mutex, PoisonError};

use ndarray::Array2;

use super::data::Data;
use super::{Check, Setting, fault, same};
use crate::error::{Kind, Result};
use crate::model::Steps;

/// Looks at steps, and stops the fit at one.
#[derive(Default)]
struct Shown {
    steps: Mutex<Vec<(u64, Array2<f64>)>>,
    stop_at: Option<usize>,
}

impl Shown {
    fn into_steps(self) -> Vec<(u64, Array2<f64>)> {
        self.steps.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Steps for Shown {
    fn goes_on(&self, step: u64, raw: Array2<f64>) -> Result<bool> {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        steps.push((step, raw));
        Ok(self.stop_at.is_none_or(|stop| steps.len() < stop))
    }
}

impl Check<'_> {
    /// Looking at a fit changes nothing; steps rise, and the last is the prediction, where it stands for the whole fit; a fit that is told to stop does.
    pub fn steps(&mut self, data: &Data) {
        if !self.entry.shows_steps {
            return;
        }
        let params = self.entry.space.default_point();
        let unseen = self.fit_predict(&params, data, &Setting::default());
        let shown = Shown::default();
        let seen = self.fit_predict(&params, data, &Setting { steps: Some(&shown), ..Setting::default() });
        if !same(&unseen, &seen) {
            self.report("steps", "a fit whose steps are looked at gives another prediction");
        }
        let steps = shown.into_steps();
        if steps.len() < 2 {
            let message = format!("the model declares SHOWS_STEPS, and showed {} at its defaults", steps.len());
            self.report("steps", message + ": call `ctx.show(step, || ..)?` as the fit goes on");
            return;
        }
        if !steps.is_sorted_by(|a, b| a.0 < b.0) {
            self.report("steps", "the steps that a fit shows do not rise");
        }
        if let Some(fault) = steps.iter().find_map(|(_, raw)| fault(raw, data, data.scored.n_rows())) {
            self.report("steps", format!("at a step, {fault}"));
        }
        if !steps.last().is_some_and(|(_, raw)| same(&seen, &Ok(raw.clone()))) {
            self.report("steps", "what the last step shows is not what the predictor says for the same rows");
        }
        let stopped = Shown { stop_at: Some(2), ..Shown::default() };
        let ended = self.fit(&params, data, &Setting { steps: Some(&stopped), ..Setting::default() });
        let is_interrupted = matches!(&ended, Err(error) if error.kind == Kind::Interrupted);
        if !is_interrupted || stopped.into_steps().len() != 2 {
            self.report(
                "steps",
                "a fit that is told to stop at a step goes on: pass on the error of `ctx.show` by `?`",
            );
        }
    }
}
