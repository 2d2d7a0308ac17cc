//! Sums of products of a block of rows, for least squares.

use super::leveled;

/// Numbers that are added side by side. So many sums there are on any instruction set, which is why all give the same.
pub(crate) const LANES: usize = 8;

leveled! {
    /// Adds to `sums`, for each of the columns in turn, its products with all columns up to itself under the weights `hessians`, then its product with `gradients`. `columns` lie one after the other, each of as many rows as there are hessians: a multiple of [`LANES`]. `weighted` is room for one.
    fn add_products(columns: &[f64], hessians: &[f64], gradients: &[f64], weighted: &mut [f64], sums: &mut [f64]) = add_products_body
}

#[inline(always)]
fn add_products_body(columns: &[f64], hessians: &[f64], gradients: &[f64], weighted: &mut [f64], sums: &mut [f64]) {
    let n_rows = hessians.len();
    let weighted = &mut weighted[..n_rows];
    let mut sums = sums.iter_mut();
    let mut add = |product: f64| {
        if let Some(sum) = sums.next() {
            *sum += product;
        }
    };
    for (at, column) in columns.chunks_exact(n_rows).enumerate() {
        for ((weighted, value), hessian) in weighted.iter_mut().zip(column).zip(hessians) {
            *weighted = value * hessian;
        }
        columns.chunks_exact(n_rows).take(at + 1).for_each(|other| add(product(weighted, other)));
        add(product(gradients, column));
    }
}

#[inline(always)]
fn product(a: &[f64], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    for (a, b) in a.as_chunks::<LANES>().0.iter().zip(b.as_chunks::<LANES>().0) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Level;

    #[test]
    fn each_column_meets_those_before_it() {
        let n = 2 * LANES;
        let columns: Vec<f64> = (0..3 * n).map(|at| (at % 7) as f64).collect();
        let hessians: Vec<f64> = (0..n).map(|row| (row % 3) as f64).collect();
        let gradients: Vec<f64> = (0..n).map(|row| row as f64 - 5.0).collect();
        let mut sums = vec![1.0; 9];
        add_products(Level::detect(), &columns, &hessians, &gradients, &mut vec![0.0; n], &mut sums);
        let of = |column: usize, row: usize| columns[column * n + row];
        let mut at = 0;
        for i in 0..3 {
            for j in 0..=i {
                let wanted: f64 = (0..n).map(|row| hessians[row] * of(i, row) * of(j, row)).sum();
                assert_eq!(sums[at], 1.0 + wanted);
                at += 1;
            }
            assert_eq!(sums[at], 1.0 + (0..n).map(|row| gradients[row] * of(i, row)).sum::<f64>());
            at += 1;
        }
        assert_eq!(at, sums.len());
    }
}
