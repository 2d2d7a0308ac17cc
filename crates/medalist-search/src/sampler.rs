//! Samplers: which point trial n evaluates, as a pure function of the past.
//!
//! A sampler has no state and is told nothing: it reads the history. So a resume needs no checkpoint, and any process can propose any trial.

pub(crate) mod encoding;
pub(crate) mod past;
pub(crate) mod targets;
mod allowed;
mod generations;
pub(crate) mod lanes;
pub(crate) mod normals;
pub(crate) mod improvement;
pub(crate) mod neighbourhood;
mod auto;
mod cmaes;
mod forest;
pub(crate) mod gp;
mod grid;
mod nsga2;
mod random;
mod sobol;
mod tpe;
mod unrepeated;

use serde::{Deserialize, Serialize};

pub use auto::Auto;
pub use cmaes::Cmaes;
pub use forest::Forest;
pub use gp::Gp;
pub use grid::Grid;
pub use nsga2::Nsga2;
pub use random::Random;
pub use sobol::Sobol;
pub use tpe::Tpe;
pub(crate) use unrepeated::Unrepeated;

use crate::error::Result;
use crate::seed::Seed;
use crate::space::{Params, SearchSpace};
use crate::study::ObjectiveSpec;
use crate::trial::{Direction, Trial};

/// What a proposal or a pruning decision about trial n may read.
#[derive(Clone, Copy, Debug)]
pub struct History<'a> {
    /// Finished trials (complete, pruned and failed), sorted by number, all numbers at most n - window.
    pub trials: &'a [Trial],
    /// Finished trials of an earlier study, at points of this space: see [`crate::StudySpec::prior`]. Their numbers are not this study's, and their scores may be on another scale.
    pub prior: &'a [Trial],
    pub direction: Direction,
    /// Those beyond the score.
    pub objectives: &'a [ObjectiveSpec],
}

impl<'a> History<'a> {
    /// Of the score alone, without a prior.
    pub const fn new(trials: &'a [Trial], direction: Direction) -> Self {
        History { trials, prior: &[], direction, objectives: &[] }
    }

    /// Of the score, and of each further objective.
    pub(crate) fn directions(&self) -> Vec<Direction> {
        std::iter::once(self.direction).chain(self.objectives.iter().map(|objective| objective.direction)).collect()
    }
}

/// Proposes points. Implementations must answer the same question with the same bits, always.
pub trait Sampler: Send + Sync {
    fn name(&self) -> &str;

    /// False when `sample` ignores `history` and `pending`: then no trial waits for another.
    fn depends_on_history(&self) -> bool;

    /// How many points there are; none, as by default, when they never end.
    ///
    /// # Errors
    /// When the sampler's settings do not fit the space.
    fn len(&self, _space: &SearchSpace) -> Result<Option<u64>> {
        Ok(None)
    }

    /// The point numbered `number`, 0 being the first that the sampler itself proposes; none when there are no more.
    ///
    /// `history` and `pending` hold the study's other trials too, those that no sampler proposed; a trial's own number counts from the first of the study. `pending` holds the points of trials that were begun and whose results it must not know. Staged parameters are absent from the point when all of their stages are to be scored.
    ///
    /// # Errors
    /// When the sampler's settings do not fit the space.
    fn sample(
        &self,
        space: &SearchSpace,
        history: &History,
        pending: &[Params],
        number: u64,
        seed: Seed,
    ) -> Result<Option<Params>>;

    /// How it searches this space, and why where there was a choice: a few words for people, beginning with its name.
    fn describe(&self, _space: &SearchSpace, _history: &History) -> String {
        self.name().to_string()
    }

    /// The number of the complete trial that is probably the best one; none where there is no complete trial.
    ///
    /// By default the best score seen. A sampler that models the scores may look through their noise.
    fn best(&self, _space: &SearchSpace, history: &History) -> Option<u64> {
        crate::trial::best(history.trials, history.direction).map(|trial| trial.number)
    }
}

/// A sampler and its settings, as a study stores them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum SamplerSpec {
    /// See [`Grid`].
    Grid {
        levels: usize,
        named: Vec<String>,
    },
    Random,
    Sobol,
    Gp,
    Tpe,
    Cmaes,
    Forest,
    Nsga2,
    Auto,
}

impl SamplerSpec {
    pub fn build(&self) -> Box<dyn Sampler> {
        match self {
            SamplerSpec::Grid { levels, named } => Box::new(Grid::new(*levels, named.clone())),
            SamplerSpec::Random => Box::new(Random),
            SamplerSpec::Sobol => Box::new(Sobol),
            SamplerSpec::Gp => Box::new(Gp::new()),
            SamplerSpec::Tpe => Box::new(Tpe),
            SamplerSpec::Cmaes => Box::new(Cmaes::new()),
            SamplerSpec::Forest => Box::new(Forest),
            SamplerSpec::Nsga2 => Box::new(Nsga2::new()),
            SamplerSpec::Auto => Box::new(Auto::new()),
        }
    }

    /// For objectives that give the same point another score at each look: a sampler that can ask again for a point that was evaluated does, so many times at most.
    pub fn build_looking(&self, n_again: u32) -> Box<dyn Sampler> {
        match self {
            SamplerSpec::Gp => Box::new(Gp::looking_again(n_again)),
            SamplerSpec::Auto => Box::new(Auto::looking_again(n_again)),
            other => other.build(),
        }
    }

    /// Whether [`SamplerSpec::build_looking`] makes a difference.
    pub fn can_look_again(&self) -> bool {
        matches!(self, SamplerSpec::Gp | SamplerSpec::Auto)
    }

    /// The samplers that need no settings.
    pub const NAMES: [&str; 8] = ["auto", "gp", "forest", "tpe", "cmaes", "nsga2", "sobol", "random"];

    /// One of [`SamplerSpec::NAMES`].
    pub fn from_name(name: &str) -> Option<SamplerSpec> {
        match name {
            "auto" => Some(SamplerSpec::Auto),
            "gp" => Some(SamplerSpec::Gp),
            "tpe" => Some(SamplerSpec::Tpe),
            "cmaes" => Some(SamplerSpec::Cmaes),
            "forest" => Some(SamplerSpec::Forest),
            "nsga2" => Some(SamplerSpec::Nsga2),
            "sobol" => Some(SamplerSpec::Sobol),
            "random" => Some(SamplerSpec::Random),
            _ => None,
        }
    }
}
