//! Grows one tree from a tree's packed derivatives.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::ops::Range;

use rayon::prelude::*;

use crate::bins::Bins;
use crate::kernel::Level;
use crate::kernel::histogram::{TILES, TileCells, accumulate, cumulate, gather_pairs, gather_words, subtract};
use crate::kernel::partition::partition;
use crate::kernel::scan::BLOCK;
use crate::pair;
use crate::params::Growth;
use crate::sample::Draw;
use crate::split::{LeafState, Rules, Search, Split};
use crate::tree::{Leaf, Node, Tree};

mod small;
mod symmetric;
pub(crate) mod vector;

/// Rows that are summed tile after tile while their words are in the second-level cache.
const ROWS_A_BLOCK: usize = 1024;
/// Rows below which it does not pay to share a leaf among threads.
const ROWS_TO_SHARE: usize = 8192;

/// The features that a tree or node may use.
#[derive(Clone)]
pub(crate) struct Used {
    /// Ascending, among the bins' places.
    pub places: Vec<usize>,
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
        Used { places, masks }
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

/// The buffers of one fit; grows its trees one after the other.
pub(crate) struct Grower<'a> {
    bins: &'a Bins,
    /// Training rows, each leaf's together.
    pub rows: Vec<u32>,
    /// Rows that are only followed down the tree, each leaf's together.
    pub others: Vec<u32>,
    spare: Vec<u32>,
    /// A leaf's pairs in the order of its rows.
    ordered: Vec<u64>,
    slots: Vec<Vec<u64>>,
    free: Vec<usize>,
    most_slots: usize,
    buffers: Buffers,
    /// The buffers of threads that share a leaf.
    shares: Vec<Buffers>,
    /// Per panel the words of all rows, gathered once where every tree begins with the same.
    root_words: Vec<Vec<u64>>,
}

impl<'a> Grower<'a> {
    /// `bytes`: what histograms of waiting leaves may take.
    pub(crate) fn new(bins: &'a Bins, bytes: usize) -> Self {
        let most_slots = most_slots(bytes, bins.n_cells());
        Grower {
            bins,
            rows: Vec::new(),
            others: Vec::new(),
            spare: Vec::new(),
            ordered: Vec::new(),
            slots: Vec::new(),
            free: Vec::new(),
            most_slots,
            buffers: Buffers::new(),
            shares: Vec::new(),
            root_words: Vec::new(),
        }
    }

    /// Grows a tree on `rows` (ascending), whose pairs add up to `sum`, and follows `others` down; returns it with its leaves. Values are before shrinkage.
    pub(crate) fn grow(&mut self, job: &Job, sum: u64, rows: &[u32], others: &[u32]) -> (Tree, Vec<GrowingLeaf>) {
        self.rows.clear();
        self.rows.extend_from_slice(rows);
        self.others.clear();
        self.others.extend_from_slice(others);
        self.spare.resize(rows.len().max(others.len()), 0);
        self.ordered.resize(rows.len(), 0);
        let mut state = LeafState { sum, n_rows: rows.len(), output: 0.0, bounds: [f64::NEG_INFINITY, f64::INFINITY] };
        // As in LightGBM the root is not smoothed: there is nothing above it to draw it to.
        state.output = job.rules.own_output(job.rules.sums(sum), job.rules.params.lambda_l2);
        if job.same_rows && self.root_words.is_empty() {
            self.root_words = (0..self.bins.n_panels()).map(|panel| self.gather_all(job.rules.level, panel)).collect();
        }
        let root = GrowingLeaf {
            state,
            rows: 0..rows.len(),
            others: 0..others.len(),
            depth: 0,
            slot: None,
            split: None,
            parent: None,
            path: Vec::new(),
        };
        let mut growing = Growing { grower: self, job, nodes: Vec::new(), leaves: vec![root] };
        match job.rules.params.growth {
            Growth::Symmetric => growing.symmetric(),
            Growth::Leaf | Growth::Depth => growing.by_leaf(),
        }
        let Growing { nodes, leaves, .. } = growing;
        for leaf in &leaves {
            if let Some(slot) = leaf.slot {
                self.free.push(slot);
            }
        }
        let finished = leaves.iter().map(|leaf| Leaf {
            value: vec![leaf.state.output],
            weight: job.rules.sums(leaf.state.sum).1,
            count: leaf.rows.len(),
        });
        (Tree { nodes, leaves: finished.collect(), output: 0 }, leaves)
    }

    /// The words of all rows of a panel, block by block as [`gather_words`] lays them out.
    fn gather_all(&self, level: Level, panel: usize) -> Vec<u64> {
        let (words, stride) = self.bins.panel(panel);
        let mut all = vec![0; stride * self.rows.len()];
        for (rows, out) in self.rows.chunks(ROWS_A_BLOCK).zip(all.chunks_mut(stride * ROWS_A_BLOCK)) {
            gather_words(level, words, stride, rows, out);
        }
        all
    }

    /// A slot for a leaf's histograms, if there is room for one more.
    fn take_slot(&mut self) -> Option<usize> {
        (self.slots.len() - self.free.len() < self.most_slots).then(|| self.any_slot())
    }

    /// A slot that will be had whatever is waiting.
    fn any_slot(&mut self) -> usize {
        if let Some(slot) = self.free.pop() {
            return slot;
        }
        // A block to spare: the search reads eight cells at a time.
        self.slots.push(vec![0; self.bins.n_cells() + BLOCK]);
        self.slots.len() - 1
    }

    /// Sums a leaf's rows, at least one, into a slot, for the features used.
    fn build(&mut self, job: &Job, used: &Used, range: Range<usize>, slot: usize) {
        let Grower { bins, rows, ordered, slots, buffers, shares, root_words, .. } = self;
        let bins: &Bins = bins;
        let whole = job.same_rows && range.len() == rows.len();
        let rows = &rows[range];
        let n_rows = rows.len();
        let level = job.rules.level;
        let shared = job.rules.params.parallel && n_rows >= ROWS_TO_SHARE;
        let (first, last) = (rows[0] as usize, rows[n_rows - 1] as usize);
        let pairs = if last - first + 1 == n_rows {
            // A run of rows: nothing to gather.
            &job.pairs[first..=last]
        } else {
            let ordered = &mut ordered[..n_rows];
            if shared {
                let chunks = rows.par_chunks(ROWS_A_BLOCK).zip(ordered.par_chunks_mut(ROWS_A_BLOCK));
                chunks.for_each(|(rows, out)| gather_pairs(level, job.pairs, rows, out));
            } else {
                gather_pairs(level, job.pairs, rows, ordered);
            }
            &*ordered
        };
        // Each panel's stretch of the slot.
        let mut stretches: Vec<(usize, &mut [u64])> = Vec::with_capacity(bins.n_panels());
        let mut out = &mut slots[slot][..];
        for panel in 0..bins.n_panels() {
            let (stretch, rest) = std::mem::take(&mut out).split_at_mut(bins.panel_cells(panel));
            out = rest;
            stretches.push((panel, stretch));
        }
        for (panel, stretch) in stretches {
            let tiles = bins.panel_tiles(panel);
            if used.masks[tiles.clone()].iter().all(|&mask| mask == 0) {
                continue;
            }
            let (words, stride) = bins.panel(panel);
            let work = |buffers: &mut Buffers, start: usize, rows: &[u32], pairs: &[u64]| {
                let Buffers { words: gathered, cells } = buffers;
                for (block, (rows, pairs)) in rows.chunks(ROWS_A_BLOCK).zip(pairs.chunks(ROWS_A_BLOCK)).enumerate() {
                    let words = if whole {
                        &root_words[panel][stride * (start + block * ROWS_A_BLOCK)..][..stride * rows.len()]
                    } else {
                        gather_words(level, words, stride, rows, &mut gathered[..stride * rows.len()]);
                        &gathered[..stride * rows.len()]
                    };
                    let each = words.chunks_exact(rows.len()).zip(&used.masks[tiles.clone()]);
                    for ((words, &mask), cells) in each.zip(cells.iter_mut()) {
                        accumulate(level, words, pairs, mask, cells);
                    }
                }
            };
            if shared {
                // A share of the rows for each thread, then all are added: integers, in any order.
                let size = n_rows.div_ceil(rayon::current_num_threads()).next_multiple_of(ROWS_A_BLOCK);
                let n_chunks = n_rows.div_ceil(size);
                while shares.len() < n_chunks {
                    shares.push(Buffers::new());
                }
                rows.par_chunks(size)
                    .zip(pairs.par_chunks(size))
                    .zip(shares.par_iter_mut())
                    .enumerate()
                    .for_each(|(chunk, ((rows, pairs), buffers))| work(buffers, chunk * size, rows, pairs));
                for share in &mut shares[..n_chunks] {
                    for (to, from) in buffers.cells.iter_mut().flatten().zip(share.cells.iter_mut().flatten()) {
                        to.iter_mut().zip(&*from).for_each(|(to, from)| *to = to.wrapping_add(*from));
                        from.fill(0);
                    }
                }
            } else {
                work(buffers, 0, rows, pairs);
            }
            let places = bins.places();
            let start = bins.first_cell(panel);
            for (tile, cells) in tiles.zip(&mut buffers.cells) {
                let mine = used.places.iter().map(|&place| &places[place]).filter(|place| place.tile == tile);
                for (place, cells) in mine.zip(cells.iter_mut()) {
                    cumulate(level, cells, &mut stretch[place.cells - start..][..place.n_bins + 1]);
                }
            }
        }
    }

    /// The best split of a leaf whose histograms are in the slot.
    fn search(&self, job: &Job, used: &[usize], leaf: LeafState, slot: usize, node: u64) -> Option<Split> {
        let places = self.bins.places();
        let cells = &self.slots[slot][..];
        let one = |search: &mut Search, index: usize| {
            let place = &places[index];
            let own = &cells[place.cells..];
            let random = job.rules.params.extra_trees.then(|| job.draw.threshold(node, index as u64));
            match (place.categorical, random) {
                (true, random) => search.categorical(index, place, own, random),
                (false, None) => search.numeric(index, place, own),
                (false, Some(share)) => search.random_threshold(index, place, own, share),
            }
        };
        if !job.rules.params.parallel || used.len() < 2 || used.len() * 256 < ROWS_TO_SHARE / 4 {
            let mut search = Search::new(job.rules, places, leaf);
            used.iter().for_each(|&index| one(&mut search, index));
            return search.finish();
        }
        let n_chunks = rayon::current_num_threads().min(used.len());
        let found: Vec<Option<Split>> = used
            .par_chunks(used.len().div_ceil(n_chunks))
            .map(|used| {
                let mut search = Search::new(job.rules, places, leaf);
                used.iter().for_each(|&index| one(&mut search, index));
                search.finish()
            })
            .collect();
        // As one search over all: of equal splits the first feature's.
        found.into_iter().flatten().reduce(|best, next| if next.total > best.total { next } else { best })
    }

    /// Parts a leaf's rows, training and other ones; returns how many of each go left.
    fn part(&mut self, split: &Split, leaf: &GrowingLeaf, rules: &Rules) -> (usize, usize) {
        let (column, table) = (self.bins.column(split.place), split.condition.table());
        let Grower { rows, others, spare, .. } = self;
        let mut part = |rows: &mut [u32]| {
            if !rules.params.parallel || rows.len() < ROWS_TO_SHARE {
                return partition(rules.level, column, &table, rows, spare);
            }
            let n_chunks = rayon::current_num_threads();
            let size = rows.len().div_ceil(n_chunks);
            let lefts: Vec<usize> = rows
                .par_chunks_mut(size)
                .zip(spare.par_chunks_mut(size))
                .map(|(rows, spare)| partition(rules.level, column, &table, rows, spare))
                .collect();
            let n_left: usize = lefts.iter().sum();
            let spare = &mut spare[..rows.len()];
            let (mut left, mut right) = spare.split_at_mut(n_left);
            let mut copies = Vec::with_capacity(2 * lefts.len());
            for (chunk, &n) in rows.chunks(size).zip(&lefts) {
                let (to, rest) = std::mem::take(&mut left).split_at_mut(n);
                copies.push((to, &chunk[..n]));
                left = rest;
                let (to, rest) = std::mem::take(&mut right).split_at_mut(chunk.len() - n);
                copies.push((to, &chunk[n..]));
                right = rest;
            }
            copies.into_par_iter().for_each(|(to, from)| to.copy_from_slice(from));
            rows.par_chunks_mut(size).zip(spare.par_chunks(size)).for_each(|(to, from)| to.copy_from_slice(from));
            n_left
        };
        (part(&mut rows[leaf.rows.clone()]), part(&mut others[leaf.others.clone()]))
    }
}

/// Histograms of so many cells that are kept in so many bytes: a parent's and a child's at least.
pub(crate) fn most_slots(bytes: usize, n_cells: usize) -> usize {
    (bytes / slot_bytes(n_cells)).max(2)
}

pub(crate) fn slot_bytes(n_cells: usize) -> usize {
    8 * (n_cells + BLOCK)
}

/// What a panel's rows are summed in: small enough for the second-level cache, a tile's part of it for the first.
struct Buffers {
    words: Vec<u64>,
    cells: Vec<TileCells>,
}

/// Bytes of what one thread sums rows in.
pub(crate) const BUFFER_BYTES: usize = 8 * TILES * ROWS_A_BLOCK + TILES * size_of::<TileCells>();

impl Buffers {
    fn new() -> Self {
        Buffers { words: vec![0; TILES * ROWS_A_BLOCK], cells: vec![[[0; 256]; 8]; TILES] }
    }
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
                let place = &self.grower.bins.places()[place];
                let own = place.cells..place.cells + place.n_bins + 1;
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
