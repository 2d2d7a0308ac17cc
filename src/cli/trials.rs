//! `trials`: the trials of a study, those that an expression keeps, in an order and with columns of the user's choice.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use medalist_search::{
    Catalogue, Direction, Domain, Field, FieldKind, Filter, Remarks, Store, StudySpec, Trial, TrialState, Value,
};
use serde_json::{Map, json};

use super::Session;
use super::args::TrialsArgs;
use super::output::Listing;
use crate::error::{Error, Result};
use crate::results;

pub fn trials(session: &Session, args: &TrialsArgs) -> Result<()> {
    let store = session.store()?;
    let spec = results::find_study(&store, &args.study)?;
    let remarks = store.remarks(&spec.name)?;
    let columns = Columns::new(&spec);
    let filter = args.filter.as_deref().map(|text| columns.filter(text)).transpose()?;
    let sort = args.sort.as_deref().map(|name| columns.known(name)).transpose()?;
    let chosen = args.columns.iter().map(|name| columns.known(name)).collect::<Result<Vec<_>>>()?;
    let trials = store.trials(&spec.name)?.into_iter();
    let mut rows: Vec<Row> = trials
        .map(|trial| Row {
            remarks: remarks.get(&Some(trial.number)).cloned().unwrap_or_default(),
            others: results::others(&spec, &trial),
            trial,
        })
        .map(Record::of)
        .filter(|record| filter.as_ref().is_none_or(|filter| filter.keeps(&|name| record.field(columns.own(name)))))
        .map(|record| record.row)
        .collect();
    if let Some(name) = sort {
        let down = (name == "score" && spec.direction == Direction::Maximize) != args.reverse;
        rows.sort_by(|a, b| a.cell(name).compare(&b.cell(name), down));
    }
    rows.truncate(args.top.unwrap_or(rows.len()));
    let listing = if chosen.is_empty() { usual(&spec, &rows) } else { of_columns(&args.columns, &chosen, &rows) };
    listing.print(session.format())
}

/// A trial, and what is said of it.
struct Row {
    trial: Trial,
    remarks: Remarks,
    /// The study's further objectives.
    others: Vec<(String, f64)>,
}

/// A row whose texts can be lent to a filter.
struct Record {
    row: Row,
    tags: Vec<String>,
    parameters: String,
}

impl Record {
    fn of(row: Row) -> Record {
        let tags = row.remarks.tags.iter().cloned().collect();
        Record { tags, parameters: row.parameters(), row }
    }

    fn field(&self, name: &str) -> Option<Field<'_>> {
        let trial = &self.row.trial;
        match name {
            "state" => Some(Field::Text(trial.state.name())),
            "reason" => reason(trial).map(Field::Text),
            "model" => trial.params.text("model").ok().map(Field::Text),
            "parameters" => Some(Field::Text(&self.parameters)),
            "created" => Some(Field::Text(&trial.created)),
            "tags" => (!self.tags.is_empty()).then_some(Field::Texts(&self.tags)),
            "note" => self.row.remarks.note.as_deref().map(Field::Text),
            _ => match self.row.cell(name) {
                Cell::Number(number) => Some(Field::Number(number)),
                Cell::Count(count) => Some(Field::Number(count as f64)),
                _ => trial.params.get(parameter(name)).map(Field::from),
            },
        }
    }
}

/// What stands in a column of a row.
#[derive(Clone, Debug, PartialEq)]
enum Cell {
    Nothing,
    Number(f64),
    Count(u64),
    Truth(bool),
    Text(String),
    Texts(Vec<String>),
}

impl Row {
    /// `name`: one of [`Columns`].
    fn cell(&self, name: &str) -> Cell {
        let trial = &self.trial;
        let text = |text: Option<&str>| text.map_or(Cell::Nothing, |text| Cell::Text(text.to_string()));
        match name {
            "trial" => Cell::Count(trial.number),
            "state" => text(Some(trial.state.name())),
            "reason" => text(reason(trial)),
            "score" => trial.score.map_or(Cell::Nothing, Cell::Number),
            "look" => Cell::Count(u64::from(trial.look()) + 1),
            "model" => text(trial.params.text("model").ok()),
            "parameters" => Cell::Text(self.parameters()),
            "total_seconds" => Cell::Number(trial.seconds),
            "created" => text(Some(&trial.created)),
            "tags" => Cell::Texts(self.remarks.tags.iter().cloned().collect()),
            "note" => text(self.remarks.note.as_deref()),
            _ => match (self.others.iter().find(|(other, _)| other == name), trial.params.get(parameter(name))) {
                (Some((_, value)), _) => Cell::Number(*value),
                (None, Some(Value::Int(value))) => {
                    u64::try_from(*value).map_or(Cell::Number(*value as f64), Cell::Count)
                }
                (None, Some(Value::Float(value))) => Cell::Number(*value),
                (None, Some(Value::Bool(value))) => Cell::Truth(*value),
                (None, Some(Value::Text(value))) => text(Some(value)),
                (None, None) => Cell::Nothing,
            },
        }
    }

    /// But for the model.
    fn parameters(&self) -> String {
        let params = self.trial.params.iter().filter(|(name, _)| *name != "model");
        params.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }
}

impl Cell {
    /// What has no value comes last, whichever way the others go.
    fn compare(&self, other: &Cell, down: bool) -> Ordering {
        let turned = |order: Ordering| if down { order.reverse() } else { order };
        match (self, other) {
            (Cell::Nothing, Cell::Nothing) => Ordering::Equal,
            (Cell::Nothing, _) => Ordering::Greater,
            (_, Cell::Nothing) => Ordering::Less,
            _ => turned(match (self.number(), other.number()) {
                (Some(a), Some(b)) => a.total_cmp(&b),
                _ => self.text().cmp(&other.text()),
            }),
        }
    }

    fn number(&self) -> Option<f64> {
        match self {
            Cell::Number(number) => Some(*number),
            Cell::Count(count) => Some(*count as f64),
            _ => None,
        }
    }

    fn text(&self) -> String {
        match self {
            Cell::Nothing => String::new(),
            Cell::Number(number) => Value::Float(*number).to_string(),
            Cell::Count(count) => count.to_string(),
            Cell::Truth(truth) => truth.to_string(),
            Cell::Text(text) => text.clone(),
            Cell::Texts(texts) => texts.join(" "),
        }
    }

    fn json(&self) -> serde_json::Value {
        match self {
            Cell::Nothing => json!(null),
            Cell::Number(number) => json!(number),
            Cell::Count(count) => json!(count),
            Cell::Truth(truth) => json!(truth),
            Cell::Text(text) => json!(text),
            Cell::Texts(texts) => json!(texts),
        }
    }
}

/// The columns that a study's trials have, with their kinds.
struct Columns(BTreeMap<String, FieldKind>);

impl Columns {
    fn new(spec: &StudySpec) -> Columns {
        let of_all = [
            ("trial", FieldKind::Number),
            ("number", FieldKind::Number),
            ("state", FieldKind::Text),
            ("reason", FieldKind::Text),
            ("score", FieldKind::Number),
            ("look", FieldKind::Number),
            ("model", FieldKind::Text),
            ("parameters", FieldKind::Text),
            ("total_seconds", FieldKind::Number),
            ("created", FieldKind::Text),
            ("tags", FieldKind::Texts),
            ("note", FieldKind::Text),
        ];
        let mut kinds: BTreeMap<String, FieldKind> = of_all.map(|(name, kind)| (name.to_string(), kind)).into();
        for objective in &spec.objectives {
            kinds.insert(objective.name.clone(), FieldKind::Number);
        }
        for declared in spec.space.parameters().iter().filter(|declared| declared.name != "model") {
            let is_taken = kinds.contains_key(&declared.name);
            let name = if is_taken { format!("{PARAMS}{}", declared.name) } else { declared.name.clone() };
            kinds.insert(name, kind_of(&declared.domain));
        }
        Columns(kinds)
    }

    fn filter(&self, text: &str) -> Result<Filter> {
        let filter: Filter = text.parse()?;
        filter.check(&self.0)?;
        Ok(filter)
    }

    /// # Errors
    /// When there is no such column: names the nearest.
    fn known<'n>(&self, name: &'n str) -> Result<&'n str> {
        if self.0.contains_key(name) {
            return Ok(self.own(name));
        }
        let error = Error::usage(format!("there is no column `{name}`"));
        Err(match crate::nearest(name, self.0.keys().map(String::as_str)) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => {
                let names: Vec<&str> = self.0.keys().map(String::as_str).collect();
                error.help(format!("there are {}", names.join(", ")))
            }
        })
    }

    /// A trial's number goes by two names.
    fn own<'n>(&self, name: &'n str) -> &'n str {
        if name == "number" { "trial" } else { name }
    }
}

/// Before the name of a parameter that is called as a column is.
const PARAMS: &str = "params.";

fn parameter(name: &str) -> &str {
    name.strip_prefix(PARAMS).unwrap_or(name)
}

fn kind_of(domain: &Domain) -> FieldKind {
    match domain {
        Domain::Choice { choices, .. } => match choices.first() {
            Some(Value::Bool(_)) => FieldKind::Bool,
            Some(Value::Text(_)) | None => FieldKind::Text,
            Some(Value::Int(_) | Value::Float(_)) => FieldKind::Number,
        },
        Domain::Float { .. } | Domain::Int { .. } => FieldKind::Number,
    }
}

fn reason(trial: &Trial) -> Option<&str> {
    match &trial.state {
        TrialState::Failed { reason } => Some(reason),
        _ => None,
    }
}

/// The columns asked for, under the names that were typed.
fn of_columns(typed: &[String], columns: &[&str], rows: &[Row]) -> Listing {
    let mut listing = Listing::new(&typed.iter().map(String::as_str).collect::<Vec<_>>());
    for row in rows {
        let cells: Vec<Cell> = columns.iter().map(|name| row.cell(name)).collect();
        let object = typed.iter().zip(&cells).map(|(name, cell)| (name.clone(), cell.json()));
        let object: Map<String, serde_json::Value> = object.collect();
        listing.push(cells.iter().map(Cell::text).collect(), object.into());
    }
    listing
}

/// What is printed where no columns are asked for.
fn usual(spec: &StudySpec, rows: &[Row]) -> Listing {
    let mut header = vec!["trial", "state", "score"];
    if spec.looks > 1 {
        header.push("look");
    }
    header.extend(spec.objectives.iter().map(|objective| objective.name.as_str()));
    header.extend(["model", "parameters", "total_seconds", "created"]);
    // Columns that few have use for come up where there is something in them.
    header.extend(rows.iter().any(|row| !row.remarks.tags.is_empty()).then_some("tags"));
    header.extend(rows.iter().any(|row| row.remarks.note.is_some()).then_some("note"));
    let mut listing = Listing::new(&header);
    for row in rows {
        let trial = &row.trial;
        let cell = |name: &&str| match (*name, reason(trial)) {
            ("state", Some(reason)) => format!("{}: {reason}", trial.state.name()),
            ("score", _) => trial.score.map(|score| score.to_string()).unwrap_or_default(),
            ("total_seconds", _) => format!("{:.3}", trial.seconds),
            _ => row.cell(name).text(),
        };
        let others: BTreeMap<&str, f64> = row.others.iter().map(|(name, value)| (name.as_str(), *value)).collect();
        let json = json!({
            "trial": trial.number, "state": trial.state.name(), "reason": reason(trial), "score": trial.score,
            "look": trial.look() + 1, "model": trial.params.text("model").unwrap_or_default(), "objectives": others,
            "params": trial.params, "folds": trial.folds, "total_seconds": trial.seconds, "created": trial.created,
            "tags": row.remarks.tags, "note": row.remarks.note,
        });
        listing.push(header.iter().map(cell).collect(), json);
    }
    listing
}
