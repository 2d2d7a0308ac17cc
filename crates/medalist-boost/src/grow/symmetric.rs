//! Oblivious trees: all leaves of a level are split by the same feature and threshold, or category against the rest, the one that gains most in their sum.

use super::Growing;
use crate::pair;
use crate::split::{Condition, Search, Split};

/// A candidate for a level.
#[derive(Clone, Copy)]
struct Candidate {
    /// What all leaves' scores would add up to.
    total: f64,
    place: usize,
    bin: usize,
    default_left: bool,
}

impl Growing<'_, '_, '_> {
    pub(super) fn symmetric(&mut self) {
        let mut level = vec![0];
        let slot = self.any_slot();
        self.grower.build(self.job, self.job.used, self.leaves[0].rows.clone(), slot);
        self.leaves[0].slot = Some(slot);
        for depth in 0..self.job.rules.params.max_depth {
            let Some(best) = self.best_for_level(&level) else { break };
            let last = depth + 1 == self.job.rules.params.max_depth;
            let mut next = Vec::with_capacity(2 * level.len());
            for leaf in level {
                self.set_split(leaf, &best);
                let new = self.split(leaf);
                if !last {
                    self.sum_children(leaf, new);
                }
                next.extend([leaf, new]);
            }
            level = next;
        }
    }

    /// Sums the halves of a leaf; all of a level's histograms are kept.
    fn sum_children(&mut self, left: usize, right: usize) {
        let Some(parent) = self.leaves[left].slot.take() else { return };
        let slot = self.any_slot();
        let left_is_smaller = self.leaves[left].rows.len() <= self.leaves[right].rows.len();
        let (smaller, larger) = if left_is_smaller { (left, right) } else { (right, left) };
        let rows = self.leaves[smaller].rows.clone();
        self.grower.build(self.job, self.job.used, rows, slot);
        self.take_away(parent, slot);
        self.leaves[smaller].slot = Some(slot);
        self.leaves[larger].slot = Some(parent);
    }

    /// The split that brings most to all leaves of the level together; to a leaf whose rows it does not part it brings nothing.
    fn best_for_level(&self, level: &[usize]) -> Option<Candidate> {
        let rules = self.job.rules;
        let floor: f64 = level.iter().map(|&leaf| rules.to_beat(&self.leaves[leaf].state)).sum();
        let mut best: Option<Candidate> = None;
        for index in self.allowed(level[0]) {
            let place = &self.grower.bins.places()[index];
            let random = rules.params.extra_trees.then(|| {
                let share = self.job.draw.threshold(level.len() as u64, index as u64);
                (share * place.n_bins as f64) as usize
            });
            // With missing values on the left, and on the right.
            let mut totals = vec![[0.0f64; 2]; place.n_bins];
            let mut parted = vec![[false; 2]; place.n_bins];
            for &leaf in level {
                self.add_leaf(leaf, index, &mut totals, &mut parted);
            }
            for (bin, (total, parted)) in totals.iter().zip(&parted).enumerate() {
                if random.is_some_and(|random| random != bin) {
                    continue;
                }
                for (side, default_left) in [(0, true), (1, false)] {
                    let beats = best.map_or(total[side] > floor, |best| total[side] > best.total);
                    if parted[side] && beats {
                        best = Some(Candidate { total: total[side], place: index, bin, default_left });
                    }
                }
            }
        }
        best
    }

    /// What goes left of a candidate in a leaf, from its histograms.
    fn left_sum(&self, cells: &[u64], place: usize, bin: usize, default_left: bool) -> u64 {
        let place = &self.grower.bins.places()[place];
        let cells = &cells[place.cells..][..place.n_bins + 1];
        match (place.categorical, default_left) {
            // One category against the rest, missing values among these.
            (true, _) => cells[bin].wrapping_sub(if bin == 0 { 0 } else { cells[bin - 1] }),
            (false, true) => cells[bin].wrapping_add(cells[place.n_bins]),
            (false, false) => cells[bin],
        }
    }

    /// Adds what each threshold, or category, would make of a leaf; minus infinity where a constraint forbids it.
    fn add_leaf(&self, leaf: usize, index: usize, totals: &mut [[f64; 2]], parted: &mut [[bool; 2]]) {
        let rules = self.job.rules;
        let state = self.leaves[leaf].state;
        let Some(slot) = self.leaves[leaf].slot else { return };
        let cells = &self.grower.slots[slot][..];
        let places = self.grower.bins.places();
        let search = Search::new(rules, places, state);
        let least = rules.least_second(&state);
        let own = rules.to_beat(&state) - rules.params.min_gain_to_split;
        for (bin, (total, parted)) in totals.iter_mut().zip(parted).enumerate() {
            for (side, default_left) in [(0, true), (1, false)] {
                if places[index].categorical && default_left {
                    continue;
                }
                let left = self.left_sum(cells, index, bin, default_left);
                let right = state.sum.wrapping_sub(left);
                if pair::second(left) == 0 || pair::second(right) == 0 {
                    total[side] += own;
                    continue;
                }
                let parts = pair::second(left) >= least && pair::second(right) >= least;
                parted[side] |= parts;
                total[side] += match search.weigh(index, left, right, rules.params.lambda_l2) {
                    None => f64::NEG_INFINITY,
                    Some(score) => {
                        if parts {
                            score
                        } else {
                            own
                        }
                    }
                };
            }
        }
    }

    /// Makes the level's split a leaf's own.
    fn set_split(&mut self, leaf: usize, best: &Candidate) {
        let rules = self.job.rules;
        let state = self.leaves[leaf].state;
        let Some(slot) = self.leaves[leaf].slot else { return };
        let left = self.left_sum(&self.grower.slots[slot], best.place, best.bin, best.default_left);
        let right = state.sum.wrapping_sub(left);
        let places = self.grower.bins.places();
        let search = Search::new(rules, places, state);
        let l2 = rules.params.lambda_l2;
        let total = search.weigh(best.place, left, right, l2).unwrap_or(0.0);
        let gain = (total - rules.to_beat(&state)).max(0.0);
        let condition = if places[best.place].categorical {
            let mut bits = [0; 4];
            bits[best.bin / 64] = 1 << (best.bin % 64);
            Condition::Categories(bits)
        } else {
            Condition::Threshold { bin: best.bin as u8, default_left: best.default_left }
        };
        self.leaves[leaf].split = Some(Split {
            total,
            gain,
            place: best.place,
            condition,
            left,
            right,
            l2,
            outputs: search.outputs_or_parent(left, right),
        });
    }
}
