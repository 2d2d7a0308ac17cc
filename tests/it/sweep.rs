//! The main job through the program itself: sweeps, kills, resumes, refusals.

use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::support::{Workspace, real_data, stable_columns};

/// A sweep of a few cheap models that takes a second or two.
const QUICK: &str = "sweep penguins --models baseline,ridge,logistic,knn --trials 24 --folds 3 --seed 5";

#[test]
fn a_sweep_gives_a_leaderboard_a_submission_and_the_next_command() {
    let workspace = Workspace::with(&["penguins"]);
    let ran = workspace.run(QUICK).ok();
    assert!(ran.stderr.contains("241 rows, 103 to predict"), "{}", ran.stderr);
    assert!(ran.stderr.contains("24 trials count"), "{}", ran.stderr);
    assert!(ran.stderr.contains("next: medalist grade penguins submissions/penguins/"), "{}", ran.stderr);
    assert!(ran.stdout.contains("rank"), "{}", ran.stdout);
    let file = workspace.submissions("penguins").pop().unwrap();
    workspace.run(&format!("validate penguins {}", file.display())).ok();
    let grade = workspace.run(&format!("grade penguins {} --output json", file.display())).ok().json();
    // Four classes of penguin measurements are nearly separable: anything that learned is far below ln 3.
    assert!(grade["score"].as_f64().unwrap() < 0.3, "{grade}");
    assert!(grade["public"].is_f64() && grade["private"].is_f64() && grade["valid"] == true, "{grade}");
    let provenance = file.with_extension("json");
    let provenance: serde_json::Value = serde_json::from_slice(&std::fs::read(provenance).unwrap()).unwrap();
    assert_eq!(provenance["competition"], "penguins");
}

#[test]
fn threads_change_nothing() {
    let check = |command: &str| {
        let results = ["1", "2", "7"].map(|jobs| {
            let workspace = Workspace::with(&["penguins"]);
            workspace.run(&format!("{command} --jobs {jobs}")).ok();
            workspace.results("penguins")
        });
        assert_eq!(results[0], results[1], "{command}");
        assert_eq!(results[0], results[2], "{command}");
    };
    check(QUICK);
    check("sweep penguins --search sobol --trials 14 --folds 3 --pruner median --window 3");
    check(
        "sweep penguins --search grid --models knn,ridge --levels 4 --set knn.n_neighbors=1..20 --set ridge.alpha=0.1..10",
    );
}

#[test]
fn every_pruner_prunes_the_same_on_any_number_of_threads() {
    for pruner in
        ["median", "percentile", "halving", "asha", "hyperband", "patience:patience=2", "racing", "threshold:upper=0.5"]
    {
        let command =
            format!("sweep penguins --models baseline,ridge,knn --trials 20 --no-submission --pruner {pruner}");
        let [(pruned, one), (_, two)] = ["1", "2"].map(|jobs| {
            let workspace = Workspace::with(&["penguins"]);
            let ran = workspace.run(&format!("{command} --jobs {jobs} --output json")).ok();
            (ran.json()["pruned"].as_u64(), workspace.results("penguins"))
        });
        assert!(pruned > Some(0), "{pruner} pruned nothing");
        assert_eq!(one, two, "{pruner}");
    }
}

#[test]
fn pruning_on_trees_stops_fits_the_same_on_any_number_of_threads() {
    let models = "baseline,gbdt,gbdt_symmetric";
    for pruner in ["median:n_startup_trials=3", "asha", "patience:patience=4"] {
        let command = format!(
            "sweep penguins --models {models} --folds 3 --trials 20 --pruner {pruner} --prune-on steps --no-submission"
        );
        let [(pruned, one), (_, two)] = ["1", "2"].map(|jobs| {
            let workspace = Workspace::with(&["penguins"]);
            let ran = workspace.run(&format!("{command} --jobs {jobs} --output json")).ok().json();
            let study = ran["study"].as_str().unwrap();
            let trials = workspace.run(&format!("trials {study} --output json")).ok().json();
            let pruned: Vec<_> =
                trials.as_array().unwrap().iter().filter(|trial| trial["state"] == "pruned").cloned().collect();
            (pruned, workspace.results("penguins"))
        });
        assert!(!pruned.is_empty(), "{pruner} pruned nothing");
        assert!(pruned.iter().all(|trial| trial["model"] != "baseline"), "what shows no steps is not pruned");
        assert_eq!(one, two, "{pruner}");
    }
}

#[test]
fn a_pruner_that_never_stops_anything_changes_no_score() {
    let [plain, judged] = ["", "--pruner threshold:upper=1e9 --prune-on steps"].map(|pruning| {
        let workspace = Workspace::with(&["credit-scoring"]);
        let command = "sweep credit-scoring --models gbdt,gbdt_symmetric --search random --trials 4 --folds 3 --seed 2";
        workspace.run(&format!("{command} --study same --no-submission --no-ensemble {pruning}")).ok();
        let board = workspace.run("leaderboard credit-scoring --output json").ok().json();
        let row = |row: &serde_json::Value| (row["params"].clone(), row["score_mean"].clone());
        board.as_array().unwrap().iter().map(row).collect::<Vec<_>>()
    });
    assert_eq!(plain.len(), 4);
    assert_eq!(plain, judged);
}

#[test]
fn killed_at_random_moments_and_resumed_it_gives_the_same() {
    let whole = Workspace::with(&["penguins"]);
    whole.run(QUICK).ok();
    let mut rng = ChaCha8Rng::seed_from_u64(17);
    for _ in 0..3 {
        let workspace = Workspace::with(&["penguins"]);
        let mut n_kills = 0;
        loop {
            let mut child = workspace.start(QUICK);
            std::thread::sleep(Duration::from_millis(rng.random_range(20..900)));
            if child.try_wait().unwrap().is_some_and(|status| status.success()) || n_kills == 6 {
                child.wait().unwrap();
                break;
            }
            // SIGKILL: nothing of the process's own can run any more.
            child.kill().unwrap();
            child.wait().unwrap();
            n_kills += 1;
        }
        workspace.run(QUICK).ok();
        assert_eq!(workspace.results("penguins"), whole.results("penguins"), "after {n_kills} kills");
    }
}

#[test]
fn a_longer_run_continues_a_shorter_one() {
    let whole = Workspace::with(&["penguins"]);
    whole.run(QUICK).ok();
    let workspace = Workspace::with(&["penguins"]);
    let study = workspace.run(&format!("{} --output json", QUICK.replace("24", "9"))).ok().json()["study"].clone();
    let ran = workspace.run(&format!("resume {} --trials 24", study.as_str().unwrap())).ok();
    assert!(ran.stderr.contains("has 9 finished trials"), "{}", ran.stderr);
    assert_eq!(workspace.results("penguins").0, whole.results("penguins").0);
}

#[test]
fn the_end_of_the_time_prints_the_number_that_repeats_it() {
    let workspace = Workspace::with(&["penguins"]);
    let command = "sweep penguins --models ridge,knn --folds 3 --time 2s --output json";
    let counted = workspace.run(command).ok().json()["counted"].as_u64().unwrap();
    assert!(counted > 0);
    let again = Workspace::with(&["penguins"]);
    again.run(&format!("sweep penguins --models ridge,knn --folds 3 --trials {counted}")).ok();
    assert_eq!(again.results("penguins"), workspace.results("penguins"));
}

#[test]
fn a_study_is_for_one_process_at_a_time() {
    let workspace = Workspace::with(&["penguins"]);
    let mut child = workspace.start("sweep penguins --trials 5000 --study long");
    std::thread::sleep(Duration::from_millis(1500));
    let ran = workspace.run("resume long --trials 1").fails(5);
    assert!(ran.stderr.contains(&child.id().to_string()), "{}", ran.stderr);
    workspace.run("trials long").ok();
    workspace.run("sweep penguins --models ridge --trials 2 --folds 3 --study other").ok();
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn changed_data_is_refused_by_name() {
    let workspace = Workspace::with(&["penguins"]);
    workspace.run("sweep penguins --models ridge --trials 3 --folds 3 --study mine").ok();
    let train = workspace.read("competitions/penguins/train.csv");
    workspace.write("competitions/penguins/train.csv", train.replacen("39.5", "39.6", 1));
    let ran = workspace.run("resume mine").fails(3);
    assert!(ran.stderr.contains("train.csv") && ran.stderr.contains("sha256"), "{}", ran.stderr);
}

#[test]
fn a_study_keeps_the_rows_of_its_folds_and_a_resume_reads_them() {
    let workspace = Workspace::with(&["penguins"]);
    workspace.run("sweep penguins --models ridge --trials 3 --folds 3 --study mine").ok();
    let kept = workspace.run("folds mine --output csv").ok().stdout;
    let rows = stable_columns(&kept);
    assert_eq!(rows[0], ["row", "id", "repeat", "fold"]);
    assert_eq!(rows.len(), 242);
    let of_fold = |fold: &str| rows.iter().filter(|row| row[3] == fold).count();
    assert_eq!([of_fold("0"), of_fold("1"), of_fold("2")].iter().sum::<usize>(), 241);
    let train = workspace.read("competitions/penguins/train.csv");
    assert!(train.lines().nth(1).unwrap().starts_with(&format!("{},", rows[1][1])), "{:?}", rows[1]);
    let json = workspace.run("folds mine --output json").ok().json();
    assert_eq!(json[0]["fold"].to_string(), rows[1][3]);
    assert_eq!(stable_columns(&workspace.run("folds penguins --output csv").ok().stdout).len(), 242);
    assert!(workspace.run("folds penguins").ok().stdout.contains("scored rows"));
    workspace.run("folds nothing").fails(2);
    // Other rows under the study are not what it was begun with.
    let store = rusqlite::Connection::open(workspace.path(".medalist/store.db")).unwrap();
    let changed = store.execute("UPDATE study_attachments SET bytes = x'01' WHERE name = 'folds'", []).unwrap();
    assert_eq!(changed, 1);
    let ran = workspace.run("resume mine --trials 4").fails(5);
    assert!(ran.stderr.contains("folds"), "{}", ran.stderr);
    // A study of a version that kept none goes on, and has them then.
    store.execute("DELETE FROM study_attachments", []).unwrap();
    workspace.run("resume mine --trials 4").ok();
    assert_eq!(workspace.run("folds mine --output csv").ok().stdout, kept);
}

#[test]
fn a_changed_plan_under_the_same_name_is_refused_with_what_changed() {
    let workspace = Workspace::with(&["penguins"]);
    workspace.run("sweep penguins --models ridge --trials 3 --folds 3 --study mine").ok();
    let ran = workspace.run("sweep penguins --models ridge --trials 3 --folds 3 --study mine --window 3").fails(3);
    assert!(ran.stderr.contains("window"), "{}", ran.stderr);
}

#[test]
fn a_dry_run_counts_the_fits_and_leaves_nothing() {
    let workspace = Workspace::with(&["penguins"]);
    let command = "sweep penguins --search grid --models ridge --set ridge.alpha=0.1,1,10 --dry-run";
    let plan = workspace.run(&format!("{command} --output json")).ok().json();
    assert_eq!((plan["trials"].as_u64(), plan["fits"].as_u64()), (Some(3), Some(15)));
    // A staged parameter's values share a fit.
    let command = "sweep penguins --search grid --models knn --set knn.n_neighbors=1,5,9 --dry-run";
    let plan = workspace.run(&format!("{command} --output json")).ok().json();
    assert_eq!((plan["trials"].as_u64(), plan["fits"].as_u64()), (Some(3), Some(5)));
    assert!(!workspace.path(".medalist").exists());
}

#[test]
fn a_grid_over_a_staged_parameter_gives_a_row_a_value() {
    let workspace = Workspace::with(&["penguins"]);
    workspace
        .run("sweep penguins --search grid --models knn --set knn.n_neighbors=1,5,9 --folds 3 --study staged")
        .ok();
    workspace.run("sweep penguins --search grid --models knn --set knn.n_neighbors=5 --folds 3 --study alone").ok();
    let staged = workspace.run("trials staged --output json").ok().json();
    let alone = workspace.run("trials alone --output json").ok().json();
    assert_eq!(staged.as_array().unwrap().len(), 3);
    assert_eq!(staged[1]["score"], alone[0]["score"]);
}

#[test]
fn a_sweep_can_be_a_file() {
    let workspace = Workspace::with(&["penguins"]);
    let plan = "competition = \"penguins\"\nsearch = \"grid\"\nmodels = [\"ridge\"]\nfolds = 3\nstudy = \"filed\"\n\n[set]\n\"ridge.alpha\" = [0.1, 1]\n\"prep.scale\" = \"standard\"\n";
    workspace.write("plan.toml", plan);
    workspace.run("sweep plan.toml").ok();
    assert_eq!(workspace.run("trials filed --output json").ok().json().as_array().unwrap().len(), 2);
    workspace.write("plan.toml", plan.replace("models", "modles"));
    let ran = workspace.run("sweep plan.toml").fails(3);
    assert!(ran.stderr.contains("plan.toml") && ran.stderr.contains("`models`"), "{}", ran.stderr);
}

#[test]
fn both_ways_to_predict_the_test_rows_give_valid_files() {
    let workspace = Workspace::with(&["penguins"]);
    workspace.run("sweep penguins --models ridge --trials 3 --folds 3 --study mine --no-submission").ok();
    assert!(workspace.submissions("penguins").is_empty());
    for how in ["--best --refit", "--trial mine/1 --average"] {
        let ran = workspace.run(&format!("submit penguins {how}")).ok();
        workspace.run(&format!("validate penguins {}", ran.stdout.trim())).ok();
    }
    let board = workspace.run("leaderboard penguins --output json").ok().json();
    assert!(board.as_array().unwrap().iter().any(|row| row["public"].is_f64()), "{board}");
}

/// Every real competition: one `new competition`, one `sweep`, a file that validates.
#[test]
fn real_competitions_go_from_their_files_to_a_valid_submission() {
    let Some(data) = real_data("real competitions") else { return };
    let metrics = [
        ("titanic", "accuracy"),
        ("house-prices-advanced-regression-techniques", "rmse_log"),
        ("bike-sharing-demand", "rmsle"),
        ("spaceship-titanic", "accuracy"),
        ("playground-series-s3e26", "log_loss"),
        ("playground-series-s3e5", "quadratic_weighted_kappa"),
        ("nlp-getting-started", "f1"),
    ];
    for (slug, metric) in metrics {
        let workspace = Workspace::with(&[]);
        let folder = data.join(slug);
        workspace.run(&format!("new competition {slug} --dir {} --metric {metric}", folder.display())).ok();
        let models = if metric.starts_with("rms") { "baseline,ridge" } else { "baseline,ridge,naive_bayes" };
        workspace.run(&format!("sweep {slug} --models {models} --trials 4 --folds 3")).ok();
        let file = workspace.submissions(slug).pop().unwrap();
        workspace.run(&format!("validate {slug} {}", file.display())).ok();
        // In the sample's own header, ids and order.
        let mut sample = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let sample = sample.find(|path| path.to_string_lossy().to_lowercase().contains("submission")).unwrap();
        let first_cells = |path: &std::path::Path| -> Vec<String> {
            let text = std::fs::read_to_string(path).unwrap();
            text.lines().map(|line| line.split(',').next().unwrap().trim().to_string()).collect()
        };
        assert_eq!(first_cells(&file), first_cells(&sample), "{slug}");
    }
}
