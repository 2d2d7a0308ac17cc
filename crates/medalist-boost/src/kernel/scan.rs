//! Which thresholds of a feature could win: the split search's vector part.
//!
//! Gains are compared in single precision without a division, with a margin that covers the rounding; what passes is computed again in double precision by the caller. So the outcome is that of the double-precision search, on every instruction set.

use super::leveled;

/// A leaf's part in the comparison, in units in which the root's sums are 1.
#[derive(Clone, Copy)]
pub(crate) struct Screen {
    /// The leaf's sums, in integers.
    pub first: i32,
    pub second: i32,
    /// Hessian sums that each side must have, in integers.
    pub least_second: i32,
    /// Integers to units.
    pub unit: f32,
    /// L1 and L2, in units.
    pub l1: f32,
    pub l2: f32,
    /// The score that a split must beat: the sum over both sides of (sum of gradients)^2 / (sum of Hessians + L2), in units.
    pub to_beat: f32,
}

/// How far single precision may be wrong, relatively: some ten roundings of 2^-24 each.
const MARGIN: f32 = 2e-6;

/// Lanes at a time.
pub(crate) const BLOCK: usize = 8;

leveled! {
    /// For the eight cells from `start` on: a bit for each threshold that could beat the screen, with `missing` added to the left side.
    fn screen_block(cells: &[u64; 8], missing: u64, screen: &Screen) -> u32 = screen_body
}

leveled! {
    /// The first block of `BLOCK` thresholds, from `from` on, in which one could win, with its bits; None where none is left.
    ///
    /// `cells` holds one block more than there are thresholds.
    fn next_hit(cells: &[u64], from: usize, n_blocks: usize, missing: u64, screen: &Screen) -> Option<(usize, u32)> = next_body
}

#[inline(always)]
fn next_body(cells: &[u64], from: usize, n_blocks: usize, missing: u64, screen: &Screen) -> Option<(usize, u32)> {
    let (blocks, _) = cells.as_chunks::<BLOCK>();
    for (place, block) in blocks.iter().enumerate().take(n_blocks).skip(from) {
        let bits = screen_body(block, missing, screen);
        if bits != 0 {
            return Some((place, bits));
        }
    }
    None
}

#[inline(always)]
fn screen_body(cells: &[u64; BLOCK], missing: u64, screen: &Screen) -> u32 {
    let mut passes = [0u32; BLOCK];
    for lane in 0..BLOCK {
        let left = cells[lane].wrapping_add(missing);
        let (first, second) = ((left >> 32) as i32, left as i32);
        let (other_first, other_second) = (screen.first.wrapping_sub(first), screen.second.wrapping_sub(second));
        let weigh = |first: i32| {
            // Inflated, so that what L1 takes away leaves an upper bound.
            ((first as f32 * screen.unit).abs() * (1.0 + MARGIN) - screen.l1).max(0.0)
        };
        let (gradient, other_gradient) = (weigh(first), weigh(other_first));
        let hessian = second as f32 * screen.unit + screen.l2;
        let other_hessian = other_second as f32 * screen.unit + screen.l2;
        let score = gradient * gradient * other_hessian + other_gradient * other_gradient * hessian;
        let wanted = screen.to_beat * (1.0 - MARGIN) * (hessian * other_hessian);
        let enough = (second >= screen.least_second) & (other_second >= screen.least_second);
        passes[lane] = u32::from((score >= wanted) & enough) << lane;
    }
    passes.iter().fold(0, |bits, lane| bits | lane)
}
