//! A run in virtual time: the executor's own planner and queue, with workers that only pretend to take their time.
//!
//! So what a window costs on any number of workers can be asked in milliseconds, and what it costs in quality with the real sampler.

use super::context::{FoldContext, Reports};
use super::group::{Ending, Member};
use super::objective::{Objective, TrialError, TrialPoint};
use super::planner::Planner;
use super::reported;
use super::state::{State, Step, Unit};
use crate::cancel::Cancel;
use crate::error::{Error, Result};
use crate::sampler::Sampler;
use crate::study::StudySpec;
use crate::trial::{Trial, TrialState};

/// What a simulated run has come to.
#[derive(Clone, PartialEq, Debug)]
pub struct Simulation {
    /// All trials, by number.
    pub trials: Vec<Trial>,
    /// From the first fold to the last.
    pub makespan: f64,
    /// The share of the workers' time that went unused while there were trials to begin, in [0, 1).
    pub idle: f64,
}

struct Running {
    unit: Unit,
    end: f64,
}

/// Runs `n_trials` of `study` on `n_workers` in virtual time; a fold of a trial takes as long as `duration` says, in any unit. Proposals and decisions take no time. `sampler` proposes in place of the study's own.
///
/// # Errors
/// Those of the sampler, and of an objective that says that it cannot go on.
pub fn simulate(
    study: &StudySpec,
    sampler: Box<dyn Sampler>,
    objective: &dyn Objective,
    duration: &dyn Fn(&TrialPoint, usize) -> f64,
    n_workers: usize,
    n_trials: u64,
) -> Result<Simulation> {
    study.validate()?;
    let mut planner = Planner::new(study, sampler, objective, Some(n_trials), None, Vec::new());
    let mut state = State::new(&planner, n_workers, None);
    let mut running: Vec<Running> = Vec::new();
    let mut trials = Vec::new();
    let (mut now, mut unused, mut used) = (0.0, 0.0, 0.0);
    loop {
        while let Some(step) = state.next_step(&mut planner) {
            match step {
                Step::Decide { id, first, trials: undecided } => {
                    let decision = planner.decide(first, &undecided);
                    let pruned = state.decide(id, undecided, &decision);
                    finish(&mut state, pruned, &mut trials);
                }
                Step::Open => {
                    if let Some(group) = planner.open()? {
                        state.open(group);
                    }
                }
            }
        }
        let n_tasks = state.reserve_tasks();
        for _ in 0..n_tasks {
            let Some(unit) = state.take_unit(false) else {
                state.n_tasks -= 1;
                continue;
            };
            let takes = points(&unit).iter().map(|point| duration(point, unit.fold)).fold(0.0, f64::max);
            running.push(Running { unit, end: now + takes });
        }
        let Some(next) = (0..running.len()).reduce(|a, b| if running[b].end < running[a].end { b } else { a }) else {
            // What was ready may have been folds of trials that had failed, and more can be opened.
            if n_tasks > 0 {
                continue;
            }
            break;
        };
        let elapsed = running[next].end - now;
        if planner.has_next() {
            unused += elapsed * (n_workers - running.len()) as f64;
            used += elapsed * running.len() as f64;
        }
        let Running { unit, end } = running.swap_remove(next);
        now = end;
        state.n_tasks -= 1;
        let stops = |steps: &[(u64, f64)]| planner.judge.stops(&unit.past, unit.id, unit.look, unit.fold, steps);
        let cancel = Cancel::new();
        let ctx = FoldContext::judged(&cancel, &stops);
        let outcomes = objective.evaluate(&points(&unit), unit.fold, &ctx);
        let Reports { steps, pruned, fault } = ctx.into_reports();
        for ((number, _), outcome) in unit.points.iter().zip(outcomes) {
            let outcome = match reported(outcome, pruned, fault.as_deref()) {
                Ok(outcome) => Ok(outcome),
                Err(TrialError::Failed(reason)) => Err(Ending::Failed(reason)),
                Err(TrialError::Pruned) => Err(Ending::Pruned),
                Err(TrialError::Cancelled) => Err(Ending::Failed("cancelled".to_string())),
                Err(TrialError::Fatal(message)) => return Err(Error::Fatal { message }),
            };
            state.record(&unit, *number, outcome, steps.clone(), 0.0);
        }
        let (complete, ended) = state.settle(&unit, study);
        let trial = |member: Member| member.trial(TrialState::Complete, study.n_folds, study.direction);
        finish(&mut state, complete.into_iter().map(trial).chain(ended), &mut trials);
    }
    trials.sort_by_key(|trial: &Trial| trial.number);
    Ok(Simulation { trials, makespan: now, idle: if used > 0.0 { unused / (unused + used) } else { 0.0 } })
}

fn points(unit: &Unit) -> Vec<TrialPoint<'_>> {
    unit.points
        .iter()
        .map(|(number, params)| TrialPoint { number: *number, params, look: unit.look, seed: unit.seed })
        .collect()
}

fn finish(state: &mut State, finished: impl IntoIterator<Item = Trial>, trials: &mut Vec<Trial>) {
    for trial in finished {
        state.finished(&trial);
        // Nothing waits for a store.
        state.n_unwritten = 0;
        trials.push(trial);
    }
}
