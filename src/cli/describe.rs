//! What a sweep says before it starts, and a competition in words.

use medalist_search::{Direction, Domain, History, SearchSpace, StudySpec, Trial, Value, counted};

use super::Session;
use super::output::{BOLD, paint};
use crate::competition::Competition;
use crate::metric::Metric;
use crate::plan;
use crate::reporter;
use crate::split::Fold;
use crate::table::{Column, Values};
use crate::target::Target;

/// Notes and models on one screen; the rest with `-v` or `show`.
const MAX_NOTES: usize = 5;

/// What a sweep found in the data, the folds, and the models it will try: on stderr.
pub fn announce(session: &Session, competition: &Competition, folds: &[Fold], spec: &StudySpec, metric: &dyn Metric) {
    summarise(session, competition);
    session.tell("metric", format!("{} ({})", metric.name(), direction_text(metric.direction())));
    if !spec.objectives.is_empty() {
        let others =
            spec.objectives.iter().map(|other| format!("{} ({})", other.name, direction_text(other.direction)));
        session.tell("beside it", others.collect::<Vec<_>>().join(", "));
    }
    session.tell("folds", folds_text(competition, folds));
    session.tell("models", model_names(&spec.space).join(", "));
    let skipped = session.registry.models.iter().filter_map(|entry| {
        let reason = plan::why_not(entry, competition, &spec.objectives)?;
        Some(format!("not {}: it {reason}", entry.name))
    });
    // Those that the objectives leave out were not asked to be left out.
    if session.global.verbose || !spec.objectives.is_empty() {
        skipped.for_each(|line| session.tell("", line));
    }
    let shown = if session.global.verbose { competition.notes.len() } else { MAX_NOTES };
    for note in competition.notes.iter().take(shown) {
        session.tell("note", note);
    }
    if competition.notes.len() > shown {
        let n_more = competition.notes.len() - shown;
        session.tell("", format!("{n_more} more notes: `medalist show {}`", competition.slug));
    }
    study(session, spec);
}

/// A study's name, and what its trials may see: on stderr.
pub fn study(session: &Session, spec: &StudySpec) {
    if !spec.prior.is_empty() {
        session.tell("begins", format!("with {} trials of an earlier study", spec.prior.len()));
    }
    let sees = match (spec.asynchronous, spec.interleave) {
        (true, _) => "nobody waits".to_string(),
        (false, 0) => format!("window {}", spec.window),
        (false, every) => format!("window {}, of every {every} trials one is a Sobol' point", spec.window),
    };
    let looks = if spec.looks > 1 { format!(", up to {} looks at a point", spec.looks) } else { String::new() };
    session.tell("study", format!("{} (seed {}, {sees}{looks})", spec.name, spec.seed));
    if let Some(time) = plan::trial_time(spec) {
        let time = reporter::duration(time);
        session.tell("", format!("trials end after {time} by the clock: not exactly repeatable"));
    }
}

/// How a study's points are proposed, given the trials it has: on stderr.
pub fn search(session: &Session, spec: &StudySpec, trials: &[Trial]) {
    let history = History { prior: &spec.prior, ..History::new(counted(trials), spec.direction) };
    session.tell("search", spec.sampler.build().describe(&spec.space, &history));
}

/// Title, data and targets: on stderr.
pub fn summarise(session: &Session, competition: &Competition) {
    let title = competition.config.title.as_deref().unwrap_or(&competition.slug);
    session.say(paint(BOLD, title));
    session.tell("data", data_text(competition));
    for target in 0..competition.targets.len() {
        session.tell("target", target_text(competition, target));
    }
}

pub fn data_text(competition: &Competition) -> String {
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
    let extra = match competition.n_extra_rows {
        0 => String::new(),
        n => format!(" and {n} that only train"),
    };
    format!(
        "{} rows{extra}, {test}; {} features ({}), {missing}",
        competition.n_train_rows(),
        columns.len(),
        kinds.join(", ")
    )
}

/// A target over the rows that folds may score.
pub fn target_text(competition: &Competition, target: usize) -> String {
    let n_rows = competition.n_train_rows();
    let counts = class_counts(competition, target);
    let target = &competition.targets[target];
    match &target.target {
        Target::Values(values) => format!("{}: {}", target.name, range_text(&values[..n_rows])),
        Target::Classes { .. } => {
            let share = |count: usize| 100.0 * count as f64 / n_rows.max(1) as f64;
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

pub fn folds_text(competition: &Competition, folds: &[Fold]) -> String {
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

/// Rows of each class of a target, of those that folds may score.
pub fn class_counts(competition: &Competition, target: usize) -> Vec<usize> {
    let target = &competition.targets[target];
    let mut counts = vec![0; target.labels.len()];
    if let Target::Classes { codes, .. } = &target.target {
        codes[..competition.n_train_rows()].iter().for_each(|&code| counts[code as usize] += 1);
    }
    counts
}

/// What a column holds, in a few words.
pub fn values_text(column: &Column) -> String {
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
        Values::Sparse { names, .. } => format!("{} columns, mostly 0", names.len()),
    }
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

fn finite_range(values: &[f64]) -> Option<(f64, f64)> {
    let mut finite = values.iter().copied().filter(|value| !value.is_nan());
    let first = finite.next()?;
    Some(finite.fold((first, first), |(low, high), value| (low.min(value), high.max(value))))
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
