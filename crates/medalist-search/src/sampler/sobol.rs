//! Sobol' points with Owen scrambling: more even than random ones at every length, and never on a grid.
//!
//! Burley, *Practical Hash-based Owen Scrambling*, JCGT 9(4), 2020. A coordinate has 23 bits.

use super::{History, Random, Sampler};
use crate::error::Result;
use crate::seed::Seed;
use crate::space::{Params, SearchSpace};

/// One dimension for each parameter of the space, active or not, so that a branch's points are even too. Where a constraint does not hold, a random point takes the place of Sobol's.
#[derive(Clone, Copy, Debug)]
pub struct Sobol;

/// `sobol_burley` has this many dimensions; further ones take the same dimensions under another scramble.
const N_DIMENSIONS: usize = sobol_burley::NUM_DIMENSIONS as usize;
/// And this many points; further ones begin again under another scramble.
const N_POINTS: u64 = 1 << 16;

impl Sampler for Sobol {
    fn name(&self) -> &str {
        "sobol"
    }

    fn depends_on_history(&self) -> bool {
        false
    }

    fn sample(
        &self,
        space: &SearchSpace,
        history: &History,
        pending: &[Params],
        number: u64,
        seed: Seed,
    ) -> Result<Option<Params>> {
        let points = seed.child("sobol", number / N_POINTS);
        let scramble = |block: usize| points.child("dimensions", block as u64).to_u64() as u32;
        let first = scramble(0);
        let params = space.from_unit(|i| {
            let (block, dimension) = (i / N_DIMENSIONS, (i % N_DIMENSIONS) as u32);
            let scramble = if block == 0 { first } else { scramble(block) };
            f64::from(sobol_burley::sample((number % N_POINTS) as u32, dimension, scramble))
        });
        match space.allows(&params) {
            true => Ok(Some(params)),
            false => Random.sample(space, history, pending, number, seed.child("instead", 0)),
        }
    }
}
