//! What the best of many trials is worth on rows that nobody has seen: its score is too good, for it was chosen by it.
//!
//! Bootstrap bias-corrected cross-validation (Tsamardinos, Greasidou and Borboudakis, *Bootstrapping the out-of-sample predictions for efficient and accurate cross-validation*, Machine Learning 107, 2018): each draw of the rows chooses the best trial on what it drew, and scores it on what it did not. Rows that belong together are drawn together.

use medalist_search::Seed;
use ndarray::{Array2, ArrayView1, Axis};
use rand::RngExt;
use rayon::prelude::*;

use super::replay::Replay;
use crate::competition::Competition;
use crate::error::{Error, Result};
use crate::metric::Direction;
use crate::scoring::Scorer;
use crate::thresholds;

/// What rows are drawn by.
#[derive(Clone, Debug, PartialEq)]
pub struct Units {
    /// "rows", "groups", or "blocks" of rows that follow each other in time.
    pub kind: &'static str,
    /// The unit of each row of train.
    of_row: Vec<u32>,
    n: usize,
}

impl Units {
    /// Groups where the competition has them, blocks of about the square root of the number of rows where its folds follow time, else single rows.
    pub fn of(competition: &Competition) -> Units {
        let n_rows = competition.n_train_rows();
        let (kind, of_row) = if let Some(groups) = &competition.groups {
            ("groups", groups.clone())
        } else if let Some(queries) = &competition.queries {
            ("groups", queries.clone())
        } else if let Some(times) = competition.times.as_ref().filter(|_| competition.config.folds.scheme.needs_time())
        {
            let mut order: Vec<usize> = (0..n_rows).collect();
            order.sort_by(|&a, &b| times[a].total_cmp(&times[b]).then(a.cmp(&b)));
            let length = (n_rows as f64).sqrt().ceil().max(1.0) as usize;
            let mut of_row = vec![0; n_rows];
            order.iter().enumerate().for_each(|(place, &row)| of_row[row] = (place / length) as u32);
            ("blocks", of_row)
        } else {
            ("rows", (0..n_rows as u32).collect())
        };
        let n = of_row.iter().max().map_or(0, |&most| most as usize + 1);
        Units { kind, of_row, n }
    }

    /// How often each of these rows was drawn: as many units as there are among them, with replacement.
    fn draw(&self, rows: &[u32], seed: Seed) -> Vec<u32> {
        let mut there: Vec<u32> = rows.iter().map(|&row| self.of_row[row as usize]).collect();
        there.sort_unstable();
        there.dedup();
        let (mut counts, mut rng) = (vec![0; self.n], seed.rng());
        for _ in 0..there.len() {
            counts[there[rng.random_range(0..there.len())] as usize] += 1;
        }
        rows.iter().map(|&row| counts[self.of_row[row as usize] as usize]).collect()
    }
}

/// What a study's choice is worth.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Estimate {
    /// On unseen rows, in the metric's unit.
    pub score: f64,
    /// The interval in which the score of a test set of this competition's size lies with 90 %.
    pub low: f64,
    pub high: f64,
    /// The choice's plain cross-validated score.
    pub plain: f64,
    /// Trials among which the choice was made.
    pub n_trials: usize,
    /// Trials that were stopped early, and so stayed out.
    pub n_pruned: usize,
    /// What was drawn: "rows", "groups" or "blocks".
    pub drawn: &'static str,
    pub n_draws: usize,
}

/// The trials' out-of-fold predictions, and which one was chosen.
pub struct Replayed<'a> {
    pub scorer: Scorer<'a>,
    pub units: &'a Units,
    /// Those that every trial has predicted.
    pub rows: Vec<u32>,
    pub trials: Vec<Replay>,
    /// A place in `trials`.
    pub chosen: usize,
    /// Its plain score, and that of each of its folds.
    pub plain: f64,
    pub folds: Vec<f64>,
    pub n_pruned: usize,
}

impl Replayed<'_> {
    /// # Errors
    /// When no draw has a score: a class is missing in all of them.
    pub fn estimate(&self, n_draws: usize, seed: Seed) -> Result<Estimate> {
        let direction = self.scorer.metric.direction();
        let draws: Vec<Vec<u32>> = (0..n_draws as u64)
            .into_par_iter()
            .map(|draw| self.units.draw(&self.rows, seed.child("draw", draw)))
            .collect();
        // (n_trials, n_draws), NaN where a draw has no score.
        let drawn = self.scores(&draws);
        let out_of_bag = |draw: usize| {
            let column = drawn.column(draw);
            let best = best(direction, column)?;
            let left: Vec<u32> = draws[draw].iter().map(|&count| u32::from(count == 0)).collect();
            self.trials[best].score_apart(&self.scorer, &self.rows, &draws[draw], &left)
        };
        let worth: Vec<f64> = (0..n_draws).into_par_iter().filter_map(out_of_bag).collect();
        let chosen: Vec<f64> = drawn.row(self.chosen).iter().copied().filter(|score| score.is_finite()).collect();
        if worth.is_empty() || chosen.is_empty() {
            return Err(Error::data("no draw of the rows has a score").help("a class or a group is too rare for it"));
        }
        let link = Link::of(direction, chosen.iter().chain(&worth).chain([&self.plain]));
        let on_link = |scores: &[f64]| scores.iter().map(|&score| link.to(score)).collect::<Vec<f64>>();
        let (worth, mut spread) = (on_link(&worth), on_link(&chosen));
        let centre = mean(&spread);
        // The plain score is the mean of the folds', draws are scored on rows of all folds together: hence what the choice loses, not what it is worth there. Where thresholds are learned, the choice is cut by those that know its rows, which would count as a loss.
        let is_cut = thresholds::are_learned(self.scorer.competition, self.scorer.metric);
        let score = if is_cut { mean(&worth) } else { link.to(self.plain) + mean(&worth) - centre };
        spread.iter_mut().for_each(|score| *score -= centre);
        spread.sort_by(f64::total_cmp);
        let stretch = self.stretch(&link, &spread);
        let bound = |share: f64| link.back(score + stretch * quantile(&spread, share));
        Ok(Estimate {
            score: link.back(score),
            low: bound(0.05),
            high: bound(0.95),
            plain: self.plain,
            n_trials: self.trials.len(),
            n_pruned: self.n_pruned,
            drawn: self.units.kind,
            n_draws,
        })
    }

    /// By how much more than the mean over all rows the score of a test set spreads: it has fewer rows, and folds may differ by more than their rows' chance (of models that saw other rows), which five scores tell but roughly: hence half of what they say.
    fn stretch(&self, link: &Link, spread: &[f64]) -> f64 {
        let variance = spread.iter().map(|score| score * score).sum::<f64>() / spread.len() as f64;
        let folds: Vec<f64> = self.folds.iter().map(|&score| link.to(score)).collect();
        let k = folds.len() as f64;
        let between = super::sample_std(&folds).map_or(0.0, |std| std * std);
        let ratio = if variance > 0.0 { between / (k * variance) } else { 1.0 };
        let freedom = k - 1.0;
        let excess = ((freedom * ratio + 4.0) / (freedom + 4.0)).max(1.0);
        let n_test = self.scorer.competition.test.as_ref().map(|test| test.features.n_rows());
        let smaller = n_test.map_or(0.0, |n_test| self.rows.len() as f64 / n_test.max(1) as f64);
        (excess * (1.0 + smaller)).sqrt()
    }

    fn scores(&self, draws: &[Vec<u32>]) -> Array2<f64> {
        /// Trials that are scored together: fixed, so that sums are made alike on any number of threads.
        const CHUNK: usize = 32;
        let counts = Array2::from_shape_fn((self.rows.len(), draws.len()), |(row, draw)| f64::from(draws[draw][row]));
        let mut scores = Array2::from_elem((self.trials.len(), draws.len()), f64::NAN);
        let chunks: Vec<_> = scores.axis_chunks_iter_mut(Axis(0), CHUNK).collect();
        chunks.into_par_iter().zip(self.trials.par_chunks(CHUNK)).for_each(|(mut scores, trials)| {
            let all = super::replay::scores(trials, &self.scorer, &self.rows, draws, &counts);
            scores.assign(&all);
        });
        scores
    }
}

fn best(direction: Direction, scores: ArrayView1<f64>) -> Option<usize> {
    let finite = scores.iter().enumerate().filter(|(_, score)| score.is_finite());
    finite.reduce(|best, other| if direction.better(*other.1, *best.1) { other } else { best }).map(|(place, _)| place)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Of ascending values, between the two nearest.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (place - place.floor()) * (sorted[above] - sorted[below])
}

/// A scale on which scores spread evenly, so that no interval leaves what the metric can be.
enum Link {
    /// Losses: of few rows with large ones, their root spreads more evenly than they do, and less wildly than their logarithm.
    Root,
    /// Shares in 0..1.
    Logit,
    Identity,
}

/// Shares nearer to 0 or 1 count as this near.
const LEAST_SHARE: f64 = 1e-4;

impl Link {
    fn of<'s>(direction: Direction, scores: impl Iterator<Item = &'s f64>) -> Link {
        let (mut least, mut most) = (f64::INFINITY, f64::NEG_INFINITY);
        scores.for_each(|&score| (least, most) = (least.min(score), most.max(score)));
        match direction {
            Direction::Minimize if least >= 0.0 => Link::Root,
            Direction::Maximize if least >= 0.0 && most <= 1.0 => Link::Logit,
            _ => Link::Identity,
        }
    }

    fn to(&self, score: f64) -> f64 {
        match self {
            Link::Root => score.sqrt(),
            Link::Logit => {
                let share = score.clamp(LEAST_SHARE, 1.0 - LEAST_SHARE);
                (share / (1.0 - share)).ln()
            }
            Link::Identity => score,
        }
    }

    fn back(&self, value: f64) -> f64 {
        match self {
            Link::Root => value.max(0.0).powi(2),
            Link::Logit => 1.0 / (1.0 + (-value).exp()),
            Link::Identity => value,
        }
    }
}
