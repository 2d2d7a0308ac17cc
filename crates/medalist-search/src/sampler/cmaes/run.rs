//! The strategy's run over the results of a history, generation by generation, with restarts.

use std::collections::VecDeque;

use super::distribution::{Coordinates, Distribution, Draw, Member};
use super::strategy::default_population;
use crate::sampler::encoding::Encoding;
use crate::sampler::generations::Results;
use crate::sampler::normals::Normals;
use crate::seed::Seed;
use crate::space::SearchSpace;
use crate::trial::Trial;

/// The distribution after the last generation that is closed.
pub(super) struct Run {
    distribution: Distribution,
    population: usize,
    /// How many of the sampler's own results it has learned from.
    pub n_used: usize,
    n_restarts: u64,
    /// The best and the worst value of the last generations.
    values: VecDeque<(f64, f64)>,
}

/// What a run is about.
#[derive(Clone)]
pub(super) struct Problem<'a> {
    pub space: &'a SearchSpace,
    pub encoding: &'a Encoding<'a>,
    pub coordinates: Coordinates,
    pub seed: Seed,
}

/// The first step size. Coordinates lie in [0, 1].
const FIRST_SIGMA: f64 = 0.2;

/// A run that has shrunk to this share of its first step size in all coordinates has converged.
const CONVERGED: f64 = 1e-12;
/// Values of several generations that differ by no more than this say nothing.
const FLAT: f64 = 1e-12;
/// Axes that differ by this factor or more are beyond what the numbers can hold.
const MOST_ELONGATION: f64 = 1e7;
/// A restart doubles the population, up to this.
const MOST_POPULATION: usize = 1 << 12;

impl Run {
    pub fn new(problem: &Problem) -> Self {
        let parameters = problem.space.parameters();
        let default = |position: usize| {
            let parameter = &parameters[position];
            parameter.domain.to_unit(&parameter.default).unwrap_or(0.5)
        };
        let mean = problem.coordinates.numbers.iter().map(|(position, _)| default(*position)).collect();
        Run {
            distribution: Distribution::new(&problem.coordinates, mean, FIRST_SIGMA),
            population: default_population(problem.coordinates.len()),
            n_used: 0,
            n_restarts: 0,
            values: VecDeque::new(),
        }
    }

    #[cfg(test)]
    pub fn population(&self) -> usize {
        self.population
    }

    /// Closes each generation whose results are in.
    pub fn advance(&mut self, problem: &Problem, results: &Results) {
        while let Some(generation) = results.own.get(self.n_used..self.n_used + self.population) {
            let first = if self.n_used == 0 { results.first.as_slice() } else { &[] };
            let mut ranked = results.ranked(first.iter().chain(generation).copied());
            ranked.truncate(self.population);
            let members = ranked.iter().map(|trial| self.member(problem, results, trial)).collect();
            let strategy = self.distribution.strategy(self.population);
            let values: Vec<f64> = ranked.iter().filter_map(|trial| results.value(trial)).collect();
            self.n_used += self.population;
            // Where nothing has a score, the ranks say nothing.
            if let [best, .., worst] | [best @ worst] = *values.as_slice() {
                let is_sound = self.distribution.update(&problem.coordinates, &strategy, members);
                self.values.push_back((best, worst));
                if !is_sound || self.has_converged(problem) {
                    self.restart(problem);
                }
            }
        }
    }

    /// The point of the trial for which the sampler was asked by this number.
    pub fn draw(&self, problem: &Problem, number: u64) -> Draw {
        let seed = problem.seed.child("trial", number);
        let z = self.directions(problem.seed, number);
        self.distribution.draw(problem.encoding, &problem.coordinates, &z, seed)
    }

    fn member(&self, problem: &Problem, results: &Results, trial: &Trial) -> Member {
        let number = results.own_number(trial);
        let draw = self.draw(problem, number);
        let drawn = problem.encoding.params(&draw.row);
        let parameters = problem.space.parameters().iter().filter(|parameter| !parameter.staged);
        if parameters.map(|parameter| &parameter.name).all(|name| drawn.get(name) == trial.params.get(name)) {
            return self.distribution.drawn(&problem.coordinates, &draw);
        }
        let mut row = problem.encoding.row(&trial.params);
        problem.encoding.settle(&mut row, |_| 0.5);
        self.distribution.injected(&problem.coordinates, &row, problem.seed.child("trial", trial.number))
    }

    /// A vector of standard normal numbers: the trials of a generation come in pairs that go opposite ways, and the pairs at right angles to each other as far as there are dimensions.
    ///
    /// Brockhoff et al., *Mirrored Sampling and Sequential Selection for Evolution Strategies*, PPSN 2010; Wang, Emmerich and Bäck, *Mirrored Orthogonal Sampling with Pairwise Selection in Evolution Strategies*, SAC 2014.
    fn directions(&self, seed: Seed, number: u64) -> Vec<f64> {
        let n = self.distribution.gaussian.mean.len();
        let place = number.saturating_sub(self.n_used as u64);
        let (round, place) = (place / self.population as u64, place % self.population as u64);
        let start = self.n_used as u64 + round * self.population as u64;
        let mut normals = Normals(seed.child("generation", start).rng());
        let mut pairs: Vec<Vec<f64>> = Vec::new();
        let mut length = 0.0;
        for pair in 0..=place as usize / 2 {
            if n == 0 || pair % n == 0 {
                pairs.clear();
            }
            let direction: Vec<f64> = (0..n).map(|_| normals.normal()).collect();
            length = (0..n).map(|_| normals.normal().powi(2)).sum::<f64>().sqrt();
            pairs.push(at_right_angles(direction, &pairs));
        }
        let signed = if place % 2 == 0 { length } else { -length };
        pairs.pop().unwrap_or_default().into_iter().map(|x| x * signed).collect()
    }

    fn has_converged(&mut self, problem: &Problem) -> bool {
        let gaussian = &self.distribution.gaussian;
        let n = gaussian.mean.len();
        let n_flat = 10 + (30 * n).div_ceil(self.population);
        while self.values.len() > n_flat {
            self.values.pop_front();
        }
        let best = self.values.iter().map(|(best, _)| *best).fold(f64::INFINITY, f64::min);
        let worst = self.values.iter().map(|(_, worst)| *worst).fold(f64::NEG_INFINITY, f64::max);
        if self.values.len() == n_flat && worst - best < FLAT {
            return true;
        }
        let is_small = |i: usize| {
            let path = gaussian.sigma * gaussian.path_covariance[i].abs();
            gaussian.deviation(i).max(path) < CONVERGED * FIRST_SIGMA
        };
        let is_lost = |i: usize| {
            let thresholds = &problem.coordinates.numbers[i].1;
            thresholds.is_empty() && gaussian.mean[i] == gaussian.mean[i] + 0.2 * gaussian.deviation(i)
        };
        n > 0 && ((0..n).all(is_small) || (0..n).any(is_lost) || gaussian.covariance.elongation() > MOST_ELONGATION)
    }

    /// Begins again anywhere, with twice the population: Auger and Hansen, *A Restart CMA Evolution Strategy With Increasing Population Size*, CEC 2005.
    fn restart(&mut self, problem: &Problem) {
        self.n_restarts += 1;
        let mut normals = Normals(problem.seed.child("restart", self.n_restarts).rng());
        let mean = problem.coordinates.numbers.iter().map(|_| normals.unit()).collect();
        self.distribution = Distribution::new(&problem.coordinates, mean, FIRST_SIGMA);
        self.population = (2 * self.population).min(MOST_POPULATION);
        self.values.clear();
    }
}

/// The part of a vector that is at right angles to unit vectors that are so to each other, made 1 long.
fn at_right_angles(mut vector: Vec<f64>, others: &[Vec<f64>]) -> Vec<f64> {
    for other in others {
        let along: f64 = vector.iter().zip(other).map(|(a, b)| a * b).sum();
        vector.iter_mut().zip(other).for_each(|(a, b)| *a -= along * b);
    }
    let length = vector.iter().map(|x| x * x).sum::<f64>().sqrt();
    if length > 0.0 {
        vector.iter_mut().for_each(|x| *x /= length);
    }
    vector
}
