//! The submission's columns: from the sample where there is one, else from the targets and what the metric compares.

use std::sync::Arc;

use super::{Config, Content, Layout, LayoutColumn};
use crate::error::{Error, Result};
use crate::metric::Needs;
use crate::reader::StringTable;
use crate::target::{Target, TargetColumn, Task};

/// Columns that ask for something else than a label, a value or a probability a row.
const REFUSED: &[(&str, &str)] = &[
    ("encodedpixels", "run-length masks are not supported"),
    ("rle", "run-length masks are not supported"),
    ("rle_mask", "run-length masks are not supported"),
    ("segmentation", "run-length masks are not supported"),
    ("predictionstring", "lists of predictions in one cell are not supported"),
];

/// What is behind a target's name in the name of its spread's column.
const SIGMA: &str = "_sigma";

/// The layout that the sample's header shows.
///
/// # Errors
/// When a column is neither a target nor a class of one.
pub fn from_names(
    id: &str,
    names: &[String],
    targets: &[TargetColumn],
    needs: Needs,
    prefix: Option<&str>,
) -> Result<Layout> {
    for name in names.iter().filter(|_| !holds_lists(needs)) {
        let lower = name.to_lowercase();
        if let Some((_, why)) = REFUSED.iter().find(|(refused, _)| *refused == lower) {
            return Err(Error::config(why.to_string()).column(name));
        }
    }
    let contents = contents(names, targets, needs, prefix)?;
    let columns = names.iter().zip(contents).map(|(name, content)| LayoutColumn { name: name.clone(), content });
    Ok(Layout { id: id.to_string(), columns: columns.collect() })
}

/// Whether a cell may hold several labels.
fn holds_lists(needs: Needs) -> bool {
    matches!(needs, Needs::Ranking(_) | Needs::Texts)
}

fn contents(names: &[String], targets: &[TargetColumn], needs: Needs, prefix: Option<&str>) -> Result<Vec<Content>> {
    let mut contents: Vec<Option<Content>> = names
        .iter()
        .map(|name| targets.iter().position(|target| target.name == *name).map(|target| Content::Target { target }))
        .collect();
    if needs == Needs::Spread {
        // A value and its spread: of one target under any names, the value first where neither is the target's.
        if let ([first, second], [_]) = (contents.as_mut_slice(), targets) {
            let (value, sigma) = (Content::Target { target: 0 }, Content::Sigma { target: 0 });
            (*first, *second) = if second.is_some() { (Some(sigma), Some(value)) } else { (Some(value), Some(sigma)) };
        }
        for (place, name) in names.iter().enumerate().filter(|_| targets.len() > 1) {
            let of = targets.iter().position(|target| name.strip_suffix(SIGMA) == Some(&target.name));
            contents[place] = contents[place].or(of.map(|target| Content::Sigma { target }));
        }
    }
    for (target, column) in targets.iter().enumerate().filter(|_| !holds_lists(needs)) {
        if contents.contains(&Some(Content::Target { target })) {
            continue;
        }
        let open: Vec<usize> = (0..names.len()).filter(|&at| contents[at].is_none()).collect();
        if let Some(places) = class_columns(names, &open, column, prefix) {
            for (class, place) in places.into_iter().enumerate() {
                contents[place] = Some(Content::Class { target, class });
            }
        }
    }
    // One column for one target may have any name.
    if let ([content @ None], [_]) = (contents.as_mut_slice(), targets) {
        *content = Some(Content::Target { target: 0 });
    }
    let found: Option<Vec<Content>> = contents.iter().copied().collect();
    let Some(found) = found else {
        let at = contents.iter().position(Option::is_none).expect("one was not found");
        let error = Error::config("this column of the submission is neither a target nor a class of one");
        return Err(error
            .column(&names[at])
            .help("class columns are named by label, or by a prefix and the label: see `prefix` in [submission]"));
    };
    let is_absent = |target: usize| {
        !found.iter().any(|content| matches!(content, Content::Target { target: of } | Content::Class { target: of, .. } if *of == target))
            || (needs == Needs::Spread && !found.contains(&Content::Sigma { target }))
    };
    if let Some(target) = (0..targets.len()).find(|&target| is_absent(target)) {
        return Err(Error::config("the submission has no column for this target").column(&targets[target].name));
    }
    Ok(found)
}

/// The place of each class's column, where all classes have one: by label, by target and label, or by any one prefix.
fn class_columns(names: &[String], open: &[usize], column: &TargetColumn, prefix: Option<&str>) -> Option<Vec<usize>> {
    if column.labels.len() < 2 {
        return None;
    }
    let places = |prefix: &str| -> Option<Vec<usize>> {
        let place = |label: &String| {
            open.iter().copied().find(|&at| names[at].strip_prefix(prefix).is_some_and(|rest| rest == label))
        };
        column.labels.iter().map(place).collect()
    };
    if let Some(prefix) = prefix {
        return places(prefix);
    }
    let by_target = format!("{}_", column.name);
    let others = open.iter().filter_map(|&at| names[at].strip_suffix(column.labels[0].as_str()));
    ["", &by_target].into_iter().chain(others).find_map(places)
}

/// The layout where no sample and no columns are given.
pub fn from_targets(id: &str, targets: &[TargetColumn], task: Task, needs: Needs, prefix: Option<&str>) -> Layout {
    let by_class = needs == Needs::Probabilities && task != Task::Binary;
    let mut columns = Vec::new();
    for (target, column) in targets.iter().enumerate() {
        if !by_class || matches!(column.target, Target::Values(_)) {
            columns.push(LayoutColumn { name: column.name.clone(), content: Content::Target { target } });
            if needs == Needs::Spread {
                columns
                    .push(LayoutColumn { name: format!("{}{SIGMA}", column.name), content: Content::Sigma { target } });
            }
            continue;
        }
        let prefix = match prefix {
            Some(prefix) => prefix.to_string(),
            None if targets.len() > 1 => format!("{}_", column.name),
            None => String::new(),
        };
        columns.extend(column.labels.iter().enumerate().map(|(class, label)| LayoutColumn {
            name: format!("{prefix}{label}"),
            content: Content::Class { target, class },
        }));
    }
    Layout { id: id.to_string(), columns }
}

/// Whether the sample asks for the test's ids, each once, in cells that hold one thing.
///
/// # Errors
/// When it does not: names the row.
pub fn check_sample(sample: &StringTable, config: &Config, needs: Needs, test_ids: Option<&[Arc<str>]>) -> Result<()> {
    let id = config.id.as_deref().unwrap_or("id");
    let Some(column) = sample.column(id) else {
        let error = Error::data(format!("the sample submission has no id column `{id}`"));
        return Err(error.help(format!("its columns are {}; set `id` in competition.toml", sample.header.join(", "))));
    };
    let mut seen: Vec<(&str, usize)> = (0..sample.n_rows()).map(|row| (sample.cell(row, column), row)).collect();
    seen.sort_unstable();
    if let Some(pair) = seen.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let message =
            format!("the id `{}` has several rows: lists of predictions for one id are not supported", pair[0].0);
        return Err(Error::data(message).column(id).row(pair[1].1 + 1));
    }
    if let Some(ids) = test_ids {
        let mut wanted: Vec<&str> = ids.iter().map(|id| &**id).collect();
        wanted.sort_unstable();
        if let Some((foreign, row)) = seen.iter().find(|(id, _)| wanted.binary_search(id).is_err()) {
            return Err(Error::data(format!("the id `{foreign}` is not in the test file")).column(id).row(row + 1));
        }
        if let Some(absent) = wanted.iter().find(|id| seen.binary_search_by(|(seen, _)| seen.cmp(id)).is_err()) {
            return Err(Error::data(format!("the test file's id `{absent}` is missing here")).column(id));
        }
    }
    for other in (0..sample.header.len()).filter(|&other| other != column && !holds_lists(needs)) {
        for row in 0..sample.n_rows() {
            let cell = sample.cell(row, other);
            if cell.contains(' ')
                && cell.split_whitespace().count() > 1
                && cell.split_whitespace().all(|part| crate::reader::number(part).is_some())
            {
                let error = Error::data(
                    "this cell is a list of numbers: run-length masks and lists of predictions are not supported",
                );
                return Err(error.column(&sample.header[other]).row(row + 1));
            }
        }
    }
    Ok(())
}
