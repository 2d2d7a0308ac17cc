//! Grading a submission against the true targets, whole and in Kaggle's public and private parts.
//!
//! Nothing but `grade` and the leaderboard reads a solution: a sweep that saw it could not be trusted.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use super::fault::Fault;
use super::reading::{Joined, Reading, test_ids};
use crate::competition::{Competition, Content};
use crate::decode::Decoded;
use crate::error::{Error, Result};
use crate::metric::{Metric, Needs, Truth, mean_over_targets};
use crate::metrics::accuracy::LabelIndex;
use crate::reader::{StringTable, read_strings};
use crate::registry::Registry;
use crate::target::{Target, Task};

/// What a submission is worth.
#[derive(Clone, Debug, PartialEq)]
pub struct Grade {
    /// On all rows but ignored ones; None when the file is not valid or the score undefined.
    pub score: Option<f64>,
    /// On the rows marked Public; None where there are none, or the score is undefined there.
    pub public: Option<f64>,
    /// On the rows marked Private.
    pub private: Option<f64>,
    /// Whether the submission has no fault.
    pub valid: bool,
    /// The faults; of a valid file, why a score is undefined ("public: roc_auc is undefined: there is no positive row").
    pub errors: Vec<String>,
}

/// The column of a solution that says which part a row belongs to.
const USAGE: &str = "Usage";

/// Scores a submission; with several targets, the mean over them.
///
/// `solution`: the id, each target under its own name or the sample's (or one-hot under the sample's class columns), and an optional column `Usage` of Public, Private and Ignored. Ignored rows do not count.
///
/// # Errors
/// When a file cannot be read, or the solution does not hold every test id once with a target that can be scored. A submission's own faults make a grade that is not valid.
pub fn grade(competition: &Competition, submission: &Path, solution: &Path, registry: &Registry) -> Result<Grade> {
    let metric = competition.metric(registry)?;
    let reading = Reading::new(competition, metric.as_ref(), submission)?;
    let solution = Solution::read(competition, metric.as_ref(), solution)?;
    let mut grade = Grade {
        score: None,
        public: None,
        private: None,
        valid: reading.faults.is_empty(),
        errors: reading.faults.iter().map(Fault::to_string).collect(),
    };
    if !grade.valid {
        return Ok(grade);
    }
    let mut score = |part: &str, rows: &[u32]| -> Option<f64> {
        if rows.is_empty() {
            return None;
        }
        let score = solution.score(competition, metric.as_ref(), &reading.predictions, rows);
        score.map_err(|error| grade.errors.push(format!("{part}: {error}"))).ok()
    };
    let (all, public, private) = (
        solution.rows(|_| true),
        solution.rows(|usage| usage == Usage::Public),
        solution.rows(|usage| usage == Usage::Private),
    );
    let scores = (score("score", &all), score("public", &public), score("private", &private));
    (grade.score, grade.public, grade.private) = scores;
    Ok(grade)
}

#[derive(Clone, Copy, PartialEq)]
enum Usage {
    Unmarked,
    Public,
    Private,
    Ignored,
}

/// The true targets, rows in the order of the test set.
struct Solution {
    targets: Vec<(Target, Vec<String>)>,
    weights: Option<Vec<f64>>,
    queries: Option<Vec<u32>>,
    usages: Vec<Usage>,
    /// Row in the file (from 0) per test row, for error messages.
    lines: Vec<usize>,
}

impl Solution {
    fn read(competition: &Competition, metric: &dyn Metric, path: &Path) -> Result<Solution> {
        let table = read_strings(path)?;
        let place = |error: Error| error.file(path);
        let lines = lines(competition, &table).map_err(place)?;
        let usages = usages(&table, &lines).map_err(place)?;
        let targets = (0..competition.targets.len())
            .map(|target| true_target(competition, metric, &table, &lines, &usages, target));
        let targets = targets.collect::<Result<_>>().map_err(place)?;
        let weights = weights(competition, &table, &lines).map_err(place)?;
        let queries = queries(competition, &table, &lines).map_err(place)?;
        Ok(Solution { targets, weights, queries, usages, lines })
    }

    /// Test rows that are not ignored and `wanted`.
    fn rows(&self, wanted: impl Fn(Usage) -> bool) -> Vec<u32> {
        let used = |row: &u32| {
            let usage = self.usages[*row as usize];
            usage != Usage::Ignored && wanted(usage)
        };
        (0..self.usages.len() as u32).filter(used).collect()
    }

    fn score(
        &self,
        competition: &Competition,
        metric: &dyn Metric,
        predictions: &[Decoded],
        rows: &[u32],
    ) -> Result<f64> {
        let weights: Option<Vec<f64>> =
            self.weights.as_ref().map(|weights| rows.iter().map(|&row| weights[row as usize]).collect());
        let queries: Option<Vec<u32>> =
            self.queries.as_ref().map(|queries| rows.iter().map(|&row| queries[row as usize]).collect());
        mean_over_targets(competition.targets.iter().map(|column| column.name.as_str()), |number| {
            let (target, labels) = &self.targets[number];
            let truth = Truth {
                target: &target.take(rows),
                labels,
                positive: competition.positive(number),
                n_train_labels: competition.targets[number].labels.len(),
                weights: weights.as_deref(),
                queries: queries.as_deref(),
            };
            metric.score(&truth, &predictions[number].take(rows).as_prediction()).map_err(|mut error| {
                // The metric counts the rows it was given; the reader looks for the solution's.
                let row = error.row.and_then(|row| rows.get(row as usize - 1));
                error.row = row.map(|&row| self.lines[row as usize] as u64 + 1);
                error
            })
        })
    }
}

/// The solution's row (from 0) of each test id.
fn lines(competition: &Competition, table: &StringTable) -> Result<Vec<usize>> {
    let id = &competition.layout.id;
    let ids: &[Arc<str>] = test_ids(competition)?;
    let column = place(table, id).ok_or_else(|| Error::submission("the solution has no id column").column(id))?;
    let mut joined = Joined::new(ids);
    for row in 0..table.n_rows() {
        let position = joined.position(table.cell(row, column));
        let position = position.map_err(|fault| Error::submission(fault.message).column(id).row(row + 1))?;
        joined.rows[position] = Some(row);
    }
    if let Some(missing) = joined.missing().next() {
        return Err(Error::submission(format!("the id `{missing}` is missing")).column(id));
    }
    Ok(joined.rows.iter().flatten().copied().collect())
}

fn usages(table: &StringTable, lines: &[usize]) -> Result<Vec<Usage>> {
    let Some(column) = place(table, USAGE) else { return Ok(vec![Usage::Unmarked; lines.len()]) };
    let usage = |&row: &usize| match table.cell(row, column).trim().to_ascii_lowercase().as_str() {
        "public" => Ok(Usage::Public),
        "private" => Ok(Usage::Private),
        "ignored" => Ok(Usage::Ignored),
        _ => {
            let message = format!("`{}` is none of Public, Private and Ignored", table.cell(row, column));
            Err(Error::submission(message).column(USAGE).row(row + 1))
        }
    };
    lines.iter().map(usage).collect()
}

/// The weight column of the competition, where the solution has it too.
fn weights(competition: &Competition, table: &StringTable, lines: &[usize]) -> Result<Option<Vec<f64>>> {
    let Some(name) = &competition.config.weight else { return Ok(None) };
    let Some(column) = place(table, name) else { return Ok(None) };
    lines.iter().map(|&row| number(table, row, column)).collect::<Result<_>>().map(Some)
}

/// The query of each test row: by the column of test, or of the solution where test has none.
fn queries(competition: &Competition, table: &StringTable, lines: &[usize]) -> Result<Option<Vec<u32>>> {
    let Some(name) = &competition.config.query else { return Ok(None) };
    if let Some(queries) = competition.test.as_ref().and_then(|test| test.queries.clone()) {
        return Ok(Some(queries));
    }
    let Some(column) = place(table, name) else {
        return Err(
            Error::submission("neither the test file nor the solution says which query a row is of").column(name)
        );
    };
    let mut numbers: HashMap<&str, u32> = HashMap::new();
    let mut number = |&row: &usize| {
        let next = numbers.len() as u32;
        *numbers.entry(table.cell(row, column)).or_insert(next)
    };
    Ok(Some(lines.iter().map(&mut number).collect()))
}

/// A target's true values and the labels of its classes: train's, then those that only the solution has.
fn true_target(
    competition: &Competition,
    metric: &dyn Metric,
    table: &StringTable,
    lines: &[usize],
    usages: &[Usage],
    target: usize,
) -> Result<(Target, Vec<String>)> {
    let column = &competition.targets[target];
    let mut labels = column.labels.to_vec();
    let alias = competition.layout.columns.iter().find(|column| column.content == Content::Target { target });
    let own = place(table, &column.name).or_else(|| place(table, &alias?.name));
    // Ignored rows often hold no truth at all; any value will do, since they are never scored.
    let ignored = |position: usize| usages[position] == Usage::Ignored;
    let Some(own) = own else {
        let codes = one_hot(competition, table, lines, target, ignored)?;
        return Ok((Target::Classes { codes, n_classes: labels.len() }, labels));
    };
    if matches!(metric.needs(), Needs::Values | Needs::Spread) || matches!(column.target, Target::Values(_)) {
        let value =
            |(position, &row): (usize, &usize)| if ignored(position) { Ok(0.0) } else { number(table, row, own) };
        let values = lines.iter().enumerate().map(value).collect::<Result<_>>()?;
        return Ok((Target::Values(values), Vec::new()));
    }
    if competition.task == Task::Text {
        let mut codes_of: HashMap<&str, u32> = HashMap::new();
        labels.clear();
        let mut code = |&row: &usize| {
            let text = table.cell(row, own);
            *codes_of.entry(text).or_insert_with(|| {
                labels.push(text.to_string());
                labels.len() as u32 - 1
            })
        };
        let codes = lines.iter().map(&mut code).collect();
        return Ok((Target::Classes { codes, n_classes: labels.len() }, labels));
    }
    let index = LabelIndex::new(&column.labels);
    let mut codes = Vec::with_capacity(lines.len());
    for (position, &row) in lines.iter().enumerate() {
        let cell = table.cell(row, own);
        let fault = |message: String| Error::submission(message).column(&table.header[own]).row(row + 1);
        codes.push(match index.find(cell) {
            _ if ignored(position) => 0,
            Some(code) => code,
            None if cell.trim().is_empty() => return Err(fault("the cell is empty".to_string())),
            None if !matches!(metric.needs(), Needs::Labels | Needs::Ranking(_)) => {
                return Err(fault(format!(
                    "train has no label `{cell}`, so that no submission can name its probability"
                )));
            }
            None => {
                let known = labels.iter().position(|label| label == cell);
                known.unwrap_or_else(|| {
                    labels.push(cell.to_string());
                    labels.len() - 1
                }) as u32
            }
        });
    }
    Ok((Target::Classes { codes, n_classes: labels.len() }, labels))
}

/// The classes of a solution that has the sample's class columns: that of the single largest value in each row.
fn one_hot(
    competition: &Competition,
    table: &StringTable,
    lines: &[usize],
    target: usize,
    ignored: impl Fn(usize) -> bool,
) -> Result<Vec<u32>> {
    let mut columns = Vec::new();
    for column in &competition.layout.columns {
        if let Content::Class { target: of, class } = column.content
            && of == target
        {
            let missing = || {
                let name = &competition.targets[target].name;
                Error::submission(format!("the solution has neither a column `{name}` nor all class columns"))
                    .column(&column.name)
            };
            columns.push((class as u32, place(table, &column.name).ok_or_else(missing)?));
        }
    }
    if columns.is_empty() {
        return Err(Error::submission("the solution has no such column").column(&competition.targets[target].name));
    }
    let mut codes = Vec::with_capacity(lines.len());
    for (position, &row) in lines.iter().enumerate() {
        if ignored(position) {
            codes.push(0);
            continue;
        }
        let values = columns.iter().map(|&(class, column)| Ok((number(table, row, column)?, class)));
        let mut values = values.collect::<Result<Vec<_>>>()?;
        values.sort_by(|a, b| b.0.total_cmp(&a.0));
        if values.get(1).is_some_and(|second| second.0 == values[0].0) {
            return Err(Error::submission("the row marks no single class as the true one").row(row + 1));
        }
        codes.push(values[0].1);
    }
    Ok(codes)
}

fn place(table: &StringTable, name: &str) -> Option<usize> {
    table.header.iter().position(|found| found == name)
}

fn number(table: &StringTable, row: usize, column: usize) -> Result<f64> {
    let cell = table.cell(row, column);
    let number = cell.trim().parse::<f64>().ok().filter(|number| number.is_finite());
    number.ok_or_else(|| {
        let error = Error::submission(format!("`{cell}` is not a finite number"));
        error.column(&table.header[column]).row(row + 1)
    })
}

/// From this size on, scores are shown in e-notation.
const HUGE: f64 = 1e15;

/// The score as Kaggle shows it: cut, not rounded, after five decimals (324/418 is 0.77511); huge ones in e-notation.
pub fn truncate(score: f64) -> String {
    if !score.is_finite() {
        return score.to_string();
    }
    // The shortest decimal form, so that 0.3 is not cut to 0.29999.
    let (text, exponent) = if score.abs() >= HUGE {
        let text = format!("{score:e}");
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        (mantissa.to_string(), format!("e{exponent}"))
    } else {
        (score.to_string(), String::new())
    };
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    let decimals: String = decimals.chars().chain("00000".chars()).take(5).collect();
    let cut = format!("{whole}.{decimals}{exponent}");
    if cut == "-0.00000" { "0.00000".to_string() } else { cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_cut_not_rounded() {
        // 324/418 is shown as 0.77511 on Kaggle's board.
        let scores = [324.0 / 418.0, 4.761886, 0.3, 1.0, -0.5, -1e-9, 123456.7, -2.9e25, 1.23456789e20];
        let shown = [
            "0.77511",
            "4.76188",
            "0.30000",
            "1.00000",
            "-0.50000",
            "0.00000",
            "123456.70000",
            "-2.90000e25",
            "1.23456e20",
        ];
        assert_eq!(scores.map(truncate), shown);
    }
}
