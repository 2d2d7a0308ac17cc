//! Raw values, as they are given.

use super::MISSING_CATEGORY;

/// One feature's raw values, as a view.
#[derive(Clone, Copy, Debug)]
pub enum Column<'a> {
    /// NaN is missing; infinities are values.
    F64(&'a [f64]),
    /// NaN is missing; infinities are values.
    F32(&'a [f32]),
    /// Every `stride`-th value from `start` on: a column of a row-major matrix.
    Strided { values: &'a [f32], start: usize, stride: usize },
    /// Unordered codes; [`MISSING_CATEGORY`] is missing.
    Categories(&'a [u32]),
}

impl Column<'_> {
    /// The columns of a row-major matrix (n_rows, n_features).
    pub fn of_rows(values: &[f32], n_features: usize) -> Vec<Column<'_>> {
        (0..n_features).map(|start| Column::Strided { values, start, stride: n_features }).collect()
    }

    /// Rows.
    pub fn len(&self) -> usize {
        match self {
            Column::F64(values) => values.len(),
            Column::F32(values) => values.len(),
            Column::Strided { values, start, stride } => (values.len() + stride - 1 - start) / stride,
            Column::Categories(codes) => codes.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value of a row; a category as its code, missing as NaN.
    #[inline]
    pub(crate) fn value(&self, row: usize) -> f64 {
        match self {
            Column::F64(values) => values[row],
            Column::F32(values) => f64::from(values[row]),
            Column::Strided { values, start, stride } => f64::from(values[row * stride + start]),
            Column::Categories(codes) if codes[row] == MISSING_CATEGORY => f64::NAN,
            Column::Categories(codes) => f64::from(codes[row]),
        }
    }

    /// The values of some rows, as [`Column::value`]'s.
    pub(crate) fn gather(&self, rows: &[u32], out: &mut [f64]) {
        let rows = rows.iter().zip(out);
        match self {
            Column::F64(values) => rows.for_each(|(&row, out)| *out = values[row as usize]),
            Column::F32(values) => rows.for_each(|(&row, out)| *out = f64::from(values[row as usize])),
            Column::Strided { values, start, stride } => {
                rows.for_each(|(&row, out)| *out = f64::from(values[row as usize * stride + start]));
            }
            Column::Categories(_) => {
                rows.for_each(|(&row, out)| *out = self.value(row as usize));
            }
        }
    }
}
