//! Tree-structured Parzen estimator: models where good and bad trials lie by two densities, and proposes where their ratio is highest.
//!
//! Bergstra et al., *Algorithms for Hyper-Parameter Optimization*, NeurIPS 2011; multivariate, with the parts that Watanabe, *Tree-Structured Parzen Estimator: Understanding Its Algorithm Components and Their Roles for Better Empirical Performance*, arXiv 2304.11127, found to matter. In a conditional space a branch is chosen first, by its own ratio, and then what the branch has, from those trials alone that have it too.

mod axis;
mod normal;
mod parzen;
mod evidence;
mod stage;

use super::allowed::first_allowed;
use super::encoding::Encoding;
use super::normals::Normals;
use super::{History, Random, Sampler, Sobol};
use crate::error::Result;
use crate::seed::Seed;
use crate::space::{Params, SearchSpace};
use axis::Axis;
use evidence::Evidence;
use parzen::Parzen;
use stage::Stage;

/// Proposes Sobol' points until ten results are known, then by the densities.
///
/// Pending points count as bad ones, so that the next proposal keeps away from them; failed trials do too.
#[derive(Clone, Copy, Debug)]
pub struct Tpe;

/// Results that are wanted before the densities are asked; Optuna's default.
const N_STARTUP: usize = 10;
/// Points drawn from the good density, of which the one with the highest ratio is proposed; Bergstra et al.'s number. 64 of them were no better and cost more.
const N_CANDIDATES: usize = 24;

impl Sampler for Tpe {
    fn name(&self) -> &str {
        "tpe"
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
        let encoding = Encoding::new(space);
        let evidence = Evidence::new(&encoding, history, pending);
        if evidence.n_finished() < N_STARTUP {
            return Sobol.sample(space, history, pending, number, seed);
        }
        let proposed = first_allowed(space, seed.child("trial", number), |seed| {
            let mut normals = Normals(seed.rng());
            let mut row = vec![f64::NAN; encoding.len()];
            for stage in Stage::all(space, &encoding) {
                encoding.fix(&mut row);
                if encoding.is_active(stage.open[0], &row) {
                    let axes: Vec<Axis> =
                        stage.positions().map(|position| Axis::new(space, &encoding, position)).collect();
                    let chosen = choose(&encoding, &evidence, &stage, &axes, &row, &mut normals);
                    stage.open.iter().zip(chosen).for_each(|(&position, at)| row[position] = at);
                }
            }
            encoding.fix(&mut row);
            Some(encoding.params(&row))
        });
        match proposed {
            Some(params) => Ok(Some(params)),
            None => Random.sample(space, history, pending, number, seed),
        }
    }
}

/// Values of the open parameters of a stage.
fn choose(
    encoding: &Encoding,
    evidence: &Evidence,
    stage: &Stage,
    axes: &[Axis],
    row: &[f64],
    normals: &mut Normals,
) -> Vec<f64> {
    let (good, bad) = evidence.split(stage);
    let given: Vec<f64> = stage.given.iter().map(|&position| row[position]).collect();
    let density = |places: &[usize], weights: &[f64]| {
        Parzen::new(axes, &evidence.columns(stage, places), weights).given(axes, &given)
    };
    let good = density(&good, &rank_weights(good.len()));
    let bad = density(&bad, &vec![1.0; bad.len()]);
    let mut candidates: Vec<Vec<f64>> = (0..N_CANDIDATES).map(|_| good.draw(axes, normals)).collect();
    for candidate in &mut candidates {
        for (at, &position) in candidate.iter_mut().zip(&stage.open) {
            *at = encoding.snapped(position, *at);
        }
    }
    let (above, below) = (good.log_densities(axes, &candidates), bad.log_densities(axes, &candidates));
    let ratio = |candidate: usize| above[candidate] - below[candidate];
    let best = (1..candidates.len()).fold(0, |best, next| if ratio(next) > ratio(best) { next } else { best });
    candidates.swap_remove(best)
}

/// The good trials' weights, best first, with a mean of 1: the best one's is highest and they fall with the logarithm of the rank, as an evolution strategy's parents' do (Hansen, *The CMA Evolution Strategy: A Tutorial*, arXiv 1604.00772, equation 49, half a unit more for all).
fn rank_weights(n: usize) -> Vec<f64> {
    let weight = |rank: usize| 0.5 + ((n as f64 + 0.5) / (rank as f64 + 1.0)).ln();
    let mean = (0..n).map(weight).sum::<f64>() / n as f64;
    (0..n).map(|rank| weight(rank) / mean).collect()
}

#[cfg(test)]
mod tests;
