//! Which models a sweep tries, and the one space of them all.

use medalist_search::{Condition, ObjectiveSpec, Params, Restriction, SearchSpace, Value};

use crate::competition::Competition;
use crate::error::{Error, Result};
use crate::metric::Needs;
use crate::model::InputKind;
use crate::objective::Measure;
use crate::prepare;
use crate::registry::{ModelEntry, Registry};
use crate::table::ColumnType;
use crate::target::Task;

/// Why a model cannot be tried on a competition; None where it can.
pub fn why_not(entry: &ModelEntry, competition: &Competition, objectives: &[ObjectiveSpec]) -> Option<String> {
    let wanted: &[Task] = match competition.task {
        Task::Ordinal => &[Task::Regression, Task::Multiclass],
        Task::Binary => &[Task::Binary],
        Task::Multiclass => &[Task::Multiclass],
        Task::Regression => &[Task::Regression],
        Task::Text => &[],
    };
    if competition.needs == Needs::Spread {
        return Some(
            "predicts values, and the metric asks how far off each may be too: `grade` alone can use it".to_string(),
        );
    }
    if !wanted.iter().any(|task| entry.tasks.contains(task)) {
        let tasks: Vec<&str> = entry.tasks.iter().map(|task| task.name()).collect();
        return Some(format!("fits {} targets, and this one is {}", tasks.join(" and "), competition.task.name()));
    }
    if entry.input == InputKind::Tensor && competition.tensor().is_none() {
        return Some("wants tensors, and competition.toml declares no `tensor`".to_string());
    }
    let has_text = || competition.features.columns().iter().any(|column| column.kind == ColumnType::Text);
    if entry.input == InputKind::Sparse && !has_text() {
        return Some("is for texts, and no column is one".to_string());
    }
    if !entry.tells_size && objectives.iter().any(|objective| objective.name == Measure::ModelSize.name()) {
        return Some(format!("cannot say how large it is, which `{}` asks for", Measure::ModelSize.name()));
    }
    None
}

/// `model`, each model's own parameters as `model.parameter`, and the transforms' as `prep.parameter` where a model's input uses them. `competition`: leaves out those of transforms that none of its columns concern.
pub fn joint_space(registry: &Registry, models: &[&ModelEntry], competition: Option<&Competition>) -> SearchSpace {
    let branches = models.iter().map(|model| (model.name.clone(), model.space.clone())).collect();
    let mut space = SearchSpace::branches("model", branches);
    let mut kinds: Vec<InputKind> = models.iter().map(|model| model.input).collect();
    kinds.sort();
    kinds.dedup();
    let mut added: Vec<String> = Vec::new();
    for &kind in &kinds {
        for parameter in preparation(registry, kind, competition).parameters() {
            let name = format!("prep.{}", parameter.name);
            if added.contains(&name) {
                continue;
            }
            // A parameter of a transform that several inputs use is active for all of their models.
            let uses = |model: &&&ModelEntry| prepare::space(registry, model.input).get(&parameter.name).is_some();
            let values = models.iter().filter(uses).map(|model| Value::from(model.name.as_str())).collect();
            let mut parameter = parameter.clone();
            parameter.name = name.clone();
            for condition in &mut parameter.conditions {
                condition.parameter = format!("prep.{}", condition.parameter);
            }
            parameter.conditions.insert(0, Condition { parameter: "model".to_string(), values });
            // A grid with nothing named goes over the models' own levels: preparation would multiply it beyond use.
            parameter.levels.clear();
            space = space.with(parameter);
            added.push(name);
        }
    }
    space
}

fn preparation(registry: &Registry, kind: InputKind, competition: Option<&Competition>) -> SearchSpace {
    let Some(competition) = competition else { return prepare::space(registry, kind) };
    // A column may have gaps among the test rows alone.
    let test = competition.test.iter().map(|test| &test.features);
    let tables: Vec<_> = std::iter::once(&competition.features).chain(test).collect();
    prepare::space_for(registry, kind, &tables)
}

/// The first try of a model: its default point with the default preparation.
pub(super) fn default_point(space: &SearchSpace, model: &str) -> Params {
    let mut only = space.clone();
    // The model is one of the choices, so that restricting to it cannot fail.
    let _ = only.restrict("model", Restriction::Values(vec![Value::from(model)]));
    let mut point = only.default_point();
    for parameter in space.parameters().iter().filter(|parameter| parameter.staged) {
        point.remove(&parameter.name);
    }
    point
}

/// Narrows a parameter as `--set` says.
///
/// # Errors
/// When the sweep has no such parameter, or the text is no part of its domain.
pub(super) fn restrict(
    space: &mut SearchSpace,
    name: &str,
    text: &str,
    registry: &Registry,
    models: &[&ModelEntry],
) -> Result<()> {
    let Some(parameter) = space.get(name) else {
        let error = Error::usage(format!("there is no parameter `{name}` in this sweep"));
        let model = name.split('.').next().unwrap_or_default();
        if registry.model(model).is_ok() && !models.iter().any(|entry| entry.name == model) {
            return Err(error.help(format!("model `{model}` is not among the models tried: add it to `--models`")));
        }
        if joint_space(registry, models, None).get(name).is_some() {
            return Err(error.help("it would change nothing: no column of this competition is such as it is for"));
        }
        let known = space.parameters().iter().map(|parameter| parameter.name.as_str());
        return Err(match crate::nearest(name, known) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help("`medalist models NAME` lists the parameters of a model"),
        });
    };
    let restriction = Restriction::parse(parameter, text)?;
    Ok(space.restrict(name, restriction)?)
}
