//! Which thresholds of a feature could win: the split search's vector part.
//!
//! Gains are compared in single precision without a division, with a margin that covers the rounding; what passes is computed again in double precision by the caller. So the outcome is that of the double-precision search, on every instruction set.

use super::Level;

/// A leaf's part in the comparison.
///
/// Gradients are integers; Hessians are in a unit in which the root's sum is about 1, so that products stay within single precision.
#[derive(Clone, Copy)]
pub(crate) struct Screen {
    /// The leaf's sums, in integers.
    pub first: i32,
    pub second: i32,
    /// Hessian sums that each side must have, in integers.
    pub least_second: i32,
    /// Hessians to their unit.
    pub unit: f32,
    /// In integers.
    pub l1: f32,
    /// In the Hessians' unit.
    pub l2: f32,
    /// The score that a split must beat: the sum over both sides of (sum of gradients)^2 / (sum of Hessians + L2).
    pub to_beat: f32,
}

/// How far single precision may be wrong, relatively: some ten roundings of 2^-24 each.
const MARGIN: f32 = 2e-6;

/// Thresholds at a time.
pub(crate) const BLOCK: usize = 8;

/// A block in which a threshold could win: a bit for each that could with missing values on the left, and with them on the right.
#[derive(Clone, Copy)]
pub(crate) struct Hit {
    pub block: usize,
    pub left: u32,
    pub right: u32,
}

/// The first such block from `from` on; None where none is left. `cells` holds at least `n_blocks` blocks, `missing` is 0 where nothing is.
pub(crate) fn next_hit(
    level: Level,
    cells: &[u64],
    from: usize,
    n_blocks: usize,
    missing: u64,
    screen: &Screen,
) -> Option<Hit> {
    #[cfg(target_arch = "x86_64")]
    if level >= Level::V3 {
        // SAFETY: from this level on processors have the instructions, see `leveled`.
        return unsafe { avx2::next_hit(cells, from, n_blocks, missing, screen) };
    }
    let _ = level;
    let (blocks, _) = cells.as_chunks::<BLOCK>();
    for (block, cells) in blocks.iter().enumerate().take(n_blocks).skip(from) {
        let left = screen_block(cells, missing, screen);
        let right = if missing == 0 { 0 } else { screen_block(cells, 0, screen) };
        if left | right != 0 {
            return Some(Hit { block, left, right });
        }
    }
    None
}

#[inline(always)]
fn screen_block(cells: &[u64; BLOCK], missing: u64, screen: &Screen) -> u32 {
    let mut passes = 0;
    for (lane, cell) in cells.iter().enumerate() {
        let left = cell.wrapping_add(missing);
        let (first, second) = ((left >> 32) as i32, left as i32);
        let (other_first, other_second) = (screen.first.wrapping_sub(first), screen.second.wrapping_sub(second));
        // Inflated, so that what L1 leaves is an upper bound.
        let weigh = |first: i32| ((first as f32).abs() * (1.0 + MARGIN) - screen.l1).max(0.0);
        let (gradient, other_gradient) = (weigh(first), weigh(other_first));
        let hessian = second as f32 * screen.unit + screen.l2;
        let other_hessian = other_second as f32 * screen.unit + screen.l2;
        let score = gradient * gradient * other_hessian + other_gradient * other_gradient * hessian;
        let wanted = screen.to_beat * (1.0 - MARGIN) * (hessian * other_hessian);
        let enough = second.min(other_second) >= screen.least_second;
        passes |= u32::from((score >= wanted) & enough) << lane;
    }
    passes
}

/// The same with eight lanes in a register: left to itself the compiler uses half of one, and the search takes three times as long (.96 against .31 ms a tree on 40,000 rows x 25).
#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::*;

    use super::{BLOCK, Hit, MARGIN, Screen};

    struct Lanes {
        first: __m256i,
        second: __m256i,
        least: __m256i,
        unit: __m256,
        l1: __m256,
        l2: __m256,
        to_beat: __m256,
        sign: __m256,
        inflate: __m256,
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,fma,lzcnt,popcnt")]
    pub(super) fn next_hit(cells: &[u64], from: usize, n_blocks: usize, missing: u64, screen: &Screen) -> Option<Hit> {
        match (screen.l1 > 0.0, missing != 0) {
            (false, false) => run::<false, false>(cells, from, n_blocks, missing, screen),
            (false, true) => run::<false, true>(cells, from, n_blocks, missing, screen),
            (true, false) => run::<true, false>(cells, from, n_blocks, missing, screen),
            (true, true) => run::<true, true>(cells, from, n_blocks, missing, screen),
        }
    }

    #[target_feature(enable = "avx2,bmi1,bmi2,fma,lzcnt,popcnt")]
    fn run<const L1: bool, const MISSING: bool>(
        cells: &[u64],
        from: usize,
        n_blocks: usize,
        missing: u64,
        screen: &Screen,
    ) -> Option<Hit> {
        let lanes = Lanes {
            first: _mm256_set1_epi32(screen.first),
            second: _mm256_set1_epi32(screen.second),
            least: _mm256_set1_epi32(screen.least_second - 1),
            unit: _mm256_set1_ps(screen.unit),
            l1: _mm256_set1_ps(screen.l1),
            l2: _mm256_set1_ps(screen.l2),
            to_beat: _mm256_set1_ps(screen.to_beat * (1.0 - MARGIN)),
            sign: _mm256_set1_ps(-0.0),
            inflate: _mm256_set1_ps(1.0 + MARGIN),
        };
        let missing_first = _mm256_set1_epi32((missing >> 32) as i32);
        let missing_second = _mm256_set1_epi32(missing as i32);
        let (blocks, _) = cells.as_chunks::<BLOCK>();
        for (block, cells) in blocks[..n_blocks].iter().enumerate().skip(from) {
            // SAFETY: eight numbers are 64 bytes; the loads ask for no alignment.
            let (low, high) = unsafe {
                let start = cells.as_ptr().cast::<__m256i>();
                (_mm256_loadu_si256(start), _mm256_loadu_si256(start.add(1)))
            };
            let (low, high) = (_mm256_castsi256_ps(low), _mm256_castsi256_ps(high));
            // Cells 0 1 4 5 2 3 6 7, see `in_order`.
            let second = _mm256_castps_si256(_mm256_shuffle_ps::<0x88>(low, high));
            let first = _mm256_castps_si256(_mm256_shuffle_ps::<0xdd>(low, high));
            let (left, right) = if MISSING {
                let with =
                    lanes.pass::<L1>(_mm256_add_epi32(first, missing_first), _mm256_add_epi32(second, missing_second));
                (with, lanes.pass::<L1>(first, second))
            } else {
                (lanes.pass::<L1>(first, second), 0)
            };
            if left | right != 0 {
                return Some(Hit { block, left: in_order(left), right: in_order(right) });
            }
        }
        None
    }

    impl Lanes {
        #[inline]
        #[target_feature(enable = "avx2,bmi1,bmi2,fma,lzcnt,popcnt")]
        fn pass<const L1: bool>(&self, first: __m256i, second: __m256i) -> u32 {
            let other_first = _mm256_sub_epi32(self.first, first);
            let other_second = _mm256_sub_epi32(self.second, second);
            let mut gradient = _mm256_cvtepi32_ps(first);
            let mut other_gradient = _mm256_cvtepi32_ps(other_first);
            if L1 {
                let weigh = |gradient: __m256| {
                    let size = _mm256_andnot_ps(self.sign, gradient);
                    _mm256_max_ps(_mm256_fmsub_ps(size, self.inflate, self.l1), _mm256_setzero_ps())
                };
                (gradient, other_gradient) = (weigh(gradient), weigh(other_gradient));
            }
            let hessian = _mm256_fmadd_ps(_mm256_cvtepi32_ps(second), self.unit, self.l2);
            let other_hessian = _mm256_fmadd_ps(_mm256_cvtepi32_ps(other_second), self.unit, self.l2);
            let score = _mm256_fmadd_ps(
                _mm256_mul_ps(gradient, gradient),
                other_hessian,
                _mm256_mul_ps(_mm256_mul_ps(other_gradient, other_gradient), hessian),
            );
            let wanted = _mm256_mul_ps(_mm256_mul_ps(hessian, other_hessian), self.to_beat);
            let beats = _mm256_cmp_ps::<_CMP_GE_OQ>(score, wanted);
            let enough = _mm256_cmpgt_epi32(_mm256_min_epi32(second, other_second), self.least);
            _mm256_movemask_ps(_mm256_and_ps(beats, _mm256_castsi256_ps(enough))) as u32
        }
    }

    fn in_order(bits: u32) -> u32 {
        bits & 0b1100_0011 | (bits & 0b0000_1100) << 2 | (bits & 0b0011_0000) >> 2
    }
}
