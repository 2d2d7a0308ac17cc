//! Trials on their way: the folds they have, what is still wanted of them, and the trial that comes of it.
//!
//! Nothing here depends on the order in which folds arrive: a trial that fails or is pruned inside of a fold ends with the lowest such fold, and keeps the scores below it.

use std::sync::Arc;

use super::objective::{Artifact, FoldOutcome};
use crate::pruner::Curve;
use crate::seed::Seed;
use crate::space::{Params, Value};
use crate::study::StudySpec;
use crate::trial::{Direction, FoldScore, Origin, Seen, Stages, StepValue, Trial, TrialState, mean};

/// Trials that are evaluated together because they differ only in a staged parameter; mostly there is one.
pub struct Group {
    /// The lowest number of the trials that differ only in that parameter, finished ones too: pruning decisions on all of them read the past of this one.
    pub first: u64,
    /// What decisions on their steps read.
    pub past: Arc<[Arc<Curve>]>,
    pub members: Vec<Member>,
    /// The same for all members.
    pub look: u32,
    pub seed: Seed,
    /// Folds below this one are ready, running or done.
    pub n_opened: usize,
    pub n_running: usize,
    /// Bytes that one fold may need.
    pub memory: u64,
    pub started: bool,
}

pub struct Member {
    pub number: u64,
    pub params: Arc<Params>,
    pub origin: Origin,
    pub created: String,
    /// See [`Trial::seen`].
    pub seen: Vec<Seen>,
    /// How often its point was evaluated before.
    pub look: u32,
    folds: Vec<Option<Fold>>,
    /// Objectives beyond the score.
    n_others: usize,
    /// What was reported in each fold, and the time it took.
    shown: Vec<(Steps, f64)>,
    /// The lowest fold so far in which the trial ended, and how.
    ending: Option<(usize, Ending)>,
}

/// (step, value), rising in the step.
pub type Steps = Vec<(u64, f64)>;

/// How a trial ends inside of a fold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Ending {
    Failed(String),
    Pruned,
}

struct Fold {
    scores: Vec<f64>,
    others: Vec<Vec<f64>>,
    stages: Option<(String, Vec<Value>)>,
    artifacts: Vec<Artifact>,
}

/// How far a member is, when all folds that were opened are done.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Progress {
    Running,
    /// All opened folds have scores.
    Scored,
    /// It has failed or was pruned in a fold, and no fold below can still do so.
    Ended,
}

impl Member {
    pub fn new(number: u64, params: Params, origin: Origin, created: String, study: &StudySpec) -> Self {
        let folds = (0..study.n_folds).map(|_| None).collect();
        Member {
            number,
            params: Arc::new(params),
            origin,
            created,
            seen: Vec::new(),
            look: 0,
            folds,
            n_others: study.objectives.len(),
            shown: vec![Default::default(); study.n_folds],
            ending: None,
        }
    }

    /// Whether the fold can still matter.
    pub fn wants(&self, fold: usize) -> bool {
        self.folds[fold].is_none() && self.ending.as_ref().is_none_or(|(ended, _)| fold < *ended)
    }

    pub fn record(&mut self, fold: usize, outcome: Result<FoldOutcome, Ending>, steps: Steps, seconds: f64) {
        self.shown[fold] = (steps, seconds);
        let ending = match outcome.and_then(|outcome| self.sound(fold, outcome).map_err(Ending::Failed)) {
            Ok(FoldOutcome { scores, others, stages, artifacts }) => {
                self.folds[fold] = Some(Fold { scores, others, stages, artifacts });
                return;
            }
            Err(ending) => ending,
        };
        if self.ending.as_ref().is_none_or(|(ended, _)| fold < *ended) {
            self.ending = Some((fold, ending));
        }
    }

    pub fn progress(&self, n_opened: usize) -> Progress {
        let n_needed = self.ending.as_ref().map_or(n_opened, |(ended, _)| *ended);
        if !self.folds[..n_needed].iter().all(Option::is_some) {
            return Progress::Running;
        }
        match self.ending {
            Some(_) => Progress::Ended,
            None if self.odd_fold(n_opened).is_some() => Progress::Ended,
            None => Progress::Scored,
        }
    }

    /// The trial with its first `n_folds` folds. Of several stages it has the scores of the best one.
    pub fn trial(&self, state: TrialState, n_folds: usize, direction: Direction) -> Trial {
        self.trial_with(state, n_folds, n_folds, direction)
    }

    /// The same with what was reported in its first `n_shown` folds.
    fn trial_with(&self, state: TrialState, n_folds: usize, n_shown: usize, direction: Direction) -> Trial {
        let folds: Vec<&Fold> = self.folds[..n_folds].iter().flatten().collect();
        let stage = best_stage(&folds, direction);
        let score = |(i, fold): (usize, &&Fold)| FoldScore {
            objective: 0,
            repeat: self.look,
            fold: i as u32,
            score: fold.scores[stage],
            seconds: self.shown[i].1,
        };
        let step = |(fold, (steps, _)): (usize, &(Steps, f64))| {
            let value = move |(step, value): &(u64, f64)| StepValue { fold: fold as u32, step: *step, value: *value };
            steps.iter().map(value).collect::<Vec<_>>()
        };
        let mut params = Params::clone(&self.params);
        let stages = match folds.first().and_then(|fold| fold.stages.as_ref()) {
            Some((parameter, values)) if !matches!(state, TrialState::Failed { .. }) => {
                params.insert(parameter.as_str(), values[stage].clone());
                let scores = (0..values.len()).map(|stage| folds.iter().map(|fold| fold.scores[stage]).collect());
                Some(Stages { parameter: parameter.clone(), values: values.clone(), scores: scores.collect() })
            }
            _ => None,
        };
        let values = |objective| folds.iter().map(|fold| fold.others[stage][objective]).collect();
        let complete = state == TrialState::Complete;
        Trial {
            number: self.number,
            params,
            origin: self.origin,
            state,
            folds: folds.iter().enumerate().map(score).collect(),
            score: complete.then(|| mean(folds.iter().map(|fold| fold.scores[stage]))),
            others: if folds.is_empty() { Vec::new() } else { (0..self.n_others).map(values).collect() },
            stages,
            steps: self.shown[..n_shown].iter().enumerate().flat_map(step).collect(),
            seconds: self.shown[..n_shown].iter().map(|(_, seconds)| seconds).sum(),
            created: self.created.clone(),
            seen: self.seen.clone(),
        }
    }

    /// The failed or pruned trial, with the folds below the one in which it ended.
    pub fn ended(&self, n_opened: usize, direction: Direction) -> Trial {
        let n_scored = self.ending.as_ref().map_or(n_opened, |(fold, _)| *fold);
        let (fold, state) = match (&self.ending, self.odd_fold(n_scored)) {
            (Some((fold, Ending::Failed(reason))), _) => (*fold, TrialState::Failed { reason: reason.clone() }),
            (Some((fold, Ending::Pruned)), None) => (*fold, TrialState::Pruned),
            (_, odd) => {
                let fold = odd.unwrap_or(0);
                (fold, TrialState::Failed { reason: format!("fold {fold} was scored at other stages than fold 0") })
            }
        };
        let n_comparable = self.odd_fold(fold).unwrap_or(fold);
        self.trial_with(state, n_comparable, (fold + 1).min(n_opened), direction)
    }

    /// The artifacts of the stage that was chosen, in the order of the folds.
    pub fn into_artifacts(self, direction: Direction) -> Vec<Artifact> {
        let folds: Vec<Fold> = self.folds.into_iter().flatten().collect();
        let stage = best_stage(&folds.iter().collect::<Vec<_>>(), direction);
        folds.into_iter().filter_map(|fold| fold.artifacts.into_iter().nth(stage)).collect()
    }

    /// The first fold below `n_folds` that was scored at other stages than fold 0.
    fn odd_fold(&self, n_folds: usize) -> Option<usize> {
        let stages = |fold: &Option<Fold>| fold.as_ref().map(|fold| fold.stages.clone());
        let first = stages(self.folds.first()?);
        self.folds[..n_folds].iter().position(|fold| fold.is_some() && stages(fold) != first)
    }

    fn sound(&self, fold: usize, outcome: FoldOutcome) -> Result<FoldOutcome, String> {
        let n_scores = outcome.stages.as_ref().map_or(1, |(_, values)| values.len());
        let FoldOutcome { scores, others, stages, artifacts } = &outcome;
        if n_scores == 0 || scores.len() != n_scores {
            return Err(format!("fold {fold} has {} scores where {n_scores} were expected", scores.len()));
        }
        if !artifacts.is_empty() && artifacts.len() != n_scores {
            return Err(format!("fold {fold} has {} artifacts for {n_scores} scores", artifacts.len()));
        }
        let n_rows = if self.n_others == 0 { 0 } else { n_scores };
        if others.len() != n_rows || others.iter().any(|values| values.len() != self.n_others) {
            return Err(format!("fold {fold} needs {} values beside each score", self.n_others));
        }
        if let Some(value) = others.iter().flatten().find(|value| !value.is_finite()) {
            return Err(format!("an objective of fold {fold} is {value}"));
        }
        match scores.iter().enumerate().find(|(_, score)| !score.is_finite()) {
            None => Ok(outcome),
            Some((stage, score)) => Err(match stages {
                Some((parameter, values)) => {
                    format!("score of fold {fold} at {parameter}={} is {score}", values[stage])
                }
                None => format!("score of fold {fold} is {score}"),
            }),
        }
    }
}

/// The stage with the best mean over the folds, the first one on ties.
fn best_stage(folds: &[&Fold], direction: Direction) -> usize {
    let n_stages = folds.first().map_or(1, |fold| fold.scores.len());
    let score = |stage: usize| mean(folds.iter().map(|fold| fold.scores[stage]));
    let mut best = 0;
    for stage in 1..n_stages {
        if direction.better(score(stage), score(best)) {
            best = stage;
        }
    }
    best
}
