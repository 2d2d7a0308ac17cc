//! Id, targets, task and metric.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::columns::some_of;
use super::files::{Files, name};
use super::{Found, NewCompetition, Sheet, Sheets, check_column, tasks_of};
use crate::error::{Error, Result};
use crate::reader::{Draft, iso_date};
use crate::registry::Registry;
use crate::target::Task;

/// Whole-numbered targets with at most so many values can be classes.
const MAX_CLASSES: usize = 30;
/// With at most so many they are, where nothing else decides.
const FEW_CLASSES: usize = 12;
/// Names that a target has where no sample says it.
const USUAL_TARGETS: [&str; 6] = ["target", "label", "y", "class", "outcome", "response"];
/// Columns of masks, written as runs of pixels.
const MASKS: [&str; 4] = ["encodedpixels", "rle", "rle_mask", "mask"];

/// The id column.
///
/// # Errors
/// When test rows are to be predicted and nothing names them.
pub fn id(
    request: &NewCompetition,
    files: &Files,
    train: &[String],
    test: Option<&[String]>,
    sample: Option<&[String]>,
) -> Result<Option<String>> {
    let header = test.unwrap_or(train);
    let file: &Path = files.test.as_deref().unwrap_or(&files.train);
    if let Some(id) = &request.id {
        if header.contains(id) {
            return Ok(Some(id.clone()));
        }
        let error = Error::usage(format!("there is no column `{id}`")).file(file);
        return Err(error.help(format!("it has {}", some_of(header))));
    }
    if let (Some(sample), Some(test)) = (sample, test) {
        return match sample.iter().find(|column| test.contains(column)) {
            Some(id) => Ok(Some(id.clone())),
            None => {
                let error = Error::data("no column of the sample submission is in the test file");
                Err(error.file(files.sample.as_deref().unwrap_or(file)).help("`--id COLUMN` names the id"))
            }
        };
    }
    let named = |wanted: &dyn Fn(&str) -> bool| header.iter().find(|column| wanted(column)).cloned();
    let id = named(&|column| column.eq_ignore_ascii_case("id"))
        .or_else(|| named(&|column| column.to_lowercase().ends_with("_id")))
        .or_else(|| named(&|column| column.ends_with("Id") || column.ends_with("ID")));
    if id.is_none() && test.is_some() {
        let error = Error::data("which column names the test rows is not clear without a sample submission");
        return Err(error.file(file).help("`--id COLUMN` names it"));
    }
    Ok(id)
}

/// Refuses by name what is not one row an id.
///
/// # Errors
/// When the sample holds several rows an id, run-length masks, or other ids than the test file.
pub fn check_sample(files: &Files, sheets: &Sheets, id: &str) -> Result<()> {
    let (Some(sample), Some(test), Some(path)) = (&sheets.sample, &sheets.test, &files.sample) else { return Ok(()) };
    let Some(ids) = sample.column(id) else {
        let error = Error::data(format!("the sample submission has no column `{id}`")).file(path);
        return Err(error.help("`--id COLUMN` names the id"));
    };
    if let Some(mask) = sample.header.iter().find(|column| MASKS.contains(&column.to_lowercase().as_str())) {
        let message =
            "run-length masks are not supported: a prediction here is one label, number or set of probabilities a row";
        return Err(Error::data(message).file(path).column(mask));
    }
    let mut first = HashMap::new();
    for (row, value) in words(ids).into_iter().enumerate() {
        if let Some(before) = first.insert(value.clone(), row) {
            let message = format!("`{value}` is in row {} already: several rows an id are not supported", before + 1);
            return Err(Error::data(message).file(path).column(id).row(row + 1));
        }
    }
    let help = format!("is {} the sample of this test file?", name(path));
    let test_ids = test.column(id).map(words).unwrap_or_default();
    if let Some((row, value)) = test_ids.iter().enumerate().find(|(_, value)| !first.contains_key(value.as_str())) {
        let error = Error::data(format!("id `{value}` is not in the sample submission"));
        return Err(error.file(files.test.as_deref().unwrap_or(path)).column(id).row(row + 1).help(help));
    }
    if sample.n_rows != test.n_rows {
        let message = format!("{} rows, where the test file has {}", sample.n_rows, test.n_rows);
        return Err(Error::data(message).file(path).help(help));
    }
    Ok(())
}

pub fn id_notes(sheets: &Sheets, id: &str) -> Vec<String> {
    let mut notes = Vec::new();
    let column = sheets.test.as_ref().unwrap_or(&sheets.train).column(id);
    let values = column.map(words).unwrap_or_default();
    if !values.is_empty() && values.iter().all(|value| iso_date(value).is_some()) {
        notes.push(format!("the id `{id}` looks like a date"));
    }
    if !sheets.train.has(id) {
        notes.push(format!("the id `{id}` is in the test file alone"));
    }
    notes
}

/// # Errors
/// When the target cannot be told, or does not fit the metric.
pub fn find(
    request: &NewCompetition,
    registry: &Registry,
    files: &Files,
    sheets: &Sheets,
    id: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<Found> {
    let targets = match &request.targets {
        Some(targets) => {
            targets.iter().try_for_each(|target| check_column(&sheets.train, &files.train, target))?;
            targets.clone()
        }
        None => targets(files, sheets, id)?,
    };
    let by_class = match (&sheets.sample, targets.as_slice()) {
        (Some(sample), [target]) if !sample.has(target) => {
            if !names_classes(sheets, sample, target, id) {
                let message = format!("its columns are neither `{target}` nor named by the labels of `{target}`");
                let error = Error::data(message).file(files.sample.as_deref().unwrap_or(&files.train));
                return Err(error.help(format!("it has {}", some_of(&sample.header))));
            }
            true
        }
        _ => false,
    };
    let named = request.metric.as_deref();
    let allowed = named.map(|metric| tasks_of(registry, metric)).transpose()?;
    let task = match &request.task {
        Some(task) => task_named(task)?,
        None => task(sheets, &targets, by_class, allowed.as_deref(), named, notes)?,
    };
    let metric = match named {
        Some(metric) => metric,
        None => {
            let metric = default_metric(sheets, &targets, task, by_class);
            notes.push(format!(
                "no metric was named: {metric} is usual here; `--metric` or competition.toml says otherwise"
            ));
            metric
        }
    };
    if allowed.is_some_and(|allowed| !allowed.contains(&task)) {
        let error = Error::usage(format!("metric `{metric}` does not score {} targets", task.name()));
        return Err(error.help("name another `--metric` or `--task`; `medalist metrics` lists what each scores"));
    }
    Ok(Found { targets, task, metric: metric.to_string() })
}

/// The sample's columns that train has and test lacks; else the one column that test lacks.
fn targets(files: &Files, sheets: &Sheets, id: Option<&str>) -> Result<Vec<String>> {
    let test_has = |name: &str| sheets.test.as_ref().is_some_and(|test| test.has(name));
    let only_in_train: Vec<String> =
        sheets.train.header.iter().filter(|column| Some(column.as_str()) != id && !test_has(column)).cloned().collect();
    if let Some(sample) = &sheets.sample {
        let named: Vec<String> =
            sample.header.iter().filter(|column| only_in_train.contains(column)).cloned().collect();
        if !named.is_empty() {
            return Ok(named);
        }
        // Columns named by the labels of one target.
        if let Some(target) = only_in_train.iter().find(|target| names_classes(sheets, sample, target, id)) {
            return Ok(vec![target.clone()]);
        }
    }
    if let ([target], true) = (only_in_train.as_slice(), sheets.test.is_some()) {
        return Ok(vec![target.clone()]);
    }
    if let Some(target) = only_in_train.iter().find(|column| USUAL_TARGETS.contains(&column.to_lowercase().as_str())) {
        return Ok(vec![target.clone()]);
    }
    let error = match only_in_train.as_slice() {
        [] => Error::data("every column is in the test file too, so none can be the target")
            .help("`--target COLUMN` names it"),
        columns => Error::data("which column is the target is not clear")
            .help(format!("`--target COLUMN` names it; it could be {}", some_of(columns))),
    };
    Err(error.file(&files.train))
}

/// Whether the sample's columns are the target's labels, alone or behind a common beginning (`Status_CL`).
fn names_classes(sheets: &Sheets, sample: &Sheet, target: &str, id: Option<&str>) -> bool {
    let labels: HashSet<String> = distinct(sheets.train.column(target)).into_iter().collect();
    let columns: Vec<&String> = sample.header.iter().filter(|column| Some(column.as_str()) != id).collect();
    let fits = |prefix: &str| {
        columns.iter().all(|column| column.strip_prefix(prefix).is_some_and(|label| labels.contains(label)))
    };
    let Some(first) = columns.first().filter(|_| columns.len() >= 2) else { return false };
    (0..first.len()).filter(|&end| first.is_char_boundary(end)).any(|end| fits(&first[..end]))
}

fn task_named(name: &str) -> Result<Task> {
    let tasks = [Task::Binary, Task::Multiclass, Task::Regression, Task::Ordinal, Task::Text];
    let found = tasks.into_iter().find(|task| task.name() == name);
    found.ok_or_else(|| {
        Error::usage(format!("there is no task `{name}`")).help("binary, multiclass, regression, ordinal or text")
    })
}

fn task(
    sheets: &Sheets,
    targets: &[String],
    by_class: bool,
    allowed: Option<&[Task]>,
    metric: Option<&str>,
    notes: &mut Vec<String>,
) -> Result<Task> {
    let target = &targets[0];
    if allowed == Some(&[Task::Text]) {
        return Ok(Task::Text);
    }
    let labels = distinct(sheets.train.column(target));
    let numbers: Option<Vec<f64>> = labels.iter().map(|label| label.parse().ok()).collect();
    let Some(numbers) = numbers.filter(|_| !by_class) else {
        return Ok(if labels.len() == 2 { Task::Binary } else { Task::Multiclass });
    };
    let may = |task: Task| allowed.is_none_or(|allowed| allowed.contains(&task));
    if numbers.len() == 2 && may(Task::Binary) {
        return Ok(Task::Binary);
    }
    let whole = numbers.iter().all(|number| number.fract() == 0.0) && numbers.len() <= MAX_CLASSES;
    if whole && metric == Some("quadratic_weighted_kappa") {
        return Ok(Task::Ordinal);
    }
    if let Some(allowed) = allowed {
        // The metric decides between classes and values.
        return Ok(match () {
            () if allowed.contains(&Task::Regression) => Task::Regression,
            () if allowed.contains(&Task::Multiclass) => Task::Multiclass,
            () => allowed.first().copied().unwrap_or(Task::Regression),
        });
    }
    let sample = sheets.sample.as_ref().and_then(|sample| sample.column(target));
    let sample_whole =
        distinct(sample).iter().all(|value| value.parse::<f64>().is_ok_and(|value| value.fract() == 0.0));
    let task = if whole && sample_whole && numbers.len() <= FEW_CLASSES { Task::Multiclass } else { Task::Regression };
    if whole {
        let n = numbers.len();
        notes.push(format!("`{target}` holds {n} whole numbers: taken as {}; `--task` says otherwise", task.name()));
    }
    Ok(task)
}

fn default_metric(sheets: &Sheets, targets: &[String], task: Task, by_class: bool) -> &'static str {
    let sample = sheets.sample.as_ref().and_then(|sample| sample.column(&targets[0]));
    let whole = distinct(sample).iter().all(|value| value.parse::<f64>().map_or(true, |value| value.fract() == 0.0));
    match task {
        _ if by_class => "log_loss",
        Task::Binary if !whole => "roc_auc",
        Task::Binary | Task::Multiclass => "accuracy",
        Task::Ordinal => "quadratic_weighted_kappa",
        Task::Regression => "rmse",
        Task::Text => "mean_f1",
    }
}

/// The cells as text; empty where missing.
pub fn words(draft: &Draft) -> Vec<String> {
    match draft {
        Draft::Words(words) => {
            let cell = |row| words.get(row).map(|word| word.to_string()).unwrap_or_default();
            (0..words.codes.len()).map(cell).collect()
        }
        Draft::Numbers { values, .. } => {
            values.iter().map(|value| if value.is_nan() { String::new() } else { value.to_string() }).collect()
        }
        Draft::Cells(cells) => cells.iter().map(str::to_string).collect(),
        Draft::Skipped => Vec::new(),
    }
}

/// The different values of a column, numbers in their order.
fn distinct(draft: Option<&Draft>) -> Vec<String> {
    match draft {
        Some(Draft::Words(words)) => {
            let mut levels: Vec<String> = words.levels.iter().map(|level| level.to_string()).collect();
            levels.sort();
            levels
        }
        Some(Draft::Numbers { values, .. }) => {
            let mut values: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
            values.sort_by(f64::total_cmp);
            values.dedup();
            values.into_iter().map(|value| value.to_string()).collect()
        }
        _ => Vec::new(),
    }
}
