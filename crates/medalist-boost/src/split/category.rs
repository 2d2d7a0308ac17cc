//! Splits of categories: one against the rest where there are few, else along the order of their gradients.
//!
//! The order is Fisher's (1958): for a convex loss the best subset is a run of the categories sorted by their mean. `cat_smooth` draws rare ones to the middle, `cat_l2` penalises the leaves, as in LightGBM.

use super::{Condition, Search, Split};
use crate::bins::Place;
use crate::pair;

impl Search<'_> {
    /// A categorical feature. `cells` are the leaf's from the feature's first one on, cumulative. Missing values go right.
    ///
    /// `random`: of all places to part the categories only this one, as a share of their number.
    pub(crate) fn categorical(&mut self, index: usize, place: &Place, cells: &[u64], random: Option<f64>) {
        let params = self.rules.params;
        let by_bin = |bin: usize| cells[bin].wrapping_sub(if bin == 0 { 0 } else { cells[bin - 1] });
        let (rules, leaf) = (self.rules, self.leaf);
        // As in LightGBM each category's rows are told from its Hessians and rounded, then added.
        let rows_of = |pair: u64| rules.rows(&leaf, pair::second(pair));
        let n_rows = leaf.n_rows as f64;
        let fits = |sum: u64, rows: f64| {
            pair::second(sum) > 0
                && rows >= params.min_child_samples as f64
                && rules.sums(sum).1 >= params.min_sum_hessian
        };
        if place.n_bins <= params.max_cat_to_onehot {
            let only = random.map(|share| (share * place.n_bins as f64) as usize);
            for bin in (0..place.n_bins).filter(|&bin| only.is_none_or(|only| only == bin)) {
                let (left, mut bits) = (by_bin(bin), [0; 4]);
                bits[bin / 64] = 1 << (bin % 64);
                let rows = rows_of(left);
                if fits(left, rows) && fits(leaf.sum.wrapping_sub(left), n_rows - rows) {
                    self.subset(index, left, params.lambda_l2, bits);
                }
            }
            return;
        }
        let mut order: Vec<(f64, usize, u64)> = Vec::with_capacity(place.n_bins);
        for bin in 0..place.n_bins {
            let cell = by_bin(bin);
            if cell != 0 && rows_of(cell) >= params.cat_smooth {
                let (gradient, hessian) = self.rules.sums(cell);
                order.push((gradient / (hessian + params.cat_smooth), bin, cell));
            }
        }
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        let l2 = params.lambda_l2 + params.cat_l2;
        let least_rows = params.min_data_per_group as f64;
        let most = params.max_cat_threshold.min(order.len().div_ceil(2));
        let only = random.map(|share| (share * most as f64) as usize);
        for backwards in [false, true] {
            let (mut left, mut left_rows, mut in_group, mut bits) = (0u64, 0.0, 0.0, [0u64; 4]);
            for i in 0..most {
                let (_, bin, cell) = order[if backwards { order.len() - 1 - i } else { i }];
                left = left.wrapping_add(cell);
                bits[bin / 64] |= 1 << (bin % 64);
                left_rows += rows_of(cell);
                in_group += rows_of(cell);
                if !fits(left, left_rows) {
                    continue;
                }
                let right_rows = n_rows - left_rows;
                if right_rows < least_rows || !fits(leaf.sum.wrapping_sub(left), right_rows) {
                    break;
                }
                if in_group < least_rows {
                    continue;
                }
                in_group = 0.0;
                if only.is_none_or(|only| only == i) {
                    self.subset(index, left, l2, bits);
                }
            }
        }
    }

    /// One subset, whose sides have been seen to be large enough.
    fn subset(&mut self, index: usize, left: u64, l2: f64, bits: [u64; 4]) {
        let right = self.leaf.sum.wrapping_sub(left);
        let Some(total) = self.weigh(index, left, right, l2) else { return };
        if total > self.to_beat() {
            let condition = Condition::Categories(bits);
            let gain = total - self.floor;
            self.best = Some(Split { total, gain, place: index, condition, left, right, l2, outputs: [0.0; 2] });
        }
    }
}
