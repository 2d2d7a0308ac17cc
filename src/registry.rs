//! The models, metrics and transforms that a binary holds.
//!
//! `build.rs` lists the files of `src/models`, `src/metrics` and `src/transforms`; a downstream crate adds its own by [`Registry::with`].

use medalist_search::{Params, SearchSpace};
use serde_json::Value as State;

use crate::error::{Error, Kind, Result};
use crate::metric::{About, Metric, Settings};
use crate::model::{AnyModel, AnyPredictor, Input, InputKind, Model, load_erased};
use crate::table::{Column, Table};
use crate::target::Task;
use crate::transform::{AnyTransform, FittedTransform, Transform};

/// A registered model.
pub struct ModelEntry {
    pub name: String,
    pub about: &'static str,
    pub input: InputKind,
    pub tasks: &'static [Task],
    pub interruptible: bool,
    pub tells_size: bool,
    pub shows_steps: bool,
    /// Its own parameters, without the model's name in front.
    pub space: SearchSpace,
    build: fn(&Params) -> Result<Box<dyn AnyModel>>,
    load: fn(&State) -> Result<Box<dyn AnyPredictor>>,
}

impl ModelEntry {
    /// The model with these parameters (names as in `space`).
    ///
    /// # Errors
    /// When a parameter is unknown, out of range or of the wrong type.
    pub fn build(&self, params: &Params) -> Result<Box<dyn AnyModel>> {
        (self.build)(params)
    }

    /// A predictor that was saved: see [`Model::load`].
    ///
    /// # Errors
    /// When the state is not one of this model, or it cannot be saved at all.
    pub fn load(&self, state: &State) -> Result<Box<dyn AnyPredictor>> {
        (self.load)(state)
    }
}

/// A registered metric.
pub struct MetricEntry {
    pub name: String,
    pub about: About,
    build: fn(&Settings) -> Result<Box<dyn Metric>>,
}

impl MetricEntry {
    /// # Errors
    /// When a setting is unknown or out of range.
    pub fn build(&self, settings: &Settings) -> Result<Box<dyn Metric>> {
        (self.build)(settings)
    }
}

/// A metric by one of its names.
pub struct NamedMetric<'a> {
    pub entry: &'a MetricEntry,
    /// The settings that the name stands for.
    pub preset: Settings,
}

impl NamedMetric<'_> {
    /// # Errors
    /// When a setting is unknown, out of range, or one that the name stands for already.
    pub fn build(&self, settings: &Settings) -> Result<Box<dyn Metric>> {
        let mut all = self.preset.clone();
        for (key, value) in &settings.0 {
            if all.0.insert(key.clone(), value.clone()).is_some() {
                let name = &self.entry.name;
                return Err(Error::config(format!("the metric's name says what `{key}` is, and so does [metric]"))
                    .help(format!("leave one out: the plain name is `{name}`")));
            }
        }
        self.entry.build(&all)
    }
}

/// A registered transform.
pub struct TransformEntry {
    pub name: String,
    pub about: &'static str,
    pub inputs: &'static [InputKind],
    pub order: u32,
    /// Whether it may run once over all training rows: see [`Transform::ROWWISE`].
    pub rowwise: bool,
    /// What it learns: see [`Transform::LEARNS`].
    pub learns: &'static str,
    /// Its own parameters, without `prep.` in front.
    pub space: SearchSpace,
    concerns: fn(&Column) -> bool,
    build: fn(&Params) -> Result<Box<dyn AnyTransform>>,
    load: fn(&State) -> Result<Box<dyn FittedTransform>>,
}

impl TransformEntry {
    /// Whether one of the table's columns, as they are read, is such as it changes.
    pub fn concerns(&self, table: &Table) -> bool {
        table.columns().iter().any(|column| (self.concerns)(column))
    }

    /// # Errors
    /// When a parameter is unknown, out of range or of the wrong type.
    pub fn build(&self, params: &Params) -> Result<Box<dyn AnyTransform>> {
        (self.build)(params)
    }

    /// A fitted transform that was saved: see [`Transform::load`].
    ///
    /// # Errors
    /// When the state is not one of this transform, or it cannot be saved at all.
    pub fn load(&self, state: &State) -> Result<Box<dyn FittedTransform>> {
        (self.load)(state)
    }
}

/// Everything that can be named on a command line or in `competition.toml`.
#[derive(Default)]
pub struct Registry {
    pub models: Vec<ModelEntry>,
    pub metrics: Vec<MetricEntry>,
    /// In the order in which they are applied.
    pub transforms: Vec<TransformEntry>,
}

impl Registry {
    /// Adds a model; one of the same name is replaced.
    pub fn with<M: Model>(mut self, name: &str) -> Registry {
        self.add_model::<M>(name);
        self
    }

    pub fn with_metric<M: Metric + 'static>(mut self, name: &str) -> Registry {
        self.add_metric::<M>(name);
        self
    }

    pub fn with_transform<T: Transform>(mut self, name: &str) -> Registry {
        self.add_transform::<T>(name);
        self
    }

    pub(crate) fn add_model<M: Model>(&mut self, name: &str) {
        self.models.retain(|entry| entry.name != name);
        self.models.push(ModelEntry {
            name: name.to_string(),
            about: M::ABOUT,
            input: M::Input::KIND,
            tasks: M::TASKS,
            interruptible: M::INTERRUPTIBLE,
            tells_size: M::TELLS_SIZE,
            shows_steps: M::SHOWS_STEPS,
            space: M::space(),
            build: |params| Ok(Box::new(M::from_params(params)?)),
            load: load_erased::<M>,
        });
    }

    pub(crate) fn add_metric<M: Metric + 'static>(&mut self, name: &str) {
        self.metrics.retain(|entry| entry.name != name);
        self.metrics.push(MetricEntry {
            name: name.to_string(),
            about: M::about(),
            build: |settings| Ok(Box::new(M::from_settings(settings)?)),
        });
    }

    pub(crate) fn add_transform<T: Transform>(&mut self, name: &str) {
        self.transforms.retain(|entry| entry.name != name);
        self.transforms.push(TransformEntry {
            name: name.to_string(),
            about: T::ABOUT,
            inputs: T::INPUTS,
            order: T::ORDER,
            rowwise: T::ROWWISE,
            learns: T::LEARNS,
            space: T::space(),
            concerns: T::concerns,
            build: |params| Ok(Box::new(T::from_params(params)?)),
            load: T::load,
        });
        self.transforms.sort_by(|a, b| (a.order, &a.name).cmp(&(b.order, &b.name)));
    }

    /// # Errors
    /// When there is no such model: names the nearest.
    pub fn model(&self, name: &str) -> Result<&ModelEntry> {
        let found = self.models.iter().find(|entry| entry.name == name);
        found.ok_or_else(|| unknown("model", name, self.models.iter().map(|entry| entry.name.as_str()), Kind::Usage))
    }

    /// The metric of this name or alias.
    ///
    /// # Errors
    /// When there is no such metric: names the nearest.
    pub fn metric(&self, name: &str) -> Result<NamedMetric<'_>> {
        if let Some(entry) = self.metrics.iter().find(|entry| entry.name == name) {
            return Ok(NamedMetric { entry, preset: Settings::default() });
        }
        let mut aliased = self.metrics.iter().filter_map(|entry| Some((entry, entry.about.settings_of(name)?)));
        if let Some((entry, preset)) = aliased.next() {
            return Ok(NamedMetric { entry, preset });
        }
        let mut known: Vec<&str> = self.metrics.iter().map(|entry| entry.name.as_str()).collect();
        self.metrics.iter().for_each(|entry| entry.about.names().for_each(|alias| known.push(alias)));
        Err(unknown("metric", name, known.into_iter(), Kind::Config))
    }

    /// # Errors
    /// When there is no such transform: names the nearest.
    pub fn transform(&self, name: &str) -> Result<&TransformEntry> {
        let found = self.transforms.iter().find(|entry| entry.name == name);
        let known = self.transforms.iter().map(|entry| entry.name.as_str());
        found.ok_or_else(|| unknown("transform", name, known, Kind::Usage))
    }
}

fn unknown<'a>(noun: &str, name: &str, known: impl Iterator<Item = &'a str>, kind: Kind) -> Error {
    let error = Error::new(kind, format!("there is no {noun} `{name}`"));
    match crate::nearest(name, known) {
        Some(near) => error.help(format!("did you mean `{near}`? `medalist {noun}s` lists them")),
        None => error.help(format!("`medalist {noun}s` lists them")),
    }
}
