//! `diff`: in what two trials differ, and by how much.

use std::collections::BTreeSet;

use medalist_search::{Direction, StudySpec, Trial};
use serde::Serialize;
use serde_json::{Value, json};

use super::Session;
use super::args::DiffArgs;
use super::output::{self, Format, Listing, plain};
use crate::error::Result;
use crate::estimate::{corrected_standard_error, sample_std};
use crate::leaderboard::short;
use crate::results::{self, Difference, Origin};

pub fn diff(session: &Session, args: &DiffArgs) -> Result<()> {
    let store = session.store()?;
    let first = results::find_trial(&store, &args.first)?;
    let second = results::find_trial(&store, &args.second)?;
    let origins = (Origin::of(&store, &first.0, &first.1)?, Origin::of(&store, &second.0, &second.1)?);
    let differs = origins.0.differences(&origins.1);
    let params = params(&first.1, &second.1);
    let folds = folds(&first.1, &second.1);
    let paired = if origins.0.same_folds(&origins.1) { Paired::of(first.0.direction, &folds) } else { None };
    if session.format() == Format::Json {
        let number = |value: Option<f64>| json!(value);
        let folds: Vec<Value> = folds
            .iter()
            .map(|fold| {
                let difference = paired.as_ref().and(fold.difference());
                json!({ "fold": fold.fold, "first": number(fold.first), "second": number(fold.second), "difference": number(difference) })
            })
            .collect();
        return output::print_json(&json!({
            "first": args.first, "second": args.second,
            "score": { "first": first.1.score, "second": second.1.score },
            "params": params, "folds": folds, "paired": paired, "differs": differs,
        }));
    }
    let mut listing = Listing::new(&["what", "first", "second", "difference"]);
    let mut row = |what: &str, first: String, second: String, difference: String| {
        listing.push(vec![what.to_string(), first, second, difference], Value::Null);
    };
    row("trial", args.first.clone(), args.second.clone(), String::new());
    let text = |value: Option<f64>| value.map(short).unwrap_or_default();
    let scores = paired.as_ref().and(first.1.score.zip(second.1.score));
    let difference = scores.map(|(first, second)| second - first);
    row("score", text(first.1.score), text(second.1.score), difference.map(signed).unwrap_or_default());
    for fold in &folds {
        let difference = paired.as_ref().and(fold.difference()).map(signed).unwrap_or_default();
        row(&format!("fold {}", fold.fold), text(fold.first), text(fold.second), difference);
    }
    for Difference { what, before, after } in params.iter().chain(&differs) {
        row(what, brief(before), brief(after), String::new());
    }
    listing.print(session.format())?;
    session.say(match &paired {
        Some(paired) => paired.text(&first.0, folds.len()),
        None => "the two were not scored on the same folds: their scores do not compare fold by fold".to_string(),
    });
    for (name, origin) in [(&args.first, &origins.0), (&args.second, &origins.1)] {
        if let Some(unknown) = origin.unknown() {
            session.say(format!("{name}: {unknown}"));
        }
    }
    Ok(())
}

/// The parameters that differ; null where a trial has none of that name.
fn params(first: &Trial, second: &Trial) -> Vec<Difference> {
    let names: BTreeSet<&str> = first.params.iter().chain(second.params.iter()).map(|(name, _)| name).collect();
    let differs = names.into_iter().filter(|name| first.params.get(name) != second.params.get(name));
    let difference = |name: &str| Difference {
        what: name.to_string(),
        before: json!(first.params.get(name)),
        after: json!(second.params.get(name)),
    };
    differs.map(difference).collect()
}

struct Fold {
    fold: u32,
    first: Option<f64>,
    second: Option<f64>,
}

impl Fold {
    fn difference(&self) -> Option<f64> {
        Some(self.second? - self.first?)
    }
}

fn folds(first: &Trial, second: &Trial) -> Vec<Fold> {
    let of = |trial: &Trial, fold: u32| trial.folds.iter().find(|score| score.fold == fold).map(|score| score.score);
    let numbers: BTreeSet<u32> = first.folds.iter().chain(&second.folds).map(|score| score.fold).collect();
    numbers.into_iter().map(|fold| Fold { fold, first: of(first, fold), second: of(second, fold) }).collect()
}

/// The differences of folds that both trials were scored on.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct Paired {
    n_folds: usize,
    mean: f64,
    /// None for a single fold.
    std: Option<f64>,
    /// Of the mean.
    standard_error: Option<f64>,
    /// Folds in which the second is better.
    n_better: usize,
    n_worse: usize,
}

impl Paired {
    fn of(direction: Direction, folds: &[Fold]) -> Option<Paired> {
        let differences: Vec<f64> = folds.iter().filter_map(Fold::difference).collect();
        let n = differences.len();
        if n == 0 {
            return None;
        }
        Some(Paired {
            n_folds: n,
            mean: differences.iter().sum::<f64>() / n as f64,
            std: sample_std(&differences),
            standard_error: corrected_standard_error(&differences),
            n_better: differences.iter().filter(|&&difference| direction.better(difference, 0.0)).count(),
            n_worse: differences.iter().filter(|&&difference| direction.better(0.0, difference)).count(),
        })
    }

    fn text(&self, spec: &StudySpec, n_folds: usize) -> String {
        let better = direction_word(spec.direction);
        let error = self.standard_error.map(|error| format!(" +/- {}", short(error))).unwrap_or_default();
        let tied = self.n_folds - self.n_better - self.n_worse;
        let tied = if tied > 0 { format!(", alike in {tied}") } else { String::new() };
        format!(
            "second - first: {}{error} ({better} is better); the second is better in {} of {n_folds} folds, worse in {}{tied}",
            signed(self.mean),
            self.n_better,
            self.n_worse,
        )
    }
}

fn direction_word(direction: Direction) -> &'static str {
    match direction {
        Direction::Minimize => "lower",
        Direction::Maximize => "higher",
    }
}

fn signed(value: f64) -> String {
    if value > 0.0 { format!("+{}", short(value)) } else { short(value) }
}

/// Checksums are told apart by their beginnings.
pub fn brief(value: &Value) -> String {
    let text = plain(value);
    let is_checksum = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_checksum { text[..12].to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of 0.1, 0.3, 0.2 (numpy): mean 0.2, std(ddof=1) 0.1; the error is 0.1 * sqrt(1/3 + 1/2).
    #[test]
    fn differences_are_paired_by_fold() {
        let fold = |fold, first, second| Fold { fold, first: Some(first), second: Some(second) };
        let folds =
            [fold(0, 1.0, 1.1), fold(1, 1.0, 1.3), fold(2, 1.0, 1.2), Fold { fold: 3, first: None, second: Some(9.0) }];
        let paired = Paired::of(Direction::Minimize, &folds).unwrap();
        assert!((paired.mean - 0.2).abs() < 1e-12 && (paired.std.unwrap() - 0.1).abs() < 1e-12);
        assert!((paired.standard_error.unwrap() - 0.091_287_092_917_527_69).abs() < 1e-12);
        assert_eq!((paired.n_folds, paired.n_better, paired.n_worse), (3, 0, 3));
        assert_eq!(Paired::of(Direction::Maximize, &folds).unwrap().n_better, 3);
        assert_eq!(Paired::of(Direction::Maximize, &folds[3..]), None);
        assert_eq!(Paired::of(Direction::Maximize, &folds[..1]).unwrap().standard_error, None);
    }
}
