//! The past as a surrogate model wants it: one row and one value to be minimised for each finished trial.

use std::collections::BTreeMap;

use super::History;
use super::encoding::{Encoding, Shape};
use crate::trial::{Direction, StepValue, Trial, TrialState};

pub(crate) struct Past {
    /// Those of the prior come first.
    pub rows: Vec<Vec<f64>>,
    /// Low is good.
    pub values: Vec<f64>,
    /// The place of each in the study's own history; none for those of the prior.
    pub trials: Vec<Option<usize>>,
}

/// What was asked for: see [`Trial::asked`].
fn asked(encoding: &Encoding, trial: &Trial) -> Vec<f64> {
    match &trial.stages {
        None => encoding.row(&trial.params),
        Some(_) => encoding.row(&trial.asked()),
    }
}

impl Past {
    /// Complete trials have their score; pruned ones the mean of the folds they have, or else the last value of their steps, moved by how much the complete trials' score differs from theirs on the same folds or at that step; failed ones are as bad as the worst.
    ///
    /// The values of the prior are moved and scaled to those of the study itself: see [`aligned`].
    pub fn new(encoding: &Encoding, history: &History) -> Past {
        let mut past = Past { rows: Vec::new(), values: Vec::new(), trials: Vec::new() };
        let own = values(history.trials, history.direction);
        let prior = values(history.prior, history.direction);
        let rows = |trials: &[Trial], values: &[(usize, f64)]| -> Vec<Vec<f64>> {
            values.iter().map(|(place, _)| asked(encoding, &trials[*place])).collect()
        };
        let (own_rows, prior_rows) = (rows(history.trials, &own), rows(history.prior, &prior));
        let numbers = |values: &[(usize, f64)]| values.iter().map(|(_, value)| *value).collect::<Vec<f64>>();
        past.values = aligned(encoding, (&prior_rows, &numbers(&prior)), (&own_rows, &numbers(&own)));
        past.values.extend(numbers(&own));
        past.trials = prior.iter().map(|_| None).chain(own.iter().map(|(place, _)| Some(*place))).collect();
        past.rows = prior_rows;
        past.rows.extend(own_rows);
        past
    }

    /// The places in the history of the study's own trials that have a value, and the value, low being good.
    pub fn values(history: &History) -> Vec<(usize, f64)> {
        values(history.trials, history.direction)
    }

    /// Those of the study's own trials: a prior's points were not asked for here.
    pub fn own_rows(&self) -> impl Iterator<Item = &Vec<f64>> {
        self.rows.iter().zip(&self.trials).filter(|(_, trial)| trial.is_some()).map(|(row, _)| row)
    }

    pub fn len(&self) -> usize {
        self.values.len()
    }
}

/// The places of the trials that have a value, and the value, low being good.
fn values(trials: &[Trial], direction: Direction) -> Vec<(usize, f64)> {
    let sign = if direction == Direction::Minimize { 1.0 } else { -1.0 };
    let mut moves = BTreeMap::new();
    let known: Vec<Option<f64>> = trials
        .iter()
        .map(|trial| match trial.state {
            TrialState::Complete => trial.score,
            TrialState::Pruned => {
                let n_folds = trial.folds.len();
                if n_folds == 0 {
                    return value_of_steps(trial, trials);
                }
                Some(trial.mean_over(n_folds)? + *moves.entry(n_folds).or_insert_with(|| moved(trials, n_folds)))
            }
            TrialState::Failed { .. } | TrialState::Waiting | TrialState::Running => None,
        })
        .map(|value| value.map(|value| sign * value).filter(|value| value.is_finite()))
        .collect();
    let worst = known.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    let values = known.into_iter().map(|value| value.unwrap_or(worst)).enumerate();
    values.filter(|(_, value)| value.is_finite()).collect()
}

/// How much the score of complete trials differs from the mean of their first `n_folds` folds, on average.
fn moved(trials: &[Trial], n_folds: usize) -> f64 {
    let complete = trials.iter().filter(|trial| trial.state == TrialState::Complete);
    let moved = complete.filter_map(|trial| Some(trial.score? - trial.mean_over(n_folds)?));
    let (sum, n) = moved.fold((0.0, 0.0), |(sum, n), moved| (sum + moved, n + 1.0));
    if n > 0.0 { sum / n } else { 0.0 }
}

fn value_of_steps(trial: &Trial, among: &[Trial]) -> Option<f64> {
    let StepValue { fold, step, value: seen } = *trial.steps.last()?;
    let complete = among.iter().filter(|other| other.state == TrialState::Complete);
    let moved = complete.filter_map(|other| Some(other.score? - other.value_at(fold, step)?));
    let (sum, n) = moved.fold((0.0, 0.0), |(sum, n), moved| (sum + moved, n + 1.0));
    Some(if n > 0.0 { seen + sum / n } else { seen })
}

/// Results that are compared with the prior at most.
const MOST_COMPARED: usize = 64;
/// Fewer than this many say nothing about the scale.
const N_SCALE: usize = 4;
/// Scores that spread within this factor of each other count as of one scale: a handful of results tells no more.
const SAME_SCALE: f64 = 4.0;

/// The values of the prior on the scale of the study's own.
///
/// Of another study only the shape is believed. At each of the study's own points the prior expects the value of its nearest point. The median of the differences moves it to where the results are, and where these spread more than [`SAME_SCALE`] times as much, or as little, it is stretched alike. The first 1, 2, 4, .. results are compared, so that the values stay the same in between.
fn aligned(encoding: &Encoding, prior: (&[Vec<f64>], &[f64]), own: (&[Vec<f64>], &[f64])) -> Vec<f64> {
    let (prior_rows, prior_values) = prior;
    if prior_values.is_empty() || own.1.is_empty() {
        return prior_values.to_vec();
    }
    let n = MOST_COMPARED.min(1 << own.1.len().ilog2());
    let expected = own.0[..n].iter().map(|row| {
        let distances = prior_rows.iter().map(|other| distance(encoding, row, other));
        let nearest = distances.enumerate().reduce(|a, b| if b.1 < a.1 { b } else { a });
        nearest.map_or(f64::NAN, |(place, _)| prior_values[place])
    });
    let expected: Vec<f64> = expected.collect();
    let ratio = spread(&own.1[..n]) / spread(&expected);
    let is_other = n >= N_SCALE && ratio.is_normal() && !(1.0 / SAME_SCALE..=SAME_SCALE).contains(&ratio);
    let scale = if is_other { ratio } else { 1.0 };
    let shift = median(own.1.iter().zip(&expected).map(|(value, expected)| value - scale * expected).collect());
    prior_values.iter().map(|value| scale * value + shift).collect()
}

/// The squared distance of two rows; a parameter that only one of them has, or another category, counts as the whole of its range.
fn distance(encoding: &Encoding, one: &[f64], other: &[f64]) -> f64 {
    let pairs = one.iter().zip(other).zip(&encoding.dimensions);
    let distances = pairs.map(|((a, b), dimension)| match dimension.shape {
        _ if a.is_nan() && b.is_nan() => 0.0,
        _ if a.is_nan() || b.is_nan() => 1.0,
        Shape::Categories(_) => f64::from(u8::from(a != b)),
        _ => (a - b).powi(2),
    });
    distances.fold(0.0, |sum, distance| sum + distance)
}

/// The median distance from the median.
fn spread(values: &[f64]) -> f64 {
    let middle = median(values.to_vec());
    median(values.iter().map(|value| (value - middle).abs()).collect())
}

/// Of an even number, the upper of the two in the middle.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::{Parameter, SearchSpace};
    use crate::testing::past_trial;

    fn trials(scores: impl Iterator<Item = (f64, f64)>) -> Vec<Trial> {
        let trial = |(number, (x, score)): (u64, (f64, f64))| {
            let mut trial = past_trial(0, [("x", x)].into(), 0.0, 1);
            (trial.number, trial.score) = (number, Some(score));
            trial
        };
        (0..).zip(scores).map(trial).collect()
    }

    /// A parabola seen in the prior with an offset and a scale; the study itself has seen `n` of its points.
    fn prior_values(n: usize, offset: f64, scale: f64) -> Vec<f64> {
        let space = SearchSpace::new().with(Parameter::float("x", 0.0, 1.0));
        let at = |i: usize| (i as f64 * 0.618).fract();
        let bowl = |x: f64| (x - 0.3).powi(2);
        let prior = trials((0..40).map(|i| (at(i), offset + scale * bowl(at(i)))));
        let own = trials((0..n).map(|i| (at(i), bowl(at(i)))));
        let history = History { prior: &prior, ..History::new(&own, Direction::Minimize) };
        let past = Past::new(&Encoding::new(&space), &history);
        assert_eq!(past.trials, [vec![None; 40], (0..n).map(Some).collect()].concat());
        assert_eq!(past.rows.len(), past.len());
        past.values[..40].to_vec()
    }

    #[test]
    fn a_prior_on_another_scale_is_brought_to_this_one() {
        let bowl = |i: usize| ((i as f64 * 0.618).fract() - 0.3).powi(2);
        for (offset, scale) in [(0.0, 1.0), (100.0, 1.0), (-3.0, 50.0), (7.0, 1e-3)] {
            for n in [4, 9, 40] {
                for (i, value) in prior_values(n, offset, scale).into_iter().enumerate() {
                    assert!((value - bowl(i)).abs() < 1e-9, "{n} results, {offset} + {scale} x: {value}");
                }
            }
        }
    }

    #[test]
    fn a_prior_alone_stays_as_it_is_and_one_result_moves_it() {
        let alone = prior_values(0, 5.0, 2.0);
        assert_eq!(alone[0], 5.0 + 2.0 * 0.3f64.powi(2));
        let moved = prior_values(1, 5.0, 2.0);
        assert!((moved[0] - 0.09).abs() < 1e-12 && (moved[1] - moved[0] - (alone[1] - alone[0])).abs() < 1e-12);
    }
}
