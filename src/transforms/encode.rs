//! Categories to numbers: one column per frequent level, or the level's rank.
//!
//! Only codes that occur in the training rows are known: a level that exists elsewhere (other folds, the test set) is an unseen one like any other.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::dates::by_column::{ByColumn, check_cancelled, level_counts, type_changed};
use crate::error::Result;
use crate::model::InputKind;
use crate::state::{from_state, to_state};
use crate::table::{Column, ColumnType, MISSING, Table, Values};
use crate::target::Target;
use crate::transform::{FittedTransform, Transform, TransformContext};
use crate::{ParamChoice, Tunable};

/// Turns categories into numbers.
#[derive(Tunable)]
pub struct Encode {
    /// One column of 0 and 1 per level, or one column of the level's rank.
    #[param(default = "onehot")]
    pub encoding: Encoding,
    /// Levels seen in fewer training rows share one column.
    #[param(1..=100, log, default = 5, levels = [1, 5, 20], when = "encoding == onehot")]
    pub min_frequency: usize,
    /// Only so many levels, the most frequent ones, get a column of their own.
    #[param(2..=500, log, default = 50, levels = [10, 50, 200], when = "encoding == onehot")]
    pub max_levels: usize,
}

/// How a category becomes numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ParamChoice)]
pub enum Encoding {
    Onehot,
    Ordinal,
}

impl Transform for Encode {
    const INPUTS: &'static [InputKind] = &[InputKind::Dense, InputKind::Sparse];
    const ORDER: u32 = 40;
    const ABOUT: &'static str = "categories to one column per frequent level, or to ranks";
    const LEARNS: &'static str = "the levels of each category, and how frequent they are";

    fn concerns(column: &Column) -> bool {
        column.kind == ColumnType::Categorical
    }

    fn fit(&self, train: &Table, _y: &Target, ctx: &TransformContext) -> Result<Box<dyn FittedTransform>> {
        let columns = ByColumn::fit(train, |column| {
            check_cancelled(ctx)?;
            let Values::Categorical { levels, .. } = &column.values else { return Ok(Plan::Keep) };
            let counts = level_counts(column);
            Ok(match self.encoding {
                Encoding::Onehot => self.onehot(&counts, levels),
                Encoding::Ordinal => {
                    let seen = counts.keys().copied().filter(|&code| code != MISSING);
                    Plan::Ordinal { ranks: seen.enumerate().map(|(rank, code)| (code, rank)).collect() }
                }
            })
        })?;
        Ok(Box::new(FittedEncode { columns }))
    }

    fn load(state: &serde_json::Value) -> Result<Box<dyn FittedTransform>> {
        Ok(Box::new(FittedEncode { columns: from_state(state)? }))
    }
}

impl Encode {
    fn onehot(&self, counts: &BTreeMap<u32, usize>, levels: &[String]) -> Plan {
        let mut frequent: Vec<(usize, u32)> = counts
            .iter()
            .filter(|&(&code, &count)| code != MISSING && count >= self.min_frequency)
            .map(|(&code, &count)| (count, code))
            .collect();
        // The most frequent first; of equally frequent ones the first level.
        frequent.sort_unstable_by_key(|&(count, code)| (std::cmp::Reverse(count), code));
        frequent.truncate(self.max_levels);
        let mut kept: Vec<u32> = frequent.into_iter().map(|(_, code)| code).collect();
        kept.sort_unstable();
        let n_seen = counts.keys().filter(|&&code| code != MISSING).count();
        let missing = counts.contains_key(&MISSING);
        let other = kept.len() < n_seen;
        if kept.len() + usize::from(missing) + usize::from(other) < 2 {
            return Plan::Drop;
        }
        let mut names: Vec<String> =
            kept.iter().map(|&code| levels.get(code as usize).map_or("", String::as_str).to_string()).collect();
        let mut bucket = |is: bool, name: &str| {
            is.then(|| {
                names.push(name.to_string());
                names.len() - 1
            })
        };
        let missing = bucket(missing, "(missing)");
        let other = bucket(other, "(other)");
        let buckets = kept.into_iter().enumerate().map(|(bucket, code)| (code, bucket)).collect();
        Plan::Onehot { buckets, missing, other, names }
    }
}

#[derive(Serialize, Deserialize)]
enum Plan {
    /// Not a category.
    Keep,
    /// The same in all training rows: nothing to learn from.
    Drop,
    /// One column per name; a level in no bucket goes to `other`, or has 0 everywhere where the training rows had no other.
    Onehot { buckets: BTreeMap<u32, usize>, missing: Option<usize>, other: Option<usize>, names: Vec<String> },
    /// Ranks in the order of the levels; -1 is missing, one beyond the last rank is unseen.
    Ordinal { ranks: BTreeMap<u32, usize> },
}

struct FittedEncode {
    columns: ByColumn<Plan>,
}

impl FittedTransform for FittedEncode {
    fn transform(&self, table: &Table) -> Result<Table> {
        self.columns.transform(table, |plan, column, out| {
            match (plan, &column.values) {
                (Plan::Keep, Values::Categorical { .. }) => return Err(type_changed(column)),
                (Plan::Keep, _) => out.push(column.clone()),
                (Plan::Drop, _) => {}
                (Plan::Onehot { buckets, missing, other, names }, Values::Categorical { codes, .. }) => {
                    let mut columns = vec![vec![0.0; codes.len()]; names.len()];
                    for (row, &code) in codes.iter().enumerate() {
                        let bucket = if code == MISSING { *missing } else { buckets.get(&code).copied().or(*other) };
                        if let Some(bucket) = bucket {
                            columns[bucket][row] = 1.0;
                        }
                    }
                    for (name, values) in names.iter().zip(columns) {
                        let (name, values) = (format!("{}={name}", column.name), Values::Numeric(values));
                        out.push(Arc::new(Column { name, kind: ColumnType::Boolean, values }));
                    }
                }
                (Plan::Ordinal { ranks }, Values::Categorical { codes, .. }) => {
                    let rank = |code: &u32| match (*code, ranks.get(code)) {
                        (MISSING, _) => -1.0,
                        (_, Some(&rank)) => rank as f64,
                        (_, None) => ranks.len() as f64,
                    };
                    out.push(Arc::new(Column::numeric(&column.name, codes.iter().map(rank).collect())));
                }
                (Plan::Onehot { .. } | Plan::Ordinal { .. }, _) => return Err(type_changed(column)),
            }
            Ok(())
        })
    }

    fn save(&self) -> Option<serde_json::Value> {
        to_state(&self.columns)
    }
}
