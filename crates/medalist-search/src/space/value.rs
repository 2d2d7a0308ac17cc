//! Values of parameters, and points: the parameters that are active, by name.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The value of one parameter.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

/// As a user would type it; a number reads back with the same bits.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Value::Bool(value) => write!(f, "{value}"),
            Value::Int(value) => write!(f, "{value}"),
            Value::Float(value) => {
                let text = format!("{value:?}");
                f.write_str(text.strip_suffix(".0").unwrap_or(&text))
            }
            Value::Text(value) => f.write_str(value),
        }
    }
}

impl Value {
    /// A number as f64; none for the other types.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Int(value) => Some(*value as f64),
            Value::Float(value) => Some(*value),
            Value::Bool(_) | Value::Text(_) => None,
        }
    }
}

macro_rules! value_from {
    ($($from:ty => $variant:ident),+) => {$(
        impl From<$from> for Value {
            fn from(value: $from) -> Self {
                Value::$variant(value.into())
            }
        }
    )+};
}
value_from!(bool => Bool, i32 => Int, i64 => Int, u32 => Int, f32 => Float, f64 => Float, &str => Text, String => Text);

/// A point: the active parameters and their values, sorted by name.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Params(BTreeMap<String, Value>);

impl Params {
    pub fn new() -> Self {
        Params::default()
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// Sets `name`; returns the value it had.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<Value>) -> Option<Value> {
        self.0.insert(name.into(), value.into())
    }

    pub fn remove(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name)
    }

    /// Sorted by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// # Errors
    /// When the parameter is missing or not a number; an integer is one.
    pub fn float(&self, name: &str) -> Result<f64> {
        self.typed(name, "a number", Value::as_f64)
    }

    /// # Errors
    /// When the parameter is missing or not an integer.
    pub fn int(&self, name: &str) -> Result<i64> {
        self.typed(name, "an integer", |value| match value {
            Value::Int(value) => Some(*value),
            _ => None,
        })
    }

    /// # Errors
    /// When the parameter is missing or not a text.
    pub fn text(&self, name: &str) -> Result<&str> {
        self.typed(name, "a text", |value| match value {
            Value::Text(value) => Some(value.as_str()),
            _ => None,
        })
    }

    /// # Errors
    /// When the parameter is missing or neither `true` nor `false`.
    pub fn bool(&self, name: &str) -> Result<bool> {
        self.typed(name, "`true` or `false`", |value| match value {
            Value::Bool(value) => Some(*value),
            _ => None,
        })
    }

    /// The parameters under `prefix.`, without it: what a branch's own code reads.
    pub fn strip(&self, prefix: &str) -> Params {
        let stripped = self.0.iter().filter_map(|(name, value)| {
            let name = name.strip_prefix(prefix)?.strip_prefix('.')?;
            Some((name.to_string(), value.clone()))
        });
        Params(stripped.collect())
    }

    /// Canonical JSON: keys sorted, no spaces, floats that read back the same. Equal points have equal text.
    pub fn to_json(&self) -> String {
        serde_json::to_string(self).expect("texts and numbers are always JSON")
    }

    fn typed<'a, T>(&'a self, name: &str, expected: &str, read: impl Fn(&'a Value) -> Option<T>) -> Result<T> {
        let value = self.get(name).ok_or_else(|| Error::MissingParameter { name: name.to_string() })?;
        read(value).ok_or_else(|| wrong_type(name, value, expected))
    }
}

/// `ridge.alpha=1 prep.scale=standard`, sorted by name.
impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        for (i, (name, value)) in self.0.iter().enumerate() {
            write!(f, "{}{name}={value}", if i == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl<N: Into<String>, V: Into<Value>> FromIterator<(N, V)> for Params {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        Params(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl<N: Into<String>, V: Into<Value>, const K: usize> From<[(N, V); K]> for Params {
    fn from(pairs: [(N, V); K]) -> Self {
        pairs.into_iter().collect()
    }
}

pub(crate) fn wrong_type(name: &str, value: &Value, expected: &str) -> Error {
    Error::WrongType { name: name.to_string(), value: value.to_string(), expected: expected.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_as_typed_and_read_back() {
        for (value, text) in [(1.0, "1"), (0.1, "0.1"), (1e-7, "1e-7"), (1e300, "1e300"), (-0.0, "-0"), (1.5, "1.5")] {
            assert_eq!(Value::Float(value).to_string(), text);
            assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(value.to_bits()));
        }
    }

    #[test]
    fn json_keeps_integers_and_floats_apart() {
        let params = Params::from([("b", Value::Float(1.0)), ("a", Value::Int(1)), ("c", Value::Text("x".into()))]);
        assert_eq!(params.to_json(), r#"{"a":1,"b":1.0,"c":"x"}"#);
        assert_eq!(serde_json::from_str::<Params>(&params.to_json()).ok(), Some(params));
    }

    #[test]
    fn getters_name_the_parameter() {
        let params = Params::from([("ridge.alpha", Value::Int(1)), ("prep.scale", "standard".into())]);
        assert_eq!(params.to_string(), "prep.scale=standard ridge.alpha=1");
        assert_eq!(params.float("ridge.alpha"), Ok(1.0));
        assert_eq!(params.strip("ridge"), Params::from([("alpha", 1)]));
        assert_eq!(params.int("k").unwrap_err().to_string(), "parameter `k` is missing: add `k=...`");
        let wrong = params.int("prep.scale").unwrap_err().to_string();
        assert_eq!(wrong, "parameter `prep.scale`: `standard` is not an integer");
    }
}
