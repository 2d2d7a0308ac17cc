//! Covariance matrix adaptation: draws points from a normal distribution, and moves and shapes it after the better ones.
//!
//! Hansen, *The CMA Evolution Strategy: A Tutorial*, arXiv:1604.00772, over the numbers; a margin keeps integers, steps and ordered choices from freezing, categories have probabilities of their own, and a run that has converged begins again with twice the population. The whole run is read off the history again, which is what makes it a pure function of it: see [`super::generations`] for which trial belongs to which generation.

mod categories;
mod covariance;
mod distribution;
mod gaussian;
mod margin;
mod run;
mod strategy;

use super::allowed::first_allowed;
use super::encoding::Encoding;
use super::generations::{Cache, Results};
use super::{History, Random, Sampler};
use crate::error::Result;
use crate::seed::Seed;
use crate::space::{Params, SearchSpace};
use distribution::Coordinates;
use run::{Problem, Run};

/// Begins about the default point. Says nothing about a parameter where it is not active.
#[derive(Debug, Default)]
pub struct Cmaes {
    cache: Cache<(SearchSpace, Seed), Run>,
}

impl Cmaes {
    pub fn new() -> Self {
        Cmaes::default()
    }
}

impl Sampler for Cmaes {
    fn name(&self) -> &str {
        "cmaes"
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
        let coordinates = Coordinates::new(&encoding);
        let problem = Problem { space, encoding: &encoding, coordinates, seed };
        let results = Results::new(history);
        let proposed = self.cache.with(
            (space.clone(), seed),
            &results,
            || Run::new(&problem),
            |run| run.n_used,
            |run| {
                run.advance(&problem, &results);
                first_allowed(space, seed, |seed| {
                    let problem = Problem { seed, ..problem.clone() };
                    Some(encoding.params(&run.draw(&problem, number).row))
                })
            },
        );
        match proposed {
            Some(params) => Ok(Some(params)),
            None => Random.sample(space, history, pending, number, seed),
        }
    }
}

#[cfg(test)]
mod tests;
