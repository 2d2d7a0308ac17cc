//! Derivatives as packed integers.

use rand::Rng;
use rayon::prelude::*;

use super::{Trainer, not_finite};
use crate::error::Result;
use crate::kernel::leveled;
use crate::objective::derive::{self, Derivative, ROWS_A_SUM};
use crate::pair::{self, Scale};
use crate::sample::Draw;

impl Trainer<'_> {
    /// Turns an output's derivatives into packed integers; returns their units and their sum over the bag.
    ///
    /// # Errors
    /// When one of them is not finite.
    pub(super) fn pack(&mut self, output: usize) -> Result<(Scale, u64)> {
        let Trainer { params, level, bag, derivatives, pairs, span, .. } = self;
        let (level, parallel) = (*level, params.parallel);
        let whole = bag.rows.len() == self.counted.len() && bag.factors.is_none();
        let mut bagged = Vec::new();
        let derivatives = if whole {
            &derivatives[output][span.clone()]
        } else {
            // Only the bag's rows count, as often as it says.
            bagged.resize(span.len(), [0.0; 2]);
            for &row in &bag.rows {
                let factor = bag.factors.as_ref().map_or(1.0, |factors| factors[row as usize]);
                let [first, second] = derivatives[output][row as usize];
                bagged[row as usize - span.start] = [first * factor, second * factor];
            }
            &bagged[..]
        };
        let (sum_first, sum_second) = derive::sums(level, derivatives, parallel);
        if !(sum_first.is_finite() && sum_second.is_finite()) {
            let bad = |derivative: &Derivative| derivative.iter().any(|part| !part.is_finite());
            let at = derivatives.iter().position(bad).unwrap_or_default();
            return Err(not_finite(span.start + at, derivatives[at]));
        }
        let scale = Scale::new(sum_first, sum_second, bag.rows.len());
        let factors = [1.0 / scale.first, 1.0 / scale.second];
        let dither = (bag.rows.len() >= ROWS_TO_DITHER)
            .then(|| Draw::new(params.seed, self.n_iterations, output).stream(b"rounding").next_u64());
        let one = |first: usize, derivatives: &[Derivative], pairs: &mut [u64]| match dither {
            None => pack_all(level, derivatives, factors, pairs),
            Some(key) => pack_dithered(level, derivatives, factors, key, first, pairs),
        };
        let pairs = &mut pairs[span.clone()];
        let sum = if parallel {
            let chunks = derivatives.par_chunks(ROWS_A_SUM).zip(pairs.par_chunks_mut(ROWS_A_SUM)).enumerate();
            let sums = chunks.map(|(chunk, (derivatives, pairs))| one(chunk * ROWS_A_SUM, derivatives, pairs));
            sums.reduce(|| 0, u64::wrapping_add)
        } else {
            one(0, derivatives, pairs)
        };
        Ok((scale, sum))
    }
}

/// From so many rows on derivatives are rounded at random.
const ROWS_TO_DITHER: usize = 1 << 20;

#[inline(always)]
fn pack_one([first, second]: Derivative, factors: [f64; 2]) -> u64 {
    pair::pack(pair::nearest(f64::from(first) * factors[0]), pair::nearest(f64::from(second) * factors[1]))
}

leveled! {
    /// Derivatives times `factors`, rounded and packed; returns the sum.
    fn pack_all(derivatives: &[Derivative], factors: [f64; 2], pairs: &mut [u64]) -> u64 = pack_body
}

#[inline(always)]
fn pack_body(derivatives: &[Derivative], factors: [f64; 2], pairs: &mut [u64]) -> u64 {
    let mut sum = 0u64;
    for (pair, &derivative) in pairs.iter_mut().zip(derivatives) {
        *pair = pack_one(derivative, factors);
        sum = sum.wrapping_add(*pair);
    }
    sum
}

/// 1 / g and 1 / g^2 where g^3 = g + 1, in units of 2^-32: multiples of these fill the square evenly (Roberts 2018).
const STEPS: [u32; 2] = [3_242_174_889, 2_447_445_413];

leveled! {
    /// As [`pack_all`], rounded up or down by row, as evenly as can be: where units are coarse, sums stay right.
    fn pack_dithered(derivatives: &[Derivative], factors: [f64; 2], key: u64, first: usize, pairs: &mut [u64]) -> u64 = pack_dithered_body
}

#[inline(always)]
fn pack_dithered_body(derivatives: &[Derivative], factors: [f64; 2], key: u64, first: usize, pairs: &mut [u64]) -> u64 {
    let mut sum = 0u64;
    for (row, (pair, &[gradient, hessian])) in pairs.iter_mut().zip(derivatives).enumerate() {
        // Multiples of two irrational numbers, each row's as far from its neighbours' as can be: over any run of rows errors even out, where independent draws' would add up to 2e-6 of the sum over 10^7 rows.
        let row = (first + row) as u32;
        let dither = |step: u32, start: u32| {
            f64::from(row.wrapping_mul(step).wrapping_add(start)) * (1.0 / 4_294_967_296.0) - 0.5
        };
        let gradient = f64::from(gradient) * factors[0] + dither(STEPS[0], key as u32);
        let hessian = f64::from(hessian) * factors[1] + dither(STEPS[1], (key >> 32) as u32);
        // What is 0 stays 0: half of a unit rounds to the even side.
        *pair = pair::pack(pair::nearest(gradient), pair::nearest(hessian));
        sum = sum.wrapping_add(*pair);
    }
    sum
}
