//! `sweep` and `resume`: the main job, from a competition's folder to a leaderboard and a submission.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use medalist_search::{
    Cancel, Limits, Seed, SqliteStore, Store, StudyLock, StudyOutcome, StudySpec, Trial, TrialState, best,
};
use rayon::ThreadPool;
use serde_json::json;

use super::args::{ResumeArgs, SweepArgs};
use super::output::{self, Format};
use super::{Session, board, describe, submit};
use crate::competition::Competition;
use crate::error::{Error, Kind, Result};
use crate::evaluate::{self, Evaluation};
use crate::leaderboard;
use crate::plan::{self, Plan};
use crate::reporter::{All, LeaderboardFiles, Progress, Verbosity, duration, say};
use crate::results;
use crate::split::Fold;
use crate::workspace::Workspace;

/// The beginning of the names of the pool's threads.
pub const WORKER: &str = "medalist-worker";

/// Rows of the leaderboard that a sweep prints at its end.
const TOP: usize = 10;
/// Prepared folds are kept up to this many bytes where `--memory` says nothing.
const DEFAULT_CACHE: u64 = 1 << 30;

/// How a run of a study is limited, and what it leaves behind; none of it changes a result.
struct Run {
    n_trials: Option<u64>,
    time: Option<Duration>,
    jobs: Option<usize>,
    memory: Option<u64>,
    submission: bool,
}

/// A study about to run.
struct Job<'a> {
    workspace: Workspace,
    store: SqliteStore,
    competition: &'a Competition,
    folds: Vec<Fold>,
    spec: StudySpec,
    run: Run,
    pool: Arc<ThreadPool>,
}

pub fn sweep(session: &Session, args: &SweepArgs) -> Result<()> {
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
    let run = Run {
        n_trials: plan.n_trials(),
        time: plan.time()?,
        jobs: plan.jobs,
        memory: plan.memory()?,
        submission: !args.no_submission,
    };
    let workspace = session.workspace()?;
    explain_unbuilt(session, &workspace, &plan)?;
    let pool = thread_pool(run.jobs)?;
    let competition = pool.install(|| workspace.load(&slug, &session.registry))?;
    let metric = competition.metric(&session.registry)?;
    let folds = competition.folds(plan.folds)?;
    let spec = plan.study(&competition, &session.registry, metric.as_ref(), &folds)?;
    describe::announce(session, &competition, &folds, &spec, metric.as_ref());
    if args.dry_run {
        return dry_run(session, &spec, run.n_trials);
    }
    let store = workspace.store()?;
    let job = Job { workspace, store, competition: &competition, folds, spec, run, pool };
    job.run(session)
}

pub fn resume(session: &Session, args: &ResumeArgs) -> Result<()> {
    let workspace = session.workspace()?;
    let store = workspace.store()?;
    let stored = results::find_study(&store, &args.study)?;
    let plan = results::requested(&stored)?;
    let asked = Plan {
        trials: args.trials,
        time: args.time.clone(),
        jobs: args.jobs,
        memory: args.memory.clone(),
        ..Plan::default()
    };
    let time = asked.time()?;
    // A time limit was for the run that was given it; a number of trials is what the study is to reach.
    let n_trials = match (asked.trials, time) {
        (Some(trials), _) => Some(trials),
        (None, Some(_)) => None,
        (None, None) => plan.n_trials(),
    };
    let run = Run { n_trials, time, jobs: asked.jobs, memory: asked.memory()?, submission: !args.no_submission };
    let pool = thread_pool(run.jobs)?;
    let slug = results::slug(&stored).to_string();
    let competition = pool.install(|| workspace.load(&slug, &session.registry))?;
    let metric = competition.metric(&session.registry)?;
    let folds = results::folds(&store, &stored, &competition)?;
    let plan = Plan { study: Some(stored.name.clone()), trials: asked.trials.or(plan.trials), ..plan };
    let spec = plan.study(&competition, &session.registry, metric.as_ref(), &folds)?;
    describe::announce(session, &competition, &folds, &spec, metric.as_ref());
    let job = Job { workspace, store, competition: &competition, folds, spec, run, pool };
    job.run(session)
}

impl Job<'_> {
    fn run(self, session: &Session) -> Result<()> {
        let Job { workspace, store, competition, folds, spec, run, pool } = self;
        refuse_changed(&store, &spec)?;
        let _lock = StudyLock::acquire(&workspace.locks(), &spec.name)?;
        store.put_study(&spec)?;
        results::keep_folds(&store, &spec, &folds, competition.features.n_rows())?;
        let before: Vec<Trial> =
            store.trials(&spec.name)?.into_iter().filter(|trial| trial.state.is_finished()).collect();
        if !before.is_empty() {
            session.say(format!("study {} has {} finished trials and goes on", spec.name, before.len()));
        }
        let stop = stop_on_signals()?;
        let started = Instant::now();
        // A half for what is kept between fits, a half for the fits that run.
        let cache = run.memory.map_or(DEFAULT_CACHE, |memory| memory / 2);
        let deadline = evaluate::deadline(run.time);
        let seed = Seed::new(spec.seed);
        let evaluation =
            Evaluation::new(competition, &session.registry, folds, spec.space.clone(), seed, cache, deadline)?;
        let folder = workspace.submissions(&competition.slug);
        let others = results::rows(&store, competition, spec.direction, Some(&spec.name))?;
        let mut known = others.clone();
        known.extend(before.iter().filter_map(|trial| results::row(&spec, trial)));
        let files = LeaderboardFiles::new(folder.clone(), spec.direction, known, |trial| results::row(&spec, trial));
        let n_trials = match (run.n_trials, spec.len()?) {
            (Some(asked), Some(points)) => Some(asked.min(points)),
            (asked, points) => asked.or(points),
        };
        let progress = Progress::new(verbosity(session), spec.direction, n_trials, spec.n_folds, run.time, &before);
        let limits = Limits {
            n_trials: run.n_trials,
            pool: pool.clone(),
            memory: run.memory.map(|memory| memory - cache),
            cancel: match run.time {
                Some(time) => stop.with_deadline(started + time),
                None => stop.clone(),
            },
        };
        let outcome = medalist_search::run(&spec, &store, &evaluation, &limits, &All(vec![&progress, &files]));
        progress.clear();
        let outcome = outcome?;
        let interrupted = stop.is_cancelled();
        let trials = results::counted(&store, &spec.name)?;
        session.say(summary(&spec, &outcome, started.elapsed(), interrupted));

        let mut rows = others;
        rows.extend(results::study_rows(&spec, &trials, spec.direction));
        let rows = leaderboard::rank(rows, spec.direction);
        leaderboard::write_files(&folder, &rows)?;
        let mut written = vec![folder.join("leaderboard.csv"), folder.join("leaderboard.md")];
        let best = best(&trials, spec.direction);
        if let (Some(best), true, true) = (best, run.submission, competition.test.is_some()) {
            // The time was for the search: the chosen model's last fit is not cut off by it.
            let evaluation = evaluation.without_deadline();
            let how = submit::How::Refit;
            let file = pool
                .install(|| submit::write(session, &workspace, &store, competition, &evaluation, &spec, best, how))?;
            written.push(file);
        }
        report(session, &workspace, competition, &spec, &outcome, &rows, &written)?;
        if interrupted {
            let message = format!("interrupted after {} trials", outcome.n_counted);
            return Err(
                Error::new(Kind::Interrupted, message).help(format!("`medalist resume {}` continues", spec.name))
            );
        }
        match best {
            None if outcome.n_counted > 0 => Err(no_trial(&spec, &trials)),
            _ => Ok(()),
        }
    }
}

/// The end of a sweep: the leaderboard, the files written, and what to type next.
fn report(
    session: &Session,
    workspace: &Workspace,
    competition: &Competition,
    spec: &StudySpec,
    outcome: &StudyOutcome,
    rows: &[leaderboard::Row],
    written: &[PathBuf],
) -> Result<()> {
    let relative = |path: &PathBuf| path.strip_prefix(&workspace.root).unwrap_or(path).display().to_string();
    let files: Vec<String> = written.iter().map(relative).collect();
    let top = &rows[..rows.len().min(TOP)];
    if session.format() == Format::Json {
        output::print_json(&json!({
            "study": spec.name,
            "counted": outcome.n_counted,
            "failed": outcome.n_failed,
            "pruned": outcome.n_pruned,
            "best": outcome.best.map(|number| format!("{}/{number}", spec.name)),
            "leaderboard": leaderboard::to_json(rows),
            "files": files,
        }))?;
    } else {
        output::print(&board::text(top, session.format()))?;
    }
    session.say(format!("wrote {}", files.join(", ")));
    let submission = files.iter().find(|file| file.ends_with(".csv") && !file.ends_with("leaderboard.csv"));
    let solution = competition.dir.join("solution.csv").is_file();
    session.say(match submission {
        Some(file) if solution => format!("next: medalist grade {} {file}", competition.slug),
        Some(file) => format!("next: hand in {file}, or see `medalist leaderboard {}`", competition.slug),
        None => format!("next: medalist leaderboard {}", competition.slug),
    });
    Ok(())
}

/// What a run came to; its first number is what `--trials` repeats.
fn summary(spec: &StudySpec, outcome: &StudyOutcome, time: Duration, interrupted: bool) -> String {
    let mut text = format!("study {}: {} trials count", spec.name, outcome.n_counted);
    for (count, word) in [(outcome.n_pruned, "pruned"), (outcome.n_failed, "failed")] {
        if count > 0 {
            text += &format!(", {count} {word}");
        }
    }
    text += &format!(", {}", duration(time));
    if !interrupted && outcome.n_counted > 0 {
        text += &format!("; `--trials {}` gives the same leaderboard", outcome.n_counted);
    }
    text
}

fn no_trial(spec: &StudySpec, trials: &[Trial]) -> Error {
    let reason = trials.iter().find_map(|trial| match &trial.state {
        TrialState::Failed { reason } => Some(format!("trial {} failed with: {reason}", trial.number)),
        _ => None,
    });
    let help = reason.unwrap_or_else(|| format!("`medalist trials {}` lists them", spec.name));
    Error::new(Kind::NoTrial, "no trial succeeded").help(help)
}

/// # Errors
/// When a study of this name exists with another plan, naming what differs.
fn refuse_changed(store: &dyn Store, spec: &StudySpec) -> Result<()> {
    let studies = store.studies()?;
    let Some(stored) = studies.iter().find(|stored| stored.name == spec.name) else { return Ok(()) };
    let differences = stored.difference(spec);
    if differences.is_empty() {
        return Ok(());
    }
    let message = format!("study `{}` was begun with something else: {}", spec.name, differences.join("; "));
    Err(Error::config(message)
        .help("put back what changed, or start anew with `medalist sweep` (`--study NAME` names it)"))
}

fn dry_run(session: &Session, spec: &StudySpec, n_trials: Option<u64>) -> Result<()> {
    let points = spec.len()?;
    let n_trials = match (n_trials, points) {
        (Some(asked), Some(points)) => Some(asked.min(points)),
        (asked, points) => asked.or(points),
    };
    let n_fits = n_trials.map(|n_trials| plan::n_fits(spec, n_trials)).transpose()?;
    if session.format() == Format::Json {
        return output::print_json(&json!({
            "study": spec.name,
            "search": spec.sampler,
            "pruner": spec.pruner,
            "seed": spec.seed,
            "window": spec.window,
            "folds": spec.n_folds,
            "trials": n_trials,
            "fits": n_fits,
            "space": spec.space,
        }));
    }
    let mut text = describe::space(&spec.space);
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

/// A token that the first Ctrl-C (or SIGTERM) sets; the second leaves at once. Nothing acknowledged is lost: the store holds it.
fn stop_on_signals() -> Result<Cancel> {
    let stop = Cancel::new();
    let (token, pressed) = (stop.clone(), AtomicBool::new(false));
    let handler = move || {
        if pressed.swap(true, Ordering::SeqCst) {
            std::process::exit(i32::from(Kind::Interrupted.exit_code()));
        }
        token.cancel();
        say("stopping: the running folds finish, Ctrl-C again leaves at once");
    };
    ctrlc::set_handler(handler).map_err(|error| Error::unexpected(format!("no signal handler: {error}")))?;
    Ok(stop)
}

/// The one pool of the program.
///
/// # Errors
/// When the system gives no threads.
pub fn thread_pool(jobs: Option<usize>) -> Result<Arc<ThreadPool>> {
    let builder =
        rayon::ThreadPoolBuilder::new().num_threads(jobs.unwrap_or(0)).thread_name(|n| format!("{WORKER}-{n}"));
    Ok(Arc::new(builder.build().map_err(|error| Error::unexpected(error.to_string()))?))
}

fn verbosity(session: &Session) -> Verbosity {
    match (session.global.quiet, session.global.verbose) {
        (true, _) => Verbosity::Quiet,
        (_, true) => Verbosity::Verbose,
        _ => Verbosity::Normal,
    }
}
