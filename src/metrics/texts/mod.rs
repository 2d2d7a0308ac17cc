//! Texts row by row, and the labels in them: what metrics of rankings, sets and texts share.

use super::accuracy::{check_length, weights};
use crate::error::{Error, Result};
use crate::metric::{Prediction, Truth};
use crate::target::Target;

/// Calls `of_row` with each row's true text, predicted text and weight.
///
/// # Errors
/// When there are no rows, lengths differ, a class has no label (naming the row), or all weights are 0.
pub fn for_each_row<'a>(
    truth: &'a Truth,
    prediction: &'a Prediction,
    mut of_row: impl FnMut(&'a str, &'a str, f64),
) -> Result<()> {
    let (Target::Classes { codes, .. }, Prediction::Texts(predicted)) = (truth.target, prediction) else {
        return Err(Error::model("this metric compares texts, and was given something else"));
    };
    check_length(codes.len(), predicted.len())?;
    let weights = weights(truth, codes.len())?;
    for (row, ((&code, predicted), weight)) in codes.iter().zip(*predicted).zip(weights).enumerate() {
        let text = truth.labels.get(code as usize);
        let text = text.ok_or_else(|| Error::model(format!("class number {code} has no label")).row(row + 1))?;
        of_row(text, predicted, weight);
    }
    Ok(())
}

/// The weighted mean over rows.
///
/// # Errors
/// Those of [`for_each_row`].
pub fn mean<'a>(
    truth: &'a Truth,
    prediction: &'a Prediction,
    mut of_row: impl FnMut(&'a str, &'a str) -> f64,
) -> Result<f64> {
    let (mut sum, mut total) = (0.0, 0.0);
    for_each_row(truth, prediction, |text, predicted, weight| {
        sum += weight * of_row(text, predicted);
        total += weight;
    })?;
    Ok(sum / total)
}

/// How many labels two sets have, and how many they share.
pub struct Overlap {
    pub truth: usize,
    pub predicted: usize,
    pub both: usize,
}

/// Sets of labels with blanks between, compared row by row: each label counts once.
#[derive(Default)]
pub struct Sets<'a> {
    truth: Vec<&'a str>,
    predicted: Vec<&'a str>,
}

impl<'a> Sets<'a> {
    pub fn overlap(&mut self, truth: &'a str, predicted: &'a str) -> Overlap {
        for (set, text) in [(&mut self.truth, truth), (&mut self.predicted, predicted)] {
            set.clear();
            set.extend(text.split_whitespace());
            set.sort_unstable();
            set.dedup();
        }
        let both = self.predicted.iter().filter(|label| self.truth.binary_search(label).is_ok()).count();
        Overlap { truth: self.truth.len(), predicted: self.predicted.len(), both }
    }
}
