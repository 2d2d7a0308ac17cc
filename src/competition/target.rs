//! Drafts of train's target columns to targets.

use std::sync::Arc;

use super::columns;
use crate::error::{Error, Result};
use crate::reader::{self, Draft, Words};
use crate::table::MISSING;
use crate::target::{Target, TargetColumn, Task};

/// # Errors
/// When a row has no target, or one that the task cannot have: names the row.
pub fn build(name: &str, task: Task, draft: Draft) -> Result<TargetColumn> {
    match task {
        Task::Regression => values(name, draft),
        Task::Binary | Task::Multiclass | Task::Ordinal => classes(name, task, draft),
        Task::Text => Ok(texts(name, draft)),
    }
}

/// Each text is a class; an empty cell is the empty text.
fn texts(name: &str, draft: Draft) -> TargetColumn {
    let words: Words = match draft {
        Draft::Words(words) => words,
        Draft::Numbers { .. } | Draft::Cells(_) | Draft::Skipped => Words::default(),
    };
    let mut labels: Vec<String> = words.levels.iter().map(|level| level.to_string()).collect();
    let empty = labels.len() as u32;
    if words.codes.contains(&MISSING) {
        labels.push(String::new());
    }
    let codes = words.codes.iter().map(|&code| if code == MISSING { empty } else { code }).collect();
    let target = Target::Classes { codes, n_classes: labels.len() };
    TargetColumn { name: name.to_string(), target, labels: Arc::new(labels) }
}

/// Adds the targets of further rows.
///
/// # Errors
/// When a row has no target, or a label that the rows before have not: names the row.
pub fn extend(column: &mut TargetColumn, task: Task, draft: Draft) -> Result<()> {
    let name = column.name.clone();
    let labels = column.labels.clone();
    match &mut column.target {
        Target::Values(known) => {
            if let Target::Values(more) = build(&name, task, draft)?.target {
                known.extend(more);
            }
        }
        Target::Classes { codes, .. } => {
            let words = columns::as_words(&draft).cloned().unwrap_or_default();
            let code = |level: &Arc<str>| labels.iter().position(|label| **label == **level).map(|code| code as u32);
            let code_of: Vec<Option<u32>> = words.levels.iter().map(code).collect();
            for (row, &level) in words.codes.iter().enumerate() {
                if level == MISSING {
                    return Err(missing(&name, row));
                }
                let code = code_of[level as usize].ok_or_else(|| {
                    let message = format!("holds `{}`, which is no label of train", words.levels[level as usize]);
                    let error = Error::data(message).column(&name).row(row + 1);
                    error.help(format!("the labels are {}; spell them as train does", labels.join(", ")))
                })?;
                codes.push(code);
            }
        }
    }
    Ok(())
}

fn values(name: &str, draft: Draft) -> Result<TargetColumn> {
    let values = match draft {
        Draft::Words(words) => {
            let first =
                (0..words.codes.len()).find(|&row| words.get(row).is_some_and(|cell| reader::number(cell).is_none()));
            if let (Some(row), true) = (first, words.codes.iter().all(|&code| code != MISSING)) {
                let cell = words.get(row).map_or("", |cell| cell);
                let error =
                    Error::data(format!("holds `{cell}`, which is not a finite number")).column(name).row(row + 1);
                return Err(error.help("set `task` in competition.toml to binary, multiclass or ordinal for classes"));
            }
            columns::parsed(Draft::Words(words), name, "a finite number", reader::number)?
        }
        draft => columns::parsed(draft, name, "a finite number", reader::number)?,
    };
    if let Some(row) = values.iter().position(|value| !value.is_finite()) {
        return Err(missing(name, row));
    }
    Ok(TargetColumn { name: name.to_string(), target: Target::Values(values), labels: Arc::default() })
}

fn classes(name: &str, task: Task, draft: Draft) -> Result<TargetColumn> {
    let words: Words = match draft {
        Draft::Words(words) => words,
        Draft::Numbers { .. } | Draft::Cells(_) | Draft::Skipped => Words::default(),
    };
    if let Some(row) = words.codes.iter().position(|&code| code == MISSING) {
        return Err(missing(name, row));
    }
    let mut labels = words.levels.clone();
    columns::sort_labels(&mut labels);
    let mut new_code = vec![0; labels.len()];
    for (old, level) in words.levels.iter().enumerate() {
        new_code[old] = labels.iter().position(|label| label == level).expect("every level was sorted") as u32;
    }
    let n_classes = labels.len();
    let error = |message: String| Error::data(message).column(name);
    match task {
        Task::Binary if n_classes != 2 => {
            let error = error(format!("a binary target has 2 labels, and this one has {n_classes}"));
            return Err(error.help("set `task = \"multiclass\"` or `task = \"regression\"` in competition.toml"));
        }
        _ if n_classes < 2 => {
            return Err(error(format!("the target has {n_classes} label, and classes need at least 2")));
        }
        _ if n_classes > MOST_CLASSES => {
            let error = error(format!("the target has {n_classes} labels, and at most {MOST_CLASSES} are classes"));
            return Err(error.help("set `task = \"regression\"` in competition.toml"));
        }
        Task::Ordinal => {
            let odd = labels.iter().find(|label| reader::number(label).is_none_or(|value| value.fract() != 0.0));
            if let Some(label) = odd {
                let row =
                    words.codes.iter().position(|&code| words.levels[code as usize] == *label).map_or(0, |row| row + 1);
                let error = error(format!("the label `{label}` of an ordinal target is not a whole number")).row(row);
                return Err(error.help("set `task = \"multiclass\"` in competition.toml"));
            }
        }
        _ => {}
    }
    let codes = words.codes.iter().map(|&code| new_code[code as usize]).collect();
    let labels = Arc::new(labels.iter().map(|label| label.to_string()).collect());
    Ok(TargetColumn { name: name.to_string(), target: Target::Classes { codes, n_classes }, labels })
}

/// More classes than this are most likely values or ids; every model here holds a number a row and class.
const MOST_CLASSES: usize = 1000;

fn missing(name: &str, row: usize) -> Error {
    let error = Error::data("this row has no target").column(name).row(row + 1);
    error.help("take rows without a target out of train")
}
