//! Ensembles: trials mixed by weights that their out-of-fold predictions teach, and scored by weights that other folds taught.

mod form;
mod learn;

use medalist_search::Seed;
use ndarray::{Array2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::competition::Competition;
use crate::error::{Error, Kind as Fault, Result};
use crate::estimate;
use crate::metric::{Direction, Metric, Needs, TargetScale};
use crate::predictions::Predictions;
use crate::scoring::Scorer;
use crate::split::Fold;
use crate::target::{Target, TargetColumn, Task};
use crate::thresholds;

pub use form::Form;
use learn::Goal;

/// Rows of train that weights are learned from, at most.
pub const MAX_ROWS: usize = learn::MAX_ROWS;

/// How weights are learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Forward selection with replacement, bagged.
    Greedy,
    /// Non-negative weights of sum 1 that minimise the log loss or the squared error.
    Stack,
    /// As `greedy`, of ranks.
    Rank,
}

impl Kind {
    pub const ALL: [Kind; 3] = [Kind::Greedy, Kind::Stack, Kind::Rank];

    pub fn name(self) -> &'static str {
        match self {
            Kind::Greedy => "greedy",
            Kind::Stack => "stack",
            Kind::Rank => "rank",
        }
    }
}

/// A trial that may become part of an ensemble.
pub struct Member {
    /// STUDY/NUMBER.
    pub name: String,
    /// Out-of-fold predictions: one matrix (n_train_rows, n_outputs) per target, NaN in rows that no fold scores.
    pub outputs: Vec<Array2<f64>>,
}

/// Members in one form, and the folds on which they were scored.
pub struct Pool<'a> {
    scorer: Scorer<'a>,
    /// Those of the first repeat.
    folds: Vec<&'a Fold>,
    names: Vec<String>,
    form: Form,
    scale: TargetScale,
    goal: Goal,
    /// Per member, one matrix per target.
    members: Vec<Vec<Array2<f64>>>,
    ranked: Option<Vec<Vec<Array2<f64>>>>,
    seed: Seed,
}

/// An ensemble, and what it is worth.
#[derive(Clone, Debug)]
pub struct Ensemble {
    pub kind: Kind,
    pub form: Form,
    pub scale: TargetScale,
    /// One a member of the pool, of sum 1; learned from all rows.
    pub weights: Vec<f64>,
    pub nested: Nested,
    /// Over the best single member, chosen in the same way.
    pub gain: Gain,
}

/// Scores of rows by weights that other folds taught.
#[derive(Clone, Debug)]
pub struct Nested {
    /// By fold.
    pub scores: Vec<f64>,
    /// One matrix (n_train_rows, n_outputs) per target, NaN in rows that no fold scores.
    pub outputs: Vec<Array2<f64>>,
}

impl Nested {
    pub fn mean(&self) -> f64 {
        self.scores.iter().sum::<f64>() / self.scores.len() as f64
    }
}

/// What an ensemble scores more than the best single member; positive is better, whatever the metric's direction.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gain {
    pub mean: f64,
    /// Of the mean over folds that share training rows (Nadeau and Bengio 2003).
    pub standard_error: f64,
}

impl Gain {
    /// One fold has no standard error, and its gain is not real.
    fn of(direction: Direction, ensemble: &[f64], single: &[f64]) -> Gain {
        let better = |(a, b): (&f64, &f64)| if direction == Direction::Maximize { a - b } else { b - a };
        let gains: Vec<f64> = ensemble.iter().zip(single).map(better).collect();
        let standard_error = estimate::corrected_standard_error(&gains).unwrap_or(f64::INFINITY);
        Gain { mean: gains.iter().sum::<f64>() / gains.len() as f64, standard_error }
    }

    /// Whether it is more than noise: more than its standard error.
    pub fn is_real(&self) -> bool {
        self.mean > self.standard_error
    }
}

/// The version of [`Recipe`]'s form.
const VERSION: u32 = 1;

/// An ensemble as the store keeps it: who is in it, and how its members are mixed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Recipe {
    version: u32,
    pub kind: Kind,
    pub form: Form,
    pub scale: TargetScale,
    /// Heaviest first.
    pub members: Vec<Share>,
    pub gain: Gain,
}

/// A member of an ensemble.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// STUDY/NUMBER.
    pub trial: String,
    /// Above 0; those of all members sum to 1.
    pub weight: f64,
}

impl Recipe {
    /// # Errors
    /// When a newer version wrote it, or it is damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Recipe> {
        let recipe: Recipe = serde_json::from_slice(bytes)
            .map_err(|error| Error::new(Fault::Store, format!("an ensemble in the store cannot be read: {error}")))?;
        if recipe.version != VERSION {
            let message = format!("an ensemble in the store has format {}, not {VERSION}", recipe.version);
            return Err(Error::new(Fault::Store, message).help("it was written by a newer medalist: update it"));
        }
        Ok(recipe)
    }

    /// # Errors
    /// Never: it is made of texts and finite numbers.
    pub fn to_bytes(&self) -> Result<Vec<u8>> {
        serde_json::to_vec(self).map_err(|error| Error::unexpected(error.to_string()))
    }
}

impl Ensemble {
    /// `names`: the pool's.
    pub fn recipe(&self, names: &[String]) -> Recipe {
        let weights = self.weights.iter().zip(names).filter(|(weight, _)| **weight > 0.0);
        let mut members: Vec<Share> = weights.map(|(&weight, trial)| Share { trial: trial.clone(), weight }).collect();
        members.sort_by(|a, b| b.weight.total_cmp(&a.weight));
        Recipe { version: VERSION, kind: self.kind, form: self.form, scale: self.scale, members, gain: self.gain }
    }
}

impl<'a> Pool<'a> {
    /// `folds`: those that the members were scored on.
    ///
    /// # Errors
    /// When there are fewer than two members or folds, or the members' predictions are not of one kind.
    pub fn new(
        competition: &'a Competition,
        metric: &'a dyn Metric,
        folds: &'a [Fold],
        members: Vec<Member>,
        seed: Seed,
    ) -> Result<Pool<'a>> {
        let folds: Vec<&Fold> = folds.iter().filter(|fold| fold.repeat == 0).collect();
        if members.len() < 2 || folds.len() < 2 {
            let message = format!("{} trials over {} folds make no ensemble", members.len(), folds.len());
            return Err(Error::usage(message).help("it takes two trials and two folds at least"));
        }
        let outputs: Vec<&[Array2<f64>]> = members.iter().map(|member| member.outputs.as_slice()).collect();
        let form = Form::of(competition, &outputs);
        let scale = match competition.task {
            Task::Regression => competition.target_scale(metric),
            _ => TargetScale::Identity,
        };
        let groups: Vec<Vec<u32>> = folds.iter().map(|fold| fold.valid.clone()).collect();
        let put = |form: Form| -> Result<Vec<Vec<Array2<f64>>>> {
            let put = |outputs: &&[Array2<f64>]| form.put(competition, scale, outputs, &groups);
            outputs.iter().map(put).collect()
        };
        let can_rank = Form::can_rank(competition, metric.needs()) && form == Form::Probabilities;
        let goal = match metric.needs() {
            Needs::Labels if thresholds::are_learned(competition, metric) => Goal::Proper,
            Needs::Ranking(_) => Goal::Proper,
            _ => Goal::Metric,
        };
        Ok(Pool {
            members: put(form)?,
            ranked: can_rank.then(|| put(Form::Ranks)).transpose()?,
            scorer: Scorer { competition, metric },
            folds,
            names: members.into_iter().map(|member| member.name).collect(),
            form,
            scale,
            goal,
            seed,
        })
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The kinds that make sense here.
    pub fn kinds(&self) -> Vec<Kind> {
        Kind::ALL.into_iter().filter(|kind| *kind != Kind::Rank || self.ranked.is_some()).collect()
    }

    /// The best single member, chosen for each fold by the others.
    ///
    /// # Errors
    /// When a fold has no score.
    pub fn single(&self) -> Result<Nested> {
        self.nested(self.form, &self.members, |rows| self.single_of(rows))
    }

    /// An ensemble of this kind.
    ///
    /// # Errors
    /// When a fold has no score, or the kind makes no sense here.
    pub fn ensemble(&self, kind: Kind, single: &Nested) -> Result<Ensemble> {
        let (form, members) = match (kind, &self.ranked) {
            (Kind::Rank, Some(ranked)) => (Form::Ranks, ranked),
            (Kind::Rank, None) => {
                let error = Error::usage("the metric looks at more than the order of the rows");
                return Err(error.help("leave `rank` out"));
            }
            _ => (self.form, &self.members),
        };
        let learn = |rows: &[u32]| {
            let lesson = self.lesson(members, rows, self.seed);
            match kind {
                Kind::Greedy | Kind::Rank => self.greedy(&lesson, self.seed.child(kind.name(), 0)),
                Kind::Stack => self.stack(&lesson),
            }
        };
        let nested = self.nested(form, members, learn)?;
        let gain = Gain::of(self.scorer.metric.direction(), &nested.scores, &single.scores);
        let all: Vec<u32> = self.rows_but(None);
        Ok(Ensemble { kind, form, scale: self.scale, weights: learn(&all), nested, gain })
    }

    fn single_of(&self, rows: &[u32]) -> Vec<f64> {
        self.single_by_loss(&self.lesson(&self.members, rows, self.seed))
    }

    /// Each fold by the weights that the rows of the others teach, and by their thresholds.
    fn nested(
        &self,
        form: Form,
        members: &[Vec<Array2<f64>>],
        learn: impl Fn(&[u32]) -> Vec<f64> + Sync,
    ) -> Result<Nested> {
        let Scorer { competition, metric } = self.scorer;
        let taken = |outputs: &[Array2<f64>], rows: &[u32]| -> Vec<Array2<f64>> {
            let places: Vec<usize> = rows.iter().map(|&row| row as usize).collect();
            outputs.iter().map(|output| output.select(Axis(0), &places)).collect()
        };
        let fold = |number: usize| {
            let (rows, beside) = (self.scored_rows(number), self.rows_but(Some(number)));
            let mixed = mixed(form, self.scale, &learn(&beside), members);
            let thresholds = thresholds::of_rows(competition, metric, &beside, &taken(&mixed, &beside))?;
            let outputs = taken(&mixed, &rows);
            let score = self.scorer.score(&rows, &outputs, &thresholds)?;
            Ok((rows, outputs, score))
        };
        let folds: Vec<Result<_>> = (0..self.folds.len()).into_par_iter().map(fold).collect();
        let folds = folds.into_iter().collect::<Result<Vec<_>>>()?;
        let parts: Vec<(&[u32], &[Array2<f64>])> =
            folds.iter().map(|(rows, outputs, _)| (rows.as_slice(), outputs.as_slice())).collect();
        let outputs = Predictions::out_of_fold(competition.n_train_rows(), &parts).outputs;
        Ok(Nested { scores: folds.iter().map(|(.., score)| *score).collect(), outputs })
    }

    /// The rows that a fold scores and all members have predicted.
    fn scored_rows(&self, fold: usize) -> Vec<u32> {
        let is_predicted = |row: &u32| {
            let is_number = |output: &Array2<f64>| !output[[*row as usize, 0]].is_nan();
            self.members.iter().all(|member| member.iter().all(is_number))
        };
        self.folds[fold].valid.iter().copied().filter(is_predicted).collect()
    }

    /// Those of all folds but one, ascending.
    fn rows_but(&self, left_out: Option<usize>) -> Vec<u32> {
        let others = (0..self.folds.len()).filter(|number| Some(*number) != left_out);
        let mut rows: Vec<u32> = others.flat_map(|number| self.scored_rows(number)).collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// By target: class numbers, or values on the scale on which they are fitted.
    fn truths(&self, rows: &[u32]) -> Vec<Vec<f64>> {
        let truth = |column: &TargetColumn| -> Vec<f64> {
            let labels = if self.form.is_probable() { None } else { column.label_values() };
            let value = |row: usize| match (&column.target, &labels) {
                (Target::Classes { codes, .. }, None) => f64::from(codes[row]),
                (Target::Classes { codes, .. }, Some(labels)) => labels[codes[row] as usize],
                (Target::Values(values), _) => self.scale.of(values[row]),
            };
            rows.iter().map(|&row| value(row as usize)).collect()
        };
        self.scorer.competition.targets.iter().map(truth).collect()
    }

    fn row_weights(&self, rows: &[u32]) -> Vec<f64> {
        self.scorer.weights(rows).unwrap_or_else(|| vec![1.0; rows.len()])
    }
}

/// The members' predictions for the test rows as the ensemble's: one matrix per target.
///
/// `members`: a weight and the outputs of a model for the same rows each.
///
/// # Errors
/// When the outputs are not of one kind.
pub fn mix(
    competition: &Competition,
    form: Form,
    scale: TargetScale,
    members: &[(f64, Vec<Array2<f64>>)],
) -> Result<Vec<Array2<f64>>> {
    let n_rows = members.first().and_then(|(_, outputs)| outputs.first()).map_or(0, Array2::nrows);
    let together = [(0..n_rows as u32).collect()];
    let put = |(_, outputs): &(f64, Vec<Array2<f64>>)| form.put(competition, scale, outputs, &together);
    let put = members.iter().map(put).collect::<Result<Vec<_>>>()?;
    let weights: Vec<f64> = members.iter().map(|(weight, _)| *weight).collect();
    Ok(mixed(form, scale, &weights, &put))
}

/// The members' sum by these weights as a model's outputs, one matrix per target; added up in the members' order, so that it is the same on any number of threads.
fn mixed(form: Form, scale: TargetScale, weights: &[f64], members: &[Vec<Array2<f64>>]) -> Vec<Array2<f64>> {
    let Some(first) = members.first() else { return Vec::new() };
    let mut sums: Vec<Array2<f64>> = first.iter().map(|output| Array2::zeros(output.raw_dim())).collect();
    for (&weight, member) in weights.iter().zip(members).filter(|(weight, _)| **weight > 0.0) {
        sums.iter_mut().zip(member).for_each(|(sum, output)| sum.scaled_add(weight, output));
    }
    sums.into_iter().map(|sum| form.back(scale, sum)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gain_is_paired_by_fold_and_a_single_fold_shows_none() {
        let gain = Gain::of(Direction::Maximize, &[0.6, 0.8, 0.7], &[0.5, 0.5, 0.5]);
        assert!((gain.mean - 0.2).abs() < 1e-12 && gain.is_real(), "{gain:?}");
        assert!(!Gain::of(Direction::Minimize, &[0.6, 0.8, 0.7], &[0.5, 0.5, 0.5]).is_real());
        assert!(!Gain::of(Direction::Minimize, &[0.5, 0.5], &[0.5, 0.5]).is_real());
        assert!(!Gain::of(Direction::Minimize, &[0.1], &[0.5]).is_real());
    }
}
