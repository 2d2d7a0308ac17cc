//! The fold scheme: as the test rows differ from the training rows, so should a fold's scored rows from those it learns from.

use std::collections::{HashMap, HashSet};

use super::columns::features;
use super::files::Files;
use super::target::words;
use super::{Found, NewCompetition, Sheets, check_column};
use crate::competition::config::{FoldsConfig, GroupConfig, GroupPart, Scheme};
use crate::error::{Error, Result};
use crate::reader::{Draft, iso_date};
use crate::target::Task;

/// A separator that may set a group's name apart in an id.
const SEPARATORS: [&str; 3] = ["_", "-", "/"];
/// A group column's values: so many rows each, at least.
const MIN_ROWS_A_GROUP: f64 = 1.5;
/// At most this share of the test rows may have a value that train has, for it to be one that the test set keeps apart.
const MAX_SHARED: f64 = 0.01;
/// A group column has at least so many groups a fold.
const MIN_GROUPS_A_FOLD: usize = 2;
/// Times make a scheme where there are at least so many moments.
const MIN_MOMENTS: usize = 10;
/// Beyond this skewness, a few large values decide a regression's score: folds are stratified by rank.
const SKEWED: f64 = 1.0;

/// # Errors
/// When what was given does not fit the files.
pub fn find(
    request: &NewCompetition,
    sheets: &Sheets,
    files: &Files,
    id: Option<&str>,
    found: &Found,
    notes: &mut Vec<String>,
) -> Result<FoldsConfig> {
    let group = request.group.as_deref().map(|group| match group.rsplit_once(':') {
        Some((column, up_to)) if !up_to.is_empty() && !sheets.train.has(group) => {
            GroupConfig::Part(GroupPart { column: column.to_string(), up_to: up_to.to_string() })
        }
        _ => GroupConfig::Column(group.to_string()),
    });
    if let Some(group) = &group {
        check_column(&sheets.train, &files.train, group.column())?;
    }
    if let Some(time) = &request.time {
        check_column(&sheets.train, &files.train, time)?;
    }
    let named = request.scheme.as_deref().map(scheme_named).transpose()?;
    let mut folds = match (&group, &request.time) {
        (Some(_), _) => FoldsConfig { scheme: by_group(found), group, ..FoldsConfig::default() },
        (None, Some(time)) => {
            let guessed = by_time(sheets, time).map_or(Scheme::TimeExpanding, |(folds, _)| folds.scheme);
            FoldsConfig { scheme: guessed, time: Some(time.clone()), ..FoldsConfig::default() }
        }
        (None, None) => {
            let (folds, reason) = guess(sheets, id, found);
            if named.is_none_or(|named| named == folds.scheme) {
                notes.push(reason);
            }
            folds
        }
    };
    folds.n = request.n_folds.unwrap_or(folds.n);
    folds.scheme = named.unwrap_or(folds.scheme);
    folds.group = folds.group.filter(|_| folds.scheme.needs_group());
    folds.time = folds.time.filter(|_| folds.scheme.needs_time());
    let scheme = folds.scheme.name();
    if folds.scheme.needs_group() && folds.group.is_none() {
        return Err(Error::usage(format!("the scheme `{scheme}` needs groups")).help("add `--group COLUMN`"));
    }
    if folds.scheme.needs_time() && folds.time.is_none() {
        return Err(Error::usage(format!("the scheme `{scheme}` needs times")).help("add `--time COLUMN`"));
    }
    Ok(folds)
}

fn scheme_named(name: &str) -> Result<Scheme> {
    let known = Scheme::ALL.into_iter().filter(|scheme| *scheme != Scheme::Given);
    if let Some(scheme) = known.clone().find(|scheme| scheme.name() == name) {
        return Ok(scheme);
    }
    let names: Vec<&str> = known.map(Scheme::name).collect();
    let error = Error::usage(format!("there is no fold scheme `{name}`"));
    Err(match crate::nearest(name, names.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(names.join(", ")),
    })
}

fn by_group(found: &Found) -> Scheme {
    if found.task == Task::Regression { Scheme::Group } else { Scheme::StratifiedGroup }
}

/// The scheme, and why.
fn guess(sheets: &Sheets, id: Option<&str>, found: &Found) -> (FoldsConfig, String) {
    let of = |scheme: Scheme| FoldsConfig { scheme, ..FoldsConfig::default() };
    let features = features(sheets, &found.targets, id);
    let in_train = id.filter(|id| sheets.train.has(id));
    for &column in in_train.iter().chain(&features) {
        if let Some((folds, reason)) = by_time(sheets, column) {
            return (folds, format!("folds by time: {reason}"));
        }
    }
    if let Some(part) = in_train.and_then(|id| id_prefix(sheets, id)) {
        let reason = format!(
            "folds keep groups whole: several rows share the part of `{}` up to `{}`, never across train and test",
            part.column, part.up_to
        );
        return (FoldsConfig { group: Some(GroupConfig::Part(part)), ..of(by_group(found)) }, reason);
    }
    for &column in &features {
        if let Some(reason) = kept_apart(sheets, column) {
            let group = Some(GroupConfig::Column(column.to_string()));
            return (
                FoldsConfig { group, ..of(by_group(found)) },
                format!("folds keep each `{column}` whole: {reason}"),
            );
        }
    }
    if found.task != Task::Regression {
        return (of(Scheme::Stratified), "folds are stratified: each holds the classes in train's shares".to_string());
    }
    let skewness = sheets.train.column(&found.targets[0]).map_or(0.0, skewness);
    if skewness.abs() > SKEWED {
        let reason = format!("folds are stratified by the target's rank: it is skewed ({skewness:.1})");
        return (of(Scheme::Stratified), reason);
    }
    (of(Scheme::Kfold), "folds are plain: nothing in the data speaks against rows dealt out at random".to_string())
}

/// Whether a date column sets test apart from train: after it, or in stretches between.
fn by_time(sheets: &Sheets, column: &str) -> Option<(FoldsConfig, String)> {
    let times = |draft: Option<&Draft>| -> Option<Vec<f64>> {
        let Some(Draft::Words(words)) = draft else { return None };
        if words.levels.len() < MIN_MOMENTS {
            return None;
        }
        let levels: Vec<f64> = words.levels.iter().map(|level| iso_date(level)).collect::<Option<_>>()?;
        words.codes.iter().map(|&code| levels.get(code as usize).copied()).collect()
    };
    let train = times(sheets.train.column(column))?;
    let test = times(sheets.test.as_ref()?.column(column))?;
    let folds = |scheme| FoldsConfig { scheme, time: Some(column.to_string()), ..FoldsConfig::default() };
    let latest = train.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let earliest = test.iter().copied().fold(f64::INFINITY, f64::min);
    if earliest > latest {
        let reason = format!("by `{column}`, all test rows come after the training rows");
        return Some((folds(Scheme::TimeExpanding), reason));
    }
    let moments: HashSet<u64> = train.iter().map(|time| time.to_bits()).collect();
    let n_shared = test.iter().filter(|time| moments.contains(&time.to_bits())).count();
    if n_shared as f64 > MAX_SHARED * test.len() as f64 {
        return None;
    }
    // Runs of train and test in the order of time: far fewer than a random split would give.
    let of = |times: &[f64], is_test: bool| times.iter().map(|&time| (time, is_test)).collect::<Vec<_>>();
    let mut all = [of(&train, false), of(&test, true)].concat();
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let n_runs = 1 + all.windows(2).filter(|pair| pair[0].1 != pair[1].1).count();
    let expected = 2.0 * train.len() as f64 * test.len() as f64 / all.len() as f64;
    if n_runs as f64 >= expected / 10.0 {
        return None;
    }
    let reason = format!("by `{column}`, the test rows fill {} stretches between the training rows", n_runs / 2);
    Some((folds(Scheme::TimeBlocked), reason))
}

/// The head of the id that several rows share.
fn id_prefix(sheets: &Sheets, id: &str) -> Option<GroupPart> {
    let train = words(sheets.train.column(id)?);
    let test = sheets.test.as_ref().and_then(|test| test.column(id)).map(words).unwrap_or_default();
    for up_to in SEPARATORS {
        let heads = |ids: &[String]| -> Option<Vec<String>> {
            ids.iter().map(|id| id.split_once(up_to).map(|(head, _)| head.to_string())).collect()
        };
        let (Some(train), Some(test)) = (heads(&train), heads(&test)) else { continue };
        let mut counts: HashMap<&str, usize> = HashMap::new();
        train.iter().for_each(|head| *counts.entry(head).or_default() += 1);
        let n_together: usize = counts.values().filter(|&&count| count > 1).sum();
        let n_shared = test.iter().filter(|head| counts.contains_key(head.as_str())).count();
        let apart = n_shared as f64 <= MAX_SHARED * test.len() as f64;
        if apart && counts.len() >= MIN_GROUPS_A_FOLD * FoldsConfig::default().n && n_together * 20 >= train.len() {
            return Some(GroupPart { column: id.to_string(), up_to: up_to.to_string() });
        }
    }
    None
}

/// Why a column's values are groups that the test set keeps apart; None where they are not.
fn kept_apart(sheets: &Sheets, column: &str) -> Option<String> {
    let (train, test) = (sheets.train.column(column)?, sheets.test.as_ref()?.column(column)?);
    if let Draft::Numbers { values, .. } = train
        && values.iter().any(|value| value.fract() != 0.0)
    {
        return None;
    }
    let present = |draft: &Draft| words(draft).into_iter().filter(|value| !value.is_empty()).collect::<Vec<_>>();
    let n_test = sheets.test.as_ref()?.n_rows;
    let (train, test) = (present(train), present(test));
    let known: HashSet<&String> = train.iter().collect();
    let too_few = known.len() < MIN_GROUPS_A_FOLD * FoldsConfig::default().n || test.len() * 2 < n_test;
    if too_few || (train.len() as f64) < MIN_ROWS_A_GROUP * known.len() as f64 {
        return None;
    }
    let n_shared = test.iter().filter(|value| known.contains(value)).count();
    if n_shared as f64 > MAX_SHARED * test.len() as f64 {
        return None;
    }
    let mean = train.len() as f64 / known.len() as f64;
    Some(format!("{} values with {mean:.1} rows each, and the test rows have others", known.len()))
}

fn skewness(draft: &Draft) -> f64 {
    let Draft::Numbers { values, .. } = draft else { return 0.0 };
    let values: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let moment = |power: i32| values.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / n;
    let variance = moment(2);
    if variance > 0.0 { moment(3) / variance.powf(1.5) } else { 0.0 }
}
