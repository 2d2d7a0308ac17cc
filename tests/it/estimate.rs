//! What a chosen trial's score is worth: simulations with known truth, metrics in all forms, and the commands.

use std::fmt::Write as _;
use std::path::Path;

use medalist::Registry;
use medalist::competition::Competition;
use medalist::estimate::{Estimate, Replay, Replayed, Units};
use medalist::scoring::Scorer;
use medalist::search::Seed;
use ndarray::Array2;
use rand::RngExt;
use sha2::{Digest, Sha256};

use crate::support::Workspace;

/// A competition of these targets and groups.
fn competition(folder: &Path, task: &str, metric: &str, scheme: &str, rows: &[(f64, usize)]) -> Competition {
    let mut train = "x,y,g\n".to_string();
    rows.iter().enumerate().for_each(|(row, (y, g))| writeln!(train, "{},{y},g{g}", row % 7).unwrap());
    let sha256: String = Sha256::digest(&train).iter().map(|byte| format!("{byte:02x}")).collect();
    let config = format!(
        "version = 1\ntask = \"{task}\"\ntarget = \"y\"\n[files.train]\npath = \"train.csv\"\nsha256 = \"{sha256}\"\n\
         [metric]\nname = \"{metric}\"\n[folds]\n{scheme}\n"
    );
    std::fs::write(folder.join("train.csv"), train).unwrap();
    std::fs::write(folder.join("competition.toml"), config).unwrap();
    Competition::load(folder, &Registry::builtin()).unwrap()
}

/// The estimate for the best of trials with these predictions, each one column for all rows.
fn estimate(competition: &Competition, trials: &[Vec<f64>], n_draws: usize) -> Estimate {
    let metric = competition.metric(&Registry::builtin()).unwrap();
    let scorer = Scorer { competition, metric: metric.as_ref() };
    let rows: Vec<u32> = (0..competition.n_train_rows() as u32).collect();
    let column = |values: &Vec<f64>| Array2::from_shape_vec((values.len(), 1), values.clone()).unwrap();
    let scores: Vec<f64> = trials.iter().map(|trial| scorer.score(&rows, &[column(trial)], &[]).unwrap()).collect();
    let chosen = (0..trials.len()).min_by(|&a, &b| scores[a].total_cmp(&scores[b])).unwrap();
    let folds = competition.folds(None).unwrap();
    let of_fold = |fold: &medalist::split::Fold| {
        let all = column(&trials[chosen]);
        let places: Vec<usize> = fold.valid.iter().map(|&row| row as usize).collect();
        scorer.score(&fold.valid, &[all.select(ndarray::Axis(0), &places)], &[]).unwrap()
    };
    let units = Units::of(competition);
    let replayed = Replayed {
        trials: trials.iter().map(|trial| Replay::new(&scorer, &rows, vec![column(trial)]).unwrap()).collect(),
        scorer,
        units: &units,
        rows,
        chosen,
        plain: scores[chosen],
        folds: folds.iter().map(of_fold).collect(),
        n_pruned: 0,
    };
    replayed.estimate(n_draws, Seed::new(3)).unwrap()
}

/// Errors of mean absolute value 1, by row and trial alike: no trial is better than another, and the best one's score is luck.
#[test]
fn the_luck_of_the_best_of_many_is_taken_off() {
    let n_rows = 80;
    let rows: Vec<(f64, usize)> = (0..n_rows).map(|row| (row as f64, row)).collect();
    let folder = tempfile::tempdir().unwrap();
    let competition = competition(folder.path(), "regression", "mae", "scheme = \"kfold\"\nn = 5", &rows);
    let (mut plain, mut corrected, mut covered) = (0.0, 0.0, 0);
    let n_replicates = 100;
    for replicate in 0..n_replicates {
        let mut rng = Seed::new(replicate).child("errors", 0).rng();
        let trials: Vec<Vec<f64>> =
            (0..50).map(|_| rows.iter().map(|(y, _)| y + rng.random_range(-2.0..2.0)).collect()).collect();
        let found = estimate(&competition, &trials, 100);
        plain += (1.0 - found.plain) / n_replicates as f64;
        corrected += (1.0 - found.score) / n_replicates as f64;
        covered += usize::from(found.low <= 1.0 && 1.0 <= found.high);
    }
    assert!(plain > 0.12, "the best of 50 is too good by {plain}");
    assert!(corrected.abs() < plain / 5.0, "{corrected} of {plain} is left");
    assert!(covered >= 85, "{covered} of 100");
}

#[test]
fn rows_of_a_group_are_drawn_together() {
    let rows: Vec<(f64, usize)> = (0..200).map(|row| (row as f64, row / 10)).collect();
    // All rows of a group miss by as much.
    let mut rng = Seed::new(5).rng();
    let misses: Vec<f64> = (0..20).map(|_| rng.random_range(-2.0..2.0)).collect();
    let trials = vec![rows.iter().map(|(y, g)| y + misses[*g]).collect()];
    let width = |scheme: &str| {
        let folder = tempfile::tempdir().unwrap();
        let competition = competition(folder.path(), "regression", "mae", scheme, &rows);
        let found = estimate(&competition, &trials, 200);
        (found.drawn, found.high - found.low)
    };
    let (by_row, by_group) = (width("scheme = \"kfold\"\nn = 5"), width("scheme = \"group\"\nn = 5\ngroup = \"g\""));
    assert_eq!((by_row.0, by_group.0), ("rows", "groups"));
    // Ten rows say no more than one: sqrt(10) times as wide.
    assert!(by_group.1 > 2.0 * by_row.1, "{by_row:?} {by_group:?}");
}

#[test]
fn a_draw_is_scored_as_the_metric_does_on_its_rows() {
    let mut rng = Seed::new(8).rng();
    let n_rows = 150;
    let fast = [
        ("log_loss", "binary"),
        ("roc_auc", "binary"),
        ("brier", "binary"),
        ("accuracy", "binary"),
        ("rmse", "regression"),
        ("mae", "regression"),
    ];
    let slow = [("f1", "binary"), ("r2", "regression")];
    for ((metric, task), is_fast) in fast.map(|case| (case, true)).into_iter().chain(slow.map(|case| (case, false))) {
        let is_binary = task == "binary";
        let rows: Vec<(f64, usize)> = (0..n_rows)
            .map(|row| (if is_binary { f64::from(rng.random_bool(0.4)) } else { row as f64 }, row))
            .collect();
        let folder = tempfile::tempdir().unwrap();
        let competition = competition(
            folder.path(),
            task,
            &format!("{metric}\"\nthresholds = false #"),
            "scheme = \"kfold\"\nn = 5",
            &rows,
        );
        let built = competition.metric(&Registry::builtin()).unwrap();
        let scorer = Scorer { competition: &competition, metric: built.as_ref() };
        // Rounded, so that some are tied.
        let p: Vec<f64> = (0..n_rows).map(|_| (rng.random_range(0.05..0.95) * 20.0_f64).round() / 20.0).collect();
        let outputs = if is_binary {
            Array2::from_shape_fn((n_rows, 2), |(row, class)| if class == 1 { p[row] } else { 1.0 - p[row] })
        } else {
            Array2::from_shape_fn((n_rows, 1), |(row, _)| row as f64 + p[row])
        };
        let all: Vec<u32> = (0..n_rows as u32).collect();
        let replay = Replay::new(&scorer, &all, vec![outputs.clone()]).unwrap();
        assert_eq!(replay.is_fast(), is_fast, "{metric}");
        for _ in 0..5 {
            let counts: Vec<u32> = (0..n_rows).map(|_| rng.random_range(0..3)).collect();
            let places = (0..n_rows).flat_map(|row| std::iter::repeat_n(row, counts[row] as usize));
            let places: Vec<usize> = places.collect();
            let drawn: Vec<u32> = places.iter().map(|&place| place as u32).collect();
            let expected = scorer.score(&drawn, &[outputs.select(ndarray::Axis(0), &places)], &[]).unwrap();
            let found = replay.score(&scorer, &all, &counts).unwrap();
            assert!((found - expected).abs() < 1e-12 * expected.abs().max(1.0), "{metric}: {found}, {expected}");
        }
    }
}

#[test]
fn the_commands_say_the_same_on_any_number_of_threads() {
    let workspace = Workspace::with(&["penguins"]);
    let swept =
        "sweep penguins --models knn,baseline --search random --trials 12 --folds 3 --study mine --no-submission";
    let swept = workspace.run(&format!("{swept} --output json")).ok().json();
    let ran = |arguments: &str| workspace.run(arguments).ok().json();
    let (one, two) = (ran("estimate mine --jobs 1 --output json"), ran("estimate mine --jobs 2 --output json"));
    assert_eq!(one, two);
    let number = |name: &str| one[name].as_f64().unwrap();
    assert!(0.0 < number("low") && number("low") < number("score") && number("score") < number("high"));
    assert_eq!((&one["n_trials"], &one["drawn"]), (&12.into(), &"rows".into()));
    if swept["ensemble"]["kept"].is_null() {
        assert_eq!(swept["estimate"]["score"], one["score"]);
    }

    // A trial against the baseline, both ways round.
    let trials = ran("trials mine --sort score --columns number,model --output json");
    let trials = trials.as_array().unwrap();
    let name = |trial: &serde_json::Value| format!("mine/{}", trial["number"]);
    let baseline = trials.iter().find(|trial| trial["model"] == "baseline").unwrap();
    let (best, baseline) = (name(&trials[0]), name(baseline));
    let better = ran(&format!("compare {best} {baseline} --output json"));
    let worse = ran(&format!("compare {baseline} {best} --output json"));
    let chance = |json: &serde_json::Value| json["chance"].as_f64().unwrap();
    assert!(chance(&better) > 0.95, "{better}");
    assert!((chance(&better) + chance(&worse) - 1.0).abs() < 1e-12);
    assert!(better["low"].as_f64().unwrap() < better["gain"].as_f64().unwrap());
    assert_eq!(chance(&ran(&format!("compare {best} {best} --output json"))), 0.5);
    assert!(workspace.run(&format!("compare {best} {baseline}")).ok().stdout.contains("chance that it is better"));
    workspace.run("estimate nothing").fails(2);
}
