//! Skewed numbers to their logarithms, or to the normal scores of their ranks.
//!
//! Which columns are skewed, and what rank a value has, are learned from the training rows. A logarithm helps against a long upper tail alone: columns that are skewed the other way stay as they are.

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

/// Takes the skew out of numeric columns.
#[derive(Tunable)]
pub struct Unskew {
    /// What becomes of a skewed numeric column: its logarithm (`sign(x) ln(1 + |x|)`), its rank as a normal score, or nothing.
    #[param(default = "none")]
    pub unskew: Unskewing,
    /// From which skewness on a column counts as skewed.
    #[param(choices = [0.5, 1.0, 2.0], ordered, default = 1.0, when = "unskew in [log, rank]")]
    pub min_skewness: f64,
}

/// How a skewed column is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ParamChoice)]
pub enum Unskewing {
    None,
    Log,
    Rank,
}

/// The least of the choices of `min_skewness`.
const LEAST_SKEWNESS: f64 = 0.5;
/// Points of a column's distribution that are kept.
const MOST_POINTS: usize = 1000;

impl Transform for Unskew {
    const INPUTS: &'static [InputKind] = &[InputKind::Dense, InputKind::Sparse];
    const ORDER: u32 = 26;
    const ABOUT: &'static str = "skewed numeric columns to logarithms or to normal scores of their ranks";
    const LEARNS: &'static str = "each numeric column's skewness, and for ranks up to 1000 points of its distribution";

    fn concerns(column: &Column) -> bool {
        match &column.values {
            Values::Numeric(values) => column.kind == ColumnType::Numeric && skewness(values).abs() >= LEAST_SKEWNESS,
            // Counts of letters and words.
            Values::Text(_) => true,
            // Of the parts of a date none is skewed enough to care.
            Values::Date(_) | Values::Categorical { .. } | Values::Sparse { .. } => false,
        }
    }

    fn is_off(&self) -> bool {
        self.unskew == Unskewing::None
    }

    fn fit(&self, train: &Table, _y: &Target, ctx: &TransformContext) -> Result<Box<dyn FittedTransform>> {
        let columns = ByColumn::fit(train, |column| {
            check_cancelled(ctx)?;
            Ok(match &column.values {
                Values::Numeric(values) if column.kind == ColumnType::Numeric => self.plan(values),
                _ => Plan::Keep,
            })
        })?;
        Ok(Box::new(FittedUnskew { columns }))
    }

    fn load(state: &serde_json::Value) -> Result<Box<dyn FittedTransform>> {
        Ok(Box::new(FittedUnskew { columns: from_state(state)? }))
    }
}

impl Unskew {
    fn plan(&self, values: &[f64]) -> Plan {
        let skewness = skewness(values);
        match self.unskew {
            Unskewing::Log if skewness >= self.min_skewness => Plan::Log,
            Unskewing::Rank if skewness.abs() >= self.min_skewness => Plan::Rank(Scores::of(values)),
            _ => Plan::Keep,
        }
    }
}

/// Third central moment over the 1.5th power of the second, gaps left out; 0 where there is no spread.
fn skewness(values: &[f64]) -> f64 {
    let present = || values.iter().filter(|value| !value.is_nan());
    let n = present().count() as f64;
    let mean = present().sum::<f64>() / n;
    let (mut second, mut third) = (0.0, 0.0);
    for value in present() {
        let off = value - mean;
        second += off * off;
        third += off * off * off;
    }
    let skewness = (third / n) / (second / n).powf(1.5);
    if skewness.is_finite() { skewness } else { 0.0 }
}

#[derive(Serialize, Deserialize)]
enum Plan {
    Keep,
    Log,
    Rank(Scores),
}

/// A column's distribution as points with their normal scores.
#[derive(Serialize, Deserialize)]
struct Scores {
    /// Ascending, all different.
    values: Vec<f64>,
    scores: Vec<f64>,
}

impl Scores {
    /// Equal values share the middle of their ranks. At least one of `values` is no gap.
    fn of(values: &[f64]) -> Scores {
        let mut present: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        present.sort_unstable_by(f64::total_cmp);
        let n = present.len() as f64;
        let mut points = Vec::new();
        let mut before = 0.0;
        for equal in present.chunk_by(|a, b| a == b) {
            let half = equal.len() as f64 / 2.0;
            points.push((equal[0], normal_quantile((before + half) / n)));
            before += equal.len() as f64;
        }
        if points.len() > MOST_POINTS {
            let last = points.len() - 1;
            points = (0..MOST_POINTS).map(|point| points[point * last / (MOST_POINTS - 1)]).collect();
        }
        let (values, scores) = points.into_iter().unzip();
        Scores { values, scores }
    }

    /// Between two points linear, beyond the ends that of the end; NaN of a gap.
    fn score(&self, value: f64) -> f64 {
        if value.is_nan() {
            return f64::NAN;
        }
        let above = self.values.partition_point(|point| *point <= value);
        let Some(below) = above.checked_sub(1) else { return self.scores[0] };
        let (Some(upper), start) = (self.values.get(above), self.values[below]) else { return self.scores[below] };
        let share = (value - start) / (upper - start);
        self.scores[below] + share * (self.scores[above] - self.scores[below])
    }
}

/// The number that a standard normal one stays below with probability `p`, within 1e-11 of neither 0 nor 1: a rank among less than 2^32 rows is farther.
///
/// Wichura, *Algorithm AS 241*, Applied Statistics 37, 1988 (PPND16).
fn normal_quantile(p: f64) -> f64 {
    let off = p - 0.5;
    if off.abs() <= 0.425 {
        let r = 0.180625 - off * off;
        return off * polynomial(&CENTRE.0, r) / polynomial(&CENTRE.1, r);
    }
    let tail = (-p.min(1.0 - p).ln()).sqrt() - 1.6;
    (polynomial(&TAIL.0, tail) / polynomial(&TAIL.1, tail)).copysign(off)
}

/// Coefficients from the constant on.
fn polynomial(coefficients: &[f64; 8], x: f64) -> f64 {
    coefficients.iter().rev().fold(0.0, |value, coefficient| value * x + coefficient)
}

const CENTRE: ([f64; 8], [f64; 8]) = (
    [
        3.387_132_872_796_366_6,
        133.141_667_891_784_38,
        1_971.590_950_306_551_3,
        13_731.693_765_509_46,
        45_921.953_931_549_87,
        67_265.770_927_008_7,
        33_430.575_583_588_13,
        2_509.080_928_730_122_7,
    ],
    [
        1.0,
        42.313_330_701_600_91,
        687.187_007_492_057_9,
        5_394.196_021_424_751,
        21_213.794_301_586_597,
        39_307.895_800_092_71,
        28_729.085_735_721_943,
        5_226.495_278_852_854,
    ],
);

const TAIL: ([f64; 8], [f64; 8]) = (
    [
        1.423_437_110_749_683_5,
        4.630_337_846_156_546,
        5.769_497_221_460_691,
        3.647_848_324_763_204_5,
        1.270_458_252_452_368_4,
        0.241_780_725_177_450_6,
        0.022_723_844_989_269_184,
        0.000_774_545_014_278_341_4,
    ],
    [
        1.0,
        2.053_191_626_637_759,
        1.676_384_830_183_803_8,
        0.689_767_334_985_1,
        0.148_103_976_427_480_08,
        0.015_198_666_563_616_457,
        0.000_547_593_808_499_534_5,
        1.050_750_071_644_416_9e-9,
    ],
);

struct FittedUnskew {
    columns: ByColumn<Plan>,
}

impl FittedTransform for FittedUnskew {
    fn transform(&self, table: &Table) -> Result<Table> {
        self.columns.transform(table, |plan, column, out| {
            let changed: Vec<f64> = match (plan, &column.values) {
                (Plan::Keep, _) => {
                    out.push(column.clone());
                    return Ok(());
                }
                (Plan::Log, Values::Numeric(values)) => {
                    values.iter().map(|value| value.abs().ln_1p().copysign(*value)).collect()
                }
                (Plan::Rank(scores), Values::Numeric(values)) => {
                    values.iter().map(|value| scores.score(*value)).collect()
                }
                (Plan::Log | Plan::Rank(_), _) => return Err(type_changed(column)),
            };
            out.push(Arc::new(Column::numeric(&column.name, changed)));
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
    fn near(found: f64, expected: f64) {
        assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
    }

    // scipy.stats.skew, scipy 1.17.
    #[test]
    fn skewness_is_that_of_scipy() {
        near(skewness(&[1.0, 2.0, 3.0, 10.0]), 1.0182337649086284);
        near(skewness(&[1.0, f64::NAN, 2.0, 3.0, 10.0]), 1.0182337649086284);
        near(skewness(&[5.0; 4]), 0.0);
    }

    // scipy.stats.norm.ppf, scipy 1.17.
    #[test]
    fn normal_scores_are_exact() {
        near(normal_quantile(0.9), 1.2815515655446004);
        near(normal_quantile(1e-3), -3.090232306167813);
        near(normal_quantile(0.5), 0.0);
    }

    #[test]
    fn equal_values_share_a_rank_and_values_between_lie_between() {
        let scores = Scores::of(&[1.0, 1.0, 3.0, f64::NAN, 9.0]);
        near(scores.score(1.0), normal_quantile(0.25));
        near(scores.score(3.0), normal_quantile(0.625));
        near(scores.score(2.0), (normal_quantile(0.25) + normal_quantile(0.625)) / 2.0);
        near(scores.score(-5.0), normal_quantile(0.25));
        near(scores.score(1e9), normal_quantile(0.875));
        assert!(scores.score(f64::NAN).is_nan());
    }

    #[test]
    fn a_long_lower_tail_has_no_logarithm() {
        let unskew = |unskew| Unskew { unskew, min_skewness: 1.0 };
        let low = [10.0, 9.0, 8.0, 1.0];
        assert!(matches!(unskew(Unskewing::Log).plan(&low), Plan::Keep));
        assert!(matches!(unskew(Unskewing::Rank).plan(&low), Plan::Rank(_)));
        assert!(matches!(unskew(Unskewing::Log).plan(&[1.0, 2.0, 3.0, 10.0]), Plan::Log));
    }
}
