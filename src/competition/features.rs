//! The columns to learn from: which they are, and their tables for train and test.

use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;

use super::extra::Extra;
use super::files::{Files, Headers, is_shared, some, take};
use super::{Config, columns};
use crate::error::{Error, Result};
use crate::reader::{self, Draft, Drafts};
use crate::table::{Column, ColumnType, MISSING, Table, Values};

/// The columns to learn from: train's that test has too.
pub fn names(
    config: &Config,
    headers: &Headers,
    train: &mut Drafts,
    test: Option<&Drafts>,
    notes: &mut Vec<String>,
) -> Vec<String> {
    let is_role = |name: &String| {
        config.targets().contains(name)
            || config.weight.as_ref() == Some(name)
            || config.query.as_ref() == Some(name)
            || config.folds.column.as_ref() == Some(name)
            || config.drop.contains(name)
    };
    let mut names = Vec::new();
    let mut only_train = Vec::new();
    for name in headers.train.iter().filter(|name| !is_role(name)) {
        if config.id.as_ref() == Some(name) {
            let column = config.columns.get(name);
            let is_date = |cell: &str| columns::date(cell, column).is_some();
            let all_dates = |drafts: &Drafts| match drafts.header.contains(name).then(|| take(drafts, name)) {
                Some(Draft::Cells(cells)) => cells.iter().all(is_date),
                Some(Draft::Words(words)) => words.levels.iter().all(|level| is_date(level)),
                _ => false,
            };
            if all_dates(train) && test.is_none_or(all_dates) {
                hold_as_words(train, name);
                notes.push(format!("the id `{name}` is a date: it is learned from as well"));
                names.push(name.clone());
            }
        } else if is_shared(name, headers) {
            names.push(name.clone());
        } else {
            only_train.push(name.clone());
        }
    }
    if !only_train.is_empty() {
        notes.push(format!("only in train, so not learned from: {}", some(&only_train)));
    }
    let only_test: Vec<String> = headers
        .test
        .iter()
        .filter(|name| !headers.train.contains(name) && config.id.as_ref() != Some(name) && !is_role(name))
        .cloned()
        .collect();
    if !only_test.is_empty() {
        notes.push(format!("only in test, so not learned from: {}", some(&only_test)));
    }
    names
}

/// The feature columns of train, with the further rows behind its own, and of test.
#[expect(clippy::too_many_arguments, reason = "the files, what is said of them, and what is read of each")]
pub fn tables(
    files: &Files,
    config: &Config,
    headers: &Headers,
    names: &[String],
    train: &mut Drafts,
    mut test: Option<&mut Drafts>,
    extras: &mut [Extra],
    notes: &mut Vec<String>,
) -> Result<(Table, Option<Table>)> {
    // A column of numbers in one file and of words in the other is a column of words.
    if let Some(test) = &mut test {
        let is_mixed = |name: &&String, words: &Drafts, numbers: &Drafts| {
            matches!((take(words, name), take(numbers, name)), (Draft::Words(_), Draft::Numbers { .. }))
        };
        for (role, train_is_numbers) in [("train", true), ("test", false)] {
            let (words, numbers) = if train_is_numbers { (&**test, &*train) } else { (&*train, &**test) };
            let mixed: BTreeSet<String> = names.iter().filter(|name| is_mixed(name, words, numbers)).cloned().collect();
            if mixed.is_empty() {
                continue;
            }
            let again = files.read_again(role, config, &mixed)?;
            let drafts = if train_is_numbers { &mut *train } else { &mut **test };
            for (position, draft) in
                again.columns.into_iter().enumerate().filter(|(_, draft)| !matches!(draft, Draft::Skipped))
            {
                drafts.columns[position] = draft;
            }
        }
    }
    let mut parts: Vec<(String, Vec<Draft>)> = Vec::with_capacity(names.len());
    for name in names {
        let mut drafts = vec![give(train, name)];
        if let Some(test) = &mut test {
            drafts.push(give(test, name));
        }
        drafts.extend(extras.iter_mut().map(|extra| give_or_missing(&mut extra.drafts, name)));
        parts.push((name.clone(), drafts));
    }
    // The further files must be as train and test are, and do not say what that is.
    let n_own = 1 + usize::from(test.is_some());
    let built: Vec<Built> = parts
        .into_par_iter()
        .map(|(name, drafts)| {
            let column = config.columns.get(&name);
            let kind = match column {
                Some(column) if column.kind.is_some() => column.kind.unwrap_or(ColumnType::Text),
                Some(column) if column.format.is_some() => ColumnType::Date,
                // Only an id that is a date gets here.
                _ if config.id.as_ref() == Some(&name) => ColumnType::Date,
                _ => columns::infer(&drafts.iter().take(n_own).collect::<Vec<_>>()),
            };
            let spellings = spellings(kind, &drafts);
            Ok((columns::build(&name, kind, column, drafts)?, spellings))
        })
        .collect();
    let (mut kept, mut kept_test, mut constant) = (Vec::new(), Vec::new(), Vec::new());
    for column in built {
        let (mut columns, spellings) = column.map_err(|(file, error)| {
            let further = file.checked_sub(n_own).and_then(|file| extras.get(file)).map(|extra| &extra.path);
            let path = if file == 0 { Some(&headers.train_path) } else { further.or(headers.test_path.as_ref()) };
            match path {
                Some(path) => error.file(path),
                None => error,
            }
        })?;
        let more = columns.split_off(n_own);
        let test_column = if columns.len() > 1 { columns.pop() } else { None };
        let Some(mut column) = columns.pop() else { continue };
        more.into_iter().for_each(|more| append(&mut column.values, more.values));
        // An image's pixels keep their places, those at its edges too.
        if config.tensor.is_none() && columns::is_constant(&column.values) {
            constant.push(column.name);
            continue;
        }
        if !spellings.is_empty() {
            notes.push(format!("`{}` is numeric, with {} for missing", column.name, spellings.join(", ")));
        }
        if let Some(test_column) = test_column {
            notes.extend(difference(&column, &test_column));
            kept_test.push(Arc::new(test_column));
        }
        kept.push(Arc::new(column));
    }
    if !constant.is_empty() {
        notes.push(format!("constant in train, so left out: {}", some(&constant)));
    }
    let test = test.map(|test| Table::new(test.n_rows, kept_test));
    let n_rows = train.n_rows + extras.iter().map(|extra| extra.drafts.n_rows).sum::<usize>();
    Ok((Table::new(n_rows, kept), test))
}

/// Values of the same column behind those that there are.
fn append(values: &mut Values, more: Values) {
    match (values, more) {
        (Values::Numeric(values), Values::Numeric(more)) | (Values::Date(values), Values::Date(more)) => {
            values.extend(more);
        }
        (Values::Categorical { codes, .. }, Values::Categorical { codes: more, .. }) => codes.extend(more),
        (Values::Text(values), Values::Text(more)) => values.extend(more),
        _ => unreachable!("all parts of a column are built as one type"),
    }
}

fn hold_as_words(drafts: &mut Drafts, name: &str) {
    let draft = drafts.header.iter().position(|column| column == name).map(|position| &mut drafts.columns[position]);
    if let Some(draft) = draft
        && let Draft::Cells(cells) = &*draft
    {
        *draft = Draft::Words(cells.to_words());
    }
}

fn give(drafts: &mut Drafts, name: &str) -> Draft {
    let position = drafts.header.iter().position(|column| column == name).expect("features are in both files");
    std::mem::replace(&mut drafts.columns[position], Draft::Skipped)
}

/// All cells missing where the file has no such column.
fn give_or_missing(drafts: &mut Drafts, name: &str) -> Draft {
    if drafts.header.iter().any(|column| column == name) {
        return give(drafts, name);
    }
    Draft::Numbers { values: vec![f64::NAN; drafts.n_rows], spellings: Vec::new() }
}

/// The words that stand for a missing number in a column of numbers.
fn spellings(kind: ColumnType, drafts: &[Draft]) -> Vec<String> {
    let mut found = BTreeSet::new();
    for draft in drafts.iter().filter(|_| kind == ColumnType::Numeric) {
        match draft {
            Draft::Numbers { spellings, .. } => found.extend(spellings.iter().cloned()),
            Draft::Words(words) => {
                found.extend(
                    words.levels.iter().filter(|level| reader::is_missing_number(level)).map(|level| level.to_string()),
                );
            }
            Draft::Cells(_) | Draft::Skipped => {}
        }
    }
    found.into_iter().collect()
}

/// What test has in a column and train has not.
fn difference(train: &Column, test: &Column) -> Option<String> {
    if let (Values::Categorical { codes, levels }, Values::Categorical { codes: test_codes, .. }) =
        (&train.values, &test.values)
    {
        let mut seen = vec![false; levels.len()];
        codes.iter().filter(|&&code| code != MISSING).for_each(|&code| seen[code as usize] = true);
        let n_rows = test_codes.iter().filter(|&&code| code != MISSING && !seen[code as usize]).count();
        let n_levels = seen.iter().filter(|&&seen| !seen).count();
        if n_levels > 0 {
            return Some(format!("`{}` has {n_levels} levels in test ({n_rows} rows) that train has not", train.name));
        }
    }
    match (train.values.n_missing(), test.values.n_missing()) {
        (0, n) if n > 0 => Some(format!("`{}` has missing values in test alone ({n} rows)", train.name)),
        _ => None,
    }
}

pub fn check_tensor(config: &Config, features: &Table) -> Result<()> {
    let Some(dims) = &config.tensor else { return Ok(()) };
    let n_columns = features.columns().len();
    if dims.iter().try_fold(1usize, |product, &dim| product.checked_mul(dim)) != Some(n_columns) {
        let error =
            Error::config(format!("`tensor` is {dims:?}, which does not multiply to the {n_columns} feature columns"));
        return Err(error.help("leave columns out with `drop`, or correct the shape"));
    }
    match features.columns().iter().find(|column| !matches!(column.kind, ColumnType::Numeric | ColumnType::Boolean)) {
        Some(column) => {
            let error =
                Error::config(format!("`tensor` needs numbers, and `{}` is {}", column.name, column.kind.name()));
            Err(error.help("leave the column out with `drop`"))
        }
        None => Ok(()),
    }
}

/// A feature's column in train and, where there is one, in test, with the spellings of its missing values; or the file (0: train) that is at fault.
type Built = Result<(Vec<Column>, Vec<String>), (usize, Error)>;
