//! Reading a submission: every fault it has, and where it has none, its predictions in the order of the test rows.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use ndarray::Array2;

use super::fault::{Fault, FaultKind};
use crate::competition::{Competition, Content};
use crate::decode::{Decoded, decode};
use crate::error::{Error, Kind, Result};
use crate::metric::{Metric, Needs};
use crate::metrics::accuracy::LabelIndex;
use crate::reader::{read_loosely, read_strings};
use crate::registry::Registry;
use crate::target::Task;

/// The result of a check.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    pub n_rows: usize,
    /// All of them: those of the header, then of the rows in their order, then the ids that are missing. Empty: the file is valid.
    pub faults: Vec<Fault>,
}

/// Checks a submission as Kaggle does, against the sample's columns, the test set's ids and what the metric is defined for.
///
/// # Errors
/// When the file cannot be opened, or the competition has no test set. What is wrong within the file is a fault.
pub fn validate(competition: &Competition, path: &Path, registry: &Registry) -> Result<Checked> {
    let metric = competition.metric(registry)?;
    let reading = Reading::new(competition, metric.as_ref(), path)?;
    Ok(Checked { n_rows: reading.n_rows, faults: reading.faults })
}

/// A submission read.
pub(super) struct Reading {
    pub n_rows: usize,
    pub faults: Vec<Fault>,
    /// One per target, rows in the order of the test set; empty when there are faults.
    pub predictions: Vec<Decoded>,
}

impl Reading {
    pub fn new(competition: &Competition, metric: &dyn Metric, path: &Path) -> Result<Reading> {
        let ids = test_ids(competition)?;
        let (table, malformed) = match read_strings(path) {
            Ok(table) => (table, Vec::new()),
            // A file that is there, but is no table, is a fault like any other.
            Err(error) if error.kind == Kind::Data && path.is_file() => match read_loosely(path) {
                Ok(loose) if error.row.is_some() => (loose.table, loose.faults),
                _ => return Ok(Reading { n_rows: 0, faults: vec![Fault::malformed(error)], predictions: Vec::new() }),
            },
            Err(error) => return Err(error),
        };
        let mut malformed = malformed.into_iter().map(Fault::malformed).peekable();
        let mut columns = Columns::new(competition, metric)?;
        let mut faults = header_faults(competition, &table.header);
        let n_rows = table.n_rows();
        if n_rows != ids.len() {
            let message = format!("the file has {n_rows} rows, and the competition asks for {}", ids.len());
            faults.push(Fault::new(FaultKind::RowCount, message));
        }
        let Some(id_column) = table.header.iter().position(|name| *name == competition.layout.id) else {
            faults.extend(malformed);
            return Ok(Reading { n_rows, faults, predictions: Vec::new() });
        };
        let places = columns.places(&table.header);
        let mut joined = Joined::new(ids);
        for row in 0..n_rows {
            let position = joined.position(table.cell(row, id_column)).map_err(|fault| fault.row(row + 1));
            let position = position.map_err(|fault| faults.push(fault.column(&competition.layout.id))).ok();
            if let Some(position) = position {
                joined.rows[position] = Some(row);
            }
            // The cells of a row that is none stand under any column.
            let n_faults = faults.len();
            faults.extend(std::iter::from_fn(|| malformed.next_if(|fault| fault.row == Some(row + 1))));
            if faults.len() > n_faults {
                continue;
            }
            for (column, place) in places.iter().enumerate() {
                let Some(place) = place else { continue };
                if let Err(fault) = columns.read(column, table.cell(row, *place), position) {
                    faults.push(fault.row(row + 1));
                }
            }
            columns.check_row(row, position, &mut faults);
        }
        faults.extend(joined.missing().map(|id| {
            Fault::new(FaultKind::MissingId, format!("the id `{id}` is missing")).column(&competition.layout.id)
        }));
        let predictions = if faults.is_empty() { columns.decode(competition, metric)? } else { Vec::new() };
        Ok(Reading { n_rows, faults, predictions })
    }
}

/// # Errors
/// When the competition has no test set.
pub(super) fn test_ids(competition: &Competition) -> Result<&[Arc<str>]> {
    let test = competition.test.as_ref();
    test.map(|test| test.ids.as_slice()).ok_or_else(|| {
        Error::config(format!(
            "competition `{}` has no test set, so that there is nothing to hand in",
            competition.slug
        ))
    })
}

/// Rows joined to the test set's by id.
pub(super) struct Joined<'a> {
    ids: &'a [Arc<str>],
    positions: HashMap<&'a str, usize>,
    /// The row (from 0) of each test id.
    pub rows: Vec<Option<usize>>,
}

impl<'a> Joined<'a> {
    pub fn new(ids: &'a [Arc<str>]) -> Joined<'a> {
        let positions = ids.iter().enumerate().map(|(position, id)| (id.as_ref(), position)).collect();
        Joined { ids, positions, rows: vec![None; ids.len()] }
    }

    /// Where in the test set an id stands that no earlier row had.
    pub fn position(&self, id: &str) -> Result<usize, Fault> {
        match self.positions.get(id) {
            None if id.is_empty() => Err(Fault::new(FaultKind::Blank, "the id is empty")),
            None if self.positions.contains_key(id.trim()) => {
                Err(Fault::new(FaultKind::ForeignId, format!("the id `{id}` has blanks around it")))
            }
            None => Err(Fault::new(FaultKind::ForeignId, format!("the test set has no id `{id}`"))),
            Some(&position) => match self.rows[position] {
                None => Ok(position),
                Some(row) => Err(Fault::new(FaultKind::DoubleId, format!("row {} has the id `{id}` already", row + 1))),
            },
        }
    }

    pub fn missing(&self) -> impl Iterator<Item = &'a str> {
        self.ids.iter().zip(&self.rows).filter(|(_, row)| row.is_none()).map(|(id, _)| id.as_ref())
    }
}

fn header_faults(competition: &Competition, header: &[String]) -> Vec<Fault> {
    let layout = &competition.layout;
    let mut wanted = vec![layout.id.as_str()];
    wanted.extend(layout.columns.iter().map(|column| column.name.as_str()));
    let mut faults = Vec::new();
    for name in wanted.iter().filter(|name| !header.iter().any(|found| found == **name)) {
        faults.push(Fault::new(FaultKind::Header, "the column is missing").column(name));
    }
    for (place, name) in header.iter().enumerate() {
        if !wanted.contains(&name.as_str()) {
            let fault = Fault::new(FaultKind::Header, "the sample submission has no such column").column(name);
            faults.push(fault);
        } else if header[..place].contains(name) {
            faults.push(Fault::new(FaultKind::Header, "there are two columns of this name").column(name));
        }
    }
    if faults.is_empty() && wanted.iter().ne(header.iter()) {
        let message = format!("the columns stand in another order than {}", wanted.join(","));
        faults.push(Fault::new(FaultKind::Header, message));
    }
    faults
}

/// The columns beside the id, and what their cells hold.
struct Columns<'a> {
    columns: Vec<Column<'a>>,
    n_targets: usize,
}

struct Column<'a> {
    name: &'a str,
    content: Content,
    cells: Cells<'a>,
}

/// Cells in the order of the test rows.
enum Cells<'a> {
    Labels {
        index: LabelIndex<'a>,
        codes: Vec<u32>,
    },
    /// Labels with blanks between, where an index of those known is given; else any text.
    Texts {
        index: Option<LabelIndex<'a>>,
        texts: Vec<String>,
    },
    Numbers {
        range: (f64, f64),
        numbers: Vec<f64>,
    },
}

impl<'a> Columns<'a> {
    fn new(competition: &'a Competition, metric: &dyn Metric) -> Result<Columns<'a>> {
        let n_rows = test_ids(competition)?.len();
        let cells = |content: &Content| -> Result<Cells<'a>> {
            let range = match (content, metric.needs()) {
                (Content::Target { target }, Needs::Labels) => {
                    let labels = competition.targets[*target].labels.as_slice();
                    return Ok(Cells::Labels { index: LabelIndex::new(labels), codes: vec![0; n_rows] });
                }
                (Content::Target { target }, Needs::Ranking(_) | Needs::Texts) => {
                    let labels = competition.targets[*target].labels.as_slice();
                    let index = (competition.task != Task::Text).then(|| LabelIndex::new(labels));
                    return Ok(Cells::Texts { index, texts: vec![String::new(); n_rows] });
                }
                (Content::Sigma { .. }, _) => (f64::MIN_POSITIVE, f64::INFINITY),
                (Content::Target { target }, Needs::Probabilities) => {
                    let column = &competition.targets[*target];
                    if column.labels.len() != 2 {
                        let message = format!(
                            "metric `{}` compares the probabilities of {} classes, and the submission has one column for them",
                            metric.name(),
                            column.labels.len()
                        );
                        return Err(Error::config(message)
                            .column(&column.name)
                            .help("give one submission column per class in competition.toml"));
                    }
                    (0.0, 1.0)
                }
                (Content::Target { .. }, Needs::Values | Needs::Scores | Needs::Spread) => metric.range(),
                (Content::Class { .. }, Needs::Values) => {
                    let message =
                        format!("metric `{}` compares values, and the submission has class columns", metric.name());
                    return Err(Error::config(message).help("another metric is meant, or another sample submission"));
                }
                (Content::Class { .. }, _) => (0.0, 1.0),
            };
            Ok(Cells::Numbers { range, numbers: vec![f64::NAN; n_rows] })
        };
        let columns =
            competition.layout.columns.iter().map(|column| {
                Ok(Column { name: &column.name, content: column.content, cells: cells(&column.content)? })
            });
        Ok(Columns { columns: columns.collect::<Result<_>>()?, n_targets: competition.targets.len() })
    }

    /// Where each column stands in a header.
    fn places(&self, header: &[String]) -> Vec<Option<usize>> {
        let place = |column: &Column| header.iter().position(|name| name == column.name);
        self.columns.iter().map(place).collect()
    }

    /// Reads one cell; without a position in the test set it is checked, and not kept.
    fn read(&mut self, column: usize, cell: &str, position: Option<usize>) -> Result<(), Fault> {
        let column = &mut self.columns[column];
        // Nothing is a text, and a set of labels, too.
        let may_be_empty = matches!(column.cells, Cells::Texts { index: None, .. });
        let result = if cell.trim().is_empty() && !may_be_empty {
            Err(Fault::new(FaultKind::Blank, "the cell is empty"))
        } else {
            match &mut column.cells {
                Cells::Labels { index, codes } => match index.find(cell) {
                    Some(code) => {
                        if let Some(position) = position {
                            codes[position] = code;
                        }
                        Ok(())
                    }
                    None => Err(Fault::new(FaultKind::UnknownLabel, format!("train has no label `{cell}`"))),
                },
                Cells::Texts { index, texts } => {
                    let unknown = |index: &LabelIndex| {
                        cell.split_whitespace().find(|label| index.find(label).is_none()).map(str::to_string)
                    };
                    if let Some(position) = position {
                        texts[position] = cell.to_string();
                    }
                    match index.as_ref().and_then(unknown) {
                        Some(label) => {
                            Err(Fault::new(FaultKind::UnknownLabel, format!("train has no label `{label}`")))
                        }
                        None => Ok(()),
                    }
                }
                Cells::Numbers { range, numbers } => number(cell, *range).map(|number| {
                    if let Some(position) = position {
                        numbers[position] = number;
                    }
                }),
            }
        };
        result.map_err(|fault| fault.column(column.name))
    }

    /// Adds a fault for class columns that are all 0 in the row just read.
    fn check_row(&self, row: usize, position: Option<usize>, faults: &mut Vec<Fault>) {
        let Some(position) = position else { return };
        for wanted in 0..self.n_targets {
            let mut values = self.columns.iter().filter_map(|column| match (&column.content, &column.cells) {
                (Content::Class { target, .. }, Cells::Numbers { numbers, .. }) if *target == wanted => {
                    Some(numbers[position])
                }
                _ => None,
            });
            if let Some(first) = values.next()
                && first == 0.0
                && values.all(|value| value == 0.0)
            {
                faults.push(Fault::new(FaultKind::ZeroSum, "the probabilities of all classes are 0").row(row + 1));
            }
        }
    }

    /// What the metric compares, one per target.
    fn decode(self, competition: &Competition, metric: &dyn Metric) -> Result<Vec<Decoded>> {
        let n_rows = test_ids(competition)?.len();
        let mut decoded: Vec<Option<Decoded>> = vec![None; self.n_targets];
        let mut classes: Vec<Option<Array2<f64>>> = vec![None; self.n_targets];
        let mut sigmas: Vec<Option<Vec<f64>>> = vec![None; self.n_targets];
        for column in self.columns {
            match (column.content, column.cells) {
                (Content::Target { target }, Cells::Labels { codes, .. }) => {
                    decoded[target] = Some(Decoded::Labels(codes))
                }
                (Content::Target { target }, Cells::Numbers { numbers, .. }) => {
                    decoded[target] = Some(match metric.needs() {
                        Needs::Scores => Decoded::Scores(numbers),
                        Needs::Probabilities => {
                            let positive = competition.positive(target) as usize;
                            Decoded::Probabilities(Array2::from_shape_fn((n_rows, 2), |(row, class)| {
                                if class == positive { numbers[row] } else { 1.0 - numbers[row] }
                            }))
                        }
                        _ => Decoded::Values(numbers),
                    });
                }
                (Content::Class { target, class }, Cells::Numbers { numbers, .. }) => {
                    let n_classes = competition.targets[target].labels.len();
                    let matrix = classes[target].get_or_insert_with(|| Array2::zeros((n_rows, n_classes)));
                    numbers.into_iter().enumerate().for_each(|(row, number)| matrix[[row, class]] = number);
                }
                (Content::Target { target }, Cells::Texts { texts, .. }) => {
                    decoded[target] = Some(Decoded::Texts(texts));
                }
                (Content::Sigma { target }, Cells::Numbers { numbers, .. }) => sigmas[target] = Some(numbers),
                (Content::Class { .. } | Content::Sigma { .. }, _) => {
                    return Err(Error::unexpected("labels in a column of numbers"));
                }
            }
        }
        let missing = |target: usize| {
            let name = &competition.targets[target].name;
            Error::config("the submission has no column for this target").column(name)
        };
        let targets = decoded.into_iter().zip(classes).zip(sigmas).enumerate();
        targets
            .map(|(target, ((decoded, classes), sigmas))| match (decoded, classes) {
                (Some(Decoded::Values(values)), _) if metric.needs() == Needs::Spread => {
                    Ok(Decoded::Spread { values, sigmas: sigmas.ok_or_else(|| missing(target))? })
                }
                (Some(decoded), _) => Ok(decoded),
                (None, Some(classes)) => {
                    let column = &competition.targets[target];
                    let positive = competition.positive(target);
                    decode(metric.needs(), competition.task, classes.view(), column, positive, metric.range())
                }
                (None, None) => Err(missing(target)),
            })
            .collect()
    }
}

fn number(cell: &str, (low, high): (f64, f64)) -> Result<f64, Fault> {
    let number: f64 =
        cell.trim().parse().map_err(|_| Fault::new(FaultKind::NotANumber, format!("`{cell}` is not a number")))?;
    if !number.is_finite() {
        return Err(Fault::new(FaultKind::NotFinite, format!("`{cell}` is not finite")));
    }
    let outside = |words: String| Err(Fault::new(FaultKind::OutOfRange, words));
    if number < low && low == f64::MIN_POSITIVE {
        outside(format!("`{cell}` is not above 0"))
    } else if number < low {
        outside(format!("`{cell}` is below {low}"))
    } else if number > high {
        outside(format!("`{cell}` is above {high}"))
    } else {
        Ok(number)
    }
}
