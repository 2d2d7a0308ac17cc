//! What goes together: nothing that is asked for is passed over in silence.

use super::{Growth, MultiStrategy, Params, Sampling};
use crate::error::{Error, Result};
use crate::objective::Objective;

impl Params {
    /// # Errors
    /// Names the first parameter that another one leaves without effect.
    pub(super) fn check_together(&self) -> Result<()> {
        self.check_rows()?;
        self.check_renewal()?;
        self.check_linear()?;
        self.check_vectors()
    }

    /// Whether classes are drawn, or weighed, each by itself.
    pub(crate) fn by_class(&self) -> Option<&'static str> {
        let of_classes = [
            ("pos_bagging_fraction", self.pos_bagging_fraction),
            ("neg_bagging_fraction", self.neg_bagging_fraction),
            ("scale_pos_weight", self.scale_pos_weight),
        ];
        of_classes.into_iter().find(|(_, value)| *value != 1.0).map(|(name, _)| name)
    }

    fn check_rows(&self) -> Result<()> {
        if let Some(name) = self.by_class()
            && self.objective != Objective::Logistic
        {
            return Err(Error::parameter(name, "set", "1 where the objective is not logistic"));
        }
        let goss = self.data_sample_strategy == Sampling::Goss;
        if goss && self.bootstrap {
            return Err(Error::parameter("bootstrap", true, "false where data_sample_strategy is goss"));
        }
        let classwise = self.pos_bagging_fraction < 1.0 || self.neg_bagging_fraction < 1.0;
        let fractions = [
            ("bagging_fraction", self.bagging_fraction),
            ("pos_bagging_fraction", self.pos_bagging_fraction),
            ("neg_bagging_fraction", self.neg_bagging_fraction),
        ];
        let Some((name, fraction)) = fractions.into_iter().find(|(_, fraction)| *fraction < 1.0) else {
            return Ok(());
        };
        let wrong = |why: &str| Err(Error::parameter(name, fraction, format!("1 where {why}")));
        match () {
            () if goss => wrong("data_sample_strategy is goss"),
            () if self.bootstrap => wrong("rows are drawn by bootstrap"),
            () if self.bagging_freq == 0 => wrong("bagging_freq is 0: no rows are drawn"),
            () if classwise && name == "bagging_fraction" => wrong("each class has a fraction of its own"),
            () => Ok(()),
        }
    }

    /// Renewed leaf values are quantiles, whatever else a value would be kept to.
    fn check_renewal(&self) -> Result<()> {
        if self.objective.renewal().is_none() {
            return Ok(());
        }
        let unknown = [
            ("max_delta_step", self.max_delta_step > 0.0, "0"),
            ("path_smooth", self.path_smooth > 0.0, "0"),
            ("monotone_constraints", self.monotone_constraints.iter().any(|&direction| direction != 0), "0"),
        ];
        first_of(&unknown, "the objective renews leaf values")
    }

    /// What linear leaves would not keep to.
    fn check_linear(&self) -> Result<()> {
        if !self.linear_tree {
            let without = [("linear_lambda", self.linear_lambda > 0.0, "0")];
            return first_of(&without, "linear_tree is false");
        }
        let unknown = [
            ("objective", self.objective.renewal().is_some(), "one whose leaf values are not renewed"),
            ("multi_strategy", self.multi_strategy == MultiStrategy::LeafVectors, "one_tree_per_output"),
            ("monotone_constraints", self.monotone_constraints.iter().any(|&direction| direction != 0), "0"),
            ("max_delta_step", self.max_delta_step > 0.0, "0"),
        ];
        first_of(&unknown, "linear_tree is true")
    }

    /// What trees with leaf vectors do not know.
    fn check_vectors(&self) -> Result<()> {
        if self.multi_strategy != MultiStrategy::LeafVectors {
            return Ok(());
        }
        let unknown = [
            ("growth", self.growth == Growth::Symmetric, "leaf or depth"),
            ("lambda_l1", self.lambda_l1 > 0.0, "0"),
            ("max_delta_step", self.max_delta_step > 0.0, "0"),
            ("path_smooth", self.path_smooth > 0.0, "0"),
            ("extra_trees", self.extra_trees, "false"),
            ("monotone_constraints", !self.monotone_constraints.is_empty(), "empty"),
            ("interaction_constraints", !self.interaction_constraints.is_empty(), "empty"),
            ("objective", self.objective.renewal().is_some(), "one whose leaf values are not renewed"),
        ];
        first_of(&unknown, "multi_strategy is leaf_vectors")
    }
}

/// Names the first of these that is set.
fn first_of(unknown: &[(&'static str, bool, &str)], why: &str) -> Result<()> {
    match unknown.iter().find(|(_, set, _)| *set) {
        None => Ok(()),
        Some((name, _, range)) => Err(Error::parameter(name, "set", format!("{range} where {why}"))),
    }
}
