//! What a fit leaves behind.

use serde::{Deserialize, Serialize};

use crate::bins::{Bins, FeatureBins};
use crate::objective::Objective;
use crate::params::{Boosting, Params};
use crate::tree::Tree;

/// A fitted model: trees, and what makes predictions of their sums.
#[derive(Clone, Debug)]
pub struct Model {
    pub(crate) objective: Objective,
    /// The scores before the first tree.
    pub(crate) start: Vec<f64>,
    /// An iteration's together, in the order of their outputs.
    pub(crate) trees: Vec<Tree>,
    /// Whether trees are averaged rather than added.
    pub(crate) average: bool,
    pub(crate) n_features: usize,
}

impl Model {
    pub(crate) fn new(bins: &Bins, params: &Params, start: Vec<f64>, trees: Vec<Tree>) -> Model {
        Model {
            objective: params.objective.clone(),
            start,
            trees,
            average: params.boosting == Boosting::Rf,
            n_features: bins.n_features(),
        }
    }
}
