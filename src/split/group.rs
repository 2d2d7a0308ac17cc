//! Folds that never part a group: what is learned about one artist must not be scored on the same artist.

use medalist_search::Seed;
use rand::seq::SliceRandom;

use super::even::strata;
use super::{Fold, Rows, Splitter, check_count, folds_of};
use crate::error::{Error, Result};

/// Whole groups, largest first, each to the fold with the fewest rows so far.
pub struct Group {
    pub n_folds: usize,
}

impl Splitter for Group {
    fn split(&self, rows: &Rows, seed: Seed) -> Result<Vec<Fold>> {
        let members = members(rows)?;
        check_count(self.n_folds, members.len(), "groups")?;
        let mut sizes = vec![0; self.n_folds];
        let mut fold_of_row = vec![None; rows.n_rows];
        for group in largest_first(&members, seed) {
            let fold = (0..self.n_folds).min_by_key(|&fold| (sizes[fold], fold)).expect("at least two folds");
            sizes[fold] += members[group].len();
            members[group].iter().for_each(|&row| fold_of_row[row as usize] = Some(fold as u32));
        }
        Ok(folds_of(&fold_of_row, self.n_folds))
    }
}

/// Whole groups, each to the fold where the classes (or quantiles of the values) then lie most evenly.
///
/// As scikit-learn's `StratifiedGroupKFold` does: groups in order of falling spread of their classes, each to the fold that keeps the mean over classes of the spread between folds smallest, then to the smallest fold.
pub struct StratifiedGroup {
    pub n_folds: usize,
}

impl Splitter for StratifiedGroup {
    fn split(&self, rows: &Rows, seed: Seed) -> Result<Vec<Fold>> {
        let members = members(rows)?;
        check_count(self.n_folds, members.len(), "groups")?;
        let target = rows.target.ok_or_else(|| Error::config("stratified folds need a target"))?;
        let strata = strata(target, self.n_folds);
        let mut stratum_of_row = vec![0; rows.n_rows];
        for (number, stratum) in strata.iter().enumerate() {
            stratum.iter().for_each(|&row| stratum_of_row[row as usize] = number);
        }
        let counts: Vec<Vec<f64>> = members.iter().map(|rows| count(rows, &stratum_of_row, strata.len())).collect();
        let totals: Vec<f64> = strata.iter().map(|stratum| stratum.len().max(1) as f64).collect();
        let mut order = largest_first(&members, seed);
        // A stable sort: equal spreads stay in the shuffled order, largest first.
        order.sort_by(|&a, &b| spread(&counts[b]).total_cmp(&spread(&counts[a])));
        let mut held = vec![vec![0.0; strata.len()]; self.n_folds];
        let mut fold_of_row = vec![None; rows.n_rows];
        for group in order {
            let cost = |fold: usize| {
                let spreads = (0..totals.len()).map(|class| {
                    let share = |other: usize| {
                        let added = if other == fold { counts[group][class] } else { 0.0 };
                        (held[other][class] + added) / totals[class]
                    };
                    spread(&(0..self.n_folds).map(share).collect::<Vec<f64>>())
                });
                let size: f64 = held[fold].iter().sum();
                (spreads.sum::<f64>(), size)
            };
            let costs: Vec<(f64, f64)> = (0..self.n_folds).map(cost).collect();
            let fold = (0..self.n_folds)
                .min_by(|&a, &b| costs[a].0.total_cmp(&costs[b].0).then(costs[a].1.total_cmp(&costs[b].1)))
                .expect("at least two folds");
            held[fold].iter_mut().zip(&counts[group]).for_each(|(held, count)| *held += count);
            members[group].iter().for_each(|&row| fold_of_row[row as usize] = Some(fold as u32));
        }
        let folds = folds_of(&fold_of_row, self.n_folds);
        match folds.iter().find(|fold| fold.valid.is_empty()) {
            Some(fold) => {
                let error = Error::config(format!("the groups are too unequal: fold {} would score no row", fold.fold));
                Err(error.help("set a smaller `n`, or `scheme = \"group\"`, in [folds]"))
            }
            None => Ok(folds),
        }
    }
}

/// A fold a group.
pub struct LeaveOneGroupOut;

impl Splitter for LeaveOneGroupOut {
    fn split(&self, rows: &Rows, _seed: Seed) -> Result<Vec<Fold>> {
        let members = members(rows)?;
        check_count(2, members.len(), "groups")?;
        let mut fold_of_row = vec![None; rows.n_rows];
        for (fold, rows) in members.iter().enumerate() {
            rows.iter().for_each(|&row| fold_of_row[row as usize] = Some(fold as u32));
        }
        Ok(folds_of(&fold_of_row, members.len()))
    }
}

/// The rows of each group; numbers that no row has are left out.
fn members(rows: &Rows) -> Result<Vec<Vec<u32>>> {
    let Some(groups) = rows.groups else {
        return Err(Error::config("this fold scheme needs groups").help("name a column as `group` in [folds]"));
    };
    let n_groups = groups.iter().max().map_or(0, |&last| last as usize + 1);
    let mut members = vec![Vec::new(); n_groups];
    for (row, &group) in groups.iter().enumerate() {
        members[group as usize].push(row as u32);
    }
    members.retain(|rows: &Vec<u32>| !rows.is_empty());
    Ok(members)
}

/// Group numbers by falling size; equal sizes in an order drawn from the seed.
fn largest_first(members: &[Vec<u32>], seed: Seed) -> Vec<usize> {
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.shuffle(&mut seed.child("groups", 0).rng());
    order.sort_by_key(|&group| std::cmp::Reverse(members[group].len()));
    order
}

fn count(rows: &[u32], stratum_of_row: &[usize], n_strata: usize) -> Vec<f64> {
    let mut counts = vec![0.0; n_strata];
    rows.iter().for_each(|&row| counts[stratum_of_row[row as usize]] += 1.0);
    counts
}

/// Standard deviation.
fn spread(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
}
