//! The contract of a model.

mod data;
mod cancel;
mod saved;
mod steps;

use medalist_search::{Cancel, Direction, History, Params, Random, Sampler, Seed, Value};
use ndarray::Array2;

use self::data::{Data, constant_column, take, without_columns};
use super::{Problem, caught, is_panic};
use crate::error::Result;
use crate::model::{AnyPredictor, FitContext, Once, Steps};
use crate::registry::ModelEntry;
use crate::target::Target;

/// Fits and predicts small data of every task that the model declares, and reports what breaks the contract; none when all is well.
///
/// Takes seconds: hundreds of small fits, and one larger one to see whether it can be stopped.
pub fn check_model(entry: &ModelEntry) -> Vec<Problem> {
    let mut check = Check { entry, problems: Vec::new() };
    check.texts();
    if !check.space() {
        return check.problems;
    }
    for &task in entry.tasks {
        let data = Data::new(entry.input, task, 90, 30);
        if !check.default_point(&data) {
            continue;
        }
        // What is never the same twice would fail the checks that compare, for no reason of theirs.
        let is_repeatable = check.repeatable(&data);
        if is_repeatable {
            check.independent_rows(&data);
        }
        check.awkward_rows(&data);
        if is_repeatable {
            check.stages(&data);
            check.steps(&data);
            check.shared_values(&data);
            check.saved(&data);
        }
        check.random_points(&data);
    }
    check.cancel();
    check.problems
}

/// How a fit is run, where it is not the usual way.
#[derive(Default)]
struct Setting<'a> {
    weights: Option<&'a [f64]>,
    once: Option<&'a Once>,
    cancel: Cancel,
    hide_scored: bool,
    steps: Option<&'a dyn Steps>,
}

struct Check<'a> {
    entry: &'a ModelEntry,
    problems: Vec<Problem>,
}

impl Check<'_> {
    fn report(&mut self, check: &'static str, message: impl Into<String>) {
        self.problems.push(Problem::new(check, message));
    }

    fn fit(&self, params: &Params, data: &Data, setting: &Setting) -> Result<Box<dyn AnyPredictor>> {
        caught(|| {
            let (fold_once, study_once) = (Once::default(), Once::default());
            let ctx = FitContext {
                weights: setting.weights,
                seed: Seed::new(11),
                cancel: &setting.cancel,
                scored: if setting.hide_scored { None } else { Some(&data.scored) },
                fold_once: setting.once.unwrap_or(&fold_once),
                study_once: &study_once,
                namespace: String::new(),
                steps: setting.steps,
            };
            self.entry.build(params)?.fit(&data.train, &data.y, &ctx)
        })
    }

    fn fit_predict(&self, params: &Params, data: &Data, setting: &Setting) -> Result<Array2<f64>> {
        let predictor = self.fit(params, data, setting)?;
        caught(|| predictor.predict(&data.scored))
    }

    fn texts(&mut self) {
        if self.entry.about.trim().is_empty() {
            self.report("help", "ABOUT is empty: say in one line what the model is");
        }
        if self.entry.tasks.is_empty() {
            self.report("tasks", "TASKS is empty: no competition could use the model");
        }
        for parameter in self.entry.space.parameters() {
            if parameter.help.trim().is_empty() {
                let name = parameter.name.clone();
                self.report("help", format!("parameter `{name}` has no help: write a doc comment above its field"));
            }
        }
    }

    fn space(&mut self) -> bool {
        let space = &self.entry.space;
        let checked = space.validate().and_then(|()| space.check(&space.default_point()));
        if let Err(error) = checked {
            self.report("default point", format!("the defaults are not a point of the space: {error}"));
            return false;
        }
        true
    }

    /// False when nothing else is worth a try.
    fn default_point(&mut self, data: &Data) -> bool {
        let params = self.entry.space.default_point();
        match self.fit_predict(&params, data, &Setting::default()) {
            Ok(prediction) => {
                let fault = fault(&prediction, data, data.scored.n_rows());
                if let Some(fault) = &fault {
                    self.report("prediction", format!("{} task: {fault}", data.task.name()));
                }
                fault.is_none()
            }
            Err(error) => {
                self.report("fit", format!("{} task, default point: {error}", data.task.name()));
                false
            }
        }
    }

    /// Same seed, same bits: twice, on one thread and on three, and whether or not the rows to be scored are known.
    fn repeatable(&mut self, data: &Data) -> bool {
        let params = self.entry.space.default_point();
        let usual = self.fit_predict(&params, data, &Setting::default());
        let again = self.fit_predict(&params, data, &Setting::default());
        if !same(&usual, &again) {
            self.report(
                "seed",
                format!("{} task: two fits with the same seed differ: take all random numbers from `ctx.seed`, and iterate over no hash map", data.task.name()),
            );
            return false;
        }
        for n_threads in [1, 3] {
            let Ok(pool) = rayon::ThreadPoolBuilder::new().num_threads(n_threads).build() else { continue };
            let pooled = pool.install(|| self.fit_predict(&params, data, &Setting::default()));
            if !same(&usual, &pooled) {
                let message = format!(
                    "{} task: on {n_threads} threads the predictions differ: sum in the order of the rows, not in that of the threads",
                    data.task.name()
                );
                self.report("threads", message);
                break;
            }
        }
        let setting = Setting { hide_scored: true, ..Setting::default() };
        if !same(&usual, &self.fit_predict(&params, data, &setting)) {
            let message = format!(
                "{} task: the predictions depend on whether `ctx.scored` is given: it may only save time",
                data.task.name()
            );
            self.report("scored rows", message);
        }
        true
    }

    /// A row's prediction has nothing to do with the rows that are predicted with it.
    fn independent_rows(&mut self, data: &Data) {
        let params = self.entry.space.default_point();
        let Ok(predictor) = self.fit(&params, data, &Setting::default()) else { return };
        let Ok(together) = caught(|| predictor.predict(&data.scored)) else { return };
        for row in [0, data.scored.n_rows() - 1] {
            let alone = caught(|| predictor.predict(&take(&data.scored, &[row as u32])));
            let near = alone.is_ok_and(|alone| {
                alone.nrows() == 1
                    && alone.row(0).iter().zip(together.row(row)).all(|(a, b)| (a - b).abs() <= 1e-9 * (1.0 + b.abs()))
            });
            if !near {
                let message = format!(
                    "{} task: a row predicted alone gets another prediction than among others, or none",
                    data.task.name()
                );
                self.report("independent rows", message);
                break;
            }
        }
        let none = caught(|| predictor.predict(&take(&data.scored, &[])));
        if none.as_ref().is_ok_and(|none| none.nrows() != 0) || none.is_err_and(|error| is_panic(&error)) {
            self.report("no rows", format!("{} task: predicting no rows panics or returns some", data.task.name()));
        }
    }

    /// Training rows that real folds hold now and then.
    fn awkward_rows(&mut self, data: &Data) {
        let params = self.entry.space.default_point();
        let n_rows = data.train.n_rows() as u32;
        let all: Vec<u32> = (0..n_rows).collect();
        let mut cases = vec![
            ("one row", data.with_rows(&[0])),
            ("two rows", data.with_rows(&[0, n_rows - 1])),
            ("constant column", Data { train: constant_column(&data.train), ..data.with_rows(&all) }),
            ("equal rows", data.with_rows(&[3; 20])),
        ];
        if let Target::Classes { codes, .. } = &data.y {
            let others: Vec<u32> = (0..n_rows).filter(|&row| codes[row as usize] != 1).collect();
            let only: Vec<u32> = (0..n_rows).filter(|&row| codes[row as usize] == 1).collect();
            cases.push(("missing class", data.with_rows(&others)));
            cases.push(("one class", data.with_rows(&only)));
        }
        for (check, case) in cases {
            self.must_fit(check, &params, &case, &Setting::default());
        }
        let weights: Vec<f64> = (0..n_rows).map(|row| f64::from(row % 3)).collect();
        self.must_fit("weights", &params, data, &Setting { weights: Some(&weights), ..Setting::default() });
        let no_columns =
            Data { train: without_columns(&data.train), scored: without_columns(&data.scored), ..data.with_rows(&all) };
        if let Err(error) = self.fit_predict(&params, &no_columns, &Setting::default())
            && is_panic(&error)
        {
            let message = format!(
                "{} task, not a single column: {error}; return an error in words, or the mean",
                data.task.name()
            );
            self.report("no columns", message);
        }
    }

    fn must_fit(&mut self, check: &'static str, params: &Params, data: &Data, setting: &Setting) -> bool {
        let task = data.task.name();
        let message = match self.fit_predict(params, data, setting) {
            Ok(prediction) => {
                fault(&prediction, data, data.scored.n_rows()).map(|fault| format!("{task} task: {fault}"))
            }
            Err(error) => Some(format!("{task} task: {error}")),
        };
        let fits = message.is_none();
        if let Some(message) = message {
            let at = if params.is_empty() { String::new() } else { format!(" (at {params})") };
            self.report(check, message + &at + remedy(check));
        }
        fits
    }

    /// A staged parameter: one fit says what a fit with each of its values would have said.
    fn stages(&mut self, data: &Data) {
        let Some(staged) = self.entry.space.parameters().iter().find(|parameter| parameter.staged) else { return };
        let mut params = self.entry.space.default_point();
        let (Some(first), Some(last)) = (staged.levels.first(), staged.levels.last()) else {
            let message =
                format!("parameter `{}` is staged but has no levels: say `levels = [..]`, ascending", staged.name);
            return self.report("stages", message);
        };
        let wanted: Vec<Value> = [first, &staged.levels[staged.levels.len() / 2], last].map(Value::clone).to_vec();
        params.insert(&staged.name, last.clone());
        let fitted = self.fit(&params, data, &Setting::default());
        let predictions = fitted.and_then(|predictor| caught(|| predictor.predict_staged(&data.scored, &wanted)));
        let predictions = match predictions {
            Ok(predictions) if predictions.len() == wanted.len() => predictions,
            Ok(predictions) => {
                let message =
                    format!("{} stages were asked of predict_staged, {} returned", wanted.len(), predictions.len());
                return self.report("stages", message);
            }
            Err(error) => return self.report("stages", format!("{} task: {error}", data.task.name())),
        };
        for (value, prediction) in wanted.into_iter().zip(predictions) {
            params.insert(&staged.name, value.clone());
            if !same(&Ok(prediction), &self.fit_predict(&params, data, &Setting::default())) {
                let message = format!(
                    "{} task: predict_staged at {}={value} is not what a fit with that value predicts",
                    data.task.name(),
                    staged.name
                );
                return self.report("stages", message);
            }
        }
    }

    /// What other trials of the fold left in `ctx.once` changes nothing.
    fn shared_values(&mut self, data: &Data) {
        let default = self.entry.space.default_point();
        let (cold, once) = (self.fit_predict(&default, data, &Setting::default()), Once::default());
        for other in self.points(3) {
            let setting = Setting { once: Some(&once), ..Setting::default() };
            let _ = self.fit_predict(&other, data, &setting);
            if !same(&cold, &self.fit_predict(&default, data, &setting)) {
                let message = format!(
                    "{} task: after a fit at {other} shared its values, the default point predicts otherwise: the key given to `ctx.once` must name every parameter that the value depends on",
                    data.task.name()
                );
                return self.report("shared values", message);
            }
        }
    }

    fn random_points(&mut self, data: &Data) {
        for point in self.points(N_POINTS) {
            if let Err(error) =
                self.entry.space.check(&self.entry.space.complete(&point).unwrap_or_else(|_| point.clone()))
            {
                self.report("space", format!("a random point is not in the space: {error}"));
                return;
            }
            if !self.must_fit("random point", &point, data, &Setting::default()) {
                return;
            }
        }
    }

    fn points(&self, n: u64) -> Vec<Params> {
        let history = History::new(&[], Direction::Minimize);
        let sample = |number| Random.sample(&self.entry.space, &history, &[], number, Seed::new(5)).ok().flatten();
        (0..n).filter_map(sample).collect()
    }
}

/// What was probably forgotten where training rows are awkward.
fn remedy(check: &str) -> &'static str {
    match check {
        "one row" | "two rows" | "equal rows" => {
            "; a fold may hold no more than that: predict the mean, or the classes' shares"
        }
        "constant column" => "; a fold may hold one: leave it out, and divide by no spread of 0",
        "missing class" | "one class" => {
            "; a fold may lack a class: take the number of columns from `y.n_outputs()`, not from the rows"
        }
        _ => "",
    }
}

const N_POINTS: u64 = 8;

fn same(a: &Result<Array2<f64>>, b: &Result<Array2<f64>>) -> bool {
    match (a, b) {
        (Ok(a), Ok(b)) => a.dim() == b.dim() && a.iter().zip(b).all(|(a, b)| a.to_bits() == b.to_bits()),
        _ => false,
    }
}

/// What is wrong with a prediction.
fn fault(prediction: &Array2<f64>, data: &Data, n_rows: usize) -> Option<String> {
    let shape = (n_rows, data.y.n_outputs());
    if prediction.dim() != shape {
        return Some(format!(
            "the prediction has shape {:?}, but {shape:?} is wanted: (n_rows, n_outputs)",
            prediction.dim()
        ));
    }
    if let Some(((row, _), value)) = prediction.indexed_iter().find(|(_, value)| !value.is_finite()) {
        return Some(format!("the prediction of row {} is {value}: it must be finite", row + 1));
    }
    if let Target::Classes { .. } = data.y {
        for (row, probabilities) in prediction.outer_iter().enumerate() {
            let sum = probabilities.sum();
            if (sum - 1.0).abs() > 1e-9
                || probabilities.iter().any(|&probability| !(0.0..=1.0 + 1e-9).contains(&probability))
            {
                return Some(format!(
                    "the probabilities of row {} are {probabilities}: none below 0, and their sum must be 1",
                    row + 1
                ));
            }
        }
    }
    None
}
