//! `show`: a competition, a study, or one trial of it.

use medalist_search::{Catalogue, Remarks, SqliteStore, Store, StudySpec, TrialState, choice, counted};
use serde_json::json;

use super::Session;
use super::args::ShowArgs;
use super::describe::{class_counts, data_text, direction_text, folds_text, target_text, values_text};
use super::output::{self, Format, Listing, hanging};
use super::plot;
use crate::competition::Competition;
use crate::error::{Error, Result};
use crate::leaderboard::short;
use crate::metric::Metric;
use crate::plan;
use crate::results;
use crate::split::Fold;
use crate::table::Column;
use crate::target::Target;

pub fn show(session: &Session, args: &ShowArgs) -> Result<()> {
    if args.what.contains('/') {
        return show_trial(session, &args.what);
    }
    let is_slug = session.workspace().and_then(|workspace| workspace.slugs()).is_ok_and(|it| it.contains(&args.what));
    if is_slug {
        return show_competition(session, &args.what);
    }
    let store = session.store()?;
    let is_guess = |error: &Error| error.help.as_ref().is_some_and(|help| help.starts_with("did you mean"));
    match results::find_study(&store, &args.what) {
        Ok(spec) => show_study(session, &store, &spec),
        Err(error) if is_guess(&error) => Err(error),
        Err(_) => show_competition(session, &args.what),
    }
}

fn show_study(session: &Session, store: &SqliteStore, spec: &StudySpec) -> Result<()> {
    let trials = store.trials(&spec.name)?;
    let counted = counted(&trials);
    let best = choice(spec, counted);
    let score = best.and_then(|best| counted.get(best as usize)).and_then(|trial| trial.score);
    let remarks = store.remarks(&spec.name)?.remove(&None).unwrap_or_default();
    let archived = store.archived()?.contains(&spec.name);
    let n_in = |state: &str| counted.iter().filter(|trial| trial.state.name() == state).count();
    let (n_failed, n_pruned) = (n_in("failed"), n_in("pruned"));
    let search = spec.sampler.build().name().to_string();
    let repeatable = !spec.asynchronous && plan::trial_time(spec).is_none();
    if session.format() == Format::Json {
        return output::print_json(&json!({
            "study": spec.name, "competition": results::slug(spec), "search": search, "seed": spec.seed, "folds": spec.n_folds,
            "trials": counted.len(), "failed": n_failed, "pruned": n_pruned, "best": best, "score": score,
            "best_so_far": plot::best_so_far(spec.direction, counted), "created": spec.created, "repeatable": repeatable,
            "archived": archived, "tags": remarks.tags, "note": remarks.note,
        }));
    }
    let mut text = String::new();
    let mut tell = |label: &str, line: String| text += &(hanging(label, &line, output::stdout_width()) + "\n");
    let on = match results::slug(spec) {
        "" => String::new(),
        slug => format!(" on {slug}"),
    };
    tell("study", format!("{}{on}{}", spec.name, if archived { " (set aside)" } else { "" }));
    tell("search", format!("{search}, seed {}, {} folds", spec.seed, spec.n_folds));
    let of_them = [(n_failed, "failed"), (n_pruned, "pruned")].into_iter().filter(|(n, _)| *n > 0);
    let of_them: String = of_them.map(|(n, word)| format!(", {n} {word}")).collect();
    tell("trials", format!("{}{of_them}, begun {}", counted.len(), spec.created));
    if let (Some(best), Some(score)) = (best, score) {
        tell("choice", format!("{}/{best}, score {} ({})", spec.name, short(score), direction_text(spec.direction)));
    }
    if !repeatable {
        tell("repeats", "not exactly: a clock, or what was in when a trial began, decides too".to_string());
    }
    tell_remarks(&remarks, &mut tell);
    if let Some(curve) = plot::best_curve(spec.direction, counted, output::stdout_width()) {
        text += &format!("\nbest score over the trials\n{curve}");
    }
    output::print(&text)
}

fn tell_remarks(remarks: &Remarks, tell: &mut dyn FnMut(&str, String)) {
    if !remarks.tags.is_empty() {
        tell("tags", remarks.tags.iter().map(String::as_str).collect::<Vec<_>>().join(" "));
    }
    if let Some(note) = &remarks.note {
        tell("noted", note.clone());
    }
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
    for number in 0..competition.targets.len() {
        tell("target", target_text(&competition, number));
        distribution(&competition, number).into_iter().for_each(|line| tell("", line));
    }
    tell("metric", format!("{} ({})", metric.name(), direction_text(metric.direction())));
    tell("folds", folds_text(&competition, &folds));
    for file in &competition.files {
        let path = file.path.strip_prefix(&competition.dir).unwrap_or(&file.path).display();
        let sha256 = &file.sha256[..12.min(file.sha256.len())];
        let role = if file.role == "extra_train" { "extra" } else { file.role };
        tell(role, format!("{path}, {} rows, {} columns, sha256 {sha256}", file.rows, file.columns));
    }
    competition.notes.iter().for_each(|note| tell("note", note.to_string()));
    output::print(&text)?;
    columns_listing(&competition).print(Format::Table)
}

/// The distribution of a target's values or classes, as a plot.
fn distribution(competition: &Competition, number: usize) -> Vec<String> {
    /// Further classes are rare ones.
    const MOST_CLASSES: usize = 12;
    const BAR: usize = 40;
    let target = &competition.targets[number];
    let counts = match &target.target {
        Target::Values(values) => return plot::histogram(values, output::stdout_width()).into_iter().collect(),
        Target::Classes { .. } if plot::is_utf8() => class_counts(competition, number),
        Target::Classes { .. } => return Vec::new(),
    };
    let most = counts.iter().copied().max().unwrap_or(1).max(1) as f64;
    let classes = || target.labels.iter().zip(&counts).take(MOST_CLASSES);
    let label = |label: &String| label.chars().take(20).collect::<String>();
    let width = classes().map(|(name, _)| label(name).chars().count()).max().unwrap_or(0);
    let line = |(name, &count): (&String, &usize)| {
        format!("{:width$} {} {count}", label(name), plot::bar(count as f64 / most, BAR))
    };
    classes().map(line).collect()
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
    let remarks = store.remarks(&spec.name)?.remove(&Some(trial.number)).unwrap_or_default();
    let members = results::recipe(&store, &spec)?.map(|recipe| recipe.members);
    if session.format() == Format::Json {
        let mut json = json!({
            "study": spec.name, "competition": results::slug(&spec), "trial": trial, "best": best,
            "tags": remarks.tags, "note": remarks.note,
        });
        if let Some(members) = members {
            json["members"] = json!(members);
        }
        return output::print_json(&json);
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
    if let Some(strip) = plot::strip(&trial.folds.iter().map(|fold| fold.score).collect::<Vec<_>>()) {
        text += &format!("folds     {strip}\n");
    }
    for fold in &trial.folds {
        text += &format!("fold {:<4} {} ({:.3} s)\n", fold.fold, fold.score, fold.seconds);
    }
    for (name, value) in trial.params.iter() {
        text += &format!("{name} = {value}\n");
    }
    for member in members.iter().flatten() {
        text += &format!("member    {:.3} of {}\n", member.weight, member.trial);
    }
    if let Some(stages) = &trial.stages {
        for (value, scores) in stages.values.iter().zip(&stages.scores) {
            let mean = scores.iter().sum::<f64>() / scores.len().max(1) as f64;
            text += &format!("stage     {} = {value}: {}\n", stages.parameter, short(mean));
        }
    }
    tell_remarks(&remarks, &mut |label, line| text += &(hanging(label, &line, output::stdout_width()) + "\n"));
    for how in [results::TEST_REFIT, results::TEST_AVERAGE, results::MODEL_REFIT, results::MODEL_AVERAGE] {
        if store.attachment(&spec.name, trial.number, how)?.is_some() {
            text += &format!("stored    {how}\n");
        }
    }
    output::print(&text)
}
