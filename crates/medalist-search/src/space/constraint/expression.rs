//! The tree of an expression: its value at a point, and whether it makes sense in a space.

use std::fmt;

use crate::space::{Domain, Params, SearchSpace, Value};

#[derive(Clone, PartialEq, Debug)]
pub(in crate::space) enum Expression {
    Number(f64),
    Text(String),
    Bool(bool),
    Parameter(String),
    Not(Box<Expression>),
    /// Whether there is no value.
    Null(Box<Expression>),
    Negative(Box<Expression>),
    Infix(Box<Expression>, Infix, Box<Expression>),
    Call(Function, Vec<Expression>),
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::space) enum Infix {
    Or,
    And,
    AtMost,
    Below,
    AtLeast,
    Above,
    Equal,
    Unequal,
    Contains,
    Plus,
    Minus,
    Times,
    Over,
    Power,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(in crate::space) enum Function {
    Log,
    Exp,
    Sqrt,
    Abs,
    Min,
    Max,
}

impl Infix {
    /// Longer signs come before their beginnings.
    pub const ALL: [(Infix, &str); 15] = [
        (Infix::AtMost, "<="),
        (Infix::AtLeast, ">="),
        (Infix::Equal, "=="),
        (Infix::Unequal, "!="),
        (Infix::Below, "<"),
        (Infix::Above, ">"),
        (Infix::Equal, "="),
        (Infix::Contains, "contains"),
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
    fn name(self) -> &'static str {
        match self {
            Kind::Number => "a number",
            Kind::Text => "a text",
            Kind::Bool => "true or false",
            Kind::Texts => "a list of texts",
        }
    }
}

impl Expression {
    /// None where it hangs on a name that has no value, in the logic of three values: `false and` what is open is false, `true or` that is true.
    pub fn value<'a>(&'a self, point: &'a dyn Point) -> Option<Operand<'a>> {
        Some(match self {
            Expression::Number(number) => Operand::Number(*number),
            Expression::Text(text) => Operand::Text(text),
            Expression::Bool(value) => Operand::Bool(*value),
            Expression::Parameter(name) => point.operand(name)?,
            Expression::Null(inner) => Operand::Bool(inner.value(point).is_none()),
            Expression::Not(inner) => Operand::Bool(inner.value(point)? == Operand::Bool(false)),
            Expression::Negative(inner) => Operand::Number(-number(inner.value(point)?)),
            Expression::Infix(left, infix @ (Infix::And | Infix::Or), right) => {
                let decides = Operand::Bool(*infix == Infix::Or);
                match (left.value(point), right.value(point)) {
                    (Some(value), _) | (_, Some(value)) if value == decides => decides,
                    (left, right) => infix.of(left?, right?),
                }
            }
            Expression::Infix(left, infix, right) => infix.of(left.value(point)?, right.value(point)?),
            Expression::Call(function, arguments) => {
                let values = arguments.iter().map(|argument| argument.value(point).map(number));
                Operand::Number(function.of(&values.collect::<Option<Vec<f64>>>()?))
            }
        })
    }

    /// # Errors
    /// In words: what is not known, or of the wrong kind.
    pub fn check(&self, names: &dyn Names) -> Result<(), String> {
        match self.kind(names)? {
            Kind::Bool => Ok(()),
            other => Err(format!("is {}: compare it with something, as in `x <= 3`", other.name())),
        }
    }

    fn kind(&self, names: &dyn Names) -> Result<Kind, String> {
        let wants = |part: &Expression, wanted: Kind| match part.kind(names)? {
            kind if kind == wanted => Ok(()),
            kind => Err(format!("has {} where {} is wanted: {part}", kind.name(), wanted.name())),
        };
        match self {
            Expression::Number(_) => Ok(Kind::Number),
            Expression::Text(_) => Ok(Kind::Text),
            Expression::Bool(_) => Ok(Kind::Bool),
            Expression::Parameter(name) => names.kind(name),
            Expression::Null(inner) => inner.kind(names).map(|_| Kind::Bool),
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
                Infix::Contains => {
                    let within = left.kind(names)?;
                    if !matches!(within, Kind::Text | Kind::Texts) {
                        return Err(format!("looks for a text in {}: {left}", within.name()));
                    }
                    wants(right, Kind::Text).map(|()| Kind::Bool)
                }
                Infix::Equal | Infix::Unequal => wants(right, left.kind(names)?).map(|()| Kind::Bool),
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
            Expression::Null(inner) => Expression::Null(boxed(inner)),
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
            Expression::Null(inner) => write!(f, "({inner}) is null"),
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
            Infix::Contains => Operand::Bool(match (left, right) {
                (Operand::Text(text), Operand::Text(part)) => text.contains(part),
                (Operand::Texts(texts), Operand::Text(text)) => texts.iter().any(|other| other == text),
                _ => false,
            }),
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
