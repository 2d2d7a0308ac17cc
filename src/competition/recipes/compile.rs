//! From an expression to a term: names to slots, calls to functions, each part to the kind that is wanted of it.

use std::collections::BTreeMap;

use medalist_search::expression::{Expression, Function, Infix};
use regex::{Regex, RegexBuilder};

use super::cells::Use;
use super::functions;
use super::term::{Grouping, KeyPart, Kind, Number, Statistic, Term, Text, Truth};

/// Bytes that a compiled pattern may take: a pattern that repeats repetitions has no end else.
const MOST_PATTERN: usize = 1 << 20;

/// A column that a recipe reads, and what it takes its cells for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Slot {
    pub column: String,
    pub usage: Use,
}

/// A recipe compiled, with what it reads.
#[derive(Debug)]
pub struct Compiled {
    pub term: Term,
    pub slots: Vec<Slot>,
    /// One may build on those before it.
    pub groupings: Vec<Grouping>,
}

/// `kinds`: those of the recipes that are compiled already; every other name is a column.
///
/// # Errors
/// In words: what is called wrongly, is of the wrong kind, or is no pattern.
pub fn compile(expression: &Expression, kinds: &BTreeMap<String, Kind>) -> Result<Compiled, String> {
    let mut compiler = Compiler { kinds, slots: Vec::new(), groupings: Vec::new() };
    let term = compiler.term(expression)?;
    let is_mixed = |learned: bool| compiler.groupings.iter().any(|grouping| grouping.is_learned == learned);
    if is_mixed(true) && is_mixed(false) {
        return Err("counts over all files and learns inside folds: make a recipe of its own of `count`".to_string());
    }
    Ok(Compiled { term, slots: compiler.slots, groupings: compiler.groupings })
}

struct Compiler<'a> {
    kinds: &'a BTreeMap<String, Kind>,
    slots: Vec<Slot>,
    groupings: Vec<Grouping>,
}

impl Compiler<'_> {
    fn slot(&mut self, column: &str, usage: Use) -> usize {
        let slot = Slot { column: column.to_string(), usage };
        self.slots.iter().position(|known| *known == slot).unwrap_or_else(|| {
            self.slots.push(slot);
            self.slots.len() - 1
        })
    }

    /// None where a column's cells, or values that are all such, may be either.
    fn kind(&self, expression: &Expression) -> Result<Option<Kind>, String> {
        Ok(match expression {
            Expression::Number(_) | Expression::Negative(_) => Some(Kind::Number),
            Expression::Text(_) => Some(Kind::Text),
            Expression::Bool(_) | Expression::Not(_) | Expression::Null(_) => Some(Kind::Truth),
            Expression::Name(name) => self.kinds.get(name).copied(),
            Expression::Infix(_, infix, _) if is_arithmetic(*infix) => Some(Kind::Number),
            Expression::Infix(..) => Some(Kind::Truth),
            Expression::Call(name, values) => match known(name)? {
                Some(kind) => Some(kind),
                None => {
                    let alternatives = if name == "if" { values.get(1..).unwrap_or_default() } else { values };
                    let kinds = alternatives.iter().map(|value| self.kind(value)).collect::<Result<Vec<_>, _>>()?;
                    kinds.into_iter().flatten().next()
                }
            },
        })
    }

    fn term(&mut self, expression: &Expression) -> Result<Term, String> {
        Ok(match self.kind(expression)?.unwrap_or(Kind::Text) {
            Kind::Number => Term::Number(self.number(expression)?),
            Kind::Text => Term::Text(self.text(expression)?),
            Kind::Truth => Term::Truth(self.truth(expression)?),
        })
    }

    fn number(&mut self, expression: &Expression) -> Result<Number, String> {
        let boxed = |number| Box::new(number);
        Ok(match expression {
            Expression::Number(value) if value.is_finite() => Number::Constant(*value),
            Expression::Number(value) => return Err(format!("has the number {value}, which is too large")),
            Expression::Text(_) => return Err(mismatch(expression, Kind::Text, Kind::Number)),
            Expression::Name(name) => Number::Column(self.slot(name, Use::Number)),
            Expression::Negative(inner) => Number::Negative(boxed(self.number(inner)?)),
            Expression::Infix(left, infix, right) if is_arithmetic(*infix) => {
                Number::Arithmetic(boxed(self.number(left)?), *infix, boxed(self.number(right)?))
            }
            Expression::Bool(_) | Expression::Not(_) | Expression::Null(_) | Expression::Infix(..) => {
                Number::Truth(Box::new(self.truth(expression)?))
            }
            Expression::Call(name, values) => match known(name)? {
                Some(Kind::Text) => return Err(mismatch(expression, Kind::Text, Kind::Number)),
                Some(Kind::Truth) => Number::Truth(Box::new(self.truth(expression)?)),
                Some(Kind::Number) => self.number_call(name, values)?,
                None => match self.alternatives(name, values)? {
                    (None, values) => Number::Coalesce(self.all(values, Self::number)?),
                    (Some(condition), values) => Number::If(
                        Box::new(condition),
                        boxed(self.number(&values[0])?),
                        boxed(self.number(&values[1])?),
                    ),
                },
            },
        })
    }

    fn number_call(&mut self, name: &str, values: &[Expression]) -> Result<Number, String> {
        if let Some(function) = Function::named(name) {
            let fits = function.arity().map_or(values.len() >= 2, |n| values.len() == n);
            if !fits {
                let wanted = function.arity().map_or("two or more".to_string(), |n| n.to_string());
                return Err(format!("gives `{name}` {} values, not {wanted}", values.len()));
            }
            return Ok(Number::Function(function, self.all(values, Self::number)?));
        }
        if let Some(part) = functions::date_part(name) {
            return Ok(Number::Part(part, self.date(name, values)?));
        }
        let learned = |statistic: Statistic| (statistic, true);
        let (statistic, is_learned) = match (name, values) {
            ("length", [text]) => return Ok(Number::Length(Box::new(self.text(text)?))),
            ("words", [text]) => return Ok(Number::Words(Box::new(self.text(text)?))),
            ("number", [text]) => return Ok(Number::Parsed(Box::new(self.text(text)?))),
            ("floor", [number]) => return Ok(Number::Of(f64::floor, Box::new(self.number(number)?))),
            ("round", [number]) => return Ok(Number::Of(f64::round, Box::new(self.number(number)?))),
            ("count", [_, ..]) => (Statistic::Count, false),
            ("learned_count", [_, ..]) => learned(Statistic::Count),
            ("learned_mean", [_, _, ..]) => learned(Statistic::Mean),
            ("learned_median", [_, _, ..]) => learned(Statistic::Median),
            _ => return Err(wrong_call(name)),
        };
        let (of, keys) = match statistic {
            Statistic::Count => (None, values),
            Statistic::Mean | Statistic::Median => (Some(self.number(&values[0])?), &values[1..]),
        };
        let keys = self.all(keys, |compiler, key| match key {
            Expression::Name(name) => Ok(KeyPart::Column(compiler.slot(name, Use::Key))),
            other => Ok(KeyPart::Term(compiler.term(other)?)),
        })?;
        self.groupings.push(Grouping { keys, of, statistic, is_learned });
        Ok(Number::Lookup(self.groupings.len() - 1))
    }

    fn text(&mut self, expression: &Expression) -> Result<Text, String> {
        Ok(match expression {
            Expression::Text(text) => Text::Constant(text.clone()),
            Expression::Name(name) => Text::Column(self.slot(name, Use::Text)),
            Expression::Call(name, values) => match (known(name)?, name.as_str(), values.as_slice()) {
                (Some(Kind::Text), "split", [text, separator, part]) => {
                    let separator = literal(name, "separator", separator)?;
                    if separator.is_empty() {
                        return Err("gives `split` an empty separator".to_string());
                    }
                    let part = whole(part).filter(|part| *part != 0).ok_or_else(|| wrong_call(name))?;
                    Text::Split(Box::new(self.text(text)?), separator, part)
                }
                (Some(Kind::Text), "match", [text, found, group @ ..]) if group.len() < 2 => {
                    let pattern = pattern(name, found)?;
                    let last = pattern.captures_len() - 1;
                    let group = match group.first().map(whole) {
                        None => last.min(1),
                        Some(group) => {
                            let group = group.and_then(|group| usize::try_from(group).ok());
                            group.filter(|group| *group <= last).ok_or_else(|| {
                                format!("wants a group of `match` that its pattern has not: they are 0 to {last}")
                            })?
                        }
                    };
                    Text::Match(Box::new(self.text(text)?), Box::new(pattern), group)
                }
                (Some(Kind::Text), "lower", [text]) => Text::Lower(Box::new(self.text(text)?)),
                (Some(Kind::Text), "concat", [_, _, ..]) => Text::Concat(self.all(values, Self::text)?),
                (Some(Kind::Text), ..) => return Err(wrong_call(name)),
                (Some(kind), ..) => return Err(mismatch(expression, kind, Kind::Text)),
                (None, ..) => match self.alternatives(name, values)? {
                    (None, values) => Text::Coalesce(self.all(values, Self::text)?),
                    (Some(condition), values) => Text::If(
                        Box::new(condition),
                        Box::new(self.text(&values[0])?),
                        Box::new(self.text(&values[1])?),
                    ),
                },
            },
            other => {
                let kind = self.kind(other)?.unwrap_or(Kind::Number);
                return Err(mismatch(other, kind, Kind::Text));
            }
        })
    }

    fn missing(&mut self, value: &Expression) -> Result<Truth, String> {
        Ok(match value {
            Expression::Name(column) => Truth::MissingCell(self.slot(column, Use::Presence)),
            value => Truth::Missing(Box::new(self.term(value)?)),
        })
    }

    fn truth(&mut self, expression: &Expression) -> Result<Truth, String> {
        Ok(match expression {
            Expression::Bool(value) => Truth::Constant(*value),
            Expression::Not(inner) => Truth::Not(Box::new(self.truth(inner)?)),
            Expression::Null(inner) => self.missing(inner)?,
            Expression::Name(_) => Truth::Number(Box::new(self.number(expression)?)),
            Expression::Infix(left, Infix::And, right) => {
                Truth::And(Box::new(self.truth(left)?), Box::new(self.truth(right)?))
            }
            Expression::Infix(left, Infix::Or, right) => {
                Truth::Or(Box::new(self.truth(left)?), Box::new(self.truth(right)?))
            }
            Expression::Infix(left, Infix::Contains, right) => {
                let Expression::Text(wanted) = &**right else {
                    return Err(mismatch(right, self.kind(right)?.unwrap_or(Kind::Number), Kind::Text));
                };
                let pattern = pattern("contains", &Expression::Text(regex::escape(wanted)))?;
                Truth::Contains(Box::new(self.text(left)?), Box::new(pattern))
            }
            Expression::Infix(left, infix, right) if !is_arithmetic(*infix) => {
                let kinds = (self.kind(left)?, self.kind(right)?);
                let is_text = matches!(kinds, (Some(Kind::Text), _) | (_, Some(Kind::Text)) | (None, None));
                match infix {
                    Infix::Equal | Infix::Unequal if is_text => {
                        let (left, right) = (self.text(left)?, self.text(right)?);
                        Truth::Same(Box::new(left), *infix == Infix::Equal, Box::new(right))
                    }
                    _ => Truth::Compare(Box::new(self.number(left)?), *infix, Box::new(self.number(right)?)),
                }
            }
            Expression::Call(name, values) => match (known(name)?, name.as_str(), values.as_slice()) {
                (Some(Kind::Truth), "contains", [text, wanted]) => {
                    let pattern = pattern(name, wanted)?;
                    Truth::Contains(Box::new(self.text(text)?), Box::new(pattern))
                }
                (Some(Kind::Truth), "is_weekend", values) => Truth::Weekend(self.date(name, values)?),
                (Some(Kind::Truth), "missing", [value]) => self.missing(value)?,
                (Some(Kind::Truth), ..) => return Err(wrong_call(name)),
                (Some(kind), ..) => return Err(mismatch(expression, kind, Kind::Truth)),
                (None, ..) => match self.alternatives(name, values)? {
                    (None, values) => Truth::Coalesce(self.all(values, Self::truth)?),
                    (Some(condition), values) => Truth::If(
                        Box::new(condition),
                        Box::new(self.truth(&values[0])?),
                        Box::new(self.truth(&values[1])?),
                    ),
                },
            },
            Expression::Text(_) => return Err(mismatch(expression, Kind::Text, Kind::Truth)),
            other => return Err(mismatch(other, Kind::Number, Kind::Truth)),
        })
    }

    /// The slot of the one column that a function of dates is given.
    fn date(&mut self, name: &str, values: &[Expression]) -> Result<usize, String> {
        match values {
            [Expression::Name(column)] => Ok(self.slot(column, Use::Date)),
            _ => Err(format!("gives `{name}` something else than one column: {name}(column)")),
        }
    }

    /// The condition of an `if` and its two values, or the values of a `coalesce`.
    fn alternatives<'e>(
        &mut self,
        name: &str,
        values: &'e [Expression],
    ) -> Result<(Option<Truth>, &'e [Expression]), String> {
        match (name, values) {
            ("if", [condition, _, _]) => Ok((Some(self.truth(condition)?), &values[1..])),
            ("coalesce", [_, _, ..]) => Ok((None, values)),
            _ => Err(wrong_call(name)),
        }
    }

    fn all<T>(
        &mut self,
        values: &[Expression],
        one: impl Fn(&mut Self, &Expression) -> Result<T, String>,
    ) -> Result<Vec<T>, String> {
        values.iter().map(|value| one(self, value)).collect()
    }
}

fn is_arithmetic(infix: Infix) -> bool {
    matches!(infix, Infix::Plus | Infix::Minus | Infix::Times | Infix::Over | Infix::Power)
}

/// What a function makes; None where that is as its values are.
fn known(name: &str) -> Result<Option<Kind>, String> {
    functions::kind(name).ok_or_else(|| match crate::nearest(name, functions::names()) {
        Some(near) => format!("calls `{name}`, which is no function: did you mean `{near}`?"),
        None => format!(
            "calls `{name}`, which is no function: they are {}",
            functions::names().collect::<Vec<_>>().join(", ")
        ),
    })
}

fn wrong_call(name: &str) -> String {
    format!("calls `{name}` wrongly: it is {}", functions::usage(name))
}

fn mismatch(part: &Expression, found: Kind, wanted: Kind) -> String {
    let part: String = part.to_string().chars().take(60).collect();
    format!("has {} where {} is wanted: {part}", found.name(), wanted.name())
}

fn literal(name: &str, what: &str, expression: &Expression) -> Result<String, String> {
    match expression {
        Expression::Text(text) => Ok(text.clone()),
        _ => Err(format!("calls `{name}` wrongly: its {what} is a text in quotes")),
    }
}

fn whole(expression: &Expression) -> Option<i64> {
    let number = match expression {
        Expression::Number(number) => *number,
        Expression::Negative(inner) => match &**inner {
            Expression::Number(number) => -number,
            _ => return None,
        },
        _ => return None,
    };
    (number.fract() == 0.0 && number.abs() < 1e6).then_some(number as i64)
}

fn pattern(name: &str, expression: &Expression) -> Result<Regex, String> {
    let text = literal(name, "pattern", expression)?;
    let built = RegexBuilder::new(&text).size_limit(MOST_PATTERN).dfa_size_limit(MOST_PATTERN).build();
    built.map_err(|error| {
        let message = error.to_string();
        // The last line has the words; those before it draw the place.
        let words = message.lines().last().unwrap_or_default().trim().trim_start_matches("error: ");
        format!("has the pattern {text:?}, which is none: {words}")
    })
}
