//! What the tasks share under one lock: groups on their way, ready units, and what the planner has not yet seen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Points;
use super::group::{Ending, Group, Member, Progress, Steps};
use super::objective::FoldOutcome;
use super::planner::{Decision, Planner};
use crate::error::Error;
use crate::pruner::Curve;
use crate::seed::Seed;
use crate::study::{StudyOutcome, StudySpec};
use crate::trial::{Trial, TrialState};

/// So many finished trials may wait for the store before no new ones are opened.
const MAX_UNWRITTEN: usize = 4096;

pub struct State<'a> {
    /// By the number of their first member.
    groups: BTreeMap<u64, Group>,
    /// (group, fold), to be taken from the front.
    ready: BTreeSet<(u64, usize)>,
    /// Groups that have come to a rung and wait to be decided on.
    undecided: BTreeSet<u64>,
    finished: Vec<Finished>,
    /// None while some thread plans.
    pub planner: Option<Planner<'a>>,
    /// The fold counts at which it is decided whether to go on, and last the number of all folds.
    rungs: Vec<usize>,
    keeps_history: bool,
    n_threads: usize,
    max_memory: u64,
    /// The most groups on their way, where a pruner makes them wait; otherwise none waits.
    max_groups: usize,
    /// Tasks that were started and have not ended.
    pub n_tasks: usize,
    /// Those of them that have not yet looked for a unit.
    n_looking: usize,
    n_running: usize,
    memory: u64,
    pub n_unwritten: usize,
    /// The planner would open a trial if the store had kept up.
    pub throttled: bool,
    pub stopping: bool,
    pub interrupted: bool,
    /// A task has panicked and will not be counted down.
    pub broken: bool,
    pub error: Option<Error>,
}

struct Finished {
    number: u64,
    state: TrialState,
    score: Option<f64>,
    trial: Option<Trial>,
}

/// What the planner does next.
pub enum Step {
    Decide { id: u64, first: u64, trials: Vec<Trial> },
    Open,
}

/// One fold of the trials of a group.
pub struct Unit {
    pub id: u64,
    pub fold: usize,
    pub points: Points,
    /// What decisions on their steps read.
    pub past: Arc<[Arc<Curve>]>,
    pub look: u32,
    pub seed: Seed,
    /// Nothing of the group ran before.
    pub starts: bool,
}

impl<'a> State<'a> {
    /// Without the planner, which is to be put in.
    pub fn new(planner: &Planner<'a>, n_threads: usize, memory: Option<u64>) -> Self {
        let window = usize::try_from(planner.study.window).unwrap_or(usize::MAX);
        let mut rungs = planner.study.rungs();
        rungs.push(planner.study.n_folds);
        State {
            groups: BTreeMap::new(),
            ready: BTreeSet::new(),
            undecided: BTreeSet::new(),
            finished: Vec::new(),
            rungs,
            keeps_history: planner.keeps_history(),
            max_groups: if planner.prunes() { window.saturating_add(n_threads).saturating_mul(2) } else { usize::MAX },
            planner: None,
            n_threads,
            max_memory: memory.unwrap_or(u64::MAX),
            n_tasks: 0,
            n_looking: 0,
            n_running: 0,
            memory: 0,
            n_unwritten: 0,
            throttled: false,
            stopping: false,
            interrupted: false,
            broken: false,
            error: None,
        }
    }

    /// Counts as many new tasks as there are ready units without one and threads for them.
    pub fn reserve_tasks(&mut self) -> usize {
        if self.stopping {
            return 0;
        }
        let wanted = self.ready.len().saturating_sub(self.n_looking);
        let n_tasks = wanted.min(self.n_threads.saturating_sub(self.n_tasks));
        // A unit that the running ones leave no memory for waits until one of them is done.
        let n_tasks = if self.fits() { n_tasks } else { 0 };
        self.n_tasks += n_tasks;
        self.n_looking += n_tasks;
        n_tasks
    }

    /// Nothing runs, and nothing will unless someone plans again. Where trials are held back for the store, its next commit does.
    pub fn is_idle(&self) -> bool {
        self.broken || (self.n_tasks == 0 && self.planner.is_some() && !self.throttled)
    }

    /// The unit of the lowest trial, lowest fold first; none when there is none that may run.
    pub fn take_unit(&mut self, cancelled: bool) -> Option<Unit> {
        self.n_looking -= 1;
        while !self.stopping && !cancelled && self.fits() {
            let (id, fold) = self.ready.pop_first()?;
            let Some(group) = self.groups.get_mut(&id) else { continue };
            let wanted = group.members.iter().filter(|member| member.wants(fold));
            let points: Points = wanted.map(|member| (member.number, member.params.clone())).collect();
            if points.is_empty() {
                continue;
            }
            let starts = !std::mem::replace(&mut group.started, true);
            group.n_running += 1;
            self.n_running += 1;
            self.memory += group.memory;
            return Some(Unit {
                id,
                fold,
                points,
                past: group.past.clone(),
                look: group.look,
                seed: group.seed,
                starts,
            });
        }
        None
    }

    pub fn record(
        &mut self,
        unit: &Unit,
        number: u64,
        outcome: Result<FoldOutcome, Ending>,
        steps: Steps,
        seconds: f64,
    ) {
        let group = self.groups.get_mut(&unit.id);
        let member = group.and_then(|group| group.members.iter_mut().find(|member| member.number == number));
        if let Some(member) = member {
            member.record(unit.fold, outcome, steps, seconds);
        }
    }

    /// Counts a unit down, and takes from its group what is complete or has ended.
    pub fn settle(&mut self, unit: &Unit, study: &StudySpec) -> (Vec<Member>, Vec<Trial>) {
        self.n_running -= 1;
        let Some(group) = self.groups.get_mut(&unit.id) else { return (Vec::new(), Vec::new()) };
        group.n_running -= 1;
        self.memory -= group.memory;
        let n_opened = group.n_opened;
        let is_last = n_opened == study.n_folds;
        let (mut complete, mut ended, mut open) = (Vec::new(), Vec::new(), Vec::new());
        for member in group.members.drain(..) {
            match member.progress(n_opened) {
                Progress::Scored if is_last => complete.push(member),
                Progress::Ended => ended.push(member.ended(n_opened, study.direction)),
                Progress::Scored | Progress::Running => open.push(member),
            }
        }
        group.members = open;
        let is_scored = |member: &Member| member.progress(n_opened) == Progress::Scored;
        if group.members.is_empty() && group.n_running == 0 {
            self.groups.remove(&unit.id);
        } else if !is_last && !group.members.is_empty() && group.members.iter().all(is_scored) {
            self.undecided.insert(unit.id);
        }
        (complete, ended)
    }

    /// What can be planned now, oldest trial first: a decision before a new trial.
    pub fn next_step(&mut self, planner: &mut Planner) -> Option<Step> {
        self.absorb(planner);
        if self.stopping {
            return None;
        }
        let decidable = |id: &&u64| self.groups.get(id).is_some_and(|group| planner.can_decide(group.first));
        if let Some(id) = self.undecided.iter().find(decidable).copied()
            && let Some(group) = self.groups.get(&id)
        {
            let direction = planner.study.direction;
            let trial = |member: &Member| member.trial(TrialState::Pruned, group.n_opened, direction);
            let trials = group.members.iter().map(trial).collect();
            let first = group.first;
            self.undecided.remove(&id);
            return Some(Step::Decide { id, first, trials });
        }
        let n_free = self.n_threads.saturating_sub(self.n_running);
        let is_full = self.groups.len() >= self.max_groups && !planner.is_replaying();
        if self.ready.len() >= n_free || is_full || !planner.can_propose() {
            return None;
        }
        self.throttled = self.n_unwritten >= MAX_UNWRITTEN;
        (!self.throttled).then_some(Step::Open)
    }

    /// Tells the planner what has finished since it last looked.
    pub fn absorb(&mut self, planner: &mut Planner) {
        for Finished { number, state, score, trial } in self.finished.drain(..) {
            planner.finish(number, &state, score, trial);
        }
    }

    /// Makes the folds of a new group ready, up to the first rung.
    pub fn open(&mut self, group: Group) {
        let Some(id) = group.members.first().map(|member| member.number) else { return };
        self.groups.insert(id, group);
        self.open_next(id);
    }

    /// Drops the pruned members of a group, makes the folds up to the next rung ready for the rest, and returns the pruned trials. All of them remember what was seen.
    pub fn decide(&mut self, id: u64, trials: Vec<Trial>, decision: &Decision) -> Vec<Trial> {
        let Some(group) = self.groups.get_mut(&id) else { return Vec::new() };
        let mut pruned: Vec<Trial> =
            trials.into_iter().zip(&decision.pruned).filter(|(_, pruned)| **pruned).map(|(trial, _)| trial).collect();
        pruned.iter_mut().for_each(|trial| trial.seen.extend(decision.seen.clone()));
        group.members.iter_mut().for_each(|member| member.seen.extend(decision.seen.clone()));
        group.members.retain(|member| pruned.iter().all(|trial| trial.number != member.number));
        if group.members.is_empty() {
            self.groups.remove(&id);
        } else {
            self.open_next(id);
        }
        pruned
    }

    fn open_next(&mut self, id: u64) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        let Some(next) = self.rungs.iter().copied().find(|rung| *rung > group.n_opened) else { return };
        self.ready.extend((group.n_opened..next).map(|fold| (id, fold)));
        group.n_opened = next;
    }

    pub fn finished(&mut self, trial: &Trial) {
        self.n_unwritten += 1;
        self.finished.push(Finished {
            number: trial.number,
            state: trial.state.clone(),
            score: trial.score,
            trial: self.keeps_history.then(|| trial.clone()),
        });
    }

    /// How the run ended.
    pub fn outcome(&mut self, cancelled: bool) -> StudyOutcome {
        let Some(planner) = &self.planner else { return StudyOutcome::default() };
        let is_left = !self.groups.is_empty() || planner.has_next();
        let interrupted = self.interrupted || (cancelled && is_left);
        StudyOutcome { interrupted, ..planner.outcome() }
    }

    /// Whether the lowest ready unit leaves the memory within its limit; one unit always does.
    fn fits(&self) -> bool {
        let lowest = self.ready.first().and_then(|(id, _)| self.groups.get(id));
        let needed = lowest.map_or(0, |group| group.memory);
        self.n_running == 0 || self.memory.saturating_add(needed) <= self.max_memory
    }
}
