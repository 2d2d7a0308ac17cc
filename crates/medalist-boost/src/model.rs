//! What a fit leaves behind: trees, and what makes predictions of their sums.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::bins::{Bins, Column};
use crate::error::{Error, Result};
use crate::kernel::Level;
use crate::objective::Objective;
use crate::params::{Boosting, Params};
use crate::tree::{Leaf, Linear, Tree};

mod coded;
pub(crate) mod flat;
mod lightgbm;
mod permutation;
mod shap;

use flat::{BinForest, add_raw};

/// A fitted model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Model {
    /// Of the JSON format.
    pub(crate) version: u32,
    pub(crate) objective: Objective,
    pub(crate) n_features: usize,
    /// The scores before the first tree.
    pub(crate) start: Vec<f64>,
    /// Whether trees are averaged rather than added.
    pub(crate) average: bool,
    /// An iteration's together, in the order of their outputs.
    pub(crate) trees: Vec<Tree>,
    /// Trees an iteration: one a score, or one in all with leaf vectors.
    pub(crate) trees_an_iteration: usize,
}

/// How the importance of a feature is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Importance {
    /// The sum of what its splits gained.
    Gain,
    /// The number of its splits.
    Split,
}

/// The version of the JSON format that holds these trees: 2 where leaves are linear, else 1, which older readers know.
fn version(trees: &[Tree]) -> u32 {
    if trees.iter().any(Tree::is_linear) { 2 } else { 1 }
}

impl Model {
    pub(crate) fn new(
        bins: &Bins,
        params: &Params,
        start: Vec<f64>,
        trees: Vec<Tree>,
        trees_an_iteration: usize,
    ) -> Model {
        Model {
            version: version(&trees),
            objective: params.objective.clone(),
            n_features: bins.n_features(),
            start,
            average: params.boosting == Boosting::Rf,
            trees,
            trees_an_iteration,
        }
    }

    /// Columns that it was fitted on.
    pub fn n_features(&self) -> usize {
        self.n_features
    }

    /// Scores, and predictions, a row.
    pub fn n_scores(&self) -> usize {
        self.start.len()
    }

    pub fn n_iterations(&self) -> usize {
        self.trees.len() / self.trees_an_iteration
    }

    /// An iteration's together.
    pub fn trees(&self) -> &[Tree] {
        &self.trees
    }

    pub fn objective(&self) -> &Objective {
        &self.objective
    }

    /// Scores (n_rows, n_scores), row-major, by the first iterations: all where None.
    ///
    /// # Errors
    /// When the columns are not as many as in training, or differ in length.
    pub fn raw(&self, columns: &[Column], n_iterations: Option<usize>) -> Result<Vec<f64>> {
        let n = n_iterations.unwrap_or(self.n_iterations());
        let mut stages = self.raw_staged(columns, &[n])?;
        Ok(stages.pop().unwrap_or_default())
    }

    /// Predictions (n_rows, n_scores), row-major: values, or probabilities.
    ///
    /// # Errors
    /// Those of [`Model::raw`].
    pub fn predict(&self, columns: &[Column], n_iterations: Option<usize>) -> Result<Vec<f64>> {
        let mut scores = self.raw(columns, n_iterations)?;
        self.finish(&mut scores);
        Ok(scores)
    }

    /// Predictions as those of [`Model::predict`], one for each number of iterations (ascending, 0 for the start alone). Where trees were dropped in training (dart), fewer iterations are not the model that there was after them.
    ///
    /// # Errors
    /// Those of [`Model::raw`], and when the numbers do not ascend or exceed the model's.
    pub fn predict_staged(&self, columns: &[Column], n_iterations: &[usize]) -> Result<Vec<Vec<f64>>> {
        let mut stages = self.raw_staged(columns, n_iterations)?;
        stages.iter_mut().for_each(|scores| self.finish(scores));
        Ok(stages)
    }

    /// As [`Model::predict_staged`], for rows of bins in which the model was grown, or others made [`Bins::like`] them: faster, and the same bit for bit.
    ///
    /// # Errors
    /// When leaves are linear, as these need the values themselves; a split is not at an edge of these bins; or the numbers do not ascend or exceed the model's.
    pub fn predict_staged_on_bins(&self, bins: &Bins, rows: &[u32], n_iterations: &[usize]) -> Result<Vec<Vec<f64>>> {
        self.check_stages(n_iterations)?;
        if bins.n_features() != self.n_features {
            return Err(self.wrong_width(bins.n_features()));
        }
        if let Some(&row) = rows.iter().find(|&&row| row as usize >= bins.n_rows()) {
            return Err(Error::shape(format!("row {row} is not among the bins' {} rows", bins.n_rows())));
        }
        let forest = self.on_bins(bins, None)?;
        let add = |trees: std::ops::Range<usize>, scores: &mut [f64]| {
            forest.add(Level::detect(), trees, rows, self.n_scores(), scores);
        };
        let mut stages = self.staged(rows.len(), n_iterations, add);
        stages.iter_mut().for_each(|scores| self.finish(scores));
        Ok(stages)
    }

    /// Its trees, laid out for rows of these bins.
    ///
    /// # Errors
    /// When a split is not at an edge of these bins, or leaves are linear and there are no columns.
    pub(crate) fn on_bins<'a>(&'a self, bins: &'a Bins, columns: Option<&'a [Column<'a>]>) -> Result<BinForest<'a>> {
        BinForest::new(&self.trees, bins, columns)
    }

    fn raw_staged(&self, columns: &[Column], n_iterations: &[usize]) -> Result<Vec<Vec<f64>>> {
        self.check_stages(n_iterations)?;
        let n_rows = self.check_columns(columns)?;
        let add = |trees: std::ops::Range<usize>, scores: &mut [f64]| {
            add_raw(&self.trees[trees], columns, self.n_scores(), scores);
        };
        Ok(self.staged(n_rows, n_iterations, add))
    }

    /// The scores after each stage; `add` adds some trees' values to them.
    fn staged(
        &self,
        n_rows: usize,
        n_iterations: &[usize],
        add: impl Fn(std::ops::Range<usize>, &mut [f64]),
    ) -> Vec<Vec<f64>> {
        let n_scores = self.n_scores();
        let mut scores = if self.average { vec![0.0; n_rows * n_scores] } else { self.start.repeat(n_rows) };
        let mut done = 0;
        let mut stages = Vec::with_capacity(n_iterations.len());
        for &n in n_iterations {
            add(done * self.trees_an_iteration..n * self.trees_an_iteration, &mut scores);
            done = n;
            let mut stage = scores.clone();
            if self.average {
                let start = self.start.iter().cycle();
                stage.iter_mut().zip(start).for_each(|(score, start)| *score = *score / n.max(1) as f64 + start);
            }
            stages.push(stage);
        }
        stages
    }

    fn finish(&self, scores: &mut [f64]) {
        let n = self.objective.n_scores();
        scores.chunks_exact_mut(n).for_each(|scores| self.objective.predict(scores));
    }

    /// The leaf of each tree that each row ends in: (n_rows, n_trees), row-major.
    ///
    /// # Errors
    /// Those of [`Model::raw`].
    pub fn leaves(&self, columns: &[Column]) -> Result<Vec<u32>> {
        let n_rows = self.check_columns(columns)?;
        let mut leaves = Vec::with_capacity(n_rows * self.trees.len());
        let mut values = vec![0.0; columns.len()];
        for row in 0..n_rows {
            values.iter_mut().zip(columns).for_each(|(value, column)| *value = column.value(row));
            leaves.extend(self.trees.iter().map(|tree| tree.leaf_of(&values) as u32));
        }
        Ok(leaves)
    }

    /// One number a feature.
    pub fn importance(&self, kind: Importance) -> Vec<f64> {
        let mut importance = vec![0.0; self.n_features];
        for node in self.trees.iter().flat_map(|tree| &tree.nodes) {
            importance[node.feature] += if kind == Importance::Gain { node.gain } else { 1.0 };
        }
        importance
    }

    /// Bytes of the nodes and leaves of the first iterations.
    pub fn size(&self, n_iterations: usize) -> usize {
        let trees = self.trees.iter().take(n_iterations * self.trees_an_iteration);
        let size = |tree: &Tree| {
            let categories = tree.nodes.iter().map(|node| match &node.decision {
                crate::tree::Decision::Categories(codes) => 4 * codes.len(),
                crate::tree::Decision::Threshold { .. } => 0,
            });
            let linear = |leaf: &Leaf| leaf.linear.as_ref().map_or(0, |linear| Linear::bytes(linear.features.len()));
            let leaf_values: usize = tree.leaves.iter().map(|leaf| 8 * leaf.value.len() + linear(leaf)).sum();
            flat::NODE_BYTES * tree.nodes.len() + categories.sum::<usize>() + leaf_values
        };
        8 * self.start.len() + trees.map(size).sum::<usize>()
    }

    /// Writes the model as versioned JSON.
    ///
    /// # Errors
    /// When the objective is a closure, which no file can hold.
    pub fn to_json(&self) -> Result<String> {
        if matches!(self.objective, Objective::Custom(_)) {
            return Err(Error::Format("a model with an objective of its own cannot be written".to_string()));
        }
        serde_json::to_string(self).map_err(|error| Error::Format(error.to_string()))
    }

    /// Reads a model that [`Model::to_json`] wrote.
    ///
    /// # Errors
    /// When the text is not such a model, or one of another version.
    pub fn from_json(text: &str) -> Result<Model> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let Versioned { version } = serde_json::from_str(text).map_err(|error| Error::Format(error.to_string()))?;
        if ![1, 2].contains(&version) {
            let what = format!("the model is of version {version}, but this crate reads versions 1 and 2");
            return Err(Error::Format(what));
        }
        let model: Model = serde_json::from_str(text).map_err(|error| Error::Format(error.to_string()))?;
        if version != self::version(&model.trees) {
            let what =
                format!("the model is of version {version}, but version 2 is for linear leaves, and 1 for others");
            return Err(Error::Format(what));
        }
        model.check()?;
        Ok(model)
    }

    /// Writes the model to a file, as JSON.
    ///
    /// # Errors
    /// Those of [`Model::to_json`], and when the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<()> {
        let text = self.to_json()?;
        fs::write(path, text).map_err(|error| Error::Format(format!("{}: {error}", path.display())))
    }

    /// Reads a model from a file that [`Model::save`] wrote.
    ///
    /// # Errors
    /// Those of [`Model::from_json`], and when the file cannot be read.
    pub fn load(path: &Path) -> Result<Model> {
        let text = fs::read_to_string(path).map_err(|error| Error::Format(format!("{}: {error}", path.display())))?;
        Model::from_json(&text).map_err(|error| Error::Format(format!("{}: {error}", path.display())))
    }

    /// Whether everything that prediction relies on holds: a file may say anything.
    pub(crate) fn check(&self) -> Result<()> {
        let wrong = |what: String| Err(Error::Format(what));
        if self.start.is_empty() || self.trees_an_iteration == 0 || self.objective.n_scores() == 0 {
            return wrong("the model has no outputs".to_string());
        }
        if !self.start.len().is_multiple_of(self.objective.n_scores())
            || !self.trees.len().is_multiple_of(self.trees_an_iteration)
        {
            return wrong("the model's numbers of scores and trees do not fit together".to_string());
        }
        for (number, tree) in self.trees.iter().enumerate() {
            let n_values = if self.trees_an_iteration == self.start.len() { 1 } else { self.start.len() };
            if tree.output + n_values > self.start.len() || tree.leaves.len() != tree.nodes.len() + 1 {
                return wrong(format!(
                    "tree {number} has not one leaf more than nodes, or an output that is not there"
                ));
            }
            if let Some(leaf) = tree.leaves.iter().position(|leaf| leaf.value.len() != n_values) {
                return wrong(format!("tree {number}: leaf {leaf} must have {n_values} values"));
            }
            for (leaf, linear) in
                tree.leaves.iter().enumerate().filter_map(|(at, leaf)| Some((at, leaf.linear.as_ref()?)))
            {
                let has_features = linear.features.iter().all(|&feature| feature < self.n_features);
                if n_values > 1 || !has_features || linear.features.len() != linear.coefficients.len() {
                    return wrong(format!(
                        "tree {number}: the linear leaf {leaf} has not a coefficient a feature, a feature that is not there, or several outputs"
                    ));
                }
            }
            // Nodes, then leaves.
            let mut has_parent = vec![false; tree.nodes.len() + tree.leaves.len()];
            for (at, node) in tree.nodes.iter().enumerate() {
                if node.feature >= self.n_features {
                    return wrong(format!(
                        "tree {number}: node {at} splits feature {}, which is not there",
                        node.feature
                    ));
                }
                for child in [node.left, node.right] {
                    // Children come behind their parents, each has one: so that no path is endless, nor are there too many.
                    let place = match usize::try_from(child) {
                        Ok(child) if child > at && child < tree.nodes.len() => Some(child),
                        Err(_) if (!child as usize) < tree.leaves.len() => Some(tree.nodes.len() + !child as usize),
                        _ => None,
                    };
                    let exists = place.is_some_and(|place| !std::mem::replace(&mut has_parent[place], true));
                    if !exists {
                        return wrong(format!(
                            "tree {number}: node {at} has a child {child} that is not there, or has another parent"
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    pub(crate) fn check_columns(&self, columns: &[Column]) -> Result<usize> {
        if columns.len() != self.n_features {
            return Err(self.wrong_width(columns.len()));
        }
        let n_rows = columns.first().map_or(0, Column::len);
        match columns.iter().position(|column| column.len() != n_rows) {
            None => Ok(n_rows),
            Some(at) => {
                let lengths = format!("column {at} has {} rows, column 0 has {n_rows}", columns[at].len());
                Err(Error::shape(lengths))
            }
        }
    }

    fn wrong_width(&self, n: usize) -> Error {
        Error::shape(format!("there are {n} columns, but the model was fitted on {}", self.n_features))
    }

    fn check_stages(&self, n_iterations: &[usize]) -> Result<()> {
        let most = self.n_iterations();
        if n_iterations.is_sorted() && n_iterations.last().is_none_or(|&last| last <= most) {
            return Ok(());
        }
        let list = format!("{n_iterations:?}");
        Err(Error::parameter("n_iterations", list, format!("ascending, and at most the model's {most}")))
    }
}
