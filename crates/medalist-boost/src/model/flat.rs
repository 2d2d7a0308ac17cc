//! Prediction: small trees by codes; down large ones a block of rows goes tree after tree, parted at each node as in training.

use std::ops::Range;

use super::coded::{self, CodedTrees, RawCodes};
use crate::bins::{Bins, Column, MISSING};
use crate::error::{Error, Result};
use crate::kernel::Level;
use crate::kernel::partition::{partition, partition_values};
use crate::split::Condition;
use crate::tree::{Decision, Leaf, Node, Tree};

/// What a node takes, all in all.
pub(super) const NODE_BYTES: usize = size_of::<Node>();

/// Rows that go down a tree together: their values of a few features stay in the cache.
const ROWS_A_BLOCK: usize = 1024;
/// So few rows go down one by one.
const ROWS_TO_PART: usize = 12;

/// The rows of a block on their way down.
struct Descent {
    rows: Vec<u32>,
    spare: Vec<u32>,
    /// Nodes with their rows: a node of the tree, or `!leaf`.
    open: Vec<(i32, Range<usize>)>,
}

impl Descent {
    fn new() -> Self {
        Descent { rows: Vec::new(), spare: vec![0; ROWS_A_BLOCK], open: Vec::new() }
    }

    /// Takes the rows to their leaves. `part` moves a node's left rows to the front and counts them, `step` takes one row one node further, `arrive` gets each leaf's rows.
    fn run(
        &mut self,
        tree: &Tree,
        rows: Range<u32>,
        part: impl Fn(usize, &mut [u32], &mut [u32]) -> usize,
        step: impl Fn(usize, u32) -> bool,
        mut arrive: impl FnMut(usize, &[u32]),
    ) {
        self.rows.clear();
        self.rows.extend(rows);
        self.open.push((if tree.nodes.is_empty() { !0 } else { 0 }, 0..self.rows.len()));
        while let Some((at, range)) = self.open.pop() {
            let Ok(node) = usize::try_from(at) else {
                arrive(!at as usize, &self.rows[range]);
                continue;
            };
            if range.len() < ROWS_TO_PART {
                for &row in &self.rows[range] {
                    let mut at = node as i32;
                    while let Ok(node) = usize::try_from(at) {
                        let children = &tree.nodes[node];
                        at = if step(node, row) { children.left } else { children.right };
                    }
                    arrive(!at as usize, &[row]);
                }
                continue;
            }
            let n_left = part(node, &mut self.rows[range.clone()], &mut self.spare);
            let middle = range.start + n_left;
            self.open.push((tree.nodes[node].right, middle..range.end));
            self.open.push((tree.nodes[node].left, range.start..middle));
        }
    }
}

/// Adds what some trees say of raw values to the scores (n_rows, n_scores).
pub(super) fn add_raw(trees: &[Tree], columns: &[Column], n_scores: usize, scores: &mut [f64]) {
    if let Some(codes) = RawCodes::new(trees, columns.len()) {
        return codes.add(Level::detect(), columns, n_scores, scores);
    }
    let used = used_features(trees, columns.len());
    let mut values = vec![Vec::new(); columns.len()];
    let mut descent = Descent::new();
    let level = Level::detect();
    for (block, scores) in scores.chunks_mut(ROWS_A_BLOCK * n_scores).enumerate() {
        let (first, n_rows) = (block * ROWS_A_BLOCK, scores.len() / n_scores);
        for &feature in &used {
            values[feature].clear();
            values[feature].extend((first..first + n_rows).map(|row| columns[feature].value(row)));
        }
        for tree in trees {
            let part = |node: usize, rows: &mut [u32], spare: &mut [u32]| {
                let node = &tree.nodes[node];
                let values = &values[node.feature];
                match node.decision {
                    Decision::Threshold { value, default_left } => {
                        partition_values(level, values, everything(value), default_left, rows, spare)
                    }
                    Decision::Categories(_) => {
                        let table: Vec<u8> =
                            values.iter().map(|&value| u8::from(node.decision.goes_left(value))).collect();
                        by_answers(&table, rows, spare)
                    }
                }
            };
            let step = |node: usize, row: u32| {
                let node = &tree.nodes[node];
                node.decision.goes_left(values[node.feature][row as usize])
            };
            let column = |feature: usize| Column::F64(&values[feature]);
            descent.run(tree, 0..n_rows as u32, part, step, |leaf, rows| match &tree.leaves[leaf] {
                leaf if leaf.value.len() > 1 => add_vector(leaf, rows, n_scores, scores),
                leaf => leaf.each(column, rows, |row, value| {
                    scores[row as usize * n_scores + tree.output] += value;
                }),
            });
        }
    }
}

/// As [`partition`], where each row's answer is known: 1 where it goes left.
fn by_answers(answers: &[u8], rows: &mut [u32], spare: &mut [u32]) -> usize {
    let mut left: [u8; 256] = [0; 256];
    left[1] = 1;
    partition(Level::Base, answers, &left, rows, spare)
}

/// The features that predictions depend on.
pub(super) fn used_features(trees: &[Tree], n_features: usize) -> Vec<usize> {
    let mut used = vec![false; n_features];
    trees.iter().flat_map(Tree::features).for_each(|feature| used[feature] = true);
    (0..n_features).filter(|&feature| used[feature]).collect()
}

/// A threshold, or infinity where it stands for that.
fn everything(threshold: f64) -> f64 {
    if threshold == f64::MAX { f64::INFINITY } else { threshold }
}

/// Adds the values of a leaf of several outputs, the first of which is score 0.
fn add_vector(leaf: &Leaf, rows: &[u32], n_scores: usize, scores: &mut [f64]) {
    for &row in rows {
        let to = &mut scores[row as usize * n_scores..][..leaf.value.len()];
        to.iter_mut().zip(&leaf.value).for_each(|(to, value)| *to += value);
    }
}

/// Trees on bins.
pub(crate) struct BinForest<'a> {
    bins: &'a Bins,
    /// What the bins were made of; empty where no leaf is linear.
    columns: &'a [Column<'a>],
    trees: &'a [Tree],
    /// By tree and node: the feature's place, and what decides.
    conditions: Vec<Vec<(usize, Condition)>>,
    /// The same for trees that are small; bins are codes.
    coded: Option<CodedTrees<'a>>,
}

impl<'a> BinForest<'a> {
    /// # Errors
    /// When a split is not at an edge of these bins, or a leaf is linear and there are no columns.
    pub(crate) fn new(trees: &'a [Tree], bins: &'a Bins, columns: Option<&'a [Column<'a>]>) -> Result<Self> {
        if let Some(tree) = trees.iter().position(Tree::is_linear).filter(|_| columns.is_none()) {
            let what = "has linear leaves, which need values rather than bins: predict by columns, or train with them";
            return Err(Error::Format(format!("tree {tree} {what}")));
        }
        let foreign = |tree: usize, feature: usize| {
            Error::Format(format!("tree {tree} splits feature {feature} where these bins do not"))
        };
        let conditions = trees.iter().enumerate().map(|(number, tree)| {
            let condition = |node: &Node| {
                let place = bins.places().iter().position(|place| place.feature == node.feature);
                let condition = Tree::condition(node, &bins.features()[node.feature]);
                place.zip(condition).ok_or_else(|| foreign(number, node.feature))
            };
            tree.nodes.iter().map(condition).collect::<Result<Vec<_>>>()
        });
        let conditions: Vec<Vec<(usize, Condition)>> = conditions.collect::<Result<_>>()?;
        let coded = CodedTrees::new(trees, bins.places().len(), |tree, node| Some(conditions[tree][node]));
        Ok(BinForest { bins, columns: columns.unwrap_or_default(), trees, conditions, coded })
    }

    /// Adds what some of the trees say of the bins' rows to the scores (n_rows, n_scores).
    pub(crate) fn add(&self, level: Level, trees: Range<usize>, rows: &[u32], n_scores: usize, scores: &mut [f64]) {
        if let Some(coded) = &self.coded {
            let mut codes = vec![0; coded.features.len() * coded::ROWS_A_BLOCK];
            let blocks = rows.chunks(coded::ROWS_A_BLOCK).zip(scores.chunks_mut(coded::ROWS_A_BLOCK * n_scores));
            for (rows, scores) in blocks {
                for (&place, codes) in coded.features.iter().zip(codes.chunks_exact_mut(coded::ROWS_A_BLOCK)) {
                    let (column, place) = (self.bins.column(place), &self.bins.places()[place]);
                    codes.iter_mut().zip(rows).for_each(|(code, &row)| *code = place.bin(column[row as usize]));
                }
                coded.add(level, trees.clone(), &codes, n_scores, scores);
            }
            return;
        }
        let mut descent = Descent::new();
        let mut bins = vec![Vec::new(); self.bins.places().len()];
        let mut used = vec![false; bins.len()];
        self.conditions[trees.clone()].iter().flatten().for_each(|&(place, _)| used[place] = true);
        for (rows, scores) in rows.chunks(ROWS_A_BLOCK).zip(scores.chunks_mut(ROWS_A_BLOCK * n_scores)) {
            for (place, bins) in bins.iter_mut().enumerate().filter(|(place, _)| used[*place]) {
                let (column, place) = (self.bins.column(place), &self.bins.places()[place]);
                bins.clear();
                bins.extend(rows.iter().map(|&row| place.bin(column[row as usize])));
            }
            for number in trees.clone() {
                let (tree, conditions) = (&self.trees[number], &self.conditions[number]);
                let part = |node: usize, rows: &mut [u32], spare: &mut [u32]| {
                    let (place, condition) = &conditions[node];
                    partition(level, &bins[*place], &condition.table(), rows, spare)
                };
                let step = |node: usize, row: u32| {
                    let (place, condition) = &conditions[node];
                    let bin = bins[*place][row as usize];
                    match condition {
                        Condition::Threshold { default_left, .. } if bin == MISSING => *default_left,
                        Condition::Threshold { bin: last, .. } => bin <= *last,
                        Condition::Categories(bits) => bits[usize::from(bin / 64)] >> (bin % 64) & 1 == 1,
                    }
                };
                let all = 0..rows.len() as u32;
                descent.run(tree, all, part, step, |leaf, places| match &tree.leaves[leaf] {
                    leaf if leaf.value.len() > 1 => add_vector(leaf, places, n_scores, scores),
                    leaf if leaf.linear.is_none() => places.iter().for_each(|&place| {
                        scores[place as usize * n_scores + tree.output] += leaf.value[0];
                    }),
                    leaf => {
                        let of_block: Vec<u32> = places.iter().map(|&place| rows[place as usize]).collect();
                        let mut places = places.iter();
                        leaf.each(
                            |feature| self.columns[feature],
                            &of_block,
                            |_, value| {
                                if let Some(&place) = places.next() {
                                    scores[place as usize * n_scores + tree.output] += value;
                                }
                            },
                        );
                    }
                });
            }
        }
    }
}
