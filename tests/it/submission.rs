//! Submissions: written, checked and graded, on competitions of a few rows.

use std::path::{Path, PathBuf};

use medalist::Registry;
use medalist::competition::Competition;
use medalist::error::Kind;
use medalist::submission::{self, FaultKind, Grade, truncate};
use ndarray::{Array2, array};
use sha2::{Digest, Sha256};
use tempfile::TempDir;

/// A competition in a folder of its own.
struct Fixture {
    folder: TempDir,
    competition: Competition,
    registry: Registry,
}

/// A competition with these names and two training rows per label (or value), whose sample has the ids in reverse.
fn fixture(task: &str, metric: &str, targets: &[&str], labels: &[&str], ids: &[&str], header: &[&str]) -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let quoted = |id: &str| if id.contains(',') { format!("\"{id}\"") } else { id.to_string() };
    let labels = if labels.is_empty() { &["1.5", "2", "3"] } else { labels };
    let mut train = format!("{},x,{}\n", header[0], targets.join(","));
    for (row, label) in labels.iter().chain(labels).enumerate() {
        train += &format!("train {row},{}.5{}\n", row % 4, format!(",{label}").repeat(targets.len()));
    }
    let test: String = ids.iter().map(|id| format!("{},0.5\n", quoted(id))).collect();
    let value = if metric == "accuracy" { labels[0] } else { "1" };
    let row = |id: &&str| quoted(id) + &format!(",{value}").repeat(header.len() - 1) + "\n";
    let sample: String = ids.iter().rev().map(row).collect();
    let mut config = format!(
        "version = 1\ntask = \"{task}\"\nid = \"{}\"\ntarget = {targets:?}\n[metric]\nname = \"{metric}\"\n",
        header[0]
    );
    let tables = [
        ("train", train),
        ("test", format!("{},x\n{test}", header[0])),
        ("sample", format!("{}\n{sample}", header.join(","))),
    ];
    for (role, text) in &tables {
        std::fs::write(folder.path().join(format!("{role}.csv")), text).unwrap();
        let sha256: String = Sha256::digest(text).iter().map(|byte| format!("{byte:02x}")).collect();
        config += &format!("[files.{role}]\npath = \"{role}.csv\"\nsha256 = \"{sha256}\"\n");
    }
    std::fs::write(folder.path().join("competition.toml"), config).unwrap();
    let registry = Registry::builtin();
    let competition = Competition::load(folder.path(), &registry).unwrap();
    Fixture { folder, competition, registry }
}

/// Survival of four passengers, one of whose ids has leading zeros, and one a comma.
fn passengers(metric: &str) -> Fixture {
    fixture("binary", metric, &["Survived"], &["no", "yes"], &["892", "0893", "a,b", "9 5"], &["Id", "Survived"])
}

impl Fixture {
    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    #[track_caller]
    fn check_faults(&self, text: &str, expected: &[(FaultKind, Option<usize>, Option<&str>)]) {
        let file = self.file("submission.csv", text);
        let checked = submission::validate(&self.competition, &file, &self.registry).unwrap();
        let found: Vec<_> =
            checked.faults.iter().map(|fault| (fault.kind, fault.row, fault.column.as_deref())).collect();
        assert_eq!(found, expected, "{:#?}", checked.faults);
    }

    #[track_caller]
    fn grade(&self, text: &str, solution: &str) -> Grade {
        let (file, solution) = (self.file("submission.csv", text), self.file("solution.csv", solution));
        submission::grade(&self.competition, &file, &solution, &self.registry).unwrap()
    }

    #[track_caller]
    fn check_solution_error(&self, text: &str, solution: &str, column: &str, row: Option<u64>, words: &str) {
        let (file, solution) = (self.file("submission.csv", text), self.file("solution.csv", solution));
        let error = submission::grade(&self.competition, &file, &solution, &self.registry).unwrap_err();
        assert!(error.message.contains(words), "{error}");
        assert_eq!((error.kind, error.file), (Kind::Submission, Some(solution)));
        assert_eq!((error.column.as_deref(), error.row), (Some(column), row));
    }

    #[track_caller]
    fn write(&self, outputs: &[Array2<f64>]) -> String {
        let path = submission::write(&self.competition, outputs, &[], &self.path("out.csv"), &self.registry).unwrap();
        std::fs::read_to_string(path).unwrap()
    }
}

const VALID: &str = "Id,Survived\n892,no\n0893,yes\n\"a,b\",no\n9 5,no\n";

#[test]
fn a_valid_file_has_no_fault() {
    let passengers = passengers("accuracy");
    passengers.check_faults(VALID, &[]);
    passengers.check_faults("Id,Survived\r\n9 5,no\r\n0893, yes \r\n\"a,b\",no\r\n892,no", &[]);
}

#[test]
fn labels_are_compared_by_what_they_mean() {
    let fixture = fixture("binary", "accuracy", &["y"], &["False", "True"], &["1", "2", "3", "4"], &["id", "y"]);
    fixture.check_faults("id,y\n1,true\n2,1\n3,FALSE\n4,0.0\n", &[]);
    fixture.check_faults(
        "id,y\n1,2\n2,yes\n3,\n4,0\n",
        &[
            (FaultKind::UnknownLabel, Some(1), Some("y")),
            (FaultKind::UnknownLabel, Some(2), Some("y")),
            (FaultKind::Blank, Some(3), Some("y")),
        ],
    );
}

#[test]
fn faults_of_the_header_name_the_column() {
    let passengers = passengers("accuracy");
    let rows = |header: &str| VALID.replace("Id,Survived", header);
    passengers.check_faults(
        &rows("Id,survived"),
        &[(FaultKind::Header, None, Some("Survived")), (FaultKind::Header, None, Some("survived"))],
    );
    passengers.check_faults("Survived,Id\nno,892\nyes,0893\nno,\"a,b\"\nno,9 5\n", &[(FaultKind::Header, None, None)]);
    let wide = "Id,Survived,Age\n892,no,1\n0893,yes,1\n\"a,b\",no,1\n9 5,no,1\n";
    passengers.check_faults(wide, &[(FaultKind::Header, None, Some("Age"))]);
    passengers.check_faults("Id\n892\n0893\n\"a,b\"\n9 5\n", &[(FaultKind::Header, None, Some("Survived"))]);
}

#[test]
fn ids_are_joined_byte_for_byte() {
    let passengers = passengers("accuracy");
    passengers.check_faults(
        "Id,Survived\n892,no\n893,yes\n\"a,b\",no\n9 5 ,no\n",
        &[
            (FaultKind::ForeignId, Some(2), Some("Id")),
            (FaultKind::ForeignId, Some(4), Some("Id")),
            (FaultKind::MissingId, None, Some("Id")),
            (FaultKind::MissingId, None, Some("Id")),
        ],
    );
    passengers.check_faults(
        "Id,Survived\n892,no\n892,yes\n\"a,b\",no\n,no\n",
        &[
            (FaultKind::DoubleId, Some(2), Some("Id")),
            (FaultKind::Blank, Some(4), Some("Id")),
            (FaultKind::MissingId, None, Some("Id")),
            (FaultKind::MissingId, None, Some("Id")),
        ],
    );
}

#[test]
fn a_wrong_number_of_rows_is_a_fault_beside_the_ids() {
    let passengers = passengers("accuracy");
    passengers.check_faults(
        "Id,Survived\n892,no\n0893,yes\n\"a,b\",no\n",
        &[(FaultKind::RowCount, None, None), (FaultKind::MissingId, None, Some("Id"))],
    );
    passengers.check_faults(
        &(VALID.to_string() + "7,no\n"),
        &[(FaultKind::RowCount, None, None), (FaultKind::ForeignId, Some(5), Some("Id"))],
    );
}

#[test]
fn what_is_no_probability_is_named_by_row_and_column() {
    passengers("log_loss").check_faults(
        "Id,Survived\n892,1.5\n0893,-0.1\n\"a,b\",NaN\n9 5,yes\n",
        &[
            (FaultKind::OutOfRange, Some(1), Some("Survived")),
            (FaultKind::OutOfRange, Some(2), Some("Survived")),
            (FaultKind::NotFinite, Some(3), Some("Survived")),
            (FaultKind::NotANumber, Some(4), Some("Survived")),
        ],
    );
}

#[test]
fn any_number_ranks_rows_for_roc_auc() {
    passengers("roc_auc").check_faults(
        "Id,Survived\n892,-15\n0893,1e9\n\"a,b\",0\n9 5,inf\n",
        &[(FaultKind::NotFinite, Some(4), Some("Survived"))],
    );
}

#[test]
fn values_outside_the_metrics_range_are_faults() {
    let houses = |metric| fixture("regression", metric, &["price"], &[], &["1", "2", "3"], &["id", "price"]);
    let text = "id,price\n1,-0.5\n2,0\n3,7\n";
    houses("rmse").check_faults(text, &[]);
    houses("rmsle").check_faults(text, &[(FaultKind::OutOfRange, Some(1), Some("price"))]);
    houses("rmse_log").check_faults(
        text,
        &[(FaultKind::OutOfRange, Some(1), Some("price")), (FaultKind::OutOfRange, Some(2), Some("price"))],
    );
}

#[test]
fn class_columns_must_hold_probabilities_that_can_be_rescaled() {
    let species = penguins();
    species.check_faults(
        "id,Adelie,Chinstrap,Gentoo\n1,0.2,0.2,0.2\n2,0,0,0\n3,0,1.1,0\n",
        &[(FaultKind::ZeroSum, Some(2), None), (FaultKind::OutOfRange, Some(3), Some("Chinstrap"))],
    );
}

fn penguins() -> Fixture {
    let labels = ["Adelie", "Chinstrap", "Gentoo"];
    fixture("multiclass", "log_loss", &["species"], &labels, &["1", "2", "3"], &["id", "Adelie", "Chinstrap", "Gentoo"])
}

#[test]
fn a_file_that_is_no_table_is_a_fault_and_a_file_that_is_not_there_an_error() {
    let passengers = passengers("accuracy");
    passengers.check_faults("Id,Id\n892,no\n", &[(FaultKind::Malformed, None, None)]);
    let absent = passengers.path("absent.csv");
    assert!(submission::validate(&passengers.competition, &absent, &passengers.registry).is_err());
}

#[test]
fn parts_are_scored_apart_and_ignored_rows_left_out() {
    let solution = "Id,Survived,Usage\n892,no,Public\n0893,yes,Private\n\"a,b\",yes,Private\n9 5,?,Ignored\n";
    let grade = passengers("accuracy").grade(VALID, solution);
    let expected = Grade { score: Some(2.0 / 3.0), public: Some(1.0), private: Some(0.5), valid: true, errors: vec![] };
    assert_eq!(grade, expected);
}

#[test]
fn without_usage_there_are_no_parts() {
    let grade = passengers("accuracy").grade(VALID, "Id,Survived\n892,no\n0893,yes\n\"a,b\",yes\n9 5,no\n");
    assert_eq!((grade.score, grade.public, grade.private), (Some(0.75), None, None));
}

#[test]
fn rows_are_joined_by_id_not_by_position() {
    let solution = "Survived,Id\nyes,0893\nno,9 5\nno,892\nno,\"a,b\"\n";
    assert_eq!(passengers("accuracy").grade(VALID, solution).score, Some(1.0));
}

#[test]
fn a_part_with_one_class_has_no_score_and_says_why() {
    let solution = "Id,Survived,Usage\n892,no,Public\n0893,yes,Private\n\"a,b\",no,Private\n9 5,no,Public\n";
    let submission = "Id,Survived\n892,0.1\n0893,0.9\n\"a,b\",0.2\n9 5,0.3\n";
    let grade = passengers("roc_auc").grade(submission, solution);
    assert_eq!((grade.score, grade.public, grade.private, grade.valid), (Some(1.0), None, Some(1.0), true));
    assert_eq!(grade.errors, ["public: roc_auc is undefined: there is no positive row"]);
}

#[test]
fn a_file_with_faults_has_no_score() {
    let grade = passengers("accuracy").grade(&VALID.replace("yes", "maybe"), VALID);
    assert_eq!((grade.score, grade.valid), (None, false));
    assert_eq!(grade.errors, ["row 2, column `Survived`: train has no label `maybe`"]);
}

#[test]
fn a_label_that_only_the_solution_has_counts_as_missed() {
    assert_eq!(passengers("accuracy").grade(VALID, &VALID.replace("yes", "unknown")).score, Some(0.75));
}

#[test]
fn class_probabilities_are_graded_by_labels_or_by_class_columns() {
    let submission = "id,Adelie,Chinstrap,Gentoo\n1,0.5,0.25,0.25\n2,0.2,0.2,0.4\n3,0,1,0\n";
    let expected = -(0.5f64.ln() + 0.5f64.ln()) / 3.0;
    for solution in
        ["id,species\n1,Adelie\n2,Gentoo\n3,Chinstrap\n", "id,Gentoo,Adelie,Chinstrap\n1,0,1,0\n3,0,0,1\n2,1,0,0\n"]
    {
        let score = penguins().grade(submission, solution).score.unwrap();
        assert!((score - expected).abs() < 1e-12, "{score}");
    }
}

#[test]
fn several_targets_score_their_mean() {
    let fixture = fixture("regression", "mae", &["a", "b"], &[], &["1", "2", "3"], &["id", "a", "b"]);
    let grade = fixture.grade("id,a,b\n1,1,0\n2,2,0\n3,3,0\n", "id,a,b\n1,2,4\n2,3,4\n3,4,4\n");
    assert_eq!(grade.score, Some(2.5));
}

#[test]
fn faults_of_a_solution_name_its_row() {
    let passengers = passengers("log_loss");
    let good = "Id,Survived\n892,0.5\n0893,0.5\n\"a,b\",0.5\n9 5,0.5\n";
    let solution = |from: &str, to: &str| VALID.replace(from, to);
    passengers.check_solution_error(good, &solution("0893,yes\n", ""), "Id", None, "the id `0893` is missing");
    passengers.check_solution_error(good, &solution("892,", "1,"), "Id", Some(1), "no id `1`");
    passengers.check_solution_error(good, &solution("yes", "dead"), "Survived", Some(2), "no label `dead`");
    passengers.check_solution_error(good, &solution("yes", ""), "Survived", Some(2), "empty");
    passengers.check_solution_error(good, &solution("Survived", "Lived"), "Survived", None, "no such column");
    let usage = "Id,Survived,Usage\n892,no,Public\n0893,yes,Private\n\"a,b\",yes,Both\n9 5,no,Public\n";
    passengers.check_solution_error(good, usage, "Usage", Some(3), "none of Public");
}

#[test]
fn boards_cut_what_324_of_418_right_labels_score() {
    let ids: Vec<String> = (892..1310).map(|id| id.to_string()).collect();
    let names: Vec<&str> = ids.iter().map(String::as_str).collect();
    let titanic = fixture("binary", "accuracy", &["Survived"], &["0", "1"], &names, &["PassengerId", "Survived"]);
    let rows = |n_ones: usize| -> String {
        let row = |(position, id): (usize, &String)| format!("{id},{}\n", u8::from(position < n_ones));
        "PassengerId,Survived\n".to_string() + &ids.iter().enumerate().map(row).collect::<String>()
    };
    let score = titanic.grade(&rows(100), &rows(100 + 418 - 324)).score.unwrap();
    assert_eq!(truncate(score), "0.77511");
}

#[test]
fn labels_are_written_in_the_samples_order_as_train_spells_them() {
    let outputs = [array![[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.6, 0.4]]];
    assert_eq!(passengers("accuracy").write(&outputs), "Id,Survived\n9 5,no\n\"a,b\",yes\n0893,yes\n892,no\n");
    assert_eq!(passengers("log_loss").write(&outputs), "Id,Survived\n9 5,0.4\n\"a,b\",0.5\n0893,0.8\n892,0.1\n");
}

#[test]
fn class_probabilities_are_written_so_that_they_sum_to_one() {
    let outputs = [array![[1.0, 1.0, 1.0], [2.0, 1.0, 1.0], [0.0, 0.0, 3.0]]];
    let text = penguins().write(&outputs);
    let third = "0.3333333333333333";
    assert_eq!(text, format!("id,Adelie,Chinstrap,Gentoo\n3,0,0,1\n2,0.5,0.25,0.25\n1,{third},{third},{third}\n"));
}

#[test]
fn values_are_clipped_to_what_the_metric_allows() {
    let houses = fixture("regression", "rmsle", &["price"], &[], &["1", "2", "3"], &["id", "price"]);
    assert_eq!(houses.write(&[array![[-3.0], [0.1 + 0.2], [1e22]]]), "id,price\n3,1e22\n2,0.30000000000000004\n1,0\n");
}

#[test]
fn a_prediction_that_is_not_finite_leaves_the_old_file() {
    let passengers = passengers("log_loss");
    let old = passengers.file("out.csv", "old");
    let outputs = [array![[0.9, 0.1], [f64::NAN, 0.8], [0.5, 0.5], [0.6, 0.4]]];
    let error = submission::write(&passengers.competition, &outputs, &[], &old, &passengers.registry).unwrap_err();
    assert_eq!((error.row, error.column.as_deref()), (Some(2), Some("Survived")));
    assert_eq!(std::fs::read_to_string(&old).unwrap(), "old");
    assert_eq!(temporary_files(passengers.folder.path()), 0);
}

fn temporary_files(folder: &Path) -> usize {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().starts_with(".tmp")).count()
}

#[test]
fn what_was_written_is_valid_and_scores_what_was_predicted() {
    let passengers = passengers("log_loss");
    let text = passengers.write(&[array![[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.6, 0.4]]]);
    let grade = passengers.grade(&text, VALID);
    let expected = -(0.9f64.ln() + 0.8f64.ln() + 0.5f64.ln() + 0.6f64.ln()) / 4.0;
    assert!((grade.score.unwrap() - expected).abs() < 1e-12);
}

#[test]
fn mutated_submissions_are_judged_without_a_panic() {
    let (accuracy, log_loss, penguins) = (passengers("accuracy"), passengers("log_loss"), penguins());
    let bases = [
        (&accuracy, VALID),
        (&log_loss, "Id,Survived\n892,0.5\n0893,0.5\n\"a,b\",0.5\n9 5,0.5\n"),
        (&penguins, "id,Adelie,Chinstrap,Gentoo\n1,0.5,0.25,0.25\n2,0.2,0.2,0.4\n3,0,1,0\n"),
    ];
    let bytes = b"\0\"\n\r,;-.e9\xff\xef\xbb\xbf nNai\t";
    let mut state = 1u64;
    let mut draw = |below: usize| {
        // Knuth's linear congruential generator (MMIX): fixed, and random enough to break files.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below
    };
    for round in 0..500 {
        let (fixture, text) = bases[round % bases.len()];
        let mut mutated = text.as_bytes().to_vec();
        for _ in 0..1 + draw(4) {
            let place = draw(mutated.len().max(1)).min(mutated.len());
            match draw(4) {
                0 => mutated.insert(place, bytes[draw(bytes.len())]),
                1 => mutated.truncate(place),
                2 if place < mutated.len() => mutated[place] = bytes[draw(bytes.len())],
                _ if place < mutated.len() => drop(mutated.remove(place)),
                _ => {}
            }
        }
        let file = fixture.path("mutated.csv");
        std::fs::write(&file, &mutated).unwrap();
        let checked = submission::validate(&fixture.competition, &file, &fixture.registry);
        assert!(checked.is_ok(), "{:?}: {checked:?}", String::from_utf8_lossy(&mutated));
    }
}

#[test]
fn every_row_that_is_no_row_of_the_table_is_named_and_so_is_what_is_wrong_with_the_others() {
    let torn = |row| (FaultKind::Malformed, Some(row), None);
    let passengers = passengers("accuracy");
    passengers.check_faults(
        "Id,Survived\n892,no,1\n0893\n\"a,b\",perhaps\n9 5,no,,\n",
        &[torn(1), torn(2), (FaultKind::UnknownLabel, Some(3), Some("Survived")), torn(4)],
    );
    let of = |row, column| (FaultKind::Malformed, Some(row), Some(column));
    passengers.check_faults(
        "Id,Survived\n892,\"no\"x\n0893,\"yes\n\"a,b\",no\n9 5,no\n",
        &[of(1, "Survived"), of(2, "Survived")],
    );
    let many: String = (0..3000).map(|row| format!("{row},no,no\n")).collect();
    let file = passengers.file("submission.csv", &format!("Id,Survived\n{many}"));
    let checked = submission::validate(&passengers.competition, &file, &passengers.registry).unwrap();
    let n_torn = checked.faults.iter().filter(|fault| fault.kind == FaultKind::Malformed).count();
    assert_eq!((checked.n_rows, n_torn), (3000, 3000));
}

#[test]
fn a_ranking_is_a_cell_of_labels_best_first() {
    let fixture = fixture("multiclass", "map@2", &["y"], &["a", "b", "c"], &["1", "2"], &["id", "y"]);
    fixture.check_faults("id,y\n1,a b\n2,c d\n", &[(FaultKind::UnknownLabel, Some(2), Some("y"))]);
    fixture.check_faults("id,y\n1,a b\n2,\n", &[(FaultKind::Blank, Some(2), Some("y"))]);
    // Right at once, and at the second guess; what comes behind k does not count.
    let grade = fixture.grade("id,y\n1,a b\n2,c a b\n", "id,y\n1,a\n2,a\n");
    assert_eq!((grade.score, grade.errors), (Some(0.75), Vec::new()));
    let probabilities = array![[0.2, 0.5, 0.3], [0.4, 0.2, 0.4]];
    assert_eq!(fixture.write(&[probabilities]), "id,y\n2,a c\n1,b c\n");
}

#[test]
fn texts_are_graded_though_no_model_predicts_them() {
    let fixture = fixture("text", "mean_f1", &["tags"], &["a b", "c"], &["1", "2", "3"], &["id", "tags"]);
    let grade = fixture.grade("id,tags\n1,b a\n2,\n3,a b c\n", "id,tags\n1,a b\n2,\n3,b x\n");
    assert_eq!((grade.score, grade.errors), (Some((1.0 + 1.0 + 0.4) / 3.0), Vec::new()));
}

#[test]
fn a_value_and_its_spread_stand_in_two_columns() {
    let header = ["Patient_Week", "FVC", "Confidence"];
    let fixture = fixture("regression", "laplace_log_likelihood", &["FVC"], &[], &["1", "2"], &header);
    fixture.check_faults(
        "Patient_Week,FVC,Confidence\n1,2000,0\n2,x,100\n",
        &[(FaultKind::OutOfRange, Some(1), Some("Confidence")), (FaultKind::NotANumber, Some(2), Some("FVC"))],
    );
    let grade = fixture.grade(
        "Patient_Week,FVC,Confidence\n1,2000,100\n2,3000,10\n",
        "Patient_Week,FVC\n1,2100,\n2,3000,\n".replace(",\n", "\n").as_str(),
    );
    let expected = [(100.0f64, 100.0f64), (0.0, 70.0)]
        .map(|(error, sigma)| -2f64.sqrt() * error / sigma - (2f64.sqrt() * sigma).ln());
    let score = grade.score.unwrap();
    assert!((score - (expected[0] + expected[1]) / 2.0).abs() < 1e-12, "{score}");
}

#[test]
fn a_column_of_one_class_is_named() {
    let fixture = fixture("binary", "roc_auc", &["u", "v"], &["0", "1"], &["1", "2"], &["id", "u", "v"]);
    let text = "id,u,v\n1,0.9,0.1\n2,0.2,0.3\n";
    assert_eq!(fixture.grade(text, "id,u,v\n1,1,1\n2,0,0\n").score, Some(0.5));
    let grade = fixture.grade(text, "id,u,v\n1,1,1\n2,0,1\n");
    assert_eq!(grade.score, None);
    assert!(grade.errors[0].contains("`v`") && grade.errors[0].contains("no negative row"), "{:?}", grade.errors);
}
