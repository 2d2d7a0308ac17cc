//! A category's level as the mean target of the rows that have it, drawn towards the mean of all.
//!
//! A training row's own target never enters its code: the training rows are parted in [`N_FOLDS`], and each is encoded by what the others hold. Rows to be predicted are encoded by all training rows.

use std::collections::BTreeMap;
use std::sync::Arc;

use rand::seq::SliceRandom;
use serde::{Deserialize, Serialize};

use super::dates::by_column::{ByColumn, check_cancelled, level_counts, type_changed};
use crate::error::{Error, Result};
use crate::model::InputKind;
use crate::state::{from_state, to_state};
use crate::table::{Column, MISSING, Table, Values};
use crate::target::Target;
use crate::transform::{FittedTransform, Transform, TransformContext};
use crate::{ParamChoice, Tunable};

/// Encodes categories by the target.
#[derive(Tunable)]
pub struct TargetEncode {
    /// Whether the mean target of its level is added to a category, or replaces it.
    #[param(default = "none")]
    pub target_encoding: TargetEncoding,
    /// Categories with fewer levels stay as they are.
    #[param(choices = [4, 10, 50], ordered, default = 10, when = "target_encoding in [add, replace]")]
    pub target_min_levels: usize,
    /// How many rows the mean of all rows counts as, beside those of the level.
    #[param(1.0..=1000.0, log, default = 20.0, when = "target_encoding in [add, replace]")]
    pub target_smoothing: f64,
}

/// What becomes of a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ParamChoice)]
pub enum TargetEncoding {
    None,
    Add,
    Replace,
}

/// The least of the choices of `target_min_levels`.
const LEAST_LEVELS: usize = 4;
/// Parts of the training rows, as in scikit-learn's `TargetEncoder`.
pub const N_FOLDS: usize = 5;

impl Transform for TargetEncode {
    const INPUTS: &'static [InputKind] = &[InputKind::Dense, InputKind::Sparse];
    const ORDER: u32 = 38;
    const ABOUT: &'static str = "categories to the mean target of their level, out of fold for training rows";
    const LEARNS: &'static str =
        "the smoothed mean target of each level, of regression, one class of two, or each of several";

    fn concerns(column: &Column) -> bool {
        n_levels(column) >= LEAST_LEVELS
    }

    fn is_off(&self) -> bool {
        self.target_encoding == TargetEncoding::None
    }

    fn fit(&self, train: &Table, y: &Target, ctx: &TransformContext) -> Result<Box<dyn FittedTransform>> {
        let rows = Rows::new(y, ctx);
        let columns = ByColumn::fit(train, |column| {
            check_cancelled(ctx)?;
            let Values::Categorical { codes, .. } = &column.values else { return Ok(None) };
            let wanted = !self.is_off() && n_levels(column) >= self.target_min_levels;
            Ok(wanted.then(|| rows.codes(codes, self.target_smoothing)))
        })?;
        Ok(Box::new(FittedTargetEncode { columns, replace: self.target_encoding == TargetEncoding::Replace }))
    }

    fn load(state: &serde_json::Value) -> Result<Box<dyn FittedTransform>> {
        Ok(Box::new(from_state::<FittedTargetEncode>(state)?))
    }
}

fn n_levels(column: &Column) -> usize {
    level_counts(column).keys().filter(|&&code| code != MISSING).count()
}

/// The training rows' targets, weights and parts.
struct Rows {
    /// (n_rows, n_outputs): the value, whether it is the second of two classes, or whether it is each of several.
    targets: Vec<f64>,
    n_outputs: usize,
    /// Of mean 1.
    weights: Vec<f64>,
    /// Below [`N_FOLDS`].
    folds: Vec<u8>,
}

impl Rows {
    fn new(y: &Target, ctx: &TransformContext) -> Rows {
        let n_rows = y.n_rows();
        let (targets, n_outputs) = match y {
            Target::Values(values) => (values.clone(), 1),
            Target::Classes { codes, n_classes } if *n_classes <= 2 => {
                (codes.iter().map(|&code| f64::from(code)).collect(), 1)
            }
            Target::Classes { codes, n_classes } => {
                let mut targets = vec![0.0; n_rows * n_classes];
                for (row, &code) in codes.iter().enumerate() {
                    targets[row * n_classes + code as usize] = 1.0;
                }
                (targets, *n_classes)
            }
        };
        let total: f64 = ctx.weights.map_or(0.0, |weights| weights.iter().sum());
        let weights = match ctx.weights {
            Some(weights) if total > 0.0 => weights.iter().map(|weight| weight * n_rows as f64 / total).collect(),
            _ => vec![1.0; n_rows],
        };
        // Not stratified: which rows are together must not depend on a target.
        let mut order: Vec<usize> = (0..n_rows).collect();
        order.shuffle(&mut ctx.seed.child("folds", 0).rng());
        let mut folds = vec![0; n_rows];
        for (place, row) in order.into_iter().enumerate() {
            folds[row] = (place % N_FOLDS) as u8;
        }
        Rows { targets, n_outputs, weights, folds }
    }

    fn codes(&self, codes: &[u32], smoothing: f64) -> Codes {
        let mut places = BTreeMap::new();
        for &code in codes {
            let next = places.len();
            places.entry(code).or_insert(next);
        }
        let places_of_rows: Vec<usize> = codes.iter().map(|code| places[code]).collect();
        let mut parts = vec![Sums::zeros(places.len(), self.n_outputs); N_FOLDS];
        for (row, &place) in places_of_rows.iter().enumerate() {
            let targets = &self.targets[row * self.n_outputs..(row + 1) * self.n_outputs];
            parts[usize::from(self.folds[row])].add_row(place, targets, self.weights[row]);
        }
        // Sums over the other parts rather than those of all less the own one, which would leave a trace of it in the last bits.
        let means_without = |left_out: Option<usize>| {
            let mut sums = Sums::zeros(places.len(), self.n_outputs);
            let taken = parts.iter().enumerate().filter(|(part, _)| Some(*part) != left_out);
            taken.for_each(|(_, part)| sums.add(part));
            sums.means(smoothing)
        };
        let all = means_without(None);
        let others: Vec<Means> = (0..N_FOLDS).map(|part| means_without(Some(part))).collect();
        let mut train = vec![Vec::with_capacity(codes.len()); self.n_outputs];
        for (row, &place) in places_of_rows.iter().enumerate() {
            let means = &others[usize::from(self.folds[row])];
            train.iter_mut().zip(means.of(Some(place))).for_each(|(column, mean)| column.push(*mean));
        }
        Codes { places, means: all, train }
    }
}

/// Weight and weighted sum of targets of each level.
#[derive(Clone)]
struct Sums {
    weights: Vec<f64>,
    /// (n_levels, n_outputs).
    totals: Vec<f64>,
}

impl Sums {
    fn zeros(n_levels: usize, n_outputs: usize) -> Sums {
        Sums { weights: vec![0.0; n_levels], totals: vec![0.0; n_levels * n_outputs] }
    }

    fn add_row(&mut self, place: usize, targets: &[f64], weight: f64) {
        self.weights[place] += weight;
        let totals = &mut self.totals[place * targets.len()..(place + 1) * targets.len()];
        totals.iter_mut().zip(targets).for_each(|(total, target)| *total += weight * target);
    }

    fn add(&mut self, other: &Sums) {
        self.weights.iter_mut().zip(&other.weights).for_each(|(sum, other)| *sum += other);
        self.totals.iter_mut().zip(&other.totals).for_each(|(sum, other)| *sum += other);
    }

    /// `(sum of the level + smoothing * mean of all) / (weight of the level + smoothing)`: Micci-Barreca, *A preprocessing scheme for high-cardinality categorical attributes*, SIGKDD Explorations 2001, with the m-estimate as its weighting.
    fn means(&self, smoothing: f64) -> Means {
        let n_outputs = self.totals.len() / self.weights.len().max(1);
        let weight: f64 = self.weights.iter().sum();
        let mean = |output: usize| {
            let total: f64 = self.totals.iter().skip(output).step_by(n_outputs).sum();
            // Where no row counts, nothing is known.
            if weight > 0.0 { total / weight } else { 0.0 }
        };
        let of_all: Vec<f64> = (0..n_outputs).map(mean).collect();
        let mut of_levels = Vec::with_capacity(self.totals.len());
        for (totals, weight) in self.totals.chunks_exact(n_outputs.max(1)).zip(&self.weights) {
            let smoothed = |(total, mean): (&f64, &f64)| (total + smoothing * mean) / (weight + smoothing);
            of_levels.extend(totals.iter().zip(&of_all).map(smoothed));
        }
        Means { of_levels, of_all }
    }
}

#[derive(Serialize, Deserialize)]
struct Means {
    /// (n_levels, n_outputs).
    of_levels: Vec<f64>,
    of_all: Vec<f64>,
}

impl Means {
    /// One an output; those of all rows for a level that was not seen.
    fn of(&self, place: Option<usize>) -> &[f64] {
        let n_outputs = self.of_all.len();
        place.map_or(&self.of_all, |place| &self.of_levels[place * n_outputs..(place + 1) * n_outputs])
    }
}

/// One category's encoding.
#[derive(Serialize, Deserialize)]
struct Codes {
    /// By code, a gap as a level of its own.
    places: BTreeMap<u32, usize>,
    means: Means,
    /// (n_outputs, n_rows): the training rows', out of fold; nothing needs them once they are fitted.
    #[serde(skip)]
    train: Vec<Vec<f64>>,
}

#[derive(Serialize, Deserialize)]
struct FittedTargetEncode {
    /// None for what stays as it is.
    columns: ByColumn<Option<Codes>>,
    replace: bool,
}

impl FittedTargetEncode {
    /// `values`: (n_outputs, n_rows) of a column's codes.
    fn encode(&self, table: &Table, values: impl Fn(&Codes, &[u32]) -> Result<Vec<Vec<f64>>>) -> Result<Table> {
        self.columns.transform(table, |plan, column, out| {
            let Some(encoding) = plan else {
                out.push(column.clone());
                return Ok(());
            };
            let Values::Categorical { codes, .. } = &column.values else { return Err(type_changed(column)) };
            if !self.replace {
                out.push(column.clone());
            }
            let n_outputs = encoding.means.of_all.len();
            for (output, values) in values(encoding, codes)?.into_iter().enumerate() {
                let class = if n_outputs == 1 { String::new() } else { format!("={output}") };
                out.push(Arc::new(Column::numeric(format!("{}.target{class}", column.name), values)));
            }
            Ok(())
        })
    }
}

impl FittedTransform for FittedTargetEncode {
    fn transform(&self, table: &Table) -> Result<Table> {
        self.encode(table, |encoding, codes| {
            let mut columns = vec![Vec::with_capacity(codes.len()); encoding.means.of_all.len()];
            for code in codes {
                let means = encoding.means.of(encoding.places.get(code).copied());
                columns.iter_mut().zip(means).for_each(|(column, mean)| column.push(*mean));
            }
            Ok(columns)
        })
    }

    fn transform_train(&self, train: &Table) -> Result<Table> {
        self.encode(train, |encoding, codes| {
            if encoding.train.iter().any(|values| values.len() != codes.len()) {
                return Err(Error::unexpected("`transform_train` was given other rows than `fit`"));
            }
            Ok(encoding.train.clone())
        })
    }

    fn save(&self) -> Option<serde_json::Value> {
        to_state(self)
    }
}

#[cfg(test)]
mod tests {
    use medalist_search::{Cancel, Seed};

    use super::*;

    fn rows(y: Target, weights: Option<&[f64]>) -> Rows {
        Rows::new(&y, &TransformContext { weights, seed: Seed::new(1), cancel: &Cancel::new() })
    }

    /// The codes of two levels, that of other rows and an unseen one's, with a smoothing of 2.
    #[track_caller]
    fn check(y: Target, weights: Option<&[f64]>, expected: [&[f64]; 3]) {
        let codes = rows(y, weights).codes(&[0, 0, 0, 1], 2.0);
        let found = [Some(0), Some(1), None].map(|place| codes.means.of(place).to_vec());
        for (found, expected) in found.iter().flatten().zip(expected.iter().copied().flatten()) {
            assert!((found - expected).abs() < 1e-12, "{found} is not {expected}");
        }
    }

    #[test]
    fn a_level_is_drawn_towards_the_mean_of_all() {
        // (1 + 2 + 3 + 2 * 4) / 5, (10 + 2 * 4) / 3.
        check(Target::Values(vec![1.0, 2.0, 3.0, 10.0]), None, [&[2.8], &[6.0], &[4.0]]);
    }

    #[test]
    fn rows_count_by_their_weights() {
        // Weights 0.5, 0.5, 1, 2 after scaling; the mean is 24.5 / 4.
        let weights = [1.0, 1.0, 2.0, 4.0];
        let mean = 24.5 / 4.0;
        let expected = [(4.5 + 2.0 * mean) / 4.0, (20.0 + 2.0 * mean) / 4.0, mean];
        let [first, second, all] = expected.each_ref().map(std::slice::from_ref);
        check(Target::Values(vec![1.0, 2.0, 3.0, 10.0]), Some(&weights), [first, second, all]);
    }

    #[test]
    fn two_classes_make_one_column_and_three_make_three() {
        check(Target::Classes { codes: vec![0, 1, 1, 0], n_classes: 2 }, None, [&[0.6], &[1.0 / 3.0], &[0.5]]);
        let classes = Target::Classes { codes: vec![0, 2, 2, 1], n_classes: 3 };
        check(classes, None, [&[0.3, 0.1, 0.6], &[1.0 / 6.0, 0.5, 1.0 / 3.0], &[0.25, 0.25, 0.5]]);
    }

    #[test]
    fn a_training_row_is_encoded_by_the_other_parts() {
        let y: Vec<f64> = (0..20).map(|row| f64::from(row * row % 7)).collect();
        let levels: Vec<u32> = (0..20).map(|row| row % 3).collect();
        let rows = rows(Target::Values(y.clone()), None);
        let codes = rows.codes(&levels, 1.5);
        for row in 0..20 {
            let others: Vec<usize> = (0..20).filter(|&other| rows.folds[other] != rows.folds[row]).collect();
            let mean = others.iter().map(|&other| y[other]).sum::<f64>() / others.len() as f64;
            let same: Vec<f64> = others.iter().filter(|&&it| levels[it] == levels[row]).map(|&it| y[it]).collect();
            let expected = (same.iter().sum::<f64>() + 1.5 * mean) / (same.len() as f64 + 1.5);
            assert!((codes.train[0][row] - expected).abs() < 1e-12, "row {row}");
        }
    }
}
