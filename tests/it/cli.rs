//! The command line's own promises: exit codes, errors as JSON, nothing on stdout but data.

use crate::support::Workspace;

#[track_caller]
fn check(workspace: &Workspace, arguments: &str, code: i32, words: &[&str]) {
    let ran = workspace.run(arguments).fails(code);
    for word in words {
        assert!(ran.stderr.contains(word), "{arguments}: no `{word}` in\n{}", ran.stderr);
    }
    assert!(ran.stdout.is_empty(), "{arguments} printed\n{}", ran.stdout);
}

#[test]
fn what_is_mistyped_is_answered_with_what_was_meant() {
    let workspace = Workspace::with(&["penguins"]);
    check(&workspace, "sweep pengiuns", 2, &["did you mean `penguins`?"]);
    check(&workspace, "sweep penguins --models rigde", 2, &["did you mean `ridge`?"]);
    check(&workspace, "sweep penguins --set ridge.alhpa=1", 2, &["did you mean `ridge.alpha`?"]);
    check(&workspace, "sweep penguins --models ridge --set ridge.alpha=banana", 2, &["ridge.alpha", "banana"]);
    check(&workspace, "sweep penguins --models ridge --set ridge.alpha=-1", 2, &["ridge.alpha"]);
    check(&workspace, "sweep penguins --models ridge --set knn.p=1", 2, &["add it to `--models`"]);
    check(&workspace, "sweep penguins --time soon", 2, &["60s"]);
    check(&workspace, "sweep penguins --pruner medain", 2, &["did you mean `median`?"]);
    check(&workspace, "sweep penguins --pruner threshold", 2, &["threshold:upper=0.5"]);
    check(&workspace, "sweep penguins --pruner racing:confidence=95", 2, &["between 0.5 and 1"]);
    check(&workspace, "sweep penguins --prune-on steps", 2, &["add `--pruner`"]);
    check(&workspace, "sweep penguins --pruner racing --prune-on steps", 2, &["compares folds"]);
    check(&workspace, "sweep penguins --pruner median --prune-on steps --models ridge,knn", 2, &["none of ridge, knn"]);
    check(&workspace, "resume nothing", 2, &["medalist studies"]);
    check(&workspace, "submit penguins --best", 4, &["medalist sweep penguins"]);
    check(&workspace, "submit penguins --trial a/b", 2, &["STUDY/NUMBER"]);
    check(&workspace, "grade penguins nothing.csv", 3, &["nothing.csv"]);
    check(&workspace, "models nothing", 2, &["nothing"]);
    check(&workspace, "check nothing", 2, &["nothing"]);
    check(&workspace, "leap", 2, &["leap"]);
}

#[test]
fn errors_are_json_where_json_is_asked_for() {
    let workspace = Workspace::with(&["penguins"]);
    let error = workspace.run("sweep pengiuns --output json").fails(2).json();
    assert_eq!(error["error"]["kind"], "usage");
    assert_eq!(error["error"]["help"], "did you mean `penguins`?");
    for key in ["message", "file", "column", "row"] {
        assert!(error["error"].get(key).is_some(), "{key}");
    }
    let usage = workspace.run("sweep --output json").fails(2).json();
    assert_eq!(usage["error"]["kind"], "usage");
}

#[test]
fn a_folder_without_a_workspace_says_how_to_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let workspace = Workspace::with(&[]);
    check(&workspace, &format!("--workspace {} studies", folder.path().display()), 2, &["medalist init"]);
    let new = folder.path().join("new");
    workspace.run(&format!("init {}", new.display())).ok();
    workspace.run(&format!("--workspace {} studies", new.display())).ok();
}

#[test]
fn every_listing_prints_in_every_form() {
    let workspace = Workspace::with(&["penguins"]);
    workspace.run("sweep penguins --models ridge --trials 2 --folds 3 --study mine").ok();
    for command in [
        "models",
        "models ridge",
        "metrics",
        "competitions",
        "show penguins",
        "show mine/0",
        "studies",
        "trials mine",
        "leaderboard penguins",
    ] {
        let json = workspace.run(&format!("{command} --output json")).ok().json();
        assert!(json.is_array() || json.is_object(), "{command}");
        for form in ["table", "csv", "markdown"] {
            assert!(
                !workspace.run(&format!("{command} --output {form}")).ok().stdout.is_empty(),
                "{command} as {form}"
            );
        }
    }
}

#[test]
fn the_page_on_metrics_is_current() {
    let page = Workspace::with(&[]).run("metrics --output markdown").ok().stdout;
    let kept = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md")).unwrap();
    assert!(page == kept, "write it anew: cargo run --release -- metrics --output markdown > docs/metrics.md");
}

#[test]
fn a_new_metric_outside_a_clone_is_a_crate_of_its_own() {
    let workspace = Workspace::with(&[]);
    workspace.run("new metric my_error").ok();
    let main = workspace.read("metrics/my_error/src/main.rs");
    assert!(main.contains("Registry::builtin().with_metric::<my_error::MyError>(\"my_error\")"), "{main}");
    let text = workspace.read("metrics/my_error/src/my_error.rs");
    assert!(text.contains("medalist::testing::assert_metric::<MyError>(\"my_error\")"), "{text}");
    check(&workspace, "new metric my_error", 2, &["nothing was overwritten"]);
    check(&workspace, "new metric rmse", 2, &["already"]);
    check(&workspace, "new metric mean_squared_error", 2, &["already"]);
}

#[test]
fn a_sweep_says_why_no_model_fits() {
    let workspace = Workspace::with(&["wine-quality-red"]);
    let toml = workspace.read("competitions/wine-quality-red/competition.toml");
    let texts = toml.replace("\"ordinal\"", "\"text\"").replace("\"quadratic_weighted_kappa\"", "\"levenshtein\"");
    workspace.write("competitions/wine-quality-red/competition.toml", texts);
    check(&workspace, "sweep wine-quality-red", 2, &["no model predicts texts"]);
    let spread = toml.replace("\"ordinal\"", "\"regression\"").replace("\"quadratic_weighted_kappa\"", "\"crps\"");
    let without_sample: String =
        spread.lines().filter(|line| !line.starts_with("sample")).map(|line| format!("{line}\n")).collect();
    workspace.write("competitions/wine-quality-red/competition.toml", without_sample);
    check(&workspace, "sweep wine-quality-red", 2, &["how far off each may be"]);
    let query = toml.replace("\"quadratic_weighted_kappa\"", "\"ndcg@5\"");
    workspace.write("competitions/wine-quality-red/competition.toml", query);
    check(&workspace, "sweep wine-quality-red", 3, &["ranks the rows of a query", "query ="]);
}

#[test]
fn help_has_examples_and_completions_are_a_script() {
    let workspace = Workspace::with(&[]);
    let help = workspace.run("--help").ok().stdout;
    assert!(help.contains("medalist sweep penguins") && help.contains("Exit codes"), "{help}");
    assert!(workspace.run("sweep --help").ok().stdout.contains("--dry-run"));
    assert!(workspace.run("completions bash").ok().stdout.contains("_medalist"));
}

#[test]
fn a_new_model_outside_a_clone_is_a_crate_of_its_own() {
    let workspace = Workspace::with(&["penguins"]);
    workspace.run("new model my_ridge").ok();
    let main = workspace.read("models/my_ridge/src/main.rs");
    assert!(main.contains("Registry::builtin().with::<my_ridge::MyRidge>(\"my_ridge\")"), "{main}");
    assert!(workspace.read("models/my_ridge/src/my_ridge.rs").contains("pub struct MyRidge"));
    check(&workspace, "new model my_ridge", 2, &["nothing was overwritten"]);
    check(&workspace, "new model My-Ridge", 2, &["snake_case"]);
    check(&workspace, "new model ridge", 2, &["already"]);
    check(&workspace, "new model loop", 2, &["choose another"]);
    check(&workspace, "sweep penguins --models my_ridge", 2, &["cargo run --release", "rebuilds"]);
}

#[test]
fn a_new_transform_outside_a_clone_is_a_crate_of_its_own() {
    let workspace = Workspace::with(&["penguins"]);
    workspace.run("new transform my_centre").ok();
    let main = workspace.read("transforms/my_centre/src/main.rs");
    assert!(main.contains("Registry::builtin().with_transform::<my_centre::MyCentre>(\"my_centre\")"), "{main}");
    assert!(workspace.read("transforms/my_centre/src/my_centre.rs").contains("pub struct MyCentre"));
    check(&workspace, "new transform scale", 2, &["already"]);
    check(&workspace, "new transform Scale", 2, &["snake_case", "a transform's name"]);
    check(&workspace, "transforms scael", 2, &["did you mean `scale`?"]);
    assert!(workspace.run("transforms scale").ok().stdout.contains("prep.scale"));
}

#[test]
fn a_parameter_that_would_change_nothing_is_refused_by_reason() {
    let workspace = Workspace::with(&["wine-quality-red"]);
    let words = ["`prep.encoding`", "no column of this competition"];
    check(&workspace, "sweep wine-quality-red --models knn --set prep.encoding=onehot --dry-run", 2, &words);
}

#[test]
fn every_torn_row_of_a_submission_is_named() {
    let workspace = Workspace::with(&["penguins"]);
    let sample = workspace.read("competitions/penguins/sample_submission.csv");
    let lines: Vec<&str> = sample.lines().collect();
    let torn = |n_torn: usize| {
        let tear = |(n, line): (usize, &&str)| {
            if (1..=n_torn).contains(&n) { format!("{line},1\n") } else { format!("{line}\n") }
        };
        workspace.write("torn.csv", lines.iter().enumerate().map(tear).collect::<String>())
    };
    let file = torn(2);
    let words = ["row 1: this row has 5 cells, the header names 4", "row 2: this row has 5 cells"];
    check(&workspace, &format!("validate penguins {}", file.display()), 3, &words);
    let found = workspace.run(&format!("validate penguins {} --output json", file.display())).fails(3).json();
    assert_eq!(found["errors"].as_array().unwrap().len(), 2, "{found}");
    let file = torn(30);
    check(&workspace, &format!("grade penguins {}", file.display()), 3, &["and 10 more faults", "--output json"]);
}

#[test]
fn what_is_wrong_in_a_plan_names_the_file_and_the_fix() {
    let workspace = Workspace::with(&["penguins"]);
    for (text, words) in [
        ("serach = \"grid\"", ["unknown key `serach`", "did you mean `search`?"]),
        ("trials = \"many\"", ["line 2, column 10", "expected a whole number"]),
        ("models = [\"rigde\"]", ["no model `rigde`", "did you mean `ridge`?"]),
        ("time = \"soon\"", ["`time`: `soon` is no duration", "such as 60s"]),
        ("memory = \"4Q\"", ["`memory`: `4Q` is no size", "such as 4G"]),
        ("window = 0", ["window is 0", "choose 1"]),
        ("jobs = 0", ["0 threads", "leave `jobs` out"]),
        ("set = { \"ridge.alpha\" = \"5..1\" }", ["`ridge.alpha`", "lower end first"]),
        ("set = { \"ridge.alhpa\" = 1 }", ["no parameter `ridge.alhpa`", "did you mean `ridge.alpha`?"]),
    ] {
        workspace.write("plan.toml", format!("competition = \"penguins\"\n{text}\n"));
        check(&workspace, "sweep plan.toml", 3, &[&["plan.toml"], &words[..]].concat());
    }
    workspace.write("plan.toml", "competition = \"pengiuns\"");
    check(&workspace, "sweep plan.toml", 3, &["plan.toml", "did you mean `penguins`?"]);
}
