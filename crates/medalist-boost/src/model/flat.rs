//! Trees laid out for prediction: a block of rows goes down tree after tree, several rows side by side.

use std::ops::Range;

use crate::bins::{Bins, Column, MISSING};
use crate::error::{Error, Result};
use crate::kernel::{Level, leveled};
use crate::split::Condition;
use crate::tree::{Decision, Tree};

/// What a node takes here.
pub(super) const NODE_BYTES: usize = size_of::<RawNode>();

/// Rows that go down a tree together, while their values are in the cache.
const ROWS_A_BLOCK: usize = 256;
/// Rows side by side: a row's next node is looked up while others' are on their way.
const SIDE_BY_SIDE: usize = 8;

/// A node or leaf; children lie side by side, the left one first. A leaf is its own left child, and everything goes left.
#[derive(Clone, Copy)]
struct RawNode {
    threshold: f64,
    /// The feature, and in the topmost bit whether missing values go left.
    feature: u32,
    left: u32,
}

const MISSING_LEFT: u32 = 1 << 31;

/// A tree's nodes in one list with its leaves.
struct Layout {
    /// Per place in the list: a node of the tree, or `!leaf`.
    items: Vec<i32>,
    /// Per place the place of its left child, or its own for a leaf.
    left: Vec<u32>,
    depth: usize,
}

impl Layout {
    fn new(tree: &Tree) -> Layout {
        let root = if tree.nodes.is_empty() { !0 } else { 0 };
        let (mut items, mut left) = (vec![root], vec![0]);
        let mut at = 0;
        while at < items.len() {
            if let Ok(node) = usize::try_from(items[at]) {
                left[at] = items.len() as u32;
                for child in [tree.nodes[node].left, tree.nodes[node].right] {
                    left.push(items.len() as u32);
                    items.push(child);
                }
            }
            at += 1;
        }
        Layout { items, left, depth: tree.depth() }
    }
}

/// Trees on raw values.
pub(super) struct RawForest<'a> {
    trees: Vec<RawTree<'a>>,
}

struct RawTree<'a> {
    tree: &'a Tree,
    /// Empty where a node splits categories.
    nodes: Vec<RawNode>,
    items: Vec<i32>,
    depth: usize,
}

impl<'a> RawForest<'a> {
    pub(super) fn new(trees: &'a [Tree]) -> Self {
        let flat = |tree: &'a Tree| {
            let categorical = tree.nodes.iter().any(|node| matches!(node.decision, Decision::Categories(_)));
            let Layout { items, left, depth } = Layout::new(tree);
            let node = |(&item, &left): (&i32, &u32)| match usize::try_from(item).map(|node| &tree.nodes[node]) {
                Ok(node) => {
                    let (threshold, missing_left) = match node.decision {
                        Decision::Threshold { value: f64::MAX, default_left } => (f64::INFINITY, default_left),
                        Decision::Threshold { value, default_left } => (value, default_left),
                        Decision::Categories(_) => (f64::NAN, false),
                    };
                    let feature = node.feature as u32 | if missing_left { MISSING_LEFT } else { 0 };
                    RawNode { threshold, feature, left }
                }
                Err(_) => RawNode { threshold: f64::INFINITY, feature: MISSING_LEFT, left },
            };
            let nodes = if categorical { Vec::new() } else { items.iter().zip(&left).map(node).collect() };
            RawTree { tree, nodes, items, depth }
        };
        RawForest { trees: trees.iter().map(flat).collect() }
    }

    /// Adds what some of the trees say to the scores (n_rows, n_scores).
    pub(super) fn add(
        &self,
        trees: Range<usize>,
        outputs: impl Fn(usize) -> usize,
        columns: &[Column],
        n_scores: usize,
        scores: &mut [f64],
    ) {
        let n_features = columns.len();
        let mut values = vec![0.0; ROWS_A_BLOCK * n_features];
        for (block, scores) in scores.chunks_mut(ROWS_A_BLOCK * n_scores).enumerate() {
            let n_rows = scores.len() / n_scores;
            for (feature, column) in columns.iter().enumerate() {
                for row in 0..n_rows {
                    values[row * n_features + feature] = column.value(block * ROWS_A_BLOCK + row);
                }
            }
            for number in trees.clone() {
                let tree = &self.trees[number];
                let mut add = |row: usize, leaf: usize| {
                    let leaf = &tree.tree.leaves[leaf].value;
                    let to = &mut scores[row * n_scores + outputs(number)..][..leaf.len()];
                    to.iter_mut().zip(leaf).for_each(|(to, value)| *to += value);
                };
                if tree.nodes.is_empty() {
                    for row in 0..n_rows {
                        add(row, tree.tree.leaf_of(&values[row * n_features..][..n_features]));
                    }
                    continue;
                }
                for first in (0..n_rows).step_by(SIDE_BY_SIDE) {
                    let mut at = [0u32; SIDE_BY_SIDE];
                    let n = SIDE_BY_SIDE.min(n_rows - first);
                    for _ in 0..tree.depth {
                        for (k, at) in at[..n].iter_mut().enumerate() {
                            let node = &tree.nodes[*at as usize];
                            let feature = (node.feature & !MISSING_LEFT) as usize;
                            let value = values[(first + k) * n_features + feature];
                            let left =
                                (value <= node.threshold) | (value.is_nan() & (node.feature & MISSING_LEFT != 0));
                            *at = node.left + u32::from(!left);
                        }
                    }
                    for (k, &at) in at[..n].iter().enumerate() {
                        add(first + k, !tree.items[at as usize] as usize);
                    }
                }
            }
        }
    }
}

/// A node on bins, laid out as a [`RawNode`].
#[derive(Clone, Copy)]
struct BinNode {
    place: u32,
    left: u32,
    /// Bins up to this one go left.
    bin: u8,
    missing_left: bool,
    /// Which of the tree's sets of categories decides, instead.
    categories: Option<u32>,
}

/// Trees on bins.
pub(crate) struct BinForest<'a> {
    bins: &'a Bins,
    trees: Vec<BinTree<'a>>,
}

pub(crate) struct BinTree<'a> {
    tree: &'a Tree,
    nodes: Vec<BinNode>,
    items: Vec<i32>,
    categories: Vec<[u64; 4]>,
    depth: usize,
}

impl<'a> BinForest<'a> {
    /// # Errors
    /// When a split is not at an edge of these bins.
    pub(crate) fn new(trees: &'a [Tree], bins: &'a Bins) -> Result<Self> {
        let flat = |(number, tree): (usize, &'a Tree)| {
            let foreign = |feature: usize| {
                let what = format!("tree {number} splits feature {feature} where these bins do not");
                Error::Format(what)
            };
            let Layout { items, left, depth } = Layout::new(tree);
            let mut categories = Vec::new();
            let mut nodes = Vec::with_capacity(items.len());
            for (&item, &left) in items.iter().zip(&left) {
                let mut flat = BinNode { place: 0, left, bin: u8::MAX, missing_left: true, categories: None };
                if let Ok(node) = usize::try_from(item) {
                    let node = &tree.nodes[node];
                    let place = bins.places().iter().position(|place| place.feature == node.feature);
                    flat.place = place.ok_or_else(|| foreign(node.feature))? as u32;
                    match Tree::condition(node, &bins.features()[node.feature]) {
                        None => return Err(foreign(node.feature)),
                        Some(Condition::Threshold { bin, default_left }) => {
                            (flat.bin, flat.missing_left) = (bin.min(MISSING - 1), default_left);
                        }
                        Some(Condition::Categories(bits)) => {
                            flat.categories = Some(categories.len() as u32);
                            categories.push(bits);
                        }
                    }
                }
                nodes.push(flat);
            }
            Ok(BinTree { tree, nodes, items, categories, depth })
        };
        Ok(BinForest { bins, trees: trees.iter().enumerate().map(flat).collect::<Result<_>>()? })
    }

    /// Adds what some of the trees say to the scores (n_rows, n_scores).
    pub(crate) fn add(
        &self,
        level: Level,
        trees: Range<usize>,
        outputs: impl Fn(usize) -> usize,
        rows: &[u32],
        n_scores: usize,
        scores: &mut [f64],
    ) {
        if self.bins.places().is_empty() {
            // Nothing varies: every tree is one leaf.
            for number in trees {
                let (tree, output) = (&self.trees[number].tree, outputs(number));
                for scores in scores.chunks_exact_mut(n_scores) {
                    scores[output..].iter_mut().zip(&tree.leaves[0].value).for_each(|(to, value)| *to += value);
                }
            }
            return;
        }
        let columns: Vec<&[u8]> = (0..self.bins.places().len()).map(|place| self.bins.column(place)).collect();
        let mut leaves = [0u32; ROWS_A_BLOCK];
        for (rows, scores) in rows.chunks(ROWS_A_BLOCK).zip(scores.chunks_mut(ROWS_A_BLOCK * n_scores)) {
            for number in trees.clone() {
                let tree = &self.trees[number];
                let leaves = &mut leaves[..rows.len()];
                descend(level, tree, &columns, rows, leaves);
                for (leaf, scores) in leaves.iter().zip(scores.chunks_exact_mut(n_scores)) {
                    let leaf = &tree.tree.leaves[!tree.items[*leaf as usize] as usize].value;
                    scores[outputs(number)..].iter_mut().zip(leaf).for_each(|(to, value)| *to += value);
                }
            }
        }
    }
}

leveled! {
    /// The place in the tree's list that each row ends at.
    fn descend(tree: &BinTree, columns: &[&[u8]], rows: &[u32], leaves: &mut [u32]) = descend_body
}

#[inline(always)]
fn descend_body(tree: &BinTree, columns: &[&[u8]], rows: &[u32], leaves: &mut [u32]) {
    for (rows, leaves) in rows.chunks(SIDE_BY_SIDE).zip(leaves.chunks_mut(SIDE_BY_SIDE)) {
        leaves.fill(0);
        for _ in 0..tree.depth {
            for (&row, at) in rows.iter().zip(leaves.iter_mut()) {
                let node = &tree.nodes[*at as usize];
                let bin = columns[node.place as usize][row as usize];
                let left = match node.categories {
                    None => {
                        if bin == MISSING {
                            node.missing_left
                        } else {
                            bin <= node.bin
                        }
                    }
                    Some(set) => tree.categories[set as usize][usize::from(bin / 64)] >> (bin % 64) & 1 == 1,
                };
                *at = node.left + u32::from(!left);
            }
        }
    }
}
