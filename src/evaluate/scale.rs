//! The scale on which targets are fitted, and the way back.

use ndarray::Array2;

use super::Evaluation;
use crate::error::{Error, Result};
use crate::metric::{Needs, TargetScale};
use crate::registry::ModelEntry;
use crate::saved;
use crate::target::{Target, Task};

impl Evaluation<'_> {
    /// The target as this model wants it, on the scale on which it is fitted.
    pub(super) fn target(&self, target: usize, entry: &ModelEntry) -> Result<Target> {
        let column = &self.competition.targets[target];
        // A metric on probabilities needs classes; any other takes an ordinal target's values from models that can fit them.
        let as_values = self.competition.task == Task::Ordinal
            && entry.tasks.contains(&Task::Regression)
            && self.metric.needs() != Needs::Probabilities;
        match &column.target {
            Target::Classes { codes, .. } if as_values => {
                let labels = column
                    .label_values()
                    .ok_or_else(|| Error::config("an ordinal target's labels must be numbers").column(&column.name))?;
                Ok(Target::Values(codes.iter().map(|&code| labels[code as usize]).collect()))
            }
            other => Ok(self.scaled(other)),
        }
    }

    /// Values on the scale on which they are fitted.
    pub(super) fn scaled(&self, target: &Target) -> Target {
        let Target::Values(values) = target else { return target.clone() };
        Target::Values(values.iter().map(|&value| self.scale.of(value)).collect())
    }

    /// Back on the target's own scale.
    pub(super) fn unscale(&self, raw: Array2<f64>) -> Array2<f64> {
        saved::unscaled(self.output_scale(), raw)
    }

    /// The scale of a model's outputs.
    pub(super) fn output_scale(&self) -> TargetScale {
        if self.competition.task == Task::Regression { self.scale } else { TargetScale::Identity }
    }
}
