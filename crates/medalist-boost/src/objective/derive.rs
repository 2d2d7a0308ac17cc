//! Derivatives of the losses by the scores.

use std::ops::Range;

use rayon::prelude::*;

use super::Objective;
use crate::kernel::Level;
use crate::kernel::classes::{Loss, classes};
use crate::kernel::logistic::{self, exp, logistic, squared};

/// First and second derivative of one row.
pub(crate) type Derivative = [f32; 2];

/// Rows whose sums are added before they join the others': fixed, so that sums do not depend on threads.
pub(crate) const ROWS_A_SUM: usize = 4096;

/// A stretch of rows, all slices of its length.
pub(crate) struct Stretch<'a> {
    pub labels: &'a [f64],
    /// Empty where all are 1; 0 at rows that are not trained on.
    pub weights: &'a [f64],
}

impl Objective {
    /// One score a row: fills `out`. `parallel`: stretch by stretch on rayon's pool, to the same effect.
    pub(crate) fn derive_one(
        &self,
        level: Level,
        rows: &Stretch,
        scores: &[f64],
        out: &mut [Derivative],
        parallel: bool,
    ) {
        let block = |labels: &[f64], weights: &[f64], scores: &[f64], out: &mut [Derivative]| match self {
            Objective::Logistic => logistic(level, scores, labels, weights, out),
            Objective::Squared => squared(level, scores, labels, weights, out),
            _ => {
                for (row, ((&score, &label), out)) in scores.iter().zip(labels).zip(out).enumerate() {
                    let weight = weights.get(row).copied().unwrap_or(1.0);
                    if weight == 0.0 {
                        *out = [0.0; 2];
                        continue;
                    }
                    let (gradient, hessian) = self.derive_row(score, label);
                    *out = [(gradient * weight) as f32, (hessian * weight) as f32];
                }
            }
        };
        if !parallel {
            return block(rows.labels, rows.weights, scores, out);
        }
        out.par_chunks_mut(ROWS_A_SUM).enumerate().for_each(|(chunk, out)| {
            let here = chunk * ROWS_A_SUM..chunk * ROWS_A_SUM + out.len();
            let weights = if rows.weights.is_empty() { &[] } else { &rows.weights[here.clone()] };
            block(&rows.labels[here.clone()], weights, &scores[here], out);
        });
    }

    fn derive_row(&self, score: f64, label: f64) -> (f64, f64) {
        /// As in LightGBM: keeps the second derivative of counts away from 0.
        const POISSON_STEP: f64 = 0.7;
        let difference = score - label;
        match *self {
            Objective::Absolute => (sign(difference), 1.0),
            Objective::Quantile { alpha } => (if difference >= 0.0 { 1.0 - alpha } else { -alpha }, 1.0),
            Objective::Huber { alpha } => (difference.clamp(-alpha, alpha), 1.0),
            Objective::Poisson => (exp(score) - label, exp(score + POISSON_STEP)),
            Objective::Gamma => {
                let ratio = label * exp(-score);
                (1.0 - ratio, ratio)
            }
            Objective::Tweedie { variance_power: rho } => {
                let (low, high) = (exp((1.0 - rho) * score), exp((2.0 - rho) * score));
                (high - label * low, (2.0 - rho) * high - label * (1.0 - rho) * low)
            }
            // The others have a path of their own.
            _ => (difference, 1.0),
        }
    }

    /// Classes: fills one output's derivatives a class. `scores` and `out` by class, then by row of the stretch. `parallel` as in [`Objective::derive_one`].
    pub(crate) fn derive_classes(
        &self,
        level: Level,
        rows: &Stretch,
        scores: &[&[f64]],
        out: &mut [&mut [Derivative]],
        parallel: bool,
    ) {
        let n_classes = scores.len();
        let loss = match self {
            Objective::OneVsAll { .. } => Loss::OneVsAll,
            _ => Loss::Softmax(n_classes as f64 / (n_classes - 1) as f64),
        };
        if !parallel {
            return classes(level, loss, scores, rows.labels, rows.weights, out);
        }
        // Per stretch each class's part.
        let mut parts: Vec<Vec<&mut [Derivative]>> = Vec::new();
        parts.resize_with(rows.labels.len().div_ceil(ROWS_A_SUM), || Vec::with_capacity(n_classes));
        for out in out.iter_mut() {
            parts.iter_mut().zip(out.chunks_mut(ROWS_A_SUM)).for_each(|(part, out)| part.push(out));
        }
        parts.into_par_iter().enumerate().for_each(|(chunk, mut out)| {
            let here = chunk * ROWS_A_SUM..rows.labels.len().min((chunk + 1) * ROWS_A_SUM);
            let weights = if rows.weights.is_empty() { &[] } else { &rows.weights[here.clone()] };
            let scores: Vec<&[f64]> = scores.iter().map(|scores| &scores[here.clone()]).collect();
            classes(level, loss, &scores, &rows.labels[here], weights, &mut out);
        });
    }
}

fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        0.0
    }
}

/// The sums of the first derivatives' absolute values and of the second derivatives.
pub(crate) fn sums(level: Level, derivatives: &[Derivative], parallel: bool) -> (f64, f64) {
    let block = |derivatives: &[Derivative]| logistic::sums(level, derivatives);
    let parts: Vec<(f64, f64)> = if parallel {
        derivatives.par_chunks(ROWS_A_SUM).map(block).collect()
    } else {
        derivatives.chunks(ROWS_A_SUM).map(block).collect()
    };
    parts.into_iter().fold((0.0, 0.0), |sum, part| (sum.0 + part.0, sum.1 + part.1))
}

/// The range of query groups' rows, from their sizes.
pub(crate) fn ranges(sizes: &[usize]) -> Vec<Range<usize>> {
    let mut start = 0;
    let range = |&size: &usize| {
        let range = start..start + size;
        start += size;
        range
    };
    sizes.iter().map(range).collect()
}
