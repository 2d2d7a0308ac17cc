//! The first line: the space, the direction, and what may be said beside them.

use serde_json::{Map, Value as Json};

use crate::sampler::SamplerSpec;
use crate::space::{Parameter, Params, SearchSpace, Value};
use crate::study::StudySpec;
use crate::trial::Direction;

const KEYS: [&str; 7] = ["space", "direction", "seed", "trials", "sampler", "default", "window"];

/// The study, and whether it has a window.
pub fn read(fields: &Map<String, Json>) -> Result<(StudySpec, bool), String> {
    known(fields, &KEYS, "the study")?;
    let space = fields.get("space").ok_or("the study has no `space`")?;
    let space = space.as_array().ok_or("`space` is not a list of parameters")?;
    let mut all = SearchSpace::new();
    for (i, fields) in space.iter().enumerate() {
        all = all.with(parameter(fields).map_err(|message| format!("parameter {i}: {message}"))?);
    }
    let direction = match fields.get("direction").map(|direction| direction.as_str()) {
        Some(Some("minimize")) | None => Direction::Minimize,
        Some(Some("maximize")) => Direction::Maximize,
        Some(_) => return Err("`direction` is neither \"minimize\" nor \"maximize\"".to_string()),
    };
    let mut study = StudySpec { space: all, ..StudySpec::new("ask-tell", direction) };
    study.seed = count(fields, "seed")?.unwrap_or(0);
    // Trial n is the same however many will follow, so the number of trials is only checked.
    count(fields, "trials")?;
    let window = count(fields, "window")?;
    study.window = window.unwrap_or(1);
    study.sampler = match fields.get("sampler") {
        None => SamplerSpec::Auto,
        Some(name) => name
            .as_str()
            .and_then(SamplerSpec::from_name)
            .ok_or_else(|| format!("unknown sampler {name}: one of {}", SamplerSpec::NAMES.join(", ")))?,
    };
    study.space.validate().map_err(|error| error.to_string())?;
    let first = match fields.get("default") {
        None => study.space.complete(&Params::new()),
        Some(Json::Object(point)) => {
            let values = point.iter().map(|(name, at)| Ok((name.as_str(), value(at)?)));
            let point: Params = values.collect::<Result<Vec<_>, String>>()?.into_iter().collect();
            study.space.complete(&point)
        }
        Some(_) => return Err("`default` is not an object".to_string()),
    };
    study.defaults = vec![first.map_err(|error| format!("default: {error}"))?];
    study.validate().map_err(|error| error.to_string())?;
    Ok((study, window.is_some()))
}

fn parameter(fields: &Json) -> Result<Parameter, String> {
    let fields = fields.as_object().ok_or("not an object")?;
    let name = fields.get("name").and_then(Json::as_str).ok_or("no `name`")?;
    let kind = fields.get("type").and_then(Json::as_str).ok_or("no `type`: float, int or categorical")?;
    let log = match fields.get("log") {
        None => false,
        Some(Json::Bool(log)) => *log,
        Some(_) => return Err("`log` is neither true nor false".to_string()),
    };
    let mut parameter = match kind {
        "float" => {
            known(fields, &["name", "type", "low", "high", "log", "step", "when"], name)?;
            let end =
                |key: &str| fields.get(key).and_then(Json::as_f64).ok_or_else(|| format!("`{key}` is not a number"));
            let parameter = Parameter::float(name, end("low")?, end("high")?);
            match fields.get("step") {
                None | Some(Json::Null) => parameter,
                Some(_) => parameter.step(end("step")?),
            }
        }
        "int" => {
            known(fields, &["name", "type", "low", "high", "log", "step", "when"], name)?;
            let end = |key: &str| {
                let end = fields.get(key).and_then(whole);
                end.ok_or_else(|| format!("`{key}` is not a whole number"))
            };
            let parameter = Parameter::int(name, end("low")?, end("high")?);
            match fields.get("step") {
                None | Some(Json::Null) => parameter,
                Some(_) => parameter.step(end("step")? as f64),
            }
        }
        "categorical" => {
            known(fields, &["name", "type", "choices", "ordered", "when"], name)?;
            let choices = fields.get("choices").and_then(Json::as_array).ok_or("no list of `choices`")?;
            let choices = choices.iter().map(value).collect::<Result<Vec<Value>, _>>()?;
            let parameter = Parameter::choice(name, choices);
            if fields.get("ordered") == Some(&Json::Bool(true)) { parameter.ordered() } else { parameter }
        }
        other => return Err(format!("unknown `type` \"{other}\": float, int or categorical")),
    };
    if log {
        parameter = parameter.log();
    }
    match fields.get("when") {
        None | Some(Json::Null) => Ok(parameter),
        Some(when) => {
            let parent = when.get("param").and_then(Json::as_str).ok_or("`when` names no `param`")?;
            let values = when.get("in").and_then(Json::as_array).ok_or("`when` has no list `in`")?;
            Ok(parameter.when(parent, values.iter().map(value).collect::<Result<Vec<Value>, _>>()?))
        }
    }
}

fn value(value: &Json) -> Result<Value, String> {
    match value {
        Json::Bool(value) => Ok(Value::Bool(*value)),
        Json::String(text) => Ok(Value::Text(text.clone())),
        Json::Number(number) => match number.as_i64() {
            Some(int) => Ok(Value::Int(int)),
            None => number.as_f64().map(Value::Float).ok_or_else(|| format!("{number} is too large")),
        },
        other => Err(format!("{other} is neither a text nor a number")),
    }
}

/// A whole number, also one written as `5.0`.
fn whole(value: &Json) -> Option<i64> {
    let float = || value.as_f64().filter(|float| float.fract() == 0.0 && float.abs() < 2f64.powi(53));
    value.as_i64().or_else(|| float().map(|float| float as i64))
}

fn count(fields: &Map<String, Json>, key: &str) -> Result<Option<u64>, String> {
    match fields.get(key) {
        None | Some(Json::Null) => Ok(None),
        Some(value) => {
            let count = value.as_u64();
            count.map(Some).ok_or_else(|| format!("`{key}` is {value}, not a whole number from 0"))
        }
    }
}

fn known(fields: &Map<String, Json>, keys: &[&str], what: &str) -> Result<(), String> {
    match fields.keys().find(|key| !keys.contains(&key.as_str())) {
        Some(key) => Err(format!("unknown key `{key}` in {what}: it has {}", keys.join(", "))),
        None => Ok(()),
    }
}
