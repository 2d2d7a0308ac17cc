//! What fitted models and transforms are saved as: JSON values, numbers with all their bits.

use ndarray::Array2;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::{Error, Result};

/// What was learned as a value; numbers that are not finite do not survive it.
pub fn to_state<T: Serialize>(learned: &T) -> Option<Value> {
    serde_json::to_value(learned).ok()
}

/// # Errors
/// When the value is not of this type: it was saved by another version, or is damaged.
pub fn from_state<T: DeserializeOwned>(state: &Value) -> Result<T> {
    T::deserialize(state).map_err(|error| Error::model(format!("what was saved cannot be read: {error}")))
}

/// A matrix as it is saved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Matrix {
    n_columns: usize,
    /// Row by row.
    values: Vec<f64>,
    n_rows: usize,
}

impl From<&Array2<f64>> for Matrix {
    fn from(array: &Array2<f64>) -> Matrix {
        Matrix { n_columns: array.ncols(), values: array.iter().copied().collect(), n_rows: array.nrows() }
    }
}

impl Matrix {
    /// # Errors
    /// When there are more or fewer values than its shape has.
    pub fn into_array(self) -> Result<Array2<f64>> {
        let array = Array2::from_shape_vec((self.n_rows, self.n_columns), self.values);
        array.map_err(|error| Error::model(format!("a saved matrix is damaged: {error}")))
    }
}

/// A field that is a matrix: `#[serde(with = "matrix")]`.
pub mod matrix {
    use ndarray::Array2;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::Matrix;

    pub fn serialize<S: Serializer>(array: &Array2<f64>, serializer: S) -> Result<S::Ok, S::Error> {
        Matrix::from(array).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Array2<f64>, D::Error> {
        Matrix::deserialize(deserializer)?.into_array().map_err(D::Error::custom)
    }
}
