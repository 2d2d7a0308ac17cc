//! A forest of [`Tree`]s: what it expects at a row, and how unsure it is.

use super::tree::{Growth, Tree};
use crate::sampler::encoding::Encoding;
use crate::sampler::improvement::Normal;
use crate::sampler::normals::Normals;
use crate::seed::Seed;

#[derive(Clone, Debug)]
pub(crate) struct Forest {
    pub trees: Vec<Tree>,
}

/// Which rows a tree sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sample {
    /// All of them: trees differ by their cuts.
    All,
    /// As many as there are, but at most so many, drawn with replacement.
    Bootstrap(usize),
}

impl Forest {
    /// `rows` and `values` must not be empty.
    pub fn grow(
        encoding: &Encoding,
        rows: &[Vec<f64>],
        values: &[f64],
        n_trees: usize,
        sample: Sample,
        growth: Growth,
        seed: Seed,
    ) -> Forest {
        let tree = |number: usize| {
            let mut normals = Normals(seed.child("tree", number as u64).rng());
            let n = rows.len();
            let mut sample: Vec<usize> = match sample {
                Sample::All => (0..n).collect(),
                Sample::Bootstrap(most) => (0..n.min(most)).map(|_| (normals.unit() * n as f64) as usize).collect(),
            };
            Tree::grow(encoding, rows, values, &mut sample, growth, &mut normals)
        };
        Forest { trees: (0..n_trees).map(tree).collect() }
    }

    /// By the law of total variance over the trees: the mean of the leaves' variances and the variance of their means, as Hutter et al., *Algorithm runtime prediction: Methods & evaluation*, Artificial Intelligence 206, 2014.
    pub fn predict(&self, row: &[f64]) -> Normal {
        let n = self.trees.len() as f64;
        let (mut mean, mut squares, mut within) = (0.0, 0.0, 0.0);
        for tree in &self.trees {
            let leaf = tree.leaf(row);
            mean += leaf.mean / n;
            squares += leaf.mean * leaf.mean / n;
            within += leaf.variance / n;
        }
        Normal { mean, variance: (squares - mean * mean).max(0.0) + within }
    }

    /// How far results lie from the trees' means at a row: the mean of the leaves' variances.
    pub fn within(&self, row: &[f64]) -> f64 {
        self.trees.iter().map(|tree| tree.leaf(row).variance).sum::<f64>() / self.trees.len() as f64
    }
}
