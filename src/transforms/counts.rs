//! How frequent a row's level is, as a number beside the category.
//!
//! A share of the training rows rather than a count of them: a model fitted on all rows meets the same numbers as one fitted on a fold.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dates::by_column::{ByColumn, check_cancelled, level_counts, type_changed};
use crate::Tunable;
use crate::error::Result;
use crate::model::InputKind;
use crate::state::{from_state, to_state};
use crate::table::{Column, MISSING, Table, Values};
use crate::target::Target;
use crate::transform::{FittedTransform, Transform, TransformContext};

/// Adds how frequent levels are.
#[derive(Tunable)]
pub struct Counts {
    /// Whether each category gets a column of the share of training rows that have the row's level.
    #[param(default = false)]
    pub level_shares: bool,
}

/// Levels below which a category's shares say no more than the levels.
const LEAST_LEVELS: usize = 4;

impl Transform for Counts {
    const INPUTS: &'static [InputKind] = &[InputKind::Dense, InputKind::Sparse];
    const ORDER: u32 = 36;
    const ABOUT: &'static str = "how frequent a row's level is, for categories of at least 4 levels";
    const LEARNS: &'static str = "the share of rows that have each level; 0 for a level not seen";

    fn concerns(column: &Column) -> bool {
        level_counts(column).keys().filter(|&&code| code != MISSING).count() >= LEAST_LEVELS
    }

    fn is_off(&self) -> bool {
        !self.level_shares
    }

    fn fit(&self, train: &Table, _y: &Target, ctx: &TransformContext) -> Result<Box<dyn FittedTransform>> {
        let columns = ByColumn::fit(train, |column| {
            check_cancelled(ctx)?;
            Ok(if self.level_shares { shares(column) } else { None })
        })?;
        Ok(Box::new(FittedCounts { columns }))
    }

    fn load(state: &serde_json::Value) -> Result<Box<dyn FittedTransform>> {
        Ok(Box::new(FittedCounts { columns: from_state(state)? }))
    }
}

/// By code, gaps as a level of their own; none where there are few levels, or all are equally frequent.
fn shares(column: &Column) -> Option<BTreeMap<u32, f64>> {
    let counts = level_counts(column);
    let n_levels = counts.keys().filter(|&&code| code != MISSING).count();
    let first = counts.values().next();
    if n_levels < LEAST_LEVELS || counts.values().all(|count| Some(count) == first) {
        return None;
    }
    let n_rows = column.values.len() as f64;
    Some(counts.into_iter().map(|(code, count)| (code, count as f64 / n_rows)).collect())
}

struct FittedCounts {
    columns: ByColumn<Option<BTreeMap<u32, f64>>>,
}

impl FittedTransform for FittedCounts {
    fn transform(&self, table: &Table) -> Result<Table> {
        self.columns.transform(table, |shares, column, out| {
            out.push(column.clone());
            match (shares, &column.values) {
                (None, _) => {}
                (Some(shares), Values::Categorical { codes, .. }) => {
                    let values = codes.iter().map(|code| shares.get(code).copied().unwrap_or(0.0)).collect();
                    out.push(Arc::new(Column::numeric(format!("{}.share", column.name), values)));
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
    use crate::table::ColumnType;

    fn of(codes: &[u32]) -> Option<BTreeMap<u32, f64>> {
        let values = Values::Categorical { codes: codes.to_vec(), levels: Arc::default() };
        shares(&Column { name: "x".to_string(), kind: ColumnType::Categorical, values })
    }

    #[test]
    fn shares_are_of_all_rows_and_gaps_have_one() {
        let shares = of(&[0, 1, 2, 3, 3, 3, MISSING, MISSING]).unwrap();
        assert_eq!(shares, BTreeMap::from([(0, 0.125), (1, 0.125), (2, 0.125), (3, 0.375), (MISSING, 0.25)]));
    }

    #[test]
    fn few_levels_and_equal_shares_say_nothing() {
        assert_eq!(of(&[0, 1, 2, 2]), None);
        assert_eq!(of(&[0, 1, 2, 3]), None);
    }
}
