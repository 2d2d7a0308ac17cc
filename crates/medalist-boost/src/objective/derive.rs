//! Derivatives of the losses by the scores.

use std::ops::Range;

use rayon::prelude::*;

use super::{Objective, softmax};
use crate::kernel::Level;
use crate::kernel::logistic::{CHUNK, exp, logistic, sigmoid};

/// First and second derivative of one row.
pub(crate) type Derivative = [f32; 2];

/// Rows whose sums are added before they join the others': fixed, so that sums do not depend on threads.
const ROWS_A_SUM: usize = 4096;

/// Everything by row of the bins.
pub(crate) struct Rows<'a> {
    /// The rows to derive for, ascending.
    pub rows: &'a [u32],
    pub labels: &'a [f64],
    pub weights: Option<&'a [f64]>,
}

impl Objective {
    /// One score a row: fills `out` for the rows.
    pub(crate) fn derive_one(
        &self,
        level: Level,
        rows: &Rows,
        scores: &[f64],
        scale_pos_weight: f64,
        out: &mut [Derivative],
        parallel: bool,
    ) {
        let block = |rows_here: &[u32], first: usize, out: &mut [Derivative]| match self {
            Objective::Logistic => {
                let (mut s, mut y, mut w) = ([0.0; CHUNK], [0.0; CHUNK], [1.0; CHUNK]);
                let mut derived = [[0.0; 2]; CHUNK];
                for rows_here in rows_here.chunks(CHUNK) {
                    for (i, &row) in rows_here.iter().enumerate() {
                        let row = row as usize;
                        s[i] = scores[row];
                        y[i] = rows.labels[row];
                        let weight = rows.weights.map_or(1.0, |weights| weights[row]);
                        w[i] = if y[i] > 0.5 { weight * scale_pos_weight } else { weight };
                    }
                    logistic(level, &s, &y, &w, &mut derived);
                    for (derived, &row) in derived.iter().zip(rows_here) {
                        out[row as usize - first] = *derived;
                    }
                }
            }
            _ => {
                for &row in rows_here {
                    let row = row as usize;
                    let (gradient, hessian) = self.derive_row(scores[row], rows.labels[row]);
                    let weight = rows.weights.map_or(1.0, |weights| weights[row]);
                    out[row - first] = [(gradient * weight) as f32, (hessian * weight) as f32];
                }
            }
        };
        if parallel {
            // Rows ascend, so each chunk of them has a stretch of `out` to itself.
            let mut stretches = Vec::new();
            let (mut rest, mut done) = (out, 0);
            for chunk in rows.rows.chunks(ROWS_A_SUM) {
                let end = chunk[chunk.len() - 1] as usize + 1;
                let (stretch, after) = std::mem::take(&mut rest).split_at_mut(end - done);
                stretches.push((chunk, done, stretch));
                (rest, done) = (after, end);
            }
            stretches.into_par_iter().for_each(|(chunk, first, stretch)| block(chunk, first, stretch));
        } else {
            block(rows.rows, 0, out);
        }
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

    /// Classes: fills one output's derivatives a class. `scores` and `out` by class, then by row.
    pub(crate) fn derive_classes(&self, rows: &Rows, scores: &[Vec<f64>], out: &mut [Vec<Derivative>]) {
        const LEAST_HESSIAN: f64 = 1e-16;
        let n_classes = scores.len();
        let factor = n_classes as f64 / (n_classes - 1) as f64;
        let mut probabilities = vec![0.0; n_classes];
        for &row in rows.rows {
            let row = row as usize;
            let weight = rows.weights.map_or(1.0, |weights| weights[row]);
            probabilities.iter_mut().zip(scores).for_each(|(p, scores)| *p = scores[row]);
            let hessian_factor = match self {
                Objective::OneVsAll { .. } => {
                    probabilities.iter_mut().for_each(|p| *p = sigmoid(*p));
                    1.0
                }
                _ => {
                    softmax(&mut probabilities);
                    factor
                }
            };
            for (class, (&p, out)) in probabilities.iter().zip(out.iter_mut()).enumerate() {
                let label = f64::from(rows.labels[row] == class as f64);
                let hessian = (hessian_factor * p * (1.0 - p)).max(LEAST_HESSIAN);
                out[row] = [(weight * (p - label)) as f32, (weight * hessian) as f32];
            }
        }
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

/// The sums of the first derivatives' absolute values and of the second derivatives, over the rows.
pub(crate) fn sums(rows: &[u32], derivatives: &[Derivative], parallel: bool) -> (f64, f64) {
    let block = |rows: &[u32]| {
        let mut lanes = [[0.0f64; 2]; 4];
        for rows in rows.chunks(4) {
            for (lane, &row) in lanes.iter_mut().zip(rows) {
                let [first, second] = derivatives[row as usize];
                lane[0] += f64::from(first.abs());
                lane[1] += f64::from(second);
            }
        }
        lanes.iter().fold((0.0, 0.0), |sum, lane| (sum.0 + lane[0], sum.1 + lane[1]))
    };
    let parts: Vec<(f64, f64)> = if parallel {
        rows.par_chunks(ROWS_A_SUM).map(block).collect()
    } else {
        rows.chunks(ROWS_A_SUM).map(block).collect()
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
