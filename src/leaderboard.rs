//! The best trials of a competition, best first, as a table for people and as files for programs.
//!
//! The same sweep gives the same leaderboard: only columns called `created` or `*_seconds` may differ between two runs.

use std::collections::BTreeMap;
use std::path::Path;

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, Table, TableStyle};
use medalist_search::{Params, Value};
use serde_json::json;

use crate::error::{Error, Result};
use crate::metric::Direction;
use crate::submission::file::{csv_field, replace, shortest};

/// One trial on a leaderboard.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// From 1; given by [`rank`].
    pub rank: usize,
    pub study: String,
    /// The trial's number in its study.
    pub trial: u64,
    /// Mean over the folds, in the metric's unit.
    pub score_mean: f64,
    /// Sample standard deviation over the folds; None for a single fold.
    pub score_std: Option<f64>,
    pub n_folds: usize,
    /// Empty where a program was optimised.
    pub model: String,
    /// Without the model's name.
    pub params: Params,
    /// The sum over the trial's folds.
    pub seconds: f64,
    /// RFC 3339, UTC.
    pub created: String,
    /// Scores on the solution's parts, where a solution is at hand.
    pub public: Option<f64>,
    pub private: Option<f64>,
    /// Whether it is its study's choice.
    pub best: bool,
    /// The study's objectives beyond the score: name and mean over the folds.
    pub others: Vec<(String, f64)>,
    /// Whether no other trial of the study beats it in all objectives; None where the score is the only one.
    pub on_front: Option<bool>,
}

impl Row {
    fn other(&self, name: &str) -> Option<f64> {
        self.others.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }
}

/// The objectives beyond the score that any row has, in the order in which they come up.
fn objectives(rows: &[Row]) -> Vec<&str> {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|row| &row.others) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names
}

/// Sorts rows by their mean score, best first, and numbers them from 1.
///
/// On ties the study whose first trial is older comes first, and in a study the lower trial number.
pub fn rank(mut rows: Vec<Row>, direction: Direction) -> Vec<Row> {
    // Not by each trial's own time: within a study, that depends on which thread was faster.
    let mut begun: BTreeMap<String, String> = BTreeMap::new();
    for row in &rows {
        match begun.get_mut(&row.study) {
            Some(first) if row.created < *first => first.clone_from(&row.created),
            Some(_) => {}
            None => drop(begun.insert(row.study.clone(), row.created.clone())),
        }
    }
    rows.sort_by(|a, b| {
        let older = || begun.get(&a.study).cmp(&begun.get(&b.study));
        let by_name = || a.study.cmp(&b.study);
        direction.compare(a.score_mean, b.score_mean).then_with(older).then_with(by_name).then(a.trial.cmp(&b.trial))
    });
    for (position, row) in rows.iter_mut().enumerate() {
        row.rank = position + 1;
    }
    rows
}

const CSV_HEADER: &str =
    "rank,study,trial,score_mean,score_std,n_folds,public,private,model,params,best,trial_seconds,created";

/// One line a row under a header, numbers at full precision; what is absent is empty. Where a study has further objectives, their columns and `pareto` come last.
pub fn to_csv(rows: &[Row]) -> String {
    let number = |value: Option<f64>| value.map(shortest).unwrap_or_default();
    let objectives = objectives(rows);
    let mut text = CSV_HEADER.to_string();
    if !objectives.is_empty() {
        text += &format!(",{},pareto", objectives.join(","));
    }
    text.push('\n');
    for row in rows {
        let mut fields = vec![
            row.rank.to_string(),
            row.study.clone(),
            row.trial.to_string(),
            shortest(row.score_mean),
            number(row.score_std),
            row.n_folds.to_string(),
            number(row.public),
            number(row.private),
            row.model.clone(),
            row.params.to_string(),
            row.best.to_string(),
            shortest(row.seconds),
            row.created.clone(),
        ];
        if !objectives.is_empty() {
            fields.extend(objectives.iter().map(|name| number(row.other(name))));
            fields.push(row.on_front.map(|on_front| on_front.to_string()).unwrap_or_default());
        }
        let fields: Vec<_> = fields.iter().map(|field| csv_field(field)).collect();
        text += &fields.join(",");
        text.push('\n');
    }
    text
}

/// An array of objects with the names of the CSV's columns, numbers at full precision; what is absent is null.
pub fn to_json(rows: &[Row]) -> serde_json::Value {
    let object = |row: &Row| {
        json!({
            "rank": row.rank,
            "study": row.study,
            "trial": row.trial,
            "score_mean": row.score_mean,
            "score_std": row.score_std,
            "n_folds": row.n_folds,
            "public": row.public,
            "private": row.private,
            "model": row.model,
            "params": row.params,
            "best": row.best,
            "trial_seconds": row.seconds,
            "created": row.created,
            "objectives": row.others.iter().cloned().collect::<BTreeMap<String, f64>>(),
            "pareto": row.on_front,
        })
    };
    rows.iter().map(object).collect()
}

/// A Markdown table, scores to five decimals.
pub fn to_markdown(rows: &[Row]) -> String {
    let (header, cells) = cells(rows);
    let line = |cells: &[String]| {
        let escaped: Vec<String> = cells.iter().map(|cell| cell.replace('|', "\\|").replace('\n', " ")).collect();
        format!("| {} |\n", escaped.join(" | "))
    };
    let mut text = line(&header);
    text += &format!("|{}\n", " --- |".repeat(header.len()));
    cells.iter().for_each(|cells| text += &line(cells));
    if let Some(legend) = legend(rows) {
        text += &format!("\n{legend}\n");
    }
    if rows.iter().any(|row| row.on_front == Some(true)) {
        text += &format!("\n{FRONT_LEGEND}\n");
    }
    text
}

/// What the mark beside a rank means, and why a choice may stand below other trials of its study; none where nothing is marked.
fn legend(rows: &[Row]) -> Option<String> {
    let stands_below =
        |row: &&Row| row.best && rows.iter().any(|other| other.study == row.study && other.rank < row.rank);
    let below: Vec<&str> = rows.iter().filter(stands_below).map(|row| row.study.as_str()).collect();
    rows.iter().any(|row| row.best).then(|| match below.as_slice() {
        [] => "`*`: the study's choice".to_string(),
        studies => format!(
            "`*`: the study's choice; in {} not the best score: judged by all its trials together, the better scores are partly luck",
            studies.join(", ")
        ),
    })
}

const FRONT_LEGEND: &str = "`+`: no trial of the study is better in all objectives";

/// A table for a terminal of `width` columns, scores to five decimals, no colours, no line break at its end.
///
/// Where it is narrow, times and then spreads are left out: the parameters need the room. Where that is not enough, they stand below their row, and where it is still too narrow the trial's name does too.
pub fn to_table(rows: &[Row], width: u16) -> String {
    let (mut header, mut lines) = cells(rows);
    for dropped in ["trial_seconds", "std"] {
        if natural_width(&header, &lines) + MIN_PARAMS <= usize::from(width) {
            break;
        }
        if let Some(column) = header.iter().position(|name| name == dropped) {
            header.remove(column);
            lines.iter_mut().for_each(|cells| drop(cells.remove(column)));
        }
    }
    let fits = natural_width(&header, &lines) + MIN_PARAMS <= usize::from(width);
    // One line a row: what stands below it.
    let mut below: Vec<String> = Vec::new();
    for moved in ["params", "trial", "model"] {
        let is_enough = if below.is_empty() { fits } else { natural_width(&header, &lines) <= usize::from(width) };
        let column = header.iter().position(|name| name == moved).filter(|_| !is_enough);
        let Some(column) = column else { continue };
        header.remove(column);
        below.resize(lines.len(), String::new());
        for (below, cells) in below.iter_mut().zip(&mut lines) {
            *below = format!("{} {below}", cells.remove(column)).trim_end().to_string();
        }
    }
    let mut table = Table::new();
    table.load_style(TableStyle::new().header_separator(LineStyle::none().fill('─')));
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(width);
    table.set_header(&header);
    table.add_rows(lines);
    for (column, name) in table.column_iter_mut().zip(&header) {
        let is_text = matches!(name.as_str(), "trial" | "model" | "params");
        if !is_text {
            column.set_cell_alignment(CellAlignment::Right);
        }
        // Numbers and names broken over two lines cannot be read; parameters can.
        if name != "params" {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    let mut text = table.trim_fmt();
    if !below.is_empty() {
        text = with_lines_below(&text, &below, usize::from(width));
    }
    if let Some(legend) = legend(rows) {
        text += &format!("\n{}", legend.replace('`', ""));
    }
    if rows.iter().any(|row| row.on_front == Some(true)) {
        text += &format!("\n{}", FRONT_LEGEND.replace('`', ""));
    }
    text
}

/// A table's rows, each of one line, and below each its line, indented and broken where it is wide.
fn with_lines_below(table: &str, below: &[String], width: usize) -> String {
    const INDENT: usize = 6;
    const N_HEADER: usize = 2;
    let mut text = String::new();
    for (n, line) in table.lines().enumerate() {
        text += &format!("{line}\n");
        let below = n.checked_sub(N_HEADER).and_then(|row| below.get(row));
        for part in below.into_iter().flat_map(|below| crate::broken(below, width.saturating_sub(INDENT))) {
            text += &format!("{:INDENT$}{part}\n", "");
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// Columns of a terminal that parameters need to be readable.
const MIN_PARAMS: usize = 24;

/// The width of a table with a blank on both sides of each cell, without what its parameters need.
fn natural_width(header: &[String], lines: &[Vec<String>]) -> usize {
    let width_of = |(column, name): (usize, &String)| {
        let cells = lines.iter().map(|cells| cells[column].chars().count());
        let content = cells.chain([name.chars().count()]).max().unwrap_or(0);
        2 + if name == "params" { 0 } else { content }
    };
    header.iter().enumerate().map(width_of).sum()
}

/// What a row shows in one column.
type Cell<'a> = Box<dyn Fn(&Row) -> String + 'a>;

/// Header and cells, columns without any value left out.
fn cells(rows: &[Row]) -> (Vec<String>, Vec<Vec<String>>) {
    let has_std = rows.iter().any(|row| row.score_std.is_some());
    let has_public = rows.iter().any(|row| row.public.is_some());
    let has_private = rows.iter().any(|row| row.private.is_some());
    let has_model = rows.iter().any(|row| !row.model.is_empty());
    let first: [(&str, bool, Cell); 3] = [
        ("rank", true, Box::new(marked_rank)),
        ("score", true, Box::new(|row| short(row.score_mean))),
        ("std", has_std, Box::new(|row| row.score_std.map(short).unwrap_or_default())),
    ];
    let mut columns = Vec::from(first);
    for name in objectives(rows) {
        columns.push((name, true, Box::new(move |row: &Row| row.other(name).map(plain).unwrap_or_default())));
    }
    let others: [(&str, bool, Cell); 6] = [
        ("public", has_public, Box::new(|row| row.public.map(short).unwrap_or_default())),
        ("private", has_private, Box::new(|row| row.private.map(short).unwrap_or_default())),
        ("trial", true, Box::new(|row| format!("{}/{}", row.study, row.trial))),
        ("model", has_model, Box::new(|row| row.model.clone())),
        ("params", true, Box::new(short_params)),
        ("trial_seconds", true, Box::new(|row| format!("{:.2}", row.seconds))),
    ];
    columns.extend(others);
    let shown = || columns.iter().filter(|(_, shown, _)| *shown);
    let header = shown().map(|(name, ..)| name.to_string()).collect();
    (header, rows.iter().map(|row| shown().map(|(.., cell)| cell(row)).collect()).collect())
}

fn marked_rank(row: &Row) -> String {
    let on_front = if row.on_front == Some(true) { "+" } else { "" };
    format!("{}{}{on_front}", row.rank, if row.best { "*" } else { "" })
}

/// A count as it is, the mean of several to one decimal.
fn plain(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value}") } else { format!("{value:.1}") }
}

/// The parameters without the model's name in front, which has a column of its own, numbers to five significant digits: CSV, JSON and `show STUDY/NUMBER` have them all.
fn short_params(row: &Row) -> String {
    let prefix = format!("{}.", row.model);
    let shorten = |(name, value): (&str, &Value)| {
        let rounded = match value {
            Value::Float(number) => Value::Float(format!("{number:.4e}").parse().unwrap_or(*number)),
            other => other.clone(),
        };
        format!("{}={rounded}", name.strip_prefix(&prefix).unwrap_or(name))
    };
    let params: Vec<String> = row.params.iter().map(shorten).collect();
    params.join(" ")
}

/// Five decimals, more where they would be zeros, e-notation where the number is huge or tiny.
pub fn short(score: f64) -> String {
    let size = score.abs();
    if score == 0.0 {
        "0.00000".to_string()
    } else if !(1e-5..1e9).contains(&size) {
        format!("{score:.4e}")
    } else if size < 0.1 {
        format!("{score:.*}", (4 - size.log10().floor() as i32) as usize)
    } else {
        format!("{score:.5}")
    }
}

/// Writes `leaderboard.csv` and `leaderboard.md` into `dir`, each atomically: a reader sees the old file or the new one.
///
/// # Errors
/// When the folder cannot be made or written to.
pub fn write_files(dir: &Path, rows: &[Row]) -> Result<()> {
    std::fs::create_dir_all(dir).map_err(|error| Error::io(dir, &error))?;
    replace(&dir.join("leaderboard.csv"), to_csv(rows).as_bytes())?;
    replace(&dir.join("leaderboard.md"), to_markdown(rows).as_bytes())
}

#[cfg(test)]
mod tests;
