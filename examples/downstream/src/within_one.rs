//! Share of rows whose prediction is off by no more than one.

use medalist::Error;
use medalist::error::Result;
use medalist::metric::{Direction, Metric, Needs, Prediction, Settings, Truth};
use medalist::target::{Target, Task};

/// Share of the rows, by weight, that are predicted to within 1 of their value; higher is better, 1 is perfect.
pub struct WithinOne;

impl Metric for WithinOne {
    fn from_settings(settings: &Settings) -> Result<Self> {
        settings.only("within_one", &[])?;
        Ok(WithinOne)
    }

    fn name(&self) -> &str {
        "within_one"
    }

    fn direction(&self) -> Direction {
        Direction::Maximize
    }

    fn needs(&self) -> Needs {
        Needs::Values
    }

    fn tasks(&self) -> &[Task] {
        &[Task::Regression]
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Result<f64> {
        let (Target::Values(y_true), Prediction::Values(y_pred)) = (truth.target, prediction) else {
            return Err(Error::model("within_one compares values"));
        };
        if y_true.len() != y_pred.len() {
            return Err(Error::model(format!("there are {} predictions for {} rows", y_pred.len(), y_true.len())));
        }
        if let Some(row) = y_pred.iter().position(|value| !value.is_finite()) {
            return Err(Error::model(format!("the prediction is {}", y_pred[row])).row(row + 1));
        }
        let weight = |row: usize| truth.weights.map_or(1.0, |weights| weights[row]);
        let (mut within, mut total) = (0.0, 0.0);
        for (row, (a, b)) in y_true.iter().zip(y_pred.iter()).enumerate() {
            total += weight(row);
            within += if (a - b).abs() <= 1.0 { weight(row) } else { 0.0 };
        }
        if total > 0.0 { Ok(within / total) } else { Err(Error::model("no row has any weight")) }
    }
}
