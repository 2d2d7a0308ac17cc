//! Columns that are not learned from as they stand: ids, weights, groups, times, given folds.

use std::collections::HashMap;
use std::sync::Arc;

use super::config::GroupConfig;
use super::{Config, columns};
use crate::error::{Error, Result};
use crate::reader::{self, Cells, Draft, StringTable};
use crate::table::MISSING;

/// Seconds of a day: the unit of a gap between dates.
const DAY: f64 = 86_400.0;

pub fn train_ids(name: &str, draft: &Draft) -> Result<Cells> {
    let ids = match draft {
        Draft::Cells(cells) => cells.clone(),
        draft => Cells::from_words(columns::as_words(draft).ok_or_else(|| not_words(name))?),
    };
    let empty = ids.iter().position(str::is_empty);
    match empty {
        Some(row) => Err(Error::data("this row has no id").column(name).row(row + 1)),
        None => Ok(ids),
    }
}

fn not_words(name: &str) -> Error {
    Error::unexpected("ids are held as words").column(name)
}

fn ids(name: &str, draft: &Draft) -> Result<Vec<Arc<str>>> {
    let words = columns::as_words(draft).ok_or_else(|| not_words(name))?;
    let id =
        |row: usize| words.get(row).cloned().ok_or_else(|| Error::data("this row has no id").column(name).row(row + 1));
    (0..words.codes.len()).map(id).collect()
}

pub fn test_ids(name: &str, draft: &Draft) -> Result<Vec<Arc<str>>> {
    let ids = ids(name, draft)?;
    if let Some(words) = columns::as_words(draft).filter(|words| words.levels.len() < ids.len()) {
        // Codes count up in order of appearance, so the first that does not is a repetition.
        if let Some(row) = words.codes.iter().enumerate().position(|(row, &code)| (code as usize) < row) {
            let message = format!("the id `{}` has several rows: one prediction an id is supported", ids[row]);
            return Err(Error::data(message).column(name).row(row + 1));
        }
    }
    Ok(ids)
}

pub fn weights(name: &str, draft: &Draft) -> Result<Vec<f64>> {
    let weights = columns::parsed(draft.clone(), name, "a finite number", reader::number)?;
    match weights.iter().position(|&weight| weight.is_nan() || weight < 0.0) {
        Some(row) if weights[row].is_nan() => Err(Error::data("this row has no weight").column(name).row(row + 1)),
        Some(row) => Err(Error::data(format!("the weight {} is negative", weights[row])).column(name).row(row + 1)),
        None if weights.iter().all(|&weight| weight == 0.0) => Err(Error::data("all weights are 0").column(name)),
        None => Ok(weights),
    }
}

pub fn groups(config: &GroupConfig, draft: &Draft) -> Result<Vec<u32>> {
    let name = config.column();
    let words = columns::as_words(draft).ok_or_else(|| Error::unexpected("groups are held as words").column(name))?;
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let group = |row: usize| {
        let Some(cell) = words.get(row) else {
            let error = Error::data("this row has no group").column(name).row(row + 1);
            return Err(error.help("take another column as `group` in [folds]"));
        };
        let next = numbers.len() as u32;
        Ok(*numbers.entry(config.of(cell)).or_insert(next))
    };
    (0..words.codes.len()).map(group).collect()
}

/// The times, and the unit of a gap among them.
pub fn times(name: &str, config: &Config, draft: &Draft) -> Result<(Vec<f64>, f64)> {
    let column = config.columns.get(name);
    let words = columns::as_words(draft).ok_or_else(|| Error::unexpected("times are held as words").column(name))?;
    let is_date = words.levels.first().is_some_and(|level| columns::date(level, column).is_some());
    let times = if is_date {
        columns::parsed(draft.clone(), name, "a date", |cell| columns::date(cell, column))?
    } else {
        columns::parsed(draft.clone(), name, "a number or a date", reader::number)?
    };
    match times.iter().position(|time| time.is_nan()) {
        Some(row) => Err(Error::data("this row has no time").column(name).row(row + 1)),
        None => Ok((times, if is_date { DAY } else { 1.0 })),
    }
}

/// Folds numbered in the order of their names; an empty cell is never scored.
pub fn given(draft: &Draft) -> Vec<Option<u32>> {
    let Some(words) = columns::as_words(draft) else { return Vec::new() };
    let mut names = words.levels.clone();
    columns::sort_labels(&mut names);
    let number = |code: u32| names.iter().position(|name| *name == words.levels[code as usize]).map(|at| at as u32);
    words.codes.iter().map(|&code| if code == MISSING { None } else { number(code) }).collect()
}

pub fn given_by_file(table: &StringTable, id: &str, ids: &Cells) -> Result<Vec<Option<u32>>> {
    let (Some(column), 2) = (table.column(id), table.header.len()) else {
        return Err(Error::data(format!("a file of folds has two columns, `{id}` and the fold")));
    };
    let mut fold_of: HashMap<&str, &str> = HashMap::new();
    for row in 0..table.n_rows() {
        if fold_of.insert(table.cell(row, column), table.cell(row, 1 - column)).is_some() {
            return Err(Error::data(format!("the id `{}` has several folds", table.cell(row, column))).row(row + 1));
        }
    }
    let mut names: Vec<Arc<str>> = (0..table.n_rows()).map(|row| table.cell(row, 1 - column).into()).collect();
    names.retain(|name| !name.is_empty());
    columns::sort_labels(&mut names);
    names.dedup();
    let fold = |id: &str| match fold_of.get(id) {
        Some(&"") => Ok(None),
        Some(name) => Ok(names.iter().position(|known| **known == **name).map(|at| at as u32)),
        None => Err(Error::data(format!("train's id `{id}` is missing"))),
    };
    ids.iter().map(fold).collect()
}
