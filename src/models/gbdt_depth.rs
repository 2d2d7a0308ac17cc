//! Gradient-boosted trees, grown level by level, by medalist-boost.

use medalist_boost::{Growth, Params};

use super::gbdt::trees::{MAX_BIN, Sum, Trees, estimate_memory, estimate_seconds, load};
use crate::Tunable;
use crate::error::Result;
use crate::model::{Columns, FitContext, Model, Predictor};
use crate::target::{Target, Task};

/// Gradient-boosted trees of a given depth, as XGBoost grows them; losses and categories as `gbdt`'s.
#[derive(Tunable)]
pub struct GbdtDepth {
    /// Trees (per class where there are more than two).
    #[param(1..=1000, log, staged, default = 200, levels = [25, 50, 100, 200, 300])]
    pub n_estimators: usize,
    /// What each tree's prediction is multiplied by.
    #[param(0.01..=0.3, log, default = 0.05, levels = [0.03, 0.1])]
    pub learning_rate: f64,
    /// Splits from the root to a leaf, at most.
    #[param(1..=10, default = 4, levels = [3, 5, 7])]
    pub max_depth: usize,
    /// The sum of second derivatives in a leaf, at least: for squared loss a number of rows.
    #[param(0.001..=100.0, log, default = 1.0)]
    pub min_sum_hessian: f64,
    /// L2 penalty on a leaf's value.
    #[param(0.001..=100.0, log, default = 1.0)]
    pub lambda_l2: f64,
    /// The share of rows that each tree is grown on.
    #[param(0.4..=1.0, default = 0.75)]
    pub bagging_fraction: f64,
    /// The share of columns that each node may split on.
    #[param(0.2..=1.0, default = 0.5)]
    pub feature_fraction_bynode: f64,
}

impl Model for GbdtDepth {
    type Input = Columns;
    const TASKS: &'static [Task] = &[Task::Binary, Task::Multiclass, Task::Regression, Task::Ordinal];
    const ABOUT: &'static str = "gradient-boosted trees, grown level by level";
    const TELLS_SIZE: bool = true;
    const SHOWS_STEPS: bool = true;

    fn fit(&self, x: &Columns, y: &Target, ctx: &FitContext) -> Result<Box<dyn Predictor<Columns>>> {
        let params = Params::default()
            .growth(Growth::Depth)
            .n_estimators(self.n_estimators)
            .learning_rate(self.learning_rate)
            .num_leaves(1 << self.max_depth)
            .max_depth(self.max_depth)
            .min_child_samples(1)
            .min_sum_hessian(self.min_sum_hessian)
            .lambda_l2(self.lambda_l2)
            .bagging_fraction(self.bagging_fraction)
            .bagging_freq(1)
            .feature_fraction_bynode(self.feature_fraction_bynode);
        Trees { params, sum: Sum::Scores, max_bin: MAX_BIN, statistics: false }.fit(x, y, ctx)
    }

    fn load(state: &serde_json::Value) -> Result<Box<dyn Predictor<Columns>>> {
        load(state)
    }

    fn estimate_seconds(&self, n_rows: usize, n_columns: usize) -> Option<f64> {
        estimate_seconds(self.n_estimators, 1 << self.max_depth, n_rows, n_columns)
    }

    fn estimate_memory(&self, n_rows: usize, n_columns: usize) -> u64 {
        estimate_memory(1 << self.max_depth, MAX_BIN, n_rows, n_columns)
    }
}
