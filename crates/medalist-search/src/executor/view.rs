//! What a proposal or a decision may see: the results before it, and the points of the trials that it must not see results of.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::judge::Judge;
use crate::pruner::Curve;
use crate::sampler::History;
use crate::space::Params;
use crate::study::StudySpec;
use crate::trial::{Seen, Trial};

/// The results of a study, as far as they are in.
pub struct View<'a> {
    study: &'a StudySpec,
    judge: Arc<Judge>,
    /// Whether trials are read, and not only their curves.
    reads_trials: bool,
    /// Of the results that are shown, ascending: the unbroken prefix where there is a window; what was seen so far in an asynchronous study.
    numbers: Vec<u64>,
    /// By number, where the sampler reads them.
    trials: Vec<Trial>,
    /// By number, where the pruner reads them.
    curves: Vec<Arc<Curve>>,
    /// Finished, and not shown.
    hidden: BTreeMap<u64, Trial>,
    /// The points of opened trials that a proposal may have to know as pending.
    points: BTreeMap<u64, Params>,
}

impl<'a> View<'a> {
    pub fn new(study: &'a StudySpec, reads_trials: bool, judge: Arc<Judge>) -> Self {
        View {
            study,
            judge,
            reads_trials,
            numbers: Vec::new(),
            trials: Vec::new(),
            curves: Vec::new(),
            hidden: BTreeMap::new(),
            points: BTreeMap::new(),
        }
    }

    pub fn opened(&mut self, number: u64, params: Params) {
        self.points.insert(number, params);
    }

    /// No trial below `next` will be opened any more.
    pub fn advance(&mut self, next: u64) {
        if !self.study.asynchronous {
            self.points = self.points.split_off(&self.n_past(next));
        }
    }

    pub fn finished(&mut self, trial: Trial) {
        self.hidden.insert(trial.number, trial);
        if !self.study.asynchronous {
            while let Some(trial) = self.hidden.remove(&(self.numbers.len() as u64)) {
                self.reveal(trial);
            }
        }
    }

    /// Shows an asynchronous study all results that are in.
    pub fn reveal_all(&mut self) {
        for trial in std::mem::take(&mut self.hidden).into_values() {
            self.points.remove(&trial.number);
            self.reveal(trial);
        }
    }

    /// Shows an asynchronous study those results that a trial had seen; says whether it now sees just these.
    pub fn reveal_seen(&mut self, seen: &Seen) -> bool {
        let later = self.hidden.split_off(&seen.end);
        for (number, trial) in std::mem::replace(&mut self.hidden, later) {
            if seen.except.contains(&number) {
                self.hidden.insert(number, trial);
            } else {
                self.points.remove(&number);
                self.reveal(trial);
            }
        }
        self.seen(seen.end) == *seen && self.numbers.last().is_none_or(|number| *number < seen.end)
    }

    /// What an asynchronous study sees now, of the trials below `end`.
    pub fn seen(&self, end: u64) -> Seen {
        Seen { end, except: self.points.range(..end).map(|(number, _)| *number).collect() }
    }

    /// The results that a proposal of trial `number` may read.
    pub fn history(&self, number: u64) -> History<'_> {
        let trials = &self.trials[..self.n_shown(number).min(self.trials.len())];
        let study = self.study;
        History { trials, prior: &study.prior, direction: study.direction, objectives: &study.objectives }
    }

    /// The results that a decision on trial `number` may read.
    pub fn curves(&self, number: u64) -> &[Arc<Curve>] {
        &self.curves[..self.n_shown(number).min(self.curves.len())]
    }

    /// The points of the trials below `number` whose results its proposal may not read, by number.
    pub fn pending(&self, number: u64) -> Vec<Params> {
        let first = if self.study.asynchronous { 0 } else { self.n_past(number) };
        self.points.range(first..number).map(|(_, params)| params.clone()).collect()
    }

    /// How many trials are numbered at most `number` - window.
    pub fn n_past(&self, number: u64) -> u64 {
        (number + 1).saturating_sub(self.study.window)
    }

    fn n_shown(&self, number: u64) -> usize {
        if self.study.asynchronous { usize::MAX } else { self.n_past(number) as usize }
    }

    fn reveal(&mut self, trial: Trial) {
        let place = self.numbers.partition_point(|number| *number < trial.number);
        self.numbers.insert(place, trial.number);
        if self.judge.depends_on_history() {
            self.curves.insert(place, self.judge.curve(&trial));
        }
        if self.reads_trials {
            self.trials.insert(place, trial);
        }
    }
}
