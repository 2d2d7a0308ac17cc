//! What comes next: the planner opens trials and decides prunings, each from exactly the past that the window allows.
//!
//! One thread at a time holds it, outside the executor's lock, so that a slow proposal keeps no one from evaluating.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::group::{Group, Member};
use super::judge::Judge;
use super::objective::Objective;
use crate::clock;
use crate::error::{Error, Result};
use crate::pruner::{Curve, Resource};
use crate::sampler::{History, Sampler};
use crate::space::Params;
use crate::study::{StudyOutcome, StudySpec, propose};
use crate::trial::{Origin, Trial, TrialState};

pub struct Planner<'a> {
    pub study: &'a StudySpec,
    pub objective: &'a dyn Objective,
    sampler: Box<dyn Sampler>,
    pub judge: Arc<Judge>,
    /// Of the unbroken prefix of finished trials, where the pruner reads it.
    curves: Vec<Arc<Curve>>,
    /// The number of the next trial to open.
    pub next: u64,
    /// No trial has this number or a higher one.
    end: u64,
    /// A proposal made to see whether it belongs to the group before it.
    peeked: Option<(Params, Origin)>,
    /// The points of the last window - 1 trials, where the sampler reads them.
    recent: VecDeque<Params>,
    /// Finished trials of an earlier run.
    stored: BTreeMap<u64, Trial>,
    /// The unbroken prefix of finished trials, where the sampler reads it.
    history: Vec<Trial>,
    /// Finished trials beyond the prefix: their score, and the trial where it will be read.
    beyond: BTreeMap<u64, (Option<f64>, Option<Trial>)>,
    best_score: Option<f64>,
    outcome: StudyOutcome,
}

impl<'a> Planner<'a> {
    pub fn new(
        study: &'a StudySpec,
        sampler: Box<dyn Sampler>,
        objective: &'a dyn Objective,
        end: Option<u64>,
        stored: Vec<Trial>,
    ) -> Self {
        Planner {
            study,
            objective,
            sampler,
            judge: Arc::new(Judge::new(study)),
            curves: Vec::new(),
            next: 0,
            end: end.unwrap_or(u64::MAX),
            peeked: None,
            recent: VecDeque::new(),
            stored: stored.into_iter().map(|trial| (trial.number, trial)).collect(),
            history: Vec::new(),
            beyond: BTreeMap::new(),
            best_score: None,
            outcome: StudyOutcome::default(),
        }
    }

    pub fn outcome(&self) -> &StudyOutcome {
        &self.outcome
    }

    pub fn prunes(&self) -> bool {
        self.judge.depends_on_history()
    }

    /// Whether a finished trial is read again.
    pub fn keeps_history(&self) -> bool {
        self.sampler.depends_on_history() || self.judge.depends_on_history()
    }

    pub fn has_next(&self) -> bool {
        self.next < self.end && !self.outcome.exhausted
    }

    /// Whether all results that the next proposal reads are in.
    pub fn can_propose(&self) -> bool {
        self.has_next()
            && (!self.study.waits(&*self.sampler, self.next) || self.outcome.n_counted >= self.n_past(self.next))
    }

    /// Whether all results that a pruning decision on a group beginning with trial `first` reads are in.
    pub fn can_decide(&self, first: u64) -> bool {
        !self.judge.depends_on_history() || self.outcome.n_counted >= self.n_past(first)
    }

    pub fn should_prune(&self, first: u64, trial: &Trial) -> bool {
        self.judge.prunes(self.curves(first), trial)
    }

    /// Counts a finished trial; `trial` where it will be read again.
    pub fn finish(&mut self, number: u64, state: &TrialState, score: Option<f64>, trial: Option<Trial>) {
        self.outcome.n_finished += 1;
        self.outcome.n_failed += u64::from(matches!(state, TrialState::Failed { .. }));
        self.outcome.n_pruned += u64::from(*state == TrialState::Pruned);
        self.beyond.insert(number, (score, trial));
        while let Some((score, trial)) = self.beyond.remove(&self.outcome.n_counted) {
            if let Some(score) = score
                && self.best_score.is_none_or(|best| self.study.direction.better(score, best))
            {
                self.best_score = Some(score);
                self.outcome.best = Some(self.outcome.n_counted);
            }
            if let Some(trial) = trial {
                if self.judge.depends_on_history() {
                    self.curves.push(self.judge.curve(&trial));
                }
                if self.sampler.depends_on_history() {
                    self.history.push(trial);
                }
            }
            self.outcome.n_counted += 1;
        }
    }

    /// Opens the next trial, and with it those that follow and differ from it only in a staged parameter. None when all of them are stored, or there are no more.
    ///
    /// # Errors
    /// Those of the sampler, and [`Error::TrialChanged`].
    pub fn open(&mut self) -> Result<Option<Group>> {
        let Some((params, origin)) = self.take_proposal()? else {
            self.outcome.exhausted = true;
            return Ok(None);
        };
        let first = self.next;
        let fitted = self.study.fitted(&params);
        let shares_fit = fitted.len() < params.len();
        let seed = self.study.point_seed(&params);
        let mut memory = 0;
        let mut members = Vec::new();
        let mut proposal = Some((params, origin));
        while let Some((params, origin)) = proposal.take() {
            if let Some(member) = self.admit(params, origin)? {
                memory = self.objective.memory(&member.params).max(memory);
                members.push(member);
            }
            if shares_fit && self.has_next() && !self.study.waits(&*self.sampler, self.next) {
                match self.take_proposal()? {
                    Some(next) if next.0.len() > fitted.len() && self.study.fitted(&next.0) == fitted => {
                        proposal = Some(next);
                    }
                    other => self.peeked = other,
                }
            }
        }
        // On steps all of it is in: the group waited for it.
        let past = if self.study.prune_on == Resource::Steps { self.curves(first) } else { &[] }.into();
        let group = Group { first, past, members, seed, n_opened: 0, n_running: 0, memory, started: false };
        Ok(Some(group).filter(|group| !group.members.is_empty()))
    }

    /// The next trial, unless it is stored: then it counts as finished.
    fn admit(&mut self, params: Params, origin: Origin) -> Result<Option<Member>> {
        let number = self.next;
        self.next += 1;
        if self.sampler.depends_on_history() {
            self.recent.push_back(params.clone());
            while self.recent.len() as u64 >= self.study.window {
                self.recent.pop_front();
            }
        }
        let Some(stored) = self.stored.remove(&number) else {
            return Ok(Some(Member::new(number, params, origin, clock::now(), self.study.n_folds)));
        };
        let mut asked = stored.params.clone();
        if let Some(stages) = &stored.stages {
            asked.remove(&stages.parameter);
        }
        if asked != params {
            return Err(Error::TrialChanged {
                study: self.study.name.clone(),
                number,
                stored: asked.to_string(),
                proposed: params.to_string(),
            });
        }
        let kept = self.keeps_history().then(|| stored.clone());
        self.finish(number, &stored.state, stored.score, kept);
        Ok(None)
    }

    fn take_proposal(&mut self) -> Result<Option<(Params, Origin)>> {
        if let Some(peeked) = self.peeked.take() {
            return Ok(Some(peeked));
        }
        let history = self.past(self.next);
        let pending: Vec<Params> = self.recent.iter().cloned().collect();
        propose(self.study, &*self.sampler, &history, &pending, self.next)
    }

    /// How many trials are numbered at most `number` - window.
    fn n_past(&self, number: u64) -> u64 {
        (number + 1).saturating_sub(self.study.window)
    }

    fn curves(&self, number: u64) -> &[Arc<Curve>] {
        &self.curves[..(self.n_past(number) as usize).min(self.curves.len())]
    }

    fn past(&self, number: u64) -> History<'_> {
        let n_past = (self.n_past(number) as usize).min(self.history.len());
        History { trials: &self.history[..n_past], direction: self.study.direction }
    }
}
