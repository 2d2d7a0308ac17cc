//! What the transforms share: a plan per training column, carried out on the same columns of any rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Kind, Result};
use crate::table::{Column, Table, Values};
use crate::transform::TransformContext;

/// What was learned of each training column, by its name and in its place.
#[derive(Serialize, Deserialize)]
pub(crate) struct ByColumn<Plan> {
    plans: Vec<(String, Plan)>,
}

impl<Plan> ByColumn<Plan> {
    pub(crate) fn fit(train: &Table, mut learn: impl FnMut(&Column) -> Result<Plan>) -> Result<Self> {
        let plans = train.columns().iter().map(|column| Ok((column.name.clone(), learn(column)?)));
        Ok(ByColumn { plans: plans.collect::<Result<_>>()? })
    }

    /// `apply` appends to the columns that come out: the one it was given, others in its place, or none.
    ///
    /// # Errors
    /// When the table has other columns than the training rows: names the first that differs.
    pub(crate) fn transform(
        &self,
        table: &Table,
        mut apply: impl FnMut(&Plan, &Arc<Column>, &mut Vec<Arc<Column>>) -> Result<()>,
    ) -> Result<Table> {
        let columns = table.columns();
        let mut out = Vec::with_capacity(columns.len());
        for (place, (name, plan)) in self.plans.iter().enumerate() {
            match columns.get(place) {
                Some(column) if column.name == *name => apply(plan, column, &mut out)?,
                _ => {
                    let error = Error::data("the training rows have this column, the rows to be transformed do not");
                    return Err(error.column(name).help("both need the same columns in the same order"));
                }
            }
        }
        if let Some(extra) = columns.get(self.plans.len()) {
            return Err(Error::data("was not among the columns of the training rows").column(&extra.name));
        }
        Ok(Table::new(table.n_rows(), out))
    }
}

/// A column of another type than that of the same name among the training rows.
pub(crate) fn type_changed(column: &Column) -> Error {
    let message = format!("is {} here, but of another type in the training rows", column.kind.name());
    Error::data(message).column(&column.name)
}

/// # Errors
/// When the preparation should stop.
pub(crate) fn check_cancelled(ctx: &TransformContext) -> Result<()> {
    if ctx.cancel.is_cancelled() {
        return Err(Error::new(Kind::Interrupted, "cancelled"));
    }
    Ok(())
}

/// Linear between the two nearest of `sorted`, which holds at least one, as numpy's default.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (low, high) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    low + (high - low) * place.fract()
}

/// How many rows have each code, [`MISSING`](crate::table::MISSING) among them; nothing for a column that is no category.
pub(crate) fn level_counts(column: &Column) -> BTreeMap<u32, usize> {
    let mut counts = BTreeMap::new();
    if let Values::Categorical { codes, .. } = &column.values {
        for &code in codes {
            *counts.entry(code).or_default() += 1;
        }
    }
    counts
}
