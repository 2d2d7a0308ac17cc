//! Search with several objectives: a population that moves towards the trials that no other beats, and spreads along them.
//!
//! Deb, Pratap, Agarwal and Meyarivan, *A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II*, IEEE TEC 6(2), 2002. Its generations follow from the numbers of the trials: see [`super::generations`]. With one objective it is a plain genetic algorithm with elitism.

mod breeding;
mod population;

use super::encoding::Encoding;
use super::generations::{Cache, Results};
use super::normals::Normals;
use super::{History, Sampler, Sobol};
use crate::error::Result;
use crate::seed::Seed;
use crate::space::{Params, SearchSpace};
use crate::trial::{Direction, Trial};
use breeding::Breeding;
use population::Population;

/// Proposes Sobol' points until the first generation is closed.
#[derive(Debug, Default)]
pub struct Nsga2 {
    cache: Cache<(SearchSpace, Vec<Direction>), Population>,
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
        let key = (space.clone(), directions.clone());
        let child = self.cache.with(
            key,
            &results,
            Population::new,
            |population| population.n_used,
            |population| {
                population.advance(&encoding, &directions, &results);
                Nsga2::child(&encoding, population, &results, pending, seed.child("trial", number))
            },
        );
        match child {
            Some(child) => Ok(Some(child)),
            None => Sobol.sample(space, history, pending, number, seed),
        }
    }
}

#[cfg(test)]
mod tests;
