//! Typed columns as one matrix of numbers, for trees: categories as their codes, gaps as NaN.

use crate::error::{Error, Result};
use crate::model::Columns;
use crate::table::{MISSING, Values};

/// Column-major.
pub(crate) struct ColumnMatrix {
    pub(crate) data: Vec<f64>,
    pub(crate) n_rows: usize,
    pub(crate) n_columns: usize,
}

impl ColumnMatrix {
    /// # Errors
    /// When a column is a date or a text: the transforms should have turned it into numbers.
    pub(crate) fn of(columns: &Columns) -> Result<ColumnMatrix> {
        let table = &columns.table;
        let mut data = Vec::with_capacity(table.n_rows() * table.columns().len());
        for column in table.columns() {
            match &column.values {
                // Trees take midpoints between values: bounded, so that these stay finite.
                Values::Numeric(values) => data.extend(values.iter().map(|value| value.clamp(-LARGEST, LARGEST))),
                Values::Categorical { codes, .. } => {
                    data.extend(codes.iter().map(|&code| if code == MISSING { f64::NAN } else { f64::from(code) }));
                }
                Values::Date(_) | Values::Text(_) => {
                    let message = format!("is {}, of which trees can make nothing", column.kind.name());
                    return Err(Error::data(message)
                        .column(&column.name)
                        .help("leave it out, or give its type in competition.toml"));
                }
            }
        }
        Ok(ColumnMatrix { data, n_rows: table.n_rows(), n_columns: table.columns().len() })
    }

    pub(crate) fn column(&self, column: usize) -> &[f64] {
        &self.data[column * self.n_rows..][..self.n_rows]
    }

    /// # Errors
    /// When there are more or fewer columns than in training.
    pub(crate) fn check_width(&self, n_columns: usize) -> Result<()> {
        if self.n_columns == n_columns {
            return Ok(());
        }
        let message = format!("fitted on {n_columns} columns, but the rows to be predicted have {}", self.n_columns);
        Err(Error::model(message))
    }
}

const LARGEST: f64 = 1e300;
