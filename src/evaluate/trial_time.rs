//! A limit on the time of a trial: the sum over its folds, by the clock.
//!
//! The one thing beside the deadline that a clock decides: a study with it repeats only where no trial comes near the limit.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use medalist_search::Cancel;

use super::Evaluation;
use crate::error::{Error, Kind, Result};

pub struct TrialTime {
    limit: Duration,
    /// By the number of the trial, or of the first of those that share a fit.
    spent: Mutex<BTreeMap<u64, Duration>>,
}

impl TrialTime {
    pub fn new(limit: Duration) -> TrialTime {
        TrialTime { limit, spent: Mutex::default() }
    }

    /// Adds to what a trial has spent; returns the sum.
    fn spend(&self, number: u64, time: Duration) -> Duration {
        let mut spent = self.spent.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let sum = spent.entry(number).or_default();
        *sum += time;
        *sum
    }
}

impl Evaluation<'_> {
    /// A fold's work, with what cuts it off: the study's deadline, and the end of its trial's time. What the latter cuts off fails, and what runs over it too.
    pub(super) fn timed<T>(&self, number: u64, work: impl FnOnce(&Cancel) -> Result<T>) -> Result<T> {
        let Some(time) = &self.trial_time else { return work(&self.deadline) };
        let begun = Instant::now();
        let left = time.limit.saturating_sub(time.spend(number, Duration::ZERO));
        let cancel = self.deadline.with_deadline(begun + left);
        let done = work(&cancel);
        let is_over = time.spend(number, begun.elapsed()) > time.limit;
        let is_cut_off = cancel.is_cancelled() && !self.deadline.is_cancelled();
        match done {
            Err(error) if error.kind == Kind::Interrupted && is_cut_off => Err(too_long(time.limit)),
            Ok(_) if is_over => Err(too_long(time.limit)),
            done => done,
        }
    }
}

fn too_long(limit: Duration) -> Error {
    Error::model(format!("took longer than the {} s that `--trial-time` gives a trial", limit.as_secs_f64()))
}

/// Of a model that cannot be interrupted.
pub fn would_be_too_long(model: &str, seconds: f64) -> Error {
    Error::model(format!(
        "`{model}` cannot be interrupted, and its fit would take about {seconds:.0} s: longer than `--trial-time` leaves"
    ))
}
