//! k nearest neighbours.
//!
//! The neighbours of the rows to be scored are found once per fold; each number of neighbours is then a vote.

use std::sync::Arc;

use medalist_search::Value;
use ndarray::{Array2, ArrayView2, ArrayViewMut1};
use serde::{Deserialize, Serialize};
use serde_json::Value as State;

mod neighbours;

use self::neighbours::{Distance, Neighbours, Training};
use super::baseline::shared::once;
use crate::error::{Error, Result};
use crate::model::{AnyInput, Dense, FitContext, Model, Predictor};
use crate::state::{Matrix, from_state, to_state};
use crate::target::{Target, Task};
use crate::{ParamChoice, Tunable};

/// The votes, or the mean, of the nearest training rows; of equally distant ones the first in the file. Row weights multiply the votes.
#[derive(Tunable)]
pub struct Knn {
    /// How many of the nearest training rows are asked.
    #[param(1..=200, log, staged, default = 10, levels = [1, 3, 5, 10, 20, 30, 50, 100])]
    pub n_neighbors: usize,
    /// Whether near ones count more: uniform, or the inverse of the distance (rows at distance 0 then decide alone).
    #[param(default = "uniform")]
    pub weights: Weighting,
    /// 1 for the sum of the differences, 2 for the straight line.
    #[param(choices = [1, 2], default = 2)]
    pub p: u32,
}

/// scikit-learn's `weights`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ParamChoice, Serialize, Deserialize)]
pub enum Weighting {
    Uniform,
    Distance,
}

impl Model for Knn {
    type Input = Dense;
    const TASKS: &'static [Task] = &[Task::Binary, Task::Multiclass, Task::Regression, Task::Ordinal];
    const ABOUT: &'static str = "votes or mean of the nearest training rows";
    const TELLS_SIZE: bool = true;

    fn fit(&self, x: &Dense, y: &Target, ctx: &FitContext) -> Result<Box<dyn Predictor<Dense>>> {
        ctx.check_cancelled()?;
        if x.x.nrows() == 0 {
            return Err(Error::model("there are no training rows"));
        }
        let training = once(ctx, "neighbours training", || Training::new(x.x.view()))?;
        let distance = if self.p == 1 { Distance::Manhattan } else { Distance::Euclidean };
        let scored = match ctx.scored {
            Some(AnyInput::Dense(scored)) => {
                Some(training.shared_neighbours(scored.x.view(), self.n_neighbors, distance, ctx)?)
            }
            _ => None,
        };
        let row_weights = ctx.weights.map(<[f64]>::to_vec);
        let (k, weighting) = (self.n_neighbors, self.weights);
        Ok(Box::new(FittedKnn { training, scored, k, weighting, distance, y: y.clone(), row_weights }))
    }

    fn load(state: &State) -> Result<Box<dyn Predictor<Dense>>> {
        let Saved { x, k, weighting, distance, y, row_weights } = from_state(state)?;
        let training = Arc::new(Training::new(x.into_array()?.view())?);
        Ok(Box::new(FittedKnn { training, scored: None, k, weighting, distance, y, row_weights }))
    }

    fn estimate_memory(&self, n_rows: usize, n_columns: usize) -> u64 {
        (8 * n_rows * n_columns + 12 * n_rows * self.n_neighbors + 8 * (4 << 20)) as u64
    }
}

struct FittedKnn {
    training: Arc<Training>,
    /// Those of the rows that the harness said it would score.
    scored: Option<Arc<Neighbours>>,
    k: usize,
    weighting: Weighting,
    distance: Distance,
    y: Target,
    row_weights: Option<Vec<f64>>,
}

/// A [`FittedKnn`] in a file: with all its training rows.
#[derive(Serialize, Deserialize)]
struct Saved {
    x: Matrix,
    k: usize,
    weighting: Weighting,
    distance: Distance,
    y: Target,
    row_weights: Option<Vec<f64>>,
}

impl FittedKnn {
    fn neighbours(&self, x: ArrayView2<f64>, k: usize) -> Result<Arc<Neighbours>> {
        let k = k.min(self.training.n_rows());
        match &self.scored {
            Some(scored) if scored.k >= k && scored.queries == x => Ok(scored.clone()),
            _ => Ok(Arc::new(self.training.neighbours(x, k, self.distance, || Ok(()))?)),
        }
    }

    fn vote(&self, neighbours: &Neighbours, k: usize) -> Array2<f64> {
        let k = k.clamp(1, neighbours.k);
        let mut prediction = Array2::zeros((neighbours.queries.nrows(), self.y.n_outputs()));
        for (query, mut out) in prediction.outer_iter_mut().enumerate() {
            let start = query * neighbours.k;
            let rows = &neighbours.rows[start..start + k];
            let distances = &neighbours.distances[start..start + k];
            let sum = self.add_votes(rows, distances, self.row_weights.as_deref(), &mut out);
            // Where every neighbour has weight 0 they count alike.
            let sum = if sum > 0.0 { sum } else { self.add_votes(rows, distances, None, &mut out) };
            out /= sum;
        }
        prediction
    }

    fn add_votes(
        &self,
        rows: &[u32],
        distances: &[f64],
        row_weights: Option<&[f64]>,
        out: &mut ArrayViewMut1<f64>,
    ) -> f64 {
        let exact = distances[0] == 0.0;
        let mut sum = 0.0;
        for (&row, &distance) in rows.iter().zip(distances) {
            let near = match self.weighting {
                Weighting::Uniform => 1.0,
                Weighting::Distance if exact => f64::from(distance == 0.0),
                // Relative to the nearest, so that tiny distances have no infinite inverse.
                Weighting::Distance => distances[0] / distance,
            };
            let vote = near * row_weights.map_or(1.0, |weights| weights[row as usize]);
            sum += vote;
            match &self.y {
                Target::Classes { codes, .. } => out[codes[row as usize] as usize] += vote,
                Target::Values(values) => out[0] += vote * values[row as usize],
            }
        }
        sum
    }
}

impl Predictor<Dense> for FittedKnn {
    fn predict(&self, x: &Dense) -> Result<Array2<f64>> {
        Ok(self.vote(&*self.neighbours(x.x.view(), self.k)?, self.k))
    }

    fn predict_staged(&self, x: &Dense, stages: &[Value]) -> Result<Vec<Array2<f64>>> {
        let stages: Vec<usize> = stages.iter().filter_map(|stage| Some(stage.as_f64()? as usize)).collect();
        let most = stages.iter().copied().max().unwrap_or(self.k);
        let neighbours = self.neighbours(x.x.view(), most)?;
        Ok(stages.into_iter().map(|k| self.vote(&neighbours, k)).collect())
    }

    /// The training rows, which are all kept, and their targets.
    fn size(&self, _stage: Option<&Value>) -> Option<u64> {
        Some(8 * (self.training.n_numbers() + self.training.n_rows()) as u64)
    }

    fn save(&self) -> Option<State> {
        let FittedKnn { training, k, weighting, distance, y, row_weights, .. } = self;
        let (x, y, row_weights) = (Matrix::from(training.x()), y.clone(), row_weights.clone());
        to_state(&Saved { x, k: *k, weighting: *weighting, distance: *distance, y, row_weights })
    }
}
