//! What a metric loses when a feature no longer tells anything: Breiman's (2001) permutation importance.

use rand::RngExt;

use crate::bins::Column;
use crate::error::{Error, Result};
use crate::model::Model;
use crate::model::flat::used_features;
use crate::sample::Draw;

/// A column's values, in another order.
enum Values {
    F64(Vec<f64>),
    F32(Vec<f32>),
    Categories(Vec<u32>),
}

impl Values {
    fn of(column: &Column, order: &[usize]) -> Values {
        let rows = order.iter().copied();
        match *column {
            Column::F64(values) => Values::F64(rows.map(|row| values[row]).collect()),
            Column::F32(values) => Values::F32(rows.map(|row| values[row]).collect()),
            Column::Strided { values, start, stride } => {
                Values::F32(rows.map(|row| values[row * stride + start]).collect())
            }
            Column::Categories(codes) => Values::Categories(rows.map(|row| codes[row]).collect()),
        }
    }

    fn view(&self) -> Column<'_> {
        match self {
            Values::F64(values) => Column::F64(values),
            Values::F32(values) => Column::F32(values),
            Values::Categories(codes) => Column::Categories(codes),
        }
    }
}

impl Model {
    /// By how much a metric rises, on average over `n_repeats` (1 or more), when one feature's values are shuffled among the rows: (n_features,). Above 0 for what a loss needs, below 0 for what a score needs; 0 for a feature that no tree uses.
    ///
    /// `metric` is called with (predictions, labels): predictions (n_rows, n_scores) row-major as [`Model::predict`]'s, labels as given. Rows keep their order, so that a closure may bring its own weights. Labels are one or more a row; each feature's shuffles are its own, by `seed`.
    ///
    /// # Errors
    /// Those of [`Model::raw`]; when there is no row, labels are not a multiple of the rows, or `n_repeats` is 0.
    pub fn permutation_importance(
        &self,
        columns: &[Column],
        labels: &[f64],
        mut metric: impl FnMut(&[f64], &[f64]) -> f64,
        n_repeats: usize,
        seed: u64,
    ) -> Result<Vec<f64>> {
        let n_rows = self.check_columns(columns)?;
        if n_repeats == 0 {
            return Err(Error::parameter("n_repeats", 0, "1 or more"));
        }
        if n_rows == 0 || labels.is_empty() || !labels.len().is_multiple_of(n_rows) {
            return Err(Error::shape(format!("there are {} labels for {n_rows} rows", labels.len())));
        }
        let whole = metric(&self.predict(columns, None)?, labels);
        let mut importance = vec![0.0; self.n_features];
        for feature in used_features(&self.trees, self.n_features) {
            let mut sum = 0.0;
            for repeat in 0..n_repeats {
                let mut rng = Draw::new(seed, repeat, feature).stream(b"shuffle\0");
                let mut order: Vec<usize> = (0..n_rows).collect();
                for last in (1..n_rows).rev() {
                    order.swap(last, rng.random_range(0..=last));
                }
                let values = Values::of(&columns[feature], &order);
                let mut columns = columns.to_vec();
                columns[feature] = values.view();
                sum += metric(&self.predict(&columns, None)?, labels) - whole;
            }
            importance[feature] = sum / n_repeats as f64;
        }
        Ok(importance)
    }
}
