//! Rows to the left and right of a split, in their order.

use super::histogram::{Words, prefetch};
use super::leveled;

const AHEAD: usize = 16;

leveled! {
    /// Moves the rows whose bin goes left to the front of `rows`, the others behind them, each in their order; `left[bin]` is 1 where the bin goes left. Returns how many went left. `spare` is at least as long as `rows`.
    fn partition(words: Words, shift: u32, left: &[u8; 256], rows: &mut [u32], spare: &mut [u32]) -> usize = partition_body
}

#[inline(always)]
fn partition_body(words: Words, shift: u32, left: &[u8; 256], rows: &mut [u32], spare: &mut [u32]) -> usize {
    let Words { words, stride, offset } = words;
    let n_rows = rows.len();
    let spare = &mut spare[..n_rows];
    let (mut n_left, mut n_right) = (0, 0);
    for i in 0..n_rows {
        if i + AHEAD < n_rows {
            prefetch(words, rows[i + AHEAD] as usize * stride + offset);
        }
        let row = rows[i];
        let bin = (words[row as usize * stride + offset] >> shift) as u8;
        let goes_left = usize::from(left[bin as usize]);
        // Both are written, one counts: no branch to guess.
        rows[n_left] = row;
        spare[n_right] = row;
        n_left += goes_left;
        n_right += 1 - goes_left;
    }
    rows[n_left..].copy_from_slice(&spare[..n_right]);
    n_left
}
