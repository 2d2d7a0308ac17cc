//! Derivatives of many outputs, each row's side by side: what leaf vectors are made of.
//!
//! A row's `lanes` are its outputs and zeros. Every sum is added up in the order of the rows, or of the outputs: all instruction sets round alike.

use super::leveled;
use crate::pair::nearest;

leveled! {
    /// Lays out a run of rows, from each output's derivatives; adds each row's Hessians, times its factor, to `totals`. `factors` may be empty: all are 1.
    fn lay_out(outputs: &[&[[f32; 2]]], factors: &[f32], lanes: usize, derivatives: &mut [[f32; 2]], totals: &mut [f64]) = lay_out_body
}

#[inline(always)]
fn lay_out_body(
    outputs: &[&[[f32; 2]]],
    factors: &[f32],
    lanes: usize,
    derivatives: &mut [[f32; 2]],
    totals: &mut [f64],
) {
    for (output, own) in outputs.iter().enumerate() {
        if factors.is_empty() {
            totals.iter_mut().zip(*own).for_each(|(total, [_, hessian])| *total += f64::from(*hessian));
        } else {
            for ((total, [_, hessian]), &factor) in totals.iter_mut().zip(*own).zip(factors) {
                *total += f64::from(*hessian) * f64::from(factor);
            }
        }
        derivatives.chunks_exact_mut(lanes).zip(*own).for_each(|(to, own)| to[output] = *own);
    }
}

leveled! {
    /// Adds the sizes of the rows' derivatives, times their factors, to `sums` (lanes, 2).
    fn add_sizes(derivatives: &[[f32; 2]], lanes: usize, rows: &[u32], factors: &[f32], sums: &mut [f64]) = add_sizes_body
}

#[inline(always)]
fn add_sizes_body(derivatives: &[[f32; 2]], lanes: usize, rows: &[u32], factors: &[f32], sums: &mut [f64]) {
    for &row in rows {
        add(derivatives, lanes, row, factors, sums, |part| f64::from(part.abs()));
    }
}

leveled! {
    /// Adds the rows' derivatives, times their factors, to their leaves' `sums` (n_leaves, lanes, 2).
    fn add_by_leaf(derivatives: &[[f32; 2]], lanes: usize, rows: &[u32], factors: &[f32], leaf_of: &[u32], sums: &mut [f64]) = add_by_leaf_body
}

#[inline(always)]
fn add_by_leaf_body(
    derivatives: &[[f32; 2]],
    lanes: usize,
    rows: &[u32],
    factors: &[f32],
    leaf_of: &[u32],
    sums: &mut [f64],
) {
    for &row in rows {
        let sums = &mut sums[leaf_of[row as usize] as usize * 2 * lanes..][..2 * lanes];
        add(derivatives, lanes, row, factors, sums, f64::from);
    }
}

/// Parts of derivatives that are added together.
const PARTS: usize = 16;

#[inline(always)]
fn add(derivatives: &[[f32; 2]], lanes: usize, row: u32, factors: &[f32], sums: &mut [f64], of: impl Fn(f32) -> f64) {
    let (sums, _) = sums.as_chunks_mut::<PARTS>();
    let (parts, _) = derivatives[row as usize * lanes..][..lanes].as_flattened().as_chunks::<PARTS>();
    let factor = factors.get(row as usize).map_or(1.0, |&factor| f64::from(factor));
    for (sums, parts) in sums.iter_mut().zip(parts) {
        sums.iter_mut().zip(parts).for_each(|(sum, part)| *sum += of(*part) * factor);
    }
}

leveled! {
    /// Rounds the rows' gradients, times their factors and the first unit, to integers; the last lane is the row's total times the second one.
    fn round(derivatives: &[[f32; 2]], lanes: usize, rows: &[u32], factors: &[f32], totals: &[f64], units: [f64; 2], out: &mut [i32]) = round_body
}

#[inline(always)]
fn round_body(
    derivatives: &[[f32; 2]],
    lanes: usize,
    rows: &[u32],
    factors: &[f32],
    totals: &[f64],
    units: [f64; 2],
    out: &mut [i32],
) {
    for &row in rows {
        let own = row as usize * lanes..(row as usize + 1) * lanes;
        let factor = factors.get(row as usize).map_or(1.0, |&factor| f64::from(factor));
        let out = &mut out[own.clone()];
        for (out, [gradient, _]) in out.iter_mut().zip(&derivatives[own]) {
            *out = nearest(f64::from(*gradient) * factor * units[0]);
        }
        out[lanes - 1] = nearest(totals[row as usize] * units[1]);
    }
}

leveled! {
    /// Adds each row's leaf's value to its score; rows ascend.
    fn add_leaf_values(rows: &[u32], leaf_of: &[u32], values: &[f64], scores: &mut [f64]) = add_leaf_values_body
}

#[inline(always)]
fn add_leaf_values_body(rows: &[u32], leaf_of: &[u32], values: &[f64], scores: &mut [f64]) {
    let (Some(&first), Some(&last)) = (rows.first(), rows.last()) else { return };
    let run = first as usize..last as usize + 1;
    if run.len() == rows.len() {
        let each = scores[run.clone()].iter_mut().zip(&leaf_of[run]);
        each.for_each(|(score, &leaf)| *score += values[leaf as usize]);
    } else {
        rows.iter().for_each(|&row| scores[row as usize] += values[leaf_of[row as usize] as usize]);
    }
}
