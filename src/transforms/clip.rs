//! Outliers drawn in to quantiles of the training rows (winsorising).
//!
//! A column of which that would leave one value, such as a count that is nearly always 0, stays as it is.

use std::sync::Arc;

use super::dates::by_column::{ByColumn, check_cancelled, quantile, type_changed};
use crate::Tunable;
use crate::error::Result;
use crate::model::InputKind;
use crate::state::{from_state, to_state};
use crate::table::{Column, ColumnType, Table, Values};
use crate::target::Target;
use crate::transform::{FittedTransform, Transform, TransformContext};

/// Draws outliers in.
#[derive(Tunable)]
pub struct Clip {
    /// Share of the training rows at either end of a numeric column that are drawn in to the quantile there; 0 is off.
    #[param(choices = [0.0, 0.001, 0.01, 0.05], ordered, default = 0.0)]
    pub clip: f64,
}

impl Transform for Clip {
    const INPUTS: &'static [InputKind] = &[InputKind::Dense, InputKind::Sparse];
    const ORDER: u32 = 24;
    const ABOUT: &'static str = "outliers of numeric columns drawn in to quantiles";
    const LEARNS: &'static str = "two quantiles of each numeric column";

    fn concerns(column: &Column) -> bool {
        // Dates and texts have become numbers when it is their turn.
        matches!(column.kind, ColumnType::Numeric | ColumnType::Date | ColumnType::Text)
    }

    fn is_off(&self) -> bool {
        self.clip == 0.0
    }

    fn fit(&self, train: &Table, _y: &Target, ctx: &TransformContext) -> Result<Box<dyn FittedTransform>> {
        let columns = ByColumn::fit(train, |column| {
            check_cancelled(ctx)?;
            Ok(match &column.values {
                Values::Numeric(values) if column.kind == ColumnType::Numeric => self.bounds(values),
                _ => None,
            })
        })?;
        Ok(Box::new(FittedClip { columns }))
    }

    fn load(state: &serde_json::Value) -> Result<Box<dyn FittedTransform>> {
        Ok(Box::new(FittedClip { columns: from_state(state)? }))
    }
}

impl Clip {
    /// The lowest and the highest value that stay; none where nothing would vary between them.
    fn bounds(&self, values: &[f64]) -> Option<(f64, f64)> {
        let mut present: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        if self.clip == 0.0 || present.is_empty() {
            return None;
        }
        present.sort_unstable_by(f64::total_cmp);
        let (low, high) = (quantile(&present, self.clip), quantile(&present, 1.0 - self.clip));
        (low < high).then_some((low, high))
    }
}

struct FittedClip {
    columns: ByColumn<Option<(f64, f64)>>,
}

impl FittedTransform for FittedClip {
    fn transform(&self, table: &Table) -> Result<Table> {
        self.columns.transform(table, |bounds, column, out| {
            match (bounds, &column.values) {
                (None, _) => out.push(column.clone()),
                (Some((low, high)), Values::Numeric(values)) => {
                    // A gap stays one.
                    let clipped = values.iter().map(|value| value.clamp(*low, *high)).collect();
                    out.push(Arc::new(Column::numeric(&column.name, clipped)));
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
    fn check(clip: f64, values: &[f64], expected: Option<(f64, f64)>) {
        assert_eq!(Clip { clip }.bounds(values), expected);
    }

    // numpy.quantile([1, 2, .., 100, 1000], [0.05, 0.95]), numpy 2.
    #[test]
    fn bounds_are_quantiles_of_what_is_there() {
        let values: Vec<f64> = (1..=100).map(f64::from).chain([1000.0, f64::NAN]).collect();
        check(0.05, &values, Some((6.0, 96.0)));
    }

    #[test]
    fn a_rare_one_among_zeros_stays() {
        let mut values = vec![0.0; 200];
        values[7] = 1.0;
        check(0.01, &values, None);
    }

    #[test]
    fn nothing_but_gaps_has_no_bounds() {
        check(0.01, &[f64::NAN; 3], None);
    }
}
