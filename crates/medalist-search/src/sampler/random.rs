//! Independent uniform draws (uniform in the logarithm where a range is logarithmic).
//!
//! Bergstra and Bengio, *Random Search for Hyper-Parameter Optimization*, JMLR 13, 2012.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{History, Sampler};
use crate::error::{Error, Result};
use crate::seed::Seed;
use crate::space::{Params, SearchSpace};

/// Each trial from a stream of its own; drawn again where a constraint does not hold.
#[derive(Clone, Copy, Debug)]
pub struct Random;

/// Draws until one meets the constraints of the space.
const MOST_DRAWS: u64 = 10_000;

impl Sampler for Random {
    fn name(&self) -> &str {
        "random"
    }

    fn depends_on_history(&self) -> bool {
        false
    }

    fn sample(
        &self,
        space: &SearchSpace,
        _history: &History,
        _pending: &[Params],
        number: u64,
        seed: Seed,
    ) -> Result<Option<Params>> {
        draw(space, &mut seed.child("trial", number).rng()).map(Some)
    }
}

/// The next point of a stream at which all constraints of the space hold.
///
/// # Errors
/// When none of the next ten thousand is one.
pub(super) fn draw(space: &SearchSpace, rng: &mut ChaCha8Rng) -> Result<Params> {
    for _ in 0..MOST_DRAWS {
        // The upper 53 bits: every multiple of 2^-53 in [0, 1) alike.
        let params = space.from_unit(|_| (rng.next_u64() >> 11) as f64 * 2f64.powi(-53));
        if space.allows(&params) {
            return Ok(params);
        }
    }
    let constraints: Vec<String> = space.constraints().iter().map(|constraint| format!("`{constraint}`")).collect();
    Err(Error::NoPoint { constraints: constraints.join(" and "), n_draws: MOST_DRAWS })
}
