//! Gradient sums by bin: the loop where most of a tree's time goes.
//!
//! Eight features' bins lie in one 64-bit word, a tile: one load feeds eight histograms of 256 cells of 8 bytes, 16 KB, which stay in the first-level cache. A cell is a packed pair, see [`crate::pair`]; sums of integers do not depend on their order.

use super::{Level, leveled};
use crate::bins::{MISSING, Member};

/// The cells of one feature, by bin.
pub(crate) type Cells = [u64; 256];

/// One tile's histograms while they are summed: the k-th used feature's cells at k.
pub(crate) type TileCells = [Cells; 8];

/// Tiles whose words lie side by side, at most: half a cache line.
pub(crate) const TILES: usize = 4;

leveled! {
    /// Copies the rows' words out of a panel of `stride` tiles, each tile's together: tile t's from `t * rows.len()` on.
    fn gather_words(panel: &[u64], stride: usize, rows: &[u32], out: &mut [u64]) = gather_words_body
}

#[inline(always)]
fn gather_words_body(panel: &[u64], stride: usize, rows: &[u32], out: &mut [u64]) {
    match stride {
        1 => gather_tiles::<1>(panel, rows, out),
        2 => gather_tiles::<2>(panel, rows, out),
        3 => gather_tiles::<3>(panel, rows, out),
        _ => gather_tiles::<TILES>(panel, rows, out),
    }
}

#[inline(always)]
fn gather_tiles<const N: usize>(panel: &[u64], rows: &[u32], out: &mut [u64]) {
    let (panel, _) = panel.as_chunks::<N>();
    let mut outs = out.chunks_exact_mut(rows.len());
    let mut outs: [&mut [u64]; N] = std::array::from_fn(|_| outs.next().unwrap_or_default());
    for (i, &row) in rows.iter().enumerate() {
        if let Some(&ahead) = rows.get(i + AHEAD) {
            prefetch(panel, ahead as usize);
        }
        let words = &panel[row as usize];
        for (out, word) in outs.iter_mut().zip(words) {
            out[i] = *word;
        }
    }
}

leveled! {
    /// Copies the rows' pairs.
    fn gather_pairs(pairs: &[u64], rows: &[u32], out: &mut [u64]) = gather_pairs_body
}

#[inline(always)]
fn gather_pairs_body(pairs: &[u64], rows: &[u32], out: &mut [u64]) {
    for (i, (out, &row)) in out.iter_mut().zip(rows).enumerate() {
        if let Some(&ahead) = rows.get(i + AHEAD) {
            prefetch(pairs, ahead as usize);
        }
        *out = pairs[row as usize];
    }
}

/// Adds each pair to the cells of its word, for the features whose bytes are set in `mask`.
pub(crate) fn accumulate(level: Level, words: &[u64], pairs: &[u64], mask: u64, cells: &mut TileCells) {
    let n_used = mask.count_ones() / 8;
    if n_used == 0 {
        return;
    }
    // The used bytes are the lowest ones unless features are left out.
    if mask == u64::MAX >> (64 - 8 * n_used) {
        return accumulate_all(level, words, pairs, n_used, cells);
    }
    #[cfg(target_arch = "x86_64")]
    if level >= Level::V3 {
        // SAFETY: from this level on processors have the instructions, see `leveled`.
        return unsafe { accumulate_extracted(words, pairs, mask, cells) };
    }
    accumulate_some(level, words, pairs, mask, cells);
}

leveled! {
    /// The lowest `n_used` bytes of each word.
    fn accumulate_all(words: &[u64], pairs: &[u64], n_used: u32, cells: &mut TileCells) = all_body
}

#[inline(always)]
fn all_body(words: &[u64], pairs: &[u64], n_used: u32, cells: &mut TileCells) {
    by_width(words, pairs, n_used, cells, |word| word);
}

leveled! {
    /// The bytes of each word that are set in `mask`.
    fn accumulate_some(words: &[u64], pairs: &[u64], mask: u64, cells: &mut TileCells) = some_body
}

#[inline(always)]
fn some_body(words: &[u64], pairs: &[u64], mask: u64, cells: &mut TileCells) {
    by_width(words, pairs, mask.count_ones() / 8, cells, |word| {
        let (mut out, mut place, mut left) = (0, 0, mask);
        while left != 0 {
            let shift = left.trailing_zeros();
            out |= ((word >> shift) & 0xff) << place;
            place += 8;
            left &= !(0xff << shift);
        }
        out
    });
}

/// As [`some_body`], by the instruction that does just this.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,bmi1,bmi2,fma,lzcnt,popcnt")]
fn accumulate_extracted(words: &[u64], pairs: &[u64], mask: u64, cells: &mut TileCells) {
    by_width(words, pairs, mask.count_ones() / 8, cells, |word| std::arch::x86_64::_pext_u64(word, mask));
}

#[inline(always)]
fn by_width(words: &[u64], pairs: &[u64], n_used: u32, cells: &mut TileCells, narrow: impl Fn(u64) -> u64) {
    match n_used {
        0 => {}
        1 => rowwise::<1>(words, pairs, cells, narrow),
        2 => rowwise::<2>(words, pairs, cells, narrow),
        3 => rowwise::<3>(words, pairs, cells, narrow),
        4 => rowwise::<4>(words, pairs, cells, narrow),
        5 => rowwise::<5>(words, pairs, cells, narrow),
        6 => rowwise::<6>(words, pairs, cells, narrow),
        7 => rowwise::<7>(words, pairs, cells, narrow),
        _ => rowwise::<8>(words, pairs, cells, narrow),
    }
}

#[inline(always)]
fn rowwise<const N: usize>(words: &[u64], pairs: &[u64], cells: &mut TileCells, narrow: impl Fn(u64) -> u64) {
    for (&word, &pair) in words.iter().zip(pairs) {
        let word = narrow(word);
        for (k, cells) in cells[..N].iter_mut().enumerate() {
            let cell = &mut cells[(word >> (8 * k)) as u8 as usize];
            *cell = cell.wrapping_add(pair);
        }
    }
}

/// How many rows ahead one is asked for: in a leaf of few rows each lies in a cache line of its own.
pub(super) const AHEAD: usize = 16;

/// Asks for a value that will be needed soon; a place outside of the slice does nothing.
#[inline(always)]
pub(super) fn prefetch<T>(values: &[T], place: usize) {
    #[cfg(target_arch = "x86_64")]
    {
        let address = values.as_ptr().wrapping_add(place).cast::<i8>();
        // SAFETY: a prefetch never faults and changes nothing, whatever the address. (A factor of two on 380,000 rows x 25.)
        unsafe { std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(address) };
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        let _ = (values, place);
    }
}

leveled! {
    /// Cumulative sums of one feature: `out[b]` is the sum of bins 0..=b, `out[n_bins]` the missing cell, which stays out of the sums. Clears `cells`.
    fn cumulate(cells: &mut Cells, out: &mut [u64]) = cumulate_body
}

#[inline(always)]
fn cumulate_body(cells: &mut Cells, out: &mut [u64]) {
    let n_bins = out.len() - 1;
    let mut sum = 0u64;
    for (out, cell) in out[..n_bins].iter_mut().zip(cells.iter()) {
        sum = sum.wrapping_add(*cell);
        *out = sum;
    }
    out[n_bins] = cells[MISSING as usize];
    cells[..n_bins].fill(0);
    cells[MISSING as usize] = 0;
}

/// As [`cumulate`], of a bundle's cells, which add up to `total`: the default bin's rows are those that no code of the feature's holds. Leaves `cells` as they are.
pub(crate) fn cumulate_member(cells: &Cells, member: &Member, total: u64, out: &mut [u64]) {
    let n_bins = out.len() - 1;
    let mut own = &cells[usize::from(member.first)..][..usize::from(member.len)];
    let rest = own.iter().fold(total, |rest, cell| rest.wrapping_sub(*cell));
    out[n_bins] = if member.default == MISSING { rest } else { 0 };
    if let (true, Some((missing, values))) = (member.missing, own.split_last()) {
        (out[n_bins], own) = (*missing, values);
    }
    let (below, above) = own.split_at(usize::from(member.default).min(own.len()));
    let middle = (member.default != MISSING).then_some(&rest);
    let mut sum = 0u64;
    for (out, cell) in out[..n_bins].iter_mut().zip(below.iter().chain(middle).chain(above)) {
        sum = sum.wrapping_add(*cell);
        *out = sum;
    }
}

leveled! {
    /// `parent -= child`, cell by cell: the other child's sums, exactly.
    fn subtract(parent: &mut [u64], child: &[u64]) = subtract_body
}

#[inline(always)]
fn subtract_body(parent: &mut [u64], child: &[u64]) {
    for (parent, child) in parent.iter_mut().zip(child) {
        *parent = parent.wrapping_sub(*child);
    }
}
