//! `new competition` on files made for one decision each.

use std::io::Write;

use crate::support::{Ran, Workspace};

/// A workspace with the files of one competition in `in/`.
fn with_files(files: &[(&str, String)]) -> Workspace {
    let workspace = Workspace::with(&[]);
    for (name, text) in files {
        workspace.write(&format!("in/{name}"), text);
    }
    workspace
}

fn rows(header: &str, n: usize, row: impl Fn(usize) -> String) -> String {
    std::iter::once(header.to_string()).chain((0..n).map(row)).map(|line| line + "\n").collect()
}

fn usual() -> [(&'static str, String); 3] {
    [
        ("train.csv", rows("id,x,kind,y", 60, |n| format!("{n},{}.5,{},{}", n % 7, ["a", "b", "c"][n % 3], n % 2))),
        ("test.csv", rows("id,x,kind", 20, |n| format!("{},{}.5,{}", 60 + n, n % 5, ["a", "b"][n % 2]))),
        ("sample_submission.csv", rows("id,y", 20, |n| format!("{},0", 60 + n))),
    ]
}

#[track_caller]
fn guessed(workspace: &Workspace, flags: &str) -> (Ran, String) {
    let ran = workspace.run(&format!("new competition c {flags}")).ok();
    (ran, workspace.read("competitions/c/competition.toml"))
}

#[track_caller]
fn check_toml(toml: &str, lines: &[&str]) {
    for line in lines {
        assert!(toml.contains(line), "no `{line}` in\n{toml}");
    }
}

#[test]
fn id_target_task_and_folds_come_from_the_files() {
    let workspace = with_files(&usual());
    let (ran, toml) = guessed(&workspace, "--dir in");
    check_toml(
        &toml,
        &["id = \"id\"", "target = \"y\"", "task = \"binary\"", "name = \"accuracy\"", "scheme = \"stratified\""],
    );
    assert!(ran.stderr.contains("no metric was named"), "{}", ran.stderr);
    workspace.run("sweep c --models logistic --trials 2 --folds 3").ok();
}

#[test]
fn an_error_names_the_file_that_the_user_gave() {
    let twice = rows("id,x,kind", 3, |n| format!("7,{n},a"));
    let workspace = with_files(&[usual()[0].clone(), ("test.csv", twice)]);
    let ran = workspace.run("new competition c --train in/train.csv --test in/test.csv --metric accuracy").fails(3);
    assert!(ran.stderr.contains("test.csv") && !ran.stderr.contains(".new-"), "{}", ran.stderr);
    assert!(std::fs::read_dir(workspace.path("competitions")).unwrap().next().is_none());
    workspace.write("in/semicolons.csv", rows("id;x;y", 3, |n| format!("{n};1;2")));
    let ran = workspace.run("new competition c --train in/semicolons.csv --target y --metric accuracy").fails(2);
    assert!(ran.stderr.contains("';'") && ran.stderr.contains("commas"), "{}", ran.stderr);
}

#[test]
fn nothing_is_overwritten_and_nothing_half_done_is_left() {
    let workspace = with_files(&usual());
    guessed(&workspace, "--dir in --metric accuracy");
    let before = workspace.read("competitions/c/competition.toml");
    let again = workspace.run("new competition c --dir in --metric roc_auc").fails(2);
    assert!(again.stderr.contains("nothing was overwritten"), "{}", again.stderr);
    assert_eq!(workspace.read("competitions/c/competition.toml"), before);
    workspace.write("in/test.csv", "id,x\n60\n");
    workspace.run("new competition d --dir in").fails(3);
    let left: Vec<_> = std::fs::read_dir(workspace.path("competitions")).unwrap().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}

#[test]
fn a_download_is_taken_as_it_is() {
    let workspace = with_files(&[]);
    let file = std::fs::File::create(workspace.path("c.zip")).unwrap();
    let mut zip = zip::ZipWriter::new(file);
    for (name, text) in usual() {
        zip.start_file(format!("data/{name}"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    let (_, toml) = guessed(&workspace, "--zip c.zip");
    check_toml(&toml, &["path = \"train.csv\"", "path = \"test.csv\"", "path = \"sample_submission.csv\""]);
}

#[test]
fn class_columns_are_known_by_label_and_by_prefix() {
    for prefix in ["", "kind_"] {
        let mut files = usual();
        files[0].1 = rows("id,x,kind", 60, |n| format!("{n},{}.5,{}", n % 7, ["a", "b", "c"][n % 3]));
        files[1].1 = rows("id,x", 20, |n| format!("{},{}.5", 60 + n, n % 5));
        files[2].1 = rows(&format!("id,{prefix}c,{prefix}a,{prefix}b"), 20, |n| format!("{},0.2,0.3,0.5", 60 + n));
        let workspace = with_files(&files);
        let (_, toml) = guessed(&workspace, "--dir in");
        check_toml(&toml, &["target = \"kind\"", "task = \"multiclass\"", "name = \"log_loss\""]);
        workspace.run("sweep c --models logistic --trials 1 --folds 3").ok();
        let file = workspace.submissions("c").pop().unwrap();
        let text = std::fs::read_to_string(file).unwrap();
        assert!(text.starts_with(&format!("id,{prefix}c,{prefix}a,{prefix}b\n60,")), "{text}");
    }
}

#[test]
fn groups_and_times_that_the_test_set_keeps_apart_make_the_scheme() {
    let check = |train: String, test: String, sample: String, lines: &[&str]| {
        let workspace = with_files(&[("train.csv", train), ("test.csv", test), ("sample_submission.csv", sample)]);
        let (_, toml) = guessed(&workspace, "--dir in");
        check_toml(&toml, lines);
        workspace.run("sweep c --models baseline --trials 1").ok();
    };
    // Ids of which the part before `_` is shared.
    let id = |n: usize| format!("{:04}_{:02}", n / 3, n % 3);
    check(
        rows("id,x,y", 90, |n| format!("{},{}.5,{}", id(n), n % 7, n % 2)),
        rows("id,x", 30, |n| format!("{},{}.5", id(90 + n), n % 7)),
        rows("id,y", 30, |n| format!("{},0", id(90 + n))),
        &["scheme = \"stratified_group\"", "up_to = \"_\""],
    );
    // A column whose values the test rows do not share.
    check(
        rows("id,who,x,y", 90, |n| format!("{n},artist {},{}.5,{}.25", n / 3, n % 7, n % 11)),
        rows("id,who,x", 30, |n| format!("{},painter {},{}.5", 90 + n, n / 3, n % 7)),
        rows("id,y", 30, |n| format!("{},0.5", 90 + n)),
        &["scheme = \"group\"", "group = \"who\""],
    );
    // The test rows are the future.
    let day = |n: usize| format!("2020-{:02}-{:02}", 1 + n / 28, 1 + n % 28);
    check(
        rows("id,day,x,y", 90, |n| format!("{n},{},{}.5,{}.25", day(n), n % 7, n % 11)),
        rows("id,day,x", 30, |n| format!("{},{},{}.5", 90 + n, day(90 + n), n % 7)),
        rows("id,y", 30, |n| format!("{},0.5", 90 + n)),
        &["scheme = \"time_expanding\"", "time = \"day\""],
    );
}

#[test]
fn what_is_not_one_prediction_a_row_is_refused_by_name() {
    let check = |sample: String, words: &str| {
        let mut files = usual();
        files[2].1 = sample;
        let ran = with_files(&files).run("new competition c --dir in").fails(3);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    };
    check(rows("id,y", 40, |n| format!("{},0", 60 + n / 2)), "several rows an id");
    check(rows("id,EncodedPixels", 20, |n| format!("{},1 3 10 5", 60 + n)), "run-length masks");
    check(rows("id,y", 20, |n| format!("{},0", 61 + n)), "id `60` is not in the sample");
}

#[test]
fn every_guess_can_be_given() {
    let workspace = with_files(&usual());
    let flags = "--train in/train.csv --test in/test.csv --sample in/sample_submission.csv --title Mine --id id --target y --task binary \
                 --metric roc_auc --scheme kfold --folds 4 --positive 0 --drop kind --type x=categorical --missing NA,?";
    let (_, toml) = guessed(&workspace, flags);
    check_toml(
        &toml,
        &[
            "title = \"Mine\"",
            "name = \"roc_auc\"",
            "scheme = \"kfold\"",
            "n = 4",
            "positive = \"0\"",
            "drop = [\"kind\"]",
            "type = \"categorical\"",
            "missing = [\"NA\", \"?\"]",
        ],
    );
}
