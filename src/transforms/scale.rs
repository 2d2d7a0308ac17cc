//! Numbers to comparable scales, by what the training rows hold; a constant column becomes 0.
//!
//! Truth values (given ones, indicators, one-hot columns) stay 0 and 1.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::dates::by_column::{ByColumn, check_cancelled, quantile, type_changed};
use crate::error::Result;
use crate::model::InputKind;
use crate::state::{from_state, to_state};
use crate::table::{Column, ColumnType, Table, Values};
use crate::target::Target;
use crate::transform::{FittedTransform, Transform, TransformContext};
use crate::{ParamChoice, Tunable};

/// Brings numbers to comparable scales.
#[derive(Tunable)]
pub struct Scale {
    /// Mean 0 and variance 1; range 0 to 1; median 0 and quartiles 1 apart; or as they are.
    #[param(default = "standard")]
    pub scale: Scaling,
}

/// scikit-learn's StandardScaler, MinMaxScaler and RobustScaler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ParamChoice)]
pub enum Scaling {
    Standard,
    Minmax,
    Robust,
    None,
}

impl Transform for Scale {
    const INPUTS: &'static [InputKind] = &[InputKind::Dense, InputKind::Sparse];
    const ORDER: u32 = 50;
    const ABOUT: &'static str = "numbers to comparable scales";
    const LEARNS: &'static str = "each numeric column's mean and deviation, range, or median and quartiles";

    fn concerns(column: &Column) -> bool {
        column.kind != ColumnType::Boolean
    }

    fn fit(&self, train: &Table, _y: &Target, ctx: &TransformContext) -> Result<Box<dyn FittedTransform>> {
        let columns = ByColumn::fit(train, |column| {
            check_cancelled(ctx)?;
            Ok(match &column.values {
                Values::Numeric(values) if column.kind == ColumnType::Numeric => self.scale.of(values),
                _ => None,
            })
        })?;
        Ok(Box::new(FittedScale { columns }))
    }

    fn load(state: &serde_json::Value) -> Result<Box<dyn FittedTransform>> {
        Ok(Box::new(FittedScale { columns: from_state(state)? }))
    }
}

/// `(value - centre) / unit`.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Linear {
    centre: f64,
    unit: f64,
}

impl Scaling {
    fn of(self, values: &[f64]) -> Option<Linear> {
        let mut present: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        if present.is_empty() {
            return None;
        }
        let linear = match self {
            Scaling::None => return None,
            Scaling::Standard => standard(&present),
            Scaling::Minmax => {
                let low = present.iter().copied().fold(f64::INFINITY, f64::min);
                let high = present.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                Linear { centre: low, unit: high - low }
            }
            Scaling::Robust => {
                present.sort_unstable_by(f64::total_cmp);
                let unit = quantile(&present, 0.75) - quantile(&present, 0.25);
                // Where more than half of the rows hold one value the quartiles say nothing of the others.
                let unit = if unit > 0.0 { unit } else { standard(&present).unit };
                Linear { centre: quantile(&present, 0.5), unit }
            }
        };
        // Below this a spread is rounding: such a column counts as constant, and is only centred.
        let constant = linear.unit.abs() <= 10.0 * f64::EPSILON * linear.centre.abs();
        Some(Linear { unit: if constant { 1.0 } else { linear.unit }, ..linear })
    }
}

fn standard(values: &[f64]) -> Linear {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n;
    Linear { centre: mean, unit: variance.sqrt() }
}

struct FittedScale {
    columns: ByColumn<Option<Linear>>,
}

impl FittedTransform for FittedScale {
    fn transform(&self, table: &Table) -> Result<Table> {
        self.columns.transform(table, |linear, column, out| {
            match (linear, &column.values) {
                (None, _) => out.push(column.clone()),
                (Some(Linear { centre, unit }), Values::Numeric(values)) => {
                    let scaled = values.iter().map(|value| (value - centre) / unit).collect();
                    out.push(Arc::new(Column::numeric(&column.name, scaled)));
                }
                (Some(_), _) => return Err(type_changed(column)),
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
    fn check(scaling: Scaling, values: &[f64], centre: f64, unit: f64) {
        assert_eq!(scaling.of(values), Some(Linear { centre, unit }));
    }

    // sklearn.preprocessing, scikit-learn 1.9: StandardScaler().fit([[1], [2], [3], [6]]).mean_, .scale_ and the like.
    #[test]
    fn standard_is_mean_and_population_deviation() {
        check(Scaling::Standard, &[1.0, 2.0, 3.0, 6.0], 3.0, 3.5_f64.sqrt());
    }

    #[test]
    fn minmax_is_least_and_range() {
        check(Scaling::Minmax, &[1.0, 2.0, 3.0, 6.0], 1.0, 5.0);
    }

    #[test]
    fn robust_is_median_and_quartile_distance() {
        check(Scaling::Robust, &[1.0, 2.0, 3.0, 6.0], 2.5, 2.0);
    }

    #[test]
    fn a_constant_column_is_only_centred() {
        // The mean of three times 0.1 is not quite 0.1.
        check(Scaling::Standard, &[0.1, 0.1, 0.1], (0.1_f64 + 0.1 + 0.1) / 3.0, 1.0);
    }

    #[test]
    fn mostly_one_value_is_not_divided_by_nothing() {
        check(Scaling::Robust, &[0.0, 0.0, 0.0, 0.0, 10.0], 0.0, 4.0);
    }
}
