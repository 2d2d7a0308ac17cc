//! What an expression means of a point: its value there, and whether it makes sense in a space.

use crate::expression::{Expression, Function, Infix};
use crate::space::{Domain, Params, SearchSpace, Value, nearest};

/// What a part of an expression comes to, and what a name may stand for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Operand<'a> {
    Number(f64),
    Text(&'a str),
    Bool(bool),
    /// Several texts, of which an expression can ask only whether one is among them.
    Texts(&'a [String]),
}

/// The kind of a part's value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Number,
    Text,
    Bool,
    Texts,
}

/// What names stand for at one point; none where a name has no value there.
pub(in crate::space) trait Point {
    fn operand(&self, name: &str) -> Option<Operand<'_>>;
}

/// Which names there are.
pub(in crate::space) trait Names {
    /// # Errors
    /// In words: when there is no such name, or it cannot be compared.
    fn kind(&self, name: &str) -> Result<Kind, String>;
}

impl Point for Params {
    fn operand(&self, name: &str) -> Option<Operand<'_>> {
        self.get(name).map(Operand::from)
    }
}

impl<'a> From<&'a Value> for Operand<'a> {
    fn from(value: &'a Value) -> Operand<'a> {
        match value {
            Value::Bool(value) => Operand::Bool(*value),
            Value::Int(value) => Operand::Number(*value as f64),
            Value::Float(value) => Operand::Number(*value),
            Value::Text(text) => Operand::Text(text),
        }
    }
}

impl Names for SearchSpace {
    fn kind(&self, name: &str) -> Result<Kind, String> {
        match self.get(name) {
            None => Err(self.unknown(name).to_string()),
            Some(parameter) if parameter.staged => {
                Err(format!("names `{name}`, all of whose stages are scored by one fit"))
            }
            Some(parameter) => {
                kind_of(&parameter.domain).ok_or_else(|| format!("names `{name}`, whose choices are of several types"))
            }
        }
    }
}

impl Kind {
    /// In the words of a message.
    fn name(self) -> &'static str {
        match self {
            Kind::Number => "a number",
            Kind::Text => "a text",
            Kind::Bool => "true or false",
            Kind::Texts => "a list of texts",
        }
    }
}

/// None where it hangs on a name that has no value, in the logic of three values: `false and` what is open is false, `true or` that is true.
pub(in crate::space) fn value<'a>(expression: &'a Expression, point: &'a dyn Point) -> Option<Operand<'a>> {
    Some(match expression {
        Expression::Number(number) => Operand::Number(*number),
        Expression::Text(text) => Operand::Text(text),
        Expression::Bool(value) => Operand::Bool(*value),
        Expression::Name(name) => point.operand(name)?,
        Expression::Null(inner) => Operand::Bool(value(inner, point).is_none()),
        Expression::Not(inner) => Operand::Bool(value(inner, point)? == Operand::Bool(false)),
        Expression::Negative(inner) => Operand::Number(-number(value(inner, point)?)),
        Expression::Infix(left, infix @ (Infix::And | Infix::Or), right) => {
            let decides = Operand::Bool(*infix == Infix::Or);
            match (value(left, point), value(right, point)) {
                (Some(value), _) | (_, Some(value)) if value == decides => decides,
                (left, right) => of(*infix, left?, right?),
            }
        }
        Expression::Infix(left, infix, right) => of(*infix, value(left, point)?, value(right, point)?),
        Expression::Call(name, values) => {
            let values = values.iter().map(|part| value(part, point).map(number));
            Operand::Number(Function::named(name)?.of(&values.collect::<Option<Vec<f64>>>()?))
        }
    })
}

fn of<'a>(infix: Infix, left: Operand<'a>, right: Operand<'a>) -> Operand<'a> {
    let (a, b) = (number(left), number(right));
    match infix {
        Infix::Or => Operand::Bool(left == Operand::Bool(true) || right == Operand::Bool(true)),
        Infix::And => Operand::Bool(left == Operand::Bool(true) && right == Operand::Bool(true)),
        Infix::Equal => Operand::Bool(left == right),
        Infix::Unequal => Operand::Bool(left != right),
        Infix::Contains => Operand::Bool(match (left, right) {
            (Operand::Text(text), Operand::Text(part)) => text.contains(part),
            (Operand::Texts(texts), Operand::Text(text)) => texts.iter().any(|other| other == text),
            _ => false,
        }),
        other => match (other.comparison(a, b), other.arithmetic(a, b)) {
            (Some(holds), _) => Operand::Bool(holds),
            (None, number) => Operand::Number(number.unwrap_or(f64::NAN)),
        },
    }
}

/// Whether every function called is one of numbers, and is given as many values as it takes.
///
/// # Errors
/// In words: which is not.
pub(in crate::space) fn check_calls(expression: &Expression) -> Result<(), String> {
    if let Expression::Call(name, values) = expression {
        let known = Function::ALL.iter().map(|(_, known)| *known);
        let function = Function::named(name).ok_or_else(|| match nearest(name, known) {
            Some(near) => format!("calls `{name}`, which is no function: did you mean `{near}`?"),
            None => format!("calls `{name}`, which is no function"),
        })?;
        match function.arity() {
            Some(n) if values.len() != n => return Err(format!("gives `{name}` {} values, not {n}", values.len())),
            None if values.len() < 2 => return Err(format!("gives `{name}` one value, not two or more")),
            _ => {}
        }
    }
    expression.parts().into_iter().try_for_each(check_calls)
}

/// # Errors
/// In words: what is not known, or of the wrong kind.
pub(in crate::space) fn check(expression: &Expression, names: &dyn Names) -> Result<(), String> {
    match kind(expression, names)? {
        Kind::Bool => Ok(()),
        other => Err(format!("is {}: compare it with something, as in `x <= 3`", other.name())),
    }
}

fn kind(expression: &Expression, names: &dyn Names) -> Result<Kind, String> {
    let wants = |part: &Expression, wanted: Kind| match kind(part, names)? {
        kind if kind == wanted => Ok(()),
        kind => Err(format!("has {} where {} is wanted: {part}", kind.name(), wanted.name())),
    };
    match expression {
        Expression::Number(_) => Ok(Kind::Number),
        Expression::Text(_) => Ok(Kind::Text),
        Expression::Bool(_) => Ok(Kind::Bool),
        Expression::Name(name) => names.kind(name),
        Expression::Null(inner) => kind(inner, names).map(|_| Kind::Bool),
        Expression::Not(inner) => wants(inner, Kind::Bool).map(|()| Kind::Bool),
        Expression::Negative(inner) => wants(inner, Kind::Number).map(|()| Kind::Number),
        Expression::Call(_, values) => {
            values.iter().try_for_each(|part| wants(part, Kind::Number))?;
            Ok(Kind::Number)
        }
        Expression::Infix(left, infix, right) => match infix {
            Infix::Or | Infix::And => {
                wants(left, Kind::Bool)?;
                wants(right, Kind::Bool).map(|()| Kind::Bool)
            }
            Infix::Contains => {
                let within = kind(left, names)?;
                if !matches!(within, Kind::Text | Kind::Texts) {
                    return Err(format!("looks for a text in {}: {left}", within.name()));
                }
                wants(right, Kind::Text).map(|()| Kind::Bool)
            }
            Infix::Equal | Infix::Unequal => wants(right, kind(left, names)?).map(|()| Kind::Bool),
            Infix::AtMost | Infix::Below | Infix::AtLeast | Infix::Above => {
                wants(left, Kind::Number)?;
                wants(right, Kind::Number).map(|()| Kind::Bool)
            }
            Infix::Plus | Infix::Minus | Infix::Times | Infix::Over | Infix::Power => {
                wants(left, Kind::Number)?;
                wants(right, Kind::Number).map(|()| Kind::Number)
            }
        },
    }
}

/// The same of the parameters `prefix.name`.
pub(super) fn prefixed(expression: &Expression, prefix: &str) -> Expression {
    let boxed = |inner: &Expression| Box::new(prefixed(inner, prefix));
    match expression {
        Expression::Name(name) => Expression::Name(format!("{prefix}.{name}")),
        Expression::Not(inner) => Expression::Not(boxed(inner)),
        Expression::Null(inner) => Expression::Null(boxed(inner)),
        Expression::Negative(inner) => Expression::Negative(boxed(inner)),
        Expression::Infix(left, infix, right) => Expression::Infix(boxed(left), *infix, boxed(right)),
        Expression::Call(name, values) => {
            Expression::Call(name.clone(), values.iter().map(|part| prefixed(part, prefix)).collect())
        }
        other => other.clone(),
    }
}

/// NaN where it is none, which only an expression that was not checked can have.
fn number(operand: Operand) -> f64 {
    match operand {
        Operand::Number(number) => number,
        Operand::Text(_) | Operand::Bool(_) | Operand::Texts(_) => f64::NAN,
    }
}

/// None where the choices are of several types.
fn kind_of(domain: &Domain) -> Option<Kind> {
    let Domain::Choice { choices, .. } = domain else { return Some(Kind::Number) };
    let kind = |value: &Value| match value {
        Value::Bool(_) => Kind::Bool,
        Value::Int(_) | Value::Float(_) => Kind::Number,
        Value::Text(_) => Kind::Text,
    };
    let first = kind(choices.first()?);
    choices.iter().all(|choice| kind(choice) == first).then_some(first)
}
