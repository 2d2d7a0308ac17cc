//! Rare levels of a category become one, "(other)", before anything is made of them.
//!
//! What is rare is counted in the training rows. A level that they do not hold is rare too, where any is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::dates::by_column::{ByColumn, check_cancelled, level_counts, type_changed};
use crate::Tunable;
use crate::error::Result;
use crate::model::InputKind;
use crate::state::{from_state, to_state};
use crate::table::{Column, MISSING, Table, Values};
use crate::target::Target;
use crate::transform::{FittedTransform, Transform, TransformContext};

/// Puts rare levels together.
#[derive(Tunable)]
pub struct Rare {
    /// Levels seen in fewer training rows become one, whatever the encoding; 1 is off.
    #[param(choices = [1, 3, 10, 30], ordered, default = 1)]
    pub min_count: usize,
}

/// The largest of the choices of `min_count`.
const MOST: usize = 30;

impl Transform for Rare {
    const INPUTS: &'static [InputKind] = &[InputKind::Dense, InputKind::Sparse];
    const ORDER: u32 = 34;
    const ABOUT: &'static str = "rare levels of categories to one";
    const LEARNS: &'static str = "which levels of each category are in at least `min_count` rows";

    fn concerns(column: &Column) -> bool {
        let counts = level_counts(column);
        counts.iter().filter(|&(&code, &count)| code != MISSING && count < MOST).count() >= 2
    }

    fn is_off(&self) -> bool {
        self.min_count == 1
    }

    fn fit(&self, train: &Table, _y: &Target, ctx: &TransformContext) -> Result<Box<dyn FittedTransform>> {
        let columns = ByColumn::fit(train, |column| {
            check_cancelled(ctx)?;
            Ok(self.plan(&level_counts(column)))
        })?;
        Ok(Box::new(FittedRare { columns }))
    }

    fn load(state: &serde_json::Value) -> Result<Box<dyn FittedTransform>> {
        Ok(Box::new(FittedRare { columns: from_state(state)? }))
    }
}

impl Rare {
    /// None where at most one level is rare: nothing to put together.
    fn plan(&self, counts: &BTreeMap<u32, usize>) -> Option<Plan> {
        let levels = || counts.iter().filter(|&(&code, _)| code != MISSING);
        let rare: Vec<u32> = levels().filter(|&(_, &count)| count < self.min_count).map(|(&code, _)| code).collect();
        let kept = levels().filter(|&(_, &count)| count >= self.min_count).map(|(&code, _)| code).collect();
        // The place of the first of them, so that it depends on no level that the rows do not hold.
        (rare.len() >= 2).then(|| Plan { kept, other: rare[0] })
    }
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Plan {
    kept: BTreeSet<u32>,
    /// The code of all the others.
    other: u32,
}

struct FittedRare {
    columns: ByColumn<Option<Plan>>,
}

impl FittedTransform for FittedRare {
    fn transform(&self, table: &Table) -> Result<Table> {
        self.columns.transform(table, |plan, column, out| {
            match (plan, &column.values) {
                (None, _) => out.push(column.clone()),
                (Some(Plan { kept, other }), Values::Categorical { codes, levels }) => {
                    let code = |&code: &u32| if code == MISSING || kept.contains(&code) { code } else { *other };
                    let codes = codes.iter().map(code).collect();
                    let mut levels = levels.as_ref().clone();
                    if let Some(name) = levels.get_mut(*other as usize) {
                        *name = "(other)".to_string();
                    }
                    let values = Values::Categorical { codes, levels: Arc::new(levels) };
                    out.push(Arc::new(Column { name: column.name.clone(), kind: column.kind, values }));
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
    fn check(min_count: usize, counts: &[(u32, usize)], expected: Option<(&[u32], u32)>) {
        let expected = expected.map(|(kept, other)| Plan { kept: kept.iter().copied().collect(), other });
        assert_eq!(Rare { min_count }.plan(&counts.iter().copied().collect()), expected);
    }

    #[test]
    fn levels_below_the_count_become_the_first_of_them() {
        check(3, &[(0, 9), (2, 1), (5, 3), (7, 2)], Some((&[0, 5], 2)));
    }

    #[test]
    fn one_rare_level_stays() {
        check(3, &[(0, 9), (2, 1), (5, 3)], None);
    }

    #[test]
    fn gaps_are_no_level() {
        check(3, &[(0, 9), (2, 1), (MISSING, 1)], None);
    }
}
