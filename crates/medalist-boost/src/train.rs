//! The boosting loop.

use std::ops::Range;

use crate::bins::{Bins, Column};
use crate::error::{Error, Result};
use crate::grow::{Grower, Job, Used};
use crate::kernel::Level;
use crate::model::Model;
use crate::objective::derive::{Derivative, ranges};
use crate::objective::{Objective, quantile};
use crate::params::{Boosting, MultiStrategy, Params};
use crate::sample::Draw;
use crate::split::Rules;
use crate::tree::{Leaf, Tree};

mod bag;
mod check;
mod dart;
mod derive;
pub(crate) mod linear;
mod pack;
mod resume;
mod scores;
mod vectors;

use bag::Bag;
use check::{check_columns, check_constrained, check_length, checked_rows};
use scores::add_values;
use vectors::Vectors;

/// What a fit learns from, beside the bins.
#[derive(Clone, Copy, Debug, Default)]
pub struct Training<'a> {
    /// The rows of the bins to learn from, ascending; None: all.
    pub rows: Option<&'a [u32]>,
    /// One a training row; with several targets (n_rows, n_targets), row-major.
    pub labels: &'a [f64],
    /// Targets: 1 unless set.
    pub n_targets: Option<usize>,
    /// One a training row, 0 or more.
    pub weights: Option<&'a [f64]>,
    /// Where scores begin, (n_rows, n_scores) for the training rows, row-major. Then `boost_from_average` is off, and predictions are without it.
    pub init_score: Option<&'a [f64]>,
    /// Sizes of query groups, in the rows' order; for ranking.
    pub groups: Option<&'a [usize]>,
    /// The columns that the bins were made of, all rows: for `linear_tree`, and to resume a model with linear leaves.
    pub columns: Option<&'a [Column<'a>]>,
    /// Rows of the bins whose scores are kept up to date after every tree, ascending and none of the training rows: a fold's other rows.
    pub followed: &'a [u32],
}

/// A fit under way: after any number of iterations it can be read, continued, or made a model.
pub struct Trainer<'a> {
    bins: &'a Bins,
    columns: Option<&'a [Column<'a>]>,
    params: Params,
    level: Level,
    rows: Vec<u32>,
    /// Those of them that have a weight: the others are scored, but do not count.
    counted: Vec<u32>,
    followed: Vec<u32>,
    /// By target, then by row of the bins.
    labels: Vec<Vec<f64>>,
    /// From the first training row's to the last one's.
    span: Range<usize>,
    /// By row of the bins; 0 at other rows. Empty where all rows of the span are trained on, and alike.
    weights: Vec<f64>,
    /// Whether they were given.
    weighted: bool,
    groups: Vec<Range<usize>>,
    start: Vec<f64>,
    /// By score, then by row of the bins; a forest's stay at the start.
    scores: Vec<Vec<f64>>,
    /// What a forest's trees add up to, likewise; while trees are dropped, the scores with them. Else empty.
    sums: Vec<Vec<f64>>,
    /// Initial scores, likewise, where trees will be dropped and these were given; else empty.
    init: Vec<Vec<f64>>,
    /// Iterations that are dropped in this one.
    n_dropped: usize,
    /// By score, then by row of the bins, once they were had.
    derivatives: Vec<Vec<Derivative>>,
    pairs: Vec<u64>,
    grower: Grower<'a>,
    /// Where a tree holds all outputs.
    vectors: Option<Vectors<'a>>,
    bag: Bag,
    trees: Vec<Tree>,
    n_iterations: usize,
}

impl<'a> Trainer<'a> {
    /// # Errors
    /// When a parameter is out of range, lengths do not fit, a label or weight is not what the objective takes, or leaves are linear and there are no columns.
    pub fn new(params: &Params, bins: &'a Bins, training: &Training<'a>) -> Result<Trainer<'a>> {
        Trainer::with_level(params, bins, training, Level::detect())
    }

    /// As [`Trainer::new`], on an instruction set that is not this processor's best: the trees are the same.
    ///
    /// # Errors
    /// Those of [`Trainer::new`], and when the processor does not have it.
    pub fn with_level(params: &Params, bins: &'a Bins, training: &Training<'a>, level: Level) -> Result<Trainer<'a>> {
        params.check(bins.n_features())?;
        if !level.is_supported() {
            return Err(Error::parameter("level", format!("{level:?}"), "one that this processor has"));
        }
        let n_all = bins.n_rows();
        let rows = match training.rows {
            None => (0..n_all as u32).collect(),
            Some(rows) => checked_rows("rows", rows, n_all)?,
        };
        let mut followed = checked_rows("followed", training.followed, n_all)?;
        if rows.is_empty() {
            return Err(Error::shape("there are no training rows".to_string()));
        }
        if let Some(row) = followed.iter().find(|row| rows.binary_search(row).is_ok()) {
            return Err(Error::row(*row as usize, "it is followed, but trained on as well"));
        }
        let n_targets = training.n_targets.unwrap_or(1);
        if n_targets == 0 || n_targets > 1 && params.objective.n_scores() > 1 {
            return Err(Error::parameter("n_targets", n_targets, "1 for classes, 1 or more for values"));
        }
        if let Some(name) = params.by_class().filter(|_| n_targets > 1) {
            return Err(Error::parameter(name, "set", format!("1 where there are {n_targets} targets")));
        }
        check_constrained(params, bins)?;
        check_columns(params, bins, training)?;
        check_length("labels", training.labels.len(), rows.len() * n_targets)?;
        for (place, &label) in training.labels.iter().enumerate() {
            if let Some(what) = params.objective.check_label(label) {
                return Err(Error::row(place / n_targets, what));
            }
        }
        if let Some(weights) = training.weights {
            check_length("weights", weights.len(), rows.len())?;
            if let Some(row) = weights.iter().position(|weight| !(*weight >= 0.0 && weight.is_finite())) {
                return Err(Error::row(row, format!("the weight is {}, but must be 0 or more", weights[row])));
            }
            if weights.iter().sum::<f64>() <= 0.0 {
                return Err(Error::shape("all weights are 0".to_string()));
            }
        }
        let groups = ranges(training.groups.unwrap_or(&[]));
        let ranks = matches!(params.objective, Objective::LambdaRank { .. });
        if ranks && groups.last().map_or(0, |group| group.end) != rows.len() {
            return Err(Error::shape(format!("the groups' sizes must add up to the {} training rows", rows.len())));
        }
        let by_row = |values: &mut dyn Iterator<Item = f64>| {
            let mut all = vec![0.0; n_all];
            rows.iter().zip(values).for_each(|(&row, value)| all[row as usize] = value);
            all
        };
        let target = |target: usize| training.labels.iter().skip(target).step_by(n_targets).copied();
        let labels: Vec<Vec<f64>> = (0..n_targets).map(|at| by_row(&mut target(at))).collect();
        let span = rows[0] as usize..rows[rows.len() - 1] as usize + 1;
        let rescaled = params.scale_pos_weight != 1.0 && params.objective == Objective::Logistic;
        let weights = if training.weights.is_none() && !rescaled && span.len() == rows.len() {
            Vec::new()
        } else {
            let weight = |place: usize| {
                let positive = rescaled && training.labels[place] > 0.5;
                training.weights.map_or(1.0, |weights| weights[place])
                    * if positive { params.scale_pos_weight } else { 1.0 }
            };
            by_row(&mut (0..rows.len()).map(weight))
        };
        let has_weight = |row: &u32| weights.get(*row as usize).is_none_or(|&weight| weight > 0.0);
        let (counted, idle): (Vec<u32>, Vec<u32>) = rows.iter().partition(|row| has_weight(row));
        followed.extend(idle);
        let n_scores = n_targets * params.objective.n_scores();
        let from_average = params.boost_from_average && training.init_score.is_none();
        let start: Vec<f64> = if from_average {
            let start = |at| params.objective.start(&target(at).collect::<Vec<_>>(), training.weights);
            (0..n_targets).flat_map(start).collect()
        } else {
            vec![0.0; n_scores]
        };
        if let Some(score) = start.iter().find(|score| !score.is_finite()) {
            return Err(Error::shape(format!("the labels' best constant score is {score}")));
        }
        let mut scores: Vec<Vec<f64>> = start.iter().map(|&start| vec![start; n_all]).collect();
        if let Some(init) = training.init_score {
            check_length("init_score", init.len(), rows.len() * n_scores)?;
            if let Some(place) = init.iter().position(|score| !score.is_finite()) {
                return Err(Error::row(place / n_scores, format!("the initial score is {}", init[place])));
            }
            for (at, scores) in scores.iter_mut().enumerate() {
                *scores = by_row(&mut init.iter().skip(at).step_by(n_scores).copied());
            }
        }
        let keeps_init = params.boosting == Boosting::Dart && training.init_score.is_some();
        Ok(Trainer {
            init: if keeps_init { scores.clone() } else { Vec::new() },
            n_dropped: 0,
            bins,
            columns: training.columns,
            level,
            counted,
            followed,
            labels,
            span,
            weights,
            weighted: training.weights.is_some(),
            groups,
            start,
            derivatives: vec![Vec::new(); n_scores],
            pairs: vec![0; n_all],
            sums: vec![vec![0.0; n_all]; if params.boosting == Boosting::Rf { n_scores } else { 0 }],
            scores,
            grower: Grower::new(bins, params.histogram_bytes()),
            vectors: (params.multi_strategy == MultiStrategy::LeafVectors && n_scores > 1)
                .then(|| Vectors::new(bins, n_scores)),
            bag: Bag::default(),
            trees: Vec::new(),
            n_iterations: 0,
            rows,
            params: params.clone(),
        })
    }

    /// Iterations so far.
    pub fn n_iterations(&self) -> usize {
        self.n_iterations
    }

    /// A row's score for one output, after the iterations so far: of a training row or one that is followed.
    pub fn score(&self, row: u32, output: usize) -> f64 {
        let score = self.scores[output][row as usize];
        match self.sums.get(output) {
            None => score,
            // As a model's predictions add it up, to the last bit.
            Some(sums) => sums[row as usize] / self.n_iterations.max(1) as f64 + score,
        }
    }

    /// A row's prediction, into `out` (one number a score).
    pub fn predict(&self, row: u32, out: &mut [f64]) {
        for (output, out) in out.iter_mut().enumerate().take(self.scores.len()) {
            *out = self.score(row, output);
        }
        let n = self.params.objective.n_scores();
        out.chunks_mut(n).for_each(|out| self.params.objective.predict(out));
    }

    /// One iteration.
    ///
    /// # Errors
    /// When derivatives are not finite: a custom objective's, or scores that have run away.
    pub fn step(&mut self) -> Result<()> {
        self.step_unless(&mut || false)
    }

    /// One iteration, asking before each tree whether to stop: then nothing has happened, or some of the iteration's trees are missing and the fit should be dropped.
    ///
    /// # Errors
    /// Those of [`Trainer::step`], and [`Error::Stopped`].
    pub fn step_unless(&mut self, stop: &mut dyn FnMut() -> bool) -> Result<()> {
        if stop() {
            return Err(Error::Stopped { n_iterations: self.n_iterations });
        }
        if self.params.boosting == Boosting::Dart { self.step_dart(stop) } else { self.iterate(stop) }
    }

    fn iterate(&mut self, stop: &mut dyn FnMut() -> bool) -> Result<()> {
        // A forest's trees all see the derivatives at the start.
        if !self.derives_in_blocks() && (self.params.boosting != Boosting::Rf || self.n_iterations == 0) {
            self.derive()?;
        }
        self.draw_bag();
        if self.vectors.is_some() {
            self.grow_vectors()?;
            self.n_iterations += 1;
            return Ok(());
        }
        for output in 0..self.scores.len() {
            if output > 0 && stop() {
                return Err(Error::Stopped { n_iterations: self.n_iterations });
            }
            self.grow_one(output)?;
        }
        self.n_iterations += 1;
        Ok(())
    }

    /// The features that a tree may use.
    fn draw_features(&self, draw: &Draw) -> Used {
        let all: Vec<usize> = (0..self.bins.places().len()).collect();
        let places = if self.params.feature_fraction < 1.0 && !all.is_empty() {
            let wanted = (self.params.feature_fraction * all.len() as f64).round() as usize;
            draw.tree_features(&all, wanted.max(1))
        } else {
            all
        };
        Used::new(places, self.bins)
    }

    fn grow_one(&mut self, output: usize) -> Result<()> {
        let (scale, sum) = self.pack(output)?;
        let draw = Draw::new(self.params.seed, self.n_iterations, output);
        let used = self.draw_features(&draw);
        let rules = Rules::new(&self.params, scale, self.level);
        let same_rows = self.bag.is_all;
        let job = Job { rules: &rules, pairs: &self.pairs, used: &used, draw, same_rows };
        let (mut tree, leaves) = self.grower.grow(&job, sum, &self.bag.rows, &self.bag.others);
        tree.output = output;
        if let Some(alpha) = self.params.objective.renewal() {
            let labels = &self.labels[output];
            for (leaf, grown) in leaves.iter().zip(&mut tree.leaves) {
                let left = |&row: &u32| {
                    let row = row as usize;
                    (labels[row] - self.scores[output][row], self.weights.get(row).copied().unwrap_or(1.0))
                };
                let residuals = self.grower.rows[leaf.rows.clone()].iter().map(left).collect();
                grown.value[0] = quantile(residuals, alpha, self.weighted);
            }
        }
        if self.params.linear_tree {
            self.fit_leaves(&mut tree, &leaves, output);
        }
        let shrinkage = self.shrinkage();
        tree.leaves.iter_mut().for_each(|leaf| leaf.scale(shrinkage));
        tree.nodes.iter_mut().for_each(|node| node.value[0] *= shrinkage);
        let values = tree.leaves.iter().flat_map(Leaf::numbers).chain(tree.nodes.iter().map(|node| node.value[0]));
        if let Some(value) = values.into_iter().find(|value| !value.is_finite()) {
            return Err(Error::shape(format!("iteration {}: a leaf's value is {value}", self.n_iterations)));
        }
        let scores = self.sums.get_mut(output).unwrap_or(&mut self.scores[output]);
        let grower = &self.grower;
        let mut parts: Vec<(&[u32], &Leaf)> = Vec::with_capacity(2 * leaves.len());
        for (leaf, grown) in leaves.iter().zip(&tree.leaves) {
            parts.push((&grower.rows[leaf.rows.clone()], grown));
            parts.push((&grower.others[leaf.others.clone()], grown));
        }
        add_values(scores, &parts, self.columns.unwrap_or_default(), self.params.parallel);
        self.trees.push(tree);
        Ok(())
    }

    /// What a new tree's values are multiplied by.
    fn shrinkage(&self) -> f64 {
        match self.params.boosting {
            Boosting::Rf => 1.0,
            Boosting::Gbdt | Boosting::Dart => self.params.learning_rate / (1 + self.n_dropped) as f64,
        }
    }

    /// The model of the iterations so far, without a copy.
    pub fn into_model(self) -> Model {
        let n = self.trees_an_iteration();
        Model::new(self.bins, &self.params, self.start, self.trees, n)
    }

    /// The model of the iterations so far.
    pub fn model(&self) -> Model {
        Model::new(self.bins, &self.params, self.start.clone(), self.trees.clone(), self.trees_an_iteration())
    }

    fn trees_an_iteration(&self) -> usize {
        if self.vectors.is_some() { 1 } else { self.scores.len() }
    }
}

fn not_finite(row: usize, [first, second]: Derivative) -> Error {
    Error::row(row, format!("the objective's derivatives are {first} and {second}"))
}
