//! Small trees on codes: each feature's values as bytes, had once for all trees.

use crate::bins::lookup::Lookup;
use crate::bins::{Column, FeatureBins, MISSING};
use crate::kernel::Level;
use crate::kernel::descent::{CodedCondition, CodedNode, MOST_LEAVES, ROWS, find_leaves};
use crate::split::Condition;
use crate::tree::{Decision, Node, Tree};

/// Rows whose codes are held together: a multiple of [`ROWS`].
pub(super) const ROWS_A_BLOCK: usize = 512;
/// Thresholds that a feature's bytes can tell apart.
const MOST_THRESHOLDS: usize = 254;
/// Trees from which on it pays to look up codes.
const LEAST_TREES: usize = 4;

/// Whether a tree is small enough; linear leaves need values, too.
fn fits(tree: &Tree) -> bool {
    tree.leaves.len() <= MOST_LEAVES && !tree.is_linear()
}

/// Trees whose nodes split codes.
pub(super) struct CodedTrees<'a> {
    trees: Vec<(&'a Tree, Vec<CodedNode>)>,
    /// The features that some node splits, by their numbers as columns or places; codes lie in this order.
    pub(super) features: Vec<usize>,
}

impl<'a> CodedTrees<'a> {
    /// `condition` gives a node's feature and what decides; None where a tree has too many leaves or linear ones, or a condition cannot be had.
    pub(super) fn new(
        trees: &'a [Tree],
        n_features: usize,
        condition: impl Fn(usize, usize) -> Option<(usize, Condition)>,
    ) -> Option<Self> {
        if !trees.iter().all(fits) {
            return None;
        }
        let mut code_of = vec![None; n_features];
        let mut features = Vec::new();
        let mut coded = Vec::with_capacity(trees.len());
        for (number, tree) in trees.iter().enumerate() {
            let mut nodes = Vec::with_capacity(tree.nodes.len());
            for (at, node) in tree.nodes.iter().enumerate() {
                let (feature, condition) = condition(number, at)?;
                let feature = *code_of[feature].get_or_insert_with(|| {
                    features.push(feature);
                    features.len() as u32 - 1
                });
                let condition = match condition {
                    Condition::Threshold { bin: MISSING, .. } => return None,
                    Condition::Threshold { bin, default_left } => {
                        CodedCondition::UpTo { last: bin + u8::from(default_left), added: u8::from(default_left) }
                    }
                    Condition::Categories(bits) => CodedCondition::AnyOf(bits),
                };
                let slot = |child: i32| match usize::try_from(child) {
                    // Children come after their parents.
                    Ok(child) => (child > at).then_some(child as u16),
                    Err(_) => Some((MOST_LEAVES + !child as usize) as u16),
                };
                nodes.push(CodedNode { feature, left: slot(node.left)?, right: slot(node.right)?, condition });
            }
            coded.push((tree, nodes));
        }
        Some(CodedTrees { trees: coded, features })
    }

    /// Adds the trees' values to the scores (n_rows, n_scores) of up to [`ROWS_A_BLOCK`] rows, whose `codes` lie by feature, as many each.
    pub(super) fn add(
        &self,
        level: Level,
        trees: std::ops::Range<usize>,
        codes: &[u8],
        n_scores: usize,
        scores: &mut [f64],
    ) {
        let mut leaves = [0; ROWS_A_BLOCK];
        let n_rows = scores.len() / n_scores;
        let leaves = &mut leaves[..n_rows.next_multiple_of(ROWS).min(ROWS_A_BLOCK)];
        let mut values = [0.0; MOST_LEAVES];
        for (tree, nodes) in &self.trees[trees] {
            find_leaves(level, nodes, tree.leaves.len(), codes, ROWS_A_BLOCK, leaves);
            let width = tree.leaves.first().map_or(0, |leaf| leaf.value.len());
            if width == 1 {
                values.iter_mut().zip(&tree.leaves).for_each(|(value, leaf)| *value = leaf.value[0]);
                let scores = scores.iter_mut().skip(tree.output).step_by(n_scores);
                scores.zip(&*leaves).for_each(|(score, &leaf)| *score += values[usize::from(leaf)]);
            } else {
                for (scores, &leaf) in scores.chunks_exact_mut(n_scores).zip(&*leaves) {
                    let value = &tree.leaves[usize::from(leaf)].value;
                    scores.iter_mut().zip(value).for_each(|(score, value)| *score += value);
                }
            }
        }
    }
}

/// How columns' raw values become codes that tell what some trees ask.
pub(super) struct RawCodes<'a> {
    pub(super) trees: CodedTrees<'a>,
    /// By feature of the trees.
    lookups: Vec<Lookup>,
}

impl<'a> RawCodes<'a> {
    /// None where codes do not suffice, or do not pay.
    pub(super) fn new(trees: &'a [Tree], n_features: usize) -> Option<Self> {
        if trees.len() < LEAST_TREES || !trees.iter().all(fits) {
            return None;
        }
        let mut bins: Vec<Option<FeatureBins>> = vec![None; n_features];
        for node in trees.iter().flat_map(|tree| &tree.nodes) {
            let own = &mut bins[node.feature];
            match &node.decision {
                Decision::Threshold { value, .. } => {
                    let numeric = own.get_or_insert_with(|| FeatureBins::Numeric { upper: Vec::new() });
                    let FeatureBins::Numeric { upper } = numeric else { return None };
                    if value.is_finite() && *value != f64::MAX {
                        upper.push(*value);
                    } else if *value != f64::MAX {
                        return None;
                    }
                }
                Decision::Categories(left) => {
                    let categorical = own.get_or_insert_with(|| FeatureBins::Categorical { codes: Vec::new() });
                    let FeatureBins::Categorical { codes } = categorical else { return None };
                    codes.extend_from_slice(left);
                }
            }
        }
        for own in bins.iter_mut().flatten() {
            let n = match own {
                FeatureBins::Numeric { upper } => {
                    upper.sort_unstable_by(f64::total_cmp);
                    upper.dedup();
                    upper.len()
                }
                FeatureBins::Categorical { codes } => {
                    codes.sort_unstable();
                    codes.dedup();
                    codes.len()
                }
            };
            if n > MOST_THRESHOLDS {
                return None;
            }
        }
        let condition = |tree: usize, node: usize| {
            let node: &Node = &trees[tree].nodes[node];
            Some((node.feature, condition(&node.decision, bins[node.feature].as_ref()?)?))
        };
        let trees = CodedTrees::new(trees, n_features, condition)?;
        let lookups = trees.features.iter().map(|&feature| Some(Lookup::new(bins[feature].as_ref()?)));
        Some(RawCodes { lookups: lookups.collect::<Option<_>>()?, trees })
    }

    /// Adds the trees' values to the scores (n_rows, n_scores) of all rows.
    pub(super) fn add(&self, level: Level, columns: &[Column], n_scores: usize, scores: &mut [f64]) {
        let mut codes = vec![0; self.lookups.len() * ROWS_A_BLOCK];
        let all = 0..self.trees.trees.len();
        for (block, scores) in scores.chunks_mut(ROWS_A_BLOCK * n_scores).enumerate() {
            let n_rows = scores.len() / n_scores;
            let own = self.trees.features.iter().zip(&self.lookups).zip(codes.chunks_exact_mut(ROWS_A_BLOCK));
            for ((&feature, lookup), codes) in own {
                lookup.put(level, &columns[feature], block * ROWS_A_BLOCK, &mut codes[..n_rows]);
            }
            self.trees.add(level, all.clone(), &codes, n_scores, scores);
        }
    }
}

/// A split of codes: those that [`Lookup`] makes by these bins.
fn condition(decision: &Decision, bins: &FeatureBins) -> Option<Condition> {
    match (decision, bins) {
        (Decision::Threshold { value, default_left }, FeatureBins::Numeric { upper }) => {
            let bin = if *value == f64::MAX { upper.len() } else { upper.partition_point(|upper| upper < value) };
            Some(Condition::Threshold { bin: bin as u8, default_left: *default_left })
        }
        (Decision::Categories(left), FeatureBins::Categorical { codes }) => {
            let mut bits = [0u64; 4];
            for code in left {
                let bin = codes.binary_search(code).ok()?;
                bits[bin / 64] |= 1 << (bin % 64);
            }
            Some(Condition::Categories(bits))
        }
        _ => None,
    }
}
