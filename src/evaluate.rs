//! Where learning and search meet: one fold of one trial, from its parameters to its score.
//!
//! Per fold, transforms and model are fitted on the fold's training rows alone. What is prepared for a fold is shared by all trials that ask for the same preparation.

mod cross_fit;
mod made_by;
mod objective;
mod repeat;
mod test_rows;
mod trial_time;
mod scale;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

use medalist_search::{Cancel, Params, PrunerSpec, Resource, SearchSpace, Seed, StudySpec, TrialError, Value};
use ndarray::Array2;

use crate::competition::Competition;
use crate::error::{Error, Kind, Result};
use crate::fold_cache::{FoldCache, PreparedKey};
use crate::metric::{Metric, TargetScale};
use crate::model::{AnyModel, AnyPredictor, FitContext, Once, Steps, Whole};
use crate::objective::Measure;
use crate::prepare::{self, Prepared};
use crate::registry::{ModelEntry, Registry};
use crate::scoring::Scorer;
use crate::split::Fold;
use crate::table::Table;
use crate::target::Target;
use crate::thresholds::Thresholds;
use crate::transform::{AnyTransform, TransformContext};

pub use made_by::{MADE_BY, MadeBy};
pub use repeat::Repeated;
use trial_time::TrialTime;

/// The name of the out-of-fold predictions among a trial's attachments.
pub const OUT_OF_FOLD: &str = "out_of_fold";

/// A competition ready to score trials: the objective of every study on it.
pub struct Evaluation<'a> {
    competition: &'a Competition,
    registry: &'a Registry,
    metric: Box<dyn Metric>,
    scale: TargetScale,
    folds: Vec<Fold>,
    /// Those of further looks at a point, drawn when they are first wanted.
    further: Vec<OnceLock<Result<Vec<Fold>>>>,
    space: SearchSpace,
    /// What is measured beside the score.
    measures: Vec<Measure>,
    /// Whether a pruner looks at the steps of a fit.
    judges_steps: bool,
    /// The study's seed: preparation is the same for all its trials.
    seed: Seed,
    cache: FoldCache,
    /// All training rows as trees want them, by the parameters of the transforms.
    wholes: Mutex<BTreeMap<String, Option<Arc<Whole>>>>,
    study_once: Once,
    /// How long a trial may take, where anything is said.
    trial_time: Option<TrialTime>,
    /// Cuts a running fit off; unlike the executor's token, a first Ctrl-C leaves it alone, so that running folds finish.
    deadline: Cancel,
}

/// A trial's parameters, taken apart.
struct Point<'a> {
    entry: &'a ModelEntry,
    model: Params,
    prep: Params,
    /// The model's staged parameter and the values wanted of it, ascending.
    staged: Option<(String, Vec<Value>)>,
}

/// What may end a fit early.
#[derive(Clone, Copy)]
struct Watch<'a> {
    cancel: &'a Cancel,
    /// Of the study's pruner, where it looks at steps.
    steps: Option<&'a dyn Steps>,
}

/// One fold of a trial, or of one of its stages: predictions, and what the further objectives measure.
#[derive(Default)]
struct Predicted {
    /// One matrix per target.
    outputs: Vec<Array2<f64>>,
    n_features: usize,
    /// None where a model cannot say.
    size: Option<u64>,
}

impl<'a> Evaluation<'a> {
    /// `memory`: bytes that prepared folds may take before those not in use are dropped.
    ///
    /// # Errors
    /// When the metric cannot be built, the target does not fit its scale, or an objective of the study is unknown.
    pub fn new(
        competition: &'a Competition,
        registry: &'a Registry,
        folds: Vec<Fold>,
        spec: &StudySpec,
        memory: u64,
        deadline: Cancel,
    ) -> Result<Self> {
        let (space, seed) = (spec.space.clone(), Seed::new(spec.seed));
        let measures = spec.objectives.iter().map(|objective| Measure::from_name(&objective.name));
        let measures = measures.collect::<Result<Vec<_>>>()?;
        let metric = competition.metric(registry)?;
        let scale = competition.target_scale(metric.as_ref());
        let cache = FoldCache::new(memory);
        let study_once = Once::default();
        Ok(Evaluation {
            competition,
            registry,
            metric,
            scale,
            folds,
            further: (1..spec.looks).map(|_| OnceLock::new()).collect(),
            space,
            measures,
            // Of several targets there is a score only when all are fitted.
            judges_steps: spec.prune_on == Resource::Steps
                && spec.pruner != PrunerSpec::None
                && competition.targets.len() == 1,
            seed,
            cache,
            wholes: Mutex::default(),
            study_once,
            trial_time: None,
            deadline,
        })
    }

    /// The same with a limit on the time of each trial: one that takes longer fails.
    pub fn with_trial_time(self, limit: Option<Duration>) -> Self {
        Evaluation { trial_time: limit.map(TrialTime::new), ..self }
    }

    /// The same with this alone to cut a fit off.
    pub fn until(self, deadline: Cancel) -> Self {
        Evaluation { deadline, trial_time: None, ..self }
    }

    /// What cuts its fits off.
    pub fn deadline(&self) -> &Cancel {
        &self.deadline
    }

    pub fn metric(&self) -> &dyn Metric {
        self.metric.as_ref()
    }

    pub fn folds(&self) -> &[Fold] {
        &self.folds
    }

    fn folds_of(&self, look: u32) -> Result<&[Fold]> {
        let Some(further) = look.checked_sub(1) else { return Ok(&self.folds) };
        let cell = self.further.get(further as usize);
        let cell = cell.ok_or_else(|| Error::unexpected(format!("there are no folds for look {look}")))?;
        let folds = cell.get_or_init(|| self.competition.folds_of_look(&self.folds, look));
        folds.as_deref().map_err(Error::clone)
    }

    /// Fits and predicts one fold: one prediction per trial (or stage).
    ///
    /// `watch` cuts off the fit; what others may be waiting for too, `deadline` alone does.
    fn predict_fold(
        &self,
        point: &Point,
        look: u32,
        number: usize,
        seed: Seed,
        watch: Watch,
    ) -> Result<Vec<Predicted>> {
        let fold = &self.folds_of(look)?[number];
        let number = look as usize * self.folds.len() + number;
        let model = point.build()?;
        if !point.entry.interruptible {
            let estimate = model.estimate_seconds(fold.train.len(), self.competition.features.columns().len());
            let is_longer = |seconds: f64, left: Option<Duration>| {
                left.is_some_and(|left| Duration::try_from_secs_f64(seconds).is_ok_and(|estimate| estimate > left))
            };
            match estimate {
                Some(seconds) if is_longer(seconds, self.deadline.remaining()) => {
                    return Err(Error::new(Kind::Interrupted, "would not be done in the time left"));
                }
                Some(seconds) if is_longer(seconds, watch.cancel.remaining()) => {
                    return Err(trial_time::would_be_too_long(&point.entry.name, seconds));
                }
                _ => {}
            }
        }
        let weights = self.weights(&fold.train);
        let mut predicted: Vec<Predicted> = Vec::new();
        for target in 0..self.competition.targets.len() {
            let key = PreparedKey::new(number, target, point.entry.input, &point.prep);
            let prepared = self.cache.get(key, || {
                if let Some(whole) = self.whole(point)? {
                    return Ok(Prepared::of_rows(&whole, &fold.train, &fold.valid));
                }
                let train = self.competition.features.take(&fold.train);
                let scored = self.competition.features.take(&fold.valid);
                let seed = self.preparation_seed(number);
                self.prepare(point.entry, &point.prep, &train, target, &fold.train, &scored, seed)
            })?;
            let y = self.target(target, point.entry)?.take(&fold.train);
            let predictor = self.fit(model.as_ref(), &prepared, &y, weights.as_deref(), seed, target, watch)?;
            let raw = point.predict(predictor.as_ref(), &prepared)?;
            if target == 0 {
                predicted.resize_with(raw.len(), || Predicted { size: Some(0), ..Predicted::default() });
            }
            for (stage, (predicted, raw)) in predicted.iter_mut().zip(raw).enumerate() {
                predicted.outputs.push(self.unscale(raw));
                predicted.n_features = predicted.n_features.max(prepared.train.n_features());
                let size = predictor.size(point.stage(stage));
                predicted.size = predicted.size.zip(size).map(|(sum, size)| sum + size);
            }
        }
        Ok(predicted)
    }

    /// `train`: the competition's `rows`.
    #[expect(clippy::too_many_arguments, reason = "the inputs of the whole preparation, each of another type")]
    fn prepare(
        &self,
        entry: &ModelEntry,
        prep: &Params,
        train: &Table,
        target: usize,
        rows: &[u32],
        scored: &Table,
        seed: Seed,
    ) -> Result<Prepared> {
        // On the scale on which models fit it; an ordinal target's classes stay classes, since the preparation is shared by all models.
        let y = self.scaled(&self.competition.targets[target].target).take(rows);
        let (tensor, weights) = (self.competition.tensor(), self.weights(rows));
        let (kind, weights) = (entry.input, weights.as_deref());
        let (registry, cancel) = (self.registry, &self.deadline);
        let Some(learned) = &self.competition.learned else {
            return prepare::prepare(registry, kind, prep, train, &y, weights, scored, tensor, seed, cancel);
        };
        let ctx = TransformContext { weights, seed: seed.child("recipes", 0), cancel };
        let fitted = learned.fit(train, &y, &ctx)?;
        let (train, scored) = (fitted.transform_train(train)?, fitted.transform(scored)?);
        prepare::prepare(registry, kind, prep, &train, &y, weights, &scored, tensor, seed, cancel)
    }

    /// All training rows prepared once for all folds, where that is possible.
    fn whole(&self, point: &Point) -> Result<Option<Arc<Whole>>> {
        if self.competition.learned.is_some() {
            return Ok(None);
        }
        let mut wholes = self.wholes.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let key = format!("{:?} {}", point.entry.input, point.prep);
        if let Some(whole) = wholes.get(&key) {
            return Ok(whole.clone());
        }
        let seed = self.seed.child("prepare whole", 0);
        let (input, features) = (point.entry.input, &self.competition.features);
        let whole = prepare::whole(self.registry, input, &point.prep, features, seed, &self.deadline)?;
        wholes.insert(key, whole.clone());
        Ok(whole)
    }

    fn preparation_seed(&self, fold: usize) -> Seed {
        self.seed.child("prepare", fold as u64)
    }

    #[expect(clippy::too_many_arguments, reason = "what a fit is made of, each of another type")]
    fn fit(
        &self,
        model: &dyn AnyModel,
        prepared: &Prepared,
        y: &Target,
        weights: Option<&[f64]>,
        seed: Seed,
        target: usize,
        watch: Watch,
    ) -> Result<Box<dyn AnyPredictor>> {
        let ctx = FitContext {
            weights,
            seed,
            cancel: watch.cancel,
            scored: Some(&prepared.scored),
            fold_once: &prepared.once,
            study_once: &self.study_once,
            namespace: String::new(),
            steps: None,
        };
        let ctx = FitContext { steps: watch.steps, ..ctx.child("target", target as u64) };
        model.fit(&prepared.train, y, &ctx)
    }

    fn weights(&self, rows: &[u32]) -> Option<Vec<f64>> {
        let weights = self.competition.weights.as_ref()?;
        Some(rows.iter().map(|&row| weights[row as usize]).collect())
    }

    /// What the study's further objectives are here.
    fn measured(&self, predicted: &Predicted, model: &str) -> Result<Vec<f64>, TrialError> {
        let measured = |measure: &Measure| match (measure, predicted.size) {
            (Measure::NFeatures, _) => Ok(predicted.n_features as f64),
            (Measure::ModelSize, Some(size)) => Ok(size as f64),
            (Measure::ModelSize, None) => {
                Err(TrialError::Failed(format!("model `{model}` cannot say how large it is")))
            }
        };
        self.measures.iter().map(measured).collect()
    }

    /// Mean of the targets' scores on the rows given; no thresholds: by the plain decoding.
    fn score(&self, rows: &[u32], outputs: &[Array2<f64>], thresholds: &[Thresholds]) -> Result<f64> {
        Scorer { competition: self.competition, metric: self.metric.as_ref() }.score(rows, outputs, thresholds)
    }

    /// Takes apart the parameters of trials that differ at most in a staged parameter.
    fn point(&self, trials: &[&Params]) -> Result<Point<'a>> {
        let params = trials[0];
        let name = params.text("model")?;
        let entry = self.registry.model(name)?;
        let mut model = params.strip(name);
        let staged = entry.space.parameters().iter().find(|parameter| parameter.staged);
        let staged = match staged {
            None => None,
            Some(parameter) => {
                let full_name = format!("{name}.{}", parameter.name);
                let mut stages = Vec::new();
                for params in trials {
                    stages.extend(params.get(&full_name).cloned());
                }
                if stages.is_empty() {
                    // Not sampled: all its levels are wanted of the one fit.
                    let declared = self.space.get(&full_name).unwrap_or(parameter);
                    stages = declared.levels.clone();
                }
                let last = stages.last().cloned().unwrap_or_else(|| parameter.default.clone());
                model.insert(parameter.name.as_str(), last);
                Some((full_name, stages))
            }
        };
        Ok(Point { entry, model, prep: params.strip("prep"), staged })
    }
}

impl Point<'_> {
    /// The value of the staged parameter that a prediction of [`Point::predict`] has.
    fn stage(&self, place: usize) -> Option<&Value> {
        self.staged.as_ref().and_then(|(_, stages)| stages.get(place))
    }

    fn build(&self) -> Result<Box<dyn AnyModel>> {
        self.entry.build(&self.model)
    }

    fn predict(&self, predictor: &dyn AnyPredictor, prepared: &Prepared) -> Result<Vec<Array2<f64>>> {
        match &self.staged {
            Some((_, stages)) if !stages.is_empty() => predictor.predict_staged(&prepared.scored, stages),
            _ => Ok(vec![predictor.predict(&prepared.scored)?]),
        }
    }
}

/// A token that only the end of the time sets, never a first Ctrl-C.
pub fn deadline(time: Option<Duration>) -> Cancel {
    match time {
        Some(time) => Cancel::new().with_deadline(Instant::now() + time),
        None => Cancel::new(),
    }
}

fn trial_error(error: &Error) -> TrialError {
    match error.kind {
        Kind::Interrupted => TrialError::Cancelled,
        _ => TrialError::Failed(error.to_string()),
    }
}
