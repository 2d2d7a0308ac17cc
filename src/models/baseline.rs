//! What a prediction is worth that looks at no feature: the bar for every other model.

use ndarray::Array1;
use serde_json::Value as State;

// Declared here because every file of this folder is a model, and this is the first of them.
pub(super) mod shared;

use self::shared::{Constant, priors, total_weight, weight};
use crate::error::{Error, Result};
use crate::model::{Columns, FitContext, Model, Predictor};
use crate::target::{Target, Task};
use crate::{ParamChoice, Tunable};

/// The same prediction for every row.
#[derive(Tunable)]
pub struct Baseline {
    /// For classes their shares (prior) or the most frequent one, for values their mean or median; of a word for the other kind, mean acts as prior and median as most_frequent.
    #[param(default = "prior")]
    pub strategy: Strategy,
}

/// The strategies of scikit-learn's DummyClassifier and DummyRegressor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ParamChoice)]
pub enum Strategy {
    Prior,
    MostFrequent,
    Mean,
    Median,
}

impl Model for Baseline {
    type Input = Columns;
    const TASKS: &'static [Task] = &[Task::Binary, Task::Multiclass, Task::Regression, Task::Ordinal];
    const ABOUT: &'static str = "the same prediction for every row: prior, majority, mean or median";
    const TELLS_SIZE: bool = true;

    fn fit(&self, _x: &Columns, y: &Target, ctx: &FitContext) -> Result<Box<dyn Predictor<Columns>>> {
        ctx.check_cancelled()?;
        let average = matches!(self.strategy, Strategy::Prior | Strategy::Mean);
        let prediction = match y {
            Target::Classes { codes, n_classes } => {
                let priors = priors(codes, *n_classes, ctx)?;
                if average {
                    Array1::from(priors)
                } else {
                    // Of equally frequent classes the first, as in scikit-learn.
                    let most =
                        (1..*n_classes).fold(0, |most, class| if priors[class] > priors[most] { class } else { most });
                    Array1::from_shape_fn(*n_classes, |class| f64::from(class == most))
                }
            }
            Target::Values(values) => {
                let total = total_weight(values.len(), ctx)?;
                Array1::from_elem(1, if average { mean(values, total, ctx) } else { median(values, total, ctx) })
            }
        };
        Ok(Box::new(Constant(prediction)))
    }

    fn load(state: &State) -> Result<Box<dyn Predictor<Columns>>> {
        let constant = Constant::load(state).ok_or_else(|| Error::model("what was saved is no baseline"))?;
        Ok(Box::new(constant))
    }

    fn estimate_memory(&self, _n_rows: usize, _n_columns: usize) -> u64 {
        0
    }
}

fn mean(values: &[f64], total: f64, ctx: &FitContext) -> f64 {
    values.iter().enumerate().map(|(row, value)| value * (weight(ctx, row) / total)).sum()
}

/// The value at which half of the weight is reached; half way to the next where it is reached exactly.
fn median(values: &[f64], total: f64, ctx: &FitContext) -> f64 {
    let mut rows: Vec<usize> = (0..values.len()).filter(|&row| weight(ctx, row) > 0.0).collect();
    rows.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut sum = 0.0;
    for (place, &row) in rows.iter().enumerate() {
        sum += weight(ctx, row);
        if sum >= total / 2.0 {
            let next = if sum > total / 2.0 { row } else { *rows.get(place + 1).unwrap_or(&row) };
            return values[row] + (values[next] - values[row]) / 2.0;
        }
    }
    // Rounding kept the sum below half of the total: the largest value is what is left.
    rows.last().map_or(0.0, |&row| values[row])
}
