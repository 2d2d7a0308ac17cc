//! Thresholds of labels: what they gain, and that no fold is cut by its own labels.

use std::path::Path;
use std::sync::Arc;

use medalist::competition::Competition;
use medalist::evaluate::Evaluation;
use medalist::metric::Direction;
use medalist::model::{Dense, FitContext, Model, Predictor};
use medalist::search::{Cancel, Limits, MemoryStore, Silent, StudySpec, Trial, run};
use medalist::search::{Parameter, SamplerSpec, SearchSpace, Store};
use medalist::target::{Target, Task};
use medalist::thresholds;
use medalist::{Registry, Result};
use ndarray::{Array2, array};
use sha2::{Digest, Sha256};

use crate::support::Workspace;

/// Predicts what the feature `x` says, whatever it is fitted on: as a probability, or as a value.
#[derive(medalist::Tunable)]
struct Oracle {}

struct Fitted {
    n_outputs: usize,
}

impl Model for Oracle {
    type Input = Dense;
    const TASKS: &'static [Task] = &[Task::Binary, Task::Regression];
    const ABOUT: &'static str = "x itself";

    fn fit(&self, _x: &Dense, y: &Target, _ctx: &FitContext) -> Result<Box<dyn Predictor<Dense>>> {
        Ok(Box::new(Fitted { n_outputs: y.n_outputs() }))
    }
}

impl Predictor<Dense> for Fitted {
    fn predict(&self, x: &Dense) -> Result<Array2<f64>> {
        let output = |(row, output): (usize, usize)| match (self.n_outputs, output) {
            (1, _) | (2, 1) => x.x[[row, 0]],
            _ => 1.0 - x.x[[row, 0]],
        };
        Ok(Array2::from_shape_fn((x.x.nrows(), self.n_outputs), output))
    }
}

/// A competition of rows (x, y, fold), fold by fold.
fn competition(folder: &Path, registry: &Registry, task: &str, metric: &str, rows: &[(f64, u32, u32)]) -> Competition {
    let mut train = "x,y,fold\n".to_string();
    rows.iter().for_each(|(x, y, fold)| train += &format!("{x},{y},{fold}\n"));
    let sha256: String = Sha256::digest(&train).iter().map(|byte| format!("{byte:02x}")).collect();
    let config = format!(
        "version = 1\ntask = \"{task}\"\ntarget = \"y\"\n[files.train]\npath = \"train.csv\"\nsha256 = \"{sha256}\"\n\
         [metric]\n{metric}\n[folds]\nscheme = \"given\"\ncolumn = \"fold\"\n"
    );
    std::fs::write(folder.join("train.csv"), train).unwrap();
    std::fs::write(folder.join("competition.toml"), config).unwrap();
    Competition::load(folder, registry).unwrap()
}

/// The one trial of a study of the oracle.
fn trial(task: &str, metric: &str, rows: &[(f64, u32, u32)]) -> Trial {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::builtin().with::<Oracle>("oracle");
    let competition = competition(folder.path(), &registry, task, metric, rows);
    let folds = competition.folds(None).unwrap();
    // Numbers as they are.
    let as_they_are = Parameter::choice("prep.scale", ["none"]);
    let spec = StudySpec {
        space: SearchSpace::new().with(Parameter::choice("model", ["oracle"])).with(as_they_are),
        sampler: SamplerSpec::Random,
        n_folds: folds.len(),
        ..StudySpec::new("s", Direction::Maximize)
    };
    let evaluation = Evaluation::new(&competition, &registry, folds, &spec, u64::MAX, Cancel::new()).unwrap();
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap());
    let (store, limits) = (MemoryStore::new(), Limits { n_trials: Some(1), ..Limits::new(pool) });
    run(&spec, &store, &evaluation, &limits, &Silent).unwrap();
    store.trials("s").unwrap().pop().unwrap()
}

/// 100 rows a fold at x = 0.005, 0.015, ..., positive from `begins` on.
fn folds(begins: &[f64]) -> Vec<(f64, u32, u32)> {
    let fold = |(fold, &begins): (usize, &f64)| {
        let row = move |row: u32| (f64::from(row) / 100.0 + 0.005, u32::from(f64::from(row) / 100.0 >= begins));
        (0..100).map(row).map(move |(x, y)| (x, y, fold as u32))
    };
    begins.iter().enumerate().flat_map(fold).collect()
}

#[track_caller]
fn check_scores(trial: &Trial, plain: &[f64], score: f64) {
    let found: Vec<f64> = trial.folds.iter().map(|fold| fold.score).collect();
    assert!(found.iter().zip(plain).all(|(found, plain)| (found - plain).abs() < 1e-12), "{found:?} is not {plain:?}");
    let found = trial.score.unwrap();
    assert!((found - score).abs() < 1e-12, "{found} is not {score}");
}

#[test]
fn a_threshold_that_all_folds_share_is_found() {
    let trial = trial("binary", "name = \"accuracy\"", &folds(&[0.3, 0.3, 0.3]));
    check_scores(&trial, &[0.8, 0.8, 0.8], 1.0);
}

/// A leak planted: the first fold's labels begin elsewhere. Its own labels would say so, those of the others cannot; and for the others, what it says and what the third says cancel out.
#[test]
fn no_fold_is_cut_by_its_own_labels() {
    let trial = trial("binary", "name = \"accuracy\"", &folds(&[0.7, 0.3, 0.3]));
    let (first_cut_at_0_3, others_cut_at_0_5) = (0.6, 0.8);
    check_scores(&trial, &[0.8, 0.8, 0.8], (first_cut_at_0_3 + 2.0 * others_cut_at_0_5) / 3.0);
}

#[test]
fn thresholds_stay_where_nothing_is_to_be_gained() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::builtin().with::<Oracle>("oracle");
    let rows = folds(&[0.3, 0.3]);
    let competition = competition(folder.path(), &registry, "binary", "name = \"accuracy\"", &rows);
    let metric = competition.metric(&registry).unwrap();
    let outputs = Array2::from_shape_fn((200, 2), |(row, class)| (rows[row].0 - (1.0 - class as f64)).abs());
    let learned = thresholds::learn(&competition, metric.as_ref(), 0, &(0..200).collect::<Vec<u32>>(), outputs.view());
    let threshold = learned.unwrap().unwrap()[0];
    assert!((0.295..0.305).contains(&threshold), "{threshold}");
    // Rows in which nothing is to be gained leave the plain threshold.
    let (high, places) = ((60..100).collect::<Vec<u32>>(), (60..100).collect::<Vec<usize>>());
    let outputs = outputs.select(ndarray::Axis(0), &places);
    assert_eq!(thresholds::learn(&competition, metric.as_ref(), 0, &high, outputs.view()).unwrap(), None);
}

#[test]
fn thresholds_of_ordinal_labels_are_learned_one_beside_the_other() {
    // Labels 1, 2, 3 that begin at 0, 1.2 and 2.9 on the predicted value; plainly at 1.5 and 2.5.
    let row = |row: u32| {
        let x = f64::from(row % 40) / 10.0;
        (x, 1 + u32::from(x > 1.15) + u32::from(x > 2.85), row / 40)
    };
    let rows: Vec<(f64, u32, u32)> = (0..120).map(row).collect();
    let trial = trial("ordinal", "name = \"quadratic_weighted_kappa\"", &rows);
    assert!(trial.folds.iter().all(|fold| fold.score < 0.9), "{:?}", trial.folds);
    assert_eq!(trial.score, Some(1.0));
}

#[test]
fn a_key_leaves_the_plain_thresholds() {
    let trial = trial("binary", "name = \"accuracy\"\nthresholds = false", &folds(&[0.3, 0.3, 0.3]));
    check_scores(&trial, &[0.8, 0.8, 0.8], 0.8);
}

#[test]
fn metrics_of_probabilities_have_none() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::builtin();
    let competition = competition(folder.path(), &registry, "binary", "name = \"roc_auc\"", &folds(&[0.3]));
    assert!(!thresholds::are_learned(&competition, competition.metric(&registry).unwrap().as_ref()));
}

#[test]
fn labels_are_cut_where_thresholds_say() {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::builtin();
    let competition = competition(folder.path(), &registry, "binary", "name = \"accuracy\"", &folds(&[0.3]));
    let metric = competition.metric(&registry).unwrap();
    let raw = array![[0.9, 0.1], [0.8, 0.2], [0.4, 0.6]];
    let (column, needs) = (&competition.targets[0], metric.needs());
    let decode = |thresholds| {
        let range = metric.range();
        thresholds::decode_with(&thresholds, needs, Task::Binary, raw.view(), column, 1, range).unwrap()
    };
    assert_eq!(decode(None), medalist::decode::Decoded::Labels(vec![0, 0, 1]));
    assert_eq!(decode(Some(vec![0.2])), medalist::decode::Decoded::Labels(vec![0, 1, 1]));
}

/// Threads, a resume and the submission: thresholds follow from what is stored.
#[test]
fn the_same_thresholds_on_any_number_of_threads_and_after_a_resume() {
    let sweep = |jobs: &str, resumed: bool| {
        let workspace = Workspace::with(&["wine-quality-red"]);
        let first = if resumed { 2 } else { 4 };
        let flags = format!("--models ridge --search random --trials {first} --folds 3 --jobs {jobs} --study s");
        workspace.run(&format!("sweep wine-quality-red {flags}")).ok();
        if resumed {
            workspace.run("resume s --trials 4 --jobs 2").ok();
        }
        let trials = workspace.run("trials s --output json").ok().json();
        let scores: Vec<f64> =
            trials.as_array().unwrap().iter().map(|trial| trial["score"].as_f64().unwrap()).collect();
        let file = workspace.submissions("wine-quality-red").pop().unwrap();
        (scores, workspace.results("wine-quality-red").0, std::fs::read(file).unwrap())
    };
    let one = sweep("1", false);
    assert_eq!(sweep("2", false), one);
    let resumed = sweep("1", true);
    assert_eq!((resumed.0, resumed.1), (one.0, one.1));
}
