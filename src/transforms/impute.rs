//! Gaps in numbers are filled with what the training rows hold most typically; where they had gaps themselves, a column says which rows were filled.
//!
//! A missing category needs no filling: the encoding treats it as a level of its own.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::dates::by_column::{ByColumn, check_cancelled, type_changed};
use crate::error::Result;
use crate::model::InputKind;
use crate::state::{from_state, to_state};
use crate::table::{Column, ColumnType, Table, Values};
use crate::target::Target;
use crate::transform::{FittedTransform, Transform, TransformContext};
use crate::{ParamChoice, Tunable};

/// Fills missing numbers.
#[derive(Tunable)]
pub struct Impute {
    /// What fills a missing number: the median, mean or most frequent value of the training rows.
    #[param(default = "median")]
    pub impute: Filling,
    /// Whether a column of its own says where a number was missing.
    #[param(default = true)]
    pub indicators: bool,
}

/// What a gap is filled with, as in scikit-learn's SimpleImputer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ParamChoice)]
pub enum Filling {
    Median,
    Mean,
    MostFrequent,
}

impl Transform for Impute {
    const INPUTS: &'static [InputKind] = &[InputKind::Dense, InputKind::Sparse];
    const ORDER: u32 = 30;
    const ABOUT: &'static str = "fills missing numbers and says where it did";
    const LEARNS: &'static str = "each number's median, mean or most frequent value, and which have gaps";

    fn concerns(column: &Column) -> bool {
        // A category's gaps are a level to its encoding.
        column.kind != ColumnType::Categorical && column.values.n_missing() > 0
    }

    fn fit(&self, train: &Table, _y: &Target, ctx: &TransformContext) -> Result<Box<dyn FittedTransform>> {
        let columns = ByColumn::fit(train, |column| {
            check_cancelled(ctx)?;
            let Values::Numeric(values) = &column.values else { return Ok(Plan::Keep) };
            let mut present: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
            if present.is_empty() {
                return Ok(Plan::Drop);
            }
            let indicator = self.indicators && present.len() < values.len();
            // Half of a truth value is none.
            let filling = if column.kind == ColumnType::Boolean { Filling::MostFrequent } else { self.impute };
            Ok(Plan::Fill { value: filling.of(&mut present), indicator })
        })?;
        Ok(Box::new(FittedImpute { columns }))
    }

    fn load(state: &serde_json::Value) -> Result<Box<dyn FittedTransform>> {
        Ok(Box::new(FittedImpute { columns: from_state(state)? }))
    }
}

impl Filling {
    /// `present`: at least one value, no NaN; sorted on return where the order was needed.
    fn of(self, present: &mut [f64]) -> f64 {
        match self {
            Filling::Mean => present.iter().sum::<f64>() / present.len() as f64,
            Filling::Median => {
                let middle = present.len() / 2;
                let (below, upper, _) = present.select_nth_unstable_by(middle, f64::total_cmp);
                let upper = *upper;
                match below.iter().copied().max_by(f64::total_cmp) {
                    Some(lower) if present.len().is_multiple_of(2) => lower + (upper - lower) / 2.0,
                    _ => upper,
                }
            }
            Filling::MostFrequent => {
                present.sort_unstable_by(f64::total_cmp);
                let mut runs = present.chunk_by(|a, b| a == b);
                let first = runs.next().unwrap_or_default();
                // Of values that are equally frequent the smallest, as in scikit-learn.
                runs.fold(first, |longest, run| if run.len() > longest.len() { run } else { longest })[0]
            }
        }
    }
}

#[derive(Serialize, Deserialize)]
enum Plan {
    /// Not a number.
    Keep,
    /// Nothing but gaps in the training rows: nothing to learn from.
    Drop,
    Fill {
        value: f64,
        indicator: bool,
    },
}

struct FittedImpute {
    columns: ByColumn<Plan>,
}

impl FittedTransform for FittedImpute {
    fn transform(&self, table: &Table) -> Result<Table> {
        self.columns.transform(table, |plan, column, out| {
            match (plan, &column.values) {
                (Plan::Keep, Values::Numeric(_)) => return Err(type_changed(column)),
                (Plan::Keep, _) => out.push(column.clone()),
                (Plan::Drop, _) => {}
                (Plan::Fill { value, indicator }, Values::Numeric(values)) => {
                    if values.iter().any(|value| value.is_nan()) {
                        let filled = values.iter().map(|&it| if it.is_nan() { *value } else { it }).collect();
                        let values = Values::Numeric(filled);
                        out.push(Arc::new(Column { name: column.name.clone(), kind: column.kind, values }));
                    } else {
                        out.push(column.clone());
                    }
                    if *indicator {
                        let missing = values.iter().map(|value| f64::from(value.is_nan())).collect();
                        let (name, values) = (format!("{}.missing", column.name), Values::Numeric(missing));
                        out.push(Arc::new(Column { name, kind: ColumnType::Boolean, values }));
                    }
                }
                (Plan::Fill { .. }, _) => return Err(type_changed(column)),
            }
            Ok(())
        })
    }

    fn save(&self) -> Option<serde_json::Value> {
        to_state(&self.columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(filling: Filling, values: &[f64], expected: f64) {
        assert_eq!(filling.of(&mut values.to_vec()), expected);
    }

    #[test]
    fn the_median_of_an_even_number_lies_between() {
        check(Filling::Median, &[4.0, 1.0, 3.0, 2.0], 2.5);
    }

    #[test]
    fn the_median_of_an_odd_number_is_one_of_them() {
        check(Filling::Median, &[9.0, 1.0, 3.0], 3.0);
    }

    #[test]
    fn the_smallest_of_the_most_frequent() {
        check(Filling::MostFrequent, &[7.0, 2.0, 7.0, 2.0, 5.0], 2.0);
    }

    #[test]
    fn the_mean_of_one() {
        check(Filling::Mean, &[7.0], 7.0);
    }
}
