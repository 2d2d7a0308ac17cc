//! The description of a competition, word by word.

use medalist::Registry;
use medalist::competition::config::Scheme;
use medalist::competition::guess::{self, NewCompetition};
use medalist::competition::{Config, Content};
use medalist::target::Task;

use crate::support;

const TEXT: &str = "version = 1\ntask = \"binary\"\nid = \"id\"\ntarget = \"y\"\n\n[files]\ntrain = { path = \"train.csv\", sha256 = \"00\" }\n\n[metric]\nname = \"accuracy\"\n";

#[track_caller]
fn refused(text: &str, words: &[&str]) {
    let error = Config::parse(text).expect_err("should be refused").to_string();
    for word in words {
        assert!(error.contains(word), "{error}\nshould say: {word}");
    }
}

#[test]
fn the_smallest_description() {
    let config = Config::parse(TEXT).unwrap();
    assert_eq!(config.targets(), ["y"]);
    assert_eq!(config.folds_text(), "5 kfold folds, seed 0");
}

#[test]
fn what_is_written_reads_back() {
    let text = format!(
        "title = \"A \\\"title\\\"\"\ntensor = [1, 8, 8]\nmissing = [\"NA\"]\n{TEXT}beta = 2\n\n[folds]\nscheme = \"group\"\ngroup = {{ column = \"id\", up_to = \"_\" }}\ngap = 0.5\n\n[columns.\"a b\"]\ntype = \"text\"\n"
    );
    let config = Config::parse(&text).unwrap();
    assert_eq!(config.metric.settings["beta"], 2);
    assert_eq!(Config::parse(&toml::to_string(&config).unwrap()).unwrap(), config);
}

#[test]
fn unknown_keys_are_answered_with_the_nearest() {
    refused(&format!("titel = \"x\"\n{TEXT}"), &["`titel`", "did you mean `title`?"]);
    refused(&format!("{TEXT}\n[folds]\nscheem = \"kfold\"\n"), &["`scheem` in [folds]", "`scheme`"]);
    refused(&format!("{TEXT}\n[columns.Age]\ntyp = \"numeric\"\n"), &["[columns.Age]", "`type`"]);
    refused(&TEXT.replace("sha256", "sha265"), &["[files.train]", "`sha256`"]);
    refused(&format!("{TEXT}\n[submission]\nzzzzzzzz = 1\n"), &["known keys are columns, prefix"]);
}

#[test]
fn the_version_is_checked_first() {
    refused(&TEXT.replace("version = 1", "version = 2\nfrobnicate = 1"), &["newer", "update medalist"]);
    refused(&TEXT.replace("version = 1\n", ""), &["`version` is missing"]);
    refused(&TEXT.replace("version = 1", "version = \"1\""), &["`version`"]);
}

#[test]
fn values_that_cannot_be_are_named() {
    refused(&TEXT.replace("binary", "binery"), &["binery"]);
    refused(&TEXT.replace("target = \"y\"", "target = []"), &["`target` names no column"]);
    refused(&TEXT.replace("target = \"y\"", "target = \"id\""), &["both `id` and `target`"]);
    refused(&format!("{TEXT}\n[folds]\nscheme = \"group\"\n"), &["needs `group`"]);
    refused(&format!("{TEXT}\n[folds]\nscheme = \"time_blocked\"\n"), &["needs `time`"]);
    refused(&format!("{TEXT}\n[folds]\nscheme = \"given\"\n"), &["either `column` or `file`"]);
    refused(&format!("{TEXT}\n[folds]\nrepeats = 0\n"), &["`repeats`"]);
    refused(&format!("{TEXT}\n[folds]\ngap = -1\n"), &["`gap`"]);
    refused(&format!("tensor = [1, 0]\n{TEXT}"), &["`tensor`"]);
    refused("version = 1\nnot toml", &["TOML"]);
}

/// What a competition's files say, and what must be found out from them.
struct Expected {
    slug: &'static str,
    metric: &'static str,
    id: &'static str,
    target: &'static str,
    task: Task,
    scheme: Scheme,
    /// Train's rows, test's rows.
    rows: (usize, usize),
    /// The submission's columns beside the id.
    columns: &'static [&'static str],
}

#[rustfmt::skip]
const REAL: [Expected; 7] = [
    Expected { slug: "titanic", metric: "accuracy", id: "PassengerId", target: "Survived", task: Task::Binary, scheme: Scheme::Stratified, rows: (891, 418), columns: &["Survived"] },
    Expected { slug: "house-prices-advanced-regression-techniques", metric: "rmse_log", id: "Id", target: "SalePrice", task: Task::Regression, scheme: Scheme::Stratified, rows: (1460, 1459), columns: &["SalePrice"] },
    Expected { slug: "bike-sharing-demand", metric: "rmsle", id: "datetime", target: "count", task: Task::Regression, scheme: Scheme::TimeBlocked, rows: (10886, 6493), columns: &["count"] },
    Expected { slug: "spaceship-titanic", metric: "accuracy", id: "PassengerId", target: "Transported", task: Task::Binary, scheme: Scheme::StratifiedGroup, rows: (8693, 4277), columns: &["Transported"] },
    Expected { slug: "playground-series-s3e26", metric: "log_loss", id: "id", target: "Status", task: Task::Multiclass, scheme: Scheme::Stratified, rows: (7905, 5271), columns: &["Status_C", "Status_CL", "Status_D"] },
    Expected { slug: "playground-series-s3e5", metric: "quadratic_weighted_kappa", id: "Id", target: "quality", task: Task::Ordinal, scheme: Scheme::Stratified, rows: (2056, 1372), columns: &["quality"] },
    Expected { slug: "nlp-getting-started", metric: "f1", id: "id", target: "target", task: Task::Binary, scheme: Scheme::Stratified, rows: (7613, 3263), columns: &["target"] },
];

#[test]
fn the_seven_are_worked_out_from_their_files() {
    let Some(data) = support::real_data("the_seven_are_worked_out_from_their_files") else { return };
    let registry = Registry::builtin();
    for expected in REAL {
        let folder = tempfile::tempdir().unwrap();
        let request = NewCompetition {
            slug: expected.slug.to_string(),
            dir: Some(data.join(expected.slug)),
            metric: Some(expected.metric.to_string()),
            ..NewCompetition::default()
        };
        let competition = guess::guess(&request, &registry).unwrap().write(folder.path(), &registry).unwrap();
        let config = &competition.config;
        let slug = expected.slug;
        assert_eq!(config.id.as_deref(), Some(expected.id), "{slug}");
        assert_eq!(config.targets(), [expected.target], "{slug}");
        assert_eq!(competition.task, expected.task, "{slug}");
        assert_eq!(config.folds.scheme, expected.scheme, "{slug}");
        let test = competition.test.as_ref().unwrap();
        assert_eq!((competition.features.n_rows(), test.ids.len()), expected.rows, "{slug}");
        let names: Vec<&str> = competition.layout.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, expected.columns, "{slug}");
        let is_class = |content: &Content| matches!(content, Content::Class { .. });
        let by_class = competition.layout.columns.iter().all(|column| is_class(&column.content));
        assert_eq!(by_class, expected.columns.len() > 1, "{slug}");
        assert!(competition.folds(None).unwrap().len() == 5, "{slug}");
        assert!(
            guess::guess(&request, &registry).unwrap().write(folder.path(), &registry).is_err(),
            "{slug} was overwritten"
        );
    }
}

#[test]
fn leaks_and_levels_of_the_real_files_are_handled() {
    let Some(data) = support::real_data("leaks_and_levels_of_the_real_files_are_handled") else { return };
    let registry = Registry::builtin();
    let load = |slug: &str, metric: &str| {
        let folder = tempfile::tempdir().unwrap();
        let request = NewCompetition {
            slug: slug.to_string(),
            dir: Some(data.join(slug)),
            metric: Some(metric.to_string()),
            ..NewCompetition::default()
        };
        guess::guess(&request, &registry).unwrap().write(folder.path(), &registry).unwrap()
    };
    let bike = load("bike-sharing-demand", "rmsle");
    // casual + registered is the target.
    assert!(bike.features.column("casual").is_none() && bike.features.column("registered").is_none());
    assert_eq!(&*bike.test.unwrap().ids[0], "2011-01-20 00:00:00");
    let spaceship = load("spaceship-titanic", "accuracy");
    assert_eq!(*spaceship.targets[0].labels, ["False", "True"]);
    assert_eq!(spaceship.train_ids.unwrap().get(0), "0001_01");
    let houses = load("house-prices-advanced-regression-techniques", "rmse_log");
    let levels = |name: &str| match &houses.features.column(name).unwrap().values {
        medalist::table::Values::Categorical { levels, .. } => levels.to_vec(),
        values => panic!("{name}: {values:?}"),
    };
    assert!(levels("MasVnrType").contains(&"None".to_string()));
    assert!(levels("Alley").contains(&"NA".to_string()));
}
