//! Grows one tree from a tree's packed derivatives.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;

use crate::bins::Bins;
use crate::kernel::histogram::subtract;
use crate::pair;
use crate::params::Growth;
use crate::sample::Draw;
use crate::split::{LeafState, Rules, Split};
use crate::tree::{Node, Tree};

mod grower;
mod small;
mod symmetric;
pub(crate) mod vector;

pub(crate) use grower::{BUFFER_BYTES, Grower, most_slots, slot_bytes};

/// Rows that are summed tile after tile while their words are in the second-level cache.
const ROWS_A_BLOCK: usize = 1024;
/// Rows below which it does not pay to share a leaf among threads.
const ROWS_TO_SHARE: usize = 8192;

/// The features that a tree or node may use.
#[derive(Clone)]
pub(crate) struct Used {
    /// Ascending, among the bins' places.
    pub places: Vec<usize>,
    /// The same, stored column by stored column, which is their order but for bundles.
    by_group: Vec<usize>,
    /// Per tile the used bytes.
    masks: Vec<u64>,
}

impl Used {
    pub(crate) fn new(places: Vec<usize>, bins: &Bins) -> Used {
        let mut masks = vec![0; bins.n_tiles()];
        for &place in &places {
            let place = &bins.places()[place];
            masks[place.tile] |= 0xff << place.shift;
        }
        let mut by_group = places.clone();
        by_group.sort_by_key(|&place| bins.places()[place].group);
        Used { places, by_group, masks }
    }
}

/// A leaf while its tree grows.
pub(crate) struct GrowingLeaf {
    pub state: LeafState,
    /// Its training rows, in [`Grower::rows`].
    pub rows: Range<usize>,
    /// Its other rows, in [`Grower::others`].
    pub others: Range<usize>,
    depth: usize,
    /// Its histograms, while they are kept.
    slot: Option<usize>,
    split: Option<Split>,
    /// The node above it, and whether it is that one's right child.
    parent: Option<(usize, bool)>,
    /// Features on the path to it, where constraints ask.
    path: Vec<usize>,
}

/// What a tree is grown with, beside the rows.
pub(crate) struct Job<'a> {
    pub rules: &'a Rules<'a>,
    /// By row of the bins.
    pub pairs: &'a [u64],
    pub used: &'a Used,
    pub draw: Draw,
    /// Whether every tree of the fit grows on the same rows.
    pub same_rows: bool,
}

/// A tree in the making.
struct Growing<'g, 'a, 'j> {
    grower: &'g mut Grower<'a>,
    job: &'j Job<'j>,
    nodes: Vec<Node>,
    leaves: Vec<GrowingLeaf>,
}

/// A leaf that waits to be split.
struct Waiting {
    depth: usize,
    gain: f64,
    leaf: usize,
    by_depth: bool,
}

impl Ord for Waiting {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_depth = if self.by_depth { other.depth.cmp(&self.depth) } else { Ordering::Equal };
        by_depth.then(self.gain.total_cmp(&other.gain)).then(other.leaf.cmp(&self.leaf))
    }
}

impl PartialOrd for Waiting {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Waiting {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Waiting {}

impl Growing<'_, '_, '_> {
    fn by_leaf(&mut self) {
        let params = self.job.rules.params;
        let mut waiting = BinaryHeap::new();
        let wait = |growing: &Self, leaf: usize| {
            let GrowingLeaf { depth, split, .. } = &growing.leaves[leaf];
            let by_depth = params.growth == Growth::Depth;
            split.map(|split| Waiting { depth: *depth, gain: split.gain, leaf, by_depth })
        };
        self.evaluate_root();
        waiting.extend(wait(self, 0));
        while self.leaves.len() < params.num_leaves {
            let Some(Waiting { leaf, .. }) = waiting.pop() else { break };
            let new = self.split(leaf);
            if self.leaves.len() < params.num_leaves {
                self.evaluate_children(leaf, new);
                waiting.extend(wait(self, leaf));
                waiting.extend(wait(self, new));
            }
        }
    }

    /// Whether two children of this leaf could have enough rows.
    fn may_split(&self, leaf: usize) -> bool {
        let params = self.job.rules.params;
        let GrowingLeaf { depth, state, rows, .. } = &self.leaves[leaf];
        (params.max_depth == 0 || *depth < params.max_depth)
            && rows.len() >= 2 * params.min_child_samples.max(1)
            && pair::second(state.sum) >= 2
    }

    /// The features that this leaf may be split by.
    fn allowed(&self, leaf: usize) -> Vec<usize> {
        let Job { rules, used, draw, .. } = self.job;
        let params = rules.params;
        let mut places = used.places.clone();
        if !params.interaction_constraints.is_empty() {
            let path = &self.leaves[leaf].path;
            let fits = |set: &&Vec<usize>| path.iter().all(|feature| set.contains(feature));
            let sets: Vec<&Vec<usize>> = params.interaction_constraints.iter().filter(fits).collect();
            places.retain(|&place| {
                let feature = self.grower.bins.places()[place].feature;
                sets.iter().any(|set| set.contains(&feature))
            });
        }
        if params.feature_fraction_bynode < 1.0 && !places.is_empty() {
            let wanted = (params.feature_fraction_bynode * places.len() as f64).round() as usize;
            places = draw.node_features(self.node_key(leaf), &places, wanted.max(1));
        }
        places
    }

    /// A number of the leaf that does not depend on the order of evaluation.
    fn node_key(&self, leaf: usize) -> u64 {
        self.leaves[leaf].parent.map_or(0, |(node, right)| 1 + 2 * node as u64 + u64::from(right))
    }

    /// Whether each node sums the few features it draws, rather than all for its children to subtract.
    fn direct(&self) -> bool {
        self.job.rules.params.feature_fraction_bynode < 0.5
    }

    fn evaluate_root(&mut self) {
        if self.may_split(0) {
            self.evaluate_alone(0);
        }
    }

    /// Sums a leaf's own rows, and searches.
    fn evaluate_alone(&mut self, leaf: usize) {
        let allowed = self.allowed(leaf);
        if allowed.is_empty() {
            return;
        }
        if self.is_small(leaf, &allowed) {
            return self.search_small(leaf, &allowed);
        }
        let slot = self.grower.any_slot();
        let rows = self.leaves[leaf].rows.clone();
        if self.direct() {
            let used = Used::new(allowed, self.grower.bins);
            self.grower.build(self.job, &used, rows, slot);
            self.search_in(leaf, &used.places, slot);
            self.grower.free.push(slot);
        } else {
            self.grower.build(self.job, self.job.used, rows, slot);
            self.search_in(leaf, &allowed, slot);
            // Without room its children will sum their own rows.
            let held = self.grower.slots.len() - self.grower.free.len();
            if self.leaves[leaf].split.is_some() && held <= self.grower.most_slots {
                self.leaves[leaf].slot = Some(slot);
            } else {
                self.grower.free.push(slot);
            }
        }
    }

    fn search_in(&mut self, leaf: usize, allowed: &[usize], slot: usize) {
        let (state, node) = (self.leaves[leaf].state, self.node_key(leaf));
        self.leaves[leaf].split = self.grower.search(self.job, allowed, state, slot, node);
        if self.leaves[leaf].split.is_none() {
            self.drop_slot(leaf);
        }
    }

    fn drop_slot(&mut self, leaf: usize) {
        if let Some(slot) = self.leaves[leaf].slot.take() {
            self.grower.free.push(slot);
        }
    }

    /// Searches the two halves of a leaf that was split; the first holds the parent's slot.
    fn evaluate_children(&mut self, left: usize, right: usize) {
        let inherited = self.leaves[left].slot.take();
        let (may_left, may_right) = (self.may_split(left), self.may_split(right));
        let small = [left, right].iter().all(|&leaf| self.leaves[leaf].rows.len() <= small::ROWS);
        let Some(parent) = inherited.filter(|_| (may_left || may_right) && !small && !self.direct()) else {
            self.grower.free.extend(inherited);
            if may_left {
                self.evaluate_alone(left);
            }
            if may_right {
                self.evaluate_alone(right);
            }
            return;
        };
        let left_is_smaller = self.leaves[left].rows.len() <= self.leaves[right].rows.len();
        let (smaller, larger) = if left_is_smaller { (left, right) } else { (right, left) };
        let (may_smaller, may_larger) = if left_is_smaller { (may_left, may_right) } else { (may_right, may_left) };
        let Some(slot) = self.grower.take_slot() else {
            // No room for both: the parent's place goes to one after the other.
            self.grower.free.push(parent);
            if may_smaller {
                self.evaluate_alone(smaller);
            }
            if may_larger {
                self.evaluate_alone(larger);
            }
            return;
        };
        let rows = self.leaves[smaller].rows.clone();
        self.grower.build(self.job, self.job.used, rows, slot);
        self.leaves[smaller].slot = Some(slot);
        if may_larger {
            self.take_away(parent, slot);
            self.leaves[larger].slot = Some(parent);
            let allowed = self.allowed(larger);
            self.search_in(larger, &allowed, parent);
        } else {
            self.grower.free.push(parent);
        }
        if may_smaller {
            let allowed = self.allowed(smaller);
            self.search_in(smaller, &allowed, slot);
        } else {
            self.drop_slot(smaller);
        }
    }

    /// Takes one slot's sums from another's, for the features used.
    fn take_away(&mut self, parent: usize, child: usize) {
        let mut cells = std::mem::take(&mut self.grower.slots[parent]);
        let child = &self.grower.slots[child];
        let all = self.job.used.places.len() == self.grower.bins.places().len();
        if all {
            subtract(self.job.rules.level, &mut cells, child);
        } else {
            for &place in &self.job.used.places {
                let own = self.grower.bins.places()[place].own_cells();
                subtract(self.job.rules.level, &mut cells[own.clone()], &child[own]);
            }
        }
        self.grower.slots[parent] = cells;
    }

    /// Splits a leaf by its best split: it becomes the left child, and the right one is new. Returns the new one's number.
    fn split(&mut self, leaf: usize) -> usize {
        let rules = self.job.rules;
        let Some(split) = self.leaves[leaf].split.take() else { unreachable!("only leaves with a split wait") };
        let (n_left, n_left_others) = self.grower.part(&split, &self.leaves[leaf], rules);
        let node = self.nodes.len();
        let new = self.leaves.len();
        let feature = self.grower.bins.places()[split.place].feature;
        let old = &mut self.leaves[leaf];
        self.nodes.push(Node {
            feature,
            decision: Tree::decision(&split.condition, &self.grower.bins.features()[feature]),
            left: !(leaf as i32),
            right: !(new as i32),
            // Finite, so that it can be written anywhere.
            gain: split.gain.min(f64::MAX),
            value: vec![old.state.output],
            weight: rules.sums(old.state.sum).1,
            count: old.rows.len(),
        });
        if let Some((parent, right)) = old.parent {
            let parent = &mut self.nodes[parent];
            *(if right { &mut parent.right } else { &mut parent.left }) = node as i32;
        }
        let mut bounds = [old.state.bounds; 2];
        let direction = rules.params.monotone_constraints.get(feature).copied().unwrap_or(0);
        if direction != 0 {
            let middle = (split.outputs[0] + split.outputs[1]) / 2.0;
            let (low, high) = if direction > 0 { (1, 0) } else { (0, 1) };
            bounds[low][0] = bounds[low][0].max(middle);
            bounds[high][1] = bounds[high][1].min(middle);
        }
        let mut path = Vec::new();
        if !rules.params.interaction_constraints.is_empty() {
            path.clone_from(&old.path);
            path.push(feature);
        }
        let (rows, others, depth) = (old.rows.clone(), old.others.clone(), old.depth + 1);
        let state = |sum: u64, side: usize, rows: &Range<usize>| LeafState {
            sum,
            n_rows: rows.len(),
            output: split.outputs[side],
            bounds: bounds[side],
        };
        let left_rows = rows.start..rows.start + n_left;
        let right_rows = left_rows.end..rows.end;
        let left_others = others.start..others.start + n_left_others;
        let right_others = left_others.end..others.end;
        old.state = state(split.left, 0, &left_rows);
        old.rows = left_rows;
        old.others = left_others;
        old.depth = depth;
        old.parent = Some((node, false));
        old.path.clone_from(&path);
        self.leaves.push(GrowingLeaf {
            state: state(split.right, 1, &right_rows),
            rows: right_rows,
            others: right_others,
            depth,
            slot: None,
            split: None,
            parent: Some((node, true)),
            path,
        });
        new
    }
}
