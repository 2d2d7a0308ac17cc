//! Where labels begin: thresholds on the probability of the positive class, or on the value of an ordinal target, learned from out-of-fold predictions.
//!
//! A metric that compares labels sees how the rows are cut and nothing else, so that a threshold is worth as much as a model. It is learned from rows that the model was not fitted on, and never from the rows that it is judged by.

use ndarray::{Array2, ArrayView2};

use crate::competition::Competition;
use crate::decode::{Decoded, decode};
use crate::error::{Error, Result};
use crate::metric::{Metric, Needs, Prediction, Truth};
use crate::predictions::Predictions;
use crate::target::{Target, TargetColumn, Task};

/// One target's thresholds, ascending, one fewer than it has labels: a row gets the label of as many as its number reaches. None: as [`decode`] has it.
pub type Thresholds = Option<Vec<f64>>;

/// Whether labels are cut by thresholds here: where the metric compares labels, the target is binary or ordinal, and competition.toml does not say `thresholds = false`.
pub fn are_learned(competition: &Competition, metric: &dyn Metric) -> bool {
    competition.config.metric.thresholds
        && metric.needs() == Needs::Labels
        && metric.takes_weights()
        && matches!(competition.task, Task::Binary | Task::Ordinal)
}

/// The thresholds of each target, learned from the rows that have out-of-fold predictions.
///
/// # Errors
/// When the predictions are not those of the competition's rows.
pub fn of_out_of_fold(
    competition: &Competition,
    metric: &dyn Metric,
    predictions: &Predictions,
) -> Result<Vec<Thresholds>> {
    let n_targets = competition.targets.len();
    if !are_learned(competition, metric) {
        return Ok(vec![None; n_targets]);
    }
    let n_rows = competition.n_train_rows();
    let fits = |output: &Array2<f64>| output.nrows() == n_rows;
    if predictions.outputs.len() != n_targets || !predictions.outputs.iter().all(fits) {
        return Err(Error::unexpected(format!(
            "out-of-fold predictions are not of {n_targets} targets, {n_rows} rows"
        )));
    }
    let is_scored = |row: &u32| predictions.outputs.iter().all(|output| !output[[*row as usize, 0]].is_nan());
    let rows: Vec<u32> = (0..n_rows as u32).filter(is_scored).collect();
    let places: Vec<usize> = rows.iter().map(|&row| row as usize).collect();
    let outputs = predictions.outputs.iter().map(|output| output.select(ndarray::Axis(0), &places));
    of_rows(competition, metric, &rows, &outputs.collect::<Vec<_>>())
}

/// The thresholds of each target that score best on the rows given.
///
/// `outputs`: one matrix per target, its rows those named.
///
/// # Errors
/// Those of [`learn`].
pub fn of_rows(
    competition: &Competition,
    metric: &dyn Metric,
    rows: &[u32],
    outputs: &[Array2<f64>],
) -> Result<Vec<Thresholds>> {
    if !are_learned(competition, metric) {
        return Ok(vec![None; outputs.len()]);
    }
    let of_target = |(target, output): (usize, &Array2<f64>)| learn(competition, metric, target, rows, output.view());
    outputs.iter().enumerate().map(of_target).collect()
}

/// The thresholds of one target that score best on the rows given; None where none is better than the plain decoding.
///
/// `rows`: row numbers of train. `raw`: their predictions, (n_rows, n_outputs).
///
/// # Errors
/// Those of [`decode`].
pub fn learn(
    competition: &Competition,
    metric: &dyn Metric,
    target: usize,
    rows: &[u32],
    raw: ArrayView2<f64>,
) -> Result<Thresholds> {
    let column = &competition.targets[target];
    let Target::Classes { codes, .. } = &column.target else { return Ok(None) };
    let axis = Axis::new(competition.task, column, competition.positive(target));
    let numbers = axis.numbers(raw)?;
    let row = |(&row, &number): (&u32, &f64)| Row {
        number,
        class: codes[row as usize],
        weight: competition.weights.as_ref().map_or(1.0, |weights| weights[row as usize]),
    };
    let rows: Vec<Row> = rows.iter().zip(&numbers).map(row).collect();
    Ok(Bins::new(&axis, rows).best(metric))
}

/// As [`decode`], with labels cut by thresholds where there are any.
///
/// # Errors
/// Those of [`decode`].
pub fn decode_with(
    thresholds: &Thresholds,
    needs: Needs,
    task: Task,
    raw: ArrayView2<f64>,
    column: &TargetColumn,
    positive: u32,
    range: (f64, f64),
) -> Result<Decoded> {
    let Some(thresholds) = thresholds.as_ref().filter(|_| needs == Needs::Labels) else {
        return decode(needs, task, raw, column, positive, range);
    };
    let axis = Axis::new(task, column, positive);
    let label = |number: f64| axis.classes[thresholds.partition_point(|&threshold| threshold <= number)];
    Ok(Decoded::Labels(axis.numbers(raw)?.into_iter().map(label).collect()))
}

/// The line along which a target's labels stand.
struct Axis<'a> {
    task: Task,
    column: &'a TargetColumn,
    positive: u32,
    /// Class numbers in ascending order along it.
    classes: Vec<u32>,
    /// Where the plain decoding cuts it.
    plain: Vec<f64>,
}

impl<'a> Axis<'a> {
    fn new(task: Task, column: &'a TargetColumn, positive: u32) -> Axis<'a> {
        let (classes, plain) = match (task, column.label_values()) {
            (Task::Ordinal, Some(values)) => {
                let mut classes: Vec<u32> = (0..values.len() as u32).collect();
                classes.sort_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
                // The lower label on ties.
                let middle = |pair: &[u32]| ((values[pair[0] as usize] + values[pair[1] as usize]) / 2.0).next_up();
                let plain = classes.windows(2).map(middle).collect();
                (classes, plain)
            }
            _ => (vec![1 - positive.min(1), positive.min(1)], vec![0.5]),
        };
        Axis { task, column, positive, classes, plain }
    }

    /// The probability of the positive class, or the value or expected value, of each row.
    fn numbers(&self, raw: ArrayView2<f64>) -> Result<Vec<f64>> {
        let needs = if self.task == Task::Binary { Needs::Scores } else { Needs::Values };
        let anywhere = (f64::NEG_INFINITY, f64::INFINITY);
        match decode(needs, self.task, raw, self.column, self.positive, anywhere)? {
            Decoded::Scores(numbers) | Decoded::Values(numbers) => Ok(numbers),
            _ => Err(Error::unexpected("scores and values are numbers")),
        }
    }
}

struct Row {
    number: f64,
    class: u32,
    weight: f64,
}

/// Rows put together by their place on the axis: how they are cut depends on which bins a threshold stands between, so that a try costs the same however many rows there are.
struct Bins<'a> {
    axis: &'a Axis<'a>,
    /// The threshold before each bin but the first.
    between: Vec<f64>,
    /// Bins, classes and weights of what each bin holds of each class.
    bins: Vec<usize>,
    target: Target,
    weights: Vec<f64>,
    /// The plain thresholds: the bin that each stands before.
    plain: Vec<usize>,
}

/// Bins at most, but for those that a plain threshold parts in two.
const MAX_BINS: usize = 256;
/// Rounds over the thresholds at most; three or four are usual.
const MAX_ROUNDS: usize = 10;

impl<'a> Bins<'a> {
    fn new(axis: &'a Axis, mut rows: Vec<Row>) -> Bins<'a> {
        rows.sort_by(|a, b| a.number.total_cmp(&b.number));
        let least = rows.len().div_ceil(MAX_BINS);
        let (mut between, mut n_in_bin) = (Vec::new(), 0);
        let mut firsts: Vec<f64> = rows.first().iter().map(|row| row.number).collect();
        let mut held = vec![vec![0.0; axis.classes.len()]];
        for (place, row) in rows.iter().enumerate() {
            if place > 0 && rows[place - 1].number < row.number {
                let below = rows[place - 1].number;
                let parted = axis.plain.iter().find(|&&plain| below < plain && plain <= row.number);
                if n_in_bin >= least || parted.is_some() {
                    // Where no number lies between the two, their middle is one of them.
                    let middle = (below / 2.0 + row.number / 2.0).max(below.next_up());
                    between.push(parted.copied().unwrap_or(middle));
                    firsts.push(row.number);
                    held.push(vec![0.0; axis.classes.len()]);
                    n_in_bin = 0;
                }
            }
            n_in_bin += 1;
            if let Some(weight) = held.last_mut().and_then(|held| held.get_mut(row.class as usize)) {
                *weight += row.weight;
            }
        }
        let plain = axis.plain.iter().map(|plain| firsts.partition_point(|first| first < plain)).collect();
        let (mut bins, mut codes, mut weights) = (Vec::new(), Vec::new(), Vec::new());
        for (bin, held) in held.iter().enumerate() {
            for (class, &weight) in held.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
                bins.push(bin);
                codes.push(class as u32);
                weights.push(weight);
            }
        }
        let target = Target::Classes { codes, n_classes: axis.classes.len() };
        Bins { axis, between, bins, target, weights, plain }
    }

    /// The thresholds that score best: each in turn is moved to where it is best beside the others, until none moves.
    fn best(&self, metric: &dyn Metric) -> Thresholds {
        let mut best = self.plain.clone();
        let mut best_score = self.score(metric, &best)?;
        for _ in 0..MAX_ROUNDS {
            let before = best.clone();
            for moved in 0..best.len() {
                let low = if moved == 0 { 0 } else { best[moved - 1] };
                let high = best.get(moved + 1).copied().unwrap_or(self.between.len() + 1);
                let mut tried = best.clone();
                for place in low..=high {
                    tried[moved] = place;
                    if let Some(score) = self.score(metric, &tried)
                        && metric.direction().better(score, best_score)
                    {
                        (best_score, best[moved]) = (score, place);
                    }
                }
            }
            if best == before {
                break;
            }
        }
        (best != self.plain).then(|| {
            let mut thresholds: Vec<f64> =
                best.iter().enumerate().map(|(at, &place)| self.threshold(at, place)).collect();
            // Two between the same two rows may stand the wrong way round.
            thresholds.sort_by(f64::total_cmp);
            thresholds
        })
    }

    /// None where it is undefined.
    fn score(&self, metric: &dyn Metric, places: &[usize]) -> Option<f64> {
        let label = |&bin: &usize| self.axis.classes[places.partition_point(|&place| place <= bin)];
        let predicted: Vec<u32> = self.bins.iter().map(label).collect();
        let labels = &self.axis.column.labels;
        let truth = Truth {
            target: &self.target,
            labels,
            positive: self.axis.positive,
            n_train_labels: labels.len(),
            weights: Some(&self.weights),
            queries: None,
        };
        metric.score(&truth, &Prediction::Labels(&predicted)).ok().filter(|score| score.is_finite())
    }

    /// `place`: the bin that the threshold stands before.
    fn threshold(&self, at: usize, place: usize) -> f64 {
        if place == self.plain[at] {
            return self.axis.plain[at];
        }
        match place {
            0 => f64::NEG_INFINITY,
            place => self.between.get(place - 1).copied().unwrap_or(f64::INFINITY),
        }
    }
}
