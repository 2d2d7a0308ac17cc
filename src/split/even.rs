//! Folds of equal size, drawn at random: plain, or with each class (or each tenth of the values) in proportion.

use medalist_search::Seed;
use rand::seq::SliceRandom;

use super::{Fold, Rows, Splitter, check_count, folds_of};
use crate::error::{Error, Result};
use crate::target::Target;

/// Rows of a regression target are stratified by this many quantiles at most, and by no more than leave this many rows per fold in each.
const MAX_BINS: usize = 10;

/// Shuffled rows in `n_folds` parts whose sizes differ by one at most.
pub struct KFold {
    pub n_folds: usize,
}

impl Splitter for KFold {
    fn split(&self, rows: &Rows, seed: Seed) -> Result<Vec<Fold>> {
        check_count(self.n_folds, rows.n_rows, "rows")?;
        let mut order: Vec<u32> = (0..rows.n_rows as u32).collect();
        order.shuffle(&mut seed.child("kfold", 0).rng());
        Ok(deal(&[order], rows.n_rows, self.n_folds))
    }
}

/// Like [`KFold`], with each class spread evenly over the folds; values are spread by quantile.
///
/// A class with fewer rows than folds is missing from the validation rows of some: that is allowed, a class with one row is not (a model would be scored on a class it never saw).
pub struct Stratified {
    pub n_folds: usize,
}

impl Splitter for Stratified {
    fn split(&self, rows: &Rows, seed: Seed) -> Result<Vec<Fold>> {
        check_count(self.n_folds, rows.n_rows, "rows")?;
        let target = rows.target.ok_or_else(|| Error::config("stratified folds need a target"))?;
        let strata = strata(target, self.n_folds);
        if let Target::Classes { .. } = target {
            let largest = strata.iter().map(Vec::len).max().unwrap_or(0);
            if largest < self.n_folds {
                let error = Error::config(format!("no class has {} rows, so folds cannot be stratified", self.n_folds));
                return Err(
                    error.help(format!("set `n = {}` or less, or `scheme = \"kfold\"`, in [folds]", largest.max(2)))
                );
            }
        }
        let mut shuffled = strata;
        for (number, stratum) in shuffled.iter_mut().enumerate() {
            stratum.shuffle(&mut seed.child("stratum", number as u64).rng());
        }
        Ok(deal(&shuffled, rows.n_rows, self.n_folds))
    }
}

/// Deals the rows round the folds, going on from one list to the next so that folds stay equally large.
fn deal(lists: &[Vec<u32>], n_rows: usize, n_folds: usize) -> Vec<Fold> {
    let mut fold_of_row = vec![None; n_rows];
    for (position, &row) in lists.iter().flatten().enumerate() {
        fold_of_row[row as usize] = Some((position % n_folds) as u32);
    }
    folds_of(&fold_of_row, n_folds)
}

/// The rows of each class, or of each quantile of the values.
pub fn strata(target: &Target, n_folds: usize) -> Vec<Vec<u32>> {
    match target {
        Target::Classes { codes, n_classes } => {
            let mut rows = vec![Vec::new(); *n_classes];
            for (row, &code) in codes.iter().enumerate() {
                rows[code as usize].push(row as u32);
            }
            rows
        }
        Target::Values(values) => {
            let mut order: Vec<u32> = (0..values.len() as u32).collect();
            order.sort_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]).then(a.cmp(&b)));
            let n_bins = (values.len() / n_folds.max(1)).clamp(1, MAX_BINS);
            // Equal values need not share a bin: bins only keep the folds alike.
            (0..n_bins)
                .map(|bin| order[bin * order.len() / n_bins..(bin + 1) * order.len() / n_bins].to_vec())
                .collect()
        }
    }
}
