//! Iterations of one tree for all outputs.

use std::ops::Range;

use rayon::prelude::*;

use super::{Trainer, not_finite};
use crate::aligned::Aligned;
use crate::bins::Bins;
use crate::error::{Error, Result};
use crate::grow::vector::{VectorGrower, VectorJob, lanes};
use crate::kernel::rows::{add_by_leaf, add_leaf_values, add_sizes, lay_out, round};
use crate::objective::Objective;
use crate::objective::derive::{Derivative, Stretch};
use crate::pair::Scale;
use crate::params::{Boosting, MultiStrategy, Sampling};
use crate::sample::Draw;
use crate::tree::Tree;

/// The buffers of such iterations.
pub(super) struct Vectors<'a> {
    grower: VectorGrower<'a>,
    /// By row of the bins, [`lanes`] each.
    derivatives: Aligned<Derivative>,
    /// The same as integers: gradients, and the mean Hessian in the last lane.
    gradients: Aligned<i32>,
    /// Each row's Hessians together.
    totals: Vec<f64>,
    /// By row of the bins, where the last tree took it.
    leaf_of: Vec<u32>,
}

impl<'a> Vectors<'a> {
    pub(super) fn new(bins: &'a Bins, n_outputs: usize) -> Self {
        let n_lanes = bins.n_rows() * lanes(n_outputs);
        Vectors {
            grower: VectorGrower::new(bins),
            derivatives: Aligned::new(n_lanes),
            gradients: Aligned::new(n_lanes),
            totals: vec![0.0; bins.n_rows()],
            leaf_of: vec![0; bins.n_rows()],
        }
    }
}

/// Rows whose derivatives of all outputs are in the second-level cache together.
const ROWS_A_BLOCK: usize = 1024;
/// Rows that are laid out at a time: their vectors stay in the first-level cache from one output to the next.
const ROWS_TO_LAY_OUT: usize = 64;

impl Trainer<'_> {
    pub(super) fn grow_vectors(&mut self) -> Result<()> {
        let Some(mut vectors) = self.vectors.take() else { return Ok(()) };
        let grown = self.grow_with(&mut vectors);
        self.vectors = Some(vectors);
        self.trees.push(grown?);
        Ok(())
    }

    fn grow_with(&mut self, vectors: &mut Vectors) -> Result<Tree> {
        let scale = self.pack_vectors(vectors)?;
        let draw = Draw::new(self.params.seed, self.n_iterations, 0);
        let used = self.draw_features(&draw);
        let (params, level, n_outputs) = (&self.params, self.level, self.scores.len());
        let job = VectorJob { params, level, scale, n_outputs, gradients: &vectors.gradients, used: &used, draw };
        let (mut tree, leaves) = vectors.grower.grow(&job, &self.bag.rows, &self.bag.others);
        let shrinkage = self.shrinkage();
        let Vectors { grower, derivatives, leaf_of, .. } = vectors;
        for (number, leaf) in leaves.iter().enumerate() {
            let rows = grower.rows[leaf.rows.clone()].iter().chain(&grower.others[leaf.others.clone()]);
            rows.for_each(|&row| leaf_of[row as usize] = number as u32);
        }
        let (lanes, factors) = (lanes(n_outputs), self.bag.factors.as_deref().unwrap_or_default());
        let mut sums = vec![0.0; leaves.len() * 2 * lanes];
        add_by_leaf(level, derivatives, lanes, &self.bag.rows, factors, leaf_of, &mut sums);
        for (sums, grown) in sums.chunks_exact(2 * lanes).zip(&mut tree.leaves) {
            // The best by each output's own Hessians.
            for (value, [gradients, hessians]) in grown.value.iter_mut().zip(sums.as_chunks().0) {
                let denominator = hessians + self.params.lambda_l2;
                *value = if denominator > 0.0 { -gradients / denominator * shrinkage } else { 0.0 };
                if !value.is_finite() {
                    return Err(Error::shape(format!("iteration {}: a leaf's value is {value}", self.n_iterations)));
                }
            }
        }
        tree.nodes.iter_mut().flat_map(|node| &mut node.value).for_each(|value| *value *= shrinkage);
        self.add_vectors(leaf_of, &tree);
        Ok(tree)
    }

    fn add_vectors(&mut self, leaf_of: &[u32], tree: &Tree) {
        let Trainer { bag, level, scores, sums, params, .. } = self;
        let add = |(output, scores): (usize, &mut Vec<f64>)| {
            let values: Vec<f64> = tree.leaves.iter().map(|leaf| leaf.value[output]).collect();
            for rows in [&bag.rows, &bag.others] {
                add_leaf_values(*level, rows, leaf_of, &values, scores);
            }
        };
        let scores = if sums.is_empty() { scores } else { sums };
        if params.parallel {
            scores.par_iter_mut().enumerate().for_each(add);
        } else {
            scores.iter_mut().enumerate().for_each(add);
        }
    }

    /// Whether derivatives are had a block of rows at a time, as they are laid out: where nobody else looks at them.
    pub(super) fn derives_in_blocks(&self) -> bool {
        let by_itself = !matches!(self.params.objective, Objective::LambdaRank { .. } | Objective::Custom(_));
        let looked_at = self.params.data_sample_strategy == Sampling::Goss || self.params.boosting == Boosting::Rf;
        let vectors = self.params.multi_strategy == MultiStrategy::LeafVectors && self.scores.len() > 1;
        vectors && by_itself && !looked_at
    }

    /// The derivatives of a run of rows, by output.
    fn derive_run(&self, run: &Range<usize>, out: &mut [Vec<Derivative>]) {
        let Trainer { params, labels, weights, scores, level, .. } = self;
        let weights = if weights.is_empty() { &[] } else { &weights[run.clone()] };
        out.iter_mut().for_each(|out| out.resize(run.len(), [0.0; 2]));
        if params.objective.n_scores() > 1 {
            let stretch = Stretch { labels: &labels[0][run.clone()], weights };
            let scores: Vec<&[f64]> = scores.iter().map(|scores| &scores[run.clone()]).collect();
            let mut out: Vec<&mut [Derivative]> = out.iter_mut().map(|out| &mut out[..]).collect();
            return params.objective.derive_classes(*level, &stretch, &scores, &mut out, false);
        }
        for ((labels, scores), out) in labels.iter().zip(scores).zip(out) {
            let stretch = Stretch { labels: &labels[run.clone()], weights };
            params.objective.derive_one(*level, &stretch, &scores[run.clone()], out, false);
        }
    }

    /// Fills the bag's rows' vectors; returns what an integer is worth, which is the same for all outputs.
    fn pack_vectors(&self, vectors: &mut Vectors) -> Result<Scale> {
        let (n_outputs, level, span) = (self.scores.len(), self.level, self.span.clone());
        let lanes = lanes(n_outputs);
        let factors = self.bag.factors.as_deref().unwrap_or_default();
        let Vectors { derivatives, gradients, totals, .. } = vectors;
        let in_blocks = self.derives_in_blocks();
        let fill =
            |own: &mut Vec<Vec<Derivative>>, block: usize, derivatives: &mut [Derivative], totals: &mut [f64]| {
                let start = span.start + block * ROWS_A_BLOCK;
                let run = start..start + totals.len();
                totals.fill(0.0);
                if in_blocks {
                    own.resize_with(n_outputs, Vec::new);
                    self.derive_run(&run, own);
                }
                for start in (0..run.len()).step_by(ROWS_TO_LAY_OUT) {
                    let here = start..run.len().min(start + ROWS_TO_LAY_OUT);
                    let all = run.start + here.start..run.start + here.end;
                    let outputs: Vec<&[Derivative]> = match in_blocks {
                        true => own.iter().map(|own| &own[here.clone()]).collect(),
                        false => self.derivatives.iter().map(|own| &own[all.clone()]).collect(),
                    };
                    let own_factors = if factors.is_empty() { factors } else { &factors[all] };
                    let to = &mut derivatives[here.start * lanes..here.end * lanes];
                    lay_out(level, &outputs, own_factors, lanes, to, &mut totals[here]);
                }
            };
        let mut sums = vec![0.0; 2 * lanes];
        let mut bag = &self.bag.rows[..];
        if self.params.parallel {
            let to = derivatives[span.start * lanes..span.end * lanes].par_chunks_mut(ROWS_A_BLOCK * lanes);
            let each = to.zip(totals[span.clone()].par_chunks_mut(ROWS_A_BLOCK)).enumerate();
            each.for_each_init(Vec::new, |own, (block, (to, totals))| fill(own, block, to, totals));
            add_sizes(level, derivatives, lanes, bag, factors, &mut sums);
        } else {
            let mut own = Vec::new();
            for (block, totals) in totals[span.clone()].chunks_mut(ROWS_A_BLOCK).enumerate() {
                let start = span.start + block * ROWS_A_BLOCK;
                let end = start + totals.len();
                fill(&mut own, block, &mut derivatives[start * lanes..end * lanes], totals);
                let (rows, rest) = bag.split_at(bag.partition_point(|&row| (row as usize) < end));
                add_sizes(level, derivatives, lanes, rows, factors, &mut sums);
                bag = rest;
            }
        }
        let (mut largest, mut hessians) = (0.0f64, 0.0);
        for (output, [first, second]) in sums.as_chunks().0.iter().enumerate().take(n_outputs) {
            if !(first.is_finite() && second.is_finite()) {
                let of = |row: u32| derivatives[row as usize * lanes + output];
                let bad = |row: &&u32| of(**row).iter().any(|part| !part.is_finite());
                let row = self.bag.rows.iter().find(bad).copied().unwrap_or_default();
                return Err(not_finite(row as usize, of(row)));
            }
            largest = largest.max(*first);
            hessians += second / n_outputs as f64;
        }
        let scale = Scale::new(largest, hessians, self.bag.rows.len());
        let units = [1.0 / scale.first, 1.0 / scale.second / n_outputs as f64];
        round(level, derivatives, lanes, &self.bag.rows, factors, totals, units, gradients);
        Ok(scale)
    }
}
