//! The tree of an expression: its value at a point, and whether it makes sense in a space.

use std::fmt;

use crate::space::{Domain, Params, SearchSpace, Value};

#[derive(Clone, PartialEq, Debug)]
pub(super) enum Expression {
    Number(f64),
    Text(String),
    Bool(bool),
    Parameter(String),
    Not(Box<Expression>),
    Negative(Box<Expression>),
    Infix(Box<Expression>, Infix, Box<Expression>),
    Call(Function, Vec<Expression>),
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Infix {
    Or,
    And,
    AtMost,
    Below,
    AtLeast,
    Above,
    Equal,
    Unequal,
    Plus,
    Minus,
    Times,
    Over,
    Power,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Function {
    Log,
    Exp,
    Sqrt,
    Abs,
    Min,
    Max,
}

impl Infix {
    /// Longer signs come before their beginnings.
    pub const ALL: [(Infix, &str); 13] = [
        (Infix::AtMost, "<="),
        (Infix::AtLeast, ">="),
        (Infix::Equal, "=="),
        (Infix::Unequal, "!="),
        (Infix::Below, "<"),
        (Infix::Above, ">"),
        (Infix::Or, "or"),
        (Infix::And, "and"),
        (Infix::Plus, "+"),
        (Infix::Minus, "-"),
        (Infix::Times, "*"),
        (Infix::Over, "/"),
        (Infix::Power, "^"),
    ];

    fn sign(self) -> &'static str {
        Infix::ALL.iter().find(|(infix, _)| *infix == self).map_or("", |(_, sign)| sign)
    }
}

impl Function {
    pub const ALL: [(Function, &str); 6] = [
        (Function::Log, "log"),
        (Function::Exp, "exp"),
        (Function::Sqrt, "sqrt"),
        (Function::Abs, "abs"),
        (Function::Min, "min"),
        (Function::Max, "max"),
    ];

    fn name(self) -> &'static str {
        Function::ALL.iter().find(|(function, _)| *function == self).map_or("", |(_, name)| name)
    }

    /// How many values it takes; none for any number from 2 on.
    pub fn arity(self) -> Option<usize> {
        if matches!(self, Function::Min | Function::Max) { None } else { Some(1) }
    }

    fn of(self, values: &[f64]) -> f64 {
        match self {
            // libm, whose bits are the same on every machine.
            Function::Log => libm::log(values[0]),
            Function::Exp => libm::exp(values[0]),
            Function::Sqrt => values[0].sqrt(),
            Function::Abs => values[0].abs(),
            Function::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
            Function::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

/// What a part of an expression comes to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Operand<'a> {
    Number(f64),
    Text(&'a str),
    Bool(bool),
}

/// The kind of a part's value, in the words of a message.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    Number,
    Text,
    Bool,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Number => "a number",
            Kind::Text => "a text",
            Kind::Bool => "true or false",
        }
    }
}

impl Expression {
    /// None where it hangs on a parameter that has no value, in the logic of three values: `false and` what is open is false, `true or` that is true.
    pub fn value<'a>(&'a self, params: &'a Params) -> Option<Operand<'a>> {
        Some(match self {
            Expression::Number(number) => Operand::Number(*number),
            Expression::Text(text) => Operand::Text(text),
            Expression::Bool(value) => Operand::Bool(*value),
            Expression::Parameter(name) => match params.get(name)? {
                Value::Bool(value) => Operand::Bool(*value),
                Value::Int(value) => Operand::Number(*value as f64),
                Value::Float(value) => Operand::Number(*value),
                Value::Text(text) => Operand::Text(text),
            },
            Expression::Not(inner) => Operand::Bool(inner.value(params)? == Operand::Bool(false)),
            Expression::Negative(inner) => Operand::Number(-number(inner.value(params)?)),
            Expression::Infix(left, infix @ (Infix::And | Infix::Or), right) => {
                let decides = Operand::Bool(*infix == Infix::Or);
                match (left.value(params), right.value(params)) {
                    (Some(value), _) | (_, Some(value)) if value == decides => decides,
                    (left, right) => infix.of(left?, right?),
                }
            }
            Expression::Infix(left, infix, right) => infix.of(left.value(params)?, right.value(params)?),
            Expression::Call(function, arguments) => {
                let values = arguments.iter().map(|argument| argument.value(params).map(number));
                Operand::Number(function.of(&values.collect::<Option<Vec<f64>>>()?))
            }
        })
    }

    /// # Errors
    /// In words: what is not known, or of the wrong kind.
    pub fn check(&self, space: &SearchSpace) -> Result<(), String> {
        match self.kind(space)? {
            Kind::Bool => Ok(()),
            other => Err(format!("is {}: compare it with something, as in `x <= 3`", other.name())),
        }
    }

    fn kind(&self, space: &SearchSpace) -> Result<Kind, String> {
        let wants = |part: &Expression, wanted: Kind| match part.kind(space)? {
            kind if kind == wanted => Ok(()),
            kind => Err(format!("has {} where {} is wanted: {part}", kind.name(), wanted.name())),
        };
        match self {
            Expression::Number(_) => Ok(Kind::Number),
            Expression::Text(_) => Ok(Kind::Text),
            Expression::Bool(_) => Ok(Kind::Bool),
            Expression::Parameter(name) => match space.get(name) {
                None => Err(space.unknown(name).to_string()),
                Some(parameter) if parameter.staged => {
                    Err(format!("names `{name}`, all of whose stages are scored by one fit"))
                }
                Some(parameter) => kind_of(&parameter.domain)
                    .ok_or_else(|| format!("names `{name}`, whose choices are of several types")),
            },
            Expression::Not(inner) => wants(inner, Kind::Bool).map(|()| Kind::Bool),
            Expression::Negative(inner) => wants(inner, Kind::Number).map(|()| Kind::Number),
            Expression::Call(_, arguments) => {
                arguments.iter().try_for_each(|argument| wants(argument, Kind::Number))?;
                Ok(Kind::Number)
            }
            Expression::Infix(left, infix, right) => match infix {
                Infix::Or | Infix::And => {
                    wants(left, Kind::Bool)?;
                    wants(right, Kind::Bool).map(|()| Kind::Bool)
                }
                Infix::Equal | Infix::Unequal => wants(right, left.kind(space)?).map(|()| Kind::Bool),
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

    pub fn prefixed(&self, prefix: &str) -> Expression {
        let boxed = |inner: &Expression| Box::new(inner.prefixed(prefix));
        match self {
            Expression::Parameter(name) => Expression::Parameter(format!("{prefix}.{name}")),
            Expression::Not(inner) => Expression::Not(boxed(inner)),
            Expression::Negative(inner) => Expression::Negative(boxed(inner)),
            Expression::Infix(left, infix, right) => Expression::Infix(boxed(left), *infix, boxed(right)),
            Expression::Call(function, arguments) => {
                Expression::Call(*function, arguments.iter().map(|argument| argument.prefixed(prefix)).collect())
            }
            other => other.clone(),
        }
    }
}

/// Reads back as the same expression.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Expression::Number(number) => write!(f, "{}", Value::Float(*number)),
            Expression::Text(text) if text.contains('"') => write!(f, "'{text}'"),
            Expression::Text(text) => write!(f, "\"{text}\""),
            Expression::Bool(value) => write!(f, "{value}"),
            Expression::Parameter(name) => write!(f, "`{name}`"),
            Expression::Not(inner) => write!(f, "not ({inner})"),
            Expression::Negative(inner) => write!(f, "-({inner})"),
            Expression::Infix(left, infix, right) => write!(f, "({left}) {} ({right})", infix.sign()),
            Expression::Call(function, arguments) => {
                let arguments: Vec<String> = arguments.iter().map(Expression::to_string).collect();
                write!(f, "{}({})", function.name(), arguments.join(", "))
            }
        }
    }
}

impl Infix {
    fn of<'a>(self, left: Operand<'a>, right: Operand<'a>) -> Operand<'a> {
        let (a, b) = (number(left), number(right));
        match self {
            Infix::Or => Operand::Bool(left == Operand::Bool(true) || right == Operand::Bool(true)),
            Infix::And => Operand::Bool(left == Operand::Bool(true) && right == Operand::Bool(true)),
            Infix::Equal => Operand::Bool(left == right),
            Infix::Unequal => Operand::Bool(left != right),
            Infix::AtMost => Operand::Bool(a <= b),
            Infix::Below => Operand::Bool(a < b),
            Infix::AtLeast => Operand::Bool(a >= b),
            Infix::Above => Operand::Bool(a > b),
            Infix::Plus => Operand::Number(a + b),
            Infix::Minus => Operand::Number(a - b),
            Infix::Times => Operand::Number(a * b),
            Infix::Over => Operand::Number(a / b),
            Infix::Power => Operand::Number(libm::pow(a, b)),
        }
    }
}

/// NaN where it is none, which only an expression that was not checked can have.
fn number(operand: Operand) -> f64 {
    match operand {
        Operand::Number(number) => number,
        Operand::Text(_) | Operand::Bool(_) => f64::NAN,
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
