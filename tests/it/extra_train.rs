//! `extra_train`: rows that train in every fold and are never scored.

use std::path::Path;

use medalist::Registry;
use medalist::competition::Competition;
use medalist::error::Error;
use medalist::evaluate::OUT_OF_FOLD;
use medalist::predictions::Predictions;
use medalist::reader::digest;
use medalist::search::Store;
use medalist::table::Values;
use medalist::target::Target;

use crate::support::Workspace;

const N_TRAIN: usize = 20;

/// Twenty rows of two classes; the further rows are told apart by numbers from 1000 on.
fn train() -> String {
    let row = |n: usize| format!("{n},{},{}.5,{}\n", n % 2, n % 7, ["a", "b"][n % 3 / 2]);
    "id,y,x,k\n".to_string() + &(0..N_TRAIN).map(row).collect::<String>()
}

const TEST: &str = "id,x,k\n100,1.5,a\n101,2.5,b\n";
const EXTRA: &str = "k,x,y,more\nc,1000,1,7\na,1001,0,8\nb,,1,9\n";

fn write(folder: &Path, extras: &[&str], toml: &str) {
    let mut files = String::from("\n[files]\n");
    for (role, text) in [("train", train()), ("test", TEST.to_string())] {
        let path = folder.join(format!("{role}.csv"));
        std::fs::write(&path, text).unwrap();
        files += &format!("{role} = {{ path = \"{role}.csv\", sha256 = \"{}\" }}\n", digest(&path).unwrap().sha256);
    }
    let mut names = Vec::new();
    for (place, text) in extras.iter().enumerate() {
        std::fs::write(folder.join(format!("extra{place}.csv")), text).unwrap();
        names.push(format!("\"extra{place}.csv\""));
    }
    let top =
        format!("version = 1\ntask = \"binary\"\nid = \"id\"\ntarget = \"y\"\nextra_train = [{}]\n", names.join(", "));
    let metric = if toml.contains("[metric]") { "" } else { "\n[metric]\nname = \"accuracy\"\n" };
    std::fs::write(folder.join("competition.toml"), format!("{top}{toml}{metric}{files}")).unwrap();
}

fn load(extras: &[&str], toml: &str) -> Result<Competition, Error> {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), extras, toml);
    Competition::load(folder.path(), &Registry::builtin())
}

#[track_caller]
fn numbers(competition: &Competition, name: &str) -> Vec<f64> {
    match &competition.features.column(name).unwrap_or_else(|| panic!("no {name}")).values {
        Values::Numeric(values) => values.clone(),
        values => panic!("{name} is {values:?}"),
    }
}

#[test]
fn further_rows_stand_behind_those_of_train() {
    let competition = load(&[EXTRA, "y,x\n0,2000\n"], "").unwrap();
    assert_eq!((competition.n_train_rows(), competition.n_extra_rows), (N_TRAIN, 4));
    let x = numbers(&competition, "x");
    assert_eq!((x[..2].to_vec(), x[20], x[21], x[23]), (vec![0.5, 1.5], 1000.0, 1001.0, 2000.0));
    assert!(x[22].is_nan());
    let Target::Classes { codes, .. } = &competition.targets[0].target else { panic!() };
    assert_eq!(codes[20..], [1, 0, 1, 0]);
    let Values::Categorical { codes, levels } = &competition.features.column("k").unwrap().values else { panic!() };
    assert_eq!((levels.join(""), codes[20..23].to_vec()), ("abc".to_string(), vec![2, 0, 1]));
    assert_eq!(competition.train_ids.as_ref().unwrap().len(), N_TRAIN);
    let notes = competition.notes.join("\n");
    assert!(notes.contains("only in extra0.csv, so not learned from: more"), "{notes}");
    assert!(notes.contains("extra1.csv lacks columns, which are missing in its rows: k"), "{notes}");
    assert_eq!(competition.features.column("k").unwrap().values.n_missing(), 1);
}

#[track_caller]
fn check_folds(toml: &str) {
    let competition = load(&[EXTRA], toml).unwrap();
    let alone = load(&[], toml).unwrap();
    for look in 0..=u32::from(alone.draws_folds()) {
        let folds = |competition: &Competition| {
            let first = competition.folds(None).unwrap();
            if look == 0 { first } else { competition.folds_of_look(&first, look).unwrap() }
        };
        let (with, without) = (folds(&competition), folds(&alone));
        assert!(!with.is_empty());
        for (with, without) in with.iter().zip(&without) {
            // The same rows are scored as without the further ones, which train in each.
            assert_eq!(with.valid, without.valid, "{toml}");
            assert_eq!(with.train, [without.train.clone(), vec![20, 21, 22]].concat(), "{toml}");
        }
    }
}

#[test]
fn further_rows_train_in_every_fold_and_are_scored_in_none() {
    check_folds("[folds]\nscheme = \"kfold\"\nn = 4\nrepeats = 2\n");
    check_folds("[folds]\nscheme = \"stratified\"\nn = 3\n");
    check_folds("[folds]\nscheme = \"group\"\nn = 2\ngroup = \"x\"\n");
    check_folds("[folds]\nscheme = \"stratified_group\"\nn = 2\ngroup = \"k\"\n");
    check_folds("[folds]\nscheme = \"leave_one_group_out\"\ngroup = \"k\"\n");
    check_folds("[folds]\nscheme = \"time_expanding\"\nn = 2\ntime = \"id\"\n");
    check_folds("[folds]\nscheme = \"time_blocked\"\nn = 2\ntime = \"id\"\n");
    check_folds("[folds]\nscheme = \"given\"\ncolumn = \"x\"\n");
}

#[test]
fn what_folds_cannot_keep_apart_is_said() {
    let notes = |toml: &str| load(&[EXTRA], toml).unwrap().notes.join("\n");
    let groups = notes("[folds]\nscheme = \"group\"\nn = 2\ngroup = \"k\"\n");
    assert!(groups.contains("2 rows of extra0.csv are of groups (`k`) that train has"), "{groups}");
    let times = notes("[folds]\nscheme = \"time_blocked\"\nn = 2\ntime = \"id\"\n");
    assert!(times.contains("train in every fold, whatever their time"), "{times}");
}

#[test]
fn rows_that_repeat_one_of_train_are_counted() {
    // Train's first row; its eighteenth under the other target; the first again; and none of them.
    let extra = "y,x,k\n0,0.5,a\n0,3.5,b\n0,0.5,a\n1,0.5,c\n";
    let notes = load(&[extra], "").unwrap().notes.join("\n");
    assert!(
        notes.contains("3 rows of extra0.csv repeat a row of train in every feature (2 in the target too)"),
        "{notes}"
    );
    let without_k = load(&["y,x\n0,0.5\n1,77\n"], "").unwrap().notes.join("\n");
    assert!(without_k.contains("1 rows of extra0.csv repeat"), "{without_k}");
    assert!(!load(&[EXTRA], "").unwrap().notes.join("\n").contains("repeat"));
}

#[test]
fn weights_of_further_rows_are_theirs_or_1() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &["y,x,w\n1,1000,3\n", "y,x\n0,2000\n"], "weight = \"w\"\n");
    let weighted = train().replace("id,y,x,k", "id,y,x,k,w").replace("a\n", "a,2\n").replace("b\n", "b,2\n");
    std::fs::write(folder.path().join("train.csv"), &weighted).unwrap();
    let path = folder.path().join("competition.toml");
    let toml = std::fs::read_to_string(&path).unwrap();
    let old = toml.split("train.csv\", sha256 = \"").nth(1).unwrap()[..64].to_string();
    let new = digest(&folder.path().join("train.csv")).unwrap().sha256;
    std::fs::write(&path, toml.replace(&old, &new)).unwrap();
    let competition = Competition::load(folder.path(), &Registry::builtin()).unwrap();
    assert_eq!(competition.weights.unwrap()[19..], [2.0, 3.0, 1.0]);
}

#[test]
fn what_further_rows_cannot_be_is_named() {
    let refused = |extra: &str, words: &str| {
        let message = load(&[extra], "").unwrap_err().to_string();
        assert!(message.contains("extra0.csv") && message.contains(words), "{message}");
    };
    refused("x,k\n1,a\n", "the target is missing: rows to learn from need it");
    refused("y,x\n2,1\n", "row 1: holds `2`, which is no label of train; the labels are 0, 1");
    refused("y,x\n1,1\n,1\n", "row 2: this row has no target");
    refused("y,x\n1,1\n1,much\n", "column `x`");
    refused("y,x\n1,1\n1,much\n", "row 2: holds `much`, which is not a finite number");
    refused("y,z\n1,1\n", "no column of this file is one that is learned from");
    refused("y,x\n", "no rows below its header");
    refused("y,x\n1\n", "row 1");
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &[EXTRA], "");
    std::fs::remove_file(folder.path().join("extra0.csv")).unwrap();
    assert!(Competition::load(folder.path(), &Registry::builtin()).unwrap_err().to_string().contains("extra0.csv"));
    let toml = std::fs::read_to_string(folder.path().join("competition.toml")).unwrap();
    let load_as = |extra: &str| {
        let toml = toml.replace("[\"extra0.csv\"]", extra);
        std::fs::write(folder.path().join("extra0.csv"), EXTRA).unwrap();
        std::fs::write(folder.path().join("competition.toml"), toml).unwrap();
        Competition::load(folder.path(), &Registry::builtin())
    };
    let described = |sha256: &str| load_as(&format!("[{{ path = \"extra0.csv\", sha256 = \"{sha256}\" }}]"));
    let refused = |result: Result<Competition, Error>, words: &str| {
        let message = result.unwrap_err().to_string();
        assert!(message.contains(words), "{message}");
    };
    refused(described(&"0".repeat(64)), "its sha256 is another");
    refused(load_as("[{ pth = \"extra0.csv\", sha256 = \"\" }]"), "did you mean `path`?");
    refused(load_as("[3]"), "`extra_train` holds 3, which is no file");
    let sha256 = digest(&folder.path().join("extra0.csv")).unwrap().sha256;
    assert_eq!(described(&sha256).unwrap().n_extra_rows, 3);
}

#[test]
fn other_bytes_are_other_data_though_no_checksum_says_so() {
    let one = load(&[EXTRA], "").unwrap().fingerprint;
    assert_ne!(one, load(&[&EXTRA.replace("1000", "1002")], "").unwrap().fingerprint);
    assert_ne!(one, load(&[], "").unwrap().fingerprint);
}

#[test]
fn a_logarithm_that_a_further_row_has_none_of_is_named_there() {
    let toml = "target_scale = \"log\"\n[metric]\nname = \"rmse\"\n";
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &["y,x\n5,1\n-1,2\n"], toml);
    let path = folder.path().join("competition.toml");
    let text = std::fs::read_to_string(&path).unwrap().replace("\"binary\"", "\"regression\"");
    let positive: String = train().lines().map(|line| line.replace(",0,", ",3,") + "\n").collect();
    std::fs::write(folder.path().join("train.csv"), positive).unwrap();
    let old = text.split("train.csv\", sha256 = \"").nth(1).unwrap()[..64].to_string();
    let new = digest(&folder.path().join("train.csv")).unwrap().sha256;
    std::fs::write(&path, text.replace(&old, &new)).unwrap();
    let message = Competition::load(folder.path(), &Registry::builtin()).unwrap_err().to_string();
    assert!(message.contains("extra0.csv, row 2") && message.contains("the target is -1"), "{message}");
}

/// What the folds of a model at its defaults predict for train's rows, by a sweep.
fn out_of_fold(extras: &[&str], model: &str) -> Predictions {
    let workspace = Workspace::with(&[]);
    std::fs::create_dir(workspace.path("competitions/c")).unwrap();
    write(&workspace.path("competitions/c"), extras, "");
    workspace.run(&format!("sweep c --models {model} --trials 1 --folds 4 --study s --no-submission")).ok();
    let opened = medalist::workspace::Workspace::find(None, &workspace.path(".")).unwrap();
    let bytes = opened.store().unwrap().attachment("s", 0, OUT_OF_FOLD).unwrap().unwrap();
    Predictions::from_bytes(&bytes).unwrap()
}

/// Leaks are looked for the other way round: what is learned must know the further rows, which are training rows, and only train's are predicted.
#[test]
fn models_and_transforms_learn_from_further_rows() {
    let extras = [EXTRA, "y,x\n1,1e6\n1,2e6\n"];
    for model in ["baseline", "logistic", "gbdt"] {
        let (with, without) = (out_of_fold(&extras, model), out_of_fold(&[], model));
        assert_eq!((with.outputs[0].nrows(), without.outputs[0].nrows()), (N_TRAIN, N_TRAIN));
        assert!(with.outputs[0].iter().all(|value| value.is_finite()));
        assert_ne!(with, without, "{model}");
    }
    // The baseline predicts the classes' shares among all rows that it is trained on: 15 of train's, and the five further ones.
    let competition = load(&extras, "").unwrap();
    let shares = out_of_fold(&extras, "baseline").outputs[0].clone();
    for fold in competition.folds(Some(4)).unwrap() {
        let Target::Classes { codes, .. } = competition.targets[0].target.take(&fold.train) else { panic!() };
        assert_eq!(codes.len(), 20);
        for row in fold.valid {
            let share = f64::from(codes.iter().sum::<u32>()) / 20.0;
            assert!((shares[[row as usize, 1]] - share).abs() < 1e-12, "{shares}");
        }
    }
}

#[test]
fn a_competition_is_written_swept_shown_and_submitted_with_further_rows() {
    let workspace = Workspace::with(&[]);
    workspace.write("in/train.csv", train());
    workspace.write("in/test.csv", TEST);
    workspace.write("in/original.csv", EXTRA);
    let new = "new competition c --dir in --extra-train in/original.csv --metric accuracy";
    let ran = workspace.run(new).ok();
    assert!(ran.stderr.contains("20 rows and 3 that only train"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("tables that are not used"), "{}", ran.stderr);
    let toml = workspace.read("competitions/c/competition.toml");
    let sha256 = digest(&workspace.path("in/original.csv")).unwrap().sha256;
    assert!(toml.contains("original.csv") && toml.contains(&sha256), "{toml}");
    let shown = workspace.run("show c --output json").ok().json();
    assert_eq!((&shown["rows"], &shown["extra_rows"]), (&20.into(), &3.into()));
    assert_eq!(shown["targets"][0]["counts"], serde_json::json!([10, 10]));
    let folds = workspace.run("folds c --output csv").ok().stdout;
    assert_eq!(folds.lines().count(), 1 + N_TRAIN);
    workspace.run("sweep c --models logistic,gbdt --trials 4 --folds 4 --study s --jobs 1").ok();
    workspace.run("sweep c --models logistic,gbdt --trials 6 --folds 4 --study s --jobs 2").ok();
    let folds = workspace.run("folds s --output csv").ok().stdout;
    assert_eq!(folds.lines().count(), 1 + N_TRAIN);
    workspace.run("submit c --best").ok();
    workspace.run("submit c --best --average").ok();
    workspace.write("competitions/c/original.csv", EXTRA.replace("1000", "999"));
    let changed = workspace.run("show c").fails(3);
    assert!(changed.stderr.contains("original.csv") && changed.stderr.contains("sha256"), "{}", changed.stderr);
}
