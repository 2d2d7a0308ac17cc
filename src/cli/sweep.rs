//! `sweep` and `resume`: the main job, from a competition's folder to a leaderboard and a submission.

mod ending;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use medalist_search::{Cancel, Reporter, SqliteStore, StudySpec, Trial};
use rayon::ThreadPool;
use serde_json::json;

use super::args::{ResumeArgs, SweepArgs};
use ending::Ending;

use super::ensemble::{Mixture, mixing_seconds};
use super::estimate::estimate_seconds;
use super::output::{self, Format};
use super::reserve::Reserve;
use super::run::{self, Begun, Bounds, Ended, thread_pool};
use super::{Session, board, catalogue, describe, plot};
use crate::competition::Competition;
use crate::error::{Error, Kind, Result};
use crate::estimate::Estimate;
use crate::evaluate::Evaluation;
use crate::leaderboard;
use crate::plan::{self, Earlier, Plan, Search};
use crate::reporter::{All, LeaderboardFiles};
use crate::results;
use crate::split::Fold;
use crate::workspace::Workspace;

/// Rows of the leaderboard that a sweep prints at its end.
const TOP: usize = 10;
/// Prepared folds are kept up to this many bytes where `--memory` says nothing.
const DEFAULT_CACHE: u64 = 1 << 30;

/// Draws of the rows that tell what the choice is worth.
const N_DRAWS: usize = 200;

/// A study about to run.
struct Job<'a> {
    workspace: Workspace,
    store: SqliteStore,
    competition: &'a Competition,
    folds: Vec<Fold>,
    spec: StudySpec,
    bounds: Bounds,
    /// Whether a submission is written at the end.
    submission: bool,
    /// Whether the trials are mixed at the end.
    ensemble: bool,
    pool: Arc<ThreadPool>,
    /// When the command began: its time counts from there.
    started: Instant,
}

pub fn sweep(session: &Session, args: &SweepArgs) -> Result<()> {
    let started = Instant::now();
    let mut plan = args.plan();
    let slug = if args.target.ends_with(".toml") {
        let path = Path::new(&args.target);
        plan = plan.or(Plan::read(path)?);
        let slug = plan.competition.clone();
        slug.ok_or_else(|| {
            Error::config("the plan names no `competition`").file(path).help("add `competition = \"SLUG\"`")
        })?
    } else {
        args.target.clone()
    };
    plan.competition = Some(slug.clone());
    let in_plan = |error: Error| if args.plan() == Plan::default() { of_plan_file(error, &args.target) } else { error };
    let at = |key: &str| {
        let key = key.to_string();
        move |error: Error| in_plan(Error { message: format!("`{key}`: {}", error.message), ..error })
    };
    let bounds = Bounds {
        n_trials: plan.n_trials(),
        time: plan.time().map_err(at("time"))?,
        jobs: plan.jobs,
        memory: plan.memory().map_err(at("memory"))?,
        until_flat: plan.until_flat(),
        reserve: None,
    };
    plan.trial_time().map_err(at("trial_time"))?;
    let workspace = session.workspace()?;
    explain_unbuilt(session, &workspace, &plan).map_err(in_plan)?;
    let pool = thread_pool(bounds.jobs).map_err(in_plan)?;
    let competition = pool.install(|| workspace.load(&slug, &session.registry)).map_err(in_plan)?;
    let metric = competition.metric(&session.registry)?;
    let folds = competition.folds(plan.folds)?;
    let earlier = match &plan.warm_start {
        Some(name) => results::earlier(&workspace.store()?, name).map_err(in_plan)?,
        None => Earlier::Nothing,
    };
    let spec = plan.study(&competition, &session.registry, metric.as_ref(), &folds, &earlier).map_err(in_plan)?;
    describe::announce(session, &competition, &folds, &spec, metric.as_ref());
    if args.dry_run {
        describe::search(session, &spec, &[]);
        return dry_run(session, &spec, &bounds);
    }
    let store = workspace.store()?;
    let (submission, ensemble) = (!args.no_submission, !args.no_ensemble);
    let job =
        Job { workspace, store, competition: &competition, folds, spec, bounds, submission, ensemble, pool, started };
    job.run(session)
}

/// An error of usage lies in the plan file where that is all that was given.
fn of_plan_file(error: Error, target: &str) -> Error {
    if target.ends_with(".toml") && error.kind == Kind::Usage && error.file.is_none() {
        return Error { kind: Kind::Config, ..error.file(target) };
    }
    error
}

pub fn resume(session: &Session, args: &ResumeArgs) -> Result<()> {
    let started = Instant::now();
    let store = session.store()?;
    let stored = results::find_study(&store, &args.study)?;
    if let Some(command) = stored.requested["command"].as_str() {
        let message = format!("study `{}` runs a program", stored.name);
        return Err(Error::usage(message).help(format!("the command that began it continues it: {command}")));
    }
    if results::is_ensemble(&stored) {
        let error = Error::usage(format!("study `{}` is an ensemble: there is nothing to continue", stored.name));
        return Err(error.help(format!("`medalist ensemble {}` makes it anew", results::slug(&stored))));
    }
    let plan = results::requested(&stored)?;
    let asked = Plan {
        trials: args.trials,
        time: args.time.clone(),
        jobs: args.jobs,
        memory: args.memory.clone(),
        until_flat: args.until_flat.then_some(true).or(plan.until_flat),
        ..Plan::default()
    };
    let time = asked.time()?;
    // A time limit was for the run that was given it; a number of trials is what the study is to reach.
    let n_trials = match (asked.trials, time) {
        (Some(trials), _) => Some(trials),
        (None, Some(_)) => None,
        (None, None) => plan.n_trials(),
    };
    let (jobs, memory) = (asked.jobs, asked.memory()?);
    let bounds = Bounds { n_trials, time, jobs, memory, until_flat: asked.until_flat(), reserve: None };
    let pool = thread_pool(bounds.jobs)?;
    let workspace = session.workspace()?;
    let slug = results::slug(&stored).to_string();
    let competition = pool.install(|| workspace.load(&slug, &session.registry))?;
    let metric = competition.metric(&session.registry)?;
    let folds = results::folds(&store, &stored, &competition)?;
    let search = Some(Search::of(&stored.sampler)?);
    // What may have another default in this version is what it was.
    let (window, looks) = (Some(stored.window), Some(stored.looks));
    let plan =
        Plan { study: Some(stored.name.clone()), trials: asked.trials.or(plan.trials), search, window, looks, ..plan };
    let earlier = Earlier::Same(stored.prior.clone());
    let spec = plan.study(&competition, &session.registry, metric.as_ref(), &folds, &earlier)?;
    describe::announce(session, &competition, &folds, &spec, metric.as_ref());
    let (submission, ensemble) = (!args.no_submission, !args.no_ensemble);
    let job =
        Job { workspace, store, competition: &competition, folds, spec, bounds, submission, ensemble, pool, started };
    job.run(session)
}

impl Job<'_> {
    fn run(self, session: &Session) -> Result<()> {
        let Job { workspace, store, competition, folds, spec, bounds, submission, ensemble, pool, started } = self;
        let begun = Begun::new(session, &store, &workspace.locks(), &spec)?;
        results::keep_folds(&store, &spec, &folds, competition.features.n_rows())?;
        results::keep_data(&store, &spec, competition)?;
        let stop = run::stop_on_signals("the running folds", || {})?;
        let mixes = ensemble && spec.objectives.is_empty();
        let metric = competition.metric(&session.registry)?;
        let reserve = bounds.time.map(|time| {
            let jobs = pool.current_num_threads();
            let mixing = mixes.then(|| mixing_seconds(competition, metric.as_ref(), jobs));
            let judging = estimate_seconds(competition, metric.as_ref(), jobs);
            Reserve::new(started + time, time, spec.direction, jobs, mixing, judging)
        });
        // A half for what is kept between fits, a half for the fits that run.
        let cache = bounds.memory.map_or(DEFAULT_CACHE, |memory| memory / 2);
        let bounds = Bounds { memory: bounds.memory.map(|memory| memory - cache), ..bounds };
        let until = |reserve: &Reserve| Cancel::new().with_deadline(reserve.end()).with_reserve(reserve.nanoseconds());
        // Never a first Ctrl-C: running folds finish.
        let deadline = reserve.as_ref().map_or_else(Cancel::new, |reserve| until(reserve).child());
        let evaluation = Evaluation::new(competition, &session.registry, folds.clone(), &spec, cache, deadline)?;
        let evaluation = evaluation.with_trial_time(plan::trial_time(&spec));
        let folder = workspace.submissions(&competition.slug);
        let mut others = results::rows(&store, competition, spec.direction, Some(&spec.name))?;
        let mut known = others.clone();
        known.extend(results::study_rows(&spec, &begun.before, None));
        // What further looks add is in the files that are written at the end.
        let row = |trial: &Trial| (trial.look() == 0).then(|| results::row(&spec, trial, &[])).flatten();
        let files = LeaderboardFiles::new(folder.clone(), spec.direction, known, row);
        let bounds = Bounds {
            time: bounds.time.map(|time| time.saturating_sub(started.elapsed())),
            reserve: reserve.as_ref().map(Reserve::nanoseconds),
            ..bounds
        };
        let mut reporters: Vec<&dyn Reporter> = vec![&files];
        reporters.extend(reserve.as_ref().map(|reserve| reserve as &dyn Reporter));
        let ended = begun.run(&evaluation, &bounds, &pool, &stop, &All(reporters))?;

        let ending = Ending {
            session,
            workspace: &workspace,
            store: &store,
            competition,
            folds: &folds,
            spec: &spec,
            pool: &pool,
            reserve: reserve.as_ref(),
        };
        let mixture = if mixes && !ended.interrupted {
            let name = format!("{}-ensemble", spec.name);
            others.retain(|row| row.study != name);
            ending.mix(&name)?
        } else {
            None
        };
        let mut rows = others;
        rows.extend(results::study_rows(&spec, &ended.trials, ended.outcome.best));
        if let Some((spec, trial)) = mixture.as_ref().and_then(|mixture| mixture.kept.as_ref()) {
            rows.extend(results::study_rows(spec, std::slice::from_ref(trial), Some(trial.number)));
        }
        let rows = leaderboard::rank(rows, spec.direction);
        leaderboard::write_files(&folder, &rows)?;
        let mut written = vec![folder.join("leaderboard.csv"), folder.join("leaderboard.md")];
        if let (Some(best), true, true) = (ended.best(), submission, competition.test.is_some()) {
            written.push(ending.hand_in(evaluation, best, mixture.as_ref())?);
        }
        let estimate = if spec.objectives.is_empty() { ending.estimate(mixture.as_ref()) } else { None };
        let results = Results {
            estimate: estimate.as_ref(),
            ended: &ended,
            mixture: mixture.as_ref(),
            rows: &rows,
            written: &written,
        };
        report(session, &workspace, competition, &spec, &results)?;
        ended.verdict(&spec, &format!("`medalist resume {}` continues", spec.name))
    }
}

/// What a sweep came to.
struct Results<'a> {
    ended: &'a Ended,
    mixture: Option<&'a Mixture>,
    /// Of what is handed in.
    estimate: Option<&'a Estimate>,
    /// Of the leaderboard.
    rows: &'a [leaderboard::Row],
    /// Files.
    written: &'a [PathBuf],
}

/// The end of a sweep: the leaderboard, the files written, and what to type next.
fn report(
    session: &Session,
    workspace: &Workspace,
    competition: &Competition,
    spec: &StudySpec,
    results: &Results,
) -> Result<()> {
    let Results { ended: Ended { outcome, trials, .. }, mixture, estimate, rows, written } = *results;
    let relative = |path: &PathBuf| path.strip_prefix(&workspace.root).unwrap_or(path).display().to_string();
    let files: Vec<String> = written.iter().map(relative).collect();
    if session.format() == Format::Json {
        output::print_json(&json!({
            "study": spec.name,
            "counted": outcome.n_counted,
            "failed": outcome.n_failed,
            "pruned": outcome.n_pruned,
            "flat": outcome.flat,
            "best": outcome.best.map(|number| format!("{}/{number}", spec.name)),
            "ensemble": mixture.map(Mixture::json),
            "estimate": estimate,
            "leaderboard": leaderboard::to_json(rows),
            "files": files,
        }))?;
    } else {
        output::print(&board::text(&board::top(rows, TOP), session.format()))?;
    }
    if let Some(line) = plot::best_line(spec.direction, trials, output::stderr_width()) {
        session.tell("best", line);
    }
    if let Some(mixture) = mixture {
        mixture.tell_kept(session);
    }
    if let Some(estimate) = estimate {
        session.say(super::estimate::line(estimate));
    }
    files.iter().for_each(|file| session.say(format!("wrote {file}")));
    let submission = files.iter().find(|file| file.ends_with(".csv") && !file.ends_with("leaderboard.csv"));
    let solution = competition.dir.join("solution.csv").is_file();
    session.say(match submission {
        Some(file) if solution => format!("next: medalist grade {} {file}", competition.slug),
        Some(file) => format!("next: hand in {file}, or see `medalist leaderboard {}`", competition.slug),
        None => format!("next: medalist leaderboard {}", competition.slug),
    });
    Ok(())
}

fn dry_run(session: &Session, spec: &StudySpec, bounds: &Bounds) -> Result<()> {
    let n_trials = bounds.n_trials(spec)?;
    let n_fits = n_trials.map(|n_trials| plan::n_fits(spec, n_trials)).transpose()?;
    if session.format() == Format::Json {
        return output::print_json(&json!({
            "study": spec.name,
            "search": spec.sampler,
            "pruner": spec.pruner,
            "prune_on": spec.prune_on,
            "seed": spec.seed,
            "window": spec.window,
            "folds": spec.n_folds,
            "trials": n_trials,
            "fits": n_fits,
            "space": spec.space,
        }));
    }
    let mut text = catalogue::space(&spec.space);
    text += &match (n_trials, n_fits) {
        (Some(n_trials), Some(n_fits)) => {
            format!("study {}: {n_trials} trials, {} folds, {n_fits} fits\n", spec.name, spec.n_folds)
        }
        _ => format!("study {}: as many trials as the time allows, {} fits each\n", spec.name, spec.n_folds),
    };
    output::print(&text)
}

/// A model whose file is there, but not in this binary: say how to build it.
fn explain_unbuilt(session: &Session, workspace: &Workspace, plan: &Plan) -> Result<()> {
    for name in plan.models.iter().flatten() {
        if session.registry.model(name).is_ok() {
            continue;
        }
        let file = workspace.root.join("src/models").join(format!("{name}.rs"));
        let package = workspace.root.join("models").join(name);
        let found = if file.is_file() {
            Some((file, "cargo run --release -- sweep".to_string()))
        } else if package.join("Cargo.toml").is_file() {
            Some((package, format!("cargo run --release --manifest-path models/{name}/Cargo.toml -- sweep")))
        } else {
            None
        };
        if let Some((file, command)) = found {
            let slug = plan.competition.as_deref().unwrap_or("SLUG");
            return Err(Error::usage(format!("model `{name}` is not in this binary yet"))
                .file(file)
                .help(format!("`{command} {slug} --models {name}` rebuilds with it")));
        }
    }
    Ok(())
}
