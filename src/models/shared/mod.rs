//! What several models share: class weights, a constant prediction, softmax, and values computed once that may be interrupted.

use std::sync::{Arc, Mutex};

use medalist_search::Value;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use serde_json::Value as State;

use crate::error::{Error, Result};
use crate::model::{Columns, Dense, FitContext, Predictor, Scope, Sparse};
use crate::state::{from_state, to_state};

/// The same prediction for every row: the priors, or what is left where there is but one class.
pub(crate) struct Constant(pub(crate) Array1<f64>);

impl Constant {
    fn rows(&self, n_rows: usize) -> Array2<f64> {
        Array2::from_shape_fn((n_rows, self.0.len()), |(_, output)| self.0[output])
    }

    fn bytes(&self) -> Option<u64> {
        Some(8 * self.0.len() as u64)
    }

    fn state(&self) -> Option<State> {
        to_state(&SavedConstant { constant: self.0.to_vec() })
    }

    /// None where the state is another predictor's.
    pub(crate) fn load(state: &State) -> Option<Constant> {
        let saved: SavedConstant = from_state(state).ok()?;
        Some(Constant(Array1::from(saved.constant)))
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedConstant {
    constant: Vec<f64>,
}

impl Predictor<Dense> for Constant {
    fn predict(&self, x: &Dense) -> Result<Array2<f64>> {
        Ok(self.rows(x.x.nrows()))
    }

    fn size(&self, _stage: Option<&Value>) -> Option<u64> {
        self.bytes()
    }

    fn save(&self) -> Option<State> {
        self.state()
    }
}

impl Predictor<Columns> for Constant {
    fn predict(&self, x: &Columns) -> Result<Array2<f64>> {
        Ok(self.rows(x.table.n_rows()))
    }

    fn size(&self, _stage: Option<&Value>) -> Option<u64> {
        self.bytes()
    }

    fn save(&self) -> Option<State> {
        self.state()
    }
}

impl Predictor<Sparse> for Constant {
    fn predict(&self, x: &Sparse) -> Result<Array2<f64>> {
        Ok(self.rows(x.x.n_rows()))
    }

    fn size(&self, _stage: Option<&Value>) -> Option<u64> {
        self.bytes()
    }
}

/// The weight of a training row.
pub(crate) fn weight(ctx: &FitContext, row: usize) -> f64 {
    ctx.weights.map_or(1.0, |weights| weights[row])
}

/// The sum of the training rows' weights: above 0.
///
/// # Errors
/// When there is no row, or all weights are 0.
pub(crate) fn total_weight(n_rows: usize, ctx: &FitContext) -> Result<f64> {
    let total: f64 = (0..n_rows).map(|row| weight(ctx, row)).sum();
    if total > 0.0 && total.is_finite() {
        return Ok(total);
    }
    Err(Error::model(if n_rows == 0 {
        "there are no training rows".to_string()
    } else {
        format!("the weights of the {n_rows} training rows add up to {total}")
    }))
}

/// The share of each class in the training rows' weight: sums to 1, 0 for a class that is absent.
pub(crate) fn priors(codes: &[u32], n_classes: usize, ctx: &FitContext) -> Result<Vec<f64>> {
    let total = total_weight(codes.len(), ctx)?;
    let mut priors = vec![0.0; n_classes];
    for (row, &code) in codes.iter().enumerate() {
        priors[code as usize] += weight(ctx, row) / total;
    }
    Ok(priors)
}

/// The classes that the training rows hold (with a weight above 0), ascending.
pub(crate) fn present(priors: &[f64]) -> Vec<usize> {
    (0..priors.len()).filter(|&class| priors[class] > 0.0).collect()
}

/// Turns logarithms of unnormalised probabilities into probabilities, in place; -inf becomes 0.
pub(crate) fn softmax(row: &mut [f64]) {
    let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for value in row.iter_mut() {
        *value = (*value - largest).exp();
        sum += *value;
    }
    row.iter_mut().for_each(|value| *value /= sum);
}

/// 1 / (1 + exp(-x)), without overflow.
pub(crate) fn sigmoid(x: f64) -> f64 {
    if x >= 0.0 { 1.0 / (1.0 + (-x).exp()) } else { x.exp() / (1.0 + x.exp()) }
}

/// As [`FitContext::once`], for what can fail or be interrupted: then nothing is kept, and the next who asks computes it again.
pub(crate) fn once<T: Send + Sync + 'static>(
    ctx: &FitContext,
    key: &str,
    compute: impl FnOnce() -> Result<T>,
) -> Result<Arc<T>> {
    let slot = ctx.once(Scope::Fold, key, || Mutex::new(None::<Arc<T>>));
    let mut slot = slot.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    if let Some(value) = &*slot {
        return Ok(value.clone());
    }
    let value = Arc::new(compute()?);
    *slot = Some(value.clone());
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn softmax_of_large_numbers_does_not_overflow() {
        let mut row = [1000.0, 1000.0 + 3.0_f64.ln(), f64::NEG_INFINITY];
        softmax(&mut row);
        assert!((row[0] - 0.25).abs() < 1e-12 && (row[1] - 0.75).abs() < 1e-12 && row[2] == 0.0);
    }

    #[test]
    fn sigmoid_does_not_overflow() {
        assert_eq!([sigmoid(-1000.0), sigmoid(0.0), sigmoid(1000.0)], [0.0, 0.5, 1.0]);
    }
}
