//! Random draws of a study, none at a point that the study has already.
//!
//! Trial n looks at the draws of the trials before it, which are a function of the seed alone: no result is read, and no trial waits.

use std::collections::HashSet;
use std::sync::Mutex;

use sha2::{Digest, Sha256};

use super::random::draw;
use super::{History, Sampler};
use crate::error::Result;
use crate::seed::Seed;
use crate::space::{Params, SearchSpace};

/// [`super::Random`] for objectives that give the same point the same score: a draw at a known point is drawn again.
///
/// A space that has no other points any more is drawn from as it is.
#[derive(Debug)]
pub(crate) struct Unrepeated {
    /// Points that the study evaluates before the first draw.
    first: Vec<Params>,
    /// For the space and seed asked about last: they can always be drawn again.
    drawn: Mutex<Option<Drawn>>,
}

/// Draws at known points, one after the other, after which a space counts as exhausted.
const MOST_REPEATS: u8 = u8::MAX;
/// Trials that are looked at; those beyond are drawn as they come.
const MOST_TRIALS: u64 = 1 << 20;

impl Unrepeated {
    pub fn new(first: Vec<Params>) -> Self {
        Unrepeated { first, drawn: Mutex::new(None) }
    }
}

impl Sampler for Unrepeated {
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
        let mut drawn = self.drawn.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let known = drawn.take().filter(|known| known.seed == seed && known.space == *space);
        let drawn = drawn.insert(known.unwrap_or_else(|| Drawn::new(space, seed, &self.first)));
        drawn.point(number).map(Some)
    }
}

#[derive(Debug)]
struct Drawn {
    space: SearchSpace,
    seed: Seed,
    points: HashSet<Key>,
    /// By the trial's number, its draws that were at known points.
    n_repeats: Vec<u8>,
    is_exhausted: bool,
}

/// Of a point, by which it is told from all others.
type Key = [u8; 16];

impl Drawn {
    fn new(space: &SearchSpace, seed: Seed, first: &[Params]) -> Self {
        let mut drawn =
            Drawn { space: space.clone(), seed, points: HashSet::new(), n_repeats: Vec::new(), is_exhausted: false };
        drawn.points.extend(first.iter().filter_map(|point| key(space, point)));
        drawn
    }

    fn point(&mut self, number: u64) -> Result<Params> {
        while self.n_repeats.len() as u64 <= number.min(MOST_TRIALS) {
            self.advance()?;
        }
        let mut rng = self.seed.child("trial", number).rng();
        let n_repeats = self.n_repeats.get(number as usize).copied().unwrap_or(0);
        for _ in 0..n_repeats {
            draw(&self.space, &mut rng)?;
        }
        draw(&self.space, &mut rng)
    }

    /// Looks at the draws of the next trial.
    fn advance(&mut self) -> Result<()> {
        let mut rng = self.seed.child("trial", self.n_repeats.len() as u64).rng();
        let mut n_repeats = 0;
        while !self.is_exhausted
            && let Some(key) = key(&self.space, &draw(&self.space, &mut rng)?)
            && !self.points.insert(key)
        {
            n_repeats += 1;
            if n_repeats == MOST_REPEATS {
                self.is_exhausted = true;
                n_repeats = 0;
            }
        }
        self.n_repeats.push(n_repeats);
        Ok(())
    }
}

/// None for a point that has a continuous parameter: it does not come twice.
fn key(space: &SearchSpace, point: &Params) -> Option<Key> {
    let is_continuous = |name: &str| space.get(name).is_some_and(|parameter| parameter.domain.n_values().is_none());
    if point.iter().any(|(name, _)| is_continuous(name)) {
        return None;
    }
    let mut key = Key::default();
    key.copy_from_slice(&Sha256::digest(point.to_json())[..16]);
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::space::Parameter;
    use crate::testing::{check_cold_and_warm, check_sampler};
    use crate::trial::Direction;

    fn points(space: &SearchSpace, first: &[Params], n: u64) -> Vec<Params> {
        let sampler = Unrepeated::new(first.to_vec());
        let nothing = History::new(&[], Direction::Minimize);
        (0..n).map(|number| sampler.sample(space, &nothing, &[], number, Seed::new(1)).unwrap().unwrap()).collect()
    }

    /// Four points of one branch, and a continuous other.
    fn branches() -> SearchSpace {
        let few = SearchSpace::new().with(Parameter::choice("kind", ["a", "b", "c", "d"]));
        let many = SearchSpace::new().with(Parameter::float("x", 0.0, 1.0));
        SearchSpace::branches("model", vec![("few".to_string(), few), ("many".to_string(), many)])
    }

    #[test]
    fn it_keeps_the_contracts() {
        check_sampler(&Unrepeated::new(Vec::new())).unwrap();
        check_cold_and_warm(|| Box::new(Unrepeated::new(Vec::new()))).unwrap();
    }

    #[test]
    fn a_branch_of_few_points_is_tried_as_often_as_it_has_points() {
        let space = branches();
        let of_few = |points: &[Params]| points.iter().filter(|point| point.get("few.kind").is_some()).count();
        assert_eq!(of_few(&points(&space, &[], 100)), 4);
        let default = space.default_point();
        let later = points(&space, std::slice::from_ref(&default), 100);
        assert_eq!(of_few(&later), 3);
        assert!(!later.contains(&default));
    }

    #[test]
    fn draws_at_new_points_are_those_of_the_plain_sampler() {
        let (space, nothing) = (branches(), History::new(&[], Direction::Minimize));
        let plain = |number| super::super::Random.sample(&space, &nothing, &[], number, Seed::new(1)).unwrap().unwrap();
        let mut seen: Vec<Params> = Vec::new();
        for (number, point) in (0..).zip(points(&space, &[], 40)) {
            let plain = plain(number);
            assert!(seen.contains(&plain) || point == plain, "{number}");
            seen.push(point);
        }
    }

    #[test]
    fn a_space_without_new_points_is_drawn_from_as_it_is() {
        let space = SearchSpace::new().with(Parameter::int("k", 1, 30));
        let drawn = points(&space, &[], 60);
        let distinct: HashSet<String> = drawn[..30].iter().map(Params::to_string).collect();
        assert_eq!(distinct.len(), 30);
        assert_eq!(points(&SearchSpace::new(), &[], 3), vec![Params::new(); 3]);
    }
}
