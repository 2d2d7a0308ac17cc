//! The buffers of a fit, and the work on them: histograms, their search, the parting of rows.

use std::ops::Range;

use rayon::prelude::*;

use super::{Growing, GrowingLeaf, Job, ROWS_A_BLOCK, ROWS_TO_SHARE, Used};
use crate::bins::{Bins, Place};
use crate::kernel::Level;
use crate::kernel::histogram::{
    Cells, TILES, TileCells, accumulate, cumulate, cumulate_member, gather_pairs, gather_words,
};
use crate::kernel::partition::partition;
use crate::kernel::scan::BLOCK;
use crate::params::Growth;
use crate::split::{LeafState, Rules, Search, Split};
use crate::tree::{Leaf, Tree};

/// The buffers of one fit; grows its trees one after the other.
pub(crate) struct Grower<'a> {
    pub(super) bins: &'a Bins,
    /// Training rows, each leaf's together.
    pub rows: Vec<u32>,
    /// Rows that are only followed down the tree, each leaf's together.
    pub others: Vec<u32>,
    spare: Vec<u32>,
    /// A leaf's pairs in the order of its rows.
    ordered: Vec<u64>,
    pub(super) slots: Vec<Vec<u64>>,
    pub(super) free: Vec<usize>,
    pub(super) most_slots: usize,
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
            linear: None,
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
    pub(super) fn take_slot(&mut self) -> Option<usize> {
        (self.slots.len() - self.free.len() < self.most_slots).then(|| self.any_slot())
    }

    /// A slot that will be had whatever is waiting.
    pub(super) fn any_slot(&mut self) -> usize {
        if let Some(slot) = self.free.pop() {
            return slot;
        }
        // A block to spare: the search reads eight cells at a time.
        self.slots.push(vec![0; self.bins.n_cells() + BLOCK]);
        self.slots.len() - 1
    }

    /// Sums a leaf's rows, at least one, into a slot, for the features used.
    pub(super) fn build(&mut self, job: &Job, used: &Used, range: Range<usize>, slot: usize) {
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
        let out = &mut slots[slot][..];
        for (panel, tiles) in (0..bins.n_panels()).map(|panel| (panel, bins.panel_tiles(panel))) {
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
            for (tile, cells) in tiles.zip(&mut buffers.cells) {
                let start = used.by_group.partition_point(|&place| places[place].tile < tile);
                let mine = &used.by_group[start..];
                let mine = &mine[..mine.partition_point(|&place| places[place].tile == tile)];
                let by_group = mine.chunk_by(|&a, &b| places[a].group == places[b].group);
                for (members, cells) in by_group.zip(cells.iter_mut()) {
                    take_out(level, members.iter().map(|&place| &places[place]), cells, out);
                }
            }
        }
    }

    /// The best split of a leaf whose histograms are in the slot.
    pub(super) fn search(&self, job: &Job, used: &[usize], leaf: LeafState, slot: usize, node: u64) -> Option<Split> {
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
    pub(super) fn part(&mut self, split: &Split, leaf: &GrowingLeaf, rules: &Rules) -> (usize, usize) {
        let (column, table) = (self.bins.column(split.place), self.bins.places()[split.place].table(&split.condition));
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

/// Moves the sums of a stored column's features into their own cells.
fn take_out<'a>(level: Level, mut members: impl Iterator<Item = &'a Place>, cells: &mut Cells, out: &mut [u64]) {
    let Some(first) = members.next() else { return };
    if first.member.is_none() {
        return cumulate(level, cells, &mut out[first.own_cells()]);
    }
    let total = cells.iter().fold(0u64, |sum, cell| sum.wrapping_add(*cell));
    for place in std::iter::once(first).chain(members) {
        if let Some(member) = &place.member {
            cumulate_member(cells, member, total, &mut out[place.own_cells()]);
        }
    }
    cells.fill(0);
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
