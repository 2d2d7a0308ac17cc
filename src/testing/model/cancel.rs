//! Whether a fit can be stopped.

use std::thread;
use std::time::{Duration, Instant};

use medalist_search::{Cancel, Params};

use super::data::Data;
use super::{Check, Setting};
use crate::error::Kind;

/// Fits that are shorter cannot be told from noise.
const MEASURABLE: Duration = Duration::from_millis(200);

impl Check<'_> {
    /// A fit stops soon after it is told to, or the model declares that it cannot.
    pub fn cancel(&mut self) {
        let Some(&task) = self.entry.tasks.first() else { return };
        let params = self.entry.space.default_point();
        if !self.entry.interruptible {
            let estimate = self.entry.build(&params).ok().and_then(|model| model.estimate_seconds(1000, 10));
            if !estimate.is_some_and(|seconds| seconds.is_finite() && seconds >= 0.0) {
                self.report(
                    "cancel",
                    "the model cannot be interrupted, so `estimate_seconds` must answer with a number of seconds",
                );
            }
            return;
        }
        let data = Data::new(self.entry.input, task, 90, 30);
        let cancelled = Cancel::new();
        cancelled.cancel();
        let setting = Setting { cancel: cancelled, ..Setting::default() };
        match self.fit(&params, &data, &setting) {
            Err(error) if error.kind == Kind::Interrupted => {}
            _ => {
                self.report("cancel", "a fit that was cancelled before it began does not say so: call `ctx.check_cancelled()?` first and in every long loop, or declare `INTERRUPTIBLE = false`");
                return;
            }
        }
        let large = Data::new(self.entry.input, task, 3000, 30);
        let mut full = Duration::ZERO;
        // Three times, since another program may have had the processor.
        for _ in 0..3 {
            full = self.seconds(&params, &large, None);
            // Too fast to be worth stopping, or to be told from noise.
            if full < MEASURABLE || self.seconds(&params, &large, Some(full / 10)) < full.mul_f64(0.75) {
                return;
            }
        }
        let seconds = full.as_secs_f64();
        let message = format!(
            "a fit of {seconds:.1} s goes on when it is cancelled after a tenth of it: call `ctx.check_cancelled()?` in every long loop, or declare `INTERRUPTIBLE = false`"
        );
        self.report("cancel", message);
    }

    fn seconds(&self, params: &Params, data: &Data, cancel_after: Option<Duration>) -> Duration {
        let cancel = Cancel::new();
        let setting = Setting { cancel: cancel.clone(), hide_scored: false, ..Setting::default() };
        let start = Instant::now();
        thread::scope(|scope| {
            if let Some(after) = cancel_after {
                scope.spawn(move || {
                    thread::sleep(after);
                    cancel.cancel();
                });
            }
            let _ = self.fit(params, data, &setting);
            start.elapsed()
        })
    }
}
