//! Rows beside a row, in spaces that mix numbers, ordered values, categories and conditions: what a search of the highest acquisition tries.

use super::encoding::{Encoding, Shape};
use super::normals::Normals;

pub(crate) struct Neighbourhood<'a> {
    pub encoding: &'a Encoding<'a>,
    /// The parameters that have something to search.
    free: Vec<usize>,
    normals: Normals,
}

/// Choices of a category that are tried one by one.
const MOST_CHOICES: usize = 24;

impl<'a> Neighbourhood<'a> {
    pub fn new(encoding: &'a Encoding<'a>, normals: Normals) -> Self {
        Neighbourhood { encoding, free: encoding.free(), normals }
    }

    /// A row from anywhere in the space.
    pub fn anywhere(&mut self) -> Vec<f64> {
        let units: Vec<f64> = (0..self.encoding.len()).map(|_| self.normals.unit()).collect();
        self.encoding.spread_all(|i| units[i])
    }

    /// A row like this one but for one, two, or all of its numbers, each at a distance from a hair to half the range.
    pub fn near(&mut self, row: &[f64]) -> Vec<f64> {
        let mut row = row.to_vec();
        let active: Vec<usize> = self.free.iter().copied().filter(|&position| !row[position].is_nan()).collect();
        let n = active.len().max(1) as f64;
        let share = match self.normals.unit() {
            u if u < 0.4 => 1.0 / n,
            u if u < 0.7 => 2.0 / n,
            _ => 1.0,
        };
        let width = 10f64.powf(-2.5 * self.normals.unit());
        let forced = (self.normals.unit() * n) as usize;
        for (k, position) in active.into_iter().enumerate() {
            if k != forced && self.normals.unit() >= share {
                continue;
            }
            row[position] = match &self.encoding.dimensions[position].shape {
                Shape::Categories(_) if share < 1.0 || self.normals.unit() < 1.0 / n => {
                    let unit = self.normals.unit();
                    self.encoding.spread(position, unit)
                }
                Shape::Categories(_) | Shape::Fixed => row[position],
                Shape::Discrete(positions) => {
                    let n_cells = positions.len();
                    let from = self.encoding.cell(position, row[position]) as f64;
                    let step = self.normals.normal() * (width * n_cells as f64).max(0.7);
                    let to = (from + step).round().clamp(0.0, n_cells as f64 - 1.0);
                    positions[to as usize]
                }
                Shape::Continuous => {
                    let at = row[position] + width * 0.5 * self.normals.normal();
                    at.clamp(0.0, 1.0)
                }
            };
        }
        self.settle(&mut row);
        row
    }

    /// The rows with one category changed, or one ordered value moved by a step; continuous parameters stay.
    pub fn neighbours(&mut self, row: &[f64]) -> Vec<Vec<f64>> {
        let mut rows = Vec::new();
        for k in 0..self.free.len() {
            let position = self.free[k];
            let at = row[position];
            if at.is_nan() {
                continue;
            }
            let cell = self.encoding.cell(position, at);
            let others: Vec<f64> = match &self.encoding.dimensions[position].shape {
                Shape::Categories(n) => (0..*n).filter(|&c| c != cell).map(|c| c as f64).take(MOST_CHOICES).collect(),
                Shape::Discrete(positions) => {
                    let below = cell.checked_sub(1).map(|cell| positions[cell]);
                    below.into_iter().chain(positions.get(cell + 1).copied()).collect()
                }
                Shape::Fixed | Shape::Continuous => Vec::new(),
            };
            for other in others {
                let mut row = row.to_vec();
                row[position] = other;
                self.settle(&mut row);
                rows.push(row);
            }
        }
        rows
    }

    /// Parameters that a change has made active get values from anywhere.
    fn settle(&mut self, row: &mut [f64]) {
        let units: Vec<f64> = (0..self.encoding.len()).map(|_| self.normals.unit()).collect();
        self.encoding.settle(row, |i| self.encoding.spread(i, units[i]));
    }
}
