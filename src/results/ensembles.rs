//! Ensembles in the store: each is a study of one trial, so that leaderboards, submissions and comparisons know it without a rule of their own.

use std::collections::{BTreeMap, BTreeSet};

use medalist_search::{Attachment, Catalogue, FoldScore, Origin, Params, Store, StudySpec, Trial, TrialState, Value};

use super::{counted, slug};
use crate::competition::Competition;
use crate::ensemble::{Ensemble, Member, Recipe};
use crate::error::{Error, Result};
use crate::evaluate::{MADE_BY, MadeBy, OUT_OF_FOLD};
use crate::metric::Metric;
use crate::predictions::Predictions;
use crate::split::{Fold, fingerprint};

/// The name of the members among a trial's attachments.
const ENSEMBLE: &str = "ensemble";
/// Members at most: the best of each model first, then whatever is best.
const MAX_MEMBERS: usize = 40;
const MAX_OF_A_MODEL: usize = 5;
/// Bytes that the members' predictions may take at most.
const MAX_BYTES: usize = 512 << 20;

/// Whether a study is an ensemble.
pub fn is_ensemble(spec: &StudySpec) -> bool {
    spec.problem[ENSEMBLE] == true
}

/// The trials of these studies that may become members, with their out-of-fold predictions: the first look at each point, on these folds.
///
/// # Errors
/// When the store cannot be read.
pub fn candidates(
    store: &dyn Store,
    studies: &[StudySpec],
    competition: &Competition,
    folds: &[Fold],
) -> Result<Vec<Member>> {
    let on_folds = fingerprint(folds);
    let mut trials: Vec<(&StudySpec, Trial)> = Vec::new();
    for spec in studies.iter().filter(|spec| !is_ensemble(spec) && spec.problem["folds"] == on_folds.as_str()) {
        let complete = |trial: &Trial| trial.state == TrialState::Complete && trial.look() == 0;
        trials.extend(counted(store, &spec.name)?.into_iter().filter(complete).map(|trial| (spec, trial)));
    }
    trials.sort_by(|(a, one), (b, other)| {
        let scores = (one.score.unwrap_or(f64::NAN), other.score.unwrap_or(f64::NAN));
        a.direction.compare(scores.0, scores.1).then_with(|| a.name.cmp(&b.name)).then(one.number.cmp(&other.number))
    });
    // A point asked for twice gives the same predictions twice.
    let mut seen = BTreeSet::new();
    trials.retain(|(_, trial)| seen.insert(trial.folds.iter().map(|fold| fold.score.to_bits()).collect::<Vec<_>>()));
    let mut of_model: BTreeMap<String, usize> = BTreeMap::new();
    let (mut first, mut rest) = (Vec::new(), Vec::new());
    for (spec, trial) in trials {
        let n = of_model.entry(trial.params.text("model").unwrap_or_default().to_string()).or_default();
        *n += 1;
        if *n <= MAX_OF_A_MODEL { first.push((spec, trial)) } else { rest.push((spec, trial)) }
    }
    let (mut members, mut n_bytes) = (Vec::new(), 0);
    for (spec, trial) in first.into_iter().chain(rest).take(MAX_MEMBERS) {
        let Some(bytes) = store.attachment(&spec.name, trial.number, OUT_OF_FOLD)? else { continue };
        let outputs = Predictions::from_bytes(&bytes)?.outputs;
        if outputs.len() != competition.targets.len()
            || outputs.iter().any(|output| output.nrows() != competition.n_train_rows())
        {
            continue;
        }
        n_bytes += outputs.iter().map(|output| 8 * output.len()).sum::<usize>();
        if n_bytes > MAX_BYTES && members.len() >= 2 {
            break;
        }
        members.push(Member { name: format!("{}/{}", spec.name, trial.number), outputs });
    }
    Ok(members)
}

/// Writes an ensemble as the study `name` in place of the one that was there.
///
/// # Errors
/// When a study of that name is no ensemble, or the store cannot be written.
pub fn keep_ensemble(
    store: &dyn Catalogue,
    competition: &Competition,
    metric: &dyn Metric,
    folds: &[Fold],
    name: &str,
    ensemble: &Ensemble,
    recipe: &Recipe,
) -> Result<(StudySpec, Trial)> {
    if let Some(there) = store.studies()?.iter().find(|spec| spec.name == name) {
        if !is_ensemble(there) || slug(there) != competition.slug {
            let error = Error::usage(format!("study `{name}` is no ensemble of `{}`", competition.slug));
            return Err(error.help("give the ensemble another `--name`"));
        }
        store.delete_study(name)?;
    }
    let mut spec = StudySpec::new(name, metric.direction());
    spec.problem = crate::plan::problem(competition, metric, folds, None);
    spec.problem[ENSEMBLE] = true.into();
    spec.n_folds = ensemble.nested.scores.len();
    let mut params = Params::default();
    params.insert("model", Value::from(ENSEMBLE));
    params.insert("kind", Value::from(ensemble.kind.name()));
    params.insert("n_members", Value::Int(recipe.members.len() as i64));
    let mut seconds = 0.0;
    for member in &recipe.members {
        seconds += super::find_trial(store, &member.trial)?.1.seconds;
    }
    let score =
        |(fold, &score): (usize, &f64)| FoldScore { objective: 0, repeat: 0, fold: fold as u32, score, seconds: 0.0 };
    let trial = Trial {
        number: 0,
        params,
        origin: Origin::Enqueued,
        state: TrialState::Complete,
        folds: ensemble.nested.scores.iter().enumerate().map(score).collect(),
        score: Some(ensemble.nested.mean()),
        others: Vec::new(),
        stages: None,
        steps: Vec::new(),
        seconds,
        created: spec.created.clone(),
        seen: Vec::new(),
    };
    let attached = |name: &str, bytes: Vec<u8>| Attachment { name: name.to_string(), bytes };
    let predictions = Predictions { outputs: ensemble.nested.outputs.clone() };
    let attachments = vec![
        attached(OUT_OF_FOLD, predictions.to_bytes()?),
        attached(MADE_BY, MadeBy::current().to_bytes()),
        attached(ENSEMBLE, recipe.to_bytes()?),
    ];
    store.put_study(&spec)?;
    super::keep_folds(store, &spec, folds, competition.features.n_rows())?;
    super::keep_data(store, &spec, competition)?;
    store.put_trials(name, &[(trial.clone(), attachments)])?;
    Ok((spec, trial))
}

/// Who is in an ensemble; none where the study is something else.
///
/// # Errors
/// When the store cannot be read.
pub fn recipe(store: &dyn Store, spec: &StudySpec) -> Result<Option<Recipe>> {
    if !is_ensemble(spec) {
        return Ok(None);
    }
    store.attachment(&spec.name, 0, ENSEMBLE)?.map(|bytes| Recipe::from_bytes(&bytes)).transpose()
}
