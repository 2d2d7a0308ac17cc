//! What values a parameter may take, and the map between them and the unit interval.
//!
//! The map gives each integer, each step and each choice an equal share of the interval, the ends too: rounding a uniform draw would give the ends half a share.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::value::Value;

/// The values that a parameter may take. Both ends belong to a range.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Domain {
    /// `low`, `low + step`, ... where there is a step; `log` needs `low > 0` and no step.
    Float { low: f64, high: f64, log: bool, step: Option<f64> },
    /// `log` needs `low > 0` and a step of 1.
    Int { low: i64, high: i64, log: bool, step: i64 },
    /// `ordered` says that neighbours are alike.
    Choice { choices: Vec<Value>, ordered: bool },
}

/// A multiple of the step counts as on the grid when it is off by less than this share of a step: `0.3` is three times `0.1`.
const STEP_TOLERANCE: f64 = 1e-9;
/// Beyond it, not every whole number of steps is a number.
const MOST_STEPS: f64 = (1u64 << 53) as f64;

impl Domain {
    /// What is wrong with the domain itself, in words that follow the parameter's name.
    pub(crate) fn fault(&self) -> Option<String> {
        match self {
            Domain::Float { low, high, .. } if !(low.is_finite() && high.is_finite()) => {
                Some(format!("ranges over {low}..{high}, which is not finite"))
            }
            Domain::Float { low, high, .. } if low > high => Some(format!("has an empty range {low}..{high}")),
            Domain::Float { low, log: true, .. } if *low <= 0.0 => {
                Some(format!("is logarithmic from {low}: begin above 0"))
            }
            Domain::Float { log: true, step: Some(_), .. } => {
                Some("is logarithmic and has a step: drop one".to_string())
            }
            Domain::Float { step: Some(step), .. } if !(step.is_finite() && *step > 0.0) => {
                Some(format!("has the step {step}: choose one above 0"))
            }
            Domain::Float { low, high, step: Some(step), .. } if (high - low) / step > MOST_STEPS => Some(format!(
                "has the step {step}, which divides its range into more parts than numbers can tell apart: choose a longer one"
            )),
            Domain::Int { low, high, .. } if low > high => Some(format!("has an empty range {low}..{high}")),
            Domain::Int { low, log: true, .. } if *low <= 0 => {
                Some(format!("is logarithmic from {low}: begin above 0"))
            }
            Domain::Int { log: true, step, .. } if *step != 1 => {
                Some("is logarithmic and has a step: drop one".to_string())
            }
            Domain::Int { step, .. } if *step <= 0 => Some(format!("has the step {step}: choose one above 0")),
            Domain::Choice { choices, .. } => {
                let twice = choices.iter().enumerate().find(|(i, choice)| choices[..*i].contains(choice));
                match twice {
                    _ if choices.is_empty() => Some("has no choices".to_string()),
                    Some((_, choice)) => Some(format!("has the choice `{choice}` twice")),
                    None => None,
                }
            }
            _ => None,
        }
    }

    /// How many values there are; none for a continuous range.
    pub fn n_values(&self) -> Option<u64> {
        match self {
            Domain::Float { low, high, .. } if low == high => Some(1),
            Domain::Float { step: None, .. } => None,
            Domain::Float { low, high, step: Some(step), .. } => {
                Some((((high - low) / step + STEP_TOLERANCE).floor() as u64).saturating_add(1))
            }
            Domain::Int { low, high, step, .. } => Some((high.abs_diff(*low) / step.unsigned_abs()).saturating_add(1)),
            Domain::Choice { choices, .. } => Some(choices.len() as u64),
        }
    }

    /// Whether `value` has the right type and lies inside. An integer is a value of a float range.
    pub fn contains(&self, value: &Value) -> bool {
        match (self, value) {
            (Domain::Float { low, high, step, .. }, value) => value.as_f64().is_some_and(|value| {
                let on_step = |step: f64| {
                    let steps = (value - low) / step;
                    (steps - steps.round()).abs() < STEP_TOLERANCE
                };
                (*low..=*high).contains(&value) && step.is_none_or(on_step)
            }),
            (Domain::Int { low, high, step, .. }, Value::Int(value)) => {
                (*low..=*high).contains(value) && value.abs_diff(*low) % step.unsigned_abs() == 0
            }
            (Domain::Choice { choices, .. }, value) => choices.contains(value),
            _ => false,
        }
    }

    /// The words for what a value must be, where its type is wrong; none where the type is right.
    pub(crate) fn type_fault(&self, value: &Value) -> Option<&'static str> {
        match (self, value) {
            (Domain::Float { .. }, Value::Bool(_) | Value::Text(_)) => Some("a number"),
            (Domain::Int { .. }, Value::Bool(_) | Value::Text(_) | Value::Float(_)) => Some("an integer"),
            _ => None,
        }
    }

    /// The value in this domain's own type: an integer becomes a float where floats are wanted, and a whole float an integer.
    pub fn coerce(&self, value: Value) -> Value {
        match (self, &value) {
            (Domain::Float { .. }, Value::Int(int)) => Value::Float(*int as f64),
            (Domain::Int { .. }, Value::Float(float)) if float.fract() == 0.0 && float.abs() < 2f64.powi(53) => {
                Value::Int(*float as i64)
            }
            (Domain::Choice { choices, .. }, value) if !choices.contains(value) => {
                let same = choices.iter().find(|choice| choice.as_f64().is_some() && choice.as_f64() == value.as_f64());
                same.unwrap_or(value).clone()
            }
            _ => value,
        }
    }

    /// The middle of the range (of its logarithm where `log`), the first choice.
    pub fn centre(&self) -> Value {
        match self {
            Domain::Float { low, high, log: true, .. } => Value::Float(geometric_mean(*low, *high).clamp(*low, *high)),
            Domain::Int { low, high, log: true, .. } => {
                Value::Int((geometric_mean(*low as f64, *high as f64).round() as i64).clamp(*low, *high))
            }
            Domain::Float { .. } | Domain::Int { .. } => self.from_unit(0.5),
            Domain::Choice { choices, .. } => choices.first().cloned().unwrap_or(Value::Bool(false)),
        }
    }

    /// The value at `unit` in [0, 1]; numbers outside are taken as the nearest end.
    ///
    /// A domain must be sound (see [`super::SearchSpace::validate`]): without choices there is no value.
    pub fn from_unit(&self, unit: f64) -> Value {
        let unit = unit.clamp(0.0, 1.0);
        let cell = |n: u64| ((unit * n as f64) as u64).min(n.saturating_sub(1));
        match self {
            Domain::Float { low, high, step: Some(step), .. } => {
                let steps = cell(self.n_values().unwrap_or(1));
                Value::Float((low + steps as f64 * step).min(*high))
            }
            Domain::Float { low, high, log: true, .. } => {
                Value::Float(mix(low.ln(), high.ln(), unit).exp().clamp(*low, *high))
            }
            Domain::Float { low, high, .. } => Value::Float(mix(*low, *high, unit).clamp(*low, *high)),
            Domain::Int { low, high, log: true, .. } => {
                let (from, to) = int_log_ends(*low, *high);
                Value::Int((mix(from, to, unit).exp().round() as i64).clamp(*low, *high))
            }
            Domain::Int { low, high, step, .. } => {
                let value = i128::from(*low) + i128::from(cell(self.n_values().unwrap_or(1))) * i128::from(*step);
                Value::Int(i64::try_from(value).unwrap_or(*high))
            }
            Domain::Choice { choices, .. } => choices[cell(choices.len() as u64) as usize].clone(),
        }
    }

    /// Where `value` lies in [0, 1]: the middle of its share for integers, steps and choices; none when it is not a value of this domain.
    pub fn to_unit(&self, value: &Value) -> Option<f64> {
        if !self.contains(value) {
            return None;
        }
        let centre_of = |cell: f64, n: u64| (cell + 0.5) / n as f64;
        match self {
            Domain::Float { low, high, .. } if low == high => Some(0.5),
            Domain::Float { low, step: Some(step), .. } => {
                Some(centre_of(((value.as_f64()? - low) / step).round(), self.n_values()?))
            }
            Domain::Float { low, high, log: true, .. } => {
                Some((value.as_f64()?.ln() - low.ln()) / (high.ln() - low.ln()))
            }
            // Halved, so that the width of the widest range is finite.
            Domain::Float { low, high, .. } => Some((value.as_f64()? / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0)),
            Domain::Int { low, high, log: true, .. } => {
                let (from, to) = int_log_ends(*low, *high);
                Some((value.as_f64()?.ln() - from) / (to - from))
            }
            Domain::Int { low, step, .. } => match value {
                Value::Int(value) => {
                    Some(centre_of((value.abs_diff(*low) / step.unsigned_abs()) as f64, self.n_values()?))
                }
                _ => None,
            },
            Domain::Choice { choices, .. } => {
                let cell = choices.iter().position(|choice| choice == value)?;
                Some(centre_of(cell as f64, choices.len() as u64))
            }
        }
    }

    /// The part of the unit interval that is the same value as `unit`; none in a continuous range.
    pub(crate) fn share(&self, unit: f64) -> Option<(f64, f64)> {
        let n = self.n_values()?;
        match (self, self.from_unit(unit)) {
            (Domain::Int { low, high, log: true, .. }, Value::Int(value)) => {
                let (from, to) = int_log_ends(*low, *high);
                let edge = |value: f64| ((value.ln() - from) / (to - from)).clamp(0.0, 1.0);
                Some((edge(value as f64 - 0.5), edge(value as f64 + 0.5)))
            }
            _ => {
                let cell = (unit.clamp(0.0, 1.0) * n as f64).floor().min(n as f64 - 1.0);
                Some((cell / n as f64, (cell + 1.0) / n as f64))
            }
        }
    }

    /// `n` values from end to end, evenly (on the log scale where `log`), ascending, without repetitions; all of the choices.
    pub fn spread(&self, n: usize) -> Vec<Value> {
        let mut values: Vec<Value> = match self {
            Domain::Choice { choices, .. } => return choices.clone(),
            _ if n <= 1 => return vec![self.centre()],
            Domain::Float { low, high, log, step: None } => {
                let inner = |i: usize| {
                    let at = i as f64 / (n - 1) as f64;
                    let value = if *log { mix(low.ln(), high.ln(), at).exp() } else { mix(*low, *high, at) };
                    tidy(value).clamp(*low, *high)
                };
                let inner = (1..n - 1).map(inner);
                std::iter::once(*low).chain(inner).chain([*high]).map(Value::Float).collect()
            }
            Domain::Int { low, high, log: true, .. } => {
                let (from, to) = ((*low as f64).ln(), (*high as f64).ln());
                let value = |i: usize| mix(from, to, i as f64 / (n - 1) as f64).exp().round() as i64;
                (0..n).map(|i| Value::Int(value(i).clamp(*low, *high))).collect()
            }
            // The cells of a range of steps are its values: the i-th of n is the cell nearest to an even spread.
            _ => {
                let cells = self.n_values().unwrap_or(1);
                let cell = |i: usize| (i as f64 * (cells - 1) as f64 / (n - 1) as f64).round();
                (0..n).map(|i| self.from_unit((cell(i) + 0.5) / cells as f64)).collect()
            }
        };
        values.dedup();
        values
    }
}

/// `1..1000 (log)`, `0..1 step 0.1`, or the choices.
impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (low, high, log, step) = match self {
            Domain::Float { low, high, log, step } => {
                (Value::Float(*low), Value::Float(*high), *log, step.map(Value::Float))
            }
            Domain::Int { low, high, log, step } => {
                (Value::Int(*low), Value::Int(*high), *log, Some(Value::Int(*step)).filter(|_| *step != 1))
            }
            Domain::Choice { choices, .. } => {
                let choices: Vec<String> = choices.iter().map(Value::to_string).collect();
                return f.write_str(&choices.join(", "));
            }
        };
        write!(f, "{low}..{high}")?;
        if log {
            write!(f, " (log)")?;
        }
        step.map_or(Ok(()), |step| write!(f, " step {step}"))
    }
}

/// To 12 significant digits, so that a decade's grid reads 0.1, 1, 10 and not 1.0000000000000004.
fn tidy(value: f64) -> f64 {
    format!("{value:.11e}").parse().unwrap_or(value)
}

/// Written as a weighted mean so that the widest range does not overflow.
fn mix(low: f64, high: f64, unit: f64) -> f64 {
    low * (1.0 - unit) + high * unit
}

/// The root of the product where that neither overflows nor vanishes: it is exact more often than the product of the roots.
fn geometric_mean(low: f64, high: f64) -> f64 {
    let product = low * high;
    if product.is_normal() { product.sqrt() } else { low.sqrt() * high.sqrt() }
}

/// Half a unit is added at both ends, so that the first and the last integer have their full share.
fn int_log_ends(low: i64, high: i64) -> (f64, f64) {
    ((low as f64 - 0.5).ln(), (high as f64 + 0.5).ln())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_hold_one_value_and_fill_the_unit_interval() {
        for domain in [
            Domain::Int { low: 1, high: 30, log: true, step: 1 },
            Domain::Int { low: -3, high: 11, log: false, step: 2 },
            Domain::Float { low: 0.0, high: 1.0, log: false, step: Some(0.1) },
            Domain::Choice { choices: ["s", "m", "l"].map(Value::from).to_vec(), ordered: true },
        ] {
            let mut upper = 0.0;
            while upper < 1.0 {
                let (from, to) = domain.share(upper + 1e-9).unwrap();
                assert!((from - upper).abs() < 1e-9 && to > from, "{domain}: {from} after {upper}");
                let value = |unit: f64| domain.from_unit(unit);
                assert_eq!(value(from + 1e-6), value(to - 1e-6), "{domain}");
                upper = if to > 1.0 - 1e-9 { 1.0 } else { to };
            }
        }
        assert_eq!(Domain::Float { low: 0.0, high: 1.0, log: false, step: None }.share(0.5), None);
    }
}
