//! Folds along time: the model of a fold never sees rows from just around those it is scored on.
//!
//! Rows of the same time always stay together.

use medalist_search::Seed;

use super::{Fold, Rows, Splitter, check_count};
use crate::error::{Error, Result};

/// Time in `n_folds + 1` parts of about equal size: fold k trains on all parts up to the k-th and is scored on the next, so the first part is never scored.
///
/// As scikit-learn's `TimeSeriesSplit`.
pub struct TimeExpanding {
    pub n_folds: usize,
    /// Training rows end at least this long before the first row scored, in the unit of the times.
    pub gap: f64,
}

impl Splitter for TimeExpanding {
    fn split(&self, rows: &Rows, _seed: Seed) -> Result<Vec<Fold>> {
        let times = times(rows)?;
        check_count(self.n_folds, rows.n_rows, "rows")?;
        let parts = parts(times, self.n_folds + 1)?;
        let scored = parts.iter().skip(1);
        build(scored, |row, (first, _)| times[row as usize] < first && times[row as usize] <= first - self.gap, times)
    }
}

/// Time in `n_folds` parts of about equal size: each is scored by a model of all others, earlier and later, but for rows within the gap on either side.
///
/// Bergmeir and Benítez, *On the use of cross-validation for time series predictor evaluation*, Information Sciences 191, 2012 (blocked cross-validation).
pub struct TimeBlocked {
    pub n_folds: usize,
    /// In the unit of the times.
    pub gap: f64,
}

impl Splitter for TimeBlocked {
    fn split(&self, rows: &Rows, _seed: Seed) -> Result<Vec<Fold>> {
        let times = times(rows)?;
        check_count(self.n_folds, rows.n_rows, "rows")?;
        let parts = parts(times, self.n_folds)?;
        let away = |row: u32, (first, last): (f64, f64)| {
            let time = times[row as usize];
            (time < first && time <= first - self.gap) || (time > last && time >= last + self.gap)
        };
        build(parts.iter(), away, times)
    }
}

fn times<'a>(rows: &Rows<'a>) -> Result<&'a [f64]> {
    rows.times.ok_or_else(|| Error::config("this fold scheme needs a time").help("name a column as `time` in [folds]"))
}

/// Rows by time in parts of about equal size, cut where the time changes.
fn parts(times: &[f64], n_parts: usize) -> Result<Vec<Vec<u32>>> {
    let mut order: Vec<u32> = (0..times.len() as u32).collect();
    order.sort_by(|&a, &b| times[a as usize].total_cmp(&times[b as usize]).then(a.cmp(&b)));
    let time = |position: usize| times[order[position] as usize];
    let mut parts = Vec::with_capacity(n_parts);
    let mut start = 0;
    for part in 1..=n_parts {
        let mut end = (part * order.len() / n_parts).max(start);
        while end > start && end < order.len() && time(end) == time(end - 1) {
            end += 1;
        }
        if end == start {
            let error = Error::config(format!("the times of the rows do not make {n_parts} parts"));
            return Err(error.help("set a smaller `n` in [folds]"));
        }
        parts.push(order[start..end].to_vec());
        start = end;
    }
    Ok(parts)
}

fn build<'a>(
    scored: impl Iterator<Item = &'a Vec<u32>>,
    is_training: impl Fn(u32, (f64, f64)) -> bool,
    times: &[f64],
) -> Result<Vec<Fold>> {
    let mut folds = Vec::new();
    for (fold, part) in scored.enumerate() {
        let (first, last) = (times[part[0] as usize], times[part[part.len() - 1] as usize]);
        let train: Vec<u32> = (0..times.len() as u32).filter(|&row| is_training(row, (first, last))).collect();
        if train.is_empty() {
            let error = Error::config(format!("the gap leaves fold {fold} no row to train on"));
            return Err(error.help("set a smaller `gap` or `n` in [folds]"));
        }
        let mut valid = part.clone();
        valid.sort_unstable();
        folds.push(Fold { repeat: 0, fold: fold as u32, train, valid });
    }
    Ok(folds)
}
