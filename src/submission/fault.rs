//! What can be wrong with a submission.

use std::fmt;

use crate::error::Error;

/// One fault of a submission, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    pub message: String,
    pub column: Option<String>,
    /// 1-based, the header not counted.
    pub row: Option<usize>,
    pub kind: FaultKind,
}

/// The kinds of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FaultKind {
    /// Not a table: a row with too many fields, an open quote, bytes that are no text.
    Malformed,
    /// A column is missing, foreign, double, or in another place than in the sample.
    Header,
    RowCount,
    MissingId,
    DoubleId,
    ForeignId,
    /// An empty cell.
    Blank,
    NotANumber,
    /// Infinite or NaN.
    NotFinite,
    /// Outside what the metric is defined for, or a probability outside [0, 1].
    OutOfRange,
    /// A label that train does not have.
    UnknownLabel,
    /// A row of probabilities that are all 0.
    ZeroSum,
}

impl Fault {
    pub(super) fn new(kind: FaultKind, message: impl Into<String>) -> Fault {
        Fault { message: message.into(), column: None, row: None, kind }
    }

    /// What the reader says of a file that is no table.
    pub(super) fn malformed(error: Error) -> Fault {
        let row = error.row.map(|row| row as usize);
        Fault { message: error.message, column: error.column, row, kind: FaultKind::Malformed }
    }

    pub(super) fn column(mut self, column: &str) -> Fault {
        self.column = Some(column.to_string());
        self
    }

    pub(super) fn row(mut self, row: usize) -> Fault {
        self.row = Some(row);
        self
    }
}

/// ``row 17, column `Survived`: the cell is empty``.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match (self.row, &self.column) {
            (Some(row), Some(column)) => write!(f, "row {row}, column `{column}`: ")?,
            (Some(row), None) => write!(f, "row {row}: ")?,
            (None, Some(column)) => write!(f, "column `{column}`: ")?,
            (None, None) => {}
        }
        f.write_str(&self.message)
    }
}
