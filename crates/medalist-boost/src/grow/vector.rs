//! One tree for several outputs: each leaf holds a value for every one.
//!
//! A split is weighed by all gradients and one Hessian, the mean over the outputs; a leaf's values are renewed by each output's own Hessians.

use std::collections::BinaryHeap;
use std::ops::Range;

use super::small;
use super::{ROWS_A_BLOCK, Used, Waiting};
use crate::aligned::Aligned;
use crate::bins::{Bins, MISSING};
use crate::kernel::Level;
use crate::kernel::histogram::{TILES, gather_words};
use crate::kernel::partition::partition;
use crate::kernel::vector::{
    REGISTER, VectorLeaf, accumulate_vectors, best_vector_split, cumulate_vectors, gather_vectors, subtract_vectors,
    sum_vectors,
};
use crate::pair::Scale;
use crate::params::{Growth, Params};
use crate::sample::Draw;
use crate::split::Condition;
use crate::tree::{Leaf, Node, Tree};

mod bundles;
mod found;

use bundles::Bundles;
use found::Found;

/// Lanes for so many outputs and the Hessian.
pub(crate) fn lanes(n_outputs: usize) -> usize {
    (n_outputs + 1).next_multiple_of(REGISTER)
}

/// What a tree is grown with, beside the rows.
pub(crate) struct VectorJob<'a> {
    pub params: &'a Params,
    pub level: Level,
    pub scale: Scale,
    pub n_outputs: usize,
    /// By row of the bins, [`lanes`] each: the outputs' gradients, zeros, and last the mean Hessian.
    pub gradients: &'a [i32],
    pub used: &'a Used,
    pub draw: Draw,
}

/// A leaf while its tree grows.
pub(crate) struct VectorLeafRows {
    pub rows: Range<usize>,
    pub others: Range<usize>,
    sum: Vec<i32>,
    depth: usize,
    slot: Option<usize>,
    split: Option<Found>,
    parent: Option<(usize, bool)>,
}

/// The buffers of one fit.
pub(crate) struct VectorGrower<'a> {
    bins: &'a Bins,
    pub rows: Vec<u32>,
    pub others: Vec<u32>,
    spare: Vec<u32>,
    words: Vec<u64>,
    bundles: Bundles,
    /// A block of rows' vectors in their order.
    ordered: Aligned<i32>,
    slots: Vec<Aligned<i32>>,
    free: Vec<usize>,
}

impl<'a> VectorGrower<'a> {
    pub(crate) fn new(bins: &'a Bins) -> Self {
        VectorGrower {
            bins,
            rows: Vec::new(),
            others: Vec::new(),
            spare: Vec::new(),
            words: vec![0; TILES * ROWS_A_BLOCK],
            bundles: Bundles::default(),
            ordered: Aligned::default(),
            slots: Vec::new(),
            free: Vec::new(),
        }
    }

    /// As [`super::Grower::grow`]; leaf values are those of the mean Hessian, to be renewed.
    pub(crate) fn grow(&mut self, job: &VectorJob, rows: &[u32], others: &[u32]) -> (Tree, Vec<VectorLeafRows>) {
        self.rows.clear();
        self.rows.extend_from_slice(rows);
        self.others.clear();
        self.others.extend_from_slice(others);
        self.spare.resize(rows.len().max(others.len()), 0);
        let width = lanes(job.n_outputs);
        let mut sum = vec![0i32; width];
        sum_vectors(job.level, job.gradients, rows, &mut sum);
        let (rows, others) = (0..rows.len(), 0..others.len());
        let root = VectorLeafRows { rows, others, sum, depth: 0, slot: None, split: None, parent: None };
        let mut leaves = vec![root];
        let mut nodes = Vec::new();
        let mut waiting = BinaryHeap::new();
        let by_depth = job.params.growth == Growth::Depth;
        let wait = |leaves: &[VectorLeafRows], leaf: usize| {
            let split = leaves[leaf].split.as_ref();
            split.map(|found| Waiting { depth: leaves[leaf].depth, gain: found.gain, leaf, by_depth })
        };
        if may_split(job, &leaves[0]) {
            self.evaluate(job, &mut leaves, 0);
            waiting.extend(wait(&leaves, 0));
        }
        while leaves.len() < job.params.num_leaves {
            let Some(Waiting { leaf, .. }) = waiting.pop() else { break };
            let new = self.split(job, &mut nodes, &mut leaves, leaf);
            if leaves.len() < job.params.num_leaves {
                self.evaluate_children(job, &mut leaves, leaf, new);
                waiting.extend(wait(&leaves, leaf));
                waiting.extend(wait(&leaves, new));
            }
        }
        self.free.clear();
        self.free.extend(0..self.slots.len());
        let finished = leaves.iter().map(|leaf| Leaf {
            value: values(job, &leaf.sum),
            linear: None,
            weight: f64::from(leaf.sum[width - 1]) * job.scale.second,
            count: leaf.rows.len(),
        });
        (Tree { nodes, leaves: finished.collect(), output: 0 }, leaves)
    }

    fn take_slot(&mut self, width: usize) -> usize {
        self.free.pop().unwrap_or_else(|| {
            self.slots.push(Aligned::new(self.bins.n_cells() * width));
            self.slots.len() - 1
        })
    }

    /// The features that a leaf may be split by.
    fn allowed(&self, job: &VectorJob, leaf: &VectorLeafRows) -> Vec<usize> {
        let places = &job.used.places;
        if job.params.feature_fraction_bynode >= 1.0 || places.is_empty() {
            return places.clone();
        }
        let key = leaf.parent.map_or(0, |(node, right)| 1 + 2 * node as u64 + u64::from(right));
        let wanted = (job.params.feature_fraction_bynode * places.len() as f64).round() as usize;
        job.draw.node_features(key, places, wanted.max(1))
    }

    /// Sums a leaf's own rows and searches.
    fn evaluate(&mut self, job: &VectorJob, leaves: &mut [VectorLeafRows], leaf: usize) {
        let allowed = self.allowed(job, &leaves[leaf]);
        if leaves[leaf].rows.len() <= small::ROWS {
            return self.search_small(job, &allowed, leaves, leaf);
        }
        let slot = self.take_slot(lanes(job.n_outputs));
        if direct(job.params) {
            self.build(job, &allowed, leaves[leaf].rows.clone(), slot);
            self.search(job, &allowed, leaves, leaf, slot);
            self.free.push(slot);
        } else {
            self.build(job, &job.used.places, leaves[leaf].rows.clone(), slot);
            self.search(job, &allowed, leaves, leaf, slot);
            self.keep(leaves, leaf, slot, job);
        }
    }

    /// Keeps a leaf's histograms for its children, where there is room for them.
    fn keep(&mut self, leaves: &mut [VectorLeafRows], leaf: usize, slot: usize, job: &VectorJob) {
        let bytes = 4 * self.bins.n_cells() * lanes(job.n_outputs);
        let in_use = self.slots.len() - self.free.len();
        if leaves[leaf].split.is_some() && in_use * bytes <= job.params.histogram_bytes() {
            leaves[leaf].slot = Some(slot);
        } else {
            self.free.push(slot);
        }
    }

    fn evaluate_children(&mut self, job: &VectorJob, leaves: &mut [VectorLeafRows], left: usize, right: usize) {
        let inherited = leaves[left].slot.take();
        let may = [left, right].map(|leaf| may_split(job, &leaves[leaf]));
        let small = [left, right].iter().all(|&leaf| leaves[leaf].rows.len() <= small::ROWS);
        let Some(parent) = inherited.filter(|_| (may[0] || may[1]) && !small) else {
            self.free.extend(inherited);
            for (leaf, may) in [left, right].into_iter().zip(may) {
                if may {
                    self.evaluate(job, leaves, leaf);
                }
            }
            return;
        };
        let left_is_smaller = leaves[left].rows.len() <= leaves[right].rows.len();
        let (smaller, larger) = if left_is_smaller { (left, right) } else { (right, left) };
        let slot = self.take_slot(lanes(job.n_outputs));
        self.build(job, &job.used.places, leaves[smaller].rows.clone(), slot);
        let width = lanes(job.n_outputs);
        let mut cells = std::mem::take(&mut self.slots[parent]);
        for &place in &job.used.places {
            let own = self.bins.places()[place].own_lanes(width);
            subtract_vectors(job.level, &mut cells[own.clone()], &self.slots[slot][own]);
        }
        self.slots[parent] = cells;
        for (leaf, slot) in [(smaller, slot), (larger, parent)] {
            if may_split(job, &leaves[leaf]) {
                let allowed = self.allowed(job, &leaves[leaf]);
                self.search(job, &allowed, leaves, leaf, slot);
            }
            self.keep(leaves, leaf, slot, job);
        }
    }

    /// Sums a leaf's rows into a slot, for the features at these places (ascending).
    fn build(&mut self, job: &VectorJob, places: &[usize], range: Range<usize>, slot: usize) {
        let width = lanes(job.n_outputs);
        let VectorGrower { bins, rows, words, ordered, bundles, slots, .. } = self;
        let (rows, cells) = (&rows[range], &mut slots[slot]);
        let own = |place: usize| bins.places()[place].own_lanes(width);
        places.iter().for_each(|&place| cells[own(place)].fill(0));
        if ordered.is_empty() {
            *ordered = Aligned::new(ROWS_A_BLOCK * width);
        }
        for panel in 0..bins.n_panels() {
            let sums = bundles.sort(bins, places, bins.panel_tiles(panel), width);
            if sums.is_empty() {
                continue;
            }
            let (panel, stride) = bins.panel(panel);
            for rows in rows.chunks(ROWS_A_BLOCK) {
                let (first, last) = (rows[0] as usize, rows[rows.len() - 1] as usize);
                let vectors = if last - first + 1 == rows.len() {
                    // A run of rows: nothing to gather.
                    &job.gradients[first * width..(last + 1) * width]
                } else {
                    gather_vectors(job.level, job.gradients, width, rows, &mut ordered[..rows.len() * width]);
                    &ordered[..rows.len() * width]
                };
                gather_words(job.level, panel, stride, rows, &mut words[..stride * rows.len()]);
                for sum in &sums {
                    let words = &words[sum.offset * rows.len()..][..rows.len()];
                    let cells = if sum.is_bundle { &mut bundles.cells[..] } else { &mut cells[..] };
                    accumulate_vectors(job.level, words, sum.shift, vectors, width, &mut cells[sum.lanes.clone()]);
                }
            }
            bundles.take_out(bins, width, cells);
        }
        places.iter().for_each(|&place| cumulate_vectors(job.level, &mut cells[own(place)], width));
    }

    fn search(&self, job: &VectorJob, allowed: &[usize], leaves: &mut [VectorLeafRows], leaf: usize, slot: usize) {
        let width = lanes(job.n_outputs);
        let (state, floor) = weighed(job, &leaves[leaf]);
        let mut best: Option<Found> = None;
        for &index in allowed {
            let place = &self.bins.places()[index];
            let cells = &self.slots[slot][place.own_lanes(width)];
            let found = best_vector_split(job.level, cells, state, place.categorical);
            if let Some(split) = found
                && split.total > best.as_ref().map_or(floor, |best| best.split.total)
            {
                best = Some(Found::new(index, split, cells, width, place.categorical));
            }
        }
        leaves[leaf].split = best.map(|found| Found { gain: found.split.total - floor, ..found });
    }

    /// As [`Self::search`], for few rows: only the bins that they hold have cells.
    fn search_small(&self, job: &VectorJob, allowed: &[usize], leaves: &mut [VectorLeafRows], leaf: usize) {
        let width = lanes(job.n_outputs);
        let (state, floor) = weighed(job, &leaves[leaf]);
        let rows = &self.rows[leaves[leaf].rows.clone()];
        let mut best: Option<Found> = None;
        let (mut keys, mut bins, mut cells) = (Vec::new(), Vec::new(), Vec::new());
        let add = |cell: &mut [i32], row: u32| {
            let vector = &job.gradients[row as usize * width..][..width];
            cell.iter_mut().zip(vector).for_each(|(cell, value)| *cell = cell.wrapping_add(*value));
        };
        for &index in allowed {
            let place = &self.bins.places()[index];
            let column = self.bins.column(index);
            keys.clear();
            keys.extend(rows.iter().map(|&row| (place.bin(column[row as usize]), row)));
            keys.sort_unstable();
            bins.clear();
            cells.clear();
            for &(bin, row) in keys.iter().filter(|(bin, _)| *bin != MISSING) {
                if bins.last() != Some(&bin) {
                    bins.push(bin);
                    // Cumulative: it begins as the one before it.
                    let before = cells.len().saturating_sub(width);
                    cells.extend_from_within(before..);
                    cells.resize(bins.len() * width, 0);
                }
                let last = cells.len() - width;
                add(&mut cells[last..], row);
            }
            cells.resize((bins.len() + 1) * width, 0);
            let missing = bins.len() * width;
            cells[missing..].fill(0);
            keys.iter().filter(|(bin, _)| *bin == MISSING).for_each(|&(_, row)| add(&mut cells[missing..], row));
            let Some(split) = best_vector_split(job.level, &cells, state, place.categorical) else { continue };
            if split.total > best.as_ref().map_or(floor, |best| best.split.total) {
                let mut found = Found::new(index, split, &cells, width, place.categorical);
                // Of the thresholds between two bins the one that the full search prefers.
                found.split.bin = match bins.get(split.bin + 1) {
                    Some(&next) if split.default_left => usize::from(next) - 1,
                    _ => usize::from(bins[split.bin]),
                };
                best = Some(found);
            }
        }
        leaves[leaf].split = best.map(|found| Found { gain: found.split.total - floor, ..found });
    }

    /// As [`super::Growing::split`].
    fn split(
        &mut self,
        job: &VectorJob,
        nodes: &mut Vec<Node>,
        leaves: &mut Vec<VectorLeafRows>,
        leaf: usize,
    ) -> usize {
        let Some(Found { place: index, split, gain, left }) = leaves[leaf].split.take() else {
            unreachable!("only leaves with a split wait")
        };
        let place = &self.bins.places()[index];
        let condition = if place.categorical {
            let mut bits = [0; 4];
            bits[split.bin / 64] = 1 << (split.bin % 64);
            Condition::Categories(bits)
        } else {
            Condition::Threshold { bin: split.bin as u8, default_left: split.default_left }
        };
        let (node, new) = (nodes.len(), leaves.len());
        let old = &mut leaves[leaf];
        let (column, table) = (self.bins.column(index), place.table(&condition));
        let n_left = partition(job.level, column, &table, &mut self.rows[old.rows.clone()], &mut self.spare);
        let n_left_others = partition(job.level, column, &table, &mut self.others[old.others.clone()], &mut self.spare);
        nodes.push(Node {
            feature: place.feature,
            decision: Tree::decision(&condition, &self.bins.features()[place.feature]),
            left: !(leaf as i32),
            right: !(new as i32),
            gain,
            value: values(job, &old.sum),
            weight: f64::from(old.sum[old.sum.len() - 1]) * job.scale.second,
            count: old.rows.len(),
        });
        if let Some((parent, right)) = old.parent {
            let parent = &mut nodes[parent];
            *(if right { &mut parent.right } else { &mut parent.left }) = node as i32;
        }
        let (rows, others, depth) = (old.rows.clone(), old.others.clone(), old.depth + 1);
        let middle = (rows.start + n_left, others.start + n_left_others);
        let right = old.sum.iter().zip(&left).map(|(sum, left)| sum.wrapping_sub(*left)).collect();
        old.sum = left;
        (old.rows, old.others) = (rows.start..middle.0, others.start..middle.1);
        (old.depth, old.parent) = (depth, Some((node, false)));
        leaves.push(VectorLeafRows {
            rows: middle.0..rows.end,
            others: middle.1..others.end,
            sum: right,
            depth,
            slot: None,
            split: None,
            parent: Some((node, true)),
        });
        new
    }
}

/// What a leaf's splits are weighed by, and what they must beat.
fn weighed<'a>(job: &VectorJob, leaf: &'a VectorLeafRows) -> (VectorLeaf<'a>, f64) {
    /// What single precision may add to a score: a split of rows that are all alike seems to gain it.
    const ROUNDING: f64 = 4e-6;
    let (&second, gradients) = leaf.sum.split_last().unwrap_or((&0, &[]));
    let a_row = f64::from(second) / leaf.rows.len().max(1) as f64;
    let by_rows = ((job.params.min_child_samples as f64 - 0.5) * a_row).ceil();
    let least = (job.params.min_sum_hessian / job.scale.second).ceil().max(by_rows);
    let weighed = VectorLeaf {
        sum: &leaf.sum,
        least_second: least.clamp(1.0, f64::from(i32::MAX)) as i32,
        first: job.scale.first,
        second: job.scale.second,
        l2: job.params.lambda_l2,
    };
    let squares: f64 = gradients.iter().map(|&lane| f64::from(lane) * f64::from(lane)).sum();
    let own = squares * weighed.first * weighed.first / (f64::from(second) * weighed.second + weighed.l2);
    let own = if own.is_finite() { own * (1.0 + ROUNDING) } else { 0.0 };
    (weighed, own + job.params.min_gain_to_split)
}

fn direct(params: &Params) -> bool {
    params.feature_fraction_bynode < 0.5
}

fn may_split(job: &VectorJob, leaf: &VectorLeafRows) -> bool {
    let params = job.params;
    (params.max_depth == 0 || leaf.depth < params.max_depth)
        && leaf.rows.len() >= 2 * params.min_child_samples.max(1)
        && leaf.sum.last().is_some_and(|&second| second >= 2)
}

/// Values of a leaf by the mean Hessian.
fn values(job: &VectorJob, sum: &[i32]) -> Vec<f64> {
    let hessian = f64::from(sum[sum.len() - 1]) * job.scale.second + job.params.lambda_l2;
    let value = |&lane: &i32| if hessian > 0.0 { -f64::from(lane) * job.scale.first / hessian } else { 0.0 };
    sum[..job.n_outputs].iter().map(value).collect()
}
