//! Bayesian optimisation with a Gaussian process over mixed and conditional spaces.
//!
//! Scores are standardised, bad ones cut off. The process is averaged over several hyperparameters drawn from their posterior; candidates are where the logarithm of the expected improvement, averaged alike, is highest, and the next point is the one by which the answer is expected to gain most. Pending points are imagined to come out as the process draws them. Which trial is best is told by the posterior mean, not by the score that was seen.

mod acquisition;
mod beliefs;
mod design;
mod fit;
mod kernel;
mod knowledge;
mod likelihood;
mod posterior;
mod prior;
mod scaled;
mod search;
mod warp;

use std::sync::{Arc, Mutex};

use sha2::{Digest, Sha256};

use super::encoding::Encoding;
use super::neighbourhood::Neighbourhood;
use super::normals::Normals;
use super::past::Past;
use super::targets::standardised;
use super::{History, Sampler, Sobol};
use crate::error::Result;
use crate::seed::Seed;
use crate::space::{Params, SearchSpace};
use acquisition::Improvement;
pub(crate) use beliefs::Beliefs;
use design::{Design, Feature};
use fit::Hyperparameters;
use knowledge::Knowledge;
use likelihood::Likelihood;
use posterior::Posterior;
use prior::Prior;
use search::Search;

/// Proposes Sobol' points until five results are known, then by the process.
#[derive(Debug, Default)]
pub struct Gp {
    /// How often a point that was evaluated may be asked for again.
    n_again: u32,
    /// The hyperparameters of the data asked about last: they can always be drawn again.
    cache: Mutex<Option<(Key, Arc<Vec<Hyperparameters>>)>>,
}

type Key = [u8; 32];

/// Results that are wanted before the process is asked.
const N_STARTUP: usize = 5;
/// The process sees at most so many results: the better half of these are the best ones, the others spread over the rest.
const MOST_RESULTS: usize = 100;
/// A second look must promise e times what a new row does: what it teaches, it teaches of one row alone.
const SECOND_LOOK: f64 = 1.0;
/// Rows around which is looked first.
const N_SEEDS: usize = 5;

impl Gp {
    /// Never proposes a point again: for objectives that give the same point the same score.
    pub fn new() -> Self {
        Gp::default()
    }

    /// Also proposes points that were evaluated before, each so many times at most, where a further look promises more than a new point: for objectives that give another score at each look.
    pub fn looking_again(n_again: u32) -> Self {
        Gp { n_again, ..Gp::default() }
    }

    /// The process given the past; none before it has seen enough, or where nothing can be computed.
    fn mixture(&self, encoding: &Encoding, past: &Past) -> Option<Mixture> {
        let features = Feature::all(encoding);
        if past.len() < N_STARTUP || features.is_empty() {
            return None;
        }
        let hyperparameters = self.hyperparameters(&features, past);
        let kept = kept(&past.values);
        let values = standardised(&kept.iter().map(|&i| past.values[i]).collect::<Vec<f64>>());
        let rows: Vec<&[f64]> = kept.iter().map(|&i| past.rows[i].as_slice()).collect();
        let design = Design::new(&features, rows.iter().copied());
        let parts = hyperparameters.iter().filter_map(|hyperparameters| {
            Some((Posterior::new(&design, &values, &hyperparameters.theta)?, hyperparameters.log_share))
        });
        let parts: Vec<(Posterior, f64)> = parts.collect();
        (!parts.is_empty()).then_some(Mixture { features, kept, values, parts })
    }

    /// Drawn anew whenever the number of results has grown by a tenth: when that is depends on their number alone.
    fn hyperparameters(&self, features: &[Feature], past: &Past) -> Arc<Vec<Hyperparameters>> {
        let n = past.len();
        let n_fitted = n - n % (n / 10).max(1);
        let kept = kept(&past.values[..n_fitted]);
        let rows: Vec<&[f64]> = kept.iter().map(|&i| past.rows[i].as_slice()).collect();
        let values = standardised(&kept.iter().map(|&i| past.values[i]).collect::<Vec<f64>>());
        let design = Design::new(features, rows.iter().copied());
        let key = design.key(&values);
        let mut cache = self.cache.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some((known, hyperparameters)) = cache.as_ref()
            && *known == key
        {
            return hyperparameters.clone();
        }
        let likelihood = Likelihood { design: &design, values: &values, prior: Prior::new(features, values.len()) };
        let mut normals = Normals(Seed::new(n_fitted as u64).child("hyperparameters", 0).rng());
        let drawn = Arc::new(fit::draw(&likelihood, &mut normals));
        *cache = Some((key, drawn.clone()));
        drawn
    }
}

impl Sampler for Gp {
    fn name(&self) -> &str {
        "gp"
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
        let past = Past::new(&encoding, history);
        let Some(mixture) = self.mixture(&encoding, &past) else {
            return Sobol.sample(space, history, pending, number, seed);
        };
        let means = mixture.means();
        let incumbents = mixture.parts.iter().map(|(part, _)| lowest(part)).collect();
        let mut order: Vec<usize> = (0..means.len()).collect();
        order.sort_by(|a, b| means[*a].total_cmp(&means[*b]));
        let seeds: Vec<Vec<f64>> =
            order.iter().take(N_SEEDS).map(|&place| past.rows[mixture.kept[place]].clone()).collect();
        let features = mixture.features.clone();
        let mut pending: Vec<Vec<f64>> = pending.iter().rev().map(|params| encoding.row(params)).collect();
        // Those too that the process is not shown.
        let asked: Vec<Vec<f64>> = past.own_rows().chain(&pending).map(|row| Feature::row(&features, row)).collect();
        pending.truncate(MOST_RESULTS);
        let mut looked_at: Vec<Vec<f64>> = mixture.kept.iter().map(|&place| past.rows[place].clone()).collect();
        let parts = match mixture.imagining(&past, &pending, &mut Normals(seed.child("pending", number).rng())) {
            Some(parts) => {
                looked_at.extend(pending);
                parts
            }
            None => mixture.parts,
        };
        let normals = Normals(seed.child("trial", number).rng());
        let mut search = Search { features: &features, neighbourhood: Neighbourhood::new(&encoding, normals) };
        let promising = search.maximise(&Improvement { parts: &parts, incumbents }, &seeds);
        let known: Vec<Vec<f64>> = looked_at.iter().map(|row| Feature::row(&features, row)).collect();
        let knowledge = Knowledge::new(&parts, &known, &means_of(&parts));
        let mut rows: Vec<Vec<f64>> = promising.into_iter().map(|candidate| candidate.row).collect();
        rows.extend(knowledge.answers().iter().filter_map(|answer| {
            let place = known.iter().position(|features| features == answer)?;
            Some(looked_at[place].clone())
        }));
        let candidates: Vec<Vec<f64>> = rows.iter().map(|row| Feature::row(&features, row)).collect();
        let mut gains = knowledge.of(&candidates);
        for (gain, candidate) in gains.iter_mut().zip(&candidates) {
            let n_looks = asked.iter().filter(|asked| *asked == candidate).count();
            if n_looks > 0 {
                *gain = if n_looks <= self.n_again as usize { *gain - SECOND_LOOK } else { f64::NAN };
            }
        }
        let promises = (0..rows.len()).filter(|place| !gains[*place].is_nan());
        let best = promises.reduce(|a, b| if gains[b] > gains[a] { b } else { a });
        match best {
            Some(best) => Ok(Some(encoding.params(&rows[best]))),
            None => Sobol.sample(space, history, &[], number, seed),
        }
    }

    fn best(&self, space: &SearchSpace, history: &History) -> Option<u64> {
        let encoding = Encoding::new(space);
        let past = Past::new(&encoding, history);
        let seen = || crate::trial::best(history.trials, history.direction).map(|trial| trial.number);
        let Some(mixture) = self.mixture(&encoding, &past) else { return seen() };
        let trial = |place: usize| past.trials[mixture.kept[place]].map(|place| &history.trials[place]);
        let means = mixture.means();
        let own = (0..means.len()).filter_map(|place| Some((place, trial(place)?)));
        let complete = own.filter(|(_, trial)| trial.score.is_some());
        complete.reduce(|a, b| if means[b.0] < means[a.0] { b } else { a }).map(|(_, trial)| trial.number)
    }
}

/// The process under several hyperparameters.
struct Mixture {
    features: Vec<Feature>,
    /// The places in the past of the results it sees, ascending.
    kept: Vec<usize>,
    values: Vec<f64>,
    /// Each with the logarithm of its share.
    parts: Vec<(Posterior, f64)>,
}

impl Mixture {
    /// At the rows it knows.
    fn means(&self) -> Vec<f64> {
        means_of(&self.parts)
    }

    /// Each part as if the pending rows had come out as it draws them from its own posterior, noise and all: together the parts hold several ways in which the trials under way may end. None where nothing is pending, or where one of them cannot be computed.
    fn imagining(&self, past: &Past, pending: &[Vec<f64>], normals: &mut Normals) -> Option<Vec<(Posterior, f64)>> {
        if pending.is_empty() {
            return None;
        }
        let waiting: Vec<Vec<f64>> = pending.iter().map(|row| Feature::row(&self.features, row)).collect();
        let rows: Vec<&[f64]> =
            self.kept.iter().map(|&i| &past.rows[i]).chain(pending).map(|row| row.as_slice()).collect();
        let design = Design::new(&self.features, rows.iter().copied());
        let imagine = |(part, share): &(Posterior, f64)| {
            let mut values = self.values.clone();
            values.extend(part.draw(&waiting, normals)?);
            Some((Posterior::new(&design, &values, &part.theta)?, *share))
        };
        self.parts.iter().map(imagine).collect()
    }
}

/// What is expected at the rows that they know.
fn means_of(parts: &[(Posterior, f64)]) -> Vec<f64> {
    let mut means = vec![0.0; parts.first().map_or(0, |(part, _)| part.fitted.len())];
    for (part, share) in parts {
        for (mean, fitted) in means.iter_mut().zip(&part.fitted) {
            *mean += share.exp() * fitted;
        }
    }
    means
}

/// The lowest mean at a row that was evaluated.
fn lowest(part: &Posterior) -> f64 {
    part.fitted.iter().copied().fold(f64::INFINITY, f64::min)
}

/// Which of many results the process sees: see [`MOST_RESULTS`].
fn kept(values: &[f64]) -> Vec<usize> {
    let n = values.len();
    let mut order: Vec<usize> = (0..n).collect();
    if n <= MOST_RESULTS {
        return order;
    }
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let n_best = MOST_RESULTS / 2;
    let n_spread = MOST_RESULTS - n_best;
    let spread = (0..n_spread).map(|i| order[n_best + i * (n - n_best) / n_spread]);
    let mut kept: Vec<usize> = order[..n_best].iter().copied().chain(spread).collect();
    kept.sort_unstable();
    kept
}

impl Design {
    /// Equal for equal data alone.
    fn key(&self, values: &[f64]) -> Key {
        let mut hash = Sha256::new();
        for feature in &self.dimensions {
            hash.update([u8::from(feature.is_category)]);
        }
        for number in self.columns.iter().flatten().chain(values) {
            hash.update(number.to_bits().to_le_bytes());
        }
        hash.update((self.n_rows as u64).to_le_bytes());
        hash.finalize().into()
    }
}

#[cfg(test)]
mod tests;
