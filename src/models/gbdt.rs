//! Gradient-boosted trees, grown leaf by leaf, by medalist-boost.

use medalist_boost::{Growth, Params};

pub(super) mod trees;

use self::trees::{Sum, Trees, estimate_memory, estimate_seconds, load};
use crate::Tunable;
use crate::error::Result;
use crate::model::{Columns, FitContext, Model, Predictor};
use crate::target::{Target, Task};

/// Gradient-boosted trees: of all leaves the one that gains most is split next. Logistic loss for two classes, softmax for more, squared loss for values; row weights count. Categories are parted along the order of their gradients, a gap goes to whichever side is better. Parameters under LightGBM's names.
#[derive(Tunable)]
pub struct Gbdt {
    /// Trees (per class where there are more than two).
    #[param(1..=1000, log, staged, default = 200, levels = [25, 50, 100, 200, 300])]
    pub n_estimators: usize,
    /// What each tree's prediction is multiplied by.
    #[param(0.01..=0.3, log, default = 0.05, levels = [0.03, 0.1])]
    pub learning_rate: f64,
    /// Leaves of a tree, at most.
    #[param(2..=128, log, default = 16, levels = [7, 31])]
    pub num_leaves: usize,
    /// Splits from the root to a leaf, at most.
    #[param(1..=16, default = 6)]
    pub max_depth: usize,
    /// The sum of second derivatives in a leaf, at least: for squared loss a number of rows.
    #[param(0.001..=100.0, log, default = 1.0)]
    pub min_sum_hessian: f64,
    /// L1 penalty on a leaf's value.
    #[param(0.0..=10.0, default = 0.0)]
    pub lambda_l1: f64,
    /// L2 penalty on a leaf's value.
    #[param(0.001..=100.0, log, default = 1.0)]
    pub lambda_l2: f64,
    /// The gain that a split must bring.
    #[param(0.0..=1.0, default = 0.0)]
    pub min_gain_to_split: f64,
    /// The share of rows that each tree is grown on.
    #[param(0.4..=1.0, default = 0.75)]
    pub bagging_fraction: f64,
    /// The share of columns that each tree may split on.
    #[param(0.2..=1.0, default = 0.5)]
    pub feature_fraction: f64,
    /// Bins that a column's values are put in, at most.
    #[param(choices = [31, 63, 127, 255], ordered, default = 127)]
    pub max_bin: u16,
}

impl Model for Gbdt {
    type Input = Columns;
    const TASKS: &'static [Task] = &[Task::Binary, Task::Multiclass, Task::Regression, Task::Ordinal];
    const ABOUT: &'static str = "gradient-boosted trees, grown leaf by leaf";
    const TELLS_SIZE: bool = true;
    const SHOWS_STEPS: bool = true;

    fn fit(&self, x: &Columns, y: &Target, ctx: &FitContext) -> Result<Box<dyn Predictor<Columns>>> {
        let params = Params::default()
            .growth(Growth::Leaf)
            .n_estimators(self.n_estimators)
            .learning_rate(self.learning_rate)
            .num_leaves(self.num_leaves)
            .max_depth(self.max_depth)
            .min_child_samples(1)
            .min_sum_hessian(self.min_sum_hessian)
            .lambda_l1(self.lambda_l1)
            .lambda_l2(self.lambda_l2)
            .min_gain_to_split(self.min_gain_to_split)
            .bagging_fraction(self.bagging_fraction)
            .bagging_freq(1)
            .feature_fraction(self.feature_fraction);
        let trees = Trees { params, sum: Sum::Scores, max_bin: usize::from(self.max_bin), statistics: false };
        trees.fit(x, y, ctx)
    }

    fn load(state: &serde_json::Value) -> Result<Box<dyn Predictor<Columns>>> {
        load(state)
    }

    fn estimate_seconds(&self, n_rows: usize, n_columns: usize) -> Option<f64> {
        estimate_seconds(self.n_estimators, self.num_leaves, n_rows, n_columns)
    }

    fn estimate_memory(&self, n_rows: usize, n_columns: usize) -> u64 {
        estimate_memory(self.num_leaves, usize::from(self.max_bin), n_rows, n_columns)
    }
}
