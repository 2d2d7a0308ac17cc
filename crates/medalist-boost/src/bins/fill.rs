//! The filling of a table: values become bins.

use rayon::prelude::*;

use super::lookup::Lookup;
use super::{Column, FeatureBins, Place, ROWS_A_BLOCK};
use crate::kernel::Level;

/// Stretches of rows that a thread fills, so that none waits long for the last.
const TASKS_A_THREAD: usize = 4;

/// A stretch of a table's rows while it is filled.
struct Stretch<'a> {
    first: usize,
    /// By place.
    columns: Vec<&'a mut [u8]>,
}

impl Stretch<'_> {
    fn fill(mut self, columns: &[Column], places: &[Place], lookups: &[Lookup]) {
        let level = Level::detect();
        let n_rows = self.columns.first().map_or(0, |bins| bins.len());
        // Block by block, as the columns of a row-major matrix share cache lines.
        for start in (0..n_rows).step_by(ROWS_A_BLOCK) {
            let rows = start..n_rows.min(start + ROWS_A_BLOCK);
            for ((place, lookup), bins) in places.iter().zip(lookups).zip(&mut self.columns) {
                lookup.put(level, &columns[place.feature], self.first + start, &mut bins[rows.clone()]);
            }
        }
    }
}

/// The places' bins, by row.
pub(super) fn columns(columns: &[Column], places: &[Place], features: &[FeatureBins], parallel: bool) -> Vec<Vec<u8>> {
    let n_rows = columns[0].len();
    let mut filled: Vec<Vec<u8>> = places.iter().map(|_| vec![0; n_rows]).collect();
    let lookups: Vec<Lookup> = places.iter().map(|place| Lookup::new(&features[place.feature])).collect();
    let n_tasks = if parallel { TASKS_A_THREAD * rayon::current_num_threads() } else { 1 };
    let size = n_rows.div_ceil(n_tasks).next_multiple_of(ROWS_A_BLOCK);
    let starts = (0..n_rows).step_by(size);
    let mut tasks: Vec<Stretch> = starts.map(|first| Stretch { first, columns: Vec::new() }).collect();
    for column in &mut filled {
        tasks.iter_mut().zip(column.chunks_mut(size)).for_each(|(task, bins)| task.columns.push(bins));
    }
    let fill = |task: Stretch| task.fill(columns, places, &lookups);
    if parallel {
        tasks.into_par_iter().for_each(fill);
    } else {
        tasks.into_iter().for_each(fill);
    }
    filled
}
