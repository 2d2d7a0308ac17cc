//! A leaf's best split.

use crate::kernel::vector::VectorSplit;

/// A leaf's best split.
pub(super) struct Found {
    pub(super) place: usize,
    pub(super) split: VectorSplit,
    pub(super) gain: f64,
    /// The left side's sums.
    pub(super) left: Vec<i32>,
}

impl Found {
    /// By the feature's cells, as [`best_vector_split`] has them; the gain is yet to be had.
    pub(super) fn new(place: usize, split: VectorSplit, cells: &[i32], width: usize, categorical: bool) -> Self {
        let cell = |bin: usize| &cells[bin * width..][..width];
        let mut left = cell(split.bin).to_vec();
        if split.default_left {
            left.iter_mut()
                .zip(cell(cells.len() / width - 1))
                .for_each(|(left, lane)| *left = left.wrapping_add(*lane));
        }
        if categorical && split.bin > 0 {
            left.iter_mut().zip(cell(split.bin - 1)).for_each(|(left, lane)| *left = left.wrapping_sub(*lane));
        }
        Found { place, split, gain: 0.0, left }
    }
}
