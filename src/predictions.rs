//! Predictions as the store keeps them: rows by outputs per target, byte planes deflated.
//!
//! Doubles of similar size share their leading bytes: all first bytes together, then all second bytes, deflate to about three quarters.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use ndarray::Array2;

use crate::error::{Error, Result};

/// The version of the byte form.
const VERSION: u8 = 1;

/// One matrix (n_rows, n_outputs) per target; rows that no fold scored are NaN.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    pub outputs: Vec<Array2<f64>>,
}

impl Predictions {
    /// Joins folds given as (rows, one matrix per target): with repeats, a row's prediction is the mean over them, summed in the order given.
    pub fn out_of_fold(n_rows: usize, folds: &[(&[u32], &[Array2<f64>])]) -> Predictions {
        let mut counts = vec![0u32; n_rows];
        let mut outputs: Vec<Array2<f64>> = match folds.first() {
            Some((_, outputs)) => outputs.iter().map(|output| Array2::zeros((n_rows, output.ncols()))).collect(),
            None => Vec::new(),
        };
        for (rows, parts) in folds {
            for (position, &row) in rows.iter().enumerate() {
                counts[row as usize] += 1;
                for (output, part) in outputs.iter_mut().zip(*parts) {
                    let mut sum = output.row_mut(row as usize);
                    sum += &part.row(position);
                }
            }
        }
        for output in &mut outputs {
            for (mut row, &count) in output.rows_mut().into_iter().zip(&counts) {
                match count {
                    0 => row.fill(f64::NAN),
                    1 => {}
                    count => row /= f64::from(count),
                }
            }
        }
        Predictions { outputs }
    }

    /// # Errors
    /// When compressing fails, which memory alone can cause.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = vec![VERSION, self.outputs.len() as u8];
        for output in &self.outputs {
            bytes.extend((output.nrows() as u64).to_le_bytes());
            bytes.extend((output.ncols() as u32).to_le_bytes());
        }
        let mut encoder = DeflateEncoder::new(bytes, Compression::fast());
        for output in &self.outputs {
            let values: Vec<[u8; 8]> = output.iter().map(|value| value.to_be_bytes()).collect();
            for plane in 0..8 {
                let plane: Vec<u8> = values.iter().map(|bytes| bytes[plane]).collect();
                encoder.write_all(&plane).map_err(|error| Error::unexpected(error.to_string()))?;
            }
        }
        encoder.finish().map_err(|error| Error::unexpected(error.to_string()))
    }

    /// # Errors
    /// When the bytes are of a newer version or cut short.
    pub fn from_bytes(bytes: &[u8]) -> Result<Predictions> {
        let broken = || Error::unexpected("stored predictions are cut short");
        let (&version, rest) = bytes.split_first().ok_or_else(broken)?;
        if version != VERSION {
            return Err(Error::unexpected(format!("stored predictions have version {version}"))
                .help("they were written by a newer medalist: update it"));
        }
        let (&n_targets, mut rest) = rest.split_first().ok_or_else(broken)?;
        let mut shapes = Vec::new();
        for _ in 0..n_targets {
            let (shape, after) = rest.split_at_checked(12).ok_or_else(broken)?;
            let n_rows = u64::from_le_bytes(shape[..8].try_into().map_err(|_| broken())?) as usize;
            let n_outputs = u32::from_le_bytes(shape[8..].try_into().map_err(|_| broken())?) as usize;
            shapes.push((n_rows, n_outputs));
            rest = after;
        }
        let mut decoder = DeflateDecoder::new(rest);
        let mut outputs = Vec::new();
        for shape in shapes {
            let n_values = shape.0 * shape.1;
            let mut planes = Vec::new();
            (&mut decoder).take(n_values as u64 * 8).read_to_end(&mut planes).map_err(|_| broken())?;
            if planes.len() != n_values * 8 {
                return Err(broken());
            }
            let value =
                |index: usize| f64::from_be_bytes(std::array::from_fn(|plane| planes[plane * n_values + index]));
            let values = (0..n_values).map(value).collect();
            outputs.push(Array2::from_shape_vec(shape, values).map_err(|_| broken())?);
        }
        Ok(Predictions { outputs })
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn bytes_read_back_bit_for_bit() {
        let predictions = Predictions { outputs: vec![array![[0.1, 1e-300], [f64::MAX, -0.0]], array![[3.5], [2.0]]] };
        assert_eq!(Predictions::from_bytes(&predictions.to_bytes().unwrap()).unwrap(), predictions);
    }

    #[test]
    fn bytes_cut_short_are_an_error() {
        let bytes = Predictions { outputs: vec![array![[0.1, 0.2], [0.3, 0.4]]] }.to_bytes().unwrap();
        for length in 0..bytes.len() - 1 {
            assert!(Predictions::from_bytes(&bytes[..length]).is_err(), "{length} bytes");
        }
    }

    #[test]
    fn rows_scored_twice_hold_the_mean_and_rows_never_scored_nan() {
        let (first, second) = ([array![[1.0], [2.0]]], [array![[4.0]]]);
        let joined = Predictions::out_of_fold(3, &[(&[0, 1], &first), (&[1], &second)]);
        assert_eq!(joined.outputs[0].column(0).to_vec()[..2], [1.0, 3.0]);
        assert!(joined.outputs[0][[2, 0]].is_nan());
    }
}
