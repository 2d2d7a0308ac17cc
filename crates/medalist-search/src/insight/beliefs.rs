//! The model that a study's outlook asks: the Gaussian process where it applies, else a forest.

use faer::Mat;

use crate::sampler::Gp;
use crate::sampler::History;
use crate::sampler::encoding::Encoding;
use crate::sampler::gp;
use crate::sampler::improvement::Normal;
use crate::sampler::past::Past;
use crate::sampler::targets::standardised;
use crate::seed::Seed;
use crate::surrogate::forest::{Forest, Sample};
use crate::surrogate::joint::Joint;
use crate::surrogate::tree::Growth;

/// What is believed of scores, low being good, in units of its own: [`Scale`] knows them.
pub(crate) enum Beliefs {
    Process(gp::Beliefs),
    Forest { forest: Forest, noise: f64 },
}

/// Beyond this many free parameters the process learns too little from tens of trials to pay for its time.
const MOST_FREE: usize = 60;
/// With fewer results there is nothing to tell.
const LEAST_RESULTS: usize = 5;
const N_TREES: usize = 100;
const MOST_ROWS: usize = 1000;
const GROWTH: Growth = Growth { least_rows: 2, n_cuts: 4, share: 0.8 };

impl Beliefs {
    /// None with too few results, or where they have nothing to do with the parameters.
    pub fn new(encoding: &Encoding, past: &Past) -> Option<Beliefs> {
        let n_free = encoding.free().len();
        if past.len() < LEAST_RESULTS || n_free == 0 {
            return None;
        }
        if n_free <= MOST_FREE
            && let Some(process) = Gp::new().beliefs(encoding, past)
        {
            return Some(Beliefs::Process(process));
        }
        let values = standardised(&past.values);
        let seed = Seed::new(past.len() as u64).child("outlook", 0);
        let sample = Sample::Bootstrap(MOST_ROWS);
        let forest = Forest::grow(encoding, &past.rows, &values, N_TREES, sample, GROWTH, seed);
        let noise = past.rows.iter().map(|row| forest.within(row)).sum::<f64>() / past.len() as f64;
        Some(Beliefs::Forest { forest, noise })
    }

    /// What it is called.
    pub fn name(&self) -> &'static str {
        match self {
            Beliefs::Process(_) => "gp",
            Beliefs::Forest { .. } => "forest",
        }
    }

    /// What it says of each row by itself.
    pub fn of(&self, rows: &[Vec<f64>]) -> Vec<Normal> {
        match self {
            Beliefs::Process(process) => process.of(rows),
            Beliefs::Forest { forest, .. } => rows.iter().map(|row| forest.predict(row)).collect(),
        }
    }

    /// What it says of all rows together: alternatives with their shares.
    pub fn joint(&self, rows: &[Vec<f64>]) -> Vec<(f64, Joint)> {
        match self {
            Beliefs::Process(process) => process.joint(rows),
            Beliefs::Forest { forest, noise } => vec![(1.0, jointly(forest, *noise, rows))],
        }
    }
}

/// As if the trees were draws of the function.
fn jointly(forest: &Forest, noise: f64, rows: &[Vec<f64>]) -> Joint {
    let n_trees = forest.trees.len();
    // (n_rows, n_trees)
    let mut away = Mat::from_fn(rows.len(), n_trees, |i, t| forest.trees[t].leaf(&rows[i]).mean);
    let means: Vec<f64> = (0..rows.len()).map(|i| away.row(i).iter().sum::<f64>() / n_trees as f64).collect();
    for t in 0..n_trees {
        for (entry, mean) in away.col_as_slice_mut(t).iter_mut().zip(&means) {
            *entry -= mean;
        }
    }
    let mut covariance = Mat::<f64>::zeros(rows.len(), rows.len());
    for t in 0..n_trees {
        let column = away.col_as_slice(t);
        for (j, other) in column.iter().enumerate() {
            for (entry, one) in covariance.col_as_slice_mut(j).iter_mut().zip(column) {
                *entry += one * other / n_trees as f64;
            }
        }
    }
    Joint { means, covariance, noise }
}

/// From a model's units back to scores, whatever transform it has learned from: along the results that it was shown.
pub(crate) struct Scale {
    /// (in the model's units, as a score to be minimised), ascending in both.
    knots: Vec<(f64, f64)>,
    /// Beyond the best result: scores per unit.
    slope: f64,
}

impl Scale {
    pub fn new(past: &Past) -> Scale {
        let mut knots: Vec<(f64, f64)> =
            standardised(&past.values).into_iter().zip(past.values.iter().copied()).collect();
        knots.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        knots.dedup_by(|later, earlier| later.0 - earlier.0 <= 1e-12);
        // The slope among the better half, so that one lucky result does not set it.
        let (first, half) = (knots[0], knots[knots.len() / 2]);
        let slope = if half.0 > first.0 { (half.1 - first.1) / (half.0 - first.0) } else { 0.0 };
        Scale { knots, slope }
    }

    /// The score at a place in the model's units.
    pub fn score(&self, at: f64) -> f64 {
        let above = self.knots.partition_point(|knot| knot.0 < at);
        if above == 0 {
            return self.knots[0].1 + self.slope * (at - self.knots[0].0);
        }
        let Some(high) = self.knots.get(above) else { return self.knots[above - 1].1 };
        let low = self.knots[above - 1];
        low.1 + (high.1 - low.1) * (at - low.0) / (high.0 - low.0)
    }
}

/// How far the mean of a trial over the folds is off by chance, as the folds' scores tell: the standard error that is left when each fold's own difficulty is taken out, for half of the trials below it. None without two complete trials of two folds.
pub(crate) fn fold_noise(history: &History) -> Option<f64> {
    // A further look is at other folds.
    let scored = history.trials.iter().filter(|trial| trial.score.is_some() && trial.look() == 0);
    let scored: Vec<Vec<f64>> = scored.map(|trial| trial.folds.iter().map(|fold| fold.score).collect()).collect();
    let n_folds = scored.first()?.len();
    let scored: Vec<&Vec<f64>> = scored.iter().filter(|folds| folds.len() == n_folds).collect();
    if n_folds < 2 || scored.len() < 2 {
        return None;
    }
    let (n, k) = (scored.len() as f64, n_folds as f64);
    let mean = |folds: &[f64]| folds.iter().sum::<f64>() / k;
    let difficulty = |fold: usize| scored.iter().map(|folds| folds[fold] - mean(folds)).sum::<f64>() / n;
    let difficulties: Vec<f64> = (0..n_folds).map(difficulty).collect();
    let error = |folds: &&Vec<f64>| {
        let left = folds.iter().zip(&difficulties).map(|(score, difficulty)| score - mean(folds) - difficulty);
        (left.map(|left| left * left).sum::<f64>() / (k - 1.0) / k).sqrt()
    };
    let mut errors: Vec<f64> = scored.iter().map(error).collect();
    errors.sort_by(f64::total_cmp);
    Some(errors[errors.len() / 2]).filter(|error| error.is_finite())
}
