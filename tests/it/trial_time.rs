//! `--trial-time`: a trial that takes too long fails, and the study says that a clock decides.

use std::time::Duration;

use medalist::competition::Competition;
use medalist::error::Result;
use medalist::evaluate::{Evaluation, deadline};
use medalist::model::{Dense, FitContext, Model, Predictor};
use medalist::plan::{Earlier, Plan};
use medalist::registry::Registry;
use medalist::search::{Cancel, FoldContext, Objective, Params, TrialError, TrialPoint};
use medalist::target::{Target, Task};
use ndarray::Array2;

use crate::support::{Workspace, bundled};

#[test]
fn a_trial_that_takes_too_long_fails_alone_and_the_study_is_marked() {
    let workspace = Workspace::with(&["penguins"]);
    let sweep = "sweep penguins --models gbdt --trials 2 --search random --folds 3 --no-submission";
    let ran = workspace.run(&format!("{sweep} --study short --trial-time 1ms")).fails(4);
    assert!(ran.stderr.contains("not exactly repeatable"), "{}", ran.stderr);
    for trial in workspace.run("trials short --output json").ok().json().as_array().unwrap() {
        assert_eq!(trial["state"], "failed");
        let reason = trial["reason"].as_str().unwrap();
        assert_eq!(reason, "took longer than the 0.001 s that `--trial-time` gives a trial");
    }
    // Where no trial comes near it, all is as without it, but for the promise.
    let timed = workspace.run(&format!("{sweep} --study timed --trial-time 1h")).ok();
    assert!(timed.stderr.contains("another run may find others"), "{}", timed.stderr);
    let plain = workspace.run(&format!("{sweep} --study plain")).ok();
    assert!(plain.stderr.contains("gives the same leaderboard"), "{}", plain.stderr);
    let scores = |study: &str| {
        let trials = workspace.run(&format!("trials {study} --columns trial,score --output json")).ok();
        trials.stdout
    };
    assert_eq!(scores("timed"), scores("plain"));
    let studies = workspace.run("studies --output json").ok().json();
    let repeatable: Vec<(String, bool)> = studies
        .as_array()
        .unwrap()
        .iter()
        .map(|study| (study["study"].as_str().unwrap().to_string(), study["repeatable"].as_bool().unwrap()))
        .collect();
    assert_eq!(repeatable, [("plain".into(), true), ("short".into(), false), ("timed".into(), false)]);
    // It belongs to the study: a resume keeps it, and another limit is another study.
    workspace.run("resume timed --trials 3 --no-submission").ok();
    let ran = workspace.run(&format!("{sweep} --study timed --trial-time 2h")).fails(3);
    assert!(ran.stderr.contains("seconds for a trial: 3600.0 against 7200.0"), "{}", ran.stderr);
    assert!(workspace.run(&format!("{sweep} --trial-time soon")).fails(2).stderr.contains("60s"));
}

/// Says that it takes a minute, and cannot be stopped; it would panic if it were begun.
#[derive(medalist::Tunable)]
struct Stubborn {
    /// How long it says.
    #[param(1.0..=600.0, default = 60.0)]
    pub seconds: f64,
}

impl Model for Stubborn {
    type Input = Dense;
    const TASKS: &'static [Task] = &[Task::Multiclass];
    const ABOUT: &'static str = "cannot be stopped";
    const INTERRUPTIBLE: bool = false;

    fn fit(&self, _x: &Dense, y: &Target, _ctx: &FitContext) -> Result<Box<dyn Predictor<Dense>>> {
        Ok(Box::new(Even(y.n_outputs())))
    }

    fn estimate_seconds(&self, _n_rows: usize, _n_columns: usize) -> Option<f64> {
        Some(self.seconds)
    }
}

struct Even(usize);

impl Predictor<Dense> for Even {
    fn predict(&self, x: &Dense) -> Result<Array2<f64>> {
        Ok(Array2::from_elem((x.x.nrows(), self.0), 1.0 / self.0 as f64))
    }
}

#[test]
fn a_model_that_cannot_be_stopped_is_not_begun_where_the_time_will_not_do() {
    let registry = Registry::builtin().with::<Stubborn>("stubborn");
    let competition = Competition::load(&bundled("penguins"), &registry).unwrap();
    let metric = competition.metric(&registry).unwrap();
    let folds = competition.folds(None).unwrap();
    let plan = Plan { models: Some(vec!["stubborn".to_string()]), ..Plan::default() };
    let spec = plan.study(&competition, &registry, metric.as_ref(), &folds, &Earlier::Nothing).unwrap();
    let params =
        Params::from([("model", "stubborn".into()), ("stubborn.seconds", medalist::search::Value::Float(60.0))]);
    let evaluate = |limit: Option<Duration>, time: Option<Duration>| {
        let evaluation =
            Evaluation::new(&competition, &registry, folds.clone(), &spec, u64::MAX, deadline(time)).unwrap();
        let evaluation = evaluation.with_trial_time(limit);
        let point = TrialPoint { number: 0, params: &params, look: 0, seed: spec.point_seed(&params) };
        let cancel = Cancel::new();
        evaluation.evaluate(&[point], 0, &FoldContext::new(&cancel)).pop().unwrap()
    };
    let (short, long) = (Some(Duration::from_secs(30)), Some(Duration::from_secs(90)));
    match evaluate(short, None) {
        Err(TrialError::Failed(reason)) => {
            assert!(reason.contains("cannot be interrupted") && reason.contains("about 60 s"), "{reason}");
        }
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was begun"),
    }
    assert!(evaluate(long, None).is_ok());
    assert!(evaluate(None, None).is_ok());
    // At the end of the study's own time nothing fails: it is left to a resume.
    assert!(matches!(evaluate(short, Some(Duration::from_secs(10))), Err(TrialError::Cancelled)));
}
