//! Rows among which squared distances are plain sums: numbers are warped and divided by their length scales.

use super::design::Feature;
use super::warp::Warp;
use crate::sampler::lanes::widely;

/// How features become coordinates.
#[derive(Clone, Debug)]
pub(super) struct Scales {
    pub numbers: Vec<Number>,
    pub categories: Vec<Category>,
    /// Of the signal, of the noise, and of the nugget.
    pub variances: [f64; 3],
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Number {
    pub dimension: usize,
    /// 1 / length scale.
    pub scale: f64,
    pub warp: Option<Warp>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Category {
    pub dimension: usize,
    /// 1 / length scale squared: the squared distance of two different ones.
    pub weight: f64,
}

impl Scales {
    /// `theta`: see [`super::prior::Theta`].
    pub fn new(features: &[Feature], theta: &[f64]) -> Scales {
        let (lengths, rest) = theta.split_at(features.len());
        let mut warps = rest[3..].chunks_exact(2).map(|logs| Warp { a: logs[0].exp(), b: logs[1].exp() });
        let (mut numbers, mut categories) = (Vec::new(), Vec::new());
        for (dimension, (feature, log_length)) in features.iter().zip(lengths).enumerate() {
            if feature.is_category {
                categories.push(Category { dimension, weight: (-2.0 * log_length).exp() });
            } else {
                let warp = if feature.is_warped { warps.next() } else { None };
                numbers.push(Number { dimension, scale: (-log_length).exp(), warp });
            }
        }
        let noise = rest[1].exp();
        Scales { numbers, categories, variances: [rest[0].exp(), noise, noise * rest[2].exp()] }
    }

    /// `column` writes the features of all rows in a dimension.
    pub fn place(&self, n_rows: usize, column: impl Fn(usize, &mut [f64])) -> Scaled {
        let stride = n_rows.next_multiple_of(LANES);
        let mut numbers = vec![0.0; stride * self.numbers.len()];
        let mut categories = vec![0.0; stride * self.categories.len()];
        for (number, out) in self.numbers.iter().zip(numbers.chunks_exact_mut(stride.max(1))) {
            column(number.dimension, &mut out[..n_rows]);
            let Number { scale, warp, .. } = *number;
            let out = &mut out[..n_rows];
            widely(
                #[inline(always)]
                move || match warp {
                    Some(warp) => {
                        for at in out {
                            *at = warp.at(*at) * scale;
                        }
                    }
                    None => out.iter_mut().for_each(|at| *at *= scale),
                },
            );
        }
        for (category, out) in self.categories.iter().zip(categories.chunks_exact_mut(stride.max(1))) {
            column(category.dimension, &mut out[..n_rows]);
        }
        let weights = self.categories.iter().map(|category| category.weight).collect();
        Scaled { n_rows, stride, numbers, categories, weights }
    }

    /// Of rows given by their features.
    pub fn place_rows(&self, rows: &[Vec<f64>]) -> Scaled {
        self.place(rows.len(), |dimension, out| out.iter_mut().zip(rows).for_each(|(at, row)| *at = row[dimension]))
    }
}

/// Numbers that are worked on at once.
pub(super) const LANES: usize = 16;

/// Rows as coordinates, one array for each dimension.
#[derive(Clone, Debug)]
pub(super) struct Scaled {
    pub n_rows: usize,
    /// The length of each array: rows up to a multiple of [`LANES`], those beyond `n_rows` without meaning.
    pub stride: usize,
    numbers: Vec<f64>,
    categories: Vec<f64>,
    weights: Vec<f64>,
}

impl Scaled {
    /// The coordinates of all rows in each number's dimension.
    pub fn numbers(&self) -> impl Iterator<Item = &[f64]> {
        self.numbers.chunks_exact(self.stride.max(1))
    }

    pub fn categories(&self) -> impl Iterator<Item = &[f64]> {
        self.categories.chunks_exact(self.stride.max(1))
    }

    /// The squared distances of the rows from `first` on, a multiple of [`LANES`], to one row of others. `out`: (stride - first,)
    #[inline(always)]
    pub fn squared_to(&self, others: &Scaled, row: usize, first: usize, out: &mut [f64]) {
        for (block, out) in out.chunks_exact_mut(LANES).enumerate() {
            let at = first + block * LANES;
            let mut sums = [0.0; LANES];
            for (column, other) in
                self.numbers.chunks_exact(self.stride).zip(others.numbers.chunks_exact(others.stride))
            {
                let (column, other) = (&column[at..at + LANES], other[row]);
                for lane in 0..LANES {
                    let away = column[lane] - other;
                    sums[lane] += away * away;
                }
            }
            let categories =
                self.categories.chunks_exact(self.stride).zip(others.categories.chunks_exact(others.stride));
            for ((column, other), weight) in categories.zip(&self.weights) {
                let (column, other) = (&column[at..at + LANES], other[row]);
                for lane in 0..LANES {
                    // Indices that differ do so by 1 at least: arithmetic is faster than a choice.
                    let away = (column[lane] - other).abs();
                    sums[lane] += if away < 1.0 { away } else { 1.0 } * weight;
                }
            }
            out.copy_from_slice(&sums);
        }
    }

    /// The squared distance of one row to one of others.
    pub fn squared(&self, row: usize, others: &Scaled, other: usize) -> f64 {
        let numbers = self.numbers().zip(others.numbers()).map(|(a, b)| (a[row] - b[other]) * (a[row] - b[other]));
        let categories = self.categories().zip(others.categories()).zip(&self.weights);
        let categories = categories.map(|((a, b), weight)| if a[row] != b[other] { *weight } else { 0.0 });
        // In the order of `squared_to`, so that equal rows are told from others alike.
        numbers.chain(categories).fold(0.0, |sum, squared| sum + squared)
    }
}
