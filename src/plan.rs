//! From what a user asks for to a study: which models, over which space, on which folds.
//!
//! The plan's identity names the study, so that the same command again continues it; trials, time and threads are no part of it.

mod earlier;
mod enqueued;
mod problem;
mod pruning;
mod quantity;
mod search;
mod space;

use std::path::Path;
use std::time::Duration;

use medalist_search::{
    History, ObjectiveSpec, PrunerSpec, Resource, SamplerSpec, StudySpec, UntilFlat, Value, propose,
};
use serde::{Deserialize, Serialize};

use crate::competition::Competition;
use crate::error::{Error, Result};
use crate::metric::Metric;
use crate::objective::{self, Measure};
use crate::registry::{ModelEntry, Registry};
use crate::split::Fold;
use crate::target::Task;

pub use earlier::Earlier;
pub use enqueued::Enqueued;
pub use problem::{problem, trial_time};
pub use pruning::Pruning;
pub use quantity::{parse_duration, parse_size};
pub use search::Search;
use space::{default_point, restrict};
pub use space::{joint_space, why_not};

/// Trials of a search that has neither `--trials` nor `--time`.
pub const DEFAULT_TRIALS: u64 = 60;

/// How often a point of a sweep may be evaluated, where nothing is said.
pub const DEFAULT_LOOKS: u32 = 3;

/// Points that a named range has in a grid, where nothing is said.
pub const DEFAULT_LEVELS: usize = 5;

/// A sweep as a plan file or the command line describes it; what is absent has its default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Plan {
    /// The competition's slug.
    pub competition: Option<String>,
    pub search: Option<Search>,
    /// `score`, and what else is optimised: see [`crate::objective`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub objectives: Option<Vec<String>>,
    pub trials: Option<u64>,
    /// Such as `60s`, `10m`, `1h30m`.
    pub time: Option<String>,
    pub models: Option<Vec<String>>,
    /// Parameter name to `0.1,1,10`, `1e-4..1e3` or `5`; a plan file may also give numbers and lists.
    pub set: std::collections::BTreeMap<String, SetValue>,
    /// What must hold at every point: see [`medalist_search::Constraint`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub constraints: Option<Vec<String>>,
    /// Points to try before all others.
    pub enqueue: Option<Enqueued>,
    /// The study whose results this one begins with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub warm_start: Option<String>,
    pub levels: Option<usize>,
    pub folds: Option<usize>,
    pub seed: Option<u64>,
    pub jobs: Option<usize>,
    pub window: Option<u64>,
    /// See [`StudySpec::interleave`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interleave: Option<u64>,
    /// See [`StudySpec::asynchronous`].
    #[serde(rename = "async", skip_serializing_if = "Option::is_none")]
    pub asynchronous: Option<bool>,
    /// How often a point may be evaluated, each time on other folds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looks: Option<u32>,
    pub study: Option<String>,
    pub pruner: Option<Pruning>,
    /// See [`StudySpec::prune_on`].
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prune_on: Option<Resource>,
    /// Such as `4G`, `500M`.
    pub memory: Option<String>,
    /// Whether the search ends when more trials promise too little.
    pub until_flat: Option<bool>,
    /// How long a trial may take, such as `30s`: one that takes longer fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trial_time: Option<String>,
}

/// The right side of a `set` entry.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum SetValue {
    List(Vec<Value>),
    One(Value),
}

impl SetValue {
    /// As it would be typed after `--set name=`.
    fn text(&self) -> String {
        match self {
            SetValue::One(value) => value.to_string(),
            SetValue::List(values) => values.iter().map(Value::to_string).collect::<Vec<_>>().join(","),
        }
    }
}

/// The keys of a plan file.
const KEYS: [&str; 24] = [
    "competition",
    "search",
    "objectives",
    "trials",
    "time",
    "models",
    "set",
    "constraints",
    "enqueue",
    "warm_start",
    "levels",
    "folds",
    "seed",
    "jobs",
    "window",
    "interleave",
    "async",
    "looks",
    "study",
    "pruner",
    "prune_on",
    "memory",
    "until_flat",
    "trial_time",
];

impl Plan {
    /// # Errors
    /// When the file cannot be read, is not TOML, or has an unknown key (the nearest is named).
    pub fn read(path: &Path) -> Result<Plan> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, &error))?;
        let table: toml::Table = text.parse().map_err(|error: toml::de::Error| config(path, &error))?;
        for key in table.keys() {
            if !KEYS.contains(&key.as_str()) {
                let error = Error::config(format!("unknown key `{key}`")).file(path);
                return Err(match crate::nearest(key, KEYS.into_iter()) {
                    Some(near) => error.help(format!("did you mean `{near}`?")),
                    None => error.help(format!("a plan has {}", KEYS.join(", "))),
                });
            }
        }
        let plan: Plan = toml::from_str(&text).map_err(|error| config(path, &error))?;
        Ok(Plan { enqueue: plan.enqueue.map(|enqueued| enqueued.beside(path)), ..plan })
    }

    /// This plan where it says something, else the other.
    pub fn or(self, other: Plan) -> Plan {
        let mut set = other.set;
        set.extend(self.set);
        Plan {
            competition: self.competition.or(other.competition),
            search: self.search.or(other.search),
            objectives: self.objectives.or(other.objectives),
            trials: self.trials.or(other.trials),
            time: self.time.or(other.time),
            models: self.models.or(other.models),
            set,
            constraints: self.constraints.or(other.constraints),
            enqueue: self.enqueue.or(other.enqueue),
            warm_start: self.warm_start.or(other.warm_start),
            levels: self.levels.or(other.levels),
            folds: self.folds.or(other.folds),
            seed: self.seed.or(other.seed),
            jobs: self.jobs.or(other.jobs),
            window: self.window.or(other.window),
            interleave: self.interleave.or(other.interleave),
            asynchronous: self.asynchronous.or(other.asynchronous),
            looks: self.looks.or(other.looks),
            study: self.study.or(other.study),
            pruner: self.pruner.or(other.pruner),
            prune_on: self.prune_on.or(other.prune_on),
            memory: self.memory.or(other.memory),
            until_flat: self.until_flat.or(other.until_flat),
            trial_time: self.trial_time.or(other.trial_time),
        }
    }

    pub fn search(&self) -> Search {
        let several = self.objectives.as_ref().is_some_and(|objectives| objectives.len() > 1);
        self.search.unwrap_or(if several { Search::NSGA2 } else { Search::default() })
    }

    /// What is optimised beside the score.
    ///
    /// # Errors
    /// When the objectives do not begin with the score, or one is unknown or twice.
    pub fn measures(&self) -> Result<Vec<Measure>> {
        self.objectives.as_deref().map_or(Ok(Vec::new()), objective::beside_score)
    }

    /// # Errors
    /// When it is not a duration.
    pub fn time(&self) -> Result<Option<Duration>> {
        self.time.as_deref().map(parse_duration).transpose()
    }

    /// # Errors
    /// When it is not a duration.
    pub fn trial_time(&self) -> Result<Option<Duration>> {
        self.trial_time.as_deref().map(parse_duration).transpose()
    }

    /// Bytes.
    ///
    /// # Errors
    /// When it is not a size.
    pub fn memory(&self) -> Result<Option<u64>> {
        self.memory.as_deref().map(parse_size).transpose()
    }

    /// Whether the search ends when more trials promise too little.
    pub fn until_flat(&self) -> Option<UntilFlat> {
        (self.until_flat == Some(true)).then(UntilFlat::default)
    }

    /// Trials to run: those asked for; else all of a grid, all that fit into the time or until it is flat, or [`DEFAULT_TRIALS`].
    pub fn n_trials(&self) -> Option<u64> {
        match self.trials {
            Some(trials) => Some(trials),
            None if self.search() == Search::GRID || self.time.is_some() || self.until_flat == Some(true) => None,
            None => Some(DEFAULT_TRIALS),
        }
    }

    /// The study that this plan describes on a competition.
    ///
    /// # Errors
    /// When a model or parameter is unknown or does not fit the competition's task, or nothing of the earlier study fits.
    pub fn study(
        &self,
        competition: &Competition,
        registry: &Registry,
        metric: &dyn Metric,
        folds: &[Fold],
        earlier: &Earlier,
    ) -> Result<StudySpec> {
        let models = self.models(competition, registry)?;
        let mut space = joint_space(registry, &models, Some(competition));
        let named: Vec<String> = self.set.keys().cloned().collect();
        for (name, value) in &self.set {
            restrict(&mut space, name, &value.text(), registry, &models)?;
        }
        for text in self.constraints.iter().flatten() {
            space = space.constrain(text.parse()?);
        }
        space.validate()?;
        let grid = SamplerSpec::Grid { levels: self.levels.unwrap_or(DEFAULT_LEVELS), named };
        let sampler = self.search().sampler().unwrap_or(grid);
        if self.levels.is_some() && self.search() != Search::GRID {
            return Err(Error::usage("`--levels` belongs to `--search grid`").help("leave it out, or search a grid"));
        }
        let objectives: Vec<ObjectiveSpec> = self.measures()?.into_iter().map(Measure::spec).collect();
        if !objectives.is_empty() && self.search() != Search::NSGA2 && sampler.build().depends_on_history() {
            let error = Error::usage(format!("`--search {}` looks at the score alone", self.search().name()));
            return Err(error.help("search several objectives by nsga2, random, sobol or grid"));
        }
        let looks = self.looks(competition, &sampler)?;
        let defaults = match self.search() {
            Search::GRID => Vec::new(),
            // Where a constraint leaves a model's default point out, the search alone finds its points.
            _ => models
                .iter()
                .map(|model| default_point(&space, &model.name))
                .filter(|point| space.allows(point))
                .collect(),
        };
        let enqueued = self.enqueue.as_ref().map(|enqueued| enqueued.points(&space)).transpose()?.unwrap_or_default();
        // A resume needs neither the file of points nor the default search of its own time.
        let requested = Plan {
            search: Some(self.search()),
            enqueue: Some(Enqueued::Points(enqueued.clone())).filter(|_| !enqueued.is_empty()),
            ..self.clone()
        };
        let mut spec = StudySpec {
            problem: problem(competition, metric, folds, self.trial_time()?),
            space,
            sampler,
            pruner: self.pruner.as_ref().map_or(PrunerSpec::None, |pruning| pruning.spec.clone()),
            prune_on: pruning::counted(self.prune_on, self.pruner.as_ref(), competition, &models)?,
            interleave: self.interleave.unwrap_or(0),
            asynchronous: self.asynchronous.unwrap_or(false),
            looks,
            seed: self.seed.unwrap_or(0),
            objectives,
            n_folds: folds.len(),
            enqueued,
            defaults,
            requested: serde_json::to_value(requested).map_err(|error| Error::unexpected(error.to_string()))?,
            ..StudySpec::new(String::new(), metric.direction())
        };
        spec.window = self.window.unwrap_or(spec.default_window());
        earlier.begin(&mut spec)?;
        spec.name = match &self.study {
            Some(name) => checked_name(name)?.to_string(),
            None => format!("{}-{}-{}", competition.slug, self.search().name(), &spec.identity()[..6]),
        };
        spec.validate()?;
        Ok(spec)
    }

    /// How often a point may be evaluated: where folds are drawn, and the sampler can ask again, [`DEFAULT_LOOKS`] times unless something else is said.
    fn looks(&self, competition: &Competition, sampler: &SamplerSpec) -> Result<u32> {
        match self.looks {
            Some(looks) if looks > 1 && !competition.draws_folds() => {
                let scheme = competition.config.folds.scheme.name();
                let error = Error::usage(format!("the fold scheme `{scheme}` gives the same folds each time"));
                Err(error.help("leave `looks` out: a further look would see nothing new"))
            }
            Some(looks) => Ok(looks),
            None => Ok(if competition.draws_folds() && sampler.can_look_again() { DEFAULT_LOOKS } else { 1 }),
        }
    }

    /// The models named, or all that fit the competition.
    fn models<'r>(&self, competition: &Competition, registry: &'r Registry) -> Result<Vec<&'r ModelEntry>> {
        let objectives: Vec<ObjectiveSpec> = self.measures()?.into_iter().map(Measure::spec).collect();
        let why_not = |entry: &ModelEntry| why_not(entry, competition, &objectives);
        let fits = |entry: &ModelEntry| why_not(entry).is_none();
        let Some(names) = &self.models else {
            let models: Vec<&ModelEntry> = registry.models.iter().filter(|entry| fits(entry)).collect();
            return if models.is_empty() {
                let error = Error::usage("no registered model fits this competition");
                let reason = registry.models.first().and_then(why_not);
                Err(match (competition.task, reason) {
                    (Task::Text, _) => {
                        error.help("no model predicts texts: `validate` and `grade` take them from elsewhere")
                    }
                    (_, Some(reason)) => error.help(format!("`{}` {reason}", registry.models[0].name)),
                    (_, None) => error,
                })
            } else {
                Ok(models)
            };
        };
        let mut models: Vec<&ModelEntry> = Vec::new();
        for name in names {
            let entry = registry.model(name)?;
            if let Some(reason) = why_not(entry) {
                return Err(Error::usage(format!("model `{name}` {reason}")).help("leave it out of `--models`"));
            }
            if !models.iter().any(|known| known.name == entry.name) {
                models.push(entry);
            }
        }
        Ok(models)
    }
}

/// How many fits the first `n_trials` trials need on all folds: trials of a grid that differ in a staged parameter alone share one.
///
/// # Errors
/// Those of the sampler.
pub fn n_fits(spec: &StudySpec, n_trials: u64) -> Result<u64> {
    let sampler = spec.build_sampler();
    if !matches!(spec.sampler, SamplerSpec::Grid { .. }) {
        return Ok(n_trials * spec.n_folds as u64);
    }
    let history = History::new(&[], spec.direction);
    let (mut n_groups, mut last) = (0, None);
    for number in 0..n_trials {
        let Some((params, _)) = propose(spec, sampler.as_ref(), &history, &[], number)? else { break };
        let fitted = Some(spec.fitted(&params));
        n_groups += u64::from(fitted != last);
        last = fitted;
    }
    Ok(n_groups * spec.n_folds as u64)
}

/// # Errors
/// When it cannot be a study's name: it is part of file names, and `/` comes before a trial's number.
pub fn checked_name(name: &str) -> Result<&str> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if name.is_empty() || name.starts_with('.') || !name.chars().all(allowed) || name.len() > 100 {
        let error = Error::usage(format!("`{name}` cannot be a study's name"));
        return Err(error.help("letters, digits, `-`, `_` and `.` make one, up to 100 of them"));
    }
    Ok(name)
}

fn config(path: &Path, error: &toml::de::Error) -> Error {
    Error::config(crate::toml_message(error)).file(path)
}
