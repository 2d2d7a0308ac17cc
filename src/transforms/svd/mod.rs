//! The leading singular vectors of a sparse matrix, by randomised subspace iteration.
//!
//! Halko, Martinsson and Tropp, *Finding structure with randomness*, SIAM Review 2011, algorithms 4.4 and 5.1. Blocks are made orthonormal by the eigendecomposition of their Gram matrix (Stathopoulos and Wu 2002), which costs matrix products and little else. Sequential, so that sums stay in order.

use faer::{Mat, Side};
use medalist_search::Seed;
use ndarray::{Array2, Axis, s};
use rand::Rng;

use crate::error::{Error, Result};
use crate::sparse::SparseMatrix;
use crate::transform::TransformContext;
use crate::transforms::dates::by_column::check_cancelled;

/// Directions beyond those wanted: what the paper advises.
const OVERSAMPLING: usize = 10;
/// Each multiplies by the matrix and its transpose.
const ITERATIONS: usize = 4;

/// (n_columns, n_components) right singular vectors, the largest singular value first; fewer than wanted where the rank is lower. The largest entry of each is positive.
///
/// # Errors
/// When the preparation should stop.
pub(crate) fn right_vectors(matrix: &SparseMatrix, wanted: usize, ctx: &TransformContext) -> Result<Array2<f64>> {
    let block = (wanted + OVERSAMPLING).min(matrix.n_rows()).min(matrix.n_columns());
    let mut by_rows = orthonormal(times(matrix, &signs(matrix.n_columns(), block, ctx.seed.child("svd", 0))))?;
    for _ in 0..ITERATIONS {
        check_cancelled(ctx)?;
        by_rows = orthonormal(times(matrix, &transposed_times(matrix, &by_rows)))?;
    }
    check_cancelled(ctx)?;
    // Once more, since directions of small singular values came out of the product of two matrices less than orthonormal.
    let all = orthonormal(transposed_times(matrix, &orthonormal(by_rows)?))?;
    let mut vectors = all.slice(s![.., ..wanted.min(all.ncols())]).to_owned();
    for mut vector in vectors.axis_iter_mut(Axis(1)) {
        let largest = vector.iter().copied().fold(0.0, |a: f64, b: f64| if b.abs() > a.abs() { b } else { a });
        if largest < 0.0 {
            vector.mapv_inplace(|value| -value);
        }
    }
    Ok(vectors)
}

/// (n_rows, n_components): each row by itself, whatever rows are beside it.
pub(crate) fn project(matrix: &SparseMatrix, vectors: &Array2<f64>) -> Array2<f64> {
    times(matrix, vectors)
}

/// (n, block) of 1 and -1.
fn signs(n: usize, block: usize, seed: Seed) -> Array2<f64> {
    let mut rng = seed.rng();
    Array2::from_shape_simple_fn((n, block), || if rng.next_u32() & 1 == 0 { 1.0 } else { -1.0 })
}

/// `matrix * dense`.
fn times(matrix: &SparseMatrix, dense: &Array2<f64>) -> Array2<f64> {
    let mut product = Array2::zeros((matrix.n_rows(), dense.ncols()));
    for (row, mut out) in product.outer_iter_mut().enumerate() {
        for (column, value) in matrix.entries(row) {
            out.scaled_add(value, &dense.row(column as usize));
        }
    }
    product
}

/// `matrix' * dense`.
fn transposed_times(matrix: &SparseMatrix, dense: &Array2<f64>) -> Array2<f64> {
    let mut product = Array2::zeros((matrix.n_columns(), dense.ncols()));
    for (row, numbers) in dense.outer_iter().enumerate() {
        for (column, value) in matrix.entries(row) {
            product.row_mut(column as usize).scaled_add(value, &numbers);
        }
    }
    product
}

/// The left singular vectors of `block`, the largest singular value first; those of rounding alone are left out.
fn orthonormal(block: Array2<f64>) -> Result<Array2<f64>> {
    let gram = block.t().dot(&block);
    let size = gram.nrows();
    if size == 0 {
        return Ok(block);
    }
    let decomposed = Mat::from_fn(size, size, |row, column| gram[[row, column]])
        .self_adjoint_eigen(Side::Lower)
        .map_err(|error| Error::data(format!("the texts' singular value decomposition failed: {error:?}")))?;
    let (values, vectors) = (decomposed.S().column_vector(), decomposed.U());
    let floor = values[size - 1] * f64::EPSILON * block.nrows() as f64;
    // They come ascending.
    let kept: Vec<usize> = (0..size).rev().filter(|&axis| values[axis] > floor).collect();
    let rotation =
        Array2::from_shape_fn((size, kept.len()), |(row, axis)| vectors[(row, kept[axis])] / values[kept[axis]].sqrt());
    Ok(block.dot(&rotation))
}

#[cfg(test)]
mod tests {
    use medalist_search::Cancel;

    use super::*;

    fn check(n_rows: usize, n_columns: usize, rank: usize, wanted: usize) {
        // Rank `rank` by construction, singular values that fall by halves.
        let left = Array2::from_shape_fn((n_rows, rank), |(row, axis)| ((row * (2 * axis + 3) + axis) as f64).sin());
        let right = Array2::from_shape_fn((rank, n_columns), |(axis, column)| {
            ((column * (3 * axis + 2) + 1) as f64).cos() / f64::powi(2.0, axis as i32)
        });
        let dense = left.dot(&right);
        let mut matrix = SparseMatrix::new(n_columns);
        for row in dense.outer_iter() {
            matrix.push_row(row.iter().enumerate().map(|(column, &value)| (column as u32, value)));
        }
        let ctx = TransformContext { weights: None, seed: Seed::new(2), cancel: &Cancel::new() };
        let vectors = right_vectors(&matrix, wanted, &ctx).unwrap();
        assert_eq!(vectors.dim(), (n_columns, wanted.min(rank)));
        let off = vectors.t().dot(&vectors) - Array2::<f64>::eye(vectors.ncols());
        assert!(off.iter().all(|value| value.abs() < 1e-9), "not orthonormal");
        // What a truncation leaves is at its least: the sum of the squares of the singular values beyond.
        let gram = dense.t().dot(&dense);
        let values = Mat::from_fn(n_columns, n_columns, |row, column| gram[[row, column]])
            .self_adjoint_eigen(Side::Lower)
            .map(|decomposed| (0..n_columns).map(|axis| decomposed.S().column_vector()[axis]).collect::<Vec<f64>>())
            .unwrap();
        let least: f64 = values.iter().rev().skip(wanted).map(|value| value.max(0.0)).sum();
        let rest = &dense - &project(&matrix, &vectors).dot(&vectors.t());
        let left = rest.iter().map(|value| value * value).sum::<f64>();
        let all: f64 = values.iter().sum();
        assert!((left - least).abs() < 1e-9 * all, "{left} is left of {all}, {least} must be");
    }

    #[test]
    fn the_best_approximation_of_its_rank() {
        check(40, 30, 12, 5);
        check(20, 60, 15, 3);
    }

    #[test]
    fn no_more_components_than_the_rank() {
        check(30, 20, 4, 9);
    }
}
