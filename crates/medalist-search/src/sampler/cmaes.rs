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

use std::fmt;
use std::sync::Mutex;

use super::allowed::first_allowed;
use super::encoding::Encoding;
use super::generations::Results;
use super::{History, Random, Sampler};
use crate::error::Result;
use crate::seed::Seed;
use crate::space::{Params, SearchSpace};
use distribution::Coordinates;
use run::{Problem, Run};

/// Begins about the default point. Says nothing about a parameter where it is not active.
#[derive(Default)]
pub struct Cmaes {
    /// The run that was asked for last: it can always be run again.
    cache: Mutex<Option<Cached>>,
}

struct Cached {
    space: SearchSpace,
    seed: Seed,
    /// Of the results it has learned from.
    digest: u64,
    run: Run,
}

impl Cmaes {
    pub fn new() -> Self {
        Cmaes::default()
    }
}

impl fmt::Debug for Cmaes {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Cmaes").finish_non_exhaustive()
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
        let mut cache = self.cache.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let is_known = |cached: &Cached| {
            let n_used = cached.run.n_used;
            cached.space == *space
                && cached.seed == seed
                && n_used <= results.own.len()
                && cached.digest == results.digest(n_used)
        };
        let mut run = match cache.take().filter(is_known) {
            Some(cached) => cached.run,
            None => Run::new(&problem),
        };
        run.advance(&problem, &results);
        let proposed = first_allowed(space, seed, |seed| {
            let problem = Problem { seed, ..problem.clone() };
            Some(encoding.params(&run.draw(&problem, number).row))
        });
        let digest = results.digest(run.n_used);
        *cache = Some(Cached { space: space.clone(), seed, digest, run });
        drop(cache);
        match proposed {
            Some(params) => Ok(Some(params)),
            None => Random.sample(space, history, pending, number, seed),
        }
    }
}

#[cfg(test)]
mod tests;
