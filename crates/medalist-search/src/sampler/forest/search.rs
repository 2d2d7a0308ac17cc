//! Where a forest promises most: candidates from anywhere and from around good rows, the best of them improved step by step.

use crate::sampler::improvement::log_improvement;
use crate::sampler::neighbourhood::Neighbourhood;
use crate::surrogate::forest::Forest;

/// Candidates from anywhere, and from around the best rows.
const N_WIDE: usize = 150;
const N_LOCAL: usize = 250;
/// Candidates that are improved further, and for how many steps at most.
const N_STARTS: usize = 6;
const N_STEPS: usize = 8;
/// Rows tried beside a candidate in a step, other than those that differ in a category or by a cell.
const N_NEAR: usize = 12;

pub(super) struct Search<'a> {
    pub forest: &'a Forest,
    /// The lowest mean at a row that was evaluated.
    pub incumbent: f64,
    /// Rows that need not be proposed again.
    pub known: &'a [Vec<f64>],
    pub neighbourhood: Neighbourhood<'a>,
}

struct Candidate {
    row: Vec<f64>,
    value: f64,
}

impl Search<'_> {
    /// The best row found that is not known; none where all rows tried are. `seeds` are rows worth a look around.
    pub fn maximise(&mut self, seeds: &[&[f64]]) -> Option<Vec<f64>> {
        let mut rows: Vec<Vec<f64>> = (0..N_WIDE).map(|_| self.neighbourhood.anywhere()).collect();
        rows.extend((0..N_LOCAL).map(|i| self.neighbourhood.near(seeds[i % seeds.len()])));
        let mut candidates: Vec<Candidate> = rows.into_iter().filter_map(|row| self.candidate(row)).collect();
        candidates.sort_by(|a, b| b.value.total_cmp(&a.value));
        candidates.truncate(N_STARTS);
        for candidate in &mut candidates {
            for _ in 0..N_STEPS {
                let mut rows = self.neighbourhood.neighbours(&candidate.row);
                rows.extend((0..N_NEAR).map(|_| self.neighbourhood.near(&candidate.row)));
                let better = rows.into_iter().filter_map(|row| self.candidate(row)).reduce(higher);
                match better {
                    Some(better) if better.value > candidate.value => *candidate = better,
                    _ => break,
                }
            }
        }
        candidates.into_iter().reduce(higher).map(|candidate| candidate.row)
    }

    fn candidate(&self, row: Vec<f64>) -> Option<Candidate> {
        if self.known.iter().any(|known| same(known, &row)) || !self.neighbourhood.encoding.allows(&row) {
            return None;
        }
        let mut normal = self.forest.predict(&row);
        normal.variance = normal.variance.max(LEAST_VARIANCE);
        Some(Candidate { value: log_improvement(normal, self.incumbent), row })
    }
}

/// Of standardised values: so that the logarithm is finite where all trees agree.
const LEAST_VARIANCE: f64 = 1e-12;

fn higher(a: Candidate, b: Candidate) -> Candidate {
    if b.value > a.value { b } else { a }
}

/// NaN equals NaN.
fn same(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()))
}
