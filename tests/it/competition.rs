//! The description of a competition, word by word.

use medalist::competition::Config;

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
