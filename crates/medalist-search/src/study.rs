//! The plan of a search, what makes it the same plan, and the proposal of trial n from it.

mod prior;
mod proposal;

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::clock;
use crate::error::{Error, Result};
use crate::pruner::{Budget, PrunerSpec, Resource};
use crate::sampler::{History, Sampler, SamplerSpec, Unrepeated};
use crate::seed::Seed;
use crate::space::{Parameter, Params, SearchSpace, Value};
use crate::trial::{Direction, Trial, counted};

pub use proposal::propose;

/// The version of the plan's format that this crate writes.
pub const STUDY_VERSION: u32 = 1;

/// The default of [`StudySpec::window`] where no trial waits to be decided on.
pub const DEFAULT_WINDOW: u64 = 8;

/// And where trials do: see [`StudySpec::default_window`].
const DEFAULT_WINDOW_WITH_RUNGS: u64 = 10;

/// An objective beyond the score: see [`StudySpec::objectives`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct ObjectiveSpec {
    pub name: String,
    pub direction: Direction,
}

/// A study's plan. How many trials, how long and on how many threads is not part of it: a resume may change those.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StudySpec {
    /// Of this format: [`STUDY_VERSION`].
    pub version: u32,
    pub name: String,
    /// RFC 3339, UTC.
    pub created: String,
    /// What is optimised, in a form that the engine compares but does not read: competition, folds, metric, code version.
    pub problem: serde_json::Value,
    pub space: SearchSpace,
    pub sampler: SamplerSpec,
    pub pruner: PrunerSpec,
    /// What the pruner counts. On steps a trial begins only when all results that its decisions read are in.
    #[serde(default, skip_serializing_if = "Resource::is_folds")]
    pub prune_on: Resource,
    /// Trial n sees the results of the trials numbered at most n - window; at least 1.
    pub window: u64,
    /// Every so many trials one is a scrambled Sobol' point, which threads that would wait may take ahead of its turn; 0 for none. Only where the sampler reads results through a window above 1.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub interleave: u64,
    /// Nobody waits: each trial is proposed, and decided on, from the results that are in, whatever the window, and says in [`Trial::seen`] which those were. What it repeats is then what was stored, not what another run would find.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub asynchronous: bool,
    /// How often a point may be evaluated, each time on folds and with a seed of its own: see [`crate::TrialPoint::look`]. Above 1 a sampler that can asks again for points that promise much; 1 where the same point gives the same scores.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub looks: u32,
    pub seed: u64,
    pub direction: Direction,
    /// What is optimised beside the score; each fold gives one value for each of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub objectives: Vec<ObjectiveSpec>,
    /// Units of work in a trial; at least 1.
    pub n_folds: usize,
    /// Points that the user asked for: evaluated first.
    pub enqueued: Vec<Params>,
    /// The portfolio: evaluated after those, before the sampler's.
    pub defaults: Vec<Params>,
    /// Results of an earlier study, for the sampler to read beside this one's: see [`StudySpec::set_prior`]. Part of the identity.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prior: Vec<Trial>,
    /// What the caller was asked for, in a form that the engine only keeps: a resume reads it. No part of the identity; the last one written stands.
    #[serde(default)]
    pub requested: serde_json::Value,
}

impl StudySpec {
    /// A plan over an empty space: random points, no pruning, one fold, seed 0, the default window, created now.
    pub fn new(name: impl Into<String>, direction: Direction) -> Self {
        StudySpec {
            version: STUDY_VERSION,
            name: name.into(),
            created: clock::now(),
            problem: serde_json::Value::Null,
            space: SearchSpace::new(),
            sampler: SamplerSpec::Random,
            pruner: PrunerSpec::None,
            prune_on: Resource::Folds,
            window: DEFAULT_WINDOW,
            interleave: 0,
            asynchronous: false,
            looks: 1,
            seed: 0,
            direction,
            objectives: Vec::new(),
            n_folds: 1,
            enqueued: Vec::new(),
            defaults: Vec::new(),
            prior: Vec::new(),
            requested: serde_json::Value::Null,
        }
    }

    /// The sha256, in hex, of all but `name`, `created` and `requested`: two plans with the same identity give the same trials.
    pub fn identity(&self) -> String {
        let hash = Sha256::digest(canonical(&self.plan()));
        hash.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The fields in which two plans differ, as `field: this against other`, descending into `problem`; names and times of creation are not compared.
    pub fn difference(&self, other: &StudySpec) -> Vec<String> {
        let mut differences = Vec::new();
        differ("", &self.plan(), &other.plan(), &mut differences);
        differences
    }

    /// Of the score, and of each further objective.
    pub fn directions(&self) -> Vec<Direction> {
        std::iter::once(self.direction).chain(self.objectives.iter().map(|objective| objective.direction)).collect()
    }

    /// The number of trials that depend on no sampler.
    pub fn n_first(&self) -> u64 {
        (self.enqueued.len() + self.defaults.len()) as u64
    }

    /// Whether the plan can be run.
    ///
    /// # Errors
    /// When the space is unsound, a count is zero, or a point to try first or of the prior is not in the space.
    pub fn validate(&self) -> Result<()> {
        let fault = |message: String| Err(Error::InvalidStudy { study: self.name.clone(), message });
        if self.version != STUDY_VERSION {
            return fault(format!(
                "its plan has format {}, this program knows {STUDY_VERSION}: update the program",
                self.version
            ));
        }
        if self.window == 0 {
            return fault("its window is 0: choose 1 (each trial sees all before it) or more".to_string());
        }
        if self.interleave == 1 {
            return fault(
                "it interleaves every trial: choose 0 (none) or at least 2, or the sampler `sobol`".to_string(),
            );
        }
        if self.interleave > 0 && self.asynchronous {
            return fault("it is asynchronous and interleaved: nobody waits, so leave `interleave` out".to_string());
        }
        if self.looks == 0 {
            return fault("it looks at no point: choose 1 (each once) or more".to_string());
        }
        if self.n_folds == 0 {
            return fault("it has no folds: choose at least 1".to_string());
        }
        if let Some(message) = self.pruner.fault().or_else(|| self.pruner.misfit(self.prune_on)) {
            return fault(format!("pruner {message}"));
        }
        for (i, objective) in self.objectives.iter().enumerate() {
            if self.objectives[..i].iter().any(|earlier| earlier.name == objective.name) {
                return fault(format!("it has the objective `{}` twice", objective.name));
            }
        }
        if !self.objectives.is_empty() && self.pruner != PrunerSpec::None {
            return fault(
                "it prunes by the score, which could cost the best trials of its other objectives: leave the pruner out"
                    .to_string(),
            );
        }
        self.space.validate()?;
        self.enqueued.iter().chain(&self.defaults).try_for_each(|point| self.space.check(point))?;
        self.prior.iter().try_for_each(|trial| self.space.check(&trial.params))?;
        self.build_sampler().len(&self.sampled_space()).map(|_| ())
    }

    /// The sampler as this study asks it: one that draws at random knows the points that the plan itself names, and repeats none.
    pub fn build_sampler(&self) -> Box<dyn Sampler> {
        match self.sampler {
            SamplerSpec::Random => {
                Box::new(Unrepeated::new(self.enqueued.iter().chain(&self.defaults).cloned().collect()))
            }
            _ => self.sampler.build_looking(self.looks - 1),
        }
    }

    /// How many trials there can be; none when they never end.
    ///
    /// # Errors
    /// Those of the sampler.
    pub fn len(&self) -> Result<Option<u64>> {
        Ok(self.sampler.build().len(&self.sampled_space())?.map(|n| n.saturating_add(self.n_first())))
    }

    /// Whether there is no trial at all.
    ///
    /// # Errors
    /// Those of the sampler.
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == Some(0))
    }

    /// Whether the beginning of trial `number` must wait for results: its proposal reads them, or the decisions on its steps do.
    pub fn waits(&self, sampler: &dyn Sampler, number: u64) -> bool {
        !self.asynchronous && self.reads_results(sampler, number)
    }

    /// Whether the beginning of trial `number` may depend on results.
    pub fn reads_results(&self, sampler: &dyn Sampler, number: u64) -> bool {
        let is_sampled = sampler.depends_on_history() && number >= self.n_first();
        let reads = self.steps_read_results() || (is_sampled && !self.is_interleaved(sampler, number));
        reads && (self.asynchronous || number >= self.window)
    }

    /// Whether trial `number` is a Sobol' point among those of a sampler that reads results: a function of the plan and the number alone.
    pub fn is_interleaved(&self, sampler: &dyn Sampler, number: u64) -> bool {
        let applies = self.interleave > 0 && self.window > 1 && !self.asynchronous && sampler.depends_on_history();
        applies
            && !self.steps_read_results()
            && number >= self.n_first().max(self.window)
            && (number + 1).is_multiple_of(self.interleave)
    }

    /// Whether decisions inside of a fold read results: those that are in when its trial begins.
    fn steps_read_results(&self) -> bool {
        self.prune_on == Resource::Steps && self.pruner.depends_on_history()
    }

    /// The fold counts at which a trial stops to be decided on before its other folds begin: those of the pruner, or after the first fold where that is decided on by its steps.
    pub fn rungs(&self) -> Vec<usize> {
        match self.prune_on {
            Resource::Folds => self.pruner.rungs(self.n_folds),
            Resource::Steps if self.pruner.depends_on_history() && self.n_folds > 1 => vec![1],
            Resource::Steps => Vec::new(),
        }
    }

    /// The smallest window that keeps eight threads busy: larger where a pruner has trials wait before their later folds begin.
    pub fn default_window(&self) -> u64 {
        if self.rungs().is_empty() { DEFAULT_WINDOW } else { DEFAULT_WINDOW_WITH_RUNGS }
    }

    /// What the pruner may spend on a trial: all folds, or steps within the ranges of the parameters that are declared a fidelity, or between the stages of those that one fit answers for.
    pub fn budget(&self) -> Budget {
        if self.prune_on == Resource::Folds {
            return Budget::folds(self.n_folds);
        }
        let stages = |parameter: &Parameter| {
            let counts = || parameter.levels.iter().filter_map(Value::as_f64).map(|count| count as u64);
            parameter.staged.then(|| counts().min().zip(counts().max()))?
        };
        let range = |parameter: &Parameter| parameter.fidelity_range().or_else(|| stages(parameter));
        let ranges = || self.space.parameters().iter().filter_map(range);
        Budget::steps(ranges().map(|(low, _)| low).min().unwrap_or(1), ranges().map(|(_, high)| high).max())
    }

    /// The space that the sampler searches: a fidelity has its whole budget where pruning on steps takes it away again.
    pub fn sampled_space(&self) -> Cow<'_, SearchSpace> {
        let has_fidelity = self.space.parameters().iter().any(|parameter| parameter.fidelity);
        if self.prune_on == Resource::Folds || self.pruner == PrunerSpec::None || !has_fidelity {
            return Cow::Borrowed(&self.space);
        }
        Cow::Owned(self.space.at_full_fidelity())
    }

    /// The seed that a point is evaluated with when it is looked at for the first time: of the study's seed and of the point without its staged parameters.
    ///
    /// Not of the trial's number, so that a point asked for twice gives the same result twice, and trials that share a fit share its seed.
    pub fn point_seed(&self, params: &Params) -> Seed {
        let hash = Sha256::digest(self.fitted(params).to_json());
        let [a, b, c, d, e, f, g, h, ..] = <[u8; 32]>::from(hash);
        Seed::new(self.seed).child("params", u64::from_le_bytes([a, b, c, d, e, f, g, h]))
    }

    /// The point without its staged parameters: what one fit depends on.
    pub fn fitted(&self, params: &Params) -> Params {
        let mut fitted = params.clone();
        for parameter in self.space.parameters().iter().filter(|parameter| parameter.staged) {
            fitted.remove(&parameter.name);
        }
        fitted
    }

    fn plan(&self) -> serde_json::Value {
        let mut plan = serde_json::to_value(self).expect("a plan is made of texts and numbers");
        if let Some(fields) = plan.as_object_mut() {
            fields.remove("name");
            fields.remove("created");
            fields.remove("requested");
        }
        plan
    }
}

/// The number of the trial that the study chooses: the one that its sampler takes for the best of those that count, which may look through the noise of their scores. None where no trial is complete.
///
/// `trials` are sorted by number. A pure function: the same trials give the same choice, whenever it is asked for.
pub fn choice(study: &StudySpec, trials: &[Trial]) -> Option<u64> {
    let history = History { prior: &study.prior, ..History::new(counted(trials), study.direction) };
    study.build_sampler().best(&study.space, &history)
}

/// How a run ended.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct StudyOutcome {
    /// The unbroken prefix 0, 1, 2, ... of finished trials, the ones that count.
    pub n_counted: u64,
    /// Finished trials among those opened, the failed and the pruned ones too.
    pub n_finished: u64,
    pub n_failed: u64,
    pub n_pruned: u64,
    /// The sampler has no more points.
    pub exhausted: bool,
    /// Cancelled, or out of time, before the last trial.
    pub interrupted: bool,
    /// The study's [`choice`] among the counted trials.
    pub best: Option<u64>,
    /// Why there were no more trials, where they promised too little.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flat: Option<Flat>,
}

/// Why a run was ended before its last trial.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Flat {
    /// No trial has this number or a higher one.
    pub n_trials: u64,
    pub n_more: u64,
    /// What so many more trials are expected to gain.
    pub gain: f64,
    /// By how much the score of a trial is off by chance.
    pub noise: f64,
    /// The gain below which the study counts as flat.
    pub least_gain: f64,
}

impl fmt::Display for Flat {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Flat { n_trials, n_more, gain, noise, least_gain } = *self;
        let (gain, noise, least) = (rounded(gain), rounded(noise), rounded(least_gain));
        write!(
            f,
            "flat after {n_trials} trials: {n_more} more promise {gain}, below {least}; a score's noise is {noise}"
        )
    }
}

/// To two significant digits, as people write it.
fn rounded(value: f64) -> f64 {
    format!("{value:.1e}").parse().unwrap_or(value)
}

fn one() -> u32 {
    1
}

fn is_one(n: &u32) -> bool {
    *n == 1
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// JSON with sorted keys and no spaces, whatever order the map type keeps.
fn canonical(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::Object(fields) => {
            let mut names: Vec<&String> = fields.keys().collect();
            names.sort();
            let fields: Vec<String> = names
                .iter()
                .map(|name| format!("{}:{}", serde_json::Value::from(name.as_str()), canonical(&fields[*name])))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        serde_json::Value::Array(items) => {
            format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

fn differ(path: &str, one: &serde_json::Value, other: &serde_json::Value, differences: &mut Vec<String>) {
    let at = |name: &str| if path.is_empty() { name.to_string() } else { format!("{path}.{name}") };
    match (one, other) {
        _ if canonical(one) == canonical(other) => {}
        (serde_json::Value::Object(a), serde_json::Value::Object(b)) => {
            let mut names: Vec<&String> = a.keys().chain(b.keys()).collect();
            names.sort();
            names.dedup();
            let absent = serde_json::Value::Null;
            for name in names {
                differ(&at(name), a.get(name).unwrap_or(&absent), b.get(name).unwrap_or(&absent), differences);
            }
        }
        (serde_json::Value::Array(a), serde_json::Value::Array(b)) if a.len() == b.len() => {
            for (i, (one, other)) in a.iter().zip(b).enumerate() {
                // Parameters are better known by their name than by their place.
                let name = one.get("name").and_then(|name| name.as_str()).map_or_else(|| i.to_string(), str::to_string);
                differ(&at(&name), one, other, differences);
            }
        }
        _ => differences.push(format!("{path}: {} against {}", canonical(one), canonical(other))),
    }
}
