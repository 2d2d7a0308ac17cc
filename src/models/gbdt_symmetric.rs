//! Gradient-boosted oblivious trees, by medalist-boost.

use medalist_boost::{Growth, Params};

use super::gbdt::trees::{MAX_BIN, Sum, Trees, estimate_memory, estimate_seconds, load};
use crate::Tunable;
use crate::error::Result;
use crate::model::{Columns, FitContext, Model, Predictor};
use crate::target::{Target, Task};

/// Gradient-boosted trees whose levels are split by one condition each, as CatBoost grows them; a category is the mean target of the rows with it that come before in a random order (ordered target statistics). Losses as `gbdt`'s.
#[derive(Tunable)]
pub struct GbdtSymmetric {
    /// Trees (per class where there are more than two).
    #[param(1..=1000, log, staged, default = 200, levels = [25, 50, 100, 200, 300])]
    pub n_estimators: usize,
    /// What each tree's prediction is multiplied by.
    #[param(0.01..=0.3, log, default = 0.1, levels = [0.03, 0.1])]
    pub learning_rate: f64,
    /// Splits from the root to each leaf.
    #[param(1..=8, default = 5, levels = [3, 5, 6])]
    pub max_depth: usize,
    /// L2 penalty on a leaf's value.
    #[param(0.001..=100.0, log, default = 3.0)]
    pub lambda_l2: f64,
    /// The share of rows that each tree is grown on.
    #[param(0.4..=1.0, default = 0.8)]
    pub bagging_fraction: f64,
    /// The share of columns that each tree may split on.
    #[param(0.2..=1.0, default = 1.0)]
    pub feature_fraction: f64,
}

impl Model for GbdtSymmetric {
    type Input = Columns;
    const TASKS: &'static [Task] = &[Task::Binary, Task::Multiclass, Task::Regression, Task::Ordinal];
    const ABOUT: &'static str = "gradient-boosted oblivious trees on ordered target statistics";
    const TELLS_SIZE: bool = true;
    const SHOWS_STEPS: bool = true;

    fn fit(&self, x: &Columns, y: &Target, ctx: &FitContext) -> Result<Box<dyn Predictor<Columns>>> {
        let params = Params::default()
            .growth(Growth::Symmetric)
            .n_estimators(self.n_estimators)
            .learning_rate(self.learning_rate)
            .max_depth(self.max_depth)
            .min_child_samples(1)
            .lambda_l2(self.lambda_l2)
            .bagging_fraction(self.bagging_fraction)
            .bagging_freq(1)
            .feature_fraction(self.feature_fraction);
        Trees { params, sum: Sum::Scores, max_bin: MAX_BIN, statistics: true }.fit(x, y, ctx)
    }

    fn load(state: &serde_json::Value) -> Result<Box<dyn Predictor<Columns>>> {
        load(state)
    }

    fn estimate_seconds(&self, n_rows: usize, n_columns: usize) -> Option<f64> {
        estimate_seconds(self.n_estimators, 4 << self.max_depth, n_rows, n_columns)
    }

    fn estimate_memory(&self, n_rows: usize, n_columns: usize) -> u64 {
        estimate_memory(1 << self.max_depth, MAX_BIN, n_rows, n_columns)
    }
}
