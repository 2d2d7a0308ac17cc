//! The keys that `competition.toml` may have: an unknown one is answered with the nearest that is known.

use toml::{Table, Value};

use crate::error::{Error, Result};

const TOP: &[&str] = &[
    "version",
    "title",
    "task",
    "id",
    "target",
    "positive",
    "target_scale",
    "encoding",
    "missing",
    "drop",
    "weight",
    "query",
    "tensor",
    "extra_train",
    "files",
    "metric",
    "folds",
    "columns",
    "features",
    "submission",
];
const FILES: &[&str] = &["train", "test", "sample"];
const FILE: &[&str] = &["path", "entry", "sha256"];
const FOLDS: &[&str] = &["scheme", "n", "repeats", "seed", "group", "time", "gap", "column", "file"];
const GROUP: &[&str] = &["column", "up_to"];
const COLUMN: &[&str] = &["type", "missing", "format"];
const SUBMISSION: &[&str] = &["columns", "prefix"];

/// What is refused by name, because it looks as if it should work.
const REFUSED: &[(&str, &str)] = &[
    ("tables", "extra tables are not read: join them to train and test first"),
    ("extra", "extra tables are not read: join them to train and test first"),
    ("rle", "run-length masks are not supported"),
    ("masks", "run-length masks are not supported"),
];

/// # Errors
/// When there is a key that is not known.
pub fn check(table: &Table) -> Result<()> {
    if let Some((key, why)) = REFUSED.iter().find(|(key, _)| table.contains_key(*key)) {
        return Err(Error::config(format!("`{key}`: {why}")));
    }
    only("", table, TOP)?;
    if let Some(files) = inner(table, "files") {
        for (name, file) in files {
            if !FILES.contains(&name.as_str())
                && file.is_table()
                && crate::nearest(name, FILES.iter().copied()).is_none()
            {
                let error = Error::config(format!("[files] names `{name}`: extra tables are not read"));
                return Err(error.help("join it to train and test first"));
            }
        }
        only("files", files, FILES)?;
        for name in FILES {
            if let Some(file) = inner(files, name) {
                only(&format!("files.{name}"), file, FILE)?;
            }
        }
    }
    for file in table.get("extra_train").and_then(Value::as_array).into_iter().flatten() {
        match file {
            Value::Table(file) => only("extra_train", file, FILE)?,
            Value::String(_) => {}
            other => {
                let error = Error::config(format!("`extra_train` holds {other}, which is no file"));
                return Err(error.help("write `extra_train = [\"original.csv\"]`"));
            }
        }
    }
    if let Some(folds) = inner(table, "folds") {
        only("folds", folds, FOLDS)?;
        if let Some(file) = inner(folds, "file") {
            only("folds.file", file, FILE)?;
        }
        if let Some(group) = inner(folds, "group") {
            only("folds.group", group, GROUP)?;
        }
    }
    if let Some(columns) = inner(table, "columns") {
        for (name, column) in columns {
            if let Value::Table(column) = column {
                only(&format!("columns.{name}"), column, COLUMN)?;
            }
        }
    }
    if let Some(submission) = inner(table, "submission") {
        only("submission", submission, SUBMISSION)?;
    }
    Ok(())
}

fn inner<'a>(table: &'a Table, key: &str) -> Option<&'a Table> {
    table.get(key).and_then(Value::as_table)
}

fn only(section: &str, table: &Table, known: &[&str]) -> Result<()> {
    let Some(key) = table.keys().find(|key| !known.contains(&key.as_str())) else { return Ok(()) };
    let place = if section.is_empty() { String::new() } else { format!(" in [{section}]") };
    let error = Error::config(format!("unknown key `{key}`{place}"));
    Err(match crate::nearest(key, known.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("known keys are {}", known.join(", "))),
    })
}
