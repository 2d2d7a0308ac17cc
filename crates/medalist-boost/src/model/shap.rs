//! What each feature contributes to a prediction: exact Shapley values of the trees (Lundberg et al. 2018).
//!
//! A leaf under conditions on d features counts for a coalition S by the product over its features of o (is the row's own value let through? 0 or 1) where the feature is in S, and of z (the share of training rows that are let through) where it is not. Shapley's weights of coalitions are integrals, s! (d - 1 - s)! / d! = integral over t in 0..1 of t^s (1 - t)^(d - 1 - s), so that all coalitions of all sizes together are one integral: feature i gets the leaf's value times (o_i - z_i) times the integral of the product over the other features of o t + z (1 - t). That is a polynomial of degree d - 1 in t, which Gauss and Legendre's formula integrates exactly by d / 2 nodes. All factors are above 0, so that "the others" may be found by division, and sums over the leaves below a node serve all of them at once: the time is proportional to nodes times depth, and nothing cancels.

use crate::bins::Column;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::tree::Tree;

#[cfg(test)]
mod tests;

impl Model {
    /// What each feature adds to each score, by the first iterations (all where None): (n_rows, n_scores * (n_features + 1)), row-major; for each score its features, then the expected score. A score's numbers add up to the raw score.
    ///
    /// These are Shapley values where absent features are averaged over along the trees' paths, by the numbers of training rows, as LightGBM's `pred_contrib` has them (a forest's are divided by the number of trees here).
    ///
    /// # Errors
    /// Those of [`Model::raw`]; when a tree does not tell the training rows in its leaves, or has linear ones: what a leaf says then depends on values that are not only let through or not. LightGBM has no contributions of these, either.
    pub fn contributions(&self, columns: &[Column], n_iterations: Option<usize>) -> Result<Vec<f64>> {
        let n_iterations = n_iterations.unwrap_or(self.n_iterations());
        self.check_stages(&[n_iterations])?;
        let n_rows = self.check_columns(columns)?;
        let n_trees = n_iterations * self.trees_an_iteration;
        let plans = self.trees[..n_trees].iter().enumerate().map(|(number, tree)| Plan::new(number, tree));
        let plans = plans.collect::<Result<Vec<Plan>>>()?;
        let width = self.n_features + 1;
        // What is the same for every row.
        let mut expected = vec![0.0; self.n_scores()];
        for plan in &plans {
            plan.expected(&mut expected[plan.tree.output..]);
        }
        let share = if self.average { 1.0 / n_iterations.max(1) as f64 } else { 1.0 };
        let mut out = vec![0.0; n_rows * self.n_scores() * width];
        let n_features = self.n_features;
        let mut values = vec![0.0; ROWS_A_BLOCK * n_features];
        let mut work = Work::default();
        let row_width = self.n_scores() * width;
        for (block, out) in out.chunks_mut(ROWS_A_BLOCK * row_width).enumerate() {
            for row in 0..out.len() / row_width {
                let values = values[row * n_features..].iter_mut().zip(columns);
                values.for_each(|(value, column)| *value = column.value(block * ROWS_A_BLOCK + row));
            }
            for plan in &plans {
                for (row, out) in out.chunks_exact_mut(row_width).enumerate() {
                    let values = &values[row * n_features..][..n_features];
                    plan.add(values, &mut work, &mut out[plan.tree.output * width..], width);
                }
            }
            for (score, out) in out.chunks_exact_mut(width).enumerate() {
                let score = score % self.n_scores();
                out[width - 1] = expected[score];
                out.iter_mut().for_each(|value| *value *= share);
                out[width - 1] += self.start[score];
            }
        }
        Ok(out)
    }
}

/// Rows that go down a tree one after the other, while its tables are in the cache.
const ROWS_A_BLOCK: usize = 64;

/// A node or a leaf below the root, and all that is known of it before any row.
struct Place {
    /// The condition above it: on which feature, by which node, and whether it is the left side.
    feature: usize,
    node: usize,
    left: bool,
    /// Its parent among the places; None below the root.
    parent: Option<usize>,
    /// The nearest place above it under a condition on the same feature.
    same: Option<usize>,
    /// The share of training rows that the conditions on the feature let through, from the root to here.
    share: f64,
    /// The share of all training rows.
    reached: f64,
    /// Where it is a leaf, its number.
    leaf: Option<usize>,
}

/// A tree, prepared. Parents come before their children.
struct Plan<'a> {
    tree: &'a Tree,
    places: Vec<Place>,
    /// Nodes of the integration.
    n_nodes: usize,
    /// Per place, case (see [`case`]) and node: what the products of all factors change by from the parent to here.
    changes: Vec<f64>,
    /// Per place, whether its row does not follow or does, and node: o - z, over the feature's factor, by the node's weight.
    weights: Vec<f64>,
}

/// Whether a row follows the conditions on a feature down to a place, and to the place above on the same feature: neither, only above, both.
fn case(follows: bool, followed: bool) -> usize {
    usize::from(followed) + usize::from(follows)
}

/// What a row needs room for, per place and node of integration.
#[derive(Default)]
struct Work {
    /// Whether the row fulfils the conditions on the place's feature down to it.
    follows: Vec<bool>,
    products: Vec<f64>,
    sums: Vec<f64>,
}

impl<'a> Plan<'a> {
    fn new(number: usize, tree: &'a Tree) -> Result<Plan<'a>> {
        let count = |child: i32| match usize::try_from(child) {
            Ok(node) => tree.nodes[node].count as f64,
            Err(_) => tree.leaves[!child as usize].count as f64,
        };
        if tree.is_linear() {
            let what = format!("tree {number} has linear leaves: contributions are those of constant leaves only");
            return Err(Error::Format(what));
        }
        if !tree.nodes.is_empty() && tree.leaves.iter().all(|leaf| leaf.count == 0) {
            let what = format!("tree {number} does not tell the training rows in its leaves");
            return Err(Error::Format(what));
        }
        let mut places: Vec<Place> = Vec::with_capacity(2 * tree.nodes.len());
        // Each node's place, and conditions on different features down to it.
        let mut at = vec![None; tree.nodes.len()];
        let mut n_features = vec![0usize; tree.nodes.len()];
        let mut most = 0;
        for (node, split) in tree.nodes.iter().enumerate() {
            let parent: Option<usize> = at[node];
            let mut same = parent;
            while let Some(place) = same.filter(|&place| places[place].feature != split.feature) {
                same = places[place].parent;
            }
            let n = n_features[node] + usize::from(same.is_none());
            most = most.max(n);
            let total = count(split.left) + count(split.right);
            for (child, left) in [(split.left, true), (split.right, false)] {
                // Below a node without training rows nothing tells the sides apart.
                let share = if total > 0.0 { count(child) / total } else { 0.5 };
                let leaf = usize::try_from(!child).ok();
                if let Ok(child) = usize::try_from(child) {
                    at[child] = Some(places.len());
                    n_features[child] = n;
                }
                places.push(Place {
                    feature: split.feature,
                    node,
                    left,
                    parent,
                    same,
                    share: share * same.map_or(1.0, |same| places[same].share),
                    reached: share * parent.map_or(1.0, |parent| places[parent].reached),
                    leaf,
                });
            }
        }
        let nodes = gauss_legendre(most.div_ceil(2));
        let (mut changes, mut weights) = (Vec::new(), Vec::new());
        for place in &places {
            for (follows, followed) in [(false, false), (false, true), (true, true)] {
                changes.extend(nodes.iter().map(|&(t, _)| {
                    let before = place.same.map_or(1.0, |same| factor(followed, places[same].share, t));
                    // Where no row can come, nothing below counts.
                    if before > 0.0 { factor(follows, place.share, t) / before } else { 0.0 }
                }));
            }
            for follows in [false, true] {
                weights.extend(nodes.iter().map(|&(t, weight)| {
                    let own = factor(follows, place.share, t);
                    let gained = f64::from(follows) - place.share;
                    if own > 0.0 { gained * weight / own } else { 0.0 }
                }));
            }
        }
        Ok(Plan { tree, places, n_nodes: nodes.len(), changes, weights })
    }

    /// Adds the expected value of the outputs.
    fn expected(&self, out: &mut [f64]) {
        let mut add = |leaf: usize, share: f64| {
            let values = &self.tree.leaves[leaf].value;
            out.iter_mut().zip(values).for_each(|(out, value)| *out += value * share);
        };
        if self.places.is_empty() {
            return add(0, 1.0);
        }
        for place in &self.places {
            if let Some(leaf) = place.leaf {
                add(leaf, place.reached);
            }
        }
    }

    /// Adds what the features contribute for a row; `out` is the tree's output's first number, and `width` lie from output to output.
    fn add(&self, values: &[f64], work: &mut Work, out: &mut [f64], width: usize) {
        let n = self.n_nodes;
        self.multiply(values, work);
        let n_values = self.tree.leaves.first().map_or(0, |leaf| leaf.value.len());
        for (output, out) in out.chunks_mut(width).take(n_values).enumerate() {
            work.sums.clear();
            work.sums.resize(n * self.places.len(), 0.0);
            // From the leaves up: what lies below a place, by the conditions of all features.
            for (at, place) in self.places.iter().enumerate().rev() {
                let (above, own) = work.sums.split_at_mut(at * n);
                let own = &mut own[..n];
                if let Some(leaf) = place.leaf {
                    let value = self.tree.leaves[leaf].value[output];
                    own.iter_mut().zip(&work.products[at * n..]).for_each(|(sum, product)| *sum = value * product);
                }
                if let Some(parent) = place.parent {
                    above[parent * n..][..n].iter_mut().zip(&*own).for_each(|(sum, own)| *sum += own);
                }
                let mut gained = self.weigh(at, work.follows[at], own);
                if let Some(same) = place.same {
                    // Further down the feature's condition is a narrower one.
                    gained -= self.weigh(same, work.follows[same], own);
                }
                out[place.feature] += gained;
            }
        }
    }

    /// What a place's feature gains by the leaves below some place, whose sums are given.
    fn weigh(&self, at: usize, follows: bool, sums: &[f64]) -> f64 {
        let weights = &self.weights[(2 * at + usize::from(follows)) * self.n_nodes..];
        weights.iter().zip(sums).map(|(weight, sum)| weight * sum).sum()
    }

    /// The product of all features' factors down to each place.
    fn multiply(&self, values: &[f64], work: &mut Work) {
        let n = self.n_nodes;
        work.follows.clear();
        work.products.clear();
        work.products.resize(n * self.places.len(), 0.0);
        for (at, place) in self.places.iter().enumerate() {
            let followed = place.same.is_none_or(|same| work.follows[same]);
            let follows = followed && place.left == self.tree.goes_left(place.node, values);
            work.follows.push(follows);
            let changes = &self.changes[(3 * at + case(follows, followed)) * n..];
            let (above, own) = work.products.split_at_mut(at * n);
            let own = own[..n].iter_mut().zip(changes);
            match place.parent {
                None => own.for_each(|(product, change)| *product = *change),
                Some(parent) => {
                    let above = &above[parent * n..];
                    own.zip(above).for_each(|((product, change), above)| *product = above * change);
                }
            }
        }
    }
}

fn factor(follows: bool, share: f64, t: f64) -> f64 {
    f64::from(follows) * t + share * (1.0 - t)
}

/// Nodes in 0..1 and weights that integrate polynomials of degree 2 n - 1 exactly: the roots of Legendre's polynomial, by Newton's method.
fn gauss_legendre(n: usize) -> Vec<(f64, f64)> {
    let node = |k: usize| {
        let mut x = (std::f64::consts::PI * (k as f64 + 0.75) / (n as f64 + 0.5)).cos();
        let mut slope = 1.0;
        for _ in 0..100 {
            let (mut last, mut value) = (1.0, x);
            for degree in 2..=n {
                let degree = degree as f64;
                (last, value) = (value, ((2.0 * degree - 1.0) * x * value - (degree - 1.0) * last) / degree);
            }
            slope = n as f64 * (x * value - last) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            if step.abs() < 1e-15 {
                break;
            }
        }
        ((1.0 - x) / 2.0, 1.0 / ((1.0 - x * x) * slope * slope))
    };
    (0..n).map(node).collect()
}
