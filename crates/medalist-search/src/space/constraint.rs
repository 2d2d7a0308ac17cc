//! Constraints: a check that the points of a space must pass, written as an expression over its parameters.
//!
//! A text rather than a closure, so that it is part of a study's identity, can be stored, and can stand in a file.

pub(super) mod meaning;

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::{Params, SearchSpace};
use crate::error::{Error, Result};
use crate::expression::Expression;
use meaning::Operand;

/// What must hold at a point, such as `num_leaves <= 2 ^ max_depth`.
///
/// Numbers, texts in quotes and `true` and `false`; parameters by name (in backticks where it has other characters than letters, digits, `_` and `.`); `+ - * / ^`, `<= < >= > == !=` (and `=`, as `==`), `contains` for a part of a text, `is null` and `is not null` for whether a parameter has an effect, `and`, `or`, `not`, brackets, and `log`, `exp`, `sqrt`, `abs`, `min`, `max`. What compares a parameter that has no effect is open, neither true nor false, and a constraint that comes to neither holds. A comparison with what is no number (`0 / 0`) does not hold.
///
/// ```
/// use medalist_search::{Constraint, Parameter, SearchSpace};
/// let space = SearchSpace::new()
///     .with(Parameter::int("max_depth", 1, 12))
///     .with(Parameter::int("num_leaves", 2, 4096).log().default(31))
///     .constrain("num_leaves <= 2 ^ max_depth".parse::<Constraint>()?);
/// assert!(space.check(&[("max_depth", 3), ("num_leaves", 9)].into_iter().collect()).is_err());
/// # Ok::<(), medalist_search::Error>(())
/// ```
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Constraint {
    text: String,
    expression: Expression,
}

impl Constraint {
    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether a point passes.
    pub fn holds(&self, params: &Params) -> bool {
        match meaning::value(&self.expression, params) {
            None => true,
            Some(value) => matches!(value, Operand::Bool(true)),
        }
    }

    /// Whether it can be checked in this space: parameters that there are, each side of a comparison of one kind, and a yes or no at the end.
    pub(super) fn check(&self, space: &SearchSpace) -> Result<()> {
        meaning::check(&self.expression, space).map_err(|message| self.fault(message))
    }

    /// The same of the parameters `prefix.name`.
    pub(super) fn prefixed(&self, prefix: &str) -> Constraint {
        let expression = meaning::prefixed(&self.expression, prefix);
        Constraint { text: expression.to_string(), expression }
    }

    fn fault(&self, message: String) -> Error {
        Error::InvalidConstraint { constraint: self.text.clone(), message }
    }
}

impl PartialEq for Constraint {
    fn eq(&self, other: &Constraint) -> bool {
        self.text == other.text
    }
}

impl fmt::Display for Constraint {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Constraint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Constraint> {
        let fault = |message| Error::InvalidConstraint { constraint: text.to_string(), message };
        let expression = Expression::parse(text, "a parameter").map_err(fault)?;
        meaning::check_calls(&expression).map_err(fault)?;
        Ok(Constraint { text: text.to_string(), expression })
    }
}

impl TryFrom<String> for Constraint {
    type Error = Error;

    fn try_from(text: String) -> Result<Constraint> {
        text.parse()
    }
}

impl From<Constraint> for String {
    fn from(constraint: Constraint) -> String {
        constraint.text
    }
}

#[cfg(test)]
mod tests;
