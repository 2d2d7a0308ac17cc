//! Expressions as constraints, filters and recipes spell them: numbers, texts in quotes, names, calls, `+ - * / ^`, comparisons, `contains`, `is null`, `and`, `or`, `not`.
//!
//! What a name stands for, and which functions there are beside those of numbers, is for those to say who work the tree out.

mod parse;

use std::fmt;

/// An expression as a tree, of at most some hundred parts: it may be walked by recursion.
#[derive(Clone, PartialEq, Debug)]
pub enum Expression {
    Number(f64),
    Text(String),
    Bool(bool),
    /// Spelled in backticks where it has other characters than letters, digits, `_` and `.`.
    Name(String),
    Not(Box<Expression>),
    /// Whether there is no value.
    Null(Box<Expression>),
    Negative(Box<Expression>),
    Infix(Box<Expression>, Infix, Box<Expression>),
    Call(String, Vec<Expression>),
}

/// What stands between two values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Infix {
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

/// A function of numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Function {
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

    pub fn sign(self) -> &'static str {
        Infix::ALL.iter().find(|(infix, _)| *infix == self).map_or("", |(_, sign)| sign)
    }

    /// Of two numbers; None of what compares or joins.
    pub fn arithmetic(self, a: f64, b: f64) -> Option<f64> {
        Some(match self {
            Infix::Plus => a + b,
            Infix::Minus => a - b,
            Infix::Times => a * b,
            Infix::Over => a / b,
            // libm, whose bits are the same on every machine.
            Infix::Power => libm::pow(a, b),
            _ => return None,
        })
    }

    /// Whether two numbers compare so; None of what is no comparison.
    pub fn comparison(self, a: f64, b: f64) -> Option<bool> {
        Some(match self {
            Infix::AtMost => a <= b,
            Infix::Below => a < b,
            Infix::AtLeast => a >= b,
            Infix::Above => a > b,
            Infix::Equal => a == b,
            Infix::Unequal => a != b,
            _ => return None,
        })
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

    pub fn named(name: &str) -> Option<Function> {
        Function::ALL.iter().find(|(_, known)| *known == name).map(|(function, _)| *function)
    }

    /// How many values it takes; none for any number from 2 on.
    pub fn arity(self) -> Option<usize> {
        if matches!(self, Function::Min | Function::Max) { None } else { Some(1) }
    }

    /// # Panics
    /// When there are fewer values than its arity.
    pub fn of(self, values: &[f64]) -> f64 {
        match self {
            Function::Log => libm::log(values[0]),
            Function::Exp => libm::exp(values[0]),
            Function::Sqrt => values[0].sqrt(),
            Function::Abs => values[0].abs(),
            Function::Min => values.iter().copied().fold(f64::INFINITY, f64::min),
            Function::Max => values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
        }
    }
}

impl Expression {
    /// Reads a text; `named` is what a name stands for, in the words of a message: `a parameter`.
    ///
    /// # Errors
    /// In words: what was found, where, and what was expected; or that it is nested too deep.
    pub fn parse(text: &str, named: &str) -> Result<Expression, String> {
        parse::expression(text, named)
    }

    /// The parts that it is made of, from the left.
    pub fn parts(&self) -> Vec<&Expression> {
        match self {
            Expression::Not(inner) | Expression::Null(inner) | Expression::Negative(inner) => vec![inner],
            Expression::Infix(left, _, right) => vec![left, right],
            Expression::Call(_, values) => values.iter().collect(),
            Expression::Number(_) | Expression::Text(_) | Expression::Bool(_) | Expression::Name(_) => Vec::new(),
        }
    }

    /// Every name in it, from the left, as often as it occurs.
    pub fn names(&self) -> Vec<&str> {
        match self {
            Expression::Name(name) => vec![name],
            other => other.parts().into_iter().flat_map(Expression::names).collect(),
        }
    }
}

/// Reads back as the same expression.
impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Expression::Number(number) => {
                let text = format!("{number:?}");
                f.write_str(text.strip_suffix(".0").unwrap_or(&text))
            }
            Expression::Text(text) if text.contains('"') => write!(f, "'{text}'"),
            Expression::Text(text) => write!(f, "\"{text}\""),
            Expression::Bool(value) => write!(f, "{value}"),
            Expression::Name(name) => write!(f, "`{name}`"),
            Expression::Not(inner) => write!(f, "not ({inner})"),
            Expression::Null(inner) => write!(f, "({inner}) is null"),
            Expression::Negative(inner) => write!(f, "-({inner})"),
            Expression::Infix(left, infix, right) => write!(f, "({left}) {} ({right})", infix.sign()),
            Expression::Call(function, values) => {
                let values: Vec<String> = values.iter().map(Expression::to_string).collect();
                write!(f, "{function}({})", values.join(", "))
            }
        }
    }
}
