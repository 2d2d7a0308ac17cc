//! Which parameters matter: the functional analysis of variance of a forest.
//!
//! Hutter, Hoos and Leyton-Brown, *An Efficient Approach for Assessing Hyperparameter Importance*, ICML 2014: the variance of what the forest predicts over the whole space is split into what each parameter does alone and what pairs do beyond that. Nothing is sampled: a tree is made of boxes, and their shares give every mean exactly.
//!
//! A conditional parameter is judged where it is active, all others being averaged there as they are drawn there, and its variance counts by the share of the space in which that is: so a parameter of a model that is one of ten choices has at most a tenth of what it would have alone, and the choice of the model has what lies between the models' means.

use std::collections::BTreeMap;

use serde::Serialize;

use super::regions::{Extent, Measure, Region};
use crate::sampler::History;
use crate::sampler::encoding::Encoding;
use crate::sampler::past::Past;
use crate::sampler::targets::standardised;
use crate::seed::Seed;
use crate::space::SearchSpace;
use crate::surrogate::forest::{Forest, Sample};
use crate::surrogate::tree::Growth;

/// Shares of the variance of the score over the space.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Importance {
    /// Results that it was learned from.
    pub n_results: usize,
    /// Largest first; parameters without a value in any trial, or with one value only, are left out.
    pub main: Vec<MainEffect>,
    /// Largest first; only pairs that interact in some tree.
    pub pairs: Vec<Interaction>,
}

/// What a parameter does alone.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct MainEffect {
    pub name: String,
    /// In [0, 1].
    pub share: f64,
    /// The standard deviation of the share over the trees.
    pub deviation: f64,
}

/// What two parameters do together, beyond what each does alone.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Interaction {
    pub a: String,
    pub b: String,
    /// In [0, 1].
    pub share: f64,
    /// The standard deviation of the share over the trees.
    pub deviation: f64,
}

const N_TREES: usize = 32;
/// Beyond this many results a tree sees a sample of so many: pairs cost the square of the number of leaves.
const MOST_ROWS: usize = 400;
/// Pairs of a tree that are looked into: those whose boxes hold most of the variance.
const MOST_PAIRS: usize = 40;
const GROWTH: Growth = Growth { least_rows: 3, n_cuts: 12, share: 0.8 };
/// With fewer results there is nothing to tell.
const LEAST_RESULTS: usize = 4;

/// The shares of variance that each parameter and each pair has, learned from a study's trials; none with fewer than four results.
///
/// Scores far on the bad side are cut off before: how bad a hopeless point is would drown the rest. A staged parameter has no share where all its stages were scored.
pub fn importance(space: &SearchSpace, history: &History, seed: Seed) -> Option<Importance> {
    let encoding = Encoding::new(space);
    let past = Past::new(&encoding, history);
    if past.len() < LEAST_RESULTS {
        return None;
    }
    let values = standardised(&past.values);
    let forest = Forest::grow(
        &encoding,
        &past.rows,
        &values,
        N_TREES,
        Sample::Bootstrap(MOST_ROWS),
        GROWTH,
        seed.child("importance", 0),
    );
    let measure = Measure::new(&encoding);
    let mut shares = Shares::default();
    for tree in &forest.trees {
        shares.add(&Analysis::new(&measure, measure.regions(tree)));
    }
    let name = |position: usize| space.parameters()[position].name.clone();
    let has_value = |position: &usize| past.rows.iter().any(|row| !row[*position].is_nan());
    let mut main: Vec<MainEffect> = encoding
        .free()
        .into_iter()
        .filter(has_value)
        .map(|position| {
            let (share, deviation) = shares.of(shares.main.get(&position));
            MainEffect { name: name(position), share, deviation }
        })
        .collect();
    main.sort_by(|a, b| b.share.total_cmp(&a.share));
    let mut pairs: Vec<Interaction> = shares
        .pairs
        .iter()
        .map(|((a, b), of_trees)| {
            let (share, deviation) = shares.of(Some(of_trees));
            Interaction { a: name(*a), b: name(*b), share, deviation }
        })
        .filter(|pair| pair.share > 0.0)
        .collect();
    pairs.sort_by(|a, b| b.share.total_cmp(&a.share));
    Some(Importance { n_results: past.len(), main, pairs })
}

/// The shares that trees gave; a tree that does not tell gave 0.
#[derive(Default)]
struct Shares {
    n_trees: usize,
    main: BTreeMap<usize, Vec<f64>>,
    pairs: BTreeMap<(usize, usize), Vec<f64>>,
}

impl Shares {
    /// A tree that predicts the same everywhere says nothing.
    fn add(&mut self, analysis: &Analysis) {
        let total = analysis.variance();
        if total <= f64::EPSILON {
            return;
        }
        self.n_trees += 1;
        for position in analysis.cut_parameters() {
            self.main.entry(position).or_default().push(analysis.main(position) / total);
        }
        for (a, b) in analysis.cut_pairs() {
            self.pairs.entry((a, b)).or_default().push(analysis.pair(a, b) / total);
        }
    }

    /// Mean and standard deviation over all trees.
    fn of(&self, of_trees: Option<&Vec<f64>>) -> (f64, f64) {
        let (Some(shares), n) = (of_trees, self.n_trees as f64) else { return (0.0, 0.0) };
        let mean = shares.iter().sum::<f64>() / n;
        let squares = shares.iter().map(|share| share * share).sum::<f64>() / n;
        (mean, (squares - mean * mean).max(0.0).sqrt())
    }
}

/// The boxes of one tree, their values counted from the tree's mean.
pub(crate) struct Analysis<'a> {
    measure: &'a Measure,
    regions: Vec<Region>,
}

impl<'a> Analysis<'a> {
    pub fn new(measure: &'a Measure, mut regions: Vec<Region>) -> Self {
        let mean: f64 = regions.iter().map(|region| measure.share_of(region) * region.value).sum();
        regions.iter_mut().for_each(|region| region.value -= mean);
        Analysis { measure, regions }
    }

    /// Over the whole space.
    pub fn variance(&self) -> f64 {
        self.regions.iter().map(|region| self.measure.share_of(region) * region.value * region.value).sum()
    }

    /// What the parameter alone does where it is active, times the share of the space where that is.
    pub fn main(&self, position: usize) -> f64 {
        self.branch(&[position]).map_or(0.0, |branch| branch.share * self.explained(&branch, &[position]))
    }

    /// What two parameters do together where both are active, beyond what each does there, times the share of the space where that is.
    pub fn pair(&self, a: usize, b: usize) -> f64 {
        let Some(branch) = self.branch(&[a, b]) else { return 0.0 };
        let alone = self.explained(&branch, &[a]) + self.explained(&branch, &[b]);
        branch.share * (self.explained(&branch, &[a, b]) - alone).max(0.0)
    }

    /// The parameters that some box is cut in.
    fn cut_parameters(&self) -> Vec<usize> {
        let is_cut = |position: &usize| self.regions.iter().any(|region| region.extents[*position] != Extent::Whole);
        (0..self.measure.len()).filter(is_cut).collect()
    }

    /// Pairs that some box is cut in both of; those whose boxes hold most of the variance.
    fn cut_pairs(&self) -> Vec<(usize, usize)> {
        let mut held: BTreeMap<(usize, usize), f64> = BTreeMap::new();
        for region in &self.regions {
            let cut: Vec<usize> = (0..self.measure.len()).filter(|&k| region.extents[k] != Extent::Whole).collect();
            let variance = self.measure.share_of(region) * region.value * region.value;
            for (i, &b) in cut.iter().enumerate() {
                for &a in &cut[..i] {
                    *held.entry((a, b)).or_default() += variance;
                }
            }
        }
        let mut pairs: Vec<((usize, usize), f64)> = held.into_iter().collect();
        pairs.sort_by(|a, b| b.1.total_cmp(&a.1));
        pairs.into_iter().take(MOST_PAIRS).map(|(pair, _)| pair).collect()
    }

    /// The part of the space where all of these are active; none where that is nowhere.
    fn branch(&self, positions: &[usize]) -> Option<Branch> {
        let mut all = self.measure.whole();
        let mut regions = self.regions.clone();
        for &position in positions {
            for (parent, extent) in self.measure.activity(position)? {
                all = self.measure.within(&all, *parent, extent)?;
                regions = regions.iter().filter_map(|region| self.measure.within(region, *parent, extent)).collect();
            }
        }
        Some(Branch { share: self.measure.share_of(&all), all, regions })
    }

    /// The variance, within a branch, of the mean given these parameters.
    fn explained(&self, branch: &Branch, positions: &[usize]) -> f64 {
        let share = |region: &Region, position: usize| self.measure.share(position, &region.extents[position]);
        let asked = |region: &Region| positions.iter().map(|&position| share(region, position)).product::<f64>();
        // Of each box: its value times the share of the parameters averaged over, within their part of the branch.
        let averaged = branch.share / asked(&branch.all);
        let weigh = |region: &Region| region.value * self.measure.share_of(region) / asked(region) / averaged;
        let weighed: Vec<f64> = branch.regions.iter().map(weigh).collect();
        let within = branch.share / averaged;
        let (mut mean, mut squares) = (0.0, 0.0);
        for (i, region) in branch.regions.iter().enumerate() {
            mean += weighed[i] * asked(region) / within;
            for (j, other) in branch.regions[..=i].iter().enumerate() {
                let overlap = |&position: &usize| {
                    self.measure.overlap(position, &region.extents[position], &other.extents[position])
                };
                let common: f64 = positions.iter().map(overlap).product();
                squares += if i == j { 1.0 } else { 2.0 } * weighed[i] * weighed[j] * common / within;
            }
        }
        (squares - mean * mean).max(0.0)
    }
}

/// The part of the space where some parameters are active.
struct Branch {
    all: Region,
    /// Of the whole space.
    share: f64,
    /// The boxes within it.
    regions: Vec<Region>,
}
