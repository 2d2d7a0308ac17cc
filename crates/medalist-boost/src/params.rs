//! What a fit can be told, under LightGBM's names and with its meaning.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::objective::Objective;

mod together;

/// What the trees together are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Boosting {
    /// Each tree corrects the sum of those before it.
    #[default]
    Gbdt,
    /// As `Gbdt`, with some iterations' trees dropped at random while the next is grown (Rashmi and Gilad-Bachrach 2015): of k dropped ones each counts k / (k + 1) as much from then on, and the new one 1 / (k + 1). So the first trees of a model are not the model that there was after them, nor are their predictions. Each iteration that drops goes through all trees before it.
    Dart,
    /// A forest: each tree by itself, their mean is the prediction.
    Rf,
}

/// In which order a tree is grown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Growth {
    /// The leaf that gains most is split first.
    #[default]
    Leaf,
    /// Level by level.
    Depth,
    /// Level by level, all leaves of a level by the same split: an oblivious tree.
    Symmetric,
}

/// How several outputs are learned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MultiStrategy {
    /// An iteration grows a tree for each output.
    #[default]
    OneTreePerOutput,
    /// An iteration grows one tree, whose leaves hold a value for each output. A category is split against the rest.
    LeafVectors,
}

/// Which rows a tree sees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sampling {
    /// `bagging_fraction` of them, drawn anew every `bagging_freq` iterations.
    #[default]
    Bagging,
    /// All with large gradients and some of the others, by weight (Ke et al. 2017).
    Goss,
}

macro_rules! params {
    ($($(#[$doc:meta])* $name:ident: $type:ty = $default:expr,)*) => {
        /// The parameters of a fit; every field has LightGBM's name, or none there.
        ///
        /// ```
        /// use medalist_boost::{Objective, Params};
        /// let params = Params::new(Objective::Logistic).num_leaves(63).learning_rate(0.05);
        /// assert!(params.check(10).is_ok());
        /// ```
        #[derive(Clone, Debug, Serialize, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct Params {
            $($(#[$doc])* pub $name: $type,)*
        }

        impl Default for Params {
            fn default() -> Self {
                Params { $($name: $default,)* }
            }
        }

        impl Params {
            $($(#[$doc])*
            pub fn $name(mut self, $name: $type) -> Self {
                self.$name = $name;
                self
            })*
        }
    };
}

params! {
    /// What is minimised.
    objective: Objective = Objective::Squared,
    /// What the trees together are.
    boosting: Boosting = Boosting::Gbdt,
    /// In which order a tree is grown.
    growth: Growth = Growth::Leaf,
    /// How several outputs are learned.
    multi_strategy: MultiStrategy = MultiStrategy::OneTreePerOutput,
    /// Which rows a tree sees.
    data_sample_strategy: Sampling = Sampling::Bagging,
    /// Iterations: 1 or more.
    n_estimators: usize = 100,
    /// What each tree's values are multiplied by: above 0.
    learning_rate: f64 = 0.1,
    /// Leaves of a tree, at most: 2 or more. Not of a symmetric one, which `max_depth` alone limits.
    num_leaves: usize = 31,
    /// Splits from the root to a leaf, at most; 0: no limit.
    max_depth: usize = 0,
    /// Rows in a leaf, at least. While splits are weighed, rows are told from Hessians.
    min_child_samples: usize = 20,
    /// The sum of Hessians in a leaf, at least: 0 or more.
    min_sum_hessian: f64 = 1e-3,
    /// L1 penalty on leaf values: 0 or more.
    lambda_l1: f64 = 0.0,
    /// L2 penalty on leaf values: 0 or more.
    lambda_l2: f64 = 0.0,
    /// What a split must gain: 0 or more.
    min_gain_to_split: f64 = 0.0,
    /// The share of features that a tree may use: above 0, up to 1.
    feature_fraction: f64 = 1.0,
    /// Of those the share that a node may use: above 0, up to 1.
    feature_fraction_bynode: f64 = 1.0,
    /// The share of rows that a tree sees: above 0, up to 1.
    bagging_fraction: f64 = 1.0,
    /// Rows are drawn anew every so many iterations; 0: never, and the fractions must be 1.
    bagging_freq: usize = 0,
    /// The share of rows with a positive label that a tree sees (logistic only, one target); instead of `bagging_fraction`.
    pos_bagging_fraction: f64 = 1.0,
    /// The share of rows with a negative label that a tree sees, likewise.
    neg_bagging_fraction: f64 = 1.0,
    /// Whether a tree's rows are drawn with replacement, as many as there are: a forest's bootstrap. Instead of the fractions above.
    bootstrap: bool = false,
    /// GOSS: the share of rows with the largest gradients that are kept.
    top_rate: f64 = 0.2,
    /// GOSS: the share of all rows that are drawn from the others.
    other_rate: f64 = 0.1,
    /// Dart: how likely each iteration's trees are dropped, all alike.
    drop_rate: f64 = 0.1,
    /// Dart: iterations that are dropped at once, at most; 0: no limit.
    max_drop: usize = 50,
    /// Dart: how often none is dropped.
    skip_drop: f64 = 0.5,
    /// Leaves that are linear models of the numbers on the path to them, fitted by least squares to the derivatives, rather than constants (Shi et al. 2019); splits are chosen as for constants. The first tree has constants, but in a forest. A row with a missing value among its leaf's features (or one that takes the sum beyond all numbers) gets the constant. Needs [`crate::Training::columns`].
    linear_tree: bool = false,
    /// L2 penalty on the coefficients of linear leaves, not on their constants: 0 or more.
    linear_lambda: f64 = 0.0,
    /// Each feature of a leaf at one random threshold only (Geurts et al. 2006).
    extra_trees: bool = false,
    /// Draws a leaf's value towards its parent's, the more the fewer rows it has: 0 or more.
    path_smooth: f64 = 0.0,
    /// A leaf's value before shrinkage, at most; 0: no limit.
    max_delta_step: f64 = 0.0,
    /// By feature: 1 where predictions must not fall as it rises, -1 where they must not rise, 0 where they may. Empty: none.
    monotone_constraints: Vec<i8> = Vec::new(),
    /// Sets of features that may occur together on a path. Empty: all may.
    interaction_constraints: Vec<Vec<usize>> = Vec::new(),
    /// Categories in fewer rows than this are left out of a sorted split, and the order draws to the middle.
    cat_smooth: f64 = 10.0,
    /// L2 penalty on leaf values of sorted splits, besides `lambda_l2`.
    cat_l2: f64 = 10.0,
    /// Categories on the smaller side of a sorted split, at most.
    max_cat_threshold: usize = 32,
    /// A feature of up to so many categories is split one against the rest. LightGBM counts missing values as one more.
    max_cat_to_onehot: usize = 4,
    /// Rows on either side of a sorted split, at least.
    min_data_per_group: usize = 100,
    /// Weight of rows with a positive label (logistic only, one target): above 0.
    scale_pos_weight: f64 = 1.0,
    /// Whether scores begin at the best constant rather than at 0.
    boost_from_average: bool = true,
    /// Where all random draws begin.
    seed: u64 = 0,
    /// What histograms of leaves that wait to be split may take, in MB (2^20 bytes): above 0. Two are kept whatever they take, and all of a level where growth is symmetric. The trees are the same, but take longer without room.
    histogram_pool_size: f64 = 256.0,
    /// Whether to use rayon's pool. The trees are the same.
    parallel: bool = false,
}

impl Params {
    /// Parameters at their defaults.
    pub fn new(objective: Objective) -> Self {
        Params { objective, ..Params::default() }
    }

    /// # Errors
    /// Names the first parameter that is out of range, or that these features cannot have.
    pub fn check(&self, n_features: usize) -> Result<()> {
        let positive = [
            ("learning_rate", self.learning_rate),
            ("scale_pos_weight", self.scale_pos_weight),
            ("histogram_pool_size", self.histogram_pool_size),
        ];
        for (name, value) in positive {
            if !(value > 0.0 && value.is_finite()) {
                return Err(Error::parameter(name, value, "above 0"));
            }
        }
        let shares = [
            ("feature_fraction", self.feature_fraction),
            ("feature_fraction_bynode", self.feature_fraction_bynode),
            ("bagging_fraction", self.bagging_fraction),
            ("pos_bagging_fraction", self.pos_bagging_fraction),
            ("neg_bagging_fraction", self.neg_bagging_fraction),
        ];
        for (name, value) in shares {
            if !(value > 0.0 && value <= 1.0) {
                return Err(Error::parameter(name, value, "above 0 and at most 1"));
            }
        }
        let rates = [
            ("top_rate", self.top_rate),
            ("other_rate", self.other_rate),
            ("drop_rate", self.drop_rate),
            ("skip_drop", self.skip_drop),
        ];
        for (name, value) in rates {
            if !(0.0..=1.0).contains(&value) {
                return Err(Error::parameter(name, value, "0 to 1"));
            }
        }
        let amounts = [
            ("min_sum_hessian", self.min_sum_hessian),
            ("lambda_l1", self.lambda_l1),
            ("lambda_l2", self.lambda_l2),
            ("min_gain_to_split", self.min_gain_to_split),
            ("linear_lambda", self.linear_lambda),
            ("path_smooth", self.path_smooth),
            ("max_delta_step", self.max_delta_step),
            ("cat_smooth", self.cat_smooth),
            ("cat_l2", self.cat_l2),
        ];
        for (name, value) in amounts {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::parameter(name, value, "0 or more"));
            }
        }
        if self.n_estimators == 0 {
            return Err(Error::parameter("n_estimators", 0, "1 or more"));
        }
        if !(2..=1 << 20).contains(&self.num_leaves) {
            return Err(Error::parameter("num_leaves", self.num_leaves, "2 to 1048576"));
        }
        if self.growth == Growth::Symmetric && !(1..=16).contains(&self.max_depth) {
            return Err(Error::parameter("max_depth", self.max_depth, "1 to 16 where growth is symmetric"));
        }
        if self.data_sample_strategy == Sampling::Goss && self.top_rate + self.other_rate > 1.0 {
            return Err(Error::parameter("other_rate", self.other_rate, "at most 1 less top_rate"));
        }
        let monotone = &self.monotone_constraints;
        if !monotone.is_empty() && monotone.len() != n_features {
            let range = format!("one a feature: there are {n_features}");
            return Err(Error::parameter("monotone_constraints", format!("{} long", monotone.len()), range));
        }
        if let Some(direction) = monotone.iter().find(|direction| !(-1..=1).contains(*direction)) {
            return Err(Error::parameter("monotone_constraints", direction, "-1, 0 or 1"));
        }
        if let Some(feature) = self.interaction_constraints.iter().flatten().find(|&&feature| feature >= n_features) {
            return Err(Error::parameter("interaction_constraints", feature, format!("below {n_features}")));
        }
        self.check_together()?;
        self.objective.check()
    }

    /// What histograms may take.
    pub(crate) fn histogram_bytes(&self) -> usize {
        (self.histogram_pool_size * f64::from(1 << 20)) as usize
    }
}
