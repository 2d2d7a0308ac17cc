//! Narrowing a parameter from the command line: `=0.1,1,10`, `=1e-4..1e3`, `=5`.

use serde::{Deserialize, Serialize};

use super::domain::Domain;
use super::parameter::Parameter;
use super::value::{Value, wrong_type};
use crate::error::{Error, Result};

/// What a parameter is narrowed to; both ends of a range belong to it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Restriction {
    Values(Vec<Value>),
    Range { low: f64, high: f64 },
}

impl Restriction {
    /// Reads `0.1,1,10`, `1e-4..1e3` or `5` as `parameter`'s own type. A leading `=` is allowed.
    ///
    /// # Errors
    /// When a part is not of that type, or not one of the choices.
    pub fn parse(parameter: &Parameter, text: &str) -> Result<Restriction> {
        let text = text.strip_prefix('=').unwrap_or(text).trim();
        let numeric = !matches!(parameter.domain, Domain::Choice { .. });
        match text.split_once("..") {
            Some((low, high)) if numeric => {
                let end = |end: &str| match value(parameter, end) {
                    Ok(value) => value.as_f64().ok_or_else(|| wrong_type(&parameter.name, &value, "a number")),
                    Err(error) => Err(error),
                };
                Ok(Restriction::Range { low: end(low)?, high: end(high.strip_prefix('=').unwrap_or(high))? })
            }
            _ => Ok(Restriction::Values(text.split(',').map(|part| value(parameter, part)).collect::<Result<_>>()?)),
        }
    }
}

fn value(parameter: &Parameter, text: &str) -> Result<Value> {
    let text = text.trim();
    let number = |number: f64| parameter.domain.coerce(Value::Float(number));
    let parsed = match &parameter.domain {
        Domain::Choice { choices, .. } => {
            let by_name = choices.iter().find(|choice| choice.to_string() == text).cloned();
            return by_name
                .or_else(|| text.parse().ok().map(number).filter(|value| choices.contains(value)))
                .ok_or_else(|| out_of_range(parameter, text));
        }
        Domain::Float { .. } => text.parse().ok().map(Value::Float).filter(|_| !text.is_empty()),
        Domain::Int { .. } => text.parse().map(Value::Int).ok().or_else(|| text.parse().ok().map(number)),
    };
    let parsed = parsed.unwrap_or_else(|| Value::Text(text.to_string()));
    match parameter.domain.type_fault(&parsed) {
        Some(expected) => Err(wrong_type(&parameter.name, &parsed, expected)),
        None => Ok(parsed),
    }
}

impl Parameter {
    /// Narrows the domain, keeps the levels that are left, and moves the default to the nearest value that is.
    ///
    /// # Errors
    /// When a value lies outside the declared domain, or nothing is left.
    pub(super) fn restrict(&mut self, restriction: &Restriction) -> Result<()> {
        let wanted = self.default.clone();
        let log = matches!(self.domain, Domain::Float { log: true, .. } | Domain::Int { log: true, .. });
        match restriction {
            Restriction::Values(values) => self.restrict_to_values(values)?,
            Restriction::Range { low, high } => self.restrict_to_range(*low, *high)?,
        }
        self.default = match &self.domain {
            _ if self.domain.contains(&wanted) => wanted,
            Domain::Float { .. } | Domain::Int { .. } => {
                nearest_value(&wanted, &[self.domain.from_unit(0.0), self.domain.from_unit(1.0)], log)
            }
            Domain::Choice { choices, .. } => nearest_value(&wanted, choices, log),
        };
        Ok(())
    }

    fn restrict_to_values(&mut self, values: &[Value]) -> Result<()> {
        let mut values: Vec<Value> = values.iter().map(|value| self.domain.coerce(value.clone())).collect();
        for value in &values {
            if let Some(expected) = self.domain.type_fault(value) {
                return Err(wrong_type(&self.name, value, expected));
            }
            if !self.domain.contains(value) {
                return Err(out_of_range(self, &value.to_string()));
            }
        }
        let ordered = match &self.domain {
            Domain::Choice { ordered, .. } => *ordered,
            Domain::Float { .. } | Domain::Int { .. } => {
                values.sort_by(|a, b| a.as_f64().unwrap_or(f64::NAN).total_cmp(&b.as_f64().unwrap_or(f64::NAN)));
                true
            }
        };
        let mut choices: Vec<Value> = Vec::with_capacity(values.len());
        for value in values {
            if !choices.contains(&value) {
                choices.push(value);
            }
        }
        if choices.is_empty() {
            return Err(Error::InvalidSpace {
                name: self.name.clone(),
                message: "is left without a value".to_string(),
            });
        }
        self.levels = choices.clone();
        self.domain = Domain::Choice { choices, ordered };
        Ok(())
    }

    fn restrict_to_range(&mut self, from: f64, to: f64) -> Result<()> {
        if from > to {
            let range = format!("{}..{}", Value::Float(from), Value::Float(to));
            let message = format!("is given the empty range {range}: write its lower end first");
            return Err(Error::InvalidSpace { name: self.name.clone(), message });
        }
        let outside = |parameter: &Parameter| {
            Err(out_of_range(parameter, &format!("{}..{}", Value::Float(from), Value::Float(to))))
        };
        let narrowed = match self.domain.clone() {
            Domain::Choice { choices, .. } => {
                let inside = |choice: &&Value| choice.as_f64().is_some_and(|choice| (from..=to).contains(&choice));
                let inside: Vec<Value> = choices.iter().filter(inside).cloned().collect();
                return if inside.is_empty() { outside(self) } else { self.restrict_to_values(&inside) };
            }
            Domain::Float { low, high, .. } if !(low <= from && from <= to && to <= high) => return outside(self),
            Domain::Int { low, high, .. } if !(low as f64 <= from && from <= to && to <= high as f64) => {
                return outside(self);
            }
            // The ends move inwards to the nearest multiple of the step.
            Domain::Float { low, step: Some(step), log, .. } => {
                let first = ((from - low) / step - 1e-9).ceil();
                let last = ((to - low) / step + 1e-9).floor();
                if last < first {
                    return outside(self);
                }
                Domain::Float { low: low + first * step, high: low + last * step, log, step: Some(step) }
            }
            Domain::Float { log, step: None, .. } => Domain::Float { low: from, high: to, log, step: None },
            Domain::Int { low, step, log, .. } => {
                let (first, last) = (from.ceil() as i64, to.floor() as i64);
                let low = low + (first - low + step - 1) / step * step;
                if low > last {
                    return outside(self);
                }
                Domain::Int { low, high: last, log, step }
            }
        };
        self.domain = narrowed;
        self.levels.retain(|level| self.domain.contains(level));
        Ok(())
    }
}

/// The candidate nearest to `wanted` (by ratio where `log`), the first where there is no distance.
fn nearest_value(wanted: &Value, candidates: &[Value], log: bool) -> Value {
    let scale = |value: &Value| value.as_f64().map(|value| if log { value.ln() } else { value });
    let distance = |candidate: &Value| match (scale(wanted), scale(candidate)) {
        (Some(wanted), Some(candidate)) => (wanted - candidate).abs(),
        _ => f64::INFINITY,
    };
    let mut best = &candidates[0];
    for candidate in candidates {
        if distance(candidate) < distance(best) {
            best = candidate;
        }
    }
    best.clone()
}

fn out_of_range(parameter: &Parameter, value: &str) -> Error {
    Error::OutOfRange { name: parameter.name.clone(), value: value.to_string(), range: parameter.domain.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(parameter: Parameter, text: &str, domain: &str, default: &str) {
        let mut parameter = parameter;
        let restriction = Restriction::parse(&parameter, text).unwrap();
        parameter.restrict(&restriction).unwrap();
        assert_eq!((parameter.domain.to_string().as_str(), parameter.default.to_string().as_str()), (domain, default));
    }

    fn alpha() -> Parameter {
        Parameter::float("alpha", 1e-4, 1e4).log().default(1.0).levels([0.1, 1.0, 10.0])
    }

    #[test]
    fn a_list_becomes_an_ordered_choice() {
        check(alpha(), "10,0.1,100", "0.1, 10, 100", "0.1");
        check(Parameter::int("k", 1, 50), "=1,5,9", "1, 5, 9", "9");
    }

    #[test]
    fn a_range_keeps_the_logarithm_and_moves_the_default() {
        check(alpha(), "1e-4..1e-2", "0.0001..0.01 (log)", "0.01");
        check(Parameter::int("k", 1, 50).log().default(5), "10..=20", "10..20 (log)", "10");
        check(Parameter::float("s", 0.0, 1.0).step(0.25).default(0.0), "0.3..1", "0.5..1 step 0.25", "0.5");
    }

    #[test]
    fn one_value_fixes() {
        check(alpha(), "5", "5", "5");
        check(Parameter::choice("w", ["uniform", "distance"]), "distance", "distance", "distance");
        check(Parameter::bool("b"), "true", "true", "true");
    }

    #[track_caller]
    fn check_error(parameter: Parameter, text: &str, message: &str) {
        let mut narrowed = parameter.clone();
        let result = Restriction::parse(&parameter, text).and_then(|restriction| narrowed.restrict(&restriction));
        assert_eq!(result.unwrap_err().to_string(), message);
    }

    #[test]
    fn what_is_outside_is_refused_with_the_range() {
        check_error(alpha(), "1e9", "parameter `alpha`: 1000000000 is outside its range 0.0001..10000 (log)");
        check_error(alpha(), "1..1e9", "parameter `alpha`: 1..1000000000 is outside its range 0.0001..10000 (log)");
        check_error(alpha(), "x", "parameter `alpha`: `x` is not a number");
        check_error(Parameter::int("k", 1, 9), "2.5", "parameter `k`: `2.5` is not an integer");
        check_error(Parameter::choice("w", ["a", "b"]), "c", "parameter `w`: c is outside its range a, b");
    }
}
