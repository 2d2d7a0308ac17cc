//! `optimize`: a search over any program's parameters.

use std::sync::Arc;

use medalist_search::{Silent, StudySpec, Value};
use serde_json::json;

use super::args::OptimizeArgs;
use super::output::{self, Format};
use super::run::{self, Begun, Bounds, Ended, thread_pool};
use super::{Session, board, here};
use crate::error::Result;
use crate::leaderboard;
use crate::plan::{Earlier, parse_duration};
use crate::program::{Program, ProgramSpec, Running};
use crate::results;
use crate::space_file::SpaceFile;
use crate::workspace::Workspace;

/// Rows of the leaderboard that are printed at the end.
const TOP: usize = 10;

pub fn optimize(session: &Session, args: &OptimizeArgs) -> Result<()> {
    let file = SpaceFile::read(&args.space)?;
    let file = SpaceFile { settings: args.settings().or(file.settings.clone()), ..file };
    let settings = &file.settings;
    let duration = |text: &Option<String>| text.as_deref().map(parse_duration).transpose();
    let program = ProgramSpec {
        command: args.command.clone(),
        pass: args.pass,
        score_file: settings.score_file.clone(),
        trial_time: duration(&settings.trial_time)?,
        folds: settings.folds.unwrap_or(1),
        repeats: settings.repeats.unwrap_or(1),
    };
    let time = duration(&args.study.time)?;
    let jobs = settings.jobs.unwrap_or(1);
    let bounds = Bounds {
        reserve: None,
        n_trials: settings.n_trials(time.is_some()),
        time,
        jobs: Some(jobs),
        memory: None,
        until_flat: settings.until_flat(),
    };
    let workspace = Workspace::find_or_here(session.global.workspace.as_deref(), &here()?)?;
    let earlier = match &settings.warm_start {
        Some(name) => results::earlier(&workspace.store()?, name)?,
        None => Earlier::Nothing,
    };
    let spec = StudySpec { requested: json!({ "command": as_typed() }), ..file.study(&program, &earlier)? };
    announce(session, &spec, &program);

    let store = workspace.store()?;
    let pool = thread_pool(bounds.jobs)?;
    let (logs, running) = (workspace.logs(&spec.name), Arc::new(Running::default()));
    let program = Program::new(program, spec.space.clone(), logs.clone(), running.clone(), jobs)?;
    let begun = Begun::new(session, &store, &workspace.locks(), &spec)?;
    let stop = run::stop_on_signals("the running programs", move || running.kill_all())?;
    let ended = begun.run(&program, &bounds, &pool, &stop, &Silent)?;
    report(session, &spec, &ended, &logs.strip_prefix(&workspace.root).unwrap_or(&logs).display().to_string())?;
    ended.verdict(&spec, "the same command continues")
}

/// This command, for whoever will want to go on with the study.
fn as_typed() -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=:,{}%+@".contains(letter);
    let quoted = |word: String| match word.chars().all(plain) && !word.is_empty() {
        true => word,
        false => format!("'{}'", word.replace('\'', "'\\''")),
    };
    let words: Vec<String> = std::env::args().skip(1).map(quoted).collect();
    format!("medalist {}", words.join(" "))
}

/// What will be searched, and how it is judged: on stderr.
fn announce(session: &Session, spec: &StudySpec, program: &ProgramSpec) {
    session.say(format!("program   {}", program.command.join(" ")));
    let score = program.score_file.as_deref().unwrap_or("the last line it prints");
    session.say(format!("score     {score}, {}", super::describe::direction_text(spec.direction)));
    for line in super::catalogue::space(&spec.space).lines() {
        session.say(format!("          {line}"));
    }
    if let Some(time) = program.trial_time {
        let seconds = Value::from(time.as_secs_f64());
        session.say(format!("note      runs are ended after {seconds} s: which ones are may differ from run to run"));
    }
    super::describe::study(session, spec);
}

fn report(session: &Session, spec: &StudySpec, ended: &Ended, logs: &str) -> Result<()> {
    let rows = results::study_rows(spec, &ended.trials, ended.outcome.best);
    let rows = leaderboard::rank(rows, spec.direction);
    if session.format() == Format::Json {
        output::print_json(&json!({
            "study": spec.name,
            "counted": ended.outcome.n_counted,
            "failed": ended.outcome.n_failed,
            "pruned": ended.outcome.n_pruned,
            "flat": ended.outcome.flat,
            "best": ended.best().map(|trial| format!("{}/{}", spec.name, trial.number)),
            "params": ended.best().map(|trial| &trial.params),
            "score": ended.best().and_then(|trial| trial.score),
            "leaderboard": leaderboard::to_json(&rows),
            "logs": logs,
        }))?;
    } else {
        output::print(&board::text(&board::top(&rows, TOP), session.format()))?;
    }
    session.say(format!("next: medalist trials {}, and what the programs printed in {logs}", spec.name));
    Ok(())
}
