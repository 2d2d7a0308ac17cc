//! How much memory will be taken, told before it is.

use rayon::current_num_threads;

use crate::bins::BinSettings;
use crate::grow::vector::lanes;
use crate::grow::{BUFFER_BYTES, most_slots, slot_bytes};
use crate::kernel::histogram::TILES;
use crate::objective::Objective;
use crate::params::{Boosting, Growth, MultiStrategy, Params, Sampling};
use crate::train::linear;
use crate::tree::{Leaf, Linear, Node, Tree};

impl BinSettings {
    /// Bytes that bins of so many rows and columns of numbers take, at most: held afterwards, or at once while edges are chosen. The columns themselves are not counted.
    pub fn memory(&self, n_rows: usize, n_features: usize) -> usize {
        let held = n_rows * (n_features + 8 * n_features.div_ceil(8));
        let edges = n_features * 2 * 8 * self.max_bin.min(n_rows);
        let n_rows = self.edge_rows.as_ref().map_or(n_rows, Vec::len);
        let sampled = n_rows.min(self.bin_construct_sample_cnt);
        // A group of columns' values; the sampled rows; room to sort one column's, and its distinct ones with their counts.
        let group = sampled * (8 * n_features.min(crate::bins::TOGETHER) + 32);
        let n_groups = n_features.div_ceil(crate::bins::TOGETHER).max(1);
        let at_once = if self.parallel { current_num_threads().min(n_groups) } else { 1 };
        // A table of edges for each column, while it is filled.
        edges + (held + n_features * crate::bins::TABLE_BYTES).max(group * at_once)
    }
}

impl Params {
    /// Bytes that a fit takes beside the bins, at most: `n_rows` are the bins' rows, with as many targets a row, and up to `max_bin` bins a feature. Training's own labels and weights are copied; copies of the model ([`crate::Trainer::model`]), sets of categories in nodes (up to 1 KB each) and query groups are not counted.
    pub fn memory(&self, n_rows: usize, n_features: usize, n_targets: usize, max_bin: usize) -> usize {
        let n_scores = n_targets * self.objective.n_scores();
        let vectors = self.multi_strategy == MultiStrategy::LeafVectors && n_scores > 1;
        let n_cells = n_features * (max_bin.min(n_rows) + 1);
        n_rows * self.bytes_a_row(n_targets, n_scores, vectors)
            + self.histogram_slots(n_rows, n_features, n_cells, n_scores, vectors)
            + BUFFER_BYTES * if self.parallel { current_num_threads() + 2 } else { 2 }
            + self.tree_bytes(n_rows, n_scores, vectors)
            + self.root_bytes(n_rows, n_features, vectors)
            + self.linear_bytes(n_rows, n_features, n_scores)
            + n_features * 64
    }

    /// What linear leaves take, and their sums while they are fitted.
    fn linear_bytes(&self, n_rows: usize, n_features: usize, n_scores: usize) -> usize {
        if !self.linear_tree {
            return 0;
        }
        let n_leaves = self.most_leaves(n_rows);
        let most = [n_features, if self.max_depth == 0 { n_leaves - 1 } else { self.max_depth }, n_leaves - 1];
        let most = most.into_iter().min().unwrap_or(0);
        // Paths are longest where each split parts a leaf from the rest: so long is the mean one.
        let mean = most.min(n_leaves.div_ceil(2));
        let held = self.n_estimators * n_scores * n_leaves * (Linear::bytes(mean) + 8);
        let threads = if self.parallel { current_num_threads() } else { 1 };
        let block = 8 * linear::ROWS_A_BLOCK * (most + 4);
        let sums = 8 * (linear::n_sums(most) * 3 + most * most);
        let parts = if self.parallel { 8 * linear::n_sums(most) * (n_rows / linear::ROWS_A_SUM) } else { 0 };
        // Paths of nodes and leaves, and the parts of rows that leaves say something to.
        held + threads * (block + sums) + parts + 2 * n_leaves * (8 * mean + 24)
    }

    fn draws_rows(&self) -> bool {
        self.bootstrap || self.data_sample_strategy == Sampling::Goss || self.bagging_freq > 0
    }

    /// The root's words, which are kept where every tree begins with all rows.
    fn root_bytes(&self, n_rows: usize, n_features: usize, vectors: bool) -> usize {
        if self.draws_rows() || vectors { 0 } else { 8 * n_features.div_ceil(8) * n_rows }
    }

    fn bytes_a_row(&self, n_targets: usize, n_scores: usize, vectors: bool) -> usize {
        // Rows, those that count (in a list that doubles) and those that are followed; labels and weights; scores and derivatives, and one of them packed.
        let given = 4 + 8 + 4 + 8 * n_targets + 8;
        let scored = 16 * n_scores + 8;
        // A tree's rows, the others and room to part them; the pairs in their order.
        let grown = 4 + 4 + 4 + 8;
        // The bag; where it is drawn the one before it, draws and factors as well.
        let bag = if self.draws_rows() { 40 } else { 8 };
        let by_boosting = match self.boosting {
            Boosting::Gbdt => 0,
            Boosting::Rf => 8 * n_scores,
            // Scores as they were, those with all trees, those of dropped trees, and initial ones.
            Boosting::Dart => 32 * n_scores + 4,
        };
        let by_objective = match self.objective {
            Objective::Custom(_) => 24,
            _ if self.objective.renewal().is_some() => 16,
            _ => 0,
        };
        let of_vectors = if vectors { 12 * lanes(n_scores) + 20 } else { 0 };
        given + scored + grown + bag + by_boosting + by_objective + of_vectors
    }

    fn most_leaves(&self, n_rows: usize) -> usize {
        match self.growth {
            Growth::Symmetric => 1 << self.max_depth.min(16),
            Growth::Leaf | Growth::Depth => self.num_leaves.min(n_rows.max(1)),
        }
    }

    fn histogram_slots(
        &self,
        n_rows: usize,
        n_features: usize,
        n_cells: usize,
        n_scores: usize,
        vectors: bool,
    ) -> usize {
        // Where nodes draw few features none is kept.
        let kept = if self.feature_fraction_bynode < 0.5 && self.growth != Growth::Symmetric {
            0
        } else {
            self.most_leaves(n_rows)
        };
        if vectors {
            let bytes = (4 * n_cells * lanes(n_scores)).max(1);
            // Bundles are summed by themselves, a panel's at a time.
            let of_bundles = 256 * 4 * lanes(n_scores) * n_features.min(8 * TILES);
            return bytes * (kept.min(self.histogram_bytes() / bytes) + 2) + of_bundles;
        }
        let n_slots = match self.growth {
            Growth::Symmetric => (kept / 2).min(n_rows) + 1,
            Growth::Leaf | Growth::Depth => kept.min(most_slots(self.histogram_bytes(), n_cells)) + 1,
        };
        n_slots * slot_bytes(n_cells)
    }

    fn tree_bytes(&self, n_rows: usize, n_scores: usize, vectors: bool) -> usize {
        let (n_trees, n_values) = if vectors { (1, n_scores) } else { (n_scores, 1) };
        let n_leaves = self.most_leaves(n_rows);
        // Nodes lie in a list that doubles.
        let nodes = n_leaves.next_power_of_two() * size_of::<Node>() + n_leaves * 8 * n_values;
        let leaves = n_leaves * (size_of::<Leaf>() + 8 * n_values);
        // What is known of a leaf while its tree grows.
        let growing = 2 * n_leaves * (GROWING_BYTES + 4 * if vectors { lanes(n_scores) } else { 0 });
        self.n_estimators * n_trees * (nodes + leaves + 2 * size_of::<Tree>()) + growing
    }
}

/// A growing leaf, with its place among those that wait.
const GROWING_BYTES: usize = 400;
