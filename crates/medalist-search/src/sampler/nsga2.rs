//! Search with several objectives: a population that moves towards the trials that no other beats, and spreads along them.
//!
//! Deb, Pratap, Agarwal and Meyarivan, *A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II*, IEEE TEC 6(2), 2002. Its generations follow from the numbers of the trials: see [`super::generations`]. With one objective it is a plain genetic algorithm with elitism.

mod breeding;
mod population;

use std::fmt;
use std::sync::Mutex;

use super::encoding::Encoding;
use super::generations::Results;
use super::normals::Normals;
use super::{History, Sampler, Sobol};
use crate::error::Result;
use crate::seed::Seed;
use crate::space::{Params, SearchSpace};
use crate::trial::{Direction, Trial};
use breeding::Breeding;
use population::Population;

/// Proposes Sobol' points until the first generation is closed.
#[derive(Default)]
pub struct Nsga2 {
    /// The population that was asked for last: it can always be made again.
    cache: Mutex<Option<Cached>>,
}

struct Cached {
    space: SearchSpace,
    directions: Vec<Direction>,
    /// Of the results that it is made of.
    digest: u64,
    population: Population,
}

/// A child that was tried already is bred again, so often at most: a small space may have no others left.
const MOST_CHILDREN: usize = 20;

impl Nsga2 {
    pub fn new() -> Self {
        Nsga2::default()
    }

    fn child(
        encoding: &Encoding,
        population: &Population,
        results: &Results,
        pending: &[Params],
        seed: Seed,
    ) -> Option<Params> {
        let tried: Vec<Params> = results.trials().map(Trial::asked).collect();
        let mut breeding = Breeding::new(encoding, Normals(seed.rng()));
        let mut child = None;
        for _ in 0..MOST_CHILDREN {
            let row = breeding.child(population)?;
            let params = encoding.params(&row);
            if !encoding.allows(&row) {
                continue;
            }
            let is_known = tried.contains(&params) || pending.contains(&params);
            child = Some(params);
            if !is_known {
                break;
            }
        }
        child
    }
}

impl fmt::Debug for Nsga2 {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("Nsga2").finish_non_exhaustive()
    }
}

impl Sampler for Nsga2 {
    fn name(&self) -> &str {
        "nsga2"
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
        let results = Results::new(history);
        let directions = history.directions();
        let mut cache = self.cache.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let is_known = |cached: &Cached| {
            let n_used = cached.population.n_used;
            cached.space == *space
                && cached.directions == directions
                && n_used <= results.own.len()
                && cached.digest == results.digest(n_used)
        };
        let mut population = match cache.take().filter(is_known) {
            Some(cached) => cached.population,
            None => Population::new(),
        };
        population.advance(&encoding, &directions, &results);
        let child = Nsga2::child(&encoding, &population, &results, pending, seed.child("trial", number));
        let digest = results.digest(population.n_used);
        *cache = Some(Cached { space: space.clone(), directions, digest, population });
        drop(cache);
        match child {
            Some(child) => Ok(Some(child)),
            None => Sobol.sample(space, history, pending, number, seed),
        }
    }
}

#[cfg(test)]
mod tests;
