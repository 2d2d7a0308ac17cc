//! Against the real LightGBM: its text format both ways, contributions, and training on equal bins.
//!
//! The interpreter named by MEDALIST_PYTHON (else `python3`) must have `lightgbm`; without it the tests say so and pass.

use std::fs;
use std::path::Path;
use std::process::Command;

use medalist_boost::tree::Tree;
use medalist_boost::{BinSettings, Bins, Boosting, Column, Model, Objective, Params, Trainer, Training};
use serde_json::{Value, json};

use data::{Data, INFINITE_ROW, bins_data, codes, ranked};

mod data;
mod linear;

/// Largest difference of predictions by one and the same model.
const SAME_MODEL: f64 = 1e-6;
/// Largest difference of raw scores after training.
const SAME_TRAINING: f64 = 1e-5;
const N_TREES: usize = 10;
const STAGES: [usize; 2] = [1, N_TREES];

/// Rows to train on, and what both libraries are told.
struct Case {
    name: &'static str,
    data: Data,
    params: Params,
    /// Parameters that only LightGBM has, or spells otherwise.
    theirs: Value,
    /// Whether training agrees at so many of the stages.
    agreeing_stages: usize,
    /// Whether one of the probe rows is infinite.
    infinite: bool,
}

/// What was fitted here.
struct Fitted {
    model: Model,
    text: String,
    /// Raw scores of the training rows at each stage.
    stages: Vec<Vec<f64>>,
}

fn python() -> Option<String> {
    let python = std::env::var("MEDALIST_PYTHON").unwrap_or_else(|_| "python3".to_string());
    let found = Command::new(&python).args(["-c", "import lightgbm"]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    eprintln!("skipped: {python} cannot import lightgbm (name an interpreter that can in MEDALIST_PYTHON)");
    None
}

fn fit(case: &Case) -> Fitted {
    let data = &case.data;
    let codes = codes(&data.columns);
    let columns = data.views(&data.columns, &codes);
    let bins = Bins::new(&columns, &BinSettings { min_data_in_bin: 1, ..BinSettings::default() }).unwrap();
    let training = Training {
        labels: &data.labels,
        weights: data.weights.as_deref(),
        groups: data.groups.as_deref(),
        columns: Some(&columns),
        ..Training::default()
    };
    let mut trainer = Trainer::new(&case.params, &bins, &training).unwrap();
    (0..N_TREES).for_each(|_| trainer.step().unwrap());
    let model = trainer.into_model();
    let stages = STAGES.iter().map(|&n| model.raw(&columns, Some(n)).unwrap()).collect();
    Fitted { text: model.to_lightgbm().unwrap(), model, stages }
}

/// Our parameters under LightGBM's names.
fn their_params(case: &Case) -> Value {
    let mut params = serde_json::to_value(&case.params).unwrap();
    let map = params.as_object_mut().unwrap();
    for ours in ["objective", "growth", "n_estimators", "max_depth", "bootstrap", "parallel", "interaction_constraints"]
    {
        map.remove(ours);
    }
    if case.params.monotone_constraints.is_empty() {
        map.remove("monotone_constraints");
    }
    let (name, more) = match &case.params.objective {
        Objective::Squared => ("regression", json!({})),
        Objective::Absolute => ("regression_l1", json!({})),
        Objective::Quantile { alpha } => ("quantile", json!({ "alpha": alpha })),
        Objective::Huber { alpha } => ("huber", json!({ "alpha": alpha })),
        Objective::Poisson => ("poisson", json!({})),
        Objective::Gamma => ("gamma", json!({})),
        Objective::Tweedie { variance_power } => ("tweedie", json!({ "tweedie_variance_power": variance_power })),
        Objective::Logistic => ("binary", json!({})),
        Objective::Softmax { n_classes } => ("multiclass", json!({ "num_class": n_classes })),
        Objective::OneVsAll { n_classes } => ("multiclassova", json!({ "num_class": n_classes })),
        Objective::LambdaRank { truncation_level } => {
            ("lambdarank", json!({ "lambdarank_truncation_level": truncation_level }))
        }
        objective => panic!("{objective:?}"),
    };
    let fixed = json!({
        "objective": name, "verbose": -1, "num_threads": 1, "deterministic": true, "force_col_wise": true,
        "min_data_in_bin": 1, "feature_pre_filter": false, "enable_bundle": false,
        "monotone_constraints_method": "basic",
    });
    for from in [fixed, more, case.theirs.clone()] {
        map.extend(from.as_object().unwrap().clone());
    }
    params
}

fn run(python: &str, cases: &[Case], fits: &[Fitted]) -> Vec<Value> {
    let described: Vec<Value> = cases
        .iter()
        .zip(fits)
        .map(|(case, fitted)| {
            let Data { columns, categorical, probe, labels, weights, groups } = &case.data;
            json!({
                "columns": columns, "categorical": categorical, "probe": probe, "labels": labels,
                "weights": weights, "groups": groups, "params": their_params(case), "n_trees": N_TREES,
                "stages": STAGES, "ours": fitted.text, "infinite": case.infinite.then_some(INFINITE_ROW),
            })
        })
        .collect();
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("cases.json"), serde_json::to_string(&described).unwrap()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("bench/check_lightgbm.py");
    // Several threads a process would wait for each other.
    let output = Command::new(python).env("OMP_NUM_THREADS", "1").arg(script).arg(folder.path()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_str(&fs::read_to_string(folder.path().join("results.json")).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap_or(f64::NAN)).collect()
}

/// The largest difference; infinite where lengths differ or a number is missing.
fn apart(ours: &[f64], theirs: &[f64]) -> f64 {
    if ours.len() != theirs.len() {
        return f64::INFINITY;
    }
    let difference = |(a, b): (&f64, &f64)| if (a - b).is_nan() { f64::INFINITY } else { (a - b).abs() };
    ours.iter().zip(theirs).map(difference).fold(0.0, f64::max)
}

/// How far a model of ours and what LightGBM said are apart: raw, predicted, contributions.
fn apart_on_probe(case: &Case, model: &Model, said: &Value) -> [f64; 3] {
    let columns: Vec<Column> = case.data.probe.iter().map(|column| Column::F64(column)).collect();
    let mut predicted = numbers(&said["predicted"]);
    if let Objective::OneVsAll { n_classes } = model.objective() {
        // LightGBM leaves these as they are.
        for row in predicted.chunks_mut(*n_classes) {
            let sum: f64 = row.iter().sum();
            row.iter_mut().for_each(|p| *p /= sum);
        }
    }
    let (mut raw, mut contributions) =
        (numbers(&said["raw"]), said.get("contributions").map_or_else(Vec::new, numbers));
    if case.params.boosting == Boosting::Rf {
        // LightGBM adds these up; only its predictions are means.
        raw.iter_mut().chain(&mut contributions).for_each(|value| *value /= N_TREES as f64);
    }
    // Of linear leaves neither library tells contributions.
    let explained = match model.trees().iter().any(Tree::is_linear) {
        true => f64::from(said.get("contributions").is_some()),
        false => apart(&model.contributions(&columns, None).unwrap(), &contributions),
    };
    [
        apart(&model.raw(&columns, None).unwrap(), &raw),
        apart(&model.predict(&columns, None).unwrap(), &predicted),
        explained,
    ]
}

/// Runs the cases; prints a line each, then fails if a difference is too large.
fn check(cases: &[Case]) {
    let Some(python) = python() else { return };
    let fits: Vec<Fitted> = cases.iter().map(fit).collect();
    let mut failed = Vec::new();
    for ((case, fitted), result) in cases.iter().zip(&fits).zip(run(&python, cases, &fits)) {
        let written = apart_on_probe(case, &fitted.model, &result["ours"]);
        let model = Model::from_lightgbm(result["text"].as_str().unwrap()).unwrap();
        let read = apart_on_probe(case, &model, &result["theirs"]);
        let stages = result["stages"].as_array().unwrap();
        let trained: Vec<f64> = fitted.stages.iter().zip(stages).map(|(a, b)| apart(a, &numbers(b))).collect();
        let show = |apart: &[f64]| apart.iter().map(|apart| format!("{apart:8.1e}")).collect::<String>();
        println!("{:24} written{}  read{}  trained{}", case.name, show(&written), show(&read), show(&trained));
        let same_model = written.iter().chain(&read).all(|&apart| apart <= SAME_MODEL);
        let same_training = trained.iter().take(case.agreeing_stages).all(|&apart| apart <= SAME_TRAINING);
        if !same_model || !same_training {
            failed.push(case.name);
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
}

fn case(name: &'static str, data: Data, params: Params) -> Case {
    Case { name, data, params, theirs: json!({}), agreeing_stages: STAGES.len(), infinite: true }
}

impl Case {
    /// Training agrees after the first tree only.
    fn first_stage(mut self) -> Case {
        self.agreeing_stages = 1;
        self
    }

    /// With parameters for LightGBM alone.
    fn told(mut self, theirs: Value) -> Case {
        self.theirs = theirs;
        self
    }
}

/// Two departures are left, and these cases are chosen so that they do not bear on them.
///
/// LightGBM tells rows from Hessians, rounds them bin by bin and adds those up; here the sum is rounded. So where Hessians differ within a bin, `min_child_samples` is 1 and `min_sum_hessian` limits leaves instead.
///
/// LightGBM does not look at a feature again below a node where none of its thresholds gained enough or met the constraints; here it is looked at, as below the node it may well gain. So under L1, constraints, `min_gain_to_split` and `max_delta_step` trees are kept small.
#[test]
fn training_on_equal_bins_agrees() {
    let by_hessian = |objective| Params::new(objective).min_child_samples(1).min_sum_hessian(8.0);
    let squared = || Params::new(Objective::Squared);
    let logistic = || by_hessian(Objective::Logistic);
    let small = || squared().num_leaves(8);
    let small_logistic = || logistic().num_leaves(8);
    let plain = || bins_data(1, 0.0, 0);
    let missing = || bins_data(2, 0.1, 0);
    let many = || bins_data(3, 0.0, 40);
    let few = || bins_data(4, 0.0, 3);
    let groups = || squared().min_data_per_group(20);
    check(&[
        case("regression", plain(), squared()),
        case("regression at 0", plain(), squared().boost_from_average(false)),
        case("100 leaves", plain(), squared().num_leaves(100)),
        case("binary", plain().binary(), logistic()),
        case("binary by rows", plain().binary(), Params::new(Objective::Logistic)).first_stage(),
        case("L1", plain(), small().lambda_l1(20.0)),
        case("L1 binary", plain().binary(), small_logistic().lambda_l1(5.0)),
        case("L2", plain(), squared().lambda_l2(20.0)),
        case("L2 binary", plain().binary(), small_logistic().lambda_l2(5.0)),
        case("L1 and L2", plain(), small().lambda_l1(5.0).lambda_l2(5.0)),
        case("monotone", plain(), small().monotone_constraints(vec![1, 0, -1, 1, 0])),
        case("monotone binary", plain().binary(), small_logistic().monotone_constraints(vec![1, 0, -1, 1, 0])),
        case("monotone missing", missing(), small().monotone_constraints(vec![1, 1, 1, 0, 0])),
        case("monotone L2", plain(), small().monotone_constraints(vec![1, -1, 1, -1, 0]).lambda_l2(5.0)),
        case("weights", plain().weighted(), squared()),
        case("weights binary", plain().binary().weighted(), logistic()),
        case("sorted categories", many(), groups()),
        case("sorted binary", many().binary(), small_logistic().min_data_per_group(20)),
        case("sorted by default", many(), squared()),
        case("sorted weights", many().weighted(), groups()),
        case("sorted missing", bins_data(5, 0.1, 40), groups()),
        case("sorted few", bins_data(7, 0.1, 12), groups().max_cat_threshold(4).cat_l2(2.0).cat_smooth(30.0)),
        case("one-hot", few(), squared()),
        case("one-hot missing", bins_data(6, 0.1, 3), squared()),
        case("one-hot binary", few().binary(), logistic()),
        // LightGBM counts a bin for missing values among the categories.
        case("four categories", bins_data(9, 0.0, 4), squared().max_cat_to_onehot(3))
            .told(json!({ "max_cat_to_onehot": 4 })),
        // All dropped each time: nothing random is left of it.
        case(
            "dart",
            plain(),
            squared().boosting(Boosting::Dart).drop_rate(1.0).skip_drop(0.0).boost_from_average(false),
        )
        .told(json!({ "uniform_drop": true })),
        case("missing", missing(), squared()),
        case("missing binary", missing().binary(), logistic()),
        case("min_gain_to_split", plain(), small().min_gain_to_split(5.0)),
        case("min_gain binary", plain().binary(), small_logistic().min_gain_to_split(2.0)),
        // Where both sides would go beyond the limit a split gains exactly nothing: a tie that rounding decides.
        case("max_delta_step", plain(), squared().num_leaves(15).max_delta_step(1.0).min_gain_to_split(0.1)),
        case(
            "max_delta binary",
            plain().binary(),
            logistic().num_leaves(15).max_delta_step(1.0).min_gain_to_split(0.1),
        ),
        case("path_smooth", plain(), squared().path_smooth(10.0)),
        // Rows that smoothing goes by are told from Hessians, too.
        case("path_smooth binary", plain().binary(), logistic().path_smooth(10.0)).first_stage(),
        case("softmax", plain().classes(), by_hessian(Objective::Softmax { n_classes: 3 })),
        case("softmax weights", plain().weighted().classes(), by_hessian(Objective::Softmax { n_classes: 3 })),
        case("one-against-all", plain().classes(), by_hessian(Objective::OneVsAll { n_classes: 3 })),
    ]);
}

/// With weights a leaf's median is another value than LightGBM's, which depends on the weights' unit.
#[test]
fn other_objectives_agree() {
    let params = |objective| Params::new(objective).min_child_samples(1).min_sum_hessian(8.0);
    let plain = || bins_data(1, 0.0, 0);
    let counts = || plain().with_labels(|value| value.abs().floor());
    let amounts = || plain().with_labels(|value| value.abs() + 0.1);
    check(&[
        case("absolute", plain(), Params::new(Objective::Absolute)),
        case("quantile", plain(), Params::new(Objective::Quantile { alpha: 0.3 })),
        case("huber", plain(), Params::new(Objective::Huber { alpha: 0.5 })),
        case("huber weights", plain().weighted(), params(Objective::Huber { alpha: 0.5 })),
        case("poisson", counts(), params(Objective::Poisson)),
        case("poisson weights", counts().weighted(), params(Objective::Poisson)),
        case("gamma", amounts(), params(Objective::Gamma)),
        case("tweedie", counts(), params(Objective::Tweedie { variance_power: 1.3 })),
        case("lambdarank", ranked(), params(Objective::LambdaRank { truncation_level: 10 }).min_sum_hessian(1.0)),
    ]);
}

#[test]
fn models_of_numbers_with_zeros_read_and_write() {
    let squared = || Params::new(Objective::Squared);
    let real = |missing: f64, categories: usize| {
        let mut data = bins_data(8, missing, categories);
        for feature in [0, 1, 3, 4] {
            // Below, at and above 0.
            for column in [&mut data.columns, &mut data.probe] {
                column[feature].iter_mut().for_each(|value| *value = ((*value - 12.0) / 3.0).max(-3.0));
            }
        }
        data
    };
    let forest = || squared().boosting(Boosting::Rf).bagging_freq(1).bagging_fraction(0.6);
    let bernoulli = || real(0.1, 0).binary();
    let softmax = || Params::new(Objective::Softmax { n_classes: 3 }).boosting(Boosting::Rf).bagging_freq(1);
    let mut cases = vec![
        case("zeros", real(0.0, 0), squared()),
        case("zeros missing", real(0.1, 0), squared()),
        case("zeros categories", real(0.1, 60), squared()),
        case("forest", real(0.1, 60), forest()),
        case("forest binary", bernoulli(), forest().objective(Objective::Logistic)),
        case("forest classes", real(0.0, 0).classes(), softmax().bagging_fraction(0.6)),
        case("dart", real(0.0, 0), squared()).told(json!({ "boosting": "dart", "drop_rate": 0.5 })),
        case("cross entropy", bernoulli(), Params::new(Objective::Logistic))
            .told(json!({ "objective": "cross_entropy" })),
        case("fair", real(0.1, 0), squared()).told(json!({ "objective": "fair" })),
        case("no missing", real(0.1, 0), squared()).told(json!({ "use_missing": false })),
        case("extra trees", real(0.1, 60), squared()).told(json!({ "extra_trees": true })),
    ];
    cases.iter_mut().for_each(|case| case.agreeing_stages = 0);
    check(&cases);
}

#[test]
fn what_cannot_be_read_names_the_tree() {
    let Some(python) = python() else { return };
    let told = |theirs: Value| case("", bins_data(1, 0.1, 0), Params::new(Objective::Squared)).told(theirs);
    let mut cases = [
        told(json!({ "zero_as_missing": true })),
        told(json!({ "reg_sqrt": true })),
        case("", bins_data(1, 0.1, 0).binary(), Params::new(Objective::Logistic)).told(json!({ "sigmoid": 2.0 })),
    ];
    // Zeros in the middle of a feature that matters.
    cases[0].data.columns[0].iter_mut().for_each(|value| *value = (*value - 10.0).max(-5.0));
    let fits: Vec<Fitted> = cases.iter().map(fit).collect();
    let errors: Vec<String> = run(&python, &cases, &fits)
        .iter()
        .map(|result| Model::from_lightgbm(result["text"].as_str().unwrap()).unwrap_err().to_string())
        .collect();
    assert!(
        errors[0].starts_with("tree 0: decision_type of node") && errors[0].contains("zeros are missing"),
        "{}",
        errors[0]
    );
    assert_eq!(errors[1], "objective: labels under a square root cannot be held");
    assert_eq!(errors[2], "objective: binary with a sigmoid of 2 cannot be held, only with 1");
}
