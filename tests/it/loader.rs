//! What real competition files throw at a loader: one test a hazard.

use std::path::Path;

use medalist::Registry;
use medalist::competition::{Competition, Content};
use medalist::error::{Error, Kind};
use medalist::reader::{digest, read_strings};
use medalist::table::{ColumnType, MISSING, Values};
use medalist::target::Target;

/// Writes the files and a description of them, and loads it.
fn load(train: &[u8], test: &[u8], sample: Option<&[u8]>, toml: &str) -> Result<Competition, Error> {
    let folder = tempfile::tempdir().unwrap();
    load_in(folder.path(), train, test, sample, toml)
}

fn load_in(folder: &Path, train: &[u8], test: &[u8], sample: Option<&[u8]>, toml: &str) -> Result<Competition, Error> {
    let mut files = String::from("\n[files]\n");
    for (role, text) in [("train", Some(train)), ("test", Some(test)), ("sample", sample)] {
        let Some(text) = text else { continue };
        let path = folder.join(format!("{role}.csv"));
        std::fs::write(&path, text).unwrap();
        files += &format!("{role} = {{ path = \"{role}.csv\", sha256 = \"{}\" }}\n", digest(&path).unwrap().sha256);
    }
    // Keys before the first section are the top ones, wherever the test puts its sections.
    let (top, sections) = toml.split_once("\n[").map_or((toml, String::new()), |(top, rest)| (top, format!("[{rest}")));
    let metric = if toml.contains("[metric]") { "" } else { "\n[metric]\nname = \"accuracy\"\n" };
    let text = format!("version = 1\n{top}\n{sections}\n{metric}{files}");
    std::fs::write(folder.join("competition.toml"), text).unwrap();
    Competition::load(folder, &Registry::builtin())
}

const BINARY: &str = "task = \"binary\"\nid = \"id\"\ntarget = \"y\"";
const REGRESSION: &str = "task = \"regression\"\nid = \"id\"\ntarget = \"y\"\n[metric]\nname = \"mae\"";

#[track_caller]
fn loaded(train: &str, test: &str) -> Competition {
    load(train.as_bytes(), test.as_bytes(), None, BINARY).unwrap()
}

#[track_caller]
fn refused(result: Result<Competition, Error>, words: &str) -> Error {
    let error = result.expect_err("should be refused");
    assert!(error.to_string().contains(words), "{error}\nshould say: {words}");
    error
}

#[track_caller]
fn numbers(competition: &Competition, name: &str) -> Vec<f64> {
    match &competition.features.column(name).unwrap_or_else(|| panic!("no {name}")).values {
        Values::Numeric(values) | Values::Date(values) => values.clone(),
        values => panic!("{name} is {values:?}"),
    }
}

#[track_caller]
fn cells(values: &Values) -> Vec<Option<String>> {
    match values {
        Values::Categorical { codes, levels } => {
            codes.iter().map(|&code| (code != MISSING).then(|| levels[code as usize].clone())).collect()
        }
        Values::Text(values) => values.iter().map(|value| value.as_deref().map(str::to_string)).collect(),
        values => panic!("{values:?}"),
    }
}

#[track_caller]
fn train_cells(competition: &Competition, name: &str) -> Vec<Option<String>> {
    cells(&competition.features.column(name).unwrap_or_else(|| panic!("no {name}")).values)
}

fn some(words: &[&str]) -> Vec<Option<String>> {
    words.iter().map(|word| if word.is_empty() { None } else { Some(word.to_string()) }).collect()
}

#[test]
fn crlf_and_no_final_newline() {
    let competition = loaded("id,y,a\r\n1,0,x\r\n2,1,z\r\n", "id,a\r\n3,x\r\n4,z");
    assert_eq!(train_cells(&competition, "a"), some(&["x", "z"]));
    assert_eq!(competition.test.unwrap().ids.iter().map(|id| &**id).collect::<Vec<_>>(), ["3", "4"]);
}

#[test]
fn crlf_rows_with_bare_line_feeds_in_quotes() {
    let competition = loaded("id,y,a\r\n1,0,\"x\ny\"\r\n2,1,\"z\r\nw\"\r\n", "id,a\n3,x");
    assert_eq!(train_cells(&competition, "a"), some(&["x\ny", "z\r\nw"]));
}

#[test]
fn quoted_commas_and_doubled_quotes() {
    let competition = loaded("id,y,a\n1,0,\"Braund, \"\"Owen\"\"\"\n2,1,\"\"\"\"\n", "id,a\n3,x\n");
    assert_eq!(train_cells(&competition, "a"), some(&["Braund, \"Owen\"", "\""]));
}

#[test]
fn a_lone_quote_in_an_unquoted_cell_is_text() {
    let competition = loaded("id,y,a\n1,0,5\" pipe\n2,1,x\"\n", "id,a\n3,x\n");
    assert_eq!(train_cells(&competition, "a"), some(&["5\" pipe", "x\""]));
}

#[test]
fn blank_lines_are_no_rows() {
    let competition = loaded("id,y,a\n1,0,x\n\n2,1,z\n\n\n", "id,a\n3,x\n");
    assert_eq!(competition.features.n_rows(), 2);
}

#[test]
fn empty_cells_are_missing_quoted_or_not() {
    let competition = loaded("id,y,a,b\n1,0,,1\n2,1,\"\",\n3,1,x,2\n", "id,a,b\n4,x,1\n");
    assert_eq!(train_cells(&competition, "a"), some(&["", "", "x"]));
    assert!(numbers(&competition, "b")[1].is_nan());
}

#[test]
fn na_and_none_are_levels_among_words() {
    let competition = loaded("id,y,a\n1,0,NA\n2,1,None\n3,0,Gd\n", "id,a\n4,NA\n");
    assert_eq!(train_cells(&competition, "a"), some(&["NA", "None", "Gd"]));
}

#[test]
fn na_is_missing_among_numbers_and_said_so() {
    let competition = loaded("id,y,a\n1,0,NA\n2,1,3\n3,0,4\n", "id,a\n4,NA\n");
    let a = numbers(&competition, "a");
    assert!(a[0].is_nan());
    assert_eq!(a[1..], [3.0, 4.0]);
    assert!(competition.notes.iter().any(|note| note.contains("NA")), "{:?}", competition.notes);
}

#[test]
fn missing_is_spelled_per_column_where_the_description_says_so() {
    let toml = format!("{BINARY}\n[columns.a]\nmissing = [\"NA\"]");
    let competition = load(b"id,y,a,b\n1,0,NA,NA\n2,1,x,z\n", b"id,a,b\n3,x,z\n", None, &toml).unwrap();
    assert_eq!(train_cells(&competition, "a"), some(&["", "x"]));
    assert_eq!(train_cells(&competition, "b"), some(&["NA", "z"]));
    let toml = format!("missing = [\"-1\"]\n{BINARY}");
    let competition = load(b"id,y,a\n1,0,-1\n2,1,5\n3,1,6\n", b"id,a\n3,6\n", None, &toml).unwrap();
    assert!(numbers(&competition, "a")[0].is_nan());
}

#[test]
fn minus_one_and_zero_are_true_values() {
    assert_eq!(numbers(&loaded("id,y,a\n1,0,-1\n2,1,0\n", "id,a\n3,5\n"), "a"), [-1.0, 0.0]);
}

#[test]
fn missing_only_in_test_and_float_only_in_test_keep_one_type() {
    let competition = loaded("id,y,a\n1,0,2\n2,1,3\n", "id,a\n3,2.5\n4,\n");
    let test = &competition.test.as_ref().unwrap().features.columns()[0];
    assert_eq!(test.kind, ColumnType::Numeric);
    let Values::Numeric(values) = &test.values else { panic!() };
    assert_eq!(values[0], 2.5);
    assert!(values[1].is_nan());
}

#[test]
fn a_word_only_in_test_makes_both_files_categorical_byte_for_byte() {
    let competition = loaded("id,y,a\n1,0,02\n2,1,3\n", "id,a\n3,x\n");
    assert_eq!(train_cells(&competition, "a"), some(&["02", "3"]));
    let competition = loaded("id,y,a\n1,0,x\n2,1,3\n", "id,a\n3,1e0\n");
    assert_eq!(cells(&competition.test.unwrap().features.columns()[0].values), some(&["1e0"]));
}

#[test]
fn levels_only_in_test_are_levels_and_said_so() {
    let competition = loaded("id,y,a\n1,0,x\n2,1,z\n", "id,a\n3,new\n");
    assert_eq!(cells(&competition.test.as_ref().unwrap().features.columns()[0].values), some(&["new"]));
    assert!(competition.notes.iter().any(|note| note.contains("levels in test")), "{:?}", competition.notes);
}

#[test]
fn columns_only_in_train_are_never_learned_from() {
    let competition = loaded("id,y,a,leak\n1,0,x,0\n2,1,z,1\n", "id,a\n3,x\n");
    assert!(competition.features.column("leak").is_none());
    assert!(competition.notes.iter().any(|note| note.contains("only in train") && note.contains("leak")));
}

#[test]
fn without_a_test_file_all_columns_are_learned_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train.csv");
    std::fs::write(&path, "id,y,a\n1,0,x\n2,1,z\n").unwrap();
    let hash = digest(&path).unwrap().sha256;
    let toml = format!(
        "version = 1\n{BINARY}\n[metric]\nname = \"accuracy\"\n[files]\ntrain = {{ path = \"train.csv\", sha256 = \"{hash}\" }}\n"
    );
    std::fs::write(folder.path().join("competition.toml"), toml).unwrap();
    let competition = Competition::load(folder.path(), &Registry::builtin()).unwrap();
    assert!(competition.test.is_none());
    assert_eq!(competition.features.columns().len(), 1);
}

#[test]
fn ids_are_kept_byte_for_byte() {
    let ids = ["0001_01", "007255e47698", "0526301100", "1e3", "2011-01-20 00:00:00", "NA", " x "];
    let rows: String = ids.iter().map(|id| format!("{id},1\n")).collect();
    let competition = loaded("id,y,a\n1,0,1\n2,1,2\n", &format!("id,a\n{rows}"));
    assert_eq!(competition.test.unwrap().ids.iter().map(|id| &**id).collect::<Vec<_>>(), ids);
}

#[test]
fn the_same_ids_in_train_and_test_are_other_rows() {
    let competition = loaded("id,y,a\n1,0,1\n2,1,2\n", "id,a\n2,7\n1,8\n");
    assert_eq!(numbers(&competition, "a"), [1.0, 2.0]);
    assert_eq!(competition.test.unwrap().ids.iter().map(|id| &**id).collect::<Vec<_>>(), ["2", "1"]);
}

#[test]
fn an_id_that_is_a_date_is_learned_from_too() {
    let competition =
        loaded("id,y,a\n2011-01-01 05:00:00,0,1\n2011-01-02 06:00:00,1,2\n", "id,a\n2011-01-03 07:00:00,1\n");
    assert_eq!(competition.features.column("id").unwrap().kind, ColumnType::Date);
    // date -u -d '2011-01-01 05:00:00' +%s
    assert_eq!(numbers(&competition, "id")[0], 1_293_858_000.0);
    assert_eq!(&*competition.test.unwrap().ids[0], "2011-01-03 07:00:00");
}

#[test]
fn names_are_case_sensitive_and_the_nearest_is_named() {
    let toml = BINARY.replace("\"id\"", "\"ID\"");
    refused(load(b"id,y,a\n1,0,1\n2,1,2\n", b"id,a\n3,1\n", None, &toml), "did you mean `id`?");
}

#[test]
fn booleans_are_one_and_zero_and_labels_keep_their_spelling() {
    let competition = loaded("id,y,a\n1,False,True\n2,True,\n3,True,False\n", "id,a\n4,True\n");
    let a = numbers(&competition, "a");
    assert_eq!((a[0], a[2]), (1.0, 0.0));
    assert!(a[1].is_nan());
    assert_eq!(competition.features.columns()[0].kind, ColumnType::Boolean);
    assert_eq!(*competition.targets[0].labels, ["False", "True"]);
    assert_eq!(competition.positive(0), 1);
}

#[test]
fn class_columns_are_found_by_label_in_the_samples_order() {
    let toml = "task = \"multiclass\"\nid = \"id\"\ntarget = \"y\"\n[metric]\nname = \"log_loss\"";
    let (train, test) = (b"id,y,a\n1,Acer,1\n2,Quercus,2\n3,Tilia,3\n", b"id,a\n4,1\n");
    let competition = load(train, test, Some(b"id,Tilia,Acer,Quercus\n4,0,0,1\n"), toml).unwrap();
    let contents: Vec<Content> = competition.layout.columns.iter().map(|column| column.content).collect();
    assert_eq!(contents, [2, 0, 1].map(|class| Content::Class { target: 0, class }));
}

#[test]
fn class_columns_are_found_behind_a_prefix() {
    let toml = "task = \"multiclass\"\nid = \"id\"\ntarget = \"Status\"\n[metric]\nname = \"log_loss\"";
    let (train, test) = (b"id,Status,a\n1,C,1\n2,CL,2\n3,D,3\n", b"id,a\n4,1\n");
    let competition = load(train, test, Some(b"id,Status_C,Status_CL,Status_D\n4,0,0,1\n"), toml).unwrap();
    let contents: Vec<Content> = competition.layout.columns.iter().map(|column| column.content).collect();
    assert_eq!(contents, [0, 1, 2].map(|class| Content::Class { target: 0, class }));
    let toml = "task = \"binary\"\nid = \"id\"\ntarget = \"Class\"\n[metric]\nname = \"log_loss\"";
    let (train, test) = (b"id,Class,a\n1,0,1\n2,1,2\n", b"id,a\n4,1\n");
    let competition = load(train, test, Some(b"id,class_0,class_1\n4,0,1\n"), toml).unwrap();
    assert_eq!(competition.layout.columns[1].content, Content::Class { target: 0, class: 1 });
}

#[test]
fn several_targets() {
    let toml = "task = \"regression\"\nid = \"id\"\ntarget = [\"u\", \"v\"]\n[metric]\nname = \"rmse\"";
    let sample: &[u8] = b"id,v,u\n4,0,0\n";
    let competition = load(b"id,u,v,a\n1,1,2,1\n2,3,4,2\n", b"id,a\n4,1\n", Some(sample), toml).unwrap();
    assert_eq!(competition.targets[1].target, Target::Values(vec![2.0, 4.0]));
    assert_eq!(competition.layout.columns[0].content, Content::Target { target: 1 });
}

#[test]
fn several_rows_an_id_are_refused_by_name() {
    let sample: &[u8] = b"id,y\n3,0\n3,1\n";
    let error = refused(load(b"id,y,a\n1,0,1\n2,1,2\n", b"id,a\n3,1\n", Some(sample), BINARY), "several rows");
    assert_eq!((error.kind, error.row), (Kind::Data, Some(2)));
    refused(load(b"id,y,a\n1,0,1\n2,1,2\n", b"id,a\n3,1\n3,2\n", None, BINARY), "several rows");
}

#[test]
fn masks_and_lists_are_refused_by_name() {
    let sample: &[u8] = b"id,EncodedPixels\n3,1 1\n";
    refused(
        load(b"id,y,a\n1,0,1\n2,1,2\n", b"id,a\n3,1\n", Some(sample), BINARY),
        "run-length masks are not supported",
    );
    let sample: &[u8] = b"id,y\n3,1 5 7\n";
    refused(load(b"id,y,a\n1,0,1\n2,1,2\n", b"id,a\n3,1\n", Some(sample), BINARY), "list of numbers");
}

#[test]
fn extra_tables_are_refused_by_name() {
    let toml = format!("{BINARY}\n[files.greeks]\npath = \"greeks.csv\"\nsha256 = \"\"");
    // The section is written before the others, so its keys cannot be mistaken for theirs.
    let error = medalist::competition::Config::parse(&format!("version = 1\n{toml}")).unwrap_err();
    assert!(error.to_string().contains("extra tables are not read"), "{error}");
}

#[test]
fn without_a_sample_the_layout_comes_from_target_and_metric() {
    let competition = loaded("id,y,a\n1,0,1\n2,1,2\n", "id,a\n3,1\n");
    assert_eq!(competition.layout.id, "id");
    assert_eq!(competition.layout.columns[0].content, Content::Target { target: 0 });
}

#[test]
fn a_samples_values_are_not_believed() {
    let sample: &[u8] = b"id,y\n4,1\n3,0\n";
    let competition = load(b"id,y,a\n1,no,1\n2,yes,2\n", b"id,a\n3,1\n4,1\n", Some(sample), BINARY).unwrap();
    assert_eq!(*competition.targets[0].labels, ["no", "yes"]);
}

#[test]
fn ordinal_labels_are_sorted_as_numbers() {
    let toml = "task = \"ordinal\"\nid = \"id\"\ntarget = \"y\"\n[metric]\nname = \"quadratic_weighted_kappa\"";
    let competition = load(b"id,y,a\n1,10,1\n2,3,2\n3,8,1\n", b"id,a\n4,1\n", None, toml).unwrap();
    assert_eq!(*competition.targets[0].labels, ["3", "8", "10"]);
}

#[test]
fn constant_columns_are_left_out_and_named() {
    let competition = loaded("id,y,a,Over18\n1,0,1,Y\n2,1,2,Y\n", "id,a,Over18\n3,1,N\n");
    assert!(competition.features.column("Over18").is_none());
    assert!(competition.notes.iter().any(|note| note.contains("constant") && note.contains("Over18")));
}

#[test]
fn mostly_distinct_long_cells_are_text_and_short_ones_levels() {
    let mut train = String::from("id,y,name,cabin\n");
    for row in 0..40 {
        train += &format!("{row},{},\"Person number {row}, of the ship\",B/{row}/P\n", row % 2);
    }
    let competition = loaded(&train, "id,name,cabin\nx,\"Somebody else, again\",B/1/P\n");
    assert_eq!(competition.features.column("name").unwrap().kind, ColumnType::Text);
    assert_eq!(competition.features.column("cabin").unwrap().kind, ColumnType::Categorical);
}

#[test]
fn groups_come_from_a_part_of_the_id() {
    let toml = format!("{BINARY}\n[folds]\nscheme = \"group\"\nn = 2\ngroup = {{ column = \"id\", up_to = \"_\" }}");
    let competition = load(b"id,y,a\n1_1,0,1\n1_2,1,2\n2_1,1,3\n3_1,0,4\n", b"id,a\n4_1,1\n", None, &toml).unwrap();
    assert_eq!(competition.groups.as_deref(), Some(&[0, 0, 1, 2][..]));
    assert_eq!(competition.folds(None).unwrap().len(), 2);
}

#[test]
fn time_folds_count_their_gap_in_days() {
    let toml = format!("{REGRESSION}\n[folds]\nscheme = \"time_expanding\"\nn = 2\ntime = \"when\"\ngap = 2");
    let train: String = (1..=9).map(|day| format!("{day},{day},2020-01-0{day}\n")).collect();
    let competition = load(format!("id,y,when\n{train}").as_bytes(), b"id,when\nx,2020-02-01\n", None, &toml).unwrap();
    let folds = competition.folds(None).unwrap();
    assert_eq!((folds[0].train.clone(), folds[0].valid.clone()), (vec![0, 1], vec![3, 4, 5]));
}

#[test]
fn given_folds_come_from_a_column_that_is_not_learned_from() {
    let toml = format!("{BINARY}\n[folds]\nscheme = \"given\"\ncolumn = \"fold\"");
    let competition = load(b"id,y,a,fold\n1,0,1,b\n2,1,2,a\n3,1,3,\n", b"id,a,fold\n4,1,a\n", None, &toml).unwrap();
    assert!(competition.features.column("fold").is_none());
    let folds = competition.folds(None).unwrap();
    assert_eq!((folds[0].valid.clone(), folds[1].valid.clone()), (vec![1], vec![0]));
    assert!(competition.folds(Some(3)).is_err());
}

#[test]
fn a_byte_order_mark_is_taken_off() {
    let competition =
        load(b"\xef\xbb\xbfid,y,a\n1,0,1\n2,1,2\n", b"\xef\xbb\xbf\"id\",a\r\n3,1\r\n", None, BINARY).unwrap();
    assert_eq!(&*competition.test.unwrap().ids[0], "3");
}

#[test]
fn bad_utf8_is_named_by_row_and_column_and_latin1_reads_it() {
    let (train, test) = (b"id,y,a\n1,0,caf\xe9\n2,1,x\n", b"id,a\n3,x\n");
    let error = refused(load(train, test, None, BINARY), "latin1");
    assert_eq!((error.row, error.column.as_deref()), (Some(1), Some("a")));
    let toml = format!("encoding = \"latin1\"\n{BINARY}");
    let competition = load(train, test, None, &toml).unwrap();
    assert_eq!(train_cells(&competition, "a"), some(&["café", "x"]));
}

#[test]
fn utf16_nul_bytes_and_old_line_ends_are_refused_with_words() {
    refused(load(b"\xff\xfei\0d\0", b"id,a\n3,x\n", None, BINARY), "UTF-16");
    let error = refused(load(b"id,y,a\n1,0,x\n2,1,\0\n", b"id,a\n3,x\n", None, BINARY), "NUL");
    assert_eq!(error.row, Some(2));
    refused(load(b"id,y,a\r1,0,x\r2,1,z\r", b"id,a\n3,x\n", None, BINARY), "bare carriage return");
}

#[test]
fn a_row_of_another_length_is_named() {
    let error = refused(load(b"id,y,a\n1,0,x\n2,1\n", b"id,a\n3,x\n", None, BINARY), "2 cells, the header names 3");
    assert_eq!(error.row, Some(2));
    assert_eq!(error.file.unwrap().file_name().unwrap(), "train.csv");
}

#[test]
fn a_quote_never_closed_is_named_where_it_begins() {
    let error = refused(load(b"id,y,a\n1,0,x\n2,1,\"z\n3,0,w\n", b"id,a\n3,x\n", None, BINARY), "never closed");
    assert_eq!((error.row, error.column.as_deref()), (Some(2), Some("a")));
    refused(load(b"id,y,a\n1,0,\"x\"z\n", b"id,a\n3,x\n", None, BINARY), "after its closing quote");
}

#[test]
fn headers_without_names_or_with_two_of_a_name_are_refused() {
    refused(load(b",id,y,a\n0,1,0,x\n", b"id,a\n3,x\n", None, BINARY), "has no name");
    refused(load(b"id,y,a,a\n1,0,x,z\n", b"id,a\n3,x\n", None, BINARY), "two columns are called `a`");
}

#[test]
fn empty_files_folders_and_lost_files_are_refused() {
    refused(load(b"", b"id,a\n3,x\n", None, BINARY), "this file is empty");
    refused(load(b"id,y,a\n", b"id,a\n3,x\n", None, BINARY), "no rows");
    let folder = tempfile::tempdir().unwrap();
    assert!(read_strings(folder.path()).unwrap_err().to_string().contains("folder"));
    assert_eq!(read_strings(&folder.path().join("none.csv")).unwrap_err().kind, Kind::Data);
}

#[test]
fn a_changed_byte_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    load_in(folder.path(), b"id,y,a\n1,0,1\n2,1,2\n", b"id,a\n3,1\n", None, BINARY).unwrap();
    std::fs::write(folder.path().join("test.csv"), "id,a\n3,2\n").unwrap();
    let error = refused(Competition::load(folder.path(), &Registry::builtin()), "sha256");
    assert_eq!(error.file.unwrap().file_name().unwrap(), "test.csv");
    assert_eq!(error.kind.exit_code(), 3);
    // Whatever else the change has broken.
    for changed in ["id,y,a\n1,0,1\n2,1\n", "id,y,b\n1,0,1\n2,1,2\n", ""] {
        std::fs::write(folder.path().join("train.csv"), changed).unwrap();
        std::fs::write(folder.path().join("test.csv"), "id,a\n3,1\n").unwrap();
        let error = refused(Competition::load(folder.path(), &Registry::builtin()), "sha256");
        assert_eq!(error.file.unwrap().file_name().unwrap(), "train.csv");
    }
}

#[test]
fn a_row_without_a_target_or_with_a_wrong_one_is_named() {
    let error = refused(load(b"id,y,a\n1,0,1\n2,,2\n3,1,2\n", b"id,a\n3,1\n", None, BINARY), "no target");
    assert_eq!((error.row, error.column.as_deref()), (Some(2), Some("y")));
    let error = refused(
        load(b"id,y,a\n1,1.5,1\n2,x,2\n", b"id,a\n3,1\n", None, REGRESSION),
        "`x`, which is not a finite number",
    );
    assert_eq!(error.row, Some(2));
    refused(load(b"id,y,a\n1,inf,1\n2,2,2\n", b"id,a\n3,1\n", None, REGRESSION), "not a finite number");
    refused(load(b"id,y,a\n1,a,1\n2,b,2\n3,c,3\n", b"id,a\n3,1\n", None, BINARY), "has 3");
}

#[test]
fn negative_targets_under_a_logarithm_are_refused() {
    let toml = REGRESSION.replace("mae", "rmsle");
    let error = refused(load(b"id,y,a\n1,1,1\n2,-3,2\n", b"id,a\n3,1\n", None, &toml), "logarithm");
    assert_eq!(error.row, Some(2));
}

#[test]
fn packed_files_are_read_as_they_are() {
    use std::io::Write;
    let folder = tempfile::tempdir().unwrap();
    let text = b"id,y\n3,\"0,5\"\n";
    let packed = folder.path().join("a.csv.gz");
    let mut gzip =
        flate2::write::GzEncoder::new(std::fs::File::create(&packed).unwrap(), flate2::Compression::default());
    gzip.write_all(text).unwrap();
    gzip.finish().unwrap();
    assert_eq!(read_strings(&packed).unwrap().cell(0, 1), "0,5");
    let packed = folder.path().join("a.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&packed).unwrap());
    zip.start_file("a.csv", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(text).unwrap();
    zip.finish().unwrap();
    assert_eq!(read_strings(&packed).unwrap().cell(0, 1), "0,5");
    std::fs::write(&packed, &std::fs::read(&packed).unwrap()[..40]).unwrap();
    assert_eq!(read_strings(&packed).unwrap_err().kind, Kind::Data);
}

#[test]
fn a_table_larger_than_a_block_is_read_whole() {
    let mut train = String::from("id,y,a,b\n");
    for row in 0..300_000 {
        let b = if row == 299_999 { "late".to_string() } else { row.to_string() };
        train += &format!("{row},{},\"x{}\ny\",{b}\n", row % 2, row % 7);
    }
    let competition = load(train.as_bytes(), b"id,a,b\nz,x1,1\n", None, BINARY).unwrap();
    assert_eq!(competition.features.n_rows(), 300_000);
    let b = train_cells(&competition, "b");
    assert_eq!((b[0].as_deref(), b[299_999].as_deref()), (Some("0"), Some("late")));
    assert_eq!(train_cells(&competition, "a")[8].as_deref(), Some("x1\ny"));
}

#[test]
fn a_block_that_begins_like_a_compressed_file_is_text() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.csv");
    std::fs::write(&path, "x^a,b\nx^y,1\nx\u{1}y,2\n").unwrap();
    let table = read_strings(&path).unwrap();
    assert_eq!((table.cell(0, 0), table.cell(1, 1)), ("x^y", "2"));
}
