//! Writing a submission: in the sample's header, ids and order, checked before anybody can see it.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ndarray::Array2;

use super::file::{csv_field, persist_durably, shortest, temporary};
use super::reading::{Joined, test_ids, validate};
use crate::competition::{Competition, Content};
use crate::decode::Decoded;
use crate::error::{Error, Result};
use crate::metric::{Metric, Needs};
use crate::registry::Registry;
use crate::thresholds::{Thresholds, decode_with};

/// Decodes a model's output for the test rows and writes it as a submission, which is checked as Kaggle does and then renamed into place, durably. Returns `path`.
///
/// `thresholds`: those of each target, where its labels are cut by any. `outputs`: one matrix per target, rows in the order of the test set: (n_test, n_classes) probabilities or (n_test, 1) values on the target's own scale. Labels are spelled as in train, probabilities sum to 1, values are clipped to the metric's range, numbers have the shortest form that reads back the same.
///
/// # Errors
/// When there is no test set, a prediction is not finite, the file would not be valid, or the folder cannot be written to. Then there is no new file, and an old one stays as it was.
pub fn write(
    competition: &Competition,
    outputs: &[Array2<f64>],
    thresholds: &[Thresholds],
    path: &Path,
    registry: &Registry,
) -> Result<PathBuf> {
    let text = text(competition, outputs, thresholds, registry)?;
    let file = temporary(path, text.as_bytes())?;
    let checked = validate(competition, file.path(), registry)?;
    if let Some(fault) = checked.faults.first() {
        let message = format!("the predictions make no valid submission ({} faults): {fault}", checked.faults.len());
        return Err(Error::submission(message).file(path));
    }
    persist_durably(file, path)?;
    Ok(path.to_path_buf())
}

/// A column of a submission, for rows of any kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    pub name: String,
    /// One a row.
    pub cells: Vec<String>,
    /// Whether the cells are numbers, and not labels.
    pub is_number: bool,
}

impl Shown {
    /// The cell with its type. Numbers are written in the shortest form, so nothing is lost on the way.
    pub fn value(&self, row: usize) -> serde_json::Value {
        let text = &self.cells[row];
        match text.parse::<f64>() {
            Ok(number) if self.is_number => number.into(),
            _ => text.as_str().into(),
        }
    }
}

/// A model's outputs as a submission's columns would show them; `outputs` as of [`write()`], of any rows.
///
/// # Errors
/// When a prediction is not finite, or the outputs are of other targets.
pub fn shown(
    competition: &Competition,
    outputs: &[Array2<f64>],
    thresholds: &[Thresholds],
    registry: &Registry,
) -> Result<Vec<Shown>> {
    let metric = competition.metric(registry)?;
    let decoded = decoded(competition, metric.as_ref(), outputs, thresholds)?;
    let columns = competition.layout.columns.iter().map(|column| {
        let (target, _) = place(competition, &column.content);
        Ok(Shown {
            name: column.name.clone(),
            cells: cells(competition, metric.as_ref(), &column.content, &decoded)?,
            is_number: !matches!(decoded[target], Decoded::Labels(_)),
        })
    });
    columns.collect()
}

fn text(
    competition: &Competition,
    outputs: &[Array2<f64>],
    thresholds: &[Thresholds],
    registry: &Registry,
) -> Result<String> {
    let ids = test_ids(competition)?;
    if outputs.iter().any(|output| output.nrows() != ids.len()) {
        return Err(Error::unexpected(format!("{} test rows, but other predictions", ids.len())));
    }
    let columns = shown(competition, outputs, thresholds, registry)?;
    let mut header = vec![csv_field(&competition.layout.id)];
    header.extend(columns.iter().map(|column| csv_field(&column.name)));
    let mut text = header.join(",") + "\n";
    for row in order(competition, ids)? {
        text += &csv_field(&ids[row]);
        for column in &columns {
            text.push(',');
            text += &csv_field(&column.cells[row]);
        }
        text.push('\n');
    }
    Ok(text)
}

/// What a target's columns show: (n_test, n_classes) probabilities where the sample has class columns, else what the metric compares.
fn decoded(
    competition: &Competition,
    metric: &dyn Metric,
    outputs: &[Array2<f64>],
    thresholds: &[Thresholds],
) -> Result<Vec<Decoded>> {
    if outputs.len() != competition.targets.len() {
        let message = format!("{} targets, but {} predictions", competition.targets.len(), outputs.len());
        return Err(Error::unexpected(message));
    }
    let mut decoded = Vec::new();
    for (target, (column, output)) in competition.targets.iter().zip(outputs).enumerate() {
        let is_class = |content: &Content| matches!(content, Content::Class { target: of, .. } if *of == target);
        let by_class = competition.layout.columns.iter().any(|column| is_class(&column.content));
        let needs = if by_class { Needs::Probabilities } else { metric.needs() };
        let positive = competition.positive(target);
        let (task, thresholds) = (competition.task, thresholds.get(target).unwrap_or(&None));
        decoded.push(decode_with(thresholds, needs, task, output.view(), column, positive, metric.range())?);
    }
    Ok(decoded)
}

/// The target and the class that a column is about.
fn place(competition: &Competition, content: &Content) -> (usize, usize) {
    match *content {
        Content::Target { target } | Content::Sigma { target } => (target, competition.positive(target) as usize),
        Content::Class { target, class } => (target, class),
    }
}

/// One cell a row.
fn cells(
    competition: &Competition,
    metric: &dyn Metric,
    content: &Content,
    decoded: &[Decoded],
) -> Result<Vec<String>> {
    let (target, class) = place(competition, content);
    let column = &competition.targets[target];
    match &decoded[target] {
        Decoded::Labels(codes) => Ok(codes.iter().map(|&code| column.labels[code as usize].clone()).collect()),
        Decoded::Texts(texts) => Ok(texts.clone()),
        Decoded::Spread { sigmas, .. } if matches!(content, Content::Sigma { .. }) => {
            Ok(sigmas.iter().map(|&sigma| shortest(sigma)).collect())
        }
        Decoded::Values(values) | Decoded::Scores(values) | Decoded::Spread { values, .. } => {
            Ok(values.iter().map(|&value| shortest(value)).collect())
        }
        Decoded::Probabilities(probabilities) if class < probabilities.ncols() => {
            Ok(probabilities.column(class).iter().map(|&value| shortest(value)).collect())
        }
        Decoded::Probabilities(_) => {
            let message = format!("metric `{}` has no class for this submission column", metric.name());
            Err(Error::config(message).column(&column.name))
        }
    }
}

/// The test rows in the order of the sample submission; in their own where there is none.
fn order(competition: &Competition, ids: &[Arc<str>]) -> Result<Vec<usize>> {
    let Some(table) = competition.sample()? else {
        return Ok((0..ids.len()).collect());
    };
    let path = competition.config.files.sample.as_ref().map(|file| competition.dir.join(&file.path));
    let place = |error: Error| match &path {
        Some(path) => error.file(path).column(&competition.layout.id),
        None => error,
    };
    let column = table.column(&competition.layout.id);
    let column = column.ok_or_else(|| place(Error::data("the sample submission has no id column")))?;
    let mut joined = Joined::new(ids);
    let mut order = Vec::with_capacity(ids.len());
    for row in 0..table.n_rows() {
        let position = joined.position(table.cell(row, column));
        let position = position.map_err(|fault| place(Error::data(fault.message)).row(row + 1))?;
        joined.rows[position] = Some(row);
        order.push(position);
    }
    match joined.missing().next() {
        Some(id) => Err(place(Error::data(format!("the id `{id}` of the test set is missing")))),
        None => Ok(order),
    }
}
