//! How a competition keeps score: the metric's contract and what the harness hands it.
//!
//! A metric says what it needs (labels, probabilities, values, ...); the harness turns whatever a model predicts into that.

use std::collections::BTreeMap;

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

pub use medalist_search::Direction;

use crate::error::{Error, Result};
use crate::target::{Target, Task};

/// What a metric compares with the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// One class number a row.
    Labels,
    /// One probability per class a row, rows summing to 1.
    Probabilities,
    /// One real value a row, on the target's own scale.
    Values,
    /// One real number a row, of which only the order counts (larger: more likely the positive class, or a larger value).
    Scores,
    /// The so many most likely classes a row, best first: a text of their labels with blanks between.
    Ranking(usize),
    /// One text a row: labels with blanks between, or plain text.
    Texts,
    /// One real value a row and how far off it may be (its standard deviation), above 0.
    Spread,
}

impl Needs {
    pub fn name(self) -> &'static str {
        match self {
            Needs::Labels => "labels",
            Needs::Probabilities => "probabilities",
            Needs::Values => "values",
            Needs::Scores => "scores",
            Needs::Ranking(_) => "rankings",
            Needs::Texts => "texts",
            Needs::Spread => "values with their spread",
        }
    }
}

/// The scale on which the target is fitted; predictions are turned back before they are scored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetScale {
    #[default]
    Identity,
    /// ln(y): targets above 0.
    Log,
    /// ln(1 + y): targets above -1.
    Log1p,
}

impl TargetScale {
    /// A value of the target on this scale.
    pub fn of(self, value: f64) -> f64 {
        match self {
            TargetScale::Identity => value,
            TargetScale::Log => value.ln(),
            TargetScale::Log1p => value.ln_1p(),
        }
    }
}

/// The true values of the rows scored.
#[derive(Clone, Copy)]
pub struct Truth<'a> {
    /// Classes or values, as the task has it; where values are compared, values may stand for classes that are numbers.
    pub target: &'a Target,
    /// The labels of the classes as train spells them; empty for values. Positions beyond train's own labels may follow for labels that only a solution or a submission holds.
    pub labels: &'a [String],
    /// The class that counts as positive for binary metrics.
    pub positive: u32,
    /// How many of `labels` are train's: metrics that weigh by the full range of labels use these. 0 where unknown: then the labels present count.
    pub n_train_labels: usize,
    /// One non-negative weight a row.
    pub weights: Option<&'a [f64]>,
    /// The query that a row belongs to: rows of one query are ranked together. All are of one query where none are given.
    pub queries: Option<&'a [u32]>,
}

/// The predictions of the rows scored, in the form that [`Metric::needs`] names.
#[derive(Clone, Copy)]
pub enum Prediction<'a> {
    /// (n_rows,), class numbers.
    Labels(&'a [u32]),
    /// (n_rows, n_classes), in the order of `Truth::labels`.
    Probabilities(ArrayView2<'a, f64>),
    /// (n_rows,).
    Values(&'a [f64]),
    /// (n_rows,).
    Scores(&'a [f64]),
    /// (n_rows,), for rankings and texts.
    Texts(&'a [String]),
    /// (n_rows,) each.
    Spread { values: &'a [f64], sigmas: &'a [f64] },
}

/// A competition's scoring function.
pub trait Metric: Send + Sync {
    /// Builds the metric from `[metric]` of `competition.toml`, the name left out.
    ///
    /// # Errors
    /// When a setting is unknown (naming the nearest known one) or out of range.
    fn from_settings(settings: &Settings) -> Result<Self>
    where
        Self: Sized;

    /// What `medalist metrics` and docs/metrics.md say of it, and its other names.
    fn about() -> About
    where
        Self: Sized,
    {
        About::default()
    }

    /// The name in `competition.toml`: the file's.
    fn name(&self) -> &str;

    fn direction(&self) -> Direction;

    fn needs(&self) -> Needs;

    /// The tasks it can score.
    fn tasks(&self) -> &[Task];

    /// The scale on which models should fit the target, unless the competition says otherwise.
    fn target_scale(&self) -> TargetScale {
        TargetScale::Identity
    }

    /// The closed range in which predictions are defined; the harness clips to it, `validate` refuses what lies outside.
    fn range(&self) -> (f64, f64) {
        (f64::NEG_INFINITY, f64::INFINITY)
    }

    /// Whether a row may have a weight; where not, weights are an error.
    fn takes_weights(&self) -> bool {
        true
    }

    /// Whether rows are ranked query by query: then `competition.toml` must name the column of the queries.
    fn ranks_queries(&self) -> bool {
        false
    }

    /// # Errors
    /// When the score is undefined (one class only, all weights 0, a prediction outside the range): the message names the row (1-based) where there is one. Never NaN.
    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64>;
}

/// What people want to know of a metric.
#[derive(Clone, Copy, Debug, Default)]
pub struct About {
    /// y: the truth, p: the prediction, w: a row's weight (1 where there are none), n: the number of rows.
    pub formula: &'static str,
    /// When it has no score, beside what holds for all metrics; empty where there is nothing to add.
    pub undefined: &'static str,
    /// Name and meaning of each setting.
    pub settings: &'static [(&'static str, &'static str)],
    /// Other names. A setting in braces stands for a number there: `map@{k}` is written `map@5`.
    pub aliases: &'static [&'static str],
    /// Names that stand for settings, their values as JSON.
    pub presets: &'static [(&'static str, &'static [(&'static str, &'static str)])],
}

impl About {
    /// All other names, as they are declared.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.aliases.iter().copied().chain(self.presets.iter().map(|(name, _)| *name))
    }

    /// The settings that another name stands for; None where it is none of this metric's.
    pub fn settings_of(&self, name: &str) -> Option<Settings> {
        let none: &[(&str, &str)] = &[];
        let aliases = self.aliases.iter().map(|alias| (*alias, none));
        aliases.chain(self.presets.iter().copied()).find_map(|(alias, sets)| {
            let mut settings = number_in(alias, name)?;
            for (key, value) in sets {
                settings.0.insert(key.to_string(), serde_json::from_str(value).ok()?);
            }
            Some(settings)
        })
    }
}

/// The number that a name has where the alias has a setting in braces; no settings where it has none.
fn number_in(alias: &str, name: &str) -> Option<Settings> {
    let mut settings = Settings::default();
    let Some((before, rest)) = alias.split_once('{') else {
        return (alias == name).then_some(settings);
    };
    let (setting, after) = rest.split_once('}')?;
    let number: serde_json::Number = name.strip_prefix(before)?.strip_suffix(after)?.parse().ok()?;
    settings.0.insert(setting.to_string(), number.into());
    Some(settings)
}

/// The mean over the targets: how every competition of several targets is scored. Summed in their order.
///
/// # Errors
/// The first target's that has no score, naming its column where there are several.
pub fn mean_over_targets<'a>(
    columns: impl ExactSizeIterator<Item = &'a str>,
    mut score: impl FnMut(usize) -> Result<f64>,
) -> Result<f64> {
    let n_targets = columns.len();
    let mut sum = 0.0;
    for (target, name) in columns.enumerate() {
        sum += score(target).map_err(|error| if n_targets > 1 { error.column(name) } else { error })?;
    }
    Ok(sum / n_targets as f64)
}

/// A metric's settings, as written in `competition.toml`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings(pub BTreeMap<String, serde_json::Value>);

impl Settings {
    /// # Errors
    /// When there is a key that is not among `known`.
    pub fn only(&self, metric: &str, known: &[&str]) -> Result<()> {
        for key in self.0.keys() {
            if !known.contains(&key.as_str()) {
                let error = Error::config(format!("metric `{metric}` has no setting `{key}`"));
                let help = match crate::nearest(key, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if known.is_empty() => "it has none".to_string(),
                    None => format!("it has {}", known.join(", ")),
                };
                return Err(error.help(help));
            }
        }
        Ok(())
    }

    /// A number, or `default` where it is left out.
    ///
    /// # Errors
    /// When it is no number, or not one that is `allowed`; `words` says which are.
    pub fn number(
        &self,
        metric: &str,
        key: &str,
        default: f64,
        allowed: impl Fn(f64) -> bool,
        words: &str,
    ) -> Result<f64> {
        let Some(value) = self.0.get(key) else { return Ok(default) };
        value.as_f64().filter(|&number| number.is_finite() && allowed(number)).ok_or_else(|| {
            Error::config(format!("metric `{metric}`: `{key}` is {value}, which is not a number {words}"))
                .help(format!("leave it out for {default:?}"))
        })
    }

    /// A count of at least 1; None where it is left out.
    ///
    /// # Errors
    /// When it is another thing.
    pub fn count(&self, metric: &str, key: &str) -> Result<Option<usize>> {
        let Some(value) = self.0.get(key) else { return Ok(None) };
        let count = value.as_u64().filter(|count| (1..=1_000_000).contains(count));
        let message =
            || Error::config(format!("metric `{metric}`: `{key}` is {value}, which is not a whole number from 1 up"));
        count.map(|count| Some(count as usize)).ok_or_else(message)
    }

    /// One of several words, the first where it is left out.
    ///
    /// # Errors
    /// When it is none of them.
    pub fn choice<T: Copy>(&self, metric: &str, key: &str, choices: &[(&str, T)]) -> Result<T> {
        let Some(value) = self.0.get(key) else { return Ok(choices[0].1) };
        let found = choices.iter().find(|(name, _)| value.as_str() == Some(name));
        found.map(|(_, choice)| *choice).ok_or_else(|| {
            let names: Vec<String> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            Error::config(format!("metric `{metric}` has no {key} {value}"))
                .help(format!("it has {}", names.join(", ")))
        })
    }
}
