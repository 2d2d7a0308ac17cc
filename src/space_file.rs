//! `space.toml`: a program's parameters and how they are searched.

use std::collections::BTreeMap;
use std::path::Path;

use medalist_search::{
    Constraint, Direction, Parameter, Params, PrunerSpec, Resource, SamplerSpec, SearchSpace, StudySpec, UntilFlat,
};
use serde::Deserialize;
use serde_json::{Value as Json, json};
use toml::Spanned;

use crate::error::{Error, Result};
use crate::plan::{DEFAULT_LEVELS, DEFAULT_TRIALS, Earlier, Enqueued, Pruning, Search, checked_name};
use crate::program::ProgramSpec;

/// The keys of the file.
const KEYS: [&str; 21] = [
    "parameters",
    "constraints",
    "direction",
    "sampler",
    "levels",
    "pruner",
    "trials",
    "seed",
    "window",
    "interleave",
    "async",
    "looks",
    "jobs",
    "folds",
    "repeats",
    "study",
    "enqueue",
    "warm_start",
    "until_flat",
    "trial_time",
    "score_file",
];

/// A search as the file describes it; what is absent has its default, and the command line stands before it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpaceFile {
    /// The file's name without its ending: part of the study's default name.
    pub stem: String,
    pub space: SearchSpace,
    pub settings: Settings,
}

/// All but the parameters.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Settings {
    pub direction: Option<Direction>,
    pub sampler: Option<Search>,
    /// Points that a range has in a grid.
    pub levels: Option<usize>,
    pub pruner: Option<Pruning>,
    pub trials: Option<u64>,
    pub seed: Option<u64>,
    pub window: Option<u64>,
    /// See [`StudySpec::interleave`].
    pub interleave: Option<u64>,
    /// See [`StudySpec::asynchronous`].
    #[serde(rename = "async")]
    pub asynchronous: Option<bool>,
    /// How often a point may be run, each time with another seed.
    pub looks: Option<u32>,
    /// Programs that run at the same time.
    pub jobs: Option<usize>,
    pub folds: Option<usize>,
    pub repeats: Option<usize>,
    pub study: Option<String>,
    pub enqueue: Option<Enqueued>,
    /// The study whose results this one begins with.
    pub warm_start: Option<String>,
    /// Whether the search ends when more trials promise too little.
    pub until_flat: Option<bool>,
    /// Such as `10m`.
    pub trial_time: Option<String>,
    pub score_file: Option<String>,
}

impl Settings {
    /// These where they say something, else the other.
    pub fn or(self, other: Settings) -> Settings {
        Settings {
            direction: self.direction.or(other.direction),
            sampler: self.sampler.or(other.sampler),
            levels: self.levels.or(other.levels),
            pruner: self.pruner.or(other.pruner),
            trials: self.trials.or(other.trials),
            seed: self.seed.or(other.seed),
            window: self.window.or(other.window),
            interleave: self.interleave.or(other.interleave),
            asynchronous: self.asynchronous.or(other.asynchronous),
            looks: self.looks.or(other.looks),
            jobs: self.jobs.or(other.jobs),
            folds: self.folds.or(other.folds),
            repeats: self.repeats.or(other.repeats),
            study: self.study.or(other.study),
            enqueue: self.enqueue.or(other.enqueue),
            warm_start: self.warm_start.or(other.warm_start),
            until_flat: self.until_flat.or(other.until_flat),
            trial_time: self.trial_time.or(other.trial_time),
            score_file: self.score_file.or(other.score_file),
        }
    }

    /// # Errors
    /// When a count is 0.
    fn check(&self) -> Result<()> {
        let [levels, jobs, folds, repeats] = [self.levels, self.jobs, self.folds, self.repeats];
        let counts = [
            ("trials", self.trials),
            ("window", self.window),
            ("levels", levels.map(|n| n as u64)),
            ("jobs", jobs.map(|n| n as u64)),
            ("folds", folds.map(|n| n as u64)),
            ("repeats", repeats.map(|n| n as u64)),
        ];
        match counts.iter().find(|(_, count)| *count == Some(0)) {
            Some((key, _)) => Err(Error::config(format!("`{key}` is 0")).help("give at least 1, or leave it out")),
            None => Ok(()),
        }
    }

    pub fn sampler(&self) -> Search {
        self.sampler.unwrap_or_default()
    }

    /// Trials to run: those asked for; else all of a grid, all that fit where there is a time or until it is flat, or [`DEFAULT_TRIALS`].
    pub fn n_trials(&self, has_time: bool) -> Option<u64> {
        let has_end = self.sampler() == Search::GRID || has_time || self.until_flat == Some(true);
        self.trials.or_else(|| (!has_end).then_some(DEFAULT_TRIALS))
    }

    /// Whether the search ends when more trials promise too little.
    pub fn until_flat(&self) -> Option<UntilFlat> {
        (self.until_flat == Some(true)).then(UntilFlat::default)
    }
}

impl SpaceFile {
    /// # Errors
    /// When the file cannot be read, is not TOML, or a key or parameter is unknown, missing or wrong: names it, and the nearest known key.
    pub fn read(path: &Path) -> Result<SpaceFile> {
        let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, &error))?;
        let fault = |error: &toml::de::Error| Error::config(crate::toml_message(error)).file(path);
        let table: toml::Table = text.parse().map_err(|error| fault(&error))?;
        if let Some(key) = table.keys().find(|key| !KEYS.contains(&key.as_str())) {
            let error = Error::config(format!("unknown key `{key}`")).file(path);
            return Err(match crate::nearest(key, KEYS.into_iter()) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help(format!("there are {}", KEYS.join(", "))),
            });
        }
        let declared: Declared = toml::from_str(&text).map_err(|error| fault(&error))?;
        let settings: Settings = toml::from_str(&text).map_err(|error| fault(&error))?;
        settings.check().map_err(|error| error.file(path))?;
        let space = declared.space().map_err(|error| error.file(path))?;
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let settings = Settings { enqueue: settings.enqueue.map(|enqueued| enqueued.beside(path)), ..settings };
        Ok(SpaceFile { stem, space, settings })
    }

    /// The study of a program over this space.
    ///
    /// # Errors
    /// When the direction is not given, a setting does not fit another, a point to try first is not in the space, or nothing of the earlier study fits.
    pub fn study(&self, program: &ProgramSpec, earlier: &Earlier) -> Result<StudySpec> {
        let settings = &self.settings;
        let direction = settings.direction.ok_or_else(|| {
            Error::config("`direction` is missing").help("add `direction = \"minimize\"` or `direction = \"maximize\"`")
        })?;
        let search = settings.sampler();
        if settings.levels.is_some() && search != Search::GRID {
            return Err(Error::config("`levels` belongs to a grid").help("leave it out, or set `sampler = \"grid\"`"));
        }
        let named = self.space.parameters().iter().map(|parameter| parameter.name.clone()).collect();
        let grid = SamplerSpec::Grid { levels: settings.levels.unwrap_or(DEFAULT_LEVELS), named };
        let pruner = settings.pruner.as_ref().map_or(PrunerSpec::None, |pruning| pruning.spec.clone());
        let enqueued = settings.enqueue.as_ref().map(|enqueued| enqueued.points(&self.space)).transpose()?;
        // The defaults of a space with constraints need not be one of its points.
        let first = self.space.complete(&Params::new()).ok().filter(|_| search != Search::GRID);
        let mut spec = StudySpec {
            problem: program.problem(),
            space: self.space.clone(),
            sampler: search.sampler().unwrap_or(grid),
            prune_on: if pruner.misfit(Resource::Steps).is_none() { Resource::Steps } else { Resource::Folds },
            pruner,
            interleave: settings.interleave.unwrap_or(0),
            asynchronous: settings.asynchronous.unwrap_or(false),
            looks: settings.looks.unwrap_or(1),
            seed: settings.seed.unwrap_or(0),
            n_folds: program.n_runs(),
            enqueued: enqueued.unwrap_or_default(),
            defaults: first.into_iter().collect(),
            ..StudySpec::new(String::new(), direction)
        };
        spec.window = settings.window.unwrap_or(spec.default_window());
        earlier.begin(&mut spec)?;
        spec.name = match &settings.study {
            Some(name) => checked_name(name)?.to_string(),
            None => {
                let allowed = |letter: char| if letter.is_ascii_alphanumeric() { letter } else { '-' };
                let stem: String = self.stem.chars().take(60).map(allowed).collect();
                format!("{stem}-{}-{}", search.name(), &spec.identity()[..6])
            }
        };
        spec.validate()?;
        Ok(spec)
    }
}

/// The parameters as they are written, each with its place: the order in the file is the order of the space.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Declared {
    parameters: BTreeMap<String, Spanned<toml::Table>>,
    constraints: Vec<String>,
}

impl Declared {
    fn space(self) -> Result<SearchSpace> {
        let mut parameters: Vec<(String, Spanned<toml::Table>)> = self.parameters.into_iter().collect();
        if parameters.is_empty() {
            let help =
                "add `[parameters]` with lines such as `lr = { type = \"float\", low = 1e-5, high = 1.0, log = true }`";
            return Err(Error::config("there are no parameters").help(help));
        }
        parameters.sort_by_key(|(_, fields)| fields.span().start);
        let mut space = SearchSpace::new();
        for (name, fields) in parameters {
            let config = |message: String| Error::config(message);
            let mut fields = serde_json::to_value(fields.into_inner()).map_err(|error| config(error.to_string()))?;
            if let Some(when) = fields.get_mut("when") {
                *when = conditions(when.take());
            }
            let fields = fields.as_object().cloned().unwrap_or_default();
            if let Some(key) = fields.get("name") {
                return Err(config(format!("parameter `{name}`: its name is the word before `=`, not `name = {key}`")));
            }
            space = space.with(Parameter::from_json(&name, &fields).map_err(|error| config(error.to_string()))?);
        }
        for text in &self.constraints {
            space = space.constrain(text.parse::<Constraint>().map_err(|error| Error::config(error.to_string()))?);
        }
        space.validate().map_err(|error| Error::config(error.to_string()))?;
        Ok(space)
    }
}

/// `{ kernel = "poly", depth = [1, 2] }` as the list that the engine reads; what has its form already stays.
fn conditions(when: Json) -> Json {
    match when {
        Json::Object(fields) if !fields.contains_key("param") => {
            let condition = |(parameter, values): (String, Json)| match values {
                Json::Array(values) => json!({ "param": parameter, "in": values }),
                value => json!({ "param": parameter, "in": [value] }),
            };
            Json::Array(fields.into_iter().map(condition).collect())
        }
        other => other,
    }
}
