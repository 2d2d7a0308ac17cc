//! The nearest training rows of each query row, exactly, nearest first, ties by row number.
//!
//! A full scan: a matrix product finds the candidates, then their distances are computed without its cancellation. Trees of balls or boxes lose to it from some ten features on, break ties by their own order, and recurse once per duplicate row.

use std::sync::{Arc, Mutex};

use ndarray::{Array1, Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::model::{FitContext, Scope};

/// The training rows.
pub(crate) struct Training {
    x: Array2<f64>,
    /// Squared lengths.
    squares: Array1<f64>,
    longest: f64,
}

/// Distances as in scikit-learn's `p`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Distance {
    Manhattan,
    Euclidean,
}

/// Those of some query rows.
pub(crate) struct Neighbours {
    pub(crate) queries: Array2<f64>,
    /// Neighbours a query: fewer where there are fewer training rows.
    pub(crate) k: usize,
    /// (n_queries * k): training rows, nearest first.
    pub(crate) rows: Vec<u32>,
    /// Their distances.
    pub(crate) distances: Vec<f64>,
}

impl Training {
    /// # Errors
    /// When the features are too large to be squared.
    pub(crate) fn new(x: ArrayView2<f64>) -> Result<Training> {
        let squares = x.map_axis(Axis(1), |row| row.dot(&row));
        let longest = squares.iter().copied().fold(0.0, f64::max);
        if !longest.is_finite() {
            return Err(too_large());
        }
        Ok(Training { x: x.to_owned(), squares, longest })
    }

    pub(crate) fn x(&self) -> &Array2<f64> {
        &self.x
    }

    /// Rows times columns.
    pub(crate) fn n_numbers(&self) -> usize {
        self.x.len()
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.x.nrows()
    }

    /// The `k` nearest of each query; `check` is asked now and then whether to go on.
    ///
    /// # Errors
    /// Those of `check`; when the queries have another number of features, or are too large to be squared.
    pub(crate) fn neighbours(
        &self,
        queries: ArrayView2<f64>,
        k: usize,
        distance: Distance,
        mut check: impl FnMut() -> Result<()>,
    ) -> Result<Neighbours> {
        let (n_rows, n_features) = self.x.dim();
        if queries.ncols() != n_features {
            let message =
                format!("fitted on {n_features} features, but the rows to be predicted have {}", queries.ncols());
            return Err(Error::model(message));
        }
        let k = k.min(n_rows);
        let mut rows = Vec::with_capacity(queries.nrows() * k);
        let mut distances = Vec::with_capacity(queries.nrows() * k);
        let block = (NUMBERS_A_BLOCK / n_rows.max(1)).clamp(1, 256);
        let mut order = Vec::new();
        let mut exact: Vec<(f64, u32)> = Vec::new();
        for queries in queries.axis_chunks_iter(Axis(0), block) {
            check()?;
            let products = match distance {
                Distance::Euclidean => Some(queries.dot(&self.x.t())),
                Distance::Manhattan => None,
            };
            for (place, query) in queries.outer_iter().enumerate() {
                exact.clear();
                match &products {
                    None => {
                        let apart = |row: usize| query.iter().zip(self.x.row(row)).map(|(a, b)| (a - b).abs()).sum();
                        exact.extend((0..n_rows).map(|row| (apart(row), row as u32)));
                    }
                    Some(products) => {
                        let square = query.dot(&query);
                        if !square.is_finite() {
                            return Err(too_large());
                        }
                        let products = products.row(place);
                        let rough = |row: usize| square + self.squares[row] - 2.0 * products[row];
                        order.clear();
                        order.extend((0..n_rows).map(rough));
                        let (_, kth, _) = order.select_nth_unstable_by(k.max(1) - 1, f64::total_cmp);
                        // Twice the rounding error of a product of n_features terms: no true neighbour is missed.
                        let slack = 4.0 * (n_features + 4) as f64 * f64::EPSILON * (square + self.longest);
                        let limit = *kth + slack;
                        for row in (0..n_rows).filter(|&row| rough(row) <= limit) {
                            let apart = query.iter().zip(self.x.row(row)).map(|(a, b)| (a - b) * (a - b)).sum();
                            exact.push((apart, row as u32));
                        }
                    }
                }
                let by_distance = |a: &(f64, u32), b: &(f64, u32)| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1));
                if k < exact.len() {
                    exact.select_nth_unstable_by(k, by_distance);
                    exact.truncate(k);
                }
                exact.sort_unstable_by(by_distance);
                for &(apart, row) in &exact {
                    rows.push(row);
                    distances.push(if distance == Distance::Euclidean { apart.sqrt() } else { apart });
                }
            }
        }
        Ok(Neighbours { queries: queries.to_owned(), k, rows, distances })
    }

    /// As [`Training::neighbours`], at least `k` of them, shared by all fits of this fold.
    pub(crate) fn shared_neighbours(
        &self,
        queries: ArrayView2<f64>,
        k: usize,
        distance: Distance,
        ctx: &FitContext,
    ) -> Result<Arc<Neighbours>> {
        let k = k.min(self.n_rows());
        let key = format!("neighbours {distance:?}");
        let slot = ctx.once(Scope::Fold, &key, || Mutex::new(None::<Arc<Neighbours>>));
        let mut slot = slot.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(found) = &*slot
            && found.k >= k
            && found.queries == queries
        {
            return Ok(found.clone());
        }
        let found = Arc::new(self.neighbours(queries, k, distance, || ctx.check_cancelled())?);
        *slot = Some(found.clone());
        Ok(found)
    }
}

/// Keeps a block of products at 32 MB.
const NUMBERS_A_BLOCK: usize = 4 << 20;

fn too_large() -> Error {
    Error::model("the features are too large: their squares overflow").help("scale them: prep.scale=standard")
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[track_caller]
    fn check(train: Array2<f64>, query: Array2<f64>, distance: Distance, rows: &[u32], distances: &[f64]) {
        let found = Training::new(train.view())
            .and_then(|train| train.neighbours(query.view(), rows.len(), distance, || Ok(())));
        let found = found.unwrap();
        assert_eq!((found.rows.as_slice(), found.distances.as_slice()), (rows, distances));
    }

    #[test]
    fn the_nearest_come_first() {
        check(
            array![[0.0, 0.0], [3.0, 4.0], [1.0, 0.0]],
            array![[0.0, 0.0]],
            Distance::Euclidean,
            &[0, 2, 1],
            &[0.0, 1.0, 5.0],
        );
    }

    #[test]
    fn manhattan_adds_the_differences() {
        check(
            array![[0.0, 0.0], [3.0, 4.0], [1.0, 5.0]],
            array![[0.0, 0.0]],
            Distance::Manhattan,
            &[0, 2],
            &[0.0, 6.0],
        );
    }

    #[test]
    fn ties_go_by_row_number() {
        check(Array2::ones((5, 3)), array![[2.0, 1.0, 1.0]], Distance::Euclidean, &[0, 1, 2], &[1.0, 1.0, 1.0]);
    }

    #[test]
    fn far_from_the_origin_small_distances_are_not_lost() {
        let train = array![[1e8 + 0.5], [1e8 + 0.25], [1e8]];
        check(train, array![[1e8]], Distance::Euclidean, &[2, 1, 0], &[0.0, 0.25, 0.5]);
    }
}
