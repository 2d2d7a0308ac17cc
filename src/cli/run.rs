//! One run of a study, whatever it optimises: its lock, its progress, its end.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use medalist_search::{
    Cancel, Limits, Objective, Reporter, Store, StudyLock, StudyOutcome, StudySpec, Trial, TrialState, UntilFlat,
    choice,
};
use rayon::ThreadPool;

use super::{Session, describe};
use crate::error::{Error, Kind, Result};
use crate::plan;
use crate::reporter::{All, Progress, Verbosity, duration, say};
use crate::results;

/// The beginning of the names of the pool's threads.
pub const WORKER: &str = "medalist-worker";

/// How a run of a study is limited; none of it changes a result.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    pub n_trials: Option<u64>,
    pub time: Option<Duration>,
    pub jobs: Option<usize>,
    /// Bytes.
    pub memory: Option<u64>,
    /// Nanoseconds of the time that are kept for what comes after the trials.
    pub reserve: Option<Arc<AtomicU64>>,
    /// To end early once more trials promise too little.
    pub until_flat: Option<UntilFlat>,
}

impl Bounds {
    /// How many trials there will be, where that is known.
    ///
    /// # Errors
    /// Those of the sampler.
    pub fn n_trials(&self, spec: &StudySpec) -> Result<Option<u64>> {
        Ok(match (self.n_trials, spec.len()?) {
            (Some(asked), Some(points)) => Some(asked.min(points)),
            (asked, points) => asked.or(points),
        })
    }
}

/// A study that this process alone works on.
pub struct Begun<'a> {
    session: &'a Session,
    store: &'a dyn Store,
    spec: &'a StudySpec,
    /// The trials that earlier runs had finished.
    pub before: Vec<Trial>,
    started: Instant,
    _lock: StudyLock,
}

/// What a run came to.
pub struct Ended {
    /// Those that count.
    pub trials: Vec<Trial>,
    pub outcome: StudyOutcome,
    pub interrupted: bool,
}

impl<'a> Begun<'a> {
    /// Takes the study's lock and writes its plan.
    ///
    /// # Errors
    /// When another process works on the study, or it was begun with another plan.
    pub fn new(session: &'a Session, store: &'a dyn Store, locks: &Path, spec: &'a StudySpec) -> Result<Begun<'a>> {
        refuse_changed(store, spec)?;
        let lock = StudyLock::acquire(locks, &spec.name)?;
        store.put_study(spec)?;
        let mut before = store.trials(&spec.name)?;
        before.retain(|trial| trial.state.is_finished());
        describe::search(session, spec, &before);
        if !before.is_empty() {
            session.say(format!("study {} has {} finished trials and goes on", spec.name, before.len()));
        }
        Ok(Begun { session, store, spec, before, started: Instant::now(), _lock: lock })
    }

    /// Runs the study to its end, the end of its time, or until `stop` is set.
    ///
    /// # Errors
    /// When the study cannot go on.
    pub fn run(
        &self,
        objective: &dyn Objective,
        bounds: &Bounds,
        pool: &Arc<ThreadPool>,
        stop: &Cancel,
        reporter: &dyn Reporter,
    ) -> Result<Ended> {
        let spec = self.spec;
        let n_trials = bounds.n_trials(spec)?;
        let progress =
            Progress::new(verbosity(self.session), spec.direction, n_trials, spec.n_folds, bounds.time, &self.before);
        let limits = Limits {
            n_trials: bounds.n_trials,
            memory: bounds.memory,
            until_flat: bounds.until_flat,
            cancel: match bounds.time {
                Some(time) => {
                    let timed = stop.with_deadline(self.started + time);
                    bounds.reserve.clone().map_or(timed.clone(), |reserve| timed.with_reserve(reserve))
                }
                None => stop.clone(),
            },
            ..Limits::new(pool.clone())
        };
        let outcome = medalist_search::run(spec, self.store, objective, &limits, &All(vec![&progress, reporter]));
        progress.clear();
        let outcome = outcome?;
        let interrupted = stop.is_cancelled();
        let trials = results::counted(self.store, &spec.name)?;
        // Not the outcome's own, which knows only the trials that this run has come to.
        let outcome = StudyOutcome { best: choice(spec, &trials), ..outcome };
        self.session.say(summary(spec, &outcome, self.started.elapsed(), interrupted));
        if let Some(flat) = &outcome.flat {
            self.session.say(format!("stopped early: {flat}"));
        }
        Ok(Ended { trials, outcome, interrupted })
    }
}

impl Ended {
    /// The study's choice.
    pub fn best(&self) -> Option<&Trial> {
        self.trials.iter().find(|trial| Some(trial.number) == self.outcome.best)
    }

    /// The error that the program ends with, where it does; `again` says how to go on.
    ///
    /// # Errors
    /// When the run was interrupted, or no trial succeeded.
    pub fn verdict(&self, spec: &StudySpec, again: &str) -> Result<()> {
        if self.interrupted {
            let message = format!("interrupted after {} trials", self.outcome.n_counted);
            return Err(Error::new(Kind::Interrupted, message).help(again));
        }
        match self.outcome.best {
            None if self.outcome.n_counted > 0 => Err(no_trial(spec, &self.trials)),
            _ => Ok(()),
        }
    }
}

/// What a run came to; its first number is what `--trials` repeats.
fn summary(spec: &StudySpec, outcome: &StudyOutcome, time: Duration, interrupted: bool) -> String {
    let mut text = format!("study {}: {} trials count", spec.name, outcome.n_counted);
    for (count, word) in [(outcome.n_pruned, "pruned"), (outcome.n_failed, "failed")] {
        if count > 0 {
            text += &format!(", {count} {word}");
        }
    }
    text += &format!(", {}", duration(time));
    if spec.asynchronous {
        text += "; another run may find others";
    } else if plan::trial_time(spec).is_some() {
        text += "; trials end by the clock, so that another run may find others";
    } else if !interrupted && outcome.n_counted > 0 {
        text += &format!("; `--trials {}` gives the same leaderboard", outcome.n_counted);
    }
    text
}

fn no_trial(spec: &StudySpec, trials: &[Trial]) -> Error {
    let reason = trials.iter().find_map(|trial| match &trial.state {
        TrialState::Failed { reason } => Some(format!("trial {} failed with: {reason}", trial.number)),
        _ => None,
    });
    let help = reason.unwrap_or_else(|| format!("`medalist trials {}` lists them", spec.name));
    Error::new(Kind::NoTrial, "no trial succeeded").help(help)
}

/// # Errors
/// When a study of this name exists with another plan, naming what differs.
fn refuse_changed(store: &dyn Store, spec: &StudySpec) -> Result<()> {
    let studies = store.studies()?;
    let Some(stored) = studies.iter().find(|stored| stored.name == spec.name) else { return Ok(()) };
    let differences = stored.difference(spec);
    if differences.is_empty() {
        return Ok(());
    }
    let message = format!("study `{}` was begun with something else: {}", spec.name, differences.join("; "));
    Err(Error::config(message).help("put back what changed, or start anew under another name (`--study NAME`)"))
}

/// A token that the first Ctrl-C (or SIGTERM) sets, saying `running` finish; the second calls `leave` and leaves at once. Nothing acknowledged is lost: the store holds it.
///
/// # Errors
/// When the system refuses the handler.
pub fn stop_on_signals(running: &'static str, leave: impl Fn() + Send + 'static) -> Result<Cancel> {
    let stop = Cancel::new();
    let (token, pressed) = (stop.clone(), AtomicBool::new(false));
    let handler = move || {
        if pressed.swap(true, Ordering::SeqCst) {
            leave();
            std::process::exit(i32::from(Kind::Interrupted.exit_code()));
        }
        token.cancel();
        say(&format!("stopping: {running} finish, Ctrl-C again leaves at once"));
    };
    ctrlc::set_handler(handler).map_err(|error| Error::unexpected(format!("no signal handler: {error}")))?;
    Ok(stop)
}

/// The one pool of the program.
///
/// # Errors
/// When the system gives no threads.
pub fn thread_pool(jobs: Option<usize>) -> Result<Arc<ThreadPool>> {
    if jobs == Some(0) {
        return Err(Error::usage("no work is done on 0 threads").help("leave `jobs` out for all processors"));
    }
    let builder =
        rayon::ThreadPoolBuilder::new().num_threads(jobs.unwrap_or(0)).thread_name(|n| format!("{WORKER}-{n}"));
    Ok(Arc::new(builder.build().map_err(|error| Error::unexpected(error.to_string()))?))
}

fn verbosity(session: &Session) -> Verbosity {
    match (session.global.quiet, session.global.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    }
}
