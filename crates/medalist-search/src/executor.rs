//! Runs a study: folds as units of work on a rayon pool, lowest trial first, with the same result on any number of threads.
//!
//! Which thread does what, and when, is left to chance; what trial n is, whether it is pruned, and what it scores is not. No task ever waits: one that finds nothing to do ends, and whoever makes work ready starts as many tasks as there are free threads. The calling thread writes.

mod context;
mod objective;
mod group;
mod judge;
mod view;
mod flatness;
mod planner;
mod state;
mod writer;
mod simulation;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Instant;

use rayon::{Scope, ThreadPool};

pub use context::{FoldContext, Verdict};
pub use objective::{Artifact, FoldOutcome, Objective, TrialError, TrialPoint};
pub use simulation::{Simulation, simulate};

use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::event::{Event, Reporter};
use crate::insight::UntilFlat;
use crate::sampler::Sampler;
use crate::space::Params;
use crate::store::{Attachment, Store};
use crate::study::{StudyOutcome, StudySpec};
use crate::trial::{Direction, Trial, TrialState};
use context::Reports;
use group::{Ending, Group, Member, Steps};
use judge::Judge;
use planner::Planner;
use state::{State, Step, Unit};
use writer::Message;

/// What bounds a run; none of it is part of the plan.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Trials numbered below this; none for as many as there are.
    pub n_trials: Option<u64>,
    /// Bytes that the folds running at the same time may need by [`Objective::memory`]; one always runs.
    pub memory: Option<u64>,
    /// Folds run as tasks in this pool, as many at a time as it has threads.
    pub pool: Arc<ThreadPool>,
    pub cancel: Cancel,
    /// No more trials once the next ones promise too little; none to go on in any case.
    pub until_flat: Option<UntilFlat>,
}

impl Limits {
    /// All trials, without limits, in a pool.
    pub fn new(pool: Arc<ThreadPool>) -> Self {
        Limits { n_trials: None, memory: None, pool, cancel: Cancel::new(), until_flat: None }
    }
}

/// Runs `study` until its last trial, its limits, or a request to stop, and goes on where an earlier run stopped.
///
/// The same plan and number of trials give the same trials, bit for bit but for times, on any number of threads and after any interruption. To be called from outside of the pool: the calling thread waits, and writes. Where several processes could run the same study, hold its [`crate::StudyLock`].
///
/// # Errors
/// When the plan is unsound or not the stored one, a stored trial is not the one that this program proposes, the store fails, or the objective says that it cannot go on. Trials reported as finished are in the store even then.
pub fn run(
    study: &StudySpec,
    store: &dyn Store,
    objective: &dyn Objective,
    limits: &Limits,
    reporter: &dyn Reporter,
) -> Result<StudyOutcome> {
    study.validate()?;
    run_with(study, study.build_sampler(), store, objective, limits, reporter)
}

fn run_with(
    study: &StudySpec,
    sampler: Box<dyn Sampler>,
    store: &dyn Store,
    objective: &dyn Objective,
    limits: &Limits,
    reporter: &dyn Reporter,
) -> Result<StudyOutcome> {
    store.put_study(study)?;
    let (stored, begun): (Vec<Trial>, Vec<Trial>) =
        store.trials(&study.name)?.into_iter().partition(|trial| trial.state.is_finished());
    let n_trials = match (study.len()?, limits.n_trials) {
        (Some(all), Some(limit)) => Some(all.min(limit)),
        (all, limit) => all.or(limit),
    };
    reporter.report(&Event::StudyStarted { study, stored: &stored, n_trials });

    let (sender, receiver) = channel();
    // Elsewhere a trial that was only begun is proposed again just the same.
    let begun = begun.into_iter().filter(|_| study.asynchronous);
    let stored = stored.into_iter().chain(begun).collect();
    let planner = Planner::new(study, sampler, objective, limits.n_trials, limits.until_flat, stored);
    let judge = planner.judge.clone();
    let mut state = State::new(&planner, limits.pool.current_num_threads(), limits.memory);
    state.planner = Some(planner);
    let executor =
        Executor { study, judge, objective, reporter, cancel: limits.cancel.child(), state: Mutex::new(state), sender };
    limits.pool.in_place_scope(|scope| {
        let _guard = StopOnPanic(&executor);
        executor.advance(scope);
        executor.write(scope, store, &receiver);
    });

    let mut state = executor.lock();
    if let Some(error) = state.error.take() {
        return Err(error);
    }
    let outcome = state.outcome(limits.cancel.is_cancelled());
    drop(state);
    reporter.report(&Event::StudyFinished { outcome: &outcome });
    Ok(outcome)
}

struct Executor<'a> {
    study: &'a StudySpec,
    judge: Arc<Judge>,
    objective: &'a dyn Objective,
    reporter: &'a dyn Reporter,
    /// Stops with the caller's, and also when this run fails.
    cancel: Cancel,
    state: Mutex<State<'a>>,
    sender: Sender<Message>,
}

impl<'a> Executor<'a> {
    fn lock(&self) -> MutexGuard<'_, State<'a>> {
        // Panics are caught around the objective, and end the run anywhere else.
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Plans what can be planned, and starts a task for each ready unit that has a free thread.
    fn advance<'s>(&'s self, scope: &Scope<'s>) {
        self.plan();
        let mut state = self.lock();
        let n_tasks = if self.cancel.is_cancelled() { 0 } else { state.reserve_tasks() };
        let is_idle = state.is_idle();
        drop(state);
        for _ in 0..n_tasks {
            scope.spawn(|scope| self.work(scope));
        }
        if is_idle {
            self.send(Message::Idle);
        }
    }

    /// One unit. A task ends after it: one that went on could be running inside a fold's own parallel loop, which would then wait for all that is left.
    fn work<'s>(&'s self, scope: &Scope<'s>) {
        let _guard = StopOnPanic(self);
        let cancelled = self.cancel.is_cancelled();
        let unit = self.lock().take_unit(cancelled);
        if let Some(unit) = unit {
            self.evaluate(unit);
        }
        self.lock().n_tasks -= 1;
        self.advance(scope);
    }

    fn evaluate(&self, unit: Unit) {
        let fold = unit.fold;
        for (number, params) in &unit.points {
            if unit.starts {
                self.reporter.report(&Event::TrialStarted { number: *number, params });
            }
            self.reporter.report(&Event::FoldStarted { number: *number, fold });
        }
        let points: Vec<TrialPoint> = unit
            .points
            .iter()
            .map(|(number, params)| TrialPoint { number: *number, params, look: unit.look, seed: unit.seed })
            .collect();
        let begun = Instant::now();
        let stops = |steps: &[(u64, f64)]| self.judge.stops(&unit.past, unit.id, unit.look, fold, steps);
        let ctx = FoldContext::judged(&self.cancel, &stops);
        let outcomes = catch_unwind(AssertUnwindSafe(|| self.objective.evaluate(&points, fold, &ctx)));
        let seconds = begun.elapsed().as_secs_f64() / points.len() as f64;
        let outcomes = match outcomes {
            Ok(outcomes) if outcomes.len() == points.len() => outcomes,
            Ok(outcomes) => {
                let reason = format!("the objective gave {} outcomes for {} trials", outcomes.len(), points.len());
                points.iter().map(|_| Err(TrialError::Failed(reason.clone()))).collect()
            }
            Err(panic) => {
                let reason = panic_message(&*panic);
                points.iter().map(|_| Err(TrialError::Failed(reason.clone()))).collect()
            }
        };
        let Reports { steps, pruned, fault } = ctx.into_reports();
        let outcomes: Vec<Result<FoldOutcome, TrialError>> =
            outcomes.into_iter().map(|outcome| reported(outcome, pruned, fault.as_deref())).collect();
        for (point, outcome) in points.iter().zip(&outcomes) {
            let score = outcome.as_ref().ok().and_then(|outcome| best_score(&outcome.scores, self.study.direction));
            self.reporter.report(&Event::FoldFinished { number: point.number, fold, score, seconds });
        }
        let complete = self.record(&unit, outcomes, &steps, seconds);
        for member in complete {
            self.complete(member);
        }
    }

    /// Takes down what a unit gave; returns the members of its group that are complete with it.
    fn record(
        &self,
        unit: &Unit,
        outcomes: Vec<Result<FoldOutcome, TrialError>>,
        steps: &Steps,
        seconds: f64,
    ) -> Vec<Member> {
        let mut state = self.lock();
        for ((number, _), outcome) in unit.points.iter().zip(outcomes) {
            let outcome = match outcome {
                Ok(outcome) => Ok(outcome),
                Err(TrialError::Failed(reason)) => Err(Ending::Failed(reason)),
                Err(TrialError::Pruned) => Err(Ending::Pruned),
                Err(TrialError::Cancelled) => {
                    state.interrupted = true;
                    state.stopping = true;
                    continue;
                }
                Err(TrialError::Fatal(message)) => {
                    self.fail(&mut state, Error::Fatal { message });
                    continue;
                }
            };
            state.record(unit, *number, outcome, steps.clone(), seconds);
        }
        let (complete, ended) = state.settle(unit, self.study);
        for trial in ended {
            self.finish(&mut state, trial, Vec::new());
        }
        complete
    }

    /// A member with all its folds becomes a trial, unlocked, since joining artifacts may take its time.
    fn complete(&self, member: Member) {
        let (n_folds, direction) = (self.study.n_folds, self.study.direction);
        let mut trial = member.trial(TrialState::Complete, n_folds, direction);
        let artifacts = member.into_artifacts(direction);
        let attached = catch_unwind(AssertUnwindSafe(|| {
            match self.objective.score(&trial, &artifacts)? {
                Some(score) if !score.is_finite() => {
                    return Err(TrialError::Failed(format!("the score of all folds together is {score}")));
                }
                Some(score) => trial.score = Some(score),
                None => {}
            }
            self.objective.attach(&trial, artifacts)
        }));
        let attached = attached.unwrap_or_else(|panic| Err(TrialError::Failed(panic_message(&*panic))));
        let mut state = self.lock();
        match attached {
            Ok(attachments) => self.finish(&mut state, trial, attachments),
            Err(TrialError::Failed(reason)) => self.finish(&mut state, failed(trial, reason), Vec::new()),
            Err(TrialError::Pruned) => {
                let trial = failed(trial, "its artifacts were given up as pruned".to_string());
                self.finish(&mut state, trial, Vec::new());
            }
            Err(TrialError::Cancelled) => {
                state.interrupted = true;
                state.stopping = true;
            }
            Err(TrialError::Fatal(message)) => self.fail(&mut state, Error::Fatal { message }),
        }
    }

    fn plan(&self) {
        let mut state = self.lock();
        // Whoever holds the planner looks again before putting it away.
        let Some(mut planner) = state.planner.take() else { return };
        while !self.cancel.is_cancelled()
            && let Some(step) = state.next_step(&mut planner)
        {
            drop(state);
            match step {
                Step::Decide { id, first, trials } => {
                    let decision = planner.decide(first, &trials);
                    state = self.lock();
                    for trial in state.decide(id, trials, &decision) {
                        self.finish(&mut state, trial, Vec::new());
                    }
                }
                Step::Open => {
                    let opened = planner.open();
                    state = self.lock();
                    match opened {
                        Ok(Some(group)) => {
                            if planner.records_opened() {
                                self.record_opened(&mut state, &group);
                            }
                            state.open(group);
                        }
                        Ok(None) => {}
                        Err(error) => self.fail(&mut state, error),
                    }
                }
            }
        }
        state.absorb(&mut planner);
        state.planner = Some(planner);
    }

    /// Hands a finished trial to the planner and to the writer.
    fn finish(&self, state: &mut State, trial: Trial, attachments: Vec<Attachment>) {
        state.finished(&trial);
        self.send(Message::Trial(Box::new((trial, attachments))));
    }

    /// Has the writer put down trials that were opened: before any result that a later trial could have from knowing them.
    fn record_opened(&self, state: &mut State, group: &Group) {
        for member in &group.members {
            let trial = member.trial(TrialState::Waiting, 0, self.study.direction);
            state.n_unwritten += 1;
            self.send(Message::Trial(Box::new((trial, Vec::new()))));
        }
    }

    fn fail(&self, state: &mut State, error: Error) {
        // The first error is the cause of those that follow.
        state.error.get_or_insert(error);
        state.stopping = true;
        self.cancel.cancel();
    }

    fn send(&self, message: Message) {
        // The receiver is gone only when the writer has panicked, and then nothing is written any more.
        let _ = self.sender.send(message);
    }
}

/// Ends the run when a reporter panics, or this crate has a bug: without it the writer would wait for a task that is no more.
struct StopOnPanic<'e, 'a>(&'e Executor<'a>);

impl Drop for StopOnPanic<'_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let mut state = self.0.lock();
            state.stopping = true;
            state.broken = true;
            drop(state);
            self.0.cancel.cancel();
            self.0.send(Message::Idle);
        }
    }
}

/// A trial whose folds are all there, and that fails for another reason.
fn failed(trial: Trial, reason: String) -> Trial {
    Trial { state: TrialState::Failed { reason }, score: None, ..trial }
}

/// What a fold comes to: whoever was told to stop was pruned there, whatever it did then.
fn reported(
    outcome: Result<FoldOutcome, TrialError>,
    pruned: bool,
    fault: Option<&str>,
) -> Result<FoldOutcome, TrialError> {
    match (outcome, fault) {
        (Err(TrialError::Fatal(message)), _) => Err(TrialError::Fatal(message)),
        (_, Some(fault)) => Err(TrialError::Failed(fault.to_string())),
        _ if pruned => Err(TrialError::Pruned),
        (Err(TrialError::Pruned), _) => Err(TrialError::Failed("stopped as pruned without being told to".to_string())),
        (outcome, None) => outcome,
    }
}

fn best_score(scores: &[f64], direction: Direction) -> Option<f64> {
    scores.iter().copied().reduce(|best, score| if direction.better(score, best) { score } else { best })
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("panicked: {}", text.unwrap_or("without a message"))
}

/// The number and the point of each trial of a unit.
type Points = Vec<(u64, Arc<Params>)>;
