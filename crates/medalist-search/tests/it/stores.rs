//! Stores: their contract, versions of the schema, several handles on one file.

use std::sync::atomic::{AtomicUsize, Ordering};

use medalist_search::testing::{check_catalogue, check_store};
use medalist_search::*;

#[test]
fn the_memory_store_keeps_its_contract() {
    check_store(MemoryStore::new).unwrap();
    check_catalogue(MemoryStore::new).unwrap();
}

#[test]
fn the_sqlite_store_keeps_its_contract() {
    let dir = tempfile::tempdir().unwrap();
    let n_opened = AtomicUsize::new(0);
    let open = || {
        let n = n_opened.fetch_add(1, Ordering::Relaxed);
        SqliteStore::open(dir.path().join(format!("new/{n}.db"))).unwrap()
    };
    check_store(open).unwrap();
    check_catalogue(open).unwrap();
}

#[test]
fn a_newer_schema_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.db");
    drop(SqliteStore::open(&path).unwrap());
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);
    let error = SqliteStore::open(&path).unwrap_err().to_string();
    assert!(error.ends_with("its schema has version 99, this program knows 5: update the program"), "{error}");
}

/// The schema as earlier versions wrote it.
const OLD_SCHEMAS: [&[&str]; 4] = [SCHEMAS.split_at(1).0, SCHEMAS.split_at(2).0, SCHEMAS.split_at(3).0, &SCHEMAS];

const SCHEMAS: [&str; 4] = [
    include_str!("../../src/store/schema.sql"),
    include_str!("../../src/store/steps.sql"),
    include_str!("../../src/store/study_attachments.sql"),
    "ALTER TABLE trials ADD COLUMN seen TEXT;",
];

#[test]
fn an_older_store_gets_room_for_what_is_new_and_keeps_its_trials() {
    for (version, schema) in (1..).zip(OLD_SCHEMAS) {
        check_migration(version, &schema.concat());
    }
}

#[track_caller]
fn check_migration(version: i64, schema: &str) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch(schema).unwrap();
    let spec = serde_json::to_string(&StudySpec::new("old", Direction::Minimize)).unwrap();
    let insert = "INSERT INTO studies (name, created, identity, spec) VALUES ('old', '', '', ?1)";
    connection.execute(insert, [spec]).unwrap();
    connection
        .execute_batch(
            r#"INSERT INTO trials (study_id, number, params, origin, state, score, seconds, created)
                VALUES (1, 0, '{"x":0.5}', '"sampler"', 'complete', 0.25, 1.5, 'then');
            INSERT INTO fold_scores VALUES (1, 0, 0, 0, 0, 0.25, 1.5);"#,
        )
        .unwrap();
    connection.pragma_update(None, "user_version", version).unwrap();
    drop(connection);
    let store = SqliteStore::open(&path).unwrap();
    let mut trials = store.trials("old").unwrap();
    assert_eq!((trials.len(), trials[0].score, trials[0].folds.len()), (1, Some(0.25), 1));
    assert!(trials[0].steps.is_empty() && trials[0].seen.is_empty());
    trials[0].steps = vec![StepValue { fold: 0, step: 3, value: -0.0 }];
    trials[0].seen = vec![Seen { end: 3, except: vec![1] }];
    store.put_trials("old", &[(trials[0].clone(), Vec::new())]).unwrap();
    assert!(store.remarks("old").unwrap().is_empty() && store.archived().unwrap().is_empty());
    store.remark("old", Some(0), &Remark::Tag("good".to_string())).unwrap();
    store.set_archived("old", true).unwrap();
    assert_eq!(store.archived().unwrap(), ["old"]);
    assert_eq!(store.remarks("old").unwrap()[&Some(0)].tags, ["good".to_string()].into());
    assert_eq!(format!("{:?}", SqliteStore::open(&path).unwrap().trials("old").unwrap()), format!("{trials:?}"));
}

/// A store as version 1 of the schema left it: its studies and trials are read, and it takes what is new.
#[test]
fn a_store_of_the_first_schema_is_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.db");
    let connection = rusqlite::Connection::open(&path).unwrap();
    connection.execute_batch(include_str!("../../src/store/schema.sql")).unwrap();
    connection.pragma_update(None, "user_version", 1).unwrap();
    let study = StudySpec::new("old", Direction::Minimize);
    let spec = serde_json::to_string(&study).unwrap();
    let insert = "INSERT INTO studies (name, created, identity, spec) VALUES ('old', '', ?1, ?2)";
    connection.execute(insert, [study.identity(), spec]).unwrap();
    let insert = "INSERT INTO trials VALUES (1, 0, '{}', '\"sampler\"', 'complete', NULL, 0.25, NULL, 1.5, '')";
    connection.execute(insert, []).unwrap();
    connection.execute("INSERT INTO attachments VALUES (1, 0, 'oof', x'07')", []).unwrap();
    drop(connection);
    for _ in 0..2 {
        let store = SqliteStore::open(&path).unwrap();
        assert_eq!(store.studies().unwrap(), std::slice::from_ref(&study));
        assert_eq!(store.trials("old").unwrap()[0].score, Some(0.25));
        assert_eq!(store.attachment("old", 0, "oof").unwrap(), Some(vec![7]));
        store.put_study_attachment("old", &Attachment { name: "folds".to_string(), bytes: vec![1, 2] }).unwrap();
        assert_eq!(store.study_attachment("old", "folds").unwrap(), Some(vec![1, 2]));
    }
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("train.csv");
    let text = "id,x\n".repeat(1000);
    std::fs::write(&path, &text).unwrap();
    let error = SqliteStore::open(&path).unwrap_err().to_string();
    assert!(error.contains("not a SQLite file"), "{error}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
}

#[test]
fn several_handles_write_beside_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("store.db");
    let trial = |number| Trial {
        number,
        params: Params::new(),
        origin: Origin::Sampler,
        state: TrialState::Complete,
        folds: Vec::new(),
        score: Some(0.5),
        others: Vec::new(),
        stages: None,
        steps: Vec::new(),
        seconds: 0.0,
        created: String::new(),
        seen: Vec::new(),
    };
    std::thread::scope(|scope| {
        for name in ["a", "b", "c", "d"] {
            let path = &path;
            scope.spawn(move || {
                let store = SqliteStore::open(path).unwrap();
                store.put_study(&StudySpec::new(name, Direction::Minimize)).unwrap();
                for number in 0..20 {
                    store.put_trials(name, &[(trial(number), Vec::new())]).unwrap();
                }
            });
        }
    });
    let store = SqliteStore::open(&path).unwrap();
    for study in store.studies().unwrap() {
        assert_eq!(store.trials(&study.name).unwrap().len(), 20);
    }
}
