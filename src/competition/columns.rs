//! Drafts of train and test to typed columns. A column's type is inferred over both files together, so a column whole in train and broken in test is of one type.

use std::collections::HashMap;
use std::sync::Arc;

use super::config::ColumnConfig;
use crate::error::{Error, Result};
use crate::reader::{self, Draft, Words};
use crate::table::{Column, ColumnType, MISSING, Values};

/// Spellings of true and false, as Python, R and spreadsheets write them.
const BOOLEANS: [(&str, f64); 6] =
    [("true", 1.0), ("True", 1.0), ("TRUE", 1.0), ("false", 0.0), ("False", 0.0), ("FALSE", 0.0)];

/// The type that the words of a column show; numbers show themselves.
pub fn infer(parts: &[&Draft]) -> ColumnType {
    let words: Vec<&Words> = parts.iter().filter_map(|draft| as_words(draft)).collect();
    let levels = || words.iter().flat_map(|words| &words.levels);
    if levels().next().is_none() {
        return ColumnType::Numeric;
    }
    if levels().all(|level| is_number_or_missing(level)) && levels().any(|level| reader::number(level).is_some()) {
        return ColumnType::Numeric;
    }
    if levels().all(|level| boolean(level).is_some()) {
        return ColumnType::Boolean;
    }
    if levels().all(|level| reader::iso_date(level).is_some()) {
        return ColumnType::Date;
    }
    if is_text(&words) { ColumnType::Text } else { ColumnType::Categorical }
}

/// Mostly distinct, and long or of several words.
fn is_text(words: &[&Words]) -> bool {
    let n_cells: usize = words.iter().map(|words| words.codes.iter().filter(|&&code| code != MISSING).count()).sum();
    let levels: Vec<&Arc<str>> = words.iter().flat_map(|words| &words.levels).collect();
    let n_distinct = levels.len() as f64;
    let mean = |measure: fn(&str) -> usize| levels.iter().map(|level| measure(level) as f64).sum::<f64>() / n_distinct;
    let (n_words, length) = (mean(|level| level.split_whitespace().count()), mean(str::len));
    let distinct = n_distinct / n_cells.max(1) as f64;
    // Names of people are two words and nearly all distinct; places of two words come again and again.
    (distinct > 0.5 && (n_words >= 3.0 || length >= 30.0)) || (distinct > 0.8 && n_words >= 1.8)
}

pub fn as_words(draft: &Draft) -> Option<&Words> {
    match draft {
        Draft::Words(words) => Some(words),
        Draft::Numbers { .. } | Draft::Cells(_) | Draft::Skipped => None,
    }
}

fn is_number_or_missing(level: &str) -> bool {
    reader::number(level).is_some() || reader::is_missing_number(level)
}

pub fn boolean(level: &str) -> Option<f64> {
    BOOLEANS.iter().find(|(spelling, _)| *spelling == level).map(|(_, value)| *value)
}

/// A cell as a date: by the format given, else as ISO 8601 spells it.
pub fn date(cell: &str, config: Option<&ColumnConfig>) -> Option<f64> {
    match config.and_then(|config| config.format.as_deref()) {
        Some(format) => reader::date_with_format(cell, format),
        None => reader::iso_date(cell),
    }
}

/// The column of each file's draft, levels shared. The drafts must be of one kind: all numbers or all words.
///
/// # Errors
/// When a cell is not of the type that was declared: names the row, and gives the position of the file among `drafts`.
pub fn build(
    name: &str,
    kind: ColumnType,
    config: Option<&ColumnConfig>,
    drafts: Vec<Draft>,
) -> Result<Vec<Column>, (usize, Error)> {
    let values: Vec<Values> = match kind {
        ColumnType::Numeric => {
            let number = |level: &str| match reader::number(level) {
                None if reader::is_missing_number(level) => Some(f64::NAN),
                number => number,
            };
            each(drafts, |draft| parsed(draft, name, "a finite number", number).map(Values::Numeric))?
        }
        ColumnType::Boolean => {
            each(drafts, |draft| parsed(draft, name, "true or false", boolean).map(Values::Numeric))?
        }
        ColumnType::Date => {
            let of = |level: &str| date(level, config);
            each(drafts, |draft| parsed(draft, name, "a date", of).map(Values::Date))?
        }
        ColumnType::Categorical => categorical(drafts),
        ColumnType::Text => drafts.into_iter().map(text).collect(),
    };
    Ok(values.into_iter().map(|values| Column { name: name.to_string(), kind, values }).collect())
}

fn each(drafts: Vec<Draft>, build: impl Fn(Draft) -> Result<Values>) -> Result<Vec<Values>, (usize, Error)> {
    let values = drafts.into_iter().enumerate().map(|(file, draft)| build(draft).map_err(|error| (file, error)));
    values.collect()
}

/// Numbers of a column's words, each word parsed once; NaN where a cell is missing.
pub fn parsed(draft: Draft, name: &str, what: &str, of: impl Fn(&str) -> Option<f64>) -> Result<Vec<f64>> {
    let words = match draft {
        Draft::Numbers { values, .. } => return Ok(values),
        Draft::Cells(_) | Draft::Skipped => return Ok(Vec::new()),
        Draft::Words(words) => words,
    };
    parsed_words(&words, name, what, of)
}

/// # Errors
/// When a cell is not `what` it should be: names the row.
pub fn parsed_words(words: &Words, name: &str, what: &str, of: impl Fn(&str) -> Option<f64>) -> Result<Vec<f64>> {
    let values: Vec<Option<f64>> = words.levels.iter().map(|level| of(level)).collect();
    let value = |(row, &code): (usize, &u32)| {
        if code == MISSING {
            return Ok(f64::NAN);
        }
        values[code as usize].ok_or_else(|| {
            let level = &words.levels[code as usize];
            let error = Error::data(format!("holds `{level}`, which is not {what}")).column(name).row(row + 1);
            error.help(format!("where it spells a missing value, add it to `missing` in [columns.{}]", toml_key(name)))
        })
    };
    words.codes.iter().enumerate().map(value).collect()
}

/// The name as a key of TOML.
pub fn toml_key(name: &str) -> String {
    let is_bare =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if is_bare { name.to_string() } else { toml::Value::String(name.to_string()).to_string() }
}

fn categorical(drafts: Vec<Draft>) -> Vec<Values> {
    let words: Vec<Words> = drafts
        .into_iter()
        .map(|draft| match draft {
            Draft::Words(words) => words,
            Draft::Numbers { values, .. } => Words::missing(values.len()),
            Draft::Cells(_) | Draft::Skipped => Words::default(),
        })
        .collect();
    let mut levels: Vec<Arc<str>> = words.iter().flat_map(|words| words.levels.iter().cloned()).collect();
    sort_labels(&mut levels);
    levels.dedup();
    let position: HashMap<&str, u32> = levels.iter().enumerate().map(|(at, level)| (&**level, at as u32)).collect();
    let shared = Arc::new(levels.iter().map(|level| level.to_string()).collect::<Vec<String>>());
    let recoded = words.iter().map(|words| {
        let sorted: Vec<u32> = words.levels.iter().map(|level| position[&**level]).collect();
        let code = |&code: &u32| if code == MISSING { MISSING } else { sorted[code as usize] };
        Values::Categorical { codes: words.codes.iter().map(code).collect(), levels: shared.clone() }
    });
    recoded.collect()
}

/// By value where all are numbers, else by bytes.
pub fn sort_labels(labels: &mut [Arc<str>]) {
    let numbers: Option<HashMap<Arc<str>, f64>> =
        labels.iter().map(|label| reader::number(label).map(|number| (label.clone(), number))).collect();
    match numbers {
        Some(numbers) => labels.sort_by(|a, b| numbers[a].total_cmp(&numbers[b]).then_with(|| a.cmp(b))),
        None => labels.sort(),
    }
}

fn text(draft: Draft) -> Values {
    match draft {
        Draft::Words(words) => Values::Text((0..words.codes.len()).map(|row| words.get(row).cloned()).collect()),
        Draft::Numbers { values, .. } => Values::Text(vec![None; values.len()]),
        Draft::Cells(_) | Draft::Skipped => Values::Text(Vec::new()),
    }
}

/// Whether all rows hold the same, or nothing.
pub fn is_constant(values: &Values) -> bool {
    fn all_equal<T>(values: &[T], equal: impl Fn(&T, &T) -> bool) -> bool {
        values.windows(2).all(|pair| equal(&pair[0], &pair[1]))
    }
    match values {
        Values::Numeric(values) | Values::Date(values) => {
            all_equal(values, |a, b| a == b || (a.is_nan() && b.is_nan()))
        }
        Values::Categorical { codes, .. } => all_equal(codes, |a, b| a == b),
        Values::Text(values) => all_equal(values, |a, b| a == b),
        Values::Sparse { matrix, .. } => (1..matrix.n_rows()).all(|row| matrix.row(row) == matrix.row(0)),
    }
}
