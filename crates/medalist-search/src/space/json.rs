//! Spaces and points written as JSON: the form of the ask-tell protocol, of points to try first, and of files that describe a space.

use serde_json::{Map, Value as Json};

use super::nearest;
use super::value::{Params, Value, wrong_type};
use super::{Parameter, SearchSpace};
use crate::error::{Error, Result};

const NUMBER_KEYS: [&str; 9] = ["name", "type", "low", "high", "log", "step", "default", "title", "when"];
const COUNT_KEYS: [&str; 10] = ["name", "type", "low", "high", "log", "step", "fidelity", "default", "title", "when"];
const CHOICE_KEYS: [&str; 7] = ["name", "type", "choices", "ordered", "default", "title", "when"];

impl SearchSpace {
    /// A space from a list of parameters, each as [`Parameter::from_json`] reads it.
    ///
    /// # Errors
    /// The first parameter at fault; also when the space cannot be searched.
    pub fn from_json(parameters: &[Json]) -> Result<SearchSpace> {
        let mut space = SearchSpace::new();
        for (i, fields) in parameters.iter().enumerate() {
            let name = fields.get("name").and_then(Json::as_str);
            let fault =
                |message: &str| Error::InvalidSpace { name: format!("number {i}"), message: message.to_string() };
            let name = name.ok_or_else(|| fault("has no `name`"))?;
            let fields = fields.as_object().ok_or_else(|| fault("is not an object"))?;
            space = space.with(Parameter::from_json(name, fields)?);
        }
        space.validate().map(|()| space)
    }
}

impl Parameter {
    /// A parameter from its fields: `type` is `float` or `int` (with `low`, `high`, and optionally `log` and `step`, and of an int `fidelity`) or `categorical` (with `choices`, and optionally `ordered`); all may have `default`, `title`, and `when` (`{"param": NAME, "in": [VALUES]}`, or a list of these that must all hold).
    ///
    /// # Errors
    /// When a field is missing, unknown or of the wrong type.
    pub fn from_json(name: &str, fields: &Map<String, Json>) -> Result<Parameter> {
        read(name, fields).map_err(|message| Error::InvalidSpace { name: name.to_string(), message })
    }
}

impl Params {
    /// A point, or part of one: each value a number, a text, or `true` or `false`.
    ///
    /// # Errors
    /// The first parameter whose value is none of these.
    pub fn from_json(fields: &Map<String, Json>) -> Result<Params> {
        let value = |(name, json): (&String, &Json)| match value(json) {
            Some(value) => Ok((name.clone(), value)),
            None => Err(wrong_type(name, &Value::Text(json.to_string()), "a number, a text, or true or false")),
        };
        Ok(fields.iter().map(value).collect::<Result<Vec<_>>>()?.into_iter().collect())
    }
}

fn read(name: &str, fields: &Map<String, Json>) -> Result<Parameter, String> {
    let kind = fields.get("type").ok_or("has no `type`: float, int or categorical")?;
    let parameter = match kind.as_str() {
        Some("float") => {
            known(fields, &NUMBER_KEYS)?;
            let end = |key: &str| fields.get(key).and_then(Json::as_f64).ok_or_else(|| not_a(fields, key, "number"));
            let parameter = Parameter::float(name, end("low")?, end("high")?);
            let parameter = if given(fields, "step") { parameter.step(end("step")?) } else { parameter };
            if flag(fields, "log")? { parameter.log() } else { parameter }
        }
        Some("int") => {
            known(fields, &COUNT_KEYS)?;
            let end = |key: &str| fields.get(key).and_then(whole).ok_or_else(|| not_a(fields, key, "whole number"));
            let parameter = Parameter::int(name, end("low")?, end("high")?);
            let parameter = if given(fields, "step") { parameter.step(end("step")? as f64) } else { parameter };
            let parameter = if flag(fields, "fidelity")? { parameter.fidelity() } else { parameter };
            if flag(fields, "log")? { parameter.log() } else { parameter }
        }
        Some("categorical") => {
            known(fields, &CHOICE_KEYS)?;
            let parameter = Parameter::choice(name, values(fields, "choices")?);
            if flag(fields, "ordered")? { parameter.ordered() } else { parameter }
        }
        _ => return Err(format!("has the type {kind}: float, int or categorical")),
    };
    let parameter = match fields.get("title") {
        None | Some(Json::Null) => parameter,
        Some(title) => parameter.help(title.as_str().ok_or_else(|| not_a(fields, "title", "text"))?),
    };
    let parameter = match fields.get("default") {
        None | Some(Json::Null) => parameter,
        Some(json) => parameter.default(value(json).ok_or_else(|| not_a(fields, "default", "number or text"))?),
    };
    match fields.get("when") {
        None | Some(Json::Null) => Ok(parameter),
        Some(Json::Array(conditions)) => conditions.iter().try_fold(parameter, conditioned),
        Some(condition) => conditioned(parameter, condition),
    }
}

fn conditioned(parameter: Parameter, condition: &Json) -> Result<Parameter, String> {
    let condition = condition.as_object().ok_or("has a `when` that is not {\"param\": NAME, \"in\": [VALUES]}")?;
    known(condition, &["param", "in"])?;
    let parent = condition.get("param").and_then(Json::as_str).ok_or("has a `when` that names no `param`")?;
    Ok(parameter.when(parent, values(condition, "in")?))
}

fn values(fields: &Map<String, Json>, key: &str) -> Result<Vec<Value>, String> {
    let list = fields.get(key).and_then(Json::as_array).ok_or_else(|| not_a(fields, key, "list of values"))?;
    let values = list.iter().map(|json| value(json).ok_or_else(|| format!("has {json} in `{key}`, which is no value")));
    values.collect()
}

fn value(json: &Json) -> Option<Value> {
    match json {
        Json::Bool(value) => Some(Value::Bool(*value)),
        Json::String(text) => Some(Value::Text(text.clone())),
        Json::Number(number) => number.as_i64().map(Value::Int).or_else(|| number.as_f64().map(Value::Float)),
        _ => None,
    }
}

/// A whole number, also one written as `5.0`.
fn whole(json: &Json) -> Option<i64> {
    let float = || json.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 2f64.powi(53));
    json.as_i64().or_else(|| float().map(|float| float as i64))
}

fn flag(fields: &Map<String, Json>, key: &str) -> Result<bool, String> {
    match fields.get(key) {
        None | Some(Json::Null) => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| not_a(fields, key, "`true` or `false`")),
    }
}

fn given(fields: &Map<String, Json>, key: &str) -> bool {
    fields.get(key).is_some_and(|value| !value.is_null())
}

fn not_a(fields: &Map<String, Json>, key: &str, expected: &str) -> String {
    let article = if expected.starts_with('`') { "" } else { "a " };
    match fields.get(key) {
        Some(value) => format!("has `{key}` {value}, which is not {article}{expected}"),
        None => format!("has no `{key}`, {article}{expected}"),
    }
}

fn known(fields: &Map<String, Json>, keys: &[&str]) -> Result<(), String> {
    let Some(key) = fields.keys().find(|key| !keys.contains(&key.as_str())) else { return Ok(()) };
    Err(match nearest(key, keys.iter().copied()) {
        Some(near) => format!("has an unknown key `{key}`; did you mean `{near}`?"),
        None => format!("has an unknown key `{key}`: there are {}", keys.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(fields: Json, expected: Parameter) {
        assert_eq!(Parameter::from_json("x", fields.as_object().unwrap()), Ok(expected));
    }

    #[test]
    fn every_kind_is_read() {
        check(json!({"type": "float", "low": 1e-3, "high": 10, "log": true}), Parameter::float("x", 1e-3, 10.0).log());
        check(json!({"type": "float", "low": 0, "high": 1, "step": 0.25}), Parameter::float("x", 0.0, 1.0).step(0.25));
        check(
            json!({"type": "int", "low": 1.0, "high": 9, "step": 2, "default": 3.0, "title": "an odd one"}),
            Parameter::int("x", 1, 9).step(2.0).default(3).help("an odd one"),
        );
        check(
            json!({"type": "categorical", "choices": ["a", 2, true], "ordered": true, "default": 2}),
            Parameter::choice("x", [Value::from("a"), Value::from(2), Value::from(true)]).ordered().default(2),
        );
        let parameter = Parameter::int("x", 1, 9).when("k", ["a"]).when("n", [1, 2]);
        let conditions = json!([{"param": "k", "in": ["a"]}, {"param": "n", "in": [1, 2]}]);
        check(json!({"type": "int", "low": 1, "high": 9, "when": conditions}), parameter);
    }

    #[track_caller]
    fn check_error(fields: Json, words: &str) {
        let error = Parameter::from_json("x", fields.as_object().unwrap()).unwrap_err().to_string();
        assert_eq!(error, format!("search space: parameter `x` {words}"));
    }

    #[test]
    fn faults_name_the_parameter_the_key_and_what_was_meant() {
        check_error(json!({}), "has no `type`: float, int or categorical");
        check_error(json!({"type": "real"}), "has the type \"real\": float, int or categorical");
        check_error(json!({"type": "float", "low": 1}), "has no `high`, a number");
        check_error(json!({"type": "int", "low": 1.5, "high": 2}), "has `low` 1.5, which is not a whole number");
        check_error(json!({"type": "int", "hihg": 2}), "has an unknown key `hihg`; did you mean `high`?");
        check_error(
            json!({"type": "float", "low": 0, "high": 1, "log": "yes"}),
            "has `log` \"yes\", which is not `true` or `false`",
        );
        check_error(json!({"type": "categorical", "choices": [[]]}), "has [] in `choices`, which is no value");
    }
}
