//! One SQLite file: write-ahead log, full synchronisation, a schema with a version.
//!
//! Other processes may read and write other studies at the same time; SQLite takes turns between them.

mod open;
mod remarks;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use rusqlite::{Connection, OptionalExtension, Row, Transaction, TransactionBehavior, params};

use self::open::{VERSION, connect, explain};
use super::{Attachment, Catalogue, Remark, Remarks, Store, check_same, unknown_study};
use crate::error::{Error, Result};
use crate::study::StudySpec;
use crate::trial::{FoldScore, StepValue, Trial, TrialState};

/// Studies in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    path: PathBuf,
    connection: Mutex<Connection>,
}

impl SqliteStore {
    /// Opens the file, creating it and its folder where they are missing, and brings its schema up to date.
    ///
    /// # Errors
    /// [`Error::Store`] when the file cannot be opened or is no database, or its schema is newer than this program.
    pub fn open(path: impl AsRef<Path>) -> Result<SqliteStore> {
        let path = path.as_ref().to_path_buf();
        let failed = |message: String| Error::Store { path: path.clone(), message };
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::create_dir_all(folder).map_err(|error| failed(format!("cannot create its folder: {error}")))?;
        }
        let (connection, version) = connect(&path).map_err(|error| failed(explain(&error)))?;
        if version > VERSION {
            return Err(failed(format!(
                "its schema has version {version}, this program knows {VERSION}: update the program"
            )));
        }
        Ok(SqliteStore { path, connection: Mutex::new(connection) })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    fn lock(&self) -> MutexGuard<'_, Connection> {
        // A transaction that a panic cut short was rolled back when it was dropped.
        self.connection.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn failed(&self, message: String) -> Error {
        Error::Store { path: self.path.clone(), message }
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        read(&self.lock()).map_err(|error| self.failed(explain(&error)))
    }

    /// A writing transaction from its beginning: one that begins by reading could find the database changed when it comes to write.
    fn write<T>(&self, write: impl FnOnce(&Transaction) -> rusqlite::Result<T>) -> Result<T> {
        let mut connection = self.lock();
        let write = || {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let written = write(&transaction)?;
            transaction.commit()?;
            Ok(written)
        };
        write().map_err(|error: rusqlite::Error| self.failed(explain(&error)))
    }

    fn study_id(&self, study: &str) -> Result<i64> {
        let id = self.read(|connection| {
            let mut find = connection.prepare_cached("SELECT id FROM studies WHERE name = ?1")?;
            find.query_row([study], |row| row.get(0)).optional()
        })?;
        match id {
            Some(id) => Ok(id),
            None => {
                let studies = self.studies()?;
                Err(unknown_study(study, studies.iter().map(|study| study.name.as_str())))
            }
        }
    }

    fn json<T: for<'a> serde::Deserialize<'a>>(&self, of: &str, text: &str) -> Result<T> {
        serde_json::from_str(text).map_err(|error| self.failed(format!("{of} cannot be read: {error}")))
    }
}

impl Store for SqliteStore {
    fn put_study(&self, study: &StudySpec) -> Result<()> {
        let spec = to_json(study);
        let stored: Option<String> = self.write(|transaction| {
            let find = "SELECT spec FROM studies WHERE name = ?1";
            let stored = transaction.query_row(find, [&study.name], |row| row.get(0)).optional()?;
            if stored.is_none() {
                transaction.execute(
                    "INSERT INTO studies (name, created, identity, spec) VALUES (?1, ?2, ?3, ?4)",
                    params![study.name, study.created, study.identity(), spec],
                )?;
            }
            Ok(stored)
        })?;
        let Some(stored) = stored else { return Ok(()) };
        let mut stored: StudySpec = self.json(&format!("the plan of study `{}`", study.name), &stored)?;
        check_same(&stored, study)?;
        if stored.requested == study.requested {
            return Ok(());
        }
        stored.requested = study.requested.clone();
        let spec = to_json(&stored);
        self.write(|transaction| {
            transaction.execute("UPDATE studies SET spec = ?2 WHERE name = ?1", params![study.name, spec])
        })?;
        Ok(())
    }

    fn studies(&self) -> Result<Vec<StudySpec>> {
        let specs: Vec<(String, String)> = self.read(|connection| {
            let mut all = connection.prepare_cached("SELECT name, spec FROM studies ORDER BY name")?;
            all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        })?;
        specs.iter().map(|(name, spec)| self.json(&format!("the plan of study `{name}`"), spec)).collect()
    }

    fn put_trials(&self, study: &str, trials: &[(Trial, Vec<Attachment>)]) -> Result<()> {
        let study_id = self.study_id(study)?;
        self.write(|transaction| {
            for (trial, attachments) in trials {
                put_trial(transaction, study_id, trial)?;
                for attachment in attachments {
                    put_attachment(transaction, study_id, trial.number, attachment)?;
                }
            }
            Ok(())
        })
    }

    fn trials(&self, study: &str) -> Result<Vec<Trial>> {
        let study_id = self.study_id(study)?;
        let (rows, folds, steps) = self.read(|connection| {
            // One transaction, so that no trial is seen without its folds.
            let reading = connection.unchecked_transaction()?;
            let mut trials = reading.prepare_cached(
                "SELECT number, params, origin, state, reason, score, stages, seconds, created, seen FROM trials WHERE study_id = ?1 ORDER BY number",
            )?;
            let rows = trials.query_map([study_id], TrialRow::read)?.collect::<rusqlite::Result<Vec<_>>>()?;
            let mut folds = reading.prepare_cached(
                "SELECT number, objective, repeat, fold, score, seconds FROM fold_scores WHERE study_id = ?1 ORDER BY number, objective, repeat, fold",
            )?;
            let folds = folds.query_map([study_id], read_fold)?.collect::<rusqlite::Result<Vec<_>>>()?;
            let mut steps = reading.prepare_cached(
                "SELECT number, fold, step, value FROM steps WHERE study_id = ?1 ORDER BY number, fold, step",
            )?;
            let steps = steps.query_map([study_id], read_step)?.collect::<rusqlite::Result<Vec<_>>>()?;
            Ok((rows, folds, steps))
        })?;
        let mut folds = folds.into_iter().peekable();
        let mut steps = steps.into_iter().peekable();
        let mut trials = Vec::with_capacity(rows.len());
        for row in rows {
            let mut trial = self.trial(row)?;
            while let Some((_, fold)) = folds.next_if(|(number, _)| *number == trial.number) {
                // Objectives and folds arrive in their order.
                match fold.objective as usize {
                    0 => trial.folds.push(fold),
                    objective => {
                        trial.others.resize_with(objective.max(trial.others.len()), Vec::new);
                        trial.others[objective - 1].push(fold.score);
                    }
                }
            }
            while let Some((_, step)) = steps.next_if(|(number, _)| *number == trial.number) {
                trial.steps.push(step);
            }
            trials.push(trial);
        }
        Ok(trials)
    }

    fn put_attachment(&self, study: &str, number: u64, attachment: &Attachment) -> Result<()> {
        let study_id = self.study_id(study)?;
        self.write(|transaction| put_attachment(transaction, study_id, number, attachment))
    }

    fn attachment(&self, study: &str, number: u64, name: &str) -> Result<Option<Vec<u8>>> {
        let study_id = self.study_id(study)?;
        self.read(|connection| {
            let mut find = connection
                .prepare_cached("SELECT bytes FROM attachments WHERE study_id = ?1 AND number = ?2 AND name = ?3")?;
            find.query_row(params![study_id, number, name], |row| row.get(0)).optional()
        })
    }

    fn put_study_attachment(&self, study: &str, attachment: &Attachment) -> Result<()> {
        let study_id = self.study_id(study)?;
        self.write(|transaction| {
            let mut insert = transaction.prepare_cached(
                "INSERT OR REPLACE INTO study_attachments (study_id, name, bytes) VALUES (?1, ?2, ?3)",
            )?;
            insert.execute(params![study_id, attachment.name, attachment.bytes]).map(|_| ())
        })
    }

    fn study_attachment(&self, study: &str, name: &str) -> Result<Option<Vec<u8>>> {
        let study_id = self.study_id(study)?;
        self.read(|connection| {
            let mut find =
                connection.prepare_cached("SELECT bytes FROM study_attachments WHERE study_id = ?1 AND name = ?2")?;
            find.query_row(params![study_id, name], |row| row.get(0)).optional()
        })
    }
}

impl Catalogue for SqliteStore {
    fn remark(&self, study: &str, number: Option<u64>, remark: &Remark) -> Result<()> {
        let study_id = self.study_id(study)?;
        self.write(|transaction| remarks::write(transaction, study_id, number, remark))
    }

    fn remarks(&self, study: &str) -> Result<BTreeMap<Option<u64>, Remarks>> {
        let study_id = self.study_id(study)?;
        self.read(|connection| remarks::read(connection, study_id))
    }

    fn set_archived(&self, study: &str, archived: bool) -> Result<()> {
        let study_id = self.study_id(study)?;
        let update = "UPDATE studies SET archived = ?2 WHERE id = ?1";
        self.write(|transaction| transaction.execute(update, params![study_id, archived]).map(|_| ()))
    }

    fn archived(&self) -> Result<Vec<String>> {
        self.read(|connection| {
            let mut names = connection.prepare_cached("SELECT name FROM studies WHERE archived ORDER BY name")?;
            names.query_map([], |row| row.get(0))?.collect()
        })
    }

    fn delete_study(&self, study: &str) -> Result<()> {
        let study_id = self.study_id(study)?;
        // What belongs to it goes with it, by the foreign keys.
        self.write(|transaction| transaction.execute("DELETE FROM studies WHERE id = ?1", [study_id]).map(|_| ()))
    }
}

/// A row of the table `trials`, its texts not yet parsed.
struct TrialRow {
    number: u64,
    params: String,
    origin: String,
    state: String,
    reason: Option<String>,
    score: Option<f64>,
    stages: Option<String>,
    seconds: f64,
    created: String,
    seen: Option<String>,
}

impl TrialRow {
    fn read(row: &Row) -> rusqlite::Result<TrialRow> {
        Ok(TrialRow {
            number: row.get(0)?,
            params: row.get(1)?,
            origin: row.get(2)?,
            state: row.get(3)?,
            reason: row.get(4)?,
            score: row.get(5)?,
            stages: row.get(6)?,
            seconds: row.get(7)?,
            created: row.get(8)?,
            seen: row.get(9)?,
        })
    }
}

impl SqliteStore {
    /// The trial of a row, without its folds and steps.
    fn trial(&self, row: TrialRow) -> Result<Trial> {
        let of = format!("trial {}", row.number);
        let state = match row.state.as_str() {
            "waiting" => TrialState::Waiting,
            "running" => TrialState::Running,
            "complete" => TrialState::Complete,
            "pruned" => TrialState::Pruned,
            "failed" => TrialState::Failed { reason: row.reason.unwrap_or_default() },
            other => return Err(self.failed(format!("{of} has the state `{other}`, which this program does not know"))),
        };
        Ok(Trial {
            number: row.number,
            params: self.json(&of, &row.params)?,
            origin: self.json(&of, &row.origin)?,
            state,
            folds: Vec::new(),
            score: row.score,
            others: Vec::new(),
            stages: row.stages.map(|stages| self.json(&of, &stages)).transpose()?,
            steps: Vec::new(),
            seconds: row.seconds,
            created: row.created,
            seen: row.seen.map(|seen| self.json(&of, &seen)).transpose()?.unwrap_or_default(),
        })
    }
}

fn put_trial(transaction: &Transaction, study_id: i64, trial: &Trial) -> rusqlite::Result<()> {
    let mut delete = transaction.prepare_cached("DELETE FROM trials WHERE study_id = ?1 AND number = ?2")?;
    delete.execute(params![study_id, trial.number])?;
    let reason = match &trial.state {
        TrialState::Failed { reason } => Some(reason),
        _ => None,
    };
    let mut insert = transaction.prepare_cached(
        "INSERT INTO trials (study_id, number, params, origin, state, reason, score, stages, seconds, created, seen) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
    )?;
    insert.execute(params![
        study_id,
        trial.number,
        trial.params.to_json(),
        to_json(&trial.origin),
        trial.state.name(),
        reason,
        trial.score,
        trial.stages.as_ref().map(to_json),
        trial.seconds,
        trial.created,
        Some(&trial.seen).filter(|seen| !seen.is_empty()).map(to_json),
    ])?;
    let mut insert = transaction.prepare_cached(
        "INSERT INTO fold_scores (study_id, number, objective, repeat, fold, score, seconds) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    let others = trial.others.iter().zip(1..).flat_map(|(values, objective)| {
        let score =
            move |(fold, score): (u32, &f64)| FoldScore { objective, repeat: 0, fold, score: *score, seconds: 0.0 };
        (0..).zip(values).map(score)
    });
    for fold in trial.folds.iter().copied().chain(others) {
        let FoldScore { objective, repeat, fold, score, seconds } = fold;
        insert.execute(params![study_id, trial.number, objective, repeat, fold, score, seconds])?;
    }
    let mut insert = transaction
        .prepare_cached("INSERT INTO steps (study_id, number, fold, step, value) VALUES (?1, ?2, ?3, ?4, ?5)")?;
    for StepValue { fold, step, value } in &trial.steps {
        insert.execute(params![study_id, trial.number, fold, step, value])?;
    }
    Ok(())
}

fn put_attachment(
    transaction: &Transaction,
    study_id: i64,
    number: u64,
    attachment: &Attachment,
) -> rusqlite::Result<()> {
    let mut insert = transaction
        .prepare_cached("INSERT OR REPLACE INTO attachments (study_id, number, name, bytes) VALUES (?1, ?2, ?3, ?4)")?;
    insert.execute(params![study_id, number, attachment.name, attachment.bytes]).map(|_| ())
}

fn read_fold(row: &Row) -> rusqlite::Result<(u64, FoldScore)> {
    let fold = FoldScore {
        objective: row.get(1)?,
        repeat: row.get(2)?,
        fold: row.get(3)?,
        score: row.get(4)?,
        seconds: row.get(5)?,
    };
    Ok((row.get(0)?, fold))
}

fn read_step(row: &Row) -> rusqlite::Result<(u64, StepValue)> {
    let step = StepValue { fold: row.get(1)?, step: row.get(2)?, value: row.get(3)? };
    Ok((row.get(0)?, step))
}

fn to_json<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plans and trials are made of texts and numbers")
}
