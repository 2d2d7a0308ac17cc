//! Random forests, by medalist-boost.

use medalist_boost::{Boosting, MultiStrategy, Params};

use super::gbdt::trees::{MAX_BIN, MOST_LEAVES, Sum, Trees, estimate_memory, estimate_seconds, load};
use crate::Tunable;
use crate::error::Result;
use crate::model::{Columns, FitContext, Model, Predictor};
use crate::target::{Target, Task};

/// The mean of many trees, each grown on rows drawn with replacement (Breiman 2001). A leaf says the mean of its rows, or the shares of their classes; row weights count. Categories as `gbdt`'s, or one against the rest where there are three classes or more.
#[derive(Tunable)]
pub struct RandomForest {
    /// Trees.
    #[param(10..=500, staged, default = 100, levels = [20, 50, 100])]
    pub n_estimators: usize,
    /// Splits from the root to a leaf, at most.
    #[param(2..=32, default = 16, levels = [4, 8, 16])]
    pub max_depth: usize,
    /// Training rows in a leaf, at least.
    #[param(1..=100, log, default = 3, levels = [1, 3, 10])]
    pub min_child_samples: usize,
    /// The share of columns that each split may choose from.
    #[param(0.05..=1.0, default = 0.4, levels = [0.2, 0.4, 0.8])]
    pub feature_fraction_bynode: f64,
}

impl Model for RandomForest {
    type Input = Columns;
    const TASKS: &'static [Task] = &[Task::Binary, Task::Multiclass, Task::Regression, Task::Ordinal];
    const ABOUT: &'static str = "the mean of trees on drawn rows and columns";
    const TELLS_SIZE: bool = true;

    fn fit(&self, x: &Columns, y: &Target, ctx: &FitContext) -> Result<Box<dyn Predictor<Columns>>> {
        let params = Params::default()
            .boosting(Boosting::Rf)
            .bootstrap(true)
            .multi_strategy(MultiStrategy::LeafVectors)
            .n_estimators(self.n_estimators)
            .num_leaves(x.table.n_rows().clamp(2, MOST_LEAVES))
            .max_depth(self.max_depth)
            .min_child_samples(self.min_child_samples)
            .min_sum_hessian(0.0)
            .feature_fraction_bynode(self.feature_fraction_bynode);
        Trees { params, sum: Sum::Mean, max_bin: MAX_BIN, statistics: false }.fit(x, y, ctx)
    }

    fn load(state: &serde_json::Value) -> Result<Box<dyn Predictor<Columns>>> {
        load(state)
    }

    fn estimate_seconds(&self, n_rows: usize, n_columns: usize) -> Option<f64> {
        estimate_seconds(self.n_estimators, n_rows / self.min_child_samples, n_rows, n_columns)
    }

    fn estimate_memory(&self, n_rows: usize, n_columns: usize) -> u64 {
        estimate_memory(n_rows / self.min_child_samples, MAX_BIN, n_rows, n_columns)
    }
}
