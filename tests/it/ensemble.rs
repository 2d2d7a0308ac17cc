//! Ensembles: what their weights are, that no fold is scored by what its own labels taught, and the command.

use std::path::Path;

use medalist::Registry;
use medalist::competition::Competition;
use medalist::ensemble::{Kind, Member, Nested, Pool};
use medalist::search::Seed;
use ndarray::Array2;
use rand::RngExt;
use sha2::{Digest, Sha256};

use crate::support::Workspace;

const N_FOLDS: usize = 3;

/// A competition of these targets, row by row in one of three folds.
fn competition(folder: &Path, task: &str, metric: &str, y: &[f64]) -> Competition {
    let mut train = "x,y,fold\n".to_string();
    y.iter().enumerate().for_each(|(row, y)| train += &format!("{},{y},{}\n", row % 7, row % N_FOLDS));
    let sha256: String = Sha256::digest(&train).iter().map(|byte| format!("{byte:02x}")).collect();
    let config = format!(
        "version = 1\ntask = \"{task}\"\ntarget = \"y\"\n[files.train]\npath = \"train.csv\"\nsha256 = \"{sha256}\"\n\
         [metric]\nname = \"{metric}\"\n[folds]\nscheme = \"given\"\ncolumn = \"fold\"\n"
    );
    std::fs::write(folder.join("train.csv"), train).unwrap();
    std::fs::write(folder.join("competition.toml"), config).unwrap();
    Competition::load(folder, &Registry::builtin()).unwrap()
}

/// Noise of mean 0, in -1..1: a draw a row and salt.
fn noise(row: usize, salt: usize) -> f64 {
    Seed::new(salt as u64).child("row", row as u64).rng().random_range(-1.0..1.0)
}

fn member(name: &str, outputs: Array2<f64>) -> Member {
    Member { name: name.to_string(), outputs: vec![outputs] }
}

/// Nested predictions and all weights of each kind, and of the best single member.
fn all(competition: &Competition, members: impl Fn() -> Vec<Member>) -> Vec<(String, Nested, Vec<f64>)> {
    let metric = competition.metric(&Registry::builtin()).unwrap();
    let folds = competition.folds(None).unwrap();
    let pool = Pool::new(competition, metric.as_ref(), &folds, members(), Seed::new(1)).unwrap();
    let single = pool.single().unwrap();
    let kinds = pool.kinds().into_iter().map(|kind| {
        let ensemble = pool.ensemble(kind, &single).unwrap();
        (kind.name().to_string(), ensemble.nested, ensemble.weights)
    });
    let kinds: Vec<_> = kinds.collect();
    std::iter::once(("single".to_string(), single.clone(), Vec::new())).chain(kinds).collect()
}

/// Members of a binary target: the labels seen through noise of different strength.
fn noisy(labels: &[f64]) -> Vec<Member> {
    let seen = |(salt, strength): (usize, f64)| {
        let p = |row: usize| (0.5 + 0.2 * (2.0 * labels[row] - 1.0) + strength * noise(row, salt)).clamp(0.02, 0.98);
        let output = |(row, class)| if class == 1 { p(row) } else { 1.0 - p(row) };
        member(&format!("s/{salt}"), Array2::from_shape_fn((labels.len(), 2), output))
    };
    [(1, 0.25), (2, 0.3), (3, 0.35), (4, 0.28)].into_iter().map(seen).collect()
}

#[test]
fn a_fold_is_predicted_alike_whatever_its_own_labels_are() {
    let labels: Vec<f64> = (0..240).map(|row| f64::from(noise(row, 9) > 0.1)).collect();
    // As many of each label, else the folds of the classes would tell.
    let mut turned = labels.clone();
    for row in (0..labels.len()).filter(|row| row % N_FOLDS == 0) {
        turned[row] = 1.0 - labels[row];
    }
    for metric in ["log_loss", "roc_auc", "f1"] {
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let plain = all(&competition(a.path(), "binary", metric, &labels), || noisy(&labels));
        let planted = all(&competition(b.path(), "binary", metric, &turned), || noisy(&labels));
        assert_eq!(plain.len(), if metric == "roc_auc" { 4 } else { 3 });
        for ((kind, plain, weights), (_, planted, others)) in plain.iter().zip(&planted) {
            for row in (0..labels.len()).filter(|row| row % N_FOLDS == 0) {
                let (seen, planted) = (plain.outputs[0].row(row), planted.outputs[0].row(row));
                assert_eq!(seen, planted, "{metric}, {kind}: row {row} knew its label");
            }
            // The labels do matter to what the other folds are predicted by.
            assert_ne!(plain.scores, planted.scores, "{metric}, {kind}");
            assert!(kind == "single" || weights != others, "{metric}, {kind}");
        }
    }
}

#[test]
fn a_mixture_of_independent_errors_is_better_than_the_best_of_them() {
    let labels: Vec<f64> = (0..300).map(|row| f64::from(noise(row, 5) > 0.0)).collect();
    let folder = tempfile::tempdir().unwrap();
    for (metric, sign, least) in [("log_loss", -1.0, 0.001), ("roc_auc", 1.0, 0.01)] {
        let scored = all(&competition(folder.path(), "binary", metric, &labels), || noisy(&labels));
        let single = scored[0].1.mean();
        for (kind, nested, weights) in &scored[1..] {
            assert!(sign * (nested.mean() - single) > least, "{metric}, {kind}: {} to {single}", nested.mean());
            assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12 && weights.iter().all(|&weight| weight >= 0.0));
        }
    }
}

/// Errors of the same rows' two members are orthogonal, their squares 1 and 4: the least squared error of a w + b (1 - w) lies at w = 4 / 5.
#[test]
fn a_stack_weighs_by_the_inverse_of_the_error() {
    let n_rows = 120;
    let y: Vec<f64> = (0..n_rows).map(|row| 10.0 + noise(row, 3)).collect();
    // Per fold each pair of signs equally often.
    let sign = |row: usize, bit: usize| if ((row / N_FOLDS) >> bit) & 1 == 0 { 1.0 } else { -1.0 };
    let members = || {
        let column =
            |bit: usize, size: f64| Array2::from_shape_fn((n_rows, 1), |(row, _)| y[row] + size * sign(row, bit));
        vec![member("s/0", column(0, 1.0)), member("s/1", column(1, 2.0))]
    };
    let folder = tempfile::tempdir().unwrap();
    let scored = all(&competition(folder.path(), "regression", "rmse", &y), members);
    let (_, nested, weights) = scored.iter().find(|(kind, ..)| kind == "stack").unwrap();
    assert!((weights[0] - 0.8).abs() < 1e-9 && (weights[1] - 0.2).abs() < 1e-9, "{weights:?}");
    // sqrt(0.64 + 0.04 * 4).
    assert!((nested.mean() - 0.8_f64.sqrt()).abs() < 1e-9, "{}", nested.mean());
    assert!((scored[0].1.mean() - 1.0).abs() < 1e-12, "the better one alone");
}

#[test]
fn a_single_trial_or_fold_makes_no_ensemble() {
    let folder = tempfile::tempdir().unwrap();
    let labels: Vec<f64> = (0..60).map(|row| f64::from(row % 2 == 0)).collect();
    let competition = competition(folder.path(), "binary", "log_loss", &labels);
    let metric = competition.metric(&Registry::builtin()).unwrap();
    let folds = competition.folds(None).unwrap();
    let pool = |members: Vec<Member>, n_folds: usize| {
        Pool::new(&competition, metric.as_ref(), &folds[..n_folds], members, Seed::new(1)).err().unwrap().message
    };
    assert!(
        pool(noisy(&labels)[..1].iter().map(|m| member(&m.name, m.outputs[0].clone())).collect(), 3)
            .contains("1 trials over 3 folds")
    );
    assert!(pool(noisy(&labels), 1).contains("4 trials over 1 folds"));
    let pool = Pool::new(&competition, metric.as_ref(), &folds, noisy(&labels), Seed::new(1)).unwrap();
    let error = pool.ensemble(Kind::Rank, &pool.single().unwrap()).unwrap_err();
    assert!(error.message.contains("more than the order"), "{error}");
}

const SWEEP: &str = "sweep credit-scoring --models logistic,naive_bayes,random_forest --search random --trials 10 --folds 3 --seed 2 --study mine";

#[test]
fn a_sweep_ends_with_an_ensemble_the_same_on_any_number_of_threads() {
    let run = |jobs: usize| {
        let workspace = Workspace::with(&["credit-scoring"]);
        let ran = workspace.run(&format!("{SWEEP} --jobs {jobs}")).ok();
        (workspace, ran)
    };
    let ((one, ran), (two, _)) = (run(1), run(2));
    assert_eq!(one.results("credit-scoring"), two.results("credit-scoring"));
    assert!(ran.stderr.contains("ensemble mine-ensemble/0: "), "{}", ran.stderr);
    let submissions = one.submissions("credit-scoring");
    assert!(submissions.len() == 1 && submissions[0].ends_with("mine-ensemble-0-refit.csv"), "{submissions:?}");
    one.run("validate credit-scoring submissions/credit-scoring/mine-ensemble-0-refit.csv").ok();
    let board = one.read("submissions/credit-scoring/leaderboard.csv");
    assert!(board.lines().any(|line| line.contains("mine-ensemble")), "{board}");

    let shown = one.run("show mine-ensemble/0 --output json").ok().json();
    let members = shown["members"].as_array().unwrap();
    assert!(members.len() > 1 && members.iter().all(|member| member["trial"].as_str().unwrap().starts_with("mine/")));
    let sum: f64 = members.iter().map(|member| member["weight"].as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-12, "{sum}");
    assert!(one.run("show mine-ensemble/0").ok().stdout.contains("of mine/"));
    let provenance = one.read("submissions/credit-scoring/mine-ensemble-0-refit.json");
    let provenance: serde_json::Value = serde_json::from_str(&provenance).unwrap();
    assert_eq!(provenance["members"], shown["members"]);

    // What an ensemble is not.
    let refused = |arguments: &str, words: &str| {
        let ran = one.run(arguments).fails(2);
        assert!(ran.stderr.contains(words), "{arguments}: {}", ran.stderr);
    };
    refused("resume mine-ensemble", "medalist ensemble credit-scoring");
    refused("rerun mine-ensemble/0", "is an ensemble");
    refused("submit credit-scoring --trial mine-ensemble/0 --save", "save those");
    refused("submit credit-scoring --ensemble mine", "is no ensemble");
    refused("ensemble credit-scoring --name mine", "is no ensemble of `credit-scoring`");

    // The same once more, by hand, and by the name of the ensemble.
    let again = one.run("ensemble credit-scoring --name again --seed 2 --no-submission --output json").ok().json();
    assert_eq!(again["kept"], "again/0");
    let best = again["kinds"]
        .as_array()
        .unwrap()
        .iter()
        .max_by(|a, b| a["gain"].as_f64().unwrap().total_cmp(&b["gain"].as_f64().unwrap()));
    assert_eq!(best.unwrap()["members"], shown["members"]);
    one.run("submit credit-scoring --ensemble again").ok();
    let bytes =
        |name: &str| std::fs::read(one.path(&format!("submissions/credit-scoring/{name}-0-refit.csv"))).unwrap();
    assert_eq!(bytes("again"), bytes("mine-ensemble"));

    // Without, what an earlier end of the sweep kept stays as it was.
    let ran = two.run(&format!("{SWEEP} --no-ensemble")).ok();
    assert!(!ran.stderr.contains("ensemble"), "{}", ran.stderr);
}

#[test]
fn an_ensemble_that_is_no_better_than_noise_is_kept_where_it_is_asked_for() {
    let workspace = Workspace::with(&["penguins"]);
    let sweep = "sweep penguins --models baseline,knn --search random --trials 4 --folds 3 --study mine --no-submission --output json";
    let swept = workspace.run(sweep).ok().json();
    assert_eq!(swept["ensemble"]["kept"], serde_json::Value::Null);
    assert_eq!(workspace.run("studies --output json").ok().json().as_array().unwrap().len(), 1);
    let kept = workspace.run("ensemble penguins --kind stack --keep --average --output json").ok().json();
    assert_eq!(kept["kept"], "penguins-ensemble/0");
    assert_eq!(kept["kinds"].as_array().unwrap().len(), 1);
    assert!(kept["file"].as_str().unwrap().ends_with("penguins-ensemble-0-average.csv"));
    let refused = workspace.run("ensemble penguins --kind rank").fails(2);
    assert!(refused.stderr.contains("more than the order"), "{}", refused.stderr);
    // A member that is gone is named.
    workspace.run("delete mine --yes").ok();
    let gone = workspace.run("submit penguins --ensemble penguins-ensemble --refit").fails(2);
    assert!(gone.stderr.contains("mine"), "{}", gone.stderr);
}
