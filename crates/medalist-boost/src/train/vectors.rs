//! Iterations of one tree for all outputs.

use super::{Trainer, not_finite};
use crate::bins::Bins;
use crate::error::{Error, Result};
use crate::grow::vector::{VectorGrower, VectorJob, VectorLeafRows, lanes};
use crate::pair::{Scale, nearest};
use crate::sample::Draw;
use crate::tree::Tree;

/// The buffers of such iterations.
pub(super) struct Vectors<'a> {
    grower: VectorGrower<'a>,
    /// By row of the bins, [`lanes`] each.
    gradients: Vec<i32>,
}

impl<'a> Vectors<'a> {
    pub(super) fn new(bins: &'a Bins, n_outputs: usize) -> Self {
        Vectors { grower: VectorGrower::new(bins), gradients: vec![0; bins.n_rows() * lanes(n_outputs)] }
    }
}

/// Rows that are packed at a time: their vectors stay in the cache from one output to the next.
const ROWS_A_BLOCK: usize = 64;

impl Trainer<'_> {
    pub(super) fn grow_vectors(&mut self) -> Result<()> {
        let Some(mut vectors) = self.vectors.take() else { return Ok(()) };
        let grown = self.grow_with(&mut vectors);
        self.vectors = Some(vectors);
        self.trees.push(grown?);
        Ok(())
    }

    fn grow_with(&mut self, vectors: &mut Vectors) -> Result<Tree> {
        let scale = self.pack_vectors(&mut vectors.gradients)?;
        let draw = Draw::new(self.params.seed, self.n_iterations, 0);
        let used = self.draw_features(&draw);
        let (params, level, n_outputs) = (&self.params, self.level, self.scores.len());
        let job = VectorJob { params, level, scale, n_outputs, gradients: &vectors.gradients, used: &used, draw };
        let (mut tree, leaves) = vectors.grower.grow(&job, &self.bag.rows, &self.bag.others);
        let shrinkage = self.shrinkage();
        for (leaf, grown) in leaves.iter().zip(&mut tree.leaves) {
            let rows = &vectors.grower.rows[leaf.rows.clone()];
            for (output, value) in grown.value.iter_mut().enumerate() {
                *value = self.best_value(output, rows) * shrinkage;
                if !value.is_finite() {
                    return Err(Error::shape(format!("iteration {}: a leaf's value is {value}", self.n_iterations)));
                }
            }
        }
        tree.nodes.iter_mut().flat_map(|node| &mut node.value).for_each(|value| *value *= shrinkage);
        self.add_vectors(&vectors.grower, &leaves, &tree);
        Ok(tree)
    }

    /// The value that is best for these rows, by the output's own Hessians.
    fn best_value(&self, output: usize, rows: &[u32]) -> f64 {
        let derivatives = &self.derivatives[output];
        let (mut gradients, mut hessians) = (0.0, 0.0);
        match &self.bag.factors {
            None => {
                for &row in rows {
                    let [first, second] = derivatives[row as usize];
                    gradients += f64::from(first);
                    hessians += f64::from(second);
                }
            }
            Some(factors) => {
                for &row in rows {
                    let ([first, second], factor) = (derivatives[row as usize], f64::from(factors[row as usize]));
                    gradients += f64::from(first) * factor;
                    hessians += f64::from(second) * factor;
                }
            }
        }
        let denominator = hessians + self.params.lambda_l2;
        if denominator > 0.0 { -gradients / denominator } else { 0.0 }
    }

    fn add_vectors(&mut self, grower: &VectorGrower, leaves: &[VectorLeafRows], tree: &Tree) {
        for (output, scores) in self.scores.iter_mut().enumerate() {
            let scores = self.sums.get_mut(output).unwrap_or(scores);
            for (leaf, grown) in leaves.iter().zip(&tree.leaves) {
                let rows = grower.rows[leaf.rows.clone()].iter();
                for &row in rows.chain(&grower.others[leaf.others.clone()]) {
                    scores[row as usize] += grown.value[output];
                }
            }
        }
    }

    /// Fills the bag's rows' vectors; returns what an integer is worth, which is the same for all outputs.
    fn pack_vectors(&self, vectors: &mut [i32]) -> Result<Scale> {
        let n_outputs = self.scores.len();
        let width = lanes(n_outputs);
        let bag = &self.bag.rows;
        let factor = |row: u32| self.bag.factors.as_ref().map_or(1.0, |factors| f64::from(factors[row as usize]));
        let (mut largest, mut hessians) = (0.0f64, 0.0);
        for derivatives in &self.derivatives {
            let (mut first, mut second) = (0.0, 0.0);
            for &row in bag {
                let [gradient, hessian] = derivatives[row as usize];
                first += f64::from(gradient.abs()) * factor(row);
                second += f64::from(hessian) * factor(row);
            }
            if !(first.is_finite() && second.is_finite()) {
                let bad = |row: &&u32| derivatives[**row as usize].iter().any(|part| !part.is_finite());
                let row = bag.iter().find(bad).map_or(0, |&row| row as usize);
                return Err(not_finite(row, derivatives[row]));
            }
            largest = largest.max(first);
            hessians += second / n_outputs as f64;
        }
        let scale = Scale::new(largest, hessians, bag.len());
        let (first_unit, second_unit) = (1.0 / scale.first, 1.0 / scale.second / n_outputs as f64);
        for rows in bag.chunks(ROWS_A_BLOCK) {
            let mut means = [0.0; ROWS_A_BLOCK];
            for (output, derivatives) in self.derivatives.iter().enumerate() {
                for (&row, mean) in rows.iter().zip(&mut means) {
                    let [gradient, hessian] = derivatives[row as usize];
                    vectors[row as usize * width + output] = nearest(f64::from(gradient) * factor(row) * first_unit);
                    *mean += f64::from(hessian) * factor(row);
                }
            }
            for (&row, mean) in rows.iter().zip(&means) {
                vectors[(row as usize + 1) * width - 1] = nearest(mean * second_unit);
            }
        }
        Ok(scale)
    }
}
