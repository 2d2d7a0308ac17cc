//! Reads a set as `bench/generate.py` writes it.

use std::error::Error;
use std::fs;
use std::path::Path;

use medalist_boost::bins::MISSING_CATEGORY;
use medalist_boost::{Column, Objective};

pub struct Set {
    pub n_rows: usize,
    pub n_features: usize,
    pub n_train: usize,
    pub objective: Objective,
    values: Vec<f32>,
    /// By feature; empty for numbers.
    codes: Vec<Vec<u32>>,
    pub labels: Vec<f64>,
    pub weights: Option<Vec<f64>>,
}

impl Set {
    pub fn read(folder: &str, name: &str) -> Result<Set, Box<dyn Error>> {
        let path = |end: &str| format!("{folder}/{name}.{end}");
        let meta = fs::read_to_string(path("meta"))?;
        let meta: Vec<usize> = meta.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
        let [n_rows, n_features, n_train] = meta[..] else { return Err("the meta file holds three numbers".into()) };
        let about: serde_json::Value = match Path::new(&path("json")).exists() {
            true => serde_json::from_str(&fs::read_to_string(path("json"))?)?,
            false => serde_json::Value::Null,
        };
        let objective = match about["objective"].as_str() {
            Some("squared") => Objective::Squared,
            Some("softmax") => {
                Objective::Softmax { n_classes: about["n_classes"].as_u64().ok_or("n_classes is missing")? as usize }
            }
            _ => Objective::Logistic,
        };
        let values = floats(&path("X"))?;
        if values.len() != n_rows * n_features {
            return Err(format!("{} does not hold {n_rows} rows of {n_features}", path("X")).into());
        }
        let mut codes = vec![Vec::new(); n_features];
        for column in about["categorical"].as_array().into_iter().flatten() {
            let column = column.as_u64().ok_or("a categorical column is no number")? as usize;
            let code = |&value: &f32| if value.is_nan() { MISSING_CATEGORY } else { value as u32 };
            codes[column] = values[column..].iter().step_by(n_features).map(code).collect();
        }
        let wide = |values: Vec<f32>| values.into_iter().map(f64::from).collect::<Vec<f64>>();
        let labels = wide(floats(&path("y"))?);
        let weights = if Path::new(&path("w")).exists() { Some(wide(floats(&path("w"))?)) } else { None };
        if labels.len() != n_rows || weights.as_ref().is_some_and(|weights| weights.len() != n_rows) {
            return Err(format!("labels and weights must have {n_rows} rows").into());
        }
        Ok(Set { n_rows, n_features, n_train, objective, values, codes, labels, weights })
    }

    /// The columns of the first rows.
    pub fn columns(&self, n_rows: usize) -> Vec<Column<'_>> {
        let mut columns = Column::of_rows(&self.values[..n_rows * self.n_features], self.n_features);
        for (column, codes) in columns.iter_mut().zip(&self.codes) {
            if !codes.is_empty() {
                *column = Column::Categories(&codes[..n_rows]);
            }
        }
        columns
    }

    /// Training rows and the others.
    pub fn parts(&self) -> (Vec<u32>, Vec<u32>) {
        ((0..self.n_train as u32).collect(), (self.n_train as u32..self.n_rows as u32).collect())
    }
}

fn floats(path: &str) -> Result<Vec<f32>, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    let (chunks, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return Err(format!("{path} is not made of 4-byte numbers").into());
    }
    Ok(chunks.iter().map(|chunk| f32::from_le_bytes(*chunk)).collect())
}
