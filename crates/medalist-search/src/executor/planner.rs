//! What comes next: the planner opens trials and decides prunings, each from exactly the past that the study allows.
//!
//! One thread at a time holds it, outside the executor's lock, so that a slow proposal keeps no one from evaluating.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::flatness::Flatness;
use super::group::{Group, Member};
use super::judge::Judge;
use super::objective::Objective;
use super::view::View;
use crate::clock;
use crate::error::{Error, Result};
use crate::insight::UntilFlat;
use crate::pruner::Resource;
use crate::sampler::{History, Sampler};
use crate::space::Params;
use crate::study::{StudyOutcome, StudySpec, propose};
use crate::trial::{Origin, Seen, Trial, TrialState, counted};

pub struct Planner<'a> {
    pub study: &'a StudySpec,
    pub objective: &'a dyn Objective,
    sampler: Box<dyn Sampler>,
    pub judge: Arc<Judge>,
    /// The number of the next trial to open in turn.
    next: u64,
    /// No trial has this number or a higher one.
    end: u64,
    /// The next trial's proposal, made to see whether it belongs to the group before it.
    peeked: Option<Proposal>,
    /// The trials from `next` on that were opened before their turn.
    ahead: BTreeSet<u64>,
    /// Trials of an earlier run: finished ones, and in an asynchronous study also those that were only begun.
    stored: BTreeMap<u64, Trial>,
    /// The trials of each point, where one may have several.
    looks: BTreeMap<String, Vec<u64>>,
    /// Kept where the sampler or the pruner reads it.
    view: View<'a>,
    /// The scores of finished trials beyond the unbroken prefix.
    beyond: BTreeMap<u64, Option<f64>>,
    best_score: Option<f64>,
    outcome: StudyOutcome,
    flatness: Option<Flatness>,
}

impl<'a> Planner<'a> {
    pub fn new(
        study: &'a StudySpec,
        sampler: Box<dyn Sampler>,
        objective: &'a dyn Objective,
        end: Option<u64>,
        until_flat: Option<UntilFlat>,
        stored: Vec<Trial>,
    ) -> Self {
        let judge = Arc::new(Judge::new(study));
        Planner {
            study,
            objective,
            view: View::new(study, sampler.depends_on_history() || until_flat.is_some(), judge.clone()),
            sampler,
            judge,
            next: 0,
            end: end.unwrap_or(u64::MAX),
            peeked: None,
            ahead: BTreeSet::new(),
            looks: BTreeMap::new(),
            stored: stored.into_iter().map(|trial| (trial.number, trial)).collect(),
            beyond: BTreeMap::new(),
            best_score: None,
            outcome: StudyOutcome::default(),
            flatness: until_flat.map(|limit| Flatness::new(limit, study)),
        }
    }

    /// How far it has come, and the choice among the trials that count.
    pub fn outcome(&self) -> StudyOutcome {
        let shown = self.view.history(u64::MAX - 1);
        let past = History { trials: counted(shown.trials), ..shown };
        let best = match self.sampler.depends_on_history() {
            true => self.sampler.best(&self.study.space, &past),
            // Its trials are not kept, and without a model there is nothing but their scores.
            false => self.outcome.best,
        };
        StudyOutcome { best, ..self.outcome.clone() }
    }

    pub fn prunes(&self) -> bool {
        self.judge.depends_on_history()
    }

    /// Whether a finished trial is read again.
    pub fn keeps_history(&self) -> bool {
        self.sampler.depends_on_history() || self.judge.depends_on_history() || self.flatness.is_some()
    }

    pub fn has_next(&self) -> bool {
        self.next < self.end && !self.outcome.exhausted && self.outcome.flat.is_none()
    }

    /// Whether there is a trial to open, or the decision to make whether there is a next one: see [`Planner::open`].
    pub fn can_propose(&self) -> bool {
        self.openable().is_some()
    }

    /// A stored trial was opened already, whatever would be decided now.
    fn is_decision_due(&self) -> bool {
        let is_due = |flatness: &Flatness| flatness.is_due(self.next) && self.view.n_past(self.next) > 0;
        !self.stored.contains_key(&self.next) && self.flatness.as_ref().is_some_and(is_due)
    }

    /// The next trial, where all results that its proposal reads are in, or those of the decision on it; otherwise one further on that depends on none.
    fn openable(&self) -> Option<u64> {
        let waits = self.study.waits(&*self.sampler, self.next) || self.is_decision_due();
        let is_in = !waits || self.outcome.n_counted >= self.view.n_past(self.next);
        match self.has_next() {
            true if is_in => Some(self.next),
            true => self.free_ahead(),
            false => None,
        }
    }

    /// The lowest interleaved trial that is not open; none when as many as the window has are ahead of their turn, or there may be no trial any more when its turn comes.
    fn free_ahead(&self) -> Option<u64> {
        let interval = self.study.interleave;
        if interval == 0 || self.flatness.is_some() || self.ahead.len() as u64 >= self.study.window {
            return None;
        }
        let first = self.ahead.last().map_or(self.next, |last| last + 1);
        let is_free = |number: &u64| self.study.is_interleaved(&*self.sampler, *number);
        (first..self.end.min(first.saturating_add(interval))).find(is_free)
    }

    /// Whether a trial is written down when it is opened. Its results may never come, and yet be a pending point of those that do.
    pub fn records_opened(&self) -> bool {
        self.study.asynchronous && self.keeps_history()
    }

    /// Whether trials of an earlier run are still to be opened: what they saw must not be mixed with what is seen now.
    pub fn is_replaying(&self) -> bool {
        self.study.asynchronous
            && self.has_next()
            && self.stored.last_key_value().is_some_and(|(last, _)| *last >= self.next)
    }

    /// Whether all results that a pruning decision on a group beginning with trial `first` reads are in.
    pub fn can_decide(&self, first: u64) -> bool {
        !self.judge.depends_on_history()
            || match self.study.asynchronous {
                true => !self.is_replaying(),
                false => self.outcome.n_counted >= self.view.n_past(first),
            }
    }

    /// Which of the trials, the open ones of a group beginning with trial `first`, are pruned.
    pub fn decide(&mut self, first: u64, trials: &[Trial]) -> Decision {
        let seen = self.study.asynchronous.then(|| {
            self.view.reveal_all();
            if self.judge.depends_on_history() { self.view.seen(self.next) } else { Seen::default() }
        });
        let past = self.view.curves(first);
        Decision { pruned: trials.iter().map(|trial| self.judge.prunes(past, trial)).collect(), seen }
    }

    /// Counts a finished trial; `trial` where it will be read again.
    pub fn finish(&mut self, number: u64, state: &TrialState, score: Option<f64>, trial: Option<Trial>) {
        self.outcome.n_finished += 1;
        self.outcome.n_failed += u64::from(matches!(state, TrialState::Failed { .. }));
        self.outcome.n_pruned += u64::from(*state == TrialState::Pruned);
        self.beyond.insert(number, score);
        while let Some(score) = self.beyond.remove(&self.outcome.n_counted) {
            if let Some(score) = score
                && self.best_score.is_none_or(|best| self.study.direction.better(score, best))
            {
                self.best_score = Some(score);
                self.outcome.best = Some(self.outcome.n_counted);
            }
            self.outcome.n_counted += 1;
        }
        if let Some(trial) = trial {
            self.view.finished(trial);
        }
    }

    /// Opens the next trial, and with it those that follow and differ from it only in a staged parameter; or, where the next one waits, a trial that depends on nothing. None when all of them are stored, there are no more, or they promise too little.
    ///
    /// # Errors
    /// Those of the sampler, and [`Error::TrialChanged`].
    pub fn open(&mut self) -> Result<Option<Group>> {
        let Some(first) = self.openable() else { return Ok(None) };
        if first == self.next
            && self.is_decision_due()
            && let Some(flatness) = &self.flatness
        {
            self.outcome.flat = flatness.decide(self.study, |number| self.view.history(number).trials, self.next);
            if self.outcome.flat.is_some() {
                return Ok(None);
            }
        }
        let Some(proposal) = self.take_proposal(first)? else {
            self.outcome.exhausted = true;
            return Ok(None);
        };
        let fitted = self.study.fitted(&proposal.params);
        let shares_fit = fitted.len() < proposal.params.len();
        let seed = self.study.point_seed(&proposal.params);
        let mut look = 0;
        let mut memory = 0;
        let mut members = Vec::new();
        let mut number = first;
        let mut proposal = Some(proposal);
        while let Some(admitted) = proposal.take() {
            if let Some(member) = self.admit(number, admitted)? {
                memory = self.objective.memory(&member.params).max(memory);
                look = member.look;
                members.push(member);
            }
            number = self.next;
            if shares_fit && self.has_next() && !self.study.reads_results(&*self.sampler, number) {
                match self.take_proposal(number)? {
                    Some(next) if next.params.len() > fitted.len() && self.study.fitted(&next.params) == fitted => {
                        proposal = Some(next);
                    }
                    other => self.peeked = other,
                }
            }
        }
        // On steps all of it is in: the group waited for it.
        let past = if self.study.prune_on == Resource::Steps { self.view.curves(first) } else { &[] }.into();
        let seed = if look == 0 { seed } else { seed.child("look", u64::from(look)) };
        let group = Group { first, past, members, look, seed, n_opened: 0, n_running: 0, memory, started: false };
        Ok(Some(group).filter(|group| !group.members.is_empty()))
    }

    /// Begins a trial, unless it is stored as finished: then it counts.
    fn admit(&mut self, number: u64, proposal: Proposal) -> Result<Option<Member>> {
        let Proposal { params, origin, seen } = proposal;
        let look = self.look(number, &params, origin);
        if self.sampler.depends_on_history() || (self.study.asynchronous && self.keeps_history()) {
            self.view.opened(number, params.clone());
        }
        if number == self.next {
            self.next += 1;
            while self.ahead.remove(&self.next) {
                self.next += 1;
            }
            self.view.advance(self.next);
        } else {
            self.ahead.insert(number);
        }
        let stored = self.stored.remove(&number);
        if let Some(stored) = &stored {
            let asked = stored.asked();
            if asked != params {
                let (stored, proposed) = (asked.to_string(), params.to_string());
                return Err(Error::TrialChanged { study: self.study.name.clone(), number, stored, proposed });
            }
        }
        match stored {
            Some(stored) if stored.state.is_finished() => {
                let kept = self.keeps_history().then(|| stored.clone());
                self.finish(number, &stored.state, stored.score, kept);
                Ok(None)
            }
            stored => {
                let created = stored.map_or_else(clock::now, |stored| stored.created);
                let mut member = Member::new(number, params, origin, created, self.study);
                member.seen.extend(seen);
                member.look = look;
                Ok(Some(member))
            }
        }
    }

    /// How often the point of a trial was evaluated in the trials below it. Trials that depend on no result may be opened before those: they are first looks.
    fn look(&mut self, number: u64, params: &Params, origin: Origin) -> u32 {
        if self.study.looks == 1 {
            return 0;
        }
        let looks = self.looks.entry(params.to_json()).or_default();
        let below = looks.iter().filter(|look| **look < number).count();
        looks.push(number);
        // A sampler that has nothing else left may ask more often: then it sees the last look again.
        if origin == Origin::Sampler { (below as u32).min(self.study.looks - 1) } else { 0 }
    }

    fn take_proposal(&mut self, number: u64) -> Result<Option<Proposal>> {
        if number == self.next
            && let Some(peeked) = self.peeked.take()
        {
            return Ok(Some(peeked));
        }
        let mut seen = self.study.asynchronous.then(Seen::default);
        if let Some(seen) = &mut seen
            && self.study.reads_results(&*self.sampler, number)
        {
            *seen = self.reveal(number)?;
        }
        let (history, pending) = match self.sampler.depends_on_history() {
            true => (self.view.history(number), self.view.pending(number)),
            false => (History::new(&[], self.study.direction), Vec::new()),
        };
        let proposed = propose(self.study, &*self.sampler, &history, &pending, number)?;
        Ok(proposed.map(|(params, origin)| Proposal { params, origin, seen }))
    }

    /// Shows what trial `number` saw when it was proposed: in an earlier run, or now.
    fn reveal(&mut self, number: u64) -> Result<Seen> {
        match self.stored.get(&number).map(|stored| stored.seen.first()) {
            None => self.view.reveal_all(),
            Some(Some(seen)) if seen.end == number && self.view.reveal_seen(seen) => {}
            Some(_) => return Err(Error::ResultsMissing { study: self.study.name.clone(), number }),
        }
        Ok(self.view.seen(number))
    }
}

/// One for each of the trials decided on.
pub struct Decision {
    pub pruned: Vec<bool>,
    /// In an asynchronous study, the results it was made from.
    pub seen: Option<Seen>,
}

struct Proposal {
    params: Params,
    origin: Origin,
    /// In an asynchronous study, the results it was made from.
    seen: Option<Seen>,
}
