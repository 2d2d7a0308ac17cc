//! A column as a recipe reads it: as numbers, texts, moments, or for what is missing alone.

use std::borrow::Cow;
use std::sync::Arc;

use crate::competition::columns;
use crate::competition::config::ColumnConfig;
use crate::error::{Error, Result};
use crate::reader::{self, Draft, Hold, Plan, Words};
use crate::table::{Column, MISSING, Values};

/// What a recipe takes a column's cells for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Use {
    Number,
    Text,
    /// A moment, in seconds since 1970.
    Date,
    /// Whatever tells rows apart: as spelled, or a number by its value.
    Key,
    /// Whether there is anything at all.
    Presence,
}

impl Use {
    /// Whether a file's column must be held as it is spelled.
    pub fn wants_words(self) -> bool {
        matches!(self, Use::Text | Use::Date | Use::Key)
    }
}

pub enum Cells<'a> {
    /// The file has no such column: every cell is missing.
    Absent,
    Numbers(Cow<'a, [f64]>),
    Words(Cow<'a, Words>),
    Levels {
        codes: &'a [u32],
        levels: &'a [String],
    },
    Texts(&'a [Option<Arc<str>>]),
    Missing(Vec<bool>),
}

impl Cells<'_> {
    /// NaN where it is missing, or no number.
    pub fn number(&self, row: usize) -> f64 {
        match self {
            Cells::Numbers(values) => values[row],
            _ => f64::NAN,
        }
    }

    /// None where it is missing, or no text.
    pub fn text(&self, row: usize) -> Option<&str> {
        match self {
            Cells::Words(words) => words.get(row).map(|word| &**word),
            Cells::Levels { codes, levels } => levels.get(codes[row] as usize).map(String::as_str),
            Cells::Texts(texts) => texts[row].as_deref(),
            Cells::Absent | Cells::Numbers(_) | Cells::Missing(_) => None,
        }
    }

    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Cells::Absent => true,
            Cells::Numbers(values) => values[row].is_nan(),
            Cells::Missing(missing) => missing[row],
            Cells::Words(_) | Cells::Levels { .. } | Cells::Texts(_) => self.text(row).is_none(),
        }
    }
}

/// A file's column. `is_numeric`: whether all that the files hold in it are numbers, so that the usual words for a missing one are that.
///
/// # Errors
/// When a cell is not what it is taken for: names column and row.
pub fn of_draft<'a>(
    draft: &'a Draft,
    name: &str,
    usage: Use,
    is_numeric: bool,
    config: Option<&ColumnConfig>,
) -> Result<Cells<'a>> {
    Ok(match (usage, draft) {
        (_, Draft::Skipped | Draft::Cells(_)) => Cells::Absent,
        (Use::Date, Draft::Numbers { values, .. }) => match values.iter().position(|value| !value.is_nan()) {
            None => Cells::Absent,
            Some(row) => {
                let error = Error::data(format!("holds the number {}, which is not a date", values[row]));
                let help = format!("give its `format` in [columns.{}]", columns::toml_key(name));
                return Err(error.column(name).row(row + 1).help(help));
            }
        },
        (Use::Text, Draft::Numbers { values, .. }) => Cells::Words(Cow::Owned(spelled(values))),
        (Use::Number | Use::Key | Use::Presence, Draft::Numbers { values, .. }) => {
            Cells::Numbers(Cow::Borrowed(values))
        }
        (Use::Text | Use::Key, Draft::Words(words)) => Cells::Words(Cow::Borrowed(words)),
        (Use::Number, Draft::Words(words)) => {
            let number = |level: &str| match reader::number(level).or_else(|| columns::boolean(level)) {
                None if reader::is_missing_number(level) => Some(f64::NAN),
                number => number,
            };
            Cells::Numbers(Cow::Owned(columns::parsed_words(words, name, "a number", number)?))
        }
        (Use::Date, Draft::Words(words)) => {
            let moment = |level: &str| columns::date(level, config);
            let moments = columns::parsed_words(words, name, "a date", moment);
            Cells::Numbers(Cow::Owned(moments.map_err(|error| {
                let help = format!("give its `format` in [columns.{}]", columns::toml_key(name));
                error.help(help)
            })?))
        }
        (Use::Presence, Draft::Words(words)) => {
            let level = |level: &Arc<str>| is_numeric && reader::is_missing_number(level);
            let levels: Vec<bool> = words.levels.iter().map(level).collect();
            Cells::Missing(words.codes.iter().map(|&code| code == MISSING || levels[code as usize]).collect())
        }
    })
}

/// A column inside of a fold.
///
/// # Errors
/// When it is of another type than the recipe takes it for.
pub fn of_column(column: &Column, usage: Use) -> Result<Cells<'_>> {
    Ok(match (usage, &column.values) {
        (Use::Number | Use::Key | Use::Presence, Values::Numeric(values))
        | (Use::Date | Use::Key | Use::Presence, Values::Date(values)) => Cells::Numbers(Cow::Borrowed(values)),
        (Use::Text | Use::Key | Use::Presence, Values::Categorical { codes, levels }) => {
            Cells::Levels { codes, levels: levels.as_slice() }
        }
        (Use::Text | Use::Key | Use::Presence, Values::Text(texts)) => Cells::Texts(texts),
        (usage, _) => {
            let wanted = match usage {
                Use::Number => "numbers",
                Use::Date => "dates",
                Use::Text | Use::Key | Use::Presence => "texts",
            };
            let error = Error::data(format!("is {}, where {wanted} are wanted", column.kind.name()));
            return Err(error.column(&column.name));
        }
    })
}

/// Numbers as words, in the shortest spelling that reads back.
pub fn spelled(values: &[f64]) -> Words {
    let (mut words, plan) = (Words::default(), Plan::new(Hold::Words));
    for value in values {
        let spelling = (!value.is_nan()).then(|| (value + 0.0).to_string());
        words.push(spelling.as_deref(), &plan);
    }
    words
}
