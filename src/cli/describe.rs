//! `show`, `models`, `metrics`, `competitions`, and what a sweep says before it starts.

use medalist_search::{
    Direction, Domain, History, SearchSpace, Store, StudySpec, Trial, TrialState, Value, choice, counted,
};
use serde_json::json;

use super::Session;
use super::args::{ModelsArgs, ShowArgs};
use super::output::{self, BOLD, Format, Listing, paint};
use crate::competition::Competition;
use crate::error::Result;
use crate::leaderboard::short;
use crate::metric::{Metric, Needs, Settings};
use crate::plan;
use crate::results;
use crate::split::Fold;
use crate::table::{Column, Values};
use crate::target::{Target, TargetColumn};

/// Notes and models on one screen; the rest with `-v` or `show`.
const MAX_NOTES: usize = 5;

/// What a sweep found in the data, the folds, and the models it will try: on stderr.
pub fn announce(session: &Session, competition: &Competition, folds: &[Fold], spec: &StudySpec, metric: &dyn Metric) {
    summarise(session, competition);
    session.say(format!("metric    {} ({})", metric.name(), direction_text(metric.direction())));
    if !spec.objectives.is_empty() {
        let others =
            spec.objectives.iter().map(|other| format!("{} ({})", other.name, direction_text(other.direction)));
        session.say(format!("beside it {}", others.collect::<Vec<_>>().join(", ")));
    }
    session.say(format!("folds     {}", folds_text(competition, folds)));
    session.say(format!("models    {}", model_names(&spec.space).join(", ")));
    let skipped = session.registry.models.iter().filter_map(|entry| {
        let reason = plan::why_not(entry, competition, &spec.objectives)?;
        Some(format!("          not {}: it {reason}", entry.name))
    });
    // Those that the objectives leave out were not asked to be left out.
    if session.global.verbose || !spec.objectives.is_empty() {
        skipped.for_each(|line| session.say(line));
    }
    let shown = if session.global.verbose { competition.notes.len() } else { MAX_NOTES };
    for note in competition.notes.iter().take(shown) {
        session.say(format!("note      {note}"));
    }
    if competition.notes.len() > shown {
        session.say(format!(
            "          {} more notes: `medalist show {}`",
            competition.notes.len() - shown,
            competition.slug
        ));
    }
    study(session, spec);
}

/// A study's name, and what its trials may see: on stderr.
pub fn study(session: &Session, spec: &StudySpec) {
    if !spec.prior.is_empty() {
        session.say(format!("begins    with {} trials of an earlier study", spec.prior.len()));
    }
    let sees = match (spec.asynchronous, spec.interleave) {
        (true, _) => "nobody waits".to_string(),
        (false, 0) => format!("window {}", spec.window),
        (false, every) => format!("window {}, of every {every} trials one is a Sobol' point", spec.window),
    };
    let looks = if spec.looks > 1 { format!(", up to {} looks at a point", spec.looks) } else { String::new() };
    session.say(format!("study     {} (seed {}, {sees}{looks})", spec.name, spec.seed));
}

/// How a study's points are proposed, given the trials it has: on stderr.
pub fn search(session: &Session, spec: &StudySpec, trials: &[Trial]) {
    let history = History { prior: &spec.prior, ..History::new(counted(trials), spec.direction) };
    session.say(format!("search    {}", spec.sampler.build().describe(&spec.space, &history)));
}

/// Title, data and targets: on stderr.
pub fn summarise(session: &Session, competition: &Competition) {
    let title = competition.config.title.as_deref().unwrap_or(&competition.slug);
    session.say(paint(BOLD, title));
    session.say(data_line(competition));
    for target in &competition.targets {
        session.say(format!("target    {}", target_text(target)));
    }
}

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
    let mut text = format!("{}\n{}\n", competition.config.title.as_deref().unwrap_or(slug), data_line(&competition));
    for target in &competition.targets {
        text += &format!("target    {}\n", target_text(target));
    }
    text += &format!("metric    {} ({})\n", metric.name(), direction_text(metric.direction()));
    text += &format!("folds     {}\n", folds_text(&competition, &folds));
    for file in &competition.files {
        let path = file.path.strip_prefix(&competition.dir).unwrap_or(&file.path);
        let sha256 = &file.sha256[..12.min(file.sha256.len())];
        text += &format!(
            "{:9} {}, {} rows, {} columns, sha256 {sha256}\n",
            file.role,
            path.display(),
            file.rows,
            file.columns
        );
    }
    for note in &competition.notes {
        text += &format!("note      {note}\n");
    }
    output::print(&text)?;
    columns_listing(&competition).print(Format::Table)
}

fn competition_json(competition: &Competition, metric: &dyn Metric, folds: &[Fold]) -> serde_json::Value {
    let columns = competition.features.columns().iter().map(|column| column_json(column));
    let targets = competition
        .targets
        .iter()
        .map(|target| json!({ "name": target.name, "labels": *target.labels, "counts": class_counts(target) }));
    let files = competition.files.iter().map(|file| {
        json!({ "role": file.role, "path": file.path, "rows": file.rows, "columns": file.columns, "sha256": file.sha256 })
    });
    json!({
        "slug": competition.slug,
        "title": competition.config.title,
        "task": competition.task.name(),
        "metric": { "name": metric.name(), "direction": metric.direction() },
        "rows": competition.features.n_rows(),
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

/// What a column holds, in a few words.
fn values_text(column: &Column) -> String {
    match &column.values {
        Values::Numeric(values) => range_text(values),
        Values::Date(values) => match finite_range(values) {
            Some((low, high)) => format!("{} to {}", date_text(low), date_text(high)),
            None => "all missing".to_string(),
        },
        Values::Categorical { codes, levels } => {
            let mut counts = vec![0usize; levels.len()];
            for &code in codes.iter().filter(|&&code| (code as usize) < levels.len()) {
                counts[code as usize] += 1;
            }
            let mut order: Vec<usize> = (0..levels.len()).filter(|&level| counts[level] > 0).collect();
            order.sort_by_key(|&level| std::cmp::Reverse(counts[level]));
            let top: Vec<String> =
                order.iter().take(4).map(|&level| format!("{} ({})", levels[level], counts[level])).collect();
            format!("{} levels: {}{}", order.len(), top.join(", "), if order.len() > 4 { ", .." } else { "" })
        }
        Values::Text(values) => match values.iter().flatten().next() {
            Some(first) => format!("such as {:?}", first.chars().take(40).collect::<String>()),
            None => "all missing".to_string(),
        },
    }
}

fn finite_range(values: &[f64]) -> Option<(f64, f64)> {
    let mut finite = values.iter().copied().filter(|value| !value.is_nan());
    let first = finite.next()?;
    Some(finite.fold((first, first), |(low, high), value| (low.min(value), high.max(value))))
}

fn range_text(values: &[f64]) -> String {
    match finite_range(values) {
        Some((low, high)) => {
            let known: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
            let mean = known.iter().sum::<f64>() / known.len() as f64;
            format!("{} to {}, mean {}", plain(low), plain(high), plain(mean))
        }
        None => "all missing".to_string(),
    }
}

/// A number to four decimals, without zeros at its end.
fn plain(number: f64) -> String {
    if number.abs() >= 1e9 || (number != 0.0 && number.abs() < 1e-3) {
        return format!("{number:.3e}");
    }
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

fn date_text(seconds: f64) -> String {
    match chrono::DateTime::from_timestamp(seconds as i64, 0) {
        Some(time) if seconds % 86_400.0 == 0.0 => time.format("%Y-%m-%d").to_string(),
        Some(time) => time.format("%Y-%m-%d %H:%M:%S").to_string(),
        None => seconds.to_string(),
    }
}

fn data_line(competition: &Competition) -> String {
    let test = match &competition.test {
        Some(test) => format!("{} to predict", test.ids.len()),
        None => "no test file".to_string(),
    };
    let columns = competition.features.columns();
    let mut kinds: Vec<(&str, usize)> = Vec::new();
    for column in columns {
        match kinds.iter_mut().find(|(name, _)| *name == column.kind.name()) {
            Some((_, count)) => *count += 1,
            None => kinds.push((column.kind.name(), 1)),
        }
    }
    let kinds: Vec<String> = kinds.iter().map(|(name, count)| format!("{count} {name}")).collect();
    let n_missing: usize = columns.iter().map(|column| column.values.n_missing()).sum();
    let cells = (columns.len() * competition.features.n_rows()).max(1);
    let missing = match n_missing {
        0 => "none missing".to_string(),
        _ => format!("{:.1} % missing", 100.0 * n_missing as f64 / cells as f64),
    };
    format!(
        "data      {} rows, {test}; {} features ({}), {missing}",
        competition.features.n_rows(),
        columns.len(),
        kinds.join(", ")
    )
}

fn class_counts(target: &TargetColumn) -> Vec<usize> {
    let mut counts = vec![0; target.labels.len()];
    if let Target::Classes { codes, .. } = &target.target {
        codes.iter().for_each(|&code| counts[code as usize] += 1);
    }
    counts
}

fn target_text(target: &TargetColumn) -> String {
    match &target.target {
        Target::Values(values) => format!("{}: {}", target.name, range_text(values)),
        Target::Classes { codes, .. } => {
            let counts = class_counts(target);
            let share = |count: usize| 100.0 * count as f64 / codes.len().max(1) as f64;
            let classes = target.labels.iter().zip(&counts).take(12);
            let classes: Vec<String> =
                classes.map(|(label, &count)| format!("{label} {:.1} %", share(count))).collect();
            let more = if counts.len() > 12 { format!(", {} more", counts.len() - 12) } else { String::new() };
            format!("{}: {}{more}", target.name, classes.join(", "))
        }
    }
}

pub fn direction_text(direction: Direction) -> &'static str {
    match direction {
        Direction::Minimize => "lower is better",
        Direction::Maximize => "higher is better",
    }
}

fn folds_text(competition: &Competition, folds: &[Fold]) -> String {
    let sizes = folds.iter().map(|fold| fold.valid.len());
    let (low, high) = (sizes.clone().min().unwrap_or(0), sizes.max().unwrap_or(0));
    let rows = if low == high { low.to_string() } else { format!("{low} to {high}") };
    let n_folds =
        if folds.len() == competition.config.folds.n { String::new() } else { format!(" ({} in all)", folds.len()) };
    format!("{}{n_folds}, {rows} rows scored in each", competition.config.folds_text())
}

fn model_names(space: &SearchSpace) -> Vec<String> {
    let choices = space.get("model").map(|parameter| &parameter.domain);
    match choices {
        Some(Domain::Choice { choices, .. }) => choices.iter().map(Value::to_string).collect(),
        _ => Vec::new(),
    }
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

pub fn models(session: &Session, args: &ModelsArgs) -> Result<()> {
    if let Some(name) = &args.name {
        let entry = session.registry.model(name)?;
        let named = plan::joint_space(&session.registry, &[entry]);
        return space_listing(&named).print(session.format());
    }
    let mut listing = Listing::new(&["model", "tasks", "input", "parameters", "about"]);
    for entry in &session.registry.models {
        let tasks: Vec<&str> = entry.tasks.iter().map(|task| task.name()).collect();
        let parameters: Vec<&str> = entry.space.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
        let input = format!("{:?}", entry.input).to_lowercase();
        let cells =
            vec![entry.name.clone(), tasks.join(" "), input.clone(), parameters.join(" "), entry.about.to_string()];
        let json = json!({
            "model": entry.name, "tasks": tasks, "input": input, "parameters": parameters,
            "interruptible": entry.interruptible, "about": entry.about,
        });
        listing.push(cells, json);
    }
    listing.print(session.format())
}

/// The parameters of a space as text.
pub fn space(space: &SearchSpace) -> String {
    let mut text = String::new();
    for parameter in space.parameters() {
        text += &format!("{:34} {}\n", parameter.name, domain_text(&parameter.domain));
    }
    text
}

fn space_listing(space: &SearchSpace) -> Listing {
    let mut listing = Listing::new(&["parameter", "values", "default", "help"]);
    for parameter in space.parameters().iter().filter(|parameter| parameter.name != "model") {
        let staged = if parameter.staged { " (staged: one fit scores all its levels)" } else { "" };
        let cells = vec![
            parameter.name.clone(),
            domain_text(&parameter.domain),
            parameter.default.to_string(),
            format!("{}{staged}", parameter.help),
        ];
        let json = json!({
            "parameter": parameter.name, "domain": parameter.domain, "default": parameter.default,
            "levels": parameter.levels, "staged": parameter.staged, "help": parameter.help,
        });
        listing.push(cells, json);
    }
    listing
}

fn domain_text(domain: &Domain) -> String {
    let log = |log: bool| if log { " (log)" } else { "" };
    match domain {
        Domain::Float { low, high, log: on_log, .. } => {
            format!("{}..{}{}", Value::from(*low), Value::from(*high), log(*on_log))
        }
        Domain::Int { low, high, log: on_log, .. } => format!("{low}..{high}{}", log(*on_log)),
        Domain::Choice { choices, .. } => choices.iter().map(Value::to_string).collect::<Vec<_>>().join(", "),
    }
}

pub fn metrics(session: &Session) -> Result<()> {
    let mut listing = Listing::new(&["metric", "better", "needs", "tasks"]);
    for entry in &session.registry.metrics {
        let metric = entry.build(&Settings::default())?;
        let needs = match metric.needs() {
            Needs::Labels => "labels",
            Needs::Probabilities => "probabilities",
            Needs::Values => "values",
            Needs::Scores => "scores",
        };
        let better = match metric.direction() {
            Direction::Minimize => "lower",
            Direction::Maximize => "higher",
        };
        let tasks: Vec<&str> = metric.tasks().iter().map(|task| task.name()).collect();
        let cells = vec![entry.name.clone(), better.to_string(), needs.to_string(), tasks.join(" ")];
        listing.push(cells, json!({ "metric": entry.name, "better": better, "needs": needs, "tasks": tasks }));
    }
    listing.print(session.format())
}

pub fn competitions(session: &Session) -> Result<()> {
    let workspace = session.workspace()?;
    let mut listing = Listing::new(&["competition", "title", "task", "metric"]);
    for slug in workspace.slugs()? {
        let config = crate::competition::Config::read(&workspace.competitions().join(&slug))?;
        let title = config.title.clone().unwrap_or_default();
        let cells = vec![slug.clone(), title.clone(), config.task.name().to_string(), config.metric.name.clone()];
        let json =
            json!({ "competition": slug, "title": title, "task": config.task.name(), "metric": config.metric.name });
        listing.push(cells, json);
    }
    listing.print(session.format())
}
