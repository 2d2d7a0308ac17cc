//! `predictions`: what a trial predicted, in the submission's form.

use serde_json::Value;

use crate::support::Workspace;

fn rows(workspace: &Workspace, arguments: &str) -> Vec<Value> {
    workspace.run(&format!("predictions {arguments} --output json")).ok().json().as_array().unwrap().clone()
}

#[test]
fn out_of_fold_predictions_come_with_truth_and_fold_and_those_of_the_test_rows_as_submitted() {
    let workspace = Workspace::with(&["penguins"]);
    workspace.run("sweep penguins --models knn --search random --trials 2 --folds 3 --study mine -q").ok();
    let folds = workspace.run("folds mine --output json").ok().json();
    let all = rows(&workspace, "mine/0");
    let (own, test): (Vec<&Value>, Vec<&Value>) = all.iter().partition(|row| row["part"] == "out_of_fold");
    assert_eq!(own.len(), folds.as_array().unwrap().len());
    for (row, fold) in own.iter().zip(folds.as_array().unwrap()) {
        assert_eq!((&row["row"], &row["id"], &row["fold"]), (&fold["row"], &fold["id"], &fold["fold"]), "{row}");
        assert!(row["truth.species"].is_string(), "{row}");
    }
    // The test rows as the submission has them.
    workspace.run("submit penguins --trial mine/0").ok();
    let submission = workspace.read("submissions/penguins/mine-0-refit.csv");
    let mut lines = submission.lines();
    let header: Vec<&str> = lines.next().unwrap().split(',').collect();
    let mut submitted: Vec<Vec<&str>> = lines.map(|line| line.split(',').collect()).collect();
    assert_eq!(submitted.len(), test.len());
    submitted.sort();
    let csv = workspace.run("predictions mine/0 --test --output csv").ok().stdout;
    let mut printed: Vec<Vec<&str>> = csv.lines().skip(1).map(|line| line.split(',').collect()).collect();
    let names: Vec<&str> = csv.lines().next().unwrap().split(',').collect();
    assert_eq!(names[..5], ["part", "row", "id", "fold", "truth.species"]);
    assert_eq!(names[5..], header[1..]);
    printed.iter_mut().for_each(|row| *row = [&row[2..3], &row[5..]].concat());
    printed.sort();
    assert_eq!(printed, submitted);
    let only = rows(&workspace, "mine/0 --out-of-fold");
    assert_eq!(only.iter().collect::<Vec<_>>(), own);
}

/// The score of the predictions printed is the trial's: they are those that were scored, beside their own truth.
#[test]
fn printed_predictions_score_as_the_trial_did() {
    let workspace = Workspace::with(&["wine-quality-red"]);
    workspace.run("sweep wine-quality-red --models ridge --search random --trials 1 --looks 1 --study mine -q").ok();
    let show = workspace.run("show mine/0 --output json").ok().json();
    let own = rows(&workspace, "mine/0 --out-of-fold");
    let metric = workspace.run("show wine-quality-red --output json").ok().json()["metric"]["name"].clone();
    assert_eq!(metric, "quadratic_weighted_kappa");
    for fold in show["trial"]["folds"].as_array().unwrap() {
        let pairs: Vec<(f64, f64)> = own
            .iter()
            .filter(|row| row["fold"] == fold["fold"])
            .map(|row| {
                let number = |value: &Value| value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap();
                (number(&row["truth.quality"]), number(&row["quality"]))
            })
            .collect();
        let score = fold["score"].as_f64().unwrap();
        assert!((kappa(&pairs) - score).abs() < 1e-12, "{} against {score}", kappa(&pairs));
    }
}

/// Cohen's kappa with quadratic weights, by its definition: 1 - sum of w * observed / sum of w * expected.
fn kappa(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let observed: f64 = pairs.iter().map(|(a, b)| (a - b).powi(2)).sum::<f64>() / n;
    let expected: f64 =
        pairs.iter().flat_map(|(a, _)| pairs.iter().map(move |(_, b)| (a - b).powi(2))).sum::<f64>() / (n * n);
    1.0 - observed / expected
}

#[test]
fn what_has_no_predictions_says_why() {
    let workspace = Workspace::with(&["penguins"]);
    workspace
        .run("sweep penguins --models knn --search random --trials 2 --folds 3 --study mine --no-submission -q")
        .ok();
    assert!(workspace.run("predictions mine").fails(2).stderr.contains("STUDY/NUMBER"));
    assert!(workspace.run("predictions mine/7").fails(2).stderr.contains("no trial 7"));
    workspace.run("predictions mine/0 --test --out-of-fold").fails(2);
    let table = workspace.run("predictions mine/0").ok();
    assert!(table.stdout.contains("truth.species") && table.stderr.contains("--output csv"), "{}", table.stderr);
}
