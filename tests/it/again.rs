//! `diff` and `rerun`: two trials beside each other, and one trial a second time.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::Workspace;

fn swept(slug: &str, arguments: &str) -> Workspace {
    let workspace = Workspace::with(&[slug]);
    workspace.run(&format!("sweep {slug} --study mine --folds 3 --no-submission -q {arguments}")).ok();
    workspace
}

fn names(differences: &Value) -> Vec<&str> {
    differences.as_array().unwrap().iter().map(|difference| difference["what"].as_str().unwrap()).collect()
}

#[test]
fn two_trials_of_a_study_differ_in_parameters_and_fold_by_fold() {
    let workspace = swept("penguins", "--models ridge --search grid --set ridge.alpha=1,10");
    let found = workspace.run("diff mine/0 mine/1 --output json").ok().json();
    assert_eq!(found["params"], json!([{ "what": "ridge.alpha", "before": 1.0, "after": 10.0 }]));
    assert_eq!(found["differs"], json!([]));
    let folds = found["folds"].as_array().unwrap();
    assert_eq!(folds.len(), 3);
    let differences: Vec<f64> = folds
        .iter()
        .map(|fold| {
            let difference = fold["difference"].as_f64().unwrap();
            assert_eq!(difference, fold["second"].as_f64().unwrap() - fold["first"].as_f64().unwrap());
            difference
        })
        .collect();
    assert_eq!(found["paired"]["mean"].as_f64().unwrap(), differences.iter().sum::<f64>() / 3.0);
    assert_eq!(found["paired"]["n_folds"], 3);
    let table = workspace.run("diff mine/0 mine/1").ok();
    assert!(table.stdout.contains("ridge.alpha") && table.stderr.contains("of 3 folds"), "{}", table.stderr);
    assert!(workspace.run("diff mine/0 mine/9").fails(2).stderr.contains("no trial 9"));
}

#[test]
fn trials_on_other_folds_are_not_paired() {
    let workspace = swept("penguins", "--models ridge --search grid --set ridge.alpha=1");
    workspace
        .run("sweep penguins --study other --folds 4 --models ridge --search grid --set ridge.alpha=1 --no-submission -q")
        .ok();
    let found = workspace.run("diff mine/0 other/0 --output json").ok().json();
    assert_eq!((&found["paired"], &found["folds"][0]["difference"]), (&Value::Null, &Value::Null));
    assert_eq!(names(&found["differs"]), ["folds"]);
    assert_eq!(found["params"], json!([]));
    assert!(workspace.run("diff mine/0 other/0").ok().stderr.contains("not scored on the same folds"));
}

#[test]
fn every_kind_of_trial_comes_out_the_same_bit_for_bit() {
    let workspace = swept("penguins", "--models knn,gbdt,logistic --trials 8 --search random --jobs 2 --seed 3");
    for number in 0..8 {
        let found = workspace.run(&format!("rerun mine/{number} --jobs 1 --output json")).ok().json();
        assert_eq!((&found["same"], &found["predictions_same"]), (&json!(true), &json!(true)), "{found}");
        assert_eq!((&found["changed"], &found["failed"]), (&json!([]), &Value::Null));
        assert_eq!(found["score"]["before"], found["score"]["after"]);
    }
    // Of a grid, whose staged values share a fit.
    workspace
        .run("sweep penguins --study grid --folds 3 --models knn --search grid --set knn.n_neighbors=3,9 --no-submission -q")
        .ok();
    for number in 0..2 {
        assert_eq!(workspace.run(&format!("rerun grid/{number} --output json")).ok().json()["same"], true);
    }
    let ran = workspace.run("rerun mine/0").ok();
    assert!(ran.stderr.contains("the same bit for bit") && ran.stdout.contains("fold 2"), "{}", ran.stderr);
}

/// Learned thresholds make of the folds together another score than their mean.
#[test]
fn a_trial_whose_labels_are_cut_by_thresholds_comes_out_the_same() {
    let workspace = swept("wine-quality-red", "--models ridge,gbdt --trials 4 --looks 1 --search random");
    for number in 0..4 {
        let found = workspace.run(&format!("rerun mine/{number} --output json")).ok().json();
        assert_eq!(found["same"], true);
        assert_eq!(found["score"]["before"], found["score"]["after"]);
    }
    let found = workspace.run("diff mine/0 mine/1 --output json").ok().json();
    let mean = |which: &str| {
        let folds = found["folds"].as_array().unwrap();
        folds.iter().map(|fold| fold[which].as_f64().unwrap()).sum::<f64>() / 3.0
    };
    assert_ne!(found["score"]["first"].as_f64().unwrap(), mean("first"));
}

/// A further look is repeated on its own folds.
#[test]
fn a_further_look_comes_out_the_same() {
    let workspace = Workspace::with(&["penguins"]);
    workspace
        .run("sweep penguins --study mine --folds 3 --models knn --trials 40 --looks 3 --search tpe --no-submission -q")
        .ok();
    let looks = workspace.run_with("trials mine --output json", &["--where", "look > 1"]).ok().json();
    let number = looks[0]["trial"].as_u64().expect("40 trials look again at a point");
    assert_eq!(workspace.run(&format!("rerun mine/{number} --output json")).ok().json()["same"], true);
}

#[test]
fn data_that_changed_are_named() {
    let workspace = swept("penguins", "--models ridge --search grid --set ridge.alpha=1");
    let toml = workspace.read("competitions/penguins/competition.toml");
    let train = workspace.read("competitions/penguins/train.csv");
    // Another value in the first row, and its checksum in the description.
    let other = train.replacen("39.5,17.4", "49.5,17.4", 1);
    workspace.write("competitions/penguins/train.csv", &other);
    let described = toml.replace(&sha256(&train), &sha256(&other));
    assert_ne!(described, toml);
    workspace.write("competitions/penguins/competition.toml", described);
    let ran = workspace.run("rerun mine/0 --output json").fails(4);
    let found = ran.json();
    assert_eq!(found["same"], false);
    assert_eq!(names(&found["changed"]), ["train file"], "{found}");
    let ran = workspace.run("rerun mine/0").fails(4);
    assert!(ran.stderr.contains("another score now; what changed: train file"), "{}", ran.stderr);

    // Settings are named by their keys.
    workspace.write("competitions/penguins/train.csv", train);
    workspace.write("competitions/penguins/competition.toml", format!("drop = [\"sex\"]\n{toml}"));
    let found = workspace.run("rerun mine/0 --output json").fails(4).json();
    assert_eq!(names(&found["changed"]), ["setting drop"], "{found}");
}

fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As a program of another version would have left it.
#[test]
fn code_that_changed_is_named() {
    let workspace = swept("penguins", "--models ridge --search grid --set ridge.alpha=1,10");
    let store = rusqlite::Connection::open(workspace.path(".medalist/store.db")).unwrap();
    let bytes = br#"{"version":"0.0.9","code":"old"}"#;
    store.execute("UPDATE attachments SET bytes = ?1 WHERE name = 'made_by' AND number = 1", [&bytes[..]]).unwrap();
    drop(store);
    let found = workspace.run("rerun mine/1 --output json").ok().json();
    assert_eq!((&found["same"], names(&found["changed"])), (&json!(true), vec!["version", "code"]));
    let ran = workspace.run("rerun mine/1").ok();
    assert!(ran.stderr.contains("although these changed: version, code"), "{}", ran.stderr);
    assert_eq!(names(&workspace.run("diff mine/0 mine/1 --output json").ok().json()["differs"]), ["version", "code"]);
    // A score that no code gives.
    let store = rusqlite::Connection::open(workspace.path(".medalist/store.db")).unwrap();
    store.execute("UPDATE fold_scores SET score = score + 1e-12 WHERE number = 1 AND fold = 2", []).unwrap();
    drop(store);
    let ran = workspace.run("rerun mine/1").fails(4);
    assert!(ran.stderr.contains("another score now; what changed: version, code"), "{}", ran.stderr);
    let found = workspace.run("rerun mine/1 --output json").fails(4).json();
    let same: Vec<bool> =
        found["folds"].as_array().unwrap().iter().map(|fold| fold["before"] == fold["after"]).collect();
    assert_eq!(same, [true, true, false]);
}
