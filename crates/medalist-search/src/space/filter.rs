//! Filters: which of many records to keep, in the language of constraints.

use std::collections::BTreeMap;
use std::str::FromStr;

use super::constraint::meaning::{self, Names, Point};
use super::nearest;
use crate::error::{Error, Result};
use crate::expression::Expression;

pub use super::constraint::meaning::{Kind as FieldKind, Operand as Field};

/// Which records to keep, such as `model = "knn" and score > 0.8 and not (tags contains "tried")`.
///
/// The language of [`crate::Constraint`] over the fields of a record. What compares a field that a record does not have is open, and such a record is left out; `is null` asks for it.
///
/// ```
/// use medalist_search::{Field, FieldKind, Filter};
/// let filter: Filter = "score > 0.8 or reason is not null".parse()?;
/// filter.check(&[("score".to_string(), FieldKind::Number), ("reason".to_string(), FieldKind::Text)].into())?;
/// assert!(filter.keeps(&|name| (name == "score").then_some(Field::Number(0.9))));
/// assert!(!filter.keeps(&|_| None));
/// # Ok::<(), medalist_search::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Filter {
    text: String,
    expression: Expression,
}

impl Filter {
    /// Whether it can be asked of records with these fields: names that there are, each side of a comparison of one kind, and a yes or no at the end.
    ///
    /// # Errors
    /// [`Error::InvalidFilter`], with the nearest name where one is unknown.
    pub fn check(&self, fields: &BTreeMap<String, FieldKind>) -> Result<()> {
        meaning::check(&self.expression, &Fields(fields)).map_err(|message| self.fault(message))
    }

    /// Whether a record passes; `field` gives the value of a field, none where the record has none.
    pub fn keeps<'a>(&self, field: &dyn Fn(&str) -> Option<Field<'a>>) -> bool {
        matches!(meaning::value(&self.expression, &Record(field)), Some(Field::Bool(true)))
    }

    fn fault(&self, message: String) -> Error {
        Error::InvalidFilter { filter: self.text.clone(), message }
    }
}

impl FromStr for Filter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Filter> {
        let fault = |message| Error::InvalidFilter { filter: text.to_string(), message };
        let expression = Expression::parse(text, "a field").map_err(fault)?;
        meaning::check_calls(&expression).map_err(fault)?;
        Ok(Filter { text: text.to_string(), expression })
    }
}

struct Fields<'a>(&'a BTreeMap<String, FieldKind>);

impl Names for Fields<'_> {
    fn kind(&self, name: &str) -> Result<FieldKind, String> {
        self.0.get(name).copied().ok_or_else(|| match nearest(name, self.0.keys().map(String::as_str)) {
            Some(near) => format!("names `{name}`, which there is not; did you mean `{near}`?"),
            None => {
                let names: Vec<&str> = self.0.keys().map(String::as_str).collect();
                format!("names `{name}`, which there is not: there are {}", names.join(", "))
            }
        })
    }
}

struct Record<'f, 'a>(&'f dyn Fn(&str) -> Option<Field<'a>>);

impl Point for Record<'_, '_> {
    fn operand(&self, name: &str) -> Option<Field<'_>> {
        self.0(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> BTreeMap<String, FieldKind> {
        let kinds = [
            ("score", FieldKind::Number),
            ("model", FieldKind::Text),
            ("reason", FieldKind::Text),
            ("tags", FieldKind::Texts),
            ("knn.p", FieldKind::Number),
        ];
        kinds.map(|(name, kind)| (name.to_string(), kind)).into()
    }

    #[track_caller]
    fn check(text: &str, expected: bool) {
        let tags = ["good".to_string(), "tried".to_string()];
        let filter: Filter = text.parse().unwrap();
        filter.check(&fields()).unwrap();
        let keeps = filter.keeps(&|name| match name {
            "score" => Some(Field::Number(0.85)),
            "model" => Some(Field::Text("knn")),
            "tags" => Some(Field::Texts(&tags)),
            _ => None,
        });
        assert_eq!(keeps, expected, "{text}");
    }

    #[test]
    fn records_are_kept_by_what_they_hold() {
        check("model = \"knn\" and score > 0.8", true);
        check("model = 'knn' and not score > 0.8", false);
        check("model contains 'n' and not (model contains 'x')", true);
        check("tags contains 'good' and not tags contains 'goo'", true);
        check("knn.p is null and model is not null", true);
        check("not knn.p is null or reason is not null", false);
    }

    #[test]
    fn what_a_record_has_not_compares_to_nothing() {
        check("knn.p = 2", false);
        check("not knn.p = 2", false);
        check("knn.p = 2 or score > 0", true);
    }

    #[track_caller]
    fn refused(text: &str, words: &str) {
        let error = text.parse::<Filter>().and_then(|filter| filter.check(&fields())).unwrap_err().to_string();
        assert!(error.contains(words), "{text}: {error}");
    }

    #[test]
    fn what_makes_no_sense_is_said() {
        refused("scroe > 1", "did you mean `score`?");
        refused("banana > 1", "there are knn.p, model, reason, score, tags");
        refused("score > 'x'", "has a text where a number is wanted");
        refused("tags = 'good'", "has a text where a list of texts is wanted");
        refused("score contains 'x'", "looks for a text in a number");
        refused("score", "compare it with something");
        refused("score is good", "where `null` is expected");
        refused("score > 1 score", "where an operator is expected");
    }
}
