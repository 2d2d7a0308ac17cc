//! What can go wrong, in words that name the parameter, the row and what would do.

use std::fmt::Display;

/// A boosting error.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter is out of its range, or does not go with another.
    #[error("{name} is {value}, but must be {range}")]
    Parameter { name: &'static str, value: String, range: String },
    /// Lengths or numbers of columns do not fit together.
    #[error("{0}")]
    Shape(String),
    /// A label, a weight or a score that the objective cannot take.
    #[error("row {row}: {what}")]
    Row { row: usize, what: String },
    /// A model file that cannot be read, or a model that a format cannot hold.
    #[error("{0}")]
    Format(String),
    /// The caller's callback said stop.
    #[error("stopped after {n_iterations} iterations")]
    Stopped { n_iterations: usize },
}

pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn parameter(name: &'static str, value: impl Display, range: impl Into<String>) -> Error {
        Error::Parameter { name, value: value.to_string(), range: range.into() }
    }

    pub(crate) fn shape(what: String) -> Error {
        Error::Shape(what)
    }

    pub(crate) fn row(row: usize, what: impl Into<String>) -> Error {
        Error::Row { row, what: what.into() }
    }
}
