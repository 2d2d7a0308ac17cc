//! `submit --save` and `predict`: a fitted model kept, and rows of any file predicted by it.

use serde_json::{Value, json};

use crate::support::Workspace;

/// The built-in models that can be saved and fit classes.
const MODELS: [&str; 9] =
    ["baseline", "extra_trees", "gbdt", "gbdt_depth", "gbdt_symmetric", "knn", "logistic", "random_forest", "ridge"];

/// A study `mine` whose trials are the default points of these models.
fn swept(slug: &str, models: &[&str]) -> Workspace {
    let workspace = Workspace::with(&[slug]);
    let arguments = format!(
        "sweep {slug} --models {} --trials {} --search random --folds 3 --study mine --no-submission -q",
        models.join(","),
        models.len()
    );
    workspace.run(&arguments).ok();
    workspace
}

/// The lines below the header, sorted: a submission is in the order of the sample.
fn sorted_lines(text: &str) -> Vec<&str> {
    let mut lines: Vec<&str> = text.lines().collect();
    lines[1..].sort_unstable();
    lines
}

#[test]
fn every_saved_model_predicts_the_test_rows_as_it_did_when_it_was_fitted() {
    let workspace = swept("penguins", &MODELS);
    for number in 0..MODELS.len() {
        let submitted =
            workspace.run(&format!("submit penguins --trial mine/{number} --save --output json")).ok().json();
        assert_eq!(submitted["saved"], true);
        let ran = workspace
            .run(&format!(
                "predict penguins --trial mine/{number} competitions/penguins/test.csv -o out.csv --output json"
            ))
            .ok()
            .json();
        assert_eq!((&ran["rows"], &ran["unseen"]), (&json!(103), &json!([])), "{ran}");
        let (out, submission) = (workspace.read("out.csv"), workspace.read(submitted["file"].as_str().unwrap()));
        assert_eq!(sorted_lines(&out), sorted_lines(&submission), "{}", ran["model"]);
    }
    // Of the fold models too, whose mean it is.
    workspace.run("submit penguins --trial mine/2 --average --save").ok();
    let out = workspace.run("predict penguins --trial mine/2 --average competitions/penguins/test.csv").ok().stdout;
    let submission = workspace.read("submissions/penguins/mine-2-average.csv");
    assert_eq!(sorted_lines(&out), sorted_lines(&submission));
    let show = workspace.run("show mine/2").ok().stdout;
    assert!(show.contains("model_refit") && show.contains("model_average"), "{show}");
}

#[test]
fn values_on_another_scale_and_dates_come_back_as_they_were_submitted() {
    let workspace = Workspace::with(&["chicago-ridership"]);
    let toml = workspace.read("competitions/chicago-ridership/competition.toml");
    workspace.write("competitions/chicago-ridership/competition.toml", format!("target_scale = \"log1p\"\n{toml}"));
    workspace
        .run("sweep chicago-ridership --models ridge,gbdt --trials 2 --search random --study mine --no-submission -q")
        .ok();
    for number in 0..2 {
        workspace.run(&format!("submit chicago-ridership --trial mine/{number} --save")).ok();
        let out = workspace
            .run(&format!("predict chicago-ridership --trial mine/{number} competitions/chicago-ridership/test.csv"))
            .ok();
        let submission = workspace.read(&format!("submissions/chicago-ridership/mine-{number}-refit.csv"));
        assert_eq!(sorted_lines(&out.stdout), sorted_lines(&submission));
    }
}

#[test]
fn new_rows_are_found_by_their_columns_names_and_checked() {
    let workspace = swept("penguins", &["logistic", "gbdt"]);
    for number in 0..2 {
        workspace.run(&format!("submit penguins --trial mine/{number} --save")).ok();
    }
    let whole =
        workspace.run("predict penguins --trial mine/0 competitions/penguins/test.csv --output json").ok().json();
    // Other order, no id, a column too many: the same predictions, under the numbers of the rows.
    let test = workspace.read("competitions/penguins/test.csv");
    let turned: String = test
        .lines()
        .map(|line| {
            let mut cells: Vec<&str> = line.split(',').skip(1).collect();
            cells.reverse();
            format!("{},x\n", cells.join(","))
        })
        .collect();
    workspace.write("turned.csv", turned);
    let turned = workspace.run("predict penguins --trial mine/0 turned.csv --output json").ok().json();
    for (row, (a, b)) in turned.as_array().unwrap().iter().zip(whole.as_array().unwrap()).enumerate() {
        assert_eq!(a["id"], (row + 1).to_string());
        for class in ["Adelie", "Chinstrap", "Gentoo"] {
            assert_eq!(a[class], b[class], "row {row}");
        }
    }

    let header = "island,bill_length_mm,bill_depth_mm,flipper_length_mm,body_mass_g,sex";
    let check = |rows: &str, code: i32, words: &[&str]| {
        workspace.write("new.csv", rows);
        let ran = workspace.run("predict penguins --trial mine/1 new.csv").fails(code);
        for word in words {
            assert!(ran.stderr.contains(word), "no `{word}` in {}", ran.stderr);
        }
        ran
    };
    // A level that training did not hold, and gaps, are no fault.
    let ran = check(&format!("{header}\nBorneo,39.1,,181,3750,male\n"), 0, &["column `island`: 1 rows hold levels"]);
    assert_eq!(ran.stdout.lines().count(), 2);
    check(
        "island,bill_length_mm,bill_depth,flipper_length_mm,body_mass_g,sex\n",
        3,
        &["column `bill_depth_mm`", "new.csv", "missing", "did you mean `bill_depth`?"],
    );
    check("island\nBiscoe\n", 3, &["column `bill_length_mm`", "5 are missing"]);
    check(
        &format!("{header}\nBiscoe,39.1,18.7,181,3750,male\nBiscoe,39.1,18.7,many,3750,male\n"),
        3,
        &["column `flipper_length_mm`", "row 2", "`many`", "fitted on a numeric column"],
    );
    let ran = workspace.run("predict penguins --trial mine/1 nothing.csv").fails(3);
    assert!(ran.stderr.contains("nothing.csv"), "{}", ran.stderr);
}

#[test]
fn what_was_not_saved_or_cannot_be_says_what_to_do() {
    let workspace = swept("penguins", &["naive_bayes", "ridge"]);
    let test = "competitions/penguins/test.csv";
    let best = workspace.run(&format!("predict penguins --best {test}")).fails(2);
    assert!(best.stderr.contains("no saved model") && best.stderr.contains("--save"), "{}", best.stderr);
    let ran = workspace.run("submit penguins --trial mine/0 --save").fails(2);
    assert!(ran.stderr.contains("model `naive_bayes` cannot be saved"), "{}", ran.stderr);
    workspace.run("submit penguins --trial mine/0").ok();

    workspace.run("submit penguins --trial mine/1 --save").ok();
    let predicted = workspace.run(&format!("predict penguins --trial mine/1 {test}")).ok();
    let store = rusqlite::Connection::open(workspace.path(".medalist/store.db")).unwrap();
    let of = "name = 'model_refit' AND number = 1";
    let whole: Vec<u8> =
        store.query_row(&format!("SELECT bytes FROM attachments WHERE {of}"), [], |row| row.get(0)).unwrap();
    for broken in [&whole[..whole.len() / 2], b"rubbish", b""] {
        store.execute(&format!("UPDATE attachments SET bytes = ?1 WHERE {of}"), [broken]).unwrap();
        let ran = workspace.run(&format!("predict penguins --trial mine/1 {test}")).fails(3);
        assert!(ran.stderr.contains("the saved model is damaged"), "{}", ran.stderr);
    }
    store.execute(&format!("UPDATE attachments SET bytes = ?1 WHERE {of}"), [&whole]).unwrap();
    assert_eq!(workspace.run(&format!("predict penguins --trial mine/1 {test}")).ok().stdout, predicted.stdout);

    // Data that changed are said, and the model predicts as it did.
    let toml = workspace.read("competitions/penguins/competition.toml");
    workspace.write("competitions/penguins/competition.toml", toml.replace("seed = 0", "seed = 1"));
    let ran = workspace.run(&format!("predict penguins --trial mine/1 {test}")).ok();
    assert!(ran.stderr.contains("have changed since"), "{}", ran.stderr);
    assert_eq!(ran.stdout, predicted.stdout);
    let json: Value = workspace.run(&format!("predict penguins --trial mine/1 {test} --output json")).ok().json();
    assert_eq!(json.as_array().unwrap().len(), 103);
}

/// Each transform says what it has learned, or `--save` would refuse; a model is kept only where it predicts the test rows bit for bit.
#[test]
fn what_any_transform_has_learned_is_saved() {
    let workspace = Workspace::with(&["tate-acquired-art"]);
    let save = |study: &str, arguments: &str| {
        let command =
            format!("sweep tate-acquired-art --trials 1 --looks 1 --folds 3 --no-submission -q --study {study}");
        workspace.run(&format!("{command} {arguments}")).ok();
        let ran = workspace.run(&format!("submit tate-acquired-art --trial {study}/0 --save")).ok();
        assert!(ran.stderr.contains("saved the model"), "{}", ran.stderr);
    };
    let numbers = "--set prep.clip=0.01 --set prep.unskew=rank --set prep.text_components=20";
    let categories = "--set prep.min_count=3 --set prep.level_shares=true --set prep.target_encoding=add";
    save("all", &format!("--models ridge {numbers} {categories}"));
    save("log", "--models ridge --set prep.unskew=log --set prep.target_encoding=replace");
}
