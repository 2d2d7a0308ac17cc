//! Every built-in metric against `tests/golden`: values by scikit-learn 1.9.1, scipy or numpy.

use std::collections::BTreeSet;

use medalist::Registry;
use medalist::decode::Decoded;
use medalist::metric::{Metric, Needs, Prediction, Settings, Truth, mean_over_targets};
use medalist::target::Target;
use ndarray::Array2;
use serde_json::{Value, json};

const GOLDEN: [&str; 2] = [include_str!("../golden/metric_vectors.json"), include_str!("../golden/more_vectors.json")];

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// The case's score by `metric`; of several targets, by the harness's mean over them.
fn score(metric: &dyn Metric, case: &Value) -> medalist::Result<f64> {
    let n_targets = match (metric.needs(), case["y"][0].as_array()) {
        (Needs::Values, Some(targets)) => targets.len(),
        _ => return score_one(metric, case),
    };
    let names: Vec<String> = (0..n_targets).map(|target| format!("target {target}")).collect();
    mean_over_targets(names.iter().map(String::as_str), |target| {
        let column = |key: &str| -> Vec<f64> {
            case[key].as_array().unwrap().iter().map(|row| row[target].as_f64().unwrap()).collect()
        };
        score_one(metric, &json!({ "y": column("y"), "p": column("p") }))
    })
}

/// Classes are numbered in the order of their values.
fn score_one(metric: &dyn Metric, case: &Value) -> medalist::Result<f64> {
    if matches!(metric.needs(), Needs::Ranking(_) | Needs::Texts) {
        return score_texts(metric, case);
    }
    if metric.ranks_queries() {
        return score_queries(metric, case);
    }
    let y = numbers(&case["y"]);
    let weights = case.get("w").map(numbers);
    let mut values: Vec<f64> = y.clone();
    if metric.needs() == Needs::Labels {
        values.extend(numbers(&case["p"]));
    }
    if let Some(ends) = case["settings"]["labels"].as_array() {
        values.extend(ends.iter().filter_map(Value::as_f64));
    }
    values.sort_by(f64::total_cmp);
    values.dedup();
    if case["p"][0].is_number() && values.iter().all(|value| [0.0, 1.0].contains(value)) {
        values = vec![0.0, 1.0];
    }
    let code = |value: &f64| values.iter().position(|label| label == value).unwrap() as u32;
    let codes = |values: &[f64]| -> Vec<u32> { values.iter().map(code).collect() };
    let classes = Target::Classes { codes: codes(&y), n_classes: values.len() };
    let labels: Vec<String> = values.iter().map(f64::to_string).collect();
    let (target, predicted) = match metric.needs() {
        Needs::Values => (Target::Values(y.clone()), Decoded::Values(numbers(&case["p"]))),
        Needs::Spread => {
            let (values, sigmas) = (numbers(&case["p"]), numbers(&case["sigma"]));
            (Target::Values(y.clone()), Decoded::Spread { values, sigmas })
        }
        Needs::Labels => (classes, Decoded::Labels(codes(&numbers(&case["p"])))),
        // Values where they are no classes.
        Needs::Scores if values.len() > 2 => (Target::Values(y.clone()), Decoded::Scores(numbers(&case["p"]))),
        Needs::Scores => (classes, Decoded::Scores(numbers(&case["p"]))),
        Needs::Probabilities => {
            let rows: Vec<Vec<f64>> = case["p"]
                .as_array()
                .unwrap()
                .iter()
                .map(|p| match p.as_f64() {
                    Some(positive) => vec![1.0 - positive, positive],
                    None => numbers(p),
                })
                .collect();
            let (n_rows, n_classes) = (rows.len(), rows[0].len());
            (classes, Decoded::Probabilities(Array2::from_shape_vec((n_rows, n_classes), rows.concat()).unwrap()))
        }
        Needs::Ranking(_) | Needs::Texts => unreachable!("scored above"),
    };
    let positive = values.iter().position(|value| *value == 1.0).unwrap_or(0) as u32;
    // The golden kappa without settings is scikit-learn's, as is ours where train's labels are unknown.
    let n_train_labels = if metric.name() == "quadratic_weighted_kappa" { 0 } else { labels.len() };
    let weights = weights.as_deref();
    let truth = Truth { target: &target, labels: &labels, positive, n_train_labels, weights, queries: None };
    metric.score(&truth, &predicted.as_prediction())
}

/// Each row a text, or a list of labels.
fn score_texts(metric: &dyn Metric, case: &Value) -> medalist::Result<f64> {
    let label = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_string);
    let text = |row: &Value| match row.as_array() {
        Some(labels) => labels.iter().map(label).collect::<Vec<_>>().join(" "),
        None => label(row),
    };
    let texts = |key: &str| -> Vec<String> { case[key].as_array().unwrap().iter().map(text).collect() };
    let (labels, predicted) = (texts("y"), texts("p"));
    let target = Target::Classes { codes: (0..labels.len() as u32).collect(), n_classes: labels.len() };
    let weights = case.get("w").map(numbers);
    let (positive, n_train_labels, weights) = (0, labels.len(), weights.as_deref());
    let truth = Truth { target: &target, labels: &labels, positive, n_train_labels, weights, queries: None };
    metric.score(&truth, &Prediction::Texts(&predicted))
}

/// Each row a query.
fn score_queries(metric: &dyn Metric, case: &Value) -> medalist::Result<f64> {
    let flat = |key: &str| -> Vec<f64> { case[key].as_array().unwrap().iter().flat_map(numbers).collect() };
    let lengths = case["y"].as_array().unwrap().iter().map(|row| row.as_array().unwrap().len());
    let queries: Vec<u32> = lengths.zip(0..).flat_map(|(length, query)| vec![query; length]).collect();
    let (target, scores) = (Target::Values(flat("y")), flat("p"));
    let queries = Some(queries.as_slice());
    let truth = Truth { target: &target, labels: &[], positive: 0, n_train_labels: 0, weights: None, queries };
    metric.score(&truth, &Prediction::Scores(&scores))
}

fn settings(value: &Value) -> Settings {
    Settings(serde_json::from_value(value.clone()).unwrap())
}

#[test]
fn golden_cases_pass_and_every_metric_has_one() {
    let golden = GOLDEN.map(|text| serde_json::from_str::<Value>(text).unwrap());
    let registry = Registry::builtin();
    let mut covered = BTreeSet::new();
    for case in golden.iter().flat_map(|golden| golden["cases"].as_array().unwrap()) {
        let name = case["metric"].as_str().unwrap();
        let named = registry.metric(name).unwrap();
        covered.insert(named.entry.name.clone());
        let given = case.get("settings").map(settings).unwrap_or_default();
        let metric = named.build(&given).unwrap();
        let note = format!("{name}, {}", case["note"]);
        match (score(metric.as_ref(), case), case["value"].as_f64()) {
            (Ok(score), Some(expected)) => {
                assert!(
                    (score - expected).abs() < 1e-12 * expected.abs().max(1.0),
                    "{note}: {score} is not {expected}"
                );
            }
            (Err(_), None) => {}
            (score, expected) => panic!("{note}: {score:?} is not {expected:?}"),
        }
    }
    let all: BTreeSet<String> = registry.metrics.iter().map(|entry| entry.name.clone()).collect();
    assert_eq!(covered, all, "metrics without a golden case");
}

#[track_caller]
fn check_error(name: &str, given: Value, case: Value, row: Option<u64>, words: &str) {
    let result = Registry::builtin().metric(name).unwrap().build(&settings(&given));
    let error = result.and_then(|metric| score(metric.as_ref(), &case)).unwrap_err();
    assert!(error.to_string().contains(words), "{error}");
    assert_eq!(error.row, row, "{error}");
}

#[test]
fn undefined_scores_name_the_row_and_the_reason() {
    check_error("rmse_log", json!({}), json!({ "y": [1, 2], "p": [1, 0] }), Some(2), "outside");
    check_error("rmse_log", json!({}), json!({ "y": [1, 0], "p": [1, 1] }), Some(2), "not above 0");
    check_error("rmsle", json!({}), json!({ "y": [1, 2], "p": [-0.5, 1] }), Some(1), "outside");
    check_error("rmsle", json!({}), json!({ "y": [1, -1], "p": [1, 1] }), Some(2), "not above -1");
    check_error("mape", json!({}), json!({ "y": [1, 0], "p": [1, 1] }), Some(2), "true value is 0");
    check_error("r2", json!({}), json!({ "y": [1], "p": [1] }), None, "single row");
    check_error("roc_auc", json!({}), json!({ "y": [0, 0], "p": [1, 2] }), None, "no positive row");
    check_error("log_loss", json!({}), json!({ "y": [0, 1], "p": [[1, 0], [0, 0]] }), Some(2), "sum to 0");
    check_error("log_loss", json!({}), json!({ "y": [0, 1], "p": [[1, 0], [-0.1, 1.1]] }), Some(2), "outside");
    check_error("mae", json!({}), json!({ "y": [1], "p": [1], "w": [0] }), None, "all weights are 0");
    check_error("mae", json!({}), json!({ "y": [1, 1], "p": [1, 1], "w": [1, -1] }), Some(2), "negative");
    check_error("rmse", json!({}), json!({ "y": [1e300], "p": [-1e300] }), None, "too large");
}

#[test]
fn settings_out_of_range_are_errors() {
    let case = json!({ "y": [0, 1], "p": [0.5, 0.5] });
    check_error("log_loss", json!({ "eps": 0.6 }), case.clone(), None, "`eps` is 0.6");
    check_error("log_loss", json!({ "eps": "tiny" }), case.clone(), None, "`eps` is \"tiny\"");
    check_error("log_loss", json!({ "esp": 1e-7 }), case.clone(), None, "did you mean `eps`");
    check_error("quadratic_weighted_kappa", json!({ "labels": [8, 3] }), case.clone(), None, "`labels` is [8,3]");
    check_error("rmse", json!({ "eps": 1 }), case, None, "it has none");
    let outside = json!({ "y": [3, 9], "p": [3, 8] });
    check_error("quadratic_weighted_kappa", json!({ "labels": [3, 8] }), outside, Some(2), "outside [3, 8]");
}

#[test]
fn the_clip_of_log_loss_is_a_setting() {
    let metric = Registry::builtin().metric("log_loss").unwrap().build(&settings(&json!({ "eps": 1e-7 }))).unwrap();
    let sure_miss = score(metric.as_ref(), &json!({ "y": [1, 0], "p": [0.0, 1.0] })).unwrap();
    assert!((sure_miss - 1e-7f64.ln().abs()).abs() < 1e-6, "{sure_miss}");
}

#[test]
fn three_classes_have_the_brier_score_of_scikit_learn() {
    // brier_score_loss([0, 2], [[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]), by hand: (0.09 + 0.04 + 0.01 + 0.01 + 0.09 + 0.16) / 2.
    let metric = Registry::builtin().metric("brier").unwrap().build(&Settings::default()).unwrap();
    let case = json!({ "y": [0, 2, 1], "w": [1, 1, 0], "p": [[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [1, 0, 0]] });
    let brier = score(metric.as_ref(), &case).unwrap();
    assert!((brier - 0.2).abs() < 1e-12, "{brier}");
}
