//! Predictions as the store keeps them: rows by outputs per target, in byte planes.
//!
//! Doubles of similar size share their leading bytes, so all first bytes stand together, then all second bytes. A plane with few different bytes is deflated; one of noise is stored as it is, which costs nothing.

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
        let (mut regular, mut noise) = (DeflateEncoder::new(Vec::new(), Compression::fast()), Vec::new());
        for output in &self.outputs {
            let values: Vec<[u8; 8]> = output.iter().map(|value| value.to_be_bytes()).collect();
            let mut deflated = 0u8;
            for place in 0..8 {
                let plane: Vec<u8> = values.iter().map(|bytes| bytes[place]).collect();
                if is_regular(&plane) {
                    deflated |= 1 << place;
                    regular.write_all(&plane).map_err(|error| Error::unexpected(error.to_string()))?;
                } else {
                    noise.extend(plane);
                }
            }
            bytes.push(deflated);
        }
        let regular = regular.finish().map_err(|error| Error::unexpected(error.to_string()))?;
        bytes.extend((regular.len() as u64).to_le_bytes());
        bytes.extend(regular);
        bytes.extend(noise);
        Ok(bytes)
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
        let (deflated, rest) = rest.split_at_checked(shapes.len()).ok_or_else(broken)?;
        let (length, rest) = rest.split_at_checked(8).ok_or_else(broken)?;
        let length = u64::from_le_bytes(length.try_into().map_err(|_| broken())?) as usize;
        let (regular, mut noise) = rest.split_at_checked(length).ok_or_else(broken)?;
        let mut regular = DeflateDecoder::new(regular);
        let mut outputs = Vec::new();
        for (shape, deflated) in shapes.into_iter().zip(deflated) {
            let n_values = shape.0 * shape.1;
            let mut planes = Vec::new();
            for place in 0..8 {
                if deflated & 1 << place != 0 {
                    (&mut regular).take(n_values as u64).read_to_end(&mut planes).map_err(|_| broken())?;
                } else {
                    let (plane, after) = noise.split_at_checked(n_values).ok_or_else(broken)?;
                    planes.extend_from_slice(plane);
                    noise = after;
                }
                if planes.len() != n_values * (place + 1) {
                    return Err(broken());
                }
            }
            let value =
                |index: usize| f64::from_be_bytes(std::array::from_fn(|plane| planes[plane * n_values + index]));
            let values = (0..n_values).map(value).collect();
            outputs.push(Array2::from_shape_vec(shape, values).map_err(|_| broken())?);
        }
        Ok(Predictions { outputs })
    }
}

/// Different bytes of a plane that is worth deflating, at most.
const MAX_REGULAR: usize = 64;

fn is_regular(plane: &[u8]) -> bool {
    let mut seen = [false; 256];
    plane.iter().for_each(|&byte| seen[byte as usize] = true);
    seen.iter().filter(|seen| **seen).count() <= MAX_REGULAR
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
    fn noise_is_kept_beside_what_is_deflated() {
        let values =
            Array2::from_shape_fn((400, 2), |(row, column)| ((row * 7919 + column) as f64 * 0.618_033_988_75).fract());
        let predictions = Predictions { outputs: vec![values] };
        let bytes = predictions.to_bytes().unwrap();
        assert!(bytes.len() < 400 * 2 * 8, "{}", bytes.len());
        assert_eq!(Predictions::from_bytes(&bytes).unwrap(), predictions);
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
