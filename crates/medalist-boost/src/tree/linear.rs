//! Leaves that are linear models.

use serde::{Deserialize, Serialize};

use super::Leaf;
use crate::bins::Column;

/// Rows whose values are added up together.
const ROWS_A_BLOCK: usize = 256;
/// So few rows are added up one by one.
const ROWS_TO_BLOCK: usize = 16;

/// A linear model of some columns' values: the constant, and each value times its coefficient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Linear {
    pub constant: f64,
    /// Numbers of columns, at least one.
    pub features: Vec<usize>,
    /// One a feature.
    pub coefficients: Vec<f64>,
}

impl Linear {
    /// Bytes that it takes.
    pub(crate) const fn bytes(n_features: usize) -> usize {
        size_of::<Linear>() + n_features * (size_of::<usize>() + size_of::<f64>())
    }

    /// Calls `say` with each row and what the model says of it; `otherwise` where that is no finite number, as where a value is missing.
    fn each<'c>(
        &self,
        column: impl Fn(usize) -> Column<'c>,
        rows: &[u32],
        otherwise: f64,
        mut say: impl FnMut(u32, f64),
    ) {
        let mut say = |row: u32, sum: f64| say(row, if sum.is_finite() { sum } else { otherwise });
        let terms = || self.features.iter().zip(&self.coefficients);
        // Either way the terms are added in the same order, so that a row's sum is the same bit for bit.
        if rows.len() < ROWS_TO_BLOCK {
            for &row in rows {
                let mut sum = self.constant;
                terms().for_each(|(&feature, coefficient)| sum += coefficient * column(feature).value(row as usize));
                say(row, sum);
            }
            return;
        }
        let (mut values, mut sums) = ([0.0; ROWS_A_BLOCK], [0.0; ROWS_A_BLOCK]);
        for rows in rows.chunks(ROWS_A_BLOCK) {
            let (values, sums) = (&mut values[..rows.len()], &mut sums[..rows.len()]);
            sums.fill(self.constant);
            for (&feature, coefficient) in terms() {
                column(feature).gather(rows, values);
                sums.iter_mut().zip(&*values).for_each(|(sum, value)| *sum += coefficient * value);
            }
            rows.iter().zip(&*sums).for_each(|(&row, &sum)| say(row, sum));
        }
    }
}

impl Leaf {
    /// Calls `say` with each row and what the leaf, one of a single output, says of it.
    #[inline]
    pub(crate) fn each<'c>(&self, column: impl Fn(usize) -> Column<'c>, rows: &[u32], mut say: impl FnMut(u32, f64)) {
        let value = self.value[0];
        match &self.linear {
            None => rows.iter().for_each(|&row| say(row, value)),
            Some(linear) => linear.each(column, rows, value, say),
        }
    }

    /// Multiplies all that it says.
    pub(crate) fn scale(&mut self, factor: f64) {
        self.value.iter_mut().for_each(|value| *value *= factor);
        if let Some(linear) = &mut self.linear {
            linear.constant *= factor;
            linear.coefficients.iter_mut().for_each(|coefficient| *coefficient *= factor);
        }
    }

    /// Every number that its predictions are made of.
    pub(crate) fn numbers(&self) -> impl Iterator<Item = f64> {
        let linear = self.linear.iter().flat_map(|linear| linear.coefficients.iter().chain([&linear.constant]));
        self.value.iter().chain(linear).copied()
    }
}
