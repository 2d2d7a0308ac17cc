//! What the store knows about a competition, as rows of its leaderboard.

mod ensembles;
mod estimates;
mod origin;

use std::collections::BTreeMap;
use std::path::Path;

use medalist_search::{Attachment, Catalogue, Params, Store, StudySpec, Trial, TrialState, choice, pareto_front};
use rayon::prelude::*;

use crate::competition::Competition;
use crate::error::{Error, Kind, Result};
use crate::estimate::sample_std;
use crate::evaluate::OUT_OF_FOLD;
use crate::leaderboard::{self, Row};
use crate::metric::{Direction, Metric};
use crate::plan::{Earlier, Plan};
use crate::predictions::Predictions;
use crate::registry::Registry;
use crate::split::{self, Fold};
use crate::submission;
use crate::thresholds::{self, Thresholds};

pub use ensembles::{candidates, is_ensemble, keep_ensemble, recipe};
pub use estimates::estimate;
pub use origin::{Difference, Origin, keep_data};

/// The names under which a trial's test predictions are attached.
pub const TEST_REFIT: &str = "test_refit";
pub const TEST_AVERAGE: &str = "test_average";
/// And those of its saved models.
pub const MODEL_REFIT: &str = "model_refit";
pub const MODEL_AVERAGE: &str = "model_average";
/// The name of the folds' rows among a study's attachments.
const FOLDS: &str = "folds";

/// The slug of the competition that a study is about; empty where it is about a program.
pub fn slug(spec: &StudySpec) -> &str {
    spec.problem["competition"].as_str().unwrap_or_default()
}

/// A study's folds: those written into it when it began, or the competition's where it was begun before studies kept them, or on other data than the present ones.
///
/// # Errors
/// When the store cannot be read, or holds other folds than the study was begun with.
pub fn folds(store: &dyn Store, spec: &StudySpec, competition: &Competition) -> Result<Vec<Fold>> {
    let kept = match check_data(spec, competition) {
        Ok(()) => store.study_attachment(&spec.name, FOLDS)?,
        Err(_) => None,
    };
    let Some(bytes) = kept else { return competition.folds(requested(spec)?.folds) };
    let folds = split::from_bytes(&bytes, competition.features.n_rows())?;
    if spec.problem["folds"] != split::fingerprint(&folds).as_str() {
        let message = format!("the store holds other folds than study `{}` was begun with", spec.name);
        return Err(Error::new(Kind::Store, message).help("the store is damaged: restore a copy of it"));
    }
    Ok(folds)
}

/// The plan as the user asked for it.
///
/// # Errors
/// When a newer version wrote it.
pub fn requested(spec: &StudySpec) -> Result<Plan> {
    serde_json::from_value(spec.requested.clone())
        .map_err(|error| Error::new(Kind::Store, format!("study `{}`: its plan cannot be read: {error}", spec.name)))
}

/// # Errors
/// When the competition's data or settings are not those that the study was begun with.
pub fn check_data(spec: &StudySpec, competition: &Competition) -> Result<()> {
    if spec.problem["data and settings"] == competition.fingerprint.as_str() {
        return Ok(());
    }
    let message = format!("study `{}` was made on other data or settings of `{}`", spec.name, competition.slug);
    Err(Error::config(message).help("put them back, or sweep again"))
}

/// Writes a study's folds into it, once.
///
/// # Errors
/// When the store cannot be read or written.
pub fn keep_folds(store: &dyn Store, spec: &StudySpec, folds: &[Fold], n_rows: usize) -> Result<()> {
    if store.study_attachment(&spec.name, FOLDS)?.is_some() {
        return Ok(());
    }
    let bytes = split::to_bytes(folds, n_rows)?;
    Ok(store.put_study_attachment(&spec.name, &Attachment { name: FOLDS.to_string(), bytes })?)
}

/// The study that a warm start names.
///
/// # Errors
/// When there is none of that name, or the store cannot be read.
pub fn earlier(store: &dyn Store, name: &str) -> Result<Earlier> {
    let spec = find_study(store, name)?;
    let trials = counted(store, name)?;
    Ok(Earlier::Study(Box::new(spec), trials))
}

/// The trials that count: the unbroken prefix of finished ones.
///
/// # Errors
/// When the store cannot be read.
pub fn counted(store: &dyn Store, study: &str) -> Result<Vec<Trial>> {
    let mut trials = store.trials(study)?;
    trials.truncate(medalist_search::counted(&trials).len());
    Ok(trials)
}

/// A trial's row, with what further looks at its point have added; None where it has no score.
pub fn row(spec: &StudySpec, trial: &Trial, further: &[&Trial]) -> Option<Row> {
    if trial.state != TrialState::Complete {
        return None;
    }
    let mut scores: Vec<f64> = trial.folds.iter().map(|fold| fold.score).collect();
    let mut seen = trial.look();
    for look in further {
        // The same folds once more add nothing.
        if look.look() > seen {
            scores.extend(at_stage_of(trial, look));
            seen = look.look();
        }
    }
    let mean = scores.iter().sum::<f64>() / scores.len() as f64;
    let first = scores.iter().take(trial.folds.len()).sum::<f64>() / trial.folds.len() as f64;
    let model = trial.params.text("model").unwrap_or_default().to_string();
    let mut params = Params::default();
    for (name, value) in trial.params.iter().filter(|(name, _)| *name != "model") {
        params.insert(name, value.clone());
    }
    Some(Row {
        rank: 0,
        study: spec.name.clone(),
        trial: trial.number,
        // What the further looks move the mean of the folds by, they move the score by.
        score_mean: if scores.len() == trial.folds.len() { trial.score? } else { mean + (trial.score? - first) },
        score_std: sample_std(&scores),
        n_folds: scores.len(),
        model,
        params,
        seconds: further.iter().fold(trial.seconds, |sum, look| sum + look.seconds),
        created: trial.created.clone(),
        public: None,
        private: None,
        best: false,
        others: others(spec, trial),
        on_front: None,
    })
}

/// The rows of all studies on a competition's present data that are not set aside, ranked; `except` leaves one study out.
///
/// # Errors
/// When the store cannot be read.
pub fn rows(
    store: &dyn Catalogue,
    competition: &Competition,
    direction: Direction,
    except: Option<&str>,
) -> Result<Vec<Row>> {
    let mut left_out = store.archived()?;
    left_out.extend(except.map(str::to_string));
    rows_of_all_but(&left_out, store, competition, direction)
}

/// The same with the studies set aside.
///
/// # Errors
/// When the store cannot be read.
pub fn rows_with_archived(store: &dyn Store, competition: &Competition, direction: Direction) -> Result<Vec<Row>> {
    rows_of_all_but(&[], store, competition, direction)
}

fn rows_of_all_but(
    left_out: &[String],
    store: &dyn Store,
    competition: &Competition,
    direction: Direction,
) -> Result<Vec<Row>> {
    let mut studies = studies_on(store, competition)?;
    studies.retain(|spec| !left_out.contains(&spec.name));
    // Side by side, since what a study chooses may take the fit of a model.
    let rows = studies.par_iter().map(|spec| {
        let trials = counted(store, &spec.name)?;
        Ok(study_rows(spec, &trials, choice(spec, &trials)))
    });
    let rows: Vec<Vec<Row>> = rows.collect::<Result<_>>()?;
    Ok(leaderboard::rank(rows.concat(), direction))
}

/// The fold scores of a further look, at the stage that the first one has chosen: its own best stage would be chosen once more.
fn at_stage_of(trial: &Trial, look: &Trial) -> Vec<f64> {
    if let (Some(first), Some(stages)) = (&trial.stages, &look.stages)
        && let Some(stage) = stages.values.iter().position(|value| Some(value) == trial.params.get(&first.parameter))
    {
        return stages.scores[stage].clone();
    }
    look.folds.iter().map(|fold| fold.score).collect()
}

/// The complete trials of each point, the first of them leading: one where a point was looked at once.
fn looks<'t>(spec: &StudySpec, trials: &'t [Trial]) -> Vec<Vec<&'t Trial>> {
    let complete = trials.iter().filter(|trial| trial.state == TrialState::Complete);
    if spec.looks == 1 {
        return complete.map(|trial| vec![trial]).collect();
    }
    let mut points: Vec<Vec<&Trial>> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for trial in complete {
        let place = *places.entry(trial.asked().to_json()).or_insert(points.len());
        match points.get_mut(place) {
            Some(looks) => looks.push(trial),
            None => points.push(vec![trial]),
        }
    }
    points
}

/// The rows of one study, one a point; its choice is marked, and its front where there are several objectives.
pub fn study_rows(spec: &StudySpec, trials: &[Trial], choice: Option<u64>) -> Vec<Row> {
    let front = (!spec.objectives.is_empty()).then(|| pareto_front(trials, &spec.directions()));
    let looks = looks(spec, trials);
    let chosen =
        looks.iter().find(|looks| looks.iter().any(|look| Some(look.number) == choice)).map(|looks| looks[0].number);
    let rows = looks.iter().filter_map(|looks| row(spec, looks[0], &looks[1..]));
    let marked = |row: Row| Row {
        best: Some(row.trial) == chosen,
        on_front: front.as_ref().map(|front| front.binary_search(&row.trial).is_ok()),
        ..row
    };
    rows.map(marked).collect()
}

/// The names and means of a trial's objectives beyond the score; empty where it is not complete.
pub fn others(spec: &StudySpec, trial: &Trial) -> Vec<(String, f64)> {
    let values = trial.values().unwrap_or_default();
    spec.objectives.iter().zip(values.into_iter().skip(1)).map(|(other, value)| (other.name.clone(), value)).collect()
}

/// The studies on a competition as it is now; those on other data or settings do not compare.
///
/// # Errors
/// When the store cannot be read.
pub fn studies_on(store: &dyn Store, competition: &Competition) -> Result<Vec<StudySpec>> {
    let same = |spec: &StudySpec| {
        slug(spec) == competition.slug && spec.problem["data and settings"] == competition.fingerprint.as_str()
    };
    Ok(store.studies()?.into_iter().filter(same).collect())
}

/// Fills in public and private scores of the rows whose test predictions are stored.
///
/// # Errors
/// When the solution cannot be read or does not fit.
pub fn grade_rows(
    rows: &mut [Row],
    store: &dyn Store,
    competition: &Competition,
    registry: &Registry,
    solution: &Path,
) -> Result<()> {
    let metric = competition.metric(registry)?;
    let folder = tempfile::tempdir().map_err(|error| Error::unexpected(error.to_string()))?;
    let mut grades: BTreeMap<(String, u64), (Option<f64>, Option<f64>)> = BTreeMap::new();
    for row in rows {
        let key = (row.study.clone(), row.trial);
        if !grades.contains_key(&key) {
            let mut parts = (None, None);
            for name in [TEST_REFIT, TEST_AVERAGE] {
                if let Some(bytes) = store.attachment(&row.study, row.trial, name)? {
                    let predictions = Predictions::from_bytes(&bytes)?;
                    let file = submission::write(
                        competition,
                        &predictions.outputs,
                        &thresholds(store, &row.study, row.trial, competition, metric.as_ref())?,
                        &folder.path().join("graded.csv"),
                        registry,
                    )?;
                    let grade = submission::grade(competition, &file, solution, registry)?;
                    parts = (grade.public, grade.private);
                    break;
                }
            }
            grades.insert(key.clone(), parts);
        }
        (row.public, row.private) = grades[&key];
    }
    Ok(())
}

/// The thresholds that a trial's out-of-fold predictions teach, one a target.
///
/// # Errors
/// When the store cannot be read.
pub fn thresholds(
    store: &dyn Store,
    study: &str,
    trial: u64,
    competition: &Competition,
    metric: &dyn Metric,
) -> Result<Vec<Thresholds>> {
    if !thresholds::are_learned(competition, metric) {
        return Ok(Vec::new());
    }
    match store.attachment(study, trial, OUT_OF_FOLD)? {
        Some(bytes) => thresholds::of_out_of_fold(competition, metric, &Predictions::from_bytes(&bytes)?),
        None => Ok(Vec::new()),
    }
}

/// A trial named `STUDY/NUMBER`.
///
/// # Errors
/// When the name has another form, or there is no such study or trial.
pub fn find_trial(store: &dyn Store, name: &str) -> Result<(StudySpec, Trial)> {
    let parts = name.rsplit_once('/').and_then(|(study, number)| Some((study, number.parse::<u64>().ok()?)));
    let (study, number) =
        parts.ok_or_else(|| Error::usage(format!("`{name}` names no trial")).help("a trial is STUDY/NUMBER"))?;
    let spec = find_study(store, study)?;
    let trial = store.trials(study)?.into_iter().find(|trial| trial.number == number);
    let trial = trial.ok_or_else(|| {
        Error::usage(format!("study `{study}` has no trial {number}"))
            .help(format!("`medalist trials {study}` lists them"))
    })?;
    Ok((spec, trial))
}

/// # Errors
/// When there is no such study: the nearest is named.
pub fn find_study(store: &dyn Store, name: &str) -> Result<StudySpec> {
    let mut studies = store.studies()?;
    if let Some(position) = studies.iter().position(|spec| spec.name == name) {
        return Ok(studies.swap_remove(position));
    }
    let error = Error::usage(format!("there is no study `{name}`"));
    Err(match crate::nearest(name, studies.iter().map(|spec| spec.name.as_str())) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("`medalist studies` lists them"),
    })
}
