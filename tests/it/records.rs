//! What people do with trials that are done: choose among them, tag them, write notes, set studies aside, delete them.

use serde_json::{Value, json};

use crate::support::Workspace;

/// A study of two models, `mine`.
fn swept() -> Workspace {
    let workspace = Workspace::with(&["penguins"]);
    workspace
        .run("sweep penguins --models ridge,knn --search random --trials 8 --folds 3 --study mine --no-submission -q")
        .ok();
    workspace
}

fn trials(workspace: &Workspace, arguments: &[&str]) -> Vec<Value> {
    let found = workspace.run_with("trials mine --output json", arguments).ok().json();
    found.as_array().unwrap().clone()
}

#[test]
fn trials_are_kept_sorted_and_shown_as_asked() {
    let workspace = swept();
    let all = trials(&workspace, &[]);
    assert_eq!(all.len(), 8);
    let knn: Vec<&Value> = all.iter().filter(|trial| trial["model"] == "knn").collect();
    assert!(!knn.is_empty() && knn.len() < 8);
    let kept = trials(&workspace, &["--where", "model = \"knn\""]);
    assert_eq!(kept.iter().collect::<Vec<_>>(), knn);
    let rest = trials(&workspace, &["--where", "not (model = 'knn') and knn.n_neighbors is null"]);
    assert_eq!(rest.len(), 8 - knn.len());
    // The metric of penguins is a share of right answers or a loss: `--sort score` knows which.
    let scores: Vec<f64> = trials(&workspace, &["--sort", "score", "--columns", "number,score"])
        .iter()
        .map(|row| {
            assert_eq!(row.as_object().unwrap().len(), 2, "{row}");
            assert!(row["number"].is_u64());
            row["score"].as_f64().unwrap()
        })
        .collect();
    let board = workspace.run("leaderboard penguins --output json").ok().json();
    let board: Vec<f64> = board.as_array().unwrap().iter().map(|row| row["score_mean"].as_f64().unwrap()).collect();
    assert_eq!(scores, board);
    let mut turned = scores.clone();
    turned.reverse();
    let reversed = trials(&workspace, &["--sort", "score", "--reverse", "--columns", "score", "--top", "3"]);
    assert_eq!(reversed.iter().map(|row| row["score"].as_f64().unwrap()).collect::<Vec<_>>(), turned[..3]);
    let csv = workspace.run("trials mine --columns trial,ridge.alpha --sort ridge.alpha --output csv").ok().stdout;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines[0], "trial,ridge.alpha");
    let alphas: Vec<f64> = lines[1..].iter().filter_map(|line| line.split_once(',')?.1.parse().ok()).collect();
    assert!(alphas.len() == 8 - knn.len() && alphas.is_sorted(), "{csv}");
    // What has no value comes last.
    assert!(lines.last().unwrap().ends_with(','), "{csv}");
}

#[track_caller]
fn refused(workspace: &Workspace, arguments: &[&str], words: &str) {
    let ran = workspace.run_with("trials mine", arguments).fails(2);
    assert!(ran.stderr.contains(words), "{arguments:?}: {}", ran.stderr);
    assert!(ran.stdout.is_empty());
}

#[test]
fn an_expression_that_makes_no_sense_says_why() {
    let workspace = swept();
    refused(&workspace, &["--where", "scroe > 1"], "did you mean `score`?");
    refused(&workspace, &["--where", "knn.n_neighbours = 5"], "did you mean `knn.n_neighbors`?");
    refused(&workspace, &["--where", "score > 'x'"], "has a text where a number is wanted");
    refused(&workspace, &["--where", "score >"], "ends where");
    refused(&workspace, &["--sort", "scroe"], "did you mean `score`?");
    refused(&workspace, &["--columns", "trial,modle"], "did you mean `model`?");
    refused(&workspace, &["--reverse"], "--sort");
}

#[test]
fn tags_and_notes_are_kept_shown_and_filtered_by() {
    let workspace = swept();
    let tagged = workspace.run("tag mine/2 good submitted --output json").ok().json();
    assert_eq!(tagged, json!({ "study": "mine", "trial": 2, "tags": ["good", "submitted"], "note": null }));
    workspace.run("tag mine/2 submitted --untag").ok();
    workspace.run("tag mine/3 good").ok();
    workspace.run("tag mine baseline").ok();
    workspace.run_with("note mine/3", &["0.97 on the \"public\" board"]).ok();
    workspace.run_with("note mine", &["first try"]).ok();
    assert_eq!(workspace.run("note mine/3").ok().stdout, "0.97 on the \"public\" board\n");

    let numbers = |filter: &str| -> Vec<u64> {
        trials(&workspace, &["--where", filter]).iter().map(|trial| trial["trial"].as_u64().unwrap()).collect()
    };
    assert_eq!(numbers("tags contains 'good'"), [2, 3]);
    assert!(numbers("tags contains 'submitted'").is_empty());
    assert_eq!(numbers("note contains 'public'"), [3]);
    assert_eq!(numbers("tags is null and note is null").len(), 6);
    let shown = workspace.run("trials mine --output csv").ok().stdout;
    assert!(shown.lines().next().unwrap().ends_with("created,tags,note"), "{shown}");
    let study = &workspace.run("studies --output json").ok().json()[0];
    assert_eq!((&study["tags"], &study["note"]), (&json!(["baseline"]), &json!("first try")));
    let show = workspace.run("show mine/3").ok().stdout;
    assert!(show.contains("good") && show.contains("0.97 on the \"public\" board"), "{show}");
    let show = workspace.run("show mine/3 --output json").ok().json();
    assert_eq!(show["tags"], json!(["good"]));

    // A study that goes on keeps what is said of it.
    workspace.run("resume mine --trials 10 --no-submission -q").ok();
    assert_eq!(numbers("tags contains 'good'"), [2, 3]);
    workspace.run_with("note mine/3", &[""]).ok();
    assert_eq!(workspace.run("note mine/3").ok().stdout, "");
    let ran = workspace.run_with("tag mine", &["two words"]).fails(2);
    assert!(ran.stderr.contains("one word"), "{}", ran.stderr);
    assert!(workspace.run("tag mine/99 good").fails(2).stderr.contains("no trial 99"));
    assert!(workspace.run("note mien x").fails(2).stderr.contains("did you mean `mine`?"));
}

#[test]
fn a_study_set_aside_is_on_no_list_until_it_is_brought_back() {
    let workspace = swept();
    workspace.run("sweep penguins --models baseline --search grid --study other --folds 3 --no-submission -q").ok();
    let studies = |flag: &str| {
        let found = workspace.run(&format!("studies {flag} --output json")).ok().json();
        let names = found.as_array().unwrap().iter().map(|study| study["study"].as_str().unwrap().to_string());
        names.collect::<Vec<_>>()
    };
    let on_board = |flag: &str| {
        let rows = workspace.run(&format!("leaderboard penguins {flag} --output json")).ok().json();
        rows.as_array().unwrap().iter().filter(|row| row["study"] == "mine").count()
    };
    assert_eq!(studies(""), ["mine", "other"]);
    let n_rows = on_board("");
    assert!(n_rows > 0);
    let archived = workspace.run("archive mine --output json").ok().json();
    assert_eq!(archived, json!({ "study": "mine", "archived": true }));
    assert_eq!((studies(""), studies("--archived")), (vec!["other".into()], vec!["mine".into(), "other".into()]));
    assert_eq!((on_board(""), on_board("--archived")), (0, n_rows));
    // It can still be looked at by its name.
    workspace.run("trials mine").ok();
    workspace.run("archive mine --unarchive").ok();
    assert_eq!((studies(""), on_board("")), (vec!["mine".to_string(), "other".to_string()], n_rows));
}

#[test]
fn a_study_is_deleted_whole_and_never_unasked() {
    let workspace = swept();
    workspace.run("tag mine/2 good").ok();
    let ran = workspace.run("delete mine").fails(2);
    assert!(ran.stderr.contains("--yes"), "{}", ran.stderr);
    assert_eq!(trials(&workspace, &[]).len(), 8);
    let deleted = workspace.run("delete mine --yes --output json").ok().json();
    assert_eq!(deleted, json!({ "study": "mine", "deleted": true, "trials": 8 }));
    assert!(workspace.run("trials mine").fails(2).stderr.contains("no study `mine`"));
    workspace.run("delete mine --yes").fails(2);
    // The name is free again, and nothing of the old study is left to the new one.
    workspace
        .run("sweep penguins --models knn --search random --trials 4 --folds 3 --study mine --no-submission -q")
        .ok();
    assert_eq!(trials(&workspace, &["--where", "tags is null"]).len(), 4);
}

#[test]
fn a_study_that_runs_is_not_deleted() {
    let workspace = Workspace::with(&["penguins"]);
    let sweep = "sweep penguins --models gbdt --time 60s --study busy --no-submission";
    let mut child = workspace.start(sweep);
    let started = std::time::Instant::now();
    while !workspace.path(".medalist/locks/busy.lock").is_file() {
        assert!(started.elapsed().as_secs() < 50, "the sweep takes no lock");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    // The lock's file comes first, then the study.
    while workspace.run("trials busy").code != 0 {
        assert!(started.elapsed().as_secs() < 50, "the sweep stores no study");
    }
    let ran = workspace.run("delete busy --yes").fails(5);
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(ran.stderr.contains("being worked on"), "{}", ran.stderr);
    workspace.run("trials busy").ok();
    workspace.run("delete busy --yes").ok();
}

#[test]
fn folds_are_exported_as_they_are_listed() {
    let workspace = Workspace::with(&["penguins"]);
    let listed = workspace.run("folds penguins --output csv").ok().stdout;
    let ran = workspace.run("export folds penguins -o folds.csv").ok();
    assert!(ran.stdout.is_empty());
    assert_eq!(workspace.read("folds.csv"), listed);
    assert_eq!(workspace.run("export folds penguins").ok().stdout, listed);
    workspace.run("export folds penguins --output json -o folds.json").ok();
    let json: Value = serde_json::from_str(&workspace.read("folds.json")).unwrap();
    assert_eq!(json.as_array().unwrap().len(), listed.lines().count() - 1);
    assert!(json[0]["row"] == 1 && json[0]["fold"].is_u64(), "{}", json[0]);
    assert!(workspace.run("export folds pengiuns").fails(2).stderr.contains("no study"));
}
