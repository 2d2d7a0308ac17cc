//! Linear models of leaves: weighted least squares of a leaf's derivatives on the numbers that lead to it.
//!
//! With a row's values x and 1, its gradient g and its Hessian h, a leaf's coefficients are -(Xᵀ H X + linear_lambda I)^-1 Xᵀ g, the constant without the penalty (Shi et al., *Gradient Boosting with Piece-Wise Linear Regression Trees*, IJCAI 2019). As the constant is free, this is the same with values less their weighted means, which is how it is computed: sums stay small, and what a column adds to the others can be told from rounding.

use rayon::prelude::*;

use super::Trainer;
use crate::bins::{Column, FeatureBins};
use crate::cholesky;
use crate::grow::GrowingLeaf;
use crate::kernel::products::{LANES, add_products};
use crate::params::Boosting;
use crate::tree::{Leaf, Linear, Tree};

/// Rows whose products are computed together.
pub(crate) const ROWS_A_BLOCK: usize = 256;
/// Rows whose sums are added up before they join the others': fixed, so that sums do not depend on threads.
pub(crate) const ROWS_A_SUM: usize = 16 * ROWS_A_BLOCK;

/// Numbers that are summed for so many features and the constant.
pub(crate) const fn n_sums(n_features: usize) -> usize {
    (n_features + 1) * (n_features + 4) / 2
}

impl Trainer<'_> {
    /// Makes the leaves of a tree linear, before shrinkage.
    pub(super) fn fit_leaves(&self, tree: &mut Tree, grown: &[GrowingLeaf], output: usize) {
        let Some(columns) = self.columns else { return };
        // As in LightGBM: what the first tree sees is the start alone, in a forest every tree does.
        if self.n_iterations == 0 && self.params.boosting != Boosting::Rf {
            return;
        }
        let numeric = |feature: usize| matches!(self.bins.features()[feature], FeatureBins::Numeric { .. });
        let paths = features_of_leaves(tree, numeric);
        let fit = |((leaf, grown), features): ((&mut Leaf, &GrowingLeaf), Vec<usize>)| {
            // Its value is the best constant under the penalties.
            if features.is_empty() {
                return;
            }
            let columns: Vec<Column> = features.iter().map(|&feature| columns[feature]).collect();
            let rows = &self.grower.rows[grown.rows.clone()];
            if let Some((constant, coefficients)) = self.least_squares(&columns, rows, output) {
                let kept = features.into_iter().zip(coefficients).filter(|(_, coefficient)| *coefficient != 0.0);
                let (features, coefficients): (Vec<usize>, Vec<f64>) = kept.unzip();
                if features.is_empty() {
                    leaf.value[0] = constant;
                } else {
                    leaf.linear = Some(Box::new(Linear { constant, features, coefficients }));
                }
            }
        };
        if self.params.parallel {
            tree.leaves.par_iter_mut().zip(grown).zip(paths).for_each(fit);
        } else {
            tree.leaves.iter_mut().zip(grown).zip(paths).for_each(fit);
        }
    }

    /// The constant and a coefficient a column; 0 for a column that is constant, or that the others make redundant. None where rows without a missing value are fewer than these numbers, or no such numbers are finite.
    fn least_squares(&self, columns: &[Column], rows: &[u32], output: usize) -> Option<(f64, Vec<f64>)> {
        let k = columns.len();
        let is_whole = |row: &&u32| columns.iter().all(|column| column.value(**row as usize).is_finite());
        // Values less those of one of the rows: so a column that is constant is 0, and none has an offset far beyond its spread.
        let first = *rows.iter().find(is_whole)? as usize;
        let origin: Vec<f64> = columns.iter().map(|column| column.value(first)).collect();
        let part = |rows: &[u32]| self.sums(columns, &origin, rows, output);
        let whole = |(n, mut sums): (usize, Vec<f64>), (more, others): (usize, Vec<f64>)| {
            sums.iter_mut().zip(&others).for_each(|(sum, other)| *sum += other);
            (n + more, sums)
        };
        let none = (0, vec![0.0; n_sums(k)]);
        let (n, sums) = if self.params.parallel && rows.len() > ROWS_A_SUM {
            let parts: Vec<_> = rows.par_chunks(ROWS_A_SUM).map(part).collect();
            parts.into_iter().fold(none, whole)
        } else {
            rows.chunks(ROWS_A_SUM).map(part).fold(none, whole)
        };
        if n <= k {
            return None;
        }
        // Row i holds products with columns 0 to i, then the one with the gradients; the last row is that of the ones.
        let row = |i: usize| &sums[i * (i + 3) / 2..][..i + 2];
        let (of_ones, hessian, gradient) = (row(k), row(k)[k], row(k)[k + 1]);
        let means: Vec<f64> = of_ones[..k].iter().map(|sum| sum / hessian).collect();
        let mut a = Vec::with_capacity(k * (k + 1) / 2);
        let mut x = Vec::with_capacity(k);
        for i in 0..k {
            a.extend((0..=i).map(|j| row(i)[j] - of_ones[i] * means[j]));
            a[i * (i + 3) / 2] += self.params.linear_lambda;
            x.push(means[i] * gradient - row(i)[i + 1]);
        }
        cholesky::solve(&mut a, &mut x);
        let at_means = -gradient / hessian;
        let constant =
            x.iter().zip(&means).zip(&origin).fold(at_means, |sum, ((x, mean), origin)| sum - x * (mean + origin));
        (constant.is_finite() && x.iter().all(|x| x.is_finite())).then_some((constant, x))
    }

    /// Rows without a missing value, and sums over these (see [`add_products`]) for the columns less `origin`, then ones.
    fn sums(&self, columns: &[Column], origin: &[f64], rows: &[u32], output: usize) -> (usize, Vec<f64>) {
        let derivatives = &self.derivatives[output];
        let k = columns.len();
        let mut sums = vec![0.0; n_sums(k)];
        let most = rows.len().min(ROWS_A_BLOCK).next_multiple_of(LANES);
        let mut values = vec![0.0; (k + 1) * most];
        let (mut hessians, mut gradients, mut weighted) = (vec![0.0; most], vec![0.0; most], vec![0.0; most]);
        let mut n = 0;
        for rows in rows.chunks(ROWS_A_BLOCK) {
            // Rows that fill up the last lanes count for nothing.
            let length = rows.len().next_multiple_of(LANES);
            let values = &mut values[..(k + 1) * length];
            let (hessians, gradients) = (&mut hessians[..length], &mut gradients[..length]);
            values.fill(0.0);
            hessians.fill(0.0);
            gradients.fill(0.0);
            for ((&row, hessian), gradient) in rows.iter().zip(&mut *hessians).zip(&mut *gradients) {
                let factor = self.bag.factors.as_ref().map_or(1.0, |factors| factors[row as usize]);
                let derivative = derivatives[row as usize];
                (*gradient, *hessian) = (f64::from(derivative[0] * factor), f64::from(derivative[1] * factor));
            }
            let mut all_finite = true;
            for ((column, origin), values) in columns.iter().zip(origin).zip(values.chunks_exact_mut(length)) {
                let values = &mut values[..rows.len()];
                column.gather(rows, values);
                for value in values {
                    *value -= origin;
                    all_finite &= value.is_finite();
                }
            }
            values[k * length..][..rows.len()].fill(1.0);
            if !all_finite {
                leave_out(values, length);
            }
            n += values[k * length..].iter().filter(|one| **one == 1.0).count();
            add_products(self.level, values, hessians, gradients, &mut weighted, &mut sums);
        }
        (n, sums)
    }
}

/// Sets a row to 0 in all columns where it is not finite in one of them.
fn leave_out(values: &mut [f64], length: usize) {
    for row in 0..length {
        if values.iter().skip(row).step_by(length).any(|value| !value.is_finite()) {
            values.iter_mut().skip(row).step_by(length).for_each(|value| *value = 0.0);
        }
    }
}

/// Each leaf's features on the path to it that `counts` lets through, ascending.
fn features_of_leaves(tree: &Tree, counts: impl Fn(usize) -> bool) -> Vec<Vec<usize>> {
    let mut above = vec![Vec::new(); tree.nodes.len()];
    let mut leaves = vec![Vec::new(); tree.leaves.len()];
    for (at, node) in tree.nodes.iter().enumerate() {
        let mut path = std::mem::take(&mut above[at]);
        if let Err(place) = path.binary_search(&node.feature)
            && counts(node.feature)
        {
            path.insert(place, node.feature);
        }
        // Children come behind their parents.
        for child in [node.left, node.right] {
            match usize::try_from(child) {
                Ok(child) => above[child].clone_from(&path),
                Err(_) => leaves[!child as usize].clone_from(&path),
            }
        }
    }
    leaves
}
