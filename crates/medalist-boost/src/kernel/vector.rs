//! Gradients of several outputs at once: a cell is a vector, one lane an output, the last lane the Hessian.
//!
//! Lanes are 32-bit integers whose sums over all rows stay below 2^31, as those of [`crate::pair`].

use super::histogram::{AHEAD, prefetch};
use super::leveled;

/// Lanes come in registers of eight.
pub(crate) const REGISTER: usize = 8;

leveled! {
    /// Copies the rows' vectors.
    fn gather_vectors(vectors: &[i32], lanes: usize, rows: &[u32], out: &mut [i32]) = gather_vectors_body
}

#[inline(always)]
fn gather_vectors_body(vectors: &[i32], lanes: usize, rows: &[u32], out: &mut [i32]) {
    for (i, (out, &row)) in out.chunks_exact_mut(lanes).zip(rows).enumerate() {
        if let Some(&ahead) = rows.get(i + AHEAD) {
            (0..lanes).step_by(2 * REGISTER).for_each(|lane| prefetch(vectors, ahead as usize * lanes + lane));
        }
        let (to, _) = out.as_chunks_mut::<REGISTER>();
        let (from, _) = vectors[row as usize * lanes..][..lanes].as_chunks::<REGISTER>();
        to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
    }
}

leveled! {
    /// Adds each row's vector to the cell of its bin, the byte `shift` bits up in its word: one feature's cells stay in the first-level cache. The last cell is that of missing values.
    fn accumulate_vectors(words: &[u64], shift: u32, vectors: &[i32], lanes: usize, cells: &mut [i32]) = accumulate_body
}

#[inline(always)]
fn accumulate_body(words: &[u64], shift: u32, vectors: &[i32], lanes: usize, cells: &mut [i32]) {
    match lanes / REGISTER {
        1 => accumulate_registers::<1>(words, shift, vectors, cells),
        2 => accumulate_registers::<2>(words, shift, vectors, cells),
        3 => accumulate_registers::<3>(words, shift, vectors, cells),
        4 => accumulate_registers::<4>(words, shift, vectors, cells),
        _ => {
            let last = cells.len() / lanes - 1;
            for (&word, vector) in words.iter().zip(vectors.chunks_exact(lanes)) {
                let cell = &mut cells[bin(word, shift).min(last) * lanes..][..lanes];
                cell.iter_mut().zip(vector).for_each(|(cell, value)| *cell = cell.wrapping_add(*value));
            }
        }
    }
}

#[inline(always)]
fn accumulate_registers<const N: usize>(words: &[u64], shift: u32, vectors: &[i32], cells: &mut [i32]) {
    let (vectors, _) = vectors.as_chunks::<REGISTER>();
    let (vectors, _) = vectors.as_chunks::<N>();
    let (cells, _) = cells.as_chunks_mut::<REGISTER>();
    let (cells, _) = cells.as_chunks_mut::<N>();
    let last = cells.len() - 1;
    for (&word, vector) in words.iter().zip(vectors) {
        let cell = &mut cells[bin(word, shift).min(last)];
        for (cell, vector) in cell.iter_mut().zip(vector) {
            cell.iter_mut().zip(vector).for_each(|(cell, value)| *cell = cell.wrapping_add(*value));
        }
    }
}

/// A missing value's is at least as large as the number of bins.
#[inline(always)]
fn bin(word: u64, shift: u32) -> usize {
    usize::from((word >> shift) as u8)
}

leveled! {
    /// Adds up the rows' vectors.
    fn sum_vectors(vectors: &[i32], rows: &[u32], sum: &mut [i32]) = sum_vectors_body
}

#[inline(always)]
fn sum_vectors_body(vectors: &[i32], rows: &[u32], sum: &mut [i32]) {
    let lanes = sum.len();
    for &row in rows {
        let vector = &vectors[row as usize * lanes..][..lanes];
        sum.iter_mut().zip(vector).for_each(|(sum, lane)| *sum = sum.wrapping_add(*lane));
    }
}

/// What a leaf's split is weighed by.
#[derive(Clone, Copy)]
pub(crate) struct VectorLeaf<'a> {
    /// Its sums, (lanes,).
    pub sum: &'a [i32],
    /// The Hessian sum that each side must have.
    pub least_second: i32,
    /// What an integer is worth.
    pub first: f64,
    pub second: f64,
    pub l2: f64,
}

/// The best threshold of a feature: both sides' scores together, the bin, whether missing values go left.
#[derive(Clone, Copy)]
pub(crate) struct VectorSplit {
    pub total: f64,
    pub bin: usize,
    pub default_left: bool,
}

leveled! {
    /// The best of a feature's thresholds, if one leaves both sides enough. `cells` are the feature's `n_bins + 1`, cumulative but for the missing one; with `each`, a bin alone against the rest instead, and missing values with the rest.
    fn best_vector_split(cells: &[i32], leaf: VectorLeaf, each: bool) -> Option<VectorSplit> = best_body
}

#[inline(always)]
fn best_body(cells: &[i32], leaf: VectorLeaf, each: bool) -> Option<VectorSplit> {
    let lanes = leaf.sum.len();
    let n_bins = cells.len() / lanes - 1;
    let missing = &cells[n_bins * lanes..];
    let some_missing = missing.iter().any(|&lane| lane != 0);
    let mut best: Option<VectorSplit> = None;
    let zeros = &leaf.sum[..0];
    for default_left in [true, false] {
        if each && default_left || !each && !default_left && !some_missing {
            continue;
        }
        let added = if default_left { missing } else { zeros };
        for step in 0..n_bins {
            // Of equal splits the highest threshold, where missing values go left: as with a single output.
            let bin = if default_left { n_bins - 1 - step } else { step };
            let before = if each && bin > 0 { &cells[(bin - 1) * lanes..][..lanes] } else { zeros };
            let total = weigh(&cells[bin * lanes..][..lanes], added, before, &leaf);
            if let Some(total) = total
                && best.is_none_or(|best| total > best.total)
            {
                best = Some(VectorSplit { total, bin, default_left });
            }
        }
    }
    best
}

/// Both sides' scores, for the left side's sum `cell + added - before`; the last two may be empty.
#[inline(always)]
fn weigh(cell: &[i32], added: &[i32], before: &[i32], leaf: &VectorLeaf) -> Option<f64> {
    let mut sums = [[0.0f32; REGISTER]; 2];
    let (mut second, mut other_second) = (0, 0);
    let n = cell.len();
    for at in (0..n).step_by(REGISTER) {
        let mut left = [0; REGISTER];
        left.copy_from_slice(&cell[at..at + REGISTER]);
        if !added.is_empty() {
            left.iter_mut().zip(&added[at..]).for_each(|(left, added)| *left = left.wrapping_add(*added));
        }
        if !before.is_empty() {
            left.iter_mut().zip(&before[at..]).for_each(|(left, before)| *left = left.wrapping_sub(*before));
        }
        let mut right = [0; REGISTER];
        right
            .iter_mut()
            .zip(&leaf.sum[at..])
            .zip(&left)
            .for_each(|((right, sum), left)| *right = sum.wrapping_sub(*left));
        if at + REGISTER == n {
            // The Hessian's lane.
            (second, other_second) = (left[REGISTER - 1], right[REGISTER - 1]);
            (left[REGISTER - 1], right[REGISTER - 1]) = (0, 0);
        }
        for (sums, side) in sums.iter_mut().zip([left, right]) {
            sums.iter_mut().zip(side).for_each(|(sum, lane)| *sum += lane as f32 * lane as f32);
        }
    }
    if second.min(other_second) < leaf.least_second {
        return None;
    }
    let side = |sums: [f32; REGISTER], second: i32| {
        let squares: f64 = sums.iter().map(|&sum| f64::from(sum)).sum();
        squares * leaf.first * leaf.first / (f64::from(second) * leaf.second + leaf.l2)
    };
    Some(side(sums[0], second) + side(sums[1], other_second))
}

leveled! {
    /// Cumulative sums over a feature's bins, in place; the last cell, the missing one, stays as it is.
    fn cumulate_vectors(cells: &mut [i32], lanes: usize) = cumulate_vectors_body
}

#[inline(always)]
fn cumulate_vectors_body(cells: &mut [i32], lanes: usize) {
    let n = cells.len() - lanes;
    for at in lanes..n {
        cells[at] = cells[at].wrapping_add(cells[at - lanes]);
    }
}

leveled! {
    /// `parent -= child`, lane by lane.
    fn subtract_vectors(parent: &mut [i32], child: &[i32]) = subtract_vectors_body
}

#[inline(always)]
fn subtract_vectors_body(parent: &mut [i32], child: &[i32]) {
    parent.iter_mut().zip(child).for_each(|(parent, child)| *parent = parent.wrapping_sub(*child));
}
