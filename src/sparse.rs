//! Matrices that are mostly 0: of each row only what is not.

/// Rows of pairs of a column and a value (compressed sparse rows).
#[derive(Clone, Debug, PartialEq)]
pub struct SparseMatrix {
    n_columns: usize,
    /// (n_rows + 1,): where each row begins.
    starts: Vec<usize>,
    columns: Vec<u32>,
    values: Vec<f64>,
}

impl Default for SparseMatrix {
    fn default() -> Self {
        SparseMatrix::new(0)
    }
}

impl SparseMatrix {
    /// No rows yet.
    pub fn new(n_columns: usize) -> SparseMatrix {
        SparseMatrix { n_columns, starts: vec![0], columns: Vec::new(), values: Vec::new() }
    }

    /// `row`: columns ascending, below `n_columns`.
    pub fn push_row(&mut self, row: impl IntoIterator<Item = (u32, f64)>) {
        for (column, value) in row {
            self.columns.push(column);
            self.values.push(value);
        }
        self.starts.push(self.columns.len());
    }

    pub fn n_rows(&self) -> usize {
        self.starts.len() - 1
    }

    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// The row's columns and values.
    pub fn row(&self, row: usize) -> (&[u32], &[f64]) {
        let range = self.starts[row]..self.starts[row + 1];
        (&self.columns[range.clone()], &self.values[range])
    }

    pub fn entries(&self, row: usize) -> impl Iterator<Item = (u32, f64)> {
        let (columns, values) = self.row(row);
        columns.iter().copied().zip(values.iter().copied())
    }

    /// The rows named, in their order.
    pub fn take(&self, rows: &[u32]) -> SparseMatrix {
        let mut taken = SparseMatrix::new(self.n_columns);
        rows.iter().for_each(|&row| taken.push_row(self.entries(row as usize)));
        taken
    }

    /// Bytes that it holds, from its shape.
    pub fn memory(&self) -> u64 {
        (self.columns.len() * 12 + self.starts.len() * 8) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back_in_any_order() {
        let mut matrix = SparseMatrix::new(3);
        matrix.push_row([(0, 1.0), (2, 2.0)]);
        matrix.push_row([]);
        matrix.push_row([(1, 3.0)]);
        let taken = matrix.take(&[2, 1, 0]);
        assert_eq!((taken.n_rows(), taken.n_columns()), (3, 3));
        assert_eq!(taken.row(0), (&[1][..], &[3.0][..]));
        assert_eq!(taken.row(1), (&[][..], &[][..]));
        assert_eq!(taken.row(2), (&[0, 2][..], &[1.0, 2.0][..]));
        assert_eq!(matrix.take(&[]).n_rows(), 0);
    }
}
