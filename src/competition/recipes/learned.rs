//! Recipes that learn: fitted on a fold's training rows like any transform, ahead of all others.

use std::cell::Cell;
use std::sync::Arc;

use super::cells::{self, Cells};
use super::term::{Frame, Groups, Term};
use super::{Recipe, fault};
use crate::error::{Error, Kind, Result};
use crate::table::{Column, Table};
use crate::target::Target;
use crate::transform::{AnyTransform, FittedTransform, TransformContext};

/// The recipes of a competition that are worked out inside of folds: each adds a column of numbers.
#[derive(Clone, Debug)]
pub struct Learned {
    recipes: Arc<Vec<Recipe>>,
}

impl Learned {
    /// # Errors
    /// When a recipe uses a column that is not among the features, or is of another type than it takes it for.
    pub(super) fn new(recipes: Vec<Recipe>, features: &Table) -> Result<Learned> {
        for (place, recipe) in recipes.iter().enumerate() {
            for slot in &recipe.compiled.slots {
                if recipes[..place].iter().any(|earlier| earlier.name == slot.column) {
                    continue;
                }
                let Some(column) = features.column(&slot.column) else {
                    let message = format!("learns inside folds from `{}`, which is no feature there", slot.column);
                    let help = "a column that is dropped, constant or the id does not come that far: \
                                make a recipe of what is needed of it";
                    return Err(fault(&recipe.name, message).help(help));
                };
                let fits = cells::of_column(column, slot.usage);
                fits.map_err(|error| fault(&recipe.name, format!("uses `{}`, which {}", slot.column, error.message)))?;
            }
        }
        Ok(Learned { recipes: Arc::new(recipes) })
    }

    pub fn names(&self) -> impl Iterator<Item = &String> {
        self.recipes.iter().map(|recipe| &recipe.name)
    }
}

impl AnyTransform for Learned {
    fn is_off(&self) -> bool {
        false
    }

    fn fit(&self, train: &Table, _y: &Target, ctx: &TransformContext) -> Result<Box<dyn FittedTransform>> {
        let mut fitted = FittedLearned { recipes: self.recipes.clone(), groups: Vec::new() };
        let mut table = train.clone();
        for recipe in self.recipes.iter() {
            if ctx.cancel.is_cancelled() {
                return Err(Error::new(Kind::Interrupted, "cancelled"));
            }
            let mut frames = [frame(recipe, &table, &[])?];
            let mut groups = Vec::new();
            for grouping in &recipe.compiled.groupings {
                let worked_out = Arc::new(grouping.work_out(&frames));
                frames[0].groups.push(worked_out.clone());
                groups.push(worked_out);
            }
            let column = column(recipe, &frames[0]);
            table = with(&table, column);
            fitted.groups.push(groups);
        }
        Ok(Box::new(fitted))
    }
}

struct FittedLearned {
    recipes: Arc<Vec<Recipe>>,
    /// Of each recipe's groupings.
    groups: Vec<Vec<Arc<Groups>>>,
}

impl FittedTransform for FittedLearned {
    fn transform(&self, table: &Table) -> Result<Table> {
        let mut table = table.clone();
        for (recipe, groups) in self.recipes.iter().zip(&self.groups) {
            let column = column(recipe, &frame(recipe, &table, groups)?);
            table = with(&table, column);
        }
        Ok(table)
    }
}

fn frame<'a>(recipe: &'a Recipe, table: &'a Table, groups: &[Arc<Groups>]) -> Result<Frame<'a>> {
    let cells = |slot: &super::compile::Slot| -> Result<Cells<'a>> {
        let column = table
            .column(&slot.column)
            .ok_or_else(|| recipe.in_words(Error::data("is not among the columns to prepare").column(&slot.column)))?;
        cells::of_column(column, slot.usage).map_err(|error| recipe.in_words(error))
    };
    Ok(Frame {
        n_rows: table.n_rows(),
        slots: recipe.compiled.slots.iter().map(cells).collect::<Result<_>>()?,
        groupings: &recipe.compiled.groupings,
        groups: groups.to_vec(),
        overlong: Cell::new(false),
    })
}

fn column(recipe: &Recipe, frame: &Frame) -> Column {
    let value = |row: usize| match &recipe.compiled.term {
        Term::Number(number) => number.at(row, frame),
        // Only recipes of numbers learn.
        Term::Text(_) | Term::Truth(_) => f64::NAN,
    };
    Column::numeric(&recipe.name, (0..frame.n_rows).map(value).collect())
}

fn with(table: &Table, column: Column) -> Table {
    Table::new(table.n_rows(), table.columns().iter().cloned().chain([Arc::new(column)]).collect())
}
