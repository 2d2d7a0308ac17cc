//! A trial's score on any draw of the rows.
//!
//! Most metrics are a mean of a loss a row, or the root of one: what they make of one row alone says so, and then a draw costs a product. The area under the ROC curve costs a pass over the rows in the order of their scores. All others are worked out on the drawn rows themselves.

use ndarray::{Array2, ArrayView2, Axis};

use crate::decode::{Decoded, decode};
use crate::error::Result;
use crate::metric::{Needs, Truth};
use crate::scoring::Scorer;
use crate::target::Target;
use crate::thresholds::{self, Thresholds};

/// A trial's predictions, in the form in which draws are scored fastest.
pub enum Replay {
    /// The score is the weighted mean of these, one a row.
    Mean { losses: Vec<f64>, is_root: bool },
    /// Places of the rows by ascending score, and whether the next one's is the same.
    Ranked { order: Vec<(u32, bool)>, is_positive: Vec<bool> },
    /// One matrix per target, for the rows, and the thresholds that are best on all of them.
    Outputs { outputs: Vec<Array2<f64>>, thresholds: Vec<Thresholds> },
}

/// How far a score may lie from the one that was made another way, relatively.
const SAME: f64 = 1e-9;

impl Replay {
    /// `outputs`: one matrix per target, its rows those named.
    ///
    /// # Errors
    /// When the rows have no score.
    pub fn new(scorer: &Scorer, rows: &[u32], outputs: Vec<Array2<f64>>) -> Result<Replay> {
        let whole = scorer.score(rows, &outputs, &[])?;
        let is_cut = thresholds::are_learned(scorer.competition, scorer.metric);
        if !is_cut && let [output] = outputs.as_slice() {
            let ones = vec![1; rows.len()];
            let losses = losses(scorer, rows, output);
            let squares = losses.as_ref().map(|losses| losses.iter().map(|loss| loss * loss).collect());
            let mean = losses.map(|losses| Replay::Mean { losses, is_root: false });
            let root = squares.map(|losses| Replay::Mean { losses, is_root: true });
            let is_same = |score: f64| (score - whole).abs() <= SAME * whole.abs().max(SAME);
            let is_right = |replay: &Replay| replay.score(scorer, rows, &ones).is_some_and(is_same);
            if let Some(replay) = [mean, root, ranked(scorer, rows, output)].into_iter().flatten().find(is_right) {
                return Ok(replay);
            }
        }
        let thresholds = thresholds::of_rows(scorer.competition, scorer.metric, rows, &outputs)?;
        Ok(Replay::Outputs { outputs, thresholds })
    }

    /// Whether a draw costs no more than a pass over the rows.
    pub fn is_fast(&self) -> bool {
        !matches!(self, Replay::Outputs { .. })
    }

    /// The score where each row counts this often; None where it has none. Labels are cut by the thresholds that are best on all rows.
    pub fn score(&self, scorer: &Scorer, rows: &[u32], counts: &[u32]) -> Option<f64> {
        match self {
            Replay::Mean { losses, is_root } => {
                let counts: Vec<f64> = counts.iter().map(|&count| f64::from(count)).collect();
                mean_of(losses, &weighted(scorer, rows, &counts), *is_root)
            }
            Replay::Ranked { .. } => {
                let counts: Vec<f64> = counts.iter().map(|&count| f64::from(count)).collect();
                let counts = Array2::from_shape_vec((rows.len(), 1), counts).ok()?;
                self.areas(counts.view()).first().copied().filter(|area| area.is_finite())
            }
            Replay::Outputs { outputs, thresholds } => {
                let (rows, outputs) = drawn(rows, outputs, counts);
                scorer.score(&rows, &outputs, thresholds).ok().filter(|score| score.is_finite())
            }
        }
    }

    /// The same by the thresholds that other rows teach.
    pub fn score_apart(&self, scorer: &Scorer, rows: &[u32], taught: &[u32], counts: &[u32]) -> Option<f64> {
        match self {
            Replay::Outputs { outputs, .. } if thresholds::are_learned(scorer.competition, scorer.metric) => {
                let (taught, teaching) = drawn(rows, outputs, taught);
                let learned = thresholds::of_rows(scorer.competition, scorer.metric, &taught, &teaching).ok()?;
                let (rows, outputs) = drawn(rows, outputs, counts);
                scorer.score(&rows, &outputs, &learned).ok().filter(|score| score.is_finite())
            }
            _ => self.score(scorer, rows, counts),
        }
    }

    /// The area under the ROC curve of each draw, NaN where a class is missing. `counts`: (n_rows, n_draws).
    fn areas(&self, counts: ArrayView2<f64>) -> Vec<f64> {
        let Replay::Ranked { order, is_positive } = self else { return Vec::new() };
        let n = counts.ncols();
        // Pairs of a positive above a negative; a tie counts as half of one.
        let (mut pairs, mut below) = (vec![0.0; n], vec![0.0; n]);
        let (mut positives, mut tied) = (vec![0.0; n], [vec![0.0; n], vec![0.0; n]]);
        for &(place, is_tied) in order {
            let row = counts.row(place as usize);
            let of_class = &mut tied[usize::from(is_positive[place as usize])];
            of_class.iter_mut().zip(row).for_each(|(sum, count)| *sum += count);
            if is_tied {
                continue;
            }
            let [negative, positive] = &mut tied;
            for draw in 0..n {
                pairs[draw] += positive[draw] * (below[draw] + negative[draw] / 2.0);
                below[draw] += negative[draw];
                positives[draw] += positive[draw];
                (negative[draw], positive[draw]) = (0.0, 0.0);
            }
        }
        (0..n).map(|draw| pairs[draw] / (below[draw] * positives[draw])).collect()
    }
}

/// The scores of trials for all draws, NaN where there is none: (n_trials, n_draws).
///
/// `counts`: `draws` as numbers, (n_rows, n_draws).
pub fn scores(
    trials: &[Replay],
    scorer: &Scorer,
    rows: &[u32],
    draws: &[Vec<u32>],
    counts: &Array2<f64>,
) -> Array2<f64> {
    let mut scores = Array2::from_elem((trials.len(), draws.len()), f64::NAN);
    if trials.iter().all(|trial| matches!(trial, Replay::Mean { .. })) {
        let weights = scorer.weights(rows);
        let loss = |(trial, row): (usize, usize)| {
            let Replay::Mean { losses, .. } = &trials[trial] else { return f64::NAN };
            losses[row] * weights.as_ref().map_or(1.0, |weights| weights[row])
        };
        let sums = Array2::from_shape_fn((trials.len(), rows.len()), loss).dot(counts);
        let totals: Vec<f64> = match &weights {
            Some(weights) => ndarray::ArrayView1::from(weights).dot(counts).to_vec(),
            None => counts.sum_axis(Axis(0)).to_vec(),
        };
        for ((trial, draw), score) in scores.indexed_iter_mut() {
            let is_root = matches!(&trials[trial], Replay::Mean { is_root: true, .. });
            let mean = sums[[trial, draw]] / totals[draw];
            *score = if is_root { mean.sqrt() } else { mean };
        }
        return scores;
    }
    for (trial, mut scores) in trials.iter().zip(scores.rows_mut()) {
        if let Replay::Ranked { .. } = trial {
            scores.iter_mut().zip(trial.areas(counts.view())).for_each(|(score, area)| *score = area);
            continue;
        }
        for (score, draw) in scores.iter_mut().zip(draws) {
            *score = trial.score(scorer, rows, draw).unwrap_or(f64::NAN);
        }
    }
    scores
}

/// Each row as often as it counts.
fn drawn(rows: &[u32], outputs: &[Array2<f64>], counts: &[u32]) -> (Vec<u32>, Vec<Array2<f64>>) {
    let places = (0..rows.len()).flat_map(|place| std::iter::repeat_n(place, counts[place] as usize));
    let places: Vec<usize> = places.collect();
    let taken = outputs.iter().map(|output| output.select(Axis(0), &places)).collect();
    (places.iter().map(|&place| rows[place]).collect(), taken)
}

fn mean_of(losses: &[f64], weights: &[f64], is_root: bool) -> Option<f64> {
    let sum: f64 = losses.iter().zip(weights).map(|(loss, weight)| loss * weight).sum();
    let mean = sum / weights.iter().sum::<f64>();
    mean.is_finite().then(|| if is_root { mean.sqrt() } else { mean })
}

/// Counts times the competition's weights.
fn weighted(scorer: &Scorer, rows: &[u32], counts: &[f64]) -> Vec<f64> {
    match scorer.weights(rows) {
        Some(weights) => counts.iter().zip(weights).map(|(count, weight)| count * weight).collect(),
        None => counts.to_vec(),
    }
}

/// What the metric says of each row alone; None where it says nothing of some.
fn losses(scorer: &Scorer, rows: &[u32], output: &Array2<f64>) -> Option<Vec<f64>> {
    let Scorer { competition, metric } = *scorer;
    let column = &competition.targets[0];
    let positive = competition.positive(0);
    let decoded = decode(metric.needs(), competition.task, output.view(), column, positive, metric.range()).ok()?;
    let loss = |(place, &row): (usize, &u32)| {
        let target = column.target.take(&[row]);
        let truth = Truth {
            target: &target,
            labels: &column.labels,
            positive,
            n_train_labels: column.labels.len(),
            weights: None,
            queries: None,
        };
        metric.score(&truth, &decoded.take(&[place as u32]).as_prediction()).ok()
    };
    rows.iter().enumerate().map(loss).collect()
}

/// The order of the rows by the score of the positive class.
fn ranked(scorer: &Scorer, rows: &[u32], output: &Array2<f64>) -> Option<Replay> {
    let Scorer { competition, metric } = *scorer;
    let column = &competition.targets[0];
    let (Target::Classes { codes, n_classes: 2 }, Needs::Scores) = (&column.target, metric.needs()) else {
        return None;
    };
    if competition.weights.is_some() {
        return None;
    }
    let positive = competition.positive(0);
    let decoded = decode(metric.needs(), competition.task, output.view(), column, positive, metric.range()).ok()?;
    let Decoded::Scores(scores) = decoded else { return None };
    let mut places: Vec<u32> = (0..rows.len() as u32).collect();
    places.sort_by(|&a, &b| scores[a as usize].total_cmp(&scores[b as usize]).then(a.cmp(&b)));
    let is_tied =
        |at: usize| places.get(at + 1).is_some_and(|&next| scores[next as usize] == scores[places[at] as usize]);
    let order = places.iter().enumerate().map(|(at, &place)| (place, is_tied(at))).collect();
    Some(Replay::Ranked { order, is_positive: rows.iter().map(|&row| codes[row as usize] == positive).collect() })
}
