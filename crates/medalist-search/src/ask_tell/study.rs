//! The first line: the space, the direction, and what may be said beside them.

use serde_json::{Map, Value as Json};

use crate::sampler::SamplerSpec;
use crate::space::{Constraint, Params, SearchSpace};
use crate::study::StudySpec;
use crate::trial::Direction;

const KEYS: [&str; 8] = ["space", "constraints", "direction", "seed", "trials", "sampler", "default", "window"];

/// The study, and whether it has a window.
pub fn read(fields: &Map<String, Json>) -> Result<(StudySpec, bool), String> {
    if let Some(key) = fields.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!("unknown key `{key}` in the study: it has {}", KEYS.join(", ")));
    }
    let space = fields.get("space").ok_or("the study has no `space`")?;
    let space = space.as_array().ok_or("`space` is not a list of parameters")?;
    let space = constrained(SearchSpace::from_json(space)?, fields.get("constraints"))?;
    let direction = match fields.get("direction").map(|direction| direction.as_str()) {
        Some(Some("minimize")) | None => Direction::Minimize,
        Some(Some("maximize")) => Direction::Maximize,
        Some(_) => return Err("`direction` is neither \"minimize\" nor \"maximize\"".to_string()),
    };
    let mut study = StudySpec { space, ..StudySpec::new("ask-tell", direction) };
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
    let first = match fields.get("default") {
        // The defaults of a space with constraints need not be one of its points.
        None => Ok(study.space.complete(&Params::new()).ok()),
        Some(Json::Object(point)) => Params::from_json(point).and_then(|point| study.space.complete(&point)).map(Some),
        Some(_) => return Err("`default` is not an object".to_string()),
    };
    study.defaults = first.map_err(|error| format!("default: {error}"))?.into_iter().collect();
    study.validate().map_err(|error| error.to_string())?;
    Ok((study, window.is_some()))
}

fn constrained(space: SearchSpace, constraints: Option<&Json>) -> Result<SearchSpace, String> {
    let texts = match constraints {
        None | Some(Json::Null) => return Ok(space),
        Some(constraints) => constraints.as_array().ok_or("`constraints` is not a list of texts")?,
    };
    let constraint = |space: SearchSpace, text: &Json| {
        let text = text.as_str().ok_or_else(|| format!("`constraints` has {text}, which is no text"))?;
        Ok(space.constrain(text.parse::<Constraint>().map_err(|error| error.to_string())?))
    };
    texts.iter().try_fold(space, constraint)
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
