//! Rows as features, and the distances between them, one array per dimension.

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
}

impl Feature {
    pub fn all(encoding: &Encoding) -> Vec<Feature> {
        let feature = |position| Feature {
            position,
            is_category: matches!(encoding.dimensions[position].shape, Shape::Categories(_)),
        };
        encoding.free().into_iter().map(feature).collect()
    }

    pub fn squared_distance(self, a: f64, b: f64) -> f64 {
        if self.is_category { f64::from(u8::from(a != b)) } else { (a - b) * (a - b) }
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

    /// Per dimension the squared distances of all pairs of rows, (i, j) with j < i, row by row.
    pub fn pairs(&self) -> Vec<Vec<f64>> {
        let distances = |(column, feature): (&Vec<f64>, &Feature)| {
            let mut distances = Vec::with_capacity(self.n_rows * self.n_rows.saturating_sub(1) / 2);
            for (i, at) in column.iter().enumerate() {
                if feature.is_category {
                    distances.extend(column[..i].iter().map(|other| f64::from(u8::from(at != other))));
                } else {
                    distances.extend(column[..i].iter().map(|other| (at - other) * (at - other)));
                }
            }
            distances
        };
        self.columns.iter().zip(&self.dimensions).map(distances).collect()
    }

    /// Adds up the weighted squared distances of all rows to one with these features.
    pub fn distances_to(&self, features: &[f64], weights: &[f64], out: &mut [f64]) {
        out.fill(0.0);
        for (((column, feature), at), weight) in self.columns.iter().zip(&self.dimensions).zip(features).zip(weights) {
            if feature.is_category {
                for (out, other) in out.iter_mut().zip(column) {
                    *out += if at != other { *weight } else { 0.0 };
                }
            } else {
                for (out, other) in out.iter_mut().zip(column) {
                    *out += weight * (at - other) * (at - other);
                }
            }
        }
    }
}
