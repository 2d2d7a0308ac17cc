//! The whole preparation: what comes out, and what is said where nothing can.

use std::sync::Arc;

use medalist::model::{AnyInput, InputKind};
use medalist::prepare::{Prepared, prepare, space, space_for};
use medalist::search::{Cancel, Params, Seed, Value};
use medalist::table::{Column, ColumnType, Table, Values};
use medalist::target::Target;
use medalist::{Registry, Result};

fn column(name: &str, kind: ColumnType, values: Values) -> Arc<Column> {
    Arc::new(Column { name: name.to_string(), kind, values })
}

fn numeric(name: &str, values: &[f64]) -> Arc<Column> {
    Arc::new(Column::numeric(name, values.to_vec()))
}

fn run(kind: InputKind, params: Params, columns: Vec<Arc<Column>>, tensor: Option<&[usize]>) -> Result<Prepared> {
    let n_rows = columns.first().map_or(4, |column| column.values.len());
    let table = Table::new(n_rows, columns);
    let y = Target::Values(vec![0.0; n_rows]);
    prepare(&Registry::builtin(), kind, &params, &table, &y, None, &table, tensor, Seed::new(1), &Cancel::new())
}

#[track_caller]
fn check_error(kind: InputKind, params: Params, columns: Vec<Arc<Column>>, tensor: Option<&[usize]>, expected: &str) {
    match run(kind, params, columns, tensor) {
        Ok(_) => panic!("expected the error `{expected}`"),
        Err(error) => assert!(error.to_string().contains(expected), "{error}"),
    }
}

#[test]
fn numbers_categories_and_gaps_become_one_matrix() {
    let levels = Arc::new(["f", "m"].map(str::to_string).to_vec());
    let columns = vec![
        numeric("age", &[1.0, f64::NAN, 3.0, 5.0]),
        column("sex", ColumnType::Categorical, Values::Categorical { codes: vec![0, 1, 1, 0], levels }),
        column("alive", ColumnType::Boolean, Values::Numeric(vec![1.0, 0.0, 1.0, 1.0])),
    ];
    let params = Params::from([("scale", Value::from("none")), ("min_frequency", Value::Int(1))]);
    let prepared = run(InputKind::Dense, params, columns, None).unwrap();
    let AnyInput::Dense(dense) = &prepared.train else { panic!("asked for dense input") };
    assert_eq!(*dense.names, ["age", "age.missing", "sex=f", "sex=m", "alive"]);
    let expected = ndarray::array![
        [1.0, 0.0, 1.0, 0.0, 1.0],
        [3.0, 1.0, 0.0, 1.0, 0.0],
        [3.0, 0.0, 0.0, 1.0, 1.0],
        [5.0, 0.0, 1.0, 0.0, 1.0]
    ];
    assert_eq!(dense.x, expected);
    // The training rows, as much again for what is derived from them, and the rows to be scored.
    assert_eq!(prepared.memory, 3 * 20 * 8);
}

#[test]
fn the_space_of_dense_input_is_small_and_has_levels() {
    let space = space(&Registry::builtin(), InputKind::Dense);
    let names: Vec<&str> = space.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
    let numbers = ["clip", "unskew", "min_skewness", "impute", "indicators"];
    let categories = ["min_count", "level_shares", "target_encoding", "target_min_levels", "target_smoothing"];
    let texts = ["text_components", "text_bigrams", "text_min_df", "text_stats"];
    let encoding = ["encoding", "min_frequency", "max_levels", "scale"];
    assert_eq!(names, [&texts[..], &numbers, &categories, &encoding].concat());
    assert!(space.check(&space.default_point()).is_ok());
}

#[track_caller]
fn check_space(kind: InputKind, column: Arc<Column>, expected: &[&str]) {
    let table = Table::new(column.values.len(), vec![column]);
    let space = space_for(&Registry::builtin(), kind, &[&table]);
    let names: Vec<&str> = space.parameters().iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names, expected);
}

#[test]
fn a_space_holds_what_a_column_concerns() {
    let few = Arc::new(["f", "m"].map(str::to_string).to_vec());
    let many: Arc<Vec<String>> = Arc::new((0..9).map(|level| format!("l{level}")).collect());
    let category = |codes: Vec<u32>, levels: &Arc<Vec<String>>| {
        column("c", ColumnType::Categorical, Values::Categorical { codes, levels: levels.clone() })
    };
    let text = || column("t", ColumnType::Text, Values::Text(vec![Some(Arc::from("some words"))]));
    let dense = InputKind::Dense;
    check_space(dense, column("b", ColumnType::Boolean, Values::Numeric(vec![1.0, 0.0])), &[]);
    check_space(dense, numeric("n", &[1.0, 2.0, 3.0]), &["clip", "scale"]);
    check_space(dense, numeric("n", &[1.0, 2.0, f64::NAN]), &["clip", "impute", "indicators", "scale"]);
    check_space(dense, numeric("n", &[1.0, 2.0, 90.0]), &["clip", "unskew", "min_skewness", "scale"]);
    check_space(dense, category([0, 1].repeat(100), &few), &["encoding", "min_frequency", "max_levels", "scale"]);
    // Trees take categories as they are, on bins that all folds and trials share.
    check_space(InputKind::Columns, category((0..9).collect(), &many), &[]);
    check_space(
        dense,
        category((0..9).collect(), &many),
        &[
            "min_count",
            "level_shares",
            "target_encoding",
            "target_min_levels",
            "target_smoothing",
            "encoding",
            "min_frequency",
            "max_levels",
            "scale",
        ],
    );
    check_space(InputKind::Columns, numeric("n", &[1.0, 2.0, 90.0]), &[]);
    check_space(InputKind::Columns, text(), &["text_stats"]);
    check_space(
        InputKind::Sparse,
        text(),
        &["bigrams", "sublinear", "min_df", "text_stats", "clip", "unskew", "min_skewness", "scale"],
    );
}

#[test]
fn the_page_of_transforms_is_what_the_code_says() {
    let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/transforms.md");
    let written = std::fs::read_to_string(page).unwrap();
    let ran = crate::support::Workspace::with(&[]).run("transforms --output markdown").ok();
    assert!(ran.stdout == written, "write it anew: medalist transforms --output markdown > docs/transforms.md");
}

#[test]
fn trees_get_columns_with_their_gaps() {
    let prepared = run(InputKind::Columns, Params::new(), vec![numeric("age", &[1.0, f64::NAN])], None).unwrap();
    let AnyInput::Columns(columns) = &prepared.train else { panic!("asked for columns") };
    assert_eq!(columns.table.columns()[0].values.n_missing(), 1);
}

#[test]
fn rows_become_tensors() {
    let columns = (0..4).map(|pixel| numeric(&format!("p{pixel}"), &[pixel as f64, 10.0])).collect();
    let prepared = run(InputKind::Tensor, Params::new(), columns, Some(&[1, 2, 2])).unwrap();
    let AnyInput::Tensor(tensor) = &prepared.train else { panic!("asked for tensors") };
    assert_eq!(tensor.x.shape(), [2, 1, 2, 2]);
    assert_eq!(tensor.x[[0, 0, 1, 1]], 3.0);
}

#[test]
fn a_tensor_of_another_size_says_both_numbers() {
    let expected = "`tensor = [1, 3]` asks for 3 numbers a row, but there are 1 columns";
    check_error(InputKind::Tensor, Params::new(), vec![numeric("p", &[1.0])], Some(&[1, 3]), expected);
}

#[test]
fn a_tensor_without_a_shape_says_what_to_add() {
    check_error(InputKind::Tensor, Params::new(), vec![numeric("p", &[1.0])], None, "`tensor = [1, 8, 8]`");
}

#[test]
fn no_columns_are_an_error_in_words() {
    check_error(InputKind::Dense, Params::new(), Vec::new(), None, "no column is left");
    check_error(InputKind::Dense, Params::new(), vec![numeric("gap", &[f64::NAN])], None, "no column is left");
}

#[test]
fn a_number_that_is_not_finite_is_named_by_column_and_row() {
    let columns = vec![numeric("size", &[1.0, f64::INFINITY])];
    check_error(InputKind::Dense, Params::from([("scale", "none")]), columns, None, "column `size`, row 2: holds inf");
}

#[test]
fn an_unknown_parameter_names_the_nearest() {
    let params = Params::from([("scael", "none")]);
    check_error(InputKind::Dense, params, vec![numeric("x", &[1.0])], None, "did you mean `prep.scale`?");
}

#[test]
fn other_columns_than_in_training_are_an_error_that_names_one() {
    let train = Table::new(1, vec![numeric("a", &[1.0]), numeric("b", &[1.0])]);
    let scored = Table::new(1, vec![numeric("a", &[1.0])]);
    let y = Target::Values(vec![0.0]);
    let (seed, cancel) = (Seed::new(1), Cancel::new());
    let prepared =
        prepare(&Registry::builtin(), InputKind::Dense, &Params::new(), &train, &y, None, &scored, None, seed, &cancel);
    assert_eq!(prepared.err().and_then(|error| error.column), Some("b".to_string()));
}
