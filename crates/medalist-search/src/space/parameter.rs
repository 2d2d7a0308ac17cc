//! One parameter of a search space: its domain, its default, and where it has an effect.

use serde::{Deserialize, Serialize};

use super::domain::Domain;
use super::value::Value;

/// A parameter is active where the other parameter is active and holds one of these values.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Condition {
    pub parameter: String,
    pub values: Vec<Value>,
}

/// One dimension of a search space.
///
/// ```
/// use medalist_search::Parameter;
/// let gamma = Parameter::float("gamma", 1e-3, 1e3).log().default(1.0).levels([0.1, 1.0, 10.0]).when("kernel", ["rbf"]);
/// assert_eq!(gamma.levels.len(), 3);
/// ```
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Parameter {
    pub name: String,
    pub domain: Domain,
    pub default: Value,
    /// The few values that a grid tries when nobody says which; may be empty.
    pub levels: Vec<Value>,
    /// One fit answers for all of `levels`, which are then the stages, ascending.
    pub staged: bool,
    /// A budget: trees, epochs, rows. Pruning on steps counts in its unit and gives each trial all of it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fidelity: bool,
    /// Each choice has a space of its own under `choice.`: a grid runs over all of them.
    pub branches: bool,
    /// All must hold.
    pub conditions: Vec<Condition>,
    pub help: String,
}

impl Parameter {
    /// A real number in `[low, high]`; its default is the centre.
    pub fn float(name: impl Into<String>, low: f64, high: f64) -> Self {
        Parameter::of(name, Domain::Float { low, high, log: false, step: None })
    }

    /// An integer in `[low, high]`; its default is the centre.
    pub fn int(name: impl Into<String>, low: i64, high: i64) -> Self {
        Parameter::of(name, Domain::Int { low, high, log: false, step: 1 })
    }

    /// One of `choices`; its default is the first.
    pub fn choice<V: Into<Value>>(name: impl Into<String>, choices: impl IntoIterator<Item = V>) -> Self {
        let choices = choices.into_iter().map(Into::into).collect();
        Parameter::of(name, Domain::Choice { choices, ordered: false })
    }

    /// `false` or `true`; its default is `false`.
    pub fn bool(name: impl Into<String>) -> Self {
        Parameter::choice(name, [false, true])
    }

    /// A parameter over `domain`, at its centre.
    pub fn of(name: impl Into<String>, domain: Domain) -> Self {
        // An unsound domain has no centre; `SearchSpace::validate` says so.
        let default = if domain.fault().is_none() { domain.centre() } else { Value::Bool(false) };
        Parameter {
            name: name.into(),
            domain,
            default,
            levels: Vec::new(),
            staged: false,
            fidelity: false,
            branches: false,
            conditions: Vec::new(),
            help: String::new(),
        }
    }

    /// Searches the logarithm. A default at the old centre moves to the new one.
    pub fn log(self) -> Self {
        self.reshaped(|domain| match domain {
            Domain::Float { log, .. } | Domain::Int { log, .. } => *log = true,
            Domain::Choice { .. } => {}
        })
    }

    /// Only `low`, `low + step`, ... A default at the old centre moves to the new one.
    pub fn step(self, by: f64) -> Self {
        self.reshaped(|domain| match domain {
            Domain::Float { step, .. } => *step = Some(by),
            Domain::Int { step, .. } => *step = by as i64,
            Domain::Choice { .. } => {}
        })
    }

    /// Says that neighbouring choices are alike.
    pub fn ordered(self) -> Self {
        self.reshaped(|domain| {
            if let Domain::Choice { ordered, .. } = domain {
                *ordered = true;
            }
        })
    }

    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = self.domain.coerce(value.into());
        self
    }

    pub fn levels<V: Into<Value>>(mut self, levels: impl IntoIterator<Item = V>) -> Self {
        self.levels = levels.into_iter().map(|level| self.domain.coerce(level.into())).collect();
        self
    }

    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// Active only where `parameter` holds one of `values`; may be said of several parameters, and then all must hold.
    pub fn when<V: Into<Value>>(mut self, parameter: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.conditions.push(Condition { parameter: parameter.into(), values });
        self
    }

    /// One fit answers for all of the levels.
    pub fn staged(mut self) -> Self {
        self.staged = true;
        self
    }

    /// Says that this whole number is a budget, of trees, epochs or rows: more is better and costs more. A study that prunes on steps counts them in its unit, runs each trial with its highest value, and stops the hopeless ones early; any other study samples it as it does the rest.
    pub fn fidelity(mut self) -> Self {
        self.fidelity = true;
        self
    }

    /// The ends of a fidelity's range; none where it is none.
    pub fn fidelity_range(&self) -> Option<(u64, u64)> {
        match self.domain {
            Domain::Int { low, high, .. } if self.fidelity => {
                Some((u64::try_from(low).unwrap_or(0), u64::try_from(high).unwrap_or(0)))
            }
            _ => None,
        }
    }

    /// The same with its highest value alone.
    pub(super) fn at_highest(&self) -> Parameter {
        let highest = self.domain.from_unit(1.0);
        let Value::Int(high) = highest else { return self.clone() };
        let levels = if self.levels.is_empty() { Vec::new() } else { vec![highest.clone()] };
        let domain = Domain::Int { low: high, high, log: false, step: 1 };
        Parameter { domain, default: highest, levels, ..self.clone() }
    }

    fn reshaped(mut self, change: impl FnOnce(&mut Domain)) -> Self {
        let at_centre = self.domain.fault().is_none() && self.default == self.domain.centre();
        change(&mut self.domain);
        if at_centre && self.domain.fault().is_none() {
            self.default = self.domain.centre();
        }
        self
    }
}
