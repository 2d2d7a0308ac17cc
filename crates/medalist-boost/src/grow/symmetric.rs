//! Oblivious trees: all leaves of a level are split by the same feature and threshold, or category against the rest, the one that gains most in their sum.

use super::Growing;
use crate::bins::Place;
use crate::kernel::level::{Whole, add_scores};
use crate::pair::{self, Scale};
use crate::params::Params;
use crate::split::{Condition, Search, Split};

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
        let slot = self.grower.any_slot();
        self.grower.build(self.job, self.job.used, self.leaves[0].rows.clone(), slot);
        self.leaves[0].slot = Some(slot);
        for depth in 0..self.job.rules.params.max_depth {
            let Some(best) = self.best_for_level(&level) else { break };
            let last = depth + 1 == self.job.rules.params.max_depth;
            let mut next = Vec::with_capacity(2 * level.len());
            for leaf in level {
                if !self.set_split(leaf, &best) {
                    // Both halves would say what the leaf says.
                    next.push(leaf);
                    continue;
                }
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
        let left_is_smaller = self.leaves[left].rows.len() <= self.leaves[right].rows.len();
        let (smaller, larger) = if left_is_smaller { (left, right) } else { (right, left) };
        let slot = self.grower.any_slot();
        self.grower.build(self.job, self.job.used, self.leaves[smaller].rows.clone(), slot);
        self.take_away(parent, slot);
        for (leaf, slot) in [(smaller, slot), (larger, parent)] {
            self.leaves[leaf].slot = Some(slot);
            if self.leaves[leaf].rows.len() < 2 {
                self.drop_slot(leaf);
            }
        }
    }

    /// The split that brings most to all leaves of the level together; to a leaf whose rows it does not part it brings nothing.
    fn best_for_level(&self, level: &[usize]) -> Option<Candidate> {
        let rules = self.job.rules;
        let floor: f64 = level.iter().map(|&leaf| rules.to_beat(&self.leaves[leaf].state)).sum();
        // Leaves that no condition can part bring what they have.
        let (mut fixed, mut leaves) = (0.0, Vec::new());
        for &leaf in level {
            let state = self.leaves[leaf].state;
            let own = rules.to_beat(&state) - rules.params.min_gain_to_split;
            let least_second = rules.least_second(&state);
            match self.leaves[leaf].slot {
                Some(slot) if pair::second(state.sum) >= least_second.saturating_mul(2) => {
                    let Scale { first, second } = rules.scale;
                    let Params { lambda_l1: l1, lambda_l2: l2, .. } = *rules.params;
                    leaves.push((leaf, slot, Whole { sum: state.sum, least_second, first, second, l1, l2, own }));
                }
                _ => fixed += own,
            }
        }
        let mut best: Option<Candidate> = None;
        let mut lefts = Vec::new();
        for index in self.allowed(level[0]) {
            let place = &self.grower.bins.places()[index];
            let random = rules.params.extra_trees.then(|| {
                let share = self.job.draw.threshold(level.len() as u64, index as u64);
                (share * place.n_bins as f64) as usize
            });
            let cells = |slot: usize| &self.grower.slots[slot][place.cells..][..place.n_bins + 1];
            let some_missing = leaves.iter().any(|(_, slot, _)| cells(*slot)[place.n_bins] != 0);
            // Missing values on the left, then on the right; a missing category goes right.
            for default_left in [true, false] {
                if place.categorical && default_left || !place.categorical && !default_left && !some_missing {
                    continue;
                }
                let mut totals = vec![fixed; place.n_bins];
                let mut parted = vec![0; place.n_bins];
                for (number, slot, leaf) in &leaves {
                    let cells = cells(*slot);
                    let missing = if default_left { cells[place.n_bins] } else { 0 };
                    lefts.clear();
                    if place.categorical || missing != 0 {
                        lefts.extend((0..place.n_bins).map(|bin| left_of(place, cells, bin, default_left)));
                    }
                    let lefts = if lefts.is_empty() { &cells[..place.n_bins] } else { &lefts[..] };
                    if rules.bounded {
                        self.add_bounded(*number, index, leaf, lefts, &mut totals, &mut parted);
                    } else {
                        add_scores(rules.level, lefts, *leaf, &mut totals, &mut parted);
                    }
                }
                for (bin, (&total, &parted)) in totals.iter().zip(&parted).enumerate() {
                    let beats = best.map_or(total > floor, |best| total > best.total);
                    if parted > 0 && beats && random.is_none_or(|random| random == bin) {
                        let condition = if place.categorical {
                            let mut bits = [0; 4];
                            bits[bin / 64] = 1 << (bin % 64);
                            Condition::Categories(bits)
                        } else {
                            Condition::Threshold { bin: bin as u8, default_left }
                        };
                        best = Some(Candidate { total, place: index, condition });
                    }
                }
            }
        }
        best
    }

    /// As [`add_scores`], where a leaf's value depends on more than its own sums; minus infinity where a constraint forbids the split.
    fn add_bounded(
        &self,
        leaf: usize,
        index: usize,
        whole: &Whole,
        lefts: &[u64],
        totals: &mut [f64],
        parted: &mut [u32],
    ) {
        let rules = self.job.rules;
        let search = Search::new(rules, self.grower.bins.places(), self.leaves[leaf].state);
        for ((&left, total), parted) in lefts.iter().zip(totals).zip(parted) {
            let right = whole.sum.wrapping_sub(left);
            let smaller = pair::second(left).min(pair::second(right));
            *total += match search.weigh(index, left, right, rules.params.lambda_l2) {
                None if smaller > 0 => f64::NEG_INFINITY,
                Some(score) if smaller >= whole.least_second => {
                    *parted += 1;
                    score
                }
                _ => whole.own,
            };
        }
    }

    /// Makes the level's split a leaf's own; false where it does not part the leaf's rows.
    fn set_split(&mut self, leaf: usize, best: &Candidate) -> bool {
        let rules = self.job.rules;
        let state = self.leaves[leaf].state;
        let place = &self.grower.bins.places()[best.place];
        let Some(slot) = self.leaves[leaf].slot else { return false };
        let cells = &self.grower.slots[slot][place.cells..];
        let left = match best.condition {
            Condition::Threshold { bin, default_left } => left_of(place, cells, usize::from(bin), default_left),
            Condition::Categories(bits) => {
                let bin = (0..place.n_bins).find(|bin| bits[bin / 64] >> (bin % 64) & 1 == 1);
                bin.map_or(0, |bin| left_of(place, cells, bin, false))
            }
        };
        let right = state.sum.wrapping_sub(left);
        if pair::second(left) == 0 || pair::second(right) == 0 {
            return false;
        }
        let search = Search::new(rules, self.grower.bins.places(), state);
        let l2 = rules.params.lambda_l2;
        let total = search.weigh(best.place, left, right, l2).unwrap_or(0.0);
        self.leaves[leaf].split = Some(Split {
            total,
            gain: (total - rules.to_beat(&state)).max(0.0),
            place: best.place,
            condition: best.condition,
            left,
            right,
            l2,
            outputs: search.outputs(left, right, l2),
        });
        true
    }
}
