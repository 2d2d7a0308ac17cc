//! What stops hopeless trials, and what it counts.

use std::str::FromStr;

use medalist_search::{PrunerSpec, Resource};
use serde::{Deserialize, Serialize};

use crate::competition::Competition;
use crate::error::{Error, Result};
use crate::registry::ModelEntry;

/// What stops a hopeless trial early: a pruner's name, with settings that are not its defaults as in `racing:confidence=0.9`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pruning {
    text: String,
    pub spec: PrunerSpec,
}

impl TryFrom<String> for Pruning {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Pruning, String> {
        Ok(Pruning { spec: PrunerSpec::parse(&text)?, text })
    }
}

impl FromStr for Pruning {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Pruning, String> {
        Pruning::try_from(text.to_string())
    }
}

impl From<Pruning> for String {
    fn from(pruning: Pruning) -> String {
        pruning.text
    }
}

/// What a plan's pruner counts: folds, unless something else is said.
///
/// # Errors
/// When it should count steps, and there is no pruner, none that can, or nothing that shows them.
pub(super) fn counted(
    resource: Option<Resource>,
    pruning: Option<&Pruning>,
    competition: &Competition,
    models: &[&ModelEntry],
) -> Result<Resource> {
    if resource != Some(Resource::Steps) {
        return Ok(Resource::Folds);
    }
    let Some(pruning) = pruning else {
        return Err(Error::usage("`prune-on` says what a pruner counts, and there is none").help("add `--pruner`"));
    };
    if let Some(misfit) = pruning.spec.misfit(Resource::Steps) {
        return Err(Error::usage(misfit));
    }
    if competition.targets.len() > 1 {
        let error = Error::usage("of several targets there is a score only when all are fitted: no step has one");
        return Err(error.help("prune on folds"));
    }
    if !models.iter().any(|entry| entry.shows_steps) {
        let names: Vec<&str> = models.iter().map(|entry| entry.name.as_str()).collect();
        let error = Error::usage(format!("none of {} shows steps while it fits", names.join(", ")));
        return Err(error.help("prune on folds, or add a model that grows step by step, such as `gbdt`"));
    }
    Ok(Resource::Steps)
}
