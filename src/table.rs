//! Columns with types: the form in which data leaves the reader and reaches transforms and models.
//!
//! Columns are shared, not copied: a table that keeps some of another's columns costs a pointer each.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::sparse::SparseMatrix;

/// The code of a missing category.
pub const MISSING: u32 = u32::MAX;

/// How a column is to be understood; `competition.toml` may say so where the guess is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnType {
    Numeric,
    /// True and false in any of the usual spellings, held as 1 and 0.
    Boolean,
    Categorical,
    /// A date or a date with a time, held as seconds since 1970-01-01.
    Date,
    Text,
}

impl ColumnType {
    pub fn name(self) -> &'static str {
        match self {
            ColumnType::Numeric => "numeric",
            ColumnType::Boolean => "boolean",
            ColumnType::Categorical => "categorical",
            ColumnType::Date => "date",
            ColumnType::Text => "text",
        }
    }
}

/// A column's values, one a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// NaN is missing. Numbers, booleans (1, 0).
    Numeric(Vec<f64>),
    /// Positions in `levels`, [`MISSING`] where there is none. Levels may be those of rows elsewhere (other folds, the test set): what is learned is learned from codes that occur.
    Categorical { codes: Vec<u32>, levels: Arc<Vec<String>> },
    /// Seconds since 1970-01-01T00:00:00, NaN is missing.
    Date(Vec<f64>),
    /// None is missing.
    Text(Vec<Option<Arc<str>>>),
    /// A text's words, or whatever else is many columns that are mostly 0, with their names; nothing is missing. Made by transforms, for models that take sparse rows.
    Sparse { matrix: Arc<SparseMatrix>, names: Arc<Vec<String>> },
}

impl Values {
    pub fn len(&self) -> usize {
        match self {
            Values::Numeric(values) | Values::Date(values) => values.len(),
            Values::Categorical { codes, .. } => codes.len(),
            Values::Text(values) => values.len(),
            Values::Sparse { matrix, .. } => matrix.n_rows(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The values of the rows named, in their order.
    pub fn take(&self, rows: &[u32]) -> Values {
        fn gather<T: Clone>(values: &[T], rows: &[u32]) -> Vec<T> {
            rows.iter().map(|&row| values[row as usize].clone()).collect()
        }
        match self {
            Values::Numeric(values) => Values::Numeric(gather(values, rows)),
            Values::Date(values) => Values::Date(gather(values, rows)),
            Values::Categorical { codes, levels } => {
                Values::Categorical { codes: gather(codes, rows), levels: levels.clone() }
            }
            Values::Text(values) => Values::Text(gather(values, rows)),
            Values::Sparse { matrix, names } => {
                Values::Sparse { matrix: Arc::new(matrix.take(rows)), names: names.clone() }
            }
        }
    }

    pub fn n_missing(&self) -> usize {
        match self {
            Values::Numeric(values) | Values::Date(values) => values.iter().filter(|value| value.is_nan()).count(),
            Values::Categorical { codes, .. } => codes.iter().filter(|&&code| code == MISSING).count(),
            Values::Text(values) => values.iter().filter(|value| value.is_none()).count(),
            Values::Sparse { .. } => 0,
        }
    }
}

/// A named column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    pub name: String,
    pub kind: ColumnType,
    pub values: Values,
}

impl Column {
    pub fn numeric(name: impl Into<String>, values: Vec<f64>) -> Column {
        Column { name: name.into(), kind: ColumnType::Numeric, values: Values::Numeric(values) }
    }
}

/// Columns of equal length.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Table {
    columns: Vec<Arc<Column>>,
    n_rows: usize,
}

impl Table {
    /// # Panics
    /// When a column's length is not `n_rows`: that is a bug of the caller.
    pub fn new(n_rows: usize, columns: Vec<Arc<Column>>) -> Table {
        for column in &columns {
            assert_eq!(column.values.len(), n_rows, "column `{}` has another length than its table", column.name);
        }
        Table { columns, n_rows }
    }

    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    pub fn columns(&self) -> &[Arc<Column>] {
        &self.columns
    }

    pub fn column(&self, name: &str) -> Option<&Arc<Column>> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The rows named, in their order: a copy.
    pub fn take(&self, rows: &[u32]) -> Table {
        let columns = self.columns.iter().map(|column| {
            Arc::new(Column { name: column.name.clone(), kind: column.kind, values: column.values.take(rows) })
        });
        Table { columns: columns.collect(), n_rows: rows.len() }
    }

    /// This table's rows, then another's with the same columns.
    ///
    /// # Panics
    /// When a column is of another kind there, or missing: that is a bug of the caller.
    pub fn stacked(&self, below: &Table) -> Table {
        let columns = self.columns.iter().zip(&below.columns).map(|(above, below)| {
            let values = match (&above.values, &below.values) {
                (Values::Numeric(above), Values::Numeric(below)) => Values::Numeric([&above[..], below].concat()),
                (Values::Date(above), Values::Date(below)) => Values::Date([&above[..], below].concat()),
                (Values::Text(above), Values::Text(below)) => Values::Text([&above[..], below].concat()),
                (Values::Categorical { codes, levels }, Values::Categorical { codes: below, .. }) => {
                    Values::Categorical { codes: [&codes[..], below].concat(), levels: levels.clone() }
                }
                (Values::Sparse { matrix, names }, Values::Sparse { matrix: below, .. }) => {
                    let mut all = matrix.as_ref().clone();
                    (0..below.n_rows()).for_each(|row| all.push_row(below.entries(row)));
                    Values::Sparse { matrix: Arc::new(all), names: names.clone() }
                }
                _ => panic!("column `{}` is of another kind below", above.name),
            };
            Arc::new(Column { name: above.name.clone(), kind: above.kind, values })
        });
        Table::new(self.n_rows + below.n_rows, columns.collect())
    }

    /// Bytes that the columns hold, from their shapes.
    pub fn memory(&self) -> u64 {
        let bytes = self.columns.iter().map(|column| match &column.values {
            Values::Numeric(values) | Values::Date(values) => values.len() as u64 * 8,
            Values::Categorical { codes, .. } => codes.len() as u64 * 4,
            Values::Text(values) => values.len() as u64 * 16,
            Values::Sparse { matrix, .. } => matrix.memory(),
        });
        bytes.sum()
    }
}
