//! Data made up from a seed.

use medalist_boost::Column;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Rows to train on and to predict.
pub struct Data {
    /// Values by feature; a category as its code, missing as NaN.
    pub columns: Vec<Vec<f64>>,
    pub categorical: Vec<usize>,
    /// The rows that both libraries predict.
    pub probe: Vec<Vec<f64>>,
    pub labels: Vec<f64>,
    pub weights: Option<Vec<f64>>,
    pub groups: Option<Vec<usize>>,
}

/// The probe row whose values are all infinite: JSON cannot say it.
pub const INFINITE_ROW: usize = 150;

impl Data {
    pub fn views<'a>(&self, columns: &'a [Vec<f64>], codes: &'a [Vec<u32>]) -> Vec<Column<'a>> {
        let view = |(feature, values)| {
            if self.categorical.contains(&feature) { Column::Categories(&codes[feature]) } else { Column::F64(values) }
        };
        columns.iter().map(Vec::as_slice).enumerate().map(view).collect()
    }
}

/// Columns as codes, whether or not they are.
pub fn codes(columns: &[Vec<f64>]) -> Vec<Vec<u32>> {
    let code = |value: &f64| if value.is_nan() { medalist_boost::bins::MISSING_CATEGORY } else { *value as u32 };
    columns.iter().map(|column| column.iter().map(code).collect()).collect()
}

fn normal(random: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0
}

const N_ROWS: usize = 4000;

/// Whole numbers from 1 on, a bin each; `missing`: the share of missing values.
pub fn bins_data(seed: u64, missing: f64, categories: usize) -> Data {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut columns: Vec<Vec<f64>> =
        (0..5).map(|at| (0..N_ROWS).map(|_| f64::from(random.random_range(1..20 + 10 * at))).collect()).collect();
    let mut probe: Vec<Vec<f64>> =
        (0..5).map(|_| (0..300).map(|_| f64::from(random.random_range(-5..80)) / 2.0).collect()).collect();
    let mut categorical = Vec::new();
    if categories > 0 {
        columns[2].iter_mut().for_each(|code| *code = random.random_range(0..categories) as f64);
        probe[2].iter_mut().for_each(|code| *code = random.random_range(-2..2 * categories as i32) as f64);
        categorical.push(2);
    }
    let effect: Vec<f64> = (0..categories).map(|_| normal(&mut random)).collect();
    let label = |row: usize, random: &mut ChaCha8Rng| {
        let x = |feature: usize| columns[feature][row];
        let middle = if categories > 0 { effect[x(2) as usize] } else { (x(2) / 6.0).sin() };
        x(0) / 10.0 + middle + (x(3) * x(1) / 300.0).cos() + 0.3 * normal(random)
    };
    let labels = (0..N_ROWS).map(|row| label(row, &mut random)).collect();
    for column in columns.iter_mut().chain(&mut probe) {
        column.iter_mut().for_each(|value| {
            if random.random::<f64>() < missing {
                *value = f64::NAN;
            }
        });
    }
    probe[0][..50].fill(f64::NAN);
    probe[1][50..100].fill(0.0);
    probe.iter_mut().for_each(|column| column[INFINITE_ROW] = f64::INFINITY);
    Data { columns, categorical, probe, labels, weights: None, groups: None }
}

impl Data {
    pub fn weighted(mut self) -> Data {
        let mut random = ChaCha8Rng::seed_from_u64(99);
        self.weights = Some((0..self.labels.len()).map(|_| 0.5 + random.random::<f64>()).collect());
        self
    }

    pub fn with_labels(mut self, label: impl Fn(f64) -> f64) -> Data {
        self.labels.iter_mut().for_each(|value| *value = label(*value));
        self
    }

    /// Three classes.
    pub fn classes(self) -> Data {
        self.with_labels(|value| (value - 0.5).clamp(0.0, 2.9).floor())
    }

    /// Two classes.
    pub fn binary(self) -> Data {
        self.with_labels(|value| f64::from(value > 1.5))
    }
}

/// Labels 0 to 3 in query groups of 20.
pub fn ranked() -> Data {
    let mut data = bins_data(1, 0.0, 0).with_labels(|value| value.clamp(0.0, 3.9).floor());
    data.groups = Some(vec![20; N_ROWS / 20]);
    data
}
