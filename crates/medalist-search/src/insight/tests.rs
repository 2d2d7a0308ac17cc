mod importance;
mod outlook;

use crate::sampler::{History, Random, Sampler};
use crate::seed::Seed;
use crate::space::{Params, SearchSpace};
use crate::testing::scored;
use crate::trial::{Direction, Trial};

/// Random points with their scores.
fn trials(space: &SearchSpace, n: u64, score: impl Fn(&Params) -> f64) -> Vec<Trial> {
    let history = History::new(&[], Direction::Minimize);
    let point = |number| Random.sample(space, &history, &[], number, Seed::new(3)).unwrap().unwrap();
    (0..n).map(|number| scored(number, point(number), &score)).collect()
}
