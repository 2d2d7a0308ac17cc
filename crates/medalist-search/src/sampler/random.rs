//! Independent uniform draws (uniform in the logarithm where a range is logarithmic).
//!
//! Bergstra and Bengio, *Random Search for Hyper-Parameter Optimization*, JMLR 13, 2012.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::{History, Sampler};
use crate::error::Result;
use crate::seed::Seed;
use crate::space::{Params, SearchSpace};

/// Each trial from a stream of its own.
#[derive(Clone, Copy, Debug)]
pub struct Random;

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
        Ok(Some(draw(space, &mut seed.child("trial", number).rng())))
    }
}

/// The next point of a stream.
pub(super) fn draw(space: &SearchSpace, rng: &mut ChaCha8Rng) -> Params {
    // The upper 53 bits: every multiple of 2^-53 in [0, 1) alike.
    space.from_unit(|_| (rng.next_u64() >> 11) as f64 * 2f64.powi(-53))
}
