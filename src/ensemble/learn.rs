//! How the weights of an ensemble's members are learned.

use medalist_search::Seed;
use ndarray::Array2;
use rand::seq::SliceRandom;
use rayon::prelude::*;

use super::Pool;
use crate::metric::Direction;

/// Rows that weights are learned from, at most: beyond, more of them change a weight by less than its noise.
pub(super) const MAX_ROWS: usize = 10_000;
/// Of the greedy selection, each over half of the members.
const N_BAGS: u64 = 5;
/// Members are picked this often in a bag at most; a dozen times is usual.
const MAX_PICKS: usize = 25;
/// Picks in a row without a gain that end a bag.
const PATIENCE: usize = 3;
/// Weights below are not worth the fit of their member.
const MIN_WEIGHT: f64 = 0.02;
const N_STEPS: usize = 500;

/// What weights are chosen by, smaller is better.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// The competition's metric.
    Metric,
    /// The log loss of probabilities, the squared error of values: where the metric looks at labels alone, which hardly move with a weight.
    Proper,
}

/// The members' predictions of the rows that weights are learned from: per member, one matrix per target.
pub(super) struct Lesson {
    rows: Vec<u32>,
    members: Vec<Vec<Array2<f64>>>,
}

impl Pool<'_> {
    pub(super) fn lesson(&self, members: &[Vec<Array2<f64>>], rows: &[u32], seed: Seed) -> Lesson {
        let mut rows = rows.to_vec();
        // Rows of one query belong together.
        if rows.len() > MAX_ROWS && self.scorer.competition.queries.is_none() {
            rows.shuffle(&mut seed.child("rows", 0).rng());
            rows.truncate(MAX_ROWS);
            rows.sort_unstable();
        }
        let places: Vec<usize> = rows.iter().map(|&row| row as usize).collect();
        let gather = |outputs: &Vec<Array2<f64>>| {
            outputs.iter().map(|output| output.select(ndarray::Axis(0), &places)).collect()
        };
        Lesson { rows, members: members.iter().map(gather).collect() }
    }

    /// The one member that is best there: weight 1.
    pub(super) fn single_by_loss(&self, lesson: &Lesson) -> Vec<f64> {
        let losses: Vec<f64> =
            lesson.members.par_iter().map(|member| self.loss(&lesson.rows, member.clone())).collect();
        let mut weights = vec![0.0; losses.len()];
        if let Some(best) = (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])) {
            weights[best] = 1.0;
        }
        weights
    }

    /// Forward selection with replacement from the best member on, the mean over bags (Caruana, Niculescu-Mizil, Crew and Ksikes 2004).
    pub(super) fn greedy(&self, lesson: &Lesson, seed: Seed) -> Vec<f64> {
        let n = lesson.members.len();
        let bags: Vec<Vec<f64>> = (0..N_BAGS)
            .into_par_iter()
            .map(|bag| {
                let mut drawn: Vec<usize> = (0..n).collect();
                if n > 4 {
                    drawn.shuffle(&mut seed.child("bag", bag).rng());
                    drawn.truncate(n.div_ceil(2));
                    drawn.sort_unstable();
                }
                self.pick(lesson, &drawn)
            })
            .collect();
        let mut weights = vec![0.0; n];
        for bag in &bags {
            weights.iter_mut().zip(bag).for_each(|(sum, weight)| *sum += weight);
        }
        pruned(weights)
    }

    /// One bag: how often each member was picked, over the number of picks.
    fn pick(&self, lesson: &Lesson, drawn: &[usize]) -> Vec<f64> {
        let n = lesson.members.len();
        let mut sums: Vec<Array2<f64>> = lesson.members[0].iter().map(|output| output * 0.0).collect();
        let (mut picks, mut best) = (Vec::new(), (f64::INFINITY, 0));
        while picks.len() < MAX_PICKS && picks.len() < best.1 + PATIENCE {
            let share = 1.0 / (picks.len() + 1) as f64;
            let tried = drawn.iter().map(|&member| {
                let mixed = sums.iter().zip(&lesson.members[member]).map(|(sum, output)| (sum + output) * share);
                (self.loss(&lesson.rows, mixed.collect()), member)
            });
            let Some((loss, member)) = tried.min_by(|a, b| a.0.total_cmp(&b.0)) else { break };
            sums.iter_mut().zip(&lesson.members[member]).for_each(|(sum, output)| *sum += output);
            picks.push(member);
            if loss < best.0 {
                best = (loss, picks.len());
            }
        }
        let mut weights = vec![0.0; n];
        // No mixture has a score on these rows: nothing tells the members apart.
        if best.1 == 0 {
            drawn.iter().for_each(|&member| weights[member] = 1.0 / drawn.len() as f64);
        }
        for &member in &picks[..best.1] {
            weights[member] += 1.0 / best.1 as f64;
        }
        weights
    }

    /// Non-negative weights of sum 1 that minimise the log loss (by expectation and maximisation, as of a mixture) or the squared error (by projected gradients on the members' Gram matrix).
    pub(super) fn stack(&self, lesson: &Lesson) -> Vec<f64> {
        let (truths, row_weights) = (self.truths(&lesson.rows), self.row_weights(&lesson.rows));
        let is_probable = self.form.is_probable();
        let n = lesson.members.len();
        // One number for each member, target and row: the truth's probability, or the value.
        let columns: Vec<Vec<f64>> = lesson
            .members
            .iter()
            .map(|member| {
                let mut column = Vec::new();
                for (output, truth) in member.iter().zip(&truths) {
                    column.extend(truth.iter().zip(output.rows()).map(|(&truth, row)| {
                        if is_probable { row[truth as usize].max(LEAST_PROBABILITY) } else { row[0] }
                    }));
                }
                column
            })
            .collect();
        let weight = |row: usize| row_weights[row % lesson.rows.len()];
        let mut weights = vec![1.0 / n as f64; n];
        if is_probable {
            let n_values = columns[0].len();
            let total: f64 = (0..n_values).map(weight).sum();
            for _ in 0..N_STEPS {
                let mut shares = vec![0.0; n];
                for row in 0..n_values {
                    let mixed: f64 = weights.iter().zip(&columns).map(|(weight, column)| weight * column[row]).sum();
                    let scaled = weight(row) / mixed;
                    shares.iter_mut().zip(&columns).for_each(|(share, column)| *share += scaled * column[row]);
                }
                let mut moved: f64 = 0.0;
                for (weight, share) in weights.iter_mut().zip(shares) {
                    let next = *weight * share / total;
                    moved = moved.max((next - *weight).abs());
                    *weight = next;
                }
                if moved < 1e-5 {
                    break;
                }
            }
            return pruned(weights);
        }
        let truth: Vec<f64> = truths.concat();
        let product = |a: &[f64], b: &[f64]| -> f64 {
            a.iter().zip(b).enumerate().map(|(row, (a, b))| weight(row) * a * b).sum()
        };
        // Of errors and not of values: the weights sum to 1, so that the mixture's error is the errors' mixture.
        let errors: Vec<Vec<f64>> = columns
            .iter()
            .map(|column| column.iter().zip(&truth).map(|(value, truth)| value - truth).collect())
            .collect();
        let gram = Array2::from_shape_fn((n, n), |(a, b)| if a <= b { product(&errors[a], &errors[b]) } else { 0.0 });
        let gram = Array2::from_shape_fn((n, n), |(a, b)| gram[[a.min(b), a.max(b)]]);
        let bound: f64 =
            gram.rows().into_iter().map(|row| row.iter().map(|entry| entry.abs()).sum()).fold(0.0, f64::max);
        if bound > 0.0 && bound.is_finite() {
            for _ in 0..20 * N_STEPS {
                let gradient = gram.dot(&ndarray::ArrayView1::from(&weights));
                let stepped = weights.iter().zip(&gradient).map(|(weight, slope)| weight - slope / bound).collect();
                weights = on_simplex(stepped);
            }
        }
        pruned(weights)
    }

    /// Of a mixture in the pool's form, by the goal; infinite where it has no score.
    fn loss(&self, rows: &[u32], mixed: Vec<Array2<f64>>) -> f64 {
        match self.goal {
            Goal::Metric => {
                let outputs: Vec<_> = mixed.into_iter().map(|mixed| self.form.back(self.scale, mixed)).collect();
                let score = self.scorer.score(rows, &outputs, &[]).ok().filter(|score| score.is_finite());
                match self.scorer.metric.direction() {
                    Direction::Minimize => score.unwrap_or(f64::INFINITY),
                    Direction::Maximize => score.map_or(f64::INFINITY, |score| -score),
                }
            }
            Goal::Proper => {
                let (truths, weights) = (self.truths(rows), self.row_weights(rows));
                let mut sum = 0.0;
                for (mixed, truth) in mixed.iter().zip(&truths) {
                    for ((row, &truth), weight) in mixed.rows().into_iter().zip(truth).zip(&weights) {
                        sum += weight
                            * if self.form.is_probable() {
                                -row[truth as usize].max(LEAST_PROBABILITY).ln()
                            } else {
                                (row[0] - truth).powi(2)
                            };
                    }
                }
                sum
            }
        }
    }
}

const LEAST_PROBABILITY: f64 = 1e-15;

/// The nearest point whose coordinates are not negative and sum to 1 (Held, Wolfe and Crowder 1974).
fn on_simplex(point: Vec<f64>) -> Vec<f64> {
    let mut sorted = point.clone();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let (mut sum, mut shift) = (0.0, 0.0);
    for (n, value) in sorted.iter().enumerate() {
        sum += value;
        let next = (sum - 1.0) / (n + 1) as f64;
        if *value > next {
            shift = next;
        }
    }
    point.into_iter().map(|value| (value - shift).max(0.0)).collect()
}

/// Without the weights that are not worth their fits, summing to 1.
fn pruned(mut weights: Vec<f64>) -> Vec<f64> {
    let total: f64 = weights.iter().sum();
    let largest = weights.iter().copied().fold(0.0, f64::max);
    weights.iter_mut().filter(|weight| **weight < (MIN_WEIGHT * total).min(largest)).for_each(|weight| *weight = 0.0);
    let kept: f64 = weights.iter().sum();
    weights.iter_mut().for_each(|weight| *weight /= kept);
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_point_of_the_simplex() {
        assert_eq!(on_simplex(vec![0.2, 0.8]), [0.2, 0.8]);
        assert_eq!(on_simplex(vec![2.0, 0.0, -1.0]), [1.0, 0.0, 0.0]);
        // By hand: 0.6 and 0.8 less 0.2 each, and nothing of -0.4.
        let near = on_simplex(vec![0.6, 0.8, -0.4]);
        assert!(near.iter().zip([0.4, 0.6, 0.0]).all(|(a, b): (&f64, f64)| (a - b).abs() < 1e-12), "{near:?}");
    }

    #[test]
    fn small_weights_are_dropped_and_the_rest_sums_to_one() {
        assert_eq!(pruned(vec![0.99, 0.01]), [1.0, 0.0]);
        assert_eq!(pruned(vec![0.01; 4]), [0.25; 4]);
    }
}
