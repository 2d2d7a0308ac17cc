//! Files with further rows to learn from: they train in every fold, and are never scored.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use super::files::{self, Files, Headers, some, take};
use super::{Competition, Config, columns, roles, target};
use crate::error::{Error, Result};
use crate::reader::{Draft, Drafts, Hold, Plan};
use crate::table::{Column, Values};
use crate::target::{Target, TargetColumn, Task};

/// A file of further rows, as read.
pub struct Extra {
    pub path: PathBuf,
    pub drafts: Drafts,
}

/// Reads the further files. They have the targets and any of train's other columns; what they lack is missing there.
///
/// # Errors
/// When a file cannot be read, is not the one described, or lacks a target or all features.
pub fn read(
    files: &mut Files,
    config: &Config,
    headers: &Headers,
    train: &Drafts,
    test: Option<&Drafts>,
    notes: &mut Vec<String>,
) -> Result<Vec<Extra>> {
    let mut extras = Vec::new();
    for position in files.positions("extra_train") {
        let path = files.facts[position].path.clone();
        let header = files.header_at(position, config)?;
        if let Some(target) = config.targets().iter().find(|target| !header.contains(target)) {
            let error = Error::data("the target is missing: rows to learn from need it").column(target).file(&path);
            return Err(error.help("add the column, or take the file out of `extra_train`"));
        }
        let learned = |name: &&String| is_feature(name, config, headers);
        if !header.iter().any(|name| is_feature(name, config, headers)) {
            let error = Error::data("no column of this file is one that is learned from").file(&path);
            return Err(error.help(format!("those of train are {}", some(&headers.train))));
        }
        let short = short_name(&path);
        let absent: Vec<String> =
            headers.train.iter().filter(learned).filter(|name| !header.contains(name)).cloned().collect();
        if !absent.is_empty() {
            notes.push(format!("{short} lacks columns, which are missing in its rows: {}", some(&absent)));
        }
        let foreign = |name: &&String| !headers.train.contains(name) && config.id.as_ref() != Some(name);
        let foreign: Vec<String> = header.iter().filter(foreign).cloned().collect();
        if !foreign.is_empty() {
            notes.push(format!("only in {short}, so not learned from: {}", some(&foreign)));
        }
        let drafts = files.read_at(position, config, |name| plan(name, config, headers, train, test))?;
        if drafts.n_rows == 0 {
            return Err(Error::data("this file has no rows below its header").file(&path));
        }
        extras.push(Extra { path, drafts });
    }
    Ok(extras)
}

/// Whether a column of train may be learned from as it stands.
fn is_feature(name: &str, config: &Config, headers: &Headers) -> bool {
    let is = |other: Option<&String>| other.is_some_and(|other| other == name);
    !config.targets().iter().any(|target| target == name)
        && !is(config.weight.as_ref())
        && !is(config.folds.column.as_ref())
        && !is(config.id.as_ref())
        && headers.train.iter().any(|column| column == name)
        && files::is_shared(name, headers)
        && (headers.recipes.hold(name).is_some() || !config.drop.iter().any(|dropped| dropped == name))
}

/// Words where train or test has words, so that the column is of one kind in all files.
fn plan(name: &str, config: &Config, headers: &Headers, train: &Drafts, test: Option<&Drafts>) -> Plan {
    if !headers.train.iter().any(|column| column == name) || config.folds.column.as_deref() == Some(name) {
        return Plan::new(Hold::Skip);
    }
    let plan = files::plan(name, config, headers);
    let has_words = |drafts: &Drafts| {
        drafts.header.iter().any(|column| column == name) && matches!(take(drafts, name), Draft::Words(_))
    };
    let is_feature = is_feature(name, config, headers);
    let hold = match plan.hold {
        Hold::Either if is_feature && (has_words(train) || test.is_some_and(has_words)) => Hold::Words,
        hold => hold,
    };
    Plan { hold, ..plan }
}

/// The targets of train's rows, then those of the further ones.
///
/// # Errors
/// When a row has no target, or a label that train has not: names file and row.
pub fn extend_targets(targets: &mut [TargetColumn], task: Task, extras: &[Extra]) -> Result<()> {
    for column in targets {
        for extra in extras {
            let draft = take(&extra.drafts, &column.name).clone();
            let more = target::extend(column, task, draft);
            more.map_err(|error| error.file(&extra.path))?;
        }
    }
    Ok(())
}

/// The weights of train's rows, then those of the further ones: 1 in a file that has none.
///
/// # Errors
/// When one is no number from 0 on: names file and row.
pub fn extend_weights(weights: &mut Vec<f64>, name: &str, extras: &[Extra]) -> Result<()> {
    for extra in extras {
        if extra.drafts.header.iter().any(|column| column == name) {
            let more = roles::weights(name, take(&extra.drafts, name));
            weights.extend(more.map_err(|error| error.file(&extra.path))?);
        } else {
            weights.resize(weights.len() + extra.drafts.n_rows, 1.0);
        }
    }
    Ok(())
}

/// What is to be known of further rows where folds keep groups or times apart.
pub fn fold_notes(config: &Config, train: &Drafts, extras: &[Extra]) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(group) = &config.folds.group
        && let Some(words) = columns::as_words(take(train, group.column()))
    {
        let known: HashSet<&str> = words.levels.iter().map(|level| group.of(level)).collect();
        for extra in extras.iter().filter(|extra| extra.drafts.header.iter().any(|name| name == group.column())) {
            let Some(words) = columns::as_words(take(&extra.drafts, group.column())) else { continue };
            let is_known = |row: &usize| words.get(*row).is_some_and(|cell| known.contains(group.of(cell)));
            let n_rows = (0..extra.drafts.n_rows).filter(is_known).count();
            if n_rows > 0 {
                let message = format!(
                    "{n_rows} rows of {} are of groups (`{}`) that train has: they train in folds that score these groups",
                    short_name(&extra.path),
                    group.column()
                );
                notes.push(message);
            }
        }
    }
    if config.folds.scheme.needs_time() && !extras.is_empty() {
        notes.push("the rows of `extra_train` train in every fold, whatever their time".to_string());
    }
    notes
}

fn short_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

/// Further rows that repeat one of train's: its fold would score what its model has seen.
pub fn twin_notes(competition: &Competition) -> Vec<String> {
    let (n_train, n_rows) = (competition.n_train_rows(), competition.features.n_rows());
    if n_train == n_rows {
        return Vec::new();
    }
    // A column that the further files lack would tell none of their rows from one of train's whose cell is missing.
    let columns = competition.features.columns().iter().map(|column| &**column);
    let columns: Vec<&Column> =
        columns.filter(|column| (n_train..n_rows).any(|row| cell(&column.values, row).is_some())).collect();
    let mut rows_of: HashMap<u64, Vec<usize>> = HashMap::new();
    (0..n_train).for_each(|row| rows_of.entry(hash(&columns, row)).or_default().push(row));
    let is_same = |a: usize, b: usize| columns.iter().all(|column| cell(&column.values, a) == cell(&column.values, b));
    let has_same_target = |a: usize, b: usize| {
        competition.targets.iter().all(|column| match &column.target {
            Target::Classes { codes, .. } => codes[a] == codes[b],
            Target::Values(values) => values[a] == values[b],
        })
    };
    let mut notes = Vec::new();
    let mut start = n_train;
    for file in competition.files.iter().filter(|file| file.role == "extra_train") {
        let (mut n_twins, mut n_with_target) = (0, 0);
        for row in start..start + file.rows {
            let twins: Vec<usize> = rows_of.get(&hash(&columns, row)).into_iter().flatten().copied().collect();
            let mut twins = twins.into_iter().filter(|&twin| is_same(twin, row)).peekable();
            n_twins += usize::from(twins.peek().is_some());
            n_with_target += usize::from(twins.any(|twin| has_same_target(twin, row)));
        }
        start += file.rows;
        if n_twins > 0 {
            let name = short_name(&file.path);
            notes.push(format!(
                "{n_twins} rows of {name} repeat a row of train in every feature ({n_with_target} in the target too): scores of the folds are too good by what such rows give away"
            ));
        }
    }
    notes
}

fn hash(columns: &[&Column], row: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    columns.iter().for_each(|column| cell(&column.values, row).hash(&mut hasher));
    hasher.finish()
}

#[derive(PartialEq, Hash)]
enum Comparable<'a> {
    Number(u64),
    Code(u32),
    Text(&'a str),
}

/// None where it is missing.
fn cell(values: &Values, row: usize) -> Option<Comparable<'_>> {
    match values {
        Values::Numeric(values) | Values::Date(values) => {
            Some(values[row]).filter(|value| !value.is_nan()).map(|value| Comparable::Number((value + 0.0).to_bits()))
        }
        Values::Categorical { codes, .. } => {
            Some(codes[row]).filter(|&code| code != crate::table::MISSING).map(Comparable::Code)
        }
        Values::Text(texts) => texts[row].as_deref().map(Comparable::Text),
        // Transforms make these; no file holds one.
        Values::Sparse { .. } => None,
    }
}
