//! A fitted model as it is kept: what its transforms and its predictor have learned, and the columns that it wants.
//!
//! The bytes are a line that names the format, then deflated JSON.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use ndarray::Array2;
use serde::{Deserialize, Serialize};
use serde_json::Value as State;

use crate::competition::{Competition, KnownColumn};
use crate::error::{Error, Result};
use crate::metric::TargetScale;
use crate::model::{AnyPredictor, InputKind};
use crate::prepare;
use crate::registry::Registry;
use crate::table::Table;
use crate::transform::FittedTransform;

/// The version of the form.
const VERSION: u32 = 1;
const HEAD: &[u8] = b"medalist model\n";

/// A fitted model, or the fitted models of all folds, whose mean predicts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedModel {
    /// Of this form.
    version: u32,
    /// The version of the program.
    pub medalist: String,
    pub competition: String,
    /// Of the data and settings that it was fitted on.
    pub fingerprint: String,
    /// The model's name.
    pub model: String,
    /// The feature columns, in their order.
    pub columns: Vec<KnownColumn>,
    /// The names of the targets, each with its labels.
    pub targets: Vec<(String, Vec<String>)>,
    /// See [`Competition::tensor`].
    tensor: Option<Vec<usize>>,
    /// On which the outputs are, before they are brought back.
    scale: TargetScale,
    /// By fitted model, then by target.
    parts: Vec<Vec<SavedTarget>>,
}

/// What was fitted for one target.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SavedTarget {
    /// By name, in the order in which they are applied.
    transforms: Vec<(String, State)>,
    predictor: State,
}

impl SavedTarget {
    /// # Errors
    /// When the model, or one of the transforms, cannot be saved: names it.
    pub fn new(
        model: &str,
        steps: &[(String, Box<dyn FittedTransform>)],
        predictor: &dyn AnyPredictor,
    ) -> Result<SavedTarget> {
        let cannot = |what: String| {
            let error = Error::usage(format!("{what} cannot be saved: it does not say what it has learned"));
            error.help("it needs `save` and `load`; without `--save` the submission is written all the same")
        };
        let transforms = steps.iter().map(|(name, step)| {
            let state = step.save().ok_or_else(|| cannot(format!("transform `{name}`")))?;
            Ok((name.clone(), state))
        });
        let transforms = transforms.collect::<Result<_>>()?;
        let predictor = predictor.save().ok_or_else(|| cannot(format!("model `{model}`")))?;
        Ok(SavedTarget { transforms, predictor })
    }
}

impl SavedModel {
    pub fn new(competition: &Competition, model: &str, scale: TargetScale, parts: Vec<Vec<SavedTarget>>) -> SavedModel {
        SavedModel {
            version: VERSION,
            medalist: env!("CARGO_PKG_VERSION").to_string(),
            competition: competition.slug.clone(),
            fingerprint: competition.fingerprint.clone(),
            model: model.to_string(),
            columns: competition.features.columns().iter().map(|column| KnownColumn::of(column)).collect(),
            targets: competition.targets.iter().map(|target| (target.name.clone(), target.labels.to_vec())).collect(),
            tensor: competition.tensor().map(<[usize]>::to_vec),
            scale,
            parts,
        }
    }

    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let unexpected = |message: String| Error::unexpected(format!("the model cannot be written: {message}"));
        let json = serde_json::to_vec(self).map_err(|error| unexpected(error.to_string()))?;
        let mut deflated = DeflateEncoder::new(HEAD.to_vec(), Compression::default());
        deflated.write_all(&json).map_err(|error| unexpected(error.to_string()))?;
        deflated.finish().map_err(|error| unexpected(error.to_string()))
    }

    /// # Errors
    /// When the bytes are no model, are damaged, or were written by a newer version.
    pub fn from_bytes(bytes: &[u8]) -> Result<SavedModel> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let damaged = |what: String| {
            let error = Error::data(format!("the saved model is damaged: {what}"));
            error.help("`medalist submit --save` saves it again")
        };
        let deflated = bytes.strip_prefix(HEAD).ok_or_else(|| damaged("it does not begin as one".to_string()))?;
        let mut json = Vec::new();
        DeflateDecoder::new(deflated).read_to_end(&mut json).map_err(|error| damaged(error.to_string()))?;
        let versioned: Versioned = serde_json::from_slice(&json).map_err(|error| damaged(error.to_string()))?;
        if versioned.version != VERSION {
            let message = format!("the saved model has form {}, this program knows {VERSION}", versioned.version);
            return Err(Error::data(message).help("update the program, or save the model again"));
        }
        serde_json::from_slice(&json).map_err(|error| damaged(error.to_string()))
    }

    /// The model, ready to predict.
    ///
    /// # Errors
    /// When this program has no such model or transform, or has it in another form.
    pub fn load(&self, registry: &Registry) -> Result<LoadedModel> {
        let entry = registry.model(&self.model)?;
        let mut parts = Vec::new();
        for part in &self.parts {
            let mut targets = Vec::new();
            for target in part {
                let mut steps = Vec::new();
                for (name, state) in &target.transforms {
                    let known = registry.transforms.iter().find(|entry| entry.name == *name);
                    let known = known.ok_or_else(|| Error::usage(format!("there is no transform `{name}`")))?;
                    let of_step =
                        |error: Error| Error { message: format!("transform `{name}`: {}", error.message), ..error };
                    steps.push(known.load(state).map_err(of_step)?);
                }
                let of_model =
                    |error: Error| Error { message: format!("model `{}`: {}", self.model, error.message), ..error };
                let predictor = entry.load(&target.predictor).map_err(of_model)?;
                targets.push(LoadedTarget { steps, predictor });
            }
            parts.push(targets);
        }
        Ok(LoadedModel { input: entry.input, tensor: self.tensor.clone(), scale: self.scale, parts })
    }
}

/// A saved model that can predict.
pub struct LoadedModel {
    input: InputKind,
    tensor: Option<Vec<usize>>,
    scale: TargetScale,
    parts: Vec<Vec<LoadedTarget>>,
}

struct LoadedTarget {
    steps: Vec<Box<dyn FittedTransform>>,
    predictor: Box<dyn AnyPredictor>,
}

impl LoadedModel {
    /// One matrix (n_rows, n_outputs) per target, on its own scale. `rows`: the columns that the model was fitted on.
    ///
    /// # Errors
    /// When the rows have other columns, or the model cannot predict them.
    pub fn predict(&self, rows: &Table) -> Result<Vec<Array2<f64>>> {
        let predicted = |target: &LoadedTarget| {
            let mut table = rows.clone();
            for step in &target.steps {
                table = step.transform(&table)?;
            }
            let input = prepare::input(self.input, table, self.tensor.as_deref())?;
            Ok(unscaled(self.scale, target.predictor.predict(&input)?))
        };
        let parts = self.parts.iter().map(|targets| targets.iter().map(predicted).collect::<Result<Vec<_>>>());
        let parts = parts.collect::<Result<Vec<_>>>()?;
        mean(parts).ok_or_else(|| Error::data("the saved model holds no model"))
    }
}

/// The mean of several models' outputs, each one matrix per target: summed in order, so that it is the same on any number of threads.
pub fn mean(parts: Vec<Vec<Array2<f64>>>) -> Option<Vec<Array2<f64>>> {
    let n_parts = parts.len() as f64;
    let mut parts = parts.into_iter();
    let mut sums = parts.next()?;
    for part in parts {
        sums.iter_mut().zip(&part).for_each(|(sum, output)| *sum += output);
    }
    if n_parts > 1.0 {
        sums.iter_mut().for_each(|sum| *sum /= n_parts);
    }
    Some(sums)
}

/// Outputs of a model that was fitted on this scale, on the target's own.
pub fn unscaled(scale: TargetScale, mut outputs: Array2<f64>) -> Array2<f64> {
    match scale {
        TargetScale::Identity => {}
        TargetScale::Log => outputs.mapv_inplace(f64::exp),
        TargetScale::Log1p => outputs.mapv_inplace(f64::exp_m1),
    }
    outputs
}
