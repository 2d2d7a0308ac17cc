//! `ensemble`, and the end of every sweep: trials mixed, where that is worth more than the best of them.

use std::collections::BTreeMap;

use medalist_search::{Catalogue, SqliteStore, Store, StudySpec, Trial, TrialState};
use ndarray::Array2;
use rayon::prelude::*;
use serde_json::{Value, json};

use super::Session;
use super::args::EnsembleArgs;
use super::output::{self, Format, Listing};
use super::reserve::fit_seconds;
use super::run::thread_pool;
use super::submit::{self, How, test_predictions};
use crate::competition::Competition;
use crate::ensemble::{self, Ensemble, Kind, Pool, Recipe};
use crate::error::{Error, Kind as Fault, Result};
use crate::evaluate::{self, Evaluation};
use crate::leaderboard::short;
use crate::metric::{Metric, Needs};
use crate::plan;
use crate::results;
use crate::search::{Cancel, Seed};
use crate::split::Fold;

pub fn ensemble(session: &Session, args: &EnsembleArgs) -> Result<()> {
    let workspace = session.workspace()?;
    let store = workspace.store()?;
    let pool = thread_pool(args.jobs)?;
    let competition = pool.install(|| workspace.load(&args.slug, &session.registry))?;
    let metric = competition.metric(&session.registry)?;
    let studies = studies(&store, &competition, &args.studies)?;
    let best = best(&store, &studies)?.ok_or_else(|| {
        Error::new(Fault::NoTrial, format!("no trial of `{}` succeeded yet", args.slug))
            .help(format!("`medalist sweep {}` makes some", args.slug))
    })?;
    let folds = results::folds(&store, best, &competition)?;
    let name = args.name.clone().unwrap_or_else(|| format!("{}-ensemble", args.slug));
    let asked = Asked {
        store: &store,
        competition: &competition,
        metric: metric.as_ref(),
        folds: &folds,
        studies: &studies,
        name: plan::checked_name(&name)?,
        kind: args.kind,
        keep: args.keep,
        seed: args.seed,
    };
    let mixture = pool.install(|| asked.mix())?;
    let mut file = None;
    if let (Some((spec, trial)), true, false) = (&mixture.kept, competition.test.is_some(), args.no_submission) {
        let deadline = evaluate::deadline(None);
        let evaluation = Evaluation::new(&competition, &session.registry, folds.clone(), spec, u64::MAX, deadline)?;
        let how = if args.average { How::Average } else { How::Refit };
        let written =
            pool.install(|| submit::write(session, &workspace, &store, &competition, &evaluation, spec, trial, how))?;
        file = Some(written.strip_prefix(&workspace.root).unwrap_or(&written).display().to_string());
    }
    if session.format() == Format::Json {
        let mut json = mixture.json();
        json["file"] = json!(file);
        return output::print_json(&json);
    }
    mixture.listing().print(session.format())?;
    mixture.tell(session);
    if let Some(file) = file {
        session.say(format!("wrote {file}"));
    }
    Ok(())
}

/// What is to be mixed, and under which name it is kept.
pub struct Asked<'a> {
    pub store: &'a SqliteStore,
    pub competition: &'a Competition,
    pub metric: &'a dyn Metric,
    /// Members must have been scored on these.
    pub folds: &'a [Fold],
    pub studies: &'a [StudySpec],
    pub name: &'a str,
    /// None: all that make sense, and the best of them.
    pub kind: Option<Kind>,
    /// Even where it is no better than noise.
    pub keep: bool,
    pub seed: u64,
}

/// What mixing came to.
pub struct Mixture {
    names: Vec<String>,
    /// The score of the best single member, chosen for each fold by the others.
    single: f64,
    tried: Vec<Ensemble>,
    best: usize,
    /// The study and trial as which the best one is kept.
    pub kept: Option<(StudySpec, Trial)>,
}

impl Asked<'_> {
    /// # Errors
    /// When there are too few trials to mix, or the store cannot be read or written.
    pub fn mix(&self) -> Result<Mixture> {
        let members = results::candidates(self.store, self.studies, self.competition, self.folds)?;
        let seed = Seed::new(self.seed).child("ensemble", 0);
        let pool = Pool::new(self.competition, self.metric, self.folds, members, seed)?;
        let kinds = self.kind.map_or_else(|| pool.kinds(), |kind| vec![kind]);
        let single = pool.single()?;
        let tried = kinds.iter().map(|&kind| pool.ensemble(kind, &single)).collect::<Result<Vec<_>>>()?;
        // The first of equals.
        let gains = tried.iter().enumerate().map(|(number, ensemble)| (number, ensemble.gain.mean));
        let best =
            gains.reduce(|best, other| if other.1 > best.1 { other } else { best }).map_or(0, |(number, _)| number);
        let winner = tried.get(best).filter(|winner| winner.gain.is_real() || self.keep);
        let keep = |winner: &Ensemble| {
            let recipe = winner.recipe(pool.names());
            let Asked { store, competition, metric, folds, name, .. } = *self;
            results::keep_ensemble(store, competition, metric, folds, name, winner, &recipe)
        };
        let kept = winner.map(keep).transpose()?;
        Ok(Mixture { names: pool.names().to_vec(), single: single.mean(), tried, best, kept })
    }
}

impl Asked<'_> {
    /// At the end of a sweep: what was kept before is replaced or goes, and a fault is told, for the sweep itself is done.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn mix_if_possible(&self, session: &Session) -> Result<Option<Mixture>> {
        let there = self.store.studies()?.into_iter().find(|spec| spec.name == self.name);
        if there.is_some_and(|spec| results::is_ensemble(&spec)) {
            self.store.delete_study(self.name)?;
        }
        match self.mix() {
            Ok(mixture) => Ok(Some(mixture)),
            Err(error) if error.kind == Fault::Usage => Ok(None),
            Err(error) if error.kind == Fault::Store => Err(error),
            Err(error) => {
                session.say(format!("no ensemble: {error}"));
                Ok(None)
            }
        }
    }
}

impl Mixture {
    /// Seconds that the members' fits on all rows are expected to take on one thread.
    pub fn fit_seconds(&self, store: &SqliteStore) -> Result<f64> {
        let mut seconds = 0.0;
        if let Some((spec, _)) = &self.kept
            && let Some(recipe) = results::recipe(store, spec)?
        {
            for member in &recipe.members {
                seconds += fit_seconds(&results::find_trial(store, &member.trial)?.1);
            }
        }
        Ok(seconds)
    }

    pub fn json(&self) -> Value {
        let kinds = self.tried.iter().map(|ensemble| {
            json!({
                "kind": ensemble.kind, "score": ensemble.nested.mean(), "gain": ensemble.gain.mean,
                "standard_error": ensemble.gain.standard_error, "members": ensemble.recipe(&self.names).members,
            })
        });
        let kept = self.kept.as_ref().map(|(spec, trial)| format!("{}/{}", spec.name, trial.number));
        json!({
            "candidates": self.names.len(), "single": self.single, "kinds": kinds.collect::<Vec<_>>(), "kept": kept,
        })
    }

    fn listing(&self) -> Listing {
        let mut listing = Listing::new(&["ensemble", "score", "gain", "standard_error", "members"]);
        let mut row = |cells: [String; 5]| listing.push(cells.to_vec(), Value::Null);
        row(["best single trial".to_string(), short(self.single), String::new(), String::new(), "1".to_string()]);
        for ensemble in &self.tried {
            let members = ensemble.recipe(&self.names).members.len().to_string();
            let (score, gain) = (short(ensemble.nested.mean()), short(ensemble.gain.mean));
            row([ensemble.kind.name().to_string(), score, gain, short(ensemble.gain.standard_error), members]);
        }
        listing
    }

    fn tell(&self, session: &Session) {
        session.say(format!(
            "of {} trials; each fold is scored by what the others taught, the single trial too; gain: above 0 is better",
            self.names.len()
        ));
        self.tell_kept(session);
    }

    /// Which one is kept and who is in it, or that none is.
    pub fn tell_kept(&self, session: &Session) {
        let (Some((spec, trial)), Some(best)) = (&self.kept, self.tried.get(self.best)) else {
            let n = self.names.len();
            return session
                .say(format!("no ensemble of {n} trials beats the best of them by more than noise: none is kept"));
        };
        session.say(format!(
            "ensemble {}/{}: {} {} to the best single trial's {}, both by what other folds taught",
            spec.name,
            trial.number,
            best.kind.name(),
            short(best.nested.mean()),
            short(self.single),
        ));
        for share in best.recipe(&self.names).members {
            session.say(format!("  {:.3}  {}", share.weight, share.trial));
        }
    }
}

/// Seconds that mixing a sweep's trials takes at most on so many threads: as measured for 40 of them, a row and output.
pub fn mixing_seconds(competition: &Competition, metric: &dyn Metric, jobs: usize) -> f64 {
    // Ranks are mixed too, and each mixture is sorted.
    let seconds = if metric.needs() == Needs::Scores { 9e-4 } else { 2.5e-4 };
    let n_rows = competition.n_train_rows().min(ensemble::MAX_ROWS);
    let n_outputs: usize = competition.targets.iter().map(|column| column.labels.len().max(1)).sum();
    seconds * (n_rows * n_outputs) as f64 / jobs as f64
}

/// Those named, or all on the competition's present data that are not set aside.
fn studies(store: &SqliteStore, competition: &Competition, named: &[String]) -> Result<Vec<StudySpec>> {
    if named.is_empty() {
        let archived = store.archived()?;
        let mut studies = results::studies_on(store, competition)?;
        studies.retain(|spec| !archived.contains(&spec.name) && !results::is_ensemble(spec));
        return Ok(studies);
    }
    let find = |name: &String| {
        let spec = results::find_study(store, name)?;
        if results::slug(&spec) != competition.slug {
            let message = format!("study `{name}` is about `{}`, not `{}`", results::slug(&spec), competition.slug);
            return Err(Error::usage(message));
        }
        results::check_data(&spec, competition)?;
        Ok(spec)
    };
    named.iter().map(find).collect()
}

/// The study that holds the best trial: members must have been scored on its folds.
fn best<'a>(store: &SqliteStore, studies: &'a [StudySpec]) -> Result<Option<&'a StudySpec>> {
    let mut best: Option<(f64, &StudySpec)> = None;
    for spec in studies {
        let complete = |trial: &Trial| trial.state == TrialState::Complete;
        let scores = results::counted(store, &spec.name)?.into_iter().filter(complete).filter_map(|trial| trial.score);
        for score in scores {
            if best.is_none_or(|(seen, _)| spec.direction.better(score, seen)) {
                best = Some((score, spec));
            }
        }
    }
    Ok(best.map(|(_, spec)| spec))
}

/// An ensemble's predictions for the test rows: those of its members, mixed.
///
/// # Errors
/// When a member is gone, or its fit fails.
pub fn mixed(
    session: &Session,
    store: &SqliteStore,
    competition: &Competition,
    recipe: &Recipe,
    how: How,
    deadline: &Cancel,
) -> Result<Vec<Array2<f64>>> {
    let mut members = Vec::new();
    let mut evaluations: BTreeMap<String, Evaluation> = BTreeMap::new();
    for share in &recipe.members {
        let (spec, trial) = results::find_trial(store, &share.trial)?;
        if !evaluations.contains_key(&spec.name) {
            let folds = results::folds(store, &spec, competition)?;
            let (registry, deadline) = (&session.registry, deadline.clone());
            let evaluation = Evaluation::new(competition, registry, folds, &spec, u64::MAX, deadline)?;
            evaluations.insert(spec.name.clone(), evaluation);
        }
        members.push((share.weight, spec, trial));
    }
    let predict = |(weight, spec, trial): &(f64, StudySpec, Trial)| {
        let evaluation = &evaluations[&spec.name];
        Ok((*weight, test_predictions(session, store, competition, evaluation, spec, trial, how)?))
    };
    let outputs: Vec<Result<_>> = members.par_iter().map(predict).collect();
    ensemble::mix(competition, recipe.form, recipe.scale, &outputs.into_iter().collect::<Result<Vec<_>>>()?)
}
