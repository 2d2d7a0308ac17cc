//! LightGBM's text format, version 4: written so that LightGBM computes the same, and read likewise.

use crate::error::{Error, Result};
use crate::model::Model;
use crate::objective::Objective;

mod read;
mod write;

#[cfg(test)]
mod tests;

impl Model {
    /// Writes the model in LightGBM's text format, for `lightgbm.Booster(model_str=...)` and whatever else reads it.
    ///
    /// LightGBM's raw scores are then this model's: start scores are part of the first iteration's leaf values, in a forest of every tree's (of a forest LightGBM's raw scores are sums, its predictions means). So are its predictions, but for one-against-all classes: LightGBM does not divide their probabilities by the sum. Features are called Column_0, Column_1, and so on.
    ///
    /// # Errors
    /// When the format cannot hold the model: several targets that are more than their scores (counts, amounts), a category code of 2^24 or more, or a value that is not finite.
    pub fn to_lightgbm(&self) -> Result<String> {
        write::write(self)
    }

    /// Reads a model in LightGBM's text format, versions 3 and 4, however it was made: raw scores and predictions are LightGBM's.
    ///
    /// A linear leaf's sum that is not finite, as where a value is infinite, gives way to the leaf's value here; LightGBM leaves it.
    ///
    /// LightGBM takes a missing value for 0 at splits of a feature that had none in training; such splits get the default direction that says the same. Its category splits cut fractions off (1.5 is category 1); here only whole numbers are categories. Objectives that are not this crate's but predict the same are read as what predicts the same: `fair`, `mape` and none as [`Objective::Squared`], `cross_entropy` as [`Objective::Logistic`], `rank_xendcg` as [`Objective::LambdaRank`], and `multiclassova` as [`Objective::Logistic`] with a score a class, as LightGBM leaves their probabilities as they are.
    ///
    /// # Errors
    /// [`Error::Format`] that names the tree and the key, when the text is not such a model or is one that this crate cannot hold: splits under `zero_as_missing` that send 0 where no threshold would; the objectives `regression sqrt`, `binary` and `multiclassova` with another sigmoid than 1, and `cross_entropy_lambda`.
    pub fn from_lightgbm(text: &str) -> Result<Model> {
        let model = read::read(text)?;
        model.check()?;
        Ok(model)
    }
}

/// Codes from here on are not written: a set of categories is a bit a code.
const CODES: u32 = 1 << 24;

/// What LightGBM takes for 0: numbers whose absolute value is at most this.
const ZERO: f64 = 1e-35f32 as f64;

/// Bits of a split's `decision_type`.
const CATEGORICAL: u32 = 1;
const DEFAULT_LEFT: u32 = 2;
/// The missing type lies above the two.
const MISSING_SHIFT: u32 = 2;
const MISSING_NONE: u32 = 0;
const MISSING_ZERO: u32 = 1;
const MISSING_NAN: u32 = 2;

/// A token of ours that LightGBM passes over: probabilities of `multiclassova` are divided by their sum.
const DIVIDED: &str = "divided:1";

/// LightGBM's name of an objective, with its settings as LightGBM writes them; None for a closure.
///
/// # Errors
/// When LightGBM has no objective with several scores that predicts the same.
fn spelled(objective: &Objective, n_scores: usize) -> Result<Option<String>> {
    let several = n_scores > objective.n_scores();
    let name = match objective {
        Objective::Squared => "regression".to_string(),
        Objective::Absolute => "regression_l1".to_string(),
        Objective::Quantile { .. } => "quantile".to_string(),
        Objective::Huber { .. } => "huber".to_string(),
        Objective::LambdaRank { .. } => "lambdarank".to_string(),
        Objective::Softmax { n_classes } => format!("multiclass num_class:{n_classes}"),
        Objective::OneVsAll { n_classes } => format!("multiclassova num_class:{n_classes} sigmoid:1 {DIVIDED}"),
        Objective::Logistic if several => format!("multiclassova num_class:{n_scores} sigmoid:1"),
        Objective::Logistic => "binary sigmoid:1".to_string(),
        Objective::Custom(_) => return Ok(None),
        Objective::Poisson | Objective::Gamma | Objective::Tweedie { .. } if several => {
            return Err(format_error(format!("LightGBM cannot predict {n_scores} targets of this objective at once")));
        }
        Objective::Poisson => "poisson".to_string(),
        Objective::Gamma => "gamma".to_string(),
        Objective::Tweedie { variance_power } => format!("tweedie tweedie_variance_power:{variance_power:?}"),
    };
    Ok(Some(name))
}

/// Settings of an objective that LightGBM keeps among its parameters.
fn settings(objective: &Objective) -> Vec<(&'static str, String)> {
    match objective {
        Objective::Quantile { alpha } | Objective::Huber { alpha } => vec![("alpha", format!("{alpha:?}"))],
        Objective::Tweedie { variance_power } => vec![("tweedie_variance_power", format!("{variance_power:?}"))],
        Objective::LambdaRank { truncation_level } => {
            vec![("lambdarank_truncation_level", truncation_level.to_string())]
        }
        _ => Vec::new(),
    }
}

/// Reads an objective as LightGBM spells it; `parameter` looks up one of the file's parameters.
fn objective<'a>(spelled: &'a str, parameter: impl Fn(&str) -> Option<&'a str>) -> Result<Objective> {
    let wrong = |what: String| format_error(format!("objective: {what}"));
    let mut words = spelled.split_whitespace();
    let name = words.next().unwrap_or_default();
    let words: Vec<&str> = words.collect();
    let setting = |key: &str| words.iter().find_map(|word| word.strip_prefix(key)?.strip_prefix(':'));
    let number = |key: &str, default: f64| match setting(key).or_else(|| parameter(key)) {
        None => Ok(default),
        Some(text) => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(wrong(format!("{key} is {text}, but must be a number"))),
        },
    };
    let plain_sigmoid = || match number("sigmoid", 1.0)? {
        1.0 => Ok(()),
        other => Err(wrong(format!("{name} with a sigmoid of {other} cannot be held, only with 1"))),
    };
    let n_classes = || {
        let text = setting("num_class").unwrap_or_default();
        text.parse().map_err(|_| wrong(format!("num_class is {text:?}, but must be the number of classes")))
    };
    let read = match name {
        "regression" | "regression_l2" | "l2" if words.contains(&"sqrt") => {
            return Err(wrong("labels under a square root cannot be held".to_string()));
        }
        "regression" | "regression_l2" | "l2" | "fair" | "mape" | "custom" | "none" => Objective::Squared,
        "regression_l1" | "l1" => Objective::Absolute,
        "quantile" => Objective::Quantile { alpha: number("alpha", 0.9)? },
        "huber" => Objective::Huber { alpha: number("alpha", 0.9)? },
        "poisson" => Objective::Poisson,
        "gamma" => Objective::Gamma,
        "tweedie" => Objective::Tweedie { variance_power: number("tweedie_variance_power", 1.5)? },
        "binary" => {
            plain_sigmoid()?;
            Objective::Logistic
        }
        "cross_entropy" | "xentropy" => Objective::Logistic,
        "multiclass" | "softmax" => Objective::Softmax { n_classes: n_classes()? },
        "multiclassova" => {
            plain_sigmoid()?;
            n_classes()?;
            if words.contains(&DIVIDED) { Objective::OneVsAll { n_classes: n_classes()? } } else { Objective::Logistic }
        }
        "lambdarank" | "rank_xendcg" => {
            let level = number("lambdarank_truncation_level", 30.0)?;
            Objective::LambdaRank { truncation_level: level as usize }
        }
        _ => return Err(wrong(format!("{name:?} is not one that this crate knows"))),
    };
    read.check().map_err(|error| wrong(error.to_string()))?;
    Ok(read)
}

fn format_error(what: String) -> Error {
    Error::Format(what)
}
