//! What a study may still reach: the best point that its model can think of, and what more trials are expected to gain.
//!
//! The gain is simulated. The model says of some hundred points, jointly, what their scores might be; for each of many draws of them the next trials are played through in the order in which the model would choose them (or, for samplers that do not look at results, at the very points they will propose), each result being learned from, and in the end the trial is taken that then looks best. So what counts is the score without noise of the trial that would be chosen, against the one that would be chosen now.

use std::ops::Range;

use serde::Serialize;

use super::beliefs::{Beliefs, Scale, fold_noise};
use crate::sampler::History;
use crate::sampler::encoding::Encoding;
use crate::sampler::improvement::Normal;
use crate::sampler::neighbourhood::Neighbourhood;
use crate::sampler::normals::Normals;
use crate::sampler::past::Past;
use crate::seed::Seed;
use crate::space::Params;
use crate::study::{StudySpec, propose};
use crate::surrogate::joint::Joint;
use crate::trial::{Direction, Trial};

/// What is expected of a study; scores are in the study's own unit and direction.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Outlook {
    /// Results that it was learned from.
    pub n_results: usize,
    /// `gp` or `forest`.
    pub model: &'static str,
    /// The trial that is probably the best one, and what its score would be without noise.
    pub best: Option<u64>,
    pub best_score: Option<Expected>,
    /// The point that is expected to be the best of the space, evaluated or not.
    pub optimum: Params,
    pub optimum_score: Expected,
    pub n_more: u64,
    /// By how much so many more trials are expected to improve the chosen trial's score without noise; at least 0.
    pub gain: f64,
    /// Only one in ten simulations gained more.
    pub largest_gain: f64,
    /// By how much the score of a trial is off by chance.
    pub noise: f64,
}

/// A score with the interval that holds it with probability 0.9.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Expected {
    pub mean: f64,
    pub low: f64,
    pub high: f64,
}

/// Points that the simulated trials choose among: evaluated ones, from anywhere, and from around the best.
const N_KNOWN: usize = 40;
const N_WIDE: usize = 60;
const N_LOCAL: usize = 120;
/// Rows around which is looked, and rounds of looking.
const N_SEEDS: usize = 8;
const N_ROUNDS: usize = 3;
/// Simulations.
const N_DRAWS: usize = 64;
/// Trials that a simulation plays through at most.
const MOST_STEPS: u64 = 200;
/// The quantile of the standard normal distribution at 0.95.
const Z95: f64 = 1.644_853_626_951_472_2;

/// What to expect of `n_more` trials after these, which are sorted by number; none with fewer than five results, or where no parameter has anything to search.
///
/// A pure function: the same trials give the same bits.
pub fn outlook(study: &StudySpec, trials: &[Trial], n_more: u64) -> Option<Outlook> {
    let history = History { prior: &study.prior, ..History::new(trials, study.direction) };
    let encoding = Encoding::new(&study.space);
    let past = Past::new(&encoding, &history);
    let beliefs = Beliefs::new(&encoding, &past)?;
    let scale = Scale::new(&past);
    let seed = Seed::new(study.seed).child("outlook", trials.len() as u64);
    let known = beliefs.of(&past.rows);
    let mut order: Vec<usize> = (0..past.len()).collect();
    order.sort_by(|a, b| known[*a].mean.total_cmp(&known[*b].mean));
    let mut rows: Vec<Vec<f64>> = order.iter().take(N_KNOWN).map(|&place| past.rows[place].clone()).collect();
    let n_known = rows.len();
    let own = own_points(study, &history, n_more);
    let chosen = candidates(&encoding, &beliefs, &rows, seed);
    let expected = beliefs.of(&chosen);
    let lowest = (0..chosen.len()).reduce(|a, b| if expected[b].mean < expected[a].mean { b } else { a })?;
    let sign = if study.direction == Direction::Minimize { 1.0 } else { -1.0 };
    let score = |normal: &Normal| {
        let ends = [-Z95, Z95].map(|z| sign * scale.score(normal.mean + z * normal.variance.sqrt()));
        Expected { mean: sign * scale.score(normal.mean), low: ends[0].min(ends[1]), high: ends[0].max(ends[1]) }
    };
    let is_own = own.is_some();
    let more = own.map(|points| points.iter().map(|point| encoding.row(point)).collect());
    rows.extend(more.unwrap_or_else(|| chosen.clone()));
    let sequence = is_own.then_some(n_known..rows.len());
    let mut gains = gains(&beliefs, &scale, &rows, n_known, sequence, n_more, seed);
    gains.sort_by(f64::total_cmp);
    let mean = gains.iter().sum::<f64>() / gains.len().max(1) as f64;
    let own = |place: usize| past.trials[place].map(|place| &history.trials[place]);
    let complete = |place: &&usize| own(**place).is_some_and(|trial| trial.score.is_some());
    let best = order.iter().find(complete).copied();
    let noise = fold_noise(&history).unwrap_or_else(|| {
        let at = known[order[0]].mean;
        let parts = beliefs.joint(&rows[..1]);
        let variance: f64 = parts.iter().map(|(share, joint)| share * joint.noise).sum();
        (scale.score(at + variance.sqrt()) - scale.score(at)).abs()
    });
    Some(Outlook {
        n_results: past.len(),
        model: beliefs.name(),
        best: best.and_then(|place| own(place).map(|trial| trial.number)),
        best_score: best.map(|place| score(&known[place])),
        optimum: encoding.params(&chosen[lowest]),
        optimum_score: score(&expected[lowest]),
        n_more,
        gain: mean.max(0.0),
        largest_gain: gains.get(gains.len() * 9 / 10).copied().unwrap_or(0.0).max(0.0),
        noise,
    })
}

/// The points that a sampler which does not look at results will propose next; none for the others.
fn own_points(study: &StudySpec, history: &History, n_more: u64) -> Option<Vec<Params>> {
    let sampler = study.build_sampler();
    if sampler.depends_on_history() {
        return None;
    }
    let next = history.trials.last().map_or(0, |trial| trial.number + 1);
    let unread = History { trials: &[], ..*history };
    let numbers = next..next.saturating_add(n_more.min(MOST_STEPS));
    let proposals = numbers.map_while(|number| propose(study, &*sampler, &unread, &[], number).ok().flatten());
    Some(proposals.map(|(params, _)| params).collect())
}

/// Points from anywhere and from around the most hopeful ones, in rounds, each around the best so far.
fn candidates(encoding: &Encoding, beliefs: &Beliefs, known: &[Vec<f64>], seed: Seed) -> Vec<Vec<f64>> {
    let mut neighbourhood = Neighbourhood::new(encoding, Normals(seed.child("candidates", 0).rng()));
    let mut rows: Vec<Vec<f64>> = known.iter().take(N_SEEDS).cloned().collect();
    let wide: Vec<Vec<f64>> = (0..N_WIDE).map(|_| neighbourhood.anywhere()).collect();
    rows.extend(wide.into_iter().filter(|row| encoding.allows(row)));
    for _ in 0..N_ROUNDS {
        // Hopeful is what may well be low.
        let hope: Vec<f64> =
            beliefs.of(&rows).iter().map(|normal| normal.mean - 0.5 * normal.variance.sqrt()).collect();
        let mut order: Vec<usize> = (0..rows.len()).collect();
        order.sort_by(|a, b| hope[*a].total_cmp(&hope[*b]));
        let seeds: Vec<Vec<f64>> = order.iter().take(N_SEEDS).map(|&place| rows[place].clone()).collect();
        let near: Vec<Vec<f64>> =
            (0..N_LOCAL / N_ROUNDS).map(|i| neighbourhood.near(&seeds[i % seeds.len()])).collect();
        rows.extend(near.into_iter().filter(|row| encoding.allows(row)));
    }
    rows
}

/// What each simulation gained, in scores. `rows` are first the known ones, then those that the trials choose among, or take in the order given.
fn gains(
    beliefs: &Beliefs,
    scale: &Scale,
    rows: &[Vec<f64>],
    n_known: usize,
    order: Option<Range<usize>>,
    n_more: u64,
    seed: Seed,
) -> Vec<f64> {
    let mut normals = Normals(seed.child("gains", 0).rng());
    let n_steps = n_more.min(MOST_STEPS) as usize;
    let mut gains = Vec::new();
    let mut shared = 0.0;
    for (share, joint) in beliefs.joint(rows) {
        shared += share;
        // So many draws that the shares come out right to within one.
        let n_draws = ((shared * N_DRAWS as f64).round() as usize).saturating_sub(gains.len());
        let Some(factor) = joint.factor() else { continue };
        for _ in 0..n_draws {
            let truth = joint.draw(&factor, &mut normals);
            let (before, after) = play(joint.clone(), &truth, n_known, n_steps, order.clone(), &mut normals);
            gains.push(scale.score(truth[before]) - scale.score(truth[after]));
        }
    }
    gains
}

/// The row that would be chosen now, and the one after so many more trials where these are the true scores.
fn play(
    mut joint: Joint,
    truth: &[f64],
    n_known: usize,
    n_steps: usize,
    mut order: Option<Range<usize>>,
    normals: &mut Normals,
) -> (usize, usize) {
    let mut evaluated: Vec<usize> = (0..n_known).collect();
    let before = joint.lowest(evaluated.iter().copied()).unwrap_or(0);
    let mut open: Vec<usize> = (n_known..truth.len()).collect();
    for _ in 0..n_steps {
        let next = match &mut order {
            Some(order) => order.next(),
            None => {
                let lowest = joint.lowest(evaluated.iter().copied()).unwrap_or(before);
                joint.most_promising(open.iter().copied(), joint.means[lowest])
            }
        };
        let Some(next) = next else { break };
        open.retain(|row| *row != next);
        evaluated.push(next);
        let value = truth[next] + joint.noise.sqrt() * normals.normal();
        joint.observe(next, value);
    }
    (before, joint.lowest(evaluated.into_iter()).unwrap_or(before))
}
