//! Chooses the sampler by the space.

use super::encoding::Encoding;
use super::{Gp, History, Sampler, Sobol};
use crate::error::Result;
use crate::seed::Seed;
use crate::space::{Params, SearchSpace};

/// [`Gp`] where at most 60 parameters have more than one value, else [`Sobol`].
#[derive(Debug, Default)]
pub struct Auto {
    gp: Gp,
}

/// Beyond this many free parameters the process learns too little from tens of trials to pay for its time.
const MOST_FREE: usize = 60;

impl Auto {
    pub fn new() -> Self {
        Auto::default()
    }

    /// For objectives that give the same point another score at each look: see [`Gp::looking_again`].
    pub fn looking_again(n_again: u32) -> Self {
        Auto { gp: Gp::looking_again(n_again) }
    }

    fn chosen(&self, space: &SearchSpace) -> &dyn Sampler {
        if Encoding::new(space).free().len() <= MOST_FREE { &self.gp } else { &Sobol }
    }
}

impl Sampler for Auto {
    fn name(&self) -> &str {
        "auto"
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
        self.chosen(space).sample(space, history, pending, number, seed)
    }

    fn describe(&self, space: &SearchSpace, _history: &History) -> String {
        let n_free = Encoding::new(space).free().len();
        format!("auto takes {}: {n_free} parameters have more than one value", self.chosen(space).name())
    }

    fn best(&self, space: &SearchSpace, history: &History) -> Option<u64> {
        self.chosen(space).best(space, history)
    }
}
