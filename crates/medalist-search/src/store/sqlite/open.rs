//! Opening a SQLite file, and bringing its schema up to date.

use std::path::Path;
use std::time::{Duration, Instant};

use rusqlite::{Connection, ErrorCode, TransactionBehavior};

/// Each entry brings the schema from its index to the next version.
const MIGRATIONS: &[&str] = &[
    include_str!("../schema.sql"),
    include_str!("../steps.sql"),
    include_str!("../study_attachments.sql"),
    "ALTER TABLE trials ADD COLUMN seen TEXT;",
    include_str!("../remarks.sql"),
];

/// The version of the schema that this program writes.
pub const VERSION: usize = MIGRATIONS.len();

/// How long a write waits for another process's.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// Between two tries of what SQLite itself does not wait for.
const RETRY_AFTER: Duration = Duration::from_millis(5);

fn prepare(connection: &mut Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "foreign_keys", true)
}

/// An open connection and the version of its schema, brought up to date; it may be a newer one.
pub fn connect(path: &Path) -> rusqlite::Result<(Connection, usize)> {
    let started = Instant::now();
    loop {
        let connected = Connection::open(path).and_then(|mut connection| {
            prepare(&mut connection)?;
            let version = migrate(&mut connection)?;
            Ok((connection, version))
        });
        match connected {
            // Who changes a new file to the write-ahead log beside another is told `busy` at once, whatever the timeout.
            Err(error) if is_busy(&error) && started.elapsed() < BUSY_TIMEOUT => std::thread::sleep(RETRY_AFTER),
            connected => return connected,
        }
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

fn migrate(connection: &mut Connection) -> rusqlite::Result<usize> {
    let version = |connection: &Connection| connection.pragma_query_value(None, "user_version", |row| row.get(0));
    let found: usize = version(connection)?;
    if found >= VERSION {
        return Ok(found);
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    // Asked again: another process may have migrated while this one waited for its turn.
    let found: usize = version(&transaction)?;
    for migration in MIGRATIONS.iter().skip(found) {
        transaction.execute_batch(migration)?;
    }
    let known = found.max(VERSION);
    transaction.pragma_update(None, "user_version", known as i64)?;
    transaction.commit()?;
    Ok(known)
}

/// SQLite's words, and what to do.
pub fn explain(error: &rusqlite::Error) -> String {
    let advice = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk is full: free some space and run the same command again",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "it cannot be written: check its permissions and those of its folder"
        }
        Some(ErrorCode::CannotOpen) => "check that its folder exists and can be written",
        Some(ErrorCode::NotADatabase) => "it is not a SQLite file: move it away, or choose another path",
        Some(ErrorCode::DatabaseCorrupt) => "it is damaged: restore a copy, or move it away to begin afresh",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another process holds it: wait for it, or stop it"
        }
        _ => return error.to_string(),
    };
    format!("{advice} ({error})")
}
