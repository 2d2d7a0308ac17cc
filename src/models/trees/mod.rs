//! What the models made of trees share: bins for typed columns, targets as the booster wants them, and what a fit returns.

use std::sync::Arc;

use medalist_boost::{
    self as boost, BinSettings, Bins, Column, Objective, Params, TargetStatistics, Trainer, Training,
};
use medalist_search::Value;
use ndarray::{Array1, Array2};

use crate::error::{Error, Kind, Result};
use crate::model::{Columns, FitContext, Predictor, Whole};
use crate::models::baseline::shared::{Constant, once, present, priors, total_weight};
use crate::table::{Table, Values};
use crate::target::Target;

/// Bins of values a column, where a model does not choose.
pub(crate) const MAX_BIN: usize = 255;
/// Leaves of a forest's tree, at most.
pub(crate) const MOST_LEAVES: usize = 1 << 20;

/// What the trees of a model add up to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sum {
    /// Scores, by the loss that fits the target: logistic, softmax, squared.
    Scores,
    /// The mean of trees, each of which says a value or the classes' shares by itself.
    Mean,
}

/// A fit of trees: the booster's parameters, and what the harness decides.
pub(crate) struct Trees {
    /// All but the objective and the seed.
    pub params: Params,
    pub sum: Sum,
    pub max_bin: usize,
    /// Whether categories are given as ordered target statistics.
    pub statistics: bool,
}

impl Trees {
    pub(crate) fn fit(&self, x: &Columns, y: &Target, ctx: &FitContext) -> Result<Box<dyn Predictor<Columns>>> {
        ctx.check_cancelled()?;
        let n_rows = x.table.n_rows();
        let (objective, labels, classes) = match y {
            Target::Values(values) => {
                total_weight(n_rows, ctx)?;
                (Objective::Squared, values.clone(), None)
            }
            Target::Classes { codes, n_classes } => {
                let priors = priors(codes, *n_classes, ctx)?;
                let present = present(&priors);
                if present.len() < 2 || x.table.columns().is_empty() {
                    return Ok(Box::new(Constant(Array1::from(priors))));
                }
                // Rows of a class whose weights are all 0 count for nothing.
                let place = |code: u32| present.iter().position(|&class| class == code as usize).unwrap_or(0);
                let (objective, labels) = match (self.sum, present.len()) {
                    (Sum::Scores, 2) => (Objective::Logistic, codes.iter().map(|&code| place(code) as f64).collect()),
                    (Sum::Scores, n_classes) => {
                        (Objective::Softmax { n_classes }, codes.iter().map(|&code| place(code) as f64).collect())
                    }
                    // Of two classes the second's share says all.
                    (Sum::Mean, 2) => (Objective::Squared, codes.iter().map(|&code| place(code) as f64).collect()),
                    (Sum::Mean, n) => {
                        let shares = codes.iter().flat_map(|&code| (0..n).map(move |class| (class, code)));
                        (Objective::Squared, shares.map(|(class, code)| f64::from(place(code) == class)).collect())
                    }
                };
                (objective, labels, Some(Classes { present, n_classes: *n_classes }))
            }
        };
        if x.table.columns().is_empty() {
            let total = total_weight(n_rows, ctx)?;
            let weighted = labels.iter().enumerate().map(|(row, y)| y * ctx.weights.map_or(1.0, |w| w[row]));
            return Ok(Box::new(Constant(Array1::from_elem(1, weighted.sum::<f64>() / total))));
        }
        let mut params = self.params.clone();
        params.objective = objective;
        params.seed = ctx.seed.child("trees", 0).to_u64();
        let binned = self.binned(x, &labels, &params.objective, ctx)?;
        let training = Training {
            rows: binned.rows.as_ref().map(|rows| rows.as_slice()),
            labels: &labels,
            n_targets: Some(labels.len() / n_rows),
            weights: ctx.weights,
            ..Training::default()
        };
        let mut trainer = Trainer::new(&params, &binned.bins, &training).map_err(failed)?;
        for _ in 0..params.n_estimators {
            trainer.step_unless(&mut || ctx.cancel.is_cancelled()).map_err(failed)?;
        }
        let model = trainer.into_model();
        Ok(Box::new(Fitted { model, classes, max_bin: self.max_bin, whole: binned.whole, encoding: binned.encoding }))
    }

    fn binned(&self, x: &Columns, labels: &[f64], objective: &Objective, ctx: &FitContext) -> Result<Binned> {
        let has_categories = x.table.columns().iter().any(|column| matches!(column.values, Values::Categorical { .. }));
        if self.statistics && has_categories {
            // Learned from the fold's targets: nothing to share beyond its own fits.
            let key = format!("ordered bins {}", self.max_bin);
            let kept = once(ctx, &key, || {
                let (own, encoding) = Encoding::fit(&x.table, labels, objective, ctx)?;
                let columns: Vec<Column> = own.iter().map(|values| Column::F64(values)).collect();
                Ok((Arc::new(bins(&columns, self.max_bin)?), encoding))
            })?;
            let (bins, encoding) = &*kept;
            return Ok(Binned { bins: bins.clone(), rows: None, whole: None, encoding: Some(encoding.clone()) });
        }
        if let Some(source) = &x.source
            && source.rows.is_sorted_by(|a, b| a < b)
        {
            // The features of all training rows, once for all folds: no target is read.
            let bins = whole_bins(&source.whole, self.max_bin)?;
            let (rows, whole) = (Some(source.rows.clone()), Some(source.whole.clone()));
            return Ok(Binned { bins, rows, whole, encoding: None });
        }
        let key = format!("bins {}", self.max_bin);
        let bins = once(ctx, &key, || bins(&columns(&x.table)?, self.max_bin))?;
        Ok(Binned { bins, rows: None, whole: None, encoding: None })
    }
}

fn whole_bins(whole: &Whole, max_bin: usize) -> Result<Arc<Bins>> {
    let kept = whole.once.get(&format!("bins {max_bin}"), || bins(&columns(&whole.table)?, max_bin).map(Arc::new));
    (*kept).clone()
}

fn bins(columns: &[Column], max_bin: usize) -> Result<Bins> {
    Bins::new(columns, &BinSettings { max_bin, ..BinSettings::default() }).map_err(failed)
}

/// What a fit is made on.
struct Binned {
    bins: Arc<Bins>,
    /// Which rows of the bins the training rows are; None: all, in order.
    rows: Option<Arc<Vec<u32>>>,
    whole: Option<Arc<Whole>>,
    encoding: Option<Encoding>,
}

fn failed(error: boost::Error) -> Error {
    match error {
        boost::Error::Stopped { .. } => Error::new(Kind::Interrupted, "cancelled"),
        error => Error::model(format!("trees: {error}")),
    }
}

/// Typed columns as the booster takes them: categories as codes, gaps as NaN.
///
/// # Errors
/// When a column is a date or a text: the transforms should have turned it into numbers.
fn columns(table: &Table) -> Result<Vec<Column<'_>>> {
    let mut columns = Vec::with_capacity(table.columns().len());
    for column in table.columns() {
        columns.push(match &column.values {
            Values::Numeric(values) => Column::F64(values),
            Values::Categorical { codes, .. } => Column::Categories(codes),
            Values::Date(_) | Values::Text(_) => {
                let message = format!("is {}, of which trees can make nothing", column.kind.name());
                let error = Error::data(message).column(&column.name);
                return Err(error.help("leave it out, or give its type in competition.toml"));
            }
        });
    }
    Ok(columns)
}

/// Categories as numbers: per column of the table the statistics of each target, none for numbers.
#[derive(Clone)]
struct Encoding(Arc<Vec<Vec<TargetStatistics>>>);

impl Encoding {
    /// Learns from the training rows; returns their columns too. Of several classes each has its share as a column.
    fn fit(
        table: &Table,
        labels: &[f64],
        objective: &Objective,
        ctx: &FitContext,
    ) -> Result<(Vec<Vec<f64>>, Encoding)> {
        columns(table)?;
        let targets: Vec<Vec<f64>> = match objective {
            Objective::Softmax { n_classes } => {
                let shares = |class: usize| labels.iter().map(|&label| f64::from(label == class as f64)).collect();
                (0..*n_classes).map(shares).collect()
            }
            _ => vec![labels.to_vec()],
        };
        let (mut own, mut all) = (Vec::new(), Vec::new());
        for (place, column) in table.columns().iter().enumerate() {
            ctx.check_cancelled()?;
            let mut statistics = Vec::new();
            match &column.values {
                Values::Categorical { codes, .. } => {
                    for labels in &targets {
                        // The same order for every trial of the fold: they share what comes out.
                        let weights = ctx.weights.unwrap_or(&[]);
                        let (values, fitted) = TargetStatistics::fit(codes, labels, weights, place as u64);
                        own.push(values);
                        statistics.push(fitted);
                    }
                }
                Values::Numeric(values) => own.push(values.clone()),
                Values::Date(_) | Values::Text(_) => {}
            }
            all.push(statistics);
        }
        Ok((own, Encoding(Arc::new(all))))
    }

    fn apply(&self, table: &Table) -> Vec<Vec<f64>> {
        let mut out = Vec::new();
        for (column, statistics) in table.columns().iter().zip(&*self.0) {
            match &column.values {
                Values::Categorical { codes, .. } => {
                    out.extend(statistics.iter().map(|statistics| statistics.apply(codes)));
                }
                Values::Numeric(values) => out.push(values.clone()),
                Values::Date(_) | Values::Text(_) => {}
            }
        }
        out
    }

    fn size(&self) -> usize {
        self.0.iter().flatten().map(TargetStatistics::size).sum()
    }
}

/// The classes in the training rows, among all.
struct Classes {
    present: Vec<usize>,
    n_classes: usize,
}

struct Fitted {
    model: boost::Model,
    /// None for values.
    classes: Option<Classes>,
    max_bin: usize,
    /// Where the training rows come from: other rows from there are in the same bins.
    whole: Option<Arc<Whole>>,
    encoding: Option<Encoding>,
}

impl Fitted {
    fn predict_iterations(&self, x: &Columns, n_iterations: &[usize]) -> Result<Vec<Array2<f64>>> {
        let n_rows = x.table.n_rows();
        let stages = match (&self.whole, &x.source) {
            (Some(whole), Some(source)) if Arc::ptr_eq(whole, &source.whole) => {
                let bins = whole_bins(whole, self.max_bin)?;
                self.model.predict_staged_on_bins(&bins, &source.rows, n_iterations)
            }
            _ => match &self.encoding {
                Some(encoding) => {
                    columns(&x.table)?;
                    let encoded = encoding.apply(&x.table);
                    let encoded: Vec<Column> = encoded.iter().map(|values| Column::F64(values)).collect();
                    self.model.predict_staged(&encoded, n_iterations)
                }
                None => self.model.predict_staged(&columns(&x.table)?, n_iterations),
            },
        };
        let stages = stages.map_err(failed)?;
        Ok(stages.into_iter().map(|stage| self.finish(&stage, n_rows)).collect())
    }

    /// Predictions (n_rows, n_scores) as the harness wants them: (n_rows, n_outputs).
    fn finish(&self, predicted: &[f64], n_rows: usize) -> Array2<f64> {
        let Some(Classes { present, n_classes }) = &self.classes else {
            return Array2::from_shape_fn((n_rows, 1), |(row, _)| predicted[row]);
        };
        let mut probabilities = Array2::zeros((n_rows, *n_classes));
        let each = probabilities.outer_iter_mut().zip(predicted.chunks_exact(self.model.n_scores()));
        for (mut row, predicted) in each {
            if let ([first, second], [share]) = (&present[..], predicted) {
                let share = share.clamp(0.0, 1.0);
                (row[*first], row[*second]) = (1.0 - share, share);
                continue;
            }
            let sum: f64 = predicted.iter().map(|share| share.clamp(0.0, 1.0)).sum();
            for (&class, share) in present.iter().zip(predicted) {
                // Where every class is refused they are equally likely.
                row[class] = if sum > 0.0 { share.clamp(0.0, 1.0) / sum } else { 1.0 / present.len() as f64 };
            }
        }
        probabilities
    }
}

impl Predictor<Columns> for Fitted {
    fn predict(&self, x: &Columns) -> Result<Array2<f64>> {
        let mut predictions = self.predict_iterations(x, &[self.model.n_iterations()])?;
        predictions.pop().ok_or_else(|| Error::unexpected("trees without a prediction"))
    }

    fn predict_staged(&self, x: &Columns, stages: &[Value]) -> Result<Vec<Array2<f64>>> {
        let most = self.model.n_iterations();
        let mut iterations = Vec::with_capacity(stages.len());
        for stage in stages {
            let n = stage.as_f64().filter(|&n| n >= 1.0 && n as usize <= most).map(|n| n as usize);
            match n {
                Some(n) if iterations.last().is_none_or(|&last| last <= n) => iterations.push(n),
                _ => {
                    let message = format!("a model of {most} trees has no stage {stage} after {iterations:?}");
                    return Err(Error::unexpected(message));
                }
            }
        }
        self.predict_iterations(x, &iterations)
    }

    /// The nodes and leaves of the trees up to the stage, and what categories are encoded by.
    fn size(&self, stage: Option<&Value>) -> Option<u64> {
        let n_iterations = stage.and_then(Value::as_f64).map_or(self.model.n_iterations(), |n| n as usize);
        let encoding = self.encoding.as_ref().map_or(0, Encoding::size);
        Some((self.model.size(n_iterations) + encoding) as u64)
    }
}

/// A rough upper estimate: measured on one core of a common server, and doubled.
pub(crate) fn estimate_seconds(n_trees: usize, n_leaves: usize, n_rows: usize, n_columns: usize) -> Option<f64> {
    let rows = n_rows as f64 * (n_columns as f64 + 10.0) * 5e-9;
    let histograms = n_leaves as f64 * n_columns as f64 * 1e-6;
    Some(n_trees as f64 * (rows + histograms))
}

/// Bytes: the bins twice, scores and derivatives, and histograms of the leaves that wait.
pub(crate) fn estimate_memory(n_leaves: usize, max_bin: usize, n_rows: usize, n_columns: usize) -> u64 {
    let histograms = (8 * (max_bin + 1) * n_columns * n_leaves).min(256 << 20);
    (n_rows * (2 * n_columns + 60) + histograms) as u64
}
