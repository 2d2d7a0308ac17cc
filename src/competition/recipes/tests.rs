//! What recipes come to, and what is refused.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::table::MISSING;

const HEADER: [&str; 8] = ["id", "y", "Cabin", "Name", "Age", "SibSp", "Date", "VIP"];

const TRAIN: [[&str; 8]; 4] = [
    ["1_1", "0", "B/0/P", "Braund, Mr. Owen", "22", "1", "2024-02-29 13:45", "True"],
    ["1_2", "1", "", "Cumings, Mrs. John", "", "0", "2023-01-01", "False"],
    ["2_1", "0", "B/0/P", "Heikkinen", "0", "3", "", ""],
    ["3_1", "1", "G/7", "Fut, relle, Dr.  Al", "NA", "-2", "2023-01-07", "False"],
];
const TEST: [[&str; 8]; 2] = [
    ["4_1", "", "B/0/P", "Kelly, Mr. James", "34.5", "0", "2023-01-08", "True"],
    ["4_2", "", "F/1/S", "", "1", "1", "2023-01-09", "False"],
];

fn drafts(rows: &[[&str; 8]], recipes: &Recipes) -> Drafts {
    let column = |place: usize| {
        let cells = || rows.iter().map(move |row| row[place]);
        let number = |cell: &str| crate::reader::number(cell).unwrap_or(f64::NAN);
        let is_number = |cell: &str| cell.is_empty() || cell == "NA" || crate::reader::number(cell).is_some();
        if recipes.hold(HEADER[place]) != Some(Hold::Words) && cells().all(is_number) {
            return Draft::Numbers { values: cells().map(number).collect(), spellings: Vec::new() };
        }
        let mut words = Words::default();
        cells().for_each(|cell| words.push(Some(cell), &Plan::new(Hold::Words)));
        Draft::Words(words)
    };
    let header = HEADER.map(str::to_string).to_vec();
    Drafts { header, n_rows: rows.len(), columns: (0..HEADER.len()).map(column).collect() }
}

fn config(features: &[(&str, &str)]) -> Config {
    let text = "version = 1\ntask = \"binary\"\nid = \"id\"\ntarget = \"y\"\n[files]\ntrain = { path = \"t.csv\", sha256 = \"\" }\n\
                [metric]\nname = \"accuracy\"\n";
    let mut config = Config::parse(text).unwrap();
    config.features = features.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
    config
}

fn recipes(config: &Config) -> Result<Recipes> {
    let header = HEADER.map(str::to_string).to_vec();
    let headers = Headers {
        train: header.clone(),
        test: header,
        train_path: PathBuf::from("train.csv"),
        test_path: Some(PathBuf::from("test.csv")),
        recipes: Recipes::default(),
    };
    Recipes::new(config, &headers)
}

/// The cells of a recipe's column, train's and test's; empty where missing.
fn worked_out(features: &[(&str, &str)], wanted: &str) -> Result<Vec<String>> {
    let config = config(features);
    let recipes = recipes(&config)?;
    let (mut train, mut test) = (drafts(&TRAIN, &recipes), drafts(&TEST, &recipes));
    let mut parts = [
        Part { path: Path::new("train.csv"), drafts: &mut train },
        Part { path: Path::new("test.csv"), drafts: &mut test },
    ];
    recipes.apply(&config, &mut parts, &mut Vec::new())?;
    let mut cells = Vec::new();
    for drafts in [&train, &test] {
        match draft(drafts, wanted).expect("the recipe made a column") {
            Draft::Numbers { values, .. } => {
                cells.extend(values.iter().map(|value| if value.is_nan() { String::new() } else { value.to_string() }));
            }
            Draft::Words(words) => cells.extend(words.codes.iter().map(|&code| match code {
                MISSING => String::new(),
                code => words.levels[code as usize].to_string(),
            })),
            other => panic!("{other:?}"),
        }
    }
    Ok(cells)
}

/// The recipe `x` of this text, in train's four rows and test's two.
#[track_caller]
fn check(text: &str, expected: [&str; 6]) {
    assert_eq!(worked_out(&[("x", text)], "x").unwrap(), expected, "{text}");
}

#[test]
fn texts_are_split_matched_and_joined() {
    check("split(Cabin, '/', 1)", ["B", "", "B", "G", "B", "F"]);
    check("split(Cabin, '/', 3)", ["P", "", "P", "", "P", "S"]);
    check("split(Cabin, '/', -1)", ["P", "", "P", "7", "P", "S"]);
    check("split(Name, ',', 2)", ["Mr. Owen", "Mrs. John", "", "relle", "Mr. James", ""]);
    check("match(Name, \" ([A-Za-z]+)\\.\")", ["Mr", "Mrs", "", "Dr", "Mr", ""]);
    check("match(Name, '[A-Z]')", ["B", "C", "H", "F", "K", ""]);
    check("match(Name, '(\\w+), (\\w+)', 2)", ["Mr", "Mrs", "", "relle", "Mr", ""]);
    check("match(Name, '(x)?u', 1)", ["", "", "", "", "", ""]);
    check("lower(split(Cabin, '/', 1))", ["b", "", "b", "g", "b", "f"]);
    check("concat(split(Cabin, '/', 1), '-', split(id, '_', 2))", ["B-1", "", "B-1", "G-1", "B-1", "F-2"]);
    check("length(Name)", ["16", "18", "9", "19", "16", ""]);
    check("words(Name)", ["3", "3", "1", "4", "3", ""]);
    check("number(split(Cabin, '/', 2)) + 1", ["1", "", "1", "8", "1", "2"]);
    check("contains(Name, 'Mrs?\\.')", ["true", "true", "false", "false", "true", ""]);
    check("Cabin", ["B/0/P", "", "B/0/P", "G/7", "B/0/P", "F/1/S"]);
}

#[test]
fn arithmetic_keeps_gaps_and_makes_none_numbers_of_nothing() {
    check("SibSp + 1", ["2", "1", "4", "-1", "1", "2"]);
    check("Age * 2 - SibSp", ["43", "", "-3", "", "69", "1"]);
    check("Age / SibSp", ["22", "", "0", "", "", "1"]);
    check("SibSp ^ 2", ["1", "0", "9", "4", "0", "1"]);
    check("Age ^ 0", ["1", "", "1", "", "1", "1"]);
    check("log(SibSp)", ["0", "", &libm_log(3.0), "", "", "0"]);
    check("sqrt(SibSp - 1)", ["0", "", &2f64.sqrt().to_string(), "", "", "0"]);
    check("exp(SibSp * 1000)", ["", "1", "", "0", "1", ""]);
    check("max(Age, SibSp)", ["22", "", "3", "", "34.5", "1"]);
    check("min(Age, SibSp, 2)", ["1", "", "0", "", "0", "1"]);
    check("abs(SibSp) + floor(Age / 10) + round(0.5)", ["4", "", "4", "", "4", "2"]);
    check("-SibSp", ["-1", "-0", "-3", "2", "-0", "-1"]);
}

fn libm_log(value: f64) -> String {
    medalist_search::expression::Function::Log.of(&[value]).to_string()
}

#[test]
fn truths_know_a_third_value() {
    check("Age > 1", ["true", "", "false", "", "true", "false"]);
    check("Age > 1 and SibSp > 0", ["true", "false", "false", "false", "false", "false"]);
    check("Age > 1 or SibSp >= 0", ["true", "true", "true", "", "true", "true"]);
    check("not (Age > 1)", ["false", "", "true", "", "false", "true"]);
    check("VIP", ["True", "False", "", "False", "True", "False"]);
    check("not VIP", ["false", "true", "", "true", "false", "true"]);
    check("VIP == true", ["true", "false", "", "false", "true", "false"]);
    check("VIP == 'True'", ["true", "false", "", "false", "true", "false"]);
    check("VIP + SibSp", ["2", "0", "", "-2", "1", "1"]);
    check("(SibSp == 0) + (SibSp == 1)", ["1", "1", "0", "0", "1", "1"]);
    check("missing(Cabin)", ["false", "true", "false", "false", "false", "false"]);
    check("missing(Age)", ["false", "true", "false", "true", "false", "false"]);
    check("missing(Age / SibSp)", ["false", "true", "false", "true", "true", "false"]);
    check("coalesce(Age, -1)", ["22", "-1", "0", "-1", "34.5", "1"]);
    check("coalesce(split(Cabin, '/', 3), 'none')", ["P", "none", "P", "none", "P", "S"]);
    check("if(SibSp > 0, 'with', 'alone')", ["with", "alone", "with", "alone", "alone", "with"]);
    check("if(Age < 16, Age, 16)", ["16", "", "0", "", "16", "1"]);
    check("if(VIP, true, missing(Cabin))", ["true", "true", "", "false", "true", "false"]);
}

#[test]
fn dates_come_apart() {
    check("year(Date)", ["2024", "2023", "", "2023", "2023", "2023"]);
    check("weekday(Date) * 100 + hour(Date)", ["313", "600", "", "500", "600", "0"]);
    check("is_weekend(Date)", ["false", "true", "", "true", "true", "false"]);
    check("days(Date) - 19358", [&(1_709_214_300.0f64 / 86_400.0 - 19_358.0).to_string(), "0", "", "6", "7", "8"]);
}

#[test]
fn groups_are_counted_over_train_and_test_together() {
    check("count(Cabin)", ["3", "", "3", "1", "3", "1"]);
    check("count(split(id, '_', 1))", ["2", "2", "1", "1", "2", "2"]);
    check("count(Cabin, SibSp)", ["1", "", "1", "1", "1", "1"]);
    check("count(SibSp > 0)", ["3", "3", "3", "3", "3", "3"]);
    check("count(count(Cabin))", ["3", "", "3", "2", "3", "2"]);
    check(
        "count(SibSp) / 6",
        [
            "0.3333333333333333",
            "0.3333333333333333",
            "0.16666666666666666",
            "0.16666666666666666",
            "0.3333333333333333",
            "0.3333333333333333",
        ],
    );
}

#[test]
fn recipes_are_made_of_others_whatever_their_order() {
    let features =
        [("a", "b + 1"), ("b", "c * 2"), ("c", "SibSp"), ("d", "concat(deck, b)"), ("deck", "split(Cabin, '/', 1)")];
    assert_eq!(worked_out(&features, "a").unwrap(), ["3", "1", "7", "-3", "1", "3"]);
    assert_eq!(worked_out(&features, "d").unwrap(), ["B2", "", "B6", "G-4", "B0", "F2"]);
}

#[track_caller]
fn check_refused(features: &[(&str, &str)], words: &str) {
    let message = worked_out(features, features[0].0).unwrap_err().to_string();
    assert!(message.contains(words), "{features:?}: {message}");
}

#[test]
fn what_is_wrong_is_named() {
    let refused = |text: &str, words: &str| check_refused(&[("x", text)], words);
    refused("splt(Cabin, '/', 1)", "the recipe `x` calls `splt`, which is no function: did you mean `split`?");
    refused("Cabn", "uses `Cabn`, which is neither a column nor a recipe; did you mean `Cabin`?");
    refused("y + 1", "uses `y`, which is the target");
    refused("split(Cabin, '/')", "calls `split` wrongly: it is split(text, \"separator\", part)");
    refused("split(Cabin, '/', 0)", "parts counted from 1");
    refused("split(Cabin, '/', 1.5)", "parts counted from 1");
    refused("split(Cabin, Name, 1)", "its separator is a text in quotes");
    refused("split(Cabin, '', 1)", "an empty separator");
    refused("match(Name, '([a')", "which is none: unclosed character class");
    refused("match(Name, 'a', 1)", "a group of `match` that its pattern has not: they are 0 to 0");
    refused("match(Name, 'a{1000}{1000}{1000}')", "which is none:");
    refused("'a' + 1", "has a text where a number is wanted: \"a\"");
    refused("length(SibSp + 1)", "has a number where a text is wanted");
    refused("year(SibSp + 1)", "something else than one column");
    refused("min(Age)", "gives `min` 1 values, not two or more");
    refused("log()", "gives `log` 0 values, not 1");
    refused("coalesce(Age)", "calls `coalesce` wrongly");
    refused("Age +", "ends where a column, a number or a text is expected");
    refused("Age ~ 3", "has `~ 3` at character 5 where an operator is expected");
    refused("1e999 + 1", "too large");
    refused("", "ends where a column");
    refused("count(Age) + learned_count(Age)", "make a recipe of its own of `count`");
    check_refused(&[("Age", "SibSp")], "the recipe `Age` has the name of a column");
    check_refused(&[("a", "b + 1"), ("b", "c"), ("c", "a"), ("d", "SibSp")], "`a` of `b` of `c` of `a`");
    check_refused(&[("a", "a + 1")], "is made of itself: `a` of `a`");
    check_refused(
        &[("a", "concat(split(Cabin, '/', 1), learned_mean(Age, Cabin))")],
        "has a number where a text is wanted",
    );
    check_refused(&[("a", "learned_mean(Age, Cabin) > 3")], "learns inside folds and makes true or false");
    check_refused(&[("a", "b + count(Cabin)"), ("b", "learned_mean(Age, Cabin)")], "counts over all files");
}

#[test]
fn a_cell_that_is_not_what_it_is_taken_for_is_named_with_its_row() {
    let message = worked_out(&[("x", "Name + 1")], "x").unwrap_err().to_string();
    assert!(
        message.starts_with(
            "column `Name` of train.csv, row 1: holds `Braund, Mr. Owen`, which is not a number (recipe `x`)"
        ),
        "{message}"
    );
    let message = worked_out(&[("x", "year(Cabin)")], "x").unwrap_err().to_string();
    assert!(
        message
            .contains("row 1: holds `B/0/P`, which is not a date (recipe `x`); give its `format` in [columns.Cabin]"),
        "{message}"
    );
}

#[test]
fn texts_that_double_from_recipe_to_recipe_end_in_an_error() {
    let mut features = vec![("r0".to_string(), "concat(Name, Name)".to_string())];
    features.extend((1..64).map(|n| (format!("r{n}"), format!("concat(r{0}, r{0})", n - 1))));
    let features: Vec<(&str, &str)> = features.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let message = worked_out(&features, "r63").unwrap_err().to_string();
    assert!(
        message.contains("row 2: a text of more than 1048576 bytes would be joined here (recipe `r15`)"),
        "{message}"
    );
}

/// Whatever it is, it is refused in words or worked out, soon.
fn try_out(text: &str, second: &str) {
    let started = Instant::now();
    if let Err(error) = worked_out(&[("x", text), ("z", second)], "x") {
        assert!(!error.message.is_empty());
    }
    assert!(started.elapsed() < Duration::from_secs(20), "{text}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_refused_or_worked_out(text in any::<String>(), second in any::<String>()) {
        try_out(&text, &second);
    }

    #[test]
    fn any_text_of_the_right_words_is_refused_or_worked_out(words in prop::collection::vec(word(), 0..40), second in prop::collection::vec(word(), 0..8)) {
        try_out(&words.join(" "), &second.join(""));
    }

    #[test]
    fn a_recipe_shown_reads_back_as_itself(words in prop::collection::vec(word(), 0..12)) {
        if let Ok(expression) = Expression::parse(&words.join(" "), "a column") {
            prop_assert_eq!(Expression::parse(&expression.to_string(), "a column").unwrap(), expression);
        }
    }
}

fn word() -> impl Strategy<Value = String> {
    let known: Vec<&str> = functions::names().collect();
    prop_oneof![
        prop::sample::select(known).prop_map(|name| format!("{name}(")),
        prop::sample::select(HEADER.to_vec()).prop_map(str::to_string),
        prop::sample::select(vec![
            "(",
            ")",
            ",",
            "+",
            "-",
            "*",
            "/",
            "^",
            "<",
            "<=",
            "==",
            "!=",
            "and",
            "or",
            "not",
            "x",
            "z",
            "true",
            "1",
            "-1",
            "1e308",
            "0",
            "'/'",
            "'(a|b)*c'",
            "''",
            "\"",
            "`",
            "'",
            "é",
            "\0",
            "learned_mean(",
            "if(",
        ])
        .prop_map(str::to_string),
    ]
}
