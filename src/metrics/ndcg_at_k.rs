//! Normalised discounted cumulative gain: whether what is relevant comes first, query by query.
//!
//! Two gains are in use: the relevance itself, or 2 to its power less 1 (several Kaggle contests).

use super::order::ascending;
use super::rmse::{finite, true_values};
use super::roc_auc::score_rows;
use crate::error::{Error, Result};
use crate::metric::{About, Direction, Metric, Needs, Prediction, Settings, Truth};
use crate::target::Task;

/// The mean over queries of DCG / (DCG of the best order), DCG = sum gain / log2(place + 1) over the first k places by predicted score; 0 to 1, higher is better.
///
/// `y_true`: (n_rows,), relevances of 0 or more: values, or labels that are numbers. `y_pred`: (n_rows,), any finite numbers; rows of equal scores share their places. As scikit-learn's `ndcg_score`. Rows have no weights: each query counts the same.
///
/// Settings: `k`, how many places count, default all; `gain`: "linear" (default) or "exponential"; `empty`: what a query without any relevant row scores: "zero" (default, as scikit-learn), "one" (as LightGBM), or "skip" to leave it out.
pub struct NdcgAtK {
    k: Option<usize>,
    exponential: bool,
    empty: Option<f64>,
}

impl Metric for NdcgAtK {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("ndcg_at_k", &["k", "gain", "empty"])?;
        Ok(NdcgAtK {
            k: settings.count("ndcg_at_k", "k")?,
            exponential: settings.choice("ndcg_at_k", "gain", &[("linear", false), ("exponential", true)])?,
            empty: settings.choice("ndcg_at_k", "empty", &[("zero", Some(0.0)), ("one", Some(1.0)), ("skip", None)])?,
        })
    }

    fn about() -> About {
        About {
            formula: "the mean over queries of DCG / best DCG, DCG = sum over the first k places of gain / log2(place + 1)",
            undefined: "a relevance is negative, rows have weights, or (`empty = \"skip\"`) no query has a relevant row",
            settings: &[
                ("k", "how many places count; all by default"),
                ("gain", "\"linear\" (the default: the relevance) or \"exponential\" (2^relevance - 1)"),
                (
                    "empty",
                    "what a query without a relevant row scores: \"zero\" (the default), \"one\", or \"skip\" to leave it out",
                ),
            ],
            aliases: &["ndcg", "ndcg_score", "ndcg@{k}"],
            presets: &[("ndcg@{k}_exp_gain", &[("gain", "\"exponential\"")])],
        }
    }

    fn name(&self) -> &str {
        "ndcg_at_k"
    }

    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn needs(&self) -> Needs {
        Needs::Scores
    }

    fn tasks(&self) -> &[Task] {
        &[Task::Regression, Task::Ordinal, Task::Binary]
    }

    fn takes_weights(&self) -> bool {
        false
    }

    fn ranks_queries(&self) -> bool {
        true
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        if truth.weights.is_some() {
            return Err(Error::config("ndcg_at_k has no form with weights: each query counts the same"));
        }
        let (scores, _) = score_rows(truth, prediction)?;
        let relevances = true_values(truth)?;
        if let Some(row) = relevances.iter().position(|relevance| !relevance.is_finite() || *relevance < 0.0) {
            let message = format!("ndcg_at_k is undefined: the relevance {:?} is not 0 or more", relevances[row]);
            return Err(Error::data(message).row(row + 1));
        }
        let gain = |row: u32| {
            let relevance = relevances[row as usize];
            if self.exponential { relevance.exp2() - 1.0 } else { relevance }
        };
        let (mut sum, mut n_queries) = (0.0, 0);
        for rows in queries(truth.queries, scores.len())? {
            let mut gains: Vec<f64> = rows.iter().map(|&row| gain(row)).collect();
            gains.sort_by(|a, b| b.total_cmp(a));
            let best: f64 = gains.iter().zip(1..).map(|(gain, place)| gain * self.discount(place)).sum();
            let score = match best {
                0.0 => self.empty,
                best => Some(self.dcg(&rows, scores, gain) / best),
            };
            if let Some(score) = score {
                sum += score;
                n_queries += 1;
            }
        }
        if n_queries == 0 {
            return Err(Error::data("ndcg_at_k is undefined: no query has a relevant row"));
        }
        finite(sum / f64::from(n_queries))
    }
}

impl NdcgAtK {
    /// `place`: from 1.
    fn discount(&self, place: usize) -> f64 {
        if self.k.is_some_and(|k| place > k) { 0.0 } else { 1.0 / (place as f64 + 1.0).log2() }
    }

    fn dcg(&self, rows: &[u32], scores: &[f64], gain: impl Fn(u32) -> f64) -> f64 {
        let order = ascending(rows.iter().map(|&row| -scores[row as usize]));
        let (mut sum, mut place) = (0.0, 1);
        for tied in order.chunk_by(|a, b| a.0 == b.0) {
            let gains: f64 = tied.iter().map(|&(_, at)| gain(rows[at as usize])).sum();
            let discounts: f64 = (place..place + tied.len()).map(|place| self.discount(place)).sum();
            sum += gains / tied.len() as f64 * discounts;
            place += tied.len();
        }
        sum
    }
}

/// The rows of each query.
fn queries(queries: Option<&[u32]>, n_rows: usize) -> Result<Vec<Vec<u32>>> {
    let Some(queries) = queries else { return Ok(vec![(0..n_rows as u32).collect()]) };
    if queries.len() != n_rows {
        return Err(Error::model(format!("{n_rows} rows, but the queries of {}", queries.len())));
    }
    let mut rows: Vec<(u32, u32)> = queries.iter().copied().zip(0..).collect();
    rows.sort_unstable();
    Ok(rows.chunk_by(|a, b| a.0 == b.0).map(|rows| rows.iter().map(|(_, row)| *row).collect()).collect())
}
