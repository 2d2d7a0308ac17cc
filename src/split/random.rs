//! Shuffled folds, plain and stratified.

use medalist_search::Seed;
use rand::seq::SliceRandom;

use super::{Fold, Rows, Splitter, enough, folds_of};
use crate::error::Result;
use crate::target::Target;

/// Rows shuffled and dealt out.
pub struct KFold {
    pub n_folds: usize,
}

impl Splitter for KFold {
    fn split(&self, rows: &Rows, seed: Seed) -> Result<Vec<Fold>> {
        enough(rows.n_rows, "rows", self.n_folds)?;
        let mut order: Vec<usize> = (0..rows.n_rows).collect();
        order.shuffle(&mut seed.child("shuffle", 0).rng());
        let mut assigned = vec![None; rows.n_rows];
        for (position, row) in order.into_iter().enumerate() {
            assigned[row] = Some((position % self.n_folds) as u32);
        }
        folds_of(&assigned, self.n_folds)
    }
}

/// Each class spread evenly over the folds; values evenly by rank, so that every fold sees low and high ones.
pub struct Stratified {
    pub n_folds: usize,
}

impl Splitter for Stratified {
    fn split(&self, rows: &Rows, seed: Seed) -> Result<Vec<Fold>> {
        let Some(target) = rows.target else { return KFold { n_folds: self.n_folds }.split(rows, seed) };
        enough(rows.n_rows, "rows", self.n_folds)?;
        let mut rng = seed.child("shuffle", 0).rng();
        let mut order: Vec<usize> = (0..rows.n_rows).collect();
        order.shuffle(&mut rng);
        // A stable sort: equal rows stay shuffled.
        match target {
            Target::Classes { codes, .. } => order.sort_by_key(|&row| codes[row]),
            Target::Values(values) => order.sort_by(|&a, &b| values[a].total_cmp(&values[b])),
        }
        let mut assigned = vec![None; rows.n_rows];
        let mut deal: Vec<u32> = (0..self.n_folds as u32).collect();
        // Dealt in rounds over the whole order: the remainders of the classes go to different folds.
        for round in order.chunks(self.n_folds) {
            deal.shuffle(&mut rng);
            let short = round.len() < self.n_folds;
            for (position, &row) in round.iter().enumerate() {
                assigned[row] = Some(if short { position as u32 } else { deal[position] });
            }
        }
        folds_of(&assigned, self.n_folds)
    }
}
