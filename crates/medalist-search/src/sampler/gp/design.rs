//! Rows as features, and the distances between them, one array per dimension.

use super::scaled::{Scaled, Scales};
use crate::sampler::encoding::{Encoding, Shape};

/// The features of some rows: per free parameter of the space a column. Numbers are in [0, 1], 0.5 where the parameter is not active; categories are indices, -1 where not active.
pub(super) struct Design {
    pub n_rows: usize,
    /// (n_dimensions, n_rows)
    pub columns: Vec<Vec<f64>>,
    pub dimensions: Vec<Feature>,
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Feature {
    /// The parameter's position in the space.
    pub position: usize,
    /// Two different categories are at distance 1.
    pub is_category: bool,
    /// Whether a warp of it is learned.
    pub is_warped: bool,
}

impl Feature {
    pub fn all(encoding: &Encoding) -> Vec<Feature> {
        let feature = |position: usize| {
            let is_category = matches!(encoding.dimensions[position].shape, Shape::Categories(_));
            Feature { position, is_category, is_warped: !is_category }
        };
        encoding.free().into_iter().map(feature).collect()
    }

    /// All of a row.
    pub fn row(features: &[Feature], row: &[f64]) -> Vec<f64> {
        features.iter().map(|feature| feature.of(row)).collect()
    }

    /// Of a row.
    pub fn of(self, row: &[f64]) -> f64 {
        match row[self.position] {
            at if !at.is_nan() => at,
            _ if self.is_category => -1.0,
            _ => 0.5,
        }
    }
}

impl Design {
    pub fn new<'a>(dimensions: &[Feature], rows: impl Iterator<Item = &'a [f64]> + Clone) -> Design {
        let column = |feature: &Feature| rows.clone().map(|row| feature.of(row)).collect::<Vec<f64>>();
        let columns = dimensions.iter().map(column).collect();
        Design { n_rows: rows.count(), columns, dimensions: dimensions.to_vec() }
    }

    /// Its rows as coordinates.
    pub fn placed(&self, scales: &Scales) -> Scaled {
        scales.place(self.n_rows, |dimension, out| out.copy_from_slice(&self.columns[dimension]))
    }
}
