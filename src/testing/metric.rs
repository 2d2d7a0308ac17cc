//! The contract of a metric, checked on small made-up data: what every sweep and every submission relies on.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ndarray::Array2;

use super::Problem;
use crate::decode::Decoded;
use crate::error::Result;
use crate::metric::{Metric, Needs, Settings, Truth};
use crate::registry::MetricEntry;
use crate::target::{Target, Task};

/// Rows of the made-up data.
const N_ROWS: usize = 24;
/// How far scores that should be equal may be apart, relative to their size: sums in another order.
const TOLERANCE: f64 = 1e-12;

/// Breaches of the contract by the metric with its default settings; empty when all is well.
///
/// A perfect prediction is best and noise worse; the order of rows does not matter; weights of 1 change nothing and a weight of 2 counts as two rows; predictions that are not finite or outside the range, lengths that differ, no rows, and unknown settings are errors, never panics; the name is the one registered.
pub fn check_metric(entry: &MetricEntry) -> Vec<Problem> {
    let name = entry.name.as_str();
    let mut check = Check { problems: Vec::new() };
    let unknown = BTreeMap::from([("no_such_setting".to_string(), serde_json::json!(1))]);
    if check.guarded("settings", || entry.build(&Settings(unknown))).is_some_and(|built| built.is_ok()) {
        check.fail("settings", "an unknown setting is accepted: call `settings.only(name, &[known, ...])`");
    }
    let metric = match check.guarded("settings", || entry.build(&Settings::default())) {
        Some(Ok(metric)) => metric,
        Some(Err(error)) => {
            check.fail("settings", format!("it cannot be built without settings: {error}"));
            return check.problems;
        }
        None => return check.problems,
    };
    for (setting, _) in entry.about.settings {
        let settings = Settings(BTreeMap::from([(setting.to_string(), serde_json::Value::Null)]));
        let built = check.guarded("settings", || entry.build(&settings));
        if built.is_some_and(|built| built.is_err_and(|error| error.to_string().contains("has no setting"))) {
            check.fail("settings", format!("`about` names a setting `{setting}`, and it is refused as unknown"));
        }
    }
    if metric.name() != name {
        check.fail("name", format!("it calls itself `{}`, and is registered as `{name}`", metric.name()));
    }
    if metric.tasks().is_empty() {
        check.fail("tasks", "it scores no task");
    }
    let (low, high) = metric.range();
    if low.is_nan() || high.is_nan() || low >= high {
        check.fail("range", format!("the range ({low}, {high}) is empty"));
        return check.problems;
    }
    for &task in metric.tasks() {
        check.task(metric.as_ref(), task);
    }
    check.problems
}

/// Made-up truth and its perfect prediction.
#[derive(Clone)]
struct Data {
    target: Target,
    labels: Vec<String>,
    weights: Option<Vec<f64>>,
    predicted: Decoded,
}

impl Data {
    fn new(needs: Needs, task: Task, range: (f64, f64)) -> Data {
        let n_classes = if task == Task::Binary { 2 } else { 3 };
        let codes: Vec<u32> = (0..N_ROWS).map(|row| ((row * 7 + row / 5) % n_classes) as u32).collect();
        let labels: Vec<String> = match task {
            Task::Text => ["0", "1 0", "2 1"].map(str::to_string).to_vec(),
            _ => (0..n_classes).map(|class| class.to_string()).collect(),
        };
        // Away from 0, where logarithms and fractions are defined; within ranges such as [0, 1].
        let high = range.1.min(10.0);
        let low = range.0.max(high * 0.1);
        let values: Vec<f64> = (0..N_ROWS).map(|row| low + (high - low) * noise(row, 0)).collect();
        let is_value = matches!(needs, Needs::Values | Needs::Spread) || task == Task::Regression;
        let target = match is_value {
            true => Target::Values(values.clone()),
            false => Target::Classes { codes: codes.clone(), n_classes },
        };
        let predicted = match needs {
            Needs::Values => Decoded::Values(values),
            Needs::Labels => Decoded::Labels(codes),
            Needs::Scores if is_value => Decoded::Scores(values),
            Needs::Scores => Decoded::Scores(codes.iter().map(|&code| f64::from(code)).collect()),
            Needs::Spread => Decoded::Spread { values, sigmas: vec![0.1; N_ROWS] },
            Needs::Ranking(_) | Needs::Texts => {
                Decoded::Texts(codes.iter().map(|&code| labels[code as usize].clone()).collect())
            }
            Needs::Probabilities => {
                let one_hot = |(row, class): (usize, usize)| if codes[row] as usize == class { 1.0 } else { 0.0 };
                Decoded::Probabilities(Array2::from_shape_fn((N_ROWS, n_classes), one_hot))
            }
        };
        let labels = if is_value { Vec::new() } else { labels };
        Data { target, labels, weights: None, predicted }
    }

    fn score(&self, metric: &dyn Metric) -> Result<f64> {
        let truth = Truth {
            target: &self.target,
            labels: &self.labels,
            positive: 1,
            n_train_labels: self.labels.len(),
            weights: self.weights.as_deref(),
            queries: None,
        };
        metric.score(&truth, &self.predicted.as_prediction())
    }

    /// The same truth, and a prediction that is wrong in places that depend on `draw`.
    fn spoilt(&self, draw: usize, range: (f64, f64)) -> Data {
        let n_classes = self.labels.len();
        let predicted = match &self.predicted {
            Decoded::Labels(labels) => {
                let label = |(row, &label): (usize, &u32)| match (row + draw) % 3 {
                    0 => (label + 1) % n_classes as u32,
                    _ => label,
                };
                Decoded::Labels(labels.iter().enumerate().map(label).collect())
            }
            Decoded::Scores(scores) => Decoded::Scores((0..scores.len()).map(|row| noise(row, draw)).collect()),
            Decoded::Texts(texts) => {
                let text = |(row, text): (usize, &String)| match (row + draw) % 3 {
                    0 => self.labels[row % n_classes].clone(),
                    _ => text.clone(),
                };
                Decoded::Texts(texts.iter().enumerate().map(text).collect())
            }
            Decoded::Spread { values, sigmas } => {
                let value = |(row, value): (usize, &f64)| value * (0.5 + noise(row, draw));
                Decoded::Spread { values: values.iter().enumerate().map(value).collect(), sigmas: sigmas.clone() }
            }
            Decoded::Values(values) => {
                let factor = |row| 0.5 + noise(row, draw);
                Decoded::Values(
                    values
                        .iter()
                        .enumerate()
                        .map(|(row, value)| (value * factor(row)).clamp(range.0, range.1))
                        .collect(),
                )
            }
            Decoded::Probabilities(probabilities) => {
                let mut mixed = probabilities.clone();
                for (row, mut values) in mixed.rows_mut().into_iter().enumerate() {
                    for (class, value) in values.iter_mut().enumerate() {
                        *value = 0.3 * *value + noise(row * n_classes + class, draw);
                    }
                    let sum: f64 = values.iter().sum();
                    values /= sum;
                }
                Decoded::Probabilities(mixed)
            }
        };
        Data { predicted, ..self.clone() }
    }

    /// The rows named, in their order.
    fn take(&self, rows: &[u32]) -> Data {
        let gather = |values: &[f64]| -> Vec<f64> { rows.iter().map(|&row| values[row as usize]).collect() };
        let (predicted, weights) = (self.predicted.take(rows), self.weights.as_deref().map(gather));
        Data { target: self.target.take(rows), labels: self.labels.clone(), weights, predicted }
    }

    /// The same with the last row's prediction replaced; None where labels or texts are compared.
    fn with_last(&self, value: f64) -> Option<Data> {
        let mut data = self.clone();
        match &mut data.predicted {
            Decoded::Labels(_) | Decoded::Texts(_) => return None,
            Decoded::Values(values) | Decoded::Scores(values) | Decoded::Spread { values, .. } => {
                values[N_ROWS - 1] = value
            }
            Decoded::Probabilities(probabilities) => probabilities[[N_ROWS - 1, 0]] = value,
        }
        Some(data)
    }
}

/// A fixed number between 0.05 and 0.95 that looks random: the fraction of a multiple of the golden ratio.
fn noise(row: usize, draw: usize) -> f64 {
    0.05 + 0.9 * (((row + 1) * (2 * draw + 1)) as f64 * 0.618_033_988_749_895).fract()
}

struct Check {
    problems: Vec<Problem>,
}

impl Check {
    fn fail(&mut self, check: &'static str, message: impl Into<String>) {
        self.problems.push(Problem { check, message: message.into() });
    }

    /// None, and a problem, when `run` panics.
    fn guarded<T>(&mut self, check: &'static str, run: impl FnOnce() -> T) -> Option<T> {
        let result = catch_unwind(AssertUnwindSafe(run)).ok();
        if result.is_none() {
            self.fail(check, "it panics, where it should return an error");
        }
        result
    }

    /// None, and a problem, when there is no finite score.
    fn score(&mut self, check: &'static str, metric: &dyn Metric, data: &Data) -> Option<f64> {
        match self.guarded(check, || data.score(metric))? {
            Ok(score) if score.is_finite() => Some(score),
            Ok(score) => {
                self.fail(check, format!("the score is {score}, where there should be a number or an error"));
                None
            }
            Err(error) => {
                self.fail(check, format!("no score: {error}"));
                None
            }
        }
    }

    fn refused(&mut self, check: &'static str, metric: &dyn Metric, data: &Data, what: &str) {
        if let Some(Ok(score)) = self.guarded(check, || data.score(metric)) {
            self.fail(check, format!("{what} is scored as {score}, and should be an error"));
        }
    }

    fn equal(&mut self, check: &'static str, a: f64, b: f64, forgotten: &str) {
        if (a - b).abs() > TOLERANCE * a.abs().max(1.0) {
            self.fail(check, format!("{a} becomes {b}: {forgotten}"));
        }
    }

    fn task(&mut self, metric: &dyn Metric, task: Task) {
        let range = metric.range();
        let perfect = Data::new(metric.needs(), task, range);
        let Some(best) = self.score("perfect prediction", metric, &perfect) else { return };
        let mut worse = 0;
        for draw in 1..=10 {
            let Some(score) = self.score("noise", metric, &perfect.spoilt(draw, range)) else { return };
            if metric.direction().better(score, best) {
                let message = format!("noise scores {score}, better than a perfect prediction with {best}");
                self.fail("direction", message + ": is the direction the wrong way round?");
                return;
            }
            worse += usize::from(metric.direction().better(best, score));
        }
        if worse == 0 {
            self.fail("noise", "noise scores as well as a perfect prediction: is the prediction used?");
        }
        self.order_and_weights(metric, &perfect.spoilt(1, range));
        self.refusals(metric, &perfect, range);
    }

    fn order_and_weights(&mut self, metric: &dyn Metric, data: &Data) {
        let Some(score) = self.score("repeated", metric, data) else { return };
        if let Some(again) = self.score("repeated", metric, data)
            && again.to_bits() != score.to_bits()
        {
            self.fail("repeated", format!("the same rows score {score}, then {again}: it must depend on nothing else"));
        }
        let shuffled: Vec<u32> = (0..N_ROWS as u32).map(|row| row * 7 % N_ROWS as u32).collect();
        if let Some(other) = self.score("order of rows", metric, &data.take(&shuffled)) {
            self.equal("order of rows", score, other, "rows in another order must score the same");
        }
        if !metric.takes_weights() {
            let data = Data { weights: Some(vec![1.0; N_ROWS]), ..data.clone() };
            self.refused("weights", metric, &data, "a row with a weight, which `takes_weights` says it has not,");
            return;
        }
        let weighted = |weights: Vec<f64>| Data { weights: Some(weights), ..data.clone() };
        if let Some(other) = self.score("weights", metric, &weighted(vec![1.0; N_ROWS])) {
            self.equal("weights", score, other, "weights of 1 must change nothing");
        }
        let mut twice: Vec<u32> = (0..N_ROWS as u32).collect();
        twice.extend(0..5);
        let doubled = (0..N_ROWS).map(|row| if row < 5 { 2.0 } else { 1.0 }).collect();
        let scores =
            (self.score("weights", metric, &data.take(&twice)), self.score("weights", metric, &weighted(doubled)));
        if let (Some(twice), Some(doubled)) = scores {
            self.equal(
                "weights",
                twice,
                doubled,
                "a row of weight 2 must count as two rows: are `truth.weights` used?",
            );
        }
    }

    fn refusals(&mut self, metric: &dyn Metric, perfect: &Data, (low, high): (f64, f64)) {
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            if let Some(data) = perfect.with_last(value) {
                self.refused("not finite", metric, &data, &format!("a prediction of {value}"));
            }
        }
        // Probabilities above 1 may be meant to be divided by their row's sum.
        let above = if metric.needs() == Needs::Probabilities { f64::INFINITY } else { high };
        for outside in [low - 1.0, above + 1.0].into_iter().filter(|value| value.is_finite()) {
            if let Some(data) = perfect.with_last(outside) {
                self.refused("range", metric, &data, &format!("a prediction of {outside}, outside the range,"));
            }
        }
        let mut short = perfect.clone();
        short.target = perfect.target.take(&[0, 1, 2]);
        self.refused("lengths", metric, &short, "3 true values with 24 predictions");
        self.refused("no rows", metric, &perfect.take(&[]), "no row at all");
        for (weight, what) in
            [(0.0, "a sum of weights of 0"), (-1.0, "a negative weight"), (f64::NAN, "a weight of NaN")]
        {
            let data = Data { weights: Some(vec![weight; N_ROWS]), ..perfect.clone() };
            self.refused("weights", metric, &data, what);
        }
        let other = match perfect.predicted {
            Decoded::Labels(_) => Decoded::Values(vec![0.5; N_ROWS]),
            _ => Decoded::Labels(vec![0; N_ROWS]),
        };
        self.refused(
            "needs",
            metric,
            &Data { predicted: other, ..perfect.clone() },
            "a prediction of another form than it needs",
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Direction, Prediction};

    /// A mean of predictions that breaks most rules.
    struct Careless;

    impl Metric for Careless {
        fn from_settings(_settings: &Settings) -> Result<Self> {
            Ok(Careless)
        }
        fn name(&self) -> &str {
            "careless"
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
            let (Target::Values(truth), Prediction::Values(predicted)) = (truth.target, prediction) else {
                panic!("values");
            };
            let errors = truth.iter().enumerate().map(|(row, truth)| (truth - predicted[row]).abs());
            Ok(errors.sum::<f64>() / truth.len() as f64)
        }
    }

    #[test]
    fn a_careless_metric_is_told_what_it_forgot() {
        let registry = crate::registry::Registry::default().with_metric::<Careless>("other");
        let problems = check_metric(&registry.metrics[0]);
        let found = |check: &str| problems.iter().any(|problem| problem.check == check);
        for check in ["settings", "name", "direction"] {
            assert!(found(check), "{check}");
        }
    }
}
