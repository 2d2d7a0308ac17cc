//! A random forest as the surrogate: for wide spaces with conditions, where most parameters are inactive at any point.
//!
//! After Hutter et al., *Sequential Model-Based Optimization for General Algorithm Configuration*, LION 2011 (SMAC), with randomised cuts, a short start, and a search of the mixed neighbourhood.

mod search;

use super::encoding::Encoding;
use super::neighbourhood::Neighbourhood;
use super::normals::Normals;
use super::past::Past;
use super::targets::standardised;
use super::{History, Random, Sampler, Sobol};
use crate::error::Result;
use crate::seed::Seed;
use crate::space::{Params, SearchSpace};
use crate::surrogate::forest::{Forest as Trees, Sample};
use crate::surrogate::tree::Growth;
use search::Search;

/// Proposes Sobol' points until some results are known, then by the forest, and now and then at random.
#[derive(Clone, Copy, Debug, Default)]
pub struct Forest;

/// Results that are wanted before the forest is asked.
const N_STARTUP: usize = 5;
/// Every so many proposals one is random, so that no branch of the space is forgotten.
const RANDOM_EVERY: u64 = 5;
/// Few trees that each see a sample: where they have little to go by they disagree, and that is looked at.
const N_TREES: usize = 10;
const GROWTH: Growth = Growth { least_rows: 1, n_cuts: 3, share: 1.0 };
/// Rows that a tree sees at most.
const MOST_ROWS: usize = 1000;
/// Which trial is best is told by many trees that all see all results, two of them in each leaf at least: so each result is held against those beside it.
const N_JUDGES: usize = 100;
const JUDGED: Growth = Growth { least_rows: 2, n_cuts: 2, share: 1.0 };
/// Rows around which is looked first.
const N_SEEDS: usize = 8;

/// What the forest learns from: the logarithm of the rank, so that good results are told apart and bad ones are not, however scores are spread.
fn targets(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = |value: &f64| sorted.partition_point(|other| other < value) as f64 + 1.0;
    standardised(&values.iter().map(|value| rank(value).ln()).collect::<Vec<f64>>())
}

fn grown(encoding: &Encoding, rows: &[Vec<f64>], values: &[f64], seed: Seed) -> Trees {
    Trees::grow(encoding, rows, values, N_TREES, Sample::Bootstrap(MOST_ROWS), GROWTH, seed)
}

impl Sampler for Forest {
    fn name(&self) -> &str {
        "forest"
    }

    fn depends_on_history(&self) -> bool {
        true
    }

    fn sample(
        &self,
        space: &SearchSpace,
        history: &History,
        pending: &[Params],
        number: u64,
        seed: Seed,
    ) -> Result<Option<Params>> {
        let encoding = Encoding::new(space);
        let mut past = Past::new(&encoding, history);
        if past.len() < N_STARTUP || encoding.free().is_empty() {
            return Sobol.sample(space, history, pending, number, seed);
        }
        if (number + 1).is_multiple_of(RANDOM_EVERY) {
            return Random.sample(space, history, pending, number, seed);
        }
        let here = seed.child("forest", number);
        let mut values = targets(&past.values);
        let mut forest = grown(&encoding, &past.rows, &values, here.child("known", 0));
        let mut asked: Vec<Vec<f64>> = past.own_rows().cloned().collect();
        // Pending points are believed to come out at the mean that is expected there.
        if !pending.is_empty() {
            let waiting: Vec<Vec<f64>> = pending.iter().map(|params| encoding.row(params)).collect();
            values.extend(waiting.iter().map(|row| forest.predict(row).mean));
            asked.extend_from_slice(&waiting);
            past.rows.extend(waiting);
            forest = grown(&encoding, &past.rows, &values, here.child("believed", 0));
        }
        let means: Vec<f64> = past.rows.iter().map(|row| forest.predict(row).mean).collect();
        let mut order: Vec<usize> = (0..means.len()).collect();
        order.sort_by(|a, b| means[*a].total_cmp(&means[*b]));
        let seeds: Vec<&[f64]> = order.iter().take(N_SEEDS).map(|&place| past.rows[place].as_slice()).collect();
        let mut search = Search {
            forest: &forest,
            incumbent: means[order[0]],
            known: &asked,
            neighbourhood: Neighbourhood::new(&encoding, Normals(here.child("search", 0).rng())),
        };
        match search.maximise(&seeds) {
            Some(row) => Ok(Some(encoding.params(&row))),
            None => Random.sample(space, history, pending, number, seed),
        }
    }

    fn best(&self, space: &SearchSpace, history: &History) -> Option<u64> {
        let encoding = Encoding::new(space);
        let past = Past::new(&encoding, history);
        let seen = crate::trial::best(history.trials, history.direction)?.number;
        if past.len() < N_STARTUP {
            return Some(seen);
        }
        let seed = Seed::new(past.len() as u64).child("best", 0);
        let values = targets(&past.values);
        let forest = Trees::grow(&encoding, &past.rows, &values, N_JUDGES, Sample::All, JUDGED, seed);
        let own = past.rows.iter().zip(&past.trials).filter_map(|(row, trial)| Some((row, &history.trials[(*trial)?])));
        let complete = own.filter(|(_, trial)| trial.score.is_some());
        let expected = complete.map(|(row, trial)| (forest.predict(row).mean, trial.number));
        expected.reduce(|a, b| if b.0 < a.0 { b } else { a }).map(|(_, number)| number)
    }
}

#[cfg(test)]
mod tests;
