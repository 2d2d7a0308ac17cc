//! The functions that a recipe may call, beside those of numbers that constraints have too.

use medalist_search::expression::Function;

use super::calendar;
use super::term::Kind;

/// A function by name, what it makes (None: as its values are), and how it is called.
pub struct Signature {
    pub name: &'static str,
    pub kind: Option<Kind>,
    pub usage: &'static str,
}

const fn of(name: &'static str, kind: Option<Kind>, usage: &'static str) -> Signature {
    Signature { name, kind, usage }
}

const NUMBER: Option<Kind> = Some(Kind::Number);
const TEXT: Option<Kind> = Some(Kind::Text);
const TRUTH: Option<Kind> = Some(Kind::Truth);

const SIGNATURES: [Signature; 18] = [
    of("split", TEXT, "split(text, \"separator\", part), parts counted from 1, or from the end from -1"),
    of("match", TEXT, "match(text, \"pattern\"), or match(text, \"pattern\", group)"),
    of("lower", TEXT, "lower(text)"),
    of("concat", TEXT, "concat(text, text, ..)"),
    of("contains", TRUTH, "contains(text, \"pattern\")"),
    of("length", NUMBER, "length(text)"),
    of("words", NUMBER, "words(text)"),
    of("number", NUMBER, "number(text)"),
    of("floor", NUMBER, "floor(number)"),
    of("round", NUMBER, "round(number)"),
    of("is_weekend", TRUTH, "is_weekend(column)"),
    of("missing", TRUTH, "missing(value)"),
    of("coalesce", None, "coalesce(value, value, ..): the first that is not missing"),
    of("if", None, "if(condition, value, other)"),
    of("count", NUMBER, "count(value, ..): rows of all files with these values"),
    of("learned_count", NUMBER, "learned_count(value, ..): training rows of the fold with these values"),
    of("learned_mean", NUMBER, "learned_mean(number, value, ..): over the training rows of the fold with these values"),
    of(
        "learned_median",
        NUMBER,
        "learned_median(number, value, ..): over the training rows of the fold with these values",
    ),
];

/// What a call of this name makes; None where there is no such function.
pub fn kind(name: &str) -> Option<Option<Kind>> {
    if Function::named(name).is_some() || date_part(name).is_some() {
        return Some(NUMBER);
    }
    signature(name).map(|signature| signature.kind)
}

pub fn usage(name: &str) -> &'static str {
    signature(name).map_or("", |signature| signature.usage)
}

fn signature(name: &str) -> Option<&'static Signature> {
    SIGNATURES.iter().find(|signature| signature.name == name)
}

pub fn date_part(name: &str) -> Option<fn(f64) -> f64> {
    calendar::PARTS.iter().find(|(known, _)| *known == name).map(|(_, part)| *part)
}

/// All names that may be called.
pub fn names() -> impl Iterator<Item = &'static str> {
    let own = SIGNATURES.iter().map(|signature| signature.name);
    own.chain(Function::ALL.iter().map(|(_, name)| *name)).chain(calendar::PARTS.iter().map(|(name, _)| *name))
}
