//! What is known: the points of finished trials, by how good they are, and of pending ones.

use super::stage::Stage;
use crate::sampler::History;
use crate::sampler::encoding::Encoding;
use crate::sampler::past::Past;
use crate::space::Params;
use crate::trial::TrialState;

/// The share of the trials that is good: Bergstra et al. took 15 %, Optuna takes 10 %.
const GOOD_SHARE: f64 = 0.1;
/// At most so many are good; Optuna's number.
const MOST_GOOD: usize = 25;
/// The bad density has at most so many components: beyond, it hardly changes and costs time.
const MOST_BAD: usize = 128;

pub(super) struct Evidence {
    n_parameters: usize,
    /// (n_points, n_parameters): the rows of finished trials, in their order, then of pending ones.
    rows: Vec<f64>,
    /// Places of the trials that did not fail.
    best_first: Vec<usize>,
    n_finished: usize,
}

impl Evidence {
    pub fn new(encoding: &Encoding, history: &History, pending: &[Params]) -> Self {
        let finished = Past::values(history);
        let trial = |place: usize| &history.trials[finished[place].0];
        let failed = |place: &usize| matches!(trial(*place).state, TrialState::Failed { .. });
        let mut best_first: Vec<usize> = (0..finished.len()).filter(|place| !failed(place)).collect();
        best_first.sort_by(|&a, &b| finished[a].1.total_cmp(&finished[b].1));
        let points = (0..finished.len()).map(|place| &trial(place).params).chain(pending);
        let n_parameters = encoding.len();
        let mut rows = vec![f64::NAN; (finished.len() + pending.len()) * n_parameters];
        for (params, row) in points.zip(rows.chunks_exact_mut(n_parameters.max(1))) {
            encoding.write_row(params, row);
        }
        Evidence { n_parameters, rows, best_first, n_finished: finished.len() }
    }

    fn n_points(&self) -> usize {
        self.rows.len() / self.n_parameters.max(1)
    }

    fn at(&self, place: usize, position: usize) -> f64 {
        self.rows[place * self.n_parameters + position]
    }

    pub fn n_finished(&self) -> usize {
        self.n_finished
    }

    /// The places of the good points among those that have all of a stage's parameters, best first, and of the bad ones, in their order: failed and pending ones are bad.
    pub fn split(&self, stage: &Stage) -> (Vec<usize>, Vec<usize>) {
        let has = |place: &usize| stage.positions().all(|position| !self.at(*place, position).is_nan());
        let n_finished = (0..self.n_finished).filter(has).count();
        let n_good = ((GOOD_SHARE * n_finished as f64).ceil() as usize).min(MOST_GOOD);
        let good: Vec<usize> = self.best_first.iter().copied().filter(has).take(n_good).collect();
        let mut is_good = vec![false; self.n_points()];
        good.iter().for_each(|&place| is_good[place] = true);
        let bad = (0..self.n_points()).filter(|place| !is_good[*place] && has(place)).collect();
        (good, thinned(bad, MOST_BAD))
    }

    /// Per parameter of a stage, the numbers of these points.
    pub fn columns(&self, stage: &Stage, places: &[usize]) -> Vec<Vec<f64>> {
        stage.positions().map(|position| places.iter().map(|&place| self.at(place, position)).collect()).collect()
    }
}

/// At most `n` of the places: the last ones are half of these, the others are spread over the rest.
fn thinned(places: Vec<usize>, n: usize) -> Vec<usize> {
    if places.len() <= n {
        return places;
    }
    let n_spread = n - n / 2;
    let (earlier, last) = places.split_at(places.len() - n / 2);
    (0..n_spread).map(|i| earlier[i * earlier.len() / n_spread]).chain(last.iter().copied()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_the_last_and_spreads_over_the_rest() {
        assert_eq!(thinned((0..5).collect(), 8), [0, 1, 2, 3, 4]);
        assert_eq!(thinned((0..100).collect(), 8), [0, 24, 48, 72, 96, 97, 98, 99]);
    }
}
