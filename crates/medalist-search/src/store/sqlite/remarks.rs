//! Tags and notes in their tables.

use std::collections::BTreeMap;

use rusqlite::{Connection, Transaction, params};

use crate::store::{Remark, Remarks};

/// The number under which what is said of the study itself stands.
const STUDY: i64 = -1;

pub fn write(transaction: &Transaction, study_id: i64, number: Option<u64>, remark: &Remark) -> rusqlite::Result<()> {
    let number = number.map_or(STUDY, |number| number as i64);
    match remark {
        Remark::Tag(tag) => {
            let insert = "INSERT OR IGNORE INTO tags (study_id, number, tag) VALUES (?1, ?2, ?3)";
            transaction.execute(insert, params![study_id, number, tag])?;
        }
        Remark::Untag(tag) => {
            let delete = "DELETE FROM tags WHERE study_id = ?1 AND number = ?2 AND tag = ?3";
            transaction.execute(delete, params![study_id, number, tag])?;
        }
        Remark::Note(Some(note)) => {
            let insert = "INSERT OR REPLACE INTO notes (study_id, number, note) VALUES (?1, ?2, ?3)";
            transaction.execute(insert, params![study_id, number, note])?;
        }
        Remark::Note(None) => {
            let delete = "DELETE FROM notes WHERE study_id = ?1 AND number = ?2";
            transaction.execute(delete, params![study_id, number])?;
        }
    }
    Ok(())
}

pub fn read(connection: &Connection, study_id: i64) -> rusqlite::Result<BTreeMap<Option<u64>, Remarks>> {
    let mut remarks: BTreeMap<Option<u64>, Remarks> = BTreeMap::new();
    let reading = connection.unchecked_transaction()?;
    let mut tags = reading.prepare_cached("SELECT number, tag FROM tags WHERE study_id = ?1")?;
    let mut rows = tags.query([study_id])?;
    while let Some(row) = rows.next()? {
        remarks.entry(u64::try_from(row.get::<_, i64>(0)?).ok()).or_default().tags.insert(row.get(1)?);
    }
    let mut notes = reading.prepare_cached("SELECT number, note FROM notes WHERE study_id = ?1")?;
    let mut rows = notes.query([study_id])?;
    while let Some(row) = rows.next()? {
        remarks.entry(u64::try_from(row.get::<_, i64>(0)?).ok()).or_default().note = Some(row.get(1)?);
    }
    Ok(remarks)
}
