//! `[features]` of the description: columns that are made of others, each by an expression of one line.
//!
//! Most are worked out as the files are read, from a row's own cells (`count` from all rows of all files, but from no target). Those that learn (`learned_mean` and its kin) are worked out inside of each fold, from its training rows alone.

mod calendar;
mod cells;
mod compile;
mod functions;
mod learned;
mod term;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use medalist_search::expression::Expression;

use super::columns;
use super::config::Config;
use super::files::{self, Headers};
use crate::error::{Error, Result};
use crate::reader::{Draft, Drafts, Hold, Plan, Words};
use crate::table::{ColumnType, Table};

use cells::Use;
use compile::{Compiled, compile};
use term::{Frame, Kind, Term};

pub use learned::Learned;

/// Bytes of a recipe's different texts, all rows together.
const MOST_TEXT: usize = 1 << 30;

/// The recipes of a competition, each after those that it is made of.
#[derive(Debug, Default)]
pub struct Recipes {
    recipes: Vec<Recipe>,
}

#[derive(Debug)]
pub struct Recipe {
    pub name: String,
    compiled: Compiled,
    /// Whether it learns, or is made of one that does.
    is_learned: bool,
}

/// A file's rows as read, to which the recipes add their columns.
pub struct Part<'a> {
    pub path: &'a Path,
    pub drafts: &'a mut Drafts,
}

impl Recipes {
    /// # Errors
    /// When a recipe is no expression, names what is no column of train and test or must not be learned from, has the name of a column, or is made of itself.
    pub fn new(config: &Config, headers: &Headers) -> Result<Recipes> {
        let mut expressions = BTreeMap::new();
        for (name, text) in &config.features {
            let fault = |message: String| fault(name, message);
            if name.trim().is_empty() || name.contains(['\n', '\r']) {
                return Err(Error::config("a recipe in [features] has no proper name"));
            }
            if headers.train.contains(name) || headers.test.contains(name) {
                return Err(fault("has the name of a column".to_string()).help("choose another name for it"));
            }
            let expression = Expression::parse(text, "a column").map_err(fault)?;
            for column in expression.names() {
                check_column(column, config, headers).map_err(|(message, help)| fault(message).help(help))?;
            }
            expressions.insert(name.as_str(), expression);
        }
        let (mut recipes, mut kinds) = (Vec::new(), BTreeMap::new());
        let mut learned: BTreeSet<&str> = BTreeSet::new();
        for name in in_order(&expressions)? {
            let expression = &expressions[name];
            let compiled = compile(expression, &kinds).map_err(|message| fault(name, message))?;
            let is_learned = compiled.groupings.iter().any(|grouping| grouping.is_learned)
                || expression.names().iter().any(|used| learned.contains(used));
            let kind = match compiled.term {
                Term::Number(_) => Kind::Number,
                Term::Text(_) => Kind::Text,
                Term::Truth(_) => Kind::Truth,
            };
            if is_learned {
                check_learned(name, kind, &compiled, config)?;
                learned.insert(name);
            }
            kinds.insert(name.to_string(), kind);
            recipes.push(Recipe { name: name.to_string(), compiled, is_learned });
        }
        Ok(Recipes { recipes })
    }

    /// How a file's column must be held for the recipes, where they use it.
    pub fn hold(&self, column: &str) -> Option<Hold> {
        let slots = self.recipes.iter().flat_map(|recipe| &recipe.compiled.slots);
        let mut uses = slots.filter(|slot| slot.column == column).map(|slot| slot.usage).peekable();
        uses.peek()?;
        Some(if uses.any(Use::wants_words) { Hold::Words } else { Hold::Either })
    }

    /// The columns that are there once the files are read.
    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.recipes.iter().filter(|recipe| !recipe.is_learned).map(|recipe| &recipe.name)
    }

    /// Adds the columns that need no fold to every file's rows; a file may lack columns, which are missing there.
    ///
    /// # Errors
    /// When a cell is not what a recipe takes it for: names the recipe, the file, the column and the row.
    pub fn apply(&self, config: &Config, parts: &mut [Part], notes: &mut Vec<String>) -> Result<()> {
        for recipe in self.recipes.iter().filter(|recipe| !recipe.is_learned) {
            let drafts = recipe.drafts(config, parts)?;
            if drafts.first().is_some_and(is_empty) {
                notes.push(format!("the recipe `{}` is missing in every row of train", recipe.name));
            }
            for (part, draft) in parts.iter_mut().zip(drafts) {
                part.drafts.header.push(recipe.name.clone());
                part.drafts.columns.push(draft);
            }
        }
        Ok(())
    }

    /// What is left to be worked out inside of folds; None where nothing is.
    ///
    /// # Errors
    /// When a learned recipe uses a column that is not learned from.
    pub fn into_learned(self, features: &Table) -> Result<Option<Learned>> {
        let recipes: Vec<Recipe> = self.recipes.into_iter().filter(|recipe| recipe.is_learned).collect();
        if recipes.is_empty() { Ok(None) } else { Learned::new(recipes, features).map(Some) }
    }
}

impl Recipe {
    /// Its column in every file.
    fn drafts(&self, config: &Config, parts: &[Part]) -> Result<Vec<Draft>> {
        let Compiled { term, slots, groupings } = &self.compiled;
        let mut columns: Vec<Vec<cells::Cells>> = parts.iter().map(|_| Vec::new()).collect();
        for slot in slots {
            let drafts: Vec<Option<&Draft>> = parts.iter().map(|part| draft(part.drafts, &slot.column)).collect();
            let is_numeric = slot.usage == Use::Presence
                && columns::infer(&drafts.iter().flatten().copied().collect::<Vec<_>>()) == ColumnType::Numeric;
            let own = config.columns.get(&slot.column);
            for ((cells, draft), part) in columns.iter_mut().zip(drafts).zip(parts) {
                let draft = draft.unwrap_or(&Draft::Skipped);
                let read = cells::of_draft(draft, &slot.column, slot.usage, is_numeric, own);
                cells.push(read.map_err(|error| self.in_words(error).file(part.path))?);
            }
        }
        let mut frames: Vec<Frame> = parts
            .iter()
            .zip(columns)
            .map(|(part, slots)| Frame {
                n_rows: part.drafts.n_rows,
                slots,
                groupings,
                groups: Vec::new(),
                overlong: Cell::new(false),
            })
            .collect();
        for grouping in groupings {
            let groups = Arc::new(grouping.work_out(&frames));
            frames.iter_mut().for_each(|frame| frame.groups.push(groups.clone()));
        }
        let hold_as_words = self.is_held_as_words(config);
        let plan = Plan { hold: Hold::Words, missing: files::missing(&self.name, config) };
        let drafts = frames.iter().zip(parts).map(|(frame, part)| {
            let draft = draft_of(term, frame, &plan).map_err(|error| self.in_words(error).file(part.path))?;
            Ok(match draft {
                Draft::Numbers { values, .. } if hold_as_words => Draft::Words(cells::spelled(&values)),
                draft => draft,
            })
        });
        drafts.collect()
    }

    /// Whether its numbers are to be names: of groups, or of what the description says.
    fn is_held_as_words(&self, config: &Config) -> bool {
        let folds = &config.folds;
        let kind = config.columns.get(&self.name).and_then(|column| column.kind);
        kind.is_some_and(|kind| kind != ColumnType::Numeric)
            || folds.time.as_ref() == Some(&self.name)
            || folds.group.as_ref().is_some_and(|group| group.column() == self.name)
    }

    fn in_words(&self, error: Error) -> Error {
        Error { message: format!("{} (recipe `{}`)", error.message, self.name), ..error }
    }
}

/// A term's value in every row of a file.
fn draft_of(term: &Term, frame: &Frame, plan: &Plan) -> Result<Draft> {
    let mut words = Words::default();
    let mut n_bytes = 0;
    let mut values = Vec::new();
    for row in 0..frame.n_rows {
        match term {
            Term::Number(number) => values.push(number.at(row, frame)),
            Term::Text(text) => {
                let n_levels = words.levels.len();
                words.push(text.at(row, frame).as_deref(), plan);
                n_bytes += words.levels.get(n_levels).map_or(0, |level| level.len());
            }
            Term::Truth(truth) => {
                words.push(truth.at(row, frame).map(|truth| if truth { "true" } else { "false" }), plan);
            }
        }
        if frame.overlong.get() {
            let message = format!("a text of more than {} bytes would be joined here", term::MOST_BYTES);
            return Err(Error::data(message).row(row + 1));
        }
        if n_bytes > MOST_TEXT {
            return Err(Error::data(format!("the texts take more than {MOST_TEXT} bytes from here on")).row(row + 1));
        }
    }
    Ok(match term {
        Term::Number(_) => Draft::Numbers { values, spellings: Vec::new() },
        Term::Text(_) | Term::Truth(_) => Draft::Words(words),
    })
}

fn draft<'a>(drafts: &'a Drafts, name: &str) -> Option<&'a Draft> {
    drafts.header.iter().position(|column| column == name).map(|position| &drafts.columns[position])
}

fn is_empty(draft: &Draft) -> bool {
    match draft {
        Draft::Numbers { values, .. } => values.iter().all(|value| value.is_nan()),
        Draft::Words(words) => words.levels.is_empty(),
        Draft::Cells(_) | Draft::Skipped => true,
    }
}

fn fault(name: &str, message: String) -> Error {
    Error::config(format!("the recipe `{name}` {message}"))
}

/// Whether a recipe may use a name.
///
/// # Errors
/// What is wrong with it, and what to do.
fn check_column(column: &str, config: &Config, headers: &Headers) -> Result<(), (String, String)> {
    let refused = |why: &str, help: &str| Err((format!("uses `{column}`, {why}"), help.to_string()));
    if config.features.contains_key(column) {
        return Ok(());
    }
    if config.targets().iter().any(|target| target == column) {
        return refused("which is the target", "a feature must not know it");
    }
    if config.weight.as_deref() == Some(column) || config.folds.column.as_deref() == Some(column) {
        return refused("which is never learned from", "take another column");
    }
    let has = |header: &[String]| header.iter().any(|name| name == column);
    if has(&headers.train) && (headers.test_path.is_none() || has(&headers.test)) {
        return Ok(());
    }
    if has(&headers.train) || has(&headers.test) {
        let only = if has(&headers.train) { "which test has not" } else { "which train has not" };
        return refused(only, "a recipe's columns must be in both files");
    }
    let known = headers.train.iter().chain(config.features.keys()).map(String::as_str);
    let help = match crate::nearest(column, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "a text stands in quotes, a column's name with blanks in backticks".to_string(),
    };
    refused("which is neither a column nor a recipe", &help)
}

/// # Errors
/// When a recipe that learns makes no numbers, or is used where there are no folds yet.
fn check_learned(name: &str, kind: Kind, compiled: &Compiled, config: &Config) -> Result<()> {
    if kind != Kind::Number {
        return Err(fault(name, format!("learns inside folds and makes {}, not a number", kind.name())));
    }
    if compiled.groupings.iter().any(|grouping| !grouping.is_learned) {
        return Err(fault(name, "learns inside folds and counts over all files".to_string())
            .help("make a recipe of its own of `count`"));
    }
    let folds = &config.folds;
    let is_role =
        folds.time.as_deref() == Some(name) || folds.group.as_ref().is_some_and(|group| group.column() == name);
    if is_role
        || config.tensor.is_some()
        || config.columns.contains_key(name)
        || config.drop.iter().any(|drop| drop == name)
    {
        return Err(fault(name, "learns inside folds, and is a column there alone".to_string())
            .help("name it neither in [folds], [columns] nor `drop`, and use it without `tensor`"));
    }
    Ok(())
}

/// The recipes' names, each after those that it is made of, else by name.
///
/// # Errors
/// When one is made of itself.
fn in_order<'a>(expressions: &BTreeMap<&'a str, Expression>) -> Result<Vec<&'a str>> {
    let names = |of: &str| -> BTreeSet<&'a str> {
        let used = expressions[of].names();
        used.into_iter().filter_map(|name| expressions.get_key_value(name).map(|(name, _)| *name)).collect()
    };
    let mut open: BTreeMap<&str, BTreeSet<&str>> = expressions.keys().map(|name| (*name, names(name))).collect();
    let mut users: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (name, used) in &open {
        used.iter().for_each(|used| users.entry(used).or_default().push(name));
    }
    let mut ready: BTreeSet<&str> = open.iter().filter(|(_, used)| used.is_empty()).map(|(name, _)| *name).collect();
    let mut order = Vec::new();
    while let Some(name) = ready.pop_first() {
        order.push(name);
        open.remove(name);
        for user in users.get(name).into_iter().flatten() {
            if let Some(used) = open.get_mut(user) {
                used.remove(name);
                if used.is_empty() {
                    ready.insert(user);
                }
            }
        }
    }
    let Some((first, _)) = open.first_key_value() else { return Ok(order) };
    // Every recipe left uses another that is left: following them must come back.
    let mut path = vec![*first];
    loop {
        let next = open[path[path.len() - 1]].first().expect("what is left uses what is left");
        if let Some(start) = path.iter().position(|seen| seen == next) {
            let cycle = path[start..].iter().chain([next]).take(10).map(|name| format!("`{name}`"));
            return Err(fault(path[start], format!("is made of itself: {}", cycle.collect::<Vec<_>>().join(" of "))));
        }
        path.push(next);
    }
}

#[cfg(test)]
mod tests;
