//! Leaves of few rows: their rows are sorted by bin, feature by feature, rather than summed into histograms that are nearly empty.
//!
//! The split found is the one that the histograms would give: a forest grown to the end has more such leaves than all others together.

use super::Growing;
use crate::bins::MISSING;
use crate::split::Search;

/// Rows of a small leaf, at most.
pub(crate) const ROWS: usize = 32;

impl Growing<'_, '_, '_> {
    /// Whether a leaf is searched here.
    pub(super) fn is_small(&self, leaf: usize, allowed: &[usize]) -> bool {
        let places = self.grower.bins.places();
        self.leaves[leaf].rows.len() <= ROWS && !allowed.iter().any(|&place| places[place].categorical)
    }

    pub(super) fn search_small(&mut self, leaf: usize, allowed: &[usize]) {
        let (state, node) = (self.leaves[leaf].state, self.node_key(leaf));
        let rows = &self.grower.rows[self.leaves[leaf].rows.clone()];
        let places = self.grower.bins.places();
        let mut search = Search::new(self.job.rules, places, state);
        for &index in allowed {
            let column = self.grower.bins.column(index);
            // Bins above, rows' places below: one sort of small integers.
            let mut keys = [0u16; ROWS];
            let (mut n, mut missing) = (0, 0u64);
            for (place, &row) in rows.iter().enumerate() {
                let bin = places[index].bin(column[row as usize]);
                if bin == MISSING {
                    missing = missing.wrapping_add(self.job.pairs[row as usize]);
                } else {
                    keys[n] = u16::from(bin) << 8 | place as u16;
                    n += 1;
                }
            }
            let keys = &mut keys[..n];
            if self.job.rules.params.extra_trees {
                let share = self.job.draw.threshold(node, index as u64);
                let bin_of = |key: &u16| usize::from(key >> 8);
                let (lowest, highest) = (keys.iter().map(bin_of).min(), keys.iter().map(bin_of).max());
                let sum_to = |bin: usize| {
                    let below = keys.iter().filter(|key| bin_of(key) <= bin);
                    below
                        .fold(0u64, |sum, key| sum.wrapping_add(self.job.pairs[rows[usize::from(key & 0xff)] as usize]))
                };
                search.random_between(index, lowest.zip(highest), missing, share, sum_to);
                continue;
            }
            keys.sort_unstable();
            // Missing values alone on the left: the mirror of all others there, and preferred to it.
            let lowest = keys.first().map_or(0, |key| usize::from(key >> 8));
            if missing != 0 && lowest > 0 {
                search.quick_threshold(index, 0, lowest - 1, missing, true);
            }
            let mut cell = 0u64;
            for (at, &key) in keys.iter().enumerate() {
                cell = cell.wrapping_add(self.job.pairs[rows[usize::from(key & 0xff)] as usize]);
                let bin = usize::from(key >> 8);
                match keys.get(at + 1).map(|next| usize::from(next >> 8)) {
                    Some(next) if next == bin => {}
                    Some(next) => {
                        // Of the thresholds between the two bins those that the full search prefers.
                        search.quick_threshold(index, cell, next - 1, missing, true);
                        if missing != 0 {
                            search.quick_threshold(index, cell, bin, 0, false);
                        }
                    }
                    None if missing != 0 => search.quick_threshold(index, cell, bin, 0, false),
                    None => {}
                }
            }
        }
        self.leaves[leaf].split = search.finish();
    }
}
