//! A recipe ready to be worked out: a tree whose parts are numbers, texts or truths, and its value in a row.
//!
//! Row by row, so that nothing is held but a row's own values. Missing is NaN, or None, and stays missing: whatever is made of it is missing too, but for what asks (`missing`), fills in (`coalesce`) or is decided already (`false and`).

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;

use medalist_search::expression::{Function, Infix};
use regex::Regex;

use super::calendar;
use super::cells::Cells;
use crate::reader;

/// Bytes of a text that a recipe may join from others.
pub const MOST_BYTES: usize = 1 << 20;

/// What a recipe, or a part of one, makes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Number,
    Text,
    Truth,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Number => "a number",
            Kind::Text => "a text",
            Kind::Truth => "true or false",
        }
    }
}

#[derive(Debug)]
pub enum Term {
    Number(Number),
    Text(Text),
    Truth(Truth),
}

/// Positions are those of [`Frame::slots`] and [`Frame::tables`].
#[derive(Debug)]
pub enum Number {
    Constant(f64),
    Column(usize),
    Negative(Box<Number>),
    Arithmetic(Box<Number>, Infix, Box<Number>),
    Function(Function, Vec<Number>),
    /// Of one number, missing where what comes out is no finite one.
    Of(fn(f64) -> f64, Box<Number>),
    /// Part of the date in a slot.
    Part(fn(f64) -> f64, usize),
    Length(Box<Text>),
    Words(Box<Text>),
    Parsed(Box<Text>),
    Truth(Box<Truth>),
    Coalesce(Vec<Number>),
    If(Box<Truth>, Box<Number>, Box<Number>),
    /// What a table of groups holds of the row's group.
    Lookup(usize),
}

#[derive(Debug)]
pub enum Text {
    Constant(String),
    Column(usize),
    /// The part, from 1 or from the end from -1.
    Split(Box<Text>, String, i64),
    /// The group of the pattern's first match.
    Match(Box<Text>, Box<Regex>, usize),
    Lower(Box<Text>),
    Concat(Vec<Text>),
    Coalesce(Vec<Text>),
    If(Box<Truth>, Box<Text>, Box<Text>),
}

#[derive(Debug)]
pub enum Truth {
    Constant(bool),
    Not(Box<Truth>),
    And(Box<Truth>, Box<Truth>),
    Or(Box<Truth>, Box<Truth>),
    Compare(Box<Number>, Infix, Box<Number>),
    /// Whether two texts are the same, or are not.
    Same(Box<Text>, bool, Box<Text>),
    Contains(Box<Text>, Box<Regex>),
    Weekend(usize),
    /// A number is true where it is not 0.
    Number(Box<Number>),
    MissingCell(usize),
    Missing(Box<Term>),
    Coalesce(Vec<Truth>),
    If(Box<Truth>, Box<Truth>, Box<Truth>),
}

/// What stands in one of the columns that make a key, or in a slot of any kind.
#[derive(Debug)]
pub enum KeyPart {
    Column(usize),
    Term(Term),
}

/// How rows of the same keys are summed up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Statistic {
    Count,
    Mean,
    Median,
}

/// A number a group: groups are rows of the same keys.
#[derive(Debug)]
pub struct Grouping {
    pub keys: Vec<KeyPart>,
    pub of: Option<Number>,
    pub statistic: Statistic,
    /// Whether it is learned from a fold's training rows, rather than read off all rows together.
    pub is_learned: bool,
}

/// A grouping worked out.
#[derive(Debug, Default)]
pub struct Groups {
    pub value: HashMap<Vec<u8>, f64>,
    /// Of a group that is not there.
    pub other: f64,
}

/// The rows of one table, as a recipe reads them.
pub struct Frame<'a> {
    pub n_rows: usize,
    pub slots: Vec<Cells<'a>>,
    pub groupings: &'a [Grouping],
    /// Of those groupings that are worked out.
    pub groups: Vec<Arc<Groups>>,
    /// Whether a text was to be joined that is longer than any may be.
    pub overlong: Cell<bool>,
}

/// Missing where there is no finite number.
fn finite(value: f64) -> f64 {
    if value.is_finite() { value } else { f64::NAN }
}

impl Number {
    /// NaN where it is missing.
    pub fn at(&self, row: usize, frame: &Frame) -> f64 {
        match self {
            Number::Constant(value) => *value,
            Number::Column(slot) => frame.slots[*slot].number(row),
            Number::Negative(inner) => -inner.at(row, frame),
            Number::Arithmetic(left, infix, right) => {
                let (a, b) = (left.at(row, frame), right.at(row, frame));
                // `NaN ^ 0` would be 1.
                if a.is_nan() || b.is_nan() { f64::NAN } else { finite(infix.arithmetic(a, b).unwrap_or(f64::NAN)) }
            }
            Number::Function(function, values) => {
                let values: Vec<f64> = values.iter().map(|value| value.at(row, frame)).collect();
                if values.iter().any(|value| value.is_nan()) { f64::NAN } else { finite(function.of(&values)) }
            }
            Number::Of(of, inner) => finite(of(inner.at(row, frame))),
            Number::Part(part, slot) => part(frame.slots[*slot].number(row)),
            Number::Length(text) => text.at(row, frame).map_or(f64::NAN, |text| text.chars().count() as f64),
            Number::Words(text) => text.at(row, frame).map_or(f64::NAN, |text| text.split_whitespace().count() as f64),
            Number::Parsed(text) => text.at(row, frame).and_then(|text| reader::number(&text)).unwrap_or(f64::NAN),
            Number::Truth(truth) => truth.at(row, frame).map_or(f64::NAN, |truth| f64::from(u8::from(truth))),
            Number::Coalesce(values) => {
                values.iter().map(|value| value.at(row, frame)).find(|value| !value.is_nan()).unwrap_or(f64::NAN)
            }
            Number::If(condition, then, other) => match condition.at(row, frame) {
                Some(true) => then.at(row, frame),
                Some(false) => other.at(row, frame),
                None => f64::NAN,
            },
            Number::Lookup(table) => match frame.groupings[*table].key(row, frame) {
                Some(key) => frame.groups[*table].value.get(&key).copied().unwrap_or(frame.groups[*table].other),
                None => f64::NAN,
            },
        }
    }
}

impl Text {
    /// None where it is missing: a text is never empty.
    pub fn at<'a>(&'a self, row: usize, frame: &'a Frame) -> Option<Cow<'a, str>> {
        let text = match self {
            Text::Constant(text) => Cow::Borrowed(text.as_str()),
            Text::Column(slot) => Cow::Borrowed(frame.slots[*slot].text(row)?),
            Text::Split(text, separator, part) => match text.at(row, frame)? {
                Cow::Borrowed(text) => Cow::Borrowed(split(text, separator, *part)?),
                Cow::Owned(text) => Cow::Owned(split(&text, separator, *part)?.to_string()),
            },
            Text::Match(text, pattern, group) => {
                let text = text.at(row, frame)?;
                let found = pattern.captures(&text)?.get(*group)?.range();
                match text {
                    Cow::Borrowed(text) => Cow::Borrowed(&text[found]),
                    Cow::Owned(text) => Cow::Owned(text[found].to_string()),
                }
            }
            Text::Lower(text) => Cow::Owned(text.at(row, frame)?.to_lowercase()),
            Text::Concat(parts) => {
                let mut joined = String::new();
                for part in parts {
                    let part = part.at(row, frame)?;
                    if joined.len() + part.len() > MOST_BYTES {
                        frame.overlong.set(true);
                        return None;
                    }
                    joined.push_str(&part);
                }
                Cow::Owned(joined)
            }
            Text::Coalesce(texts) => texts.iter().find_map(|text| text.at(row, frame))?,
            Text::If(condition, then, other) => {
                if condition.at(row, frame)? {
                    then.at(row, frame)?
                } else {
                    other.at(row, frame)?
                }
            }
        };
        (!text.is_empty()).then_some(text)
    }
}

/// The part without the blanks around it.
fn split<'a>(text: &'a str, separator: &str, part: i64) -> Option<&'a str> {
    let place = usize::try_from(part.unsigned_abs()).ok()?.checked_sub(1)?;
    let found = if part > 0 { text.split(separator).nth(place) } else { text.rsplit(separator).nth(place) };
    found.map(str::trim)
}

impl Truth {
    /// None where it hangs on what is missing.
    pub fn at(&self, row: usize, frame: &Frame) -> Option<bool> {
        match self {
            Truth::Constant(value) => Some(*value),
            Truth::Not(inner) => inner.at(row, frame).map(|value| !value),
            Truth::And(left, right) => match (left.at(row, frame), right.at(row, frame)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (left, right) => Some(left? && right?),
            },
            Truth::Or(left, right) => match (left.at(row, frame), right.at(row, frame)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (left, right) => Some(left? || right?),
            },
            Truth::Compare(left, infix, right) => {
                let (a, b) = (left.at(row, frame), right.at(row, frame));
                if a.is_nan() || b.is_nan() { None } else { infix.comparison(a, b) }
            }
            Truth::Same(left, wanted, right) => Some((left.at(row, frame)? == right.at(row, frame)?) == *wanted),
            Truth::Contains(text, pattern) => Some(pattern.is_match(&text.at(row, frame)?)),
            Truth::Weekend(slot) => calendar::is_weekend(frame.slots[*slot].number(row)),
            Truth::Number(number) => {
                Some(number.at(row, frame)).filter(|value| !value.is_nan()).map(|value| value != 0.0)
            }
            Truth::MissingCell(slot) => Some(frame.slots[*slot].is_missing(row)),
            Truth::Missing(term) => Some(match &**term {
                Term::Number(number) => number.at(row, frame).is_nan(),
                Term::Text(text) => text.at(row, frame).is_none(),
                Term::Truth(truth) => truth.at(row, frame).is_none(),
            }),
            Truth::Coalesce(truths) => truths.iter().find_map(|truth| truth.at(row, frame)),
            Truth::If(condition, then, other) => {
                if condition.at(row, frame)? {
                    then.at(row, frame)
                } else {
                    other.at(row, frame)
                }
            }
        }
    }
}

impl Grouping {
    /// The row's group as bytes that are equal where all keys are; None where one is missing.
    pub fn key(&self, row: usize, frame: &Frame) -> Option<Vec<u8>> {
        let mut key = Vec::new();
        for part in &self.keys {
            match part {
                KeyPart::Column(slot) => match frame.slots[*slot].text(row) {
                    Some(text) => push_text(&mut key, text),
                    None => push_number(&mut key, frame.slots[*slot].number(row))?,
                },
                KeyPart::Term(Term::Number(number)) => push_number(&mut key, number.at(row, frame))?,
                KeyPart::Term(Term::Text(text)) => push_text(&mut key, &text.at(row, frame)?),
                KeyPart::Term(Term::Truth(truth)) => key.push(u8::from(truth.at(row, frame)?)),
            }
        }
        Some(key)
    }

    /// Sums up the rows of all the frames, in their order; `groups` of a frame holds those that this one builds on.
    pub fn work_out(&self, frames: &[Frame]) -> Groups {
        let mut counts: HashMap<Vec<u8>, (f64, Vec<f64>)> = HashMap::new();
        for frame in frames {
            for row in 0..frame.n_rows {
                let Some(key) = self.key(row, frame) else { continue };
                let value = self.of.as_ref().map_or(0.0, |of| of.at(row, frame));
                if value.is_nan() {
                    continue;
                }
                let (count, values) = counts.entry(key).or_default();
                *count += 1.0;
                if self.statistic != Statistic::Count {
                    values.push(value);
                }
            }
        }
        let value = counts.into_iter().map(|(key, (count, values))| {
            let value = match self.statistic {
                Statistic::Count => count,
                Statistic::Mean => values.iter().sum::<f64>() / count,
                Statistic::Median => median(values),
            };
            (key, finite(value))
        });
        let other = if self.statistic == Statistic::Count { 0.0 } else { f64::NAN };
        Groups { value: value.collect(), other }
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    if values.len() % 2 == 1 { values[half] } else { values[half - 1] / 2.0 + values[half] / 2.0 }
}

fn push_text(key: &mut Vec<u8>, text: &str) {
    key.extend((text.len() as u64).to_le_bytes());
    key.extend(text.as_bytes());
}

fn push_number(key: &mut Vec<u8>, number: f64) -> Option<()> {
    if number.is_nan() {
        return None;
    }
    // -0 is 0.
    key.extend((number + 0.0).to_bits().to_le_bytes());
    Some(())
}
