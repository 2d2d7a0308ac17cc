//! A grown tree.

use serde::{Deserialize, Serialize};

use crate::bins::FeatureBins;
use crate::split::Condition;

mod linear;

pub use linear::Linear;

/// What decides about a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Values up to the threshold go left, missing ones where `default_left` says. At [`f64::MAX`] all values go left, infinity too.
    Threshold { value: f64, default_left: bool },
    /// These categories go left, all others right, missing ones too; ascending.
    Categories(Vec<u32>),
}

impl Decision {
    /// Whether a value goes left, a category given as its code.
    pub(crate) fn goes_left(&self, value: f64) -> bool {
        match self {
            Decision::Threshold { default_left, .. } if value.is_nan() => *default_left,
            Decision::Threshold { value: threshold, .. } => value <= *threshold || *threshold == f64::MAX,
            Decision::Categories(codes) => {
                value >= 0.0 && value.fract() == 0.0 && codes.binary_search(&(value as u32)).is_ok()
            }
        }
    }
}

/// A node that splits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node {
    /// Number of the column.
    pub feature: usize,
    pub decision: Decision,
    /// A node where it is 0 or more, else leaf `!left`.
    pub left: i32,
    /// As `left`.
    pub right: i32,
    /// What the split gained.
    pub gain: f64,
    /// The value (per output) that the node would have as a leaf.
    pub value: Vec<f64>,
    /// The sum of its rows' Hessians.
    pub weight: f64,
    /// Its training rows.
    pub count: usize,
}

/// A leaf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leaf {
    /// What it adds to each output's score; of a linear leaf, where its model says no finite number.
    pub value: Vec<f64>,
    /// What it adds where `linear_tree` gave it a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub linear: Option<Box<Linear>>,
    /// The sum of its rows' Hessians.
    pub weight: f64,
    /// Its training rows.
    pub count: usize,
}

/// A tree. The first node is the root; a tree without nodes is one leaf.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tree {
    pub nodes: Vec<Node>,
    pub leaves: Vec<Leaf>,
    /// The output that it belongs to; with leaf vectors it is 0 and each leaf has a value an output.
    pub output: usize,
}

impl Tree {
    /// Splits from the root to the farthest leaf.
    pub fn depth(&self) -> usize {
        let mut depths = vec![0; self.nodes.len()];
        let mut deepest = 0;
        for (index, node) in self.nodes.iter().enumerate() {
            for child in [node.left, node.right] {
                match usize::try_from(child) {
                    Ok(child) => depths[child] = depths[index] + 1,
                    Err(_) => deepest = deepest.max(depths[index] + 1),
                }
            }
        }
        deepest
    }

    /// Whether a leaf is a linear model.
    pub fn is_linear(&self) -> bool {
        self.leaves.iter().any(|leaf| leaf.linear.is_some())
    }

    /// Every feature that its predictions depend on, as often as it is there.
    pub(crate) fn features(&self) -> impl Iterator<Item = usize> {
        let linear = self.leaves.iter().filter_map(|leaf| leaf.linear.as_deref());
        let of_leaves = linear.flat_map(|linear| linear.features.iter().copied());
        self.nodes.iter().map(|node| node.feature).chain(of_leaves)
    }

    /// The leaf that a row ends in, by its raw values (a category as its code).
    pub fn leaf_of(&self, row: &[f64]) -> usize {
        if self.nodes.is_empty() {
            return 0;
        }
        let mut at = 0;
        loop {
            let node = &self.nodes[at];
            let left = self.goes_left(at, row);
            let child = if left { node.left } else { node.right };
            match usize::try_from(child) {
                Ok(child) => at = child,
                Err(_) => return !child as usize,
            }
        }
    }

    /// Whether a row goes left at a node, by its raw values.
    pub(crate) fn goes_left(&self, node: usize, row: &[f64]) -> bool {
        let Node { feature, decision, .. } = &self.nodes[node];
        decision.goes_left(row[*feature])
    }

    /// A split on raw values, from one on bins.
    pub(crate) fn decision(condition: &Condition, bins: &FeatureBins) -> Decision {
        match (condition, bins) {
            (Condition::Threshold { bin, default_left }, FeatureBins::Numeric { upper }) => {
                // Beyond the last end lies everything that is not missing.
                let value = upper.get(usize::from(*bin)).copied().unwrap_or(f64::MAX);
                Decision::Threshold { value, default_left: *default_left }
            }
            (Condition::Categories(bits), FeatureBins::Categorical { codes }) => {
                let left = codes.iter().enumerate().filter(|(bin, _)| bits[bin / 64] >> (bin % 64) & 1 == 1);
                let mut left: Vec<u32> = left.map(|(_, &code)| code).collect();
                left.sort_unstable();
                Decision::Categories(left)
            }
            // A condition is made from the bins of its own feature.
            (Condition::Threshold { .. }, FeatureBins::Categorical { .. })
            | (Condition::Categories(_), FeatureBins::Numeric { .. }) => Decision::Categories(Vec::new()),
        }
    }

    /// A split on bins, from one on raw values; None where no threshold of the bins is that of the node.
    pub(crate) fn condition(node: &Node, bins: &FeatureBins) -> Option<Condition> {
        match (&node.decision, bins) {
            (Decision::Threshold { value, default_left }, FeatureBins::Numeric { upper }) => {
                let bin = if *value == f64::MAX {
                    upper.len()
                } else {
                    upper.binary_search_by(|upper| upper.total_cmp(value)).ok()?
                };
                Some(Condition::Threshold { bin: bin as u8, default_left: *default_left })
            }
            (Decision::Categories(left), FeatureBins::Categorical { codes }) => {
                let mut bits = [0u64; 4];
                for code in left {
                    let bin = codes.iter().position(|known| known == code)?;
                    bits[bin / 64] |= 1 << (bin % 64);
                }
                Some(Condition::Categories(bits))
            }
            _ => None,
        }
    }
}
