//! What must hold of a fit's rows before it begins.

use super::Training;
use crate::bins::{Bins, FeatureBins};
use crate::error::{Error, Result};
use crate::params::Params;

pub(super) fn check_length(name: &str, length: usize, wanted: usize) -> Result<()> {
    if length == wanted {
        return Ok(());
    }
    Err(Error::shape(format!("{name} has {length} entries, but must have {wanted}")))
}

pub(super) fn checked_rows(name: &str, rows: &[u32], n_all: usize) -> Result<Vec<u32>> {
    let ascending = rows.is_sorted_by(|a, b| a < b);
    if !ascending || rows.last().is_some_and(|&last| last as usize >= n_all) {
        return Err(Error::shape(format!("{name} must be ascending and below the {n_all} rows of the bins")));
    }
    Ok(rows.to_vec())
}

/// Categories have no order to be monotone in.
pub(super) fn check_constrained(params: &Params, bins: &Bins) -> Result<()> {
    let categorical = |&at: &usize| matches!(bins.features()[at], FeatureBins::Categorical { .. });
    let constrained = params.monotone_constraints.iter().enumerate().filter(|(_, direction)| **direction != 0);
    match constrained.map(|(at, _)| at).find(categorical) {
        None => Ok(()),
        Some(at) => {
            let range = format!("0 for feature {at}, which holds categories");
            Err(Error::parameter("monotone_constraints", params.monotone_constraints[at], range))
        }
    }
}

/// So many rows of each column are looked up in the bins.
const ROWS_TO_LOOK_UP: usize = 100;

/// Columns must be those that the bins were made of, and there where leaves are linear.
pub(super) fn check_columns(params: &Params, bins: &Bins, training: &Training) -> Result<()> {
    let Some(columns) = training.columns else {
        if params.linear_tree {
            let range = "false where Training's columns are not given: leaves are fitted to values, not to bins";
            return Err(Error::parameter("linear_tree", true, range));
        }
        return Ok(());
    };
    check_length("columns", columns.len(), bins.n_features())?;
    if let Some(at) = columns.iter().position(|column| column.len() != bins.n_rows()) {
        let (n, n_rows) = (columns[at].len(), bins.n_rows());
        return Err(Error::shape(format!("columns: column {at} has {n} rows, the bins have {n_rows}")));
    }
    for (place, at) in bins.places().iter().enumerate() {
        let (column, of_feature) = (&columns[at.feature], &bins.features()[at.feature]);
        let is_other = |row: &usize| of_feature.bin(column.value(*row)) != at.bin(bins.column(place)[*row]);
        if let Some(row) = (0..bins.n_rows()).step_by(bins.n_rows().div_ceil(ROWS_TO_LOOK_UP)).find(is_other) {
            let what = format!("column {} is not the one that the bins were made of", at.feature);
            return Err(Error::row(row, format!("columns: {what}")));
        }
    }
    Ok(())
}
