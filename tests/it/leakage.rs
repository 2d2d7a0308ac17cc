//! A leak planted in each transform's way: the rows to be scored hold what the training rows must not know.

use std::sync::Arc;

use medalist::Registry;
use medalist::model::{AnyInput, Dense, InputKind};
use medalist::prepare::{Prepared, prepare};
use medalist::search::{Cancel, Params, Seed, Value};
use medalist::table::{Column, ColumnType, MISSING, Table, Values};
use medalist::target::Target;

const N_TRAIN: usize = 12;

/// One column for 12 training rows and those that follow them.
fn column(kind: ColumnType, values: Values) -> (Table, Table) {
    let n_rows = values.len();
    let table = Table::new(n_rows, vec![Arc::new(Column { name: "x".to_string(), kind, values })]);
    let rows: Vec<u32> = (0..n_rows as u32).collect();
    (table.take(&rows[..N_TRAIN]), table.take(&rows[N_TRAIN..]))
}

fn run(params: Params, (train, scored): (Table, Table)) -> Prepared {
    let y = Target::Values((0..N_TRAIN).map(|row| row as f64).collect());
    let (seed, cancel) = (Seed::new(1), Cancel::new());
    prepare(&Registry::builtin(), InputKind::Dense, &params, &train, &y, None, &scored, None, seed, &cancel).unwrap()
}

fn dense(input: &AnyInput) -> &Dense {
    match input {
        AnyInput::Dense(dense) => dense,
        _ => panic!("asked for dense input"),
    }
}

/// The training rows become the same whatever the rows to be scored hold.
#[track_caller]
fn check(params: Params, plain: (Table, Table), planted: (Table, Table), expected_names: &[&str]) {
    let (plain, planted) = (run(params.clone(), plain), run(params, planted));
    assert_eq!(dense(&planted.train).x, dense(&plain.train).x);
    assert_eq!(*dense(&planted.train).names, expected_names);
    assert_eq!(dense(&planted.scored).names, dense(&planted.train).names);
}

fn numbers(scored: &[f64]) -> (Table, Table) {
    let train = (0..N_TRAIN).map(|row| (row * row % 7) as f64);
    column(ColumnType::Numeric, Values::Numeric(train.chain(scored.iter().copied()).collect()))
}

#[test]
fn the_scale_knows_nothing_of_an_outlier_to_be_scored() {
    for scale in ["standard", "minmax", "robust"] {
        check(Params::from([("scale", scale)]), numbers(&[1.0]), numbers(&[1e9]), &["x"]);
    }
}

#[test]
fn a_gap_is_filled_from_the_training_rows_alone() {
    let gap = |scored: f64| {
        let train = (0..N_TRAIN).map(|row| if row == 5 { f64::NAN } else { row as f64 });
        column(ColumnType::Numeric, Values::Numeric(train.chain([scored; 40]).collect()))
    };
    for impute in ["median", "mean", "most_frequent"] {
        check(Params::from([("impute", impute)]), gap(3.0), gap(1e9), &["x", "x.missing"]);
    }
}

#[test]
fn a_gap_among_the_rows_to_be_scored_makes_no_indicator() {
    check(Params::new(), numbers(&[1.0]), numbers(&[f64::NAN]), &["x"]);
}

fn categories(scored: &[u32]) -> (Table, Table) {
    let levels = Arc::new(["a", "b", "c", "d"].map(str::to_string).to_vec());
    let codes = (0..N_TRAIN as u32).map(|row| row % 2).chain(scored.iter().copied()).collect();
    column(ColumnType::Categorical, Values::Categorical { codes, levels })
}

#[test]
fn a_level_that_only_rows_to_be_scored_hold_gets_no_column() {
    let params = Params::from([("min_frequency", Value::Int(1))]);
    check(params.clone(), categories(&[0]), categories(&[2, 3, 3, 3, 3, 3]), &["x=a", "x=b"]);
    check(params, categories(&[0]), categories(&[MISSING]), &["x=a", "x=b"]);
}

#[test]
fn a_level_that_only_rows_to_be_scored_hold_changes_no_rank() {
    // Level c would lie between none of the ranks, and shift d.
    check(Params::from([("encoding", "ordinal")]), categories(&[0]), categories(&[2, 2, 3]), &["x"]);
    let prepared = run(Params::from([("encoding", "ordinal"), ("scale", "none")]), categories(&[1, 2, 3, MISSING]));
    assert_eq!(dense(&prepared.scored).x.column(0).to_vec(), [1.0, 2.0, 2.0, -1.0]);
}

#[test]
fn how_often_rows_to_be_scored_hold_a_level_does_not_make_it_frequent() {
    let levels = Arc::new(["a", "b", "c"].map(str::to_string).to_vec());
    let category = |scored: u32| {
        let codes = (0..N_TRAIN as u32).map(|row| if row == 0 { 2 } else { row % 2 }).chain([scored; 50]).collect();
        column(ColumnType::Categorical, Values::Categorical { codes, levels: levels.clone() })
    };
    let params = Params::from([("min_frequency", Value::Int(3))]);
    check(params, category(0), category(2), &["x=a", "x=b", "x=(other)"]);
}

#[test]
fn parts_of_dates_that_vary_only_among_rows_to_be_scored_are_left_out() {
    let dates = |scored: f64| {
        // Twelve days of January 2024 at midnight.
        let train = (0..N_TRAIN).map(|row| 1_704_067_200.0 + 86_400.0 * row as f64);
        column(ColumnType::Date, Values::Date(train.chain([scored; 3]).collect()))
    };
    let names = ["x.day", "x.weekday", "x.day_of_year", "x.days"];
    check(Params::new(), dates(1_704_067_200.0), dates(1_809_214_300.0), &names);
}

#[test]
fn counts_of_texts_that_vary_only_among_rows_to_be_scored_are_left_out() {
    let texts = |scored: &str| {
        let train = (0..N_TRAIN).map(|row| Some(Arc::from("ab ".repeat(1 + row % 3))));
        column(ColumnType::Text, Values::Text(train.chain([Some(Arc::from(scored))]).collect()))
    };
    check(Params::new(), texts("ab"), texts("A1! much longer"), &["x.n_chars", "x.n_words"]);
}

#[test]
fn an_outlier_to_be_scored_moves_no_bound() {
    let params = Params::from([("clip", Value::from(0.05))]);
    check(params, numbers(&[1.0]), numbers(&[1e9; 40]), &["x"]);
}

#[test]
fn an_outlier_to_be_scored_skews_no_column_and_shifts_no_rank() {
    for unskew in ["log", "rank"] {
        // The training rows have a skewness of 0.34.
        check(Params::from([("unskew", unskew)]), numbers(&[1.0]), numbers(&[1e9; 3]), &["x"]);
        let params = Params::from([("unskew", Value::from(unskew)), ("min_skewness", Value::from(0.5))]);
        let tail = |scored: f64| {
            let train = (0..N_TRAIN).map(|row| f64::powi(2.0, row as i32));
            column(ColumnType::Numeric, Values::Numeric(train.chain([scored; 3]).collect()))
        };
        check(params, tail(1.0), tail(1e9), &["x"]);
    }
}

/// 12 training rows with six levels, one of them four times, and those that follow.
fn many_categories(scored: &[u32]) -> (Table, Table) {
    let levels = Arc::new((0..9).map(|level| format!("l{level}")).collect());
    let train = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 5];
    let codes = train.into_iter().chain(scored.iter().copied()).collect();
    column(ColumnType::Categorical, Values::Categorical { codes, levels })
}

#[test]
fn how_often_rows_to_be_scored_hold_a_level_keeps_it_rare() {
    let params = Params::from([("min_count", Value::Int(3)), ("min_frequency", Value::Int(1))]);
    check(params, many_categories(&[0]), many_categories(&[1; 50]), &["x=l0", "x=(other)"]);
}

#[test]
fn shares_of_levels_are_those_of_the_training_rows() {
    let params =
        [("level_shares", Value::from(true)), ("encoding", Value::from("ordinal")), ("scale", Value::from("none"))];
    check(Params::from(params.clone()), many_categories(&[0]), many_categories(&[5; 50]), &["x", "x.share"]);
    let prepared = run(Params::from(params), many_categories(&[5, 5, 5, 0, 8]));
    let twelfths = dense(&prepared.scored).x.column(1).mapv(|share| share * 12.0).to_vec();
    assert_eq!(twelfths, [1.0, 1.0, 1.0, 4.0, 0.0]);
}

fn target_encoding(min_levels: i64) -> Params {
    Params::from([
        ("target_encoding", Value::from("replace")),
        ("target_min_levels", Value::Int(min_levels)),
        ("scale", Value::from("none")),
    ])
}

#[test]
fn levels_of_rows_to_be_scored_encode_nothing() {
    check(target_encoding(4), many_categories(&[0]), many_categories(&[5, 6, 7, 8, MISSING]), &["x.target"]);
}

#[test]
fn a_level_of_its_own_does_not_betray_a_rows_target() {
    // The level says the target, if one may look at one's own row.
    let levels = Arc::new((0..N_TRAIN).map(|row| format!("l{row}")).collect());
    let codes = (0..N_TRAIN as u32).chain([0, 1]).collect();
    let prepared = run(target_encoding(4), column(ColumnType::Categorical, Values::Categorical { codes, levels }));
    let train = dense(&prepared.train).x.column(0).to_vec();
    // All that a training row gets is the mean of the other parts, of which there are five.
    let mut distinct = train.clone();
    distinct.sort_unstable_by(f64::total_cmp);
    distinct.dedup();
    assert!(distinct.len() <= 5, "{train:?}");
    // Rows to be scored get what their level's row knew, drawn to the mean of 5.5.
    let scored = dense(&prepared.scored).x.column(0).to_vec();
    assert!((scored[0] - (0.0 + 20.0 * 5.5) / 21.0).abs() < 1e-12 && scored[1] > scored[0], "{scored:?}");
}

fn texts(scored: &[&str]) -> (Table, Table) {
    let words = ["fire near", "flood near", "storm far", "fire far"];
    let train = (0..N_TRAIN).map(|row| words[row % words.len()]);
    let texts = train.chain(scored.iter().copied()).map(|text| Some(Arc::from(text))).collect();
    column(ColumnType::Text, Values::Text(texts))
}

#[test]
fn words_of_rows_to_be_scored_turn_no_direction() {
    let params = Params::from([
        ("text_components", Value::Int(20)),
        ("text_stats", Value::from(false)),
        ("text_min_df", Value::Int(1)),
    ]);
    // Four texts make four directions.
    let planted = texts(&["unheard of", "fire fire fire", "storm near", "of of of"]);
    check(params, texts(&["fire"]), planted, &["x.svd1", "x.svd2", "x.svd3", "x.svd4"]);
}

#[test]
fn words_of_rows_to_be_scored_get_no_column() {
    let sparse = |scored: &[&str]| {
        let (train, scored) = texts(scored);
        let y = Target::Values(vec![0.0; N_TRAIN]);
        let (seed, cancel) = (Seed::new(1), Cancel::new());
        let params = Params::from([("text_stats", false)]);
        prepare(&Registry::builtin(), InputKind::Sparse, &params, &train, &y, None, &scored, None, seed, &cancel)
            .unwrap()
    };
    let (plain, planted) = (sparse(&["fire"]), sparse(&["unheard fire", "fire fire", "unheard of"]));
    let (AnyInput::Sparse(plain), AnyInput::Sparse(train), AnyInput::Sparse(scored)) =
        (&plain.train, &planted.train, &planted.scored)
    else {
        panic!("asked for sparse input")
    };
    assert_eq!(*train.names, ["x:fire", "x:near", "x:flood", "x:storm", "x:far"]);
    assert_eq!((&train.x, &train.names), (&plain.x, &plain.names));
    // The word that is known, by itself, whatever stands beside it.
    assert_eq!(scored.x.row(0), (&[0][..], &[1.0][..]));
    assert_eq!(scored.x.row(2), (&[][..], &[][..]));
}

#[test]
fn no_transform_reads_the_target() {
    let (train, scored) = categories(&[0, 1, 2]);
    let prepared = |y: Target| {
        let (seed, cancel) = (Seed::new(1), Cancel::new());
        prepare(&Registry::builtin(), InputKind::Dense, &Params::new(), &train, &y, None, &scored, None, seed, &cancel)
            .unwrap()
    };
    let one = prepared(Target::Values(vec![0.0; N_TRAIN]));
    let other = prepared(Target::Values((0..N_TRAIN).map(|row| (row % 2) as f64).collect()));
    assert_eq!(dense(&one.train).x, dense(&other.train).x);
    assert_eq!(dense(&one.scored).x, dense(&other.scored).x);
}
