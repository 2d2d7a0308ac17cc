//! Folds: which rows a model learns from and which it is scored on, drawn once a study so that all trials share them.
//!
//! Every scheme but the expanding one scores each row once a repeat. Rows are listed in ascending order, whatever the scheme.

mod even;
mod given;
mod group;
mod kept;
mod time;

use medalist_search::Seed;
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::target::Target;

pub use even::{KFold, Stratified};
pub use given::Given;
pub use group::{Group, LeaveOneGroupOut, StratifiedGroup};
pub use kept::{from_bytes, to_bytes};
pub use time::{TimeBlocked, TimeExpanding};

/// One split of the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fold {
    pub repeat: u32,
    /// From 0 within a repeat.
    pub fold: u32,
    /// Ascending.
    pub train: Vec<u32>,
    /// Ascending; disjoint from `train`.
    pub valid: Vec<u32>,
}

/// What a splitter may look at.
#[derive(Clone, Copy, Default)]
pub struct Rows<'a> {
    pub n_rows: usize,
    /// What stratified schemes keep in proportion.
    pub target: Option<&'a Target>,
    /// A group number a row.
    pub groups: Option<&'a [u32]>,
    /// A finite time a row, in any unit.
    pub times: Option<&'a [f64]>,
    /// The number of the fold that scores a row, None for rows that are always trained on.
    pub given: Option<&'a [Option<u32>]>,
}

/// A fold scheme.
pub trait Splitter: Send + Sync {
    /// Folds for one repeat. Equal seeds give equal folds.
    ///
    /// # Errors
    /// When there are too few rows, groups or times for the folds asked for; the message says what to change.
    fn split(&self, rows: &Rows, seed: Seed) -> Result<Vec<Fold>>;
}

/// A scheme drawn several times, each from a seed of its own.
pub struct Repeated<S> {
    pub splitter: S,
    pub n_repeats: usize,
}

impl<S: Splitter> Splitter for Repeated<S> {
    fn split(&self, rows: &Rows, seed: Seed) -> Result<Vec<Fold>> {
        let mut folds = Vec::new();
        for repeat in 0..self.n_repeats as u32 {
            let drawn = self.splitter.split(rows, seed.child("repeat", u64::from(repeat)))?;
            folds.extend(drawn.into_iter().map(|fold| Fold { repeat, ..fold }));
        }
        Ok(folds)
    }
}

impl<S: Splitter + ?Sized> Splitter for Box<S> {
    fn split(&self, rows: &Rows, seed: Seed) -> Result<Vec<Fold>> {
        (**self).split(rows, seed)
    }
}

/// The sha256 of the folds' rows, in hex: equal exactly where the folds are.
pub fn fingerprint(folds: &[Fold]) -> String {
    let mut hash = Sha256::new();
    for fold in folds {
        for rows in [&fold.train, &fold.valid] {
            hash.update((rows.len() as u64).to_le_bytes());
            rows.iter().for_each(|row| hash.update(row.to_le_bytes()));
        }
    }
    crate::reader::hex(&hash.finalize())
}

/// Folds from the number of the fold that scores each row; a row without one is always trained on.
fn folds_of(fold_of_row: &[Option<u32>], n_folds: usize) -> Vec<Fold> {
    let mut folds: Vec<Fold> = (0..n_folds as u32)
        .map(|fold| Fold { repeat: 0, fold, train: Vec::with_capacity(fold_of_row.len()), valid: Vec::new() })
        .collect();
    for (row, scored) in fold_of_row.iter().enumerate() {
        for fold in &mut folds {
            let rows = if *scored == Some(fold.fold) { &mut fold.valid } else { &mut fold.train };
            rows.push(row as u32);
        }
    }
    folds
}

fn check_count(n_folds: usize, n_units: usize, units: &str) -> Result<()> {
    if n_folds < 2 {
        let error = Error::config(format!("{n_folds} folds cannot be: training and validation need at least 2"));
        return Err(error.help("set `n = 5` in [folds], or give `--folds 5`"));
    }
    if n_units < n_folds {
        let error = Error::config(format!("{n_folds} folds need at least {n_folds} {units}, and there are {n_units}"));
        return Err(error.help(format!("set `n = {}` or less in [folds]", n_units.max(2))));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
