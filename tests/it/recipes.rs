//! `[features]`: columns made of others, as a competition has them once it is loaded, and inside of folds.

use std::path::Path;

use medalist::Registry;
use medalist::competition::Competition;
use medalist::error::Error;
use medalist::evaluate::{Evaluation, deadline};
use medalist::reader::digest;
use medalist::search::{Cancel, Direction, Params, Seed, StudySpec};
use medalist::table::{ColumnType, Table, Values};
use medalist::target::Target;
use medalist::transform::{AnyTransform, TransformContext};

use crate::support::{Workspace, real_data};

const TRAIN: &str = "id,y,name,cabin,sib,when,age\n\
                     1_1,0,\"A, Mr. X\",B/0/P,1,2024-02-29,20\n\
                     1_2,1,\"B, Mrs. Y\",,0,2023-01-01,30\n\
                     2_1,0,\"C, Mr. Z\",B/10/S,2,2023-01-02,\n\
                     3_1,1,\"D, Mrs. Z\",G/7/S,0,2023-01-03,50\n";
const TEST: &str =
    "id,name,cabin,sib,when,age\n4_1,\"E, Dr. W\",F/3/P,5,2023-01-08,99\n1_3,\"F, Mr. V\",B/0/P,1,2023-01-09,\n";

fn write(folder: &Path, toml: &str) {
    let mut files = String::from("\n[files]\n");
    for (role, text) in [("train", TRAIN), ("test", TEST)] {
        let path = folder.join(format!("{role}.csv"));
        std::fs::write(&path, text).unwrap();
        files += &format!("{role} = {{ path = \"{role}.csv\", sha256 = \"{}\" }}\n", digest(&path).unwrap().sha256);
    }
    let top = "version = 1\ntask = \"binary\"\nid = \"id\"\ntarget = \"y\"\n";
    let metric = "[metric]\nname = \"accuracy\"\n";
    std::fs::write(folder.join("competition.toml"), format!("{top}{toml}\n{metric}{files}")).unwrap();
}

fn load(toml: &str) -> Result<Competition, Error> {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), toml);
    Competition::load(folder.path(), &Registry::builtin())
}

#[track_caller]
fn numbers(table: &Table, name: &str) -> Vec<f64> {
    match &table.column(name).unwrap_or_else(|| panic!("no {name}")).values {
        Values::Numeric(values) | Values::Date(values) => values.clone(),
        values => panic!("{name} is {values:?}"),
    }
}

fn kinds(competition: &Competition) -> Vec<(&str, ColumnType)> {
    competition.features.columns().iter().map(|column| (column.name.as_str(), column.kind)).collect()
}

#[test]
fn what_recipes_make_is_typed_like_any_column() {
    let toml = r#"drop = ["name", "when", "age"]
[features]
Deck = "split(cabin, '/', 1)"
Number = "split(cabin, '/', 2)"
Alone = "sib == 0"
Size = "sib + 1"
Weekday = "weekday(when)"
Group = "count(split(id, '_', 1))"
"#;
    let competition = load(toml).unwrap();
    use ColumnType::{Boolean, Categorical, Numeric};
    let expected = [
        ("cabin", Categorical),
        ("sib", Numeric),
        ("Alone", Boolean),
        ("Deck", Categorical),
        ("Group", Numeric),
        ("Number", Numeric),
        ("Size", Numeric),
        ("Weekday", Numeric),
    ];
    assert_eq!(kinds(&competition), expected);
    assert_eq!(numbers(&competition.features, "Group"), [3.0, 3.0, 1.0, 1.0]);
    let test = &competition.test.as_ref().unwrap().features;
    assert_eq!(numbers(test, "Number"), [3.0, 0.0]);
    assert_eq!(numbers(test, "Group"), [1.0, 3.0]);
    assert_eq!(numbers(test, "Alone"), [0.0, 0.0]);
}

#[test]
fn the_description_says_more_of_a_recipe_as_of_any_column() {
    let toml = r#"drop = ["when", "Hidden"]
[features]
Hidden = "split(name, ', ', 2)"
Title = "split(Hidden, '.', 1)"
Size = "sib + 1"
[columns.Size]
type = "categorical"
[columns.Title]
missing = ["Mrs"]
"#;
    let competition = load(toml).unwrap();
    assert!(competition.features.column("Hidden").is_none());
    let size = competition.features.column("Size").unwrap();
    let Values::Categorical { codes, levels } = &size.values else { panic!("{size:?}") };
    assert_eq!((codes.as_slice(), levels.join(" ")), (&[1, 0, 2, 0][..], "1 2 3 6".to_string()));
    // `Mr` alone is left in train: constant but for its gaps.
    let title = competition.features.column("Title").unwrap();
    assert_eq!(title.values.n_missing(), 2);
}

#[test]
fn folds_go_by_a_group_that_a_recipe_makes() {
    let toml = "[features]\nFamily = \"split(id, '_', 1)\"\nEven = \"sib * 0\"\n[folds]\nscheme = \"group\"\nn = 3\ngroup = \"Family\"\n";
    assert_eq!(load(toml).unwrap().groups.unwrap(), [0, 0, 1, 2]);
    let numeric =
        toml.replace("group = \"Family\"", "group = \"Size\"").replace("Even = \"sib * 0\"", "Size = \"sib + 1\"");
    assert_eq!(load(&numeric).unwrap().groups.unwrap(), [0, 1, 2, 1]);
}

#[test]
fn what_a_recipe_cannot_read_is_named() {
    let refused = |toml: &str, words: &str| {
        let message = load(toml).unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    };
    refused("[features]\nx = \"name + 1\"\n", "column `name` of ");
    refused("[features]\nx = \"name + 1\"\n", "train.csv, row 1: holds `A, Mr. X`, which is not a number (recipe `x`)");
    refused("[features]\nx = \"sibb + 1\"\n", "competition.toml: the recipe `x` uses `sibb`");
    refused("[features]\nx = \"y\"\n", "which is the target");
    refused("[features]\nx = 3\n", "expected a string");
    refused("[featurs]\nx = \"sib\"\n", "did you mean `features`?");
    refused(
        "drop = [\"X\"]\n[features]\nx = \"sib\"\n",
        "`drop` names a column `X`, which no file has; did you mean `x`?",
    );
    refused(
        "drop = [\"name\"]\n[features]\nx = \"learned_mean(age, name)\"\n",
        "learns inside folds from `name`, which is no feature there",
    );
    refused(
        "[features]\nx = \"learned_mean(cabin, sib)\"\n",
        "the recipe `x` uses `cabin`, which is categorical, where numbers are wanted",
    );
    refused("drop = [\"x\"]\n[features]\nx = \"learned_count(sib)\"\n", "and is a column there alone");
}

#[test]
fn a_recipe_that_gives_nothing_says_so() {
    let competition = load("[features]\nx = \"match(name, 'never')\"\n").unwrap();
    assert!(
        competition.notes.iter().any(|note| note == "the recipe `x` is missing in every row of train"),
        "{:?}",
        competition.notes
    );
    assert!(competition.features.column("x").is_none());
}

#[test]
fn recipes_are_part_of_what_studies_are_made_on() {
    let one = load("[features]\nx = \"sib + 1\"\n").unwrap().fingerprint;
    assert_ne!(one, load("[features]\nx = \"sib + 2\"\n").unwrap().fingerprint);
    assert_ne!(one, load("").unwrap().fingerprint);
}

const LEARNED: &str = "[features]\nTitle = \"match(name, ' ([A-Za-z]+)')\"\nMeanAge = \"learned_mean(age, Title)\"\n\
                       Older = \"age - MeanAge\"\nMiddle = \"learned_median(age, sib == 0) * 2\"\nTitles = \"learned_count(Title)\"\n";

/// The columns that recipes learn from some of train's rows, for these rows and for the others.
fn learned(competition: &Competition, rows: &[u32], others: &Table) -> (Table, Table) {
    let (train, cancel) = (competition.features.take(rows), Cancel::new());
    let ctx = TransformContext { weights: None, seed: Seed::new(1), cancel: &cancel };
    let y = Target::Values(vec![0.0; rows.len()]);
    let fitted = competition.learned.as_ref().unwrap().fit(&train, &y, &ctx).unwrap();
    (fitted.transform_train(&train).unwrap(), fitted.transform(others).unwrap())
}

#[test]
fn learned_recipes_know_the_training_rows_alone() {
    let competition = load(LEARNED).unwrap();
    assert!(competition.features.column("MeanAge").is_none());
    let test = &competition.test.as_ref().unwrap().features;
    let (train, test) = learned(&competition, &[0, 1, 3], test);
    assert_eq!(numbers(&train, "MeanAge"), [20.0, 40.0, 40.0]);
    assert_eq!(numbers(&train, "Older"), [0.0, -10.0, 10.0]);
    assert_eq!(numbers(&train, "Middle"), [40.0, 80.0, 80.0]);
    assert_eq!(numbers(&test, "Titles"), [0.0, 1.0]);
    assert!(numbers(&test, "MeanAge")[0].is_nan());
    assert_eq!(numbers(&test, "MeanAge")[1], 20.0);
    // A leak: were the rows to be scored counted too, these would change.
    let planted = competition.features.take(&[2, 2, 2, 2]);
    assert_eq!(learned(&competition, &[0, 1, 3], &planted).0, train);
}

#[test]
fn a_sweep_learns_recipes_inside_its_folds() {
    let workspace = Workspace::with(&["penguins"]);
    let path = "competitions/penguins/competition.toml";
    let toml = workspace.read(path);
    let recipes = "\n[features]\nbill = \"bill_length_mm / bill_depth_mm\"\nmass = \"body_mass_g - learned_mean(body_mass_g, island)\"\n";
    workspace.write(path, toml + recipes);
    let shown = workspace.run("show penguins").ok();
    assert!(
        shown.stdout.contains("learned inside each fold: `mass`") && shown.stdout.contains("bill"),
        "{}",
        shown.stdout
    );
    for jobs in [1, 2] {
        workspace
            .run(&format!("sweep penguins --models logistic,gbdt --trials 4 --seed 1 --jobs {jobs} --study s{jobs}"))
            .ok();
    }
    let scores = |study: &str| -> Vec<serde_json::Value> {
        let trials = workspace.run(&format!("trials {study} --output json")).ok().json();
        trials.as_array().unwrap().iter().map(|trial| trial["score"].clone()).collect()
    };
    assert_eq!(scores("s1").len(), 4);
    assert_eq!(scores("s1"), scores("s2"));
    workspace.run("submit penguins --best").ok();
    workspace.run("submit penguins --best --average").ok();
}

#[test]
fn titanic_and_spaceship_have_their_recipes() {
    let Some(data) = real_data("titanic_and_spaceship_have_their_recipes") else { return };
    let workspace = Workspace::with(&[]);
    for (slug, recipes, column, cells) in [
        (
            "titanic",
            "Title = 'match(Name, \" ([A-Za-z]+)\\.\")'\n",
            "Title",
            "Mr (517), Miss (182), Mrs (125), Master (40)",
        ),
        ("spaceship-titanic", "Deck = 'split(Cabin, \"/\", 1)'\n", "Deck", "F (2794), G (2559), E (876), B (779)"),
    ] {
        let from = data.join(slug);
        workspace.run(&format!("new competition {slug} --dir {} --metric accuracy", from.display())).ok();
        let path = format!("competitions/{slug}/competition.toml");
        workspace.write(&path, workspace.read(&path) + "\n[features]\n" + recipes);
        let shown = workspace.run(&format!("show {slug} --output json")).ok().json();
        let columns = shown["columns"].as_array().unwrap();
        let found = columns.iter().find(|found| found["column"] == column).unwrap();
        assert!(found["values"].as_str().unwrap().contains(cells), "{found}");
    }
}

/// A study's evaluation refits with the recipes fitted on all rows.
#[test]
fn a_refit_prepares_test_rows_with_the_recipes() {
    let competition = load(LEARNED).unwrap();
    let registry = Registry::builtin();
    let folds = competition.folds(Some(2)).unwrap();
    let spec = StudySpec::new("s", Direction::Maximize);
    let evaluation = Evaluation::new(&competition, &registry, folds, &spec, 1 << 30, deadline(None)).unwrap();
    let params = Params::from([("model", "logistic")]);
    let predicted = evaluation.refit(&params, Seed::new(3)).unwrap();
    assert_eq!(predicted[0].dim(), (2, 2));
}
