//! Structs whose fields are parameters: what `#[derive(Tunable)]` implements and calls.

use super::value::{Params, Value, wrong_type};
use super::{Parameter, SearchSpace};
use crate::error::{Error, Result};

/// A type with a search space of its own, made from a point of it.
pub trait Tunable: Sized {
    fn space() -> SearchSpace;

    /// A parameter that is missing takes its default.
    ///
    /// # Errors
    /// When a name is unknown, or a value has the wrong type.
    fn from_params(params: &Params) -> Result<Self>;
}

/// An enum without fields whose variants are the choices of a parameter.
pub trait ParamChoice: Sized {
    /// The variants' names, in the order of declaration.
    const NAMES: &'static [&'static str];

    fn from_name(name: &str) -> Option<Self>;
}

/// A type that a field of a [`Tunable`] struct can have.
pub trait ParamField: Sized {
    /// # Errors
    /// When the value has another type, or does not fit.
    fn from_value(name: &str, value: &Value) -> Result<Self>;
}

impl ParamField for f64 {
    fn from_value(name: &str, value: &Value) -> Result<Self> {
        value.as_f64().ok_or_else(|| wrong_type(name, value, "a number"))
    }
}

impl ParamField for f32 {
    fn from_value(name: &str, value: &Value) -> Result<Self> {
        f64::from_value(name, value).map(|value| value as f32)
    }
}

impl ParamField for bool {
    fn from_value(name: &str, value: &Value) -> Result<Self> {
        match value {
            Value::Bool(value) => Ok(*value),
            _ => Err(wrong_type(name, value, "`true` or `false`")),
        }
    }
}

impl ParamField for String {
    fn from_value(name: &str, value: &Value) -> Result<Self> {
        match value {
            Value::Text(value) => Ok(value.clone()),
            _ => Err(wrong_type(name, value, "a text")),
        }
    }
}

macro_rules! int_field {
    ($($int:ty),+) => {$(
        impl ParamField for $int {
            fn from_value(name: &str, value: &Value) -> Result<Self> {
                let Value::Int(int) = value else {
                    return Err(wrong_type(name, value, "an integer"));
                };
                <$int>::try_from(*int).map_err(|_| Error::OutOfRange {
                    name: name.to_string(),
                    value: value.to_string(),
                    range: format!("{}..{}", <$int>::MIN, <$int>::MAX),
                })
            }
        }
    )+};
}
int_field!(i8, i16, i32, i64, isize, u8, u16, u32, u64, usize);

impl<C: ParamChoice> ParamField for C {
    fn from_value(name: &str, value: &Value) -> Result<Self> {
        let choice = match value {
            Value::Text(text) => C::from_name(text),
            _ => None,
        };
        choice.ok_or_else(|| wrong_type(name, value, &format!("one of {}", C::NAMES.join(", "))))
    }
}

impl SearchSpace {
    /// The field `name` from `params`, or from its default where it is missing.
    ///
    /// # Errors
    /// When the space has no such parameter, or the value does not fit the field.
    pub fn field<T: ParamField>(&self, params: &Params, name: &str) -> Result<T> {
        let parameter: &Parameter = self.get(name).ok_or_else(|| self.unknown(name))?;
        T::from_value(name, params.get(name).unwrap_or(&parameter.default))
    }

    /// # Errors
    /// When `params` holds a name that the space does not have.
    pub fn check_names(&self, params: &Params) -> Result<()> {
        match params.iter().find(|(name, _)| self.get(name).is_none()) {
            Some((name, _)) => Err(self.unknown(name)),
            None => Ok(()),
        }
    }
}
