//! What the models made of trees share: bins for typed columns, targets as the booster wants them, and what a fit returns.

use std::sync::Arc;

use medalist_boost::{
    self as boost, BinSettings, Bins, Column, Objective, Params, TargetStatistics, Trainer, Training,
};
use medalist_search::Value;
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use serde_json::Value as State;

use crate::error::{Error, Kind, Result};
use crate::model::{AnyInput, Columns, FitContext, Predictor, Source, Whole};
use crate::models::baseline::shared::{Constant, once, present, priors, total_weight};
use crate::state::{from_state, to_state};
use crate::table::{Table, Values};
use crate::target::Target;

mod encoding;

use encoding::Encoding;

/// Bins of values a column, where a model does not choose.
pub(crate) const MAX_BIN: usize = 255;
/// Leaves of a forest's tree, at most.
pub(crate) const MOST_LEAVES: usize = 1 << 20;

/// Trees between two steps that a fit shows.
const STEP: usize = 10;

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
            rows: Some(&binned.rows),
            labels: &labels,
            n_targets: Some(labels.len() / n_rows),
            weights: ctx.weights,
            followed: &binned.followed,
            ..Training::default()
        };
        let n_scores = params.objective.n_scores() * (labels.len() / n_rows);
        let mut trainer = Trainer::new(&params, &binned.bins, &training).map_err(failed)?;
        for n_trees in 1..=params.n_estimators {
            trainer.step_unless(&mut || ctx.cancel.is_cancelled()).map_err(failed)?;
            if n_trees % STEP == 0 && !binned.followed.is_empty() {
                ctx.show(n_trees as u64, || {
                    let mut predicted = vec![0.0; binned.followed.len() * n_scores];
                    for (&row, out) in binned.followed.iter().zip(predicted.chunks_exact_mut(n_scores)) {
                        trainer.predict(row, out);
                    }
                    Ok(finish(&predicted, n_scores, classes.as_ref()))
                })?;
            }
        }
        let model = trainer.into_model();
        Ok(Box::new(Fitted { model, classes, max_bin: self.max_bin, whole: binned.whole, encoding: binned.encoding }))
    }

    fn binned(&self, x: &Columns, labels: &[f64], objective: &Objective, ctx: &FitContext) -> Result<Binned> {
        // The rows to be scored, where the fit shows its steps.
        let shown = match (ctx.steps, ctx.scored) {
            (Some(_), Some(AnyInput::Columns(scored))) => Some(scored),
            _ => None,
        };
        let n_rows = x.table.n_rows();
        let has_categories = x.table.columns().iter().any(|column| matches!(column.values, Values::Categorical { .. }));
        if self.statistics && has_categories {
            // Learned from the fold's targets: nothing to share beyond its own fits.
            let key = format!("ordered bins {}", self.max_bin);
            let kept = once(ctx, &key, || {
                let (own, encoding) = Encoding::fit(&x.table, labels, objective, ctx)?;
                let shown = shown.map(|shown| encoding.apply(&shown.table));
                Ok((Arc::new(own_bins(&own, shown.as_ref(), self.max_bin)?), encoding))
            })?;
            let (bins, encoding) = &*kept;
            return Ok(Binned::own(bins.clone(), n_rows, Some(encoding.clone())));
        }
        if let Some(source) = &x.source
            && source.rows.is_sorted_by(|a, b| a < b)
        {
            // The features of all training rows, once for all folds: no target is read.
            let bins = whole_bins(&source.whole, self.max_bin)?;
            let same_whole =
                |shown: &&Source| Arc::ptr_eq(&shown.whole, &source.whole) && shown.rows.is_sorted_by(|a, b| a < b);
            let followed = shown.and_then(|shown| shown.source.as_ref()).filter(same_whole);
            let followed = followed.map(|shown| shown.rows.to_vec()).unwrap_or_default();
            let (rows, whole) = (source.rows.clone(), Some(source.whole.clone()));
            return Ok(Binned { bins, rows, followed, whole, encoding: None });
        }
        let key = format!("bins {}", self.max_bin);
        let bins = once(ctx, &key, || own_bins(&x.table, shown.map(|shown| &shown.table), self.max_bin))?;
        Ok(Binned::own(bins, n_rows, None))
    }
}

fn whole_bins(whole: &Whole, max_bin: usize) -> Result<Arc<Bins>> {
    let kept = whole.once.get(&format!("bins {max_bin}"), || own_bins(&whole.table, None, max_bin).map(Arc::new));
    (*kept).clone()
}

/// Bins of the training rows, and behind them those that are shown: they move no edge.
fn own_bins(train: &Table, shown: Option<&Table>, max_bin: usize) -> Result<Bins> {
    let settings = BinSettings { max_bin, ..BinSettings::default() };
    let bins = match shown {
        None => Bins::new(&columns(train)?, &settings),
        Some(shown) => {
            let edge_rows = Some((0..train.n_rows() as u32).collect());
            Bins::new(&columns(&train.stacked(shown))?, &BinSettings { edge_rows, ..settings })
        }
    };
    bins.map_err(failed)
}

/// What a fit is made on.
struct Binned {
    bins: Arc<Bins>,
    /// Which rows of the bins the training rows are.
    rows: Arc<Vec<u32>>,
    /// Which are to be scored while the fit goes on; none where nobody looks.
    followed: Vec<u32>,
    whole: Option<Arc<Whole>>,
    encoding: Option<Encoding>,
}

impl Binned {
    /// Bins of the training rows, then of those that are followed.
    fn own(bins: Arc<Bins>, n_rows: usize, encoding: Option<Encoding>) -> Binned {
        let (n_rows, n_all) = (n_rows as u32, bins.n_rows() as u32);
        let (rows, followed) = (Arc::new((0..n_rows).collect()), (n_rows..n_all).collect());
        Binned { bins, rows, followed, whole: None, encoding }
    }
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
            Values::Date(_) | Values::Text(_) | Values::Sparse { .. } => {
                let message = format!("is {}, of which trees can make nothing", column.kind.name());
                let error = Error::data(message).column(&column.name);
                return Err(error.help("leave it out, or give its type in competition.toml"));
            }
        });
    }
    Ok(columns)
}

/// The classes in the training rows, among all.
#[derive(Clone, Serialize, Deserialize)]
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

/// A [`Fitted`] in a file. Bins are not needed: values are compared with the thresholds that stand in the trees.
#[derive(Serialize, Deserialize)]
struct Saved {
    /// As the booster writes it.
    model: State,
    classes: Option<Classes>,
    encoding: Option<Vec<Vec<TargetStatistics>>>,
}

/// The predictor of any model made of trees.
pub(crate) fn load(state: &State) -> Result<Box<dyn Predictor<Columns>>> {
    if let Some(constant) = Constant::load(state) {
        return Ok(Box::new(constant));
    }
    let Saved { model, classes, encoding } = from_state(state)?;
    let model = boost::Model::from_json(&model.to_string()).map_err(failed)?;
    let encoding = encoding.map(Encoding::from_saved);
    Ok(Box::new(Fitted { model, classes, max_bin: MAX_BIN, whole: None, encoding }))
}

impl Fitted {
    fn predict_iterations(&self, x: &Columns, n_iterations: &[usize]) -> Result<Vec<Array2<f64>>> {
        let stages = match (&self.whole, &x.source) {
            (Some(whole), Some(source)) if Arc::ptr_eq(whole, &source.whole) => {
                let bins = whole_bins(whole, self.max_bin)?;
                self.model.predict_staged_on_bins(&bins, &source.rows, n_iterations)
            }
            _ => match &self.encoding {
                Some(encoding) => {
                    columns(&x.table)?;
                    self.model.predict_staged(&columns(&encoding.apply(&x.table))?, n_iterations)
                }
                None => self.model.predict_staged(&columns(&x.table)?, n_iterations),
            },
        };
        let stages = stages.map_err(failed)?;
        let finish = |stage: Vec<f64>| finish(&stage, self.model.n_scores(), self.classes.as_ref());
        Ok(stages.into_iter().map(finish).collect())
    }
}

/// Predictions (n_rows, n_scores) as the harness wants them: (n_rows, n_outputs).
fn finish(predicted: &[f64], n_scores: usize, classes: Option<&Classes>) -> Array2<f64> {
    let n_rows = predicted.len() / n_scores;
    let Some(Classes { present, n_classes }) = classes else {
        return Array2::from_shape_fn((n_rows, 1), |(row, _)| predicted[row]);
    };
    let mut probabilities = Array2::zeros((n_rows, *n_classes));
    for (mut row, predicted) in probabilities.outer_iter_mut().zip(predicted.chunks_exact(n_scores)) {
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

    fn save(&self) -> Option<State> {
        let model = serde_json::from_str(&self.model.to_json().ok()?).ok()?;
        let encoding = self.encoding.as_ref().map(Encoding::to_saved);
        to_state(&Saved { model, classes: self.classes.clone(), encoding })
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
