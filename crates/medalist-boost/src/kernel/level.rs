//! What every threshold of a feature would make of a leaf: for oblivious trees, whose leaves of a level are split alike.

use super::leveled;

/// A leaf, in real units.
#[derive(Clone, Copy)]
pub(crate) struct Whole {
    /// Packed sums.
    pub sum: u64,
    /// The Hessian sum that each side must have, in integers.
    pub least_second: i32,
    /// What an integer is worth.
    pub first: f64,
    pub second: f64,
    pub l1: f64,
    pub l2: f64,
    /// Its score as it is.
    pub own: f64,
}

leveled! {
    /// Adds to each total the score of both sides, or the leaf's own where a side would have too little; counts in `parted` where neither has. `lefts` are the packed sums of the left sides.
    fn add_scores(lefts: &[u64], leaf: Whole, totals: &mut [f64], parted: &mut [u32]) = add_scores_body
}

#[inline(always)]
fn add_scores_body(lefts: &[u64], leaf: Whole, totals: &mut [f64], parted: &mut [u32]) {
    let (all_first, all_second) = ((leaf.sum >> 32) as i32, leaf.sum as i32);
    let weigh = |first: i32| {
        let shrunk = ((f64::from(first) * leaf.first).abs() - leaf.l1).max(0.0);
        shrunk * shrunk
    };
    for ((&left, total), parted) in lefts.iter().zip(totals).zip(parted) {
        let (first, second) = ((left >> 32) as i32, left as i32);
        let (other_first, other_second) = (all_first.wrapping_sub(first), all_second.wrapping_sub(second));
        let hessian = f64::from(second) * leaf.second + leaf.l2;
        let other_hessian = f64::from(other_second) * leaf.second + leaf.l2;
        // One division for both sides.
        let score = (weigh(first) * other_hessian + weigh(other_first) * hessian) / (hessian * other_hessian);
        let parts = second.min(other_second) >= leaf.least_second;
        *total += if parts { score } else { leaf.own };
        *parted += u32::from(parts);
    }
}
