//! What is odd or particular about single columns.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap, HashSet};

use super::Sheets;
use crate::reader::Draft;

/// Names listed in one note; the rest are counted.
const MAX_NAMED: usize = 6;

/// Columns of numbers in which words spell missing values: (column, spellings).
pub fn missing_spellings(sheets: &Sheets, targets: &[String], id: Option<&str>) -> BTreeMap<String, Vec<String>> {
    let mut found = BTreeMap::new();
    for name in features(sheets, targets, id) {
        let tables = [Some(&sheets.train), sheets.test.as_ref()];
        let mut spellings: Vec<String> = Vec::new();
        let (mut all_numbers, mut n_values) = (true, 0);
        for draft in tables.into_iter().flatten().filter_map(|sheet| sheet.column(name)) {
            match draft {
                Draft::Numbers { values, spellings: some } => {
                    n_values += values.iter().filter(|value| !value.is_nan()).count();
                    spellings.extend(some.iter().cloned());
                }
                _ => all_numbers = false,
            }
        }
        spellings.sort();
        spellings.dedup();
        if all_numbers && n_values > 0 && !spellings.is_empty() {
            found.insert(name.to_string(), spellings);
        }
    }
    found
}

/// Columns and rows that repeat others, and rows that contradict each other.
pub fn oddities(sheets: &Sheets, targets: &[String], id: Option<&str>) -> Vec<String> {
    let mut notes = Vec::new();
    let names = features(sheets, targets, id);
    let keys: Vec<(&str, Vec<u64>)> =
        names.iter().filter_map(|name| Some((*name, cells(sheets.train.column(name)?)))).collect();
    let mut first: HashMap<&[u64], &str> = HashMap::new();
    let mut twins = Vec::new();
    for (name, key) in &keys {
        match first.entry(key.as_slice()) {
            // Constant columns are named elsewhere.
            Entry::Occupied(other) if key.windows(2).any(|pair| pair[0] != pair[1]) => {
                twins.push(format!("`{name}` as `{}`", other.get()));
            }
            Entry::Occupied(_) => {}
            Entry::Vacant(place) => drop(place.insert(name)),
        }
    }
    if !twins.is_empty() {
        notes.push(format!("columns that hold the same: {}", some_of(&twins)));
    }
    let answers: Vec<Vec<u64>> = targets.iter().filter_map(|name| Some(cells(sheets.train.column(name)?))).collect();
    let mut seen: HashMap<Vec<u64>, usize> = HashMap::new();
    let (mut n_twins, mut conflicts) = (0, HashSet::new());
    let n_rows = if keys.is_empty() { 0 } else { sheets.train.n_rows };
    for row in 0..n_rows {
        match seen.entry(keys.iter().map(|(_, key)| key[row]).collect()) {
            Entry::Occupied(first) => {
                n_twins += 1;
                if answers.iter().any(|answer| answer[*first.get()] != answer[row]) {
                    conflicts.insert(*first.get());
                }
            }
            Entry::Vacant(place) => drop(place.insert(row)),
        }
    }
    if n_twins > 0 {
        let but = if id.is_some() { " but for the id" } else { "" };
        let under = match conflicts.len() {
            0 => String::new(),
            n => format!("; {n} of those repeated also occur under another target"),
        };
        notes.push(format!("{n_twins} training rows repeat an earlier one{but}{under}"));
    }
    notes
}

/// Train's columns that are neither id nor target and, where there is a test file, are in it.
pub fn features<'a>(sheets: &'a Sheets, targets: &[String], id: Option<&str>) -> Vec<&'a str> {
    let in_test = |name: &str| sheets.test.as_ref().is_none_or(|test| test.has(name));
    let is_feature = |name: &&str| Some(*name) != id && !targets.iter().any(|target| target == name) && in_test(name);
    sheets.train.header.iter().map(String::as_str).filter(is_feature).collect()
}

/// A column's cells as numbers that are equal where the cells are.
fn cells(draft: &Draft) -> Vec<u64> {
    match draft {
        Draft::Numbers { values, .. } => {
            values.iter().map(|value| if value.is_nan() { u64::MAX } else { (value + 0.0).to_bits() }).collect()
        }
        Draft::Words(words) => words.codes.iter().map(|&code| u64::from(code)).collect(),
        Draft::Cells(_) | Draft::Skipped => Vec::new(),
    }
}

/// A list's beginning, and how many more there are.
pub fn some_of(names: &[String]) -> String {
    let shown = names.iter().take(MAX_NAMED).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(MAX_NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
