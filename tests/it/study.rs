//! What a study may be told beside its space: several objectives, an earlier study, how its trials wait for each other.

use medalist::Registry;
use medalist::competition::Competition;
use medalist::model::{Dense, FitContext, Model, Predictor};
use medalist::target::{Target, Task};
use medalist_search::{Direction, ObjectiveSpec};
use serde_json::Value as Json;

use crate::support::Workspace;

#[test]
fn several_objectives_have_their_columns_and_a_front() {
    let workspace = Workspace::with(&["penguins"]);
    let command = "sweep penguins --objectives score,n_features,model_size --models baseline,ridge,knn --trials 40 --folds 3 --study s --output json";
    let board = workspace.run(command).ok().json()["leaderboard"].clone();
    let rows = board.as_array().unwrap();
    let value = |row: &Json, name: &str| row["objectives"][name].as_f64().unwrap();
    assert!(rows.iter().any(|row| row["pareto"] == true) && rows.iter().any(|row| row["pareto"] == false));
    // A constant is as small as a model can be, so the best of them is on the front.
    let smallest = rows.iter().min_by(|a, b| value(a, "model_size").total_cmp(&value(b, "model_size"))).unwrap();
    assert_eq!((&smallest["model"], value(smallest, "model_size")), (&"baseline".into(), 3.0 * 8.0));
    // Ridge has a coefficient a column and class, and a constant a class.
    let ridge = rows.iter().find(|row| row["model"] == "ridge").unwrap();
    assert_eq!(value(ridge, "model_size"), 3.0 * 8.0 * (value(ridge, "n_features") + 1.0));
    for row in rows {
        let beats = |other: &&Json| {
            let pairs = ["n_features", "model_size"].map(|name| (value(other, name), value(row, name)));
            let scores = (other["score_mean"].as_f64().unwrap(), row["score_mean"].as_f64().unwrap());
            let pairs = [pairs[0], pairs[1], scores];
            pairs.iter().all(|(a, b)| a <= b) && pairs.iter().any(|(a, b)| a < b)
        };
        assert_eq!(row["pareto"], !rows.iter().any(|other| beats(&other)), "{row}");
    }
    assert!(workspace.run("studies").ok().stdout.contains("nsga2"));
    let csv = workspace.run("trials s --output csv").ok().stdout;
    assert!(csv.starts_with("trial,state,score,n_features,model_size,model,"), "{csv}");
    let board = workspace.run("leaderboard penguins").ok().stdout;
    assert!(board.contains("model_size") && board.contains("better in all objectives"), "{board}");
}

#[test]
fn objectives_that_cannot_be_had_are_refused_before_the_work() {
    let workspace = Workspace::with(&["penguins"]);
    let refused = |arguments: &str, words: &str| {
        let ran = workspace.run(&format!("sweep penguins --dry-run {arguments}")).fails(2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    };
    refused("--objectives score,n_feature", "did you mean `n_features`?");
    refused("--objectives n_features,score", "do not begin with `score`");
    refused("--objectives score,n_features --pruner median", "leave the pruner out");
}

#[test]
fn constraints_hold_at_every_point_of_a_sweep() {
    let workspace = Workspace::with(&["penguins"]);
    let sweep = "sweep penguins --search sobol --models gbdt,ridge --folds 3 --trials 15 --no-submission --study s";
    // The default of `max_depth` alone would be 6.
    workspace.write(
        "plan.toml",
        "competition = \"penguins\"\nconstraints = [\"gbdt.num_leaves <= 2 ^ gbdt.max_depth\", \"gbdt.max_depth < 5 and gbdt.learning_rate * gbdt.max_depth < .5\"]\n",
    );
    workspace.run(&sweep.replace("penguins", "plan.toml")).ok();
    let trials = found(&workspace, "s");
    let number = |params: &Json, name: &str| params[name].as_f64().unwrap();
    let gbdt: Vec<&Json> = trials.iter().map(|(params, _)| params).filter(|params| params["model"] == "gbdt").collect();
    assert!(gbdt.len() > 1 && gbdt.len() < trials.len(), "{gbdt:?}");
    for params in gbdt {
        let (depth, rate) = (number(params, "gbdt.max_depth"), number(params, "gbdt.learning_rate"));
        assert!(depth < 5.0 && rate * depth < 0.5 && number(params, "gbdt.num_leaves") <= 2f64.powf(depth), "{params}");
    }
    let refused = |constraint: &str, words: &str| {
        let ran = workspace.run(&format!("sweep penguins --dry-run --constraint {constraint}")).fails(2);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    };
    refused("gbdt.max_dept<3", "did you mean `gbdt.max_depth`?");
    refused("gbdt.max_depth<<3", "at character 16");
    let none = workspace.run("sweep penguins --models ridge --constraint ridge.alpha<0 --no-submission").fails(2);
    assert!(none.stderr.contains("no point at which `ridge.alpha<0` holds was found"), "{}", none.stderr);
}

const SWEEP: &str = "sweep penguins --models ridge --folds 3 --no-submission";

/// Points and scores of all trials of a study.
fn found(workspace: &Workspace, study: &str) -> Vec<(Json, Json)> {
    let trials = workspace.run(&format!("trials {study} --output json")).ok().json();
    trials.as_array().unwrap().iter().map(|trial| (trial["params"].clone(), trial["score"].clone())).collect()
}

#[test]
fn a_warm_start_begins_with_what_an_earlier_study_found() {
    let workspace = Workspace::with(&["penguins"]);
    workspace.run(&format!("{SWEEP} --search sobol --trials 12 --study earlier")).ok();
    let warm = format!("{SWEEP} --warm-start earlier --seed 5");
    let ran = workspace.run(&format!("{warm} --trials 3 --study warm")).ok();
    assert!(ran.stderr.contains("begins    with 12 trials of an earlier study"), "{}", ran.stderr);
    workspace.run(&format!("{SWEEP} --seed 5 --trials 3 --study cold")).ok();
    // The default point comes first in both; then only one of them knows something.
    let (cold, known) = (found(&workspace, "cold"), found(&workspace, "warm"));
    assert_eq!(cold[0], known[0]);
    assert_ne!(cold[1], known[1]);

    // The earlier study goes on: a resume does not notice, the same command again does.
    workspace.run("resume earlier --trials 15 --no-submission").ok();
    workspace.run("resume warm --trials 5 --no-submission").ok();
    assert_eq!(found(&workspace, "warm")[..3], known);
    let refused = workspace.run(&format!("{warm} --trials 6 --study warm")).fails(3);
    assert!(refused.stderr.contains("prior"), "{}", refused.stderr);

    let refused = workspace.run(&format!("{SWEEP} --warm-start earlyer")).fails(2);
    assert!(refused.stderr.contains("did you mean `earlier`?"), "{}", refused.stderr);
    let refused = workspace.run("sweep penguins --models knn --warm-start earlier").fails(2);
    assert!(
        refused.stderr.contains("none of the 15 trials of study `earlier` lies in this space"),
        "{}",
        refused.stderr
    );
}

#[test]
fn an_asynchronous_study_is_resumed_with_the_trials_that_it_has() {
    let workspace = Workspace::with(&["penguins"]);
    let ran = workspace.run(&format!("{SWEEP} --async --jobs 2 --trials 12 --study a")).ok();
    assert!(
        ran.stderr.contains("nobody waits") && ran.stderr.contains("another run may find others"),
        "{}",
        ran.stderr
    );
    let first = found(&workspace, "a");
    workspace.run("resume a --trials 20 --jobs 2 --no-submission").ok();
    let all = found(&workspace, "a");
    assert_eq!((&all[..12], all.len()), (&first[..], 20));
    workspace.run("sweep penguins --async --window 3").fails(2);
    workspace.write("plan.toml", "competition = \"penguins\"\nasync = true\ninterleave = 4\n");
    let refused = workspace.run("sweep plan.toml").fails(3);
    assert!(refused.stderr.contains("leave `interleave` out"), "{}", refused.stderr);
}

#[test]
fn promising_points_are_looked_at_again_on_other_folds() {
    let workspace = Workspace::with(&["penguins"]);
    // Four points, so that nothing but further looks is left.
    let space = "--models knn --set knn.weights=uniform,distance --set knn.p=1,2 --set prep.scale=standard --set prep.encoding=ordinal --set prep.impute=mean --set prep.indicators=true --set prep.clip=0";
    let sweep = format!("sweep penguins {space} --folds 3 --trials 11 --no-submission");
    for jobs in [1, 2] {
        let ran = workspace.run(&format!("{sweep} --jobs {jobs} --study with-{jobs}")).ok();
        assert!(ran.stderr.contains("up to 3 looks at a point"), "{}", ran.stderr);
    }
    assert_eq!(found(&workspace, "with-1"), found(&workspace, "with-2"));
    let trials = workspace.run("trials with-1 --output json").ok().json();
    let trials = trials.as_array().unwrap();
    assert!(trials.iter().any(|trial| trial["look"] == 2), "{trials:?}");

    // One row a point, with the folds of all of its looks.
    let board = workspace.run("leaderboard penguins --output json").ok().json();
    let rows: Vec<&Json> = board.as_array().unwrap().iter().filter(|row| row["study"] == "with-1").collect();
    assert_eq!(rows.len(), 4);
    let n_folds: u64 = rows.iter().map(|row| row["n_folds"].as_u64().unwrap()).sum();
    let mut looks: Vec<String> = trials
        .iter()
        .map(|trial| format!("{}{}{}", trial["params"]["knn.p"], trial["params"]["knn.weights"], trial["look"]))
        .collect();
    looks.sort();
    looks.dedup();
    assert_eq!(n_folds as usize, 3 * looks.len());
    let first = rows.iter().find(|row| row["n_folds"].as_u64().unwrap() > 3).unwrap();
    let same = |trial: &&Json| {
        trial["params"]["knn.p"] == first["params"]["knn.p"]
            && trial["params"]["knn.weights"] == first["params"]["knn.weights"]
    };
    let scores = |trial: &Json| -> Vec<f64> {
        trial["folds"].as_array().unwrap().iter().map(|fold| fold["score"].as_f64().unwrap()).collect()
    };
    let scored: Vec<Vec<f64>> = trials.iter().filter(same).map(scores).collect();
    // The same rows, drawn into other folds.
    assert_ne!(scored[0], scored[1]);

    // What is best so far is looked at again in any case.
    workspace.run(&format!("{SWEEP} --trials 24 --study usual")).ok();
    let last = workspace.run("show usual/23 --output json").ok().json();
    assert!(last["trial"]["folds"].as_array().unwrap().iter().all(|fold| fold["repeat"] == 1), "{last}");

    let once = workspace.run(&format!("{sweep} --looks 1 --study once")).ok();
    assert!(!once.stderr.contains("looks"), "{}", once.stderr);
    let refused = Workspace::with(&["chicago-ridership"]).run("sweep chicago-ridership --looks 2 --dry-run").fails(2);
    assert!(refused.stderr.contains("gives the same folds each time"), "{}", refused.stderr);
}

#[test]
fn interleaved_points_are_the_same_on_any_number_of_threads() {
    let workspace = Workspace::with(&["penguins"]);
    let origins = |study: &str| -> Vec<Json> {
        let origin =
            |n| workspace.run(&format!("show {study}/{n} --output json")).ok().json()["trial"]["origin"].clone();
        (8..16).map(origin).collect()
    };
    for jobs in [1, 2] {
        workspace.run(&format!("{SWEEP} --interleave 4 --trials 16 --jobs {jobs} --study with-{jobs}")).ok();
    }
    assert_eq!(found(&workspace, "with-1"), found(&workspace, "with-2"));
    let (sampler, interleaved) = (Json::from("sampler"), Json::from("interleaved"));
    let four = [&sampler, &sampler, &sampler, &interleaved];
    assert!(origins("with-2").iter().eq(four.into_iter().chain(four)), "{:?}", origins("with-2"));
}

/// A mean that does not say its size.
#[derive(medalist::Tunable)]
struct Sizeless {}

impl Model for Sizeless {
    type Input = Dense;
    const TASKS: &'static [Task] = &[Task::Binary, Task::Multiclass, Task::Regression];
    const ABOUT: &'static str = "nothing";

    fn fit(&self, _x: &Dense, _y: &Target, _ctx: &FitContext) -> medalist::Result<Box<dyn Predictor<Dense>>> {
        Err(medalist::error::Error::model("is only asked what it is"))
    }
}

#[test]
fn a_model_that_cannot_say_its_size_is_left_out_where_that_is_asked_for() {
    let registry = Registry::builtin().with::<Sizeless>("sizeless");
    let workspace = Workspace::with(&["penguins"]);
    let competition = Competition::load(&workspace.path("competitions/penguins"), &registry).unwrap();
    let size = ObjectiveSpec { name: "model_size".to_string(), direction: Direction::Minimize };
    let why = |model: &str, objectives: &[ObjectiveSpec]| {
        medalist::plan::why_not(registry.model(model).unwrap(), &competition, objectives)
    };
    let reason = why("sizeless", std::slice::from_ref(&size)).unwrap();
    assert_eq!(reason, "cannot say how large it is, which `model_size` asks for");
    assert_eq!(why("sizeless", &[]), None);
    for entry in registry.models.iter().filter(|entry| entry.name != "sizeless") {
        assert!(
            why(&entry.name, std::slice::from_ref(&size)).is_none_or(|why| !why.contains("large")),
            "{}",
            entry.name
        );
    }
}
