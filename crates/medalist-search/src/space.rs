//! Search spaces: parameters with domains, defaults and conditions, and the points in them.
//!
//! A parameter that is not active at a point is absent from it, so that nothing about it can leak into a model or a sampler.

mod value;
mod constraint;
mod filter;
mod domain;
mod parameter;
mod restriction;
mod nearest;
mod json;
mod tunable;

use serde::{Deserialize, Serialize};

pub use constraint::Constraint;
pub use domain::Domain;
pub use filter::{Field, FieldKind, Filter};
pub use parameter::{Condition, Parameter};
pub use restriction::Restriction;
pub use tunable::{ParamChoice, ParamField, Tunable};
pub use value::{Params, Value};

pub(crate) use nearest::nearest;
use value::wrong_type;

use crate::error::{Error, Result};

/// Parameters in order; a parameter's conditions refer to earlier ones only.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct SearchSpace {
    parameters: Vec<Parameter>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    constraints: Vec<Constraint>,
}

impl SearchSpace {
    pub fn new() -> Self {
        SearchSpace::default()
    }

    /// Adds a parameter at the end.
    pub fn with(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Leaves out the points at which a constraint does not hold.
    pub fn constrain(mut self, constraint: Constraint) -> Self {
        self.constraints.push(constraint);
        self
    }

    /// Adds all parameters of another space at the end, and its constraints.
    pub fn with_all(mut self, space: SearchSpace) -> Self {
        self.parameters.extend(space.parameters);
        self.constraints.extend(space.constraints);
        self
    }

    /// A choice `name` among branches, each with a space of its own whose parameters become `branch.parameter` and are active only there.
    pub fn branches(name: &str, branches: Vec<(String, SearchSpace)>) -> SearchSpace {
        let names: Vec<&str> = branches.iter().map(|(branch, _)| branch.as_str()).collect();
        let mut choice = Parameter::choice(name, names.iter().copied()).levels(names.iter().copied());
        choice.branches = true;
        let mut space = SearchSpace::new().with(choice);
        for (branch, own) in branches {
            space.constraints.extend(own.constraints.iter().map(|constraint| constraint.prefixed(&branch)));
            for mut parameter in own.parameters {
                parameter.name = format!("{branch}.{}", parameter.name);
                for condition in &mut parameter.conditions {
                    condition.parameter = format!("{branch}.{}", condition.parameter);
                }
                let here = Condition { parameter: name.to_string(), values: vec![Value::Text(branch.clone())] };
                parameter.conditions.insert(0, here);
                space.parameters.push(parameter);
            }
        }
        space
    }

    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    pub fn constraints(&self) -> &[Constraint] {
        &self.constraints
    }

    /// Whether all constraints hold at a point.
    pub fn allows(&self, params: &Params) -> bool {
        self.constraints.iter().all(|constraint| constraint.holds(params))
    }

    pub fn get(&self, name: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.name == name)
    }

    /// Whether `parameter` has an effect at `params`: all its conditions hold, and the parameters they name are active themselves.
    pub fn is_active(&self, parameter: &Parameter, params: &Params) -> bool {
        let earlier = self.parameters.iter().take_while(|earlier| earlier.name != parameter.name);
        parameter.conditions.iter().all(|condition| {
            let parent = earlier.clone().find(|earlier| earlier.name == condition.parameter);
            parent.is_some_and(|parent| holds(condition, params) && self.is_active(parent, params))
        })
    }

    /// The parameters without a value, and those that are active, at their defaults; staged ones too.
    pub fn default_point(&self) -> Params {
        self.point(|parameter, _| Some(parameter.default.clone()))
    }

    /// `params` with the defaults of the active parameters that it lacks, each value in its parameter's own type. A parameter that others which are given depend on takes a value under which they are active. Staged parameters stay absent: all stages are scored.
    ///
    /// # Errors
    /// Those of [`SearchSpace::check`].
    pub fn complete(&self, params: &Params) -> Result<Params> {
        let params = self.with_parents(params);
        let mut complete = self.point(|parameter, _| match params.get(&parameter.name) {
            Some(value) => Some(parameter.domain.coerce(value.clone())),
            None => Some(parameter.default.clone()).filter(|_| !parameter.staged),
        });
        // What has no effect here, or is not known, is kept for `check` to find.
        for (name, value) in params.iter() {
            if complete.get(name).is_none() {
                complete.insert(name, value.clone());
            }
        }
        self.check(&complete).map(|()| complete)
    }

    /// `params`, and the parents that it leaves open of the parameters that it names.
    fn with_parents(&self, params: &Params) -> Params {
        let mut params = params.clone();
        // From the last one: a parent stands before its children, and may have a parent itself.
        for parameter in self.parameters.iter().rev() {
            let conditions = if params.get(&parameter.name).is_some() { parameter.conditions.as_slice() } else { &[] };
            for Condition { parameter: parent, values } in conditions {
                let default = self.get(parent).map(|parent| &parent.default);
                let value = default.filter(|default| values.contains(default)).or(values.first());
                if let (None, Some(value)) = (params.get(parent), value) {
                    params.insert(parent.as_str(), value.clone());
                }
            }
        }
        params
    }

    /// A point from one number in [0, 1] for each parameter, by its position in the space; asked only for active parameters that are not staged.
    pub fn from_unit(&self, mut unit: impl FnMut(usize) -> f64) -> Params {
        self.point(|parameter, i| if parameter.staged { None } else { Some(parameter.domain.from_unit(unit(i))) })
    }

    /// One number in [0, 1] for each parameter; none where it is absent from the point, or its value outside.
    pub fn to_unit(&self, params: &Params) -> Vec<Option<f64>> {
        let unit = |parameter: &Parameter| parameter.domain.to_unit(params.get(&parameter.name)?);
        self.parameters.iter().map(unit).collect()
    }

    /// Whether `params` is a point of this space. A staged parameter may be absent: all its stages are scored.
    ///
    /// # Errors
    /// The first parameter that is unknown, missing, inactive, out of range or of the wrong type; else the first constraint that does not hold.
    pub fn check(&self, params: &Params) -> Result<()> {
        self.check_names(params)?;
        // Conditions refer to earlier parameters, which by then are known to be present exactly where they are active.
        for parameter in &self.parameters {
            let name = || parameter.name.clone();
            let lacking = parameter.conditions.iter().find(|condition| !holds(condition, params));
            match (params.get(&parameter.name), lacking) {
                (None, Some(_)) => {}
                (None, None) if parameter.staged => {}
                (None, None) => return Err(Error::MissingParameter { name: name() }),
                (Some(_), Some(condition)) => {
                    let values: Vec<String> = condition.values.iter().map(Value::to_string).collect();
                    let condition = format!("{} = {}", condition.parameter, values.join(" or "));
                    return Err(Error::InactiveParameter { name: name(), condition });
                }
                (Some(value), None) => {
                    if let Some(expected) = parameter.domain.type_fault(value) {
                        return Err(wrong_type(&parameter.name, value, expected));
                    }
                    if !parameter.domain.contains(value) {
                        let (value, range) = (value.to_string(), parameter.domain.to_string());
                        return Err(Error::OutOfRange { name: name(), value, range });
                    }
                }
            }
        }
        match self.constraints.iter().find(|constraint| !constraint.holds(params)) {
            Some(broken) => Err(Error::BrokenConstraint { constraint: broken.to_string(), point: params.to_string() }),
            None => Ok(()),
        }
    }

    /// Narrows a parameter to some of its values or to part of its range; its default moves to the nearest value that is left.
    ///
    /// # Errors
    /// When the name is unknown, or the restriction goes outside the declared domain.
    pub fn restrict(&mut self, name: &str, restriction: Restriction) -> Result<()> {
        let unknown = self.unknown(name);
        let parameter = self.parameters.iter_mut().find(|parameter| parameter.name == name).ok_or(unknown)?;
        parameter.restrict(&restriction)
    }

    /// The same space with each fidelity at its highest value.
    pub fn at_full_fidelity(&self) -> SearchSpace {
        let full = |parameter: &Parameter| if parameter.fidelity { parameter.at_highest() } else { parameter.clone() };
        SearchSpace { parameters: self.parameters.iter().map(full).collect(), constraints: self.constraints.clone() }
    }

    /// Whether the space can be searched: sound domains, defaults and levels inside them, names used once, conditions on earlier parameters, constraints on parameters that there are.
    ///
    /// # Errors
    /// The first parameter or constraint at fault.
    pub fn validate(&self) -> Result<()> {
        for (i, parameter) in self.parameters.iter().enumerate() {
            let fault = |message: String| Err(Error::InvalidSpace { name: parameter.name.clone(), message });
            let earlier = &self.parameters[..i];
            if earlier.iter().any(|earlier| earlier.name == parameter.name) {
                return fault("is declared twice".to_string());
            }
            if let Some(message) = parameter.domain.fault() {
                return fault(message);
            }
            let outside = |value: &&Value| !parameter.domain.contains(value);
            if let Some(value) = std::iter::once(&parameter.default).chain(&parameter.levels).find(outside) {
                return fault(format!("has a default or level {value} outside its range {}", parameter.domain));
            }
            let counts = matches!(parameter.domain, Domain::Int { low, .. } if low >= 1) && !parameter.staged;
            if parameter.fidelity && !counts {
                return fault("is a fidelity: make it a whole number from 1 on, and not staged".to_string());
            }
            if parameter.staged && parameter.levels.is_empty() {
                return fault("is staged without levels: list its stages".to_string());
            }
            let rising = |pair: &[Value]| pair[0].as_f64() < pair[1].as_f64();
            if parameter.staged && !parameter.levels.windows(2).all(rising) {
                return fault("has stages that do not ascend".to_string());
            }
            for condition in &parameter.conditions {
                match earlier.iter().find(|earlier| earlier.name == condition.parameter) {
                    None => {
                        return fault(format!(
                            "depends on `{}`, which is not an earlier parameter",
                            condition.parameter
                        ));
                    }
                    Some(parent) if parent.staged => {
                        return fault(format!("depends on `{}`, whose stages are all fitted at once", parent.name));
                    }
                    Some(_) => {}
                }
            }
        }
        self.constraints.iter().try_for_each(|constraint| constraint.check(self))
    }

    /// The error for a name that the space does not have.
    pub(crate) fn unknown(&self, name: &str) -> Error {
        let nearest = nearest(name, self.parameters.iter().map(|parameter| parameter.name.as_str()));
        Error::UnknownParameter { name: name.to_string(), nearest }
    }

    /// A point made in the order of the parameters, so that a condition need only look at what is there already.
    fn point(&self, mut value: impl FnMut(&Parameter, usize) -> Option<Value>) -> Params {
        let mut params = Params::new();
        for (i, parameter) in self.parameters.iter().enumerate() {
            if parameter.conditions.iter().all(|condition| holds(condition, &params))
                && let Some(value) = value(parameter, i)
            {
                params.insert(parameter.name.as_str(), value);
            }
        }
        params
    }
}

/// Whether a condition holds at a point that holds active parameters only.
pub(crate) fn holds(condition: &Condition, params: &Params) -> bool {
    params.get(&condition.parameter).is_some_and(|value| condition.values.contains(value))
}
