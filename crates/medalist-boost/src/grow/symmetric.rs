//! Oblivious trees: all leaves of a level are split by the same feature and threshold, the one that gains most in their sum.

use super::Growing;
use crate::bins::Place;
use crate::pair;
use crate::split::{Condition, Rules, Search, Split};

/// A candidate for a level.
#[derive(Clone, Copy)]
struct Candidate {
    /// What all leaves' scores would add up to.
    total: f64,
    place: usize,
    condition: Condition,
}

/// What goes left by a condition on a feature, of a leaf whose cells these are: of categories one, of numbers all up to a bin.
fn left_of(place: &Place, cells: &[u64], bin: usize, default_left: bool) -> u64 {
    if place.categorical {
        let before = if bin == 0 { 0 } else { cells[bin - 1] };
        return cells[bin].wrapping_sub(before);
    }
    cells[bin].wrapping_add(if default_left { cells[place.n_bins] } else { 0 })
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
                let Some(slot) = self.leaves[leaf].slot else { continue };
                let cells = &self.grower.slots[slot][place.cells..][..place.n_bins + 1];
                self.add_leaf(leaf, place, cells, &mut totals, &mut parted);
            }
            for (bin, (total, parted)) in totals.iter().zip(&parted).enumerate() {
                if random.is_some_and(|random| random != bin) {
                    continue;
                }
                for (side, default_left) in [(0, true), (1, false)] {
                    let beats = best.map_or(total[side] > floor, |best| total[side] > best.total);
                    // A missing category goes right.
                    if parted[side] && beats && !(place.categorical && default_left) {
                        let condition = if place.categorical {
                            let mut bits = [0; 4];
                            bits[bin / 64] = 1 << (bin % 64);
                            Condition::Categories(bits)
                        } else {
                            Condition::Threshold { bin: bin as u8, default_left }
                        };
                        best = Some(Candidate { total: total[side], place: index, condition });
                    }
                }
            }
        }
        best
    }

    /// Adds what each condition would make of a leaf.
    fn add_leaf(&self, leaf: usize, place: &Place, cells: &[u64], totals: &mut [[f64; 2]], parted: &mut [[bool; 2]]) {
        let rules = self.job.rules;
        let state = self.leaves[leaf].state;
        let least = rules.least_second(&state);
        let own = rules.score(rules.sums(state.sum), rules.params.lambda_l2, None);
        let own = if own.is_finite() { own } else { 0.0 };
        for (bin, (total, parted)) in totals.iter_mut().zip(parted).enumerate() {
            for (side, default_left) in [(0, true), (1, false)] {
                let left = left_of(place, cells, bin, default_left);
                let right = state.sum.wrapping_sub(left);
                let parts = pair::second(left) >= least && pair::second(right) >= least;
                parted[side] |= parts;
                total[side] += if parts { both(rules, left, right) } else { own };
            }
        }
    }

    /// Makes the level's split a leaf's own.
    fn set_split(&mut self, leaf: usize, best: &Candidate) {
        let rules = self.job.rules;
        let state = self.leaves[leaf].state;
        let Some(slot) = self.leaves[leaf].slot else { return };
        let place = &self.grower.bins.places()[best.place];
        let cells = &self.grower.slots[slot][place.cells..];
        let left = match best.condition {
            Condition::Threshold { bin, default_left } => left_of(place, cells, usize::from(bin), default_left),
            Condition::Categories(bits) => {
                let bin = (0..place.n_bins).find(|bin| bits[bin / 64] >> (bin % 64) & 1 == 1);
                bin.map_or(0, |bin| left_of(place, cells, bin, false))
            }
        };
        let right = state.sum.wrapping_sub(left);
        let search = Search::new(rules, self.grower.bins.places(), state);
        let total = both(rules, left, right);
        let gain = (total - rules.to_beat(&state)).max(0.0);
        self.leaves[leaf].split = Some(Split {
            total,
            gain,
            place: best.place,
            condition: best.condition,
            left,
            right,
            l2: rules.params.lambda_l2,
            outputs: search.outputs_or_parent(left, right),
        });
    }
}

fn both(rules: &Rules, left: u64, right: u64) -> f64 {
    let l2 = rules.params.lambda_l2;
    rules.score(rules.sums(left), l2, None) + rules.score(rules.sums(right), l2, None)
}
