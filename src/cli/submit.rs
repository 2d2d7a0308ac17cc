//! `submit`, `validate` and `grade`: from a trial to a file that Kaggle accepts, and what a file is worth.

use std::path::PathBuf;

use medalist_search::{Attachment, SqliteStore, Store, StudySpec, Trial, TrialState};
use ndarray::Array2;
use serde_json::json;

use super::Session;
use super::args::{GradeArgs, SubmitArgs, ValidateArgs};
use super::output::{self, Format};
use super::run::thread_pool;
use crate::competition::Competition;
use crate::error::{Error, Kind, Result};
use crate::evaluate::{self, Evaluation};
use crate::metric::Metric;
use crate::predictions::Predictions;
use crate::reporter::say;
use crate::results;
use crate::saved::SavedModel;
use crate::submission::{self, Provenance};
use crate::workspace::Workspace;

/// Faults that are printed; the rest are counted.
const MAX_FAULTS: usize = 20;

/// Which model predicts the test rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum How {
    /// One fitted on all training rows.
    Refit,
    /// The mean over the fold models.
    Average,
}

impl How {
    pub fn name(self) -> &'static str {
        match self {
            How::Refit => "refit",
            How::Average => "average",
        }
    }

    fn attachment(self) -> &'static str {
        match self {
            How::Refit => results::TEST_REFIT,
            How::Average => results::TEST_AVERAGE,
        }
    }

    /// The name of the saved model among a trial's attachments.
    pub fn model(self) -> &'static str {
        match self {
            How::Refit => results::MODEL_REFIT,
            How::Average => results::MODEL_AVERAGE,
        }
    }
}

pub fn submit(session: &Session, args: &SubmitArgs) -> Result<()> {
    let workspace = session.workspace()?;
    let store = workspace.store()?;
    let pool = thread_pool(args.jobs)?;
    let competition = pool.install(|| workspace.load(&args.slug, &session.registry))?;
    let metric = competition.metric(&session.registry)?;
    let of_ensemble = args.ensemble.as_ref().map(|name| format!("{name}/0"));
    let named = args.trial.as_deref().or(of_ensemble.as_deref());
    let (spec, trial) = find(&store, &competition, metric.as_ref(), named)?;
    if of_ensemble.is_some() && !results::is_ensemble(&spec) {
        let error = Error::usage(format!("study `{}` is no ensemble", spec.name));
        return Err(error
            .help(format!("`medalist submit {} --trial {}/NUMBER` hands in one of its trials", args.slug, spec.name)));
    }
    results::check_data(&spec, &competition)?;
    check_complete(&spec, &trial)?;
    let folds = results::folds(&store, &spec, &competition)?;
    let deadline = evaluate::deadline(None);
    let evaluation = Evaluation::new(&competition, &session.registry, folds, &spec, u64::MAX, deadline)?;
    let how = if args.average { How::Average } else { How::Refit };
    if args.save {
        pool.install(|| save(session, &store, &competition, &evaluation, &spec, &trial, how))?;
    }
    let file = pool.install(|| write(session, &workspace, &store, &competition, &evaluation, &spec, &trial, how))?;
    let shown = file.strip_prefix(&workspace.root).unwrap_or(&file).display().to_string();
    if session.format() == Format::Json {
        let trial = format!("{}/{}", spec.name, trial.number);
        output::print_json(&json!({ "file": shown, "trial": trial, "how": how.name(), "saved": args.save }))?;
    } else {
        output::print(&format!("{shown}\n"))?;
    }
    if competition.dir.join("solution.csv").is_file() {
        session.say(format!("next: medalist grade {} {shown}", args.slug));
    }
    Ok(())
}

/// The trial named, or the best of the studies' choices.
///
/// # Errors
/// When there is none, or it is of another competition.
pub fn find(
    store: &SqliteStore,
    competition: &Competition,
    metric: &dyn Metric,
    named: Option<&str>,
) -> Result<(StudySpec, Trial)> {
    let slug = &competition.slug;
    let (spec, trial) = match named {
        Some(name) => results::find_trial(store, name)?,
        None => {
            let rows = results::rows(store, competition, metric.direction(), None)?;
            let best = rows.iter().find(|row| row.best).ok_or_else(|| {
                Error::new(Kind::NoTrial, format!("no trial of `{slug}` succeeded yet"))
                    .help(format!("`medalist sweep {slug}` makes some"))
            })?;
            results::find_trial(store, &format!("{}/{}", best.study, best.trial))?
        }
    };
    if results::slug(&spec) != *slug {
        let message = format!("study `{}` is about `{}`, not `{slug}`", spec.name, results::slug(&spec));
        return Err(Error::usage(message));
    }
    Ok((spec, trial))
}

/// Fits a trial's model and keeps it in the store, for `predict`; its predictions for the test rows too.
///
/// # Errors
/// When the model cannot be saved, does not predict the same once it is loaded again, or is not the one whose predictions are in the store.
fn save(
    session: &Session,
    store: &SqliteStore,
    competition: &Competition,
    evaluation: &Evaluation,
    spec: &StudySpec,
    trial: &Trial,
    how: How,
) -> Result<()> {
    let name = format!("{}/{}", spec.name, trial.number);
    if results::is_ensemble(spec) {
        let error = Error::usage(format!("{name} is an ensemble, which is not saved as one model"));
        return Err(error.help(format!("`medalist show {name}` names its members: save those")));
    }
    let seed = spec.point_seed(&trial.params);
    let (outputs, model) = match how {
        How::Refit => evaluation.refit_saved(&trial.params, seed)?,
        How::Average => evaluation.average_saved(&trial.params, seed)?,
    };
    let bytes = model.to_bytes()?;
    let loaded = SavedModel::from_bytes(&bytes)?.load(&session.registry)?;
    let test = competition.test.as_ref().map(|test| loaded.predict(&test.features)).transpose()?;
    let same = |a: &[Array2<f64>], b: &[Array2<f64>]| {
        let bits = |outputs: &[Array2<f64>]| -> Vec<u64> {
            outputs.iter().flat_map(|output| output.iter().map(|value| value.to_bits())).collect()
        };
        bits(a) == bits(b)
    };
    if !test.is_some_and(|test| same(&test, &outputs)) {
        return Err(Error::model(format!("model `{}` predicts otherwise once it is saved and loaded", model.model))
            .help("its `save` must hold all that `predict` needs: nothing was saved"));
    }
    if let Some(kept) = store.attachment(&spec.name, trial.number, how.attachment())?
        && !same(&Predictions::from_bytes(&kept)?.outputs, &outputs)
    {
        return Err(Error::model(format!("the model of {name} predicts otherwise than when it was submitted"))
            .help(format!("`medalist rerun {name}` says what changed: nothing was saved")));
    }
    let predictions = Predictions { outputs }.to_bytes()?;
    let size = bytes.len();
    for (name, bytes) in [(how.attachment(), predictions), (how.model(), bytes)] {
        store.put_attachment(&spec.name, trial.number, &Attachment { name: name.to_string(), bytes })?;
    }
    session.say(format!("saved the model of {name} ({:.1} kB): `medalist predict` loads it", size as f64 / 1e3));
    Ok(())
}

/// # Errors
/// When the trial has no score, and so no predictions either.
pub fn check_complete(spec: &StudySpec, trial: &Trial) -> Result<()> {
    if trial.state == TrialState::Complete {
        return Ok(());
    }
    let error = Error::usage(format!("trial {}/{} has no score", spec.name, trial.number));
    Err(error.help(format!("`medalist trials {}` lists those that have one", spec.name)))
}

/// Predicts the test rows with a trial's model, writes the submission and its provenance, and keeps the predictions in the store.
///
/// # Errors
/// When there is no test set, the fit fails, or the file cannot be written.
#[expect(clippy::too_many_arguments, reason = "the stations of the straight line, each needed once")]
pub fn write(
    session: &Session,
    workspace: &Workspace,
    store: &SqliteStore,
    competition: &Competition,
    evaluation: &Evaluation,
    spec: &StudySpec,
    trial: &Trial,
    how: How,
) -> Result<PathBuf> {
    let outputs = test_predictions(session, store, competition, evaluation, spec, trial, how)?;
    let name = format!("{}-{}-{}", spec.name, trial.number, how.name());
    let folder = workspace.submissions(&competition.slug);
    std::fs::create_dir_all(&folder).map_err(|error| Error::io(&folder, &error))?;
    let thresholds = results::thresholds(store, &spec.name, trial.number, competition, evaluation.metric())?;
    let file =
        submission::write(competition, &outputs, &thresholds, &folder.join(format!("{name}.csv")), &session.registry)?;
    let members = results::recipe(store, spec)?.map(|recipe| recipe.members).unwrap_or_default();
    let provenance = Provenance::new(competition, spec, trial, how.name(), members, &file)?;
    submission::write_provenance(&folder.join(format!("{name}.json")), &provenance)?;
    Ok(file)
}

/// A trial's predictions for the test rows: those kept in the store, or made and kept.
///
/// # Errors
/// When there is no test set, or the fit fails.
pub fn test_predictions(
    session: &Session,
    store: &SqliteStore,
    competition: &Competition,
    evaluation: &Evaluation,
    spec: &StudySpec,
    trial: &Trial,
    how: How,
) -> Result<Vec<Array2<f64>>> {
    if let Some(bytes) = store.attachment(&spec.name, trial.number, how.attachment())? {
        return Ok(Predictions::from_bytes(&bytes)?.outputs);
    }
    let seed = spec.point_seed(&trial.params);
    let outputs = match (results::recipe(store, spec)?, how) {
        (Some(recipe), _) => super::ensemble::mixed(session, store, competition, &recipe, how, evaluation.deadline())?,
        (None, How::Refit) => evaluation.refit(&trial.params, seed)?,
        (None, How::Average) => evaluation.average(&trial.params, seed)?,
    };
    let predictions = Predictions { outputs };
    let attachment = Attachment { name: how.attachment().to_string(), bytes: predictions.to_bytes()? };
    store.put_attachment(&spec.name, trial.number, &attachment)?;
    Ok(predictions.outputs)
}

pub fn validate(session: &Session, args: &ValidateArgs) -> Result<()> {
    let competition = session.workspace()?.load(&args.slug, &session.registry)?;
    let checked = submission::validate(&competition, &args.file, &session.registry)?;
    let errors: Vec<String> = checked.faults.iter().map(|fault| fault.to_string()).collect();
    if session.format() == Format::Json {
        output::print_json(&json!({ "valid": errors.is_empty(), "errors": errors }))?;
    } else if errors.is_empty() {
        output::print(&format!("valid: {} rows\n", checked.n_rows))?;
    }
    refuse_invalid(session, &args.file, &errors)
}

pub fn grade(session: &Session, args: &GradeArgs) -> Result<()> {
    let competition = session.workspace()?.load(&args.slug, &session.registry)?;
    let solution = args.solution.clone().unwrap_or_else(|| competition.dir.join("solution.csv"));
    if !solution.is_file() {
        return Err(Error::data("there is no solution to grade against")
            .file(&solution)
            .help("`--solution FILE` names one"));
    }
    let grade = submission::grade(&competition, &args.file, &solution, &session.registry)?;
    if session.format() == Format::Json {
        output::print_json(&json!({
            "score": grade.score,
            "public": grade.public,
            "private": grade.private,
            "valid": grade.valid,
            "errors": grade.errors,
        }))?;
    } else if let (true, Some(score)) = (grade.valid, grade.score) {
        let part = |name: &str, score: Option<f64>| match score {
            Some(score) => format!("{name:8} {}\n", submission::truncate(score)),
            None => String::new(),
        };
        output::print(&(part("score", Some(score)) + &part("public", grade.public) + &part("private", grade.private)))?;
        for error in &grade.errors {
            session.say(error);
        }
    }
    if grade.valid { Ok(()) } else { refuse_invalid(session, &args.file, &grade.errors) }
}

fn refuse_invalid(session: &Session, file: &std::path::Path, errors: &[String]) -> Result<()> {
    let Some(first) = errors.first() else { return Ok(()) };
    if session.format() == Format::Json {
        // The document on stdout holds the errors already.
        session.set_reported();
    } else {
        for error in errors.iter().take(MAX_FAULTS).skip(1) {
            say(error);
        }
        let rest = errors.len().saturating_sub(MAX_FAULTS);
        if rest > 0 {
            say(&format!("and {rest} more faults: `--output json` names them all"));
        }
    }
    Err(Error::submission(first.clone()).file(file))
}
