//! `show`: a competition, or one trial of a study.

use medalist_search::{Store, TrialState, choice};
use serde_json::json;

use super::Session;
use super::args::ShowArgs;
use super::describe::{class_counts, data_text, direction_text, folds_text, target_text, values_text};
use super::output::{self, Format, Listing, hanging};
use crate::competition::Competition;
use crate::error::Result;
use crate::leaderboard::short;
use crate::metric::Metric;
use crate::results;
use crate::split::Fold;
use crate::table::Column;

pub fn show(session: &Session, args: &ShowArgs) -> Result<()> {
    if args.what.contains('/') { show_trial(session, &args.what) } else { show_competition(session, &args.what) }
}

fn show_competition(session: &Session, slug: &str) -> Result<()> {
    let workspace = session.workspace()?;
    let competition = workspace.load(slug, &session.registry)?;
    let metric = competition.metric(&session.registry)?;
    let folds = competition.folds(None)?;
    if session.format() == Format::Json {
        return output::print_json(&competition_json(&competition, metric.as_ref(), &folds));
    }
    if session.format() != Format::Table {
        return columns_listing(&competition).print(session.format());
    }
    let mut text = format!("{}\n", competition.config.title.as_deref().unwrap_or(slug));
    let mut tell = |label: &str, line: String| text += &(hanging(label, &line, output::stdout_width()) + "\n");
    tell("data", data_text(&competition));
    (0..competition.targets.len()).for_each(|target| tell("target", target_text(&competition, target)));
    tell("metric", format!("{} ({})", metric.name(), direction_text(metric.direction())));
    tell("folds", folds_text(&competition, &folds));
    for file in &competition.files {
        let path = file.path.strip_prefix(&competition.dir).unwrap_or(&file.path).display();
        let sha256 = &file.sha256[..12.min(file.sha256.len())];
        tell(file.role, format!("{path}, {} rows, {} columns, sha256 {sha256}", file.rows, file.columns));
    }
    competition.notes.iter().for_each(|note| tell("note", note.to_string()));
    output::print(&text)?;
    columns_listing(&competition).print(Format::Table)
}

fn competition_json(competition: &Competition, metric: &dyn Metric, folds: &[Fold]) -> serde_json::Value {
    let columns = competition.features.columns().iter().map(|column| column_json(column));
    let targets = competition
        .targets
        .iter()
        .enumerate()
        .map(|(place, target)| json!({ "name": target.name, "labels": *target.labels, "counts": class_counts(competition, place) }));
    let files = competition.files.iter().map(|file| {
        json!({ "role": file.role, "path": file.path, "rows": file.rows, "columns": file.columns, "sha256": file.sha256 })
    });
    json!({
        "slug": competition.slug,
        "title": competition.config.title,
        "task": competition.task.name(),
        "metric": { "name": metric.name(), "direction": metric.direction() },
        "rows": competition.n_train_rows(),
        "extra_rows": competition.n_extra_rows,
        "test_rows": competition.test.as_ref().map(|test| test.ids.len()),
        "targets": targets.collect::<Vec<_>>(),
        "columns": columns.collect::<Vec<_>>(),
        "folds": folds.iter().map(|fold| json!({
            "repeat": fold.repeat, "fold": fold.fold, "train": fold.train.len(), "valid": fold.valid.len(),
        })).collect::<Vec<_>>(),
        "files": files.collect::<Vec<_>>(),
        "submission": competition.layout.columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>(),
        "fingerprint": competition.fingerprint,
        "notes": competition.notes,
    })
}

fn columns_listing(competition: &Competition) -> Listing {
    let mut listing = Listing::new(&["column", "type", "missing", "values"]);
    for column in competition.features.columns() {
        let cells = vec![
            column.name.clone(),
            column.kind.name().to_string(),
            column.values.n_missing().to_string(),
            values_text(column),
        ];
        listing.push(cells, column_json(column));
    }
    listing
}

fn column_json(column: &Column) -> serde_json::Value {
    json!({
        "column": column.name,
        "type": column.kind,
        "missing": column.values.n_missing(),
        "values": values_text(column),
    })
}

fn show_trial(session: &Session, name: &str) -> Result<()> {
    let store = session.store()?;
    let (spec, trial) = results::find_trial(&store, name)?;
    let best = choice(&spec, &store.trials(&spec.name)?) == Some(trial.number);
    if session.format() == Format::Json {
        let slug = results::slug(&spec);
        return output::print_json(&json!({ "study": spec.name, "competition": slug, "trial": trial, "best": best }));
    }
    let state = match &trial.state {
        TrialState::Failed { reason } => format!("failed: {reason}"),
        state => state.name().to_string(),
    };
    let on = match results::slug(&spec) {
        "" => String::new(),
        slug => format!(" on {slug}"),
    };
    let mut text = format!("trial     {}/{}{on}\nstate     {state}\n", spec.name, trial.number);
    if let Some(score) = trial.score {
        text += &format!("score     {score}{}\n", if best { " (the study's choice)" } else { "" });
    }
    if trial.look() > 0 {
        text += &format!("look      {}: other folds than the first look at this point\n", trial.look() + 1);
    }
    for (name, value) in results::others(&spec, &trial) {
        text += &format!("{name} = {value}\n");
    }
    for fold in &trial.folds {
        text += &format!("fold {:<4} {} ({:.3} s)\n", fold.fold, fold.score, fold.seconds);
    }
    for (name, value) in trial.params.iter() {
        text += &format!("{name} = {value}\n");
    }
    if let Some(stages) = &trial.stages {
        for (value, scores) in stages.values.iter().zip(&stages.scores) {
            let mean = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
            text += &format!("stage     {} = {value}: {}\n", stages.parameter, short(mean));
        }
    }
    for how in [results::TEST_REFIT, results::TEST_AVERAGE] {
        if store.attachment(&spec.name, trial.number, how)?.is_some() {
            text += &format!("stored    {how}\n");
        }
    }
    output::print(&text)
}
