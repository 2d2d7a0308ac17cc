//! Dates to their parts: year, month, day, weekday, day of the year, hour, days since 1970.
//!
//! Parts that are the same in all training rows are left out: the hour where dates have no time, the year where there is but one.

use std::sync::Arc;

use chrono::{DateTime, Datelike, Timelike};

// Declared here because every file of this folder is a transform, and this is the first of them.
pub(super) mod by_column;

use self::by_column::{ByColumn, type_changed};
use crate::Tunable;
use crate::error::Result;
use crate::model::InputKind;
use crate::state::{from_state, to_state};
use crate::table::{Column, Table, Values};
use crate::target::Target;
use crate::transform::{FittedTransform, Transform, TransformContext};

/// Dates to year, month, day, weekday, day of the year, hour and days since 1970.
#[derive(Tunable)]
pub struct Dates {}

impl Transform for Dates {
    const INPUTS: &'static [InputKind] = &[InputKind::Dense, InputKind::Columns, InputKind::Sparse];
    const ORDER: u32 = 10;
    const ABOUT: &'static str = "dates to year, month, day, weekday, day of the year, hour, days since 1970";
    const LEARNS: &'static str = "which of them vary";
    const ROWWISE: bool = true;

    fn concerns(column: &Column) -> bool {
        matches!(column.values, Values::Date(_))
    }

    fn fit(&self, train: &Table, _y: &Target, ctx: &TransformContext) -> Result<Box<dyn FittedTransform>> {
        let columns = ByColumn::fit(train, |column| {
            by_column::check_cancelled(ctx)?;
            Ok(match &column.values {
                Values::Date(seconds) => {
                    Some((0..PARTS.len()).filter(|&part| varies(seconds, PARTS[part].of)).collect())
                }
                _ => None,
            })
        })?;
        Ok(Box::new(FittedDates { columns }))
    }

    fn load(state: &serde_json::Value) -> Result<Box<dyn FittedTransform>> {
        Ok(Box::new(FittedDates { columns: from_state(state)? }))
    }
}

struct FittedDates {
    /// The parts kept of each date column, as positions in [`PARTS`]; none for a column that is no date.
    columns: ByColumn<Option<Vec<usize>>>,
}

impl FittedTransform for FittedDates {
    fn transform(&self, table: &Table) -> Result<Table> {
        self.columns.transform(table, |parts, column, out| {
            match (parts, &column.values) {
                (None, Values::Date(_)) => return Err(type_changed(column)),
                (None, _) => out.push(column.clone()),
                (Some(parts), Values::Date(seconds)) => {
                    for part in parts.iter().filter_map(|&part| PARTS.get(part)) {
                        let values = seconds.iter().map(|&seconds| (part.of)(seconds)).collect();
                        out.push(Arc::new(Column::numeric(format!("{}.{}", column.name, part.name), values)));
                    }
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

struct Part {
    name: &'static str,
    /// Of seconds since 1970-01-01T00:00:00; NaN of NaN, and of what no calendar holds.
    of: fn(f64) -> f64,
}

/// Saved models hold places in it: a further one comes last.
const PARTS: [Part; 7] = [
    Part { name: "year", of: |seconds| calendar(seconds, |date| f64::from(date.year())) },
    Part { name: "month", of: |seconds| calendar(seconds, |date| f64::from(date.month())) },
    Part { name: "day", of: |seconds| calendar(seconds, |date| f64::from(date.day())) },
    // Monday is 0, as in pandas.
    Part { name: "weekday", of: |seconds| calendar(seconds, |date| f64::from(date.weekday().num_days_from_monday())) },
    Part { name: "day_of_year", of: |seconds| calendar(seconds, |date| f64::from(date.ordinal())) },
    Part { name: "hour", of: |seconds| calendar(seconds, |date| f64::from(date.hour())) },
    Part { name: "days", of: |seconds| (seconds / 86_400.0).floor() },
];

fn calendar(seconds: f64, part: impl Fn(DateTime<chrono::Utc>) -> f64) -> f64 {
    // The cast saturates; what lies outside chrono's range has no date.
    let date = if seconds.is_nan() { None } else { DateTime::from_timestamp(seconds.floor() as i64, 0) };
    date.map_or(f64::NAN, part)
}

fn varies(seconds: &[f64], of: fn(f64) -> f64) -> bool {
    let mut parts = seconds.iter().map(|&seconds| of(seconds).to_bits());
    parts.next().is_some_and(|first| parts.any(|part| part != first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(seconds: f64, expected: [f64; 7]) {
        assert_eq!(PARTS.each_ref().map(|part| (part.of)(seconds)), expected);
    }

    // date -u -d '2024-02-29 13:45' '+%s %u %j': 1709214300 4 060.
    #[test]
    fn a_leap_day_in_the_afternoon() {
        check(1_709_214_300.0, [2024.0, 2.0, 29.0, 3.0, 60.0, 13.0, 19_782.0]);
    }

    // date -u -d '1969-12-31 23:59:59' '+%s %u %j': -1 3 365.
    #[test]
    fn a_second_before_the_epoch() {
        check(-1.0, [1969.0, 12.0, 31.0, 2.0, 365.0, 23.0, -1.0]);
    }

    #[test]
    fn a_missing_date_has_missing_parts() {
        assert!(PARTS.iter().all(|part| (part.of)(f64::NAN).is_nan()));
        assert!((PARTS[0].of)(1e300).is_nan());
    }
}
