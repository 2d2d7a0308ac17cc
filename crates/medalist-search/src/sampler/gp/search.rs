//! Where the acquisition is highest: many candidates, of which the best are improved by gradients and by neighbours.

use std::collections::BTreeSet;

use argmin::core::{CostFunction, Executor, Gradient, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;

use super::acquisition::Improvement;
use super::design::Feature;
use crate::sampler::encoding::Shape;
use crate::sampler::neighbourhood::Neighbourhood;

/// Candidates from anywhere, and from around the best rows.
const N_WIDE: usize = 200;
const N_LOCAL: usize = 200;
/// Candidates that are left when some of the process's parts have scored all of them.
const N_SCREENED: usize = 120;
/// Candidates that are improved further.
const N_STARTS: usize = 4;
/// Candidates that are handed on.
const N_KEPT: usize = 40;
const N_CLIMB_STEPS: u64 = 20;

pub(super) struct Search<'a> {
    pub features: &'a [Feature],
    pub neighbourhood: Neighbourhood<'a>,
}

/// A row with its features and what it promises.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub row: Vec<f64>,
    pub value: f64,
}

impl Search<'_> {
    pub fn features_of(&self, row: &[f64]) -> Vec<f64> {
        Feature::row(self.features, row)
    }

    /// The most promising rows found, some of them improved. `seeds` are rows worth a look around, the best first.
    pub fn maximise(&mut self, improvement: &Improvement, seeds: &[Vec<f64>]) -> Vec<Candidate> {
        let mut rows: Vec<Vec<f64>> = seeds.to_vec();
        for _ in 0..N_WIDE {
            rows.push(self.neighbourhood.anywhere());
        }
        if !seeds.is_empty() {
            for i in 0..N_LOCAL {
                let row = self.neighbourhood.near(&seeds[i % seeds.len()]);
                rows.push(row);
            }
        }
        let rows = self.allowed(distinct(rows));
        let screened = best_first(self.scored(&improvement.screening(), rows));
        let rows = screened.into_iter().take(N_SCREENED).map(|candidate| candidate.row).collect();
        let mut candidates = best_first(self.scored(improvement, rows));
        candidates.truncate(N_KEPT);
        for i in 0..candidates.len().min(N_STARTS) {
            let candidate = &mut candidates[i];
            for _ in 0..2 {
                let before = candidate.value;
                self.climb(improvement, candidate);
                if !self.step(improvement, candidate) && candidate.value - before < 1e-3 {
                    break;
                }
            }
        }
        best_first(candidates)
    }

    /// Those at which the constraints of the space hold.
    fn allowed(&self, mut rows: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
        rows.retain(|row| self.neighbourhood.encoding.allows(row));
        rows
    }

    fn scored(&self, improvement: &Improvement, rows: Vec<Vec<f64>>) -> Vec<Candidate> {
        let features: Vec<Vec<f64>> = rows.iter().map(|row| self.features_of(row)).collect();
        let values = improvement.of(&features);
        rows.into_iter()
            .zip(values)
            .map(|(row, value)| Candidate { row, value: if value.is_nan() { f64::NEG_INFINITY } else { value } })
            .collect()
    }

    /// Climbs along the gradient in the continuous parameters.
    fn climb(&mut self, improvement: &Improvement, candidate: &mut Candidate) {
        let is_free = |feature: &Feature| {
            self.neighbourhood.encoding.dimensions[feature.position].shape == Shape::Continuous
                && !candidate.row[feature.position].is_nan()
        };
        let free: Vec<usize> = (0..self.features.len()).filter(|&k| is_free(&self.features[k])).collect();
        if free.is_empty() {
            return;
        }
        let start = self.features_of(&candidate.row);
        let problem = Climb { improvement, start: &start, free: &free, last: std::cell::RefCell::new(None) };
        let angles: Vec<f64> = free.iter().map(|&k| angle(start[k])).collect();
        let solver = LBFGS::new(MoreThuenteLineSearch::new(), 8)
            .with_tolerance_grad(1e-6)
            .and_then(|solver| solver.with_tolerance_cost(1e-5));
        let run = solver.and_then(|solver| {
            Executor::new(&problem, solver)
                .configure(|state| state.param(angles).max_iters(N_CLIMB_STEPS))
                .ctrlc(false)
                .run()
        });
        let Ok(result) = run else { return };
        let Some(best) = result.state().get_best_param() else { return };
        let mut row = candidate.row.clone();
        for (&k, angle) in free.iter().zip(best) {
            row[self.features[k].position] = place(*angle);
        }
        if row.iter().zip(&candidate.row).any(|(a, b)| a.is_nan() != b.is_nan()) {
            return;
        }
        self.neighbourhood.encoding.settle(&mut row, |_| 0.5);
        let mut climbed = self.scored(improvement, self.allowed(vec![row]));
        if let Some(climbed) = climbed.pop()
            && climbed.value > candidate.value
        {
            *candidate = climbed;
        }
    }

    /// To the best neighbour in the other parameters, as long as there is a better one; returns whether there was.
    fn step(&mut self, improvement: &Improvement, candidate: &mut Candidate) -> bool {
        let mut moved = false;
        for _ in 0..4 {
            let rows = self.neighbourhood.neighbours(&candidate.row);
            let rows = self.allowed(rows);
            if rows.is_empty() {
                return false;
            }
            let best = self.scored(improvement, rows).into_iter().reduce(|a, b| if b.value > a.value { b } else { a });
            match best {
                Some(best) if best.value > candidate.value => {
                    *candidate = best;
                    moved = true;
                }
                _ => break,
            }
        }
        moved
    }
}

fn best_first(mut candidates: Vec<Candidate>) -> Vec<Candidate> {
    candidates.sort_by(|a, b| b.value.total_cmp(&a.value));
    candidates
}

/// Each row once, in the order of their first places: in a small space many are the same, and would crowd out the others.
fn distinct(rows: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    let mut known: BTreeSet<Vec<u64>> = BTreeSet::new();
    let bits = |row: &Vec<f64>| row.iter().map(|at| at.to_bits()).collect();
    rows.into_iter().filter(|row| known.insert(bits(row))).collect()
}

/// The unit interval as a cosine: a search without bounds stays inside.
fn place(angle: f64) -> f64 {
    0.5 - 0.5 * angle.cos()
}

fn angle(place: f64) -> f64 {
    // At the very ends there would be no slope.
    (1.0 - 2.0 * place.clamp(1e-4, 1.0 - 1e-4)).acos()
}

struct Climb<'a> {
    improvement: &'a Improvement<'a>,
    start: &'a [f64],
    free: &'a [usize],
    last: std::cell::RefCell<Option<Evaluated>>,
}

impl Climb<'_> {
    fn evaluate(&self, angles: &[f64]) -> Result<(f64, Vec<f64>), argmin::core::Error> {
        if let Some((at, value, gradient)) = self.last.borrow().as_ref()
            && at == angles
        {
            return Ok((*value, gradient.clone()));
        }
        let mut features = self.start.to_vec();
        for (&k, angle) in self.free.iter().zip(angles) {
            features[k] = place(*angle);
        }
        let (value, slopes) = self.improvement.with_slope(&features);
        if !value.is_finite() {
            return Err(argmin::core::Error::msg("no improvement to speak of"));
        }
        let gradient: Vec<f64> =
            self.free.iter().zip(angles).map(|(&k, angle)| -slopes[k] * 0.5 * angle.sin()).collect();
        *self.last.borrow_mut() = Some((angles.to_vec(), -value, gradient.clone()));
        Ok((-value, gradient))
    }
}

impl CostFunction for &Climb<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, angles: &Vec<f64>) -> Result<f64, argmin::core::Error> {
        Ok(self.evaluate(angles)?.0)
    }
}

impl Gradient for &Climb<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, angles: &Vec<f64>) -> Result<Vec<f64>, argmin::core::Error> {
        Ok(self.evaluate(angles)?.1)
    }
}

/// Angles, the value there, and its gradient.
type Evaluated = (Vec<f64>, f64, Vec<f64>);
