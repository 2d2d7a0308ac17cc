//! Points of a space with constraints: proposals are drawn again until one is allowed.

use crate::seed::Seed;
use crate::space::{Params, SearchSpace};

/// Proposals of a sampler that are drawn, before random points are tried.
const MOST_PROPOSALS: u64 = 100;

/// The first of the proposals, each from a seed of its own, at which all constraints hold; none where none of a hundred is.
///
/// The first has the seed given: where there are no constraints, nothing changes.
pub(crate) fn first_allowed(
    space: &SearchSpace,
    seed: Seed,
    mut propose: impl FnMut(Seed) -> Option<Params>,
) -> Option<Params> {
    let seeds = std::iter::once(seed).chain((1..MOST_PROPOSALS).map(|again| seed.child("again", again)));
    seeds.map_while(&mut propose).find(|params| space.allows(params))
}
